/* SPDX-License-Identifier: Apache-2.0 */
/* What a leader does: proposals, linearizable reads, windows, membership, transfer. */
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

static void lead(struct fixture *f)
{
    fixture_start(f);
    fixture_store(f);
    fixture_lead(f, 2);
}

struct answer {
    unsigned times;
    enum kz_code code;
    uint64_t index;
};

static void answered(void *data, enum kz_code code, uint64_t read_index)
{
    struct answer *answer = data;
    answer->times++;
    answer->code = code;
    answer->index = read_index;
}

static void answer_probe(struct fixture *f, uint64_t from, uint64_t term, uint64_t round)
{
    Kz__ProbeResult result = KZ__PROBE_RESULT__INIT;
    Kz__PeerMessage message = KZ__PEER_MESSAGE__INIT;
    struct kz_err err;
    result.term = term;
    result.round = round;
    message.probe_result = &result;
    assert_int_equal(fixture_receive(f, from, &message, &err), KZ_OK);
}

static enum kz_code propose(struct fixture *f, size_t size, uint64_t *index)
{
    uint64_t term;
    uint8_t *data = test_calloc(1, size + 1);
    enum kz_code code = kz_replica_propose(f->replica, data, size, index, &term);
    test_free(data);
    return code;
}

static void read_without_a_majority_is_not_answered(void **state)
{
    struct fixture *f = *state;
    struct answer answer = {0};
    lead(f);
    assert_int_equal(kz_replica_read(f->replica, answered, &answer), KZ_OK);
    kz_replica_flush(f->replica);
    fixture_expect(f, "send 2 Probe round 1\nsend 3 Probe round 1\n");
    assert_int_equal(answer.times, 0);
    answer_probe(f, 3, 1, 1); /* of an older term */
    assert_int_equal(answer.times, 0);
    answer_probe(f, 3, 2, 1);
    assert_int_equal(answer.times, 1);
    assert_int_equal(answer.code, KZ_OK);
    assert_int_equal(answer.index, 2);
    answer_probe(f, 2, 2, 1);
    assert_int_equal(answer.times, 1);
}

static void round_begun_before_a_read_does_not_confirm_it(void **state)
{
    struct fixture *f = *state;
    struct answer first = {0}, second = {0};
    lead(f);
    assert_int_equal(kz_replica_read(f->replica, answered, &first), KZ_OK);
    kz_replica_flush(f->replica);
    assert_int_equal(kz_replica_read(f->replica, answered, &second), KZ_OK);
    answer_probe(f, 2, 2, 1);
    assert_int_equal(first.times, 1);
    assert_int_equal(second.times, 0);
    answer_probe(f, 2, 2, 2);
    assert_int_equal(second.times, 1);
}

static void reads_that_arrive_together_share_a_round(void **state)
{
    struct fixture *f = *state;
    struct answer answers[5] = {{0}};
    lead(f);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(kz_replica_read(f->replica, answered, &answers[i]), KZ_OK);
    kz_replica_flush(f->replica);
    fixture_expect(f, "send 2 Probe round 1\nsend 3 Probe round 1\n");
    answer_probe(f, 2, 2, 1);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(answers[i].times, 1);
}

static void read_waits_until_an_entry_of_the_term_is_committed(void **state)
{
    struct fixture *f = *state;
    struct answer answer = {0};
    fixture_start(f);
    fixture_store(f);
    fixture_timeout(f);
    fixture_vote_result(f, 2, 2, true, true);
    fixture_store(f);
    fixture_vote_result(f, 2, 2, true, false);
    assert_int_equal(kz_replica_read(f->replica, answered, &answer), KZ_OK);
    fixture_forget(f);
    kz_replica_flush(f->replica);
    fixture_expect(f, "");
    fixture_store(f);
    fixture_append_result(f, 2, 2, 2);
    assert_int_equal(FIXTURE_LAST(f, probe)->round, 1);
    answer_probe(f, 2, 2, 1);
    assert_int_equal(answer.times, 1);
    assert_int_equal(answer.index, 2);
}

static void reads_fail_when_leadership_is_lost(void **state)
{
    struct fixture *f = *state;
    struct answer answer = {0};
    lead(f);
    assert_int_equal(kz_replica_read(f->replica, answered, &answer), KZ_OK);
    kz_replica_flush(f->replica);
    fixture_append(f, 3, 3, 2, 2, 1, 2); /* somebody leads term 3 */
    assert_int_equal(answer.times, 1);
    assert_int_equal(answer.code, KZ_NOT_LEADER);
    assert_int_equal(kz_replica_read(f->replica, answered, &answer), KZ_NOT_LEADER);
    assert_int_equal(answer.times, 1);
}

static void overdue_probe_is_sent_again(void **state)
{
    struct fixture *f = *state;
    struct answer answer = {0};
    lead(f);
    assert_int_equal(kz_replica_read(f->replica, answered, &answer), KZ_OK);
    kz_replica_flush(f->replica);
    fixture_forget(f);
    fixture_wait(f, f->options.heartbeat_ms);
    kz_replica_tick(f->replica);
    assert_int_equal(FIXTURE_LAST(f, probe)->round, 1);
}

static void probe_of_another_term_gets_no_answer(void **state)
{
    struct fixture *f = *state;
    Kz__Probe probe = KZ__PROBE__INIT;
    Kz__PeerMessage message = KZ__PEER_MESSAGE__INIT;
    struct kz_err err;
    fixture_start(f);
    fixture_store(f);
    fixture_append(f, 2, 2, 1, 1, 0, 1);
    fixture_store(f);
    fixture_forget(f);
    message.probe = &probe;
    probe.round = 4;
    probe.term = 1;
    assert_int_equal(fixture_receive(f, 3, &message, &err), KZ_OK);
    fixture_expect(f, "");
    probe.term = 2;
    assert_int_equal(fixture_receive(f, 2, &message, &err), KZ_OK);
    fixture_expect(f, "send 2 ProbeResult round 4\n");
}

static void proposals_of_one_turn_share_a_message(void **state)
{
    struct fixture *f = *state;
    uint64_t index = 0;
    lead(f);
    fixture_append_result(f, 3, 2, 2);
    fixture_forget(f);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(propose(f, 10, &index), KZ_OK);
        assert_int_equal(index, 3 + i);
    }
    fixture_expect(f, "");
    kz_replica_flush(f->replica);
    fixture_expect(f, "store entries 3..5\n"
                      "send 2 AppendEntries term 2 after 2^2 count 3 commit 2\n"
                      "send 3 AppendEntries term 2 after 2^2 count 3 commit 2\n");
    fixture_append_result(f, 2, 2, 5); /* with one of the others, but not durable here: a majority is two */
    fixture_append_result(f, 3, 2, 5);
    fixture_forget(f);
    fixture_store(f);
    fixture_expect(f, "apply to 5 hint 5\napplied 5\n");
}

static void proposals_are_refused_by_a_follower_when_too_big_or_too_many(void **state)
{
    struct fixture *f = *state;
    uint64_t index;
    fixture_start(f);
    fixture_store(f);
    assert_int_equal(propose(f, 10, &index), KZ_NOT_LEADER);
    fixture_lead(f, 2);
    assert_int_equal(propose(f, KZ_ENTRY_MAX_BYTES + 1, &index), KZ_TOO_BIG);
    size_t taken = 0;
    while (propose(f, 1u << 20, &index) == KZ_OK)
        taken++;
    assert_int_equal(taken, KZ_PROPOSAL_QUEUE_MAX_BYTES >> 20);
    assert_int_equal(propose(f, 1u << 20, &index), KZ_BUSY);
}

static void entries_beyond_the_window_wait_for_an_answer(void **state)
{
    struct fixture *f = *state;
    uint64_t index, sent = 0;
    f->options.window_bytes = 1000;
    lead(f);
    fixture_append_result(f, 3, 2, 2);
    fixture_forget(f);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(propose(f, 400, &index), KZ_OK);
    kz_replica_flush(f->replica);
    for (size_t i = 0; i < f->sent_count; i++)
        if (f->sent[i].to == 2) sent += f->sent[i].message->append_entries->n_entries;
    assert_int_equal(sent, 3); /* the third one crosses the line */
    fixture_forget(f);
    fixture_append_result(f, 2, 2, 5);
    assert_int_equal(FIXTURE_LAST(f, append_entries)->prev_log_index, 5);
    assert_int_equal(FIXTURE_LAST(f, append_entries)->n_entries, 3);
}

static void heartbeat_is_anchored_at_what_was_sent(void **state)
{
    struct fixture *f = *state;
    uint64_t index;
    f->options.window_bytes = 1000;
    lead(f);
    fixture_append_result(f, 3, 2, 2);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(propose(f, 400, &index), KZ_OK);
    kz_replica_flush(f->replica);
    fixture_forget(f);
    fixture_wait(f, f->options.heartbeat_ms);
    kz_replica_tick(f->replica);
    fixture_expect(f, "send 2 AppendEntries term 2 after 5^2 count 0 commit 2\n"
                      "send 3 AppendEntries term 2 after 5^2 count 0 commit 2\n");
}

static void leader_neither_removes_nor_demotes_itself(void **state)
{
    struct fixture *f = *state;
    struct kz_err err;
    lead(f);
    fixture_append_result(f, 3, 2, 2);
    assert_int_equal(kz_replica_propose_change(f->replica, KZ_CHANGE_REMOVE, 1, NULL, &err), KZ_INVALID);
    assert_non_null(strstr(err.text, "transfer leadership first"));
    assert_int_equal(kz_replica_propose_change(f->replica, KZ_CHANGE_DEMOTE, 1, NULL, &err), KZ_INVALID);
}

static void change_waits_until_the_one_before_is_held_by_every_voter(void **state)
{
    struct fixture *f = *state;
    struct kz_err err;
    lead(f);
    assert_int_equal(kz_replica_propose_change(f->replica, KZ_CHANGE_ADD, 4, "node4:1", &err), KZ_BUSY);
    assert_non_null(strstr(err.text, "every voter")); /* node 3 was never heard */
    fixture_append_result(f, 3, 2, 2);
    assert_int_equal(kz_replica_propose_change(f->replica, KZ_CHANGE_ADD, 4, "node4:1", &err), KZ_OK);
    assert_int_equal(kz_replica_propose_change(f->replica, KZ_CHANGE_ADD, 5, "node5:1", &err), KZ_BUSY);
    assert_non_null(strstr(err.text, "not committed"));
    struct kz_member members[4];
    assert_int_equal(kz_replica_members(f->replica, members, 4), 4);
    assert_int_equal(members[3].id, 4);
    assert_false(members[3].voter);
}

static void bad_changes_are_refused_with_a_reason(void **state)
{
    struct fixture *f = *state;
    struct kz_err err;
    lead(f);
    fixture_append_result(f, 3, 2, 2);
    assert_int_equal(kz_replica_propose_change(f->replica, KZ_CHANGE_ADD, 2, "x:1", &err), KZ_INVALID);
    assert_int_equal(kz_replica_propose_change(f->replica, KZ_CHANGE_ADD, 4, "", &err), KZ_INVALID);
    assert_int_equal(kz_replica_propose_change(f->replica, KZ_CHANGE_ADD, 4, "node2:1", &err), KZ_INVALID);
    assert_int_equal(kz_replica_propose_change(f->replica, KZ_CHANGE_REMOVE, 9, NULL, &err), KZ_INVALID);
    assert_int_equal(kz_replica_propose_change(f->replica, KZ_CHANGE_PROMOTE, 2, NULL, &err), KZ_INVALID);
}

static void leadership_goes_only_to_who_holds_the_whole_log(void **state)
{
    struct fixture *f = *state;
    struct kz_err err;
    lead(f);
    uint64_t index;
    assert_int_equal(kz_replica_transfer(f->replica, 1, &err), KZ_INVALID);
    assert_int_equal(kz_replica_transfer(f->replica, 3, &err), KZ_OK);
    fixture_expect(f, ""); /* node 3 was never heard */
    assert_int_equal(propose(f, 1, &index), KZ_BUSY);
    assert_int_equal(kz_replica_transfer(f->replica, 2, &err), KZ_BUSY);
    fixture_append_result(f, 3, 2, 2);
    fixture_expect(f, "send 3 TimeoutNow term 2\nrole leader term 2 leader 0\n");
    assert_int_equal(propose(f, 1, &index), KZ_NOT_LEADER);
}

static void transfer_to_a_silent_node_is_given_up(void **state)
{
    struct fixture *f = *state;
    struct kz_err err;
    uint64_t index;
    lead(f);
    assert_int_equal(kz_replica_transfer(f->replica, 3, &err), KZ_OK);
    for (unsigned i = 0; i < 6; i++) {
        fixture_wait(f, f->options.election_timeout_ms / 5);
        fixture_append_result(f, 2, 2, 2);
    }
    assert_true(kz_replica_is_leader(f->replica));
    assert_int_equal(propose(f, 1, &index), KZ_OK);
}

static void leader_without_answers_steps_down(void **state)
{
    struct fixture *f = *state;
    struct kz_replica_status status;
    lead(f);
    kz_replica_get_status(f->replica, &status);
    assert_true(status.quorum);
    uint64_t end = f->now_ms + 2 * f->options.election_timeout_ms;
    while (f->now_ms < end && kz_replica_is_leader(f->replica))
        fixture_timeout(f);
    assert_false(kz_replica_is_leader(f->replica));
    kz_replica_get_status(f->replica, &status);
    assert_false(status.quorum);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(read_without_a_majority_is_not_answered, setup, teardown),
        cmocka_unit_test_setup_teardown(round_begun_before_a_read_does_not_confirm_it, setup, teardown),
        cmocka_unit_test_setup_teardown(reads_that_arrive_together_share_a_round, setup, teardown),
        cmocka_unit_test_setup_teardown(read_waits_until_an_entry_of_the_term_is_committed, setup, teardown),
        cmocka_unit_test_setup_teardown(reads_fail_when_leadership_is_lost, setup, teardown),
        cmocka_unit_test_setup_teardown(overdue_probe_is_sent_again, setup, teardown),
        cmocka_unit_test_setup_teardown(probe_of_another_term_gets_no_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(proposals_of_one_turn_share_a_message, setup, teardown),
        cmocka_unit_test_setup_teardown(proposals_are_refused_by_a_follower_when_too_big_or_too_many, setup, teardown),
        cmocka_unit_test_setup_teardown(entries_beyond_the_window_wait_for_an_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(heartbeat_is_anchored_at_what_was_sent, setup, teardown),
        cmocka_unit_test_setup_teardown(leader_neither_removes_nor_demotes_itself, setup, teardown),
        cmocka_unit_test_setup_teardown(change_waits_until_the_one_before_is_held_by_every_voter, setup, teardown),
        cmocka_unit_test_setup_teardown(bad_changes_are_refused_with_a_reason, setup, teardown),
        cmocka_unit_test_setup_teardown(leadership_goes_only_to_who_holds_the_whole_log, setup, teardown),
        cmocka_unit_test_setup_teardown(transfer_to_a_silent_node_is_given_up, setup, teardown),
        cmocka_unit_test_setup_teardown(leader_without_answers_steps_down, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
