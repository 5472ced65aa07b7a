/* SPDX-License-Identifier: Apache-2.0 */
#include "node/registry/doctor.h"

#include <stdio.h>
#include <stdlib.h>

#include "node/base/assert.h"
#include "node/registry/doctor_rules.h"
#include "node/registry/settings.h"
#include "node/registry/when.h"

#define JAPAN_OFFSET_MS INT64_C(32400000)
#define DAY_MS (KZ_DAY_S * 1000)
#define FIRST_ROOM 64
#define PARENTS_MAX 64 /* organisations above one another; a longer chain is a circle */

const struct kz_text *kz_severity_label(enum kz_severity severity)
{
    static const struct kz_text labels[] = {
        [KZ_SEVERITY_INFO] = {"info", "参考"},
        [KZ_SEVERITY_WARNING] = {"warning", "警告"},
        [KZ_SEVERITY_ERROR] = {"error", "エラー"},
    };
    kz_assert((size_t)severity < sizeof(labels) / sizeof(labels[0]));
    return &labels[severity];
}

/* ---- days, settings, references ---- */

int64_t kz_day_of_time(int64_t time_ms)
{
    int64_t local_ms = time_ms + JAPAN_OFFSET_MS;
    return local_ms / DAY_MS - (local_ms % DAY_MS < 0);
}

bool kz_day_of_date(const char *date, int64_t *day)
{
    int year = 0, month = 0, of_month = 0;
    if (!kz_given(date) || !kz_date_valid(date) || sscanf(date, "%4d-%2d-%2d", &year, &month, &of_month) != 3)
        return false;
    *day = kz_days_from_civil(&(struct kz_civil){year, month, of_month});
    return true;
}

int64_t kz_examination_setting(const struct kz_examination *examination, const char *key)
{
    struct kz_setting_value value;
    size_t count = 0;
    const Kz__Record *const *settings = kz_set_kind(examination->set, KZ__KIND__SETTING, &count);
    kz_setting_get(settings, count, key, &value);
    return value.number;
}

bool kz_day_is_past(const struct kz_examination *examination, const char *date, int64_t every_s)
{
    int64_t day = 0;
    return kz_day_of_date(date, &day) && day + every_s / KZ_DAY_S < examination->today;
}

size_t kz_index_of_reference(const struct kz_set *set, Kz__Kind kind, const char *reference)
{
    const char *name = kz_kind_by_number(kind)->name;
    size_t size = strlen(name);
    if (!kz_given(reference) || strncmp(reference, name, size) != 0 || reference[size] != '/') return SIZE_MAX;
    return kz_set_index(set, kind, reference + size + 1);
}

/* ---- whose a record is ---- */

static const char *owner_of_system(const struct kz_set *set, const char *id)
{
    const Kz__Record *system = kz_set_find(set, KZ__KIND__SYSTEM, id);
    return system == NULL ? NULL : system->system->owner;
}

static const char *owner_of_contact(const struct kz_set *set, const char *id)
{
    const Kz__Record *contact = kz_set_find(set, KZ__KIND__CONTACT, id);
    return contact == NULL ? NULL : contact->contact->org;
}

static const char *owner_of_scope(const struct kz_set *set, char *const *scope, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t at = kz_index_of_reference(set, KZ__KIND__SYSTEM, scope[i]);
        if (at != SIZE_MAX) return set->items[set->first[KZ__KIND__SYSTEM] + at]->system->owner;
    }
    return NULL;
}

const char *kz_record_owner(const struct kz_set *set, const Kz__Record *record)
{
    switch (record->kind) {
    case KZ__KIND__SITE:
        return record->site->operator_;
    case KZ__KIND__ORG:
        return record->id;
    case KZ__KIND__CONTACT:
        return record->contact->org;
    case KZ__KIND__ROLE:
        return record->role->org;
    case KZ__KIND__FUNCTION:
        return record->function->owner;
    case KZ__KIND__SYSTEM:
        return record->system->owner;
    case KZ__KIND__COMPONENT:
        return owner_of_system(set, record->component->system);
    case KZ__KIND__RUNBOOK: {
        const char *owner = owner_of_scope(set, record->runbook->scope, record->runbook->n_scope);
        return owner != NULL ? owner : owner_of_contact(set, record->runbook->author);
    }
    case KZ__KIND__CALLTREE:
        return record->calltree->owner;
    case KZ__KIND__MEASURE:
        return record->measure->owner;
    case KZ__KIND__BACKUP:
        return owner_of_system(set, record->backup->system);
    case KZ__KIND__EXCEPTION:
        return owner_of_contact(set, record->exception->requester);
    case KZ__KIND__CARD:
        return owner_of_contact(set, record->card->holder);
    default:
        return NULL;
    }
}

bool kz_record_owned_by(const struct kz_set *set, const Kz__Record *record, const char *org)
{
    const char *owner = kz_record_owner(set, record);
    for (int depth = 0; depth < PARENTS_MAX && kz_given(owner); depth++) {
        if (strcmp(owner, org) == 0) return true;
        const Kz__Record *above = kz_set_find(set, KZ__KIND__ORG, owner);
        owner = above == NULL ? NULL : above->org->parent;
    }
    return false;
}

bool kz_role_is_filled(const struct kz_set *set, const Kz__Role *role)
{
    if (kz_set_find(set, KZ__KIND__CONTACT, role->holder) != NULL) return true;
    for (size_t i = 0; i < role->n_deputies; i++)
        if (kz_set_find(set, KZ__KIND__CONTACT, role->deputies[i]) != NULL) return true;
    return false;
}

/* ---- findings ---- */

struct kz_finding *kz_find(struct kz_examination *examination, const Kz__Record *record, struct kz_finding_arg first,
                           struct kz_finding_arg second, struct kz_finding_arg third)
{
    if (examination->count == examination->room) {
        examination->room = examination->room == 0 ? FIRST_ROOM : examination->room * 2;
        examination->items = kz_must_realloc(examination->items, examination->room * sizeof(examination->items[0]));
    }
    struct kz_finding *finding = &examination->items[examination->count++];
    *finding = (struct kz_finding){
        .rule = examination->rule,
        .kind = record == NULL ? examination->rule->kind : record->kind,
        .record = record,
        .args = {first, second, third},
    };
    return finding;
}

void kz_doctor_examine(struct kz_findings *findings, const Kz__Record *const *records, size_t count, int64_t now_ms)
{
    size_t rules_count = 0;
    const struct kz_doctor_rule *rules = kz_doctor_rules(&rules_count);
    struct kz_examination examination = {.set = &findings->set, .now_ms = now_ms, .today = kz_day_of_time(now_ms)};
    kz_set_init(&findings->set, records, count);
    kz_graph_init(&examination.graph, &findings->set);
    for (size_t i = 0; i < rules_count; i++) {
        examination.rule = &rules[i];
        rules[i].check(&examination);
    }
    kz_graph_fini(&examination.graph);
    findings->items = examination.items;
    findings->count = examination.count;
}

void kz_findings_fini(struct kz_findings *findings)
{
    for (size_t i = 0; i < findings->count; i++)
        free(findings->items[i].owned);
    free(findings->items);
    kz_set_fini(&findings->set);
    memset(findings, 0, sizeof(*findings));
}

static void add_argument(struct kz_buf *out, const struct kz_finding_arg *arg, bool japanese)
{
    switch (arg->type) {
    case KZ_FINDING_NOTHING:
        return;
    case KZ_FINDING_TEXT:
        kz_buf_add_text(out, arg->text);
        return;
    case KZ_FINDING_WORDS:
        kz_buf_add_text(out, japanese ? arg->words->ja : arg->words->en);
        return;
    case KZ_FINDING_RECORD:
        kz_buf_addf(out, "%s/%s", kz_kind_by_number(arg->record->kind)->name, arg->record->id);
        return;
    case KZ_FINDING_DURATION:
        kz_duration_format(out, arg->number, japanese);
        return;
    case KZ_FINDING_NUMBER:
        kz_buf_addf(out, "%lld", (long long)arg->number);
        return;
    case KZ_FINDING_DAY: {
        struct kz_civil day = kz_civil_from_days(arg->number);
        kz_buf_addf(out, "%04lld-%02lld-%02lld", (long long)day.year, (long long)day.month, (long long)day.day);
        return;
    }
    }
}

void kz_finding_problem(struct kz_buf *out, const struct kz_finding *finding, bool japanese)
{
    const char *pattern = japanese ? finding->rule->problem.ja : finding->rule->problem.en;
    for (const char *brace = strchr(pattern, '{'); brace != NULL; brace = strchr(pattern, '{')) {
        kz_assert(brace[1] >= '1' && brace[1] <= '0' + KZ_FINDING_ARGS_MAX && brace[2] == '}');
        kz_buf_add(out, pattern, (size_t)(brace - pattern));
        add_argument(out, &finding->args[brace[1] - '1'], japanese);
        pattern = brace + 3;
    }
    kz_buf_add_text(out, pattern);
}
