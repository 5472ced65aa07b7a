/* SPDX-License-Identifier: Apache-2.0 */
#include "node/base/assert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void kz_assert_failed(const char *expression, const char *file, int line)
{
    fprintf(stderr, "level=fatal assert.failed expression=\"%s\" at=%s:%d\n", expression, file, line);
    abort();
}

void *kz_must_alloc(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size ? size : 1);
    kz_assert(memory != NULL);
    return memory;
}

void *kz_must_realloc(void *memory, size_t size_bytes)
{
    void *larger = realloc(memory, size_bytes ? size_bytes : 1);
    kz_assert(larger != NULL);
    return larger;
}

char *kz_must_strdup(const char *text) { return kz_must_memdup(text, strlen(text) + 1); }

void *kz_must_memdup(const void *bytes, size_t size_bytes)
{
    void *copy = kz_must_alloc(1, size_bytes);
    if (size_bytes) memcpy(copy, bytes, size_bytes);
    return copy;
}
