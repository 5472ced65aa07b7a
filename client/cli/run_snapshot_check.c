/* SPDX-License-Identifier: Apache-2.0 */
/* `keizoku snapshot` list, verify and restore: what reads backups. No node is asked. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/progress.h"
#include "client/cli/snapshot.h"
#include "client/san.h"
#include "node/backup/restore.h"
#include "node/base/assert.h"

#define SCRATCH_NAME "keizoku-verify.XXXXXX"

static int print_items(struct kz_cli *cli, const struct kz_snapshot_items *items)
{
    struct kz_buf out;
    kz_buf_init(&out, 0);
    kz_snapshot_show(&cli->view, items, &out);
    int status = kz_cli_print(cli, &out);
    kz_buf_fini(&out);
    return status;
}

int kz_snapshot_list(struct kz_cli *cli, const char *folder)
{
    struct kz_snapshot_trust trust;
    struct kz_snapshot_items items;
    int status = kz_snapshot_open_trust(cli, false, &trust);
    if (status) return status;
    status = kz_snapshot_read_folder(cli, &trust, folder, &items);
    if (!status) status = print_items(cli, &items);
    for (size_t i = 0; !status && i < items.count; i++)
        if (items.items[i].fault) status = kz_code_exit_status(kz_backup_fault_code(items.items[i].fault));
    kz_snapshot_items_fini(&items);
    kz_snapshot_close_trust(&trust);
    return status;
}

/* ---- one file, checked whole ---- */

struct checked {
    struct kz_snapshot_trust trust;
    struct kz_snapshot_items items; /* the one file */
    struct kz_backup_file *file;    /* borrowed from it */
};

static void tell_bytes(void *data, uint64_t done, uint64_t total) { kz_progress_tell(data, done, total, done); }

static int refuse(struct kz_cli *cli, const struct checked *checked, enum kz_backup_fault fault, const char *path,
                  const struct kz_err *err)
{
    if (fault != KZ_BACKUP_SIGNER) return kz_snapshot_fail(cli, fault, KZ_T_BACKUP_REFUSED, path, err);
    const char *user = checked->file ? kz_backup_manifest(checked->file)->saved_by : "?";
    enum kz_text_id reason = checked->trust.reason == KZ_T_EMPTY ? KZ_T_BACKUP_SIGNER : checked->trust.reason;
    enum kz_text_id hint = reason == KZ_T_SIGNER_REVOKED ? KZ_T_SIGNER_REVOKED_DO : KZ_T_BACKUP_SIGNER_DO;
    return kz_cli_fail(cli, kz_error_new(KZ_DENIED, KZ_T_BACKUP_REFUSED, reason, hint, KZ_TEXT_ARGS(path, user)));
}

/* Version, signature, signer, size, every byte. 0, or the status of a printed refusal. */
static int check_file(struct kz_cli *cli, const char *path, struct checked *checked)
{
    struct kz_err err = {.code = KZ_OK};
    struct kz_progress progress;
    *checked = (struct checked){0};
    int status = kz_snapshot_open_trust(cli, true, &checked->trust);
    if (status) return status;
    enum kz_backup_fault fault = kz_backup_open(path, &checked->file, &err);
    if (!fault) fault = kz_backup_check_head(checked->file, kz_snapshot_judge, &checked->trust, &err);
    if (!fault) {
        kz_progress_begin(&progress, cli, KZ_T_BACKUP_CHECKING);
        fault = kz_backup_check_content(checked->file, &(struct kz_backup_progress){tell_bytes, &progress}, &err);
        kz_progress_end(&progress);
    }
    return fault ? refuse(cli, checked, fault, path, &err) : 0;
}

static int unlock(struct kz_cli *cli, const char *path, struct checked *checked)
{
    struct kz_backup_key key;
    struct kz_err err = {.code = KZ_OK};
    int status = kz_snapshot_read_key(cli, cli->options.backup_key, &key);
    if (status) return status;
    enum kz_backup_fault fault = kz_backup_unlock(checked->file, &key, &err);
    kz_backup_key_wipe(&key);
    return fault ? refuse(cli, checked, fault, path, &err) : 0;
}

static void end_check(struct checked *checked)
{
    kz_backup_close(checked->file);
    kz_snapshot_close_trust(&checked->trust);
}

/* ---- verify ---- */

static void remove_scratch(const char *folder)
{
    DIR *dir = opendir(folder);
    if (dir) {
        for (const struct dirent *entry; (entry = readdir(dir)) != NULL;)
            if (entry->d_name[0] != '.') (void)unlinkat(dirfd(dir), entry->d_name, 0); /* rmdir tells */
        closedir(dir);
    }
    (void)rmdir(folder); /* a leftover harms nobody, and the verdict stands */
}

static int restore_scratch(struct kz_cli *cli, const char *path, struct checked *checked)
{
    const char *base = cli->get(cli->get_data, "TMPDIR");
    struct kz_buf folder;
    struct kz_err err = {.code = KZ_OK};
    struct kz_progress progress;
    kz_buf_init(&folder, 0);
    kz_buf_addf(&folder, "%s/" SCRATCH_NAME, base && *base ? base : "/tmp");
    char *name = kz_must_strdup(kz_buf_text(&folder));
    int status = 0;
    kz_buf_fini(&folder);
    if (!mkdtemp(name)) {
        status = kz_cli_fail(cli, kz_error_new(KZ_IO, KZ_T_NO_TEMPORARY, kz_text_of_errno(errno),
                                               KZ_T_NO_TEMPORARY_HINT, KZ_TEXT_ARGS(name, strerror(errno))));
    } else {
        kz_progress_begin(&progress, cli, KZ_T_BACKUP_RESTORING);
        enum kz_backup_fault fault =
            kz_restore_scratch(checked->file, name, &(struct kz_backup_progress){tell_bytes, &progress}, &err);
        kz_progress_end(&progress);
        if (fault) status = refuse(cli, checked, fault, path, &err);
        remove_scratch(name);
    }
    free(name);
    return status;
}

static int show_checked(struct kz_cli *cli, struct checked *checked, const char *path, bool opened)
{
    struct kz_snapshot_item item = {.path = (char *)(uintptr_t)path,
                                    .name = (char *)(uintptr_t)path,
                                    .file = checked->file,
                                    .judged = true,
                                    .verified = true,
                                    .opened = opened};
    const struct kz_snapshot_items items = {&item, 1}; /* borrows: not to be finished */
    int status = print_items(cli, &items);
    if (!opened) kz_cli_tell(cli, KZ_T_BACKUP_NOT_OPENED, KZ_TEXT_ARGS(path));
    return status;
}

int kz_snapshot_verify(struct kz_cli *cli, const char *file)
{
    struct checked checked;
    bool open = cli->options.backup_key != NULL;
    int status = check_file(cli, file, &checked);
    if (!status && open) status = unlock(cli, file, &checked);
    if (!status && open) status = restore_scratch(cli, file, &checked);
    if (!status) status = show_checked(cli, &checked, file, open);
    end_check(&checked);
    return status;
}

/* ---- restore ---- */

static int fail_argument(struct kz_cli *cli, enum kz_text_id why, const char *option, const char *value)
{
    return kz_cli_fail(cli, kz_error_new(KZ_USAGE, KZ_T_OPTION_VALUE_BAD, why, KZ_T_USE_HELP_THIRD,
                                         KZ_TEXT_ARGS(option, value, cli->command->name)));
}

static int check_arguments(struct kz_cli *cli)
{
    const struct kz_options *options = &cli->options;
    const struct {
        bool given;
        const char *name;
    } needed[] = {{options->backup_key != NULL, "--backup-key"}, {options->data != NULL, "--data"},
                  {options->cluster != NULL, "--cluster"},       {options->node_name != NULL, "--node-name"},
                  {options->node_id > 0, "--node-id"},           {options->address != NULL, "--address"}};
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
        if (!needed[i].given) return kz_snapshot_fail_missing(cli, "restore", needed[i].name);
    if (!kz_san_is_name(options->cluster, strlen(options->cluster)))
        return fail_argument(cli, KZ_T_BACKUP_NAME_RULE, "--cluster", options->cluster);
    if (!kz_san_is_name(options->node_name, strlen(options->node_name)))
        return fail_argument(cli, KZ_T_BACKUP_NAME_RULE, "--node-name", options->node_name);
    struct kz_endpoint endpoints[KZ_ENDPOINTS_MAX];
    struct kz_failure failure;
    struct kz_err err;
    size_t count = 0;
    bool plain = !strpbrk(options->address, ",=@;");
    if (!plain || kz_endpoints_parse(options->address, endpoints, &count, &failure, &err) || count != 1)
        return fail_argument(cli, KZ_T_BACKUP_ADDRESS_RULE, "--address", options->address);
    return 0;
}

static int restore(struct kz_cli *cli, const char *path, struct checked *checked)
{
    const struct kz_options *options = &cli->options;
    const Kz__SnapshotHead *state = kz_backup_manifest(checked->file)->state;
    if (strcmp(state->cluster, options->cluster) == 0)
        return fail_argument(cli, KZ_T_BACKUP_SAME_CLUSTER, "--cluster", options->cluster);
    struct kz_err err = {.code = KZ_OK};
    struct kz_buf address;
    struct kz_progress progress;
    kz_buf_init(&address, 0);
    kz_buf_addf(&address, "%s@%s", options->node_name, options->address);
    const struct kz_restore_options restore = {.directory = options->data,
                                               .cluster_id = options->cluster,
                                               .node_id = (uint64_t)options->node_id,
                                               .address = kz_buf_text(&address)};
    kz_progress_begin(&progress, cli, KZ_T_BACKUP_RESTORING);
    enum kz_backup_fault fault =
        kz_restore(checked->file, &restore, &(struct kz_backup_progress){tell_bytes, &progress}, &err);
    kz_progress_end(&progress);
    kz_buf_fini(&address);
    if (fault == KZ_BACKUP_NOT_EMPTY || fault == KZ_BACKUP_STORE || fault == KZ_BACKUP_FILE_IO)
        return kz_snapshot_fail(cli, fault, KZ_T_BACKUP_NOT_RESTORED, options->data, &err);
    return fault ? refuse(cli, checked, fault, path, &err) : 0;
}

int kz_snapshot_restore(struct kz_cli *cli, const char *file)
{
    struct checked checked;
    int status = check_arguments(cli);
    if (status) return status;
    status = check_file(cli, file, &checked);
    if (!status) status = unlock(cli, file, &checked);
    if (!status) status = restore(cli, file, &checked);
    if (!status) status = show_checked(cli, &checked, file, true);
    if (!status)
        kz_cli_tell(cli, KZ_T_BACKUP_RESTORED,
                    KZ_TEXT_ARGS(cli->options.data, cli->options.cluster, cli->options.node_name));
    end_check(&checked);
    return status;
}
