/* SPDX-License-Identifier: Apache-2.0 */
/* What went wrong, in three lines and two languages: what, why, what to do. A node's errors and our own have the same
 * form, kz.Error. One thread. */
#ifndef KZ_CLIENT_CLI_ERROR_H
#define KZ_CLIENT_CLI_ERROR_H

#include "client/cli/text.h"
#include "client/keizoku.h"
#include "node/registry/record.h"

/* The three texts share `args`. The caller's: kz__error__free_unpacked(e, NULL). Never NULL. */
Kz__Error *kz_error_new(enum kz_code code, enum kz_text_id what, enum kz_text_id why, enum kz_text_id hint,
                        const char *const *args, size_t count);

/* What a command was about, to fill the lines a node left out. */
struct kz_error_context {
    const char *subject; /* "system/juki", "system", may be NULL */
    const char *request; /* request id in hex, for an unknown outcome; may be NULL */
    const char *role;    /* role the command needs */
    const char *node;    /* that answered; may be NULL */
    const char *near_id; /* for "did you mean"; may be NULL */
};
void kz_error_complete(Kz__Error *error, const struct kz_error_context *context);

/* Takes the outcome's violations, current record and referrers. */
Kz__Error *kz_error_of_outcome(Kz__Outcome *outcome, const struct kz_error_context *context);
/* Of a failed kz_client_call. */
Kz__Error *kz_error_of_call(const struct kz_client *client, const struct kz_err *err, int64_t timeout_ms,
                            const struct kz_error_context *context);
/* Takes the problems of files. `what` is the files' name. */
Kz__Error *kz_error_of_problems(struct kz_violations *problems, const char *what);

void kz_error_set(char **slot, const char *text); /* replaces; copies */

#endif
