/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold after every step. */
#include <stdlib.h>
#include <string.h>

#include "tests/cluster/sim.h"

/* Room for element `index`, zeroed. */
static uint64_t *reach(uint64_t *array, size_t *room, uint64_t index)
{
    size_t before = *room;
    if (index < before) return array;
    while (*room <= index)
        *room = *room ? *room * 2 : 1024;
    array = kz_must_realloc(array, *room * sizeof(*array));
    memset(array + before, 0, (*room - before) * sizeof(*array));
    return array;
}

struct sim_checks *sim_checks_of(const struct sim_node *node) { return &node->sim->checks[node->epoch]; }

void sim_checks_free(struct sim_checks *checks)
{
    free(checks->entries.slots);
    free(checks->committed);
    free(checks->states);
    free(checks->leaders);
    free(checks->writes);
}

/* ---- log matching ---- */

static void grow_entries(struct sim_log_check *check)
{
    struct sim_log_check old = *check;
    if (check->count * 2 < check->room) return;
    check->room = old.room ? old.room * 2 : 4096;
    check->slots = kz_must_alloc(check->room, sizeof(*check->slots));
    for (size_t i = 0; i < old.room; i++) {
        if (old.slots[i].index == 0) continue;
        size_t at = sim_mix(old.slots[i].index, old.slots[i].term, 7) & (check->room - 1);
        while (check->slots[at].index != 0)
            at = (at + 1) & (check->room - 1);
        check->slots[at] = old.slots[i];
    }
    free(old.slots);
}

static void check_entry(struct sim_node *node, uint64_t index, uint64_t term, uint64_t chain)
{
    struct sim_log_check *check = &sim_checks_of(node)->entries;
    grow_entries(check);
    size_t at = sim_mix(index, term, 7) & (check->room - 1);
    for (; check->slots[at].index != 0; at = (at + 1) & (check->room - 1)) {
        if (check->slots[at].index != index || check->slots[at].term != term) continue;
        if (check->slots[at].chain != chain)
            sim_fail(node->sim, "log matching: node %llu has another entry %llu of term %llu than others",
                     (unsigned long long)node->id, (unsigned long long)index, (unsigned long long)term);
        return;
    }
    check->slots[at].index = index;
    check->slots[at].term = term;
    check->slots[at].chain = chain;
    check->count++;
}

uint64_t sim_chain(struct sim_node *node, uint64_t index, bool *known)
{
    uint64_t chain = 0;
    struct kz_entry entry;
    const struct kz_replica_log *log = &node->replica->log;
    /* Below the driver's log the store may still hold what a snapshot under way is about to replace. */
    *known = kz_replica_log_chain(log, index, &chain) ||
             (index > log->base_index && node->sim->backend->read_entry(node->store, index, &entry, &chain));
    return chain;
}

void sim_check_append(struct sim_node *node, uint64_t index, size_t count)
{
    if (node->role == KZ_RAFT_LEADER && index <= node->lead_last &&
        raft_current_term(&node->replica->core) == node->term)
        sim_fail(node->sim, "leader append-only: node %llu overwrites %llu", (unsigned long long)node->id,
                 (unsigned long long)index);
    for (uint64_t i = index; i < index + count; i++) {
        const struct kz_replica_log_slot *slot = kz_replica_log_get(&node->replica->log, i);
        check_entry(node, i, slot->term, slot->chain);
        if (kz_replica_is_leader(node->replica)) sim_check_change(node, i);
    }
}

/* ---- commit ---- */

static void check_committed(struct sim_node *node, uint64_t index, uint64_t chain)
{
    struct sim_checks *checks = sim_checks_of(node);
    checks->committed = reach(checks->committed, &checks->committed_room, index);
    if (checks->committed[index] != 0 && checks->committed[index] != chain)
        sim_fail(node->sim, "committed entries differ up to %llu (node %llu)", (unsigned long long)index,
                 (unsigned long long)node->id);
    node->sim->stats.commits += checks->committed[index] == 0;
    checks->committed[index] = chain;
    if (index > checks->committed_last) checks->committed_last = index;
}

static void check_commit(struct sim_node *node, uint64_t commit)
{
    struct sim_checks *checks = sim_checks_of(node);
    const struct kz_replica_log *log = &node->replica->log;
    bool known;
    if (commit < node->commit_seen)
        sim_fail(node->sim, "node %llu: commit index went from %llu back to %llu", (unsigned long long)node->id,
                 (unsigned long long)node->commit_seen, (unsigned long long)commit);
    uint64_t high = commit < log->last ? commit : log->last;
    for (uint64_t index = node->commit_seen + 1; index <= high; index++) {
        uint64_t chain = sim_chain(node, index, &known);
        if (known) check_committed(node, index, chain);
    }
    if (high > 0 && kz_replica_log_term(log, high) > checks->committed_term)
        checks->committed_term = kz_replica_log_term(log, high);
    if (kz_replica_is_leader(node->replica) && high > node->commit_seen) sim_check_majority(node, high);
    node->commit_seen = high > node->commit_seen ? high : node->commit_seen;
}

void sim_check_apply_asked(struct sim_node *node, uint64_t upto, uint64_t hint)
{
    struct sim *sim = node->sim;
    const struct sim_checks *checks = sim_checks_of(node);
    sim_check_node(node); /* what this step committed counts */
    if (upto > node->durable_last)
        sim_fail(sim, "node %llu applies %llu but only %llu is durable", (unsigned long long)node->id,
                 (unsigned long long)upto, (unsigned long long)node->durable_last);
    if (upto > checks->committed_last)
        sim_fail(sim, "node %llu applies %llu, committed is %llu", (unsigned long long)node->id,
                 (unsigned long long)upto, (unsigned long long)checks->committed_last);
    bool known;
    uint64_t chain = hint <= node->replica->log.last ? sim_chain(node, hint, &known) : 0;
    if (hint > checks->committed_last || hint > node->durable_last ||
        (hint > 0 && hint <= node->replica->log.last && known && chain != checks->committed[hint]))
        sim_fail(sim, "node %llu hints at %llu, committed is %llu", (unsigned long long)node->id,
                 (unsigned long long)hint, (unsigned long long)checks->committed_last);
}

void sim_check_applied(struct sim_node *node, uint64_t index, uint64_t term, uint64_t chain)
{
    struct sim_checks *checks = sim_checks_of(node);
    if (term > checks->committed_term) checks->committed_term = term;
    check_committed(node, index, chain);
}

void sim_check_state(struct sim_node *node, uint64_t applied, uint64_t hash)
{
    struct sim_checks *checks = sim_checks_of(node);
    hash |= 1; /* 0 = not known */
    checks->states = reach(checks->states, &checks->state_room, applied);
    if (checks->states[applied] != 0 && checks->states[applied] != hash)
        sim_fail(node->sim, "node %llu has another state at applied index %llu than others",
                 (unsigned long long)node->id, (unsigned long long)applied);
    checks->states[applied] = hash;
}

/* ---- elections ---- */

static void check_election(struct sim_node *node, uint64_t term)
{
    struct sim_checks *checks = sim_checks_of(node);
    const struct kz_replica_log *log = &node->replica->log;
    uint64_t committed = checks->committed_last;
    bool known;
    checks->leaders = reach(checks->leaders, &checks->leader_room, term);
    if (checks->leaders[term] != 0 && checks->leaders[term] != node->id)
        sim_fail(node->sim, "two leaders in term %llu: nodes %llu and %llu", (unsigned long long)term,
                 (unsigned long long)checks->leaders[term], (unsigned long long)node->id);
    checks->leaders[term] = node->id;
    node->sim->stats.elections++;
    node->lead_last = log->last;
    if (committed == 0 || checks->committed_term >= term)
        return; /* a deposed leader of an older term: others went on already */
    if (committed > log->last)
        sim_fail(node->sim, "leader completeness: node %llu leads term %llu without committed entry %llu (it has %llu)",
                 (unsigned long long)node->id, (unsigned long long)term, (unsigned long long)committed,
                 (unsigned long long)log->last);
    uint64_t chain = sim_chain(node, committed, &known);
    if (committed > log->base_index && known && chain != checks->committed[committed])
        sim_fail(node->sim, "leader completeness: node %llu leads term %llu with another entry %llu",
                 (unsigned long long)node->id, (unsigned long long)term, (unsigned long long)committed);
}

void sim_check_node(struct sim_node *node)
{
    struct kz_replica_status status;
    if (!node->up || !node->replica->started) return;
    kz_replica_get_status(node->replica, &status);
    if (status.role == KZ_RAFT_LEADER && (node->role != KZ_RAFT_LEADER || node->term != status.term)) {
        node->role = status.role;
        node->term = status.term;
        check_election(node, status.term);
    }
    node->role = status.role;
    node->term = status.term;
    check_commit(node, status.commit_index);
}

/* ---- rules of the wire and the disk ---- */

/* Every term begins with somebody who stands for it. */
void sim_check_hard(struct sim_node *node, uint64_t term, uint64_t vote)
{
    struct sim_checks *checks = sim_checks_of(node);
    if (term <= checks->term_started) return;
    if (term > 1 && vote != node->id)
        sim_fail(node->sim, "node %llu enters term %llu, for which nobody stood", (unsigned long long)node->id,
                 (unsigned long long)term);
    checks->term_started = term;
}

static void check_ack(struct sim_node *from, const Kz__AppendEntriesResult *result)
{
    if (result->rejected == 0 && result->last_log_index > from->durable_last)
        sim_fail(from->sim, "node %llu acknowledges entry %llu, durable is %llu", (unsigned long long)from->id,
                 (unsigned long long)result->last_log_index, (unsigned long long)from->durable_last);
}

static void check_vote(struct sim_node *from, const Kz__RequestVoteResult *result)
{
    if (result->vote_granted && !result->pre_vote && from->durable_term == result->term && from->durable_vote == 0)
        sim_fail(from->sim, "node %llu grants a vote that is not durable", (unsigned long long)from->id);
}

static void check_lone(struct sim_node *from, const Kz__AppendEntries *append)
{
    uint64_t last = append->prev_log_index + append->n_entries;
    if (append->n_entries > 0 && last > from->durable_last && kz_replica_voters(from->replica) == 1)
        sim_fail(from->sim, "node %llu, the only voter, sends entry %llu, durable is %llu",
                 (unsigned long long)from->id, (unsigned long long)last, (unsigned long long)from->durable_last);
}

static void note_transfer(struct sim_node *from, uint64_t target, uint64_t term)
{
    struct sim *sim = from->sim;
    struct sim_checks *checks = sim_checks_of(from);
    if (!sim->profile.calm) return;
    checks->transfer.target = target;
    checks->transfer.term = term;
    checks->transfer.until_us = sim->now_us + 2 * sim->profile.election_ms * US_PER_MS;
}

/* No message leaves before its term, vote or acknowledged entry is durable (DESIGN 4). */
void sim_check_message(struct sim_node *from, uint64_t to, const Kz__PeerMessage *message)
{
    uint64_t term = 0;
    if (message->append_entries) term = message->append_entries->term;
    if (message->append_entries_result) term = message->append_entries_result->term;
    if (message->request_vote && !message->request_vote->pre_vote) term = message->request_vote->term;
    if (message->request_vote_result && !message->request_vote_result->pre_vote)
        term = message->request_vote_result->term;
    if (message->probe_result) term = message->probe_result->term;
    if (term > from->durable_term)
        sim_fail(from->sim, "node %llu sends a message of term %llu, durable is %llu", (unsigned long long)from->id,
                 (unsigned long long)term, (unsigned long long)from->durable_term);
    if (message->append_entries_result) check_ack(from, message->append_entries_result);
    if (message->request_vote_result) check_vote(from, message->request_vote_result);
    if (message->append_entries) check_lone(from, message->append_entries);
    if (message->timeout_now) note_transfer(from, to, message->timeout_now->term);
}

/* When nothing else goes wrong, leadership arrives where it was sent. */
void sim_check_transfer(struct sim *sim)
{
    struct sim_checks *checks = &sim->checks[sim->epoch];
    uint64_t target = checks->transfer.target;
    if (target == 0 || sim->now_us < checks->transfer.until_us) return;
    checks->transfer.target = 0;
    for (uint64_t term = checks->transfer.term + 1; term < checks->leader_room; term++)
        if (checks->leaders[term] == target) return;
    sim_fail(sim, "leadership of term %llu was sent to node %llu and never arrived",
             (unsigned long long)checks->transfer.term, (unsigned long long)target);
}
