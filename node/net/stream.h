/* SPDX-License-Identifier: Apache-2.0 */
/* A mutually authenticated TLS byte stream over TCP. Handshakes run on worker threads, records on the loop; what is
 * written during one turn of the loop leaves in one go at its end. No framing (node/net/frame) and no idle timeout
 * (kz_stream_idle_ms helps the owner). Loop thread only.
 *
 * Life: connect, or on_client/on_peer of a listener -> on_open -> on_data ... -> on_close, exactly one, after which
 * the pointer is dead. on_close is the only callback when opening fails. No callback fires before the function that
 * was given it has returned, nor from inside kz_stream_write, _close or _abort. */
#ifndef KZ_NET_STREAM_H
#define KZ_NET_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/base/err.h"
#include "node/net/identity.h"
#include "node/net/net.h"

enum kz_alpn { KZ_ALPN_NONE_AGREED, KZ_ALPN_FOR_CLIENT, KZ_ALPN_FOR_PEER };

/* Which layer ended the stream. */
enum kz_layer {
    KZ_LAYER_NONE, /* we closed it, or the peer said goodbye properly */
    KZ_LAYER_TCP,  /* refused, reset, end without goodbye, timeout, not draining */
    KZ_LAYER_TLS,  /* no common version, garbage, a broken record, handshake deadline */
    KZ_LAYER_CERT, /* a certificate was refused, by us or by the peer */
};

struct kz_stream_end {
    enum kz_layer layer;
    enum kz_code
        code;       /* KZ_OK with KZ_LAYER_NONE; else KZ_UNREACHABLE, KZ_TIMED_OUT, KZ_TLS, KZ_WRONG_CLUSTER, KZ_BUSY */
    char text[256]; /* why; "" with KZ_LAYER_NONE */
};

struct kz_stream;

/* All borrow their pointers for the call only. on_close and on_data are required. */
struct kz_stream_events {
    void (*on_open)(void *data, struct kz_stream *stream, const struct kz_identity *peer);
    void (*on_data)(void *data, struct kz_stream *stream, const uint8_t *bytes, size_t size_bytes);
    void (*on_drain)(void *data, struct kz_stream *stream); /* everything written has left for the kernel */
    void (*on_close)(void *data, struct kz_stream *stream, const struct kz_stream_end *end);
};

/* `address` is "host:port" or "[v6]:port", `expected_node` the name the certificate at the other end must carry
 * (required: a name that was not set would silently not be checked). `events` must stay valid (static const). Errors
 * at once: KZ_INVALID for the address, KZ_BUSY for too many streams; all else through on_close. */
enum kz_code kz_stream_connect(struct kz_stream **out, struct kz_net *net, const char *address,
                               const char *expected_node, enum kz_alpn alpn, const struct kz_stream_events *events,
                               void *data, struct kz_err *err) KZ_MUST_CHECK;

/* Whether `address` is of that form; KZ_INVALID says what is wrong. Resolves nothing. */
enum kz_code kz_stream_check_address(const char *address, struct kz_err *err) KZ_MUST_CHECK;

/* Give the stream to another owner, whose callbacks fire from now on (on_open never again). A new owner must do
 * this inside on_client/on_peer of the listener. */
void kz_stream_set_events(struct kz_stream *stream, const struct kz_stream_events *events, void *data);

/* Queue bytes (copied); they leave at the end of this loop turn. KZ_BUSY: the write limit would be passed; then the
 * stream is being aborted (on_close comes with KZ_LAYER_TCP), because a peer that does not drain is dropped.
 * KZ_UNREACHABLE: not open (yet, or any more); nothing was queued. Neither needs handling beyond not counting on
 * delivery: on_close tells. */
enum kz_code kz_stream_write(struct kz_stream *stream, const void *bytes, size_t size_bytes);

/* The same without the copy: `*room` is to be filled with exactly `size_bytes` before anything else is called on the
 * stream. */
enum kz_code kz_stream_extend(struct kz_stream *stream, size_t size_bytes, uint8_t **room);

size_t kz_stream_pending_bytes(const struct kz_stream *stream); /* written, not yet taken by the kernel */
void kz_stream_set_write_limit(struct kz_stream *stream, size_t limit_bytes);

/* Back-pressure: while paused no on_data fires (nor on_close for the peer's end, until resumed) and the peer's bytes
 * stay in the kernel. */
void kz_stream_pause(struct kz_stream *stream);
void kz_stream_resume(struct kz_stream *stream);

/* Sends what is queued and a goodbye, then closes. No on_data fires any more; on_close comes with KZ_LAYER_NONE
 * within KZ_NET_CLOSE_TIMEOUT_MS of the queue draining. Repeating it, or after the end began, does nothing. */
void kz_stream_close(struct kz_stream *stream);
/* At once, without sending what is queued; on_close still comes, with this layer and text (copied). */
void kz_stream_abort(struct kz_stream *stream, enum kz_layer layer, enum kz_code code, const char *text);

const struct kz_identity *kz_stream_peer(const struct kz_stream *stream); /* NULL before on_open */
enum kz_alpn kz_stream_alpn(const struct kz_stream *stream);
const char *kz_stream_address(const struct kz_stream *stream); /* the other end's, for logs; borrowed */

/* Milliseconds since bytes last arrived, for the owner's idle timeout (KZ_IDLE_TIMEOUT_MS). */
uint64_t kz_stream_idle_ms(const struct kz_stream *stream);

#endif
