/* SPDX-License-Identifier: Apache-2.0 */
/* Rules that follow from the rows of the schema, whatever the kind. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/registry/schema_tables.h"
#include "tests/unit/registry/samples.h"

static void minimal_and_full_samples_of_every_kind_break_no_rule(void **state)
{
    (void)state;
    size_t count = 0;
    const struct kz_kind *kinds = kz_kinds(&count);
    for (size_t i = 0; i < count; i++) {
        Kz__Record *record = sample_minimal(kinds[i].number);
        EXPECT_FINE(record);
        kz__record__free_unpacked(record, NULL);
        record = sample_full(kinds[i].number);
        EXPECT_FINE(record);
        kz__record__free_unpacked(record, NULL);
    }
}

static void each_missing_required_field_is_named(void **state)
{
    (void)state;
    size_t count = 0;
    const struct kz_kind *kinds = kz_kinds(&count);
    for (size_t i = 0; i < count; i++) {
        for (const struct kz_field *field = kinds[i].fields; field->name != NULL; field++) {
            if ((field->flags & KZ_FIELD_REQUIRED) == 0) continue;
            char rule[96];
            Kz__Record *record = sample_minimal(kinds[i].number);
            kz_value_clear(kz_record_body(record), field);
            snprintf(rule, sizeof(rule), "required %s", field->name);
            EXPECT_RULES(record, rule);
            kz__record__free_unpacked(record, NULL);
        }
    }
    Kz__Record *record = kz_record_new(KZ__KIND__SYSTEM, "x");
    EXPECT_RULES(record, "required name", "required owner", "required type");
    assert_true(kz_value_add_text(&record->system->base, kz_field_by_name(kz_schema_system, "name"), ""));
    EXPECT_RULES(record, "required name", "required owner", "required type");
    kz__record__free_unpacked(record, NULL);
    record = sample_minimal(KZ__KIND__CONTACT);
    assert_null(sample_set(record, "channels[0].note", "x"));
    EXPECT_RULES(record, "required channels[0].type", "required channels[0].value");
    kz__record__free_unpacked(record, NULL);
}

static void all_bad_fields_are_reported_at_once(void **state)
{
    (void)state;
    Kz__Record *record = kz_record_new(KZ__KIND__SYSTEM, "Bad Id");
    assert_null(sample_set(record, "name", "a\x01"));
    assert_null(sample_set(record, "rto", "9999d"));
    assert_null(sample_set(record, "rlo", "0"));
    assert_null(sample_set(record, "placements[0].level", "5"));
    assert_null(sample_set(record, "priority_override", "S"));
    record->has_confidentiality = 1;
    record->confidentiality = 4;
    EXPECT_RULES(record, "id.format id", "text.control name", "required owner", "required type", "range rto",
                 "range rlo", "required placements[0].site", "range placements[0].level",
                 "priority.override_needs_basis priority_override_basis", "range confidentiality");
    kz__record__free_unpacked(record, NULL);
}

static void texts_have_a_longest_length_in_bytes(void **state)
{
    (void)state;
    char text[KZ_TEXT_MAX_BYTES + 2];
    memset(text, 'x', sizeof(text));
    text[KZ_TEXT_MAX_BYTES] = '\0';
    Kz__Record *record = sample_minimal(KZ__KIND__SITE);
    assert_null(sample_set(record, "name", text));
    EXPECT_FINE(record);
    text[KZ_TEXT_MAX_BYTES] = 'x';
    text[KZ_TEXT_MAX_BYTES + 1] = '\0';
    assert_null(sample_set(record, "name", text));
    EXPECT_RULES(record, "text.length name");
    kz__record__free_unpacked(record, NULL);
}

static void texts_are_clean_utf8_and_only_prose_has_lines(void **state)
{
    (void)state;
    Kz__Record *record = sample_minimal(KZ__KIND__SITE);
    assert_null(sample_set(record, "name", "a\nb"));
    assert_null(sample_set(record, "note", "a\nb"));
    EXPECT_RULES(record, "text.control name");
    assert_null(sample_set(record, "name", "\x93\xfa"));
    EXPECT_RULES(record, "text.utf8 name");
    assert_true(kz_value_add_text(&record->site->base, kz_field_by_name(kz_schema_site, "address"), ""));
    assert_null(sample_set(record, "name", "x"));
    EXPECT_RULES(record, "text.empty address");
    kz__record__free_unpacked(record, NULL);
}

static void dates_enums_and_references_keep_their_form(void **state)
{
    (void)state;
    Kz__Record *record = sample_full(KZ__KIND__RUNBOOK);
    const struct kz_field *fields = kz_schema_runbook;
    ProtobufCMessage *body = kz_record_body(record);
    free(record->review_due);
    record->review_due = strdup("2026-02-30");
    assert_true(kz_value_add_text(body, kz_field_by_name(fields, "approved_on"), "R7.1.17"));
    assert_true(kz_value_add_text(body, kz_field_by_name(fields, "author"), "Yamada Taro"));
    assert_true(kz_value_add_text(body, kz_field_by_name(fields, "scope"), "contact/yamada"));
    assert_true(kz_value_add_text(body, kz_field_by_name(fields, "scope"), "site/-"));
    assert_true(kz_value_add_text(body, kz_field_by_name(fields, "scope"), "juki"));
    assert_true(kz_value_add_number(body, kz_field_by_name(fields, "phase"), 77));
    EXPECT_RULES(record, "date review_due", "date approved_on", "reference.format author", "reference.kind scope[1]",
                 "reference.format scope[2]", "reference.kind scope[3]", "enum phase");
    kz__record__free_unpacked(record, NULL);
}

/* B 1(1)セ: 機密性 1-3, 完全性 1-2, 可用性 1-2. */
static void classification_stays_in_its_range_as_b_1_1_se_says(void **state)
{
    (void)state;
    Kz__Record *record = sample_minimal(KZ__KIND__SITE);
    record->has_confidentiality = record->has_integrity = record->has_availability = 1;
    record->confidentiality = 3;
    record->integrity = record->availability = 2;
    EXPECT_FINE(record);
    record->confidentiality = 4;
    record->integrity = record->availability = 3;
    EXPECT_RULES(record, "range confidentiality", "range integrity", "range availability");
    record->confidentiality = record->integrity = record->availability = 0;
    EXPECT_RULES(record, "range confidentiality", "range integrity", "range availability");
    kz__record__free_unpacked(record, NULL);
}

/* G 表2.6-2: levels 1-4; 表2.6-3: 1-2. */
static void countermeasure_levels_stay_in_their_tables(void **state)
{
    (void)state;
    Kz__Record *record = sample_full(KZ__KIND__COMPONENT);
    assert_null(sample_set(record, "target_level", "5"));
    assert_null(sample_set(record, "current_level", "0"));
    EXPECT_RULES(record, "range target_level", "range current_level");
    kz__record__free_unpacked(record, NULL);
    record = sample_full(KZ__KIND__SYSTEM);
    assert_null(sample_set(record, "external_services[0].level", "3"));
    EXPECT_RULES(record, "range external_services[0].level");
    kz__record__free_unpacked(record, NULL);
}

static void durations_are_never_negative(void **state)
{
    (void)state;
    Kz__Record *record = sample_full(KZ__KIND__RUNBOOK);
    record->runbook->steps[0]->expected_time = -60;
    EXPECT_RULES(record, "range steps[0].expected_time");
    record->runbook->steps[0]->expected_time = 0;
    EXPECT_FINE(record);
    kz__record__free_unpacked(record, NULL);
}

static void lists_have_a_longest_length_and_no_repeats(void **state)
{
    (void)state;
    Kz__Record *record = sample_minimal(KZ__KIND__CONTACT);
    const struct kz_field *field = kz_field_by_name(kz_schema_contact, "qualifications");
    char text[16];
    for (int i = 0; i < 20; i++) {
        snprintf(text, sizeof(text), "資格%d", i);
        assert_true(kz_value_add_text(kz_record_body(record), field, text));
    }
    EXPECT_FINE(record);
    assert_true(kz_value_add_text(kz_record_body(record), field, "もう一つ"));
    EXPECT_RULES(record, "list.length qualifications");
    kz__record__free_unpacked(record, NULL);
    record = sample_minimal(KZ__KIND__SYSTEM);
    assert_null(sample_set(record, "depends_on", "a"));
    assert_null(sample_set(record, "depends_on", "b"));
    assert_null(sample_set(record, "depends_on", "a"));
    EXPECT_RULES(record, "list.duplicate depends_on[2]");
    kz__record__free_unpacked(record, NULL);
}

static void labels_are_slugs_and_stand_once(void **state)
{
    (void)state;
    Kz__Record *record = sample_full(KZ__KIND__SITE);
    const struct kz_field *labels = kz_field_by_name(kz_envelope_fields(), "labels");
    const char *keys[] = {"phase", "Bad Key"};
    for (size_t i = 0; i < 2; i++) {
        Kz__Label *label = (Kz__Label *)(void *)kz_value_add_group(&record->base, labels);
        label->key = strdup(keys[i]);
        label->value = strdup("x");
    }
    EXPECT_RULES(record, "list.duplicate labels[1].key", "label.key labels[2].key");
    assert_non_null(kz_value_add_group(&record->base, labels));
    EXPECT_RULES(record, "list.duplicate labels[1].key", "label.key labels[2].key", "required labels[3].key",
                 "required labels[3].value");
    kz__record__free_unpacked(record, NULL);
}

static void a_record_holds_the_body_of_its_kind_and_no_other(void **state)
{
    (void)state;
    Kz__Record *record = sample_minimal(KZ__KIND__SITE);
    record->kind = KZ__KIND__ORG;
    EXPECT_RULES(record, "body.kind site", "body.missing org/sample-1");
    assert_non_null(kz_record_make_body(record));
    EXPECT_RULES(record, "body.kind site", "required name", "required type");
    record->kind = KZ__KIND__SITE;
    EXPECT_RULES(record, "body.kind org");
    kz__record__free_unpacked(record, NULL);
    struct kz_violations violations = {0};
    Kz__Record unknown = KZ__RECORD__INIT;
    unknown.kind = (Kz__Kind)99;
    kz_record_check(&unknown, &violations);
    assert_int_equal(violations.count, 2); /* the id, the kind */
    assert_string_equal(violations.items[1]->rule, "kind.known");
    kz_violations_fini(&violations);
}

static void a_record_as_a_whole_has_a_largest_size(void **state)
{
    (void)state;
    char *text = malloc(16001);
    memset(text, 'x', 16000);
    text[16000] = '\0';
    Kz__Record *record = sample_minimal(KZ__KIND__RUNBOOK);
    char path[32];
    for (int i = 0; i < 17; i++) {
        snprintf(path, sizeof(path), "steps[%d].body", i);
        assert_null(sample_set(record, path, text));
        snprintf(path, sizeof(path), "steps[%d].title", i);
        assert_null(sample_set(record, path, "x"));
    }
    EXPECT_RULES(record, "record.size runbook/sample-1");
    free(text);
    kz__record__free_unpacked(record, NULL);
}

static void violations_stop_at_their_cap_and_carry_text_and_source(void **state)
{
    (void)state;
    struct kz_violations violations = {0};
    char longest[1000];
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    memcpy(longest + 396, "あああ", 9);
    kz_violations_addf(&violations, "a/b.c", "rule", "G 2.5.1", "%s %d", "%s。%d", longest, 7);
    assert_string_equal(violations.items[0]->source, "G 2.5.1");
    assert_true(strlen(violations.items[0]->en) < 400 && violations.items[0]->en[395] == 'x');
    assert_int_equal(violations.items[0]->en[396], '\0'); /* the character that did not fit is gone whole */
    for (int i = 0; i < 2000; i++)
        kz_violations_add(&violations, "p", "r", &(struct kz_text){"e", "j"}, NULL);
    assert_int_equal(violations.count, KZ_VIOLATIONS_MAX);
    assert_null(violations.items[1]->source);
    kz_violations_fini(&violations);
    assert_int_equal(violations.count, 0);
}

/* Whatever a record holds in place of an id, the path stays short and printable. */
static void paths_stay_printable_with_any_id(void **state)
{
    (void)state;
    char id[2000];
    memset(id, 'A', sizeof(id) - 1);
    id[sizeof(id) - 1] = '\0';
    const char *ids[] = {id, "\x1b[31m", "\xff\xfe", ""};
    for (size_t i = 0; i < 4; i++) {
        struct kz_violations violations = {0};
        Kz__Record *record = sample_full(KZ__KIND__ORG);
        free(record->id);
        record->id = strdup(ids[i]);
        assert_null(sample_set(record, "contract.offices[0].phone", "x"));
        kz_record_check(record, &violations);
        assert_true(violations.count >= 2);
        for (size_t j = 0; j < violations.count; j++) {
            assert_true(strlen(violations.items[j]->path) < 256);
            for (const char *c = violations.items[j]->path; *c != '\0'; c++)
                assert_true(*c >= ' ');
        }
        kz_violations_fini(&violations);
        kz__record__free_unpacked(record, NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(minimal_and_full_samples_of_every_kind_break_no_rule),
        cmocka_unit_test(each_missing_required_field_is_named),
        cmocka_unit_test(all_bad_fields_are_reported_at_once),
        cmocka_unit_test(texts_have_a_longest_length_in_bytes),
        cmocka_unit_test(texts_are_clean_utf8_and_only_prose_has_lines),
        cmocka_unit_test(dates_enums_and_references_keep_their_form),
        cmocka_unit_test(classification_stays_in_its_range_as_b_1_1_se_says),
        cmocka_unit_test(countermeasure_levels_stay_in_their_tables),
        cmocka_unit_test(durations_are_never_negative),
        cmocka_unit_test(lists_have_a_longest_length_and_no_repeats),
        cmocka_unit_test(labels_are_slugs_and_stand_once),
        cmocka_unit_test(a_record_holds_the_body_of_its_kind_and_no_other),
        cmocka_unit_test(a_record_as_a_whole_has_a_largest_size),
        cmocka_unit_test(violations_stop_at_their_cap_and_carry_text_and_source),
        cmocka_unit_test(paths_stay_printable_with_any_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
