/* SPDX-License-Identifier: Apache-2.0 */
/* An import without a node: records that are there, a file, and what comes of it. Failures end the test. */
#ifndef KZ_TESTS_CLIENT_INTAKE_WORLD_H
#define KZ_TESTS_CLIENT_INTAKE_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/codec/decode.h"
#include "client/codec/intake.h"

#define INTAKE_RECORDS_MAX 64

struct intake_world {
    const Kz__Record *records[INTAKE_RECORDS_MAX]; /* owned */
    size_t count;
    struct kz_set set;
    const struct kz_mapping *mapping;
    enum kz_take take;
    const Kz__Record *base; /* of every row, where not NULL */
    struct kz_sheet sheet;
    struct kz_intake intake;
    struct kz_tree tree;
    struct kz_entries entries;
    struct kz_violations problems, conflicts;
};

void intake_hold(struct intake_world *world, Kz__Record *record); /* takes it */
/* A record of the kind with a name (NULL: none), at revision 5. */
Kz__Record *intake_hold_named(struct intake_world *world, const char *kind, const char *id, const char *name);
Kz__Record *intake_contact(uint64_t rev, const char *name, const char *title, const char *phone); /* contact/yamada */

/* Reads the file and merges it: entries, problems and conflicts are then the world's. */
void intake_take_bytes(struct intake_world *world, const char *kind, const void *bytes, size_t size_bytes);
void intake_take(struct intake_world *world, const char *kind, const char *text);
void intake_forget_file(struct intake_world *world); /* ready for the next one; the records stay */
void intake_forget(struct intake_world *world);

/* The record as `export csv` writes it. */
void intake_export(const Kz__Record *record, bool japanese, enum kz_encoding encoding, struct kz_buf *out);

void intake_expect_fine(const struct intake_world *world);
/* Exactly these, each "f.csv:B2 rule", in any order. */
void intake_expect_found(const struct kz_violations *found, size_t count, const char *const wanted[]);
#define EXPECT_FOUND(violations, ...)                                                                                  \
    intake_expect_found((violations), sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *),                          \
                        (const char *[]){__VA_ARGS__})

#endif
