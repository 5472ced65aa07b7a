/* SPDX-License-Identifier: Apache-2.0 */
#include "node/service/outbox.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "node/base/assert.h"
#include "node/base/log.h"
#include "node/service/mutation.h"
#include "node/store/hash.h"

#define PREFIX KZ_OUTBOX_NOTES "."
#define LAST_SEQ_KEY KZ_OUTBOX_NOTES "s.last"
#define OFFERS_PER_SECOND 64u /* to one peer */
#define INCARNATION_HEX_BYTES 4

static_assert(KZ_OUTBOX_PEERS_MAX <= 32, "a peer is a bit of offered_to");

struct held {
    Kz__Record *record; /* owned; `provisional` set */
    uint8_t *command;   /* owned, packed kz.Command */
    size_t command_bytes;
    uint8_t request_id[KZ_REQUEST_ID_BYTES];
    uint64_t note_seq; /* durable once the store thread has done this */
    bool durable;
    bool handed_in;
    bool refused;        /* the cluster would not have it: kept and shown, not handed in again */
    uint32_t offered_to; /* peers that hold it, bit by place in peer_ids */
    void *client;        /* borrowed; waits for an answer; NULL */
    uint64_t answer_by_ms;
    TAILQ_ENTRY(held) link;
};
TAILQ_HEAD(held_list, held);

struct kz_outbox {
    const struct kz_outbox_io *io;          /* borrowed */
    uint64_t peer_ids[KZ_OUTBOX_PEERS_MAX]; /* in the order they were met */
    size_t peer_count;
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
    held->note_seq = outbox->io->put_local(outbox->io->data, key, held->command, held->command_bytes);
}

static void drop_note(struct kz_outbox *outbox, const struct held *held)
{
    char key[KZ_KEY_MAX_BYTES];
    make_key(key, sizeof key, held->record);
    (void)outbox->io->put_local(outbox->io->data, key, NULL, 0);
}

/* ---- birth ---- */

bool kz_outbox_restore(void *data, const char *key, const uint8_t *value, size_t size_bytes)
{
    struct kz_outbox *outbox = data;
    if (strcmp(key, LAST_SEQ_KEY) == 0 && size_bytes == sizeof outbox->last_seq) {
        memcpy(&outbox->last_seq, value, sizeof outbox->last_seq);
        return true;
    }
    struct held *held = strncmp(key, PREFIX, strlen(PREFIX)) == 0 ? make_held(value, size_bytes) : NULL;
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

static void name_origin(struct kz_outbox *outbox, const char *name, const uint8_t *incarnation)
{
    const int name_bytes = KZ_ORIGIN_MAX_BYTES - INCARNATION_HEX_BYTES - 1;
    snprintf(outbox->origin, sizeof outbox->origin, "%.*s-%02x%02x", name_bytes, name, incarnation[0], incarnation[1]);
}

struct kz_outbox *kz_outbox_new(const struct kz_outbox_io *io, const char *name,
                                const uint8_t incarnation[KZ_INCARNATION_BYTES])
{
    struct kz_outbox *outbox = kz_must_alloc(1, sizeof *outbox);
    outbox->io = io;
    outbox->checking = true;
    TAILQ_INIT(&outbox->all);
    name_origin(outbox, name, incarnation);
    return outbox;
}

void kz_outbox_free(struct kz_outbox *outbox)
{
    if (!outbox) return;
    while (!TAILQ_EMPTY(&outbox->all))
        free_held(outbox, TAILQ_FIRST(&outbox->all));
    free(outbox);
}

/* ---- answers ---- */

void kz_outbox_forget(void *handle) { ((struct held *)handle)->client = NULL; }

static void answer(struct kz_outbox *outbox, struct held *held, const Kz__Outcome *confirmed)
{
    void *client = held->client;
    if (!client) return;
    held->client = NULL;
    outbox->io->answer(outbox->io->data, client, held->record, confirmed);
}

/* ---- to the cluster ---- */

static void hand_in(struct kz_outbox *outbox, struct held *held)
{
    if (!held->durable || held->handed_in || held->refused) return;
    Kz__Command *command = kz__command__unpack(NULL, held->command_bytes, held->command);
    if (!command) return; /* out of memory: the next tick tries again */
    held->handed_in = outbox->io->hold(outbox->io->data, command);
    kz__command__free_unpacked(command, NULL);
}

/* The first of each origin; the next follows when that one is in the state. */
static void hand_in_first(struct kz_outbox *outbox)
{
    struct held *held;
    const char *origin = "";
    TAILQ_FOREACH(held, &outbox->all, link)
    {
        bool later = strcmp(held->record->origin, origin) == 0 && !outbox->io->all_at_once;
        if (later || held->refused) continue;
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
        if (outbox->io->alone(outbox->io->data)) answer(outbox, held, NULL);
    }
    if (news) hand_in_first(outbox);
}

void kz_outbox_settled(struct kz_outbox *outbox, const uint8_t *request_id, const Kz__Outcome *outcome)
{
    struct held *held;
    TAILQ_FOREACH(held, &outbox->all, link)
    {
        if (memcmp(held->request_id, request_id, KZ_REQUEST_ID_BYTES) != 0) continue;
        if (outcome->code == KZ_OK) {
            answer(outbox, held, outcome);
        } else {
            held->refused = true;
            kz_log_error("event.refused", "id=%s code=%s", held->record->id, kz_code_name((enum kz_code)outcome->code));
            answer(outbox, held, NULL);
        }
        outbox->checking = true;
        return;
    }
}

void kz_outbox_applied(struct kz_outbox *outbox) { outbox->checking = outbox->count > 0; }

static void drop_confirmed(struct kz_outbox *outbox)
{
    void *look = outbox->checking ? outbox->io->look(outbox->io->data) : NULL;
    if (!look) return;
    outbox->checking = false;
    struct held *held = TAILQ_FIRST(&outbox->all);
    while (held) {
        struct held *next = TAILQ_NEXT(held, link);
        if (held->durable && outbox->io->in_state(look, held->record)) {
            answer(outbox, held, NULL); /* confirmed by another way before its outcome came */
            drop_note(outbox, held);
            free_held(outbox, held);
        }
        held = next;
    }
    outbox->io->look_end(look);
    hand_in_first(outbox);
}

void kz_outbox_tick(struct kz_outbox *outbox)
{
    uint64_t now_ms = outbox->io->now_ms(outbox->io->data);
    struct held *held;
    TAILQ_FOREACH(held, &outbox->all, link)
    if (held->client && held->durable && now_ms >= held->answer_by_ms) answer(outbox, held, NULL);
    drop_confirmed(outbox);
}

/* ---- from a client ---- */

void kz_outbox_stamp(struct kz_outbox *outbox, const struct kz_outbox_order *order, struct kz_outbox_stamp *stamp)
{
    Kz__Mutation *mutation = order->mutation;
    Kz__Record *event = mutation->record;
    int64_t now_ms = outbox->io->wall_ms(outbox->io->data);
    kz_assert(kz_event_id(outbox->origin, outbox->last_seq + 1, stamp->id));
    if (now_ms < outbox->last_noted_at) now_ms = outbox->last_noted_at; /* one origin's order is its clock's too */
    mutation->id = event->id = stamp->id;
    event->kind = mutation->kind;
    event->origin = outbox->origin;
    event->has_origin_seq = event->has_noted_at = true;
    event->origin_seq = outbox->last_seq + 1;
    event->noted_at = now_ms;
    event->noted_by = (char *)(uintptr_t)order->actor; /* packed only */
    event->has_provisional = false;
    hash_event(event, stamp->hash);
    event->has_origin_hash = true;
    event->origin_hash = (ProtobufCBinaryData){KZ_HASH_BYTES, stamp->hash};
}

static struct held *make_own(const struct kz_outbox_order *order, const struct kz_outbox_stamp *stamp)
{
    Kz__Mutation *mutations = order->mutation;
    Kz__Command command = KZ__COMMAND__INIT;
    /* The content is the identity: whoever hands the event in, it is the same request. The texts are packed only. */
    command.request_id = (ProtobufCBinaryData){KZ_REQUEST_ID_BYTES, (uint8_t *)(uintptr_t)stamp->hash};
    command.actor = (char *)(uintptr_t)order->actor;
    command.node = (char *)(uintptr_t)order->node;
    command.reason = (char *)(uintptr_t)order->reason;
    command.n_mutations = 1;
    command.mutations = &mutations;
    size_t size_bytes = kz__command__get_packed_size(&command);
    uint8_t *packed = kz_must_alloc(1, size_bytes);
    kz__command__pack(&command, packed);
    struct held *held = make_held(packed, size_bytes);
    free(packed);
    kz_assert(held != NULL); /* it was checked a moment ago */
    return held;
}

void *kz_outbox_take(struct kz_outbox *outbox, const struct kz_outbox_order *order, const struct kz_outbox_stamp *stamp)
{
    struct held *held = make_own(order, stamp);
    outbox->last_seq = held->record->origin_seq;
    outbox->last_noted_at = held->record->noted_at;
    (void)outbox->io->put_local(outbox->io->data, LAST_SEQ_KEY, &outbox->last_seq, sizeof outbox->last_seq);
    note(outbox, held);
    insert(outbox, held);
    held->client = order->client;
    held->answer_by_ms = outbox->io->now_ms(outbox->io->data) + KZ_OUTBOX_ANSWER_WAIT_MS;
    if (held->answer_by_ms > order->deadline_ms) held->answer_by_ms = order->deadline_ms;
    return held;
}

/* ---- between nodes ---- */

/* A table that is full begins anew: everything is offered once more, which costs a message each. */
static uint32_t peer_bit(struct kz_outbox *outbox, uint64_t peer_id)
{
    struct held *held;
    for (size_t i = 0; i < outbox->peer_count; i++)
        if (outbox->peer_ids[i] == peer_id) return UINT32_C(1) << i;
    if (outbox->peer_count == KZ_OUTBOX_PEERS_MAX) {
        outbox->peer_count = 0;
        TAILQ_FOREACH(held, &outbox->all, link) held->offered_to = 0;
    }
    outbox->peer_ids[outbox->peer_count] = peer_id;
    return UINT32_C(1) << outbox->peer_count++;
}

static void acknowledge(struct kz_outbox *outbox, uint64_t peer_id, const char *id)
{
    Kz__EventOffer body = KZ__EVENT_OFFER__INIT;
    Kz__PeerMessage message = KZ__PEER_MESSAGE__INIT;
    body.taken = (char *)(uintptr_t)id; /* packed only */
    message.event_offer = &body;
    (void)outbox->io->send(outbox->io->data, peer_id, &message); /* lost: offered again */
}

static bool is_in_state(struct kz_outbox *outbox, const Kz__Record *event)
{
    void *look = outbox->io->look(outbox->io->data);
    if (!look) return false;
    bool found = outbox->io->in_state(look, event);
    outbox->io->look_end(look);
    return found;
}

static void take_offer(struct kz_outbox *outbox, uint64_t peer_id, const Kz__EventOffer *offer)
{
    struct held *offered = make_held(offer->command.data, offer->command.len);
    if (!offered) return;
    struct held *known = find_event(outbox, offered->record->id);
    bool settled = known ? known->durable : is_in_state(outbox, offered->record);
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
        if (!outbox->io->send(outbox->io->data, peer_id, &message) || ++offers == OFFERS_PER_SECOND) return;
    }
}

void kz_outbox_offer(struct kz_outbox *outbox)
{
    uint64_t peers[KZ_OUTBOX_PEERS_MAX];
    if (outbox->count == 0) return;
    size_t count = outbox->io->peers(outbox->io->data, peers, KZ_OUTBOX_PEERS_MAX);
    for (size_t i = 0; i < count; i++)
        offer_to(outbox, peers[i]);
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

bool kz_outbox_knows(const struct kz_outbox *outbox, const char *id) { return find_event(outbox, id) != NULL; }

size_t kz_outbox_count(const struct kz_outbox *outbox) { return outbox->count; }
