/* SPDX-License-Identifier: Apache-2.0 */
/* The contents of attachments: chunks under their SHA-256, and for each content the list of its chunks, all of it part
 * of the state (snapshot, state hash, scrub). A chunk that no record version refers to is loose: apply removes it when
 * it has been so for KZ_BLOB_LOOSE_MS of data time, so that an upload that was broken off leaves nothing behind. What a
 * version refers to is kept, as versions are. Reading only; what apply does is in blob_state.h. Thread rule: the
 * view's. */
#ifndef KZ_STORE_BLOB_H
#define KZ_STORE_BLOB_H

#include "node/store/store.h"

/* Part of apply: the same on every node, or they diverge. */
#define KZ_BLOB_LOOSE_MS (60 * 60 * 1000) /* a broken upload can be resumed for an hour */
#define KZ_BLOB_LOOSE_MAX 2048u           /* loose chunks together; the oldest go first */
#define KZ_BLOB_COLLECT_MAX 64u           /* loose chunks removed with one log entry */

/* Bytes of a whole content; KZ_NOT_FOUND: this copy holds no such content. */
enum kz_code kz_view_content(struct kz_view *view, const uint8_t content[KZ_HASH_BYTES], uint64_t *size_bytes,
                             struct kz_err *err) KZ_MUST_CHECK;
/* Chunk `number` (from 0), checked against its SHA-256: KZ_CORRUPT when it does not fit. `*data` is borrowed until the
 * view closes. KZ_NOT_FOUND: no such content, or it has fewer chunks. */
enum kz_code kz_view_chunk(struct kz_view *view, const uint8_t content[KZ_HASH_BYTES], uint32_t number,
                           const uint8_t **data, size_t *size_bytes, struct kz_err *err) KZ_MUST_CHECK;
/* Whether this copy holds a chunk, loose or not. A damaged one counts as missing: sent again, it is repaired. */
enum kz_code kz_view_has_chunk(struct kz_view *view, const uint8_t chunk[KZ_HASH_BYTES], bool *out,
                               struct kz_err *err) KZ_MUST_CHECK;
/* How many chunks are stored, and how many of them are loose. */
enum kz_code kz_view_chunks(struct kz_view *view, uint64_t *all, uint64_t *loose, struct kz_err *err) KZ_MUST_CHECK;

#endif
