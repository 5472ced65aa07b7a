/* SPDX-License-Identifier: Apache-2.0 */
/* Losing the majority for good (DESIGN 7): a majority is destroyed, or so it is thought; among what is left the newest
 * by the rule becomes a cluster of one voter and of the next epoch; new, empty nodes join it; those thought destroyed
 * may come back with the old epoch, even as its majority. A recovery begins a new line of history (struct sim_checks)
 * that holds what was committed and on the survivor, and whatever else the survivor had. */
#include <stdlib.h>
#include <string.h>

#include "client/cli/survivor.h"
#include "tests/cluster/sim.h"

#define RETRY_US (500 * US_PER_MS) /* no leader to tell us the members: the disaster waits */
#define DECIDE_MIN_US (200 * US_PER_MS)
#define DECIDE_MAX_US (6 * US_PER_S)
#define RETURN_MAX_US (15 * US_PER_S)
#define WANTED_VOTERS 3u

/* What a survivor tells of itself. */
struct survivor {
    struct sim_node *node;
    struct kz_hard_state hard;
    uint64_t applied, last_term, last_index;
};

/* ---- the disaster ---- */

static void post_return(struct sim *sim, struct sim_node *node)
{
    if (!sim_chance(sim, 0.7)) return;
    sim_post(sim, sim->now_us + DECIDE_MAX_US + sim_below(sim, RETURN_MAX_US),
             (struct sim_event){.kind = SIM_RETURN, .other = node->id});
}

static void destroy_node(struct sim *sim, struct sim_node *node)
{
    node->kept_down = node->destroyed = true;
    sim_node_crash(node, "destroyed");
    post_return(sim, node);
}

/* A majority of the voters, leaving at least one member; which ones is up to chance. */
void sim_recover_disaster(struct sim *sim)
{
    struct sim_node *leader = sim_leader(sim);
    struct kz_member members[KZ_NODES_MAX];
    size_t voters = 0, gone = 0;
    if (!leader || sim->disaster || sim->epoch == SIM_EPOCHS) {
        sim_post(sim, sim->now_us + RETRY_US, (struct sim_event){.kind = SIM_DISASTER});
        return;
    }
    size_t count = kz_replica_members(leader->replica, members, KZ_NODES_MAX);
    for (size_t i = 0; i < count; i++)
        voters += members[i].voter;
    if (voters < 2) return;
    sim->disaster = true;
    for (size_t i = 0; i < count; i++)
        sim->nodes[members[i].id].survives = true;
    size_t wanted = sim_between(sim, voters / 2 + 1, voters - 1 > voters / 2 + 1 ? voters - 1 : voters / 2 + 1);
    if (wanted == voters) wanted = voters - 1; /* of two, one is a majority lost */
    for (size_t at = sim_below(sim, count); gone < wanted; at = (at + 1) % count) {
        struct sim_node *node = &sim->nodes[members[at].id];
        if (!members[at].voter || node->destroyed) continue;
        node->survives = false;
        destroy_node(sim, node);
        gone++;
    }
    sim_post(sim, sim->now_us + sim_between(sim, DECIDE_MIN_US, DECIDE_MAX_US),
             (struct sim_event){.kind = SIM_RECOVER});
}

/* ---- who is the newest? ---- */

static struct survivor ask(struct sim *sim, struct sim_node *node)
{
    struct survivor told = {.node = node};
    struct kz_applied applied;
    struct kz_entry entry;
    uint64_t chain;
    sim->backend->load(node->store, &told.hard, &applied);
    told.applied = applied.index;
    told.last_index = told.hard.last_index;
    told.last_term = told.hard.base_term;
    if (sim->backend->read_entry(node->store, told.last_index, &entry, &chain)) told.last_term = entry.term;
    return told;
}

static Kz__Survivor told_of(const struct survivor *survivor)
{
    Kz__Survivor told = KZ__SURVIVOR__INIT;
    uint64_t hint = survivor->hard.commit_hint;
    told.epoch = survivor->hard.epoch;
    told.last_term = survivor->last_term;
    told.last_index = survivor->last_index;
    told.commit_index = hint > survivor->applied ? hint : survivor->applied;
    return told;
}

/* By what `cluster recover` goes by. No other survivor may hold a committed entry that the newest does not. */
static bool is_newer(const struct sim *sim, const struct survivor *a, const struct survivor *b)
{
    enum kz_survivor_reason ignored;
    Kz__Survivor left = told_of(a), right = told_of(b);
    if (sim->options.bad & SIM_BAD(SURVIVOR)) return a->hard.term > b->hard.term;
    return kz_survivor_compare(&left, &right, &ignored) > 0;
}

/* The last entry of the old line that this log holds as it was committed. */
static uint64_t common_prefix(struct sim *sim, const struct survivor *survivor, const struct sim_checks *line)
{
    struct kz_entry entry;
    uint64_t chain, base = survivor->hard.first_index - 1;
    uint64_t index = survivor->last_index < line->committed_last ? survivor->last_index : line->committed_last;
    for (; index > base; index--)
        if (sim->backend->read_entry(survivor->node->store, index, &entry, &chain) && line->committed[index] == chain)
            return index;
    return base; /* applied, hence committed */
}

/* ---- the new line ---- */

static uint64_t *copy_upto(const uint64_t *from, size_t *room, uint64_t last, uint64_t highest)
{
    size_t before = *room;
    if (*room <= highest) *room = (size_t)highest + 1;
    uint64_t *copy = kz_must_alloc(*room, sizeof(*copy));
    for (uint64_t i = 0; i <= last && i < before; i++)
        copy[i] = from[i];
    return copy;
}

static void note_lost(struct sim *sim, uint64_t write, uint64_t epoch)
{
    if (sim->lost_count == sim->lost_room) {
        sim->lost_room = sim->lost_room ? sim->lost_room * 2 : 64;
        sim->lost = kz_must_realloc(sim->lost, sim->lost_room * sizeof(*sim->lost));
    }
    sim->lost[sim->lost_count++] = (struct sim_lost){write, epoch};
    sim->stats.lost++;
}

static void branch_writes(struct sim *sim, struct sim_checks *old, struct sim_checks *line, uint64_t kept)
{
    for (uint64_t write = 1; write <= sim->write_count; write++) {
        const struct sim_write *before = sim_write_of(old, write);
        const struct sim_note *note = sim_note_of(sim, write);
        if (before->effect == 0) continue;
        if (before->effect > kept) {
            if (before->acked) note_lost(sim, write, sim->epoch);
            continue;
        }
        *sim_write_of(line, write) = *before;
        if (before->acked && before->effect > line->acked_index) line->acked_index = before->effect;
        if (note && note->seq > line->noted_seq[note->origin]) line->noted_seq[note->origin] = note->seq;
    }
}

static void branch(struct sim *sim, const struct survivor *survivor, uint64_t kept, uint64_t term)
{
    struct sim_checks *old = &sim->checks[sim->epoch], *line = &sim->checks[sim->epoch + 1];
    uint64_t last = survivor->last_index;
    struct kz_entry entry;
    line->committed_room = old->committed_room;
    line->committed = copy_upto(old->committed, &line->committed_room, kept, last);
    line->state_room = old->state_room;
    line->states = copy_upto(old->states, &line->state_room, kept, last);
    for (uint64_t index = kept + 1; index <= last; index++)
        kz_assert(sim->backend->read_entry(survivor->node->store, index, &entry, &line->committed[index]));
    line->committed_last = survivor->last_index;
    line->committed_term = survivor->last_term;
    line->term_started = term;
    branch_writes(sim, old, line, kept);
}

/* ---- recovery ---- */

static struct survivor choose(struct sim *sim)
{
    struct survivor best = {0};
    for (uint64_t id = 1; id <= SIM_NODES; id++) {
        struct sim_node *node = &sim->nodes[id];
        if (!node->survives) continue;
        node->kept_down = node->destroyed = true; /* those that are not chosen are of the past like the others */
        sim_node_crash(node, "stopped for the recovery");
        struct survivor told = ask(sim, node);
        if (!best.node || is_newer(sim, &told, &best)) best = told;
    }
    return best;
}

static void check_choice(struct sim *sim, const struct survivor *chosen, uint64_t kept)
{
    const struct sim_checks *old = &sim->checks[sim->epoch];
    if (chosen->hard.commit_hint > kept)
        sim_fail(sim, "survivor %llu calls %llu certain, but was like the others only to %llu",
                 (unsigned long long)chosen->node->id, (unsigned long long)chosen->hard.commit_hint,
                 (unsigned long long)kept);
    for (uint64_t id = 1; id <= SIM_NODES; id++) {
        if (!sim->nodes[id].survives) continue;
        struct survivor other = ask(sim, &sim->nodes[id]);
        if (common_prefix(sim, &other, old) > kept)
            sim_fail(sim, "survivor %llu was chosen, but %llu held more of what was committed",
                     (unsigned long long)chosen->node->id, (unsigned long long)id);
    }
}

static void make_configuration(struct sim *sim, const struct sim_node *node, struct kz_buf *out)
{
    struct kz_member member = {.id = node->id, .voter = true};
    struct kz_err err = {0};
    memcpy(member.address, node->address, sizeof(node->address));
    kz_buf_init(out, 0);
    if (kz_replica_bootstrap_entry(&member, 1, out, &err) != KZ_OK) sim_fail(sim, "%s", err.text);
}

/* What a node of the past says that it shares with those who went on must be so: the rest is its surplus, which
 * `salvage` lists, and nothing of what was lost may be missing there. */
static void check_surplus(struct sim *sim, struct sim_node *node)
{
    const Kz__RecoverPoint *point = sim->points[node->epoch + 1];
    bool exact = false;
    if (!point) return;
    struct survivor told = ask(sim, node);
    uint64_t shared = sim->backend->common(node->store, point, &exact);
    uint64_t really = common_prefix(sim, &told, &sim->checks[node->epoch + 1]);
    uint64_t base = told.hard.first_index - 1;
    const struct sim_checks *line = &sim->checks[node->epoch + 1];
    if (really == base && base > 0 && (base > line->committed_last || told.hard.base_chain != line->committed[base]))
        return; /* it went on, and its log begins after the fork: nothing to compare */
    sim->stats.surplus += told.last_index - shared;
    if (shared > really || (exact && shared != really))
        sim_fail(sim, "node %llu calls %llu shared%s with epoch %llu, it is %llu", (unsigned long long)node->id,
                 (unsigned long long)shared, exact ? " exactly" : "", (unsigned long long)node->epoch + 1,
                 (unsigned long long)really);
}

static void begin_epoch(struct sim *sim, const struct survivor *chosen)
{
    static const unsigned plan[] = {WANTED_VOTERS, 0};
    struct kz_buf configuration;
    uint64_t term = chosen->hard.term + 1;
    uint64_t kept = common_prefix(sim, chosen, &sim->checks[sim->epoch]);
    bool same_epoch = sim->options.bad & SIM_BAD(SAME_EPOCH);
    check_choice(sim, chosen, kept);
    sim->stats.recoveries++;
    sim->stats.uncertain += chosen->last_index - chosen->hard.commit_hint;
    if (!same_epoch) {
        branch(sim, chosen, kept, term);
        sim->points[sim->epoch + 1] = sim->backend->point(chosen->node->store);
        sim->epoch++;
    }
    make_configuration(sim, chosen->node, &configuration);
    sim->backend->recover(chosen->node->store, sim->epoch, &configuration, term);
    kz_buf_fini(&configuration);
    sim_story(sim,
              "n%llu is recovered as epoch %llu, term %llu: log to %llu, of which %llu was committed; lost %zu writes",
              (unsigned long long)chosen->node->id, (unsigned long long)sim->epoch, (unsigned long long)term,
              (unsigned long long)chosen->last_index, (unsigned long long)kept, sim->lost_count);
    sim->plan = plan;
}

void sim_recover_apply(struct sim *sim)
{
    struct survivor chosen = choose(sim);
    if (!chosen.node || chosen.last_index == 0) sim_fail(sim, "nobody survived the disaster");
    begin_epoch(sim, &chosen);
    for (uint64_t id = 1; id <= SIM_NODES; id++) {
        struct sim_node *node = &sim->nodes[id];
        if (node->survives && node != chosen.node) post_return(sim, node);
        node->survives = false;
    }
    sim->disaster = false;
    chosen.node->kept_down = chosen.node->destroyed = false;
    sim_node_start(chosen.node);
}

void sim_recover_fini(struct sim *sim)
{
    for (uint64_t epoch = 1; epoch <= SIM_EPOCHS; epoch++)
        if (sim->points[epoch]) kz__recover_point__free_unpacked(sim->points[epoch], NULL);
    free(sim->lost);
}

void sim_recover_return(struct sim *sim, struct sim_node *node)
{
    if (!node->destroyed || node->up) return;
    sim_story(sim, "n%llu comes back", (unsigned long long)node->id);
    node->kept_down = false;
    sim_node_start(node);
}

/* ---- at the end ---- */

/* What was acknowledged once and is not in the newest line is not lost without trace: while no disk was really
 * destroyed, nodes of the older epoch hold it, beyond what they have in common with the survivor. */
void sim_recover_check(struct sim *sim)
{
    for (uint64_t id = 1; id <= SIM_NODES; id++)
        if (sim->nodes[id].exists && sim->nodes[id].epoch < sim->epoch) check_surplus(sim, &sim->nodes[id]);
    for (size_t i = 0; i < sim->lost_count; i++) {
        const struct sim_lost *lost = &sim->lost[i];
        unsigned holders = 0;
        for (uint64_t id = 1; id <= SIM_NODES; id++) {
            struct sim_node *node = &sim->nodes[id];
            holders += node->exists && node->epoch == lost->epoch && sim->backend->holds(node->store, lost->write);
        }
        if (holders == 0 && sim_write_of(&sim->checks[sim->epoch], lost->write)->effect == 0)
            sim_fail(sim, "write %llu, acknowledged in epoch %llu, is nowhere", (unsigned long long)lost->write,
                     (unsigned long long)lost->epoch);
    }
}
