/* SPDX-License-Identifier: Apache-2.0 */
/* Happy path: open -> check_head -> check_content -> unlock -> next ... next(last). Each step asserts the one before:
 * nothing of a file is used that was not checked. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/backup/format.h"
#include "node/base/assert.h"

#define CHUNK_ROOM_BYTES (KZ_BACKUP_CHUNK_HEAD_BYTES + KZ_BACKUP_CHUNK_MAX_BYTES + KZ_BACKUP_TAG_BYTES)

struct kz_backup_file {
    char *path;
    int fd;
    uint64_t size_bytes;
    uint8_t *head; /* owned: everything before the chunks */
    size_t manifest_bytes, signature_bytes;
    Kz__BackupManifest *manifest;
    bool head_checked, content_checked;
    struct kz_backup_cipher *cipher; /* after unlocking */
    uint64_t offset, number;         /* of the next chunk */
    bool ended;
    uint8_t chunk[CHUNK_ROOM_BYTES], plain[KZ_BACKUP_CHUNK_MAX_BYTES];
};

static uint64_t chunks_offset(const struct kz_backup_file *file)
{
    return KZ_BACKUP_HEAD_BYTES + file->manifest_bytes + KZ_BACKUP_SIGNATURE_ROOM_BYTES;
}

/* ---- the head ---- */

static enum kz_backup_fault fail_short(const struct kz_backup_file *file, uint64_t wanted, struct kz_err *err)
{
    return kz_backup_fail(err, KZ_BACKUP_TRUNCATED, "%s has %llu bytes of %llu", file->path,
                          (unsigned long long)file->size_bytes, (unsigned long long)wanted);
}

static enum kz_backup_fault read_fixed_head(struct kz_backup_file *file, struct kz_err *err)
{
    uint8_t head[KZ_BACKUP_HEAD_BYTES];
    size_t size = file->size_bytes < sizeof head ? (size_t)file->size_bytes : sizeof head;
    if (!kz_backup_read_at(file->fd, head, size, 0)) return kz_backup_fail_errno(err, "read", file->path);
    if (size < KZ_BACKUP_MAGIC_BYTES || memcmp(head, KZ_BACKUP_MAGIC, KZ_BACKUP_MAGIC_BYTES) != 0)
        return kz_backup_fail(err, KZ_BACKUP_NOT_A_BACKUP, "%s does not begin as a backup does", file->path);
    if (size < sizeof head) return fail_short(file, sizeof head, err);
    if (kz_get_u32(head + 8) != KZ_BACKUP_VERSION)
        return kz_backup_fail(err, KZ_BACKUP_NEWER, "%s is of format version %u, this program knows %u", file->path,
                              kz_get_u32(head + 8), KZ_BACKUP_VERSION);
    file->manifest_bytes = kz_get_u32(head + 12);
    file->signature_bytes = kz_get_u32(head + 16);
    if (file->manifest_bytes > KZ_BACKUP_MANIFEST_MAX_BYTES || file->signature_bytes > KZ_BACKUP_SIGNATURE_ROOM_BYTES)
        return kz_backup_fail(err, KZ_BACKUP_HEAD, "%s: the head names impossible sizes", file->path);
    if (file->size_bytes < chunks_offset(file)) return fail_short(file, chunks_offset(file), err);
    file->head = kz_must_alloc(1, (size_t)chunks_offset(file));
    if (!kz_backup_read_at(file->fd, file->head, (size_t)chunks_offset(file), 0))
        return kz_backup_fail_errno(err, "read", file->path);
    return KZ_BACKUP_FINE;
}

static bool is_sane(const Kz__BackupManifest *manifest)
{
    if (manifest->id.len != KZ_BACKUP_ID_BYTES || manifest->chunks_hash.len != KZ_BACKUP_HASH_BYTES ||
        manifest->state->state_hash.len != KZ_BACKUP_HASH_BYTES)
        return false;
    if (manifest->n_recipients == 0 || manifest->n_recipients > KZ_BACKUP_RECIPIENTS_MAX ||
        manifest->n_certificates > KZ_BACKUP_CERTIFICATES_MAX)
        return false;
    for (size_t i = 0; i < manifest->n_recipients; i++)
        if (manifest->recipients[i]->public_key.len != KZ_BACKUP_KEY_BYTES ||
            manifest->recipients[i]->ephemeral.len != KZ_BACKUP_KEY_BYTES ||
            manifest->recipients[i]->wrapped_key.len != KZ_BACKUP_WRAPPED_BYTES)
            return false;
    return true;
}

static enum kz_backup_fault read_manifest(struct kz_backup_file *file, struct kz_err *err)
{
    const uint8_t *manifest = file->head + KZ_BACKUP_HEAD_BYTES, *room = manifest + file->manifest_bytes;
    file->manifest = kz__backup_manifest__unpack(NULL, file->manifest_bytes, manifest);
    if (!file->manifest || !is_sane(file->manifest))
        return kz_backup_fail(err, KZ_BACKUP_HEAD, "%s: the manifest makes no sense", file->path);
    for (size_t i = file->signature_bytes; i < KZ_BACKUP_SIGNATURE_ROOM_BYTES; i++)
        if (room[i] != 0)
            return kz_backup_fail(err, KZ_BACKUP_SIGNATURE, "%s: bytes stand after the signature", file->path);
    return KZ_BACKUP_FINE;
}

static enum kz_backup_fault open_file(struct kz_backup_file *file, struct kz_err *err)
{
    struct stat info;
    file->fd = open(file->path, O_RDONLY | O_CLOEXEC);
    if (file->fd < 0 || fstat(file->fd, &info) != 0) return kz_backup_fail_errno(err, "open", file->path);
    if (!S_ISREG(info.st_mode)) return kz_backup_fail(err, KZ_BACKUP_NOT_A_BACKUP, "%s is no plain file", file->path);
    file->size_bytes = (uint64_t)info.st_size;
    enum kz_backup_fault fault = read_fixed_head(file, err);
    return fault ? fault : read_manifest(file, err);
}

enum kz_backup_fault kz_backup_open(const char *path, struct kz_backup_file **out, struct kz_err *err)
{
    struct kz_backup_file *file = kz_must_alloc(1, sizeof *file);
    file->path = kz_must_strdup(path);
    enum kz_backup_fault fault = open_file(file, err);
    if (fault) {
        kz_backup_close(file);
        return fault;
    }
    *out = file;
    return KZ_BACKUP_FINE;
}

void kz_backup_close(struct kz_backup_file *file)
{
    if (!file) return;
    if (file->fd >= 0) close(file->fd);
    if (file->manifest) kz__backup_manifest__free_unpacked(file->manifest, NULL);
    kz_backup_cipher_free(file->cipher);
    explicit_bzero(file->plain, sizeof file->plain);
    free(file->head);
    free(file->path);
    free(file);
}

const Kz__BackupManifest *kz_backup_manifest(const struct kz_backup_file *file) { return file->manifest; }

/* The signature first: a size that nobody signed is no reason to call the file cut short. */
enum kz_backup_fault kz_backup_check_head(struct kz_backup_file *file, kz_backup_judge judge, void *data,
                                          struct kz_err *err)
{
    uint8_t hash[KZ_BACKUP_HASH_BYTES];
    const uint8_t *manifest = file->head + KZ_BACKUP_HEAD_BYTES;
    kz_backup_hash_head(file->head, manifest, file->manifest_bytes, hash);
    enum kz_backup_fault fault =
        judge(data, file->manifest, hash, manifest + file->manifest_bytes, file->signature_bytes, err);
    if (fault) return fault;
    if (file->size_bytes < file->manifest->file_bytes) return fail_short(file, file->manifest->file_bytes, err);
    if (file->size_bytes > file->manifest->file_bytes)
        return kz_backup_fail(err, KZ_BACKUP_LONGER, "%s has %llu bytes instead of %llu", file->path,
                              (unsigned long long)file->size_bytes, (unsigned long long)file->manifest->file_bytes);
    file->head_checked = true;
    return KZ_BACKUP_FINE;
}

/* ---- the content ---- */

static enum kz_backup_fault fail_content(const struct kz_backup_file *file, struct kz_err *err)
{
    return kz_backup_fail(err, KZ_BACKUP_CONTENT, "%s: chunk %llu or one near it is damaged", file->path,
                          (unsigned long long)file->number);
}

/* The chunk at file->offset, as it stands. */
static enum kz_backup_fault read_chunk(struct kz_backup_file *file, size_t *size_bytes, struct kz_err *err)
{
    uint64_t left = file->size_bytes - file->offset;
    if (file->ended || left < KZ_BACKUP_CHUNK_HEAD_BYTES) return fail_content(file, err);
    if (!kz_backup_read_at(file->fd, file->chunk, KZ_BACKUP_CHUNK_HEAD_BYTES, file->offset))
        return kz_backup_fail_errno(err, "read", file->path);
    size_t size = kz_get_u32(file->chunk);
    if (size < KZ_BACKUP_TAG_BYTES || size > KZ_BACKUP_CHUNK_MAX_BYTES + KZ_BACKUP_TAG_BYTES ||
        left - KZ_BACKUP_CHUNK_HEAD_BYTES < size || file->chunk[4] > 1)
        return fail_content(file, err);
    if (!kz_backup_read_at(file->fd, file->chunk + KZ_BACKUP_CHUNK_HEAD_BYTES, size,
                           file->offset + KZ_BACKUP_CHUNK_HEAD_BYTES))
        return kz_backup_fail_errno(err, "read", file->path);
    file->ended = file->chunk[4] == 1;
    file->offset += KZ_BACKUP_CHUNK_HEAD_BYTES + size;
    file->number++;
    *size_bytes = size;
    return KZ_BACKUP_FINE;
}

static void rewind_chunks(struct kz_backup_file *file)
{
    file->offset = chunks_offset(file);
    file->number = 0;
    file->ended = false;
}

enum kz_backup_fault kz_backup_check_content(struct kz_backup_file *file, const struct kz_backup_progress *progress,
                                             struct kz_err *err)
{
    struct sha256_ctx hash;
    uint8_t found[KZ_BACKUP_HASH_BYTES];
    kz_assert(file->head_checked);
    sha256_init(&hash);
    rewind_chunks(file);
    while (file->offset < file->size_bytes) {
        size_t size = 0;
        enum kz_backup_fault fault = read_chunk(file, &size, err);
        if (fault) return fault;
        sha256_update(&hash, KZ_BACKUP_CHUNK_HEAD_BYTES + size, file->chunk);
        if (progress && progress->tell) progress->tell(progress->data, file->offset, file->size_bytes);
    }
    sha256_digest(&hash, sizeof found, found);
    if (!file->ended || file->number != file->manifest->chunk_count ||
        memcmp(found, file->manifest->chunks_hash.data, sizeof found) != 0)
        return fail_content(file, err);
    file->content_checked = true;
    return KZ_BACKUP_FINE;
}

enum kz_backup_fault kz_backup_unlock(struct kz_backup_file *file, const struct kz_backup_key *key, struct kz_err *err)
{
    char name[KZ_BACKUP_FINGERPRINT_BYTES];
    const Kz__BackupManifest *manifest = file->manifest;
    kz_assert(file->content_checked && key->is_private);
    for (size_t i = 0; i < manifest->n_recipients; i++) {
        const Kz__BackupRecipient *recipient = manifest->recipients[i];
        struct kz_backup_wrapped wrapped;
        uint8_t data_key[KZ_BACKUP_KEY_BYTES];
        if (memcmp(recipient->public_key.data, key->public_key, KZ_BACKUP_KEY_BYTES) != 0) continue;
        memcpy(wrapped.ephemeral, recipient->ephemeral.data, sizeof wrapped.ephemeral);
        memcpy(wrapped.wrapped, recipient->wrapped_key.data, sizeof wrapped.wrapped);
        if (!kz_backup_unwrap(manifest->id.data, key, &wrapped, data_key)) continue;
        kz_backup_cipher_free(file->cipher);
        file->cipher = kz_backup_cipher_new(manifest->id.data, data_key);
        explicit_bzero(data_key, sizeof data_key);
        rewind_chunks(file);
        return KZ_BACKUP_FINE;
    }
    kz_backup_key_fingerprint(key->public_key, name);
    return kz_backup_fail(err, KZ_BACKUP_WRONG_KEY, "it is not encrypted to the key %s", name);
}

/* Decrypting checks again: the file may have changed since. */
enum kz_backup_fault kz_backup_next(struct kz_backup_file *file, const uint8_t **rows, size_t *size_bytes, bool *last,
                                    struct kz_err *err)
{
    size_t size = 0;
    kz_assert(file->cipher);
    enum kz_backup_fault fault = read_chunk(file, &size, err);
    if (fault) return fault;
    if (!kz_backup_decrypt(file->cipher, file->number - 1, file->ended, file->chunk + KZ_BACKUP_CHUNK_HEAD_BYTES, size,
                           file->plain))
        return kz_backup_fail(err, KZ_BACKUP_CHUNK, "%s: chunk %llu does not decrypt", file->path,
                              (unsigned long long)file->number - 1);
    *rows = file->plain;
    *size_bytes = size - KZ_BACKUP_TAG_BYTES;
    *last = file->ended;
    return KZ_BACKUP_FINE;
}

uint64_t kz_backup_position(const struct kz_backup_file *file) { return file->offset; }
