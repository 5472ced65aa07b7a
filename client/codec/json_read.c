/* SPDX-License-Identifier: Apache-2.0 */
/* jansson reads and checks the text; because it forgets where each value stood, a second walk over the text, now known
 * to be valid, only finds the places. Object order is the text's in both. */
#include <assert.h>
#include <string.h>

#include <jansson.h>

#include "client/codec/tree.h"

struct walker {
    struct kz_tree *tree;
    struct kz_violations *problems;
    const char *at;
    const char *end;
    struct kz_place place;
    size_t depth;
};

static void step(struct walker *walker)
{
    unsigned char c = (unsigned char)*walker->at++;
    if (c == '\n') {
        walker->place.line++;
        walker->place.column = 1;
    } else if ((c & 0xC0) != 0x80) {
        walker->place.column++;
    }
}

static void skip(struct walker *walker, const char *characters)
{
    while (walker->at < walker->end && *walker->at && strchr(characters, *walker->at))
        step(walker);
}

/* Continuation bytes of the last character stay uncounted, so a column is a character. */
static void skip_string(struct walker *walker)
{
    step(walker);
    while (walker->at < walker->end && *walker->at != '"') {
        if (*walker->at == '\\') step(walker);
        step(walker);
    }
    step(walker);
}

static void skip_word(struct walker *walker)
{
    while (walker->at < walker->end && !strchr(" \t\r\n,]}", *walker->at))
        step(walker);
}

static struct kz_node *convert(struct walker *walker, const json_t *value);

static bool convert_object(struct walker *walker, json_t *value, struct kz_node *node)
{
    step(walker);
    const char *key;
    json_t *item;
    json_object_foreach(value, key, item)
    {
        skip(walker, " \t\r\n,");
        struct kz_place key_place = walker->place;
        skip_string(walker);
        skip(walker, " \t\r\n:");
        struct kz_node *child = convert(walker, item);
        if (!child) return false;
        child->key = kz_tree_text(walker->tree, key, strlen(key));
        child->key_place = key_place;
        kz_node_add(node, child);
    }
    skip(walker, " \t\r\n");
    step(walker);
    return true;
}

static bool convert_array(struct walker *walker, const json_t *value, struct kz_node *node)
{
    step(walker);
    for (size_t i = 0; i < json_array_size(value); i++) {
        skip(walker, " \t\r\n,");
        struct kz_node *child = convert(walker, json_array_get(value, i));
        if (!child) return false;
        kz_node_add(node, child);
    }
    skip(walker, " \t\r\n");
    step(walker);
    return true;
}

static enum kz_node_type type_of(const json_t *value)
{
    if (json_is_object(value)) return KZ_NODE_MAP;
    if (json_is_array(value)) return KZ_NODE_LIST;
    return json_is_null(value) ? KZ_NODE_NULL : KZ_NODE_WORD;
}

static struct kz_node *convert(struct walker *walker, const json_t *value)
{
    skip(walker, " \t\r\n");
    struct kz_node *node = kz_tree_new_node(walker->tree, type_of(value), walker->place, walker->problems);
    if (!node) return NULL;
    if (json_is_string(value)) {
        node->word = kz_tree_text(walker->tree, json_string_value(value), json_string_length(value));
        skip_string(walker);
        return node;
    }
    if (node->type == KZ_NODE_WORD || node->type == KZ_NODE_NULL) {
        const char *start = walker->at;
        skip_word(walker);
        node->number = node->type == KZ_NODE_WORD;
        node->word = kz_tree_text(walker->tree, start, (size_t)(walker->at - start));
        return node;
    }
    if (walker->depth == KZ_DOCUMENT_MAX_DEPTH) {
        kz_problem_add(walker->problems, node->place, "document.depth", KZ_T_DOC_TOO_DEEP, KZ_TEXT_ARGS("32"));
        return NULL;
    }
    static_assert(KZ_DOCUMENT_MAX_DEPTH == 32, "the text above says so");
    walker->depth++;
    bool fine = node->type == KZ_NODE_MAP ? convert_object(walker, (json_t *)(uintptr_t)value, node)
                                          : convert_array(walker, value, node);
    walker->depth--;
    return fine ? node : NULL;
}

/* jansson counts columns in characters from 0 at the last one read. */
static void report_syntax(const json_error_t *error, const char *file, struct kz_violations *problems)
{
    struct kz_place place = {
        .file = file, .line = error->line > 0 ? error->line : 1, .column = error->column > 0 ? error->column : 1};
    bool duplicate = json_error_code(error) == json_error_duplicate_key;
    kz_problem_add(problems, place, duplicate ? "document.duplicate" : "document.syntax", KZ_T_DOC_SYNTAX,
                   KZ_TEXT_ARGS("JSON", error->text));
}

bool kz_tree_read_json(struct kz_tree *tree, const char *file, const char *bytes, size_t size_bytes,
                       struct kz_violations *problems)
{
    json_error_t error;
    json_t *value = json_loadb(bytes, size_bytes, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (!value) {
        report_syntax(&error, file, problems);
        return false;
    }
    struct walker walker = {.tree = tree,
                            .problems = problems,
                            .at = bytes,
                            .end = bytes + size_bytes,
                            .place = {.file = file, .line = 1, .column = 1}};
    struct kz_node *root = convert(&walker, value);
    json_decref(value);
    if (!root) return false;
    kz_tree_add_root(tree, root);
    return true;
}
