/* SPDX-License-Identifier: Apache-2.0 */
/* The checksum every stored value carries. LMDB pages have none (LIBRARIES.md: 300 of 400 random overwrites gave
 * silently wrong data). It covers the table and the key too, so that a value found under a wrong key is damage, not an
 * answer. Pure: any thread.
 *
 *   0                size      size+8
 *   +----------------+---------+
 *   | payload (size) | XXH3-64 |   checksum big-endian
 *   +----------------+---------+
 */
#ifndef KZ_STORE_SEALED_H
#define KZ_STORE_SEALED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KZ_SEAL_BYTES 8u

/* Writes the seal behind the payload: `sealed` holds `payload_bytes` and has room for KZ_SEAL_BYTES more. */
void kz_seal(unsigned table, const void *key, size_t key_bytes, uint8_t *sealed, size_t payload_bytes);

/* False when the seal does not fit. *payload_bytes is the size without the seal. */
bool kz_seal_check(unsigned table, const void *key, size_t key_bytes, const uint8_t *sealed, size_t sealed_bytes,
                   size_t *payload_bytes);

#endif
