/* SPDX-License-Identifier: Apache-2.0 */
/* What `keizoku-ca show` prints: a certificate or CRL file in plain words, the index as a table. Reads, never
 * writes files. One thread. */
#ifndef KZ_TOOLS_CA_SHOW_H
#define KZ_TOOLS_CA_SHOW_H

#include "node/base/buf.h"
#include "node/base/err.h"
#include "tools/ca.h"

/* Every certificate or CRL of a PEM file. */
enum kz_code kz_ca_show_file(const char *path, struct kz_buf *out, struct kz_err *err) KZ_MUST_CHECK;

void kz_ca_show_index(const struct kz_ca *ca, struct kz_buf *out);
void kz_ca_show_entry(const struct kz_ca *ca, const struct kz_ca_entry *entry, struct kz_buf *out);

#endif
