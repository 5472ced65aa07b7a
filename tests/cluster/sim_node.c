/* SPDX-License-Identifier: Apache-2.0 */
/* One node: the driver's io on virtual time, and its births and deaths. */
#include <stdlib.h>
#include <string.h>

#include "tests/cluster/sim.h"

#define SPINS_MAX 200u /* timers at one instant before we call it a busy loop */
#define DIRT_WORDS 1024
#define CONFIGURATION_EVERY 8u /* steps; the check is dear */

/* The core answers some messages from uninitialised stack (D1). What lies there is up to the compiler; so that the
 * mutant of STALE_REPLY does what it may do anywhere, the stack is filled with a plausible index before every step. */
static void __attribute__((noinline)) dirty_stack(uint64_t value)
{
    volatile uint64_t words[DIRT_WORDS];
    for (size_t i = 0; i < DIRT_WORDS; i++)
        words[i] = value;
    kz_assert(words[0] == value);
}

static uint64_t now_ms(void *data)
{
    const struct sim_node *node = data;
    if (node->sim->options.guards_off & KZ_GUARD(STALE_REPLY)) dirty_stack(sim_checks_of(node)->committed_last + 3);
    return node->sim->now_us / US_PER_MS + node->offset_ms;
}

static void put_hard(void *data, uint64_t seq, uint64_t term, uint64_t voted_for)
{
    sim_check_hard(data, term, voted_for);
    sim_disk_queue(data, (struct sim_job){.seq = seq, .kind = SIM_HARD, .a = term, .b = voted_for});
}

static void append(void *data, uint64_t seq, uint64_t index, const struct kz_entry *entries, size_t count)
{
    struct sim_node *node = data;
    struct kz_entry *copies = kz_must_memdup(entries, count * sizeof(*entries));
    for (size_t i = 0; i < count; i++)
        if (copies[i].size_bytes > 0) copies[i].data = kz_must_memdup(copies[i].data, copies[i].size_bytes);
    sim_check_append(node, index, count);
    sim_disk_queue(node,
                   (struct sim_job){.seq = seq, .kind = SIM_APPEND, .a = index, .entries = copies, .count = count});
}

static void apply(void *data, uint64_t seq, uint64_t upto, uint64_t commit_hint)
{
    sim_check_apply_asked(data, upto, commit_hint);
    sim_disk_queue(data, (struct sim_job){.seq = seq, .kind = SIM_APPLY, .a = upto, .b = commit_hint});
}

static void compact(void *data, uint64_t seq, uint64_t upto)
{
    sim_disk_queue(data, (struct sim_job){.seq = seq, .kind = SIM_COMPACT, .a = upto});
}

static void import_begin(void *data, uint64_t seq, const struct kz_import_origin *origin)
{
    sim_disk_queue(data, (struct sim_job){
                             .seq = seq, .kind = SIM_IMPORT_BEGIN, .origin = kz_must_memdup(origin, sizeof(*origin))});
}

static void import_rows(void *data, uint64_t seq, const uint8_t *rows, size_t size_bytes,
                        const struct kz_import_mark *mark)
{
    sim_disk_queue(data, (struct sim_job){.seq = seq,
                                          .kind = SIM_IMPORT_ROWS,
                                          .bytes = kz_must_memdup(rows, size_bytes),
                                          .size_bytes = size_bytes,
                                          .mark = *mark});
}

static void import_drop(void *data, uint64_t seq)
{
    sim_disk_queue(data, (struct sim_job){.seq = seq, .kind = SIM_IMPORT_DROP});
}

static void install(void *data, uint64_t seq, const struct kz_snapshot_meta *meta)
{
    struct sim_node *node = data;
    if (node->replica->incoming.origin.transfer == node->resumable) node->sim->stats.resumed++;
    node->resumable = 0;
    sim_story(node->sim, "n%llu installs a snapshot at %llu^%llu", (unsigned long long)node->id,
              (unsigned long long)meta->index, (unsigned long long)meta->term);
    sim_disk_queue(node,
                   (struct sim_job){.seq = seq, .kind = SIM_INSTALL, .meta = kz_must_memdup(meta, sizeof(*meta))});
}

static bool read_entry(void *data, uint64_t index, struct kz_entry *entry, uint64_t *chain)
{
    struct sim_node *node = data;
    return node->sim->backend->read_entry(node->store, index, entry, chain);
}

static void *export_open(void *data, struct kz_snapshot_meta *meta)
{
    struct sim_node *node = data;
    return node->sim->backend->export_open(node->store, meta);
}

static bool export_next(void *data, void *export, uint8_t *out, size_t room, size_t *size_bytes)
{
    struct sim_node *node = data;
    return node->sim->backend->export_next(node->store, export, out, room, size_bytes);
}

static void export_close(void *data, void *export)
{
    struct sim_node *node = data;
    node->sim->backend->export_close(node->store, export);
}

static void send_message(void *data, uint64_t peer, const Kz__PeerMessage *message)
{
    sim_check_message(data, peer, message);
    sim_net_send(data, peer, message, false);
}

static bool send_bulk(void *data, uint64_t peer, const Kz__PeerMessage *message)
{
    sim_check_message(data, peer, message);
    sim_net_send(data, peer, message, true);
    return true;
}

static void arm(struct sim_node *node)
{
    if (node->timer_armed_us > 0 && node->timer_armed_us <= node->timer_want_us)
        return; /* that one will arm the next */
    node->timer_armed_us = node->timer_want_us;
    sim_post(node->sim, node->timer_want_us,
             (struct sim_event){.kind = SIM_TIMER, .node = node->id, .life = node->life});
}

static void set_timer(void *data, uint64_t at_ms)
{
    struct sim_node *node = data;
    if (at_ms <= now_ms(node))
        sim_fail(node->sim, "node %llu arms a timer that is due already: while the core's stays so, it spins",
                 (unsigned long long)node->id);
    uint64_t at_us = at_ms > node->offset_ms ? (at_ms - node->offset_ms) * US_PER_MS : 0;
    node->timer_want_us = at_us > node->sim->now_us ? at_us : node->sim->now_us;
    arm(node);
}

void sim_node_timer(struct sim_node *node)
{
    struct sim *sim = node->sim;
    if (node->timer_armed_us != sim->now_us) return;
    node->timer_armed_us = 0;
    if (node->timer_want_us > sim->now_us) {
        arm(node);
        return;
    }
    node->timer_spins = node->timer_spin_at_us == sim->now_us ? node->timer_spins + 1 : 0;
    node->timer_spin_at_us = sim->now_us;
    if (node->timer_spins > SPINS_MAX)
        sim_fail(sim, "node %llu spins on a timer in the past", (unsigned long long)node->id);
    kz_replica_tick(node->replica);
    sim_node_after_input(node);
}

static void role_changed(void *data, enum kz_raft_role role, uint64_t term, uint64_t leader_id)
{
    struct sim_node *node = data;
    if (role != node->role || role == KZ_RAFT_LEADER)
        sim_story(node->sim, "n%llu %s term %llu leader n%llu", (unsigned long long)node->id, kz_raft_role_name(role),
                  (unsigned long long)term, (unsigned long long)leader_id);
    if (role != KZ_RAFT_LEADER || term != node->term) sim_load_unknown(node);
    sim_notes_leader_changed(node);
}

static void applied(void *data, uint64_t index)
{
    sim_load_applied(data, index);
    sim_notes_applied(data);
}

static void fatal(void *data, const char *text)
{
    struct sim_node *node = data;
    sim_fail(node->sim, "node %llu stops: %s", (unsigned long long)node->id, text);
}

void sim_node_make(struct sim_node *node, const uint8_t *first_entry, size_t size_bytes)
{
    node->exists = true;
    node->store = node->sim->backend->make(node, first_entry, size_bytes);
    node->durable_last = first_entry ? 1 : 0;
    node->io = (struct kz_replica_io){
        .data = node,
        .now_ms = now_ms,
        .put_hard = put_hard,
        .append = append,
        .apply = apply,
        .compact = compact,
        .import_begin = import_begin,
        .import_rows = import_rows,
        .import_drop = import_drop,
        .install = install,
        .read_entry = read_entry,
        .export_open = export_open,
        .export_next = export_next,
        .export_close = export_close,
        .send = send_message,
        .send_bulk = send_bulk,
        .set_timer = set_timer,
        .role_changed = role_changed,
        .applied = applied,
        .fatal = fatal,
    };
}

static struct kz_replica_options options_of(struct sim_node *node)
{
    struct sim *sim = node->sim;
    const struct sim_profile *profile = &sim->profile;
    bool keeps = node->id <= profile->voters;
    return (struct kz_replica_options){
        .id = node->id,
        .address = node->address,
        .election_timeout_ms = profile->election_ms,
        .heartbeat_ms = profile->heartbeat_ms,
        .fast_election_ms = profile->fast_ms,
        .max_inflight_entries = profile->inflight,
        .window_bytes = profile->window_bytes,
        .chunk_bytes = profile->chunk_bytes,
        .ring_bytes = profile->ring_bytes,
        .compact_bytes = profile->mixed_logs && keeps ? UINT32_MAX : profile->compact_bytes,
        .compact_entries = profile->mixed_logs ? (keeps ? UINT32_MAX : 3) : profile->compact_entries,
        .trailing_entries = profile->mixed_logs && !keeps ? 0 : profile->trailing,
        .snapshot_timeout_ms = profile->snapshot_timeout_ms,
        .snapshot_keep_ms = profile->snapshot_keep_ms,
        .snapshot_rate = profile->snapshot_rate,
        .seed = (uint32_t)sim_random(sim),
        .guards = KZ_GUARD_ALL & ~sim->options.guards_off,
    };
}

static void resume_import(struct sim_node *node)
{
    struct kz_import_origin origin;
    struct kz_import_mark mark;
    if (!node->sim->backend->import(node->store, &origin, &mark)) return;
    sim_story(node->sim, "n%llu holds %llu chunks of transfer %llx", (unsigned long long)node->id,
              (unsigned long long)mark.next, (unsigned long long)origin.transfer);
    kz_replica_resume_import(node->replica, &origin, &mark);
    node->resumable = origin.transfer;
}

void sim_node_start(struct sim_node *node)
{
    struct sim *sim = node->sim;
    struct kz_replica_options options = options_of(node);
    struct kz_hard_state hard;
    struct kz_applied state;
    struct kz_err err;
    sim->stats.starts++;
    node->life++;
    node->up = true;
    node->restart_posted = 0;
    node->timer_armed_us = 0;
    node->role = KZ_RAFT_FOLLOWER;
    node->term = 0;
    sim->backend->load(node->store, &hard, &state);
    node->durable_last = hard.last_index;
    node->durable_term = hard.term;
    node->durable_vote = hard.voted_for;
    node->paused_until_us = 0;
    node->commit_seen = state.index;
    node->epoch = hard.epoch;
    sim_notes_open(node);
    sim_story(sim, "n%llu starts: term %llu vote n%llu applied %llu log %llu..%llu hint %llu",
              (unsigned long long)node->id, (unsigned long long)hard.term, (unsigned long long)hard.voted_for,
              (unsigned long long)state.index, (unsigned long long)hard.first_index,
              (unsigned long long)hard.last_index, (unsigned long long)hard.commit_hint);
    if (hard.commit_hint > state.index) sim->stats.hinted += hard.commit_hint - state.index;
    node->replica = kz_replica_new(&options, &node->io);
    resume_import(node);
    if (kz_replica_start(node->replica, &hard, &state, &err) != KZ_OK)
        sim_fail(sim, "node %llu does not start: %s", (unsigned long long)node->id, err.text);
    sim_node_after_input(node);
}

void sim_node_crash(struct sim_node *node, const char *why)
{
    if (!node->up) return;
    node->sim->stats.crashes++;
    sim_story(node->sim, "n%llu crashes (%s)", (unsigned long long)node->id, why);
    node->up = false;
    node->life++;
    sim_load_unknown(node);
    kz_replica_free(node->replica);
    node->replica = NULL;
    sim_notes_close(node);
    sim_net_break(node->sim, node->id);
    sim_disk_crash(node);
    sim_fault_lost(node->sim, node->id);
}

void sim_node_after_input(struct sim_node *node)
{
    struct sim *sim = node->sim;
    sim->stats.steps++;
    sim_check_node(node);
    if (++node->steps % CONFIGURATION_EVERY == 0) sim_check_configuration(node);
    if (sim->chaos && sim_chance(sim, sim->profile.crash_point)) sim_node_crash(node, "between two steps");
}

struct sim_node *sim_leader(struct sim *sim)
{
    struct sim_node *best = NULL;
    for (uint64_t id = 1; id <= SIM_NODES; id++) {
        struct sim_node *node = &sim->nodes[id];
        if (node->up && node->role == KZ_RAFT_LEADER &&
            (!best || node->epoch > best->epoch || (node->epoch == best->epoch && node->term > best->term)))
            best = node;
    }
    return best;
}

struct sim_node *sim_any_leader(struct sim *sim)
{
    uint64_t first = sim_below(sim, SIM_NODES);
    for (uint64_t i = 0; i < SIM_NODES; i++) {
        struct sim_node *node = &sim->nodes[1 + (first + i) % SIM_NODES];
        if (node->up && node->role == KZ_RAFT_LEADER) return node;
    }
    return NULL;
}
