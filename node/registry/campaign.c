/* SPDX-License-Identifier: Apache-2.0 */
#include "node/registry/campaign.h"

#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/registry/doctor_rules.h"

bool kz_campaign_is_open(const Kz__Campaign *campaign) { return !kz_given(campaign->closed_on); }

bool kz_campaign_asks(const struct kz_set *set, const Kz__Campaign *campaign, const Kz__Record *record)
{
    const struct kz_kind *kind = kz_given(campaign->target) ? kz_kind_by_name(campaign->target) : NULL;
    if (kind == NULL || kind->number != record->kind) return false;
    for (size_t i = 0; i < campaign->n_owners; i++)
        if (kz_record_owned_by(set, record, campaign->owners[i])) return true;
    return campaign->n_owners == 0;
}

bool kz_campaign_confirmed(const Kz__Campaign *campaign, const Kz__Record *record)
{
    int64_t since = 0;
    return record->has_verified_at && kz_day_of_date(campaign->started_on, &since) &&
           kz_day_of_time(record->verified_at) >= since;
}

static int compare_items(const void *a, const void *b)
{
    const struct kz_campaign_item *one = a, *other = b;
    int order = strcmp(one->owner, other->owner);
    return order ? order : strcmp(one->record->id, other->record->id);
}

static void count_owners(struct kz_campaign_progress *progress)
{
    progress->owners = kz_must_alloc(progress->count + 1, sizeof *progress->owners);
    for (size_t i = 0; i < progress->count; i++) {
        const struct kz_campaign_item *item = &progress->items[i];
        if (i == 0 || strcmp(item->owner, progress->items[i - 1].owner) != 0)
            progress->owners[progress->owner_count++].id = item->owner;
        struct kz_campaign_owner *owner = &progress->owners[progress->owner_count - 1];
        owner->asked++;
        if (item->confirmed) owner->confirmed++, progress->confirmed++;
    }
}

void kz_campaign_progress_init(struct kz_campaign_progress *progress, const struct kz_set *set,
                               const Kz__Campaign *campaign)
{
    size_t count = 0;
    const struct kz_kind *kind = kz_given(campaign->target) ? kz_kind_by_name(campaign->target) : NULL;
    const Kz__Record *const *records = kind ? kz_set_kind(set, kind->number, &count) : NULL;
    *progress = (struct kz_campaign_progress){.items = kz_must_alloc(count + 1, sizeof *progress->items)};
    for (size_t i = 0; i < count; i++) {
        const char *owner = kz_record_owner(set, records[i]);
        if (!kz_campaign_asks(set, campaign, records[i])) continue;
        progress->items[progress->count++] =
            (struct kz_campaign_item){records[i], owner ? owner : "", kz_campaign_confirmed(campaign, records[i])};
    }
    qsort(progress->items, progress->count, sizeof *progress->items, compare_items);
    count_owners(progress);
}

void kz_campaign_progress_fini(struct kz_campaign_progress *progress)
{
    free(progress->items);
    free(progress->owners);
    *progress = (struct kz_campaign_progress){0};
}
