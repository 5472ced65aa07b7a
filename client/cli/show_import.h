/* SPDX-License-Identifier: Apache-2.0 */
/* What an import would do, record by record. One thread. */
#ifndef KZ_CLIENT_CLI_SHOW_IMPORT_H
#define KZ_CLIENT_CLI_SHOW_IMPORT_H

#include "client/cli/show.h"
#include "client/codec/decode.h"
#include "node/registry/set.h"

/* `set`: the records as they are. */
void kz_show_import(const struct kz_view *view, const struct kz_entries *entries, const struct kz_set *set,
                    struct kz_buf *out);

#endif
