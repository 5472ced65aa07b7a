/* SPDX-License-Identifier: Apache-2.0 */
/* A survivor becomes a cluster of its own (DESIGN section 7). Nothing is dropped: the tail of the log that nobody can
 * know to be committed becomes committed, because no majority is left that could have decided otherwise. */
#include "node/store/internal.h"

static enum kz_code read_epoch(const struct kz_store_txn *txn, uint64_t *out, struct kz_err *err)
{
    uint8_t incarnation[KZ_INCARNATION_BYTES];
    return kz_hard_epoch(&txn->scope, out, incarnation, err);
}

enum kz_code kz_txn_put_epoch(struct kz_store_txn *txn, uint64_t epoch, struct kz_err *err)
{
    uint64_t now;
    enum kz_code code = read_epoch(txn, &now, err);
    if (code != KZ_OK) return code;
    if (epoch < now)
        return kz_fail(err, KZ_TOO_OLD, "the store is of epoch %llu already, not %llu", (unsigned long long)now,
                       (unsigned long long)epoch);
    return kz_hard_put_epoch(&txn->scope, epoch, err);
}

/* Twice with the same answer, on an empty store or with a term that others may have voted in: each would make a second
 * cluster that looks like the first. */
static enum kz_code check_recover(struct kz_store_txn *txn, uint64_t epoch, size_t size_bytes, uint64_t term,
                                  struct kz_err *err)
{
    struct kz_log_bounds *bounds;
    uint64_t now, stored_term, voted_for;
    enum kz_code code = read_epoch(txn, &now, err);
    if (code == KZ_OK) code = kz_hard_vote(&txn->scope, &stored_term, &voted_for, err);
    if (code == KZ_OK) code = kz_txn_bounds(txn, &bounds, err);
    if (code != KZ_OK) return code;
    if (epoch != now + 1)
        return kz_fail(err, KZ_USAGE, "the store is of epoch %llu: recovery makes it %llu, not %llu",
                       (unsigned long long)now, (unsigned long long)now + 1, (unsigned long long)epoch);
    if (bounds->last_index == 0)
        return kz_fail(err, KZ_USAGE, "the store is empty: recover on a node that holds the cluster's data");
    if (size_bytes == 0 || size_bytes > KZ_CONFIGURATION_MAX_BYTES)
        return kz_fail(err, KZ_USAGE, "a configuration of %zu bytes: it must have 1 to %u", size_bytes,
                       KZ_CONFIGURATION_MAX_BYTES);
    if (term <= stored_term)
        return kz_fail(err, KZ_USAGE, "term %llu is not above %llu, which the store has seen", (unsigned long long)term,
                       (unsigned long long)stored_term);
    return KZ_OK;
}

enum kz_code kz_txn_recover(struct kz_store_txn *txn, uint64_t epoch, const uint8_t *configuration, size_t size_bytes,
                            uint64_t term, struct kz_err *err)
{
    struct kz_log_bounds *bounds;
    struct kz_entry entry = {term, KZ_ENTRY_CHANGE, configuration, size_bytes};
    enum kz_code code = check_recover(txn, epoch, size_bytes, term, err);
    if (code == KZ_OK) code = kz_txn_bounds(txn, &bounds, err);
    if (code == KZ_OK) code = kz_txn_append(txn, bounds->last_index + 1, &entry, 1, err);
    if (code == KZ_OK) code = kz_hard_put_hint(&txn->scope, bounds->last_index, err);
    if (code == KZ_OK) code = kz_txn_put_hard(txn, term, 0, err);
    if (code == KZ_OK) code = kz_hard_put_epoch(&txn->scope, epoch, err);
    return code == KZ_OK ? KZ_OK : kz_wrap(err, "recover");
}
