/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/registry/samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Texts for fields that have a shape of their own. */
static const struct {
    const char *path, *text;
} shaped[] = {
    {"org.code", "131148"},
    {"org.contract.offices.phone", "03-0000-0001"},
    {"contact.channels.type", "MAIL"},
    {"contact.channels.value", "someone@example.jp"},
    {"function.critical_periods.from", "02-29"},
    {"function.critical_periods.until", "04-10"},
    {"runbook.attachments.sha256", "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"},
    {"runbook.state", "APPROVED"},
    {"runbook.author", "the-author"},
    {"runbook.approver", "the-approver"},
    {"backup.start", "22:30"},
    {"backup.last_sha256", "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"},
    {"calltree.links.from", "role/chief"},
    {"calltree.links.if_no_answer", "role/deputy"},
    {"calltree.report_hours", "08:15"},
    {"measure.state", "実施済"},
    {"measure.fiscal_year", "2027"},
    {"attachment.name", "構成図.pdf"},
    {"attachment.media_type", "application/pdf"},
    {"attachment.sha256", "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"},
    {"drill.state", "DONE"},
    {"exception.requester", "the-requester"},
    {"card.sha256", "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"},
    {"peer.endpoints", "[2001:db8::1]:7443"},
    {"peer.pins", "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"},
    {"setting.value", "90d"},
    {"campaign.target", "contact"},
    {"role.deputies", "the-deputy"},
    {"role.teams.leader", "the-leader"},
};

/* "other", with the first of the kinds where several are allowed. */
static const char *reference_for(const struct kz_field *field)
{
    static char text[64];
    if ((field->ref_kinds & (field->ref_kinds - 1)) == 0) return "other";
    size_t count = 0;
    const struct kz_kind *kinds = kz_kinds(&count), *kind = kz_kind_by_name("system");
    for (size_t i = 0; (field->ref_kinds & KZ_KIND_BIT(kind->number)) == 0; i++)
        kind = &kinds[i];
    snprintf(text, sizeof(text), "%s/other", kind->name);
    return text;
}

/* Only vendors have contracts; the other orgs are tested by sample_minimal. */
static const char *text_for(const struct kz_field *field, const char *path)
{
    for (size_t i = 0; i < sizeof(shaped) / sizeof(shaped[0]); i++)
        if (strcmp(shaped[i].path, path) == 0) return shaped[i].text;
    if (strcmp(path, "org.type") == 0) return "VENDOR";
    switch (field->type) {
    case KZ_FIELD_TEXT:
        return "統合仮想サーバ";
    case KZ_FIELD_PROSE:
        return "1行目\n2行目\tタブ";
    case KZ_FIELD_INTEGER:
        return "1";
    case KZ_FIELD_BOOLEAN:
        return "true";
    case KZ_FIELD_DURATION:
        return "3h";
    case KZ_FIELD_TIME:
        return "2026-01-17T05:46:12+09:00";
    case KZ_FIELD_DATE:
        return "2026-01-17";
    case KZ_FIELD_ENUM:
        return field->values[0].name;
    case KZ_FIELD_REF:
        return reference_for(field);
    case KZ_FIELD_GROUP:
        break;
    }
    return NULL;
}

static void fill(ProtobufCMessage *message, const struct kz_field *fields, const char *parent, bool all)
{
    for (const struct kz_field *field = fields; field->name != NULL; field++) {
        char path[256];
        snprintf(path, sizeof(path), "%s.%s", parent, field->name);
        if ((field->flags & (KZ_FIELD_SYSTEM | KZ_FIELD_DERIVED)) != 0) continue;
        if (!all && (field->flags & KZ_FIELD_REQUIRED) == 0) continue;
        if (field->type == KZ_FIELD_GROUP) {
            ProtobufCMessage *group = kz_value_add_group(message, field);
            assert_non_null(group);
            fill(group, field->fields, path, all);
        } else {
            const struct kz_text *reason = kz_value_parse(message, field, text_for(field, path));
            if (reason != NULL) fail_msg("%s: %s", path, reason->en);
        }
    }
}

Kz__Record *sample_minimal(Kz__Kind kind)
{
    Kz__Record *record = kz_record_new(kind, kind == KZ__KIND__SETTING ? "contact.verify_every" : "sample-1");
    assert_non_null(record);
    fill(kz_record_body(record), kz_kind_by_number(kind)->fields, kz_kind_by_number(kind)->name, false);
    if (kind == KZ__KIND__RUNBOOK) record->runbook->state = KZ__RUNBOOK__STATE__DRAFT;
    if (kind == KZ__KIND__TICK) assert_null(sample_set(record, "step", "1")); /* optional: a run begins without */
    if (kind == KZ__KIND__MEASURE) record->measure->state = KZ__MEASURE__STATE__PLANNED;
    if (kind == KZ__KIND__DRILL) record->drill->state = KZ__DRILL__STATE__CANCELLED;
    if (kind == KZ__KIND__REVIEW) assert_null(sample_set(record, "planned_on", "2027-01-17"));
    if (kind == KZ__KIND__INCIDENT) { /* its rows are optional: what is required depends on the form */
        assert_null(sample_set(record, "title", "庁舎停電"));
        assert_null(sample_set(record, "type", "大規模災害"));
        assert_null(sample_set(record, "mode", "ACTUAL"));
    }
    return record;
}

Kz__Record *sample_full(Kz__Kind kind)
{
    Kz__Record *record = kz_record_new(kind, kind == KZ__KIND__SETTING ? "contact.verify_every" : "sample-1");
    assert_non_null(record);
    fill(kz_record_body(record), kz_kind_by_number(kind)->fields, kz_kind_by_number(kind)->name, true);
    record->has_confidentiality = record->has_integrity = record->has_availability = 1;
    record->confidentiality = 3;
    record->integrity = record->availability = 2;
    record->review_due = strdup("2027-03-31");
    const struct kz_field *labels = kz_field_by_name(kz_envelope_fields(), "labels");
    Kz__Label *label = (Kz__Label *)(void *)kz_value_add_group(&record->base, labels);
    assert_non_null(label);
    label->key = strdup("phase");
    label->value = strdup("調整中");
    return record;
}

const struct kz_text *sample_set(Kz__Record *record, const char *path, const char *text)
{
    char copy[256];
    snprintf(copy, sizeof(copy), "%s", path);
    ProtobufCMessage *message = kz_record_body(record);
    const struct kz_field *fields = kz_kind_by_number(record->kind)->fields;
    char *rest = copy;
    for (;;) {
        char *dot = strchr(rest, '.');
        if (dot != NULL) *dot = '\0';
        char *bracket = strchr(rest, '[');
        size_t item = bracket == NULL ? 0 : (size_t)strtoul(bracket + 1, NULL, 10);
        if (bracket != NULL) *bracket = '\0';
        const struct kz_field *field = kz_field_by_name(fields, rest);
        if (field == NULL) fail_msg("no field %s in %s", rest, path);
        if (dot == NULL) return kz_value_parse(message, field, text);
        while (kz_value_count(message, field) <= item)
            assert_non_null(kz_value_add_group(message, field));
        /* The message is ours to change: only the way to it is const. */
        message = (ProtobufCMessage *)(uintptr_t)kz_value_group(message, field, item);
        fields = field->fields;
        rest = dot + 1;
    }
}

static void fail_with_list(const struct kz_violations *violations, const char *what)
{
    for (size_t i = 0; i < violations->count; i++)
        print_message("  %s %s: %s\n", violations->items[i]->rule, violations->items[i]->path,
                      violations->items[i]->en);
    fail_msg("%s", what);
}

void expect_rules(const Kz__Record *record, size_t count, const char *const rules[])
{
    struct kz_violations violations = {0};
    char prefix[128];
    kz_record_check(record, &violations);
    snprintf(prefix, sizeof(prefix), "%s/%s.", kz_kind_by_number(record->kind)->name, record->id);
    for (size_t i = 0; i < count; i++) {
        bool found = false;
        for (size_t j = 0; j < violations.count && !found; j++) {
            const Kz__Violation *violation = violations.items[j];
            const char *path = violation->path;
            if (strncmp(path, prefix, strlen(prefix)) == 0) path += strlen(prefix);
            char got[512];
            snprintf(got, sizeof(got), "%s %s", violation->rule, path);
            found = strcmp(got, rules[i]) == 0;
            assert_true(violation->en[0] != '\0' && violation->ja[0] != '\0');
        }
        if (!found) fail_with_list(&violations, rules[i]);
    }
    if (violations.count != count) fail_with_list(&violations, "more violations than expected");
    kz_violations_fini(&violations);
}
