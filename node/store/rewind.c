/* SPDX-License-Identifier: Apache-2.0 */
#include "node/store/rewind.h"

#include <string.h>

#include "node/base/assert.h"
#include "node/registry/event.h"
#include "node/store/state.h"

#define CHANGED_NAMED_MAX 100u /* of the records brought back; the outcome counts the rest */

bool kz_rewind_wanted(const Kz__Command *command)
{
    return command->n_mutations > 0 && command->mutations[0]->op == KZ__MUTATION__OP__REWIND;
}

/* ---- the walk ---- */

struct walk {
    struct kz_stage *stage;
    uint32_t kinds; /* KZ_KIND_BIT of those that are brought back */
    uint64_t to_rev;
    uint64_t rev; /* last one looked at */
};

/* One record that is not as it was. In the scratch's `row`, until the next step. */
struct lost {
    Kz__Kind kind;
    const char *id;
    struct kz_key key;
    struct kz_bytes now_bytes;
    Kz__Record *now;
    Kz__Record *then; /* NULL: there was none, or it was retired */
};

static struct walk begin_walk(struct kz_stage *stage)
{
    struct walk walk = {.stage = stage, .to_rev = stage->command->mutations[0]->to_rev};
    walk.rev = walk.to_rev;
    for (size_t i = 0; i < stage->command->n_mutations; i++)
        walk.kinds |= KZ_KIND_BIT(stage->command->mutations[i]->kind);
    return walk;
}

static enum kz_code load_change(const struct walk *walk, uint64_t rev, struct kz_arena *arena, Kz__Change **out)
{
    struct kz_stage *stage = walk->stage;
    struct kz_key key = kz_key_u64(rev);
    struct kz_bytes row;
    enum kz_code code = kz_table_get(stage->scope, KZ_TABLE_HISTORY, &key, &row, stage->err);
    if (code == KZ_NOT_FOUND)
        return kz_table_corrupt(KZ_TABLE_HISTORY, key.bytes, key.size_bytes, "missing", stage->err);
    return code == KZ_OK ? kz_state_decode_change(arena, rev, row, out, stage->err) : code;
}

static bool is_wanted(const struct walk *walk, const Kz__Change *change)
{
    return (walk->kinds & KZ_KIND_BIT(change->kind)) != 0;
}

static enum kz_code load_now(const struct walk *walk, struct lost *lost)
{
    struct kz_stage *stage = walk->stage;
    struct kz_arena *row = &stage->scratch->row;
    struct kz_bytes bytes;
    bool retired;
    enum kz_code code = kz_state_find(stage->scope, &lost->key, &bytes, &retired, stage->err);
    if (code == KZ_NOT_FOUND)
        return kz_table_corrupt(KZ_TABLE_RECORDS, lost->key.bytes, lost->key.size_bytes, "missing", stage->err);
    if (code != KZ_OK) return code;
    /* Copied: the map's page may be rewritten before its history is. */
    lost->now_bytes = (struct kz_bytes){kz_arena_memdup(row, bytes.data, bytes.size_bytes), bytes.size_bytes};
    if (lost->now_bytes.data == NULL) return kz_fail(stage->err, KZ_NO_MEMORY, "rewind: out of memory");
    return kz_state_decode_record(row, &lost->key, lost->now_bytes, &lost->now, stage->err);
}

/* A record's first change after the revision is the one that found it as it was then, so that each is seen once.
 * KZ_NOT_FOUND: there are no more. */
static enum kz_code step(struct walk *walk, struct lost *lost)
{
    struct kz_arena *row = &walk->stage->scratch->row;
    while (walk->rev < walk->stage->base_rev) {
        Kz__Change *change;
        kz_arena_reset(row);
        enum kz_code code = load_change(walk, ++walk->rev, row, &change);
        if (code != KZ_OK) return code;
        bool first = change->before == NULL || change->before->rev <= walk->to_rev;
        if (!first || !is_wanted(walk, change)) continue;
        lost->kind = change->kind;
        lost->id = change->id;
        lost->key = kz_key_record(change->kind, change->id);
        lost->then = kz_stage_is_live(change->before) ? change->before : NULL;
        code = load_now(walk, lost);
        if (code != KZ_OK || !kz_record_stands(lost->now, lost->then)) return code;
    }
    return KZ_NOT_FOUND;
}

/* ---- whether it may be done ---- */

static bool check_shape(struct kz_stage *stage)
{
    const Kz__Mutation *first = stage->command->mutations[0];
    uint32_t seen = 0;
    for (size_t i = 0; i < stage->command->n_mutations; i++) {
        const Kz__Mutation *mutation = stage->command->mutations[i];
        kz_mutation_check_op(mutation, &stage->violations);
        bool known = kz_kind_by_number(mutation->kind) != NULL;
        bool twice = known && (seen & KZ_KIND_BIT(mutation->kind)) != 0;
        bool alike = mutation->op == KZ__MUTATION__OP__REWIND && mutation->to_rev == first->to_rev &&
                     mutation->expected_rev == first->expected_rev;
        if (known) seen |= KZ_KIND_BIT(mutation->kind);
        if (!known)
            kz_stage_violate(stage, mutation, "kind", "kind.known", "unknown kind", "未知の種別です");
        else if (twice || !alike)
            kz_stage_violate(stage, mutation, "", "rewind.alone",
                             "a rewind stands in a command of its own, each kind once, all to the same revision",
                             "巻き戻しは単独の指示で、種別ごとに1回、同じリビジョンを指定します");
    }
    if (stage->violations.count == 0 && (first->to_rev > first->expected_rev || first->expected_rev > stage->base_rev))
        kz_stage_violate(stage, first, "", "revision.future", "there is no such revision yet",
                         "そのリビジョンはまだありません");
    if (stage->violations.count == 0 && stage->base_rev - first->to_rev > KZ_REWIND_REVISIONS_MAX)
        kz_stage_violate(stage, first, "", "rewind.far",
                         "lies more than 500,000 revisions back: go back in steps, or restore a backup",
                         "50万リビジョンより前には一度に戻せません。段階的に戻すか、バックアップから復元してください");
    if (stage->violations.count > 0) kz_stage_refuse(stage, KZ_INVALID);
    return stage->violations.count == 0;
}

/* What was changed after the review would be undone unseen. Events are not touched, and may go on. */
static enum kz_code check_reviewed(const struct walk *walk)
{
    struct kz_stage *stage = walk->stage;
    uint64_t reviewed = stage->command->mutations[0]->expected_rev;
    for (uint64_t rev = reviewed + 1; rev <= stage->base_rev; rev++) {
        Kz__Change *change;
        kz_arena_reset(&stage->scratch->row);
        enum kz_code code = load_change(walk, rev, &stage->scratch->row, &change);
        if (code != KZ_OK) return code;
        if (!is_wanted(walk, change)) continue;
        const char *path = kz_stage_path(stage, change->kind, change->id, "");
        if (path == NULL) return KZ_OK; /* the stage has failed */
        kz_violations_addf(&stage->violations, path, "rev.current", NULL,
                           "was changed at revision %llu, after revision %llu that was reviewed: review again",
                           "確認したリビジョンの後に変更されています(変更 %llu、確認 %llu)。もう一度確認してください",
                           (unsigned long long)rev, (unsigned long long)reviewed);
        kz_stage_refuse(stage, KZ_CONFLICT);
        return KZ_OK;
    }
    return KZ_OK;
}

/* Records of the kinds that are brought back stand as they stood, which was allowed. Only what goes across to the kinds
 * that stay as they are needs looking at. */
static enum kz_presence find(void *data, Kz__Kind kind, const char *id)
{
    const struct walk *walk = data;
    struct kz_stage *stage = walk->stage;
    if (stage->failure != KZ_OK || kz_kind_by_number(kind) == NULL || !kz_id_valid(id)) return KZ_ABSENT;
    if ((walk->kinds & KZ_KIND_BIT(kind)) != 0) return KZ_LIVE;
    struct kz_key key = kz_key_record(kind, id);
    struct kz_bytes bytes;
    bool retired = false;
    enum kz_code code = kz_state_find(stage->scope, &key, &bytes, &retired, stage->err);
    if (code == KZ_NOT_FOUND) return KZ_ABSENT;
    if (code != KZ_OK) stage->failure = code;
    return retired && code == KZ_OK ? KZ_RETIRED : KZ_LIVE;
}

static enum kz_code name_referrers(const struct walk *walk, const struct lost *lost)
{
    struct kz_stage *stage = walk->stage;
    struct kz_key prefix = kz_key_record_prefix(lost->kind, lost->id);
    struct kz_rows rows;
    enum kz_code code = kz_rows_open(&rows, stage->scope, KZ_TABLE_REFS, stage->err);
    if (code != KZ_OK) return code;
    for (code = kz_rows_seek(&rows, prefix.bytes, prefix.size_bytes, stage->err); code == KZ_OK;
         code = kz_rows_next(&rows, stage->err)) {
        if (rows.key.size_bytes <= prefix.size_bytes || memcmp(rows.key.data, prefix.bytes, prefix.size_bytes) != 0)
            break;
        struct kz_key referrer =
            kz_key_bytes(rows.key.data + prefix.size_bytes, rows.key.size_bytes - prefix.size_bytes);
        Kz__Kind kind = (Kz__Kind)referrer.bytes[0];
        if (!kz_kind_is_event(kind) && (walk->kinds & KZ_KIND_BIT(kind)) == 0) kz_stage_name_referrer(stage, &referrer);
    }
    kz_rows_close(&rows);
    return code == KZ_NOT_FOUND ? KZ_OK : code;
}

static enum kz_code check_neighbours(struct walk *walk, const struct lost *lost)
{
    struct kz_stage *stage = walk->stage;
    struct kz_resolver resolver = {walk, find};
    if (lost->then == NULL) return name_referrers(walk, lost);
    kz_record_check_references(lost->then, &resolver, &stage->violations);
    return stage->failure;
}

static void name_changed(struct kz_stage *stage, const struct lost *lost, uint64_t rev)
{
    struct kz_arena *arena = &stage->scratch->arena;
    Kz__Outcome *outcome = &stage->outcome;
    if (outcome->n_changed == CHANGED_NAMED_MAX) return;
    if (outcome->changed == NULL)
        outcome->changed = kz_stage_claim(stage, kz_arena_alloc(arena, CHANGED_NAMED_MAX * sizeof(*outcome->changed)));
    Kz__Changed *changed = kz_stage_claim(stage, kz_arena_alloc(arena, sizeof(*changed)));
    char *id = kz_stage_claim(stage, kz_arena_memdup(arena, lost->id, strlen(lost->id) + 1));
    if (stage->failure != KZ_OK) return;
    kz__changed__init(changed);
    changed->kind = lost->kind;
    changed->id = id;
    changed->rev = rev;
    outcome->changed[outcome->n_changed++] = changed;
}

static void drop_changed(struct kz_stage *stage)
{
    stage->outcome.n_changed = 0;
    stage->outcome.changed = NULL;
}

static enum kz_code count_lost(struct walk *walk, uint64_t *count, uint64_t *retired)
{
    struct lost lost;
    enum kz_code code;
    while ((code = step(walk, &lost)) == KZ_OK) {
        *retired += lost.then == NULL;
        name_changed(walk->stage, &lost, walk->stage->base_rev + ++*count);
        code = walk->stage->failure;
        if (code == KZ_OK) code = check_neighbours(walk, &lost);
        if (code != KZ_OK) return code;
    }
    return code == KZ_NOT_FOUND ? KZ_OK : code;
}

enum kz_code kz_rewind_decide(struct kz_stage *stage)
{
    uint64_t count = 0, retired = 0;
    if (!check_shape(stage)) return stage->failure;
    struct walk walk = begin_walk(stage);
    enum kz_code code = check_reviewed(&walk);
    if (code != KZ_OK || stage->failure != KZ_OK || stage->outcome.code != KZ_OK) return code;
    code = count_lost(&walk, &count, &retired);
    if (code != KZ_OK) return code;
    if (stage->violations.count > 0)
        kz_stage_refuse(stage, KZ_INVALID);
    else if (stage->outcome.n_referrers > 0)
        kz_stage_refuse(stage, KZ_REFERENCED);
    if (stage->outcome.code != KZ_OK || !kz_stage_may_retire(stage, retired)) {
        drop_changed(stage);
        return KZ_OK;
    }
    stage->rewinds = count;
    stage->rev = stage->base_rev + count;
    stage->outcome.has_changed_count = stage->outcome.has_retired_count = 1;
    stage->outcome.changed_count = count;
    stage->outcome.retired_count = retired;
    return KZ_OK;
}

/* ---- doing it ---- */

/* The record to write, in the place of one of `lost`. */
static Kz__Record *make_after(struct kz_stage *stage, struct lost *lost)
{
    Kz__Record *record =
        lost->then != NULL ? lost->then : kz_arena_memdup(&stage->scratch->row, lost->now, sizeof(*lost->now));
    kz_assert(record != NULL); /* in apply */
    if (lost->then == NULL) {
        record->has_retired_at = 1;
        record->retired_at = stage->time_ms;
    }
    kz_stage_stamp(stage, record);
    return record;
}

enum kz_code kz_rewind_run(struct kz_stage *stage, kz_rewind_writer write, void *data)
{
    struct walk walk = begin_walk(stage);
    struct kz_buf *encoded = &stage->scratch->encoded;
    uint64_t last = stage->rev;
    struct lost lost;
    enum kz_code code;
    stage->rev = stage->base_rev;
    while ((code = step(&walk, &lost)) == KZ_OK) {
        Kz__Mutation mutation = KZ__MUTATION__INIT;
        mutation.op = KZ__MUTATION__OP__REWIND;
        mutation.kind = lost.kind;
        mutation.id = (char *)(uintptr_t)lost.id; /* read only; the message has no const */
        struct kz_staged item = {.mutation = &mutation,
                                 .key = lost.key,
                                 .before = lost.now,
                                 .before_bytes = lost.now_bytes,
                                 .after = make_after(stage, &lost),
                                 .rev = stage->rev,
                                 .last = true};
        kz_buf_clear(encoded);
        kz_record_encode(item.after, encoded);
        kz_assert(!encoded->failed); /* in apply */
        item.after_bytes = (struct kz_bytes){encoded->data, encoded->size_bytes};
        code = write(data, stage, &item);
        if (code != KZ_OK) return code;
    }
    if (code != KZ_NOT_FOUND) return code;
    kz_assert(stage->rev == last); /* the two walks have seen the same */
    return KZ_OK;
}
