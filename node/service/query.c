/* SPDX-License-Identifier: Apache-2.0 */
#include "node/service/query.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/base/log.h"
#include "node/registry/record.h"
#include "node/registry/event.h"
#include "node/service/blob.h"
#include "node/service/node.h"
#include "node/service/outbox.h"
#include "node/service/search.h"

#define PAGE_MAX_BYTES (KZ_FRAME_MAX_BYTES / 2) /* unless a single row is larger */
#define PAGE_ROW_OVERHEAD_BYTES 16u             /* its tag and length */
#define PAST_ROWS_VISITED_MAX 1024u             /* the same where each may need its history looked up */
#define ROWS_VISITED_MAX 4096u                  /* rows looked at in one turn of the loop, matching or not */

static_assert(2 * KZ_RECORD_MAX_BYTES + KZ_REASON_MAX_BYTES + 4096 < KZ_FRAME_MAX_BYTES,
              "a change with both its records fits a frame");

/* A page of a list: the state's records, and in between, in order of id, events that are provisional at this node. */
struct page {
    const struct kz_outbox *outbox;
    Kz__Kind kind;
    Kz__Record *records[KZ_PAGE_MAX];
    size_t count;
    size_t limit;
    size_t size_bytes;
    size_t visited;
    bool with_retired;
    char last_id[KZ_ID_MAX_BYTES + 1]; /* the last one looked at */
    bool more;
    bool no_memory;
};

void kz_query_fail(struct kz_request *request, enum kz_code code, const struct kz_err *err)
{
    kz_log_error("read.failed", "code=%s error=\"%s\"", kz_code_name(code), err->text);
    kz_request_fail(request, code == KZ_NO_MEMORY ? KZ_FAULT_NO_MEMORY_LEFT : KZ_FAULT_READ_FAILED, NULL);
}

/* ---- the past ---- */

/* A revision or a time that was asked for (NULL: not asked): into the request, whose meta tells it. False: the request
 * has ended. A copy that was read on its own may just not have come so far; of the cluster's state that is known. */
static bool find_past(struct kz_request *request, struct kz_view *view, const uint64_t *rev, const int64_t *time_ms)
{
    struct kz_err err = {0};
    enum kz_code code = KZ_OK;
    if (!rev && !time_ms) return true;
    request->has_as_of = true;
    request->as_of_rev = rev ? *rev : 0;
    if (!rev)
        code = kz_view_revision_at(view, *time_ms, &request->as_of_rev, &request->as_of_ms, &err);
    else if (*rev > 0)
        code = kz_view_revision_time(view, *rev, &request->as_of_ms, &err);
    if (code == KZ_OK) return true;
    request->has_as_of = false;
    bool latest = rev && request->answered == KZ__READ_MODE__LINEARIZABLE;
    if (code == KZ_TOO_OLD)
        kz_request_fail(request, latest ? KZ_FAULT_REVISION_FUTURE : KZ_FAULT_REVISION_BEHIND, NULL);
    else
        kz_query_fail(request, code, &err);
    return false;
}

/* ---- get ---- */

static enum kz_code find_record(struct kz_request *request, struct kz_view *view, Kz__Record **record,
                                struct kz_err *err)
{
    const Kz__GetRequest *get = request->message->get;
    if (request->has_as_of) return kz_view_get_as_of(view, get->kind, get->id, request->as_of_rev, record, err);
    return kz_view_get(view, get->kind, get->id, record, err);
}

static void answer_get(struct kz_request *request, struct kz_view *view)
{
    const Kz__GetRequest *get = request->message->get;
    struct kz_err err = {0};
    Kz__Record *record = NULL;
    if (!find_past(request, view, get->has_as_of_rev ? &get->as_of_rev : NULL,
                   get->has_as_of_ms ? &get->as_of_ms : NULL))
        return;
    enum kz_code code = find_record(request, view, &record, &err);
    bool may_be_provisional = code == KZ_NOT_FOUND && !request->has_as_of;
    const Kz__Record *provisional =
        may_be_provisional ? kz_outbox_get(request->node->outbox, get->kind, get->id) : NULL;
    if (provisional) {
        record = kz_record_dup(provisional);
        code = record ? KZ_OK : KZ_NO_MEMORY;
    }
    if (code == KZ_NOT_FOUND) {
        kz_request_fail(request, request->has_as_of ? KZ_FAULT_NOT_THEN : KZ_FAULT_NO_SUCH_RECORD, NULL);
        return;
    }
    if (code != KZ_OK) {
        kz_query_fail(request, code, &err);
        return;
    }
    Kz__Response response = KZ__RESPONSE__INIT;
    response.records = &record;
    response.n_records = 1;
    kz_request_reply(request, &response);
    kz__record__free_unpacked(record, NULL);
}

/* ---- list ---- */

static bool fits(size_t count, size_t used_bytes, size_t row_bytes)
{
    return count == 0 || used_bytes + row_bytes + PAGE_ROW_OVERHEAD_BYTES <= PAGE_MAX_BYTES;
}

static bool add_record(struct page *page, const Kz__Record *record)
{
    bool wanted = page->with_retired || !record->has_retired_at;
    size_t row_bytes = wanted ? kz__record__get_packed_size(record) : 0;
    bool full = wanted && (page->count == page->limit || !fits(page->count, page->size_bytes, row_bytes));
    if (full || page->visited == ROWS_VISITED_MAX) {
        page->more = true;
        return false;
    }
    page->visited++;
    snprintf(page->last_id, sizeof page->last_id, "%s", record->id);
    if (!wanted) return true;
    Kz__Record *copy = kz_record_dup(record);
    if (!copy) {
        page->no_memory = true;
        return false;
    }
    page->size_bytes += row_bytes + PAGE_ROW_OVERHEAD_BYTES;
    page->records[page->count++] = copy;
    return true;
}

/* Provisional events that come before `id` (NULL: all that are left). */
static bool add_provisional(struct page *page, const char *id)
{
    const Kz__Record *event;
    if (!kz_kind_is_event(page->kind)) return true;
    while ((event = kz_outbox_next(page->outbox, page->kind, page->last_id[0] ? page->last_id : NULL)) != NULL) {
        if (id && strcmp(event->id, id) >= 0) return true;
        if (!add_record(page, event)) return false;
    }
    return true;
}

static bool add_past(void *data, const Kz__Record *record) { return add_record(data, record); }

/* An event that is in the state is confirmed, though the outbox may hold it for a moment longer. */
static bool take_record(void *data, const Kz__Record *record)
{
    return add_provisional(data, record->id) && add_record(data, record);
}

static enum kz_code visit_records(struct kz_request *request, struct kz_view *view, struct page *page,
                                  struct kz_err *err)
{
    const Kz__ListRequest *list = request->message->list;
    if (!request->has_as_of) {
        enum kz_code code = kz_view_list(view, list->kind, list->after, true, take_record, page, err);
        if (code == KZ_OK && !page->more) add_provisional(page, NULL);
        return code;
    }
    struct kz_as_of as_of = {.rev = request->as_of_rev, .rows_max = PAST_ROWS_VISITED_MAX};
    enum kz_code code =
        kz_view_list_as_of(view, list->kind, &as_of, list->after, page->with_retired, add_past, page, err);
    page->more = as_of.more;
    snprintf(page->last_id, sizeof page->last_id, "%s", as_of.next);
    return code;
}

static void answer_list(struct kz_request *request, struct kz_view *view)
{
    const Kz__ListRequest *list = request->message->list;
    if (!find_past(request, view, list->has_as_of_rev ? &list->as_of_rev : NULL,
                   list->has_as_of_ms ? &list->as_of_ms : NULL))
        return;
    struct page *page = calloc(1, sizeof *page);
    if (!page) {
        kz_request_fail(request, KZ_FAULT_NO_MEMORY_LEFT, NULL);
        return;
    }
    page->limit = list->has_limit && list->limit && list->limit < KZ_PAGE_MAX ? list->limit : KZ_PAGE_MAX;
    struct kz_err err = {0};
    page->with_retired = list->has_retired && list->retired;
    page->outbox = request->node->outbox;
    page->kind = list->kind;
    if (list->after) snprintf(page->last_id, sizeof page->last_id, "%s", list->after);
    enum kz_code code = visit_records(request, view, page, &err);
    if (code == KZ_OK && page->no_memory) code = KZ_NO_MEMORY;
    if (code == KZ_OK) {
        Kz__Response response = KZ__RESPONSE__INIT;
        response.records = page->records;
        response.n_records = page->count;
        if (page->more) response.next = page->last_id;
        kz_request_reply(request, &response);
    } else {
        kz_query_fail(request, code, &err);
    }
    for (size_t i = 0; i < page->count; i++)
        kz__record__free_unpacked(page->records[i], NULL);
    free(page);
}

/* ---- changes ---- */

/* A change has no public copy function; packing is its copy. */
static Kz__Change *dup_change(const Kz__Change *change, size_t size)
{
    uint8_t *packed = malloc(size ? size : 1);
    if (!packed) return NULL;
    kz__change__pack(change, packed);
    Kz__Change *copy = kz__change__unpack(NULL, size, packed);
    free(packed);
    return copy;
}

struct changes_visit {
    struct kz_query_changes *changes;
    Kz__Kind kind;
    const char *id;
    size_t limit;
    size_t visited;
    uint64_t next_rev;
    bool no_memory;
};

static bool take_change(void *data, const Kz__Change *change)
{
    struct changes_visit *visit = data;
    struct kz_query_changes *changes = visit->changes;
    bool wanted = (!visit->kind || change->kind == visit->kind) && (!visit->id || strcmp(change->id, visit->id) == 0);
    size_t row_bytes = wanted ? kz__change__get_packed_size(change) : 0;
    bool full = wanted && (changes->count == visit->limit || !fits(changes->count, changes->size_bytes, row_bytes));
    if (full || visit->visited == ROWS_VISITED_MAX) {
        changes->full = true;
        return false;
    }
    visit->visited++;
    visit->next_rev = change->rev + 1;
    if (!wanted) return true;
    Kz__Change *copy = dup_change(change, row_bytes);
    if (!copy) {
        visit->no_memory = true;
        return false;
    }
    changes->size_bytes += row_bytes + PAGE_ROW_OVERHEAD_BYTES;
    changes->items[changes->count++] = copy;
    return true;
}

void kz_query_free_changes(struct kz_query_changes *changes)
{
    for (size_t i = 0; i < changes->count; i++)
        kz__change__free_unpacked(changes->items[i], NULL);
    memset(changes, 0, sizeof *changes);
}

enum kz_code kz_query_changes(struct kz_node *node, Kz__Kind kind, const char *id, uint64_t *next_rev,
                              struct kz_query_changes *changes)
{
    memset(changes, 0, sizeof *changes);
    struct changes_visit visit = {
        .changes = changes, .kind = kind, .id = id, .limit = KZ_QUERY_CHANGES_MAX, .next_rev = *next_rev};
    struct kz_err err = {0};
    struct kz_view *view;
    enum kz_code code = kz_view_open(node->store, &view, &err);
    if (code == KZ_OK) {
        code = kz_view_changes(view, *next_rev, take_change, &visit, &err);
        kz_view_close(view);
    }
    if (code == KZ_OK && visit.no_memory) code = KZ_NO_MEMORY;
    if (code != KZ_OK) {
        kz_log_error("watch.read", "error=\"%s\"", err.text);
        kz_query_free_changes(changes);
        return code;
    }
    *next_rev = visit.next_rev;
    return KZ_OK;
}

static void answer_history(struct kz_request *request, struct kz_view *view)
{
    const Kz__HistoryRequest *history = request->message->history;
    struct kz_query_changes changes = {.count = 0};
    struct changes_visit visit = {.changes = &changes, .limit = KZ_QUERY_CHANGES_MAX};
    if (history->has_limit && history->limit && history->limit < visit.limit) visit.limit = history->limit;
    struct kz_err err = {0};
    enum kz_code code =
        kz_view_history(view, history->kind, history->id, history->before_rev, take_change, &visit, &err);
    if (code == KZ_OK && visit.no_memory) code = KZ_NO_MEMORY;
    if (code == KZ_NOT_FOUND || (code == KZ_OK && changes.count == 0 && !history->before_rev)) {
        kz_request_fail(request, KZ_FAULT_NO_SUCH_RECORD, NULL);
    } else if (code != KZ_OK) {
        kz_query_fail(request, code, &err);
    } else {
        Kz__Response response = KZ__RESPONSE__INIT;
        response.changes = changes.items;
        response.n_changes = changes.count;
        response.has_next_rev = changes.full;
        if (changes.full) response.next_rev = changes.items[changes.count - 1]->rev;
        kz_request_reply(request, &response);
    }
    kz_query_free_changes(&changes);
}

/* ---- outcome ---- */

static void answer_outcome(struct kz_request *request, struct kz_view *view)
{
    const Kz__OutcomeRequest *asked = request->message->outcome;
    if (asked->request_id.len != KZ_REQUEST_ID_BYTES) {
        kz_request_fail(request, KZ_FAULT_REQUEST_ID, NULL);
        return;
    }
    struct kz_err err = {0};
    Kz__Outcome *outcome = NULL;
    enum kz_code code = kz_view_outcome(view, asked->request_id.data, &outcome, &err);
    if (code == KZ_NOT_FOUND) {
        kz_request_fail(request, KZ_FAULT_OUTCOME_GONE, NULL);
        return;
    }
    if (code != KZ_OK) {
        kz_query_fail(request, code, &err);
        return;
    }
    Kz__Response response = KZ__RESPONSE__INIT;
    response.outcome = outcome;
    kz_request_reply(request, &response);
    kz__outcome__free_unpacked(outcome, NULL);
}

void kz_query_answer(struct kz_request *request)
{
    struct kz_err err = {0};
    if (request->message->search) {
        kz_search_submit(request->node->search, request);
        return;
    }
    struct kz_view *view;
    enum kz_code code = kz_view_open(request->node->store, &view, &err);
    if (code != KZ_OK) {
        kz_query_fail(request, code, &err);
        return;
    }
    const Kz__Request *message = request->message;
    if (message->get)
        answer_get(request, view);
    else if (message->list)
        answer_list(request, view);
    else if (message->history)
        answer_history(request, view);
    else if (message->blob)
        kz_blob_answer(request, view);
    else
        answer_outcome(request, view);
    kz_view_close(view);
}
