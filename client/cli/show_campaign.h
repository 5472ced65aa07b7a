/* SPDX-License-Identifier: Apache-2.0 */
/* Verification campaigns as people and machines read them. Adds to `out`. One thread. */
#ifndef KZ_CLIENT_CLI_SHOW_CAMPAIGN_H
#define KZ_CLIENT_CLI_SHOW_CAMPAIGN_H

#include "client/cli/show.h"
#include "node/registry/campaign.h"

/* All of the set, each with how far it is. */
void kz_show_campaigns(const struct kz_view *view, const struct kz_set *set, const Kz__Meta *meta, struct kz_buf *out);
/* One: by owner how many are confirmed, then what is left to confirm. */
void kz_show_campaign(const struct kz_view *view, const struct kz_set *set, const Kz__Record *record,
                      const Kz__Meta *meta, struct kz_buf *out);

#endif
