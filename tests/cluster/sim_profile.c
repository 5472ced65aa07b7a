/* SPDX-License-Identifier: Apache-2.0 */
/* What kind of a cluster, network and day a seed is. */
#include "tests/cluster/sim.h"

#define PICK(sim, ...) pick(sim, (const double[]){__VA_ARGS__}, sizeof((const double[]){__VA_ARGS__}) / sizeof(double))

static double pick(struct sim *sim, const double *choices, size_t count) { return choices[sim_below(sim, count)]; }

static uint64_t pick_u(struct sim *sim, const uint64_t *choices, size_t count)
{
    return choices[sim_below(sim, count)];
}
#define PICK_U(sim, ...)                                                                                               \
    pick_u(sim, (const uint64_t[]){__VA_ARGS__}, sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

#define LMDB_STATE_TIMES 100u /* how much larger the real store's state is */

static void draw_timers(struct sim *sim, struct sim_profile *p)
{
    p->election_ms = (uint32_t)PICK_U(sim, 150, 300, 500, 1000);
    p->heartbeat_ms = p->election_ms / (uint32_t)sim_between(sim, 3, 10);
    p->fast_ms = sim_chance(sim, 0.7) ? p->election_ms / 5 : 0;
    p->lost_events = sim_chance(sim, 0.7);
    p->snapshot_timeout_ms = p->election_ms * (uint32_t)sim_between(sim, 2, 20);
    p->snapshot_keep_ms = p->election_ms * (uint32_t)sim_between(sim, 20, 100);
}

static void draw_sizes(struct sim *sim, struct sim_profile *p)
{
    p->inflight = (uint32_t)PICK_U(sim, 2, 4, 8, 32, 256);
    p->window_bytes = (uint32_t)PICK_U(sim, 500, 5000, 100000);
    p->chunk_bytes = (uint32_t)PICK_U(sim, 16, 64, 512, 4096);
    p->snapshot_rate = PICK_U(sim, 0, 0, 200, 2000); /* a state is some hundred bytes: so that it takes seconds */
    p->ring_bytes = PICK_U(sim, 1, 500, 1u << 20);
    p->compact_entries = sim_between(sim, 3, 80);
    p->compact_bytes = PICK_U(sim, 1000, 10000, 1u << 20);
    p->trailing = sim_below(sim, 60);
    p->batch = (unsigned)sim_between(sim, 1, 8);
    p->value_bytes = (unsigned)PICK_U(sim, 0, 0, 30, 200);
}

static void draw_network(struct sim *sim, struct sim_profile *p)
{
    p->fifo = sim_chance(sim, 0.5);
    p->loss = PICK(sim, 0, 0.005, 0.05, 0.2);
    p->duplicate = PICK(sim, 0, 0.01, 0.05);
    p->delay_min_us = sim_between(sim, 50, 2000);
    p->delay_max_us = p->delay_min_us + sim_between(sim, 100, p->election_ms * 150);
    p->bytes_per_ms = PICK_U(sim, 0, 0, 0, 125, 500);
}

static void draw_faults(struct sim *sim, struct sim_profile *p)
{
    p->crashes = p->cuts = p->members = p->transfers = p->pauses = true;
    p->mixed_logs = sim_chance(sim, 0.2);
    p->crash_point = PICK(sim, 0, 0.0002, 0.001);
    p->slow_disk = PICK(sim, 0, 0.001, 0.02);
    p->slow_install = sim_chance(sim, 0.2);
    p->kill_all = sim_chance(sim, 0.3);
    p->write_every_us = sim_between(sim, 2000, 50000);
    p->read_every_us = sim_between(sim, 5000, 40000);
    p->crash_every_us = sim_between(sim, 300000, 8000000);
    p->cut_every_us = sim_between(sim, 500000, 8000000);
    p->member_every_us = sim_between(sim, 50000, 2000000);
    p->transfer_every_us = sim_between(sim, 200000, 6000000);
    p->pause_every_us = sim_between(sim, 1000000, 20000000);
    p->down_max_us = PICK_U(sim, 1000000, 10000000);
    p->voters = (unsigned)PICK_U(sim, 1, 2, 3, 3, 3, 3, 3, 3, 4, 5, 5, 5, 5, 6, 7);
    p->min_voters = sim_chance(sim, 0.1) ? 1 : (sim_chance(sim, 0.1) ? 2 : 3);
    p->notes = sim_chance(sim, 0.6);
    p->note_every_us = sim_between(sim, 100000, 2000000);
    p->grow = sim_chance(sim, 0.1);
    p->recover = !p->grow && sim_chance(sim, 0.2);
    if (sim_chance(sim, 0.3)) p->members = false;
    if (!p->members && sim_chance(sim, 0.5)) p->final_down = (p->voters - 1) / 2;
}

static void make_calm(struct sim_profile *p)
{
    p->calm = p->fifo = true;
    p->crashes = p->cuts = p->members = p->pauses = p->lost_events = p->slow_install = false;
    p->loss = p->duplicate = p->slow_disk = 0;
    p->bytes_per_ms = 0;
    p->delay_max_us = p->delay_min_us + 1000;
    p->final_down = 0;
}

static void shape(struct sim *sim, struct sim_profile *p)
{
    unsigned bits = sim->options.shape;
    if (bits & SIM_SHAPE_THREE) p->voters = 3;
    if (bits & SIM_SHAPE_LONE) p->min_voters = 1;
    if (bits & (SIM_SHAPE_LONE | SIM_SHAPE_FAST_MEMBER)) {
        p->members = true;
        p->final_down = 0;
        p->member_every_us = sim_between(sim, 10000, 200000);
    }
    if (bits & SIM_SHAPE_SLOW_INSTALL) {
        p->slow_install = true;
        p->snapshot_timeout_ms = p->election_ms;
        p->fifo = true; /* or no transfer would end in such a time */
        p->bytes_per_ms = 0;
        if (p->chunk_bytes < 512) p->chunk_bytes = 512;
        p->compact_entries = 5;
        p->trailing = 0;
    }
    if (bits & SIM_SHAPE_NO_CRASH) p->crashes = false;
    if (bits & SIM_SHAPE_NO_MEMBER) p->members = false;
    if (bits & SIM_SHAPE_CALM) make_calm(p);
    if (bits & SIM_SHAPE_MIXED_LOGS) p->mixed_logs = true;
    if (bits & SIM_SHAPE_CHAOTIC_NET) {
        p->fifo = false;
        p->duplicate = 0.1;
    }
    if (bits & SIM_SHAPE_TRANSFERS) p->transfer_every_us = 100000;
    if (bits & SIM_SHAPE_MINORITY_DOWN) {
        p->members = false;
        p->final_down = (p->voters - 1) / 2;
    }
    if (bits & SIM_SHAPE_GROW) p->grow = true;
    if (bits & SIM_SHAPE_RECOVER) p->recover = true;
    if (bits & SIM_SHAPE_NOTES) {
        p->notes = true;
        p->note_every_us = 400000;
    }
    if (p->grow) p->voters = 2;
    if (p->grow || p->recover) {
        p->members = true;
        p->final_down = 0;
        p->member_every_us = sim_between(sim, 10000, 200000);
    }
    if (!p->crashes) p->crash_point = 0;
}

void sim_draw_profile(struct sim *sim)
{
    draw_timers(sim, &sim->profile);
    draw_sizes(sim, &sim->profile);
    draw_network(sim, &sim->profile);
    draw_faults(sim, &sim->profile);
    if (sim->options.lmdb) { /* a row is larger, and so is a state */
        sim->profile.chunk_bytes = (uint32_t)PICK_U(sim, KZ_EXPORT_ROOM_MIN_BYTES, 32768);
        sim->profile.snapshot_rate *= LMDB_STATE_TIMES;
    }
    /* A transfer is not given up while a few of its chunks may still be on their way. */
    struct sim_profile *p = &sim->profile;
    uint64_t chunk_ms = p->bytes_per_ms > 0 ? p->chunk_bytes / p->bytes_per_ms : 0;
    if (p->snapshot_timeout_ms < 60 * p->heartbeat_ms) p->snapshot_timeout_ms = 60 * p->heartbeat_ms;
    if (p->snapshot_timeout_ms < 10 * chunk_ms) p->snapshot_timeout_ms = (uint32_t)(10 * chunk_ms);
    shape(sim, &sim->profile);
}
