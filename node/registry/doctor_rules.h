/* SPDX-License-Identifier: Apache-2.0 */
/* What the rules of doctor.h share. Private to node/registry. Pure: any thread. */
#ifndef KZ_REGISTRY_DOCTOR_RULES_H
#define KZ_REGISTRY_DOCTOR_RULES_H

#include <string.h>

#include "node/registry/doctor.h"

#define KZ_DAY_S INT64_C(86400)

/* One examination, and the rule whose turn it is. */
struct kz_examination {
    const struct kz_doctor_rule *rule;
    const struct kz_set *set;
    struct kz_graph graph;
    int64_t now_ms;
    int64_t today; /* in Japan, days since 1970-01-01 */
    struct kz_finding *items;
    size_t count, room;
};

/* A finding of the rule in turn, about `record`; NULL: about all of the rule's kind. Arguments as made below. */
struct kz_finding *kz_find(struct kz_examination *examination, const Kz__Record *record, struct kz_finding_arg first,
                           struct kz_finding_arg second, struct kz_finding_arg third);

#define KZ_NOTHING ((struct kz_finding_arg){.type = KZ_FINDING_NOTHING})
static inline struct kz_finding_arg kz_arg_text(const char *text)
{
    return (struct kz_finding_arg){.type = KZ_FINDING_TEXT, .text = text};
}
static inline struct kz_finding_arg kz_arg_words(const struct kz_text *words)
{
    return (struct kz_finding_arg){.type = KZ_FINDING_WORDS, .words = words};
}
static inline struct kz_finding_arg kz_arg_record(const Kz__Record *record)
{
    return (struct kz_finding_arg){.type = KZ_FINDING_RECORD, .record = record};
}
static inline struct kz_finding_arg kz_arg_duration(int64_t seconds)
{
    return (struct kz_finding_arg){.type = KZ_FINDING_DURATION, .number = seconds};
}
static inline struct kz_finding_arg kz_arg_number(int64_t number)
{
    return (struct kz_finding_arg){.type = KZ_FINDING_NUMBER, .number = number};
}
static inline struct kz_finding_arg kz_arg_day(int64_t day)
{
    return (struct kz_finding_arg){.type = KZ_FINDING_DAY, .number = day};
}

/* ---- helpers ---- */

static inline bool kz_given(const char *text) { return text != NULL && text[0] != '\0'; }
int64_t kz_day_of_time(int64_t time_ms);             /* the day in Japan */
bool kz_day_of_date(const char *date, int64_t *day); /* false: no date */
int64_t kz_examination_setting(const struct kz_examination *examination, const char *key);
/* True when `date` plus `every_s` is before today; an absent date never is. */
bool kz_day_is_past(const struct kz_examination *examination, const char *date, int64_t every_s);
/* Where the record stands among those of its kind in the set; SIZE_MAX: nowhere. "kind/id" names one of `kind`. */
size_t kz_index_of_reference(const struct kz_set *set, Kz__Kind kind, const char *reference);
/* Somebody is there to fill the role: holder or deputy. */
bool kz_role_is_filled(const struct kz_set *set, const Kz__Role *role);

/* ---- the rules: doctor_systems.c ---- */

void kz_doctor_rto(struct kz_examination *x);
void kz_doctor_platform(struct kz_examination *x);
void kz_doctor_cycles(struct kz_examination *x);
void kz_doctor_standby(struct kz_examination *x);
void kz_doctor_gaps(struct kz_examination *x);
void kz_doctor_single_points(struct kz_examination *x);
void kz_doctor_share_of_s(struct kz_examination *x);

/* ---- doctor_people.c ---- */

void kz_doctor_no_owner(struct kz_examination *x);
void kz_doctor_owner_retired(struct kz_examination *x);
void kz_doctor_contact_retired(struct kz_examination *x);
void kz_doctor_reference_retired(struct kz_examination *x);
void kz_doctor_no_holder(struct kz_examination *x);
void kz_doctor_no_deputy(struct kz_examination *x);
void kz_doctor_many_positions(struct kz_examination *x);
void kz_doctor_off_hours(struct kz_examination *x);
void kz_doctor_second_channel(struct kz_examination *x);
void kz_doctor_unverified(struct kz_examination *x);
void kz_doctor_no_sla(struct kz_examination *x);
void kz_doctor_vendor_near(struct kz_examination *x);

/* ---- doctor_backups.c ---- */

void kz_doctor_backup_seldom(struct kz_examination *x);
void kz_doctor_backup_rpo(struct kz_examination *x);
void kz_doctor_tape(struct kz_examination *x);
void kz_doctor_one_place(struct kz_examination *x);
void kz_doctor_no_offline(struct kz_examination *x);
void kz_doctor_backup_stale(struct kz_examination *x);
void kz_doctor_no_restore_test(struct kz_examination *x);
void kz_doctor_restore_slow(struct kz_examination *x);
void kz_doctor_no_restore_runbook(struct kz_examination *x);

/* ---- doctor_plan.c ---- */

void kz_doctor_no_fallback(struct kz_examination *x);
void kz_doctor_not_approved(struct kz_examination *x);
void kz_doctor_runbook_review(struct kz_examination *x);
void kz_doctor_no_switchback(struct kz_examination *x);
void kz_doctor_actor_vacant(struct kz_examination *x);
void kz_doctor_runbook_drill(struct kz_examination *x);
void kz_doctor_exception(struct kz_examination *x);
void kz_doctor_drills(struct kz_examination *x);
void kz_doctor_review(struct kz_examination *x);
void kz_doctor_review_planned(struct kz_examination *x);
void kz_doctor_record_review(struct kz_examination *x);
void kz_doctor_card_expired(struct kz_examination *x);
void kz_doctor_card_holder(struct kz_examination *x);
void kz_doctor_campaign(struct kz_examination *x);
void kz_doctor_report_missed(struct kz_examination *x);

#endif
