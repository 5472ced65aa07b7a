/* SPDX-License-Identifier: Apache-2.0 */
#include "node/service/salvage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/base/log.h"
#include "node/service/conn.h"
#include "node/service/lineage.h"
#include "node/service/node_parts.h"
#include "node/service/replica_io.h"
#include "node/service/salvage_page.h"

#define MARK_KEY "salvage.last" /* stored behind an event that was handed in: durable together */
#define NO_PEER 0u

struct kz_salvage {
    struct kz_node *node;           /* borrowed */
    struct kz_request_list storing; /* events that become durable; read_index: the writer's seq */
};

struct kz_salvage *kz_salvage_new(struct kz_node *node)
{
    struct kz_salvage *salvage = kz_must_alloc(1, sizeof *salvage);
    salvage->node = node;
    TAILQ_INIT(&salvage->storing);
    return salvage;
}

void kz_salvage_free(struct kz_salvage *salvage) { free(salvage); }

/* ---- out ---- */

static enum kz_code fill_head(struct kz_node *node, struct kz_view *view, Kz__SalvageHead *head, struct kz_err *err)
{
    struct kz_hard_state hard;
    bool exact;
    enum kz_code code = kz_view_hard(view, &hard, err);
    if (code != KZ_OK) return code;
    head->cluster = node->config->cluster_id;
    head->node = node->config->name;
    head->epoch = node->epoch;
    head->fenced = kz_lineage_fenced(node->lineage);
    head->last_index = hard.last_index;
    head->time_ms = kz_node_wall_ms(node);
    const Kz__RecoverPoint *point = kz_lineage_point(node->lineage, node->epoch + 1);
    code = kz_lineage_common(view, point, &head->common_index, &exact, err);
    head->exact = exact;
    return code;
}

static bool take_cursor(const Kz__SalvageRequest *asked, struct kz_salvage_page *page)
{
    kz__salvage_cursor__init(&page->cursor);
    page->cursor.phase = KZ__SALVAGE_CURSOR__PHASE__HISTORY;
    if (!asked->has_cursor) return true;
    Kz__SalvageCursor *cursor = kz__salvage_cursor__unpack(NULL, asked->cursor.len, asked->cursor.data);
    if (!cursor) return false;
    page->cursor.phase = cursor->phase;
    page->cursor.position = cursor->position;
    page->cursor.ordinal = cursor->ordinal;
    page->cursor.kind = cursor->kind;
    if (cursor->after) snprintf(page->last_id, sizeof page->last_id, "%s", cursor->after);
    kz__salvage_cursor__free_unpacked(cursor, NULL);
    return true;
}

static void answer_page(struct kz_request *request, Kz__SalvageHead *head, struct kz_salvage_page *page)
{
    Kz__SalvageResult result = KZ__SALVAGE_RESULT__INIT;
    Kz__Response response = KZ__RESPONSE__INIT;
    uint8_t next[KZ_ID_MAX_BYTES + 64];
    result.head = head;
    result.items = page->items;
    result.n_items = page->count;
    if (!page->done) {
        kz_assert(kz__salvage_cursor__get_packed_size(&page->cursor) <= sizeof next);
        result.has_next = true;
        result.next = (ProtobufCBinaryData){kz__salvage_cursor__pack(&page->cursor, next), next};
    }
    response.salvage = &result;
    kz_request_reply(request, &response);
}

static void export_page(struct kz_node *node, struct kz_request *request)
{
    struct kz_salvage_page *page = kz_must_alloc(1, sizeof *page);
    Kz__SalvageHead head = KZ__SALVAGE_HEAD__INIT;
    struct kz_err err = {0};
    if (!kz_node_is_fenced(node)) {
        kz_request_fail(request, KZ_FAULT_SALVAGE_NOT_LEFT, NULL);
    } else if (!take_cursor(request->message->salvage, page)) {
        kz_request_fail(request, KZ_FAULT_MALFORMED, NULL);
    } else {
        page->outbox = node->outbox;
        enum kz_code code = kz_view_open(node->store, &page->view, &err);
        if (code == KZ_OK) {
            code = fill_head(node, page->view, &head, &err);
            page->common = head.common_index;
            if (code == KZ_OK) code = kz_salvage_page_fill(page, &err);
            kz_view_close(page->view);
        }
        if (code == KZ_OK) {
            answer_page(request, &head, page);
        } else {
            kz_log_error("salvage.read", "error=\"%s\"", err.text);
            kz_request_fail(request, KZ_FAULT_READ_FAILED, NULL);
        }
    }
    kz_salvage_page_fini(page);
    free(page);
}

/* ---- in ---- */

static void answer_event(struct kz_request *request, const Kz__Record *event, const Kz__Record *stored)
{
    Kz__Changed row = KZ__CHANGED__INIT, *rows = &row;
    Kz__Outcome outcome = KZ__OUTCOME__INIT;
    Kz__Response response = KZ__RESPONSE__INIT;
    row.kind = event->kind;
    row.id = event->id;
    row.rev = stored ? stored->rev : 0;
    row.has_unchanged = row.unchanged = stored != NULL;
    outcome.code = KZ_OK;
    outcome.changed = &rows;
    outcome.n_changed = 1;
    outcome.has_provisional = outcome.provisional = !stored;
    response.outcome = &outcome;
    kz_request_reply(request, &response);
}

/* It is as if a peer had offered it: the outbox looks whether it fits its identity, keeps it, and hands it on. */
static void hand_in(struct kz_node *node, const struct kz_request *request, Kz__Record *event)
{
    Kz__Mutation mutation = KZ__MUTATION__INIT, *mutations = &mutation;
    Kz__Command command = KZ__COMMAND__INIT;
    Kz__EventOffer offer = KZ__EVENT_OFFER__INIT;
    mutation.op = KZ__MUTATION__OP__APPEND;
    mutation.kind = event->kind;
    mutation.id = event->id;
    mutation.record = event;
    command.request_id = (ProtobufCBinaryData){KZ_REQUEST_ID_BYTES, event->origin_hash.data};
    command.actor = (char *)(uintptr_t)kz_request_actor(request); /* packed only */
    command.node = node->config->name;
    command.reason = request->message->salvage->reason;
    command.n_mutations = 1;
    command.mutations = &mutations;
    size_t size_bytes = kz__command__get_packed_size(&command);
    uint8_t *packed = kz_must_alloc(1, size_bytes);
    kz__command__pack(&command, packed);
    offer.has_command = true;
    offer.command = (ProtobufCBinaryData){size_bytes, packed};
    kz_outbox_heard(node->outbox, NO_PEER, &offer);
    free(packed);
}

static void forget_event(struct kz_request *request)
{
    struct kz_salvage *salvage = request->room;
    TAILQ_REMOVE(&salvage->storing, request, in_room);
    request->forget = NULL;
}

static void import_event(struct kz_salvage *salvage, struct kz_request *request, Kz__Record *event)
{
    struct kz_node *node = salvage->node;
    char id[KZ_ID_MAX_BYTES + 1] = "";
    bool whole = kz_kind_is_event(event->kind) && event->origin && event->has_origin_hash &&
                 event->origin_hash.len == KZ_HASH_BYTES && kz_event_id(event->origin, event->origin_seq, id) &&
                 strcmp(id, event->id) == 0;
    event->has_provisional = 0;
    if (whole) hand_in(node, request, event);
    if (!whole || !kz_outbox_knows(node->outbox, event->id)) {
        kz_request_fail(request, KZ_FAULT_SALVAGE_EVENT, NULL);
        return;
    }
    request->read_index = kz_replica_io_put_local(node, MARK_KEY, event->id, strlen(event->id));
    request->room = salvage;
    request->forget = forget_event;
    TAILQ_INSERT_TAIL(&salvage->storing, request, in_room);
}

void kz_salvage_durable(struct kz_salvage *salvage, uint64_t seq)
{
    struct kz_request *request = TAILQ_FIRST(&salvage->storing);
    while (request && request->read_index <= seq) {
        forget_event(request);
        answer_event(request, request->message->salvage->event, NULL);
        request = TAILQ_FIRST(&salvage->storing);
    }
}

/* What is in the state already is the same event, or another one under its name. */
static void compare_event(struct kz_salvage *salvage, struct kz_request *request, Kz__Record *event)
{
    struct kz_err err = {0};
    struct kz_view *view;
    Kz__Record *stored = NULL;
    enum kz_code code = kz_view_open(salvage->node->store, &view, &err);
    if (code == KZ_OK) {
        code = kz_view_get(view, event->kind, event->id, &stored, &err);
        kz_view_close(view);
    }
    if (code == KZ_NOT_FOUND) {
        import_event(salvage, request, event);
    } else if (code != KZ_OK) {
        kz_log_error("salvage.read", "error=\"%s\"", err.text);
        kz_request_fail(request, KZ_FAULT_READ_FAILED, NULL);
    } else if (kz_event_same(stored, event)) {
        answer_event(request, event, stored);
    } else {
        Kz__Outcome outcome = KZ__OUTCOME__INIT;
        outcome.current = stored;
        kz_request_fail(request, KZ_FAULT_CHANGED, &outcome);
    }
    if (stored) kz__record__free_unpacked(stored, NULL);
}

void kz_salvage_submit(struct kz_salvage *salvage, struct kz_request *request)
{
    Kz__Record *event = request->message->salvage->event;
    if (!event)
        export_page(salvage->node, request);
    else if (kz_node_is_fenced(salvage->node))
        kz_request_fail(request, KZ_FAULT_FENCED_NODE, NULL);
    else
        compare_event(salvage, request, event);
}
