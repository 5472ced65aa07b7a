/* SPDX-License-Identifier: Apache-2.0 */
/* `salvage`: export from a node that was left behind, show and apply to the present cluster. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/commands.h"
#include "client/cli/salvage_file.h"
#include "client/cli/show_salvage.h"
#include "node/base/assert.h"
#include "node/registry/event.h"
#include "node/registry/when.h"

#define NUMBER_TEXT_BYTES 24
#define USAGE "keizoku salvage export -f FILE|show FILE|apply FILE"

static int fail_usage(struct kz_cli *cli, enum kz_text_id what, const char *text)
{
    return kz_cli_fail(cli, kz_error_new(KZ_USAGE, what, KZ_T_USAGE_IS_SECOND, KZ_T_USE_HELP_THIRD,
                                         KZ_TEXT_ARGS(text, USAGE, "salvage")));
}

/* ---- export ---- */

static void take_items(struct kz_salvage *salvage, Kz__SalvageResult *result)
{
    salvage->items = kz_must_realloc(salvage->items, (salvage->count + result->n_items + 1) * sizeof *salvage->items);
    memcpy(salvage->items + salvage->count, result->items, result->n_items * sizeof *result->items);
    salvage->count += result->n_items;
    result->n_items = 0;
}

/* A page after the first must be of the node that gave the first. */
static bool is_other_node(const struct kz_salvage *salvage, const Kz__SalvageResult *result)
{
    return !result->head || (salvage->head && strcmp(salvage->head->node, result->head->node) != 0);
}

static int take_pages(struct kz_cli *cli, struct kz_salvage *salvage)
{
    uint8_t *cursor = NULL;
    size_t cursor_bytes = 0;
    int status = 0;
    for (bool more = true; more && !status;) {
        Kz__SalvageRequest ask = KZ__SALVAGE_REQUEST__INIT;
        Kz__Request request = KZ__REQUEST__INIT;
        Kz__Response *response = NULL;
        ask.has_cursor = cursor != NULL;
        ask.cursor = (ProtobufCBinaryData){cursor_bytes, cursor};
        request.salvage = &ask;
        status = kz_cli_call(cli, &request, &response);
        if (status) break;
        Kz__SalvageResult *result = response->salvage;
        if (!result || is_other_node(salvage, result)) {
            status = kz_cli_fail(
                cli, kz_error_new(KZ_PROTOCOL, KZ_T_ODD_ANSWER, KZ_T_ODD_ANSWER_WHY, KZ_T_ODD_ANSWER_HINT, NULL, 0));
        } else {
            if (!salvage->head) {
                salvage->head = result->head;
                result->head = NULL;
            }
            take_items(salvage, result);
            free(cursor);
            more = result->has_next;
            cursor_bytes = more ? result->next.len : 0;
            cursor = more ? kz_must_memdup(result->next.data, cursor_bytes) : NULL;
        }
        kz__response__free_unpacked(response, NULL);
    }
    free(cursor);
    return status;
}

static int run_export(struct kz_cli *cli)
{
    struct kz_salvage salvage = {.head = NULL};
    if (!cli->options.file) return fail_usage(cli, KZ_T_ARGUMENT_MISSING, "-f FILE");
    int status = take_pages(cli, &salvage);
    if (!status) {
        Kz__Error *error = kz_salvage_file_write(cli->options.file, &salvage);
        if (error) status = kz_cli_fail(cli, error);
    }
    if (!status) {
        char count[NUMBER_TEXT_BYTES];
        snprintf(count, sizeof count, "%zu", salvage.count);
        kz_cli_tell(cli, KZ_T_SALVAGE_EXPORTED, KZ_TEXT_ARGS(count, salvage.head->node, cli->options.file));
        if (!salvage.head->exact) kz_cli_tell(cli, KZ_T_SALVAGE_INEXACT, NULL, 0);
        kz_cli_tell(cli, KZ_T_SALVAGE_NEXT, KZ_TEXT_ARGS(cli->options.file));
    }
    kz_salvage_fini(&salvage);
    return status;
}

/* ---- against the present cluster ---- */

/* *record NULL: there is none. 0, or the status of a printed error. */
static int get_current(struct kz_cli *cli, const Kz__Change *change, Kz__Record **record)
{
    Kz__GetRequest get = KZ__GET_REQUEST__INIT;
    Kz__Request request = KZ__REQUEST__INIT;
    Kz__Response *response = NULL;
    struct kz_err err = {.code = KZ_OK};
    struct kz_error_context context = {.role = cli->command->role};
    *record = NULL;
    get.kind = change->kind;
    get.id = change->id;
    request.get = &get;
    int status = kz_cli_connect(cli);
    if (status) return status;
    if (kz_client_call(cli->client, &request, &response, &err) != KZ_OK)
        return kz_cli_fail(cli, kz_error_of_call(cli->client, &err, cli->options.timeout_ms, &context));
    if (response->error && response->error->code != KZ_NOT_FOUND) {
        Kz__Error *error = response->error;
        response->error = NULL;
        kz_error_complete(error, &context);
        status = kz_cli_fail(cli, error);
    } else if (response->n_records == 1) {
        *record = response->records[0];
        response->n_records = 0;
    }
    kz__response__free_unpacked(response, NULL);
    return status;
}

/* Calls `work` for each record of the file, with its items, their verdicts and what is stored now (taken over). */
struct group {
    struct kz_cli *cli;
    const struct kz_salvage *salvage;
    size_t *at;
    size_t count;
    enum kz_salvage_verdict *verdicts; /* of `at` */
    Kz__Record *current;               /* owned */
};
typedef int (*group_work)(struct group *group, void *data);

static int each_record(struct kz_cli *cli, const struct kz_salvage *salvage, group_work work, void *data)
{
    struct group group = {.cli = cli,
                          .salvage = salvage,
                          .at = kz_must_alloc(salvage->count + 1, sizeof *group.at),
                          .verdicts = kz_must_alloc(salvage->count + 1, sizeof *group.verdicts)};
    int status = 0;
    for (size_t i = 0; i < salvage->count && !status; i++) {
        group.count = kz_salvage_group(salvage, i, group.at);
        if (group.count == 0) continue;
        status = get_current(cli, salvage->items[i]->change, &group.current);
        if (!status) {
            kz_salvage_judge(salvage, group.at, group.count, group.current, group.verdicts);
            status = work(&group, data);
        }
        if (group.current) kz__record__free_unpacked(group.current, NULL);
        group.current = NULL;
    }
    free(group.at);
    free(group.verdicts);
    return status;
}

/* ---- show ---- */

struct shown {
    struct kz_salvage_rows rows;
    size_t counts[KZ_SALVAGE_BY_HAND + 1];
};

static int show_group(struct group *group, void *data)
{
    struct shown *shown = data;
    for (size_t i = 0; i < group->count; i++) {
        kz_salvage_rows_add(&shown->rows, group->salvage->items[group->at[i]], group->verdicts[i], group->current);
        shown->counts[group->verdicts[i]]++;
    }
    return 0;
}

static void tell_counts(struct kz_cli *cli, enum kz_text_id text, const size_t *counts)
{
    char texts[KZ_SALVAGE_BY_HAND + 1][NUMBER_TEXT_BYTES];
    for (size_t i = 0; i <= KZ_SALVAGE_BY_HAND; i++)
        snprintf(texts[i], sizeof texts[i], "%zu", counts[i]);
    kz_cli_tell(cli, text,
                KZ_TEXT_ARGS(texts[KZ_SALVAGE_APPLY], texts[KZ_SALVAGE_THERE], texts[KZ_SALVAGE_CONFLICT],
                             texts[KZ_SALVAGE_BY_HAND]));
}

static int run_show(struct kz_cli *cli, const struct kz_salvage *salvage)
{
    struct shown shown = {.counts = {0}};
    kz_salvage_rows_begin(&shown.rows, &cli->view, salvage->head);
    int status = each_record(cli, salvage, show_group, &shown);
    struct kz_buf *out = kz_salvage_rows_end(&shown.rows);
    if (!status) status = kz_cli_print(cli, out);
    if (!status) tell_counts(cli, KZ_T_SALVAGE_COUNTS, shown.counts);
    kz_salvage_rows_fini(&shown.rows);
    return status;
}

/* ---- apply ---- */

/* What people set; who did it, when and under which revision is said in the reason, because the proposal is ours. */
static Kz__Record *make_proposal(const Kz__Record *after)
{
    Kz__Record *record = kz_record_dup(after);
    kz_assert(record != NULL);
    record->has_rev = record->has_created_at = record->has_updated_at = 0;
    record->has_verified_at = record->has_retired_at = 0;
    char **texts[] = {&record->created_by, &record->updated_by, &record->verified_by, &record->reason};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        free(*texts[i]);
        *texts[i] = NULL;
    }
    return record;
}

static char *make_reason(const struct kz_salvage *salvage, const Kz__Change *change)
{
    struct kz_buf text, time;
    kz_buf_init(&text, 0);
    kz_buf_init(&time, 0);
    kz_time_format(&time, change->time_ms - change->time_ms % 1000);
    kz_buf_addf(&text, "salvage: %s %s (node %s, epoch %" PRIu64 ")", change->actor, kz_buf_text(&time),
                salvage->head->node, salvage->head->epoch);
    if (change->reason && change->reason[0]) kz_buf_addf(&text, ": %s", change->reason);
    char *reason = kz_must_strdup(kz_buf_text(&text));
    size_t length = strlen(reason);
    if (length > KZ_REASON_MAX_BYTES) {
        length = KZ_REASON_MAX_BYTES;
        while (length > 0 && ((unsigned char)reason[length] & 0xc0) == 0x80) /* not inside a character */
            length--;
        reason[length] = '\0';
    }
    kz_buf_fini(&text);
    kz_buf_fini(&time);
    return reason;
}

static int send_event(struct kz_cli *cli, const Kz__Change *change, char *reason)
{
    Kz__SalvageRequest ask = KZ__SALVAGE_REQUEST__INIT;
    Kz__Request request = KZ__REQUEST__INIT;
    Kz__Response *response = NULL;
    ask.event = change->after;
    ask.reason = reason;
    request.salvage = &ask;
    int status = kz_cli_call(cli, &request, &response);
    if (!status) kz__response__free_unpacked(response, NULL);
    return status;
}

/* *rev: the stored revision, which the next change of this record builds on. */
static int send_change(struct kz_cli *cli, const Kz__Change *change, char *reason, uint64_t *rev)
{
    bool retires = change->op == KZ__MUTATION__OP__RETIRE || (change->after && change->after->has_retired_at);
    Kz__Mutation **mutations = kz_must_alloc(1, sizeof *mutations);
    mutations[0] =
        kz_cli_new_mutation(retires ? KZ__MUTATION__OP__RETIRE : KZ__MUTATION__OP__PUT, change->kind, change->id);
    mutations[0]->has_expected_rev = true;
    mutations[0]->expected_rev = *rev;
    mutations[0]->record = retires ? NULL : make_proposal(change->after);
    char *given = cli->options.reason;
    Kz__Response *response = NULL;
    cli->options.reason = reason;
    int status = kz_cli_write(cli, mutations, 1, cli->options.dry_run, NULL, NULL, &response);
    cli->options.reason = given;
    if (!status) {
        if (response->outcome->n_changed == 1) *rev = retires ? 0 : response->outcome->changed[0]->rev;
        kz__response__free_unpacked(response, NULL);
    }
    if (mutations[0]->record) kz__record__free_unpacked(mutations[0]->record, NULL);
    kz_cli_free_mutations(mutations, 1);
    return status;
}

/* A record that is refused is shown and left; the others go on. */
static int apply_group(struct group *group, void *data)
{
    struct shown *shown = data;
    struct kz_cli *cli = group->cli;
    bool live = group->current && !group->current->has_retired_at, stuck = false;
    uint64_t rev = live ? group->current->rev : 0;
    for (size_t i = 0; i < group->count; i++) {
        const Kz__SalvageItem *item = group->salvage->items[group->at[i]];
        enum kz_salvage_verdict verdict = group->verdicts[i];
        if (verdict == KZ_SALVAGE_APPLY && !stuck && !cli->options.dry_run) {
            cli->kind = kz_kind_by_number(item->change->kind);
            if (cli->kind) kz_cli_set_subject(cli, item->change->id);
            char *reason = make_reason(group->salvage, item->change);
            stuck = (kz_kind_is_event(item->change->kind) ? send_event(cli, item->change, reason)
                                                          : send_change(cli, item->change, reason, &rev)) != 0;
            free(reason);
        }
        if (stuck && verdict == KZ_SALVAGE_APPLY) verdict = KZ_SALVAGE_CONFLICT;
        if (verdict != KZ_SALVAGE_THERE) kz_salvage_rows_add(&shown->rows, item, verdict, group->current);
        shown->counts[verdict]++;
    }
    return 0;
}

static int run_apply(struct kz_cli *cli, const struct kz_salvage *salvage)
{
    struct shown shown = {.counts = {0}};
    if (cli->options.read == KZ__READ_MODE__AUTO) cli->options.read = KZ__READ_MODE__LINEARIZABLE;
    kz_salvage_rows_begin(&shown.rows, &cli->view, salvage->head);
    int status = each_record(cli, salvage, apply_group, &shown);
    struct kz_buf *out = kz_salvage_rows_end(&shown.rows);
    int printed = kz_cli_print(cli, out);
    tell_counts(cli, cli->options.dry_run ? KZ_T_SALVAGE_COUNTS : KZ_T_SALVAGE_APPLIED, shown.counts);
    kz_salvage_rows_fini(&shown.rows);
    if (status || printed) return status ? status : printed;
    return shown.counts[KZ_SALVAGE_CONFLICT] ? kz_code_exit_status(KZ_CONFLICT) : 0;
}

int kz_run_salvage(struct kz_cli *cli)
{
    struct kz_salvage salvage;
    const char *verb = cli->words.count > 1 ? cli->words.items[1] : NULL;
    const char *path = cli->words.count > 2 ? cli->words.items[2] : NULL;
    if (!verb) return fail_usage(cli, KZ_T_ARGUMENT_MISSING, "export|show|apply");
    bool exports = strcmp(verb, "export") == 0, shows = strcmp(verb, "show") == 0;
    if (!exports && !shows && strcmp(verb, "apply") != 0) return fail_usage(cli, KZ_T_UNKNOWN_VERB, verb);
    if (cli->words.count > (exports ? 2 : 3))
        return fail_usage(cli, KZ_T_ARGUMENT_EXTRA, cli->words.items[exports ? 2 : 3]);
    if (exports) return run_export(cli);
    if (!path) path = cli->options.file;
    if (!path) return fail_usage(cli, KZ_T_ARGUMENT_MISSING, "FILE");
    Kz__Error *error = kz_salvage_file_read(path, &salvage);
    if (error) return kz_cli_fail(cli, error);
    int status = shows ? run_show(cli, &salvage) : run_apply(cli, &salvage);
    kz_salvage_fini(&salvage);
    return status;
}
