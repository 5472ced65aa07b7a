/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about what is to be done and kept up: fallbacks, runbooks, drills, reviews, exceptions, handouts, reports. */
#include <stdlib.h>

#include "node/base/assert.h"
#include "node/registry/campaign.h"
#include "node/registry/doctor_rules.h"
#include "node/registry/incident.h"
#include "node/registry/settings.h"

#define DAY_MS (KZ_DAY_S * 1000)
#define MINUTE_MS INT64_C(60000)
#define JAPAN_OFFSET_MS INT64_C(32400000)
#define REPORT_GRACE_MS                                                                                                \
    (30 * MINUTE_MS) /* to write and approve it; and how much earlier than the hour it may be made */

static const Kz__Record *const *records_of(const struct kz_examination *x, Kz__Kind kind, size_t *count)
{
    return kz_set_kind(x->set, kind, count);
}

/* ---- functions ---- */

/* N 9(2)ウ: 半日、1日、2～3日; G 2.5.2(1)-2. */
void kz_doctor_no_fallback(struct kz_examination *x)
{
    static const struct kz_text all = {"any time", "どの長さの停止"}, half_day = {"half a day", "半日の停止"},
                                one_day = {"one day", "1日の停止"}, days = {"2 to 3 days", "2～3日の停止"};
    size_t count = 0;
    const Kz__Record *const *functions = records_of(x, KZ__KIND__FUNCTION, &count);
    for (size_t i = 0; i < count; i++) {
        const Kz__Function *function = functions[i]->function;
        bool has_half = kz_given(function->fallback_half_day), has_one = kz_given(function->fallback_one_day),
             has_days = kz_given(function->fallback_three_days);
        if (has_half && has_one && has_days) continue;
        const struct kz_text *lacking = !has_half && !has_one && !has_days ? &all
                                        : !has_half                        ? &half_day
                                        : !has_one                         ? &one_day
                                                                           : &days;
        kz_find(x, functions[i], kz_arg_words(lacking), KZ_NOTHING, KZ_NOTHING);
    }
}

/* ---- runbooks ---- */

static bool is_in_use(const Kz__Runbook *runbook)
{
    return !(runbook->has_state && runbook->state == KZ__RUNBOOK__STATE__RETIRED);
}

/* Also while the next version is written: what is carried out is the approved one. */
static bool is_approved(const Kz__Runbook *runbook)
{
    if (!runbook->has_state || runbook->state == KZ__RUNBOOK__STATE__RETIRED) return false;
    return runbook->state == KZ__RUNBOOK__STATE__APPROVED || runbook->has_approved_rev;
}

static bool is_of_phase(const Kz__Record *record, Kz__Runbook__Phase phase)
{
    return is_in_use(record->runbook) && record->runbook->has_phase && record->runbook->phase == phase;
}

/* G 2.9.1 例示: 最高責任者の承認を得ておくことが必要である. While a new version is written the approved one is carried
 * out. */
void kz_doctor_not_approved(struct kz_examination *x)
{
    size_t count = 0;
    const Kz__Record *const *runbooks = records_of(x, KZ__KIND__RUNBOOK, &count);
    for (size_t i = 0; i < count; i++)
        if (is_in_use(runbooks[i]->runbook) && !is_approved(runbooks[i]->runbook) &&
            !runbooks[i]->runbook->has_approved_rev)
            kz_find(x, runbooks[i], KZ_NOTHING, KZ_NOTHING, KZ_NOTHING);
}

/* G 2.9.2(1). */
void kz_doctor_runbook_review(struct kz_examination *x)
{
    size_t count = 0;
    const Kz__Record *const *runbooks = records_of(x, KZ__KIND__RUNBOOK, &count);
    for (size_t i = 0; i < count; i++)
        if (is_in_use(runbooks[i]->runbook) && kz_day_is_past(x, runbooks[i]->review_due, 0))
            kz_find(x, runbooks[i], kz_arg_text(runbooks[i]->review_due), KZ_NOTHING, KZ_NOTHING);
}

static int compare_scopes(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

struct scopes {
    const char **items; /* what the runbooks that switch back are for */
    size_t count;
    bool any, whole_plan;
};

static void collect_switchbacks(struct scopes *scopes, const Kz__Record *const *runbooks, size_t count)
{
    size_t most = 0;
    for (size_t i = 0; i < count; i++)
        most += runbooks[i]->runbook->n_scope;
    *scopes = (struct scopes){.items = kz_must_alloc(most + 1, sizeof(scopes->items[0]))};
    for (size_t i = 0; i < count; i++) {
        if (!is_of_phase(runbooks[i], KZ__RUNBOOK__PHASE__SWITCHBACK)) continue;
        const Kz__Runbook *runbook = runbooks[i]->runbook;
        scopes->any = true;
        scopes->whole_plan = scopes->whole_plan || runbook->n_scope == 0;
        for (size_t j = 0; j < runbook->n_scope; j++)
            scopes->items[scopes->count++] = runbook->scope[j];
    }
    qsort(scopes->items, scopes->count, sizeof(scopes->items[0]), compare_scopes);
}

static bool is_switched_back(const struct scopes *scopes, const Kz__Runbook *runbook)
{
    if (scopes->whole_plan || runbook->n_scope == 0) return scopes->any;
    for (size_t i = 0; i < runbook->n_scope; i++)
        if (bsearch(&runbook->scope[i], scopes->items, scopes->count, sizeof(scopes->items[0]), compare_scopes) != NULL)
            return true;
    return false;
}

/* G 表2.9-2: 訓練後の通常運用への切り戻し作業; a runbook of phase 切り戻し for one of the things it switches. */
void kz_doctor_no_switchback(struct kz_examination *x)
{
    size_t count = 0;
    struct scopes scopes;
    const Kz__Record *const *runbooks = records_of(x, KZ__KIND__RUNBOOK, &count);
    collect_switchbacks(&scopes, runbooks, count);
    for (size_t i = 0; i < count; i++)
        if (is_of_phase(runbooks[i], KZ__RUNBOOK__PHASE__SWITCHOVER) &&
            !is_switched_back(&scopes, runbooks[i]->runbook))
            kz_find(x, runbooks[i], KZ_NOTHING, KZ_NOTHING, KZ_NOTHING);
    free(scopes.items);
}

static bool is_named_before(const Kz__Runbook *runbook, size_t step)
{
    for (size_t i = 0; i < step; i++)
        if (kz_given(runbook->steps[i]->actor) && strcmp(runbook->steps[i]->actor, runbook->steps[step]->actor) == 0)
            return true;
    return false;
}

/* G 2.8.2(3): 各責任者及び担当者が採るべき対応を明確にした手順書. */
void kz_doctor_actor_vacant(struct kz_examination *x)
{
    size_t count = 0;
    const Kz__Record *const *runbooks = records_of(x, KZ__KIND__RUNBOOK, &count);
    for (size_t i = 0; i < count; i++) {
        const Kz__Runbook *runbook = runbooks[i]->runbook;
        for (size_t j = 0; j < runbook->n_steps && is_in_use(runbook); j++) {
            if (!kz_given(runbook->steps[j]->actor)) continue;
            const Kz__Record *role = kz_set_find(x->set, KZ__KIND__ROLE, runbook->steps[j]->actor);
            bool filled = role != NULL && kz_role_is_filled(x->set, role->role);
            if (!filled && !is_named_before(runbook, j))
                kz_find(x, runbooks[i], kz_arg_number((int64_t)j + 1), kz_arg_text(runbook->steps[j]->actor),
                        KZ_NOTHING);
        }
    }
}

static bool is_done(const Kz__Drill *drill)
{
    return drill->has_state && drill->state == KZ__DRILL__STATE__DONE && kz_given(drill->done_on);
}

/* G 2.9.1(1)-2: 手順書の確認訓練は定期的に実施される. A new runbook has as long, from its approval. */
void kz_doctor_runbook_drill(struct kz_examination *x)
{
    size_t drills_count = 0, count = 0;
    int64_t every_s = kz_examination_setting(x, "runbook.drill_every");
    const Kz__Record *const *drills = records_of(x, KZ__KIND__DRILL, &drills_count);
    const Kz__Record *const *runbooks = records_of(x, KZ__KIND__RUNBOOK, &count);
    const char **last = kz_must_alloc(count + 1, sizeof(last[0]));
    for (size_t i = 0; i < drills_count; i++) {
        const Kz__Drill *drill = drills[i]->drill;
        for (size_t j = 0; j < drill->n_scope && is_done(drill); j++) {
            size_t runbook = kz_index_of_reference(x->set, KZ__KIND__RUNBOOK, drill->scope[j]);
            if (runbook == SIZE_MAX) continue;
            if (last[runbook] == NULL || strcmp(drill->done_on, last[runbook]) > 0) last[runbook] = drill->done_on;
        }
    }
    for (size_t i = 0; i < count; i++) {
        const char *since = last[i] != NULL ? last[i] : runbooks[i]->runbook->approved_on;
        if (since != NULL && is_approved(runbooks[i]->runbook) && kz_day_is_past(x, since, every_s))
            kz_find(x, runbooks[i], kz_arg_duration(every_s), kz_arg_text(since), KZ_NOTHING);
    }
    free(last);
}

/* ---- drills of each type ---- */

static bool has_standby(const struct kz_examination *x)
{
    for (size_t i = 0; i < x->graph.count; i++) {
        const Kz__System *system = x->graph.systems[i]->system;
        for (size_t j = 0; j < system->n_placements; j++)
            if (system->placements[j]->has_standby &&
                system->placements[j]->standby != KZ__SYSTEM__PLACEMENT__STANDBY__NONE)
                return true;
    }
    return false;
}

static const Kz__Record *last_drill(const struct kz_examination *x, Kz__Drill__Type type)
{
    size_t count = 0;
    const Kz__Record *last = NULL;
    const Kz__Record *const *drills = records_of(x, KZ__KIND__DRILL, &count);
    for (size_t i = 0; i < count; i++) {
        const Kz__Drill *drill = drills[i]->drill;
        if (!is_done(drill) || !drill->has_type || drill->type != type) continue;
        if (last == NULL || strcmp(drill->done_on, last->drill->done_on) > 0) last = drills[i];
    }
    return last;
}

/* G 2.9.1, 表2.9-1, 2.9-2. A switchover is drilled 代替機が存在する場合に. */
void kz_doctor_drills(struct kz_examination *x)
{
    static const struct {
        Kz__Drill__Type type;
        const char *key;
        struct kz_text label;
    } types[] = {
        {KZ__DRILL__TYPE__PROCEDURE, "drill.every.procedure", {"procedures", "手順書確認訓練"}},
        {KZ__DRILL__TYPE__UNANNOUNCED, "drill.every.unannounced", {"an unannounced scenario", "シナリオ非提示型訓練"}},
        {KZ__DRILL__TYPE__RESTORE, "drill.every.restore", {"recovery", "情報システム復旧訓練"}},
        {KZ__DRILL__TYPE__SWITCHOVER, "drill.every.switchover", {"switchover", "情報システム切り替え訓練"}},
        {KZ__DRILL__TYPE__CALL, "drill.every.call", {"calling everybody", "連絡訓練"}},
    };
    static const struct kz_text never = {"never", "記録なし"};
    if (x->graph.count == 0) return;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        int64_t every_s = kz_examination_setting(x, types[i].key);
        const Kz__Record *last = last_drill(x, types[i].type);
        if (types[i].type == KZ__DRILL__TYPE__SWITCHOVER && !has_standby(x)) continue;
        if (last == NULL)
            kz_find(x, NULL, kz_arg_words(&types[i].label), kz_arg_duration(every_s), kz_arg_words(&never));
        else if (kz_day_is_past(x, last->drill->done_on, every_s))
            kz_find(x, last, kz_arg_words(&types[i].label), kz_arg_duration(every_s),
                    kz_arg_text(last->drill->done_on));
    }
}

/* ---- reviews ---- */

/* G 2.9.2(1): the review done last says when the next is due, else the setting does. */
void kz_doctor_review(struct kz_examination *x)
{
    static const struct kz_text never = {"never", "記録なし"};
    size_t count = 0;
    const Kz__Record *last = NULL;
    const Kz__Record *const *reviews = records_of(x, KZ__KIND__REVIEW, &count);
    if (x->graph.count == 0) return;
    for (size_t i = 0; i < count; i++) {
        const char *done = reviews[i]->review->done_on;
        if (kz_given(done) && (last == NULL || strcmp(done, last->review->done_on) > 0)) last = reviews[i];
    }
    if (last == NULL) {
        kz_find(x, NULL, kz_arg_words(&never), KZ_NOTHING, KZ_NOTHING);
        return;
    }
    bool says = kz_given(last->review->next_due);
    const char *from = says ? last->review->next_due : last->review->done_on;
    if (kz_day_is_past(x, from, says ? 0 : kz_examination_setting(x, "review.every")))
        kz_find(x, last, kz_arg_text(last->review->done_on), KZ_NOTHING, KZ_NOTHING);
}

void kz_doctor_review_planned(struct kz_examination *x)
{
    size_t count = 0;
    const Kz__Record *const *reviews = records_of(x, KZ__KIND__REVIEW, &count);
    for (size_t i = 0; i < count; i++)
        if (!kz_given(reviews[i]->review->done_on) && kz_day_is_past(x, reviews[i]->review->planned_on, 0))
            kz_find(x, reviews[i], kz_arg_text(reviews[i]->review->planned_on), KZ_NOTHING, KZ_NOTHING);
}

/* G 2.9.2; runbooks have a rule of their own, events and what is over need no review. */
void kz_doctor_record_review(struct kz_examination *x)
{
    for (size_t i = 0; i < x->set->count; i++) {
        const Kz__Record *record = x->set->items[i];
        if (record->kind != KZ__KIND__RUNBOOK && !kz_kind_by_number(record->kind)->event &&
            kz_day_is_past(x, record->review_due, 0))
            kz_find(x, record, kz_arg_text(record->review_due), KZ_NOTHING, KZ_NOTHING);
    }
}

/* ---- exceptions, handouts, campaigns ---- */

/* G 2.8.2(3)-2: 不適切な例外措置が常態化しないようにする. */
void kz_doctor_exception(struct kz_examination *x)
{
    size_t count = 0;
    const Kz__Record *const *exceptions = records_of(x, KZ__KIND__EXCEPTION, &count);
    for (size_t i = 0; i < count; i++)
        if (!kz_given(exceptions[i]->exception->ended_on) && kz_day_is_past(x, exceptions[i]->exception->until, 0))
            kz_find(x, exceptions[i], kz_arg_text(exceptions[i]->exception->until), KZ_NOTHING, KZ_NOTHING);
}

static bool is_out(const Kz__Card *card) { return !kz_given(card->returned_on) && !kz_given(card->lost_on); }

/* G 1.1.5, 2.8.2 例示 (携行カード). */
void kz_doctor_card_expired(struct kz_examination *x)
{
    size_t count = 0;
    const Kz__Record *const *cards = records_of(x, KZ__KIND__CARD, &count);
    for (size_t i = 0; i < count; i++)
        if (is_out(cards[i]->card) && kz_day_is_past(x, cards[i]->card->expires_on, 0))
            kz_find(x, cards[i], kz_arg_text(cards[i]->card->expires_on), KZ_NOTHING, KZ_NOTHING);
}

void kz_doctor_card_holder(struct kz_examination *x)
{
    size_t count = 0;
    const Kz__Record *const *cards = records_of(x, KZ__KIND__CARD, &count);
    for (size_t i = 0; i < count; i++) {
        const Kz__Card *card = cards[i]->card;
        if (is_out(card) && kz_given(card->holder) && kz_set_find(x->set, KZ__KIND__CONTACT, card->holder) == NULL)
            kz_find(x, cards[i], kz_arg_text(card->holder), KZ_NOTHING, KZ_NOTHING);
    }
}

/* G 表2-9-3, 2.9.2. */
void kz_doctor_campaign(struct kz_examination *x)
{
    size_t campaigns_count = 0, count = 0;
    const Kz__Record *const *campaigns = records_of(x, KZ__KIND__CAMPAIGN, &campaigns_count);
    for (size_t i = 0; i < campaigns_count; i++) {
        const Kz__Campaign *campaign = campaigns[i]->campaign;
        const struct kz_kind *kind = kz_given(campaign->target) ? kz_kind_by_name(campaign->target) : NULL;
        int64_t left = 0;
        bool late = kz_campaign_is_open(campaign) && kz_day_is_past(x, campaign->due, 0);
        if (!late || kind == NULL) continue;
        const Kz__Record *const *records = records_of(x, kind->number, &count);
        for (size_t j = 0; j < count; j++)
            left += !kz_campaign_confirmed(campaign, records[j]) && kz_campaign_asks(x->set, campaign, records[j]);
        if (left > 0) kz_find(x, campaigns[i], kz_arg_text(campaign->due), kz_arg_number(left), KZ_NOTHING);
    }
}

/* ---- reports during an incident ---- */

/* The last report hour that is over, and its grace too. */
static int64_t last_report_hour(const struct kz_examination *x)
{
    size_t count = 0;
    struct kz_setting_value hours;
    const Kz__Record *const *settings = records_of(x, KZ__KIND__SETTING, &count);
    kz_setting_get(settings, count, "report.hours", &hours);
    int64_t over_ms = x->now_ms - REPORT_GRACE_MS, last_ms = INT64_MIN;
    int64_t midnight_ms = kz_day_of_time(over_ms) * DAY_MS - JAPAN_OFFSET_MS;
    for (size_t i = 0; i < hours.count; i++) {
        int64_t at_ms = midnight_ms + hours.items[i] * MINUTE_MS;
        if (at_ms > over_ms) at_ms -= DAY_MS;
        if (at_ms > last_ms) last_ms = at_ms;
    }
    return last_ms;
}

static bool is_reported(const struct kz_events *events, const char *incident, int64_t hour_ms)
{
    for (size_t i = 0; i < events->count; i++) {
        const Kz__Report *report = events->items[i].now->report;
        if (report != NULL && report->incident != NULL && strcmp(report->incident, incident) == 0 &&
            report->as_of >= hour_ms - REPORT_GRACE_MS)
            return true;
    }
    return false;
}

/* N 3(4)①ア: 8時15分、12時00分、16時00分. Of several hours missed the last one is named. */
void kz_doctor_report_missed(struct kz_examination *x)
{
    size_t count = 0;
    struct kz_events events;
    int64_t hour_ms = last_report_hour(x);
    const Kz__Record *const *incidents = records_of(x, KZ__KIND__INCIDENT, &count);
    kz_events_init(&events, x->set->items, x->set->count);
    for (size_t i = 0; i < count; i++) {
        struct kz_incident incident;
        if (kz_given(incidents[i]->incident->incident)) continue; /* opens nothing */
        if (!kz_incident_now(&events, incidents[i]->id, &incident) || incident.opening == NULL) continue;
        bool goes_on = incident.decision != NULL && (incident.state == KZ__INCIDENT__STATE__ACTIVATED ||
                                                     incident.state == KZ__INCIDENT__STATE__RECOVERING);
        if (goes_on && incident.decided_at < hour_ms && !is_reported(&events, incidents[i]->id, hour_ms)) {
            int64_t minute = (hour_ms + JAPAN_OFFSET_MS) % DAY_MS / MINUTE_MS;
            struct kz_buf hour;
            kz_buf_init(&hour, 0);
            kz_buf_addf(&hour, "%02lld:%02lld", (long long)(minute / 60), (long long)(minute % 60));
            char *copy = kz_must_strdup(kz_buf_text(&hour));
            kz_buf_fini(&hour);
            kz_find(x, incidents[i], kz_arg_day(kz_day_of_time(hour_ms)), kz_arg_text(copy), KZ_NOTHING)->owned = copy;
        }
    }
    kz_events_fini(&events);
}
