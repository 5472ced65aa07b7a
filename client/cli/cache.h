/* SPDX-License-Identifier: Apache-2.0 */
/* Ids of the last lists, kept for shell completion in $XDG_CACHE_HOME/keizoku/ids/<kind>: ids only, no record, mode
 * 0600. Failing is silent: it is a convenience. */
#ifndef KZ_CLIENT_CLI_CACHE_H
#define KZ_CLIENT_CLI_CACHE_H

#include "client/cli/options.h"

void kz_cache_write_ids(kz_getenv get, void *data, const struct kz_kind *kind, Kz__Record *const *records,
                        size_t count);

#endif
