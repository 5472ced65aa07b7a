/* SPDX-License-Identifier: Apache-2.0 */
#include "node/store/hash.h"

#include <assert.h>
#include <string.h>

#include "node/base/buf.h"

static_assert(KZ_HASH_BYTES == SHA256_DIGEST_SIZE, "one hash function throughout");

void kz_hash_init(struct kz_hash *hash) { sha256_init(&hash->context); }

void kz_hash_add(struct kz_hash *hash, const void *bytes, size_t size_bytes)
{
    if (size_bytes > 0) sha256_update(&hash->context, size_bytes, bytes);
}

void kz_hash_add_u64(struct kz_hash *hash, uint64_t value)
{
    uint8_t bytes[8];
    kz_put_u64(bytes, value);
    kz_hash_add(hash, bytes, sizeof(bytes));
}

void kz_hash_done(struct kz_hash *hash, uint8_t out[KZ_HASH_BYTES])
{
    sha256_digest(&hash->context, KZ_HASH_BYTES, out);
}

static void hash_member(unsigned kind, const char *id, const void *bytes, size_t size_bytes, uint8_t out[KZ_HASH_BYTES])
{
    struct kz_hash hash;
    uint8_t kind_byte = (uint8_t)kind;
    kz_hash_init(&hash);
    kz_hash_add(&hash, &kind_byte, 1);
    kz_hash_add(&hash, id, strlen(id) + 1);
    kz_hash_add(&hash, bytes, size_bytes);
    kz_hash_done(&hash, out);
}

void kz_hash_sum_add(struct kz_hash_sum *sum, unsigned kind, const char *id, const void *bytes, size_t size_bytes)
{
    uint8_t member[KZ_HASH_BYTES];
    unsigned carry = 0;
    hash_member(kind, id, bytes, size_bytes, member);
    for (size_t i = KZ_HASH_BYTES; i-- > 0;) {
        carry += (unsigned)sum->bytes[i] + member[i];
        sum->bytes[i] = (uint8_t)carry;
        carry >>= 8;
    }
}

void kz_hash_sum_subtract(struct kz_hash_sum *sum, unsigned kind, const char *id, const void *bytes, size_t size_bytes)
{
    uint8_t member[KZ_HASH_BYTES];
    unsigned borrow = 0;
    hash_member(kind, id, bytes, size_bytes, member);
    for (size_t i = KZ_HASH_BYTES; i-- > 0;) {
        unsigned difference = 256u + sum->bytes[i] - member[i] - borrow;
        sum->bytes[i] = (uint8_t)difference;
        borrow = difference < 256u ? 1 : 0;
    }
}

void kz_hash_records(const struct kz_hash_sum *sum, uint64_t rev, uint8_t out[KZ_HASH_BYTES])
{
    struct kz_hash hash;
    kz_hash_init(&hash);
    kz_hash_add(&hash, sum->bytes, KZ_HASH_BYTES);
    kz_hash_add_u64(&hash, rev);
    kz_hash_done(&hash, out);
}

void kz_hash_state(const struct kz_hash_sum *sum, uint64_t rev, const uint8_t audit_head[KZ_HASH_BYTES],
                   uint8_t out[KZ_HASH_BYTES])
{
    struct kz_hash hash;
    kz_hash_init(&hash);
    kz_hash_add(&hash, sum->bytes, KZ_HASH_BYTES);
    kz_hash_add_u64(&hash, rev);
    kz_hash_add(&hash, audit_head, KZ_HASH_BYTES);
    kz_hash_done(&hash, out);
}
