/* SPDX-License-Identifier: Apache-2.0 */
/* Which generation of the tables may be written to, and how the others are emptied without anybody waiting
 * (decisions/0001): an old state can be gigabytes that are in no memory, and LMDB must read each of its pages to free
 * them. */
#include "node/store/internal.h"

#include "node/base/assert.h"

/* Neither the state nor being imported to. */
static bool is_waste(const struct kz_store_txn *txn, unsigned generation)
{
    const struct kz_import *import = &txn->scope.store->import;
    return generation != txn->scope.generation &&
           !(import->state == KZ_IMPORT_OPEN && generation == import->generation);
}

enum kz_code kz_generation_rows(const struct kz_scope *scope, uint64_t *out, struct kz_err *err)
{
    *out = 0;
    for (unsigned table = KZ_TABLE_FIRST; table <= KZ_TABLE_LAST; table++) {
        uint64_t rows;
        if (!kz_table_generational((enum kz_table)table)) continue;
        enum kz_code code = kz_table_count(scope, (enum kz_table)table, &rows, err);
        if (code != KZ_OK) return code;
        *out += rows;
    }
    return KZ_OK;
}

/* The waste generation with the fewest rows. */
static enum kz_code find_emptiest(const struct kz_store_txn *txn, struct kz_scope *out, uint64_t *out_rows,
                                  struct kz_err *err)
{
    *out_rows = UINT64_MAX;
    for (unsigned generation = 0; generation < KZ_GENERATIONS; generation++) {
        struct kz_scope scope = txn->scope;
        uint64_t rows;
        if (!is_waste(txn, generation)) continue;
        scope.generation = generation;
        enum kz_code code = kz_generation_rows(&scope, &rows, err);
        if (code != KZ_OK) return code;
        if (rows >= *out_rows) continue;
        *out = scope;
        *out_rows = rows;
    }
    kz_assert(*out_rows != UINT64_MAX); /* the state and one import leave at least one */
    return KZ_OK;
}

enum kz_code kz_generation_ready(const struct kz_store_txn *txn, bool *out, struct kz_err *err)
{
    struct kz_scope scope;
    uint64_t rows;
    enum kz_code code = find_emptiest(txn, &scope, &rows, err);
    *out = code == KZ_OK && rows == 0;
    return code;
}

enum kz_code kz_generation_take(const struct kz_store_txn *txn, unsigned *out, struct kz_err *err)
{
    struct kz_scope scope;
    uint64_t rows;
    kz_assert(txn->scope.store->import.state != KZ_IMPORT_OPEN);
    enum kz_code code = find_emptiest(txn, &scope, &rows, err);
    for (unsigned table = KZ_TABLE_FIRST; code == KZ_OK && rows > 0 && table <= KZ_TABLE_LAST; table++) {
        if (kz_table_generational((enum kz_table)table)) code = kz_table_empty(&scope, (enum kz_table)table, err);
    }
    if (code == KZ_OK) *out = scope.generation;
    return code;
}

enum kz_code kz_txn_sweep(struct kz_store_txn *txn, size_t rows_max, bool *left, struct kz_err *err)
{
    size_t rows_left = rows_max;
    kz_assert(rows_max > 0);
    for (unsigned generation = 0; generation < KZ_GENERATIONS; generation++) {
        struct kz_scope scope = txn->scope;
        if (!is_waste(txn, generation)) continue;
        scope.generation = generation;
        for (unsigned table = KZ_TABLE_FIRST; rows_left > 0 && table <= KZ_TABLE_LAST; table++) {
            if (!kz_table_generational((enum kz_table)table)) continue;
            enum kz_code code = kz_table_sweep(&scope, (enum kz_table)table, &rows_left, err);
            if (code != KZ_OK) return code;
        }
    }
    *left = rows_left == 0; /* or nothing more: the next call tells */
    return KZ_OK;
}
