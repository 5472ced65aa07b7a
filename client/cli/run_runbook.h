/* SPDX-License-Identifier: Apache-2.0 */
/* `runbook`: what its verbs share. One thread. */
#ifndef KZ_CLIENT_CLI_RUN_RUNBOOK_H
#define KZ_CLIENT_CLI_RUN_RUNBOOK_H

#include "client/cli/commands.h"

/* The words after the verb. */
struct kz_runbook_words {
    const char *const *items; /* borrowed; "runbook/ID" is ID already */
    size_t count;
};

struct kz_runbook_verb {
    const char *name;
    const char *usage;
    const char *role;            /* the least that is needed */
    const char *fields;          /* of a tick, that may be given as options: "incident by" */
    size_t words_min, words_max; /* after the verb */
    const char *en;
    const char *ja;
    int (*run)(struct kz_cli *cli, const struct kz_runbook_words *words); /* exit status; everything printed */
};

/* One runbook as it is now (`rev` 0), or as it stood just after `rev`. 0: *response holds exactly one record and is the
 * caller's. */
int kz_runbook_ask(struct kz_cli *cli, const char *id, uint64_t rev, Kz__Response **response);

/* ---- runs (run_run.c) ---- */

int kz_run_start(struct kz_cli *cli, const struct kz_runbook_words *words);
int kz_run_sheet(struct kz_cli *cli, const struct kz_runbook_words *words);
int kz_run_overview(struct kz_cli *cli, const struct kz_runbook_words *words);
int kz_run_begin_step(struct kz_cli *cli, const struct kz_runbook_words *words);
int kz_run_tick_step(struct kz_cli *cli, const struct kz_runbook_words *words);
int kz_run_skip_step(struct kz_cli *cli, const struct kz_runbook_words *words);
int kz_run_fail_step(struct kz_cli *cli, const struct kz_runbook_words *words);
int kz_run_note(struct kz_cli *cli, const struct kz_runbook_words *words);

/* ---- its text (run_runbook_text.c) ---- */

int kz_runbook_import(struct kz_cli *cli, const struct kz_runbook_words *words);
int kz_runbook_export(struct kz_cli *cli, const struct kz_runbook_words *words);
int kz_runbook_diff(struct kz_cli *cli, const struct kz_runbook_words *words);

/* ---- help ---- */

/* Usage with what each verb does; the verbs' names and the kind of the ids, as kz_completion_verbs writes them. */
void kz_runbook_usage(struct kz_buf *out, const struct kz_view *view);
void kz_runbook_completion(struct kz_buf *out);

#endif
