/* SPDX-License-Identifier: Apache-2.0 */
#include "node/registry/text.h"

#include <stdint.h>
#include <string.h>

#include <utf8proc.h>

#define DISTANCE_MAX_CHARS 96

static bool is_dash(utf8proc_int32_t c)
{
    /* U+30FC is the long vowel mark, which people type for a dash; it is one only between digits, see below. */
    return (c >= 0x2010 && c <= 0x2015) || c == 0x2212 || c == 0xFE63;
}

static bool is_digit(utf8proc_int32_t c) { return c >= '0' && c <= '9'; }

/* Most names are plain ASCII: no tables needed. */
static bool fold_ascii(const char *text, char *out, size_t out_bytes)
{
    size_t n = 0;
    for (; text[n] != '\0'; n++) {
        unsigned char c = (unsigned char)text[n];
        if (c >= 0x80 || n + 1 >= out_bytes) return false;
        out[n] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    }
    out[n] = '\0';
    return true;
}

static bool normalize(const char *text, char *out, size_t out_bytes, utf8proc_option_t extra)
{
    utf8proc_int32_t points[KZ_FOLD_MAX_BYTES];
    size_t size = strlen(text);
    if (size > KZ_FOLD_MAX_BYTES) return false;
    const utf8proc_option_t options = UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | extra;
    utf8proc_ssize_t count =
        utf8proc_decompose((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)size, points, KZ_FOLD_MAX_BYTES, options);
    if (count < 0 || count > KZ_FOLD_MAX_BYTES) return false;
    count = utf8proc_normalize_utf32(points, count, options);
    if (count < 0) return false;
    size_t used = 0;
    for (utf8proc_ssize_t i = 0; i < count; i++) {
        utf8proc_int32_t c = points[i];
        if (is_dash(c) || (c == 0x30FC && i > 0 && is_digit(points[i - 1]))) c = '-';
        utf8proc_uint8_t bytes[4];
        utf8proc_ssize_t n = utf8proc_encode_char(c, bytes);
        if (n <= 0 || used + (size_t)n + 1 > out_bytes) return false;
        memcpy(out + used, bytes, (size_t)n);
        used += (size_t)n;
    }
    out[used] = '\0';
    return true;
}

bool kz_text_fold(const char *text, char *out, size_t out_bytes)
{
    return fold_ascii(text, out, out_bytes) || normalize(text, out, out_bytes, UTF8PROC_CASEFOLD);
}

bool kz_text_narrow(const char *text, char *out, size_t out_bytes) { return normalize(text, out, out_bytes, 0); }

bool kz_text_same_folded(const char *a, const char *b)
{
    char folded_a[KZ_FOLD_MAX_BYTES];
    char folded_b[KZ_FOLD_MAX_BYTES];
    if (!kz_text_fold(a, folded_a, sizeof(folded_a)) || !kz_text_fold(b, folded_b, sizeof(folded_b))) return false;
    return strcmp(folded_a, folded_b) == 0;
}

/* Code points of the folded text; SIZE_MAX when too many. */
static size_t fold_points(const char *text, utf8proc_int32_t points[DISTANCE_MAX_CHARS])
{
    char folded[KZ_FOLD_MAX_BYTES];
    if (!kz_text_fold(text, folded, sizeof(folded))) return SIZE_MAX;
    const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)folded;
    size_t count = 0;
    while (*at != 0) {
        if (count == DISTANCE_MAX_CHARS) return SIZE_MAX;
        utf8proc_ssize_t n = utf8proc_iterate(at, -1, &points[count]);
        if (n <= 0) return SIZE_MAX;
        at += n;
        count++;
    }
    return count;
}

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

/* Optimal string alignment: Levenshtein plus swaps of neighbours, three rows at a time. */
size_t kz_text_distance(const char *a, const char *b)
{
    utf8proc_int32_t from[DISTANCE_MAX_CHARS];
    utf8proc_int32_t to[DISTANCE_MAX_CHARS];
    size_t rows[3][DISTANCE_MAX_CHARS + 1];
    size_t from_count = fold_points(a, from);
    size_t to_count = fold_points(b, to);
    if (from_count == SIZE_MAX || to_count == SIZE_MAX) return SIZE_MAX;
    for (size_t j = 0; j <= to_count; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= from_count; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3];
        const size_t *twice_above = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= to_count; j++) {
            size_t replace = above[j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
            row[j] = least(replace, least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1])
                row[j] = least(row[j], twice_above[j - 2] + 1);
        }
    }
    return rows[from_count % 3][to_count];
}

static bool is_invisible(utf8proc_int32_t c)
{
    return (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0x2028 || c == 0x2029 || c == 0xFEFF;
}

enum kz_text_fault kz_text_fault(const char *text, bool many_lines)
{
    const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)text;
    bool control = false;
    while (*at != 0) {
        utf8proc_int32_t c = *at;
        utf8proc_ssize_t n = 1;
        /* utf8proc_iterate refuses overlong forms, surrogates and what lies past U+10FFFF. */
        if (c >= 0x80) n = utf8proc_iterate(at, -1, &c);
        if (n <= 0) return KZ_TEXT_NOT_UTF8;
        bool line = many_lines && (c == '\n' || c == '\t');
        if (!line && (c < 0x20 || (c >= 0x7F && c < 0xA0) || is_invisible(c))) control = true;
        at += n;
    }
    return control ? KZ_TEXT_CONTROL : KZ_TEXT_FINE;
}
