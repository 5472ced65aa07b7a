/* SPDX-License-Identifier: Apache-2.0 */
/* Paths that name a value, "contact/yamada.channels[2].value" (items count from 0), and references taken apart.
 * Private to node/registry. Pure: any thread. */
#ifndef KZ_REGISTRY_PATH_H
#define KZ_REGISTRY_PATH_H

#include "node/registry/schema.h"

#define KZ_PATH_MAX_BYTES 256

/* Adds ".name" or ".name[item]"; no dot at the start. The longest path fits KZ_PATH_MAX_BYTES. */
void kz_path_append(char *path, size_t path_bytes, const ProtobufCMessage *message, const struct kz_field *field,
                    size_t item);

/* Kind and id (borrowed from `text`) that a REF value names. False: no such kind is allowed here. The id may be
 * malformed. */
bool kz_reference_split(const struct kz_field *field, const char *text, Kz__Kind *out_kind, const char **out_id);

#endif
