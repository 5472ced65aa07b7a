/* SPDX-License-Identifier: Apache-2.0 */
#include "node/registry/duty.h"

#include <stdlib.h>

#include "node/base/assert.h"

bool kz_channel_valid(const Kz__Contact__Channel *channel, const struct kz_moment *moment)
{
    if (!channel->has_hours) return true;
    switch (channel->hours) {
    case KZ__CONTACT__CHANNEL__HOURS__BUSINESS:
        return !moment->holiday && !moment->night;
    case KZ__CONTACT__CHANNEL__HOURS__NIGHT:
        return moment->night;
    case KZ__CONTACT__CHANNEL__HOURS__HOLIDAY:
        return moment->holiday;
    default:
        return true;
    }
}

const Kz__Contact__Channel *kz_contact_channel(const Kz__Contact *contact, const struct kz_moment *moment)
{
    for (size_t i = 0; i < contact->n_channels; i++)
        if (kz_channel_valid(contact->channels[i], moment)) return contact->channels[i];
    return NULL;
}

static void add_person(struct kz_duty *duty, const struct kz_set *set, const char *id, bool deputy,
                       const struct kz_moment *moment)
{
    const Kz__Record *contact = kz_set_find(set, KZ__KIND__CONTACT, id);
    if (contact == NULL) return;
    const Kz__Contact__Channel *channel = kz_contact_channel(contact->contact, moment);
    if (channel != NULL && duty->first == SIZE_MAX) duty->first = duty->count;
    duty->persons[duty->count++] = (struct kz_duty_person){contact, deputy, channel};
}

void kz_duty_init(struct kz_duty *duty, const struct kz_set *set, const Kz__Role *role, const struct kz_moment *moment)
{
    duty->count = 0;
    duty->first = SIZE_MAX;
    duty->persons = kz_must_alloc(role->n_deputies + 1, sizeof(duty->persons[0]));
    add_person(duty, set, role->holder, false, moment);
    for (size_t i = 0; i < role->n_deputies; i++)
        add_person(duty, set, role->deputies[i], true, moment);
}

void kz_duty_fini(struct kz_duty *duty)
{
    free(duty->persons);
    duty->persons = NULL;
    duty->count = 0;
}
