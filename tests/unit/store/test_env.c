/* SPDX-License-Identifier: Apache-2.0 */
/* Opening: what is refused, what survives, what grows. */
#include "tests/unit/store/fixture.h"

#include <fcntl.h>
#include <lmdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void data_path(const struct fixture *f, char *out, size_t size)
{
    snprintf(out, size, "%s/data.mdb", f->directory);
}

static void everything_is_there_after_a_reopen(void **state)
{
    struct fixture *f = *state;
    f->options.no_sync = false;
    fixture_reopen(f);
    fixture_fill(f);
    struct kz_applied before = fixture_applied(f);
    struct kz_hard_state hard = fixture_hard(f);
    fixture_reopen(f);
    struct kz_applied after = fixture_applied(f);
    struct kz_hard_state again = fixture_hard(f);
    assert_int_equal(after.index, before.index);
    assert_int_equal(after.rev, before.rev);
    assert_memory_equal(after.state_hash, before.state_hash, KZ_HASH_BYTES);
    assert_int_equal(again.term, hard.term);
    assert_int_equal(again.voted_for, 2);
    assert_int_equal(again.last_index, hard.last_index);
    assert_memory_equal(again.incarnation, hard.incarnation, KZ_INCARNATION_BYTES);
    fixture_scrub(f);
}

static void two_stores_have_different_incarnations(void **state)
{
    struct fixture *f = *state;
    struct fixture other;
    fixture_init(&other);
    struct kz_hard_state a = fixture_hard(f);
    struct kz_hard_state b = fixture_hard(&other);
    assert_memory_not_equal(a.incarnation, b.incarnation, KZ_INCARNATION_BYTES);
    assert_int_equal(a.epoch, 1);
    fixture_fini(&other);
}

static void an_empty_directory_is_refused_without_create(void **state)
{
    struct fixture *f = *state;
    char path[128];
    fixture_close(f);
    data_path(f, path, sizeof(path));
    assert_int_equal(unlink(path), 0);
    f->options.create = false;
    assert_non_null(strstr(fixture_open_fails(f, KZ_NOT_FOUND), "holds no store"));
    f->options.directory = "/tmp/kz-store-nowhere";
    assert_non_null(strstr(fixture_open_fails(f, KZ_NOT_FOUND), "does not exist"));
    f->options.directory = f->directory;
}

static void a_creation_cut_off_before_its_commit_is_done_again(void **state)
{
    struct fixture *f = *state;
    char path[128];
    MDB_env *env;
    fixture_close(f);
    data_path(f, path, sizeof(path));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mdb_env_create(&env), 0); /* the file is there, with nothing in it */
    assert_int_equal(mdb_env_open(env, f->directory, 0, 0600), 0);
    mdb_env_close(env);
    f->options.create = false;
    assert_non_null(strstr(fixture_open_fails(f, KZ_NOT_FOUND), "cut off"));
    f->options.create = true;
    fixture_open(f);
    assert_int_equal(fixture_applied(f).index, 0);
}

static void another_cluster_or_node_is_refused_with_both_names(void **state)
{
    struct fixture *f = *state;
    fixture_close(f);
    f->options.cluster_id = "other";
    const char *text = fixture_open_fails(f, KZ_WRONG_CLUSTER);
    assert_non_null(strstr(text, "'test'"));
    assert_non_null(strstr(text, "'other'"));
    f->options.cluster_id = "test";
    f->options.node_id = 2;
    text = fixture_open_fails(f, KZ_WRONG_CLUSTER);
    assert_non_null(strstr(text, "node 1, not 2"));
}

static void a_directory_in_use_is_refused(void **state)
{
    struct fixture *f = *state;
    assert_non_null(strstr(fixture_open_fails(f, KZ_BUSY), "another process"));
}

static void a_file_in_the_directory_s_place_is_refused(void **state)
{
    struct fixture *f = *state;
    char path[128];
    data_path(f, path, sizeof(path));
    struct fixture other = *f;
    other.options.directory = path;
    assert_non_null(strstr(fixture_open_fails(&other, KZ_USAGE), "not a directory"));
}

static void a_truncated_file_is_refused_at_every_length(void **state)
{
    struct fixture *f = *state;
    char path[128];
    struct stat info;
    f->options.no_sync = false;
    fixture_reopen(f);
    fixture_fill(f);
    uint64_t used, free_bytes;
    must(kz_store_usage(f->store, &used, &free_bytes, &must_err));
    assert_true(used > 0 && free_bytes > 0);
    fixture_close(f);
    data_path(f, path, sizeof(path));
    assert_int_equal(stat(path, &info), 0);
    assert_true((uint64_t)info.st_size >= used);
    for (uint64_t size = used - 1; size > 0; size = size > 4096 ? size - 4096 : 0) {
        assert_int_equal(truncate(path, (off_t)size), 0);
        assert_non_null(strstr(fixture_open_fails(f, KZ_CORRUPT), "cut short"));
    }
}

static void a_file_that_is_no_store_is_refused(void **state)
{
    struct fixture *f = *state;
    char path[128];
    fixture_close(f);
    data_path(f, path, sizeof(path));
    int fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    static const char garbage[16384] = "not a database";
    assert_int_equal(pwrite(fd, garbage, sizeof(garbage), 0), (ssize_t)sizeof(garbage));
    close(fd);
    (void)fixture_open_fails(f, KZ_CORRUPT);
}

static void the_map_grows_at_reopen_and_never_shrinks(void **state)
{
    struct fixture *f = *state;
    static uint8_t chunk[512u << 10];
    fixture_fini(f);
    fixture_init(f);
    fixture_close(f);
    char path[128];
    data_path(f, path, sizeof(path));
    assert_int_equal(unlink(path), 0);
    f->options.map_size_bytes = 4u << 20;
    fixture_open(f);

    struct kz_err err = {KZ_OK, ""};
    struct kz_entry entry = {1, KZ_ENTRY_BARRIER, chunk, sizeof(chunk)};
    enum kz_code code = KZ_OK;
    for (uint64_t i = 1; i < 20 && code == KZ_OK; i++) {
        struct kz_store_txn *txn;
        must(kz_store_begin(f->store, &txn, &must_err));
        code = kz_txn_append(txn, i, &entry, 1, &err);
        if (code == KZ_OK)
            code = kz_store_commit(txn, &err);
        else
            kz_store_abort(txn);
    }
    assert_int_equal(code, KZ_NO_SPACE);
    assert_non_null(strstr(err.text, "map"));
    uint64_t last = fixture_hard(f).last_index;
    assert_true(last > 2);

    f->options.map_size_bytes = 64u << 20;
    fixture_reopen(f);
    assert_int_equal(fixture_hard(f).last_index, last);
    f->index = last;
    for (int i = 0; i < 40; i++)
        fixture_append(f, KZ_ENTRY_BARRIER, chunk, sizeof(chunk));
    f->options.map_size_bytes = 4u << 20; /* smaller than what is stored: the larger one stays */
    fixture_reopen(f);
    assert_int_equal(fixture_hard(f).last_index, last + 40);
    fixture_append(f, KZ_ENTRY_BARRIER, chunk, sizeof(chunk));
}

static void a_map_too_small_to_be_meant_is_refused(void **state)
{
    struct fixture *f = *state;
    fixture_close(f);
    f->options.map_size_bytes = 1000;
    assert_non_null(strstr(fixture_open_fails(f, KZ_USAGE), "map size"));
}

/* Writes until killed, and tells the parent after each commit which revision is durable. */
static void write_for_ever(struct fixture *f, int pipe_fd)
{
    fixture_open(f);
    f->index = fixture_hard(f).last_index;
    fixture_apply(f, NULL); /* the last one may have been killed between its append and its apply */
    for (;;) {
        char name[32];
        uint64_t rev = fixture_applied(f).rev + 1;
        f->request = (uint8_t)rev;
        snprintf(name, sizeof(name), "n%llu", (unsigned long long)rev);
        struct command command;
        command_init(&command, (unsigned)rev);
        command_put(&command, make_org("joho", name, NULL));
        fixture_must(f, &command, KZ_OK);
        if (write(pipe_fd, &rev, sizeof(rev)) != (ssize_t)sizeof(rev)) _exit(1);
    }
}

static void a_killed_process_leaves_everything_it_committed(void **state)
{
    struct fixture *f = *state;
    uint64_t told = 0, last;
    f->options.no_sync = false;
    fixture_close(f);
    for (int round = 0; round < 5; round++) {
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        fflush(NULL);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) write_for_ever(f, ends[1]);
        close(ends[1]);
        for (int i = 0; i < 20 + 7 * round; i++)
            assert_int_equal(read(ends[0], &told, sizeof(told)), (ssize_t)sizeof(told));
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, NULL, 0), child);
        while (read(ends[0], &last, sizeof(last)) == (ssize_t)sizeof(last))
            told = last;
        close(ends[0]);
        f->options.create = false;
        fixture_open(f);
        assert_true(fixture_applied(f).rev >= told);
        fixture_scrub(f);
        fixture_close(f);
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(everything_is_there_after_a_reopen),
        T(a_killed_process_leaves_everything_it_committed),
        T(two_stores_have_different_incarnations),
        T(an_empty_directory_is_refused_without_create),
        T(a_creation_cut_off_before_its_commit_is_done_again),
        T(another_cluster_or_node_is_refused_with_both_names),
        T(a_directory_in_use_is_refused),
        T(a_file_in_the_directory_s_place_is_refused),
        T(a_truncated_file_is_refused_at_every_length),
        T(a_file_that_is_no_store_is_refused),
        T(the_map_grows_at_reopen_and_never_shrinks),
        T(a_map_too_small_to_be_meant_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
