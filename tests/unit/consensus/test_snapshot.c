/* SPDX-License-Identifier: Apache-2.0 */
/* A state on its way from a leader (node 1) to a follower whose log ends too early (node 2). */
#include "tests/unit/consensus/fixture.h"

struct pair {
    struct fixture leader, follower;
};

/* Node 1 leads term 2, has applied 6 entries and compacted its log; node 2 has only the first. */
static int setup(void **state)
{
    struct pair *p = test_calloc(1, sizeof(*p));
    struct fixture *f = &p->leader;
    fixture_init(f, 1, 3);
    fixture_init(&p->follower, 2, 3);
    f->options.compact_entries = 1;
    f->options.trailing_entries = 0;
    f->options.chunk_bytes = 100;
    kz_buf_add(&f->rows, "rows ", 5);
    while (f->rows.size_bytes < 450)
        kz_buf_addf(&f->rows, "%zu ", f->rows.size_bytes);
    fixture_start(f);
    fixture_store(f);
    fixture_lead(f, 3);
    uint64_t index, term;
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(kz_replica_propose(f->replica, (const uint8_t *)"x", 1, &index, &term), KZ_OK);
    kz_replica_flush(f->replica);
    fixture_append_result(f, 3, 2, 6);
    fixture_store(f);
    fixture_append_result(f, 3, 2, 6);
    fixture_store(f);
    assert_int_equal(f->replica->log.base_index, 6);
    fixture_start(&p->follower);
    fixture_store(&p->follower);
    fixture_forget(f);
    fixture_forget(&p->follower);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct pair *p = *state;
    fixture_fini(&p->leader);
    fixture_fini(&p->follower);
    test_free(p);
    return 0;
}

/* Delivers what `from` has sent to the other; `drop` = sequence of a chunk to lose, SIZE_MAX for none. */
static void deliver(struct fixture *from, uint64_t from_id, struct fixture *to, uint64_t drop)
{
    struct kz_err err;
    size_t count = from->sent_count;
    for (size_t i = 0; i < count; i++) {
        const Kz__PeerMessage *message = from->sent[i].message;
        if (from->sent[i].to != to->options.id ||
            (message->snapshot_chunk && message->snapshot_chunk->sequence == drop))
            continue;
        assert_int_equal(fixture_receive(to, from_id, message, &err), KZ_OK);
    }
    fixture_forget(from);
}

static bool is_installed(const struct pair *p)
{
    return !p->follower.replica->installing && p->follower.replica->applied == 6;
}

/* Heartbeats, chunks and acknowledgements until the follower has it, or `rounds` are over. */
static void exchange(struct pair *p, unsigned rounds, uint64_t drop)
{
    for (unsigned i = 0; i < rounds && !is_installed(p); i++) {
        fixture_append_result(&p->leader, 3, 2, 6); /* the third node keeps the leader in office */
        fixture_wait(&p->leader, 100);
        fixture_wait(&p->follower, 100);
        kz_replica_tick(p->leader.replica);
        deliver(&p->leader, 1, &p->follower, i < 10 ? drop : UINT64_MAX);
        fixture_store(&p->follower);
        deliver(&p->follower, 2, &p->leader, UINT64_MAX);
    }
}

static void state_arrives_whole_and_is_installed(void **state)
{
    struct pair *p = *state;
    exchange(p, 100, UINT64_MAX);
    assert_true(is_installed(p));
    assert_int_equal(p->follower.imported.size_bytes, p->leader.rows.size_bytes);
    assert_memory_equal(p->follower.imported.data, p->leader.rows.data, p->leader.rows.size_bytes);
    assert_int_equal(p->follower.installed.chain, p->leader.log[6].chain);
    assert_int_equal(p->follower.replica->log.base_chain, p->leader.log[6].chain);
    exchange(p, 3, UINT64_MAX);
    uint64_t match, heard;
    deliver(&p->follower, 2, &p->leader, UINT64_MAX);
    assert_true(kz_replica_peer_progress(p->leader.replica, 2, &match, &heard));
    assert_int_equal(match, 6);
    assert_false(p->leader.export_open);
}

static void lost_chunk_is_sent_again(void **state)
{
    struct pair *p = *state;
    exchange(p, 200, 2);
    assert_true(is_installed(p));
    assert_memory_equal(p->follower.imported.data, p->leader.rows.data, p->leader.rows.size_bytes);
}

#define TRANSFER 77u

/* A chunk as a hostile or broken sender might make it. */
static void send_chunk(struct pair *p, uint64_t sequence, const char *data, uint64_t checksum)
{
    Kz__SnapshotChunk chunk = KZ__SNAPSHOT_CHUNK__INIT;
    Kz__SnapshotMeta meta = KZ__SNAPSHOT_META__INIT;
    Kz__PeerMessage message = KZ__PEER_MESSAGE__INIT;
    struct kz_err err;
    chunk.term = 2;
    chunk.transfer = TRANSFER;
    chunk.sequence = sequence;
    chunk.has_data = true;
    chunk.data = (ProtobufCBinaryData){strlen(data), (uint8_t *)(uintptr_t)data};
    chunk.has_checksum = true;
    chunk.checksum = checksum;
    meta.index = 6;
    meta.term = 2;
    meta.configuration_index = 1;
    meta.configuration.data = (uint8_t *)(uintptr_t)p->follower.log[1].entry.data;
    meta.configuration.len = p->follower.log[1].entry.size_bytes;
    if (sequence == 0) chunk.meta = &meta;
    message.snapshot_chunk = &chunk;
    assert_int_equal(fixture_receive(&p->follower, 1, &message, &err), KZ_OK);
}

static void damaged_chunk_ends_the_transfer(void **state)
{
    struct pair *p = *state;
    send_chunk(p, 0, "rows", 1);
    fixture_expect(&p->follower, "import begins\nimport is dropped\nsend 1 ack 0 refused\n");
    assert_false(p->follower.replica->incoming.active);
}

static void chunk_of_an_unknown_transfer_is_refused(void **state)
{
    struct pair *p = *state;
    send_chunk(p, 3, "rows", 0);
    fixture_expect(&p->follower, "send 1 ack 0 refused\n");
}

static void nothing_is_installed_before_the_last_chunk_is_durable(void **state)
{
    struct pair *p = *state;
    for (unsigned i = 0; i < 60 && !p->follower.replica->incoming.complete; i++) {
        fixture_append_result(&p->leader, 3, 2, 6);
        fixture_wait(&p->leader, 100);
        kz_replica_tick(p->leader.replica);
        uint64_t before = p->follower.seq;
        deliver(&p->leader, 1, &p->follower, UINT64_MAX);
        if (!p->follower.replica->incoming.complete && before != p->follower.seq) fixture_store(&p->follower);
        deliver(&p->follower, 2, &p->leader, UINT64_MAX);
    }
    assert_false(p->follower.replica->installing && p->follower.replica->incoming.pending > 0);
    fixture_store(&p->follower);
    assert_int_equal(p->follower.replica->applied, 6);
}

static void rows_the_store_refuses_end_the_transfer(void **state)
{
    struct pair *p = *state;
    for (unsigned i = 0; i < 10 && p->follower.import_seq == 0; i++) {
        fixture_append_result(&p->leader, 3, 2, 6);
        fixture_wait(&p->leader, 100);
        kz_replica_tick(p->leader.replica);
        deliver(&p->leader, 1, &p->follower, UINT64_MAX);
        if (p->follower.import_seq == 0) fixture_store(&p->follower);
        deliver(&p->follower, 2, &p->leader, UINT64_MAX);
    }
    assert_true(p->follower.import_seq > 0);
    kz_replica_import_failed(p->follower.replica, p->follower.import_seq, "bad row");
    assert_false(p->follower.replica->incoming.active);
    assert_false(p->follower.dead);
    deliver(&p->follower, 2, &p->leader, UINT64_MAX);
    assert_null(kz_replica_find_peer(p->leader.replica, 2)->snapshot);
}

/* DROP_INSTALL cannot be violated from outside: rows queue behind the install. So the core is asked directly. */
static void second_snapshot_during_an_install_does_not_reach_the_core(void **state)
{
    struct pair *p = *state;
    struct kz_replica *r = p->follower.replica;
    for (unsigned i = 0; i < 60 && !r->installing; i++) {
        fixture_append_result(&p->leader, 3, 2, 6);
        fixture_wait(&p->leader, 100);
        kz_replica_tick(p->leader.replica);
        deliver(&p->leader, 1, &p->follower, UINT64_MAX);
        if (p->follower.seq > r->seq_durable) kz_replica_stored(r, p->follower.seq);
        deliver(&p->follower, 2, &p->leader, UINT64_MAX);
    }
    assert_true(r->installing);
    fixture_forget(&p->follower);
    send_chunk(p, 0, "rows", 0);
    fixture_expect(&p->follower, "send 1 ack 0 refused\n");
    assert_int_not_equal(r->incoming.origin.transfer, TRANSFER);
    assert_true(kz_guard_drop_install(KZ_GUARD_ALL, true));
    assert_false(kz_guard_drop_install(KZ_GUARD_ALL, false));
    assert_false(kz_guard_drop_install(KZ_GUARD_ALL & ~KZ_GUARD(DROP_INSTALL), true));
}

static void leader_that_steps_down_closes_its_exports(void **state)
{
    struct pair *p = *state;
    for (unsigned i = 0; i < 20 && !p->leader.export_open; i++) {
        fixture_append_result(&p->leader, 3, 2, 6);
        fixture_wait(&p->leader, 100);
        kz_replica_tick(p->leader.replica);
        deliver(&p->leader, 1, &p->follower, UINT64_MAX);
        fixture_store(&p->follower);
        deliver(&p->follower, 2, &p->leader, UINT64_MAX);
    }
    assert_true(p->leader.export_open);
    fixture_append(&p->leader, 3, 5, 6, 2, 0, 6);
    assert_false(kz_replica_is_leader(p->leader.replica));
    assert_false(p->leader.export_open);
}

/* Two of three live, and the second needs a snapshot that takes long: it is the majority. */
static void leader_stays_while_a_slow_snapshot_is_on_its_way(void **state)
{
    struct pair *p = *state;
    fixture_append_result(&p->leader, 3, 2, 6);
    for (unsigned i = 0; i < 1000; i++) {
        fixture_wait(&p->leader, 3);
        fixture_wait(&p->follower, 3);
        if (p->leader.now_ms >= p->leader.timer_ms) kz_replica_tick(p->leader.replica);
        if (i % 4 == 0) deliver(&p->leader, 1, &p->follower, UINT64_MAX); /* some milliseconds on the way */
        if (p->follower.import_seq == 0) fixture_store(&p->follower);     /* the rows never become durable */
        if (i % 4 == 2) deliver(&p->follower, 2, &p->leader, UINT64_MAX);
        assert_true(kz_replica_is_leader(p->leader.replica));
    }
    assert_true(p->leader.export_open);
    kz_replica_stop_snapshots(p->leader.replica);
    assert_false(p->leader.export_open);
    exchange(p, 5, UINT64_MAX);
    assert_false(p->leader.export_open); /* not at once again */
}

/* ---- resuming ---- */

/* Until at least `chunks` are durable at the follower, the last of them not yet acknowledged. */
static void bring(struct pair *p, uint64_t chunks)
{
    for (unsigned i = 0; i < 50 && p->follower.replica->incoming.stored < chunks; i++) {
        fixture_append_result(&p->leader, 3, 2, 6);
        fixture_wait(&p->leader, 20);
        kz_replica_tick(p->leader.replica);
        deliver(&p->leader, 1, &p->follower, UINT64_MAX);
        fixture_store(&p->follower);
        if (p->follower.replica->incoming.stored < chunks) deliver(&p->follower, 2, &p->leader, UINT64_MAX);
    }
    assert_true(p->follower.replica->incoming.stored >= chunks);
    assert_false(p->follower.replica->incoming.complete);
    fixture_forget(&p->follower);
}

/* As after kill -9: what the store holds is what was durable. */
static void restart_follower(struct pair *p)
{
    struct fixture *f = &p->follower;
    kz_replica_free(f->replica);
    f->replica = kz_replica_new(&f->options, &f->io);
    f->seq = f->timer_ms = 0;
    if (f->hard.term < 2) f->hard.term = 2;
    if (f->import_open) kz_replica_resume_import(f->replica, &f->origin, &f->mark);
    struct kz_err err;
    assert_int_equal(kz_replica_start(f->replica, &f->hard, &f->applied, &err), KZ_OK);
    if (f->seq > 0) fixture_store(f);
}

static void check_arrived(struct pair *p)
{
    assert_true(is_installed(p));
    assert_int_equal(p->follower.imported.size_bytes, p->leader.rows.size_bytes);
    assert_memory_equal(p->follower.imported.data, p->leader.rows.data, p->leader.rows.size_bytes);
}

static void receiver_that_restarts_goes_on_where_its_durable_rows_end(void **state)
{
    struct pair *p = *state;
    for (uint64_t chunks = 1; chunks <= 3; chunks++) {
        bring(p, chunks);
        uint64_t stored = p->follower.replica->incoming.stored;
        restart_follower(p);
        assert_int_equal(p->follower.replica->incoming.next, stored);
    }
    uint64_t transfer = p->follower.origin.transfer;
    exchange(p, 200, UINT64_MAX);
    check_arrived(p); /* each byte once: nothing was sent to the store again */
    assert_int_equal(p->follower.origin.transfer, transfer);
}

static void receiver_that_restarts_before_the_install_is_durable_needs_no_row_again(void **state)
{
    struct pair *p = *state;
    for (unsigned i = 0; i < 60 && !p->follower.replica->installing; i++) {
        fixture_append_result(&p->leader, 3, 2, 6);
        fixture_wait(&p->leader, 100);
        kz_replica_tick(p->leader.replica);
        deliver(&p->leader, 1, &p->follower, UINT64_MAX);
        if (p->follower.seq > p->follower.replica->seq_durable) kz_replica_stored(p->follower.replica, p->follower.seq);
        if (!p->follower.replica->installing) deliver(&p->follower, 2, &p->leader, UINT64_MAX);
    }
    assert_true(p->follower.replica->installing);
    assert_non_null(kz_replica_find_peer(p->leader.replica, 2)->snapshot);
    p->follower.import_open = true; /* the install was not durable */
    fixture_forget(&p->follower);
    restart_follower(p);
    exchange(p, 200, UINT64_MAX);
    check_arrived(p);
}

static void connection_that_breaks_is_gone_on_from_at_once(void **state)
{
    struct pair *p = *state;
    bring(p, 2);
    p->leader.unreachable = true;
    for (unsigned i = 0; i < 30; i++) { /* long beyond the repeats */
        fixture_append_result(&p->leader, 3, 2, 6);
        fixture_wait(&p->leader, 100);
        kz_replica_tick(p->leader.replica);
        fixture_forget(&p->leader);
    }
    kz_replica_peer_lost(p->leader.replica, 2);
    p->leader.unreachable = false;
    exchange(p, 200, UINT64_MAX);
    check_arrived(p);
}

static void leader_of_a_new_term_does_not_go_on_with_an_old_transfer(void **state)
{
    struct pair *p = *state;
    bring(p, 3);
    p->follower.hard.term = 3; /* it heard of another leader before it stopped */
    restart_follower(p);
    assert_false(p->follower.import_open);
    assert_false(p->follower.replica->incoming.active);
}

static void transfer_that_the_receiver_does_not_know_begins_anew(void **state)
{
    struct pair *p = *state;
    bring(p, 3);
    uint64_t transfer = p->follower.origin.transfer;
    p->follower.import_open = false;
    restart_follower(p);
    exchange(p, 300, UINT64_MAX);
    check_arrived(p);
    assert_int_not_equal(p->follower.origin.transfer, transfer);
}

static void transfer_to_a_receiver_that_does_not_come_back_ends(void **state)
{
    struct pair *p = *state;
    bring(p, 2);
    for (uint64_t waited = 0; waited <= p->leader.options.snapshot_keep_ms; waited += 100) {
        assert_true(kz_replica_is_leader(p->leader.replica));
        bool kept = kz_replica_find_peer(p->leader.replica, 2)->snapshot != NULL;
        assert_true(kept || waited + 2000 > p->leader.options.snapshot_keep_ms); /* brought a little before */
        fixture_append_result(&p->leader, 3, 2, 6);
        fixture_wait(&p->leader, 100);
        kz_replica_tick(p->leader.replica);
        fixture_forget(&p->leader);
    }
    assert_null(kz_replica_find_peer(p->leader.replica, 2)->snapshot);
    assert_false(p->leader.export_open);
}

static void rate_is_kept_over_a_second(void **state)
{
    struct pair *p = *state;
    p->leader.replica->options.snapshot_rate = 200;
    uint64_t start_ms = p->leader.now_ms;
    exchange(p, 200, UINT64_MAX);
    check_arrived(p);
    assert_true((p->leader.now_ms - start_ms) * 200 / 1000 + 2u * p->leader.options.chunk_bytes >=
                p->leader.rows.size_bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(state_arrives_whole_and_is_installed, setup, teardown),
        cmocka_unit_test_setup_teardown(lost_chunk_is_sent_again, setup, teardown),
        cmocka_unit_test_setup_teardown(damaged_chunk_ends_the_transfer, setup, teardown),
        cmocka_unit_test_setup_teardown(chunk_of_an_unknown_transfer_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_is_installed_before_the_last_chunk_is_durable, setup, teardown),
        cmocka_unit_test_setup_teardown(rows_the_store_refuses_end_the_transfer, setup, teardown),
        cmocka_unit_test_setup_teardown(second_snapshot_during_an_install_does_not_reach_the_core, setup, teardown),
        cmocka_unit_test_setup_teardown(leader_stays_while_a_slow_snapshot_is_on_its_way, setup, teardown),
        cmocka_unit_test_setup_teardown(receiver_that_restarts_goes_on_where_its_durable_rows_end, setup, teardown),
        cmocka_unit_test_setup_teardown(receiver_that_restarts_before_the_install_is_durable_needs_no_row_again, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(connection_that_breaks_is_gone_on_from_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(leader_of_a_new_term_does_not_go_on_with_an_old_transfer, setup, teardown),
        cmocka_unit_test_setup_teardown(transfer_that_the_receiver_does_not_know_begins_anew, setup, teardown),
        cmocka_unit_test_setup_teardown(transfer_to_a_receiver_that_does_not_come_back_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(rate_is_kept_over_a_second, setup, teardown),
        cmocka_unit_test_setup_teardown(leader_that_steps_down_closes_its_exports, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
