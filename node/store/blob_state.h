/* SPDX-License-Identifier: Apache-2.0 */
/* Private to node/store: what commands, snapshots and the scrub do with the contents of attachments (blob.h). Pure but
 * for the store. Thread rule: that of the scope's transaction. */
#ifndef KZ_STORE_BLOB_STATE_H
#define KZ_STORE_BLOB_STATE_H

#include "node/store/blob.h"
#include "node/store/stage.h"

/* The command brings a chunk: it is alone. */
bool kz_blob_wanted(const Kz__Command *command);
/* The outcome; the whole of what kz_stage_run does for such a command. */
enum kz_code kz_blob_decide(struct kz_stage *stage) KZ_MUST_CHECK;
enum kz_code kz_blob_store(struct kz_store_txn *txn, const Kz__Command *command, struct kz_err *err) KZ_MUST_CHECK;

/* PUTs of attachments: adds a violation for each whose content is not stored, nor whole among the chunks. */
enum kz_code kz_blob_check(struct kz_stage *stage) KZ_MUST_CHECK;
/* After it was accepted: the content is one that a version refers to from now on. */
enum kz_code kz_blob_refer(struct kz_store_txn *txn, const struct kz_staged *item, struct kz_err *err) KZ_MUST_CHECK;

/* Removes loose chunks whose time has come; with every entry, after its commands. */
enum kz_code kz_blob_collect(struct kz_store_txn *txn, struct kz_err *err) KZ_MUST_CHECK;

/* The tables of blobs are in the records' sum, row by row. */
static inline bool kz_blob_table(enum kz_table table)
{
    return table >= KZ_TABLE_CHUNKS && table <= KZ_TABLE_LOOSE_ORDER;
}
/* NULL, or what is wrong with a row that came from elsewhere or was read again; chunks are hashed. */
const char *kz_blob_row_fault(enum kz_table table, struct kz_bytes key, struct kz_bytes payload);
void kz_blob_sum(struct kz_hash_sum *sum, enum kz_table table, struct kz_bytes key, struct kz_bytes payload);

/* Reads all of it, adds it to `sum`, and compares the tables with each other. KZ_CORRUPT. */
enum kz_code kz_blob_scrub(const struct kz_scope *scope, struct kz_hash_sum *sum, struct kz_err *err) KZ_MUST_CHECK;

#endif
