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

static void a_link_of_a_call_tree_calls_somebody_else_n_figure_1(void **state)
{
    (void)state;
    Kz__Record *record = sample_minimal(KZ__KIND__CALLTREE);
    set(record, "links[0].from", "role/joho-shushu");
    set(record, "links[0].to", "org/koseki-jumin");
    set(record, "links[0].to", "role/joho-shushu");
    EXPECT_RULES(record, "calltree.calls_itself links[0].to[1]");
    kz__record__free_unpacked(record, NULL);
}

static void who_does_not_answer_is_not_who_is_called_instead_g_2_8_1_1_1(void **state)
{
    (void)state;
    Kz__Record *record = sample_minimal(KZ__KIND__CALLTREE);
    set(record, "links[0].from", "role/joho-shushu");
    set(record, "links[0].to", "org/koseki-jumin");
    set(record, "links[0].if_no_answer", "contact/mikami");
    EXPECT_FINE(record);
    set(record, "links[0].if_no_answer", "org/koseki-jumin");
    EXPECT_RULES(record, "calltree.no_other links[0].if_no_answer");
    kz__record__free_unpacked(record, NULL);
}

static void report_hours_are_times_of_day_n_3_4(void **state)
{
    (void)state;
    Kz__Record *record = sample_minimal(KZ__KIND__CALLTREE);
    set(record, "report_hours", "08:15");
    set(record, "report_hours", "12:00");
    EXPECT_FINE(record);
    set(record, "report_hours", "25:00");
    set(record, "report_hours", "08:15");
    EXPECT_RULES(record, "time.hour_minute report_hours[2]", "list.duplicate report_hours[3]");
    kz__record__free_unpacked(record, NULL);
}

static void a_measure_that_is_done_has_its_day_and_no_other_has_g_2_9_2(void **state)
{
    (void)state;
    Kz__Record *record = sample_minimal(KZ__KIND__MEASURE);
    set(record, "state", "実施済");
    EXPECT_RULES(record, "measure.done_when done_on");
    set(record, "done_on", "2027-03-31");
    EXPECT_FINE(record);
    set(record, "state", "予算化");
    EXPECT_RULES(record, "measure.not_done done_on");
    kz__record__free_unpacked(record, NULL);
}

static void a_measure_that_is_not_taken_says_which_risk_remains_g_2_7_2_2(void **state)
{
    (void)state;
    Kz__Record *record = sample_minimal(KZ__KIND__MEASURE);
    set(record, "state", "見送り");
    EXPECT_RULES(record, "measure.rejected_leaves_risk residual_risk");
    set(record, "residual_risk", "電算室の浸水時は停止する");
    EXPECT_FINE(record);
    kz__record__free_unpacked(record, NULL);
}

static void an_attachment_is_named_like_a_file_and_leads_nowhere(void **state)
{
    (void)state;
    static const char *const bad[] = {"../構成図.pdf", "a/b", "C:\\x", ".profile", "-rf", "a|b", "a*"};
    static const char *const good[] = {"構成図.pdf", "復旧 手順 (第2版).xlsx", "a..b"};
    Kz__Record *record = sample_full(KZ__KIND__ATTACHMENT);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        set(record, "name", bad[i]);
        EXPECT_RULES(record, "attachment.name name");
    }
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        set(record, "name", good[i]);
        EXPECT_FINE(record);
    }
    kz__record__free_unpacked(record, NULL);
}

static void an_attachment_has_a_media_type_a_hash_and_at_most_32_mib(void **state)
{
    (void)state;
    static const char *const bad[] = {"pdf", "application/", "/pdf", "a/b/c", "text/plain; charset=x"};
    Kz__Record *record = sample_full(KZ__KIND__ATTACHMENT);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        set(record, "media_type", bad[i]);
        EXPECT_RULES(record, "attachment.media_type media_type");
    }
    set(record, "media_type", "application/vnd.ms-excel");
    record->attachment->size = 32 * 1024 * 1024;
    EXPECT_FINE(record);
    record->attachment->size++;
    set(record, "sha256", "12");
    EXPECT_RULES(record, "range size", "attachment.sha256 sha256");
    kz__record__free_unpacked(record, NULL);
}

static void a_drill_that_is_done_has_its_day_and_result_g_2_9_1(void **state)
{
    (void)state;
    Kz__Record *record = sample_minimal(KZ__KIND__DRILL);
    set(record, "state", "計画");
    EXPECT_RULES(record, "drill.planned_when planned_on");
    set(record, "planned_on", "2027-01-17");
    EXPECT_FINE(record);
    set(record, "state", "DONE");
    EXPECT_RULES(record, "drill.done_when done_on", "drill.result result");
    set(record, "done_on", "2027-01-17");
    set(record, "result", "一部達成");
    EXPECT_FINE(record);
    set(record, "state", "CANCELLED");
    EXPECT_RULES(record, "drill.not_done state");
    kz__record__free_unpacked(record, NULL);
}

static void a_review_that_is_done_answers_its_checklist_g_table_2_9_3(void **state)
{
    (void)state;
    Kz__Record *record = sample_minimal(KZ__KIND__REVIEW);
    set(record, "planned_on", "");
    EXPECT_RULES(record, "review.when planned_on");
    set(record, "done_on", "2026-10-01");
    EXPECT_RULES(record, "review.checklist checks");
    set(record, "checks[0].item", "担当者や連絡先は最新化されているか");
    set(record, "checks[0].answer", "はい");
    set(record, "checks[1].item", "SCOPE");
    set(record, "checks[1].answer", "NO");
    EXPECT_FINE(record);
    set(record, "checks[1].item", "CONTACTS_CURRENT");
    set(record, "next_due", "2026-09-30");
    EXPECT_RULES(record, "list.duplicate checks[1].item", "days.order next_due");
    kz__record__free_unpacked(record, NULL);
}

static void an_exception_ends_and_is_allowed_by_somebody_else_g_2_2_3_3(void **state)
{
    (void)state;
    Kz__Record *record = sample_minimal(KZ__KIND__EXCEPTION);
    set(record, "from", "2026-11-01");
    set(record, "until", "2026-10-31");
    EXPECT_RULES(record, "days.order until");
    set(record, "until", "2026-11-01");
    EXPECT_FINE(record);
    set(record, "approver", "yamada");
    set(record, "requester", "yamada");
    EXPECT_RULES(record, "exception.approver_is_requester approver");
    kz__record__free_unpacked(record, NULL);
}

static void what_follows_from_an_exception_is_decided_when_it_ended_g_2_8_2_3_2(void **state)
{
    (void)state;
    Kz__Record *record = sample_minimal(KZ__KIND__EXCEPTION);
    set(record, "outcome", "反映しない");
    EXPECT_RULES(record, "exception.outcome_when_ended ended_on");
    set(record, "ended_on", "2026-01-18");
    EXPECT_FINE(record);
    set(record, "ended_on", "2026-01-16");
    EXPECT_RULES(record, "days.order ended_on");
    kz__record__free_unpacked(record, NULL);
}

static void nothing_happens_to_a_handout_before_it_was_issued_g_1_1_5(void **state)
{
    (void)state;
    Kz__Record *record = sample_full(KZ__KIND__CARD);
    EXPECT_FINE(record);
    set(record, "issued_on", "2026-01-18");
    EXPECT_RULES(record, "days.order expires_on", "days.order returned_on", "days.order lost_on");
    kz__record__free_unpacked(record, NULL);
}

static void a_peer_in_use_can_be_reached_and_believed(void **state)
{
    (void)state;
    static const char *const good[] = {"renkei.example.jp:7443", "192.0.2.1:1", "[2001:db8::1]:65535"};
    static const char *const bad[] = {"renkei.example.jp", ":7443", "a:0",  "a:65536",
                                      "a:7443x",           "a b:1", "[]:1", "2001:db8::1:7443"};
    Kz__Record *record = sample_minimal(KZ__KIND__PEER);
    EXPECT_FINE(record);
    set(record, "active", "はい");
    EXPECT_RULES(record, "peer.cannot_be_reached active");
    kz__record__free_unpacked(record, NULL);
    record = sample_full(KZ__KIND__PEER);
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        kz_value_clear(&record->peer->base, kz_field_by_name(kz_kind_by_name("peer")->fields, "endpoints"));
        set(record, "endpoints", good[i]);
        EXPECT_FINE(record);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        kz_value_clear(&record->peer->base, kz_field_by_name(kz_kind_by_name("peer")->fields, "endpoints"));
        set(record, "endpoints", bad[i]);
        EXPECT_RULES(record, "peer.endpoint endpoints[0]");
    }
    kz__record__free_unpacked(record, NULL);
}

static void a_setting_is_a_known_key_with_a_value_within_its_limits(void **state)
{
    (void)state;
    Kz__Record *record = sample_minimal(KZ__KIND__SETTING);
    EXPECT_FINE(record);
    set(record, "value", "十分に長く");
    EXPECT_RULES(record, "setting.value value");
    set(record, "value", "1h"); /* less than a day */
    EXPECT_RULES(record, "setting.value value");
    kz__record__free_unpacked(record, NULL);
    record = kz_record_new(KZ__KIND__SETTING, "contact.verify");
    set(record, "value", "90d");
    EXPECT_RULES(record, "setting.key id");
    kz__record__free_unpacked(record, NULL);
}

static void a_campaign_is_about_a_kind_that_is_kept_true(void **state)
{
    (void)state;
    Kz__Record *record = sample_minimal(KZ__KIND__CAMPAIGN);
    EXPECT_FINE(record);
    set(record, "target", "incident");
    EXPECT_RULES(record, "campaign.kind target");
    set(record, "target", "contacts");
    EXPECT_RULES(record, "campaign.kind target");
    set(record, "target", "role");
    set(record, "due", "2026-01-16");
    EXPECT_RULES(record, "days.order due");
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
        cmocka_unit_test(a_link_of_a_call_tree_calls_somebody_else_n_figure_1),
        cmocka_unit_test(who_does_not_answer_is_not_who_is_called_instead_g_2_8_1_1_1),
        cmocka_unit_test(report_hours_are_times_of_day_n_3_4),
        cmocka_unit_test(a_measure_that_is_done_has_its_day_and_no_other_has_g_2_9_2),
        cmocka_unit_test(a_measure_that_is_not_taken_says_which_risk_remains_g_2_7_2_2),
        cmocka_unit_test(an_attachment_is_named_like_a_file_and_leads_nowhere),
        cmocka_unit_test(an_attachment_has_a_media_type_a_hash_and_at_most_32_mib),
        cmocka_unit_test(a_drill_that_is_done_has_its_day_and_result_g_2_9_1),
        cmocka_unit_test(a_review_that_is_done_answers_its_checklist_g_table_2_9_3),
        cmocka_unit_test(an_exception_ends_and_is_allowed_by_somebody_else_g_2_2_3_3),
        cmocka_unit_test(what_follows_from_an_exception_is_decided_when_it_ended_g_2_8_2_3_2),
        cmocka_unit_test(nothing_happens_to_a_handout_before_it_was_issued_g_1_1_5),
        cmocka_unit_test(a_peer_in_use_can_be_reached_and_believed),
        cmocka_unit_test(a_setting_is_a_known_key_with_a_value_within_its_limits),
        cmocka_unit_test(a_campaign_is_about_a_kind_that_is_kept_true),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
