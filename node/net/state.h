/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of struct kz_net and struct kz_stream, for the files of this folder that share the work on them:
 * net.c (what streams have in common), stream.c (birth and death), handshake.c (worker steps), stream_io.c (bytes).
 * Loop thread only, except where a field says otherwise. */
#ifndef KZ_NET_STATE_H
#define KZ_NET_STATE_H

#include <sys/queue.h>
#include <uv.h>

#include "node/base/buf.h"
#include "node/net/net.h"
#include "node/net/session.h"
#include "node/net/stream.h"

#define KZ_STREAM_READ_BYTES (64u << 10)   /* one read(2) */
#define KZ_STREAM_FLUSH_BYTES (256u << 10) /* plaintext encrypted before the kernel is offered it */
#define KZ_STREAM_FLUSH_ROUNDS 8u          /* of the above in one loop turn, then others have theirs */
#define KZ_STREAM_KEEP_BYTES (64u << 10)   /* what an idle stream's buffers may keep */
#define KZ_STREAM_KEEPALIVE_S 15u
#define KZ_STREAM_USER_TIMEOUT_MS 15000u /* unacknowledged bytes: TCP_USER_TIMEOUT */
/* What we dialled leads to a peer, and after a cut that heals we want it back in seconds: TCP's own retries would by
 * then be tens of seconds apart. */
#define KZ_STREAM_DIALLED_USER_TIMEOUT_MS 5000u
#define KZ_STREAM_CONNECT_TIMEOUT_MS 3000u /* a satellite's round trip and one lost SYN */

/* Legal moves are checked in move_to (stream.c). */
enum kz_stream_state {
    KZ_STREAM_RESOLVING,
    KZ_STREAM_CONNECTING,
    KZ_STREAM_HANDSHAKING,
    KZ_STREAM_OPEN,
    KZ_STREAM_FINISHING, /* sending what is left, then waiting for the peer's end */
    KZ_STREAM_CLOSING,   /* handles are being closed */
};

struct kz_stream {
    TAILQ_ENTRY(kz_stream) in_streams;
    TAILQ_ENTRY(kz_stream) in_dirty;
    TAILQ_ENTRY(kz_stream) in_waiting;
    struct kz_net *net;
    enum kz_stream_state state;
    bool incoming;
    enum kz_alpn alpn;
    const struct kz_stream_events *events;
    void *data; /* the events' */
    /* The listener counts by this, whoever owns the stream; called once, after on_close. */
    void (*on_end)(void *data, struct kz_stream *stream);
    void *on_end_data;

    uv_tcp_t tcp;
    uv_getaddrinfo_t resolve;
    uv_connect_t connect;
    uv_write_t write;
    uv_shutdown_t shutdown;
    uv_work_t step;
    unsigned holds; /* the tcp handle, a resolve, a step: freed when none is left */
    char address[80];
    uint16_t port;
    struct kz_session *session;
    struct kz_stream_end end; /* the first reason stands */

    /* handshake */
    bool stepping;                      /* session, input and result are the worker's */
    bool waiting;                       /* in one of net->waiting */
    bool advanced;                      /* has had a step: it goes before those that had none */
    uint64_t submitted_ms;              /* the time from here to the end of the step is ours, not the peer's */
    enum kz_session_result step_result; /* written by the worker */
    struct kz_buf input;                /* ciphertext the session reads */
    struct kz_buf arriving;             /* ciphertext that came while stepping */

    /* bytes */
    bool reading, paused, dirty, writing;
    bool ended;          /* the peer's end came while a handshake step was under way */
    bool goodbye;        /* said, or not to be said */
    bool shut;           /* our end is sent */
    bool drain_due;      /* something was written since the last on_drain */
    struct kz_buf plain; /* written by the owner, from plain_head on not yet encrypted */
    size_t plain_head;
    struct kz_buf in_flight; /* ciphertext the kernel has not taken; untouched while `writing` */
    size_t in_flight_sent;
    size_t write_limit_bytes;

    uint64_t created_ms, heard_ms, progress_ms, finishing_ms; /* loop time */
    size_t queue_seen_bytes;                                  /* at the last tick: has the kernel taken anything? */
};

TAILQ_HEAD(kz_stream_list, kz_stream);

struct kz_net {
    uv_loop_t *loop;
    struct kz_tls *tls;
    struct kz_net_options options;
    uv_prepare_t prepare;
    uv_check_t check;
    uv_idle_t idle; /* active while something is dirty: the loop must not sleep then */
    uv_timer_t tick;
    unsigned handles; /* of the four, not yet closed */
    struct kz_stream_list streams, dirty;
    struct kz_stream_list waiting[2]; /* for a worker, by `advanced` */
    unsigned stepping;
    bool closing;
    void (*closed)(void *data);
    void *closed_data;
    struct kz_net_stats stats;
    uint8_t read_buffer[KZ_STREAM_READ_BYTES];
    uint8_t plain_buffer[KZ_SESSION_RECORD_BYTES];
};

/* net.c */
void kz_net_wake(struct kz_net *net);   /* something is dirty */
void kz_net_forget(struct kz_net *net); /* a stream is gone; the last one may let the net go */

/* stream.c */
void kz_stream_end_with(struct kz_stream *stream, enum kz_layer layer, enum kz_code code, const char *text);
void kz_stream_end_uv(struct kz_stream *stream, const char *what, int uv_code);
void kz_stream_end_session(struct kz_stream *stream); /* its failure, after the alert has been offered to the peer */
void kz_stream_move_to(struct kz_stream *stream, enum kz_stream_state state);
void kz_stream_drop_hold(struct kz_stream *stream);
void kz_stream_tick(struct kz_stream *stream, uint64_t now_ms);
/* An accepted connection of `server`; its on_open leads to the listener. */
enum kz_code kz_stream_accept(struct kz_stream **out, struct kz_net *net, uv_stream_t *server,
                              const struct kz_stream_events *events, void *data, struct kz_err *err) KZ_MUST_CHECK;
/* Accept the waiting connection only to close it. */
void kz_stream_reject(struct kz_net *net, uv_stream_t *server);

/* handshake.c */
void kz_handshake_begin(struct kz_stream *stream); /* TCP is connected */
void kz_handshake_input(struct kz_stream *stream, const uint8_t *bytes, size_t size_bytes);
void kz_handshake_run_waiting(struct kz_net *net);

/* stream_io.c */
int kz_stream_start_reading(struct kz_stream *stream);
void kz_stream_stop_reading(struct kz_stream *stream);
void kz_stream_process(struct kz_stream *stream, const uint8_t *bytes, size_t size_bytes); /* OPEN: ciphertext in */
void kz_stream_mark_dirty(struct kz_stream *stream);
void kz_stream_flush(struct kz_stream *stream);
void kz_stream_send_output(struct kz_stream *stream); /* what the session wants sent, at once */

#endif
