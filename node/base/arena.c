/* SPDX-License-Identifier: Apache-2.0 */
#include "node/base/arena.h"

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

static struct kz_arena_block *add_block(struct kz_arena *arena, size_t room)
{
    size_t usual = arena->blocks == NULL ? KZ_ARENA_FIRST_BLOCK_BYTES : KZ_ARENA_BLOCK_BYTES;
    if (room < usual) room = usual;
    struct kz_arena_block *block = malloc(sizeof *block + room);
    if (block == NULL) return NULL;
    block->size_bytes = room;
    block->used_bytes = 0;
    block->next = arena->blocks;
    arena->blocks = block;
    return block;
}

void *kz_arena_alloc(struct kz_arena *arena, size_t size_bytes)
{
    size_t rounded = (size_bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (rounded == 0) rounded = ALIGNMENT; /* protobuf-c takes NULL for failure */
    if (size_bytes > SIZE_MAX / 2 || rounded > arena->limit_bytes || arena->used_bytes > arena->limit_bytes - rounded) {
        arena->over_limit = true;
        return NULL;
    }
    struct kz_arena_block *block = arena->blocks;
    if (block == NULL || block->size_bytes - block->used_bytes < rounded) block = add_block(arena, rounded);
    if (block == NULL) {
        arena->no_memory = true;
        return NULL;
    }
    void *memory = block->data + block->used_bytes;
    block->used_bytes += rounded;
    arena->used_bytes += rounded;
    return memory;
}

void *kz_arena_zero(struct kz_arena *arena, size_t size_bytes)
{
    void *memory = kz_arena_alloc(arena, size_bytes);
    return memory == NULL ? NULL : memset(memory, 0, size_bytes);
}

void *kz_arena_memdup(struct kz_arena *arena, const void *bytes, size_t size_bytes)
{
    void *memory = kz_arena_alloc(arena, size_bytes);
    if (memory != NULL && size_bytes > 0) memcpy(memory, bytes, size_bytes);
    return memory;
}

void kz_arena_reset(struct kz_arena *arena)
{
    struct kz_arena_block *keep = NULL, *block = arena->blocks;
    while (block != NULL) {
        struct kz_arena_block *next = block->next;
        bool better = block->size_bytes <= KZ_ARENA_BLOCK_BYTES && (!keep || keep->size_bytes < block->size_bytes);
        if (better) {
            free(keep);
            keep = block;
        } else {
            free(block);
        }
        block = next;
    }
    if (keep != NULL) {
        keep->next = NULL;
        keep->used_bytes = 0;
    }
    arena->blocks = keep;
    arena->used_bytes = 0;
    arena->over_limit = arena->no_memory = false;
}

void kz_arena_fini(struct kz_arena *arena)
{
    kz_arena_reset(arena);
    free(arena->blocks);
    arena->blocks = NULL;
}
