/* SPDX-License-Identifier: Apache-2.0 */
#include "node/service/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/base/log.h"
#include "node/registry/schema.h"
#include "node/service/node.h"
#include "node/service/node_parts.h"

#define KINDS_MAX 64u
#define PARTS_PER_PUMP 2u
#define PART_BYTES KZ_CHUNK_MAX_BYTES
#define UNSENT_MAX_BYTES KZ_FRAME_MAX_BYTES

struct snapshot {
    struct kz_snapshots *snapshots; /* borrowed */
    struct kz_request *request;     /* borrowed until forgotten */
    struct kz_view *view;           /* a declared stream: held until it ends */
    struct kz_export_cursor cursor;
    uint64_t began_ms, sent_bytes;
    TAILQ_ENTRY(snapshot) link;
};

struct kz_snapshots {
    struct kz_node *node; /* borrowed */
    TAILQ_HEAD(, snapshot) all;
    size_t count;
    uint8_t part[PART_BYTES];
};

struct kz_snapshots *kz_snapshots_new(struct kz_node *node)
{
    struct kz_snapshots *snapshots = kz_must_alloc(1, sizeof *snapshots);
    snapshots->node = node;
    TAILQ_INIT(&snapshots->all);
    return snapshots;
}

void kz_snapshots_free(struct kz_snapshots *snapshots)
{
    if (!snapshots) return;
    kz_assert(TAILQ_EMPTY(&snapshots->all)); /* connections close first */
    free(snapshots);
}

static void forget_snapshot(struct kz_request *request)
{
    struct snapshot *snapshot = request->room;
    TAILQ_REMOVE(&snapshot->snapshots->all, snapshot, link);
    snapshot->snapshots->count--;
    request->forget = NULL;
    kz_log_info("snapshot.stream_end", "user=%s rows=%llu bytes=%llu", kz_request_actor(request),
                (unsigned long long)snapshot->cursor.rows, (unsigned long long)snapshot->sent_bytes);
    kz_view_close(snapshot->view);
    free(snapshot);
}

static void end_snapshot(struct snapshot *snapshot, enum kz_fault fault)
{
    struct kz_request *request = snapshot->request;
    forget_snapshot(request);
    kz_request_fail(request, fault, NULL);
}

/* ---- the first part ---- */

/* What the messages point at. */
struct head_room {
    struct kz_applied applied;
    struct kz_hard_state hard;
    Kz__KindCount counts[KINDS_MAX];
    Kz__KindCount *list[KINDS_MAX];
};

static enum kz_code fill_counts(struct kz_view *view, struct head_room *room, Kz__SnapshotHead *head,
                                struct kz_err *err)
{
    size_t count;
    const struct kz_kind *kinds = kz_kinds(&count);
    kz_assert(count <= KINDS_MAX);
    head->counts = room->list;
    for (size_t i = 0; i < count; i++) {
        Kz__KindCount *item = &room->counts[head->n_counts];
        kz__kind_count__init(item);
        item->kind = kinds[i].number;
        enum kz_code code = kz_view_count(view, kinds[i].number, &item->live, &item->retired, err);
        if (code) return code;
        if (item->live + item->retired > 0) room->list[head->n_counts++] = item;
    }
    return KZ_OK;
}

static enum kz_code fill_head(struct snapshot *snapshot, struct head_room *room, Kz__SnapshotHead *head,
                              struct kz_err *err)
{
    struct kz_node *node = snapshot->snapshots->node;
    struct kz_view *view = snapshot->view;
    enum kz_code code = kz_view_applied(view, &room->applied, err);
    if (!code) code = kz_view_hard(view, &room->hard, err);
    if (!code) code = kz_view_chain(view, room->applied.index, &head->chain, err);
    if (!code) code = kz_view_export_rows(view, &head->rows, err);
    if (!code) code = fill_counts(view, room, head, err);
    if (code) return code;
    const struct kz_applied *applied = &room->applied;
    head->cluster = (char *)(uintptr_t)node->config->cluster_id; /* packed only */
    head->node = (char *)(uintptr_t)node->config->name;
    head->epoch = room->hard.epoch;
    head->index = applied->index;
    head->term = applied->term;
    head->configuration_index = applied->configuration_index;
    head->configuration = (ProtobufCBinaryData){applied->configuration_bytes, room->applied.configuration};
    head->rev = applied->rev;
    head->has_data_time_ms = applied->data_time_ms != 0;
    head->data_time_ms = applied->data_time_ms;
    head->state_hash = (ProtobufCBinaryData){KZ_HASH_BYTES, room->applied.state_hash};
    head->has_records_hash = true;
    head->records_hash = (ProtobufCBinaryData){KZ_HASH_BYTES, room->applied.records_hash};
    head->format = KZ_SNAPSHOT_FORMAT;
    head->provisional = (uint32_t)kz_outbox_count(node->outbox);
    head->has_provisional = head->provisional > 0;
    return KZ_OK;
}

/* False: the request has ended. */
static bool send_part(struct snapshot *snapshot, Kz__SnapshotPart *part)
{
    Kz__Response response = KZ__RESPONSE__INIT;
    response.has_more = response.more = !part->has_last;
    response.snapshot = part;
    struct kz_request *request = snapshot->request;
    snapshot->sent_bytes += part->rows.len;
    if (part->has_last) forget_snapshot(request);
    return kz_request_reply(request, &response);
}

static void begin(struct snapshot *snapshot)
{
    struct kz_err err = {0};
    struct head_room *room = calloc(1, sizeof *room);
    Kz__SnapshotHead head = KZ__SNAPSHOT_HEAD__INIT;
    Kz__SnapshotPart part = KZ__SNAPSHOT_PART__INIT;
    if (!room) {
        end_snapshot(snapshot, KZ_FAULT_NO_MEMORY_LEFT);
        return;
    }
    part.head = &head;
    if (fill_head(snapshot, room, &head, &err)) {
        kz_log_error("snapshot.stream", "error=\"%s\"", err.text);
        end_snapshot(snapshot, KZ_FAULT_READ_FAILED);
    } else {
        kz_log_info("snapshot.stream", "user=%s index=%llu rev=%llu rows=%llu", kz_request_actor(snapshot->request),
                    (unsigned long long)head.index, (unsigned long long)head.rev, (unsigned long long)head.rows);
        (void)send_part(snapshot, &part); /* the rows follow with the next turn */
    }
    free(room);
}

/* ---- rows ---- */

/* False: this turn is over for it, or it has ended. */
static bool send_rows(struct snapshot *snapshot)
{
    struct kz_err err = {0};
    size_t size = 0;
    uint8_t *bytes = snapshot->snapshots->part;
    if (kz_view_export(snapshot->view, &snapshot->cursor, bytes, PART_BYTES, &size, &err) != KZ_OK) {
        kz_log_error("snapshot.stream", "error=\"%s\"", err.text);
        end_snapshot(snapshot, KZ_FAULT_READ_FAILED);
        return false;
    }
    Kz__SnapshotPart part = KZ__SNAPSHOT_PART__INIT;
    part.has_rows = true;
    part.rows = (ProtobufCBinaryData){size, bytes};
    part.has_rows_done = true;
    part.rows_done = snapshot->cursor.rows;
    part.has_last = part.last = size == 0;
    return send_part(snapshot, &part);
}

static void pump(struct snapshot *snapshot)
{
    for (unsigned parts = 0; parts < PARTS_PER_PUMP; parts++)
        if (kz_request_unsent_bytes(snapshot->request) >= UNSENT_MAX_BYTES || !send_rows(snapshot)) return;
}

void kz_snapshots_pump(struct kz_snapshots *snapshots)
{
    struct snapshot *next;
    for (struct snapshot *at = TAILQ_FIRST(&snapshots->all); at; at = next) {
        next = TAILQ_NEXT(at, link);
        pump(at);
    }
}

/* Of its own bytes on the way at most the unsent ones have not been taken. */
static bool is_too_slow(const struct snapshot *snapshot)
{
    uint64_t elapsed_ms = kz_node_now_ms(snapshot->snapshots->node) - snapshot->began_ms;
    uint64_t unsent = kz_request_unsent_bytes(snapshot->request);
    uint64_t taken = snapshot->sent_bytes > unsent ? snapshot->sent_bytes - unsent : 0;
    return elapsed_ms > KZ_SNAPSHOT_RATE_GRACE_MS &&
           taken < (elapsed_ms - KZ_SNAPSHOT_RATE_GRACE_MS) / 1000 * KZ_SNAPSHOT_RATE_MIN_BYTES_PER_S;
}

void kz_snapshots_second(struct kz_snapshots *snapshots)
{
    bool low_space = kz_writer_low_space(snapshots->node->writer);
    struct snapshot *next;
    for (struct snapshot *at = TAILQ_FIRST(&snapshots->all); at; at = next) {
        next = TAILQ_NEXT(at, link);
        if (low_space)
            end_snapshot(at, KZ_FAULT_LOW_SPACE_STREAM);
        else if (is_too_slow(at))
            end_snapshot(at, KZ_FAULT_TOO_SLOW);
    }
}

/* ---- birth ---- */

void kz_snapshots_submit(struct kz_snapshots *snapshots, struct kz_request *request)
{
    struct kz_node *node = snapshots->node;
    struct kz_err err = {0};
    request->answered = KZ__READ_MODE__LOCAL;
    if (!kz_node_holds_copy(node) || snapshots->count >= KZ_SNAPSHOT_STREAMS_MAX || kz_writer_low_space(node->writer)) {
        kz_request_fail(request,
                        !kz_node_holds_copy(node)                     ? KZ_FAULT_NEVER_SYNCED
                        : snapshots->count >= KZ_SNAPSHOT_STREAMS_MAX ? KZ_FAULT_TOO_MANY_SNAPSHOTS
                                                                      : KZ_FAULT_LOW_SPACE_STREAM,
                        NULL);
        return;
    }
    struct snapshot *snapshot = calloc(1, sizeof *snapshot);
    if (!snapshot || kz_view_open(node->store, &snapshot->view, &err) != KZ_OK) {
        free(snapshot);
        kz_request_fail(request, KZ_FAULT_NO_MEMORY_LEFT, NULL);
        return;
    }
    snapshot->snapshots = snapshots;
    snapshot->request = request;
    snapshot->began_ms = kz_node_now_ms(node);
    request->room = snapshot;
    request->forget = forget_snapshot;
    TAILQ_INSERT_TAIL(&snapshots->all, snapshot, link);
    snapshots->count++;
    begin(snapshot);
}
