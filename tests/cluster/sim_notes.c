/* SPDX-License-Identifier: Apache-2.0 */
/* Events: the node's real outbox on virtual time and disks, and a model of the way a command takes to the leader
 * (node/service/write.c): kept, forwarded, sent again until it has an outcome. Promised: what was accepted anywhere is
 * in the final state exactly once, in order per origin, and no mark is left. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tests/cluster/sim.h"

#define TICK_US (50 * US_PER_MS)
#define TICKS_PER_OFFER 20u
#define RESEND_US US_PER_S
#define ALONE_US (KZ_OUTBOX_ANSWER_WAIT_MS * US_PER_MS)
#define DEADLINE_MS 10000u
#define COMMAND_MAX_BYTES 2048u
#define START_MS INT64_C(1767225600000) /* 2026-01-01 */
#define TEXT "report "

struct sim_held {
    struct sim_held *next;
    uint8_t id[KZ_REQUEST_ID_BYTES];
    uint64_t write, ticket, sent_us; /* sent_us 0 = not under way */
    size_t size_bytes;
    uint8_t command[];
};

struct sim_asker {
    struct sim_asker *next;
    uint64_t write, peer, ticket;
};

/* ---- what there is ---- */

uint64_t sim_notes_number(const Kz__Record *event)
{
    kz_assert(event->entry && strncmp(event->entry->text, TEXT, strlen(TEXT)) == 0);
    return strtoull(event->entry->text + strlen(TEXT), NULL, 10);
}

static uint64_t number_of(const Kz__Command *command) { return sim_notes_number(command->mutations[0]->record); }

static struct sim_note *find_note(const struct sim *sim, uint64_t write)
{
    size_t low = 0, high = sim->note_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (sim->notes[middle].write < write)
            low = middle + 1;
        else
            high = middle;
    }
    return low < sim->note_count && sim->notes[low].write == write ? &sim->notes[low] : NULL;
}

const struct sim_note *sim_note_of(const struct sim *sim, uint64_t write) { return find_note(sim, write); }

static struct sim_note *add_note(struct sim *sim, const struct sim_node *node)
{
    if (sim->note_count == sim->note_room) {
        sim->note_room = sim->note_room ? sim->note_room * 2 : 64;
        sim->notes = kz_must_realloc(sim->notes, sim->note_room * sizeof(*sim->notes));
    }
    struct sim_note *note = &sim->notes[sim->note_count++];
    *note = (struct sim_note){.write = ++sim->write_count, .origin = node->id};
    return note;
}

void sim_notes_fini(struct sim *sim) { free(sim->notes); }

/* ---- commands on their way ---- */

static bool is_asked(const struct sim_node *node, uint64_t write)
{
    for (const struct sim_asker *asker = node->asked; asker; asker = asker->next)
        if (asker->write == write) return true;
    return false;
}

static bool is_held(const struct sim_node *node, uint64_t write)
{
    for (const struct sim_held *held = node->held; held; held = held->next)
        if (held->write == write) return true;
    return false;
}

static bool propose(struct sim_node *node, uint64_t write, const uint8_t *command, size_t size_bytes)
{
    uint8_t entry[COMMAND_MAX_BYTES];
    uint64_t index, term;
    size_t size = node->sim->backend->encode_note(node->sim, write, command, size_bytes, entry, sizeof(entry));
    return kz_replica_propose(node->replica, entry, size, &index, &term) == KZ_OK;
}

static bool forward(struct sim_node *node, const struct sim_held *held, uint64_t leader)
{
    Kz__Forward body = KZ__FORWARD__INIT;
    Kz__PeerMessage message = KZ__PEER_MESSAGE__INIT;
    if (leader == 0 || leader == node->id) return false;
    body.ticket = held->ticket;
    body.command = kz__command__unpack(NULL, held->size_bytes, held->command);
    message.forward = &body;
    sim_net_send(node, leader, &message, false);
    kz__command__free_unpacked(body.command, NULL);
    return true;
}

static void send_held(struct sim_node *node)
{
    struct kz_replica_status status;
    kz_replica_get_status(node->replica, &status);
    for (struct sim_held *held = node->held; held; held = held->next) {
        bool leads = status.role == KZ_RAFT_LEADER;
        if (held->sent_us > 0 && (leads || node->sim->now_us - held->sent_us < RESEND_US)) continue;
        bool sent =
            leads ? propose(node, held->write, held->command, held->size_bytes) : forward(node, held, status.leader_id);
        held->sent_us = sent ? node->sim->now_us : 0;
    }
}

static void answer_asker(struct sim_node *node, uint64_t peer, uint64_t ticket, enum kz_code code)
{
    Kz__Forwarded body = KZ__FORWARDED__INIT;
    Kz__PeerMessage message = KZ__PEER_MESSAGE__INIT;
    body.ticket = ticket;
    body.code = code;
    message.forwarded = &body;
    sim_net_send(node, peer, &message, false);
}

static void forwarded_here(struct sim_node *node, uint64_t from, const Kz__Forward *forward)
{
    uint8_t command[COMMAND_MAX_BYTES];
    uint64_t write = number_of(forward->command);
    size_t size = kz__command__get_packed_size(forward->command);
    kz_assert(size <= sizeof(command));
    kz__command__pack(forward->command, command);
    if (!is_asked(node, write) && !is_held(node, write) && !propose(node, write, command, size)) {
        answer_asker(node, from, forward->ticket, KZ_NOT_LEADER);
        return;
    }
    struct sim_asker *asker = kz_must_alloc(1, sizeof(*asker));
    *asker = (struct sim_asker){node->asked, write, from, forward->ticket};
    node->asked = asker;
    kz_replica_flush(node->replica);
}

static void drop_askers(struct sim_node *node)
{
    while (node->asked) {
        struct sim_asker *asker = node->asked;
        node->asked = asker->next;
        free(asker);
    }
}

static void settle(struct sim_node *node, struct sim_held **place)
{
    struct sim_held *held = *place;
    Kz__Outcome outcome = KZ__OUTCOME__INIT;
    outcome.code = KZ_OK;
    *place = held->next;
    kz_outbox_settled(node->outbox, held->id, &outcome);
    free(held);
}

static void answered(struct sim_node *node, const Kz__Forwarded *answer)
{
    struct sim_held **place = &node->held;
    while (*place && (*place)->ticket != answer->ticket)
        place = &(*place)->next;
    if (!*place) return;
    if (answer->code == KZ_OK)
        settle(node, place);
    else
        (*place)->sent_us = 0;
}

/* Whoever waits sends it again to the new leader. */
void sim_notes_leader_changed(struct sim_node *node)
{
    for (struct sim_held *held = node->held; held; held = held->next)
        held->sent_us = 0;
    drop_askers(node);
}

void sim_notes_done(struct sim_node *node, uint64_t write)
{
    if (!node->up || (!node->held && !node->asked)) return;
    if (node->done_count == node->done_room) {
        node->done_room = node->done_room ? node->done_room * 2 : 64;
        node->done = kz_must_realloc(node->done, node->done_room * sizeof(*node->done));
    }
    node->done[node->done_count++] = write;
}

static void settle_write(struct sim_node *node, uint64_t write)
{
    for (struct sim_asker **place = &node->asked; *place;) {
        struct sim_asker *asker = *place;
        if (asker->write != write) {
            place = &asker->next;
            continue;
        }
        answer_asker(node, asker->peer, asker->ticket, KZ_OK);
        *place = asker->next;
        free(asker);
    }
    struct sim_held **held = &node->held;
    while (*held && (*held)->write != write)
        held = &(*held)->next;
    if (*held) settle(node, held);
}

void sim_notes_settle(struct sim_node *node)
{
    for (size_t i = 0; i < node->done_count; i++)
        settle_write(node, node->done[i]);
    node->done_count = 0;
}

/* ---- the outbox's io ---- */

static uint64_t now_ms(void *data)
{
    const struct sim_node *node = data;
    return node->sim->now_us / US_PER_MS + node->offset_ms;
}

static int64_t wall_ms(void *data) { return START_MS + (int64_t)now_ms(data); } /* clocks differ */

static bool alone(void *data)
{
    const struct sim_node *node = data;
    return node->sim->now_us - node->quorum_seen_us >= ALONE_US;
}

static uint64_t put_local(void *data, const char *key, const void *value, size_t size_bytes)
{
    struct sim_node *node = data;
    struct sim_job job = {.kind = SIM_LOCAL, .seq = ++node->local_seq, .size_bytes = size_bytes};
    bool lost = node->sim->options.bad & SIM_BAD(NOTE_LOST);
    snprintf(job.key, sizeof(job.key), "%s%s", lost ? "lost." : "", key);
    if (size_bytes > 0) job.bytes = kz_must_memdup(value, size_bytes);
    sim_disk_queue(node, job);
    return node->local_seq;
}

static bool hold(void *data, const Kz__Command *command)
{
    struct sim_node *node = data;
    size_t size = kz__command__get_packed_size(command);
    for (const struct sim_held *held = node->held; held; held = held->next)
        if (memcmp(held->id, command->request_id.data, KZ_REQUEST_ID_BYTES) == 0) return true;
    struct sim_held *held = kz_must_alloc(1, sizeof(*held) + size);
    memcpy(held->id, command->request_id.data, KZ_REQUEST_ID_BYTES);
    held->write = number_of(command);
    held->ticket = ++node->ticket;
    held->size_bytes = size;
    kz__command__pack(command, held->command);
    struct sim_held **end = &node->held;
    while (*end)
        end = &(*end)->next;
    *end = held;
    return true;
}

static bool send_message(void *data, uint64_t peer_id, const Kz__PeerMessage *message)
{
    struct sim_node *node = data;
    if (node->sim->cut[node->id][peer_id]) return false;
    node->sim->stats.offers += message->event_offer->has_command ? 1 : 0;
    sim_net_send(node, peer_id, message, false);
    return true;
}

static size_t list_peers(void *data, uint64_t *ids, size_t room)
{
    const struct sim_node *node = data;
    size_t count = 0;
    for (uint64_t id = 1; id <= SIM_NODES && count < room; id++)
        if (node->sim->nodes[id].exists && id != node->id) ids[count++] = id;
    return count;
}

static void *look(void *data) { return data; }

static bool in_state(void *data, const Kz__Record *event)
{
    struct sim_node *node = data;
    uint64_t write = sim_notes_number(event);
    bool dropped = node->sim->options.bad & SIM_BAD(NOTE_DROPPED) && is_held(node, write);
    return dropped || node->sim->backend->holds(node->store, write);
}

static void look_end(void *data) { (void)data; }

static void answer(void *data, void *client, const Kz__Record *event, const Kz__Outcome *confirmed)
{
    struct sim_node *node = data;
    struct sim_note *note = find_note(node->sim, (uint64_t)(uintptr_t)client);
    kz_assert(note && strcmp(note->id, event->id) == 0);
    note->accepted = true;
    note->waiting = NULL;
    node->sim->stats.provisional += confirmed == NULL;
}

/* ---- life ---- */

static void post_tick(struct sim_node *node)
{
    sim_post(node->sim, node->sim->now_us + TICK_US,
             (struct sim_event){.kind = SIM_TICK, .node = node->id, .life = node->life});
}

void sim_notes_open(struct sim_node *node)
{
    struct sim *sim = node->sim;
    const uint8_t incarnation[KZ_INCARNATION_BYTES] = {(uint8_t)node->id};
    char name[16];
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
        .all_at_once = sim->options.bad & SIM_BAD(NOTE_ORDER),
    };
    snprintf(name, sizeof(name), "n%" PRIu64, node->id);
    node->outbox = kz_outbox_new(&node->outbox_io, name, incarnation);
    sim->backend->local_each(node->store, KZ_OUTBOX_NOTES, kz_outbox_restore, node->outbox);
    node->quorum_seen_us = sim->now_us;
    if (sim->profile.notes) post_tick(node);
}

void sim_notes_close(struct sim_node *node)
{
    for (size_t i = 0; i < node->sim->note_count; i++) {
        struct sim_note *note = &node->sim->notes[i];
        if (note->origin != node->id || !note->waiting) continue;
        kz_outbox_forget(note->waiting);
        note->waiting = NULL;
    }
    kz_outbox_free(node->outbox);
    node->outbox = NULL;
    drop_askers(node);
    while (node->held) {
        struct sim_held *held = node->held;
        node->held = held->next;
        free(held);
    }
    free(node->done);
    node->done = NULL;
    node->done_count = node->done_room = 0;
}

void sim_notes_tick(struct sim_node *node)
{
    struct kz_replica_status status;
    kz_replica_get_status(node->replica, &status);
    if (status.quorum && status.leader_id != 0) node->quorum_seen_us = node->sim->now_us;
    kz_outbox_tick(node->outbox);
    send_held(node);
    if (++node->ticks % TICKS_PER_OFFER == 0) kz_outbox_offer(node->outbox);
    post_tick(node);
    kz_replica_flush(node->replica);
    sim_node_after_input(node);
}

bool sim_notes_hear(struct sim_node *node, uint64_t from, const Kz__PeerMessage *message)
{
    if (message->event_offer)
        kz_outbox_heard(node->outbox, from, message->event_offer);
    else if (message->forward)
        forwarded_here(node, from, message->forward);
    else if (message->forwarded)
        answered(node, message->forwarded);
    else
        return false;
    return true;
}

void sim_notes_durable(struct sim_node *node, uint64_t local_seq) { kz_outbox_durable(node->outbox, local_seq); }
void sim_notes_applied(struct sim_node *node) { kz_outbox_applied(node->outbox); }

/* Somebody reports something to a node, which may be alone, of the past, or removed. */
void sim_notes_take(struct sim *sim)
{
    struct sim_node *node = sim_pick_node(sim);
    Kz__Record record = KZ__RECORD__INIT;
    Kz__TimelineEntry entry = KZ__TIMELINE_ENTRY__INIT;
    Kz__Mutation mutation = KZ__MUTATION__INIT;
    struct kz_outbox_stamp stamp;
    char text[40], incident[] = "drill-0000.1", name[16];
    if (!node->up || node->paused_until_us > sim->now_us) return;
    struct sim_note *note = add_note(sim, node);
    snprintf(text, sizeof(text), TEXT "%" PRIu64, note->write);
    snprintf(name, sizeof(name), "n%" PRIu64, node->id);
    entry.incident = incident;
    entry.has_type = true;
    entry.type = KZ__TIMELINE_ENTRY__TYPE__WORK;
    entry.text = text;
    record.entry = &entry;
    mutation.op = KZ__MUTATION__OP__APPEND;
    mutation.kind = KZ__KIND__ENTRY;
    mutation.record = &record;
    const struct kz_outbox_order order = {.mutation = &mutation,
                                          .actor = "sim",
                                          .node = name,
                                          .client = (void *)(uintptr_t)note->write,
                                          .deadline_ms = now_ms(node) + DEADLINE_MS};
    kz_outbox_stamp(node->outbox, &order, &stamp);
    note->seq = record.origin_seq;
    memcpy(note->id, stamp.id, sizeof(note->id));
    note->waiting = kz_outbox_take(node->outbox, &order, &stamp);
    if (sim->options.bad & SIM_BAD(NOTE_EARLY)) kz_outbox_durable(node->outbox, node->local_seq);
    sim->stats.notes++;
    sim_story(sim, "n%llu takes event %s", (unsigned long long)node->id, note->id);
    sim_node_after_input(node);
}

/* ---- at the end ---- */

static bool is_connected(const struct sim *sim, const struct sim_node *node)
{
    return node->up && node->epoch == sim->epoch;
}

/* Everything that can get to the cluster has got there. */
bool sim_notes_quiet(struct sim *sim)
{
    struct kz_member members[KZ_NODES_MAX];
    const struct sim_node *leader = sim_leader(sim);
    size_t count = leader ? kz_replica_members(leader->replica, members, KZ_NODES_MAX) : 0;
    for (size_t i = 0; i < count; i++) {
        const struct sim_node *node = &sim->nodes[members[i].id];
        if (node->up && kz_outbox_count(node->outbox) > 0) return false;
    }
    for (size_t i = 0; i < sim->note_count; i++) {
        const struct sim_note *note = &sim->notes[i];
        if (note->accepted && is_connected(sim, &sim->nodes[note->origin]) &&
            sim_write_of(&sim->checks[sim->epoch], note->write)->effect == 0)
            return false;
    }
    return true;
}

struct search {
    uint64_t seq;
    bool found;
};

static bool compare_note(void *data, const char *key, const uint8_t *value, size_t size_bytes)
{
    struct search *search = data;
    const char *end = strrchr(key, '.');
    (void)value;
    (void)size_bytes;
    search->found |= end && strtoull(end + 1, NULL, 10) == search->seq;
    return !search->found;
}

static bool is_kept(struct sim *sim, const struct sim_note *note)
{
    struct sim_node *node = &sim->nodes[note->origin];
    struct search search = {.seq = note->seq};
    char prefix[KZ_KEY_MAX_BYTES];
    snprintf(prefix, sizeof(prefix), KZ_OUTBOX_NOTES ".n%" PRIu64 "-", note->origin);
    if (sim->backend->holds(node->store, note->write)) return true;
    sim->backend->local_each(node->store, prefix, compare_note, &search);
    return search.found;
}

void sim_notes_check(struct sim *sim)
{
    struct kz_member members[KZ_NODES_MAX];
    struct sim_node *leader = sim_leader(sim);
    size_t count = kz_replica_members(leader->replica, members, KZ_NODES_MAX);
    for (size_t i = 0; i < sim->note_count; i++) {
        const struct sim_note *note = &sim->notes[i];
        bool in_state = sim_write_of(&sim->checks[sim->epoch], note->write)->effect != 0;
        if (!note->accepted || in_state) continue;
        if (is_connected(sim, &sim->nodes[note->origin]))
            sim_fail(sim, "event %s, accepted, is not in the state", note->id);
        if (!is_kept(sim, note)) sim_fail(sim, "event %s, accepted, is neither in the state nor kept", note->id);
    }
    for (size_t i = 0; i < count; i++) {
        const struct sim_node *node = &sim->nodes[members[i].id];
        if (node->up && kz_outbox_count(node->outbox) > 0)
            sim_fail(sim, "node %llu still shows %zu events as provisional", (unsigned long long)node->id,
                     kz_outbox_count(node->outbox));
    }
}
