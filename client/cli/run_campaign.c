/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/run_campaign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/commands.h"
#include "client/cli/gather.h"
#include "client/cli/show_campaign.h"
#include "node/base/assert.h"
#include "node/registry/when.h"

#define JAPAN_OFFSET_MS (INT64_C(9) * 60 * 60 * 1000)
#define KINDS_MAX 40
#define USAGE_START "keizoku verify campaign start [ID] --kind KIND --due DATE [--owner ORG,...]"
#define USAGE_LIST "keizoku verify campaign list"
#define USAGE_ID "keizoku verify campaign show|close ID"

/* Today, in Japan. */
static void format_today(char out[KZ_DATE_BYTES])
{
    struct kz_buf text;
    kz_buf_init(&text, 0);
    kz_time_format(&text, kz_cli_now_ms()); /* 2026-01-17T05:46:12+09:00 */
    snprintf(out, KZ_DATE_BYTES, "%.10s", kz_buf_text(&text));
    kz_buf_fini(&text);
}

static int fail_usage(struct kz_cli *cli, enum kz_text_id what, const char *word, const char *usage)
{
    return kz_cli_fail(cli, kz_error_new(KZ_USAGE, what, KZ_T_USAGE_IS_SECOND, KZ_T_CAMPAIGN_HINT,
                                         KZ_TEXT_ARGS(word, usage, "verify campaign")));
}

/* ---- start, close ---- */

static bool add(Kz__Record *record, const char *name, const char *text)
{
    const struct kz_field *fields = kz_kind_by_number(KZ__KIND__CAMPAIGN)->fields;
    return kz_value_parse(kz_record_body(record), kz_field_by_name(fields, name), text) == NULL;
}

static int put(struct kz_cli *cli, Kz__Record *record, uint64_t expected_rev)
{
    Kz__Mutation *mutation = kz_cli_new_mutation(KZ__MUTATION__OP__PUT, KZ__KIND__CAMPAIGN, record->id);
    Kz__Response *response = NULL;
    kz_cli_set_subject(cli, record->id);
    mutation->record = record;
    mutation->has_expected_rev = true;
    mutation->expected_rev = expected_rev;
    Kz__Mutation **mutations = kz_must_memdup(&mutation, sizeof mutation);
    int status = kz_cli_write(cli, mutations, 1, false, NULL, NULL, &response);
    if (!status) {
        status = kz_cli_done(cli, KZ__MUTATION__OP__PUT, response, false);
        kz__response__free_unpacked(response, NULL);
    }
    kz_cli_free_mutations(mutations, 1);
    return status;
}

static bool add_owners(Kz__Record *record, const char *owners)
{
    bool fine = true;
    while (owners && *owners && fine) {
        size_t length = strcspn(owners, ",");
        char *owner = kz_must_strdup(owners);
        owner[length] = '\0';
        fine = add(record, "owners", strncmp(owner, "org/", 4) == 0 ? owner + 4 : owner);
        free(owner);
        owners += owners[length] ? length + 1 : length;
    }
    return fine;
}

static int run_start(struct kz_cli *cli, const char *id)
{
    const struct kz_options *options = &cli->options;
    const struct kz_kind *kind = options->kind ? kz_kind_by_name(options->kind) : NULL;
    char today[KZ_DATE_BYTES], due[KZ_DATE_BYTES];
    if (!options->kind) return fail_usage(cli, KZ_T_ARGUMENT_MISSING, "--kind KIND", USAGE_START);
    if (!kind || kind->event)
        return kz_cli_fail(cli, kz_error_new(KZ_USAGE, kind ? KZ_T_CAMPAIGN_EVENT : KZ_T_UNKNOWN_KIND,
                                             KZ_T_UNDO_KIND_WHY, KZ_T_USE_SCHEMA, KZ_TEXT_ARGS(options->kind)));
    if (!options->due) return fail_usage(cli, KZ_T_ARGUMENT_MISSING, "--due DATE", USAGE_START);
    if (!kz_date_parse(options->due, due))
        return kz_cli_fail(cli, kz_error_new(KZ_USAGE, KZ_T_CAMPAIGN_DATE, KZ_T_CAMPAIGN_DATE_WHY,
                                             KZ_T_CAMPAIGN_DATE_HINT, KZ_TEXT_ARGS(options->due)));
    struct kz_buf made, title;
    kz_buf_init(&made, 0);
    kz_buf_init(&title, 0);
    format_today(today);
    kz_buf_addf(&made, "%s-%s", kind->name, today);
    const char *named = id ? id : kz_buf_text(&made);
    kz_text_fill(&title, KZ_T_CAMPAIGN_TITLE, cli->view.japanese,
                 KZ_TEXT_ARGS(cli->view.japanese ? kind->label.ja : kind->label.en, due));
    Kz__Record *record = kz_record_new(KZ__KIND__CAMPAIGN, named);
    kz_assert(record != NULL);
    bool fine = add(record, "title", kz_buf_text(&title)) && add(record, "target", kind->name) &&
                add(record, "started_on", today) && add(record, "due", due) && add_owners(record, options->owner);
    int status = fine ? put(cli, record, 0) : fail_usage(cli, KZ_T_ARGUMENT_EXTRA, options->owner, USAGE_START);
    if (!status) kz_cli_tell(cli, KZ_T_CAMPAIGN_STARTED, KZ_TEXT_ARGS(named));
    kz__record__free_unpacked(record, NULL);
    kz_buf_fini(&made);
    kz_buf_fini(&title);
    return status;
}

static int run_close(struct kz_cli *cli, const char *id)
{
    Kz__GetRequest get = KZ__GET_REQUEST__INIT;
    Kz__Request request = KZ__REQUEST__INIT;
    Kz__Response *response = NULL;
    char today[KZ_DATE_BYTES];
    get.kind = KZ__KIND__CAMPAIGN;
    get.id = (char *)(uintptr_t)id; /* packed only */
    request.get = &get;
    kz_cli_set_subject(cli, id);
    int status = kz_cli_call(cli, &request, &response);
    if (status) return status;
    Kz__Record *record = response->n_records == 1 ? response->records[0] : NULL;
    format_today(today);
    if (!record || !record->campaign)
        status = kz_cli_fail_odd(cli);
    else if (record->campaign->closed_on && record->campaign->closed_on[0])
        kz_cli_tell(cli, KZ_T_CAMPAIGN_CLOSED, KZ_TEXT_ARGS(record->campaign->closed_on));
    else
        status = add(record, "closed_on", today) ? put(cli, record, record->rev) : kz_cli_fail_odd(cli);
    kz__response__free_unpacked(response, NULL);
    return status;
}

/* ---- list, show ---- */

/* Campaigns, the records they are about, and what says whose those are: all of one revision. */
static int gather(struct kz_cli *cli, struct kz_gathered *out)
{
    static const Kz__Kind campaign[] = {KZ__KIND__CAMPAIGN};
    Kz__Kind kinds[KINDS_MAX] = {KZ__KIND__CAMPAIGN, KZ__KIND__ORG, KZ__KIND__SYSTEM};
    size_t count = 3;
    struct kz_gathered campaigns;
    int status = kz_gather_kinds(cli, campaign, 1, &campaigns);
    for (size_t i = 0; !status && i < campaigns.count && count < KINDS_MAX; i++) {
        const struct kz_kind *kind = kz_kind_by_name(campaigns.records[i]->campaign->target);
        bool known = kind == NULL;
        for (size_t j = 0; j < count && !known; j++)
            known = kinds[j] == kind->number;
        if (!known) kinds[count++] = kind->number;
    }
    kz_gathered_fini(&campaigns);
    *out = (struct kz_gathered){0};
    return status ? status : kz_gather_kinds(cli, kinds, count, out);
}

/* `id` NULL: the list. */
static int run_show(struct kz_cli *cli, const char *id)
{
    struct kz_gathered gathered;
    struct kz_set set;
    struct kz_buf out;
    int status = gather(cli, &gathered);
    if (status) {
        kz_gathered_fini(&gathered);
        return status;
    }
    kz_set_init(&set, (const Kz__Record *const *)gathered.records, gathered.count);
    kz_buf_init(&out, 0);
    const Kz__Record *record = kz_set_find(&set, KZ__KIND__CAMPAIGN, id);
    if (id && !record) {
        status = kz_cli_fail(cli, kz_error_new(KZ_NOT_FOUND, KZ_T_CAMPAIGN_UNKNOWN, KZ_T_CAMPAIGN_UNKNOWN_WHY,
                                               KZ_T_CAMPAIGN_HINT, KZ_TEXT_ARGS(id)));
    } else {
        if (record)
            kz_show_campaign(&cli->view, &set, record, gathered.meta, &out);
        else
            kz_show_campaigns(&cli->view, &set, gathered.meta, &out);
        status = kz_cli_answer(cli, gathered.meta, &out);
    }
    kz_buf_fini(&out);
    kz_set_fini(&set);
    kz_gathered_fini(&gathered);
    return status;
}

static const struct verb {
    const char *name, *usage;
    size_t least, most; /* words after it */
    int (*run)(struct kz_cli *cli, const char *id);
} verbs[] = {
    {"start", USAGE_START, 0, 1, run_start},
    {"list", USAGE_LIST, 0, 0, run_show},
    {"show", USAGE_ID, 1, 1, run_show},
    {"close", USAGE_ID, 1, 1, run_close},
};

static const struct verb *find_verb(const char *word)
{
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(verbs[i].name, word) == 0) return &verbs[i];
    return NULL;
}

bool kz_campaign_verb(const char *word) { return find_verb(word) != NULL; }
const char *kz_campaign_verbs(void) { return "start list show close"; }

/* verify campaign VERB [ID] */
int kz_run_campaign(struct kz_cli *cli)
{
    const struct kz_words *words = &cli->words;
    const struct verb *verb = words->count > 2 ? find_verb(words->items[2]) : NULL;
    cli->kind = kz_kind_by_number(KZ__KIND__CAMPAIGN);
    if (!verb) return fail_usage(cli, KZ_T_ARGUMENT_MISSING, "VERB", USAGE_START " | " USAGE_LIST " | " USAGE_ID);
    size_t after = words->count - 3;
    if (after < verb->least) return fail_usage(cli, KZ_T_ARGUMENT_MISSING, "ID", verb->usage);
    if (after > verb->most) return fail_usage(cli, KZ_T_ARGUMENT_EXTRA, words->items[3 + verb->most], verb->usage);
    const char *id = after > 0 ? words->items[3] : NULL;
    if (id && strncmp(id, "campaign/", 9) == 0) id += 9;
    if (id && !kz_id_valid(id))
        return kz_cli_fail(cli, kz_error_new(KZ_USAGE, KZ_T_BAD_ID, KZ_T_ID_RULE, KZ_T_HINT_LIST_SECOND,
                                             KZ_TEXT_ARGS(id, "campaign")));
    return verb->run(cli, id);
}
