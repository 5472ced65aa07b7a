/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of records and one record as a sheet. */
#include <stdlib.h>
#include <string.h>

#include "client/cli/show.h"
#include "client/codec/decode.h"
#include "client/codec/encode.h"
#include "client/codec/width.h"
#include "node/base/assert.h"

#define LABEL_COLUMNS_MAX 30
#define GAP_COLUMNS 2
#define INDENT_COLUMNS 2

/* ---- cells ---- */

static void add_cell_item(struct kz_buf *out, const ProtobufCMessage *message, const struct kz_field *field,
                          size_t item, bool japanese);

/* A group in one cell: its values in order, a space between. */
static void add_cell_group(struct kz_buf *out, const ProtobufCMessage *group, const struct kz_field *fields,
                           bool japanese)
{
    bool first = true;
    for (const struct kz_field *field = fields; field->name; field++) {
        size_t count = kz_value_count(group, field);
        for (size_t i = 0; i < count; i++) {
            if (!first) kz_buf_add_text(out, " ");
            add_cell_item(out, group, field, i, japanese);
            first = false;
        }
    }
}

static void add_cell_item(struct kz_buf *out, const ProtobufCMessage *message, const struct kz_field *field,
                          size_t item, bool japanese)
{
    if (field->type == KZ_FIELD_GROUP)
        add_cell_group(out, kz_value_group(message, field, item), field->fields, japanese);
    else
        kz_value_format(out, field, message, item, japanese);
}

static void add_labels(struct kz_buf *out, const Kz__Record *record)
{
    for (size_t i = 0; i < record->n_labels; i++)
        kz_buf_addf(out, "%s%s=%s", i ? ", " : "", record->labels[i]->key, record->labels[i]->value);
}

static void add_cell(struct kz_buf *out, const ProtobufCMessage *message, const struct kz_field *field, bool japanese)
{
    size_t count = kz_value_count(message, field);
    for (size_t i = 0; i < count; i++) {
        if (i) kz_buf_add_text(out, field->type == KZ_FIELD_GROUP ? "; " : ", ");
        add_cell_item(out, message, field, i, japanese);
    }
}

/* ---- the list ---- */

/* Which fields are columns: of `list` few, of wide more, of CSV all. */
static bool is_column(const struct kz_view *view, const struct kz_kind *kind, const struct kz_field *field)
{
    if ((field->flags & KZ_FIELD_EVENT) && !kind->event) return false;
    if (view->output == KZ_OUTPUT_CSV) return true;
    if (view->output == KZ_OUTPUT_WIDE) return field->flags & (KZ_FIELD_LIST | KZ_FIELD_WIDE);
    return field->flags & KZ_FIELD_LIST;
}

static bool is_id(const struct kz_field *field) { return strcmp(field->name, "id") == 0; }
static bool is_labels(const struct kz_field *field) { return strcmp(field->name, "labels") == 0; }

static void add_headers(const struct kz_view *view, const struct kz_kind *kind, const struct kz_field *fields,
                        bool envelope, struct kz_grid *grid)
{
    for (const struct kz_field *field = fields; field->name; field++) {
        if ((envelope && is_id(field)) || !is_column(view, kind, field)) continue;
        struct kz_buf header;
        kz_buf_init(&header, 0);
        const char *name = view->japanese ? field->label.ja : field->name;
        for (const char *c = name; *c; c++) /* names are ASCII; tables show them as headings */
            if (!view->japanese && view->output != KZ_OUTPUT_CSV && *c >= 'a' && *c <= 'z')
                kz_buf_addf(&header, "%c", *c - 'a' + 'A');
            else
                kz_buf_add(&header, c, 1);
        kz_grid_add_column(grid, kz_buf_text(&header), field->type == KZ_FIELD_INTEGER);
        kz_buf_fini(&header);
    }
}

static void add_row(const struct kz_view *view, const struct kz_kind *kind, const ProtobufCMessage *message,
                    const struct kz_field *fields, const Kz__Record *envelope, struct kz_grid *grid)
{
    for (const struct kz_field *field = fields; field->name; field++) {
        if ((envelope && is_id(field)) || !is_column(view, kind, field)) continue;
        struct kz_buf cell;
        kz_buf_init(&cell, 0);
        if (envelope && is_labels(field))
            add_labels(&cell, envelope);
        else if (message)
            add_cell(&cell, message, field, view->japanese);
        kz_grid_add_cell(grid, kz_buf_text(&cell));
        kz_buf_fini(&cell);
    }
}

/* In a table for people: CSV has the field itself. */
static bool wants_marks(const struct kz_view *view, Kz__Record *const *records, size_t count)
{
    for (size_t i = 0; i < count && view->output != KZ_OUTPUT_CSV; i++)
        if (records[i]->provisional) return true;
    return false;
}

static void show_list_grid(const struct kz_view *view, const struct kz_kind *kind, Kz__Record *const *records,
                           size_t count, struct kz_buf *out)
{
    struct kz_grid grid = {0};
    bool marks = wants_marks(view, records, count);
    kz_grid_add_column(&grid, kz_text(KZ_T_COLUMN_ID, view->japanese), false);
    if (marks) kz_show_add_column(view, &grid, KZ_T_COLUMN_MARK, false);
    add_headers(view, kind, kind->fields, false, &grid);
    add_headers(view, kind, kz_envelope_fields(), true, &grid);
    for (size_t i = 0; i < count; i++) {
        kz_grid_add_cell(&grid, records[i]->id);
        if (marks) kz_grid_add_cell(&grid, records[i]->provisional ? kz_text(KZ_T_PROVISIONAL, view->japanese) : "");
        add_row(view, kind, kz_record_body(records[i]), kind->fields, NULL, &grid);
        add_row(view, kind, &records[i]->base, kz_envelope_fields(), records[i], &grid);
    }
    kz_show_grid(view, &grid, out);
}

static void show_yaml_records(Kz__Record *const *records, size_t count, const Kz__Meta *meta, struct kz_buf *out)
{
    if (meta) {
        json_t *head = kz_show_meta(meta);
        char *text = json_dumps(head, JSON_COMPACT);
        kz_assert(text);
        kz_buf_addf(out, "# meta: %s\n", text);
        free(text);
        json_decref(head);
    }
    for (size_t i = 0; i < count; i++) {
        json_t *value = kz_encode_record(records[i]);
        if (count > 1) kz_buf_add_text(out, "---\n");
        kz_yaml_write(out, value);
        json_decref(value);
    }
}

void kz_show_records(const struct kz_view *view, Kz__Kind kind, Kz__Record *const *records, size_t count,
                     const Kz__Meta *meta, struct kz_buf *out)
{
    if (view->output == KZ_OUTPUT_YAML) {
        show_yaml_records(records, count, meta, out);
        return;
    }
    if (view->output != KZ_OUTPUT_JSON) {
        show_list_grid(view, kz_kind_by_number(kind), records, count, out);
        return;
    }
    json_t *items = json_array();
    for (size_t i = 0; i < count; i++)
        kz_assert(json_array_append_new(items, kz_encode_record(records[i])) == 0);
    kz_show_items(view, meta, items, out);
}

/* ---- the sheet ---- */

struct sheet {
    const struct kz_view *view;
    struct kz_buf *out;
};

static const char *label_of(const struct sheet *sheet, const struct kz_field *field)
{
    return sheet->view->japanese ? field->label.ja : field->label.en;
}

static size_t label_columns(const struct sheet *sheet, const struct kz_field *fields)
{
    size_t widest = 0;
    for (const struct kz_field *field = fields; field->name; field++) {
        size_t width = kz_width(label_of(sheet, field), sheet->view->ambiguous);
        if (width > widest && width <= LABEL_COLUMNS_MAX) widest = width;
    }
    return widest;
}

static void print_label(const struct sheet *sheet, const char *label, size_t columns, size_t indent)
{
    size_t width = kz_width(label, sheet->view->ambiguous);
    kz_width_add_spaces(sheet->out, indent);
    kz_buf_add_text(sheet->out, label);
    kz_width_add_spaces(sheet->out, (width < columns ? columns - width : 0) + GAP_COLUMNS);
}

/* Text of many lines: each below the first, at the same column. */
static void print_value(const struct sheet *sheet, const char *text, size_t column)
{
    struct kz_buf safe;
    kz_buf_init(&safe, 0);
    kz_width_add_safe(&safe, text, true);
    const char *line = kz_buf_text(&safe);
    while (*line) {
        size_t length = strcspn(line, "\n");
        kz_buf_add(sheet->out, line, length);
        line += length;
        if (!*line || !line[1]) break;
        kz_buf_add_text(sheet->out, "\n");
        line++;
        if (*line != '\n') kz_width_add_spaces(sheet->out, column);
    }
    kz_buf_add_text(sheet->out, "\n");
    kz_buf_fini(&safe);
}

static void print_fields(const struct sheet *sheet, const ProtobufCMessage *message, const struct kz_field *fields,
                         const Kz__Record *envelope, size_t columns, size_t indent);

static void print_groups(const struct sheet *sheet, const ProtobufCMessage *message, const struct kz_field *field,
                         size_t indent)
{
    bool repeated = kz_codec_repeated(message->descriptor, field);
    size_t inner = indent + INDENT_COLUMNS + (repeated ? INDENT_COLUMNS : 0);
    for (size_t i = 0; i < kz_value_count(message, field); i++) {
        size_t start = sheet->out->size_bytes;
        print_fields(sheet, kz_value_group(message, field, i), field->fields, NULL, label_columns(sheet, field->fields),
                     inner);
        /* The item's first line carries the dash. */
        if (repeated && sheet->out->size_bytes > start) sheet->out->data[start + inner - INDENT_COLUMNS] = '-';
    }
}

static void print_fields(const struct sheet *sheet, const ProtobufCMessage *message, const struct kz_field *fields,
                         const Kz__Record *envelope, size_t columns, size_t indent)
{
    for (const struct kz_field *field = fields; field->name; field++) {
        if (envelope && is_id(field)) continue;
        size_t count = kz_value_count(message, field);
        if (count == 0) continue;
        if (field->type == KZ_FIELD_GROUP && !(envelope && is_labels(field))) {
            kz_width_add_spaces(sheet->out, indent);
            kz_buf_addf(sheet->out, "%s\n", label_of(sheet, field));
            print_groups(sheet, message, field, indent);
            continue;
        }
        struct kz_buf value;
        kz_buf_init(&value, 0);
        if (field->type == KZ_FIELD_GROUP)
            add_labels(&value, envelope);
        else
            add_cell(&value, message, field, sheet->view->japanese);
        print_label(sheet, label_of(sheet, field), columns, indent);
        print_value(sheet, kz_buf_text(&value), indent + columns + GAP_COLUMNS);
        kz_buf_fini(&value);
    }
}

static void print_sheet(const struct kz_view *view, const Kz__Record *record, struct kz_buf *out)
{
    const struct kz_kind *kind = kz_kind_by_number(record->kind);
    struct sheet sheet = {.view = view, .out = out};
    if (!kind) return;
    size_t columns = label_columns(&sheet, kind->fields), more = label_columns(&sheet, kz_envelope_fields());
    if (more > columns) columns = more;
    struct kz_buf title;
    kz_buf_init(&title, 0);
    kz_buf_addf(&title, "%s/%s", kind->name, record->id);
    print_label(&sheet, view->japanese ? kind->label.ja : kind->label.en, columns, 0);
    print_value(&sheet, kz_buf_text(&title), columns + GAP_COLUMNS);
    kz_buf_fini(&title);
    const ProtobufCMessage *body = kz_record_body(record);
    if (body) print_fields(&sheet, body, kind->fields, NULL, columns, 0);
    kz_buf_add_text(out, "\n");
    print_fields(&sheet, &record->base, kz_envelope_fields(), record, columns, 0);
}

void kz_show_record(const struct kz_view *view, const Kz__Record *record, const Kz__Meta *meta, struct kz_buf *out)
{
    if (view->output == KZ_OUTPUT_TABLE || view->output == KZ_OUTPUT_WIDE) {
        print_sheet(view, record, out);
        return;
    }
    Kz__Record *one[] = {(Kz__Record *)(uintptr_t)record};
    kz_show_records(view, record->kind, one, 1, meta, out);
}
