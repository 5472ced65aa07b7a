/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include <xlsxwriter.h>

#include "client/codec/column.h"
#include "client/codec/export.h"
#include "client/codec/sheet.h"
#include "client/cli/text.h"
#include "node/base/assert.h"

#define REV_COLUMN 1
#define HEAD_COLUMNS 2
#define EMPTY_ROWS 1000 /* below the records: drop-downs for those still to be typed */
#define WIDTH_NARROW 16.0
#define WIDTH_WIDE 32.0
#define FORMAT_NUMBER 1 /* Excel's own numbers of "0" and "@" */
#define FORMAT_TEXT 49
#define EXACT_MAX (INT64_C(1) << 53) /* what a double, Excel's only number, holds exactly */

/* Each enum once, in a column of a hidden sheet: a drop-down written out is limited to 255 characters. */
struct choices {
    lxw_worksheet *sheet;
    const char *name;
    const struct kz_enum_value **lists; /* those that have a column; a boolean is NULL's place */
    size_t count;
    bool japanese;
};

struct formats {
    lxw_format *text, *number, *header;
};

static const char *yes_no(bool yes, bool japanese)
{
    return japanese ? (yes ? "はい" : "いいえ") : (yes ? "true" : "false");
}

static size_t write_choices(struct choices *choices, const struct kz_enum_value *values, size_t column)
{
    lxw_row_t row = 0;
    if (!values) {
        for (; row < 2; row++)
            worksheet_write_string(choices->sheet, row, (lxw_col_t)column, yes_no(row == 0, choices->japanese), NULL);
        return row;
    }
    for (; values[row].name; row++)
        worksheet_write_string(choices->sheet, row, (lxw_col_t)column,
                               choices->japanese ? values[row].label.ja : values[row].name, NULL);
    return row;
}

/* "='choices'!$A$1:$A$8" */
static void add_range(struct choices *choices, const struct kz_enum_value *values, struct kz_buf *out)
{
    size_t column = 0, rows;
    while (column < choices->count && choices->lists[column] != values)
        column++;
    if (column == choices->count) {
        choices->lists = kz_must_realloc(choices->lists, (choices->count + 1) * sizeof *choices->lists);
        choices->lists[choices->count++] = values;
        rows = write_choices(choices, values, column);
    } else {
        rows = 2;
        for (const struct kz_enum_value *value = values; value && value->name; value++)
            rows = (size_t)(value - values) + 1;
    }
    kz_buf_addf(out, "='%s'!$", choices->name);
    kz_sheet_add_letters(out, column);
    kz_buf_add_text(out, "$1:$");
    kz_sheet_add_letters(out, column);
    kz_buf_addf(out, "$%zu", rows);
}

static void add_drop_down(struct choices *choices, lxw_worksheet *sheet, const struct kz_field *field, size_t column,
                          size_t records)
{
    if (field->type != KZ_FIELD_ENUM && field->type != KZ_FIELD_BOOLEAN) return;
    struct kz_buf range;
    kz_buf_init(&range, 0);
    add_range(choices, field->type == KZ_FIELD_ENUM ? field->values : NULL, &range);
    lxw_data_validation validation = {.validate = LXW_VALIDATION_TYPE_LIST_FORMULA,
                                      .value_formula = (char *)(uintptr_t)kz_buf_text(&range)};
    worksheet_data_validation_range(sheet, 1, (lxw_col_t)column, (lxw_row_t)(records + EMPTY_ROWS), (lxw_col_t)column,
                                    &validation);
    kz_buf_fini(&range);
}

static void write_cell(lxw_worksheet *sheet, lxw_row_t row, size_t column, const char *text, bool number,
                       const struct formats *formats)
{
    char *end = NULL;
    long long value = number ? strtoll(text, &end, 10) : 0;
    if (number && *text && *end == '\0' && value < EXACT_MAX && value > -EXACT_MAX)
        worksheet_write_number(sheet, row, (lxw_col_t)column, (double)value, formats->number);
    else if (*text)
        worksheet_write_string(sheet, row, (lxw_col_t)column, text, formats->text);
}

static void write_sheet(lxw_worksheet *sheet, const struct kz_export *what, const struct formats *formats,
                        struct choices *choices)
{
    struct kz_grid grid = {0};
    struct kz_column_paths paths;
    kz_export_grid(what, choices->japanese, &grid);
    kz_columns_collect(&paths, what->kind, what->records, what->count);
    for (size_t i = 0; i < grid.column_count; i++) {
        const struct kz_field *field = i < HEAD_COLUMNS ? NULL : kz_column_field(&paths.items[i - HEAD_COLUMNS]);
        lxw_row_col_options hidden = {.hidden = i == REV_COLUMN};
        double width = field && field->type == KZ_FIELD_PROSE ? WIDTH_WIDE : WIDTH_NARROW;
        lxw_format *format = grid.columns[i].right ? formats->number : formats->text;
        worksheet_set_column_opt(sheet, (lxw_col_t)i, (lxw_col_t)i, width, format, &hidden);
        worksheet_write_string(sheet, 0, (lxw_col_t)i, grid.columns[i].header, formats->header);
        if (field) add_drop_down(choices, sheet, field, i, what->count);
    }
    for (size_t i = 0; i < grid.cell_count; i++) {
        size_t column = i % grid.column_count;
        write_cell(sheet, (lxw_row_t)(i / grid.column_count + 1), column, grid.cells[i], grid.columns[column].right,
                   formats);
    }
    worksheet_freeze_panes(sheet, 1, 1);
    kz_columns_fini(&paths);
    kz_grid_fini(&grid);
}

static size_t count_characters(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        if (((unsigned char)*text & 0xC0) != 0x80) count += (unsigned char)*text >= 0xF0 ? 2 : 1; /* UTF-16 units */
    return count;
}

bool kz_xlsx_fits(const struct kz_grid *grid)
{
    if (grid->column_count > KZ_XLSX_MAX_COLUMNS) return false;
    for (size_t i = 0; i < grid->cell_count; i++)
        if (count_characters(grid->cells[i]) > KZ_XLSX_MAX_CHARACTERS) return false;
    return true;
}

const char *kz_xlsx_write(const char *path, const struct kz_export *kinds, size_t count, bool japanese)
{
    lxw_workbook *book = workbook_new(path);
    if (!book) return "out of memory";
    struct formats formats = {
        .text = workbook_add_format(book), .number = workbook_add_format(book), .header = workbook_add_format(book)};
    format_set_num_format_index(formats.text, FORMAT_TEXT); /* or 0300000001 loses its zero, and 1-2 becomes a day */
    format_set_num_format_index(formats.number, FORMAT_NUMBER);
    format_set_bold(formats.header);
    lxw_worksheet **sheets = kz_must_alloc(count + 1, sizeof(lxw_worksheet *));
    bool named = true;
    for (size_t i = 0; i < count; i++) {
        sheets[i] = workbook_add_worksheet(book, japanese ? kinds[i].kind->label.ja : kinds[i].kind->name);
        named = named && sheets[i];
    }
    struct choices choices = {.name = kz_text(KZ_T_EXPORT_LISTS_SHEET, japanese), .japanese = japanese};
    choices.sheet = workbook_add_worksheet(book, choices.name);
    kz_assert(named && choices.sheet); /* labels are short and differ; a test holds them to it */
    worksheet_hide(choices.sheet);
    for (size_t i = 0; i < count; i++)
        write_sheet(sheets[i], &kinds[i], &formats, &choices);
    free(sheets);
    free(choices.lists);
    lxw_error error = workbook_close(book);
    return error == LXW_NO_ERROR ? NULL : lxw_strerror(error);
}
