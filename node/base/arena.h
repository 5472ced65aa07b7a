/* SPDX-License-Identifier: Apache-2.0 */
/* Memory with a hard limit that is given back all at once: decoded protobuf messages, and what one request or command
 * needs beside them. Decoding trusts the counts it finds, so the limit is what bounds it. It never ends the process:
 * whoever may not go on without memory asserts. Not for sharing between threads. */
#ifndef KZ_BASE_ARENA_H
#define KZ_BASE_ARENA_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

#define KZ_ARENA_FIRST_BLOCK_BYTES (16u << 10) /* most messages fit */
#define KZ_ARENA_BLOCK_BYTES (64u << 10)

struct kz_arena_block;

struct kz_arena {
    ProtobufCAllocator allocator;  /* pass &arena->allocator to the unpack functions; freeing through it does nothing */
    struct kz_arena_block *blocks; /* owned, newest first */
    size_t used_bytes;             /* asked for since the last reset, rounding included */
    size_t limit_bytes;            /* may be changed at any time */
    /* Why something was refused since the last reset. Whether the limit was reached follows from what was asked for
     * alone, so it is the same on every node; whether memory had run out is not. */
    bool over_limit;
    bool no_memory;
};

/* The struct must not move while in use: its allocator points back to it. */
void kz_arena_init(struct kz_arena *arena, size_t limit_bytes);
void kz_arena_reset(struct kz_arena *arena); /* everything allocated is gone; keeps one block for the next time */
void kz_arena_fini(struct kz_arena *arena);

/* 16-byte aligned, not zeroed; NULL past the limit or when out of memory. The others likewise. */
void *kz_arena_alloc(struct kz_arena *arena, size_t size_bytes);
void *kz_arena_zero(struct kz_arena *arena, size_t size_bytes);
void *kz_arena_memdup(struct kz_arena *arena, const void *bytes, size_t size_bytes);

#endif
