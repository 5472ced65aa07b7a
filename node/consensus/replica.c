/* SPDX-License-Identifier: Apache-2.0 */
/* Life, inputs and state of a replica. Every input is: enter (submit what was proposed) - step - leave (follow-up
 * work, messages, timer, and last the callbacks). */
#include "node/consensus/replica.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/consensus/replica_core.h"

#define SNAPSHOT_TIMEOUT_MS 30000u
#define CATCH_UP_ROUNDS 10u
#define CATCH_UP_ROUND_TIMEOUTS 10u /* election timeouts one round may take */
#define FAST_ELECTION_ROUNDS 20u    /* fast timeouts until the ordinary one is restored */
#define FATAL_TEXT_BYTES 256

const char *kz_raft_role_name(enum kz_raft_role role)
{
    static const char *const names[] = {"follower", "candidate", "leader"};
    return names[role];
}

void kz_replica_options_default(struct kz_replica_options *options)
{
    *options = (struct kz_replica_options){
        .election_timeout_ms = 500,
        .heartbeat_ms = 100,
        .fast_election_ms = 50,
        .max_inflight_entries = 2048,
        .window_bytes = KZ_REPLICA_WINDOW_BYTES,
        .chunk_bytes = KZ_REPLICA_CHUNK_BYTES,
        .ring_bytes = 64u << 20,
        .compact_bytes = 256u << 20,
        .compact_entries = 100000,
        .trailing_entries = 200000,
        .snapshot_timeout_ms = SNAPSHOT_TIMEOUT_MS,
        .snapshot_keep_ms = KZ_REPLICA_SNAPSHOT_KEEP_MS,
        .snapshot_rate = KZ_REPLICA_SNAPSHOT_RATE,
        .guards = KZ_GUARD_ALL,
    };
}

static void init_core(struct kz_replica *r)
{
    const struct kz_replica_options *options = &r->options;
    kz_assert(raft_init(&r->core, NULL, NULL, options->id, r->address) == 0);
    r->core.tracer = NULL; /* the default one formats every event into a static buffer */
    raft_seed(&r->core, options->seed);
    raft_set_election_timeout(&r->core, options->election_timeout_ms);
    raft_set_heartbeat_timeout(&r->core, options->heartbeat_ms);
    raft_set_pre_vote(&r->core, !options->no_pre_vote);
    raft_set_max_inflight_entries(&r->core, options->max_inflight_entries);
    raft_set_install_snapshot_timeout(&r->core, options->snapshot_timeout_ms);
    raft_set_max_catch_up_rounds(&r->core, CATCH_UP_ROUNDS);
    raft_set_max_catch_up_round_duration(&r->core, CATCH_UP_ROUND_TIMEOUTS * options->election_timeout_ms);
    r->core_open = true;
}

struct kz_replica *kz_replica_new(const struct kz_replica_options *options, const struct kz_replica_io *io)
{
    kz_assert(options->id != 0 && options->election_timeout_ms > 0 && options->heartbeat_ms > 0);
    kz_assert(strlen(options->address) < KZ_ADDRESS_MAX_BYTES && options->chunk_bytes <= KZ_CHUNK_MAX_BYTES);
    struct kz_replica *r = kz_must_alloc(1, sizeof(*r));
    r->options = *options;
    r->io = io;
    memcpy(r->address, options->address, strlen(options->address) + 1);
    r->options.address = r->address;
    if (r->options.window_bytes == 0) r->options.window_bytes = KZ_REPLICA_WINDOW_BYTES;
    if (r->options.chunk_bytes == 0) r->options.chunk_bytes = KZ_REPLICA_CHUNK_BYTES;
    if (r->options.snapshot_timeout_ms == 0) r->options.snapshot_timeout_ms = SNAPSHOT_TIMEOUT_MS;
    if (r->options.snapshot_keep_ms == 0) r->options.snapshot_keep_ms = KZ_REPLICA_SNAPSHOT_KEEP_MS;
    r->outbox = kz_must_alloc(KZ_OUTBOX_MAX, sizeof(*r->outbox));
    r->state_seen = RAFT_FOLLOWER;
    init_core(r);
    return r;
}

void kz_replica_free(struct kz_replica *r)
{
    if (!r) return;
    for (size_t i = 0; i < r->peer_count; i++)
        kz_snapshot_stop(r, &r->peers[i]);
    for (size_t i = 0; i < r->proposal_count; i++)
        free(r->proposals[i].data);
    free(r->proposals);
    raft_close(&r->core, NULL);
    kz_gate_fini(&r->gate);
    kz_replica_log_fini(&r->log);
    free(r->jobs);
    free(r->outbox);
    free(r);
}

uint64_t kz_replica_now(const struct kz_replica *r) { return r->io->now_ms(r->io->data); }

void kz_replica_die(struct kz_replica *r, const char *fmt, ...)
{
    char text[FATAL_TEXT_BYTES];
    va_list arguments;
    if (r->dead) return;
    va_start(arguments, fmt);
    vsnprintf(text, sizeof(text), fmt, arguments);
    va_end(arguments);
    r->dead = true;
    r->io->fatal(r->io->data, text);
}

/* ---- peers ---- */

struct kz_replica_peer *kz_replica_find_peer(const struct kz_replica *r, uint64_t id)
{
    for (size_t i = 0; i < r->peer_count; i++)
        if (r->peers[i].id == id) return (struct kz_replica_peer *)&r->peers[i];
    return NULL;
}

static bool is_member(const struct kz_replica *r, uint64_t id)
{
    for (unsigned i = 0; i < r->core.configuration.n; i++)
        if (r->core.configuration.servers[i].id == id) return true;
    return false;
}

struct kz_replica_peer *kz_replica_peer(struct kz_replica *r, uint64_t id)
{
    struct kz_replica_peer *peer = kz_replica_find_peer(r, id);
    if (peer) return peer;
    for (size_t i = 0; i < r->peer_count && !peer; i++) /* the place of one that left */
        if (r->peer_count == KZ_PEERS_MAX && !is_member(r, r->peers[i].id)) peer = &r->peers[i];
    if (!peer && r->peer_count < KZ_PEERS_MAX) peer = &r->peers[r->peer_count++];
    if (!peer) return NULL;
    kz_snapshot_stop(r, peer);
    memset(peer, 0, sizeof(*peer));
    peer->id = id;
    kz_replica_window_reset(peer);
    return peer;
}

bool kz_replica_is_leader(const struct kz_replica *r) { return r->core.state == RAFT_LEADER; }

bool kz_replica_is_ready(const struct kz_replica *r)
{
    return kz_replica_is_leader(r) && kz_guard_ready(r->options.guards, r->commit, r->lead_start);
}

size_t kz_replica_voters(const struct kz_replica *r)
{
    size_t voters = 0;
    for (unsigned i = 0; i < r->core.configuration.n; i++)
        voters += r->core.configuration.servers[i].role == RAFT_VOTER;
    return voters;
}

/* ---- enter, leave ---- */

static bool is_transferring(const struct kz_replica *r) { return raft_transferee(&r->core) != 0; }

/* All proposals as one SUBMIT, so that they share messages and a disk flush. */
void kz_replica_submit(struct kz_replica *r)
{
    size_t count = r->proposal_count;
    if (count == 0) return;
    struct kz_entry *entries = kz_must_alloc(count, sizeof(*entries));
    struct raft_entry *list = kz_must_alloc(count, sizeof(*list));
    uint64_t *batch = raft_malloc(sizeof(*batch)); /* the core never looks at the bytes of a command */
    kz_assert(batch != NULL);
    *batch = 0;
    for (size_t i = 0; i < count; i++) {
        entries[i] = (struct kz_entry){.term = raft_current_term(&r->core),
                                       .type = KZ_ENTRY_COMMAND,
                                       .data = r->proposals[i].data,
                                       .size_bytes = r->proposals[i].size_bytes};
        list[i] = (struct raft_entry){.term = entries[i].term, .type = RAFT_COMMAND, .batch = batch};
        list[i].buf = (struct raft_buffer){.base = batch, .len = sizeof(*batch)};
    }
    struct raft_event event = {.type = RAFT_SUBMIT};
    struct kz_replica_input input = {.entries = entries, .first_index = r->log.last + 1, .count = count};
    event.submit.entries = list;
    event.submit.n = (unsigned)count;
    uint64_t last = r->log.last;
    r->proposal_count = 0;
    r->proposal_bytes = 0;
    if (!kz_replica_is_leader(r) || is_transferring(r) || (!kz_replica_step(r, &event, &input) && r->log.last == last))
        raft_free(batch); /* leadership went between propose and here: role_changed tells that nothing is known */
    for (size_t i = 0; i < count; i++)
        free(r->proposals[i].data);
    free(list);
    free(entries);
}

bool kz_replica_enter(struct kz_replica *r)
{
    if (r->dead || !r->started) return false;
    kz_assert(!r->busy);
    r->busy = true;
    kz_replica_submit(r);
    return true;
}

static uint64_t earlier(uint64_t a, uint64_t b) { return b != 0 && b < a ? b : a; }

static void arm_timer(struct kz_replica *r)
{
    uint64_t now = kz_replica_now(r);
    uint64_t at = earlier(raft_timeout(&r->core), kz_gate_deadline(r));
    for (size_t i = 0; i < r->peer_count; i++)
        at = earlier(at, kz_snapshot_deadline(r, &r->peers[i]));
    at = kz_guard_timer_clamp(r->options.guards, earlier(at, r->fast_until_ms), now);
    /* An earlier wake-up is armed and re-arms; one that is due must not be pushed back before it fires. */
    if (r->timer_ms != 0 && r->timer_ms <= at) return;
    r->timer_ms = at;
    r->io->set_timer(r->io->data, at);
}

/* One chunk for one peer per call, each in his turn. */
static void pump_snapshots(struct kz_replica *r)
{
    for (size_t i = 0; i < r->peer_count; i++) {
        struct kz_replica_peer *peer = &r->peers[(r->snapshot_turn + i) % r->peer_count];
        if (!peer->snapshot) continue;
        r->snapshot_turn = (r->snapshot_turn + i + 1) % r->peer_count;
        kz_snapshot_pump(r, peer);
        return;
    }
}

static bool is_voter(const struct kz_replica *r)
{
    for (unsigned i = 0; i < r->core.configuration.n; i++)
        if (r->core.configuration.servers[i].id == r->options.id)
            return r->core.configuration.servers[i].role == RAFT_VOTER;
    return false;
}

/* A voter that hears nothing becomes a candidate and knows no leader; the core of one without a vote, or of one that
 * was removed, would name the last leader for ever. */
static uint64_t leader_of(const struct kz_replica *r)
{
    raft_id id;
    const char *address;
    raft_leader((struct raft *)&r->core, &id, &address);
    if (id == 0 || id == r->options.id || is_voter(r)) return id;
    return kz_replica_now(r) - r->leader_heard_ms <= 2 * (uint64_t)r->options.election_timeout_ms ? id : 0;
}

static enum kz_raft_role role_of(const struct kz_replica *r)
{
    switch (r->core.state) {
    case RAFT_LEADER:
        return KZ_RAFT_LEADER;
    case RAFT_CANDIDATE:
        return KZ_RAFT_CANDIDATE;
    default:
        return KZ_RAFT_FOLLOWER;
    }
}

static void tell(struct kz_replica *r)
{
    enum kz_raft_role role = role_of(r);
    uint64_t term = raft_current_term(&r->core), leader = leader_of(r), applied = r->applied;
    bool news = !r->told_once || role != r->told_role || term != r->told_term || leader != r->told_leader;
    r->told_once = true;
    r->told_role = role;
    r->told_term = term;
    r->told_leader = leader;
    /* Applied first: what is known to be done is answered before a loss of leadership makes the rest unknown. */
    if (applied > r->applied_told) {
        r->applied_told = applied;
        r->io->applied(r->io->data, applied);
    }
    if (news) r->io->role_changed(r->io->data, role, term, leader);
    kz_gate_tell(r);
}

void kz_replica_leave(struct kz_replica *r)
{
    if (!r->dead) kz_replica_pump_transfer(r);
    if (!r->dead) kz_replica_pump_work(r);
    if (!r->dead) {
        kz_gate_pump(r);
        kz_snapshot_review(r);
        pump_snapshots(r);
        kz_replica_drain(r);
        if (kz_replica_is_leader(r)) kz_replica_end_fast_election(r);
        arm_timer(r);
    }
    r->busy = false;
    if (!r->dead) tell(r);
}

/* ---- inputs ---- */

void kz_replica_flush(struct kz_replica *r)
{
    if (kz_replica_enter(r)) kz_replica_leave(r);
}

void kz_replica_tick(struct kz_replica *r)
{
    r->timer_ms = 0;
    if (!kz_replica_enter(r)) return;
    uint64_t now = kz_replica_now(r);
    if (r->fast_until_ms != 0 && now >= r->fast_until_ms) kz_replica_end_fast_election(r);
    if (raft_timeout(&r->core) <= now) {
        struct raft_event event = {.type = RAFT_TIMEOUT};
        kz_replica_step(r, &event, NULL);
    }
    kz_replica_leave(r);
}

/* Pre-vote holds a false alarm, and nothing here relies on a lease: a short timeout costs at worst an election. */
void kz_replica_peer_lost(struct kz_replica *r, uint64_t id)
{
    if (!kz_replica_enter(r)) return;
    struct kz_replica_peer *peer = kz_replica_find_peer(r, id);
    if (peer) {
        kz_replica_window_reset(peer);
        kz_snapshot_peer_lost(peer);
    }
    if (r->options.fast_election_ms > 0 && r->core.state == RAFT_FOLLOWER && leader_of(r) == id) {
        raft_set_election_timeout(&r->core, r->options.fast_election_ms);
        r->fast_until_ms = kz_replica_now(r) + FAST_ELECTION_ROUNDS * r->options.fast_election_ms;
    }
    kz_replica_leave(r);
}

void kz_replica_stop_snapshots(struct kz_replica *r)
{
    for (size_t i = 0; i < r->peer_count; i++) {
        if (!r->peers[i].snapshot) continue;
        kz_snapshot_stop(r, &r->peers[i]);
        r->peers[i].snapshot_hold_ms = kz_replica_now(r) + r->options.snapshot_timeout_ms;
    }
}

void kz_replica_end_fast_election(struct kz_replica *r)
{
    if (r->fast_until_ms == 0) return;
    r->fast_until_ms = 0;
    raft_set_election_timeout(&r->core, r->options.election_timeout_ms);
}

static uint64_t waiting_bytes(const struct kz_replica *r)
{
    return kz_replica_log_total(&r->log, r->log.last) - kz_replica_log_total(&r->log, r->commit) + r->proposal_bytes;
}

enum kz_code kz_replica_propose(struct kz_replica *r, const uint8_t *data, size_t size_bytes, uint64_t *out_index,
                                uint64_t *out_term)
{
    if (r->dead || !r->started || !kz_replica_is_leader(r) || is_transferring(r)) return KZ_NOT_LEADER;
    if (r->transfer_target != 0) return KZ_BUSY;
    if (size_bytes > KZ_ENTRY_MAX_BYTES) return KZ_TOO_BIG;
    if (waiting_bytes(r) + size_bytes > KZ_PROPOSAL_QUEUE_MAX_BYTES || r->proposal_count == KZ_PROPOSALS_MAX)
        return KZ_BUSY;
    if (r->proposal_count == r->proposal_room) {
        r->proposal_room = r->proposal_room ? r->proposal_room * 2 : 64;
        r->proposals = kz_must_realloc(r->proposals, r->proposal_room * sizeof(*r->proposals));
    }
    r->proposals[r->proposal_count++] = (struct kz_replica_proposal){kz_must_memdup(data, size_bytes), size_bytes};
    r->proposal_bytes += size_bytes;
    *out_index = r->log.last + r->proposal_count;
    *out_term = raft_current_term(&r->core);
    return KZ_OK;
}

enum kz_code kz_replica_read(struct kz_replica *r, kz_read_callback callback, void *data)
{
    if (r->dead || !r->started || !kz_replica_is_leader(r)) return KZ_NOT_LEADER;
    return kz_gate_add(&r->gate, callback, data);
}

/* ---- what is the state? ---- */

static bool has_quorum(const struct kz_replica *r)
{
    uint64_t now = kz_replica_now(r), limit = r->options.election_timeout_ms;
    if (!kz_replica_is_leader(r))
        return leader_of(r) != 0 && r->leader_heard_ms > 0 && now - r->leader_heard_ms <= 2 * limit;
    size_t heard = 0;
    for (unsigned i = 0; i < r->core.configuration.n; i++) {
        const struct raft_server *server = &r->core.configuration.servers[i];
        const struct kz_replica_peer *peer = kz_replica_find_peer(r, server->id);
        if (server->role != RAFT_VOTER) continue;
        heard += server->id == r->options.id || (peer && peer->heard_ms > 0 && now - peer->heard_ms <= limit);
    }
    return heard > kz_replica_voters(r) / 2;
}

void kz_replica_get_status(const struct kz_replica *r, struct kz_replica_status *out)
{
    *out = (struct kz_replica_status){
        .role = role_of(r),
        .term = r->started ? raft_current_term(&r->core) : r->hard.term,
        .leader_id = r->started ? leader_of(r) : 0,
        .commit_index = r->commit,
        .applied_index = r->applied,
        .stored_index = r->stored,
        .first_index = r->log.base_index + 1,
        .last_index = r->log.last,
        .ready = kz_replica_is_ready(r),
        .quorum = r->started && !r->dead && has_quorum(r),
        .leader_contact_ms = kz_replica_is_leader(r) ? kz_replica_now(r) : r->leader_heard_ms,
        .installing = r->installing,
    };
}

uint64_t kz_replica_configuration(const struct kz_replica *r, bool *committed)
{
    *committed = r->core.configuration_uncommitted_index == 0;
    return *committed ? r->core.configuration_committed_index : r->core.configuration_uncommitted_index;
}

size_t kz_replica_members(const struct kz_replica *r, struct kz_member *out, size_t room)
{
    const struct raft_configuration *configuration = &r->core.configuration;
    for (unsigned i = 0; i < configuration->n && i < room; i++) {
        const struct raft_server *server = &configuration->servers[i];
        out[i] = (struct kz_member){.id = server->id, .voter = server->role == RAFT_VOTER};
        snprintf(out[i].address, sizeof(out[i].address), "%s", server->address);
    }
    return configuration->n;
}

bool kz_replica_peer_progress(const struct kz_replica *r, uint64_t id, uint64_t *match_index, uint64_t *heard_ms)
{
    raft_index match;
    const struct kz_replica_peer *peer = kz_replica_find_peer(r, id);
    if (!kz_replica_is_leader(r) || raft_match_index(&r->core, id, &match) != 0) return false;
    *match_index = match;
    *heard_ms = peer ? peer->heard_ms : 0;
    return true;
}
