/* SPDX-License-Identifier: Apache-2.0 */
/* Schema and proto say the same, both ways; names and labels find their rows. */
#include <string.h>

#include "node/registry/event.h"
#include "node/registry/schema_tables.h"
#include "tests/unit/registry/samples.h"

static const ProtobufCMessageDescriptor *body_descriptor(const struct kz_kind *kind)
{
    const ProtobufCFieldDescriptor *at =
        protobuf_c_message_descriptor_get_field_by_name(&kz__record__descriptor, kind->name);
    if (at == NULL) fail_msg("Record has no field %s", kind->name);
    assert_int_equal(at->type, PROTOBUF_C_TYPE_MESSAGE);
    return at->descriptor;
}

static bool fits_type(const struct kz_field *field, const ProtobufCFieldDescriptor *at)
{
    switch (field->type) {
    case KZ_FIELD_TEXT:
    case KZ_FIELD_PROSE:
    case KZ_FIELD_DATE:
    case KZ_FIELD_REF:
        return at->type == PROTOBUF_C_TYPE_STRING;
    case KZ_FIELD_INTEGER:
        return at->type == PROTOBUF_C_TYPE_INT64 || at->type == PROTOBUF_C_TYPE_INT32 ||
               at->type == PROTOBUF_C_TYPE_UINT64;
    case KZ_FIELD_DURATION:
    case KZ_FIELD_TIME:
        return at->type == PROTOBUF_C_TYPE_INT64;
    case KZ_FIELD_BOOLEAN:
        return at->type == PROTOBUF_C_TYPE_BOOL;
    case KZ_FIELD_ENUM:
        return at->type == PROTOBUF_C_TYPE_ENUM;
    case KZ_FIELD_GROUP:
        return at->type == PROTOBUF_C_TYPE_MESSAGE;
    }
    return false;
}

static void compare_enum(const struct kz_field *field, const ProtobufCEnumDescriptor *descriptor)
{
    unsigned rows = 0;
    for (const struct kz_enum_value *value = field->values; value->name != NULL; value++, rows++) {
        const ProtobufCEnumValue *proto = protobuf_c_enum_descriptor_get_value(descriptor, value->number);
        if (proto == NULL || strcmp(proto->name, value->name) != 0) fail_msg("%s.%s differs", field->name, value->name);
        assert_true(value->number >= 1);
        assert_true(value->label.en[0] != '\0' && value->label.ja[0] != '\0');
    }
    if (rows != descriptor->n_values) fail_msg("%s: %u rows, %u in proto", field->name, rows, descriptor->n_values);
}

static void compare(const struct kz_field *fields, const ProtobufCMessageDescriptor *descriptor, unsigned not_rows,
                    int depth)
{
    unsigned rows = 0;
    assert_true(depth <= 4); /* kz_record_decode's limit */
    for (const struct kz_field *field = fields; field->name != NULL; field++, rows++) {
        const ProtobufCFieldDescriptor *at = protobuf_c_message_descriptor_get_field_by_name(descriptor, field->name);
        if (at == NULL) fail_msg("%s has no proto field %s", descriptor->name, field->name);
        if (!fits_type(field, at)) fail_msg("%s.%s has another type in proto", descriptor->name, field->name);
        assert_true(field->label.en[0] != '\0' && field->label.ja[0] != '\0');
        assert_true(field->help.en[0] != '\0' && field->help.ja[0] != '\0');
        assert_true((field->type == KZ_FIELD_REF) == (field->ref_kinds != 0));
        assert_true((field->type == KZ_FIELD_ENUM) == (field->values != NULL));
        assert_true((field->type == KZ_FIELD_GROUP) == (field->fields != NULL));
        assert_true(field->max_items == 0 || at->label == PROTOBUF_C_LABEL_REPEATED);
        if (field->type == KZ_FIELD_ENUM) compare_enum(field, at->descriptor);
        if (field->type == KZ_FIELD_GROUP) compare(field->fields, at->descriptor, 0, depth + 1);
    }
    if (rows + not_rows != descriptor->n_fields) fail_msg("%s has proto fields without a row", descriptor->name);
}

static void every_row_has_its_proto_field_and_every_proto_field_its_row(void **state)
{
    (void)state;
    size_t count = 0;
    const struct kz_kind *kinds = kz_kinds(&count);
    assert_int_equal(count, kz__kind__descriptor.n_values);
    for (size_t i = 0; i < count; i++)
        compare(kinds[i].fields, body_descriptor(&kinds[i]), 0, 2);
    /* `kind` and the bodies are Record's own fields, not rows; `origin_hash` is bytes, for nodes and not for people. */
    compare(kz_envelope_fields(), &kz__record__descriptor, 2 + (unsigned)count, 1);
    assert_null(kz_field_by_name(kz_envelope_fields(), "origin_hash"));
    const ProtobufCFieldDescriptor *hash =
        protobuf_c_message_descriptor_get_field_by_name(&kz__record__descriptor, "origin_hash");
    assert_non_null(hash);
    assert_int_equal(hash->type, PROTOBUF_C_TYPE_BYTES);
}

static void kinds_stand_in_number_order_and_are_named_as_in_proto(void **state)
{
    (void)state;
    size_t count = 0;
    const struct kz_kind *kinds = kz_kinds(&count);
    for (size_t i = 0; i < count; i++) {
        const ProtobufCEnumValue *value =
            protobuf_c_enum_descriptor_get_value(&kz__kind__descriptor, (int)kinds[i].number);
        assert_non_null(value);
        assert_int_equal(strcasecmp(value->name, kinds[i].name), 0);
        if (i > 0) assert_true(kinds[i].number > kinds[i - 1].number);
        assert_ptr_equal(kz_kind_by_number(kinds[i].number), &kinds[i]);
    }
    assert_null(kz_kind_by_number((Kz__Kind)99));
}

/* Disk and wire hold these numbers: kinds, envelope fields and bodies of events, and the operation. */
static void numbers_on_disk_and_wire_are_as_agreed(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        unsigned number;
    } fields[] = {{"origin", 17},     {"origin_seq", 18}, {"origin_hash", 19}, {"provisional", 20}, {"noted_at", 21},
                  {"noted_by", 22},   {"incident", 50},   {"status", 51},      {"entry", 52},       {"tick", 53},
                  {"call", 54},       {"runbook", 37},    {"calltree", 38},    {"measure", 39},     {"backup", 40},
                  {"attachment", 41}, {"drill", 42},      {"review", 43},      {"exception", 44},   {"card", 45},
                  {"peer", 46},       {"setting", 47},    {"campaign", 48},    {"report", 55},      {"bulletin", 56}};
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        assert_int_equal(protobuf_c_message_descriptor_get_field_by_name(&kz__record__descriptor, fields[i].name)->id,
                         fields[i].number);
    static const Kz__Kind kinds[] = {KZ__KIND__CALLTREE, KZ__KIND__MEASURE, KZ__KIND__BACKUP,    KZ__KIND__ATTACHMENT,
                                     KZ__KIND__DRILL,    KZ__KIND__REVIEW,  KZ__KIND__EXCEPTION, KZ__KIND__CARD,
                                     KZ__KIND__PEER,     KZ__KIND__SETTING, KZ__KIND__CAMPAIGN};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        assert_int_equal(kinds[i], 9 + i);
    assert_int_equal(KZ__KIND__REPORT, 25);
    assert_int_equal(KZ__KIND__BULLETIN, 26);
    assert_int_equal(KZ__KIND__INCIDENT, 20);
    assert_int_equal(KZ__KIND__STATUS, 21);
    assert_int_equal(KZ__KIND__ENTRY, 22);
    assert_int_equal(KZ__KIND__TICK, 23);
    assert_int_equal(KZ__KIND__CALL, 24);
    assert_int_equal(KZ__MUTATION__OP__APPEND, 4);
}

static void events_are_marked_and_can_correct_their_own_kind(void **state)
{
    (void)state;
    size_t count = 0, events = 0;
    const struct kz_kind *kinds = kz_kinds(&count);
    for (size_t i = 0; i < count; i++) {
        const struct kz_field *corrects = kz_field_by_name(kinds[i].fields, "corrects");
        const struct kz_field *incident = kz_field_by_name(kinds[i].fields, "incident");
        assert_int_equal(kinds[i].event, kinds[i].number >= KZ__KIND__INCIDENT);
        assert_int_equal(kinds[i].event, corrects != NULL);
        assert_int_equal(kz_kind_is_event(kinds[i].number), kinds[i].event);
        if (!kinds[i].event) continue;
        events++;
        assert_int_equal(corrects->ref_kinds, KZ_KIND_BIT(kinds[i].number));
        assert_non_null(incident);
        assert_int_equal(incident->ref_kinds, KZ_KIND_BIT(KZ__KIND__INCIDENT));
    }
    assert_int_equal(events, 7);
    assert_false(kz_kind_is_event((Kz__Kind)99));
}

static void a_kind_is_found_by_every_name_it_has(void **state)
{
    (void)state;
    size_t count = 0;
    const struct kz_kind *kinds = kz_kinds(&count);
    for (size_t i = 0; i < count; i++) {
        assert_ptr_equal(kz_kind_by_name(kinds[i].name), &kinds[i]);
        assert_ptr_equal(kz_kind_by_name(kinds[i].plural), &kinds[i]);
        assert_ptr_equal(kz_kind_by_name(kinds[i].label.en), &kinds[i]);
        assert_ptr_equal(kz_kind_by_name(kinds[i].label.ja), &kinds[i]);
    }
    assert_ptr_equal(kz_kind_by_name("ＳＹＳＴＥＭ"), kz_kind_by_number(KZ__KIND__SYSTEM));
    assert_null(kz_kind_by_name("sistem"));
    assert_null(kz_kind_by_name(""));
    assert_null(kz_kind_by_name("\xff"));
}

static void a_mistyped_kind_suggests_the_nearest(void **state)
{
    (void)state;
    assert_string_equal(kz_kind_nearest("sytem")->name, "system");
    assert_string_equal(kz_kind_nearest("runbok")->name, "runbook");
    assert_string_equal(kz_kind_nearest("構成要紊")->name, "component");
    assert_null(kz_kind_nearest("elephant"));
}

static void check_names(const struct kz_field *fields)
{
    for (const struct kz_field *field = fields; field->name != NULL; field++) {
        assert_ptr_equal(kz_field_by_name(fields, field->name), field);
        /* A header in either language must lead back to its own column. */
        assert_ptr_equal(kz_field_by_name(fields, field->label.en), field);
        assert_ptr_equal(kz_field_by_name(fields, field->label.ja), field);
        if (field->fields != NULL) check_names(field->fields);
        if (field->values == NULL) continue;
        for (const struct kz_enum_value *value = field->values; value->name != NULL; value++) {
            assert_ptr_equal(kz_enum_by_name(field->values, value->name), value);
            assert_ptr_equal(kz_enum_by_name(field->values, value->label.en), value);
            assert_ptr_equal(kz_enum_by_name(field->values, value->label.ja), value);
            assert_ptr_equal(kz_enum_by_number(field->values, value->number), value);
        }
        assert_null(kz_enum_by_name(field->values, "no such value"));
        assert_null(kz_enum_by_number(field->values, 99));
    }
}

static void every_field_and_enum_value_is_found_by_name_and_by_both_labels(void **state)
{
    (void)state;
    size_t count = 0;
    const struct kz_kind *kinds = kz_kinds(&count);
    check_names(kz_envelope_fields());
    for (size_t i = 0; i < count; i++)
        check_names(kinds[i].fields);
}

static void a_body_never_hides_an_envelope_field(void **state)
{
    (void)state;
    size_t count = 0;
    const struct kz_kind *kinds = kz_kinds(&count);
    for (size_t i = 0; i < count; i++)
        for (const struct kz_field *field = kz_envelope_fields(); field->name != NULL; field++)
            for (const struct kz_field *row = kinds[i].fields; row->name != NULL; row++)
                assert_string_not_equal(field->name, row->name);
}

static void a_mistyped_field_suggests_the_nearest(void **state)
{
    (void)state;
    const struct kz_field *fields = kz_kind_by_name("system")->fields;
    assert_string_equal(kz_field_nearest(fields, "prioritty")->name, "priority");
    assert_string_equal(kz_field_nearest(fields, "dependson")->name, "depends_on");
    assert_string_equal(kz_field_nearest(fields, "owenr")->name, "owner");
    assert_string_equal(kz_field_nearest(fields, "目標復旧時刻")->name, "rto");
    assert_null(kz_field_nearest(fields, "xyzzyplugh"));
    assert_string_equal(kz_field_by_name(fields, "Depends-On")->name, "depends_on");
}

static void every_kind_lists_its_id_and_two_columns_of_its_own(void **state)
{
    (void)state;
    size_t count = 0;
    const struct kz_kind *kinds = kz_kinds(&count);
    assert_true(kz_field_by_name(kz_envelope_fields(), "id")->flags & KZ_FIELD_LIST);
    for (size_t i = 0; i < count; i++) {
        int columns = 0;
        for (const struct kz_field *field = kinds[i].fields; field->name != NULL; field++) {
            if ((field->flags & KZ_FIELD_LIST) == 0) continue;
            columns++;
            assert_true(field->type != KZ_FIELD_GROUP && field->type != KZ_FIELD_PROSE);
        }
        assert_in_range(columns, 2, 7);
    }
}

static void default_limits_follow_from_the_type(void **state)
{
    (void)state;
    int64_t min = -1, max = -1;
    kz_field_range(kz_field_by_name(kz_schema_system, "name"), &min, &max);
    assert_int_equal(min, 0);
    assert_int_equal(max, KZ_TEXT_MAX_BYTES);
    kz_field_range(kz_field_by_name(kz_schema_system, "summary"), &min, &max);
    assert_int_equal(max, KZ_PROSE_MAX_BYTES);
    kz_field_range(kz_field_by_name(kz_schema_component, "target_level"), &min, &max);
    assert_int_equal(min, 1);
    assert_int_equal(max, 4);
    assert_int_equal(kz_field_max_items(kz_field_by_name(kz_schema_system, "runbooks")), 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_has_its_proto_field_and_every_proto_field_its_row),
        cmocka_unit_test(kinds_stand_in_number_order_and_are_named_as_in_proto),
        cmocka_unit_test(numbers_on_disk_and_wire_are_as_agreed),
        cmocka_unit_test(events_are_marked_and_can_correct_their_own_kind),
        cmocka_unit_test(a_kind_is_found_by_every_name_it_has),
        cmocka_unit_test(a_mistyped_kind_suggests_the_nearest),
        cmocka_unit_test(every_field_and_enum_value_is_found_by_name_and_by_both_labels),
        cmocka_unit_test(a_body_never_hides_an_envelope_field),
        cmocka_unit_test(a_mistyped_field_suggests_the_nearest),
        cmocka_unit_test(every_kind_lists_its_id_and_two_columns_of_its_own),
        cmocka_unit_test(default_limits_follow_from_the_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
