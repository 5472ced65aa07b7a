/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/registry/samples.h"

static void note_difference(void *data, const char *path, const char *before, const char *after)
{
    char *text = data;
    size_t used = strlen(text);
    snprintf(text + used, 2048 - used, "%s: %s -> %s\n", path, before == NULL ? "-" : before,
             after == NULL ? "-" : after);
}

static void expect_diff(const Kz__Record *a, const Kz__Record *b, bool japanese, const char *expected)
{
    char text[2048] = "";
    kz_record_diff(a, b, japanese, note_difference, text);
    assert_string_equal(text, expected);
}

static void equal_records_have_no_difference(void **state)
{
    (void)state;
    size_t count = 0;
    const struct kz_kind *kinds = kz_kinds(&count);
    for (size_t i = 0; i < count; i++) {
        Kz__Record *a = sample_full(kinds[i].number);
        Kz__Record *b = sample_full(kinds[i].number);
        expect_diff(a, b, false, "");
        assert_true(kz_record_same(a, b));
        kz__record__free_unpacked(a, NULL);
        kz__record__free_unpacked(b, NULL);
    }
}

static void each_leaf_that_differs_is_shown_once_with_its_path(void **state)
{
    (void)state;
    Kz__Record *a = sample_minimal(KZ__KIND__SYSTEM);
    Kz__Record *b = sample_minimal(KZ__KIND__SYSTEM);
    assert_null(sample_set(a, "rto", "3h"));
    assert_null(sample_set(b, "rto", "1d"));
    assert_null(sample_set(a, "depends_on", "x"));
    assert_null(sample_set(b, "depends_on", "x"));
    assert_null(sample_set(b, "depends_on", "y"));
    assert_null(sample_set(a, "placements[0].site", "main"));
    assert_null(sample_set(a, "placements[0].standby", "HOT"));
    assert_null(sample_set(b, "type", "PLATFORM"));
    kz_record_derive(a);
    kz_record_derive(b);
    expect_diff(a, b, false,
                "priority: S -> A\nrto: 3h -> 1d\ntype: BUSINESS -> PLATFORM\ndepends_on[1]: - -> y\n"
                "placements[0].site: main -> -\nplacements[0].standby: HOT -> -\n");
    expect_diff(b, a, true,
                "priority: A -> S\nrto: 1日 -> 3時間\ntype: 基盤 -> 業務\ndepends_on[1]: y -> -\n"
                "placements[0].site: - -> main\nplacements[0].standby: - -> ホットスタンバイ\n");
    assert_false(kz_record_same(a, b));
    kz__record__free_unpacked(a, NULL);
    kz__record__free_unpacked(b, NULL);
}

static void what_people_set_in_the_envelope_counts_and_what_keizoku_sets_does_not(void **state)
{
    (void)state;
    Kz__Record *a = sample_minimal(KZ__KIND__SITE);
    Kz__Record *b = sample_minimal(KZ__KIND__SITE);
    b->has_rev = b->has_updated_at = b->has_verified_at = 1;
    b->rev = 7;
    b->updated_at = b->verified_at = 1;
    b->updated_by = strdup("yamada");
    b->reason = strdup("訂正");
    assert_true(kz_record_same(a, b));
    expect_diff(a, b, false, "");
    b->review_due = strdup("2027-03-31");
    b->has_confidentiality = 1;
    b->confidentiality = 2;
    assert_false(kz_record_same(a, b));
    expect_diff(a, b, false, "review_due: - -> 2027-03-31\nconfidentiality: - -> 2\n");
    kz__record__free_unpacked(a, NULL);
    kz__record__free_unpacked(b, NULL);
}

/* The derived priority follows from the rest: a record typed without it equals the stored one. */
static void a_derived_field_alone_makes_no_difference(void **state)
{
    (void)state;
    Kz__Record *typed = sample_minimal(KZ__KIND__SYSTEM);
    assert_null(sample_set(typed, "rto", "3h"));
    Kz__Record *stored = kz_record_dup(typed);
    kz_record_derive(stored);
    assert_true(stored->system->has_priority && !typed->system->has_priority);
    assert_true(kz_record_same(typed, stored));
    kz__record__free_unpacked(typed, NULL);
    kz__record__free_unpacked(stored, NULL);
}

static void zero_and_absent_differ(void **state)
{
    (void)state;
    Kz__Record *a = sample_minimal(KZ__KIND__SITE);
    Kz__Record *b = sample_minimal(KZ__KIND__SITE);
    assert_null(sample_set(b, "ups", "0m"));
    assert_false(kz_record_same(a, b));
    expect_diff(a, b, true, "ups: - -> 0分\n");
    kz__record__free_unpacked(a, NULL);
    kz__record__free_unpacked(b, NULL);
}

static void records_of_other_kinds_or_without_body_are_not_the_same(void **state)
{
    (void)state;
    Kz__Record *a = sample_minimal(KZ__KIND__SITE);
    Kz__Record *b = sample_minimal(KZ__KIND__ORG);
    Kz__Record bodyless = KZ__RECORD__INIT;
    bodyless.kind = KZ__KIND__SITE;
    bodyless.id = a->id;
    assert_false(kz_record_same(a, b));
    assert_false(kz_record_same(a, &bodyless));
    assert_true(kz_record_same(&bodyless, &bodyless));
    kz__record__free_unpacked(a, NULL);
    kz__record__free_unpacked(b, NULL);
}

static void add_channel(Kz__Record *contact, unsigned index, const char *type, const char *value)
{
    char path[64];
    snprintf(path, sizeof(path), "channels[%u].type", index);
    assert_null(sample_set(contact, path, type));
    snprintf(path, sizeof(path), "channels[%u].value", index);
    assert_null(sample_set(contact, path, value));
}

static void an_item_put_in_between_leaves_the_others_as_they_are(void **state)
{
    (void)state;
    Kz__Record *a = sample_minimal(KZ__KIND__SYSTEM);
    Kz__Record *b = sample_minimal(KZ__KIND__SYSTEM);
    static const char *const old_list[] = {"p", "q", "r", "s"}, *const new_list[] = {"x", "p", "q", "y", "s"};
    for (size_t i = 0; i < 4; i++)
        assert_null(sample_set(a, "depends_on", old_list[i]));
    for (size_t i = 0; i < 5; i++)
        assert_null(sample_set(b, "depends_on", new_list[i]));
    expect_diff(a, b, false, "depends_on[0]: - -> x\ndepends_on[3]: r -> y\n");
    expect_diff(b, a, false, "depends_on[0]: x -> -\ndepends_on[2]: y -> r\n");
    kz__record__free_unpacked(a, NULL);
    kz__record__free_unpacked(b, NULL);
}

static void a_changed_item_is_found_by_what_it_still_shares(void **state)
{
    (void)state;
    Kz__Record *a = kz_record_new(KZ__KIND__CONTACT, "yamada");
    Kz__Record *b = kz_record_new(KZ__KIND__CONTACT, "yamada");
    add_channel(a, 0, "OFFICE_PHONE", "03-0000-0001");
    add_channel(a, 1, "MOBILE", "090-0000-0001");
    add_channel(a, 2, "MAIL", "yamada@example.jp");
    add_channel(b, 0, "SATELLITE", "8816-000-0001");
    add_channel(b, 1, "OFFICE_PHONE", "03-0000-0001");
    add_channel(b, 2, "MOBILE", "090-0000-9999");
    add_channel(b, 3, "MAIL", "yamada@example.jp");
    expect_diff(a, b, false,
                "channels[0].type: - -> SATELLITE\nchannels[0].value: - -> 8816-000-0001\n"
                "channels[2].value: 090-0000-0001 -> 090-0000-9999\n");
    expect_diff(b, a, false,
                "channels[0].type: SATELLITE -> -\nchannels[0].value: 8816-000-0001 -> -\n"
                "channels[1].value: 090-0000-9999 -> 090-0000-0001\n");
    kz__record__free_unpacked(a, NULL);
    kz__record__free_unpacked(b, NULL);
}

static void what_stands_is_what_people_set_and_its_verification(void **state)
{
    (void)state;
    Kz__Record *a = sample_minimal(KZ__KIND__SITE);
    Kz__Record *b = sample_minimal(KZ__KIND__SITE);
    b->has_rev = 1;
    b->rev = 7;
    assert_true(kz_record_stands(a, b));
    b->has_verified_at = 1;
    b->verified_at = 5;
    assert_false(kz_record_stands(a, b));
    b->has_retired_at = 1;
    assert_false(kz_record_stands(a, b));
    assert_true(kz_record_stands(b, NULL));
    assert_false(kz_record_stands(a, NULL));
    a->has_retired_at = 1;
    assert_true(kz_record_stands(a, b));
    kz__record__free_unpacked(a, NULL);
    kz__record__free_unpacked(b, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_records_have_no_difference),
        cmocka_unit_test(each_leaf_that_differs_is_shown_once_with_its_path),
        cmocka_unit_test(what_people_set_in_the_envelope_counts_and_what_keizoku_sets_does_not),
        cmocka_unit_test(a_derived_field_alone_makes_no_difference),
        cmocka_unit_test(zero_and_absent_differ),
        cmocka_unit_test(an_item_put_in_between_leaves_the_others_as_they_are),
        cmocka_unit_test(a_changed_item_is_found_by_what_it_still_shares),
        cmocka_unit_test(what_stands_is_what_people_set_and_its_verification),
        cmocka_unit_test(records_of_other_kinds_or_without_body_are_not_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
