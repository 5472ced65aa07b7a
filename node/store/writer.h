/* SPDX-License-Identifier: Apache-2.0 */
/* The store thread: takes work in order, folds everything waiting into one transaction, commits it durably and hands
 * completions back. Group commit is this loop: nothing waits on a timer. It knows nothing of raft or of an event
 * loop; any failed durable write is logged once and ends the process with KZ_WRITER_EXIT_STATUS (LIBRARIES.md, LMDB).
 *
 * Threads: all functions are called by ONE thread (the loop); only options.notify runs on the store thread. None of
 * them blocks on disk, except open and close. */
#ifndef KZ_STORE_WRITER_H
#define KZ_STORE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/store/store.h"

struct kz_writer;

#define KZ_WRITER_EXIT_STATUS 70                 /* EX_SOFTWARE: a durable write failed, the copy in memory is void */
#define KZ_WRITER_QUEUE_BYTES (32u << 20)        /* kz_writer_full from here on: stop taking in proposals and chunks */
#define KZ_WRITER_QUEUE_MAX_BYTES (256u << 20)   /* a caller that does not heed kz_writer_full: programmer error */
#define KZ_WRITER_CYCLE_BYTES (2u << 20)         /* one transaction appends, imports or applies about this much ... */
#define KZ_WRITER_CYCLE_ENTRIES 4096u            /* ... and this many entries, whichever comes first */
#define KZ_WRITER_UNPOLLED_MAX_BYTES (64u << 20) /* completions nobody collects: the store thread waits */

struct kz_writer_options {
    /* Completions are waiting: call kz_writer_poll soon (the service passes uv_async_send). On the store thread. */
    void (*notify)(void *data);
    void *data;                  /* borrowed until kz_writer_close returns */
    uint64_t free_reserve_bytes; /* low_space below this much free, on the file system or in the map */
};

/* `store` is borrowed until close; nobody else may begin transactions on it meanwhile. */
enum kz_code kz_writer_open(struct kz_writer **out, struct kz_store *store, const struct kz_writer_options *options,
                            struct kz_err *err) KZ_MUST_CHECK;
/* Finishes all work given, joins the thread, drops completions not yet polled. NULL is legal. */
void kz_writer_close(struct kz_writer *writer);

/* Work. `seq` is the caller's, strictly increasing over all kinds of work; bytes are copied. Work is done in the
 * order given; a transaction holds a prefix of it, so that seq N durable means everything up to N is. The contracts
 * are those of the kz_txn_ function of the same name. */
void kz_writer_put_hard(struct kz_writer *writer, uint64_t seq, uint64_t term, uint64_t voted_for);
void kz_writer_put_epoch(struct kz_writer *writer, uint64_t seq, uint64_t epoch); /* lower than the stored one: fatal */
void kz_writer_append(struct kz_writer *writer, uint64_t seq, uint64_t index, const struct kz_entry *entries,
                      size_t count);
/* Apply up to and including `upto` (less than or equal to applied: only the hint is stored). A long stretch is spread
 * over several transactions; `seq` is reported with the last of them. `commit_hint` 0 = leave as it is. */
void kz_writer_apply(struct kz_writer *writer, uint64_t seq, uint64_t upto, uint64_t commit_hint);
void kz_writer_compact(struct kz_writer *writer, uint64_t seq, uint64_t upto);
/* A snapshot that comes in. Rows that do not make sense are reported by visitor.import_failed; the rest of that
 * import is skipped (its seqs are still reported durable) and the old state stays. So is an import that comes while two
 * earlier states are being cleared away (KZ_BUSY): clearing goes on between other work, and nothing waits for it. */
void kz_writer_import_begin(struct kz_writer *writer, uint64_t seq, const struct kz_import_origin *origin);
void kz_writer_import_rows(struct kz_writer *writer, uint64_t seq, const uint8_t *rows, size_t size_bytes,
                           const struct kz_import_mark *mark);
void kz_writer_import_drop(struct kz_writer *writer, uint64_t seq);
void kz_writer_install(struct kz_writer *writer, uint64_t seq, uint64_t index, uint64_t term);
void kz_writer_put_local(struct kz_writer *writer, uint64_t seq, const char *key, const void *value, size_t size_bytes);

/* More than KZ_WRITER_QUEUE_BYTES wait: take in nothing new (small work that raft needs is still accepted). */
bool kz_writer_full(const struct kz_writer *writer);

/* What happened since the last poll. Any callback may be NULL; arguments are borrowed for the call. Order: the
 * applied states, so that who is answered next is told a state that includes his write; then, per transaction, outcome
 * and configuration in log order, import_failed, durable. */
struct kz_writer_visitor {
    void *data;
    /* One applied command; `packed` is a kz.Outcome. */
    void (*outcome)(void *data, uint64_t index, const uint8_t request_id[KZ_REQUEST_ID_BYTES], const uint8_t *packed,
                    size_t size_bytes);
    /* An applied KZ_ENTRY_CHANGE. */
    void (*configuration)(void *data, uint64_t index, const uint8_t *encoded, size_t size_bytes);
    /* The applied state after this transaction, when it moved (apply or install). Durable. */
    void (*applied)(void *data, const struct kz_applied *applied);
    void (*import_failed)(void *data, uint64_t seq, const struct kz_err *why);
    /* Everything up to and including `seq` is durable. */
    void (*durable)(void *data, uint64_t seq);
};
void kz_writer_poll(struct kz_writer *writer, const struct kz_writer_visitor *visitor);

/* Free space was below the reserve when last looked at (every cycle, and about once a second when idle): refuse
 * writes, give leadership away, keep answering reads. */
bool kz_writer_low_space(const struct kz_writer *writer);
/* Less than a quarter of the reserve: a write that is not refused may fail, and that ends the process. */
bool kz_writer_no_space(const struct kz_writer *writer);

#endif
