/* SPDX-License-Identifier: Apache-2.0 */
/* Rows and columns of text, written as an aligned table or as CSV. One thread. */
#ifndef KZ_CLIENT_CODEC_GRID_H
#define KZ_CLIENT_CODEC_GRID_H

#include <stdbool.h>
#include <stddef.h>

#include "node/base/buf.h"

struct kz_column {
    char *header; /* owned */
    bool right;   /* numbers */
};

struct kz_grid {
    struct kz_column *columns;
    size_t column_count;
    char **cells; /* row after row; owned */
    size_t cell_count;
};

struct kz_grid_style {
    bool headers;
    int ambiguous;      /* 1 or 2 */
    size_t max_columns; /* terminal width; 0: nothing is cut */
};

void kz_grid_add_column(struct kz_grid *grid, const char *header, bool right);
void kz_grid_add_cell(struct kz_grid *grid, const char *text); /* copied; row by row, all columns added before */
void kz_grid_fini(struct kz_grid *grid);

void kz_grid_write_table(const struct kz_grid *grid, const struct kz_grid_style *style, struct kz_buf *out);
/* UTF-8, CRLF, as Excel opens it; a cell that a spreadsheet would take for a formula gets a leading '. */
void kz_grid_write_csv(const struct kz_grid *grid, bool headers, bool bom, struct kz_buf *out);
/* Takes that ' off again, in place. */
void kz_grid_restore(char *cell);

#endif
