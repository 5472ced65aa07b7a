/* SPDX-License-Identifier: Apache-2.0 */
/* The schema in words: types, choices, rules. For messages, help and `keizoku schema`. Pure; any thread. */
#ifndef KZ_CLIENT_CODEC_DESCRIBE_H
#define KZ_CLIENT_CODEC_DESCRIBE_H

#include "client/cli/text.h"
#include "node/registry/schema.h"

void kz_describe_type(struct kz_buf *out, const struct kz_field *field, bool japanese);
void kz_describe_values(struct kz_buf *out, const struct kz_field *field); /* "HOT, WARM, COLD" */
void kz_describe_kinds(struct kz_buf *out);                                /* "site, org, ..." */
/* "site", "system|site|function" */
void kz_describe_ref_kinds(struct kz_buf *out, const struct kz_field *field);
/* "required, list, 1 to 3, HOT | WARM" */
void kz_describe_rule(struct kz_buf *out, const struct kz_field *field, bool repeated, bool japanese);

#endif
