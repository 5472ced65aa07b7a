/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration as a table: section, key, type, range, default. INI syntax through libinih. Errors name
 * file, line, key and the allowed range. Used at start-up, one thread. */
#ifndef KZ_BASE_CONFIG_H
#define KZ_BASE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/base/err.h"

enum kz_config_type {
    KZ_CONFIG_TEXT,        /* char * (owned by the target struct, malloc'd) */
    KZ_CONFIG_PATH,        /* as TEXT; a relative path is taken from the file's folder */
    KZ_CONFIG_INTEGER,     /* int64_t within min..max */
    KZ_CONFIG_DURATION_MS, /* int64_t milliseconds from "250ms", "5s", "10m", "1h" within min..max */
    KZ_CONFIG_SIZE,        /* int64_t bytes from "512", "64KiB", "16GiB" within min..max */
};

struct kz_config_row {
    const char *section; /* "raft"; a section ending in "." matches any suffix, e.g. "peer." */
    const char *key;
    enum kz_config_type type;
    size_t offset; /* into the target; for "peer." rows into the element that `element` returns */
    int64_t min, max;
    const char *default_text; /* NULL = required (for "x." sections: required in each) */
    const char *help_en;
};

struct kz_config_table {
    const struct kz_config_row *rows;
    size_t row_count;
    void *target;
    /* Element for section "<prefix><suffix>", made on first sight; NULL = too many. */
    void *(*element)(void *target, const char *prefix, const char *suffix);
};

/* Reads `path` into the target. Every problem found is listed in err->text's first lines; the first one decides. */
enum kz_code kz_config_read(const char *path, const struct kz_config_table *table, struct kz_err *err) KZ_MUST_CHECK;

/* Parsers of single values, also used for command-line options. */
bool kz_parse_duration_ms(const char *text, int64_t *out_ms);
bool kz_parse_size_bytes(const char *text, int64_t *out_bytes);
bool kz_parse_integer(const char *text, int64_t *out);

#endif
