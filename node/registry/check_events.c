/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of the event kinds, and which operations a kind takes. Form only: an event that was accepted anywhere must
 * pass everywhere, so nothing here asks for another record. */
#include "node/registry/check.h"

#include <string.h>

#include "node/registry/event.h"

/* ---- times ---- */

/* 発生 before 覚知: whoever types 15:00 for 05:00 sees it now, not when the time left against the RTO is wrong. */
static void check_order(struct kz_check *check, bool has_both, int64_t occurred_at, int64_t later_at, const char *later)
{
    if (!has_both || later_at >= occurred_at) return;
    if (strcmp(later, "noticed_at") == 0)
        kz_check_add(check, later, "event.times", "N 3(2)",
                     "before it occurred; compare occurred_at and noticed_at, and correct the wrong one",
                     "発生日時より前です。発生日時と覚知日時を見比べ、誤っている方を直してください");
    else
        kz_check_add(check, later, "event.times", "N 3(2)",
                     "before it occurred; compare occurred_at and expected_at, and correct the wrong one",
                     "発生日時より前です。発生日時と復旧見込日時を見比べ、誤っている方を直してください");
}

/* ---- incident ---- */

static void require_for_opening(struct kz_check *check, bool present, const char *where, const char *source)
{
    if (!present)
        kz_check_add(check, where, "incident.opening", source,
                     "is required to open an incident (for a change of state name the incident instead)",
                     "危機的事象を開始する記録では必須です (状態の変更なら対象事象を指定してください)");
}

static void check_opening(struct kz_check *check, const Kz__Incident *incident)
{
    require_for_opening(check, has_text(incident->title), "title", "N 3(2)");
    require_for_opening(check, incident->has_type, "type", "G 2.3");
    require_for_opening(check, incident->has_mode, "mode", "G 2.9.1");
    if (incident->has_state && incident->state != KZ__INCIDENT__STATE__ALERT &&
        incident->state != KZ__INCIDENT__STATE__ACTIVATED)
        kz_check_add(check, "state", "incident.opening_state", "G 2.8.2",
                     "an incident opens as ALERT or ACTIVATED; for a later state name the incident",
                     "開始時の状態は警戒か発動です。その後の状態の変更なら対象事象を指定してください");
}

static void refuse_in_transition(struct kz_check *check, bool present, const char *where)
{
    if (present)
        kz_check_add(check, where, "incident.transition", "G 2.8.2",
                     "belongs to the event that opened the incident; to change it, correct that event",
                     "開始の記録だけの項目です。変えるときは開始の記録を訂正してください");
}

/* Three forms: opening (no incident), transition (names it), correction (names it and the event it replaces; when
 * that is the opening itself, it says all of it again). */
static void check_incident(struct kz_check *check, const Kz__Record *record)
{
    const Kz__Incident *incident = record->incident;
    bool corrects = has_text(incident->corrects);
    if (corrects && !has_text(incident->incident))
        kz_check_add(check, "incident", "incident.correction", "G 2.8.2",
                     "a correction names its incident too: the id of the event that opened it",
                     "訂正では対象事象 (開始の記録の識別子) も指定してください");
    else if (!has_text(incident->incident) || (corrects && strcmp(incident->corrects, incident->incident) == 0))
        check_opening(check, incident);
    else if (!corrects) {
        refuse_in_transition(check, incident->title != NULL, "title");
        refuse_in_transition(check, incident->has_type, "type");
        refuse_in_transition(check, incident->has_mode, "mode");
    }
    check_order(check, incident->has_occurred_at && incident->has_noticed_at, incident->occurred_at,
                incident->noticed_at, "noticed_at");
}

static void check_status(struct kz_check *check, const Kz__StatusReport *status)
{
    check_order(check, status->has_occurred_at && status->has_noticed_at, status->occurred_at, status->noticed_at,
                "noticed_at");
    check_order(check, status->has_occurred_at && status->has_expected_at, status->occurred_at, status->expected_at,
                "expected_at");
}

/* Results are of a step; a run begins, and is noted about, as a whole. */
static void check_tick(struct kz_check *check, const Kz__Tick *tick)
{
    bool begins = tick->has_result && tick->result == KZ__TICK__RESULT__BEGUN;
    bool notes = tick->has_result && tick->result == KZ__TICK__RESULT__NOTED;
    if (!tick->has_step && !begins && !notes)
        kz_check_add(check, "step", "required", "G 2.8.2(3)", "is required: number of the step, the first is 1",
                     "必須です: 手順の番号。最初が1");
    if (begins && !tick->has_step && !tick->has_revision && !has_text(tick->corrects))
        kz_check_add(check, "revision", "tick.run", "G 2.9.2",
                     "a run names the revision that is carried out: keizoku runbook start does",
                     "実施の開始には実施するリビジョンが必要です: keizoku runbook start を使ってください");
}

/* ---- all events ---- */

/* The rows that the node fills are not skipped here: they are kept as given, so they must be sound. */
static void check_envelope(struct kz_check *check, const Kz__Record *record)
{
    static const char *const rows[] = {"reason", "origin", "origin_seq", "noted_at", "noted_by"};
    char id[KZ_ID_MAX_BYTES + 1];
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        kz_check_field(check, kz_field_by_name(kz_envelope_fields(), rows[i]), &record->base);
    if (record->has_origin_hash && record->origin_hash.len != KZ_EVENT_HASH_BYTES)
        kz_check_add(check, "origin_hash", "event.hash", NULL, "is no SHA-256, which has 32 bytes",
                     "SHA-256 (32バイト) ではありません");
    if (record->origin == NULL && !record->has_origin_seq) return; /* not taken by a node yet */
    if (record->origin == NULL || !record->has_origin_seq || !kz_event_id(record->origin, record->origin_seq, id) ||
        record->id == NULL || strcmp(record->id, id) != 0)
        kz_check_add(check, "id", "event.identity", NULL,
                     "is not made of origin and origin number (\"remote-3fa2.17\"); leave all three to the node",
                     "発生元と発生元番号から作られた識別子ではありません。3つともノードに任せてください");
}

static void check_own(struct kz_check *check, const Kz__Record *record, const char *named, const char *where)
{
    if (named != NULL && record->id != NULL && strcmp(named, record->id) == 0)
        kz_check_add(check, where, "event.own", NULL, "an event cannot name itself", "自分自身は指定できません");
}

void kz_check_event(struct kz_check *check, const Kz__Record *record)
{
    check_envelope(check, record);
    check_own(check, record, kz_event_corrects(record), "corrects");
    if (!kz_event_opens(record)) check_own(check, record, kz_event_incident(record), "incident");
    if (record->kind == KZ__KIND__INCIDENT) check_incident(check, record);
    if (record->kind == KZ__KIND__STATUS) check_status(check, record->status);
    if (record->kind == KZ__KIND__TICK) check_tick(check, record->tick);
}

static void check_undo(struct kz_check *check, const Kz__Mutation *mutation)
{
    bool rewind = mutation->op == KZ__MUTATION__OP__REWIND;
    if (mutation->op == KZ__MUTATION__OP__MOVE &&
        (mutation->kind != KZ__KIND__RUNBOOK || !mutation->has_to_state ||
         mutation->to_state < KZ__RUNBOOK__STATE__DRAFT || mutation->to_state > KZ__RUNBOOK__STATE__RETIRED))
        kz_check_add(check, "", "move.state", "G 2.9.1", "only a runbook moves from state to state, and to a known one",
                     "状態を移せるのは手順書だけで、移る先の状態の指定が必要です");
    if (!rewind && mutation->op != KZ__MUTATION__OP__REVERT) return;
    if (!mutation->has_to_rev)
        kz_check_add(check, "", "undo.revision", NULL, "the revision to go back to is missing",
                     "戻すリビジョンの指定がありません");
    if (rewind && (!mutation->has_expected_rev || strcmp(mutation->id, KZ_REWIND_ID) != 0))
        kz_check_add(check, "", "rewind.reviewed", NULL,
                     "a rewind names the revision that was reviewed, and all records of the kind",
                     "巻き戻しには確認したリビジョンと、種別の全件を表す指定が必要です");
}

/* The content of an attachment comes in chunks, before the record that refers to it. */
static void check_content(struct kz_check *check, const Kz__Mutation *mutation)
{
    bool chunk = mutation->op == KZ__MUTATION__OP__CHUNK;
    bool attachment = mutation->kind == KZ__KIND__ATTACHMENT;
    if ((bool)mutation->has_chunk != chunk || (chunk && !attachment) ||
        (chunk && (mutation->chunk.len == 0 || mutation->chunk.len > KZ_CHUNK_MAX_BYTES)))
        kz_check_add(check, "", "chunk.form", NULL, "only an attachment has chunks of content, each 1 byte to 256 KiB",
                     "内容を分割して送れるのは添付だけで、1つは1バイト〜256KiBです");
    if (!mutation->has_content) return;
    if (!attachment || mutation->op != KZ__MUTATION__OP__PUT || mutation->content.len % KZ_EVENT_HASH_BYTES != 0 ||
        mutation->content.len > KZ_BLOB_CHUNKS_MAX * KZ_EVENT_HASH_BYTES)
        kz_check_add(check, "", "content.form", NULL,
                     "a list of chunks belongs to the PUT of an attachment, at most 128 of 32 bytes each",
                     "内容の一覧は添付の登録(PUT)だけに付けられ、32バイトのものを128件までです");
}

void kz_mutation_check_op(const Kz__Mutation *mutation, struct kz_violations *violations)
{
    struct kz_check check;
    Kz__Record named = KZ__RECORD__INIT;
    const struct kz_kind *kind = kz_kind_by_number(mutation->kind);
    if (kind == NULL) return;
    named.kind = mutation->kind;
    named.id = mutation->id;
    kz_check_begin(&check, &named, violations);
    if (kind->event == (mutation->op == KZ__MUTATION__OP__APPEND)) {
        check_undo(&check, mutation);
        check_content(&check, mutation);
        return;
    }
    if (kind->event)
        kz_check_add(&check, "", "event.append_only", "P (コ)",
                     "an event is added once and never changed, retired or verified; to put it right, add another "
                     "that names it in `corrects`",
                     "記録は追加だけができ、変更・廃止・確認はできません。直すときは、訂正対象にその識別子を書いた"
                     "別の記録を追加してください");
    else
        kz_check_add(&check, "", "event.only", NULL, "only events are appended; use PUT for this kind",
                     "追加(APPEND)は記録の種別だけの操作です。この種別には登録(PUT)を使ってください");
}
