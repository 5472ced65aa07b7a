/* SPDX-License-Identifier: Apache-2.0 */
/* Which values of a record are searched, and how well a folded value fits a word: shared by the index and by what shows
 * where a word stands. Private to node/registry. Pure: any thread. */
#ifndef KZ_REGISTRY_SEARCH_WALK_H
#define KZ_REGISTRY_SEARCH_WALK_H

#include "node/registry/search_index.h"

/* Stands before each value in the index: below every byte of folded text. */
enum kz_search_class { KZ_SEARCH_CLASS_ID = 1, KZ_SEARCH_CLASS_TITLE, KZ_SEARCH_CLASS_KANA, KZ_SEARCH_CLASS_OTHER };
#define KZ_SEARCH_TEXT_FIRST 0x20 /* the smallest byte of folded text */

struct kz_search_visitor {
    void *data;
    /* A value of the record; `path` is NULL unless wanted. All borrowed. False stops. */
    bool (*value)(void *data, enum kz_search_class class, const char *path, const char *text);
    bool paths;
};
/* The id first. False: stopped. */
bool kz_search_walk(const Kz__Record *record, const struct kz_search_visitor *visitor);

/* The word stands at the start of its value, at the end, or at both. */
enum kz_search_rank kz_search_rank_of(enum kz_search_class class, bool at_start, bool at_end);

#endif
