/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that is freed all at once: decoded messages and staged changes of one command. Running out of memory ends
 * the process (a replica may not diverge); a cap on one arena's size fails the allocation instead, the same on every
 * node. Not for sharing between threads. */
#ifndef KZ_STORE_ARENA_H
#define KZ_STORE_ARENA_H

#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

/* What a decoder may use for one entry: far above an honest batch (KZ_ENTRY_MAX_BYTES of small messages grows about
 * fifty-fold), far below what hurts. */
#define KZ_STORE_ARENA_MAX_BYTES (256u << 20)

struct kz_store_arena_chunk;

struct kz_store_arena {
    struct kz_store_arena_chunk *chunks; /* owned, newest first */
    size_t total_bytes;
    ProtobufCAllocator allocator; /* hands out of this arena; free does nothing */
};

void kz_store_arena_init(struct kz_store_arena *arena); /* `arena` must not move afterwards */
void kz_store_arena_fini(struct kz_store_arena *arena);
void kz_store_arena_reset(struct kz_store_arena *arena); /* everything handed out is gone; keeps one chunk */

/* 16-byte aligned, not cleared. `kz_store_arena_alloc` never returns NULL: past the cap it ends the process, so it is
 * for sizes bounded by something already decoded. */
void *kz_store_arena_alloc(struct kz_store_arena *arena, size_t size_bytes);
void *kz_store_arena_zero(struct kz_store_arena *arena, size_t size_bytes);
void *kz_store_arena_memdup(struct kz_store_arena *arena, const void *bytes, size_t size_bytes);
char *kz_store_arena_strdup(struct kz_store_arena *arena, const char *text);

#endif
