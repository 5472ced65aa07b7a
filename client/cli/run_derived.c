/* SPDX-License-Identifier: Apache-2.0 */
/* `system order`, `system impact`, `site impact`: records are fetched, the rest is computed here (node/registry). */
#include <string.h>

#include "client/cli/commands.h"
#include "client/cli/gather.h"
#include "client/cli/show_derived.h"
#include "node/registry/settings.h"

static const Kz__Kind kinds[] = {KZ__KIND__SITE,     KZ__KIND__ORG,    KZ__KIND__CONTACT, KZ__KIND__ROLE,
                                 KZ__KIND__FUNCTION, KZ__KIND__SYSTEM, KZ__KIND__RUNBOOK, KZ__KIND__CALLTREE,
                                 KZ__KIND__BACKUP,   KZ__KIND__SETTING};
#define KIND_COUNT (sizeof kinds / sizeof kinds[0])

struct derived {
    struct kz_gathered gathered;
    struct kz_set set;
    struct kz_graph graph;
};

static int run_order(struct kz_cli *cli, struct derived *derived, const char *id)
{
    size_t count;
    struct kz_setting_value teams;
    struct kz_order order;
    struct kz_buf out, notes;
    (void)id; /* all systems */
    const Kz__Record *const *settings = kz_set_kind(&derived->set, KZ__KIND__SETTING, &count);
    kz_setting_get(settings, count, "recovery.teams", &teams);
    kz_order_init(&order, &derived->graph, &(struct kz_order_options){.teams = (size_t)teams.number});
    kz_buf_init(&out, 0);
    kz_buf_init(&notes, 0);
    kz_show_order(&cli->view, &derived->graph, &order, derived->gathered.meta, &out);
    int status = kz_cli_answer(cli, derived->gathered.meta, &out);
    kz_show_order_notes(&cli->view, &derived->graph, &order, &notes);
    if (!cli->options.quiet && notes.size_bytes > 0) kz_cli_note(cli, kz_buf_text(&notes));
    kz_buf_fini(&out);
    kz_buf_fini(&notes);
    kz_order_fini(&order);
    return status;
}

static int show_impact(struct kz_cli *cli, struct derived *derived, Kz__Kind kind, const char *id)
{
    struct kz_impact impact;
    struct kz_buf out;
    if (!kz_impact_of_record(&impact, &derived->set, &derived->graph, kind, id))
        return kz_cli_fail(cli, kz_error_new(KZ_NOT_FOUND, KZ_T_IMPACT_UNKNOWN, KZ_T_IMPACT_UNKNOWN_WHY,
                                             KZ_T_IMPACT_UNKNOWN_HINT, KZ_TEXT_ARGS(id, kz_show_kind(kind))));
    kz_buf_init(&out, 0);
    kz_show_impact(&cli->view, &impact, derived->gathered.meta, &out);
    int status = kz_cli_answer(cli, derived->gathered.meta, &out);
    kz_buf_fini(&out);
    kz_impact_fini(&impact);
    return status;
}

static int run_system_impact(struct kz_cli *cli, struct derived *derived, const char *id)
{
    return show_impact(cli, derived, KZ__KIND__SYSTEM, id);
}

static int run_site_impact(struct kz_cli *cli, struct derived *derived, const char *id)
{
    return show_impact(cli, derived, KZ__KIND__SITE, id);
}

static const struct verb {
    const char *command, *name, *usage;
    bool takes_id;
    int (*run)(struct kz_cli *cli, struct derived *derived, const char *id);
} verbs[] = {
    {"system", "order", "order", false, run_order},
    {"system", "impact", "impact SYSTEM", true, run_system_impact},
    {"site", "impact", "impact SITE", true, run_site_impact},
};
#define VERB_COUNT (sizeof verbs / sizeof verbs[0])

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

static const char *without_kind(const char *word, const char *kind)
{
    size_t size = strlen(kind);
    return strncmp(word, kind, size) == 0 && word[size] == '/' ? word + size + 1 : word;
}

static int run(struct kz_cli *cli)
{
    const struct kz_words *words = &cli->words;
    const struct verb *verb = NULL;
    struct derived derived;
    if (words->count < 2) return fail_usage(cli, KZ_T_ARGUMENT_MISSING, "VERB");
    for (size_t i = 0; i < VERB_COUNT; i++)
        if (strcmp(verbs[i].command, cli->command->name) == 0 && strcmp(verbs[i].name, words->items[1]) == 0)
            verb = &verbs[i];
    if (!verb) return fail_usage(cli, KZ_T_UNKNOWN_VERB, words->items[1]);
    size_t wanted = verb->takes_id ? 3 : 2;
    if (words->count < wanted) return fail_usage(cli, KZ_T_ARGUMENT_MISSING, "ID");
    if (words->count > wanted) return fail_usage(cli, KZ_T_ARGUMENT_EXTRA, words->items[wanted]);
    int status = kz_gather_kinds(cli, kinds, KIND_COUNT, &derived.gathered);
    if (!status) {
        kz_set_init(&derived.set, (const Kz__Record *const *)derived.gathered.records, derived.gathered.count);
        kz_graph_init(&derived.graph, &derived.set);
        status = verb->run(cli, &derived, verb->takes_id ? without_kind(words->items[2], verb->command) : NULL);
        kz_graph_fini(&derived.graph);
        kz_set_fini(&derived.set);
    }
    kz_gathered_fini(&derived.gathered);
    return status;
}

int kz_run_system(struct kz_cli *cli) { return run(cli); }
int kz_run_site(struct kz_cli *cli) { return run(cli); }
