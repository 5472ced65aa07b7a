/* SPDX-License-Identifier: Apache-2.0 */
#include "node/store/table.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/base/buf.h"
#include "node/store/internal.h"
#include "node/store/sealed.h"

static_assert(KZ_TABLE_KEY_MAX_BYTES >= 2 * (KZ_ID_MAX_BYTES + 1) + 1 + 8, "the longest key fits");
static_assert(KZ_TABLE_KEY_MAX_BYTES >= KZ_KEY_MAX_BYTES, "local keys fit");
static_assert(KZ_TABLE_KEY_MAX_BYTES <= 511, "LMDB's limit");

const char *kz_table_name(enum kz_table table)
{
    static const char *const names[] = {
        [KZ_TABLE_HARD] = "hard",
        [KZ_TABLE_LOG] = "log",
        [KZ_TABLE_LOCAL] = "local",
        [KZ_TABLE_STATE] = "state",
        [KZ_TABLE_RECORDS] = "records",
        [KZ_TABLE_HISTORY] = "history",
        [KZ_TABLE_HISTORY_INDEX] = "history_index",
        [KZ_TABLE_REFS] = "refs",
        [KZ_TABLE_REQUESTS] = "requests",
        [KZ_TABLE_REQUESTS_ORDER] = "requests_order",
        [KZ_TABLE_AUDIT] = "audit",
        [KZ_TABLE_CHUNKS] = "chunks",
        [KZ_TABLE_CONTENTS] = "contents",
        [KZ_TABLE_LOOSE] = "loose",
        [KZ_TABLE_LOOSE_ORDER] = "loose_order",
    };
    kz_assert(table >= KZ_TABLE_FIRST && table <= KZ_TABLE_LAST);
    return names[table];
}

/* ---- keys ---- */

struct kz_key kz_key_bytes(const void *bytes, size_t size_bytes)
{
    struct kz_key key;
    kz_assert(size_bytes > 0 && size_bytes <= sizeof(key.bytes));
    memcpy(key.bytes, bytes, size_bytes);
    key.size_bytes = size_bytes;
    return key;
}

struct kz_key kz_key_u64(uint64_t number)
{
    struct kz_key key;
    kz_put_u64(key.bytes, number);
    key.size_bytes = 8;
    return key;
}

struct kz_key kz_key_text(const char *text) { return kz_key_bytes(text, strlen(text)); }

static void add_record(struct kz_key *key, Kz__Kind kind, const char *id)
{
    size_t id_bytes = strlen(id);
    kz_assert((int)kind > 0 && (int)kind < (int)KZ_KINDS_MAX);
    kz_assert(id_bytes <= KZ_ID_MAX_BYTES);
    key->bytes[key->size_bytes++] = (uint8_t)kind;
    memcpy(key->bytes + key->size_bytes, id, id_bytes);
    key->size_bytes += id_bytes;
}

struct kz_key kz_key_record(Kz__Kind kind, const char *id)
{
    struct kz_key key;
    key.size_bytes = 0;
    add_record(&key, kind, id);
    return key;
}

struct kz_key kz_key_record_after(Kz__Kind kind, const char *after)
{
    struct kz_key key = kz_key_record(kind, "");
    if (after == NULL || after[0] == '\0') return key;
    /* Ids hold no NUL. A longer text than any id sorts like its beginning. */
    size_t size = strnlen(after, KZ_ID_MAX_BYTES);
    memcpy(key.bytes + 1, after, size);
    key.bytes[1 + size] = 0;
    key.size_bytes = 2 + size;
    return key;
}

struct kz_key kz_key_record_prefix(Kz__Kind kind, const char *id)
{
    struct kz_key key = kz_key_record(kind, id);
    key.bytes[key.size_bytes++] = 0;
    return key;
}

struct kz_key kz_key_record_rev(Kz__Kind kind, const char *id, uint64_t rev)
{
    struct kz_key key = kz_key_record_prefix(kind, id);
    kz_put_u64(key.bytes + key.size_bytes, rev);
    key.size_bytes += 8;
    return key;
}

struct kz_key kz_key_reference(Kz__Kind kind, const char *id, Kz__Kind referrer_kind, const char *referrer_id)
{
    struct kz_key key = kz_key_record_prefix(kind, id);
    add_record(&key, referrer_kind, referrer_id);
    return key;
}

/* ---- errors ---- */

enum kz_code kz_lmdb_fail(int rc, struct kz_err *err, const char *what)
{
    kz_assert(rc != MDB_SUCCESS);
    switch (rc) {
    case MDB_NOTFOUND:
        return kz_fail(err, KZ_NOT_FOUND, "%s: not found", what);
    case MDB_MAP_FULL:
        return kz_fail(err, KZ_NO_SPACE, "%s: the store's map is full; raise its map size and start again", what);
    case ENOSPC:
    case EDQUOT:
        return kz_fail(err, KZ_NO_SPACE, "%s: no space left on the disk", what);
    case EIO:
        /* A full disk shows as a short write, which LMDB turns into EIO. */
        return kz_fail(err, KZ_IO, "%s: the disk reported an error, or is full", what);
    case ENOMEM:
        return kz_fail(err, KZ_NO_MEMORY, "%s: out of memory", what);
    case MDB_READERS_FULL:
        return kz_fail(err, KZ_BUSY, "%s: too many readers at once", what);
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
    case MDB_PANIC:
    case MDB_CURSOR_FULL:
        return kz_fail(err, KZ_CORRUPT, "%s: the data file is damaged (%s)", what, mdb_strerror(rc));
    default:
        return kz_fail(err, KZ_IO, "%s: %s", what, mdb_strerror(rc));
    }
}

enum kz_code kz_table_corrupt(enum kz_table table, const void *key, size_t key_bytes, const char *why,
                              struct kz_err *err)
{
    char text[3 * KZ_TABLE_KEY_MAX_BYTES + 1];
    const uint8_t *bytes = key;
    size_t used = 0;
    if (key_bytes == 8 && table != KZ_TABLE_RECORDS && table != KZ_TABLE_HARD && table != KZ_TABLE_LOCAL)
        return kz_fail(err, KZ_CORRUPT, "table %s, key %llu: %s", kz_table_name(table),
                       (unsigned long long)kz_get_u64(bytes), why);
    for (size_t i = 0; i < key_bytes && i < KZ_TABLE_KEY_MAX_BYTES; i++) {
        bool plain = bytes[i] > ' ' && bytes[i] < 0x7f;
        int n = snprintf(text + used, sizeof(text) - used, plain ? "%c" : "%%%02x", bytes[i]);
        used += (size_t)n;
    }
    text[used] = '\0';
    return kz_fail(err, KZ_CORRUPT, "table %s, key %s: %s", kz_table_name(table), text, why);
}

/* ---- single rows ---- */

static MDB_dbi handle(const struct kz_scope *scope, enum kz_table table)
{
    return scope->store->dbi[scope->generation][table];
}

static enum kz_code unseal(enum kz_table table, const MDB_val *key, const MDB_val *value, struct kz_bytes *out,
                           struct kz_err *err)
{
    out->data = value->mv_data;
    if (!kz_seal_check(table, key->mv_data, key->mv_size, value->mv_data, value->mv_size, &out->size_bytes))
        return kz_table_corrupt(table, key->mv_data, key->mv_size, "checksum does not fit", err);
    return KZ_OK;
}

enum kz_code kz_table_get(const struct kz_scope *scope, enum kz_table table, const struct kz_key *key,
                          struct kz_bytes *out, struct kz_err *err)
{
    MDB_val k = {key->size_bytes, (void *)(uintptr_t)key->bytes};
    MDB_val v;
    int rc = mdb_get(scope->mdb, handle(scope, table), &k, &v);
    if (rc == MDB_NOTFOUND) return KZ_NOT_FOUND;
    if (rc != MDB_SUCCESS) return kz_lmdb_fail(rc, err, kz_table_name(table));
    return unseal(table, &k, &v, out, err);
}

enum kz_code kz_table_put(const struct kz_scope *scope, enum kz_table table, const struct kz_key *key,
                          struct kz_bytes head, struct kz_bytes body, bool append, struct kz_err *err)
{
    size_t payload_bytes = head.size_bytes + body.size_bytes;
    MDB_val k = {key->size_bytes, (void *)(uintptr_t)key->bytes};
    MDB_val v = {payload_bytes + KZ_SEAL_BYTES, NULL};
    int rc = mdb_put(scope->mdb, handle(scope, table), &k, &v, MDB_RESERVE | (append ? MDB_APPEND : 0u));
    if (rc != MDB_SUCCESS) return kz_lmdb_fail(rc, err, kz_table_name(table));

    uint8_t *to = v.mv_data;
    if (head.size_bytes > 0) memcpy(to, head.data, head.size_bytes);
    if (body.size_bytes > 0) memcpy(to + head.size_bytes, body.data, body.size_bytes);
    kz_seal(table, key->bytes, key->size_bytes, to, payload_bytes);
    return KZ_OK;
}

enum kz_code kz_table_put_sealed(const struct kz_scope *scope, enum kz_table table, const uint8_t *key,
                                 size_t key_bytes, struct kz_bytes sealed, struct kz_err *err)
{
    MDB_val k = {key_bytes, (void *)(uintptr_t)key};
    MDB_val v = {sealed.size_bytes, (void *)(uintptr_t)sealed.data};
    int rc = mdb_put(scope->mdb, handle(scope, table), &k, &v, MDB_APPEND);
    if (rc == MDB_KEYEXIST)
        return kz_fail(err, KZ_PROTOCOL, "snapshot rows: table %s out of order", kz_table_name(table));
    if (rc != MDB_SUCCESS) return kz_lmdb_fail(rc, err, kz_table_name(table));
    return KZ_OK;
}

enum kz_code kz_table_delete(const struct kz_scope *scope, enum kz_table table, const struct kz_key *key,
                             struct kz_err *err)
{
    MDB_val k = {key->size_bytes, (void *)(uintptr_t)key->bytes};
    int rc = mdb_del(scope->mdb, handle(scope, table), &k, NULL);
    if (rc == MDB_NOTFOUND) return KZ_NOT_FOUND;
    if (rc != MDB_SUCCESS) return kz_lmdb_fail(rc, err, kz_table_name(table));
    return KZ_OK;
}

enum kz_code kz_table_empty(const struct kz_scope *scope, enum kz_table table, struct kz_err *err)
{
    int rc = mdb_drop(scope->mdb, handle(scope, table), 0);
    if (rc != MDB_SUCCESS) return kz_lmdb_fail(rc, err, kz_table_name(table));
    return KZ_OK;
}

enum kz_code kz_table_sweep(const struct kz_scope *scope, enum kz_table table, size_t *rows_left, struct kz_err *err)
{
    MDB_cursor *cursor;
    MDB_val key, value;
    int rc = mdb_cursor_open(scope->mdb, handle(scope, table), &cursor);
    if (rc != MDB_SUCCESS) return kz_lmdb_fail(rc, err, kz_table_name(table));
    while (*rows_left > 0) {
        rc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
        if (rc == MDB_SUCCESS) rc = mdb_cursor_del(cursor, 0);
        if (rc != MDB_SUCCESS) break;
        --*rows_left;
    }
    mdb_cursor_close(cursor);
    return rc == MDB_SUCCESS || rc == MDB_NOTFOUND ? KZ_OK : kz_lmdb_fail(rc, err, kz_table_name(table));
}

enum kz_code kz_table_count(const struct kz_scope *scope, enum kz_table table, uint64_t *out, struct kz_err *err)
{
    MDB_stat stat;
    int rc = mdb_stat(scope->mdb, handle(scope, table), &stat);
    if (rc != MDB_SUCCESS) return kz_lmdb_fail(rc, err, kz_table_name(table));
    *out = stat.ms_entries;
    return KZ_OK;
}

/* ---- walks ---- */

enum kz_code kz_rows_open(struct kz_rows *rows, const struct kz_scope *scope, enum kz_table table, struct kz_err *err)
{
    memset(rows, 0, sizeof(*rows));
    rows->scope = scope;
    rows->table = table;
    int rc = mdb_cursor_open(scope->mdb, handle(scope, table), &rows->cursor);
    if (rc != MDB_SUCCESS) return kz_lmdb_fail(rc, err, kz_table_name(table));
    return KZ_OK;
}

void kz_rows_close(struct kz_rows *rows)
{
    if (rows->cursor != NULL) mdb_cursor_close(rows->cursor);
    rows->cursor = NULL;
}

static enum kz_code move(struct kz_rows *rows, MDB_val *key, MDB_cursor_op op, struct kz_err *err)
{
    MDB_val value;
    int rc = mdb_cursor_get(rows->cursor, key, &value, op);
    if (rc == MDB_NOTFOUND) return KZ_NOT_FOUND;
    if (rc != MDB_SUCCESS) return kz_lmdb_fail(rc, err, kz_table_name(rows->table));
    rows->key = (struct kz_bytes){key->mv_data, key->mv_size};
    rows->sealed = (struct kz_bytes){value.mv_data, value.mv_size};
    return unseal(rows->table, key, &value, &rows->value, err);
}

enum kz_code kz_rows_first(struct kz_rows *rows, struct kz_err *err)
{
    MDB_val key = {0, NULL};
    return move(rows, &key, MDB_FIRST, err);
}

enum kz_code kz_rows_last(struct kz_rows *rows, struct kz_err *err)
{
    MDB_val key = {0, NULL};
    return move(rows, &key, MDB_LAST, err);
}

enum kz_code kz_rows_seek(struct kz_rows *rows, const void *key, size_t key_bytes, struct kz_err *err)
{
    MDB_val k = {key_bytes, (void *)(uintptr_t)key};
    return move(rows, &k, MDB_SET_RANGE, err);
}

enum kz_code kz_rows_next(struct kz_rows *rows, struct kz_err *err)
{
    MDB_val key = {0, NULL};
    return move(rows, &key, MDB_NEXT, err);
}

enum kz_code kz_rows_previous(struct kz_rows *rows, struct kz_err *err)
{
    MDB_val key = {0, NULL};
    return move(rows, &key, MDB_PREV, err);
}

enum kz_code kz_rows_delete(struct kz_rows *rows, struct kz_err *err)
{
    int rc = mdb_cursor_del(rows->cursor, 0);
    if (rc != MDB_SUCCESS) return kz_lmdb_fail(rc, err, kz_table_name(rows->table));
    return KZ_OK;
}
