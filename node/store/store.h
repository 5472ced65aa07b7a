/* SPDX-License-Identifier: Apache-2.0 */
/* One LMDB environment that holds the raft log, the hard state and the registry, so that they never disagree.
 * It does not know raft's rules, the network, or that watches exist.
 *
 * Threads: a `kz_store_txn` is used by one thread at a time, the store thread (node/store/writer.h) or a
 * simulator; a `kz_view` belongs to the thread that opened it. Any failure of commit is final: the caller must
 * end the process (LIBRARIES.md, LMDB: pages of a failed sync are marked clean). */
#ifndef KZ_STORE_STORE_H
#define KZ_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/base/err.h"
#include "proto/command.pb-c.h"
#include "proto/wire.h"

struct kz_store;
struct kz_store_txn;
struct kz_view;

#define KZ_HASH_BYTES 32
#define KZ_INCARNATION_BYTES 16

struct kz_store_options {
    const char *directory;   /* made (0700) when missing and `create` */
    uint64_t map_size_bytes; /* grown to at least this at open, never shrunk */
    const char *cluster_id;  /* must match what the directory holds */
    uint64_t node_id;        /* likewise */
    bool create;             /* make a new store in an empty directory; else an empty one is refused */
    bool no_sync;            /* commits are not flushed: for tests and for what is thrown away */
    /* At creation only, 0 = as in proto/wire.h: part of the state from then on, and the same on every node of a
     * cluster, or they diverge. */
    uint32_t requests_remembered;
    uint32_t requests_window_ms;
    uint64_t requests_max_bytes;
};

/* Opens and checks identity, format version, file size and that log and state fit together. One process at a time.
 * KZ_NOT_FOUND: nothing there and not `create`; KZ_WRONG_CLUSTER: of another cluster or node; KZ_BUSY: in use;
 * KZ_CORRUPT: cut short or damaged. The data file is kept longer than its contents by a hole (ls shows more than
 * du). */
enum kz_code kz_store_open(struct kz_store **out, const struct kz_store_options *options,
                           struct kz_err *err) KZ_MUST_CHECK;
void kz_store_close(struct kz_store *store); /* NULL is legal; all transactions and views ended */

enum kz_entry_type { KZ_ENTRY_COMMAND = 1, KZ_ENTRY_BARRIER = 2, KZ_ENTRY_CHANGE = 3 }; /* = enum raft_entry_type */

/* One raft log entry. `data` borrowed for the call unless said otherwise. */
struct kz_entry {
    uint64_t term;
    enum kz_entry_type type;
    const uint8_t *data;
    size_t size_bytes;
};

/* What a node must remember to take part in consensus, read once at start. */
struct kz_hard_state {
    uint64_t term;
    uint64_t voted_for;
    uint64_t commit_hint; /* <= min(commit, durable) when it was written */
    uint64_t epoch;
    uint8_t incarnation[KZ_INCARNATION_BYTES];
    uint64_t first_index; /* first entry in the log; last_index + 1 when empty */
    uint64_t last_index;
    uint64_t base_term;  /* term of entry first_index - 1 */
    uint64_t base_chain; /* chain hash up to first_index - 1 */
};

/* The applied state: what a raft snapshot's metadata names. */
struct kz_applied {
    uint64_t index, term;
    uint64_t configuration_index;
    uint8_t configuration[4096]; /* encoded by libraft */
    size_t configuration_bytes;  /* 0 before the first change */
    uint64_t rev;                /* cluster revision */
    int64_t data_time_ms;        /* leader's time of the last applied batch, UTC; 0 = never */
    uint64_t requests_clock_ms;  /* by which outcomes are remembered and the age of a write is told: no time of day */
    uint8_t audit_head[KZ_HASH_BYTES];
    uint8_t state_hash[KZ_HASH_BYTES];   /* equal on all nodes at equal index */
    uint8_t records_hash[KZ_HASH_BYTES]; /* of the records and their revision alone, whatever log led to them */
};

/* ---- writing: everything between begin and commit becomes durable together ---- */

enum kz_code kz_store_begin(struct kz_store *store, struct kz_store_txn **out, struct kz_err *err) KZ_MUST_CHECK;
enum kz_code kz_store_commit(struct kz_store_txn *txn, struct kz_err *err) KZ_MUST_CHECK; /* frees txn either way */
void kz_store_abort(struct kz_store_txn *txn);

enum kz_code kz_txn_put_hard(struct kz_store_txn *txn, uint64_t term, uint64_t voted_for,
                             struct kz_err *err) KZ_MUST_CHECK;
enum kz_code kz_txn_put_commit_hint(struct kz_store_txn *txn, uint64_t index, struct kz_err *err) KZ_MUST_CHECK;

/* Entries `index`.. replace whatever the log holds from `index` on. A gap, or an index at or below the applied
 * one, is a programmer error. */
enum kz_code kz_txn_append(struct kz_store_txn *txn, uint64_t index, const struct kz_entry *entries, size_t count,
                           struct kz_err *err) KZ_MUST_CHECK;

/* Drop entries up to and including `index` (<= applied) from the log. */
enum kz_code kz_txn_compact(struct kz_store_txn *txn, uint64_t index, struct kz_err *err) KZ_MUST_CHECK;

/* Called while applying: once per command, per changed record, per configuration. Arguments are borrowed for the call;
 * any callback may be NULL. Nothing is durable yet: answer nobody before kz_store_commit. */
struct kz_apply_sink {
    void *data;
    void (*outcome)(void *data, uint64_t index, const Kz__Command *command, const Kz__Outcome *outcome);
    /* The same outcome as bytes (a kz.Outcome), for those who only pass it on. */
    void (*packed)(void *data, uint64_t index, const uint8_t request_id[KZ_REQUEST_ID_BYTES], const uint8_t *outcome,
                   size_t size_bytes);
    void (*change)(void *data, const Kz__Change *change);
    void (*configuration)(void *data, uint64_t index, const uint8_t *encoded, size_t size_bytes);
};

/* Apply log entries applied+1 .. `index`, all of which must be in the log (this transaction's appends count).
 * Deterministic. A command that is refused is an outcome; an error means this copy is damaged or the disk failed. */
enum kz_code kz_txn_apply(struct kz_store_txn *txn, uint64_t index, const struct kz_apply_sink *sink,
                          struct kz_err *err) KZ_MUST_CHECK;

/* The same, stopping after about `entries_max` entries or `bytes_max` bytes of them, whichever comes first, so that a
 * transaction stays bounded. The applied index afterwards is kz_txn_applied's. */
enum kz_code kz_txn_apply_some(struct kz_store_txn *txn, uint64_t index, size_t entries_max, size_t bytes_max,
                               const struct kz_apply_sink *sink, struct kz_err *err) KZ_MUST_CHECK;
/* The applied state as this transaction leaves it. */
enum kz_code kz_txn_applied(struct kz_store_txn *txn, struct kz_applied *out, struct kz_err *err) KZ_MUST_CHECK;

/* Losing the majority for good (DESIGN section 7). `epoch` may only grow, else KZ_TOO_OLD. */
enum kz_code kz_txn_put_epoch(struct kz_store_txn *txn, uint64_t epoch, struct kz_err *err) KZ_MUST_CHECK;
/* Makes this store a cluster of `epoch` (the present one + 1) with the members of `configuration` (encoded by libraft,
 * not looked into): a KZ_ENTRY_CHANGE of `term` (above the stored one) after the last entry, all of the log committed,
 * no vote. In one transaction; while no raft runs on this store. Apply up to the last entry before one starts, or let
 * its start do so by the commit hint. KZ_USAGE says what is wrong with the arguments or that the store is empty;
 * nothing was written then. */
enum kz_code kz_txn_recover(struct kz_store_txn *txn, uint64_t epoch, const uint8_t *configuration, size_t size_bytes,
                            uint64_t term, struct kz_err *err) KZ_MUST_CHECK;

/* Copies the whole data file, fsynced, into DIRECTORY/archive/NAME/, where it is there completely or not at all (an
 * unfinished one ends in .partial). Reads and writes go on meanwhile: any thread. KZ_NO_SPACE: it does not fit with
 * `reserve_bytes` left. */
enum kz_code kz_store_archive(struct kz_store *store, const char *name, uint64_t reserve_bytes,
                              struct kz_err *err) KZ_MUST_CHECK;

/* This node's own, unreplicated table: small keys and values, checksummed like all others. size 0 deletes. */
enum kz_code kz_txn_put_local(struct kz_store_txn *txn, const char *key, const void *value, size_t size_bytes,
                              struct kz_err *err) KZ_MUST_CHECK;

/* ---- receiving a snapshot: rows go to an empty generation of the tables; `install` switches to it, which leaves the
 * log empty, in one small transaction (decisions/0001). Rows that make no sense or do not add up to the sender's hashes
 * are KZ_PROTOCOL, a snapshot older than the state KZ_TOO_OLD: the state has not changed, the transaction may go on,
 * and the import starts again with `begin`. ---- */

/* What a snapshot holds, read from the same view as its rows. */
struct kz_snapshot_meta {
    uint64_t index, term;
    uint64_t chain; /* chain hash of the log up to index */
    uint64_t configuration_index;
    uint8_t configuration[4096];
    size_t configuration_bytes;
};
/* Whose view an import comes from. A leader's numbers for transfers are never used twice: the term is in them. */
struct kz_import_origin {
    uint64_t peer, transfer, term; /* `term` is the leader's */
    struct kz_snapshot_meta meta;
};
/* How far it is. Stored with the rows, so that a restart goes on where the durable rows end. */
struct kz_import_mark {
    uint64_t next;                 /* chunks before this one are stored */
    uint8_t digest[KZ_HASH_BYTES]; /* the sender's, over all of those */
};

/* Ends an import that is open. Empties a generation when none is empty, which takes time: sweep before. `origin` and
 * `mark` NULL: an import that a restart ends. */
enum kz_code kz_txn_import_begin(struct kz_store_txn *txn, const struct kz_import_origin *origin,
                                 struct kz_err *err) KZ_MUST_CHECK;
enum kz_code kz_txn_import_rows(struct kz_store_txn *txn, const uint8_t *rows, size_t size_bytes,
                                const struct kz_import_mark *mark, struct kz_err *err) KZ_MUST_CHECK;
/* It will not go on: its rows are waste. None open is legal. */
enum kz_code kz_txn_import_drop(struct kz_store_txn *txn, struct kz_err *err) KZ_MUST_CHECK;
/* The import that is open, as it was last committed, also after a restart. KZ_NOT_FOUND: none. */
enum kz_code kz_view_import(struct kz_view *view, struct kz_import_origin *origin, struct kz_import_mark *mark,
                            struct kz_err *err) KZ_MUST_CHECK;
enum kz_code kz_txn_install(struct kz_store_txn *txn, uint64_t index, uint64_t term, struct kz_err *err) KZ_MUST_CHECK;

/* Removes up to `rows_max` rows of what is neither the state nor an open import: an old state, or an import broken off.
 * *left: there is more. */
enum kz_code kz_txn_sweep(struct kz_store_txn *txn, size_t rows_max, bool *left, struct kz_err *err) KZ_MUST_CHECK;

/* ---- reading: a consistent view. Values are decoded copies unless a comment says borrowed. ---- */

enum kz_code kz_view_open(struct kz_store *store, struct kz_view **out, struct kz_err *err) KZ_MUST_CHECK;
void kz_view_close(struct kz_view *view);

enum kz_code kz_view_hard(struct kz_view *view, struct kz_hard_state *out, struct kz_err *err) KZ_MUST_CHECK;
enum kz_code kz_view_applied(struct kz_view *view, struct kz_applied *out, struct kz_err *err) KZ_MUST_CHECK;

/* Log entries; `data` borrowed until the view closes. KZ_NOT_FOUND outside first..last, KZ_CORRUPT on a bad checksum.
 */
enum kz_code kz_view_entry(struct kz_view *view, uint64_t index, struct kz_entry *out,
                           struct kz_err *err) KZ_MUST_CHECK;
/* The chain value after entry `index`, which is in first-1..last; else KZ_NOT_FOUND. */
enum kz_code kz_view_chain(struct kz_view *view, uint64_t index, uint64_t *out_chain, struct kz_err *err) KZ_MUST_CHECK;

/* Every entry from first to last in one pass, for raft's START: checksums and the chain are verified, so a log that
 * comes out of here is the log that went in. `entry->data` is borrowed until the view closes. False stops. */
typedef bool (*kz_log_visitor)(void *data, uint64_t index, const struct kz_entry *entry);
enum kz_code kz_view_log_terms(struct kz_view *view, kz_log_visitor visit, void *data,
                               struct kz_err *err) KZ_MUST_CHECK;

/* Head of the audit chain just after `index` was applied. KZ_NOT_FOUND for entries without a command that lie more
 * than KZ_AUDIT_WINDOW below the applied index (their rows are dropped; the chain goes on through them). */
#define KZ_AUDIT_WINDOW 10000u
enum kz_code kz_view_audit(struct kz_view *view, uint64_t index, uint8_t out_head[KZ_HASH_BYTES],
                           struct kz_err *err) KZ_MUST_CHECK;

/* Owned by the caller: kz__record__free_unpacked. Retired records are found too (retired_at is set). */
enum kz_code kz_view_get(struct kz_view *view, Kz__Kind kind, const char *id, Kz__Record **out,
                         struct kz_err *err) KZ_MUST_CHECK;

/* Visitors return false to stop. `record`/`change` are borrowed for the call. Order: id; `after` NULL = from the start.
 */
typedef bool (*kz_record_visitor)(void *data, const Kz__Record *record);
enum kz_code kz_view_list(struct kz_view *view, Kz__Kind kind, const char *after, bool retired, kz_record_visitor visit,
                          void *data, struct kz_err *err) KZ_MUST_CHECK;
typedef bool (*kz_change_visitor)(void *data, const Kz__Change *change);
/* One record's changes, newest first, below `before_rev` (0 = newest). */
enum kz_code kz_view_history(struct kz_view *view, Kz__Kind kind, const char *id, uint64_t before_rev,
                             kz_change_visitor visit, void *data, struct kz_err *err) KZ_MUST_CHECK;
/* Every change with rev >= from_rev, ascending. */
enum kz_code kz_view_changes(struct kz_view *view, uint64_t from_rev, kz_change_visitor visit, void *data,
                             struct kz_err *err) KZ_MUST_CHECK;
/* ---- the state as it was just after revision `rev`; KZ_TOO_OLD when this copy has not come so far. Live is what was
 * live then. Records of append-only kinds are told too: whoever restores must leave them out. ---- */

/* Owned by the caller. KZ_NOT_FOUND: it did not exist yet, or was retired. */
enum kz_code kz_view_get_as_of(struct kz_view *view, Kz__Kind kind, const char *id, uint64_t rev, Kz__Record **out,
                               struct kz_err *err) KZ_MUST_CHECK;
/* As kz_view_list: with `retired` those that were retired then come too. */
struct kz_as_of {
    uint64_t rev;
    size_t rows_max;                /* looks at most at this many of today's records (at least 1) ... */
    bool more;                      /* ... and says whether there were more, or the visitor stopped: */
    char next[KZ_ID_MAX_BYTES + 1]; /* `after` to go on with */
};
enum kz_code kz_view_list_as_of(struct kz_view *view, Kz__Kind kind, struct kz_as_of *as_of, const char *after,
                                bool retired, kz_record_visitor visit, void *data, struct kz_err *err) KZ_MUST_CHECK;
/* The last revision at or before a time, and when it was made (rev 0: before any; its time is 0). KZ_TOO_OLD: later
 * than this copy is complete to, so another revision may still come before that time. */
enum kz_code kz_view_revision_at(struct kz_view *view, int64_t time_ms, uint64_t *rev, int64_t *rev_ms,
                                 struct kz_err *err) KZ_MUST_CHECK;
/* When revision `rev` (1 or later) was made. */
enum kz_code kz_view_revision_time(struct kz_view *view, uint64_t rev, int64_t *time_ms,
                                   struct kz_err *err) KZ_MUST_CHECK;
/* Every record changed after `rev`, each once, in the order of its first change after it (a person's change and its
 * undoing count as changes). What must be written to bring it back is the difference between kz_view_get and
 * kz_view_get_as_of, whose KZ_NOT_FOUND means: retire it. Takes time by the number of changes: not on the loop. */
typedef bool (*kz_name_visitor)(void *data, Kz__Kind kind, const char *id);
enum kz_code kz_view_changed_since(struct kz_view *view, uint64_t rev, kz_name_visitor visit, void *data,
                                   struct kz_err *err) KZ_MUST_CHECK;
/* A remembered outcome, without `current` and with at most 20 violations and referrers; owned by the caller. */
enum kz_code kz_view_outcome(struct kz_view *view, const uint8_t request_id[KZ_REQUEST_ID_BYTES], Kz__Outcome **out,
                             struct kz_err *err) KZ_MUST_CHECK;
/* Live and retired records of a kind, kept as counters. */
enum kz_code kz_view_count(struct kz_view *view, Kz__Kind kind, uint64_t *live, uint64_t *retired,
                           struct kz_err *err) KZ_MUST_CHECK;
/* Copies into `out`; *size_bytes in: room, out: used. */
enum kz_code kz_view_local(struct kz_view *view, const char *key, void *out, size_t *size_bytes,
                           struct kz_err *err) KZ_MUST_CHECK;

/* Every key of the local table that begins with `prefix`, in order; false stops. Arguments are borrowed for the call.
 */
typedef bool (*kz_local_visitor)(void *data, const char *key, const uint8_t *value, size_t size_bytes);
enum kz_code kz_view_local_each(struct kz_view *view, const char *prefix, kz_local_visitor visit, void *data,
                                struct kz_err *err) KZ_MUST_CHECK;

/* What would `command` do to this view? Same code as apply; writes nothing. Owned by the caller. */
enum kz_code kz_view_try(struct kz_view *view, const Kz__Command *command, int64_t now_ms, Kz__Outcome **out,
                         struct kz_err *err) KZ_MUST_CHECK;

/* The state tables as rows for a snapshot (layout: node/store/snapshot.c), one view over many calls. `cursor` starts
 * zeroed. Fills at most `room` bytes (at least KZ_EXPORT_ROOM_MIN_BYTES); *size_bytes 0 = end. What is filled in one
 * call is what one kz_txn_import_rows takes. */
#define KZ_EXPORT_ROOM_MIN_BYTES 4096u
struct kz_export_cursor {
    uint8_t table;
    uint8_t key[512];
    size_t key_bytes;
    size_t value_offset; /* a large row comes in pieces: where the next piece of `key` starts */
    uint64_t rows;       /* done so far */
    bool started;
};
enum kz_code kz_view_export(struct kz_view *view, struct kz_export_cursor *cursor, uint8_t *out, size_t room,
                            size_t *size_bytes, struct kz_err *err) KZ_MUST_CHECK;
/* What `rows` of the cursor is at the end. */
enum kz_code kz_view_export_rows(struct kz_view *view, uint64_t *out, struct kz_err *err) KZ_MUST_CHECK;

/* Bytes used in the map, and free bytes on the file system that holds it. */
enum kz_code kz_store_usage(struct kz_store *store, uint64_t *used_bytes, uint64_t *free_bytes,
                            struct kz_err *err) KZ_MUST_CHECK;

/* Reads every row of every table, recomputes state hash, counters, references and the log's chain, and compares.
 * KZ_CORRUPT names the first bad row. Takes about a second per 100,000 records: not on the loop. */
enum kz_code kz_view_scrub(struct kz_view *view, struct kz_err *err) KZ_MUST_CHECK;

#endif
