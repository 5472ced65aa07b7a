/* SPDX-License-Identifier: Apache-2.0 */
/* The index of this node's records, kept level with its store: built from the records once, then from the history's
 * changes. Whether the state is still the one it was built from is told by the audit chain, so that a snapshot of
 * another history makes it start anew, and one that only goes further does not. Nothing of it is stored.
 * One thread at a time, any. */
#ifndef KZ_SERVICE_SEARCH_COPY_H
#define KZ_SERVICE_SEARCH_COPY_H

#include <stdatomic.h>

#include "node/registry/search_index.h"
#include "node/store/store.h"
#include "proto/service.pb-c.h"

struct kz_search_copy;

struct kz_search_copy *kz_search_copy_new(void);
void kz_search_copy_free(struct kz_search_copy *copy);

/* Brings the index to the view's revision. KZ_TIMED_OUT: `stop` became true; KZ_NO_MEMORY, and what reading the store
 * says. After any of these it holds nothing, and begins anew the next time. */
enum kz_code kz_search_copy_follow(struct kz_search_copy *copy, struct kz_view *view, const atomic_bool *stop,
                                   struct kz_err *err) KZ_MUST_CHECK;

struct kz_search_question {
    struct kz_search_words words;
    struct kz_search_filter filter;
    size_t limit;
    Kz__Record **provisional; /* borrowed: events this node alone holds, searched besides */
    size_t provisional_count;
};
/* What the index says, told with the view it was brought level with. *result: kz__search_result__free_unpacked. */
enum kz_code kz_search_copy_ask(const struct kz_search_copy *copy, struct kz_view *view,
                                const struct kz_search_question *question, Kz__SearchResult **result,
                                struct kz_err *err) KZ_MUST_CHECK;

struct kz_search_copy_state {
    bool complete;
    uint64_t rev;
    uint64_t builds;  /* from the records, since it was made */
    uint64_t changes; /* taken from the history */
    struct kz_search_index_size size;
};
struct kz_search_copy_state kz_search_copy_state(const struct kz_search_copy *copy);

#endif
