/* SPDX-License-Identifier: Apache-2.0 */
/* Messages: what the core asks to be sent becomes kz.PeerMessage, waits until term and vote are durable, and for
 * entries keeps to a window per peer. */
#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/consensus/replica_core.h"

static struct kz_replica_outgoing *out_at(const struct kz_replica *r, size_t position)
{
    return &r->outbox[(r->outbox_first + position) & (KZ_OUTBOX_MAX - 1)];
}

static void enqueue(struct kz_replica *r, const struct kz_replica_outgoing *out)
{
    static_assert((KZ_OUTBOX_MAX & (KZ_OUTBOX_MAX - 1)) == 0, "a power of two");
    if (r->outbox_count == KZ_OUTBOX_MAX) return; /* a lost message: raft repeats it */
    *out_at(r, r->outbox_count++) = *out;
}

/* ---- AppendEntries ---- */

/* Sizes below the ring come from the store's log. False: it cannot be read, or the peer needs a snapshot. */
static bool entry_size(struct kz_replica *r, uint64_t index, size_t *size_bytes)
{
    const struct kz_replica_log_slot *slot = kz_replica_log_get(&r->log, index);
    struct kz_entry entry;
    uint64_t chain;
    if (slot) {
        *size_bytes = slot->size_bytes;
        return true;
    }
    if (index <= r->log.base_index || !r->io->read_entry(r->io->data, index, &entry, &chain)) return false;
    *size_bytes = entry.size_bytes;
    return true;
}

static void enqueue_append(struct kz_replica *r, uint64_t peer, uint64_t prev, uint64_t count)
{
    struct kz_replica_outgoing out = {
        .need_seq = kz_guard_gate(r->options.guards, r->hard_seq), .peer = peer, .kind = OUT_CORE};
    if (kz_guard_lone_gate(r->options.guards, &r->core.configuration)) out.need_seq = r->seq;
    out.core.type = RAFT_APPEND_ENTRIES;
    out.core.append_entries.term = raft_current_term(&r->core);
    out.core.append_entries.prev_log_index = prev;
    out.core.append_entries.n_entries = (unsigned)count;
    enqueue(r, &out);
}

static struct kz_replica_flight *flight_at(struct kz_replica_window *window, size_t position)
{
    return &window->flights[(window->flight_first + position) % KZ_FLIGHT_MAX];
}

static void pump_window(struct kz_replica *r, struct kz_replica_peer *peer)
{
    struct kz_replica_window *window = &peer->window;
    while (window->start > 0 && window->next <= window->last && window->bytes < window->limit_bytes &&
           window->flight_count < KZ_FLIGHT_MAX) {
        uint64_t bytes = 0, first = window->next;
        size_t size;
        while (window->next <= window->last && bytes < KZ_APPEND_SOFT_BYTES && bytes < window->limit_bytes &&
               window->next - first < KZ_APPEND_MAX_ENTRIES && entry_size(r, window->next, &size)) {
            bytes += size + KZ_ENTRY_OVERHEAD_BYTES;
            window->next++;
        }
        if (window->next == first) {
            kz_replica_window_reset(peer); /* compacted meanwhile: the core will send a snapshot */
            return;
        }
        *flight_at(window, window->flight_count++) =
            (struct kz_replica_flight){.last = window->next - 1, .bytes = bytes, .sent_ms = kz_replica_now(r)};
        window->bytes += bytes;
        enqueue_append(r, peer->id, first - 1, window->next - first);
    }
}

void kz_replica_window_reset(struct kz_replica_peer *peer)
{
    struct kz_replica_window *window = &peer->window;
    window->start = 0;
    window->next = 1;
    window->last = 0;
    window->bytes = window->limit_bytes = window->repeat_ms = 0;
    window->flight_first = window->flight_count = 0;
}

static uint64_t least_limit(const struct kz_replica *r)
{
    return r->options.window_bytes < KZ_WINDOW_MIN_BYTES ? r->options.window_bytes : KZ_WINDOW_MIN_BYTES;
}

/* An answer took `took_ms` from sending. */
static void adapt(struct kz_replica *r, struct kz_replica_window *window, uint64_t took_ms)
{
    if (took_ms <= r->options.heartbeat_ms)
        window->limit_bytes *= 2;
    else if (took_ms > 2 * (uint64_t)r->options.heartbeat_ms)
        window->limit_bytes /= 2;
    if (window->limit_bytes > r->options.window_bytes) window->limit_bytes = r->options.window_bytes;
    if (window->limit_bytes < least_limit(r)) window->limit_bytes = least_limit(r);
}

void kz_replica_window_acked(struct kz_replica *r, struct kz_replica_peer *peer, uint64_t last_index)
{
    struct kz_replica_window *window = &peer->window;
    while (window->flight_count > 0 && flight_at(window, 0)->last <= last_index) {
        adapt(r, window, kz_replica_now(r) - flight_at(window, 0)->sent_ms);
        window->repeat_ms = 0;
        window->bytes -= flight_at(window, 0)->bytes;
        window->flight_first = (window->flight_first + 1) % KZ_FLIGHT_MAX;
        window->flight_count--;
    }
    if (kz_replica_is_leader(r)) pump_window(r, peer);
}

/* The core repeats everything not acknowledged at every heartbeat while it probes. On a slow link that would pile the
 * same megabytes up again and again. A connection that was lost (kz_replica_peer_lost) starts afresh at once. */
static bool repeats_in_flight(struct kz_replica *r, struct kz_replica_window *window, uint64_t prev)
{
    uint64_t heartbeat = r->options.heartbeat_ms;
    if (window->flight_count == 0 || prev + 1 != window->start) return false;
    if (window->repeat_ms == 0) window->repeat_ms = KZ_REPEAT_HEARTBEATS * heartbeat;
    if (kz_replica_now(r) - window->started_ms < window->repeat_ms) return true;
    if (window->repeat_ms < KZ_REPEAT_HEARTBEATS_MAX * heartbeat) window->repeat_ms *= 2;
    return false;
}

static void send_entries(struct kz_replica *r, struct kz_replica_peer *peer, uint64_t prev, uint64_t count)
{
    struct kz_replica_window *window = &peer->window;
    if (repeats_in_flight(r, window, prev)) {
        if (window->last < prev + count) window->last = prev + count;
        enqueue_append(r, peer->id, prev, 0);
    } else if (window->start > 0 && prev == window->last) {
        window->last = prev + count;
    } else {
        uint64_t repeat_ms = window->repeat_ms, limit_bytes = window->limit_bytes;
        kz_replica_window_reset(peer);
        window->repeat_ms = repeat_ms;
        window->limit_bytes = limit_bytes < least_limit(r) ? least_limit(r) : limit_bytes;
        window->start = window->next = prev + 1;
        window->last = prev + count;
        window->started_ms = kz_replica_now(r);
    }
    pump_window(r, peer);
}

/* A heartbeat anchored behind what was held back would be rejected: anchor it at what was sent. But only while the
 * core itself believes that all of it was sent. When it probes elsewhere, its own anchor must go out: it ignores a
 * rejection of any other. */
static void send_heartbeat(struct kz_replica *r, struct kz_replica_peer *peer, uint64_t prev)
{
    const struct kz_replica_window *window = &peer->window;
    bool holds_back = window->start > 0 && window->next <= window->last;
    if (holds_back && prev == window->last && window->next > r->log.base_index)
        prev = window->next - 1;
    else if (holds_back)
        kz_replica_window_reset(peer);
    enqueue_append(r, peer->id, prev, 0);
}

static void send_append(struct kz_replica *r, const struct raft_message *message)
{
    struct kz_replica_peer *peer = kz_replica_peer(r, message->server_id);
    const struct raft_append_entries *append = &message->append_entries;
    if (!peer) return;
    if (append->n_entries == 0)
        send_heartbeat(r, peer, append->prev_log_index);
    else
        send_entries(r, peer, append->prev_log_index, append->n_entries);
}

static void keep_contact(struct kz_replica *r, struct kz_replica_peer *peer, uint64_t snapshot_index)
{
    uint64_t now = kz_replica_now(r);
    if (!kz_guard_keep_contact(r->options.guards, now, peer->kept_ms, r->options.heartbeat_ms)) return;
    peer->kept_ms = now;
    enqueue_append(r, peer->id, snapshot_index, 0);
}

/* ---- into the outbox ---- */

void kz_replica_send_core(struct kz_replica *r, const struct raft_message *message,
                          const struct kz_replica_input *input)
{
    struct kz_replica_outgoing out = {.need_seq = kz_guard_gate(r->options.guards, r->hard_seq),
                                      .peer = message->server_id,
                                      .kind = OUT_CORE,
                                      .core = *message};
    uint64_t term = raft_current_term(&r->core);
    struct kz_replica_peer *peer;
    switch (message->type) {
    case RAFT_APPEND_ENTRIES:
        send_append(r, message);
        return;
    case RAFT_INSTALL_SNAPSHOT:
        peer = kz_replica_peer(r, message->server_id);
        if (peer) {
            kz_snapshot_offer(r, peer);
            keep_contact(r, peer, message->install_snapshot.last_index);
        }
        return;
    case RAFT_APPEND_ENTRIES_RESULT:
        if (input && input->answered_term > 0)
            kz_guard_stale_reply(r->options.guards, input->answered_term, term, &out.core.append_entries_result);
        break;
    case RAFT_REQUEST_VOTE_RESULT:
        kz_guard_prevote_term(r->options.guards, term, &out.core.request_vote_result);
        break;
    case RAFT_REQUEST_VOTE:
    case RAFT_TIMEOUT_NOW:
        break;
    }
    enqueue(r, &out);
}

void kz_replica_send_probe(struct kz_replica *r, enum kz_replica_outgoing_kind kind, uint64_t peer, uint64_t term,
                           uint64_t round)
{
    struct kz_replica_outgoing out = {.need_seq = kz_guard_gate(r->options.guards, r->hard_seq),
                                      .peer = peer,
                                      .kind = kind,
                                      .term = term,
                                      .round = round};
    enqueue(r, &out);
}

/* ---- out of the outbox ---- */

/* Fills entry `index` into `wire`; sets *owned when the bytes are a copy. */
static bool fill_entry(struct kz_replica *r, uint64_t index, Kz__Entry *wire, uint8_t **owned)
{
    const struct kz_replica_log_slot *slot = kz_replica_log_get(&r->log, index);
    struct kz_entry entry;
    uint64_t chain;
    *owned = NULL;
    if (slot) {
        entry = (struct kz_entry){slot->term, (enum kz_entry_type)slot->type, slot->data, slot->size_bytes};
    } else {
        if (!r->io->read_entry(r->io->data, index, &entry, &chain)) return false;
        if (entry.size_bytes > 0)
            entry.data = *owned = kz_must_memdup(entry.data, entry.size_bytes); /* until the next read_entry */
    }
    kz__entry__init(wire);
    wire->term = entry.term;
    wire->type = (Kz__EntryType)entry.type;
    wire->has_data = entry.size_bytes > 0;
    wire->data.data = (uint8_t *)entry.data; /* packing only reads */
    wire->data.len = entry.size_bytes;
    return true;
}

static bool find_chain(struct kz_replica *r, uint64_t index, uint64_t *chain)
{
    struct kz_entry entry;
    if (index == 0) return false;
    return kz_replica_log_chain(&r->log, index, chain) || r->io->read_entry(r->io->data, index, &entry, chain);
}

/* The range named when it was queued is still ours if we still lead that term: a leader only appends. */
static void post_append(struct kz_replica *r, const struct kz_replica_outgoing *out)
{
    const struct raft_append_entries *append = &out->core.append_entries;
    uint64_t prev = append->prev_log_index;
    if (!kz_replica_is_leader(r) || raft_current_term(&r->core) != append->term || prev < r->log.base_index ||
        prev + append->n_entries > r->log.last)
        return;
    Kz__AppendEntries wire = KZ__APPEND_ENTRIES__INIT;
    Kz__PeerMessage message = KZ__PEER_MESSAGE__INIT;
    Kz__Entry *entries = kz_must_alloc(append->n_entries + 1u, sizeof(*entries));
    Kz__Entry **list = kz_must_alloc(append->n_entries + 1u, sizeof(Kz__Entry *));
    uint8_t **owned = kz_must_alloc(append->n_entries + 1u, sizeof(uint8_t *));
    bool complete = true;
    for (unsigned i = 0; i < append->n_entries && complete; i++) {
        complete = fill_entry(r, prev + 1 + i, &entries[i], &owned[i]);
        list[i] = &entries[i];
    }
    wire.term = append->term;
    wire.prev_log_index = prev;
    wire.prev_log_term = prev > 0 ? kz_replica_log_term(&r->log, prev) : 0;
    wire.leader_commit = r->core_commit;
    wire.n_entries = append->n_entries;
    wire.entries = list;
    wire.has_prev_chain = find_chain(r, prev, &wire.prev_chain);
    message.append_entries = &wire;
    if (complete) r->io->send(r->io->data, out->peer, &message);
    for (unsigned i = 0; i < append->n_entries; i++)
        free(owned[i]);
    free(owned);
    free(list);
    free(entries);
}

static void post_append_result(struct kz_replica *r, const struct kz_replica_outgoing *out)
{
    const struct raft_append_entries_result *result = &out->core.append_entries_result;
    Kz__AppendEntriesResult wire = KZ__APPEND_ENTRIES_RESULT__INIT;
    Kz__PeerMessage message = KZ__PEER_MESSAGE__INIT;
    wire.term = result->term;
    wire.rejected = result->rejected;
    wire.last_log_index = result->last_log_index;
    wire.has_features = wire.has_capacity = true;
    wire.features = result->features;
    wire.capacity = result->capacity;
    message.append_entries_result = &wire;
    r->io->send(r->io->data, out->peer, &message);
}

static void post_vote(struct kz_replica *r, const struct kz_replica_outgoing *out)
{
    const struct raft_request_vote *vote = &out->core.request_vote;
    Kz__RequestVote wire = KZ__REQUEST_VOTE__INIT;
    Kz__PeerMessage message = KZ__PEER_MESSAGE__INIT;
    wire.term = vote->term;
    wire.candidate_id = vote->candidate_id;
    wire.last_log_index = vote->last_log_index;
    wire.last_log_term = vote->last_log_term;
    wire.disrupt_leader = vote->disrupt_leader;
    wire.pre_vote = vote->pre_vote;
    message.request_vote = &wire;
    r->io->send(r->io->data, out->peer, &message);
}

static void post_vote_result(struct kz_replica *r, const struct kz_replica_outgoing *out)
{
    const struct raft_request_vote_result *result = &out->core.request_vote_result;
    Kz__RequestVoteResult wire = KZ__REQUEST_VOTE_RESULT__INIT;
    Kz__PeerMessage message = KZ__PEER_MESSAGE__INIT;
    wire.term = result->term;
    wire.vote_granted = result->vote_granted;
    wire.pre_vote = result->pre_vote;
    wire.has_features = wire.has_capacity = true;
    wire.features = result->features;
    wire.capacity = result->capacity;
    message.request_vote_result = &wire;
    r->io->send(r->io->data, out->peer, &message);
}

static void post_timeout_now(struct kz_replica *r, const struct kz_replica_outgoing *out)
{
    Kz__TimeoutNow wire = KZ__TIMEOUT_NOW__INIT;
    Kz__PeerMessage message = KZ__PEER_MESSAGE__INIT;
    wire.term = out->core.timeout_now.term;
    wire.last_log_index = out->core.timeout_now.last_log_index;
    wire.last_log_term = out->core.timeout_now.last_log_term;
    message.timeout_now = &wire;
    r->io->send(r->io->data, out->peer, &message);
}

static void post_probe(struct kz_replica *r, const struct kz_replica_outgoing *out)
{
    Kz__Probe probe = KZ__PROBE__INIT;
    Kz__ProbeResult result = KZ__PROBE_RESULT__INIT;
    Kz__PeerMessage message = KZ__PEER_MESSAGE__INIT;
    probe.term = result.term = out->term;
    probe.round = result.round = out->round;
    if (out->kind == OUT_PROBE)
        message.probe = &probe;
    else
        message.probe_result = &result;
    r->io->send(r->io->data, out->peer, &message);
}

static void post(struct kz_replica *r, const struct kz_replica_outgoing *out)
{
    if (out->kind != OUT_CORE) {
        post_probe(r, out);
        return;
    }
    switch (out->core.type) {
    case RAFT_APPEND_ENTRIES:
        post_append(r, out);
        break;
    case RAFT_APPEND_ENTRIES_RESULT:
        post_append_result(r, out);
        break;
    case RAFT_REQUEST_VOTE:
        post_vote(r, out);
        break;
    case RAFT_REQUEST_VOTE_RESULT:
        post_vote_result(r, out);
        break;
    case RAFT_TIMEOUT_NOW:
        post_timeout_now(r, out);
        break;
    case RAFT_INSTALL_SNAPSHOT: /* snapshot.c */
        break;
    }
}

void kz_replica_drain(struct kz_replica *r)
{
    while (r->outbox_count > 0 && out_at(r, 0)->need_seq <= r->seq_durable) {
        struct kz_replica_outgoing out = *out_at(r, 0);
        r->outbox_first = (r->outbox_first + 1) & (KZ_OUTBOX_MAX - 1);
        r->outbox_count--;
        post(r, &out);
    }
}
