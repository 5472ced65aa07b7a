/* SPDX-License-Identifier: Apache-2.0 */
#include "node/service/outbox.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/base/log.h"
#include "node/registry/event.h"
#include "node/service/conn.h"
#include "node/service/node_parts.h"
#include "node/service/replica_io.h"
#include "node/store/hash.h"

#define PREFIX "event."
#define LAST_SEQ_KEY "events.last"
#define ANSWER_WAIT_MS 2000u  /* as long as an `auto` read waits for the cluster */
#define OFFERS_PER_SECOND 64u /* to one peer */
#define INCARNATION_HEX_BYTES 4

struct held {
    Kz__Record *record; /* owned; `provisional` set */
    uint8_t *command;   /* owned, packed kz.Command */
    size_t command_bytes;
    uint8_t request_id[KZ_REQUEST_ID_BYTES];
    uint64_t note_seq; /* durable once the store thread has done this */
    bool durable;
    bool handed_in;
    bool refused;              /* the cluster would not have it: kept and shown, not handed in again */
    uint32_t offered_to;       /* peers that hold it, bit by place in the configuration */
    struct kz_request *client; /* borrowed; waits for an answer; NULL */
    uint64_t answer_by_ms;
    TAILQ_ENTRY(held) link;
};
TAILQ_HEAD(held_list, held);

struct kz_outbox {
    struct kz_node *node; /* borrowed */
    char origin[KZ_ORIGIN_MAX_BYTES + 1];
    uint64_t last_seq;
    int64_t last_noted_at;
    struct held_list all; /* by id; of one origin in order of its numbers */
    size_t count;
    size_t storing; /* of them not durable yet */
    bool checking;  /* the state moved since it was last compared */
};

/* ---- the table of what is held ---- */

static int compare(const Kz__Record *a, const Kz__Record *b)
{
    int order = strcmp(a->origin, b->origin);
    if (order) return order;
    return a->origin_seq < b->origin_seq ? -1 : a->origin_seq > b->origin_seq;
}

static struct held *find_event(const struct kz_outbox *outbox, const char *id)
{
    struct held *held;
    TAILQ_FOREACH(held, &outbox->all, link)
    if (strcmp(held->record->id, id) == 0) return held;
    return NULL;
}

static void insert(struct kz_outbox *outbox, struct held *held)
{
    struct held *after = TAILQ_LAST(&outbox->all, held_list);
    while (after && compare(after->record, held->record) > 0)
        after = TAILQ_PREV(after, held_list, link);
    if (after)
        TAILQ_INSERT_AFTER(&outbox->all, after, held, link);
    else
        TAILQ_INSERT_HEAD(&outbox->all, held, link);
    outbox->count++;
    outbox->storing += !held->durable;
}

static void free_held(struct kz_outbox *outbox, struct held *held)
{
    kz_assert(!held->client);
    TAILQ_REMOVE(&outbox->all, held, link);
    outbox->count--;
    outbox->storing -= !held->durable;
    kz__record__free_unpacked(held->record, NULL);
    free(held->command);
    free(held);
}

static void make_key(char *key, size_t size, const Kz__Record *event)
{
    /* Fixed width, so that the table's order is the origin's order. */
    snprintf(key, size, PREFIX "%s.%020" PRIu64, event->origin, event->origin_seq);
}

static void hash_event(const Kz__Record *event, uint8_t out[KZ_HASH_BYTES])
{
    struct kz_buf content;
    struct kz_hash hash;
    kz_buf_init(&content, 0);
    kz_event_content(event, &content);
    kz_hash_init(&hash);
    kz_hash_add(&hash, content.data, content.size_bytes);
    kz_hash_done(&hash, out);
    kz_buf_fini(&content);
}

static bool hash_fits(const Kz__Record *event)
{
    uint8_t hash[KZ_HASH_BYTES];
    hash_event(event, hash);
    return event->origin_hash.len == KZ_HASH_BYTES && memcmp(hash, event->origin_hash.data, KZ_HASH_BYTES) == 0;
}

/* Takes a packed command with one event. NULL: it is none. */
static struct held *make_held(const uint8_t *command_bytes, size_t size_bytes)
{
    Kz__Command *command = kz__command__unpack(NULL, size_bytes, command_bytes);
    struct held *held = NULL;
    bool sound = command && command->n_mutations == 1 && command->mutations[0]->op == KZ__MUTATION__OP__APPEND &&
                 command->mutations[0]->record && command->mutations[0]->record->origin &&
                 command->request_id.len == KZ_REQUEST_ID_BYTES;
    struct kz_violations violations = {0};
    if (sound) kz_service_check_command(command->reason, command->mutations, 1, &violations);
    if (sound && violations.count == 0 && hash_fits(command->mutations[0]->record)) {
        held = kz_must_alloc(1, sizeof *held);
        held->record = kz_record_dup(command->mutations[0]->record);
        kz_assert(held->record != NULL);
        held->record->has_provisional = held->record->provisional = true;
        held->command = kz_must_memdup(command_bytes, size_bytes);
        held->command_bytes = size_bytes;
        memcpy(held->request_id, command->request_id.data, KZ_REQUEST_ID_BYTES);
    }
    kz_violations_fini(&violations);
    if (command) kz__command__free_unpacked(command, NULL);
    return held;
}

static void note(struct kz_outbox *outbox, struct held *held)
{
    char key[KZ_KEY_MAX_BYTES];
    make_key(key, sizeof key, held->record);
    held->note_seq = kz_replica_io_put_local(outbox->node, key, held->command, held->command_bytes);
}

static void drop_note(struct kz_outbox *outbox, const struct held *held)
{
    char key[KZ_KEY_MAX_BYTES];
    make_key(key, sizeof key, held->record);
    (void)kz_replica_io_put_local(outbox->node, key, NULL, 0);
}

/* ---- birth ---- */

static bool take_note(void *data, const char *key, const uint8_t *value, size_t size_bytes)
{
    struct kz_outbox *outbox = data;
    struct held *held = make_held(value, size_bytes);
    if (!held) {
        kz_log_error("event.unreadable", "key=%s", key);
        return true;
    }
    held->durable = true;
    if (strcmp(held->record->origin, outbox->origin) == 0 && held->record->noted_at > outbox->last_noted_at)
        outbox->last_noted_at = held->record->noted_at;
    insert(outbox, held);
    return true;
}

static void name_origin(struct kz_outbox *outbox, const struct kz_hard_state *hard)
{
    const int name_bytes = KZ_ORIGIN_MAX_BYTES - INCARNATION_HEX_BYTES - 1;
    snprintf(outbox->origin, sizeof outbox->origin, "%.*s-%02x%02x", name_bytes, outbox->node->config->name,
             hard->incarnation[0], hard->incarnation[1]);
}

enum kz_code kz_outbox_open(struct kz_node *node, const struct kz_hard_state *hard, struct kz_err *err)
{
    struct kz_outbox *outbox = kz_must_alloc(1, sizeof *outbox);
    outbox->node = node;
    node->outbox = outbox;
    TAILQ_INIT(&outbox->all);
    name_origin(outbox, hard);
    struct kz_view *view;
    enum kz_code code = kz_view_open(node->store, &view, err);
    if (code != KZ_OK) return code;
    size_t size = sizeof outbox->last_seq;
    code = kz_view_local(view, LAST_SEQ_KEY, &outbox->last_seq, &size, err);
    if (code == KZ_NOT_FOUND) code = KZ_OK;
    if (code == KZ_OK) code = kz_view_local_each(view, PREFIX, take_note, outbox, err);
    kz_view_close(view);
    outbox->checking = true;
    return code;
}

void kz_outbox_free(struct kz_outbox *outbox)
{
    if (!outbox) return;
    while (!TAILQ_EMPTY(&outbox->all))
        free_held(outbox, TAILQ_FIRST(&outbox->all));
    free(outbox);
}

/* ---- answers ---- */

static void forget_client(struct kz_request *request)
{
    struct held *held = request->room;
    held->client = NULL;
    request->forget = NULL;
}

static void answer(struct held *held, const Kz__Outcome *confirmed)
{
    struct kz_request *request = held->client;
    if (!request) return;
    forget_client(request);
    Kz__Changed row = KZ__CHANGED__INIT, *rows = &row;
    Kz__Outcome outcome = KZ__OUTCOME__INIT;
    row.kind = held->record->kind;
    row.id = held->record->id;
    outcome.code = KZ_OK;
    outcome.changed = &rows;
    outcome.n_changed = 1;
    outcome.has_provisional = outcome.provisional = !confirmed;
    if (confirmed && confirmed->n_changed) row.rev = confirmed->changed[0]->rev;
    Kz__Response response = KZ__RESPONSE__INIT;
    response.outcome = &outcome;
    kz_request_reply(request, &response);
}

/* ---- to the cluster ---- */

static void hand_in(struct kz_outbox *outbox, struct held *held)
{
    if (!held->durable || held->handed_in || held->refused) return;
    Kz__Command *command = kz__command__unpack(NULL, held->command_bytes, held->command);
    if (!command) return; /* out of memory: the next tick tries again */
    held->handed_in = kz_writes_hold(outbox->node->writes, command);
    kz__command__free_unpacked(command, NULL);
}

/* The first of each origin; the next follows when that one is in the state. */
static void hand_in_first(struct kz_outbox *outbox)
{
    struct held *held;
    const char *origin = "";
    TAILQ_FOREACH(held, &outbox->all, link)
    {
        if (strcmp(held->record->origin, origin) == 0 || held->refused) continue;
        origin = held->record->origin;
        hand_in(outbox, held);
    }
}

void kz_outbox_durable(struct kz_outbox *outbox, uint64_t seq)
{
    struct held *held;
    bool news = false;
    if (outbox->storing == 0) return; /* nearly always: this is asked after every transaction */
    TAILQ_FOREACH(held, &outbox->all, link)
    {
        if (held->durable || held->note_seq > seq) continue;
        held->durable = news = true;
        outbox->storing--;
        if (kz_node_without_leader_ms(outbox->node) >= ANSWER_WAIT_MS) answer(held, NULL);
    }
    if (news) hand_in_first(outbox);
}

void kz_outbox_settled(struct kz_outbox *outbox, const uint8_t *request_id, Kz__Outcome *outcome)
{
    struct held *held;
    TAILQ_FOREACH(held, &outbox->all, link)
    {
        if (memcmp(held->request_id, request_id, KZ_REQUEST_ID_BYTES) != 0) continue;
        if (outcome->code == KZ_OK) {
            answer(held, outcome);
        } else {
            held->refused = true;
            kz_log_error("event.refused", "id=%s code=%s", held->record->id, kz_code_name((enum kz_code)outcome->code));
            answer(held, NULL);
        }
        outbox->checking = true;
        return;
    }
}

static bool in_state(struct kz_view *view, const struct held *held)
{
    struct kz_err err = {0};
    Kz__Record *record = NULL;
    enum kz_code code = kz_view_get(view, held->record->kind, held->record->id, &record, &err);
    if (code != KZ_OK && code != KZ_NOT_FOUND) kz_log_error("event.compare", "error=\"%s\"", err.text);
    bool same = code == KZ_OK && kz_event_same(record, held->record);
    if (record) kz__record__free_unpacked(record, NULL);
    return same;
}

void kz_outbox_applied(struct kz_outbox *outbox) { outbox->checking = outbox->count > 0; }

static void drop_confirmed(struct kz_outbox *outbox)
{
    struct kz_err err = {0};
    struct kz_view *view;
    if (!outbox->checking || kz_view_open(outbox->node->store, &view, &err) != KZ_OK) return;
    outbox->checking = false;
    struct held *held = TAILQ_FIRST(&outbox->all);
    while (held) {
        struct held *next = TAILQ_NEXT(held, link);
        if (held->durable && in_state(view, held)) {
            if (held->client) answer(held, NULL); /* confirmed by another way before its outcome came */
            drop_note(outbox, held);
            free_held(outbox, held);
        }
        held = next;
    }
    kz_view_close(view);
    hand_in_first(outbox);
}

void kz_outbox_tick(struct kz_outbox *outbox)
{
    uint64_t now_ms = kz_node_now_ms(outbox->node);
    struct held *held;
    TAILQ_FOREACH(held, &outbox->all, link)
    if (held->client && held->durable && now_ms >= held->answer_by_ms) answer(held, NULL);
    drop_confirmed(outbox);
}

/* ---- from a client ---- */

static enum kz_presence find_record(void *data, Kz__Kind kind, const char *id)
{
    struct kz_outbox *outbox = data;
    struct kz_view *view;
    struct kz_err err = {0};
    Kz__Record *record = NULL;
    enum kz_presence presence = KZ_ABSENT;
    if (kz_kind_is_event(kind) && find_event(outbox, id)) return KZ_LIVE;
    if (kz_view_open(outbox->node->store, &view, &err) != KZ_OK) return KZ_LIVE; /* not the reporter's fault */
    if (kz_view_get(view, kind, id, &record, &err) == KZ_OK) presence = record->has_retired_at ? KZ_RETIRED : KZ_LIVE;
    if (record) kz__record__free_unpacked(record, NULL);
    kz_view_close(view);
    return presence;
}

/* Everything a node adds to an event; texts are borrowed from the outbox and the request. */
static void stamp(struct kz_outbox *outbox, struct kz_request *request, Kz__Mutation *mutation,
                  char id[KZ_ID_MAX_BYTES + 1], uint8_t hash[KZ_HASH_BYTES])
{
    Kz__Record *event = mutation->record;
    int64_t now_ms = kz_node_wall_ms(outbox->node);
    kz_assert(kz_event_id(outbox->origin, outbox->last_seq + 1, id));
    if (now_ms < outbox->last_noted_at) now_ms = outbox->last_noted_at; /* one origin's order is its clock's too */
    mutation->id = event->id = id;
    event->kind = mutation->kind;
    event->origin = outbox->origin;
    event->has_origin_seq = event->has_noted_at = true;
    event->origin_seq = outbox->last_seq + 1;
    event->noted_at = now_ms;
    event->noted_by = (char *)(uintptr_t)kz_request_actor(request); /* packed only */
    event->has_provisional = false;
    hash_event(event, hash);
    event->has_origin_hash = true;
    event->origin_hash = (ProtobufCBinaryData){KZ_HASH_BYTES, hash};
}

static void hold(struct kz_outbox *outbox, struct kz_request *request, const Kz__Command *command)
{
    size_t size_bytes = kz__command__get_packed_size(command);
    uint8_t *packed = kz_must_alloc(1, size_bytes);
    kz__command__pack(command, packed);
    struct held *held = make_held(packed, size_bytes);
    free(packed);
    kz_assert(held != NULL); /* it was checked a moment ago */
    outbox->last_seq = held->record->origin_seq;
    outbox->last_noted_at = held->record->noted_at;
    (void)kz_replica_io_put_local(outbox->node, LAST_SEQ_KEY, &outbox->last_seq, sizeof outbox->last_seq);
    note(outbox, held);
    insert(outbox, held);
    held->client = request;
    held->answer_by_ms = kz_node_now_ms(outbox->node) + ANSWER_WAIT_MS;
    if (held->answer_by_ms > request->deadline_ms) held->answer_by_ms = request->deadline_ms;
    request->room = held;
    request->forget = forget_client;
}

void kz_outbox_submit(struct kz_outbox *outbox, struct kz_request *request)
{
    Kz__WriteRequest *write = request->message->write;
    Kz__Mutation *mutation = write->mutations[0];
    char id[KZ_ID_MAX_BYTES + 1];
    uint8_t hash[KZ_HASH_BYTES];
    if (write->n_mutations != 1) {
        kz_request_fail(request, KZ_FAULT_ONE_EVENT, NULL);
        return;
    }
    if (outbox->count >= KZ_OUTBOX_EVENTS_MAX || kz_writer_low_space(outbox->node->writer)) {
        kz_request_fail(request, KZ_FAULT_LOW_SPACE, NULL);
        return;
    }
    if (!kz_kind_by_number(mutation->kind) || !mutation->record) {
        kz_request_fail(request, KZ_FAULT_BAD_KIND, NULL);
        return;
    }
    struct kz_violations violations = {0};
    const struct kz_resolver resolver = {outbox, find_record};
    stamp(outbox, request, mutation, id, hash);
    kz_service_check_command(write->reason, write->mutations, 1, &violations);
    if (violations.count == 0) kz_record_check_references(mutation->record, &resolver, &violations);
    if (kz_request_refuse(request, &violations)) return;

    Kz__Command command = KZ__COMMAND__INIT;
    /* The content is the identity: whoever hands the event in, it is the same request. */
    command.request_id = (ProtobufCBinaryData){KZ_REQUEST_ID_BYTES, hash};
    command.actor = (char *)(uintptr_t)kz_request_actor(request); /* packed only */
    command.node = outbox->node->config->name;
    command.reason = write->reason;
    command.n_mutations = 1;
    command.mutations = write->mutations;
    hold(outbox, request, &command);
}

/* ---- between nodes ---- */

static uint32_t peer_bit(const struct kz_outbox *outbox, uint64_t peer_id)
{
    for (size_t i = 0; i < outbox->node->config->member_count; i++)
        if ((uint64_t)outbox->node->config->members[i].id == peer_id) return 1u << i;
    return 0;
}

static void acknowledge(struct kz_outbox *outbox, uint64_t peer_id, const char *id)
{
    Kz__EventOffer body = KZ__EVENT_OFFER__INIT;
    Kz__PeerMessage message = KZ__PEER_MESSAGE__INIT;
    body.taken = (char *)(uintptr_t)id; /* packed only */
    message.event_offer = &body;
    (void)kz_node_send(outbox->node, peer_id, &message); /* lost: offered again */
}

static void take_offer(struct kz_outbox *outbox, uint64_t peer_id, const Kz__EventOffer *offer)
{
    struct held *offered = make_held(offer->command.data, offer->command.len);
    struct kz_err err = {0};
    struct kz_view *view;
    if (!offered) return;
    struct held *known = find_event(outbox, offered->record->id);
    bool settled = known && known->durable;
    if (!known && kz_view_open(outbox->node->store, &view, &err) == KZ_OK) {
        settled = in_state(view, offered);
        kz_view_close(view);
    }
    if (settled) {
        acknowledge(outbox, peer_id, offered->record->id);
    } else if (!known && outbox->count < KZ_OUTBOX_EVENTS_MAX) {
        note(outbox, offered); /* acknowledged when it is offered again and durable here */
        insert(outbox, offered);
        return;
    }
    kz__record__free_unpacked(offered->record, NULL);
    free(offered->command);
    free(offered);
}

void kz_outbox_heard(struct kz_outbox *outbox, uint64_t peer_id, const Kz__EventOffer *offer)
{
    if (offer->has_command) take_offer(outbox, peer_id, offer);
    struct held *held = offer->taken ? find_event(outbox, offer->taken) : NULL;
    if (held) held->offered_to |= peer_bit(outbox, peer_id);
}

static void offer_to(struct kz_outbox *outbox, uint64_t peer_id)
{
    uint32_t bit = peer_bit(outbox, peer_id);
    unsigned offers = 0;
    struct held *held;
    TAILQ_FOREACH(held, &outbox->all, link)
    {
        if (!held->durable || (held->offered_to & bit)) continue;
        Kz__EventOffer body = KZ__EVENT_OFFER__INIT;
        Kz__PeerMessage message = KZ__PEER_MESSAGE__INIT;
        body.has_command = true;
        body.command = (ProtobufCBinaryData){held->command_bytes, held->command};
        message.event_offer = &body;
        if (kz_node_send(outbox->node, peer_id, &message) != KZ_OK || ++offers == OFFERS_PER_SECOND) return;
    }
}

void kz_outbox_offer(struct kz_outbox *outbox)
{
    if (outbox->count == 0) return;
    for (size_t i = 0; i < outbox->node->config->member_count; i++) {
        uint64_t peer_id = (uint64_t)outbox->node->config->members[i].id;
        if (peer_id != outbox->node->id) offer_to(outbox, peer_id);
    }
}

/* ---- for readers ---- */

const Kz__Record *kz_outbox_next(const struct kz_outbox *outbox, Kz__Kind kind, const char *after)
{
    const Kz__Record *best = NULL;
    const struct held *held;
    TAILQ_FOREACH(held, &outbox->all, link)
    {
        const Kz__Record *record = held->record;
        if (!held->durable || record->kind != kind || (after && strcmp(record->id, after) <= 0)) continue;
        if (!best || strcmp(record->id, best->id) < 0) best = record;
    }
    return best;
}

const Kz__Record *kz_outbox_get(const struct kz_outbox *outbox, Kz__Kind kind, const char *id)
{
    const struct held *held = find_event(outbox, id);
    return held && held->durable && held->record->kind == kind ? held->record : NULL;
}

size_t kz_outbox_count(const struct kz_outbox *outbox) { return outbox->count; }
