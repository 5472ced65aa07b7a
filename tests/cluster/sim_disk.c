/* SPDX-License-Identifier: Apache-2.0 */
/* The store thread on virtual time: everything queued becomes durable together after the disk's delay. A crash keeps
 * a prefix of the units of work, each whole or not at all, as one LMDB transaction per cycle does. */
#include <stdlib.h>

#include "tests/cluster/sim.h"

static void free_job(struct sim_job *job)
{
    for (size_t i = 0; i < job->count; i++)
        free((void *)job->entries[i].data);
    free(job->entries);
    free(job->bytes);
    free(job->meta);
    free(job->origin);
    free(job);
}

static uint64_t delay_of(struct sim_node *node)
{
    struct sim *sim = node->sim;
    uint64_t delay = sim_between(sim, node->disk_us / 2 + 1, node->disk_us * 2 + 1);
    if (sim->chaos && sim_chance(sim, sim->profile.slow_disk)) delay += sim_between(sim, 10 * US_PER_MS, 2 * US_PER_S);
    for (const struct sim_job *job = node->jobs; job; job = job->next) {
        delay += job->kind == SIM_APPLY ? 100 : 0;
        if (job->kind == SIM_INSTALL)
            delay += sim_between(sim, US_PER_MS, sim->profile.slow_install ? 4 * US_PER_S : 20 * US_PER_MS);
    }
    return delay;
}

static void start_flush(struct sim_node *node)
{
    if (node->flushing > 0 || !node->jobs) return;
    for (const struct sim_job *job = node->jobs; job; job = job->next)
        node->flushing++;
    sim_post(node->sim, node->sim->now_us + delay_of(node),
             (struct sim_event){.kind = SIM_FLUSH, .node = node->id, .life = node->life});
}

void sim_disk_queue(struct sim_node *node, struct sim_job job)
{
    struct sim_job *copy = kz_must_memdup(&job, sizeof(job));
    copy->next = NULL;
    if (!node->jobs) node->jobs_end = &node->jobs;
    *node->jobs_end = copy;
    node->jobs_end = &copy->next;
    start_flush(node);
}

static void note_durable(struct sim_node *node, const struct sim_job *job)
{
    if (job->kind == SIM_APPEND) node->durable_last = job->a + job->count - 1;
    if (job->kind == SIM_INSTALL) node->durable_last = job->meta->index;
    if (job->kind == SIM_HARD) {
        node->durable_term = job->a;
        node->durable_vote = job->b;
    }
}

/* Runs the first `count` jobs as one transaction; returns the last seq of the driver and of the notes. */
static uint64_t run_jobs(struct sim_node *node, size_t count, uint64_t *local_seq)
{
    const struct sim_backend *backend = node->sim->backend;
    uint64_t seq = 0;
    *local_seq = 0;
    if (count == 0) return 0;
    backend->begin(node->store);
    while (count-- > 0) {
        struct sim_job *job = node->jobs;
        backend->run(node->store, job);
        *(job->kind == SIM_LOCAL ? local_seq : &seq) = job->seq;
        note_durable(node, job);
        node->jobs = job->next;
        free_job(job);
    }
    backend->commit(node->store);
    return seq;
}

void sim_disk_flushed(struct sim_node *node)
{
    size_t count = node->flushing;
    node->flushing = 0;
    uint64_t local_seq, seq = run_jobs(node, count, &local_seq);
    start_flush(node);
    sim_notes_settle(node);
    if (seq > 0) kz_replica_stored(node->replica, seq);
    if (local_seq > 0) sim_notes_durable(node, local_seq);
    sim_node_after_input(node);
}

/* A long apply is spread over several transactions, the first of which holds the hint already. */
static void apply_partly(struct sim_node *node)
{
    struct sim *sim = node->sim;
    const struct sim_backend *backend = sim->backend;
    uint64_t applied = backend->applied(node->store);
    if (!node->jobs || node->jobs->kind != SIM_APPLY || node->jobs->a <= applied || !sim_chance(sim, 0.5)) return;
    struct sim_job part = *node->jobs;
    part.a = sim_between(sim, applied, part.a - 1);
    backend->begin(node->store);
    backend->run(node->store, &part);
    backend->commit(node->store);
}

void sim_disk_crash(struct sim_node *node)
{
    size_t count = 0;
    uint64_t local_seq;
    for (const struct sim_job *job = node->jobs; job; job = job->next)
        count++;
    (void)run_jobs(node, (size_t)sim_below(node->sim, count + 1), &local_seq); /* nobody is left to be told */
    apply_partly(node);
    while (node->jobs) {
        struct sim_job *job = node->jobs;
        node->jobs = job->next;
        free_job(job);
    }
    node->flushing = 0;
}
