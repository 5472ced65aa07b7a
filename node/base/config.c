/* SPDX-License-Identifier: Apache-2.0 */
#include "node/base/config.h"

#include <errno.h>
#include <ini.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"

#define ELEMENTS_MAX 64
#define KEY_MAX_BYTES 64 /* libinih cuts names at 50 */

struct element {
    char *section;
    void *target;
    bool *seen; /* one per row */
};

struct reader {
    const char *path;
    const struct kz_config_table *table;
    struct kz_err *err;
    bool *seen; /* one per row, plain sections only */
    FILE *file;
    int line;
    struct element elements[ELEMENTS_MAX];
    size_t element_count;
};

struct unit {
    const char *suffix;
    int64_t factor;
};

static bool parse_scaled(const char *text, const struct unit *units, size_t count, int64_t *out)
{
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (errno || end == text || number < 0) return false;
    while (*end == ' ')
        end++;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(end, units[i].suffix) != 0) continue;
        return !__builtin_mul_overflow((int64_t)number, units[i].factor, out);
    }
    return false;
}

bool kz_parse_duration_ms(const char *text, int64_t *out_ms)
{
    static const struct unit units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    return parse_scaled(text, units, sizeof units / sizeof units[0], out_ms);
}

bool kz_parse_size_bytes(const char *text, int64_t *out_bytes)
{
    static const struct unit units[] = {{"", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}};
    return parse_scaled(text, units, sizeof units / sizeof units[0], out_bytes);
}

bool kz_parse_integer(const char *text, int64_t *out)
{
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (errno || end == text || *end) return false;
    *out = number;
    return true;
}

static void print_value(char *out, size_t size, enum kz_config_type type, int64_t value)
{
    if (type == KZ_CONFIG_DURATION_MS && value % 1000 == 0)
        snprintf(out, size, "%" PRId64 "s", value / 1000);
    else if (type == KZ_CONFIG_DURATION_MS)
        snprintf(out, size, "%" PRId64 "ms", value);
    else if (type == KZ_CONFIG_SIZE && value % (1 << 20) == 0)
        snprintf(out, size, "%" PRId64 "MiB", value / (1 << 20));
    else
        snprintf(out, size, "%" PRId64, value);
}

static char *resolve_path(const char *config_path, const char *value)
{
    if (value[0] == '/') return kz_must_strdup(value);
    char *copy = kz_must_strdup(config_path);
    const char *folder = dirname(copy);
    size_t size = strlen(folder) + 1 + strlen(value) + 1;
    char *joined = kz_must_alloc(1, size);
    snprintf(joined, size, "%s/%s", folder, value);
    free(copy);
    return joined;
}

static bool store_number(const struct kz_config_row *row, const char *value, void *target)
{
    int64_t number;
    bool parsed = row->type == KZ_CONFIG_INTEGER       ? kz_parse_integer(value, &number)
                  : row->type == KZ_CONFIG_DURATION_MS ? kz_parse_duration_ms(value, &number)
                                                       : kz_parse_size_bytes(value, &number);
    if (!parsed || number < row->min || number > row->max) return false;
    memcpy((char *)target + row->offset, &number, sizeof number);
    return true;
}

static enum kz_code store_value(struct reader *reader, const struct kz_config_row *row, void *target, const char *value,
                                int line)
{
    if (row->type == KZ_CONFIG_TEXT || row->type == KZ_CONFIG_PATH) {
        char *copy =
            row->type == KZ_CONFIG_PATH && value[0] ? resolve_path(reader->path, value) : kz_must_strdup(value);
        char **slot = (char **)(void *)((char *)target + row->offset);
        free(*slot);
        *slot = copy;
        return KZ_OK;
    }
    if (store_number(row, value, target)) return KZ_OK;
    char low[32], high[32];
    print_value(low, sizeof low, row->type, row->min);
    print_value(high, sizeof high, row->type, row->max);
    return kz_fail(reader->err, KZ_USAGE, "%s:%d: %s.%s = %s is not allowed: give %s to %s", reader->path, line,
                   row->section, row->key, value, low, high);
}

static bool is_prefix_section(const struct kz_config_row *row) { return row->section[strlen(row->section) - 1] == '.'; }

static bool section_matches(const struct kz_config_row *row, const char *section)
{
    if (!is_prefix_section(row)) return strcmp(row->section, section) == 0;
    size_t length = strlen(row->section);
    return strncmp(row->section, section, length) == 0 && section[length];
}

/* Defaults first, so that a file that names a key twice simply wins with the later one. */
static enum kz_code fill_defaults(struct reader *reader, const char *section, void *target)
{
    for (size_t i = 0; i < reader->table->row_count; i++) {
        const struct kz_config_row *row = &reader->table->rows[i];
        if (!row->default_text || !section_matches(row, section)) continue;
        enum kz_code code = store_value(reader, row, target, row->default_text, 0);
        if (code) return code;
    }
    return KZ_OK;
}

static struct element *find_element(struct reader *reader, const struct kz_config_row *row, const char *section)
{
    for (size_t i = 0; i < reader->element_count; i++)
        if (strcmp(reader->elements[i].section, section) == 0) return &reader->elements[i];
    if (reader->element_count == ELEMENTS_MAX || !reader->table->element) return NULL;
    void *target = reader->table->element(reader->table->target, row->section, section + strlen(row->section));
    if (!target) return NULL;
    struct element *element = &reader->elements[reader->element_count++];
    *element = (struct element){kz_must_strdup(section), target,
                                kz_must_alloc(reader->table->row_count, sizeof *element->seen)};
    return fill_defaults(reader, section, target) == KZ_OK ? element : NULL;
}

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

/* Single-letter edits from a to b, one row at a time; longer keys than we have are far from all of them. */
static size_t edit_distance(const char *a, const char *b)
{
    size_t row[KEY_MAX_BYTES + 1];
    size_t length = strlen(b);
    if (length > KEY_MAX_BYTES) return SIZE_MAX;
    for (size_t j = 0; j <= length; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= length; j++) {
            size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = least(replaced, least(row[j], row[j - 1]) + 1);
        }
    }
    return row[length];
}

/* The key that was meant: at most half of its letters wrong; the same section wins where two are as near. */
static const struct kz_config_row *nearest_row(const struct kz_config_table *table, const char *section,
                                               const char *key)
{
    const struct kz_config_row *best = NULL;
    size_t best_distance = SIZE_MAX;
    for (size_t i = 0; i < table->row_count; i++) {
        size_t distance = edit_distance(table->rows[i].key, key);
        if (distance > strlen(table->rows[i].key) / 2) continue;
        distance = distance * 2 + (section_matches(&table->rows[i], section) ? 0 : 1);
        if (distance < best_distance) best_distance = distance, best = &table->rows[i];
    }
    return best;
}

/* Debian's libinih does not pass the line number to its handler, so the reader counts. */
static char *read_line(char *line, int size, void *user)
{
    struct reader *reader = user;
    if (reader->err->code) return NULL;
    char *got = fgets(line, size, reader->file);
    if (!got) return NULL;
    reader->line++;
    /* libinih would take the rest for a line of its own. */
    if (!strchr(line, '\n') && strlen(line) + 1 == (size_t)size) {
        kz_fail(reader->err, KZ_USAGE, "%s:%d: longer than %d bytes, which is all a line may have", reader->path,
                reader->line, size - 2);
        return NULL;
    }
    /* libinih would go on with the keys of the section before. */
    if (line[strspn(line, " \t")] == '[' && !strchr(line, ']')) {
        kz_fail(reader->err, KZ_USAGE, "%s:%d: a [section] ends with ]", reader->path, reader->line);
        return NULL;
    }
    return got;
}

static int take_line(void *user, const char *section, const char *key, const char *value)
{
    struct reader *reader = user;
    int line = reader->line;
    if (reader->err->code) return 0;
    for (size_t i = 0; i < reader->table->row_count; i++) {
        const struct kz_config_row *row = &reader->table->rows[i];
        if (!section_matches(row, section) || strcmp(row->key, key) != 0) continue;
        if (!is_prefix_section(row)) {
            reader->seen[i] = true;
            return store_value(reader, row, reader->table->target, value, line) == KZ_OK;
        }
        struct element *element = find_element(reader, row, section);
        if (!element) {
            if (!reader->err->code)
                kz_fail(reader->err, KZ_USAGE, "%s:%d: too many [%s*] sections", reader->path, line, row->section);
            return 0;
        }
        element->seen[i] = true;
        return store_value(reader, row, element->target, value, line) == KZ_OK;
    }
    const struct kz_config_row *near = nearest_row(reader->table, section, key);
    kz_fail(reader->err, KZ_USAGE, "%s:%d: unknown key [%s] %s%s%s%s%s", reader->path, line, section, key,
            near ? "; did you mean [" : "", near ? near->section : "", near ? "] " : "", near ? near->key : "");
    return 0;
}

static enum kz_code fail_missing(struct reader *reader, const char *section, const struct kz_config_row *row)
{
    return kz_fail(reader->err, KZ_USAGE, "%s: [%s] %s is missing: %s", reader->path, section, row->key, row->help_en);
}

/* Rows of "x." sections are required in each section that is there. */
static enum kz_code check_required(struct reader *reader)
{
    for (size_t i = 0; i < reader->table->row_count; i++) {
        const struct kz_config_row *row = &reader->table->rows[i];
        if (row->default_text) continue;
        if (!is_prefix_section(row)) {
            if (!reader->seen[i]) return fail_missing(reader, row->section, row);
            continue;
        }
        for (size_t j = 0; j < reader->element_count; j++) {
            const struct element *element = &reader->elements[j];
            if (section_matches(row, element->section) && !element->seen[i])
                return fail_missing(reader, element->section, row);
        }
    }
    return KZ_OK;
}

static enum kz_code read_file(struct reader *reader)
{
    for (size_t i = 0; i < reader->table->row_count; i++) {
        const struct kz_config_row *row = &reader->table->rows[i];
        if (!row->default_text || is_prefix_section(row)) continue;
        enum kz_code code = store_value(reader, row, reader->table->target, row->default_text, 0);
        if (code) return code;
    }
    reader->file = fopen(reader->path, "re");
    if (!reader->file) return kz_fail(reader->err, KZ_USAGE, "%s: %s", reader->path, strerror(errno));
    int line = ini_parse_stream(read_line, reader, take_line, reader);
    fclose(reader->file);
    if (reader->err->code) return reader->err->code;
    if (line != 0)
        return kz_fail(reader->err, KZ_USAGE, "%s:%d: not a [section] nor a key = value line", reader->path, line);
    return check_required(reader);
}

enum kz_code kz_config_read(const char *path, const struct kz_config_table *table, struct kz_err *err)
{
    struct reader reader = {.path = path, .table = table, .err = err};
    err->code = KZ_OK;
    reader.seen = kz_must_alloc(table->row_count, sizeof *reader.seen);
    enum kz_code code = read_file(&reader);
    for (size_t i = 0; i < reader.element_count; i++) {
        free(reader.elements[i].section);
        free(reader.elements[i].seen);
    }
    free(reader.seen);
    return code;
}
