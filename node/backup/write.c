/* SPDX-License-Identifier: Apache-2.0 */
/* Happy path: create (part file locked, head's room left free) -> add ... add(last) -> finish: manifest and signature
 * into the room, fsync, rename, fsync of the folder. Any failure: free removes the part file. A process that dies
 * leaves the part file, unlocked: the next one of that name takes it over, or kz_backup_sweep removes it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/backup/format.h"
#include "node/base/assert.h"
#include "node/base/failpoint.h"

#define PART_PREFIX "."
#define PART_SUFFIX ".partial"
#define SWEEP_PREFIX ".keizoku-"
#define REREAD_BYTES (256u << 10)

struct kz_backup_writer {
    char path[PATH_MAX], part[PATH_MAX + 16], folder[PATH_MAX];
    int fd;
    bool finished, ended; /* ended: the last chunk came */
    Kz__BackupManifest *manifest;
    size_t manifest_bytes;
    uint64_t offset;
    struct kz_backup_cipher *cipher;
    struct sha256_ctx chunks;
    uint8_t chunks_hash[KZ_BACKUP_HASH_BYTES], file_hash[KZ_BACKUP_HASH_BYTES];
    enum kz_code (*sign)(void *data, const uint8_t hash[KZ_BACKUP_HASH_BYTES], uint8_t *out, size_t room,
                         size_t *size_bytes, struct kz_err *err);
    void *data;
    uint8_t chunk[KZ_BACKUP_CHUNK_HEAD_BYTES + KZ_BACKUP_CHUNK_MAX_BYTES + KZ_BACKUP_TAG_BYTES];
};

/* ---- beginning ---- */

static enum kz_backup_fault make_names(struct kz_backup_writer *writer, const char *path, struct kz_err *err)
{
    char copy[PATH_MAX], other[PATH_MAX];
    if (strlen(path) >= sizeof copy - sizeof PART_SUFFIX - 2)
        return kz_backup_fail(err, KZ_BACKUP_FILE_IO, "%.60s...: the path is too long", path);
    memcpy(writer->path, path, strlen(path) + 1);
    memcpy(copy, path, strlen(path) + 1);
    memcpy(other, path, strlen(path) + 1);
    snprintf(writer->folder, sizeof writer->folder, "%s", dirname(copy));
    int used = snprintf(writer->part, sizeof writer->part, "%s/" PART_PREFIX "%s" PART_SUFFIX, writer->folder,
                        basename(other));
    if (used < 0 || (size_t)used >= sizeof writer->part)
        return kz_backup_fail(err, KZ_BACKUP_FILE_IO, "%.60s...: the path is too long", path);
    return KZ_BACKUP_FINE;
}

static enum kz_backup_fault fail_exists(const struct kz_backup_writer *writer, struct kz_err *err)
{
    return kz_backup_fail(err, KZ_BACKUP_EXISTS, "%s exists already", writer->path);
}

/* Holding the lock on a file that has been renamed or removed meanwhile is holding nothing. */
static bool is_still_there(const struct kz_backup_writer *writer)
{
    struct stat held, named;
    return fstat(writer->fd, &held) == 0 && stat(writer->part, &named) == 0 && held.st_ino == named.st_ino &&
           held.st_dev == named.st_dev;
}

static enum kz_backup_fault open_part(struct kz_backup_writer *writer, struct kz_err *err)
{
    if (access(writer->path, F_OK) == 0) return fail_exists(writer, err);
    writer->fd = open(writer->part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (writer->fd < 0) return kz_backup_fail_errno(err, "create", writer->part);
    if (flock(writer->fd, LOCK_EX | LOCK_NB) != 0 || !is_still_there(writer)) {
        close(writer->fd);
        writer->fd = -1;
        return kz_backup_fail(err, KZ_BACKUP_LOCKED, "%s is being written by another process", writer->path);
    }
    if (ftruncate(writer->fd, 0) != 0) return kz_backup_fail_errno(err, "empty", writer->part);
    return KZ_BACKUP_FINE;
}

static void copy_bytes(ProtobufCBinaryData *out, const void *bytes, size_t size_bytes)
{
    out->len = size_bytes;
    out->data = size_bytes ? kz_must_memdup(bytes, size_bytes) : NULL;
}

static Kz__SnapshotHead *copy_state(const Kz__SnapshotHead *state)
{
    size_t size = kz__snapshot_head__get_packed_size(state);
    uint8_t *packed = kz_must_alloc(1, size + 1);
    kz__snapshot_head__pack(state, packed);
    Kz__SnapshotHead *copy = kz__snapshot_head__unpack(NULL, size, packed);
    kz_assert(copy);
    free(packed);
    return copy;
}

static enum kz_backup_fault add_recipients(Kz__BackupManifest *manifest, const struct kz_backup_options *options,
                                           const uint8_t *data_key, struct kz_err *err)
{
    manifest->recipients = kz_must_alloc(options->recipient_count, sizeof *manifest->recipients);
    for (size_t i = 0; i < options->recipient_count; i++) {
        struct kz_backup_wrapped wrapped;
        const uint8_t *key = options->recipients[i].public_key;
        if (kz_backup_wrap(manifest->id.data, key, data_key, &wrapped, err)) return KZ_BACKUP_KEY_DAMAGED;
        Kz__BackupRecipient *recipient = kz_must_alloc(1, sizeof *recipient);
        kz__backup_recipient__init(recipient);
        copy_bytes(&recipient->public_key, key, KZ_BACKUP_KEY_BYTES);
        copy_bytes(&recipient->ephemeral, wrapped.ephemeral, sizeof wrapped.ephemeral);
        copy_bytes(&recipient->wrapped_key, wrapped.wrapped, sizeof wrapped.wrapped);
        manifest->recipients[manifest->n_recipients++] = recipient;
    }
    return KZ_BACKUP_FINE;
}

static void add_certificates(Kz__BackupManifest *manifest, const struct kz_backup_options *options)
{
    manifest->certificates = kz_must_alloc(options->certificate_count + 1, sizeof *manifest->certificates);
    for (size_t i = 0; i < options->certificate_count; i++)
        copy_bytes(&manifest->certificates[manifest->n_certificates++], options->certificates[i].data,
                   options->certificates[i].len);
}

static enum kz_backup_fault fill_manifest(struct kz_backup_writer *writer, const struct kz_backup_options *options,
                                          struct kz_err *err)
{
    uint8_t id[KZ_BACKUP_ID_BYTES], data_key[KZ_BACKUP_KEY_BYTES];
    static const uint8_t no_hash[KZ_BACKUP_HASH_BYTES];
    Kz__BackupManifest *manifest = writer->manifest = kz_must_alloc(1, sizeof *manifest);
    kz__backup_manifest__init(manifest);
    if (kz_backup_random(id, sizeof id, err) || kz_backup_random(data_key, sizeof data_key, err))
        return KZ_BACKUP_FILE_IO;
    copy_bytes(&manifest->id, id, sizeof id);
    copy_bytes(&manifest->chunks_hash, no_hash, sizeof no_hash);
    manifest->saved_ms = options->saved_ms;
    manifest->saved_by = kz_must_strdup(options->saved_by);
    manifest->program = kz_must_strdup(options->program);
    manifest->state = copy_state(options->state);
    add_certificates(manifest, options);
    enum kz_backup_fault fault = add_recipients(manifest, options, data_key, err);
    writer->cipher = kz_backup_cipher_new(id, data_key);
    explicit_bzero(data_key, sizeof data_key);
    writer->manifest_bytes = kz__backup_manifest__get_packed_size(manifest);
    if (!fault && writer->manifest_bytes > KZ_BACKUP_MANIFEST_MAX_BYTES)
        fault = kz_backup_fail(err, KZ_BACKUP_HEAD, "the manifest has %zu bytes, more than %u", writer->manifest_bytes,
                               KZ_BACKUP_MANIFEST_MAX_BYTES);
    return fault;
}

enum kz_backup_fault kz_backup_create(const char *path, const struct kz_backup_options *options,
                                      struct kz_backup_writer **out, struct kz_err *err)
{
    kz_assert(options->recipient_count > 0 && options->recipient_count <= KZ_BACKUP_RECIPIENTS_MAX);
    kz_assert(options->certificate_count <= KZ_BACKUP_CERTIFICATES_MAX);
    struct kz_backup_writer *writer = kz_must_alloc(1, sizeof *writer);
    writer->fd = -1;
    writer->sign = options->sign;
    writer->data = options->data;
    sha256_init(&writer->chunks);
    enum kz_backup_fault fault = make_names(writer, path, err);
    if (!fault) fault = open_part(writer, err);
    if (!fault) fault = fill_manifest(writer, options, err);
    if (fault) {
        kz_backup_writer_free(writer);
        return fault;
    }
    writer->offset = KZ_BACKUP_HEAD_BYTES + writer->manifest_bytes + KZ_BACKUP_SIGNATURE_ROOM_BYTES;
    KZ_FAILPOINT("backup.create");
    *out = writer;
    return KZ_BACKUP_FINE;
}

/* ---- chunks ---- */

enum kz_backup_fault kz_backup_add(struct kz_backup_writer *writer, const uint8_t *rows, size_t size_bytes, bool last,
                                   struct kz_err *err)
{
    kz_assert(!writer->ended && size_bytes <= KZ_BACKUP_CHUNK_MAX_BYTES);
    uint8_t *chunk = writer->chunk;
    kz_put_u32(chunk, (uint32_t)(size_bytes + KZ_BACKUP_TAG_BYTES));
    chunk[4] = last;
    kz_backup_encrypt(writer->cipher, writer->manifest->chunk_count, last, rows, size_bytes,
                      chunk + KZ_BACKUP_CHUNK_HEAD_BYTES);
    size_t size = KZ_BACKUP_CHUNK_HEAD_BYTES + size_bytes + KZ_BACKUP_TAG_BYTES;
    if (!kz_backup_write_at(writer->fd, chunk, size, writer->offset))
        return kz_backup_fail_errno(err, "write", writer->part);
    KZ_FAILPOINT("backup.chunk");
    sha256_update(&writer->chunks, size, chunk);
    writer->offset += size;
    writer->manifest->chunk_count++;
    writer->ended = last;
    return KZ_BACKUP_FINE;
}

/* ---- the end ---- */

static enum kz_backup_fault write_head(struct kz_backup_writer *writer, struct kz_err *err)
{
    size_t size = KZ_BACKUP_HEAD_BYTES + writer->manifest_bytes + KZ_BACKUP_SIGNATURE_ROOM_BYTES;
    uint8_t *head = kz_must_alloc(1, size), *manifest = head + KZ_BACKUP_HEAD_BYTES;
    uint8_t hash[KZ_BACKUP_HASH_BYTES];
    size_t signature_bytes = 0;
    enum kz_backup_fault fault = KZ_BACKUP_FINE;
    memcpy(head, KZ_BACKUP_MAGIC, KZ_BACKUP_MAGIC_BYTES);
    kz_put_u32(head + 8, KZ_BACKUP_VERSION);
    kz_put_u32(head + 12, (uint32_t)writer->manifest_bytes);
    kz_assert(kz__backup_manifest__pack(writer->manifest, manifest) == writer->manifest_bytes);
    kz_backup_hash_head(head, manifest, writer->manifest_bytes, hash);
    if (writer->sign(writer->data, hash, manifest + writer->manifest_bytes, KZ_BACKUP_SIGNATURE_ROOM_BYTES,
                     &signature_bytes, err))
        fault = KZ_BACKUP_SIGNER;
    kz_put_u32(head + 16, (uint32_t)signature_bytes);
    if (!fault && !kz_backup_write_at(writer->fd, head, size, 0))
        fault = kz_backup_fail_errno(err, "write", writer->part);
    free(head);
    return fault;
}

static enum kz_backup_fault sync_folder(const struct kz_backup_writer *writer, struct kz_err *err)
{
    int fd = open(writer->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return kz_backup_fail_errno(err, "open", writer->folder);
    enum kz_backup_fault fault = fsync(fd) == 0 ? KZ_BACKUP_FINE : kz_backup_fail_errno(err, "sync", writer->folder);
    close(fd);
    return fault;
}

/* Media that know no exclusive rename (FAT on a stick) have only one writer: we hold the part file's lock. */
static enum kz_backup_fault put_in_place(const struct kz_backup_writer *writer, struct kz_err *err)
{
    if (renameat2(AT_FDCWD, writer->part, AT_FDCWD, writer->path, RENAME_NOREPLACE) == 0) return KZ_BACKUP_FINE;
    if (errno == EEXIST) return fail_exists(writer, err);
    if (errno != EINVAL && errno != ENOSYS) return kz_backup_fail_errno(err, "rename", writer->part);
    if (access(writer->path, F_OK) == 0) return fail_exists(writer, err);
    if (rename(writer->part, writer->path) != 0) return kz_backup_fail_errno(err, "rename", writer->part);
    return KZ_BACKUP_FINE;
}

/* Read back: what counts is what the medium gives, not what was handed to it. */
static enum kz_backup_fault hash_file(struct kz_backup_writer *writer, struct kz_err *err)
{
    struct sha256_ctx hash;
    sha256_init(&hash);
    for (uint64_t at = 0; at < writer->offset;) {
        size_t size = writer->offset - at < REREAD_BYTES ? (size_t)(writer->offset - at) : REREAD_BYTES;
        if (!kz_backup_read_at(writer->fd, writer->chunk, size, at))
            return kz_backup_fail_errno(err, "read back", writer->part);
        sha256_update(&hash, size, writer->chunk);
        at += size;
    }
    sha256_digest(&hash, KZ_BACKUP_HASH_BYTES, writer->file_hash);
    return KZ_BACKUP_FINE;
}
static_assert(REREAD_BYTES <= sizeof(((struct kz_backup_writer *)NULL)->chunk), "read back through the chunk's room");

enum kz_backup_fault kz_backup_finish(struct kz_backup_writer *writer, struct kz_err *err)
{
    kz_assert(writer->ended && !writer->finished);
    sha256_digest(&writer->chunks, KZ_BACKUP_HASH_BYTES, writer->manifest->chunks_hash.data);
    writer->manifest->file_bytes = writer->offset;
    enum kz_backup_fault fault = write_head(writer, err);
    KZ_FAILPOINT("backup.head");
    if (!fault && fsync(writer->fd) != 0) fault = kz_backup_fail_errno(err, "sync", writer->part);
    if (!fault) fault = hash_file(writer, err);
    KZ_FAILPOINT("backup.synced");
    if (!fault) fault = put_in_place(writer, err);
    if (fault) return fault;
    writer->finished = true;
    KZ_FAILPOINT("backup.renamed");
    return sync_folder(writer, err);
}

const Kz__BackupManifest *kz_backup_written(const struct kz_backup_writer *writer) { return writer->manifest; }

void kz_backup_written_hash(const struct kz_backup_writer *writer, uint8_t out[KZ_BACKUP_HASH_BYTES])
{
    kz_assert(writer->finished);
    memcpy(out, writer->file_hash, KZ_BACKUP_HASH_BYTES);
}

void kz_backup_writer_free(struct kz_backup_writer *writer)
{
    if (!writer) return;
    if (writer->fd >= 0 && !writer->finished) (void)unlink(writer->part); /* a leftover is taken over or swept */
    if (writer->fd >= 0) close(writer->fd);
    if (writer->manifest) kz__backup_manifest__free_unpacked(writer->manifest, NULL);
    kz_backup_cipher_free(writer->cipher);
    free(writer);
}

static bool is_part(const char *name)
{
    size_t length = strlen(name), suffix = strlen(PART_SUFFIX);
    return strncmp(name, SWEEP_PREFIX, strlen(SWEEP_PREFIX)) == 0 && length > suffix &&
           strcmp(name + length - suffix, PART_SUFFIX) == 0;
}

void kz_backup_sweep(const char *folder)
{
    DIR *dir = opendir(folder);
    if (!dir) return;
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (!is_part(entry->d_name)) continue;
        int fd = openat(dirfd(dir), entry->d_name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0) continue;
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) (void)unlinkat(dirfd(dir), entry->d_name, 0); /* next time, then */
        close(fd);
    }
    closedir(dir);
}
