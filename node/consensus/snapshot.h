/* SPDX-License-Identifier: Apache-2.0 */
/* A state too far ahead of a follower's log goes as a stream of chunks: metadata in chunk 0, rows, and a digest over
 * everything in the last; each chunk has its own XXH3. At most KZ_SNAPSHOT_WINDOW chunks are unacknowledged, and a
 * chunk is acknowledged when its rows are durable at the receiver, which paces the sender by the slower disk or link (and on a slow link so
 * that heartbeats do not wait long behind chunks);
 * snapshot_rate is what it may take at most. The receiver writes rows to the idle generation; the core hears of the
 * snapshot only when all is there and right.
 *
 * Resuming: the sender keeps its view, and what is unacknowledged, for snapshot_keep_ms without any progress; the
 * receiver stores with each chunk's rows which transfer they belong to, the next sequence and the digest so far. So
 * whatever breaks (connection, receiver), the next chunk that arrives is answered with what is durable, and the
 * transfer goes on there. A transfer is one leader's in one term (its number holds the term): with a restarted or new
 * leader, or when the receiver's rows are of another number, it begins anew.
 *
 * Driven by replica.c; the loop thread. Makes at most one chunk per call. */
#ifndef KZ_CONSENSUS_SNAPSHOT_H
#define KZ_CONSENSUS_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/consensus/replica.h"

struct kz_snapshot_out; /* one per peer */
struct kz_replica_peer;

struct kz_snapshot_in {
    bool active;
    bool fed; /* the core has it: it is being installed */
    struct kz_import_origin origin;
    uint64_t next;    /* sequence expected */
    uint64_t pending; /* chunks handed to the store and not yet durable */
    uint64_t stored;  /* chunks before this sequence are durable */
    bool complete;    /* the last chunk came and the digest is right */
    uint8_t digest[KZ_HASH_BYTES];
};

/* Leader: the core wants `peer` to get a snapshot. Does nothing while one is on its way. */
void kz_snapshot_offer(struct kz_replica *r, struct kz_replica_peer *peer);
void kz_snapshot_acked(struct kz_replica *r, struct kz_replica_peer *peer, const Kz__SnapshotAck *ack);
/* Make and send at most one chunk, or repeat what is overdue. */
void kz_snapshot_pump(struct kz_replica *r, struct kz_replica_peer *peer);
/* When kz_snapshot_pump wants to be called again; 0 = not. */
uint64_t kz_snapshot_deadline(const struct kz_replica *r, const struct kz_replica_peer *peer);
void kz_snapshot_stop(struct kz_replica *r, struct kz_replica_peer *peer);
/* The connection broke: what is unacknowledged goes again, soon. */
void kz_snapshot_peer_lost(struct kz_replica_peer *peer);

/* Follower: a checked chunk. */
void kz_snapshot_chunk(struct kz_replica *r, uint64_t from, const Kz__SnapshotChunk *chunk);
/* The rows of this chunk are durable. */
void kz_snapshot_stored(struct kz_replica *r, uint64_t transfer, uint64_t sequence);
/* Acknowledge what became durable; give the core a snapshot that is complete. */
void kz_snapshot_settle(struct kz_replica *r);
/* The store could not take the rows. */
void kz_snapshot_refuse(struct kz_replica *r);
/* What the core was given is installed and durable. */
void kz_snapshot_installed(struct kz_replica *r);
/* Gives up a transfer that cannot go on: its leader's term is over, or the log brought us as far. */
void kz_snapshot_review(struct kz_replica *r);

/* The digest after one more chunk: SHA-256(digest before, data). A chain, so that its state is 32 bytes on any
 * library's version. */
void kz_snapshot_digest(uint8_t digest[KZ_HASH_BYTES], const uint8_t *data, size_t size_bytes);

#endif
