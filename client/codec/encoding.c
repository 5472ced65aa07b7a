/* SPDX-License-Identifier: Apache-2.0 */
#include "client/codec/encoding.h"

#include <errno.h>
#include <iconv.h>
#include <stdint.h>
#include <string.h>

#include <utf8proc.h>

#define CHUNK_BYTES 4096
#define LOST "\xEF\xBF\xBD" /* U+FFFD */

static const struct {
    const char *name;  /* for people */
    const char *iconv; /* as glibc knows it */
    const char *bom;
    size_t bom_bytes;
    size_t unit_bytes; /* what is skipped where a byte cannot be read */
} encodings[KZ_ENCODING_COUNT] = {
    [KZ_ENCODING_UTF8_BOM] = {"UTF-8 (BOM)", "UTF-8", "\xEF\xBB\xBF", 3, 1},
    [KZ_ENCODING_UTF8] = {"UTF-8", "UTF-8", "", 0, 1},
    [KZ_ENCODING_CP932] = {"CP932", "CP932", "", 0, 1},
    [KZ_ENCODING_UTF16] = {"UTF-16LE", "UTF-16LE", "\xFF\xFE", 2, 2},
    [KZ_ENCODING_UTF16_BE] = {"UTF-16BE", "UTF-16BE", "\xFE\xFF", 2, 2},
};

/* Both are one code of CP932; Microsoft's table gives back the right-hand one. */
static const struct {
    const char *typed, *given_back;
} twins[] = {
    {"\u301C", "\uFF5E"}, /* wave dash 〜, full-width tilde ～ */
    {"\u2014", "\u2015"}, /* em dash, horizontal bar */
    {"\u2016", "\u2225"}, /* double vertical line, parallel to */
    {"\u2212", "\uFF0D"}, /* minus sign, full-width hyphen-minus */
    {"\u00A2", "\uFFE0"}, /* cent */
    {"\u00A3", "\uFFE1"}, /* pound */
    {"\u00AC", "\uFFE2"}, /* not */
};
#define TWIN_COUNT (sizeof twins / sizeof twins[0])

const char *kz_encoding_name(enum kz_encoding encoding) { return encodings[encoding].name; }

/* ---- in ---- */

/* A NUL would end the text early; it is as little text as a byte that cannot be read. */
static void add_decoded(struct kz_buf *out, const char *bytes, size_t size_bytes)
{
    while (size_bytes > 0) {
        const char *nul = memchr(bytes, '\0', size_bytes);
        size_t good = nul ? (size_t)(nul - bytes) : size_bytes;
        kz_buf_add(out, bytes, good);
        if (!nul) return;
        kz_buf_add_text(out, LOST);
        bytes += good + 1;
        size_bytes -= good + 1;
    }
}

/* Returns how many places could not be read; SIZE_MAX: no such converter. */
static size_t decode(enum kz_encoding encoding, const void *bytes, size_t size_bytes, struct kz_buf *out)
{
    iconv_t converter = iconv_open("UTF-8", encodings[encoding].iconv);
    if (converter == (iconv_t)-1) return SIZE_MAX;
    char *in = (char *)(uintptr_t)bytes; /* iconv does not write to it */
    size_t faults = 0;
    if (size_bytes >= encodings[encoding].bom_bytes &&
        memcmp(in, encodings[encoding].bom, encodings[encoding].bom_bytes) == 0) {
        in += encodings[encoding].bom_bytes;
        size_bytes -= encodings[encoding].bom_bytes;
    }
    while (size_bytes > 0) {
        char chunk[CHUNK_BYTES];
        char *to = chunk;
        size_t room = sizeof chunk;
        size_t done = iconv(converter, &in, &size_bytes, &to, &room);
        int number = errno;
        add_decoded(out, chunk, sizeof chunk - room);
        if (done != (size_t)-1 || number == E2BIG) continue;
        size_t skipped = encodings[encoding].unit_bytes < size_bytes ? encodings[encoding].unit_bytes : size_bytes;
        in += skipped;
        size_bytes -= skipped;
        kz_buf_add_text(out, LOST);
        faults++;
    }
    (void)iconv_close(converter);
    return faults;
}

/* CP932's bytes are next to never UTF-8, while UTF-8's are often CP932. One broken byte in a UTF-8 file must not turn all
 * of it into another alphabet, so what counts is whether more characters beyond ASCII can be read than cannot. */
static bool reads_as_utf8(const void *bytes, size_t size_bytes)
{
    struct kz_buf text;
    kz_buf_init(&text, 0);
    size_t faults = decode(KZ_ENCODING_UTF8, bytes, size_bytes, &text), characters = 0;
    for (size_t i = 0; i < text.size_bytes; i++)
        characters += text.data[i] >= 0xC0; /* each begins so; a fault is one too */
    kz_buf_fini(&text);
    return faults == 0 || characters > 2 * faults;
}

enum kz_encoding kz_encoding_detect(const void *bytes, size_t size_bytes)
{
    static const enum kz_encoding marked[] = {KZ_ENCODING_UTF8_BOM, KZ_ENCODING_UTF16, KZ_ENCODING_UTF16_BE};
    for (size_t i = 0; i < sizeof marked / sizeof marked[0]; i++) {
        size_t length = encodings[marked[i]].bom_bytes;
        if (size_bytes >= length && memcmp(bytes, encodings[marked[i]].bom, length) == 0) return marked[i];
    }
    return reads_as_utf8(bytes, size_bytes) ? KZ_ENCODING_UTF8 : KZ_ENCODING_CP932;
}

bool kz_encoding_decode(enum kz_encoding encoding, const void *bytes, size_t size_bytes, struct kz_buf *out)
{
    return decode(encoding, bytes, size_bytes, out) != SIZE_MAX;
}

/* ---- out ---- */

static size_t character_bytes(const char *text)
{
    utf8proc_int32_t point;
    utf8proc_ssize_t length = utf8proc_iterate((const utf8proc_uint8_t *)text, -1, &point);
    return length > 0 ? (size_t)length : 1;
}

/* The index of the twin that stands at `text`, else TWIN_COUNT. */
static size_t find_twin(const char *text)
{
    size_t i = 0;
    while (i < TWIN_COUNT && strncmp(text, twins[i].typed, strlen(twins[i].typed)) != 0)
        i++;
    return i;
}

void kz_encoding_fold(enum kz_encoding encoding, const char *text, struct kz_buf *out)
{
    while (*text) {
        size_t twin = encoding == KZ_ENCODING_CP932 ? find_twin(text) : TWIN_COUNT, length = character_bytes(text);
        if (twin < TWIN_COUNT)
            kz_buf_add_text(out, twins[twin].given_back);
        else
            kz_buf_add(out, text, length);
        text += length;
    }
}

/* What glibc turns into something that merely looks alike (¥ becomes a backslash) would come back as another text. */
static bool comes_back(iconv_t there, iconv_t back, const char *character, size_t length)
{
    char coded[8], again[8];
    char *in = (char *)(uintptr_t)character, *to = coded;
    size_t room = sizeof coded, left = length;
    bool coded_well = iconv(there, &in, &left, &to, &room) != (size_t)-1;
    (void)iconv(there, NULL, NULL, NULL, NULL); /* a refused character must not spoil the next */
    if (!coded_well) return false;
    char *from = coded, *out = again;
    size_t size = sizeof coded - room, space = sizeof again;
    bool back_well = iconv(back, &from, &size, &out, &space) != (size_t)-1;
    (void)iconv(back, NULL, NULL, NULL, NULL);
    return back_well && sizeof again - space == length && memcmp(again, character, length) == 0;
}

bool kz_encoding_holds(enum kz_encoding encoding, const char *text, char refused[KZ_CHARACTER_BYTES])
{
    refused[0] = '\0';
    if (encoding != KZ_ENCODING_CP932) return true;
    iconv_t there = iconv_open("CP932", "UTF-8"), back = iconv_open("UTF-8", "CP932");
    bool fine = there != (iconv_t)-1 && back != (iconv_t)-1;
    while (fine && *text) {
        size_t length = character_bytes(text);
        bool ascii = (unsigned char)*text < 0x80;
        fine = ascii || find_twin(text) < TWIN_COUNT || comes_back(there, back, text, length);
        if (!fine) {
            memcpy(refused, text, length);
            refused[length] = '\0';
        }
        text += length;
    }
    if (there != (iconv_t)-1) (void)iconv_close(there);
    if (back != (iconv_t)-1) (void)iconv_close(back);
    return fine;
}

bool kz_encoding_encode(enum kz_encoding encoding, const char *text, size_t size_bytes, struct kz_buf *out)
{
    kz_buf_add(out, encodings[encoding].bom, encodings[encoding].bom_bytes);
    iconv_t converter = iconv_open(encodings[encoding].iconv, "UTF-8");
    if (converter == (iconv_t)-1) return false;
    char *in = (char *)(uintptr_t)text;
    bool fine = true;
    while (fine && size_bytes > 0) {
        char chunk[CHUNK_BYTES];
        char *to = chunk;
        size_t room = sizeof chunk;
        fine = iconv(converter, &in, &size_bytes, &to, &room) != (size_t)-1 || errno == E2BIG;
        kz_buf_add(out, chunk, sizeof chunk - room);
    }
    (void)iconv_close(converter);
    return fine;
}
