/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 in the shapes the store needs: a stream, and the sum over a set of records that is kept up to date one
 * change at a time. Pure: any thread. */
#ifndef KZ_STORE_HASH_H
#define KZ_STORE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nettle/sha2.h>

#include "node/store/store.h"

struct kz_hash {
    struct sha256_ctx context;
};
void kz_hash_init(struct kz_hash *hash);
void kz_hash_add(struct kz_hash *hash, const void *bytes, size_t size_bytes);
void kz_hash_add_u64(struct kz_hash *hash, uint64_t value); /* big-endian */
void kz_hash_done(struct kz_hash *hash, uint8_t out[KZ_HASH_BYTES]);

/* A multiset hash: the sum modulo 2^256 of SHA-256(kind, id, 0, canonical bytes) of its members, so that order does
 * not matter and one change costs two hashes however many records there are. It finds divergence between replicas;
 * against a forger stands the audit chain, which is combined with it (kz_hash_state). */
struct kz_hash_sum {
    uint8_t bytes[KZ_HASH_BYTES]; /* big-endian number */
};
void kz_hash_sum_add(struct kz_hash_sum *sum, unsigned kind, const char *id, const void *bytes, size_t size_bytes);
void kz_hash_sum_subtract(struct kz_hash_sum *sum, unsigned kind, const char *id, const void *bytes, size_t size_bytes);

/* The same however the log came to it, for example after a restore: SHA-256(sum, rev big-endian). */
void kz_hash_records(const struct kz_hash_sum *sum, uint64_t rev, uint8_t out[KZ_HASH_BYTES]);
/* What nodes compare: SHA-256(sum, rev big-endian, audit head). */
void kz_hash_state(const struct kz_hash_sum *sum, uint64_t rev, const uint8_t audit_head[KZ_HASH_BYTES],
                   uint8_t out[KZ_HASH_BYTES]);

#endif
