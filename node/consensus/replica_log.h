/* SPDX-License-Identifier: Apache-2.0 */
/* What the driver remembers of its log: the term of every entry (as runs), recent entries with their bytes in a
 * ring, and the membership changes not yet applied. The durable log is the store's. No I/O; the loop thread. */
#ifndef KZ_CONSENSUS_REPLICA_LOG_H
#define KZ_CONSENSUS_REPLICA_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/store/store.h"

struct kz_replica_log_slot {
    uint64_t term;
    uint64_t chain; /* hash of the log up to and including this entry */
    uint64_t total; /* bytes of all entries up to this one since the log was made */
    uint8_t *data;  /* owned */
    uint32_t size_bytes;
    uint8_t type;
};

struct kz_replica_log_run { /* entries from `first` on are of `term` */
    uint64_t first, term;
};

struct kz_replica_log_mark { /* bytes of all entries up to `index`, every KZ_LOG_MARK_EVERY entries */
    uint64_t index, total;
};
#define KZ_LOG_MARK_EVERY 64u

struct kz_replica_log_change { /* a RAFT_CHANGE entry that is not applied yet */
    uint64_t index;
    uint8_t *data; /* owned */
    size_t size_bytes;
};

struct kz_replica_log {
    uint64_t base_index, base_term, base_chain; /* the durable log begins after this entry */
    uint64_t base_total;                        /* bytes before it */
    uint64_t last;
    struct kz_replica_log_run *runs; /* owned, ascending */
    size_t run_count, run_room;
    struct kz_replica_log_slot *slots; /* owned ring, room is a power of two; holds ring_first .. last */
    size_t slot_room;
    uint64_t ring_first;
    uint64_t ring_base_chain; /* chain up to ring_first - 1 */
    uint64_t ring_base_total;
    uint64_t ring_bytes;
    struct kz_replica_log_mark *marks; /* owned, ascending */
    size_t mark_count, mark_room;
    struct kz_replica_log_change *changes; /* owned, ascending */
    size_t change_count, change_room;
};

/* An empty log after entry `base_index`. Frees what was there: starts from zeroed memory. */
void kz_replica_log_reset(struct kz_replica_log *log, uint64_t base_index, uint64_t base_term, uint64_t base_chain);
void kz_replica_log_fini(struct kz_replica_log *log);

/* At start: an entry the durable log holds already; not kept in the ring. */
void kz_replica_log_load(struct kz_replica_log *log, const struct kz_entry *entry, uint64_t chain);
/* A new entry (copied). */
void kz_replica_log_append(struct kz_replica_log *log, const struct kz_entry *entry);
/* Drop entries >= index. `chain_before` is the hash up to index - 1, needed when that is below the ring. */
void kz_replica_log_truncate(struct kz_replica_log *log, uint64_t index, uint64_t chain_before);
/* The durable log now begins after `index`, which has hash `chain`. */
void kz_replica_log_drop_prefix(struct kz_replica_log *log, uint64_t index, uint64_t chain);
/* Shrink the ring to `limit_bytes`, keeping what lies above `durable`. */
void kz_replica_log_evict(struct kz_replica_log *log, uint64_t limit_bytes, uint64_t durable);

uint64_t kz_replica_log_term(const struct kz_replica_log *log, uint64_t index); /* 0 = not known */
/* NULL below the ring. Borrowed until the log changes. */
const struct kz_replica_log_slot *kz_replica_log_get(const struct kz_replica_log *log, uint64_t index);
/* The hash up to `index`, when the driver has it at hand. */
bool kz_replica_log_chain(const struct kz_replica_log *log, uint64_t index, uint64_t *chain);
/* Bytes of all entries up to `index`; to the last mark when below the ring. */
uint64_t kz_replica_log_total(const struct kz_replica_log *log, uint64_t index);
/* The lowest index so that entries above it, up to `upto`, hold at most `bytes` (to a mark's precision). */
uint64_t kz_replica_log_tail_of(const struct kz_replica_log *log, uint64_t upto, uint64_t bytes);

const struct kz_replica_log_change *kz_replica_log_find_change(const struct kz_replica_log *log, uint64_t index);
/* Forget changes at or below `index`. */
void kz_replica_log_forget_changes(struct kz_replica_log *log, uint64_t index);

#endif
