/* SPDX-License-Identifier: Apache-2.0 */
/* The store thread. */
#include "node/store/internal.h"
#include "node/store/writer.h"

#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "node/base/assert.h"
#include "tests/unit/store/fixture.h"

#define SEEN_MAX 64

struct loop {
    struct fixture f;
    struct kz_writer *writer;
    sem_t notified;
    atomic_bool hold; /* the store thread stops in its next notification until `release` */
    sem_t release;
    uint64_t seq; /* last given */
    uint64_t durable;
    uint64_t applied;
    size_t applied_calls;
    uint64_t outcome_index[SEEN_MAX];
    uint32_t outcome_code[SEEN_MAX];
    uint8_t outcome_request[SEEN_MAX];
    size_t outcomes;
    uint64_t configuration_index;
    uint64_t import_failed;
    enum kz_code import_code;
};

static void notify(void *data)
{
    struct loop *loop = data;
    sem_post(&loop->notified);
    if (atomic_load(&loop->hold)) sem_wait(&loop->release);
}

static void on_outcome(void *data, uint64_t index, const uint8_t *request_id, const uint8_t *packed, size_t size_bytes)
{
    struct loop *loop = data;
    Kz__Outcome *outcome = kz__outcome__unpack(NULL, size_bytes, packed);
    assert_non_null(outcome);
    if (loop->outcomes < SEEN_MAX) {
        loop->outcome_index[loop->outcomes] = index;
        loop->outcome_code[loop->outcomes] = outcome->code;
        loop->outcome_request[loop->outcomes] = request_id[0];
    }
    loop->outcomes++;
    assert_true(index <= loop->applied); /* the state that includes it was told first */
    kz__outcome__free_unpacked(outcome, NULL);
}

static void on_configuration(void *data, uint64_t index, const uint8_t *encoded, size_t size_bytes)
{
    struct loop *loop = data;
    assert_int_equal(size_bytes, 4);
    assert_memory_equal(encoded, "conf", 4);
    loop->configuration_index = index;
}

static void on_applied(void *data, const struct kz_applied *applied)
{
    struct loop *loop = data;
    assert_true(applied->index >= loop->applied);
    loop->applied = applied->index;
    loop->applied_calls++;
}

static void on_import_failed(void *data, uint64_t seq, const struct kz_err *why)
{
    struct loop *loop = data;
    loop->import_failed = seq;
    loop->import_code = why->code;
}

static void on_durable(void *data, uint64_t seq)
{
    struct loop *loop = data;
    assert_true(seq > loop->durable);
    loop->durable = seq;
}

static const struct kz_writer_visitor *visitor_of(struct loop *loop)
{
    static struct kz_writer_visitor visitor;
    visitor = (struct kz_writer_visitor){.data = loop,
                                         .outcome = on_outcome,
                                         .configuration = on_configuration,
                                         .applied = on_applied,
                                         .import_failed = on_import_failed,
                                         .durable = on_durable};
    return &visitor;
}

static void wait_durable(struct loop *loop, uint64_t seq)
{
    while (loop->durable < seq) {
        assert_int_equal(sem_wait(&loop->notified), 0);
        kz_writer_poll(loop->writer, visitor_of(loop));
    }
}

static void open_writer(struct loop *loop, uint64_t reserve_bytes)
{
    const struct kz_writer_options options = {.notify = notify, .data = loop, .free_reserve_bytes = reserve_bytes};
    must(kz_writer_open(&loop->writer, loop->f.store, &options, &must_err));
}

static int setup(void **state)
{
    struct loop *loop = kz_must_alloc(1, sizeof(*loop));
    fixture_init(&loop->f);
    sem_init(&loop->notified, 0, 0);
    sem_init(&loop->release, 0, 0);
    open_writer(loop, 0);
    *state = loop;
    return 0;
}

static int teardown(void **state)
{
    struct loop *loop = *state;
    kz_writer_close(loop->writer);
    fixture_fini(&loop->f);
    sem_destroy(&loop->notified);
    free(loop);
    return 0;
}

static void append_put(struct loop *loop, unsigned request, const char *id)
{
    struct command command;
    size_t size;
    command_init(&command, request);
    command_put(&command, make_org(id, id, NULL));
    const Kz__Command *commands[] = {&command.message};
    uint8_t *batch = batch_pack(loop->f.time_ms++, commands, 1, &size);
    struct kz_entry entry = {1, KZ_ENTRY_COMMAND, batch, size};
    kz_writer_append(loop->writer, ++loop->seq, ++loop->f.index, &entry, 1);
    free(batch);
    command_fini(&command);
}

static void work_becomes_durable_in_order_and_outcomes_come_back(void **state)
{
    struct loop *loop = *state;
    struct kz_entry change = {1, KZ_ENTRY_CHANGE, (const uint8_t *)"conf", 4};
    kz_writer_put_hard(loop->writer, ++loop->seq, 3, 2);
    kz_writer_append(loop->writer, ++loop->seq, ++loop->f.index, &change, 1);
    append_put(loop, 1, "a");
    append_put(loop, 2, "b");
    append_put(loop, 1, "other"); /* the same request again */
    kz_writer_apply(loop->writer, ++loop->seq, 4, 4);
    kz_writer_put_local(loop->writer, ++loop->seq, "cursor", "x", 1);
    wait_durable(loop, loop->seq);
    assert_int_equal(loop->applied, 4);
    assert_int_equal(loop->configuration_index, 1);
    assert_int_equal(loop->outcomes, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(loop->outcome_index[i], i + 2);
        assert_int_equal(loop->outcome_code[i], KZ_OK);
    }
    assert_int_equal(loop->outcome_request[0], 1);
    assert_int_equal(loop->outcome_request[1], 2);
    assert_int_equal(loop->outcome_request[2], 1);
    struct kz_hard_state hard = fixture_hard(&loop->f);
    assert_int_equal(hard.term, 3);
    assert_int_equal(hard.voted_for, 2);
    assert_int_equal(hard.commit_hint, 4);
    assert_int_equal(hard.last_index, 4);
    assert_null(fixture_get(&loop->f, KZ__KIND__ORG, "other"));
}

static void a_long_stretch_is_applied_in_several_transactions(void **state)
{
    struct loop *loop = *state;
    enum { COUNT = 3 * KZ_WRITER_CYCLE_ENTRIES };
    struct kz_entry *entries = kz_must_alloc(COUNT, sizeof(*entries));
    for (size_t i = 0; i < COUNT; i++)
        entries[i] = (struct kz_entry){1, KZ_ENTRY_BARRIER, NULL, 0};
    kz_writer_append(loop->writer, ++loop->seq, 1, entries, COUNT);
    free(entries);
    wait_durable(loop, loop->seq);
    kz_writer_apply(loop->writer, ++loop->seq, COUNT, COUNT);
    wait_durable(loop, loop->seq);
    assert_int_equal(loop->applied, COUNT);
    assert_true(loop->applied_calls >= 3);
    assert_int_equal(fixture_hard(&loop->f).commit_hint, COUNT);
    kz_writer_compact(loop->writer, ++loop->seq, COUNT - 10);
    wait_durable(loop, loop->seq);
    assert_int_equal(fixture_hard(&loop->f).first_index, COUNT - 9);
}

static void readers_see_whole_commits_while_the_store_thread_works(void **state)
{
    struct loop *loop = *state;
    struct kz_view *view;
    for (unsigned i = 1; i <= 200; i++) {
        char id[16];
        snprintf(id, sizeof(id), "org-%u", i);
        append_put(loop, i, id);
        kz_writer_apply(loop->writer, ++loop->seq, i, i);
    }
    struct kz_applied applied = {0};
    uint64_t last = 0;
    while (last < 200) {
        uint64_t live, retired;
        must(kz_view_open(loop->f.store, &view, &must_err));
        must(kz_view_applied(view, &applied, &must_err));
        must(kz_view_count(view, KZ__KIND__ORG, &live, &retired, &must_err));
        must(kz_view_scrub(view, &must_err));
        assert_int_equal(live, applied.rev);
        assert_true(applied.rev >= last);
        last = applied.rev;
        kz_view_close(view);
    }
    wait_durable(loop, loop->seq);
    assert_int_equal(loop->applied, 200);
}

static void truncation_follows_the_order_given(void **state)
{
    struct loop *loop = *state;
    struct kz_entry old = {1, KZ_ENTRY_BARRIER, NULL, 0};
    struct kz_entry new = {2, KZ_ENTRY_BARRIER, NULL, 0};
    kz_writer_append(loop->writer, ++loop->seq, 1, &old, 1);
    kz_writer_append(loop->writer, ++loop->seq, 2, &old, 1);
    kz_writer_append(loop->writer, ++loop->seq, 3, &old, 1);
    kz_writer_append(loop->writer, ++loop->seq, 2, &new, 1);
    wait_durable(loop, loop->seq);
    assert_int_equal(fixture_hard(&loop->f).last_index, 2);
}

static void close_finishes_all_work_given(void **state)
{
    struct loop *loop = *state;
    append_put(loop, 1, "a");
    kz_writer_apply(loop->writer, ++loop->seq, 1, 1);
    kz_writer_close(loop->writer);
    loop->writer = NULL;
    assert_int_equal(fixture_applied(&loop->f).index, 1);
}

static void give_export(struct loop *loop, struct fixture *from, size_t damage_at)
{
    struct kz_view *view;
    struct kz_export_cursor cursor = {0};
    uint8_t rows[16384];
    size_t size, total = 0;
    must(kz_view_open(from->store, &view, &must_err));
    kz_writer_import_begin(loop->writer, ++loop->seq, &(struct kz_import_origin){.peer = 2, .transfer = 1, .term = 1});
    for (;;) {
        must(kz_view_export(view, &cursor, rows, sizeof(rows), &size, &must_err));
        if (size == 0) break;
        if (damage_at >= total && damage_at < total + size) rows[damage_at - total] ^= 1;
        total += size;
        kz_writer_import_rows(loop->writer, ++loop->seq, rows, size, &(struct kz_import_mark){.next = loop->seq});
    }
    kz_view_close(view);
}

static void a_snapshot_is_installed_through_the_queue(void **state)
{
    struct loop *loop = *state;
    struct fixture other;
    fixture_init(&other);
    fixture_fill(&other);
    struct kz_applied applied = fixture_applied(&other);
    give_export(loop, &other, SIZE_MAX);
    kz_writer_install(loop->writer, ++loop->seq, applied.index, applied.term);
    wait_durable(loop, loop->seq);
    assert_int_equal(loop->import_failed, 0);
    assert_int_equal(loop->applied, applied.index);
    struct kz_applied here = fixture_applied(&loop->f);
    assert_memory_equal(here.state_hash, applied.state_hash, KZ_HASH_BYTES);
    fixture_fini(&other);
}

/* Rows of old states and broken-off imports; the store thread may be at work on them. */
static bool has_waste(struct loop *loop)
{
    struct kz_view *view;
    uint64_t total = 0;
    must(kz_view_open(loop->f.store, &view, &must_err));
    struct kz_scope scope = view->scope;
    for (scope.generation = 0; scope.generation < KZ_GENERATIONS; scope.generation++) {
        for (unsigned table = KZ_TABLE_FIRST; table <= KZ_TABLE_LAST; table++) {
            uint64_t rows;
            if (scope.generation == view->scope.generation || !kz_table_generational((enum kz_table)table)) continue;
            must(kz_table_count(&scope, (enum kz_table)table, &rows, &must_err));
            total += rows;
        }
    }
    kz_view_close(view);
    return total > 0;
}

static void an_import_too_soon_after_others_is_refused_and_taken_once_they_are_cleared(void **state)
{
    struct loop *loop = *state;
    struct fixture other;
    fixture_init(&other);
    fixture_fill(&other);
    struct kz_applied applied = fixture_applied(&other);
    atomic_store(&loop->hold, true); /* so that all of it is taken at once, with no pause to clear in */
    kz_writer_put_hard(loop->writer, ++loop->seq, 1, 0);
    wait_durable(loop, loop->seq);
    atomic_store(&loop->hold, false);
    give_export(loop, &other, SIZE_MAX);
    give_export(loop, &other, SIZE_MAX); /* two broken off */
    give_export(loop, &other, SIZE_MAX);
    kz_writer_install(loop->writer, ++loop->seq, applied.index, applied.term);
    sem_post(&loop->release);
    wait_durable(loop, loop->seq);
    assert_int_not_equal(loop->import_failed, 0);
    assert_int_equal(loop->import_code, KZ_BUSY);
    assert_int_equal(loop->applied, 0);

    while (has_waste(loop))
        usleep(1000); /* the store thread clears by itself */
    give_export(loop, &other, SIZE_MAX);
    kz_writer_install(loop->writer, ++loop->seq, applied.index, applied.term);
    loop->import_failed = 0;
    wait_durable(loop, loop->seq);
    assert_int_equal(loop->import_failed, 0);
    assert_int_equal(loop->applied, applied.index);
    while (has_waste(loop))
        usleep(1000);
    fixture_scrub(&loop->f);
    fixture_fini(&other);
}

static void a_damaged_snapshot_is_reported_once_and_the_state_stays(void **state)
{
    struct loop *loop = *state;
    struct fixture other;
    fixture_init(&other);
    fixture_fill(&other);
    append_put(loop, 1, "mine");
    kz_writer_apply(loop->writer, ++loop->seq, 1, 1);
    struct kz_applied applied = fixture_applied(&other);
    give_export(loop, &other, 1500);
    kz_writer_install(loop->writer, ++loop->seq, applied.index, applied.term);
    wait_durable(loop, loop->seq);
    assert_int_not_equal(loop->import_failed, 0);
    assert_true(loop->import_failed < loop->seq); /* at the rows, not at the install */
    assert_int_equal(loop->import_code, KZ_PROTOCOL);
    assert_int_equal(loop->applied, 1);
    assert_int_equal(fixture_rev(&loop->f, KZ__KIND__ORG, "mine"), 1);

    give_export(loop, &other, SIZE_MAX); /* the next transfer is taken */
    kz_writer_install(loop->writer, ++loop->seq, applied.index, applied.term);
    wait_durable(loop, loop->seq);
    assert_int_equal(loop->applied, applied.index);
    fixture_fini(&other);
}

static void low_space_is_seen_before_it_is_used_up(void **state)
{
    struct loop *loop = *state;
    assert_false(kz_writer_low_space(loop->writer));
    assert_false(kz_writer_no_space(loop->writer));
    kz_writer_close(loop->writer);
    open_writer(loop, UINT64_MAX);
    assert_true(kz_writer_low_space(loop->writer));
    assert_true(kz_writer_no_space(loop->writer));
}

static void low_space_comes_before_no_space(void **state)
{
    struct loop *loop = *state;
    uint64_t map_room, disk_room;
    struct kz_err err;
    assert_int_equal(kz_store_room(loop->f.store, &map_room, &disk_room, &err), KZ_OK);
    kz_writer_close(loop->writer);
    open_writer(loop, 2 * (map_room < disk_room ? map_room : disk_room));
    assert_true(kz_writer_low_space(loop->writer));
    assert_false(kz_writer_no_space(loop->writer));
}

static void a_queue_past_its_limit_says_so(void **state)
{
    struct loop *loop = *state;
    static uint8_t chunk[1u << 20];
    struct kz_entry entry = {1, KZ_ENTRY_BARRIER, chunk, sizeof(chunk)};
    assert_false(kz_writer_full(loop->writer));
    atomic_store(&loop->hold, true);
    kz_writer_put_hard(loop->writer, ++loop->seq, 1, 1);
    assert_int_equal(sem_wait(&loop->notified), 0); /* the store thread now stands still */
    for (uint64_t i = 1; i <= KZ_WRITER_QUEUE_BYTES / sizeof(chunk); i++)
        kz_writer_append(loop->writer, ++loop->seq, i, &entry, 1);
    assert_true(kz_writer_full(loop->writer));
    kz_writer_put_hard(loop->writer, ++loop->seq, 2, 1); /* small work is still taken */
    atomic_store(&loop->hold, false);
    sem_post(&loop->release);
    kz_writer_poll(loop->writer, visitor_of(loop));
    wait_durable(loop, loop->seq);
    assert_false(kz_writer_full(loop->writer));
}

/* A limit on file size stands for the full or failing disk: the write fails, and the process must end. */
static void write_until_the_disk_refuses(struct loop *loop)
{
    static uint8_t chunk[64u << 10];
    struct rlimit limit = {8u << 20, 8u << 20};
    signal(SIGXFSZ, SIG_IGN);
    fixture_open(&loop->f);
    sem_init(&loop->notified, 0, 0);
    open_writer(loop, 0);
    setrlimit(RLIMIT_FSIZE, &limit);
    struct kz_entry entry = {1, KZ_ENTRY_BARRIER, chunk, sizeof(chunk)};
    for (uint64_t i = 1; i < 1000; i++) {
        kz_writer_append(loop->writer, ++loop->seq, i, &entry, 1);
        wait_durable(loop, loop->seq);
    }
    _exit(0);
}

static void a_failed_durable_write_ends_the_process(void **state)
{
    struct loop *loop = kz_must_alloc(1, sizeof(*loop));
    int status;
    (void)state;
    fixture_init(&loop->f);
    fixture_close(&loop->f);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) write_until_the_disk_refuses(loop);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), KZ_WRITER_EXIT_STATUS);
    fixture_fini(&loop->f);
    free(loop);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failed_durable_write_ends_the_process), /* forks: before any thread */
        T(work_becomes_durable_in_order_and_outcomes_come_back),
        T(a_long_stretch_is_applied_in_several_transactions),
        T(readers_see_whole_commits_while_the_store_thread_works),
        T(truncation_follows_the_order_given),
        T(close_finishes_all_work_given),
        T(a_snapshot_is_installed_through_the_queue),
        T(an_import_too_soon_after_others_is_refused_and_taken_once_they_are_cleared),
        T(a_damaged_snapshot_is_reported_once_and_the_state_stays),
        T(low_space_is_seen_before_it_is_used_up),
        T(low_space_comes_before_no_space),
        T(a_queue_past_its_limit_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
