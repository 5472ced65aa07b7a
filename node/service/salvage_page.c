/* SPDX-License-Identifier: Apache-2.0 */
#include "node/service/salvage_page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/registry/record.h"

static_assert(2 * KZ_RECORD_MAX_BYTES + KZ_REASON_MAX_BYTES + 4096 < KZ_FRAME_MAX_BYTES,
              "one item with both its records fits a frame");

#define ROWS_VISITED_MAX 4096u /* in one turn of the loop */

static Kz__Change *dup_change(const Kz__Change *change)
{
    size_t size_bytes = kz__change__get_packed_size(change);
    uint8_t *packed = kz_must_alloc(1, size_bytes + 1);
    kz__change__pack(change, packed);
    Kz__Change *copy = kz__change__unpack(NULL, size_bytes, packed);
    free(packed);
    kz_assert(copy != NULL);
    return copy;
}

/* False: it belongs on the next page. */
static bool add_item(struct kz_salvage_page *page, Kz__SalvageItem__State state, const Kz__Change *change)
{
    size_t size_bytes = kz__change__get_packed_size(change);
    if (page->count == KZ_SALVAGE_PAGE_MAX) return false;
    if (page->count > 0 && page->size_bytes + size_bytes > KZ_SALVAGE_PAGE_MAX_BYTES) return false;
    Kz__SalvageItem *item = kz_must_alloc(1, sizeof *item);
    kz__salvage_item__init(item);
    item->state = state;
    item->change = dup_change(change);
    item->has_index = change->has_index;
    item->index = change->index;
    page->items[page->count++] = item;
    page->size_bytes += size_bytes;
    return true;
}

void kz_salvage_page_fini(struct kz_salvage_page *page)
{
    for (size_t i = 0; i < page->count; i++)
        kz__salvage_item__free_unpacked(page->items[i], NULL);
    page->count = 0;
}

/* ---- what was applied: the history says it with both its sides, also where the log was compacted ---- */

struct first_change {
    bool found;
    uint64_t index;
};

static bool take_first(void *data, const Kz__Change *change)
{
    struct first_change *first = data;
    first->found = true;
    first->index = change->has_index ? change->index : 0;
    return false;
}

/* The first revision of an index above the common one; indexes grow with revisions. */
static enum kz_code find_first_rev(struct kz_salvage_page *page, uint64_t last_rev, uint64_t *out, struct kz_err *err)
{
    uint64_t low = 1, high = last_rev + 1;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        struct first_change first = {.found = false};
        enum kz_code code = kz_view_changes(page->view, middle, take_first, &first, err);
        if (code != KZ_OK) return code;
        if (!first.found || first.index > page->common)
            high = middle;
        else
            low = middle + 1;
    }
    *out = low;
    return KZ_OK;
}

struct history {
    struct kz_salvage_page *page;
    size_t visited;
    bool full;
};

static bool take_change(void *data, const Kz__Change *change)
{
    struct history *history = data;
    struct kz_salvage_page *page = history->page;
    bool wanted = !change->has_index || change->index > page->common;
    if (history->visited == ROWS_VISITED_MAX || (wanted && !add_item(page, KZ__SALVAGE_ITEM__STATE__APPLIED, change))) {
        history->full = true;
        return false;
    }
    history->visited++;
    page->cursor.position = change->rev + 1;
    return true;
}

static enum kz_code fill_history(struct kz_salvage_page *page, const struct kz_applied *applied, struct kz_err *err)
{
    struct history history = {.page = page};
    enum kz_code code = KZ_OK;
    if (page->cursor.position == 0) code = find_first_rev(page, applied->rev, &page->cursor.position, err);
    if (code == KZ_OK) code = kz_view_changes(page->view, page->cursor.position, take_change, &history, err);
    if (code != KZ_OK || history.full) return code;
    page->cursor.phase = KZ__SALVAGE_CURSOR__PHASE__LOG;
    page->cursor.position = (applied->index > page->common ? applied->index : page->common) + 1;
    page->cursor.ordinal = 0;
    return KZ_OK;
}

/* ---- what is in the log only ---- */

static enum kz_code add_mutation(struct kz_salvage_page *page, uint64_t index, int64_t time_ms,
                                 const Kz__Command *command, Kz__Mutation *mutation, bool *full, struct kz_err *err)
{
    Kz__Change change = KZ__CHANGE__INIT;
    change.op = mutation->op;
    change.kind = mutation->kind;
    change.id = mutation->id;
    change.time_ms = time_ms;
    change.actor = command->actor;
    change.node = command->node;
    change.reason = command->reason;
    change.after = mutation->record;
    change.has_index = true;
    change.index = index;
    enum kz_code code = kz_view_get(page->view, mutation->kind, mutation->id, &change.before, err);
    if (code != KZ_OK && code != KZ_NOT_FOUND) return code;
    *full = !add_item(page, KZ__SALVAGE_ITEM__STATE__UNCERTAIN, &change);
    if (change.before) kz__record__free_unpacked(change.before, NULL);
    return KZ_OK;
}

static enum kz_code add_batch(struct kz_salvage_page *page, uint64_t index, const Kz__Batch *batch, bool *full,
                              struct kz_err *err)
{
    uint32_t ordinal = 0;
    for (size_t i = 0; i < batch->n_commands; i++) {
        const Kz__Command *command = batch->commands[i];
        for (size_t k = 0; k < command->n_mutations; k++, ordinal++) {
            if (ordinal < page->cursor.ordinal) continue;
            enum kz_code code = add_mutation(page, index, batch->time_ms, command, command->mutations[k], full, err);
            if (code != KZ_OK || *full) return code;
            page->cursor.ordinal = ordinal + 1;
        }
    }
    return KZ_OK;
}

static enum kz_code fill_log(struct kz_salvage_page *page, struct kz_err *err)
{
    struct kz_hard_state hard;
    bool full = false;
    enum kz_code code = kz_view_hard(page->view, &hard, err);
    while (code == KZ_OK && page->cursor.position <= hard.last_index) {
        struct kz_entry entry;
        uint64_t index = page->cursor.position;
        code = kz_view_entry(page->view, index, &entry, err);
        if (code != KZ_OK) return code;
        if (entry.type == KZ_ENTRY_COMMAND) {
            Kz__Batch *batch = kz__batch__unpack(NULL, entry.size_bytes, entry.data);
            if (!batch) return kz_fail(err, KZ_CORRUPT, "entry %llu cannot be decoded", (unsigned long long)index);
            code = add_batch(page, index, batch, &full, err);
            kz__batch__free_unpacked(batch, NULL);
            if (code != KZ_OK || full) return code;
        }
        page->cursor.position++;
        page->cursor.ordinal = 0;
    }
    if (code != KZ_OK) return code;
    page->cursor.phase = KZ__SALVAGE_CURSOR__PHASE__EVENTS;
    page->cursor.kind = 0;
    page->last_id[0] = '\0';
    return KZ_OK;
}

/* ---- events that no cluster has confirmed ---- */

/* False: the page is full. */
static bool add_event(struct kz_salvage_page *page, const Kz__Record *event)
{
    Kz__Change change = KZ__CHANGE__INIT;
    Kz__Record after = *event; /* shares all pointers; packed only */
    after.has_provisional = 0;
    change.op = KZ__MUTATION__OP__APPEND;
    change.kind = event->kind;
    change.id = event->id;
    change.time_ms = event->noted_at;
    change.actor = event->noted_by ? event->noted_by : (char *)(uintptr_t) "";
    change.node = event->origin;
    change.after = &after;
    if (!add_item(page, KZ__SALVAGE_ITEM__STATE__PROVISIONAL, &change)) return false;
    snprintf(page->last_id, sizeof page->last_id, "%s", event->id);
    return true;
}

static void fill_events(struct kz_salvage_page *page)
{
    size_t count;
    const struct kz_kind *kinds = kz_kinds(&count);
    for (size_t i = 0; i < count; i++) {
        if (!kinds[i].event || kinds[i].number < page->cursor.kind) continue;
        if (kinds[i].number != page->cursor.kind) page->last_id[0] = '\0';
        page->cursor.kind = kinds[i].number;
        const Kz__Record *event;
        while ((event = kz_outbox_next(page->outbox, kinds[i].number, page->last_id[0] ? page->last_id : NULL)) != NULL)
            if (!add_event(page, event)) return;
    }
    page->done = true;
}

enum kz_code kz_salvage_page_fill(struct kz_salvage_page *page, struct kz_err *err)
{
    struct kz_applied applied;
    enum kz_code code = kz_view_applied(page->view, &applied, err);
    if (code == KZ_OK && page->cursor.phase == KZ__SALVAGE_CURSOR__PHASE__HISTORY)
        code = fill_history(page, &applied, err);
    if (code == KZ_OK && page->cursor.phase == KZ__SALVAGE_CURSOR__PHASE__LOG) code = fill_log(page, err);
    if (code == KZ_OK && page->cursor.phase == KZ__SALVAGE_CURSOR__PHASE__EVENTS) fill_events(page);
    page->cursor.has_position = page->cursor.has_ordinal = page->cursor.has_kind = true;
    page->cursor.after = page->last_id;
    return code;
}
