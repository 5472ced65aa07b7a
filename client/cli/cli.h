/* SPDX-License-Identifier: Apache-2.0 */
/* One run of the command line, from argv to exit status, and what its handlers share. One thread. */
#ifndef KZ_CLIENT_CLI_CLI_H
#define KZ_CLIENT_CLI_CLI_H

#include "client/cli/show.h"

struct kz_command;

struct kz_cli {
    struct kz_options options;
    struct kz_words words;
    struct kz_view view;
    const struct kz_command *command;
    kz_getenv get;
    void *get_data;
    struct kz_client *client; /* NULL until a handler connects */
    /* The command's arguments, taken apart. */
    const struct kz_kind *kind;
    const char **ids; /* array owned; texts borrowed */
    size_t id_count;
    uint64_t revs[2];
    size_t rev_count;
    const char *rest;
    char *subject;    /* "system/juki", for errors; owned */
    uint32_t retires; /* of the next writes: how many records a person was told they retire; 0: not told */
};

/* Returns the exit status. */
int kz_cli_main(int argc, char *const *argv, kz_getenv get, void *data);

/* ---- for handlers ---- */

/* Prints and frees the error; its exit status. `base`, `mine`: see kz_show_error. */
int kz_cli_fail(struct kz_cli *cli, Kz__Error *error);
int kz_cli_fail_conflict(struct kz_cli *cli, Kz__Error *error, const Kz__Record *base, const Kz__Record *mine);
/* 0, or the exit status of a printed error. */
int kz_cli_connect(struct kz_cli *cli);
/* Ends the connection; what was learnt of epochs is kept. */
void kz_cli_disconnect(struct kz_cli *cli);
/* Connects if need be, asks, prints what went wrong. 0: *response is the caller's and holds no error. */
int kz_cli_call(struct kz_cli *cli, Kz__Request *request, Kz__Response **response);
/* The same for one that can go on after an error: what the node said is the caller's in *error, and not printed. */
int kz_cli_ask(struct kz_cli *cli, Kz__Request *request, Kz__Response **response, Kz__Error **error);
/* An answer that no node of this version gives: prints that, returns the exit status. */
int kz_cli_fail_odd(struct kz_cli *cli);
/* A write. `entries` (may be NULL) tell where records stand in files; `base` is what an edit began from. */
struct kz_entries;
int kz_cli_write(struct kz_cli *cli, Kz__Mutation **mutations, size_t count, bool dry_run,
                 const struct kz_entries *entries, const Kz__Record *base, Kz__Response **response);
/* Puts all of them, in one transaction or with --split in several; with --dry-run it is only checked. Shows what was
 * done (`each`: to which record), prints what went wrong. */
int kz_write_entries(struct kz_cli *cli, const struct kz_entries *entries, bool each);
/* What a write did to each record, on stdout: 0, or the status of a failed print. Nothing with --quiet, unless a form
 * for programs was asked for. */
int kz_cli_done(struct kz_cli *cli, Kz__Mutation__Op op, const Kz__Response *response, bool dry_run);
/* Prints to stdout; 0, or the status of a failed write. */
int kz_cli_print(struct kz_cli *cli, struct kz_buf *text);
void kz_cli_note(struct kz_cli *cli, const char *text); /* stderr */
/* A line of text on stderr, unless --quiet. */
void kz_cli_tell(struct kz_cli *cli, enum kz_text_id text, const char *const *args, size_t count);
/* Banner and --max-age for a read's answer: prints `out` in between and returns the exit status. */
int kz_cli_answer(struct kz_cli *cli, const Kz__Meta *meta, struct kz_buf *out);
/* --crl, or crl.pem beside the CA file, or NULL; `room` holds the text. */
const char *kz_cli_choose_crl(const struct kz_options *options, struct kz_buf *room);
int64_t kz_cli_now_ms(void); /* wall clock, UTC */
void kz_cli_set_subject(struct kz_cli *cli, const char *id);
Kz__Mutation *kz_cli_new_mutation(Kz__Mutation__Op op, Kz__Kind kind, const char *id); /* free: kz_cli_free_mutations */
void kz_cli_free_mutations(Kz__Mutation **mutations, size_t count);                    /* records are not freed */

/* One change of the command's record: the newest below `before_rev`, 0: of all. *change NULL: there is none. */
struct kz_changes {
    Kz__Response *page; /* owned */
};
int kz_ask_change(struct kz_cli *cli, uint64_t before_rev, struct kz_changes *out, const Kz__Change **change);
void kz_changes_fini(struct kz_changes *changes);

#endif
