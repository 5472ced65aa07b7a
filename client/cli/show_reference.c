/* SPDX-License-Identifier: Apache-2.0 */
/* The schema as one Markdown page in both languages: node/registry/SCHEMA.md. */
#include <stdio.h>

#include "client/cli/show.h"
#include "client/codec/decode.h"
#include "client/codec/describe.h"
#include "node/base/assert.h"
#include "node/registry/settings.h"

#define PATH_BYTES 128

/* A cell: a bar would end it, a line break the row. */
static void add_cell(struct kz_buf *out, const char *text)
{
    kz_buf_add_text(out, " ");
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '|') kz_buf_add_text(out, "\\");
        kz_buf_add(out, *at == '\n' ? " " : at, 1);
    }
    kz_buf_add_text(out, " |");
}

static void add_choices(struct kz_buf *rule, const struct kz_field *field)
{
    for (const struct kz_enum_value *value = field->values; value->name; value++)
        kz_buf_addf(rule, "%s`%s` %s", value == field->values ? "" : ", ", value->name, value->label.ja);
}

/* As for a terminal in English, the choices with their Japanese labels. */
static void add_rule(struct kz_buf *out, const struct kz_field *field, bool repeated)
{
    struct kz_buf rule;
    kz_buf_init(&rule, 0);
    if (field->type == KZ_FIELD_ENUM) {
        kz_buf_addf(&rule, "%s%s", field->flags & KZ_FIELD_REQUIRED ? "required, " : "",
                    field->flags & KZ_FIELD_DERIVED ? "derived, " : "");
        add_choices(&rule, field);
    } else {
        kz_describe_rule(&rule, field, repeated, false);
    }
    add_cell(out, kz_buf_text(&rule));
    kz_buf_fini(&rule);
}

static void add_rows(struct kz_buf *out, const struct kz_field *fields, const ProtobufCMessageDescriptor *message,
                     const char *prefix)
{
    for (const struct kz_field *field = fields; field->name; field++) {
        bool repeated = kz_codec_repeated(message, field);
        char path[PATH_BYTES];
        struct kz_buf type;
        kz_buf_init(&type, 0);
        snprintf(path, sizeof path, "%s%s%s", prefix, field->name, repeated ? "[]" : "");
        kz_describe_type(&type, field, false);
        kz_buf_add_text(out, "| `");
        kz_buf_add_text(out, path);
        kz_buf_add_text(out, "` |");
        add_cell(out, field->label.en);
        add_cell(out, field->label.ja);
        add_cell(out, kz_buf_text(&type));
        add_rule(out, field, repeated);
        add_cell(out, field->source ? field->source : "");
        add_cell(out, field->help.en);
        add_cell(out, field->help.ja);
        kz_buf_add_text(out, "\n");
        kz_buf_fini(&type);
        if (field->type != KZ_FIELD_GROUP) continue;
        const ProtobufCFieldDescriptor *at = protobuf_c_message_descriptor_get_field_by_name(message, field->name);
        kz_assert(at);
        snprintf(path, sizeof path, "%s%s%s.", prefix, field->name, repeated ? "[]" : "");
        add_rows(out, field->fields, at->descriptor, path);
    }
}

static void add_table(struct kz_buf *out, const struct kz_field *fields, const ProtobufCMessageDescriptor *message)
{
    kz_buf_add_text(out, "| field | label | 項目名 | type | rule | source | meaning | 意味 |\n"
                         "|---|---|---|---|---|---|---|---|\n");
    add_rows(out, fields, message, "");
    kz_buf_add_text(out, "\n");
}

static void add_settings(struct kz_buf *out)
{
    size_t count;
    const struct kz_setting *settings = kz_settings(&count);
    kz_buf_add_text(out, "Keys (the id of the record) and their defaults. 設定の一覧 (記録の識別子) と既定値。\n\n"
                         "| key | label | 項目名 | default | source | meaning | 意味 |\n"
                         "|---|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < count; i++) {
        kz_buf_addf(out, "| `%s` |", settings[i].key);
        add_cell(out, settings[i].label.en);
        add_cell(out, settings[i].label.ja);
        add_cell(out, settings[i].preset);
        add_cell(out, settings[i].source);
        add_cell(out, settings[i].help.en);
        add_cell(out, settings[i].help.ja);
        kz_buf_add_text(out, "\n");
    }
    kz_buf_add_text(out, "\n");
}

void kz_show_reference(struct kz_buf *out)
{
    size_t count;
    const struct kz_kind *kinds = kz_kinds(&count);
    kz_buf_add_text(
        out, "# The schema / 登録項目\n\n"
             "<!-- Made by `keizoku schema --markdown`; a test holds this page and the tables together. -->\n\n"
             "Sources: G ガイドライン第3版, B バックアップ・リストア基準, N 中野区 ICT-BCP, P 安全基準等策定指針, "
             "C 行動指針.\n\n"
             "| kind | label | 種別 | source | meaning | 意味 |\n|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < count; i++) {
        kz_buf_addf(out, "| [%s](#%s) |", kinds[i].name, kinds[i].name);
        add_cell(out, kinds[i].label.en);
        add_cell(out, kinds[i].label.ja);
        add_cell(out, kinds[i].source ? kinds[i].source : "");
        add_cell(out, kinds[i].help.en);
        add_cell(out, kinds[i].help.ja);
        kz_buf_add_text(out, "\n");
    }
    kz_buf_add_text(out, "\n## On every record / 共通\n\n");
    add_table(out, kz_envelope_fields(), &kz__record__descriptor);
    for (size_t i = 0; i < count; i++) {
        const ProtobufCFieldDescriptor *at =
            protobuf_c_message_descriptor_get_field_by_name(&kz__record__descriptor, kinds[i].name);
        kz_assert(at);
        kz_buf_addf(out, "## %s\n\n%s %s (%s)%s\n\n", kinds[i].name, kinds[i].label.ja, kinds[i].help.ja,
                    kinds[i].source ? kinds[i].source : "",
                    kinds[i].event ? ". An event: added once, never changed. 追加のみ、変更しない記録。" : "");
        add_table(out, kinds[i].fields, at->descriptor);
        if (kinds[i].number == KZ__KIND__SETTING) add_settings(out);
    }
    if (out->size_bytes > 1) out->size_bytes--; /* one line break at the end */
}
