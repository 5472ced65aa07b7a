/* SPDX-License-Identifier: Apache-2.0 */
/* One node: what its rooms share. Opened and closed in node.c; every room borrows it. Loop thread. */
#ifndef KZ_SERVICE_NODE_H
#define KZ_SERVICE_NODE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uv.h>

#include "node/service/config.h"
#include "node/service/outbox.h"
#include "node/store/store.h"
#include "proto/peer.pb-c.h"
#include "proto/service.pb-c.h"

#define KZ_NODE_TICK_MS 50u
#define KZ_NODE_SECOND_MS 1000u
#define KZ_NODE_TRANSFER_WAIT_MS 1000u /* a stopping leader waits this long for a successor */

struct kz_conn;
struct kz_changes;
struct kz_incarnations;
struct kz_lineage;
struct kz_recover;
struct kz_members;
struct kz_salvage;
struct kz_search;
struct kz_replica_io_state;

struct kz_node {
    const struct kz_service_config *config; /* borrowed */
    uint64_t id;
    uv_loop_t loop;
    struct kz_tls *tls;
    struct kz_net *net;
    struct kz_store *store;
    struct kz_writer *writer;
    struct kz_replica *replica;
    struct kz_replica_io_state *replica_io;
    struct kz_outbox_io outbox_io;
    struct kz_outbox *outbox;
    struct kz_transport *transport;
    struct kz_listener *listener;
    struct kz_incarnations *incarnations;
    struct kz_lineage *lineage;
    struct kz_recover *recover;
    struct kz_members *members;
    struct kz_changes *changes;
    struct kz_salvage *salvage;
    struct kz_writes *writes;
    struct kz_reads *reads;
    struct kz_watches *watches;
    struct kz_snapshots *snapshots;
    struct kz_search *search;
    struct kz_cluster_view *cluster_view;
    TAILQ_HEAD(, kz_conn) conns;
    size_t conn_count;
    struct kz_applied applied; /* durable and applied here */
    uint64_t epoch;
    uint64_t untold_epoch; /* begun here, and the cluster's history does not say so yet; 0 = none */
    uint64_t started_ms;   /* loop clock */
    int64_t started_wall_ms;
    uint64_t quorum_seen_ms;   /* loop clock, last time this node was in touch with a leader; 0 = never */
    int64_t contact_wall_ms;   /* the same by the wall clock, remembered over a restart; 0 = never */
    int64_t contact_stored_ms; /* contact_wall_ms as last stored */
    uv_async_t stored;         /* the store thread has completions */
    uv_check_t after_poll;     /* end of a loop turn: propose, flush */
    uv_prepare_t before_poll;  /* likewise, for what timers did */
    uv_timer_t tick, second;
    uv_signal_t on_term, on_int, on_hup;
    bool stopping;
    uint64_t stop_at_ms;
};

/* What a first start makes of an empty data directory. */
enum kz_birth {
    KZ_BIRTH_NONE,      /* nothing: it is refused, because a wiped node must not vote */
    KZ_BIRTH_BOOTSTRAP, /* a new cluster, with the configuration file's members as the first voters */
    KZ_BIRTH_JOIN,      /* a node that waits to be added to a running cluster */
};

/* Opens everything and serves. */
enum kz_code kz_node_open(struct kz_node *node, const struct kz_service_config *config, enum kz_birth birth,
                          struct kz_err *err) KZ_MUST_CHECK;
/* Serves until SIGTERM or SIGINT, then closes everything in order. True: a recovery was done meanwhile, open it again
 * (with KZ_BIRTH_NONE). */
bool kz_node_run(struct kz_node *node);

/* ---- what rooms ask ---- */

uint64_t kz_node_now_ms(const struct kz_node *node); /* monotonic */
int64_t kz_node_wall_ms(const struct kz_node *node); /* UTC, never used for an order */
bool kz_node_is_leader(const struct kz_node *node);
uint64_t kz_node_leader(const struct kz_node *node); /* 0 = none known */
bool kz_node_has_quorum(const struct kz_node *node);
/* The cluster went on as a later epoch without this node: it takes part in nothing, and answers from its copy. */
bool kz_node_is_fenced(const struct kz_node *node);
/* That has just become known (lineage.h). */
void kz_node_fenced(struct kz_node *node);
/* False on a node that has not yet applied anything of a leader's: its registry is empty because it knows nothing. */
bool kz_node_holds_copy(const struct kz_node *node);
uint64_t kz_node_without_leader_ms(const struct kz_node *node);
const char *kz_node_member_name(const struct kz_node *node, uint64_t id); /* "" when unknown */
enum kz_code kz_node_send(struct kz_node *node, uint64_t peer_id, const Kz__PeerMessage *message);

/* How fresh an answer given now is; texts are borrowed from the node. */
void kz_node_fill_meta(const struct kz_node *node, Kz__ReadMode answered, Kz__Meta *meta);

#endif
