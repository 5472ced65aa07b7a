/* SPDX-License-Identifier: Apache-2.0 */
/* The commands that ask no node: schema, completion, version, help. */
#include <string.h>

#include "client/cli/commands.h"

static int print_and_end(struct kz_cli *cli, struct kz_buf *out)
{
    int status = kz_cli_print(cli, out);
    kz_buf_fini(out);
    return status;
}

int kz_run_schema(struct kz_cli *cli)
{
    struct kz_buf out;
    kz_buf_init(&out, 0);
    if (cli->options.markdown)
        kz_show_reference(&out);
    else
        kz_show_schema(&cli->view, cli->kind, &out);
    return print_and_end(cli, &out);
}

int kz_run_completion(struct kz_cli *cli)
{
    struct kz_buf out;
    kz_buf_init(&out, 0);
    if (strcmp(cli->rest, "bash") == 0)
        kz_completion_bash(&out);
    else if (strcmp(cli->rest, "zsh") == 0)
        kz_completion_zsh(&out);
    else
        return kz_cli_fail(cli, kz_error_new(KZ_USAGE, KZ_T_BAD_SHELL, KZ_T_SHELLS_ARE, KZ_T_USE_HELP_SECOND,
                                             KZ_TEXT_ARGS(cli->rest, cli->command->name)));
    return print_and_end(cli, &out);
}

int kz_run_version(struct kz_cli *cli)
{
    struct kz_buf out;
    kz_buf_init(&out, 0);
    if (kz_show_is_json(&cli->view)) {
        json_t *object = json_object();
        kz_show_set(object, "version", kz_show_string(KEIZOKU_VERSION));
        json_t *items = json_array();
        if (json_array_append_new(items, object) == 0) kz_show_items(&cli->view, NULL, items, &out);
    } else {
        kz_buf_add_text(&out, "keizoku " KEIZOKU_VERSION "\n");
    }
    return print_and_end(cli, &out);
}

int kz_run_help(struct kz_cli *cli)
{
    const struct kz_command *command = cli->rest ? kz_command_find(cli->rest) : NULL;
    if (cli->rest && !command) return kz_cli_fail(cli, kz_command_unknown(cli->rest));
    struct kz_buf out;
    kz_buf_init(&out, 0);
    if (command)
        kz_usage_command(&out, &cli->view, command, cli->options.config_path);
    else
        kz_usage_all(&out, &cli->view, cli->options.config_path);
    /* No command at all is a mistake, but the answer to it is the help. */
    int status = print_and_end(cli, &out);
    return status || cli->words.count > 0 || cli->options.help ? status : kz_code_exit_status(KZ_USAGE);
}
