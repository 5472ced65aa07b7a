/* SPDX-License-Identifier: Apache-2.0 */
/* One write transaction: what lies between begin and commit becomes durable together. */
#include "node/store/internal.h"

#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"

#define SCRATCH_KEEP_BYTES (1u << 20)

void kz_scratch_init(struct kz_scratch *scratch)
{
    kz_arena_init(&scratch->arena, KZ_SCRATCH_MAX_BYTES);
    kz_arena_init(&scratch->entry, KZ_SCRATCH_MAX_BYTES);
    kz_arena_init(&scratch->row, KZ_SCRATCH_MAX_BYTES);
    kz_buf_init(&scratch->encoded, 0);
    kz_buf_init(&scratch->packed, 0);
}

void kz_scratch_fini(struct kz_scratch *scratch)
{
    kz_arena_fini(&scratch->arena);
    kz_arena_fini(&scratch->entry);
    kz_arena_fini(&scratch->row);
    kz_buf_fini(&scratch->encoded);
    kz_buf_fini(&scratch->packed);
}

static void shrink(struct kz_buf *buf)
{
    if (buf->capacity_bytes <= SCRATCH_KEEP_BYTES) return;
    kz_buf_fini(buf);
    kz_buf_init(buf, 0);
}

struct kz_bytes kz_scratch_pack(struct kz_scratch *scratch, const ProtobufCMessage *message)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    kz_buf_clear(&scratch->packed);
    uint8_t *to = kz_buf_extend(&scratch->packed, size);
    if (to == NULL) return (struct kz_bytes){NULL, 0};
    if (size > 0) kz_assert(protobuf_c_message_pack(message, to) == size);
    return (struct kz_bytes){scratch->packed.data, size};
}

enum kz_code kz_store_begin(struct kz_store *store, struct kz_store_txn **out, struct kz_err *err)
{
    kz_assert(store->txn == NULL);
    enum kz_code code = kz_store_extend(store, err);
    if (code != KZ_OK) return code;
    struct kz_store_txn *txn = kz_must_alloc(1, sizeof(*txn));
    txn->scope.store = store;
    int rc = mdb_txn_begin(store->env, NULL, 0, &txn->scope.mdb);
    if (rc != MDB_SUCCESS) {
        free(txn);
        return kz_lmdb_fail(rc, err, "begin");
    }
    store->txn = txn;
    code = kz_hard_generation(&txn->scope, &txn->scope.generation, err);
    if (code != KZ_OK) {
        kz_store_abort(txn);
        return code;
    }
    *out = txn;
    return KZ_OK;
}

static void end(struct kz_store_txn *txn)
{
    struct kz_store *store = txn->scope.store;
    store->txn = NULL;
    kz_arena_reset(&store->scratch.arena);
    shrink(&store->scratch.encoded);
    shrink(&store->scratch.packed);
    free(txn);
}

enum kz_code kz_store_commit(struct kz_store_txn *txn, struct kz_err *err)
{
    if (txn->meta_dirty) {
        enum kz_code code = kz_meta_save(&txn->scope, &txn->meta, err);
        if (code != KZ_OK) {
            kz_store_abort(txn);
            return code;
        }
    }
    int rc = mdb_txn_commit(txn->scope.mdb);
    end(txn);
    return rc == MDB_SUCCESS ? KZ_OK : kz_lmdb_fail(rc, err, "commit");
}

void kz_store_abort(struct kz_store_txn *txn)
{
    mdb_txn_abort(txn->scope.mdb);
    end(txn);
}

enum kz_code kz_txn_bounds(struct kz_store_txn *txn, struct kz_log_bounds **out, struct kz_err *err)
{
    if (!txn->bounds_loaded) {
        enum kz_code code = kz_log_bounds(&txn->scope, &txn->bounds, err);
        if (code != KZ_OK) return code;
        txn->bounds_loaded = true;
    }
    *out = &txn->bounds;
    return KZ_OK;
}

enum kz_code kz_txn_meta(struct kz_store_txn *txn, struct kz_meta **out, struct kz_err *err)
{
    if (!txn->meta_loaded) {
        enum kz_code code = kz_meta_load(&txn->scope, &txn->meta, err);
        if (code != KZ_OK) return code;
        txn->meta_loaded = true;
    }
    *out = &txn->meta;
    return KZ_OK;
}

enum kz_code kz_txn_applied(struct kz_store_txn *txn, struct kz_applied *out, struct kz_err *err)
{
    struct kz_meta *meta;
    enum kz_code code = kz_txn_meta(txn, &meta, err);
    if (code == KZ_OK) kz_meta_applied(meta, out);
    return code;
}

enum kz_code kz_txn_put_local(struct kz_store_txn *txn, const char *key, const void *value, size_t size_bytes,
                              struct kz_err *err)
{
    kz_assert(key[0] != '\0' && strlen(key) <= KZ_KEY_MAX_BYTES);
    struct kz_key row = kz_key_text(key);
    if (size_bytes == 0) {
        enum kz_code code = kz_table_delete(&txn->scope, KZ_TABLE_LOCAL, &row, err);
        return code == KZ_NOT_FOUND ? KZ_OK : code;
    }
    return kz_table_put(&txn->scope, KZ_TABLE_LOCAL, &row, (struct kz_bytes){value, size_bytes},
                        (struct kz_bytes){NULL, 0}, false, err);
}
