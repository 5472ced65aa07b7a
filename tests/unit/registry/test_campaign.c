/* SPDX-License-Identifier: Apache-2.0 */
/* Verification campaigns: who is asked, who has confirmed. G 2.9.2, 表2-9-3. */
#include <stdlib.h>
#include <string.h>

#include "node/registry/campaign.h"
#include "node/registry/when.h"
#include "tests/unit/registry/systems.h"

static void verify(Kz__Record *record, const char *time)
{
    record->has_verified_at = true;
    assert_true(kz_time_parse(time, &record->verified_at));
}

static Kz__Record *add_contact(struct registry *registry, const char *id, const char *org)
{
    Kz__Record *record = registry_add(registry, KZ__KIND__CONTACT, id);
    fill(record, "name", id);
    if (org) fill(record, "org", org);
    return record;
}

/* ministry > division > office; vendor */
static Kz__Record *make(struct registry *registry)
{
    static const char *const orgs[] = {"ministry", "division", "office", "vendor"};
    for (size_t i = 0; i < 4; i++)
        fill(registry_add(registry, KZ__KIND__ORG, orgs[i]), "name", orgs[i]);
    fill(registry->records[1], "parent", "ministry");
    fill(registry->records[2], "parent", "division");
    verify(add_contact(registry, "before", "division"), "2026-11-15T23:59:59+09:00");
    verify(add_contact(registry, "first-minute", "division"), "2026-11-16T00:00:00+09:00");
    add_contact(registry, "never", "office");
    verify(add_contact(registry, "after", "vendor"), "2026-12-31T12:00:00+09:00");
    add_contact(registry, "nobodys", NULL);
    add_contact(registry, "gone", "office")->has_retired_at = 1;
    Kz__Record *campaign = registry_add(registry, KZ__KIND__CAMPAIGN, "c");
    fill(campaign, "title", "t");
    fill(campaign, "target", "contact");
    fill(campaign, "started_on", "2026-11-16");
    fill(campaign, "due", "2026-12-11");
    return campaign;
}

static void what_was_confirmed_since_the_first_day_in_japan_counts_and_the_rest_is_left_by_owner(void **state)
{
    (void)state;
    static const char *const ids[] = {"nobodys", "before", "first-minute", "never", "after"};
    static const char *const owners[] = {"", "division", "division", "office", "vendor"};
    static const bool confirmed[] = {false, false, true, false, true};
    struct registry registry = {0};
    struct kz_campaign_progress progress;
    const Kz__Campaign *campaign = make(&registry)->campaign;
    registry_close(&registry);
    kz_campaign_progress_init(&progress, &registry.set, campaign);
    assert_int_equal(progress.count, 5);
    assert_int_equal(progress.confirmed, 2);
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal(progress.items[i].record->id, ids[i]);
        assert_string_equal(progress.items[i].owner, owners[i]);
        assert_int_equal(progress.items[i].confirmed, confirmed[i]);
    }
    assert_int_equal(progress.owner_count, 4);
    assert_string_equal(progress.owners[1].id, "division");
    assert_int_equal(progress.owners[1].asked, 2);
    assert_int_equal(progress.owners[1].confirmed, 1);
    kz_campaign_progress_fini(&progress);
    registry_free(&registry);
}

static void only_the_named_owners_and_those_below_them_are_asked(void **state)
{
    (void)state;
    struct registry registry = {0};
    struct kz_campaign_progress progress;
    Kz__Record *record = make(&registry);
    fill(record, "owners", "division");
    registry_close(&registry);
    kz_campaign_progress_init(&progress, &registry.set, record->campaign);
    assert_int_equal(progress.count, 3);
    assert_int_equal(progress.owner_count, 2);
    assert_string_equal(progress.owners[1].id, "office");
    kz_campaign_progress_fini(&progress);
    registry_free(&registry);
}

static void records_of_other_kinds_are_not_asked_and_a_closed_campaign_is_not_open(void **state)
{
    (void)state;
    struct registry registry = {0};
    Kz__Record *record = make(&registry);
    registry_close(&registry);
    assert_false(kz_campaign_asks(&registry.set, record->campaign, registry.records[0]));
    assert_true(kz_campaign_asks(&registry.set, record->campaign, registry.records[4]));
    assert_true(kz_campaign_is_open(record->campaign));
    fill(record, "closed_on", "2026-12-12");
    assert_false(kz_campaign_is_open(record->campaign));
    registry_free(&registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_confirmed_since_the_first_day_in_japan_counts_and_the_rest_is_left_by_owner),
        cmocka_unit_test(only_the_named_owners_and_those_below_them_are_asked),
        cmocka_unit_test(records_of_other_kinds_are_not_asked_and_a_closed_campaign_is_not_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
