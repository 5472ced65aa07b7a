/* SPDX-License-Identifier: Apache-2.0 */
/* Private to node/store: what the store thread tells the loop, as bytes in a buffer that changes hands. No locking:
 * the buffer belongs to one thread at a time. */
#ifndef KZ_STORE_COMPLETION_H
#define KZ_STORE_COMPLETION_H

#include "node/base/buf.h"
#include "node/store/writer.h"

enum kz_completion_type {
    KZ_COMPLETION_OUTCOME,
    KZ_COMPLETION_CONFIGURATION,
    KZ_COMPLETION_APPLIED,       /* bytes: struct kz_applied */
    KZ_COMPLETION_IMPORT_FAILED, /* bytes: struct kz_err */
    KZ_COMPLETION_DURABLE,
};

/* `number`: an index or a seq; `request_id` may be NULL. Out of memory ends the process. */
void kz_completion_add(struct kz_buf *to, enum kz_completion_type type, uint64_t number, const uint8_t *request_id,
                       const void *bytes, size_t size_bytes);

/* In the order added: either the applied states or everything else. */
void kz_completions_visit(const struct kz_buf *from, const struct kz_writer_visitor *visitor, bool states);

#endif
