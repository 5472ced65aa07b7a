/* SPDX-License-Identifier: Apache-2.0 */
/* Field-by-field comparison of two states of one record. */
#include "node/registry/record.h"

#include <string.h>

#include "node/registry/path.h"
#include "node/registry/reflect.h"

static bool same_messages(const struct kz_field *fields, const ProtobufCMessage *a, const ProtobufCMessage *b);

static bool same_item(const struct kz_field *field, const ProtobufCMessage *a, const ProtobufCMessage *b, size_t item)
{
    switch (field->type) {
    case KZ_FIELD_TEXT:
    case KZ_FIELD_PROSE:
    case KZ_FIELD_DATE:
    case KZ_FIELD_REF:
        return strcmp(kz_value_text(a, field, item), kz_value_text(b, field, item)) == 0;
    case KZ_FIELD_GROUP:
        return same_messages(field->fields, kz_value_group(a, field, item), kz_value_group(b, field, item));
    default:
        return kz_value_number(a, field, item) == kz_value_number(b, field, item);
    }
}

static bool same_messages(const struct kz_field *fields, const ProtobufCMessage *a, const ProtobufCMessage *b)
{
    for (const struct kz_field *field = fields; field->name != NULL; field++) {
        if (!kz_reflect_is_given(field)) continue;
        size_t count = kz_value_count(a, field);
        if (count != kz_value_count(b, field)) return false;
        for (size_t i = 0; i < count; i++)
            if (!same_item(field, a, b, i)) return false;
    }
    return true;
}

bool kz_record_same(const Kz__Record *a, const Kz__Record *b)
{
    const ProtobufCMessage *body_a = kz_record_body(a);
    const ProtobufCMessage *body_b = kz_record_body(b);
    if (a->kind != b->kind || (body_a == NULL) != (body_b == NULL)) return false;
    if (!same_messages(kz_envelope_fields(), &a->base, &b->base)) return false;
    return body_a == NULL || same_messages(kz_kind_by_number(a->kind)->fields, body_a, body_b);
}

struct diff {
    bool japanese;
    kz_difference_visitor visit;
    void *data;
    struct kz_buf before, after;
    char path[KZ_PATH_MAX_BYTES];
};

/* `a` or `b` is NULL where the whole group is absent. */
static void diff_messages(struct diff *diff, const struct kz_field *fields, const ProtobufCMessage *a,
                          const ProtobufCMessage *b);

static const char *show(struct diff *diff, struct kz_buf *buf, const struct kz_field *field,
                        const ProtobufCMessage *message, size_t item, size_t count)
{
    if (item >= count) return NULL;
    kz_buf_clear(buf);
    kz_value_format(buf, field, message, item, diff->japanese);
    return kz_buf_text(buf);
}

static void diff_field(struct diff *diff, const struct kz_field *field, const ProtobufCMessage *a,
                       const ProtobufCMessage *b)
{
    size_t base = strlen(diff->path);
    size_t count_a = a == NULL ? 0 : kz_value_count(a, field);
    size_t count_b = b == NULL ? 0 : kz_value_count(b, field);
    for (size_t i = 0; i < count_a || i < count_b; i++) {
        kz_path_append(diff->path, sizeof(diff->path), a != NULL ? a : b, field, i);
        if (field->type == KZ_FIELD_GROUP) {
            diff_messages(diff, field->fields, i < count_a ? kz_value_group(a, field, i) : NULL,
                          i < count_b ? kz_value_group(b, field, i) : NULL);
        } else if (i >= count_a || i >= count_b || !same_item(field, a, b, i)) {
            const char *before = show(diff, &diff->before, field, a, i, count_a);
            const char *after = show(diff, &diff->after, field, b, i, count_b);
            diff->visit(diff->data, diff->path, before, after);
        }
        diff->path[base] = '\0';
    }
}

static void diff_messages(struct diff *diff, const struct kz_field *fields, const ProtobufCMessage *a,
                          const ProtobufCMessage *b)
{
    for (const struct kz_field *field = fields; field->name != NULL; field++)
        if ((field->flags & KZ_FIELD_SYSTEM) == 0) diff_field(diff, field, a, b);
}

void kz_record_diff(const Kz__Record *a, const Kz__Record *b, bool japanese, kz_difference_visitor visit, void *data)
{
    struct diff diff = {.japanese = japanese, .visit = visit, .data = data};
    const struct kz_kind *kind = kz_kind_by_number(b->kind);
    kz_buf_init(&diff.before, 0);
    kz_buf_init(&diff.after, 0);
    diff_messages(&diff, kz_envelope_fields(), &a->base, &b->base);
    if (kind != NULL && a->kind == b->kind) diff_messages(&diff, kind->fields, kz_record_body(a), kz_record_body(b));
    kz_buf_fini(&diff.before);
    kz_buf_fini(&diff.after);
}
