/* SPDX-License-Identifier: Apache-2.0 */
#include "node/service/replica_io.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "node/base/assert.h"
#include "node/base/log.h"
#include "node/service/change.h"
#include "node/service/node_parts.h"
#include "node/service/recover.h"
#include "node/service/salvage.h"

/* The writer wants one increasing number over all work; ours between two works of the replica use the low bits. */
#define LOCAL_BITS 16

struct kz_replica_io_state {
    struct kz_node *node; /* borrowed */
    struct kz_replica_io io;
    uv_timer_t timer;
    uint64_t last_seq;        /* the writer's numbering */
    struct kz_view *log_view; /* of this loop turn; NULL until an old entry is read */
};

static struct kz_writer *writer_for(struct kz_replica_io_state *state, uint64_t seq, uint64_t *writer_seq)
{
    *writer_seq = state->last_seq = seq << LOCAL_BITS;
    return state->node->writer;
}

static uint64_t io_now_ms(void *data) { return kz_node_now_ms(((struct kz_replica_io_state *)data)->node); }

static void io_put_hard(void *data, uint64_t seq, uint64_t term, uint64_t voted_for)
{
    struct kz_writer *writer = writer_for(data, seq, &seq);
    kz_writer_put_hard(writer, seq, term, voted_for);
}

static void io_append(void *data, uint64_t seq, uint64_t index, const struct kz_entry *entries, size_t count)
{
    struct kz_writer *writer = writer_for(data, seq, &seq);
    kz_writer_append(writer, seq, index, entries, count);
}

static void io_apply(void *data, uint64_t seq, uint64_t upto, uint64_t commit_hint)
{
    struct kz_writer *writer = writer_for(data, seq, &seq);
    kz_writer_apply(writer, seq, upto, commit_hint);
}

static void io_compact(void *data, uint64_t seq, uint64_t upto)
{
    struct kz_writer *writer = writer_for(data, seq, &seq);
    kz_writer_compact(writer, seq, upto);
}

static void io_import_begin(void *data, uint64_t seq, const struct kz_import_origin *origin)
{
    struct kz_writer *writer = writer_for(data, seq, &seq);
    kz_writer_import_begin(writer, seq, origin);
}

static void io_import_rows(void *data, uint64_t seq, const uint8_t *rows, size_t size_bytes,
                           const struct kz_import_mark *mark)
{
    struct kz_writer *writer = writer_for(data, seq, &seq);
    kz_writer_import_rows(writer, seq, rows, size_bytes, mark);
}

static void io_import_drop(void *data, uint64_t seq)
{
    struct kz_writer *writer = writer_for(data, seq, &seq);
    kz_writer_import_drop(writer, seq);
}

static void io_install(void *data, uint64_t seq, const struct kz_snapshot_meta *meta)
{
    struct kz_writer *writer = writer_for(data, seq, &seq);
    kz_writer_install(writer, seq, meta->index, meta->term);
}

uint64_t kz_replica_io_put_local(struct kz_node *node, const char *key, const void *value, size_t size_bytes)
{
    uint64_t seq = ++node->replica_io->last_seq;
    kz_writer_put_local(node->writer, seq, key, value, size_bytes);
    return seq;
}

void kz_replica_io_put_epoch(struct kz_node *node, uint64_t epoch)
{
    kz_writer_put_epoch(node->writer, ++node->replica_io->last_seq, epoch);
}

/* ---- reading ---- */

static void io_fatal(void *data, const char *text)
{
    (void)data;
    kz_log_error("raft.fatal", "why=\"%s\"", text);
    _exit(KZ_WRITER_EXIT_STATUS);
}

static bool io_read_entry(void *data, uint64_t index, struct kz_entry *entry, uint64_t *chain)
{
    struct kz_replica_io_state *state = data;
    struct kz_err err = {0};
    if (!state->log_view && kz_view_open(state->node->store, &state->log_view, &err) != KZ_OK) {
        state->log_view = NULL;
        return false;
    }
    if (kz_view_entry(state->log_view, index, entry, &err) != KZ_OK ||
        kz_view_chain(state->log_view, index, chain, &err) != KZ_OK) {
        /* Appended after the view of this turn was opened, or damaged: a new view tells. */
        kz_replica_io_end_turn(state->node);
        if (kz_view_open(state->node->store, &state->log_view, &err) != KZ_OK) {
            state->log_view = NULL;
            return false;
        }
        enum kz_code code = kz_view_entry(state->log_view, index, entry, &err);
        if (code == KZ_OK) code = kz_view_chain(state->log_view, index, chain, &err);
        if (code == KZ_CORRUPT) io_fatal(data, err.text);
        return code == KZ_OK;
    }
    return true;
}

void kz_replica_io_end_turn(struct kz_node *node)
{
    if (!node->replica_io->log_view) return;
    kz_view_close(node->replica_io->log_view);
    node->replica_io->log_view = NULL;
}

struct export
{
    struct kz_view *view; /* a declared snapshot: held until the transfer ends */
    struct kz_export_cursor cursor;
};

static enum kz_code fill_snapshot_meta(struct kz_view *view, struct kz_snapshot_meta *meta, struct kz_err *err)
{
    struct kz_applied applied;
    enum kz_code code = kz_view_applied(view, &applied, err);
    if (code != KZ_OK) return code;
    meta->index = applied.index;
    meta->term = applied.term;
    meta->configuration_index = applied.configuration_index;
    meta->configuration_bytes = applied.configuration_bytes;
    memcpy(meta->configuration, applied.configuration, applied.configuration_bytes);
    return kz_view_chain(view, applied.index, &meta->chain, err);
}

static void *io_export_open(void *data, struct kz_snapshot_meta *meta)
{
    struct kz_replica_io_state *state = data;
    struct kz_err err = {0};
    struct export *export = calloc(1, sizeof *export);
    if (!export) return NULL;
    if (kz_view_open(state->node->store, &export->view, &err) != KZ_OK) goto err_after_alloc;
    if (fill_snapshot_meta(export->view, meta, &err) != KZ_OK) goto err_after_view;
    return export;
err_after_view:
    kz_view_close(export->view);
err_after_alloc:
    kz_log_warn("snapshot.open", "error=\"%s\"", err.text);
    free(export);
    return NULL;
}

static bool io_export_next(void *data, void *opened, uint8_t *out, size_t room, size_t *size_bytes)
{
    struct export *export = opened;
    struct kz_err err = {0};
    (void)data;
    if (kz_view_export(export->view, &export->cursor, out, room, size_bytes, &err) == KZ_OK) return true;
    kz_log_error("snapshot.read", "error=\"%s\"", err.text);
    return false;
}

static void io_export_close(void *data, void *opened)
{
    struct export *export = opened;
    (void)data;
    kz_view_close(export->view);
    free(export);
}

/* ---- messages, time, upward ---- */

static void io_send(void *data, uint64_t peer, const Kz__PeerMessage *message)
{
    if (kz_node_is_fenced(((struct kz_replica_io_state *)data)->node)) return;
    /* Raft repeats what is lost. */
    (void)kz_node_send(((struct kz_replica_io_state *)data)->node, peer, message);
}

static bool io_send_bulk(void *data, uint64_t peer, const Kz__PeerMessage *message)
{
    return kz_transport_send_bulk(((struct kz_replica_io_state *)data)->node->transport, peer, message) == KZ_OK;
}

static void on_timer(uv_timer_t *timer)
{
    struct kz_replica_io_state *state = timer->data;
    if (!kz_node_is_fenced(state->node)) kz_replica_tick(state->node->replica);
}

static void io_set_timer(void *data, uint64_t at_ms)
{
    struct kz_replica_io_state *state = data;
    uint64_t now_ms = kz_node_now_ms(state->node);
    uv_update_time(&state->node->loop);
    uv_timer_start(&state->timer, on_timer, at_ms > now_ms ? at_ms - now_ms : 1, 0);
}

static void io_role_changed(void *data, enum kz_raft_role role, uint64_t term, uint64_t leader_id)
{
    struct kz_node *node = ((struct kz_replica_io_state *)data)->node;
    kz_log_info("raft.role", "role=%s term=%llu leader=%s", kz_raft_role_name(role), (unsigned long long)term,
                kz_node_member_name(node, leader_id));
    kz_writes_leader_changed(node->writes);
    kz_reads_leader_changed(node->reads);
    kz_changes_leader_changed(node->changes);
}

static void io_applied(void *data, uint64_t index)
{
    struct kz_node *node = ((struct kz_replica_io_state *)data)->node;
    (void)index; /* node->applied came with the same completion */
    kz_reads_applied(node->reads);
    kz_watches_pump(node->watches);
    kz_outbox_applied(node->outbox);
}

/* ---- completions ---- */

static void done_outcome(void *data, uint64_t index, const uint8_t *request_id, const uint8_t *packed,
                         size_t size_bytes)
{
    kz_writes_applied(((struct kz_node *)data)->writes, index, request_id, packed, size_bytes);
}

static void done_applied(void *data, const struct kz_applied *applied)
{
    struct kz_node *node = data;
    node->applied = *applied;
    kz_cluster_view_applied(node->cluster_view);
}

static void done_import_failed(void *data, uint64_t seq, const struct kz_err *why)
{
    struct kz_node *node = data;
    if (why->code == KZ_BUSY) /* the sender comes again by itself */
        kz_log_info("snapshot.import_later", "why=\"%s\"", why->text);
    else
        kz_log_error("snapshot.import", "error=\"%s\"", why->text);
    kz_replica_import_failed(node->replica, seq >> LOCAL_BITS, why->text);
}

static void done_durable(void *data, uint64_t seq)
{
    struct kz_node *node = data;
    kz_replica_stored(node->replica, seq >> LOCAL_BITS);
    kz_outbox_durable(node->outbox, seq);
    kz_recover_durable(node->recover, seq);
    kz_salvage_durable(node->salvage, seq);
}

void kz_replica_io_poll(struct kz_node *node)
{
    const struct kz_writer_visitor visitor = {.data = node,
                                              .outcome = done_outcome,
                                              .applied = done_applied,
                                              .import_failed = done_import_failed,
                                              .durable = done_durable};
    kz_writer_poll(node->writer, &visitor);
}

/* ---- birth and death ---- */

static void fill_options(const struct kz_node *node, struct kz_replica_options *options)
{
    const struct kz_service_config *config = node->config;
    kz_replica_options_default(options);
    options->id = node->id;
    options->election_timeout_ms = (uint32_t)config->election_timeout_ms;
    options->heartbeat_ms = (uint32_t)config->heartbeat_ms;
    options->compact_entries = (uint64_t)config->compact_entries;
    options->compact_bytes = (uint64_t)config->compact_bytes;
    options->snapshot_rate = (uint64_t)config->snapshot_rate;
    if (options->trailing_entries > options->compact_entries) options->trailing_entries = options->compact_entries;
    for (size_t i = 0; i < config->member_count; i++)
        if ((uint64_t)config->members[i].id == node->id) options->address = config->members[i].address;
    kz_assert(getrandom(&options->seed, sizeof options->seed, 0) == (ssize_t)sizeof options->seed);
}

static void bind_io(struct kz_replica_io_state *state)
{
    state->io = (struct kz_replica_io){.data = state,
                                       .now_ms = io_now_ms,
                                       .put_hard = io_put_hard,
                                       .append = io_append,
                                       .apply = io_apply,
                                       .compact = io_compact,
                                       .import_begin = io_import_begin,
                                       .import_rows = io_import_rows,
                                       .import_drop = io_import_drop,
                                       .install = io_install,
                                       .read_entry = io_read_entry,
                                       .export_open = io_export_open,
                                       .export_next = io_export_next,
                                       .export_close = io_export_close,
                                       .send = io_send,
                                       .send_bulk = io_send_bulk,
                                       .set_timer = io_set_timer,
                                       .role_changed = io_role_changed,
                                       .applied = io_applied,
                                       .fatal = io_fatal};
}

/* A snapshot that was on its way in when this node stopped. One that cannot be read begins again. */
static void resume_import(struct kz_node *node)
{
    struct kz_import_origin origin;
    struct kz_import_mark mark;
    struct kz_view *view;
    struct kz_err err = {0};
    enum kz_code code = kz_view_open(node->store, &view, &err);
    if (code == KZ_OK) {
        code = kz_view_import(view, &origin, &mark, &err);
        kz_view_close(view);
    }
    if (code == KZ_OK) {
        kz_log_info("snapshot.resume", "from=%s transfer=%llx index=%llu chunks=%llu",
                    kz_node_member_name(node, origin.peer), (unsigned long long)origin.transfer,
                    (unsigned long long)origin.meta.index, (unsigned long long)mark.next);
        kz_replica_resume_import(node->replica, &origin, &mark);
    } else if (code != KZ_NOT_FOUND) {
        kz_log_warn("snapshot.resume", "error=\"%s\"", err.text);
    }
}

void kz_replica_io_open(struct kz_node *node)
{
    struct kz_replica_options options;
    struct kz_replica_io_state *state = kz_must_alloc(1, sizeof *state);
    state->node = node;
    node->replica_io = state;
    kz_assert(uv_timer_init(&node->loop, &state->timer) == 0);
    state->timer.data = state;
    bind_io(state);
    fill_options(node, &options);
    node->replica = kz_replica_new(&options, &state->io);
    resume_import(node);
}

void kz_replica_io_close(struct kz_node *node)
{
    if (!node->replica_io) return;
    kz_replica_io_end_turn(node);
    kz_replica_free(node->replica);
    node->replica = NULL;
    uv_close((uv_handle_t *)&node->replica_io->timer, NULL);
}

void kz_replica_io_free(struct kz_node *node)
{
    free(node->replica_io);
    node->replica_io = NULL;
}
