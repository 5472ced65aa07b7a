/* SPDX-License-Identifier: Apache-2.0 */
/* A backup: one node's state as one encrypted, signed file (DESIGN 8, decisions/0009). Written as the rows arrive, read
 * only after all of it was checked, restored through the real store. It does not connect anywhere, prints nothing and
 * does not see TLS: signing and the judgement of a signer are callbacks. One thread per writer or file.
 *
 * Integers big-endian:
 *
 *   0       8         12         16           20         20 + m            + 512
 *   +-------+---------+----------+------------+----------+-----------------+--------+--------+ ...
 *   | magic | version | m: bytes | signature  | manifest | signature, then | chunk  | chunk  |
 *   |       | u32     | u32      | bytes: u32 |          | zeros to 512    |        |        |
 *   +-------+---------+----------+------------+----------+-----------------+--------+--------+ ...
 *
 *   chunk:  size u32 | last u8 | ciphertext and tag (size bytes); plain: what one kz_txn_import_rows takes
 *
 * The manifest is a kz.BackupManifest, readable without a key; its fields of fixed size are filled in at the end. What
 * is signed is SHA-256("keizoku backup signature 1", bytes 0 to 15, manifest); the manifest holds the file's size and
 * the hash of all chunks. So every byte is covered: by the signature, by that hash, or as a zero. */
#ifndef KZ_BACKUP_BACKUP_H
#define KZ_BACKUP_BACKUP_H

#include "node/backup/key.h"
#include "proto/backup.pb-c.h"
#include "proto/wire.h"

#define KZ_BACKUP_VERSION 1u
#define KZ_BACKUP_HASH_BYTES 32u
#define KZ_BACKUP_RECIPIENTS_MAX 16u
#define KZ_BACKUP_CERTIFICATES_MAX 4u
#define KZ_BACKUP_MANIFEST_MAX_BYTES (64u << 10)
#define KZ_BACKUP_SIGNATURE_ROOM_BYTES 512u /* RSA 4096 */
#define KZ_BACKUP_CHUNK_MAX_BYTES KZ_CHUNK_MAX_BYTES

/* Why a file was refused, each with a sentence and a way out of its own (the reader's, by these names). */
#define KZ_BACKUP_FAULT_TABLE(X)                                                                                       \
    X(FILE_IO, IO)           /* it cannot be read or written: the text says why */                                     \
    X(EXISTS, CONFLICT)      /* nothing is overwritten */                                                              \
    X(LOCKED, BUSY)          /* somebody else writes it */                                                             \
    X(NOT_A_BACKUP, CORRUPT) /* another kind of file */                                                                \
    X(NEWER, FAILED)         /* of a newer keizoku */                                                                  \
    X(TRUNCATED, CORRUPT)                                                                                              \
    X(LONGER, CORRUPT)    /* bytes were added */                                                                       \
    X(HEAD, CORRUPT)      /* the manifest makes no sense */                                                            \
    X(SIGNATURE, CORRUPT) /* the manifest is not what was signed */                                                    \
    X(SIGNER, DENIED)     /* signed by somebody who may not */                                                         \
    X(CONTENT, CORRUPT)   /* the chunks are not the ones the manifest names */                                         \
    X(WRONG_KEY, DENIED)  /* encrypted to other keys */                                                                \
    X(KEY_DAMAGED, CORRUPT)                                                                                            \
    X(CHUNK, CORRUPT)   /* a chunk does not decrypt */                                                                 \
    X(ROWS, CORRUPT)    /* decrypted, and not a state */                                                               \
    X(STATE, CORRUPT)   /* a state, and not the one the manifest names */                                              \
    X(NOT_EMPTY, USAGE) /* the folder to restore to holds something */                                                 \
    X(STORE, FAILED)    /* the store that is restored to failed: the text says why */                                  \
    X(ARGUMENT, USAGE)  /* a name or address that cannot be */

enum kz_backup_fault {
    KZ_BACKUP_FINE,
#define X(name, code) KZ_BACKUP_##name,
    KZ_BACKUP_FAULT_TABLE(X)
#undef X
};
enum kz_code kz_backup_fault_code(enum kz_backup_fault fault);

struct kz_backup_progress {
    void (*tell)(void *data, uint64_t done_bytes, uint64_t total_bytes); /* NULL: nobody asks */
    void *data;
};

/* ---- writing ---- */

struct kz_backup_writer;

/* Everything is borrowed for kz_backup_create; `sign` and `data` until the end. */
struct kz_backup_options {
    const char *saved_by, *program;
    int64_t saved_ms;
    const Kz__SnapshotHead *state;
    const struct kz_backup_key *recipients; /* 1 to KZ_BACKUP_RECIPIENTS_MAX */
    size_t recipient_count;
    const ProtobufCBinaryData *certificates; /* DER, the signer's first */
    size_t certificate_count;
    enum kz_code (*sign)(void *data, const uint8_t hash[KZ_BACKUP_HASH_BYTES], uint8_t *out, size_t room,
                         size_t *size_bytes, struct kz_err *err);
    void *data;
};

/* Writes beside `path` (".<name>.partial"); only kz_backup_finish makes `path`, whole and durable, and never replaces
 * one. A part file left by a process that died is taken over. */
enum kz_backup_fault kz_backup_create(const char *path, const struct kz_backup_options *options,
                                      struct kz_backup_writer **out, struct kz_err *err) KZ_MUST_CHECK;
/* At most KZ_BACKUP_CHUNK_MAX_BYTES. Exactly one call is the last. */
enum kz_backup_fault kz_backup_add(struct kz_backup_writer *writer, const uint8_t *rows, size_t size_bytes, bool last,
                                   struct kz_err *err) KZ_MUST_CHECK;
enum kz_backup_fault kz_backup_finish(struct kz_backup_writer *writer, struct kz_err *err) KZ_MUST_CHECK;
const Kz__BackupManifest *kz_backup_written(const struct kz_backup_writer *writer); /* complete after finish */
/* SHA-256 of the whole file, after finish. */
void kz_backup_written_hash(const struct kz_backup_writer *writer, uint8_t out[KZ_BACKUP_HASH_BYTES]);
void kz_backup_writer_free(struct kz_backup_writer *writer); /* unfinished: the part file is removed; NULL is legal */

/* Removes part files of processes that died: ".keizoku-*.partial" in the folder that nobody holds locked. */
void kz_backup_sweep(const char *folder);

/* ---- reading ---- */

struct kz_backup_file;

/* Reads the head; trusts nothing. */
enum kz_backup_fault kz_backup_open(const char *path, struct kz_backup_file **out, struct kz_err *err) KZ_MUST_CHECK;
void kz_backup_close(struct kz_backup_file *file); /* NULL is legal */
const Kz__BackupManifest *kz_backup_manifest(const struct kz_backup_file *file);

/* Judges the signature over `hash` and who made it. KZ_BACKUP_SIGNATURE or KZ_BACKUP_SIGNER when it will not do. */
typedef enum kz_backup_fault (*kz_backup_judge)(void *data, const Kz__BackupManifest *manifest,
                                                const uint8_t hash[KZ_BACKUP_HASH_BYTES], const uint8_t *signature,
                                                size_t size_bytes, struct kz_err *err);
/* Signature, then size: quick. */
enum kz_backup_fault kz_backup_check_head(struct kz_backup_file *file, kz_backup_judge judge, void *data,
                                          struct kz_err *err) KZ_MUST_CHECK;
/* After kz_backup_check_head: every byte that follows. */
enum kz_backup_fault kz_backup_check_content(struct kz_backup_file *file, const struct kz_backup_progress *progress,
                                             struct kz_err *err) KZ_MUST_CHECK;
/* Finds the data key. `key` is borrowed for the call. */
enum kz_backup_fault kz_backup_unlock(struct kz_backup_file *file, const struct kz_backup_key *key,
                                      struct kz_err *err) KZ_MUST_CHECK;
/* The next chunk, decrypted, from the first one on after unlocking; borrowed until the next call. *last: no more. */
enum kz_backup_fault kz_backup_next(struct kz_backup_file *file, const uint8_t **rows, size_t *size_bytes, bool *last,
                                    struct kz_err *err) KZ_MUST_CHECK;
uint64_t kz_backup_position(const struct kz_backup_file *file); /* bytes read so far by kz_backup_next */

#endif
