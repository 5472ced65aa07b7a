/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sample.h"

#include <inttypes.h>
#include <stddef.h>

#include "node/base/assert.h"
#include "node/registry/when.h"

#define SYSTEMS_PER_PLATFORM 40u
#define PEOPLE_PER_DIVISION 12u
#define SYSTEMS_PER_VENDOR 20u
#define DIVISIONS_MAX 2000u
#define VENDORS_MAX 500u
#define PLAN_ROLES 12u

/* ---- numbers ---- */

/* splitmix64: S. Vigna, public domain. */
static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

uint32_t kz_sample_draw(const struct kz_sample *sample, enum kz_sample_stream stream, uint32_t index, uint32_t draw,
                        uint32_t below)
{
    uint64_t number = mix(sample->seed);
    number = mix(number ^ ((uint64_t)stream << 32 | index));
    number = mix(number ^ draw);
    return (uint32_t)(number % below);
}

const char *kz_sample_date(const struct kz_sample *sample, int64_t days_from_today, char out[KZ_SAMPLE_TEXT_BYTES])
{
    struct kz_civil day = kz_civil_from_days(sample->today + days_from_today);
    snprintf(out, KZ_SAMPLE_TEXT_BYTES, "%04" PRId64 "-%02" PRId64 "-%02" PRId64, day.year, day.month, day.day);
    return out;
}

static uint32_t clamp(uint32_t value, uint32_t least, uint32_t most)
{
    return value < least ? least : value > most ? most : value;
}

void kz_sample_init(struct kz_sample *sample)
{
    kz_assert(sample->systems >= 1 && sample->systems <= KZ_SAMPLE_SYSTEMS_MAX);
    kz_assert(sample->contacts >= KZ_SAMPLE_CONTACTS_MIN && sample->contacts <= KZ_SAMPLE_CONTACTS_MAX);
    uint32_t platforms = 2 + (sample->systems + SYSTEMS_PER_PLATFORM - 1) / SYSTEMS_PER_PLATFORM;
    sample->platforms = clamp(platforms, 1, sample->systems);
    sample->vendors = clamp(sample->systems / SYSTEMS_PER_VENDOR, 2, VENDORS_MAX);
    sample->vendors = clamp(sample->vendors, 2, sample->contacts / 4);
    sample->people = sample->contacts - sample->vendors;
    sample->divisions = clamp(sample->people / PEOPLE_PER_DIVISION, 2, DIVISIONS_MAX);
}

/* ---- names ---- */

const struct kz_sample_theme kz_sample_themes[KZ_SAMPLE_THEMES] = {
    {"予算", "yosan"},  {"統計", "tokei"},    {"許認可", "kyoninka"}, {"給付", "kyufu"},  {"人事", "jinji"},
    {"文書", "bunsho"}, {"調達", "chotatsu"}, {"広報", "koho"},       {"監査", "kansa"},  {"国際", "kokusai"},
    {"法令", "horei"},  {"研究", "kenkyu"},   {"地域", "chiiki"},     {"産業", "sangyo"}, {"環境", "kankyo"},
    {"防災", "bosai"},  {"衛生", "eisei"},    {"教育", "kyoiku"},     {"交通", "kotsu"},  {"農林", "norin"},
    {"河川", "kasen"},  {"年金", "nenkin"},   {"登記", "toki"},       {"検査", "kensa"},
};

struct name {
    const char *written, *kana, *id;
};
static const struct name surnames[] = {
    {"青柳", "あおやぎ", "aoyagi"},     {"赤城", "あかぎ", "akagi"},           {"浅海", "あさみ", "asami"},
    {"芦屋", "あしや", "ashiya"},       {"天野", "あまの", "amano"},           {"有明", "ありあけ", "ariake"},
    {"五十嵐", "いがらし", "igarashi"}, {"石蕗", "つわぶき", "tsuwabuki"},     {"泉", "いずみ", "izumi"},
    {"岩井", "いわい", "iwai"},         {"梅沢", "うめざわ", "umezawa"},       {"榎本", "えのもと", "enomoto"},
    {"大河", "おおかわ", "okawa"},      {"小笠原", "おがさわら", "ogasawara"}, {"柏木", "かしわぎ", "kashiwagi"},
    {"風間", "かざま", "kazama"},       {"神﨑", "かんざき", "kanzaki"},       {"菊池", "きくち", "kikuchi"},
    {"桐島", "きりしま", "kirishima"},  {"草野", "くさの", "kusano"},          {"栗原", "くりはら", "kurihara"},
    {"小雪", "こゆき", "koyuki"},       {"桜田", "さくらだ", "sakurada"},      {"沢渡", "さわたり", "sawatari"},
    {"霜月", "しもつき", "shimotsuki"}, {"白浜", "しらはま", "shirahama"},     {"杉浦", "すぎうら", "sugiura"},
    {"瀬戸", "せと", "seto"},           {"髙瀬", "たかせ", "takase"},          {"滝川", "たきがわ", "takigawa"},
    {"橘", "たちばな", "tachibana"},    {"月岡", "つきおか", "tsukioka"},      {"椿", "つばき", "tsubaki"},
    {"遠野", "とおの", "tono"},         {"永瀬", "ながせ", "nagase"},          {"夏目", "なつめ", "natsume"},
    {"西園", "にしぞの", "nishizono"},  {"野々宮", "ののみや", "nonomiya"},    {"萩原", "はぎわら", "hagiwara"},
    {"氷室", "ひむろ", "himuro"},       {"藤枝", "ふじえだ", "fujieda"},       {"星川", "ほしかわ", "hoshikawa"},
    {"真砂", "まさご", "masago"},       {"水無瀬", "みなせ", "minase"},        {"望月", "もちづき", "mochizuki"},
    {"柳瀬", "やなせ", "yanase"},       {"雪村", "ゆきむら", "yukimura"},      {"吉水", "よしみず", "yoshimizu"},
    {"六角", "ろっかく", "rokkaku"},    {"若葉", "わかば", "wakaba"},
};
static const struct name given_names[] = {
    {"葵", "あおい", ""},     {"明日香", "あすか", ""}, {"一樹", "かずき", ""},   {"恵", "めぐみ", ""},
    {"薫", "かおる", ""},     {"健吾", "けんご", ""},   {"浩二", "こうじ", ""},   {"早苗", "さなえ", ""},
    {"翔太", "しょうた", ""}, {"千尋", "ちひろ", ""},   {"司", "つかさ", ""},     {"直人", "なおと", ""},
    {"望", "のぞみ", ""},     {"春香", "はるか", ""},   {"光", "ひかる", ""},     {"文子", "ふみこ", ""},
    {"誠", "まこと", ""},     {"美咲", "みさき", ""},   {"実", "みのる", ""},     {"友紀", "ゆき", ""},
    {"由美子", "ゆみこ", ""}, {"陽介", "ようすけ", ""}, {"良子", "りょうこ", ""}, {"渉", "わたる", ""},
};
static const char *const vendor_words[] = {"見本", "架空", "例示", "仮称", "試作", "模擬", "想定", "雛形"};
static const char *const vendor_trades[] = {"システムズ", "ネットワーク", "データセンター", "ソフトウェア",
                                            "保守サービス"};
static const char *const division_works[] = {"企画", "管理", "調整", "推進", "審査",
                                             "指導", "計画", "支援", "監理", "業務"};
#define COUNT_OF(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

const char *kz_sample_division(uint32_t division, char out[KZ_SAMPLE_TEXT_BYTES])
{
    if (division == 0)
        snprintf(out, KZ_SAMPLE_TEXT_BYTES, "joho-system-ka");
    else
        snprintf(out, KZ_SAMPLE_TEXT_BYTES, "%s-ka-%" PRIu32, kz_sample_themes[(division - 1) % KZ_SAMPLE_THEMES].id,
                 (division - 1) / KZ_SAMPLE_THEMES + 1);
    return out;
}

static const struct name *surname_of(const struct kz_sample *sample, uint32_t person)
{
    return &surnames[kz_sample_draw(sample, KZ_STREAM_NAME, person, 0, COUNT_OF(surnames))];
}

const char *kz_sample_person(const struct kz_sample *sample, uint32_t person, char out[KZ_SAMPLE_TEXT_BYTES])
{
    snprintf(out, KZ_SAMPLE_TEXT_BYTES, "%s-%" PRIu32, surname_of(sample, person)->id, person + 1);
    return out;
}

const char *kz_sample_vendor(uint32_t vendor, char out[KZ_SAMPLE_TEXT_BYTES])
{
    snprintf(out, KZ_SAMPLE_TEXT_BYTES, "itaku-%" PRIu32, vendor + 1);
    return out;
}

/* ---- organisations and places ---- */

static void write_division(const struct kz_sample *sample, uint32_t division)
{
    char id[KZ_SAMPLE_TEXT_BYTES];
    kz_sample_division(division, id);
    if (division == 0) {
        fprintf(sample->out, "---\nkind: org\nid: %s\nname: 情報システム課\ntype: DIVISION\nparent: kanbo\n", id);
        return;
    }
    const struct kz_sample_theme *theme = &kz_sample_themes[(division - 1) % KZ_SAMPLE_THEMES];
    uint32_t round = (division - 1) / KZ_SAMPLE_THEMES, works = COUNT_OF(division_works);
    fprintf(sample->out, "---\nkind: org\nid: %s\nname: %s%s", id, theme->name, division_works[round % works]);
    if (round >= works) fprintf(sample->out, "第%" PRIu32, round / works + 1);
    fprintf(sample->out, "課\ntype: DIVISION\nparent: %s-kyoku\n", theme->id);
}

static void write_vendor(const struct kz_sample *sample, uint32_t vendor)
{
    char id[KZ_SAMPLE_TEXT_BYTES], until[KZ_SAMPLE_TEXT_BYTES];
    uint32_t trade = vendor / COUNT_OF(vendor_words);
    fprintf(sample->out, "---\nkind: org\nid: %s\nname: 株式会社%s%s", kz_sample_vendor(vendor, id),
            vendor_words[vendor % COUNT_OF(vendor_words)], vendor_trades[trade % COUNT_OF(vendor_trades)]);
    if (trade >= COUNT_OF(vendor_trades)) fprintf(sample->out, "%" PRIu32, trade / COUNT_OF(vendor_trades) + 1);
    fprintf(sample->out,
            "\ntype: VENDOR\ncontract:\n  sla: true\n  sla_note: 障害の連絡から2時間以内に着手\n  muster: 2h\n"
            "  substitute: true\n  substitute_note: 代替機を翌営業日までに搬入\n  same_disaster_area: false\n"
            "  distance_km: %" PRIu32 "\n  offices:\n  - {name: 西日本支援センター, phone: \"06-0%03" PRIu32
            "-%04" PRIu32 "\", distance_km: 400}\n  alternative_contacts: true\n  direct_contacts: true\n  until: %s\n",
            80 + vendor % 300, vendor / 10000, vendor % 10000, kz_sample_date(sample, 500, until));
}

static void write_orgs(const struct kz_sample *sample, uint32_t from, uint32_t to)
{
    (void)from; /* of one piece */
    (void)to;
    fputs("---\nkind: org\nid: honsho\nname: 見本省\ntype: MINISTRY\n"
          "---\nkind: org\nid: kanbo\nname: 大臣官房\ntype: DIVISION\nparent: honsho\n"
          "---\nkind: org\nid: csirt\nname: 見本省CSIRT\ntype: CSIRT\nparent: kanbo\n"
          "---\nkind: org\nid: kanshi-kikan\nname: 監視連絡機関（見本）\ntype: AGENCY\n",
          sample->out);
    for (uint32_t i = 0; i < KZ_SAMPLE_THEMES && i + 1 < sample->divisions; i++)
        fprintf(sample->out, "---\nkind: org\nid: %s-kyoku\nname: %s局\ntype: DIVISION\nparent: honsho\n",
                kz_sample_themes[i].id, kz_sample_themes[i].name);
    for (uint32_t i = 0; i < sample->divisions; i++)
        write_division(sample, i);
    for (uint32_t i = 0; i < sample->vendors; i++)
        write_vendor(sample, i);
}

static void write_sites(const struct kz_sample *sample, uint32_t from, uint32_t to)
{
    (void)from; /* of one piece */
    (void)to;
    static const struct {
        const char *id, *name, *role, *area, *hazard;
    } sites[] = {
        {"honchosha", "本庁舎", "MAIN", "首都直下（見本）", "{type: EARTHQUAKE, note: 震度6強}"},
        {"daitai", "代替拠点", "ALTERNATE", "内陸北部（見本）", "{type: SNOW, note: 積雪30cm}"},
        {"enkaku", "遠隔データセンター", "REMOTE_DC", "西日本（見本）", "{type: STORM_SURGE, note: 浸水0.5m}"},
    };
    for (uint32_t i = 0; i < COUNT_OF(sites); i++)
        fprintf(sample->out,
                "---\nkind: site\nid: %s\nname: %s\nrole: %s\ndisaster_area: %s\noperator: joho-system-ka\n"
                "hazards: [%s]\ngenerator: 72h\nups: 30m\nlines:\n"
                "- {carrier: 見本通信, service: 広域イーサネット, bandwidth_mbps: 10000, route: 北側引込口}\n"
                "- {carrier: 架空電話, service: 専用線, bandwidth_mbps: 1000, route: 南側引込口}\n"
                "storage: {fireproof: true, heatproof: true, waterproof: true, moistureproof: true, locked: true}\n",
                sites[i].id, sites[i].name, sites[i].role, sites[i].area, sites[i].hazard);
}

/* ---- people ---- */

static void write_person(const struct kz_sample *sample, uint32_t person)
{
    static const char *const titles[] = {"課長", "課長補佐", "係長", "主査", "主任", "係員"};
    char id[KZ_SAMPLE_TEXT_BYTES], org[KZ_SAMPLE_TEXT_BYTES];
    const struct name *surname = surname_of(sample, person);
    const struct name *given = &given_names[kz_sample_draw(sample, KZ_STREAM_NAME, person, 1, COUNT_OF(given_names))];
    uint32_t rank = person / sample->divisions;
    fprintf(sample->out, "---\nkind: contact\nid: %s\nname: %s %s\nkana: %s %s\norg: %s\ntitle: %s\n",
            kz_sample_person(sample, person, id), surname->written, given->written, surname->kana, given->kana,
            kz_sample_division(person % sample->divisions, org), titles[clamp(rank, 0, COUNT_OF(titles) - 1)]);
    fprintf(sample->out,
            "channels:\n- {type: OFFICE_PHONE, value: \"03-0%03" PRIu32 "-%04" PRIu32 "\", hours: BUSINESS}\n"
            "- {type: MOBILE, value: \"080-0%03" PRIu32 "-%04" PRIu32 "\", hours: ANY}\n"
            "- {type: MAIL, value: %s@example.jp, hours: ANY}\nmuster: %" PRIu32 "m\nmuster_site: honchosha\n",
            person / 10000, person % 10000, person / 10000, person % 10000, id,
            20 + 5 * kz_sample_draw(sample, KZ_STREAM_MUSTER, person, 0, 24));
}

static void write_desk(const struct kz_sample *sample, uint32_t vendor)
{
    char org[KZ_SAMPLE_TEXT_BYTES];
    fprintf(sample->out,
            "---\nkind: contact\nid: madoguchi-%" PRIu32 "\nname: 保守受付窓口\norg: %s\nchannels:\n"
            "- {type: OFFICE_PHONE, value: \"050-0%03" PRIu32 "-%04" PRIu32 "\", hours: ANY}\n"
            "- {type: MAIL, value: madoguchi-%" PRIu32 "@example.jp, hours: ANY}\n",
            vendor + 1, kz_sample_vendor(vendor, org), vendor / 10000, vendor % 10000, vendor + 1);
}

static uint32_t count_contacts(const struct kz_sample *sample) { return sample->contacts; }
static uint32_t count_systems(const struct kz_sample *sample) { return sample->systems; }

static void write_contacts(const struct kz_sample *sample, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        if (i < sample->people)
            write_person(sample, i);
        else
            write_desk(sample, i - sample->people);
    }
}

/* Deputies are the two after the holder: in other divisions, so that not all are lost with one. */
static void write_role(const struct kz_sample *sample, const char *type, const char *id, const char *name,
                       uint32_t holder, const char *org)
{
    char people[3][KZ_SAMPLE_TEXT_BYTES];
    for (uint32_t i = 0; i < 3; i++)
        kz_sample_person(sample, (holder + i) % sample->people, people[i]);
    fprintf(sample->out,
            "---\nkind: role\nid: %s\ntype: %s\nname: %s\nholder: %s\ndeputies: [%s, %s]\norg: %s\nheadcount: 2\n", id,
            type, name, people[0], people[1], people[2], org);
}

static void write_roles(const struct kz_sample *sample, uint32_t from, uint32_t to)
{
    (void)from; /* of one piece */
    (void)to;
    static const struct {
        const char *type, *id, *name;
    } roles[PLAN_ROLES] = {{"CHIEF", "saiko-sekininsha", "最高責任者"},
                           {"MANAGER", "sekininsha", "責任者"},
                           {"CSIRT", "csirt", "CSIRT"},
                           {"OPERATION_LEAD", "sagyo-sekininsha", "作業実施責任者"},
                           {"INFORMATION", "joho-shushu", "情報収集・共有"},
                           {"LIAISON", "renraku-madoguchi", "各部署との連絡窓口"},
                           {"DAMAGE_ASSESSMENT", "higai-kakunin", "被害状況の確認"},
                           {"DAMAGE_CONTROL", "higai-boshi", "被害拡大の防止"},
                           {"NETWORK_RECOVERY", "network-fukkyu", "ネットワークの復旧"},
                           {"SYSTEM_RECOVERY", "system-fukkyu", "情報システムの復旧"},
                           {"NETWORK_SWITCHOVER", "network-kirikae", "ネットワークの切り替え"},
                           {"SYSTEM_SWITCHOVER", "system-kirikae", "情報システムの切り替え"}};
    char id[KZ_SAMPLE_TEXT_BYTES + 8], org[KZ_SAMPLE_TEXT_BYTES];
    for (uint32_t i = 0; i < PLAN_ROLES; i++)
        write_role(sample, roles[i].type, roles[i].id, roles[i].name, (sample->divisions + i) % sample->people,
                   "joho-system-ka");
    for (uint32_t i = 0; i < sample->divisions; i++) {
        snprintf(id, sizeof id, "fukkyu-%s", kz_sample_division(i, org));
        write_role(sample, "OWN", id, "主管システムの復旧", i, org);
    }
}

static void write_calltrees(const struct kz_sample *sample, uint32_t from, uint32_t to)
{
    (void)from; /* of one piece */
    (void)to;
    char system[KZ_SAMPLE_TEXT_BYTES];
    fprintf(sample->out,
            "---\nkind: calltree\nid: zencho\nname: 全省連絡網\naudience: 全省\nowner: joho-system-ka\nmeans:\n"
            "- {name: 省内メール, systems: [%s]}\n- {name: 携帯電話}\n- {name: 衛星電話}\nlinks:\n"
            "- {from: role/saiko-sekininsha, to: [role/sekininsha, role/csirt], within: 15m}\n"
            "- {from: role/sekininsha, to: [role/sagyo-sekininsha, role/joho-shushu], within: 15m, if_no_answer: "
            "role/csirt}\n- {from: role/sagyo-sekininsha, to: [role/network-fukkyu, role/system-fukkyu], within: 30m}\n"
            "report_hours: [\"08:15\", \"12:00\", \"16:00\"]\ndesks:\n"
            "- {org: kanshi-kikan, outage: true, leak: true, disaster: true, by: role/csirt, within: 1h}\n",
            kz_sample_system(sample, 0, system));
}

static void write_upkeep(const struct kz_sample *sample, uint32_t from, uint32_t to)
{
    (void)from; /* of one piece */
    (void)to;
    char people[2][KZ_SAMPLE_TEXT_BYTES], dates[3][KZ_SAMPLE_TEXT_BYTES];
    kz_sample_person(sample, 0, people[0]);
    kz_sample_person(sample, 1, people[1]);
    fprintf(
        sample->out,
        "---\nkind: review\nid: teiki-minaoshi\ntitle: 計画の定期見直し\ntype: PERIODIC\ndone_on: %s\nnext_due: %s\n"
        "reviewers: [%s]\napprover: %s\nchecks:\n- {item: MEASURES_DONE, answer: \"YES\"}\n"
        "- {item: CONTACTS_CURRENT, answer: \"YES\"}\n- {item: DRILLS_DONE, answer: \"YES\"}\n",
        kz_sample_date(sample, -60, dates[0]), kz_sample_date(sample, 300, dates[1]), people[0], people[1]);
    for (uint32_t i = 0; i < PLAN_ROLES; i++)
        fprintf(sample->out,
                "---\nkind: card\nid: keiko-%" PRIu32 "\nname: 携行カード\ntype: WALLET_CARD\nholder: %s\n"
                "issued_on: %s\nexpires_on: %s\nmedia: PAPER\ncopy_number: %" PRIu32 "\nsubjects: [calltree/zencho]\n",
                i + 1, kz_sample_person(sample, (sample->divisions + i) % sample->people, people[0]),
                kz_sample_date(sample, -30, dates[0]), kz_sample_date(sample, 330, dates[1]), i + 1);
}

static const struct kz_sample_section sections[] = {
    {"10-orgs", NULL, write_orgs},
    {"20-sites", NULL, write_sites},
    {"30-contacts", count_contacts, write_contacts},
    {"40-roles", NULL, write_roles},
    {"50-systems", count_systems, kz_sample_write_systems},
    {"55-functions", count_systems, kz_sample_write_functions},
    {"60-components", count_systems, kz_sample_write_components},
    {"70-runbooks", count_systems, kz_sample_write_runbooks},
    {"75-calltrees", NULL, write_calltrees},
    {"80-backups", count_systems, kz_sample_write_backups},
    {"85-measures", count_systems, kz_sample_write_measures},
    {"90-drills", count_systems, kz_sample_write_drills},
    {"95-upkeep", NULL, write_upkeep},
};

const struct kz_sample_section *kz_sample_sections(size_t *count)
{
    *count = COUNT_OF(sections);
    return sections;
}
