/* SPDX-License-Identifier: Apache-2.0 */
/* Epochs, and a survivor that becomes a cluster of its own. */
#include "tests/unit/store/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/base/assert.h"

static const uint8_t LONE[] = "lone voter";

/* A put that is in the log only: nobody can know whether it was committed. */
static void append_uncertain(struct fixture *f, const char *id)
{
    struct command command;
    const Kz__Command *pointers[] = {&command.message};
    size_t size;
    command_init(&command, f->request++);
    command_put(&command, make_org(id, id, NULL));
    uint8_t *batch = batch_pack(f->time_ms, pointers, 1, &size);
    fixture_append(f, KZ_ENTRY_COMMAND, batch, size);
    free(batch);
    command_fini(&command);
}

static enum kz_code recover(struct fixture *f, uint64_t epoch, size_t size_bytes, uint64_t term, struct kz_err *err)
{
    static uint8_t configuration[8192];
    struct kz_store_txn *txn;
    memcpy(configuration, LONE, sizeof(LONE));
    must(kz_store_begin(f->store, &txn, &must_err));
    enum kz_code code = kz_txn_recover(txn, epoch, configuration, size_bytes, term, err);
    must(kz_store_commit(txn, &must_err));
    return code;
}

static void check_recovered(struct fixture *f, const struct kz_hard_state *before)
{
    struct kz_hard_state hard = fixture_hard(f);
    struct kz_view *view;
    struct kz_entry entry;
    assert_int_equal(hard.epoch, before->epoch + 1);
    assert_int_equal(hard.term, before->term + 3);
    assert_int_equal(hard.voted_for, 0);
    assert_int_equal(hard.first_index, before->first_index);
    assert_int_equal(hard.last_index, before->last_index + 1);
    assert_int_equal(hard.commit_hint, hard.last_index);
    assert_memory_equal(hard.incarnation, before->incarnation, KZ_INCARNATION_BYTES);
    must(kz_view_open(f->store, &view, &must_err));
    must(kz_view_entry(view, hard.last_index, &entry, &must_err));
    assert_int_equal(entry.type, KZ_ENTRY_CHANGE);
    assert_int_equal(entry.term, hard.term);
    assert_int_equal(entry.size_bytes, sizeof(LONE));
    assert_memory_equal(entry.data, LONE, sizeof(LONE));
    kz_view_close(view);
}

static void recovery_commits_the_tail_and_makes_the_configuration_the_last_entry(void **state)
{
    struct fixture *f = *state;
    struct kz_err err = {KZ_OK, ""};
    fixture_fill(f);
    append_uncertain(f, "tail-1");
    append_uncertain(f, "tail-2");
    struct kz_hard_state before = fixture_hard(f);
    struct kz_applied applied = fixture_applied(f);
    assert_true(applied.index < before.last_index);
    assert_int_equal(recover(f, before.epoch + 1, sizeof(LONE), before.term + 3, &err), KZ_OK);
    fixture_reopen(f);
    check_recovered(f, &before);
    assert_int_equal(fixture_applied(f).index, applied.index); /* applying is for who starts */

    f->index = before.last_index + 1;
    fixture_apply(f, NULL);
    applied = fixture_applied(f);
    assert_int_equal(applied.configuration_index, f->index);
    assert_int_equal(applied.configuration_bytes, sizeof(LONE));
    assert_memory_equal(applied.configuration, LONE, sizeof(LONE));
    assert_int_equal(fixture_rev(f, KZ__KIND__ORG, "tail-2"), applied.rev);
    fixture_scrub(f);
    assert_int_equal(recover(f, before.epoch + 2, sizeof(LONE), before.term + 4, &err), KZ_OK); /* and once more */
    assert_int_equal(fixture_hard(f).epoch, before.epoch + 2);
}

static void recovery_works_on_a_log_that_is_empty_after_an_install(void **state)
{
    struct fixture *f = *state;
    struct fixture other;
    struct kz_err err = {KZ_OK, ""};
    fixture_fill(f);
    fixture_init(&other);
    fixture_copy_state(f, &other, 8192);
    struct kz_hard_state before = fixture_hard(&other);
    assert_int_equal(before.first_index, before.last_index + 1);
    assert_int_equal(recover(&other, before.epoch + 1, sizeof(LONE), before.term + 3, &err), KZ_OK);
    check_recovered(&other, &before);
    fixture_reopen(&other);
    fixture_scrub(&other);
    fixture_fini(&other);
}

static void a_recovery_that_is_not_committed_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    struct kz_store_txn *txn;
    fixture_fill(f);
    struct kz_hard_state before = fixture_hard(f);
    must(kz_store_begin(f->store, &txn, &must_err));
    must(kz_txn_recover(txn, before.epoch + 1, LONE, sizeof(LONE), before.term + 1, &must_err));
    kz_store_abort(txn);
    fixture_reopen(f);
    struct kz_hard_state after = fixture_hard(f);
    assert_memory_equal(&after, &before, sizeof(after));
}

static void recovery_refuses_what_would_make_a_second_cluster(void **state)
{
    struct fixture *f = *state;
    struct kz_err err;
    assert_int_equal(recover(f, 2, sizeof(LONE), 1, &err), KZ_USAGE);
    assert_non_null(strstr(err.text, "empty"));
    fixture_fill(f);
    struct kz_hard_state before = fixture_hard(f);
    const struct {
        uint64_t epoch;
        size_t size_bytes;
        uint64_t term;
        const char *why;
    } bad[] = {
        {before.epoch, sizeof(LONE), before.term + 1, "epoch"},
        {before.epoch - 1, sizeof(LONE), 9, "epoch"},
        {before.epoch + 2, sizeof(LONE), before.term + 1, "epoch"},
        {before.epoch + 1, 0, 9, "configuration"},
        {before.epoch + 1, 4097, before.term + 1, "configuration"},
        {before.epoch + 1, 10, before.term, "term"},
        {before.epoch + 1, 10, 0, "term"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(recover(f, bad[i].epoch, bad[i].size_bytes, bad[i].term, &err), KZ_USAGE);
        assert_non_null(strstr(err.text, bad[i].why));
        struct kz_hard_state after = fixture_hard(f);
        assert_memory_equal(&after, &before, sizeof(after));
    }
}

static void an_epoch_only_grows(void **state)
{
    struct fixture *f = *state;
    static const struct {
        uint64_t epoch;
        enum kz_code code;
    } steps[] = {{1, KZ_OK}, {5, KZ_OK}, {5, KZ_OK}, {4, KZ_TOO_OLD}, {6, KZ_OK}, {0, KZ_TOO_OLD}};
    uint64_t highest = 1;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        struct kz_store_txn *txn;
        struct kz_err err;
        must(kz_store_begin(f->store, &txn, &must_err));
        assert_int_equal(kz_txn_put_epoch(txn, steps[i].epoch, &err), steps[i].code);
        must(kz_store_commit(txn, &must_err));
        if (steps[i].code == KZ_OK) highest = steps[i].epoch;
        fixture_reopen(f);
        assert_int_equal(fixture_hard(f).epoch, highest);
    }
}

static void remove_archive(const struct fixture *f, const char *name)
{
    static const char *const files[] = {"/data.mdb", "/lock.mdb", "/keizoku.lock", ""};
    char path[160];
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        snprintf(path, sizeof(path), "%s/archive/%s%s", f->directory, name, files[i]);
        assert_int_equal(remove(path), 0);
    }
    snprintf(path, sizeof(path), "%s/archive", f->directory);
    assert_int_equal(rmdir(path), 0); /* nothing else was left in it */
}

static void an_archive_is_a_store_with_the_same_state_and_log(void **state)
{
    struct fixture *f = *state, copy = {.store = NULL};
    char path[160];
    fixture_fill(f);
    append_uncertain(f, "tail");
    must(kz_store_archive(f->store, "epoch-1", 0, &must_err));
    snprintf(path, sizeof(path), "%s/archive/epoch-1", f->directory);
    copy.options = f->options;
    copy.options.directory = path;
    copy.options.create = false;
    fixture_open(&copy);
    struct kz_hard_state here = fixture_hard(f), there = fixture_hard(&copy);
    struct kz_applied applied = fixture_applied(f), archived = fixture_applied(&copy);
    assert_memory_equal(&there, &here, sizeof(here));
    assert_memory_equal(archived.state_hash, applied.state_hash, KZ_HASH_BYTES);
    fixture_scrub(&copy);
    fixture_close(&copy);
    remove_archive(f, "epoch-1");
}

static void an_archive_that_does_not_fit_is_refused_and_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    struct kz_err err;
    char path[160];
    fixture_fill(f);
    assert_int_equal(kz_store_archive(f->store, "epoch-1", UINT64_MAX / 2, &err), KZ_NO_SPACE);
    assert_non_null(strstr(err.text, "must stay free"));
    snprintf(path, sizeof(path), "%s/archive", f->directory);
    assert_int_not_equal(access(path, F_OK), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(recovery_commits_the_tail_and_makes_the_configuration_the_last_entry),
        T(recovery_works_on_a_log_that_is_empty_after_an_install),
        T(a_recovery_that_is_not_committed_leaves_nothing),
        T(recovery_refuses_what_would_make_a_second_cluster),
        T(an_epoch_only_grows),
        T(an_archive_is_a_store_with_the_same_state_and_log),
        T(an_archive_that_does_not_fit_is_refused_and_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
