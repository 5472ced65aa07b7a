/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a moment is in business hours, at night or on a holiday in Japan.
 *
 * Public holidays are computed from 国民の祝日に関する法律 (昭和23年法律第178号) as in force from 2022: 第2条 the days,
 * 第3条2項 振替休日 (the next day that is none, when one falls on a Sunday), 第3条3項 a day between two of them. The
 * equinoxes follow 海上保安庁水路部 暦計算研究会編 新こよみ便利帳, whose formula holds until 2099; the law leaves them
 * to the announcement of each year. Days that a special law moved (2019 to 2021) are not known. Further days off, and
 * the hours, are settings of the registry (business.*). Pure: reads no clock; any thread. */
#ifndef KZ_REGISTRY_CALENDAR_H
#define KZ_REGISTRY_CALENDAR_H

#include "node/registry/set.h"
#include "node/registry/settings.h"
#include "node/registry/when.h"

/* The holiday's name; NULL: none. */
const struct kz_text *kz_public_holiday(const struct kz_civil *day);

struct kz_calendar {
    int64_t start_minute, end_minute; /* of business, minutes of the day */
    struct kz_setting_value extra;    /* further days off */
};

/* With the settings of the set, else their defaults. */
void kz_calendar_init(struct kz_calendar *calendar, const struct kz_set *set);

struct kz_moment {
    struct kz_civil day; /* in Japan */
    int64_t minute;      /* of that day */
    bool holiday;        /* Saturday, Sunday, public holiday or further day off */
    bool night;          /* before the start or from the end of business */
};

struct kz_moment kz_calendar_moment(const struct kz_calendar *calendar, int64_t now_ms);

#endif
