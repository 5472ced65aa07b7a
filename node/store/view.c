/* SPDX-License-Identifier: Apache-2.0 */
/* Queries on one consistent view. */
#include "node/store/internal.h"

#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/store/requests.h"
#include "node/store/stage.h"
#include "node/store/state.h"

enum kz_code kz_view_open(struct kz_store *store, struct kz_view **out, struct kz_err *err)
{
    struct kz_view *view = calloc(1, sizeof(*view));
    if (view == NULL) return kz_fail(err, KZ_NO_MEMORY, "open view: out of memory");
    view->scope.store = store;
    int rc = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &view->scope.mdb);
    if (rc != MDB_SUCCESS) {
        free(view);
        return kz_lmdb_fail(rc, err, "open view");
    }
    kz_scratch_init(&view->scratch);
    enum kz_code code = kz_hard_generation(&view->scope, &view->scope.generation, err);
    if (code != KZ_OK) {
        kz_view_close(view);
        return code;
    }
    *out = view;
    return KZ_OK;
}

void kz_view_close(struct kz_view *view)
{
    if (view == NULL) return;
    mdb_txn_abort(view->scope.mdb);
    kz_scratch_fini(&view->scratch);
    free(view);
}

enum kz_code kz_view_hard(struct kz_view *view, struct kz_hard_state *out, struct kz_err *err)
{
    struct kz_log_bounds bounds;
    memset(out, 0, sizeof(*out));
    enum kz_code code = kz_hard_vote(&view->scope, &out->term, &out->voted_for, err);
    if (code == KZ_OK) code = kz_hard_hint(&view->scope, &out->commit_hint, err);
    if (code == KZ_OK) code = kz_hard_epoch(&view->scope, &out->epoch, out->incarnation, err);
    if (code == KZ_OK) code = kz_log_bounds(&view->scope, &bounds, err);
    if (code != KZ_OK) return code;
    out->first_index = bounds.base.index + 1;
    out->last_index = bounds.last_index;
    out->base_term = bounds.base.term;
    out->base_chain = bounds.base.chain;
    return KZ_OK;
}

enum kz_code kz_view_applied(struct kz_view *view, struct kz_applied *out, struct kz_err *err)
{
    struct kz_meta meta;
    enum kz_code code = kz_meta_load(&view->scope, &meta, err);
    if (code == KZ_OK) kz_meta_applied(&meta, out);
    return code;
}

enum kz_code kz_view_count(struct kz_view *view, Kz__Kind kind, uint64_t *live, uint64_t *retired, struct kz_err *err)
{
    struct kz_meta meta;
    kz_assert((int)kind > 0 && (int)kind < (int)KZ_KINDS_MAX);
    enum kz_code code = kz_meta_load(&view->scope, &meta, err);
    if (code != KZ_OK) return code;
    *live = meta.counters[kind].live;
    *retired = meta.counters[kind].retired;
    return KZ_OK;
}

/* ---- records ---- */

static enum kz_code no_record(Kz__Kind kind, const char *id, struct kz_err *err)
{
    const struct kz_kind *row = kz_kind_by_number(kind);
    return kz_fail(err, KZ_NOT_FOUND, "no %s with id '%.*s'", row != NULL ? row->name : "record", (int)KZ_ID_MAX_BYTES,
                   id);
}

enum kz_code kz_view_get(struct kz_view *view, Kz__Kind kind, const char *id, Kz__Record **out, struct kz_err *err)
{
    if (kz_kind_by_number(kind) == NULL || !kz_id_valid(id)) return no_record(kind, id, err);
    struct kz_key key = kz_key_record(kind, id);
    struct kz_bytes bytes;
    bool retired = false;
    enum kz_code code = kz_state_find(&view->scope, &key, &bytes, &retired, err);
    if (code == KZ_NOT_FOUND) return no_record(kind, id, err);
    if (code != KZ_OK) return code;
    /* By way of the arena, which tells damage from want of memory. */
    Kz__Record *record;
    kz_arena_reset(&view->scratch.arena);
    code = kz_state_decode_record(&view->scratch.arena, &key, bytes, &record, err);
    if (code != KZ_OK) return code;
    *out = kz_record_dup(record);
    return *out != NULL ? KZ_OK : kz_fail(err, KZ_NO_MEMORY, "read a record: out of memory");
}

/* Decodes into the view's arena, which is emptied for each row. */
static enum kz_code visit_record(struct kz_view *view, const struct kz_rows *rows, bool retired,
                                 kz_record_visitor visit, void *data, bool *more, struct kz_err *err)
{
    if (rows->value.size_bytes < 2)
        return kz_table_corrupt(KZ_TABLE_RECORDS, rows->key.data, rows->key.size_bytes, "not a record", err);
    if (!retired && (rows->value.data[0] & KZ_RECORD_RETIRED) != 0) return KZ_OK;
    struct kz_key key = kz_key_bytes(rows->key.data, rows->key.size_bytes);
    struct kz_bytes bytes = {rows->value.data + 1, rows->value.size_bytes - 1};
    Kz__Record *record;
    kz_arena_reset(&view->scratch.arena);
    enum kz_code code = kz_state_decode_record(&view->scratch.arena, &key, bytes, &record, err);
    if (code == KZ_OK) *more = visit(data, record);
    return code;
}

enum kz_code kz_view_list(struct kz_view *view, Kz__Kind kind, const char *after, bool retired, kz_record_visitor visit,
                          void *data, struct kz_err *err)
{
    struct kz_rows rows;
    struct kz_key start = kz_key_record_after(kind, after);
    bool more = true;
    enum kz_code code = kz_rows_open(&rows, &view->scope, KZ_TABLE_RECORDS, err);
    if (code != KZ_OK) return code;
    code = kz_rows_seek(&rows, start.bytes, start.size_bytes, err);
    while (code == KZ_OK && more) {
        if (rows.key.data[0] != (uint8_t)kind) break;
        code = visit_record(view, &rows, retired, visit, data, &more, err);
        if (code == KZ_OK && more) code = kz_rows_next(&rows, err);
    }
    kz_rows_close(&rows);
    return code == KZ_NOT_FOUND ? KZ_OK : code;
}

/* ---- history ---- */

static enum kz_code visit_change(struct kz_view *view, uint64_t rev, kz_change_visitor visit, void *data, bool *more,
                                 struct kz_err *err)
{
    struct kz_key key = kz_key_u64(rev);
    struct kz_bytes row;
    Kz__Change *change;
    enum kz_code code = kz_table_get(&view->scope, KZ_TABLE_HISTORY, &key, &row, err);
    if (code == KZ_NOT_FOUND) return kz_table_corrupt(KZ_TABLE_HISTORY, key.bytes, key.size_bytes, "missing", err);
    if (code != KZ_OK) return code;
    kz_arena_reset(&view->scratch.arena);
    code = kz_state_decode_change(&view->scratch.arena, rev, row, &change, err);
    if (code == KZ_OK) *more = visit(data, change);
    return code;
}

enum kz_code kz_view_history(struct kz_view *view, Kz__Kind kind, const char *id, uint64_t before_rev,
                             kz_change_visitor visit, void *data, struct kz_err *err)
{
    if (kz_kind_by_number(kind) == NULL || !kz_id_valid(id)) return no_record(kind, id, err);
    struct kz_key prefix = kz_key_record_prefix(kind, id);
    struct kz_key start = kz_key_record_rev(kind, id, before_rev == 0 ? UINT64_MAX : before_rev);
    struct kz_rows rows;
    bool more = true;
    enum kz_code code = kz_rows_open(&rows, &view->scope, KZ_TABLE_HISTORY_INDEX, err);
    if (code != KZ_OK) return code;
    code = kz_rows_seek(&rows, start.bytes, start.size_bytes, err);
    if (code == KZ_OK)
        code = kz_rows_previous(&rows, err);
    else if (code == KZ_NOT_FOUND)
        code = kz_rows_last(&rows, err);
    while (code == KZ_OK && more) {
        if (rows.key.size_bytes != prefix.size_bytes + 8 || memcmp(rows.key.data, prefix.bytes, prefix.size_bytes) != 0)
            break;
        code = visit_change(view, kz_get_u64(rows.key.data + prefix.size_bytes), visit, data, &more, err);
        if (code == KZ_OK && more) code = kz_rows_previous(&rows, err);
    }
    kz_rows_close(&rows);
    return code == KZ_NOT_FOUND ? KZ_OK : code;
}

enum kz_code kz_view_changes(struct kz_view *view, uint64_t from_rev, kz_change_visitor visit, void *data,
                             struct kz_err *err)
{
    struct kz_meta meta;
    struct kz_rows rows;
    bool more = true;
    enum kz_code code = kz_meta_load(&view->scope, &meta, err);
    if (code == KZ_OK) code = kz_rows_open(&rows, &view->scope, KZ_TABLE_HISTORY, err);
    if (code != KZ_OK) return code;
    uint64_t rev = from_rev == 0 ? 1 : from_rev;
    struct kz_key key = kz_key_u64(rev);
    if (rev <= meta.rev) code = kz_rows_seek(&rows, key.bytes, key.size_bytes, err);
    /* Revisions have no gaps: a missing one is damage, never "nothing happened". */
    for (; code == KZ_OK && more && rev <= meta.rev; rev++) {
        Kz__Change *change;
        key = kz_key_u64(rev);
        if (rows.key.size_bytes != 8 || kz_get_u64(rows.key.data) != rev) {
            code = kz_table_corrupt(KZ_TABLE_HISTORY, key.bytes, key.size_bytes, "missing", err);
            break;
        }
        kz_arena_reset(&view->scratch.arena);
        code = kz_state_decode_change(&view->scratch.arena, rev, rows.value, &change, err);
        if (code != KZ_OK) break;
        more = visit(data, change);
        if (more && rev < meta.rev) code = kz_rows_next(&rows, err);
    }
    if (code == KZ_NOT_FOUND)
        code = kz_table_corrupt(KZ_TABLE_HISTORY, key.bytes, key.size_bytes, "the rows after it are missing", err);
    kz_rows_close(&rows);
    return code;
}

/* ---- the rest ---- */

enum kz_code kz_view_outcome(struct kz_view *view, const uint8_t request_id[KZ_REQUEST_ID_BYTES], Kz__Outcome **out,
                             struct kz_err *err)
{
    struct kz_bytes packed;
    enum kz_code code = kz_requests_find(&view->scope, request_id, &packed, err);
    if (code == KZ_NOT_FOUND) return kz_fail(err, KZ_NOT_FOUND, "no outcome is remembered for this request");
    if (code != KZ_OK) return code;
    *out = kz__outcome__unpack(NULL, packed.size_bytes, packed.data);
    if (*out == NULL)
        return kz_table_corrupt(KZ_TABLE_REQUESTS, request_id, KZ_REQUEST_ID_BYTES, "does not decode", err);
    return KZ_OK;
}

enum kz_code kz_view_audit(struct kz_view *view, uint64_t index, uint8_t out_head[KZ_HASH_BYTES], struct kz_err *err)
{
    struct kz_key key = kz_key_u64(index);
    struct kz_bytes row;
    enum kz_code code = kz_table_get(&view->scope, KZ_TABLE_AUDIT, &key, &row, err);
    if (code == KZ_NOT_FOUND)
        return kz_fail(err, KZ_NOT_FOUND, "the audit chain holds no row for index %llu", (unsigned long long)index);
    if (code != KZ_OK) return code;
    if (row.size_bytes != KZ_HASH_BYTES + 1)
        return kz_table_corrupt(KZ_TABLE_AUDIT, key.bytes, key.size_bytes, "wrong size", err);
    memcpy(out_head, row.data, KZ_HASH_BYTES);
    return KZ_OK;
}

enum kz_code kz_view_local(struct kz_view *view, const char *key, void *out, size_t *size_bytes, struct kz_err *err)
{
    kz_assert(key[0] != '\0' && strlen(key) <= KZ_KEY_MAX_BYTES);
    struct kz_key row_key = kz_key_text(key);
    struct kz_bytes row;
    enum kz_code code = kz_table_get(&view->scope, KZ_TABLE_LOCAL, &row_key, &row, err);
    if (code == KZ_NOT_FOUND) return kz_fail(err, KZ_NOT_FOUND, "nothing is stored under '%s'", key);
    if (code != KZ_OK) return code;
    if (row.size_bytes > *size_bytes)
        return kz_fail(err, KZ_TOO_BIG, "what is stored under '%s' has %zu bytes, room is for %zu", key, row.size_bytes,
                       *size_bytes);
    memcpy(out, row.data, row.size_bytes);
    *size_bytes = row.size_bytes;
    return KZ_OK;
}

enum kz_code kz_view_local_each(struct kz_view *view, const char *prefix, kz_local_visitor visit, void *data,
                                struct kz_err *err)
{
    struct kz_rows rows;
    char key[KZ_KEY_MAX_BYTES + 1];
    size_t prefix_bytes = strlen(prefix);
    enum kz_code code = kz_rows_open(&rows, &view->scope, KZ_TABLE_LOCAL, err);
    if (code != KZ_OK) return code;
    for (code = kz_rows_seek(&rows, prefix, prefix_bytes, err); code == KZ_OK; code = kz_rows_next(&rows, err)) {
        if (rows.key.size_bytes < prefix_bytes || memcmp(rows.key.data, prefix, prefix_bytes) != 0) break;
        kz_assert(rows.key.size_bytes < sizeof(key));
        memcpy(key, rows.key.data, rows.key.size_bytes);
        key[rows.key.size_bytes] = '\0';
        if (!visit(data, key, rows.value.data, rows.value.size_bytes)) break;
    }
    kz_rows_close(&rows);
    return code == KZ_NOT_FOUND ? KZ_OK : code;
}

/* The command is decoded anew, because staging fills in the record it is given. */
enum kz_code kz_view_try(struct kz_view *view, const Kz__Command *command, int64_t now_ms, Kz__Outcome **out,
                         struct kz_err *err)
{
    struct kz_meta meta;
    struct kz_stage stage;
    enum kz_code code = kz_meta_load(&view->scope, &meta, err);
    if (code != KZ_OK) return code;
    struct kz_scratch *scratch = &view->scratch;
    kz_arena_reset(&scratch->arena);
    kz_arena_reset(&scratch->entry);
    struct kz_bytes packed = kz_scratch_pack(scratch, &command->base);
    if (packed.data == NULL) return kz_fail(err, KZ_NO_MEMORY, "try: out of memory");
    Kz__Command *copy = kz__command__unpack(&scratch->entry.allocator, packed.size_bytes, packed.data);
    if (copy == NULL && scratch->entry.no_memory) return kz_fail(err, KZ_NO_MEMORY, "try: out of memory");
    if (copy == NULL) return kz_fail(err, KZ_TOO_BIG, "the command is too large to try");
    code = kz_stage_run(&stage, &view->scope, scratch, copy, now_ms > meta.data_time_ms ? now_ms : meta.data_time_ms,
                        meta.rev, 0, err);
    if (code == KZ_OK) {
        packed = kz_scratch_pack(scratch, &stage.outcome.base);
        *out = packed.data == NULL ? NULL : kz__outcome__unpack(NULL, packed.size_bytes, packed.data);
        if (*out == NULL) code = kz_fail(err, KZ_NO_MEMORY, "try: out of memory");
    }
    kz_stage_fini(&stage);
    return code;
}
