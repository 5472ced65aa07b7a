/* SPDX-License-Identifier: Apache-2.0 */
/* Events taken at this node, or entrusted to it by a peer, until they are part of the replicated state (DESIGN §6).
 *
 * An event is numbered by its origin, stored durably in this node's own table, shown as provisional (未確定), offered
 * to every peer that can be reached, and handed to the cluster whenever a leader is there: one event per origin at a
 * time, so that they arrive in order. Its identity makes it arrive once, by whatever way. Loop thread. */
#ifndef KZ_SERVICE_OUTBOX_H
#define KZ_SERVICE_OUTBOX_H

#include "node/service/node.h"
#include "node/service/request.h"

#define KZ_OUTBOX_EVENTS_MAX 10000u

struct kz_outbox;

/* Reads what was kept. */
enum kz_code kz_outbox_open(struct kz_node *node, const struct kz_hard_state *hard, struct kz_err *err) KZ_MUST_CHECK;
void kz_outbox_free(struct kz_outbox *outbox);

/* Takes a write request of one APPEND. It is answered when the cluster has applied the event, or as provisional when
 * no leader takes it in time: durable here in either case. */
void kz_outbox_submit(struct kz_outbox *outbox, struct kz_request *request);

/* Own notes up to the writer's `seq` are durable. */
void kz_outbox_durable(struct kz_outbox *outbox, uint64_t seq);
/* The applied state moved: what is in it is no longer provisional. */
void kz_outbox_applied(struct kz_outbox *outbox);
/* What became of a command handed in (write.h). */
void kz_outbox_settled(struct kz_outbox *outbox, const uint8_t *request_id, Kz__Outcome *outcome);
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
size_t kz_outbox_count(const struct kz_outbox *outbox);

#endif
