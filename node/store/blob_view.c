/* SPDX-License-Identifier: Apache-2.0 */
/* Reading contents, and reading all of them again (scrub). */
#include <stdlib.h>
#include <string.h>

#include "node/base/buf.h"
#include "node/store/blob_state.h"

#define CONTENT_HEAD_BYTES 8u

static enum kz_code find_content(struct kz_view *view, const uint8_t *content, struct kz_bytes *row, struct kz_err *err)
{
    struct kz_key key = kz_key_bytes(content, KZ_HASH_BYTES);
    enum kz_code code = kz_table_get(&view->scope, KZ_TABLE_CONTENTS, &key, row, err);
    if (code == KZ_NOT_FOUND) return kz_fail(err, KZ_NOT_FOUND, "no such content is stored here");
    if (code != KZ_OK) return code;
    const char *fault = kz_blob_row_fault(KZ_TABLE_CONTENTS, (struct kz_bytes){key.bytes, key.size_bytes}, *row);
    return fault ? kz_table_corrupt(KZ_TABLE_CONTENTS, key.bytes, key.size_bytes, fault, err) : KZ_OK;
}

enum kz_code kz_view_content(struct kz_view *view, const uint8_t content[KZ_HASH_BYTES], uint64_t *size_bytes,
                             struct kz_err *err)
{
    struct kz_bytes row;
    enum kz_code code = find_content(view, content, &row, err);
    if (code == KZ_OK) *size_bytes = kz_get_u64(row.data);
    return code;
}

enum kz_code kz_view_chunk(struct kz_view *view, const uint8_t content[KZ_HASH_BYTES], uint32_t number,
                           const uint8_t **data, size_t *size_bytes, struct kz_err *err)
{
    struct kz_bytes row;
    enum kz_code code = find_content(view, content, &row, err);
    if (code != KZ_OK) return code;
    if (number >= (row.size_bytes - CONTENT_HEAD_BYTES) / KZ_HASH_BYTES)
        return kz_fail(err, KZ_NOT_FOUND, "the content has no chunk %u", number);
    struct kz_key key = kz_key_bytes(row.data + CONTENT_HEAD_BYTES + (size_t)number * KZ_HASH_BYTES, KZ_HASH_BYTES);
    code = kz_table_get(&view->scope, KZ_TABLE_CHUNKS, &key, &row, err);
    if (code == KZ_NOT_FOUND) return kz_table_corrupt(KZ_TABLE_CHUNKS, key.bytes, key.size_bytes, "missing", err);
    if (code != KZ_OK) return code;
    const char *fault = kz_blob_row_fault(KZ_TABLE_CHUNKS, (struct kz_bytes){key.bytes, key.size_bytes}, row);
    if (fault) return kz_table_corrupt(KZ_TABLE_CHUNKS, key.bytes, key.size_bytes, fault, err);
    *data = row.data;
    *size_bytes = row.size_bytes;
    return KZ_OK;
}

enum kz_code kz_view_has_chunk(struct kz_view *view, const uint8_t chunk[KZ_HASH_BYTES], bool *out, struct kz_err *err)
{
    struct kz_key key = kz_key_bytes(chunk, KZ_HASH_BYTES);
    struct kz_bytes row;
    enum kz_code code = kz_table_get(&view->scope, KZ_TABLE_CHUNKS, &key, &row, err);
    *out = code == KZ_OK;
    return code == KZ_NOT_FOUND || code == KZ_CORRUPT ? KZ_OK : code;
}

enum kz_code kz_view_chunks(struct kz_view *view, uint64_t *all, uint64_t *loose, struct kz_err *err)
{
    enum kz_code code = kz_table_count(&view->scope, KZ_TABLE_CHUNKS, all, err);
    return code == KZ_OK ? kz_table_count(&view->scope, KZ_TABLE_LOOSE, loose, err) : code;
}

/* ---- scrub ---- */

struct blob_scrub {
    const struct kz_scope *scope;
    struct kz_hash_sum *sum;
    struct kz_buf referred; /* hashes of chunks that contents name, with repetitions */
    uint64_t rows[KZ_TABLE_LAST + 1];
    struct kz_err *err;
};

static enum kz_code expect_row(const struct blob_scrub *scrub, enum kz_table table, const struct kz_key *key,
                               struct kz_bytes *row)
{
    enum kz_code code = kz_table_get(scrub->scope, table, key, row, scrub->err);
    return code == KZ_NOT_FOUND ? kz_table_corrupt(table, key->bytes, key->size_bytes, "missing", scrub->err) : code;
}

static enum kz_code check_content(struct blob_scrub *scrub, const struct kz_rows *rows)
{
    for (size_t at = CONTENT_HEAD_BYTES; at < rows->value.size_bytes; at += KZ_HASH_BYTES) {
        struct kz_key key = kz_key_bytes(rows->value.data + at, KZ_HASH_BYTES);
        struct kz_bytes row;
        enum kz_code code = expect_row(scrub, KZ_TABLE_CHUNKS, &key, &row);
        if (code != KZ_OK) return code;
        code = kz_table_get(scrub->scope, KZ_TABLE_LOOSE, &key, &row, scrub->err);
        if (code == KZ_OK)
            return kz_table_corrupt(KZ_TABLE_LOOSE, key.bytes, key.size_bytes, "a content refers to it", scrub->err);
        if (code != KZ_NOT_FOUND) return code;
    }
    kz_buf_add(&scrub->referred, rows->value.data + CONTENT_HEAD_BYTES, rows->value.size_bytes - CONTENT_HEAD_BYTES);
    return scrub->referred.failed ? kz_fail(scrub->err, KZ_NO_MEMORY, "out of memory") : KZ_OK;
}

static enum kz_code check_loose(struct blob_scrub *scrub, const struct kz_rows *rows)
{
    struct kz_bytes row;
    struct kz_key key = kz_key_bytes(rows->key.data, rows->key.size_bytes);
    enum kz_code code = expect_row(scrub, KZ_TABLE_CHUNKS, &key, &row);
    if (code != KZ_OK) return code;
    memcpy(key.bytes, rows->value.data, 8);
    memcpy(key.bytes + 8, rows->key.data, KZ_HASH_BYTES);
    key.size_bytes = 8 + KZ_HASH_BYTES;
    return expect_row(scrub, KZ_TABLE_LOOSE_ORDER, &key, &row);
}

static enum kz_code walk_table(struct blob_scrub *scrub, enum kz_table table)
{
    struct kz_rows rows;
    enum kz_code code = kz_rows_open(&rows, scrub->scope, table, scrub->err);
    if (code != KZ_OK) return code;
    for (code = kz_rows_first(&rows, scrub->err); code == KZ_OK; code = kz_rows_next(&rows, scrub->err)) {
        const char *fault = kz_blob_row_fault(table, rows.key, rows.value);
        if (fault) code = kz_table_corrupt(table, rows.key.data, rows.key.size_bytes, fault, scrub->err);
        if (code == KZ_OK && table == KZ_TABLE_CONTENTS) code = check_content(scrub, &rows);
        if (code == KZ_OK && table == KZ_TABLE_LOOSE) code = check_loose(scrub, &rows);
        if (code != KZ_OK) break;
        kz_blob_sum(scrub->sum, table, rows.key, rows.value);
        scrub->rows[table]++;
    }
    kz_rows_close(&rows);
    return code == KZ_NOT_FOUND ? KZ_OK : code;
}

static int compare_hashes(const void *a, const void *b) { return memcmp(a, b, KZ_HASH_BYTES); }

/* Every chunk is loose or referred to: else nobody would ever remove it. */
static enum kz_code check_counts(struct blob_scrub *scrub)
{
    size_t count = scrub->referred.size_bytes / KZ_HASH_BYTES, distinct = 0;
    uint8_t *hashes = scrub->referred.data;
    if (count > 1) qsort(hashes, count, KZ_HASH_BYTES, compare_hashes);
    for (size_t i = 0; i < count; i++)
        distinct += i == 0 || compare_hashes(hashes + (i - 1) * KZ_HASH_BYTES, hashes + i * KZ_HASH_BYTES) != 0;
    if (scrub->rows[KZ_TABLE_LOOSE] != scrub->rows[KZ_TABLE_LOOSE_ORDER])
        return kz_fail(scrub->err, KZ_CORRUPT, "table loose_order: %llu rows where %llu belong",
                       (unsigned long long)scrub->rows[KZ_TABLE_LOOSE_ORDER],
                       (unsigned long long)scrub->rows[KZ_TABLE_LOOSE]);
    if (scrub->rows[KZ_TABLE_CHUNKS] != scrub->rows[KZ_TABLE_LOOSE] + distinct)
        return kz_fail(scrub->err, KZ_CORRUPT, "table chunks: %llu rows where %llu are loose or in contents",
                       (unsigned long long)scrub->rows[KZ_TABLE_CHUNKS],
                       (unsigned long long)(scrub->rows[KZ_TABLE_LOOSE] + distinct));
    return KZ_OK;
}

enum kz_code kz_blob_scrub(const struct kz_scope *scope, struct kz_hash_sum *sum, struct kz_err *err)
{
    struct blob_scrub scrub = {.scope = scope, .sum = sum, .err = err};
    kz_buf_init(&scrub.referred, 0);
    enum kz_code code = KZ_OK;
    for (unsigned table = KZ_TABLE_CHUNKS; code == KZ_OK && table <= KZ_TABLE_LOOSE_ORDER; table++)
        code = walk_table(&scrub, (enum kz_table)table);
    if (code == KZ_OK) code = check_counts(&scrub);
    kz_buf_fini(&scrub.referred);
    return code;
}
