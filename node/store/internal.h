/* SPDX-License-Identifier: Apache-2.0 */
/* Private to node/store: what the files of this folder share about stores, transactions and views. */
#ifndef KZ_STORE_INTERNAL_H
#define KZ_STORE_INTERNAL_H

#include "node/base/arena.h"
#include "node/base/buf.h"
#include "node/store/hash.h"
#include "node/store/store.h"
#include "node/store/table.h"

#define KZ_STORE_FORMAT 3u /* 2: three generations, the log in them; 3: outcomes are remembered by time */
#define KZ_KINDS_MAX 32u   /* kind numbers are below this (registry: sets of kinds are 32 bits wide) */
#define KZ_CONFIGURATION_MAX_BYTES 4096u
#define KZ_ROW_MAX_BYTES                                                                                               \
    (4u << 20) /* a sealed value that arrives in a snapshot: before and after of one record, and more */

/* ---- meta.c: the applied state apart from the tables, one row (STATE "state") ---- */

struct kz_counter {
    uint64_t live;
    uint64_t retired;
};
struct kz_meta {
    uint64_t index, term, chain; /* of the last applied entry */
    uint64_t rev;
    int64_t data_time_ms;
    uint64_t requests_first; /* order numbers remembered: first <= n < next */
    uint64_t requests_next;
    uint64_t requests_bytes;     /* of the outcomes remembered */
    uint64_t requests_clock_ms;  /* data time, of whose leaps only KZ_REQUESTS_STEP_MAX_MS count */
    uint32_t requests_kept;      /* so many at least, */
    uint32_t requests_window_ms; /* and all that are not older, */
    uint64_t requests_max_bytes; /* as far as this holds them */
    uint32_t configuration_bytes;
    uint64_t configuration_index;
    uint8_t audit_head[KZ_HASH_BYTES];
    struct kz_hash_sum records_sum;
    struct kz_counter counters[KZ_KINDS_MAX]; /* by kind number */
    uint8_t configuration[KZ_CONFIGURATION_MAX_BYTES];
};
enum kz_code kz_meta_load(const struct kz_scope *scope, struct kz_meta *out, struct kz_err *err) KZ_MUST_CHECK;
enum kz_code kz_meta_save(const struct kz_scope *scope, const struct kz_meta *meta, struct kz_err *err) KZ_MUST_CHECK;
enum kz_code kz_meta_decode(struct kz_bytes row, struct kz_meta *out, struct kz_err *err) KZ_MUST_CHECK;
void kz_meta_applied(const struct kz_meta *meta, struct kz_applied *out);

/* ---- hard.c: what this node must not forget ---- */

struct kz_log_base {
    uint64_t index, term, chain; /* the entry before the first in the log */
};
enum kz_code kz_hard_create(const struct kz_scope *scope, const struct kz_store_options *options,
                            struct kz_err *err) KZ_MUST_CHECK;
/* Format version, cluster and node; KZ_NOT_FOUND (err untouched) when the store was never made. */
enum kz_code kz_hard_check(const struct kz_scope *scope, const struct kz_store_options *options,
                           struct kz_err *err) KZ_MUST_CHECK;
/* Every other row is there and sound. */
enum kz_code kz_hard_complete(const struct kz_scope *scope, struct kz_err *err) KZ_MUST_CHECK;
enum kz_code kz_hard_vote(const struct kz_scope *scope, uint64_t *term, uint64_t *voted_for,
                          struct kz_err *err) KZ_MUST_CHECK;
enum kz_code kz_hard_hint(const struct kz_scope *scope, uint64_t *out, struct kz_err *err) KZ_MUST_CHECK;
enum kz_code kz_hard_put_hint(const struct kz_scope *scope, uint64_t index, struct kz_err *err) KZ_MUST_CHECK;
enum kz_code kz_hard_base(const struct kz_scope *scope, struct kz_log_base *out, struct kz_err *err) KZ_MUST_CHECK;
enum kz_code kz_hard_put_base(const struct kz_scope *scope, const struct kz_log_base *base,
                              struct kz_err *err) KZ_MUST_CHECK;
enum kz_code kz_hard_generation(const struct kz_scope *scope, unsigned *out, struct kz_err *err) KZ_MUST_CHECK;
enum kz_code kz_hard_put_generation(const struct kz_scope *scope, unsigned generation,
                                    struct kz_err *err) KZ_MUST_CHECK;
enum kz_code kz_hard_epoch(const struct kz_scope *scope, uint64_t *epoch, uint8_t incarnation[KZ_INCARNATION_BYTES],
                           struct kz_err *err) KZ_MUST_CHECK;
enum kz_code kz_hard_put_epoch(const struct kz_scope *scope, uint64_t epoch, struct kz_err *err) KZ_MUST_CHECK;

/* ---- log.c ---- */

struct kz_log_bounds {
    struct kz_log_base base;
    uint64_t last_index; /* base.index when empty */
    uint64_t last_chain;
};
enum kz_code kz_log_bounds(const struct kz_scope *scope, struct kz_log_bounds *out, struct kz_err *err) KZ_MUST_CHECK;
/* `data` borrowed from the map until the scope's next write or end. KZ_NOT_FOUND without text. */
enum kz_code kz_log_get(const struct kz_scope *scope, uint64_t index, struct kz_entry *out, uint64_t *chain,
                        struct kz_err *err) KZ_MUST_CHECK;
/* No gap, and applied state and log fit together: at open. */
enum kz_code kz_log_check(const struct kz_scope *scope, struct kz_err *err) KZ_MUST_CHECK;

/* ---- memory reused from command to command ---- */

/* What a command may use, and what decoding one entry may: far above an honest batch (KZ_ENTRY_MAX_BYTES of small
 * messages grows about fifty-fold), far below what hurts. */
#define KZ_SCRATCH_MAX_BYTES (256u << 20)

struct kz_scratch {
    struct kz_arena arena; /* one command: what it touches, what it answers */
    struct kz_arena entry; /* one log entry: its bytes and its decoded batch */
    struct kz_arena row;   /* one row of a walk, within a command */
    struct kz_buf encoded; /* the canonical records of one command */
    struct kz_buf packed;  /* one message on its way into a table */
};
void kz_scratch_init(struct kz_scratch *scratch);
void kz_scratch_fini(struct kz_scratch *scratch);
/* Packs into scratch->packed, replacing what it held. No data when out of memory. */
struct kz_bytes kz_scratch_pack(struct kz_scratch *scratch, const ProtobufCMessage *message);

/* ---- a snapshot on its way in (snapshot.c) ---- */

enum kz_import_state { KZ_IMPORT_NONE, KZ_IMPORT_OPEN, KZ_IMPORT_FAILED };
struct kz_import {
    enum kz_import_state state;
    bool has_meta;
    bool complete; /* the END row came, and its count is right */
    unsigned generation;
    uint64_t rows;
    struct kz_meta meta;
    struct kz_hash_sum records_sum; /* recomputed from the rows */
    struct kz_counter counters[KZ_KINDS_MAX];
    uint64_t history_rows, request_rows, request_bytes, order_rows;
    unsigned table;     /* of the row in progress */
    size_t value_bytes; /* its announced size */
    struct kz_key key;
    struct kz_buf value;
    size_t value_kept; /* of `value`, in pieces in HARD */
    uint32_t pieces;
};
/* import.c: the row that tells where an import is, for after a restart. */
enum kz_code kz_import_save_origin(const struct kz_scope *scope, const struct kz_import_origin *origin,
                                   struct kz_err *err) KZ_MUST_CHECK;
enum kz_code kz_import_save(const struct kz_scope *scope, struct kz_import *import, const struct kz_import_mark *mark,
                            struct kz_err *err) KZ_MUST_CHECK;
enum kz_code kz_import_forget(const struct kz_scope *scope, struct kz_err *err) KZ_MUST_CHECK;
/* At open. An import whose rows are not all there is left closed: waste. */
enum kz_code kz_import_load(const struct kz_scope *scope, struct kz_import *out, struct kz_err *err) KZ_MUST_CHECK;

/* ---- the three handles ---- */

struct kz_store {
    MDB_env *env;                                   /* owned */
    MDB_dbi dbi[KZ_GENERATIONS][KZ_TABLE_LAST + 1]; /* opened once: LIBRARIES.md */
    int lock_fd;                                    /* one process per directory */
    char *directory;                                /* owned */
    bool no_sync;
    size_t page_bytes;
    uint64_t map_bytes;
    uint64_t file_bytes;      /* the data file is at least this long: see env.c, ahead of the pages in use */
    struct kz_store_txn *txn; /* the open one, NULL */
    struct kz_scratch scratch;
    struct kz_import import;
    bool told_early; /* that outcomes are forgotten for want of room: said once */
};

struct kz_store_txn {
    struct kz_scope scope;
    bool bounds_loaded;
    struct kz_log_bounds bounds;
    bool meta_loaded, meta_dirty;
    size_t applied_bytes; /* of entries, by this transaction */
    struct kz_meta meta;
};
enum kz_code kz_txn_bounds(struct kz_store_txn *txn, struct kz_log_bounds **out, struct kz_err *err) KZ_MUST_CHECK;
enum kz_code kz_txn_meta(struct kz_store_txn *txn, struct kz_meta **out, struct kz_err *err) KZ_MUST_CHECK;

struct kz_view {
    struct kz_scope scope;
    struct kz_scratch scratch;
};

/* snapshot.c: ends the import that is open, if one is: its rows are waste from now on. */
void kz_import_abandon(struct kz_store *store);

/* generation.c: an empty generation for an import. `take` empties one when there is none; no import may be open. */
enum kz_code kz_generation_take(const struct kz_store_txn *txn, unsigned *out, struct kz_err *err) KZ_MUST_CHECK;
enum kz_code kz_generation_rows(const struct kz_scope *scope, uint64_t *out, struct kz_err *err) KZ_MUST_CHECK;
enum kz_code kz_generation_ready(const struct kz_store_txn *txn, bool *out, struct kz_err *err) KZ_MUST_CHECK;

/* env.c: room in the file ahead of a transaction, and what is left. */
enum kz_code kz_store_extend(struct kz_store *store, struct kz_err *err) KZ_MUST_CHECK;
enum kz_code kz_store_room(struct kz_store *store, uint64_t *map_room_bytes, uint64_t *disk_room_bytes,
                           struct kz_err *err) KZ_MUST_CHECK;
void kz_store_check_readers(struct kz_store *store);

#endif
