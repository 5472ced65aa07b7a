/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "tests/unit/registry/samples.h"

struct seen {
    char text[4096];
    size_t count;
};

static void note_reference(void *data, const char *path, Kz__Kind kind, const char *id)
{
    struct seen *seen = data;
    size_t used = strlen(seen->text);
    snprintf(seen->text + used, sizeof(seen->text) - used, "%s=%s/%s ", path, kz_kind_by_number(kind)->name, id);
    seen->count++;
}

static void references_are_visited_with_path_kind_and_id(void **state)
{
    (void)state;
    struct seen seen = {0};
    Kz__Record *record = sample_minimal(KZ__KIND__ROLE);
    assert_null(sample_set(record, "holder", "yamada"));
    assert_null(sample_set(record, "deputies", "suzuki"));
    assert_null(sample_set(record, "deputies", "sato"));
    assert_null(sample_set(record, "scope", "site/main"));
    assert_null(sample_set(record, "teams[1].members", "tanaka"));
    kz_record_references(record, note_reference, &seen);
    assert_string_equal(seen.text, "holder=contact/yamada deputies[0]=contact/suzuki deputies[1]=contact/sato "
                                   "scope=site/main teams[1].members[0]=contact/tanaka ");
    kz__record__free_unpacked(record, NULL);
}

static size_t count_reference_rows(const struct kz_field *fields)
{
    size_t count = 0;
    for (const struct kz_field *field = fields; field->name != NULL; field++) {
        if (field->type == KZ_FIELD_REF) count++;
        if (field->type == KZ_FIELD_GROUP) count += count_reference_rows(field->fields);
    }
    return count;
}

static void every_reference_of_every_kind_is_visited(void **state)
{
    (void)state;
    size_t count = 0;
    const struct kz_kind *kinds = kz_kinds(&count);
    for (size_t i = 0; i < count; i++) {
        struct seen seen = {0};
        Kz__Record *record = sample_full(kinds[i].number);
        kz_record_references(record, note_reference, &seen);
        assert_int_equal(seen.count, count_reference_rows(kinds[i].fields));
        kz__record__free_unpacked(record, NULL);
    }
}

static enum kz_presence find(void *data, Kz__Kind kind, const char *id)
{
    (void)data;
    if (kind == KZ__KIND__ORG && strcmp(id, "joho") == 0) return KZ_LIVE;
    if (kind == KZ__KIND__SYSTEM && strcmp(id, "old") == 0) return KZ_RETIRED;
    return KZ_ABSENT;
}

static void a_dangling_and_a_retired_reference_are_refused_and_named(void **state)
{
    (void)state;
    const struct kz_resolver resolver = {.find = find};
    struct kz_violations violations = {0};
    Kz__Record *record = sample_minimal(KZ__KIND__SYSTEM);
    assert_null(sample_set(record, "owner", "joho"));
    kz_record_check_references(record, &resolver, &violations);
    assert_int_equal(violations.count, 0);
    assert_null(sample_set(record, "depends_on", "old"));
    assert_null(sample_set(record, "depends_on", "joho")); /* an org of that name is no system */
    kz_record_check_references(record, &resolver, &violations);
    assert_int_equal(violations.count, 2);
    assert_string_equal(violations.items[0]->rule, "reference.live");
    assert_string_equal(violations.items[0]->path, "system/sample-1.depends_on[0]");
    assert_non_null(strstr(violations.items[0]->en, "system/old"));
    assert_non_null(strstr(violations.items[0]->ja, "system/old"));
    assert_string_equal(violations.items[1]->rule, "reference.exists");
    assert_non_null(strstr(violations.items[1]->en, "system/joho"));
    kz_violations_fini(&violations);
    kz__record__free_unpacked(record, NULL);
}

static enum kz_presence must_not_be_asked(void *data, Kz__Kind kind, const char *id)
{
    (void)data;
    (void)kind;
    fail_msg("asked for \"%s\"", id);
    return KZ_ABSENT;
}

static void what_is_no_reference_is_left_to_the_other_rules(void **state)
{
    (void)state;
    const struct kz_resolver resolver = {.find = must_not_be_asked};
    struct kz_violations violations = {0};
    Kz__Record *record = kz_record_new(KZ__KIND__ROLE, "x");
    const struct kz_field *fields = kz_kind_by_number(KZ__KIND__ROLE)->fields;
    assert_true(kz_value_add_text(kz_record_body(record), kz_field_by_name(fields, "scope"), "nothing"));
    assert_true(kz_value_add_text(kz_record_body(record), kz_field_by_name(fields, "holder"), "No Id"));
    kz_record_check_references(record, &resolver, &violations);
    assert_int_equal(violations.count, 0);
    EXPECT_RULES(record, "required type", "reference.kind scope", "reference.format holder");
    kz__record__free_unpacked(record, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(references_are_visited_with_path_kind_and_id),
        cmocka_unit_test(every_reference_of_every_kind_is_visited),
        cmocka_unit_test(a_dangling_and_a_retired_reference_are_refused_and_named),
        cmocka_unit_test(what_is_no_reference_is_left_to_the_other_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
