/* SPDX-License-Identifier: Apache-2.0 */
/* Applies committed entries to the state. Deterministic: the same entries on the same state give the same bytes on
 * every node. */
#include "node/store/internal.h"

#include <string.h>

#include "node/base/assert.h"
#include "node/base/log.h"
#include "node/store/blob_state.h"
#include "node/store/requests.h"
#include "node/store/rewind.h"
#include "node/store/stage.h"
#include "node/store/state.h"

/* A refusal is remembered without its bulk: the first of each list says what was wrong. */
#define REMEMBERED_LIST_MAX 20u

struct application {
    struct kz_store_txn *txn;
    struct kz_scratch *scratch;
    const struct kz_apply_sink *sink; /* may be NULL */
    uint64_t index;
    struct kz_hash audit; /* of this entry */
    struct kz_err *err;
};

/* ---- telling others ---- */

static void tell_outcome(const struct application *on, const Kz__Command *command, const Kz__Outcome *outcome,
                         struct kz_bytes packed)
{
    const struct kz_apply_sink *sink = on->sink;
    if (sink == NULL) return;
    if (sink->outcome != NULL) sink->outcome(sink->data, on->index, command, outcome);
    if (sink->packed != NULL && command->request_id.len == KZ_REQUEST_ID_BYTES)
        sink->packed(sink->data, on->index, command->request_id.data, packed.data, packed.size_bytes);
}

static void tell_change(const struct application *on, const struct kz_stage *stage, const struct kz_staged *item)
{
    if (on->sink == NULL || on->sink->change == NULL) return;
    Kz__Change change = KZ__CHANGE__INIT;
    change.rev = item->rev;
    change.op = item->mutation->op;
    change.kind = item->mutation->kind;
    change.id = item->mutation->id;
    change.time_ms = stage->time_ms;
    change.actor = stage->command->actor;
    change.node = stage->command->node;
    change.reason = stage->command->reason;
    change.before = (Kz__Record *)(uintptr_t)item->before; /* read only; the message has no const */
    change.after = item->after;
    change.has_index = 1;
    change.index = on->index;
    on->sink->change(on->sink->data, &change);
}

/* ---- one command ---- */

static void audit_outcome(struct application *on, struct kz_bytes packed)
{
    kz_hash_add_u64(&on->audit, packed.size_bytes);
    kz_hash_add(&on->audit, packed.data, packed.size_bytes);
}

/* The first outcome again. */
static enum kz_code repeat(struct application *on, const Kz__Command *command, struct kz_bytes remembered)
{
    struct kz_bytes packed = {kz_arena_memdup(&on->scratch->arena, remembered.data, remembered.size_bytes),
                              remembered.size_bytes};
    kz_assert(packed.data != NULL);
    Kz__Outcome *outcome = kz__outcome__unpack(&on->scratch->arena.allocator, packed.size_bytes, packed.data);
    kz_assert(outcome != NULL || !on->scratch->arena.no_memory);
    if (outcome == NULL)
        return kz_table_corrupt(KZ_TABLE_REQUESTS, command->request_id.data, command->request_id.len, "does not decode",
                                on->err);
    audit_outcome(on, packed);
    tell_outcome(on, command, outcome, packed);
    return KZ_OK;
}

/* Not remembered: a copy of it that comes by a shorter way may still be in time. */
static enum kz_code refuse_late(struct application *on, const Kz__Command *command)
{
    Kz__Outcome outcome = KZ__OUTCOME__INIT;
    outcome.code = KZ_UNKNOWN_OUTCOME;
    outcome.has_index = true;
    outcome.index = on->index;
    struct kz_bytes packed = kz_scratch_pack(on->scratch, &outcome.base);
    kz_assert(packed.data != NULL);
    audit_outcome(on, packed);
    tell_outcome(on, command, &outcome, packed);
    return KZ_OK;
}

/* The outcome as it is remembered and audited: small, and the same on every node. */
static Kz__Outcome without_bulk(const Kz__Outcome *outcome)
{
    Kz__Outcome small = *outcome;
    small.current = NULL;
    if (small.n_violations > REMEMBERED_LIST_MAX) small.n_violations = REMEMBERED_LIST_MAX;
    if (small.n_referrers > REMEMBERED_LIST_MAX) small.n_referrers = REMEMBERED_LIST_MAX;
    return small;
}

static enum kz_code write_item(void *data, const struct kz_stage *stage, const struct kz_staged *item)
{
    struct application *on = data;
    enum kz_code code = kz_state_write(on->txn, stage, item, on->index, on->err);
    if (code == KZ_OK) tell_change(on, stage, item);
    return code;
}

static enum kz_code settle(struct application *on, struct kz_stage *stage)
{
    const Kz__Command *command = stage->command;
    const Kz__Outcome *outcome = &stage->outcome;
    on->scratch->arena.limit_bytes = SIZE_MAX; /* decided: what writing it needs is bounded by what it holds */
    for (size_t i = 0; i < stage->count; i++) {
        enum kz_code code = kz_blob_refer(on->txn, &stage->items[i], on->err);
        if (code == KZ_OK && !stage->items[i].unchanged) code = write_item(on, stage, &stage->items[i]);
        if (code != KZ_OK) return code;
    }
    if (kz_blob_wanted(command) && outcome->code == KZ_OK) {
        enum kz_code code = kz_blob_store(on->txn, command, on->err);
        if (code != KZ_OK) return code;
    }
    if (stage->rewinds > 0) {
        enum kz_code code = kz_rewind_run(stage, write_item, on);
        if (code != KZ_OK) return code;
    }
    on->txn->meta.rev = stage->rev;

    Kz__Outcome small = without_bulk(outcome);
    struct kz_bytes packed = kz_scratch_pack(on->scratch, &small.base);
    kz_assert(packed.data != NULL);
    audit_outcome(on, packed);
    if (command->request_id.len == KZ_REQUEST_ID_BYTES) {
        enum kz_code code = kz_requests_remember(on->txn, command->request_id.data, packed, on->err);
        if (code != KZ_OK) return code;
    }
    bool whole = outcome->current == NULL && small.n_violations == outcome->n_violations &&
                 small.n_referrers == outcome->n_referrers;
    if (!whole) packed = kz_scratch_pack(on->scratch, &outcome->base);
    kz_assert(packed.data != NULL);
    tell_outcome(on, command, outcome, packed);
    return KZ_OK;
}

static enum kz_code apply_command(struct application *on, const Kz__Command *command)
{
    struct kz_meta *meta = &on->txn->meta;
    kz_arena_reset(&on->scratch->arena);
    on->scratch->arena.limit_bytes = KZ_SCRATCH_MAX_BYTES;
    if (command->request_id.len == KZ_REQUEST_ID_BYTES) {
        struct kz_bytes remembered;
        enum kz_code code = kz_requests_find(&on->txn->scope, command->request_id.data, &remembered, on->err);
        if (code == KZ_OK) return repeat(on, command, remembered);
        if (code != KZ_NOT_FOUND) return code;
        if (kz_requests_too_late(meta, command)) return refuse_late(on, command);
    }
    struct kz_stage stage;
    enum kz_code code =
        kz_stage_run(&stage, &on->txn->scope, on->scratch, command, meta->data_time_ms, meta->rev, on->index, on->err);
    if (code == KZ_OK) code = settle(on, &stage);
    kz_stage_fini(&stage);
    return code;
}

/* ---- one entry ---- */

/* *keep: the entry held commands. A batch that does not decode passed its checksum, so every node has it and skips
 * it alike: stopping here would stop the whole cluster for good. */
static enum kz_code apply_batch(struct application *on, struct kz_bytes data, bool *keep)
{
    struct kz_meta *meta = &on->txn->meta;
    Kz__Batch *batch = kz__batch__unpack(&on->scratch->entry.allocator, data.size_bytes, data.data);
    *keep = true;
    if (batch == NULL && on->scratch->entry.no_memory) /* here only: skipping it would diverge */
        return kz_fail(on->err, KZ_NO_MEMORY, "decode the batch: out of memory");
    if (batch == NULL) {
        kz_log_error("store.batch_skipped", "index=%llu size_bytes=%zu reason=undecodable",
                     (unsigned long long)on->index, data.size_bytes);
        return KZ_OK;
    }
    *keep = batch->n_commands > 0;
    kz_requests_tick(meta, batch->time_ms);
    if (batch->time_ms > meta->data_time_ms) meta->data_time_ms = batch->time_ms;
    for (size_t i = 0; i < batch->n_commands; i++) {
        enum kz_code code = apply_command(on, batch->commands[i]);
        if (code != KZ_OK) return code;
    }
    return kz_blob_collect(on->txn, on->err);
}

static enum kz_code apply_configuration(struct application *on, struct kz_bytes data)
{
    struct kz_meta *meta = &on->txn->meta;
    if (data.size_bytes > KZ_CONFIGURATION_MAX_BYTES)
        return kz_fail(on->err, KZ_CORRUPT, "the configuration at index %llu has %zu bytes",
                       (unsigned long long)on->index, data.size_bytes);
    memcpy(meta->configuration, data.data, data.size_bytes);
    meta->configuration_bytes = (uint32_t)data.size_bytes;
    meta->configuration_index = on->index;
    if (on->sink != NULL && on->sink->configuration != NULL)
        on->sink->configuration(on->sink->data, on->index, data.data, data.size_bytes);
    return KZ_OK;
}

/* audit head = SHA-256(previous head, index, term, type u8, size, data, then size and bytes of each outcome). */
static void begin_audit(struct application *on, const struct kz_entry *entry)
{
    uint8_t type = (uint8_t)entry->type;
    kz_hash_init(&on->audit);
    kz_hash_add(&on->audit, on->txn->meta.audit_head, KZ_HASH_BYTES);
    kz_hash_add_u64(&on->audit, on->index);
    kz_hash_add_u64(&on->audit, entry->term);
    kz_hash_add(&on->audit, &type, 1);
    kz_hash_add_u64(&on->audit, entry->size_bytes);
    kz_hash_add(&on->audit, entry->data, entry->size_bytes);
}

static enum kz_code apply_entry(struct application *on, size_t *size_bytes)
{
    struct kz_meta *meta = &on->txn->meta;
    struct kz_entry entry;
    uint64_t chain;
    bool keep = false;
    kz_arena_reset(&on->scratch->entry);
    enum kz_code code = kz_log_get(&on->txn->scope, on->index, &entry, &chain, on->err);
    if (code == KZ_NOT_FOUND)
        return kz_fail(on->err, KZ_CORRUPT, "table log, index %llu: missing", (unsigned long long)on->index);
    if (code != KZ_OK) return code;
    /* Copied: the page under it may be written out and reused by this transaction's own writes. */
    entry.data = kz_arena_memdup(&on->scratch->entry, entry.data, entry.size_bytes);
    kz_assert(entry.data != NULL);
    struct kz_bytes data = {entry.data, entry.size_bytes};
    *size_bytes = entry.size_bytes;

    begin_audit(on, &entry);
    if (entry.type == KZ_ENTRY_COMMAND) code = apply_batch(on, data, &keep);
    if (entry.type == KZ_ENTRY_CHANGE) {
        keep = true;
        code = apply_configuration(on, data);
    }
    if (code != KZ_OK) return code;

    kz_hash_done(&on->audit, meta->audit_head);
    meta->index = on->index;
    meta->term = entry.term;
    meta->chain = chain;
    return kz_audit_write(on->txn, on->index, meta->audit_head, keep, on->err);
}

enum kz_code kz_txn_apply_some(struct kz_store_txn *txn, uint64_t index, size_t entries_max, size_t bytes_max,
                               const struct kz_apply_sink *sink, struct kz_err *err)
{
    struct kz_meta *meta;
    enum kz_code code = kz_txn_meta(txn, &meta, err);
    if (code != KZ_OK) return code;
    struct application on = {.txn = txn, .scratch = &txn->scope.store->scratch, .sink = sink, .err = err};
    size_t entries = 0, bytes = 0;
    while (meta->index < index && entries < entries_max && bytes < bytes_max) {
        size_t size = 0;
        on.index = meta->index + 1;
        txn->meta_dirty = true;
        code = apply_entry(&on, &size);
        if (code != KZ_OK) return kz_wrap(err, "apply entry %llu", (unsigned long long)on.index);
        entries++;
        bytes += size;
        txn->applied_bytes += size;
    }
    return KZ_OK;
}

enum kz_code kz_txn_apply(struct kz_store_txn *txn, uint64_t index, const struct kz_apply_sink *sink,
                          struct kz_err *err)
{
    return kz_txn_apply_some(txn, index, SIZE_MAX, SIZE_MAX, sink, err);
}
