/* SPDX-License-Identifier: Apache-2.0 */
/* Which system needs which: the dependencies of all systems, both ways, by rank, and the cycles among them.
 * Rank is the order in which systems are wished for, before what they need is looked at: recovery priority (G
 * 表2.5-1), then RTO, then id; without a priority or RTO last.
 *
 * Cycles (A needs B, B needs A) cannot be recovered in any order, so something must give: systems are looked at in
 * rank order, what each needs too, depth first, and a dependency that closes a cycle is ignored. So the same records
 * always ignore the same dependencies, every one of them lies on a cycle, and none is ignored without need.
 *
 * Pure; not changed after init: any thread. Borrows from the set. Out of memory ends the process. */
#ifndef KZ_REGISTRY_GRAPH_H
#define KZ_REGISTRY_GRAPH_H

#include "node/registry/set.h"

#define KZ_CYCLES_NAMED_MAX 100 /* of more, only the count */

struct kz_cycle {
    size_t *systems; /* owned: each needs the next, the last needs the first; that last dependency is ignored */
    size_t count;
};

/* Systems are numbered as in the set: by id. */
struct kz_graph {
    const Kz__Record *const *systems; /* borrowed */
    size_t count;
    size_t *rank;             /* of each system, 0 first */
    size_t *by_rank;          /* the system of each rank */
    size_t *needs_at, *needs; /* what i needs: needs[needs_at[i]] up to needs[needs_at[i + 1]], each once, by rank */
    size_t *users_at, *users; /* what needs i, each once, by rank */
    bool *ignored;            /* beside `needs` */
    struct kz_cycle *cycles;  /* owned; the first KZ_CYCLES_NAMED_MAX */
    size_t cycle_count;       /* dependencies ignored, in all */
};

/* O(n log n), n systems and dependencies together. What is needed but not in the set is left out. */
void kz_graph_init(struct kz_graph *graph, const struct kz_set *set);
void kz_graph_fini(struct kz_graph *graph);

#endif
