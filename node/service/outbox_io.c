/* SPDX-License-Identifier: Apache-2.0 */
#include "node/service/outbox_io.h"

#include "node/base/log.h"
#include "node/registry/runbook_run.h"
#include "node/service/members.h"
#include "node/service/node_parts.h"
#include "node/service/replica_io.h"

/* ---- the outbox's io ---- */

static uint64_t now_ms(void *data) { return kz_node_now_ms(data); }
static int64_t wall_ms(void *data) { return kz_node_wall_ms(data); }

static bool alone(void *data) { return kz_node_without_leader_ms(data) >= KZ_OUTBOX_ANSWER_WAIT_MS; }

static uint64_t put_local(void *data, const char *key, const void *value, size_t size_bytes)
{
    return kz_replica_io_put_local(data, key, value, size_bytes);
}

static bool hold(void *data, const Kz__Command *command)
{
    struct kz_node *node = data;
    return kz_writes_hold(node->writes, command);
}

static bool send_message(void *data, uint64_t peer_id, const Kz__PeerMessage *message)
{
    return kz_node_send(data, peer_id, message) == KZ_OK;
}

static size_t list_peers(void *data, uint64_t *ids, size_t room)
{
    const struct kz_node *node = data;
    size_t count = 0;
    size_t member_count;
    const struct kz_cluster_member *members = kz_members_list(node, &member_count);
    for (size_t i = 0; i < member_count && count < room; i++)
        if (members[i].id != node->id) ids[count++] = members[i].id;
    return count;
}

static void *look(void *data)
{
    struct kz_node *node = data;
    struct kz_view *view;
    struct kz_err err = {0};
    return kz_view_open(node->store, &view, &err) == KZ_OK ? view : NULL;
}

static bool in_state(void *view, const Kz__Record *event)
{
    struct kz_err err = {0};
    Kz__Record *record = NULL;
    enum kz_code code = kz_view_get(view, event->kind, event->id, &record, &err);
    if (code != KZ_OK && code != KZ_NOT_FOUND) kz_log_error("event.compare", "error=\"%s\"", err.text);
    bool same = code == KZ_OK && kz_event_same(record, event);
    if (record) kz__record__free_unpacked(record, NULL);
    return same;
}

static void look_end(void *view) { kz_view_close(view); }

static void answer(void *data, void *client, const Kz__Record *event, const Kz__Outcome *confirmed)
{
    struct kz_request *request = client;
    Kz__Changed row = KZ__CHANGED__INIT, *rows = &row;
    Kz__Outcome outcome = KZ__OUTCOME__INIT;
    (void)data;
    request->forget = NULL;
    row.kind = event->kind;
    row.id = event->id;
    outcome.code = KZ_OK;
    outcome.changed = &rows;
    outcome.n_changed = 1;
    outcome.has_provisional = outcome.provisional = !confirmed;
    if (confirmed && confirmed->n_changed) row.rev = confirmed->changed[0]->rev;
    Kz__Response response = KZ__RESPONSE__INIT;
    response.outcome = &outcome;
    kz_request_reply(request, &response);
}

enum kz_code kz_outbox_io_open(struct kz_node *node, const struct kz_hard_state *hard, struct kz_err *err)
{
    struct kz_view *view;
    node->outbox_io = (struct kz_outbox_io){
        .data = node,
        .now_ms = now_ms,
        .wall_ms = wall_ms,
        .alone = alone,
        .put_local = put_local,
        .hold = hold,
        .send = send_message,
        .peers = list_peers,
        .look = look,
        .in_state = in_state,
        .look_end = look_end,
        .answer = answer,
    };
    node->outbox = kz_outbox_new(&node->outbox_io, node->config->name, hard->incarnation);
    enum kz_code code = kz_view_open(node->store, &view, err);
    if (code != KZ_OK) return code;
    code = kz_view_local_each(view, KZ_OUTBOX_NOTES, kz_outbox_restore, node->outbox, err);
    kz_view_close(view);
    return code;
}

/* ---- from a client ---- */

static void forget_client(struct kz_request *request)
{
    kz_outbox_forget(request->room);
    request->forget = NULL;
}

static enum kz_presence find_record(void *data, Kz__Kind kind, const char *id)
{
    struct kz_node *node = data;
    struct kz_view *view;
    struct kz_err err = {0};
    Kz__Record *record = NULL;
    enum kz_presence presence = KZ_ABSENT;
    if (kz_kind_is_event(kind) && kz_outbox_knows(node->outbox, id)) return KZ_LIVE;
    if (kz_view_open(node->store, &view, &err) != KZ_OK) return KZ_LIVE; /* not the reporter's fault */
    if (kz_view_get(view, kind, id, &record, &err) == KZ_OK) presence = record->has_retired_at ? KZ_RETIRED : KZ_LIVE;
    if (record) kz__record__free_unpacked(record, NULL);
    kz_view_close(view);
    return presence;
}

/* By the text that is carried out. A copy that does not have it yet judges nothing: events must not be lost. */
static void check_tick(struct kz_node *node, const Kz__Record *record, struct kz_violations *violations)
{
    struct kz_view *view;
    struct kz_err err = {0};
    Kz__Record *runbook = NULL;
    uint64_t rev = record->tick && record->tick->has_revision ? (uint64_t)record->tick->revision : 0;
    if (!record->tick || !record->tick->runbook || kz_view_open(node->store, &view, &err) != KZ_OK) return;
    enum kz_code code = rev ? kz_view_get_as_of(view, KZ__KIND__RUNBOOK, record->tick->runbook, rev, &runbook, &err)
                            : kz_view_get(view, KZ__KIND__RUNBOOK, record->tick->runbook, &runbook, &err);
    if (code == KZ_OK) {
        kz_run_check_tick(record, runbook, violations);
        kz__record__free_unpacked(runbook, NULL);
    }
    kz_view_close(view);
}

static bool refuse(struct kz_node *node, struct kz_request *request)
{
    const Kz__WriteRequest *write = request->message->write;
    enum kz_fault fault = KZ_FAULT_ONE_EVENT;
    if (write->n_mutations != 1)
        fault = KZ_FAULT_ONE_EVENT;
    else if (kz_outbox_count(node->outbox) >= KZ_OUTBOX_EVENTS_MAX || kz_writer_low_space(node->writer))
        fault = KZ_FAULT_LOW_SPACE;
    else if (!kz_kind_by_number(write->mutations[0]->kind) || !write->mutations[0]->record)
        fault = KZ_FAULT_BAD_KIND;
    else
        return false;
    kz_request_fail(request, fault, NULL);
    return true;
}

void kz_outbox_io_submit(struct kz_node *node, struct kz_request *request)
{
    Kz__WriteRequest *write = request->message->write;
    struct kz_violations violations = {0};
    const struct kz_resolver resolver = {node, find_record};
    struct kz_outbox_stamp stamp;
    if (refuse(node, request)) return;
    const struct kz_outbox_order order = {.mutation = write->mutations[0],
                                          .reason = write->reason,
                                          .actor = kz_request_actor(request),
                                          .node = node->config->name,
                                          .client = request,
                                          .deadline_ms = request->deadline_ms};
    kz_outbox_stamp(node->outbox, &order, &stamp);
    kz_service_check_command(write->reason, write->mutations, 1, &violations);
    if (violations.count == 0) kz_record_check_references(order.mutation->record, &resolver, &violations);
    if (violations.count == 0) check_tick(node, order.mutation->record, &violations);
    if (kz_request_refuse(request, &violations)) return;
    request->room = kz_outbox_take(node->outbox, &order, &stamp);
    request->forget = forget_client;
}

/* ---- from this node ---- */

bool kz_outbox_io_record(struct kz_node *node, const char *actor, const char *reason, Kz__Record *record)
{
    struct kz_violations violations = {0};
    struct kz_outbox_stamp stamp;
    Kz__Record stamped = *record; /* shares its texts, which the caller frees */
    Kz__Mutation mutation = KZ__MUTATION__INIT, *mutations = &mutation;
    mutation.op = KZ__MUTATION__OP__APPEND;
    mutation.kind = record->kind;
    mutation.record = &stamped;
    const struct kz_outbox_order order = {
        .mutation = &mutation, .reason = reason, .actor = actor, .node = node->config->name};
    kz_outbox_stamp(node->outbox, &order, &stamp);
    kz_service_check_command(reason, &mutations, 1, &violations);
    for (size_t i = 0; i < violations.count; i++)
        kz_log_error("event.own", "path=%s error=\"%s\"", violations.items[i]->path, violations.items[i]->en);
    bool sound = violations.count == 0;
    kz_violations_fini(&violations);
    if (sound) (void)kz_outbox_take(node->outbox, &order, &stamp); /* nobody waits */
    return sound;
}
