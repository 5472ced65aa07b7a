/* SPDX-License-Identifier: Apache-2.0 */
/* In which order systems are recovered, when each can run again, who misses the RTO and why (G 2.5.2(1)-1: 復旧順序と
 * 復旧に要する時間を考慮した上で、業務のRTOを達成できるようにする).
 *
 * Order: what is needed first comes first; among those that could begin, the one of the first rank (graph.h).
 * Times: N 4(7) has every owning division recover its systems with its vendor once the platform runs, so systems that
 * do not need each other are recovered at the same time. Where fewer people can work at once (setting recovery.teams),
 * systems are taken in this order by the team that is free first.
 * A system without estimated_recovery counts 0 and makes it and what waits for it "at least".
 *
 * Pure; any thread. Borrows from the graph. Out of memory ends the process. */
#ifndef KZ_REGISTRY_ORDER_H
#define KZ_REGISTRY_ORDER_H

#include "node/registry/graph.h"

struct kz_order_options {
    size_t teams;       /* how many systems at the same time; 0: any number */
    int64_t elapsed_s;  /* since the systems stopped, until work begins; RTOs run from the stop */
    const bool *wanted; /* beside graph->systems: recover these only, the others run. NULL: all */
};

struct kz_order_step {
    size_t system;             /* in the graph */
    int64_t start_s, finish_s; /* since the stop */
    bool start_at_least;       /* an estimate of what it waits for is not known: it may begin later */
    bool at_least;             /* that, or its own estimate is not known: it may take longer */
    bool misses;               /* has an RTO and finish_s is past it */
    int64_t late_s;            /* by so much; 0 unless it misses */
    size_t after;              /* the step it waits for: index into steps; SIZE_MAX: it can begin at once */
    bool for_team;             /* it waits for a team to be free, not because it needs that system */
};

struct kz_order {
    struct kz_order_step *steps; /* owned */
    size_t count;
};

/* O(n log n). kz_order_init's result: kz_order_fini. */
void kz_order_init(struct kz_order *order, const struct kz_graph *graph, const struct kz_order_options *options);
void kz_order_fini(struct kz_order *order);

/* The critical chain of a step: from the one that began at once to the step itself, each waiting for the one before.
 * Owned by the caller: free(). */
size_t *kz_order_chain(const struct kz_order *order, size_t step, size_t *count);

#endif
