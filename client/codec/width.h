/* SPDX-License-Identifier: Apache-2.0 */
/* How wide text is on a terminal, and text made safe to print there. East-Asian width; what Unicode calls ambiguous
 * (①, ○, Greek ...) is 1 or 2 as the terminal has it. Pure; any thread. */
#ifndef KZ_CLIENT_CODEC_WIDTH_H
#define KZ_CLIENT_CODEC_WIDTH_H

#include <stdbool.h>
#include <stddef.h>

#include "node/base/buf.h"

/* Columns of valid UTF-8 text. */
size_t kz_width(const char *text, int ambiguous);

/* Adds `text` with control characters, escape sequences and invisible reordering shown as U+FFFD; line breaks and tabs
 * become a space unless `keep_lines`. A record must not be able to move the reader's cursor. */
void kz_width_add_safe(struct kz_buf *out, const char *text, bool keep_lines);

/* Adds text cut to at most `columns`, the last one "…" when something was cut. Returns the columns used. */
size_t kz_width_add_cut(struct kz_buf *out, const char *text, size_t columns, int ambiguous);

void kz_width_add_spaces(struct kz_buf *out, size_t columns);

#endif
