/* SPDX-License-Identifier: Apache-2.0 */
#include "node/registry/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/registry/codes.h"
#include "node/registry/schema_tables.h"
#include "node/registry/text.h"
#include "node/registry/when.h"

#define VALUE_MAX_BYTES 1024
#define NEAR_EDITS_MAX 5
#define ONE_DAY_S (24 * KZ_HOUR_S)
#define TEN_YEARS_S (10 * KZ_YEAR_S)

static const struct kz_setting settings[] = {
    {"backup.daily_when_changed_every",
     KZ_SETTING_DURATION,
     KZ_HOUR_S,
     KZ_YEAR_S,
     "84h",
     "B Step2(ア)a",
     {"data that calls for a daily backup", "日次バックアップを求めるデータの更新頻度"},
     {"Data changed or read at least this often is backed up daily; twice a week is 84h",
      "この間隔以内に更新・参照されるデータは日次で取得する。週2回は84時間"}},
    {"backup.late_intervals",
     KZ_SETTING_NUMBER,
     1,
     100,
     "2",
     "G 2.7.1",
     {"intervals until a backup is late", "バックアップが遅れとなる間隔の数"},
     {"The last success may be this many intervals old", "最終成功がこの回数分の間隔より古ければ遅れとする"}},
    {"backup.restore_test_every",
     KZ_SETTING_DURATION,
     ONE_DAY_S,
     TEN_YEARS_S,
     "365d",
     "G 2.9.1(1)-3",
     {"restore tests", "リストアテストの間隔"},
     {"How often a restore is tested", "リストアテストを行う間隔"}},
    {"backup.tape_generations",
     KZ_SETTING_NUMBER,
     1,
     1000,
     "5",
     "B Step2(ア)b",
     {"generations on tape", "テープの世代数"},
     {"At least this many", "少なくともこの世代数を残す"}},
    {"business.end",
     KZ_SETTING_HOURS,
     1,
     1,
     "17:15",
     "keizoku",
     {"end of business", "業務終了時刻"},
     {"From here on it is night", "この時刻から夜間とする"}},
    {"business.extra_holidays",
     KZ_SETTING_DAYS,
     0,
     KZ_SETTING_ITEMS_MAX,
     "12-29,12-30,12-31,01-02,01-03",
     "行政機関の休日に関する法律 第1条",
     {"further holidays", "追加の休日"},
     {"Days off besides Saturdays, Sundays and public holidays", "土日・国民の祝日のほかの休日"}},
    {"business.start",
     KZ_SETTING_HOURS,
     1,
     1,
     "08:30",
     "keizoku",
     {"start of business", "業務開始時刻"},
     {"Until here it is night", "この時刻まで夜間とする"}},
    {"certificate.warn_before",
     KZ_SETTING_DURATION,
     ONE_DAY_S,
     KZ_YEAR_S,
     "90d",
     "P (カ)",
     {"certificate warning", "証明書の期限の予告"},
     {"Certificates that expire within this time are reported", "この期間内に切れる証明書を知らせる"}},
    {"contact.verify_every",
     KZ_SETTING_DURATION,
     ONE_DAY_S,
     TEN_YEARS_S,
     "90d",
     "G 2.7.1",
     {"verification of contacts", "連絡先の確認の間隔"},
     {"A contact not verified for this long is reported", "この期間確認されていない連絡先を知らせる"}},
    {"drill.every.call",
     KZ_SETTING_DURATION,
     ONE_DAY_S,
     TEN_YEARS_S,
     "365d",
     "G 2.9.1",
     {"call drills", "連絡訓練の間隔"},
     {"How often calling everybody is drilled", "連絡訓練を行う間隔"}},
    {"drill.every.procedure",
     KZ_SETTING_DURATION,
     ONE_DAY_S,
     TEN_YEARS_S,
     "365d",
     "G 2.9.1(1)-2",
     {"drills of procedures", "手順書確認訓練の間隔"},
     {"How often procedures are read through together", "手順書確認訓練を行う間隔"}},
    {"drill.every.restore",
     KZ_SETTING_DURATION,
     ONE_DAY_S,
     TEN_YEARS_S,
     "365d",
     "G 2.9.1(1)-3",
     {"restore drills", "復旧訓練の間隔"},
     {"How often systems are restored on real machines", "情報システム復旧訓練を行う間隔"}},
    {"drill.every.switchover",
     KZ_SETTING_DURATION,
     ONE_DAY_S,
     TEN_YEARS_S,
     "365d",
     "G 表2.9-2",
     {"switchover drills", "切り替え訓練の間隔"},
     {"How often switching over is drilled", "情報システム切り替え訓練を行う間隔"}},
    {"drill.every.unannounced",
     KZ_SETTING_DURATION,
     ONE_DAY_S,
     TEN_YEARS_S,
     "365d",
     "G 表2.9-1",
     {"unannounced drills", "シナリオ非提示型訓練の間隔"},
     {"How often a drill has no announced scenario", "シナリオ非提示型訓練を行う間隔"}},
    {"recovery.teams",
     KZ_SETTING_NUMBER,
     0,
     1000,
     "0",
     "N 4(7)",
     {"recovery teams", "復旧班の数"},
     {"How many systems are recovered at the same time; 0: every owner recovers its own",
      "同時に復旧作業を行えるシステムの数。0は各主管課が並行して行う"}},
    {"report.hours",
     KZ_SETTING_HOURS,
     1,
     24,
     "08:15,12:00,16:00",
     "N 3(4)①ア",
     {"report hours", "定時連絡の時刻"},
     {"When a report is due while an incident is activated", "発動中に定時の報告を行う時刻"}},
    {"review.every",
     KZ_SETTING_DURATION,
     ONE_DAY_S,
     TEN_YEARS_S,
     "365d",
     "G 2.9.2(1)",
     {"reviews", "見直しの間隔"},
     {"How often the plan is reviewed", "計画の見直しを行う間隔"}},
    {"role.first_positions_max",
     KZ_SETTING_NUMBER,
     1,
     100,
     "2",
     "G 2.8.1(1)-5",
     {"first positions of one person", "一人が持つ担当の上限"},
     {"A person who holds more roles than this is reported", "これより多くの役割の担当者となる人を知らせる"}},
    {"runbook.drill_every",
     KZ_SETTING_DURATION,
     ONE_DAY_S,
     TEN_YEARS_S,
     "365d",
     "G 2.9.1(1)-2",
     {"drills of each runbook", "手順書ごとの訓練の間隔"},
     {"A runbook not drilled for this long is reported", "この期間訓練していない手順書を知らせる"}},
    {"system.s_share_max",
     KZ_SETTING_PERCENT,
     0,
     100,
     "20",
     "G 2.5.2(2)(a)",
     {"share of S systems", "優先度Sの割合の上限"},
     {"More systems of priority S than this share are reported", "優先度Sのシステムがこの割合を超えたら知らせる"}},
    {"vendor.distance_min_km",
     KZ_SETTING_NUMBER,
     0,
     20000,
     "30",
     "B 表-30",
     {"distance of vendors (km)", "委託先との距離 (km)"},
     {"A vendor nearer than this may be struck by the same disaster", "これより近い委託先は同時被災のおそれがある"}},
};

#define SETTING_COUNT (sizeof(settings) / sizeof(settings[0]))

const struct kz_setting *kz_settings(size_t *count)
{
    *count = SETTING_COUNT;
    return settings;
}

const struct kz_setting *kz_setting_by_key(const char *key)
{
    for (size_t i = 0; i < SETTING_COUNT; i++)
        if (strcmp(settings[i].key, key) == 0) return &settings[i];
    return NULL;
}

const struct kz_setting *kz_setting_nearest(const char *key)
{
    const struct kz_setting *nearest = NULL;
    size_t best = NEAR_EDITS_MAX + 1;
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        size_t distance = kz_text_distance(key, settings[i].key);
        if (distance >= best) continue;
        best = distance;
        nearest = &settings[i];
    }
    return nearest;
}

/* ---- values ---- */

static const struct kz_text not_number = {"not a whole number within the limits",
                                          "上限・下限の範囲の整数ではありません"};
static const struct kz_text not_percent = {"not a percentage from 0 to 100", "0から100までの割合ではありません"};
static const struct kz_text not_duration = {
    "not a duration within the limits; write e.g. 90d, 3h",
    "上限・下限の範囲の時間の長さではありません。90日、3時間 のように書いてください"};
static const struct kz_text not_hours = {"not times of day; write e.g. 08:15,12:00",
                                         "時刻ではありません。08:15,12:00 のように書いてください"};
static const struct kz_text not_days = {"not days; write e.g. 12-29,2027-01-04",
                                        "日付ではありません。12-29,2027-01-04 のように書いてください"};
static const struct kz_text bad_count = {"too many or too few items", "項目の数が多すぎるか少なすぎます"};
static const struct kz_text too_long = {"too long, or not UTF-8", "長すぎるか、UTF-8ではありません"};

static bool parse_number(char *text, bool percent, int64_t *out)
{
    char *end = NULL;
    size_t size = strlen(text);
    if (percent && size > 0 && text[size - 1] == '%') text[size - 1] = '\0';
    if (text[0] < '0' || text[0] > '9') return false;
    *out = strtoll(text, &end, 10);
    return *end == '\0';
}

static bool parse_item(enum kz_setting_type type, const char *text, int64_t *out)
{
    int year = 0, month = 0, day = 0;
    if (type == KZ_SETTING_HOURS) {
        if (!kz_code_is_hour_minute(text)) return false;
        *out = ((text[0] - '0') * 10 + text[1] - '0') * 60 + (text[3] - '0') * 10 + text[4] - '0';
        return true;
    }
    if (kz_code_is_month_day(text)) {
        if (sscanf(text, "%2d-%2d", &month, &day) != 2) return false;
    } else if (!kz_date_valid(text) || sscanf(text, "%4d-%2d-%2d", &year, &month, &day) != 3) {
        return false;
    }
    *out = year * 10000 + month * 100 + day;
    return true;
}

static const struct kz_text *parse_list(const struct kz_setting *setting, char *text, struct kz_setting_value *out)
{
    char *rest = NULL;
    for (char *item = strtok_r(text, ", ", &rest); item != NULL; item = strtok_r(NULL, ", ", &rest)) {
        if (out->count == KZ_SETTING_ITEMS_MAX) return &bad_count;
        if (!parse_item(setting->type, item, &out->items[out->count]))
            return setting->type == KZ_SETTING_HOURS ? &not_hours : &not_days;
        out->count++;
    }
    bool fits = (int64_t)out->count >= setting->min && (int64_t)out->count <= setting->max;
    return fits ? NULL : &bad_count;
}

const struct kz_text *kz_setting_parse(const struct kz_setting *setting, const char *text, struct kz_setting_value *out)
{
    char narrow[VALUE_MAX_BYTES];
    bool parsed = false;
    memset(out, 0, sizeof(*out));
    if (!kz_text_narrow(text, narrow, sizeof(narrow))) return &too_long;
    switch (setting->type) {
    case KZ_SETTING_HOURS:
    case KZ_SETTING_DAYS:
        return parse_list(setting, narrow, out);
    case KZ_SETTING_DURATION:
        parsed = kz_duration_parse(narrow, &out->number);
        break;
    case KZ_SETTING_NUMBER:
    case KZ_SETTING_PERCENT:
        parsed = parse_number(narrow, setting->type == KZ_SETTING_PERCENT, &out->number);
        break;
    }
    if (parsed && out->number >= setting->min && out->number <= setting->max) return NULL;
    if (setting->type == KZ_SETTING_DURATION) return &not_duration;
    return setting->type == KZ_SETTING_PERCENT ? &not_percent : &not_number;
}

void kz_setting_get(const Kz__Record *const *records, size_t count, const char *key, struct kz_setting_value *out)
{
    const struct kz_setting *setting = kz_setting_by_key(key);
    kz_assert(setting != NULL);
    for (size_t i = 0; i < count; i++) {
        const Kz__Record *record = records[i];
        if (record->kind != KZ__KIND__SETTING || record->has_retired_at || strcmp(record->id, key) != 0) continue;
        const char *value = record->setting == NULL ? NULL : record->setting->value;
        if (value != NULL && kz_setting_parse(setting, value, out) == NULL) return;
    }
    kz_assert(kz_setting_parse(setting, setting->preset, out) == NULL);
}
