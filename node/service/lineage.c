/* SPDX-License-Identifier: Apache-2.0 */
#include "node/service/lineage.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/base/log.h"
#include "node/service/node_parts.h"
#include "node/service/replica_io.h"

#define POINT_PREFIX "lineage."
#define FENCE_KEY "fence"

struct kz_lineage {
    Kz__RecoverPoint *points[KZ_LINEAGE_POINTS_MAX]; /* owned; ascending epochs */
    size_t count;
    Kz__Fence *fence; /* owned; NULL */
    uint64_t adopted; /* of the cluster to join, not yet taken over; 0 = none */
};

void kz_lineage_key(char key[KZ_LINEAGE_KEY_BYTES], uint64_t epoch)
{
    snprintf(key, KZ_LINEAGE_KEY_BYTES, POINT_PREFIX "%020" PRIu64, epoch);
}

/* Takes `point`, unless that epoch is known or it is older than all of a full table. True: it is news. */
static bool add_point(struct kz_lineage *lineage, Kz__RecoverPoint *point)
{
    size_t at = lineage->count;
    while (at > 0 && lineage->points[at - 1]->epoch >= point->epoch)
        at--;
    bool known = at < lineage->count && lineage->points[at]->epoch == point->epoch;
    if (known || (lineage->count == KZ_LINEAGE_POINTS_MAX && at == 0)) {
        kz__recover_point__free_unpacked(point, NULL);
        return false;
    }
    if (lineage->count == KZ_LINEAGE_POINTS_MAX) {
        kz__recover_point__free_unpacked(lineage->points[0], NULL);
        memmove(&lineage->points[0], &lineage->points[1], (at - 1) * sizeof lineage->points[0]);
        at--;
    } else {
        memmove(&lineage->points[at + 1], &lineage->points[at], (lineage->count - at) * sizeof lineage->points[0]);
        lineage->count++;
    }
    lineage->points[at] = point;
    return true;
}

static bool take_point(void *data, const char *key, const uint8_t *value, size_t size_bytes)
{
    Kz__RecoverPoint *point = kz__recover_point__unpack(NULL, size_bytes, value);
    if (point)
        (void)add_point(data, point);
    else
        kz_log_error("lineage.unreadable", "key=%s", key);
    return true;
}

static bool take_fence(void *data, const char *key, const uint8_t *value, size_t size_bytes)
{
    struct kz_lineage *lineage = data;
    if (strcmp(key, FENCE_KEY) == 0) lineage->fence = kz__fence__unpack(NULL, size_bytes, value);
    return lineage->fence == NULL;
}

enum kz_code kz_lineage_open(struct kz_node *node, struct kz_err *err)
{
    struct kz_view *view;
    node->lineage = kz_must_alloc(1, sizeof *node->lineage);
    enum kz_code code = kz_view_open(node->store, &view, err);
    if (code != KZ_OK) return code;
    code = kz_view_local_each(view, POINT_PREFIX, take_point, node->lineage, err);
    if (code == KZ_OK) code = kz_view_local_each(view, FENCE_KEY, take_fence, node->lineage, err);
    kz_view_close(view);
    const Kz__Fence *fence = node->lineage->fence;
    if (code == KZ_OK && fence)
        kz_log_error("node.fenced", "epoch=%llu text=\"the cluster went on as this epoch without this node\"",
                     (unsigned long long)fence->epoch);
    return code;
}

void kz_lineage_free(struct kz_lineage *lineage)
{
    if (!lineage) return;
    for (size_t i = 0; i < lineage->count; i++)
        kz__recover_point__free_unpacked(lineage->points[i], NULL);
    if (lineage->fence) kz__fence__free_unpacked(lineage->fence, NULL);
    free(lineage);
}

uint64_t kz_lineage_fenced(const struct kz_lineage *lineage) { return lineage->fence ? lineage->fence->epoch : 0; }
const Kz__Fence *kz_lineage_fence(const struct kz_lineage *lineage) { return lineage->fence; }

const Kz__RecoverPoint *kz_lineage_point(const struct kz_lineage *lineage, uint64_t epoch)
{
    for (size_t i = 0; i < lineage->count; i++)
        if (lineage->points[i]->epoch == epoch) return lineage->points[i];
    return NULL;
}

/* ---- between nodes ---- */

void kz_lineage_fill_hello(const struct kz_lineage *lineage, Kz__Hello *hello)
{
    hello->n_recovered = lineage->count;
    hello->recovered = (Kz__RecoverPoint **)(uintptr_t)lineage->points; /* packed only */
}

static void note(struct kz_node *node, const char *key, const ProtobufCMessage *message)
{
    size_t size_bytes = protobuf_c_message_get_packed_size(message);
    uint8_t *packed = kz_must_alloc(1, size_bytes);
    protobuf_c_message_pack(message, packed);
    (void)kz_replica_io_put_local(node, key, packed, size_bytes);
    free(packed);
}

static Kz__RecoverPoint *dup_point(const Kz__RecoverPoint *point)
{
    size_t size_bytes = kz__recover_point__get_packed_size(point);
    uint8_t *packed = kz_must_alloc(1, size_bytes + 1);
    kz__recover_point__pack(point, packed);
    Kz__RecoverPoint *copy = kz__recover_point__unpack(NULL, size_bytes, packed);
    free(packed);
    kz_assert(copy != NULL);
    return copy;
}

static void learn_points(struct kz_node *node, const Kz__Hello *hello)
{
    for (size_t i = 0; i < hello->n_recovered && i < KZ_LINEAGE_POINTS_MAX; i++) {
        const Kz__RecoverPoint *told = hello->recovered[i];
        if (told->n_samples > KZ_LINEAGE_SAMPLES_MAX || told->epoch > hello->epoch) continue;
        if (!add_point(node->lineage, dup_point(told))) continue;
        char key[KZ_LINEAGE_KEY_BYTES];
        kz_lineage_key(key, told->epoch);
        note(node, key, &told->base);
    }
}

static void fence(struct kz_node *node, const Kz__Hello *hello)
{
    struct kz_lineage *lineage = node->lineage;
    if (lineage->fence && lineage->fence->epoch >= hello->epoch) return;
    Kz__Fence *mark = kz_must_alloc(1, sizeof *mark);
    kz__fence__init(mark);
    mark->epoch = hello->epoch;
    mark->node = kz_must_strdup(hello->name);
    mark->time_ms = kz_node_wall_ms(node);
    if (lineage->fence) kz__fence__free_unpacked(lineage->fence, NULL);
    lineage->fence = mark;
    note(node, FENCE_KEY, &mark->base);
    kz_log_error("node.fenced",
                 "epoch=%llu own=%llu told_by=%s text=\"the cluster went on without this node: keep this directory, "
                 "export what only it holds (keizoku salvage export), then start it empty with --join and a new id\"",
                 (unsigned long long)mark->epoch, (unsigned long long)node->epoch, mark->node);
    kz_node_fenced(node);
}

/* A new node (--join) belongs to no epoch before its first entry. */
static bool is_empty(const struct kz_node *node)
{
    struct kz_replica_status status;
    kz_replica_get_status(node->replica, &status);
    return status.last_index == 0 && node->applied.index == 0;
}

/* Not from inside the Hello: all connections are made anew. */
void kz_lineage_tick(struct kz_node *node)
{
    uint64_t epoch = node->lineage->adopted;
    node->lineage->adopted = 0;
    if (epoch <= node->epoch || !is_empty(node)) return;
    kz_log_info("node.epoch", "epoch=%llu", (unsigned long long)epoch);
    kz_replica_io_put_epoch(node, epoch); /* before anything of that epoch is stored */
    node->epoch = epoch;
    kz_transport_set_epoch(node->transport, epoch);
}

void kz_lineage_heard(struct kz_node *node, const Kz__Hello *hello)
{
    if (hello->epoch < node->epoch) return;
    learn_points(node, hello);
    if (hello->epoch == node->epoch) return;
    if (is_empty(node))
        node->lineage->adopted = hello->epoch;
    else
        fence(node, hello);
}

/* ---- pure ---- */

static enum kz_code add_sample(struct kz_view *view, Kz__RecoverPoint *point, uint64_t index, struct kz_err *err)
{
    kz_assert(point->n_samples < KZ_LINEAGE_SAMPLES_MAX);
    Kz__ChainSample *sample = kz_must_alloc(1, sizeof *sample);
    kz__chain_sample__init(sample);
    sample->index = index;
    point->samples[point->n_samples++] = sample;
    return kz_view_chain(view, index, &sample->chain, err);
}

/* From the far end, so that indexes ascend. `point` has room for KZ_LINEAGE_SAMPLES_MAX of them. */
static enum kz_code take_samples(struct kz_view *view, const struct kz_hard_state *hard, Kz__RecoverPoint *point,
                                 struct kz_err *err)
{
    uint64_t reach = hard->last_index - (hard->first_index - 1), distance = KZ_LINEAGE_SAMPLES_NEAR;
    enum kz_code code = KZ_OK;
    while (distance <= reach / 2)
        distance *= 2;
    for (; distance > KZ_LINEAGE_SAMPLES_NEAR && code == KZ_OK; distance /= 2)
        code = add_sample(view, point, hard->last_index - distance, err);
    if (distance > reach) distance = reach;
    for (; distance > 0 && code == KZ_OK; distance--)
        code = add_sample(view, point, hard->last_index - distance, err);
    return code;
}

enum kz_code kz_lineage_make_point(struct kz_view *view, Kz__RecoverPoint **out, struct kz_err *err)
{
    struct kz_hard_state hard;
    struct kz_applied applied;
    struct kz_entry entry = {0};
    enum kz_code code = kz_view_hard(view, &hard, err);
    if (code == KZ_OK) code = kz_view_applied(view, &applied, err);
    if (code != KZ_OK) return code;
    Kz__RecoverPoint *point = kz_must_alloc(1, sizeof *point);
    kz__recover_point__init(point);
    point->node = kz_must_strdup("");
    point->plan = kz_must_strdup("");
    point->samples = kz_must_alloc(KZ_LINEAGE_SAMPLES_MAX, sizeof *point->samples);
    point->epoch = hard.epoch + 1;
    point->index = hard.last_index;
    point->term = hard.base_term;
    point->commit = hard.commit_hint > applied.index ? hard.commit_hint : applied.index;
    if (hard.last_index >= hard.first_index) code = kz_view_entry(view, hard.last_index, &entry, err);
    if (hard.last_index >= hard.first_index) point->term = entry.term;
    if (code == KZ_OK) code = kz_view_chain(view, hard.last_index, &point->chain, err);
    if (code == KZ_OK) code = take_samples(view, &hard, point, err);
    if (code != KZ_OK) {
        kz__recover_point__free_unpacked(point, NULL);
        return code;
    }
    *out = point;
    return KZ_OK;
}

/* Raises *common when the log agrees at `index`. *differs: it is known not to. */
static enum kz_code compare_at(struct kz_view *view, uint64_t index, uint64_t chain, uint64_t *common, bool *differs,
                               struct kz_err *err)
{
    uint64_t own;
    enum kz_code code = kz_view_chain(view, index, &own, err);
    if (code == KZ_NOT_FOUND) return KZ_OK;
    if (code != KZ_OK) return code;
    if (own == chain && index > *common) *common = index;
    *differs = own != chain;
    return KZ_OK;
}

enum kz_code kz_lineage_common(struct kz_view *view, const Kz__RecoverPoint *point, uint64_t *common, bool *exact,
                               struct kz_err *err)
{
    struct kz_hard_state hard;
    struct kz_applied applied;
    *common = 0;
    *exact = false;
    enum kz_code code = kz_view_hard(view, &hard, err);
    if (code == KZ_OK) code = kz_view_applied(view, &applied, err);
    if (code != KZ_OK || !point) return code;
    uint64_t committed = hard.commit_hint > applied.index ? hard.commit_hint : applied.index;
    *common = committed < point->commit ? committed : point->commit;
    bool differs = false, above_differs = false;
    code = compare_at(view, point->index, point->chain, common, &differs, err);
    if (*common == point->index || *common == hard.last_index) {
        *exact = true; /* nothing above is theirs, or there is nothing above */
        return code;
    }
    above_differs = differs;
    for (size_t i = point->n_samples; i-- > 0 && code == KZ_OK;) {
        uint64_t before = *common;
        code = compare_at(view, point->samples[i]->index, point->samples[i]->chain, common, &differs, err);
        if (*common > before) {
            /* The next index above is known to differ, or is beyond our log's end: then this is the very place. */
            *exact = *common == hard.last_index ||
                     (above_differs && i + 1 < point->n_samples && point->samples[i + 1]->index == *common + 1);
            break;
        }
        above_differs = differs;
    }
    return code;
}
