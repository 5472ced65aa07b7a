/* SPDX-License-Identifier: Apache-2.0 */
/* One seed from birth to judgement: faulty times, then healing, then everything must be well again. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/cluster/sim.h"

static const unsigned grow_plan[] = {3, 5, 3, 0};

#define FIRST_US US_PER_S
#define HEAL_ELECTIONS 200u /* election timeouts, and ... */
#define HEAL_S 300u         /* ... seconds until all must be well */
#define HEAL_MORE 12u       /* times as long again while those behind come closer */
#define ENTRY_STEPS 100000u /* more than a state has chunks */
#define PLAN_STEP_ENTRIES UINT64_C(1000000000000)
#define SETTLE_ELECTIONS 3u /* do not look earlier than this after healing */

/* ---- the core's heap: what it does not give back by the end is a leak ---- */

static size_t heap_live;

/* Outside the candidate state the core reads a flag of that state from other bytes (D12): as a follower, from the
 * second byte of a pointer to its leader's address. Which one that is, is up to the allocator; with the mutant of
 * PREVOTE_DROP such small pieces lie so that it is 0. */
#define UNLUCKY_BYTES 8u
#define UNLUCKY_ALIGN 65536u
static bool heap_unlucky;

static void *heap_malloc(void *data, size_t size)
{
    (void)data;
    heap_live++;
    if (heap_unlucky && size <= UNLUCKY_BYTES) return aligned_alloc(UNLUCKY_ALIGN, UNLUCKY_ALIGN);
    void *memory = kz_must_alloc(1, size ? size : 1);
    memset(memory, 0xa5, size); /* nothing may rely on zeroes */
    return memory;
}
static void heap_free(void *data, void *memory)
{
    (void)data;
    heap_live -= memory != NULL;
    free(memory);
}
static void *heap_calloc(void *data, size_t count, size_t size)
{
    (void)data;
    heap_live++;
    return kz_must_alloc(count ? count : 1, size ? size : 1);
}
static void *heap_realloc(void *data, void *memory, size_t size)
{
    (void)data;
    heap_live += memory == NULL;
    return kz_must_realloc(memory, size);
}
static void *heap_aligned_alloc(void *data, size_t alignment, size_t size)
{
    (void)data;
    heap_live++;
    return aligned_alloc(alignment, size);
}
static void heap_aligned_free(void *data, size_t alignment, void *memory)
{
    (void)alignment;
    heap_free(data, memory);
}

/* ---- telling ---- */

void sim_story(struct sim *sim, const char *fmt, ...)
{
    va_list arguments;
    if (!sim->options.verbose) return;
    printf("%12.3f ", (double)sim->now_us / 1000.0);
    va_start(arguments, fmt);
    vprintf(fmt, arguments);
    va_end(arguments);
    putchar('\n');
}

void sim_fail(struct sim *sim, const char *fmt, ...)
{
    struct sim_report report = {.seed = sim->seed, .failed = true, .at_us = sim->now_us};
    va_list arguments;
    va_start(arguments, fmt);
    vsnprintf(report.text, sizeof(report.text), fmt, arguments);
    va_end(arguments);
    fflush(stdout);
    if (sim->options.report_fd < 0 || write(sim->options.report_fd, &report, sizeof(report)) != sizeof(report))
        fprintf(stderr, "seed %llu at %.3f ms: %s\n", (unsigned long long)sim->seed, (double)sim->now_us / 1000.0,
                report.text);
    _exit(SIM_EXIT_FAILED);
}

/* ---- events ---- */

static void post_in(struct sim *sim, uint64_t delay_us, enum sim_event_kind kind)
{
    sim_post(sim, sim->now_us + delay_us, (struct sim_event){.kind = kind});
}

static void again(struct sim *sim, enum sim_event_kind kind, uint64_t every_us)
{
    post_in(sim, sim_between(sim, 1, 2 * every_us), kind);
}

static void handle_load(struct sim *sim, const struct sim_event *event)
{
    const struct sim_profile *profile = &sim->profile;
    if (event->kind == SIM_WRITE) {
        sim_load_write(sim);
        again(sim, SIM_WRITE, profile->write_every_us + (sim->chaos ? 0 : profile->election_ms * 500u));
    } else {
        struct sim_node *leader = sim_any_leader(sim);
        if (leader) sim_load_read(sim, leader);
        again(sim, SIM_READ, profile->read_every_us);
    }
}

static void handle_fault(struct sim *sim, const struct sim_event *event)
{
    const struct sim_profile *profile = &sim->profile;
    if (!sim->chaos && event->kind != SIM_MEMBER) return;
    switch (event->kind) {
    case SIM_CRASH:
        sim_fault_crash(sim);
        again(sim, SIM_CRASH, profile->crash_every_us);
        break;
    case SIM_CUT:
        sim_net_cut(sim);
        post_in(sim, sim_between(sim, 1, profile->cut_every_us), SIM_HEAL);
        post_in(sim, sim_between(sim, profile->cut_every_us / 2, 3 * profile->cut_every_us), SIM_CUT);
        break;
    case SIM_HEAL:
        sim_net_heal(sim);
        sim_story(sim, "links whole");
        break;
    case SIM_MEMBER:
        if (sim->chaos || !sim_fault_plan_done(sim)) sim_fault_member(sim);
        again(sim, SIM_MEMBER, profile->member_every_us);
        break;
    case SIM_TRANSFER:
        sim_fault_transfer(sim);
        again(sim, SIM_TRANSFER, profile->transfer_every_us);
        break;
    case SIM_NOTE:
        sim_notes_take(sim);
        again(sim, SIM_NOTE, profile->note_every_us);
        break;
    case SIM_DISASTER:
        sim_recover_disaster(sim);
        break;
    case SIM_PAUSE:
        sim_fault_pause(sim);
        again(sim, SIM_PAUSE, profile->pause_every_us);
        break;
    default:
        break;
    }
}

static void handle_node(struct sim *sim, const struct sim_event *event)
{
    struct sim_node *node = &sim->nodes[event->node];
    if (event->kind == SIM_RESTART) {
        if (node->exists && !node->up && !node->kept_down) sim_node_start(node);
        return;
    }
    if (!node->up || node->life != event->life) return;
    if (event->kind == SIM_WAKE) sim_fault_wake(node);
    if (event->kind == SIM_FLUSH) sim_disk_flushed(node);
    if (event->kind == SIM_TIMER) sim_node_timer(node);
    if (event->kind == SIM_TICK) sim_notes_tick(node);
    if (event->kind == SIM_LOST) {
        kz_replica_peer_lost(node->replica, event->other);
        sim_node_after_input(node);
    }
}

/* What comes for a process that stands still waits for it, in order. */
static bool waits(struct sim *sim, const struct sim_event *event)
{
    struct sim_node *node = &sim->nodes[event->node];
    if (event->node == 0 || event->kind == SIM_RESTART || !node->up || node->paused_until_us <= sim->now_us)
        return false;
    if (event->kind == SIM_TIMER && node->timer_armed_us == sim->now_us) node->timer_armed_us = node->paused_until_us;
    sim_post(sim, node->paused_until_us, *event);
    return true;
}

static void handle(struct sim *sim, struct sim_event *event)
{
    if (waits(sim, event)) return;
    switch (event->kind) {
    case SIM_PACKET:
        sim_net_deliver(sim, event->packet);
        sim_net_free(event->packet);
        break;
    case SIM_FLUSH:
    case SIM_TIMER:
    case SIM_RESTART:
    case SIM_LOST:
    case SIM_WAKE:
    case SIM_TICK:
        handle_node(sim, event);
        break;
    case SIM_WRITE:
    case SIM_READ:
        handle_load(sim, event);
        break;
    case SIM_RECOVER:
        sim_recover_apply(sim);
        break;
    case SIM_RETURN:
        sim_recover_return(sim, &sim->nodes[event->other]);
        break;
    default:
        handle_fault(sim, event);
        break;
    }
}

static void revive(struct sim *sim)
{
    for (uint64_t id = 1; id <= SIM_NODES; id++) {
        struct sim_node *node = &sim->nodes[id];
        if (!node->exists || node->up || node->kept_down || node->restart_posted == node->life) continue;
        node->restart_posted = node->life;
        sim_post(sim, sim->now_us + sim_between(sim, US_PER_MS, sim->profile.down_max_us),
                 (struct sim_event){.kind = SIM_RESTART, .node = id});
    }
}

/* ---- life ---- */

static void make_nodes(struct sim *sim)
{
    struct kz_member members[SIM_NODES] = {0};
    struct kz_buf entry;
    struct kz_err err;
    for (uint64_t id = 1; id <= SIM_NODES; id++) {
        struct sim_node *node = &sim->nodes[id];
        node->sim = sim;
        node->id = id;
        node->epoch = 1;
        node->offset_ms = sim_below(sim, 1000000);
        node->disk_us = (const uint64_t[]){100, 200, 1000, 5000, 30000}[sim_below(sim, 5)];
        snprintf(node->address, sizeof(node->address), "node%llu:7700", (unsigned long long)id);
        members[id - 1].id = id;
        memcpy(members[id - 1].address, node->address, sizeof(node->address));
    }
    kz_buf_init(&entry, 0);
    if (kz_replica_bootstrap_entry(members, sim->profile.voters, &entry, &err) != KZ_OK) sim_fail(sim, "%s", err.text);
    for (uint64_t id = 1; id <= sim->profile.voters; id++)
        sim_node_make(&sim->nodes[id], entry.data, entry.size_bytes);
    kz_buf_fini(&entry);
    for (uint64_t id = 1; id <= sim->profile.voters; id++)
        sim_node_start(&sim->nodes[id]);
}

static void post_first(struct sim *sim)
{
    const struct sim_profile *profile = &sim->profile;
    post_in(sim, 100 * US_PER_MS, SIM_WRITE);
    post_in(sim, 5 * US_PER_MS, SIM_READ);
    if (profile->crashes) again(sim, SIM_CRASH, profile->crash_every_us);
    if (profile->cuts) again(sim, SIM_CUT, profile->cut_every_us);
    if (profile->members) again(sim, SIM_MEMBER, profile->member_every_us);
    if (profile->pauses) again(sim, SIM_PAUSE, profile->pause_every_us);
    if (profile->notes) again(sim, SIM_NOTE, profile->note_every_us);
    if (profile->recover) post_in(sim, sim_below(sim, sim->options.chaos_s * US_PER_S / 2), SIM_DISASTER);
    if (profile->transfers) again(sim, SIM_TRANSFER, profile->transfer_every_us);
}

/* No new faults; some nodes may stay down for good, never a majority. */
static void heal(struct sim *sim)
{
    sim->chaos = false;
    sim->profile.slow_install = false;
    sim_net_heal(sim);
    sim_story(sim, "---- healed");
    for (unsigned left = sim->profile.final_down; left > 0;) {
        struct sim_node *node = &sim->nodes[sim_between(sim, 1, sim->profile.voters)];
        if (node->kept_down) continue;
        node->kept_down = true;
        sim_node_crash(node, "for good");
        left--;
    }
    for (uint64_t id = 1; id <= SIM_NODES; id++) {
        struct sim_node *node = &sim->nodes[id];
        if (node->exists && !node->up && !node->kept_down) sim_node_start(node);
    }
}

static void free_all(struct sim *sim)
{
    struct sim_event event;
    while (sim_pop(sim, &event))
        if (event.kind == SIM_PACKET) sim_net_free(event.packet);
    for (uint64_t id = 1; id <= SIM_NODES; id++) {
        struct sim_node *node = &sim->nodes[id];
        kz_replica_free(node->replica);
        sim_notes_close(node);
        if (node->exists) {
            sim_disk_crash(node);
            sim->backend->destroy(node->store);
        }
    }
    if (heap_live != 0) sim_fail(sim, "the core leaked %zu pieces of memory", heap_live);
    sim_load_fini(sim);
    free(sim->heap);
    free(sim->pending);
    free(sim->retries);
    for (uint64_t epoch = 1; epoch <= SIM_EPOCHS; epoch++)
        sim_checks_free(&sim->checks[epoch]);
    sim_notes_fini(sim);
    sim_recover_fini(sim);
}

/* Are the members less far behind than when this was asked before? Slow links and small windows take their time. */
static bool comes_closer(struct sim *sim, uint64_t *behind)
{
    const struct sim_node *leader = sim_leader(sim);
    struct kz_member members[KZ_NODES_MAX];
    uint64_t before = *behind, now = 0;
    if (!leader || sim_is_converged(sim, 0)) return false;
    size_t count = kz_replica_members(leader->replica, members, KZ_NODES_MAX);
    for (size_t i = 0; i < count; i++) {
        const struct sim_node *node = &sim->nodes[members[i].id];
        uint64_t applied = node->exists ? sim->backend->applied(node->store) : 0;
        if (!node->kept_down && applied < sim->checks[sim->epoch].committed_last)
            now += (sim->checks[sim->epoch].committed_last - applied) * ENTRY_STEPS;
        if (node->up)
            now -= node->replica->incoming.next < now ? node->replica->incoming.next : 0; /* chunks of a state */
    }
    for (const unsigned *step = sim->plan; step && *step != 0; step++)
        now += PLAN_STEP_ENTRIES;
    *behind = now;
    return now < before;
}

static void live(struct sim *sim)
{
    uint64_t heal_at = sim->now_us + sim->options.chaos_s * US_PER_S, healed_commit = 0;
    uint64_t end = heal_at + HEAL_ELECTIONS * sim->profile.election_ms * US_PER_MS + HEAL_S * US_PER_S;
    uint64_t behind = UINT64_MAX;
    unsigned more = HEAL_MORE;
    uint64_t look_at = heal_at + SETTLE_ELECTIONS * sim->profile.election_ms * US_PER_MS;
    struct sim_event event;
    while (sim_pop(sim, &event)) {
        if (event.at_us >= end && more > 0 && comes_closer(sim, &behind)) {
            more--;
            end += HEAL_S * US_PER_S;
        }
        if (event.at_us >= end) {
            sim_post(sim, event.at_us, event); /* freed with the others */
            break;
        }
        sim->now_us = event.at_us;
        sim->stats.events++;
        if (sim->chaos && sim->now_us >= heal_at) {
            heal(sim);
            healed_commit = sim->checks[sim->epoch].committed_last;
        }
        handle(sim, &event);
        sim_check_transfer(sim);
        revive(sim);
        if (event.kind == SIM_READ && sim->now_us > look_at && sim_is_converged(sim, healed_commit)) end = sim->now_us;
    }
    sim_check_end(sim, healed_commit);
}

static void make_scratch(struct sim *sim)
{
    sim_lmdb_scratch(&sim->options, getpid(), sim->scratch, sizeof(sim->scratch));
    if (mkdir(sim->scratch, 0700) != 0) sim_fail(sim, "no folder for the stores: %s", sim->scratch);
}

void sim_run(struct sim *sim, const struct sim_options *options, uint64_t seed)
{
    struct raft_heap heap = {
        .malloc = heap_malloc,
        .free = heap_free,
        .calloc = heap_calloc,
        .realloc = heap_realloc,
        .aligned_alloc = heap_aligned_alloc,
        .aligned_free = heap_aligned_free,
    };
    memset(sim, 0, sizeof(*sim));
    sim->options = *options;
    sim->seed = seed;
    sim->random = sim_mix(seed, 12345, 1);
    sim->now_us = FIRST_US;
    sim->chaos = true;
    sim->epoch = 1;
    sim->backend = options->lmdb ? &sim_lmdb_backend : &sim_mem_backend;
    if (options->lmdb) make_scratch(sim);
    heap_live = 0;
    heap_unlucky = options->guards_off & KZ_GUARD(PREVOTE_DROP);
    raft_heap_set(&heap);
    sim_draw_profile(sim);
    if (sim->profile.grow) sim->plan = grow_plan;
    make_nodes(sim);
    post_first(sim);
    live(sim);
    sim->stats.virtual_us = sim->now_us - FIRST_US;
    free_all(sim);
    raft_heap_set_default();
    if (options->lmdb && rmdir(sim->scratch) != 0) sim_fail(sim, "%s is not empty", sim->scratch);
}
