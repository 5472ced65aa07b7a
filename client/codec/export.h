/* SPDX-License-Identifier: Apache-2.0 */
/* Records as tables that import reads back: id, the revision they were written from, and everything a person sets. One
 * thread. */
#ifndef KZ_CLIENT_CODEC_EXPORT_H
#define KZ_CLIENT_CODEC_EXPORT_H

#include "client/codec/encoding.h"
#include "client/codec/grid.h"
#include "node/registry/record.h"

struct kz_export {
    const struct kz_kind *kind;
    const Kz__Record *const *records; /* borrowed */
    size_t count;
};

void kz_export_grid(const struct kz_export *what, bool japanese, struct kz_grid *grid);

/* The cells of the grid that the encoding cannot hold, each as "FILE:F12". False: there are some. */
bool kz_export_check(const struct kz_export *what, const struct kz_grid *grid, const char *file,
                     enum kz_encoding encoding, struct kz_violations *refused);

/* ---- XLSX: a sheet per kind, drop-downs, the header fixed, the revision hidden, ids and numbers as text ---- */

#define KZ_XLSX_MAX_COLUMNS 16384u
#define KZ_XLSX_MAX_CHARACTERS 32767u

/* Whether the kind fits a sheet of a spreadsheet. */
bool kz_xlsx_fits(const struct kz_grid *grid);
/* Writes the file. NULL, or what went wrong (in English, from the library; static). */
const char *kz_xlsx_write(const char *path, const struct kz_export *kinds, size_t count, bool japanese);

#endif
