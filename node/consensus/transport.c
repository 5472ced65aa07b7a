/* SPDX-License-Identifier: Apache-2.0 */
#include "node/consensus/transport.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/base/log.h"
#include "node/consensus/transport_core.h"

#define TICK_MS 50u
#define BULK_IDLE_MS KZ_IDLE_TIMEOUT_MS

static_assert(KZ_TRANSPORT_PENDING_MAX_BYTES > 2 * KZ_PEER_FRAME_MAX_BYTES, "some frames fit the queue");
static_assert(KZ_TRANSPORT_BULK_PENDING_MAX_BYTES >= 2 * KZ_CHUNK_MAX_BYTES, "a chunk travels while one waits");

struct peer *kz_transport_find(struct kz_transport *transport, uint64_t peer_id)
{
    if (peer_id == 0) return NULL;
    for (size_t i = 0; i < KZ_NODES_MAX; i++)
        if (transport->peers[i].id == peer_id) return &transport->peers[i];
    return NULL;
}

static const struct peer *look_up(const struct kz_transport *transport, uint64_t peer_id)
{
    return kz_transport_find((struct kz_transport *)transport, peer_id);
}

static bool is_ready(const struct conn *conn) { return conn && conn->hello_done; }

static void set_problem(struct peer *peer, const char *text)
{
    snprintf(peer->problem, sizeof peer->problem, "%.200s", text);
    peer->refusal = KZ__REFUSAL__NOT_REFUSED;
}

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
void kz_transport_update_up(struct kz_transport *transport, struct peer *peer)
{
    bool up = is_ready(peer->conns[ROLE_OUT]) && !peer->incoming_lost;
    if (up == peer->up || transport->closing) return;
    peer->up = up;
    if (up)
        transport->events->peer_up(transport->data, peer->id);
    else
        transport->events->peer_down(transport->data, peer->id);
}

void kz_transport_drop_conn(struct conn *conn)
{
    if (conn->dropped) return;
    conn->dropped = true;
    struct peer *peer = kz_transport_find(conn->transport, conn->peer_id);
    if (peer && peer->conns[conn->role] == conn) peer->conns[conn->role] = NULL;
    kz_stream_close(conn->stream);
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
            kz_transport_take_hello(conn, message->hello);
        else
            kz_transport_take_answer(conn, message->hello);
        return !conn->dropped && !transport->closing;
    }
    struct peer *peer = kz_transport_find(transport, conn->peer_id);
    if (!peer) return false;
    if (incoming && message->hello && message->hello->refused) {
        const Kz__Hello *hello = message->hello;
        kz_transport_note_refusal(conn, peer, "it refuses us", true,
                                  hello->has_refusal ? hello->refusal : KZ__REFUSAL__REFUSED_OTHER, hello->refused);
        kz_transport_drop_conn(conn);
        return false;
    }
    if (!incoming || message->hello) return protocol_error(conn, "a message that does not belong here");
    kz_transport_mark_heard(peer);
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
    kz_transport_send_hello(conn, KZ__REFUSAL__NOT_REFUSED, NULL);
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
    free(transport->address);
    free(transport);
    if (closed) closed(data);
}

void kz_transport_schedule_redial(struct kz_transport *transport, struct peer *peer, enum role role)
{
    unsigned delay_ms = peer->backoff_ms ? peer->backoff_ms : KZ_TRANSPORT_BACKOFF_MIN_MS;
    peer->backoff_ms = delay_ms * 2 < KZ_TRANSPORT_BACKOFF_MAX_MS ? delay_ms * 2 : KZ_TRANSPORT_BACKOFF_MAX_MS;
    peer->redial_ms[role] = uv_now(transport->loop) + delay_ms / 2 + jitter(transport, delay_ms / 2 + 1);
}

/* A stream of a peer has ended that we had not given up ourselves. */
static void lose_conn(struct conn *conn, const struct kz_stream_end *end)
{
    struct kz_transport *transport = conn->transport;
    struct peer *peer = kz_transport_find(transport, conn->peer_id);
    if (!peer || peer->conns[conn->role] != conn) return;
    peer->conns[conn->role] = NULL;
    if (conn->role == ROLE_IN) peer->incoming_lost = true;
    if (conn->role == ROLE_OUT) {
        /* A certificate refused stays refused until someone acts: in the log once, unlike a peer that is down. */
        if (end->layer == KZ_LAYER_CERT || end->layer == KZ_LAYER_TLS)
            kz_transport_note_refusal(conn, peer, "no connection", false, KZ__REFUSAL__REFUSED_CERTIFICATE, end->text);
        else
            set_problem(peer, end->layer ? end->text : "it closed the connection");
    }
    if (conn->role == ROLE_OUT || conn->role == ROLE_OUT_BULK)
        kz_transport_schedule_redial(transport, peer, conn->role);
    kz_transport_update_up(transport, peer);
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
        set_problem(peer, err.text);
        kz_transport_schedule_redial(transport, peer, role);
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
    if (peer->guest && !peer->conns[ROLE_IN]) {
        kz_transport_remove_peer(transport, peer->id);
        return;
    }
    if (!peer->conns[ROLE_OUT] && now_ms >= peer->redial_ms[ROLE_OUT]) dial(transport, peer, ROLE_OUT);
    struct conn *bulk = peer->conns[ROLE_OUT_BULK];
    if (!bulk && peer->wanted_bulk && now_ms >= peer->redial_ms[ROLE_OUT_BULK]) dial(transport, peer, ROLE_OUT_BULK);
    if (peer->wanted_bulk && now_ms - peer->bulk_used_ms > BULK_IDLE_MS) {
        peer->wanted_bulk = false;
        if (bulk && kz_stream_pending_bytes(bulk->stream) == 0) kz_transport_drop_conn(bulk);
    }
    kz_transport_update_up(transport, peer);
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
    transport->address = self->address ? kz_must_strdup(self->address) : NULL;
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
    TAILQ_FOREACH(conn, &transport->conns, in_conns) kz_transport_drop_conn(conn);
    uv_close((uv_handle_t *)&transport->timer, on_timer_closed);
}

static void drop_conns(struct peer *peer)
{
    for (size_t role = 0; role < ROLE_COUNT; role++)
        if (peer->conns[role]) kz_transport_drop_conn(peer->conns[role]);
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

static enum kz_code check_peer(struct kz_transport *transport, uint64_t peer_id, const char *name, struct kz_err *err)
{
    if (peer_id == 0 || peer_id == transport->node_id)
        return kz_fail(err, KZ_INVALID, "node id %llu cannot be a peer of this node", (unsigned long long)peer_id);
    if (!kz_identity_is_name(name)) return kz_fail(err, KZ_INVALID, "'%.64s' is not a node name", name);
    if (strcmp(name, transport->name) == 0)
        return kz_fail(err, KZ_INVALID, "node %llu has this node's own name '%s'", (unsigned long long)peer_id, name);
    for (size_t i = 0; i < KZ_NODES_MAX; i++)
        if (transport->peers[i].id && transport->peers[i].id != peer_id && strcmp(transport->peers[i].name, name) == 0)
            return kz_fail(err, KZ_INVALID, "nodes %llu and %llu are both named '%s'",
                           (unsigned long long)transport->peers[i].id, (unsigned long long)peer_id, name);
    return KZ_OK;
}

static struct peer *find_place(struct kz_transport *transport)
{
    for (size_t i = 0; i < KZ_NODES_MAX; i++)
        if (!transport->peers[i].id) return &transport->peers[i];
    return NULL;
}

/* A guest never keeps a member out, neither by its place nor by its name. */
static void make_room(struct kz_transport *transport, uint64_t peer_id, const char *name)
{
    bool full = !kz_transport_find(transport, peer_id) && !find_place(transport);
    for (size_t i = 0; i < KZ_NODES_MAX; i++) {
        struct peer *peer = &transport->peers[i];
        if (!peer->guest || peer->id == peer_id || (!full && strcmp(peer->name, name) != 0)) continue;
        kz_transport_remove_peer(transport, peer->id);
        full = false;
    }
}

static enum kz_code put_peer(struct kz_transport *transport, uint64_t peer_id, const char *name, const char *address,
                             struct kz_err *err)
{
    enum kz_code code = check_peer(transport, peer_id, name, err);
    if (!code) code = kz_stream_check_address(address, err);
    if (code) return code;
    struct peer *peer = kz_transport_find(transport, peer_id);
    if (peer && strcmp(peer->name, name) == 0 && strcmp(peer->address, address) == 0) return KZ_OK;
    if (peer) drop_conns(peer);
    if (!peer) peer = find_place(transport);
    if (!peer) return kz_fail(err, KZ_TOO_BIG, "more than %u nodes", KZ_NODES_MAX);
    peer->id = peer_id;
    snprintf(peer->name, sizeof peer->name, "%s", name);
    free(peer->address);
    peer->address = kz_must_strdup(address);
    set_problem(peer, "not connected yet");
    return KZ_OK;
}

enum kz_code kz_transport_set_peer(struct kz_transport *transport, uint64_t peer_id, const char *name,
                                   const char *address, struct kz_err *err)
{
    make_room(transport, peer_id, name);
    enum kz_code code = put_peer(transport, peer_id, name, address, err);
    if (code == KZ_OK) kz_transport_find(transport, peer_id)->guest = false;
    return code;
}

struct peer *kz_transport_add_guest(struct kz_transport *transport, const Kz__Hello *hello, const char *name,
                                    struct kz_err *err)
{
    bool known = kz_transport_find(transport, hello->node_id) != NULL;
    if (!hello->address) {
        (void)kz_fail(err, KZ_INVALID, "it does not say where it can be dialled");
        return NULL;
    }
    if (put_peer(transport, hello->node_id, name, hello->address, err) != KZ_OK) return NULL;
    struct peer *peer = kz_transport_find(transport, hello->node_id);
    if (!known) peer->guest = true;
    return peer;
}

void kz_transport_remove_peer(struct kz_transport *transport, uint64_t peer_id)
{
    struct peer *peer = kz_transport_find(transport, peer_id);
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
    struct peer *peer = kz_transport_find(transport, peer_id);
    if (!peer) return KZ_NOT_FOUND;
    return send_on(peer->conns[ROLE_OUT], message, KZ_TRANSPORT_PENDING_MAX_BYTES);
}

enum kz_code kz_transport_send_bulk(struct kz_transport *transport, uint64_t peer_id, const Kz__PeerMessage *message)
{
    struct peer *peer = kz_transport_find(transport, peer_id);
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

Kz__Refusal kz_transport_refusal(const struct kz_transport *transport, uint64_t peer_id, bool *by_it)
{
    const struct peer *peer = look_up(transport, peer_id);
    if (!peer || is_ready(peer->conns[ROLE_OUT])) return KZ__REFUSAL__NOT_REFUSED;
    *by_it = peer->refused_by_it;
    return peer->refusal;
}
