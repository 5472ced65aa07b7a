/* SPDX-License-Identifier: Apache-2.0 */
#include "node/store/requests.h"

#include <string.h>

#include "node/base/log.h"

/* Forgotten by one command: more than come in, so that those past their time grow fewer, and as many bytes as it
 * brings, so that the room holds. */
#define FORGET_MAX 4u

static const struct kz_bytes NOTHING = {NULL, 0};

void kz_requests_tick(struct kz_meta *meta, int64_t time_ms)
{
    if (time_ms <= meta->data_time_ms) return;
    uint64_t step = (uint64_t)time_ms - (uint64_t)meta->data_time_ms;
    meta->requests_clock_ms += step < KZ_REQUESTS_STEP_MAX_MS ? step : KZ_REQUESTS_STEP_MAX_MS;
}

enum kz_code kz_requests_find(const struct kz_scope *scope, const uint8_t request_id[KZ_REQUEST_ID_BYTES],
                              struct kz_bytes *out, struct kz_err *err)
{
    struct kz_key key = kz_key_bytes(request_id, KZ_REQUEST_ID_BYTES);
    struct kz_bytes row;
    enum kz_code code = kz_table_get(scope, KZ_TABLE_REQUESTS, &key, &row, err);
    if (code != KZ_OK) return code;
    if (row.size_bytes < 8) return kz_table_corrupt(KZ_TABLE_REQUESTS, key.bytes, key.size_bytes, "too short", err);
    *out = (struct kz_bytes){row.data + 8, row.size_bytes - 8};
    return KZ_OK;
}

bool kz_requests_too_late(const struct kz_meta *meta, const Kz__Command *command)
{
    return command->has_asked_ms && meta->requests_clock_ms > command->asked_ms &&
           meta->requests_clock_ms - command->asked_ms > KZ_REQUEST_AGE_MAX_MS;
}

/* ---- forgetting ---- */

struct oldest {
    struct kz_key order, id;
    uint64_t clock_ms; /* when it was applied */
};

static enum kz_code read_oldest(const struct kz_store_txn *txn, struct oldest *out, struct kz_err *err)
{
    struct kz_bytes row;
    out->order = kz_key_u64(txn->meta.requests_first);
    enum kz_code code = kz_table_get(&txn->scope, KZ_TABLE_REQUESTS_ORDER, &out->order, &row, err);
    if (code == KZ_NOT_FOUND || (code == KZ_OK && row.size_bytes != KZ_REQUEST_ORDER_BYTES))
        return kz_table_corrupt(KZ_TABLE_REQUESTS_ORDER, out->order.bytes, out->order.size_bytes, "missing", err);
    if (code != KZ_OK) return code;
    out->id = kz_key_bytes(row.data, KZ_REQUEST_ID_BYTES);
    out->clock_ms = kz_get_u64(row.data + KZ_REQUEST_ID_BYTES);
    return KZ_OK;
}

static enum kz_code forget(struct kz_store_txn *txn, const struct oldest *oldest, struct kz_err *err)
{
    struct kz_bytes outcome;
    enum kz_code code = kz_requests_find(&txn->scope, oldest->id.bytes, &outcome, err);
    if (code == KZ_OK) {
        txn->meta.requests_bytes -= outcome.size_bytes;
        code = kz_table_delete(&txn->scope, KZ_TABLE_REQUESTS, &oldest->id, err);
    }
    if (code == KZ_OK) code = kz_table_delete(&txn->scope, KZ_TABLE_REQUESTS_ORDER, &oldest->order, err);
    if (code == KZ_NOT_FOUND)
        return kz_table_corrupt(KZ_TABLE_REQUESTS, oldest->id.bytes, oldest->id.size_bytes, "missing", err);
    txn->meta.requests_first++;
    return code;
}

static uint64_t count_of(const struct kz_meta *meta) { return meta->requests_next - meta->requests_first; }

/* The newest is never forgotten. */
static bool lacks_room(const struct kz_meta *meta)
{
    return count_of(meta) > 1 &&
           meta->requests_bytes + count_of(meta) * KZ_REQUEST_ROW_BYTES > meta->requests_max_bytes;
}

static void tell_early(struct kz_store_txn *txn, const struct oldest *oldest)
{
    const struct kz_meta *meta = &txn->meta;
    uint64_t age_ms = meta->requests_clock_ms - oldest->clock_ms;
    if (txn->scope.store->told_early || age_ms > meta->requests_window_ms) return;
    txn->scope.store->told_early = true;
    kz_log_warn("store.outcomes_forgotten_early", "age_ms=%llu window_ms=%u remembered=%llu bytes=%llu",
                (unsigned long long)age_ms, meta->requests_window_ms, (unsigned long long)count_of(meta),
                (unsigned long long)meta->requests_bytes);
}

static enum kz_code forget_some(struct kz_store_txn *txn, size_t most, struct kz_err *err)
{
    const struct kz_meta *meta = &txn->meta;
    enum kz_code code = KZ_OK;
    for (size_t i = 0; code == KZ_OK && i < most; i++) {
        bool room = !lacks_room(meta);
        if (room && (i == FORGET_MAX || count_of(meta) <= meta->requests_kept)) break;
        struct oldest oldest;
        code = read_oldest(txn, &oldest, err);
        if (code != KZ_OK) return code;
        if (room && meta->requests_clock_ms - oldest.clock_ms <= meta->requests_window_ms) break;
        if (!room) tell_early(txn, &oldest);
        code = forget(txn, &oldest, err);
    }
    return code;
}

/* ---- remembering ---- */

enum kz_code kz_requests_remember(struct kz_store_txn *txn, const uint8_t request_id[KZ_REQUEST_ID_BYTES],
                                  struct kz_bytes outcome, struct kz_err *err)
{
    struct kz_meta *meta = &txn->meta;
    struct kz_key id = kz_key_bytes(request_id, KZ_REQUEST_ID_BYTES);
    struct kz_key order = kz_key_u64(meta->requests_next);
    struct kz_bytes head = {order.bytes, order.size_bytes};
    enum kz_code code = kz_table_put(&txn->scope, KZ_TABLE_REQUESTS, &id, head, outcome, false, err);
    if (code != KZ_OK) return code;
    uint8_t row[KZ_REQUEST_ORDER_BYTES];
    memcpy(row, request_id, KZ_REQUEST_ID_BYTES);
    kz_put_u64(row + KZ_REQUEST_ID_BYTES, meta->requests_clock_ms);
    code = kz_table_put(&txn->scope, KZ_TABLE_REQUESTS_ORDER, &order, (struct kz_bytes){row, sizeof(row)}, NOTHING,
                        true, err);
    if (code != KZ_OK) return code;
    meta->requests_next++;
    meta->requests_bytes += outcome.size_bytes;
    return forget_some(txn, FORGET_MAX + outcome.size_bytes / KZ_REQUEST_ROW_BYTES, err);
}
