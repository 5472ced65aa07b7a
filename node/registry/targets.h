/* SPDX-License-Identifier: Apache-2.0 */
/* What a system's targets must be, from what uses it, and how far its components are from theirs.
 * Pure; any thread. Results are owned by the caller: free(); what they point at is borrowed from the set. Out of memory
 * ends the process. */
#ifndef KZ_REGISTRY_TARGETS_H
#define KZ_REGISTRY_TARGETS_H

#include "node/registry/graph.h"

/* G 2.5.2(1)-3: the RTO follows the function with the shortest RTO; what a system needs must be there as early. */
struct kz_required {
    bool has;                  /* something that has an RTO uses it */
    int64_t rto_s;             /* the shortest */
    const Kz__Record *from;    /* the function or system whose RTO that is */
    const Kz__Record *through; /* the system that uses it directly on the way from there; NULL: `from` uses it itself */
};

/* One for each system of the graph. A function is linked by its `systems` or by the system's `functions`. Of equal
 * RTOs a function is named before a system, then the lower id. O(n log n). */
struct kz_required *kz_targets_required(const struct kz_set *set, const struct kz_graph *graph);

/* G 2.5.2(1)-4: in principle a platform's RTO is shorter than that of every system on it. Visits each pair that
 * breaks this, both with an RTO; by rank of the platform, then of the system. */
typedef void (*kz_platform_visitor)(void *data, const Kz__Record *platform, const Kz__Record *system);
void kz_targets_platform(const struct kz_graph *graph, kz_platform_visitor visit, void *data);

/* G 2.7.1(1)-1: the current level of a system is the lowest among its components. G 2.6.2(3)-3: the gap to the target
 * is kept and managed. */
struct kz_level {
    bool has_current, has_target; /* some component has one */
    int64_t current;              /* the lowest */
    int64_t target;               /* the highest */
    const Kz__Record *lowest;     /* the component of the lowest current level; of several the lowest id */
    int64_t gap;                  /* target - current, at least 0; when both are there */
    size_t components;
    size_t unknown; /* components without a current level: the level may be lower still */
};

/* One for each system of the graph. */
struct kz_level *kz_targets_levels(const struct kz_set *set, const struct kz_graph *graph);

/* The gap of one component, at least 0. False: it lacks one of the levels. */
bool kz_component_gap(const Kz__Component *component, int64_t *gap);

#endif
