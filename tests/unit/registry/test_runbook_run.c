/* SPDX-License-Identifier: Apache-2.0 */
/* A runbook that is carried out, from its ticks alone: in any order, twice, at several sites, provisional ones too. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/registry/runbook_run.h"
#include "tests/unit/registry/samples.h"

#define TICKS_MAX 32
#define MINUTE_MS INT64_C(60000)
#define START "main-01.1"

struct story {
    Kz__Record *book;
    Kz__Record *ticks[TICKS_MAX];
    size_t count;
    struct kz_events events;
    struct kz_run run;
};

static void set(Kz__Record *record, const char *path, const char *text)
{
    const struct kz_text *reason = sample_set(record, path, text);
    if (reason != NULL) fail_msg("%s = %s: %s", path, text, reason->en);
}

/* Four steps: a plain one of ten minutes, a decision, one with evidence first, a plain one. */
static void setup(struct story *story)
{
    *story = (struct story){.book = kz_record_new(KZ__KIND__RUNBOOK, "kirikae")};
    set(story->book, "steps[0].title", "確認");
    set(story->book, "steps[0].expected_time", "10m");
    set(story->book, "steps[1].title", "判断");
    set(story->book, "steps[1].point", "DECISION");
    set(story->book, "steps[2].title", "保全");
    set(story->book, "steps[2].evidence_first", "true");
    set(story->book, "steps[3].title", "通知");
    set(story->book, "steps[3].expected_time", "20m");
}

static Kz__Record *note(struct story *story, const char *id, int64_t minutes, const char *result, const char *step)
{
    assert_true(story->count < TICKS_MAX);
    Kz__Record *tick = kz_record_new(KZ__KIND__TICK, id);
    const char *dot = strrchr(id, '.');
    tick->origin = strndup(id, (size_t)(dot - id));
    tick->has_origin_seq = true;
    tick->origin_seq = strtoul(dot + 1, NULL, 10);
    tick->has_noted_at = true;
    tick->noted_at = minutes * MINUTE_MS;
    tick->noted_by = strdup("officer");
    set(tick, "runbook", "kirikae");
    set(tick, "result", result);
    if (step != NULL) set(tick, "step", step);
    if (step != NULL) set(tick, "run", START);
    story->ticks[story->count++] = tick;
    return tick;
}

static void start(struct story *story)
{
    Kz__Record *tick = note(story, START, 100, "BEGUN", NULL);
    set(tick, "revision", "7");
    set(tick, "incident", "main-01.9");
}

static void derive(struct story *story)
{
    kz_run_fini(&story->run);
    kz_events_fini(&story->events);
    kz_events_init(&story->events, (const Kz__Record *const *)story->ticks, story->count);
    assert_true(kz_run_init(&story->run, &story->events, START, story->book));
}

static void teardown(struct story *story)
{
    kz_run_fini(&story->run);
    kz_events_fini(&story->events);
    for (size_t i = 0; i < story->count; i++)
        kz__record__free_unpacked(story->ticks[i], NULL);
    kz__record__free_unpacked(story->book, NULL);
}

static void a_run_is_what_its_first_tick_says(void **state)
{
    (void)state;
    struct story story;
    setup(&story);
    start(&story);
    derive(&story);
    assert_string_equal(story.run.id, START);
    assert_string_equal(story.run.incident, "main-01.9");
    assert_int_equal(kz_run_revision(story.run.start), 7);
    assert_int_equal(story.run.count, 4);
    assert_int_equal(story.run.next, 1);
    assert_int_equal(story.run.expected_s, 30 * 60);
    struct kz_run none;
    assert_false(kz_run_init(&none, &story.events, "main-01.2", story.book));
    kz_run_fini(&none);
    struct kz_run_clock clock = kz_run_clock(&story.run, 1, 112 * MINUTE_MS);
    assert_true(clock.has_elapsed && clock.late);
    assert_int_equal(clock.elapsed_s, 12 * 60);
    assert_false(kz_run_clock(&story.run, 2, 112 * MINUTE_MS).has_elapsed);
    teardown(&story);
}

static void tell_story(struct story *story)
{
    start(story);
    set(note(story, "main-01.2", 101, "BEGUN", "1"), "by", "緑川");
    note(story, "main-01.3", 109, "DONE", "1");
    set(note(story, "remote-02.1", 115, "DONE", "2"), "permission", "部長");
    note(story, "remote-02.2", 116, "FAILED", "3");
    note(story, "remote-02.3", 117, "NOTED", "3");
    set(note(story, "remote-02.4", 118, "DONE", "3"), "evidence", "箱3番");
    story->ticks[story->count - 1]->has_provisional = story->ticks[story->count - 1]->provisional = true;
}

static void expect_story(struct story *story)
{
    const struct kz_run *run = &story->run;
    assert_int_equal(run->done, 3);
    assert_int_equal(run->failed, 0);
    assert_int_equal(run->next, 4);
    assert_int_equal(run->provisional, 1);
    assert_string_equal(run->steps[0].by, "officer"); /* who did it, not who had begun */
    assert_int_equal(run->steps[0].since, 101 * MINUTE_MS);
    assert_int_equal(kz_run_clock(run, 1, 0).elapsed_s, 8 * 60);
    assert_int_equal(run->steps[1].since, 109 * MINUTE_MS); /* nobody said so: since the step before */
    assert_string_equal(run->steps[1].permission, "部長");
    assert_true(run->steps[2].provisional);
    assert_int_equal(run->steps[2].notes, 1);
    assert_string_equal(run->steps[2].evidence, "箱3番");
    assert_int_equal(run->steps[3].state, KZ_RUN_WAITING);
}

/* Every rotation, and each event twice, the second time confirmed or not. */
static void the_order_of_arrival_and_repetitions_change_nothing(void **state)
{
    (void)state;
    struct story story;
    setup(&story);
    tell_story(&story);
    size_t count = story.count;
    for (size_t i = 0; i < count; i++)
        story.ticks[story.count++] = kz_record_dup(story.ticks[i]);
    for (size_t turn = 0; turn < story.count; turn++) {
        Kz__Record *first = story.ticks[0];
        memmove(story.ticks, story.ticks + 1, (story.count - 1) * sizeof(story.ticks[0]));
        story.ticks[story.count - 1] = first;
        derive(&story);
        expect_story(&story);
    }
    teardown(&story);
}

static void a_run_is_finished_when_all_is_done_or_skipped(void **state)
{
    (void)state;
    struct story story;
    setup(&story);
    tell_story(&story);
    note(&story, "remote-02.5", 120, "SKIPPED", "4");
    derive(&story);
    assert_int_equal(story.run.next, 0);
    assert_int_equal(story.run.skipped, 1);
    assert_int_equal(story.run.moved_at, 120 * MINUTE_MS);
    note(&story, "remote-02.6", 121, "FAILED", "2"); /* found out later */
    derive(&story);
    assert_int_equal(story.run.next, 2);
    assert_int_equal(story.run.failed, 1);
    teardown(&story);
}

static void a_correction_stands_in_the_place_of_what_it_corrects(void **state)
{
    (void)state;
    struct story story;
    setup(&story);
    start(&story);
    note(&story, "main-01.2", 105, "DONE", "1");
    note(&story, "main-01.3", 106, "DONE", "2");
    set(note(&story, "main-01.4", 107, "FAILED", "1"), "corrects", "main-01.2");
    derive(&story);
    assert_int_equal(story.run.steps[0].state, KZ_RUN_FAILED);
    assert_int_equal(story.run.steps[0].ended_at, 105 * MINUTE_MS);
    assert_int_equal(story.run.next, 1);
    teardown(&story);
}

static void ticks_of_other_runs_are_not_this_ones(void **state)
{
    (void)state;
    struct story story;
    setup(&story);
    start(&story);
    Kz__Record *other = note(&story, "main-01.5", 110, "BEGUN", NULL); /* the same runbook and incident again */
    set(other, "revision", "8");
    set(other, "incident", "main-01.9");
    Kz__Record *early = note(&story, "main-01.6", 105, "DONE", "1"),
               *late = note(&story, "main-01.7", 115, "DONE", "2");
    free(early->tick->run); /* keizoku tick RUNBOOK STEP names none */
    free(late->tick->run);
    early->tick->run = late->tick->run = NULL;
    set(early, "incident", "main-01.9");
    set(late, "incident", "main-01.9");
    set(note(&story, "main-01.8", 116, "DONE", "3"), "run", "main-01.5");
    note(&story, "main-01.10", 117, "DONE", "9"); /* no such step: of another text */
    derive(&story);
    assert_int_equal(story.run.steps[0].state, KZ_RUN_DONE);
    assert_int_equal(story.run.steps[1].state, KZ_RUN_WAITING);
    assert_int_equal(story.run.steps[2].state, KZ_RUN_WAITING);
    size_t count;
    const struct kz_event **starts = kz_runs(&story.events, "main-01.9", &count);
    assert_int_equal(count, 2);
    assert_string_equal(starts[1]->first->id, "main-01.5");
    free(starts);
    starts = kz_runs(&story.events, "main-01.99", &count);
    assert_int_equal(count, 0);
    free(starts);
    teardown(&story);
}

static void expect_rule(const Kz__Record *tick, const Kz__Record *book, const char *rule)
{
    struct kz_violations violations = {0};
    kz_run_check_tick(tick, book, &violations);
    assert_int_equal(violations.count, rule == NULL ? 0 : 1);
    if (rule != NULL) assert_string_equal(violations.items[0]->rule, rule);
    kz_violations_fini(&violations);
}

static void evidence_comes_first_and_points_need_a_permission(void **state)
{
    (void)state;
    struct story story;
    setup(&story);
    Kz__Record *tick = note(&story, "main-01.2", 1, "DONE", "1");
    expect_rule(tick, story.book, NULL);
    set(tick, "step", "2");
    expect_rule(tick, story.book, "tick.permission");
    set(tick, "result", "SKIPPED");
    expect_rule(tick, story.book, "tick.permission");
    set(tick, "result", "BEGUN");
    expect_rule(tick, story.book, NULL);
    set(tick, "result", "DONE");
    set(tick, "permission", "部長");
    expect_rule(tick, story.book, NULL);
    set(tick, "step", "3");
    expect_rule(tick, story.book, "tick.evidence_first");
    set(tick, "evidence", "箱3番");
    expect_rule(tick, story.book, NULL);
    set(tick, "step", "5");
    expect_rule(tick, story.book, "tick.step");
    teardown(&story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_is_what_its_first_tick_says),
        cmocka_unit_test(the_order_of_arrival_and_repetitions_change_nothing),
        cmocka_unit_test(a_run_is_finished_when_all_is_done_or_skipped),
        cmocka_unit_test(a_correction_stands_in_the_place_of_what_it_corrects),
        cmocka_unit_test(ticks_of_other_runs_are_not_this_ones),
        cmocka_unit_test(evidence_comes_first_and_points_need_a_permission),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
