/* SPDX-License-Identifier: Apache-2.0 */
/* The one transaction that begins a new epoch, on a store that nobody else has open. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/base/buf.h"
#include "node/base/failpoint.h"
#include "node/base/log.h"
#include "node/service/lineage.h"
#include "node/service/node_parts.h"
#include "node/service/recover.h"

struct plan {
    uint64_t epoch, term;
    Kz__RecoverPoint *point; /* owned */
    struct kz_buf configuration;
};

static void name_approvers(const struct kz_recover_order *order, Kz__RecoverPoint *point)
{
    point->approvers = kz_must_alloc(KZ_RECOVER_APPROVERS_MAX, sizeof *point->approvers);
    for (size_t i = 0; i < order->approver_count; i++)
        point->approvers[point->n_approvers++] = kz_must_strdup(order->approvers[i]);
}

static void fill_point(const struct kz_service_config *config, const struct kz_recover_order *order,
                       Kz__RecoverPoint *point)
{
    free(point->node);
    free(point->plan);
    point->node = kz_must_strdup(config->name);
    point->plan = kz_must_strdup(order->digest);
    point->archive = kz_must_strdup(order->archive);
    point->has_node_id = true;
    point->node_id = (uint64_t)config->id;
    point->time_ms = order->time_ms;
    point->has_older = point->older = order->older;
    name_approvers(order, point);
}

/* The node may have heard a leader in its last moments: then this is not what people approved. */
static enum kz_code check_digest(const struct kz_service_config *config, const struct kz_recover_order *order,
                                 struct kz_view *view, struct plan *plan, struct kz_err *err)
{
    Kz__Survivor *survivor = NULL;
    enum kz_code code = kz_recover_report(config, view, false, &survivor, err);
    if (code != KZ_OK) return code;
    if (strcmp(survivor->digest, order->digest) != 0)
        code = kz_fail(err, KZ_CONFLICT, "plan %s was approved, but the data has become that of plan %s", order->digest,
                       survivor->digest);
    plan->epoch = survivor->epoch + 1;
    plan->term = survivor->term + 1;
    kz__survivor__free_unpacked(survivor, NULL);
    return code;
}

static enum kz_code make_plan(const struct kz_service_config *config, const struct kz_recover_order *order,
                              struct kz_store *store, struct plan *plan, struct kz_err *err)
{
    struct kz_view *view;
    struct kz_member self = {.id = (uint64_t)config->id, .voter = true};
    snprintf(self.address, sizeof self.address, "%s", order->address);
    enum kz_code code = kz_view_open(store, &view, err);
    if (code != KZ_OK) return code;
    code = check_digest(config, order, view, plan, err);
    if (code == KZ_OK) code = kz_lineage_make_point(view, &plan->point, err);
    kz_view_close(view);
    if (code == KZ_OK) fill_point(config, order, plan->point);
    return code == KZ_OK ? kz_replica_bootstrap_entry(&self, 1, &plan->configuration, err) : code;
}

/* Everything that makes the new epoch, and what tells of it, durable together. */
static enum kz_code write_plan(struct kz_store *store, const struct plan *plan, struct kz_err *err)
{
    struct kz_store_txn *txn;
    char key[KZ_LINEAGE_KEY_BYTES];
    size_t size_bytes = kz__recover_point__get_packed_size(plan->point);
    uint8_t *packed = kz_must_alloc(1, size_bytes);
    kz__recover_point__pack(plan->point, packed);
    kz_lineage_key(key, plan->epoch);
    enum kz_code code = kz_store_begin(store, &txn, err);
    if (code == KZ_OK) {
        code =
            kz_txn_recover(txn, plan->epoch, plan->configuration.data, plan->configuration.size_bytes, plan->term, err);
        if (code == KZ_OK) code = kz_txn_put_local(txn, key, packed, size_bytes, err);
        if (code == KZ_OK) code = kz_txn_put_local(txn, KZ_RECOVER_TRACE_KEY, &plan->epoch, sizeof plan->epoch, err);
        if (code == KZ_OK) KZ_FAILPOINT("recover.prepared");
        if (code == KZ_OK)
            code = kz_store_commit(txn, err);
        else
            kz_store_abort(txn);
    }
    free(packed);
    return code;
}

enum kz_code kz_recover_perform(const struct kz_service_config *config, const struct kz_recover_order *order,
                                struct kz_err *err)
{
    const struct kz_store_options options = {.directory = config->data_directory,
                                             .map_size_bytes = (uint64_t)config->map_size_bytes,
                                             .cluster_id = config->cluster_id,
                                             .node_id = (uint64_t)config->id};
    struct kz_store *store;
    struct plan plan = {.point = NULL};
    enum kz_code code = kz_store_open(&store, &options, err);
    if (code != KZ_OK) return code;
    kz_buf_init(&plan.configuration, 0);
    KZ_FAILPOINT("recover.stopped");
    code = make_plan(config, order, store, &plan, err);
    if (code == KZ_OK) code = write_plan(store, &plan, err);
    if (code == KZ_OK) KZ_FAILPOINT("recover.committed");
    if (code == KZ_OK)
        kz_log_warn("node.recovered", "epoch=%llu from_index=%llu plan=%s approved_by=%s,%s archive=%s",
                    (unsigned long long)plan.epoch, (unsigned long long)plan.point->index, order->digest,
                    order->approvers[0], order->approver_count > 1 ? order->approvers[1] : "(alone)", order->archive);
    if (plan.point) kz__recover_point__free_unpacked(plan.point, NULL);
    kz_buf_fini(&plan.configuration);
    kz_store_close(store);
    return code;
}
