/* SPDX-License-Identifier: Apache-2.0 */
/* Handshakes on worker threads: bytes that arrived go to the session in steps, each step one job for libuv's pool,
 * at most options.handshakes_max jobs at a time, the rest of the streams waiting. Those that have begun go first: in a
 * rush (everybody reconnects after a fail-over) some then finish early, where taking turns would make all of them
 * late together. A peer that is merely slow occupies no worker. The queue is bounded because the streams are
 * (KZ_NET_STREAMS_MAX). */
#include <string.h>

#include "node/base/assert.h"
#include "node/net/state.h"

static void submit(struct kz_stream *stream);

/* Worker thread. Touches the session, the input and the result, nothing else. */
static void run_step(uv_work_t *work)
{
    struct kz_stream *stream = work->data;
    kz_session_set_input(stream->session, stream->input.data, stream->input.size_bytes);
    stream->step_result = kz_session_handshake(stream->session);
}

static void open_stream(struct kz_stream *stream)
{
    struct kz_net *net = stream->net;
    net->stats.handshakes_done++;
    net->stats.handshaking--;
    stream->alpn = kz_session_alpn(stream->session);
    stream->heard_ms = stream->progress_ms = uv_now(net->loop);
    kz_stream_move_to(stream, KZ_STREAM_OPEN);
    if (stream->events->on_open) stream->events->on_open(stream->data, stream, kz_session_peer(stream->session));
    /* The peer may have sent data right behind its last handshake message. */
    kz_stream_process(stream, NULL, 0);
}

static void after_step(uv_work_t *work, int status)
{
    struct kz_stream *stream = work->data;
    struct kz_net *net = stream->net;
    kz_assert(status == 0); /* never cancelled */
    stream->stepping = false;
    stream->advanced = true;
    net->stepping--;
    stream->created_ms += uv_now(net->loop) - stream->submitted_ms;
    if (stream->state == KZ_STREAM_HANDSHAKING) {
        kz_buf_consume(&stream->input, stream->input.size_bytes - kz_session_input_left(stream->session));
        kz_buf_add(&stream->input, stream->arriving.data, stream->arriving.size_bytes);
        bool more = stream->arriving.size_bytes > 0;
        kz_buf_fini(&stream->arriving);
        if (stream->input.failed)
            kz_stream_end_with(stream, KZ_LAYER_TCP, KZ_NO_MEMORY, "no memory for a handshake");
        else if (stream->step_result == KZ_SESSION_FAILED)
            kz_stream_end_session(stream);
        else
            kz_stream_send_output(stream);
        if (stream->state == KZ_STREAM_HANDSHAKING && stream->step_result == KZ_SESSION_DONE)
            open_stream(stream);
        else if (stream->state == KZ_STREAM_HANDSHAKING && more)
            submit(stream);
        else if (stream->state == KZ_STREAM_HANDSHAKING && stream->ended)
            kz_stream_end_with(stream, KZ_LAYER_TCP, KZ_UNREACHABLE, "the other end closed during the handshake");
    }
    if (stream->state == KZ_STREAM_HANDSHAKING || stream->state == KZ_STREAM_OPEN) {
        int uv_code = stream->paused ? 0 : kz_stream_start_reading(stream); /* gives the end again, if it came */
        if (uv_code) kz_stream_end_uv(stream, "read", uv_code);
    }
    kz_handshake_run_waiting(net);
    kz_stream_drop_hold(stream);
}

static void start_step(struct kz_stream *stream)
{
    struct kz_net *net = stream->net;
    stream->stepping = true;
    stream->holds++;
    net->stepping++;
    stream->step.data = stream;
    int uv_code = uv_queue_work(net->loop, &stream->step, run_step, after_step);
    kz_assert(uv_code == 0); /* fails for a NULL function only */
}

static void submit(struct kz_stream *stream)
{
    struct kz_net *net = stream->net;
    if (stream->stepping || stream->waiting) return;
    stream->submitted_ms = uv_now(net->loop);
    if (net->stepping < net->options.handshakes_max) {
        start_step(stream);
        return;
    }
    stream->waiting = true;
    TAILQ_INSERT_TAIL(&net->waiting[stream->advanced], stream, in_waiting);
}

void kz_handshake_run_waiting(struct kz_net *net)
{
    while (net->stepping < net->options.handshakes_max) {
        struct kz_stream *stream = TAILQ_FIRST(&net->waiting[true]);
        if (!stream) stream = TAILQ_FIRST(&net->waiting[false]);
        if (!stream) return;
        TAILQ_REMOVE(&net->waiting[stream->advanced], stream, in_waiting);
        stream->waiting = false;
        start_step(stream);
    }
}

void kz_handshake_begin(struct kz_stream *stream)
{
    kz_stream_move_to(stream, KZ_STREAM_HANDSHAKING);
    stream->net->stats.handshaking++;
    int uv_code = kz_stream_start_reading(stream);
    if (uv_code) {
        kz_stream_end_uv(stream, "read", uv_code);
        return;
    }
    if (!stream->incoming) submit(stream); /* the accepting side waits for the other to speak */
}

void kz_handshake_input(struct kz_stream *stream, const uint8_t *bytes, size_t size_bytes)
{
    struct kz_buf *buffer = stream->stepping ? &stream->arriving : &stream->input;
    kz_buf_add(buffer, bytes, size_bytes);
    if (buffer->failed) {
        kz_stream_end_with(stream, KZ_LAYER_TCP, KZ_NO_MEMORY, "no memory for a handshake");
        return;
    }
    /* Steps take all there is, so what is here never needs more room to make progress; the rest can wait in the
     * kernel. */
    if (stream->input.size_bytes + stream->arriving.size_bytes >= KZ_NET_HANDSHAKE_MAX_BYTES)
        kz_stream_stop_reading(stream);
    submit(stream);
}
