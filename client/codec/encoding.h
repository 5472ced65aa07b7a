/* SPDX-License-Identifier: Apache-2.0 */
/* Text files in the encodings that Excel reads and writes: UTF-8 with and without BOM, UTF-16, CP932 (what Windows
 * calls Shift_JIS). Inside keizoku all text is UTF-8. One thread. */
#ifndef KZ_CLIENT_CODEC_ENCODING_H
#define KZ_CLIENT_CODEC_ENCODING_H

#include <stdbool.h>
#include <stddef.h>

#include "node/base/buf.h"

/* The order is that of --encoding, then what is only read. */
enum kz_encoding {
    KZ_ENCODING_UTF8_BOM,
    KZ_ENCODING_UTF8,
    KZ_ENCODING_CP932,
    KZ_ENCODING_UTF16, /* little-endian with BOM: Excel's "Unicode text" */
    KZ_ENCODING_UTF16_BE,
    KZ_ENCODING_COUNT
};
const char *kz_encoding_name(enum kz_encoding encoding); /* "CP932" */

/* By the BOM; without one UTF-8 when most of it can be read so, else CP932. */
enum kz_encoding kz_encoding_detect(const void *bytes, size_t size_bytes);

/* Adds the text as UTF-8, without BOM. What the encoding does not know becomes U+FFFD, so that the reader can tell in
 * which cell it stands. False: this machine cannot convert the encoding. */
bool kz_encoding_decode(enum kz_encoding encoding, const void *bytes, size_t size_bytes, struct kz_buf *out);

/* Whether each character of the text comes back as itself or as its twin (see kz_encoding_fold). False: `refused`
 * holds the first that does not, as UTF-8. CP932 is the only one to refuse any. */
#define KZ_CHARACTER_BYTES 5
bool kz_encoding_holds(enum kz_encoding encoding, const char *text, char refused[KZ_CHARACTER_BYTES]);

/* Adds the whole file's bytes, BOM first. Every text in it was asked about before. False: cannot convert. */
bool kz_encoding_encode(enum kz_encoding encoding, const char *text, size_t size_bytes, struct kz_buf *out);

/* CP932 has one code where Unicode has two characters (〜 U+301C and ～ U+FF5E, and five more): adds the text as a
 * CP932 file gives it back. Otherwise as it is. */
void kz_encoding_fold(enum kz_encoding encoding, const char *text, struct kz_buf *out);

#endif
