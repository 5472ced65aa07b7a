/* SPDX-License-Identifier: Apache-2.0 */
#include "node/net/stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/net/address.h"
#include "node/net/state.h"

static void on_tcp_closed(uv_handle_t *handle) { kz_stream_drop_hold(handle->data); }

void kz_stream_move_to(struct kz_stream *stream, enum kz_stream_state state)
{
    /* [from] = bit set of to */
    static const unsigned legal[] = {
        [KZ_STREAM_RESOLVING] = 1u << KZ_STREAM_CONNECTING | 1u << KZ_STREAM_CLOSING,
        [KZ_STREAM_CONNECTING] = 1u << KZ_STREAM_HANDSHAKING | 1u << KZ_STREAM_CLOSING,
        [KZ_STREAM_HANDSHAKING] = 1u << KZ_STREAM_OPEN | 1u << KZ_STREAM_FINISHING | 1u << KZ_STREAM_CLOSING,
        [KZ_STREAM_OPEN] = 1u << KZ_STREAM_FINISHING | 1u << KZ_STREAM_CLOSING,
        [KZ_STREAM_FINISHING] = 1u << KZ_STREAM_CLOSING,
        [KZ_STREAM_CLOSING] = 0,
    };
    kz_assert(legal[stream->state] & 1u << state);
    if (stream->state == KZ_STREAM_HANDSHAKING && state != KZ_STREAM_OPEN) {
        stream->net->stats.handshaking--;
        stream->net->stats.handshakes_failed++;
    }
    stream->state = state;
    if (stream->waiting && state >= KZ_STREAM_FINISHING) {
        TAILQ_REMOVE(&stream->net->waiting[stream->advanced], stream, in_waiting);
        stream->waiting = false;
    }
    if (state != KZ_STREAM_CLOSING) return;
    if (stream->resolve.data) uv_cancel((uv_req_t *)&stream->resolve); /* its callback comes either way */
    uv_close((uv_handle_t *)&stream->tcp, on_tcp_closed);
}

void kz_stream_drop_hold(struct kz_stream *stream)
{
    kz_assert(stream->holds > 0);
    if (--stream->holds > 0) return;
    kz_assert(stream->state == KZ_STREAM_CLOSING);
    struct kz_net *net = stream->net;
    if (stream->dirty) TAILQ_REMOVE(&net->dirty, stream, in_dirty);
    TAILQ_REMOVE(&net->streams, stream, in_streams);
    net->stats.streams--;
    stream->events->on_close(stream->data, stream, &stream->end);
    if (stream->on_end) stream->on_end(stream->on_end_data, stream);
    kz_session_free(stream->session);
    kz_buf_fini(&stream->input);
    kz_buf_fini(&stream->arriving);
    kz_buf_fini(&stream->plain);
    kz_buf_fini(&stream->in_flight);
    free(stream);
    kz_net_forget(net);
}

static void set_end(struct kz_stream *stream, const struct kz_stream_end *end)
{
    if (stream->state < KZ_STREAM_FINISHING) stream->end = *end;
}

void kz_stream_end_with(struct kz_stream *stream, enum kz_layer layer, enum kz_code code, const char *text)
{
    if (stream->state == KZ_STREAM_CLOSING) return;
    struct kz_stream_end end = {.layer = layer, .code = code};
    snprintf(end.text, sizeof end.text, "%s", text);
    set_end(stream, &end);
    kz_stream_move_to(stream, KZ_STREAM_CLOSING);
}

void kz_stream_abort(struct kz_stream *stream, enum kz_layer layer, enum kz_code code, const char *text)
{
    kz_stream_end_with(stream, layer, code, text);
}

void kz_stream_end_uv(struct kz_stream *stream, const char *what, int uv_code)
{
    char text[160];
    snprintf(text, sizeof text, "%s: %s", what, uv_strerror(uv_code));
    kz_stream_end_with(stream, KZ_LAYER_TCP, uv_code == UV_ETIMEDOUT ? KZ_TIMED_OUT : KZ_UNREACHABLE, text);
}

void kz_stream_end_session(struct kz_stream *stream)
{
    if (stream->state >= KZ_STREAM_FINISHING) {
        if (stream->state == KZ_STREAM_FINISHING) kz_stream_move_to(stream, KZ_STREAM_CLOSING);
        return;
    }
    set_end(stream, kz_session_failure(stream->session));
    /* What was written stays unsent, but the alert tells the other end why. */
    kz_buf_clear(&stream->plain);
    stream->plain_head = 0;
    stream->goodbye = true;
    kz_stream_move_to(stream, KZ_STREAM_FINISHING);
    kz_stream_send_output(stream);
    if (stream->state == KZ_STREAM_FINISHING) kz_stream_mark_dirty(stream);
}

void kz_stream_close(struct kz_stream *stream)
{
    if (stream->state >= KZ_STREAM_FINISHING) return;
    if (stream->state != KZ_STREAM_OPEN) {
        kz_stream_end_with(stream, KZ_LAYER_NONE, KZ_OK, "");
        return;
    }
    stream->end = (struct kz_stream_end){.layer = KZ_LAYER_NONE, .code = KZ_OK};
    kz_stream_move_to(stream, KZ_STREAM_FINISHING);
    kz_stream_mark_dirty(stream);
}

/* The kernel's own watch over a silent network: unacknowledged data and idle connections. */
static void set_socket_options(struct kz_stream *stream)
{
    int fd, value;
    if (uv_fileno((uv_handle_t *)&stream->tcp, &fd) != 0) return;
    /* Failures here cost speed or quickness of detection, not correctness. */
    (void)uv_tcp_nodelay(&stream->tcp, 1);
    (void)uv_tcp_keepalive(&stream->tcp, 1, KZ_STREAM_KEEPALIVE_S);
    value = stream->incoming ? KZ_STREAM_USER_TIMEOUT_MS : KZ_STREAM_DIALLED_USER_TIMEOUT_MS;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &value, sizeof value);
    value = 3;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &value, sizeof value);
    value = 5;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &value, sizeof value);
}

static struct kz_stream *new_stream(struct kz_net *net, const struct kz_stream_events *events, void *data,
                                    struct kz_err *err)
{
    kz_assert(events->on_data && events->on_close && !net->closing);
    if (net->stats.streams >= KZ_NET_STREAMS_MAX) {
        kz_fail(err, KZ_BUSY, "already %u connections", KZ_NET_STREAMS_MAX);
        return NULL;
    }
    struct kz_stream *stream = calloc(1, sizeof *stream);
    if (!stream) {
        kz_fail(err, KZ_NO_MEMORY, "no memory for a connection");
        return NULL;
    }
    stream->net = net;
    stream->events = events;
    stream->data = data;
    stream->write_limit_bytes = KZ_NET_WRITE_LIMIT_BYTES;
    stream->created_ms = stream->heard_ms = stream->progress_ms = uv_now(net->loop);
    return stream;
}

static void enlist(struct kz_stream *stream)
{
    int uv_code = uv_tcp_init(stream->net->loop, &stream->tcp);
    kz_assert(uv_code == 0); /* makes no socket yet, cannot fail */
    stream->tcp.data = stream;
    stream->holds = 1;
    stream->net->stats.streams++;
    TAILQ_INSERT_TAIL(&stream->net->streams, stream, in_streams);
}

static void on_connected(uv_connect_t *request, int status)
{
    struct kz_stream *stream = request->data;
    if (stream->state == KZ_STREAM_CLOSING) return;
    if (status < 0) {
        kz_stream_end_uv(stream, "connect", status);
        return;
    }
    set_socket_options(stream);
    kz_handshake_begin(stream);
}

static void connect_to(struct kz_stream *stream, const struct sockaddr *address)
{
    kz_stream_move_to(stream, KZ_STREAM_CONNECTING);
    stream->progress_ms = uv_now(stream->net->loop);
    stream->connect.data = stream;
    int uv_code = uv_tcp_connect(&stream->connect, &stream->tcp, address, on_connected);
    if (uv_code) kz_stream_end_uv(stream, "connect", uv_code);
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
    struct kz_stream *stream = request->data;
    stream->resolve.data = NULL;
    if (stream->state == KZ_STREAM_RESOLVING && status < 0) {
        kz_stream_end_uv(stream, "resolve", status);
    } else if (stream->state == KZ_STREAM_RESOLVING) {
        /* One address per attempt: the caller tries again. v4 first, because nodes listen on what they are told,
         * which for names is mostly v4. */
        struct addrinfo *chosen = found;
        while (chosen && chosen->ai_family != AF_INET)
            chosen = chosen->ai_next;
        connect_to(stream, (chosen ? chosen : found)->ai_addr);
    }
    uv_freeaddrinfo(found);
    kz_stream_drop_hold(stream);
}

enum kz_code kz_stream_connect(struct kz_stream **out, struct kz_net *net, const char *address,
                               const char *expected_node, enum kz_alpn alpn, const struct kz_stream_events *events,
                               void *data, struct kz_err *err)
{
    char host[KZ_ADDRESS_HOST_BYTES], service[8];
    uint16_t port;
    kz_assert(expected_node && expected_node[0] && alpn != KZ_ALPN_NONE_AGREED);
    enum kz_code code = kz_address_split(address, host, &port, err);
    if (code) return code;
    struct kz_stream *stream = new_stream(net, events, data, err);
    if (!stream) return err ? err->code : KZ_NO_MEMORY;
    stream->session = kz_session_new(net->tls, false, alpn, expected_node);
    if (!stream->session) {
        free(stream);
        return kz_fail(err, KZ_NO_MEMORY, "no memory for a connection");
    }
    enlist(stream);
    snprintf(stream->address, sizeof stream->address, "%s", address);
    snprintf(service, sizeof service, "%u", port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct sockaddr_storage numeric;
    if (uv_ip4_addr(host, port, (struct sockaddr_in *)&numeric) == 0 ||
        uv_ip6_addr(host, port, (struct sockaddr_in6 *)&numeric) == 0) {
        connect_to(stream, (const struct sockaddr *)&numeric);
    } else {
        int uv_code = uv_getaddrinfo(net->loop, &stream->resolve, on_resolved, host, service, &hints);
        if (uv_code) {
            kz_stream_end_uv(stream, "resolve", uv_code);
        } else {
            stream->resolve.data = stream;
            stream->holds++;
        }
    }
    *out = stream;
    return KZ_OK;
}

enum kz_code kz_stream_check_address(const char *address, struct kz_err *err)
{
    char host[KZ_ADDRESS_HOST_BYTES];
    uint16_t port;
    return kz_address_split(address, host, &port, err);
}

enum kz_code kz_stream_accept(struct kz_stream **out, struct kz_net *net, uv_stream_t *server,
                              const struct kz_stream_events *events, void *data, struct kz_err *err)
{
    struct kz_stream *stream = new_stream(net, events, data, err);
    if (!stream) return err ? err->code : KZ_NO_MEMORY;
    stream->session = kz_session_new(net->tls, true, KZ_ALPN_NONE_AGREED, NULL);
    if (!stream->session) {
        free(stream);
        return kz_fail(err, KZ_NO_MEMORY, "no memory for a connection");
    }
    stream->incoming = true;
    enlist(stream);
    *out = stream;
    int uv_code = uv_accept(server, (uv_stream_t *)&stream->tcp);
    if (uv_code) {
        kz_stream_end_uv(stream, "accept", uv_code);
        return KZ_OK;
    }
    struct sockaddr_storage from;
    int from_bytes = sizeof from;
    if (uv_tcp_getpeername(&stream->tcp, (struct sockaddr *)&from, &from_bytes) == 0)
        kz_address_text((const struct sockaddr *)&from, stream->address, sizeof stream->address);
    set_socket_options(stream);
    kz_stream_move_to(stream, KZ_STREAM_CONNECTING);
    kz_handshake_begin(stream);
    return KZ_OK;
}

static void on_rejected(uv_handle_t *handle) { free(handle); }

void kz_stream_reject(struct kz_net *net, uv_stream_t *server)
{
    uv_tcp_t *tcp = kz_must_alloc(1, sizeof *tcp);
    kz_assert(uv_tcp_init(net->loop, tcp) == 0);
    (void)uv_accept(server, (uv_stream_t *)tcp); /* whether or not it comes, it is closed */
    uv_close((uv_handle_t *)tcp, on_rejected);
}

static void shrink(struct kz_buf *buf)
{
    if (buf->size_bytes == 0 && buf->capacity_bytes > KZ_STREAM_KEEP_BYTES) kz_buf_fini(buf);
}

static void tick_open(struct kz_stream *stream, uint64_t now_ms)
{
    char text[128];
    size_t pending = kz_stream_pending_bytes(stream);
    if (stream->writing) {
        size_t queued = uv_stream_get_write_queue_size((const uv_stream_t *)&stream->tcp);
        if (queued != stream->queue_seen_bytes) stream->progress_ms = now_ms;
        stream->queue_seen_bytes = queued;
    }
    if (pending > 0 && now_ms - stream->progress_ms > stream->net->options.stall_timeout_ms) {
        snprintf(text, sizeof text, "the other end took nothing for %u ms, %zu bytes waiting",
                 stream->net->options.stall_timeout_ms, pending);
        kz_stream_end_with(stream, KZ_LAYER_TCP, KZ_TIMED_OUT, text);
        return;
    }
    if (stream->state == KZ_STREAM_FINISHING) {
        if (stream->shut && now_ms - stream->finishing_ms > KZ_NET_CLOSE_TIMEOUT_MS)
            kz_stream_move_to(stream, KZ_STREAM_CLOSING);
        return;
    }
    if (kz_session_revoked(stream->session)) {
        kz_stream_end_with(stream, KZ_LAYER_CERT, KZ_TLS, "the other end's certificate has been revoked");
        return;
    }
    if (pending == 0 && !stream->writing) {
        shrink(&stream->plain);
        shrink(&stream->in_flight);
        shrink(&stream->input);
        shrink(kz_session_output(stream->session));
    }
}

void kz_stream_tick(struct kz_stream *stream, uint64_t now_ms)
{
    char text[128];
    unsigned deadline_ms = stream->net->options.handshake_timeout_ms;
    switch (stream->state) {
    case KZ_STREAM_CONNECTING:
        if (now_ms - stream->progress_ms > KZ_STREAM_CONNECT_TIMEOUT_MS) deadline_ms = KZ_STREAM_CONNECT_TIMEOUT_MS;
        __attribute__((fallthrough));
    case KZ_STREAM_RESOLVING:
        if (now_ms - stream->created_ms <= deadline_ms) return;
        snprintf(text, sizeof text, "not connected within %u ms", deadline_ms);
        kz_stream_end_with(stream, KZ_LAYER_TCP, KZ_TIMED_OUT, text);
        return;
    case KZ_STREAM_HANDSHAKING:
        if (stream->stepping || stream->waiting) return; /* the time we take is not held against the peer */
        if (now_ms - stream->created_ms <= deadline_ms) return;
        snprintf(text, sizeof text, "TLS handshake not finished within %u ms", deadline_ms);
        kz_stream_end_with(stream, KZ_LAYER_TLS, KZ_TIMED_OUT, text);
        return;
    case KZ_STREAM_OPEN:
    case KZ_STREAM_FINISHING:
        tick_open(stream, now_ms);
        return;
    case KZ_STREAM_CLOSING:
        return;
    }
}

void kz_stream_set_events(struct kz_stream *stream, const struct kz_stream_events *events, void *data)
{
    kz_assert(events->on_data && events->on_close);
    stream->events = events;
    stream->data = data;
}

void kz_stream_set_write_limit(struct kz_stream *stream, size_t limit_bytes)
{
    stream->write_limit_bytes = limit_bytes;
}

const struct kz_identity *kz_stream_peer(const struct kz_stream *stream)
{
    if (stream->alpn == KZ_ALPN_NONE_AGREED || stream->stepping || stream->state < KZ_STREAM_OPEN) return NULL;
    return kz_session_peer(stream->session);
}
enum kz_alpn kz_stream_alpn(const struct kz_stream *stream) { return stream->alpn; }
const char *kz_stream_address(const struct kz_stream *stream) { return stream->address; }
uint64_t kz_stream_idle_ms(const struct kz_stream *stream) { return uv_now(stream->net->loop) - stream->heard_ms; }
