/* SPDX-License-Identifier: Apache-2.0 */
/* Private to node/store: the LMDB tables, their keys, and access with every value sealed on write and checked on
 * read. LMDB's error codes are translated here (table.c) and go no further. Thread rule: that of the scope's
 * transaction. */
#ifndef KZ_STORE_TABLE_H
#define KZ_STORE_TABLE_H

#include <lmdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/store/store.h"

/* Numbers are part of the disk format (they seed the seal) and of the snapshot rows: never reuse one.
 *
 *   table          key                                   payload
 *   HARD           name                                  see hard.c
 *   LOG            index                                 term u64, type u8, chain u64, data
 *   LOCAL          name                                  as given
 *   STATE          "state"                               see meta.c
 *   RECORDS        kind u8, id                           flags u8 (1 = retired), canonical record
 *   HISTORY        rev                                   kz.Change
 *   HISTORY_INDEX  kind u8, id, 0, rev                   empty
 *   REFS           kind u8, id, 0, referrer's kind, id   empty; live referrers only
 *   REQUESTS       request id                            order u64, kz.Outcome without `current`
 *   REQUESTS_ORDER order                                 request id, requests' clock when it was applied u64
 *   AUDIT          index                                 head (32), flags u8 (1 = held a command or a change)
 *   CHUNKS         SHA-256 of the chunk                  the chunk's bytes (blob.c)
 *   CONTENTS       SHA-256 of the content                size u64, SHA-256 of each chunk
 *   LOOSE          SHA-256 of the chunk                  since i64: no record version refers to it yet
 *   LOOSE_ORDER    since i64, SHA-256 of the chunk       empty
 *
 * Numbers in keys and payloads are u64 big-endian unless said otherwise. */
enum kz_table {
    KZ_TABLE_HARD = 1,
    KZ_TABLE_LOG = 2,
    KZ_TABLE_LOCAL = 3,
    KZ_TABLE_STATE = 4, /* from here on, and the log: once per generation, decisions/0001 */
    KZ_TABLE_RECORDS = 5,
    KZ_TABLE_HISTORY = 6,
    KZ_TABLE_HISTORY_INDEX = 7,
    KZ_TABLE_REFS = 8,
    KZ_TABLE_REQUESTS = 9,
    KZ_TABLE_REQUESTS_ORDER = 10,
    KZ_TABLE_AUDIT = 11,
    KZ_TABLE_CHUNKS = 12, /* from here on: made when an older store is opened */
    KZ_TABLE_CONTENTS = 13,
    KZ_TABLE_LOOSE = 14,
    KZ_TABLE_LOOSE_ORDER = 15,
};
#define KZ_TABLE_FIRST KZ_TABLE_HARD
#define KZ_TABLE_FIRST_STATE KZ_TABLE_STATE
#define KZ_TABLE_FIRST_ADDED KZ_TABLE_CHUNKS
#define KZ_TABLE_LAST KZ_TABLE_LOOSE_ORDER
#define KZ_GENERATIONS 3u
/* The log belongs to its generation too: an install leaves the old one behind whole, whatever its size. */
static inline bool kz_table_generational(enum kz_table table)
{
    return table == KZ_TABLE_LOG || table >= KZ_TABLE_FIRST_STATE;
}
#define KZ_TABLE_KEY_MAX_BYTES 160u /* kind, id, 0, kind, id is the longest: 131 */

const char *kz_table_name(enum kz_table table);

/* A transaction and the generation it sees. */
struct kz_scope {
    struct kz_store *store; /* borrowed */
    MDB_txn *mdb;           /* owned by the txn or view that holds the scope */
    unsigned generation;
};

struct kz_key {
    size_t size_bytes;
    uint8_t bytes[KZ_TABLE_KEY_MAX_BYTES];
};
struct kz_key kz_key_u64(uint64_t number);
struct kz_key kz_key_text(const char *text);
struct kz_key kz_key_bytes(const void *bytes, size_t size_bytes);
struct kz_key kz_key_record(Kz__Kind kind, const char *id); /* id not longer than KZ_ID_MAX_BYTES */
/* The smallest key of the kind above `after`, whatever people typed; NULL or "" = the smallest of all. */
struct kz_key kz_key_record_after(Kz__Kind kind, const char *after);
struct kz_key kz_key_record_prefix(Kz__Kind kind, const char *id); /* kind, id, 0 */
struct kz_key kz_key_record_rev(Kz__Kind kind, const char *id, uint64_t rev);
struct kz_key kz_key_reference(Kz__Kind kind, const char *id, Kz__Kind referrer_kind, const char *referrer_id);

/* Borrowed from the map: valid until the scope's next write or end. */
struct kz_bytes {
    const uint8_t *data;
    size_t size_bytes;
};

enum kz_code kz_lmdb_fail(int rc, struct kz_err *err, const char *what); /* never KZ_OK; `rc` != 0 */

/* KZ_NOT_FOUND leaves `err` untouched: absence is often no error, and filling a text costs. */
enum kz_code kz_table_get(const struct kz_scope *scope, enum kz_table table, const struct kz_key *key,
                          struct kz_bytes *out, struct kz_err *err) KZ_MUST_CHECK;
/* The payload comes in up to two parts. `append`: the key is above all others in the table (faster). */
enum kz_code kz_table_put(const struct kz_scope *scope, enum kz_table table, const struct kz_key *key,
                          struct kz_bytes head, struct kz_bytes body, bool append, struct kz_err *err) KZ_MUST_CHECK;
/* Already sealed bytes (snapshot rows), in ascending key order, else KZ_PROTOCOL. */
enum kz_code kz_table_put_sealed(const struct kz_scope *scope, enum kz_table table, const uint8_t *key,
                                 size_t key_bytes, struct kz_bytes sealed, struct kz_err *err) KZ_MUST_CHECK;
enum kz_code kz_table_delete(const struct kz_scope *scope, enum kz_table table, const struct kz_key *key,
                             struct kz_err *err) KZ_MUST_CHECK; /* KZ_NOT_FOUND as above */
enum kz_code kz_table_empty(const struct kz_scope *scope, enum kz_table table, struct kz_err *err) KZ_MUST_CHECK;
/* Removes rows without looking at them, at most *rows_left, and takes what it removed off that. */
enum kz_code kz_table_sweep(const struct kz_scope *scope, enum kz_table table, size_t *rows_left,
                            struct kz_err *err) KZ_MUST_CHECK;
enum kz_code kz_table_count(const struct kz_scope *scope, enum kz_table table, uint64_t *out,
                            struct kz_err *err) KZ_MUST_CHECK;

/* A walk over a table's rows in key order. After a successful move `key` and `value` (payload) are the row's,
 * checked; KZ_NOT_FOUND means there is none (err untouched). */
struct kz_rows {
    const struct kz_scope *scope;
    enum kz_table table;
    MDB_cursor *cursor;
    struct kz_bytes key;
    struct kz_bytes value;
    struct kz_bytes sealed; /* value with its seal, as stored */
};
enum kz_code kz_rows_open(struct kz_rows *rows, const struct kz_scope *scope, enum kz_table table,
                          struct kz_err *err) KZ_MUST_CHECK;
void kz_rows_close(struct kz_rows *rows);
enum kz_code kz_rows_first(struct kz_rows *rows, struct kz_err *err) KZ_MUST_CHECK;
enum kz_code kz_rows_last(struct kz_rows *rows, struct kz_err *err) KZ_MUST_CHECK;
enum kz_code kz_rows_seek(struct kz_rows *rows, const void *key, size_t key_bytes,
                          struct kz_err *err) KZ_MUST_CHECK; /* first at or above */
enum kz_code kz_rows_next(struct kz_rows *rows, struct kz_err *err) KZ_MUST_CHECK;
enum kz_code kz_rows_previous(struct kz_rows *rows, struct kz_err *err) KZ_MUST_CHECK;
enum kz_code kz_rows_delete(struct kz_rows *rows, struct kz_err *err) KZ_MUST_CHECK; /* next moves to its successor */

/* Fills `err` naming table and key: for rows whose seal fits but whose contents make no sense. */
enum kz_code kz_table_corrupt(enum kz_table table, const void *key, size_t key_bytes, const char *why,
                              struct kz_err *err);

#endif
