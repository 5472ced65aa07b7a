/* SPDX-License-Identifier: Apache-2.0 */
/* What all TLS streams of one libuv loop share: the TLS context, the queue of handshakes for the worker threads,
 * the list of streams with something to write, the tick that finds the late ones. Reads and writes no data
 * itself. Loop thread only. */
#ifndef KZ_NET_NET_H
#define KZ_NET_NET_H

#include <stddef.h>
#include <stdint.h>

#include "node/base/err.h"
#include "node/net/tls.h"

struct uv_loop_s; /* uv_loop_t */

#define KZ_NET_TICK_MS 250u
#define KZ_NET_STALL_TIMEOUT_MS 20000u         /* no byte taken by the peer for this long while we have some */
#define KZ_NET_CLOSE_TIMEOUT_MS 1000u          /* how long a closing stream waits for the peer's end */
#define KZ_NET_WRITE_LIMIT_BYTES (64u << 20)   /* default of kz_stream_set_write_limit */
#define KZ_NET_HANDSHAKE_MAX_BYTES (64u << 10) /* what an unauthenticated peer may make us hold */
#define KZ_NET_STREAMS_MAX 2048u               /* incoming and outgoing, in whatever state */

/* Zero means the default. */
struct kz_net_options {
    unsigned handshakes_max;       /* handshake steps running on workers at a time; KZ_HANDSHAKES_MAX */
    unsigned handshake_timeout_ms; /* from connect or accept, less the time our own workers take */
    unsigned stall_timeout_ms;     /* KZ_NET_STALL_TIMEOUT_MS */
};

struct kz_net; /* owned by the caller of kz_net_open until its closed callback */

/* `loop` and `tls` are borrowed until closed. `options` may be NULL. Does not keep the loop alive by itself. Ignores
 * SIGPIPE from now on, in the whole process. */
enum kz_code kz_net_open(struct kz_net **out, struct uv_loop_s *loop, struct kz_tls *tls,
                         const struct kz_net_options *options, struct kz_err *err) KZ_MUST_CHECK;

/* Aborts every stream (their on_close callbacks fire), then calls `closed` (may be NULL) and frees itself. Close
 * listeners and transports first. */
void kz_net_close(struct kz_net *net, void (*closed)(void *data), void *data);

struct uv_loop_s *kz_net_loop(struct kz_net *net);

struct kz_net_stats {
    uint64_t handshakes_done, handshakes_failed;
    uint64_t bytes_in, bytes_out; /* on the wire */
    unsigned streams, handshaking;
};
void kz_net_stats(const struct kz_net *net, struct kz_net_stats *out);

#endif
