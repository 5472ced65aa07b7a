/* SPDX-License-Identifier: Apache-2.0 */
/* A deterministic cluster: the real driver and core, real or in-memory stores, on virtual time with a seeded network,
 * disks and faults (DESIGN 10). Everything that happens follows from the seed. One process runs one seed at a time;
 * one thread. A broken promise ends the process through sim_fail with the command that replays it. */
#ifndef KZ_TESTS_CLUSTER_SIM_H
#define KZ_TESTS_CLUSTER_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "node/base/assert.h"
#include "node/base/buf.h"
#include "node/consensus/replica_core.h"
#include "node/service/outbox.h"
#include "proto/recover.pb-c.h"

#define SIM_NODES 12u /* ids 1..12 */
#define SIM_EPOCHS 3u /* 1, and one more for each recovery */
#define SIM_CLIENTS 4u
#define SIM_EXIT_FAILED 3
#define SIM_CHAOS_S 20u /* virtual seconds of faults, unless told otherwise */
#define US_PER_MS UINT64_C(1000)
#define US_PER_S UINT64_C(1000000)

struct sim;

/* ---- random and virtual time (sim_events.c) ---- */

uint64_t sim_random(struct sim *sim);
uint64_t sim_below(struct sim *sim, uint64_t limit);                /* 0 .. limit - 1; 0 for limit 0 */
uint64_t sim_between(struct sim *sim, uint64_t low, uint64_t high); /* both included */
bool sim_chance(struct sim *sim, double probability);
uint64_t sim_mix(uint64_t a, uint64_t b, uint64_t c);

enum sim_event_kind {
    SIM_PACKET,
    SIM_FLUSH,
    SIM_TIMER,
    SIM_WRITE,
    SIM_READ,
    SIM_CRASH,
    SIM_RESTART,
    SIM_CUT,
    SIM_HEAL,
    SIM_MEMBER,
    SIM_TRANSFER,
    SIM_LOST,  /* a connection to `other` broke */
    SIM_PAUSE, /* somebody's process stands still for a while (SIGSTOP) */
    SIM_WAKE,
    SIM_TICK,     /* a node's service timer */
    SIM_NOTE,     /* somebody reports an event to some node */
    SIM_DISASTER, /* a majority is destroyed */
    SIM_RECOVER,  /* what is left becomes a cluster of its own */
    SIM_RETURN,   /* a node thought destroyed comes back */
};
struct sim_packet;
struct sim_event {
    uint64_t at_us, order;
    enum sim_event_kind kind;
    uint64_t node, life, other;
    struct sim_packet *packet; /* owned */
};
void sim_post(struct sim *sim, uint64_t at_us, struct sim_event event);
bool sim_pop(struct sim *sim, struct sim_event *out);

/* ---- what a seed is made of (sim_profile.c) ---- */

/* Known-bad switches that are no guard of the driver: what goes wrong when it is on. */
#define SIM_BAD_TABLE(X)                                                                                               \
    X(DEDUPE, "a retry is applied again")                                                                              \
    X(REMOVED_COUNTS, "what a removed node holds counts for a voter")                                                  \
    X(TWO_CHANGES, "a leader forgets that a change is not committed yet")                                              \
    X(SAME_EPOCH, "recovery keeps the epoch")                                                                          \
    X(FENCE_OLD, "a node hears those of an older epoch")                                                               \
    X(FENCE_NEW, "a node hears those of a newer epoch")                                                                \
    X(CLIENT_EPOCH, "a client that knows an epoch takes answers of an older one")                                      \
    X(SURVIVOR, "recovery chooses the survivor that saw the highest term")                                             \
    X(NOTE_LOST, "what a node notes for itself does not survive a restart")                                            \
    X(NOTE_EARLY, "a note is called durable before it is")                                                             \
    X(NOTE_DROPPED, "an event is forgotten once it is handed in")                                                      \
    X(NOTE_ORDER, "all events of an origin are handed in at once")

enum sim_bad_bit {
#define X(name, what) SIM_BAD_BIT_##name,
    SIM_BAD_TABLE(X)
#undef X
        SIM_BAD_COUNT
};
#define SIM_BAD(name) (UINT32_C(1) << SIM_BAD_BIT_##name)
extern const char *const sim_bad_names[SIM_BAD_COUNT];

struct sim_options {
    uint32_t guards_off; /* KZ_GUARD bits */
    uint32_t bad;        /* SIM_BAD bits */
    bool lmdb;
    int verbose;
    unsigned chaos_s;      /* virtual seconds of faults */
    unsigned shape;        /* SIM_SHAPE bits forced on */
    const char *directory; /* lmdb: where the environments go */
    bool quiet;            /* no stderr */
    int report_fd;         /* where the outcome is written; -1 = told on stderr */
};
/* Special situations a seed may be shaped into; each seed draws some, mutants force theirs. */
#define SIM_SHAPE_LONE 1u /* membership may shrink to one voter */
#define SIM_SHAPE_FAST_MEMBER 2u
#define SIM_SHAPE_SLOW_INSTALL 4u
#define SIM_SHAPE_NO_CRASH 8u
#define SIM_SHAPE_NO_MEMBER 16u
#define SIM_SHAPE_CALM 32u /* nothing goes wrong: then every transfer of leadership must succeed */
#define SIM_SHAPE_TRANSFERS 64u
#define SIM_SHAPE_THREE 128u
#define SIM_SHAPE_MIXED_LOGS 256u     /* some nodes keep the whole log, others nearly nothing */
#define SIM_SHAPE_CHAOTIC_NET 512u    /* many doubles and stragglers */
#define SIM_SHAPE_MINORITY_DOWN 1024u /* for good, once healed: the others need each other's votes */
#define SIM_SHAPE_GROW 2048u          /* 2 -> 3 -> 5 -> 3 voters, and it must get there */
#define SIM_SHAPE_RECOVER 4096u       /* a majority is destroyed, a survivor recovered */
#define SIM_SHAPE_NOTES 8192u         /* many events, at any node */

struct sim_profile {
    unsigned voters, min_voters;
    uint32_t election_ms, heartbeat_ms, inflight, window_bytes, chunk_bytes, fast_ms;
    uint64_t ring_bytes, compact_bytes, compact_entries, trailing;
    uint32_t snapshot_timeout_ms, snapshot_keep_ms;
    uint64_t snapshot_rate;
    bool fifo, members, transfers, crashes, cuts, pauses, slow_install, kill_all, lost_events, mixed_logs, calm, grow,
        recover, notes;
    double loss, duplicate, crash_point, slow_disk;
    uint64_t delay_min_us, delay_max_us, bytes_per_ms; /* bytes_per_ms 0 = no limit */
    uint64_t write_every_us, read_every_us, crash_every_us, cut_every_us, member_every_us, transfer_every_us,
        pause_every_us, note_every_us;
    uint64_t down_max_us;
    unsigned batch, value_bytes;
    unsigned final_down; /* nodes that stay down in the healed phase */
};
void sim_draw_profile(struct sim *sim);

/* ---- store work (sim_disk.c): done in order; a crash keeps a prefix ---- */

enum sim_job_kind {
    SIM_HARD,
    SIM_APPEND,
    SIM_APPLY,
    SIM_COMPACT,
    SIM_IMPORT_BEGIN,
    SIM_IMPORT_ROWS,
    SIM_IMPORT_DROP,
    SIM_INSTALL,
    SIM_LOCAL
};
struct sim_job {
    struct sim_job *next;
    uint64_t seq; /* the driver's; of a SIM_LOCAL the outbox's */
    enum sim_job_kind kind;
    char key[KZ_KEY_MAX_BYTES]; /* SIM_LOCAL; its value is `bytes`, none = removed */
    uint64_t a, b;
    struct kz_entry *entries; /* owned, with their data */
    size_t count;
    uint8_t *bytes; /* owned */
    size_t size_bytes;
    struct kz_snapshot_meta *meta;   /* owned */
    struct kz_import_origin *origin; /* owned */
    struct kz_import_mark mark;
};

struct sim_node;
/* A store: the durable side of one node. */
struct sim_backend {
    void *(*make)(struct sim_node *node, const uint8_t *first_entry, size_t size_bytes); /* NULL = an empty node */
    void (*destroy)(void *store);
    void (*begin)(void *store);
    void (*run)(void *store, const struct sim_job *job);
    void (*commit)(void *store);
    void (*load)(void *store, struct kz_hard_state *hard, struct kz_applied *applied);
    bool (*import)(void *store, struct kz_import_origin *origin, struct kz_import_mark *mark); /* one is open */
    bool (*read_entry)(void *store, uint64_t index, struct kz_entry *entry, uint64_t *chain);
    void *(*export_open)(void *store, struct kz_snapshot_meta *meta);
    bool (*export_next)(void *store, void *export, uint8_t *out, size_t room, size_t *size_bytes);
    void (*export_close)(void *store, void *export);
    uint64_t (*applied)(void *store);
    size_t (*encode)(struct sim *sim, uint64_t write, uint8_t *out, size_t room); /* a command entry */
    size_t (*encode_note)(struct sim *sim, uint64_t write, const uint8_t *command, size_t size_bytes, uint8_t *out,
                          size_t room);         /* the entry of an event's command */
    bool (*holds)(void *store, uint64_t write); /* is the effect of the write or event in the state? */
    /* This node's own notes, in order of their keys. */
    void (*local_each)(void *store, const char *prefix, kz_local_visitor visit, void *data);
    void (*put_epoch)(void *store, uint64_t epoch);
    /* Where a recovery would begin, and how much of it another store shares (lineage.h); a model has none: NULL. */
    Kz__RecoverPoint *(*point)(void *store);
    uint64_t (*common)(void *store, const Kz__RecoverPoint *point, bool *exact);
    /* As kz_txn_recover; while the node is down. */
    void (*recover)(void *store, uint64_t epoch, const struct kz_buf *configuration, uint64_t term);
};
extern const struct sim_backend sim_mem_backend, sim_lmdb_backend;
/* The folder of the process `pid`, and its removal with what a failed seed left there. */
void sim_lmdb_scratch(const struct sim_options *options, pid_t pid, char *out, size_t room);
void sim_lmdb_clean(const char *scratch);

void sim_disk_queue(struct sim_node *node, struct sim_job job);
void sim_disk_flushed(struct sim_node *node);
void sim_disk_crash(struct sim_node *node);

/* ---- nodes (sim_node.c) ---- */

struct sim_node {
    struct sim *sim;
    uint64_t id;
    char address[32];
    bool exists, up, kept_down;
    bool destroyed; /* or so it is thought */
    bool survives;  /* a disaster, until somebody recovers */
    uint64_t life;  /* counts starts and crashes: events of an earlier life are void */
    uint64_t epoch; /* of the cluster it belongs to */
    uint64_t offset_ms, disk_us;
    struct kz_replica *replica; /* owned; NULL while down */
    struct kz_replica_io io;
    void *store; /* owned by the backend; survives crashes */
    struct sim_job *jobs, **jobs_end;
    size_t flushing;
    uint64_t timer_want_us, timer_armed_us, timer_spins, timer_spin_at_us;
    enum kz_raft_role role;
    uint64_t term, lead_last, commit_seen;
    uint64_t durable_last, durable_term, durable_vote;
    uint64_t paused_until_us;
    uint64_t steps;
    uint64_t restart_posted;
    struct kz_outbox *outbox; /* owned; NULL while down */
    struct kz_outbox_io outbox_io;
    struct sim_held *held;   /* owned: commands it keeps proposing */
    struct sim_asker *asked; /* owned: who waits for what it proposed for others */
    uint64_t local_seq, ticket, quorum_seen_us, ticks;
    uint64_t *done; /* owned: writes applied since it last looked */
    size_t done_count, done_room;
    uint64_t resumable; /* the transfer whose rows the store held at the last start; 0 = none */
};
void sim_node_make(struct sim_node *node, const uint8_t *first_entry, size_t size_bytes);
void sim_node_start(struct sim_node *node);
void sim_node_crash(struct sim_node *node, const char *why);
void sim_node_timer(struct sim_node *node);
void sim_node_after_input(struct sim_node *node);
struct sim_node *sim_leader(struct sim *sim);     /* the one of the highest epoch and term */
struct sim_node *sim_any_leader(struct sim *sim); /* whoever believes it */

/* ---- network (sim_net.c) ---- */

void sim_net_send(struct sim_node *from, uint64_t to, const Kz__PeerMessage *message, bool bulk);
void sim_net_deliver(struct sim *sim, const struct sim_packet *packet);
void sim_net_break(struct sim *sim, uint64_t id); /* all its connections */
void sim_net_free(struct sim_packet *packet);
void sim_net_cut(struct sim *sim);
void sim_net_heal(struct sim *sim);

/* ---- promises (sim_check.c) ---- */

struct sim_log_check { /* hash table: (index, term) -> chain */
    struct {
        uint64_t index, term, chain;
    } * slots;
    size_t count, room;
};
struct sim_write {
    uint64_t effect; /* index at which it took effect, 0 = not yet */
    bool acked;
};
/* One line of history: what the nodes of one epoch have promised. A recovery begins a new one. */
struct sim_checks {
    struct sim_log_check entries;
    uint64_t *committed; /* chain by index */
    uint64_t *states;    /* state hash by applied index */
    size_t committed_room, state_room;
    uint64_t committed_last, committed_term;
    uint64_t *leaders; /* id by term */
    size_t leader_room;
    struct sim_write *writes; /* by number, from 1 */
    size_t write_room;
    uint64_t noted_seq[SIM_NODES + 1]; /* of each origin: the last event that took effect */
    uint64_t acked_index;              /* highest effect that was acknowledged */
    uint64_t term_started;             /* highest term somebody stood for */
    struct {
        uint64_t target, term, until_us;
    } transfer; /* must have arrived by then; target 0 = none */
};
void sim_check_append(struct sim_node *node, uint64_t index, size_t count);
void sim_check_node(struct sim_node *node);
void sim_check_hard(struct sim_node *node, uint64_t term, uint64_t vote);
void sim_check_message(struct sim_node *from, uint64_t to, const Kz__PeerMessage *message);
void sim_check_configuration(struct sim_node *node);
void sim_check_transfer(struct sim *sim);
void sim_check_applied(struct sim_node *node, uint64_t index, uint64_t term, uint64_t chain);
struct sim_checks *sim_checks_of(const struct sim_node *node);
struct sim_write *sim_write_of(struct sim_checks *checks, uint64_t write);
void sim_check_effect(struct sim_node *node, uint64_t write, uint64_t index);
void sim_check_change(struct sim_node *node, uint64_t index);
void sim_check_majority(struct sim_node *node, uint64_t commit);
void sim_check_state(struct sim_node *node, uint64_t applied, uint64_t hash);
void sim_check_ack(struct sim_node *node, uint64_t write, uint64_t index);
void sim_check_answer(struct sim_node *node, uint64_t client);
void sim_checks_free(struct sim_checks *checks);
void sim_check_apply_asked(struct sim_node *node, uint64_t upto, uint64_t hint);
bool sim_is_converged(struct sim *sim, uint64_t healed_at);
void sim_check_end(struct sim *sim, uint64_t healed_at);
uint64_t sim_chain(struct sim_node *node, uint64_t index, bool *known);

/* ---- load and faults (sim_load.c, sim_faults.c) ---- */

struct sim_pending { /* a proposal without an answer */
    uint64_t node, life, term, index, write, client;
};
void sim_load_write(struct sim *sim);
void sim_load_read(struct sim *sim, struct sim_node *leader);
void sim_load_applied(struct sim_node *node, uint64_t index);
void sim_load_fini(struct sim *sim);
void sim_load_unknown(struct sim_node *node);    /* outcomes of this node's proposals are unknown */
struct sim_node *sim_pick_node(struct sim *sim); /* any there is */
void sim_fault_crash(struct sim *sim);
void sim_fault_member(struct sim *sim);
void sim_fault_transfer(struct sim *sim);
void sim_fault_lost(struct sim *sim, uint64_t lost);
void sim_fault_pause(struct sim *sim);
void sim_fault_wake(struct sim_node *node);
bool sim_fault_plan_done(const struct sim *sim);

/* ---- losing the majority (sim_recover.c) ---- */

struct sim_lost { /* what a recovery could not keep: acknowledged once, in an older epoch */
    uint64_t write, epoch;
};
void sim_recover_disaster(struct sim *sim);
void sim_recover_apply(struct sim *sim);
void sim_recover_return(struct sim *sim, struct sim_node *node);
void sim_recover_check(struct sim *sim);
void sim_recover_fini(struct sim *sim);

/* ---- events, and writes that pass from node to node (sim_notes.c) ---- */

struct sim_note {
    uint64_t write, origin, seq; /* origin: the node's id */
    char id[KZ_ID_MAX_BYTES + 1];
    void *waiting; /* borrowed: the outbox's handle of its reporter; NULL */
    bool accepted; /* its reporter was told that it is kept */
};
void sim_notes_open(struct sim_node *node);
void sim_notes_close(struct sim_node *node);
void sim_notes_tick(struct sim_node *node);
void sim_notes_take(struct sim *sim);                                                      /* somebody reports one */
bool sim_notes_hear(struct sim_node *node, uint64_t from, const Kz__PeerMessage *message); /* false: not for it */
void sim_notes_durable(struct sim_node *node, uint64_t local_seq);
void sim_notes_applied(struct sim_node *node);
void sim_notes_settle(struct sim_node *node); /* tells those who wait for what was applied */
void sim_notes_leader_changed(struct sim_node *node);
void sim_notes_done(struct sim_node *node, uint64_t write); /* was applied here */
uint64_t sim_notes_number(const Kz__Record *event);
const struct sim_note *sim_note_of(const struct sim *sim, uint64_t write); /* NULL: not an event */
bool sim_notes_quiet(struct sim *sim);
void sim_notes_check(struct sim *sim);
void sim_notes_fini(struct sim *sim);

/* ---- a run ---- */

#define SIM_STATS(X)                                                                                                   \
    X(events)                                                                                                          \
    X(messages)                                                                                                        \
    X(steps)                                                                                                           \
    X(commits)                                                                                                         \
    X(acked)                                                                                                           \
    X(reads)                                                                                                           \
    X(crashes)                                                                                                         \
    X(starts)                                                                                                          \
    X(elections)                                                                                                       \
    X(truncations)                                                                                                     \
    X(snapshots)                                                                                                       \
    X(installs)                                                                                                        \
    X(resumed)                                                                                                         \
    X(compactions)                                                                                                     \
    X(changes)                                                                                                         \
    X(transfers)                                                                                                       \
    X(retries)                                                                                                         \
    X(cuts) X(pauses) X(hinted) X(virtual_us) X(notes) X(provisional) X(offers) X(recoveries) X(lost) X(uncertain)     \
        X(surplus) X(fenced) X(plans)
struct sim_stats {
#define X(name) uint64_t name;
    SIM_STATS(X)
#undef X
};

/* What a seed's process tells the one that started it. */
struct sim_report {
    uint64_t seed, at_us;
    bool failed;
    char text[240];
    struct sim_stats stats;
};

struct sim {
    struct sim_options options;
    char scratch[128]; /* lmdb: this seed's folder */
    uint64_t seed, random, now_us;
    struct sim_profile profile;
    const struct sim_backend *backend;
    struct sim_node nodes[SIM_NODES + 1]; /* by id; 0 unused */
    bool cut[SIM_NODES + 1][SIM_NODES + 1];
    uint64_t link_free_us[SIM_NODES + 1][SIM_NODES + 1][2]; /* [1]: bulk */
    uint64_t link_last_us[SIM_NODES + 1][SIM_NODES + 1][2];
    uint64_t link_number[SIM_NODES + 1][SIM_NODES + 1];  /* of the connection, ... */
    uint64_t link_made_us[SIM_NODES + 1][SIM_NODES + 1]; /* ... which carries something from then on */
    bool chaos;
    struct sim_event *heap; /* owned */
    size_t heap_count, heap_room;
    uint64_t heap_order;
    struct sim_checks checks[SIM_EPOCHS + 1]; /* by epoch; 0 unused */
    uint64_t epoch;                           /* the newest there is */
    uint64_t client_epoch[SIM_CLIENTS];       /* the newest each has learned of */
    uint64_t client_seen[SIM_CLIENTS];        /* the newest each has taken an answer of: for the check */
    uint64_t write_count;
    struct sim_note *notes; /* owned */
    size_t note_count, note_room;
    struct sim_lost *lost; /* owned */
    size_t lost_count, lost_room;
    Kz__RecoverPoint *points[SIM_EPOCHS + 1]; /* owned: where each epoch began; NULL */
    bool disaster;                            /* a majority is gone, nobody has recovered yet */
    const unsigned *plan;                     /* numbers of voters still to be reached, 0 ends; NULL = none */
    struct sim_pending *pending;              /* owned */
    size_t pending_count, pending_room;
    struct sim_read *reads; /* owned: without an answer */
    uint64_t *retries;      /* owned: writes of unknown outcome */
    size_t retry_count, retry_room;
    struct sim_stats stats;
};
void sim_run(struct sim *sim, const struct sim_options *options, uint64_t seed);
void sim_story(struct sim *sim, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void sim_fail(struct sim *sim, const char *fmt, ...) __attribute__((format(printf, 2, 3), noreturn));

#endif
