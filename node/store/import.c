/* SPDX-License-Identifier: Apache-2.0 */
/* Where an import is, in the same transactions as its rows (decisions/0001), so that a restart goes on behind the last
 * durable one. Three kinds of rows in HARD, there while an import is open, integers big-endian:
 *
 *   import           peer u64, transfer u64, leader's term u64, then of the snapshot: index u64, term u64, chain u64,
 *                    configuration index u64, configuration (to the end)
 *   import_mark      next chunk u64, digest (32), generation u8, table u8, flags u8 (1 the state row came, 2 the end
 *                    came), rows u64, history rows u64, request rows u64, request bytes u64, order rows u64,
 *                    pieces u32, bytes of the row in progress u64, records sum (32), counters: 32 times live u64,
 *                    retired u64; key of the row in progress (to the end)
 *   import_piece_N   the row in progress as far as it came, when it is too large for one chunk
 */
#include "node/store/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"

#define ORIGIN_ROW "import"
#define MARK_ROW "import_mark"
#define ORIGIN_BYTES 56u
#define NUMBERS_OFFSET (8u + KZ_HASH_BYTES + 3u)
#define NUMBERS 5u
#define SUM_OFFSET (NUMBERS_OFFSET + 8u * NUMBERS + 4u + 8u)
#define COUNTERS_OFFSET (SUM_OFFSET + KZ_HASH_BYTES)
#define KEY_OFFSET (COUNTERS_OFFSET + KZ_KINDS_MAX * 16u)
#define PIECES_MAX (KZ_ROW_MAX_BYTES / 1024u) /* a chunk holds at least KZ_EXPORT_ROOM_MIN_BYTES */
#define HAS_META 1u
#define COMPLETE 2u

static struct kz_key piece_key(uint32_t piece)
{
    char name[32];
    snprintf(name, sizeof(name), "import_piece_%u", piece);
    return kz_key_text(name);
}

static enum kz_code put(const struct kz_scope *scope, const struct kz_key *key, const void *head, size_t head_bytes,
                        const void *body, size_t body_bytes, struct kz_err *err)
{
    return kz_table_put(scope, KZ_TABLE_HARD, key, (struct kz_bytes){head, head_bytes},
                        (struct kz_bytes){body, body_bytes}, false, err);
}

static enum kz_code drop(const struct kz_scope *scope, const struct kz_key *key, struct kz_err *err)
{
    enum kz_code code = kz_table_delete(scope, KZ_TABLE_HARD, key, err);
    return code == KZ_NOT_FOUND ? KZ_OK : code;
}

static enum kz_code drop_pieces(const struct kz_scope *scope, struct kz_err *err)
{
    enum kz_code code = KZ_OK;
    for (uint32_t piece = 0; code == KZ_OK; piece++) {
        struct kz_key key = piece_key(piece);
        code = kz_table_delete(scope, KZ_TABLE_HARD, &key, err);
    }
    return code == KZ_NOT_FOUND ? KZ_OK : code;
}

/* ---- out ---- */

enum kz_code kz_import_save_origin(const struct kz_scope *scope, const struct kz_import_origin *origin,
                                   struct kz_err *err)
{
    uint8_t row[ORIGIN_BYTES];
    const uint64_t numbers[] = {origin->peer,
                                origin->transfer,
                                origin->term,
                                origin->meta.index,
                                origin->meta.term,
                                origin->meta.chain,
                                origin->meta.configuration_index};
    struct kz_key key = kz_key_text(ORIGIN_ROW);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        kz_put_u64(row + 8 * i, numbers[i]);
    return put(scope, &key, row, sizeof(row), origin->meta.configuration, origin->meta.configuration_bytes, err);
}

/* Of a row in progress only what is new is written: a large one comes in many chunks. */
static enum kz_code save_value(const struct kz_scope *scope, struct kz_import *import, struct kz_err *err)
{
    enum kz_code code = KZ_OK;
    if (import->value.size_bytes < import->value_kept || import->value.size_bytes == 0) {
        if (import->pieces > 0) code = drop_pieces(scope, err);
        import->pieces = 0;
        import->value_kept = 0;
    }
    if (code != KZ_OK || import->value.size_bytes == import->value_kept) return code;
    struct kz_key key = piece_key(import->pieces++);
    size_t from = import->value_kept;
    import->value_kept = import->value.size_bytes;
    return put(scope, &key, import->value.data + from, import->value.size_bytes - from, NULL, 0, err);
}

enum kz_code kz_import_save(const struct kz_scope *scope, struct kz_import *import, const struct kz_import_mark *mark,
                            struct kz_err *err)
{
    uint8_t row[KEY_OFFSET];
    enum kz_code code = save_value(scope, import, err);
    if (code != KZ_OK) return code;
    const uint64_t numbers[NUMBERS] = {import->rows, import->history_rows, import->request_rows, import->request_bytes,
                                       import->order_rows};
    kz_put_u64(row, mark->next);
    memcpy(row + 8, mark->digest, KZ_HASH_BYTES);
    row[NUMBERS_OFFSET - 3] = (uint8_t)import->generation;
    row[NUMBERS_OFFSET - 2] = (uint8_t)import->table;
    row[NUMBERS_OFFSET - 1] = (uint8_t)((import->has_meta ? HAS_META : 0) | (import->complete ? COMPLETE : 0));
    for (size_t i = 0; i < NUMBERS; i++)
        kz_put_u64(row + NUMBERS_OFFSET + 8 * i, numbers[i]);
    kz_put_u32(row + NUMBERS_OFFSET + 8 * NUMBERS, import->pieces);
    kz_put_u64(row + NUMBERS_OFFSET + 8 * NUMBERS + 4, import->value_bytes);
    memcpy(row + SUM_OFFSET, import->records_sum.bytes, KZ_HASH_BYTES);
    for (size_t i = 0; i < KZ_KINDS_MAX; i++) {
        kz_put_u64(row + COUNTERS_OFFSET + 16 * i, import->counters[i].live);
        kz_put_u64(row + COUNTERS_OFFSET + 16 * i + 8, import->counters[i].retired);
    }
    struct kz_key key = kz_key_text(MARK_ROW);
    return put(scope, &key, row, sizeof(row), import->key.bytes, import->key.size_bytes, err);
}

enum kz_code kz_import_forget(const struct kz_scope *scope, struct kz_err *err)
{
    struct kz_key origin = kz_key_text(ORIGIN_ROW), mark = kz_key_text(MARK_ROW);
    enum kz_code code = drop(scope, &origin, err);
    if (code == KZ_OK) code = drop(scope, &mark, err);
    return code == KZ_OK ? drop_pieces(scope, err) : code;
}

/* ---- in ---- */

/* KZ_NOT_FOUND also for rows of another layout: such an import starts again. */
static enum kz_code read_origin(const struct kz_scope *scope, struct kz_import_origin *out, struct kz_err *err)
{
    struct kz_key key = kz_key_text(ORIGIN_ROW);
    struct kz_bytes row;
    enum kz_code code = kz_table_get(scope, KZ_TABLE_HARD, &key, &row, err);
    if (code != KZ_OK) return code;
    if (row.size_bytes < ORIGIN_BYTES || row.size_bytes - ORIGIN_BYTES > sizeof(out->meta.configuration))
        return KZ_NOT_FOUND;
    out->peer = kz_get_u64(row.data);
    out->transfer = kz_get_u64(row.data + 8);
    out->term = kz_get_u64(row.data + 16);
    out->meta.index = kz_get_u64(row.data + 24);
    out->meta.term = kz_get_u64(row.data + 32);
    out->meta.chain = kz_get_u64(row.data + 40);
    out->meta.configuration_index = kz_get_u64(row.data + 48);
    out->meta.configuration_bytes = row.size_bytes - ORIGIN_BYTES;
    memcpy(out->meta.configuration, row.data + ORIGIN_BYTES, out->meta.configuration_bytes);
    return KZ_OK;
}

static enum kz_code read_mark(const struct kz_scope *scope, struct kz_import *import, struct kz_import_mark *mark,
                              struct kz_err *err)
{
    struct kz_key key = kz_key_text(MARK_ROW);
    struct kz_bytes row;
    enum kz_code code = kz_table_get(scope, KZ_TABLE_HARD, &key, &row, err);
    if (code != KZ_OK) return code;
    if (row.size_bytes < KEY_OFFSET || row.size_bytes - KEY_OFFSET > KZ_TABLE_KEY_MAX_BYTES) return KZ_NOT_FOUND;
    uint64_t *const numbers[NUMBERS] = {&import->rows, &import->history_rows, &import->request_rows,
                                        &import->request_bytes, &import->order_rows};
    const uint8_t *from = row.data;
    mark->next = kz_get_u64(from);
    memcpy(mark->digest, from + 8, KZ_HASH_BYTES);
    import->generation = from[NUMBERS_OFFSET - 3];
    import->table = from[NUMBERS_OFFSET - 2];
    import->has_meta = (from[NUMBERS_OFFSET - 1] & HAS_META) != 0;
    import->complete = (from[NUMBERS_OFFSET - 1] & COMPLETE) != 0;
    for (size_t i = 0; i < NUMBERS; i++)
        *numbers[i] = kz_get_u64(from + NUMBERS_OFFSET + 8 * i);
    import->pieces = kz_get_u32(from + NUMBERS_OFFSET + 8 * NUMBERS);
    import->value_bytes = (size_t)kz_get_u64(from + NUMBERS_OFFSET + 8 * NUMBERS + 4);
    memcpy(import->records_sum.bytes, from + SUM_OFFSET, KZ_HASH_BYTES);
    for (size_t i = 0; i < KZ_KINDS_MAX; i++) {
        import->counters[i].live = kz_get_u64(from + COUNTERS_OFFSET + 16 * i);
        import->counters[i].retired = kz_get_u64(from + COUNTERS_OFFSET + 16 * i + 8);
    }
    import->key.size_bytes = row.size_bytes - KEY_OFFSET; /* 0 before the first row */
    memcpy(import->key.bytes, from + KEY_OFFSET, import->key.size_bytes);
    return import->generation < KZ_GENERATIONS && import->pieces <= PIECES_MAX ? KZ_OK : KZ_NOT_FOUND;
}

/* A program that does not know these rows may have swept the generation: then the rows are fewer than the mark says. */
static enum kz_code check_rows(const struct kz_scope *scope, struct kz_import *import, struct kz_err *err)
{
    struct kz_scope other = *scope;
    uint64_t rows;
    other.generation = import->generation;
    if (import->generation == scope->generation) return KZ_NOT_FOUND;
    enum kz_code code = kz_generation_rows(&other, &rows, err);
    if (code == KZ_OK && rows != import->rows) return KZ_NOT_FOUND;
    return code == KZ_OK && import->has_meta ? kz_meta_load(&other, &import->meta, err) : code;
}

enum kz_code kz_view_import(struct kz_view *view, struct kz_import_origin *origin, struct kz_import_mark *mark,
                            struct kz_err *err)
{
    struct kz_import *import = kz_must_alloc(1, sizeof(*import));
    enum kz_code code = read_origin(&view->scope, origin, err);
    if (code == KZ_OK) code = read_mark(&view->scope, import, mark, err);
    if (code == KZ_OK) code = check_rows(&view->scope, import, err);
    free(import);
    return code;
}

enum kz_code kz_import_load(const struct kz_scope *scope, struct kz_import *out, struct kz_err *err)
{
    struct kz_import_mark mark;
    enum kz_code code = read_mark(scope, out, &mark, err);
    if (code == KZ_OK) code = check_rows(scope, out, err);
    for (uint32_t piece = 0; code == KZ_OK && piece < out->pieces; piece++) {
        struct kz_key key = piece_key(piece);
        struct kz_bytes bytes;
        code = kz_table_get(scope, KZ_TABLE_HARD, &key, &bytes, err);
        if (code == KZ_OK) kz_buf_add(&out->value, bytes.data, bytes.size_bytes);
    }
    if (code == KZ_OK && out->value.failed) code = kz_fail(err, KZ_NO_MEMORY, "load an import: out of memory");
    out->value_kept = out->value.size_bytes;
    if (code == KZ_OK) out->state = KZ_IMPORT_OPEN;
    return code == KZ_NOT_FOUND ? KZ_OK : code;
}
