/* SPDX-License-Identifier: Apache-2.0 */
/* Where a schema row's value lies in a protobuf-c message. Private to node/registry. Pure: any thread. */
#ifndef KZ_REGISTRY_REFLECT_H
#define KZ_REGISTRY_REFLECT_H

#include "node/registry/schema.h"

/* The proto field behind `field`; asserts that the message has one (tests hold schema and proto together). */
const ProtobufCFieldDescriptor *kz_reflect_field(const ProtobufCMessage *message, const struct kz_field *field);

static inline bool kz_reflect_repeated(const ProtobufCFieldDescriptor *at)
{
    return at->label == PROTOBUF_C_LABEL_REPEATED;
}

/* The member's address, and that of its count or `has_` flag. */
static inline void *kz_reflect_member(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *at)
{
    return (char *)message + at->offset;
}
static inline size_t *kz_reflect_count(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *at)
{
    return (size_t *)(void *)((char *)message + at->quantifier_offset);
}
static inline protobuf_c_boolean *kz_reflect_has(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *at)
{
    return (protobuf_c_boolean *)(void *)((char *)message + at->quantifier_offset);
}

/* True for what a change by a person may not touch: SYSTEM and DERIVED rows, and the id. */
static inline bool kz_reflect_is_given(const struct kz_field *field)
{
    return (field->flags & (KZ_FIELD_SYSTEM | KZ_FIELD_DERIVED)) == 0;
}

#endif
