/* SPDX-License-Identifier: Apache-2.0 */
/* The first start of a node: makes the data directory; for a new cluster also entry 1, which names the first voters,
 * the same bytes on every node; for a node that is to be added nothing, it waits for a leader to send it everything. */
#ifndef KZ_SERVICE_BOOTSTRAP_H
#define KZ_SERVICE_BOOTSTRAP_H

#include "node/service/node.h"
#include "node/store/store.h"

/* Opens the node's store. BOOTSTRAP and JOIN make it if the directory is empty, and are harmless if it was made before.
 */
enum kz_code kz_bootstrap_open_store(const struct kz_service_config *config, enum kz_birth birth, struct kz_store **out,
                                     struct kz_err *err) KZ_MUST_CHECK;

#endif
