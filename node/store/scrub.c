/* SPDX-License-Identifier: Apache-2.0 */
/* Reads everything and compares it with what it must be: seals, the records' sum, counters, histories without gaps,
 * references both ways, remembered requests both ways, the audit head, the log's chain. */
#include "node/store/internal.h"

#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/store/blob_state.h"
#include "node/store/requests.h"
#include "node/store/stage.h"
#include "node/store/state.h"

struct scrub {
    struct kz_view *view;
    struct kz_meta meta;
    struct kz_hash_sum sum;
    struct kz_counter counters[KZ_KINDS_MAX];
    uint64_t references;
    uint64_t requests_bytes;
    Kz__Kind kind; /* of the record in hand */
    const char *id;
    enum kz_code failure;
    struct kz_err *err;
};

typedef enum kz_code (*check_row)(struct scrub *scrub, const struct kz_rows *rows);

static enum kz_code bad(struct scrub *scrub, const struct kz_rows *rows, const char *why)
{
    return kz_table_corrupt(rows->table, rows->key.data, rows->key.size_bytes, why, scrub->err);
}

static enum kz_code walk(struct scrub *scrub, enum kz_table table, check_row check, uint64_t *count)
{
    struct kz_rows rows;
    *count = 0;
    enum kz_code code = kz_rows_open(&rows, &scrub->view->scope, table, scrub->err);
    if (code != KZ_OK) return code;
    for (code = kz_rows_first(&rows, scrub->err); code == KZ_OK; code = kz_rows_next(&rows, scrub->err)) {
        ++*count;
        if (check != NULL) code = check(scrub, &rows);
        if (code != KZ_OK) break;
    }
    kz_rows_close(&rows);
    return code == KZ_NOT_FOUND ? KZ_OK : code;
}

/* A row that must exist because another one says so. */
static enum kz_code expect(struct scrub *scrub, enum kz_table table, const struct kz_key *key, struct kz_bytes *out)
{
    enum kz_code code = kz_table_get(&scrub->view->scope, table, key, out, scrub->err);
    return code == KZ_NOT_FOUND ? kz_table_corrupt(table, key->bytes, key->size_bytes, "missing", scrub->err) : code;
}

struct seen_references {
    struct scrub *scrub;
    struct kz_arena *arena;
    const struct seen_reference *first;
};

/* References are few per record: a list is enough to count each target once. */
struct seen_reference {
    const struct seen_reference *next;
    struct kz_key key;
};

static void check_reference(void *data, const char *path, Kz__Kind kind, const char *id)
{
    struct seen_references *seen = data;
    struct scrub *scrub = seen->scrub;
    struct kz_bytes row;
    (void)path;
    if (scrub->failure != KZ_OK || kz_kind_by_number(kind) == NULL || !kz_id_valid(id)) return;
    struct kz_key key = kz_key_reference(kind, id, scrub->kind, scrub->id);
    for (const struct seen_reference *at = seen->first; at != NULL; at = at->next) {
        if (at->key.size_bytes == key.size_bytes && memcmp(at->key.bytes, key.bytes, key.size_bytes) == 0) return;
    }
    struct seen_reference *mark = kz_arena_alloc(seen->arena, sizeof(*mark));
    if (mark == NULL) {
        scrub->failure = kz_fail(scrub->err, KZ_NO_MEMORY, "out of memory");
        return;
    }
    *mark = (struct seen_reference){seen->first, key};
    seen->first = mark;
    scrub->references++;
    scrub->failure = expect(scrub, KZ_TABLE_REFS, &key, &row);
}

static enum kz_code check_record(struct scrub *scrub, const struct kz_rows *rows)
{
    struct kz_arena *arena = &scrub->view->scratch.arena;
    struct kz_key key = kz_key_bytes(rows->key.data, rows->key.size_bytes);
    struct kz_bytes bytes = {rows->value.data + 1, rows->value.size_bytes - 1};
    Kz__Record *record;
    if (rows->value.size_bytes < 2) return bad(scrub, rows, "not a record");
    kz_arena_reset(arena);
    enum kz_code code = kz_state_decode_record(arena, &key, bytes, &record, scrub->err);
    if (code != KZ_OK) return code;
    unsigned kind = rows->key.data[0];
    bool retired = (rows->value.data[0] & KZ_RECORD_RETIRED) != 0;
    if ((unsigned)record->kind != kind || kind >= KZ_KINDS_MAX || strlen(record->id) + 1 != key.size_bytes ||
        memcmp(record->id, key.bytes + 1, key.size_bytes - 1) != 0 || retired != (record->has_retired_at != 0))
        return bad(scrub, rows, "the record is not the one its key names");
    kz_hash_sum_add(&scrub->sum, kind, record->id, bytes.data, bytes.size_bytes);
    *(retired ? &scrub->counters[kind].retired : &scrub->counters[kind].live) += 1;

    struct kz_bytes row;
    key = kz_key_record_rev(record->kind, record->id, record->rev);
    code = expect(scrub, KZ_TABLE_HISTORY_INDEX, &key, &row);
    if (code != KZ_OK || retired) return code;
    scrub->kind = record->kind;
    scrub->id = record->id;
    struct seen_references seen = {scrub, arena, NULL};
    kz_record_references(record, check_reference, &seen);
    return scrub->failure;
}

static enum kz_code check_change(struct scrub *scrub, const struct kz_rows *rows)
{
    struct kz_arena *arena = &scrub->view->scratch.arena;
    Kz__Change *change;
    struct kz_bytes row;
    if (rows->key.size_bytes != 8) return bad(scrub, rows, "wrong key");
    kz_arena_reset(arena);
    enum kz_code code = kz_state_decode_change(arena, kz_get_u64(rows->key.data), rows->value, &change, scrub->err);
    if (code != KZ_OK) return code;
    if (kz_kind_by_number(change->kind) == NULL || !kz_id_valid(change->id)) return bad(scrub, rows, "not a change");
    struct kz_key key = kz_key_record_rev(change->kind, change->id, change->rev);
    return expect(scrub, KZ_TABLE_HISTORY_INDEX, &key, &row);
}

static enum kz_code check_order(struct scrub *scrub, const struct kz_rows *rows)
{
    struct kz_bytes row;
    if (rows->key.size_bytes != 8 || rows->value.size_bytes != KZ_REQUEST_ORDER_BYTES)
        return bad(scrub, rows, "wrong size");
    struct kz_key key = kz_key_bytes(rows->value.data, KZ_REQUEST_ID_BYTES);
    enum kz_code code = expect(scrub, KZ_TABLE_REQUESTS, &key, &row);
    if (code != KZ_OK) return code;
    if (row.size_bytes < 8 || memcmp(row.data, rows->key.data, 8) != 0)
        return bad(scrub, rows, "the request names another order");
    scrub->requests_bytes += row.size_bytes - 8;
    return KZ_OK;
}

static enum kz_code check_state(struct scrub *scrub)
{
    static const char key[] = "state";
    const char *why = NULL;
    if (memcmp(&scrub->sum, &scrub->meta.records_sum, sizeof(scrub->sum)) != 0)
        why = "the records do not add up to the state hash";
    else if (memcmp(scrub->counters, scrub->meta.counters, sizeof(scrub->counters)) != 0)
        why = "the counters do not fit the records";
    return why == NULL ? KZ_OK : kz_table_corrupt(KZ_TABLE_STATE, key, strlen(key), why, scrub->err);
}

static enum kz_code check_count(struct scrub *scrub, enum kz_table table, uint64_t count, uint64_t expected)
{
    if (count == expected) return KZ_OK;
    return kz_fail(scrub->err, KZ_CORRUPT, "table %s: %llu rows or bytes where %llu belong", kz_table_name(table),
                   (unsigned long long)count, (unsigned long long)expected);
}

static enum kz_code check_audit_head(struct scrub *scrub)
{
    struct kz_key key = kz_key_u64(scrub->meta.index);
    struct kz_bytes row;
    if (scrub->meta.index == 0) return KZ_OK;
    enum kz_code code = expect(scrub, KZ_TABLE_AUDIT, &key, &row);
    if (code != KZ_OK) return code;
    if (row.size_bytes != KZ_HASH_BYTES + 1 || memcmp(row.data, scrub->meta.audit_head, KZ_HASH_BYTES) != 0)
        return kz_table_corrupt(KZ_TABLE_AUDIT, key.bytes, key.size_bytes, "not the chain's head", scrub->err);
    return KZ_OK;
}

static bool pass_entry(void *data, uint64_t index, const struct kz_entry *entry)
{
    (void)data; /* kz_view_log_terms has checked it */
    (void)index;
    (void)entry;
    return true;
}

static enum kz_code check_tables(struct scrub *scrub)
{
    uint64_t records, history, index_rows, references, requests, order, rest;
    enum kz_code code = walk(scrub, KZ_TABLE_RECORDS, check_record, &records);
    if (code == KZ_OK) code = kz_blob_scrub(&scrub->view->scope, &scrub->sum, scrub->err);
    if (code == KZ_OK) code = check_state(scrub);
    if (code == KZ_OK) code = walk(scrub, KZ_TABLE_HISTORY, check_change, &history);
    if (code == KZ_OK) code = check_count(scrub, KZ_TABLE_HISTORY, history, scrub->meta.rev);
    if (code == KZ_OK) code = walk(scrub, KZ_TABLE_HISTORY_INDEX, NULL, &index_rows);
    if (code == KZ_OK) code = check_count(scrub, KZ_TABLE_HISTORY_INDEX, index_rows, history);
    if (code == KZ_OK) code = walk(scrub, KZ_TABLE_REFS, NULL, &references);
    if (code == KZ_OK) code = check_count(scrub, KZ_TABLE_REFS, references, scrub->references);
    if (code == KZ_OK) code = walk(scrub, KZ_TABLE_REQUESTS, NULL, &requests);
    if (code == KZ_OK) code = walk(scrub, KZ_TABLE_REQUESTS_ORDER, check_order, &order);
    if (code == KZ_OK)
        code =
            check_count(scrub, KZ_TABLE_REQUESTS_ORDER, order, scrub->meta.requests_next - scrub->meta.requests_first);
    if (code == KZ_OK) code = check_count(scrub, KZ_TABLE_REQUESTS, requests, order);
    if (code == KZ_OK) code = check_count(scrub, KZ_TABLE_REQUESTS, scrub->requests_bytes, scrub->meta.requests_bytes);
    if (code == KZ_OK) code = walk(scrub, KZ_TABLE_AUDIT, NULL, &rest);
    if (code == KZ_OK) code = check_audit_head(scrub);
    if (code == KZ_OK) code = walk(scrub, KZ_TABLE_LOCAL, NULL, &rest);
    if (code == KZ_OK) code = walk(scrub, KZ_TABLE_HARD, NULL, &rest);
    if (code == KZ_OK) code = kz_log_check(&scrub->view->scope, scrub->err);
    if (code == KZ_OK) code = kz_view_log_terms(scrub->view, pass_entry, NULL, scrub->err);
    return code;
}

enum kz_code kz_view_scrub(struct kz_view *view, struct kz_err *err)
{
    struct scrub *scrub = calloc(1, sizeof(*scrub));
    if (scrub == NULL) return kz_fail(err, KZ_NO_MEMORY, "scrub: out of memory");
    scrub->view = view;
    scrub->err = err;
    enum kz_code code = kz_meta_load(&view->scope, &scrub->meta, err);
    if (code == KZ_OK) code = check_tables(scrub);
    free(scrub);
    return code == KZ_OK ? KZ_OK : kz_wrap(err, "scrub");
}
