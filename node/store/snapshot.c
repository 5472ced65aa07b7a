/* SPDX-License-Identifier: Apache-2.0 */
/* The state tables as a stream of rows, out and in (decisions/0001). Integers big-endian:
 *
 *   0       1          3            7            11           15
 *   +-------+----------+------------+------------+------------+-----+-------+
 *   | table | key size | value size | offset     | piece size | key | piece |
 *   | u8    | u16      | u32        | u32        | u32        |     |       |
 *   +-------+----------+------------+------------+------------+-----+-------+
 *
 * `value` is the stored value with its seal. A value that does not fit comes in pieces, one after the other, the key
 * repeated. Tables come in number order from KZ_TABLE_STATE (whose one row names index, term and hashes), keys
 * ascending. The seal travels along and is checked on both sides. The last row is of table END, key "end", and holds
 * the number of rows before it (u64), so that no row can be missing. */
#include "node/store/internal.h"

#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/store/blob_state.h"
#include "node/store/sealed.h"
#include "node/store/state.h"

#define ROW_HEAD_BYTES 15u
#define TABLE_END 255u
static const char END_KEY[] = "end";
#define END_KEY_BYTES (sizeof(END_KEY) - 1)

/* ---- out ---- */

/* Adds as much of the row as fits; true when all of it did. */
static bool export_row(struct kz_export_cursor *cursor, struct kz_bytes key, struct kz_bytes sealed, uint8_t *out,
                       size_t room, size_t *used)
{
    size_t head = ROW_HEAD_BYTES + key.size_bytes;
    size_t rest = sealed.size_bytes - cursor->value_offset;
    if (room - *used <= head) return false;
    size_t piece = rest < room - *used - head ? rest : room - *used - head;
    /* Not a small piece at the end of a chunk when the whole row fits into the next one. */
    if (piece<rest && * used> 0 && cursor->value_offset == 0 && head + rest <= room) return false;

    uint8_t *to = out + *used;
    to[0] = cursor->table;
    kz_put_u16(to + 1, (uint16_t)key.size_bytes);
    kz_put_u32(to + 3, (uint32_t)sealed.size_bytes);
    kz_put_u32(to + 7, (uint32_t)cursor->value_offset);
    kz_put_u32(to + 11, (uint32_t)piece);
    memcpy(to + ROW_HEAD_BYTES, key.data, key.size_bytes);
    memcpy(to + head, sealed.data + cursor->value_offset, piece);
    *used += head + piece;
    cursor->value_offset += piece;
    return piece == rest;
}

/* To the row the cursor names: the first one, the one in progress, or the one after the last one done. */
static enum kz_code export_seek(const struct kz_export_cursor *cursor, struct kz_rows *rows, struct kz_err *err)
{
    if (cursor->key_bytes == 0) return kz_rows_first(rows, err);
    enum kz_code code = kz_rows_seek(rows, cursor->key, cursor->key_bytes, err);
    if (code != KZ_OK || cursor->value_offset > 0) return code;
    bool same =
        rows->key.size_bytes == cursor->key_bytes && memcmp(rows->key.data, cursor->key, cursor->key_bytes) == 0;
    return same ? kz_rows_next(rows, err) : KZ_OK;
}

/* *full: the room is used up before the table was. */
static enum kz_code export_table(struct kz_view *view, struct kz_export_cursor *cursor, uint8_t *out, size_t room,
                                 size_t *used, bool *full, struct kz_err *err)
{
    struct kz_rows rows;
    enum kz_code code = kz_rows_open(&rows, &view->scope, (enum kz_table)cursor->table, err);
    if (code != KZ_OK) return code;
    for (code = export_seek(cursor, &rows, err); code == KZ_OK; code = kz_rows_next(&rows, err)) {
        kz_assert(rows.key.size_bytes <= sizeof(cursor->key) && rows.sealed.size_bytes <= KZ_ROW_MAX_BYTES);
        size_t before = *used;
        *full = !export_row(cursor, rows.key, rows.sealed, out, room, used);
        if (*full && *used == before) break; /* not begun: stays behind the last row done */
        memcpy(cursor->key, rows.key.data, rows.key.size_bytes);
        cursor->key_bytes = rows.key.size_bytes;
        if (*full) break;
        cursor->value_offset = 0;
        cursor->rows++;
    }
    kz_rows_close(&rows);
    return code == KZ_NOT_FOUND ? KZ_OK : code;
}

/* The last row; not begun when it does not fit whole. */
static void export_end(struct kz_export_cursor *cursor, uint8_t *out, size_t room, size_t *used)
{
    uint8_t value[8 + KZ_SEAL_BYTES];
    if (room - *used < ROW_HEAD_BYTES + END_KEY_BYTES + sizeof(value)) return;
    kz_put_u64(value, cursor->rows);
    kz_seal(TABLE_END, END_KEY, END_KEY_BYTES, value, 8);
    cursor->table = TABLE_END;
    (void)export_row(cursor, (struct kz_bytes){(const uint8_t *)END_KEY, END_KEY_BYTES},
                     (struct kz_bytes){value, sizeof(value)}, out, room, used); /* there is room */
}

enum kz_code kz_view_export(struct kz_view *view, struct kz_export_cursor *cursor, uint8_t *out, size_t room,
                            size_t *size_bytes, struct kz_err *err)
{
    bool full = false;
    kz_assert(room >= KZ_EXPORT_ROOM_MIN_BYTES);
    *size_bytes = 0;
    if (!cursor->started) {
        cursor->started = true;
        cursor->table = KZ_TABLE_FIRST_STATE;
    }
    while (cursor->table <= KZ_TABLE_LAST) {
        enum kz_code code = export_table(view, cursor, out, room, size_bytes, &full, err);
        if (code != KZ_OK || full) return code;
        cursor->table++;
        cursor->key_bytes = 0;
        cursor->value_offset = 0;
    }
    if (cursor->table != TABLE_END) export_end(cursor, out, room, size_bytes);
    return KZ_OK;
}

enum kz_code kz_view_export_rows(struct kz_view *view, uint64_t *out, struct kz_err *err)
{
    *out = 0;
    for (unsigned table = KZ_TABLE_FIRST_STATE; table <= KZ_TABLE_LAST; table++) {
        uint64_t rows;
        enum kz_code code = kz_table_count(&view->scope, (enum kz_table)table, &rows, err);
        if (code != KZ_OK) return code;
        *out += rows;
    }
    return KZ_OK;
}

/* ---- in ---- */

static struct kz_scope import_scope(const struct kz_store_txn *txn)
{
    struct kz_scope scope = txn->scope;
    scope.generation = scope.store->import.generation;
    return scope;
}

static void reset_import(struct kz_import *import, enum kz_import_state state)
{
    struct kz_buf value = import->value;
    kz_buf_clear(&value);
    memset(import, 0, sizeof(*import));
    import->value = value;
    import->state = state;
}

void kz_import_abandon(struct kz_store *store) { reset_import(&store->import, KZ_IMPORT_NONE); }

enum kz_code kz_txn_import_drop(struct kz_store_txn *txn, struct kz_err *err)
{
    kz_import_abandon(txn->scope.store);
    return kz_import_forget(&txn->scope, err);
}

enum kz_code kz_txn_import_begin(struct kz_store_txn *txn, const struct kz_import_origin *origin, struct kz_err *err)
{
    const struct kz_import_mark start = {0};
    struct kz_import *import = &txn->scope.store->import;
    unsigned generation;
    enum kz_code code = kz_txn_import_drop(txn, err);
    if (code == KZ_OK) code = kz_generation_take(txn, &generation, err);
    if (code != KZ_OK) return code;
    import->state = KZ_IMPORT_OPEN;
    import->generation = generation;
    if (!origin) return KZ_OK;
    code = kz_import_save_origin(&txn->scope, origin, err);
    return code == KZ_OK ? kz_import_save(&txn->scope, import, &start, err) : code;
}

static enum kz_code bad_rows(struct kz_err *err, const char *why)
{
    return kz_fail(err, KZ_PROTOCOL, "snapshot rows: %s", why);
}

/* The records' sum and the counters are made anew from what arrives, so that install can compare. */
static enum kz_code count_record(struct kz_import *import, struct kz_bytes payload, struct kz_err *err)
{
    char id[KZ_ID_MAX_BYTES + 1];
    const struct kz_key *key = &import->key;
    if (key->size_bytes < 2 || key->size_bytes > KZ_ID_MAX_BYTES + 1 || payload.size_bytes < 2)
        return bad_rows(err, "not a record");
    unsigned kind = key->bytes[0];
    if (kind == 0 || kind >= KZ_KINDS_MAX) return bad_rows(err, "a record of no known kind");
    memcpy(id, key->bytes + 1, key->size_bytes - 1);
    id[key->size_bytes - 1] = '\0';
    kz_hash_sum_add(&import->records_sum, kind, id, payload.data + 1, payload.size_bytes - 1);
    if ((payload.data[0] & KZ_RECORD_RETIRED) != 0)
        import->counters[kind].retired++;
    else
        import->counters[kind].live++;
    return KZ_OK;
}

static enum kz_code count_blob(struct kz_import *import, struct kz_bytes payload, struct kz_err *err)
{
    enum kz_table table = (enum kz_table)import->table;
    struct kz_bytes key = {import->key.bytes, import->key.size_bytes};
    const char *fault = kz_blob_row_fault(table, key, payload);
    if (fault != NULL) return bad_rows(err, fault);
    kz_blob_sum(&import->records_sum, table, key, payload);
    return KZ_OK;
}

static enum kz_code import_value(struct kz_store_txn *txn, struct kz_bytes sealed, struct kz_err *err)
{
    struct kz_import *import = &txn->scope.store->import;
    enum kz_table table = (enum kz_table)import->table;
    struct kz_bytes payload = {sealed.data, 0};
    enum kz_code code = KZ_OK;
    if (!kz_seal_check(import->table, import->key.bytes, import->key.size_bytes, sealed.data, sealed.size_bytes,
                       &payload.size_bytes))
        return bad_rows(err, "a checksum does not fit");
    if (import->table == TABLE_END) {
        import->complete = payload.size_bytes == 8 && kz_get_u64(payload.data) == import->rows;
        return import->complete ? KZ_OK : bad_rows(err, "rows are missing");
    }
    import->rows++;
    if (table == KZ_TABLE_STATE) {
        if (import->has_meta || kz_meta_decode(payload, &import->meta, err) != KZ_OK)
            return bad_rows(err, "the state row makes no sense");
        import->has_meta = true;
    }
    if (table == KZ_TABLE_RECORDS) code = count_record(import, payload, err);
    if (kz_blob_table(table)) code = count_blob(import, payload, err);
    import->history_rows += table == KZ_TABLE_HISTORY;
    import->request_rows += table == KZ_TABLE_REQUESTS;
    import->request_bytes += table == KZ_TABLE_REQUESTS && payload.size_bytes >= 8 ? payload.size_bytes - 8 : 0;
    import->order_rows += table == KZ_TABLE_REQUESTS_ORDER;
    if (code != KZ_OK) return code;
    struct kz_scope scope = import_scope(txn);
    return kz_table_put_sealed(&scope, table, import->key.bytes, import->key.size_bytes, sealed, err);
}

struct piece {
    unsigned table;
    struct kz_bytes key, bytes;
    size_t value_bytes, offset;
};

static enum kz_code read_piece(const uint8_t *from, size_t rest, struct piece *out, size_t *used, struct kz_err *err)
{
    if (rest < ROW_HEAD_BYTES) return bad_rows(err, "cut short");
    out->table = from[0];
    out->key.size_bytes = kz_get_u16(from + 1);
    out->value_bytes = kz_get_u32(from + 3);
    out->offset = kz_get_u32(from + 7);
    out->bytes.size_bytes = kz_get_u32(from + 11);
    bool known = out->table >= KZ_TABLE_FIRST_STATE && out->table <= KZ_TABLE_LAST;
    if (!known && out->table != TABLE_END) return bad_rows(err, "no such table");
    if (out->key.size_bytes == 0 || out->key.size_bytes > KZ_TABLE_KEY_MAX_BYTES) return bad_rows(err, "bad key size");
    if (out->value_bytes < KZ_SEAL_BYTES || out->value_bytes > KZ_ROW_MAX_BYTES) return bad_rows(err, "bad value size");
    if (out->bytes.size_bytes == 0 || out->offset > out->value_bytes ||
        out->bytes.size_bytes > out->value_bytes - out->offset)
        return bad_rows(err, "bad piece size");
    size_t size = ROW_HEAD_BYTES + out->key.size_bytes + out->bytes.size_bytes;
    if (rest < size) return bad_rows(err, "cut short");
    out->key.data = from + ROW_HEAD_BYTES;
    out->bytes.data = out->key.data + out->key.size_bytes;
    *used = size;
    return KZ_OK;
}

static enum kz_code import_piece(struct kz_store_txn *txn, const struct piece *piece, struct kz_err *err)
{
    struct kz_import *import = &txn->scope.store->import;
    if (piece->offset == 0) {
        if (import->value.size_bytes != 0) return bad_rows(err, "a row began before the last one ended");
        if (piece->table < import->table || import->complete) return bad_rows(err, "tables out of order");
        import->table = piece->table;
        import->key = kz_key_bytes(piece->key.data, piece->key.size_bytes);
        import->value_bytes = piece->value_bytes;
        if (piece->bytes.size_bytes == piece->value_bytes) return import_value(txn, piece->bytes, err);
    }
    bool follows = piece->table == import->table && piece->value_bytes == import->value_bytes &&
                   piece->offset == import->value.size_bytes && piece->key.size_bytes == import->key.size_bytes &&
                   memcmp(piece->key.data, import->key.bytes, import->key.size_bytes) == 0;
    if (!follows) return bad_rows(err, "a piece does not follow the one before it");
    kz_buf_add(&import->value, piece->bytes.data, piece->bytes.size_bytes);
    if (import->value.failed) return kz_fail(err, KZ_NO_MEMORY, "snapshot rows: out of memory");
    if (import->value.size_bytes < import->value_bytes) return KZ_OK;
    enum kz_code code = import_value(txn, (struct kz_bytes){import->value.data, import->value.size_bytes}, err);
    kz_buf_clear(&import->value);
    return code;
}

/* A failure that the store survives leaves nothing to go on with after a restart; another one ends the process. */
static enum kz_code fail_import(struct kz_store_txn *txn, enum kz_code code, struct kz_err *err)
{
    struct kz_err other;
    reset_import(&txn->scope.store->import, KZ_IMPORT_FAILED);
    enum kz_code forgotten = kz_import_forget(&txn->scope, &other);
    if (forgotten == KZ_OK) return code;
    *err = other;
    return forgotten;
}

enum kz_code kz_txn_import_rows(struct kz_store_txn *txn, const uint8_t *rows, size_t size_bytes,
                                const struct kz_import_mark *mark, struct kz_err *err)
{
    struct kz_import *import = &txn->scope.store->import;
    if (import->state != KZ_IMPORT_OPEN) return bad_rows(err, "no import is open");
    size_t at = 0;
    enum kz_code code = KZ_OK;
    while (code == KZ_OK && at < size_bytes) {
        struct piece piece = {0};
        size_t used = 0;
        code = read_piece(rows + at, size_bytes - at, &piece, &used, err);
        if (code == KZ_OK) code = import_piece(txn, &piece, err);
        at += used;
    }
    if (code != KZ_OK) return fail_import(txn, code, err);
    return mark ? kz_import_save(&txn->scope, import, mark, err) : KZ_OK;
}

/* Everything that arrived is what the sender's one STATE row says it is. */
static enum kz_code check_import(const struct kz_import *import, uint64_t index, uint64_t term, struct kz_err *err)
{
    const struct kz_meta *meta = &import->meta;
    if (import->state != KZ_IMPORT_OPEN) return bad_rows(err, "no import is open");
    if (!import->has_meta || !import->complete) return bad_rows(err, "incomplete");
    if (meta->index != index || meta->term != term)
        return kz_fail(err, KZ_PROTOCOL, "snapshot rows: they are of index %llu term %llu, not %llu term %llu",
                       (unsigned long long)meta->index, (unsigned long long)meta->term, (unsigned long long)index,
                       (unsigned long long)term);
    if (memcmp(&meta->records_sum, &import->records_sum, sizeof(meta->records_sum)) != 0 ||
        memcmp(meta->counters, import->counters, sizeof(meta->counters)) != 0)
        return bad_rows(err, "the records are not the ones the sender's state hash names");
    if (import->history_rows != meta->rev) return bad_rows(err, "the history has gaps");
    if (import->request_rows != meta->requests_next - meta->requests_first ||
        import->request_bytes != meta->requests_bytes || import->order_rows != import->request_rows)
        return bad_rows(err, "remembered requests are missing");
    return KZ_OK;
}

enum kz_code kz_txn_install(struct kz_store_txn *txn, uint64_t index, uint64_t term, struct kz_err *err)
{
    struct kz_import *import = &txn->scope.store->import;
    struct kz_meta *meta;
    uint64_t hint;
    enum kz_code code = check_import(import, index, term, err);
    if (code == KZ_OK) code = kz_txn_meta(txn, &meta, err);
    if (code == KZ_OK && index < meta->index)
        code = kz_fail(err, KZ_TOO_OLD, "snapshot of index %llu is older than the state at %llu",
                       (unsigned long long)index, (unsigned long long)meta->index);
    if (code != KZ_OK) return fail_import(txn, code, err);
    /* The old state and its log stay where they are: kz_txn_sweep removes them bit by bit. */
    struct kz_log_base base = {index, term, import->meta.chain};
    code = kz_hard_put_base(&txn->scope, &base, err);
    if (code == KZ_OK) code = kz_hard_put_generation(&txn->scope, import->generation, err);
    if (code == KZ_OK) code = kz_hard_hint(&txn->scope, &hint, err);
    if (code == KZ_OK && hint < index) code = kz_hard_put_hint(&txn->scope, index, err);
    if (code == KZ_OK) code = kz_import_forget(&txn->scope, err);
    if (code != KZ_OK) return code;

    txn->scope.generation = import->generation;
    txn->meta = import->meta;
    txn->meta_loaded = true;
    txn->meta_dirty = false; /* the row came with the snapshot */
    txn->bounds = (struct kz_log_bounds){base, index, base.chain};
    txn->bounds_loaded = true;
    reset_import(import, KZ_IMPORT_NONE);
    return KZ_OK;
}
