/* SPDX-License-Identifier: Apache-2.0 */
/* `edit`: the record as YAML in the person's editor; sent only when it changed, with the revision it was read at. A
 * text that could not be sent is never thrown away. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/cli/commands.h"
#include "client/cli/files.h"
#include "client/codec/encode.h"
#include "node/base/assert.h"

#define SUFFIX ".yaml"
#define DEFAULT_EDITOR "vi"
#define NUMBER_TEXT_BYTES 24

static Kz__Error *fail_temporary(const char *folder)
{
    int number = errno;
    return kz_error_new(KZ_IO, KZ_T_NO_TEMPORARY, kz_text_of_errno(number), KZ_T_NO_TEMPORARY_HINT,
                        KZ_TEXT_ARGS(folder, strerror(number)));
}

/* The file is the person's alone: a record may hold home phone numbers. mkstemps makes it with mode 0600. */
static Kz__Error *write_temporary(struct kz_cli *cli, const Kz__Record *record, char path[PATH_MAX])
{
    const char *folder = cli->get(cli->get_data, "TMPDIR");
    if (!folder || !*folder) folder = "/tmp";
    int used = snprintf(path, PATH_MAX, "%s/keizoku-%s-XXXXXX" SUFFIX, folder, record->id);
    if (used < 0 || used >= PATH_MAX) return fail_temporary(folder);
    int fd = mkstemps(path, sizeof SUFFIX - 1);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!file) {
        if (fd >= 0) close(fd);
        return fail_temporary(folder);
    }
    char rev[NUMBER_TEXT_BYTES];
    snprintf(rev, sizeof rev, "%" PRIu64, record->rev);
    struct kz_buf text;
    kz_buf_init(&text, 0);
    kz_show_line(&cli->view, &text, KZ_T_EDIT_HEADER, KZ_TEXT_ARGS(cli->subject, rev));
    json_t *value = kz_encode_editable(record);
    kz_yaml_write(&text, value);
    json_decref(value);
    bool written = fputs(kz_buf_text(&text), file) >= 0;
    kz_buf_fini(&text);
    return fclose(file) == 0 && written ? NULL : fail_temporary(folder);
}

static Kz__Error *run_editor(struct kz_cli *cli, const char *path)
{
    const char *editor = cli->get(cli->get_data, "VISUAL");
    if (!editor || !*editor) editor = cli->get(cli->get_data, "EDITOR");
    if (!editor || !*editor) editor = DEFAULT_EDITOR;
    struct kz_buf script;
    kz_buf_init(&script, 0);
    kz_buf_addf(&script, "%s \"$1\"", editor); /* EDITOR may hold arguments: "code --wait" */
    const char *text = kz_buf_text(&script);
    pid_t child = fork();
    if (child == 0) {
        execl("/bin/sh", "sh", "-c", text, "sh", path, (char *)NULL);
        _exit(127);
    }
    int state = -1;
    pid_t ended;
    do
        ended = child > 0 ? waitpid(child, &state, 0) : -1;
    while (ended < 0 && errno == EINTR && child > 0);
    kz_buf_fini(&script);
    if (ended == child && WIFEXITED(state) && WEXITSTATUS(state) == 0) return NULL;
    char number[NUMBER_TEXT_BYTES];
    snprintf(number, sizeof number, "%d", ended == child && WIFEXITED(state) ? WEXITSTATUS(state) : -1);
    return kz_error_new(KZ_FAILED, KZ_T_EDITOR_FAILED, KZ_T_EDITOR_FAILED_WHY, KZ_T_EDITOR_FAILED_HINT,
                        KZ_TEXT_ARGS(editor, number));
}

static bool is_only(const struct kz_entries *entries, const Kz__Record *record)
{
    return entries->count == 1 && entries->items[0].record->kind == record->kind &&
           strcmp(entries->items[0].record->id, record->id) == 0;
}

static int send_edited(struct kz_cli *cli, const struct kz_files *files, const Kz__Record *base)
{
    Kz__Mutation **mutations = kz_must_alloc(1, sizeof *mutations);
    mutations[0] = kz_cli_new_mutation(KZ__MUTATION__OP__PUT, base->kind, base->id);
    mutations[0]->record = files->entries.items[0].record;
    mutations[0]->has_expected_rev = true;
    mutations[0]->expected_rev = base->rev;
    Kz__Response *response = NULL;
    int status = kz_cli_write(cli, mutations, 1, false, &files->entries, base, &response);
    if (!status) {
        status = kz_cli_done(cli, KZ__MUTATION__OP__PUT, response, false);
        kz__response__free_unpacked(response, NULL);
    }
    kz_cli_free_mutations(mutations, 1);
    return status;
}

/* `*keep`: the text was not sent although it was changed. */
static int finish_edit(struct kz_cli *cli, const char *path, const Kz__Record *base, bool *keep)
{
    struct kz_files files;
    Kz__Error *error = kz_files_read(&files, path);
    if (!error && !is_only(&files.entries, base))
        error = kz_error_new(KZ_INVALID, KZ_T_EDIT_OTHER_RECORD, KZ_T_EDIT_OTHER_WHY, KZ_T_HINT_APPLY_SECOND,
                             KZ_TEXT_ARGS(cli->subject, path));
    int status = 0;
    *keep = true;
    if (error) {
        status = kz_cli_fail(cli, error);
    } else if (kz_record_same(files.entries.items[0].record, base)) {
        kz_cli_tell(cli, KZ_T_EDIT_UNCHANGED, NULL, 0);
        *keep = false;
    } else {
        status = send_edited(cli, &files, base);
        *keep = status != 0;
    }
    kz_files_fini(&files);
    return status;
}

static int edit_record(struct kz_cli *cli, const Kz__Record *base)
{
    char path[PATH_MAX];
    Kz__Error *error = write_temporary(cli, base, path);
    if (!error) {
        error = run_editor(cli, path);
        if (error) (void)unlink(path);
    }
    if (error) return kz_cli_fail(cli, error);
    bool keep;
    int status = finish_edit(cli, path, base, &keep);
    if (keep)
        kz_cli_tell(cli, KZ_T_EDIT_KEPT, KZ_TEXT_ARGS(path));
    else
        (void)unlink(path);
    return status;
}

int kz_run_edit(struct kz_cli *cli)
{
    if (cli->options.no_input)
        return kz_cli_fail(cli, kz_error_new(KZ_USAGE, KZ_T_EDIT_NO_INPUT, KZ_T_EDIT_NO_INPUT_WHY,
                                             KZ_T_EDIT_NO_INPUT_HINT, KZ_TEXT_ARGS(cli->subject)));
    Kz__GetRequest get = KZ__GET_REQUEST__INIT;
    get.kind = cli->kind->number;
    get.id = (char *)(uintptr_t)cli->ids[0];
    Kz__Request request = KZ__REQUEST__INIT;
    request.get = &get;
    Kz__Response *response = NULL;
    int status = kz_cli_call(cli, &request, &response);
    if (status) return status;
    struct kz_buf nothing;
    kz_buf_init(&nothing, 0);
    status = kz_cli_answer(cli, response->meta, &nothing); /* the banner, before time is put into an edit */
    kz_buf_fini(&nothing);
    if (!status && response->n_records == 1)
        status = edit_record(cli, response->records[0]);
    else if (!status)
        status = kz_cli_fail(
            cli, kz_error_new(KZ_PROTOCOL, KZ_T_ODD_ANSWER, KZ_T_ODD_ANSWER_WHY, KZ_T_ODD_ANSWER_HINT, NULL, 0));
    kz__response__free_unpacked(response, NULL);
    return status;
}
