/* SPDX-License-Identifier: Apache-2.0 */
/* What the events of an incident say now. The story is that of the 統合仮想サーバ plan (N): an outage at 05:46, reports
 * by the form of 3(2), decisions, a restored system, and sites that do not hear each other. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/registry/incident.h"
#include "node/registry/when.h"
#include "tests/unit/registry/samples.h"

#define EVENTS_MAX 64
#define INCIDENT "desk-01.1"

/* Events in the order they arrived; each origin numbers its own. The desk only opens the incident. */
struct story {
    Kz__Record *records[EVENTS_MAX];
    size_t count;
    uint64_t desk_seq, main_seq, remote_seq;
};

static int64_t at(const char *hour)
{
    char text[64];
    int64_t ms = 0;
    snprintf(text, sizeof(text), "2026-01-17 %s", hour);
    if (!kz_time_parse(text, &ms)) fail_msg("%s", hour);
    return ms;
}

static Kz__Record *note(struct story *story, Kz__Kind kind, const char *origin, const char *hour)
{
    char id[KZ_ID_MAX_BYTES + 1];
    uint64_t *counter = &story->remote_seq;
    if (strcmp(origin, "main-01") == 0) counter = &story->main_seq;
    if (strcmp(origin, "desk-01") == 0) counter = &story->desk_seq;
    uint64_t seq = ++*counter;
    assert_true(kz_event_id(origin, seq, id));
    assert_true(story->count < EVENTS_MAX);
    Kz__Record *record = kz_record_new(kind, id);
    record->origin = strdup(origin);
    record->has_origin_seq = 1;
    record->origin_seq = seq;
    record->has_noted_at = 1;
    record->noted_at = at(hour);
    record->noted_by = strdup("yamada");
    story->records[story->count++] = record;
    return record;
}

static void set(Kz__Record *record, const char *path, const char *text)
{
    const struct kz_text *reason = sample_set(record, path, text);
    if (reason != NULL) fail_msg("%s = %s: %s", path, text, reason->en);
}

static void set_hour(Kz__Record *record, const char *path, const char *hour)
{
    char text[64];
    snprintf(text, sizeof(text), "2026-01-17 %s", hour);
    set(record, path, text);
}

static Kz__Record *open_incident(struct story *story)
{
    Kz__Record *record = note(story, KZ__KIND__INCIDENT, "desk-01", "06:00");
    set(record, "title", "統合仮想サーバ停止");
    set(record, "type", "機器故障");
    set(record, "mode", "ACTUAL");
    set(record, "state", "警戒");
    set_hour(record, "occurred_at", "05:46");
    set_hour(record, "noticed_at", "05:50");
    assert_string_equal(record->id, INCIDENT);
    return record;
}

static Kz__Record *decide(struct story *story, const char *origin, const char *hour, const char *state,
                          const char *decided_by)
{
    Kz__Record *record = note(story, KZ__KIND__INCIDENT, origin, hour);
    set(record, "incident", INCIDENT);
    set(record, "state", state);
    set(record, "decided_by", decided_by);
    return record;
}

static Kz__Record *report(struct story *story, const char *origin, const char *hour, const char *system,
                          const char *state)
{
    Kz__Record *record = note(story, KZ__KIND__STATUS, origin, hour);
    set(record, "incident", INCIDENT);
    set(record, "system", system);
    set(record, "state", state);
    return record;
}

static void end(struct story *story)
{
    for (size_t i = 0; i < story->count; i++)
        kz__record__free_unpacked(story->records[i], NULL);
    *story = (struct story){0};
}

static struct kz_events gather(const struct story *story)
{
    struct kz_events events;
    for (size_t i = 0; i < story->count; i++)
        EXPECT_FINE(story->records[i]); /* the stories told here could be */
    kz_events_init(&events, (const Kz__Record *const *)story->records, story->count);
    return events;
}

static struct kz_incident incident_of(const struct story *story)
{
    struct kz_incident now;
    struct kz_events events = gather(story);
    assert_true(kz_incident_now(&events, INCIDENT, &now));
    kz_events_fini(&events);
    return now;
}

/* The one system of that name; `system` in it points into the story. */
static struct kz_incident_system system_of(const struct story *story, const char *name)
{
    struct kz_incident_system found = {0};
    size_t count = 0;
    struct kz_events events = gather(story);
    struct kz_incident_system *systems = kz_incident_systems(&events, INCIDENT, &count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(systems[i].system, name) == 0) found = systems[i];
    free(systems);
    kz_events_fini(&events);
    if (found.system == NULL) fail_msg("no system %s", name);
    return found;
}

/* ---- the incident ---- */

static void an_opened_incident_is_in_the_state_it_was_opened_in(void **state)
{
    (void)state;
    struct story story = {0};
    open_incident(&story);
    struct kz_incident now = incident_of(&story);
    assert_string_equal(now.title, "統合仮想サーバ停止");
    assert_int_equal(now.type, KZ__INCIDENT__TYPE__EQUIPMENT);
    assert_int_equal(now.mode, KZ__INCIDENT__MODE__ACTUAL);
    assert_int_equal(now.state, KZ__INCIDENT__STATE__ALERT);
    assert_int_equal(now.occurred_at, at("05:46"));
    assert_int_equal(now.noticed_at, at("05:50"));
    assert_string_equal(now.decided_by, "yamada"); /* nobody was named: who noted it */
    assert_int_equal(now.decided_at, at("06:00")); /* not when it happened */
    assert_false(now.provisional);
    assert_ptr_equal(now.opening, story.records[0]);
    end(&story);
}

static void the_last_decision_says_the_state_and_who_decided_it_when(void **state)
{
    (void)state;
    struct story story = {0};
    open_incident(&story);
    Kz__Record *activated = decide(&story, "main-01", "06:30", "発動", "区長");
    set(activated, "criterion", "震度6強以上");
    struct kz_incident now = incident_of(&story);
    assert_int_equal(now.state, KZ__INCIDENT__STATE__ACTIVATED);
    assert_string_equal(now.decided_by, "区長");
    assert_string_equal(now.criterion, "震度6強以上");
    assert_int_equal(now.decided_at, at("06:30"));
    set_hour(activated, "occurred_at", "06:20"); /* decided then, written down later */
    assert_int_equal(incident_of(&story).decided_at, at("06:20"));
    decide(&story, "main-01", "15:00", "復旧中", "副区長");
    decide(&story, "main-01", "18:00", "解除", "区長");
    now = incident_of(&story);
    assert_int_equal(now.state, KZ__INCIDENT__STATE__CLOSED);
    assert_string_equal(now.criterion, ""); /* that of the activation is not that of the closing */
    assert_string_equal(now.title, "統合仮想サーバ停止");
    end(&story);
}

/* DESIGN §6: the half that was cut off hands its events over at noon; they take their own place in time. */
static void an_old_decision_that_arrives_late_does_not_override_a_newer_one(void **state)
{
    (void)state;
    struct story story = {0};
    open_incident(&story);
    decide(&story, "main-01", "07:00", "発動", "区長");
    Kz__Record *late = decide(&story, "remote-3fa2", "06:40", "警戒", "遠隔拠点長");
    assert_int_equal(incident_of(&story).state, KZ__INCIDENT__STATE__ACTIVATED);
    /* Of the same moment, the origin decides, the same everywhere. */
    late->noted_at = at("07:00");
    assert_int_equal(incident_of(&story).state, KZ__INCIDENT__STATE__ALERT);
    end(&story);
}

static void a_corrected_decision_keeps_its_place(void **state)
{
    (void)state;
    struct story story = {0};
    open_incident(&story);
    Kz__Record *activated = decide(&story, "main-01", "06:30", "発動", "副区長");
    Kz__Record *correction = decide(&story, "main-01", "09:00", "発動", "区長");
    set(correction, "corrects", activated->id);
    struct kz_incident now = incident_of(&story);
    assert_string_equal(now.decided_by, "区長");
    assert_int_equal(now.decided_at, at("06:30")); /* when it was first noted, not when it was put right */
    decide(&story, "main-01", "08:00", "復旧中", "区長");
    assert_int_equal(incident_of(&story).state, KZ__INCIDENT__STATE__RECOVERING);
    end(&story);
}

static void a_corrected_opening_keeps_what_the_correction_leaves_out(void **state)
{
    (void)state;
    struct story story = {0};
    open_incident(&story);
    Kz__Record *first = decide(&story, "main-01", "06:10", "警戒", "課長");
    set(first, "corrects", INCIDENT);
    set(first, "title", "統合仮想サーバ全停止");
    set(first, "type", "大規模災害");
    set(first, "mode", "訓練");
    struct kz_incident now = incident_of(&story);
    assert_string_equal(now.title, "統合仮想サーバ全停止");
    assert_int_equal(now.type, KZ__INCIDENT__TYPE__DISASTER);
    assert_int_equal(now.mode, KZ__INCIDENT__MODE__EXERCISE);
    assert_int_equal(now.occurred_at, at("05:46"));
    assert_ptr_equal(now.opening, first);
    end(&story);
}

static void an_incident_whose_opening_has_not_arrived_has_a_state_and_no_title(void **state)
{
    (void)state;
    struct story story = {0};
    struct kz_incident now;
    decide(&story, "remote-3fa2", "07:00", "発動", "区長");
    now = incident_of(&story);
    assert_int_equal(now.state, KZ__INCIDENT__STATE__ACTIVATED);
    assert_null(now.opening);
    assert_string_equal(now.title, "");
    assert_false(now.has_mode);
    struct kz_events events = gather(&story);
    assert_false(kz_incident_now(&events, "main-01.99", &now));
    assert_null(now.decision);
    kz_events_fini(&events);
    end(&story);
}

static void what_rests_on_an_unconfirmed_event_is_marked(void **state)
{
    (void)state;
    struct story story = {0};
    open_incident(&story);
    Kz__Record *activated = decide(&story, "remote-3fa2", "06:30", "発動", "区長");
    activated->has_provisional = activated->provisional = 1;
    assert_true(incident_of(&story).provisional);
    struct kz_events events = gather(&story);
    assert_int_equal(events.provisional, 1);
    kz_events_fini(&events);
    /* The confirmed copy arrives while the local one is still there: one event, no mark. */
    story.records[story.count] = kz_record_dup(activated);
    story.records[story.count]->has_provisional = 0;
    story.count++;
    events = gather(&story);
    assert_int_equal(events.count, 2);
    assert_int_equal(events.provisional, 0);
    kz_events_fini(&events);
    assert_false(incident_of(&story).provisional);
    end(&story);
}

/* ---- systems ---- */

static void a_system_is_in_the_state_last_noted_whatever_arrived_last(void **state)
{
    (void)state;
    struct story story = {0};
    report(&story, "main-01", "07:30", "juki", "復旧中");
    Kz__Record *late = report(&story, "remote-3fa2", "06:10", "juki", "停止"); /* arrived after the other */
    set(late, "confirmed", "確認済");
    struct kz_incident_system system = system_of(&story, "juki");
    assert_int_equal(system.state, KZ__STATUS_REPORT__STATE__RECOVERING);
    assert_int_equal(system.reports, 2);
    assert_int_equal(system.reported_at, at("07:30"));
    assert_false(system.confirmed); /* nobody said so of the last one: 未確認 */
    late->noted_at = at("08:00");
    system = system_of(&story, "juki");
    assert_int_equal(system.state, KZ__STATUS_REPORT__STATE__STOPPED);
    assert_true(system.confirmed);
    end(&story);
}

static void reports_of_one_origin_keep_its_own_order_within_a_millisecond(void **state)
{
    (void)state;
    struct story story = {0};
    for (int i = 0; i < 12; i++) /* "main-01.10" sorts before "main-01.9" as a text */
        report(&story, "main-01", "06:00", "juki", i % 2 == 0 ? "停止" : "縮退");
    assert_int_equal(system_of(&story, "juki").state, KZ__STATUS_REPORT__STATE__DEGRADED);
    report(&story, "main-01", "06:00", "juki", "復旧済");
    assert_int_equal(system_of(&story, "juki").state, KZ__STATUS_REPORT__STATE__RESTORED);
    end(&story);
}

static void time_left_is_the_rto_less_what_passed_since_it_occurred(void **state)
{
    (void)state;
    struct story story = {0};
    Kz__Record *stopped = report(&story, "main-01", "06:10", "juki", "停止");
    set_hour(stopped, "occurred_at", "05:46");
    set_hour(stopped, "noticed_at", "05:50");
    set_hour(stopped, "expected_at", "08:30");
    struct kz_incident_system system = system_of(&story, "juki");
    assert_true(system.out && system.has_outage);
    assert_int_equal(system.since, at("05:46"));
    assert_true(system.has_expected_at);
    assert_int_equal(system.expected_at, at("08:30"));
    const int64_t rto_s = 3 * 3600;
    struct kz_incident_clock clock = kz_incident_clock(&system, true, rto_s, at("07:46"));
    assert_true(clock.has_elapsed && clock.has_left);
    assert_int_equal(clock.elapsed_s, 2 * 3600);
    assert_int_equal(clock.left_s, 3600);
    clock = kz_incident_clock(&system, true, rto_s, at("08:46"));
    assert_int_equal(clock.left_s, 0);
    clock = kz_incident_clock(&system, true, rto_s, at("08:46") + 1); /* late is late */
    assert_int_equal(clock.left_s, -1);
    assert_int_equal(clock.elapsed_s, rto_s);
    clock = kz_incident_clock(&system, false, 0, at("08:46"));
    assert_true(clock.has_elapsed);
    assert_false(clock.has_left);
    clock = kz_incident_clock(&system, true, rto_s, at("05:00")); /* a clock that is slow */
    assert_int_equal(clock.elapsed_s, 0);
    end(&story);
}

static void without_a_time_of_occurrence_the_next_best_known_time_counts(void **state)
{
    (void)state;
    struct story story = {0};
    report(&story, "main-01", "06:10", "juki", "不明");
    assert_int_equal(system_of(&story, "juki").since, at("06:10"));
    Kz__Record *second = report(&story, "main-01", "06:20", "juki", "停止");
    set_hour(second, "noticed_at", "05:50");
    assert_int_equal(system_of(&story, "juki").since, at("05:50"));
    Kz__Record *third = report(&story, "main-01", "06:30", "juki", "停止");
    set_hour(third, "occurred_at", "05:55"); /* 発生日時 goes before 覚知日時, even when that is earlier */
    assert_int_equal(system_of(&story, "juki").since, at("05:55"));
    Kz__Record *fourth = report(&story, "remote-3fa2", "06:40", "juki", "復旧中");
    set_hour(fourth, "occurred_at", "05:46");
    assert_int_equal(system_of(&story, "juki").since, at("05:46"));
    set_hour(fourth, "occurred_at", "06:35"); /* "when it began to recover": never shortens the outage */
    assert_int_equal(system_of(&story, "juki").since, at("05:55"));
    end(&story);
}

static void a_restored_system_stops_its_clock_and_a_new_outage_starts_another(void **state)
{
    (void)state;
    struct story story = {0};
    Kz__Record *stopped = report(&story, "main-01", "06:10", "juki", "停止");
    set_hour(stopped, "occurred_at", "05:46");
    report(&story, "main-01", "07:00", "juki", "縮退"); /* not yet up: the clock goes on */
    assert_true(system_of(&story, "juki").out);
    report(&story, "main-01", "08:16", "juki", "復旧済");
    struct kz_incident_system system = system_of(&story, "juki");
    assert_false(system.out);
    assert_true(system.has_outage);
    struct kz_incident_clock clock = kz_incident_clock(&system, true, 3 * 3600, at("23:00"));
    assert_int_equal(clock.elapsed_s, 2 * 3600 + 1800);
    assert_int_equal(clock.left_s, 1800);
    report(&story, "main-01", "09:00", "juki", "正常"); /* still up: the end stays where it was */
    assert_int_equal(system_of(&story, "juki").ended_at, at("08:16"));
    report(&story, "main-01", "12:00", "juki", "停止");
    system = system_of(&story, "juki");
    assert_true(system.out);
    assert_int_equal(system.since, at("12:00"));
    end(&story);
}

static void a_system_that_never_stopped_has_no_clock(void **state)
{
    (void)state;
    struct story story = {0};
    report(&story, "main-01", "06:10", "hp", "正常");
    struct kz_incident_system system = system_of(&story, "hp");
    assert_false(system.has_outage);
    struct kz_incident_clock clock = kz_incident_clock(&system, true, 3600, at("23:00"));
    assert_false(clock.has_elapsed || clock.has_left);
    end(&story);
}

static void a_corrected_report_is_read_in_its_own_place(void **state)
{
    (void)state;
    struct story story = {0};
    Kz__Record *first = report(&story, "main-01", "06:10", "juki", "停止");
    set_hour(first, "occurred_at", "03:46"); /* a slip of the pen */
    report(&story, "main-01", "07:00", "juki", "復旧中");
    Kz__Record *correction = report(&story, "main-01", "07:30", "juki", "停止");
    set(correction, "corrects", first->id);
    set_hour(correction, "occurred_at", "05:46");
    struct kz_incident_system system = system_of(&story, "juki");
    assert_int_equal(system.state, KZ__STATUS_REPORT__STATE__RECOVERING);
    assert_int_equal(system.since, at("05:46"));
    assert_int_equal(system.reports, 2);
    /* The correction is corrected, in another site: the last noted counts. */
    Kz__Record *again = report(&story, "remote-3fa2", "08:00", "juki", "縮退");
    set(again, "corrects", correction->id);
    set_hour(again, "occurred_at", "05:40");
    system = system_of(&story, "juki");
    assert_int_equal(system.since, at("05:40"));
    assert_int_equal(system.reports, 2);
    end(&story);
}

static void a_report_on_the_wrong_system_or_incident_is_moved_by_its_correction(void **state)
{
    (void)state;
    struct story story = {0};
    size_t count = 0;
    Kz__Record *wrong = report(&story, "main-01", "06:10", "juki", "停止");
    Kz__Record *correction = report(&story, "main-01", "06:20", "zeimu", "停止");
    set(correction, "corrects", wrong->id);
    struct kz_events events = gather(&story);
    struct kz_incident_system *systems = kz_incident_systems(&events, INCIDENT, &count);
    assert_int_equal(count, 1);
    assert_string_equal(systems[0].system, "zeimu");
    free(systems);
    kz_events_fini(&events);
    set(correction, "incident", "main-01.77");
    events = gather(&story);
    free(kz_incident_systems(&events, INCIDENT, &count));
    assert_int_equal(count, 0);
    free(kz_incident_systems(&events, NULL, &count)); /* of all incidents */
    assert_int_equal(count, 1);
    kz_events_fini(&events);
    end(&story);
}

static void corrections_that_name_each_other_end(void **state)
{
    (void)state;
    struct story story = {0};
    Kz__Record *a = report(&story, "main-01", "06:10", "juki", "停止");
    Kz__Record *b = report(&story, "remote-3fa2", "06:20", "juki", "縮退");
    set(a, "corrects", b->id);
    set(b, "corrects", a->id);
    Kz__Record *unknown = report(&story, "main-01", "06:30", "juki", "復旧中");
    set(unknown, "corrects", "other-9.4"); /* not arrived yet: it stands for itself */
    Kz__Record *entry = note(&story, KZ__KIND__ENTRY, "main-01", "06:40");
    set(entry, "incident", INCIDENT);
    set(entry, "type", "判断");
    set(entry, "text", "縮退運転とする");
    set(entry, "corrects", a->id); /* of another kind: no correction of it */
    struct kz_events events = gather(&story);
    assert_int_equal(events.count, 4);
    kz_events_fini(&events);
    assert_int_equal(system_of(&story, "juki").state, KZ__STATUS_REPORT__STATE__RECOVERING);
    end(&story);
}

static void no_order_of_arrival_changes_what_the_events_say(void **state)
{
    (void)state;
    struct story story = {0};
    open_incident(&story);
    Kz__Record *stopped = report(&story, "main-01", "06:10", "juki", "停止");
    report(&story, "remote-3fa2", "06:10", "juki", "不明");
    Kz__Record *correction = report(&story, "remote-3fa2", "06:50", "juki", "縮退");
    set(correction, "corrects", stopped->id);
    decide(&story, "remote-3fa2", "06:30", "発動", "区長");
    report(&story, "main-01", "07:00", "zeimu", "停止");
    decide(&story, "main-01", "07:10", "復旧中", "副区長");
    struct kz_incident_system wanted = system_of(&story, "juki");
    assert_int_equal(wanted.state, KZ__STATUS_REPORT__STATE__UNKNOWN); /* remote's follows main's of the same moment */
    for (size_t round = 0; round < 200; round++) {
        size_t i = round % story.count, j = (round * 5 + 3) % story.count;
        Kz__Record *kept = story.records[i];
        story.records[i] = story.records[j];
        story.records[j] = kept;
        struct kz_incident now = incident_of(&story);
        assert_int_equal(now.state, KZ__INCIDENT__STATE__RECOVERING);
        assert_string_equal(now.decided_by, "副区長");
        struct kz_incident_system system = system_of(&story, "juki");
        assert_int_equal(system.since, wanted.since);
        assert_ptr_equal(system.report, wanted.report);
        assert_int_equal(system.reports, 2);
    }
    end(&story);
}

static void an_empty_list_says_nothing(void **state)
{
    (void)state;
    size_t count = 9;
    struct kz_events events;
    struct kz_incident now;
    Kz__Record *system = sample_minimal(KZ__KIND__SYSTEM);
    const Kz__Record *records[] = {system};
    kz_events_init(&events, records, 1); /* no event: skipped */
    assert_int_equal(events.count, 0);
    assert_false(kz_incident_now(&events, INCIDENT, &now));
    free(kz_incident_systems(&events, INCIDENT, &count));
    assert_int_equal(count, 0);
    kz_events_fini(&events);
    kz__record__free_unpacked(system, NULL);
}

/* ---- report hours ---- */

static int64_t next_after(const char *hour)
{
    return kz_incident_next_report(at(hour), kz_report_minutes, KZ_REPORT_HOURS);
}

static void reports_are_due_at_8_15_12_00_and_16_00_n_3_4(void **state)
{
    (void)state;
    const int64_t day_ms = INT64_C(86400000);
    assert_int_equal(next_after("00:00"), at("08:15"));
    assert_int_equal(next_after("08:14:59"), at("08:15"));
    assert_int_equal(next_after("08:15"), at("08:15"));
    assert_int_equal(next_after("08:15:01"), at("12:00"));
    assert_int_equal(next_after("12:01"), at("16:00"));
    assert_int_equal(next_after("16:00:01"), at("08:15") + day_ms);
    assert_int_equal(next_after("23:59"), at("08:15") + day_ms);
    /* 08:30 in Japan is the day before in UTC; a plan of its own, in no order. */
    const int own[] = {20 * 60, 9 * 60};
    assert_int_equal(kz_incident_next_report(at("08:30"), own, 2), at("09:00"));
    assert_int_equal(kz_incident_next_report(at("09:30"), own, 2), at("20:00"));
    assert_int_equal(kz_incident_next_report(-1, own, 1), INT64_C(11) * 3600000); /* 1970-01-01T20:00+09:00 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_opened_incident_is_in_the_state_it_was_opened_in),
        cmocka_unit_test(the_last_decision_says_the_state_and_who_decided_it_when),
        cmocka_unit_test(an_old_decision_that_arrives_late_does_not_override_a_newer_one),
        cmocka_unit_test(a_corrected_decision_keeps_its_place),
        cmocka_unit_test(a_corrected_opening_keeps_what_the_correction_leaves_out),
        cmocka_unit_test(an_incident_whose_opening_has_not_arrived_has_a_state_and_no_title),
        cmocka_unit_test(what_rests_on_an_unconfirmed_event_is_marked),
        cmocka_unit_test(a_system_is_in_the_state_last_noted_whatever_arrived_last),
        cmocka_unit_test(reports_of_one_origin_keep_its_own_order_within_a_millisecond),
        cmocka_unit_test(time_left_is_the_rto_less_what_passed_since_it_occurred),
        cmocka_unit_test(without_a_time_of_occurrence_the_next_best_known_time_counts),
        cmocka_unit_test(a_restored_system_stops_its_clock_and_a_new_outage_starts_another),
        cmocka_unit_test(a_system_that_never_stopped_has_no_clock),
        cmocka_unit_test(a_corrected_report_is_read_in_its_own_place),
        cmocka_unit_test(a_report_on_the_wrong_system_or_incident_is_moved_by_its_correction),
        cmocka_unit_test(corrections_that_name_each_other_end),
        cmocka_unit_test(no_order_of_arrival_changes_what_the_events_say),
        cmocka_unit_test(an_empty_list_says_nothing),
        cmocka_unit_test(reports_are_due_at_8_15_12_00_and_16_00_n_3_4),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
