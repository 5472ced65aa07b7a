/* SPDX-License-Identifier: Apache-2.0 */
#include "node/registry/runbook_life.h"

#include <string.h>

#include "node/registry/check.h"

/* Rows: from, columns: to (DRAFT, REVIEW, APPROVED, RETIRED). What is approved is changed by a new draft. */
static const bool transitions[4][4] = {
    {true, true, false, true},
    {true, true, true, true},
    {true, false, true, true},
    {true, false, false, true},
};

static bool is_state(const Kz__Runbook *runbook)
{
    return runbook->has_state && runbook->state >= KZ__RUNBOOK__STATE__DRAFT &&
           runbook->state <= KZ__RUNBOOK__STATE__RETIRED;
}

static bool is_in(const Kz__Runbook *runbook, Kz__Runbook__State state)
{
    return runbook->has_state && runbook->state == state;
}

static bool same_body(const Kz__Record *like, Kz__Runbook *before, Kz__Runbook *after)
{
    Kz__Record a = KZ__RECORD__INIT;
    Kz__Record b = KZ__RECORD__INIT;
    a.kind = b.kind = like->kind;
    a.id = b.id = like->id;
    a.runbook = before;
    b.runbook = after;
    return kz_record_same(&a, &b);
}

/* Everything that is approved together: all but the state itself and the day it was reached. */
static bool same_text_of(const Kz__Record *before, const Kz__Record *after)
{
    Kz__Runbook a = *before->runbook, b = *after->runbook;
    a.has_state = b.has_state = false;
    a.state = b.state = KZ__RUNBOOK__STATE__DRAFT;
    a.approved_on = b.approved_on = NULL;
    return same_body(before, &a, &b);
}

uint64_t kz_runbook_approved_rev(const Kz__Record *record)
{
    const Kz__Runbook *runbook = record->runbook;
    if (runbook == NULL || is_in(runbook, KZ__RUNBOOK__STATE__RETIRED)) return 0;
    if (runbook->has_approved_rev) return (uint64_t)runbook->approved_rev;
    /* Approved before revisions of approval were kept. */
    return is_in(runbook, KZ__RUNBOOK__STATE__APPROVED) && record->has_rev ? record->rev : 0;
}

static void keep_approval(const Kz__Record *before, Kz__Runbook *runbook)
{
    uint64_t approved_rev = before == NULL ? 0 : kz_runbook_approved_rev(before);
    runbook->approved_by = before == NULL ? NULL : before->runbook->approved_by;
    runbook->has_approved_rev = approved_rev != 0;
    runbook->approved_rev = (int64_t)approved_rev;
}

static void begin_version(Kz__Runbook *runbook, int64_t least)
{
    if (!runbook->has_version || runbook->version < least) runbook->version = least;
    runbook->has_version = true;
}

static void begin_draft(const Kz__Runbook *was, Kz__Runbook *runbook)
{
    runbook->state = KZ__RUNBOOK__STATE__DRAFT;
    runbook->approved_on = NULL;
    begin_version(runbook, was->version + 1);
}

/* No file approves: it asks for approval. */
static void wait_for_approval(Kz__Runbook *runbook)
{
    if (!is_in(runbook, KZ__RUNBOOK__STATE__APPROVED)) return;
    runbook->state = KZ__RUNBOOK__STATE__REVIEW;
    runbook->approved_on = NULL;
}

void kz_runbook_settle(const Kz__Record *before, Kz__Record *record, const char *actor)
{
    Kz__Runbook *runbook = record->runbook;
    if (record->kind != KZ__KIND__RUNBOOK || runbook == NULL) return;
    Kz__Runbook *was = before == NULL ? NULL : before->runbook;
    keep_approval(was == NULL ? NULL : before, runbook);
    if (was == NULL) {
        runbook->edited_by = (char *)(uintptr_t)actor;
        begin_version(runbook, 1);
        wait_for_approval(runbook);
        return;
    }
    begin_version(runbook, was->has_version ? was->version : 1);
    bool same_text = same_text_of(before, record);
    char *editor = was->edited_by != NULL ? was->edited_by : before->updated_by;
    runbook->edited_by = same_text ? editor : (char *)(uintptr_t)actor;
    if (!is_in(was, KZ__RUNBOOK__STATE__APPROVED)) {
        wait_for_approval(runbook);
        return;
    }
    bool stays = is_in(runbook, KZ__RUNBOOK__STATE__APPROVED);
    if (stays && same_text)
        runbook->approved_on = was->approved_on;
    else if (stays || is_in(runbook, KZ__RUNBOOK__STATE__DRAFT))
        begin_draft(was, runbook);
}

void kz_runbook_move(Kz__Record *record, Kz__Runbook__State to, const char *actor, const char *today)
{
    Kz__Runbook *runbook = record->runbook;
    Kz__Runbook was = *runbook;
    runbook->has_state = true;
    runbook->state = to;
    if (runbook->edited_by == NULL) runbook->edited_by = record->updated_by;
    if (to == KZ__RUNBOOK__STATE__APPROVED) {
        runbook->approved_by = (char *)(uintptr_t)actor;
        runbook->approved_on = (char *)(uintptr_t)today;
    } else if (to == KZ__RUNBOOK__STATE__DRAFT && is_in(&was, KZ__RUNBOOK__STATE__APPROVED)) {
        begin_draft(&was, runbook);
    } else if (to != KZ__RUNBOOK__STATE__RETIRED) {
        runbook->approved_on = NULL;
    }
}

/* ---- from one state to the next ---- */

static void check_approver(struct kz_check *check, const Kz__Runbook *runbook)
{
    if (!has_text(runbook->approved_by))
        kz_check_add(check, "state", "runbook.approval_by_approver", "G 2.9.1",
                     "only an approver approves: keizoku runbook approve ID",
                     "承認できるのは承認者だけです: keizoku runbook approve ID");
    else if (same_text(runbook->approved_by, runbook->edited_by))
        kz_violations_addf(check->violations, check->path, "runbook.author_approves", "G 2.9.1",
                           "%s wrote this text last and cannot approve it; another approver must",
                           "最後に編集した %s は承認できません。別の承認者が承認してください", runbook->approved_by);
}

void kz_record_check_change(const Kz__Record *before, const Kz__Record *after, struct kz_violations *violations)
{
    struct kz_check check;
    if (before->kind != KZ__KIND__RUNBOOK || before->runbook == NULL || after->runbook == NULL) return;
    const Kz__Runbook *from = before->runbook;
    const Kz__Runbook *to = after->runbook;
    if (!is_state(from) || !is_state(to)) return;
    kz_check_begin(&check, after, violations);
    bool allowed = transitions[from->state - 1][to->state - 1];
    if (!allowed)
        kz_check_add(
            &check, "state", "runbook.transition", "G 2.9.1",
            "not reachable from the state it is in; the way is DRAFT, REVIEW, APPROVED, RETIRED, and back to DRAFT",
            "今の状態からは移れません。作成中→確認中→承認済→廃止の順で、作成中へは戻せます");
    bool was_approved = from->state == KZ__RUNBOOK__STATE__APPROVED;
    bool is_approved = to->state == KZ__RUNBOOK__STATE__APPROVED;
    if (was_approved && is_approved && !same_text_of(before, after))
        kz_check_add(&check, "state", "runbook.approved_is_frozen", "G 2.9.1",
                     "approved text does not change; set state DRAFT, raise the version, and have it approved again",
                     "承認済の内容は変更できません。状態を作成中に戻し、版数を上げ、改めて承認を受けてください");
    if (allowed && is_approved && !was_approved) check_approver(&check, to);
}
