/* SPDX-License-Identifier: Apache-2.0 */
#include "client/connection.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/clock.h"
#include "node/base/buf.h"

#define READ_CHUNK_BYTES (16u << 10) /* one TLS record */
/* A decoded answer is larger than its bytes: pointers, padding, one allocation per string. A hostile one may not ask
 * for more than this. */
#define DECODED_MAX_BYTES (64u << 20)

struct kz_connection {
    int fd;
    struct kz_tls *tls;
    struct kz_buf in;
    bool broken_by_tls;
};

struct kz_connection *kz_connection_new(const struct kz_dialled *dialled)
{
    struct kz_connection *connection = calloc(1, sizeof *connection);
    if (!connection) {
        kz_tls_free(dialled->tls);
        close(dialled->fd);
        return NULL;
    }
    connection->fd = dialled->fd;
    connection->tls = dialled->tls;
    kz_buf_init(&connection->in, KZ_FRAME_HEADER_BYTES + KZ_FRAME_MAX_BYTES + READ_CHUNK_BYTES);
    return connection;
}

void kz_connection_free(struct kz_connection *connection)
{
    if (!connection) return;
    kz_tls_free(connection->tls);
    close(connection->fd);
    kz_buf_fini(&connection->in);
    free(connection);
}

const char *kz_connection_node(const struct kz_connection *connection) { return kz_tls_node(connection->tls); }

const struct kz_tls_failure *kz_connection_why(const struct kz_connection *connection)
{
    return connection->broken_by_tls ? kz_tls_why(connection->tls) : NULL;
}

/* KZ_OK: the socket is ready, or TLS may go on. */
static enum kz_code wait_for(struct kz_connection *connection, enum kz_tls_step step, int64_t deadline_ms,
                             struct kz_err *err)
{
    if (step == KZ_TLS_CLOSED || step == KZ_TLS_FAILED) {
        const struct kz_tls_failure *why = kz_tls_why(connection->tls);
        connection->broken_by_tls = true;
        return kz_fail(err, KZ_IO, "%s: %s%s%s", kz_tls_node(connection->tls), kz_text(why->reason, false),
                       why->detail[0] ? ": " : "", why->detail);
    }
    struct pollfd fd = {.fd = connection->fd, .events = step == KZ_TLS_WANT_WRITE ? POLLOUT : POLLIN};
    int left = kz_clock_left(deadline_ms);
    int ready = left > 0 ? poll(&fd, 1, left) : 0;
    if (ready > 0 || (ready < 0 && errno == EINTR)) return KZ_OK;
    if (ready < 0) return kz_fail(err, KZ_IO, "poll: %s", strerror(errno));
    return kz_fail(err, KZ_TIMED_OUT, "%s: no answer in time", kz_tls_node(connection->tls));
}

static enum kz_code send_frame(struct kz_connection *connection, const uint8_t *bytes, size_t size_bytes,
                               int64_t deadline_ms, struct kz_err *err)
{
    size_t sent = 0;
    while (sent < size_bytes) {
        size_t done = 0;
        enum kz_tls_step step = kz_tls_write(connection->tls, bytes + sent, size_bytes - sent, &done);
        if (step == KZ_TLS_DONE) {
            sent += done;
            continue;
        }
        enum kz_code code = wait_for(connection, step, deadline_ms, err);
        /* Half a frame is out: nothing else can follow it, so this is a break and not a mere delay. */
        if (code == KZ_TIMED_OUT) return kz_fail(err, KZ_IO, "%s takes no data", kz_tls_node(connection->tls));
        if (code) return code;
    }
    return KZ_OK;
}

static void put_header(uint8_t header[KZ_FRAME_HEADER_BYTES], size_t size_bytes, enum kz_frame_type type,
                       uint32_t stream)
{
    kz_put_u32(header, (uint32_t)size_bytes);
    kz_put_u16(header + 4, (uint16_t)type);
    kz_put_u16(header + 6, 0);
    kz_put_u32(header + 8, stream);
}

enum kz_code kz_connection_send(struct kz_connection *connection, uint32_t stream, const Kz__Request *request,
                                int64_t deadline_ms, struct kz_err *err)
{
    size_t size = kz__request__get_packed_size(request);
    if (size > KZ_FRAME_MAX_BYTES)
        return kz_fail(err, KZ_TOO_BIG, "the request has %zu bytes, more than %u", size, KZ_FRAME_MAX_BYTES);
    uint8_t *frame = malloc(KZ_FRAME_HEADER_BYTES + size);
    if (!frame) return kz_fail(err, KZ_NO_MEMORY, "out of memory");
    put_header(frame, size, KZ_FRAME_REQUEST, stream);
    kz__request__pack(request, frame + KZ_FRAME_HEADER_BYTES);
    enum kz_code code = send_frame(connection, frame, KZ_FRAME_HEADER_BYTES + size, deadline_ms, err);
    free(frame);
    return code;
}

enum kz_code kz_connection_cancel(struct kz_connection *connection, uint32_t stream, int64_t deadline_ms,
                                  struct kz_err *err)
{
    uint8_t header[KZ_FRAME_HEADER_BYTES];
    put_header(header, 0, KZ_FRAME_CANCEL, stream);
    return send_frame(connection, header, sizeof header, deadline_ms, err);
}

static void *allocate_within(void *data, size_t size)
{
    size_t *left = data;
    if (size > *left) return NULL;
    *left -= size;
    return malloc(size);
}
static void release(void *data, void *memory)
{
    (void)data; /* the limit is on what one message asks for in all */
    free(memory);
}

/* KZ_OK with *response NULL: the frame is not complete yet. */
static enum kz_code take_frame(struct kz_connection *connection, uint32_t *stream, Kz__Response **response,
                               struct kz_err *err)
{
    struct kz_buf *in = &connection->in;
    *response = NULL;
    if (in->failed) return kz_fail(err, KZ_NO_MEMORY, "out of memory");
    if (in->size_bytes < KZ_FRAME_HEADER_BYTES) return KZ_OK;
    uint32_t size = kz_get_u32(in->data);
    uint16_t type = kz_get_u16(in->data + 4), zero = kz_get_u16(in->data + 6);
    if (type != KZ_FRAME_RESPONSE || zero != 0 || size > KZ_FRAME_MAX_BYTES)
        return kz_fail(err, KZ_PROTOCOL, "%s sent a frame of type %u and %u bytes", kz_tls_node(connection->tls), type,
                       size);
    if (in->size_bytes < KZ_FRAME_HEADER_BYTES + size) return KZ_OK;
    size_t left = DECODED_MAX_BYTES;
    ProtobufCAllocator limited = {.alloc = allocate_within, .free = release, .allocator_data = &left};
    *stream = kz_get_u32(in->data + 8);
    *response = kz__response__unpack(&limited, size, in->data + KZ_FRAME_HEADER_BYTES);
    if (!*response)
        return kz_fail(err, KZ_PROTOCOL, "%s sent an answer that cannot be read", kz_tls_node(connection->tls));
    kz_buf_consume(in, KZ_FRAME_HEADER_BYTES + size);
    return KZ_OK;
}

enum kz_code kz_connection_receive(struct kz_connection *connection, uint32_t *stream, Kz__Response **response,
                                   int64_t deadline_ms, struct kz_err *err)
{
    for (;;) {
        enum kz_code code = take_frame(connection, stream, response, err);
        if (code || *response) return code;
        uint8_t chunk[READ_CHUNK_BYTES];
        size_t done = 0;
        enum kz_tls_step step = kz_tls_read(connection->tls, chunk, sizeof chunk, &done);
        if (step == KZ_TLS_DONE) {
            kz_buf_add(&connection->in, chunk, done);
            continue;
        }
        code = wait_for(connection, step, deadline_ms, err);
        if (code) return code;
    }
}
