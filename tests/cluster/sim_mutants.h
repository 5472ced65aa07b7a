/* SPDX-License-Identifier: Apache-2.0 */
/* Each guard switched off, the situation in which it matters, and how many seeds it may take to be missed. */
#ifndef KZ_TESTS_CLUSTER_SIM_MUTANTS_H
#define KZ_TESTS_CLUSTER_SIM_MUTANTS_H

#include "tests/cluster/sim.h"

struct sim_mutant {
    const char *name; /* NULL ends the table */
    uint32_t guards_off;
    uint32_t bad; /* SIM_BAD bits */
    unsigned shape;
    unsigned chaos_s;
    uint64_t budget;     /* seeds */
    const char *why_not; /* it cannot be caught in this driver; NULL = it must be */
};
extern const struct sim_mutant sim_mutants[];

#endif
