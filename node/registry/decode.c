/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes to records and back. Decoding trusts nothing: size, memory, nesting, counts, text and enum numbers are
 * checked, and what this version does not know is dropped. */
#include "node/registry/record.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/registry/event.h"
#include "node/registry/reflect.h"
#include "node/registry/text.h"
#include "proto/wire.h"

/* An empty group costs two bytes on the wire and some hundred in memory: 256 KiB could ask for 15 MiB. */
#define DECODE_MEMORY_MAX_BYTES (4u << 20)
/* Record, body, group, group in a group; and no list is longer than the longest one of the schema, by far. */
#define DEPTH_MAX 4
#define COUNT_MAX 1000
#define FIELDS_MAX 64 /* of one message */

/* ---- before anything is allocated: the shape of the bytes ---- */

struct scan {
    const uint8_t *at, *end;
};

static bool scan_varint(struct scan *scan, uint64_t *out)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (scan->at == scan->end) return false;
        uint8_t byte = *scan->at++;
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            *out = value;
            return true;
        }
    }
    return false;
}

/* Leaves `scan` behind the value and says where its bytes begin and how many they are. */
static bool scan_value(struct scan *scan, unsigned wire_type, const uint8_t **bytes, size_t *size_bytes)
{
    uint64_t size = 0;
    *bytes = scan->at;
    switch (wire_type) {
    case PROTOBUF_C_WIRE_TYPE_VARINT:
        if (!scan_varint(scan, &size)) return false;
        *size_bytes = (size_t)(scan->at - *bytes);
        return true;
    case PROTOBUF_C_WIRE_TYPE_64BIT:
        size = 8;
        break;
    case PROTOBUF_C_WIRE_TYPE_32BIT:
        size = 4;
        break;
    case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
        if (!scan_varint(scan, &size)) return false;
        break;
    default:
        return false; /* groups, which proto2 gave up and nobody sends */
    }
    if (size > (size_t)(scan->end - scan->at)) return false;
    *bytes = scan->at;
    *size_bytes = (size_t)size;
    scan->at += size;
    return true;
}

/* Counts of lists, no scalar twice, no NUL inside a text, no more levels than the schema has. */
static bool scan_message(const ProtobufCMessageDescriptor *descriptor, struct scan scan, int depth)
{
    size_t counts[FIELDS_MAX] = {0};
    kz_assert(descriptor->n_fields <= FIELDS_MAX);
    if (depth > DEPTH_MAX) return false;
    while (scan.at < scan.end) {
        uint64_t tag = 0;
        const uint8_t *bytes = NULL;
        size_t size = 0;
        if (!scan_varint(&scan, &tag) || tag > UINT32_MAX) return false;
        if (!scan_value(&scan, (unsigned)(tag & 7), &bytes, &size)) return false;
        const ProtobufCFieldDescriptor *at = protobuf_c_message_descriptor_get_field(descriptor, (unsigned)(tag >> 3));
        if (at == NULL) continue; /* unknown: dropped later */
        size_t count = ++counts[at - descriptor->fields];
        if (count > (kz_reflect_repeated(at) ? COUNT_MAX : 1)) return false;
        bool prefixed = (tag & 7) == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
        bool sized = at->type == PROTOBUF_C_TYPE_STRING || at->type == PROTOBUF_C_TYPE_MESSAGE ||
                     at->type == PROTOBUF_C_TYPE_BYTES;
        if (prefixed != sized) return false;
        if (at->type == PROTOBUF_C_TYPE_BYTES && size != KZ_EVENT_HASH_BYTES) return false; /* origin_hash only */
        if (at->type == PROTOBUF_C_TYPE_STRING && memchr(bytes, 0, size) != NULL) return false;
        if (at->type == PROTOBUF_C_TYPE_MESSAGE &&
            !scan_message(at->descriptor, (struct scan){bytes, bytes + size}, depth + 1))
            return false;
    }
    return true;
}

/* ---- with a budget: the values ---- */

struct budget {
    ProtobufCAllocator allocator;
    size_t left_bytes;
};

static void *allocate(void *data, size_t size)
{
    struct budget *budget = data;
    if (size > budget->left_bytes) return NULL;
    budget->left_bytes -= size;
    return malloc(size);
}

/* What is given back is not counted: the budget bounds the work too. */
static void release(void *data, void *memory)
{
    (void)data;
    free(memory);
}

static bool is_known_enum(const ProtobufCEnumDescriptor *descriptor, int number)
{
    return protobuf_c_enum_descriptor_get_value(descriptor, number) != NULL;
}

static void drop_unknown(ProtobufCMessage *message)
{
    for (unsigned i = 0; i < message->n_unknown_fields; i++)
        free(message->unknown_fields[i].data);
    free(message->unknown_fields);
    message->unknown_fields = NULL;
    message->n_unknown_fields = 0;
}

static bool make_clean(ProtobufCMessage *message);

static bool is_clean_pointer(const ProtobufCFieldDescriptor *at, void *value)
{
    if (value == NULL) return at->label == PROTOBUF_C_LABEL_OPTIONAL;
    if (at->type == PROTOBUF_C_TYPE_MESSAGE) return make_clean(value);
    return kz_text_fault(value, true) != KZ_TEXT_NOT_UTF8;
}

static bool is_clean_field(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *at)
{
    void *member = kz_reflect_member(message, at);
    if (kz_reflect_repeated(at)) {
        size_t count = *kz_reflect_count(message, at);
        for (size_t i = 0; i < count; i++)
            if (!is_clean_pointer(at, (*(void ***)member)[i])) return false;
        return true;
    }
    if (at->type == PROTOBUF_C_TYPE_STRING || at->type == PROTOBUF_C_TYPE_MESSAGE)
        return is_clean_pointer(at, *(void **)member);
    if (at->type != PROTOBUF_C_TYPE_ENUM) return true;
    if (at->label == PROTOBUF_C_LABEL_OPTIONAL && !*kz_reflect_has(message, at)) return true;
    return is_known_enum(at->descriptor, *(const int *)member);
}

static bool make_clean(ProtobufCMessage *message)
{
    drop_unknown(message);
    for (unsigned i = 0; i < message->descriptor->n_fields; i++)
        if (!is_clean_field(message, &message->descriptor->fields[i])) return false;
    return true;
}

Kz__Record *kz_record_decode(const uint8_t *bytes, size_t size_bytes)
{
    if (size_bytes > KZ_RECORD_MAX_BYTES) return NULL;
    if (!scan_message(&kz__record__descriptor, (struct scan){bytes, bytes + size_bytes}, 1)) return NULL;
    struct budget budget = {.allocator = {.alloc = allocate, .free = release}, .left_bytes = DECODE_MEMORY_MAX_BYTES};
    budget.allocator.allocator_data = &budget;
    Kz__Record *record = kz__record__unpack(&budget.allocator, size_bytes, bytes);
    if (record == NULL) return NULL;
    if (make_clean(&record->base)) return record;
    kz__record__free_unpacked(record, NULL);
    return NULL;
}

static bool has_unknown(const ProtobufCMessage *message)
{
    if (message->n_unknown_fields > 0) return true;
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *at = &message->descriptor->fields[i];
        if (at->type != PROTOBUF_C_TYPE_MESSAGE) continue;
        void *member = kz_reflect_member(message, at);
        size_t count = kz_reflect_repeated(at) ? *kz_reflect_count(message, at) : *(void **)member != NULL;
        for (size_t j = 0; j < count; j++)
            if (has_unknown(kz_reflect_repeated(at) ? (*(void ***)member)[j] : *(void **)member)) return true;
    }
    return false;
}

static void pack(const Kz__Record *record, struct kz_buf *out)
{
    size_t size = kz__record__get_packed_size(record);
    uint8_t *room = kz_buf_extend(out, size);
    if (room != NULL) kz_assert(kz__record__pack(record, room) == size);
}

void kz_record_encode(const Kz__Record *record, struct kz_buf *out)
{
    if (!has_unknown(&record->base)) {
        pack(record, out);
        return;
    }
    Kz__Record *known = kz_record_dup(record);
    if (known == NULL)
        out->failed = true;
    else
        pack(known, out);
    kz__record__free_unpacked(known, NULL);
}

static void drop_unknown_deep(ProtobufCMessage *message)
{
    drop_unknown(message);
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *at = &message->descriptor->fields[i];
        if (at->type != PROTOBUF_C_TYPE_MESSAGE) continue;
        void *member = kz_reflect_member(message, at);
        size_t count = kz_reflect_repeated(at) ? *kz_reflect_count(message, at) : *(void **)member != NULL;
        for (size_t j = 0; j < count; j++)
            drop_unknown_deep(kz_reflect_repeated(at) ? (*(void ***)member)[j] : *(void **)member);
    }
}

Kz__Record *kz_record_dup(const Kz__Record *record)
{
    size_t size = kz__record__get_packed_size(record);
    uint8_t *bytes = malloc(size > 0 ? size : 1);
    if (bytes == NULL) return NULL;
    kz__record__pack(record, bytes);
    Kz__Record *copy = kz__record__unpack(NULL, size, bytes);
    free(bytes);
    if (copy != NULL) drop_unknown_deep(&copy->base);
    return copy;
}
