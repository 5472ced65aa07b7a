/* SPDX-License-Identifier: Apache-2.0 */
/* What goes wrong, and the operations an administrator may try meanwhile. */
#include "tests/cluster/sim.h"

#define MEMBERS_MAX 7u

struct sim_node *sim_pick_node(struct sim *sim)
{
    uint64_t first = sim_below(sim, SIM_NODES);
    for (uint64_t i = 0; i < SIM_NODES; i++) {
        struct sim_node *node = &sim->nodes[1 + (first + i) % SIM_NODES];
        if (node->exists && !node->kept_down) return node;
    }
    return &sim->nodes[1];
}

void sim_fault_crash(struct sim *sim)
{
    struct sim_node *leader = sim_leader(sim);
    if (sim->profile.kill_all && sim_chance(sim, 0.2)) {
        for (uint64_t id = 1; id <= SIM_NODES; id++)
            sim_node_crash(&sim->nodes[id], "all at once");
        return;
    }
    sim_node_crash(leader && sim_chance(sim, 0.4) ? leader : sim_pick_node(sim), "killed");
}

/* Connections to a dead process are reset, unless the network swallows that too; now and then one breaks by itself. */
void sim_fault_lost(struct sim *sim, uint64_t lost)
{
    if (!sim->profile.lost_events || sim_chance(sim, 0.3)) return;
    for (uint64_t id = 1; id <= SIM_NODES; id++)
        if (sim->nodes[id].up && id != lost && !sim->cut[lost][id])
            sim_post(sim, sim->now_us + sim_between(sim, sim->profile.delay_min_us, sim->profile.delay_max_us),
                     (struct sim_event){.kind = SIM_LOST, .node = id, .life = sim->nodes[id].life, .other = lost});
}

void sim_fault_pause(struct sim *sim)
{
    struct sim_node *node = sim_leader(sim);
    if (!node || sim_chance(sim, 0.3)) node = sim_pick_node(sim);
    if (!node->up || node->paused_until_us > sim->now_us) return;
    sim->stats.pauses++;
    sim_story(sim, "n%llu stands still", (unsigned long long)node->id);
    node->paused_until_us = sim->now_us + sim_between(sim, 1, 6 * sim->profile.election_ms) * US_PER_MS;
    sim_post(sim, node->paused_until_us, (struct sim_event){.kind = SIM_WAKE, .node = node->id, .life = node->life});
}

/* The first thing it finds is a request, before the news that it was deposed. */
void sim_fault_wake(struct sim_node *node)
{
    struct sim *sim = node->sim;
    sim_story(sim, "n%llu goes on", (unsigned long long)node->id);
    if (node->role == KZ_RAFT_LEADER) sim_load_read(sim, node);
}

static bool change(struct sim_node *leader, enum kz_change kind, uint64_t id, const char *address)
{
    static const char *const names[] = {"adds", "promotes", "demotes", "removes"};
    struct kz_err err;
    if (leader->sim->options.bad & SIM_BAD(TWO_CHANGES)) leader->replica->core.configuration_uncommitted_index = 0;
    enum kz_code code = kz_replica_propose_change(leader->replica, kind, id, address, &err);
    if (code == KZ_OK) {
        leader->sim->stats.changes++;
        sim_story(leader->sim, "n%llu %s n%llu", (unsigned long long)leader->id, names[kind], (unsigned long long)id);
    }
    return code == KZ_OK;
}

static const struct kz_member *find(const struct kz_member *members, size_t count, uint64_t id)
{
    for (size_t i = 0; i < count; i++)
        if (members[i].id == id) return &members[i];
    return NULL;
}

static void add_member(struct sim *sim, struct sim_node *leader, const struct kz_member *members, size_t count)
{
    for (uint64_t id = 1; id <= SIM_NODES && count < MEMBERS_MAX; id++) {
        struct sim_node *node = &sim->nodes[id];
        if (find(members, count, id) || (node->exists && node->epoch != leader->epoch)) continue;
        if (!node->exists) {
            sim_node_make(node, NULL, 0);
            sim->backend->put_epoch(node->store, leader->epoch);
            sim_node_start(node);
        }
        change(leader, KZ_CHANGE_ADD, id, node->address);
        return;
    }
}

static size_t count_voters(const struct kz_member *members, size_t count)
{
    size_t voters = 0;
    for (size_t i = 0; i < count; i++)
        voters += members[i].voter;
    return voters;
}

static void shrink(struct sim *sim, struct sim_node *leader, const struct kz_member *members, size_t count,
                   enum kz_change kind)
{
    const struct kz_member *member = &members[sim_below(sim, count)];
    if (member->voter && count_voters(members, count) <= sim->profile.min_voters) return;
    if (member->voter || kind == KZ_CHANGE_REMOVE) change(leader, kind, member->id, NULL);
}

static bool promote_one(struct sim *sim, struct sim_node *leader, const struct kz_member *members, size_t count)
{
    uint64_t first = sim_below(sim, count);
    for (size_t i = 0; i < count; i++) {
        const struct kz_member *member = &members[(first + i) % count];
        if (!member->voter) return change(leader, KZ_CHANGE_PROMOTE, member->id, NULL);
    }
    return false;
}

/* One change towards the number of voters the plan asks for next. */
static void follow_plan(struct sim *sim, struct sim_node *leader, const struct kz_member *members, size_t count)
{
    size_t voters = count_voters(members, count), wanted = *sim->plan;
    const struct kz_member *member = &members[sim_below(sim, count)];
    struct kz_err err;
    if (voters == wanted && count == wanted) {
        sim->plan++;
        sim->stats.plans += *sim->plan == 0;
        sim_story(sim, "the cluster has %zu voters, as planned", wanted);
    } else if (voters < wanted) {
        if (count == voters)
            add_member(sim, leader, members, count);
        else
            promote_one(sim, leader, members, count);
    } else if (member->id != leader->id && (voters > wanted || !member->voter)) {
        change(leader, KZ_CHANGE_REMOVE, member->id, NULL);
    } else if (member->id == leader->id && kz_replica_transfer(leader->replica, 0, &err) == KZ_OK) {
        sim->stats.transfers++;
    }
}

bool sim_fault_plan_done(const struct sim *sim) { return !sim->plan || *sim->plan == 0; }

void sim_fault_member(struct sim *sim)
{
    struct sim_node *leader = sim_leader(sim);
    struct kz_member members[KZ_NODES_MAX];
    if (!leader || sim->disaster) return;
    size_t count = kz_replica_members(leader->replica, members, KZ_NODES_MAX);
    if (!sim_fault_plan_done(sim)) {
        follow_plan(sim, leader, members, count);
        sim_node_after_input(leader);
        return;
    }
    if (sim->plan) return; /* as planned, and to stay so */
    switch (sim_below(sim, 5)) {
    case 0:
        add_member(sim, leader, members, count);
        break;
    case 1:
    case 2:
        promote_one(sim, leader, members, count);
        break;
    case 3:
        shrink(sim, leader, members, count, KZ_CHANGE_REMOVE);
        break;
    default:
        shrink(sim, leader, members, count, KZ_CHANGE_DEMOTE);
        break;
    }
    sim_node_after_input(leader);
}

void sim_fault_transfer(struct sim *sim)
{
    struct sim_node *leader = sim_leader(sim);
    struct kz_member members[KZ_NODES_MAX];
    struct kz_err err;
    if (!leader) return;
    size_t count = kz_replica_members(leader->replica, members, KZ_NODES_MAX);
    uint64_t target = members[sim_below(sim, count)].id;
    if (kz_replica_transfer(leader->replica, target, &err) == KZ_OK) {
        sim->stats.transfers++;
        sim_story(sim, "n%llu gives leadership to n%llu", (unsigned long long)leader->id, (unsigned long long)target);
    }
    sim_node_after_input(leader);
}
