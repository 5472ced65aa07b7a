/* SPDX-License-Identifier: Apache-2.0 */
#include "client/codec/encode.h"

#include <string.h>

#include "client/codec/decode.h"
#include "node/base/assert.h"

#define LABELS_KEY "labels"

static void set(json_t *object, const char *key, json_t *value)
{
    kz_assert(value && json_object_set_new(object, key, value) == 0); /* out of memory ends a command-line program */
}

static json_t *encode_group(const ProtobufCMessage *message, const struct kz_field *fields);

static json_t *encode_value(const ProtobufCMessage *message, const struct kz_field *field, size_t item)
{
    switch (field->type) {
    case KZ_FIELD_GROUP:
        return encode_group(kz_value_group(message, field, item), field->fields);
    case KZ_FIELD_INTEGER:
        return json_integer(kz_value_number(message, field, item));
    case KZ_FIELD_BOOLEAN:
        return json_boolean(kz_value_number(message, field, item) != 0);
    default:
        break;
    }
    struct kz_buf text;
    kz_buf_init(&text, 0);
    kz_value_format(&text, field, message, item, false);
    const char *bytes = kz_buf_text(&text);
    json_t *value = json_string(bytes);
    if (!value) value = json_string_nocheck("?"); /* stored before its UTF-8 was checked: cannot come from a node */
    kz_buf_fini(&text);
    return value;
}

static void encode_field(json_t *object, const ProtobufCMessage *message, const struct kz_field *field)
{
    size_t count = kz_value_count(message, field);
    if (count == 0) return;
    if (!kz_codec_repeated(message->descriptor, field)) {
        set(object, field->name, encode_value(message, field, 0));
        return;
    }
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        kz_assert(json_array_append_new(list, encode_value(message, field, i)) == 0);
    set(object, field->name, list);
}

static json_t *encode_group(const ProtobufCMessage *message, const struct kz_field *fields)
{
    json_t *object = json_object();
    for (const struct kz_field *field = fields; field->name; field++)
        encode_field(object, message, field);
    return object;
}

static void encode_labels(json_t *object, const Kz__Record *record)
{
    if (record->n_labels == 0) return;
    json_t *labels = json_object();
    for (size_t i = 0; i < record->n_labels; i++)
        set(labels, record->labels[i]->key, json_string(record->labels[i]->value));
    set(object, LABELS_KEY, labels);
}

static void encode_envelope(json_t *object, const Kz__Record *record, unsigned without)
{
    for (const struct kz_field *field = kz_envelope_fields(); field->name; field++) {
        if (strcmp(field->name, "id") == 0 || strcmp(field->name, "rev") == 0 || (field->flags & without)) continue;
        if (strcmp(field->name, LABELS_KEY) == 0)
            encode_labels(object, record);
        else
            encode_field(object, &record->base, field);
    }
}

static json_t *encode(const Kz__Record *record, unsigned without)
{
    const struct kz_kind *kind = kz_kind_by_number(record->kind);
    json_t *object = json_object();
    set(object, "kind", json_string(kind ? kind->name : "?"));
    set(object, "id", json_string(record->id));
    if (record->has_rev) set(object, "rev", json_integer((json_int_t)record->rev));
    const ProtobufCMessage *body = kz_record_body(record);
    for (const struct kz_field *field = kind ? kind->fields : NULL; body && field && field->name; field++)
        if (!(field->flags & without)) encode_field(object, body, field);
    encode_envelope(object, record, without);
    return object;
}

json_t *kz_encode_record(const Kz__Record *record) { return encode(record, 0); }
json_t *kz_encode_editable(const Kz__Record *record) { return encode(record, KZ_FIELD_SYSTEM | KZ_FIELD_DERIVED); }

static int add_bytes(const char *bytes, size_t size_bytes, void *data)
{
    struct kz_buf *out = data;
    kz_buf_add(out, bytes, size_bytes);
    return out->failed ? -1 : 0;
}

void kz_json_write(struct kz_buf *out, const json_t *value, bool compact)
{
    int written = json_dump_callback(value, add_bytes, out, compact ? JSON_COMPACT : JSON_INDENT(2));
    kz_assert(written == 0);
    kz_buf_add_text(out, "\n");
}
