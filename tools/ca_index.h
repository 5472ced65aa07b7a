/* SPDX-License-Identifier: Apache-2.0 */
/* The authority's index as text: one line per certificate, tab separated, times in ISO 8601 UTC. Parsing and
 * printing only, no files. One thread. */
#ifndef KZ_TOOLS_CA_INDEX_H
#define KZ_TOOLS_CA_INDEX_H

#include "node/base/buf.h"
#include "node/base/err.h"
#include "tools/ca.h"

struct kz_ca_index {
    struct kz_ca_entry *entries; /* owned */
    size_t count;
};

void kz_ca_index_fini(struct kz_ca_index *index);
enum kz_code kz_ca_index_parse(struct kz_ca_index *index, const char *text, struct kz_err *err) KZ_MUST_CHECK;
enum kz_code kz_ca_index_add(struct kz_ca_index *index, const struct kz_ca_entry *entry,
                             struct kz_err *err) KZ_MUST_CHECK;
void kz_ca_index_print(const struct kz_ca_index *index, struct kz_buf *out);
enum kz_code kz_ca_index_find(const struct kz_ca_index *index, const char *ref, const struct kz_ca_entry **out,
                              struct kz_err *err) KZ_MUST_CHECK;

const char *kz_ca_issuer_name(enum kz_ca_issuer issuer); /* "root", "nodes", "users" */
const char *kz_ca_kind_name(enum kz_ca_kind kind);       /* "ca", "node", "user" */

#define KZ_CA_TIME_BYTES 21
void kz_ca_format_time(int64_t seconds, char *out); /* KZ_CA_TIME_BYTES; "-" for 0 */
bool kz_ca_parse_time(const char *text, int64_t *out);

/* [a-z0-9][a-z0-9._-]{0,63}, as every name in a certificate. */
bool kz_ca_is_slug(const char *text);

#endif
