/* SPDX-License-Identifier: Apache-2.0 */
#include "node/backup/keep.h"

#include <string.h>
#include <time.h>

#define DAY_S 86400
#define FIRST_MONDAY_DAYS 3 /* 1970-01-01 was a Thursday */

static bool read_number(const char **at, unsigned *out)
{
    unsigned number = 0;
    const char *begin = *at;
    for (; **at >= '0' && **at <= '9'; (*at)++) {
        number = number * 10 + (unsigned)(**at - '0');
        if (number > KZ_KEEP_MAX) return false;
    }
    *out = number;
    return *at > begin && number > 0;
}

bool kz_keep_parse(const char *text, struct kz_keep *out)
{
    memset(out, 0, sizeof *out);
    for (;;) {
        unsigned number;
        if (!read_number(&text, &number)) return false;
        unsigned *slot = *text == 'd'   ? &out->days
                         : *text == 'w' ? &out->weeks
                         : *text == 'm' ? &out->months
                                        : &out->last;
        if (slot != &out->last) text++;
        if (*slot) return false; /* twice */
        *slot = number;
        if (*text == '\0') return true;
        if (*text++ != ',') return false;
    }
}

static int64_t floor_divide(int64_t a, int64_t b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }
static int64_t day_of(int64_t local_s) { return floor_divide(local_s, DAY_S); }
static int64_t week_of(int64_t local_s) { return floor_divide(day_of(local_s) + FIRST_MONDAY_DAYS, 7); }

static int64_t month_of(int64_t local_s)
{
    struct tm parts;
    time_t time = (time_t)local_s;
    if (!gmtime_r(&time, &parts)) return 0;
    return (int64_t)parts.tm_year * 12 + parts.tm_mon;
}

/* The newest of each of the last `most` periods that have any. */
static void keep_periods(int64_t (*period)(int64_t), unsigned most, const int64_t *local_s, size_t count, bool *keep)
{
    unsigned kept = 0;
    for (size_t i = 0; i < count && kept < most; i++) {
        if (i > 0 && period(local_s[i]) == period(local_s[i - 1])) continue;
        keep[i] = true;
        kept++;
    }
}

void kz_keep_choose(const struct kz_keep *rule, const int64_t *local_s, size_t count, bool *keep)
{
    for (size_t i = 0; i < count; i++)
        keep[i] = i == 0 || i < rule->last;
    keep_periods(day_of, rule->days, local_s, count, keep);
    keep_periods(week_of, rule->weeks, local_s, count, keep);
    keep_periods(month_of, rule->months, local_s, count, keep);
}
