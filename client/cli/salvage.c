/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/salvage.h"

#include <stdlib.h>
#include <string.h>

#include "node/registry/event.h"

void kz_salvage_fini(struct kz_salvage *salvage)
{
    if (salvage->head) kz__salvage_head__free_unpacked(salvage->head, NULL);
    for (size_t i = 0; i < salvage->count; i++)
        kz__salvage_item__free_unpacked(salvage->items[i], NULL);
    free(salvage->items);
    *salvage = (struct kz_salvage){.head = NULL};
}

static bool same_name(const Kz__Change *a, const Kz__Change *b)
{
    return a->kind == b->kind && strcmp(a->id, b->id) == 0;
}

size_t kz_salvage_group(const struct kz_salvage *salvage, size_t first, size_t *at)
{
    size_t count = 0;
    for (size_t i = 0; i < first; i++)
        if (same_name(salvage->items[i]->change, salvage->items[first]->change)) return 0;
    for (size_t i = first; i < salvage->count; i++)
        if (same_name(salvage->items[i]->change, salvage->items[first]->change)) at[count++] = i;
    return count;
}

static bool is_live(const Kz__Record *record) { return record && !record->has_retired_at; }

/* A record that is retired and one that never was are the same to whoever wants to create it. */
static bool same_state(const Kz__Record *a, const Kz__Record *b)
{
    if (!is_live(a) || !is_live(b)) return !is_live(a) && !is_live(b);
    return kz_record_same(a, b);
}

/* What the change left. A node that had not applied it tells what was proposed: a retirement comes without a record. */
static const Kz__Record *after_of(const Kz__SalvageItem *item)
{
    return item->change->op == KZ__MUTATION__OP__RETIRE ? NULL : item->change->after;
}

/* Confirmations are not handed on: they say that a person looked at a time that is past. */
static bool is_by_hand(const Kz__SalvageItem *item)
{
    if (item->change->op == KZ__MUTATION__OP__VERIFY) return true;
    return !item->change->after && item->change->op != KZ__MUTATION__OP__RETIRE;
}

static enum kz_salvage_verdict judge_event(const Kz__SalvageItem *item, const Kz__Record *current)
{
    if (!current) return KZ_SALVAGE_APPLY;
    return item->change->after && kz_event_same(current, item->change->after) ? KZ_SALVAGE_THERE : KZ_SALVAGE_CONFLICT;
}

/* The last change after which the record was as it is now. What came before it is there too. */
static size_t count_there(const struct kz_salvage *salvage, const size_t *at, size_t count, const Kz__Record *current)
{
    for (size_t i = count; i-- > 0;)
        if (!is_by_hand(salvage->items[at[i]]) && same_state(after_of(salvage->items[at[i]]), current)) return i + 1;
    return 0;
}

void kz_salvage_judge(const struct kz_salvage *salvage, const size_t *at, size_t count, const Kz__Record *current,
                      enum kz_salvage_verdict *verdicts)
{
    size_t there = count_there(salvage, at, count, current);
    const Kz__Record *now = current;
    for (size_t i = 0; i < count; i++) {
        const Kz__SalvageItem *item = salvage->items[at[i]], *earlier = i > 0 ? salvage->items[at[i - 1]] : NULL;
        const Kz__Record *before = item->change->before;
        /* The node told what it had applied; before this one came another that it had not. */
        if (item->state == KZ__SALVAGE_ITEM__STATE__UNCERTAIN && earlier && !is_by_hand(earlier))
            before = after_of(earlier);
        if (kz_kind_is_event(item->change->kind)) {
            /* In the log and waiting at once: one event, told twice. */
            verdicts[i] = i > 0 ? KZ_SALVAGE_THERE : judge_event(item, current);
        } else if (is_by_hand(item)) {
            verdicts[i] =
                current && current->verified_at >= item->change->time_ms ? KZ_SALVAGE_THERE : KZ_SALVAGE_BY_HAND;
        } else if (i < there) {
            verdicts[i] = KZ_SALVAGE_THERE;
        } else if (same_state(before, now)) {
            verdicts[i] = KZ_SALVAGE_APPLY;
            now = after_of(item);
        } else {
            verdicts[i] = KZ_SALVAGE_CONFLICT;
        }
    }
}
