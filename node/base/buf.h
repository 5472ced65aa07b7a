/* SPDX-License-Identifier: Apache-2.0 */
/* A growing byte buffer with a sticky error: append, append, append, check `failed` once. Not for sharing
 * between threads. */
#ifndef KZ_BASE_BUF_H
#define KZ_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kz_buf {
    uint8_t *data; /* owned; NULL while empty */
    size_t size_bytes;
    size_t capacity_bytes;
    size_t limit_bytes; /* 0 = none */
    bool failed;        /* out of memory or past the limit: contents are incomplete */
};

void kz_buf_init(struct kz_buf *buf, size_t limit_bytes);
void kz_buf_fini(struct kz_buf *buf);
void kz_buf_clear(struct kz_buf *buf); /* keeps the memory, drops the error */

void kz_buf_add(struct kz_buf *buf, const void *bytes, size_t size_bytes);
void kz_buf_add_text(struct kz_buf *buf, const char *text);
void kz_buf_addf(struct kz_buf *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void kz_buf_add_hex(struct kz_buf *buf, const uint8_t *bytes, size_t size_bytes);

/* Room for `size_bytes` more, already counted in size_bytes; NULL when failed. */
uint8_t *kz_buf_extend(struct kz_buf *buf, size_t size_bytes);
void kz_buf_consume(struct kz_buf *buf, size_t size_bytes); /* drop from the front */

/* The contents as a NUL-terminated string the buffer keeps; "" when failed or empty. */
const char *kz_buf_text(struct kz_buf *buf);

/* Big-endian integers, the byte order of every frame and key. */
static inline void kz_put_u16(uint8_t *out, uint16_t v)
{
    out[0] = (uint8_t)(v >> 8);
    out[1] = (uint8_t)v;
}
static inline void kz_put_u32(uint8_t *out, uint32_t v)
{
    kz_put_u16(out, (uint16_t)(v >> 16));
    kz_put_u16(out + 2, (uint16_t)v);
}
static inline void kz_put_u64(uint8_t *out, uint64_t v)
{
    kz_put_u32(out, (uint32_t)(v >> 32));
    kz_put_u32(out + 4, (uint32_t)v);
}
static inline uint16_t kz_get_u16(const uint8_t *in) { return (uint16_t)((in[0] << 8) | in[1]); }
static inline uint32_t kz_get_u32(const uint8_t *in) { return ((uint32_t)kz_get_u16(in) << 16) | kz_get_u16(in + 2); }
static inline uint64_t kz_get_u64(const uint8_t *in) { return ((uint64_t)kz_get_u32(in) << 32) | kz_get_u32(in + 4); }

/* 2 * size_bytes small hexadecimal digits and NUL. */
void kz_hex_write(const uint8_t *bytes, size_t size_bytes, char *out);
/* Exactly 2 * size_bytes hexadecimal digits of either case; else false, and `out` holds anything. */
bool kz_hex_read(const char *text, uint8_t *out, size_t size_bytes);

#endif
