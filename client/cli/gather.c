/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/gather.h"

#include <stdlib.h>
#include <string.h>

#include "client/cli/past.h"
#include "node/base/assert.h"
#include "node/registry/event.h"
#include "proto/wire.h"

#define TRIES_MAX 3 /* each begins with the copy that is reached; they are seldom far apart */

static void gather(struct kz_gathered *gathered, Kz__Response *page)
{
    gathered->pages = kz_must_realloc(gathered->pages, (gathered->page_count + 1) * sizeof(Kz__Response *));
    gathered->pages[gathered->page_count++] = page;
    gathered->records =
        kz_must_realloc(gathered->records, (gathered->count + page->n_records + 1) * sizeof(Kz__Record *));
    for (size_t i = 0; i < page->n_records; i++)
        gathered->records[gathered->count++] = page->records[i];
    bool less_fresh = page->meta && page->meta->read == KZ__READ_MODE__LOCAL;
    if (!gathered->meta || less_fresh) gathered->meta = page->meta;
}

void kz_gathered_fini(struct kz_gathered *gathered)
{
    for (size_t i = 0; i < gathered->page_count; i++)
        kz__response__free_unpacked(gathered->pages[i], NULL);
    free(gathered->pages);
    free(gathered->records);
    *gathered = (struct kz_gathered){0};
}

/* The next connection asks for copies. */
static void stop_waiting(struct kz_cli *cli)
{
    kz_cli_disconnect(cli);
    cli->options.read = KZ__READ_MODE__LOCAL;
}

/* What all pages are asked for. */
struct gathering {
    struct kz_cli *cli;
    struct kz_gathered *gathered;
    bool asked; /* the past was asked for: --as-of */
    bool known; /* past.rev is the revision of every page */
    struct kz_past past;
    bool behind; /* the node has not come to that revision */
    bool last;   /* try: that is an error */
};

static bool is_pinned(const struct gathering *gathering, Kz__Kind kind)
{
    return gathering->asked || (gathering->known && !kz_kind_is_event(kind));
}

static int ask_page(struct gathering *gathering, Kz__Kind kind, const char *after, Kz__Response **page)
{
    bool pinned = is_pinned(gathering, kind), by_time = gathering->asked && gathering->past.by_time;
    Kz__ListRequest list = KZ__LIST_REQUEST__INIT;
    list.kind = kind;
    list.after = (char *)(uintptr_t)after;
    list.has_limit = true;
    list.limit = KZ_PAGE_MAX;
    list.has_as_of_rev = pinned && !by_time;
    list.as_of_rev = gathering->past.rev;
    list.has_as_of_ms = by_time;
    list.as_of_ms = gathering->past.time_ms;
    Kz__Request request = KZ__REQUEST__INIT;
    request.list = &list;
    Kz__Error *error = NULL;
    int status = kz_cli_ask(gathering->cli, &request, page, &error);
    if (!error) return status;
    if (error->code != KZ_TOO_OLD || gathering->asked || gathering->last) return kz_cli_fail(gathering->cli, error);
    kz__error__free_unpacked(error, NULL);
    gathering->behind = true;
    return 0;
}

/* From the first page on, all are of its revision. Takes the page. */
static int take_page(struct gathering *gathering, Kz__Kind kind, Kz__Response *page)
{
    struct kz_cli *cli = gathering->cli;
    bool pinned = is_pinned(gathering, kind), odd = !page->meta || (pinned && !page->meta->has_as_of_rev);
    gather(gathering->gathered, page);
    if (odd) return kz_cli_fail_odd(cli); /* a node that does not know the question answers with the present */
    if (!gathering->known) gathering->past = (struct kz_past){.rev = pinned ? page->meta->as_of_rev : page->meta->rev};
    gathering->known = true;
    if (!gathering->asked) page->meta->has_as_of_rev = false; /* of the present, as far as the person is concerned */
    bool fell_back = page->meta->read == KZ__READ_MODE__LOCAL;
    if (fell_back && cli->options.read == KZ__READ_MODE__AUTO) stop_waiting(cli);
    return 0;
}

static int gather_kind(struct gathering *gathering, Kz__Kind kind)
{
    const char *after = NULL;
    for (;;) {
        Kz__Response *page = NULL;
        int status = ask_page(gathering, kind, after, &page);
        if (status || gathering->behind) return status;
        status = take_page(gathering, kind, page);
        if (status) return status;
        /* A node that names a "next" it has named before would keep us here for ever. */
        if (!page->next || !*page->next || (after && strcmp(page->next, after) <= 0)) return 0;
        after = page->next;
    }
}

int kz_gather_kinds(struct kz_cli *cli, const Kz__Kind *kinds, size_t count, struct kz_gathered *out)
{
    int64_t asked = cli->options.read;
    struct kz_past past = {.by_time = false};
    struct gathering gathering = {.behind = true};
    *out = (struct kz_gathered){0};
    int status = cli->options.as_of ? kz_past_read(cli, "--as-of", cli->options.as_of, &past) : 0;
    for (int try = 1; !status && gathering.behind; try++) {
        if (try > 1) { /* copies do not wait for one another: all is asked for anew, of the one that is behind */
            kz_gathered_fini(out);
            stop_waiting(cli);
        }
        gathering = (struct gathering){
            .cli = cli, .gathered = out, .asked = cli->options.as_of, .past = past, .last = try == TRIES_MAX};
        for (size_t i = 0; i < count && !status && !gathering.behind; i++)
            status = gather_kind(&gathering, kinds[i]);
    }
    cli->options.read = asked; /* the banner speaks of what the person asked for */
    return status;
}
