/* SPDX-License-Identifier: Apache-2.0 */
/* The first start of a node: makes the data directory and entry 1, which names the first voters, the same bytes on
 * every node. */
#ifndef KZ_SERVICE_BOOTSTRAP_H
#define KZ_SERVICE_BOOTSTRAP_H

#include "node/service/config.h"
#include "node/store/store.h"

/* Opens the node's store. `bootstrap` makes it if the directory is empty, and is harmless if it was made before. */
enum kz_code kz_bootstrap_open_store(const struct kz_service_config *config, bool bootstrap, struct kz_store **out,
                                     struct kz_err *err) KZ_MUST_CHECK;

#endif
