/* SPDX-License-Identifier: Apache-2.0 */
/* The columns of a kind: a record's leaves, flat, by names that a person can read and import finds again:
 * "name", "channels[1].value", 連絡手段[1].番号・アドレス (items count from 1, as people do). A list of plain values is
 * one cell: references parted by ", ", texts by line breaks; labels are lines "key=value". One thread. */
#ifndef KZ_CLIENT_CODEC_COLUMN_H
#define KZ_CLIENT_CODEC_COLUMN_H

#include "node/registry/record.h"

#define KZ_COLUMN_DEPTH 4     /* "contract.offices[1].phone" has 3; a test holds the schema to it */
#define KZ_COLUMN_ITEMS 10000 /* no list is longer */

struct kz_column_step {
    const struct kz_field *field;
    size_t item; /* from 0; 0 where the field is no list */
};

struct kz_column_path {
    struct kz_column_step steps[KZ_COLUMN_DEPTH];
    size_t depth;
    bool envelope; /* of the record itself, not of its body */
};

struct kz_column_paths {
    struct kz_column_path *items; /* owned */
    size_t count;
};

/* What the columns are that hold everything of these records, in the schema's order: every field a person sets, of
 * lists of groups as many items as the longest has (at least one, for a form to fill in). Without id and rev. */
void kz_columns_collect(struct kz_column_paths *paths, const struct kz_kind *kind, const Kz__Record *const *records,
                        size_t count);
void kz_columns_fini(struct kz_column_paths *paths);

/* In the schema's order; 0: the same. */
int kz_column_compare(const struct kz_column_path *a, const struct kz_column_path *b);

/* False: no such column. `near` (may be NULL) is then the field that comes nearest, or NULL. */
bool kz_column_parse(const struct kz_kind *kind, const char *header, struct kz_column_path *path,
                     const struct kz_field **near);
void kz_column_header(struct kz_buf *out, const struct kz_kind *kind, const struct kz_column_path *path, bool japanese);

const struct kz_field *kz_column_field(const struct kz_column_path *path); /* the leaf */
/* False: the leaf is one value. */
bool kz_column_is_list(const struct kz_kind *kind, const struct kz_column_path *path);

/* Adds the cell's text; nothing where the record holds nothing. */
void kz_column_get(struct kz_buf *out, const Kz__Record *record, const struct kz_column_path *path, bool japanese);

/* The cell as kz_column_get would write it in English: 全角, 和暦, serial dates, labels and the like told alike. False:
 * a value of the cell means nothing of its type, and `out` has the text as it is, for others to complain about. */
bool kz_column_normalize(struct kz_buf *out, const struct kz_kind *kind, const struct kz_column_path *path,
                         const char *text);

/* Takes the next value off a cell of a list: its length, the rest in *text; 0 with *text NULL at the end. Spaces around
 * it are not of it. */
const char *kz_column_next(const struct kz_field *field, const char **text, size_t *length);

#endif
