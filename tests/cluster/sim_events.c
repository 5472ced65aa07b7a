/* SPDX-License-Identifier: Apache-2.0 */
/* Seeded random (splitmix64) and the queue of what is to happen, by virtual time, then by order of posting. */
#include <stdlib.h>

#include "tests/cluster/sim.h"

static uint64_t scramble(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t sim_mix(uint64_t a, uint64_t b, uint64_t c)
{
    return scramble(scramble(scramble(a + UINT64_C(0x9e3779b97f4a7c15)) + b) + c);
}

uint64_t sim_random(struct sim *sim) { return scramble(sim->random += UINT64_C(0x9e3779b97f4a7c15)); }

uint64_t sim_below(struct sim *sim, uint64_t limit) { return limit ? sim_random(sim) % limit : 0; }

uint64_t sim_between(struct sim *sim, uint64_t low, uint64_t high) { return low + sim_below(sim, high - low + 1); }

bool sim_chance(struct sim *sim, double probability) { return (double)(sim_random(sim) >> 11) * 0x1p-53 < probability; }

static bool is_before(const struct sim_event *a, const struct sim_event *b)
{
    return a->at_us < b->at_us || (a->at_us == b->at_us && a->order < b->order);
}

void sim_post(struct sim *sim, uint64_t at_us, struct sim_event event)
{
    event.at_us = at_us;
    event.order = sim->heap_order++;
    if (sim->heap_count == sim->heap_room) {
        sim->heap_room = sim->heap_room ? sim->heap_room * 2 : 1024;
        sim->heap = kz_must_realloc(sim->heap, sim->heap_room * sizeof(*sim->heap));
    }
    size_t at = sim->heap_count++;
    while (at > 0 && is_before(&event, &sim->heap[(at - 1) / 2])) {
        sim->heap[at] = sim->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    sim->heap[at] = event;
}

bool sim_pop(struct sim *sim, struct sim_event *out)
{
    if (sim->heap_count == 0) return false;
    *out = sim->heap[0];
    struct sim_event last = sim->heap[--sim->heap_count];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= sim->heap_count) break;
        if (child + 1 < sim->heap_count && is_before(&sim->heap[child + 1], &sim->heap[child])) child++;
        if (!is_before(&sim->heap[child], &last)) break;
        sim->heap[at] = sim->heap[child];
        at = child;
    }
    sim->heap[at] = last;
    return true;
}
