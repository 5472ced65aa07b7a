/* SPDX-License-Identifier: Apache-2.0 */
#include "node/backup/format.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char SIGNED[] = "keizoku backup signature 1";

void kz_backup_hash_head(const uint8_t *head, const uint8_t *manifest, size_t manifest_bytes,
                         uint8_t out[KZ_BACKUP_HASH_BYTES])
{
    struct sha256_ctx hash;
    sha256_init(&hash);
    sha256_update(&hash, sizeof SIGNED, (const uint8_t *)SIGNED); /* with its NUL */
    sha256_update(&hash, KZ_BACKUP_SIGNED_HEAD_BYTES, head);
    sha256_update(&hash, manifest_bytes, manifest);
    sha256_digest(&hash, KZ_BACKUP_HASH_BYTES, out);
}

bool kz_backup_read_at(int fd, void *out, size_t size_bytes, uint64_t offset)
{
    uint8_t *at = out;
    while (size_bytes > 0) {
        ssize_t got = pread(fd, at, size_bytes, (off_t)offset);
        if (got < 0 && errno == EINTR) continue;
        if (got == 0) errno = ENODATA;
        if (got <= 0) return false;
        at += got;
        size_bytes -= (size_t)got;
        offset += (uint64_t)got;
    }
    return true;
}

bool kz_backup_write_at(int fd, const void *bytes, size_t size_bytes, uint64_t offset)
{
    const uint8_t *at = bytes;
    while (size_bytes > 0) {
        ssize_t done = pwrite(fd, at, size_bytes, (off_t)offset);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return false;
        at += done;
        size_bytes -= (size_t)done;
        offset += (uint64_t)done;
    }
    return true;
}

enum kz_code kz_backup_fault_code(enum kz_backup_fault fault)
{
    static const enum kz_code codes[] = {KZ_OK,
#define X(name, code) KZ_##code,
                                         KZ_BACKUP_FAULT_TABLE(X)
#undef X
    };
    return codes[fault];
}

enum kz_backup_fault kz_backup_fail(struct kz_err *err, enum kz_backup_fault fault, const char *fmt, ...)
{
    char text[KZ_ERR_TEXT_BYTES];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    (void)kz_fail(err, kz_backup_fault_code(fault), "%s", text);
    return fault;
}

enum kz_backup_fault kz_backup_fail_errno(struct kz_err *err, const char *verb, const char *path)
{
    int number = errno;
    (void)kz_fail(err, number == ENOSPC || number == EDQUOT ? KZ_NO_SPACE : KZ_IO, "%s %s: %s", verb, path,
                  strerror(number));
    return KZ_BACKUP_FILE_IO;
}
