/* SPDX-License-Identifier: Apache-2.0 */
/* `runbook`: its text as a file, and what changed in it. */
#include <errno.h>
#include <string.h>

#include "client/cli/files.h"
#include "client/cli/run_runbook.h"
#include "client/cli/show_steps.h"
#include "client/codec/markdown.h"
#include "node/base/config.h"
#include "node/registry/runbook_life.h"

#define SUFFIX ".md"

/* Any file that `apply` takes: the Markdown is a form of the record. */
int kz_runbook_import(struct kz_cli *cli, const struct kz_runbook_words *words)
{
    const char *path = words->items[0];
    size_t length = strlen(path);
    if (length < sizeof SUFFIX || strcmp(path + length - strlen(SUFFIX), SUFFIX) != 0)
        return kz_cli_fail(cli, kz_error_new(KZ_USAGE, KZ_T_RUNBOOK_NOT_MARKDOWN, KZ_T_RUNBOOK_NOT_MARKDOWN_WHY,
                                             KZ_T_RUNBOOK_NOT_MARKDOWN_HINT, KZ_TEXT_ARGS(path)));
    kz_error_set(&cli->options.file, path);
    return kz_run_apply(cli);
}

int kz_runbook_export(struct kz_cli *cli, const struct kz_runbook_words *words)
{
    Kz__Response *response = NULL;
    int status = kz_runbook_ask(cli, words->items[0], 0, &response);
    if (status) return status;
    const char *path = cli->options.file;
    struct kz_buf out;
    kz_buf_init(&out, 0);
    kz_markdown_write(&out, response->records[0]);
    if (path && strcmp(path, "-") != 0) {
        int number = kz_files_write(path, &out);
        kz_buf_clear(&out);
        if (number)
            status = kz_cli_fail(cli, kz_error_new(KZ_IO, KZ_T_EXPORT_UNWRITABLE, kz_text_of_errno(number),
                                                   KZ_T_FILE_HINT, KZ_TEXT_ARGS(path, strerror(number))));
        else
            kz_cli_tell(cli, KZ_T_RUNBOOK_EXPORTED, KZ_TEXT_ARGS(cli->subject, path));
    }
    if (!status) status = kz_cli_answer(cli, response->meta, &out);
    kz_buf_fini(&out);
    kz__response__free_unpacked(response, NULL);
    return status;
}

/* ---- diff ---- */

static int read_rev(struct kz_cli *cli, const char *word, uint64_t *rev)
{
    int64_t number;
    if (!kz_parse_integer(word, &number) || number < 1)
        return kz_cli_fail(cli, kz_error_new(KZ_USAGE, KZ_T_BAD_NUMBER, KZ_T_NUMBER_WANTED, KZ_T_HINT_HISTORY_SECOND,
                                             KZ_TEXT_ARGS(word, cli->subject)));
    *rev = (uint64_t)number;
    return 0;
}

/* Without revisions: what an approver has to look at, the approved text against the present one. */
int kz_runbook_diff(struct kz_cli *cli, const struct kz_runbook_words *words)
{
    Kz__Response *before = NULL, *after = NULL;
    uint64_t from = 0, to = 0;
    const char *id = words->items[0];
    int status = 0;
    cli->kind = kz_kind_by_number(KZ__KIND__RUNBOOK);
    kz_cli_set_subject(cli, id);
    if (words->count > 1) status = read_rev(cli, words->items[1], &from);
    if (!status && words->count > 2) status = read_rev(cli, words->items[2], &to);
    if (!status) status = kz_runbook_ask(cli, id, to, &after);
    if (!status && words->count == 1) from = kz_runbook_approved_rev(after->records[0]);
    if (!status && from) status = kz_runbook_ask(cli, id, from, &before);
    if (!status) {
        struct kz_buf out;
        kz_buf_init(&out, 0);
        kz_show_steps_diff(&cli->view, before ? before->records[0] : NULL, after->records[0], after->meta, &out);
        status = kz_cli_answer(cli, after->meta, &out);
        kz_buf_fini(&out);
    }
    if (before) kz__response__free_unpacked(before, NULL);
    if (after) kz__response__free_unpacked(after, NULL);
    return status;
}
