/* SPDX-License-Identifier: Apache-2.0 */
/* Records of one revision in memory, found by kind and id: what the derivations (graph, targets, order, impact, duty)
 * work on. Knows nothing of where the records came from. Out of memory ends the process.
 * Pure; not changed after init: any thread. Records are borrowed and must outlive the set. */
#ifndef KZ_REGISTRY_SET_H
#define KZ_REGISTRY_SET_H

#include "node/registry/record.h"

#define KZ_SET_KINDS 32 /* kind numbers are below this: sets of kinds are 32 bits wide */

struct kz_set {
    const Kz__Record **items; /* owned; by kind, then id */
    size_t count;
    size_t first[KZ_SET_KINDS + 1]; /* where each kind begins; [kind + 1] is its end */
};

/* Any records in any order. Retired ones and those without their kind's body are left out; of two with the same kind
 * and id the one of the higher revision counts. O(n log n). kz_set_fini. */
void kz_set_init(struct kz_set *set, const Kz__Record *const *records, size_t count);
void kz_set_fini(struct kz_set *set);

/* The records of one kind, by id. */
const Kz__Record *const *kz_set_kind(const struct kz_set *set, Kz__Kind kind, size_t *count);
/* Position among those of its kind; SIZE_MAX: not there. `id` NULL: not there. O(log n). */
size_t kz_set_index(const struct kz_set *set, Kz__Kind kind, const char *id);
const Kz__Record *kz_set_find(const struct kz_set *set, Kz__Kind kind, const char *id); /* NULL: not there */

#endif
