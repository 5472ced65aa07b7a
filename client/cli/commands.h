/* SPDX-License-Identifier: Apache-2.0 */
/* The command table: usage, --help, completion and the checking of arguments come from it. A new command is one row
 * and one handler. */
#ifndef KZ_CLIENT_CLI_COMMANDS_H
#define KZ_CLIENT_CLI_COMMANDS_H

#include "client/cli/cli.h"

/* `words` spells the arguments: K kind, I id, R revision, X request id, S shell, C command, B incident; small letters
 * are optional, '+' lets the last one repeat, '*' leaves the rest to the handler. KIND/ID in one word satisfies "KI".
 */
struct kz_command {
    const char *name;
    const char *words;
    const char *usage;
    unsigned options; /* kz_option_set bits it takes besides the global ones */
    const char *role; /* the least that is needed; NULL: no node is asked */
    int (*run)(struct kz_cli *cli);
    const char *en;
    const char *ja;
};

const struct kz_command *kz_commands(size_t *count);
const struct kz_command *kz_command_find(const char *name); /* NULL: unknown */
/* That of a command line, one word or two; NULL: unknown. */
const struct kz_command *kz_command_of(const struct kz_words *words);
Kz__Error *kz_command_unknown(const char *name);

/* Fills cli->kind, ids, revs and rest from the words after the command. NULL, or the error. */
Kz__Error *kz_command_parse(struct kz_cli *cli);

/* ---- handlers: exit status; everything printed ---- */

int kz_run_status(struct kz_cli *cli);
int kz_run_apply(struct kz_cli *cli);
int kz_run_get(struct kz_cli *cli);
int kz_run_list(struct kz_cli *cli);
int kz_run_search(struct kz_cli *cli);
int kz_run_edit(struct kz_cli *cli);
int kz_run_history(struct kz_cli *cli);
int kz_run_diff(struct kz_cli *cli);
int kz_run_revert(struct kz_cli *cli);
int kz_run_undo(struct kz_cli *cli);
int kz_run_verify(struct kz_cli *cli);
int kz_run_retire(struct kz_cli *cli);
int kz_run_watch(struct kz_cli *cli);
int kz_run_board(struct kz_cli *cli);
int kz_run_incident(struct kz_cli *cli);
int kz_run_report_status(struct kz_cli *cli);
int kz_run_entry(struct kz_cli *cli);
int kz_run_contact(struct kz_cli *cli);
int kz_run_tick(struct kz_cli *cli);
int kz_run_snapshot(struct kz_cli *cli);
int kz_run_runbook(struct kz_cli *cli);
int kz_run_blob(struct kz_cli *cli);
int kz_run_doctor(struct kz_cli *cli);
int kz_run_schema(struct kz_cli *cli);
int kz_run_derived(struct kz_cli *cli);
void kz_run_derived_verbs(struct kz_buf *out, const struct kz_command *command, bool first); /* " impact deps" */
bool kz_run_derived_takes(const struct kz_cli *cli); /* the verb after the command is one of its own */
int kz_run_outcome(struct kz_cli *cli);
int kz_run_cluster(struct kz_cli *cli);
int kz_run_recover(struct kz_cli *cli);
int kz_run_salvage(struct kz_cli *cli);
int kz_run_import(struct kz_cli *cli);
int kz_run_export(struct kz_cli *cli);
int kz_run_completion(struct kz_cli *cli);
int kz_run_version(struct kz_cli *cli);
int kz_run_help(struct kz_cli *cli);

/* ---- help and completion, made from the table ---- */

void kz_usage_line(struct kz_buf *out, const struct kz_command *command);
void kz_usage_all(struct kz_buf *out, const struct kz_view *view, const char *config_path);
void kz_usage_command(struct kz_buf *out, const struct kz_view *view, const struct kz_command *command,
                      const char *config_path);
/* The options of a command that appends events: made from the schema. */
void kz_usage_fields(struct kz_buf *out, const struct kz_view *view, const struct kz_command *command);
void kz_completion_fields(struct kz_buf *out, const struct kz_command *command); /* "--incident --system " */
/* Its verbs, and the kind of the ids it takes: " verbs=\"open close\" ids=incident;" */
void kz_completion_verbs(struct kz_buf *out, const struct kz_command *command);
void kz_completion_bash(struct kz_buf *out);
void kz_completion_zsh(struct kz_buf *out);

#endif
