/* SPDX-License-Identifier: Apache-2.0 */
/* What a survivor says of itself, from its store alone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/base/buf.h"
#include "node/service/node_parts.h"
#include "node/service/recover.h"
#include "node/store/hash.h"

static ProtobufCBinaryData dup_bytes(const uint8_t *bytes, size_t size_bytes)
{
    return (ProtobufCBinaryData){size_bytes, kz_must_memdup(bytes, size_bytes)};
}

/* ---- the uncertain tail ---- */

static Kz__TailCommand *make_tail_command(uint64_t index, uint64_t term, int64_t time_ms, const Kz__Command *command)
{
    Kz__TailCommand *tail = kz_must_alloc(1, sizeof *tail);
    kz__tail_command__init(tail);
    tail->index = index;
    tail->term = term;
    tail->time_ms = time_ms;
    tail->actor = kz_must_strdup(command->actor);
    if (command->reason) tail->reason = kz_must_strdup(command->reason);
    size_t shown = command->n_mutations;
    if (shown > KZ_RECOVER_TAIL_MUTATIONS_MAX) shown = KZ_RECOVER_TAIL_MUTATIONS_MAX;
    tail->mutations = kz_must_alloc(shown + 1, sizeof *tail->mutations);
    tail->has_mutation_count = true;
    tail->mutation_count = (uint32_t)command->n_mutations;
    for (size_t i = 0; i < shown; i++) {
        Kz__TailMutation *mutation = kz_must_alloc(1, sizeof *mutation);
        kz__tail_mutation__init(mutation);
        mutation->op = command->mutations[i]->op;
        mutation->kind = command->mutations[i]->kind;
        mutation->id = kz_must_strdup(command->mutations[i]->id);
        tail->mutations[tail->n_mutations++] = mutation;
    }
    return tail;
}

static enum kz_code fill_tail(struct kz_view *view, Kz__Survivor *survivor, struct kz_err *err)
{
    survivor->tail = kz_must_alloc(KZ_RECOVER_TAIL_MAX, sizeof *survivor->tail);
    survivor->has_tail_count = true;
    for (uint64_t index = survivor->commit_index + 1; index <= survivor->last_index; index++) {
        struct kz_entry entry;
        enum kz_code code = kz_view_entry(view, index, &entry, err);
        if (code != KZ_OK) return code;
        if (entry.type != KZ_ENTRY_COMMAND) continue;
        Kz__Batch *batch = kz__batch__unpack(NULL, entry.size_bytes, entry.data);
        if (!batch) return kz_fail(err, KZ_CORRUPT, "entry %llu cannot be decoded", (unsigned long long)index);
        for (size_t i = 0; i < batch->n_commands; i++) {
            survivor->tail_count++;
            if (survivor->n_tail == KZ_RECOVER_TAIL_MAX) continue;
            survivor->tail[survivor->n_tail++] =
                make_tail_command(index, entry.term, batch->time_ms, batch->commands[i]);
        }
        kz__batch__free_unpacked(batch, NULL);
    }
    return KZ_OK;
}

/* ---- the report ---- */

static enum kz_code fill_log(struct kz_view *view, Kz__Survivor *survivor, struct kz_err *err)
{
    struct kz_hard_state hard;
    struct kz_applied applied;
    struct kz_entry entry;
    enum kz_code code = kz_view_hard(view, &hard, err);
    if (code == KZ_OK) code = kz_view_applied(view, &applied, err);
    if (code != KZ_OK) return code;
    survivor->incarnation = dup_bytes(hard.incarnation, sizeof hard.incarnation);
    survivor->state_hash = dup_bytes(applied.state_hash, sizeof applied.state_hash);
    survivor->epoch = hard.epoch;
    survivor->term = hard.term;
    survivor->last_index = hard.last_index;
    survivor->last_term = hard.base_term;
    /* The hint is stored a moment after the applied state that rests on it. */
    survivor->commit_index = hard.commit_hint > applied.index ? hard.commit_hint : applied.index;
    if (survivor->commit_index > hard.last_index) survivor->commit_index = hard.last_index;
    survivor->applied_index = applied.index;
    survivor->rev = applied.rev;
    survivor->has_data_time_ms = applied.data_time_ms != 0;
    survivor->data_time_ms = applied.data_time_ms;
    if (hard.last_index >= hard.first_index) {
        code = kz_view_entry(view, hard.last_index, &entry, err);
        if (code != KZ_OK) return code;
        survivor->last_term = entry.term;
    }
    return kz_view_chain(view, hard.last_index, &survivor->last_chain, err);
}

void kz_recover_digest(const Kz__Survivor *survivor, char out[KZ_RECOVER_DIGEST_BYTES])
{
    struct kz_hash hash;
    uint8_t bytes[KZ_HASH_BYTES];
    kz_hash_init(&hash);
    kz_hash_add(&hash, survivor->cluster, strlen(survivor->cluster) + 1);
    kz_hash_add(&hash, survivor->incarnation.data, survivor->incarnation.len);
    kz_hash_add_u64(&hash, survivor->node_id);
    kz_hash_add_u64(&hash, survivor->epoch);
    kz_hash_add_u64(&hash, survivor->last_index);
    kz_hash_add_u64(&hash, survivor->last_term);
    kz_hash_add_u64(&hash, survivor->last_chain);
    kz_hash_add_u64(&hash, survivor->commit_index);
    kz_hash_done(&hash, bytes);
    kz_hex_write(bytes, (KZ_RECOVER_DIGEST_BYTES - 1) / 2, out);
}

enum kz_code kz_recover_report(const struct kz_service_config *config, struct kz_view *view, bool with_tail,
                               Kz__Survivor **out, struct kz_err *err)
{
    Kz__Survivor *survivor = kz_must_alloc(1, sizeof *survivor);
    char digest[KZ_RECOVER_DIGEST_BYTES];
    kz__survivor__init(survivor);
    survivor->node_id = (uint64_t)config->id;
    survivor->name = kz_must_strdup(config->name);
    survivor->cluster = kz_must_strdup(config->cluster_id);
    enum kz_code code = fill_log(view, survivor, err);
    if (code == KZ_OK && with_tail) code = fill_tail(view, survivor, err);
    if (code != KZ_OK) {
        survivor->digest = kz_must_strdup("");
        kz__survivor__free_unpacked(survivor, NULL);
        return kz_wrap(err, "report");
    }
    kz_recover_digest(survivor, digest);
    survivor->digest = kz_must_strdup(digest);
    *out = survivor;
    return KZ_OK;
}
