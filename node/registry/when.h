/* SPDX-License-Identifier: Apache-2.0 */
/* Durations, dates and times as people write them: 3h, 2時間30分, 2026-01-17, 令和7年1月17日, R7.1.17. Times are ms
 * since the epoch, UTC; an offset that is not written is +09:00, Japan's only one. Never reads a clock.
 * Pure: any thread. */
#ifndef KZ_REGISTRY_WHEN_H
#define KZ_REGISTRY_WHEN_H

#include <stdbool.h>
#include <stdint.h>

#include "node/base/buf.h"

#define KZ_DATE_BYTES 11 /* YYYY-MM-DD and NUL */

/* w d h m s and 週間 日 時間 分 秒 (and 半日), largest first, each once: "2h30m", "1日12時間". Seconds out. */
bool kz_duration_parse(const char *text, int64_t *out_s);
/* The shortest exact form in one unit: 3h, 90m, 1w; 3時間, 90分, 1週間. Its own parse gives the same seconds. */
void kz_duration_format(struct kz_buf *out, int64_t duration_s, bool japanese);

/* YYYY-MM-DD, a day that exists, 1868 to 2199. */
bool kz_date_valid(const char *date);
/* 2026-01-17, 2026/1/17, 2026.1.17, 2026年1月17日, 令和7年1月17日, R7.1.17, 令和元年5月1日. */
bool kz_date_parse(const char *text, char out[KZ_DATE_BYTES]);

/* What a spreadsheet stores for a day: 45674 is 2025-01-17, a fraction is the hour (Japan's). Only where nothing else
 * can be meant: five digits or more (1927-05-18), 全角 too; a bare year is no serial. */
bool kz_date_from_serial(const char *text, char out[KZ_DATE_BYTES]);
bool kz_time_from_serial(const char *text, int64_t *out_ms);

/* A date, then T, a space or nothing, then 05:46[:12[.345]] or 5時46分[12秒], then Z, +09:00, or nothing. */
bool kz_time_parse(const char *text, int64_t *out_ms);
/* 2026-01-17T05:46:12+09:00; milliseconds only when there are some. */
void kz_time_format(struct kz_buf *out, int64_t time_ms);

/* A day of the calendar; month and day from 1. */
struct kz_civil {
    int64_t year, month, day;
};
/* Days since 1970-01-01; the day must exist. And back. */
int64_t kz_days_from_civil(const struct kz_civil *civil);
struct kz_civil kz_civil_from_days(int64_t days);

#endif
