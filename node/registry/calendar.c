/* SPDX-License-Identifier: Apache-2.0 */
#include "node/registry/calendar.h"

#include <string.h>

#define JAPAN_OFFSET_MS (INT64_C(9) * 3600 * 1000)
#define MINUTE_MS INT64_C(60000)
#define DAY_MINUTES 1440
#define EQUINOX_EPOCH 1980
#define EQUINOX_PER_YEAR INT64_C(242194) /* millionths of a day */

/* 0 Sunday … 6 Saturday; 1970-01-01 was a Thursday. */
static int64_t weekday(int64_t days) { return ((days + 4) % 7 + 7) % 7; }

/* ---- 第2条 ---- */

static const struct {
    int month, day;
    struct kz_text name;
} fixed[] = {
    {1, 1, {"New Year's Day", "元日"}},
    {2, 11, {"Foundation Day", "建国記念の日"}},
    {2, 23, {"Emperor's Birthday", "天皇誕生日"}},
    {4, 29, {"Showa Day", "昭和の日"}},
    {5, 3, {"Constitution Day", "憲法記念日"}},
    {5, 4, {"Greenery Day", "みどりの日"}},
    {5, 5, {"Children's Day", "こどもの日"}},
    {8, 11, {"Mountain Day", "山の日"}},
    {11, 3, {"Culture Day", "文化の日"}},
    {11, 23, {"Labour Thanksgiving Day", "勤労感謝の日"}},
};

static const struct {
    int month, which; /* the which-th Monday */
    struct kz_text name;
} mondays[] = {
    {1, 2, {"Coming of Age Day", "成人の日"}},
    {7, 3, {"Marine Day", "海の日"}},
    {9, 3, {"Respect for the Aged Day", "敬老の日"}},
    {10, 2, {"Sports Day", "スポーツの日"}},
};

static const struct kz_text spring = {"Vernal Equinox Day", "春分の日"};
static const struct kz_text autumn = {"Autumnal Equinox Day", "秋分の日"};
static const struct kz_text substitute = {"substitute holiday", "振替休日"};
static const struct kz_text between = {"citizens' holiday", "国民の休日"};

/* 新こよみ便利帳: day = floor(first + 0.242194 * (year - 1980)) - floor((year - 1980) / 4), 1980 to 2099. */
static int64_t equinox(int64_t year, int64_t first_millionths)
{
    int64_t years = year - EQUINOX_EPOCH;
    return (first_millionths + EQUINOX_PER_YEAR * years) / 1000000 - years / 4;
}

/* A day that 第2条 names. */
static const struct kz_text *named_day(int64_t days)
{
    struct kz_civil day = kz_civil_from_days(days);
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
        if (day.month == fixed[i].month && day.day == fixed[i].day) return &fixed[i].name;
    for (size_t i = 0; i < sizeof(mondays) / sizeof(mondays[0]); i++)
        if (day.month == mondays[i].month && weekday(days) == 1 && (day.day + 6) / 7 == mondays[i].which)
            return &mondays[i].name;
    if (day.month == 3 && day.day == equinox(day.year, 20843100)) return &spring;
    if (day.month == 9 && day.day == equinox(day.year, 23248800)) return &autumn;
    return NULL;
}

const struct kz_text *kz_public_holiday(const struct kz_civil *day)
{
    int64_t days = kz_days_from_civil(day);
    const struct kz_text *name = named_day(days);
    if (name != NULL) return name;
    /* 第3条2項: the days before, back to a Sunday, are all named. */
    for (int64_t before = days - 1; named_day(before) != NULL; before--)
        if (weekday(before) == 0) return &substitute;
    return named_day(days - 1) != NULL && named_day(days + 1) != NULL ? &between : NULL;
}

/* ---- moments ---- */

void kz_calendar_init(struct kz_calendar *calendar, const struct kz_set *set)
{
    size_t count = 0;
    struct kz_setting_value value;
    const Kz__Record *const *settings = kz_set_kind(set, KZ__KIND__SETTING, &count);
    kz_setting_get(settings, count, "business.start", &value);
    calendar->start_minute = value.items[0];
    kz_setting_get(settings, count, "business.end", &value);
    calendar->end_minute = value.items[0];
    kz_setting_get(settings, count, "business.extra_holidays", &calendar->extra);
}

static bool is_extra(const struct kz_calendar *calendar, const struct kz_civil *day)
{
    int64_t yearly = day->month * 100 + day->day;
    for (size_t i = 0; i < calendar->extra.count; i++)
        if (calendar->extra.items[i] == yearly || calendar->extra.items[i] == day->year * 10000 + yearly) return true;
    return false;
}

struct kz_moment kz_calendar_moment(const struct kz_calendar *calendar, int64_t now_ms)
{
    struct kz_moment moment;
    int64_t minutes = (now_ms + JAPAN_OFFSET_MS) / MINUTE_MS;
    if ((now_ms + JAPAN_OFFSET_MS) % MINUTE_MS < 0) minutes--;
    int64_t days = minutes / DAY_MINUTES - (minutes % DAY_MINUTES < 0 ? 1 : 0);
    moment.day = kz_civil_from_days(days);
    moment.minute = minutes - days * DAY_MINUTES;
    moment.holiday = weekday(days) == 0 || weekday(days) == 6 || kz_public_holiday(&moment.day) != NULL ||
                     is_extra(calendar, &moment.day);
    moment.night = moment.minute < calendar->start_minute || moment.minute >= calendar->end_minute;
    return moment;
}
