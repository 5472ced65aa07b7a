/* SPDX-License-Identifier: Apache-2.0 */
/* The chain hash of the log: each entry's value depends on every entry before it, so that two logs with the same
 * (index, term) but a different past are told apart. Not cryptographic: it finds faults, not forgers (the audit
 * chain does that). Pure: any thread. */
#ifndef KZ_STORE_CHAIN_H
#define KZ_STORE_CHAIN_H

#include <stddef.h>
#include <stdint.h>

/* The chain value before the first entry of a new cluster. */
#define KZ_CHAIN_START 0u

/* The value after one more entry: XXH3-64, seeded with `prev`, over
 *
 *   0      8      9
 *   +------+------+-----------------+
 *   | term | type | data (size)     |   term big-endian, type one byte
 *   +------+------+-----------------+
 *
 * `type` is enum kz_entry_type; `data` may be NULL when `size_bytes` is 0. */
uint64_t kz_chain_next(uint64_t prev, uint64_t term, int type, const uint8_t *data, size_t size_bytes);

#endif
