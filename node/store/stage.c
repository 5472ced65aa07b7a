/* SPDX-License-Identifier: Apache-2.0 */
#include "node/store/stage.h"

#include <stdlib.h>
#include <string.h>

#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>

#include "node/base/assert.h"
#include "node/registry/event.h"
#include "node/registry/runbook_life.h"
#include "node/store/blob_state.h"
#include "node/store/rewind.h"
#include "node/store/state.h"

/* Memory that was asked for; that there was none is seen to at the end. */
void *kz_stage_claim(struct kz_stage *stage, void *memory)
{
    if (memory == NULL && stage->failure == KZ_OK) stage->failure = KZ_NO_MEMORY;
    return memory;
}

/* ---- the records this command has touched ---- */

static size_t slot_of(const struct kz_stage *stage, const struct kz_key *key)
{
    size_t slot = (size_t)XXH3_64bits(key->bytes, key->size_bytes) & stage->slot_mask;
    while (stage->slots[slot] != 0) {
        const struct kz_key *there = &stage->items[stage->slots[slot] - 1].key;
        if (there->size_bytes == key->size_bytes && memcmp(there->bytes, key->bytes, key->size_bytes) == 0) break;
        slot = (slot + 1) & stage->slot_mask;
    }
    return slot;
}

static struct kz_staged *staged(const struct kz_stage *stage, const struct kz_key *key)
{
    uint32_t item = stage->slots[slot_of(stage, key)];
    return item == 0 ? NULL : &stage->items[item - 1];
}

static void init_items(struct kz_stage *stage, size_t mutations)
{
    size_t slots = 4;
    while (slots < 2 * mutations)
        slots *= 2;
    stage->items = kz_stage_claim(stage, kz_arena_zero(&stage->scratch->arena, mutations * sizeof(*stage->items)));
    stage->slots = kz_stage_claim(stage, kz_arena_zero(&stage->scratch->arena, slots * sizeof(*stage->slots)));
    stage->slot_mask = slots - 1;
}

/* ---- what needs no state ---- */

static bool carries_record(const Kz__Mutation *mutation)
{
    return mutation->op == KZ__MUTATION__OP__PUT || mutation->op == KZ__MUTATION__OP__APPEND;
}

/* What staging itself relies on: a kind and an id that make a key, and a record where one is put. */
static void check_shape(struct kz_stage *stage, const Kz__Mutation *mutation)
{
    const Kz__Record *record = mutation->record;
    if (kz_kind_by_number(mutation->kind) == NULL)
        kz_stage_violate(stage, mutation, "kind", "kind.known", "unknown kind", "未知の種別です");
    if (!kz_id_valid(mutation->id))
        kz_stage_violate(stage, mutation, "id", "id.form",
                         "an id is 1 to 64 of a-z 0-9 . _ -, beginning with a letter or digit",
                         "idは英小文字・数字・「.」「_」「-」の1〜64文字で、先頭は英小文字か数字です");
    kz_mutation_check_op(mutation, &stage->violations);
    if (!carries_record(mutation)) {
        if (mutation->op != KZ__MUTATION__OP__RETIRE && mutation->op != KZ__MUTATION__OP__VERIFY &&
            mutation->op != KZ__MUTATION__OP__REVERT && mutation->op != KZ__MUTATION__OP__MOVE)
            kz_stage_violate(stage, mutation, "", "op.known", "unknown operation", "未知の操作です");
        return;
    }
    if (record == NULL)
        kz_stage_violate(stage, mutation, "", "record.present", "the record to store is missing",
                         "保存する記録がありません");
    else if (record->kind != mutation->kind || strcmp(record->id, mutation->id) != 0)
        kz_stage_violate(stage, mutation, "", "record.same", "the record has another kind or id than the change",
                         "変更と記録の種別またはidが一致しません");
    else if (kz_record_body(record) == NULL)
        kz_stage_violate(stage, mutation, "", "record.body", "the record has no contents of its kind",
                         "記録に種別に応じた内容がありません");
}

static bool check_shapes(struct kz_stage *stage)
{
    const Kz__Command *command = stage->command;
    if (command->n_mutations == 0 || command->n_mutations > KZ_MUTATIONS_MAX) {
        struct kz_text text = {"a command holds 1 to 1000 changes", "1回の指示に含められる変更は1〜1000件です"};
        kz_violations_add(&stage->violations, "command", "command.size", &text, NULL);
        return false;
    }
    for (size_t i = 0; i < command->n_mutations; i++)
        check_shape(stage, command->mutations[i]);
    return stage->violations.count == 0;
}

/* ---- outcomes ---- */

static void refuse(struct kz_stage *stage, enum kz_code code)
{
    stage->outcome.code = (uint32_t)code;
    stage->count = 0;
}

/* With what was found: which record, and why. */
void kz_stage_refuse(struct kz_stage *stage, enum kz_code code)
{
    stage->outcome.violations = stage->violations.items;
    stage->outcome.n_violations = stage->violations.count;
    refuse(stage, code);
}

static void accept(struct kz_stage *stage)
{
    struct kz_arena *arena = &stage->scratch->arena;
    Kz__Changed *rows = kz_stage_claim(stage, kz_arena_zero(arena, stage->count * sizeof(*rows)));
    stage->outcome.changed =
        kz_stage_claim(stage, kz_arena_alloc(arena, stage->count * sizeof(*stage->outcome.changed)));
    if (stage->failure != KZ_OK) return;
    for (size_t i = 0; i < stage->count; i++) {
        const struct kz_staged *item = &stage->items[i];
        kz__changed__init(&rows[i]);
        rows[i].kind = item->mutation->kind;
        rows[i].id = item->mutation->id;
        rows[i].rev = item->rev;
        rows[i].has_unchanged = item->unchanged;
        rows[i].unchanged = item->unchanged;
        stage->outcome.changed[i] = &rows[i];
    }
    stage->outcome.n_changed = stage->count;
    stage->outcome.code = KZ_OK;
    stage->outcome.rev = stage->rev;
}

/* ---- one mutation ---- */

static enum kz_code load_before(struct kz_stage *stage, struct kz_staged *item)
{
    const struct kz_staged *earlier = staged(stage, &item->key);
    if (earlier != NULL) {
        item->before = earlier->after; /* its bytes are taken from `earlier` once all are encoded */
        return KZ_OK;
    }
    bool retired = false;
    struct kz_bytes bytes;
    enum kz_code code = kz_state_find(stage->scope, &item->key, &bytes, &retired, stage->err);
    if (code == KZ_NOT_FOUND) return KZ_OK;
    if (code != KZ_OK) return code;
    /* Copied: the map's page may be rewritten by an earlier mutation before this one's history is. */
    item->before_bytes.data =
        kz_stage_claim(stage, kz_arena_memdup(&stage->scratch->arena, bytes.data, bytes.size_bytes));
    if (item->before_bytes.data == NULL) return KZ_NO_MEMORY;
    item->before_bytes.size_bytes = bytes.size_bytes;
    stage->touched_bytes += bytes.size_bytes;
    Kz__Record *before;
    code = kz_state_decode_record(&stage->scratch->arena, &item->key, item->before_bytes, &before, stage->err);
    item->before = before;
    return code;
}

bool kz_stage_is_live(const Kz__Record *record) { return record != NULL && !record->has_retired_at; }

/* A small command may change large records: what it holds in memory is bounded by what it touches. */
static bool within_budget(struct kz_stage *stage, const struct kz_staged *item)
{
    if (stage->touched_bytes <= KZ_COMMAND_TOUCHED_MAX_BYTES) return true;
    kz_stage_violate(
        stage, item->mutation, "", "command.touched",
        "from this record on, the stored records that this command changes hold more than 8 MiB together: split it",
        "この記録から先は、1回の指示で変更する保存済みの記録が合計8MiBを超えます。分けてください");
    kz_stage_refuse(stage, KZ_INVALID);
    return false;
}

static bool fits_expectation(const Kz__Mutation *mutation, const Kz__Record *before)
{
    if (mutation->op == KZ__MUTATION__OP__APPEND) return before == NULL || kz_event_same(before, mutation->record);
    if (!mutation->has_expected_rev) return true;
    if (mutation->expected_rev == 0) return !kz_stage_is_live(before);
    return before != NULL && before->rev == mutation->expected_rev;
}

static void name_conflict(struct kz_stage *stage, const struct kz_staged *item)
{
    const Kz__Mutation *mutation = item->mutation;
    unsigned long long stored = item->before != NULL ? item->before->rev : 0;
    if (mutation->op == KZ__MUTATION__OP__APPEND) {
        kz_stage_violate(stage, mutation, "", "event.conflict",
                         "another event has this id already; nothing was added: an event never changes",
                         "同じ識別子の別の記録が既にあります。記録は変わらないため、追加しませんでした");
        return;
    }
    const char *path = kz_stage_path(stage, mutation->kind, mutation->id, "");
    if (path != NULL)
        kz_violations_addf(&stage->violations, path, "rev.current", NULL,
                           "the stored record has revision %llu, expected was %llu (0 = none)",
                           "保存されている版は %llu、指定された版は %llu です(0 は記録なし)", stored,
                           (unsigned long long)mutation->expected_rev);
}

/* Compare-and-set, then existence. An event that came before, by whatever way, is the same event or a conflict. */
static bool admit(struct kz_stage *stage, const struct kz_staged *item)
{
    const Kz__Mutation *mutation = item->mutation;
    if (!fits_expectation(mutation, item->before)) {
        name_conflict(stage, item);
        kz_stage_refuse(stage, KZ_CONFLICT);
        stage->outcome.current = (Kz__Record *)(uintptr_t)item->before; /* read only; the message has no const */
        return false;
    }
    bool revives = mutation->op == KZ__MUTATION__OP__REVERT && item->before != NULL;
    if (!carries_record(mutation) && !revives && !kz_stage_is_live(item->before)) {
        kz_stage_violate(stage, mutation, "", "record.exists", "there is no such record, or it is retired",
                         "その記録はないか、廃止されています");
        kz_stage_refuse(stage, KZ_NOT_FOUND);
        return false;
    }
    return true;
}

static void stamp_revision(struct kz_stage *stage, Kz__Record *record)
{
    record->has_rev = 1;
    record->rev = ++stage->rev;
    record->reason = stage->command->reason;
}

void kz_stage_stamp(struct kz_stage *stage, Kz__Record *record)
{
    record->has_updated_at = 1;
    record->updated_at = stage->time_ms;
    record->updated_by = stage->command->actor;
    stamp_revision(stage, record);
}

static void clear_event_fields(Kz__Record *record)
{
    record->origin = record->noted_by = NULL;
    record->has_origin_seq = record->has_origin_hash = record->has_provisional = record->has_noted_at = 0;
}

/* The record as decoded from the batch becomes the new record: what people may not set is overwritten. */
static void put(struct kz_stage *stage, struct kz_staged *item)
{
    Kz__Record *record = item->mutation->record;
    const Kz__Record *before = item->before;
    record->has_created_at = 1;
    record->created_at = before != NULL ? before->created_at : stage->time_ms;
    record->created_by = before != NULL ? before->created_by : stage->command->actor;
    record->has_verified_at = before != NULL && before->has_verified_at;
    record->verified_at = record->has_verified_at ? before->verified_at : 0;
    record->verified_by = before != NULL ? before->verified_by : NULL;
    record->has_retired_at = 0;
    record->retired_at = 0;
    clear_event_fields(record);
    kz_record_derive(record);
    kz_runbook_settle(kz_stage_is_live(before) ? before : NULL, record, stage->command->actor);

    item->unchanged = kz_stage_is_live(before) && kz_record_same(before, record);
    if (item->unchanged) {
        item->after = (Kz__Record *)(uintptr_t)before; /* never written: `unchanged` */
        return;
    }
    kz_stage_stamp(stage, record);
    item->after = record;
}

/* Where it came from and when it was noted is kept as given; a stored event is provisional no more. */
static void append(struct kz_stage *stage, struct kz_staged *item)
{
    Kz__Record *record = item->mutation->record;
    char *reason = record->reason;
    item->unchanged = item->before != NULL;
    if (item->unchanged) {
        item->after = (Kz__Record *)(uintptr_t)item->before; /* never written: `unchanged` */
        return;
    }
    record->has_created_at = 1;
    record->created_at = stage->time_ms;
    record->created_by = stage->command->actor;
    record->has_updated_at = record->has_verified_at = record->has_retired_at = record->has_provisional = 0;
    record->updated_by = record->verified_by = NULL;
    stamp_revision(stage, record);
    if (reason != NULL) record->reason = reason; /* many events of many people may come in one command */
    item->after = record;
}

static void retire_or_verify(struct kz_stage *stage, struct kz_staged *item)
{
    Kz__Record *record =
        kz_stage_claim(stage, kz_arena_memdup(&stage->scratch->arena, item->before, sizeof(*item->before)));
    if (record == NULL) return;
    if (item->mutation->op == KZ__MUTATION__OP__RETIRE) {
        record->has_retired_at = 1;
        record->retired_at = stage->time_ms;
        kz_stage_stamp(stage, record);
    } else {
        record->has_verified_at = 1;
        record->verified_at = stage->time_ms;
        record->verified_by = stage->command->actor;
        stamp_revision(stage, record);
    }
    item->after = record;
}

/* *go_on false: the command is refused. */
static enum kz_code stage_mutation(struct kz_stage *stage, const Kz__Mutation *mutation, bool *go_on)
{
    struct kz_staged *item = &stage->items[stage->count];
    item->mutation = mutation;
    item->key = kz_key_record(mutation->kind, mutation->id);
    enum kz_code code = load_before(stage, item);
    if (code != KZ_OK) return code;
    *go_on = within_budget(stage, item) && admit(stage, item);
    if (!*go_on) return KZ_OK;
    if (mutation->op == KZ__MUTATION__OP__PUT)
        put(stage, item);
    else if (mutation->op == KZ__MUTATION__OP__APPEND)
        append(stage, item);
    else if (mutation->op == KZ__MUTATION__OP__REVERT)
        code = kz_stage_revert(stage, item);
    else if (mutation->op == KZ__MUTATION__OP__MOVE)
        kz_stage_move(stage, item);
    else
        retire_or_verify(stage, item);
    if (code != KZ_OK) return code;
    *go_on = stage->outcome.code == KZ_OK;
    if (!*go_on) return KZ_OK;
    if (stage->failure != KZ_OK) return stage->failure;
    item->rev = item->after->rev;
    item->last = true;

    size_t slot = slot_of(stage, &item->key);
    if (stage->slots[slot] != 0) stage->items[stage->slots[slot] - 1].last = false;
    stage->slots[slot] = (uint32_t)++stage->count;
    return KZ_OK;
}

/* ---- what needs the other records ---- */

static enum kz_presence find(void *data, Kz__Kind kind, const char *id)
{
    struct kz_stage *stage = data;
    if (stage->failure != KZ_OK || kz_kind_by_number(kind) == NULL || !kz_id_valid(id)) return KZ_ABSENT;
    struct kz_key key = kz_key_record(kind, id);
    const struct kz_staged *item = staged(stage, &key);
    if (item != NULL) return kz_stage_is_live(item->after) ? KZ_LIVE : KZ_RETIRED;
    bool retired = false;
    struct kz_bytes bytes;
    enum kz_code code = kz_state_find(stage->scope, &key, &bytes, &retired, stage->err);
    if (code == KZ_NOT_FOUND) return KZ_ABSENT;
    if (code != KZ_OK) stage->failure = code;
    return retired && code == KZ_OK ? KZ_RETIRED : KZ_LIVE;
}

static void check_records(struct kz_stage *stage)
{
    struct kz_resolver resolver = {stage, find};
    for (size_t i = 0; i < stage->count; i++) {
        const struct kz_staged *item = &stage->items[i];
        bool reverts = item->mutation->op == KZ__MUTATION__OP__REVERT;
        bool moves = item->mutation->op == KZ__MUTATION__OP__MOVE;
        if (!carries_record(item->mutation) && !moves && !(reverts && kz_stage_is_live(item->after))) continue;
        kz_record_check(item->after, &stage->violations);
        /* An event that a node accepted must not be lost because what it names is not, or no longer, there. */
        if (item->mutation->op == KZ__MUTATION__OP__APPEND) continue;
        /* What is reverted to was reached by allowed steps once: it is no step of its own. */
        if (kz_stage_is_live(item->before) && !item->unchanged && !reverts)
            kz_record_check_change(item->before, item->after, &stage->violations);
        kz_record_check_references(item->after, &resolver, &stage->violations);
    }
}

/* Canonical bytes of every changed record; their size is a rule too. */
static void encode_records(struct kz_stage *stage)
{
    struct kz_buf *encoded = &stage->scratch->encoded;
    kz_buf_clear(encoded);
    for (size_t i = 0; i < stage->count; i++) {
        struct kz_staged *item = &stage->items[i];
        if (item->unchanged) continue;
        item->after_offset = encoded->size_bytes;
        kz_record_encode(item->after, encoded);
        item->after_bytes.size_bytes = encoded->size_bytes - item->after_offset;
        if (item->after_bytes.size_bytes > KZ_RECORD_MAX_BYTES)
            kz_stage_violate(stage, item->mutation, "", "record.size", "the record is larger than 256 KiB",
                             "記録が256KiBを超えています");
    }
    if (encoded->failed) stage->failure = KZ_NO_MEMORY;
}

/* Second pass: the buffer no longer moves. */
static void settle_bytes(struct kz_stage *stage)
{
    for (size_t i = 0; i < stage->count; i++) {
        struct kz_staged *item = &stage->items[i];
        if (!item->unchanged) item->after_bytes.data = stage->scratch->encoded.data + item->after_offset;
    }
    /* A record changed twice by one command: the later change's `before` is the earlier one's `after`. */
    memset(stage->slots, 0, (stage->slot_mask + 1) * sizeof(*stage->slots));
    for (size_t i = 0; i < stage->count; i++) {
        struct kz_staged *item = &stage->items[i];
        size_t slot = slot_of(stage, &item->key);
        if (stage->slots[slot] != 0) item->before_bytes = stage->items[stage->slots[slot] - 1].after_bytes;
        if (item->unchanged) item->after_bytes = item->before_bytes;
        stage->slots[slot] = (uint32_t)i + 1;
    }
}

struct reference_search {
    Kz__Kind kind;
    const char *id;
    bool found;
};

static void match_reference(void *data, const char *path, Kz__Kind kind, const char *id)
{
    struct reference_search *search = data;
    (void)path;
    if (kind == search->kind && strcmp(id, search->id) == 0) search->found = true;
}

/* Does this referrer, found in the stored REFS, still refer once the command is done? */
static bool still_refers(const struct kz_stage *stage, const struct kz_key *referrer, const Kz__Mutation *target)
{
    const struct kz_staged *item = staged(stage, referrer);
    if (item == NULL) return true;
    if (!kz_stage_is_live(item->after)) return false;
    struct reference_search search = {target->kind, target->id, false};
    kz_record_references(item->after, match_reference, &search);
    return search.found;
}

static enum kz_code check_referrers(struct kz_stage *stage, const struct kz_staged *item)
{
    struct kz_key prefix = kz_key_record_prefix(item->mutation->kind, item->mutation->id);
    struct kz_rows rows;
    enum kz_code code = kz_rows_open(&rows, stage->scope, KZ_TABLE_REFS, stage->err);
    if (code != KZ_OK) return code;
    for (code = kz_rows_seek(&rows, prefix.bytes, prefix.size_bytes, stage->err); code == KZ_OK;
         code = kz_rows_next(&rows, stage->err)) {
        if (rows.key.size_bytes <= prefix.size_bytes || memcmp(rows.key.data, prefix.bytes, prefix.size_bytes) != 0)
            break;
        struct kz_key referrer =
            kz_key_bytes(rows.key.data + prefix.size_bytes, rows.key.size_bytes - prefix.size_bytes);
        /* Events never change: what they name could never be retired again. */
        if (kz_kind_is_event((Kz__Kind)referrer.bytes[0])) continue;
        if (still_refers(stage, &referrer, item->mutation)) kz_stage_name_referrer(stage, &referrer);
    }
    kz_rows_close(&rows);
    return code == KZ_NOT_FOUND ? KZ_OK : code;
}

static bool retires(const struct kz_staged *item)
{
    bool may = item->mutation->op == KZ__MUTATION__OP__RETIRE || item->mutation->op == KZ__MUTATION__OP__REVERT;
    return may && !item->unchanged && !kz_stage_is_live(item->after);
}

/* A mass deletion is somebody's slip, or a stolen certificate, far more often than it is meant (FAULTS 24). */
bool kz_stage_may_retire(struct kz_stage *stage, uint64_t count)
{
    const Kz__Command *command = stage->command;
    if (count <= KZ_RETIRE_UNASKED_MAX || (command->has_retires && command->retires == count)) return true;
    kz_violations_addf(&stage->violations, "command", "retire.many", NULL,
                       "this would retire %llu records; more than %u at once must be asked for by their number "
                       "(--confirm %llu); should it be a mistake later: keizoku undo --to %llu",
                       "%llu 件が廃止されます。一度に %u 件を超える廃止には件数の指定(--confirm %llu)が必要です。"
                       "誤って廃止した場合は keizoku undo --to %llu で戻せます",
                       (unsigned long long)count, KZ_RETIRE_UNASKED_MAX, (unsigned long long)count,
                       (unsigned long long)stage->base_rev);
    kz_stage_refuse(stage, KZ_INVALID);
    return false;
}

static enum kz_code check_retirements(struct kz_stage *stage)
{
    uint64_t count = 0;
    for (size_t i = 0; i < stage->count; i++)
        count += stage->items[i].last && retires(&stage->items[i]);
    if (!kz_stage_may_retire(stage, count)) return KZ_OK;
    for (size_t i = 0; i < stage->count; i++) {
        const struct kz_staged *item = &stage->items[i];
        if (!retires(item) || item->mutation->force || !item->last) continue;
        enum kz_code code = check_referrers(stage, item);
        if (code != KZ_OK) return code;
    }
    if (stage->outcome.n_referrers > 0) refuse(stage, KZ_REFERENCED);
    return KZ_OK;
}

/* ---- the whole command ---- */

static enum kz_code decide(struct kz_stage *stage)
{
    bool go_on = true;
    if (kz_rewind_wanted(stage->command)) return kz_rewind_decide(stage);
    if (kz_blob_wanted(stage->command)) return kz_blob_decide(stage);
    bool sound = check_shapes(stage);
    if (stage->failure != KZ_OK) return stage->failure;
    if (!sound) {
        kz_stage_refuse(stage, KZ_INVALID);
        return KZ_OK;
    }
    init_items(stage, stage->command->n_mutations);
    if (stage->failure != KZ_OK) return stage->failure;
    for (size_t i = 0; i < stage->command->n_mutations; i++) {
        enum kz_code code = stage_mutation(stage, stage->command->mutations[i], &go_on);
        if (code != KZ_OK || !go_on) return code;
    }
    check_records(stage);
    if (stage->failure == KZ_OK) stage->failure = kz_blob_check(stage);
    if (stage->failure == KZ_OK) encode_records(stage);
    if (stage->failure != KZ_OK) return stage->failure;
    if (stage->violations.count > 0) {
        kz_stage_refuse(stage, KZ_INVALID);
        return KZ_OK;
    }
    enum kz_code code = check_retirements(stage);
    if (code != KZ_OK || stage->outcome.code != KZ_OK) return code;
    settle_bytes(stage);
    accept(stage);
    return KZ_OK;
}

/* What a command may use is a rule like any other, the same on every node; that memory ran out is this node's. */
static enum kz_code fail_without_memory(struct kz_stage *stage)
{
    struct kz_text text = {"the command needs more memory than one may: split it",
                           "1回の指示に必要なメモリーが上限を超えます。分けてください"};
    const struct kz_arena *arena = &stage->scratch->arena;
    if (arena->no_memory || !arena->over_limit)
        return kz_fail(stage->err, KZ_NO_MEMORY, "decide a command: out of memory");
    kz__outcome__init(&stage->outcome);
    kz_violations_add(&stage->violations, "command", "command.memory", &text, NULL);
    kz_stage_refuse(stage, KZ_TOO_BIG);
    return KZ_OK;
}

enum kz_code kz_stage_run(struct kz_stage *stage, const struct kz_scope *scope, struct kz_scratch *scratch,
                          const Kz__Command *command, int64_t time_ms, uint64_t rev, uint64_t index, struct kz_err *err)
{
    memset(stage, 0, sizeof(*stage));
    stage->scope = scope;
    stage->scratch = scratch;
    stage->command = command;
    stage->time_ms = time_ms;
    stage->rev = stage->base_rev = rev;
    stage->err = err;
    kz__outcome__init(&stage->outcome);
    enum kz_code code = decide(stage);
    if (code == KZ_OK) code = stage->failure;
    if (code == KZ_NO_MEMORY) code = fail_without_memory(stage);
    if (stage->outcome.code != KZ_OK) stage->rev = rev;
    stage->outcome.has_rev = 1;
    stage->outcome.rev = stage->rev;
    stage->outcome.has_index = index != 0;
    stage->outcome.index = index;
    return code;
}

void kz_stage_fini(struct kz_stage *stage) { kz_violations_fini(&stage->violations); }
