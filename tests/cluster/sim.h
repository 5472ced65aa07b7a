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
#include "node/consensus/replica_core.h"

#define SIM_NODES 9u /* ids 1..9 */
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
};
struct sim_packet;
struct sim_event {
    uint64_t at_us, order;
    enum sim_event_kind kind;
    uint64_t node, epoch, other;
    struct sim_packet *packet; /* owned */
};
void sim_post(struct sim *sim, uint64_t at_us, struct sim_event event);
bool sim_pop(struct sim *sim, struct sim_event *out);

/* ---- what a seed is made of (sim_profile.c) ---- */

struct sim_options {
    uint32_t guards_off; /* KZ_GUARD bits */
    bool dedupe_off;     /* mutant of the store: a retry is applied again */
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

struct sim_profile {
    unsigned voters, min_voters;
    uint32_t election_ms, heartbeat_ms, inflight, window_bytes, chunk_bytes, fast_ms;
    uint64_t ring_bytes, compact_bytes, compact_entries, trailing;
    uint32_t snapshot_timeout_ms;
    bool fifo, members, transfers, crashes, cuts, pauses, slow_install, kill_all, lost_events, mixed_logs, calm;
    double loss, duplicate, crash_point, slow_disk;
    uint64_t delay_min_us, delay_max_us, bytes_per_ms; /* bytes_per_ms 0 = no limit */
    uint64_t write_every_us, read_every_us, crash_every_us, cut_every_us, member_every_us, transfer_every_us,
        pause_every_us;
    uint64_t down_max_us;
    unsigned batch, value_bytes;
    unsigned final_down; /* nodes that stay down in the healed phase */
};
void sim_draw_profile(struct sim *sim);

/* ---- store work (sim_disk.c): done in order; a crash keeps a prefix ---- */

enum sim_job_kind { SIM_HARD, SIM_APPEND, SIM_APPLY, SIM_COMPACT, SIM_IMPORT_BEGIN, SIM_IMPORT_ROWS, SIM_INSTALL };
struct sim_job {
    struct sim_job *next;
    uint64_t seq;
    enum sim_job_kind kind;
    uint64_t a, b;
    struct kz_entry *entries; /* owned, with their data */
    size_t count;
    uint8_t *bytes; /* owned */
    size_t size_bytes;
    struct kz_snapshot_meta *meta; /* owned */
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
    bool (*read_entry)(void *store, uint64_t index, struct kz_entry *entry, uint64_t *chain);
    void *(*export_open)(void *store, struct kz_snapshot_meta *meta);
    bool (*export_next)(void *store, void *export, uint8_t *out, size_t room, size_t *size_bytes);
    void (*export_close)(void *store, void *export);
    uint64_t (*applied)(void *store);
    size_t (*encode)(struct sim *sim, uint64_t write, uint8_t *out, size_t room); /* a command entry */
    bool (*holds)(void *store, uint64_t write); /* is the write's effect in the state? */
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
    uint64_t epoch; /* counts starts and crashes: events of an earlier life are void */
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
};
void sim_node_make(struct sim_node *node, const uint8_t *first_entry, size_t size_bytes);
void sim_node_start(struct sim_node *node);
void sim_node_crash(struct sim_node *node, const char *why);
void sim_node_timer(struct sim_node *node);
void sim_node_after_input(struct sim_node *node);
struct sim_node *sim_leader(struct sim *sim);     /* the one of the highest term */
struct sim_node *sim_any_leader(struct sim *sim); /* whoever believes it */

/* ---- network (sim_net.c) ---- */

void sim_net_send(struct sim_node *from, uint64_t to, const Kz__PeerMessage *message, bool bulk);
void sim_net_deliver(struct sim *sim, const struct sim_packet *packet);
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
    uint64_t hash;   /* of the state after it */
    bool acked;
};
struct sim_checks {
    struct sim_log_check entries;
    uint64_t *committed; /* chain by index */
    uint64_t *states;    /* state hash by applied index */
    size_t committed_room, state_room;
    uint64_t committed_last, committed_term;
    uint64_t *leaders; /* id by term */
    size_t leader_room;
    struct sim_write *writes; /* by number, from 1 */
    size_t write_count, write_room;
    uint64_t acked_index;  /* highest effect that was acknowledged */
    uint64_t term_started; /* highest term somebody stood for */
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
void sim_check_effect(struct sim *sim, uint64_t write, uint64_t index);
void sim_check_state(struct sim_node *node, uint64_t applied, uint64_t hash);
void sim_check_ack(struct sim *sim, uint64_t write, uint64_t index);
void sim_check_apply_asked(struct sim_node *node, uint64_t upto, uint64_t hint);
bool sim_is_converged(struct sim *sim, uint64_t healed_at);
void sim_check_end(struct sim *sim, uint64_t healed_at);
uint64_t sim_chain(struct sim_node *node, uint64_t index, bool *known);

/* ---- load and faults (sim_load.c, sim_faults.c) ---- */

struct sim_pending { /* a proposal without an answer */
    uint64_t node, epoch, term, index, write;
};
void sim_load_write(struct sim *sim);
void sim_load_read(struct sim *sim, struct sim_node *leader);
void sim_load_applied(struct sim_node *node, uint64_t index);
void sim_load_fini(struct sim *sim);
void sim_load_unknown(struct sim_node *node); /* outcomes of this node's proposals are unknown */
void sim_fault_crash(struct sim *sim);
void sim_fault_member(struct sim *sim);
void sim_fault_transfer(struct sim *sim);
void sim_fault_lost(struct sim *sim, uint64_t lost);
void sim_fault_pause(struct sim *sim);
void sim_fault_wake(struct sim_node *node);

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
    X(snapshots) X(installs) X(compactions) X(changes) X(transfers) X(retries) X(cuts) X(pauses) X(hinted) X(virtual_us)
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
    bool chaos;
    struct sim_event *heap; /* owned */
    size_t heap_count, heap_room;
    uint64_t heap_order;
    struct sim_checks checks;
    struct sim_pending *pending; /* owned */
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
