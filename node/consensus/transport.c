/* SPDX-License-Identifier: Apache-2.0 */
#include "node/consensus/transport.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <uv.h>

#include "node/base/arena.h"
#include "node/base/assert.h"
#include "node/base/log.h"
#include "node/net/frame.h"

#define TICK_MS 50u
#define BULK_IDLE_MS KZ_IDLE_TIMEOUT_MS
#define PROBLEM_BYTES 300u

static_assert(KZ_TRANSPORT_PENDING_MAX_BYTES > 2 * KZ_PEER_FRAME_MAX_BYTES, "some frames fit the queue");
static_assert(KZ_TRANSPORT_BULK_PENDING_MAX_BYTES >= 2 * KZ_CHUNK_MAX_BYTES, "a chunk travels while one waits");

enum role { ROLE_OUT, ROLE_OUT_BULK, ROLE_IN, ROLE_IN_BULK, ROLE_COUNT };

/* One stream of a peer, from its first to its last callback. */
struct conn {
    struct kz_transport *transport;
    TAILQ_ENTRY(conn) in_conns;
    struct kz_stream *stream;
    enum role role;
    uint64_t peer_id; /* 0: incoming, no good Hello yet */
    bool hello_done;  /* theirs came and was accepted */
    bool dropped;     /* we are done with it: nothing that still arrives counts */
    uint64_t began_ms;
    char name[KZ_IDENTITY_TEXT_BYTES]; /* in its certificate */
    struct kz_frame_reader reader;
};

struct peer {
    uint64_t id; /* 0 = free place */
    char name[KZ_IDENTITY_TEXT_BYTES];
    char *address;                  /* owned */
    struct conn *conns[ROLE_COUNT]; /* the current ones; NULL = none */
    uint64_t redial_ms[2];          /* by ROLE_OUT, ROLE_OUT_BULK: not before */
    unsigned backoff_ms;
    uint64_t heard_ms, bulk_used_ms;
    bool heard, up;
    bool incoming_lost; /* its connection ended and none came since */
    bool wanted_bulk;
    char problem[PROBLEM_BYTES];
    char logged[2][PROBLEM_BYTES]; /* the last refusal in the log, ours and theirs: a repeated one is logged once */
};

TAILQ_HEAD(conn_list, conn);

struct kz_transport {
    struct kz_net *net;
    uv_loop_t *loop;
    uv_timer_t timer;
    uint64_t epoch, node_id, random;
    char *cluster, *name; /* owned */
    uint8_t incarnation[KZ_TRANSPORT_INCARNATION_BYTES];
    const struct kz_transport_events *events;
    void *data;
    struct peer peers[KZ_NODES_MAX];
    struct conn_list conns;
    struct kz_arena arena; /* of the message being handled */
    char logged[PROBLEM_BYTES];
    bool closing, timer_closed;
    void (*closed)(void *data);
    void *closed_data;
};

static struct peer *find_peer(struct kz_transport *transport, uint64_t peer_id)
{
    if (peer_id == 0) return NULL;
    for (size_t i = 0; i < KZ_NODES_MAX; i++)
        if (transport->peers[i].id == peer_id) return &transport->peers[i];
    return NULL;
}

static const struct peer *look_up(const struct kz_transport *transport, uint64_t peer_id)
{
    return find_peer((struct kz_transport *)transport, peer_id);
}

static bool is_ready(const struct conn *conn) { return conn && conn->hello_done; }

/* xorshift64*: only spreads redials. */
static unsigned jitter(struct kz_transport *transport, unsigned below)
{
    uint64_t x = transport->random;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    transport->random = x;
    return (unsigned)((x * UINT64_C(0x2545F4914F6CDD1D)) >> 40) % below;
}

/* up = we can send, and the peer's own connection has not broken since. */
static void update_up(struct kz_transport *transport, struct peer *peer)
{
    bool up = is_ready(peer->conns[ROLE_OUT]) && !peer->incoming_lost;
    if (up == peer->up || transport->closing) return;
    peer->up = up;
    if (up)
        transport->events->peer_up(transport->data, peer->id);
    else
        transport->events->peer_down(transport->data, peer->id);
}

/* Takes the connection out of its peer's hands; it ends by itself. */
static void drop_conn(struct conn *conn)
{
    if (conn->dropped) return;
    conn->dropped = true;
    struct peer *peer = find_peer(conn->transport, conn->peer_id);
    if (peer && peer->conns[conn->role] == conn) peer->conns[conn->role] = NULL;
    kz_stream_close(conn->stream);
}

static void log_refusal(struct conn *conn, struct peer *peer, const char *direction, const char *why)
{
    bool incoming = conn->role == ROLE_IN || conn->role == ROLE_IN_BULK;
    char *logged = peer ? peer->logged[incoming] : conn->transport->logged;
    char text[PROBLEM_BYTES];
    snprintf(text, sizeof text, "%s: %.200s", direction, why);
    if (peer) snprintf(peer->problem, sizeof peer->problem, "%s", text);
    if (strcmp(logged, text) == 0) return;
    memcpy(logged, text, sizeof text);
    kz_log_warn("peer.refused", "name=%s address=%s text=\"%s\"", conn->name, kz_stream_address(conn->stream), text);
}

static void send_hello(struct conn *conn, const char *refused)
{
    struct kz_transport *transport = conn->transport;
    Kz__Hello hello = KZ__HELLO__INIT;
    Kz__PeerMessage message = KZ__PEER_MESSAGE__INIT;
    hello.cluster_id = transport->cluster;
    hello.epoch = transport->epoch;
    hello.node_id = transport->node_id;
    hello.name = transport->name;
    hello.incarnation.data = transport->incarnation;
    hello.incarnation.len = sizeof transport->incarnation;
    hello.version = (char *)KEIZOKU_VERSION;
    hello.refused = (char *)refused;
    hello.has_bulk = hello.bulk = conn->role == ROLE_OUT_BULK || conn->role == ROLE_IN_BULK;
    if (transport->events->fill_hello) transport->events->fill_hello(transport->data, &hello);
    message.hello = &hello;
    /* A stream that cannot take it is ending, and its on_close tells. */
    (void)kz_frame_write(conn->stream, KZ_FRAME_PEER, 0, &message.base, KZ_PEER_FRAME_MAX_BYTES);
}

static void explain_epoch(const struct kz_transport *transport, const Kz__Hello *hello, char *why)
{
    unsigned long long own = transport->epoch, theirs = hello->epoch;
    if (theirs < own)
        snprintf(
            why, KZ_TRANSPORT_WHY_BYTES,
            "epoch %llu here, not %llu: the cluster went on without it. Keep its directory; keizoku salvage export "
            "there; then start it empty with --join and a new id",
            own, theirs);
    else
        snprintf(why, KZ_TRANSPORT_WHY_BYTES, "epoch %llu here, not %llu: the cluster went on without this node", own,
                 theirs);
}

/* The certificate says that it is a node of this cluster and which one: what it says of epochs is told upward, also
 * when the connection is refused for it. */
static void tell_epoch(struct kz_transport *transport, const char *name, const Kz__Hello *hello)
{
    if (!transport->events->epoch_heard || transport->closing) return;
    if (strcmp(hello->cluster_id, transport->cluster) != 0 || strcmp(hello->name, name) != 0) return;
    transport->events->epoch_heard(transport->data, hello);
}

/* Everything both ends compare. `name` is the certificate's. */
static bool accept_hello(struct kz_transport *transport, const char *name, const Kz__Hello *hello, char *why)
{
    why[0] = '\0';
    const struct peer *peer = find_peer(transport, hello->node_id);
    if (strcmp(hello->cluster_id, transport->cluster) != 0)
        snprintf(why, KZ_TRANSPORT_WHY_BYTES, "cluster '%.64s' here, not '%.64s'", transport->cluster,
                 hello->cluster_id);
    else if (hello->epoch != transport->epoch)
        explain_epoch(transport, hello, why);
    else if (!peer)
        snprintf(why, KZ_TRANSPORT_WHY_BYTES, "node id %llu ('%.64s') is not a member known here",
                 (unsigned long long)hello->node_id, name);
    else if (strcmp(hello->name, name) != 0 || strcmp(peer->name, name) != 0)
        snprintf(why, KZ_TRANSPORT_WHY_BYTES, "node id %llu is '%.64s' here, the certificate says '%.64s'",
                 (unsigned long long)hello->node_id, peer->name, name);
    else if (hello->incarnation.len != KZ_TRANSPORT_INCARNATION_BYTES)
        snprintf(why, KZ_TRANSPORT_WHY_BYTES, "the incarnation is malformed");
    else
        return transport->events->check_hello(transport->data, hello, why);
    return false;
}

static void mark_heard(struct peer *peer)
{
    peer->heard = true;
    peer->heard_ms = uv_hrtime() / 1000000;
}

/* First frame on a connection that a peer dialled. */
static void take_incoming_hello(struct conn *conn, const Kz__Hello *hello)
{
    struct kz_transport *transport = conn->transport;
    char why[KZ_TRANSPORT_WHY_BYTES];
    if (hello->has_bulk && hello->bulk) conn->role = ROLE_IN_BULK;
    tell_epoch(transport, conn->name, hello);
    if (!accept_hello(transport, conn->name, hello, why)) {
        if (!why[0]) snprintf(why, sizeof why, "refused");
        log_refusal(conn, find_peer(transport, hello->node_id), "we refuse its connection", why);
        send_hello(conn, why);
        drop_conn(conn);
        return;
    }
    struct peer *peer = find_peer(transport, hello->node_id);
    conn->hello_done = true;
    if (peer->conns[conn->role]) drop_conn(peer->conns[conn->role]); /* the newest wins */
    conn->peer_id = peer->id;
    peer->conns[conn->role] = conn;
    mark_heard(peer);
    send_hello(conn, NULL);
    if (conn->role != ROLE_IN) return;
    peer->incoming_lost = false;
    /* It lives: no reason to wait out a back-off. */
    if (!peer->conns[ROLE_OUT]) peer->redial_ms[ROLE_OUT] = 0;
    update_up(transport, peer);
}

/* The answer on a connection that we dialled. */
static void take_answer(struct conn *conn, const Kz__Hello *hello)
{
    struct kz_transport *transport = conn->transport;
    struct peer *peer = find_peer(transport, conn->peer_id);
    char why[KZ_TRANSPORT_WHY_BYTES];
    if (!peer) return;
    tell_epoch(transport, conn->name, hello);
    if (hello->refused) {
        log_refusal(conn, peer, "it refuses our connection", hello->refused);
        drop_conn(conn);
        return;
    }
    bool accepted = accept_hello(transport, conn->name, hello, why);
    if (accepted && hello->node_id != peer->id) {
        snprintf(why, sizeof why, "node id %llu was dialled, %llu answered", (unsigned long long)peer->id,
                 (unsigned long long)hello->node_id);
        accepted = false;
    }
    if (!accepted) {
        if (!why[0]) snprintf(why, sizeof why, "refused");
        log_refusal(conn, peer, "we refuse it", why);
        send_hello(conn, why);
        drop_conn(conn);
        return;
    }
    conn->hello_done = true;
    mark_heard(peer);
    peer->backoff_ms = 0;
    if (conn->role != ROLE_OUT) return;
    peer->incoming_lost = false;
    peer->problem[0] = peer->logged[0][0] = peer->logged[1][0] = '\0';
    update_up(transport, peer);
}

static bool protocol_error(struct conn *conn, const char *text)
{
    kz_log_warn("peer.protocol", "name=%s address=%s text=\"%s\"", conn->name, kz_stream_address(conn->stream), text);
    kz_stream_abort(conn->stream, KZ_LAYER_TCP, KZ_PROTOCOL, text);
    return false;
}

static bool handle_message(struct conn *conn, const Kz__PeerMessage *message)
{
    struct kz_transport *transport = conn->transport;
    bool incoming = conn->role == ROLE_IN || conn->role == ROLE_IN_BULK;
    if (!conn->hello_done) {
        if (!message->hello) return protocol_error(conn, "the first message is not a hello");
        if (incoming)
            take_incoming_hello(conn, message->hello);
        else
            take_answer(conn, message->hello);
        return !conn->dropped && !transport->closing;
    }
    struct peer *peer = find_peer(transport, conn->peer_id);
    if (!peer) return false;
    if (incoming && message->hello && message->hello->refused) {
        log_refusal(conn, peer, "it refuses us", message->hello->refused);
        drop_conn(conn);
        return false;
    }
    if (!incoming || message->hello) return protocol_error(conn, "a message that does not belong here");
    mark_heard(peer);
    transport->events->message(transport->data, conn->peer_id, message);
    return !conn->dropped && !transport->closing;
}

static bool on_frame(void *data, const struct kz_frame *frame)
{
    struct conn *conn = data;
    struct kz_arena *arena = &conn->transport->arena;
    const Kz__PeerMessage *message = (const Kz__PeerMessage *)kz_frame_unpack(arena, &kz__peer_message__descriptor,
                                                                              frame->payload, frame->size_bytes);
    bool go_on = message ? handle_message(conn, message) : protocol_error(conn, "a message that cannot be decoded");
    kz_arena_reset(arena);
    return go_on;
}

static void on_data(void *data, struct kz_stream *stream, const uint8_t *bytes, size_t size_bytes)
{
    struct conn *conn = data;
    struct kz_err err = {0};
    (void)stream; /* the conn's */
    if (conn->dropped || conn->transport->closing) return;
    if (kz_frame_reader_feed(&conn->reader, bytes, size_bytes, on_frame, conn, &err) != KZ_OK)
        (void)protocol_error(conn, err.text);
}

static void on_open(void *data, struct kz_stream *stream, const struct kz_identity *identity)
{
    struct conn *conn = data;
    (void)stream; /* the conn's */
    if (conn->dropped) return;
    snprintf(conn->name, sizeof conn->name, "%s", identity->name);
    conn->began_ms = uv_now(conn->transport->loop); /* the hello's deadline starts */
    send_hello(conn, NULL);
}

static void free_if_done(struct kz_transport *transport)
{
    if (!transport->closing || !transport->timer_closed || !TAILQ_EMPTY(&transport->conns)) return;
    void (*closed)(void *) = transport->closed;
    void *data = transport->closed_data;
    for (size_t i = 0; i < KZ_NODES_MAX; i++)
        free(transport->peers[i].address);
    kz_arena_fini(&transport->arena);
    free(transport->cluster);
    free(transport->name);
    free(transport);
    if (closed) closed(data);
}

static void schedule_redial(struct kz_transport *transport, struct peer *peer, enum role role)
{
    unsigned delay_ms = peer->backoff_ms ? peer->backoff_ms : KZ_TRANSPORT_BACKOFF_MIN_MS;
    peer->backoff_ms = delay_ms * 2 < KZ_TRANSPORT_BACKOFF_MAX_MS ? delay_ms * 2 : KZ_TRANSPORT_BACKOFF_MAX_MS;
    peer->redial_ms[role] = uv_now(transport->loop) + delay_ms / 2 + jitter(transport, delay_ms / 2 + 1);
}

/* A stream of a peer has ended that we had not given up ourselves. */
static void lose_conn(struct conn *conn, const struct kz_stream_end *end)
{
    struct kz_transport *transport = conn->transport;
    struct peer *peer = find_peer(transport, conn->peer_id);
    if (!peer || peer->conns[conn->role] != conn) return;
    peer->conns[conn->role] = NULL;
    if (conn->role == ROLE_IN) peer->incoming_lost = true;
    if (conn->role == ROLE_OUT) {
        /* A certificate refused stays refused until someone acts: in the log once, unlike a peer that is down. */
        if (end->layer == KZ_LAYER_CERT || end->layer == KZ_LAYER_TLS)
            log_refusal(conn, peer, "no connection", end->text);
        else
            snprintf(peer->problem, sizeof peer->problem, "%s", end->layer ? end->text : "it closed the connection");
    }
    if (conn->role == ROLE_OUT || conn->role == ROLE_OUT_BULK) schedule_redial(transport, peer, conn->role);
    update_up(transport, peer);
}

static void on_close(void *data, struct kz_stream *stream, const struct kz_stream_end *end)
{
    struct conn *conn = data;
    struct kz_transport *transport = conn->transport;
    (void)stream; /* the conn's */
    if (!conn->dropped && !transport->closing) lose_conn(conn, end);
    TAILQ_REMOVE(&transport->conns, conn, in_conns);
    kz_frame_reader_fini(&conn->reader);
    free(conn);
    free_if_done(transport);
}

static const struct kz_stream_events stream_events = {.on_open = on_open, .on_data = on_data, .on_close = on_close};

static struct conn *new_conn(struct kz_transport *transport, enum role role)
{
    struct conn *conn = kz_must_alloc(1, sizeof *conn);
    conn->transport = transport;
    conn->role = role;
    conn->began_ms = uv_now(transport->loop);
    kz_frame_reader_init(&conn->reader, KZ_FRAME_TYPE_BIT(KZ_FRAME_PEER), KZ_PEER_FRAME_MAX_BYTES);
    TAILQ_INSERT_TAIL(&transport->conns, conn, in_conns);
    return conn;
}

static void dial(struct kz_transport *transport, struct peer *peer, enum role role)
{
    struct kz_err err = {0};
    struct conn *conn = new_conn(transport, role);
    conn->peer_id = peer->id;
    snprintf(conn->name, sizeof conn->name, "%s", peer->name);
    enum kz_code code = kz_stream_connect(&conn->stream, transport->net, peer->address, peer->name, KZ_ALPN_FOR_PEER,
                                          &stream_events, conn, &err);
    if (code) {
        snprintf(peer->problem, sizeof peer->problem, "%.200s", err.text);
        schedule_redial(transport, peer, role);
        TAILQ_REMOVE(&transport->conns, conn, in_conns);
        kz_frame_reader_fini(&conn->reader);
        free(conn);
        return;
    }
    /* The transport's own limits come first; this one only has to be beyond them. */
    kz_stream_set_write_limit(conn->stream, KZ_TRANSPORT_PENDING_MAX_BYTES + 2 * KZ_PEER_FRAME_MAX_BYTES);
    peer->conns[role] = conn;
}

static void tick_peer(struct kz_transport *transport, struct peer *peer, uint64_t now_ms)
{
    if (!peer->conns[ROLE_OUT] && now_ms >= peer->redial_ms[ROLE_OUT]) dial(transport, peer, ROLE_OUT);
    struct conn *bulk = peer->conns[ROLE_OUT_BULK];
    if (!bulk && peer->wanted_bulk && now_ms >= peer->redial_ms[ROLE_OUT_BULK]) dial(transport, peer, ROLE_OUT_BULK);
    if (peer->wanted_bulk && now_ms - peer->bulk_used_ms > BULK_IDLE_MS) {
        peer->wanted_bulk = false;
        if (bulk && kz_stream_pending_bytes(bulk->stream) == 0) drop_conn(bulk);
    }
    update_up(transport, peer);
}

static void on_tick(uv_timer_t *timer)
{
    struct kz_transport *transport = timer->data;
    uint64_t now_ms = uv_now(transport->loop);
    struct conn *conn;
    TAILQ_FOREACH(conn, &transport->conns, in_conns)
    {
        bool open =
            kz_stream_alpn(conn->stream) != KZ_ALPN_NONE_AGREED; /* before, the handshake has its own deadline */
        if (open && !conn->hello_done && !conn->dropped && now_ms - conn->began_ms > KZ_TRANSPORT_HELLO_TIMEOUT_MS)
            kz_stream_abort(conn->stream, KZ_LAYER_TCP, KZ_TIMED_OUT, "no hello came");
    }
    for (size_t i = 0; i < KZ_NODES_MAX && !transport->closing; i++)
        if (transport->peers[i].id) tick_peer(transport, &transport->peers[i], now_ms);
}

enum kz_code kz_transport_open(struct kz_transport **out, struct kz_net *net, const struct kz_transport_self *self,
                               const struct kz_transport_events *events, void *data, struct kz_err *err)
{
    kz_assert(events->check_hello && events->message && events->peer_up && events->peer_down);
    if (self->node_id == 0) return kz_fail(err, KZ_INVALID, "a node id must not be 0");
    struct kz_transport *transport = kz_must_alloc(1, sizeof *transport);
    transport->net = net;
    transport->loop = kz_net_loop(net);
    transport->epoch = self->epoch;
    transport->node_id = self->node_id;
    transport->random = uv_hrtime() ^ (self->node_id << 32) ^ 1;
    transport->cluster = kz_must_strdup(self->cluster);
    transport->name = kz_must_strdup(self->name);
    memcpy(transport->incarnation, self->incarnation, sizeof transport->incarnation);
    transport->events = events;
    transport->data = data;
    TAILQ_INIT(&transport->conns);
    kz_arena_init(&transport->arena, 0); /* each message sets its own limit */
    kz_assert(uv_timer_init(transport->loop, &transport->timer) == 0);
    transport->timer.data = transport;
    kz_assert(uv_timer_start(&transport->timer, on_tick, 0, TICK_MS) == 0);
    *out = transport;
    return KZ_OK;
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct kz_transport *transport = handle->data;
    transport->timer_closed = true;
    free_if_done(transport);
}

void kz_transport_close(struct kz_transport *transport, void (*closed)(void *data), void *data)
{
    kz_assert(!transport->closing);
    transport->closing = true;
    transport->closed = closed;
    transport->closed_data = data;
    struct conn *conn;
    TAILQ_FOREACH(conn, &transport->conns, in_conns) drop_conn(conn);
    uv_close((uv_handle_t *)&transport->timer, on_timer_closed);
}

static void drop_conns(struct peer *peer)
{
    for (size_t role = 0; role < ROLE_COUNT; role++)
        if (peer->conns[role]) drop_conn(peer->conns[role]);
    peer->redial_ms[ROLE_OUT] = peer->redial_ms[ROLE_OUT_BULK] = 0;
    peer->backoff_ms = 0;
}

void kz_transport_set_epoch(struct kz_transport *transport, uint64_t epoch)
{
    if (transport->epoch == epoch) return;
    transport->epoch = epoch;
    for (size_t i = 0; i < KZ_NODES_MAX; i++)
        if (transport->peers[i].id) drop_conns(&transport->peers[i]);
}

static bool is_name_good(const char *name)
{
    char uri[KZ_NAME_MAX_BYTES + 64];
    struct kz_identity identity;
    int length = snprintf(uri, sizeof uri, "spiffe://t/cluster/c/node/%s", name);
    return length > 0 && (size_t)length < sizeof uri &&
           kz_identity_parse(uri, (size_t)length, &identity, NULL) == KZ_OK;
}

static enum kz_code check_peer(struct kz_transport *transport, uint64_t peer_id, const char *name, struct kz_err *err)
{
    if (peer_id == 0 || peer_id == transport->node_id)
        return kz_fail(err, KZ_INVALID, "node id %llu cannot be a peer of this node", (unsigned long long)peer_id);
    if (!is_name_good(name)) return kz_fail(err, KZ_INVALID, "'%.64s' is not a node name", name);
    if (strcmp(name, transport->name) == 0)
        return kz_fail(err, KZ_INVALID, "node %llu has this node's own name '%s'", (unsigned long long)peer_id, name);
    for (size_t i = 0; i < KZ_NODES_MAX; i++)
        if (transport->peers[i].id && transport->peers[i].id != peer_id && strcmp(transport->peers[i].name, name) == 0)
            return kz_fail(err, KZ_INVALID, "nodes %llu and %llu are both named '%s'",
                           (unsigned long long)transport->peers[i].id, (unsigned long long)peer_id, name);
    return KZ_OK;
}

enum kz_code kz_transport_set_peer(struct kz_transport *transport, uint64_t peer_id, const char *name,
                                   const char *address, struct kz_err *err)
{
    enum kz_code code = check_peer(transport, peer_id, name, err);
    if (!code) code = kz_stream_check_address(address, err);
    if (code) return code;
    struct peer *peer = find_peer(transport, peer_id);
    if (peer && strcmp(peer->name, name) == 0 && strcmp(peer->address, address) == 0) return KZ_OK;
    if (peer) drop_conns(peer);
    for (size_t i = 0; i < KZ_NODES_MAX && !peer; i++)
        if (!transport->peers[i].id) peer = &transport->peers[i];
    if (!peer) return kz_fail(err, KZ_TOO_BIG, "more than %u nodes", KZ_NODES_MAX);
    peer->id = peer_id;
    snprintf(peer->name, sizeof peer->name, "%s", name);
    free(peer->address);
    peer->address = kz_must_strdup(address);
    snprintf(peer->problem, sizeof peer->problem, "not connected yet");
    return KZ_OK;
}

void kz_transport_remove_peer(struct kz_transport *transport, uint64_t peer_id)
{
    struct peer *peer = find_peer(transport, peer_id);
    if (!peer) return;
    drop_conns(peer);
    free(peer->address);
    memset(peer, 0, sizeof *peer);
}

void kz_transport_accept(struct kz_transport *transport, struct kz_stream *stream, const struct kz_identity *identity)
{
    if (transport->closing) {
        kz_stream_close(stream);
        return;
    }
    struct conn *conn = new_conn(transport, ROLE_IN);
    conn->stream = stream;
    snprintf(conn->name, sizeof conn->name, "%s", identity->name);
    kz_stream_set_events(stream, &stream_events, conn);
}

static enum kz_code send_on(const struct conn *conn, const Kz__PeerMessage *message, size_t limit_bytes)
{
    if (!is_ready(conn)) return KZ_UNREACHABLE;
    if (kz_stream_pending_bytes(conn->stream) >= limit_bytes) return KZ_BUSY;
    return kz_frame_write(conn->stream, KZ_FRAME_PEER, 0, &message->base, KZ_PEER_FRAME_MAX_BYTES);
}

enum kz_code kz_transport_send(struct kz_transport *transport, uint64_t peer_id, const Kz__PeerMessage *message)
{
    struct peer *peer = find_peer(transport, peer_id);
    if (!peer) return KZ_NOT_FOUND;
    return send_on(peer->conns[ROLE_OUT], message, KZ_TRANSPORT_PENDING_MAX_BYTES);
}

enum kz_code kz_transport_send_bulk(struct kz_transport *transport, uint64_t peer_id, const Kz__PeerMessage *message)
{
    struct peer *peer = find_peer(transport, peer_id);
    if (!peer) return KZ_NOT_FOUND;
    peer->wanted_bulk = true; /* the tick dials */
    peer->bulk_used_ms = uv_now(transport->loop);
    return send_on(peer->conns[ROLE_OUT_BULK], message, KZ_TRANSPORT_BULK_PENDING_MAX_BYTES);
}

size_t kz_transport_bulk_pending_bytes(const struct kz_transport *transport, uint64_t peer_id)
{
    const struct peer *peer = look_up(transport, peer_id);
    if (!peer || !is_ready(peer->conns[ROLE_OUT_BULK])) return 0;
    return kz_stream_pending_bytes(peer->conns[ROLE_OUT_BULK]->stream);
}

bool kz_transport_connected(const struct kz_transport *transport, uint64_t peer_id)
{
    const struct peer *peer = look_up(transport, peer_id);
    return peer && is_ready(peer->conns[ROLE_OUT]);
}

uint64_t kz_transport_heard_ms(const struct kz_transport *transport, uint64_t peer_id)
{
    const struct peer *peer = look_up(transport, peer_id);
    if (!peer || !peer->heard) return KZ_TRANSPORT_NEVER_MS;
    return uv_hrtime() / 1000000 - peer->heard_ms;
}

const char *kz_transport_problem(const struct kz_transport *transport, uint64_t peer_id)
{
    const struct peer *peer = look_up(transport, peer_id);
    if (!peer || is_ready(peer->conns[ROLE_OUT])) return "";
    return peer->problem;
}
