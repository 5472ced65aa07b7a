/* SPDX-License-Identifier: Apache-2.0 */
/* The raft log. A row is term u64, type u8, chain u64 (big-endian), data. */
#include "node/store/internal.h"

#include <stdlib.h>

#include "node/base/assert.h"
#include "node/store/chain.h"

#define HEAD_BYTES 17u

static enum kz_code corrupt(uint64_t index, const char *why, struct kz_err *err)
{
    return kz_fail(err, KZ_CORRUPT, "table log, index %llu: %s", (unsigned long long)index, why);
}

static enum kz_code decode(uint64_t index, struct kz_bytes row, struct kz_entry *out, uint64_t *chain,
                           struct kz_err *err)
{
    if (row.size_bytes < HEAD_BYTES || row.data[8] < KZ_ENTRY_COMMAND || row.data[8] > KZ_ENTRY_CHANGE)
        return corrupt(index, "not an entry", err);
    out->term = kz_get_u64(row.data);
    out->type = (enum kz_entry_type)row.data[8];
    out->data = row.data + HEAD_BYTES;
    out->size_bytes = row.size_bytes - HEAD_BYTES;
    *chain = kz_get_u64(row.data + 9);
    return KZ_OK;
}

enum kz_code kz_log_get(const struct kz_scope *scope, uint64_t index, struct kz_entry *out, uint64_t *chain,
                        struct kz_err *err)
{
    struct kz_key key = kz_key_u64(index);
    struct kz_bytes row;
    enum kz_code code = kz_table_get(scope, KZ_TABLE_LOG, &key, &row, err);
    return code == KZ_OK ? decode(index, row, out, chain, err) : code;
}

enum kz_code kz_log_bounds(const struct kz_scope *scope, struct kz_log_bounds *out, struct kz_err *err)
{
    struct kz_rows rows;
    struct kz_entry entry;
    enum kz_code code = kz_hard_base(scope, &out->base, err);
    if (code != KZ_OK) return code;
    out->last_index = out->base.index;
    out->last_chain = out->base.chain;
    code = kz_rows_open(&rows, scope, KZ_TABLE_LOG, err);
    if (code != KZ_OK) return code;
    code = kz_rows_last(&rows, err);
    if (code == KZ_OK && rows.key.size_bytes != 8) code = corrupt(0, "key of a wrong size", err);
    if (code == KZ_OK) {
        out->last_index = kz_get_u64(rows.key.data);
        code = decode(out->last_index, rows.value, &entry, &out->last_chain, err);
    }
    kz_rows_close(&rows);
    return code == KZ_NOT_FOUND ? KZ_OK : code;
}

/* ---- writing ---- */

static enum kz_code truncate(struct kz_store_txn *txn, struct kz_log_bounds *bounds, uint64_t index, struct kz_err *err)
{
    struct kz_key key = kz_key_u64(index);
    struct kz_rows rows;
    enum kz_code code = kz_rows_open(&rows, &txn->scope, KZ_TABLE_LOG, err);
    if (code != KZ_OK) return code;
    code = kz_rows_seek(&rows, key.bytes, key.size_bytes, err);
    while (code == KZ_OK) {
        code = kz_rows_delete(&rows, err);
        if (code == KZ_OK) code = kz_rows_next(&rows, err);
    }
    kz_rows_close(&rows);
    if (code != KZ_NOT_FOUND) return code;

    bounds->last_index = index - 1;
    bounds->last_chain = bounds->base.chain;
    if (bounds->last_index == bounds->base.index) return KZ_OK;
    struct kz_entry last;
    code = kz_log_get(&txn->scope, bounds->last_index, &last, &bounds->last_chain, err);
    return code == KZ_NOT_FOUND ? corrupt(bounds->last_index, "missing", err) : code;
}

enum kz_code kz_txn_append(struct kz_store_txn *txn, uint64_t index, const struct kz_entry *entries, size_t count,
                           struct kz_err *err)
{
    struct kz_log_bounds *bounds;
    struct kz_meta *meta;
    enum kz_code code = kz_txn_bounds(txn, &bounds, err);
    if (code == KZ_OK) code = kz_txn_meta(txn, &meta, err);
    if (code != KZ_OK) return code;
    kz_assert(index > meta->index && index > bounds->base.index && index <= bounds->last_index + 1);
    if (index <= bounds->last_index) code = truncate(txn, bounds, index, err);

    for (size_t i = 0; code == KZ_OK && i < count; i++) {
        const struct kz_entry *entry = &entries[i];
        uint8_t head[HEAD_BYTES];
        uint64_t chain =
            kz_chain_next(bounds->last_chain, entry->term, (int)entry->type, entry->data, entry->size_bytes);
        kz_put_u64(head, entry->term);
        head[8] = (uint8_t)entry->type;
        kz_put_u64(head + 9, chain);
        struct kz_key key = kz_key_u64(index + i);
        code = kz_table_put(&txn->scope, KZ_TABLE_LOG, &key, (struct kz_bytes){head, sizeof(head)},
                            (struct kz_bytes){entry->data, entry->size_bytes}, true, err);
        bounds->last_index = index + i;
        bounds->last_chain = chain;
    }
    return code;
}

enum kz_code kz_txn_compact(struct kz_store_txn *txn, uint64_t index, struct kz_err *err)
{
    struct kz_log_bounds *bounds;
    struct kz_meta *meta;
    enum kz_code code = kz_txn_bounds(txn, &bounds, err);
    if (code == KZ_OK) code = kz_txn_meta(txn, &meta, err);
    if (code != KZ_OK) return code;
    kz_assert(index <= meta->index);
    if (index <= bounds->base.index) return KZ_OK;

    struct kz_log_base base = {.index = index};
    struct kz_entry entry;
    code = kz_log_get(&txn->scope, index, &entry, &base.chain, err);
    if (code == KZ_NOT_FOUND) return corrupt(index, "missing", err);
    if (code != KZ_OK) return code;
    base.term = entry.term;

    struct kz_rows rows;
    code = kz_rows_open(&rows, &txn->scope, KZ_TABLE_LOG, err);
    if (code != KZ_OK) return code;
    code = kz_rows_first(&rows, err);
    while (code == KZ_OK && kz_get_u64(rows.key.data) <= index) {
        code = kz_rows_delete(&rows, err);
        if (code == KZ_OK) code = kz_rows_next(&rows, err);
    }
    kz_rows_close(&rows);
    if (code != KZ_OK && code != KZ_NOT_FOUND) return code;
    bounds->base = base;
    return kz_hard_put_base(&txn->scope, &base, err);
}

/* ---- reading ---- */

enum kz_code kz_view_entry(struct kz_view *view, uint64_t index, struct kz_entry *out, struct kz_err *err)
{
    uint64_t chain;
    struct kz_log_bounds bounds;
    enum kz_code code = kz_log_get(&view->scope, index, out, &chain, err);
    if (code != KZ_NOT_FOUND) return code;
    code = kz_log_bounds(&view->scope, &bounds, err);
    if (code != KZ_OK) return code;
    if (index > bounds.base.index && index <= bounds.last_index) return corrupt(index, "missing", err);
    return kz_fail(err, KZ_NOT_FOUND, "the log holds %llu..%llu, not %llu", (unsigned long long)bounds.base.index + 1,
                   (unsigned long long)bounds.last_index, (unsigned long long)index);
}

enum kz_code kz_view_chain(struct kz_view *view, uint64_t index, uint64_t *out_chain, struct kz_err *err)
{
    struct kz_entry entry;
    struct kz_log_base base;
    enum kz_code code = kz_hard_base(&view->scope, &base, err);
    if (code != KZ_OK) return code;
    if (index == base.index) {
        *out_chain = base.chain;
        return KZ_OK;
    }
    code = kz_log_get(&view->scope, index, &entry, out_chain, err);
    return code == KZ_NOT_FOUND ? kz_view_entry(view, index, &entry, err) : code;
}

enum kz_code kz_view_log_terms(struct kz_view *view, kz_log_visitor visit, void *data, struct kz_err *err)
{
    struct kz_log_base base;
    struct kz_rows rows;
    enum kz_code code = kz_hard_base(&view->scope, &base, err);
    if (code == KZ_OK) code = kz_rows_open(&rows, &view->scope, KZ_TABLE_LOG, err);
    if (code != KZ_OK) return code;
    uint64_t expected = base.index, chain = base.chain, stored;
    bool more = true;
    for (code = kz_rows_first(&rows, err); code == KZ_OK && more; code = kz_rows_next(&rows, err)) {
        struct kz_entry entry;
        expected++;
        if (rows.key.size_bytes != 8 || kz_get_u64(rows.key.data) != expected) {
            code = corrupt(expected, "missing", err);
            break;
        }
        code = decode(expected, rows.value, &entry, &stored, err);
        if (code != KZ_OK) break;
        chain = kz_chain_next(chain, entry.term, (int)entry.type, entry.data, entry.size_bytes);
        if (chain != stored) {
            code = corrupt(expected, "does not continue the chain of the entries before it", err);
            break;
        }
        more = visit(data, expected, &entry);
        if (!more) break;
    }
    kz_rows_close(&rows);
    return code == KZ_NOT_FOUND ? KZ_OK : code;
}

enum kz_code kz_log_check(const struct kz_scope *scope, struct kz_err *err)
{
    struct kz_log_bounds bounds;
    struct kz_entry entry;
    uint64_t count, chain, term, first_index = 0;
    struct kz_meta *meta = kz_must_alloc(1, sizeof(*meta));
    struct kz_rows rows;
    enum kz_code code = kz_log_bounds(scope, &bounds, err);
    if (code == KZ_OK) code = kz_table_count(scope, KZ_TABLE_LOG, &count, err);
    if (code == KZ_OK) code = kz_meta_load(scope, meta, err);
    if (code == KZ_OK) code = kz_rows_open(&rows, scope, KZ_TABLE_LOG, err);
    if (code != KZ_OK) goto done;
    code = kz_rows_first(&rows, err);
    if (code == KZ_OK && rows.key.size_bytes == 8) first_index = kz_get_u64(rows.key.data);
    kz_rows_close(&rows);
    if (code != KZ_OK && code != KZ_NOT_FOUND) goto done;
    code = KZ_OK;
    if (count != bounds.last_index - bounds.base.index || (count > 0 && first_index != bounds.base.index + 1)) {
        code = corrupt(bounds.base.index + 1, "the log has a gap", err);
        goto done;
    }
    if (meta->index < bounds.base.index || meta->index > bounds.last_index) {
        code = corrupt(meta->index, "the state is applied to an entry that the log does not hold", err);
        goto done;
    }
    term = bounds.base.term;
    chain = bounds.base.chain;
    if (meta->index > bounds.base.index) {
        code = kz_log_get(scope, meta->index, &entry, &chain, err);
        if (code == KZ_NOT_FOUND) code = corrupt(meta->index, "missing", err);
        if (code != KZ_OK) goto done;
        term = entry.term;
    }
    if (term != meta->term || chain != meta->chain)
        code = corrupt(meta->index, "the state was made from another log", err);
done:
    free(meta);
    return code;
}
