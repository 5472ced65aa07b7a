/* SPDX-License-Identifier: Apache-2.0 */
#include "client/codec/names.h"

#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/registry/text.h"

#define CANDIDATES_MAX 5
#define NEAR_MAX 2 /* letters that may be wrong */

static const char *const name_fields[] = {"name", "title", "short_name"};

void kz_names_add(struct kz_names *names, Kz__Kind kind, const char *name, const char *id, bool is_id)
{
    char folded[KZ_FOLD_MAX_BYTES];
    if (!*name || !kz_text_fold(name, folded, sizeof folded)) return;
    if ((names->count & (names->count - 1)) == 0) {
        size_t room = names->count ? names->count * 2 : 1;
        names->items = kz_must_realloc(names->items, room * sizeof *names->items);
    }
    names->items[names->count++] =
        (struct kz_name){.kind = kind, .folded = kz_must_strdup(folded), .id = kz_must_strdup(id), .is_id = is_id};
}

bool kz_names_is_name(const struct kz_field *field)
{
    for (size_t i = 0; i < sizeof name_fields / sizeof name_fields[0]; i++)
        if (field->type == KZ_FIELD_TEXT && strcmp(field->name, name_fields[i]) == 0) return true;
    return false;
}

void kz_names_add_record(struct kz_names *names, const Kz__Record *record)
{
    const ProtobufCMessage *body = kz_record_body(record);
    const struct kz_kind *kind = kz_kind_by_number(record->kind);
    kz_names_add(names, record->kind, record->id, record->id, true);
    for (const struct kz_field *field = kind->fields; body && field->name; field++)
        if (kz_names_is_name(field) && kz_value_count(body, field) > 0)
            kz_names_add(names, record->kind, kz_value_text(body, field, 0), record->id, false);
}

static int compare(const void *left, const void *right)
{
    const struct kz_name *a = left, *b = right;
    int order = strcmp(a->folded, b->folded);
    if (!order) order = (int)b->is_id - (int)a->is_id;
    if (!order) order = (int)a->kind - (int)b->kind;
    return order ? order : strcmp(a->id, b->id);
}

void kz_names_sort(struct kz_names *names)
{
    if (names->count > 0) qsort(names->items, names->count, sizeof *names->items, compare);
}

void kz_names_fini(struct kz_names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        free(names->items[i].folded);
        free(names->items[i].id);
    }
    free(names->items);
    *names = (struct kz_names){0};
}

/* ---- asking ---- */

static bool is_one_kind(unsigned kinds) { return (kinds & (kinds - 1)) == 0; }

static void write_reference(const struct kz_field *field, const struct kz_name *name, struct kz_buf *out)
{
    if (!is_one_kind(field->ref_kinds)) kz_buf_addf(out, "%s/", kz_kind_by_number(name->kind)->name);
    kz_buf_add_text(out, name->id);
}

/* The first whose folded text is not below `key`. */
static size_t lower_bound(const struct kz_names *names, const char *key)
{
    size_t low = 0, high = names->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(names->items[middle].folded, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static enum kz_found find(const struct kz_names *names, const struct kz_field *field, unsigned kinds, const char *key,
                          struct kz_buf *out)
{
    const struct kz_name *one = NULL;
    size_t found = 0;
    for (size_t i = lower_bound(names, key); i < names->count && strcmp(names->items[i].folded, key) == 0; i++) {
        const struct kz_name *name = &names->items[i];
        if (!(kinds & KZ_KIND_BIT(name->kind))) continue;
        if (one && one->is_id && !name->is_id) break;
        if (one && one->kind == name->kind && strcmp(one->id, name->id) == 0) continue; /* name and short name agree */
        if (found < CANDIDATES_MAX) {
            if (found) kz_buf_add_text(out, ", ");
            write_reference(field, name, out);
        }
        one = name;
        found++;
    }
    return found == 0 ? KZ_FOUND_NONE : found == 1 ? KZ_FOUND_ONE : KZ_FOUND_MANY;
}

static void write_near(const struct kz_names *names, unsigned kinds, const char *text, struct kz_buf *out)
{
    const struct kz_name *near = NULL;
    size_t best = NEAR_MAX + 1;
    for (size_t i = 0; i < names->count; i++) {
        size_t distance =
            kinds & KZ_KIND_BIT(names->items[i].kind) ? kz_text_distance(text, names->items[i].folded) : SIZE_MAX;
        /* Of two kanji one wrong is another word. */
        if (distance < best && distance * 3 <= strlen(names->items[i].folded) / 2) {
            best = distance;
            near = &names->items[i];
        }
    }
    if (near) kz_buf_add_text(out, near->folded);
}

enum kz_found kz_names_resolve(const struct kz_names *names, const struct kz_field *field, const char *text,
                               struct kz_buf *out)
{
    char folded[KZ_FOLD_MAX_BYTES];
    unsigned kinds = field->ref_kinds;
    if (!kz_text_fold(text, folded, sizeof folded)) return KZ_FOUND_NONE;
    const char *key = folded;
    char *slash = strchr(folded, '/');
    if (slash) {
        *slash = '\0';
        const struct kz_kind *kind = kz_kind_by_name(folded);
        *slash = '/';
        if (kind && (kinds & KZ_KIND_BIT(kind->number))) {
            kinds = KZ_KIND_BIT(kind->number);
            key = slash + 1;
        }
    }
    enum kz_found found = find(names, field, kinds, key, out);
    if (found == KZ_FOUND_NONE) write_near(names, kinds, key, out);
    return found;
}
