/* SPDX-License-Identifier: Apache-2.0 */
/* parse(format(x)) is x for every field of every kind, and people's ways of writing are understood. */
#include <string.h>

#include "tests/unit/registry/samples.h"

static void reparse(ProtobufCMessage *to, const struct kz_field *field, const ProtobufCMessage *from, size_t item,
                    bool japanese)
{
    struct kz_buf text;
    kz_buf_init(&text, 0);
    kz_value_format(&text, field, from, item, japanese);
    const struct kz_text *reason = kz_value_parse(to, field, kz_buf_text(&text));
    if (reason != NULL) fail_msg("%s = %s: %s", field->name, kz_buf_text(&text), reason->en);
    kz_buf_fini(&text);
}

static void copy_through_text(ProtobufCMessage *to, const ProtobufCMessage *from, const struct kz_field *fields,
                              bool japanese)
{
    for (const struct kz_field *field = fields; field->name != NULL; field++) {
        for (size_t i = 0; i < kz_value_count(from, field); i++) {
            if (field->type != KZ_FIELD_GROUP)
                reparse(to, field, from, i, japanese);
            else
                copy_through_text(kz_value_add_group(to, field), kz_value_group(from, field, i), field->fields,
                                  japanese);
        }
    }
}

static void every_field_of_every_kind_survives_format_and_parse_in_both_languages(void **state)
{
    (void)state;
    size_t count = 0;
    const struct kz_kind *kinds = kz_kinds(&count);
    for (size_t i = 0; i < count; i++) {
        for (int japanese = 0; japanese < 2; japanese++) {
            Kz__Record *record = sample_full(kinds[i].number);
            record->has_created_at = record->has_rev = 1;
            record->created_at = INT64_C(1768596372345);
            record->rev = 48211;
            Kz__Record *copy = kz_record_new(kinds[i].number, "x");
            copy_through_text(&copy->base, &record->base, kz_envelope_fields(), japanese != 0);
            copy_through_text(kz_record_body(copy), kz_record_body(record), kinds[i].fields, japanese != 0);
            assert_true(kz_record_same(record, copy));
            assert_true(copy->created_at == record->created_at && copy->rev == record->rev);
            kz__record__free_unpacked(copy, NULL);
            kz__record__free_unpacked(record, NULL);
        }
    }
}

static void round_trip_enums(const struct kz_field *fields, ProtobufCMessage *message)
{
    for (const struct kz_field *field = fields; field->name != NULL; field++) {
        if (field->type == KZ_FIELD_GROUP) {
            round_trip_enums(field->fields, kz_value_add_group(message, field));
        } else if (field->type == KZ_FIELD_ENUM) {
            for (const struct kz_enum_value *value = field->values; value->name != NULL; value++) {
                for (int japanese = 0; japanese < 2; japanese++) {
                    struct kz_buf text;
                    kz_buf_init(&text, 0);
                    assert_true(kz_value_add_number(message, field, value->number));
                    kz_value_format(&text, field, message, 0, japanese != 0);
                    assert_string_equal(kz_buf_text(&text), japanese ? value->label.ja : value->name);
                    kz_value_clear(message, field);
                    assert_null(kz_value_parse(message, field, kz_buf_text(&text)));
                    assert_int_equal(kz_value_number(message, field, 0), value->number);
                    kz_buf_fini(&text);
                }
            }
        }
    }
}

static void each_enum_value_round_trips_in_both_languages(void **state)
{
    (void)state;
    size_t count = 0;
    const struct kz_kind *kinds = kz_kinds(&count);
    for (size_t i = 0; i < count; i++) {
        Kz__Record *record = kz_record_new(kinds[i].number, "x");
        round_trip_enums(kinds[i].fields, kz_record_body(record));
        kz__record__free_unpacked(record, NULL);
    }
}

static void enums_are_read_whatever_the_case_and_width(void **state)
{
    (void)state;
    Kz__Record *record = kz_record_new(KZ__KIND__SITE, "x");
    const char *texts[] = {"REMOTE_DC",          "remote_dc",    "Remote-DC",         "remote datacenter",
                           "遠隔データセンター", "遠隔ﾃﾞｰﾀｾﾝﾀｰ", "ＲＥＭＯＴＥ＿ＤＣ"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        record->site->has_role = 0;
        if (sample_set(record, "role", texts[i]) != NULL) fail_msg("refused %s", texts[i]);
        assert_true(record->site->has_role && record->site->role == KZ__SITE__TYPE__REMOTE_DC);
    }
    assert_non_null(sample_set(record, "role", "3"));
    assert_non_null(sample_set(record, "role", "REMOTE"));
    kz__record__free_unpacked(record, NULL);
}

static void booleans_are_read_as_people_mark_them(void **state)
{
    (void)state;
    Kz__Record *record = kz_record_new(KZ__KIND__COMPONENT, "x");
    const char *yes[] = {"true", "True", "yes", "はい", "○", "〇", "有", "ＹＥＳ", "1"};
    const char *no[] = {"false", "no", "いいえ", "×", "無", "NO", "0"};
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        if (sample_set(record, "single_point", yes[i]) != NULL) fail_msg("refused %s", yes[i]);
        assert_true(record->component->has_single_point && record->component->single_point);
    }
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
        if (sample_set(record, "single_point", no[i]) != NULL) fail_msg("refused %s", no[i]);
        assert_true(record->component->has_single_point && !record->component->single_point);
    }
    assert_non_null(sample_set(record, "single_point", "maybe"));
    kz__record__free_unpacked(record, NULL);
}

static void integers_are_read_with_full_width_digits_separators_and_percent(void **state)
{
    (void)state;
    Kz__Record *record = kz_record_new(KZ__KIND__SYSTEM, "x");
    assert_null(sample_set(record, "users", "1,200"));
    assert_int_equal(record->system->users, 1200);
    assert_null(sample_set(record, "users", "１２００"));
    assert_int_equal(record->system->users, 1200);
    assert_null(sample_set(record, "rlo", "50%"));
    assert_int_equal(record->system->rlo, 50);
    assert_null(sample_set(record, "users", "-5")); /* the range rule refuses it */
    assert_int_equal(record->system->users, -5);
    const char *bad[] = {"12a", "1.5", "--5", "-", "99999999999999999999", "5%", "0x10", " "};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (sample_set(record, "users", bad[i]) == NULL) fail_msg("took %s", bad[i]);
    kz__record__free_unpacked(record, NULL);
}

static void references_are_folded_and_may_name_their_kind(void **state)
{
    (void)state;
    Kz__Record *record = kz_record_new(KZ__KIND__SYSTEM, "x");
    assert_null(sample_set(record, "owner", "ＪＯＨＯ－１"));
    assert_string_equal(record->system->owner, "joho-1");
    assert_null(sample_set(record, "owner", "org/joho"));
    assert_string_equal(record->system->owner, "joho");
    assert_null(sample_set(record, "owner", "組織/joho"));
    assert_string_equal(record->system->owner, "joho");
    assert_non_null(sample_set(record, "owner", "system/joho"));
    assert_non_null(sample_set(record, "owner", "情報システム課"));
    assert_non_null(sample_set(record, "owner", "org/"));
    kz__record__free_unpacked(record, NULL);
    record = kz_record_new(KZ__KIND__ROLE, "x");
    assert_null(sample_set(record, "scope", "拠点/Main"));
    assert_string_equal(record->role->scope, "site/main");
    assert_non_null(sample_set(record, "scope", "main"));
    assert_non_null(sample_set(record, "scope", "org/main"));
    kz__record__free_unpacked(record, NULL);
}

static void names_are_stored_as_typed_but_numbers_are_narrowed(void **state)
{
    (void)state;
    Kz__Record *record = kz_record_new(KZ__KIND__CONTACT, "x");
    assert_null(sample_set(record, "name", "﨑山　ＴＡＲＯ"));
    assert_string_equal(record->contact->name, "﨑山　ＴＡＲＯ");
    assert_null(sample_set(record, "channels[0].value", "０３－００００ー０００１"));
    assert_string_equal(record->contact->channels[0]->value, "03-0000-0001");
    assert_null(sample_set(record, "channels[1].value", "防災なかの１"));
    assert_string_equal(record->contact->channels[1]->value, "防災なかの１");
    kz__record__free_unpacked(record, NULL);
    record = kz_record_new(KZ__KIND__ORG, "x");
    assert_null(sample_set(record, "code", "１３１１４８"));
    assert_string_equal(record->org->code, "131148");
    assert_null(sample_set(record, "code", "011002"));
    assert_string_equal(record->org->code, "011002"); /* the leading zero stays */
    kz__record__free_unpacked(record, NULL);
}

static void windows_line_ends_become_plain_ones(void **state)
{
    (void)state;
    Kz__Record *record = kz_record_new(KZ__KIND__SYSTEM, "x");
    assert_null(sample_set(record, "summary", "一\r\n二\r\n"));
    assert_string_equal(record->system->summary, "一\n二\n");
    kz__record__free_unpacked(record, NULL);
}

static void an_empty_cell_means_absent_but_not_in_a_list(void **state)
{
    (void)state;
    Kz__Record *record = sample_full(KZ__KIND__SYSTEM);
    assert_null(sample_set(record, "rto", ""));
    assert_false(record->system->has_rto);
    assert_null(sample_set(record, "note", ""));
    assert_null(record->system->note);
    assert_non_null(sample_set(record, "depends_on", ""));
    assert_non_null(sample_set(record, "placements", "main")); /* a group is not one value */
    kz__record__free_unpacked(record, NULL);
}

static void every_refusal_says_why_in_both_languages(void **state)
{
    (void)state;
    const char *cases[][2] = {{"rto", "3"}, {"users", "many"}, {"type", "x"}, {"owner", "!"}, {"depends_on", ""}};
    Kz__Record *record = kz_record_new(KZ__KIND__SYSTEM, "x");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct kz_text *reason = sample_set(record, cases[i][0], cases[i][1]);
        assert_non_null(reason);
        assert_true(strlen(reason->en) > 10 && strlen(reason->ja) > 10);
    }
    kz__record__free_unpacked(record, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_of_every_kind_survives_format_and_parse_in_both_languages),
        cmocka_unit_test(each_enum_value_round_trips_in_both_languages),
        cmocka_unit_test(enums_are_read_whatever_the_case_and_width),
        cmocka_unit_test(booleans_are_read_as_people_mark_them),
        cmocka_unit_test(integers_are_read_with_full_width_digits_separators_and_percent),
        cmocka_unit_test(references_are_folded_and_may_name_their_kind),
        cmocka_unit_test(names_are_stored_as_typed_but_numbers_are_narrowed),
        cmocka_unit_test(windows_line_ends_become_plain_ones),
        cmocka_unit_test(an_empty_cell_means_absent_but_not_in_a_list),
        cmocka_unit_test(every_refusal_says_why_in_both_languages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
