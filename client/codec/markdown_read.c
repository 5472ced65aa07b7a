/* SPDX-License-Identifier: Apache-2.0 */
#include "client/codec/markdown.h"

#include <string.h>

#include <jansson.h>

#include "node/base/assert.h"

#define FRONT "---"
#define KEY_MAX_BYTES 64
#define FENCE_MIN 3

struct line {
    const char *text; /* not terminated */
    size_t length;    /* without its end */
    int number;
};

/* Where in a step the last line was. */
enum part { PART_HEADING, PART_GAP, PART_FIELDS, PART_TEXT };

struct reader {
    struct kz_tree *tree;
    struct kz_violations *problems;
    const char *file;
    const char *at, *end;
    int number; /* of the next line */
    struct kz_node *root;
    struct kz_node *steps, *step; /* NULL: none yet */
    struct kz_buf body;           /* of `step` */
    int body_line;
    enum part part; /* of `step` */
    char fence;     /* the character of an open code fence; 0: none */
    size_t fence_length;
};

static bool next_line(struct reader *reader, struct line *out)
{
    if (reader->at >= reader->end) return false;
    const char *stop = memchr(reader->at, '\n', (size_t)(reader->end - reader->at));
    const char *until = stop ? stop : reader->end;
    *out = (struct line){.text = reader->at, .length = (size_t)(until - reader->at), .number = reader->number++};
    if (out->length > 0 && out->text[out->length - 1] == '\r') out->length--;
    reader->at = stop ? stop + 1 : reader->end;
    return true;
}

static struct kz_place place_of(const struct reader *reader, int line)
{
    return (struct kz_place){.file = reader->file, .line = line, .column = 1};
}

static void report(struct reader *reader, int line, enum kz_text_id text)
{
    kz_problem_add(reader->problems, place_of(reader, line), "document.markdown", text, NULL, 0);
}

static bool is_line(const struct line *line, const char *text)
{
    return line->length == strlen(text) && memcmp(line->text, text, line->length) == 0;
}

static bool is_blank(const struct line *line)
{
    for (size_t i = 0; i < line->length; i++)
        if (line->text[i] != ' ' && line->text[i] != '\t') return false;
    return true;
}

/* ---- nodes ---- */

static struct kz_node *add_node(struct reader *reader, struct kz_node *parent, enum kz_node_type type, const char *key,
                                int line)
{
    struct kz_node *node = kz_tree_new_node(reader->tree, type, place_of(reader, line), reader->problems);
    if (!node) return NULL;
    node->key = key ? kz_tree_text(reader->tree, key, strlen(key)) : NULL;
    node->key_place = node->place;
    kz_node_add(parent, node);
    return node;
}

static void add_word(struct reader *reader, struct kz_node *parent, const char *key, const char *text, size_t length,
                     int line)
{
    struct kz_node *node = parent ? add_node(reader, parent, KZ_NODE_WORD, key, line) : NULL;
    if (node) node->word = kz_tree_text(reader->tree, text, length);
}

/* ---- front matter ---- */

/* The reader of YAML sees the file from its first line, so that places are the file's. */
static bool read_front(struct reader *reader)
{
    const char *begin = reader->at;
    struct line line;
    bool opened = next_line(reader, &line) && is_line(&line, FRONT), closed = false;
    size_t before = reader->problems->count, roots = reader->tree->root_count;
    const char *until = reader->at;
    while (opened && !closed) {
        until = reader->at;
        if (!next_line(reader, &line)) break;
        closed = is_line(&line, FRONT);
    }
    if (!closed) {
        report(reader, 1, KZ_T_MARKDOWN_FRONT);
        return false;
    }
    if (!kz_tree_read_yaml(reader->tree, reader->file, begin, (size_t)(until - begin), reader->problems)) return false;
    if (reader->tree->root_count != roots + 1 || reader->tree->roots[roots]->type != KZ_NODE_MAP)
        report(reader, 1, KZ_T_MARKDOWN_FRONT);
    else
        reader->root = reader->tree->roots[roots];
    if (reader->root && !kz_node_get(reader->root, "kind"))
        add_word(reader, reader->root, "kind", "runbook", strlen("runbook"), 1);
    return reader->root && reader->problems->count == before;
}

/* ---- texts ---- */

/* Level of a heading of one or two #, else 0; *text: what follows. */
static size_t heading_of(const char *text, size_t length, size_t *at)
{
    size_t level = 0;
    while (level < length && text[level] == '#')
        level++;
    if (level == 0 || level > 2 || (level < length && text[level] != ' ')) return 0;
    *at = level < length ? level + 1 : level;
    return level;
}

/* ``` or ~~~, at most three spaces in. */
static void follow_fence(struct reader *reader, const struct line *line)
{
    size_t indent = 0, length = 0, rest = 0;
    while (indent < line->length && line->text[indent] == ' ')
        indent++;
    if (indent > 3 || indent >= line->length) return;
    char mark = line->text[indent];
    if (mark != '`' && mark != '~') return;
    while (indent + length < line->length && line->text[indent + length] == mark)
        length++;
    if (length < FENCE_MIN) return;
    rest = indent + length;
    if (!reader->fence) {
        reader->fence = mark;
        reader->fence_length = length;
        return;
    }
    const struct line after = {.text = line->text + rest, .length = line->length - rest};
    if (mark == reader->fence && length >= reader->fence_length && is_blank(&after)) reader->fence = 0;
}

/* "\## x" outside a fence is a line of the text. */
static size_t count_escapes(const struct line *line)
{
    size_t slashes = 0, at;
    while (slashes < line->length && line->text[slashes] == '\\')
        slashes++;
    return slashes > 0 && heading_of(line->text + slashes, line->length - slashes, &at) ? 1 : 0;
}

static void add_text_line(struct reader *reader, const struct line *line)
{
    size_t skip = reader->fence ? 0 : count_escapes(line);
    if (reader->body.size_bytes == 0) reader->body_line = line->number;
    kz_buf_add(&reader->body, line->text + skip, line->length - skip);
    kz_buf_add_text(&reader->body, "\n");
    follow_fence(reader, line);
}

/* The line's own end and one empty line belong to the form. At the end of the file there is no empty line. */
static void end_step(struct reader *reader, bool last)
{
    size_t length = reader->body.size_bytes;
    const char *text = kz_buf_text(&reader->body);
    if (length > 0) length--;
    if (!last && length > 0 && text[length - 1] == '\n') length--;
    size_t blank = strspn(text, " \t\n");
    if (blank < length) add_word(reader, reader->step, "body", text, length, reader->body_line);
    kz_buf_clear(&reader->body);
    reader->fence = 0;
}

/* ---- steps ---- */

/* "1. " or "12) " before a step's title is for the reader; the order of the steps is the file's. */
static size_t skip_number(const char *text, size_t length)
{
    size_t digits = 0;
    while (digits < length && text[digits] >= '0' && text[digits] <= '9')
        digits++;
    return digits > 0 && digits + 1 < length && text[digits] == '.' && text[digits + 1] == ' ' ? digits + 2 : 0;
}

static void begin_step(struct reader *reader, const struct line *line, size_t at)
{
    if (reader->step) end_step(reader, false);
    if (!reader->steps) reader->steps = add_node(reader, reader->root, KZ_NODE_LIST, "steps", line->number);
    reader->step = reader->steps ? add_node(reader, reader->steps, KZ_NODE_MAP, NULL, line->number) : NULL;
    const char *title = line->text + at;
    size_t length = line->length - at, number = skip_number(title, length);
    add_word(reader, reader->step, "title", title + number, length - number, line->number);
    reader->part = PART_HEADING;
}

/* "- name: value". False: it is none. */
static bool split_field(const struct line *line, char key[KEY_MAX_BYTES], const char **value, size_t *length)
{
    if (line->length < 4 || memcmp(line->text, "- ", 2) != 0) return false;
    const char *name = line->text + 2, *stop = memchr(name, ':', line->length - 2);
    size_t name_length = stop ? (size_t)(stop - name) : 0;
    if (name_length == 0 || name_length >= KEY_MAX_BYTES) return false;
    memcpy(key, name, name_length);
    key[name_length] = '\0';
    *value = stop + 1;
    *length = line->length - 2 - name_length - 1;
    while (*length > 0 && **value == ' ')
        (*value)++, (*length)--;
    return true;
}

static void read_quoted(struct reader *reader, const char *key, const char *value, size_t length, int line)
{
    json_t *text = json_loadb(value, length, JSON_DECODE_ANY, NULL);
    if (json_is_string(text))
        add_word(reader, reader->step, key, json_string_value(text), json_string_length(text), line);
    else
        report(reader, line, KZ_T_MARKDOWN_QUOTES);
    json_decref(text);
}

static void read_field(struct reader *reader, const struct line *line)
{
    char key[KEY_MAX_BYTES];
    const char *value;
    size_t length;
    if (!split_field(line, key, &value, &length))
        report(reader, line->number, KZ_T_MARKDOWN_FIELD);
    else if (length > 0 && *value == '"')
        read_quoted(reader, key, value, length, line->number);
    else
        add_word(reader, reader->step, key, value, length, line->number);
}

/* A list at the beginning of a text is no field of the step. */
static bool is_known_field(const struct line *line)
{
    char key[KEY_MAX_BYTES];
    const char *value;
    size_t length;
    const struct kz_field *steps = kz_field_by_name(kz_kind_by_number(KZ__KIND__RUNBOOK)->fields, "steps");
    return split_field(line, key, &value, &length) && kz_field_by_name(steps->fields, key);
}

/* Fields stand directly below the heading, or, as formatters put them, after an empty line; then the first must be one
 * that there is. */
static void read_step_line(struct reader *reader, const struct line *line)
{
    bool blank = is_blank(line);
    switch (reader->part) {
    case PART_HEADING:
        reader->part = blank ? PART_GAP : PART_FIELDS;
        if (!blank) read_field(reader, line);
        return;
    case PART_GAP:
        if (blank) return;
        reader->part = is_known_field(line) ? PART_FIELDS : PART_TEXT;
        if (reader->part == PART_FIELDS)
            read_field(reader, line);
        else
            add_text_line(reader, line);
        return;
    case PART_FIELDS:
        if (blank)
            reader->part = PART_TEXT;
        else
            read_field(reader, line);
        return;
    case PART_TEXT:
        add_text_line(reader, line);
        return;
    }
}

static void read_line(struct reader *reader, const struct line *line)
{
    size_t at = 0, level = reader->fence ? 0 : heading_of(line->text, line->length, &at);
    if (level == 2) {
        begin_step(reader, line, at);
    } else if (level == 1 && !reader->step && !kz_node_get(reader->root, "title")) {
        add_word(reader, reader->root, "title", line->text + at, line->length - at, line->number);
    } else if (level == 1) {
        report(reader, line->number, KZ_T_MARKDOWN_TITLE);
    } else if (reader->step) {
        read_step_line(reader, line);
    } else if (!is_blank(line)) {
        report(reader, line->number, KZ_T_MARKDOWN_OUTSIDE);
    }
}

bool kz_tree_read_markdown(struct kz_tree *tree, const char *file, const char *bytes, size_t size_bytes,
                           struct kz_violations *problems)
{
    size_t before = problems->count;
    struct reader reader = {
        .tree = tree, .problems = problems, .file = file, .at = bytes, .end = bytes + size_bytes, .number = 1};
    struct line line;
    kz_buf_init(&reader.body, 0);
    if (read_front(&reader))
        while (next_line(&reader, &line))
            read_line(&reader, &line);
    if (reader.step) end_step(&reader, true);
    kz_buf_fini(&reader.body);
    return problems->count == before;
}
