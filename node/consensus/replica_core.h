/* SPDX-License-Identifier: Apache-2.0 */
/* The replica's inside, shared by the files of this folder and its tests. Order of reading: replica.c (inputs),
 * replica_step.c (one raft_step and its update), replica_receive.c, replica_work.c, replica_send.c. The loop thread. */
#ifndef KZ_CONSENSUS_REPLICA_CORE_H
#define KZ_CONSENSUS_REPLICA_CORE_H

#include <raft.h>

#include "node/consensus/guards.h"
#include "node/consensus/read_gate.h"
#include "node/consensus/replica.h"
#include "node/consensus/replica_log.h"
#include "node/consensus/snapshot.h"

#define KZ_PROPOSALS_MAX 4096u           /* queued in one loop turn */
#define KZ_PEERS_MAX 16u                 /* members, and those that left not long ago */
#define KZ_OUTBOX_MAX 4096u              /* messages waiting for a durable term or vote; more are dropped */
#define KZ_FLIGHT_MAX 128u               /* AppendEntries with entries on their way to one peer */
#define KZ_APPEND_SOFT_BYTES (64u << 10) /* one AppendEntries; small, because each counts as a heartbeat */
#define KZ_APPEND_MAX_ENTRIES 1024u      /* in one AppendEntries, sent or taken */
#define KZ_ENTRY_OVERHEAD_BYTES 24u      /* term, type and length of one entry on the wire, about */
#define KZ_REPEAT_HEARTBEATS 3u          /* entries under way are not repeated sooner; twice as long each time, ... */
#define KZ_REPEAT_HEARTBEATS_MAX 96u     /* ... up to this */
#define KZ_WINDOW_MIN_BYTES (16u << 10)  /* a window starts with this much and never falls below */
#define KZ_APPLY_STEP_ENTRIES 1024u      /* one piece of apply work */
#define KZ_APPLY_AHEAD_ENTRIES 4096u     /* asked of the store and not yet applied */
#define KZ_COMPACT_PATIENCE 4u           /* times the thresholds, for a follower that is close behind */

static_assert(16 + KZ_NODES_MAX * (KZ_ADDRESS_MAX_BYTES + 9) <= KZ_CONFIGURATION_MAX_BYTES, "all servers fit");
static_assert(KZ_APPEND_SOFT_BYTES + KZ_ENTRY_MAX_BYTES < KZ_PEER_FRAME_MAX_BYTES, "an AppendEntries fits a frame");

/* Store work under way, in order of seq. */
enum kz_replica_job_kind {
    JOB_HARD,
    JOB_APPEND,
    JOB_APPLY,
    JOB_COMPACT,
    JOB_IMPORT_BEGIN,
    JOB_IMPORT,
    JOB_IMPORT_DROP,
    JOB_INSTALL
};
struct kz_replica_job {
    uint64_t seq;
    enum kz_replica_job_kind kind;
    uint64_t first, valid_last;  /* APPEND: what is still the log's; valid_last < first = nothing */
    uint64_t upto, term;         /* APPLY */
    uint64_t transfer, sequence; /* IMPORT: the chunk to acknowledge */
};

/* A message that waits until everything up to `need_seq` is durable. AppendEntries name a range of the log. */
enum kz_replica_outgoing_kind { OUT_CORE, OUT_PROBE, OUT_PROBE_RESULT };
struct kz_replica_outgoing {
    uint64_t need_seq, peer;
    enum kz_replica_outgoing_kind kind;
    struct raft_message core;
    uint64_t term, round; /* probes */
};

/* What goes to one peer. Entries beyond the window are held back here, and the window follows how quickly answers
 * come: a slow link carries about as much as it takes in a heartbeat or two, so that nothing waits long behind it. */
struct kz_replica_flight {
    uint64_t last, bytes, sent_ms;
};
struct kz_replica_window {
    uint64_t start;      /* first index of the range since the core last (re)started it; 0 = none */
    uint64_t next, last; /* next .. last are to be sent */
    uint64_t started_ms;
    uint64_t bytes;       /* under way */
    uint64_t limit_bytes; /* what may be: grows while answers come quickly, shrinks when they do not */
    uint64_t repeat_ms;   /* what is under way is not repeated sooner */
    struct kz_replica_flight flights[KZ_FLIGHT_MAX];
    size_t flight_first, flight_count;
};

struct kz_replica_peer {
    uint64_t id;
    uint64_t heard_ms; /* any answer of the current term; 0 = never */
    uint64_t ack_round;
    struct kz_replica_window window;
    struct kz_snapshot_out *snapshot; /* owned; NULL = no transfer */
    uint64_t kept_ms;                 /* the last heartbeat in place of a snapshot */
    uint64_t snapshot_index;          /* of the last one sent */
    uint64_t snapshot_hold_ms;        /* no new transfer before */
};

struct kz_replica_proposal {
    uint8_t *data; /* owned */
    size_t size_bytes;
};

struct kz_replica {
    struct kz_replica_options options;
    char address[KZ_ADDRESS_MAX_BYTES];
    const struct kz_replica_io *io; /* borrowed */
    struct raft core;
    bool core_open, started, dead, busy;
    struct kz_hard_state hard; /* as it was at start, until `started` */

    struct kz_replica_log log;
    uint64_t seq, seq_durable, hard_seq;
    struct kz_replica_job *jobs; /* owned ring */
    size_t job_room, job_first, job_count;

    uint64_t stored;      /* = core.last_stored */
    uint64_t commit;      /* never goes back */
    uint64_t core_commit; /* highest the core named: what may be fed back to it */
    uint64_t apply_asked, applied, applied_term;
    uint64_t applied_told;
    uint64_t conf_cursor; /* changes up to here were given back to the core as committed */
    uint64_t conf_index;  /* of the applied configuration */
    uint8_t conf[KZ_CONFIGURATION_MAX_BYTES];
    size_t conf_bytes;
    uint64_t compacted; /* index of the core's last snapshot */

    bool installing;
    struct kz_snapshot_meta install;
    uint64_t install_seq;
    struct kz_snapshot_in incoming;
    uint32_t transfers;   /* counter for transfer numbers */
    size_t snapshot_turn; /* whose chunk is next */
    int64_t allowance;    /* bytes of snapshots that may go now; below 0 = gone too many */
    uint64_t allowance_ms;

    enum raft_state state_seen;
    uint64_t lead_start;                         /* index of the first entry of our own term */
    uint64_t transfer_target, transfer_until_ms; /* leadership waits to go there; 0 = no */
    enum kz_raft_role told_role;
    uint64_t told_term, told_leader;
    bool told_once;

    struct kz_replica_peer peers[KZ_PEERS_MAX];
    size_t peer_count;
    uint64_t leader_heard_ms;
    uint64_t fast_until_ms; /* 0 = the election timeout is the ordinary one */

    struct kz_replica_outgoing *outbox; /* owned ring */
    size_t outbox_room, outbox_first, outbox_count;

    struct kz_replica_proposal *proposals; /* owned: queued, not yet submitted */
    size_t proposal_count, proposal_room;
    uint64_t proposal_bytes;

    struct kz_read_gate gate;
    uint64_t timer_ms;
};

/* Where the bytes of entries come from that an update names: those we gave the core in this step. */
struct kz_replica_input {
    const struct kz_entry *entries;
    uint64_t first_index;
    size_t count;
    uint64_t answered_term; /* term of the message an AppendEntriesResult of this step answers; 0 = none */
};

/* replica.c */
uint64_t kz_replica_now(const struct kz_replica *r);
void kz_replica_die(struct kz_replica *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
struct kz_replica_peer *kz_replica_peer(struct kz_replica *r, uint64_t id); /* found or made; NULL = too many */
struct kz_replica_peer *kz_replica_find_peer(const struct kz_replica *r, uint64_t id);
bool kz_replica_is_leader(const struct kz_replica *r);
bool kz_replica_is_ready(const struct kz_replica *r);
size_t kz_replica_voters(const struct kz_replica *r);
void kz_replica_submit(struct kz_replica *r); /* queued proposals -> core */
bool kz_replica_enter(struct kz_replica *r);  /* false: dead or not started */
void kz_replica_leave(struct kz_replica *r);  /* follow-up work, timer, callbacks */
void kz_replica_end_fast_election(struct kz_replica *r);

/* replica_member.c */
void kz_replica_pump_transfer(struct kz_replica *r);

/* replica_step.c: one event and its update. False: dead. */
bool kz_replica_step(struct kz_replica *r, struct raft_event *event, const struct kz_replica_input *input);
bool kz_replica_feed_change(struct kz_replica *r, uint64_t index);

/* replica_work.c */
uint64_t kz_replica_add_job(struct kz_replica *r, struct kz_replica_job job); /* returns its seq */
void kz_replica_cut_jobs(struct kz_replica *r, uint64_t index);               /* appended from `index` on is void */
void kz_replica_pump_work(struct kz_replica *r);                              /* apply, compact */

/* replica_send.c */
void kz_replica_send_core(struct kz_replica *r, const struct raft_message *message,
                          const struct kz_replica_input *input);
void kz_replica_send_probe(struct kz_replica *r, enum kz_replica_outgoing_kind kind, uint64_t peer, uint64_t term,
                           uint64_t round);
void kz_replica_drain(struct kz_replica *r);
void kz_replica_window_acked(struct kz_replica *r, struct kz_replica_peer *peer, uint64_t last_index);
void kz_replica_window_reset(struct kz_replica_peer *peer);

/* replica_wire.c: what comes from the wire is checked before the core sees it. */
enum kz_code kz_wire_check(const struct kz_replica *r, uint64_t from, const Kz__PeerMessage *message,
                           struct kz_err *err) KZ_MUST_CHECK;

/* replica_conf.c */
enum kz_code kz_conf_check(const uint8_t *data, size_t size_bytes, struct kz_err *err) KZ_MUST_CHECK;
bool kz_conf_decode(const uint8_t *data, size_t size_bytes, struct raft_configuration *out); /* checked bytes only */

/* replica_start.c */
bool kz_replica_step_start(struct kz_replica *r);

#endif
