/* SPDX-License-Identifier: Apache-2.0 */
/* Holidays of Japan, business hours, and whom to call at a given hour. */
#include <string.h>

#include "node/registry/duty.h"
#include "tests/unit/registry/systems.h"

/* 内閣府「国民の祝日」 2022 to 2027: month * 100 + day. */
static void public_holidays_are_those_that_the_cabinet_office_announced(void **state)
{
    (void)state;
    static const int announced[][22] = {
        {2022, 101, 110, 211, 223, 321, 429, 503, 504, 505, 718, 811, 919, 923, 1010, 1103, 1123},
        {2023, 101, 102, 109, 211, 223, 321, 429, 503, 504, 505, 717, 811, 918, 923, 1009, 1103, 1123},
        {2024, 101, 108, 211, 212, 223, 320, 429,  503,  504,  505,
         506,  715, 811, 812, 916, 922, 923, 1014, 1103, 1104, 1123},
        {2025, 101, 113, 211, 223, 224, 320, 429, 503, 504, 505, 506, 721, 811, 915, 923, 1013, 1103, 1123, 1124},
        {2026, 101, 112, 211, 223, 320, 429, 503, 504, 505, 506, 720, 811, 921, 922, 923, 1012, 1103, 1123},
        {2027, 101, 111, 211, 223, 321, 322, 429, 503, 504, 505, 719, 811, 920, 923, 1011, 1103, 1123},
    };
    for (size_t year = 0; year < sizeof(announced) / sizeof(announced[0]); year++) {
        size_t next = 1;
        struct kz_civil first = {announced[year][0], 1, 1};
        int64_t begin = kz_days_from_civil(&first);
        for (int64_t days = begin; kz_civil_from_days(days).year == first.year; days++) {
            struct kz_civil day = kz_civil_from_days(days);
            if (kz_public_holiday(&day) == NULL) continue;
            assert_int_equal(day.month * 100 + day.day, announced[year][next]);
            next++;
        }
        assert_true(next == 22 || announced[year][next] == 0);
    }
    assert_string_equal(kz_public_holiday(&(struct kz_civil){2026, 5, 6})->ja, "振替休日");
    assert_string_equal(kz_public_holiday(&(struct kz_civil){2026, 9, 22})->ja, "国民の休日");
}

static struct kz_moment moment_at(const struct registry *registry, const char *time)
{
    struct kz_calendar calendar;
    int64_t now_ms = 0;
    assert_true(kz_time_parse(time, &now_ms));
    kz_calendar_init(&calendar, &registry->set);
    return kz_calendar_moment(&calendar, now_ms);
}

static void expect_moment(const struct registry *registry, const char *time, bool holiday, bool night)
{
    struct kz_moment moment = moment_at(registry, time);
    if (moment.holiday != holiday || moment.night != night)
        fail_msg("%s: holiday %d night %d", time, moment.holiday, moment.night);
}

static void nights_and_holidays_follow_the_settings(void **state)
{
    (void)state;
    struct registry registry = {0};
    registry_close(&registry);
    expect_moment(&registry, "2026-11-20T08:29:59+09:00", false, true);
    expect_moment(&registry, "2026-11-20T08:30:00+09:00", false, false);
    expect_moment(&registry, "2026-11-20T17:14:59+09:00", false, false);
    expect_moment(&registry, "2026-11-20T17:15:00+09:00", false, true);
    expect_moment(&registry, "2026-11-21T12:00:00+09:00", true, false); /* Saturday */
    expect_moment(&registry, "2026-11-22T16:00:00Z", true, true);       /* 01:00 on Labour Thanksgiving Day */
    expect_moment(&registry, "2026-12-29T12:00:00+09:00", true, false); /* 行政機関の休日 */
    expect_moment(&registry, "2027-01-04T12:00:00+09:00", false, false);
    registry_free(&registry);
    fill(registry_add(&registry, KZ__KIND__SETTING, "business.start"), "value", "09:00");
    fill(registry_add(&registry, KZ__KIND__SETTING, "business.extra_holidays"), "value", "10-01,2026-11-20");
    registry_close(&registry);
    expect_moment(&registry, "2026-11-19T08:45:00+09:00", false, true);
    expect_moment(&registry, "2026-11-20T12:00:00+09:00", true, false);
    expect_moment(&registry, "2027-10-01T12:00:00+09:00", true, false);
    expect_moment(&registry, "2026-12-29T12:00:00+09:00", false, false); /* the setting says all of them */
    registry_free(&registry);
}

static void add_contact(struct registry *registry, const char *id, const char *first, const char *second)
{
    Kz__Record *contact = registry_add(registry, KZ__KIND__CONTACT, id);
    fill(contact, "channels[0].value", "03-0000-0001");
    fill(contact, "channels[0].hours", first);
    if (second == NULL) return;
    fill(contact, "channels[1].value", "090-0000-0001");
    fill(contact, "channels[1].hours", second);
}

/* N 9(1)ウ(ア): 連絡先の明確化 ※休日等についても整理を行う; G 2.8.1(1)-1: 代行者を定める. */
static void who_is_called_depends_on_the_hour(void **state)
{
    (void)state;
    struct registry registry = {0};
    struct kz_duty duty;
    Kz__Record *role = registry_add(&registry, KZ__KIND__ROLE, "kacho");
    add_contact(&registry, "office-only", "BUSINESS", NULL);
    add_contact(&registry, "night-duty", "BUSINESS", "NIGHT");
    add_contact(&registry, "always", "HOLIDAY", "ANY");
    fill(role, "holder", "office-only");
    fill(role, "deputies", "night-duty");
    fill(role, "deputies", "left-last-year");
    fill(role, "deputies", "always");
    registry_close(&registry);
    static const struct {
        const char *time, *contact, *value;
    } expected[] = {
        {"2026-11-20T10:00:00+09:00", "office-only", "03-0000-0001"},
        {"2026-11-20T22:00:00+09:00", "night-duty", "090-0000-0001"},
        {"2026-11-21T10:00:00+09:00", "always", "03-0000-0001"},
        {"2026-11-21T22:00:00+09:00", "night-duty", "090-0000-0001"},
    };
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        struct kz_moment moment = moment_at(&registry, expected[i].time);
        kz_duty_init(&duty, &registry.set, role->role, &moment);
        assert_int_equal(duty.count, 3);
        assert_string_equal(duty.persons[duty.first].contact->id, expected[i].contact);
        assert_string_equal(duty.persons[duty.first].channel->value, expected[i].value);
        assert_int_equal(duty.persons[duty.first].deputy, duty.first > 0);
        kz_duty_fini(&duty);
    }
    registry_free(&registry);
}

static void nobody_is_named_when_nobody_can_be_reached(void **state)
{
    (void)state;
    struct registry registry = {0};
    struct kz_duty duty;
    Kz__Record *role = registry_add(&registry, KZ__KIND__ROLE, "kacho");
    Kz__Record *vacant = registry_add(&registry, KZ__KIND__ROLE, "vacant");
    add_contact(&registry, "office-only", "BUSINESS", NULL);
    fill(role, "holder", "office-only");
    registry_close(&registry);
    struct kz_moment moment = moment_at(&registry, "2026-11-20T22:00:00+09:00");
    kz_duty_init(&duty, &registry.set, role->role, &moment);
    assert_int_equal(duty.count, 1);
    assert_null(duty.persons[0].channel);
    assert_int_equal(duty.first, SIZE_MAX);
    kz_duty_fini(&duty);
    kz_duty_init(&duty, &registry.set, vacant->role, &moment);
    assert_int_equal(duty.count, 0);
    kz_duty_fini(&duty);
    registry_free(&registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(public_holidays_are_those_that_the_cabinet_office_announced),
        cmocka_unit_test(nights_and_holidays_follow_the_settings),
        cmocka_unit_test(who_is_called_depends_on_the_hour),
        cmocka_unit_test(nobody_is_named_when_nobody_can_be_reached),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
