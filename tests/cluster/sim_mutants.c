/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/cluster/sim_mutants.h"

#define OFF(guard) #guard, KZ_GUARD(guard), false

const struct sim_mutant sim_mutants[] = {
    {OFF(STALE_REPLY), 0, 20, 2000},
    {OFF(SPLIT_CHANGE), SIM_SHAPE_FAST_MEMBER, 20, 2000},
    {OFF(PREVOTE_TERM), 0, 20, 2000},
    {OFF(STALE_REJECT), 0, 20, 500},
    {OFF(LONE_TERM), SIM_SHAPE_LONE, 20, 2000},
    {OFF(NO_SELF_REMOVE), SIM_SHAPE_LONE, 20, 2000},
    {OFF(TIMER_CLAMP), 0, 20, 200},
    {OFF(PREVOTE_DROP), 0, 20, 2000},
    {OFF(DURABLE_APPLY), 0, 20, 200},
    {OFF(DROP_INSTALL), SIM_SHAPE_SLOW_INSTALL, 20, 1000},
    {OFF(READY), 0, 20, 500},
    {OFF(LONE_GATE), SIM_SHAPE_LONE, 20, 2000},
    {OFF(TRANSFER), SIM_SHAPE_TRANSFERS, 20, 2000},
    {OFF(FAST_FORWARD), 0, 20, 500},
    {OFF(HINT), 0, 20, 200},
    {OFF(GATE), 0, 20, 1000},
    {OFF(SETTLED), SIM_SHAPE_FAST_MEMBER, 20, 2000},
    {OFF(DURABLE_ACK), 0, 20, 500},
    {OFF(PROBE), 0, 20, 500},
    {"DEDUPE", 0, true, 0, 20, 200},
    {NULL, 0, false, 0, 0, 0},
};
