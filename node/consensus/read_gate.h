/* SPDX-License-Identifier: Apache-2.0 */
/* Linearizable reads without the log (ReadIndex, Raft dissertation 6.4): a leader notes its commit index and asks the
 * voters "is my term still yours?" in numbered rounds. A majority of answers to a round begun after a read arrived
 * proves that nobody was elected over us before the read arrived: an election needs an intersecting majority with a
 * higher, durable term. No clock is involved, no disk is written. Reads that arrive together share a round.
 *
 * Driven by replica.c; the loop thread. */
#ifndef KZ_CONSENSUS_READ_GATE_H
#define KZ_CONSENSUS_READ_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/consensus/replica.h"

#define KZ_ROUNDS_AHEAD 4u  /* rounds under way at once */
#define KZ_READS_MAX 65536u /* waiting at one node; more are told to come back */

struct kz_read {
    kz_read_callback callback;
    void *data;
    uint64_t round; /* 0 = waits for the next round */
    uint64_t index; /* commit index when the round began */
};

struct kz_read_gate {
    struct kz_read *reads; /* owned, in order of arrival, hence of rounds */
    size_t count, room;
    uint64_t round;     /* the last one begun in this term */
    uint64_t confirmed; /* answered by a majority up to here */
    uint64_t sent_ms;   /* the last probes */
    size_t lost_count;  /* the first reads, to be told that leadership was lost */
};

void kz_gate_fini(struct kz_read_gate *gate);
enum kz_code kz_gate_add(struct kz_read_gate *gate, kz_read_callback callback, void *data) KZ_MUST_CHECK;
/* A new term, or leadership lost: rounds begin anew, waiting reads fail. */
void kz_gate_reset(struct kz_read_gate *gate);
/* Begin a round for what waits, or ask again when an answer is overdue. */
void kz_gate_pump(struct kz_replica *r);
/* When kz_gate_pump wants to be called again; 0 = not. */
uint64_t kz_gate_deadline(const struct kz_replica *r);
struct kz_replica_peer;
/* `peer` answered round `round` of our term. */
void kz_gate_answered(struct kz_replica *r, struct kz_replica_peer *peer, uint64_t round);
/* Tell those that are through. Calls back: last of all. True = somebody was told. */
bool kz_gate_tell(struct kz_replica *r);

#endif
