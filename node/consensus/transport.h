/* SPDX-License-Identifier: Apache-2.0 */
/* Messages between the nodes of one cluster. Connects out to every peer (and again, with back-off), takes the
 * peers' connections from the listener, and lets nothing through before both sides have said who they are. Never
 * queues without bound: raft repeats what is lost. Knows no raft. Loop thread only.
 *
 * Each pair of nodes has two connections, one dialled by each side; a message travels on the one its sender dialled.
 * Snapshot chunks use a further one, dialled when first needed, so that heartbeats never wait behind them. The first
 * frame in each direction is kz.Hello; then frames flow from the dialling side only. */
#ifndef KZ_CONSENSUS_TRANSPORT_H
#define KZ_CONSENSUS_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/base/err.h"
#include "node/net/stream.h"
#include "proto/peer.pb-c.h"
#include "proto/wire.h"

#define KZ_TRANSPORT_INCARNATION_BYTES 16
#define KZ_TRANSPORT_BACKOFF_MIN_MS 100u
#define KZ_TRANSPORT_BACKOFF_MAX_MS 2000u
#define KZ_TRANSPORT_HELLO_TIMEOUT_MS 5000u
#define KZ_TRANSPORT_PENDING_MAX_BYTES (8u << 20)      /* per peer, messages; past it KZ_BUSY */
#define KZ_TRANSPORT_BULK_PENDING_MAX_BYTES (512u << 10) /* per peer, snapshot chunks */
#define KZ_TRANSPORT_WHY_BYTES 200
#define KZ_TRANSPORT_NEVER_MS UINT64_MAX

/* What we say in our Hello. Texts and bytes are copied. */
struct kz_transport_self {
    const char *cluster;
    uint64_t epoch;
    uint64_t node_id;
    const char *name;    /* as in our certificate */
    const char *address; /* host:port at which those who do not know us can dial us back; NULL = not told */
    uint8_t incarnation[KZ_TRANSPORT_INCARNATION_BYTES];
};

struct kz_transport_events {
    /* A node's Hello; cluster, epoch, certificate and, of a known peer, node id <-> name already agree. Anything but
     * NOT_REFUSED refuses, with `why` (KZ_TRANSPORT_WHY_BYTES, shown at the other end): this is where the incarnation
     * is compared. Asked for incoming and outgoing connections alike. One that is no peer yet and is not refused
     * becomes a guest: it is dialled back at the address in its Hello, and forgotten when its connection ends. */
    Kz__Refusal (*check_hello)(void *data, const Kz__Hello *hello, char *why);
    /* Whatever a node of this cluster (by its certificate) says of epochs, before it is refused for that or not. May be
     * NULL, like the next one: what we add to our own Hello (borrowed until the next loop turn). */
    void (*epoch_heard)(void *data, const Kz__Hello *hello);
    void (*fill_hello)(void *data, Kz__Hello *hello);
    void (*message)(void *data, uint64_t peer_id, const Kz__PeerMessage *message); /* borrowed for the call */
    void (*peer_up)(void *data, uint64_t peer_id);
    /* At once when a connection with that peer, ours or its, ends: a killed process is known within a round trip.
     * Once per peer_up. Not from inside a call on the transport. */
    void (*peer_down)(void *data, uint64_t peer_id);
};

struct kz_transport; /* owned by the caller until closed */

/* `net` is borrowed until closed; `events` must stay valid. The other events are required. */
enum kz_code kz_transport_open(struct kz_transport **out, struct kz_net *net, const struct kz_transport_self *self,
                               const struct kz_transport_events *events, void *data, struct kz_err *err) KZ_MUST_CHECK;
void kz_transport_close(struct kz_transport *transport, void (*closed)(void *data), void *data);

/* After a change of epoch: all connections are made anew. */
void kz_transport_set_epoch(struct kz_transport *transport, uint64_t epoch);

/* Add a peer, or change its name or address (then its connections are made anew). KZ_INVALID for our own id, 0, a
 * bad name or address, or a name another peer has; KZ_TOO_BIG past KZ_NODES_MAX. */
enum kz_code kz_transport_set_peer(struct kz_transport *transport, uint64_t peer_id, const char *name,
                                   const char *address, struct kz_err *err) KZ_MUST_CHECK;
void kz_transport_remove_peer(struct kz_transport *transport, uint64_t peer_id); /* unknown is legal; no peer_down */

/* Take over a stream from a listener's on_peer, from inside that callback. */
void kz_transport_accept(struct kz_transport *transport, struct kz_stream *stream, const struct kz_identity *identity);

/* Encoded at once, nothing is kept of `message`. KZ_UNREACHABLE: no connection (now); KZ_BUSY: the peer does not keep
 * up; KZ_TOO_BIG: no frame holds it; KZ_NOT_FOUND: no such peer. On any of these nothing was sent; KZ_OK promises
 * no delivery. */
enum kz_code kz_transport_send(struct kz_transport *transport, uint64_t peer_id, const Kz__PeerMessage *message);
/* The same for snapshot chunks. The first call dials and returns KZ_UNREACHABLE: try again later, as after KZ_BUSY. */
enum kz_code kz_transport_send_bulk(struct kz_transport *transport, uint64_t peer_id, const Kz__PeerMessage *message);
size_t kz_transport_bulk_pending_bytes(const struct kz_transport *transport, uint64_t peer_id);

bool kz_transport_connected(const struct kz_transport *transport, uint64_t peer_id); /* can we send to it */
/* Since a message or Hello of this peer last arrived; KZ_TRANSPORT_NEVER_MS if none did. */
uint64_t kz_transport_heard_ms(const struct kz_transport *transport, uint64_t peer_id);
/* Why the peer is not connected, in words for `status`; "" when it is. Borrowed until the next loop turn. */
const char *kz_transport_problem(const struct kz_transport *transport, uint64_t peer_id);
/* Which refusal the problem is; NOT_REFUSED when it is none. *by_it: it refuses us; else we refuse it. */
Kz__Refusal kz_transport_refusal(const struct kz_transport *transport, uint64_t peer_id, bool *by_it);

#endif
