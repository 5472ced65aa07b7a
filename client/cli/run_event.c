/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/run_event.h"

#include <stdlib.h>
#include <string.h>

#include "client/cli/event_record.h"
#include "client/cli/gather.h"
#include "client/cli/run_runbook.h"
#include "client/cli/show_event.h"
#include "client/codec/describe.h"
#include "node/base/assert.h"

#define WORDS_MAX 3
#define CLEAR_SCREEN "\033[H\033[2J\033[3J"

/* What follows the command's name: `keizoku incident close ID`. */
struct verb {
    const char *command;
    const char *name; /* NULL: none */
    const char *usage;
    Kz__Kind kind;
    const char *words[WORDS_MAX];                      /* the fields that the words set, in order */
    const char *state;                                 /* the field `state`, given by the verb itself */
    const char *hidden;                                /* a field it does not take */
    bool open_incident;                                /* without --incident: the only open one */
    int (*follow)(struct kz_cli *cli, const char *id); /* NULL: it appends */
};

static int show_incident(struct kz_cli *cli, const char *id) { return kz_run_scene(cli, id, true, NULL); }
static int show_timeline(struct kz_cli *cli, const char *id);

/* clang-format off */
static const struct verb verbs[] = {
    {"incident", "open", "open", KZ__KIND__INCIDENT, {NULL}, NULL, "incident", false, NULL},
    {"incident", "activate", "activate ID", KZ__KIND__INCIDENT, {"incident"}, "ACTIVATED", NULL, false, NULL},
    {"incident", "recovering", "recovering ID", KZ__KIND__INCIDENT, {"incident"}, "RECOVERING", NULL, false, NULL},
    {"incident", "close", "close ID", KZ__KIND__INCIDENT, {"incident"}, "CLOSED", NULL, false, NULL},
    {"incident", "show", "show ID", KZ__KIND__INCIDENT, {"incident"}, NULL, NULL, false, show_incident},
    {"incident", "timeline", "timeline ID", KZ__KIND__INCIDENT, {"incident"}, NULL, NULL, false, show_timeline},
    {"report-status", NULL, "SYSTEM STATE", KZ__KIND__STATUS, {"system", "state"}, NULL, NULL, true, NULL},
    {"status-report", NULL, "SYSTEM STATE", KZ__KIND__STATUS, {"system", "state"}, NULL, NULL, true, NULL},
    {"entry", "add", "add TEXT", KZ__KIND__ENTRY, {"text"}, NULL, NULL, true, NULL},
    {"contact", "call", "call CONTACT", KZ__KIND__CALL, {"contact"}, NULL, NULL, true, NULL},
    {"tick", NULL, "RUNBOOK STEP done|skipped|failed", KZ__KIND__TICK, {"runbook", "step", "result"}, NULL, NULL, true, NULL},
};
/* clang-format on */
#define VERB_COUNT (sizeof verbs / sizeof verbs[0])

static bool is_word(const struct verb *verb, const char *field)
{
    for (size_t i = 0; i < WORDS_MAX; i++)
        if (verb->words[i] && strcmp(verb->words[i], field) == 0) return true;
    return false;
}

static bool takes_option(const struct verb *verb, const struct kz_field *field)
{
    if (verb->follow || is_word(verb, field->name)) return false;
    if (verb->hidden && strcmp(verb->hidden, field->name) == 0) return false;
    return !(verb->state && strcmp(field->name, "state") == 0);
}

/* ---- the command line ---- */

/* `verb` NULL: which one was meant is not known. */
static int fail_usage(struct kz_cli *cli, const struct verb *verb, enum kz_text_id what, const char *word)
{
    struct kz_buf usage;
    kz_buf_init(&usage, 0);
    kz_buf_addf(&usage, "keizoku %s ", cli->command->name);
    if (verb) kz_buf_add_text(&usage, verb->usage);
    bool first = true;
    for (size_t i = 0; !verb && i < VERB_COUNT; i++) {
        if (strcmp(verbs[i].command, cli->command->name) != 0) continue;
        kz_buf_addf(&usage, "%s%s", first ? "" : "|", verbs[i].name);
        first = false;
    }
    int status = kz_cli_fail(cli, kz_error_new(KZ_USAGE, what, KZ_T_USAGE_IS_SECOND, KZ_T_USE_HELP_THIRD,
                                               KZ_TEXT_ARGS(word, kz_buf_text(&usage), cli->command->name)));
    kz_buf_fini(&usage);
    return status;
}

/* NULL: an error was printed, *status says which. *next: the first word after the verb. */
static const struct verb *find_verb(struct kz_cli *cli, size_t *next, int *status)
{
    const char *word = cli->words.count > 1 ? cli->words.items[1] : NULL;
    for (size_t i = 0; i < VERB_COUNT; i++) {
        if (strcmp(verbs[i].command, cli->command->name) != 0) continue;
        if (verbs[i].name && (!word || strcmp(verbs[i].name, word) != 0)) continue;
        *next = verbs[i].name ? 2 : 1;
        return &verbs[i];
    }
    *status =
        word ? fail_usage(cli, NULL, KZ_T_UNKNOWN_VERB, word) : fail_usage(cli, NULL, KZ_T_ARGUMENT_MISSING, "VERB");
    return NULL;
}

/* "system/juki" where a reference to a system is meant. */
static const char *without_kind(const struct kz_field *field, const char *word)
{
    const char *slash = strchr(word, '/');
    if (!slash || field->type != KZ_FIELD_REF) return word;
    size_t count;
    const struct kz_kind *kinds = kz_kinds(&count);
    for (size_t i = 0; i < count; i++)
        if (field->ref_kinds == KZ_KIND_BIT(kinds[i].number) && strlen(kinds[i].name) == (size_t)(slash - word) &&
            memcmp(kinds[i].name, word, (size_t)(slash - word)) == 0)
            return slash + 1;
    return word;
}

struct fields {
    struct kz_given *items; /* owned */
    size_t count;
};

static void add_given(struct fields *fields, const struct kz_kind *kind, const char *name, const char *value)
{
    struct kz_given given = {.value = without_kind(kz_field_by_name(kind->fields, name), value)};
    kz_assert(strlen(name) < sizeof given.name);
    memcpy(given.name, name, strlen(name));
    fields->items = kz_must_realloc(fields->items, (fields->count + 1) * sizeof *fields->items);
    fields->items[fields->count++] = given;
}

static const char *find_given(const struct fields *fields, const char *name)
{
    for (size_t i = fields->count; i-- > 0;)
        if (strcmp(fields->items[i].name, name) == 0) return fields->items[i].value;
    return NULL;
}

/* As usage calls it: the incident of an incident's command is just ID. */
static const char *word_name(const char *field)
{
    static const char *const names[][2] = {{"incident", "ID"}, {"system", "SYSTEM"},   {"state", "STATE"},
                                           {"text", "TEXT"},   {"contact", "CONTACT"}, {"runbook", "RUNBOOK"},
                                           {"step", "STEP"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i][0], field) == 0) return names[i][1];
    return "done|skipped|failed";
}

static int fail_option(struct kz_cli *cli, const struct verb *verb, const char *flag)
{
    struct kz_buf usage;
    kz_buf_init(&usage, 0);
    kz_buf_addf(&usage, "%s %s", verb->command, verb->usage);
    int status = kz_cli_fail(cli, kz_error_new(KZ_USAGE, KZ_T_OPTION_NOT_HERE, KZ_T_OPTION_OTHERS, KZ_T_USE_HELP_THIRD,
                                               KZ_TEXT_ARGS(flag, kz_buf_text(&usage), cli->command->name)));
    kz_buf_fini(&usage);
    return status;
}

/* Words and options of the command line, each under its field's name. 0, or the status of a printed error. */
static int read_fields(struct kz_cli *cli, const struct verb *verb, size_t next, struct fields *fields)
{
    const struct kz_kind *kind = kz_kind_by_number(verb->kind);
    for (size_t i = 0; i < WORDS_MAX && verb->words[i]; i++) {
        if (next >= cli->words.count) return fail_usage(cli, verb, KZ_T_ARGUMENT_MISSING, word_name(verb->words[i]));
        add_given(fields, kind, verb->words[i], cli->words.items[next++]);
    }
    if (next < cli->words.count) return fail_usage(cli, verb, KZ_T_ARGUMENT_EXTRA, cli->words.items[next]);
    for (size_t i = 0; i < cli->options.field_count; i++) {
        const struct kz_given *given = &cli->options.fields[i];
        const struct kz_field *field = kz_field_by_name(kind->fields, given->name);
        if (field && takes_option(verb, field)) {
            add_given(fields, kind, given->name, given->value);
            continue;
        }
        struct kz_buf flag;
        kz_buf_init(&flag, 0);
        kz_event_add_flag(&flag, &(struct kz_field){.name = given->name});
        int status = fail_option(cli, verb, kz_buf_text(&flag));
        kz_buf_fini(&flag);
        return status;
    }
    if (cli->options.as_of) return fail_option(cli, verb, "--as-of");
    const struct kz_field *at = kz_field_by_name(kind->fields, "at");
    if (cli->options.at && !(at && takes_option(verb, at))) return fail_option(cli, verb, "--at");
    if (cli->options.at) add_given(fields, kind, "at", cli->options.at);
    return 0;
}

/* ---- appending ---- */

/* Of several none can be meant: an event in the wrong incident cannot be taken back. */
int kz_event_find_incident(struct kz_cli *cli, char **incident)
{
    static const Kz__Kind kinds[] = {KZ__KIND__INCIDENT};
    struct kz_gathered gathered;
    int status = kz_gather_kinds(cli, kinds, 1, &gathered);
    if (!status) {
        size_t count;
        const char **ids = kz_open_incidents(gathered.records, gathered.count, &count);
        if (count == 1) *incident = kz_must_strdup(ids[0]);
        if (count > 1) {
            struct kz_buf list;
            kz_buf_init(&list, 0);
            for (size_t i = 0; i < count; i++)
                kz_buf_addf(&list, "%s%s", i ? ", " : "", ids[i]);
            status = kz_cli_fail(cli, kz_error_new(KZ_USAGE, KZ_T_INCIDENTS_OPEN, KZ_T_INCIDENTS_OPEN_WHY,
                                                   KZ_T_INCIDENTS_OPEN_HINT, KZ_TEXT_ARGS(kz_buf_text(&list))));
            kz_buf_fini(&list);
        }
        free(ids);
    }
    kz_gathered_fini(&gathered);
    return status;
}

/* The id alone on stdout, for people and scripts alike; what is still uncertain about it beside that. */
static int show_appended(struct kz_cli *cli, const Kz__Record *record, const Kz__Response *response)
{
    const Kz__Outcome *outcome = response->outcome;
    bool provisional = outcome->has_provisional && outcome->provisional;
    struct kz_buf out;
    kz_buf_init(&out, 0);
    if (cli->view.output != KZ_OUTPUT_TABLE && cli->view.output != KZ_OUTPUT_WIDE)
        kz_show_outcome(&cli->view, KZ__MUTATION__OP__APPEND, outcome, response->meta, false, &out);
    else
        kz_buf_addf(&out, "%s\n", outcome->changed[0]->id);
    int status = kz_cli_print(cli, &out);
    kz_buf_clear(&out);
    if (provisional) {
        const char *node = response->meta ? response->meta->node : "?";
        kz_show_line(&cli->view, &out, KZ_T_PROVISIONAL_LINE, KZ_TEXT_ARGS(outcome->changed[0]->id, node));
        kz_show_line(&cli->view, &out, KZ_T_PROVISIONAL_FOLLOW,
                     KZ_TEXT_ARGS(kz_show_kind(record->kind), outcome->changed[0]->id));
        kz_cli_note(cli, kz_buf_text(&out));
    }
    kz_buf_fini(&out);
    return status;
}

int kz_event_send(struct kz_cli *cli, Kz__Record *record)
{
    Kz__Mutation **mutations = kz_must_alloc(1, sizeof(Kz__Mutation *));
    mutations[0] = kz_cli_new_mutation(KZ__MUTATION__OP__APPEND, record->kind, record->id);
    mutations[0]->record = record;
    Kz__Response *response = NULL;
    int status = kz_cli_write(cli, mutations, 1, false, NULL, NULL, &response);
    if (response && !status) {
        if (response->outcome->n_changed == 1)
            status = show_appended(cli, record, response);
        else
            status = kz_cli_fail(
                cli, kz_error_new(KZ_PROTOCOL, KZ_T_ODD_ANSWER, KZ_T_ODD_ANSWER_WHY, KZ_T_ODD_ANSWER_HINT, NULL, 0));
        kz__response__free_unpacked(response, NULL);
    }
    kz_cli_free_mutations(mutations, 1);
    return status;
}

int kz_event_fail_fields(struct kz_cli *cli, struct kz_violations *problems)
{
    Kz__Error *error = kz_error_new(KZ_INVALID, KZ_T_EVENT_WRONG, KZ_T_EVENT_WRONG_WHY, KZ_T_EVENT_WRONG_HINT,
                                    KZ_TEXT_ARGS(cli->command->name));
    error->violations = problems->items;
    error->n_violations = problems->count;
    *problems = (struct kz_violations){0};
    return kz_cli_fail(cli, error);
}

static int append(struct kz_cli *cli, const struct verb *verb, struct fields *fields)
{
    const struct kz_kind *kind = kz_kind_by_number(verb->kind);
    char *incident = NULL;
    struct kz_violations problems = {0};
    if (verb->state) add_given(fields, kind, "state", verb->state);
    if (verb->kind == KZ__KIND__INCIDENT && !verb->words[0] && !find_given(fields, "state"))
        add_given(fields, kind, "state", "ALERT");
    if (verb->open_incident && !find_given(fields, "incident")) {
        int status = kz_event_find_incident(cli, &incident);
        if (status) return status;
        if (incident) add_given(fields, kind, "incident", incident);
    }
    Kz__Record *record = kz_event_record(kind, fields->items, fields->count, &problems);
    int status = problems.count > 0 ? kz_event_fail_fields(cli, &problems) : kz_event_send(cli, record);
    kz_violations_fini(&problems);
    kz__record__free_unpacked(record, NULL);
    free(incident);
    return status;
}

static int run(struct kz_cli *cli)
{
    size_t next = 0;
    int status = 0;
    const struct verb *verb = find_verb(cli, &next, &status);
    if (!verb) return status;
    struct fields fields = {0};
    status = read_fields(cli, verb, next, &fields);
    if (!status) status = verb->follow ? verb->follow(cli, fields.items[0].value) : append(cli, verb, &fields);
    free(fields.items);
    return status;
}

int kz_run_incident(struct kz_cli *cli) { return run(cli); }
int kz_run_report_status(struct kz_cli *cli) { return run(cli); }
int kz_run_entry(struct kz_cli *cli) { return run(cli); }
int kz_run_contact(struct kz_cli *cli) { return kz_run_derived_takes(cli) ? kz_run_derived(cli) : run(cli); }
int kz_run_tick(struct kz_cli *cli) { return run(cli); }

/* ---- following ---- */

static int fail_no_incident(struct kz_cli *cli, const char *id)
{
    return kz_cli_fail(cli, kz_error_new(KZ_NOT_FOUND, KZ_T_NO_INCIDENT, KZ_T_NO_INCIDENT_WHY, KZ_T_NO_INCIDENT_HINT,
                                         KZ_TEXT_ARGS(id)));
}

static int show_timeline(struct kz_cli *cli, const char *id)
{
    static const Kz__Kind kinds[] = {KZ__KIND__INCIDENT, KZ__KIND__STATUS, KZ__KIND__ENTRY, KZ__KIND__TICK,
                                     KZ__KIND__CALL};
    struct kz_gathered gathered;
    int status = kz_gather_kinds(cli, kinds, sizeof kinds / sizeof kinds[0], &gathered);
    if (!status) {
        struct kz_scene scene = {
            .records = gathered.records, .count = gathered.count, .incident = id, .meta = gathered.meta};
        struct kz_buf out;
        kz_buf_init(&out, 0);
        status = kz_show_timeline(&cli->view, &scene, &out) ? kz_cli_answer(cli, gathered.meta, &out)
                                                            : fail_no_incident(cli, id);
        kz_buf_fini(&out);
    }
    kz_gathered_fini(&gathered);
    return status;
}

static int print_scene(struct kz_cli *cli, const Kz__Meta *meta, struct kz_live *live, struct kz_buf *out)
{
    if (!live) return kz_cli_answer(cli, meta, out);
    if (!live->terminal && live->shown && strcmp(live->shown, kz_buf_text(out)) == 0) return 0;
    kz_error_set(&live->shown, kz_buf_text(out));
    int status = 0;
    if (live->terminal) {
        struct kz_buf clear;
        kz_buf_init(&clear, 0);
        kz_buf_add_text(&clear, CLEAR_SCREEN);
        status = kz_cli_print(cli, &clear);
        kz_buf_fini(&clear);
    }
    return status ? status : kz_cli_answer(cli, meta, out);
}

int kz_run_scene(struct kz_cli *cli, const char *id, bool details, struct kz_live *live)
{
    static const Kz__Kind kinds[] = {KZ__KIND__INCIDENT, KZ__KIND__STATUS, KZ__KIND__SYSTEM};
    struct kz_gathered gathered;
    int status = kz_gather_kinds(cli, kinds, sizeof kinds / sizeof kinds[0], &gathered);
    if (!status) {
        struct kz_scene scene = {.records = gathered.records,
                                 .count = gathered.count,
                                 .incident = id,
                                 .now_ms = kz_cli_now_ms(),
                                 .meta = gathered.meta,
                                 .details = details};
        struct kz_buf out;
        kz_buf_init(&out, 0);
        status = kz_show_board(&cli->view, &scene, &out) ? print_scene(cli, gathered.meta, live, &out)
                                                         : fail_no_incident(cli, id);
        kz_buf_fini(&out);
    }
    kz_gathered_fini(&gathered);
    return status;
}

/* ---- help ---- */

void kz_usage_fields(struct kz_buf *out, const struct kz_view *view, const struct kz_command *command)
{
    if (command->run == kz_run_runbook) kz_runbook_usage(out, view);
    for (size_t i = 0; i < VERB_COUNT; i++) {
        if (strcmp(verbs[i].command, command->name) != 0) continue;
        kz_buf_addf(out, "\nkeizoku %s %s\n", command->name, verbs[i].usage);
        for (const struct kz_field *field = kz_kind_by_number(verbs[i].kind)->fields; field->name; field++) {
            if (!takes_option(&verbs[i], field)) continue;
            const char *forms = kz_event_short_forms(field);
            kz_buf_add_text(out, "  ");
            if (*forms)
                kz_buf_add_text(out, forms);
            else
                kz_event_add_flag(out, field);
            kz_buf_addf(out, "  %s: ", view->japanese ? field->label.ja : field->label.en);
            if (field->type == KZ_FIELD_ENUM)
                kz_describe_values(out, field);
            else
                kz_describe_type(out, field, view->japanese);
            kz_buf_add_text(out, "\n");
        }
    }
}

void kz_completion_fields(struct kz_buf *out, const struct kz_command *command)
{
    if (command->run == kz_run_runbook)
        kz_buf_add_text(out, "--incident --by --evidence --permission --out-of-order --step --run --corrects ");
    for (size_t i = 0; i < VERB_COUNT; i++) {
        bool first_of_kind = i == 0 || verbs[i - 1].kind != verbs[i].kind;
        if (strcmp(verbs[i].command, command->name) != 0 || (!first_of_kind && verbs[i].name)) continue;
        for (const struct kz_field *field = kz_kind_by_number(verbs[i].kind)->fields; field->name; field++) {
            if ((command->options & KZ_OPTION_MOMENT) && strcmp(field->name, "at") == 0) continue; /* an option, too */
            kz_event_add_flag(out, field);
            kz_buf_add_text(out, " ");
        }
    }
}

/* The kind whose ids the first of the verb's words may be; NULL: it is no id. */
static const struct kz_kind *first_word_kind(const struct verb *verb)
{
    const struct kz_field *field =
        verb->words[0] ? kz_field_by_name(kz_kind_by_number(verb->kind)->fields, verb->words[0]) : NULL;
    size_t count;
    const struct kz_kind *kinds = kz_kinds(&count);
    for (size_t i = 0; field && field->type == KZ_FIELD_REF && i < count; i++)
        if (field->ref_kinds == KZ_KIND_BIT(kinds[i].number)) return &kinds[i];
    return NULL;
}

void kz_completion_verbs(struct kz_buf *out, const struct kz_command *command)
{
    const struct kz_kind *kind = NULL;
    bool first = true;
    if (command->run == kz_run_runbook) {
        kz_runbook_completion(out);
        return;
    }
    kz_buf_add_text(out, " verbs=\"");
    for (size_t i = 0; i < VERB_COUNT; i++) {
        if (strcmp(verbs[i].command, command->name) != 0) continue;
        if (verbs[i].name) kz_buf_addf(out, "%s%s", first ? "" : " ", verbs[i].name);
        if (!kind) kind = first_word_kind(&verbs[i]);
        first = false;
    }
    kz_run_derived_verbs(out, command, first);
    if (!kind) kind = kz_kind_by_name(command->name);
    kz_buf_addf(out, "\" ids=%s;", kind ? kind->name : "");
}
