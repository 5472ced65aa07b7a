/* SPDX-License-Identifier: Apache-2.0 */
/* Exact outputs of the client, compared with the files in expected/: golden FOLDER [--update]. Prints the first line
 * that differs. Fails when a file is missing, and when expected/ holds a file that no case made. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/commands.h"
#include "client/cli/show_event.h"
#include "client/cli/show_undo.h"
#include "client/codec/markdown.h"
#include "tests/golden/compare.h"
#include "tests/golden/derived.h"
#include "tests/golden/finds.h"
#include "tests/golden/runs.h"

/* ---- what is shown ---- */

typedef void (*writer)(const struct golden *golden, const struct kz_view *view, struct kz_buf *out);

static void write_list(const struct golden *golden, const struct kz_view *view, struct kz_buf *out)
{
    Kz__Meta meta = canned_meta(true);
    kz_show_records(view, KZ__KIND__SYSTEM, golden->canned.records, 3, &meta, out);
}
static void write_get_system(const struct golden *golden, const struct kz_view *view, struct kz_buf *out)
{
    Kz__Meta meta = canned_meta(false);
    kz_show_record(view, canned_find(&golden->canned, KZ__KIND__SYSTEM, "juki"), &meta, out);
}
static void write_get_contact(const struct golden *golden, const struct kz_view *view, struct kz_buf *out)
{
    Kz__Meta meta = canned_meta(true);
    kz_show_record(view, canned_find(&golden->canned, KZ__KIND__CONTACT, "midorikawa"), &meta, out);
}
static void write_get_runbook(const struct golden *golden, const struct kz_view *view, struct kz_buf *out)
{
    Kz__Meta meta = canned_meta(true);
    kz_show_record(view, canned_find(&golden->canned, KZ__KIND__RUNBOOK, "kirikae"), &meta, out);
}

/* What the record was before someone changed it. */
static Kz__Record *make_before(const struct golden *golden)
{
    Kz__Record *before = kz_record_dup(canned_find(&golden->canned, KZ__KIND__SYSTEM, "juki"));
    before->rev = 90;
    before->system->rto = 86400;
    before->system->users = 600;
    before->system->placements[1]->level = 3;
    kz_record_derive(before);
    return before;
}

static void write_history(const struct golden *golden, const struct kz_view *view, struct kz_buf *out)
{
    Kz__Record *before = make_before(golden), *after = canned_find(&golden->canned, KZ__KIND__SYSTEM, "juki");
    Kz__Change changes[] = {canned_change(KZ__MUTATION__OP__VERIFY, 101, after, after),
                            canned_change(KZ__MUTATION__OP__PUT, 100, before, after)};
    Kz__Change *list[] = {&changes[0], &changes[1]};
    Kz__Meta meta = canned_meta(true);
    kz_show_history(view, list, 2, &meta, out);
    kz__record__free_unpacked(before, NULL);
}
static void write_watch(const struct golden *golden, const struct kz_view *view, struct kz_buf *out)
{
    Kz__Record *record = canned_find(&golden->canned, KZ__KIND__SYSTEM, "e-mail");
    Kz__Change put = canned_change(KZ__MUTATION__OP__PUT, 100, NULL, record),
               retire = canned_change(KZ__MUTATION__OP__RETIRE, 102, record, record);
    kz_show_change(view, &put, out);
    kz_show_change(view, &retire, out);
}
static void write_diff(const struct golden *golden, const struct kz_view *view, struct kz_buf *out)
{
    Kz__Record *before = make_before(golden);
    Kz__Meta meta = canned_meta(true);
    kz_show_diff(view, before, canned_find(&golden->canned, KZ__KIND__SYSTEM, "juki"), &meta, out);
    kz__record__free_unpacked(before, NULL);
}
static void write_status(const struct golden *golden, const struct kz_view *view, struct kz_buf *out)
{
    (void)golden;
    Kz__Meta meta = canned_meta(true);
    Kz__Response response;
    canned_status(&response, &meta, 3, false);
    kz_show_status(view, &response, out);
}
static void write_status_lone(const struct golden *golden, const struct kz_view *view, struct kz_buf *out)
{
    (void)golden;
    Kz__Meta meta = canned_meta(false);
    Kz__Response response;
    canned_status(&response, &meta, 1, false);
    kz_show_banner(view, &meta, false, out);
    kz_show_status(view, &response, out);
}
static void write_status_diverged(const struct golden *golden, const struct kz_view *view, struct kz_buf *out)
{
    (void)golden;
    Kz__Meta meta = canned_meta(true);
    Kz__Response response;
    canned_status(&response, &meta, 2, true);
    kz_show_status(view, &response, out);
}
static void write_outcome(const struct golden *golden, const struct kz_view *view, struct kz_buf *out)
{
    char ids[2][8] = {"juki", "kana"};
    Kz__Changed changed[2], *list[] = {&changed[0], &changed[1]};
    for (size_t i = 0; i < 2; i++) {
        kz__changed__init(&changed[i]);
        changed[i].kind = golden->canned.records[0]->kind;
        changed[i].id = ids[i];
        changed[i].rev = 48212 + i;
    }
    changed[1].has_unchanged = changed[1].unchanged = true;
    Kz__Outcome outcome = KZ__OUTCOME__INIT;
    outcome.code = KZ_OK;
    outcome.has_rev = true;
    outcome.rev = 48212;
    outcome.n_changed = 2;
    outcome.changed = list;
    Kz__Meta meta = canned_meta(true);
    kz_show_outcome(view, KZ__MUTATION__OP__PUT, &outcome, &meta, false, out);
}
#define MANY 218
static void write_outcome_many(const struct golden *golden, const struct kz_view *view, struct kz_buf *out)
{
    (void)golden;
    static char ids[MANY][8];
    static Kz__Changed changed[MANY], *list[MANY];
    for (size_t i = 0; i < MANY; i++) {
        kz__changed__init(&changed[i]);
        snprintf(ids[i], sizeof ids[i], "s%zu", i);
        changed[i].kind = KZ__KIND__SITE;
        changed[i].id = ids[i];
        changed[i].rev = i + 1;
        changed[i].has_unchanged = true;
        changed[i].unchanged = i == 1; /* not shown, so not counted */
        list[i] = &changed[i];
    }
    Kz__Outcome outcome = KZ__OUTCOME__INIT;
    outcome.code = KZ_OK;
    outcome.n_changed = MANY;
    outcome.changed = list;
    Kz__Meta meta = canned_meta(true);
    kz_show_outcome(view, KZ__MUTATION__OP__PUT, &outcome, &meta, false, out);
}
/* One record of each fate, and more of one kind than are shown. */
static void write_undo(const struct golden *golden, const struct kz_view *view, struct kz_buf *out)
{
    Kz__Record *before = make_before(golden), *made[10];
    struct kz_undo_item items[10];
    size_t count = 0;
    items[count++] =
        (struct kz_undo_item){.now = canned_find(&golden->canned, KZ__KIND__SYSTEM, "juki"), .then = before};
    for (size_t i = 0; i < 8; i++) {
        char id[16];
        snprintf(id, sizeof id, "kyoten-%zu", i);
        made[i] = kz_record_new(KZ__KIND__SITE, id);
        made[i]->rev = 200 + i;
        made[i]->has_retired_at = i < 7;
        items[count++] = (struct kz_undo_item){.now = made[i], .then = i < 7 ? before : NULL};
    }
    Kz__Meta meta = canned_meta(true);
    struct kz_undo_review review = {.items = items, .count = count, .to_rev = 90, .rev = 207, .meta = &meta};
    kz_show_undo(view, &review, out);
    for (size_t i = 0; i < 8; i++)
        kz__record__free_unpacked(made[i], NULL);
    kz__record__free_unpacked(before, NULL);
}

static void write_undone(const struct golden *golden, const struct kz_view *view, struct kz_buf *out)
{
    (void)golden;
    Kz__Outcome outcome = KZ__OUTCOME__INIT;
    Kz__Changed changed = KZ__CHANGED__INIT, *list = &changed;
    changed.kind = KZ__KIND__SITE;
    changed.id = "kyoten-0";
    changed.rev = 208;
    outcome.rev = 216;
    outcome.changed = &list;
    outcome.n_changed = 1;
    outcome.has_changed_count = outcome.has_retired_count = true;
    outcome.changed_count = 9;
    outcome.retired_count = 1;
    Kz__Meta meta = canned_meta(true);
    kz_show_undone(view, &outcome, 90, &meta, out);
}

/* Beside the data: whoever reads the past must not take it for the present. */
static void write_past(const struct golden *golden, const struct kz_view *view, struct kz_buf *out)
{
    (void)golden;
    Kz__Meta meta = canned_meta(true);
    meta.has_as_of_rev = meta.has_as_of_ms = true;
    meta.as_of_rev = 90;
    meta.as_of_ms = CANNED_NOW_MS - 86400000;
    kz_show_banner(view, &meta, true, out);
    meta.as_of_rev = 0;
    meta.has_as_of_ms = false;
    kz_show_banner(view, &meta, true, out);
}

/* Systems and events, as the board gathers them. */
static void write_scene(const struct golden *golden, const struct kz_view *view, const char *incident, bool details,
                        struct kz_buf *out)
{
    Kz__Record *records[32];
    size_t count = 0;
    for (size_t i = 0; i < golden->canned.count; i++)
        records[count++] = golden->canned.records[i];
    for (size_t i = golden->events.count; i-- > 0;) /* the order in which they come says nothing */
        records[count++] = golden->events.records[i];
    Kz__Meta meta = canned_meta(false);
    struct kz_scene scene = {.records = records,
                             .count = count,
                             .incident = incident,
                             .now_ms = CANNED_NOW_MS,
                             .meta = &meta,
                             .details = details};
    bool timeline = incident && !details;
    if (!(timeline ? kz_show_timeline(view, &scene, out) : kz_show_board(view, &scene, out)))
        kz_buf_add_text(out, "no such incident\n");
}
static void write_board(const struct golden *golden, const struct kz_view *view, struct kz_buf *out)
{
    write_scene(golden, view, NULL, false, out);
}
static void write_incident(const struct golden *golden, const struct kz_view *view, struct kz_buf *out)
{
    write_scene(golden, view, "main-f6bb.1", true, out);
}
static void write_timeline(const struct golden *golden, const struct kz_view *view, struct kz_buf *out)
{
    write_scene(golden, view, "main-f6bb.1", false, out);
}
static void write_no_incident(const struct golden *golden, const struct kz_view *view, struct kz_buf *out)
{
    write_scene(golden, view, "main-f6bb.2", true, out);
    struct kz_scene nothing = {.now_ms = CANNED_NOW_MS};
    kz_show_board(view, &nothing, out);
}
static void write_run(const struct golden *golden, const struct kz_view *view, struct kz_buf *out)
{
    runs_write(canned_find(&golden->canned, KZ__KIND__RUNBOOK, "kirikae"), view, false, out);
}
static void write_runs(const struct golden *golden, const struct kz_view *view, struct kz_buf *out)
{
    runs_write(canned_find(&golden->canned, KZ__KIND__RUNBOOK, "kirikae"), view, true, out);
}
static void write_steps_diff(const struct golden *golden, const struct kz_view *view, struct kz_buf *out)
{
    runs_write_diff(canned_find(&golden->canned, KZ__KIND__RUNBOOK, "kirikae"), view, out);
}
static void write_markdown(const struct golden *golden, const struct kz_view *view, struct kz_buf *out)
{
    (void)view; /* a file for every language */
    kz_markdown_write(out, canned_find(&golden->canned, KZ__KIND__RUNBOOK, "kirikae"));
}
static void write_event_usage(const struct golden *golden, const struct kz_view *view, struct kz_buf *out)
{
    (void)golden;
    kz_usage_fields(out, view, kz_command_find("incident"));
    kz_usage_fields(out, view, kz_command_find("contact"));
    kz_usage_fields(out, view, kz_command_find("runbook"));
}
static void write_order(const struct golden *golden, const struct kz_view *view, struct kz_buf *out)
{
    golden_write_order(&golden->canned, view, out);
}

static void write_impact(const struct golden *golden, const struct kz_view *view, struct kz_buf *out)
{
    golden_write_impact(&golden->canned, view, out);
}

static void write_deps(const struct golden *golden, const struct kz_view *view, struct kz_buf *out)
{
    golden_write_deps(&golden->plan, view, out);
}

static void write_plan_order(const struct golden *golden, const struct kz_view *view, struct kz_buf *out)
{
    golden_write_plan_order(&golden->plan, view, out);
}

static void write_area(const struct golden *golden, const struct kz_view *view, struct kz_buf *out)
{
    golden_write_area(&golden->plan, view, out);
}

static void write_duty(const struct golden *golden, const struct kz_view *view, struct kz_buf *out)
{
    golden_write_duty(&golden->plan, view, out);
}

static void write_calltree(const struct golden *golden, const struct kz_view *view, struct kz_buf *out)
{
    golden_write_calltree(&golden->plan, view, out);
}

static void write_findings(const struct golden *golden, const struct kz_view *view, struct kz_buf *out)
{
    golden_write_findings(&golden->canned, view, out);
}

static void write_schema(const struct golden *golden, const struct kz_view *view, struct kz_buf *out)
{
    (void)golden;
    kz_show_schema(view, NULL, out);
}
static void write_banners(const struct golden *golden, const struct kz_view *view, struct kz_buf *out)
{
    (void)golden;
    Kz__Meta meta = canned_meta(false);
    meta.has_provisional = true;
    meta.provisional = 3;
    kz_show_banner(view, &meta, true, out);
    meta = canned_meta(false);
    meta.has_data_time_ms = meta.has_leader_contact_ms = false;
    kz_show_banner(view, &meta, false, out);
    meta = canned_meta(true);
    kz_show_banner(view, &meta, true, out); /* fresh: nothing */
    meta.read = KZ__READ_MODE__LOCAL;
    kz_show_banner(view, &meta, false, out); /* asked for: nothing */
    kz_show_banner(view, &meta, true, out);
}

static void write_conflict(const struct golden *golden, const struct kz_view *view, struct kz_buf *out)
{
    Kz__Record *before = make_before(golden), *mine = make_before(golden);
    mine->system->users = 700;
    Kz__Outcome outcome = KZ__OUTCOME__INIT;
    outcome.code = KZ_CONFLICT;
    outcome.current = kz_record_dup(canned_find(&golden->canned, KZ__KIND__SYSTEM, "juki"));
    struct kz_error_context context = {.subject = "system/juki", .role = "operator"};
    Kz__Error *error = kz_error_of_outcome(&outcome, &context);
    kz_show_error(view, error, before, mine, out);
    kz_show_error(view, error, NULL, mine, out);
    kz__error__free_unpacked(error, NULL);
    kz__record__free_unpacked(before, NULL);
    kz__record__free_unpacked(mine, NULL);
}

#define BAD_TEXT                                                                                                       \
    "kind: system\nid: bad\nname: x\nrto: soon\ntpye: BUSINESS\nplacements:\n- {site: main, standby: ﾎｯﾄ?}\n"    \
    "---\nkind: 構成\nid: 住基\n"

static void write_invalid(const struct golden *golden, const struct kz_view *view, struct kz_buf *out)
{
    (void)golden;
    struct kz_tree tree = {0};
    struct kz_entries entries = {0};
    struct kz_violations problems = {0};
    if (kz_tree_read(&tree, "システム.yaml", BAD_TEXT, strlen(BAD_TEXT), &problems))
        (void)kz_decode_tree(&tree, &entries, &problems);
    Kz__Error *error = kz_error_of_problems(&problems, "システム.yaml");
    kz_show_error(view, error, NULL, NULL, out);
    kz__error__free_unpacked(error, NULL);
    kz_entries_fini(&entries);
    kz_tree_fini(&tree);
}

/* One error of each code, with nothing but the code from the node. */
static void write_errors(const struct golden *golden, const struct kz_view *view, struct kz_buf *out)
{
    (void)golden;
    static const enum kz_code codes[] = {KZ_NOT_FOUND, KZ_CONFLICT, KZ_REFERENCED,      KZ_DENIED, KZ_NO_QUORUM,
                                         KZ_INVALID,   KZ_BUSY,     KZ_UNKNOWN_OUTCOME, KZ_CORRUPT};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        Kz__Outcome outcome = KZ__OUTCOME__INIT;
        outcome.code = codes[i];
        struct kz_error_context context = {.subject = "system/juk",
                                           .role = "operator",
                                           .node = "remote",
                                           .request = "000102030405060708090a0b0c0d0e0f",
                                           .near_id = "juki"};
        Kz__Error *error = kz_error_of_outcome(&outcome, &context);
        kz_show_error(view, error, NULL, NULL, out);
        kz__error__free_unpacked(error, NULL);
    }
}
static void write_help(const struct golden *golden, const struct kz_view *view, struct kz_buf *out)
{
    (void)golden;
    kz_usage_all(out, view, "~/.config/keizoku/config");
    kz_usage_command(out, view, kz_command_find("apply"), "~/.config/keizoku/config");
}
static void write_bash(const struct golden *golden, const struct kz_view *view, struct kz_buf *out)
{
    (void)golden;
    (void)view;
    kz_completion_bash(out);
}

static void write_zsh(const struct golden *golden, const struct kz_view *view, struct kz_buf *out)
{
    (void)golden;
    (void)view;
    kz_completion_zsh(out);
}

/* ---- the cases ---- */

static void write_campaign(const struct golden *golden, const struct kz_view *view, struct kz_buf *out)
{
    canned_show_campaign(&golden->canned, view, out);
}
static void write_search(const struct golden *golden, const struct kz_view *view, struct kz_buf *out)
{
    (void)golden;
    canned_show_search(view, out);
}

#define TABLE (1u << KZ_OUTPUT_TABLE)
#define WIDE (1u << KZ_OUTPUT_WIDE)
#define JSON (1u << KZ_OUTPUT_JSON)
#define YAML (1u << KZ_OUTPUT_YAML)
#define CSV (1u << KZ_OUTPUT_CSV)
#define DOT (1u << KZ_OUTPUT_DOT)

static const struct {
    const char *name;
    writer write;
    unsigned outputs;
    size_t max_columns;
    int ambiguous;
    bool no_headers;
} cases[] = {
    {"list", write_list, TABLE | WIDE | JSON | YAML | CSV, 0, 1, false},
    {"list-60-columns", write_list, TABLE, 60, 1, false},
    {"list-no-headers", write_list, TABLE | CSV, 0, 1, true},
    {"get-system", write_get_system, TABLE | JSON | YAML | CSV, 0, 1, false},
    {"get-system-ambiguous-2", write_get_system, TABLE, 0, 2, false},
    {"get-contact", write_get_contact, TABLE | YAML, 0, 1, false},
    {"get-runbook", write_get_runbook, TABLE | YAML, 0, 1, false},
    {"history", write_history, TABLE | JSON | CSV, 0, 1, false},
    {"watch", write_watch, TABLE | JSON, 0, 1, false},
    {"diff", write_diff, TABLE | JSON | CSV, 0, 1, false},
    {"status", write_status, TABLE | WIDE | JSON, 0, 1, false},
    {"status-lone", write_status_lone, TABLE, 0, 1, false},
    {"status-diverged", write_status_diverged, TABLE, 0, 1, false},
    {"outcome", write_outcome, TABLE | WIDE | JSON, 0, 1, false},
    {"outcome-many", write_outcome_many, TABLE, 80, 1, false},
    {"undo", write_undo, TABLE | JSON | CSV, 0, 1, false},
    {"undone", write_undone, TABLE | JSON, 0, 1, false},
    {"past", write_past, TABLE, 0, 1, false},
    {"campaign", write_campaign, TABLE | JSON | CSV, 0, 1, false},
    {"search", write_search, TABLE | JSON | CSV, 0, 1, false},
    {"board", write_board, TABLE | JSON, 0, 1, false},
    {"incident", write_incident, TABLE, 0, 1, false},
    {"timeline", write_timeline, TABLE | JSON | CSV, 0, 1, false},
    {"no-incident", write_no_incident, TABLE, 0, 1, false},
    {"run", write_run, TABLE | JSON | CSV, 0, 1, false},
    {"runs", write_runs, TABLE | CSV, 0, 1, false},
    {"runbook-diff", write_steps_diff, TABLE | JSON | CSV, 0, 1, false},
    {"runbook-markdown", write_markdown, TABLE, 0, 1, false},
    {"event-usage", write_event_usage, TABLE, 0, 1, false},
    {"order", write_order, TABLE | JSON | CSV, 0, 1, false},
    {"impact", write_impact, TABLE | JSON, 0, 1, false},
    {"impact-area", write_area, TABLE | JSON, 0, 1, false},
    {"deps", write_deps, TABLE | JSON | CSV | DOT, 0, 1, false},
    {"order-plan", write_plan_order, DOT, 0, 1, false},
    {"duty", write_duty, TABLE | JSON | CSV, 0, 1, false},
    {"calltree", write_calltree, TABLE | JSON | CSV, 0, 1, false},
    {"doctor", write_findings, TABLE | JSON | CSV, 0, 1, false},
    {"schema", write_schema, TABLE, 0, 1, false},
    {"banners", write_banners, TABLE, 0, 1, false},
    {"conflict", write_conflict, TABLE | JSON, 0, 1, false},
    {"invalid", write_invalid, TABLE | JSON, 0, 1, false},
    {"errors", write_errors, TABLE, 0, 1, false},
    {"help", write_help, TABLE, 0, 1, false},
    {"completion", write_bash, TABLE, 0, 1, false},
    {"completion-zsh", write_zsh, TABLE, 0, 1, false},
};

static void run_case(struct golden *golden, size_t index, enum kz_output output, bool japanese)
{
    static const char *const endings[] = {"txt", "wide.txt", "json", "yaml", "csv", "dot"};
    struct kz_view view = {.output = output,
                           .japanese = japanese,
                           .ambiguous = cases[index].ambiguous,
                           .headers = !cases[index].no_headers,
                           .max_columns = cases[index].max_columns};
    char name[128];
    snprintf(name, sizeof name, "%s.%s.%s", cases[index].name, japanese ? "ja" : "en", endings[output]);
    struct kz_buf out;
    kz_buf_init(&out, 0);
    cases[index].write(golden, &view, &out);
    golden_compare(golden, name, &out);
    kz_buf_fini(&out);
}

int main(int argc, char **argv)
{
    struct golden golden = {.folder = argc > 1 ? argv[1] : ".", .update = argc > 2 && !strcmp(argv[2], "--update")};
    if (!canned_read(&golden.canned, golden.folder) || !canned_read_events(&golden.events, golden.folder) ||
        !canned_read_plan(&golden.plan, golden.folder))
        return 1;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (enum kz_output output = KZ_OUTPUT_TABLE; output <= KZ_OUTPUT_DOT; output++)
            for (int japanese = 0; japanese < 2; japanese++)
                if (cases[i].outputs & (1u << output)) run_case(&golden, i, output, japanese);
    golden_check_leftovers(&golden);
    canned_free(&golden.canned);
    canned_free(&golden.events);
    canned_free(&golden.plan);
    printf("golden: %zu outputs, %zu wrong\n", golden.cases, golden.failed);
    return golden.failed ? 1 : 0;
}
