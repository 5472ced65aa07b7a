/* SPDX-License-Identifier: Apache-2.0 */
/* A sheet on its way to being records: headers understood, ids and revisions read, references found, each row merged
 * with what the registry holds. Asks no node: its user brings the records. One thread. */
#ifndef KZ_CLIENT_CODEC_INTAKE_H
#define KZ_CLIENT_CODEC_INTAKE_H

#include "client/codec/mapping.h"
#include "client/codec/merge.h"
#include "client/codec/names.h"
#include "client/codec/sheet.h"
#include "node/registry/set.h"

enum kz_intake_role { KZ_INTAKE_IGNORED, KZ_INTAKE_ID, KZ_INTAKE_REV, KZ_INTAKE_FIELD };

struct kz_intake_column {
    enum kz_intake_role role;
    bool has_path; /* FIELD; an ID too, where a mapping makes it a field as well */
    struct kz_column_path path;
    const char *header; /* borrowed */
};

struct kz_intake_row {
    const struct kz_sheet_row *sheet;
    char id[KZ_ID_MAX_BYTES + 1];
    bool has_rev;
    uint64_t rev;              /* the file says it was written from this one */
    const Kz__Record *current; /* NULL: not there; borrowed from the set */
    /* The user's to fill in after kz_intake_open: the record as the file's author saw it. It begins as `current`, which
     * is right where the revision is the current one or nobody knows. */
    const Kz__Record *base;
    bool skip; /* nothing of it is taken */
};

struct kz_intake {
    const struct kz_kind *kind;
    const struct kz_sheet *sheet;
    const struct kz_mapping *mapping; /* NULL: none */
    const struct kz_set *set;
    struct kz_intake_column *columns; /* as many as the header has cells */
    size_t column_count;
    size_t id_column, rev_column; /* SIZE_MAX: none */
    struct kz_intake_row *rows;
    size_t row_count;
    struct kz_names names;
};

/* Reads headers, ids and revisions. Everything is borrowed until kz_intake_fini; `set` has the live records of the kind
 * and of those it refers to. False: see `problems`. */
bool kz_intake_open(struct kz_intake *intake, const struct kz_kind *kind, const struct kz_sheet *sheet,
                    const struct kz_mapping *mapping, const struct kz_set *set, struct kz_violations *problems);
void kz_intake_fini(struct kz_intake *intake);

/* The kinds the sheet's columns refer to, and its own. */
unsigned kz_intake_kinds(const struct kz_kind *kind);

/* Merges each row and adds what changes to `tree`, to be decoded. Problems of cells and conflicts are all told. */
void kz_intake_merge(struct kz_intake *intake, enum kz_take take, struct kz_tree *tree, struct kz_violations *problems,
                     struct kz_violations *conflicts);

struct kz_place kz_intake_place(const struct kz_intake *intake, const struct kz_intake_row *row, size_t column);

#endif
