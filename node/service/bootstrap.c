/* SPDX-License-Identifier: Apache-2.0 */
#include "node/service/bootstrap.h"

#include <stdio.h>

#include "node/base/buf.h"
#include "node/consensus/replica.h"

static enum kz_code make_first_entry(const struct kz_service_config *config, struct kz_buf *out, struct kz_err *err)
{
    struct kz_member members[KZ_NODES_MAX];
    for (size_t i = 0; i < config->member_count; i++) {
        members[i].id = (uint64_t)config->members[i].id;
        members[i].voter = true;
        snprintf(members[i].address, sizeof members[i].address, "%s", config->members[i].address);
    }
    return kz_replica_bootstrap_entry(members, config->member_count, out, err);
}

static enum kz_code store_first_entry(struct kz_store *store, const struct kz_buf *configuration, struct kz_err *err)
{
    struct kz_store_txn *txn;
    const struct kz_entry entry = {
        .term = 1, .type = KZ_ENTRY_CHANGE, .data = configuration->data, .size_bytes = configuration->size_bytes};
    enum kz_code code = kz_store_begin(store, &txn, err);
    if (code != KZ_OK) return code;
    code = kz_txn_append(txn, 1, &entry, 1, err);
    if (code == KZ_OK) code = kz_txn_put_hard(txn, 1, 0, err);
    if (code == KZ_OK) return kz_store_commit(txn, err);
    kz_store_abort(txn);
    return code;
}

static enum kz_code read_last_index(struct kz_store *store, uint64_t *last_index, struct kz_err *err)
{
    struct kz_view *view;
    struct kz_hard_state hard;
    enum kz_code code = kz_view_open(store, &view, err);
    if (code != KZ_OK) return code;
    code = kz_view_hard(view, &hard, err);
    kz_view_close(view);
    *last_index = hard.last_index;
    return code;
}

static enum kz_code ensure_first_entry(const struct kz_service_config *config, bool bootstrap, struct kz_store *store,
                                       struct kz_err *err)
{
    uint64_t last_index = 0;
    struct kz_buf configuration;
    enum kz_code code = read_last_index(store, &last_index, err);
    if (code != KZ_OK || last_index > 0) return code;
    if (!bootstrap)
        return kz_fail(err, KZ_FAILED, "%s holds no cluster yet: start a new cluster's nodes once with --bootstrap",
                       config->data_directory);
    kz_buf_init(&configuration, 0);
    code = make_first_entry(config, &configuration, err);
    if (code == KZ_OK) code = store_first_entry(store, &configuration, err);
    kz_buf_fini(&configuration);
    return code;
}

enum kz_code kz_bootstrap_open_store(const struct kz_service_config *config, bool bootstrap, struct kz_store **out,
                                     struct kz_err *err)
{
    const struct kz_store_options options = {.directory = config->data_directory,
                                             .map_size_bytes = (uint64_t)config->map_size_bytes,
                                             .cluster_id = config->cluster_id,
                                             .node_id = (uint64_t)config->id,
                                             .create = bootstrap};
    enum kz_code code = kz_store_open(out, &options, err);
    if (code == KZ_NOT_FOUND)
        return kz_fail(err, code,
                       "%s holds no store. At the first start of a new cluster, start with --bootstrap; if this node "
                       "has run before, its data is gone and it may not come back under its old id",
                       config->data_directory);
    return code ? code : ensure_first_entry(config, bootstrap, *out, err);
}
