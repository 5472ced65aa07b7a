/* SPDX-License-Identifier: Apache-2.0 */
#include "node/backup/keep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define DAY 86400
#define COUNT_MAX 800

static size_t choose(const char *text, const int64_t *times, size_t count, bool *keep)
{
    struct kz_keep rule;
    size_t kept = 0;
    assert_true(kz_keep_parse(text, &rule));
    kz_keep_choose(&rule, times, count, keep);
    for (size_t i = 0; i < count; i++)
        kept += keep[i];
    return kept;
}

static void rules_are_numbers_of_generations_days_weeks_and_months(void **state)
{
    struct kz_keep rule;
    static const char *const bad[] = {"", "0", "x", "7x", "d", "7d,", ",7d", "7d,4d", "-1", "7 d", "10001", "7,8"};
    (void)state;
    assert_true(kz_keep_parse("7d,4w,12m", &rule));
    assert_true(rule.last == 0 && rule.days == 7 && rule.weeks == 4 && rule.months == 12);
    assert_true(kz_keep_parse("3,2w", &rule));
    assert_true(rule.last == 3 && rule.weeks == 2);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(kz_keep_parse(bad[i], &rule));
}

static void the_last_n_stay(void **state)
{
    const int64_t times[] = {5, 4, 3, 2, 1};
    bool keep[5];
    (void)state;
    assert_int_equal(choose("2", times, 5, keep), 2);
    assert_true(keep[0] && keep[1] && !keep[2]);
    assert_int_equal(choose("9", times, 5, keep), 5);
    assert_int_equal(choose("1", times, 0, keep), 0);
}

/* Two a day for a year: 2026-01-01 is a Thursday. */
static void the_newest_of_each_day_week_and_month_stays(void **state)
{
    static int64_t times[COUNT_MAX];
    static bool keep[COUNT_MAX];
    const int64_t end = 1798761600 - 1; /* 2026-12-31 23:59:59 */
    (void)state;
    for (size_t i = 0; i < 730; i++)
        times[i] = end - (int64_t)i * DAY / 2;
    assert_int_equal(choose("7d", times, 730, keep), 7);
    for (size_t i = 0; i < 14; i++)
        assert_int_equal(keep[i], i % 2 == 0);
    assert_int_equal(choose("12m", times, 730, keep), 12);
    assert_int_equal(choose("4w", times, 730, keep), 4);
    /* The newest is of a Thursday, so the one before it that stays is of the Sunday four days earlier. */
    assert_true(keep[0] && keep[8] && keep[22] && keep[36]);
    /* December is there as day, week and month; so are the Sundays of this week's end. */
    assert_int_equal(choose("7d,4w,12m", times, 730, keep), 7 + 2 + 11);
}

static void the_newest_stays_whatever_the_rule(void **state)
{
    const int64_t times[] = {3 * DAY, DAY};
    bool keep[2];
    (void)state;
    assert_int_equal(choose("1m", times, 2, keep), 1);
    assert_true(keep[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_are_numbers_of_generations_days_weeks_and_months),
        cmocka_unit_test(the_last_n_stay),
        cmocka_unit_test(the_newest_of_each_day_week_and_month_stays),
        cmocka_unit_test(the_newest_stays_whatever_the_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
