/* SPDX-License-Identifier: Apache-2.0 */
#include "node/net/net.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/net/state.h"
#include "proto/wire.h"

static void on_idle(uv_idle_t *handle) { (void)handle; /* being active is its work */ }

void kz_net_wake(struct kz_net *net)
{
    /* Whatever phase the loop is in: it will not sleep before the next flush. */
    kz_assert(uv_idle_start(&net->idle, on_idle) == 0);
}

/* Streams written to in this turn. One that is marked again while flushing waits for the next turn, so that a fast
 * one cannot hold the loop. */
static void flush_dirty(struct kz_net *net)
{
    struct kz_stream_list now = TAILQ_HEAD_INITIALIZER(now);
    TAILQ_CONCAT(&now, &net->dirty, in_dirty);
    struct kz_stream *stream;
    while ((stream = TAILQ_FIRST(&now))) {
        TAILQ_REMOVE(&now, stream, in_dirty);
        /* A callback may end a stream that is still in `now`: ending does not touch the list, freeing happens in a
         * later phase of the loop. */
        stream->dirty = false;
        kz_stream_flush(stream);
    }
    if (TAILQ_EMPTY(&net->dirty)) uv_idle_stop(&net->idle);
}

static void on_prepare(uv_prepare_t *handle) { flush_dirty(handle->data); }
static void on_check(uv_check_t *handle) { flush_dirty(handle->data); }

static void on_tick(uv_timer_t *timer)
{
    struct kz_net *net = timer->data;
    uint64_t now_ms = uv_now(net->loop);
    struct kz_stream *stream, *next;
    for (stream = TAILQ_FIRST(&net->streams); stream; stream = next) {
        next = TAILQ_NEXT(stream, in_streams);
        kz_stream_tick(stream, now_ms);
    }
}

enum kz_code kz_net_open(struct kz_net **out, struct uv_loop_s *loop, struct kz_tls *tls,
                         const struct kz_net_options *options, struct kz_err *err)
{
    struct kz_net *net = calloc(1, sizeof *net);
    if (!net) return kz_fail(err, KZ_NO_MEMORY, "no memory for the network");
    /* libuv writes without MSG_NOSIGNAL: a peer that is gone would end the process. */
    signal(SIGPIPE, SIG_IGN);
    net->loop = loop;
    net->tls = tls;
    if (options) net->options = *options;
    if (!net->options.handshakes_max) net->options.handshakes_max = KZ_HANDSHAKES_MAX;
    if (!net->options.handshake_timeout_ms) net->options.handshake_timeout_ms = KZ_HANDSHAKE_TIMEOUT_MS;
    if (!net->options.stall_timeout_ms) net->options.stall_timeout_ms = KZ_NET_STALL_TIMEOUT_MS;
    TAILQ_INIT(&net->streams);
    TAILQ_INIT(&net->dirty);
    TAILQ_INIT(&net->waiting[0]);
    TAILQ_INIT(&net->waiting[1]);

    /* These cannot fail (libuv documentation); a failure would be a programmer's error. */
    kz_assert(uv_prepare_init(loop, &net->prepare) == 0 && uv_check_init(loop, &net->check) == 0 &&
              uv_idle_init(loop, &net->idle) == 0 && uv_timer_init(loop, &net->tick) == 0);
    net->prepare.data = net->check.data = net->idle.data = net->tick.data = net;
    net->handles = 4;
    uint64_t period_ms = KZ_NET_TICK_MS;
    if (net->options.handshake_timeout_ms / 4 < period_ms) period_ms = net->options.handshake_timeout_ms / 4 + 1;
    if (net->options.stall_timeout_ms / 4 < period_ms) period_ms = net->options.stall_timeout_ms / 4 + 1;
    kz_assert(uv_prepare_start(&net->prepare, on_prepare) == 0 && uv_check_start(&net->check, on_check) == 0 &&
              uv_timer_start(&net->tick, on_tick, period_ms, period_ms) == 0);
    uv_unref((uv_handle_t *)&net->prepare);
    uv_unref((uv_handle_t *)&net->check);
    uv_unref((uv_handle_t *)&net->idle);
    uv_unref((uv_handle_t *)&net->tick);
    *out = net;
    return KZ_OK;
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct kz_net *net = handle->data;
    if (--net->handles > 0) return;
    void (*closed)(void *) = net->closed;
    void *data = net->closed_data;
    free(net);
    if (closed) closed(data);
}

void kz_net_forget(struct kz_net *net)
{
    if (!net->closing || !TAILQ_EMPTY(&net->streams) || uv_is_closing((uv_handle_t *)&net->tick)) return;
    uv_close((uv_handle_t *)&net->prepare, on_handle_closed);
    uv_close((uv_handle_t *)&net->check, on_handle_closed);
    uv_close((uv_handle_t *)&net->idle, on_handle_closed);
    uv_close((uv_handle_t *)&net->tick, on_handle_closed);
}

void kz_net_close(struct kz_net *net, void (*closed)(void *data), void *data)
{
    kz_assert(!net->closing);
    net->closing = true;
    net->closed = closed;
    net->closed_data = data;
    struct kz_stream *stream, *next;
    for (stream = TAILQ_FIRST(&net->streams); stream; stream = next) {
        next = TAILQ_NEXT(stream, in_streams);
        kz_stream_abort(stream, KZ_LAYER_NONE, KZ_OK, "");
    }
    kz_net_forget(net);
}

struct uv_loop_s *kz_net_loop(struct kz_net *net) { return net->loop; }
void kz_net_stats(const struct kz_net *net, struct kz_net_stats *out) { *out = net->stats; }
