/* SPDX-License-Identifier: Apache-2.0 */
/* Damaged bytes are found, never answered. The file is damaged through LMDB itself, so that its pages stay sound and
 * only the store's own checks can notice. */
#include "tests/unit/store/fixture.h"

#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"

#define TABLES_MAX 64
#define ROWS_TRIED 4

struct raw {
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
};

/* The first generation is live in a store that never installed a snapshot. */
static const struct {
    const char *name;
    const char *shown; /* in the error */
    bool loss_shows;   /* a missing row is noticed */
} tables[] = {
    {"hard", "hard", true},
    {"log_a", "log", true},
    {"local", "local", false},
    {"state_a", "state", true},
    {"records_a", "records", true},
    {"history_a", "history", true},
    {"history_index_a", "history_index", true},
    {"refs_a", "refs", true},
    {"requests_a", "requests", true},
    {"requests_order_a", "requests", true},
    {"audit_a", "audit", false},
    {"chunks_a", "chunks", true},
    {"contents_a", "contents", true},
    {"loose_a", "loose", true},
    {"loose_order_a", "loose_order", true},
};
#define TABLE_COUNT (sizeof(tables) / sizeof(tables[0]))

static void raw_open(struct raw *raw, const struct fixture *f, const char *table)
{
    assert_int_equal(mdb_env_create(&raw->env), 0);
    assert_int_equal(mdb_env_set_maxdbs(raw->env, TABLES_MAX), 0);
    assert_int_equal(mdb_env_open(raw->env, f->directory, MDB_NOSYNC, 0600), 0);
    assert_int_equal(mdb_txn_begin(raw->env, NULL, 0, &raw->txn), 0);
    assert_int_equal(mdb_dbi_open(raw->txn, table, 0, &raw->dbi), 0);
}

static void raw_close(struct raw *raw)
{
    assert_int_equal(mdb_txn_commit(raw->txn), 0);
    mdb_env_close(raw->env);
}

/* Copies of the row-th row; false past the end. Free both. */
static bool raw_row(struct raw *raw, size_t row, MDB_val *key, MDB_val *value)
{
    MDB_cursor *cursor;
    MDB_val k, v;
    assert_int_equal(mdb_cursor_open(raw->txn, raw->dbi, &cursor), 0);
    int rc = mdb_cursor_get(cursor, &k, &v, MDB_FIRST);
    for (size_t i = 0; i < row && rc == 0; i++)
        rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
    mdb_cursor_close(cursor);
    if (rc != 0) return false;
    *key = (MDB_val){k.mv_size, kz_must_memdup(k.mv_data, k.mv_size)};
    *value = (MDB_val){v.mv_size, kz_must_memdup(v.mv_data, v.mv_size)};
    return true;
}

static void raw_put(const struct fixture *f, const char *table, MDB_val key, MDB_val value)
{
    struct raw raw;
    raw_open(&raw, f, table);
    assert_int_equal(mdb_put(raw.txn, raw.dbi, &key, &value, 0), 0);
    raw_close(&raw);
}

static void raw_delete(const struct fixture *f, const char *table, MDB_val key)
{
    struct raw raw;
    raw_open(&raw, f, table);
    assert_int_equal(mdb_del(raw.txn, raw.dbi, &key, NULL), 0);
    raw_close(&raw);
}

/* Opening or scrubbing must say KZ_CORRUPT and name the table (or, where a row is gone, another that misses it). */
static void expect_noticed(struct fixture *f, const char *shown)
{
    struct kz_err err = {KZ_OK, ""};
    struct kz_view *view;
    enum kz_code code = kz_store_open(&f->store, &f->options, &err);
    if (code == KZ_OK) {
        code = kz_view_open(f->store, &view, &err);
        if (code == KZ_OK) {
            code = kz_view_scrub(view, &err);
            kz_view_close(view);
        }
        fixture_close(f);
    }
    if (code != KZ_CORRUPT) fail_msg("damage in %s: %s %s", shown, kz_code_name(code), err.text);
    if (strstr(err.text, shown) == NULL) fail_msg("damage in %s is reported as: %s", shown, err.text);
}

static void a_flipped_bit_in_any_value_of_any_table_is_found(void **state)
{
    struct fixture *f = *state;
    fixture_fill(f);
    fixture_fill_blobs(f);
    fixture_scrub(f);
    fixture_close(f);
    size_t tried = 0;
    for (size_t table = 0; table < TABLE_COUNT; table++) {
        size_t row = 0;
        for (; row < ROWS_TRIED; row++) {
            struct raw raw;
            MDB_val key, value;
            raw_open(&raw, f, tables[table].name);
            bool there = raw_row(&raw, row, &key, &value);
            raw_close(&raw);
            if (!there) break;
            uint8_t *bytes = value.mv_data;
            const size_t places[] = {0, value.mv_size / 2, value.mv_size - 1};
            for (size_t i = 0; i < 3; i++) {
                bytes[places[i]] ^= 0x10;
                raw_put(f, tables[table].name, key, value);
                expect_noticed(f, tables[table].shown);
                bytes[places[i]] ^= 0x10;
                tried++;
            }
            raw_put(f, tables[table].name, key, value);
            free(key.mv_data);
            free(value.mv_data);
        }
        assert_true(row > 0); /* a table that was not tried proves nothing */
    }
    assert_true(tried > 3 * TABLE_COUNT);
    fixture_open(f);
    fixture_scrub(f); /* all put back: sound again */
}

static void a_value_under_another_key_is_found(void **state)
{
    struct fixture *f = *state;
    size_t tried = 0;
    fixture_fill(f);
    fixture_fill_blobs(f);
    fixture_close(f);
    for (size_t table = 0; table < TABLE_COUNT; table++) {
        struct raw raw;
        MDB_val key[2], value[2];
        raw_open(&raw, f, tables[table].name);
        size_t rows = 0;
        while (rows < 2 && raw_row(&raw, rows, &key[rows], &value[rows]))
            rows++;
        raw_close(&raw);
        if (rows == 2) { /* `state` and `local` have one row */
            raw_put(f, tables[table].name, key[0], value[1]);
            expect_noticed(f, tables[table].shown);
            raw_put(f, tables[table].name, key[0], value[0]);
            tried++;
        }
        for (size_t i = 0; i < rows; i++) {
            free(key[i].mv_data);
            free(value[i].mv_data);
        }
    }
    assert_int_equal(tried, TABLE_COUNT - 2);
    fixture_open(f);
    fixture_scrub(f);
}

static void a_lost_row_is_found(void **state)
{
    struct fixture *f = *state;
    fixture_fill(f);
    fixture_fill_blobs(f);
    fixture_close(f);
    for (size_t table = 0; table < TABLE_COUNT; table++) {
        if (!tables[table].loss_shows) continue;
        for (size_t row = 0; row < ROWS_TRIED; row++) {
            struct raw raw;
            MDB_val key, value;
            raw_open(&raw, f, tables[table].name);
            bool there = raw_row(&raw, row, &key, &value);
            raw_close(&raw);
            if (!there) break;
            raw_delete(f, tables[table].name, key);
            expect_noticed(f, ""); /* often another table misses it */
            raw_put(f, tables[table].name, key, value);
            free(key.mv_data);
            free(value.mv_data);
        }
    }
    fixture_open(f);
    fixture_scrub(f);
}

static bool ignore_record(void *data, const Kz__Record *record)
{
    (void)data;
    (void)record;
    return true;
}

static bool ignore_change(void *data, const Kz__Change *change)
{
    (void)data;
    (void)change;
    return true;
}

/* Damages the value of the row whose key is `key`, or renames the key when `rename`. */
static void damage(struct fixture *f, const char *table, const void *key_bytes, size_t key_size, bool rename)
{
    struct raw raw;
    MDB_val key = {key_size, (void *)(uintptr_t)key_bytes}, value;
    fixture_close(f);
    raw_open(&raw, f, table);
    assert_int_equal(mdb_get(raw.txn, raw.dbi, &key, &value), 0);
    MDB_val copy = {value.mv_size, kz_must_memdup(value.mv_data, value.mv_size)};
    if (rename) {
        MDB_val other = {key_size, kz_must_memdup(key_bytes, key_size)};
        ((uint8_t *)other.mv_data)[key_size - 1] ^= 1;
        assert_int_equal(mdb_del(raw.txn, raw.dbi, &key, NULL), 0);
        assert_int_equal(mdb_put(raw.txn, raw.dbi, &other, &copy, 0), 0);
        free(other.mv_data);
    } else {
        ((uint8_t *)copy.mv_data)[copy.mv_size / 2] ^= 1;
        assert_int_equal(mdb_put(raw.txn, raw.dbi, &key, &copy, 0), 0);
    }
    free(copy.mv_data);
    raw_close(&raw);
    f->options.create = false;
    fixture_open(f);
}

static void a_damaged_record_is_an_error_to_every_reader(void **state)
{
    struct fixture *f = *state;
    struct kz_view *view;
    struct kz_err err;
    Kz__Record *record;
    fixture_fill(f);
    damage(f, "records_a", "\6zeimu", 6, false);
    must(kz_view_open(f->store, &view, &must_err));
    assert_int_equal(kz_view_get(view, KZ__KIND__SYSTEM, "zeimu", &record, &err), KZ_CORRUPT);
    assert_non_null(strstr(err.text, "table records"));
    assert_non_null(strstr(err.text, "zeimu"));
    assert_int_equal(kz_view_list(view, KZ__KIND__SYSTEM, NULL, false, ignore_record, NULL, &err), KZ_CORRUPT);
    must(kz_view_list(view, KZ__KIND__ORG, NULL, false, ignore_record, NULL, &must_err)); /* others are still read */
    kz_view_close(view);
}

static void a_damaged_key_is_not_taken_for_absence(void **state)
{
    struct fixture *f = *state;
    struct kz_view *view;
    struct kz_err err;
    Kz__Record *record;
    fixture_fill(f);
    damage(f, "records_a", "\6juki", 5, true);
    must(kz_view_open(f->store, &view, &must_err));
    assert_int_equal(kz_view_get(view, KZ__KIND__SYSTEM, "juki", &record, &err), KZ_CORRUPT);
    kz_view_close(view);
}

static void apply_stops_on_a_damaged_record(void **state)
{
    struct fixture *f = *state;
    struct kz_store_txn *txn;
    struct command command;
    struct kz_err err;
    size_t size;
    fixture_fill(f);
    damage(f, "records_a", "\2koseki", 7, false);
    command_init(&command, 99);
    command_put(&command, make_org("new", "new", "koseki")); /* only refers to it */
    const Kz__Command *pointers[] = {&command.message};
    uint8_t *batch = batch_pack(f->time_ms, pointers, 1, &size);
    fixture_append(f, KZ_ENTRY_COMMAND, batch, size);
    free(batch);
    command_fini(&command);
    must(kz_store_begin(f->store, &txn, &must_err));
    assert_int_equal(kz_txn_apply(txn, f->index, NULL, &err), KZ_CORRUPT);
    kz_store_abort(txn);
}

static void damaged_history_stops_a_watch_and_a_snapshot(void **state)
{
    struct fixture *f = *state;
    struct kz_view *view;
    struct kz_err err;
    fixture_fill(f);
    damage(f, "history_a", "\0\0\0\0\0\0\0\3", 8, false);
    must(kz_view_open(f->store, &view, &must_err));
    assert_int_equal(kz_view_changes(view, 1, ignore_change, NULL, &err), KZ_CORRUPT);
    assert_non_null(strstr(err.text, "key 3"));
    must(kz_view_changes(view, 4, ignore_change, NULL, &must_err));
    assert_int_equal(kz_view_history(view, KZ__KIND__SYSTEM, "juki", 0, ignore_change, NULL, &err), KZ_CORRUPT);
    struct kz_export_cursor cursor = {0};
    static uint8_t rows[1u << 20];
    size_t rows_size;
    assert_int_equal(kz_view_export(view, &cursor, rows, sizeof(rows), &rows_size, &err), KZ_CORRUPT);
    kz_view_close(view);
}

static bool ignore_entry(void *data, uint64_t index, const struct kz_entry *entry)
{
    (void)data;
    (void)index;
    (void)entry;
    return true;
}

static void a_damaged_log_entry_is_found_at_start_and_when_read(void **state)
{
    struct fixture *f = *state;
    struct kz_view *view;
    struct kz_entry entry;
    struct kz_err err;
    fixture_fill(f);
    damage(f, "log_a", "\0\0\0\0\0\0\0\4", 8, false);
    must(kz_view_open(f->store, &view, &must_err));
    assert_int_equal(kz_view_entry(view, 4, &entry, &err), KZ_CORRUPT);
    assert_int_equal(kz_view_log_terms(view, ignore_entry, NULL, &err), KZ_CORRUPT);
    assert_non_null(strstr(err.text, "key 4"));
    kz_view_close(view);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests_[] = {
        T(a_flipped_bit_in_any_value_of_any_table_is_found),
        T(a_value_under_another_key_is_found),
        T(a_lost_row_is_found),
        T(a_damaged_record_is_an_error_to_every_reader),
        T(a_damaged_key_is_not_taken_for_absence),
        T(apply_stops_on_a_damaged_record),
        T(damaged_history_stops_a_watch_and_a_snapshot),
        T(a_damaged_log_entry_is_found_at_start_and_when_read),
    };
    return cmocka_run_group_tests(tests_, NULL, NULL);
}
