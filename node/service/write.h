/* SPDX-License-Identifier: Apache-2.0 */
/* Writes, from any client of this node or forwarded by another node, to the raft log and back.
 *
 * A write is pending under its request id until its outcome is applied here or the leader sends it. Whatever happens
 * in between (leader lost, message lost) it is sent again under the same id: applying remembers ids, so it is applied
 * at most once. Commands of one loop turn travel in one raft entry. Loop thread. */
#ifndef KZ_SERVICE_WRITE_H
#define KZ_SERVICE_WRITE_H

#include "node/service/request.h"
#include "proto/peer.pb-c.h"

struct kz_writes;

struct kz_writes *kz_writes_new(struct kz_node *node);
void kz_writes_free(struct kz_writes *writes);

/* Takes the request (message->write is set). */
void kz_writes_submit(struct kz_writes *writes, struct kz_request *request);

/* Keeps proposing `command` (borrowed) until it has an outcome, which goes to kz_outbox_settled. False: no room now. */
bool kz_writes_hold(struct kz_writes *writes, const Kz__Command *command);

/* Another node asks us, as the leader, to propose. Borrowed. */
void kz_writes_forwarded_here(struct kz_writes *writes, uint64_t peer_id, const Kz__Forward *forward);
/* The leader's answer to what we forwarded. Borrowed. */
void kz_writes_answered(struct kz_writes *writes, const Kz__Forwarded *answer);

/* A command was applied here. `packed` is a kz.Outcome, borrowed. */
void kz_writes_applied(struct kz_writes *writes, uint64_t index, const uint8_t *request_id, const uint8_t *packed,
                       size_t size_bytes);
/* Role, term or leader changed: what was on its way may be lost; send it again. */
void kz_writes_leader_changed(struct kz_writes *writes);

/* An entry with nothing but the time: followers answer it, and data time moves. Leader only; it may not be taken. */
void kz_writes_beacon(struct kz_writes *writes);
/* End of a loop turn: propose what was gathered. */
void kz_writes_flush(struct kz_writes *writes);
/* Every KZ_NODE_TICK_MS: deadlines, resending, the beacon. */
void kz_writes_tick(struct kz_writes *writes);

#endif
