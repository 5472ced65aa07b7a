/* SPDX-License-Identifier: Apache-2.0 */
#include "node/store/chain.h"

#define XXH_STATIC_LINKING_ONLY /* a hash state on the stack: one allocation less per entry */
#include <xxhash.h>

#include "node/base/assert.h"
#include "node/base/buf.h"

#define HEAD_BYTES 9

uint64_t kz_chain_next(uint64_t prev, uint64_t term, int type, const uint8_t *data, size_t size_bytes)
{
    uint8_t head[HEAD_BYTES];
    kz_assert(type > 0 && type <= UINT8_MAX);
    kz_put_u64(head, term);
    head[8] = (uint8_t)type;

    XXH3_state_t state;
    XXH3_INITSTATE(&state);
    kz_assert(XXH3_64bits_reset_withSeed(&state, prev) == XXH_OK);
    kz_assert(XXH3_64bits_update(&state, head, sizeof(head)) == XXH_OK);
    if (size_bytes > 0) kz_assert(XXH3_64bits_update(&state, data, size_bytes) == XXH_OK);
    return XXH3_64bits_digest(&state);
}
