/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of single kinds that a row cannot say: how fields of one record bear on each other. */
#include "node/registry/check.h"

#include <stdio.h>
#include <string.h>

#include "node/registry/codes.h"
#include "node/registry/event.h"

#define WHERE_BYTES 64

/* ---- org ---- */

static void check_org(struct kz_check *check, const Kz__Record *record)
{
    const Kz__Org *org = record->org;
    char where[WHERE_BYTES];
    if (same_text(org->parent, record->id))
        kz_check_add(check, "parent", "org.own_parent", NULL, "an organisation is not its own parent",
                     "自分自身を上位組織にはできません");
    if (has_text(org->code) && !kz_code_is_corporate(org->code) && !kz_code_is_local_government(org->code))
        kz_check_add(check, "code", "code.check_digit", "法人番号省令 第2条",
                     "neither a corporate number (13 digits) nor a local government code (6 digits) with the right "
                     "check digit; compare it with the source",
                     "法人番号(13桁)としても団体コード(6桁)としても検査用数字が合いません。元の資料と照合してください");
    if (org->contract == NULL) return;
    if (org->has_type && org->type != KZ__ORG__TYPE__VENDOR)
        kz_check_add(check, "contract", "contract.vendor_only", "B 表-30",
                     "only a vendor has a contract; set type VENDOR or leave it out",
                     "契約事項は委託先だけの項目です。種別を委託先にするか、省いてください");
    for (size_t i = 0; i < org->contract->n_offices; i++) {
        const char *phone = org->contract->offices[i]->phone;
        if (!has_text(phone) || kz_code_is_phone(phone)) continue;
        snprintf(where, sizeof(where), "contract.offices[%zu].phone", i);
        kz_check_add(check, where, "channel.phone", "B 表-30", "not a phone number; write e.g. 03-0000-0001",
                     "電話番号の形ではありません。03-0000-0001 のように書いてください");
    }
}

/* ---- contact ---- */

static bool is_phone_type(Kz__Contact__Channel__Type type)
{
    switch (type) {
    case KZ__CONTACT__CHANNEL__TYPE__OFFICE_PHONE:
    case KZ__CONTACT__CHANNEL__TYPE__MOBILE:
    case KZ__CONTACT__CHANNEL__TYPE__SATELLITE:
    case KZ__CONTACT__CHANNEL__TYPE__FAX:
    case KZ__CONTACT__CHANNEL__TYPE__OTHER_OFFICE_PHONE:
        return true;
    default:
        return false; /* chat names and radio call signs have no common shape */
    }
}

static bool same_channel(const Kz__Contact__Channel *a, const Kz__Contact__Channel *b)
{
    return a->has_type == b->has_type && a->type == b->type && a->has_hours == b->has_hours && a->hours == b->hours &&
           same_text(a->value, b->value);
}

static void check_channel(struct kz_check *check, const Kz__Contact *contact, size_t i)
{
    const Kz__Contact__Channel *channel = contact->channels[i];
    char where[WHERE_BYTES];
    snprintf(where, sizeof(where), "channels[%zu].value", i);
    if (!channel->has_type || !has_text(channel->value)) return; /* "required" has said so */
    if (is_phone_type(channel->type) && !kz_code_is_phone(channel->value))
        kz_check_add(check, where, "channel.phone", "N 9(1)ウ",
                     "not a phone number; write digits and hyphens, e.g. 03-0000-0001 or 03-0000-0001 ext 12",
                     "電話番号の形ではありません。03-0000-0001、03-0000-0001 内線12 のように書いてください");
    if (channel->type == KZ__CONTACT__CHANNEL__TYPE__MAIL && !kz_code_is_mail(channel->value))
        kz_check_add(check, where, "channel.mail", "N 9(1)ウ", "not a mail address; write e.g. name@example.jp",
                     "メールアドレスの形ではありません。name@example.jp のように書いてください");
    for (size_t j = 0; j < i; j++) {
        if (!same_channel(contact->channels[j], channel)) continue;
        kz_check_add(check, where, "list.duplicate", NULL, "this channel stands twice; remove one",
                     "同じ連絡手段が2つあります。一方を削除してください");
        return;
    }
}

static void check_contact(struct kz_check *check, const Kz__Record *record)
{
    for (size_t i = 0; i < record->contact->n_channels; i++)
        check_channel(check, record->contact, i);
}

/* ---- role ---- */

static void check_role(struct kz_check *check, const Kz__Record *record)
{
    const Kz__Role *role = record->role;
    char where[WHERE_BYTES];
    if (role->has_type && role->type == KZ__ROLE__TYPE__OWN && !has_text(role->name))
        kz_check_add(check, "name", "role.own_needs_name", "G 2.8.1", "a role that is not in table 2.8-1 needs a name",
                     "独自の役割には名称が必要です");
    for (size_t i = 0; i < role->n_deputies; i++) {
        if (!same_text(role->deputies[i], role->holder)) continue;
        snprintf(where, sizeof(where), "deputies[%zu]", i);
        kz_check_add(check, where, "role.deputy_is_holder", "G 2.8.1(1)-1",
                     "the deputy is the holder; name somebody else, who is there when the holder is not",
                     "担当者本人は代行者になれません。連絡がとれない場合に代わる別の人を指定してください");
    }
}

/* ---- function ---- */

static void check_period(struct kz_check *check, size_t i, const char *name, const char *value)
{
    char where[WHERE_BYTES];
    if (!has_text(value) || kz_code_is_month_day(value)) return;
    snprintf(where, sizeof(where), "critical_periods[%zu].%s", i, name);
    kz_check_add(check, where, "period.month_day", NULL, "not a day of the year; write MM-DD, e.g. 03-31",
                 "月日ではありません。03-31 のように書いてください");
}

static void check_function(struct kz_check *check, const Kz__Record *record)
{
    const Kz__Function *function = record->function;
    char where[WHERE_BYTES];
    for (size_t i = 1; i < function->n_impacts; i++) {
        const Kz__Function__Impact *before = function->impacts[i - 1];
        const Kz__Function__Impact *after = function->impacts[i];
        snprintf(where, sizeof(where), "impacts[%zu]", i);
        if (before->has_after && after->has_after && after->after <= before->after)
            kz_check_add(check, where, "impact.order", "B 表-32", "not later than the one before; order them by time",
                         "一つ前より後の時間ではありません。経過時間の短い順に並べてください");
        if (before->has_level && after->has_level && after->level < before->level)
            kz_check_add(
                check, where, "impact.falls", "B 表-32",
                "less grave than after a shorter stop; an impact does not shrink while the function is stopped",
                "短い停止より影響が軽くなっています。停止が続くと影響は小さくなりません");
    }
    for (size_t i = 0; i < function->n_critical_periods; i++) {
        check_period(check, i, "from", function->critical_periods[i]->from);
        check_period(check, i, "until", function->critical_periods[i]->until);
    }
}

/* ---- system ---- */

/* G 2.5.2(3): 復旧優先度設定の根拠を確実に記録しておく必要がある. */
static void check_override(struct kz_check *check, const Kz__System *system)
{
    if (system->has_priority_override && !has_text(system->priority_override_basis))
        kz_check_add(check, "priority_override_basis", "priority.override_needs_basis", "G 2.5.2(3)",
                     "a priority other than the RTO gives needs a written basis: why, decided by whom",
                     "RTOと異なる復旧優先度には根拠の記載が必要です (理由と決定者)");
    if (!system->has_priority_override && has_text(system->priority_override_basis))
        kz_check_add(check, "priority_override_basis", "priority.basis_without_override", "G 2.5.2(3)",
                     "a basis without an override; set priority_override or remove the basis",
                     "例外指定がないのに根拠があります。例外指定を書くか、根拠を削除してください");
}

static void check_system(struct kz_check *check, const Kz__Record *record)
{
    const Kz__System *system = record->system;
    char where[WHERE_BYTES];
    check_override(check, system);
    for (size_t i = 0; i < system->n_depends_on; i++) {
        if (!same_text(system->depends_on[i], record->id)) continue;
        snprintf(where, sizeof(where), "depends_on[%zu]", i);
        kz_check_add(check, where, "system.depends_on_itself", "G 2.5.2(1)-1", "a system does not depend on itself",
                     "自分自身には依存できません");
    }
    for (size_t i = 0; i < system->n_placements; i++) {
        for (size_t j = 0; j < i; j++) {
            if (!same_text(system->placements[i]->site, system->placements[j]->site)) continue;
            snprintf(where, sizeof(where), "placements[%zu].site", i);
            kz_check_add(check, where, "placement.site_twice", "G 表2.6-2",
                         "this site stands twice; one placement per site",
                         "同じ拠点が2つあります。1拠点1件にしてください");
            break;
        }
    }
}

/* ---- runbook ---- */

/* G 2.9.1: the plan is checked beforehand and approved by the chief; whoever wrote it does not approve it:
 * that rests on certificates, see runbook_life.h; `approver` names who is meant to. */
static void check_approval(struct kz_check *check, const Kz__Runbook *runbook)
{
    static const char source[] = "G 2.9.1";
    if (!has_text(runbook->author))
        kz_check_add(check, "author", "runbook.approval", source, "an approved runbook names its author",
                     "承認済の手順書には作成者が必要です");
    if (!has_text(runbook->approved_on))
        kz_check_add(check, "approved_on", "runbook.approval", source, "an approved runbook has its day of approval",
                     "承認済の手順書には承認日が必要です");
    if (runbook->n_steps == 0)
        kz_check_add(check, "steps", "runbook.approval", source, "an approved runbook has at least one step",
                     "承認済の手順書には手順が1つ以上必要です");
}

static void check_runbook(struct kz_check *check, const Kz__Record *record)
{
    const Kz__Runbook *runbook = record->runbook;
    char where[WHERE_BYTES];
    bool approved = runbook->has_state && runbook->state == KZ__RUNBOOK__STATE__APPROVED;
    bool unapproved = runbook->has_state &&
                      (runbook->state == KZ__RUNBOOK__STATE__DRAFT || runbook->state == KZ__RUNBOOK__STATE__REVIEW);
    if (approved) check_approval(check, runbook);
    if (same_text(runbook->author, runbook->approver))
        kz_check_add(check, "approver", "runbook.author_is_approver", "G 2.9.1",
                     "the author cannot approve; another person must",
                     "作成者本人は承認できません。別の人が承認してください");
    if (unapproved && has_text(runbook->approved_on))
        kz_check_add(check, "approved_on", "runbook.not_approved", "G 2.9.1",
                     "not approved yet; set state APPROVED or remove the day",
                     "まだ承認されていません。状態を承認済にするか、承認日を削除してください");
    if (runbook->has_state && runbook->state == KZ__RUNBOOK__STATE__REVIEW && !has_text(runbook->author))
        kz_check_add(check, "author", "runbook.review_needs_author", "G 2.9.1", "a runbook in review names its author",
                     "確認中の手順書には作成者が必要です");
    for (size_t i = 0; i < runbook->n_attachments; i++) {
        const char *hash = runbook->attachments[i]->sha256;
        if (!has_text(hash) || kz_code_is_sha256(hash)) continue;
        snprintf(where, sizeof(where), "attachments[%zu].sha256", i);
        kz_check_add(check, where, "attachment.sha256", NULL, "not a SHA-256; write its 64 hexadecimal digits",
                     "SHA-256ではありません。16進64桁で書いてください");
    }
}

void kz_check_kind(struct kz_check *check, const Kz__Record *record)
{
    switch (record->kind) {
    case KZ__KIND__ORG:
        check_org(check, record);
        return;
    case KZ__KIND__CONTACT:
        check_contact(check, record);
        return;
    case KZ__KIND__ROLE:
        check_role(check, record);
        return;
    case KZ__KIND__FUNCTION:
        check_function(check, record);
        return;
    case KZ__KIND__SYSTEM:
        check_system(check, record);
        return;
    case KZ__KIND__RUNBOOK:
        check_runbook(check, record);
        return;
    case KZ__KIND__SITE:
    case KZ__KIND__COMPONENT:
        return; /* their rows say all */
    default:
        if (kz_kind_is_event(record->kind))
            kz_check_event(check, record);
        else
            kz_check_upkeep(check, record);
    }
}
