/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/cache.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define MODE_FOLDER 0700
#define MODE_FILE 0600

static bool make_folder(kz_getenv get, void *data, char out[PATH_MAX])
{
    const char *base = get(data, "XDG_CACHE_HOME"), *home = get(data, "HOME");
    char parent[PATH_MAX];
    int used;
    if (base && *base)
        used = snprintf(parent, sizeof parent, "%s", base);
    else if (home && *home)
        used = snprintf(parent, sizeof parent, "%s/.cache", home);
    else
        return false;
    static const char *const steps[] = {"", "/keizoku", "/keizoku/ids"};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        used = snprintf(out, PATH_MAX, "%s%s", parent, steps[i]);
        if (used < 0 || used >= PATH_MAX) return false;
        (void)mkdir(out, MODE_FOLDER); /* often there already; the open below tells */
    }
    return true;
}

void kz_cache_write_ids(kz_getenv get, void *data, const struct kz_kind *kind, Kz__Record *const *records, size_t count)
{
    char folder[PATH_MAX], path[PATH_MAX + 64], fresh[PATH_MAX + 96];
    if (!make_folder(get, data, folder)) return;
    snprintf(path, sizeof path, "%s/%s", folder, kind->name);
    snprintf(fresh, sizeof fresh, "%s.%ld", path, (long)getpid());
    int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, MODE_FILE);
    if (fd < 0) return;
    FILE *file = fdopen(fd, "w");
    if (!file) {
        close(fd);
        (void)unlink(fresh);
        return;
    }
    for (size_t i = 0; i < count; i++)
        fprintf(file, "%s\n", records[i]->id);
    bool written = fclose(file) == 0;
    if (!written || rename(fresh, path) != 0) (void)unlink(fresh);
}
