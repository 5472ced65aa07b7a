/* SPDX-License-Identifier: Apache-2.0 */
#include "node/registry/event.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "node/base/assert.h"

bool kz_kind_is_event(Kz__Kind kind)
{
    const struct kz_kind *row = kz_kind_by_number(kind);
    return row != NULL && row->event;
}

bool kz_event_id(const char *origin, uint64_t seq, char out[KZ_ID_MAX_BYTES + 1])
{
    if (seq == 0 || strlen(origin) > KZ_ORIGIN_MAX_BYTES || !kz_id_valid(origin)) return false;
    int wrote = snprintf(out, KZ_ID_MAX_BYTES + 1, "%s.%" PRIu64, origin, seq);
    kz_assert(wrote > 0 && wrote <= (int)KZ_ID_MAX_BYTES);
    return true;
}

void kz_event_content(const Kz__Record *event, struct kz_buf *out)
{
    Kz__Record content = *event; /* shares all pointers; packed only */
    content.has_rev = 0;
    content.has_created_at = content.has_updated_at = content.has_verified_at = content.has_retired_at = 0;
    content.created_by = content.updated_by = content.verified_by = content.reason = NULL;
    content.has_origin_hash = 0;
    content.has_provisional = 0;
    kz_record_encode(&content, out);
}

bool kz_event_same(const Kz__Record *a, const Kz__Record *b)
{
    struct kz_buf left, right;
    kz_buf_init(&left, 0);
    kz_buf_init(&right, 0);
    kz_event_content(a, &left);
    kz_event_content(b, &right);
    kz_assert(!left.failed && !right.failed);
    bool same = left.size_bytes == right.size_bytes && memcmp(left.data, right.data, left.size_bytes) == 0;
    kz_buf_fini(&left);
    kz_buf_fini(&right);
    return same;
}

/* A text of an event's body; NULL when the kind is no event, or the field is absent or empty. */
static const char *body_text(const Kz__Record *event, const char *name)
{
    const struct kz_kind *kind = kz_kind_by_number(event->kind);
    const ProtobufCMessage *body = kz_record_body(event);
    if (kind == NULL || !kind->event || body == NULL) return NULL;
    const struct kz_field *field = kz_field_by_name(kind->fields, name);
    if (kz_value_count(body, field) == 0 || kz_value_text(body, field, 0)[0] == '\0') return NULL;
    return kz_value_text(body, field, 0);
}

const char *kz_event_corrects(const Kz__Record *event) { return body_text(event, "corrects"); }

bool kz_event_opens(const Kz__Record *event)
{
    return event->kind == KZ__KIND__INCIDENT && event->incident != NULL && body_text(event, "incident") == NULL &&
           kz_event_corrects(event) == NULL;
}

const char *kz_event_incident(const Kz__Record *event)
{
    return kz_event_opens(event) ? event->id : body_text(event, "incident");
}
