/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of the kinds that keep a plan alive; each test names the place the rule comes from. */
#include <string.h>

#include "tests/unit/registry/samples.h"

static void set(Kz__Record *record, const char *path, const char *text)
{
    const struct kz_text *reason = sample_set(record, path, text);
    if (reason != NULL) fail_msg("%s = %s: %s", path, text, reason->en);
}

static void a_backup_starts_at_a_time_of_day_b_step_2(void **state)
{
    (void)state;
    Kz__Record *record = sample_minimal(KZ__KIND__BACKUP);
    const char *good[] = {"00:00", "23:59", "０１：３０"};
    const char *bad[] = {"24:00", "9:00", "12:60", "夜間", "12-30"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        set(record, "start", good[i]);
        EXPECT_FINE(record);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        set(record, "start", bad[i]);
        if (strlen(bad[i]) > 5)
            EXPECT_RULES(record, "text.length start", "time.hour_minute start");
        else
            EXPECT_RULES(record, "time.hour_minute start");
    }
    kz__record__free_unpacked(record, NULL);
}

static void a_backup_that_succeeded_says_when_g_2_7_1(void **state)
{
    (void)state;
    Kz__Record *record = sample_minimal(KZ__KIND__BACKUP);
    set(record, "last_result", "成功");
    EXPECT_RULES(record, "backup.success_when last_success");
    set(record, "last_success", "2026-11-20T01:30:00+09:00");
    EXPECT_FINE(record);
    set(record, "last_result", "失敗"); /* the last success is an older one */
    EXPECT_FINE(record);
    kz__record__free_unpacked(record, NULL);
}

static void a_hash_names_its_file_and_has_64_digits(void **state)
{
    (void)state;
    Kz__Record *record = sample_full(KZ__KIND__BACKUP);
    EXPECT_FINE(record);
    set(record, "last_file", "");
    EXPECT_RULES(record, "backup.hash_of_what last_file");
    set(record, "last_file", "juki-20261120.kzb");
    set(record, "last_sha256", "0011");
    EXPECT_RULES(record, "attachment.sha256 last_sha256");
    kz__record__free_unpacked(record, NULL);
}

static void two_copies_differ_in_place_or_media_b_step_3(void **state)
{
    (void)state;
    Kz__Record *record = sample_minimal(KZ__KIND__BACKUP);
    set(record, "copies[0].site", "main");
    set(record, "copies[0].media", "テープ");
    set(record, "copies[1].site", "main");
    set(record, "copies[1].media", "DISK");
    set(record, "copies[2].site", "remote");
    set(record, "copies[2].media", "TAPE");
    EXPECT_FINE(record);
    set(record, "copies[1].media", "TAPE");
    EXPECT_RULES(record, "list.duplicate copies[1]");
    set(record, "copies[1].place", "耐火金庫");
    EXPECT_FINE(record);
    kz__record__free_unpacked(record, NULL);
}

static void a_backup_more_often_than_each_minute_is_refused(void **state)
{
    (void)state;
    Kz__Record *record = sample_minimal(KZ__KIND__BACKUP);
    record->backup->interval = 59;
    EXPECT_RULES(record, "range interval");
    record->backup->interval = 60;
    EXPECT_FINE(record);
    kz__record__free_unpacked(record, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_backup_starts_at_a_time_of_day_b_step_2),
        cmocka_unit_test(a_backup_that_succeeded_says_when_g_2_7_1),
        cmocka_unit_test(a_hash_names_its_file_and_has_64_digits),
        cmocka_unit_test(two_copies_differ_in_place_or_media_b_step_3),
        cmocka_unit_test(a_backup_more_often_than_each_minute_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
