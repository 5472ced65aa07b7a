/* SPDX-License-Identifier: Apache-2.0 */
/* The order in which the driver does things, told as stories (DESIGN 4). */
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

static void ask_vote(struct fixture *f, uint64_t from, uint64_t term, bool pre_vote, uint64_t last, uint64_t last_term)
{
    Kz__RequestVote vote = KZ__REQUEST_VOTE__INIT;
    Kz__PeerMessage message = KZ__PEER_MESSAGE__INIT;
    struct kz_err err;
    vote.term = term;
    vote.candidate_id = from;
    vote.last_log_index = last;
    vote.last_log_term = last_term;
    vote.pre_vote = pre_vote;
    message.request_vote = &vote;
    assert_int_equal(fixture_receive(f, from, &message, &err), KZ_OK);
}

static void vote_leaves_only_when_it_is_durable(void **state)
{
    struct fixture *f = *state;
    fixture_start(f);
    fixture_forget(f);
    ask_vote(f, 2, 2, false, 1, 1);
    fixture_expect(f, "store term 2 vote 2\nrole follower term 2 leader 0\n");
    fixture_store(f);
    fixture_expect(f, "send 2 vote granted term 2\napplied 1\n");
}

static void candidate_asks_for_votes_only_when_its_term_is_durable(void **state)
{
    struct fixture *f = *state;
    fixture_start(f);
    fixture_store(f);
    fixture_forget(f);
    fixture_timeout(f);
    fixture_expect(f, "send 2 RequestVote pre term 2 last 1^1\nsend 3 RequestVote pre term 2 last 1^1\n"
                      "role candidate term 1 leader 0\n");
    fixture_vote_result(f, 2, 2, true, true);
    fixture_expect(f, "store term 2 vote 1\nrole candidate term 2 leader 0\n");
    fixture_store(f);
    fixture_expect(f, "send 2 RequestVote term 2 last 1^1\nsend 3 RequestVote term 2 last 1^1\n");
}

static void leader_appends_an_entry_of_its_own_term_at_once(void **state)
{
    struct fixture *f = *state;
    fixture_start(f);
    fixture_store(f);
    fixture_timeout(f);
    fixture_vote_result(f, 2, 2, true, true);
    fixture_store(f);
    fixture_forget(f);
    fixture_vote_result(f, 2, 2, true, false);
    fixture_expect(f, "store entries 2..2\n"
                      "send 2 AppendEntries term 2 after 1^1 count 0 commit 1\n"
                      "send 3 AppendEntries term 2 after 1^1 count 0 commit 1\n"
                      "role leader term 2 leader 1\n");
}

static void follower_acknowledges_only_what_is_durable(void **state)
{
    struct fixture *f = *state;
    fixture_start(f);
    fixture_store(f);
    fixture_forget(f);
    fixture_append(f, 2, 2, 1, 1, 2, 1);
    fixture_expect(f, "store term 2 vote 0\nstore entries 2..3\nrole follower term 2 leader 2\n");
    kz_replica_stored(f->replica, f->seq - 1); /* the term, not the entries */
    fixture_expect(f, "");
    fixture_store(f);
    fixture_expect(f, "send 2 AppendEntriesResult term 2 rejected 0 last 3\n");
}

static void entries_are_applied_when_committed_and_durable(void **state)
{
    struct fixture *f = *state;
    fixture_start(f);
    fixture_store(f);
    fixture_append(f, 2, 2, 1, 1, 2, 3);
    assert_int_equal(f->replica->commit, 3);
    fixture_forget(f);
    fixture_store(f);
    fixture_expect(f, "apply to 3 hint 3\nsend 2 AppendEntriesResult term 2 rejected 0 last 3\napplied 3\n");
}

static void completion_of_what_was_cut_is_not_acknowledged(void **state)
{
    struct fixture *f = *state;
    fixture_start(f);
    fixture_store(f);
    fixture_append(f, 2, 2, 1, 1, 4, 1); /* 2..5 of term 2, not durable yet */
    uint64_t old = f->seq;
    fixture_append(f, 3, 3, 3, 2, 1, 1); /* 4 of term 3 replaces 4 and 5 */
    fixture_forget(f);
    kz_replica_stored(f->replica, old);
    assert_int_equal(f->replica->stored, 3);
    fixture_store(f);
    assert_int_equal(f->replica->stored, 4);
    assert_int_equal(FIXTURE_LAST(f, append_entries_result)->last_log_index, 4);
    assert_int_equal(FIXTURE_LAST(f, append_entries_result)->term, 3);
}

static void answer_to_an_older_term_names_no_index(void **state)
{
    struct fixture *f = *state;
    fixture_log(f, 5, "a");
    fixture_start(f);
    fixture_store(f);
    fixture_forget(f);
    fixture_append(f, 2, 3, 1, 1, 1, 1);
    fixture_expect(f, "send 2 AppendEntriesResult term 5 rejected 0 last 0\n");
}

static void refused_pre_vote_answers_with_our_higher_term(void **state)
{
    struct fixture *f = *state;
    fixture_log(f, 7, "a");
    fixture_start(f);
    fixture_store(f);
    fixture_forget(f);
    ask_vote(f, 2, 4, true, 1, 1);
    fixture_expect(f, "send 2 vote pre refused term 7\n");
}

static void vote_result_is_dropped_unless_we_are_a_candidate(void **state)
{
    struct fixture *f = *state;
    fixture_start(f);
    fixture_store(f);
    fixture_forget(f);
    fixture_vote_result(f, 2, 2, true, true);
    fixture_vote_result(f, 2, 9, false, false);
    fixture_expect(f, "");
}

static void commit_hint_is_applied_before_a_leader_is_known(void **state)
{
    struct fixture *f = *state;
    fixture_log(f, 1, "a");
    fixture_log(f, 1, "b");
    fixture_log(f, 1, "c");
    f->hard.commit_hint = 3;
    fixture_start(f);
    fixture_expect(f, "apply to 3 hint 3\nrole follower term 1 leader 0\n");
}

static void entries_below_the_applied_one_are_not_appended_again(void **state)
{
    struct fixture *f = *state;
    fixture_start(f);
    fixture_store(f);
    fixture_append(f, 2, 2, 1, 1, 3, 4);
    fixture_store(f);
    fixture_forget(f);
    fixture_append(f, 2, 2, 1, 1, 3, 4); /* a double that was late */
    fixture_expect(f, "send 2 AppendEntriesResult term 2 rejected 0 last 4\n");
}

static void equal_term_with_another_past_is_fatal(void **state)
{
    struct fixture *f = *state;
    Kz__AppendEntries wire = KZ__APPEND_ENTRIES__INIT;
    Kz__PeerMessage message = KZ__PEER_MESSAGE__INIT;
    struct kz_err err;
    fixture_log(f, 2, "a");
    fixture_start(f);
    wire.term = 2;
    wire.prev_log_index = 2;
    wire.prev_log_term = 2;
    wire.has_prev_chain = true;
    wire.prev_chain = f->log[2].chain;
    message.append_entries = &wire;
    assert_int_equal(fixture_receive(f, 2, &message, &err), KZ_OK);
    assert_false(f->dead);
    wire.prev_chain ^= 1;
    assert_int_equal(fixture_receive(f, 2, &message, &err), KZ_OK);
    assert_true(f->dead);
    assert_non_null(strstr(f->why, "differ"));
}

static void a_second_leader_of_our_term_is_refused(void **state)
{
    struct fixture *f = *state;
    Kz__AppendEntries wire = KZ__APPEND_ENTRIES__INIT;
    Kz__PeerMessage message = KZ__PEER_MESSAGE__INIT;
    struct kz_err err;
    fixture_start(f);
    fixture_store(f);
    fixture_lead(f, 2);
    wire.term = 2;
    message.append_entries = &wire;
    assert_int_equal(fixture_receive(f, 3, &message, &err), KZ_PROTOCOL);
    assert_true(kz_replica_is_leader(f->replica));
}

static void lost_leader_is_replaced_quickly(void **state)
{
    struct fixture *f = *state;
    fixture_start(f);
    fixture_store(f);
    fixture_append(f, 2, 2, 1, 1, 0, 1);
    fixture_store(f);
    uint64_t ordinary = raft_timeout(&f->replica->core) - f->now_ms;
    assert_true(ordinary >= f->options.election_timeout_ms);
    kz_replica_peer_lost(f->replica, 3); /* not the leader */
    assert_true(raft_timeout(&f->replica->core) - f->now_ms >= f->options.election_timeout_ms);
    kz_replica_peer_lost(f->replica, 2);
    assert_true(raft_timeout(&f->replica->core) - f->now_ms <= 2 * f->options.fast_election_ms);
    fixture_append(f, 2, 2, 1, 1, 0, 1); /* it was a false alarm */
    assert_true(raft_timeout(&f->replica->core) - f->now_ms >= f->options.election_timeout_ms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(vote_leaves_only_when_it_is_durable, setup, teardown),
        cmocka_unit_test_setup_teardown(candidate_asks_for_votes_only_when_its_term_is_durable, setup, teardown),
        cmocka_unit_test_setup_teardown(leader_appends_an_entry_of_its_own_term_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(follower_acknowledges_only_what_is_durable, setup, teardown),
        cmocka_unit_test_setup_teardown(entries_are_applied_when_committed_and_durable, setup, teardown),
        cmocka_unit_test_setup_teardown(completion_of_what_was_cut_is_not_acknowledged, setup, teardown),
        cmocka_unit_test_setup_teardown(answer_to_an_older_term_names_no_index, setup, teardown),
        cmocka_unit_test_setup_teardown(refused_pre_vote_answers_with_our_higher_term, setup, teardown),
        cmocka_unit_test_setup_teardown(vote_result_is_dropped_unless_we_are_a_candidate, setup, teardown),
        cmocka_unit_test_setup_teardown(commit_hint_is_applied_before_a_leader_is_known, setup, teardown),
        cmocka_unit_test_setup_teardown(entries_below_the_applied_one_are_not_appended_again, setup, teardown),
        cmocka_unit_test_setup_teardown(equal_term_with_another_past_is_fatal, setup, teardown),
        cmocka_unit_test_setup_teardown(a_second_leader_of_our_term_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(lost_leader_is_replaced_quickly, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
