/* SPDX-License-Identifier: Apache-2.0 */
#include "node/registry/schema.h"

#include <string.h>

#include "node/registry/schema_tables.h"
#include "node/registry/text.h"

#define KEY_MAX_BYTES 256

static const struct kz_kind kinds[] = {
    {KZ__KIND__SITE,
     "site",
     "sites",
     {"site", "拠点"},
     kz_schema_site,
     "G 2.6.1",
     {"A place where systems, people or backups are", "情報システム・要員・バックアップが置かれる場所"}},
    {KZ__KIND__ORG,
     "org",
     "orgs",
     {"organisation", "組織"},
     kz_schema_org,
     "B 表-30",
     {"A division, ministry, vendor or other body", "課・省庁・委託先などの組織"}},
    {KZ__KIND__CONTACT,
     "contact",
     "contacts",
     {"contact", "連絡先"},
     kz_schema_contact,
     "G 2.7.1",
     {"A person and how to reach them at any hour", "人と、その連絡手段 (休日・夜間を含む)"}},
    {KZ__KIND__ROLE,
     "role",
     "roles",
     {"role", "役割"},
     kz_schema_role,
     "G 表2.8-1",
     {"Who decides and who does what in an emergency", "危機的事象発生時の体制と役割分担"}},
    {KZ__KIND__FUNCTION,
     "function",
     "functions",
     {"priority function", "非常時優先業務"},
     kz_schema_function,
     "G 2.5.1",
     {"Work that must go on in an emergency", "非常時にも続けなければならない業務"}},
    {KZ__KIND__SYSTEM,
     "system",
     "systems",
     {"information system", "情報システム"},
     kz_schema_system,
     "G 2.5",
     {"An information system with its recovery targets", "情報システムとその復旧目標"}},
    {KZ__KIND__COMPONENT,
     "component",
     "components",
     {"component", "構成要素"},
     kz_schema_component,
     "G 2.6.1",
     {"What a system stands on, with its countermeasure levels", "情報システムを支える構成要素と対策レベル"}},
    {KZ__KIND__RUNBOOK,
     "runbook",
     "runbooks",
     {"runbook", "手順書"},
     kz_schema_runbook,
     "G 2.8.2",
     {"Steps to take, by whom, in which order", "対応手順書"}},
    {KZ__KIND__CALLTREE,
     "calltree",
     "calltrees",
     {"call tree", "連絡網"},
     kz_schema_calltree,
     "N 3",
     {"Who calls whom in which order, by which means, and which desks outside are told",
      "誰が誰にどの順・手段で連絡し、庁外のどこへ報告するか"}},
    {KZ__KIND__MEASURE,
     "measure",
     "measures",
     {"measure", "事前対策"},
     kz_schema_measure,
     "G 2.7.2",
     {"What is done beforehand to close a gap, when, and the risk that remains",
      "現状と目標の差を埋める対策と、残るリスク"}},
    {KZ__KIND__BACKUP,
     "backup",
     "backups",
     {"backup", "バックアップ"},
     kz_schema_backup,
     "B Step 2 表",
     {"What is backed up how often, where the copies are, and whether it can be restored",
      "何をどの頻度でバックアップし、どこに保管し、復元できるか"}},
    {KZ__KIND__ATTACHMENT,
     "attachment",
     "attachments",
     {"attachment", "添付"},
     kz_schema_attachment,
     "G 2.7.1",
     {"A file that plans refer to: a diagram, a form, a PDF", "計画が参照するファイル (構成図・様式・PDF)"}},
    {KZ__KIND__DRILL,
     "drill",
     "drills",
     {"drill", "訓練"},
     kz_schema_drill,
     "G 2.9.1",
     {"A drill: what was planned, measured and learnt", "訓練の計画と、測った時間・分かったこと"}},
    {KZ__KIND__REVIEW,
     "review",
     "reviews",
     {"review", "見直し"},
     kz_schema_review,
     "G 2.9.2",
     {"A review of the plan: checklist, findings, next due", "計画の見直しの確認項目・結果・次回期限"}},
    {KZ__KIND__EXCEPTION,
     "exception",
     "exceptions",
     {"exception", "例外措置"},
     kz_schema_exception,
     "G 2.8.2(3)-2",
     {"A rule suspended for a time: why, by whom, until when", "一時的に例外とする規程と、その理由・承認・期限"}},
    {KZ__KIND__CARD,
     "card",
     "cards",
     {"handout", "配付物"},
     kz_schema_card,
     "G 2.8.2",
     {"A copy on paper or USB: of what, who holds it, until when", "紙・USBの写し。何の写しか、誰がいつまで持つか"}},
    {KZ__KIND__PEER,
     "peer",
     "peers",
     {"peer", "連携先"},
     kz_schema_peer,
     "P 4.2.1(1)(エ)",
     {"Another ministry's registry, and the most it may be told", "他機関の登録簿と、渡してよい情報の上限"}},
    {KZ__KIND__SETTING,
     "setting",
     "settings",
     {"setting", "設定"},
     kz_schema_setting,
     "G 2.9.2",
     {"A threshold other than the default; the id is its key", "既定値以外にする判定のしきい値。識別子が項目名"}},
    {KZ__KIND__CAMPAIGN,
     "campaign",
     "campaigns",
     {"verification campaign", "一斉確認"},
     kz_schema_campaign,
     "G 2.9.2",
     {"Until when owners confirm that their records of a kind are still true",
      "登録内容が今も正しいことを担当がいつまでに確認するか"}},
    {KZ__KIND__INCIDENT,
     "incident",
     "incidents",
     {"incident", "危機的事象"},
     kz_schema_incident,
     "G 2.8.2",
     {"What happened, and each decision to alert, activate, recover and close",
      "危機的事象の発生と、警戒・発動・復旧・解除の判断の記録"},
     .event = true},
    {KZ__KIND__STATUS,
     "status",
     "statuses",
     {"status report", "状況報告"},
     kz_schema_status,
     "N 3(2)",
     {"How a system is, as someone saw it at that hour", "その時点で確認された情報システムの状況"},
     .event = true},
    {KZ__KIND__ENTRY,
     "entry",
     "entries",
     {"timeline entry", "経過記録"},
     kz_schema_entry,
     "C 4(4)",
     {"A decision, instruction, message, piece of work or evidence, when it happened",
      "判断・指示・連絡・作業・参集・証拠保全の時系列の記録"},
     .event = true},
    {KZ__KIND__TICK,
     "tick",
     "ticks",
     {"step done", "手順実施"},
     kz_schema_tick,
     "G 2.8.2",
     {"A step of a runbook that was done, skipped or failed", "手順書の手順の実施・省略・失敗の記録"},
     .event = true},
    {KZ__KIND__CALL,
     "call",
     "calls",
     {"call made", "連絡実施"},
     kz_schema_call,
     "N 3",
     {"An attempt to reach a person, and what came of it", "連絡先への連絡とその結果の記録"},
     .event = true},
    {KZ__KIND__REPORT,
     "report",
     "reports",
     {"report", "定時報告"},
     kz_schema_report,
     "N 3(4)",
     {"What was reported at a fixed hour, word for word", "定時に報告した内容そのもの"},
     .event = true},
    {KZ__KIND__BULLETIN,
     "bulletin",
     "bulletins",
     {"bulletin", "連携情報"},
     kz_schema_bulletin,
     "P 4.2.1(1)(エ)",
     {"What was sent to or taken from another ministry, byte for byte", "他機関と送受信した内容そのもの"},
     .event = true},
};

#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

const struct kz_kind *kz_kinds(size_t *count)
{
    *count = KIND_COUNT;
    return kinds;
}

const struct kz_kind *kz_kind_by_number(Kz__Kind number)
{
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (kinds[i].number == number) return &kinds[i];
    return NULL;
}

/* Fold for lookups: "RTO", "ｒｔｏ" and "Recovery-Priority" find "rto" and "recovery_priority". */
static bool make_key(const char *name, char key[KEY_MAX_BYTES])
{
    if (!kz_text_fold(name, key, KEY_MAX_BYTES)) return false;
    for (char *c = key; *c != '\0'; c++)
        if (*c == '-' || *c == ' ') *c = '_';
    return true;
}

static bool matches(const char *key, const char *candidate)
{
    char other[KEY_MAX_BYTES];
    return make_key(candidate, other) && strcmp(key, other) == 0;
}

const struct kz_kind *kz_kind_by_name(const char *name)
{
    char key[KEY_MAX_BYTES];
    if (!make_key(name, key)) return NULL;
    for (size_t i = 0; i < KIND_COUNT; i++) {
        const struct kz_kind *kind = &kinds[i];
        if (matches(key, kind->name) || matches(key, kind->plural) || matches(key, kind->label.en) ||
            matches(key, kind->label.ja))
            return kind;
    }
    return NULL;
}

/* A candidate is near when a third of its letters, at least one, may be wrong. */
struct nearest {
    const char *wanted;
    size_t distance;
    const void *item;
};

static void try_near(struct nearest *nearest, const char *candidate, const void *item)
{
    size_t distance = kz_text_distance(nearest->wanted, candidate);
    size_t letters = 0;
    for (const char *c = candidate; *c != '\0'; c++)
        if (((unsigned char)*c & 0xC0) != 0x80) letters++;
    size_t allowed = letters / 3;
    if (allowed == 0) allowed = 1;
    if (distance > allowed || distance >= nearest->distance) return;
    nearest->distance = distance;
    nearest->item = item;
}

const struct kz_kind *kz_kind_nearest(const char *name)
{
    struct nearest nearest = {.wanted = name, .distance = SIZE_MAX};
    for (size_t i = 0; i < KIND_COUNT; i++) {
        try_near(&nearest, kinds[i].name, &kinds[i]);
        try_near(&nearest, kinds[i].plural, &kinds[i]);
        try_near(&nearest, kinds[i].label.en, &kinds[i]);
        try_near(&nearest, kinds[i].label.ja, &kinds[i]);
    }
    return nearest.item;
}

const struct kz_field *kz_envelope_fields(void) { return kz_schema_envelope; }

const struct kz_field *kz_field_by_name(const struct kz_field *fields, const char *name)
{
    char key[KEY_MAX_BYTES];
    for (const struct kz_field *field = fields; field->name != NULL; field++)
        if (strcmp(field->name, name) == 0) return field;
    if (!make_key(name, key)) return NULL;
    /* Names go before labels, so that a label never hides another field's name. */
    for (const struct kz_field *field = fields; field->name != NULL; field++)
        if (matches(key, field->name)) return field;
    for (const struct kz_field *field = fields; field->name != NULL; field++)
        if (matches(key, field->label.en) || matches(key, field->label.ja)) return field;
    return NULL;
}

const struct kz_field *kz_field_nearest(const struct kz_field *fields, const char *name)
{
    struct nearest nearest = {.wanted = name, .distance = SIZE_MAX};
    for (const struct kz_field *field = fields; field->name != NULL; field++) {
        try_near(&nearest, field->name, field);
        try_near(&nearest, field->label.en, field);
        try_near(&nearest, field->label.ja, field);
    }
    return nearest.item;
}

const struct kz_enum_value *kz_enum_by_name(const struct kz_enum_value *values, const char *name)
{
    char key[KEY_MAX_BYTES];
    if (!make_key(name, key)) return NULL;
    for (const struct kz_enum_value *value = values; value->name != NULL; value++)
        if (matches(key, value->name)) return value;
    for (const struct kz_enum_value *value = values; value->name != NULL; value++)
        if (matches(key, value->label.en) || matches(key, value->label.ja)) return value;
    return NULL;
}

const struct kz_enum_value *kz_enum_by_number(const struct kz_enum_value *values, int number)
{
    for (const struct kz_enum_value *value = values; value->name != NULL; value++)
        if (value->number == number) return value;
    return NULL;
}

void kz_field_range(const struct kz_field *field, int64_t *min, int64_t *max)
{
    *min = field->min;
    *max = field->max;
    if (field->min != 0 || field->max != 0) return;
    switch (field->type) {
    case KZ_FIELD_TEXT:
    case KZ_FIELD_REF:
        *max = KZ_TEXT_MAX_BYTES;
        return;
    case KZ_FIELD_PROSE:
        *max = KZ_PROSE_MAX_BYTES;
        return;
    case KZ_FIELD_INTEGER:
        *max = KZ_INTEGER_MAX;
        return;
    case KZ_FIELD_DURATION:
        *max = KZ_DURATION_MAX_S;
        return;
    case KZ_FIELD_TIME:
        *max = KZ_TIME_MAX_MS;
        return;
    case KZ_FIELD_BOOLEAN:
    case KZ_FIELD_DATE:
    case KZ_FIELD_ENUM:
    case KZ_FIELD_GROUP:
        return;
    }
}

int64_t kz_field_max_items(const struct kz_field *field)
{
    return field->max_items == 0 ? KZ_ITEMS_MAX : field->max_items;
}
