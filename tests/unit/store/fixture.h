/* SPDX-License-Identifier: Apache-2.0 */
/* A store in a directory of its own, and commands in a few words. Everything here fails the test by itself when it
 * does not succeed. One thread. */
#ifndef KZ_TEST_STORE_FIXTURE_H
#define KZ_TEST_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/registry/record.h"
#include "node/store/store.h"

#define FIXTURE_MUTATIONS_MAX 64
#define FIXTURE_START_MS 1737061200000

struct fixture {
    char directory[64];
    struct kz_store_options options;
    struct kz_store *store;
    uint64_t index;  /* last appended */
    uint64_t term;   /* for the next entries */
    int64_t time_ms; /* for the next batch */
    uint8_t request; /* number of the next request id */
};

int fixture_setup(void **state); /* cmocka: *state becomes a struct fixture with an open, empty store */
int fixture_teardown(void **state);
void fixture_init(struct fixture *f);
void fixture_fini(struct fixture *f);
void fixture_open(struct fixture *f);
void fixture_close(struct fixture *f);
void fixture_reopen(struct fixture *f);
/* Opening must fail with `code`; returns the text. */
const char *fixture_open_fails(struct fixture *f, enum kz_code code);

/* A command under construction. The id is that of `request`, so that two commands can share one. */
struct command {
    Kz__Command message;
    Kz__Mutation mutations[FIXTURE_MUTATIONS_MAX];
    Kz__Mutation *pointers[FIXTURE_MUTATIONS_MAX];
    uint8_t id[KZ_REQUEST_ID_BYTES];
};
void command_init(struct command *command, unsigned request);
void command_fini(struct command *command);
void command_put(struct command *command, Kz__Record *record); /* takes the record */
void command_retire(struct command *command, Kz__Kind kind, const char *id, bool force);
void command_verify(struct command *command, Kz__Kind kind, const char *id);
void command_revert(struct command *command, Kz__Kind kind, const char *id, uint64_t to_rev);
void command_rewind(struct command *command, Kz__Kind kind, uint64_t to_rev, uint64_t reviewed_rev);
void command_move(struct command *command, const char *id, Kz__Runbook__State to); /* a runbook */
/* `bytes` and `content` are borrowed until the command ends. */
void command_chunk(struct command *command, const char *id, const uint8_t *bytes, size_t size_bytes);
void command_content(struct command *command, const uint8_t *list, size_t size_bytes); /* of the last mutation added */
void command_expect(struct command *command, uint64_t rev);                            /* of the last mutation added */

/* Valid records; free with the command or kz__record__free_unpacked. */
Kz__Record *make_org(const char *id, const char *name, const char *parent);
Kz__Record *make_attachment(const char *id, const uint8_t hash[KZ_HASH_BYTES], size_t size_bytes);
Kz__Record *make_system(const char *id, const char *owner, const char *depends_on);

/* Batch of one command as an entry: appended, applied and committed. Ends the command. Free the outcome with
 * kz__outcome__free_unpacked. */
Kz__Outcome *fixture_run(struct fixture *f, struct command *command);
/* The same, expecting a code and dropping the outcome. */
void fixture_must(struct fixture *f, struct command *command, enum kz_code code);
/* Shorthands for commands of one mutation, with a fresh request id. */
void fixture_put(struct fixture *f, Kz__Record *record, enum kz_code code);
void fixture_retire(struct fixture *f, Kz__Kind kind, const char *id, bool force, enum kz_code code);

/* Raw pieces: packed batches are malloc'd. */
uint8_t *batch_pack(int64_t time_ms, const Kz__Command *const *commands, size_t count, size_t *size_bytes);
void fixture_append(struct fixture *f, enum kz_entry_type type, const void *data, size_t size_bytes);
void fixture_apply(struct fixture *f, const struct kz_apply_sink *sink); /* everything appended */

struct kz_applied fixture_applied(struct fixture *f);
struct kz_hard_state fixture_hard(struct fixture *f);
Kz__Record *fixture_get(struct fixture *f, Kz__Kind kind, const char *id); /* NULL when there is none */
uint64_t fixture_rev(struct fixture *f, Kz__Kind kind, const char *id);
void fixture_scrub(struct fixture *f);
/* Some of everything: live, retired, verified, referring records, refusals, a configuration, local values. */
void fixture_fill(struct fixture *f);
/* Stored and loose contents of attachments, two of each. */
void fixture_fill_blobs(struct fixture *f);
/* Copies the state by snapshot rows in chunks of `room` bytes, and installs it. */
void fixture_copy_state(struct fixture *from, struct fixture *to, size_t room);

/* The call takes &must_err for its error. */
#define must(call)                                                                                                     \
    do {                                                                                                               \
        struct kz_err must_err = {KZ_OK, ""};                                                                          \
        if ((call) != KZ_OK) fail_msg("%s: %s", #call, must_err.text);                                                 \
    } while (0)

#endif
