/* SPDX-License-Identifier: Apache-2.0 */
/* Store work: what is asked of the store, in order, and what follows when it is durable. */
#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/base/failpoint.h"
#include "node/consensus/replica_core.h"

static struct kz_replica_job *job_at(const struct kz_replica *r, size_t position)
{
    return &r->jobs[(r->job_first + position) & (r->job_room - 1)];
}

static void grow_jobs(struct kz_replica *r)
{
    if (r->job_count < r->job_room) return;
    size_t room = r->job_room ? r->job_room * 2 : 64;
    struct kz_replica_job *jobs = kz_must_alloc(room, sizeof(*jobs));
    for (size_t i = 0; i < r->job_count; i++)
        jobs[i] = *job_at(r, i);
    free(r->jobs);
    r->jobs = jobs;
    r->job_room = room;
    r->job_first = 0;
}

uint64_t kz_replica_add_job(struct kz_replica *r, struct kz_replica_job job)
{
    grow_jobs(r);
    job.seq = ++r->seq;
    *job_at(r, r->job_count++) = job;
    return job.seq;
}

void kz_replica_cut_jobs(struct kz_replica *r, uint64_t index)
{
    for (size_t i = 0; i < r->job_count; i++) {
        struct kz_replica_job *job = job_at(r, i);
        if (job->kind == JOB_APPEND && job->valid_last >= index) job->valid_last = index > 0 ? index - 1 : 0;
    }
}

/* The applied state names the newest change at or below it. */
static void advance_applied(struct kz_replica *r, uint64_t index, uint64_t term)
{
    if (index <= r->applied) return;
    r->applied = index;
    r->applied_term = term;
    for (size_t i = 0; i < r->log.change_count; i++) {
        const struct kz_replica_log_change *change = &r->log.changes[i];
        if (change->index > index || change->index <= r->conf_index) continue;
        r->conf_index = change->index;
        r->conf_bytes = change->size_bytes;
        memcpy(r->conf, change->data, change->size_bytes);
    }
    kz_replica_log_forget_changes(&r->log, r->conf_cursor < index ? r->conf_cursor : index);
}

static bool finish_install(struct kz_replica *r)
{
    const struct kz_snapshot_meta *meta = &r->install;
    KZ_FAILPOINT("snapshot.installed");
    struct raft_event event = {.type = RAFT_PERSISTED_SNAPSHOT};
    event.persisted_snapshot.metadata.index = meta->index;
    event.persisted_snapshot.metadata.term = meta->term;
    event.persisted_snapshot.metadata.configuration_index = meta->configuration_index;
    kz_assert(kz_conf_decode(meta->configuration, meta->configuration_bytes,
                             &event.persisted_snapshot.metadata.configuration)); /* the core frees it */
    event.persisted_snapshot.last = true;

    r->installing = false;
    r->stored = r->applied = r->apply_asked = r->conf_cursor = r->compacted = meta->index;
    r->applied_term = meta->term;
    r->conf_index = meta->configuration_index;
    r->conf_bytes = meta->configuration_bytes;
    memcpy(r->conf, meta->configuration, meta->configuration_bytes);
    if (r->commit < meta->index) r->commit = meta->index;
    if (r->core_commit < meta->index) r->core_commit = meta->index;
    if (!kz_replica_step(r, &event, NULL)) return false;
    kz_snapshot_installed(r);
    return true;
}

static bool finish_append(struct kz_replica *r, uint64_t index)
{
    if (index <= r->stored || r->installing) return true;
    struct raft_event event = {.type = RAFT_PERSISTED_ENTRIES};
    event.persisted_entries.index = r->stored = index;
    return kz_replica_step(r, &event, NULL);
}

/* Takes finished jobs off; tells the highest appended index that is still the log's. */
static bool finish_jobs(struct kz_replica *r, uint64_t seq, uint64_t *appended)
{
    bool installed = false;
    *appended = 0;
    while (r->job_count > 0 && job_at(r, 0)->seq <= seq) {
        struct kz_replica_job job = *job_at(r, 0);
        r->job_first = (r->job_first + 1) & (r->job_room - 1);
        r->job_count--;
        if (job.kind == JOB_APPEND && job.valid_last >= job.first) *appended = job.valid_last;
        if (job.kind == JOB_APPLY) advance_applied(r, job.upto, job.term);
        if (job.kind == JOB_IMPORT) kz_snapshot_stored(r, job.transfer, job.sequence);
        if (job.kind == JOB_INSTALL) {
            *appended = 0;
            installed = job.seq == r->install_seq;
        }
    }
    return installed;
}

void kz_replica_stored(struct kz_replica *r, uint64_t seq)
{
    uint64_t appended;
    if (r->dead || seq <= r->seq_durable) return;
    kz_assert(!r->busy && seq <= r->seq);
    bool installed = finish_jobs(r, seq, &appended);
    r->seq_durable = seq;
    if (!r->started && !kz_replica_step_start(r)) return;
    if (!kz_replica_enter(r)) return;
    bool alive = (!installed || finish_install(r)) && finish_append(r, appended);
    if (alive) {
        kz_replica_log_evict(&r->log, r->options.ring_bytes, r->stored);
        kz_snapshot_settle(r);
    }
    kz_replica_leave(r);
}

void kz_replica_import_failed(struct kz_replica *r, uint64_t seq, const char *why)
{
    if (r->dead) return;
    if (r->installing && seq >= r->install_seq) {
        kz_replica_die(r, "the store refused a snapshot it was to install: %s", why);
        return;
    }
    kz_snapshot_refuse(r);
}

static void pump_apply(struct kz_replica *r)
{
    uint64_t limit = kz_guard_durable_apply(r->options.guards, r->commit, r->stored, r->log.last);
    while (r->apply_asked < limit && r->apply_asked < r->applied + KZ_APPLY_AHEAD_ENTRIES) {
        uint64_t upto = limit;
        if (upto > r->apply_asked + KZ_APPLY_STEP_ENTRIES) upto = r->apply_asked + KZ_APPLY_STEP_ENTRIES;
        uint64_t hint = kz_guard_hint(r->options.guards, r->commit, r->stored, r->log.last);
        uint64_t seq = kz_replica_add_job(
            r, (struct kz_replica_job){.kind = JOB_APPLY, .upto = upto, .term = kz_replica_log_term(&r->log, upto)});
        r->apply_asked = upto;
        r->io->apply(r->io->data, seq, upto, hint);
    }
}

/* The lowest entry that a follower we hear still needs: what he holds, or what the snapshot on its way to him holds. */
static uint64_t needed_floor(const struct kz_replica *r)
{
    uint64_t floor = r->applied, now = kz_replica_now(r);
    for (size_t i = 0; i < r->peer_count && kz_replica_is_leader(r); i++) {
        const struct kz_replica_peer *peer = &r->peers[i];
        raft_index match;
        if (raft_match_index(&r->core, peer->id, &match) != 0 || peer->heard_ms == 0 ||
            now - peer->heard_ms > 2 * (uint64_t)r->options.election_timeout_ms)
            continue;
        uint64_t held = match > peer->snapshot_index ? match : peer->snapshot_index;
        floor = held < floor ? held : floor;
    }
    return floor;
}

static uint64_t larger(uint64_t a, uint64_t b) { return a > b ? a : b; }

/* The log is to begin after this entry, so that at most `entries` and about `bytes` are kept below the applied one. */
static uint64_t tail_start(const struct kz_replica *r, uint64_t entries, uint64_t bytes)
{
    uint64_t start = r->applied > entries ? r->applied - entries : 0;
    return larger(start, kz_replica_log_tail_of(&r->log, r->applied, bytes));
}

static uint64_t compaction_target(const struct kz_replica *r)
{
    const struct kz_replica_options *o = &r->options;
    uint64_t target = tail_start(r, o->trailing_entries, o->compact_bytes), floor = needed_floor(r);
    if (floor >= target) return target;
    /* For him who is close behind, more is kept, within reason: else he would need one snapshot after another. */
    return larger(floor, tail_start(r, (o->trailing_entries + o->compact_entries) * KZ_COMPACT_PATIENCE,
                                    o->compact_bytes * KZ_COMPACT_PATIENCE));
}

static bool may_compact(const struct kz_replica *r)
{
    return r->conf_index != 0 && r->applied > r->compacted && r->applied <= r->core_commit &&
           r->applied <= r->log.last && r->applied > r->log.base_index;
}

static bool is_worth_it(const struct kz_replica *r, uint64_t target)
{
    if (target <= r->log.base_index) return false;
    return target - r->log.base_index >= r->options.compact_entries ||
           kz_replica_log_total(&r->log, target) - r->log.base_total >= r->options.compact_bytes;
}

static void drop_prefix(struct kz_replica *r, uint64_t upto)
{
    uint64_t chain;
    struct kz_entry entry;
    if (upto <= r->log.base_index) return;
    if (!kz_replica_log_chain(&r->log, upto, &chain) && !r->io->read_entry(r->io->data, upto, &entry, &chain)) {
        kz_replica_die(r, "entry %llu cannot be read", (unsigned long long)upto);
        return;
    }
    kz_replica_log_drop_prefix(&r->log, upto, chain);
    uint64_t seq = kz_replica_add_job(r, (struct kz_replica_job){.kind = JOB_COMPACT});
    r->io->compact(r->io->data, seq, upto);
}

/* The applied state in the store *is* the snapshot: all there is to do is to tell the core and drop a prefix. */
static void pump_compaction(struct kz_replica *r)
{
    if (!may_compact(r)) return;
    uint64_t target = compaction_target(r), trailing = r->applied - target;
    if (!is_worth_it(r, target) || trailing > UINT32_MAX) return;
    struct raft_event event = {.type = RAFT_SNAPSHOT};
    event.snapshot.metadata.index = r->applied;
    event.snapshot.metadata.term = r->applied_term;
    event.snapshot.metadata.configuration_index = r->conf_index;
    kz_assert(kz_conf_decode(r->conf, r->conf_bytes, &event.snapshot.metadata.configuration)); /* the core frees it */
    event.snapshot.trailing = (unsigned)trailing;
    r->compacted = r->applied;
    if (kz_replica_step(r, &event, NULL)) drop_prefix(r, r->core.trail.offset);
}

void kz_replica_pump_work(struct kz_replica *r)
{
    if (r->installing) return;
    pump_apply(r);
    pump_compaction(r);
}
