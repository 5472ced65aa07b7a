/* SPDX-License-Identifier: Apache-2.0 */
/* Answers read requests from this node's copy, in one store view that ends with the answer. Does not wait (a search is
 * handed on to search.h, which does) and does not decide freshness: read.h did. Loop thread. */
#ifndef KZ_SERVICE_QUERY_H
#define KZ_SERVICE_QUERY_H

#include "node/base/err.h"
#include "node/service/request.h"

/* request->answered says how fresh the copy is; the request ends here, or in its other room. */
void kz_query_answer(struct kz_request *request);

/* The request ends: its copy could not be read. Logged. */
void kz_query_fail(struct kz_request *request, enum kz_code code, const struct kz_err *err);

/* One page of changes for a watch: fills `changes` (owned elements, kz_query_free_changes) with those that match
 * kind (0 = all) and id (NULL = all), from *next_rev on; moves *next_rev past what was looked at. */
#define KZ_QUERY_CHANGES_MAX 256
struct kz_query_changes {
    Kz__Change *items[KZ_QUERY_CHANGES_MAX];
    size_t count;
    size_t size_bytes;
    bool full; /* more may follow at *next_rev */
};
enum kz_code kz_query_changes(struct kz_node *node, Kz__Kind kind, const char *id, uint64_t *next_rev,
                              struct kz_query_changes *changes);
void kz_query_free_changes(struct kz_query_changes *changes);

#endif
