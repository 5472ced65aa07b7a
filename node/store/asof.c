/* SPDX-License-Identifier: Apache-2.0 */
/* The state as it was at an earlier revision. Records never leave the table RECORDS, so that it names every record that
 * ever was; what has changed since is looked up in the history, by the index of (kind, id, revision). */
#include "node/store/internal.h"

#include <stdio.h>
#include <string.h>

#include "node/registry/record.h"
#include "node/store/asof.h"
#include "node/store/state.h"

/* A later revision than this copy holds must not be answered with what is here: it may have changed since. */
static enum kz_code check_revision(const struct kz_view *view, uint64_t rev, struct kz_err *err)
{
    struct kz_meta meta;
    enum kz_code code = kz_meta_load(&view->scope, &meta, err);
    if (code == KZ_OK && rev > meta.rev)
        return kz_fail(err, KZ_TOO_OLD, "this copy is at revision %llu, not yet at %llu", (unsigned long long)meta.rev,
                       (unsigned long long)rev);
    return code;
}

/* The revision of the record's last change up to `rev`; KZ_NOT_FOUND without text. `index`: an open walk of
 * HISTORY_INDEX. */
static enum kz_code find_change(struct kz_rows *index, Kz__Kind kind, const char *id, uint64_t rev, uint64_t *found,
                                struct kz_err *err)
{
    struct kz_key prefix = kz_key_record_prefix(kind, id);
    struct kz_key above = kz_key_record_rev(kind, id, rev + 1);
    enum kz_code code = kz_rows_seek(index, above.bytes, above.size_bytes, err);
    if (code == KZ_OK)
        code = kz_rows_previous(index, err);
    else if (code == KZ_NOT_FOUND)
        code = kz_rows_last(index, err);
    if (code != KZ_OK) return code;
    if (index->key.size_bytes != prefix.size_bytes + 8 || memcmp(index->key.data, prefix.bytes, prefix.size_bytes) != 0)
        return KZ_NOT_FOUND;
    *found = kz_get_u64(index->key.data + prefix.size_bytes);
    return KZ_OK;
}

static enum kz_code load_change(const struct kz_scope *scope, Kz__Kind kind, const char *id, uint64_t rev,
                                struct kz_arena *arena, Kz__Change **out, struct kz_err *err)
{
    struct kz_key key = kz_key_u64(rev);
    struct kz_bytes row;
    enum kz_code code = kz_table_get(scope, KZ_TABLE_HISTORY, &key, &row, err);
    if (code == KZ_NOT_FOUND) return kz_table_corrupt(KZ_TABLE_HISTORY, key.bytes, key.size_bytes, "missing", err);
    if (code == KZ_OK) code = kz_state_decode_change(arena, rev, row, out, err);
    if (code != KZ_OK) return code;
    if ((*out)->kind == kind && strcmp((*out)->id, id) == 0 && (*out)->after != NULL) return KZ_OK;
    return kz_table_corrupt(KZ_TABLE_HISTORY, key.bytes, key.size_bytes, "not the change its index names", err);
}

enum kz_code kz_asof_change(const struct kz_scope *scope, struct kz_arena *arena, Kz__Kind kind, const char *id,
                            uint64_t rev, Kz__Change **out, struct kz_err *err)
{
    struct kz_rows index;
    uint64_t found = 0;
    enum kz_code code = kz_rows_open(&index, scope, KZ_TABLE_HISTORY_INDEX, err);
    if (code != KZ_OK) return code;
    code = find_change(&index, kind, id, rev, &found, err);
    kz_rows_close(&index);
    return code == KZ_OK ? load_change(scope, kind, id, found, arena, out, err) : code;
}

static enum kz_code no_record(Kz__Kind kind, const char *id, uint64_t rev, const char *why, struct kz_err *err)
{
    const struct kz_kind *row = kz_kind_by_number(kind);
    return kz_fail(err, KZ_NOT_FOUND, "%s '%.*s' %s at revision %llu", row != NULL ? row->name : "record",
                   (int)KZ_ID_MAX_BYTES, id, why, (unsigned long long)rev);
}

enum kz_code kz_view_get_as_of(struct kz_view *view, Kz__Kind kind, const char *id, uint64_t rev, Kz__Record **out,
                               struct kz_err *err)
{
    Kz__Change *change;
    enum kz_code code = check_revision(view, rev, err);
    if (code != KZ_OK) return code;
    if (kz_kind_by_number(kind) == NULL || !kz_id_valid(id)) return no_record(kind, id, rev, "did not exist", err);
    kz_arena_reset(&view->scratch.arena);
    code = kz_asof_change(&view->scope, &view->scratch.arena, kind, id, rev, &change, err);
    if (code == KZ_NOT_FOUND) return no_record(kind, id, rev, "did not exist", err);
    if (code != KZ_OK) return code;
    if (change->after->has_retired_at) return no_record(kind, id, rev, "was retired", err);
    *out = kz_record_dup(change->after);
    return *out != NULL ? KZ_OK : kz_fail(err, KZ_NO_MEMORY, "read a record: out of memory");
}

struct listing {
    struct kz_view *view;
    Kz__Kind kind;
    struct kz_as_of *as_of;
    bool retired;
    struct kz_rows index;
    kz_record_visitor visit;
    void *data;
    bool more;
};

/* One record that exists now: as it was then, if it was. In the view's arena, emptied for each row. The id of a record
 * that the visitor did not take stays out of `next`. */
static enum kz_code visit_then(struct listing *listing, const struct kz_rows *now, struct kz_err *err)
{
    struct kz_arena *arena = &listing->view->scratch.arena;
    struct kz_key key = kz_key_bytes(now->key.data, now->key.size_bytes);
    Kz__Record *record;
    uint64_t found;
    if (now->value.size_bytes < 2)
        return kz_table_corrupt(KZ_TABLE_RECORDS, key.bytes, key.size_bytes, "not a record", err);
    struct kz_bytes bytes = {now->value.data + 1, now->value.size_bytes - 1};
    struct kz_as_of *as_of = listing->as_of;
    kz_arena_reset(arena);
    enum kz_code code = kz_state_decode_record(arena, &key, bytes, &record, err);
    if (code != KZ_OK) return code;
    const char *id = record->id;
    if (record->rev > as_of->rev) {
        Kz__Change *change = NULL;
        code = find_change(&listing->index, listing->kind, id, as_of->rev, &found, err);
        if (code == KZ_OK) code = load_change(&listing->view->scope, listing->kind, id, found, arena, &change, err);
        if (code != KZ_OK && code != KZ_NOT_FOUND) return code;
        record = change == NULL ? NULL : change->after; /* NULL: it came later */
    }
    if (record != NULL && (listing->retired || !record->has_retired_at))
        listing->more = listing->visit(listing->data, record);
    if (listing->more) snprintf(as_of->next, sizeof(as_of->next), "%.*s", (int)KZ_ID_MAX_BYTES, id);
    return KZ_OK;
}

enum kz_code kz_view_list_as_of(struct kz_view *view, Kz__Kind kind, struct kz_as_of *as_of, const char *after,
                                bool retired, kz_record_visitor visit, void *data, struct kz_err *err)
{
    struct kz_rows now;
    struct listing listing = {
        .view = view, .kind = kind, .as_of = as_of, .retired = retired, .visit = visit, .data = data, .more = true};
    struct kz_key start = kz_key_record_after(kind, after);
    size_t looked = 0;
    snprintf(as_of->next, sizeof(as_of->next), "%s", after != NULL ? after : "");
    as_of->more = false;
    enum kz_code code = check_revision(view, as_of->rev, err);
    if (code == KZ_OK) code = kz_rows_open(&now, &view->scope, KZ_TABLE_RECORDS, err);
    if (code != KZ_OK) return code;
    code = kz_rows_open(&listing.index, &view->scope, KZ_TABLE_HISTORY_INDEX, err);
    if (code == KZ_OK) code = kz_rows_seek(&now, start.bytes, start.size_bytes, err);
    while (code == KZ_OK && now.key.data[0] == (uint8_t)kind) {
        as_of->more = looked++ == as_of->rows_max;
        if (as_of->more) break;
        code = visit_then(&listing, &now, err);
        as_of->more = !listing.more;
        if (code != KZ_OK || !listing.more) break;
        code = kz_rows_next(&now, err);
    }
    kz_rows_close(&listing.index);
    kz_rows_close(&now);
    return code == KZ_NOT_FOUND ? KZ_OK : code;
}

struct since {
    uint64_t rev;
    kz_name_visitor visit;
    void *data;
};

/* A record's first change after the revision is the one that found it as it was then: each is named once, and nothing
 * needs to be remembered. */
static bool visit_first(void *data, const Kz__Change *change)
{
    const struct since *since = data;
    if (change->before != NULL && change->before->rev > since->rev) return true;
    return since->visit(since->data, change->kind, change->id);
}

enum kz_code kz_view_changed_since(struct kz_view *view, uint64_t rev, kz_name_visitor visit, void *data,
                                   struct kz_err *err)
{
    struct since since = {rev, visit, data};
    enum kz_code code = check_revision(view, rev, err);
    return code == KZ_OK ? kz_view_changes(view, rev + 1, visit_first, &since, err) : code;
}

/* Times never go back from one revision to the next (apply sees to it), so that the last one is found by halving. */
enum kz_code kz_view_revision_at(struct kz_view *view, int64_t time_ms, uint64_t *rev, int64_t *rev_ms,
                                 struct kz_err *err)
{
    struct kz_meta meta;
    enum kz_code code = kz_meta_load(&view->scope, &meta, err);
    if (code != KZ_OK) return code;
    if (time_ms > meta.data_time_ms) return kz_fail(err, KZ_TOO_OLD, "this copy is not complete to that time");
    uint64_t below = 0, above = meta.rev + 1; /* below is at or before it, above is after it */
    while (above - below > 1) {
        uint64_t middle = below + (above - below) / 2;
        int64_t middle_ms;
        code = kz_view_revision_time(view, middle, &middle_ms, err);
        if (code != KZ_OK) return code;
        *(middle_ms <= time_ms ? &below : &above) = middle;
    }
    *rev = below;
    *rev_ms = 0;
    return below == 0 ? KZ_OK : kz_view_revision_time(view, below, rev_ms, err);
}

enum kz_code kz_view_revision_time(struct kz_view *view, uint64_t rev, int64_t *time_ms, struct kz_err *err)
{
    struct kz_key key = kz_key_u64(rev);
    struct kz_bytes row;
    Kz__Change *change;
    enum kz_code code = check_revision(view, rev, err);
    if (code == KZ_OK) code = kz_table_get(&view->scope, KZ_TABLE_HISTORY, &key, &row, err);
    if (code == KZ_NOT_FOUND) return kz_table_corrupt(KZ_TABLE_HISTORY, key.bytes, key.size_bytes, "missing", err);
    kz_arena_reset(&view->scratch.arena);
    if (code == KZ_OK) code = kz_state_decode_change(&view->scratch.arena, rev, row, &change, err);
    if (code == KZ_OK) *time_ms = change->time_ms;
    return code;
}
