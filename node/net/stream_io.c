/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of an open stream. Down: the owner's plaintext gathers in `plain` for the rest of the loop turn, is then
 * encrypted into the session's output and offered to the kernel; what the kernel does not take is one uv_write,
 * and until that completes nothing more is encrypted. Up: ciphertext is decrypted where libuv read it. */
#include <string.h>

#include "node/base/assert.h"
#include "node/net/state.h"

static size_t plain_left(const struct kz_stream *stream) { return stream->plain.size_bytes - stream->plain_head; }

size_t kz_stream_pending_bytes(const struct kz_stream *stream)
{
    size_t pending = plain_left(stream);
    if (stream->session && !stream->stepping) pending += kz_session_output(stream->session)->size_bytes;
    if (stream->writing) pending += uv_stream_get_write_queue_size((const uv_stream_t *)&stream->tcp);
    return pending;
}

void kz_stream_mark_dirty(struct kz_stream *stream)
{
    if (stream->dirty) return;
    stream->dirty = true;
    if (TAILQ_EMPTY(&stream->net->dirty)) kz_net_wake(stream->net);
    TAILQ_INSERT_TAIL(&stream->net->dirty, stream, in_dirty);
}

enum kz_code kz_stream_extend(struct kz_stream *stream, size_t size_bytes, uint8_t **room)
{
    if (stream->state != KZ_STREAM_OPEN) return KZ_UNREACHABLE;
    size_t pending = kz_stream_pending_bytes(stream);
    if (size_bytes > stream->write_limit_bytes || pending > stream->write_limit_bytes - size_bytes) {
        kz_stream_abort(stream, KZ_LAYER_TCP, KZ_BUSY, "the other end does not take what is sent: dropped");
        return KZ_BUSY;
    }
    if (pending == 0) stream->progress_ms = uv_now(stream->net->loop);
    if (stream->plain_head > 0 && plain_left(stream) <= stream->plain_head) {
        kz_buf_consume(&stream->plain, stream->plain_head);
        stream->plain_head = 0;
    }
    *room = kz_buf_extend(&stream->plain, size_bytes);
    if (!*room && size_bytes > 0) {
        kz_stream_abort(stream, KZ_LAYER_TCP, KZ_NO_MEMORY, "no memory for what is to be sent");
        return KZ_BUSY;
    }
    stream->drain_due = true;
    kz_stream_mark_dirty(stream);
    return KZ_OK;
}

enum kz_code kz_stream_write(struct kz_stream *stream, const void *bytes, size_t size_bytes)
{
    uint8_t *room;
    if (size_bytes == 0) return stream->state == KZ_STREAM_OPEN ? KZ_OK : KZ_UNREACHABLE;
    enum kz_code code = kz_stream_extend(stream, size_bytes, &room);
    if (code == KZ_OK) memcpy(room, bytes, size_bytes);
    return code;
}

static void on_written(uv_write_t *request, int status)
{
    struct kz_stream *stream = request->data;
    stream->writing = false;
    if (stream->state == KZ_STREAM_CLOSING) return;
    if (status < 0) {
        kz_stream_end_uv(stream, "write", status);
        return;
    }
    stream->progress_ms = uv_now(stream->net->loop);
    kz_buf_clear(&stream->in_flight);
    kz_stream_send_output(stream);
    kz_stream_flush(stream);
}

void kz_stream_send_output(struct kz_stream *stream)
{
    struct kz_buf *out = kz_session_output(stream->session);
    if (stream->writing || out->size_bytes == 0 || stream->state == KZ_STREAM_CLOSING) return;
    uv_buf_t piece = uv_buf_init((char *)out->data, (unsigned)out->size_bytes);
    int sent = uv_try_write((uv_stream_t *)&stream->tcp, &piece, 1);
    if (sent < 0 && sent != UV_EAGAIN) {
        kz_stream_end_uv(stream, "write", sent);
        return;
    }
    stream->net->stats.bytes_out += out->size_bytes;
    if (sent > 0) stream->progress_ms = uv_now(stream->net->loop);
    if (sent > 0 && (size_t)sent == out->size_bytes) {
        kz_buf_clear(out);
        return;
    }
    size_t done = sent > 0 ? (size_t)sent : 0;
    struct kz_buf empty = stream->in_flight;
    stream->in_flight = *out;
    *out = empty;
    stream->write.data = stream;
    piece = uv_buf_init((char *)stream->in_flight.data + done, (unsigned)(stream->in_flight.size_bytes - done));
    int uv_code = uv_write(&stream->write, (uv_stream_t *)&stream->tcp, &piece, 1, on_written);
    if (uv_code)
        kz_stream_end_uv(stream, "write", uv_code);
    else
        stream->writing = true;
}

/* At most KZ_STREAM_FLUSH_BYTES of plaintext into the session's output. */
static void encrypt_some(struct kz_stream *stream)
{
    size_t size_bytes = plain_left(stream);
    if (size_bytes > KZ_STREAM_FLUSH_BYTES) size_bytes = KZ_STREAM_FLUSH_BYTES;
    if (size_bytes == 0) return;
    if (kz_session_write(stream->session, stream->plain.data + stream->plain_head, size_bytes) != KZ_SESSION_DONE) {
        kz_stream_end_session(stream);
        return;
    }
    stream->plain_head += size_bytes;
    if (plain_left(stream) == 0) {
        kz_buf_clear(&stream->plain);
        stream->plain_head = 0;
    }
}

static void on_shutdown(uv_shutdown_t *request, int status)
{
    struct kz_stream *stream = request->data;
    if (status < 0 && stream->state != KZ_STREAM_CLOSING) kz_stream_end_uv(stream, "shutdown", status);
}

/* FINISHING: everything is sent; say goodbye, end our side and wait for the peer's end (or the tick). */
static void finish(struct kz_stream *stream)
{
    if (!stream->goodbye) {
        stream->goodbye = true;
        kz_session_goodbye(stream->session);
        kz_stream_send_output(stream);
    }
    if (stream->state != KZ_STREAM_FINISHING || stream->writing || stream->shut) return;
    stream->shut = true;
    stream->finishing_ms = uv_now(stream->net->loop);
    stream->shutdown.data = stream;
    int uv_code = uv_shutdown(&stream->shutdown, (uv_stream_t *)&stream->tcp, on_shutdown);
    if (!uv_code) uv_code = kz_stream_start_reading(stream);
    if (uv_code) kz_stream_end_uv(stream, "shutdown", uv_code);
}

/* Called at the end of a loop turn, or when a write completed; never from inside the owner's calls. */
void kz_stream_flush(struct kz_stream *stream)
{
    if (stream->state == KZ_STREAM_OPEN && !stream->paused && !stream->reading) {
        kz_stream_process(stream, NULL, 0); /* resumed */
        int uv_code = stream->state == KZ_STREAM_OPEN && !stream->paused ? kz_stream_start_reading(stream) : 0;
        if (uv_code) kz_stream_end_uv(stream, "read", uv_code);
    }
    bool sending = stream->state == KZ_STREAM_OPEN || stream->state == KZ_STREAM_FINISHING;
    for (unsigned round = 0; sending && !stream->writing && plain_left(stream) > 0; round++) {
        if (round == KZ_STREAM_FLUSH_ROUNDS) {
            kz_stream_mark_dirty(stream);
            return;
        }
        encrypt_some(stream);
        kz_stream_send_output(stream);
        sending = stream->state == KZ_STREAM_OPEN || stream->state == KZ_STREAM_FINISHING;
    }
    if (!sending || stream->writing) return;
    if (stream->state == KZ_STREAM_FINISHING) {
        finish(stream);
    } else if (stream->drain_due) {
        stream->drain_due = false;
        if (stream->events->on_drain) stream->events->on_drain(stream->data, stream);
    }
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    (void)suggested;
    struct kz_stream *stream = handle->data;
    *out = uv_buf_init((char *)stream->net->read_buffer, sizeof stream->net->read_buffer);
}

static void read_failed(struct kz_stream *stream, int uv_code)
{
    if (stream->state == KZ_STREAM_FINISHING) {
        kz_stream_move_to(stream, KZ_STREAM_CLOSING);
    } else if (stream->state == KZ_STREAM_HANDSHAKING && (stream->stepping || stream->waiting)) {
        /* What came before may be an alert that says why: let the step read it first. */
        stream->ended = true;
        kz_stream_stop_reading(stream);
    } else if (uv_code == UV_EOF) {
        kz_stream_end_with(stream, KZ_LAYER_TCP, KZ_UNREACHABLE,
                           stream->state == KZ_STREAM_OPEN ? "the connection ended without a goodbye"
                                                           : "the other end closed during the handshake");
    } else {
        kz_stream_end_uv(stream, "read", uv_code);
    }
}

static void on_read(uv_stream_t *handle, ssize_t got, const uv_buf_t *buffer)
{
    struct kz_stream *stream = handle->data;
    if (got == 0) return;
    if (got < 0) {
        read_failed(stream, (int)got);
        return;
    }
    stream->net->stats.bytes_in += (uint64_t)got;
    stream->heard_ms = uv_now(stream->net->loop);
    const uint8_t *bytes = (const uint8_t *)buffer->base;
    if (stream->state == KZ_STREAM_HANDSHAKING)
        kz_handshake_input(stream, bytes, (size_t)got);
    else if (stream->state == KZ_STREAM_OPEN)
        kz_stream_process(stream, bytes, (size_t)got);
    /* FINISHING: dropped, so that the kernel does not answer our goodbye with a reset */
}

int kz_stream_start_reading(struct kz_stream *stream)
{
    if (stream->reading) return 0;
    int uv_code = uv_read_start((uv_stream_t *)&stream->tcp, on_alloc, on_read);
    stream->reading = uv_code == 0;
    return uv_code;
}

void kz_stream_stop_reading(struct kz_stream *stream)
{
    stream->reading = false;
    uv_read_stop((uv_stream_t *)&stream->tcp);
}

void kz_stream_pause(struct kz_stream *stream)
{
    stream->paused = true;
    if (stream->state == KZ_STREAM_OPEN && stream->reading) kz_stream_stop_reading(stream);
}

void kz_stream_resume(struct kz_stream *stream)
{
    if (!stream->paused) return;
    stream->paused = false;
    if (stream->state == KZ_STREAM_OPEN) kz_stream_mark_dirty(stream); /* the flush takes up reading */
}

void kz_stream_process(struct kz_stream *stream, const uint8_t *bytes, size_t size_bytes)
{
    if (stream->state != KZ_STREAM_OPEN) return;
    struct kz_net *net = stream->net;
    /* Bytes kept from a pause, or that came behind the handshake, go first. */
    bool kept = stream->input.size_bytes > 0;
    if (kept) {
        kz_buf_add(&stream->input, bytes, size_bytes);
        bytes = stream->input.data;
        size_bytes = stream->input.size_bytes;
    }
    kz_session_set_input(stream->session, bytes, size_bytes);
    while (stream->state == KZ_STREAM_OPEN && !stream->paused) {
        size_t got;
        enum kz_session_result result =
            kz_session_read(stream->session, net->plain_buffer, sizeof net->plain_buffer, &got);
        if (result == KZ_SESSION_WANT) break;
        if (result == KZ_SESSION_BYE)
            kz_stream_end_with(stream, KZ_LAYER_NONE, KZ_OK, "");
        else if (result == KZ_SESSION_FAILED)
            kz_stream_end_session(stream);
        else
            stream->events->on_data(stream->data, stream, net->plain_buffer, got);
    }
    size_t left = kz_session_input_left(stream->session);
    kz_session_set_input(stream->session, NULL, 0);
    if (stream->state != KZ_STREAM_OPEN) return;
    if (kept)
        kz_buf_consume(&stream->input, size_bytes - left);
    else if (left > 0)
        kz_buf_add(&stream->input, bytes + (size_bytes - left), left);
    if (stream->input.failed) {
        kz_stream_end_with(stream, KZ_LAYER_TCP, KZ_NO_MEMORY, "no memory for what arrived");
        return;
    }
    kz_stream_send_output(stream); /* a key update or an alert of the session's own */
}
