/* SPDX-License-Identifier: Apache-2.0 */
/* Messages from peers, checked by replica_wire.c, made into events for the core. */
#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/consensus/replica_core.h"

#define MESSAGE_VERSION 2 /* of RequestVote, its result and the AppendEntries result in libraft 0.22.1 */
#define BATCH_ALIGN 8u

static struct raft_message message_from(uint64_t from, enum raft_message_type type)
{
    /* The core only copies the address; ours is in the configuration. */
    return (struct raft_message){.type = type, .server_id = from, .server_address = "peer"};
}

static bool receive(struct kz_replica *r, struct raft_message *message, const struct kz_replica_input *input)
{
    struct raft_event event = {.type = RAFT_RECEIVE};
    event.receive.message = message;
    return kz_replica_step(r, &event, input);
}

/* ---- AppendEntries ---- */

/* The core looks only at the bytes of a change; the driver keeps the others. One batch, as the core wants it. */
static struct raft_entry *make_batch(const struct kz_entry *entries, size_t count)
{
    if (count == 0) return NULL;
    size_t total = BATCH_ALIGN;
    for (size_t i = 0; i < count; i++)
        if (entries[i].type == KZ_ENTRY_CHANGE)
            total += (entries[i].size_bytes + BATCH_ALIGN - 1) & ~(size_t)(BATCH_ALIGN - 1);
    uint8_t *batch = raft_malloc(total);
    struct raft_entry *list = kz_must_alloc(count, sizeof(*list));
    kz_assert(batch != NULL);
    memset(batch, 0, BATCH_ALIGN);
    uint8_t *place = batch + BATCH_ALIGN;
    for (size_t i = 0; i < count; i++) {
        list[i] =
            (struct raft_entry){.term = entries[i].term, .type = (enum raft_entry_type)entries[i].type, .batch = batch};
        list[i].buf = (struct raft_buffer){.base = batch, .len = BATCH_ALIGN};
        if (entries[i].type == KZ_ENTRY_CHANGE) {
            memcpy(place, entries[i].data, entries[i].size_bytes);
            list[i].buf = (struct raft_buffer){.base = place, .len = entries[i].size_bytes};
            place += (entries[i].size_bytes + BATCH_ALIGN - 1) & ~(size_t)(BATCH_ALIGN - 1);
        }
    }
    return list;
}

/* `count` entries after (prev, prev_term), at most one change among them and that the first. */
static bool receive_part(struct kz_replica *r, uint64_t from, const Kz__AppendEntries *wire, uint64_t prev,
                         uint64_t prev_term, const struct kz_entry *entries, size_t count)
{
    uint64_t skip = 0;
    if (!r->installing && wire->term >= raft_current_term(&r->core))
        skip = kz_guard_fast_forward(r->options.guards, prev, r->applied);
    if (skip > 0) {
        size_t cut = skip < count ? (size_t)skip : count;
        entries += cut;
        count -= cut;
        prev = r->applied;
        prev_term = r->applied_term;
    }
    struct raft_entry *list = make_batch(entries, count);
    struct raft_message message = message_from(from, RAFT_APPEND_ENTRIES);
    message.append_entries.term = wire->term;
    message.append_entries.prev_log_index = prev;
    message.append_entries.prev_log_term = prev_term;
    message.append_entries.leader_commit = wire->leader_commit;
    message.append_entries.entries = list;
    message.append_entries.n_entries = (unsigned)count;
    struct kz_replica_input input = {
        .entries = entries, .first_index = prev + 1, .count = count, .answered_term = wire->term};
    bool alive = receive(r, &message, &input);
    free(list); /* the array is ours, its batch went to the core or to take_entries */
    return alive;
}

/* An earlier change that the leader must have committed before it appended the one at `index`. */
static bool settle_change(struct kz_replica *r, uint64_t index, uint64_t prev_term)
{
    uint64_t settled;
    if (raft_state(&r->core) != RAFT_FOLLOWER || !kz_guard_settle(r->options.guards, &r->core, index, &settled) ||
        kz_replica_log_term(&r->log, index - 1) == 0 || kz_replica_log_term(&r->log, index - 1) != prev_term)
        return true;
    return kz_replica_feed_change(r, settled);
}

static bool receive_parts(struct kz_replica *r, uint64_t from, const Kz__AppendEntries *wire,
                          const struct kz_entry *entries, const bool *is_change, size_t count)
{
    size_t done = 0;
    do {
        uint64_t prev = wire->prev_log_index + done;
        uint64_t prev_term = done > 0 ? entries[done - 1].term : wire->prev_log_term;
        size_t part = count > done ? kz_guard_split_change(r->options.guards, is_change + done, count - done) : 0;
        if (part > 0 && is_change[done] && !settle_change(r, prev + 1, prev_term)) return false;
        if (!receive_part(r, from, wire, prev, prev_term, entries + done, part)) return false;
        done += part;
    } while (done < count);
    return true;
}

/* Equal term at equal index means an equal log. Anything else is damage or a fork, and going on would spread it. */
static bool check_chain(struct kz_replica *r, uint64_t from, const Kz__AppendEntries *wire)
{
    uint64_t chain;
    if (!wire->has_prev_chain || r->installing || wire->prev_log_index == 0 ||
        kz_replica_log_term(&r->log, wire->prev_log_index) != wire->prev_log_term ||
        !kz_replica_log_chain(&r->log, wire->prev_log_index, &chain) || chain == wire->prev_chain)
        return true;
    kz_replica_die(r, "our log and that of node %llu differ before entry %llu of term %llu", (unsigned long long)from,
                   (unsigned long long)wire->prev_log_index, (unsigned long long)wire->prev_log_term);
    return false;
}

static void note_leader(struct kz_replica *r, uint64_t from)
{
    raft_id id;
    const char *address;
    raft_leader(&r->core, &id, &address);
    if (raft_state(&r->core) != RAFT_FOLLOWER || id != from) return;
    r->leader_heard_ms = kz_replica_now(r);
    kz_replica_end_fast_election(r);
}

static enum kz_code receive_append(struct kz_replica *r, uint64_t from, const Kz__AppendEntries *wire,
                                   struct kz_err *err)
{
    if (kz_replica_is_leader(r) && raft_current_term(&r->core) == wire->term)
        return kz_fail(err, KZ_PROTOCOL, "node %llu claims to lead our own term %llu", (unsigned long long)from,
                       (unsigned long long)wire->term);
    if (!check_chain(r, from, wire)) return KZ_OK;
    size_t count = wire->n_entries;
    struct kz_entry *entries = kz_must_alloc(count + 1, sizeof(*entries));
    bool *is_change = kz_must_alloc(count + 1, sizeof(*is_change));
    for (size_t i = 0; i < count; i++) {
        const Kz__Entry *entry = wire->entries[i];
        entries[i] = (struct kz_entry){.term = entry->term, .type = (enum kz_entry_type)entry->type};
        if (entry->has_data && entry->data.len > 0) {
            entries[i].data = entry->data.data;
            entries[i].size_bytes = entry->data.len;
        }
        is_change[i] = entries[i].type == KZ_ENTRY_CHANGE;
    }
    if (receive_parts(r, from, wire, entries, is_change, count)) note_leader(r, from);
    free(is_change);
    free(entries);
    return KZ_OK;
}

/* ---- the others ---- */

/* A leader counts whom it hears. */
static void note_peer(struct kz_replica *r, struct kz_replica_peer *peer, uint64_t term)
{
    if (kz_replica_is_leader(r) && term == raft_current_term(&r->core)) peer->heard_ms = kz_replica_now(r);
}

static void receive_append_result(struct kz_replica *r, struct kz_replica_peer *peer,
                                  const Kz__AppendEntriesResult *wire)
{
    struct raft_message message = message_from(peer->id, RAFT_APPEND_ENTRIES_RESULT);
    struct raft_append_entries_result *result = &message.append_entries_result;
    result->version = MESSAGE_VERSION;
    result->term = wire->term;
    result->rejected = wire->rejected;
    result->last_log_index = wire->last_log_index;
    result->features = (unsigned short)wire->features;
    result->capacity = (unsigned short)wire->capacity;
    note_peer(r, peer, wire->term);
    kz_guard_stale_reject(r->options.guards, &r->core, peer->id, result);
    bool success = result->rejected == 0 && wire->term == raft_current_term(&r->core);
    if (receive(r, &message, NULL) && success && kz_replica_is_leader(r))
        kz_replica_window_acked(r, peer, wire->last_log_index);
}

static void receive_vote(struct kz_replica *r, uint64_t from, const Kz__RequestVote *wire)
{
    struct raft_message message = message_from(from, RAFT_REQUEST_VOTE);
    struct raft_request_vote *vote = &message.request_vote;
    vote->version = MESSAGE_VERSION;
    vote->term = wire->term;
    vote->candidate_id = wire->candidate_id;
    vote->last_log_index = wire->last_log_index;
    vote->last_log_term = wire->last_log_term;
    vote->disrupt_leader = wire->disrupt_leader;
    vote->pre_vote = wire->pre_vote;
    struct raft_server *own = kz_guard_lone_promote(r->options.guards, &r->core, from);
    int role = own ? own->role : 0;
    if (own) {
        own->role = RAFT_VOTER;
        vote->disrupt_leader = true; /* a stand-by never forgets its leader; this is that leader asking */
    }
    receive(r, &message, NULL);
    if (own) own->role = role; /* voting changes no configuration: the entry is still there */
}

static void receive_vote_result(struct kz_replica *r, uint64_t from, const Kz__RequestVoteResult *wire)
{
    struct raft_message message = message_from(from, RAFT_REQUEST_VOTE_RESULT);
    struct raft_request_vote_result *result = &message.request_vote_result;
    if (kz_guard_prevote_drop(r->options.guards, &r->core)) return;
    result->version = MESSAGE_VERSION;
    result->term = wire->term;
    result->vote_granted = wire->vote_granted;
    result->pre_vote = wire->pre_vote;
    result->features = (unsigned short)wire->features;
    result->capacity = (unsigned short)wire->capacity;
    receive(r, &message, NULL);
}

static void receive_timeout_now(struct kz_replica *r, uint64_t from, const Kz__TimeoutNow *wire)
{
    struct raft_message message = message_from(from, RAFT_TIMEOUT_NOW);
    message.timeout_now.term = wire->term;
    message.timeout_now.last_log_index = wire->last_log_index;
    message.timeout_now.last_log_term = wire->last_log_term;
    receive(r, &message, NULL);
}

static void receive_probe_result(struct kz_replica *r, struct kz_replica_peer *peer, const Kz__ProbeResult *wire)
{
    if (!kz_replica_is_leader(r) || wire->term != raft_current_term(&r->core)) return;
    note_peer(r, peer, wire->term);
    kz_gate_answered(r, peer, wire->round);
}

static void receive_other(struct kz_replica *r, struct kz_replica_peer *peer, const Kz__PeerMessage *message)
{
    if (message->append_entries_result) {
        receive_append_result(r, peer, message->append_entries_result);
    } else if (message->request_vote) {
        receive_vote(r, peer->id, message->request_vote);
    } else if (message->request_vote_result) {
        receive_vote_result(r, peer->id, message->request_vote_result);
    } else if (message->timeout_now) {
        receive_timeout_now(r, peer->id, message->timeout_now);
    } else if (message->snapshot_chunk) {
        kz_snapshot_chunk(r, peer->id, message->snapshot_chunk);
    } else if (message->snapshot_ack) {
        note_peer(r, peer, message->snapshot_ack->term);
        kz_snapshot_acked(r, peer, message->snapshot_ack);
    } else if (message->probe) {
        /* Only who is still in the asker's term may answer (and its term is durable before the answer leaves). */
        if (message->probe->term == raft_current_term(&r->core))
            kz_replica_send_probe(r, OUT_PROBE_RESULT, peer->id, message->probe->term, message->probe->round);
    } else if (message->probe_result) {
        receive_probe_result(r, peer, message->probe_result);
    }
}

enum kz_code kz_replica_receive(struct kz_replica *r, uint64_t from, const Kz__PeerMessage *message, struct kz_err *err)
{
    enum kz_code code = kz_wire_check(r, from, message, err);
    if (code != KZ_OK || !kz_replica_enter(r)) return code;
    struct kz_replica_peer *peer = kz_replica_peer(r, from);
    if (!peer)
        code = kz_fail(err, KZ_BUSY, "node %llu is one peer too many", (unsigned long long)from);
    else if (message->append_entries)
        code = receive_append(r, from, message->append_entries, err);
    else
        receive_other(r, peer, message);
    kz_replica_leave(r);
    return code;
}
