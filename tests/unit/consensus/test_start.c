/* SPDX-License-Identifier: Apache-2.0 */
/* Starting from what the store holds, and refusing what does not fit together. */
#include "tests/unit/consensus/fixture.h"

static int setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));
    fixture_init(f, 1, 3);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture_fini(*state);
    test_free(*state);
    return 0;
}

static void apply_to(struct fixture *f, uint64_t index)
{
    f->applied.index = index;
    f->applied.term = f->log[index].entry.term;
    f->applied.configuration_index = 1;
    f->applied.configuration_bytes = f->log[1].entry.size_bytes;
    memcpy(f->applied.configuration, f->log[1].entry.data, f->log[1].entry.size_bytes);
}

static void refused(struct fixture *f, const char *why)
{
    struct kz_err err;
    f->replica = kz_replica_new(&f->options, &f->io);
    assert_int_equal(kz_replica_start(f->replica, &f->hard, &f->applied, &err), KZ_CORRUPT);
    assert_non_null(strstr(err.text, why));
    kz_replica_tick(f->replica); /* a replica that did not start does nothing */
    fixture_expect(f, "");
}

static void starts_from_the_applied_state(void **state)
{
    struct fixture *f = *state;
    struct kz_replica_status status;
    fixture_log(f, 2, "a");
    fixture_log(f, 3, "b");
    apply_to(f, 2);
    fixture_start(f);
    kz_replica_get_status(f->replica, &status);
    assert_int_equal(status.term, 3);
    assert_int_equal(status.commit_index, 2);
    assert_int_equal(status.last_index, 3);
    assert_int_equal(status.first_index, 1);
    assert_int_equal(status.leader_contact_ms, 0);
    assert_false(status.quorum);
    fixture_expect(f, "role follower term 3 leader 0\n");
}

static void entry_that_does_not_follow_is_corruption(void **state)
{
    struct fixture *f = *state;
    fixture_log(f, 1, "a");
    fixture_log(f, 1, "b");
    f->log[2].chain ^= 1;
    refused(f, "does not follow");
}

static void entry_that_cannot_be_read_is_corruption(void **state)
{
    struct fixture *f = *state;
    f->hard.last_index = 2;
    refused(f, "cannot be read");
}

static void terms_that_go_back_are_corruption(void **state)
{
    struct fixture *f = *state;
    fixture_log(f, 3, "a");
    fixture_log(f, 2, "b");
    refused(f, "term");
}

static void state_and_log_that_disagree_are_corruption(void **state)
{
    struct fixture *f = *state;
    fixture_log(f, 1, "a");
    apply_to(f, 2);
    f->applied.term = 9;
    refused(f, "disagree");
}

static void state_ahead_of_the_log_is_corruption(void **state)
{
    struct fixture *f = *state;
    apply_to(f, 1);
    f->applied.index = 5;
    refused(f, "does not hold the applied entry");
}

static void log_without_a_term_is_corruption(void **state)
{
    struct fixture *f = *state;
    f->hard.term = 0;
    refused(f, "without a term");
}

static void sole_voter_stores_a_new_term_before_it_starts(void **state)
{
    struct fixture *f = *state;
    fixture_fini(f);
    fixture_init(f, 1, 1);
    fixture_start(f);
    fixture_expect(f, "store term 2 vote 1\n");
    assert_int_equal(kz_replica_is_leader(f->replica), 0);
    kz_replica_stored(f->replica, f->seq);
    fixture_expect(f, "store entries 2..2\napply to 1 hint 1\nrole leader term 2 leader 1\n");
    fixture_store(f);
    fixture_expect(f, "apply to 2 hint 2\napplied 1\napplied 2\n");
}

static void empty_node_waits_for_a_leader(void **state)
{
    struct fixture *f = *state;
    f->hard = (struct kz_hard_state){.first_index = 1};
    fixture_start(f);
    fixture_expect(f, "role follower term 0 leader 0\n");
    for (unsigned i = 0; i < 5; i++)
        fixture_timeout(f);
    fixture_expect(f, ""); /* it is in no configuration: it stands for nothing */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(starts_from_the_applied_state, setup, teardown),
        cmocka_unit_test_setup_teardown(entry_that_does_not_follow_is_corruption, setup, teardown),
        cmocka_unit_test_setup_teardown(entry_that_cannot_be_read_is_corruption, setup, teardown),
        cmocka_unit_test_setup_teardown(terms_that_go_back_are_corruption, setup, teardown),
        cmocka_unit_test_setup_teardown(state_and_log_that_disagree_are_corruption, setup, teardown),
        cmocka_unit_test_setup_teardown(state_ahead_of_the_log_is_corruption, setup, teardown),
        cmocka_unit_test_setup_teardown(log_without_a_term_is_corruption, setup, teardown),
        cmocka_unit_test_setup_teardown(sole_voter_stores_a_new_term_before_it_starts, setup, teardown),
        cmocka_unit_test_setup_teardown(empty_node_waits_for_a_leader, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
