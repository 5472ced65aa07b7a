/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/ca_index.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proto/wire.h"

#define COLUMNS 9
#define HEAD "# keizoku-ca 1: serial issuer kind name role addresses not_before not_after revoked_at\n"

static_assert(KZ_CA_NAME_BYTES == KZ_NAME_MAX_BYTES + 1, "a name and its NUL");

static const char *const issuer_names[] = {"root", "nodes", "users"};
static const char *const kind_names[] = {"ca", "node", "user"};

const char *kz_ca_issuer_name(enum kz_ca_issuer issuer) { return issuer_names[issuer]; }
const char *kz_ca_kind_name(enum kz_ca_kind kind) { return kind_names[kind]; }

bool kz_ca_is_slug(const char *text)
{
    size_t size_bytes = strlen(text);
    if (size_bytes == 0 || size_bytes > KZ_NAME_MAX_BYTES) return false;
    if (strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789._-") != size_bytes) return false;
    return text[0] != '.' && text[0] != '_' && text[0] != '-';
}

void kz_ca_format_time(int64_t seconds, char *out)
{
    struct tm tm;
    time_t when = (time_t)seconds;
    if (seconds == 0 || !gmtime_r(&when, &tm) || strftime(out, KZ_CA_TIME_BYTES, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0) {
        out[0] = '-';
        out[1] = '\0';
    }
}

bool kz_ca_parse_time(const char *text, int64_t *out)
{
    static const char *const formats[] = {"%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"};
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        struct tm tm = {0};
        const char *end = strptime(text, formats[i], &tm);
        if (!end || *end) continue;
        *out = (int64_t)timegm(&tm);
        return *out > 0;
    }
    return false;
}

void kz_ca_index_fini(struct kz_ca_index *index)
{
    free(index->entries);
    memset(index, 0, sizeof *index);
}

enum kz_code kz_ca_index_add(struct kz_ca_index *index, const struct kz_ca_entry *entry, struct kz_err *err)
{
    struct kz_ca_entry *larger = realloc(index->entries, (index->count + 1) * sizeof *larger);
    if (!larger) return kz_fail(err, KZ_NO_MEMORY, "hold the index");
    index->entries = larger;
    index->entries[index->count++] = *entry;
    return KZ_OK;
}

static bool parse_name(const char *text, const char *const *names, int count, int *out)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(text, names[i]) != 0) continue;
        *out = i;
        return true;
    }
    return false;
}

static bool copy_text(char *out, size_t out_bytes, const char *text)
{
    size_t size_bytes = strlen(text);
    if (size_bytes == 0 || size_bytes >= out_bytes) return false;
    memcpy(out, text, size_bytes + 1);
    return true;
}

static bool is_serial(const char *text)
{
    return strlen(text) == KZ_CA_SERIAL_TEXT_BYTES - 1 && strspn(text, "0123456789abcdef") == strlen(text);
}

/* `line` is cut into pieces. */
static bool parse_line(char *line, struct kz_ca_entry *e)
{
    char *column[COLUMNS];
    for (int i = 0; i < COLUMNS; i++) {
        column[i] = strsep(&line, "\t");
        if (!column[i]) return false;
    }
    int issuer, kind;
    memset(e, 0, sizeof *e);
    if (line || !is_serial(column[0]) || !copy_text(e->serial, sizeof e->serial, column[0])) return false;
    if (!parse_name(column[1], issuer_names, KZ_CA_ISSUERS, &issuer)) return false;
    if (!parse_name(column[2], kind_names, 3, &kind)) return false;
    e->issuer = (enum kz_ca_issuer)issuer;
    e->kind = (enum kz_ca_kind)kind;
    if (!kz_ca_is_slug(column[3]) || !copy_text(e->name, sizeof e->name, column[3])) return false;
    if (!copy_text(e->role, sizeof e->role, column[4])) return false;
    if (strcmp(column[5], "-") != 0 && !copy_text(e->addresses, sizeof e->addresses, column[5])) return false;
    if (!kz_ca_parse_time(column[6], &e->not_before) || !kz_ca_parse_time(column[7], &e->not_after)) return false;
    return strcmp(column[8], "-") == 0 || kz_ca_parse_time(column[8], &e->revoked_at);
}

enum kz_code kz_ca_index_parse(struct kz_ca_index *index, const char *text, struct kz_err *err)
{
    char *copy = strdup(text);
    if (!copy) return kz_fail(err, KZ_NO_MEMORY, "read the index");
    enum kz_code code = KZ_OK;
    int number = 0;
    char *rest = copy;
    for (char *line; !code && (line = strsep(&rest, "\n")) != NULL;) {
        struct kz_ca_entry entry;
        number++;
        if (line[0] == '\0' || line[0] == '#') continue;
        if (!parse_line(line, &entry))
            code = kz_fail(err, KZ_CORRUPT, "line %d of the index is damaged", number);
        else
            code = kz_ca_index_add(index, &entry, err);
    }
    free(copy);
    return code;
}

void kz_ca_index_print(const struct kz_ca_index *index, struct kz_buf *out)
{
    kz_buf_add_text(out, HEAD);
    for (size_t i = 0; i < index->count; i++) {
        const struct kz_ca_entry *e = &index->entries[i];
        char from[KZ_CA_TIME_BYTES], to[KZ_CA_TIME_BYTES], revoked[KZ_CA_TIME_BYTES];
        kz_ca_format_time(e->not_before, from);
        kz_ca_format_time(e->not_after, to);
        kz_ca_format_time(e->revoked_at, revoked);
        kz_buf_addf(out, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", e->serial, kz_ca_issuer_name(e->issuer),
                    kz_ca_kind_name(e->kind), e->name, e->role, e->addresses[0] ? e->addresses : "-", from, to,
                    revoked);
    }
}

enum kz_code kz_ca_index_find(const struct kz_ca_index *index, const char *ref, const struct kz_ca_entry **out,
                              struct kz_err *err)
{
    const struct kz_ca_entry *found = NULL;
    for (size_t i = index->count; i-- > 0;) {
        const struct kz_ca_entry *e = &index->entries[i];
        if (strcmp(e->serial, ref) == 0) {
            *out = e;
            return KZ_OK;
        }
        const char *slash = strchr(ref, '/');
        size_t kind_bytes = slash ? (size_t)(slash - ref) : 0;
        const char *kind = kz_ca_kind_name(e->kind);
        if (slash && (strlen(kind) != kind_bytes || memcmp(kind, ref, kind_bytes) != 0)) continue;
        /* Without "ca/" a name never means the authority itself. */
        if ((!slash && e->kind == KZ_CA_KIND_CA) || strcmp(e->name, slash ? slash + 1 : ref) != 0) continue;
        if (found && found->kind != e->kind)
            return kz_fail(err, KZ_USAGE, "\"%s\" is a node and a user: write node/%s or user/%s", ref, ref, ref);
        if (!found) found = e;
    }
    if (!found)
        return kz_fail(err, KZ_NOT_FOUND,
                       "no certificate \"%s\": give a serial, NAME, node/NAME, user/NAME or ca/NAME as "
                       "`keizoku-ca show` lists them",
                       ref);
    *out = found;
    return KZ_OK;
}
