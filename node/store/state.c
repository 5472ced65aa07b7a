/* SPDX-License-Identifier: Apache-2.0 */
#include "node/store/state.h"

#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"

static const struct kz_bytes NOTHING = {NULL, 0};

/* ---- records ---- */

/* A miss beside a damaged key would be a wrong answer: the rows next to where the key belongs must be sound. */
static enum kz_code check_neighbours(const struct kz_scope *scope, const struct kz_key *key, struct kz_err *err)
{
    struct kz_rows rows;
    enum kz_code code = kz_rows_open(&rows, scope, KZ_TABLE_RECORDS, err);
    if (code != KZ_OK) return code;
    code = kz_rows_seek(&rows, key->bytes, key->size_bytes, err);
    if (code == KZ_OK)
        code = kz_rows_previous(&rows, err);
    else if (code == KZ_NOT_FOUND)
        code = kz_rows_last(&rows, err);
    kz_rows_close(&rows);
    return code == KZ_OK ? KZ_NOT_FOUND : code;
}

enum kz_code kz_state_find(const struct kz_scope *scope, const struct kz_key *key, struct kz_bytes *out, bool *retired,
                           struct kz_err *err)
{
    struct kz_bytes row;
    enum kz_code code = kz_table_get(scope, KZ_TABLE_RECORDS, key, &row, err);
    if (code == KZ_NOT_FOUND) return check_neighbours(scope, key, err);
    if (code != KZ_OK) return code;
    if (row.size_bytes < 2 || (row.data[0] & ~KZ_RECORD_RETIRED) != 0)
        return kz_table_corrupt(KZ_TABLE_RECORDS, key->bytes, key->size_bytes, "not a record", err);
    *retired = (row.data[0] & KZ_RECORD_RETIRED) != 0;
    *out = (struct kz_bytes){row.data + 1, row.size_bytes - 1};
    return KZ_OK;
}

enum kz_code kz_state_decode_record(struct kz_arena *arena, const struct kz_key *key, struct kz_bytes bytes,
                                    Kz__Record **out, struct kz_err *err)
{
    *out = kz__record__unpack(&arena->allocator, bytes.size_bytes, bytes.data);
    if (*out == NULL && (arena->no_memory || arena->over_limit))
        return kz_fail(err, KZ_NO_MEMORY, "decode a record: out of memory");
    if (*out == NULL) return kz_table_corrupt(KZ_TABLE_RECORDS, key->bytes, key->size_bytes, "does not decode", err);
    return KZ_OK;
}

enum kz_code kz_state_decode_change(struct kz_arena *arena, uint64_t rev, struct kz_bytes row, Kz__Change **out,
                                    struct kz_err *err)
{
    *out = kz__change__unpack(&arena->allocator, row.size_bytes, row.data);
    if (*out == NULL && (arena->no_memory || arena->over_limit))
        return kz_fail(err, KZ_NO_MEMORY, "decode a change: out of memory");
    if (*out == NULL || (*out)->rev != rev) {
        struct kz_key key = kz_key_u64(rev);
        return kz_table_corrupt(KZ_TABLE_HISTORY, key.bytes, key.size_bytes, "does not decode", err);
    }
    return KZ_OK;
}

static bool is_live(const Kz__Record *record) { return record != NULL && !record->has_retired_at; }

static enum kz_code write_record(struct kz_store_txn *txn, const struct kz_staged *item, struct kz_err *err)
{
    uint8_t flags = (uint8_t)(is_live(item->after) ? 0 : KZ_RECORD_RETIRED);
    unsigned kind = (unsigned)item->mutation->kind;
    const char *id = item->mutation->id;
    struct kz_meta *meta = &txn->meta;
    if (item->before != NULL) {
        kz_hash_sum_subtract(&meta->records_sum, kind, id, item->before_bytes.data, item->before_bytes.size_bytes);
        *(is_live(item->before) ? &meta->counters[kind].live : &meta->counters[kind].retired) -= 1;
    }
    kz_hash_sum_add(&meta->records_sum, kind, id, item->after_bytes.data, item->after_bytes.size_bytes);
    *(is_live(item->after) ? &meta->counters[kind].live : &meta->counters[kind].retired) += 1;
    return kz_table_put(&txn->scope, KZ_TABLE_RECORDS, &item->key, (struct kz_bytes){&flags, 1}, item->after_bytes,
                        false, err);
}

/* ---- history ---- */

/* Fields of kz.Change that hold records: number << 3 | length-delimited. */
#define CHANGE_BEFORE_TAG 0x4a
#define CHANGE_AFTER_TAG 0x52

static void add_field(struct kz_buf *out, uint8_t tag, struct kz_bytes bytes)
{
    uint8_t head[11] = {tag};
    size_t used = 1;
    size_t rest = bytes.size_bytes;
    for (; rest >= 0x80; rest >>= 7)
        head[used++] = (uint8_t)(rest | 0x80);
    head[used++] = (uint8_t)rest;
    kz_buf_add(out, head, used);
    kz_buf_add(out, bytes.data, bytes.size_bytes);
}

/* `before` could be looked up as the `after` of the record's last change; leaving it out was measured to save 9 to 22 %
 * of what a PUT writes (0.4 to 15 KiB records), not enough for a second look-up on every read of the history.
 *
 * The records are already encoded: they are appended as fields, in the bytes that a packer would write. */
static enum kz_code write_history(struct kz_store_txn *txn, const struct kz_stage *stage, const struct kz_staged *item,
                                  uint64_t index, struct kz_err *err)
{
    struct kz_buf *packed = &txn->scope.store->scratch.packed;
    Kz__Change change = KZ__CHANGE__INIT;
    change.rev = item->rev;
    change.op = item->mutation->op;
    change.kind = item->mutation->kind;
    change.id = item->mutation->id;
    change.time_ms = stage->time_ms;
    change.actor = stage->command->actor;
    change.node = stage->command->node;
    change.reason = stage->command->reason;
    change.has_index = 1;
    change.index = index;
    (void)kz_scratch_pack(&txn->scope.store->scratch, &change.base);
    if (item->before != NULL) add_field(packed, CHANGE_BEFORE_TAG, item->before_bytes);
    add_field(packed, CHANGE_AFTER_TAG, item->after_bytes);
    kz_assert(!packed->failed);

    struct kz_key key = kz_key_u64(item->rev);
    enum kz_code code = kz_table_put(&txn->scope, KZ_TABLE_HISTORY, &key,
                                     (struct kz_bytes){packed->data, packed->size_bytes}, NOTHING, true, err);
    if (code != KZ_OK) return code;
    key = kz_key_record_rev(item->mutation->kind, item->mutation->id, item->rev);
    return kz_table_put(&txn->scope, KZ_TABLE_HISTORY_INDEX, &key, NOTHING, NOTHING, false, err);
}

/* ---- references ---- */

struct reference {
    Kz__Kind kind;
    const char *id; /* borrowed from the record */
};
struct references {
    struct kz_arena *arena;
    struct reference *items;
    size_t count, capacity;
};

static void collect(void *data, const char *path, Kz__Kind kind, const char *id)
{
    struct references *list = data;
    (void)path;
    if (!kz_id_valid(id) || kz_kind_by_number(kind) == NULL) return;
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 16 : 2 * list->capacity;
        struct reference *items = kz_arena_alloc(list->arena, capacity * sizeof(*items));
        kz_assert(items != NULL); /* in apply */
        if (list->count > 0) memcpy(items, list->items, list->count * sizeof(*items));
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = (struct reference){kind, id};
}

static int compare_references(const void *a, const void *b)
{
    const struct reference *x = a, *y = b;
    if (x->kind != y->kind) return x->kind < y->kind ? -1 : 1;
    return strcmp(x->id, y->id);
}

/* What a live record refers to, sorted, each once; a retired one refers to nothing. */
static struct references references_of(struct kz_arena *arena, const Kz__Record *record)
{
    struct references list = {.arena = arena};
    if (!is_live(record)) return list;
    kz_record_references(record, collect, &list);
    if (list.count > 1) qsort(list.items, list.count, sizeof(*list.items), compare_references);
    size_t kept = 0;
    for (size_t i = 0; i < list.count; i++) {
        if (kept == 0 || compare_references(&list.items[kept - 1], &list.items[i]) != 0)
            list.items[kept++] = list.items[i];
    }
    list.count = kept;
    return list;
}

static enum kz_code write_references(struct kz_store_txn *txn, const struct kz_staged *item, struct kz_err *err)
{
    struct kz_arena *arena = &txn->scope.store->scratch.arena;
    struct references old = references_of(arena, item->before);
    struct references new = references_of(arena, item->after);
    const Kz__Mutation *mutation = item->mutation;
    enum kz_code code = KZ_OK;
    size_t o = 0, n = 0;
    while (code == KZ_OK && (o < old.count || n < new.count)) {
        int order = o == old.count ? 1 : n == new.count ? -1 : compare_references(&old.items[o], &new.items[n]);
        const struct reference *target = order <= 0 ? &old.items[o] : &new.items[n];
        struct kz_key key = kz_key_reference(target->kind, target->id, mutation->kind, mutation->id);
        if (order < 0) {
            code = kz_table_delete(&txn->scope, KZ_TABLE_REFS, &key, err);
            if (code == KZ_NOT_FOUND) code = kz_table_corrupt(KZ_TABLE_REFS, key.bytes, key.size_bytes, "missing", err);
        } else if (order > 0) {
            code = kz_table_put(&txn->scope, KZ_TABLE_REFS, &key, NOTHING, NOTHING, false, err);
        }
        o += order <= 0;
        n += order >= 0;
    }
    return code;
}

enum kz_code kz_state_write(struct kz_store_txn *txn, const struct kz_stage *stage, const struct kz_staged *item,
                            uint64_t index, struct kz_err *err)
{
    enum kz_code code = write_record(txn, item, err);
    if (code == KZ_OK) code = write_history(txn, stage, item, index, err);
    if (code == KZ_OK) code = write_references(txn, item, err);
    return code;
}

/* ---- audit ---- */

enum kz_code kz_audit_write(struct kz_store_txn *txn, uint64_t index, const uint8_t head[KZ_HASH_BYTES], bool keep,
                            struct kz_err *err)
{
    struct kz_key key = kz_key_u64(index);
    uint8_t flags = (uint8_t)(keep ? KZ_AUDIT_KEPT : 0);
    enum kz_code code = kz_table_put(&txn->scope, KZ_TABLE_AUDIT, &key, (struct kz_bytes){head, KZ_HASH_BYTES},
                                     (struct kz_bytes){&flags, 1}, true, err);
    if (code != KZ_OK || index <= KZ_AUDIT_WINDOW) return code;

    struct kz_bytes row;
    key = kz_key_u64(index - KZ_AUDIT_WINDOW);
    code = kz_table_get(&txn->scope, KZ_TABLE_AUDIT, &key, &row, err);
    if (code == KZ_OK && row.size_bytes == KZ_HASH_BYTES + 1 && (row.data[KZ_HASH_BYTES] & KZ_AUDIT_KEPT) == 0)
        code = kz_table_delete(&txn->scope, KZ_TABLE_AUDIT, &key, err);
    return code == KZ_NOT_FOUND ? KZ_OK : code;
}
