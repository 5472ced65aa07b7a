/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/confirm.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ANSWER_BYTES 256

static int fail(struct kz_cli *cli, enum kz_text_id what, enum kz_text_id why, const char *wanted, const char *got)
{
    return kz_cli_fail(cli, kz_error_new(KZ_USAGE, what, why, KZ_T_CONFIRM_HINT, KZ_TEXT_ARGS(wanted, got)));
}

int kz_cli_confirm(struct kz_cli *cli, const char *wanted)
{
    char answer[ANSWER_BYTES] = "";
    const char *given = cli->options.confirm;
    if (!given && (cli->options.no_input || !isatty(STDIN_FILENO)))
        return fail(cli, KZ_T_CONFIRM_MISSING, KZ_T_CONFIRM_MISSING_WHY, wanted, NULL);
    if (!given) {
        struct kz_buf prompt;
        kz_buf_init(&prompt, 0);
        kz_text_fill(&prompt, KZ_T_CONFIRM_PROMPT, cli->view.japanese, KZ_TEXT_ARGS(wanted));
        kz_cli_note(cli, kz_buf_text(&prompt));
        kz_buf_fini(&prompt);
        if (!fgets(answer, sizeof answer, stdin)) answer[0] = '\0';
        answer[strcspn(answer, "\r\n")] = '\0';
        given = answer;
    }
    if (strcmp(given, wanted) == 0) return 0;
    return fail(cli, KZ_T_CONFIRM_OTHER, KZ_T_CONFIRM_OTHER_WHY, wanted, given);
}
