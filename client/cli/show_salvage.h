/* SPDX-License-Identifier: Apache-2.0 */
/* A salvage record by record, with what each thing changed and how it stands to the present cluster. One thread. */
#ifndef KZ_CLIENT_CLI_SHOW_SALVAGE_H
#define KZ_CLIENT_CLI_SHOW_SALVAGE_H

#include "client/cli/salvage.h"
#include "client/cli/show.h"

struct kz_salvage_rows {
    const struct kz_view *view; /* borrowed */
    struct kz_buf out;
    json_t *items; /* NULL: for people */
    size_t count;
};

void kz_salvage_rows_begin(struct kz_salvage_rows *rows, const struct kz_view *view, const Kz__SalvageHead *head);
void kz_salvage_rows_add(struct kz_salvage_rows *rows, const Kz__SalvageItem *item, enum kz_salvage_verdict verdict,
                         const Kz__Record *current);
struct kz_buf *kz_salvage_rows_end(struct kz_salvage_rows *rows); /* borrowed until fini */
void kz_salvage_rows_fini(struct kz_salvage_rows *rows);

#endif
