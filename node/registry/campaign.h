/* SPDX-License-Identifier: Apache-2.0 */
/* Verification campaigns (MODEL 1 and 2): which records owners are asked to confirm, and which they have. A record is
 * confirmed when a person verified it on or after the day the campaign started; so one `verify` counts for all that
 * are open. Derived, never stored. Reads no clock. Pure; any thread. Out of memory ends the process. */
#ifndef KZ_REGISTRY_CAMPAIGN_H
#define KZ_REGISTRY_CAMPAIGN_H

#include "node/registry/set.h"

bool kz_campaign_is_open(const Kz__Campaign *campaign);
/* Of the campaign's kind; and its owner is one of those asked, or below one, or all are asked. */
bool kz_campaign_asks(const struct kz_set *set, const Kz__Campaign *campaign, const Kz__Record *record);
bool kz_campaign_confirmed(const Kz__Campaign *campaign, const Kz__Record *record);

struct kz_campaign_item {
    const Kz__Record *record; /* borrowed from the set */
    const char *owner;        /* id of the organisation; "": nobody's; borrowed */
    bool confirmed;
};
struct kz_campaign_owner {
    const char *id; /* "": nobody's */
    size_t asked, confirmed;
};
struct kz_campaign_progress {
    struct kz_campaign_item *items; /* owned; all that are asked for, by owner, then id */
    size_t count, confirmed;
    struct kz_campaign_owner *owners; /* owned; by id */
    size_t owner_count;
};
/* The set holds the campaign's kind, and what says whose a record is (kz_record_owner). */
void kz_campaign_progress_init(struct kz_campaign_progress *progress, const struct kz_set *set,
                               const Kz__Campaign *campaign);
void kz_campaign_progress_fini(struct kz_campaign_progress *progress);

#endif
