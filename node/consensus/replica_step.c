/* SPDX-License-Identifier: Apache-2.0 */
/* One event through raft_step() and everything its update asks for, in the order LIBRARIES gives ("Handle one update
 * completely, in this order, before the next step"): term and vote, snapshot, entries, messages, state, commit. */
#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/consensus/replica_core.h"

#define CAPACITY UINT16_MAX /* free disk is watched by the service; capacity_threshold stays 0 */

static void save_hard_state(struct kz_replica *r)
{
    uint64_t term = raft_current_term(&r->core), vote = raft_voted_for(&r->core);
    r->hard_seq = kz_replica_add_job(r, (struct kz_replica_job){.kind = JOB_HARD});
    r->io->put_hard(r->io->data, r->hard_seq, term, vote);
}

static void begin_install(struct kz_replica *r, struct raft_update *update)
{
    struct raft_snapshot_metadata *metadata = &update->snapshot.metadata;
    raft_free(update->snapshot.chunk.base);
    raft_configuration_close(&metadata->configuration); /* decoded again when it is installed */
    kz_assert(r->incoming.origin.meta.index == metadata->index);
    r->install = r->incoming.origin.meta;
    r->installing = true;
    kz_replica_cut_jobs(r, 0); /* the entries they hold are no longer the log's */
    kz_replica_log_reset(&r->log, r->install.index, r->install.term, r->install.chain);
    r->stored = 0;
    r->install_seq = kz_replica_add_job(r, (struct kz_replica_job){.kind = JOB_INSTALL});
    r->io->install(r->io->data, r->install_seq, &r->install);
}

static bool truncate_log(struct kz_replica *r, uint64_t index)
{
    uint64_t chain = 0;
    struct kz_entry entry;
    if (index <= r->commit || index <= r->applied) {
        kz_replica_die(r, "entry %llu is committed (%llu) and would be overwritten", (unsigned long long)index,
                       (unsigned long long)r->commit);
        return false;
    }
    if (!kz_replica_log_chain(&r->log, index - 1, &chain) &&
        !r->io->read_entry(r->io->data, index - 1, &entry, &chain)) {
        kz_replica_die(r, "entry %llu cannot be read", (unsigned long long)index - 1);
        return false;
    }
    kz_replica_log_truncate(&r->log, index, chain);
    kz_replica_cut_jobs(r, index);
    if (r->stored >= index) r->stored = index - 1;
    return true;
}

/* The core names entries by index, term and type; their bytes are those of this step's input. Its own barrier has
 * none. */
static struct kz_entry entry_of(const struct raft_entry *named, uint64_t index, const struct kz_replica_input *input)
{
    struct kz_entry entry = {.term = named->term, .type = (enum kz_entry_type)named->type};
    if (input && index >= input->first_index && index - input->first_index < input->count) {
        const struct kz_entry *source = &input->entries[index - input->first_index];
        kz_assert(source->term == entry.term && source->type == entry.type);
        entry.data = source->data;
        entry.size_bytes = source->size_bytes;
    }
    return entry;
}

static bool take_entries(struct kz_replica *r, struct raft_update *update, const struct kz_replica_input *input)
{
    uint64_t index = update->entries.index;
    size_t count = update->entries.n;
    void *batch = update->entries.batch[0].batch;
    if (index <= r->log.last && !truncate_log(r, index)) return false;
    if (index != r->log.last + 1) {
        kz_replica_die(r, "the core appends at %llu after %llu", (unsigned long long)index,
                       (unsigned long long)r->log.last);
        return false;
    }
    struct kz_entry *entries = kz_must_alloc(count, sizeof(*entries));
    for (size_t i = 0; i < count; i++) {
        entries[i] = entry_of(&update->entries.batch[i], index + i, input);
        kz_replica_log_append(&r->log, &entries[i]);
    }
    uint64_t seq = kz_replica_add_job(
        r, (struct kz_replica_job){.kind = JOB_APPEND, .first = index, .valid_last = index + count - 1});
    r->io->append(r->io->data, seq, index, entries, count);
    free(entries);
    raft_free(batch); /* ours since the update has entries; the array always was */
    return true;
}

static void check_update_array(const struct raft_event *event, const struct raft_update *update)
{
    /* A later libraft under the same version number copies the array and gives it away: then ours would leak and
     * its be lost. Better to stop at the first proposal than to drift. */
    if (event->type == RAFT_SUBMIT && (update->flags & (RAFT_UPDATE_ENTRIES)))
        kz_assert(update->entries.batch == event->submit.entries);
}

static void become_leader(struct kz_replica *r)
{
    kz_gate_reset(&r->gate);
    for (size_t i = 0; i < r->peer_count; i++) {
        r->peers[i].ack_round = 0;
        r->peers[i].snapshot_index = 0;
        r->peers[i].heard_ms = 0;
        kz_replica_window_reset(&r->peers[i]);
    }
    bool own_term = kz_replica_log_term(&r->log, r->log.last) == raft_current_term(&r->core);
    r->lead_start = own_term ? r->log.last : r->log.last + 1;
}

static void take_state(struct kz_replica *r)
{
    enum raft_state state = raft_state(&r->core);
    if (r->state_seen == RAFT_LEADER && state != RAFT_LEADER) {
        kz_gate_reset(&r->gate);
        r->transfer_target = 0;
        for (size_t i = 0; i < r->peer_count; i++)
            kz_snapshot_stop(r, &r->peers[i]);
    }
    if (state == RAFT_LEADER) become_leader(r);
    r->state_seen = state;
}

/* D9: the core's own commit index steps back now and then; ours never does. */
static void take_commit(struct kz_replica *r)
{
    uint64_t commit = raft_commit_index(&r->core);
    if (commit > r->core_commit) r->core_commit = commit;
    if (commit > r->commit) r->commit = commit;
}

static bool handle_update(struct kz_replica *r, struct raft_update *update, const struct kz_replica_input *input)
{
    unsigned flags = update->flags;
    if (flags & ((RAFT_UPDATE_CURRENT_TERM) | (RAFT_UPDATE_VOTED_FOR))) save_hard_state(r);
    if (flags & (RAFT_UPDATE_SNAPSHOT)) begin_install(r, update);
    if ((flags & (RAFT_UPDATE_ENTRIES)) && !take_entries(r, update, input)) return false;
    /* Before the messages, although the list says after: windows and rounds of an earlier reign end here, and the
     * first messages of a new one must find them empty. No message depends on it otherwise. */
    if (flags & (RAFT_UPDATE_STATE)) take_state(r);
    if (flags & (RAFT_UPDATE_COMMIT_INDEX)) take_commit(r);
    if (flags & (RAFT_UPDATE_MESSAGES))
        for (unsigned i = 0; i < update->messages.n; i++)
            kz_replica_send_core(r, &update->messages.batch[i], input);
    return true;
}

static bool check_agreement(struct kz_replica *r)
{
    uint64_t last = raft_last_index(&r->core);
    if (r->stored == r->core.last_stored && (r->installing || r->log.last == last)) return true;
    kz_replica_die(r, "driver (stored %llu, last %llu) and core (stored %llu, last %llu) disagree",
                   (unsigned long long)r->stored, (unsigned long long)r->log.last,
                   (unsigned long long)r->core.last_stored, (unsigned long long)last);
    return false;
}

static bool persist_at_once(struct kz_replica *r)
{
    /* The mutant of DURABLE_ACK. */
    if ((r->options.guards & KZ_GUARD(DURABLE_ACK)) || r->installing || r->stored >= r->log.last) return true;
    struct raft_event event = {.type = RAFT_PERSISTED_ENTRIES};
    event.persisted_entries.index = r->stored = r->log.last;
    return kz_replica_step(r, &event, NULL);
}

/* DESIGN 4: a new leader appends an entry of its own term at once. The core does so only when it has uncommitted
 * entries. */
static bool append_barrier(struct kz_replica *r)
{
    if (raft_state(&r->core) != RAFT_LEADER || r->lead_start != r->log.last + 1) return true;
    uint64_t *batch = raft_malloc(sizeof(*batch));
    kz_assert(batch != NULL);
    *batch = 0;
    struct raft_entry entry = {.term = raft_current_term(&r->core), .type = RAFT_BARRIER, .batch = batch};
    entry.buf = (struct raft_buffer){.base = batch, .len = sizeof(*batch)};
    struct raft_event event = {.type = RAFT_SUBMIT};
    event.submit.entries = &entry;
    event.submit.n = 1;
    return kz_replica_step(r, &event, NULL);
}

static bool feed_committed_changes(struct kz_replica *r)
{
    for (size_t i = 0; i < r->log.change_count && !r->installing; i++) {
        uint64_t index = r->log.changes[i].index;
        if (index <= r->conf_cursor || index > r->core_commit) continue;
        r->conf_cursor = index;
        if (!kz_replica_feed_change(r, index)) return false;
    }
    return true;
}

static bool raw_step(struct kz_replica *r, struct raft_event *event, const struct kz_replica_input *input)
{
    struct raft_update update;
    event->time = kz_replica_now(r);
    event->capacity = CAPACITY;
    int rv = raft_step(&r->core, event, &update);
    if (rv != 0) {
        if (event->type != RAFT_SUBMIT && event->type != RAFT_TRANSFER)
            kz_replica_die(r, "raft_step event %d: %s", (int)event->type, raft_strerror(rv));
        return false;
    }
    check_update_array(event, &update);
    return handle_update(r, &update, input) && check_agreement(r);
}

bool kz_replica_feed_change(struct kz_replica *r, uint64_t index)
{
    const struct kz_replica_log_change *change = kz_replica_log_find_change(&r->log, index);
    struct raft_event event = {.type = RAFT_CONFIGURATION};
    if (!change) return true;
    event.configuration.index = index;
    kz_assert(kz_conf_decode(change->data, change->size_bytes, &event.configuration.conf)); /* the core frees it */
    return raw_step(r, &event, NULL);
}

bool kz_replica_step(struct kz_replica *r, struct raft_event *event, const struct kz_replica_input *input)
{
    kz_assert(!r->dead);
    return raw_step(r, event, input) && append_barrier(r) && feed_committed_changes(r) && persist_at_once(r);
}
