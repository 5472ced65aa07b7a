/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/salvage_file.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/base/assert.h"
#include "node/base/buf.h"

#define MAGIC "KZSALV01"
#define MAGIC_BYTES 8u
#define SIZE_BYTES 4u
#define FILE_MAX_BYTES (UINT64_C(4) << 30)
#define ITEM_MAX_BYTES (1u << 20)
#define PATH_BYTES 4096

static Kz__Error *fail_file(enum kz_code code, enum kz_text_id what, const char *path, int number)
{
    return kz_error_new(code, what, kz_text_of_errno(number), KZ_T_FILE_HINT, KZ_TEXT_ARGS(path, strerror(number)));
}

/* ---- out ---- */

struct out {
    FILE *file;
    struct sha256_ctx hash;
    bool failed;
};

static void put(struct out *out, const void *bytes, size_t size_bytes)
{
    if (size_bytes > 0 && fwrite(bytes, 1, size_bytes, out->file) != size_bytes) out->failed = true;
    sha256_update(&out->hash, size_bytes, bytes);
}

static void put_message(struct out *out, const ProtobufCMessage *message)
{
    uint8_t head[SIZE_BYTES];
    size_t size_bytes = protobuf_c_message_get_packed_size(message);
    uint8_t *packed = kz_must_alloc(1, size_bytes + 1);
    protobuf_c_message_pack(message, packed);
    kz_put_u32(head, (uint32_t)size_bytes);
    put(out, head, sizeof head);
    put(out, packed, size_bytes);
    free(packed);
}

static void write_all(struct out *out, const struct kz_salvage *salvage)
{
    uint8_t end[SIZE_BYTES] = {0}, digest[SHA256_DIGEST_SIZE];
    sha256_init(&out->hash);
    put(out, MAGIC, MAGIC_BYTES);
    put_message(out, &salvage->head->base);
    for (size_t i = 0; i < salvage->count; i++)
        put_message(out, &salvage->items[i]->base);
    put(out, end, sizeof end);
    struct sha256_ctx hash = out->hash;
    sha256_digest(&hash, sizeof digest, digest);
    if (fwrite(digest, 1, sizeof digest, out->file) != sizeof digest) out->failed = true;
}

Kz__Error *kz_salvage_file_write(const char *path, const struct kz_salvage *salvage)
{
    char fresh[PATH_BYTES];
    struct out out = {.file = NULL};
    if ((size_t)snprintf(fresh, sizeof fresh, "%s.%ld", path, (long)getpid()) >= sizeof fresh)
        return fail_file(KZ_USAGE, KZ_T_SALVAGE_UNWRITABLE, path, ENAMETOOLONG);
    if (access(path, F_OK) == 0)
        return kz_error_new(KZ_USAGE, KZ_T_SALVAGE_UNWRITABLE, KZ_T_SALVAGE_EXISTS, KZ_T_SALVAGE_EXISTS_HINT,
                            KZ_TEXT_ARGS(path));
    int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    out.file = fd < 0 ? NULL : fdopen(fd, "w");
    if (!out.file) return fail_file(KZ_IO, KZ_T_SALVAGE_UNWRITABLE, path, errno);
    write_all(&out, salvage);
    int number = 0;
    if (out.failed || fflush(out.file) != 0 || fsync(fd) != 0) number = errno ? errno : EIO;
    if (fclose(out.file) != 0 && !number) number = errno;
    if (!number && link(fresh, path) != 0) number = errno; /* unlike rename, never over another file */
    (void)unlink(fresh);
    return number ? fail_file(KZ_IO, KZ_T_SALVAGE_UNWRITABLE, path, number) : NULL;
}

/* ---- in ---- */

struct in {
    const uint8_t *bytes;
    size_t size_bytes, at;
};

static bool next_message(struct in *in, const uint8_t **message, size_t *size_bytes)
{
    if (in->size_bytes - in->at < SIZE_BYTES) return false;
    *size_bytes = kz_get_u32(in->bytes + in->at);
    in->at += SIZE_BYTES;
    if (*size_bytes > ITEM_MAX_BYTES || *size_bytes > in->size_bytes - in->at) return false;
    *message = in->bytes + in->at;
    in->at += *size_bytes;
    return true;
}

static bool parse(struct in *in, struct kz_salvage *salvage)
{
    const uint8_t *message;
    size_t size_bytes;
    if (!next_message(in, &message, &size_bytes)) return false;
    salvage->head = kz__salvage_head__unpack(NULL, size_bytes, message);
    if (!salvage->head) return false;
    while (next_message(in, &message, &size_bytes)) {
        if (size_bytes == 0) return in->at == in->size_bytes;
        Kz__SalvageItem *item = kz__salvage_item__unpack(NULL, size_bytes, message);
        if (!item) return false;
        salvage->items = kz_must_realloc(salvage->items, (salvage->count + 1) * sizeof *salvage->items);
        salvage->items[salvage->count++] = item;
    }
    return false;
}

/* The hash is looked at first: nothing that is damaged is decoded. */
static bool check(const uint8_t *bytes, size_t size_bytes, struct kz_salvage *salvage)
{
    struct sha256_ctx hash;
    uint8_t digest[SHA256_DIGEST_SIZE];
    if (size_bytes < MAGIC_BYTES + SHA256_DIGEST_SIZE || memcmp(bytes, MAGIC, MAGIC_BYTES) != 0) return false;
    size_t covered = size_bytes - SHA256_DIGEST_SIZE;
    sha256_init(&hash);
    sha256_update(&hash, covered, bytes);
    sha256_digest(&hash, sizeof digest, digest);
    if (memcmp(digest, bytes + covered, sizeof digest) != 0) return false;
    struct in in = {bytes, covered, MAGIC_BYTES};
    return parse(&in, salvage);
}

static uint8_t *read_whole(const char *path, size_t *size_bytes, int *number)
{
    struct stat info;
    FILE *file = fopen(path, "re");
    uint8_t *bytes = NULL;
    *number = 0;
    if (!file || fstat(fileno(file), &info) != 0) {
        *number = errno;
    } else if (!S_ISREG(info.st_mode) || (uint64_t)info.st_size > FILE_MAX_BYTES) {
        *number = S_ISDIR(info.st_mode) ? EISDIR : EFBIG;
    } else {
        *size_bytes = (size_t)info.st_size;
        bytes = malloc(*size_bytes + 1);
        if (!bytes || fread(bytes, 1, *size_bytes, file) != *size_bytes) *number = bytes ? EIO : ENOMEM;
    }
    if (file) fclose(file);
    if (*number) {
        free(bytes);
        return NULL;
    }
    return bytes;
}

Kz__Error *kz_salvage_file_read(const char *path, struct kz_salvage *salvage)
{
    size_t size_bytes = 0;
    int number;
    *salvage = (struct kz_salvage){.head = NULL};
    uint8_t *bytes = read_whole(path, &size_bytes, &number);
    if (!bytes) return fail_file(KZ_USAGE, KZ_T_FILE_UNREADABLE, path, number);
    bool sound = check(bytes, size_bytes, salvage);
    free(bytes);
    if (sound) return NULL;
    kz_salvage_fini(salvage);
    return kz_error_new(KZ_CORRUPT, KZ_T_FILE_UNREADABLE, KZ_T_SALVAGE_DAMAGED, KZ_T_SALVAGE_DAMAGED_HINT,
                        KZ_TEXT_ARGS(path));
}
