/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "node/registry/when.h"
#include "tests/unit/registry/samples.h"

#define HOUR 3600
#define DAY 86400
#define WEEK (7 * 86400)

static void durations_are_read_in_both_languages(void **state)
{
    (void)state;
    const struct {
        const char *text;
        int64_t seconds;
    } rows[] = {
        {"3h", 3 * HOUR},
        {"90m", 5400},
        {"1d", DAY},
        {"1w", WEEK},
        {"2h30m", 9000},
        {"2h 30m", 9000},
        {"0m", 0},
        {"45s", 45},
        {"3時間", 3 * HOUR},
        {"1日", DAY},
        {"2週間", 2 * WEEK},
        {"30分", 1800},
        {"2時間30分", 9000},
        {"1日12時間", 129600},
        {"半日", 12 * HOUR},
        {"３時間", 3 * HOUR},
        {"３ｈ", 3 * HOUR},
        {" 3 h ", 3 * HOUR},
        {"1W2D", WEEK + 2 * DAY},
        {"3日間", 3 * DAY},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t seconds = -1;
        if (!kz_duration_parse(rows[i].text, &seconds)) fail_msg("refused %s", rows[i].text);
        assert_int_equal(seconds, rows[i].seconds);
    }
}

static void what_is_not_a_duration_is_refused(void **state)
{
    (void)state;
    const char *bad[] = {"",   "3",   "h", "3x", "-3h", "1.5h", "30m2h", "3h3h", "3 時間 x", "1000000000000h",
                         "半", "\xff"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int64_t seconds = 0;
        if (kz_duration_parse(bad[i], &seconds)) fail_msg("took %s", bad[i]);
    }
}

static void a_duration_is_shown_in_its_largest_exact_unit_and_reads_back(void **state)
{
    (void)state;
    const struct {
        int64_t seconds;
        const char *en, *ja;
    } rows[] = {{3 * HOUR, "3h", "3時間"}, {DAY, "1d", "1日"},  {5400, "90m", "90分"},       {2 * WEEK, "2w", "2週間"},
                {0, "0m", "0分"},          {61, "61s", "61秒"}, {36 * HOUR, "36h", "36時間"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct kz_buf en, ja;
        kz_buf_init(&en, 0);
        kz_buf_init(&ja, 0);
        kz_duration_format(&en, rows[i].seconds, false);
        kz_duration_format(&ja, rows[i].seconds, true);
        assert_string_equal(kz_buf_text(&en), rows[i].en);
        assert_string_equal(kz_buf_text(&ja), rows[i].ja);
        int64_t back = -1;
        assert_true(kz_duration_parse(kz_buf_text(&en), &back) && back == rows[i].seconds);
        assert_true(kz_duration_parse(kz_buf_text(&ja), &back) && back == rows[i].seconds);
        kz_buf_fini(&en);
        kz_buf_fini(&ja);
    }
}

static void dates_are_read_in_western_and_japanese_eras(void **state)
{
    (void)state;
    const char *rows[][2] = {
        {"2026-01-17", "2026-01-17"},      {"2026/1/17", "2026-01-17"},       {"2026.1.17", "2026-01-17"},
        {"2026年1月17日", "2026-01-17"},   {"令和7年1月17日", "2025-01-17"},  {"R7.1.17", "2025-01-17"},
        {"r7/01/17", "2025-01-17"},        {"令和元年5月1日", "2019-05-01"},  {"R元.5.1", "2019-05-01"},
        {"Ｒ７．１．１７", "2025-01-17"},  {"平成31年4月30日", "2019-04-30"}, {"H1.1.8", "1989-01-08"},
        {"平成31年12月1日", "2019-12-01"}, {"昭和64年1月7日", "1989-01-07"},  {"S20.8.15", "1945-08-15"},
        {"大正元年7月30日", "1912-07-30"}, {"明治1年1月25日", "1868-01-25"},  {"㋿7年1月17日", "2025-01-17"},
        {"2026－01－17", "2026-01-17"},    {"2024-02-29", "2024-02-29"},      {"2000-02-29", "2000-02-29"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char date[KZ_DATE_BYTES];
        if (!kz_date_parse(rows[i][0], date)) fail_msg("refused %s", rows[i][0]);
        assert_string_equal(date, rows[i][1]);
    }
}

static void days_that_do_not_exist_are_refused(void **state)
{
    (void)state;
    const char *bad[] = {"",           "2026-02-29", "2100-02-29",       "2026-13-01", "2026-00-10",      "2026-04-31",
                         "26-01-17",   "2026-1/17",  "2026-01",          "R0.1.1",     "令和元年4月30日", "H1.1.7",
                         "1867-12-31", "2200-01-01", "2026-01-17 12:00", "R100.1.1",   "tomorrow",        "20260117"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char date[KZ_DATE_BYTES];
        if (kz_date_parse(bad[i], date)) fail_msg("took %s", bad[i]);
        assert_false(kz_date_valid(bad[i]));
    }
    assert_true(kz_date_valid("2026-01-17"));
    assert_false(kz_date_valid("2026-1-17")); /* stored in one form only */
}

static void times_carry_an_offset_and_default_to_japan(void **state)
{
    (void)state;
    const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"1995-01-17T05:46:00+09:00", INT64_C(790289160000)},
        {"1995-01-17T05:46:00", INT64_C(790289160000)},
        {"1995-01-16T20:46:00Z", INT64_C(790289160000)},
        {"1995-01-16T15:46:00-0500", INT64_C(790289160000)},
        {"1995-01-17 05:46", INT64_C(790289160000)},
        {"平成7年1月17日5時46分", INT64_C(790289160000)},
        {"平成7年1月17日 5時46分52秒", INT64_C(790289212000)},
        {"1995-01-17T05:46:52.5+09:00", INT64_C(790289212500)},
        {"1970-01-01T09:00:00+09:00", 0},
        {"1970-01-01T08:59:59.999", -1},
        {"1995-01-17", INT64_C(790268400000)},
        {"2024年2月29日24時", -2},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t ms = 0;
        bool read = kz_time_parse(rows[i].text, &ms);
        if (rows[i].ms == -2) {
            assert_false(read);
            continue;
        }
        if (!read) fail_msg("refused %s", rows[i].text);
        assert_true(ms == rows[i].ms);
    }
    int64_t ms = 0;
    assert_false(kz_time_parse("05:46", &ms));
    assert_false(kz_time_parse("2026-01-17T25:00", &ms));
    assert_false(kz_time_parse("2026-01-17T05:60", &ms));
    assert_false(kz_time_parse("2026-01-17T05:46+99:00", &ms));
    assert_false(kz_time_parse("2026-01-17T05:46 JST", &ms));
}

static void every_time_shown_reads_back(void **state)
{
    (void)state;
    const int64_t day_ms = INT64_C(86400000);
    /* 1868..2199 in steps that hit every month and leap days, with and without milliseconds. */
    for (int64_t ms = -INT64_C(3200000000000); ms < INT64_C(7258000000000); ms += 13 * day_ms + 3661001) {
        struct kz_buf text;
        kz_buf_init(&text, 0);
        kz_time_format(&text, ms);
        int64_t back = 0;
        if (!kz_time_parse(kz_buf_text(&text), &back) || back != ms) fail_msg("%s", kz_buf_text(&text));
        kz_buf_fini(&text);
    }
    struct kz_buf text;
    kz_buf_init(&text, 0);
    kz_time_format(&text, INT64_C(1768596372000));
    assert_string_equal(kz_buf_text(&text), "2026-01-17T05:46:12+09:00");
    kz_buf_fini(&text);
}

static void serial_numbers_of_spreadsheets_are_days_and_hours_in_japan(void **state)
{
    (void)state;
    static const struct {
        const char *text, *date;
        int64_t second; /* of the day */
    } rows[] = {{"45674", "2025-01-17", 0},       {" ４５６７４ ", "2025-01-17", 0},
                {"45674.5", "2025-01-17", 43200}, {"45674.2404166667", "2025-01-17", 20772},
                {"10000", "1927-05-18", 0},       {"45351", "2024-02-29", 0},
                {"109574", "2199-12-31", 0}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char date[KZ_DATE_BYTES];
        int64_t ms = 0, midnight_ms = 0;
        if (!kz_date_from_serial(rows[i].text, date)) fail_msg("%s", rows[i].text);
        assert_string_equal(date, rows[i].date);
        assert_true(kz_time_from_serial(rows[i].text, &ms) && kz_time_parse(rows[i].date, &midnight_ms));
        assert_int_equal(ms, midnight_ms + rows[i].second * 1000);
    }
    static const char *const wrong[] = {"",       "2025",   "9999",   "109575", "1000000", "-45674",
                                        "45674x", "45674.", "4567 4", "45,674", "R7",      "45674.1234567890123456"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char date[KZ_DATE_BYTES];
        int64_t ms = 0;
        if (kz_date_from_serial(wrong[i], date) || kz_time_from_serial(wrong[i], &ms)) fail_msg("%s", wrong[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_are_read_in_both_languages),
        cmocka_unit_test(what_is_not_a_duration_is_refused),
        cmocka_unit_test(a_duration_is_shown_in_its_largest_exact_unit_and_reads_back),
        cmocka_unit_test(dates_are_read_in_western_and_japanese_eras),
        cmocka_unit_test(days_that_do_not_exist_are_refused),
        cmocka_unit_test(times_carry_an_offset_and_default_to_japan),
        cmocka_unit_test(every_time_shown_reads_back),
        cmocka_unit_test(serial_numbers_of_spreadsheets_are_days_and_hours_in_japan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
