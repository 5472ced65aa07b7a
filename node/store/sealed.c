/* SPDX-License-Identifier: Apache-2.0 */
#include "node/store/sealed.h"

#include <xxhash.h>

#include "node/base/buf.h"

static uint64_t checksum(unsigned table, const void *key, size_t key_bytes, const uint8_t *payload,
                         size_t payload_bytes)
{
    return XXH3_64bits_withSeed(payload, payload_bytes, XXH3_64bits_withSeed(key, key_bytes, table));
}

void kz_seal(unsigned table, const void *key, size_t key_bytes, uint8_t *sealed, size_t payload_bytes)
{
    kz_put_u64(sealed + payload_bytes, checksum(table, key, key_bytes, sealed, payload_bytes));
}

bool kz_seal_check(unsigned table, const void *key, size_t key_bytes, const uint8_t *sealed, size_t sealed_bytes,
                   size_t *payload_bytes)
{
    if (sealed_bytes < KZ_SEAL_BYTES) return false;
    size_t size = sealed_bytes - KZ_SEAL_BYTES;
    *payload_bytes = size;
    return kz_get_u64(sealed + size) == checksum(table, key, key_bytes, sealed, size);
}
