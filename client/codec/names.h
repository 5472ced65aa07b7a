/* SPDX-License-Identifier: Apache-2.0 */
/* Records by what people call them, so that a cell may say 住民課 where an id is meant. One thread. */
#ifndef KZ_CLIENT_CODEC_NAMES_H
#define KZ_CLIENT_CODEC_NAMES_H

#include "node/registry/record.h"

struct kz_name {
    Kz__Kind kind;
    char *folded; /* owned; of the name, title or short name; of the id */
    char *id;     /* owned */
    bool is_id;
};

struct kz_names {
    struct kz_name *items; /* sorted by kz_names_sort */
    size_t count;
};

void kz_names_add(struct kz_names *names, Kz__Kind kind, const char *name, const char *id, bool is_id);
/* The record's id and every name it has. */
void kz_names_add_record(struct kz_names *names, const Kz__Record *record);
bool kz_names_is_name(const struct kz_field *field); /* whether the field is one of them */
void kz_names_sort(struct kz_names *names);
void kz_names_fini(struct kz_names *names);

enum kz_found { KZ_FOUND_ONE, KZ_FOUND_NONE, KZ_FOUND_MANY };

/* What a cell of `field` means: an id, a name, or either after "kind/". An id beats a name. ONE: `out` has it as the
 * field holds it ("joho", "org/joho"). MANY: `out` lists them. NONE: `out` has the nearest, or nothing. */
enum kz_found kz_names_resolve(const struct kz_names *names, const struct kz_field *field, const char *text,
                               struct kz_buf *out);

#endif
