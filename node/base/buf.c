/* SPDX-License-Identifier: Apache-2.0 */
#include "node/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void kz_buf_init(struct kz_buf *buf, size_t limit_bytes)
{
    memset(buf, 0, sizeof *buf);
    buf->limit_bytes = limit_bytes;
}

void kz_buf_fini(struct kz_buf *buf)
{
    free(buf->data);
    memset(buf, 0, sizeof *buf);
}

void kz_buf_clear(struct kz_buf *buf)
{
    buf->size_bytes = 0;
    buf->failed = false;
}

static bool reserve(struct kz_buf *buf, size_t more_bytes)
{
    if (buf->failed) return false;
    size_t wanted = buf->size_bytes + more_bytes;
    if (wanted < more_bytes || (buf->limit_bytes && wanted > buf->limit_bytes)) {
        buf->failed = true;
        return false;
    }
    if (wanted <= buf->capacity_bytes) return true;
    size_t capacity = buf->capacity_bytes ? buf->capacity_bytes * 2 : 256;
    if (capacity < wanted) capacity = wanted;
    uint8_t *larger = realloc(buf->data, capacity);
    if (!larger) {
        buf->failed = true;
        return false;
    }
    buf->data = larger;
    buf->capacity_bytes = capacity;
    return true;
}

/* One more than the contents for a NUL, which is not content: the limit does not count it. */
static bool reserve_terminated(struct kz_buf *buf, size_t more_bytes)
{
    size_t limit = buf->limit_bytes;
    if (limit != 0) buf->limit_bytes = limit < SIZE_MAX ? limit + 1 : limit;
    bool room = more_bytes < SIZE_MAX && reserve(buf, more_bytes + 1);
    buf->limit_bytes = limit;
    return room;
}

uint8_t *kz_buf_extend(struct kz_buf *buf, size_t size_bytes)
{
    if (!reserve(buf, size_bytes)) return NULL;
    uint8_t *room = buf->data + buf->size_bytes;
    buf->size_bytes += size_bytes;
    return room;
}

void kz_buf_add(struct kz_buf *buf, const void *bytes, size_t size_bytes)
{
    if (size_bytes == 0) return;
    uint8_t *room = kz_buf_extend(buf, size_bytes);
    if (room) memcpy(room, bytes, size_bytes);
}

void kz_buf_add_text(struct kz_buf *buf, const char *text) { kz_buf_add(buf, text, strlen(text)); }

void kz_buf_addf(struct kz_buf *buf, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int needed = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (needed < 0 || !reserve_terminated(buf, (size_t)needed)) {
        buf->failed = true;
    } else {
        vsnprintf((char *)buf->data + buf->size_bytes, (size_t)needed + 1, fmt, again);
        buf->size_bytes += (size_t)needed;
    }
    va_end(again);
}

void kz_buf_consume(struct kz_buf *buf, size_t size_bytes)
{
    if (size_bytes >= buf->size_bytes) {
        buf->size_bytes = 0;
        return;
    }
    memmove(buf->data, buf->data + size_bytes, buf->size_bytes - size_bytes);
    buf->size_bytes -= size_bytes;
}

const char *kz_buf_text(struct kz_buf *buf)
{
    if (buf->failed || buf->size_bytes == 0) return "";
    if (!reserve_terminated(buf, 0)) return "";
    buf->data[buf->size_bytes] = '\0';
    return (const char *)buf->data;
}

static int hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
    return -1;
}

bool kz_hex_read(const char *text, uint8_t *out, size_t size_bytes)
{
    if (strlen(text) != 2 * size_bytes) return false;
    for (size_t i = 0; i < size_bytes; i++) {
        int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

void kz_hex_write(const uint8_t *bytes, size_t size_bytes, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size_bytes; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * size_bytes] = '\0';
}

void kz_buf_add_hex(struct kz_buf *buf, const uint8_t *bytes, size_t size_bytes)
{
    char text[3];
    for (size_t i = 0; i < size_bytes; i++) {
        kz_hex_write(bytes + i, 1, text);
        kz_buf_add_text(buf, text);
    }
}
