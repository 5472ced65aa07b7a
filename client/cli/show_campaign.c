/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/show_campaign.h"

#include <stdio.h>

#include "node/base/assert.h"
#include "node/registry/search_index.h"

#define NUMBER_TEXT_BYTES 48

static const char *text_of(const char *text) { return text ? text : ""; }

static void add_count(struct kz_grid *grid, size_t confirmed, size_t asked)
{
    char text[NUMBER_TEXT_BYTES];
    snprintf(text, sizeof text, "%zu/%zu", confirmed, asked);
    kz_grid_add_cell(grid, text);
}

static json_t *encode_campaign(const Kz__Record *record, const struct kz_campaign_progress *progress)
{
    const Kz__Campaign *campaign = record->campaign;
    json_t *object = json_object();
    kz_show_set(object, "id", kz_show_string(record->id));
    kz_show_set(object, "title", kz_show_string(campaign->title));
    kz_show_set(object, "target", kz_show_string(campaign->target));
    kz_show_set(object, "started_on", kz_show_string(campaign->started_on));
    kz_show_set(object, "due", kz_show_string(campaign->due));
    if (!kz_campaign_is_open(campaign)) kz_show_set(object, "closed_on", kz_show_string(campaign->closed_on));
    kz_show_set(object, "asked", json_integer((json_int_t)progress->count));
    kz_show_set(object, "confirmed", json_integer((json_int_t)progress->confirmed));
    return object;
}

void kz_show_campaigns(const struct kz_view *view, const struct kz_set *set, const Kz__Meta *meta, struct kz_buf *out)
{
    static const enum kz_text_id columns[] = {KZ_T_COLUMN_ID,      KZ_T_COLUMN_NAME, KZ_T_COLUMN_KIND,
                                              KZ_T_COLUMN_STARTED, KZ_T_COLUMN_DUE,  KZ_T_COLUMN_CLOSED,
                                              KZ_T_COLUMN_DONE};
    size_t count;
    const Kz__Record *const *campaigns = kz_set_kind(set, KZ__KIND__CAMPAIGN, &count);
    json_t *items = json_array();
    struct kz_grid grid = {0};
    for (size_t i = 0; !kz_show_is_json(view) && i < sizeof columns / sizeof columns[0]; i++)
        kz_show_add_column(view, &grid, columns[i], columns[i] == KZ_T_COLUMN_DONE);
    for (size_t i = 0; i < count; i++) {
        const Kz__Campaign *campaign = campaigns[i]->campaign;
        struct kz_campaign_progress progress;
        kz_campaign_progress_init(&progress, set, campaign);
        if (kz_show_is_json(view)) {
            kz_assert(json_array_append_new(items, encode_campaign(campaigns[i], &progress)) == 0);
        } else {
            kz_grid_add_cell(&grid, campaigns[i]->id);
            kz_grid_add_cell(&grid, text_of(campaign->title));
            kz_grid_add_cell(&grid, text_of(campaign->target));
            kz_grid_add_cell(&grid, text_of(campaign->started_on));
            kz_grid_add_cell(&grid, text_of(campaign->due));
            kz_grid_add_cell(&grid, text_of(campaign->closed_on));
            add_count(&grid, progress.confirmed, progress.count);
        }
        kz_campaign_progress_fini(&progress);
    }
    if (kz_show_is_json(view)) {
        kz_show_items(view, meta, items, out);
        return;
    }
    json_decref(items);
    kz_show_grid(view, &grid, out);
}

/* ---- one ---- */

static void add_owners(const struct kz_view *view, const struct kz_set *set,
                       const struct kz_campaign_progress *progress, struct kz_buf *out)
{
    static const enum kz_text_id columns[] = {KZ_T_CAMPAIGN_OWNER, KZ_T_COLUMN_NAME, KZ_T_COLUMN_DONE};
    struct kz_grid grid = {0};
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        kz_show_add_column(view, &grid, columns[i], columns[i] == KZ_T_COLUMN_DONE);
    for (size_t i = 0; i < progress->owner_count; i++) {
        const struct kz_campaign_owner *owner = &progress->owners[i];
        const Kz__Record *org = kz_set_find(set, KZ__KIND__ORG, owner->id);
        kz_grid_add_cell(&grid, *owner->id ? owner->id : "-");
        const char *nobody = *owner->id ? "" : kz_text(KZ_T_CAMPAIGN_NO_OWNER, view->japanese);
        kz_grid_add_cell(&grid, org ? kz_search_title(org) : nobody);
        add_count(&grid, owner->confirmed, owner->asked);
    }
    kz_show_grid(view, &grid, out);
}

static json_t *encode_owners(const struct kz_campaign_progress *progress)
{
    json_t *owners = json_array();
    for (size_t i = 0; i < progress->owner_count; i++) {
        json_t *object = json_object();
        kz_show_set(object, "owner", kz_show_string(progress->owners[i].id));
        kz_show_set(object, "asked", json_integer((json_int_t)progress->owners[i].asked));
        kz_show_set(object, "confirmed", json_integer((json_int_t)progress->owners[i].confirmed));
        kz_assert(json_array_append_new(owners, object) == 0);
    }
    return owners;
}

static json_t *encode_item(const struct kz_campaign_item *item)
{
    const Kz__Record *record = item->record;
    json_t *object = json_object();
    kz_show_set(object, "owner", kz_show_string(item->owner));
    kz_show_set(object, "kind", kz_show_string(kz_show_kind(record->kind)));
    kz_show_set(object, "id", kz_show_string(record->id));
    kz_show_set(object, "title", kz_show_string(kz_search_title(record)));
    kz_show_set(object, "confirmed", json_boolean(item->confirmed));
    kz_show_set(object, "verified_at", record->has_verified_at ? kz_show_time(record->verified_at) : json_null());
    kz_show_set(object, "verified_by", record->verified_by ? kz_show_string(record->verified_by) : json_null());
    return object;
}

static void add_left(const struct kz_view *view, const struct kz_campaign_progress *progress, struct kz_buf *out)
{
    static const enum kz_text_id columns[] = {KZ_T_CAMPAIGN_OWNER, KZ_T_COLUMN_KIND, KZ_T_COLUMN_ID, KZ_T_COLUMN_NAME,
                                              KZ_T_COLUMN_VERIFIED};
    struct kz_grid grid = {0};
    struct kz_buf time;
    kz_buf_init(&time, 0);
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        kz_show_add_column(view, &grid, columns[i], false);
    for (size_t i = 0; i < progress->count; i++) {
        const struct kz_campaign_item *item = &progress->items[i];
        if (item->confirmed) continue;
        kz_buf_clear(&time);
        json_t *text = item->record->has_verified_at ? kz_show_time(item->record->verified_at) : NULL;
        kz_grid_add_cell(&grid, *item->owner ? item->owner : "-");
        kz_grid_add_cell(&grid, kz_show_kind(item->record->kind));
        kz_grid_add_cell(&grid, item->record->id);
        kz_grid_add_cell(&grid, kz_search_title(item->record));
        kz_grid_add_cell(&grid, text ? json_string_value(text) : kz_text(KZ_T_CAMPAIGN_NEVER, view->japanese));
        json_decref(text);
    }
    kz_buf_fini(&time);
    kz_show_grid(view, &grid, out);
}

void kz_show_campaign(const struct kz_view *view, const struct kz_set *set, const Kz__Record *record,
                      const Kz__Meta *meta, struct kz_buf *out)
{
    const Kz__Campaign *campaign = record->campaign;
    struct kz_campaign_progress progress;
    char confirmed[NUMBER_TEXT_BYTES], asked[NUMBER_TEXT_BYTES];
    kz_campaign_progress_init(&progress, set, campaign);
    if (kz_show_is_json(view)) {
        json_t *items = json_array(), *object = encode_campaign(record, &progress), *all = json_array();
        for (size_t i = 0; i < progress.count; i++)
            kz_assert(json_array_append_new(all, encode_item(&progress.items[i])) == 0);
        kz_show_set(object, "owners", encode_owners(&progress));
        kz_show_set(object, "records", all);
        kz_assert(json_array_append_new(items, object) == 0);
        kz_show_items(view, meta, items, out);
    } else if (view->output == KZ_OUTPUT_CSV) {
        add_left(view, &progress, out);
    } else {
        snprintf(confirmed, sizeof confirmed, "%zu", progress.confirmed);
        snprintf(asked, sizeof asked, "%zu", progress.count);
        kz_show_line(view, out, KZ_T_CAMPAIGN_LINE,
                     KZ_TEXT_ARGS(record->id, text_of(campaign->title), text_of(campaign->started_on),
                                  text_of(campaign->due), confirmed, asked));
        if (!kz_campaign_is_open(campaign))
            kz_show_line(view, out, KZ_T_CAMPAIGN_CLOSED, KZ_TEXT_ARGS(campaign->closed_on));
        kz_buf_add_text(out, "\n");
        add_owners(view, set, &progress, out);
        if (progress.confirmed < progress.count) {
            kz_buf_add_text(out, "\n");
            add_left(view, &progress, out);
        }
    }
    kz_campaign_progress_fini(&progress);
}
