/* SPDX-License-Identifier: Apache-2.0 */
#include "node/service/watch.h"

#include <stdlib.h>

#include "node/base/assert.h"
#include "node/service/node.h"
#include "node/service/query.h"

#define PAGES_PER_PUMP 4u
#define UNSENT_MAX_BYTES (2u * KZ_FRAME_MAX_BYTES) /* a watcher that does not read is not fed */

struct watch {
    struct kz_watches *watches; /* borrowed */
    struct kz_request *request; /* borrowed until forgotten */
    uint64_t next_rev;
    TAILQ_ENTRY(watch) link;
};

struct kz_watches {
    struct kz_node *node; /* borrowed */
    TAILQ_HEAD(, watch) all;
    size_t count;
};

struct kz_watches *kz_watches_new(struct kz_node *node)
{
    struct kz_watches *watches = kz_must_alloc(1, sizeof *watches);
    watches->node = node;
    TAILQ_INIT(&watches->all);
    return watches;
}

void kz_watches_free(struct kz_watches *watches)
{
    if (!watches) return;
    kz_assert(TAILQ_EMPTY(&watches->all)); /* connections close first */
    free(watches);
}

static void forget_watch(struct kz_request *request)
{
    struct watch *watch = request->room;
    TAILQ_REMOVE(&watch->watches->all, watch, link);
    watch->watches->count--;
    request->forget = NULL;
    free(watch);
}

static void end_watch(struct watch *watch, enum kz_fault fault)
{
    struct kz_request *request = watch->request;
    forget_watch(request);
    kz_request_fail(request, fault, NULL);
}

enum page_end { PAGE_LAST, PAGE_MORE, PAGE_ENDED /* the watch is gone */ };

static enum page_end send_changes(struct watch *watch, const struct kz_query_changes *changes)
{
    Kz__Response response = KZ__RESPONSE__INIT;
    response.has_more = response.more = true;
    response.changes = (Kz__Change **)(uintptr_t)changes->items; /* packed only */
    response.n_changes = changes->count;
    response.has_next_rev = true;
    response.next_rev = watch->next_rev;
    return kz_request_reply(watch->request, &response) ? PAGE_MORE : PAGE_ENDED;
}

static enum page_end send_page(struct watch *watch)
{
    const Kz__WatchRequest *asked = watch->request->message->watch;
    struct kz_query_changes *changes = malloc(sizeof *changes);
    if (!changes) return PAGE_LAST; /* tried again by the next pump */
    if (kz_query_changes(watch->watches->node, asked->has_kind ? asked->kind : 0, asked->id, &watch->next_rev,
                         changes)) {
        free(changes);
        end_watch(watch, KZ_FAULT_READ_FAILED);
        return PAGE_ENDED;
    }
    enum page_end end = changes->count ? send_changes(watch, changes) : PAGE_MORE;
    if (end == PAGE_MORE && !changes->full) end = PAGE_LAST;
    kz_query_free_changes(changes);
    free(changes);
    return end;
}

/* A few pages at a time: a long history must not hold up the loop. */
static void pump(struct watch *watch)
{
    uint64_t last_rev = watch->watches->node->applied.rev;
    for (unsigned pages = 0; pages < PAGES_PER_PUMP; pages++) {
        bool due = watch->next_rev <= last_rev && kz_request_unsent_bytes(watch->request) < UNSENT_MAX_BYTES;
        if (!due || send_page(watch) != PAGE_MORE) return;
    }
}

void kz_watches_submit(struct kz_watches *watches, struct kz_request *request)
{
    const Kz__WatchRequest *asked = request->message->watch;
    struct watch *watch = watches->count < KZ_WATCHERS_MAX ? calloc(1, sizeof *watch) : NULL;
    if (!watch) {
        kz_request_fail(request, KZ_FAULT_TOO_MANY_REQUESTS, NULL);
        return;
    }
    watch->watches = watches;
    watch->request = request;
    watch->next_rev = asked->has_from_rev ? asked->from_rev : watches->node->applied.rev + 1;
    if (watch->next_rev == 0) watch->next_rev = 1;
    request->room = watch;
    request->forget = forget_watch;
    request->answered = KZ__READ_MODE__LOCAL;
    TAILQ_INSERT_TAIL(&watches->all, watch, link);
    watches->count++;

    /* Says at once where the watch stands, so that a client that loses this node resumes without a gap. */
    Kz__Response opened = KZ__RESPONSE__INIT;
    opened.has_more = opened.more = true;
    opened.has_next_rev = true;
    opened.next_rev = watch->next_rev;
    if (kz_request_reply(request, &opened)) pump(watch);
}

void kz_watches_pump(struct kz_watches *watches)
{
    struct watch *watch = TAILQ_FIRST(&watches->all);
    while (watch) {
        struct watch *next = TAILQ_NEXT(watch, link);
        pump(watch);
        watch = next;
    }
}
