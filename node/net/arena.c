/* SPDX-License-Identifier: Apache-2.0 */
#include "node/net/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 16u

struct kz_arena_block {
    struct kz_arena_block *next;
    size_t size_bytes, used_bytes;
    _Alignas(ALIGNMENT) uint8_t data[];
};

static void *allocate(void *data, size_t size_bytes) { return kz_arena_alloc(data, size_bytes); }

static void ignore_free(void *data, void *memory)
{
    (void)data; /* all of it goes at the next reset */
    (void)memory;
}

void kz_arena_init(struct kz_arena *arena, size_t limit_bytes)
{
    memset(arena, 0, sizeof *arena);
    arena->limit_bytes = limit_bytes;
    arena->allocator.alloc = allocate;
    arena->allocator.free = ignore_free;
    arena->allocator.allocator_data = arena;
}

void *kz_arena_alloc(struct kz_arena *arena, size_t size_bytes)
{
    if (size_bytes > arena->limit_bytes) return NULL;
    size_t rounded = (size_bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (rounded == 0) rounded = ALIGNMENT; /* protobuf-c takes NULL for failure */
    if (rounded > arena->limit_bytes || arena->used_bytes > arena->limit_bytes - rounded) return NULL;

    struct kz_arena_block *block = arena->blocks;
    if (!block || block->size_bytes - block->used_bytes < rounded) {
        size_t room = rounded > KZ_ARENA_BLOCK_BYTES ? rounded : KZ_ARENA_BLOCK_BYTES;
        block = malloc(sizeof *block + room);
        if (!block) return NULL;
        block->size_bytes = room;
        block->used_bytes = 0;
        block->next = arena->blocks;
        arena->blocks = block;
    }
    void *memory = block->data + block->used_bytes;
    block->used_bytes += rounded;
    arena->used_bytes += rounded;
    return memory;
}

void kz_arena_reset(struct kz_arena *arena)
{
    struct kz_arena_block *keep = NULL, *block = arena->blocks;
    while (block) {
        struct kz_arena_block *next = block->next;
        if (!keep && block->size_bytes == KZ_ARENA_BLOCK_BYTES)
            keep = block;
        else
            free(block);
        block = next;
    }
    if (keep) {
        keep->next = NULL;
        keep->used_bytes = 0;
    }
    arena->blocks = keep;
    arena->used_bytes = 0;
}

void kz_arena_fini(struct kz_arena *arena)
{
    kz_arena_reset(arena);
    free(arena->blocks);
    arena->blocks = NULL;
}
