/* SPDX-License-Identifier: Apache-2.0 */
#include "node/store/arena.h"

#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"

#define CHUNK_BYTES (64u << 10)
#define ALIGNMENT 16u

struct kz_store_arena_chunk {
    struct kz_store_arena_chunk *next;
    size_t size_bytes;
    size_t used_bytes;
    _Alignas(ALIGNMENT) uint8_t bytes[];
};

static struct kz_store_arena_chunk *add_chunk(struct kz_store_arena *arena, size_t size_bytes)
{
    struct kz_store_arena_chunk *chunk = kz_must_realloc(NULL, sizeof(*chunk) + size_bytes);
    chunk->size_bytes = size_bytes;
    chunk->used_bytes = 0;
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    arena->total_bytes += size_bytes;
    return chunk;
}

static void *take(struct kz_store_arena *arena, size_t size_bytes)
{
    if (size_bytes > KZ_STORE_ARENA_MAX_BYTES) return NULL;
    size_t rounded = (size_bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    struct kz_store_arena_chunk *chunk = arena->chunks;
    if (chunk == NULL || chunk->size_bytes - chunk->used_bytes < rounded) {
        size_t wanted = rounded > CHUNK_BYTES ? rounded : CHUNK_BYTES;
        if (arena->total_bytes + wanted > KZ_STORE_ARENA_MAX_BYTES) return NULL;
        chunk = add_chunk(arena, wanted);
    }
    void *out = chunk->bytes + chunk->used_bytes;
    chunk->used_bytes += rounded;
    return out;
}

static void *allocate(void *data, size_t size_bytes) { return take(data, size_bytes); }

static void release(void *data, void *memory)
{
    (void)data; /* freed with the arena */
    (void)memory;
}

void kz_store_arena_init(struct kz_store_arena *arena)
{
    memset(arena, 0, sizeof(*arena));
    arena->allocator = (ProtobufCAllocator){.alloc = allocate, .free = release, .allocator_data = arena};
}

void kz_store_arena_fini(struct kz_store_arena *arena)
{
    while (arena->chunks != NULL) {
        struct kz_store_arena_chunk *next = arena->chunks->next;
        free(arena->chunks);
        arena->chunks = next;
    }
    arena->total_bytes = 0;
}

void kz_store_arena_reset(struct kz_store_arena *arena)
{
    struct kz_store_arena_chunk *kept = NULL;
    while (arena->chunks != NULL) {
        struct kz_store_arena_chunk *next = arena->chunks->next;
        if (kept == NULL && arena->chunks->size_bytes == CHUNK_BYTES)
            kept = arena->chunks;
        else
            free(arena->chunks);
        arena->chunks = next;
    }
    arena->total_bytes = 0;
    if (kept != NULL) {
        kept->used_bytes = 0;
        kept->next = NULL;
        arena->chunks = kept;
        arena->total_bytes = kept->size_bytes;
    }
}

void *kz_store_arena_alloc(struct kz_store_arena *arena, size_t size_bytes)
{
    void *out = take(arena, size_bytes);
    kz_assert(out != NULL);
    return out;
}

void *kz_store_arena_zero(struct kz_store_arena *arena, size_t size_bytes)
{
    return memset(kz_store_arena_alloc(arena, size_bytes), 0, size_bytes);
}

void *kz_store_arena_memdup(struct kz_store_arena *arena, const void *bytes, size_t size_bytes)
{
    void *out = kz_store_arena_alloc(arena, size_bytes);
    if (size_bytes > 0) memcpy(out, bytes, size_bytes);
    return out;
}

char *kz_store_arena_strdup(struct kz_store_arena *arena, const char *text)
{
    return kz_store_arena_memdup(arena, text, strlen(text) + 1);
}
