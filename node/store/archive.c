/* SPDX-License-Identifier: Apache-2.0 */
/* A copy of the whole data file, put aside before something that cannot be undone. */
#include "node/store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/base/assert.h"

#define PARTIAL ".partial"

/* After fsync of the folder its entries are durable too. */
static enum kz_code sync_path(const char *path, int flags, struct kz_err *err)
{
    int fd = open(path, flags | O_CLOEXEC);
    if (fd < 0) return kz_fail(err, KZ_IO, "open %s: %s", path, strerror(errno));
    int rc = fsync(fd);
    int saved = errno;
    close(fd);
    return rc == 0 ? KZ_OK : kz_fail(err, KZ_IO, "fsync %s: %s", path, strerror(saved));
}

static enum kz_code make_folder(const char *path, struct kz_err *err)
{
    if (mkdir(path, 0700) == 0 || errno == EEXIST) return KZ_OK;
    return kz_fail(err, errno == ENOSPC ? KZ_NO_SPACE : KZ_IO, "mkdir %s: %s", path, strerror(errno));
}

static enum kz_code check_room(struct kz_store *store, uint64_t reserve_bytes, struct kz_err *err)
{
    uint64_t used, room;
    enum kz_code code = kz_store_usage(store, &used, &room, err);
    if (code != KZ_OK || room >= used + reserve_bytes) return code;
    return kz_fail(err, KZ_NO_SPACE, "the copy takes %llu MiB and %llu MiB must stay free, but only %llu MiB are free",
                   (unsigned long long)(used >> 20), (unsigned long long)(reserve_bytes >> 20),
                   (unsigned long long)(room >> 20));
}

static enum kz_code copy_data(struct kz_store *store, const char *folder, struct kz_err *err)
{
    char data[PATH_MAX];
    int rc = mdb_env_copy(store->env, folder); /* into a folder that is nobody else's */
    if (rc == ENOSPC) return kz_fail(err, KZ_NO_SPACE, "the disk became full while the data file was copied");
    if (rc != MDB_SUCCESS) return kz_lmdb_fail(rc, err, "copy the data file");
    if ((size_t)snprintf(data, sizeof(data), "%s/data.mdb", folder) >= sizeof(data))
        return kz_fail(err, KZ_USAGE, "the archive's name is too long");
    enum kz_code code = sync_path(data, O_RDONLY, err);
    return code == KZ_OK ? sync_path(folder, O_RDONLY | O_DIRECTORY, err) : code;
}

static void remove_copy(const char *folder)
{
    char data[PATH_MAX];
    if ((size_t)snprintf(data, sizeof(data), "%s/data.mdb", folder) >= sizeof(data)) return;
    (void)unlink(data); /* what is left of it says so by its name */
    (void)rmdir(folder);
}

enum kz_code kz_store_archive(struct kz_store *store, const char *name, uint64_t reserve_bytes, struct kz_err *err)
{
    char parent[PATH_MAX], partial[PATH_MAX], folder[PATH_MAX];
    kz_assert(strchr(name, '/') == NULL && name[0] != '\0');
    int used = snprintf(partial, sizeof(partial), "%s/archive/%s" PARTIAL, store->directory, name);
    if (used < 0 || (size_t)used >= sizeof(partial)) return kz_fail(err, KZ_USAGE, "the archive's name is too long");
    snprintf(parent, sizeof(parent), "%s/archive", store->directory);
    snprintf(folder, sizeof(folder), "%.*s", used - (int)strlen(PARTIAL), partial);
    enum kz_code code = check_room(store, reserve_bytes, err);
    if (code == KZ_OK) code = make_folder(parent, err);
    if (code == KZ_OK) remove_copy(partial); /* of a run that was cut off */
    if (code == KZ_OK) code = make_folder(partial, err);
    if (code == KZ_OK) code = copy_data(store, partial, err);
    if (code == KZ_OK && rename(partial, folder) != 0)
        code = kz_fail(err, KZ_IO, "rename %s: %s", partial, strerror(errno));
    if (code == KZ_OK) code = sync_path(parent, O_RDONLY | O_DIRECTORY, err);
    if (code == KZ_OK) code = sync_path(store->directory, O_RDONLY | O_DIRECTORY, err);
    if (code == KZ_OK) return KZ_OK;
    remove_copy(partial);
    return kz_wrap(err, "archive %s", folder);
}
