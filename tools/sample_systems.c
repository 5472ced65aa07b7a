/* SPDX-License-Identifier: Apache-2.0 */
/* Systems and what stands on them. Levels of need: the network, platforms on it, business systems on those; a business
 * system needs only business systems that were numbered before it and are wanted at most half as late, so that there is
 * no cycle and, with the times below, nobody misses an RTO (G 2.5.2(1)-3, -4). */
#include <inttypes.h>
#include <stddef.h>

#include "tools/sample.h"

#define HOUR_S 3600u
#define DAY_S (24 * HOUR_S)
#define NEEDS_TRIES 3    /* other business systems that are looked at */
#define NEEDS_PERCENT 45 /* of systems need one */
#define GAP_EVERY 16     /* systems: of one in so many a component has a gap, and a measure */
#define USES_PER_FUNCTION 3
#define DRILL_EVERY 10 /* systems */

/* ---- what is recomputed wherever it is needed ---- */

/* Percent of the business systems, then their RTO: fewer than a fifth are wanted within 3 hours (G 2.5.2(2)(a)). */
static const struct {
    uint32_t percent, rto_s;
    const char *rto, *estimate, *rpo;
} bands[] = {
    {7, 3 * HOUR_S, "3h", "45m", "1h"}, {12, 12 * HOUR_S, "12h", "3h", "12h"}, {12, DAY_S, "1d", "6h", "1d"},
    {32, 3 * DAY_S, "3d", "18h", "1d"}, {20, 7 * DAY_S, "1w", "42h", "1d"},    {12, 14 * DAY_S, "2w", "3d", "1d"},
    {5, 30 * DAY_S, "30d", "7d", "1d"},
};
#define BANDS (sizeof(bands) / sizeof(bands[0]))

static const struct kz_sample_theme works[] = {
    {"情報管理", "joho"},  {"電子申請", "shinsei"}, {"審査支援", "shinsa"}, {"台帳", "daicho"}, {"集計分析", "bunseki"},
    {"文書保存", "hozon"}, {"案内配信", "haishin"}, {"相談受付", "sodan"},  {"予約", "yoyaku"}, {"照会", "shokai"},
};
#define WORKS (sizeof(works) / sizeof(works[0]))

static uint32_t draw(const struct kz_sample *sample, uint32_t system, uint32_t number, uint32_t below)
{
    return kz_sample_draw(sample, KZ_STREAM_SYSTEM, system, number, below);
}

static bool is_platform(const struct kz_sample *sample, uint32_t system) { return system < sample->platforms; }
static const struct kz_sample_theme *theme_of(const struct kz_sample *sample, uint32_t system)
{
    return &kz_sample_themes[draw(sample, system, 0, KZ_SAMPLE_THEMES)];
}
static const struct kz_sample_theme *work_of(const struct kz_sample *sample, uint32_t system)
{
    return &works[draw(sample, system, 1, WORKS)];
}

static size_t band_of(const struct kz_sample *sample, uint32_t system)
{
    uint32_t percent = draw(sample, system, 2, 100);
    size_t band = 0;
    while (band + 1 < BANDS && percent >= bands[band].percent)
        percent -= bands[band++].percent;
    return band;
}

static uint32_t owner_of(const struct kz_sample *sample, uint32_t system)
{
    return is_platform(sample, system) ? 0 : draw(sample, system, 3, sample->divisions);
}

const char *kz_sample_system(const struct kz_sample *sample, uint32_t system, char out[KZ_SAMPLE_TEXT_BYTES])
{
    if (system == 0)
        snprintf(out, KZ_SAMPLE_TEXT_BYTES, "kikan-network");
    else if (system == 1)
        snprintf(out, KZ_SAMPLE_TEXT_BYTES, "ninsho-kiban");
    else if (is_platform(sample, system))
        snprintf(out, KZ_SAMPLE_TEXT_BYTES, "kasou-kiban-%" PRIu32, system - 1);
    else
        snprintf(out, KZ_SAMPLE_TEXT_BYTES, "%s-%s-%" PRIu32, theme_of(sample, system)->id, work_of(sample, system)->id,
                 system + 1);
    return out;
}

/* Unlike the id, two may be called the same: the number makes the difference. */
static const char *system_name(const struct kz_sample *sample, uint32_t system, char out[KZ_SAMPLE_TEXT_BYTES])
{
    if (system == 0)
        snprintf(out, KZ_SAMPLE_TEXT_BYTES, "基幹ネットワーク");
    else if (system == 1)
        snprintf(out, KZ_SAMPLE_TEXT_BYTES, "職員認証基盤");
    else if (is_platform(sample, system))
        snprintf(out, KZ_SAMPLE_TEXT_BYTES, "統合仮想基盤第%" PRIu32 "号", system - 1);
    else
        snprintf(out, KZ_SAMPLE_TEXT_BYTES, "%s%sシステム（%" PRIu32 "）", theme_of(sample, system)->name,
                 work_of(sample, system)->name, system + 1);
    return out;
}

static const char *rto_of(const struct kz_sample *sample, uint32_t system)
{
    return system == 0 ? "30m" : is_platform(sample, system) ? "1h" : bands[band_of(sample, system)].rto;
}

/* ---- systems ---- */

static void write_needs(const struct kz_sample *sample, uint32_t system)
{
    char id[KZ_SAMPLE_TEXT_BYTES];
    if (system == 0) return;
    fprintf(sample->out, "depends_on: [%s", kz_sample_system(sample, 0, id));
    if (!is_platform(sample, system)) {
        fprintf(sample->out, ", %s", kz_sample_system(sample, 1, id));
        uint32_t hosts = sample->platforms - 2;
        if (hosts > 0) fprintf(sample->out, ", %s", kz_sample_system(sample, 2 + draw(sample, system, 4, hosts), id));
        bool wants = kz_sample_draw(sample, KZ_STREAM_DEPENDS, system, 0, 100) < NEEDS_PERCENT;
        for (uint32_t try = 1; wants && system > sample->platforms && try <= NEEDS_TRIES; try++) {
            uint32_t before = system - sample->platforms;
            uint32_t other = sample->platforms + kz_sample_draw(sample, KZ_STREAM_DEPENDS, system, try, before);
            if (bands[band_of(sample, other)].rto_s * 2 > bands[band_of(sample, system)].rto_s) continue;
            fprintf(sample->out, ", %s", kz_sample_system(sample, other, id));
            break;
        }
    }
    fputs("]\n", sample->out);
}

static void write_placements(const struct kz_sample *sample, uint32_t system)
{
    static const char *const standby[] = {"HOT", "HOT", "WARM", "COLD", "COLD", "COLD", "COLD"};
    size_t band = is_platform(sample, system) ? 0 : band_of(sample, system);
    fprintf(sample->out,
            "placements:\n- {site: honchosha, primary: true, level: %u}\n- {site: %s, standby: %s, level: %u}\n",
            band < 3 ? 3u : 2u, band < 3 ? "daitai" : "enkaku", standby[band],
            band < 2   ? 4u
            : band < 3 ? 3u
                       : 2u);
}

static void write_system(const struct kz_sample *sample, uint32_t system)
{
    char id[KZ_SAMPLE_TEXT_BYTES], name[KZ_SAMPLE_TEXT_BYTES], org[KZ_SAMPLE_TEXT_BYTES];
    bool platform = is_platform(sample, system);
    size_t band = band_of(sample, system);
    uint32_t work = platform ? 0 : draw(sample, system, 1, WORKS);
    fprintf(sample->out,
            "---\nkind: system\nid: %s\nname: %s\nowner: %s\ntype: %s\nrto: %s\nrpo: %s\nrlo: %" PRIu32
            "\nestimated_recovery: %s\ninfluence: %s\nimportance: %s\nusers: %" PRIu32 "\n",
            kz_sample_system(sample, system, id), system_name(sample, system, name),
            kz_sample_division(owner_of(sample, system), org),
            platform    ? "PLATFORM"
            : work == 6 ? "COMMUNICATION"
                        : "BUSINESS",
            rto_of(sample, system), platform ? "1h" : bands[band].rpo, 50 + 10 * draw(sample, system, 5, 5),
            system == 0 ? "10m"
            : platform  ? "20m"
                        : bands[band].estimate,
            platform || band < 2 ? "LARGE"
            : band < 4           ? "MEDIUM"
                                 : "SMALL",
            platform || band < 2 ? "I" : "II", 20 + 10 * draw(sample, system, 6, 500));
    write_needs(sample, system);
    write_placements(sample, system);
    fprintf(sample->out, "vendors: [%s]\n", kz_sample_vendor(draw(sample, system, 7, sample->vendors), org));
}

void kz_sample_write_systems(const struct kz_sample *sample, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++)
        write_system(sample, i);
}

/* ---- functions ---- */

/* Of three systems, those that are wanted early enough for the function: its RTO is that of the first. */
void kz_sample_write_functions(const struct kz_sample *sample, uint32_t from, uint32_t to)
{
    char id[KZ_SAMPLE_TEXT_BYTES], org[KZ_SAMPLE_TEXT_BYTES];
    for (uint32_t first = from; first < to; first++) {
        if (is_platform(sample, first) || (first - sample->platforms) % USES_PER_FUNCTION != 0) continue;
        const struct kz_sample_theme *theme = theme_of(sample, first);
        size_t band = band_of(sample, first);
        fprintf(sample->out,
                "---\nkind: function\nid: gyomu-%" PRIu32 "\nname: %s%s業務\nowner: %s\nrto: %s\nrlo: 50\nimpacts:\n"
                "- {after: 1d, level: II}\n- {after: 1w, level: IV}\nfallback_half_day: 紙の受付簿で受け付ける\n"
                "fallback_one_day: 紙の受付簿で受け付け、翌日に登録する\nfallback_three_days: 他の局の窓口で代行する\n"
                "systems: [%s",
                first + 1, theme->name, work_of(sample, first)->name, kz_sample_division(owner_of(sample, first), org),
                bands[band].rto, kz_sample_system(sample, first, id));
        for (uint32_t other = first + 1; other < first + USES_PER_FUNCTION && other < sample->systems; other++)
            if (band_of(sample, other) <= band) fprintf(sample->out, ", %s", kz_sample_system(sample, other, id));
        fputs("]\n", sample->out);
    }
}

/* ---- components, measures ---- */

static bool has_gap(uint32_t system) { return system % GAP_EVERY == GAP_EVERY - 1; }

static uint32_t level_of(const struct kz_sample *sample, uint32_t system)
{
    return is_platform(sample, system) || band_of(sample, system) < 3 ? 3 : 2;
}

void kz_sample_write_components(const struct kz_sample *sample, uint32_t from, uint32_t to)
{
    static const struct {
        const char *id, *category, *name;
    } parts[] = {{"youin", "STAFF", "運用要員"},
                 {"kaisen", "NETWORK", "接続回線"},
                 {"server", "HARDWARE", "サーバ"},
                 {"data", "DATA_AREA", "データ領域"}};
    char id[KZ_SAMPLE_TEXT_BYTES];
    for (uint32_t i = from; i < to; i++) {
        uint32_t level = level_of(sample, i);
        for (uint32_t part = 0; part < sizeof(parts) / sizeof(parts[0]); part++) {
            kz_sample_system(sample, i, id);
            fprintf(sample->out,
                    "---\nkind: component\nid: %s.%s\nname: %s\nsystem: %s\ncategory: %s\ntarget_level: %" PRIu32
                    "\ncurrent_level: %" PRIu32 "\nsingle_point: false\nredundancy_group: %s\nsite: honchosha\n"
                    "quantity: 2\n",
                    id, parts[part].id, parts[part].name, id, parts[part].category, level,
                    has_gap(i) && part == 2 ? level - 1 : level, parts[part].id);
        }
    }
}

void kz_sample_write_measures(const struct kz_sample *sample, uint32_t from, uint32_t to)
{
    char id[KZ_SAMPLE_TEXT_BYTES], year[KZ_SAMPLE_TEXT_BYTES], org[KZ_SAMPLE_TEXT_BYTES];
    for (uint32_t i = from; i < to; i++) {
        if (!has_gap(i)) continue;
        kz_sample_system(sample, i, id);
        kz_sample_date(sample, 365, year);
        fprintf(sample->out,
                "---\nkind: measure\nid: %s.niju\nname: サーバの二重化\nstate: BUDGETED\nfiscal_year: %.4s\nowner: %s\n"
                "targets: [component/%s.server]\nsummary: 代替拠点に同じ構成のサーバを置く。\nlevel_after: %" PRIu32
                "\ncost: %" PRIu32 "\neffect: 本庁舎が使えなくても続けられる。\nresidual_risk: 二拠点の同時被災。\n",
                id, year, kz_sample_division(owner_of(sample, i), org), id, level_of(sample, i),
                1000000 * (1 + draw(sample, i, 8, 90)));
    }
}

/* ---- runbooks, backups, drills ---- */

static void write_approval(const struct kz_sample *sample, uint32_t division)
{
    char people[2][KZ_SAMPLE_TEXT_BYTES], days[2][KZ_SAMPLE_TEXT_BYTES];
    fprintf(sample->out, "state: APPROVED\nauthor: %s\napprover: %s\napproved_on: %s\nreview_due: %s\n",
            kz_sample_person(sample, division, people[0]),
            kz_sample_person(sample, (division + 1) % sample->people, people[1]), kz_sample_date(sample, -100, days[0]),
            kz_sample_date(sample, 265, days[1]));
}

static void write_runbook(const struct kz_sample *sample, uint32_t system)
{
    char id[KZ_SAMPLE_TEXT_BYTES], name[KZ_SAMPLE_TEXT_BYTES], org[KZ_SAMPLE_TEXT_BYTES];
    kz_sample_system(sample, system, id);
    kz_sample_division(owner_of(sample, system), org);
    fprintf(sample->out,
            "---\nkind: runbook\nid: fukkyu.%s\ntitle: %sの復旧\nphase: RECOVERY\nscope: [system/%s]\n"
            "trigger: 停止の報告を受けたとき\nsteps:\n"
            "- {title: 記録の保全, actor: fukkyu-%s, body: 画面とログを保存する, expected_time: 10m}\n"
            "- {title: 基盤の確認, actor: system-fukkyu, body: 依存先の復旧を確認する, expected_time: 10m, "
            "evidence_first: true}\n"
            "- {title: 起動, actor: fukkyu-%s, body: 手順書の順に起動する, expected_time: 20m, "
            "expected_result: 利用者が使える}\n"
            "- {title: 切り戻しの判断, actor: sagyo-sekininsha, body: 代替拠点から本庁舎へ切り戻す時期を決める, "
            "point: DECISION, expected_time: 10m}\n",
            id, system_name(sample, system, name), id, org, org);
    write_approval(sample, owner_of(sample, system));
}

void kz_sample_write_runbooks(const struct kz_sample *sample, uint32_t from, uint32_t to)
{
    if (from == 0) {
        fputs(
            "---\nkind: runbook\nid: restore\ntitle: リストア\nphase: RESTORE\ntrigger: データが失われたとき\nsteps:\n"
            "- {title: 世代の選択, actor: system-fukkyu, body: 感染前の世代を選ぶ, expected_time: 15m}\n"
            "- {title: リストア, actor: system-fukkyu, body: 検証用領域に戻して確認する, expected_time: 1h}\n",
            sample->out);
        write_approval(sample, 0);
    }
    for (uint32_t i = from; i < to; i++)
        write_runbook(sample, i);
}

void kz_sample_write_backups(const struct kz_sample *sample, uint32_t from, uint32_t to)
{
    char id[KZ_SAMPLE_TEXT_BYTES], name[KZ_SAMPLE_TEXT_BYTES], days[2][KZ_SAMPLE_TEXT_BYTES];
    for (uint32_t i = from; i < to; i++) {
        bool hourly = is_platform(sample, i) || band_of(sample, i) == 0;
        bool half_daily = !hourly && band_of(sample, i) == 1;
        uint32_t tested = kz_sample_draw(sample, KZ_STREAM_BACKUP, i, 0, 300);
        kz_sample_system(sample, i, id);
        fprintf(sample->out,
                "---\nkind: backup\nid: %s.backup\nname: %s\nsystem: %s\ntype: PRIMARY\ninterval: %s\n"
                "update_interval: 1d\nstart: \"02:00\"\nduration: 30m\nsize_gb: %" PRIu32
                "\nmethod: 全体を週次、差分を毎回\ncopies:\n"
                "- {site: honchosha, media: DISK, generations: 14, encrypted: true}\n"
                "- {site: enkaku, media: CLOUD, generations: 30, encrypted: true, immutable: true}\n"
                "last_success: %sT22:00:00+09:00\nlast_result: SUCCESS\n"
                "last_restore_test: {date: %s, duration: 20m, result: SUCCESS, environment: 検証用領域}\n"
                "runbooks: [restore]\noperator: joho-system-ka\n",
                id, system_name(sample, i, name), id,
                hourly       ? "1h"
                : half_daily ? "12h"
                             : "1d",
                10 + kz_sample_draw(sample, KZ_STREAM_BACKUP, i, 1, 2000), kz_sample_date(sample, -1, days[0]),
                kz_sample_date(sample, -(int64_t)tested - 1, days[1]));
    }
}

void kz_sample_write_drills(const struct kz_sample *sample, uint32_t from, uint32_t to)
{
    char id[KZ_SAMPLE_TEXT_BYTES], day[KZ_SAMPLE_TEXT_BYTES];
    for (uint32_t i = from; i < to; i++) {
        if (i % DRILL_EVERY != 0) continue;
        kz_sample_system(sample, i, id);
        fprintf(sample->out,
                "---\nkind: drill\nid: %s.kunren\ntitle: 復旧訓練\ntype: RESTORE\nstate: DONE\ndone_on: %s\n"
                "result: ACHIEVED\nscope: [system/%s, runbook/fukkyu.%s]\nparticipants: [role/system-fukkyu]\n"
                "criteria: 目標復旧時間以内に利用できること\nmeasured:\n- {system: %s, recovery: 20m}\n",
                id, kz_sample_date(sample, -40 - (int64_t)(i / DRILL_EVERY) % 200, day), id, id, id);
    }
}
