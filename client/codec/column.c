/* SPDX-License-Identifier: Apache-2.0 */
#include "client/codec/column.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/codec/decode.h"
#include "node/base/assert.h"
#include "node/registry/text.h"
#include "node/registry/when.h"

#define HEADER_MAX_BYTES 512
#define LABELS_NAME "labels"

static bool is_given(const struct kz_field *field)
{
    return (field->flags & (KZ_FIELD_SYSTEM | KZ_FIELD_DERIVED)) == 0;
}

static bool is_labels(const struct kz_column_path *path)
{
    return path->envelope && path->depth == 1 && strcmp(path->steps[0].field->name, LABELS_NAME) == 0;
}

const struct kz_field *kz_column_field(const struct kz_column_path *path) { return path->steps[path->depth - 1].field; }

/* A message of the type the path begins in, to be asked what its fields are; the caller's. */
static Kz__Record *make_blank(const struct kz_kind *kind)
{
    Kz__Record *record = kz_record_new(kind->number, "x");
    kz_assert(record);
    return record;
}

static const ProtobufCMessageDescriptor *descend(const ProtobufCMessageDescriptor *message,
                                                 const struct kz_field *field)
{
    const ProtobufCFieldDescriptor *at = protobuf_c_message_descriptor_get_field_by_name(message, field->name);
    kz_assert(at);
    return field->type == KZ_FIELD_GROUP ? at->descriptor : NULL;
}

/* The type of the message that holds the leaf. */
static const ProtobufCMessageDescriptor *holder_type(const struct kz_kind *kind, const struct kz_column_path *path)
{
    Kz__Record *blank = make_blank(kind);
    const ProtobufCMessageDescriptor *type =
        path->envelope ? blank->base.descriptor : kz_record_body(blank)->descriptor;
    kz__record__free_unpacked(blank, NULL);
    for (size_t i = 0; i + 1 < path->depth; i++)
        type = descend(type, path->steps[i].field);
    return type;
}

bool kz_column_is_list(const struct kz_kind *kind, const struct kz_column_path *path)
{
    return is_labels(path) || kz_codec_repeated(holder_type(kind, path), kz_column_field(path));
}

int kz_column_compare(const struct kz_column_path *a, const struct kz_column_path *b)
{
    if (a->envelope != b->envelope) return a->envelope ? 1 : -1;
    for (size_t i = 0; i < a->depth && i < b->depth; i++) {
        const struct kz_column_step *x = &a->steps[i], *y = &b->steps[i];
        if (x->field != y->field) return x->field < y->field ? -1 : 1; /* rows of one table */
        if (x->item != y->item) return x->item < y->item ? -1 : 1;
    }
    return a->depth == b->depth ? 0 : a->depth < b->depth ? -1 : 1;
}

/* ---- which columns there are ---- */

struct collector {
    struct kz_column_paths *paths;
    struct kz_column_path path;
};

static void add_path(struct collector *collector)
{
    struct kz_column_paths *paths = collector->paths;
    if ((paths->count & (paths->count - 1)) == 0) {
        size_t room = paths->count ? paths->count * 2 : 1;
        paths->items = kz_must_realloc(paths->items, room * sizeof *paths->items);
    }
    paths->items[paths->count++] = collector->path;
}

static void collect(struct collector *collector, const ProtobufCMessageDescriptor *type, const struct kz_field *fields,
                    const ProtobufCMessage **messages, size_t count);

/* The same field's item of every message that has it. */
static void collect_item(struct collector *collector, const ProtobufCMessageDescriptor *type,
                         const struct kz_field *field, const ProtobufCMessage **messages, size_t count, size_t item)
{
    const ProtobufCMessage **groups = kz_must_alloc(count + 1, sizeof *groups);
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        if (item < kz_value_count(messages[i], field)) groups[found++] = kz_value_group(messages[i], field, item);
    collector->path.steps[collector->path.depth - 1].item = item;
    collect(collector, type, field->fields, groups, found);
    free(groups);
}

static void collect(struct collector *collector, const ProtobufCMessageDescriptor *type, const struct kz_field *fields,
                    const ProtobufCMessage **messages, size_t count)
{
    struct kz_column_path *path = &collector->path;
    kz_assert(path->depth < KZ_COLUMN_DEPTH);
    size_t depth = path->depth++;
    for (const struct kz_field *field = fields; field->name; field++) {
        if (!is_given(field) || (path->envelope && strcmp(field->name, "id") == 0)) continue;
        path->steps[depth] = (struct kz_column_step){.field = field};
        if (field->type != KZ_FIELD_GROUP || is_labels(path)) {
            add_path(collector);
            continue;
        }
        size_t items = 1;
        for (size_t i = 0; i < count; i++)
            if (kz_value_count(messages[i], field) > items) items = kz_value_count(messages[i], field);
        for (size_t item = 0; item < items; item++)
            collect_item(collector, descend(type, field), field, messages, count, item);
    }
    path->depth = depth;
}

void kz_columns_collect(struct kz_column_paths *paths, const struct kz_kind *kind, const Kz__Record *const *records,
                        size_t count)
{
    *paths = (struct kz_column_paths){0};
    struct collector collector = {.paths = paths};
    const ProtobufCMessage **messages = kz_must_alloc(count + 1, sizeof *messages);
    size_t bodies = 0;
    for (size_t i = 0; i < count; i++)
        if (kz_record_body(records[i])) messages[bodies++] = kz_record_body(records[i]);
    Kz__Record *blank = make_blank(kind);
    collect(&collector, kz_record_body(blank)->descriptor, kind->fields, messages, bodies);
    for (size_t i = 0; i < count; i++)
        messages[i] = &records[i]->base;
    collector.path = (struct kz_column_path){.envelope = true};
    collect(&collector, blank->base.descriptor, kz_envelope_fields(), messages, count);
    kz__record__free_unpacked(blank, NULL);
    free(messages);
}

void kz_columns_fini(struct kz_column_paths *paths)
{
    free(paths->items);
    *paths = (struct kz_column_paths){0};
}

/* ---- names ---- */

/* "channels[1]" in `part`: cuts it before the bracket. False: a number that is none. */
static bool take_index(char *part, bool *has_item, size_t *item)
{
    char *bracket = strchr(part, '[');
    *item = 0;
    *has_item = bracket != NULL;
    if (!bracket) return true;
    char *end = NULL;
    unsigned long number = strtoul(bracket + 1, &end, 10);
    if (end == bracket + 1 || strcmp(end, "]") != 0 || number < 1 || number > KZ_COLUMN_ITEMS) return false;
    *item = number - 1;
    *bracket = '\0';
    return true;
}

static bool parse_parts(char *text, const ProtobufCMessageDescriptor *type, const struct kz_field *fields,
                        struct kz_column_path *path, const struct kz_field **near)
{
    path->depth = 0;
    for (char *part = text; part;) {
        char *dot = strchr(part, '.');
        if (dot) *dot = '\0';
        bool has_item;
        size_t item;
        if (!type || path->depth == KZ_COLUMN_DEPTH || !take_index(part, &has_item, &item)) return false;
        const struct kz_field *field = kz_field_by_name(fields, part);
        if (!field) {
            *near = kz_field_nearest(fields, part);
            return false;
        }
        if (has_item && !kz_codec_repeated(type, field)) return false;
        path->steps[path->depth++] = (struct kz_column_step){.field = field, .item = item};
        type = descend(type, field);
        fields = field->fields;
        part = dot ? dot + 1 : NULL;
        /* A list of plain values is one cell, a group none. */
        if (!part && has_item && field->type != KZ_FIELD_GROUP) return false;
    }
    return kz_column_field(path)->type != KZ_FIELD_GROUP || is_labels(path);
}

#define WIDE_SPACE "\u3000"

/* Bytes of the white space that begins, or ends, here; 0: none. */
static size_t space_at(const char *text)
{
    if (*text && strchr(" \n\r\t", *text)) return 1;
    return strncmp(text, WIDE_SPACE, strlen(WIDE_SPACE)) == 0 ? strlen(WIDE_SPACE) : 0;
}

static size_t space_before(const char *text, const char *end)
{
    if (end > text && strchr(" \n\r\t", end[-1])) return 1;
    size_t wide = strlen(WIDE_SPACE);
    return (size_t)(end - text) >= wide && memcmp(end - wide, WIDE_SPACE, wide) == 0 ? wide : 0;
}

static void trim(char *text)
{
    char *from = text, *end = text + strlen(text);
    for (size_t size; (size = space_at(from)) > 0;)
        from += size;
    for (size_t size; (size = space_before(from, end)) > 0;)
        end -= size;
    memmove(text, from, (size_t)(end - from));
    text[end - from] = '\0';
}

bool kz_column_parse(const struct kz_kind *kind, const char *header, struct kz_column_path *path,
                     const struct kz_field **near)
{
    char text[HEADER_MAX_BYTES], copy[HEADER_MAX_BYTES];
    const struct kz_field *ignored;
    if (!near) near = &ignored;
    *near = NULL;
    if (!kz_text_narrow(header, text, sizeof text)) return false;
    trim(text);
    memcpy(copy, text, sizeof copy);
    Kz__Record *blank = make_blank(kind);
    *path = (struct kz_column_path){.envelope = false};
    bool found = parse_parts(text, kz_record_body(blank)->descriptor, kind->fields, path, near);
    if (!found) {
        const struct kz_field *near_envelope = NULL;
        *path = (struct kz_column_path){.envelope = true};
        found = parse_parts(copy, blank->base.descriptor, kz_envelope_fields(), path, &near_envelope);
        if (!*near) *near = near_envelope;
    }
    kz__record__free_unpacked(blank, NULL);
    return found;
}

static void add_header(struct kz_buf *out, const struct kz_kind *kind, const struct kz_column_path *path, bool japanese)
{
    struct kz_column_path part = *path;
    for (size_t i = 0; i < path->depth; i++) {
        const struct kz_field *field = path->steps[i].field;
        kz_buf_addf(out, "%s%s", i ? "." : "", japanese ? field->label.ja : field->name);
        part.depth = i + 1;
        if (i + 1 < path->depth && kz_column_is_list(kind, &part)) kz_buf_addf(out, "[%zu]", path->steps[i].item + 1);
    }
}

/* Where the label would be read as another field's, the name stands. */
void kz_column_header(struct kz_buf *out, const struct kz_kind *kind, const struct kz_column_path *path, bool japanese)
{
    struct kz_buf header;
    kz_buf_init(&header, 0);
    add_header(&header, kind, path, japanese);
    struct kz_column_path again;
    if (japanese &&
        !(kz_column_parse(kind, kz_buf_text(&header), &again, NULL) && kz_column_compare(path, &again) == 0)) {
        kz_buf_clear(&header);
        add_header(&header, kind, path, false);
    }
    kz_buf_add_text(out, kz_buf_text(&header));
    kz_buf_fini(&header);
}

/* ---- cells ---- */

static void add_values(struct kz_buf *out, const ProtobufCMessage *message, const struct kz_field *field, bool japanese)
{
    const char *gap = field->type == KZ_FIELD_REF ? ", " : "\n";
    size_t count = kz_value_count(message, field);
    for (size_t i = 0; i < count; i++) {
        if (i) kz_buf_add_text(out, gap);
        kz_value_format(out, field, message, i, japanese);
    }
}

void kz_column_get(struct kz_buf *out, const Kz__Record *record, const struct kz_column_path *path, bool japanese)
{
    if (is_labels(path)) {
        for (size_t i = 0; i < record->n_labels; i++)
            kz_buf_addf(out, "%s%s=%s", i ? "\n" : "", record->labels[i]->key, record->labels[i]->value);
        return;
    }
    const ProtobufCMessage *message = path->envelope ? &record->base : kz_record_body(record);
    for (size_t i = 0; message && i + 1 < path->depth; i++) {
        const struct kz_column_step *step = &path->steps[i];
        bool there = step->item < kz_value_count(message, step->field);
        message = there ? kz_value_group(message, step->field, step->item) : NULL;
    }
    if (message) add_values(out, message, kz_column_field(path), japanese);
}

const char *kz_column_next(const struct kz_field *field, const char **text, size_t *length)
{
    static const char *const gaps[] = {"\n", ",", "、", "，", ";", "；"};
    size_t gap_count = field->type == KZ_FIELD_REF ? sizeof gaps / sizeof gaps[0] : 1;
    while (*text) {
        const char *start = *text, *end = start + strlen(start), *rest = NULL;
        for (size_t i = 0; i < gap_count; i++) {
            const char *gap = strstr(start, gaps[i]);
            if (gap && gap < end) end = gap, rest = gap + strlen(gaps[i]);
        }
        *text = rest;
        for (size_t size; start < end && (size = space_at(start)) > 0;)
            start += size;
        for (size_t size; (size = space_before(start, end)) > 0;)
            end -= size;
        *length = (size_t)(end - start);
        if (*length > 0) return start;
    }
    *length = 0;
    return NULL;
}

/* A number where a day is meant: Excel's own count. */
static bool add_serial(struct kz_buf *out, const struct kz_field *field, const char *text)
{
    char date[KZ_DATE_BYTES];
    int64_t time_ms;
    if (field->type == KZ_FIELD_DATE && kz_date_from_serial(text, date))
        kz_buf_add_text(out, date);
    else if (field->type == KZ_FIELD_TIME && kz_time_from_serial(text, &time_ms))
        kz_time_format(out, time_ms);
    else
        return false;
    return true;
}

static bool add_normal(struct kz_buf *out, const ProtobufCMessageDescriptor *type, const struct kz_field *field,
                       const char *text)
{
    ProtobufCMessage *message = kz_must_alloc(1, type->sizeof_message);
    protobuf_c_message_init(type, message);
    bool fine = add_serial(out, field, text);
    if (!fine) {
        fine = kz_value_parse(message, field, text) == NULL;
        if (fine)
            kz_value_format(out, field, message, 0, false);
        else
            kz_buf_add_text(out, text);
    }
    protobuf_c_message_free_unpacked(message, NULL);
    return fine;
}

static bool keeps_spaces(const struct kz_field *field)
{
    return field->type == KZ_FIELD_TEXT || field->type == KZ_FIELD_PROSE;
}

bool kz_column_normalize(struct kz_buf *out, const struct kz_kind *kind, const struct kz_column_path *path,
                         const char *text)
{
    const struct kz_field *field = kz_column_field(path);
    bool list = kz_column_is_list(kind, path), fine = true;
    if (!list && keeps_spaces(field)) return !*text || add_normal(out, holder_type(kind, path), field, text);
    const char *gap = "", *value;
    size_t length;
    struct kz_buf one;
    kz_buf_init(&one, 0);
    for (const char *rest = text; (value = list ? kz_column_next(field, &rest, &length) : rest);
         gap = field->type == KZ_FIELD_REF ? ", " : "\n") {
        kz_buf_clear(&one);
        if (!list) length = strlen(value), rest = NULL;
        kz_buf_add(&one, value, length);
        char *plain = kz_must_strdup(kz_buf_text(&one));
        if (!list) trim(plain);
        kz_buf_add_text(out, gap);
        if (is_labels(path))
            kz_buf_add_text(out, plain);
        else if (*plain && !add_normal(out, holder_type(kind, path), field, plain))
            fine = false;
        free(plain);
        if (!rest) break;
    }
    kz_buf_fini(&one);
    return fine;
}
