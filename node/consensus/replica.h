/* SPDX-License-Identifier: Apache-2.0 */
/* One node's part in consensus: drives libraft's raft_step() and turns its updates into ordered store work and peer
 * messages (DESIGN 4, LIBRARIES "libraft"). It reads no clock, socket or disk and starts no thread: time, work,
 * messages and timers go through `struct kz_replica_io`, so the simulator runs this very code.
 *
 * Thread: one, the loop. Callbacks of the io that ask for work or messages must not call back into the replica. The
 * upward ones (role_changed, applied, read callbacks) fire last and may call propose, read, transfer and getters. */
#ifndef KZ_CONSENSUS_REPLICA_H
#define KZ_CONSENSUS_REPLICA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/base/buf.h"
#include "node/base/err.h"
#include "node/store/store.h"
#include "proto/peer.pb-c.h"
#include "proto/wire.h"

struct kz_replica;

#define KZ_ADDRESS_MAX_BYTES 344u       /* of a server as it stands in the configuration, NUL included: opaque here */
#define KZ_CONFIGURATION_MAX_BYTES 4096 /* = kz_applied.configuration */
#define KZ_SNAPSHOT_WINDOW 16u          /* chunks on their way to one peer, at most */
#define KZ_TERM_MAX (UINT64_C(1) << 47) /* terms and indexes from the wire above this are refused */

enum kz_raft_role { KZ_RAFT_FOLLOWER, KZ_RAFT_CANDIDATE, KZ_RAFT_LEADER };
const char *kz_raft_role_name(enum kz_raft_role role); /* "follower" */

struct kz_replica_options {
    uint64_t id;         /* not 0 */
    const char *address; /* copied */
    uint32_t election_timeout_ms;
    uint32_t heartbeat_ms;
    uint32_t fast_election_ms; /* timeout after the leader's connection was lost; 0 = leave the timeout alone */
    uint32_t max_inflight_entries;
    uint32_t window_bytes;        /* entry bytes on their way to one peer; 0 = KZ_REPLICA_WINDOW_BYTES */
    uint32_t chunk_bytes;         /* snapshot chunk, at most KZ_CHUNK_MAX_BYTES; 0 = KZ_REPLICA_CHUNK_BYTES */
    uint64_t ring_bytes;          /* recent entries kept in memory for followers */
    uint64_t trailing_entries;    /* kept below the applied one for followers that were away, ... */
    uint64_t compact_bytes;       /* ... but no more than this much; compact when that drops as much */
    uint64_t compact_entries;     /* ... or this many entries */
    uint32_t snapshot_timeout_ms; /* the core asks for a snapshot again; 0 = 30 s */
    uint32_t snapshot_keep_ms;    /* a transfer without progress can be resumed so long; 0 = ..._KEEP_MS */
    uint64_t snapshot_rate;       /* bytes/s, all transfers of this node together; 0 = no limit */
    uint32_t seed;                /* of the election timer's random */
    uint32_t guards;              /* KZ_GUARD_ALL; the simulator switches single ones off (guards.h) */
    bool no_pre_vote;             /* false in production */
};
#define KZ_REPLICA_WINDOW_BYTES (2u << 20)
#define KZ_REPLICA_CHUNK_BYTES (32u << 10) /* small, for slow links: the window makes up for it on quick ones */
#define KZ_REPLICA_SNAPSHOT_KEEP_MS (10u * 60 * 1000) /* a view held so long keeps old pages from being used again */
#define KZ_REPLICA_SNAPSHOT_RATE (32u << 20)
#define KZ_GUARD_ALL UINT32_MAX
/* LAN values of LIBRARIES "Timers" and the sizes above; id, address, seed remain to be set. */
void kz_replica_options_default(struct kz_replica_options *options);

struct kz_replica_io {
    void *data;                     /* first argument of all */
    uint64_t (*now_ms)(void *data); /* monotonic */

    /* Durable work, done strictly in the order given; seq increases by one. `kz_replica_stored` later. Bytes are
     * borrowed for the call. */
    void (*put_hard)(void *data, uint64_t seq, uint64_t term, uint64_t voted_for);
    void (*append)(void *data, uint64_t seq, uint64_t index, const struct kz_entry *entries,
                   size_t count); /* replaces everything from `index` on */
    void (*apply)(void *data, uint64_t seq, uint64_t upto, uint64_t commit_hint);
    void (*compact)(void *data, uint64_t seq, uint64_t upto);
    void (*import_begin)(void *data, uint64_t seq, const struct kz_import_origin *origin);
    void (*import_rows)(void *data, uint64_t seq, const uint8_t *rows, size_t size_bytes,
                        const struct kz_import_mark *mark);
    void (*import_drop)(void *data, uint64_t seq);
    void (*install)(void *data, uint64_t seq, const struct kz_snapshot_meta *meta); /* the log is empty afterwards */

    /* A durable log entry and the chain hash up to it; the data is borrowed until the next call. */
    bool (*read_entry)(void *data, uint64_t index, struct kz_entry *entry, uint64_t *chain);

    /* The state as a snapshot. `open` returns NULL when it cannot now; `next` fills at most `room` bytes, 0 = end,
     * false = damaged. The metadata names the state at the moment of open. */
    void *(*export_open)(void *data, struct kz_snapshot_meta *meta);
    bool (*export_next)(void *data, void *export, uint8_t *out, size_t room, size_t *size_bytes);
    void (*export_close)(void *data, void *export);

    /* Messages: borrowed for the call; may be dropped. `send_bulk` must not delay what `send` sends; false: not taken,
     * asked again soon. */
    void (*send)(void *data, uint64_t peer, const Kz__PeerMessage *message);
    bool (*send_bulk)(void *data, uint64_t peer, const Kz__PeerMessage *message);

    /* Call kz_replica_tick at this time; replaces the earlier one. */
    void (*set_timer)(void *data, uint64_t at_ms);

    /* Upward, fired last. On the loss of leadership every proposal's outcome is unknown. */
    void (*role_changed)(void *data, enum kz_raft_role role, uint64_t term, uint64_t leader_id);
    void (*applied)(void *data, uint64_t index); /* durable and applied up to here */
    /* Going on would break a promise: log and end the process. The replica does nothing after it. */
    void (*fatal)(void *data, const char *text);
};

/* `io` is borrowed until free. */
struct kz_replica *kz_replica_new(const struct kz_replica_options *options, const struct kz_replica_io *io);
void kz_replica_free(struct kz_replica *replica); /* NULL is legal; no callback fires */

/* Reads the log through io->read_entry. KZ_CORRUPT when log, state and hard state do not fit together. */
enum kz_code kz_replica_start(struct kz_replica *replica, const struct kz_hard_state *hard,
                              const struct kz_applied *applied, struct kz_err *err) KZ_MUST_CHECK;

/* Between new and start, when the store holds an import (kz_view_import): chunks of that transfer go on behind it. */
void kz_replica_resume_import(struct kz_replica *replica, const struct kz_import_origin *origin,
                              const struct kz_import_mark *mark);

/* ---- inputs ---- */

/* Any PeerMessage; those that are not consensus' are ignored. KZ_PROTOCOL: the message breaks the protocol (nothing
 * was changed); the caller may log it and drop the connection. */
enum kz_code kz_replica_receive(struct kz_replica *replica, uint64_t from, const Kz__PeerMessage *message,
                                struct kz_err *err) KZ_MUST_CHECK;
void kz_replica_tick(struct kz_replica *replica);
/* Everything up to `seq` is durable. Never from inside an io callback. */
void kz_replica_stored(struct kz_replica *replica, uint64_t seq);
/* The rows given with `seq` made no sense to the store (kz_writer import_failed): before `stored` of that seq. */
void kz_replica_import_failed(struct kz_replica *replica, uint64_t seq, const char *why);
/* The connection to `peer` was reset or closed: a lost leader is replaced quickly (LIBRARIES "Timers"). */
void kz_replica_peer_lost(struct kz_replica *replica, uint64_t peer);
/* Low on space: end the snapshots being sent, whose views keep old pages from being used again; those followers wait
 * snapshot_timeout_ms before the next try. */
void kz_replica_stop_snapshots(struct kz_replica *replica);
/* Submit what was proposed and start a read round: call at the end of a loop turn. Other inputs do it too. */
void kz_replica_flush(struct kz_replica *replica);

/* Queue one command entry (copied). KZ_NOT_LEADER, KZ_BUSY over KZ_PROPOSAL_QUEUE_MAX_BYTES not yet committed,
 * KZ_TOO_BIG over KZ_ENTRY_MAX_BYTES. It is applied when io->applied reaches *out_index while the term is still
 * *out_term at this node without a role change in between; else its outcome is unknown. */
enum kz_code kz_replica_propose(struct kz_replica *replica, const uint8_t *data, size_t size_bytes, uint64_t *out_index,
                                uint64_t *out_term) KZ_MUST_CHECK;

enum kz_change { KZ_CHANGE_ADD, KZ_CHANGE_PROMOTE, KZ_CHANGE_DEMOTE, KZ_CHANGE_REMOVE };
/* One server, one change. ADD makes a stand-by (`address` copied; else NULL). PROMOTE starts catching up and answers
 * KZ_BUSY until that has ended: ask again. KZ_BUSY also while an earlier change settles, KZ_INVALID with a reason. */
enum kz_code kz_replica_propose_change(struct kz_replica *replica, enum kz_change change, uint64_t id,
                                       const char *address, struct kz_err *err) KZ_MUST_CHECK;
/* Give leadership to `target` (0 = the voter that holds most). KZ_OK: under way; proposals are refused (KZ_BUSY) until
 * the target holds everything and is told, or an election timeout has passed and nothing has changed. */
enum kz_code kz_replica_transfer(struct kz_replica *replica, uint64_t target, struct kz_err *err) KZ_MUST_CHECK;

/* Linearizable read (read_gate.h): `callback` fires once, later: KZ_OK with the index that must be applied before
 * reading, or KZ_NOT_LEADER when leadership was lost. Returns KZ_NOT_LEADER at once elsewhere, KZ_BUSY when full. */
typedef void (*kz_read_callback)(void *data, enum kz_code code, uint64_t read_index);
enum kz_code kz_replica_read(struct kz_replica *replica, kz_read_callback callback, void *data) KZ_MUST_CHECK;

/* ---- what is the state? ---- */

struct kz_member {
    uint64_t id;
    char address[KZ_ADDRESS_MAX_BYTES];
    bool voter;
};
struct kz_replica_status {
    enum kz_raft_role role;
    uint64_t term;
    uint64_t leader_id; /* 0 = none known */
    uint64_t commit_index, applied_index, stored_index;
    uint64_t first_index, last_index;
    bool ready;                 /* leader that may serve reads: an entry of its term is committed */
    bool quorum;                /* leader: a majority answered within an election timeout; else: a leader was heard */
    uint64_t leader_contact_ms; /* monotonic time the leader was last heard; 0 = never */
    bool installing;            /* a received snapshot is being stored */
};
void kz_replica_get_status(const struct kz_replica *replica, struct kz_replica_status *out);
/* The log index of the configuration that kz_replica_members tells; 0 = there is none yet. *committed: it can no longer
 * be replaced by an earlier one. */
uint64_t kz_replica_configuration(const struct kz_replica *replica, bool *committed);
/* Copies at most `room` members, returns how many there are. */
size_t kz_replica_members(const struct kz_replica *replica, struct kz_member *out, size_t room);
/* Leader only: the highest index `peer` is known to hold, and when (monotonic) it was last heard; else false. */
bool kz_replica_peer_progress(const struct kz_replica *replica, uint64_t peer, uint64_t *match_index,
                              uint64_t *heard_ms);

/* ---- the first configuration ---- */

/* Fills `out` with the data of entry 1 (term 1, KZ_ENTRY_CHANGE): all members as voters, sorted by id so that all
 * nodes make the same. Store it with hard state (term 1, vote 0) before the first start. */
enum kz_code kz_replica_bootstrap_entry(const struct kz_member *members, size_t count, struct kz_buf *out,
                                        struct kz_err *err) KZ_MUST_CHECK;

#endif
