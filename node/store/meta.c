/* SPDX-License-Identifier: Apache-2.0 */
#include "node/store/internal.h"

#include <string.h>

#include "node/base/assert.h"

/* The row STATE "state", integers big-endian:
 *
 *     0 index u64            8 term u64             16 chain u64           24 rev u64
 *    32 data_time_ms i64    40 requests_first u64   48 requests_next u64
 *    56 requests_kept u32   60 configuration size u32                      64 configuration_index u64
 *    72 requests_bytes u64  80 requests_clock_ms u64                       88 requests_window_ms u32
 *    92 requests_max_bytes u64                    100 audit head (32)      132 records sum (32)
 *   164 counters: 32 times live u64, retired u64
 *   676 configuration
 */
#define AUDIT_OFFSET 100u
#define SUM_OFFSET 132u
#define COUNTERS_OFFSET 164u
#define CONFIGURATION_OFFSET (COUNTERS_OFFSET + KZ_KINDS_MAX * 16u)

static const char META_KEY[] = "state";

enum kz_code kz_meta_decode(struct kz_bytes row, struct kz_meta *out, struct kz_err *err)
{
    memset(out, 0, offsetof(struct kz_meta, configuration));
    const uint8_t *from = row.data;
    if (row.size_bytes < CONFIGURATION_OFFSET || row.size_bytes - CONFIGURATION_OFFSET != kz_get_u32(from + 60) ||
        row.size_bytes - CONFIGURATION_OFFSET > KZ_CONFIGURATION_MAX_BYTES)
        return kz_table_corrupt(KZ_TABLE_STATE, META_KEY, strlen(META_KEY), "wrong size", err);
    out->index = kz_get_u64(from);
    out->term = kz_get_u64(from + 8);
    out->chain = kz_get_u64(from + 16);
    out->rev = kz_get_u64(from + 24);
    out->data_time_ms = (int64_t)kz_get_u64(from + 32);
    out->requests_first = kz_get_u64(from + 40);
    out->requests_next = kz_get_u64(from + 48);
    out->requests_kept = kz_get_u32(from + 56);
    out->configuration_bytes = kz_get_u32(from + 60);
    out->configuration_index = kz_get_u64(from + 64);
    out->requests_bytes = kz_get_u64(from + 72);
    out->requests_clock_ms = kz_get_u64(from + 80);
    out->requests_window_ms = kz_get_u32(from + 88);
    out->requests_max_bytes = kz_get_u64(from + 92);
    memcpy(out->audit_head, from + AUDIT_OFFSET, KZ_HASH_BYTES);
    memcpy(out->records_sum.bytes, from + SUM_OFFSET, KZ_HASH_BYTES);
    for (size_t i = 0; i < KZ_KINDS_MAX; i++) {
        out->counters[i].live = kz_get_u64(from + COUNTERS_OFFSET + 16 * i);
        out->counters[i].retired = kz_get_u64(from + COUNTERS_OFFSET + 16 * i + 8);
    }
    memcpy(out->configuration, from + CONFIGURATION_OFFSET, out->configuration_bytes);
    return KZ_OK;
}

enum kz_code kz_meta_load(const struct kz_scope *scope, struct kz_meta *out, struct kz_err *err)
{
    struct kz_key key = kz_key_text(META_KEY);
    struct kz_bytes row;
    enum kz_code rc = kz_table_get(scope, KZ_TABLE_STATE, &key, &row, err);
    if (rc == KZ_NOT_FOUND) return kz_table_corrupt(KZ_TABLE_STATE, META_KEY, strlen(META_KEY), "missing", err);
    if (rc != KZ_OK) return rc;
    return kz_meta_decode(row, out, err);
}

enum kz_code kz_meta_save(const struct kz_scope *scope, const struct kz_meta *meta, struct kz_err *err)
{
    uint8_t row[CONFIGURATION_OFFSET];
    kz_assert(meta->configuration_bytes <= KZ_CONFIGURATION_MAX_BYTES);
    kz_put_u64(row, meta->index);
    kz_put_u64(row + 8, meta->term);
    kz_put_u64(row + 16, meta->chain);
    kz_put_u64(row + 24, meta->rev);
    kz_put_u64(row + 32, (uint64_t)meta->data_time_ms);
    kz_put_u64(row + 40, meta->requests_first);
    kz_put_u64(row + 48, meta->requests_next);
    kz_put_u32(row + 56, meta->requests_kept);
    kz_put_u32(row + 60, meta->configuration_bytes);
    kz_put_u64(row + 64, meta->configuration_index);
    kz_put_u64(row + 72, meta->requests_bytes);
    kz_put_u64(row + 80, meta->requests_clock_ms);
    kz_put_u32(row + 88, meta->requests_window_ms);
    kz_put_u64(row + 92, meta->requests_max_bytes);
    memcpy(row + AUDIT_OFFSET, meta->audit_head, KZ_HASH_BYTES);
    memcpy(row + SUM_OFFSET, meta->records_sum.bytes, KZ_HASH_BYTES);
    for (size_t i = 0; i < KZ_KINDS_MAX; i++) {
        kz_put_u64(row + COUNTERS_OFFSET + 16 * i, meta->counters[i].live);
        kz_put_u64(row + COUNTERS_OFFSET + 16 * i + 8, meta->counters[i].retired);
    }
    struct kz_key key = kz_key_text(META_KEY);
    return kz_table_put(scope, KZ_TABLE_STATE, &key, (struct kz_bytes){row, sizeof(row)},
                        (struct kz_bytes){meta->configuration, meta->configuration_bytes}, false, err);
}

void kz_meta_applied(const struct kz_meta *meta, struct kz_applied *out)
{
    out->index = meta->index;
    out->term = meta->term;
    out->configuration_index = meta->configuration_index;
    out->configuration_bytes = meta->configuration_bytes;
    memcpy(out->configuration, meta->configuration, meta->configuration_bytes);
    out->rev = meta->rev;
    out->data_time_ms = meta->data_time_ms;
    out->requests_clock_ms = meta->requests_clock_ms;
    memcpy(out->audit_head, meta->audit_head, KZ_HASH_BYTES);
    kz_hash_state(&meta->records_sum, meta->rev, meta->audit_head, out->state_hash);
    kz_hash_records(&meta->records_sum, meta->rev, out->records_hash);
}
