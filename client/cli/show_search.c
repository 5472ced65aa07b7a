/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/show_search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/codec/encode.h"
#include "node/base/assert.h"

#define STEP_MAX_BYTES 64

/* The field of the path's first step; *item counts from 1, 0: no list. Moves past the step. NULL: there is none. */
static const struct kz_field *take_step(const char **path, const struct kz_field *fields, unsigned long *item)
{
    char name[STEP_MAX_BYTES];
    size_t size = strcspn(*path, "[.");
    if (size >= sizeof name) return NULL;
    snprintf(name, sizeof name, "%.*s", (int)size, *path);
    *path += size;
    *item = 0;
    if (**path == '[') {
        char *end;
        *item = strtoul(*path + 1, &end, 10) + 1;
        *path = *end == ']' ? end + 1 : end;
    }
    if (**path == '.') (*path)++;
    return kz_field_by_name(fields, name);
}

void kz_show_path(const struct kz_view *view, Kz__Kind kind, const char *path, struct kz_buf *out)
{
    const struct kz_kind *row = kz_kind_by_number(kind);
    const struct kz_field *fields = row ? row->fields : NULL;
    const char *at = path;
    struct kz_buf text;
    kz_buf_init(&text, 0);
    while (*at && fields) {
        unsigned long item;
        const char *step = at;
        const struct kz_field *field = take_step(&at, fields, &item);
        if (!field && step == path) {
            at = path;
            field = take_step(&at, kz_envelope_fields(), &item);
        }
        if (!field) break;
        kz_buf_addf(&text, "%s%s", step == path ? "" : " / ", view->japanese ? field->label.ja : field->label.en);
        if (item > 0) kz_buf_addf(&text, " %lu", item);
        fields = field->fields;
    }
    kz_buf_add_text(out, *at == '\0' && text.size_bytes > 0 ? kz_buf_text(&text) : path);
    kz_buf_fini(&text);
}

static enum kz_text_id mark_of(const Kz__SearchHit *hit)
{
    return hit->has_provisional && hit->provisional ? KZ_T_PROVISIONAL
           : hit->has_retired && hit->retired       ? KZ_T_SEARCH_RETIRED
                                                    : KZ_T_COUNT;
}

static json_t *encode_hit(const struct kz_view *view, const Kz__SearchHit *hit)
{
    json_t *object = json_object();
    struct kz_buf label;
    kz_buf_init(&label, 0);
    kz_show_path(view, hit->kind, hit->field, &label);
    kz_show_set(object, "kind", kz_show_string(kz_show_kind(hit->kind)));
    kz_show_set(object, "id", kz_show_string(hit->id));
    kz_show_set(object, "title", kz_show_string(hit->title));
    kz_show_set(object, "field", kz_show_string(hit->field));
    kz_show_set(object, "label", kz_show_string(kz_buf_text(&label)));
    kz_show_set(object, "snippet", kz_show_string(hit->snippet));
    kz_show_set(object, "rank", json_integer(hit->rank));
    kz_show_set(object, "retired", json_boolean(hit->has_retired && hit->retired));
    if (hit->has_provisional && hit->provisional) kz_show_set(object, "provisional", json_true());
    kz_buf_fini(&label);
    return object;
}

static void write_values(const struct kz_view *view, const Kz__SearchResult *result, const Kz__Meta *meta,
                         struct kz_buf *out)
{
    json_t *object = json_object(), *items = json_array();
    for (size_t i = 0; i < result->n_hits; i++)
        kz_assert(json_array_append_new(items, encode_hit(view, result->hits[i])) == 0);
    kz_show_set(object, "meta", kz_show_meta(meta));
    kz_show_set(object, "found", json_integer((json_int_t)result->found));
    kz_show_set(object, "items", items);
    if (view->output == KZ_OUTPUT_YAML)
        kz_yaml_write(out, object);
    else
        kz_json_write(out, object, false);
    json_decref(object);
}

void kz_show_search(const struct kz_view *view, const Kz__SearchResult *result, const Kz__Meta *meta,
                    struct kz_buf *out)
{
    static const enum kz_text_id columns[] = {KZ_T_COLUMN_KIND,  KZ_T_COLUMN_ID,      KZ_T_COLUMN_NAME,
                                              KZ_T_COLUMN_FIELD, KZ_T_COLUMN_SNIPPET, KZ_T_COLUMN_MARK};
    bool marked = false;
    if (kz_show_is_json(view)) {
        write_values(view, result, meta, out);
        return;
    }
    for (size_t i = 0; i < result->n_hits; i++)
        marked = marked || mark_of(result->hits[i]) != KZ_T_COUNT;
    struct kz_grid grid = {0};
    struct kz_buf label;
    kz_buf_init(&label, 0);
    for (size_t i = 0; i < sizeof columns / sizeof columns[0] - (marked ? 0 : 1); i++)
        kz_show_add_column(view, &grid, columns[i], false);
    for (size_t i = 0; i < result->n_hits; i++) {
        const Kz__SearchHit *hit = result->hits[i];
        kz_grid_add_cell(&grid, kz_show_kind(hit->kind));
        kz_grid_add_cell(&grid, hit->id);
        kz_grid_add_cell(&grid, hit->title);
        kz_buf_clear(&label);
        kz_show_path(view, hit->kind, hit->field, &label);
        kz_grid_add_cell(&grid, kz_buf_text(&label));
        bool told = strcmp(hit->snippet, hit->title) == 0 || strcmp(hit->snippet, hit->id) == 0;
        kz_grid_add_cell(&grid, told ? "" : hit->snippet);
        if (marked) kz_grid_add_cell(&grid, mark_of(hit) == KZ_T_COUNT ? "" : kz_text(mark_of(hit), view->japanese));
    }
    kz_buf_fini(&label);
    kz_show_grid(view, &grid, out);
}
