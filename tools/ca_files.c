/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/ca_files.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum kz_code kz_ca_join(char *out, struct kz_err *err, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(out, KZ_CA_PATH_BYTES, fmt, args);
    va_end(args);
    if (n < 0 || n >= KZ_CA_PATH_BYTES) return kz_fail(err, KZ_USAGE, "the path of a file is too long: %.60s…", out);
    return KZ_OK;
}

bool kz_ca_exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

static enum kz_code fail_errno(struct kz_err *err, const char *verb, const char *path)
{
    enum kz_code code = errno == ENOSPC                     ? KZ_NO_SPACE
                        : errno == ENOENT                   ? KZ_NOT_FOUND
                        : errno == EACCES || errno == EPERM ? KZ_DENIED
                                                            : KZ_IO;
    return kz_fail(err, code, "cannot %s %s: %s", verb, path, strerror(errno));
}

enum kz_code kz_ca_make_dir(const char *path, struct kz_err *err)
{
    char part[KZ_CA_PATH_BYTES];
    enum kz_code code = kz_ca_join(part, err, "%s", path);
    if (code) return code;
    for (char *slash = part + 1; *slash; slash++) {
        if (*slash != '/') continue;
        *slash = '\0';
        if (mkdir(part, 0700) != 0 && errno != EEXIST) return fail_errno(err, "make folder", part);
        *slash = '/';
    }
    if (mkdir(part, 0700) != 0 && errno != EEXIST) return fail_errno(err, "make folder", part);
    struct stat st;
    if (stat(path, &st) != 0) return fail_errno(err, "look at", path);
    if (!S_ISDIR(st.st_mode)) return kz_fail(err, KZ_IO, "%s is not a folder", path);
    return KZ_OK;
}

enum kz_code kz_ca_read_file(const char *path, struct kz_buf *out, struct kz_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return fail_errno(err, "read", path);
    uint8_t chunk[8192];
    ssize_t n;
    while ((n = read(fd, chunk, sizeof chunk)) > 0)
        kz_buf_add(out, chunk, (size_t)n);
    int failure = n < 0 ? errno : 0;
    close(fd);
    errno = failure;
    if (failure) return fail_errno(err, "read", path);
    if (out->size_bytes == 0) return kz_fail(err, KZ_CORRUPT, "%s is empty", path);
    (void)kz_buf_text(out); /* for its NUL */
    if (out->failed) return kz_fail(err, KZ_TOO_BIG, "%s is larger than %zu bytes", path, out->limit_bytes);
    return KZ_OK;
}

static enum kz_code sync_parent(const char *path, struct kz_err *err)
{
    char copy[KZ_CA_PATH_BYTES];
    enum kz_code code = kz_ca_join(copy, err, "%s", path);
    if (code) return code;
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return fail_errno(err, "open the folder of", path);
    if (fsync(fd) != 0) code = fail_errno(err, "sync the folder of", path);
    close(fd);
    return code;
}

static enum kz_code fill_and_sync(int fd, const void *bytes, size_t size_bytes, const char *path, struct kz_err *err)
{
    const char *at = bytes;
    while (size_bytes > 0) {
        ssize_t n = write(fd, at, size_bytes);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return fail_errno(err, "write", path);
        at += n;
        size_bytes -= (size_t)n;
    }
    if (fsync(fd) != 0) return fail_errno(err, "sync", path);
    return KZ_OK;
}

/* link() instead of rename() makes "only when new" atomic too. */
static enum kz_code put_in_place(const char *temp, const char *path, bool replace, struct kz_err *err)
{
    if (replace) return rename(temp, path) == 0 ? KZ_OK : fail_errno(err, "replace", path);
    if (link(temp, path) == 0) {
        unlink(temp);
        return KZ_OK;
    }
    if (errno == EEXIST) return kz_fail(err, KZ_CONFLICT, "%s exists already and is not overwritten", path);
    return fail_errno(err, "create", path);
}

enum kz_code kz_ca_write_file(const char *path, const void *bytes, size_t size_bytes, mode_t mode, bool replace,
                              struct kz_err *err)
{
    char temp[KZ_CA_PATH_BYTES];
    enum kz_code code = kz_ca_join(temp, err, "%s.%ld.tmp", path, (long)getpid());
    if (code) return code;
    unlink(temp); /* left by a process of the same id that crashed */
    int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0) return fail_errno(err, "create", path);
    code = fill_and_sync(fd, bytes, size_bytes, path, err);
    if (!code && fchmod(fd, mode) != 0) code = fail_errno(err, "set the mode of", path);
    if (close(fd) != 0 && !code) code = fail_errno(err, "write", path);
    if (!code) code = put_in_place(temp, path, replace, err);
    if (code) {
        unlink(temp);
        return code;
    }
    return sync_parent(path, err);
}
