/* SPDX-License-Identifier: Apache-2.0 */
#include "node/store/blob_state.h"

#include <assert.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/base/buf.h"
#include "node/base/log.h"

#define CONTENT_HEAD_BYTES 8u
#define CONTENT_MAX_BYTES (CONTENT_HEAD_BYTES + KZ_BLOB_CHUNKS_MAX * KZ_HASH_BYTES)
#define ORDER_BYTES (8u + KZ_HASH_BYTES)
#define NO_KIND 0u /* of no record: in the sum, rows of blobs cannot be taken for records */

static_assert(CONTENT_MAX_BYTES < KZ_ROW_MAX_BYTES, "a content's list is one row");
static_assert(KZ_BLOB_LOOSE_MAX >= 2 * KZ_BLOB_CHUNKS_MAX, "several uploads go on at once");

static const struct kz_bytes NOTHING = {NULL, 0};

static struct kz_key hash_key(const uint8_t *hash) { return kz_key_bytes(hash, KZ_HASH_BYTES); }

static struct kz_key order_key(uint64_t since, const uint8_t *chunk)
{
    struct kz_key key = kz_key_u64(since);
    memcpy(key.bytes + 8, chunk, KZ_HASH_BYTES);
    key.size_bytes = ORDER_BYTES;
    return key;
}

static void hash_bytes(const void *bytes, size_t size_bytes, uint8_t out[KZ_HASH_BYTES])
{
    struct kz_hash hash;
    kz_hash_init(&hash);
    kz_hash_add(&hash, bytes, size_bytes);
    kz_hash_done(&hash, out);
}

/* What chunk `number` of a content of `size_bytes` measures; all but the last are full. */
static uint64_t chunk_bytes(uint64_t size_bytes, uint64_t number)
{
    uint64_t from = number * KZ_CHUNK_MAX_BYTES;
    return size_bytes - from < KZ_CHUNK_MAX_BYTES ? size_bytes - from : KZ_CHUNK_MAX_BYTES;
}

static uint64_t chunk_count(uint64_t size_bytes) { return (size_bytes + KZ_CHUNK_MAX_BYTES - 1) / KZ_CHUNK_MAX_BYTES; }

/* ---- rows, each in the sum ---- */

static struct kz_bytes bytes_of(const struct kz_key *key) { return (struct kz_bytes){key->bytes, key->size_bytes}; }

/* A chunk's own bytes are left out: its key is their hash. */
static size_t member_of(enum kz_table table, struct kz_bytes key, struct kz_bytes payload,
                        uint8_t out[ORDER_BYTES + CONTENT_MAX_BYTES])
{
    size_t rest = table == KZ_TABLE_CHUNKS ? 0 : payload.size_bytes;
    memcpy(out, key.data, key.size_bytes);
    if (rest > 0) memcpy(out + key.size_bytes, payload.data, rest);
    return key.size_bytes + rest;
}

void kz_blob_sum(struct kz_hash_sum *sum, enum kz_table table, struct kz_bytes key, struct kz_bytes payload)
{
    uint8_t member[ORDER_BYTES + CONTENT_MAX_BYTES];
    size_t size = member_of(table, key, payload, member);
    kz_hash_sum_add(sum, NO_KIND, kz_table_name(table), member, size);
}

static enum kz_code put_row(struct kz_store_txn *txn, enum kz_table table, const struct kz_key *key,
                            struct kz_bytes payload, struct kz_err *err)
{
    kz_blob_sum(&txn->meta.records_sum, table, bytes_of(key), payload);
    return kz_table_put(&txn->scope, table, key, payload, NOTHING, false, err);
}

/* `payload` is what is stored, for the sum. */
static enum kz_code delete_row(struct kz_store_txn *txn, enum kz_table table, const struct kz_key *key,
                               struct kz_bytes payload, struct kz_err *err)
{
    uint8_t member[ORDER_BYTES + CONTENT_MAX_BYTES];
    size_t size = member_of(table, bytes_of(key), payload, member);
    kz_hash_sum_subtract(&txn->meta.records_sum, NO_KIND, kz_table_name(table), member, size);
    enum kz_code code = kz_table_delete(&txn->scope, table, key, err);
    return code == KZ_NOT_FOUND ? kz_table_corrupt(table, key->bytes, key->size_bytes, "missing", err) : code;
}

const char *kz_blob_row_fault(enum kz_table table, struct kz_bytes key, struct kz_bytes payload)
{
    uint8_t hash[KZ_HASH_BYTES];
    uint64_t size;
    if (key.size_bytes != (table == KZ_TABLE_LOOSE_ORDER ? ORDER_BYTES : KZ_HASH_BYTES)) return "wrong key";
    switch (table) {
    case KZ_TABLE_CHUNKS:
        if (payload.size_bytes == 0 || payload.size_bytes > KZ_CHUNK_MAX_BYTES) return "wrong size";
        hash_bytes(payload.data, payload.size_bytes, hash);
        return memcmp(hash, key.data, KZ_HASH_BYTES) == 0 ? NULL : "the chunk is not the one its hash names";
    case KZ_TABLE_CONTENTS:
        if (payload.size_bytes < CONTENT_HEAD_BYTES) return "wrong size";
        size = kz_get_u64(payload.data);
        if (size > KZ_BLOB_MAX_BYTES || payload.size_bytes != CONTENT_HEAD_BYTES + chunk_count(size) * KZ_HASH_BYTES)
            return "wrong size";
        return NULL;
    case KZ_TABLE_LOOSE:
        return payload.size_bytes == 8 ? NULL : "wrong size";
    default:
        return payload.size_bytes == 0 ? NULL : "wrong size";
    }
}

/* KZ_NOT_FOUND: the chunk is kept, or not there. */
static enum kz_code find_loose(const struct kz_scope *scope, const uint8_t *chunk, uint64_t *since, struct kz_err *err)
{
    struct kz_key key = hash_key(chunk);
    struct kz_bytes row;
    enum kz_code code = kz_table_get(scope, KZ_TABLE_LOOSE, &key, &row, err);
    if (code != KZ_OK) return code;
    if (row.size_bytes != 8) return kz_table_corrupt(KZ_TABLE_LOOSE, key.bytes, key.size_bytes, "wrong size", err);
    *since = kz_get_u64(row.data);
    return KZ_OK;
}

static enum kz_code loosen(struct kz_store_txn *txn, const uint8_t *chunk, uint64_t since, struct kz_err *err)
{
    uint8_t bytes[8];
    struct kz_key key = hash_key(chunk), order = order_key(since, chunk);
    kz_put_u64(bytes, since);
    enum kz_code code = put_row(txn, KZ_TABLE_LOOSE, &key, (struct kz_bytes){bytes, 8}, err);
    return code == KZ_OK ? put_row(txn, KZ_TABLE_LOOSE_ORDER, &order, NOTHING, err) : code;
}

static enum kz_code fasten(struct kz_store_txn *txn, const uint8_t *chunk, uint64_t since, struct kz_err *err)
{
    uint8_t bytes[8];
    struct kz_key key = hash_key(chunk), order = order_key(since, chunk);
    kz_put_u64(bytes, since);
    enum kz_code code = delete_row(txn, KZ_TABLE_LOOSE, &key, (struct kz_bytes){bytes, 8}, err);
    return code == KZ_OK ? delete_row(txn, KZ_TABLE_LOOSE_ORDER, &order, NOTHING, err) : code;
}

/* ---- a chunk comes ---- */

bool kz_blob_wanted(const Kz__Command *command)
{
    return command->n_mutations > 0 && command->mutations[0]->op == KZ__MUTATION__OP__CHUNK;
}

enum kz_code kz_blob_decide(struct kz_stage *stage)
{
    const Kz__Mutation *mutation = stage->command->mutations[0];
    if (stage->command->n_mutations > 1)
        kz_stage_violate(stage, mutation, "", "chunk.alone", "a chunk stands in a command of its own",
                         "内容の送信は単独の指示で行います");
    kz_mutation_check_op(mutation, &stage->violations);
    if (mutation->kind != KZ__KIND__ATTACHMENT || !kz_id_valid(mutation->id) || !mutation->has_chunk)
        kz_stage_violate(stage, mutation, "", "chunk.form", "a chunk names the attachment it is of",
                         "内容にはどの添付のものかの指定が必要です");
    kz_stage_refuse(stage, stage->violations.count > 0 ? KZ_INVALID : KZ_OK);
    return KZ_OK;
}

/* This copy's bytes went bad, and here are the right ones. The other copies are sound: nothing changes in the sum. */
static enum kz_code repair(struct kz_store_txn *txn, const struct kz_key *key, const ProtobufCBinaryData *bytes,
                           struct kz_err *err)
{
    kz_log_warn("store.chunk_repaired", "error=\"%s\"", err->text);
    return kz_table_put(&txn->scope, KZ_TABLE_CHUNKS, key, (struct kz_bytes){bytes->data, bytes->len}, NOTHING, false,
                        err);
}

/* One that is loose already begins its time anew: somebody is at it. */
enum kz_code kz_blob_store(struct kz_store_txn *txn, const Kz__Command *command, struct kz_err *err)
{
    const ProtobufCBinaryData *bytes = &command->mutations[0]->chunk;
    uint8_t hash[KZ_HASH_BYTES];
    uint64_t since, now = (uint64_t)txn->meta.data_time_ms;
    struct kz_bytes row;
    hash_bytes(bytes->data, bytes->len, hash);
    struct kz_key key = hash_key(hash);
    enum kz_code code = find_loose(&txn->scope, hash, &since, err);
    if (code == KZ_OK) {
        if (since == now) return KZ_OK;
        code = fasten(txn, hash, since, err);
        return code == KZ_OK ? loosen(txn, hash, now, err) : code;
    }
    if (code != KZ_NOT_FOUND) return code;
    code = kz_table_get(&txn->scope, KZ_TABLE_CHUNKS, &key, &row, err);
    if (code == KZ_CORRUPT) return repair(txn, &key, bytes, err);
    if (code != KZ_NOT_FOUND) return code; /* kept */
    code = put_row(txn, KZ_TABLE_CHUNKS, &key, (struct kz_bytes){bytes->data, bytes->len}, err);
    return code == KZ_OK ? loosen(txn, hash, now, err) : code;
}

/* ---- a record refers ---- */

static bool puts_attachment(const struct kz_staged *item)
{
    return item->mutation->op == KZ__MUTATION__OP__PUT && item->mutation->kind == KZ__KIND__ATTACHMENT;
}

/* The same content as the stored record's: one of a version that knew no contents stays editable. */
static bool is_as_before(const struct kz_staged *item, const Kz__Attachment *attachment)
{
    const Kz__Attachment *before = item->before != NULL ? item->before->attachment : NULL;
    return before != NULL && before->sha256 != NULL && strcmp(before->sha256, attachment->sha256) == 0 &&
           before->size == attachment->size;
}

/* *whole: every chunk is there and all together are what the record says. */
static enum kz_code assemble(struct kz_stage *stage, const ProtobufCBinaryData *list, uint64_t size_bytes,
                             const uint8_t content[KZ_HASH_BYTES], bool *missing, bool *whole)
{
    struct kz_hash hash;
    uint8_t out[KZ_HASH_BYTES];
    *missing = *whole = false;
    kz_hash_init(&hash);
    for (uint64_t number = 0; number < chunk_count(size_bytes); number++) {
        struct kz_key key = hash_key(list->data + number * KZ_HASH_BYTES);
        struct kz_bytes row;
        enum kz_code code = kz_table_get(stage->scope, KZ_TABLE_CHUNKS, &key, &row, stage->err);
        *missing = code == KZ_NOT_FOUND;
        if (*missing) return KZ_OK;
        if (code != KZ_OK) return code;
        if (row.size_bytes != chunk_bytes(size_bytes, number)) return KZ_OK;
        kz_hash_add(&hash, row.data, row.size_bytes);
    }
    kz_hash_done(&hash, out);
    *whole = memcmp(out, content, KZ_HASH_BYTES) == 0;
    return KZ_OK;
}

static enum kz_code check_new_content(struct kz_stage *stage, const struct kz_staged *item,
                                      const Kz__Attachment *attachment, const uint8_t content[KZ_HASH_BYTES])
{
    const Kz__Mutation *mutation = item->mutation;
    bool missing, whole;
    if (mutation->content.len != chunk_count((uint64_t)attachment->size) * KZ_HASH_BYTES) {
        kz_stage_violate(stage, mutation, "size", "attachment.size", "is not the size of its content",
                         "内容の大きさと一致しません");
        return KZ_OK;
    }
    enum kz_code code = assemble(stage, &mutation->content, (uint64_t)attachment->size, content, &missing, &whole);
    if (code != KZ_OK) return code;
    if (missing)
        kz_stage_violate(stage, mutation, "sha256", "attachment.chunks",
                         "parts of its content have not arrived, or waited for longer than an hour: send it again",
                         "内容の一部が届いていないか、1時間以上たって消去されました。送り直してください");
    else if (!whole)
        kz_stage_violate(stage, mutation, "sha256", "attachment.hash", "is not the SHA-256 of its content",
                         "内容のSHA-256と一致しません");
    return KZ_OK;
}

static enum kz_code check_item(struct kz_stage *stage, const struct kz_staged *item, size_t *brought)
{
    const Kz__Attachment *attachment = item->after->attachment;
    uint8_t content[KZ_HASH_BYTES];
    struct kz_bytes row;
    if (attachment == NULL || attachment->sha256 == NULL ||
        !kz_hex_read(attachment->sha256, content, sizeof(content)) || !attachment->has_size || attachment->size < 0 ||
        attachment->size > KZ_BLOB_MAX_BYTES)
        return KZ_OK; /* the schema says so */
    struct kz_key key = hash_key(content);
    enum kz_code code = kz_table_get(stage->scope, KZ_TABLE_CONTENTS, &key, &row, stage->err);
    if (code == KZ_OK) {
        if (row.size_bytes < CONTENT_HEAD_BYTES || kz_get_u64(row.data) != (uint64_t)attachment->size)
            kz_stage_violate(stage, item->mutation, "size", "attachment.size", "is not the size of its content",
                             "内容の大きさと一致しません");
        return KZ_OK;
    }
    if (code != KZ_NOT_FOUND) return code;
    if (item->mutation->has_content) {
        /* All of it is read here, in apply: one at a time. */
        if (++*brought == 1) return check_new_content(stage, item, attachment, content);
        kz_stage_violate(stage, item->mutation, "", "attachment.one", "one command brings one content: split it",
                         "1回の指示で登録できる新しい内容は1件です。分けてください");
    } else if (!is_as_before(item, attachment)) {
        kz_stage_violate(stage, item->mutation, "sha256", "attachment.content",
                         "its content is not stored; send the file: keizoku blob put ID FILE",
                         "内容が保存されていません。ファイルを送ってください: keizoku blob put ID ファイル");
    }
    return KZ_OK;
}

enum kz_code kz_blob_check(struct kz_stage *stage)
{
    size_t brought = 0;
    for (size_t i = 0; i < stage->count; i++) {
        if (!puts_attachment(&stage->items[i])) continue;
        enum kz_code code = check_item(stage, &stage->items[i], &brought);
        if (code != KZ_OK) return code;
    }
    return KZ_OK;
}

enum kz_code kz_blob_refer(struct kz_store_txn *txn, const struct kz_staged *item, struct kz_err *err)
{
    const ProtobufCBinaryData *list = &item->mutation->content;
    uint8_t content[KZ_HASH_BYTES], row[CONTENT_MAX_BYTES];
    struct kz_bytes stored;
    if (!puts_attachment(item) || !item->mutation->has_content) return KZ_OK;
    kz_assert(kz_hex_read(item->after->attachment->sha256, content, sizeof(content)));
    kz_assert(list->len <= sizeof(row) - CONTENT_HEAD_BYTES);
    struct kz_key key = hash_key(content);
    enum kz_code code = kz_table_get(&txn->scope, KZ_TABLE_CONTENTS, &key, &stored, err);
    if (code != KZ_NOT_FOUND) return code;

    kz_put_u64(row, (uint64_t)item->after->attachment->size);
    if (list->len > 0) memcpy(row + CONTENT_HEAD_BYTES, list->data, list->len);
    code = put_row(txn, KZ_TABLE_CONTENTS, &key, (struct kz_bytes){row, CONTENT_HEAD_BYTES + list->len}, err);
    for (size_t at = 0; code == KZ_OK && at < list->len; at += KZ_HASH_BYTES) {
        uint64_t since;
        code = find_loose(&txn->scope, list->data + at, &since, err);
        if (code == KZ_OK) code = fasten(txn, list->data + at, since, err);
        if (code == KZ_NOT_FOUND) code = KZ_OK; /* of another content too, or twice in this one */
    }
    return code;
}

/* ---- nobody came for it ---- */

static enum kz_code collect_one(struct kz_store_txn *txn, uint64_t since, const uint8_t *chunk, struct kz_err *err)
{
    struct kz_key key = hash_key(chunk);
    enum kz_code code = fasten(txn, chunk, since, err);
    return code == KZ_OK ? delete_row(txn, KZ_TABLE_CHUNKS, &key, NOTHING, err) : code;
}

/* The one that has been loose for longest; KZ_NOT_FOUND: there is none. */
static enum kz_code find_oldest(const struct kz_scope *scope, uint8_t out[ORDER_BYTES], struct kz_err *err)
{
    struct kz_rows rows;
    enum kz_code code = kz_rows_open(&rows, scope, KZ_TABLE_LOOSE_ORDER, err);
    if (code != KZ_OK) return code;
    code = kz_rows_first(&rows, err);
    if (code == KZ_OK && rows.key.size_bytes != ORDER_BYTES)
        code = kz_table_corrupt(KZ_TABLE_LOOSE_ORDER, rows.key.data, rows.key.size_bytes, "wrong key", err);
    if (code == KZ_OK) memcpy(out, rows.key.data, ORDER_BYTES);
    kz_rows_close(&rows);
    return code;
}

enum kz_code kz_blob_collect(struct kz_store_txn *txn, struct kz_err *err)
{
    uint8_t oldest[ORDER_BYTES];
    uint64_t loose, now = (uint64_t)txn->meta.data_time_ms;
    unsigned collected = 0;
    enum kz_code code = kz_table_count(&txn->scope, KZ_TABLE_LOOSE, &loose, err);
    while (code == KZ_OK && loose > 0 && collected < KZ_BLOB_COLLECT_MAX) {
        code = find_oldest(&txn->scope, oldest, err);
        if (code == KZ_NOT_FOUND) return kz_fail(err, KZ_CORRUPT, "table loose_order: rows are missing");
        if (code != KZ_OK) break;
        uint64_t since = kz_get_u64(oldest);
        if (loose <= KZ_BLOB_LOOSE_MAX && since + KZ_BLOB_LOOSE_MS > now) break;
        code = collect_one(txn, since, oldest + 8, err);
        loose--;
        collected++;
    }
    if (code == KZ_OK && collected > 0)
        kz_log_info("store.chunks_collected", "count=%u left=%llu", collected, (unsigned long long)loose);
    return code;
}
