/* SPDX-License-Identifier: Apache-2.0 */
/* Private to node/store: the outcomes that are remembered so that a write sent again is applied once, and when they are
 * forgotten. Part of apply: the same on every node. It does not decide what an outcome is (stage.c), nor ends anything:
 * what it cannot tell it leaves to the person who asked. */
#ifndef KZ_STORE_REQUESTS_H
#define KZ_STORE_REQUESTS_H

#include "node/store/internal.h"

#define KZ_REQUEST_ORDER_BYTES (KZ_REQUEST_ID_BYTES + 8u) /* a row of REQUESTS_ORDER */

/* The time of a batch. The leaders' clocks may differ, and between two batches may lie a week: a leap must not make
 * what clients are still asking for look old. */
void kz_requests_tick(struct kz_meta *meta, int64_t time_ms);

/* The packed outcome (borrowed from the map); KZ_NOT_FOUND without text. */
enum kz_code kz_requests_find(const struct kz_scope *scope, const uint8_t request_id[KZ_REQUEST_ID_BYTES],
                              struct kz_bytes *out, struct kz_err *err) KZ_MUST_CHECK;
/* It is not remembered, and may have been once: applying it now could be the second time. */
bool kz_requests_too_late(const struct kz_meta *meta, const Kz__Command *command);
/* Forgets some of the oldest where it is time; what a command costs stays bounded by its own size. */
enum kz_code kz_requests_remember(struct kz_store_txn *txn, const uint8_t request_id[KZ_REQUEST_ID_BYTES],
                                  struct kz_bytes outcome, struct kz_err *err) KZ_MUST_CHECK;

#endif
