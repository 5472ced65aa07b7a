/* SPDX-License-Identifier: Apache-2.0 */
/* Unicode text: validity, folding for comparison and search keys, nearness for "did you mean". No width, no
 * locale. Pure: any thread. */
#ifndef KZ_REGISTRY_TEXT_H
#define KZ_REGISTRY_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Longest text that is folded, in bytes of input; search keys and names are far shorter. */
#define KZ_FOLD_MAX_BYTES 1024

/* NFKC and case folding; every dash becomes '-', every space ' '. Valid UTF-8 in, NUL-terminated out. False: not
 * UTF-8, or it does not fit. */
bool kz_text_fold(const char *text, char *out, size_t out_bytes);

/* The same without case folding: 全角 becomes ASCII where ASCII is meant (numbers, phones, codes). */
bool kz_text_narrow(const char *text, char *out, size_t out_bytes);

/* True when a and b fold to the same text. */
bool kz_text_same_folded(const char *a, const char *b);

/* How many single-character edits (insert, delete, replace, swap of neighbours) turn a into b, after folding;
 * SIZE_MAX when one of them is too long to compare. */
size_t kz_text_distance(const char *a, const char *b);

/* What is wrong with `text`, first finding wins. Control characters are Unicode's Cc and those that reorder or
 * separate lines invisibly (bidi overrides, U+2028, U+2029, U+FEFF); `many_lines` admits newline and tab. */
enum kz_text_fault { KZ_TEXT_FINE, KZ_TEXT_NOT_UTF8, KZ_TEXT_CONTROL };
enum kz_text_fault kz_text_fault(const char *text, bool many_lines);

#endif
