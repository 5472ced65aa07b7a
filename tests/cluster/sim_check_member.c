/* SPDX-License-Identifier: Apache-2.0 */
/* What membership changes promise: one at a time, one server each, never the last voter, none promoted before it
 * caught up; and only the voters of the configuration make a majority. */
#include <string.h>

#include "tests/cluster/sim.h"

/* A node acts by the newest configuration in its log. */
void sim_check_configuration(struct sim_node *node)
{
    const struct kz_replica *r = node->replica;
    const uint8_t *data = r->conf;
    size_t size = r->conf_bytes;
    struct raft_buffer buffer;
    if (!node->up || !r->started || r->installing || r->core.configuration.n == 0) return;
    if (r->log.change_count > 0 && r->log.changes[r->log.change_count - 1].index > r->conf_index) {
        data = r->log.changes[r->log.change_count - 1].data;
        size = r->log.changes[r->log.change_count - 1].size_bytes;
    }
    kz_assert(raft_configuration_encode(&r->core.configuration, &buffer) == 0);
    bool equal = buffer.len == size && memcmp(buffer.base, data, size) == 0;
    raft_free(buffer.base);
    if (!equal)
        sim_fail(node->sim, "node %llu acts by another configuration than the newest in its log",
                 (unsigned long long)node->id);
}

static bool is_voter(const struct raft_configuration *configuration, uint64_t id, bool *member)
{
    *member = false;
    for (unsigned i = 0; i < configuration->n; i++) {
        if (configuration->servers[i].id != id) continue;
        *member = true;
        return configuration->servers[i].role == RAFT_VOTER;
    }
    return false;
}

static void check_promotee(struct sim_node *leader, uint64_t id)
{
    if (sim_checks_of(leader) != sim_checks_of(&leader->sim->nodes[id]) ||
        leader->sim->nodes[id].durable_last < leader->replica->commit)
        sim_fail(leader->sim, "node %llu is promoted with entries up to %llu, committed is %llu",
                 (unsigned long long)id, (unsigned long long)leader->sim->nodes[id].durable_last,
                 (unsigned long long)leader->replica->commit);
}

static void check_step(struct sim_node *leader, const struct raft_configuration *before,
                       const struct raft_configuration *after)
{
    unsigned differences = 0, voters = 0;
    for (uint64_t id = 1; id <= SIM_NODES; id++) {
        bool was_member, is_member;
        bool was = is_voter(before, id, &was_member), is = is_voter(after, id, &is_member);
        differences += was != is || was_member != is_member;
        voters += is;
        if (is && !was) check_promotee(leader, id);
    }
    if (differences != 1)
        sim_fail(leader->sim, "node %llu changes %u members at once", (unsigned long long)leader->id, differences);
    if (voters == 0) sim_fail(leader->sim, "node %llu removes the last voter", (unsigned long long)leader->id);
}

/* A leader has just appended entry `index`: if it is a change, the one before it is committed and differs by one. */
void sim_check_change(struct sim_node *node, uint64_t index)
{
    const struct kz_replica *r = node->replica;
    struct raft_configuration before, after;
    size_t at = r->log.change_count;
    while (at > 0 && r->log.changes[at - 1].index != index)
        at--;
    if (at == 0) return;
    const struct kz_replica_log_change *change = &r->log.changes[--at];
    bool in_log = at > 0 && r->log.changes[at - 1].index > r->conf_index;
    const uint8_t *data = in_log ? r->log.changes[at - 1].data : r->conf;
    size_t size = in_log ? r->log.changes[at - 1].size_bytes : r->conf_bytes;
    uint64_t earlier = in_log ? r->log.changes[at - 1].index : r->conf_index;
    if (earlier > r->commit)
        sim_fail(node->sim, "two changes at once: node %llu appends one at %llu while that at %llu is not committed",
                 (unsigned long long)node->id, (unsigned long long)index, (unsigned long long)earlier);
    if (size == 0) return;
    kz_assert(kz_conf_decode(data, size, &before) && kz_conf_decode(change->data, change->size_bytes, &after));
    check_step(node, &before, &after);
    raft_configuration_close(&before);
    raft_configuration_close(&after);
}

static bool holds_entry(struct sim_node *node, uint64_t index, uint64_t chain)
{
    const struct sim_backend *backend = node->sim->backend;
    struct kz_entry entry;
    uint64_t own;
    if (!node->exists) return false;
    if (backend->applied(node->store) >= index) return true;
    return backend->read_entry(node->store, index, &entry, &own) && own == chain;
}

/* What a leader calls committed is on the disks of a majority of the voters of its configuration. */
void sim_check_majority(struct sim_node *node, uint64_t commit)
{
    const struct raft_configuration *configuration = &node->replica->core.configuration;
    bool known;
    uint64_t chain = sim_chain(node, commit, &known);
    unsigned voters = 0, holders = 0;
    if (!known) return;
    for (unsigned i = 0; i < configuration->n; i++) {
        if (configuration->servers[i].role != RAFT_VOTER) continue;
        voters++;
        holders += holds_entry(&node->sim->nodes[configuration->servers[i].id], commit, chain);
    }
    if (holders <= voters / 2)
        sim_fail(node->sim, "node %llu commits %llu, which %u of %u voters hold", (unsigned long long)node->id,
                 (unsigned long long)commit, holders, voters);
}
