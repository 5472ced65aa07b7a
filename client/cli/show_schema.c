/* SPDX-License-Identifier: Apache-2.0 */
/* The schema as people and machines read it. */
#include <string.h>

#include "client/cli/show.h"
#include "client/codec/decode.h"
#include "client/codec/describe.h"
#include "node/base/assert.h"
#include "node/registry/settings.h"

#define PATH_BYTES 128

static const char *const type_names[] = {
    [KZ_FIELD_TEXT] = "text",       [KZ_FIELD_PROSE] = "prose",       [KZ_FIELD_INTEGER] = "integer",
    [KZ_FIELD_BOOLEAN] = "boolean", [KZ_FIELD_DURATION] = "duration", [KZ_FIELD_TIME] = "time",
    [KZ_FIELD_DATE] = "date",       [KZ_FIELD_ENUM] = "enum",         [KZ_FIELD_REF] = "ref",
    [KZ_FIELD_GROUP] = "group",
};

static const ProtobufCMessageDescriptor *descriptor_of(const ProtobufCMessageDescriptor *message,
                                                       const struct kz_field *field)
{
    const ProtobufCFieldDescriptor *at = protobuf_c_message_descriptor_get_field_by_name(message, field->name);
    kz_assert(at);
    return at->descriptor;
}

static const ProtobufCMessageDescriptor *body_descriptor(const struct kz_kind *kind)
{
    return descriptor_of(&kz__record__descriptor, &(struct kz_field){.name = kind->name});
}

/* ---- JSON ---- */

static json_t *encode_text(const struct kz_text *text)
{
    json_t *object = json_object();
    kz_show_set(object, "en", kz_show_string(text->en));
    kz_show_set(object, "ja", kz_show_string(text->ja));
    return object;
}

static json_t *encode_names(const struct kz_field *field)
{
    json_t *list = json_array();
    if (field->type == KZ_FIELD_ENUM) {
        for (const struct kz_enum_value *value = field->values; value->name; value++) {
            json_t *object = json_object();
            kz_show_set(object, "name", kz_show_string(value->name));
            kz_show_set(object, "label", encode_text(&value->label));
            kz_assert(json_array_append_new(list, object) == 0);
        }
        return list;
    }
    size_t count;
    const struct kz_kind *kinds = kz_kinds(&count);
    for (size_t i = 0; i < count; i++)
        if (field->ref_kinds & KZ_KIND_BIT(kinds[i].number))
            kz_assert(json_array_append_new(list, kz_show_string(kinds[i].name)) == 0);
    return list;
}

static json_t *encode_fields(const struct kz_field *fields, const ProtobufCMessageDescriptor *message);

static json_t *encode_field(const struct kz_field *field, const ProtobufCMessageDescriptor *message)
{
    json_t *object = json_object();
    kz_show_set(object, "name", kz_show_string(field->name));
    kz_show_set(object, "label", encode_text(&field->label));
    kz_show_set(object, "type", kz_show_string(type_names[field->type]));
    kz_show_set(object, "repeated", json_boolean(kz_codec_repeated(message, field)));
    kz_show_set(object, "required", json_boolean(field->flags & KZ_FIELD_REQUIRED));
    if (field->flags & KZ_FIELD_DERIVED) kz_show_set(object, "derived", json_true());
    if (field->flags & KZ_FIELD_SYSTEM) kz_show_set(object, "system", json_true());
    if (field->flags & KZ_FIELD_PERSONAL) kz_show_set(object, "personal", json_true());
    if (field->max) kz_show_set(object, "min", json_integer(field->min));
    if (field->max) kz_show_set(object, "max", json_integer(field->max));
    if (field->type == KZ_FIELD_ENUM) kz_show_set(object, "values", encode_names(field));
    if (field->type == KZ_FIELD_REF) kz_show_set(object, "kinds", encode_names(field));
    if (field->type == KZ_FIELD_GROUP)
        kz_show_set(object, "fields", encode_fields(field->fields, descriptor_of(message, field)));
    if (field->source) kz_show_set(object, "source", kz_show_string(field->source));
    kz_show_set(object, "help", encode_text(&field->help));
    return object;
}

static json_t *encode_fields(const struct kz_field *fields, const ProtobufCMessageDescriptor *message)
{
    json_t *list = json_array();
    for (const struct kz_field *field = fields; field->name; field++)
        kz_assert(json_array_append_new(list, encode_field(field, message)) == 0);
    return list;
}

static json_t *encode_settings(void)
{
    json_t *list = json_array();
    size_t count;
    const struct kz_setting *settings = kz_settings(&count);
    for (size_t i = 0; i < count; i++) {
        json_t *object = json_object();
        kz_show_set(object, "key", kz_show_string(settings[i].key));
        kz_show_set(object, "label", encode_text(&settings[i].label));
        kz_show_set(object, "default", kz_show_string(settings[i].preset));
        kz_show_set(object, "source", kz_show_string(settings[i].source));
        kz_show_set(object, "help", encode_text(&settings[i].help));
        kz_assert(json_array_append_new(list, object) == 0);
    }
    return list;
}

static json_t *encode_kind(const struct kz_kind *kind)
{
    json_t *object = json_object();
    kz_show_set(object, "kind", kz_show_string(kind->name));
    kz_show_set(object, "plural", kz_show_string(kind->plural));
    kz_show_set(object, "label", encode_text(&kind->label));
    if (kind->source) kz_show_set(object, "source", kz_show_string(kind->source));
    kz_show_set(object, "help", encode_text(&kind->help));
    kz_show_set(object, "fields", encode_fields(kind->fields, body_descriptor(kind)));
    if (kind->number == KZ__KIND__SETTING) kz_show_set(object, "keys", encode_settings());
    kz_show_set(object, "envelope", encode_fields(kz_envelope_fields(), &kz__record__descriptor));
    return object;
}

/* ---- tables ---- */

static void add_rows(const struct kz_view *view, const struct kz_field *fields,
                     const ProtobufCMessageDescriptor *message, const char *prefix, struct kz_grid *grid)
{
    for (const struct kz_field *field = fields; field->name; field++) {
        bool repeated = kz_codec_repeated(message, field);
        char path[PATH_BYTES];
        snprintf(path, sizeof path, "%s%s%s", prefix, field->name, repeated ? "[]" : "");
        struct kz_buf type, rule;
        kz_buf_init(&type, 0);
        kz_buf_init(&rule, 0);
        kz_describe_type(&type, field, view->japanese);
        kz_describe_rule(&rule, field, repeated, view->japanese);
        kz_grid_add_cell(grid, path);
        kz_grid_add_cell(grid, view->japanese ? field->label.ja : field->label.en);
        kz_grid_add_cell(grid, kz_buf_text(&type));
        kz_grid_add_cell(grid, kz_buf_text(&rule));
        kz_grid_add_cell(grid, field->source ? field->source : "");
        kz_grid_add_cell(grid, view->japanese ? field->help.ja : field->help.en);
        kz_buf_fini(&type);
        kz_buf_fini(&rule);
        if (field->type != KZ_FIELD_GROUP) continue;
        snprintf(path, sizeof path, "%s%s%s.", prefix, field->name, repeated ? "[]" : "");
        add_rows(view, field->fields, descriptor_of(message, field), path, grid);
    }
}

static void show_kind(const struct kz_view *view, const struct kz_kind *kind, struct kz_buf *out)
{
    struct kz_grid grid = {0};
    kz_show_add_column(view, &grid, KZ_T_COLUMN_FIELD, false);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_LABEL, false);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_TYPE, false);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_RULE, false);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_SOURCE, false);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_HELP, false);
    add_rows(view, kind->fields, body_descriptor(kind), "", &grid);
    add_rows(view, kz_envelope_fields(), &kz__record__descriptor, "", &grid);
    kz_show_grid(view, &grid, out);
}

/* What a record of kind setting may be called. */
static void show_settings(const struct kz_view *view, struct kz_buf *out)
{
    struct kz_grid grid = {0};
    size_t count;
    const struct kz_setting *settings = kz_settings(&count);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_KEY, false);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_LABEL, false);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_DEFAULT, false);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_SOURCE, false);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_HELP, false);
    for (size_t i = 0; i < count; i++) {
        kz_grid_add_cell(&grid, settings[i].key);
        kz_grid_add_cell(&grid, view->japanese ? settings[i].label.ja : settings[i].label.en);
        kz_grid_add_cell(&grid, settings[i].preset);
        kz_grid_add_cell(&grid, settings[i].source);
        kz_grid_add_cell(&grid, view->japanese ? settings[i].help.ja : settings[i].help.en);
    }
    kz_show_grid(view, &grid, out);
}

static void show_kinds(const struct kz_view *view, struct kz_buf *out)
{
    struct kz_grid grid = {0};
    kz_show_add_column(view, &grid, KZ_T_COLUMN_KIND, false);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_LABEL, false);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_SOURCE, false);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_HELP, false);
    size_t count;
    const struct kz_kind *kinds = kz_kinds(&count);
    for (size_t i = 0; i < count; i++) {
        kz_grid_add_cell(&grid, kinds[i].name);
        kz_grid_add_cell(&grid, view->japanese ? kinds[i].label.ja : kinds[i].label.en);
        kz_grid_add_cell(&grid, kinds[i].source ? kinds[i].source : "");
        kz_grid_add_cell(&grid, view->japanese ? kinds[i].help.ja : kinds[i].help.en);
    }
    kz_show_grid(view, &grid, out);
}

void kz_show_schema(const struct kz_view *view, const struct kz_kind *kind, struct kz_buf *out)
{
    if (!kz_show_is_json(view)) {
        if (kind)
            show_kind(view, kind, out);
        else
            show_kinds(view, out);
        if (kind && kind->number == KZ__KIND__SETTING) {
            kz_buf_add_text(out, "\n");
            show_settings(view, out);
        }
        return;
    }
    json_t *items = json_array();
    size_t count;
    const struct kz_kind *kinds = kz_kinds(&count);
    for (size_t i = 0; i < count; i++)
        if (!kind || kind == &kinds[i]) kz_assert(json_array_append_new(items, encode_kind(&kinds[i])) == 0);
    kz_show_items(view, NULL, items, out);
}
