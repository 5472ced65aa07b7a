/* SPDX-License-Identifier: Apache-2.0 */
/* Every field of every kind, made from the schema, through JSON and YAML and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "client/codec/decode.h"
#include "client/codec/encode.h"

#define TEXT "﨑山 ｶﾞ か\xE3\x82\x99: \"# - 'x'"

static void fill_message(ProtobufCMessage *message, const struct kz_field *fields);

static int64_t number_for(const struct kz_field *field)
{
    int64_t low = field->min, high = field->max ? field->max : 1000000;
    if (field->type == KZ_FIELD_BOOLEAN) return 1;
    if (field->type == KZ_FIELD_TIME) return INT64_C(1768596372000);
    return low + (high - low) / 3;
}

static void fill_value(ProtobufCMessage *message, const struct kz_field *field)
{
    ProtobufCMessage *group;
    switch (field->type) {
    case KZ_FIELD_TEXT:
        assert_true(kz_value_add_text(message, field, TEXT));
        return;
    case KZ_FIELD_PROSE:
        assert_true(kz_value_add_text(message, field, "# 手順\n\n1. 確認: 可\n   - 項目\n"));
        return;
    case KZ_FIELD_DATE:
        assert_true(kz_value_add_text(message, field, "2027-01-17"));
        return;
    case KZ_FIELD_REF:
        for (unsigned kind = 1; kind < 32; kind++) {
            if (!(field->ref_kinds & KZ_KIND_BIT(kind))) continue;
            char text[64];
            bool one = (field->ref_kinds & (field->ref_kinds - 1)) == 0;
            snprintf(text, sizeof text, "%s%s012.x", one ? "" : kz_kind_by_number((Kz__Kind)kind)->name,
                     one ? "" : "/");
            assert_true(kz_value_add_text(message, field, text));
            return;
        }
        fail_msg("%s refers to nothing", field->name);
        return;
    case KZ_FIELD_ENUM:
        assert_true(kz_value_add_number(message, field, field->values[0].number));
        return;
    case KZ_FIELD_GROUP:
        group = kz_value_add_group(message, field);
        assert_non_null(group);
        fill_message(group, field->fields);
        return;
    default:
        assert_true(kz_value_add_number(message, field, number_for(field)));
        return;
    }
}

static void fill_message(ProtobufCMessage *message, const struct kz_field *fields)
{
    for (const struct kz_field *field = fields; field->name; field++) {
        if (field->flags & (KZ_FIELD_SYSTEM | KZ_FIELD_DERIVED) || strcmp(field->name, "id") == 0) continue;
        fill_value(message, field);
        if (kz_codec_repeated(message->descriptor, field)) fill_value(message, field);
    }
}

static Kz__Record *make_full(const struct kz_kind *kind)
{
    Kz__Record *record = kz_record_new(kind->number, "0-full.record_1");
    fill_message(kz_record_make_body(record), kind->fields);
    fill_message(&record->base, kz_envelope_fields());
    /* Two labels of one key are no mapping. */
    strcpy(record->labels[0]->key, "a");
    record->has_rev = true;
    record->rev = 42;
    return record;
}

/* Rules of the registry are another test's: here only reading counts. */
static void assert_readable(const struct kz_violations *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        const char *rule = problems->items[i]->rule;
        bool reading = strcmp(rule, "field.type") == 0 || strcmp(rule, "field.value") == 0 ||
                       strcmp(rule, "field.known") == 0 || strcmp(rule, "field.choice") == 0 ||
                       strncmp(rule, "document.", 9) == 0 || strncmp(rule, "record.", 7) == 0;
        if (reading) fail_msg("%s: %s (%s)", problems->items[i]->path, problems->items[i]->en, rule);
    }
}

static void check_round_trip(const Kz__Record *record, const char *file, struct kz_buf *text)
{
    struct kz_tree tree = {0};
    struct kz_entries entries = {0};
    struct kz_violations problems = {0};
    if (!kz_tree_read(&tree, file, kz_buf_text(text), text->size_bytes, &problems)) assert_readable(&problems);
    (void)kz_decode_tree(&tree, &entries, &problems);
    assert_readable(&problems);
    assert_int_equal(entries.count, 1);
    assert_true(entries.items[0].has_rev);
    assert_int_equal(entries.items[0].rev, 42);
    if (!kz_record_same(record, entries.items[0].record)) fail_msg("%s differs:\n%s", file, kz_buf_text(text));
    kz_entries_fini(&entries);
    kz_tree_fini(&tree);
    kz_violations_fini(&problems);
}

static void every_field_of_every_kind_survives_json_and_yaml(void **state)
{
    (void)state;
    size_t count;
    const struct kz_kind *kinds = kz_kinds(&count);
    assert_true(count >= 8);
    for (size_t i = 0; i < count; i++) {
        Kz__Record *record = make_full(&kinds[i]);
        json_t *value = kz_encode_record(record);
        struct kz_buf text;
        kz_buf_init(&text, 0);
        kz_json_write(&text, value, false);
        check_round_trip(record, "full.json", &text);
        kz_buf_clear(&text);
        kz_json_write(&text, value, true);
        check_round_trip(record, "compact.json", &text);
        kz_buf_clear(&text);
        kz_yaml_write(&text, value);
        check_round_trip(record, "full.yaml", &text);
        kz_buf_fini(&text);
        json_decref(value);
        kz__record__free_unpacked(record, NULL);
    }
}

static void texts_that_look_like_something_else_stay_text(void **state)
{
    (void)state;
    static const char *const texts[] = {"0120", "1e3",
                                        "true", "null",
                                        "~",    "yes",
                                        "- x",  "a: b",
                                        "# x",  "&a",
                                        "*a",   "2026-01-17",
                                        " x",   "x ",
                                        "'",    "\"",
                                        "|",    ">",
                                        "%x",   "@x",
                                        "`x",   "{x",
                                        "[x",   "x\ty",
                                        "!x",   "?",
                                        "\\n",  "3h",
                                        "0x1F", "１２",
                                        "=1+1", "-",
                                        "2d",   "12:30",
                                        "1_0",  "...",
                                        "---",  "\xF0\x9F\x98\x80"};
    const struct kz_kind *kind = kz_kind_by_name("site");
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        Kz__Record *record = kz_record_new(kind->number, "a");
        record->has_rev = true;
        record->rev = 42;
        assert_true(kz_value_add_text(kz_record_make_body(record), kz_field_by_name(kind->fields, "name"), texts[i]));
        json_t *value = kz_encode_record(record);
        struct kz_buf text;
        kz_buf_init(&text, 0);
        kz_yaml_write(&text, value);
        check_round_trip(record, "x.yaml", &text);
        kz_buf_fini(&text);
        json_decref(value);
        kz__record__free_unpacked(record, NULL);
    }
}

static void assert_written(const char *text, const char *wanted)
{
    json_t *list = json_pack("[s]", text);
    struct kz_buf out;
    kz_buf_init(&out, 0);
    kz_yaml_write(&out, list);
    char line[128];
    snprintf(line, sizeof line, "- %s\n", wanted);
    assert_string_equal(kz_buf_text(&out), line);
    kz_buf_fini(&out);
    json_decref(list);
}

static void what_yaml_reads_as_text_is_written_plain(void **state)
{
    (void)state;
    static const char *const plain[] = {
        "20m",      "2d", "3h",  "1d",   "2027-04-30", "03-0000-0001", "10.0.1.1",
        "deadbeef", "1e", "0o8", "0xZZ", "12ab",       "1.2.3",        "2026-01-17T05:46:12+09:00",
        "e5",       ".x", "住基"};
    static const char *const quoted[] = {"0120", "12",   "-1",    "+1",    "1.5",  ".5",    "1.",    "1e3", "1E-3",
                                         "0x1F", "0o17", "true",  "False", "null", "~",     "",      "yes", "No",
                                         "y",    ".inf", "-.INF", ".nan",  "<<",   "12:30", "1_000", "0b11"};
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
        assert_written(plain[i], plain[i]);
    for (size_t i = 0; i < sizeof quoted / sizeof quoted[0]; i++) {
        char wanted[32];
        snprintf(wanted, sizeof wanted, "\"%s\"", quoted[i]);
        assert_written(quoted[i], wanted);
    }
}

static void what_edit_shows_holds_nothing_that_keizoku_sets(void **state)
{
    (void)state;
    Kz__Record *record = make_full(kz_kind_by_name("system"));
    record->has_updated_at = true;
    record->updated_at = 1;
    kz_record_derive(record);
    json_t *value = kz_encode_editable(record);
    assert_null(json_object_get(value, "updated_at"));
    assert_null(json_object_get(value, "priority"));
    assert_int_equal(json_integer_value(json_object_get(value, "rev")), 42);
    assert_string_equal(json_string_value(json_object_get(json_object_get(value, "labels"), "a")), TEXT);
    json_decref(value);
    kz__record__free_unpacked(record, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_of_every_kind_survives_json_and_yaml),
        cmocka_unit_test(texts_that_look_like_something_else_stay_text),
        cmocka_unit_test(what_yaml_reads_as_text_is_written_plain),
        cmocka_unit_test(what_edit_shows_holds_nothing_that_keizoku_sets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
