/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/survivor.h"

#include <stdbool.h>

static int compare_numbers(uint64_t a, uint64_t b) { return a < b ? -1 : a > b; }

int kz_survivor_compare(const Kz__Survivor *a, const Kz__Survivor *b, enum kz_survivor_reason *reason)
{
    const struct {
        enum kz_survivor_reason reason;
        int order;
    } steps[] = {
        {KZ_SURVIVOR_EPOCH, compare_numbers(a->epoch, b->epoch)},
        {KZ_SURVIVOR_LAST_TERM, compare_numbers(a->last_term, b->last_term)},
        {KZ_SURVIVOR_LAST_INDEX, compare_numbers(a->last_index, b->last_index)},
        {KZ_SURVIVOR_COMMITTED, compare_numbers(a->commit_index, b->commit_index)},
    };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (steps[i].order == 0) continue;
        *reason = steps[i].reason;
        return steps[i].order;
    }
    *reason = KZ_SURVIVOR_EQUAL;
    return 0;
}

static bool beats(const Kz__Survivor *a, const Kz__Survivor *b)
{
    enum kz_survivor_reason ignored;
    if (!a->fence != !b->fence) return !a->fence;
    int order = kz_survivor_compare(a, b, &ignored);
    return order > 0 || (order == 0 && a->node_id < b->node_id);
}

const Kz__Survivor *kz_survivor_newest(Kz__Survivor *const *survivors, size_t count)
{
    const Kz__Survivor *newest = survivors[0];
    for (size_t i = 1; i < count; i++)
        if (beats(survivors[i], newest)) newest = survivors[i];
    return newest;
}

enum kz_survivor_reason kz_survivor_why(const Kz__Survivor *newest, Kz__Survivor *const *survivors, size_t count)
{
    enum kz_survivor_reason weakest = KZ_SURVIVOR_EPOCH, reason;
    bool others = false;
    for (size_t i = 0; i < count; i++) {
        if (survivors[i] == newest || survivors[i]->fence) continue;
        others = true;
        (void)kz_survivor_compare(newest, survivors[i], &reason); /* only the reason counts */
        if (reason > weakest) weakest = reason;
    }
    return others ? weakest : KZ_SURVIVOR_EQUAL;
}
