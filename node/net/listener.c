/* SPDX-License-Identifier: Apache-2.0 */
#include "node/net/listener.h"

#include <assert.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/base/log.h"
#include "node/net/address.h"
#include "node/net/state.h"
#include "proto/wire.h"

/* What strangers make us log: at most this many lines a second, the rest is counted. */
#define LOG_LINES_PER_S 10u

static_assert(KZ_CONNECTIONS_MAX + KZ_LISTENER_STRANGERS_MAX + 4 * KZ_NODES_MAX < KZ_NET_STREAMS_MAX,
              "a full listener leaves room to dial out");

enum class { CLASS_STRANGER, CLASS_CLIENT, CLASS_ADMIN, CLASS_PEER, CLASS_COUNT };

/* One accepted connection, until it ends; its owner may have changed long before. */
struct entry {
    struct kz_listener *listener;
    struct kz_stream *stream;
    enum class class;
    TAILQ_ENTRY(entry) in_strangers; /* oldest first; only while a stranger */
    TAILQ_ENTRY(entry) in_entries;
};
TAILQ_HEAD(entry_list, entry);

struct kz_listener {
    struct kz_net *net;
    uv_tcp_t tcp;
    unsigned port;
    struct kz_listener_options options;
    const struct kz_listener_events *events;
    void *data;
    struct entry_list strangers, entries;
    unsigned count[CLASS_COUNT];
    struct kz_listener_stats stats; /* the totals; counts are in `count` */
    bool closing, tcp_closed;
    void (*closed)(void *data);
    void *closed_data;
    uint64_t log_window_ms;
    unsigned log_lines, log_suppressed;
};

static bool may_log(struct kz_listener *listener)
{
    uint64_t now_ms = uv_now(listener->net->loop);
    if (now_ms - listener->log_window_ms >= 1000) {
        if (listener->log_suppressed) kz_log_warn("net.log_suppressed", "lines=%u", listener->log_suppressed);
        listener->log_window_ms = now_ms;
        listener->log_lines = listener->log_suppressed = 0;
    }
    if (listener->log_lines >= LOG_LINES_PER_S) {
        listener->log_suppressed++;
        return false;
    }
    listener->log_lines++;
    return true;
}

/* Streams handed over outlive the listener's own closing, and still count until they end. */
static void free_if_done(struct kz_listener *listener)
{
    if (!listener->closing || !listener->tcp_closed || !TAILQ_EMPTY(&listener->strangers)) return;
    if (listener->closed) {
        void (*closed)(void *) = listener->closed;
        listener->closed = NULL;
        closed(listener->closed_data);
    }
    if (TAILQ_EMPTY(&listener->entries)) free(listener);
}

static void on_stream_end(void *data, struct kz_stream *stream)
{
    struct entry *entry = data;
    struct kz_listener *listener = entry->listener;
    (void)stream; /* the entry knows it */
    listener->count[entry->class]--;
    if (entry->class == CLASS_STRANGER) TAILQ_REMOVE(&listener->strangers, entry, in_strangers);
    TAILQ_REMOVE(&listener->entries, entry, in_entries);
    free(entry);
    free_if_done(listener);
}

static enum class classify(const struct kz_identity *identity) {
    if (identity->kind == KZ_IDENTITY_NODE) return CLASS_PEER;
    if (identity->role == KZ_ROLE_OPERATOR || identity->role == KZ_ROLE_APPROVER) return CLASS_ADMIN;
    return CLASS_CLIENT;
}

static bool has_room(const struct kz_listener *listener, enum class class)
{
    unsigned clients = listener->count[CLASS_CLIENT], admins = listener->count[CLASS_ADMIN];
    unsigned total = clients + admins + listener->count[CLASS_PEER];
    const struct kz_listener_options *options = &listener->options;
    if (total >= options->connections_max) return false;
    if (class == CLASS_PEER) return true;
    if (clients + admins >= options->connections_max - options->peers_reserved) return false;
    return class == CLASS_ADMIN ||
           clients < options->connections_max - options->peers_reserved - options->admins_reserved;
}

static void on_stream_open(void *data, struct kz_stream *stream, const struct kz_identity *identity);

static void on_stranger_data(void *data, struct kz_stream *stream, const uint8_t *bytes, size_t size_bytes)
{
    (void)data; /* a stream that nobody took is being closed */
    (void)stream;
    (void)bytes;
    (void)size_bytes;
}

static void on_stranger_close(void *data, struct kz_stream *stream, const struct kz_stream_end *end)
{
    struct kz_listener *listener = data; /* strangers keep it alive */
    /* A port check or a peer that died says nothing about anybody's certificates. */
    if (end->layer == KZ_LAYER_NONE || end->layer == KZ_LAYER_TCP || listener->closing || !may_log(listener)) return;
    kz_log_warn("net.refused", "from=%s error=\"%s\"", kz_stream_address(stream), end->text);
}

static const struct kz_stream_events stranger_events = {
    .on_open = on_stream_open, .on_data = on_stranger_data, .on_close = on_stranger_close};

static void on_stream_open(void *data, struct kz_stream *stream, const struct kz_identity *identity)
{
    struct kz_listener *listener = data;
    struct entry *entry = stream->on_end_data;
    enum class class = classify(identity);
    if (listener->closing) return; /* being aborted */
    if (!has_room(listener, class)) {
        listener->stats.over_limit++;
        if (may_log(listener))
            kz_log_warn("net.full", "from=%s name=%s role=%s text=\"too many connections\"", kz_stream_address(stream),
                        identity->name, kz_role_text(identity->role));
        kz_stream_close(stream);
        return;
    }
    TAILQ_REMOVE(&listener->strangers, entry, in_strangers);
    listener->count[CLASS_STRANGER]--;
    listener->count[class]++;
    entry->class = class;
    if (class == CLASS_PEER)
        listener->events->on_peer(listener->data, stream, identity);
    else
        listener->events->on_client(listener->data, stream, identity);
    kz_assert(stream->events != &stranger_events || stream->state >= KZ_STREAM_FINISHING); /* taken or closed */
}

/* A flood of strangers must not keep everyone else out until its deadline: the one that had the longest time to
 * finish goes. */
static void make_room(struct kz_listener *listener)
{
    if (listener->count[CLASS_STRANGER] < listener->options.strangers_max) return;
    struct entry *oldest = TAILQ_FIRST(&listener->strangers);
    while (oldest && oldest->stream->state == KZ_STREAM_CLOSING)
        oldest = TAILQ_NEXT(oldest, in_strangers);
    listener->stats.over_limit++;
    if (oldest) kz_stream_abort(oldest->stream, KZ_LAYER_TCP, KZ_BUSY, "too many connections shaking hands");
}

static void on_connection(uv_stream_t *server, int status)
{
    struct kz_listener *listener = server->data;
    struct kz_err err = {0};
    struct kz_stream *stream = NULL;
    if (status < 0) {
        /* Not for want of descriptors: then libuv closes the waiting connections with a spare one of its own
         * (uv__emfile_trick) and does not call us. */
        listener->stats.accept_errors++;
        if (may_log(listener)) kz_log_error("net.accept", "error=\"%s\"", uv_strerror(status));
        return;
    }
    make_room(listener);
    struct entry *entry = calloc(1, sizeof *entry);
    enum kz_code code = entry ? kz_stream_accept(&stream, listener->net, server, &stranger_events, listener, &err)
                              : kz_fail(&err, KZ_NO_MEMORY, "no memory for a connection");
    if (code) {
        free(entry);
        listener->stats.accept_errors++;
        if (may_log(listener)) kz_log_error("net.accept", "error=\"%s\"", err.text);
        /* libuv stops listening until the connection is accepted: take it and let it go. */
        kz_stream_reject(listener->net, server);
        return;
    }
    entry->listener = listener;
    entry->stream = stream;
    entry->class = CLASS_STRANGER;
    stream->on_end = on_stream_end;
    stream->on_end_data = entry;
    TAILQ_INSERT_TAIL(&listener->strangers, entry, in_strangers);
    TAILQ_INSERT_TAIL(&listener->entries, entry, in_entries);
    listener->count[CLASS_STRANGER]++;
    listener->stats.accepted++;
}

static enum kz_code resolve_local(const char *address, struct sockaddr_storage *out, struct kz_err *err)
{
    char host[KZ_ADDRESS_HOST_BYTES];
    uint16_t port;
    enum kz_code code = kz_address_split(address, host, &port, err);
    if (code) return code;
    if (uv_ip4_addr(host, port, (struct sockaddr_in *)out) == 0) return KZ_OK;
    if (uv_ip6_addr(host, port, (struct sockaddr_in6 *)out) == 0) return KZ_OK;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found = NULL;
    int failed = getaddrinfo(host, NULL, &hints, &found);
    if (failed) return kz_fail(err, KZ_INVALID, "address '%s': %s", address, gai_strerror(failed));
    memcpy(out, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    if (out->ss_family == AF_INET6)
        ((struct sockaddr_in6 *)out)->sin6_port = htons(port);
    else
        ((struct sockaddr_in *)out)->sin_port = htons(port);
    return KZ_OK;
}

static void on_failed_open_closed(uv_handle_t *handle) { free(handle->data); }

static void apply_defaults(struct kz_listener_options *options)
{
    if (!options->connections_max) options->connections_max = KZ_CONNECTIONS_MAX;
    if (!options->peers_reserved) options->peers_reserved = KZ_CONNECTIONS_PEER_RESERVED;
    if (!options->admins_reserved) options->admins_reserved = KZ_CONNECTIONS_ADMIN_RESERVED;
    if (!options->strangers_max) options->strangers_max = KZ_LISTENER_STRANGERS_MAX;
    kz_assert(options->peers_reserved + options->admins_reserved < options->connections_max);
}

enum kz_code kz_listener_open(struct kz_listener **out, struct kz_net *net, const char *address,
                              const struct kz_listener_options *options, const struct kz_listener_events *events,
                              void *data, struct kz_err *err)
{
    struct sockaddr_storage local;
    memset(&local, 0, sizeof local);
    enum kz_code code = resolve_local(address, &local, err);
    if (code) return code;
    struct kz_listener *listener = calloc(1, sizeof *listener);
    if (!listener) return kz_fail(err, KZ_NO_MEMORY, "no memory for the listener");
    listener->net = net;
    listener->events = events;
    listener->data = data;
    if (options) listener->options = *options;
    apply_defaults(&listener->options);
    TAILQ_INIT(&listener->strangers);
    TAILQ_INIT(&listener->entries);
    int uv_code = uv_tcp_init(net->loop, &listener->tcp);
    kz_assert(uv_code == 0);
    listener->tcp.data = listener;
    uv_code = uv_tcp_bind(&listener->tcp, (struct sockaddr *)&local, 0);
    if (!uv_code) uv_code = uv_listen((uv_stream_t *)&listener->tcp, KZ_LISTENER_BACKLOG, on_connection);
    int local_bytes = sizeof local;
    if (!uv_code) uv_code = uv_tcp_getsockname(&listener->tcp, (struct sockaddr *)&local, &local_bytes);
    if (uv_code) {
        uv_close((uv_handle_t *)&listener->tcp, on_failed_open_closed);
        return kz_fail(err, KZ_IO, "listen on %s: %s", address, uv_strerror(uv_code));
    }
    listener->port = ntohs(local.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&local)->sin6_port
                                                       : ((struct sockaddr_in *)&local)->sin_port);
    *out = listener;
    return KZ_OK;
}

static void on_listener_closed(uv_handle_t *handle)
{
    struct kz_listener *listener = handle->data;
    listener->tcp_closed = true;
    free_if_done(listener);
}

void kz_listener_close(struct kz_listener *listener, void (*closed)(void *data), void *data)
{
    kz_assert(!listener->closing);
    listener->closing = true;
    listener->closed = closed;
    listener->closed_data = data;
    struct entry *entry;
    TAILQ_FOREACH(entry, &listener->strangers, in_strangers)
    kz_stream_abort(entry->stream, KZ_LAYER_NONE, KZ_OK, "");
    uv_close((uv_handle_t *)&listener->tcp, on_listener_closed);
}

unsigned kz_listener_port(const struct kz_listener *listener) { return listener->port; }

void kz_listener_stats(const struct kz_listener *listener, struct kz_listener_stats *out)
{
    *out = listener->stats;
    out->strangers = listener->count[CLASS_STRANGER];
    out->clients = listener->count[CLASS_CLIENT];
    out->admins = listener->count[CLASS_ADMIN];
    out->peers = listener->count[CLASS_PEER];
}
