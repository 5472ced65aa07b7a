/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about who is responsible, who is called and who helps: owners, roles, contacts, vendors. */
#include <stdlib.h>

#include "node/base/assert.h"
#include "node/registry/doctor_rules.h"
#include "node/registry/duty.h"

/* ---- owners, and references to what is retired ---- */

/* N 図4 主管課, B 表-29 管理責任者. */
void kz_doctor_no_owner(struct kz_examination *x)
{
    static const Kz__Kind kinds[] = {KZ__KIND__SYSTEM, KZ__KIND__FUNCTION, KZ__KIND__MEASURE, KZ__KIND__CALLTREE};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        size_t count = 0;
        const Kz__Record *const *records = kz_set_kind(x->set, kinds[i], &count);
        for (size_t j = 0; j < count; j++)
            if (!kz_given(kz_record_owner(x->set, records[j])))
                kz_find(x, records[j], KZ_NOTHING, KZ_NOTHING, KZ_NOTHING);
    }
}

/* What is over may name who has left since: it tells what was. */
static bool is_history(const Kz__Record *record)
{
    switch (record->kind) {
    case KZ__KIND__DRILL:
        return !record->drill->has_state || record->drill->state != KZ__DRILL__STATE__PLANNED;
    case KZ__KIND__REVIEW:
        return kz_given(record->review->done_on);
    case KZ__KIND__EXCEPTION:
        return kz_given(record->exception->ended_on);
    case KZ__KIND__CARD:
        return kz_given(record->card->returned_on) || kz_given(record->card->lost_on);
    case KZ__KIND__MEASURE:
        return record->measure->has_state && (record->measure->state == KZ__MEASURE__STATE__DONE ||
                                              record->measure->state == KZ__MEASURE__STATE__REJECTED);
    case KZ__KIND__CAMPAIGN:
        return kz_given(record->campaign->closed_on);
    case KZ__KIND__RUNBOOK:
        return record->runbook->has_state && record->runbook->state == KZ__RUNBOOK__STATE__RETIRED;
    default:
        return kz_kind_by_number(record->kind)->event;
    }
}

enum referred { REFERS_TO_OWNER, REFERS_TO_CONTACT, REFERS_TO_OTHER, REFERS_ELSEWHERE };

/* Which rule a reference belongs to. Vacant roles and cards of those who left have rules of their own. */
static enum referred refer(const Kz__Record *record, const char *path, Kz__Kind kind)
{
    const char *last = strrchr(path, '.');
    last = last == NULL ? path : last + 1;
    bool holder = strcmp(last, "holder") == 0;
    if (holder && (record->kind == KZ__KIND__ROLE || record->kind == KZ__KIND__CARD)) return REFERS_ELSEWHERE;
    if (record->kind == KZ__KIND__RUNBOOK && kind == KZ__KIND__ROLE) return REFERS_ELSEWHERE;
    if (strcmp(last, "owner") == 0) return REFERS_TO_OWNER;
    return kind == KZ__KIND__CONTACT ? REFERS_TO_CONTACT : REFERS_TO_OTHER;
}

struct references {
    struct kz_examination *examination;
    const Kz__Record *record;
    enum referred wanted;
    size_t begin; /* of this record's findings: each target once */
};

static bool is_found(const struct references *references, const char *kind, const char *id)
{
    const struct kz_examination *x = references->examination;
    for (size_t i = references->begin; i < x->count; i++)
        if (strcmp(x->items[i].args[0].text, kind) == 0 && strcmp(x->items[i].args[1].text, id) == 0) return true;
    return false;
}

static void visit_reference(void *data, const char *path, Kz__Kind kind, const char *id)
{
    struct references *references = data;
    struct kz_examination *x = references->examination;
    const struct kz_kind *target = kz_kind_by_number(kind);
    if (target->event || refer(references->record, path, kind) != references->wanted) return;
    if (kz_set_find(x->set, kind, id) != NULL || is_found(references, target->name, id)) return;
    char *copy = kz_must_strdup(id); /* the visitor's text lives for the call only */
    kz_find(x, references->record, kz_arg_text(target->name), kz_arg_text(copy), KZ_NOTHING)->owned = copy;
}

static void check_references(struct kz_examination *x, enum referred wanted)
{
    for (size_t i = 0; i < x->set->count; i++) {
        struct references references = {x, x->set->items[i], wanted, x->count};
        if (!is_history(references.record)) kz_record_references(references.record, visit_reference, &references);
    }
}

void kz_doctor_owner_retired(struct kz_examination *x) { check_references(x, REFERS_TO_OWNER); }
void kz_doctor_contact_retired(struct kz_examination *x) { check_references(x, REFERS_TO_CONTACT); }
void kz_doctor_reference_retired(struct kz_examination *x) { check_references(x, REFERS_TO_OTHER); }

/* ---- roles ---- */

/* G 2.8.1(1). */
void kz_doctor_no_holder(struct kz_examination *x)
{
    size_t count = 0;
    const Kz__Record *const *roles = kz_set_kind(x->set, KZ__KIND__ROLE, &count);
    static const struct kz_text nobody = {"nobody is named", "担当者が登録されていません"};
    static const struct kz_text gone = {"the holder is retired", "担当者が廃止されています"};
    for (size_t i = 0; i < count; i++) {
        const Kz__Role *role = roles[i]->role;
        if (kz_set_find(x->set, KZ__KIND__CONTACT, role->holder) == NULL)
            kz_find(x, roles[i], kz_arg_words(kz_given(role->holder) ? &gone : &nobody), KZ_NOTHING, KZ_NOTHING);
    }
}

/* G 2.8.1(1)-1: 連絡がとれない可能性を考慮し、代行者を定める. */
void kz_doctor_no_deputy(struct kz_examination *x)
{
    size_t count = 0;
    const Kz__Record *const *roles = kz_set_kind(x->set, KZ__KIND__ROLE, &count);
    for (size_t i = 0; i < count; i++) {
        const Kz__Role *role = roles[i]->role;
        bool has = false;
        for (size_t j = 0; j < role->n_deputies && !has; j++)
            has = kz_set_find(x->set, KZ__KIND__CONTACT, role->deputies[j]) != NULL;
        if (!has) kz_find(x, roles[i], KZ_NOTHING, KZ_NOTHING, KZ_NOTHING);
    }
}

/* G 2.8.1(1)-5: 特定の担当者に作業が集中しないように配慮する. */
void kz_doctor_many_positions(struct kz_examination *x)
{
    size_t roles_count = 0, contacts_count = 0;
    const Kz__Record *const *roles = kz_set_kind(x->set, KZ__KIND__ROLE, &roles_count);
    const Kz__Record *const *contacts = kz_set_kind(x->set, KZ__KIND__CONTACT, &contacts_count);
    int64_t most = kz_examination_setting(x, "role.first_positions_max");
    int64_t *held = kz_must_alloc(contacts_count + 1, sizeof(held[0]));
    for (size_t i = 0; i < roles_count; i++) {
        size_t holder = kz_set_index(x->set, KZ__KIND__CONTACT, roles[i]->role->holder);
        if (holder != SIZE_MAX) held[holder]++;
    }
    for (size_t i = 0; i < contacts_count; i++)
        if (held[i] > most) kz_find(x, contacts[i], kz_arg_number(held[i]), kz_arg_number(most), KZ_NOTHING);
    free(held);
}

/* ---- contacts ---- */

/* G 2.7.1 例示: 最新の連絡先(休日・夜間を含む)を常備する; N 9(1)ウ. */
void kz_doctor_off_hours(struct kz_examination *x)
{
    static const struct kz_moment at_night = {.night = true}, on_holiday = {.holiday = true};
    static const struct kz_text night = {"at night", "夜間"}, holiday = {"on holidays", "休日"};
    static const struct kz_text both = {"at night and on holidays", "夜間・休日"};
    size_t count = 0;
    const Kz__Record *const *contacts = kz_set_kind(x->set, KZ__KIND__CONTACT, &count);
    for (size_t i = 0; i < count; i++) {
        bool no_night = kz_contact_channel(contacts[i]->contact, &at_night) == NULL;
        bool no_holiday = kz_contact_channel(contacts[i]->contact, &on_holiday) == NULL;
        if (no_night || no_holiday)
            kz_find(x, contacts[i],
                    kz_arg_words(no_night && no_holiday ? &both
                                 : no_night             ? &night
                                                        : &holiday),
                    KZ_NOTHING, KZ_NOTHING);
    }
}

/* B 表-30: 電話が繋がらない場合に備えて、代替連絡先を把握しているか. The same number at other hours is no second one.
 */
void kz_doctor_second_channel(struct kz_examination *x)
{
    size_t count = 0;
    const Kz__Record *const *contacts = kz_set_kind(x->set, KZ__KIND__CONTACT, &count);
    for (size_t i = 0; i < count; i++) {
        const Kz__Contact *contact = contacts[i]->contact;
        bool second = false;
        for (size_t j = 1; j < contact->n_channels && !second; j++)
            second = contact->channels[0]->value != NULL && contact->channels[j]->value != NULL &&
                     strcmp(contact->channels[0]->value, contact->channels[j]->value) != 0;
        if (!second) kz_find(x, contacts[i], KZ_NOTHING, KZ_NOTHING, KZ_NOTHING);
    }
}

/* G 2.7.1 例示: 最新情報に更新していない. Who entered it knew it then: a contact that was never verified counts from
 * its creation. */
void kz_doctor_unverified(struct kz_examination *x)
{
    size_t count = 0;
    const Kz__Record *const *contacts = kz_set_kind(x->set, KZ__KIND__CONTACT, &count);
    int64_t every_s = kz_examination_setting(x, "contact.verify_every");
    for (size_t i = 0; i < count; i++) {
        bool known = contacts[i]->has_verified_at || contacts[i]->has_created_at;
        int64_t at_ms = contacts[i]->has_verified_at ? contacts[i]->verified_at : contacts[i]->created_at;
        if (known && (x->now_ms - at_ms) / 1000 > every_s)
            kz_find(x, contacts[i], kz_arg_duration(every_s), kz_arg_day(kz_day_of_time(at_ms)), KZ_NOTHING);
    }
}

/* ---- vendors ---- */

static bool is_vendor(const Kz__Org *org) { return org->has_type && org->type == KZ__ORG__TYPE__VENDOR; }

/* G 2.5.2(2)-2: サービス品質保証(SLA)として合意する; B 表-30. */
void kz_doctor_no_sla(struct kz_examination *x)
{
    size_t count = 0;
    const Kz__Record *const *orgs = kz_set_kind(x->set, KZ__KIND__ORG, &count);
    for (size_t i = 0; i < count; i++) {
        const Kz__Org__Contract *contract = orgs[i]->org->contract;
        if (is_vendor(orgs[i]->org) && !(contract != NULL && contract->has_sla && contract->sla))
            kz_find(x, orgs[i], KZ_NOTHING, KZ_NOTHING, KZ_NOTHING);
    }
}

static bool is_near(const Kz__Org__Contract *contract, int64_t least_km)
{
    if (contract->has_same_disaster_area) return contract->same_disaster_area;
    return contract->has_distance_km && contract->distance_km < least_km;
}

/* B 表-30: 同時被災する地域内か (判断がつかない場合は数十km); より遠隔に別の支援の拠点があるか. */
void kz_doctor_vendor_near(struct kz_examination *x)
{
    size_t count = 0;
    const Kz__Record *const *orgs = kz_set_kind(x->set, KZ__KIND__ORG, &count);
    int64_t least_km = kz_examination_setting(x, "vendor.distance_min_km");
    for (size_t i = 0; i < count; i++) {
        const Kz__Org__Contract *contract = orgs[i]->org->contract;
        if (!is_vendor(orgs[i]->org) || contract == NULL || !is_near(contract, least_km)) continue;
        bool far = false;
        for (size_t j = 0; j < contract->n_offices && !far; j++)
            far = contract->offices[j]->has_distance_km && contract->offices[j]->distance_km >= least_km;
        if (!far) kz_find(x, orgs[i], kz_arg_number(least_km), KZ_NOTHING, KZ_NOTHING);
    }
}
