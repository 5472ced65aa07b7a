/* SPDX-License-Identifier: Apache-2.0 */
/* What a file of a node that was left behind holds, and how each thing in it stands to the present cluster. Pure; any
 * thread. */
#ifndef KZ_CLIENT_CLI_SALVAGE_H
#define KZ_CLIENT_CLI_SALVAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/recover.pb-c.h"

enum kz_salvage_verdict {
    KZ_SALVAGE_THERE,    /* the present record says it already, or says what came after it in the file */
    KZ_SALVAGE_APPLY,    /* the present record is what it was made from */
    KZ_SALVAGE_CONFLICT, /* someone changed it since, or it is another event under that id */
    KZ_SALVAGE_BY_HAND,  /* a person's confirmation, or an undo: someone must look and do it again */
};

struct kz_salvage {
    Kz__SalvageHead *head;   /* owned */
    Kz__SalvageItem **items; /* owned, in the order in which they happened there */
    size_t count;
};
void kz_salvage_fini(struct kz_salvage *salvage);

/* Several changes of one record are judged together: `verdicts` of the items in `at` (all of one record, ascending),
 * against `current` (NULL: there is none). */
void kz_salvage_judge(const struct kz_salvage *salvage, const size_t *at, size_t count, const Kz__Record *current,
                      enum kz_salvage_verdict *verdicts);

/* Fills `at` with the items of the record that item `first` is about, `first` being the first of them; 0 when an
 * earlier item is about it. `at` has room for salvage->count. */
size_t kz_salvage_group(const struct kz_salvage *salvage, size_t first, size_t *at);

#endif
