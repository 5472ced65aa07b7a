/* SPDX-License-Identifier: Apache-2.0 */
/* The thresholds a registry may set for itself: ONE table of keys with unit, limits, default, source and labels. A
 * record of kind `setting` whose id is the key overrides the default; no such record means the default. What is not
 * in the table is refused. Pure and constant: any thread. */
#ifndef KZ_REGISTRY_SETTINGS_H
#define KZ_REGISTRY_SETTINGS_H

#include "node/registry/record.h"

enum kz_setting_type {
    KZ_SETTING_NUMBER,   /* a whole number */
    KZ_SETTING_PERCENT,  /* 0 to 100, "%" may follow */
    KZ_SETTING_DURATION, /* seconds; typed as 90d, 3時間 */
    KZ_SETTING_HOURS,    /* times of day in Japan, HH:MM, separated by commas; minutes of the day */
    KZ_SETTING_DAYS,     /* days of the year, MM-DD, or dates, YYYY-MM-DD, separated by commas */
};

#define KZ_SETTING_ITEMS_MAX 64 /* in a list of hours or days */

struct kz_setting {
    const char *key; /* the record's id */
    enum kz_setting_type type;
    int64_t min, max;   /* NUMBER, PERCENT, DURATION (s); lists: how many items */
    const char *preset; /* the default, as typed */
    const char *source; /* where the default comes from */
    struct kz_text label;
    struct kz_text help;
};

/* All of them, by key; *count. */
const struct kz_setting *kz_settings(size_t *count);
const struct kz_setting *kz_setting_by_key(const char *key);  /* NULL if unknown */
const struct kz_setting *kz_setting_nearest(const char *key); /* for "did you mean"; NULL when nothing is near */

struct kz_setting_value {
    int64_t number;                      /* NUMBER, PERCENT, DURATION */
    int64_t items[KZ_SETTING_ITEMS_MAX]; /* HOURS: minutes of the day; DAYS: YYYY * 10000 + MM * 100 + DD, YYYY 0
                                          * for every year */
    size_t count;
};

/* NULL when `text` is a value of the setting within its limits, else the reason (static). */
const struct kz_text *kz_setting_parse(const struct kz_setting *setting, const char *text,
                                       struct kz_setting_value *out);

/* The value that holds: of the live record among `records` (kind setting) whose id is `key`, else the default. `key`
 * must be in the table. A record that does not parse counts as absent: check refused it long before. */
void kz_setting_get(const Kz__Record *const *records, size_t count, const char *key, struct kz_setting_value *out);

#endif
