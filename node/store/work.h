/* SPDX-License-Identifier: Apache-2.0 */
/* Private to writer.c: what the loop hands to the store thread, and queues of it. No locks of its own. */
#ifndef KZ_STORE_WORK_H
#define KZ_STORE_WORK_H

#include <stddef.h>

#include "node/store/store.h"

enum kz_work_type {
    KZ_WORK_PUT_HARD,
    KZ_WORK_PUT_EPOCH,
    KZ_WORK_APPEND,
    KZ_WORK_APPLY,
    KZ_WORK_COMPACT,
    KZ_WORK_IMPORT_BEGIN,
    KZ_WORK_IMPORT_ROWS,
    KZ_WORK_IMPORT_DROP,
    KZ_WORK_INSTALL,
    KZ_WORK_PUT_LOCAL,
};

/* One item of work and, behind it in the same allocation, its bytes. */
struct kz_work {
    struct kz_work *next;
    enum kz_work_type type;
    uint64_t seq;
    uint64_t a, b;            /* term and vote; first index; upto and hint; upto; index and term */
    struct kz_entry *entries; /* KZ_WORK_APPEND, in this allocation; `a` is the first index */
    size_t count;
    uint8_t *bytes; /* rows, where an import comes from, or a local value; in this allocation */
    size_t size_bytes;
    struct kz_import_mark mark; /* KZ_WORK_IMPORT_ROWS */
    char key[KZ_KEY_MAX_BYTES + 1];
    size_t cost_bytes; /* the whole allocation */
};

struct kz_work_list {
    struct kz_work *first, *last;
};

static inline void kz_work_push(struct kz_work_list *list, struct kz_work *work)
{
    work->next = NULL;
    if (list->last != NULL)
        list->last->next = work;
    else
        list->first = work;
    list->last = work;
}

static inline struct kz_work *kz_work_pop(struct kz_work_list *list)
{
    struct kz_work *work = list->first;
    list->first = work->next;
    if (list->first == NULL) list->last = NULL;
    return work;
}

static inline void kz_work_move_all(struct kz_work_list *to, struct kz_work_list *from)
{
    if (from->first == NULL) return;
    if (to->last != NULL)
        to->last->next = from->first;
    else
        to->first = from->first;
    to->last = from->last;
    *from = (struct kz_work_list){NULL, NULL};
}

#endif
