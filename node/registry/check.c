/* SPDX-License-Identifier: Apache-2.0 */
/* Rules that follow from the schema's rows alone, for every kind alike; and references. */
#include "node/registry/check.h"

#include <stdio.h>
#include <string.h>

#include "node/registry/codes.h"
#include "node/registry/schema_tables.h"
#include "node/registry/text.h"
#include "node/registry/when.h"

#define SHOWN_BYTES 64

/* A value as a message shows it: at most SHOWN_BYTES, whole characters, nothing a terminal would obey. */
static const char *show(const char *text, char out[SHOWN_BYTES + 4])
{
    size_t size = 0;
    if (kz_text_fault(text, false) != KZ_TEXT_FINE) return "?";
    while (text[size] != '\0' && size < SHOWN_BYTES)
        size++;
    bool cut = text[size] != '\0';
    while (cut && size > 0 && ((unsigned char)text[size] & 0xC0) == 0x80)
        size--;
    memcpy(out, text, size);
    memcpy(out + size, cut ? "..." : "", cut ? 4 : 1);
    return out;
}

void kz_check_begin(struct kz_check *check, const Kz__Record *record, struct kz_violations *violations)
{
    char shown[SHOWN_BYTES + 4];
    const struct kz_kind *kind = kz_kind_by_number(record->kind);
    check->violations = violations;
    snprintf(check->path, sizeof(check->path), "%s/%s", kind == NULL ? "?" : kind->name,
             record->id == NULL ? "" : show(record->id, shown));
}

void kz_check_add(struct kz_check *check, const char *where, const char *rule, const char *source, const char *en,
                  const char *ja)
{
    char path[KZ_PATH_MAX_BYTES * 2];
    snprintf(path, sizeof(path), "%s%s%s", check->path, where[0] == '\0' ? "" : ".", where);
    kz_violations_add(check->violations, path, rule, &(struct kz_text){en, ja}, source);
}

/* ---- single values ---- */

static bool check_text_fault(struct kz_check *check, const struct kz_field *field, const char *text)
{
    switch (kz_text_fault(text, field->type == KZ_FIELD_PROSE)) {
    case KZ_TEXT_FINE:
        return true;
    case KZ_TEXT_NOT_UTF8:
        kz_check_add(check, "", "text.utf8", NULL, "not valid UTF-8; save the file as UTF-8 and try again",
                     "UTF-8として正しくありません。UTF-8で保存し直してください");
        return false;
    case KZ_TEXT_CONTROL:
        kz_check_add(check, "", "text.control", NULL,
                     "holds control characters (line breaks are for long texts only); remove them",
                     "制御文字が含まれています (改行できるのは長文の項目だけです)。取り除いてください");
        return false;
    }
    return false;
}

static void check_text(struct kz_check *check, const struct kz_field *field, const char *text)
{
    int64_t min = 0, max = 0;
    size_t size = strlen(text);
    kz_field_range(field, &min, &max);
    if (size == 0 && (field->flags & KZ_FIELD_REQUIRED) == 0)
        kz_check_add(check, "", "text.empty", NULL, "empty; write something or leave the field out",
                     "空です。値を書くか、項目ごと省いてください");
    if ((int64_t)size > max)
        kz_violations_addf(check->violations, check->path, "text.length", field->source,
                           "%zu bytes long, at most %lld (a kanji takes 3); shorten it",
                           "%zuバイトあります。上限は%lldバイトです (漢字1字は3バイト)。短くしてください", size,
                           (long long)max);
    check_text_fault(check, field, text);
}

static void check_date(struct kz_check *check, const struct kz_field *field, const char *text)
{
    char shown[SHOWN_BYTES + 4];
    if (kz_date_valid(text)) return;
    kz_violations_addf(check->violations, check->path, "date", field->source,
                       "\"%s\" is not a day; write YYYY-MM-DD, e.g. 2026-01-17",
                       "「%s」は日付ではありません。2026-01-17 のように書いてください", show(text, shown));
}

static void check_reference(struct kz_check *check, const struct kz_field *field, const char *text)
{
    char shown[SHOWN_BYTES + 4];
    Kz__Kind kind;
    const char *id = NULL;
    if (!kz_reference_split(field, text, &kind, &id))
        kz_violations_addf(check->violations, check->path, "reference.kind", field->source,
                           "\"%s\" names no kind that is allowed here; write kind/id: %s%.0s",
                           "「%s」はここで使える種別ではありません。種別/識別子 の形で書いてください: %.0s%s",
                           show(text, shown), field->help.en, field->help.ja);
    else if (!kz_id_valid(id))
        kz_violations_addf(check->violations, check->path, "reference.format", field->source,
                           "\"%s\" is not an id; ids are lower-case letters, digits, . _ - and at most 64 long",
                           "「%s」は識別子の形ではありません。英小文字・数字・. _ - の64文字以内です",
                           show(text, shown));
}

/* Bounds as people write them: "1..4", "0m..1w". */
static void check_range(struct kz_check *check, const struct kz_field *field, int64_t value)
{
    int64_t min = 0, max = 0;
    kz_field_range(field, &min, &max);
    if (value >= min && value <= max) return;
    struct kz_buf en, ja;
    kz_buf_init(&en, 0);
    kz_buf_init(&ja, 0);
    if (field->type == KZ_FIELD_DURATION) {
        kz_duration_format(&en, min, false);
        kz_buf_add_text(&en, " to ");
        kz_duration_format(&en, max, false);
        kz_duration_format(&ja, min, true);
        kz_buf_add_text(&ja, "～");
        kz_duration_format(&ja, max, true);
    } else {
        kz_buf_addf(&en, "%lld to %lld", (long long)min, (long long)max);
        kz_buf_addf(&ja, "%lld～%lld", (long long)min, (long long)max);
    }
    char text_en[128], text_ja[128];
    snprintf(text_en, sizeof(text_en), "out of range; allowed is %s", kz_buf_text(&en));
    snprintf(text_ja, sizeof(text_ja), "範囲外です。%s で書いてください", kz_buf_text(&ja));
    kz_check_add(check, "", "range", field->source, text_en, text_ja);
    kz_buf_fini(&en);
    kz_buf_fini(&ja);
}

static void check_enum(struct kz_check *check, const struct kz_field *field, int64_t number)
{
    if (kz_enum_by_number(field->values, (int)number) != NULL) return;
    struct kz_buf names;
    kz_buf_init(&names, 0);
    for (const struct kz_enum_value *value = field->values; value->name != NULL; value++)
        kz_buf_addf(&names, "%s%s", value == field->values ? "" : ", ", value->name);
    kz_violations_addf(check->violations, check->path, "enum", field->source, "no such value; one of %s",
                       "選べる値ではありません。次のいずれかです: %s", kz_buf_text(&names));
    kz_buf_fini(&names);
}

static void check_fields(struct kz_check *check, const struct kz_field *fields, const ProtobufCMessage *message);

static void check_value(struct kz_check *check, const struct kz_field *field, const ProtobufCMessage *message,
                        size_t item)
{
    switch (field->type) {
    case KZ_FIELD_TEXT:
    case KZ_FIELD_PROSE:
        check_text(check, field, kz_value_text(message, field, item));
        return;
    case KZ_FIELD_DATE:
        check_date(check, field, kz_value_text(message, field, item));
        return;
    case KZ_FIELD_REF:
        check_reference(check, field, kz_value_text(message, field, item));
        return;
    case KZ_FIELD_INTEGER:
    case KZ_FIELD_DURATION:
    case KZ_FIELD_TIME:
        check_range(check, field, kz_value_number(message, field, item));
        return;
    case KZ_FIELD_ENUM:
        check_enum(check, field, kz_value_number(message, field, item));
        return;
    case KZ_FIELD_GROUP:
        check_fields(check, field->fields, kz_value_group(message, field, item));
        return;
    case KZ_FIELD_BOOLEAN:
        return;
    }
}

/* ---- fields and lists ---- */

static bool is_missing(const struct kz_field *field, const ProtobufCMessage *message)
{
    if (kz_value_count(message, field) == 0) return true;
    bool text = field->type == KZ_FIELD_TEXT || field->type == KZ_FIELD_PROSE || field->type == KZ_FIELD_REF ||
                field->type == KZ_FIELD_DATE;
    return text && kz_value_text(message, field, 0)[0] == '\0';
}

static void check_required(struct kz_check *check, const struct kz_field *field)
{
    kz_violations_addf(check->violations, check->path, "required", field->source, "is required: %s%.0s",
                       "必須です: %.0s%s", field->help.en, field->help.ja);
}

/* An item that stands in the list before. */
static bool is_repeat(const struct kz_field *field, const ProtobufCMessage *message, size_t item)
{
    if (field->type != KZ_FIELD_REF && field->type != KZ_FIELD_TEXT) return false;
    for (size_t i = 0; i < item; i++)
        if (strcmp(kz_value_text(message, field, i), kz_value_text(message, field, item)) == 0) return true;
    return false;
}

static void check_item(struct kz_check *check, const struct kz_field *field, const ProtobufCMessage *message,
                       size_t item)
{
    size_t base = strlen(check->path);
    kz_path_append(check->path, sizeof(check->path), message, field, item);
    check_value(check, field, message, item);
    if (is_repeat(field, message, item))
        kz_check_add(check, "", "list.duplicate", field->source, "stands in the list already; remove one",
                     "同じものが既に一覧にあります。一方を削除してください");
    check->path[base] = '\0';
}

void kz_check_field(struct kz_check *check, const struct kz_field *field, const ProtobufCMessage *message)
{
    size_t base = strlen(check->path);
    size_t count = kz_value_count(message, field);
    size_t max_items = (size_t)kz_field_max_items(field);
    if ((field->flags & KZ_FIELD_REQUIRED) != 0 && is_missing(field, message)) {
        snprintf(check->path + base, sizeof(check->path) - base, ".%s", field->name);
        check_required(check, field);
        check->path[base] = '\0';
        return;
    }
    if (count > max_items) {
        snprintf(check->path + base, sizeof(check->path) - base, ".%s", field->name);
        kz_violations_addf(check->violations, check->path, "list.length", field->source,
                           "%zu items, at most %zu; leave some out", "%zu件あります。上限は%zu件です。減らしてください",
                           count, max_items);
        check->path[base] = '\0';
    }
    for (size_t i = 0; i < count && i < max_items; i++)
        check_item(check, field, message, i);
}

static void check_fields(struct kz_check *check, const struct kz_field *fields, const ProtobufCMessage *message)
{
    for (const struct kz_field *field = fields; field->name != NULL; field++)
        if ((field->flags & (KZ_FIELD_SYSTEM | KZ_FIELD_DERIVED)) == 0) kz_check_field(check, field, message);
}

/* ---- the record ---- */

static void check_id(struct kz_check *check, const Kz__Record *record)
{
    if (record->id == NULL || record->id[0] == '\0') return; /* "required" has said so */
    if (!kz_id_valid(record->id))
        kz_check_add(check, "id", "id.format", NULL,
                     "not an id; use lower-case letters, digits, . _ -, at most 64, the first a letter or digit",
                     "識別子の形ではありません。英小文字・数字・. _ - の64文字以内で、先頭は英小文字か数字です");
}

static void check_labels(struct kz_check *check, const Kz__Record *record)
{
    char where[64];
    for (size_t i = 0; i < record->n_labels; i++) {
        const char *key = record->labels[i]->key;
        if (key == NULL || key[0] == '\0') continue;
        snprintf(where, sizeof(where), "labels[%zu].key", i);
        if (!kz_code_is_label_key(key))
            kz_check_add(check, where, "label.key", NULL, "use lower-case letters, digits, . _ - /",
                         "英小文字・数字・. _ - / だけで書いてください");
        for (size_t j = 0; j < i; j++) {
            if (record->labels[j]->key == NULL || strcmp(record->labels[j]->key, key) != 0) continue;
            kz_check_add(check, where, "list.duplicate", NULL, "this label stands twice; remove one",
                         "同じラベルが2つあります。一方を削除してください");
            break;
        }
    }
}

/* Exactly the body that `kind` names, and no other. */
static bool check_body(struct kz_check *check, const Kz__Record *record)
{
    size_t count = 0;
    const struct kz_kind *kinds = kz_kinds(&count);
    if (kz_kind_by_number(record->kind) == NULL) {
        kz_check_add(check, "", "kind.known", NULL, "no such kind; `keizoku schema` lists them",
                     "種別がありません。keizoku schema で一覧を確認してください");
        return false;
    }
    Kz__Record other = *record;
    for (size_t i = 0; i < count; i++) {
        other.kind = kinds[i].number;
        if (other.kind == record->kind || kz_record_body(&other) == NULL) continue;
        kz_check_add(check, kinds[i].name, "body.kind", NULL, "belongs to another kind; one record holds one body",
                     "別の種別の内容です。1件の記録には1つの種別の内容だけを書けます");
    }
    if (kz_record_body(record) != NULL) return true;
    kz_check_add(check, "", "body.missing", NULL, "has no content for its kind", "種別に応じた内容がありません");
    return false;
}

void kz_record_check(const Kz__Record *record, struct kz_violations *violations)
{
    struct kz_check check;
    kz_check_begin(&check, record, violations);
    check_fields(&check, kz_envelope_fields(), &record->base);
    check_id(&check, record);
    check_labels(&check, record);
    if (check_body(&check, record)) {
        check_fields(&check, kz_kind_by_number(record->kind)->fields, kz_record_body(record));
        kz_check_kind(&check, record);
    }
    if (kz__record__get_packed_size(record) > KZ_RECORD_MAX_BYTES)
        kz_violations_addf(violations, check.path, "record.size", NULL,
                           "bigger than %u KiB in all; shorten texts or keep documents elsewhere",
                           "全体で%u KiBを超えています。文章を短くするか、資料を別に保管してください",
                           KZ_RECORD_MAX_BYTES >> 10);
}

/* ---- references ---- */

struct reference_check {
    struct kz_check *check;
    const struct kz_resolver *resolver;
};

static void check_presence(void *data, const char *path, Kz__Kind kind, const char *id)
{
    const struct reference_check *references = data;
    const char *name = kz_kind_by_number(kind)->name;
    char where[KZ_PATH_MAX_BYTES * 2];
    if (!kz_id_valid(id)) return; /* kz_record_check says why */
    enum kz_presence presence = references->resolver->find(references->resolver->data, kind, id);
    if (presence == KZ_LIVE) return;
    snprintf(where, sizeof(where), "%.255s.%.255s", references->check->path, path);
    if (presence == KZ_ABSENT)
        kz_violations_addf(references->check->violations, where, "reference.exists", "G 2.5.1",
                           "there is no %s/%s; create it first or in the same apply, or correct the id",
                           "%s/%s はありません。先に(または同じ適用で)作成するか、識別子を直してください", name, id);
    else
        kz_violations_addf(references->check->violations, where, "reference.live", "G 2.5.1",
                           "%s/%s is retired; refer to one in use, or apply it again to bring it back",
                           "%s/%s は廃止されています。使用中のものを指定するか、再度適用して復活させてください", name,
                           id);
}

void kz_record_check_references(const Kz__Record *record, const struct kz_resolver *resolver,
                                struct kz_violations *violations)
{
    struct kz_check check;
    struct reference_check references = {.check = &check, .resolver = resolver};
    kz_check_begin(&check, record, violations);
    kz_record_references(record, check_presence, &references);
}
