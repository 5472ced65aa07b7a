/* SPDX-License-Identifier: Apache-2.0 */
/* Problems found in a file, each with its place, collected as violations so that they print like a node's. One
 * thread. */
#ifndef KZ_CLIENT_CODEC_PROBLEM_H
#define KZ_CLIENT_CODEC_PROBLEM_H

#include "client/cli/text.h"
#include "node/registry/record.h"

/* Both from 1; the column counts characters, or the columns of a spreadsheet. */
struct kz_place {
    const char *file; /* borrowed */
    int line;
    int column;
    bool cell; /* of a spreadsheet */
};

/* "file:line:column", or "file:F12". */
void kz_place_format(struct kz_buf *out, struct kz_place place);

/* Those of a spreadsheet's cells into its order, row by row; whatever else they are about comes last. */
void kz_problems_sort_cells(struct kz_violations *problems);

/* `source` may be NULL. */
void kz_problem_add(struct kz_violations *problems, struct kz_place place, const char *rule, enum kz_text_id text,
                    const char *const *args, size_t count);
/* The same with the text already made. */
void kz_problem_add_text(struct kz_violations *problems, struct kz_place place, const char *rule,
                         const struct kz_text *text, const char *source);

#endif
