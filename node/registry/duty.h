/* SPDX-License-Identifier: Apache-2.0 */
/* Whom to call now for a role: its holder, then its deputies in order, each on the first channel that is answered at
 * this hour (G 2.8.1(1)-1 代行者, N 9(1)ウ 休日等についても整理を行う).
 * Pure: the caller says when "now" is; any thread. Borrows from the set. Out of memory ends the process. */
#ifndef KZ_REGISTRY_DUTY_H
#define KZ_REGISTRY_DUTY_H

#include "node/registry/calendar.h"

struct kz_duty_person {
    const Kz__Record *contact;
    bool deputy;
    const Kz__Contact__Channel *channel; /* the first valid now; NULL: none is */
};

struct kz_duty {
    struct kz_duty_person *persons; /* owned; in the order of calling; people who are not in the set are left out */
    size_t count;
    size_t first; /* the first with a channel now; SIZE_MAX: nobody can be reached */
};

/* BUSINESS on working days in business hours, NIGHT outside them on any day, HOLIDAY all day on holidays, ANY always;
 * hours that are not given count as ANY. */
bool kz_channel_valid(const Kz__Contact__Channel *channel, const struct kz_moment *moment);
/* The contact's first channel that is valid; NULL: none. */
const Kz__Contact__Channel *kz_contact_channel(const Kz__Contact *contact, const struct kz_moment *moment);

void kz_duty_init(struct kz_duty *duty, const struct kz_set *set, const Kz__Role *role, const struct kz_moment *moment);
void kz_duty_fini(struct kz_duty *duty);

#endif
