/* SPDX-License-Identifier: Apache-2.0 */
#include "node/base/config.h"

#include <errno.h>
#include <ini.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"

#define ELEMENTS_MAX 64

struct element {
    char *section;
    void *target;
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
    char joined[PATH_MAX];
    int used = snprintf(joined, sizeof joined, "%s/%s", dirname(copy), value);
    free(copy);
    kz_assert(used > 0 && (size_t)used < sizeof joined);
    return kz_must_strdup(joined);
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

static void *find_element(struct reader *reader, const struct kz_config_row *row, const char *section)
{
    for (size_t i = 0; i < reader->element_count; i++)
        if (strcmp(reader->elements[i].section, section) == 0) return reader->elements[i].target;
    if (reader->element_count == ELEMENTS_MAX || !reader->table->element) return NULL;
    void *target = reader->table->element(reader->table->target, row->section, section + strlen(row->section));
    if (!target) return NULL;
    reader->elements[reader->element_count++] = (struct element){kz_must_strdup(section), target};
    return fill_defaults(reader, section, target) == KZ_OK ? target : NULL;
}

static const struct kz_config_row *nearest_row(const struct kz_config_table *table, const char *section,
                                               const char *key)
{
    const struct kz_config_row *best = NULL;
    size_t best_common = 0;
    for (size_t i = 0; i < table->row_count; i++) {
        size_t common = 0;
        while (key[common] && table->rows[i].key[common] == key[common])
            common++;
        if (section_matches(&table->rows[i], section)) common++;
        if (common > best_common) best_common = common, best = &table->rows[i];
    }
    return best;
}

/* Debian's libinih does not pass the line number to its handler, so the reader counts. */
static char *read_line(char *line, int size, void *user)
{
    struct reader *reader = user;
    char *got = fgets(line, size, reader->file);
    if (got) reader->line++;
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
        void *target = is_prefix_section(row) ? find_element(reader, row, section) : reader->table->target;
        if (!target) {
            kz_fail(reader->err, KZ_USAGE, "%s:%d: too many [%s*] sections", reader->path, line, row->section);
            return 0;
        }
        reader->seen[i] = true;
        return store_value(reader, row, target, value, line) == KZ_OK;
    }
    const struct kz_config_row *near = nearest_row(reader->table, section, key);
    kz_fail(reader->err, KZ_USAGE, "%s:%d: unknown key [%s] %s%s%s%s%s", reader->path, line, section, key,
            near ? "; did you mean [" : "", near ? near->section : "", near ? "] " : "", near ? near->key : "");
    return 0;
}

static enum kz_code check_required(struct reader *reader)
{
    for (size_t i = 0; i < reader->table->row_count; i++) {
        const struct kz_config_row *row = &reader->table->rows[i];
        if (row->default_text || reader->seen[i] || is_prefix_section(row)) continue;
        return kz_fail(reader->err, KZ_USAGE, "%s: [%s] %s is missing: %s", reader->path, row->section, row->key,
                       row->help_en);
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
    for (size_t i = 0; i < reader.element_count; i++)
        free(reader.elements[i].section);
    free(reader.seen);
    return code;
}
