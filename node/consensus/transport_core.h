/* SPDX-License-Identifier: Apache-2.0 */
/* The transport's inside, shared by transport.c (connections, sending) and transport_hello.c (who may talk to us). Not
 * for others. Loop thread. */
#ifndef KZ_CONSENSUS_TRANSPORT_CORE_H
#define KZ_CONSENSUS_TRANSPORT_CORE_H

#include <sys/queue.h>
#include <uv.h>

#include "node/base/arena.h"
#include "node/consensus/transport.h"
#include "node/net/frame.h"

#define KZ_TRANSPORT_PROBLEM_BYTES 300u

enum role { ROLE_OUT, ROLE_OUT_BULK, ROLE_IN, ROLE_IN_BULK, ROLE_COUNT };

/* One stream of a peer, from its first to its last callback. */
struct conn {
    struct kz_transport *transport;
    TAILQ_ENTRY(conn) in_conns;
    struct kz_stream *stream;
    enum role role;
    uint64_t peer_id; /* 0: incoming, no good Hello yet */
    bool hello_done;  /* theirs came and was accepted */
    bool dropped;     /* we are done with it: nothing that still arrives counts */
    uint64_t began_ms;
    char name[KZ_IDENTITY_TEXT_BYTES]; /* in its certificate */
    struct kz_frame_reader reader;
};

struct peer {
    uint64_t id; /* 0 = free place */
    bool guest;  /* nobody named it to us: it dialled us. Forgotten when its connection ends */
    char name[KZ_IDENTITY_TEXT_BYTES];
    char *address;                  /* owned */
    struct conn *conns[ROLE_COUNT]; /* the current ones; NULL = none */
    uint64_t redial_ms[2];          /* by ROLE_OUT, ROLE_OUT_BULK: not before */
    unsigned backoff_ms;
    uint64_t heard_ms, bulk_used_ms;
    bool heard, up;
    bool incoming_lost; /* its connection ended and none came since */
    bool wanted_bulk;
    char problem[KZ_TRANSPORT_PROBLEM_BYTES];
    Kz__Refusal refusal; /* what `problem` says, if that is a refusal */
    bool refused_by_it;
    char logged[2][KZ_TRANSPORT_PROBLEM_BYTES]; /* the last refusal in the log, ours and theirs: a repeated one is
                                                   logged once */
};

TAILQ_HEAD(conn_list, conn);

struct kz_transport {
    struct kz_net *net;
    uv_loop_t *loop;
    uv_timer_t timer;
    uint64_t epoch, node_id, random;
    char *cluster, *name, *address; /* owned; address NULL = not told */
    uint8_t incarnation[KZ_TRANSPORT_INCARNATION_BYTES];
    const struct kz_transport_events *events;
    void *data;
    struct peer peers[KZ_NODES_MAX];
    struct conn_list conns;
    struct kz_arena arena; /* of the message being handled */
    char logged[KZ_TRANSPORT_PROBLEM_BYTES];
    bool closing, timer_closed;
    void (*closed)(void *data);
    void *closed_data;
};

/* transport.c */
struct peer *kz_transport_find(struct kz_transport *transport, uint64_t peer_id); /* NULL: unknown */
void kz_transport_update_up(struct kz_transport *transport, struct peer *peer);
void kz_transport_schedule_redial(struct kz_transport *transport, struct peer *peer, enum role role);
void kz_transport_drop_conn(struct conn *conn); /* takes it out of its peer's hands; it ends by itself */
/* As kz_transport_set_peer, for a node that dialled us. NULL with *err: it cannot be one, or there is no place. */
struct peer *kz_transport_add_guest(struct kz_transport *transport, const Kz__Hello *hello, const char *name,
                                    struct kz_err *err);

/* transport_hello.c */
/* `refused` NULL: we are fine with the other side. */
void kz_transport_send_hello(struct conn *conn, Kz__Refusal refusal, const char *refused);
void kz_transport_take_hello(struct conn *conn, const Kz__Hello *hello);  /* first frame of one that dialled us */
void kz_transport_take_answer(struct conn *conn, const Kz__Hello *hello); /* first frame of one that we dialled */
/* `direction` says who refuses whom; the first of a row of equal ones is logged. `peer` may be NULL. */
void kz_transport_note_refusal(struct conn *conn, struct peer *peer, const char *direction, bool by_it,
                               Kz__Refusal refusal, const char *why);
void kz_transport_mark_heard(struct peer *peer);

#endif
