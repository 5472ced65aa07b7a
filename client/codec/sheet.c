/* SPDX-License-Identifier: Apache-2.0 */
#include "client/codec/sheet.h"

#include <csv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/codec/grid.h"
#include "node/base/assert.h"

#define NUMBER_TEXT_BYTES 24
#define LOST "\xEF\xBF\xBD"

struct reading {
    struct kz_sheet *sheet;
    struct kz_violations *problems;
    size_t number; /* of the row being read */
    int last_end;  /* the character that ended the row before; 0 after a field */
    bool too_many;
    struct kz_sheet_row row;
};

struct kz_place kz_sheet_place(const struct kz_sheet *sheet, const struct kz_sheet_row *row, size_t column)
{
    return (struct kz_place){.file = sheet->file, .line = (int)row->number, .column = (int)column + 1, .cell = true};
}

void kz_sheet_add_letters(struct kz_buf *out, size_t column)
{
    char letters[16];
    size_t at = sizeof letters - 1;
    letters[at] = '\0';
    do {
        letters[--at] = (char)('A' + column % 26);
        column /= 26;
    } while (column-- > 0);
    kz_buf_add_text(out, letters + at);
}

static void refuse_size(struct reading *reading, enum kz_text_id text, unsigned limit)
{
    char number[NUMBER_TEXT_BYTES];
    if (reading->too_many) return;
    reading->too_many = true;
    snprintf(number, sizeof number, "%u", limit);
    struct kz_place place = kz_sheet_place(reading->sheet, &reading->row, 0);
    kz_problem_add(reading->problems, place, "document.size", text, KZ_TEXT_ARGS(number));
}

/* ---- libcsv's callbacks ---- */

static void take_field(void *bytes, size_t size_bytes, void *data)
{
    struct reading *reading = data;
    struct kz_sheet_row *row = &reading->row;
    row->number = reading->number;
    reading->last_end = 0;
    if (row->count >= KZ_SHEET_MAX_COLUMNS) {
        refuse_size(reading, KZ_T_SHEET_COLUMNS, KZ_SHEET_MAX_COLUMNS);
        return;
    }
    if (row->count == row->room) {
        row->room = row->room ? row->room * 2 : 16;
        row->cells = kz_must_realloc(row->cells, row->room * sizeof(char *));
    }
    char *cell = kz_must_alloc(1, size_bytes + 1);
    if (size_bytes > 0) memcpy(cell, bytes, size_bytes);
    kz_grid_restore(cell);
    row->cells[row->count++] = cell;
}

static bool is_empty(const struct kz_sheet_row *row)
{
    for (size_t i = 0; i < row->count; i++)
        if (row->cells[i][0]) return false;
    return true;
}

static void free_row(struct kz_sheet_row *row)
{
    for (size_t i = 0; i < row->count; i++)
        free(row->cells[i]);
    free(row->cells);
    *row = (struct kz_sheet_row){0};
}

static void report_lost(struct reading *reading, const struct kz_sheet_row *row)
{
    for (size_t i = 0; i < row->count; i++)
        if (strstr(row->cells[i], LOST))
            kz_problem_add(reading->problems, kz_sheet_place(reading->sheet, row, i), "document.encoding",
                           KZ_T_SHEET_LOST, KZ_TEXT_ARGS(kz_encoding_name(reading->sheet->encoding)));
}

/* libcsv ends a row at CR and again at the LF after it. */
static void take_row(int end, void *data)
{
    struct reading *reading = data;
    struct kz_sheet *sheet = reading->sheet;
    if (reading->last_end == '\r' && end == '\n') {
        reading->last_end = end;
        return;
    }
    reading->last_end = end;
    reading->number++;
    if (is_empty(&reading->row)) {
        free_row(&reading->row);
        return;
    }
    if (sheet->row_count >= KZ_SHEET_MAX_ROWS) {
        refuse_size(reading, KZ_T_SHEET_ROWS, KZ_SHEET_MAX_ROWS);
        free_row(&reading->row);
        return;
    }
    if ((sheet->row_count & (sheet->row_count - 1)) == 0) {
        size_t room = sheet->row_count ? sheet->row_count * 2 : 1;
        sheet->rows = kz_must_realloc(sheet->rows, room * sizeof *sheet->rows);
    }
    report_lost(reading, &reading->row);
    sheet->rows[sheet->row_count++] = reading->row;
    reading->row = (struct kz_sheet_row){0};
}

static int is_space(unsigned char c)
{
    (void)c; /* libcsv's signature; a value keeps its spaces */
    return 0;
}

/* ---- the file ---- */

static size_t count_in_line(const char *text, char wanted)
{
    size_t count = 0;
    for (; *text && *text != '\n' && *text != '\r'; text++)
        count += *text == wanted;
    return count;
}

static void parse(struct reading *reading, struct kz_buf *text)
{
    struct csv_parser parser;
    const char *bytes = kz_buf_text(text);
    kz_assert(csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI | CSV_REPALL_NL) == 0);
    csv_set_space_func(&parser, is_space);
    if (count_in_line(bytes, '\t') > count_in_line(bytes, ',')) csv_set_delim(&parser, CSV_TAB);
    size_t done = csv_parse(&parser, bytes, text->size_bytes, take_field, take_row, reading);
    bool broken = done != text->size_bytes;
    if (!broken) broken = csv_fini(&parser, take_field, take_row, reading) != 0;
    kz_assert(csv_error(&parser) != CSV_ENOMEM); /* a command-line program: out of memory ends it */
    if (broken) {
        struct kz_sheet_row at = {.number = reading->number};
        kz_problem_add(reading->problems, kz_sheet_place(reading->sheet, &at, reading->row.count), "document.csv",
                       KZ_T_SHEET_QUOTES, NULL, 0);
    }
    csv_free(&parser);
}

bool kz_sheet_read(struct kz_sheet *sheet, const char *file, const void *bytes, size_t size_bytes,
                   struct kz_violations *problems)
{
    *sheet = (struct kz_sheet){.file = file, .encoding = kz_encoding_detect(bytes, size_bytes)};
    struct reading reading = {.sheet = sheet, .problems = problems, .number = 1};
    size_t before = problems->count;
    reading.row.number = 1;
    if (size_bytes > KZ_SHEET_MAX_BYTES) {
        refuse_size(&reading, KZ_T_DOC_TOO_BIG, KZ_SHEET_MAX_BYTES);
        return false;
    }
    struct kz_buf text;
    kz_buf_init(&text, 0);
    if (kz_encoding_decode(sheet->encoding, bytes, size_bytes, &text))
        parse(&reading, &text);
    else
        kz_problem_add(problems, kz_sheet_place(sheet, &reading.row, 0), "document.encoding", KZ_T_SHEET_NO_CONVERTER,
                       KZ_TEXT_ARGS(kz_encoding_name(sheet->encoding)));
    kz_buf_fini(&text);
    free_row(&reading.row);
    return problems->count == before;
}

void kz_sheet_fini(struct kz_sheet *sheet)
{
    for (size_t i = 0; i < sheet->row_count; i++)
        free_row(&sheet->rows[i]);
    free(sheet->rows);
    sheet->rows = NULL;
    sheet->row_count = 0;
}
