/* SPDX-License-Identifier: Apache-2.0 */
#include "node/service/dispatch.h"

#include <string.h>

#include "node/base/log.h"
#include "node/service/change.h"
#include "node/service/conn.h"
#include "node/service/members.h"
#include "node/service/node.h"
#include "node/service/lineage.h"
#include "node/service/node_parts.h"
#include "node/service/recover.h"
#include "node/service/salvage.h"

#define ROLE(role) (1u << KZ_ROLE_##role)
#define EVERYBODY (ROLE(READER) | ROLE(REPORTER) | ROLE(OPERATOR) | ROLE(APPROVER) | ROLE(AUDITOR) | ROLE(BACKUP))

struct operation {
    const char *name;
    size_t offset;  /* of its message pointer in Kz__Request */
    unsigned roles; /* who may ask */
    void (*take)(struct kz_request *request);
    bool (*fits)(const Kz__Request *message); /* NULL: always */
};

/* Events may be added by those who may change nothing else. */
static bool adds_events(const Kz__Request *message)
{
    for (size_t i = 0; i < message->write->n_mutations; i++)
        if (message->write->mutations[i]->op != KZ__MUTATION__OP__APPEND) return false;
    return message->write->n_mutations > 0;
}

/* Whoever takes backups notes what came of them, and changes nothing else. */
static bool notes_backups(const Kz__Request *message)
{
    for (size_t i = 0; i < message->write->n_mutations; i++)
        if (message->write->mutations[i]->op != KZ__MUTATION__OP__PUT ||
            message->write->mutations[i]->kind != KZ__KIND__BACKUP)
            return false;
    return message->write->n_mutations > 0;
}

/* Approving is nobody's but the approver's, who changes nothing else with it; taking it back is the operator's too. */
static bool moves_runbook(const Kz__Mutation *mutation, Kz__Runbook__State to)
{
    return mutation->op == KZ__MUTATION__OP__MOVE && mutation->kind == KZ__KIND__RUNBOOK && mutation->has_to_state &&
           mutation->to_state == to;
}

static size_t count_moves(const Kz__Request *message, Kz__Runbook__State to)
{
    size_t count = 0;
    for (size_t i = 0; i < message->write->n_mutations; i++)
        count += moves_runbook(message->write->mutations[i], to);
    return count;
}

static bool approves(const Kz__Request *message)
{
    size_t count = count_moves(message, KZ__RUNBOOK__STATE__APPROVED);
    return count > 0 && count == message->write->n_mutations;
}

static bool approves_among_others(const Kz__Request *message)
{
    return count_moves(message, KZ__RUNBOOK__STATE__APPROVED) > 0;
}

static bool rejects(const Kz__Request *message)
{
    size_t count = count_moves(message, KZ__RUNBOOK__STATE__DRAFT);
    return count > 0 && count == message->write->n_mutations;
}

static void take_event(struct kz_request *request) { kz_outbox_io_submit(request->node, request); }
static void take_write(struct kz_request *request) { kz_writes_submit(request->node->writes, request); }
static void take_read(struct kz_request *request) { kz_reads_submit(request->node->reads, request); }
static void take_watch(struct kz_request *request) { kz_watches_submit(request->node->watches, request); }
static void take_cluster(struct kz_request *request) { kz_changes_submit(request->node->changes, request); }
static void take_snapshot(struct kz_request *request) { kz_snapshots_submit(request->node->snapshots, request); }
static void take_status(struct kz_request *request) { kz_status_answer(request); }
static void take_recover(struct kz_request *request) { kz_recover_submit(request->node->recover, request); }

static void take_salvage(struct kz_request *request) { kz_salvage_submit(request->node->salvage, request); }

static bool brings_event(const Kz__Request *message) { return message->salvage->event != NULL; }
static bool asks_for_plan(const Kz__Request *message)
{
    return message->recover->step == KZ__RECOVER_REQUEST__STEP__PLAN;
}

#define AT(field) offsetof(Kz__Request, field)
static const struct operation operations[] = {
    {"event", AT(write), ROLE(OPERATOR) | ROLE(REPORTER), take_event, adds_events},
    {"backup", AT(write), ROLE(OPERATOR) | ROLE(BACKUP), take_write, notes_backups},
    {"approve", AT(write), ROLE(APPROVER), take_write, approves},
    {"approve among others", AT(write), 0, take_write, approves_among_others}, /* nobody's */
    {"reject", AT(write), ROLE(OPERATOR) | ROLE(APPROVER), take_write, rejects},
    {"write", AT(write), ROLE(OPERATOR), take_write, NULL},
    {"get", AT(get), EVERYBODY, take_read, NULL},
    {"list", AT(list), EVERYBODY, take_read, NULL},
    {"history", AT(history), ROLE(READER) | ROLE(OPERATOR) | ROLE(APPROVER) | ROLE(AUDITOR), take_read, NULL},
    {"search", AT(search), EVERYBODY, take_read, NULL},
    {"watch", AT(watch), EVERYBODY, take_watch, NULL},
    {"status", AT(status), EVERYBODY, take_status, NULL},
    {"outcome", AT(outcome), ROLE(OPERATOR) | ROLE(APPROVER) | ROLE(AUDITOR) | ROLE(BACKUP), take_read, NULL},
    {"recover plan", AT(recover), ROLE(OPERATOR) | ROLE(APPROVER) | ROLE(AUDITOR), take_recover, asks_for_plan},
    {"recover", AT(recover), ROLE(APPROVER), take_recover, NULL},
    {"cluster", AT(cluster), ROLE(OPERATOR), take_cluster, NULL},
    {"salvage event", AT(salvage), ROLE(OPERATOR), take_salvage, brings_event},
    {"salvage", AT(salvage), ROLE(OPERATOR) | ROLE(APPROVER) | ROLE(AUDITOR), take_salvage, NULL},
    {"blob", AT(blob), EVERYBODY, take_read, NULL},
    {"snapshot", AT(snapshot), ROLE(OPERATOR) | ROLE(BACKUP), take_snapshot, NULL},
};
#undef AT

static const struct operation *find_operation(const Kz__Request *message)
{
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        const void *body;
        memcpy(&body, (const char *)message + operations[i].offset, sizeof body);
        if (body && (!operations[i].fits || operations[i].fits(message))) return &operations[i];
    }
    return NULL;
}

/* Who knows a later epoch than this node's copy belongs to must not take it for the registry,
 * What speaks of the node itself is always answered. */
static bool is_left_behind(const struct kz_request *request)
{
    const Kz__Request *message = request->message;
    const struct kz_node *node = request->node;
    if (message->status || message->recover || message->salvage) return false;
    if (message->has_epoch && message->epoch > node->epoch) return true; /* who wants this very copy names none */
    return kz_node_is_fenced(node) && message->write;
}

/* Nobody takes from it what it would take, and what it holds is old: who does not ask for this very copy is sent on. */
static bool is_removed(const struct kz_request *request)
{
    const Kz__Request *message = request->message;
    if (message->status || message->recover || message->salvage) return false;
    bool own_copy = message->mode == KZ__READ_MODE__LOCAL && !message->write && !message->cluster;
    return !own_copy && kz_members_removed_us(request->node);
}

static bool kinds_known(const Kz__Request *message)
{
    if (message->get) return kz_kind_by_number(message->get->kind) != NULL;
    if (message->list) return kz_kind_by_number(message->list->kind) != NULL;
    if (message->history) return kz_kind_by_number(message->history->kind) != NULL;
    if (message->search && message->search->has_kind) return kz_kind_by_number(message->search->kind) != NULL;
    if (message->watch && message->watch->has_kind) return kz_kind_by_number(message->watch->kind) != NULL;
    return true;
}

void kz_dispatch(struct kz_request *request)
{
    const struct operation *operation = find_operation(request->message);
    if (!operation) {
        kz_request_fail(request, KZ_FAULT_NO_OPERATION, NULL);
        return;
    }
    const struct kz_identity *identity = kz_conn_identity(request->conn);
    if (!((1u << identity->role) & operation->roles)) {
        kz_log_warn("request.denied", "operation=%s user=%s role=%s", operation->name, identity->name,
                    kz_role_text(identity->role));
        kz_request_fail(request, KZ_FAULT_ROLE, NULL);
        return;
    }
    if (!kinds_known(request->message)) {
        kz_request_fail(request, KZ_FAULT_BAD_KIND, NULL);
        return;
    }
    if (is_left_behind(request)) {
        kz_request_fail(request, KZ_FAULT_FENCED_NODE, NULL);
        return;
    }
    if (is_removed(request)) {
        kz_request_fail(request, KZ_FAULT_REMOVED, NULL);
        return;
    }
    operation->take(request);
}
