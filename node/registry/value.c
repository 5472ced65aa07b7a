/* SPDX-License-Identifier: Apache-2.0 */
/* One scalar to and from text as people type and read it. */
#include "node/registry/record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/registry/schema_tables.h"
#include "node/registry/text.h"
#include "node/registry/when.h"

static const struct kz_text not_integer = {"not a whole number; write digits only, e.g. 120",
                                           "整数ではありません。数字だけで書いてください (例 120)"};
static const struct kz_text not_boolean = {"neither yes nor no; write true, false, yes or no",
                                           "はい・いいえで書いてください (true、false、○、×も可)"};
static const struct kz_text not_duration = {
    "not a duration; write a number and a unit, e.g. 3h, 90m, 1d, 1w, 2h30m",
    "時間の長さではありません。数字と単位で書いてください (例 3時間、90分、1日、1週間)"};
static const struct kz_text not_date = {"not a date; write e.g. 2026-01-17 or R7.1.17",
                                        "日付ではありません。2026-01-17、令和7年1月17日のように書いてください"};
static const struct kz_text not_time = {"not a date and time; write e.g. 2026-01-17T05:46:12+09:00",
                                        "日時ではありません。2026-01-17T05:46:12+09:00 のように書いてください"};
static const struct kz_text not_enum = {"not one of the allowed values; `keizoku schema KIND` lists them",
                                        "選べる値ではありません。keizoku schema で一覧を確認してください"};
static const struct kz_text not_reference = {
    "not a reference; write the id of the other record, or kind/id where several kinds are allowed",
    "参照ではありません。相手の識別子、または 種別/識別子 の形で書いてください"};
static const struct kz_text not_text = {"not valid UTF-8, or too long", "UTF-8の文字列でないか、長すぎます"};
static const struct kz_text is_empty = {"empty; write a value or leave the item out",
                                        "空です。値を書くか、項目ごと省いてください"};
static const struct kz_text is_group = {"a group of fields, not one value", "一つの値ではなく項目の組です"};
static const struct kz_text no_memory = {"out of memory", "メモリー不足です"};

/* ---- reading ---- */

static bool parse_integer(const char *folded, bool percent, int64_t *out)
{
    char digits[32];
    size_t used = 0;
    const char *at = folded;
    while (*at == ' ')
        at++;
    for (; *at != '\0' && used + 1 < sizeof(digits); at++) {
        bool separator = *at == ',' && used > 0;
        if (separator) continue; /* 1,200 */
        if ((*at < '0' || *at > '9') && !(used == 0 && *at == '-')) break;
        digits[used++] = *at;
    }
    digits[used] = '\0';
    if (percent && *at == '%') at++;
    while (*at == ' ')
        at++;
    if (*at != '\0' || used == 0) return false;
    char *end = NULL;
    errno = 0;
    *out = strtoll(digits, &end, 10);
    return errno == 0 && end != digits && *end == '\0';
}

static bool parse_boolean(const char *folded, int64_t *out)
{
    static const char *const yes[] = {"true", "yes", "y",  "on",   "1",    "はい", "○",
                                      "〇",   "◯",   "有", "あり", "有り", NULL};
    static const char *const no[] = {"false", "no", "n", "off", "0", "いいえ", "×", "✕", "無", "なし", "無し", NULL};
    for (const char *const *word = yes; *word != NULL; word++) {
        if (strcmp(folded, *word) != 0) continue;
        *out = 1;
        return true;
    }
    for (const char *const *word = no; *word != NULL; word++) {
        if (strcmp(folded, *word) != 0) continue;
        *out = 0;
        return true;
    }
    return false;
}

/* The number that `text` means, or the reason why it means none. */
static const struct kz_text *parse_number(const struct kz_field *field, const char *text, int64_t *out)
{
    char folded[KZ_FOLD_MAX_BYTES];
    if (!kz_text_fold(text, folded, sizeof(folded))) return &not_text;
    switch (field->type) {
    case KZ_FIELD_INTEGER:
        return parse_integer(folded, field->max == 100, out) ? NULL : &not_integer;
    case KZ_FIELD_BOOLEAN:
        return parse_boolean(folded, out) ? NULL : &not_boolean;
    case KZ_FIELD_DURATION:
        return kz_duration_parse(text, out) ? NULL : &not_duration;
    case KZ_FIELD_TIME:
        return kz_time_parse(text, out) ? NULL : &not_time;
    case KZ_FIELD_ENUM: {
        const struct kz_enum_value *value = kz_enum_by_name(field->values, text);
        if (value == NULL) return &not_enum;
        *out = value->number;
        return NULL;
    }
    default:
        kz_assert(false && "a number");
    }
}

static const struct kz_text *parse_date(ProtobufCMessage *message, const struct kz_field *field, const char *text)
{
    char date[KZ_DATE_BYTES];
    if (!kz_date_parse(text, date)) return &not_date;
    return kz_value_add_text(message, field, date) ? NULL : &no_memory;
}

/* "juki", "system/juki", "システム/ＪＵＫＩ": stored as the bare id, or kind/id where several kinds are allowed. */
static const struct kz_text *parse_reference(ProtobufCMessage *message, const struct kz_field *field, const char *text)
{
    char narrow[KZ_FOLD_MAX_BYTES];
    char id[KZ_ID_MAX_BYTES + 1];
    bool many_kinds = (field->ref_kinds & (field->ref_kinds - 1)) != 0;
    if (!kz_text_narrow(text, narrow, sizeof(narrow))) return &not_text;
    char *slash = strchr(narrow, '/');
    const struct kz_kind *kind = NULL;
    if (slash != NULL) {
        *slash = '\0';
        kind = kz_kind_by_name(narrow);
        if (kind == NULL || (field->ref_kinds & KZ_KIND_BIT(kind->number)) == 0) return &not_reference;
    } else if (many_kinds) {
        return &not_reference;
    }
    if (!kz_id_fold(slash != NULL ? slash + 1 : narrow, id)) return &not_reference;
    struct kz_buf value;
    kz_buf_init(&value, 0);
    if (many_kinds) kz_buf_addf(&value, "%s/", kind->name);
    kz_buf_add_text(&value, id);
    bool added = !value.failed && kz_value_add_text(message, field, kz_buf_text(&value));
    kz_buf_fini(&value);
    return added ? NULL : &no_memory;
}

static bool is_ascii(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text >= 0x80) return false;
    return true;
}

/* CR LF, as Windows writes it, becomes LF. */
static bool add_prose(ProtobufCMessage *message, const struct kz_field *field, const char *text)
{
    char *copy = strdup(text);
    if (copy == NULL) return false;
    char *to = copy;
    for (const char *from = copy; *from != '\0'; from++)
        if (!(from[0] == '\r' && from[1] == '\n')) *to++ = *from;
    *to = '\0';
    bool added = kz_value_add_text(message, field, copy);
    free(copy);
    return added;
}

static const struct kz_text *parse_text(ProtobufCMessage *message, const struct kz_field *field, const char *text)
{
    char narrow[KZ_FOLD_MAX_BYTES];
    bool added = false;
    if ((field->flags & KZ_FIELD_NARROW) != 0 && kz_text_narrow(text, narrow, sizeof(narrow)) && is_ascii(narrow))
        added = kz_value_add_text(message, field, narrow);
    else if (field->type == KZ_FIELD_PROSE)
        added = add_prose(message, field, text);
    else
        added = kz_value_add_text(message, field, text);
    return added ? NULL : &no_memory;
}

static bool is_repeated(const ProtobufCMessage *message, const struct kz_field *field)
{
    return protobuf_c_message_descriptor_get_field_by_name(message->descriptor, field->name)->label ==
           PROTOBUF_C_LABEL_REPEATED;
}

const struct kz_text *kz_value_parse(ProtobufCMessage *message, const struct kz_field *field, const char *text)
{
    if (field->type == KZ_FIELD_GROUP) return &is_group;
    if (text[0] == '\0') {
        if (is_repeated(message, field)) return &is_empty;
        kz_value_clear(message, field);
        return NULL;
    }
    switch (field->type) {
    case KZ_FIELD_TEXT:
    case KZ_FIELD_PROSE:
        return parse_text(message, field, text);
    case KZ_FIELD_DATE:
        return parse_date(message, field, text);
    case KZ_FIELD_REF:
        return parse_reference(message, field, text);
    default: {
        int64_t number = 0;
        const struct kz_text *reason = parse_number(field, text, &number);
        if (reason != NULL) return reason;
        return kz_value_add_number(message, field, number) ? NULL : &no_memory;
    }
    }
}

/* ---- writing ---- */

static void format_enum(struct kz_buf *out, const struct kz_field *field, int64_t number, bool japanese)
{
    const struct kz_enum_value *value = kz_enum_by_number(field->values, (int)number);
    if (value == NULL)
        kz_buf_addf(out, "%lld", (long long)number); /* a rule refuses it; showing it helps */
    else
        kz_buf_add_text(out, japanese ? value->label.ja : value->name);
}

void kz_value_format(struct kz_buf *out, const struct kz_field *field, const ProtobufCMessage *message, size_t item,
                     bool japanese)
{
    if (item >= kz_value_count(message, field)) return;
    switch (field->type) {
    case KZ_FIELD_TEXT:
    case KZ_FIELD_PROSE:
    case KZ_FIELD_DATE:
    case KZ_FIELD_REF:
        kz_buf_add_text(out, kz_value_text(message, field, item));
        return;
    case KZ_FIELD_INTEGER:
        kz_buf_addf(out, "%lld", (long long)kz_value_number(message, field, item));
        return;
    case KZ_FIELD_BOOLEAN: {
        bool yes = kz_value_number(message, field, item) != 0;
        kz_buf_add_text(out, japanese ? (yes ? "はい" : "いいえ") : (yes ? "true" : "false"));
        return;
    }
    case KZ_FIELD_DURATION:
        kz_duration_format(out, kz_value_number(message, field, item), japanese);
        return;
    case KZ_FIELD_TIME:
        kz_time_format(out, kz_value_number(message, field, item));
        return;
    case KZ_FIELD_ENUM:
        format_enum(out, field, kz_value_number(message, field, item), japanese);
        return;
    case KZ_FIELD_GROUP:
        return; /* its leaves are asked one by one */
    }
}
