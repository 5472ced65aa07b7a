/* SPDX-License-Identifier: Apache-2.0 */
/* The table HARD: one row per fact, integers big-endian.
 *
 *   format       u32 KZ_STORE_FORMAT
 *   identity     node id u64, cluster id (text to the end)
 *   incarnation  16 random bytes made with the directory
 *   epoch        u64
 *   vote         term u64, voted_for u64
 *   hint         commit index u64
 *   base         index u64, term u64, chain u64 of the entry before the log's first
 *   live         u8: which generation of the state tables is the state (decisions/0001)
 */
#include "node/store/internal.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "node/store/chain.h"

#define FIRST_EPOCH 1u

static_assert(KZ_CONFIGURATION_MAX_BYTES == sizeof(((struct kz_applied *)NULL)->configuration), "one limit");

static enum kz_code put(const struct kz_scope *scope, const char *name, const void *bytes, size_t size_bytes,
                        struct kz_err *err)
{
    struct kz_key key = kz_key_text(name);
    return kz_table_put(scope, KZ_TABLE_HARD, &key, (struct kz_bytes){bytes, size_bytes}, (struct kz_bytes){NULL, 0},
                        false, err);
}

/* A row that must be there and of this size; `size_bytes` 0 = any size. */
static enum kz_code get(const struct kz_scope *scope, const char *name, size_t size_bytes, struct kz_bytes *out,
                        struct kz_err *err)
{
    struct kz_key key = kz_key_text(name);
    enum kz_code rc = kz_table_get(scope, KZ_TABLE_HARD, &key, out, err);
    if (rc == KZ_NOT_FOUND) return kz_table_corrupt(KZ_TABLE_HARD, name, strlen(name), "missing", err);
    if (rc != KZ_OK) return rc;
    if (size_bytes != 0 && out->size_bytes != size_bytes)
        return kz_table_corrupt(KZ_TABLE_HARD, name, strlen(name), "wrong size", err);
    return KZ_OK;
}

static enum kz_code put_u64(const struct kz_scope *scope, const char *name, uint64_t number, struct kz_err *err)
{
    uint8_t bytes[8];
    kz_put_u64(bytes, number);
    return put(scope, name, bytes, sizeof(bytes), err);
}

static enum kz_code get_u64(const struct kz_scope *scope, const char *name, uint64_t *out, struct kz_err *err)
{
    struct kz_bytes row;
    enum kz_code rc = get(scope, name, 8, &row, err);
    if (rc == KZ_OK) *out = kz_get_u64(row.data);
    return rc;
}

static enum kz_code put_identity(const struct kz_scope *scope, const struct kz_store_options *options,
                                 struct kz_err *err)
{
    uint8_t identity[8 + KZ_NAME_MAX_BYTES];
    uint8_t incarnation[KZ_INCARNATION_BYTES];
    size_t cluster_bytes = strlen(options->cluster_id);
    if (cluster_bytes == 0 || cluster_bytes > KZ_NAME_MAX_BYTES)
        return kz_fail(err, KZ_USAGE, "cluster id '%.80s' must have 1 to %u bytes", options->cluster_id,
                       KZ_NAME_MAX_BYTES);
    kz_put_u64(identity, options->node_id);
    memcpy(identity + 8, options->cluster_id, cluster_bytes);
    enum kz_code rc = put(scope, "identity", identity, 8 + cluster_bytes, err);
    if (rc != KZ_OK) return rc;
    if (getrandom(incarnation, sizeof(incarnation), 0) != (ssize_t)sizeof(incarnation))
        return kz_fail(err, KZ_IO, "getrandom: %s", strerror(errno));
    return put(scope, "incarnation", incarnation, sizeof(incarnation), err);
}

enum kz_code kz_hard_create(const struct kz_scope *scope, const struct kz_store_options *options, struct kz_err *err)
{
    uint8_t format[4];
    kz_put_u32(format, KZ_STORE_FORMAT);
    uint8_t vote[16] = {0};
    struct kz_log_base base = {.chain = KZ_CHAIN_START};
    enum kz_code rc = put(scope, "format", format, sizeof(format), err);
    if (rc == KZ_OK) rc = put_identity(scope, options, err);
    if (rc == KZ_OK) rc = kz_hard_put_epoch(scope, FIRST_EPOCH, err);
    if (rc == KZ_OK) rc = put(scope, "vote", vote, sizeof(vote), err);
    if (rc == KZ_OK) rc = kz_hard_put_hint(scope, 0, err);
    if (rc == KZ_OK) rc = kz_hard_put_base(scope, &base, err);
    if (rc == KZ_OK) rc = kz_hard_put_generation(scope, 0, err);
    return rc;
}

enum kz_code kz_hard_check(const struct kz_scope *scope, const struct kz_store_options *options, struct kz_err *err)
{
    struct kz_key key = kz_key_text("format");
    struct kz_bytes row;
    enum kz_code rc = kz_table_get(scope, KZ_TABLE_HARD, &key, &row, err);
    if (rc != KZ_OK) return rc;
    if (row.size_bytes != 4) return kz_table_corrupt(KZ_TABLE_HARD, "format", 6, "wrong size", err);
    if (kz_get_u32(row.data) != KZ_STORE_FORMAT)
        return kz_fail(err, KZ_FAILED,
                       "the store has format version %u, this program knows %u: use the version of "
                       "keizokud that wrote it",
                       kz_get_u32(row.data), KZ_STORE_FORMAT);

    rc = get(scope, "identity", 0, &row, err);
    if (rc != KZ_OK) return rc;
    if (row.size_bytes < 9) return kz_table_corrupt(KZ_TABLE_HARD, "identity", 8, "wrong size", err);
    size_t cluster_bytes = row.size_bytes - 8;
    if (cluster_bytes != strlen(options->cluster_id) || memcmp(row.data + 8, options->cluster_id, cluster_bytes) != 0)
        return kz_fail(err, KZ_WRONG_CLUSTER,
                       "the store belongs to cluster '%.*s', not '%.80s': check the cluster id and "
                       "the data directory in the configuration",
                       (int)cluster_bytes, (const char *)row.data + 8, options->cluster_id);
    if (kz_get_u64(row.data) != options->node_id)
        return kz_fail(err, KZ_WRONG_CLUSTER,
                       "the store belongs to node %llu, not %llu: check the node id and the data "
                       "directory in the configuration",
                       (unsigned long long)kz_get_u64(row.data), (unsigned long long)options->node_id);
    return KZ_OK;
}

enum kz_code kz_txn_put_hard(struct kz_store_txn *txn, uint64_t term, uint64_t voted_for, struct kz_err *err)
{
    uint8_t vote[16];
    kz_put_u64(vote, term);
    kz_put_u64(vote + 8, voted_for);
    return put(&txn->scope, "vote", vote, sizeof(vote), err);
}

enum kz_code kz_txn_put_commit_hint(struct kz_store_txn *txn, uint64_t index, struct kz_err *err)
{
    return kz_hard_put_hint(&txn->scope, index, err);
}

enum kz_code kz_hard_vote(const struct kz_scope *scope, uint64_t *term, uint64_t *voted_for, struct kz_err *err)
{
    struct kz_bytes row;
    enum kz_code rc = get(scope, "vote", 16, &row, err);
    if (rc != KZ_OK) return rc;
    *term = kz_get_u64(row.data);
    *voted_for = kz_get_u64(row.data + 8);
    return KZ_OK;
}

enum kz_code kz_hard_hint(const struct kz_scope *scope, uint64_t *out, struct kz_err *err)
{
    return get_u64(scope, "hint", out, err);
}

enum kz_code kz_hard_put_hint(const struct kz_scope *scope, uint64_t index, struct kz_err *err)
{
    return put_u64(scope, "hint", index, err);
}

enum kz_code kz_hard_base(const struct kz_scope *scope, struct kz_log_base *out, struct kz_err *err)
{
    struct kz_bytes row;
    enum kz_code rc = get(scope, "base", 24, &row, err);
    if (rc != KZ_OK) return rc;
    *out = (struct kz_log_base){kz_get_u64(row.data), kz_get_u64(row.data + 8), kz_get_u64(row.data + 16)};
    return KZ_OK;
}

enum kz_code kz_hard_put_base(const struct kz_scope *scope, const struct kz_log_base *base, struct kz_err *err)
{
    uint8_t row[24];
    kz_put_u64(row, base->index);
    kz_put_u64(row + 8, base->term);
    kz_put_u64(row + 16, base->chain);
    return put(scope, "base", row, sizeof(row), err);
}

enum kz_code kz_hard_generation(const struct kz_scope *scope, unsigned *out, struct kz_err *err)
{
    struct kz_bytes row;
    enum kz_code rc = get(scope, "live", 1, &row, err);
    if (rc != KZ_OK) return rc;
    if (row.data[0] >= KZ_GENERATIONS) return kz_table_corrupt(KZ_TABLE_HARD, "live", 4, "no such generation", err);
    *out = row.data[0];
    return KZ_OK;
}

enum kz_code kz_hard_put_generation(const struct kz_scope *scope, unsigned generation, struct kz_err *err)
{
    uint8_t live = (uint8_t)generation;
    return put(scope, "live", &live, 1, err);
}

enum kz_code kz_hard_epoch(const struct kz_scope *scope, uint64_t *epoch, uint8_t incarnation[KZ_INCARNATION_BYTES],
                           struct kz_err *err)
{
    struct kz_bytes row;
    enum kz_code rc = get_u64(scope, "epoch", epoch, err);
    if (rc != KZ_OK) return rc;
    rc = get(scope, "incarnation", KZ_INCARNATION_BYTES, &row, err);
    if (rc == KZ_OK) memcpy(incarnation, row.data, KZ_INCARNATION_BYTES);
    return rc;
}

enum kz_code kz_hard_put_epoch(const struct kz_scope *scope, uint64_t epoch, struct kz_err *err)
{
    return put_u64(scope, "epoch", epoch, err);
}

enum kz_code kz_hard_complete(const struct kz_scope *scope, struct kz_err *err)
{
    uint64_t number, other;
    uint8_t incarnation[KZ_INCARNATION_BYTES];
    struct kz_log_base base;
    enum kz_code code = kz_hard_vote(scope, &number, &other, err);
    if (code == KZ_OK) code = kz_hard_hint(scope, &number, err);
    if (code == KZ_OK) code = kz_hard_base(scope, &base, err);
    if (code == KZ_OK) code = kz_hard_epoch(scope, &number, incarnation, err);
    return code;
}
