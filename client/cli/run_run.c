/* SPDX-License-Identifier: Apache-2.0 */
/* `runbook`: carrying one out. A run is nothing but its ticks, so it goes on at whatever node answers. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/gather.h"
#include "client/cli/run_event.h"
#include "client/cli/run_runbook.h"
#include "client/cli/show_run.h"
#include "node/base/assert.h"
#include "node/base/config.h"
#include "node/registry/runbook_life.h"

#define GIVEN_MAX 16u
#define NUMBER_TEXT_BYTES 24

/* ---- what is known of a run ---- */

struct known {
    struct kz_gathered gathered;
    struct kz_events events;
    Kz__Response *book; /* the runbook at the run's revision; NULL: not asked for */
    struct kz_run run;
};

static int known_init(struct kz_cli *cli, struct known *known)
{
    static const Kz__Kind kinds[] = {KZ__KIND__TICK};
    *known = (struct known){.book = NULL};
    int status = kz_gather_kinds(cli, kinds, 1, &known->gathered);
    kz_events_init(&known->events, (const Kz__Record *const *)known->gathered.records,
                   status ? 0 : known->gathered.count);
    return status;
}

static void known_fini(struct known *known)
{
    kz_run_fini(&known->run);
    kz_events_fini(&known->events);
    kz_gathered_fini(&known->gathered);
    if (known->book) kz__response__free_unpacked(known->book, NULL);
}

static const Kz__Record *book_of(const struct known *known) { return known->book->records[0]; }

/* The runbook's text at the run's revision, then the run. */
static int derive(struct kz_cli *cli, const struct kz_events *events, const struct kz_event *start, Kz__Response **book,
                  struct kz_run *run)
{
    int status = kz_runbook_ask(cli, start->now->tick->runbook, kz_run_revision(start->now), book);
    if (status) return status;
    bool found = kz_run_init(run, events, start->first->id, (*book)->records[0]);
    kz_assert(found);
    return 0;
}

static int fail_unknown(struct kz_cli *cli, const char *word)
{
    return kz_cli_fail(cli, kz_error_new(KZ_NOT_FOUND, KZ_T_RUN_UNKNOWN, KZ_T_RUN_UNKNOWN_WHY, KZ_T_RUN_UNKNOWN_HINT,
                                         KZ_TEXT_ARGS(word)));
}

static int fail_several(struct kz_cli *cli, const char *word, const char *ids)
{
    return kz_cli_fail(cli, kz_error_new(KZ_USAGE, KZ_T_RUN_SEVERAL, KZ_T_RUN_SEVERAL_WHY, KZ_T_RUN_SEVERAL_HINT,
                                         KZ_TEXT_ARGS(word, ids)));
}

/* `word` is a runbook: its only run that is not finished, else its latest. */
static int choose_run(struct kz_cli *cli, const char *word, struct known *known)
{
    size_t count, open = 0;
    int status = 0;
    const struct kz_event **starts = kz_runs(&known->events, NULL, &count);
    struct kz_buf ids;
    kz_buf_init(&ids, 0);
    for (size_t i = 0; i < count && !status; i++) {
        if (strcmp(starts[i]->now->tick->runbook, word) != 0) continue;
        Kz__Response *book = NULL;
        struct kz_run run = {0};
        status = derive(cli, &known->events, starts[i], &book, &run);
        if (status) break;
        bool is_open = run.next != 0;
        if (is_open) kz_buf_addf(&ids, "%s%s", open++ ? ", " : "", run.id);
        if (is_open || open == 0) {
            struct kz_run older = known->run;
            Kz__Response *older_book = known->book;
            known->run = run;
            known->book = book;
            run = older;
            book = older_book;
        }
        kz_run_fini(&run);
        if (book) kz__response__free_unpacked(book, NULL);
    }
    if (!status && open > 1) status = fail_several(cli, word, kz_buf_text(&ids));
    if (!status && !known->book) status = fail_unknown(cli, word);
    kz_buf_fini(&ids);
    free(starts);
    return status;
}

/* The run that a person names by its id or its runbook's. To be finished in all cases. */
static int find_run(struct kz_cli *cli, const char *word, struct known *known)
{
    int status = known_init(cli, known);
    if (status) return status;
    size_t count;
    const struct kz_event **starts = kz_runs(&known->events, NULL, &count);
    const struct kz_event *named = NULL;
    for (size_t i = 0; i < count; i++)
        if (strcmp(starts[i]->first->id, word) == 0) named = starts[i];
    free(starts);
    return named ? derive(cli, &known->events, named, &known->book, &known->run) : choose_run(cli, word, known);
}

/* ---- one tick ---- */

struct fields {
    struct kz_given items[GIVEN_MAX];
    size_t count;
};

static void add_field(struct fields *fields, const char *name, const char *value)
{
    kz_assert(fields->count < GIVEN_MAX);
    struct kz_given *given = &fields->items[fields->count++];
    *given = (struct kz_given){.value = value};
    snprintf(given->name, sizeof given->name, "%s", name);
}

/* What stands on the command line; the verb's row has refused all others. Of one given twice the last counts. */
static void add_options(const struct kz_cli *cli, struct fields *fields)
{
    for (size_t i = 0; i < cli->options.field_count; i++) {
        const struct kz_given *given = &cli->options.fields[i];
        bool again = false;
        for (size_t j = i + 1; j < cli->options.field_count; j++)
            again = again || strcmp(cli->options.fields[j].name, given->name) == 0;
        if (!again) add_field(fields, given->name, given->value);
    }
}

static const char *find_option(const struct kz_cli *cli, const char *name)
{
    const char *value = NULL;
    for (size_t i = 0; i < cli->options.field_count; i++)
        if (strcmp(cli->options.fields[i].name, name) == 0) value = cli->options.fields[i].value;
    return value;
}

static int send_tick(struct kz_cli *cli, const struct fields *fields)
{
    struct kz_violations problems = {0};
    Kz__Record *record = kz_event_record(kz_kind_by_number(KZ__KIND__TICK), fields->items, fields->count, &problems);
    int status = problems.count > 0 ? kz_event_fail_fields(cli, &problems) : kz_event_send(cli, record);
    kz_violations_fini(&problems);
    kz__record__free_unpacked(record, NULL);
    return status;
}

/* ---- start ---- */

static int fail_unapproved(struct kz_cli *cli, const char *id)
{
    return kz_cli_fail(cli, kz_error_new(KZ_FAILED, KZ_T_RUNBOOK_UNAPPROVED, KZ_T_RUNBOOK_UNAPPROVED_WHY,
                                         KZ_T_RUNBOOK_UNAPPROVED_HINT, KZ_TEXT_ARGS(id)));
}

static void tell_next(struct kz_cli *cli, const struct kz_run *run)
{
    struct kz_buf out;
    kz_buf_init(&out, 0);
    kz_show_next(&cli->view, run, &out);
    if (!cli->options.quiet) kz_cli_note(cli, kz_buf_text(&out));
    kz_buf_fini(&out);
}

static void tell_started(struct kz_cli *cli, const Kz__Record *book, const char *rev)
{
    char version[NUMBER_TEXT_BYTES];
    snprintf(version, sizeof version, "%" PRId64, book->runbook->has_version ? book->runbook->version : 1);
    kz_cli_tell(cli, KZ_T_RUN_STARTED, KZ_TEXT_ARGS(book->runbook->title, version, rev));
}

static int start(struct kz_cli *cli, const char *id, uint64_t revision, const char *incident)
{
    Kz__Response *book = NULL;
    int status = kz_runbook_ask(cli, id, revision, &book);
    if (status) return status;
    char rev[NUMBER_TEXT_BYTES];
    snprintf(rev, sizeof rev, "%" PRIu64, revision);
    struct fields fields = {.count = 0};
    add_options(cli, &fields);
    add_field(&fields, "runbook", id);
    add_field(&fields, "result", "BEGUN");
    add_field(&fields, "revision", rev);
    if (incident) add_field(&fields, "incident", incident);
    status = send_tick(cli, &fields);
    if (!status) tell_started(cli, book->records[0], rev);
    kz__response__free_unpacked(book, NULL);
    return status;
}

int kz_run_start(struct kz_cli *cli, const struct kz_runbook_words *words)
{
    const char *id = words->items[0];
    Kz__Response *now = NULL;
    int status = kz_runbook_ask(cli, id, 0, &now);
    if (status) return status;
    uint64_t revision = kz_runbook_approved_rev(now->records[0]);
    if (!revision && cli->options.unapproved) revision = now->records[0]->rev;
    kz__response__free_unpacked(now, NULL);
    if (!revision) return fail_unapproved(cli, id);
    char *incident = NULL;
    if (!find_option(cli, "incident")) status = kz_event_find_incident(cli, &incident);
    if (!status) status = start(cli, id, revision, incident);
    free(incident);
    return status;
}

/* ---- ticks ---- */

static int fail_step(struct kz_cli *cli, const char *word, const struct known *known)
{
    char count[NUMBER_TEXT_BYTES];
    snprintf(count, sizeof count, "%zu", known->run.count);
    return kz_cli_fail(cli, kz_error_new(KZ_USAGE, KZ_T_RUN_BAD_STEP, KZ_T_RUN_STEPS_WANTED, KZ_T_RUN_STEPS_HINT,
                                         KZ_TEXT_ARGS(word, known->run.runbook, count)));
}

static int fail_order(struct kz_cli *cli, const char *word, const struct kz_run *run)
{
    char next[NUMBER_TEXT_BYTES];
    snprintf(next, sizeof next, "%zu", run->next);
    return kz_cli_fail(cli, kz_error_new(KZ_FAILED, KZ_T_RUN_ORDER, KZ_T_RUN_ORDER_WHY, KZ_T_RUN_ORDER_HINT,
                                         KZ_TEXT_ARGS(word, next, run->steps[run->next - 1].step->title)));
}

/* That somebody was there before is said, and recorded all the same: both may be right. */
static void tell_already(struct kz_cli *cli, const char *word, const struct kz_run_step *step, enum kz_run_state wanted)
{
    static const enum kz_text_id names[] = {
        [KZ_RUN_WAITING] = KZ_T_RUN_STATE_WAITING, [KZ_RUN_BEGUN] = KZ_T_RUN_STATE_BEGUN,
        [KZ_RUN_DONE] = KZ_T_RUN_STATE_DONE,       [KZ_RUN_SKIPPED] = KZ_T_RUN_STATE_SKIPPED,
        [KZ_RUN_FAILED] = KZ_T_RUN_STATE_FAILED,
    };
    bool said = step->state == wanted || step->state == KZ_RUN_DONE || step->state == KZ_RUN_SKIPPED;
    if (!said || step->state == KZ_RUN_WAITING) return;
    kz_cli_tell(cli, KZ_T_RUN_ALREADY, KZ_TEXT_ARGS(word, kz_text(names[step->state], cli->view.japanese), step->by));
}

/* What is next once this step is `to`. */
static void move_on(struct kz_run *run, size_t number, enum kz_run_state to)
{
    run->steps[number - 1].state = to;
    run->next = 0;
    for (size_t i = run->count; i > 0; i--) {
        enum kz_run_state state = run->steps[i - 1].state;
        if (state != KZ_RUN_DONE && state != KZ_RUN_SKIPPED) run->next = i;
    }
}

static int record_tick(struct kz_cli *cli, const struct known *known, const char *step, const char *result,
                       const char *text)
{
    char rev[NUMBER_TEXT_BYTES];
    const struct kz_run *run = &known->run;
    struct fields fields = {.count = 0};
    add_options(cli, &fields);
    add_field(&fields, "run", run->id);
    add_field(&fields, "runbook", run->runbook);
    if (step) add_field(&fields, "step", step);
    add_field(&fields, "result", result);
    if (text) add_field(&fields, "evidence", text);
    if (*run->incident) add_field(&fields, "incident", run->incident);
    snprintf(rev, sizeof rev, "%" PRIu64, kz_run_revision(run->start));
    if (kz_run_revision(run->start)) add_field(&fields, "revision", rev);
    return send_tick(cli, &fields);
}

static int tick(struct kz_cli *cli, const struct kz_runbook_words *words, const char *result, enum kz_run_state to)
{
    struct known known;
    const char *word = words->items[1];
    int64_t number = 0;
    int status = find_run(cli, words->items[0], &known);
    struct kz_run *run = &known.run;
    if (!status && (!kz_parse_integer(word, &number) || number < 1 || (uint64_t)number > run->count))
        status = fail_step(cli, word, &known);
    bool jumps = !status && run->next != 0 && (size_t)number > run->next;
    const char *allowed = find_option(cli, "out_of_order");
    if (jumps && (!allowed || strcmp(allowed, "true") != 0)) status = fail_order(cli, word, run);
    if (!status) tell_already(cli, word, &run->steps[number - 1], to);
    if (!status) status = record_tick(cli, &known, word, result, NULL);
    if (!status) {
        move_on(run, (size_t)number, to);
        tell_next(cli, run);
    }
    known_fini(&known);
    return status;
}

int kz_run_begin_step(struct kz_cli *cli, const struct kz_runbook_words *words)
{
    return tick(cli, words, "BEGUN", KZ_RUN_BEGUN);
}
int kz_run_tick_step(struct kz_cli *cli, const struct kz_runbook_words *words)
{
    return tick(cli, words, "DONE", KZ_RUN_DONE);
}
int kz_run_skip_step(struct kz_cli *cli, const struct kz_runbook_words *words)
{
    return tick(cli, words, "SKIPPED", KZ_RUN_SKIPPED);
}
int kz_run_fail_step(struct kz_cli *cli, const struct kz_runbook_words *words)
{
    return tick(cli, words, "FAILED", KZ_RUN_FAILED);
}

int kz_run_note(struct kz_cli *cli, const struct kz_runbook_words *words)
{
    struct known known;
    int status = find_run(cli, words->items[0], &known);
    if (!status) status = record_tick(cli, &known, NULL, "NOTED", words->items[1]);
    known_fini(&known);
    return status;
}

/* ---- following ---- */

int kz_run_sheet(struct kz_cli *cli, const struct kz_runbook_words *words)
{
    struct known known;
    const char *named = find_option(cli, "run");
    const char *word = named ? named : words->count > 0 ? words->items[0] : NULL;
    if (!word)
        return kz_cli_fail(cli, kz_error_new(KZ_USAGE, KZ_T_ARGUMENT_MISSING, KZ_T_USAGE_IS_SECOND, KZ_T_USE_HELP_THIRD,
                                             KZ_TEXT_ARGS("RUN", "keizoku runbook show RUN|ID", "runbook")));
    int status = find_run(cli, word, &known);
    if (!status) {
        struct kz_shown_run shown = {.run = &known.run, .runbook = book_of(&known)};
        struct kz_buf out;
        kz_buf_init(&out, 0);
        kz_show_run(&cli->view, &shown, kz_cli_now_ms(), known.gathered.meta, &out);
        status = kz_cli_answer(cli, known.gathered.meta, &out);
        kz_buf_fini(&out);
    }
    known_fini(&known);
    return status;
}

struct overview {
    const struct kz_event **starts;
    size_t count, derived;
    struct kz_run *runs;
    Kz__Response **books;     /* owned; NULL where an earlier run is of the same text */
    const Kz__Record **texts; /* borrowed from books */
    struct kz_shown_run *shown;
    size_t shown_count;
};

static void overview_init(struct overview *overview, const struct kz_events *events, const char *incident)
{
    *overview = (struct overview){.starts = NULL};
    overview->starts = kz_runs(events, incident, &overview->count);
    overview->runs = kz_must_alloc(overview->count, sizeof(struct kz_run));
    overview->books = kz_must_alloc(overview->count, sizeof(Kz__Response *));
    overview->texts = kz_must_alloc(overview->count, sizeof(Kz__Record *));
    overview->shown = kz_must_alloc(overview->count, sizeof(struct kz_shown_run));
}

static void overview_fini(struct overview *overview)
{
    for (size_t i = 0; i < overview->count; i++) {
        kz_run_fini(&overview->runs[i]);
        if (overview->books[i]) kz__response__free_unpacked(overview->books[i], NULL);
    }
    free(overview->shown);
    free(overview->texts);
    free(overview->books);
    free(overview->runs);
    free(overview->starts);
}

/* The text that a run before this one carries out too: exercises are many, runbooks are few. */
static const Kz__Record *find_text(const struct overview *overview, const struct kz_event *start)
{
    for (size_t i = overview->derived; i-- > 0;)
        if (kz_run_revision(overview->starts[i]->now) == kz_run_revision(start->now) &&
            strcmp(overview->runs[i].runbook, start->now->tick->runbook) == 0)
            return overview->texts[i];
    return NULL;
}

static int overview_derive(struct kz_cli *cli, const struct kz_events *events, struct overview *overview)
{
    size_t at = overview->derived;
    const struct kz_event *start = overview->starts[at];
    const Kz__Record *text = find_text(overview, start);
    if (!text) {
        int status = kz_runbook_ask(cli, start->now->tick->runbook, kz_run_revision(start->now), &overview->books[at]);
        if (status) return status;
        text = overview->books[at]->records[0];
    }
    bool found = kz_run_init(&overview->runs[at], events, start->first->id, text);
    kz_assert(found);
    overview->texts[at] = text;
    overview->derived++;
    return 0;
}

/* Those that go on; of one incident all. */
int kz_run_overview(struct kz_cli *cli, const struct kz_runbook_words *words)
{
    struct known known;
    struct overview overview;
    const char *incident = find_option(cli, "incident");
    (void)words; /* there are none */
    int status = known_init(cli, &known);
    overview_init(&overview, &known.events, incident);
    while (!status && overview.derived < overview.count) {
        status = overview_derive(cli, &known.events, &overview);
        size_t last = overview.derived - 1;
        if (!status && (incident || overview.runs[last].next != 0))
            overview.shown[overview.shown_count++] =
                (struct kz_shown_run){.run = &overview.runs[last], .runbook = overview.texts[last]};
    }
    if (!status) {
        struct kz_buf out;
        kz_buf_init(&out, 0);
        kz_show_runs(&cli->view, overview.shown, overview.shown_count, kz_cli_now_ms(), known.gathered.meta, &out);
        status = kz_cli_answer(cli, known.gathered.meta, &out);
        kz_buf_fini(&out);
    }
    overview_fini(&overview);
    known_fini(&known);
    return status;
}
