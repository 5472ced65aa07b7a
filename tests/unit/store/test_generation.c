/* SPDX-License-Identifier: Apache-2.0 */
/* Old states and broken-off imports are cleared away in small steps, and never the state or an import in progress. */
#include "tests/unit/store/fixture.h"

#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/store/internal.h"

#define STEP_ROWS 5u

/* Rows that are neither the state nor shared. */
static uint64_t other_rows(struct fixture *f)
{
    struct kz_view *view;
    uint64_t total = 0;
    must(kz_view_open(f->store, &view, &must_err));
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
    return total;
}

static bool sweep(struct fixture *f)
{
    struct kz_store_txn *txn;
    bool left = false;
    must(kz_store_begin(f->store, &txn, &must_err));
    must(kz_txn_sweep(txn, STEP_ROWS, &left, &must_err));
    must(kz_store_commit(txn, &must_err));
    return left;
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
    kz_view_close(view);
    assert_true(*size > 0 && *size < room / 2); /* all of it */
    return rows;
}

static void begin_import(struct fixture *f, const uint8_t *rows, size_t size)
{
    struct kz_store_txn *txn;
    must(kz_store_begin(f->store, &txn, &must_err));
    must(kz_txn_import_begin(txn, NULL, &must_err));
    must(kz_txn_import_rows(txn, rows, size, NULL, &must_err));
    must(kz_store_commit(txn, &must_err));
}

static void install(struct fixture *f, const struct kz_applied *applied)
{
    struct kz_store_txn *txn;
    must(kz_store_begin(f->store, &txn, &must_err));
    must(kz_txn_install(txn, applied->index, applied->term, &must_err));
    must(kz_store_commit(txn, &must_err));
}

static void check_same(struct fixture *f, const struct kz_applied *expected)
{
    struct kz_applied applied = fixture_applied(f);
    assert_int_equal(applied.index, expected->index);
    assert_memory_equal(applied.state_hash, expected->state_hash, KZ_HASH_BYTES);
    fixture_scrub(f);
}

static void an_install_leaves_the_old_state_to_be_cleared_in_steps(void **state)
{
    struct fixture *f = *state;
    struct fixture other;
    fixture_fill(f);
    fixture_init(&other);
    fixture_fill(&other);
    fixture_put(f, make_org("newer", "newer", NULL), KZ_OK);
    struct kz_applied applied = fixture_applied(f);
    fixture_copy_state(f, &other, 8192);
    uint64_t rows = other_rows(&other);
    assert_true(rows > 6 * STEP_ROWS); /* the old state and its log */
    for (size_t step = 0; rows > 0; step++) {
        (void)sweep(&other); /* what is left is counted here */
        uint64_t now = other_rows(&other);
        assert_true(now < rows && rows - now <= STEP_ROWS);
        rows = now;
        if (step == 2) fixture_reopen(&other); /* goes on where it stopped */
        check_same(&other, &applied);
    }
    assert_false(sweep(&other));
    fixture_put(&other, make_org("later", "later", NULL), KZ_OK);
    fixture_scrub(&other);
    fixture_fini(&other);
}

static void clearing_leaves_an_import_in_progress_alone(void **state)
{
    struct fixture *f = *state;
    struct fixture other;
    size_t size;
    fixture_fill(f);
    struct kz_applied applied = fixture_applied(f);
    uint8_t *rows = export_all(f, &size);
    fixture_init(&other);
    fixture_put(&other, make_org("mine", "mine", NULL), KZ_OK);
    begin_import(&other, rows, size);
    assert_false(sweep(&other));
    begin_import(&other, rows, size); /* the first one is broken off */
    uint64_t before = other_rows(&other);
    while (sweep(&other))
        assert_int_equal(fixture_rev(&other, KZ__KIND__ORG, "mine"), 1);
    assert_int_equal(2 * other_rows(&other), before);
    install(&other, &applied);
    check_same(&other, &applied);
    free(rows);
    fixture_fini(&other);
}

static void an_import_finds_room_though_nothing_was_cleared(void **state)
{
    struct fixture *f = *state;
    struct fixture other;
    size_t size;
    fixture_fill(f);
    struct kz_applied applied = fixture_applied(f);
    uint8_t *rows = export_all(f, &size);
    fixture_init(&other);
    fixture_put(&other, make_org("mine", "mine", NULL), KZ_OK);
    for (int broken_off = 0; broken_off < 4; broken_off++) {
        begin_import(&other, rows, size);
        if (broken_off == 2) fixture_reopen(&other);
        assert_int_equal(fixture_rev(&other, KZ__KIND__ORG, "mine"), 1);
    }
    install(&other, &applied);
    check_same(&other, &applied);
    fixture_reopen(&other);
    check_same(&other, &applied);
    free(rows);
    fixture_fini(&other);
}

static void a_refused_snapshot_is_cleared_away(void **state)
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
    begin_import(&other, rows, size);
    must(kz_store_begin(other.store, &txn, &must_err));
    assert_int_equal(kz_txn_install(txn, applied.index + 1, applied.term, &err), KZ_PROTOCOL);
    must(kz_store_commit(txn, &must_err));
    assert_true(other_rows(&other) > 0);
    while (sweep(&other))
        fixture_scrub(&other);
    assert_int_equal(other_rows(&other), 0);
    free(rows);
    fixture_fini(&other);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(an_install_leaves_the_old_state_to_be_cleared_in_steps),
        T(clearing_leaves_an_import_in_progress_alone),
        T(an_import_finds_room_though_nothing_was_cleared),
        T(a_refused_snapshot_is_cleared_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
