/* SPDX-License-Identifier: Apache-2.0 */
/* What the writer and the reader of backup files share: the head's layout (backup.h). Private to node/backup. */
#ifndef KZ_BACKUP_FORMAT_H
#define KZ_BACKUP_FORMAT_H

#include <nettle/sha2.h>

#include "node/backup/backup.h"

#define KZ_BACKUP_MAGIC "KZBACKUP"
#define KZ_BACKUP_MAGIC_BYTES 8u
#define KZ_BACKUP_HEAD_BYTES 20u
#define KZ_BACKUP_SIGNED_HEAD_BYTES 16u /* of them; the signature's size cannot be signed */
#define KZ_BACKUP_CHUNK_HEAD_BYTES 5u

/* What the signature is made over. `head` points at the file's first KZ_BACKUP_SIGNED_HEAD_BYTES bytes. */
void kz_backup_hash_head(const uint8_t *head, const uint8_t *manifest, size_t manifest_bytes,
                         uint8_t out[KZ_BACKUP_HASH_BYTES]);

/* Reads or writes all of it at `offset`; false with errno. A read past the end is EPIPE's place: ENODATA. */
bool kz_backup_read_at(int fd, void *out, size_t size_bytes, uint64_t offset);
bool kz_backup_write_at(int fd, const void *bytes, size_t size_bytes, uint64_t offset);

enum kz_backup_fault kz_backup_fail(struct kz_err *err, enum kz_backup_fault fault, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
enum kz_backup_fault kz_backup_fail_errno(struct kz_err *err, const char *verb, const char *path);

#endif
