/* SPDX-License-Identifier: Apache-2.0 */
/* A CSV file as a spreadsheet shows it: rows of cells with their addresses. Knows nothing of records. One thread. */
#ifndef KZ_CLIENT_CODEC_SHEET_H
#define KZ_CLIENT_CODEC_SHEET_H

#include "client/codec/encoding.h"
#include "client/codec/tree.h"

#define KZ_SHEET_MAX_BYTES KZ_DOCUMENT_MAX_BYTES
#define KZ_SHEET_MAX_ROWS 1048576u /* as many as Excel has */
#define KZ_SHEET_MAX_COLUMNS 16384u

struct kz_sheet_row {
    size_t number; /* from 1, as the spreadsheet counts: a cell of many lines is one row */
    char **cells;  /* owned */
    size_t count;
    size_t room;
};

struct kz_sheet {
    const char *file; /* borrowed */
    enum kz_encoding encoding;
    struct kz_sheet_row *rows; /* those that are not empty */
    size_t row_count;
};

/* Columns parted by commas, or by tabs when the first line holds more of them; quoted as in RFC 4180. The ' that an
 * export puts before = + - @ is taken off again. False: something was wrong, all of it is in `problems`. To be finished
 * in both cases. */
bool kz_sheet_read(struct kz_sheet *sheet, const char *file, const void *bytes, size_t size_bytes,
                   struct kz_violations *problems);
void kz_sheet_fini(struct kz_sheet *sheet);

/* The cell as a place; column from 0. */
struct kz_place kz_sheet_place(const struct kz_sheet *sheet, const struct kz_sheet_row *row, size_t column);
/* "A", "Z", "AA" ...; column from 0. */
void kz_sheet_add_letters(struct kz_buf *out, size_t column);

#endif
