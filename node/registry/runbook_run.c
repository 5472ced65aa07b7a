/* SPDX-License-Identifier: Apache-2.0 */
#include "node/registry/runbook_run.h"

#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/registry/check.h"

#define SECOND_MS INT64_C(1000)

static const char *text_or(const char *text, const char *otherwise) { return has_text(text) ? text : otherwise; }

static bool is_tick(const Kz__Record *event) { return event->kind == KZ__KIND__TICK && event->tick != NULL; }

static bool has_result(const Kz__Tick *tick, Kz__Tick__Result result)
{
    return tick->has_result && tick->result == result;
}

bool kz_run_begins(const Kz__Record *event)
{
    return is_tick(event) && has_result(event->tick, KZ__TICK__RESULT__BEGUN) && !event->tick->has_step &&
           !has_text(event->tick->run) && has_text(event->tick->runbook) && kz_event_corrects(event) == NULL;
}

static const char *incident_of(const struct kz_event *event)
{
    const char *incident = kz_event_incident(event->now);
    if (incident == NULL) incident = kz_event_incident(event->first);
    return incident == NULL ? "" : incident;
}

const struct kz_event **kz_runs(const struct kz_events *events, const char *incident, size_t *count)
{
    const struct kz_event **starts = kz_must_alloc(events->count + 1, sizeof(*starts));
    *count = 0;
    for (size_t i = 0; i < events->count; i++) {
        const struct kz_event *event = &events->items[i];
        if (!kz_run_begins(event->first)) continue;
        if (incident == NULL || strcmp(incident_of(event), incident) == 0) starts[(*count)++] = event;
    }
    return starts;
}

uint64_t kz_run_revision(const Kz__Record *start)
{
    return is_tick(start) && start->tick->has_revision ? (uint64_t)start->tick->revision : 0;
}

/* ---- which ticks are the run's ---- */

struct reader {
    struct kz_run *run;
    const struct kz_event *start;
    const struct kz_event *latest; /* start of the same runbook and incident, the last one seen */
};

static bool is_alike(const struct kz_event *a, const struct kz_event *b)
{
    return has_text(a->now->tick->runbook) && has_text(b->now->tick->runbook) &&
           strcmp(a->now->tick->runbook, b->now->tick->runbook) == 0 && strcmp(incident_of(a), incident_of(b)) == 0;
}

static bool belongs(const struct reader *reader, const struct kz_event *event)
{
    const char *run = text_or(event->now->tick->run, event->first->tick->run);
    if (has_text(run)) return strcmp(run, reader->run->id) == 0;
    return reader->latest == reader->start && is_alike(event, reader->start);
}

/* ---- what they say ---- */

static enum kz_run_state state_of(const Kz__Tick *tick)
{
    if (!tick->has_result) return KZ_RUN_WAITING;
    switch (tick->result) {
    case KZ__TICK__RESULT__BEGUN:
        return KZ_RUN_BEGUN;
    case KZ__TICK__RESULT__DONE:
        return KZ_RUN_DONE;
    case KZ__TICK__RESULT__SKIPPED:
        return KZ_RUN_SKIPPED;
    case KZ__TICK__RESULT__FAILED:
        return KZ_RUN_FAILED;
    default:
        return KZ_RUN_WAITING;
    }
}

static void take_tick(struct kz_run *run, const struct kz_event *event)
{
    const Kz__Tick *tick = event->now->tick;
    int64_t noted_at = kz_event_noted_at(event->first);
    int64_t before = run->moved_at;
    run->provisional += event->provisional;
    run->moved_at = noted_at > before ? noted_at : before;
    if (!tick->has_step || tick->step < 1 || (uint64_t)tick->step > run->count) return;
    struct kz_run_step *step = &run->steps[tick->step - 1];
    enum kz_run_state state = state_of(tick);
    if (state == KZ_RUN_WAITING) { /* a note, or a result of a later program */
        step->notes++;
        return;
    }
    if (step->state != KZ_RUN_BEGUN) step->since = state == KZ_RUN_BEGUN ? noted_at : before;
    if (state != KZ_RUN_BEGUN) step->ended_at = noted_at;
    step->state = state;
    step->last = event->now;
    step->by = text_or(tick->by, text_or(event->now->noted_by, ""));
    step->evidence = text_or(tick->evidence, "");
    step->permission = text_or(tick->permission, "");
    step->out_of_order = tick->has_out_of_order && tick->out_of_order;
    step->provisional = event->provisional;
}

static void begin(struct kz_run *run, const struct kz_event *start, const Kz__Record *runbook)
{
    const Kz__Runbook *body = runbook == NULL ? NULL : runbook->runbook;
    run->start = start->now;
    run->id = start->first->id;
    run->runbook = start->now->tick->runbook;
    run->incident = incident_of(start);
    run->by = text_or(start->now->tick->by, text_or(start->now->noted_by, ""));
    run->started_at = run->moved_at = kz_event_noted_at(start->first);
    run->provisional = start->provisional;
    run->count = body == NULL ? 0 : body->n_steps;
    run->steps = kz_must_alloc(run->count + 1, sizeof(*run->steps));
    for (size_t i = 0; i < run->count; i++) {
        const Kz__Runbook__Step *step = body->steps[i];
        run->steps[i] = (struct kz_run_step){.step = step, .by = "", .evidence = "", .permission = ""};
        if (step->has_expected_time) run->expected_s += step->expected_time;
    }
}

static void sum_up(struct kz_run *run)
{
    for (size_t i = 0; i < run->count; i++) {
        enum kz_run_state state = run->steps[i].state;
        run->done += state == KZ_RUN_DONE;
        run->skipped += state == KZ_RUN_SKIPPED;
        run->failed += state == KZ_RUN_FAILED;
        run->begun += state == KZ_RUN_BEGUN;
        if (run->next == 0 && state != KZ_RUN_DONE && state != KZ_RUN_SKIPPED) run->next = i + 1;
    }
}

bool kz_run_init(struct kz_run *run, const struct kz_events *events, const char *id, const Kz__Record *runbook)
{
    struct reader reader = {.run = run};
    *run = (struct kz_run){.id = ""};
    for (size_t i = 0; i < events->count && reader.start == NULL; i++)
        if (kz_run_begins(events->items[i].first) && strcmp(events->items[i].first->id, id) == 0)
            reader.start = &events->items[i];
    if (reader.start == NULL || !has_text(reader.start->now->tick->runbook)) return false;
    begin(run, reader.start, runbook);
    for (size_t i = 0; i < events->count; i++) {
        const struct kz_event *event = &events->items[i];
        if (!is_tick(event->first)) continue;
        if (kz_run_begins(event->first)) {
            if (is_alike(event, reader.start)) reader.latest = event;
        } else if (belongs(&reader, event)) {
            take_tick(run, event);
        }
    }
    sum_up(run);
    return true;
}

void kz_run_fini(struct kz_run *run)
{
    free(run->steps);
    *run = (struct kz_run){.id = ""};
}

struct kz_run_clock kz_run_clock(const struct kz_run *run, size_t number, int64_t now_ms)
{
    struct kz_run_clock clock = {0};
    kz_assert(number >= 1 && number <= run->count);
    const struct kz_run_step *step = &run->steps[number - 1];
    bool waits = step->state == KZ_RUN_WAITING;
    if (waits && number != run->next) return clock;
    int64_t since = waits ? run->moved_at : step->since;
    int64_t until = waits || step->state == KZ_RUN_BEGUN ? now_ms : step->ended_at;
    clock.has_elapsed = true;
    clock.elapsed_s = until > since ? (until - since) / SECOND_MS : 0; /* clocks of two sites differ */
    clock.late = step->step->has_expected_time && clock.elapsed_s > step->step->expected_time;
    return clock;
}

/* ---- what a tick must bring ---- */

void kz_run_check_tick(const Kz__Record *tick, const Kz__Record *runbook, struct kz_violations *violations)
{
    struct kz_check check;
    const Kz__Tick *body = tick->tick;
    const Kz__Runbook *book = runbook->runbook;
    if (body == NULL || book == NULL || !body->has_step) return;
    kz_check_begin(&check, tick, violations);
    if (body->step < 1 || (uint64_t)body->step > book->n_steps) {
        kz_violations_addf(violations, check.path, "tick.step", "G 2.8.2(3)", "%s has %zu steps, and no step %lld",
                           "手順書 %s の手順は %zu 個で、手順 %lld はありません", runbook->id, book->n_steps,
                           (long long)body->step);
        return;
    }
    const Kz__Runbook__Step *step = book->steps[body->step - 1];
    bool done = has_result(body, KZ__TICK__RESULT__DONE);
    if (done && step->has_evidence_first && step->evidence_first && !has_text(body->evidence))
        kz_check_add(&check, "evidence", "tick.evidence_first", "P 別紙3",
                     "evidence comes first at this step: secure the logs and say where they are (--evidence)",
                     "証拠保全が必要な手順です。ログ等を保全し、その所在を指定してください (--evidence)");
    if ((done || has_result(body, KZ__TICK__RESULT__SKIPPED)) && step->has_point && !has_text(body->permission))
        kz_check_add(&check, "permission", "tick.permission", "P 別紙3",
                     "a stop or decision point: say who allowed going on, or what was decided (--permission)",
                     "停止・判断点です。誰が許可したか、何を決めたかを指定してください (--permission)");
}
