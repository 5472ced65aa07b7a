/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/event_record.h"

#include <stdio.h>
#include <string.h>

#include "client/codec/describe.h"
#include "node/base/assert.h"

#define PATH_BYTES 96

/* What an hour without sleep should not have to spell out. */
static const struct {
    const char *flag, *field, *value; /* NULL: a value follows */
} short_forms[] = {
    {"confirmed", "confirmed", "CONFIRMED"},
    {"unconfirmed", "confirmed", "UNCONFIRMED"},
    {"muster", "muster", "true"},
    {"no-muster", "muster", "false"},
    {"rlo", "rlo_now", NULL},
    {"out-of-order", "out_of_order", "true"},
};
#define SHORT_FORM_COUNT (sizeof short_forms / sizeof short_forms[0])

static bool is_event_field(const char *name)
{
    size_t count;
    const struct kz_kind *kinds = kz_kinds(&count);
    for (size_t i = 0; i < count; i++)
        for (const struct kz_field *field = kinds[i].event ? kinds[i].fields : NULL; field && field->name; field++)
            if (strcmp(field->name, name) == 0) return true;
    return false;
}

bool kz_event_flag(const char *flag, size_t length, struct kz_given *out)
{
    *out = (struct kz_given){.value = NULL};
    if (length >= sizeof out->name) return false;
    for (size_t i = 0; i < SHORT_FORM_COUNT; i++) {
        if (strlen(short_forms[i].flag) != length || memcmp(short_forms[i].flag, flag, length) != 0) continue;
        snprintf(out->name, sizeof out->name, "%s", short_forms[i].field);
        out->value = short_forms[i].value;
        return true;
    }
    for (size_t i = 0; i < length; i++)
        out->name[i] = flag[i] == '-' ? '_' : flag[i];
    return is_event_field(out->name);
}

void kz_event_add_flag(struct kz_buf *out, const struct kz_field *field)
{
    kz_buf_add_text(out, "--");
    for (const char *at = field->name; *at; at++)
        kz_buf_add(out, *at == '_' ? "-" : at, 1);
}

const char *kz_event_short_forms(const struct kz_field *field)
{
    if (strcmp(field->name, "confirmed") == 0) return "--confirmed, --unconfirmed";
    if (strcmp(field->name, "muster") == 0) return "--muster, --no-muster";
    if (strcmp(field->name, "rlo_now") == 0) return "--rlo, --rlo-now";
    if (strcmp(field->name, "out_of_order") == 0) return "--out-of-order";
    return "";
}

/* ---- the record ---- */

static void add_bad_value(const struct kz_kind *kind, const struct kz_field *field, const char *value,
                          const struct kz_text *reason, struct kz_violations *problems)
{
    struct kz_buf en, ja, names;
    kz_buf_init(&en, 0);
    kz_buf_init(&ja, 0);
    kz_buf_init(&names, 0);
    bool choice = field->type == KZ_FIELD_ENUM;
    if (choice) kz_describe_values(&names, field);
    enum kz_text_id text = choice ? KZ_T_DOC_BAD_CHOICE : KZ_T_DOC_BAD_VALUE;
    const char *choices = kz_buf_text(&names);
    kz_text_fill(&en, text, false, KZ_TEXT_ARGS(field->label.en, value, choice ? choices : reason->en));
    kz_text_fill(&ja, text, true, KZ_TEXT_ARGS(field->label.ja, value, choice ? choices : reason->ja));
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/" KZ_EVENT_NEW_ID ".%s", kind->name, field->name);
    struct kz_text both = {.en = kz_buf_text(&en), .ja = kz_buf_text(&ja)};
    kz_violations_add(problems, path, choice ? "field.choice" : "field.type", &both, field->source);
    kz_buf_fini(&en);
    kz_buf_fini(&ja);
    kz_buf_fini(&names);
}

Kz__Record *kz_event_record(const struct kz_kind *kind, const struct kz_given *given, size_t count,
                            struct kz_violations *problems)
{
    Kz__Record *record = kz_record_new(kind->number, KZ_EVENT_NEW_ID);
    kz_assert(record);
    ProtobufCMessage *body = kz_record_make_body(record);
    for (size_t i = 0; i < count; i++) {
        const struct kz_field *field = kz_field_by_name(kind->fields, given[i].name);
        if (!field) continue;
        const struct kz_text *reason = kz_value_parse(body, field, given[i].value);
        if (reason) add_bad_value(kind, field, given[i].value, reason, problems);
    }
    /* Of a value that could not be read the rules would only say that it is absent. */
    if (problems->count == 0) kz_record_check(record, problems);
    return record;
}
