/* SPDX-License-Identifier: Apache-2.0 */
/* MOVE: a runbook to another state of its life, its text as it is. */
#include "node/store/stage.h"

#include <stdio.h>

#include "node/registry/runbook_life.h"
#include "node/registry/when.h"

#define DAY_MS INT64_C(86400000)
#define JAPAN_OFFSET_MS (DAY_MS / 24 * 9)

/* The day in Japan, by the leader's time. */
static char *write_today(struct kz_stage *stage)
{
    struct kz_civil day = kz_civil_from_days((stage->time_ms + JAPAN_OFFSET_MS) / DAY_MS);
    char *text = kz_stage_claim(stage, kz_arena_alloc(&stage->scratch->arena, KZ_DATE_BYTES));
    if (text != NULL)
        snprintf(text, KZ_DATE_BYTES, "%04u-%02u-%02u", (unsigned)day.year % 10000, (unsigned)day.month % 100,
                 (unsigned)day.day % 100);
    return text;
}

void kz_stage_move(struct kz_stage *stage, struct kz_staged *item)
{
    const Kz__Record *before = item->before;
    Kz__Runbook__State to = item->mutation->to_state;
    item->unchanged = before->runbook->has_state && before->runbook->state == to;
    item->after = (Kz__Record *)(uintptr_t)before; /* never written when `unchanged` */
    if (item->unchanged) return;
    struct kz_arena *arena = &stage->scratch->arena;
    Kz__Record *record = kz_stage_claim(stage, kz_arena_memdup(arena, before, sizeof(*before)));
    Kz__Runbook *runbook = kz_stage_claim(stage, kz_arena_memdup(arena, before->runbook, sizeof(*before->runbook)));
    char *today = write_today(stage);
    if (record == NULL || runbook == NULL || today == NULL) return;
    record->runbook = runbook;
    kz_runbook_move(record, to, stage->command->actor, today);
    kz_stage_stamp(stage, record);
    if (to == KZ__RUNBOOK__STATE__APPROVED) {
        runbook->has_approved_rev = true;
        runbook->approved_rev = (int64_t)record->rev;
    }
    item->after = record;
}
