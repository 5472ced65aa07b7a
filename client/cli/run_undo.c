/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/run_undo.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "client/cli/commands.h"
#include "client/cli/confirm.h"
#include "client/cli/past.h"
#include "client/cli/show_undo.h"
#include "node/base/assert.h"

#define NUMBER_TEXT_BYTES 24
#define REWIND_TIMEOUT_MS 60000 /* unless more is given: the longest a node waits with a client */

static int fail_odd(struct kz_cli *cli)
{
    return kz_cli_fail(cli,
                       kz_error_new(KZ_PROTOCOL, KZ_T_ODD_ANSWER, KZ_T_ODD_ANSWER_WHY, KZ_T_ODD_ANSWER_HINT, NULL, 0));
}

static bool is_live(const Kz__Record *record) { return record && !record->has_retired_at; }

static int fail_future(struct kz_cli *cli, uint64_t rev, uint64_t now)
{
    char wanted[NUMBER_TEXT_BYTES], present[NUMBER_TEXT_BYTES];
    snprintf(wanted, sizeof wanted, "%" PRIu64, rev);
    snprintf(present, sizeof present, "%" PRIu64, now);
    return kz_cli_fail(cli, kz_error_new(KZ_NOT_FOUND, KZ_T_REV_FUTURE, KZ_T_REV_FUTURE_WHY, KZ_T_REV_FUTURE_HINT,
                                         KZ_TEXT_ARGS(wanted, present)));
}

/* ---- one record ---- */

static int revert(struct kz_cli *cli, const Kz__Record *now, uint64_t to_rev)
{
    Kz__Mutation **mutations = kz_must_alloc(1, sizeof *mutations);
    mutations[0] = kz_cli_new_mutation(KZ__MUTATION__OP__REVERT, now->kind, now->id);
    mutations[0]->has_to_rev = mutations[0]->has_expected_rev = true;
    mutations[0]->to_rev = to_rev;
    mutations[0]->expected_rev = now->rev;
    mutations[0]->has_force = mutations[0]->force = cli->options.force;
    bool dry_run = cli->options.dry_run;
    Kz__Response *response = NULL;
    int status = kz_cli_write(cli, mutations, 1, dry_run, NULL, NULL, &response);
    if (!status) {
        if (!dry_run || !kz_show_is_json(&cli->view))
            status = kz_cli_done(cli, KZ__MUTATION__OP__REVERT, response, dry_run);
        if (dry_run) kz_cli_tell(cli, KZ_T_WOULD_REVERT, NULL, 0);
        kz__response__free_unpacked(response, NULL);
    }
    kz_cli_free_mutations(mutations, 1);
    return status;
}

/* What will be different, before it is done; `then` NULL: it will be retired. For programs one document is enough: that
 * of the outcome. */
static int show_before(struct kz_cli *cli, const Kz__Record *now, const Kz__Record *then, const Kz__Meta *meta)
{
    struct kz_undo_item item = {.now = now, .then = then};
    struct kz_undo_review review = {
        .items = &item, .count = 1, .to_rev = then ? then->rev : 0, .rev = now->rev, .meta = meta};
    struct kz_buf out;
    kz_buf_init(&out, 0);
    bool for_people = cli->view.output == KZ_OUTPUT_TABLE || cli->view.output == KZ_OUTPUT_WIDE;
    bool wanted = cli->options.dry_run || (for_people && !cli->options.quiet);
    if (wanted && then)
        kz_show_diff(&cli->view, now, then, meta, &out);
    else if (wanted && for_people)
        kz_show_line(&cli->view, &out, KZ_T_UNDO_RETIRE, KZ_TEXT_ARGS(cli->subject));
    else if (wanted)
        kz_show_undo(&cli->view, &review, &out);
    int status = kz_cli_answer(cli, meta, &out);
    kz_buf_fini(&out);
    return status;
}

int kz_run_revert(struct kz_cli *cli)
{
    struct kz_past past;
    const Kz__Change *newest = NULL, *older = NULL;
    struct kz_changes now = {0}, then = {0};
    if (!cli->options.to)
        return kz_cli_fail(cli, kz_error_new(KZ_USAGE, KZ_T_ARGUMENT_MISSING, KZ_T_USAGE_IS_SECOND, KZ_T_USE_HELP_THIRD,
                                             KZ_TEXT_ARGS("--to REV", "keizoku revert KIND ID --to REV", "revert")));
    int status = kz_past_read(cli, "--to", cli->options.to, &past);
    if (!status) status = kz_past_resolve(cli, &past);
    if (!status) status = kz_ask_change(cli, 0, &now, &newest);
    if (!status && !newest) status = fail_odd(cli);
    uint64_t rev = status || !now.page->meta ? 0 : now.page->meta->rev;
    if (!status && past.rev > rev) status = fail_future(cli, past.rev, rev);
    if (!status) status = kz_ask_change(cli, past.rev + 1, &then, &older);
    if (!status) {
        const Kz__Record *present = newest->after, *wanted = older ? older->after : NULL;
        bool gone = !is_live(present) && !is_live(wanted);
        if (!present)
            status = fail_odd(cli);
        else if (gone)
            kz_cli_tell(cli, KZ_T_REVERT_GONE, KZ_TEXT_ARGS(cli->subject));
        else
            status = show_before(cli, present, is_live(wanted) ? wanted : NULL, now.page->meta);
        if (!status && !gone) status = revert(cli, present, past.rev);
    }
    kz_changes_fini(&now);
    kz_changes_fini(&then);
    return status;
}

/* ---- everything: what has changed since ---- */

struct lost {
    char name[KZ_ID_MAX_BYTES + 2]; /* kind, as one byte, and id: also the order of the review */
    Kz__Record *then, *now;         /* owned; then NULL: it did not exist */
    UT_hash_handle hh;
};

struct review {
    struct kz_cli *cli;
    Kz__Kind kind; /* 0: all */
    uint64_t to_rev;
    uint64_t rev; /* up to which it is looked at */
    struct lost *lost;
    bool complete;
};

static Kz__Record *copy(const Kz__Record *record)
{
    Kz__Record *made = record ? kz_record_dup(record) : NULL;
    kz_assert(made || !record); /* out of memory ends a command-line program */
    return made;
}

/* A record's first change after the revision found it as it was then, its last one left it as it is. */
static void fold(struct review *review, const Kz__Change *change)
{
    const struct kz_kind *kind = kz_kind_by_number(change->kind);
    if (!kind || kind->event || (review->kind && change->kind != review->kind) || !change->after) return;
    struct lost *lost;
    char name[KZ_ID_MAX_BYTES + 2];
    snprintf(name, sizeof name, "%c%s", (char)change->kind, change->id);
    HASH_FIND_STR(review->lost, name, lost);
    if (!lost) {
        lost = kz_must_alloc(1, sizeof *lost);
        memcpy(lost->name, name, sizeof name);
        lost->then = copy(change->before);
        HASH_ADD_STR(review->lost, name, lost);
    }
    if (lost->now) kz__record__free_unpacked(lost->now, NULL);
    lost->now = copy(change->after);
}

static bool take_changes(void *data, const Kz__Response *response)
{
    struct review *review = data;
    for (size_t i = 0; i < response->n_changes; i++) {
        if (response->changes[i]->rev <= review->rev) fold(review, response->changes[i]);
        if (response->changes[i]->rev >= review->rev) review->complete = true;
    }
    return !review->complete;
}

static int compare_lost(const void *a, const void *b)
{
    const struct lost *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static void drop(struct review *review, struct lost *lost)
{
    HASH_DEL(review->lost, lost);
    if (lost->then) kz__record__free_unpacked(lost->then, NULL);
    if (lost->now) kz__record__free_unpacked(lost->now, NULL);
    free(lost);
}

static void release(struct review *review)
{
    struct lost *lost, *next;
    HASH_ITER(hh, review->lost, lost, next) drop(review, lost);
}

/* Follows the history from the revision to the present one: it takes as long as much has changed. */
static int look(struct kz_cli *cli, struct review *review)
{
    Kz__WatchRequest watch = KZ__WATCH_REQUEST__INIT;
    watch.has_from_rev = true;
    watch.from_rev = review->to_rev + 1;
    Kz__Response *refusal = NULL;
    struct kz_err err = {.code = KZ_OK};
    if (review->to_rev < review->rev) {
        enum kz_code code =
            kz_client_watch(cli->client, &watch, cli->options.timeout_ms, take_changes, review, &refusal, &err);
        struct kz_error_context context = {.role = cli->command->role};
        if (code) return kz_cli_fail(cli, kz_error_of_call(cli->client, &err, cli->options.timeout_ms, &context));
        if (refusal) {
            Kz__Error *error = refusal->error;
            refusal->error = NULL;
            kz__response__free_unpacked(refusal, NULL);
            kz_error_complete(error, &context);
            return kz_cli_fail(cli, error);
        }
    }
    struct lost *lost, *next;
    HASH_ITER(hh, review->lost, lost, next)
    if (kz_record_stands(lost->now, lost->then)) drop(review, lost);
    HASH_SORT(review->lost, compare_lost);
    return 0;
}

static struct kz_undo_item *list_items(const struct review *review, size_t *count)
{
    *count = 0;
    struct kz_undo_item *items = kz_must_alloc(HASH_COUNT(review->lost) + 1, sizeof *items);
    for (const struct lost *lost = review->lost; lost; lost = lost->hh.next)
        items[(*count)++] = (struct kz_undo_item){.now = lost->now, .then = lost->then};
    return items;
}

/* ---- everything: doing it ---- */

static bool is_wanted(const struct kz_kind *row, Kz__Kind kind)
{
    return !row->event && (!kind || row->number == kind);
}

static int rewind_all(struct kz_cli *cli, const struct kz_undo_review *review, Kz__Kind kind)
{
    size_t count, used = 0;
    const struct kz_kind *kinds = kz_kinds(&count);
    Kz__Mutation **mutations = kz_must_alloc(count, sizeof *mutations);
    for (size_t i = 0; i < count; i++) {
        if (!is_wanted(&kinds[i], kind)) continue;
        Kz__Mutation *mutation = kz_cli_new_mutation(KZ__MUTATION__OP__REWIND, kinds[i].number, KZ_REWIND_ID);
        mutation->has_to_rev = mutation->has_expected_rev = true;
        mutation->to_rev = review->to_rev;
        mutation->expected_rev = review->rev;
        mutations[used++] = mutation;
    }
    bool far = review->rev - review->to_rev > KZ_REWIND_TRY_MAX;
    cli->retires = (uint32_t)kz_undo_retires(review);
    Kz__Response *response = NULL;
    int status = cli->options.dry_run && far
                     ? 0
                     : kz_cli_write(cli, mutations, used, cli->options.dry_run, NULL, NULL, &response);
    if (!status && cli->options.dry_run) kz_cli_tell(cli, far ? KZ_T_UNDO_NOT_TRIED : KZ_T_UNDO_WOULD, NULL, 0);
    if (!status && !cli->options.dry_run) {
        char rev[NUMBER_TEXT_BYTES];
        snprintf(rev, sizeof rev, "%" PRIu64, review->rev);
        struct kz_buf out;
        kz_buf_init(&out, 0);
        kz_show_undone(&cli->view, response->outcome, review->to_rev, response->meta, &out);
        status = kz_cli_print(cli, &out);
        kz_buf_fini(&out);
        kz_cli_tell(cli, KZ_T_UNDO_AGAIN, KZ_TEXT_ARGS(rev));
    }
    if (response) kz__response__free_unpacked(response, NULL);
    kz_cli_free_mutations(mutations, used);
    return status;
}

/* The review goes to stdout when it is what was asked for, else beside the outcome. */
static int show_review(struct kz_cli *cli, const struct kz_undo_review *review)
{
    struct kz_buf out;
    struct kz_view people = cli->view;
    kz_buf_init(&out, 0);
    if (!cli->options.dry_run) people.output = KZ_OUTPUT_TABLE;
    kz_show_undo(&people, review, &out);
    int status = 0;
    if (cli->options.dry_run)
        status = kz_cli_answer(cli, review->meta, &out);
    else
        kz_cli_note(cli, kz_buf_text(&out));
    kz_buf_fini(&out);
    return status;
}

static int review_and_rewind(struct kz_cli *cli, struct review *found, const Kz__Meta *meta)
{
    struct kz_undo_review review = {.to_rev = found->to_rev, .rev = found->rev, .meta = meta};
    struct kz_undo_item *items = list_items(found, &review.count);
    review.items = items;
    int status = show_review(cli, &review);
    if (!status && review.count > 0 && !cli->options.dry_run)
        status = kz_cli_confirm(cli, meta->cluster ? meta->cluster : "");
    if (!status && review.count > 0) status = rewind_all(cli, &review, found->kind);
    free(items);
    return status;
}

/* The present revision, as fresh as was asked for; *response is the caller's. */
static int ask_present(struct kz_cli *cli, Kz__Response **response)
{
    Kz__ListRequest list = KZ__LIST_REQUEST__INIT;
    list.kind = KZ__KIND__SITE;
    list.has_limit = true;
    list.limit = 1;
    Kz__Request request = KZ__REQUEST__INIT;
    request.list = &list;
    int status = kz_cli_call(cli, &request, response);
    return !status && !(*response)->meta ? fail_odd(cli) : status;
}

/* --kind KIND: of one that changes. */
static int find_kind(struct kz_cli *cli, Kz__Kind *out)
{
    const char *name = cli->options.kind;
    *out = 0;
    if (!name) return 0;
    const struct kz_kind *kind = kz_kind_by_name(name);
    if (kind && !kind->event) {
        *out = kind->number;
        return 0;
    }
    return kz_cli_fail(cli, kz_error_new(KZ_USAGE, kind ? KZ_T_UNDO_EVENT : KZ_T_UNKNOWN_KIND,
                                         kind ? KZ_T_UNDO_EVENT_WHY : KZ_T_UNDO_KIND_WHY, KZ_T_USE_SCHEMA,
                                         KZ_TEXT_ARGS(name)));
}

int kz_run_rewind(struct kz_cli *cli, const char *option, const char *to)
{
    struct kz_past past;
    Kz__Response *present = NULL;
    struct review review = {.cli = cli};
    if (cli->options.timeout_ms < REWIND_TIMEOUT_MS) cli->options.timeout_ms = REWIND_TIMEOUT_MS;
    int status = kz_past_read(cli, option, to, &past);
    if (!status) status = find_kind(cli, &review.kind);
    if (!status) status = kz_past_resolve(cli, &past);
    if (!status) status = ask_present(cli, &present);
    if (!status && past.rev > present->meta->rev) status = fail_future(cli, past.rev, present->meta->rev);
    if (!status) {
        review.to_rev = past.rev;
        review.rev = present->meta->rev;
        status = look(cli, &review);
    }
    if (!status) status = review_and_rewind(cli, &review, present->meta);
    release(&review);
    if (present) kz__response__free_unpacked(present, NULL);
    return status;
}

int kz_run_undo(struct kz_cli *cli)
{
    if (cli->options.to) return kz_run_rewind(cli, "--to", cli->options.to);
    return kz_cli_fail(cli, kz_error_new(KZ_USAGE, KZ_T_ARGUMENT_MISSING, KZ_T_USAGE_IS_SECOND, KZ_T_USE_HELP_THIRD,
                                         KZ_TEXT_ARGS("--to REV", "keizoku undo --to REV", "undo")));
}
