/* SPDX-License-Identifier: Apache-2.0 */
/* A row of a file against the record as it was when the file was written and as it is now: what only the file changed
 * is taken, what only the server changed is kept, what both changed is a conflict. Where lists of groups are concerned
 * the unit is the item, and the whole list once its length changed on the server: column 3 of the file is another item
 * then. One thread. */
#ifndef KZ_CLIENT_CODEC_MERGE_H
#define KZ_CLIENT_CODEC_MERGE_H

#include "client/codec/column.h"
#include "client/codec/encoding.h"
#include "client/codec/tree.h"

struct kz_cell {
    struct kz_column_path path;
    char *text; /* owned; as kz_column_normalize makes it */
    struct kz_place place;
    bool of_file;
};

struct kz_cells {
    struct kz_cell *items; /* owned; by path */
    size_t count;
};

enum kz_take { KZ_TAKE_NONE, KZ_TAKE_FILE, KZ_TAKE_SERVER };

struct kz_merge {
    const struct kz_kind *kind;
    enum kz_encoding encoding; /* what the file cannot tell apart is no change */
    enum kz_take take;         /* conflicts are settled so, and not told */
    const Kz__Record *base;    /* NULL: did not exist */
    const Kz__Record *current; /* NULL: does not exist */
};

void kz_cells_add(struct kz_cells *cells, const struct kz_column_path *path, const char *text, struct kz_place place,
                  bool of_file); /* the text is copied */
void kz_cells_sort(struct kz_cells *cells);
void kz_cells_fini(struct kz_cells *cells);

/* `cells`: in, the file's; out, the whole record's. Sorted. True: it differs from `current`. Conflicts are added to
 * `conflicts`, each with its cell. */
bool kz_merge_row(const struct kz_merge *merge, struct kz_cells *cells, struct kz_violations *conflicts);

/* The record as a document that kz_decode_tree reads, every value where its cell is. `place`: of the row. NULL: too
 * many values, told in `problems`. */
struct kz_node *kz_cells_to_node(const struct kz_kind *kind, const struct kz_cells *cells, struct kz_tree *tree,
                                 struct kz_place place, struct kz_violations *problems);

#endif
