/* SPDX-License-Identifier: Apache-2.0 */
/* libyaml's events into a tree. Anchors and aliases are refused: a few lines of them can stand for gigabytes. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <yaml.h>

#include "client/codec/tree.h"

#define KEYS_TEXT "2000"
static_assert(KZ_DOCUMENT_MAX_KEYS == 2000, "the text says so");

struct reader {
    struct kz_tree *tree;
    const char *file;
    struct kz_violations *problems;
    size_t first_problem;
    yaml_parser_t parser;
    struct kz_node *open[KZ_DOCUMENT_MAX_DEPTH]; /* mappings and lists not yet closed */
    struct kz_node *key[KZ_DOCUMENT_MAX_DEPTH];  /* a mapping's key that waits for its value */
    size_t depth;
};

static struct kz_place place_of(const struct reader *reader, yaml_mark_t mark)
{
    return (struct kz_place){.file = reader->file, .line = (int)mark.line + 1, .column = (int)mark.column + 1};
}

static bool fail(struct reader *reader, struct kz_place place, const char *rule, enum kz_text_id text, const char *arg)
{
    kz_problem_add(reader->problems, place, rule, text, KZ_TEXT_ARGS(arg));
    return false;
}

/* As YAML 1.2's core schema: only these, and only unquoted, mean "no value". */
static bool is_null(const yaml_event_t *event)
{
    if (event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE) return false;
    const char *text = (const char *)event->data.scalar.value;
    return !*text || strcmp(text, "~") == 0 || strcmp(text, "null") == 0 || strcmp(text, "Null") == 0 ||
           strcmp(text, "NULL") == 0;
}

static bool check_duplicate(struct reader *reader, const struct kz_node *map, const struct kz_node *key)
{
    if (!kz_node_get(map, key->word)) return true;
    return fail(reader, key->place, "document.duplicate", KZ_T_DOC_DUPLICATE, key->word);
}

/* Puts a finished value where it belongs; a word in key position becomes the key of the next value. */
static bool place_node(struct reader *reader, struct kz_node *node)
{
    if (reader->depth == 0) {
        kz_tree_add_root(reader->tree, node);
        return true;
    }
    struct kz_node *parent = reader->open[reader->depth - 1];
    struct kz_node **key = &reader->key[reader->depth - 1];
    if (parent->type == KZ_NODE_LIST) {
        kz_node_add(parent, node);
        return true;
    }
    if (!*key) {
        if (node->type != KZ_NODE_WORD) return fail(reader, node->place, "document.key", KZ_T_DOC_KEY_NOT_TEXT, NULL);
        if (parent->child_count >= KZ_DOCUMENT_MAX_KEYS)
            return fail(reader, node->place, "document.values", KZ_T_DOC_TOO_MANY, KEYS_TEXT);
        (void)check_duplicate(reader, parent, node); /* reported; reading goes on to find the other problems */
        *key = node;
        return true;
    }
    node->key = (*key)->word;
    node->key_place = (*key)->place;
    *key = NULL;
    kz_node_add(parent, node);
    return true;
}

static bool check_decoration(struct reader *reader, const yaml_char_t *anchor, const yaml_char_t *tag,
                             struct kz_place place)
{
    static const char core[] = "tag:yaml.org,2002:";
    if (anchor) return fail(reader, place, "document.alias", KZ_T_DOC_ALIAS, NULL);
    if (tag && strncmp((const char *)tag, core, sizeof core - 1) != 0)
        return fail(reader, place, "document.tag", KZ_T_DOC_TAG, (const char *)tag);
    return true;
}

static bool read_scalar(struct reader *reader, const yaml_event_t *event)
{
    struct kz_place place = place_of(reader, event->start_mark);
    if (!check_decoration(reader, event->data.scalar.anchor, event->data.scalar.tag, place)) return false;
    enum kz_node_type type = is_null(event) ? KZ_NODE_NULL : KZ_NODE_WORD;
    struct kz_node *node = kz_tree_new_node(reader->tree, type, place, reader->problems);
    if (!node) return false;
    const char *text = (const char *)event->data.scalar.value;
    size_t length = event->data.scalar.length;
    if (memchr(text, '\0', length)) return fail(reader, place, "document.syntax", KZ_T_DOC_KEY_NOT_TEXT, NULL);
    node->word = kz_tree_text(reader->tree, text, length);
    return place_node(reader, node);
}

static bool open_node(struct reader *reader, const yaml_event_t *event, enum kz_node_type type,
                      const yaml_char_t *anchor, const yaml_char_t *tag)
{
    struct kz_place place = place_of(reader, event->start_mark);
    if (!check_decoration(reader, anchor, tag, place)) return false;
    if (reader->depth == KZ_DOCUMENT_MAX_DEPTH) {
        char limit[16];
        snprintf(limit, sizeof limit, "%u", KZ_DOCUMENT_MAX_DEPTH);
        return fail(reader, place, "document.depth", KZ_T_DOC_TOO_DEEP, limit);
    }
    struct kz_node *node = kz_tree_new_node(reader->tree, type, place, reader->problems);
    if (!node || !place_node(reader, node)) return false;
    reader->open[reader->depth] = node;
    reader->key[reader->depth] = NULL;
    reader->depth++;
    return true;
}

static bool read_event(struct reader *reader, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return read_scalar(reader, event);
    case YAML_MAPPING_START_EVENT:
        return open_node(reader, event, KZ_NODE_MAP, event->data.mapping_start.anchor, event->data.mapping_start.tag);
    case YAML_SEQUENCE_START_EVENT:
        return open_node(reader, event, KZ_NODE_LIST, event->data.sequence_start.anchor,
                         event->data.sequence_start.tag);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        reader->depth--;
        return true;
    case YAML_ALIAS_EVENT:
        return fail(reader, place_of(reader, event->start_mark), "document.alias", KZ_T_DOC_ALIAS, NULL);
    default:
        return true;
    }
}

/* libyaml's own sentences, in English; the place and the line tell the rest. */
static void report_syntax(struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    char text[256];
    const char *problem = parser->problem ? parser->problem : "unreadable";
    if (parser->context && parser->error != YAML_READER_ERROR)
        snprintf(text, sizeof text, "%s %s", problem, parser->context);
    else
        snprintf(text, sizeof text, "%s", problem);
    /* Of a quote that is never closed the beginning is worth more than the end of the file. */
    bool unclosed = parser->context && strstr(problem, "unexpected end of stream");
    struct kz_place place = place_of(reader, unclosed ? parser->context_mark : parser->problem_mark);
    if (parser->error == YAML_READER_ERROR) place = place_of(reader, parser->mark);
    kz_problem_add(reader->problems, place, "document.syntax", KZ_T_DOC_SYNTAX, KZ_TEXT_ARGS("YAML", text));
}

bool kz_tree_read_yaml(struct kz_tree *tree, const char *file, const char *bytes, size_t size_bytes,
                       struct kz_violations *problems)
{
    struct reader reader = {.tree = tree, .file = file, .problems = problems, .first_problem = problems->count};
    if (!yaml_parser_initialize(&reader.parser)) {
        kz_problem_add(problems, (struct kz_place){file, 1, 1}, "document.syntax", KZ_T_DOC_SYNTAX,
                       KZ_TEXT_ARGS("YAML", "out of memory"));
        return false;
    }
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)bytes, size_bytes);
    bool more = true;
    while (more) {
        yaml_event_t event;
        if (!yaml_parser_parse(&reader.parser, &event)) {
            report_syntax(&reader);
            break;
        }
        more = event.type != YAML_STREAM_END_EVENT && read_event(&reader, &event);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&reader.parser);
    if (reader.depth > 0) tree->root_count--; /* it broke off there: what it lacks was perhaps still to come */
    return problems->count == reader.first_problem;
}
