/* SPDX-License-Identifier: Apache-2.0 */
/* The one port: accepts, bounds how many strangers may be shaking hands, and sorts who came through into people
 * (client ALPN) and nodes (peer ALPN), each class with its share of the connections. Knows no requests. Loop thread
 * only. */
#ifndef KZ_NET_LISTENER_H
#define KZ_NET_LISTENER_H

#include "node/base/err.h"
#include "node/net/stream.h"

#define KZ_LISTENER_BACKLOG 512
#define KZ_LISTENER_STRANGERS_MAX 256u /* accepted, not yet authenticated */

/* Zero means the default. */
struct kz_listener_options {
    unsigned connections_max; /* authenticated, all classes; KZ_CONNECTIONS_MAX */
    unsigned peers_reserved;  /* of these only nodes may use; KZ_CONNECTIONS_PEER_RESERVED */
    unsigned admins_reserved; /* of these only operators, approvers and nodes may use; ..._ADMIN_RESERVED */
    unsigned strangers_max;   /* past this the stranger that waited longest is dropped; KZ_LISTENER_STRANGERS_MAX */
};

/* The stream is open; take it with kz_stream_set_events before returning, or close it. `peer` is borrowed for the
 * call (kz_stream_peer gives it again). */
struct kz_listener_events {
    void (*on_client)(void *data, struct kz_stream *stream, const struct kz_identity *user);
    void (*on_peer)(void *data, struct kz_stream *stream, const struct kz_identity *node);
};

struct kz_listener; /* owned by the caller until closed */

/* `address` is "host:port", port 0 = any free one, host an IP address or a name of this machine. KZ_INVALID for the
 * address, KZ_IO when it cannot be bound (the text names it). `net` is borrowed until closed. */
enum kz_code kz_listener_open(struct kz_listener **out, struct kz_net *net, const char *address,
                              const struct kz_listener_options *options, const struct kz_listener_events *events,
                              void *data, struct kz_err *err) KZ_MUST_CHECK;

/* Stops accepting and drops strangers; streams handed over live on. `closed` may be NULL. */
void kz_listener_close(struct kz_listener *listener, void (*closed)(void *data), void *data);

unsigned kz_listener_port(const struct kz_listener *listener);

struct kz_listener_stats {
    unsigned strangers, clients, admins, peers; /* now; admins are not counted in clients */
    uint64_t accepted, accept_errors, over_limit;
};
void kz_listener_stats(const struct kz_listener *listener, struct kz_listener_stats *out);

#endif
