/* SPDX-License-Identifier: Apache-2.0 */
/* Searches: answered by a worker, one after another, from an index that it first brings level with the store; so an
 * answer is never of less than the copy holds, and the loop waits for nothing. While the index is first built, right
 * after the start, searches wait until their time is over. Which copy is fresh enough has been decided (read.h).
 * Loop thread. */
#ifndef KZ_SERVICE_SEARCH_H
#define KZ_SERVICE_SEARCH_H

#include "node/service/request.h"

#define KZ_SEARCH_WAITING_MAX 64u
#define KZ_SEARCH_HITS_DEFAULT 50u
#define KZ_SEARCH_RETRY_MS 60000u /* after an index that could not be built */

struct kz_search;

struct kz_search *kz_search_new(struct kz_node *node);
void kz_search_free(struct kz_search *search);
/* Takes the request. */
void kz_search_submit(struct kz_search *search, struct kz_request *request);
void kz_search_tick(struct kz_search *search);
/* Keeps the index near the store, so that the next search has little to catch up with. */
void kz_search_second(struct kz_search *search);
/* The work under way ends soon, and no other begins. */
void kz_search_stop(struct kz_search *search);
bool kz_search_working(const struct kz_search *search);

#endif
