/* SPDX-License-Identifier: Apache-2.0 */
/* Operating errors: a code from the one error table (proto/errors.h) and a text that is wrapped as it climbs.
 * Outcomes of requests are not errors of this kind: they are data (kz.Outcome). No locking: each error belongs
 * to one thread's stack. */
#ifndef KZ_BASE_ERR_H
#define KZ_BASE_ERR_H

#include <stdbool.h>

#include "proto/errors.h"

#define KZ_MUST_CHECK __attribute__((warn_unused_result))

#define KZ_ERR_TEXT_BYTES 512

/* Caller's memory; `text` is valid UTF-8 and empty when code is KZ_OK. */
struct kz_err {
    enum kz_code code;
    char text[KZ_ERR_TEXT_BYTES];
};

/* Fill `err` (may be NULL) and return `code`, so that `return kz_fail(...)` reads as one statement. */
enum kz_code kz_fail(struct kz_err *err, enum kz_code code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Put "<fmt>: " before err->text and return err->code. A longer text is cut at a character boundary. */
enum kz_code kz_wrap(struct kz_err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The table's columns. An unknown code is reported as KZ_FAILED. */
const char *kz_code_name(enum kz_code code); /* "NOT_FOUND" */
const char *kz_code_text(enum kz_code code, bool japanese);
bool kz_code_retryable(enum kz_code code);
int kz_code_exit_status(enum kz_code code);

#endif
