/* SPDX-License-Identifier: Apache-2.0 */
/* The commands that read: status, list, get, history, diff, watch. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/cache.h"
#include "client/cli/commands.h"
#include "client/cli/past.h"
#include "node/base/assert.h"

#define HISTORY_PAGE 200u
#define NUMBER_TEXT_BYTES 24

int kz_run_status(struct kz_cli *cli)
{
    Kz__StatusRequest ask = KZ__STATUS_REQUEST__INIT;
    Kz__Request request = KZ__REQUEST__INIT;
    request.status = &ask;
    Kz__Response *response = NULL;
    int status = kz_cli_call(cli, &request, &response);
    if (status) return status;
    if (response->status && response->meta) {
        struct kz_buf out;
        kz_buf_init(&out, 0);
        kz_show_status(&cli->view, response, &out);
        status = kz_cli_answer(cli, response->meta, &out);
        kz_buf_fini(&out);
    } else {
        status = kz_cli_fail_odd(cli);
    }
    kz__response__free_unpacked(response, NULL);
    return status;
}

/* ---- pages put together ---- */

/* Records and changes of several answers; the meta of the least fresh one speaks for all. */
struct gathered {
    Kz__Response **pages;
    size_t page_count;
    Kz__Record **records; /* borrowed from the pages */
    size_t record_count;
    Kz__Change **changes;
    size_t change_count;
    const Kz__Meta *meta;
};

static void gather(struct gathered *gathered, Kz__Response *page)
{
    gathered->pages = kz_must_realloc(gathered->pages, (gathered->page_count + 1) * sizeof *gathered->pages);
    gathered->pages[gathered->page_count++] = page;
    size_t records = gathered->record_count + page->n_records, changes = gathered->change_count + page->n_changes;
    gathered->records = kz_must_realloc(gathered->records, (records + 1) * sizeof *gathered->records);
    gathered->changes = kz_must_realloc(gathered->changes, (changes + 1) * sizeof *gathered->changes);
    for (size_t i = 0; i < page->n_records; i++)
        gathered->records[gathered->record_count++] = page->records[i];
    for (size_t i = 0; i < page->n_changes; i++)
        gathered->changes[gathered->change_count++] = page->changes[i];
    bool less_fresh = page->meta && page->meta->read == KZ__READ_MODE__LOCAL;
    if (!gathered->meta || less_fresh) gathered->meta = page->meta;
}

static void release(struct gathered *gathered)
{
    for (size_t i = 0; i < gathered->page_count; i++)
        kz__response__free_unpacked(gathered->pages[i], NULL);
    free(gathered->pages);
    free(gathered->records);
    free(gathered->changes);
}

/* ---- list, get ---- */

/* A node that does not know the question would answer with the present. */
static int check_past(struct kz_cli *cli, const Kz__Response *page)
{
    return cli->options.as_of && !(page->meta && page->meta->has_as_of_rev) ? kz_cli_fail_odd(cli) : 0;
}

static int read_past(struct kz_cli *cli, struct kz_past *past)
{
    *past = (struct kz_past){.by_time = false};
    return cli->options.as_of ? kz_past_read(cli, "--as-of", cli->options.as_of, past) : 0;
}

static int gather_list(struct kz_cli *cli, struct gathered *gathered)
{
    const char *after = NULL;
    struct kz_past past;
    int wrong = read_past(cli, &past);
    if (wrong) return wrong;
    for (;;) {
        Kz__ListRequest list = KZ__LIST_REQUEST__INIT;
        list.kind = cli->kind->number;
        list.after = (char *)(uintptr_t)after;
        list.has_limit = true;
        list.limit = KZ_PAGE_MAX;
        list.has_retired = list.retired = cli->options.retired;
        list.has_as_of_rev = cli->options.as_of && !past.by_time;
        list.as_of_rev = past.rev;
        list.has_as_of_ms = past.by_time;
        list.as_of_ms = past.time_ms;
        Kz__Request request = KZ__REQUEST__INIT;
        request.list = &list;
        Kz__Response *page = NULL;
        int status = kz_cli_call(cli, &request, &page);
        if (status) return status;
        gather(gathered, page);
        status = check_past(cli, page);
        if (status) return status;
        if (past.by_time) past = (struct kz_past){.rev = page->meta->as_of_rev}; /* every page of the same state */
        /* A node that names a "next" it has named before would keep us here for ever. */
        if (!page->next || !*page->next || (after && strcmp(page->next, after) <= 0)) return 0;
        after = page->next;
    }
}

int kz_run_list(struct kz_cli *cli)
{
    struct gathered gathered = {0};
    int status = gather_list(cli, &gathered);
    if (!status) {
        struct kz_buf out;
        kz_buf_init(&out, 0);
        kz_show_records(&cli->view, cli->kind->number, gathered.records, gathered.record_count, gathered.meta, &out);
        status = kz_cli_answer(cli, gathered.meta, &out);
        kz_buf_fini(&out);
        kz_cache_write_ids(cli->get, cli->get_data, cli->kind, gathered.records, gathered.record_count);
    }
    release(&gathered);
    return status;
}

static int gather_get(struct kz_cli *cli, struct gathered *gathered)
{
    struct kz_past past;
    int wrong = read_past(cli, &past);
    if (wrong) return wrong;
    for (size_t i = 0; i < cli->id_count; i++) {
        Kz__GetRequest get = KZ__GET_REQUEST__INIT;
        get.kind = cli->kind->number;
        get.id = (char *)(uintptr_t)cli->ids[i];
        get.has_as_of_rev = cli->options.as_of && !past.by_time;
        get.as_of_rev = past.rev;
        get.has_as_of_ms = past.by_time;
        get.as_of_ms = past.time_ms;
        Kz__Request request = KZ__REQUEST__INIT;
        request.get = &get;
        kz_cli_set_subject(cli, cli->ids[i]);
        Kz__Response *page = NULL;
        int status = kz_cli_call(cli, &request, &page);
        if (status) return status;
        gather(gathered, page);
        status = check_past(cli, page);
        if (status) return status;
        if (page->n_records != 1) return kz_cli_fail_odd(cli);
    }
    return 0;
}

int kz_run_get(struct kz_cli *cli)
{
    struct gathered gathered = {0};
    int status = gather_get(cli, &gathered);
    if (!status) {
        struct kz_buf out;
        kz_buf_init(&out, 0);
        if (gathered.record_count == 1)
            kz_show_record(&cli->view, gathered.records[0], gathered.meta, &out);
        else
            kz_show_records(&cli->view, cli->kind->number, gathered.records, gathered.record_count, gathered.meta,
                            &out);
        status = kz_cli_answer(cli, gathered.meta, &out);
        kz_buf_fini(&out);
    }
    release(&gathered);
    return status;
}

/* ---- history, diff ---- */

static int ask_history(struct kz_cli *cli, uint64_t before_rev, uint32_t limit, Kz__Response **page)
{
    Kz__HistoryRequest history = KZ__HISTORY_REQUEST__INIT;
    history.kind = cli->kind->number;
    history.id = (char *)(uintptr_t)cli->ids[0];
    history.has_before_rev = before_rev > 0;
    history.before_rev = before_rev;
    history.has_limit = true;
    history.limit = limit;
    Kz__Request request = KZ__REQUEST__INIT;
    request.history = &history;
    return kz_cli_call(cli, &request, page);
}

int kz_ask_change(struct kz_cli *cli, uint64_t before_rev, struct kz_changes *out, const Kz__Change **change)
{
    int status = ask_history(cli, before_rev, 1, &out->page);
    *change = !status && out->page->n_changes > 0 ? out->page->changes[0] : NULL;
    return status;
}

void kz_changes_fini(struct kz_changes *changes)
{
    if (changes->page) kz__response__free_unpacked(changes->page, NULL);
    changes->page = NULL;
}

int kz_run_history(struct kz_cli *cli)
{
    struct gathered gathered = {0};
    uint64_t before_rev = 0;
    int status = 0;
    for (;;) {
        Kz__Response *page = NULL;
        status = ask_history(cli, before_rev, HISTORY_PAGE, &page);
        if (status) break;
        gather(&gathered, page);
        if (!page->has_next_rev || page->next_rev == 0 || page->n_changes == 0) break;
        if (before_rev && page->next_rev >= before_rev) break; /* as in gather_list */
        before_rev = page->next_rev;
    }
    if (!status) {
        struct kz_buf out;
        kz_buf_init(&out, 0);
        kz_show_history(&cli->view, gathered.changes, gathered.change_count, gathered.meta, &out);
        status = kz_cli_answer(cli, gathered.meta, &out);
        kz_buf_fini(&out);
    }
    release(&gathered);
    return status;
}

/* The newest change at or below `*rev`; NULL: the newest of all. */
static int find_change(struct kz_cli *cli, const uint64_t *rev, struct gathered *gathered, const Kz__Change **change)
{
    Kz__Response *page = NULL;
    int status = ask_history(cli, rev ? *rev + 1 : 0, 1, &page);
    if (status) return status;
    gather(gathered, page);
    if (page->n_changes > 0) {
        *change = page->changes[0];
        return 0;
    }
    char text[NUMBER_TEXT_BYTES];
    snprintf(text, sizeof text, "%" PRIu64, rev ? *rev : page->meta ? page->meta->rev : 0);
    return kz_cli_fail(cli, kz_error_new(KZ_NOT_FOUND, KZ_T_NO_HISTORY, KZ_T_NO_HISTORY_WHY, KZ_T_NO_HISTORY_HINT,
                                         KZ_TEXT_ARGS(cli->subject, text)));
}

int kz_run_diff(struct kz_cli *cli)
{
    struct gathered gathered = {0};
    const Kz__Change *older = NULL, *newer = NULL;
    int status = find_change(cli, cli->rev_count == 2 ? &cli->revs[1] : NULL, &gathered, &newer);
    if (!status && cli->rev_count > 0) status = find_change(cli, &cli->revs[0], &gathered, &older);
    if (!status) {
        const Kz__Record *before = cli->rev_count > 0 ? older->after : newer->before;
        struct kz_buf out;
        kz_buf_init(&out, 0);
        if (before || newer->after) kz_show_diff(&cli->view, before, newer->after, gathered.meta, &out);
        status = kz_cli_answer(cli, gathered.meta, &out);
        kz_buf_fini(&out);
    }
    release(&gathered);
    return status;
}

/* ---- watch ---- */

static bool print_changes(void *data, const Kz__Response *response)
{
    struct kz_cli *cli = data;
    struct kz_buf out;
    kz_buf_init(&out, 0);
    for (size_t i = 0; i < response->n_changes; i++)
        kz_show_change(&cli->view, response->changes[i], &out);
    bool written = kz_cli_print(cli, &out) == 0;
    kz_buf_fini(&out);
    if (response->has_resync && response->resync) {
        char rev[NUMBER_TEXT_BYTES];
        snprintf(rev, sizeof rev, "%" PRIu64, response->next_rev);
        struct kz_buf line;
        kz_buf_init(&line, 0);
        kz_show_line(&cli->view, &line, KZ_T_WATCH_RESYNC, KZ_TEXT_ARGS(rev));
        kz_cli_note(cli, kz_buf_text(&line));
        kz_buf_fini(&line);
    }
    return written;
}

/* Whether anything answers at all is found out first, with its proper error; after that a watch waits for ever. */
static int check_reachable(struct kz_cli *cli)
{
    Kz__StatusRequest ask = KZ__STATUS_REQUEST__INIT;
    Kz__Request request = KZ__REQUEST__INIT;
    request.status = &ask;
    Kz__Response *response = NULL;
    int status = kz_cli_call(cli, &request, &response);
    if (!status) kz__response__free_unpacked(response, NULL);
    return status;
}

int kz_run_watch(struct kz_cli *cli)
{
    int status = check_reachable(cli);
    if (status) return status;
    Kz__WatchRequest watch = KZ__WATCH_REQUEST__INIT;
    watch.has_kind = cli->kind != NULL;
    if (cli->kind) watch.kind = cli->kind->number;
    if (cli->id_count) watch.id = (char *)(uintptr_t)cli->ids[0];
    watch.has_from_rev = cli->options.from_rev >= 0;
    watch.from_rev = watch.has_from_rev ? (uint64_t)cli->options.from_rev : 0;
    Kz__Response *refusal = NULL;
    struct kz_err err = {.code = KZ_OK};
    kz_client_end_with(cli->client, STDOUT_FILENO);
    enum kz_code code = kz_client_watch(cli->client, &watch, -1, print_changes, cli, &refusal, &err);
    struct kz_error_context context = {.subject = cli->subject, .role = cli->command->role};
    if (code) return kz_cli_fail(cli, kz_error_of_call(cli->client, &err, cli->options.timeout_ms, &context));
    if (!refusal) return kz_code_exit_status(KZ_IO); /* stdout is gone; that was said */
    Kz__Error *error = refusal->error;
    refusal->error = NULL;
    kz__response__free_unpacked(refusal, NULL);
    kz_error_complete(error, &context);
    return kz_cli_fail(cli, error);
}
