/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/show_run.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client/codec/encode.h"
#include "node/base/assert.h"
#include "node/registry/when.h"

#define NUMBER_TEXT_BYTES 24
#define SECOND_MS INT64_C(1000)

static const struct {
    const char *name;
    enum kz_text_id text;
} states[] = {
    [KZ_RUN_WAITING] = {"WAITING", KZ_T_RUN_STATE_WAITING}, [KZ_RUN_BEGUN] = {"BEGUN", KZ_T_RUN_STATE_BEGUN},
    [KZ_RUN_DONE] = {"DONE", KZ_T_RUN_STATE_DONE},          [KZ_RUN_SKIPPED] = {"SKIPPED", KZ_T_RUN_STATE_SKIPPED},
    [KZ_RUN_FAILED] = {"FAILED", KZ_T_RUN_STATE_FAILED},
};

static const char *title_of(const struct kz_shown_run *shown)
{
    const Kz__Record *record = shown->runbook;
    return record && record->runbook && record->runbook->title ? record->runbook->title : "?";
}

static int64_t version_of(const struct kz_shown_run *shown)
{
    const Kz__Record *record = shown->runbook;
    return record && record->runbook && record->runbook->has_version ? record->runbook->version : 1;
}

static const char *point_of(const Kz__Runbook__Step *step, const struct kz_view *view)
{
    if (!step->has_point) return NULL;
    const struct kz_field *steps = kz_field_by_name(kz_kind_by_number(KZ__KIND__RUNBOOK)->fields, "steps");
    const struct kz_field *field = kz_field_by_name(steps->fields, "point");
    const struct kz_enum_value *value = kz_enum_by_number(field->values, (int)step->point);
    if (!value) return NULL;
    return !view ? value->name : view->japanese ? value->label.ja : value->label.en;
}

/* Of the run: until it was finished. */
static int64_t elapsed_s(const struct kz_run *run, int64_t now_ms)
{
    int64_t until = run->next == 0 && run->count > 0 ? run->moved_at : now_ms;
    return until > run->started_at ? (until - run->started_at) / SECOND_MS : 0;
}

/* ---- for programs ---- */

static json_t *encode_step(const struct kz_run *run, size_t number, int64_t now_ms)
{
    const struct kz_run_step *step = &run->steps[number - 1];
    struct kz_run_clock clock = kz_run_clock(run, number, now_ms);
    json_t *object = json_object();
    kz_show_set(object, "step", json_integer((json_int_t)number));
    kz_show_set(object, "title", kz_show_string(step->step->title));
    kz_show_set(object, "actor", step->step->actor ? kz_show_string(step->step->actor) : json_null());
    kz_show_set(object, "state", kz_show_string(states[step->state].name));
    const char *point = point_of(step->step, NULL);
    if (point) kz_show_set(object, "point", kz_show_string(point));
    if (step->step->has_evidence_first) kz_show_set(object, "evidence_first", json_boolean(step->step->evidence_first));
    if (step->step->has_expected_time)
        kz_show_set(object, "expected_s", json_integer((json_int_t)step->step->expected_time));
    if (clock.has_elapsed) kz_show_set(object, "elapsed_s", json_integer((json_int_t)clock.elapsed_s));
    kz_show_set(object, "late", json_boolean(clock.late));
    kz_show_set(object, "notes", json_integer((json_int_t)step->notes));
    if (step->state == KZ_RUN_WAITING) return object;
    kz_show_set(object, "by", kz_show_string(step->by));
    kz_show_set(object, "event", kz_show_string(step->last->id));
    kz_show_set(object, "since", kz_show_time(step->since));
    if (step->state != KZ_RUN_BEGUN) kz_show_set(object, "ended_at", kz_show_time(step->ended_at));
    if (*step->evidence) kz_show_set(object, "evidence", kz_show_string(step->evidence));
    if (*step->permission) kz_show_set(object, "permission", kz_show_string(step->permission));
    kz_show_set(object, "out_of_order", json_boolean(step->out_of_order));
    kz_show_set(object, "provisional", json_boolean(step->provisional));
    return object;
}

static json_t *encode_run(const struct kz_shown_run *shown, int64_t now_ms)
{
    const struct kz_run *run = shown->run;
    json_t *object = json_object(), *steps = json_array();
    kz_show_set(object, "run", kz_show_string(run->id));
    kz_show_set(object, "runbook", kz_show_string(run->runbook));
    kz_show_set(object, "title", kz_show_string(title_of(shown)));
    kz_show_set(object, "version", json_integer((json_int_t)version_of(shown)));
    kz_show_set(object, "revision", json_integer((json_int_t)kz_run_revision(run->start)));
    kz_show_set(object, "incident", *run->incident ? kz_show_string(run->incident) : json_null());
    kz_show_set(object, "by", kz_show_string(run->by));
    kz_show_set(object, "started_at", kz_show_time(run->started_at));
    kz_show_set(object, "moved_at", kz_show_time(run->moved_at));
    kz_show_set(object, "finished", json_boolean(run->next == 0 && run->count > 0));
    kz_show_set(object, "next", run->next ? json_integer((json_int_t)run->next) : json_null());
    kz_show_set(object, "done", json_integer((json_int_t)run->done));
    kz_show_set(object, "skipped", json_integer((json_int_t)run->skipped));
    kz_show_set(object, "failed", json_integer((json_int_t)run->failed));
    kz_show_set(object, "elapsed_s", json_integer((json_int_t)elapsed_s(run, now_ms)));
    kz_show_set(object, "expected_s", json_integer((json_int_t)run->expected_s));
    kz_show_set(object, "provisional", json_integer((json_int_t)run->provisional));
    for (size_t i = 1; i <= run->count; i++)
        kz_assert(json_array_append_new(steps, encode_step(run, i, now_ms)) == 0);
    kz_show_set(object, "steps", steps);
    return object;
}

/* ---- for people ---- */

static void add_number(struct kz_grid *grid, size_t number)
{
    char text[NUMBER_TEXT_BYTES];
    snprintf(text, sizeof text, "%zu", number);
    kz_grid_add_cell(grid, text);
}

static void add_duration(const struct kz_view *view, struct kz_grid *grid, bool known, int64_t duration_s)
{
    struct kz_buf cell;
    kz_buf_init(&cell, 0);
    if (known) kz_show_duration(view, &cell, duration_s * SECOND_MS);
    kz_grid_add_cell(grid, known ? kz_buf_text(&cell) : "");
    kz_buf_fini(&cell);
}

static void add_mark(struct kz_buf *out, const char *mark)
{
    if (!mark) return;
    if (out->size_bytes > 0) kz_buf_add_text(out, ", ");
    kz_buf_add_text(out, mark);
}

static void add_marks(const struct kz_view *view, const struct kz_run_step *step, bool late, struct kz_grid *grid)
{
    bool japanese = view->japanese;
    struct kz_buf cell, notes;
    kz_buf_init(&cell, 0);
    kz_buf_init(&notes, 0);
    add_mark(&cell, point_of(step->step, view));
    add_mark(&cell, step->step->has_evidence_first && step->step->evidence_first
                        ? kz_text(KZ_T_RUN_MARK_EVIDENCE, japanese)
                        : NULL);
    add_mark(&cell, late ? kz_text(KZ_T_RUN_MARK_LATE, japanese) : NULL);
    add_mark(&cell, step->out_of_order ? kz_text(KZ_T_RUN_MARK_ORDER, japanese) : NULL);
    if (step->notes > 0) {
        char number[NUMBER_TEXT_BYTES];
        snprintf(number, sizeof number, "%zu", step->notes);
        kz_text_fill(&notes, KZ_T_RUN_MARK_NOTES, japanese, KZ_TEXT_ARGS(number));
        add_mark(&cell, kz_buf_text(&notes));
    }
    add_mark(&cell, step->provisional ? kz_text(KZ_T_PROVISIONAL, japanese) : NULL);
    kz_grid_add_cell(grid, cell.size_bytes > 0 ? kz_buf_text(&cell) : "");
    kz_buf_fini(&cell);
    kz_buf_fini(&notes);
}

static void add_step(const struct kz_view *view, const struct kz_run *run, size_t number, int64_t now_ms,
                     struct kz_grid *grid)
{
    const struct kz_run_step *step = &run->steps[number - 1];
    struct kz_run_clock clock = kz_run_clock(run, number, now_ms);
    bool next = step->state == KZ_RUN_WAITING && number == run->next;
    add_number(grid, number);
    kz_grid_add_cell(grid, kz_text(next ? KZ_T_RUN_STATE_NEXT : states[step->state].text, view->japanese));
    kz_grid_add_cell(grid, step->step->title ? step->step->title : "");
    kz_grid_add_cell(grid, step->step->actor ? step->step->actor : "");
    kz_grid_add_cell(grid, step->by);
    add_duration(view, grid, clock.has_elapsed, clock.elapsed_s);
    add_duration(view, grid, step->step->has_expected_time, step->step->expected_time);
    add_marks(view, step, clock.late, grid);
}

static void show_steps(const struct kz_view *view, const struct kz_run *run, int64_t now_ms, struct kz_buf *out)
{
    struct kz_grid grid = {0};
    kz_show_add_column(view, &grid, KZ_T_COLUMN_STEP, true);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_STATE, false);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_STEP_TITLE, false);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_STEP_ROLE, false);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_DOER, false);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_ELAPSED, true);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_PLANNED, true);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_MARK, false);
    for (size_t i = 1; i <= run->count; i++)
        add_step(view, run, i, now_ms, &grid);
    kz_show_grid(view, &grid, out);
}

static void show_head(const struct kz_view *view, const struct kz_shown_run *shown, int64_t now_ms, struct kz_buf *out)
{
    const struct kz_run *run = shown->run;
    char numbers[6][NUMBER_TEXT_BYTES];
    snprintf(numbers[0], NUMBER_TEXT_BYTES, "%" PRId64, version_of(shown));
    snprintf(numbers[1], NUMBER_TEXT_BYTES, "%" PRIu64, kz_run_revision(run->start));
    snprintf(numbers[2], NUMBER_TEXT_BYTES, "%zu", run->done);
    snprintf(numbers[3], NUMBER_TEXT_BYTES, "%zu", run->count);
    snprintf(numbers[4], NUMBER_TEXT_BYTES, "%zu", run->skipped);
    snprintf(numbers[5], NUMBER_TEXT_BYTES, "%zu", run->failed);
    struct kz_buf begun, elapsed, expected;
    kz_buf_init(&begun, 0);
    kz_buf_init(&elapsed, 0);
    kz_buf_init(&expected, 0);
    kz_time_format(&begun, run->started_at - run->started_at % SECOND_MS);
    kz_show_duration(view, &elapsed, elapsed_s(run, now_ms) * SECOND_MS);
    kz_show_duration(view, &expected, run->expected_s * SECOND_MS);
    kz_show_line(view, out, KZ_T_RUN_HEAD,
                 KZ_TEXT_ARGS(run->id, title_of(shown), run->runbook, numbers[0], numbers[1]));
    if (*run->incident) kz_show_line(view, out, KZ_T_RUN_HEAD_INCIDENT, KZ_TEXT_ARGS(run->incident));
    kz_show_line(view, out, KZ_T_RUN_BEGUN_BY,
                 KZ_TEXT_ARGS(kz_buf_text(&begun), run->by, numbers[2], numbers[3], numbers[4], numbers[5]));
    kz_show_line(view, out, KZ_T_RUN_TIMES, KZ_TEXT_ARGS(kz_buf_text(&elapsed), kz_buf_text(&expected)));
    kz_buf_fini(&begun);
    kz_buf_fini(&elapsed);
    kz_buf_fini(&expected);
}

void kz_show_next(const struct kz_view *view, const struct kz_run *run, struct kz_buf *out)
{
    if (run->next == 0) {
        kz_show_line(view, out, KZ_T_RUN_FINISHED, NULL, 0);
        return;
    }
    const struct kz_run_step *step = &run->steps[run->next - 1];
    char number[NUMBER_TEXT_BYTES];
    snprintf(number, sizeof number, "%zu", run->next);
    struct kz_buf words, role;
    kz_buf_init(&words, 0);
    kz_buf_init(&role, 0);
    if (step->step->actor) add_mark(&words, step->step->actor);
    add_mark(&words, point_of(step->step, view));
    if (step->step->has_evidence_first && step->step->evidence_first)
        add_mark(&words, kz_text(KZ_T_RUN_MARK_EVIDENCE, view->japanese));
    if (words.size_bytes > 0)
        kz_text_fill(&role, KZ_T_RUN_NEXT_ROLE, view->japanese, KZ_TEXT_ARGS(kz_buf_text(&words)));
    kz_show_line(view, out, KZ_T_RUN_NEXT,
                 KZ_TEXT_ARGS(number, step->step->title, role.size_bytes > 0 ? kz_buf_text(&role) : ""));
    kz_buf_fini(&words);
    kz_buf_fini(&role);
}

void kz_show_run(const struct kz_view *view, const struct kz_shown_run *shown, int64_t now_ms, const Kz__Meta *meta,
                 struct kz_buf *out)
{
    if (kz_show_is_json(view)) {
        json_t *items = json_array();
        kz_assert(json_array_append_new(items, encode_run(shown, now_ms)) == 0);
        kz_show_items(view, meta, items, out);
        return;
    }
    bool table = view->output != KZ_OUTPUT_CSV;
    if (table) show_head(view, shown, now_ms, out);
    show_steps(view, shown->run, now_ms, out);
    if (table) kz_show_next(view, shown->run, out);
}

/* ---- several runs ---- */

/* Who is on a step; of the next one that nobody has begun, nobody. */
static void add_place(const struct kz_view *view, const struct kz_run *run, int64_t now_ms, struct kz_grid *grid)
{
    struct kz_run_clock clock = {0};
    struct kz_buf place;
    kz_buf_init(&place, 0);
    const struct kz_run_step *step = run->next ? &run->steps[run->next - 1] : NULL;
    if (step) kz_buf_addf(&place, "%zu %s", run->next, step->step->title);
    if (step) clock = kz_run_clock(run, run->next, now_ms);
    kz_grid_add_cell(grid, step ? kz_buf_text(&place) : kz_text(KZ_T_RUN_FINISHED, view->japanese));
    kz_grid_add_cell(grid, step ? step->by : "");
    add_duration(view, grid, clock.has_elapsed, clock.elapsed_s);
    add_duration(view, grid, step && step->step->has_expected_time, step ? step->step->expected_time : 0);
    kz_buf_clear(&place);
    if (clock.late) add_mark(&place, kz_text(KZ_T_RUN_MARK_LATE, view->japanese));
    if (run->provisional) add_mark(&place, kz_text(KZ_T_PROVISIONAL, view->japanese));
    kz_grid_add_cell(grid, place.size_bytes > 0 ? kz_buf_text(&place) : "");
    kz_buf_fini(&place);
}

static void add_run(const struct kz_view *view, const struct kz_shown_run *shown, int64_t now_ms, struct kz_grid *grid)
{
    const struct kz_run *run = shown->run;
    char progress[2 * NUMBER_TEXT_BYTES];
    snprintf(progress, sizeof progress, "%zu/%zu", run->done + run->skipped, run->count);
    kz_grid_add_cell(grid, run->id);
    kz_grid_add_cell(grid, run->runbook);
    kz_grid_add_cell(grid, progress);
    add_place(view, run, now_ms, grid);
}

void kz_show_runs(const struct kz_view *view, const struct kz_shown_run *runs, size_t count, int64_t now_ms,
                  const Kz__Meta *meta, struct kz_buf *out)
{
    if (kz_show_is_json(view)) {
        json_t *items = json_array();
        for (size_t i = 0; i < count; i++)
            kz_assert(json_array_append_new(items, encode_run(&runs[i], now_ms)) == 0);
        kz_show_items(view, meta, items, out);
        return;
    }
    if (count == 0 && view->output != KZ_OUTPUT_CSV) {
        kz_show_line(view, out, KZ_T_RUN_NOTHING, NULL, 0);
        return;
    }
    struct kz_grid grid = {0};
    kz_show_add_column(view, &grid, KZ_T_COLUMN_RUN, false);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_RUNBOOK, false);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_PROGRESS, true);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_STEP_TITLE, false);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_DOER, false);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_ELAPSED, true);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_PLANNED, true);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_MARK, false);
    for (size_t i = 0; i < count; i++)
        add_run(view, &runs[i], now_ms, &grid);
    kz_show_grid(view, &grid, out);
}
