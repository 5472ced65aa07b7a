/* SPDX-License-Identifier: Apache-2.0 */
/* REVERT: one record as it stood just after an earlier revision. */
#include "node/store/stage.h"

#include "node/store/asof.h"

static void keep(struct kz_staged *item)
{
    item->unchanged = true;
    item->after = (Kz__Record *)(uintptr_t)item->before; /* never written: `unchanged` */
}

static void retire(struct kz_stage *stage, struct kz_staged *item)
{
    if (!kz_stage_is_live(item->before)) {
        keep(item);
        return;
    }
    Kz__Record *record =
        kz_stage_claim(stage, kz_arena_memdup(&stage->scratch->arena, item->before, sizeof(*item->before)));
    if (record == NULL) return;
    record->has_retired_at = 1;
    record->retired_at = stage->time_ms;
    kz_stage_stamp(stage, record);
    item->after = record;
}

/* With the verification that those contents had: the present one is of others. */
static void bring_back(struct kz_stage *stage, struct kz_staged *item, Kz__Record *then)
{
    kz_record_derive(then);
    if (kz_stage_is_live(item->before) && kz_record_same(item->before, then)) {
        keep(item);
        return;
    }
    kz_stage_stamp(stage, then);
    item->after = then;
}

enum kz_code kz_stage_revert(struct kz_stage *stage, struct kz_staged *item)
{
    const Kz__Mutation *mutation = item->mutation;
    Kz__Change *change;
    if (mutation->to_rev > stage->base_rev) {
        kz_stage_violate(stage, mutation, "", "revision.future", "there is no such revision yet",
                         "そのリビジョンはまだありません");
        kz_stage_refuse(stage, KZ_INVALID);
        return KZ_OK;
    }
    enum kz_code code = kz_asof_change(stage->scope, &stage->scratch->arena, mutation->kind, mutation->id,
                                       mutation->to_rev, &change, stage->err);
    if (code != KZ_OK && code != KZ_NOT_FOUND) return code;
    if (code == KZ_NOT_FOUND || change->after->has_retired_at)
        retire(stage, item);
    else
        bring_back(stage, item, change->after);
    return KZ_OK;
}
