/* SPDX-License-Identifier: Apache-2.0 */
#include "node/registry/search_walk.h"

#include <stdio.h>
#include <string.h>

#include "node/registry/path.h"
#include "node/registry/reflect.h"

const struct kz_field *kz_search_title_field(const struct kz_kind *kind)
{
    const struct kz_field *title = NULL;
    for (const struct kz_field *field = kind->fields; field->name; field++) {
        if (strcmp(field->name, "name") == 0) return field;
        if (strcmp(field->name, "title") == 0) title = field;
    }
    return title;
}

const char *kz_search_title(const Kz__Record *record)
{
    const struct kz_kind *kind = kz_kind_by_number(record->kind);
    const struct kz_field *field = kind ? kz_search_title_field(kind) : NULL;
    const ProtobufCMessage *body = field ? kz_record_body(record) : NULL;
    return body && kz_value_count(body, field) > 0 ? kz_value_text(body, field, 0) : "";
}

struct walk {
    const struct kz_search_visitor *visitor;
    const struct kz_field *title; /* of the body */
};

static enum kz_search_class class_of(const struct walk *walk, const struct kz_field *field)
{
    if (field == walk->title) return KZ_SEARCH_CLASS_TITLE;
    return strcmp(field->name, "kana") == 0 ? KZ_SEARCH_CLASS_KANA : KZ_SEARCH_CLASS_OTHER;
}

/* No deeper than the schema's groups. */
static bool walk_fields(const struct walk *walk, const ProtobufCMessage *message, const struct kz_field *fields,
                        const char *path)
{
    char deeper[KZ_PATH_MAX_BYTES];
    for (const struct kz_field *field = fields; field->name; field++) {
        bool text = field->type == KZ_FIELD_TEXT || field->type == KZ_FIELD_PROSE;
        if (!kz_reflect_is_given(field) || !(text || field->type == KZ_FIELD_GROUP)) continue;
        if (fields == kz_envelope_fields() && text) continue; /* the id is told apart from the rest */
        size_t count = kz_value_count(message, field);
        for (size_t i = 0; i < count; i++) {
            if (walk->visitor->paths) {
                snprintf(deeper, sizeof deeper, "%s", path);
                kz_path_append(deeper, sizeof deeper, message, field, i);
            }
            const char *at = walk->visitor->paths ? deeper : NULL;
            bool more = text ? walk->visitor->value(walk->visitor->data, class_of(walk, field), at,
                                                    kz_value_text(message, field, i))
                             : walk_fields(walk, kz_value_group(message, field, i), field->fields, at);
            if (!more) return false;
        }
    }
    return true;
}

bool kz_search_walk(const Kz__Record *record, const struct kz_search_visitor *visitor)
{
    const struct kz_kind *kind = kz_kind_by_number(record->kind);
    if (!kind) return true;
    const struct walk walk = {visitor, kz_search_title_field(kind)};
    const ProtobufCMessage *body = kz_record_body(record);
    if (!visitor->value(visitor->data, KZ_SEARCH_CLASS_ID, visitor->paths ? "id" : NULL, record->id)) return false;
    if (body && !walk_fields(&walk, body, kind->fields, visitor->paths ? "" : NULL)) return false;
    return walk_fields(&walk, &record->base, kz_envelope_fields(), visitor->paths ? "" : NULL);
}

enum kz_search_rank kz_search_rank_of(enum kz_search_class class, bool at_start, bool at_end)
{
    switch (class) {
    case KZ_SEARCH_CLASS_ID:
        return at_start && at_end ? KZ_SEARCH_ID : at_start ? KZ_SEARCH_TITLE_START : KZ_SEARCH_TITLE;
    case KZ_SEARCH_CLASS_TITLE:
        return at_start && at_end ? KZ_SEARCH_TITLE_WHOLE : at_start ? KZ_SEARCH_TITLE_START : KZ_SEARCH_TITLE;
    case KZ_SEARCH_CLASS_KANA:
        return at_start ? KZ_SEARCH_KANA_START : KZ_SEARCH_KANA;
    default:
        return at_start && at_end ? KZ_SEARCH_OTHER_WHOLE : KZ_SEARCH_OTHER;
    }
}
