/* SPDX-License-Identifier: Apache-2.0 */
/* Events taken at this node, or entrusted to it by a peer, until they are part of the replicated state (DESIGN §6).
 *
 * An event is numbered by its origin, stored durably in this node's own table, shown as provisional (未確定), offered
 * to every peer that can be reached, and handed to the cluster whenever a leader is there: one event per origin at a
 * time, so that they arrive in order. Its identity makes it arrive once, by whatever way.
 *
 * It reads no clock, disk or socket: everything goes through `struct kz_outbox_io`, so that the simulator runs this
 * very code. What it needs of the node is in outbox_io.h. Thread: one, the loop. `answer` may be called from any
 * function below; no other callback may call back. */
#ifndef KZ_SERVICE_OUTBOX_H
#define KZ_SERVICE_OUTBOX_H

#include "node/registry/event.h"
#include "node/store/store.h"
#include "proto/peer.pb-c.h"

#define KZ_OUTBOX_EVENTS_MAX 10000u
#define KZ_OUTBOX_PEERS_MAX 32u        /* whose answers to offers are remembered */
#define KZ_OUTBOX_NOTES "event"        /* begins the key of every note */
#define KZ_OUTBOX_ANSWER_WAIT_MS 2000u /* as long as an `auto` read waits for the cluster */

struct kz_outbox;

struct kz_outbox_io {
    void *data;                     /* first argument of all */
    uint64_t (*now_ms)(void *data); /* monotonic */
    int64_t (*wall_ms)(void *data);
    bool (*alone)(void *data); /* no leader for KZ_OUTBOX_ANSWER_WAIT_MS: clients need not wait for one */
    /* A durable note, done in the order given (value NULL: removed); kz_outbox_durable of the number later. */
    uint64_t (*put_local)(void *data, const char *key, const void *value, size_t size_bytes);
    /* Keep proposing `command` (borrowed) until it has an outcome: kz_outbox_settled. False: no room now. */
    bool (*hold)(void *data, const Kz__Command *command);
    bool (*send)(void *data, uint64_t peer_id, const Kz__PeerMessage *message); /* false: not now; may get lost */
    size_t (*peers)(void *data, uint64_t *ids, size_t room);                    /* to whom events are offered */
    /* One look at the applied state; NULL: not now. */
    void *(*look)(void *data);
    bool (*in_state)(void *look, const Kz__Record *event);
    void (*look_end)(void *look);
    /* The client's event is in the state (`confirmed`: its outcome), or durable here and provisional (NULL). */
    void (*answer)(void *data, void *client, const Kz__Record *event, const Kz__Outcome *confirmed);
    /* For the simulator, which must find it out: all events of an origin are under way at once. False in production. */
    bool all_at_once;
};

/* `io` is borrowed until free; `name` and the incarnation of the data directory make the origin. */
struct kz_outbox *kz_outbox_new(const struct kz_outbox_io *io, const char *name,
                                const uint8_t incarnation[KZ_INCARNATION_BYTES]);
void kz_outbox_free(struct kz_outbox *outbox);
/* Every note whose key begins with KZ_OUTBOX_NOTES, before anything else. A kz_local_visitor; always true. */
bool kz_outbox_restore(void *outbox, const char *key, const uint8_t *value, size_t size_bytes);

/* An event to take: everything borrowed. */
struct kz_outbox_order {
    Kz__Mutation *mutation; /* an APPEND with its record */
    const char *reason, *actor, *node;
    void *client; /* for `answer`; NULL: nobody waits */
    uint64_t deadline_ms;
};
/* What a node adds to an event; the mutation points into it. */
struct kz_outbox_stamp {
    char id[KZ_ID_MAX_BYTES + 1];
    uint8_t hash[KZ_HASH_BYTES];
};
/* Numbers and signs the event, to be checked by the caller, and then taken or not. */
void kz_outbox_stamp(struct kz_outbox *outbox, const struct kz_outbox_order *order, struct kz_outbox_stamp *stamp);
/* Returns a handle for kz_outbox_forget, valid until `answer`: the client is gone, its event stays. */
void *kz_outbox_take(struct kz_outbox *outbox, const struct kz_outbox_order *order,
                     const struct kz_outbox_stamp *stamp);
void kz_outbox_forget(void *handle);

/* Notes up to `seq` are durable. */
void kz_outbox_durable(struct kz_outbox *outbox, uint64_t seq);
/* The applied state moved: what is in it is no longer provisional. */
void kz_outbox_applied(struct kz_outbox *outbox);
/* What became of a command handed in. */
void kz_outbox_settled(struct kz_outbox *outbox, const uint8_t *request_id, const Kz__Outcome *outcome);
/* A peer offers an event, or has taken one of ours. Borrowed. */
void kz_outbox_heard(struct kz_outbox *outbox, uint64_t peer_id, const Kz__EventOffer *offer);
void kz_outbox_tick(struct kz_outbox *outbox);
/* Offer to the peers what they do not hold. Every second. */
void kz_outbox_offer(struct kz_outbox *outbox);

/* The provisional events of a kind in order of id, beginning after `after` (NULL: the first); NULL at the end. The
 * record is borrowed until the next loop turn; `provisional` is set in it. */
const Kz__Record *kz_outbox_next(const struct kz_outbox *outbox, Kz__Kind kind, const char *after);
/* NULL: none of that kind and id is provisional here. Borrowed likewise. */
const Kz__Record *kz_outbox_get(const struct kz_outbox *outbox, Kz__Kind kind, const char *id);
/* Is an event of this id held, durable or not? */
bool kz_outbox_knows(const struct kz_outbox *outbox, const char *id);
size_t kz_outbox_count(const struct kz_outbox *outbox);

#endif
