/* SPDX-License-Identifier: Apache-2.0 */
#include "client/codec/export.h"

#include <inttypes.h>

#include "client/codec/column.h"
#include "client/codec/problem.h"

static void add_record(const struct kz_column_paths *paths, const Kz__Record *record, bool japanese,
                       struct kz_grid *grid)
{
    struct kz_buf cell;
    kz_buf_init(&cell, 0);
    kz_grid_add_cell(grid, record->id);
    kz_buf_addf(&cell, "%" PRIu64, record->rev);
    kz_grid_add_cell(grid, kz_buf_text(&cell));
    for (size_t i = 0; i < paths->count; i++) {
        kz_buf_clear(&cell);
        kz_column_get(&cell, record, &paths->items[i], japanese);
        kz_grid_add_cell(grid, kz_buf_text(&cell));
    }
    kz_buf_fini(&cell);
}

void kz_export_grid(const struct kz_export *what, bool japanese, struct kz_grid *grid)
{
    struct kz_column_paths paths;
    kz_columns_collect(&paths, what->kind, what->records, what->count);
    kz_grid_add_column(grid, "id", false);
    kz_grid_add_column(grid, "rev", true);
    for (size_t i = 0; i < paths.count; i++) {
        struct kz_buf header;
        kz_buf_init(&header, 0);
        kz_column_header(&header, what->kind, &paths.items[i], japanese);
        kz_grid_add_column(grid, kz_buf_text(&header), kz_column_field(&paths.items[i])->type == KZ_FIELD_INTEGER);
        kz_buf_fini(&header);
    }
    for (size_t i = 0; i < what->count; i++)
        add_record(&paths, what->records[i], japanese, grid);
    kz_columns_fini(&paths);
}

bool kz_export_check(const struct kz_export *what, const struct kz_grid *grid, const char *file,
                     enum kz_encoding encoding, struct kz_violations *refused)
{
    bool fine = true;
    for (size_t i = 0; i < grid->cell_count; i++) {
        char character[KZ_CHARACTER_BYTES];
        size_t row = i / grid->column_count, column = i % grid->column_count;
        if (kz_encoding_holds(encoding, grid->cells[i], character)) continue;
        struct kz_place place = {.file = file, .line = (int)row + 2, .column = (int)column + 1, .cell = true};
        kz_problem_add(refused, place, "export.encoding", KZ_T_EXPORT_REFUSED,
                       KZ_TEXT_ARGS(what->kind->name, grid->columns[column].header, what->records[row]->id, character,
                                    kz_encoding_name(encoding)));
        fine = false;
    }
    return fine;
}
