/* SPDX-License-Identifier: Apache-2.0 */
/* What is derived from many records: records of one revision are fetched, the rest is computed here (node/registry). */
#include <stdio.h>
#include <string.h>

#include "client/cli/commands.h"
#include "client/cli/gather.h"
#include "client/cli/show_derived.h"
#include "node/registry/settings.h"
#include "node/registry/text.h"

#define NEAR_MAX 4 /* fewer edits than this are a slip of the fingers */

static const Kz__Kind kinds[] = {KZ__KIND__SITE,     KZ__KIND__ORG,    KZ__KIND__CONTACT, KZ__KIND__ROLE,
                                 KZ__KIND__FUNCTION, KZ__KIND__SYSTEM, KZ__KIND__RUNBOOK, KZ__KIND__CALLTREE,
                                 KZ__KIND__BACKUP,   KZ__KIND__SETTING};
#define KIND_COUNT (sizeof kinds / sizeof kinds[0])

struct derived {
    struct kz_gathered gathered;
    struct kz_set set;
    struct kz_graph graph;
    const char *id; /* NULL: not given */
    struct kz_buf out, notes;
};

/* ---- errors ---- */

static int fail_unknown(struct kz_cli *cli, const struct derived *derived, Kz__Kind kind)
{
    size_t count, best = NEAR_MAX;
    const Kz__Record *const *records = kz_set_kind(&derived->set, kind, &count);
    const char *near = NULL;
    for (size_t i = 0; i < count; i++) {
        size_t distance = kz_text_distance(derived->id, records[i]->id);
        if (distance < best) best = distance, near = records[i]->id;
    }
    return kz_cli_fail(cli, kz_error_new(KZ_NOT_FOUND, KZ_T_DERIVED_UNKNOWN,
                                         cli->options.as_of ? KZ_T_DERIVED_UNKNOWN_THEN_WHY : KZ_T_DERIVED_UNKNOWN_WHY,
                                         near ? KZ_T_DERIVED_UNKNOWN_NEAR : KZ_T_DERIVED_UNKNOWN_HINT,
                                         KZ_TEXT_ARGS(derived->id, kz_show_kind(kind), near)));
}

/* Whether a site before this one is in the same area: each is named once. */
static bool is_named(const Kz__Record *const *sites, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (sites[i]->site->disaster_area && !strcmp(sites[i]->site->disaster_area, sites[index]->site->disaster_area))
            return true;
    return false;
}

static int fail_area(struct kz_cli *cli, const struct derived *derived, const char *area)
{
    size_t count, best = NEAR_MAX;
    const Kz__Record *const *sites = kz_set_kind(&derived->set, KZ__KIND__SITE, &count);
    const char *near = NULL;
    struct kz_buf areas;
    kz_buf_init(&areas, 0);
    for (size_t i = 0; i < count; i++) {
        const char *one = sites[i]->site->disaster_area;
        if (!one || !*one || is_named(sites, i)) continue;
        kz_buf_addf(&areas, "%s%s", areas.size_bytes > 0 ? ", " : "", one);
        size_t distance = kz_text_distance(area, one);
        if (distance < best) best = distance, near = one;
    }
    int status = kz_cli_fail(cli, kz_error_new(KZ_NOT_FOUND, KZ_T_AREA_UNKNOWN,
                                               areas.size_bytes > 0 ? KZ_T_AREA_UNKNOWN_WHY : KZ_T_AREA_UNKNOWN_NONE,
                                               near ? KZ_T_AREA_UNKNOWN_NEAR : KZ_T_AREA_UNKNOWN_HINT,
                                               KZ_TEXT_ARGS(area, kz_buf_text(&areas), near)));
    kz_buf_fini(&areas);
    return status;
}

/* ---- verbs ---- */

static int run_order(struct kz_cli *cli, struct derived *derived)
{
    size_t count;
    struct kz_setting_value teams;
    struct kz_order order;
    const Kz__Record *const *settings = kz_set_kind(&derived->set, KZ__KIND__SETTING, &count);
    kz_setting_get(settings, count, "recovery.teams", &teams);
    kz_order_init(&order, &derived->graph, &(struct kz_order_options){.teams = (size_t)teams.number});
    kz_show_order(&cli->view, &derived->graph, &order, derived->gathered.meta, &derived->out);
    kz_show_order_notes(&cli->view, &derived->graph, &order, &derived->notes);
    kz_order_fini(&order);
    return 0;
}

static int run_deps(struct kz_cli *cli, struct derived *derived)
{
    size_t system = kz_set_index(&derived->set, KZ__KIND__SYSTEM, derived->id);
    if (system == SIZE_MAX) return fail_unknown(cli, derived, KZ__KIND__SYSTEM);
    kz_show_deps(&cli->view, &derived->set, &derived->graph, system, derived->gathered.meta, &derived->out);
    return 0;
}

static int run_impact(struct kz_cli *cli, struct derived *derived)
{
    Kz__Kind kind = kz_kind_by_name(cli->command->name)->number;
    const char *area = cli->options.area;
    struct kz_impact impact;
    if (area && !kz_impact_of_area(&impact, &derived->set, &derived->graph, area)) return fail_area(cli, derived, area);
    if (!area && !kz_impact_of_record(&impact, &derived->set, &derived->graph, kind, derived->id))
        return fail_unknown(cli, derived, kind);
    kz_show_impact(&cli->view, &impact, derived->gathered.meta, &derived->out);
    kz_impact_fini(&impact);
    return 0;
}

/* --at, or now: also with --as-of, which is about the records. */
static struct kz_moment find_moment(const struct kz_cli *cli, const struct derived *derived, int64_t *now_ms)
{
    struct kz_calendar calendar;
    *now_ms = kz_cli_now_ms();
    if (cli->options.at) (void)kz_time_parse(cli->options.at, now_ms); /* check_line has seen that it is one */
    kz_calendar_init(&calendar, &derived->set);
    return kz_calendar_moment(&calendar, *now_ms);
}

static int run_who(struct kz_cli *cli, struct derived *derived)
{
    int64_t now_ms;
    struct kz_moment moment = find_moment(cli, derived, &now_ms);
    const Kz__Record *role = kz_set_find(&derived->set, KZ__KIND__ROLE, derived->id);
    if (derived->id && !role) return fail_unknown(cli, derived, KZ__KIND__ROLE);
    kz_show_duty(&cli->view, &derived->set, &moment, role, derived->gathered.meta, &derived->out);
    kz_show_duty_notes(&cli->view, &derived->set, &moment, now_ms, role, &derived->notes);
    return 0;
}

static int run_tree(struct kz_cli *cli, struct derived *derived)
{
    int64_t now_ms;
    struct kz_moment moment = find_moment(cli, derived, &now_ms);
    const Kz__Record *tree = kz_set_find(&derived->set, KZ__KIND__CALLTREE, derived->id);
    if (derived->id && !tree) return fail_unknown(cli, derived, KZ__KIND__CALLTREE);
    kz_show_calltree(&cli->view, &derived->set, &moment, tree, derived->gathered.meta, &derived->out);
    kz_show_calltree_notes(&cli->view, &derived->set, tree, &derived->notes);
    return 0;
}

enum words { NO_WORD, ONE_WORD, MAYBE_WORD };

static const struct verb {
    const char *command, *name, *usage;
    enum words words;
    const char *word;      /* its name in usage */
    const char *word_kind; /* "system/juki" is accepted for "juki" */
    bool draws;            /* takes -o dot */
    bool of_moment;        /* takes --at */
    int (*run)(struct kz_cli *cli, struct derived *derived);
} verbs[] = {
    {"system", "order", "order", NO_WORD, NULL, NULL, true, false, run_order},
    {"system", "impact", "impact SYSTEM", ONE_WORD, "SYSTEM", "system", false, false, run_impact},
    {"system", "deps", "deps SYSTEM", ONE_WORD, "SYSTEM", "system", true, false, run_deps},
    {"site", "impact", "impact SITE|--area AREA", ONE_WORD, "SITE", "site", false, false, run_impact},
    {"org", "impact", "impact ORG", ONE_WORD, "ORG", "org", false, false, run_impact},
    {"contact", "impact", "impact CONTACT", ONE_WORD, "CONTACT", "contact", false, false, run_impact},
    {"contact", "tree", "tree [CALLTREE]", MAYBE_WORD, NULL, "calltree", false, true, run_tree},
    {"role", "who", "who [ROLE]", MAYBE_WORD, NULL, "role", false, true, run_who},
};
#define VERB_COUNT (sizeof verbs / sizeof verbs[0])

/* ---- the command line ---- */

static const struct verb *find_verb(const struct kz_cli *cli)
{
    const char *word = cli->words.count > 1 ? cli->words.items[1] : "";
    for (size_t i = 0; i < VERB_COUNT; i++)
        if (strcmp(verbs[i].command, cli->command->name) == 0 && strcmp(verbs[i].name, word) == 0) return &verbs[i];
    return NULL;
}

bool kz_run_derived_takes(const struct kz_cli *cli) { return find_verb(cli) != NULL; }

void kz_run_derived_verbs(struct kz_buf *out, const struct kz_command *command, bool first)
{
    for (size_t i = 0; i < VERB_COUNT; i++) {
        if (strcmp(verbs[i].command, command->name) != 0) continue;
        kz_buf_addf(out, "%s%s", first ? "" : " ", verbs[i].name);
        first = false;
    }
}

/* {1} the word, {2} the usage, {3} the command */
static int fail_usage(struct kz_cli *cli, enum kz_text_id what, const char *word)
{
    struct kz_buf usage;
    kz_buf_init(&usage, 0);
    for (size_t i = 0; i < VERB_COUNT; i++)
        if (strcmp(verbs[i].command, cli->command->name) == 0)
            kz_buf_addf(&usage, "%skeizoku %s %s", usage.size_bytes > 0 ? " | " : "", verbs[i].command, verbs[i].usage);
    int status = kz_cli_fail(cli, kz_error_new(KZ_USAGE, what, KZ_T_USAGE_IS_SECOND, KZ_T_USE_HELP_THIRD,
                                               KZ_TEXT_ARGS(word, kz_buf_text(&usage), cli->command->name)));
    kz_buf_fini(&usage);
    return status;
}

static int fail_option(struct kz_cli *cli, const struct verb *verb, const char *option)
{
    char name[64];
    snprintf(name, sizeof name, "%s %s", verb->command, verb->name);
    return kz_cli_fail(cli, kz_error_new(KZ_USAGE, KZ_T_OPTION_NOT_HERE, KZ_T_OPTION_OTHERS, KZ_T_USE_HELP_THIRD,
                                         KZ_TEXT_ARGS(option, name, cli->command->name)));
}

static int check_line(struct kz_cli *cli, const struct verb *verb)
{
    const struct kz_words *words = &cli->words;
    const char *area = cli->options.area;
    size_t most = verb->words == NO_WORD || area ? 2 : 3;
    if (area && words->count > 2)
        return kz_cli_fail(cli, kz_error_new(KZ_USAGE, KZ_T_ARGUMENT_EXTRA, KZ_T_AREA_OR_SITE, KZ_T_USE_HELP_THIRD,
                                             KZ_TEXT_ARGS(words->items[2], NULL, cli->command->name)));
    if (verb->words == ONE_WORD && !area && words->count < 3) return fail_usage(cli, KZ_T_ARGUMENT_MISSING, verb->word);
    if (words->count > most) return fail_usage(cli, KZ_T_ARGUMENT_EXTRA, words->items[most]);
    if (cli->options.at && !verb->of_moment) return fail_option(cli, verb, "--at");
    int64_t at_ms;
    if (cli->options.at && !kz_time_parse(cli->options.at, &at_ms))
        return kz_cli_fail(cli, kz_error_new(KZ_USAGE, KZ_T_BAD_MOMENT, KZ_T_MOMENT_WANTED, KZ_T_MOMENT_HINT,
                                             KZ_TEXT_ARGS("--at", cli->options.at)));
    if (cli->options.field_count > 0) {
        struct kz_buf flag;
        kz_buf_init(&flag, 0);
        kz_event_add_flag(&flag, &(struct kz_field){.name = cli->options.fields[0].name});
        int status = fail_option(cli, verb, kz_buf_text(&flag));
        kz_buf_fini(&flag);
        return status;
    }
    if (cli->view.output != KZ_OUTPUT_DOT || verb->draws) return 0;
    return kz_cli_fail(
        cli, kz_error_new(KZ_USAGE, KZ_T_DOT_NOT_HERE, KZ_T_DOT_IS_FOR, KZ_T_DOT_HINT, KZ_TEXT_ARGS(verb->name)));
}

static const char *without_kind(const char *word, const char *kind)
{
    size_t size = strlen(kind);
    return strncmp(word, kind, size) == 0 && word[size] == '/' ? word + size + 1 : word;
}

static int derive(struct kz_cli *cli, const struct verb *verb, struct derived *derived)
{
    kz_set_init(&derived->set, (const Kz__Record *const *)derived->gathered.records, derived->gathered.count);
    kz_graph_init(&derived->graph, &derived->set);
    kz_buf_init(&derived->out, 0);
    kz_buf_init(&derived->notes, 0);
    int status = verb->run(cli, derived);
    if (!status) {
        status = kz_cli_answer(cli, derived->gathered.meta, &derived->out);
        if (!cli->options.quiet && derived->notes.size_bytes > 0) kz_cli_note(cli, kz_buf_text(&derived->notes));
    }
    kz_buf_fini(&derived->notes);
    kz_buf_fini(&derived->out);
    kz_graph_fini(&derived->graph);
    kz_set_fini(&derived->set);
    return status;
}

int kz_run_derived(struct kz_cli *cli)
{
    const struct verb *verb = find_verb(cli);
    struct derived derived = {.id = NULL};
    if (!verb)
        return cli->words.count < 2 ? fail_usage(cli, KZ_T_ARGUMENT_MISSING, "VERB")
                                    : fail_usage(cli, KZ_T_UNKNOWN_VERB, cli->words.items[1]);
    int status = check_line(cli, verb);
    if (status) return status;
    if (cli->words.count > 2) derived.id = without_kind(cli->words.items[2], verb->word_kind);
    status = kz_gather_kinds(cli, kinds, KIND_COUNT, &derived.gathered);
    if (!status) status = derive(cli, verb, &derived);
    kz_gathered_fini(&derived.gathered);
    return status;
}
