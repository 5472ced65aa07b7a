/* SPDX-License-Identifier: Apache-2.0 */
#include "node/service/search.h"

#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/base/log.h"
#include "node/service/node.h"
#include "node/service/node_parts.h"
#include "node/service/search_copy.h"

/* What the worker is given and gives back. Nobody else touches it, nor the copy, while it works. */
struct work {
    uv_work_t uv;
    struct kz_search *search;    /* borrowed: for the loop */
    struct kz_store *store;      /* borrowed */
    struct kz_search_copy *copy; /* borrowed */
    const atomic_bool *stop;     /* borrowed */
    bool asks;                   /* else the index is only brought level */
    struct kz_search_question question;
    Kz__SearchResult *result;
    struct kz_applied applied; /* of the view that was searched */
    enum kz_code code;
    struct kz_err err;
};

struct kz_search {
    struct kz_node *node; /* borrowed */
    struct kz_search_copy *copy;
    struct work *work; /* owned; NULL: none under way */
    atomic_bool stop;
    struct kz_request *request;     /* that the work is for; NULL: none, or it was forgotten */
    struct kz_request_list waiting; /* for their turn */
    size_t waiting_count;
    struct kz_search_copy_state state; /* after the last work */
    uint64_t began_ms;
    int64_t began_wall_ms;
    uint64_t retry_ms; /* loop clock: no index before then, it failed; 0: none failed */
    enum kz_code failed;
};

struct kz_search *kz_search_new(struct kz_node *node)
{
    struct kz_search *search = kz_must_alloc(1, sizeof *search);
    search->node = node;
    search->copy = kz_search_copy_new();
    atomic_init(&search->stop, false);
    TAILQ_INIT(&search->waiting);
    return search;
}

void kz_search_free(struct kz_search *search)
{
    if (!search) return;
    kz_assert(!search->work && TAILQ_EMPTY(&search->waiting)); /* connections close first */
    kz_search_copy_free(search->copy);
    free(search);
}

bool kz_search_working(const struct kz_search *search) { return search->work != NULL; }
void kz_search_stop(struct kz_search *search) { atomic_store(&search->stop, true); }

/* ---- the worker ---- */

static void do_work(uv_work_t *uv)
{
    struct work *work = uv->data;
    struct kz_view *view;
    work->code = kz_view_open(work->store, &view, &work->err);
    if (work->code != KZ_OK) return;
    work->code = kz_view_applied(view, &work->applied, &work->err);
    if (work->code == KZ_OK) work->code = kz_search_copy_follow(work->copy, view, work->stop, &work->err);
    if (work->code == KZ_OK && work->asks)
        work->code = kz_search_copy_ask(work->copy, view, &work->question, &work->result, &work->err);
    kz_view_close(view);
}

/* ---- requests ---- */

static void forget_search(struct kz_request *request)
{
    struct kz_search *search = request->room;
    request->forget = NULL;
    if (request == search->request) {
        search->request = NULL;
        return;
    }
    TAILQ_REMOVE(&search->waiting, request, in_room);
    search->waiting_count--;
}

static void free_work(struct work *work)
{
    for (size_t i = 0; i < work->question.provisional_count; i++)
        kz__record__free_unpacked(work->question.provisional[i], NULL);
    free(work->question.provisional);
    if (work->result) kz__search_result__free_unpacked(work->result, NULL);
    free(work);
}

static bool add_provisional(struct kz_search_question *question, const Kz__Record *event)
{
    size_t count = question->provisional_count;
    if ((count & (count + 1)) == 0) { /* full at 0, 1, 3, 7 ... */
        Kz__Record **grown = realloc(question->provisional, (2 * count + 1) * sizeof *grown);
        if (!grown) return false;
        question->provisional = grown;
    }
    Kz__Record *copy = kz_record_dup(event);
    if (!copy) return false;
    question->provisional[question->provisional_count++] = copy;
    return true;
}

/* The outbox belongs to the loop: the worker gets copies. */
static bool copy_provisionals(const struct kz_node *node, struct kz_search_question *question)
{
    size_t count;
    const struct kz_kind *kinds = kz_kinds(&count);
    for (size_t i = 0; i < count && kz_outbox_count(node->outbox) > 0; i++) {
        const Kz__Record *event = NULL;
        Kz__Kind kind = kinds[i].number;
        if (!kinds[i].event || (question->filter.kind && question->filter.kind != kind)) continue;
        while ((event = kz_outbox_next(node->outbox, kind, event ? event->id : NULL)) != NULL)
            if (!add_provisional(question, event)) return false;
    }
    return true;
}

static bool fill_question(const struct kz_node *node, const Kz__SearchRequest *asked,
                          struct kz_search_question *question)
{
    question->filter.kind = asked->has_kind ? asked->kind : 0;
    question->filter.retired = asked->has_retired && asked->retired;
    question->limit = asked->has_limit && asked->limit ? asked->limit : KZ_SEARCH_HITS_DEFAULT;
    if (question->limit > KZ_SEARCH_HITS_MAX) question->limit = KZ_SEARCH_HITS_MAX;
    /* It was split once before, when it was taken. */
    return kz_search_split(asked->text, &question->words) && copy_provisionals(node, question);
}

/* ---- turns ---- */

static void on_worked(uv_work_t *uv, int status);

/* Begins the next work if none is under way: the first that waits, or none (`idly`). */
static void begin(struct kz_search *search, bool idly)
{
    struct kz_request *request = TAILQ_FIRST(&search->waiting);
    if (search->work || atomic_load(&search->stop) || (!request && !idly)) return;
    struct work *work = calloc(1, sizeof *work);
    bool fine = work != NULL;
    if (fine && request) fine = fill_question(search->node, request->message->search, &work->question);
    if (!fine) {
        if (work) free_work(work);
        if (request) kz_request_fail(request, KZ_FAULT_NO_MEMORY_LEFT, NULL);
        return; /* the others have their turn with the next tick */
    }
    if (request) {
        TAILQ_REMOVE(&search->waiting, request, in_room);
        search->waiting_count--;
    }
    search->request = request;
    work->asks = request != NULL;
    work->store = search->node->store;
    work->copy = search->copy;
    work->stop = &search->stop;
    work->search = search;
    work->uv.data = work;
    search->work = work;
    search->began_ms = kz_node_now_ms(search->node);
    search->began_wall_ms = kz_node_wall_ms(search->node);
    kz_assert(uv_queue_work(&search->node->loop, &work->uv, do_work, on_worked) == 0);
}

static void note_state(struct kz_search *search, const struct work *work)
{
    uint64_t builds = search->state.builds, now_ms = kz_node_now_ms(search->node);
    search->state = kz_search_copy_state(search->copy);
    search->failed = work->code == KZ_TIMED_OUT ? KZ_OK : work->code;
    search->retry_ms = search->failed ? now_ms + KZ_SEARCH_RETRY_MS : 0;
    if (search->failed)
        kz_log_error("search.failed", "code=%s error=\"%s\"", kz_code_name(work->code), work->err.text);
    else if (search->state.builds != builds)
        kz_log_info("search.built", "rev=%llu records=%zu text_bytes=%zu memory_bytes=%zu ms=%llu",
                    (unsigned long long)search->state.rev, search->state.size.records, search->state.size.text_bytes,
                    search->state.size.memory_bytes, (unsigned long long)(now_ms - search->began_ms));
}

static enum kz_fault fault_of(enum kz_code code)
{
    return code == KZ_TIMED_OUT   ? KZ_FAULT_SEARCH_BUILDING
           : code == KZ_NO_MEMORY ? KZ_FAULT_NO_MEMORY_LEFT
                                  : KZ_FAULT_READ_FAILED;
}

/* The copy may have gone on since it was searched: what is told is the state that was searched. */
static void answer(const struct kz_search *search, struct kz_request *request, const struct work *work)
{
    Kz__Response response = KZ__RESPONSE__INIT;
    bool latest = request->answered == KZ__READ_MODE__LINEARIZABLE; /* complete as of when the work began */
    response.search = work->result;
    request->has_copy = true;
    request->copy_rev = work->applied.rev;
    request->copy_index = work->applied.index;
    request->copy_time_ms = latest ? search->began_wall_ms : work->applied.data_time_ms;
    request->forget = NULL;
    kz_request_reply(request, &response);
}

static void on_worked(uv_work_t *uv, int status)
{
    struct work *work = uv->data;
    struct kz_search *search = work->search;
    struct kz_request *request = search->request;
    kz_assert(status == 0); /* it is never cancelled */
    note_state(search, work);
    if (request && work->code == KZ_OK)
        answer(search, request, work);
    else if (request)
        kz_request_fail(request, fault_of(work->code), NULL);
    search->request = NULL;
    search->work = NULL;
    free_work(work);
    begin(search, false);
}

void kz_search_submit(struct kz_search *search, struct kz_request *request)
{
    struct kz_search_words words;
    const char *text = request->message->search->text;
    if (strlen(text) > KZ_SEARCH_TEXT_MAX_BYTES || !kz_search_split(text, &words) || words.count == 0) {
        kz_request_fail(request, KZ_FAULT_SEARCH_TEXT, NULL);
        return;
    }
    if (search->retry_ms > kz_node_now_ms(search->node) || search->waiting_count == KZ_SEARCH_WAITING_MAX) {
        bool failed = search->failed != KZ_OK;
        kz_request_fail(request, failed ? fault_of(search->failed) : KZ_FAULT_SEARCH_QUEUE, NULL);
        return;
    }
    request->room = search;
    request->forget = forget_search;
    TAILQ_INSERT_TAIL(&search->waiting, request, in_room);
    search->waiting_count++;
    begin(search, false);
}

static void fail_if_late(const struct kz_search *search, struct kz_request *request, uint64_t now_ms)
{
    if (now_ms < request->deadline_ms) return;
    kz_request_fail(request, search->state.complete ? KZ_FAULT_SEARCH_QUEUE : KZ_FAULT_SEARCH_BUILDING, NULL);
}

void kz_search_tick(struct kz_search *search)
{
    uint64_t now_ms = kz_node_now_ms(search->node);
    struct kz_request *next;
    if (search->request) fail_if_late(search, search->request, now_ms);
    for (struct kz_request *request = TAILQ_FIRST(&search->waiting); request; request = next) {
        next = TAILQ_NEXT(request, in_room);
        fail_if_late(search, request, now_ms);
    }
    begin(search, false);
}

void kz_search_second(struct kz_search *search)
{
    bool level = search->state.complete && search->state.rev == search->node->applied.rev;
    if (!kz_node_holds_copy(search->node) || level || search->retry_ms > kz_node_now_ms(search->node)) return;
    begin(search, true);
}
