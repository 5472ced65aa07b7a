/* SPDX-License-Identifier: Apache-2.0 */
/* What a log that was left behind shares with the lineage that went on, and the number of a plan. */
#include "tests/unit/store/fixture.h"

#include <stdlib.h>
#include <string.h>

#include "node/service/lineage.h"
#include "node/service/recover.h"

#define OURS 1000 /* times of entries both have */
#define THEIRS 2000
#define MINE 3000

static struct kz_service_config config = {
    .name = (char *)(uintptr_t) "one", .id = 1, .cluster_id = (char *)(uintptr_t) "test"};

/* Beacons: `base` makes those of different lineages differ. */
static void append(struct fixture *f, int64_t base, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t size_bytes;
        uint8_t *batch = batch_pack(base + (int64_t)i, NULL, 0, &size_bytes);
        fixture_append(f, KZ_ENTRY_COMMAND, batch, size_bytes);
        free(batch);
    }
}

static void commit(struct fixture *f, uint64_t index)
{
    struct kz_store_txn *txn;
    must(kz_store_begin(f->store, &txn, &must_err));
    must(kz_txn_put_commit_hint(txn, index, &must_err));
    must(kz_store_commit(txn, &must_err));
}

static Kz__RecoverPoint *make_point(struct fixture *f)
{
    struct kz_view *view;
    Kz__RecoverPoint *point = NULL;
    must(kz_view_open(f->store, &view, &must_err));
    must(kz_lineage_make_point(view, &point, &must_err));
    kz_view_close(view);
    return point;
}

/* `point` may be NULL. */
static void expect_common(struct fixture *f, const Kz__RecoverPoint *point, uint64_t wanted, bool wanted_exact)
{
    struct kz_view *view;
    uint64_t common;
    bool exact;
    must(kz_view_open(f->store, &view, &must_err));
    must(kz_lineage_common(view, point, &common, &exact, &must_err));
    kz_view_close(view);
    assert_int_equal(common, wanted);
    assert_int_equal(exact, wanted_exact);
}

/* `shared` entries on both; then `theirs` at the survivor and `mine` at the node left behind; hints as given. */
static void compare(struct fixture *f, const size_t counts[3], const uint64_t hints[2], uint64_t wanted, bool exact)
{
    struct fixture survivor;
    fixture_init(&survivor);
    append(&survivor, OURS, counts[0]);
    append(&survivor, THEIRS, counts[1]);
    append(f, OURS, counts[0]);
    append(f, MINE, counts[2]);
    commit(&survivor, hints[0]);
    commit(f, hints[1]);
    Kz__RecoverPoint *point = make_point(&survivor);
    assert_int_equal(point->epoch, 2);
    assert_int_equal(point->index, counts[0] + counts[1]);
    for (size_t i = 1; i < point->n_samples; i++)
        assert_true(point->samples[i - 1]->index < point->samples[i]->index);
    assert_true(point->n_samples <= KZ_LINEAGE_SAMPLES_MAX);
    expect_common(f, point, wanted, exact);
    kz__recover_point__free_unpacked(point, NULL);
    fixture_fini(&survivor);
}

static void logs_that_part_share_what_lies_before(void **state)
{
    compare(*state, (const size_t[]){10, 2, 3}, (const uint64_t[]){8, 9}, 10, true);
}

static void a_longer_log_of_the_same_past_shares_all_of_the_survivors(void **state)
{
    compare(*state, (const size_t[]){10, 0, 5}, (const uint64_t[]){8, 15}, 10, true);
}

static void a_log_that_lagged_behind_has_nothing_of_its_own(void **state)
{
    compare(*state, (const size_t[]){10, 7, 0}, (const uint64_t[]){12, 4}, 10, true);
}

static void a_log_that_lagged_far_behind_is_placed_by_what_is_committed(void **state)
{
    /* The survivor is 1,000 entries ahead: no sample lies at 20, the next lower one does not exist. */
    compare(*state, (const size_t[]){20, 1000, 0}, (const uint64_t[]){900, 15}, 15, false);
}

static void where_no_chain_is_left_what_both_know_committed_is_shared(void **state)
{
    struct fixture *f = *state, survivor;
    fixture_init(&survivor);
    append(&survivor, OURS, 10);
    commit(&survivor, 7);
    Kz__RecoverPoint *point = make_point(&survivor);
    struct kz_store_txn *txn;
    append(f, OURS, 30);
    fixture_apply(f, NULL);
    must(kz_store_begin(f->store, &txn, &must_err));
    must(kz_txn_compact(txn, 25, &must_err));
    must(kz_store_commit(txn, &must_err));
    expect_common(f, point, 7, false);
    kz__recover_point__free_unpacked(point, NULL);
    fixture_fini(&survivor);
}

static void without_a_point_nothing_is_taken_for_shared(void **state)
{
    struct fixture *f = *state;
    append(f, OURS, 5);
    expect_common(f, NULL, 0, false);
}

/* ---- the plan's number ---- */

static void read_digest(struct fixture *f, char digest[KZ_RECOVER_DIGEST_BYTES])
{
    struct kz_view *view;
    Kz__Survivor *survivor = NULL;
    must(kz_view_open(f->store, &view, &must_err));
    must(kz_recover_report(&config, view, true, &survivor, &must_err));
    kz_view_close(view);
    memcpy(digest, survivor->digest, KZ_RECOVER_DIGEST_BYTES);
    kz__survivor__free_unpacked(survivor, NULL);
}

static void a_plan_goes_stale_with_whatever_recovery_would_keep(void **state)
{
    struct fixture *f = *state;
    char first[KZ_RECOVER_DIGEST_BYTES], now[KZ_RECOVER_DIGEST_BYTES], appended[KZ_RECOVER_DIGEST_BYTES];
    append(f, OURS, 3);
    read_digest(f, first);
    assert_int_equal(strlen(first), KZ_RECOVER_DIGEST_BYTES - 1);
    fixture_reopen(f);
    read_digest(f, now);
    assert_string_equal(now, first);
    append(f, OURS, 1);
    read_digest(f, appended);
    assert_string_not_equal(appended, first);
    commit(f, 2);
    read_digest(f, now);
    assert_string_not_equal(now, appended);
}

static void the_tail_is_what_lies_above_the_commit(void **state)
{
    struct fixture *f = *state;
    struct kz_view *view;
    Kz__Survivor *survivor = NULL;
    fixture_fill(f);
    uint64_t applied = fixture_applied(f).index;
    struct command command;
    const Kz__Command *pointers[] = {&command.message};
    size_t size_bytes;
    command_init(&command, f->request++);
    command_put(&command, make_org("tail", "tail", NULL));
    uint8_t *batch = batch_pack(f->time_ms, pointers, 1, &size_bytes);
    fixture_append(f, KZ_ENTRY_COMMAND, batch, size_bytes);
    free(batch);
    command_fini(&command);
    must(kz_view_open(f->store, &view, &must_err));
    must(kz_recover_report(&config, view, true, &survivor, &must_err));
    kz_view_close(view);
    assert_int_equal(survivor->commit_index, applied);
    assert_int_equal(survivor->tail_count, 1);
    assert_int_equal(survivor->tail[0]->index, applied + 1);
    assert_string_equal(survivor->tail[0]->mutations[0]->id, "tail");
    kz__survivor__free_unpacked(survivor, NULL);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(logs_that_part_share_what_lies_before),
        T(a_longer_log_of_the_same_past_shares_all_of_the_survivors),
        T(a_log_that_lagged_behind_has_nothing_of_its_own),
        T(a_log_that_lagged_far_behind_is_placed_by_what_is_committed),
        T(where_no_chain_is_left_what_both_know_committed_is_shared),
        T(without_a_point_nothing_is_taken_for_shared),
        T(a_plan_goes_stale_with_whatever_recovery_would_keep),
        T(the_tail_is_what_lies_above_the_commit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
