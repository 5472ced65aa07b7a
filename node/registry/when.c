/* SPDX-License-Identifier: Apache-2.0 */
#include "node/registry/when.h"

#include <stdio.h>
#include <string.h>

#include "node/registry/schema_tables.h"
#include "node/registry/text.h"

#define YEAR_MIN 1868
#define YEAR_MAX 2199
#define JST_OFFSET_S (9 * KZ_HOUR_S)
#define WRITTEN_MAX_BYTES 128

/* ---- reading left to right; every `take` moves the cursor only when it succeeds ---- */

static bool take(const char **at, const char *text)
{
    size_t size = strlen(text);
    if (strncmp(*at, text, size) != 0) return false;
    *at += size;
    return true;
}

static void skip_spaces(const char **at)
{
    while (**at == ' ')
        (*at)++;
}

static bool take_number(const char **at, int digits_max, int64_t *out)
{
    int64_t value = 0;
    int digits = 0;
    while ((*at)[digits] >= '0' && (*at)[digits] <= '9') {
        if (digits == digits_max) return false;
        value = value * 10 + ((*at)[digits] - '0');
        digits++;
    }
    if (digits == 0) return false;
    *at += digits;
    *out = value;
    return true;
}

/* ---- durations ---- */

struct unit {
    int64_t size_s;
    const char *names[4]; /* longest first where one begins another */
};

static const struct unit units[] = {
    {KZ_WEEK_S, {"週間", "週", "w", NULL}},   {KZ_DAY_S, {"日間", "日", "d", NULL}}, {KZ_HOUR_S, {"時間", "h", NULL}},
    {KZ_MINUTE_S, {"分間", "分", "m", NULL}}, {1, {"秒間", "秒", "s", NULL}},
};
#define UNIT_COUNT (sizeof(units) / sizeof(units[0]))

/* The unit written at the cursor, not larger than `first`; UNIT_COUNT when none. */
static size_t take_unit(const char **at, size_t first)
{
    for (size_t i = first; i < UNIT_COUNT; i++)
        for (const char *const *name = units[i].names; *name != NULL; name++)
            if (take(at, *name)) return i;
    return UNIT_COUNT;
}

bool kz_duration_parse(const char *text, int64_t *out_s)
{
    char folded[WRITTEN_MAX_BYTES];
    if (!kz_text_fold(text, folded, sizeof(folded))) return false;
    const char *at = folded;
    int64_t total_s = 0;
    size_t next = 0;
    skip_spaces(&at);
    if (strcmp(at, "半日") == 0) {
        *out_s = 12 * KZ_HOUR_S;
        return true;
    }
    do {
        int64_t number = 0;
        if (!take_number(&at, 9, &number)) return false;
        skip_spaces(&at);
        size_t unit = take_unit(&at, next);
        if (unit == UNIT_COUNT) return false;
        total_s += number * units[unit].size_s;
        next = unit + 1;
        skip_spaces(&at);
    } while (*at != '\0');
    *out_s = total_s;
    return true;
}

void kz_duration_format(struct kz_buf *out, int64_t duration_s, bool japanese)
{
    static const char *const short_names[UNIT_COUNT][2] = {
        {"w", "週間"}, {"d", "日"}, {"h", "時間"}, {"m", "分"}, {"s", "秒"}};
    size_t unit = 0;
    if (duration_s == 0) unit = 3; /* 0m */
    while (duration_s % units[unit].size_s != 0)
        unit++;
    kz_buf_addf(out, "%lld%s", (long long)(duration_s / units[unit].size_s), short_names[unit][japanese ? 1 : 0]);
}

/* ---- dates: proleptic Gregorian, days since 1970-01-01 ---- */

static bool is_leap(int64_t year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

static bool is_civil(const struct kz_civil *civil)
{
    static const int month_days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (civil->year < YEAR_MIN || civil->year > YEAR_MAX || civil->month < 1 || civil->month > 12) return false;
    int64_t days = month_days[civil->month - 1] + (civil->month == 2 && is_leap(civil->year) ? 1 : 0);
    return civil->day >= 1 && civil->day <= days;
}

/* Years are counted from 1 March, so that the leap day is the last of its year. */
int64_t kz_days_from_civil(const struct kz_civil *civil)
{
    int64_t year = civil->year - (civil->month <= 2 ? 1 : 0);
    int64_t era = year / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (civil->month + (civil->month > 2 ? -3 : 9)) + 2) / 5 + civil->day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

struct kz_civil kz_civil_from_days(int64_t days)
{
    int64_t shifted = days + 719468;
    int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    int64_t day_of_era = shifted - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    struct kz_civil civil;
    civil.day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    civil.month = month_from_march + (month_from_march < 10 ? 3 : -9);
    civil.year = year_of_era + era * 400 + (civil.month <= 2 ? 1 : 0);
    return civil;
}

/* A date before its era's first day is a slip of the pen; one after its last (平成31年12月) is how people write
 * before the next era has a name. */
static const struct era {
    const char *name, *letter;
    int64_t year_zero;
    struct kz_civil first;
} eras[] = {
    {"令和", "r", 2018, {2019, 5, 1}},  {"平成", "h", 1988, {1989, 1, 8}},  {"昭和", "s", 1925, {1926, 12, 25}},
    {"大正", "t", 1911, {1912, 7, 30}}, {"明治", "m", 1867, {1868, 1, 25}},
};

static const struct era *take_era(const char **at)
{
    for (size_t i = 0; i < sizeof(eras) / sizeof(eras[0]); i++)
        if (take(at, eras[i].name) || take(at, eras[i].letter)) return &eras[i];
    return NULL;
}

/* Between year, month and day: one separator, the same twice; 年, 月 and 日 as a set. */
static bool take_month_and_day(const char **at, struct kz_civil *civil)
{
    static const char *const separators[] = {"-", "/", "."};
    skip_spaces(at);
    if (take(at, "年")) {
        skip_spaces(at);
        if (!take_number(at, 2, &civil->month) || !take(at, "月")) return false;
        skip_spaces(at);
        return take_number(at, 2, &civil->day) && take(at, "日");
    }
    for (size_t i = 0; i < sizeof(separators) / sizeof(separators[0]); i++)
        if (take(at, separators[i]))
            return take_number(at, 2, &civil->month) && take(at, separators[i]) && take_number(at, 2, &civil->day);
    return false;
}

static bool take_date(const char **at, struct kz_civil *civil)
{
    skip_spaces(at);
    const struct era *era = take_era(at);
    skip_spaces(at);
    if (era != NULL && take(at, "元")) {
        civil->year = 1;
    } else {
        const char *digits = *at;
        if (!take_number(at, 4, &civil->year)) return false;
        if (era == NULL && *at - digits != 4) return false;
        if (era != NULL && (civil->year < 1 || civil->year > 99)) return false;
    }
    if (era != NULL) civil->year += era->year_zero;
    if (!take_month_and_day(at, civil) || !is_civil(civil)) return false;
    return era == NULL || kz_days_from_civil(civil) >= kz_days_from_civil(&era->first);
}

static void write_date(const struct kz_civil *civil, char out[KZ_DATE_BYTES])
{
    out[0] = (char)('0' + civil->year / 1000);
    out[1] = (char)('0' + civil->year / 100 % 10);
    out[2] = (char)('0' + civil->year / 10 % 10);
    out[3] = (char)('0' + civil->year % 10);
    out[4] = '-';
    out[5] = (char)('0' + civil->month / 10);
    out[6] = (char)('0' + civil->month % 10);
    out[7] = '-';
    out[8] = (char)('0' + civil->day / 10);
    out[9] = (char)('0' + civil->day % 10);
    out[10] = '\0';
}

bool kz_date_parse(const char *text, char out[KZ_DATE_BYTES])
{
    char folded[WRITTEN_MAX_BYTES];
    struct kz_civil civil;
    if (!kz_text_fold(text, folded, sizeof(folded))) return false;
    const char *at = folded;
    if (!take_date(&at, &civil)) return false;
    skip_spaces(&at);
    if (*at != '\0') return false;
    write_date(&civil, out);
    return true;
}

bool kz_date_valid(const char *date)
{
    char canonical[KZ_DATE_BYTES];
    return kz_date_parse(date, canonical) && strcmp(date, canonical) == 0;
}

/* ---- times ---- */

struct clock {
    int64_t hour, minute, second, ms;
};

static bool take_fraction(const char **at, int64_t *out_ms)
{
    if (!take(at, ".")) return true;
    const char *digits = *at;
    int64_t value = 0;
    if (!take_number(at, 9, &value)) return false;
    for (int64_t scale = *at - digits; scale < 3; scale++)
        value *= 10;
    for (int64_t scale = *at - digits; scale > 3; scale--)
        value /= 10;
    *out_ms = value;
    return true;
}

static bool take_clock(const char **at, struct clock *clock)
{
    if (!take_number(at, 2, &clock->hour)) return false;
    if (take(at, "時")) {
        if (take_number(at, 2, &clock->minute) && !take(at, "分")) return false;
        if (take_number(at, 2, &clock->second) && !take(at, "秒")) return false;
    } else {
        if (!take(at, ":") || !take_number(at, 2, &clock->minute)) return false;
        if (take(at, ":") && (!take_number(at, 2, &clock->second) || !take_fraction(at, &clock->ms))) return false;
    }
    return clock->hour < 24 && clock->minute < 60 && clock->second < 60;
}

static bool take_offset(const char **at, int64_t *out_s)
{
    int64_t hours = 0, minutes = 0;
    skip_spaces(at);
    if (take(at, "z")) {
        *out_s = 0;
        return true;
    }
    bool west = take(at, "-");
    if (!west && !take(at, "+")) return true;
    const char *digits = *at;
    if (!take_number(at, 4, &hours)) return false;
    if (*at - digits == 4) { /* +0900 */
        minutes = hours % 100;
        hours /= 100;
    } else if (take(at, ":") && !take_number(at, 2, &minutes)) {
        return false;
    }
    if (hours > 14 || minutes > 59) return false;
    *out_s = (hours * KZ_HOUR_S + minutes * KZ_MINUTE_S) * (west ? -1 : 1);
    return true;
}

bool kz_time_parse(const char *text, int64_t *out_ms)
{
    char folded[WRITTEN_MAX_BYTES];
    struct kz_civil civil;
    struct clock clock = {0, 0, 0, 0};
    int64_t offset_s = JST_OFFSET_S;
    if (!kz_text_fold(text, folded, sizeof(folded))) return false;
    const char *at = folded;
    if (!take_date(&at, &civil)) return false;
    if (!take(&at, "t")) skip_spaces(&at);
    if (*at != '\0' && (!take_clock(&at, &clock) || !take_offset(&at, &offset_s))) return false;
    skip_spaces(&at);
    if (*at != '\0') return false;
    int64_t seconds = clock.hour * KZ_HOUR_S + clock.minute * KZ_MINUTE_S + clock.second;
    *out_ms = (kz_days_from_civil(&civil) * KZ_DAY_S + seconds - offset_s) * 1000 + clock.ms;
    return true;
}

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

void kz_time_format(struct kz_buf *out, int64_t time_ms)
{
    int64_t local_s = floor_div(time_ms, 1000) + JST_OFFSET_S;
    int64_t ms = time_ms - floor_div(time_ms, 1000) * 1000;
    int64_t days = floor_div(local_s, KZ_DAY_S);
    int64_t second = local_s - days * KZ_DAY_S;
    struct kz_civil civil = kz_civil_from_days(days);
    kz_buf_addf(out, "%04lld-%02lld-%02lldT%02lld:%02lld:%02lld", (long long)civil.year, (long long)civil.month,
                (long long)civil.day, (long long)(second / KZ_HOUR_S), (long long)(second / KZ_MINUTE_S % 60),
                (long long)(second % 60));
    if (ms != 0) kz_buf_addf(out, ".%03lld", (long long)ms);
    kz_buf_add_text(out, "+09:00");
}

/* ---- serial numbers of spreadsheets ---- */

#define SERIAL_MIN 10000
#define SERIAL_EPOCH_DAYS INT64_C(-25569) /* 1899-12-30: Excel counts a 1900-02-29 that never was */
#define SERIAL_DIGITS_MAX 6
#define FRACTION_DIGITS_MAX 15

/* Days and the seconds after their midnight. */
static bool parse_serial(const char *text, int64_t *out_days, int64_t *out_second)
{
    char folded[WRITTEN_MAX_BYTES];
    struct kz_civil civil;
    if (!kz_text_fold(text, folded, sizeof(folded))) return false;
    const char *at = folded;
    int64_t number = 0, scale = 1, fraction = 0;
    skip_spaces(&at);
    if (!take_number(&at, SERIAL_DIGITS_MAX, &number) || number < SERIAL_MIN) return false;
    if (take(&at, ".")) {
        const char *digits = at;
        if (!take_number(&at, FRACTION_DIGITS_MAX, &fraction)) return false;
        for (int64_t i = at - digits; i > 0; i--)
            scale *= 10;
    }
    skip_spaces(&at);
    *out_days = number + SERIAL_EPOCH_DAYS;
    civil = kz_civil_from_days(*out_days);
    if (*at != '\0' || !is_civil(&civil)) return false;
    /* Ten digits are a hundred-thousandth of a second: enough, and no overflow in the product. */
    for (; scale > INT64_C(10000000000); scale /= 10)
        fraction /= 10;
    *out_second = (fraction * KZ_DAY_S + scale / 2) / scale;
    return true;
}

bool kz_date_from_serial(const char *text, char out[KZ_DATE_BYTES])
{
    int64_t days = 0, second = 0;
    if (!parse_serial(text, &days, &second)) return false;
    struct kz_civil civil = kz_civil_from_days(days);
    write_date(&civil, out);
    return true;
}

bool kz_time_from_serial(const char *text, int64_t *out_ms)
{
    int64_t days = 0, second = 0;
    if (!parse_serial(text, &days, &second)) return false;
    *out_ms = (days * KZ_DAY_S + second - JST_OFFSET_S) * 1000;
    return true;
}
