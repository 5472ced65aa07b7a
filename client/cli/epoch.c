/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/epoch.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/base/config.h"
#include "node/registry/record.h"

#define MODE_FOLDER 0700
#define MODE_FILE 0600
#define LINE_BYTES 32
#define FILE_NAME_BYTES (PATH_MAX + KZ_NAME_MAX_BYTES + KZ_TLS_ANCHOR_BYTES)

/* False: there is no place for it. */
static bool find_folder(kz_getenv get, void *data, bool make, char out[PATH_MAX])
{
    const char *base = get(data, "XDG_STATE_HOME"), *home = get(data, "HOME");
    bool own = base && *base;
    if (!own && !(home && *home)) return false;
    static const char *const steps[] = {"/.local", "/.local/state", "", "/keizoku", "/keizoku/epoch"};
    for (size_t i = own ? 2 : 0; i < sizeof steps / sizeof steps[0]; i++) {
        const char *under = own || i < 2 ? "" : "/.local/state";
        int used = snprintf(out, PATH_MAX, "%s%s%s", own ? base : home, under, steps[i]);
        if (used < 0 || used >= PATH_MAX) return false;
        if (make) (void)mkdir(out, MODE_FOLDER); /* often there already; the open below tells */
    }
    return true;
}

/* A cluster's name is an id (node/net/identity.h): nothing else becomes a file's name. Another cluster of that name has
 * another CA. */
static bool name_file(kz_getenv get, void *data, const struct kz_client *client, bool make, char out[FILE_NAME_BYTES])
{
    char folder[PATH_MAX], anchor[KZ_TLS_ANCHOR_BYTES];
    const char *cluster = kz_client_cluster(client);
    if (!kz_id_valid(cluster) || !find_folder(get, data, make, folder)) return false;
    kz_client_anchor(client, anchor);
    snprintf(out, FILE_NAME_BYTES, "%s/%s.%s", folder, cluster, anchor);
    return true;
}

uint64_t kz_epoch_read(kz_getenv get, void *data, const struct kz_client *client)
{
    char path[FILE_NAME_BYTES], line[LINE_BYTES];
    int64_t epoch = 0;
    if (!name_file(get, data, client, false, path)) return 0;
    FILE *file = fopen(path, "re");
    if (!file) return 0;
    bool read = fgets(line, sizeof line, file) != NULL;
    fclose(file);
    for (size_t i = 0; read && line[i]; i++)
        if (line[i] == '\n') line[i] = '\0';
    return read && kz_parse_integer(line, &epoch) && epoch > 0 ? (uint64_t)epoch : 0;
}

void kz_epoch_keep(kz_getenv get, void *data, const struct kz_client *client)
{
    uint64_t epoch = kz_client_epoch(client);
    char path[FILE_NAME_BYTES], fresh[sizeof path + LINE_BYTES];
    if (epoch <= 1 || kz_epoch_read(get, data, client) >= epoch) return; /* the first one excludes nothing */
    if (!name_file(get, data, client, true, path)) return;
    snprintf(fresh, sizeof fresh, "%s.%ld", path, (long)getpid());
    int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, MODE_FILE);
    if (fd < 0) return;
    bool written = dprintf(fd, "%" PRIu64 "\n", epoch) > 0 && fsync(fd) == 0;
    written = close(fd) == 0 && written;
    if (!written || rename(fresh, path) != 0) (void)unlink(fresh);
}
