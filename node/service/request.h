/* SPDX-License-Identifier: Apache-2.0 */
/* One request of a client, from decoding to its last answer. Born in conn, handed to one room (write, read,
 * watch, status), ends in kz_request_reply/fail, or in kz_request_abandon when its connection closes. Loop thread. */
#ifndef KZ_SERVICE_REQUEST_H
#define KZ_SERVICE_REQUEST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "node/base/arena.h"
#include "node/service/fault.h"
#include "proto/service.pb-c.h"

struct kz_conn;
struct kz_node;
struct kz_violations;

#define KZ_REQUEST_TIMEOUT_MS 10000u /* when the client names none */
#define KZ_REQUEST_MARGIN_PART 16u   /* of its timeout, left for the way back */

struct kz_request {
    struct kz_node *node; /* borrowed, outlives the request */
    struct kz_conn *conn; /* borrowed, outlives the request */
    uint32_t stream;
    struct kz_arena arena; /* owns message */
    Kz__Request *message;
    Kz__ReadMode answered; /* how the read was really done */
    uint64_t deadline_ms;  /* loop time */
    uint64_t fallback_ms;  /* AUTO reads turn local then; loop time */
    uint64_t read_index;   /* linearizable: to be applied first */
    bool has_as_of;        /* the answer is the past: for its meta */
    uint64_t as_of_rev;
    int64_t as_of_ms; /* 0: revision 0 */
    bool has_copy;    /* it was answered from an earlier moment of the copy than this: for its meta */
    uint64_t copy_rev, copy_index;
    int64_t copy_time_ms;
    /* The room that holds the request lets go of it (connection closed or stream cancelled). NULL while no room
     * holds it. */
    void (*forget)(struct kz_request *request);
    void *room; /* borrowed: the room's own state for `forget` */
    TAILQ_ENTRY(kz_request) in_room;
    TAILQ_ENTRY(kz_request) in_conn;
};
TAILQ_HEAD(kz_request_list, kz_request);

/* The actor's name from the certificate, borrowed. */
const char *kz_request_actor(const struct kz_request *request);

/* Fill meta, send. `response` is borrowed. False: the request has ended (always unless response->more; also when the
 * answer fits no frame, then its room was told to forget it) and must not be touched. */
bool kz_request_reply(struct kz_request *request, Kz__Response *response);
/* The request ends with an error, its room forgets it; `outcome` (may be NULL) gives violations, the current record and
 * referrers. */
void kz_request_fail(struct kz_request *request, enum kz_fault fault, const Kz__Outcome *outcome);
/* Ends the request with what was found, if anything was (then true). Ends `violations` either way. */
bool kz_request_refuse(struct kz_request *request, struct kz_violations *violations);
/* Bytes its connection has not sent yet: a watch waits when there are many. */
size_t kz_request_unsent_bytes(const struct kz_request *request);

#endif
