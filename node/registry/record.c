/* SPDX-License-Identifier: Apache-2.0 */
#include "node/registry/record.h"

#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/registry/path.h"
#include "node/registry/reflect.h"
#include "node/registry/schema_tables.h"

static const ProtobufCFieldDescriptor *find_field(const ProtobufCMessage *message, const char *name)
{
    const ProtobufCFieldDescriptor *at = protobuf_c_message_descriptor_get_field_by_name(message->descriptor, name);
    kz_assert(at != NULL);
    return at;
}

const ProtobufCFieldDescriptor *kz_reflect_field(const ProtobufCMessage *message, const struct kz_field *field)
{
    return find_field(message, field->name);
}

/* Kinds are named as their body's proto field, and a message member is one pointer. */
static ProtobufCMessage **body_member(const Kz__Record *record)
{
    const struct kz_kind *kind = kz_kind_by_number(record->kind);
    if (kind == NULL) return NULL;
    return kz_reflect_member(&record->base, find_field(&record->base, kind->name));
}

ProtobufCMessage *kz_record_body(const Kz__Record *record)
{
    ProtobufCMessage **member = body_member(record);
    return member == NULL ? NULL : *member;
}

static ProtobufCMessage *new_message(const ProtobufCMessageDescriptor *descriptor)
{
    ProtobufCMessage *message = calloc(1, descriptor->sizeof_message);
    if (message != NULL) descriptor->message_init(message);
    return message;
}

ProtobufCMessage *kz_record_make_body(Kz__Record *record)
{
    ProtobufCMessage **member = body_member(record);
    if (member == NULL) return NULL;
    if (*member == NULL) {
        const ProtobufCFieldDescriptor *at = find_field(&record->base, kz_kind_by_number(record->kind)->name);
        *member = new_message(at->descriptor);
    }
    return *member;
}

Kz__Record *kz_record_new(Kz__Kind kind, const char *id)
{
    Kz__Record *record = (Kz__Record *)(void *)new_message(&kz__record__descriptor);
    if (record == NULL) return NULL;
    record->kind = kind;
    record->id = strdup(id);
    if (record->id == NULL || kz_record_make_body(record) == NULL) {
        kz__record__free_unpacked(record, NULL);
        return NULL;
    }
    return record;
}

size_t kz_value_count(const ProtobufCMessage *message, const struct kz_field *field)
{
    const ProtobufCFieldDescriptor *at = kz_reflect_field(message, field);
    if (kz_reflect_repeated(at)) return *kz_reflect_count(message, at);
    if (at->type == PROTOBUF_C_TYPE_STRING || at->type == PROTOBUF_C_TYPE_MESSAGE)
        return *(void **)kz_reflect_member(message, at) != NULL ? 1 : 0;
    if (at->label == PROTOBUF_C_LABEL_REQUIRED) return 1;
    return *kz_reflect_has(message, at) ? 1 : 0;
}

/* The item-th pointer of a string or message field. */
static void *get_pointer(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *at, size_t item)
{
    void *member = kz_reflect_member(message, at);
    if (!kz_reflect_repeated(at)) {
        kz_assert(item == 0);
        return *(void **)member;
    }
    kz_assert(item < *kz_reflect_count(message, at));
    return (*(void ***)member)[item];
}

const char *kz_value_text(const ProtobufCMessage *message, const struct kz_field *field, size_t item)
{
    const ProtobufCFieldDescriptor *at = kz_reflect_field(message, field);
    kz_assert(at->type == PROTOBUF_C_TYPE_STRING);
    return get_pointer(message, at, item);
}

const ProtobufCMessage *kz_value_group(const ProtobufCMessage *message, const struct kz_field *field, size_t item)
{
    const ProtobufCFieldDescriptor *at = kz_reflect_field(message, field);
    kz_assert(at->type == PROTOBUF_C_TYPE_MESSAGE);
    return get_pointer(message, at, item);
}

/* Repeated numbers do not occur in the schema: a list is of texts, references or groups. */
int64_t kz_value_number(const ProtobufCMessage *message, const struct kz_field *field, size_t item)
{
    const ProtobufCFieldDescriptor *at = kz_reflect_field(message, field);
    const void *member = kz_reflect_member(message, at);
    kz_assert(!kz_reflect_repeated(at) && item == 0);
    switch (at->type) {
    case PROTOBUF_C_TYPE_INT64:
        return *(const int64_t *)member;
    case PROTOBUF_C_TYPE_UINT64:
        return (int64_t) * (const uint64_t *)member;
    case PROTOBUF_C_TYPE_INT32:
        return *(const int32_t *)member;
    case PROTOBUF_C_TYPE_ENUM:
        return *(const int *)member;
    case PROTOBUF_C_TYPE_BOOL:
        return *(const protobuf_c_boolean *)member != 0;
    default:
        kz_assert(false && "a number");
    }
}

/* Puts `value` (owned by the message afterwards) at the end of a list, or in place of what was there. */
static bool put_pointer(ProtobufCMessage *message, const struct kz_field *field, const ProtobufCFieldDescriptor *at,
                        void *value)
{
    void *member = kz_reflect_member(message, at);
    if (!kz_reflect_repeated(at)) {
        kz_value_clear(message, field);
        *(void **)member = value;
        return true;
    }
    size_t *count = kz_reflect_count(message, at);
    void **items = realloc(*(void ***)member, (*count + 1) * sizeof(void *));
    if (items == NULL) return false;
    items[*count] = value;
    *(void ***)member = items;
    (*count)++;
    return true;
}

bool kz_value_add_text(ProtobufCMessage *message, const struct kz_field *field, const char *text)
{
    const ProtobufCFieldDescriptor *at = kz_reflect_field(message, field);
    kz_assert(at->type == PROTOBUF_C_TYPE_STRING);
    char *copy = strdup(text);
    if (copy == NULL) return false;
    if (put_pointer(message, field, at, copy)) return true;
    free(copy);
    return false;
}

ProtobufCMessage *kz_value_add_group(ProtobufCMessage *message, const struct kz_field *field)
{
    const ProtobufCFieldDescriptor *at = kz_reflect_field(message, field);
    kz_assert(at->type == PROTOBUF_C_TYPE_MESSAGE);
    ProtobufCMessage *group = new_message(at->descriptor);
    if (group == NULL) return NULL;
    if (put_pointer(message, field, at, group)) return group;
    free(group);
    return NULL;
}

bool kz_value_add_number(ProtobufCMessage *message, const struct kz_field *field, int64_t number)
{
    const ProtobufCFieldDescriptor *at = kz_reflect_field(message, field);
    void *member = kz_reflect_member(message, at);
    kz_assert(!kz_reflect_repeated(at));
    switch (at->type) {
    case PROTOBUF_C_TYPE_INT64:
        *(int64_t *)member = number;
        break;
    case PROTOBUF_C_TYPE_UINT64:
        *(uint64_t *)member = (uint64_t)number;
        break;
    case PROTOBUF_C_TYPE_INT32:
        /* Beyond 32 bits the nearest is kept: the range rule refuses it all the same. */
        *(int32_t *)member = (int32_t)(number > INT32_MAX ? INT32_MAX : number < INT32_MIN ? INT32_MIN : number);
        break;
    case PROTOBUF_C_TYPE_ENUM:
        kz_assert(number >= 0 && number <= INT32_MAX);
        *(int *)member = (int)number;
        break;
    case PROTOBUF_C_TYPE_BOOL:
        *(protobuf_c_boolean *)member = number != 0;
        break;
    default:
        kz_assert(false && "a number");
    }
    if (at->label == PROTOBUF_C_LABEL_OPTIONAL) *kz_reflect_has(message, at) = 1;
    return true;
}

static void free_pointer(const ProtobufCFieldDescriptor *at, void *value)
{
    if (at->type == PROTOBUF_C_TYPE_MESSAGE)
        protobuf_c_message_free_unpacked(value, NULL);
    else
        free(value);
}

void kz_value_clear(ProtobufCMessage *message, const struct kz_field *field)
{
    const ProtobufCFieldDescriptor *at = kz_reflect_field(message, field);
    void *member = kz_reflect_member(message, at);
    if (kz_reflect_repeated(at)) {
        size_t *count = kz_reflect_count(message, at);
        for (size_t i = 0; i < *count; i++)
            free_pointer(at, (*(void ***)member)[i]);
        free(*(void ***)member);
        *(void ***)member = NULL;
        *count = 0;
    } else if (at->type == PROTOBUF_C_TYPE_STRING || at->type == PROTOBUF_C_TYPE_MESSAGE) {
        free_pointer(at, *(void **)member);
        *(void **)member = NULL;
    } else if (at->label == PROTOBUF_C_LABEL_OPTIONAL) {
        *kz_reflect_has(message, at) = 0;
    }
}

/* ---- derived fields ---- */

/* G 表2.5-1; the rows are upper bounds, so the first that fits is the priority. */
static Kz__System__Priority priority_of_rto(int64_t rto_s)
{
    static const struct {
        int64_t rto_max_s;
        Kz__System__Priority priority;
    } table[] = {
        {3 * KZ_HOUR_S, KZ__SYSTEM__PRIORITY__S}, {KZ_DAY_S, KZ__SYSTEM__PRIORITY__A},
        {3 * KZ_DAY_S, KZ__SYSTEM__PRIORITY__B},  {KZ_WEEK_S, KZ__SYSTEM__PRIORITY__C},
        {2 * KZ_WEEK_S, KZ__SYSTEM__PRIORITY__D},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (rto_s <= table[i].rto_max_s) return table[i].priority;
    return KZ__SYSTEM__PRIORITY__E;
}

void kz_record_derive(Kz__Record *record)
{
    if (record->kind != KZ__KIND__SYSTEM || record->system == NULL) return;
    Kz__System *system = record->system;
    system->has_priority = system->has_priority_override || system->has_rto;
    if (system->has_priority_override)
        system->priority = system->priority_override;
    else if (system->has_rto)
        system->priority = priority_of_rto(system->rto);
    else
        system->priority = KZ__SYSTEM__PRIORITY__S; /* unset: the proto default, so that equal records are equal */
}

/* ---- references ---- */

struct walk {
    kz_reference_visitor visit;
    void *data;
    char path[KZ_PATH_MAX_BYTES];
};

static void walk_references(struct walk *walk, const struct kz_field *fields, const ProtobufCMessage *message)
{
    size_t base = strlen(walk->path);
    for (const struct kz_field *field = fields; field->name != NULL; field++) {
        if (field->type != KZ_FIELD_REF && field->type != KZ_FIELD_GROUP) continue;
        size_t count = kz_value_count(message, field);
        for (size_t i = 0; i < count; i++) {
            kz_path_append(walk->path, sizeof(walk->path), message, field, i);
            if (field->type == KZ_FIELD_GROUP) {
                walk_references(walk, field->fields, kz_value_group(message, field, i));
            } else {
                Kz__Kind kind;
                const char *id;
                /* What is not a reference at all is kz_record_check's to report. */
                if (kz_reference_split(field, kz_value_text(message, field, i), &kind, &id))
                    walk->visit(walk->data, walk->path, kind, id);
            }
            walk->path[base] = '\0';
        }
    }
}

void kz_record_references(const Kz__Record *record, kz_reference_visitor visit, void *data)
{
    struct walk walk = {.visit = visit, .data = data};
    const ProtobufCMessage *body = kz_record_body(record);
    if (body == NULL) return;
    walk_references(&walk, kz_kind_by_number(record->kind)->fields, body);
}
