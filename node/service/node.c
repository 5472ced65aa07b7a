/* SPDX-License-Identifier: Apache-2.0 */
#include "node/service/node.h"

#include <string.h>
#include <time.h>

#include "node/base/assert.h"
#include "node/base/log.h"
#include "node/net/listener.h"
#include "node/service/bootstrap.h"
#include "node/service/change.h"
#include "node/service/conn.h"
#include "node/service/incarnation.h"
#include "node/service/lineage.h"
#include "node/service/members.h"
#include "node/service/node_parts.h"
#include "node/service/recover.h"
#include "node/service/replica_io.h"
#include "node/service/salvage.h"
#include "node/service/search.h"

#define CONTACT_KEY "leader.contact"

/* ---- what rooms ask ---- */

uint64_t kz_node_now_ms(const struct kz_node *node)
{
    (void)node; /* the loop's cached time would make a burst of requests look simultaneous */
    return uv_hrtime() / 1000000;
}

int64_t kz_node_wall_ms(const struct kz_node *node)
{
    struct timespec now;
    (void)node;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A fenced node's replica stands still in whatever role it had: that role is over. */
static struct kz_replica_status replica_status(const struct kz_node *node)
{
    struct kz_replica_status status;
    kz_replica_get_status(node->replica, &status);
    if (!kz_node_is_fenced(node)) return status;
    status.role = KZ_RAFT_FOLLOWER;
    status.leader_id = 0;
    status.quorum = status.ready = false;
    return status;
}

bool kz_node_is_fenced(const struct kz_node *node) { return kz_lineage_fenced(node->lineage) != 0; }

void kz_node_fenced(struct kz_node *node)
{
    kz_writes_leader_changed(node->writes);
    kz_reads_leader_changed(node->reads);
}

bool kz_node_is_leader(const struct kz_node *node) { return replica_status(node).role == KZ_RAFT_LEADER; }
uint64_t kz_node_leader(const struct kz_node *node) { return replica_status(node).leader_id; }
bool kz_node_has_quorum(const struct kz_node *node)
{
    struct kz_replica_status status = replica_status(node);
    return status.quorum && status.leader_id != 0;
}

bool kz_node_holds_copy(const struct kz_node *node) { return node->applied.data_time_ms != 0; }

uint64_t kz_node_without_leader_ms(const struct kz_node *node)
{
    if (kz_node_has_quorum(node)) return 0;
    uint64_t since_ms = node->quorum_seen_ms ? node->quorum_seen_ms : node->started_ms;
    return kz_node_now_ms(node) - since_ms;
}

const char *kz_node_member_name(const struct kz_node *node, uint64_t id) { return kz_members_name(node, id); }

enum kz_code kz_node_send(struct kz_node *node, uint64_t peer_id, const Kz__PeerMessage *message)
{
    return kz_transport_send(node->transport, peer_id, message);
}

/* A linearizable answer is complete as of now; a local one as of the last stamp of the leader that was applied. */
void kz_node_fill_meta(const struct kz_node *node, Kz__ReadMode answered, Kz__Meta *meta)
{
    struct kz_replica_status status = replica_status(node);
    bool linearizable = answered == KZ__READ_MODE__LINEARIZABLE;
    kz__meta__init(meta);
    meta->read = answered;
    meta->rev = node->applied.rev;
    meta->node = node->config->name;
    meta->quorum = status.quorum && status.leader_id != 0;
    meta->has_data_time_ms = linearizable || node->applied.data_time_ms != 0;
    meta->data_time_ms = linearizable ? kz_node_wall_ms(node) : node->applied.data_time_ms;
    if (meta->quorum) {
        meta->has_leader_contact_ms = true;
        if (status.role != KZ_RAFT_LEADER)
            meta->leader_contact_ms = (int64_t)(kz_node_now_ms(node) - status.leader_contact_ms);
    } else if (node->contact_wall_ms) {
        int64_t ago_ms = kz_node_wall_ms(node) - node->contact_wall_ms;
        meta->has_leader_contact_ms = true;
        meta->leader_contact_ms = ago_ms > 0 ? ago_ms : 0;
    }
    meta->leader = (char *)(uintptr_t)kz_node_member_name(node, status.leader_id);
    if (!meta->leader[0]) meta->leader = NULL;
    meta->has_term = meta->has_applied_index = true;
    meta->term = status.term;
    meta->applied_index = node->applied.index;
    meta->cluster = node->config->cluster_id;
    meta->provisional = (uint32_t)kz_outbox_count(node->outbox);
    meta->has_provisional = meta->provisional > 0;
    meta->has_epoch = true;
    meta->epoch = node->epoch;
    meta->fenced = kz_lineage_fenced(node->lineage);
    meta->has_fenced = meta->fenced != 0;
    meta->removed = !meta->quorum && kz_members_removed_us(node); /* who has a leader is a member */
    meta->has_removed = meta->removed;
}

/* ---- peers ---- */

static Kz__Refusal on_hello(void *data, const Kz__Hello *hello, char *why)
{
    Kz__Refusal refusal = kz_members_check(data, hello, why);
    return refusal ? refusal : kz_incarnations_check(data, hello, why);
}

static void on_epoch(void *data, const Kz__Hello *hello) { kz_lineage_heard(data, hello); }
static void on_fill_hello(void *data, Kz__Hello *hello)
{
    const struct kz_node *node = data;
    kz_lineage_fill_hello(node->lineage, hello);
}

/* A full disk: what raft stores would end the process, and with it the reads. Without messages it stores nothing,
 * because an election that nobody answers stays a pre-vote. */
static bool must_not_store(const struct kz_node *node)
{
    return kz_writer_no_space(node->writer) && !kz_node_is_leader(node);
}

static void on_message(void *data, uint64_t peer_id, const Kz__PeerMessage *message)
{
    struct kz_node *node = data;
    struct kz_err err = {0};
    if (message->forward && message->forward->command) {
        kz_writes_forwarded_here(node->writes, peer_id, message->forward);
    } else if (message->forward && message->forward->has_read_index) {
        kz_reads_forwarded_here(node->reads, peer_id, message->forward);
    } else if (message->forward && message->forward->change) {
        kz_changes_forwarded_here(node->changes, peer_id, message->forward);
    } else if (message->forwarded && message->forwarded->change) {
        kz_changes_answered(node->changes, message->forwarded);
    } else if (message->forwarded) {
        if (!kz_reads_answered(node->reads, message->forwarded)) kz_writes_answered(node->writes, message->forwarded);
    } else if (message->event_offer && message->event_offer->has_command && kz_writer_low_space(node->writer)) {
        return; /* it is offered again */
    } else if (message->event_offer) {
        kz_outbox_heard(node->outbox, peer_id, message->event_offer);
    } else if (message->gossip) {
        kz_cluster_view_heard(node->cluster_view, peer_id, message->gossip);
    } else if (kz_node_is_fenced(node)) {
        return; /* raft is over here */
    } else if (must_not_store(node)) {
        return; /* lost on the way, for all that the others can tell */
    } else if (kz_replica_receive(node->replica, peer_id, message, &err) != KZ_OK) {
        kz_log_warn("peer.protocol", "peer=%s error=\"%s\"", kz_node_member_name(node, peer_id), err.text);
    }
}

static void on_peer_up(void *data, uint64_t peer_id)
{
    kz_log_info("peer.up", "peer=%s", kz_node_member_name(data, peer_id));
}

static void on_peer_down(void *data, uint64_t peer_id)
{
    struct kz_node *node = data;
    kz_log_warn("peer.down", "peer=%s", kz_node_member_name(node, peer_id));
    if (!node->stopping) kz_replica_peer_lost(node->replica, peer_id);
}

static const struct kz_transport_events transport_events = {.check_hello = on_hello,
                                                            .epoch_heard = on_epoch,
                                                            .fill_hello = on_fill_hello,
                                                            .message = on_message,
                                                            .peer_up = on_peer_up,
                                                            .peer_down = on_peer_down};

static void on_client_stream(void *data, struct kz_stream *stream, const struct kz_identity *user)
{
    kz_conn_accept(data, stream, user);
}

static void on_peer_stream(void *data, struct kz_stream *stream, const struct kz_identity *peer)
{
    struct kz_node *node = data;
    kz_transport_accept(node->transport, stream, peer);
}

static const struct kz_listener_events listener_events = {.on_client = on_client_stream, .on_peer = on_peer_stream};

/* ---- the loop's events ---- */

static void on_stored(uv_async_t *async) { kz_replica_io_poll(async->data); }

static void end_turn(struct kz_node *node)
{
    kz_writes_flush(node->writes);
    if (!kz_node_is_fenced(node)) kz_replica_flush(node->replica);
    kz_members_update(node);
    kz_changes_end_turn(node->changes);
    kz_replica_io_end_turn(node);
}

/* What the sockets brought is proposed right after they were read, what timers brought before the loop waits. Both
 * were started after the net's own handles, which libuv therefore runs after ours: it sends what ours wrote. */
static void on_check(uv_check_t *check) { end_turn(check->data); }
static void on_prepare(uv_prepare_t *prepare) { end_turn(prepare->data); }

static void stop_loop_if_due(struct kz_node *node)
{
    bool handed_over = !kz_node_is_leader(node);
    if (handed_over || kz_node_now_ms(node) >= node->stop_at_ms) uv_stop(&node->loop);
}

static void on_tick(uv_timer_t *timer)
{
    struct kz_node *node = timer->data;
    if (kz_node_has_quorum(node)) {
        node->quorum_seen_ms = kz_node_now_ms(node);
        node->contact_wall_ms = kz_node_wall_ms(node);
    }
    kz_reads_tick(node->reads);
    kz_writes_tick(node->writes);
    kz_outbox_tick(node->outbox);
    kz_changes_tick(node->changes);
    kz_watches_pump(node->watches); /* those with more to read than fits a turn */
    kz_snapshots_pump(node->snapshots);
    kz_search_tick(node->search);
    if (node->stopping) stop_loop_if_due(node);
}

/* Contact and space are looked at every second; the note of the last contact is stored as often as data time moves,
 * so that a node that starts alone can still say how long ago it heard a leader. */
static void on_second(uv_timer_t *timer)
{
    struct kz_node *node = timer->data;
    struct kz_err err = {0};
    static const int64_t store_every_ms = KZ_BEACON_INTERVAL_MS;
    kz_cluster_view_gossip(node->cluster_view);
    kz_outbox_offer(node->outbox);
    kz_recover_tick(node->recover);
    kz_lineage_tick(node);
    kz_conn_tick(node);
    kz_snapshots_second(node->snapshots);
    kz_search_second(node->search);
    if (node->contact_wall_ms >= node->contact_stored_ms + store_every_ms && !kz_writer_no_space(node->writer)) {
        node->contact_stored_ms = node->contact_wall_ms;
        (void)kz_replica_io_put_local(node, CONTACT_KEY, &node->contact_wall_ms, sizeof node->contact_wall_ms);
    }
    if (kz_writer_low_space(node->writer)) kz_replica_stop_snapshots(node->replica); /* each holds old pages */
    if (kz_writer_low_space(node->writer) && kz_node_is_leader(node)) {
        kz_log_error("store.low_space", "giving leadership away");
        /* Nobody to take it over yet: tried again in a second. */
        if (kz_replica_transfer(node->replica, 0, &err) != KZ_OK)
            kz_log_warn("raft.transfer", "error=\"%s\"", err.text);
    }
}

static void on_stop_signal(uv_signal_t *signal, int number)
{
    struct kz_node *node = signal->data;
    struct kz_err err = {0};
    if (node->stopping) return;
    kz_log_info("node.stopping", "signal=%d", number);
    node->stopping = true;
    node->stop_at_ms = kz_node_now_ms(node) + KZ_NODE_TRANSFER_WAIT_MS;
    if (kz_node_is_leader(node) && kz_replica_transfer(node->replica, 0, &err) != KZ_OK)
        node->stop_at_ms = kz_node_now_ms(node);
}

static void on_reload_signal(uv_signal_t *signal, int number)
{
    struct kz_node *node = signal->data;
    struct kz_err err = {0};
    (void)number;
    if (kz_tls_reload(node->tls, &err) == KZ_OK)
        kz_log_info("tls.reloaded", "cert=%s", node->config->cert);
    else
        kz_log_error("tls.reload", "error=\"%s\"", err.text);
}

/* On the store thread. */
static void notify_stored(void *data)
{
    struct kz_node *node = data;
    kz_assert(uv_async_send(&node->stored) == 0);
}

/* ---- birth ---- */

static void open_loop(struct kz_node *node)
{
    kz_assert(uv_loop_init(&node->loop) == 0);
    kz_assert(uv_async_init(&node->loop, &node->stored, on_stored) == 0);
    kz_assert(uv_check_init(&node->loop, &node->after_poll) == 0);
    kz_assert(uv_prepare_init(&node->loop, &node->before_poll) == 0);
    kz_assert(uv_timer_init(&node->loop, &node->tick) == 0);
    kz_assert(uv_timer_init(&node->loop, &node->second) == 0);
    kz_assert(uv_signal_init(&node->loop, &node->on_term) == 0);
    kz_assert(uv_signal_init(&node->loop, &node->on_int) == 0);
    kz_assert(uv_signal_init(&node->loop, &node->on_hup) == 0);
    node->stored.data = node->after_poll.data = node->before_poll.data = node->tick.data = node->second.data = node;
    node->on_term.data = node->on_int.data = node->on_hup.data = node;
    node->started_ms = kz_node_now_ms(node);
    node->started_wall_ms = kz_node_wall_ms(node);
}

static enum kz_code open_net(struct kz_node *node, struct kz_err *err)
{
    const struct kz_service_config *config = node->config;
    const struct kz_tls_config tls = {.cert_path = config->cert,
                                      .key_path = config->key,
                                      .ca_path = config->ca,
                                      .crl_path = config->crl,
                                      .cluster = config->cluster_id,
                                      .node = config->name};
    enum kz_code code = kz_tls_open(&node->tls, &tls, err);
    return code ? code : kz_net_open(&node->net, &node->loop, node->tls, NULL, err);
}

static enum kz_code read_untold(struct kz_node *node, struct kz_view *view, struct kz_err *err)
{
    size_t size = sizeof node->untold_epoch;
    enum kz_code code = kz_view_local(view, KZ_RECOVER_TRACE_KEY, &node->untold_epoch, &size, err);
    return code == KZ_NOT_FOUND ? KZ_OK : code;
}

static enum kz_code open_store(struct kz_node *node, enum kz_birth birth, struct kz_hard_state *hard,
                               struct kz_err *err)
{
    enum kz_code code = kz_bootstrap_open_store(node->config, birth, &node->store, err);
    if (code != KZ_OK) return code;
    struct kz_view *view;
    code = kz_view_open(node->store, &view, err);
    if (code != KZ_OK) return code;
    size_t size = sizeof node->contact_wall_ms;
    code = kz_view_hard(view, hard, err);
    if (code == KZ_OK) code = kz_view_applied(view, &node->applied, err);
    if (code == KZ_OK) code = kz_view_local(view, CONTACT_KEY, &node->contact_wall_ms, &size, err);
    if (code == KZ_NOT_FOUND) code = KZ_OK;
    if (code == KZ_OK) code = read_untold(node, view, err);
    node->contact_stored_ms = node->contact_wall_ms;
    node->epoch = hard->epoch;
    kz_view_close(view);
    return code;
}

static enum kz_code open_transport(struct kz_node *node, const struct kz_hard_state *hard, struct kz_err *err)
{
    struct kz_transport_self self = {
        .cluster = node->config->cluster_id, .epoch = hard->epoch, .node_id = node->id, .name = node->config->name};
    size_t count;
    const struct kz_cluster_member *members = kz_members_list(node, &count);
    memcpy(self.incarnation, hard->incarnation, sizeof self.incarnation);
    self.address = kz_members_find(node, node->id)->address; /* the file always names this node */
    enum kz_code code = kz_transport_open(&node->transport, node->net, &self, &transport_events, node, err);
    for (size_t i = 0; i < count && code == KZ_OK; i++)
        if (members[i].id != node->id)
            code = kz_transport_set_peer(node->transport, members[i].id, members[i].name, members[i].address, err);
    return code;
}

static void start_timers(struct kz_node *node)
{
    kz_assert(uv_check_start(&node->after_poll, on_check) == 0);
    kz_assert(uv_prepare_start(&node->before_poll, on_prepare) == 0);
    kz_assert(uv_timer_start(&node->tick, on_tick, KZ_NODE_TICK_MS, KZ_NODE_TICK_MS) == 0);
    kz_assert(uv_timer_start(&node->second, on_second, KZ_NODE_SECOND_MS, KZ_NODE_SECOND_MS) == 0);
    kz_assert(uv_signal_start(&node->on_term, on_stop_signal, SIGTERM) == 0);
    kz_assert(uv_signal_start(&node->on_int, on_stop_signal, SIGINT) == 0);
    kz_assert(uv_signal_start(&node->on_hup, on_reload_signal, SIGHUP) == 0);
}

enum kz_code kz_node_open(struct kz_node *node, const struct kz_service_config *config, enum kz_birth birth,
                          struct kz_err *err)
{
    struct kz_hard_state hard;
    memset(node, 0, sizeof *node);
    node->config = config;
    node->id = (uint64_t)config->id;
    TAILQ_INIT(&node->conns);
    open_loop(node);
    node->writes = kz_writes_new(node);
    node->reads = kz_reads_new(node);
    node->watches = kz_watches_new(node);
    node->snapshots = kz_snapshots_new(node);
    node->cluster_view = kz_cluster_view_new(node);
    node->recover = kz_recover_new(node);
    node->changes = kz_changes_new(node);
    node->salvage = kz_salvage_new(node);
    node->search = kz_search_new(node);

    /* A failure from here on ends the process: the caller prints it and exits, nothing needs to be unwound. */
    enum kz_code code = open_net(node, err);
    if (code == KZ_OK) code = open_store(node, birth, &hard, err);
    if (code == KZ_OK) code = kz_members_open(node, err);
    if (code == KZ_OK) code = kz_incarnations_open(node, err);
    if (code == KZ_OK) code = kz_lineage_open(node, err);
    if (code == KZ_OK) code = kz_outbox_io_open(node, &hard, err);
    const struct kz_writer_options writer = {
        .notify = notify_stored, .data = node, .free_reserve_bytes = (uint64_t)config->reserve_bytes};
    if (code == KZ_OK) code = kz_writer_open(&node->writer, node->store, &writer, err);
    if (code == KZ_OK) code = open_transport(node, &hard, err);
    if (code != KZ_OK) return code;
    kz_replica_io_open(node);
    kz_cluster_view_applied(node->cluster_view);
    kz_cluster_view_members_changed(node->cluster_view);
    code = kz_replica_start(node->replica, &hard, &node->applied, err);
    if (code == KZ_OK) kz_members_update(node);
    if (code == KZ_OK)
        code = kz_listener_open(&node->listener, node->net, config->listen, NULL, &listener_events, node, err);
    if (code != KZ_OK) return code;
    start_timers(node);
    kz_log_info("node.serving", "cluster=%s listen=%s applied=%llu rev=%llu", config->cluster_id, config->listen,
                (unsigned long long)node->applied.index, (unsigned long long)node->applied.rev);
    return KZ_OK;
}

/* ---- death ---- */

static void count_down(void *data) { (*(int *)data)--; }

static void close_handles(struct kz_node *node)
{
    uv_close((uv_handle_t *)&node->stored, NULL);
    uv_close((uv_handle_t *)&node->after_poll, NULL);
    uv_close((uv_handle_t *)&node->before_poll, NULL);
    uv_close((uv_handle_t *)&node->tick, NULL);
    uv_close((uv_handle_t *)&node->second, NULL);
    uv_close((uv_handle_t *)&node->on_term, NULL);
    uv_close((uv_handle_t *)&node->on_int, NULL);
    uv_close((uv_handle_t *)&node->on_hup, NULL);
}

/* Connections first, so that no request is left; then raft, then the store thread, which finishes its work. */
static void close_node(struct kz_node *node)
{
    int open = 2;
    uv_check_stop(&node->after_poll);
    uv_prepare_stop(&node->before_poll);
    uv_timer_stop(&node->tick);
    uv_timer_stop(&node->second);
    kz_listener_close(node->listener, count_down, &open);
    kz_transport_close(node->transport, count_down, &open);
    kz_conn_close_all(node);
    kz_search_stop(node->search);
    while (open > 0 || kz_conn_count(node) > 0 || kz_recover_working(node->recover) || kz_search_working(node->search))
        uv_run(&node->loop, UV_RUN_ONCE);
    kz_replica_io_close(node);
    kz_writer_close(node->writer);
    open = 1;
    kz_net_close(node->net, count_down, &open);
    close_handles(node);
    while (uv_run(&node->loop, UV_RUN_DEFAULT) != 0) {
    }
    kz_assert(open == 0);
    kz_assert(uv_loop_close(&node->loop) == 0);
    kz_replica_io_free(node);
    kz_writes_free(node->writes);
    kz_reads_free(node->reads);
    kz_watches_free(node->watches);
    kz_snapshots_free(node->snapshots);
    kz_search_free(node->search);
    kz_cluster_view_free(node->cluster_view);
    kz_incarnations_free(node->incarnations);
    kz_lineage_free(node->lineage);
    kz_recover_free(node->recover);
    kz_members_free(node->members);
    kz_changes_free(node->changes);
    kz_salvage_free(node->salvage);
    kz_outbox_free(node->outbox);
    kz_store_close(node->store);
    kz_tls_close(node->tls);
}

/* A recovery is done between two lives, so that no raft runs on the store meanwhile. One that fails has changed
 * nothing: the node goes on as it was. */
bool kz_node_run(struct kz_node *node)
{
    struct kz_err err = {0};
    uv_run(&node->loop, UV_RUN_DEFAULT);
    struct kz_recover_order order = *kz_recover_order(node->recover);
    bool ordered = order.given && !node->stopping;
    close_node(node);
    kz_log_info("node.stopped", "applied=%llu", (unsigned long long)node->applied.index);
    if (ordered && kz_recover_perform(node->config, &order, &err) != KZ_OK)
        kz_log_error("node.recover", "error=\"%s\"", err.text);
    return ordered;
}
