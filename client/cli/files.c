/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/base/assert.h"

#define FRESH_SUFFIX ".part"
#define STDIN_NAME "-"
#define CHUNK_BYTES (64u << 10)

static Kz__Error *fail_unreadable(const char *path, int number)
{
    return kz_error_new(number == ENOENT ? KZ_USAGE : KZ_IO, KZ_T_FILE_UNREADABLE, kz_text_of_errno(number),
                        KZ_T_FILE_HINT, KZ_TEXT_ARGS(path, strerror(number)));
}

static void add_name(struct kz_files *files, const char *name)
{
    files->names = kz_must_realloc(files->names, (files->count + 1) * sizeof(char *));
    files->names[files->count++] = kz_must_strdup(name);
}

static int is_record_file(const struct dirent *entry)
{
    static const char *const ends[] = {".yaml", ".yml", ".json"};
    size_t length = strlen(entry->d_name);
    if (entry->d_name[0] == '.') return 0;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (length > strlen(ends[i]) && strcmp(entry->d_name + length - strlen(ends[i]), ends[i]) == 0) return 1;
    return 0;
}

/* By bytes: the order must not depend on the locale. */
static int compare_names(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static Kz__Error *list_folder(struct kz_files *files, const char *path)
{
    struct dirent **found = NULL;
    int count = scandir(path, &found, is_record_file, compare_names);
    if (count < 0) return fail_unreadable(path, errno);
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    for (int i = 0; i < count; i++) {
        struct kz_buf name;
        kz_buf_init(&name, 0);
        kz_buf_addf(&name, "%.*s/%s", (int)length, path, found[i]->d_name);
        add_name(files, kz_buf_text(&name));
        kz_buf_fini(&name);
        free(found[i]);
    }
    free(found);
    if (count > 0) return NULL;
    return kz_error_new(KZ_USAGE, KZ_T_DIR_EMPTY, KZ_T_FILES_EMPTY_WHY, KZ_T_DIR_HINT, KZ_TEXT_ARGS(path));
}

/* One byte more than allowed is enough for the reader to refuse it. */
Kz__Error *kz_files_read_bytes(const char *path, struct kz_buf *out)
{
    bool is_stdin = strcmp(path, STDIN_NAME) == 0;
    FILE *file = is_stdin ? stdin : fopen(path, "re");
    if (!file) return fail_unreadable(path, errno);
    char chunk[CHUNK_BYTES];
    size_t got;
    while (out->size_bytes <= KZ_DOCUMENT_MAX_BYTES && (got = fread(chunk, 1, sizeof chunk, file)) > 0)
        kz_buf_add(out, chunk, got);
    int number = ferror(file) ? (errno ? errno : EIO) : 0;
    if (!is_stdin) fclose(file);
    kz_assert(!out->failed);
    return number ? fail_unreadable(path, number) : NULL;
}

static Kz__Error *read_one(struct kz_files *files, const char *name, struct kz_violations *problems)
{
    struct kz_buf bytes;
    kz_buf_init(&bytes, 0);
    Kz__Error *error = kz_files_read_bytes(name, &bytes);
    const char *shown = strcmp(name, STDIN_NAME) == 0 ? "<stdin>" : name;
    if (!error) (void)kz_tree_read(&files->tree, shown, kz_buf_text(&bytes), bytes.size_bytes, problems);
    kz_buf_fini(&bytes);
    return error;
}

Kz__Error *kz_files_read(struct kz_files *files, const char *path)
{
    *files = (struct kz_files){0};
    struct stat info;
    Kz__Error *error = NULL;
    if (strcmp(path, STDIN_NAME) != 0 && stat(path, &info) != 0) return fail_unreadable(path, errno);
    if (strcmp(path, STDIN_NAME) != 0 && S_ISDIR(info.st_mode))
        error = list_folder(files, path);
    else
        add_name(files, path);
    struct kz_violations problems = {0};
    for (size_t i = 0; !error && i < files->count; i++)
        error = read_one(files, files->names[i], &problems);
    /* Files that could be read are checked even when another one could not: all is told at once. */
    if (!error) (void)kz_decode_tree(&files->tree, &files->entries, &problems);
    if (!error && problems.count > 0) error = kz_error_of_problems(&problems, path);
    if (!error && files->entries.count == 0)
        error =
            kz_error_new(KZ_USAGE, KZ_T_FILES_EMPTY, KZ_T_FILES_EMPTY_WHY, KZ_T_FILES_EMPTY_HINT, KZ_TEXT_ARGS(path));
    kz_violations_fini(&problems);
    return error;
}

int kz_files_write(const char *path, const struct kz_buf *bytes)
{
    struct kz_buf fresh;
    kz_buf_init(&fresh, 0);
    kz_buf_addf(&fresh, "%s" FRESH_SUFFIX, path);
    int number = 0, fd = open(kz_buf_text(&fresh), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (!file) number = errno;
    if (file && bytes->size_bytes > 0 && fwrite(bytes->data, 1, bytes->size_bytes, file) != bytes->size_bytes)
        number = errno ? errno : EIO;
    if (file && !number && (fflush(file) != 0 || fsync(fd) != 0)) number = errno;
    if (file && fclose(file) != 0 && !number) number = errno;
    if (!number && rename(kz_buf_text(&fresh), path) != 0) number = errno;
    if (number && fd >= 0) (void)unlink(kz_buf_text(&fresh));
    kz_buf_fini(&fresh);
    return number;
}

void kz_files_fini(struct kz_files *files)
{
    kz_entries_fini(&files->entries);
    kz_tree_fini(&files->tree);
    for (size_t i = 0; i < files->count; i++)
        free(files->names[i]);
    free(files->names);
    *files = (struct kz_files){0};
}
