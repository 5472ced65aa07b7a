/* SPDX-License-Identifier: Apache-2.0 */
#include "node/service/recover.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "node/base/assert.h"
#include "node/base/failpoint.h"
#include "node/base/log.h"
#include "node/service/conn.h"
#include "node/service/lineage.h"
#include "node/service/node_parts.h"
#include "node/service/recover_trace.h"
#include "node/service/replica_io.h"

#define APPROVAL_PREFIX "recover.approval."

/* The archive is written by a worker; the rest waits until the node has stopped. */
struct work {
    uv_work_t uv;
    struct kz_recover *recover; /* borrowed: the node waits for it */
    struct kz_recover_order order;
    enum kz_code code;
    struct kz_err err;
};

struct kz_recover {
    struct kz_node *node;           /* borrowed */
    struct kz_request_list storing; /* approvals that become durable; read_index: the writer's seq */
    struct kz_recover_order order;
    struct work *work;    /* owned; NULL: none under way */
    struct kz_err failed; /* what became of the last one */
};

struct kz_recover *kz_recover_new(struct kz_node *node)
{
    struct kz_recover *recover = kz_must_alloc(1, sizeof *recover);
    recover->node = node;
    TAILQ_INIT(&recover->storing);
    return recover;
}

void kz_recover_free(struct kz_recover *recover) { free(recover); }
bool kz_recover_working(const struct kz_recover *recover) { return recover->work != NULL; }
const struct kz_recover_order *kz_recover_order(const struct kz_recover *recover) { return &recover->order; }
void kz_recover_tick(struct kz_recover *recover) { kz_recover_trace(recover->node); }

/* A majority that was there a moment ago may be there again in a moment. */
static bool has_majority(const struct kz_node *node)
{
    uint64_t quiet_ms = KZ_RECOVER_QUIET_TIMEOUTS * (uint64_t)node->config->election_timeout_ms;
    return kz_node_has_quorum(node) || kz_node_without_leader_ms(node) < quiet_ms;
}

/* ---- approvals ---- */

struct approvals {
    Kz__Survivor *survivor;
    int64_t now_ms;
};

static bool take_approval(void *data, const char *key, const uint8_t *value, size_t size_bytes)
{
    struct approvals *approvals = data;
    Kz__Survivor *survivor = approvals->survivor;
    Kz__Approval *approval = kz__approval__unpack(NULL, size_bytes, value);
    (void)key;
    if (!approval) return true;
    if (approvals->now_ms - approval->time_ms > KZ_RECOVER_APPROVAL_MS) {
        kz__approval__free_unpacked(approval, NULL);
        return true;
    }
    survivor->approvals =
        kz_must_realloc(survivor->approvals, (survivor->n_approvals + 1) * sizeof *survivor->approvals);
    survivor->approvals[survivor->n_approvals++] = approval;
    return true;
}

static uint64_t put_approval(struct kz_node *node, const char *digest, const char *user)
{
    char key[KZ_KEY_MAX_BYTES];
    uint8_t packed[KZ_KEY_MAX_BYTES + 32];
    Kz__Approval approval = KZ__APPROVAL__INIT;
    approval.user = (char *)(uintptr_t)user; /* packed only */
    approval.time_ms = kz_node_wall_ms(node);
    kz_assert(kz__approval__get_packed_size(&approval) <= sizeof packed);
    size_t size_bytes = kz__approval__pack(&approval, packed);
    snprintf(key, sizeof key, APPROVAL_PREFIX "%s.%s", digest, user);
    return kz_replica_io_put_local(node, key, packed, size_bytes);
}

/* ---- what this node says ---- */

static void fill_members(const struct kz_node *node, Kz__Survivor *survivor)
{
    struct kz_member members[KZ_NODES_MAX];
    size_t count = kz_replica_members(node->replica, members, KZ_NODES_MAX);
    survivor->members = kz_must_alloc(count + 1, sizeof *survivor->members);
    for (size_t i = 0; i < count && i < KZ_NODES_MAX; i++) {
        Kz__SurvivorMember *member = kz_must_alloc(1, sizeof *member);
        kz__survivor_member__init(member);
        member->node_id = members[i].id;
        member->address = kz_must_strdup(members[i].address);
        member->voter = members[i].voter;
        survivor->members[survivor->n_members++] = member;
    }
}

static void fill_lineage(const struct kz_node *node, Kz__Survivor *survivor)
{
    const Kz__Fence *fence = kz_lineage_fence(node->lineage);
    const Kz__RecoverPoint *point = kz_lineage_point(node->lineage, node->epoch);
    if (fence) {
        survivor->fence = kz_must_alloc(1, sizeof *survivor->fence);
        kz__fence__init(survivor->fence);
        survivor->fence->epoch = fence->epoch;
        survivor->fence->node = kz_must_strdup(fence->node);
        survivor->fence->time_ms = fence->time_ms;
    }
    if (!point) return;
    Kz__RecoverPoint brief = *point; /* shares all pointers; packed only */
    brief.n_samples = 0;
    uint8_t *packed = kz_must_alloc(1, kz__recover_point__get_packed_size(&brief));
    size_t size_bytes = kz__recover_point__pack(&brief, packed);
    survivor->recovered = kz__recover_point__unpack(NULL, size_bytes, packed);
    free(packed);
}

static enum kz_code report(struct kz_recover *recover, bool with_tail, Kz__Survivor **out, struct kz_err *err)
{
    struct kz_node *node = recover->node;
    struct kz_view *view;
    char prefix[KZ_KEY_MAX_BYTES];
    Kz__Survivor *survivor = NULL;
    enum kz_code code = kz_view_open(node->store, &view, err);
    if (code != KZ_OK) return code;
    code = kz_recover_report(node->config, view, with_tail, &survivor, err);
    if (code == KZ_OK) {
        struct approvals approvals = {survivor, kz_node_wall_ms(node)};
        snprintf(prefix, sizeof prefix, APPROVAL_PREFIX "%s.", survivor->digest);
        code = kz_view_local_each(view, prefix, take_approval, &approvals, err);
    }
    kz_view_close(view);
    if (code != KZ_OK) {
        if (survivor) kz__survivor__free_unpacked(survivor, NULL);
        return code;
    }
    Kz__Meta meta;
    kz_node_fill_meta(node, KZ__READ_MODE__LOCAL, &meta);
    survivor->has_leader_contact_ms = meta.has_leader_contact_ms;
    survivor->leader_contact_ms = meta.leader_contact_ms;
    survivor->quorum = has_majority(node);
    survivor->has_leader_known = true;
    survivor->leader_known = kz_node_has_quorum(node);
    survivor->has_working = survivor->working = recover->work || recover->order.given;
    survivor->has_provisional = true;
    survivor->provisional = (uint32_t)kz_outbox_count(node->outbox);
    if (recover->failed.code) {
        survivor->has_failed = true;
        survivor->failed = recover->failed.code;
        survivor->failed_text = kz_must_strdup(recover->failed.text);
    }
    fill_members(node, survivor);
    fill_lineage(node, survivor);
    *out = survivor;
    return KZ_OK;
}

static void answer(struct kz_request *request, Kz__Survivor *survivor, const struct kz_recover_order *order)
{
    Kz__RecoverResult result = KZ__RECOVER_RESULT__INIT;
    Kz__Response response = KZ__RESPONSE__INIT;
    result.survivor = survivor;
    if (order) {
        result.archive = (char *)(uintptr_t)order->archive; /* packed only */
        result.has_epoch = true;
        result.epoch = survivor->epoch + 1;
    }
    response.recover = &result;
    kz_request_reply(request, &response);
}

/* ---- approving ---- */

static void forget_approval(struct kz_request *request)
{
    struct kz_recover *recover = request->room;
    TAILQ_REMOVE(&recover->storing, request, in_room);
    request->forget = NULL;
}

static void approve(struct kz_recover *recover, struct kz_request *request)
{
    const char *digest = request->message->recover->digest, *user = kz_request_actor(request);
    kz_log_warn("recover.approved", "plan=%s user=%s", digest, user);
    request->read_index = put_approval(recover->node, digest, user);
    request->room = recover;
    request->forget = forget_approval;
    TAILQ_INSERT_TAIL(&recover->storing, request, in_room);
}

static void answer_with_report(struct kz_recover *recover, struct kz_request *request, bool with_tail)
{
    struct kz_err err = {0};
    Kz__Survivor *survivor;
    if (report(recover, with_tail, &survivor, &err) != KZ_OK) {
        kz_log_error("recover.report", "error=\"%s\"", err.text);
        kz_request_fail(request, KZ_FAULT_READ_FAILED, NULL);
        return;
    }
    answer(request, survivor, NULL);
    kz__survivor__free_unpacked(survivor, NULL);
}

void kz_recover_durable(struct kz_recover *recover, uint64_t seq)
{
    struct kz_request *request = TAILQ_FIRST(&recover->storing);
    while (request && request->read_index <= seq) {
        forget_approval(request);
        answer_with_report(recover, request, false);
        request = TAILQ_FIRST(&recover->storing);
    }
}

/* ---- applying ---- */

static void write_archive(uv_work_t *uv)
{
    struct work *work = uv->data;
    const struct kz_node *node = work->recover->node;
    work->code = kz_store_archive(node->store, work->order.archive, (uint64_t)node->config->reserve_bytes, &work->err);
}

static void on_archived(uv_work_t *uv, int status)
{
    struct work *work = uv->data;
    struct kz_recover *recover = work->recover;
    recover->work = NULL;
    if (status != 0 && work->code == KZ_OK) work->code = kz_fail(&work->err, KZ_FAILED, "%s", uv_strerror(status));
    if (work->code != KZ_OK) {
        kz_log_error("recover.archive", "error=\"%s\"", work->err.text);
        recover->failed = work->err;
    } else if (!recover->node->stopping) {
        KZ_FAILPOINT("recover.archived");
        kz_log_warn("recover.archived", "name=%s plan=%s", work->order.archive, work->order.digest);
        recover->order = work->order;
        uv_stop(&recover->node->loop);
    }
    free(work);
}

static void name_archive(const struct kz_node *node, uint64_t epoch, struct kz_recover_order *order)
{
    time_t now = (time_t)(order->time_ms / 1000);
    struct tm utc;
    char text[32];
    (void)node;
    gmtime_r(&now, &utc);
    strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &utc);
    snprintf(order->archive, sizeof order->archive, "epoch-%llu-%s", (unsigned long long)epoch, text);
}

static bool add_approver(struct kz_recover_order *order, const char *user)
{
    for (size_t i = 0; i < order->approver_count; i++)
        if (strcmp(order->approvers[i], user) == 0) return false;
    if (order->approver_count == KZ_RECOVER_APPROVERS_MAX) return false;
    snprintf(order->approvers[order->approver_count++], sizeof order->approvers[0], "%s", user);
    return true;
}

/* Who asks is the one; the other one approved before. */
static bool collect_approvers(const struct kz_request *request, const Kz__Survivor *survivor,
                              struct kz_recover_order *order)
{
    (void)add_approver(order, kz_request_actor(request));
    for (size_t i = 0; i < survivor->n_approvals; i++)
        (void)add_approver(order, survivor->approvals[i]->user);
    const Kz__RecoverRequest *asked = request->message->recover;
    return order->approver_count == KZ_RECOVER_APPROVERS_MAX || (asked->has_alone && asked->alone);
}

static bool find_address(const Kz__Survivor *survivor, struct kz_recover_order *order)
{
    for (size_t i = 0; i < survivor->n_members; i++) {
        if (survivor->members[i]->node_id != survivor->node_id) continue;
        snprintf(order->address, sizeof order->address, "%s", survivor->members[i]->address);
        return true;
    }
    return false;
}

static void begin(struct kz_recover *recover, struct kz_request *request, Kz__Survivor *survivor)
{
    const Kz__RecoverRequest *asked = request->message->recover;
    struct kz_recover_order order = {.given = true, .older = asked->has_older && asked->older};
    snprintf(order.digest, sizeof order.digest, "%s", survivor->digest);
    order.time_ms = kz_node_wall_ms(recover->node);
    name_archive(recover->node, survivor->epoch, &order);
    if (!collect_approvers(request, survivor, &order)) {
        kz_request_fail(request, KZ_FAULT_RECOVER_SECOND, NULL);
        return;
    }
    bool alone = order.approver_count < KZ_RECOVER_APPROVERS_MAX;
    if (alone && (!asked->cluster || strcmp(asked->cluster, recover->node->config->cluster_id) != 0)) {
        kz_request_fail(request, KZ_FAULT_RECOVER_NAME, NULL);
        return;
    }
    if (!find_address(survivor, &order)) {
        kz_request_fail(request, KZ_FAULT_RECOVER_NO_MEMBER, NULL);
        return;
    }
    struct work *work = kz_must_alloc(1, sizeof *work);
    work->recover = recover;
    work->order = order;
    work->uv.data = work;
    recover->failed = (struct kz_err){0};
    kz_log_warn("recover.begins", "plan=%s user=%s alone=%d", order.digest, kz_request_actor(request), alone);
    kz_assert(uv_queue_work(&recover->node->loop, &work->uv, write_archive, on_archived) == 0);
    recover->work = work;
    answer(request, survivor, &order);
}

/* What speaks against it whoever asks; KZ_FAULT_RECOVER_NAME stands for nothing here. */
static bool find_obstacle(struct kz_recover *recover, const Kz__RecoverRequest *asked, const Kz__Survivor *survivor,
                          enum kz_fault *fault)
{
    if (kz_lineage_fenced(recover->node->lineage))
        *fault = KZ_FAULT_FENCED_NODE;
    else if (recover->work || recover->order.given)
        *fault = KZ_FAULT_RECOVER_BUSY;
    else if (has_majority(recover->node))
        *fault = KZ_FAULT_RECOVER_QUORUM;
    else if (!asked->digest || strcmp(asked->digest, survivor->digest) != 0)
        *fault = KZ_FAULT_RECOVER_PLAN;
    else
        return false;
    return true;
}

static void take_decision(struct kz_recover *recover, struct kz_request *request)
{
    const Kz__RecoverRequest *asked = request->message->recover;
    struct kz_err err = {0};
    Kz__Survivor *survivor;
    enum kz_fault fault;
    if (report(recover, false, &survivor, &err) != KZ_OK) {
        kz_log_error("recover.report", "error=\"%s\"", err.text);
        kz_request_fail(request, KZ_FAULT_READ_FAILED, NULL);
        return;
    }
    if (find_obstacle(recover, asked, survivor, &fault))
        kz_request_fail(request, fault, NULL);
    else if (asked->step == KZ__RECOVER_REQUEST__STEP__APPROVE)
        approve(recover, request);
    else
        begin(recover, request, survivor);
    kz__survivor__free_unpacked(survivor, NULL);
}

void kz_recover_submit(struct kz_recover *recover, struct kz_request *request)
{
    if (request->message->recover->step == KZ__RECOVER_REQUEST__STEP__PLAN)
        answer_with_report(recover, request, true);
    else
        take_decision(recover, request);
}
