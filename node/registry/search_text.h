/* SPDX-License-Identifier: Apache-2.0 */
/* Text as it is searched: more is taken for the same than by kz_text_fold, because whoever searches may have heard a
 * name on the phone. Never stored, never shown. Pure: any thread. */
#ifndef KZ_REGISTRY_SEARCH_TEXT_H
#define KZ_REGISTRY_SEARCH_TEXT_H

#include <stdbool.h>

#include "node/base/buf.h"

#define KZ_SEARCH_WORDS_MAX 8u
#define KZ_SEARCH_WORD_MAX_BYTES 256u /* folded */

/* Adds `text`, folded: NFKC and case; katakana (half-width too) as hiragana; without long vowel marks (ー, or a dash
 * typed for one), middle dots, variation selectors; variants of characters in names as the common one (髙 as 高);
 * digits without the dashes, spaces and brackets between them, +81 as 0; no space between two characters that are not
 * ASCII. Every byte is 0x20 or above. False: not UTF-8 (nothing was added), or the buffer failed. */
bool kz_search_fold(const char *text, struct kz_buf *out);

/* What was typed, as folded words: a record must hold all of them. */
struct kz_search_words {
    char items[KZ_SEARCH_WORDS_MAX][KZ_SEARCH_WORD_MAX_BYTES + 1];
    size_t count;
};
/* False: not UTF-8, too many or too long words, or out of memory. Words of which nothing is left are left out, so that
 * there may be none. */
bool kz_search_split(const char *typed, struct kz_search_words *words);

#endif
