/* SPDX-License-Identifier: Apache-2.0 */
#include "client/codec/describe.h"

#include <inttypes.h>
#include <stdio.h>

#include "node/registry/when.h"

#define NUMBER_TEXT_BYTES 24

static const enum kz_text_id type_texts[] = {
    [KZ_FIELD_TEXT] = KZ_T_TYPE_TEXT,         [KZ_FIELD_PROSE] = KZ_T_TYPE_PROSE,
    [KZ_FIELD_INTEGER] = KZ_T_TYPE_INTEGER,   [KZ_FIELD_BOOLEAN] = KZ_T_TYPE_BOOLEAN,
    [KZ_FIELD_DURATION] = KZ_T_TYPE_DURATION, [KZ_FIELD_TIME] = KZ_T_TYPE_TIME,
    [KZ_FIELD_DATE] = KZ_T_TYPE_DATE,         [KZ_FIELD_ENUM] = KZ_T_TYPE_ENUM,
    [KZ_FIELD_REF] = KZ_T_TYPE_REF,           [KZ_FIELD_GROUP] = KZ_T_TYPE_GROUP,
};

void kz_describe_type(struct kz_buf *out, const struct kz_field *field, bool japanese)
{
    kz_buf_add_text(out, kz_text(type_texts[field->type], japanese));
}

void kz_describe_values(struct kz_buf *out, const struct kz_field *field)
{
    for (const struct kz_enum_value *value = field->values; value && value->name; value++)
        kz_buf_addf(out, "%s%s", value == field->values ? "" : ", ", value->name);
}

void kz_describe_kinds(struct kz_buf *out)
{
    size_t count;
    const struct kz_kind *kinds = kz_kinds(&count);
    for (size_t i = 0; i < count; i++)
        kz_buf_addf(out, "%s%s", i ? ", " : "", kinds[i].name);
}

void kz_describe_ref_kinds(struct kz_buf *out, const struct kz_field *field)
{
    size_t count;
    const struct kz_kind *kinds = kz_kinds(&count);
    bool first = true;
    for (size_t i = 0; i < count; i++) {
        if (!(field->ref_kinds & KZ_KIND_BIT(kinds[i].number))) continue;
        kz_buf_addf(out, "%s%s", first ? "" : "|", kinds[i].name);
        first = false;
    }
}

static void separate(struct kz_buf *out)
{
    if (out->size_bytes > 0) kz_buf_add_text(out, ", ");
}

static void add_word(struct kz_buf *out, enum kz_text_id word, bool japanese)
{
    separate(out);
    kz_buf_add_text(out, kz_text(word, japanese));
}

static void add_range(struct kz_buf *out, const struct kz_field *field, bool japanese)
{
    if (field->max == 0 || field->max == INT64_MAX) return;
    separate(out);
    if (field->type == KZ_FIELD_TEXT || field->type == KZ_FIELD_PROSE) {
        char max[NUMBER_TEXT_BYTES];
        snprintf(max, sizeof max, "%" PRId64, field->max);
        kz_text_fill(out, KZ_T_RULE_BYTES, japanese, KZ_TEXT_ARGS(max));
        return;
    }
    struct kz_buf low, high;
    kz_buf_init(&low, 0);
    kz_buf_init(&high, 0);
    if (field->type == KZ_FIELD_DURATION) {
        kz_duration_format(&low, field->min, japanese);
        kz_duration_format(&high, field->max, japanese);
    } else {
        kz_buf_addf(&low, "%" PRId64, field->min);
        kz_buf_addf(&high, "%" PRId64, field->max);
    }
    kz_text_fill(out, KZ_T_RULE_RANGE, japanese, KZ_TEXT_ARGS(kz_buf_text(&low), kz_buf_text(&high)));
    kz_buf_fini(&low);
    kz_buf_fini(&high);
}

void kz_describe_rule(struct kz_buf *out, const struct kz_field *field, bool repeated, bool japanese)
{
    if (field->flags & KZ_FIELD_REQUIRED) add_word(out, KZ_T_RULE_REQUIRED, japanese);
    if (repeated) add_word(out, KZ_T_RULE_REPEATED, japanese);
    if (field->flags & KZ_FIELD_DERIVED) add_word(out, KZ_T_RULE_DERIVED, japanese);
    if (field->flags & KZ_FIELD_SYSTEM) add_word(out, KZ_T_RULE_SYSTEM, japanese);
    if (field->type == KZ_FIELD_INTEGER || field->type == KZ_FIELD_DURATION || field->type == KZ_FIELD_TEXT ||
        field->type == KZ_FIELD_PROSE)
        add_range(out, field, japanese);
    if (field->type == KZ_FIELD_ENUM) {
        separate(out);
        kz_describe_values(out, field);
    }
    if (field->type == KZ_FIELD_REF) {
        separate(out);
        kz_describe_ref_kinds(out, field);
    }
}
