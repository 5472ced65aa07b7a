/* SPDX-License-Identifier: Apache-2.0 */
#include "client/codec/markdown.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "client/codec/encode.h"
#include "node/base/assert.h"

#define FENCE_MIN 3

/* ---- texts ---- */

struct fence {
    char mark; /* 0: none is open */
    size_t length;
};

/* As the reader follows it. */
static void follow_fence(struct fence *fence, const char *line, size_t size)
{
    size_t indent = strspn(line, " "), length = 0;
    if (indent > 3 || indent >= size || (line[indent] != '`' && line[indent] != '~')) return;
    char mark = line[indent];
    while (indent + length < size && line[indent + length] == mark)
        length++;
    if (length < FENCE_MIN) return;
    size_t rest = indent + length;
    if (!fence->mark)
        *fence = (struct fence){.mark = mark, .length = length};
    else if (mark == fence->mark && length >= fence->length && rest + strspn(line + rest, " \t") >= size)
        fence->mark = 0;
}

static bool looks_like_heading(const char *line, size_t size)
{
    size_t at = 0, level = 0;
    while (at < size && line[at] == '\\')
        at++;
    while (at < size && line[at] == '#')
        at++, level++;
    return level >= 1 && level <= 2 && (at == size || line[at] == ' ');
}

static void add_body(struct kz_buf *out, const char *text)
{
    struct fence fence = {0};
    for (const char *at = text;;) {
        size_t size = strcspn(at, "\n");
        if (!fence.mark && looks_like_heading(at, size)) kz_buf_add_text(out, "\\");
        kz_buf_add(out, at, size);
        kz_buf_add_text(out, "\n");
        follow_fence(&fence, at, size);
        if (!at[size]) return;
        at += size + 1;
    }
}

/* Whether the text comes back as it is when it is written plainly: the reader is asked. */
static bool reads_back(const char *text, bool last)
{
    struct kz_buf file;
    struct kz_tree tree = {0};
    struct kz_violations problems = {0};
    kz_buf_init(&file, 0);
    kz_buf_add_text(&file, "---\nid: x\n---\n\n## x\n\n");
    add_body(&file, text);
    if (!last) kz_buf_add_text(&file, "\n## y\n");
    bool same = kz_tree_read_markdown(&tree, "", kz_buf_text(&file), file.size_bytes, &problems);
    const struct kz_node *steps = same ? kz_node_get(tree.roots[0], "steps") : NULL;
    const struct kz_node *body = steps && steps->child ? kz_node_get(steps->child, "body") : NULL;
    same = body && strcmp(body->word, text) == 0 && (last ? 1 : 2) == steps->child_count;
    kz_violations_fini(&problems);
    kz_tree_fini(&tree);
    kz_buf_fini(&file);
    return same;
}

/* ---- steps ---- */

static void add_quoted(struct kz_buf *out, const char *text)
{
    json_t *value = json_string(text);
    kz_assert(value); /* a record holds UTF-8 only */
    char *quoted = json_dumps(value, JSON_ENCODE_ANY);
    kz_assert(quoted);
    kz_buf_add_text(out, quoted);
    free(quoted);
    json_decref(value);
}

static bool is_plain(const char *text)
{
    size_t length = strlen(text);
    return length > 0 && !strchr(text, '\n') && text[0] != ' ' && text[0] != '"' && text[length - 1] != '\r';
}

static void add_field(struct kz_buf *out, const char *name, const json_t *value)
{
    kz_buf_addf(out, "- %s: ", name);
    if (json_is_string(value) && is_plain(json_string_value(value)))
        kz_buf_add_text(out, json_string_value(value));
    else if (json_is_string(value))
        add_quoted(out, json_string_value(value));
    else if (json_is_integer(value))
        kz_buf_addf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else
        kz_buf_add_text(out, json_is_true(value) ? "true" : "false");
    kz_buf_add_text(out, "\n");
}

static void add_step(struct kz_buf *out, size_t number, const json_t *step, bool last)
{
    const char *key;
    json_t *value;
    const char *title = json_string_value(json_object_get(step, "title"));
    const char *body = json_string_value(json_object_get(step, "body"));
    kz_buf_addf(out, "\n## %zu. %s\n", number, title ? title : "");
    bool plainly = body && reads_back(body, last);
    json_object_foreach((json_t *)(uintptr_t)step, key, value)
    {
        if (strcmp(key, "title") == 0 || (plainly && strcmp(key, "body") == 0)) continue;
        add_field(out, key, value);
    }
    if (!plainly) return;
    kz_buf_add_text(out, "\n");
    add_body(out, body);
}

void kz_markdown_write(struct kz_buf *out, const Kz__Record *runbook)
{
    json_t *record = kz_encode_editable(runbook);
    json_t *steps = json_incref(json_object_get(record, "steps"));
    json_t *title = json_incref(json_object_get(record, "title"));
    json_object_del(record, "steps");
    json_object_del(record, "title");
    kz_buf_add_text(out, "---\n");
    kz_yaml_write(out, record);
    kz_buf_addf(out, "---\n\n# %s\n", title ? json_string_value(title) : "");
    for (size_t i = 0; i < json_array_size(steps); i++)
        add_step(out, i + 1, json_array_get(steps, i), i + 1 == json_array_size(steps));
    json_decref(steps);
    json_decref(title);
    json_decref(record);
}
