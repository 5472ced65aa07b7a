/* SPDX-License-Identifier: Apache-2.0 */
/* Programmer errors end the process, in release builds too: a replica that went on could diverge. */
#ifndef KZ_BASE_ASSERT_H
#define KZ_BASE_ASSERT_H

#include <stddef.h>

#define kz_assert(expression) ((expression) ? (void)0 : kz_assert_failed(#expression, __FILE__, __LINE__))
void kz_assert_failed(const char *expression, const char *file, int line) __attribute__((noreturn));

/* Allocation where running out of memory ends the process (startup, apply). Never NULL. `kz_must_alloc`
 * zeroes. On a request path use calloc and fail the request instead. */
void *kz_must_alloc(size_t count, size_t size) __attribute__((malloc));
void *kz_must_realloc(void *memory, size_t size_bytes);
char *kz_must_strdup(const char *text) __attribute__((malloc));
void *kz_must_memdup(const void *bytes, size_t size_bytes) __attribute__((malloc));

#endif
