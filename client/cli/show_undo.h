/* SPDX-License-Identifier: Apache-2.0 */
/* What going back to an earlier revision would do, and what it did. Fed with plain records. Writes to a buffer only.
 * One thread. */
#ifndef KZ_CLIENT_CLI_SHOW_UNDO_H
#define KZ_CLIENT_CLI_SHOW_UNDO_H

#include "client/cli/show.h"

struct kz_undo_item {
    const Kz__Record *now;  /* as it stands; retired: it is not there. Never NULL */
    const Kz__Record *then; /* as it stood; NULL or retired: it was not there */
};
struct kz_undo_review {
    const struct kz_undo_item *items; /* those that differ, by kind and id */
    size_t count;
    uint64_t to_rev;
    uint64_t rev; /* up to which it was looked at */
    const Kz__Meta *meta;
};

/* How many records would be retired. */
size_t kz_undo_retires(const struct kz_undo_review *review);
/* Counts per kind, and of each kind the first differences; every difference for programs. */
void kz_show_undo(const struct kz_view *view, const struct kz_undo_review *review, struct kz_buf *out);
/* The outcome of a REWIND. */
void kz_show_undone(const struct kz_view *view, const Kz__Outcome *outcome, uint64_t to_rev, const Kz__Meta *meta,
                    struct kz_buf *out);

#endif
