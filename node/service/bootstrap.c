/* SPDX-License-Identifier: Apache-2.0 */
#include "node/service/bootstrap.h"

#include <stdio.h>

#include "node/base/buf.h"
#include "node/consensus/replica.h"
#include "node/service/members.h"

#define JOIN_KEY "join"
#define JOINING "waiting"

static enum kz_code make_first_entry(const struct kz_service_config *config, struct kz_buf *out, struct kz_err *err)
{
    struct kz_member members[KZ_NODES_MAX];
    for (size_t i = 0; i < config->member_count; i++) {
        members[i].id = (uint64_t)config->members[i].id;
        members[i].voter = true;
        if (!kz_member_format(config->members[i].name, config->members[i].address, false, members[i].address))
            return kz_fail(err, KZ_USAGE, "[peer.%s] has a name or an address that cannot be a member's",
                           config->members[i].name);
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

struct stored {
    uint64_t last_index;
    bool joining;
};

static enum kz_code read_stored(struct kz_store *store, struct stored *out, struct kz_err *err)
{
    struct kz_view *view;
    struct kz_hard_state hard;
    char note[sizeof JOINING];
    size_t size = sizeof note;
    enum kz_code code = kz_view_open(store, &view, err);
    if (code != KZ_OK) return code;
    code = kz_view_hard(view, &hard, err);
    if (code == KZ_OK) code = kz_view_local(view, JOIN_KEY, note, &size, err);
    out->joining = code == KZ_OK;
    out->last_index = hard.last_index;
    kz_view_close(view);
    return code == KZ_NOT_FOUND ? KZ_OK : code;
}

/* So that a restart needs no option, and a later --bootstrap cannot found a second cluster here. */
static enum kz_code store_joining(struct kz_store *store, struct kz_err *err)
{
    struct kz_store_txn *txn;
    enum kz_code code = kz_store_begin(store, &txn, err);
    if (code != KZ_OK) return code;
    code = kz_txn_put_local(txn, JOIN_KEY, JOINING, sizeof JOINING, err);
    if (code == KZ_OK) return kz_store_commit(txn, err);
    kz_store_abort(txn);
    return code;
}

static enum kz_code ensure_beginning(const struct kz_service_config *config, enum kz_birth birth,
                                     struct kz_store *store, struct kz_err *err)
{
    struct stored stored = {0};
    struct kz_buf configuration;
    enum kz_code code = read_stored(store, &stored, err);
    if (code != KZ_OK || stored.last_index > 0) return code;
    if (stored.joining && birth == KZ_BIRTH_BOOTSTRAP)
        return kz_fail(err, KZ_FAILED,
                       "%s waits to join a cluster (it was made with --join): start without --bootstrap",
                       config->data_directory);
    if (stored.joining) return KZ_OK;
    if (birth == KZ_BIRTH_JOIN) return store_joining(store, err);
    if (birth == KZ_BIRTH_NONE)
        return kz_fail(err, KZ_FAILED,
                       "%s holds no cluster yet: start a new cluster's nodes once with --bootstrap, a node that is "
                       "added to a running cluster with --join",
                       config->data_directory);
    kz_buf_init(&configuration, 0);
    code = make_first_entry(config, &configuration, err);
    if (code == KZ_OK) code = store_first_entry(store, &configuration, err);
    kz_buf_fini(&configuration);
    return code;
}

enum kz_code kz_bootstrap_open_store(const struct kz_service_config *config, enum kz_birth birth, struct kz_store **out,
                                     struct kz_err *err)
{
    const struct kz_store_options options = {.directory = config->data_directory,
                                             .map_size_bytes = (uint64_t)config->map_size_bytes,
                                             .cluster_id = config->cluster_id,
                                             .node_id = (uint64_t)config->id,
                                             .create = birth != KZ_BIRTH_NONE};
    enum kz_code code = kz_store_open(out, &options, err);
    if (code == KZ_NOT_FOUND)
        return kz_fail(err, code,
                       "%s holds no store. At the first start of a new cluster, start with --bootstrap; to be added to "
                       "a running one, with --join; if this node has run before, its data is gone and it may not come "
                       "back under its old id",
                       config->data_directory);
    return code ? code : ensure_beginning(config, birth, *out, err);
}
