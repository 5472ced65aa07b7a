/* SPDX-License-Identifier: Apache-2.0 */
/* An allocator for decoding one protobuf message: memory with a hard limit that is given back all at once. Decoding
 * trusts the counts it finds, so the limit is what bounds it. One thread. */
#ifndef KZ_NET_ARENA_H
#define KZ_NET_ARENA_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

#define KZ_ARENA_BLOCK_BYTES (16u << 10)

struct kz_arena_block;

struct kz_arena {
    ProtobufCAllocator allocator;  /* pass &arena->allocator to the unpack functions; freeing through it does nothing */
    struct kz_arena_block *blocks; /* owned, newest first */
    size_t used_bytes;             /* asked for since the last reset, rounding included */
    size_t limit_bytes;
};

/* The struct must not move while in use: its allocator points back to it. */
void kz_arena_init(struct kz_arena *arena, size_t limit_bytes);
void kz_arena_reset(struct kz_arena *arena); /* everything allocated is gone; keeps one block for the next message */
void kz_arena_fini(struct kz_arena *arena);

/* 16-byte aligned, not zeroed; NULL past the limit or when out of memory. */
void *kz_arena_alloc(struct kz_arena *arena, size_t size_bytes);

#endif
