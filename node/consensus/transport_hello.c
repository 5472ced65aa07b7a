/* SPDX-License-Identifier: Apache-2.0 */
/* The first frame in each direction: who may talk to us, and what is said when not. */
#include <stdio.h>
#include <string.h>

#include "node/base/log.h"
#include "node/consensus/transport_core.h"

void kz_transport_note_refusal(struct conn *conn, struct peer *peer, const char *direction, bool by_it,
                               Kz__Refusal refusal, const char *why)
{
    bool incoming = conn->role == ROLE_IN || conn->role == ROLE_IN_BULK;
    char *logged = peer ? peer->logged[incoming] : conn->transport->logged;
    char text[KZ_TRANSPORT_PROBLEM_BYTES];
    snprintf(text, sizeof text, "%s: %.200s", direction, why);
    if (peer) {
        memcpy(peer->problem, text, sizeof text);
        peer->refusal = refusal;
        peer->refused_by_it = by_it;
    }
    if (strcmp(logged, text) == 0) return;
    memcpy(logged, text, sizeof text);
    kz_log_warn("peer.refused", "name=%s address=%s text=\"%s\"", conn->name, kz_stream_address(conn->stream), text);
}

void kz_transport_send_hello(struct conn *conn, Kz__Refusal refusal, const char *refused)
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
    hello.address = transport->address;
    hello.refused = (char *)(uintptr_t)refused; /* packed only */
    hello.has_refusal = refused != NULL;
    hello.refusal = refusal;
    hello.has_bulk = hello.bulk = conn->role == ROLE_OUT_BULK || conn->role == ROLE_IN_BULK;
    if (transport->events->fill_hello) transport->events->fill_hello(transport->data, &hello);
    message.hello = &hello;
    /* A stream that cannot take it is ending, and its on_close tells. */
    (void)kz_frame_write(conn->stream, KZ_FRAME_PEER, 0, &message.base, KZ_PEER_FRAME_MAX_BYTES);
}

struct verdict {
    Kz__Refusal refusal; /* NOT_REFUSED: welcome */
    char why[KZ_TRANSPORT_WHY_BYTES];
};

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

/* What both ends compare, whoever they are. */
static Kz__Refusal compare_cluster(const struct kz_transport *transport, const Kz__Hello *hello, char *why)
{
    if (strcmp(hello->cluster_id, transport->cluster) != 0) {
        snprintf(why, KZ_TRANSPORT_WHY_BYTES, "cluster '%.64s' here, not '%.64s'", transport->cluster,
                 hello->cluster_id);
        return KZ__REFUSAL__REFUSED_CLUSTER;
    }
    if (hello->epoch != transport->epoch) {
        explain_epoch(transport, hello, why);
        return KZ__REFUSAL__REFUSED_EPOCH;
    }
    return KZ__REFUSAL__NOT_REFUSED;
}

/* Certificate, name and id belong together. `name` is the certificate's. */
static Kz__Refusal compare_identity(struct kz_transport *transport, const char *name, const Kz__Hello *hello, char *why)
{
    const struct peer *peer = kz_transport_find(transport, hello->node_id);
    unsigned long long id = hello->node_id;
    if (strcmp(hello->name, name) != 0 || (peer && !peer->guest && strcmp(peer->name, name) != 0))
        snprintf(why, KZ_TRANSPORT_WHY_BYTES, "node id %llu is '%.64s' here, the certificate says '%.64s'", id,
                 peer ? peer->name : hello->name, name);
    else if (hello->incarnation.len != KZ_TRANSPORT_INCARNATION_BYTES)
        snprintf(why, KZ_TRANSPORT_WHY_BYTES, "the incarnation is malformed");
    else
        return KZ__REFUSAL__NOT_REFUSED;
    return KZ__REFUSAL__REFUSED_IDENTITY;
}

static struct verdict judge(struct kz_transport *transport, const char *name, const Kz__Hello *hello)
{
    struct verdict verdict = {.refusal = compare_cluster(transport, hello, verdict.why)};
    if (!verdict.refusal) verdict.refusal = compare_identity(transport, name, hello, verdict.why);
    if (!verdict.refusal) verdict.refusal = transport->events->check_hello(transport->data, hello, verdict.why);
    if (verdict.refusal && !verdict.why[0]) snprintf(verdict.why, sizeof verdict.why, "refused");
    return verdict;
}

void kz_transport_mark_heard(struct peer *peer)
{
    peer->heard = true;
    peer->heard_ms = uv_hrtime() / 1000000;
}

/* Who is refused now will be refused a moment later too: handshakes cost both sides 20 ms each. */
static void drop_refused(struct conn *conn, struct peer *peer)
{
    bool ours = conn->role == ROLE_OUT || conn->role == ROLE_OUT_BULK;
    if (peer && ours) kz_transport_schedule_redial(conn->transport, peer, conn->role);
    kz_transport_drop_conn(conn);
}

static void refuse(struct conn *conn, struct peer *peer, const char *direction, const struct verdict *verdict)
{
    kz_transport_note_refusal(conn, peer, direction, false, verdict->refusal, verdict->why);
    kz_transport_send_hello(conn, verdict->refusal, verdict->why);
    drop_refused(conn, peer);
}

/* One that nobody named to us becomes a guest: a member that we have not heard of yet, or one that is about to join. */
static struct peer *find_or_welcome(struct conn *conn, const Kz__Hello *hello, struct verdict *verdict)
{
    struct peer *peer = kz_transport_find(conn->transport, hello->node_id);
    struct kz_err err = {0};
    if (peer && !peer->guest) return peer;
    peer = kz_transport_add_guest(conn->transport, hello, conn->name, &err);
    if (peer) return peer;
    verdict->refusal = KZ__REFUSAL__REFUSED_IDENTITY;
    snprintf(verdict->why, sizeof verdict->why, "node id %llu ('%.64s') is not a member known here: %.80s",
             (unsigned long long)hello->node_id, conn->name, err.text);
    return NULL;
}

void kz_transport_take_hello(struct conn *conn, const Kz__Hello *hello)
{
    struct kz_transport *transport = conn->transport;
    if (hello->has_bulk && hello->bulk) conn->role = ROLE_IN_BULK;
    tell_epoch(transport, conn->name, hello);
    struct verdict verdict = judge(transport, conn->name, hello);
    struct peer *peer = verdict.refusal ? NULL : find_or_welcome(conn, hello, &verdict);
    if (!peer) {
        refuse(conn, kz_transport_find(transport, hello->node_id), "we refuse its connection", &verdict);
        return;
    }
    conn->hello_done = true;
    if (peer->conns[conn->role]) kz_transport_drop_conn(peer->conns[conn->role]); /* the newest wins */
    conn->peer_id = peer->id;
    peer->conns[conn->role] = conn;
    kz_transport_mark_heard(peer);
    kz_transport_send_hello(conn, KZ__REFUSAL__NOT_REFUSED, NULL);
    if (conn->role != ROLE_IN) return;
    peer->incoming_lost = false;
    /* It lives: no reason to wait out a back-off. */
    if (!peer->conns[ROLE_OUT]) peer->redial_ms[ROLE_OUT] = 0;
    kz_transport_update_up(transport, peer);
}

void kz_transport_take_answer(struct conn *conn, const Kz__Hello *hello)
{
    struct kz_transport *transport = conn->transport;
    struct peer *peer = kz_transport_find(transport, conn->peer_id);
    if (!peer) return;
    tell_epoch(transport, conn->name, hello);
    if (hello->refused) {
        Kz__Refusal refusal = hello->has_refusal ? hello->refusal : KZ__REFUSAL__REFUSED_OTHER;
        kz_transport_note_refusal(conn, peer, "it refuses our connection", true, refusal, hello->refused);
        drop_refused(conn, peer);
        return;
    }
    struct verdict verdict = judge(transport, conn->name, hello);
    if (!verdict.refusal && hello->node_id != peer->id) {
        verdict.refusal = KZ__REFUSAL__REFUSED_IDENTITY;
        snprintf(verdict.why, sizeof verdict.why, "node id %llu was dialled, %llu answered",
                 (unsigned long long)peer->id, (unsigned long long)hello->node_id);
    }
    if (verdict.refusal) {
        refuse(conn, peer, "we refuse it", &verdict);
        return;
    }
    conn->hello_done = true;
    kz_transport_mark_heard(peer);
    peer->backoff_ms = 0;
    if (conn->role != ROLE_OUT) return;
    peer->incoming_lost = false;
    peer->problem[0] = peer->logged[0][0] = peer->logged[1][0] = '\0';
    peer->refusal = KZ__REFUSAL__NOT_REFUSED;
    kz_transport_update_up(transport, peer);
}
