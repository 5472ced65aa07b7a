/* SPDX-License-Identifier: Apache-2.0 */
#include "node/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct code_row {
    const char *name;
    bool retryable;
    int exit_status;
    const char *text_en;
    const char *text_ja;
};

static const struct code_row code_rows[] = {
#define X(name, number, retryable, exit_status, en, ja) [number] = {#name, retryable, exit_status, en, ja},
    KZ_ERROR_TABLE(X)
#undef X
};

static const struct code_row *find_row(enum kz_code code)
{
    size_t index = (size_t)code;
    if (index >= sizeof code_rows / sizeof code_rows[0] || !code_rows[index].name) return &code_rows[KZ_FAILED];
    return &code_rows[index];
}

const char *kz_code_name(enum kz_code code) { return find_row(code)->name; }
const char *kz_code_text(enum kz_code code, bool japanese)
{
    return japanese ? find_row(code)->text_ja : find_row(code)->text_en;
}
bool kz_code_retryable(enum kz_code code) { return find_row(code)->retryable; }
int kz_code_exit_status(enum kz_code code) { return find_row(code)->exit_status; }

/* A cut in the middle of a UTF-8 sequence would make the text unprintable. */
static void trim_partial_character(char *text)
{
    size_t length = strlen(text);
    if (length + 1 < KZ_ERR_TEXT_BYTES) return;
    while (length > 0 && ((unsigned char)text[length - 1] & 0xC0) == 0x80)
        length--;
    if (length > 0 && ((unsigned char)text[length - 1] & 0x80)) length--;
    text[length] = '\0';
}

enum kz_code kz_fail(struct kz_err *err, enum kz_code code, const char *fmt, ...)
{
    if (!err) return code;
    va_list args;
    va_start(args, fmt);
    vsnprintf(err->text, sizeof err->text, fmt, args);
    va_end(args);
    trim_partial_character(err->text);
    err->code = code;
    return code;
}

enum kz_code kz_wrap(struct kz_err *err, const char *fmt, ...)
{
    if (!err) return KZ_FAILED;
    char inner[KZ_ERR_TEXT_BYTES];
    memcpy(inner, err->text, sizeof inner);
    va_list args;
    va_start(args, fmt);
    int used = vsnprintf(err->text, sizeof err->text, fmt, args);
    va_end(args);
    if (used >= 0 && (size_t)used < sizeof err->text)
        snprintf(err->text + used, sizeof err->text - (size_t)used, ": %s", inner);
    trim_partial_character(err->text);
    return err->code;
}
