/* SPDX-License-Identifier: Apache-2.0 */
/* `keizoku snapshot schedule`: a systemd service and timer that save with the settings given now. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/cli/snapshot.h"
#include "node/backup/keep.h"
#include "node/base/assert.h"

#define SERVICE_NAME "keizoku-backup.service"
#define TIMER_NAME "keizoku-backup.timer"
#define CALENDAR "*-*-* 02:00:00"
#define PROGRAM "/usr/local/bin/keizoku"

/* One word of a systemd command line: quoted, and % and $ doubled. */
static void add_word(struct kz_buf *out, const char *word)
{
    kz_buf_add_text(out, " \"");
    for (; *word; word++) {
        if (*word == '"' || *word == '\\') kz_buf_add_text(out, "\\");
        if (*word == '%' || *word == '$') kz_buf_add(out, word, 1);
        kz_buf_add(out, word, 1);
    }
    kz_buf_add_text(out, "\"");
}

/* systemd starts in /, whatever folder this was said in. */
static void add_path(struct kz_buf *out, const char *option, const char *path)
{
    char whole[PATH_MAX], folder[PATH_MAX];
    struct kz_buf text;
    kz_buf_init(&text, 0);
    if (realpath(path, whole))
        kz_buf_add_text(&text, whole);
    else if (*path != '/' && getcwd(folder, sizeof folder))
        kz_buf_addf(&text, "%s/%s", folder, path);
    else
        kz_buf_add_text(&text, path);
    add_word(out, option);
    add_word(out, kz_buf_text(&text));
    kz_buf_fini(&text);
}

static void add_paths(struct kz_buf *out, const char *option, const char *paths)
{
    char *copy = kz_must_strdup(paths), *rest = copy, whole[PATH_MAX];
    struct kz_buf list;
    kz_buf_init(&list, 0);
    for (char *path; (path = strsep(&rest, ",")) != NULL;)
        kz_buf_addf(&list, "%s%s", list.size_bytes ? "," : "", realpath(path, whole) ? whole : path);
    add_word(out, option);
    add_word(out, kz_buf_text(&list));
    kz_buf_fini(&list);
    free(copy);
}

static void add_command(struct kz_buf *out, const struct kz_options *options)
{
    char program[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    program[length > 0 ? length : 0] = '\0';
    kz_buf_addf(out, "ExecStart=%s", length > 0 ? program : PROGRAM);
    add_word(out, "snapshot");
    add_word(out, "save");
    add_path(out, "--dir", options->dir);
    add_paths(out, "--recipient", options->recipient);
    add_word(out, "--keep");
    add_word(out, options->keep);
    if (options->record) {
        add_word(out, "--record");
        add_word(out, options->record);
    }
    add_word(out, "--node");
    add_word(out, options->node);
    add_path(out, "--cert", options->certificate);
    add_path(out, "--key", options->key);
    add_path(out, "--ca", options->ca);
    if (options->crl) add_path(out, "--crl", options->crl);
    add_word(out, "--no-input");
    kz_buf_add_text(out, "\n");
}

static void make_service(struct kz_buf *out, const struct kz_options *options)
{
    char folder[PATH_MAX];
    kz_buf_add_text(out, "# Made by keizoku snapshot schedule.\n"
                         "[Unit]\n"
                         "Description=keizoku: save a backup\n"
                         "Wants=network-online.target\n"
                         "After=network-online.target\n"
                         "\n[Service]\n"
                         "Type=oneshot\n");
    add_command(out, options);
    kz_buf_add_text(out, "Nice=10\n"
                         "IOSchedulingClass=idle\n"
                         "UMask=0077\n"
                         "LimitCORE=0\n"
                         "NoNewPrivileges=yes\n"
                         "ProtectSystem=strict\n"
                         "PrivateTmp=yes\n"
                         "PrivateDevices=yes\n"
                         "ProtectKernelTunables=yes\n"
                         "ProtectKernelModules=yes\n"
                         "ProtectControlGroups=yes\n"
                         "RestrictSUIDSGID=yes\n"
                         "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK\n"
                         "SystemCallArchitectures=native\n");
    kz_buf_add_text(out, "ReadWritePaths=");
    kz_buf_add_text(out, realpath(options->dir, folder) ? folder : options->dir);
    kz_buf_add_text(out, "\n");
}

static void make_timer(struct kz_buf *out, const struct kz_options *options)
{
    kz_buf_addf(out,
                "# Made by keizoku snapshot schedule.\n"
                "[Unit]\n"
                "Description=keizoku: when backups are saved\n"
                "\n[Timer]\n"
                "OnCalendar=%s\n"
                "# One that was missed while the machine was off is made up for.\n"
                "Persistent=true\n"
                "RandomizedDelaySec=5min\n"
                "\n[Install]\n"
                "WantedBy=timers.target\n",
                options->calendar ? options->calendar : CALENDAR);
}

static int fail_write(struct kz_cli *cli, const char *path, int number)
{
    return kz_cli_fail(cli, kz_error_new(number == EEXIST ? KZ_CONFLICT : KZ_IO, KZ_T_UNIT_NOT_WRITTEN,
                                         number == EEXIST ? KZ_T_BACKUP_EXISTS : kz_text_of_errno(number),
                                         number == EEXIST ? KZ_T_BACKUP_EXISTS_DO : KZ_T_FILE_HINT,
                                         KZ_TEXT_ARGS(path, strerror(number))));
}

static int write_unit(struct kz_cli *cli, const char *name, struct kz_buf *text)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%s", cli->options.units, name) >= (int)sizeof path)
        return fail_write(cli, cli->options.units, ENAMETOOLONG);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (!file) return fail_write(cli, path, errno);
    bool written = fwrite(kz_buf_text(text), 1, text->size_bytes, file) == text->size_bytes;
    if (fclose(file) != 0 || !written) return fail_write(cli, path, errno ? errno : EIO);
    return 0;
}

static int check_arguments(struct kz_cli *cli)
{
    const struct kz_options *options = &cli->options;
    const struct {
        const char *value, *name;
    } needed[] = {{options->dir, "--dir"},   {options->recipient, "--recipient"}, {options->keep, "--keep"},
                  {options->node, "--node"}, {options->certificate, "--cert"},    {options->key, "--key"},
                  {options->ca, "--ca"}};
    struct kz_keep keep;
    struct kz_backup_key keys[KZ_BACKUP_RECIPIENTS_MAX];
    size_t count = KZ_BACKUP_RECIPIENTS_MAX;
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
        if (!needed[i].value) return kz_snapshot_fail_missing(cli, "schedule", needed[i].name);
    if (!kz_keep_parse(options->keep, &keep))
        return kz_cli_fail(cli, kz_error_new(KZ_USAGE, KZ_T_OPTION_VALUE_BAD, KZ_T_BACKUP_KEEP_RULE,
                                             KZ_T_USE_HELP_THIRD, KZ_TEXT_ARGS("--keep", options->keep, "snapshot")));
    return kz_snapshot_read_recipients(cli, options->recipient, keys, &count);
}

int kz_snapshot_schedule(struct kz_cli *cli, const char *word)
{
    (void)word; /* it takes none */
    struct kz_buf service, timer, out;
    int status = check_arguments(cli);
    if (status) return status;
    kz_buf_init(&service, 0);
    kz_buf_init(&timer, 0);
    kz_buf_init(&out, 0);
    make_service(&service, &cli->options);
    make_timer(&timer, &cli->options);
    if (cli->options.units) {
        status = write_unit(cli, SERVICE_NAME, &service);
        if (!status) status = write_unit(cli, TIMER_NAME, &timer);
        if (!status) kz_cli_tell(cli, KZ_T_UNITS_WRITTEN, KZ_TEXT_ARGS(cli->options.units, TIMER_NAME));
    } else {
        kz_buf_addf(&out, "# " SERVICE_NAME "\n%s\n# " TIMER_NAME "\n", kz_buf_text(&service));
        kz_buf_addf(&out, "%s", kz_buf_text(&timer));
        status = kz_cli_print(cli, &out);
    }
    kz_buf_fini(&service);
    kz_buf_fini(&timer);
    kz_buf_fini(&out);
    return status;
}
