/* SPDX-License-Identifier: Apache-2.0 */
/* START: the log, the applied state and the hard state as the store holds them become the core's. */
#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/consensus/replica_core.h"
#include "node/store/chain.h"

static enum kz_code check_bounds(const struct kz_hard_state *hard, const struct kz_applied *applied, struct kz_err *err)
{
    unsigned long long first = hard->first_index, last = hard->last_index, index = applied->index;
    if (hard->first_index == 0 || hard->last_index + 1 < hard->first_index)
        return kz_fail(err, KZ_CORRUPT, "log from entry %llu to %llu", first, last);
    if (applied->index > hard->last_index || applied->index + 1 < hard->first_index)
        return kz_fail(err, KZ_CORRUPT, "the log (%llu to %llu) does not hold the applied entry %llu", first, last,
                       index);
    if ((applied->index > 0 && applied->configuration_bytes == 0) || applied->configuration_index > applied->index)
        return kz_fail(err, KZ_CORRUPT, "state at entry %llu without its configuration", index);
    if (hard->term == 0 && (hard->last_index > 0 || hard->voted_for > 0))
        return kz_fail(err, KZ_CORRUPT, "a log or a vote without a term");
    return KZ_OK;
}

static enum kz_code check_entry(struct kz_replica *r, uint64_t index, const struct kz_entry *entry, uint64_t before,
                                uint64_t chain, struct kz_err *err)
{
    unsigned long long at = index;
    if (entry->term < kz_replica_log_term(&r->log, index - 1) || entry->term == 0 || entry->term > r->hard.term)
        return kz_fail(err, KZ_CORRUPT, "log entry %llu has term %llu", at, (unsigned long long)entry->term);
    if (index == 1 && entry->type != KZ_ENTRY_CHANGE)
        return kz_fail(err, KZ_CORRUPT, "log entry 1 is not a configuration");
    if (kz_chain_next(before, entry->term, (int)entry->type, entry->data, entry->size_bytes) != chain)
        return kz_fail(err, KZ_CORRUPT, "log entry %llu does not follow from the one before it", at);
    if (entry->type == KZ_ENTRY_CHANGE && kz_conf_check(entry->data, entry->size_bytes, err) != KZ_OK)
        return kz_fail(err, KZ_CORRUPT, "log entry %llu holds no valid configuration", at);
    return KZ_OK;
}

static enum kz_code load_log(struct kz_replica *r, const struct kz_hard_state *hard, struct kz_err *err)
{
    uint64_t before = hard->base_chain, chain;
    struct kz_entry entry;
    kz_replica_log_reset(&r->log, hard->first_index - 1, hard->base_term, hard->base_chain);
    for (uint64_t index = hard->first_index; index <= hard->last_index; index++) {
        if (!r->io->read_entry(r->io->data, index, &entry, &chain))
            return kz_fail(err, KZ_CORRUPT, "log entry %llu cannot be read", (unsigned long long)index);
        enum kz_code code = check_entry(r, index, &entry, before, chain, err);
        if (code != KZ_OK) return code;
        kz_replica_log_load(&r->log, &entry, chain);
        before = chain;
    }
    return KZ_OK;
}

static enum kz_code take_applied(struct kz_replica *r, const struct kz_applied *applied, struct kz_err *err)
{
    if (applied->index > 0) {
        if (kz_replica_log_term(&r->log, applied->index) != applied->term)
            return kz_fail(err, KZ_CORRUPT, "state and log disagree about the term of entry %llu",
                           (unsigned long long)applied->index);
        enum kz_code code = kz_conf_check(applied->configuration, applied->configuration_bytes, err);
        if (code != KZ_OK) return kz_fail(err, KZ_CORRUPT, "the state holds no valid configuration");
    }
    r->applied = r->apply_asked = r->applied_told = r->compacted = applied->index;
    r->applied_term = applied->term;
    r->conf_index = applied->configuration_index;
    r->conf_bytes = applied->configuration_bytes;
    memcpy(r->conf, applied->configuration, applied->configuration_bytes);
    return KZ_OK;
}

/* The commit index we begin with: the state, then what the hint lets us apply before any leader is known. */
static void take_commit_hint(struct kz_replica *r)
{
    uint64_t hint = r->hard.commit_hint < r->log.last ? r->hard.commit_hint : r->log.last;
    r->commit = r->applied > 0 ? r->applied : (r->log.last > 0 ? 1 : 0);
    r->core_commit = r->conf_cursor = r->commit;
    if (hint > r->commit) r->commit = hint;
}

static bool is_lone(const struct kz_replica *r)
{
    const uint8_t *data = r->conf;
    size_t size = r->conf_bytes;
    struct raft_configuration configuration;
    for (size_t i = 0; i < r->log.change_count; i++)
        if (r->log.changes[i].index > r->conf_index) {
            data = r->log.changes[i].data;
            size = r->log.changes[i].size_bytes;
        }
    if (size == 0 || r->hard.term == 0) return false;
    kz_assert(kz_conf_decode(data, size, &configuration));
    bool lone = kz_guard_lone_term(r->options.guards, &configuration, r->options.id);
    raft_configuration_close(&configuration);
    return lone;
}

enum kz_code kz_replica_start(struct kz_replica *r, const struct kz_hard_state *hard, const struct kz_applied *applied,
                              struct kz_err *err)
{
    kz_assert(!r->started && r->seq == 0);
    r->hard = *hard;
    enum kz_code code = check_bounds(hard, applied, err);
    if (code == KZ_OK) code = load_log(r, hard, err);
    if (code == KZ_OK) code = take_applied(r, applied, err);
    if (code != KZ_OK) {
        r->dead = true;
        return code;
    }
    r->stored = r->log.last;
    take_commit_hint(r);
    if (is_lone(r)) {
        r->hard.term++;
        r->hard.voted_for = r->options.id;
        r->hard_seq = kz_replica_add_job(r, (struct kz_replica_job){.kind = JOB_HARD});
        r->io->put_hard(r->io->data, r->hard_seq, r->hard.term, r->hard.voted_for);
        return KZ_OK; /* goes on in kz_replica_stored */
    }
    if (kz_replica_step_start(r) && kz_replica_enter(r)) kz_replica_leave(r);
    return KZ_OK;
}

/* Terms and types of the log; bytes only of changes. `batch` is never looked at on success but must not be NULL. */
static struct raft_entry *make_entries(const struct kz_replica *r, size_t count)
{
    struct raft_entry *entries = kz_must_alloc(count + 1, sizeof(*entries));
    for (size_t i = 0; i < count; i++) {
        entries[i].term = kz_replica_log_term(&r->log, r->log.base_index + 1 + i);
        entries[i].type = RAFT_COMMAND;
        entries[i].batch = entries;
    }
    for (size_t i = 0; i < r->log.change_count; i++) {
        const struct kz_replica_log_change *change = &r->log.changes[i];
        struct raft_entry *entry = &entries[change->index - r->log.base_index - 1];
        entry->type = RAFT_CHANGE;
        entry->buf = (struct raft_buffer){.base = change->data, .len = change->size_bytes};
    }
    return entries;
}

bool kz_replica_step_start(struct kz_replica *r)
{
    struct raft_event event = {.type = RAFT_START};
    struct raft_snapshot_metadata metadata = {.index = r->applied, .term = r->applied_term};
    if (r->hard_seq > r->seq_durable) return false;
    if (r->applied > 0) {
        metadata.configuration_index = r->conf_index;
        kz_assert(kz_conf_decode(r->conf, r->conf_bytes, &metadata.configuration)); /* the core frees it */
        event.start.metadata = &metadata;
    }
    size_t count = (size_t)(r->log.last - r->log.base_index);
    event.start.term = r->hard.term;
    event.start.voted_for = r->hard.voted_for;
    event.start.start_index = r->log.base_index + 1;
    event.start.entries = count > 0 ? make_entries(r, count) : NULL;
    event.start.n_entries = (unsigned)count;
    r->started = true;
    bool alive = kz_replica_step(r, &event, NULL);
    free(event.start.entries);
    if (alive) kz_replica_log_forget_changes(&r->log, r->conf_cursor < r->applied ? r->conf_cursor : r->applied);
    return alive;
}
