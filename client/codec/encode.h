/* SPDX-License-Identifier: Apache-2.0 */
/* Records as JSON values, through the schema, and JSON values as YAML. What `apply` reads back is what this writes.
 * One thread. */
#ifndef KZ_CLIENT_CODEC_ENCODE_H
#define KZ_CLIENT_CODEC_ENCODE_H

#include <jansson.h>

#include "node/base/buf.h"
#include "node/registry/record.h"

/* {kind, id, rev, body fields, envelope fields}; empty ones left out. The caller's. */
json_t *kz_encode_record(const Kz__Record *record);
/* Only what a person may set: what `edit` shows. */
json_t *kz_encode_editable(const Kz__Record *record);

void kz_json_write(struct kz_buf *out, const json_t *value, bool compact); /* ends with a newline */
/* One document, without "---". Texts of many lines become literal blocks. */
void kz_yaml_write(struct kz_buf *out, const json_t *value);

#endif
