/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/golden/runs.h"

#include <string.h>

#include "client/cli/show_run.h"
#include "client/cli/show_steps.h"
#include "node/base/assert.h"
#include "tests/golden/canned.h"

#define MINUTE_MS INT64_C(60000)
#define BEGIN_MS (CANNED_NOW_MS - 100 * MINUTE_MS)

struct tick {
    const char *id, *result, *step, *by, *evidence, *permission, *run;
    int64_t minutes;
    bool out_of_order, provisional;
};

/* In no order: it says nothing. */
static const struct tick ticks[] = {
    {"remote-3fa2.12", "FAILED", "2", "星野", "接続できない", NULL, "main-f6bb.20", 70, true, true},
    {"main-f6bb.20", "BEGUN", NULL, "緑川", NULL, NULL, NULL, 0, false, false},
    {"main-f6bb.21", "BEGUN", "1", "緑川", NULL, NULL, "main-f6bb.20", 5, false, false},
    {"main-f6bb.22", "DONE", "1", "緑川", "ﾃﾞｰﾀｾﾝﾀｰ は無事", NULL, "main-f6bb.20", 30, false, false},
    {"main-f6bb.23", "NOTED", "2", "緑川", "部長に連絡中", NULL, "main-f6bb.20", 35, false, false},
    {"main-f6bb.30", "BEGUN", NULL, NULL, NULL, NULL, NULL, 80, false, false},
};
#define TICKS (sizeof ticks / sizeof ticks[0])

static void set(Kz__Record *record, const char *name, const char *value)
{
    const struct kz_field *field = kz_field_by_name(kz_kind_by_number(KZ__KIND__TICK)->fields, name);
    if (value) kz_assert(kz_value_parse(kz_record_body(record), field, value) == NULL);
}

static Kz__Record *make_tick(const struct tick *tick)
{
    Kz__Record *record = kz_record_new(KZ__KIND__TICK, tick->id);
    kz_assert(record != NULL);
    record->has_noted_at = true;
    record->noted_at = BEGIN_MS + tick->minutes * MINUTE_MS;
    record->noted_by = kz_must_strdup("officer");
    record->has_provisional = record->provisional = tick->provisional;
    set(record, "runbook", "kirikae");
    set(record, "revision", "104");
    set(record, "incident", "main-f6bb.1");
    set(record, "result", tick->result);
    set(record, "step", tick->step);
    set(record, "by", tick->by);
    set(record, "evidence", tick->evidence);
    set(record, "permission", tick->permission);
    set(record, "run", tick->run);
    if (tick->out_of_order) set(record, "out_of_order", "true");
    return record;
}

void runs_write(const Kz__Record *runbook, const struct kz_view *view, bool overview, struct kz_buf *out)
{
    Kz__Record *records[TICKS];
    struct kz_events events;
    struct kz_run runs[2];
    struct kz_shown_run shown[2];
    Kz__Meta meta = canned_meta(false);
    for (size_t i = 0; i < TICKS; i++)
        records[i] = make_tick(&ticks[i]);
    kz_events_init(&events, (const Kz__Record *const *)records, TICKS);
    kz_assert(kz_run_init(&runs[0], &events, "main-f6bb.20", runbook));
    kz_assert(kz_run_init(&runs[1], &events, "main-f6bb.30", runbook));
    for (size_t i = 0; i < 2; i++)
        shown[i] = (struct kz_shown_run){.run = &runs[i], .runbook = runbook};
    if (overview) {
        kz_show_runs(view, shown, 2, CANNED_NOW_MS, &meta, out);
        if (!kz_show_is_json(view) && view->output != KZ_OUTPUT_CSV) kz_show_runs(view, NULL, 0, 0, &meta, out);
    } else {
        kz_show_run(view, &shown[0], CANNED_NOW_MS, &meta, out);
    }
    for (size_t i = 0; i < 2; i++)
        kz_run_fini(&runs[i]);
    kz_events_fini(&events);
    for (size_t i = 0; i < TICKS; i++)
        kz__record__free_unpacked(records[i], NULL);
}

static void add_step(Kz__Runbook *runbook, size_t place, const char *title, const char *body)
{
    Kz__Runbook__Step *step = kz_must_alloc(1, sizeof *step);
    kz__runbook__step__init(step);
    step->title = kz_must_strdup(title);
    step->body = kz_must_strdup(body);
    runbook->steps = kz_must_realloc(runbook->steps, (runbook->n_steps + 1) * sizeof(Kz__Runbook__Step *));
    memmove(runbook->steps + place + 1, runbook->steps + place,
            (runbook->n_steps - place) * sizeof(Kz__Runbook__Step *));
    runbook->steps[place] = step;
    runbook->n_steps++;
}

void runs_write_diff(const Kz__Record *runbook, const struct kz_view *view, struct kz_buf *out)
{
    Kz__Record *before = kz_record_dup(runbook), *after = kz_record_dup(runbook);
    Kz__Meta meta = canned_meta(true);
    kz_assert(before && after);
    add_step(before->runbook, 2, "報告", "口頭で");
    add_step(before->runbook, 3, "片付け", "不要");
    add_step(before->runbook, 4, "終了", "記録する");
    after->rev = before->rev + 7;
    after->runbook->version = 3;
    add_step(after->runbook, 0, "安否の確認", "点呼");
    add_step(after->runbook, 3, "報告", "文書で");
    add_step(after->runbook, 4, "終了の宣言", "記録する");
    kz_show_steps_diff(view, before, after, &meta, out);
    if (!kz_show_is_json(view) && view->output != KZ_OUTPUT_CSV) kz_show_steps_diff(view, after, after, &meta, out);
    kz__record__free_unpacked(before, NULL);
    kz__record__free_unpacked(after, NULL);
}
