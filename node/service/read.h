/* SPDX-License-Identifier: Apache-2.0 */
/* Reads: get, list, history, outcome. Decides how fresh an answer is (DESIGN §5): `local` at once; `linearizable`
 * after a ReadIndex round and applying up to it; `auto` tries that for KZ_AUTO_READ_TIMEOUT_MS and then answers
 * from this node's copy, saying so. Loop thread. */
#ifndef KZ_SERVICE_READ_H
#define KZ_SERVICE_READ_H

#include "node/service/request.h"
#include "proto/peer.pb-c.h"

struct kz_reads;

struct kz_reads *kz_reads_new(struct kz_node *node);
void kz_reads_free(struct kz_reads *reads);

/* Takes the request. */
void kz_reads_submit(struct kz_reads *reads, struct kz_request *request);

/* Another node asks to which index it must have applied to read now. */
void kz_reads_forwarded_here(struct kz_reads *reads, uint64_t peer_id, const Kz__Forward *forward);
/* The leader's answer; false when the ticket is not one of ours. */
bool kz_reads_answered(struct kz_reads *reads, const Kz__Forwarded *answer);

/* The applied index moved: answer those who waited for it. */
void kz_reads_applied(struct kz_reads *reads);
void kz_reads_leader_changed(struct kz_reads *reads);
void kz_reads_tick(struct kz_reads *reads);

#endif
