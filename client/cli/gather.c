/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/gather.h"

#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "proto/wire.h"

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
    kz_client_free(cli->client);
    cli->client = NULL;
    cli->options.read = KZ__READ_MODE__LOCAL;
}

static int gather_kind(struct kz_cli *cli, Kz__Kind kind, struct kz_gathered *gathered)
{
    const char *after = NULL;
    for (;;) {
        Kz__ListRequest list = KZ__LIST_REQUEST__INIT;
        list.kind = kind;
        list.after = (char *)(uintptr_t)after;
        list.has_limit = true;
        list.limit = KZ_PAGE_MAX;
        Kz__Request request = KZ__REQUEST__INIT;
        request.list = &list;
        Kz__Response *page = NULL;
        int status = kz_cli_call(cli, &request, &page);
        if (status) return status;
        gather(gathered, page);
        bool fell_back = page->meta && page->meta->read == KZ__READ_MODE__LOCAL;
        if (fell_back && cli->options.read == KZ__READ_MODE__AUTO) stop_waiting(cli);
        /* A node that names a "next" it has named before would keep us here for ever. */
        if (!page->next || !*page->next || (after && strcmp(page->next, after) <= 0)) return 0;
        after = page->next;
    }
}

int kz_gather_kinds(struct kz_cli *cli, const Kz__Kind *kinds, size_t count, struct kz_gathered *out)
{
    *out = (struct kz_gathered){0};
    int64_t asked = cli->options.read;
    int status = 0;
    for (size_t i = 0; i < count && !status; i++)
        status = gather_kind(cli, kinds[i], out);
    cli->options.read = asked; /* the banner speaks of what the person asked for */
    return status;
}
