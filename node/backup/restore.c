/* SPDX-License-Identifier: Apache-2.0 */
#include "node/backup/restore.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/backup/format.h"
#include "node/base/assert.h"
#include "node/base/failpoint.h"
#include "node/consensus/replica.h"
#include "node/registry/schema.h"

#define STAGE "restoring"
#define DATA_FILE "data.mdb"
#define COMMIT_BYTES (8u << 20) /* of rows in one transaction */
#define MAP_MIN_BYTES (1ull << 30)
#define MAP_FACTOR 4u /* pages are at worst half full, and an update needs new ones before the old are free */
#define SCRATCH_CLUSTER "scratch"

static_assert(KZ_HASH_BYTES == KZ_BACKUP_HASH_BYTES, "one hash throughout");

static enum kz_backup_fault fail_store(enum kz_code code)
{
    return code == KZ_PROTOCOL || code == KZ_CORRUPT ? KZ_BACKUP_ROWS : KZ_BACKUP_STORE;
}

/* ---- rows into the store ---- */

struct import {
    struct kz_backup_file *file;
    struct kz_store *store;
    struct kz_store_txn *txn; /* NULL between transactions */
    const struct kz_backup_progress *progress;
    struct kz_err *err;
};

/* Chunks until a transaction is full; *last: all are in. */
static enum kz_backup_fault import_some(struct import *import, bool *last)
{
    size_t bytes = 0;
    while (!*last && bytes < COMMIT_BYTES) {
        const uint8_t *rows;
        size_t size;
        enum kz_backup_fault fault = kz_backup_next(import->file, &rows, &size, last, import->err);
        if (fault) return fault;
        enum kz_code code = kz_txn_import_rows(import->txn, rows, size, NULL, import->err);
        if (code) return fail_store(code);
        bytes += size;
        if (import->progress && import->progress->tell)
            import->progress->tell(import->progress->data, kz_backup_position(import->file),
                                   kz_backup_manifest(import->file)->file_bytes);
    }
    return KZ_BACKUP_FINE;
}

static enum kz_backup_fault commit(struct import *import)
{
    enum kz_code code = kz_store_commit(import->txn, import->err);
    import->txn = NULL;
    return code ? fail_store(code) : KZ_BACKUP_FINE;
}

static enum kz_backup_fault import_all(struct import *import)
{
    const Kz__SnapshotHead *state = kz_backup_manifest(import->file)->state;
    bool last = false;
    enum kz_backup_fault fault = KZ_BACKUP_FINE;
    for (bool first = true; !fault && !last; first = false) {
        enum kz_code code = kz_store_begin(import->store, &import->txn, import->err);
        if (!code && first) code = kz_txn_import_begin(import->txn, NULL, import->err);
        if (code) return fail_store(code);
        fault = import_some(import, &last);
        if (!fault && last) {
            code = kz_txn_install(import->txn, state->index, state->term, import->err);
            if (code) return fail_store(code);
        }
        if (!fault) fault = commit(import);
        KZ_FAILPOINT("restore.chunks");
    }
    return fault;
}

/* ---- is it the state that was saved? ---- */

static enum kz_backup_fault compare_counts(struct kz_view *view, const Kz__SnapshotHead *state, struct kz_err *err)
{
    for (size_t i = 0; i < state->n_counts; i++) {
        const Kz__KindCount *count = state->counts[i];
        uint64_t live, retired;
        if (!kz_kind_by_number(count->kind))
            return kz_backup_fail(err, KZ_BACKUP_STATE, "records of kind %d are not known to this version",
                                  (int)count->kind);
        enum kz_code code = kz_view_count(view, count->kind, &live, &retired, err);
        if (code) return fail_store(code);
        if (live != count->live || retired != count->retired)
            return kz_backup_fail(err, KZ_BACKUP_STATE, "%llu and %llu %s records instead of %llu and %llu",
                                  (unsigned long long)live, (unsigned long long)retired,
                                  kz_kind_by_number(count->kind)->name, (unsigned long long)count->live,
                                  (unsigned long long)count->retired);
    }
    return KZ_BACKUP_FINE;
}

static enum kz_backup_fault compare_state(struct kz_view *view, const Kz__SnapshotHead *state, struct kz_err *err)
{
    struct kz_applied *applied = kz_must_alloc(1, sizeof *applied);
    enum kz_code code = kz_view_applied(view, applied, err);
    bool same = !code && applied->index == state->index && applied->rev == state->rev &&
                memcmp(applied->state_hash, state->state_hash.data, KZ_HASH_BYTES) == 0;
    free(applied);
    if (code) return fail_store(code);
    if (!same) return kz_backup_fail(err, KZ_BACKUP_STATE, "the state hash is not the one of the manifest");
    return compare_counts(view, state, err);
}

static enum kz_backup_fault prove(const struct import *import)
{
    struct kz_view *view;
    enum kz_code code = kz_view_open(import->store, &view, import->err);
    if (code) return fail_store(code);
    enum kz_backup_fault fault = compare_state(view, kz_backup_manifest(import->file)->state, import->err);
    if (!fault && (code = kz_view_scrub(view, import->err)) != KZ_OK) fault = fail_store(code);
    kz_view_close(view);
    return fault;
}

static enum kz_backup_fault fill_store(struct kz_backup_file *file, struct kz_store *store,
                                       const struct kz_backup_progress *progress, struct kz_err *err)
{
    struct import import = {.file = file, .store = store, .progress = progress, .err = err};
    enum kz_backup_fault fault = import_all(&import);
    if (import.txn) kz_store_abort(import.txn);
    return fault ? fault : prove(&import);
}

static enum kz_backup_fault open_store(const char *directory, const char *cluster_id, uint64_t node_id, bool scratch,
                                       const struct kz_backup_file *file, struct kz_store **out, struct kz_err *err)
{
    uint64_t wanted = kz_backup_manifest(file)->file_bytes * MAP_FACTOR;
    const struct kz_store_options options = {.directory = directory,
                                             .map_size_bytes = wanted < MAP_MIN_BYTES ? MAP_MIN_BYTES : wanted,
                                             .cluster_id = cluster_id,
                                             .node_id = node_id,
                                             .create = true,
                                             .no_sync = scratch};
    return kz_store_open(out, &options, err) ? KZ_BACKUP_STORE : KZ_BACKUP_FINE;
}

enum kz_backup_fault kz_restore_scratch(struct kz_backup_file *file, const char *folder,
                                        const struct kz_backup_progress *progress, struct kz_err *err)
{
    struct kz_store *store;
    enum kz_backup_fault fault = open_store(folder, SCRATCH_CLUSTER, 1, true, file, &store, err);
    if (fault) return fault;
    fault = fill_store(file, store, progress, err);
    kz_store_close(store);
    return fault;
}

/* ---- a new cluster ---- */

/* The first entry of the new cluster, as kz_txn_recover would write it, but the epoch stays the first: another cluster
 * id already keeps the old nodes away. */
static enum kz_code found_cluster(struct kz_store_txn *txn, const Kz__SnapshotHead *state, const struct kz_buf *members,
                                  struct kz_err *err)
{
    const struct kz_entry entry = {state->term + 1, KZ_ENTRY_CHANGE, members->data, members->size_bytes};
    enum kz_code code = kz_txn_append(txn, state->index + 1, &entry, 1, err);
    if (code == KZ_OK) code = kz_txn_put_commit_hint(txn, state->index + 1, err);
    return code == KZ_OK ? kz_txn_put_hard(txn, state->term + 1, 0, err) : code;
}

static enum kz_backup_fault make_members(const struct kz_restore_options *options, struct kz_buf *out,
                                         struct kz_err *err)
{
    struct kz_member member = {.id = options->node_id, .voter = true};
    if ((size_t)snprintf(member.address, sizeof member.address, "%s", options->address) >= sizeof member.address)
        return kz_backup_fail(err, KZ_BACKUP_ARGUMENT, "the address %s is too long", options->address);
    return kz_replica_bootstrap_entry(&member, 1, out, err) ? KZ_BACKUP_ARGUMENT : KZ_BACKUP_FINE;
}

static enum kz_backup_fault found(struct kz_store *store, const Kz__SnapshotHead *state, const struct kz_buf *members,
                                  struct kz_err *err)
{
    struct kz_store_txn *txn;
    enum kz_code code = kz_store_begin(store, &txn, err);
    if (code) return fail_store(code);
    code = found_cluster(txn, state, members, err);
    if (!code)
        code = kz_store_commit(txn, err);
    else
        kz_store_abort(txn);
    return code ? fail_store(code) : KZ_BACKUP_FINE;
}

/* ---- the directory ---- */

static int is_not_ours(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 && strcmp(entry->d_name, STAGE) != 0 &&
           strcmp(entry->d_name, "lost+found") != 0;
}

static enum kz_backup_fault check_empty(const char *directory, struct kz_err *err)
{
    struct dirent **found = NULL;
    if (mkdir(directory, 0700) != 0 && errno != EEXIST) return kz_backup_fail_errno(err, "make", directory);
    int count = scandir(directory, &found, is_not_ours, NULL);
    if (count < 0) return kz_backup_fail_errno(err, "read", directory);
    enum kz_backup_fault fault = KZ_BACKUP_FINE;
    if (count > 0) fault = kz_backup_fail(err, KZ_BACKUP_NOT_EMPTY, "%s holds %s", directory, found[0]->d_name);
    for (int i = 0; i < count; i++)
        free(found[i]);
    free(found);
    return fault;
}

/* What a store leaves in a folder, and nothing else. */
static enum kz_backup_fault remove_stage(const char *stage, struct kz_err *err)
{
    static const char *const names[] = {DATA_FILE, "lock.mdb", "keizoku.lock"};
    char path[PATH_MAX + 32];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", stage, names[i]);
        if (unlink(path) != 0 && errno != ENOENT && errno != ENOTDIR) return kz_backup_fail_errno(err, "remove", path);
    }
    if (rmdir(stage) != 0 && errno != ENOENT) return kz_backup_fail_errno(err, "remove", stage);
    return KZ_BACKUP_FINE;
}

static enum kz_backup_fault sync_path(const char *path, struct kz_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return kz_backup_fail_errno(err, "open", path);
    enum kz_backup_fault fault = fsync(fd) == 0 ? KZ_BACKUP_FINE : kz_backup_fail_errno(err, "sync", path);
    close(fd);
    return fault;
}

static enum kz_backup_fault move_out(const char *stage, const char *directory, struct kz_err *err)
{
    char from[PATH_MAX + 32], to[PATH_MAX + 32];
    snprintf(from, sizeof from, "%s/" DATA_FILE, stage);
    snprintf(to, sizeof to, "%s/" DATA_FILE, directory);
    enum kz_backup_fault fault = sync_path(from, err);
    KZ_FAILPOINT("restore.ready");
    if (!fault && rename(from, to) != 0) fault = kz_backup_fail_errno(err, "rename", from);
    KZ_FAILPOINT("restore.renamed");
    if (!fault) fault = sync_path(directory, err);
    return fault ? fault : remove_stage(stage, err);
}

static enum kz_backup_fault build(struct kz_backup_file *file, const struct kz_restore_options *options,
                                  const char *stage, const struct kz_backup_progress *progress, struct kz_err *err)
{
    struct kz_store *store;
    struct kz_buf members;
    kz_buf_init(&members, 0);
    enum kz_backup_fault fault = make_members(options, &members, err);
    if (!fault) fault = open_store(stage, options->cluster_id, options->node_id, false, file, &store, err);
    if (!fault) {
        KZ_FAILPOINT("restore.begin");
        fault = fill_store(file, store, progress, err);
        KZ_FAILPOINT("restore.proved");
        if (!fault) fault = found(store, kz_backup_manifest(file)->state, &members, err);
        KZ_FAILPOINT("restore.founded");
        kz_store_close(store);
    }
    kz_buf_fini(&members);
    return fault;
}

enum kz_backup_fault kz_restore(struct kz_backup_file *file, const struct kz_restore_options *options,
                                const struct kz_backup_progress *progress, struct kz_err *err)
{
    char stage[PATH_MAX];
    int used = snprintf(stage, sizeof stage, "%s/" STAGE, options->directory);
    if (used < 0 || (size_t)used >= sizeof stage)
        return kz_backup_fail(err, KZ_BACKUP_ARGUMENT, "the name of the data directory is too long");
    enum kz_backup_fault fault = check_empty(options->directory, err);
    if (!fault) fault = remove_stage(stage, err);
    if (!fault) fault = build(file, options, stage, progress, err);
    if (!fault) return move_out(stage, options->directory, err);
    struct kz_err ignored; /* the first failure is the one to tell */
    if (fault != KZ_BACKUP_NOT_EMPTY) (void)!remove_stage(stage, &ignored);
    return fault;
}
