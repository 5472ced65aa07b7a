/* SPDX-License-Identifier: Apache-2.0 */
/* Clients: writes with numbers that are retried until acknowledged, some although they were (a lost reply), and
 * linearizable reads. */
#include <stdlib.h>
#include <string.h>

#include "node/base/buf.h"
#include "tests/cluster/sim.h"

#define PENDING_MAX 500u    /* proposals without an answer at one time */
#define BEHIND_MAX 300u     /* uncommitted entries of a leader, in faulty times ... */
#define BEHIND_CALM_MAX 10u /* ... and once healed */
#define LAG_CALM_MAX 10u
#define COMMAND_MAX_BYTES 1024u

static void add_retry(struct sim *sim, uint64_t write)
{
    if (sim->retry_count == sim->retry_room) {
        sim->retry_room = sim->retry_room ? sim->retry_room * 2 : 64;
        sim->retries = kz_must_realloc(sim->retries, sim->retry_room * sizeof(*sim->retries));
    }
    sim->retries[sim->retry_count++] = write;
}

static void add_pending(struct sim *sim, struct sim_pending pending)
{
    if (sim->pending_count == sim->pending_room) {
        sim->pending_room = sim->pending_room ? sim->pending_room * 2 : 64;
        sim->pending = kz_must_realloc(sim->pending, sim->pending_room * sizeof(*sim->pending));
    }
    sim->pending[sim->pending_count++] = pending;
}

/* A new write, one of unknown outcome, or now and then one that was answered but whose reply got lost. */
static uint64_t choose_write(struct sim *sim)
{
    uint64_t recent = sim->write_count < 20 ? sim->write_count : 20;
    if (sim->retry_count > 0 && sim_chance(sim, 0.7)) {
        sim->stats.retries++;
        return sim->retries[--sim->retry_count];
    }
    if (sim->chaos && recent > 0 && sim_chance(sim, 0.02)) {
        uint64_t again = sim->write_count - sim_below(sim, recent);
        if (!sim_note_of(sim, again)) {
            sim->stats.retries++;
            return again;
        }
    }
    return ++sim->write_count;
}

static void propose(struct sim *sim, struct sim_node *leader)
{
    uint8_t command[COMMAND_MAX_BYTES];
    uint64_t write = choose_write(sim), client = sim_below(sim, SIM_CLIENTS);
    struct sim_pending pending = {.node = leader->id, .life = leader->life, .write = write, .client = client};
    size_t size = sim->backend->encode(sim, write, command, sizeof(command));
    if (kz_replica_propose(leader->replica, command, size, &pending.index, &pending.term) == KZ_OK)
        add_pending(sim, pending);
    else
        add_retry(sim, write);
}

/* Once healed, nobody is outrun for good: he who does not come closer then is stuck. */
static bool somebody_lags(struct sim *sim)
{
    for (uint64_t id = 1; id <= SIM_NODES; id++) {
        const struct sim_node *node = &sim->nodes[id];
        const struct sim_node *leader = sim_leader(sim);
        uint64_t match, heard;
        if (node->up && leader && kz_replica_peer_progress(leader->replica, id, &match, &heard) &&
            match + LAG_CALM_MAX < sim->checks[sim->epoch].committed_last)
            return true;
    }
    return false;
}

void sim_load_write(struct sim *sim)
{
    struct sim_node *leader = sim_any_leader(sim);
    struct kz_replica_status status;
    if (!leader || sim->pending_count > PENDING_MAX || (!sim->chaos && somebody_lags(sim))) return;
    kz_replica_get_status(leader->replica, &status);
    if (status.last_index - status.commit_index > (sim->chaos ? BEHIND_MAX : BEHIND_CALM_MAX)) return;
    for (uint64_t left = sim_between(sim, 1, sim->profile.batch); left > 0; left--)
        propose(sim, leader);
    kz_replica_flush(leader->replica);
    sim_node_after_input(leader);
}

/* An answer names the epoch it is of; a client takes none of an older one than it knows. */
static bool take_answer(struct sim_node *node, uint64_t client)
{
    struct sim *sim = node->sim;
    bool fenced = node->epoch < sim->client_epoch[client] && !(sim->options.bad & SIM_BAD(CLIENT_EPOCH));
    sim->stats.fenced += fenced;
    if (fenced) return false;
    sim_check_answer(node, client);
    if (node->epoch > sim->client_epoch[client]) sim->client_epoch[client] = node->epoch;
    return true;
}

void sim_load_applied(struct sim_node *node, uint64_t index)
{
    struct sim *sim = node->sim;
    size_t kept = 0;
    for (size_t i = 0; i < sim->pending_count; i++) {
        struct sim_pending pending = sim->pending[i];
        if (pending.node != node->id || pending.life != node->life || pending.index > index)
            sim->pending[kept++] = pending;
        else if (take_answer(node, pending.client))
            sim_check_ack(node, pending.write, pending.index);
        else
            add_retry(sim, pending.write);
    }
    sim->pending_count = kept;
}

void sim_load_unknown(struct sim_node *node)
{
    struct sim *sim = node->sim;
    size_t kept = 0;
    for (size_t i = 0; i < sim->pending_count; i++) {
        if (sim->pending[i].node == node->id)
            add_retry(sim, sim->pending[i].write);
        else
            sim->pending[kept++] = sim->pending[i];
    }
    sim->pending_count = kept;
}

struct sim_read {
    struct sim *sim;
    struct sim_read *next, **place; /* of all without an answer: a crash answers nobody */
    uint64_t acked_before, client;
    struct sim_node *node;
};

static void free_read(struct sim_read *read)
{
    *read->place = read->next;
    if (read->next) read->next->place = read->place;
    free(read);
}

void sim_load_fini(struct sim *sim)
{
    while (sim->reads)
        free_read(sim->reads);
}

static void read_answered(void *data, enum kz_code code, uint64_t read_index)
{
    struct sim_read *read = data;
    struct sim *sim = read->sim;
    if (code == KZ_OK && take_answer(read->node, read->client)) {
        sim->stats.reads++;
        if (read_index < read->acked_before)
            sim_fail(sim, "stale read at node %llu: index %llu, acknowledged before it was asked: %llu",
                     (unsigned long long)read->node->id, (unsigned long long)read_index,
                     (unsigned long long)read->acked_before);
    }
    free_read(read);
}

void sim_load_read(struct sim *sim, struct sim_node *leader)
{
    struct sim_read *read = kz_must_alloc(1, sizeof(*read));
    *read = (struct sim_read){.sim = sim,
                              .next = sim->reads,
                              .place = &sim->reads,
                              .acked_before = sim_checks_of(leader)->acked_index,
                              .client = sim_below(sim, SIM_CLIENTS),
                              .node = leader};
    if (sim->reads) sim->reads->place = &read->next;
    sim->reads = read;
    if (kz_replica_read(leader->replica, read_answered, read) != KZ_OK) free_read(read);
    kz_replica_flush(leader->replica);
    sim_node_after_input(leader);
}
