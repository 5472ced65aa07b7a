/* SPDX-License-Identifier: Apache-2.0 */
/* The table of settings, their values, and which value holds. */
#include <string.h>

#include "node/registry/settings.h"
#include "tests/unit/registry/samples.h"

static void keys_are_ids_in_order_with_labels_sources_and_a_default_that_parses(void **state)
{
    (void)state;
    size_t count = 0;
    const struct kz_setting *settings = kz_settings(&count);
    assert_in_range(count, 15, 100);
    for (size_t i = 0; i < count; i++) {
        struct kz_setting_value value;
        assert_true(kz_id_valid(settings[i].key));
        if (i > 0 && strcmp(settings[i].key, settings[i - 1].key) <= 0) fail_msg("%s: order", settings[i].key);
        if (kz_setting_parse(&settings[i], settings[i].preset, &value) != NULL) fail_msg("%s", settings[i].key);
        assert_true(settings[i].source != NULL && settings[i].label.en[0] != '\0' && settings[i].label.ja[0] != '\0');
        assert_true(settings[i].help.en[0] != '\0' && settings[i].help.ja[0] != '\0');
        assert_ptr_equal(kz_setting_by_key(settings[i].key), &settings[i]);
    }
    assert_null(kz_setting_by_key("contact"));
    assert_string_equal(kz_setting_nearest("contact.verify_evry")->key, "contact.verify_every");
    assert_null(kz_setting_nearest("xyzzy"));
}

static const struct kz_text *parse(const char *key, const char *text, struct kz_setting_value *value)
{
    return kz_setting_parse(kz_setting_by_key(key), text, value);
}

static void values_are_read_as_people_type_them(void **state)
{
    (void)state;
    struct kz_setting_value value;
    assert_null(parse("contact.verify_every", "１２０日", &value));
    assert_int_equal(value.number, 120 * 86400);
    assert_null(parse("system.s_share_max", "25%", &value));
    assert_int_equal(value.number, 25);
    assert_null(parse("vendor.distance_min_km", "60", &value));
    assert_int_equal(value.number, 60);
    assert_null(parse("report.hours", "08:15, 16:00", &value));
    assert_int_equal(value.count, 2);
    assert_int_equal(value.items[0], 8 * 60 + 15);
    assert_int_equal(value.items[1], 16 * 60);
    assert_null(parse("business.extra_holidays", "12-29,2027-10-01", &value));
    assert_int_equal(value.items[0], 1229);
    assert_int_equal(value.items[1], 20271001);
    assert_null(parse("business.extra_holidays", "", &value));
    assert_int_equal(value.count, 0);
}

static void values_out_of_limits_are_refused_with_a_reason(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        {"system.s_share_max", "101"},      {"system.s_share_max", "-1"},
        {"system.s_share_max", "2割"},      {"contact.verify_every", "23h"},
        {"contact.verify_every", "90"},     {"report.hours", ""},
        {"report.hours", "24:00"},          {"business.start", "8:30"},
        {"business.start", "08:30,09:00"},  {"business.extra_holidays", "02-30"},
        {"recovery.teams", "1001"},         {"recovery.teams", "1.5"},
        {"vendor.distance_min_km", "30km"}, {"recovery.teams", "99999999999999999999"},
    };
    struct kz_setting_value value;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (parse(bad[i][0], bad[i][1], &value) == NULL) fail_msg("%s = %s", bad[i][0], bad[i][1]);
}

static void the_record_holds_before_the_default_unless_it_is_retired(void **state)
{
    (void)state;
    struct kz_setting_value value;
    Kz__Record *record = sample_minimal(KZ__KIND__SETTING);
    Kz__Record *other = sample_minimal(KZ__KIND__SITE);
    const Kz__Record *records[] = {other, record};
    assert_null(sample_set(record, "value", "30d"));
    kz_setting_get(records, 2, "contact.verify_every", &value);
    assert_int_equal(value.number, 30 * 86400);
    kz_setting_get(records, 2, "review.every", &value);
    assert_int_equal(value.number, 365 * 86400);
    record->has_retired_at = 1;
    kz_setting_get(records, 2, "contact.verify_every", &value);
    assert_int_equal(value.number, 90 * 86400);
    kz__record__free_unpacked(record, NULL);
    kz__record__free_unpacked(other, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_ids_in_order_with_labels_sources_and_a_default_that_parses),
        cmocka_unit_test(values_are_read_as_people_type_them),
        cmocka_unit_test(values_out_of_limits_are_refused_with_a_reason),
        cmocka_unit_test(the_record_holds_before_the_default_unless_it_is_retired),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
