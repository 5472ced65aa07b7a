/* SPDX-License-Identifier: Apache-2.0 */
#include "node/store/completion.h"

#include <string.h>

#include "node/base/assert.h"

/* This head, then size_bytes bytes. */
struct event {
    enum kz_completion_type type;
    uint64_t number;
    uint8_t request_id[KZ_REQUEST_ID_BYTES];
    size_t size_bytes;
};

void kz_completion_add(struct kz_buf *to, enum kz_completion_type type, uint64_t number, const uint8_t *request_id,
                       const void *bytes, size_t size_bytes)
{
    struct event event = {.type = type, .number = number, .size_bytes = size_bytes};
    if (request_id != NULL) memcpy(event.request_id, request_id, KZ_REQUEST_ID_BYTES);
    kz_buf_add(to, &event, sizeof(event));
    kz_buf_add(to, bytes, size_bytes);
    kz_assert(!to->failed);
}

static void visit(const struct kz_writer_visitor *visitor, const struct event *event, const uint8_t *bytes)
{
    switch (event->type) {
    case KZ_COMPLETION_OUTCOME:
        if (visitor->outcome != NULL)
            visitor->outcome(visitor->data, event->number, event->request_id, bytes, event->size_bytes);
        break;
    case KZ_COMPLETION_CONFIGURATION:
        if (visitor->configuration != NULL)
            visitor->configuration(visitor->data, event->number, bytes, event->size_bytes);
        break;
    case KZ_COMPLETION_APPLIED:
        if (visitor->applied != NULL) {
            struct kz_applied applied; /* out of the buffer, which aligns nothing */
            memcpy(&applied, bytes, sizeof(applied));
            visitor->applied(visitor->data, &applied);
        }
        break;
    case KZ_COMPLETION_IMPORT_FAILED:
        if (visitor->import_failed != NULL) {
            struct kz_err err;
            memcpy(&err, bytes, sizeof(err));
            visitor->import_failed(visitor->data, event->number, &err);
        }
        break;
    case KZ_COMPLETION_DURABLE:
        if (visitor->durable != NULL) visitor->durable(visitor->data, event->number);
        break;
    }
}

void kz_completions_visit(const struct kz_buf *from, const struct kz_writer_visitor *visitor, bool states)
{
    for (size_t at = 0; at < from->size_bytes;) {
        struct event event;
        memcpy(&event, from->data + at, sizeof(event));
        if ((event.type == KZ_COMPLETION_APPLIED) == states) visit(visitor, &event, from->data + at + sizeof(event));
        at += sizeof(event) + event.size_bytes;
    }
}
