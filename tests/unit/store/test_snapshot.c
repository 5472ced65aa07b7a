/* SPDX-License-Identifier: Apache-2.0 */
/* State out as rows, and in again. */
#include "tests/unit/store/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/store/internal.h"

static void check_same(struct fixture *a, struct fixture *b)
{
    struct kz_applied x = fixture_applied(a);
    struct kz_applied y = fixture_applied(b);
    assert_int_equal(x.index, y.index);
    assert_int_equal(x.term, y.term);
    assert_int_equal(x.rev, y.rev);
    assert_int_equal(x.data_time_ms, y.data_time_ms);
    assert_int_equal(x.configuration_index, y.configuration_index);
    assert_int_equal(x.configuration_bytes, y.configuration_bytes);
    assert_memory_equal(x.configuration, y.configuration, x.configuration_bytes);
    assert_memory_equal(x.audit_head, y.audit_head, KZ_HASH_BYTES);
    assert_memory_equal(x.state_hash, y.state_hash, KZ_HASH_BYTES);
}

static void an_imported_state_is_the_exported_one_whatever_the_chunk_size(void **state)
{
    struct fixture *f = *state;
    fixture_fill(f);
    static const size_t rooms[] = {KZ_EXPORT_ROOM_MIN_BYTES, 5000, KZ_CHUNK_MAX_BYTES};
    for (size_t i = 0; i < 3; i++) {
        struct fixture other;
        fixture_init(&other);
        fixture_copy_state(f, &other, rooms[i]);
        check_same(f, &other);
        fixture_scrub(&other);
        fixture_reopen(&other);
        check_same(f, &other);
        struct kz_hard_state hard = fixture_hard(&other);
        assert_int_equal(hard.first_index, f->index + 1);
        assert_int_equal(hard.last_index, f->index);
        assert_int_equal(hard.base_term, 1);
        assert_int_equal(hard.commit_hint, f->index);
        struct kz_view *view;
        uint64_t chain = 0;
        must(kz_view_open(f->store, &view, &must_err));
        must(kz_view_chain(view, f->index, &chain, &must_err));
        kz_view_close(view);
        assert_int_equal(hard.base_chain, chain);
        fixture_fini(&other);
    }
}

static void rows_larger_than_a_chunk_come_in_pieces(void **state)
{
    struct fixture *f = *state;
    struct fixture other;
    for (int i = 0; i < 3; i++) {
        Kz__Record *record = make_org("joho", "a", NULL);
        char *note = kz_must_alloc(1, 16001);
        memset(note, 'a' + i, 16000);
        record->org->note = note;
        fixture_put(f, record, KZ_OK);
    }
    fixture_init(&other);
    fixture_copy_state(f, &other, KZ_EXPORT_ROOM_MIN_BYTES);
    check_same(f, &other);
    fixture_scrub(&other);
    fixture_fini(&other);
}

static void installing_over_a_state_replaces_state_and_log(void **state)
{
    struct fixture *f = *state;
    struct fixture other;
    fixture_init(&other);
    fixture_put(&other, make_org("old", "old", NULL), KZ_OK);
    fixture_append(&other, KZ_ENTRY_BARRIER, NULL, 0); /* a tail that was never applied */
    fixture_fill(f);
    for (int round = 0; round < 3; round++) { /* back and forth between the generations */
        fixture_put(f, make_org("more", round == 0 ? "0" : round == 1 ? "1" : "2", NULL), KZ_OK);
        fixture_copy_state(f, &other, 8192);
        check_same(f, &other);
        assert_null(fixture_get(&other, KZ__KIND__ORG, "old"));
        fixture_scrub(&other);
    }
    other.request = 250;
    f->request = 250;
    other.time_ms = f->time_ms;
    fixture_put(f, make_org("next", "next", NULL), KZ_OK); /* and both go on alike */
    fixture_put(&other, make_org("next", "next", NULL), KZ_OK);
    check_same(f, &other);
    fixture_fini(&other);
}

static void a_view_opened_before_the_install_keeps_the_old_state(void **state)
{
    struct fixture *f = *state;
    struct fixture other;
    struct kz_view *view;
    Kz__Record *record;
    fixture_init(&other);
    fixture_put(&other, make_org("old", "old", NULL), KZ_OK);
    fixture_fill(f);
    must(kz_view_open(other.store, &view, &must_err));
    fixture_copy_state(f, &other, 8192);
    must(kz_view_get(view, KZ__KIND__ORG, "old", &record, &must_err));
    kz__record__free_unpacked(record, NULL);
    must(kz_view_scrub(view, &must_err));
    kz_view_close(view);
    fixture_fini(&other);
}

/* All rows of `f` in one buffer. */
static uint8_t *export_all(struct fixture *f, size_t *size)
{
    struct kz_view *view;
    struct kz_export_cursor cursor = {0};
    size_t room = 1u << 20;
    uint8_t *rows = kz_must_alloc(1, room);
    must(kz_view_open(f->store, &view, &must_err));
    must(kz_view_export(view, &cursor, rows, room, size, &must_err));
    size_t end;
    must(kz_view_export(view, &cursor, rows + *size, room - *size, &end, &must_err));
    assert_int_equal(end, 0);
    kz_view_close(view);
    return rows;
}

static enum kz_code import(struct fixture *f, const uint8_t *rows, size_t size, uint64_t index, uint64_t term)
{
    struct kz_store_txn *txn;
    struct kz_err err = {KZ_OK, ""};
    must(kz_store_begin(f->store, &txn, &must_err));
    must(kz_txn_import_begin(txn, NULL, &must_err));
    enum kz_code code = kz_txn_import_rows(txn, rows, size, NULL, &err);
    if (code == KZ_OK) code = kz_txn_install(txn, index, term, &err);
    must(kz_store_commit(txn, &must_err));
    if (code != KZ_OK) assert_true(strlen(err.text) > 0);
    return code;
}

static void every_damaged_byte_of_a_snapshot_is_refused_and_the_old_state_stays(void **state)
{
    struct fixture *f = *state;
    struct fixture other;
    size_t size;
    fixture_fill(f);
    fixture_init(&other);
    fixture_put(&other, make_org("mine", "mine", NULL), KZ_OK);
    struct kz_applied before = fixture_applied(&other);
    struct kz_applied applied = fixture_applied(f);
    uint8_t *rows = export_all(f, &size);
    assert_true(size > 1000);
    for (size_t at = 0; at < size; at += at < 200 ? 1 : 23) {
        rows[at] ^= 0x04;
        enum kz_code code = import(&other, rows, size, applied.index, applied.term);
        if (code != KZ_PROTOCOL) fail_msg("byte %zu of %zu damaged: %s", at, size, kz_code_name(code));
        rows[at] ^= 0x04;
    }
    for (size_t cut = 0; cut < size; cut += 101)
        assert_int_equal(import(&other, rows, cut, applied.index, applied.term), KZ_PROTOCOL);
    struct kz_applied after = fixture_applied(&other);
    assert_memory_equal(after.state_hash, before.state_hash, KZ_HASH_BYTES);
    fixture_scrub(&other);
    fixture_reopen(&other);
    assert_int_equal(fixture_rev(&other, KZ__KIND__ORG, "mine"), 1);
    assert_int_equal(import(&other, rows, size, applied.index, applied.term), KZ_OK);
    check_same(f, &other);
    free(rows);
    fixture_fini(&other);
}

static void a_snapshot_of_another_index_term_or_age_is_refused(void **state)
{
    struct fixture *f = *state;
    struct fixture other;
    size_t size;
    fixture_fill(f);
    struct kz_applied applied = fixture_applied(f);
    uint8_t *rows = export_all(f, &size);
    fixture_init(&other);
    assert_int_equal(import(&other, rows, size, applied.index + 1, applied.term), KZ_PROTOCOL);
    assert_int_equal(import(&other, rows, size, applied.index, applied.term + 1), KZ_PROTOCOL);
    for (uint64_t i = 0; i <= applied.index; i++)
        fixture_append(&other, KZ_ENTRY_BARRIER, NULL, 0);
    fixture_apply(&other, NULL);
    assert_int_equal(import(&other, rows, size, applied.index, applied.term), KZ_TOO_OLD);
    assert_int_equal(fixture_applied(&other).index, applied.index + 1);
    free(rows);
    fixture_fini(&other);
}

static void rows_without_a_beginning_are_refused(void **state)
{
    struct fixture *f = *state;
    struct fixture other;
    struct kz_store_txn *txn;
    struct kz_err err;
    size_t size;
    fixture_fill(f);
    uint8_t *rows = export_all(f, &size);
    fixture_init(&other);
    must(kz_store_begin(other.store, &txn, &must_err));
    assert_int_equal(kz_txn_import_rows(txn, rows, size, NULL, &err), KZ_PROTOCOL);
    assert_int_equal(kz_txn_install(txn, 1, 1, &err), KZ_PROTOCOL);
    kz_store_abort(txn);
    free(rows);
    fixture_fini(&other);
}

static void an_import_cut_off_by_a_restart_leaves_the_old_state(void **state)
{
    struct fixture *f = *state;
    struct fixture other;
    struct kz_store_txn *txn;
    struct kz_err err;
    size_t size;
    fixture_fill(f);
    struct kz_applied applied = fixture_applied(f);
    uint8_t *rows = export_all(f, &size);
    fixture_init(&other);
    fixture_fill(&other);
    struct kz_applied before = fixture_applied(&other);
    must(kz_store_begin(other.store, &txn, &must_err));
    must(kz_txn_import_begin(txn, NULL, &must_err));
    must(kz_txn_import_rows(txn, rows, size, NULL, &must_err));
    must(kz_store_commit(txn, &must_err)); /* all rows are there; the install is not */
    fixture_reopen(&other);
    struct kz_applied after = fixture_applied(&other);
    assert_memory_equal(after.state_hash, before.state_hash, KZ_HASH_BYTES);
    fixture_scrub(&other);
    must(kz_store_begin(other.store, &txn, &must_err));
    assert_int_equal(kz_txn_install(txn, applied.index, applied.term, &err), KZ_PROTOCOL);
    kz_store_abort(txn);
    free(rows);
    fixture_fini(&other);
}

/* ---- an import that a restart interrupts ---- */

static const struct kz_import_origin ORIGIN = {
    .peer = 3, .transfer = 0x50001, .term = 5, .meta = {.index = 9, .configuration = {7, 8}, .configuration_bytes = 2}};

/* The rows of `f` chunk by chunk into `other`, which is closed and opened again after each. */
static void import_with_restarts(struct fixture *f, struct fixture *other, size_t room)
{
    struct kz_applied applied = fixture_applied(f);
    struct kz_export_cursor cursor = {0};
    struct kz_view *view;
    struct kz_store_txn *txn;
    struct kz_import_mark mark = {0};
    uint8_t *rows = kz_must_alloc(1, room);
    size_t size = 1;
    must(kz_view_open(f->store, &view, &must_err));
    must(kz_store_begin(other->store, &txn, &must_err));
    must(kz_txn_import_begin(txn, &ORIGIN, &must_err));
    must(kz_store_commit(txn, &must_err));
    for (;;) {
        struct kz_import_origin origin;
        struct kz_import_mark found;
        struct kz_view *own;
        fixture_reopen(other);
        must(kz_view_open(other->store, &own, &must_err));
        must(kz_view_import(own, &origin, &found, &must_err));
        kz_view_close(own);
        assert_int_equal(origin.transfer, ORIGIN.transfer);
        assert_int_equal(origin.peer, ORIGIN.peer);
        assert_int_equal(origin.meta.index, ORIGIN.meta.index);
        assert_int_equal(origin.meta.configuration_bytes, 2);
        assert_int_equal(origin.meta.configuration[1], 8);
        assert_int_equal(found.next, mark.next);
        assert_memory_equal(found.digest, mark.digest, KZ_HASH_BYTES);
        must(kz_view_export(view, &cursor, rows, room, &size, &must_err));
        if (size == 0) break;
        bool left;
        mark.next++;
        mark.digest[mark.next % KZ_HASH_BYTES]++;
        must(kz_store_begin(other->store, &txn, &must_err));
        must(kz_txn_sweep(txn, 100000, &left, &must_err)); /* takes nothing of it away */
        must(kz_txn_import_rows(txn, rows, size, &mark, &must_err));
        must(kz_store_commit(txn, &must_err));
    }
    must(kz_store_begin(other->store, &txn, &must_err));
    must(kz_txn_install(txn, applied.index, applied.term, &must_err));
    must(kz_store_commit(txn, &must_err));
    kz_view_close(view);
    free(rows);
}

static bool has_import(struct fixture *f)
{
    struct kz_import_origin origin;
    struct kz_import_mark mark;
    struct kz_view *view;
    must(kz_view_open(f->store, &view, &must_err));
    struct kz_err err;
    enum kz_code code = kz_view_import(view, &origin, &mark, &err);
    kz_view_close(view);
    assert_true(code == KZ_OK || code == KZ_NOT_FOUND);
    return code == KZ_OK;
}

static void an_import_goes_on_after_every_restart(void **state)
{
    struct fixture *f = *state;
    struct fixture other;
    Kz__Record *record = make_org("joho", "a", NULL); /* a row of several chunks */
    record->org->note = kz_must_alloc(1, 16001);
    memset(record->org->note, 'n', 16000);
    fixture_fill(f);
    fixture_put(f, record, KZ_OK);
    fixture_init(&other);
    fixture_put(&other, make_org("old", "old", NULL), KZ_OK);
    import_with_restarts(f, &other, KZ_EXPORT_ROOM_MIN_BYTES);
    check_same(f, &other);
    assert_false(has_import(&other));
    fixture_scrub(&other);
    fixture_reopen(&other);
    assert_false(has_import(&other));
    check_same(f, &other);
    fixture_fini(&other);
}

static void an_import_dropped_or_failed_is_not_gone_on_from(void **state)
{
    struct fixture *f = *state;
    struct kz_store_txn *txn;
    struct kz_err err;
    static const uint8_t nonsense[3] = {1, 2, 3};
    const struct kz_import_mark mark = {.next = 1};
    for (int failed = 0; failed < 2; failed++) {
        must(kz_store_begin(f->store, &txn, &must_err));
        must(kz_txn_import_begin(txn, &ORIGIN, &must_err));
        must(kz_store_commit(txn, &must_err));
        assert_true(has_import(f));
        must(kz_store_begin(f->store, &txn, &must_err));
        if (failed)
            assert_int_equal(kz_txn_import_rows(txn, nonsense, sizeof(nonsense), &mark, &err), KZ_PROTOCOL);
        else
            must(kz_txn_import_drop(txn, &must_err));
        must(kz_store_commit(txn, &must_err));
        assert_false(has_import(f));
        fixture_reopen(f);
        assert_false(has_import(f));
    }
}

/* As a program of before would do, which knows nothing of resuming. */
static void an_import_whose_rows_were_swept_begins_again(void **state)
{
    struct fixture *f = *state;
    struct fixture other;
    struct kz_store_txn *txn;
    size_t size;
    bool left = true;
    const struct kz_import_mark mark = {.next = 1};
    fixture_fill(f);
    uint8_t *rows = export_all(f, &size);
    fixture_init(&other);
    must(kz_store_begin(other.store, &txn, &must_err));
    must(kz_txn_import_begin(txn, &ORIGIN, &must_err));
    must(kz_txn_import_rows(txn, rows, size, &mark, &must_err));
    must(kz_store_commit(txn, &must_err));
    assert_true(has_import(&other));
    kz_import_abandon(other.store);
    must(kz_store_begin(other.store, &txn, &must_err));
    while (left)
        must(kz_txn_sweep(txn, 1000, &left, &must_err));
    must(kz_store_commit(txn, &must_err));
    assert_false(has_import(&other));
    fixture_reopen(&other);
    assert_int_equal(other.store->import.state, KZ_IMPORT_NONE);
    free(rows);
    fixture_fini(&other);
}

/* ---- a random command log on two stores ---- */

static uint64_t random_state;

static unsigned dice(unsigned sides)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(random_state >> 33) % sides;
}

static void add_random_mutation(struct command *command)
{
    char id[16], other[16], name[16];
    snprintf(id, sizeof(id), "r%u", dice(12));
    snprintf(other, sizeof(other), "r%u", dice(12));
    snprintf(name, sizeof(name), "n%u", dice(4));
    Kz__Kind kind = dice(3) == 0 ? KZ__KIND__SYSTEM : KZ__KIND__ORG;
    switch (dice(6)) {
    case 0:
        command_retire(command, kind, id, dice(3) == 0);
        break;
    case 1:
        command_verify(command, kind, id);
        break;
    default:
        command_put(command, kind == KZ__KIND__ORG ? make_org(id, name, dice(3) == 0 ? other : NULL)
                                                   : make_system(id, other, NULL));
    }
    if (dice(5) == 0) command_expect(command, dice(40));
}

static void random_entry(struct fixture *a, struct fixture *b)
{
    struct command commands[3];
    const Kz__Command *pointers[3];
    size_t size, count = dice(4);
    for (size_t i = 0; i < count; i++) {
        command_init(&commands[i], dice(1000));
        for (unsigned m = 0; m <= dice(4); m++)
            add_random_mutation(&commands[i]);
        pointers[i] = &commands[i].message;
    }
    uint8_t *batch = batch_pack(FIXTURE_START_MS + (int64_t)dice(1000000), pointers, count, &size);
    enum kz_entry_type type = dice(10) == 0 ? KZ_ENTRY_CHANGE : KZ_ENTRY_COMMAND;
    for (int i = 0; i < 2; i++)
        fixture_append(i == 0 ? a : b, type, batch, size);
    free(batch);
    for (size_t i = 0; i < count; i++)
        command_fini(&commands[i]);
    fixture_apply(a, NULL);
    if (dice(3) == 0) fixture_apply(b, NULL); /* the other one applies in other portions */
}

static void init_small(struct fixture *f)
{
    char path[128];
    fixture_init(f);
    fixture_close(f);
    snprintf(path, sizeof(path), "%s/data.mdb", f->directory);
    assert_int_equal(remove(path), 0);
    f->options.requests_remembered = 50; /* so that outcomes are forgotten too */
    f->options.requests_window_ms = 1000;
    fixture_open(f);
}

static void a_random_log_ends_in_one_hash_with_and_without_a_snapshot_midway(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct fixture a, b, c;
        struct fixture *second = &b;
        random_state = seed;
        init_small(&a);
        init_small(&b);
        init_small(&c);
        for (int i = 0; i < 150; i++) {
            random_entry(&a, second);
            if (i == 75) { /* another store takes over from a snapshot, and compacts, and restarts */
                fixture_apply(second, NULL);
                fixture_copy_state(second, &c, 4096 + dice(10000));
                second = &c;
                fixture_reopen(second);
            }
        }
        fixture_apply(second, NULL);
        check_same(&a, second);
        assert_true(fixture_applied(&a).rev > 50); /* the dice did something */
        fixture_scrub(&a);
        fixture_scrub(second);
        fixture_fini(&a);
        fixture_fini(&b);
        fixture_fini(&c);
    }
}

static void a_different_log_ends_in_another_hash(void **state)
{
    struct fixture *f = *state;
    struct fixture other;
    fixture_init(&other);
    fixture_put(f, make_org("a", "x", NULL), KZ_OK);
    fixture_put(&other, make_org("a", "y", NULL), KZ_OK);
    struct kz_applied x = fixture_applied(f);
    struct kz_applied y = fixture_applied(&other);
    assert_memory_not_equal(x.state_hash, y.state_hash, KZ_HASH_BYTES);
    fixture_fini(&other);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(an_imported_state_is_the_exported_one_whatever_the_chunk_size),
        T(rows_larger_than_a_chunk_come_in_pieces),
        T(installing_over_a_state_replaces_state_and_log),
        T(a_view_opened_before_the_install_keeps_the_old_state),
        T(every_damaged_byte_of_a_snapshot_is_refused_and_the_old_state_stays),
        T(a_snapshot_of_another_index_term_or_age_is_refused),
        T(rows_without_a_beginning_are_refused),
        T(an_import_cut_off_by_a_restart_leaves_the_old_state),
        T(an_import_goes_on_after_every_restart),
        T(an_import_dropped_or_failed_is_not_gone_on_from),
        T(an_import_whose_rows_were_swept_begins_again),
        cmocka_unit_test(a_random_log_ends_in_one_hash_with_and_without_a_snapshot_midway),
        T(a_different_log_ends_in_another_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
