/* SPDX-License-Identifier: Apache-2.0 */
/* `board`, once or kept on the screen. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/run_event.h"

#define REFRESH_S 2
#define CLEAR_SCREEN "\033[H\033[2J\033[3J"

/* Until Ctrl-C. The own copy is enough: it is asked again in a moment, and the banner tells when it is cut off. A node
 * that cannot be reached now may be again: what failed is said and tried anew. */
static int keep_showing(struct kz_cli *cli, const char *id)
{
    if (cli->options.read == KZ__READ_MODE__AUTO) cli->options.read = KZ__READ_MODE__LOCAL;
    for (;;) {
        if (isatty(STDOUT_FILENO)) {
            struct kz_buf clear;
            kz_buf_init(&clear, 0);
            kz_buf_add_text(&clear, CLEAR_SCREEN);
            int status = kz_cli_print(cli, &clear);
            kz_buf_fini(&clear);
            if (status) return status;
        }
        int status = kz_run_scene(cli, id, false);
        bool lasting = status == kz_code_exit_status(KZ_IO) || status == kz_code_exit_status(KZ_USAGE) ||
                       status == kz_code_exit_status(KZ_NOT_FOUND) || status == kz_code_exit_status(KZ_DENIED);
        if (status && lasting) return status;
        sleep(REFRESH_S);
    }
}

int kz_run_board(struct kz_cli *cli)
{
    const char *id = cli->rest;
    if (id && strncmp(id, "incident/", strlen("incident/")) == 0) id += strlen("incident/");
    return cli->options.live ? keep_showing(cli, id) : kz_run_scene(cli, id, false);
}
