/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <yaml.h>

#include "client/codec/encode.h"
#include "node/base/assert.h"

#define BEST_INDENT 2
#define NO_WRAP (-1)

static int add_bytes(void *data, unsigned char *bytes, size_t size)
{
    struct kz_buf *out = data;
    kz_buf_add(out, bytes, size);
    return !out->failed;
}

/* The events are built from values in memory: failing means out of memory, which ends a command-line program. */
static void emit(yaml_emitter_t *emitter, yaml_event_t *event)
{
    int emitted = yaml_emitter_emit(emitter, event);
    kz_assert(emitted);
}

static bool is_word(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (strcasecmp(text, *words) == 0) return true;
    return false;
}

static const char *skip_sign(const char *text) { return text + (*text == '+' || *text == '-'); }

/* YAML 1.2, 10.3.2: [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?, 0o7, 0xF, and the words for no number. */
static bool is_core_number(const char *text)
{
    static const char *const words[] = {".inf", "+.inf", "-.inf", ".nan", NULL};
    if (is_word(text, words)) return true;
    bool octal = text[0] == '0' && text[1] == 'o', hexadecimal = text[0] == '0' && text[1] == 'x';
    if ((octal || hexadecimal) && text[2])
        return text[2 + strspn(text + 2, octal ? "01234567" : "0123456789abcdefABCDEF")] == '\0';
    text = skip_sign(text);
    size_t whole = strspn(text, "0123456789"), part = 0;
    text += whole;
    if (*text == '.') {
        part = strspn(text + 1, "0123456789");
        text += 1 + part;
    }
    if (whole + part == 0) return false;
    if (*text == 'e' || *text == 'E') {
        text = skip_sign(text + 1);
        if (!*text) return false;
        text += strspn(text, "0123456789");
    }
    return *text == '\0';
}

/* Many readers still follow YAML 1.1, where 12:30 is 750, 1_000 is 1000 and 0b11 is 3. */
static bool is_old_number(const char *text)
{
    text = skip_sign(text);
    if (text[0] == '0' && (text[1] == 'b' || text[1] == 'x'))
        return text[2 + strspn(text + 2, "0123456789abcdefABCDEF_")] == '\0';
    if (!strchr("0123456789", text[0]) || !strpbrk(text, ":_")) return false;
    return text[strspn(text, "0123456789_:.")] == '\0';
}

/* Plain wherever the core schema reads text, so that 20m, 2d and 2027-04-30 look alike; quoted where a reader, also one
 * of YAML 1.1, would see a truth value, nothing or a number. */
static bool needs_quotes(const char *text)
{
    static const char *const words[] = {"",   "~",   "null", "true", "false", "yes", "no",
                                        "on", "off", "y",    "n",    "<<",    "=",   NULL};
    return is_word(text, words) || is_core_number(text) || is_old_number(text);
}

static yaml_scalar_style_t style_of(const char *text)
{
    size_t length = strlen(text);
    if (strchr(text, '\n') && text[0] != ' ' && text[0] != '\n' && !strstr(text, " \n") && text[length - 1] != ' ')
        return YAML_LITERAL_SCALAR_STYLE;
    return needs_quotes(text) ? YAML_DOUBLE_QUOTED_SCALAR_STYLE : YAML_ANY_SCALAR_STYLE;
}

static void emit_scalar(yaml_emitter_t *emitter, const char *text, yaml_scalar_style_t style)
{
    yaml_event_t event;
    int made =
        yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)text, (int)strlen(text), 1, 1, style);
    kz_assert(made);
    emit(emitter, &event);
}

static void emit_value(yaml_emitter_t *emitter, const json_t *value);

static void emit_object(yaml_emitter_t *emitter, const json_t *value)
{
    yaml_event_t event;
    bool empty = json_object_size(value) == 0;
    kz_assert(yaml_mapping_start_event_initialize(&event, NULL, NULL, 1,
                                                  empty ? YAML_FLOW_MAPPING_STYLE : YAML_BLOCK_MAPPING_STYLE));
    emit(emitter, &event);
    const char *key;
    json_t *item;
    json_object_foreach((json_t *)(uintptr_t)value, key, item)
    {
        emit_scalar(emitter, key, style_of(key));
        emit_value(emitter, item);
    }
    kz_assert(yaml_mapping_end_event_initialize(&event));
    emit(emitter, &event);
}

static void emit_array(yaml_emitter_t *emitter, const json_t *value)
{
    yaml_event_t event;
    bool empty = json_array_size(value) == 0;
    kz_assert(yaml_sequence_start_event_initialize(&event, NULL, NULL, 1,
                                                   empty ? YAML_FLOW_SEQUENCE_STYLE : YAML_BLOCK_SEQUENCE_STYLE));
    emit(emitter, &event);
    for (size_t i = 0; i < json_array_size(value); i++)
        emit_value(emitter, json_array_get(value, i));
    kz_assert(yaml_sequence_end_event_initialize(&event));
    emit(emitter, &event);
}

static void emit_value(yaml_emitter_t *emitter, const json_t *value)
{
    char number[32];
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        emit_object(emitter, value);
        return;
    case JSON_ARRAY:
        emit_array(emitter, value);
        return;
    case JSON_STRING:
        emit_scalar(emitter, json_string_value(value), style_of(json_string_value(value)));
        return;
    case JSON_INTEGER:
        snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        emit_scalar(emitter, number, YAML_PLAIN_SCALAR_STYLE);
        return;
    case JSON_TRUE:
        emit_scalar(emitter, "true", YAML_PLAIN_SCALAR_STYLE);
        return;
    case JSON_FALSE:
        emit_scalar(emitter, "false", YAML_PLAIN_SCALAR_STYLE);
        return;
    default:
        emit_scalar(emitter, "null", YAML_PLAIN_SCALAR_STYLE);
        return;
    }
}

void kz_yaml_write(struct kz_buf *out, const json_t *value)
{
    yaml_emitter_t emitter;
    kz_assert(yaml_emitter_initialize(&emitter));
    yaml_emitter_set_output(&emitter, add_bytes, out);
    yaml_emitter_set_unicode(&emitter, 1);
    yaml_emitter_set_width(&emitter, NO_WRAP);
    yaml_emitter_set_indent(&emitter, BEST_INDENT);
    yaml_event_t event;
    kz_assert(yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING));
    emit(&emitter, &event);
    kz_assert(yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1));
    emit(&emitter, &event);
    emit_value(&emitter, value);
    kz_assert(yaml_document_end_event_initialize(&event, 1));
    emit(&emitter, &event);
    kz_assert(yaml_stream_end_event_initialize(&event));
    emit(&emitter, &event);
    yaml_emitter_delete(&emitter);
}
