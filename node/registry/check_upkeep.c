/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of the kinds that keep a plan alive (backups and what is drilled, reviewed, handed out): how fields of one
 * record bear on each other. */
#include "node/registry/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/registry/codes.h"
#include "node/registry/settings.h"

#define WHERE_BYTES 64

static void check_hash(struct kz_check *check, const char *where, const char *hash)
{
    if (has_text(hash) && !kz_code_is_sha256(hash))
        kz_check_add(check, where, "attachment.sha256", NULL, "not a SHA-256; write its 64 hexadecimal digits",
                     "SHA-256ではありません。16進64桁で書いてください");
}

/* ---- backup ---- */

static bool same_copy(const Kz__Backup__Copy *a, const Kz__Backup__Copy *b)
{
    bool same_place = same_text(a->place, b->place) || (!has_text(a->place) && !has_text(b->place));
    return same_text(a->site, b->site) && same_place && a->has_media && b->has_media && a->media == b->media;
}

static void check_copies(struct kz_check *check, const Kz__Backup *backup)
{
    char where[WHERE_BYTES];
    for (size_t i = 1; i < backup->n_copies; i++) {
        for (size_t j = 0; j < i; j++) {
            if (!same_copy(backup->copies[i], backup->copies[j])) continue;
            snprintf(where, sizeof(where), "copies[%zu]", i);
            kz_check_add(check, where, "list.duplicate", "B Step3",
                         "the same place and media stand twice; say which shelf or room, or remove one",
                         "同じ保管場所と媒体が2つあります。保管場所を区別するか、一方を削除してください");
            break;
        }
    }
}

static void check_backup(struct kz_check *check, const Kz__Record *record)
{
    const Kz__Backup *backup = record->backup;
    if (has_text(backup->start) && !kz_code_is_hour_minute(backup->start))
        kz_check_add(check, "start", "time.hour_minute", "B Step 2 表", "not a time of day; write HH:MM, e.g. 01:30",
                     "時刻ではありません。01:30 のように書いてください");
    check_hash(check, "last_sha256", backup->last_sha256);
    if (backup->has_last_result && backup->last_result == KZ__BACKUP__RESULT__SUCCESS && !backup->has_last_success)
        kz_check_add(check, "last_success", "backup.success_when", "G 2.7.1",
                     "the last run succeeded, so say when; or set another result",
                     "直近の結果が成功なら、その日時が必要です。日時を書くか、結果を直してください");
    if (has_text(backup->last_sha256) && !has_text(backup->last_file))
        kz_check_add(check, "last_file", "backup.hash_of_what", NULL,
                     "a hash without its file; name the file or medium, or remove the hash",
                     "ハッシュ値の対象がありません。ファイル名か媒体番号を書くか、ハッシュ値を削除してください");
    check_copies(check, backup);
}

/* ---- calltree ---- */

static void check_calltree(struct kz_check *check, const Kz__Record *record)
{
    const Kz__Calltree *tree = record->calltree;
    char where[WHERE_BYTES];
    for (size_t i = 0; i < tree->n_report_hours; i++) {
        if (kz_code_is_hour_minute(tree->report_hours[i])) continue;
        snprintf(where, sizeof(where), "report_hours[%zu]", i);
        kz_check_add(check, where, "time.hour_minute", "N 3(4)①ア", "not a time of day; write HH:MM, e.g. 08:15",
                     "時刻ではありません。08:15 のように書いてください");
    }
    for (size_t i = 0; i < tree->n_links; i++) {
        const Kz__Calltree__Link *link = tree->links[i];
        for (size_t j = 0; j < link->n_to; j++) {
            if (!same_text(link->to[j], link->from)) continue;
            snprintf(where, sizeof(where), "links[%zu].to[%zu]", i, j);
            kz_check_add(check, where, "calltree.calls_itself", "N 図1", "the caller is called; name somebody else",
                         "連絡元自身が連絡先になっています。別の相手を指定してください");
        }
        for (size_t j = 0; j < link->n_to; j++) {
            if (!same_text(link->to[j], link->if_no_answer)) continue;
            snprintf(where, sizeof(where), "links[%zu].if_no_answer", i);
            kz_check_add(check, where, "calltree.no_other", "G 2.8.1(1)-1",
                         "is called already; name somebody who is called when they do not answer",
                         "既に連絡先にあります。つながらないときの別の相手を指定してください");
        }
    }
}

/* ---- measure ---- */

static void check_measure(struct kz_check *check, const Kz__Record *record)
{
    const Kz__Measure *measure = record->measure;
    if (!measure->has_state) return;
    if (measure->state == KZ__MEASURE__STATE__DONE && !has_text(measure->done_on))
        kz_check_add(check, "done_on", "measure.done_when", "G 2.9.2", "a measure that is done has its day",
                     "実施済の対策には実施日が必要です");
    if (measure->state != KZ__MEASURE__STATE__DONE && has_text(measure->done_on))
        kz_check_add(check, "done_on", "measure.not_done", "G 2.9.2", "not done yet; set state DONE or remove the day",
                     "まだ実施済ではありません。状態を実施済にするか、実施日を削除してください");
    if (measure->state == KZ__MEASURE__STATE__REJECTED && !has_text(measure->residual_risk))
        kz_check_add(check, "residual_risk", "measure.rejected_leaves_risk", "G 2.7.2(2)",
                     "a measure that is not taken leaves a risk; say which",
                     "見送る対策には残存リスクの記載が必要です");
}

/* ---- attachment ---- */

/* The name becomes a file's on the reader's machine: nothing that leads out of a folder. */
static bool is_file_name(const char *name)
{
    return strpbrk(name, "/\\:*?\"<>|") == NULL && name[0] != '.' && name[0] != '-';
}

static bool is_media_type(const char *text)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$&-^_.+";
    size_t type = strspn(text, allowed);
    if (type == 0 || text[type] != '/') return false;
    size_t subtype = strspn(text + type + 1, allowed);
    return subtype > 0 && text[type + 1 + subtype] == '\0';
}

static void check_attachment(struct kz_check *check, const Kz__Record *record)
{
    const Kz__Attachment *attachment = record->attachment;
    if (has_text(attachment->name) && !is_file_name(attachment->name))
        kz_check_add(check, "name", "attachment.name", NULL,
                     "not the name of a file; leave out folders, a leading . or -, and any of / \\ : * ? \" < > |",
                     "ファイル名として使えません。フォルダ、先頭の . と -、/ \\ : * ? \" < > | を除いてください");
    if (has_text(attachment->media_type) && !is_media_type(attachment->media_type))
        kz_check_add(check, "media_type", "attachment.media_type", "RFC 6838",
                     "not a media type; write e.g. application/pdf, image/png",
                     "媒体種別ではありません。application/pdf、image/png のように書いてください");
    check_hash(check, "sha256", attachment->sha256);
}

/* ---- what is planned, done, ended: days in order ---- */

/* Dates are YYYY-MM-DD, so their text order is theirs. `check` has said so where one is not a date. */
static void check_days(struct kz_check *check, const char *first, const char *later, const char *where,
                       const struct kz_text *text, const char *source)
{
    if (has_text(first) && has_text(later) && strcmp(later, first) < 0)
        kz_check_add(check, where, "days.order", source, text->en, text->ja);
}

static void check_drill(struct kz_check *check, const Kz__Record *record)
{
    static const char source[] = "G 2.9.1";
    const Kz__Drill *drill = record->drill;
    if (!drill->has_state) return;
    bool done = drill->state == KZ__DRILL__STATE__DONE;
    if (done && !has_text(drill->done_on))
        kz_check_add(check, "done_on", "drill.done_when", source, "a drill that is done has its day",
                     "実施済の訓練には実施日が必要です");
    if (done && !drill->has_result)
        kz_check_add(check, "result", "drill.result", source, "a drill that is done has a result",
                     "実施済の訓練には結果が必要です");
    if (drill->state == KZ__DRILL__STATE__PLANNED && !has_text(drill->planned_on))
        kz_check_add(check, "planned_on", "drill.planned_when", "G 2.9.1(1)", "a drill that is planned has a day",
                     "計画中の訓練には予定日が必要です");
    if (!done && (has_text(drill->done_on) || drill->has_result))
        kz_check_add(check, "state", "drill.not_done", source,
                     "has a day or a result but is not done; set state DONE or remove them",
                     "実施日か結果がありますが実施済ではありません。状態を実施済にするか、それらを削除してください");
}

static void check_review(struct kz_check *check, const Kz__Record *record)
{
    const Kz__Review *review = record->review;
    char where[WHERE_BYTES];
    static const struct kz_text next_before = {"before the day of this review", "この見直しの実施日より前です"};
    if (!has_text(review->planned_on) && !has_text(review->done_on))
        kz_check_add(check, "planned_on", "review.when", "G 2.9.2(1)", "say for which day it is planned, or was done",
                     "予定日か実施日が必要です");
    if (has_text(review->done_on) && review->n_checks == 0)
        kz_check_add(check, "checks", "review.checklist", "G 表2-9-3", "a review that is done answers its checklist",
                     "実施した見直しには確認項目の結果が必要です");
    for (size_t i = 1; i < review->n_checks; i++) {
        for (size_t j = 0; j < i; j++) {
            if (!review->checks[i]->has_item || review->checks[j]->item != review->checks[i]->item) continue;
            snprintf(where, sizeof(where), "checks[%zu].item", i);
            kz_check_add(check, where, "list.duplicate", "G 表2-9-3", "this item is answered already; remove one",
                         "同じ確認項目が既にあります。一方を削除してください");
            break;
        }
    }
    check_days(check, review->done_on, review->next_due, "next_due", &next_before, "G 2.9.2(1)");
}

static void check_exception(struct kz_check *check, const Kz__Record *record)
{
    static const struct kz_text until_before = {"before it begins", "開始日より前です"};
    const Kz__Exception *exception = record->exception;
    check_days(check, exception->from, exception->until, "until", &until_before, "G 2.2(3)-3");
    check_days(check, exception->from, exception->ended_on, "ended_on", &until_before, "G 2.2(3)-3");
    if (same_text(exception->approver, exception->requester))
        kz_check_add(check, "approver", "exception.approver_is_requester", "G 2.2(3)-3",
                     "who asked for it cannot allow it; another person must",
                     "申請者本人は承認できません。別の人が承認してください");
    if (exception->has_outcome && !has_text(exception->ended_on))
        kz_check_add(check, "ended_on", "exception.outcome_when_ended", "G 2.8.2(3)-2",
                     "what follows is decided when it has ended; give the day or remove the outcome",
                     "終了後の扱いは終えてから決めます。終了日を書くか、扱いを削除してください");
}

static void check_card(struct kz_check *check, const Kz__Record *record)
{
    static const struct kz_text before_issue = {"before it was issued", "交付日より前です"};
    const Kz__Card *card = record->card;
    check_days(check, card->issued_on, card->expires_on, "expires_on", &before_issue, "G 1.1.5");
    check_days(check, card->issued_on, card->returned_on, "returned_on", &before_issue, "G 1.1.5");
    check_days(check, card->issued_on, card->lost_on, "lost_on", &before_issue, "G 1.1.5");
    check_hash(check, "sha256", card->sha256);
}

/* ---- peer ---- */

/* HOST:PORT; an IPv6 address in brackets. */
static bool is_endpoint(const char *text)
{
    const char *colon = strrchr(text, ':');
    if (colon == NULL || colon == text) return false;
    size_t digits = strspn(colon + 1, "0123456789");
    if (digits == 0 || digits > 5 || colon[1 + digits] != '\0') return false;
    long port = strtol(colon + 1, NULL, 10);
    if (port < 1 || port > UINT16_MAX) return false;
    size_t host = (size_t)(colon - text);
    if (text[0] == '[')
        return host > 2 && text[host - 1] == ']' && strspn(text + 1, "0123456789abcdefABCDEF:.") == host - 2;
    return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") == host;
}

static void check_peer(struct kz_check *check, const Kz__Record *record)
{
    static const struct kz_text before = {"before the agreement", "取決めの日より前です"};
    const Kz__Peer *peer = record->peer;
    char where[WHERE_BYTES];
    for (size_t i = 0; i < peer->n_endpoints; i++) {
        if (is_endpoint(peer->endpoints[i])) continue;
        snprintf(where, sizeof(where), "endpoints[%zu]", i);
        kz_check_add(check, where, "peer.endpoint", NULL, "not HOST:PORT; write e.g. renkei.example.jp:7443",
                     "HOST:PORT ではありません。renkei.example.jp:7443 のように書いてください");
    }
    for (size_t i = 0; i < peer->n_pins; i++) {
        snprintf(where, sizeof(where), "pins[%zu]", i);
        check_hash(check, where, peer->pins[i]);
    }
    if (peer->has_active && peer->active && (peer->n_endpoints == 0 || peer->n_pins == 0))
        kz_check_add(check, "active", "peer.cannot_be_reached", "P 4.2.1(1)(エ)",
                     "in use, but without an endpoint or a pin it can neither be reached nor believed",
                     "使用中ですが、接続先か証明書の指紋がなく、接続も相手の確認もできません");
    check_days(check, peer->agreed_on, peer->agreed_until, "agreed_until", &before, "P 4.2.1(1)(エ)");
}

/* ---- setting, campaign ---- */

static void check_setting(struct kz_check *check, const Kz__Record *record)
{
    struct kz_setting_value value;
    const char *text = record->setting->value;
    const struct kz_setting *setting = record->id == NULL ? NULL : kz_setting_by_key(record->id);
    if (setting == NULL) {
        const struct kz_setting *near = record->id == NULL ? NULL : kz_setting_nearest(record->id);
        char path[KZ_PATH_MAX_BYTES + sizeof(".id")];
        snprintf(path, sizeof(path), "%s.id", check->path);
        kz_violations_addf(check->violations, path, "setting.key", NULL,
                           "no such setting%s%s; `keizoku schema setting` lists them",
                           "この設定はありません%s%s。keizoku schema setting で一覧を確認してください",
                           near == NULL ? "" : ": ", near == NULL ? "" : near->key);
        return;
    }
    if (!has_text(text)) return; /* "required" has said so */
    const struct kz_text *reason = kz_setting_parse(setting, text, &value);
    if (reason != NULL) kz_check_add(check, "value", "setting.value", setting->source, reason->en, reason->ja);
}

static void check_campaign(struct kz_check *check, const Kz__Record *record)
{
    static const struct kz_text before = {"before it begins", "開始日より前です"};
    const Kz__Campaign *campaign = record->campaign;
    const struct kz_kind *kind = has_text(campaign->target) ? kz_kind_by_name(campaign->target) : NULL;
    if (has_text(campaign->target) && (kind == NULL || kind->event || strcmp(kind->name, campaign->target) != 0))
        kz_check_add(check, "target", "campaign.kind", "G 表2-9-3",
                     "not a kind that is kept true; write e.g. contact, role, system",
                     "確認の対象にできる種別ではありません。contact、role、system のように書いてください");
    check_days(check, campaign->started_on, campaign->due, "due", &before, "G 2.9.2");
    check_days(check, campaign->started_on, campaign->closed_on, "closed_on", &before, "G 2.9.2");
}

void kz_check_upkeep(struct kz_check *check, const Kz__Record *record)
{
    static const struct {
        Kz__Kind kind;
        void (*run)(struct kz_check *check, const Kz__Record *record);
    } rules[] = {
        {KZ__KIND__CALLTREE, check_calltree},   {KZ__KIND__MEASURE, check_measure},
        {KZ__KIND__BACKUP, check_backup},       {KZ__KIND__ATTACHMENT, check_attachment},
        {KZ__KIND__DRILL, check_drill},         {KZ__KIND__REVIEW, check_review},
        {KZ__KIND__EXCEPTION, check_exception}, {KZ__KIND__CARD, check_card},
        {KZ__KIND__PEER, check_peer},           {KZ__KIND__SETTING, check_setting},
        {KZ__KIND__CAMPAIGN, check_campaign},
    };
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        if (rules[i].kind == record->kind) rules[i].run(check, record);
}
