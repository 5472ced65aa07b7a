/* SPDX-License-Identifier: Apache-2.0 */
#include "client/codec/grid.h"

#include <stdlib.h>
#include <string.h>

#include "client/codec/width.h"
#include "node/base/assert.h"

#define GAP "  "
#define GAP_COLUMNS 2
#define COLUMN_MIN 6 /* a column is not cut below this */
#define BOM "\xEF\xBB\xBF"

void kz_grid_add_column(struct kz_grid *grid, const char *header, bool right)
{
    grid->columns = kz_must_realloc(grid->columns, (grid->column_count + 1) * sizeof *grid->columns);
    grid->columns[grid->column_count++] = (struct kz_column){.header = kz_must_strdup(header), .right = right};
}

void kz_grid_add_cell(struct kz_grid *grid, const char *text)
{
    if ((grid->cell_count & (grid->cell_count - 1)) == 0) {
        size_t room = grid->cell_count ? grid->cell_count * 2 : 1;
        grid->cells = kz_must_realloc(grid->cells, room * sizeof(char *));
    }
    grid->cells[grid->cell_count++] = kz_must_strdup(text);
}

void kz_grid_fini(struct kz_grid *grid)
{
    for (size_t i = 0; i < grid->column_count; i++)
        free(grid->columns[i].header);
    for (size_t i = 0; i < grid->cell_count; i++)
        free(grid->cells[i]);
    free(grid->columns);
    free(grid->cells);
    *grid = (struct kz_grid){0};
}

/* ---- table ---- */

static char *make_safe(const char *text)
{
    struct kz_buf out;
    kz_buf_init(&out, 0);
    kz_width_add_safe(&out, text, false);
    char *copy = kz_must_strdup(kz_buf_text(&out));
    kz_buf_fini(&out);
    return copy;
}

static size_t total_width(const size_t *widths, size_t count)
{
    size_t total = count > 0 ? (count - 1) * GAP_COLUMNS : 0;
    for (size_t i = 0; i < count; i++)
        total += widths[i];
    return total;
}

/* Takes columns from the widest until the table fits; the first one, the id, is the last to shrink. */
static void fit(size_t *widths, size_t count, size_t max_columns)
{
    while (max_columns > 0 && total_width(widths, count) > max_columns) {
        size_t widest = count;
        for (size_t i = 1; i < count; i++)
            if (widths[i] > COLUMN_MIN && (widest == count || widths[i] > widths[widest])) widest = i;
        if (widest == count && count > 0 && widths[0] > COLUMN_MIN) widest = 0;
        if (widest == count) return;
        widths[widest]--;
    }
}

static void write_row(char *const *cells, const struct kz_grid *grid, const size_t *widths, int ambiguous,
                      struct kz_buf *out)
{
    for (size_t i = 0; i < grid->column_count; i++) {
        bool last = i + 1 == grid->column_count;
        struct kz_buf cell;
        kz_buf_init(&cell, 0);
        size_t used = kz_width_add_cut(&cell, cells[i], widths[i], ambiguous);
        size_t pad = widths[i] - used;
        if (grid->columns[i].right) kz_width_add_spaces(out, pad);
        kz_buf_add_text(out, kz_buf_text(&cell));
        if (!grid->columns[i].right && !last) kz_width_add_spaces(out, pad);
        if (!last) kz_buf_add_text(out, GAP);
        kz_buf_fini(&cell);
    }
    /* No spaces at the end of a line: an empty last column leaves them. */
    while (out->size_bytes > 0 && out->data[out->size_bytes - 1] == ' ')
        out->size_bytes--;
    kz_buf_add_text(out, "\n");
}

void kz_grid_write_table(const struct kz_grid *grid, const struct kz_grid_style *style, struct kz_buf *out)
{
    size_t count = grid->column_count;
    if (count == 0) return;
    size_t *widths = kz_must_alloc(count, sizeof *widths);
    char **headers = kz_must_alloc(count, sizeof *headers);
    char **cells = kz_must_alloc(grid->cell_count + 1, sizeof *cells);
    for (size_t i = 0; i < count; i++) {
        headers[i] = make_safe(grid->columns[i].header);
        if (style->headers) widths[i] = kz_width(headers[i], style->ambiguous);
    }
    for (size_t i = 0; i < grid->cell_count; i++) {
        cells[i] = make_safe(grid->cells[i]);
        size_t width = kz_width(cells[i], style->ambiguous);
        if (width > widths[i % count]) widths[i % count] = width;
    }
    fit(widths, count, style->max_columns);
    if (style->headers) write_row(headers, grid, widths, style->ambiguous, out);
    for (size_t row = 0; row < grid->cell_count / count; row++)
        write_row(cells + row * count, grid, widths, style->ambiguous, out);
    for (size_t i = 0; i < grid->cell_count; i++)
        free(cells[i]);
    for (size_t i = 0; i < count; i++)
        free(headers[i]);
    free(cells);
    free(headers);
    free(widths);
}

/* ---- CSV ---- */

/* Full-width forms too: Excel folds them when it reads a cell. A text that begins with ' and then so gets one more, or
 * it would lose its own when it comes back. */
static bool looks_like_formula(const char *text)
{
    text += strspn(text, "'");
    static const char *const starts[] = {"=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"};
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++)
        if (strncmp(text, starts[i], strlen(starts[i])) == 0) return true;
    return false;
}

static void write_csv_cell(const char *text, bool number, struct kz_buf *out)
{
    bool neutralise = !number && looks_like_formula(text);
    if (!neutralise && !strpbrk(text, ",\"\r\n")) {
        kz_buf_add_text(out, text);
        return;
    }
    kz_buf_add_text(out, neutralise ? "\"'" : "\"");
    for (; *text; text++) {
        if (*text == '"') kz_buf_add_text(out, "\"");
        kz_buf_add(out, text, 1);
    }
    kz_buf_add_text(out, "\"");
}

void kz_grid_restore(char *cell)
{
    if (*cell == '\'' && looks_like_formula(cell)) memmove(cell, cell + 1, strlen(cell));
}

void kz_grid_write_csv(const struct kz_grid *grid, bool headers, bool bom, struct kz_buf *out)
{
    size_t count = grid->column_count;
    if (count == 0) return;
    if (bom) kz_buf_add_text(out, BOM);
    for (size_t i = 0; headers && i < count; i++) {
        if (i) kz_buf_add_text(out, ",");
        write_csv_cell(grid->columns[i].header, false, out);
    }
    if (headers) kz_buf_add_text(out, "\r\n");
    for (size_t i = 0; i < grid->cell_count; i++) {
        write_csv_cell(grid->cells[i], grid->columns[i % count].right, out);
        kz_buf_add_text(out, (i + 1) % count ? "," : "\r\n");
    }
}
