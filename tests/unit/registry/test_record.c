/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "tests/unit/registry/samples.h"

static const struct kz_field *field_of(Kz__Kind kind, const char *name)
{
    return kz_field_by_name(kz_kind_by_number(kind)->fields, name);
}

static void a_new_record_has_its_kind_id_and_an_empty_body(void **state)
{
    (void)state;
    size_t count = 0;
    const struct kz_kind *kinds = kz_kinds(&count);
    for (size_t i = 0; i < count; i++) {
        Kz__Record *record = kz_record_new(kinds[i].number, "juki");
        assert_int_equal(record->kind, kinds[i].number);
        assert_string_equal(record->id, "juki");
        assert_non_null(kz_record_body(record));
        for (const struct kz_field *field = kinds[i].fields; field->name != NULL; field++)
            assert_int_equal(kz_value_count(kz_record_body(record), field), 0);
        kz__record__free_unpacked(record, NULL);
    }
}

static void make_body_keeps_a_body_that_is_there(void **state)
{
    (void)state;
    Kz__Record *record = sample_minimal(KZ__KIND__SITE);
    ProtobufCMessage *body = kz_record_body(record);
    assert_ptr_equal(kz_record_make_body(record), body);
    kz__record__free_unpacked(record, NULL);
    Kz__Record bare = KZ__RECORD__INIT;
    bare.kind = (Kz__Kind)99;
    assert_null(kz_record_body(&bare));
    assert_null(kz_record_make_body(&bare));
}

static void setting_an_optional_value_replaces_it_and_a_list_grows(void **state)
{
    (void)state;
    Kz__Record *record = kz_record_new(KZ__KIND__SYSTEM, "x");
    ProtobufCMessage *body = kz_record_body(record);
    const struct kz_field *name = field_of(KZ__KIND__SYSTEM, "name");
    const struct kz_field *list = field_of(KZ__KIND__SYSTEM, "depends_on");
    const struct kz_field *rto = field_of(KZ__KIND__SYSTEM, "rto");
    assert_true(kz_value_add_text(body, name, "a") && kz_value_add_text(body, name, "b"));
    assert_int_equal(kz_value_count(body, name), 1);
    assert_string_equal(kz_value_text(body, name, 0), "b");
    assert_true(kz_value_add_text(body, list, "a") && kz_value_add_text(body, list, "b"));
    assert_int_equal(kz_value_count(body, list), 2);
    assert_string_equal(kz_value_text(body, list, 1), "b");
    assert_true(kz_value_add_number(body, rto, 60) && kz_value_add_number(body, rto, 0));
    assert_int_equal(kz_value_count(body, rto), 1); /* zero is not absent */
    assert_int_equal(kz_value_number(body, rto, 0), 0);
    kz_value_clear(body, name);
    kz_value_clear(body, list);
    kz_value_clear(body, rto);
    assert_int_equal(kz_value_count(body, name) + kz_value_count(body, list) + kz_value_count(body, rto), 0);
    assert_true(kz_value_add_text(body, list, "c"));
    assert_int_equal(kz_value_count(body, list), 1);
    kz__record__free_unpacked(record, NULL);
}

static void a_single_group_is_replaced_and_a_list_of_groups_grows(void **state)
{
    (void)state;
    Kz__Record *record = kz_record_new(KZ__KIND__SITE, "x");
    ProtobufCMessage *body = kz_record_body(record);
    const struct kz_field *storage = field_of(KZ__KIND__SITE, "storage");
    const struct kz_field *lines = field_of(KZ__KIND__SITE, "lines");
    const struct kz_field *locked = kz_field_by_name(storage->fields, "locked");
    assert_true(kz_value_add_number(kz_value_add_group(body, storage), locked, 1));
    assert_int_equal(kz_value_number(kz_value_group(body, storage, 0), locked, 0), 1);
    assert_int_equal(kz_value_count(kz_value_add_group(body, storage), locked), 0);
    assert_int_equal(kz_value_count(body, storage), 1);
    assert_non_null(kz_value_add_group(body, lines));
    assert_non_null(kz_value_add_group(body, lines));
    assert_int_equal(kz_value_count(body, lines), 2);
    kz_value_clear(body, lines);
    assert_int_equal(kz_value_count(body, lines), 0);
    kz__record__free_unpacked(record, NULL);
}

static void envelope_numbers_of_every_width_are_reached(void **state)
{
    (void)state;
    const struct kz_field *rev = kz_field_by_name(kz_envelope_fields(), "rev");
    const struct kz_field *level = kz_field_by_name(kz_envelope_fields(), "confidentiality");
    Kz__Record *record = kz_record_new(KZ__KIND__SITE, "x");
    assert_true(kz_value_add_number(&record->base, rev, INT64_C(1) << 40));
    assert_true(record->rev == UINT64_C(1) << 40 && kz_value_number(&record->base, rev, 0) == INT64_C(1) << 40);
    assert_true(kz_value_add_number(&record->base, level, 3));
    assert_int_equal(record->confidentiality, 3);
    /* 2^32 + 2 must not turn into a legal 2. */
    assert_true(kz_value_add_number(&record->base, level, (INT64_C(1) << 32) + 2));
    assert_int_equal(record->confidentiality, INT32_MAX);
    kz__record__free_unpacked(record, NULL);
}

/* G 表2.5-1, each bound and the second after it. */
static void recovery_priority_follows_table_2_5_1(void **state)
{
    (void)state;
    const int64_t hour = 3600, day = 24 * hour;
    const struct {
        int64_t rto;
        Kz__System__Priority priority;
    } rows[] = {
        {0, KZ__SYSTEM__PRIORITY__S},
        {3 * hour, KZ__SYSTEM__PRIORITY__S},
        {3 * hour + 1, KZ__SYSTEM__PRIORITY__A},
        {day, KZ__SYSTEM__PRIORITY__A},
        {day + 1, KZ__SYSTEM__PRIORITY__B},
        {3 * day, KZ__SYSTEM__PRIORITY__B},
        {3 * day + 1, KZ__SYSTEM__PRIORITY__C},
        {7 * day, KZ__SYSTEM__PRIORITY__C},
        {7 * day + 1, KZ__SYSTEM__PRIORITY__D},
        {14 * day, KZ__SYSTEM__PRIORITY__D},
        {14 * day + 1, KZ__SYSTEM__PRIORITY__E},
        {300 * day, KZ__SYSTEM__PRIORITY__E},
    };
    Kz__Record *record = sample_minimal(KZ__KIND__SYSTEM);
    record->system->has_rto = 1;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        record->system->rto = rows[i].rto;
        kz_record_derive(record);
        assert_true(record->system->has_priority);
        assert_int_equal(record->system->priority, rows[i].priority);
    }
    kz__record__free_unpacked(record, NULL);
}

static void an_override_beats_the_rto_and_no_rto_means_no_priority(void **state)
{
    (void)state;
    Kz__Record *record = sample_minimal(KZ__KIND__SYSTEM);
    record->system->has_priority = 1; /* typed by somebody: ignored */
    record->system->priority = KZ__SYSTEM__PRIORITY__A;
    kz_record_derive(record);
    assert_false(record->system->has_priority);
    record->system->has_priority_override = record->system->has_rto = 1;
    record->system->rto = 3600;
    record->system->priority_override = KZ__SYSTEM__PRIORITY__C;
    kz_record_derive(record);
    assert_int_equal(record->system->priority, KZ__SYSTEM__PRIORITY__C);
    kz__record__free_unpacked(record, NULL);
    record = sample_minimal(KZ__KIND__SITE);
    kz_record_derive(record); /* nothing to derive, nothing to break */
    EXPECT_FINE(record);
    kz__record__free_unpacked(record, NULL);
}

static void a_copy_is_equal_and_apart(void **state)
{
    (void)state;
    Kz__Record *record = sample_full(KZ__KIND__RUNBOOK);
    Kz__Record *copy = kz_record_dup(record);
    assert_true(kz_record_same(record, copy));
    assert_ptr_not_equal(record->runbook->title, copy->runbook->title);
    copy->runbook->steps[0]->title[0] = 'x';
    assert_false(kz_record_same(record, copy));
    kz__record__free_unpacked(copy, NULL);
    kz__record__free_unpacked(record, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_record_has_its_kind_id_and_an_empty_body),
        cmocka_unit_test(make_body_keeps_a_body_that_is_there),
        cmocka_unit_test(setting_an_optional_value_replaces_it_and_a_list_grows),
        cmocka_unit_test(a_single_group_is_replaced_and_a_list_of_groups_grows),
        cmocka_unit_test(envelope_numbers_of_every_width_are_reached),
        cmocka_unit_test(recovery_priority_follows_table_2_5_1),
        cmocka_unit_test(an_override_beats_the_rto_and_no_rto_means_no_priority),
        cmocka_unit_test(a_copy_is_equal_and_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
