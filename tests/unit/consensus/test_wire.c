/* SPDX-License-Identifier: Apache-2.0 */
/* Every value from the wire is refused before it can reach the core, which checks nothing. */
#include "tests/unit/consensus/fixture.h"

static int setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));
    fixture_init(f, 1, 3);
    fixture_start(f);
    fixture_store(f);
    fixture_forget(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture_fini(*state);
    test_free(*state);
    return 0;
}

static void refused(struct fixture *f, const Kz__PeerMessage *message)
{
    struct kz_err err;
    assert_int_equal(fixture_receive(f, 2, message, &err), KZ_PROTOCOL);
    assert_true(strlen(err.text) > 0);
    fixture_expect(f, "");
    assert_int_equal(raft_current_term(&f->replica->core), 1);
}

static void append_with(struct fixture *f, uint64_t term, uint64_t prev, uint64_t prev_term, Kz__Entry *entry)
{
    Kz__AppendEntries wire = KZ__APPEND_ENTRIES__INIT;
    Kz__PeerMessage message = KZ__PEER_MESSAGE__INIT;
    wire.term = term;
    wire.prev_log_index = prev;
    wire.prev_log_term = prev_term;
    wire.n_entries = entry != NULL;
    wire.entries = &entry;
    message.append_entries = &wire;
    refused(f, &message);
}

static void append_entries_that_make_no_sense_are_refused(void **state)
{
    struct fixture *f = *state;
    Kz__Entry entry = KZ__ENTRY__INIT;
    append_with(f, 0, 0, 0, NULL);          /* no term */
    append_with(f, UINT64_MAX, 0, 0, NULL); /* a term that would use the numbers up */
    append_with(f, 2, 1, 0, NULL);          /* an index without a term */
    append_with(f, 2, 0, 1, NULL);          /* a term without an index */
    append_with(f, 2, 1, 3, NULL);          /* newer than its message */
    append_with(f, 2, KZ_TERM_MAX + 1, 1, NULL);
    entry.type = KZ__ENTRY_TYPE__COMMAND;
    entry.term = 0;
    append_with(f, 2, 1, 1, &entry);
    entry.term = 3; /* newer than its message */
    append_with(f, 2, 1, 1, &entry);
    entry.term = 1; /* older than the one before */
    append_with(f, 3, 5, 2, &entry);
    entry.term = 2;
    append_with(f, 2, 0, 0, &entry); /* entry 1 is always a configuration */
    entry.type = (Kz__EntryType)9;
    append_with(f, 2, 1, 1, &entry);
    entry.type = KZ__ENTRY_TYPE__BARRIER;
    entry.has_data = true;
    entry.data = (ProtobufCBinaryData){1, (uint8_t[]){0}};
    append_with(f, 2, 1, 1, &entry);
}

static void too_many_or_too_big_entries_are_refused(void **state)
{
    struct fixture *f = *state;
    Kz__Entry entry = KZ__ENTRY__INIT;
    uint8_t *big = test_calloc(1, KZ_ENTRY_MAX_BYTES + 1);
    entry.term = 2;
    entry.type = KZ__ENTRY_TYPE__COMMAND;
    entry.has_data = true;
    entry.data = (ProtobufCBinaryData){KZ_ENTRY_MAX_BYTES + 1, big};
    append_with(f, 2, 1, 1, &entry);
    Kz__AppendEntries wire = KZ__APPEND_ENTRIES__INIT;
    Kz__PeerMessage message = KZ__PEER_MESSAGE__INIT;
    Kz__Entry *list[KZ_APPEND_MAX_ENTRIES + 1];
    entry.data.len = 1;
    for (size_t i = 0; i <= KZ_APPEND_MAX_ENTRIES; i++)
        list[i] = &entry;
    wire.term = 2;
    wire.prev_log_index = wire.prev_log_term = 1;
    wire.n_entries = KZ_APPEND_MAX_ENTRIES + 1;
    wire.entries = list;
    message.append_entries = &wire;
    refused(f, &message);
    test_free(big);
}

static void results_and_votes_that_make_no_sense_are_refused(void **state)
{
    struct fixture *f = *state;
    Kz__AppendEntriesResult result = KZ__APPEND_ENTRIES_RESULT__INIT;
    Kz__RequestVote vote = KZ__REQUEST_VOTE__INIT;
    Kz__RequestVoteResult vote_result = KZ__REQUEST_VOTE_RESULT__INIT;
    Kz__TimeoutNow now = KZ__TIMEOUT_NOW__INIT;
    Kz__Probe probe = KZ__PROBE__INIT;
    Kz__PeerMessage message = KZ__PEER_MESSAGE__INIT;
    message.append_entries_result = &result;
    refused(f, &message);
    result.term = 1;
    result.last_log_index = UINT64_MAX;
    refused(f, &message);
    result.last_log_index = 1;
    result.features = 1u << 16;
    refused(f, &message);
    message.append_entries_result = NULL;
    message.request_vote = &vote;
    vote.term = 2;
    vote.candidate_id = 3; /* sent by 2 */
    vote.last_log_index = vote.last_log_term = 1;
    refused(f, &message);
    vote.candidate_id = 2;
    vote.last_log_term = 9;
    refused(f, &message);
    message.request_vote = NULL;
    message.request_vote_result = &vote_result;
    vote_result.term = 7; /* nobody asked for a pre-vote of term 7 */
    vote_result.vote_granted = vote_result.pre_vote = true;
    refused(f, &message);
    message.request_vote_result = NULL;
    message.timeout_now = &now;
    now.term = 1;
    now.last_log_index = 1;
    refused(f, &message);
    message.timeout_now = NULL;
    message.probe = &probe;
    refused(f, &message);
}

static void chunks_that_make_no_sense_are_refused(void **state)
{
    struct fixture *f = *state;
    Kz__SnapshotChunk chunk = KZ__SNAPSHOT_CHUNK__INIT;
    Kz__SnapshotMeta meta = KZ__SNAPSHOT_META__INIT;
    Kz__PeerMessage message = KZ__PEER_MESSAGE__INIT;
    message.snapshot_chunk = &chunk;
    chunk.term = 2;
    chunk.sequence = 1;
    refused(f, &message); /* no checksum */
    chunk.has_checksum = true;
    chunk.sequence = 0;
    refused(f, &message); /* no metadata */
    chunk.meta = &meta;
    meta.index = 9;
    meta.term = 1;
    meta.configuration_index = 10; /* after the snapshot */
    refused(f, &message);
    meta.configuration_index = 1;
    meta.configuration = (ProtobufCBinaryData){8, (uint8_t[8]){1}};
    refused(f, &message); /* a configuration that is none */
    chunk.sequence = 4;
    refused(f, &message); /* metadata in the middle */
    chunk.meta = NULL;
    chunk.has_last = chunk.last = true;
    refused(f, &message); /* the last one without a digest */
    chunk.has_digest = true;
    chunk.digest = (ProtobufCBinaryData){3, (uint8_t[3]){0}};
    refused(f, &message);
}

static void message_from_ourselves_or_nobody_is_refused(void **state)
{
    struct fixture *f = *state;
    Kz__PeerMessage message = KZ__PEER_MESSAGE__INIT;
    struct kz_err err;
    assert_int_equal(fixture_receive(f, 1, &message, &err), KZ_PROTOCOL);
    assert_int_equal(fixture_receive(f, 0, &message, &err), KZ_PROTOCOL);
}

static void messages_of_others_are_ignored(void **state)
{
    struct fixture *f = *state;
    Kz__Gossip gossip = KZ__GOSSIP__INIT;
    Kz__PeerMessage message = KZ__PEER_MESSAGE__INIT;
    struct kz_err err;
    message.gossip = &gossip;
    assert_int_equal(fixture_receive(f, 2, &message, &err), KZ_OK);
    fixture_expect(f, "");
}

/* ---- configurations ---- */

static void configuration_of_every_cut_length_is_refused(void **state)
{
    struct fixture *f = *state;
    const struct kz_entry *entry = &f->log[1].entry;
    struct kz_err err;
    assert_int_equal(kz_conf_check(entry->data, entry->size_bytes, &err), KZ_OK);
    for (size_t size = 0; size < entry->size_bytes; size++) {
        uint8_t *cut = test_malloc(size + 1); /* its own piece, so that a read past the end is seen */
        memcpy(cut, entry->data, size);
        assert_int_equal(kz_conf_check(cut, size, &err), KZ_PROTOCOL);
        test_free(cut);
    }
}

static void configuration_with_any_bit_turned_is_never_misread(void **state)
{
    struct fixture *f = *state;
    const struct kz_entry *entry = &f->log[1].entry;
    uint8_t *copy = test_malloc(entry->size_bytes);
    struct kz_err err;
    unsigned wrong = 0;
    for (size_t bit = 0; bit < entry->size_bytes * 8; bit++) {
        struct raft_configuration configuration;
        memcpy(copy, entry->data, entry->size_bytes);
        copy[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        if (kz_conf_check(copy, entry->size_bytes, &err) != KZ_OK) {
            wrong++;
            continue;
        }
        assert_true(kz_conf_decode(copy, entry->size_bytes, &configuration)); /* the core agrees with the check */
        assert_int_equal(configuration.n, 3);
        raft_configuration_close(&configuration);
    }
    assert_true(wrong > 100);
    test_free(copy);
}

static void spare_servers_are_refused(void **state)
{
    struct raft_configuration configuration;
    struct raft_buffer buffer;
    struct kz_err err;
    (void)state;
    raft_configuration_init(&configuration);
    assert_int_equal(raft_configuration_add(&configuration, 1, "a:1", RAFT_VOTER), 0);
    assert_int_equal(raft_configuration_add(&configuration, 2, "b:1", RAFT_SPARE), 0);
    assert_int_equal(raft_configuration_encode(&configuration, &buffer), 0);
    assert_int_equal(kz_conf_check(buffer.base, buffer.len, &err), KZ_PROTOCOL);
    assert_non_null(strstr(err.text, "role"));
    raft_free(buffer.base);
    raft_configuration_close(&configuration);
}

static void first_configuration_is_the_same_in_any_order(void **state)
{
    const struct kz_member members[] = {{1, "a:1", true}, {2, "b:1", true}, {3, "c:1", true}};
    const struct kz_member turned[] = {members[2], members[0], members[1]};
    struct kz_buf one, other;
    struct kz_err err;
    (void)state;
    kz_buf_init(&one, 0);
    kz_buf_init(&other, 0);
    assert_int_equal(kz_replica_bootstrap_entry(members, 3, &one, &err), KZ_OK);
    assert_int_equal(kz_replica_bootstrap_entry(turned, 3, &other, &err), KZ_OK);
    assert_int_equal(one.size_bytes, other.size_bytes);
    assert_memory_equal(one.data, other.data, one.size_bytes);
    assert_int_equal(kz_replica_bootstrap_entry(members, 0, &one, &err), KZ_INVALID);
    const struct kz_member doubled[] = {{1, "a:1", true}, {1, "b:1", true}};
    assert_int_equal(kz_replica_bootstrap_entry(doubled, 2, &one, &err), KZ_INVALID);
    kz_buf_fini(&one);
    kz_buf_fini(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(append_entries_that_make_no_sense_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(too_many_or_too_big_entries_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(results_and_votes_that_make_no_sense_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(chunks_that_make_no_sense_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(message_from_ourselves_or_nobody_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(messages_of_others_are_ignored, setup, teardown),
        cmocka_unit_test_setup_teardown(configuration_of_every_cut_length_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(configuration_with_any_bit_turned_is_never_misread, setup, teardown),
        cmocka_unit_test(spare_servers_are_refused),
        cmocka_unit_test(first_configuration_is_the_same_in_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
