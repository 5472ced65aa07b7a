/* SPDX-License-Identifier: Apache-2.0 */
#include "node/service/conn.h"

#include <stdlib.h>

#include "node/base/assert.h"
#include "node/base/log.h"
#include "node/net/frame.h"
#include "node/service/dispatch.h"
#include "node/service/node.h"
#include "node/service/node_parts.h"

struct kz_conn {
    struct kz_node *node;     /* borrowed */
    struct kz_stream *stream; /* dead after on_close */
    struct kz_identity identity;
    struct kz_frame_reader reader;
    struct kz_request_list requests;
    size_t request_count;
    TAILQ_ENTRY(kz_conn) link;
};

const struct kz_identity *kz_conn_identity(const struct kz_conn *conn) { return &conn->identity; }
const char *kz_request_actor(const struct kz_request *request) { return request->conn->identity.name; }
size_t kz_request_unsent_bytes(const struct kz_request *request)
{
    return kz_stream_pending_bytes(request->conn->stream);
}

static void free_request(struct kz_request *request)
{
    TAILQ_REMOVE(&request->conn->requests, request, in_conn);
    request->conn->request_count--;
    kz_arena_fini(&request->arena);
    free(request);
}

/* ---- answers ---- */

/* False: the request has ended. */
static bool send_response(struct kz_request *request, Kz__Response *response)
{
    Kz__Meta meta;
    kz_node_fill_meta(request->node, request->answered, &meta);
    meta.has_as_of_rev = request->has_as_of;
    meta.as_of_rev = request->as_of_rev;
    meta.has_as_of_ms = request->has_as_of && request->as_of_ms != 0;
    meta.as_of_ms = request->as_of_ms;
    if (request->has_copy) {
        meta.rev = request->copy_rev;
        meta.applied_index = request->copy_index;
        meta.has_data_time_ms = request->copy_time_ms != 0;
        meta.data_time_ms = request->copy_time_ms;
    }
    response->meta = &meta;
    enum kz_code code =
        kz_frame_write(request->conn->stream, KZ_FRAME_RESPONSE, request->stream, &response->base, KZ_FRAME_MAX_BYTES);
    response->meta = NULL;
    if (code == KZ_TOO_BIG) {
        kz_assert(!response->error || response->error->current || response->error->n_violations);
        kz_request_fail(request, KZ_FAULT_TOO_BIG_ANSWER, NULL);
        return false;
    }
    /* Any other failure means that the stream is ending: on_close abandons what is left. */
    if (response->more) return true;
    free_request(request);
    return false;
}

bool kz_request_reply(struct kz_request *request, Kz__Response *response)
{
    kz_assert(response->more || !request->forget);
    return send_response(request, response);
}

/* Error texts point into static tables; the message is only packed. */
static char *constant(const char *text) { return (char *)(uintptr_t)text; }

void kz_request_fail(struct kz_request *request, enum kz_fault fault, const Kz__Outcome *outcome)
{
    const struct kz_fault_row *row = kz_fault_row(fault);
    Kz__Error error = KZ__ERROR__INIT;
    error.code = (uint32_t)row->code;
    error.what_en = constant(kz_code_text(row->code, false));
    error.what_ja = constant(kz_code_text(row->code, true));
    error.why_en = constant(row->why_en);
    error.why_ja = constant(row->why_ja);
    error.hint_en = constant(row->hint_en);
    error.hint_ja = constant(row->hint_ja);
    if (outcome) {
        error.n_violations = outcome->n_violations;
        error.violations = outcome->violations;
        error.current = outcome->current;
        error.n_referrers = outcome->n_referrers;
        error.referrers = outcome->referrers;
    }
    Kz__Response response = KZ__RESPONSE__INIT;
    response.error = &error;
    if (request->forget) request->forget(request);
    send_response(request, &response);
}

bool kz_request_refuse(struct kz_request *request, struct kz_violations *violations)
{
    bool refused = violations->count > 0;
    if (refused) {
        Kz__Outcome outcome = KZ__OUTCOME__INIT;
        outcome.code = KZ_INVALID;
        outcome.n_violations = violations->count;
        outcome.violations = violations->items;
        kz_request_fail(request, KZ_FAULT_NOT_VALID, &outcome);
    }
    kz_violations_fini(violations);
    return refused;
}

/* ---- requests ---- */

static struct kz_request *new_request(struct kz_conn *conn, const struct kz_frame *frame)
{
    struct kz_request *request = calloc(1, sizeof *request);
    if (!request) return NULL;
    request->node = conn->node;
    request->conn = conn;
    request->stream = frame->stream;
    request->answered = KZ__READ_MODE__LOCAL;
    kz_arena_init(&request->arena, 0);
    TAILQ_INSERT_TAIL(&conn->requests, request, in_conn);
    conn->request_count++;
    return request;
}

static void set_deadlines(struct kz_request *request)
{
    uint64_t now_ms = kz_node_now_ms(request->node);
    uint32_t timeout_ms = request->message->has_timeout_ms ? request->message->timeout_ms : KZ_REQUEST_TIMEOUT_MS;
    if (timeout_ms == 0 || timeout_ms > KZ_REQUEST_TIMEOUT_MAX_MS) timeout_ms = KZ_REQUEST_TIMEOUT_MAX_MS;
    uint32_t fallback_ms = timeout_ms < KZ_AUTO_READ_TIMEOUT_MS ? timeout_ms : KZ_AUTO_READ_TIMEOUT_MS;
    /* The answer that time is up must itself arrive in time. */
    request->deadline_ms = now_ms + timeout_ms - timeout_ms / KZ_REQUEST_MARGIN_PART;
    request->fallback_ms = now_ms + fallback_ms;
    if (!request->message->has_mode) request->message->mode = KZ__READ_MODE__AUTO;
}

static void begin_request(struct kz_conn *conn, const struct kz_frame *frame)
{
    struct kz_request *request = new_request(conn, frame);
    if (!request) {
        kz_stream_abort(conn->stream, KZ_LAYER_TCP, KZ_NO_MEMORY, "out of memory");
        return;
    }
    request->message =
        (Kz__Request *)kz_frame_unpack(&request->arena, &kz__request__descriptor, frame->payload, frame->size_bytes);
    if (!request->message) {
        kz_request_fail(request, KZ_FAULT_MALFORMED, NULL);
        return;
    }
    if (conn->request_count > KZ_CONN_REQUESTS_MAX) {
        kz_request_fail(request, KZ_FAULT_TOO_MANY_REQUESTS, NULL);
        return;
    }
    set_deadlines(request);
    kz_dispatch(request);
}

static void abandon(struct kz_request *request)
{
    if (request->forget) request->forget(request);
    free_request(request);
}

static void cancel_stream(struct kz_conn *conn, uint32_t stream)
{
    struct kz_request *request;
    TAILQ_FOREACH(request, &conn->requests, in_conn)
    {
        if (request->stream != stream) continue;
        abandon(request);
        return;
    }
}

/* ---- the stream's events ---- */

static bool on_frame(void *data, const struct kz_frame *frame)
{
    struct kz_conn *conn = data;
    if (frame->type == KZ_FRAME_CANCEL)
        cancel_stream(conn, frame->stream);
    else
        begin_request(conn, frame);
    return true;
}

static void on_data(void *data, struct kz_stream *stream, const uint8_t *bytes, size_t size_bytes)
{
    struct kz_conn *conn = data;
    struct kz_err err = {0};
    if (kz_frame_reader_feed(&conn->reader, bytes, size_bytes, on_frame, conn, &err) == KZ_OK) return;
    kz_log_warn("conn.protocol", "from=%s user=%s error=\"%s\"", kz_stream_address(stream), conn->identity.name,
                err.text);
    kz_stream_abort(stream, KZ_LAYER_TCP, KZ_PROTOCOL, err.text);
}

static void on_drain(void *data, struct kz_stream *stream)
{
    struct kz_conn *conn = data;
    (void)stream;
    kz_watches_pump(conn->node->watches);
    kz_snapshots_pump(conn->node->snapshots);
}

static void on_close(void *data, struct kz_stream *stream, const struct kz_stream_end *end)
{
    struct kz_conn *conn = data;
    (void)stream;
    kz_log_debug("conn.closed", "user=%s why=\"%s\"", conn->identity.name, end->text);
    while (!TAILQ_EMPTY(&conn->requests))
        abandon(TAILQ_FIRST(&conn->requests));
    kz_frame_reader_fini(&conn->reader);
    TAILQ_REMOVE(&conn->node->conns, conn, link);
    conn->node->conn_count--;
    free(conn);
}

static const struct kz_stream_events stream_events = {.on_data = on_data, .on_drain = on_drain, .on_close = on_close};

void kz_conn_accept(struct kz_node *node, struct kz_stream *stream, const struct kz_identity *user)
{
    struct kz_conn *conn = calloc(1, sizeof *conn);
    if (!conn) {
        kz_stream_close(stream);
        return;
    }
    conn->node = node;
    conn->stream = stream;
    conn->identity = *user;
    TAILQ_INIT(&conn->requests);
    kz_frame_reader_init(&conn->reader, KZ_FRAME_TYPE_BIT(KZ_FRAME_REQUEST) | KZ_FRAME_TYPE_BIT(KZ_FRAME_CANCEL),
                         KZ_FRAME_MAX_BYTES);
    TAILQ_INSERT_TAIL(&node->conns, conn, link);
    node->conn_count++;
    kz_stream_set_events(stream, &stream_events, conn);
}

void kz_conn_close_all(struct kz_node *node)
{
    struct kz_conn *conn;
    TAILQ_FOREACH(conn, &node->conns, link) kz_stream_close(conn->stream);
}

size_t kz_conn_count(const struct kz_node *node) { return node->conn_count; }

void kz_conn_tick(struct kz_node *node)
{
    struct kz_conn *conn;
    uint64_t now_ms = kz_node_now_ms(node);
    TAILQ_FOREACH(conn, &node->conns, link)
    {
        if (kz_frame_reader_late(&conn->reader, now_ms))
            kz_stream_abort(conn->stream, KZ_LAYER_TCP, KZ_TIMED_OUT, "a frame arrived too slowly");
        else if (TAILQ_EMPTY(&conn->requests) && kz_stream_idle_ms(conn->stream) > KZ_IDLE_TIMEOUT_MS)
            kz_stream_close(conn->stream);
    }
}
