/* SPDX-License-Identifier: Apache-2.0 */
/* One page of a salvage, from a view and the outbox. Reads only. Loop thread. */
#ifndef KZ_SERVICE_SALVAGE_PAGE_H
#define KZ_SERVICE_SALVAGE_PAGE_H

#include "node/service/outbox.h"
#include "proto/service.pb-c.h"
#include "proto/wire.h"

#define KZ_SALVAGE_PAGE_MAX_BYTES (KZ_FRAME_MAX_BYTES / 2) /* unless one item is larger */
#define KZ_SALVAGE_PAGE_MAX 500u

struct kz_salvage_page {
    struct kz_view *view;           /* borrowed */
    const struct kz_outbox *outbox; /* borrowed */
    uint64_t common;                /* what lies at or below is shared */
    Kz__SalvageCursor cursor;       /* in: where to begin; out: where to go on; `after` points to `last_id` */
    bool done;                      /* out: that was all */
    Kz__SalvageItem *items[KZ_SALVAGE_PAGE_MAX]; /* owned */
    size_t count, size_bytes;
    char last_id[KZ_ID_MAX_BYTES + 1];
};

/* Fills the page. End it with kz_salvage_page_fini in any case. */
enum kz_code kz_salvage_page_fill(struct kz_salvage_page *page, struct kz_err *err) KZ_MUST_CHECK;
void kz_salvage_page_fini(struct kz_salvage_page *page);

#endif
