/* SPDX-License-Identifier: Apache-2.0 */
/* What clients were promised, and what must be true at the end. */
#include <string.h>

#include "tests/cluster/sim.h"

#define CONVERGED_ENTRIES 20u /* a node this close to the newest commit has converged: writes go on meanwhile */

/* ---- writes ---- */

struct sim_write *sim_write_of(struct sim_checks *checks, uint64_t write)
{
    size_t before = checks->write_room;
    if (write >= before) {
        checks->write_room = before ? before * 2 : 1024;
        while (checks->write_room <= write)
            checks->write_room *= 2;
        checks->writes = kz_must_realloc(checks->writes, checks->write_room * sizeof(*checks->writes));
        memset(checks->writes + before, 0, (checks->write_room - before) * sizeof(*checks->writes));
    }
    return &checks->writes[write];
}

/* Of one origin, events take effect in the order in which they were taken. */
static void check_order(struct sim_node *node, const struct sim_note *note)
{
    uint64_t *last = &sim_checks_of(node)->noted_seq[note->origin];
    if (note->seq <= *last)
        sim_fail(node->sim, "event %s takes effect after number %llu of its origin", note->id,
                 (unsigned long long)*last);
    *last = note->seq;
}

void sim_check_effect(struct sim_node *node, uint64_t write, uint64_t index)
{
    struct sim_write *record = sim_write_of(sim_checks_of(node), write);
    const struct sim_note *note = sim_note_of(node->sim, write);
    if (record->effect != 0 && record->effect != index)
        sim_fail(node->sim, "write %llu took effect twice: at %llu and at %llu", (unsigned long long)write,
                 (unsigned long long)record->effect, (unsigned long long)index);
    if (record->effect == 0 && note) check_order(node, note);
    record->effect = index;
}

void sim_check_ack(struct sim_node *node, uint64_t write, uint64_t index)
{
    struct sim *sim = node->sim;
    struct sim_checks *checks = sim_checks_of(node);
    struct sim_write *record = sim_write_of(checks, write);
    if (record->effect == 0 || record->effect > index)
        sim_fail(sim, "write %llu is acknowledged at %llu but took effect at %llu", (unsigned long long)write,
                 (unsigned long long)index, (unsigned long long)record->effect);
    sim->stats.acked += !record->acked;
    record->acked = true;
    if (record->effect > checks->acked_index) checks->acked_index = record->effect;
}

/* Who has had an answer of a newer epoch takes none of an older one: there the same questions have other answers. */
void sim_check_answer(struct sim_node *node, uint64_t client)
{
    struct sim *sim = node->sim;
    if (node->epoch < sim->client_seen[client])
        sim_fail(sim, "a client that knows epoch %llu takes an answer of epoch %llu from node %llu",
                 (unsigned long long)sim->client_seen[client], (unsigned long long)node->epoch,
                 (unsigned long long)node->id);
    sim->client_seen[client] = node->epoch;
}

/* ---- the end ---- */

static bool lags(struct sim *sim, struct sim_node *node)
{
    return node->epoch != sim->epoch ||
           sim->backend->applied(node->store) + CONVERGED_ENTRIES < sim->checks[sim->epoch].committed_last;
}

bool sim_is_converged(struct sim *sim, uint64_t healed_at)
{
    struct sim_node *leader = sim_leader(sim);
    struct kz_member members[SIM_NODES];
    if (sim->disaster || !sim_fault_plan_done(sim) || !leader || leader->epoch != sim->epoch ||
        sim->checks[sim->epoch].committed_last < healed_at + 3 || sim->retry_count > 0 || !sim_notes_quiet(sim))
        return false;
    size_t count = kz_replica_members(leader->replica, members, SIM_NODES);
    for (size_t i = 0; i < count; i++) {
        struct sim_node *node = &sim->nodes[members[i].id];
        if (node->kept_down) continue;
        if (!node->up || lags(sim, node)) return false;
    }
    return true;
}

static void check_member(struct sim *sim, struct sim_node *node)
{
    struct sim_checks *checks = &sim->checks[sim->epoch];
    uint64_t applied = sim->backend->applied(node->store);
    if (lags(sim, node))
        sim_fail(sim, "convergence: node %llu applied %llu of %llu", (unsigned long long)node->id,
                 (unsigned long long)applied, (unsigned long long)checks->committed_last);
    for (uint64_t write = 1; write <= sim->write_count; write++) {
        const struct sim_write *record = sim_write_of(checks, write);
        if (record->acked && record->effect <= applied && !sim->backend->holds(node->store, write))
            sim_fail(sim, "acknowledged write %llu is missing at node %llu", (unsigned long long)write,
                     (unsigned long long)node->id);
    }
}

void sim_check_end(struct sim *sim, uint64_t healed_at)
{
    const struct sim_checks *checks = &sim->checks[sim->epoch];
    struct sim_node *leader = sim_leader(sim);
    struct kz_member members[SIM_NODES];
    if (sim->disaster) sim_fail(sim, "liveness: nobody recovered after the disaster");
    if (!leader || leader->epoch != sim->epoch) sim_fail(sim, "liveness: no leader at the end");
    if (checks->committed_last <= healed_at)
        sim_fail(sim, "liveness: nothing was committed after healing (leader n%llu)", (unsigned long long)leader->id);
    if (checks->committed_last < checks->acked_index)
        sim_fail(sim, "acknowledged entry %llu is not committed", (unsigned long long)checks->acked_index);
    if (!sim_fault_plan_done(sim)) sim_fail(sim, "liveness: the members never became %u voters", *sim->plan);
    size_t count = kz_replica_members(leader->replica, members, SIM_NODES);
    for (size_t i = 0; i < count; i++)
        if (!sim->nodes[members[i].id].kept_down) check_member(sim, &sim->nodes[members[i].id]);
    sim_recover_check(sim);
    sim_notes_check(sim);
}
