/* SPDX-License-Identifier: Apache-2.0 */
#include "node/registry/search_text.h"

#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#define TEXT_MAX_BYTES (1u << 20) /* no text of a record comes near */
#define LONG_VOWEL 0x30FC
#define MIDDLE_DOT 0x30FB
#define KATAKANA_TO_HIRAGANA 0x60

/* Characters of names that people type as another one, because that is what the keyboard offers first. Unicode keeps
 * them apart, and so does what is stored. In order of the first. */
/* clang-format off */
static const struct variant {
    utf8proc_int32_t from, to;
} variants[] = {
    {0x301C, 0x007E}, /* 〜 ~ */
    {0x51A8, 0x5BCC}, /* 冨 富 */
    {0x570B, 0x56FD}, /* 國 国 */
    {0x5713, 0x5186}, /* 圓 円 */
    {0x57DC, 0x91CE}, /* 埜 野 */
    {0x589E, 0x5897}, /* 增 増 */
    {0x58FD, 0x5BFF}, /* 壽 寿 */
    {0x5B78, 0x5B66}, /* 學 学 */
    {0x5CEF, 0x5CF0}, /* 峯 峰 */
    {0x5D8B, 0x5CF6}, /* 嶋 島 */
    {0x5D8C, 0x5CF6}, /* 嶌 島 */
    {0x5EE3, 0x5E83}, /* 廣 広 */
    {0x5F4C, 0x5F25}, /* 彌 弥 */
    {0x5FB7, 0x5FB3}, /* 德 徳 */
    {0x60E0, 0x6075}, /* 惠 恵 */
    {0x61C9, 0x5FDC}, /* 應 応 */
    {0x658E, 0x6589}, /* 斎 斉 */
    {0x665D, 0x663C}, /* 晝 昼 */
    {0x66FE, 0x66FD}, /* 曾 曽 */
    {0x6703, 0x4F1A}, /* 會 会 */
    {0x6852, 0x6851}, /* 桒 桑 */
    {0x689D, 0x6761}, /* 條 条 */
    {0x69AE, 0x6804}, /* 榮 栄 */
    {0x69C7, 0x69D9}, /* 槇 槙 */
    {0x69D7, 0x6A4B}, /* 槗 橋 */
    {0x6AFB, 0x685C}, /* 櫻 桜 */
    {0x6DF8, 0x6E05}, /* 淸 清 */
    {0x6DFA, 0x6D45}, /* 淺 浅 */
    {0x6F80, 0x6E0B}, /* 澀 渋 */
    {0x6F81, 0x6E0B}, /* 澁 渋 */
    {0x6FA4, 0x6CA2}, /* 澤 沢 */
    {0x6FF1, 0x6D5C}, /* 濱 浜 */
    {0x6FF5, 0x6D5C}, /* 濵 浜 */
    {0x7027, 0x6EDD}, /* 瀧 滝 */
    {0x7028, 0x702C}, /* 瀨 瀬 */
    {0x7576, 0x5F53}, /* 當 当 */
    {0x771E, 0x771F}, /* 眞 真 */
    {0x79AE, 0x793C}, /* 禮 礼 */
    {0x8207, 0x4E0E}, /* 與 与 */
    {0x842C, 0x4E07}, /* 萬 万 */
    {0x85CF, 0x8535}, /* 藏 蔵 */
    {0x8C50, 0x8C4A}, /* 豐 豊 */
    {0x9059, 0x9065}, /* 遙 遥 */
    {0x9089, 0x8FBA}, /* 邉 辺 */
    {0x908A, 0x8FBA}, /* 邊 辺 */
    {0x9751, 0x9752}, /* 靑 青 */
    {0x975C, 0x9759}, /* 靜 静 */
    {0x984F, 0x9854}, /* 顏 顔 */
    {0x9AD9, 0x9AD8}, /* 髙 高 */
    {0x9ED1, 0x9ED2}, /* 黑 黒 */
    {0x9F4A, 0x6589}, /* 齊 斉 */
    {0x9F4B, 0x6589}, /* 齋 斉 */
    {0x9F8D, 0x7ADC}, /* 龍 竜 */
    {0x9F9C, 0x4E80}, /* 龜 亀 */
    {0xFA11, 0x5D0E}, /* 﨑 崎 */
    {0x20BB7, 0x5409}, /* 𠮷 吉 */
};
/* clang-format on */
#define VARIANT_COUNT (sizeof variants / sizeof variants[0])

/* Code points in NFKC and lower case; a position past the end reads 0. */
struct points {
    utf8proc_int32_t *items; /* owned */
    size_t count;
};

static utf8proc_int32_t at(const struct points *points, size_t i) { return i < points->count ? points->items[i] : 0; }

static bool read_points(const char *text, struct points *points)
{
    const utf8proc_option_t options =
        UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE;
    size_t size = strlen(text);
    if (size > TEXT_MAX_BYTES) return false;
    const utf8proc_uint8_t *bytes = (const utf8proc_uint8_t *)text;
    utf8proc_ssize_t room = (utf8proc_ssize_t)size + 8;
    for (;;) {
        points->items = malloc((size_t)room * sizeof *points->items);
        if (!points->items) return false;
        utf8proc_ssize_t count = utf8proc_decompose(bytes, (utf8proc_ssize_t)size, points->items, room, options);
        if (count > room) { /* compatibility forms grow: now it is known how far */
            free(points->items);
            room = count;
            continue;
        }
        if (count >= 0) count = utf8proc_normalize_utf32(points->items, count, options);
        points->count = count < 0 ? 0 : (size_t)count;
        if (count < 0) free(points->items);
        return count >= 0;
    }
}

static bool is_digit(utf8proc_int32_t c) { return c >= '0' && c <= '9'; }
static bool is_space(utf8proc_int32_t c) { return (c > 0 && c <= ' ') || c == 0x7F; }
static bool is_dash(utf8proc_int32_t c)
{
    return c == '-' || (c >= 0x2010 && c <= 0x2015) || c == 0x2212 || c == 0xFE63 || c == LONG_VOWEL;
}
static bool is_kana(utf8proc_int32_t c) { return c >= 0x3041 && c <= 0x30FF; }
static bool joins_digits(utf8proc_int32_t c) { return is_dash(c) || is_space(c) || c == '(' || c == ')'; }

static utf8proc_int32_t replace(utf8proc_int32_t c)
{
    if ((c >= 0x30A1 && c <= 0x30F6) || c == 0x30FD || c == 0x30FE) return c - KATAKANA_TO_HIRAGANA;
    if (c < variants[0].from) return c;
    for (size_t i = 0; i < VARIANT_COUNT && variants[i].from <= c; i++)
        if (variants[i].from == c) return variants[i].to;
    return c;
}

struct folding {
    const struct points *points;
    struct kz_buf *out;
    size_t next;
    utf8proc_int32_t last; /* added last; 0: none yet */
    bool space;            /* one is due before whatever comes next */
};

static void put(struct folding *folding, utf8proc_int32_t c)
{
    utf8proc_uint8_t bytes[4];
    bool wide = folding->last >= 0x80 && c >= 0x80;
    if (folding->space && folding->last != 0 && !wide) kz_buf_add(folding->out, " ", 1);
    folding->space = false;
    utf8proc_ssize_t size = utf8proc_encode_char(c, bytes);
    if (size > 0) kz_buf_add(folding->out, bytes, (size_t)size);
    folding->last = c;
}

/* 0 for the country's code: what stands on cards and what is dialled at home is one number. False: it is not one. */
static bool put_country(struct folding *folding)
{
    const struct points *points = folding->points;
    size_t i = folding->next + 3;
    if (at(points, i - 3) != '+' || at(points, i - 2) != '8' || at(points, i - 1) != '1') return false;
    while (joins_digits(at(points, i)))
        i++;
    if (!is_digit(at(points, i))) return false;
    put(folding, '0');
    if (at(points, i) == '0') i++; /* +81 (0)3 */
    while (joins_digits(at(points, i)))
        i++;
    folding->next = i;
    return true;
}

/* Skips what only divides digits. */
static bool skip_divider(struct folding *folding)
{
    const struct points *points = folding->points;
    size_t i = folding->next;
    if (!joins_digits(at(points, i))) return false;
    if (at(points, i) == '(' && is_digit(at(points, i + 1)) && !is_digit(folding->last)) {
        folding->next++;
        return true;
    }
    if (!is_digit(folding->last) || folding->space) return false;
    while (joins_digits(at(points, i)))
        i++;
    if (!is_digit(at(points, i))) return false;
    folding->next = i;
    return true;
}

static void fold_points(const struct points *points, struct kz_buf *out)
{
    struct folding folding = {.points = points, .out = out};
    while (folding.next < points->count) {
        utf8proc_int32_t c = points->items[folding.next];
        if (skip_divider(&folding) || put_country(&folding)) continue;
        folding.next++;
        bool vowel = c == LONG_VOWEL || (is_dash(c) && is_kana(folding.last) && !is_digit(at(points, folding.next)));
        if (vowel || c == MIDDLE_DOT) continue;
        if (is_space(c))
            folding.space = true;
        else
            put(&folding, is_dash(c) ? '-' : replace(c));
    }
}

bool kz_search_fold(const char *text, struct kz_buf *out)
{
    struct points points;
    if (!read_points(text, &points)) return false;
    fold_points(&points, out);
    free(points.items);
    return !out->failed;
}

/* ---- words ---- */

/* A dash or bracket at either end of a number is where it was cut. */
static void trim_number(struct points *word)
{
    bool number = false;
    for (size_t i = 0; i < word->count; i++) {
        if (is_digit(word->items[i])) number = true;
        if (!is_digit(word->items[i]) && !joins_digits(word->items[i]) && word->items[i] != '+') return;
    }
    while (number && joins_digits(word->items[word->count - 1]))
        word->count--;
    while (number && joins_digits(word->items[0]))
        word->items++, word->count--;
}

static bool add_word(struct kz_search_words *words, struct points word)
{
    struct kz_buf folded;
    kz_buf_init(&folded, KZ_SEARCH_WORD_MAX_BYTES);
    trim_number(&word);
    fold_points(&word, &folded);
    bool fits = !folded.failed && (folded.size_bytes == 0 || words->count < KZ_SEARCH_WORDS_MAX);
    if (fits && folded.size_bytes > 0) {
        char *item = words->items[words->count++];
        memcpy(item, folded.data, folded.size_bytes);
        item[folded.size_bytes] = '\0';
    }
    kz_buf_fini(&folded);
    return fits;
}

bool kz_search_split(const char *typed, struct kz_search_words *words)
{
    struct points points;
    bool fits = true;
    words->count = 0;
    if (!read_points(typed, &points)) return false;
    for (size_t i = 0, end; fits && i < points.count; i = end) {
        while (i < points.count && is_space(points.items[i]))
            i++;
        for (end = i; end < points.count && !is_space(points.items[end]);)
            end++;
        if (end > i) fits = add_word(words, (struct points){points.items + i, end - i});
    }
    free(points.items);
    return fits;
}
