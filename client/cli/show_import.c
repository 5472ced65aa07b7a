/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/show_import.h"

#include "client/codec/encode.h"
#include "client/codec/width.h"
#include "node/base/assert.h"

/* What is derived is not news: nobody typed it. A new record differs from an empty one. */
static void visit(const struct kz_entry *entry, const Kz__Record *now, bool japanese, kz_difference_visitor visitor,
                  void *data)
{
    Kz__Record *blank = now ? NULL : kz_record_new(entry->record->kind, entry->record->id);
    kz_assert(now || blank);
    kz_record_derive(entry->record);
    kz_record_diff(now ? now : blank, entry->record, japanese, visitor, data);
    if (blank) kz__record__free_unpacked(blank, NULL);
}

static void add_difference(void *data, const char *path, const char *before, const char *after)
{
    json_t *object = json_object();
    kz_show_set(object, "path", kz_show_string(path));
    kz_show_set(object, "before", before ? kz_show_string(before) : json_null());
    kz_show_set(object, "after", after ? kz_show_string(after) : json_null());
    kz_assert(json_array_append_new(data, object) == 0);
}

static json_t *encode_entry(const struct kz_view *view, const struct kz_entry *entry, const Kz__Record *now)
{
    json_t *object = json_object(), *differences = json_array();
    kz_show_set(object, "kind", kz_show_string(kz_show_kind(entry->record->kind)));
    kz_show_set(object, "id", kz_show_string(entry->record->id));
    kz_show_set(object, "rev", json_integer(now ? (json_int_t)now->rev : 0));
    kz_show_set(object, "action", kz_show_string(now ? "change" : "create"));
    visit(entry, now, view->japanese, add_difference, differences);
    kz_show_set(object, "differences", differences);
    return object;
}

struct lines {
    const struct kz_view *view;
    struct kz_buf *out;
};

static void add_line(void *data, const char *path, const char *before, const char *after)
{
    struct lines *lines = data;
    const char *none = kz_text(KZ_T_ABSENT, lines->view->japanese);
    struct kz_buf line;
    kz_buf_init(&line, 0);
    kz_buf_addf(&line, "  %s: %s -> %s", path, before ? before : none, after ? after : none);
    kz_width_add_safe(lines->out, kz_buf_text(&line), false);
    kz_buf_add_text(lines->out, "\n");
    kz_buf_fini(&line);
}

void kz_show_import(const struct kz_view *view, const struct kz_entries *entries, const struct kz_set *set,
                    struct kz_buf *out)
{
    json_t *items = json_array();
    struct lines lines = {.view = view, .out = out};
    for (size_t i = 0; i < entries->count; i++) {
        const struct kz_entry *entry = &entries->items[i];
        const Kz__Record *now = kz_set_find(set, entry->record->kind, entry->record->id);
        if (kz_show_is_json(view)) {
            kz_assert(json_array_append_new(items, encode_entry(view, entry, now)) == 0);
            continue;
        }
        struct kz_buf name;
        kz_buf_init(&name, 0);
        kz_buf_addf(&name, "%s/%s", kz_show_kind(entry->record->kind), entry->record->id);
        kz_show_line(view, out, now ? KZ_T_IMPORT_CHANGED : KZ_T_IMPORT_NEW, KZ_TEXT_ARGS(kz_buf_text(&name)));
        kz_buf_fini(&name);
        visit(entry, now, view->japanese, add_line, &lines);
    }
    if (kz_show_is_json(view))
        kz_show_items(view, NULL, items, out);
    else
        json_decref(items);
}
