/* SPDX-License-Identifier: Apache-2.0 */
#include "node/store/writer.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "node/base/assert.h"
#include "node/base/buf.h"
#include "node/base/failpoint.h"
#include "node/base/log.h"
#include "node/store/completion.h"
#include "node/store/internal.h"
#include "node/store/work.h"

#define IDLE_LOOK_S 1 /* free space */
#define POLLED_KEEP_BYTES (4u << 20)
#define READER_CHECK_S 60 /* slots of readers that died */
#define SWEEP_ROWS 256u   /* in one transaction: each may be a read from the disk, and a vote may be waiting */
#define SWEEP_EVERY 16u   /* cycles, when there is no pause between them */

#define NO_SPACE_PART 4
enum shortage { SHORT_OF_NOTHING, SHORT_LOW, SHORT_OF_ALL };

struct kz_writer {
    struct kz_store *store; /* borrowed */
    struct kz_writer_options options;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake; /* work, a poll, or closing */

    /* Guarded by mutex. */
    struct kz_work_list queue;
    struct kz_buf events; /* published, not polled */
    bool closing;

    atomic_size_t queued_bytes;
    atomic_uint shortage; /* enum shortage */

    /* The loop thread's. */
    uint64_t last_seq;
    struct kz_buf polled;
    bool polling;

    /* The store thread's. */
    struct kz_work_list taken;
    struct kz_buf cycle; /* events of the transaction in progress */
    bool import_failed;  /* until the next import_begin */
    bool sweeping;       /* there may be rows that nobody needs */
    unsigned unswept;    /* cycles since the last sweep */
    bool applied_moved;
    uint64_t done_seq; /* last item finished in this cycle, 0 = none */
    uint64_t hint;     /* as last stored by us */
    time_t readers_checked_s;
};

struct budget {
    size_t entries, bytes;
};

/* ---- the store thread ---- */

static void stop_process(const char *what, const struct kz_err *err)
{
    kz_log_error("store.write_failed", "what=%s code=%s error=\"%s\"", what, kz_code_name(err->code), err->text);
    _exit(KZ_WRITER_EXIT_STATUS);
}

static void on_packed(void *data, uint64_t index, const uint8_t request_id[KZ_REQUEST_ID_BYTES], const uint8_t *outcome,
                      size_t size_bytes)
{
    struct kz_writer *writer = data;
    kz_completion_add(&writer->cycle, KZ_COMPLETION_OUTCOME, index, request_id, outcome, size_bytes);
}

static void on_configuration(void *data, uint64_t index, const uint8_t *encoded, size_t size_bytes)
{
    struct kz_writer *writer = data;
    kz_completion_add(&writer->cycle, KZ_COMPLETION_CONFIGURATION, index, NULL, encoded, size_bytes);
}

static void spend(struct budget *budget, size_t entries, size_t bytes)
{
    budget->entries -= entries < budget->entries ? entries : budget->entries;
    budget->bytes -= bytes < budget->bytes ? bytes : budget->bytes;
}

/* *finished false: the budget ran out first. */
static enum kz_code do_apply(struct kz_writer *writer, struct kz_store_txn *txn, const struct kz_work *work,
                             struct budget *budget, bool *finished, struct kz_err *err)
{
    const struct kz_apply_sink sink = {.data = writer, .packed = on_packed, .configuration = on_configuration};
    struct kz_meta *meta;
    enum kz_code code = kz_txn_meta(txn, &meta, err);
    if (code != KZ_OK) return code;
    uint64_t before = meta->index;
    size_t bytes_before = txn->applied_bytes;
    if (before < work->a) {
        code = kz_txn_apply_some(txn, work->a, budget->entries, budget->bytes, &sink, err);
        if (code != KZ_OK) return code;
        writer->applied_moved = true;
        spend(budget, (size_t)(meta->index - before), txn->applied_bytes - bytes_before);
    }
    *finished = meta->index >= work->a;
    if (!*finished || work->b == 0 || work->b == writer->hint) return KZ_OK;
    writer->hint = work->b;
    return kz_txn_put_commit_hint(txn, work->b, err);
}

/* In steps: a term or a vote may be waiting behind it. */
static enum kz_code do_compact(struct kz_store_txn *txn, const struct kz_work *work, struct budget *budget,
                               bool *finished, struct kz_err *err)
{
    struct kz_log_bounds *bounds;
    enum kz_code code = kz_txn_bounds(txn, &bounds, err);
    if (code != KZ_OK) return code;
    uint64_t first = bounds->base.index + 1;
    uint64_t upto = work->a;
    if (upto >= first && upto - first >= budget->entries) upto = first + budget->entries - 1;
    *finished = upto == work->a;
    if (upto < first) return KZ_OK;
    spend(budget, (size_t)(upto - first + 1), 0);
    return kz_txn_compact(txn, upto, err);
}

static void fail_import(struct kz_writer *writer, uint64_t seq, const struct kz_err *why)
{
    writer->import_failed = true;
    writer->sweeping = true;
    kz_completion_add(&writer->cycle, KZ_COMPLETION_IMPORT_FAILED, seq, NULL, why, sizeof(*why));
}

/* Emptying a generation here would keep votes waiting, so an import that comes too soon after others is refused. */
static enum kz_code begin_import(struct kz_writer *writer, struct kz_store_txn *txn, const struct kz_work *work,
                                 struct kz_err *err)
{
    bool ready;
    writer->sweeping = true; /* what the import before this one left behind */
    writer->import_failed = false;
    enum kz_code code = kz_txn_import_drop(txn, err);
    if (code == KZ_OK) code = kz_generation_ready(txn, &ready, err);
    if (code != KZ_OK) return code;
    if (ready) return kz_txn_import_begin(txn, (const struct kz_import_origin *)(const void *)work->bytes, err);
    (void)kz_fail(err, KZ_BUSY, "earlier states are still being cleared away: send the snapshot again later");
    fail_import(writer, work->seq, err);
    return KZ_OK;
}

static enum kz_code do_import(struct kz_writer *writer, struct kz_store_txn *txn, const struct kz_work *work,
                              struct kz_err *err)
{
    enum kz_code code = KZ_OK;
    if (work->type == KZ_WORK_IMPORT_DROP) {
        writer->sweeping = true;
        return kz_txn_import_drop(txn, err);
    }
    if (writer->import_failed) return KZ_OK;
    if (work->type == KZ_WORK_IMPORT_ROWS)
        code = kz_txn_import_rows(txn, work->bytes, work->size_bytes, &work->mark, err);
    else
        code = kz_txn_install(txn, work->a, work->b, err);
    if (code == KZ_PROTOCOL || code == KZ_TOO_OLD || code == KZ_NO_MEMORY) {
        fail_import(writer, work->seq, err);
        return KZ_OK;
    }
    if (work->type == KZ_WORK_INSTALL && code == KZ_OK) {
        writer->applied_moved = true;
        writer->sweeping = true;
        writer->hint = 0; /* install may have raised what is stored */
    }
    return code;
}

static enum kz_code do_work(struct kz_writer *writer, struct kz_store_txn *txn, const struct kz_work *work,
                            struct budget *budget, bool *finished, struct kz_err *err)
{
    *finished = true;
    switch (work->type) {
    case KZ_WORK_PUT_HARD:
        return kz_txn_put_hard(txn, work->a, work->b, err);
    case KZ_WORK_PUT_EPOCH:
        return kz_txn_put_epoch(txn, work->a, err);
    case KZ_WORK_APPEND:
        return kz_txn_append(txn, work->a, work->entries, work->count, err);
    case KZ_WORK_APPLY:
        return do_apply(writer, txn, work, budget, finished, err);
    case KZ_WORK_COMPACT:
        return do_compact(txn, work, budget, finished, err);
    case KZ_WORK_IMPORT_BEGIN:
        return begin_import(writer, txn, work, err);
    case KZ_WORK_IMPORT_ROWS:
    case KZ_WORK_IMPORT_DROP:
    case KZ_WORK_INSTALL:
        return do_import(writer, txn, work, err);
    case KZ_WORK_PUT_LOCAL:
        return kz_txn_put_local(txn, work->key, work->bytes, work->size_bytes, err);
    }
    return kz_fail(err, KZ_FAILED, "unknown work");
}

static void publish(struct kz_writer *writer)
{
    if (writer->cycle.size_bytes == 0) return;
    pthread_mutex_lock(&writer->mutex);
    bool first = writer->events.size_bytes == 0;
    if (first) {
        struct kz_buf empty = writer->events;
        writer->events = writer->cycle;
        writer->cycle = empty;
    } else {
        kz_buf_add(&writer->events, writer->cycle.data, writer->cycle.size_bytes);
        kz_assert(!writer->events.failed);
    }
    pthread_mutex_unlock(&writer->mutex);
    kz_buf_clear(&writer->cycle);
    if (first) writer->options.notify(writer->options.data);
}

static void look_at_space(struct kz_writer *writer)
{
    uint64_t map_room, disk_room;
    struct kz_err err;
    if (kz_store_room(writer->store, &map_room, &disk_room, &err) != KZ_OK) {
        kz_log_warn("store.space_unknown", "error=\"%s\"", err.text);
        return;
    }
    uint64_t room = map_room < disk_room ? map_room : disk_room, reserve = writer->options.free_reserve_bytes;
    unsigned shortage = room >= reserve ? SHORT_OF_NOTHING : room >= reserve / NO_SPACE_PART ? SHORT_LOW : SHORT_OF_ALL;
    static const char *const facts[] = {"store.space_back", "store.low_space", "store.no_space"};
    if (shortage != atomic_exchange(&writer->shortage, shortage))
        kz_log_warn(facts[shortage], "map_bytes=%llu disk_bytes=%llu reserve_bytes=%llu", (unsigned long long)map_room,
                    (unsigned long long)disk_room, (unsigned long long)writer->options.free_reserve_bytes);
}

/* Where tests end the process: around the commit of each kind of work. */
static void pass_commit(unsigned kinds, bool after)
{
    static const char *const names[][2] = {
        [KZ_WORK_PUT_HARD] = {"hard.before_commit", "hard.after_commit"},
        [KZ_WORK_APPEND] = {"append.before_commit", "append.after_commit"},
        [KZ_WORK_APPLY] = {"apply.before_commit", "apply.after_commit"},
        [KZ_WORK_COMPACT] = {"compact.before_commit", "compact.after_commit"},
        [KZ_WORK_IMPORT_BEGIN] = {"snapshot.begin.before_commit", "snapshot.begin.after_commit"},
        [KZ_WORK_IMPORT_ROWS] = {"snapshot.rows.before_commit", "snapshot.rows.after_commit"},
        [KZ_WORK_INSTALL] = {"snapshot.install.before_commit", "snapshot.install.after_commit"},
    };
    for (unsigned kind = 0; kind < sizeof(names) / sizeof(names[0]); kind++)
        if ((kinds & 1u << kind) != 0 && names[kind][after]) KZ_FAILPOINT(names[kind][after]);
}

/* One transaction: as much of what was taken as the budget allows, at least one step of the first item. */
static void run_cycle(struct kz_writer *writer)
{
    struct budget budget = {KZ_WRITER_CYCLE_ENTRIES, KZ_WRITER_CYCLE_BYTES};
    struct kz_err err = {KZ_OK, ""};
    struct kz_store_txn *txn;
    struct kz_work_list done = {NULL, NULL};
    bool finished = true;
    unsigned kinds = 0;
    writer->applied_moved = false;
    writer->done_seq = 0;

    if (kz_store_begin(writer->store, &txn, &err) != KZ_OK) stop_process("begin", &err);
    while (writer->taken.first != NULL && budget.bytes > 0 && budget.entries > 0) {
        struct kz_work *work = writer->taken.first;
        kinds |= 1u << work->type;
        if (do_work(writer, txn, work, &budget, &finished, &err) != KZ_OK) stop_process("work", &err);
        if (!finished) break;
        writer->done_seq = work->seq;
        spend(&budget, work->count, work->cost_bytes);
        kz_work_push(&done, kz_work_pop(&writer->taken));
    }
    struct kz_applied applied;
    if (writer->applied_moved && kz_txn_applied(txn, &applied, &err) != KZ_OK) stop_process("state", &err);
    pass_commit(kinds, false);
    if (kz_store_commit(txn, &err) != KZ_OK) stop_process("commit", &err);
    pass_commit(kinds, true);

    if (writer->applied_moved)
        kz_completion_add(&writer->cycle, KZ_COMPLETION_APPLIED, applied.index, NULL, &applied, sizeof(applied));
    if (writer->done_seq != 0)
        kz_completion_add(&writer->cycle, KZ_COMPLETION_DURABLE, writer->done_seq, NULL, NULL, 0);
    while (done.first != NULL) {
        struct kz_work *work = kz_work_pop(&done);
        atomic_fetch_sub(&writer->queued_bytes, work->cost_bytes);
        free(work);
    }
    look_at_space(writer);
    publish(writer);
}

/* A transaction of its own, so that completions do not wait for it. */
static void run_sweep(struct kz_writer *writer)
{
    struct kz_err err = {KZ_OK, ""};
    struct kz_store_txn *txn;
    writer->unswept = 0;
    if (kz_store_begin(writer->store, &txn, &err) != KZ_OK) stop_process("begin", &err);
    if (kz_txn_sweep(txn, SWEEP_ROWS, &writer->sweeping, &err) != KZ_OK) stop_process("sweep", &err);
    KZ_FAILPOINT("snapshot.sweep.before_commit");
    if (kz_store_commit(txn, &err) != KZ_OK) stop_process("commit", &err);
    KZ_FAILPOINT("snapshot.sweep.after_commit");
}

static void check_readers(struct kz_writer *writer)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (now.tv_sec - writer->readers_checked_s < READER_CHECK_S) return;
    writer->readers_checked_s = now.tv_sec;
    kz_store_check_readers(writer->store);
}

/* Sleeps until there is something to do; false when closing and all is done. */
static bool wait_for_work(struct kz_writer *writer)
{
    bool idle = false;
    pthread_mutex_lock(&writer->mutex);
    for (;;) {
        bool work = writer->taken.first != NULL || writer->queue.first != NULL;
        bool room = writer->events.size_bytes <= KZ_WRITER_UNPOLLED_MAX_BYTES;
        if (writer->closing || idle || (work && room) || (writer->sweeping && !work)) break;
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += IDLE_LOOK_S;
        idle = pthread_cond_timedwait(&writer->wake, &writer->mutex, &until) == ETIMEDOUT && !work;
    }
    bool ending = writer->closing;
    kz_work_move_all(&writer->taken, &writer->queue);
    pthread_mutex_unlock(&writer->mutex);
    if (idle) look_at_space(writer);
    check_readers(writer);
    return !ending || writer->taken.first != NULL;
}

static void *run(void *data)
{
    struct kz_writer *writer = data;
    pthread_setname_np(pthread_self(), "store");
    while (wait_for_work(writer)) {
        bool work = writer->taken.first != NULL;
        if (work) run_cycle(writer);
        if (writer->sweeping && (!work || ++writer->unswept >= SWEEP_EVERY)) run_sweep(writer);
    }
    return NULL;
}

/* ---- birth and death ---- */

static int start_thread(struct kz_writer *writer)
{
    sigset_t all, old;
    sigfillset(&all); /* signals are the loop's */
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int rc = pthread_create(&writer->thread, NULL, run, writer);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return rc;
}

enum kz_code kz_writer_open(struct kz_writer **out, struct kz_store *store, const struct kz_writer_options *options,
                            struct kz_err *err)
{
    kz_assert(options->notify != NULL);
    struct kz_writer *writer = kz_must_alloc(1, sizeof(*writer));
    writer->store = store;
    writer->options = *options;
    writer->sweeping = true; /* what an import or install before the start left behind */
    kz_buf_init(&writer->events, 0);
    kz_buf_init(&writer->polled, 0);
    kz_buf_init(&writer->cycle, 0);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&writer->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&writer->mutex, NULL);
    look_at_space(writer);

    int rc = start_thread(writer);
    if (rc != 0) {
        pthread_cond_destroy(&writer->wake);
        pthread_mutex_destroy(&writer->mutex);
        free(writer);
        return kz_fail(err, KZ_FAILED, "start the store thread: %s", strerror(rc));
    }
    *out = writer;
    return KZ_OK;
}

void kz_writer_close(struct kz_writer *writer)
{
    if (writer == NULL) return;
    kz_assert(!writer->polling);
    pthread_mutex_lock(&writer->mutex);
    writer->closing = true;
    pthread_cond_signal(&writer->wake);
    pthread_mutex_unlock(&writer->mutex);
    pthread_join(writer->thread, NULL);
    pthread_cond_destroy(&writer->wake);
    pthread_mutex_destroy(&writer->mutex);
    kz_buf_fini(&writer->events);
    kz_buf_fini(&writer->polled);
    kz_buf_fini(&writer->cycle);
    free(writer);
}

/* ---- giving work ---- */

static struct kz_work *make(struct kz_writer *writer, enum kz_work_type type, uint64_t seq, size_t extra_bytes)
{
    kz_assert(seq > writer->last_seq);
    writer->last_seq = seq;
    struct kz_work *work = kz_must_realloc(NULL, sizeof(*work) + extra_bytes);
    memset(work, 0, sizeof(*work));
    work->type = type;
    work->seq = seq;
    work->cost_bytes = sizeof(*work) + extra_bytes;
    return work;
}

static void give(struct kz_writer *writer, struct kz_work *work)
{
    size_t waiting = atomic_fetch_add(&writer->queued_bytes, work->cost_bytes);
    kz_assert(waiting < KZ_WRITER_QUEUE_MAX_BYTES);
    pthread_mutex_lock(&writer->mutex);
    bool first = writer->queue.first == NULL;
    kz_work_push(&writer->queue, work);
    if (first) pthread_cond_signal(&writer->wake);
    pthread_mutex_unlock(&writer->mutex);
}

static void give_numbers(struct kz_writer *writer, enum kz_work_type type, uint64_t seq, uint64_t a, uint64_t b)
{
    struct kz_work *work = make(writer, type, seq, 0);
    work->a = a;
    work->b = b;
    give(writer, work);
}

void kz_writer_put_hard(struct kz_writer *writer, uint64_t seq, uint64_t term, uint64_t voted_for)
{
    give_numbers(writer, KZ_WORK_PUT_HARD, seq, term, voted_for);
}

void kz_writer_put_epoch(struct kz_writer *writer, uint64_t seq, uint64_t epoch)
{
    give_numbers(writer, KZ_WORK_PUT_EPOCH, seq, epoch, 0);
}

void kz_writer_append(struct kz_writer *writer, uint64_t seq, uint64_t index, const struct kz_entry *entries,
                      size_t count)
{
    size_t bytes = count * sizeof(*entries);
    for (size_t i = 0; i < count; i++)
        bytes += entries[i].size_bytes;
    struct kz_work *work = make(writer, KZ_WORK_APPEND, seq, bytes);
    work->a = index;
    work->count = count;
    work->entries = (struct kz_entry *)(void *)(work + 1);
    uint8_t *to = (uint8_t *)(work->entries + count);
    for (size_t i = 0; i < count; i++) {
        work->entries[i] = entries[i];
        work->entries[i].data = to;
        if (entries[i].size_bytes > 0) memcpy(to, entries[i].data, entries[i].size_bytes);
        to += entries[i].size_bytes;
    }
    give(writer, work);
}

void kz_writer_apply(struct kz_writer *writer, uint64_t seq, uint64_t upto, uint64_t commit_hint)
{
    give_numbers(writer, KZ_WORK_APPLY, seq, upto, commit_hint);
}

void kz_writer_compact(struct kz_writer *writer, uint64_t seq, uint64_t upto)
{
    give_numbers(writer, KZ_WORK_COMPACT, seq, upto, 0);
}

static struct kz_work *make_with_bytes(struct kz_writer *writer, enum kz_work_type type, uint64_t seq,
                                       const void *bytes, size_t size_bytes)
{
    struct kz_work *work = make(writer, type, seq, size_bytes);
    work->bytes = (uint8_t *)(work + 1);
    work->size_bytes = size_bytes;
    if (size_bytes > 0) memcpy(work->bytes, bytes, size_bytes);
    return work;
}

void kz_writer_import_begin(struct kz_writer *writer, uint64_t seq, const struct kz_import_origin *origin)
{
    give(writer, make_with_bytes(writer, KZ_WORK_IMPORT_BEGIN, seq, origin, sizeof(*origin)));
}

void kz_writer_import_rows(struct kz_writer *writer, uint64_t seq, const uint8_t *rows, size_t size_bytes,
                           const struct kz_import_mark *mark)
{
    struct kz_work *work = make_with_bytes(writer, KZ_WORK_IMPORT_ROWS, seq, rows, size_bytes);
    work->mark = *mark;
    give(writer, work);
}

void kz_writer_import_drop(struct kz_writer *writer, uint64_t seq)
{
    give_numbers(writer, KZ_WORK_IMPORT_DROP, seq, 0, 0);
}

void kz_writer_install(struct kz_writer *writer, uint64_t seq, uint64_t index, uint64_t term)
{
    give_numbers(writer, KZ_WORK_INSTALL, seq, index, term);
}

void kz_writer_put_local(struct kz_writer *writer, uint64_t seq, const char *key, const void *value, size_t size_bytes)
{
    struct kz_work *work = make_with_bytes(writer, KZ_WORK_PUT_LOCAL, seq, value, size_bytes);
    kz_assert(strlen(key) < sizeof(work->key));
    memcpy(work->key, key, strlen(key) + 1);
    give(writer, work);
}

bool kz_writer_full(const struct kz_writer *writer)
{
    return atomic_load(&writer->queued_bytes) >= KZ_WRITER_QUEUE_BYTES;
}

bool kz_writer_low_space(const struct kz_writer *writer) { return atomic_load(&writer->shortage) >= SHORT_LOW; }
bool kz_writer_no_space(const struct kz_writer *writer) { return atomic_load(&writer->shortage) == SHORT_OF_ALL; }

/* ---- taking completions ---- */

void kz_writer_poll(struct kz_writer *writer, const struct kz_writer_visitor *visitor)
{
    kz_assert(!writer->polling); /* not from inside a visitor */
    pthread_mutex_lock(&writer->mutex);
    struct kz_buf taken = writer->events;
    writer->events = writer->polled;
    writer->polled = taken;
    pthread_cond_signal(&writer->wake);
    pthread_mutex_unlock(&writer->mutex);

    writer->polling = true;
    kz_completions_visit(&writer->polled, visitor, true);
    kz_completions_visit(&writer->polled, visitor, false);
    kz_buf_clear(&writer->polled);
    if (writer->polled.capacity_bytes > POLLED_KEEP_BYTES) kz_buf_fini(&writer->polled);
    writer->polling = false;
}
