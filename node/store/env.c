/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and closing the environment, and the room it has. */
#include "node/store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "node/base/assert.h"
#include "node/base/log.h"

#define READERS_MAX 256u
#define MAP_MIN_BYTES (4u << 20)
#define META_PAGES 2u
/* The file is kept this far (as a hole) ahead of the pages in use, before each transaction. LMDB leaves a freed last
 * page unwritten, so that an honest file may end before its last page number; with the hole, shorter than that can
 * only mean truncated. Reading such a file would be a SIGBUS, not an error. */
#define FILE_AHEAD_BYTES (256ull << 20)

static void stop_on_assert(MDB_env *env, const char *message)
{
    (void)env;
    kz_log_error("store.lmdb_assertion", "what=\"%s\"", message);
    kz_assert_failed(message, "lmdb", 0);
}

/* ---- directory and lock ---- */

static enum kz_code sync_directory(const char *path, struct kz_err *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return kz_fail(err, KZ_IO, "open %s: %s", path, strerror(errno));
    int rc = fsync(fd);
    int saved = errno;
    close(fd);
    if (rc != 0) return kz_fail(err, KZ_IO, "fsync %s: %s", path, strerror(saved));
    return KZ_OK;
}

static enum kz_code make_directory(const struct kz_store_options *options, struct kz_err *err)
{
    struct stat info;
    if (stat(options->directory, &info) == 0) {
        if (!S_ISDIR(info.st_mode)) return kz_fail(err, KZ_USAGE, "%s is not a directory", options->directory);
        return KZ_OK;
    }
    if (errno != ENOENT) return kz_fail(err, KZ_IO, "%s: %s", options->directory, strerror(errno));
    if (!options->create)
        return kz_fail(err, KZ_NOT_FOUND,
                       "directory %s does not exist: check the data directory, or start a new node "
                       "with the option that creates a store",
                       options->directory);
    if (mkdir(options->directory, 0700) != 0)
        return kz_fail(err, KZ_IO, "mkdir %s: %s", options->directory, strerror(errno));
    return KZ_OK;
}

static enum kz_code lock_directory(struct kz_store *store, struct kz_err *err)
{
    char path[PATH_MAX];
    if ((size_t)snprintf(path, sizeof(path), "%s/keizoku.lock", store->directory) >= sizeof(path))
        return kz_fail(err, KZ_USAGE, "the data directory's name is too long");
    store->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (store->lock_fd < 0) return kz_fail(err, KZ_IO, "open %s: %s", path, strerror(errno));
    if (flock(store->lock_fd, LOCK_EX | LOCK_NB) != 0)
        return kz_fail(err, KZ_BUSY, "%s is in use by another process: stop it first", store->directory);
    return KZ_OK;
}

/* *size_bytes 0 = there is no data yet. */
static enum kz_code measure_data(const struct kz_store *store, uint64_t *size_bytes, struct kz_err *err)
{
    char path[PATH_MAX];
    struct stat info;
    *size_bytes = 0;
    if ((size_t)snprintf(path, sizeof(path), "%s/data.mdb", store->directory) >= sizeof(path))
        return kz_fail(err, KZ_USAGE, "the data directory's name is too long");
    if (stat(path, &info) == 0)
        *size_bytes = (uint64_t)info.st_size;
    else if (errno != ENOENT)
        return kz_fail(err, KZ_IO, "%s: %s", path, strerror(errno));
    return KZ_OK;
}

/* ---- the environment ---- */

static uint64_t used_bytes(const struct kz_store *store)
{
    MDB_envinfo info;
    kz_assert(mdb_env_info(store->env, &info) == MDB_SUCCESS);
    return ((uint64_t)info.me_last_pgno + 1) * store->page_bytes;
}

enum kz_code kz_store_extend(struct kz_store *store, struct kz_err *err)
{
    uint64_t used = used_bytes(store);
    uint64_t wanted = used + FILE_AHEAD_BYTES;
    if (wanted > store->map_bytes) wanted = store->map_bytes;
    if (store->no_sync || store->file_bytes >= wanted) return KZ_OK;
    wanted = used + 2 * FILE_AHEAD_BYTES; /* so that this is rare */
    if (wanted > store->map_bytes) wanted = store->map_bytes;

    int fd;
    int rc = mdb_env_get_fd(store->env, &fd);
    if (rc != MDB_SUCCESS) return kz_lmdb_fail(rc, err, "data file");
    if (ftruncate(fd, (off_t)wanted) != 0) return kz_fail(err, KZ_IO, "extend the data file: %s", strerror(errno));
    store->file_bytes = wanted;
    return KZ_OK;
}

/* Before anything but the meta pages is touched. */
static enum kz_code check_size(struct kz_store *store, const struct kz_store_options *options, struct kz_err *err)
{
    MDB_envinfo info;
    MDB_stat stat;
    int rc = mdb_env_info(store->env, &info);
    if (rc == MDB_SUCCESS) rc = mdb_env_stat(store->env, &stat);
    if (rc != MDB_SUCCESS) return kz_lmdb_fail(rc, err, "read the data file's head");
    store->page_bytes = stat.ms_psize;
    store->map_bytes = info.me_mapsize;
    if (!store->no_sync && store->file_bytes != 0 && store->file_bytes < used_bytes(store))
        return kz_fail(err, KZ_CORRUPT,
                       "the data file is cut short: %llu bytes where %llu are in use. Restore it, or empty "
                       "the directory and let this node join again",
                       (unsigned long long)store->file_bytes, (unsigned long long)used_bytes(store));
    if (options->map_size_bytes <= store->map_bytes) return KZ_OK;
    rc = mdb_env_set_mapsize(store->env, (size_t)options->map_size_bytes);
    if (rc != MDB_SUCCESS) return kz_lmdb_fail(rc, err, "grow the map");
    store->map_bytes = options->map_size_bytes;
    return KZ_OK;
}

static enum kz_code open_environment(struct kz_store *store, const struct kz_store_options *options, struct kz_err *err)
{
    /* Never NOSYNC, NOMETASYNC or WRITEMAP where data counts. NORDAHEAD: lookups are random. */
    unsigned flags = MDB_NOTLS | MDB_NORDAHEAD;
    if (options->no_sync) flags |= MDB_NOSYNC | MDB_NOMETASYNC;
    if (options->map_size_bytes < MAP_MIN_BYTES)
        return kz_fail(err, KZ_USAGE, "the map size must be at least %u bytes", MAP_MIN_BYTES);

    enum kz_code code = measure_data(store, &store->file_bytes, err);
    if (code != KZ_OK) return code;
    if (store->file_bytes == 0 && !options->create)
        return kz_fail(err, KZ_NOT_FOUND,
                       "%s holds no store. If this node is new, start it with the option that creates "
                       "one; if it is not, its data is gone: restore it or let it join again",
                       store->directory);
    if (store->file_bytes != 0 && store->file_bytes < (uint64_t)META_PAGES * (uint64_t)sysconf(_SC_PAGESIZE))
        return kz_fail(err, KZ_CORRUPT, "the data file is cut short: %llu bytes",
                       (unsigned long long)store->file_bytes);

    int rc = mdb_env_create(&store->env);
    if (rc != MDB_SUCCESS) return kz_lmdb_fail(rc, err, "make the environment");
    rc = mdb_env_set_maxdbs(store->env, KZ_GENERATIONS * (KZ_TABLE_LAST + 1));
    if (rc == MDB_SUCCESS) rc = mdb_env_set_maxreaders(store->env, READERS_MAX);
    if (rc == MDB_SUCCESS) rc = mdb_env_set_assert(store->env, stop_on_assert);
    if (rc == MDB_SUCCESS && store->file_bytes == 0)
        rc = mdb_env_set_mapsize(store->env, (size_t)options->map_size_bytes);
    if (rc == MDB_SUCCESS) rc = mdb_env_open(store->env, store->directory, flags, 0600);
    if (rc != MDB_SUCCESS) return kz_lmdb_fail(rc, err, "open the data file");
    return check_size(store, options, err);
}

/* ---- tables ---- */

/* `added_flags`: for the tables that a store of an earlier version has not. */
static int open_tables(struct kz_store *store, MDB_txn *mdb, unsigned flags, unsigned added_flags)
{
    for (unsigned generation = 0; generation < KZ_GENERATIONS; generation++) {
        for (unsigned table = KZ_TABLE_FIRST; table <= KZ_TABLE_LAST; table++) {
            char name[32];
            bool shared = !kz_table_generational((enum kz_table)table);
            if (shared && generation > 0) {
                store->dbi[generation][table] = store->dbi[0][table];
                continue;
            }
            snprintf(name, sizeof(name), "%s", kz_table_name((enum kz_table)table));
            if (!shared) {
                size_t size = strlen(name);
                snprintf(name + size, sizeof(name) - size, "_%c", (char)('a' + (int)generation));
            }
            bool is_added = table >= KZ_TABLE_FIRST_ADDED;
            int rc = mdb_dbi_open(mdb, name, is_added ? added_flags : flags, &store->dbi[generation][table]);
            if (rc != MDB_SUCCESS) return rc;
        }
    }
    return MDB_SUCCESS;
}

/* True when no table was ever made: a new file, or one whose making was cut off before its first commit. */
static enum kz_code is_blank(struct kz_store *store, bool *blank, struct kz_err *err)
{
    MDB_stat stat;
    int rc = mdb_env_stat(store->env, &stat);
    if (rc != MDB_SUCCESS) return kz_lmdb_fail(rc, err, "read the main table");
    *blank = stat.ms_entries == 0;
    return KZ_OK;
}

static enum kz_code create_tables(struct kz_store *store, const struct kz_store_options *options, struct kz_err *err)
{
    struct kz_scope scope = {.store = store};
    struct kz_meta *meta = kz_must_alloc(1, sizeof(*meta));
    meta->requests_kept = options->requests_remembered != 0 ? options->requests_remembered : KZ_REQUESTS_REMEMBERED;
    meta->requests_max_bytes = options->requests_max_bytes != 0 ? options->requests_max_bytes : KZ_REQUESTS_MAX_BYTES;
    meta->requests_window_ms = options->requests_window_ms != 0 ? options->requests_window_ms : KZ_REQUESTS_WINDOW_MS;
    enum kz_code code = kz_store_extend(store, err);
    if (code != KZ_OK) goto done;
    int rc = mdb_txn_begin(store->env, NULL, 0, &scope.mdb);
    if (rc == MDB_SUCCESS) rc = open_tables(store, scope.mdb, MDB_CREATE, MDB_CREATE);
    if (rc != MDB_SUCCESS)
        code = kz_lmdb_fail(rc, err, "make the tables");
    else
        code = kz_hard_create(&scope, options, err);
    if (code == KZ_OK) code = kz_meta_save(&scope, meta, err);
    if (code != KZ_OK) {
        if (scope.mdb != NULL) mdb_txn_abort(scope.mdb);
        goto done;
    }
    rc = mdb_txn_commit(scope.mdb);
    if (rc != MDB_SUCCESS) code = kz_lmdb_fail(rc, err, "commit the new store");
    if (code == KZ_OK) code = sync_directory(store->directory, err);
done:
    free(meta);
    return code;
}

static int try_open(struct kz_store *store, unsigned txn_flags, unsigned added_flags)
{
    MDB_txn *mdb = NULL;
    int rc = mdb_txn_begin(store->env, NULL, txn_flags, &mdb);
    if (rc != MDB_SUCCESS) return rc;
    rc = open_tables(store, mdb, 0, added_flags);
    if (rc == MDB_SUCCESS) return mdb_txn_commit(mdb); /* a commit, so that the handles stay */
    mdb_txn_abort(mdb);
    return rc;
}

static enum kz_code open_existing(struct kz_store *store, struct kz_err *err)
{
    int rc = try_open(store, MDB_RDONLY, 0);
    /* An earlier version's store has no tables for attachments: they are made, empty. */
    if (rc == MDB_NOTFOUND) rc = try_open(store, 0, MDB_CREATE);
    if (rc == MDB_SUCCESS) return KZ_OK;
    return rc == MDB_NOTFOUND ? kz_fail(err, KZ_CORRUPT, "a table is missing: this is not a store of keizoku")
                              : kz_lmdb_fail(rc, err, "open the tables");
}

static enum kz_code open_or_create_tables(struct kz_store *store, const struct kz_store_options *options,
                                          struct kz_err *err)
{
    bool blank = false;
    enum kz_code code = is_blank(store, &blank, err);
    if (code != KZ_OK) return code;
    if (!blank) return open_existing(store, err);
    if (options->create) return create_tables(store, options, err);
    return kz_fail(err, KZ_NOT_FOUND,
                   "%s holds an empty store: its creation was cut off. Start the node with the option "
                   "that creates one",
                   store->directory);
}

static enum kz_code check_contents(struct kz_store *store, const struct kz_store_options *options, struct kz_err *err)
{
    struct kz_scope scope = {.store = store};
    int rc = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &scope.mdb);
    if (rc != MDB_SUCCESS) return kz_lmdb_fail(rc, err, "check the store");
    enum kz_code code = kz_hard_check(&scope, options, err);
    if (code == KZ_NOT_FOUND) code = kz_fail(err, KZ_CORRUPT, "the store has tables but no format version");
    if (code == KZ_OK) code = kz_hard_generation(&scope, &scope.generation, err);
    if (code == KZ_OK) code = kz_hard_complete(&scope, err);
    if (code == KZ_OK) code = kz_log_check(&scope, err);
    if (code == KZ_OK) code = kz_import_load(&scope, &store->import, err);
    mdb_txn_abort(scope.mdb);
    return code;
}

/* ---- the store ---- */

enum kz_code kz_store_open(struct kz_store **out, const struct kz_store_options *options, struct kz_err *err)
{
    kz_assert(options->directory != NULL && options->cluster_id != NULL);
    struct kz_store *store = kz_must_alloc(1, sizeof(*store));
    store->lock_fd = -1;
    store->no_sync = options->no_sync;
    store->directory = kz_must_strdup(options->directory);
    kz_scratch_init(&store->scratch);
    kz_buf_init(&store->import.value, KZ_ROW_MAX_BYTES);

    enum kz_code code = make_directory(options, err);
    if (code == KZ_OK) code = lock_directory(store, err);
    if (code == KZ_OK) code = open_environment(store, options, err);
    if (code == KZ_OK) code = open_or_create_tables(store, options, err);
    if (code == KZ_OK) code = check_contents(store, options, err);
    if (code != KZ_OK) {
        kz_store_close(store);
        return kz_wrap(err, "open store %s", options->directory);
    }
    kz_store_check_readers(store);
    *out = store;
    return KZ_OK;
}

void kz_store_close(struct kz_store *store)
{
    if (store == NULL) return;
    kz_assert(store->txn == NULL);
    if (store->env != NULL) mdb_env_close(store->env);
    if (store->lock_fd >= 0) close(store->lock_fd);
    kz_buf_fini(&store->import.value);
    kz_scratch_fini(&store->scratch);
    free(store->directory);
    free(store);
}

void kz_store_check_readers(struct kz_store *store)
{
    int dead = 0;
    int rc = mdb_reader_check(store->env, &dead);
    if (rc != MDB_SUCCESS) kz_log_warn("store.reader_check", "error=\"%s\"", mdb_strerror(rc));
    if (dead > 0) kz_log_info("store.readers_cleared", "count=%d", dead);
}

/* Pages that were freed and wait for reuse. Walks LMDB's own list: only for when the map looks nearly full. */
static enum kz_code count_free_pages(struct kz_store *store, uint64_t *out, struct kz_err *err)
{
    MDB_txn *mdb;
    MDB_cursor *cursor;
    MDB_val key, value;
    *out = 0;
    int rc = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &mdb);
    if (rc != MDB_SUCCESS) return kz_lmdb_fail(rc, err, "count free pages");
    rc = mdb_cursor_open(mdb, 0, &cursor);
    if (rc == MDB_SUCCESS) {
        while ((rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == MDB_SUCCESS) {
            size_t count;
            memcpy(&count, value.mv_data, sizeof(count));
            *out += count;
        }
        mdb_cursor_close(cursor);
    }
    mdb_txn_abort(mdb);
    return rc == MDB_NOTFOUND ? KZ_OK : kz_lmdb_fail(rc, err, "count free pages");
}

enum kz_code kz_store_usage(struct kz_store *store, uint64_t *used, uint64_t *free_bytes, struct kz_err *err)
{
    struct statvfs info;
    if (statvfs(store->directory, &info) != 0)
        return kz_fail(err, KZ_IO, "statvfs %s: %s", store->directory, strerror(errno));
    *used = used_bytes(store);
    *free_bytes = (uint64_t)info.f_bavail * info.f_frsize;
    return KZ_OK;
}

enum kz_code kz_store_room(struct kz_store *store, uint64_t *map_room_bytes, uint64_t *disk_room_bytes,
                           struct kz_err *err)
{
    uint64_t used;
    enum kz_code code = kz_store_usage(store, &used, disk_room_bytes, err);
    if (code != KZ_OK) return code;
    *map_room_bytes = store->map_bytes > used ? store->map_bytes - used : 0;
    if (*map_room_bytes > store->map_bytes / 4) return KZ_OK;
    uint64_t free_pages;
    code = count_free_pages(store, &free_pages, err);
    if (code == KZ_OK) *map_room_bytes += free_pages * store->page_bytes;
    return code;
}
