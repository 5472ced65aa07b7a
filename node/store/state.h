/* SPDX-License-Identifier: Apache-2.0 */
/* Private to node/store: reading and writing the rows of the registry's state. */
#ifndef KZ_STORE_STATE_H
#define KZ_STORE_STATE_H

#include "node/store/internal.h"
#include "node/store/stage.h"

#define KZ_RECORD_RETIRED 1u /* flag in a RECORDS row */
#define KZ_AUDIT_KEPT 1u     /* flag in an AUDIT row */

/* The canonical bytes of a record; KZ_NOT_FOUND leaves `err` untouched. */
enum kz_code kz_state_find(const struct kz_scope *scope, const struct kz_key *key, struct kz_bytes *out, bool *retired,
                           struct kz_err *err) KZ_MUST_CHECK;
/* Rows of our own tables into messages, in the arena; KZ_CORRUPT when they do not decode, KZ_NO_MEMORY. */
enum kz_code kz_state_decode_record(struct kz_arena *arena, const struct kz_key *key, struct kz_bytes bytes,
                                    Kz__Record **out, struct kz_err *err) KZ_MUST_CHECK;
enum kz_code kz_state_decode_change(struct kz_arena *arena, uint64_t rev, struct kz_bytes row, Kz__Change **out,
                                    struct kz_err *err) KZ_MUST_CHECK;

/* Writes one staged change: record, history, references, counters and the records' sum. */
enum kz_code kz_state_write(struct kz_store_txn *txn, const struct kz_stage *stage, const struct kz_staged *item,
                            uint64_t index, struct kz_err *err) KZ_MUST_CHECK;

/* The audit chain's next head; drops the row that falls out of the window unless it is kept for good. */
enum kz_code kz_audit_write(struct kz_store_txn *txn, uint64_t index, const uint8_t head[KZ_HASH_BYTES], bool keep,
                            struct kz_err *err) KZ_MUST_CHECK;

#endif
