/* SPDX-License-Identifier: Apache-2.0 */
#include "client/codec/mapping.h"

#include <stdlib.h>
#include <string.h>

#include "node/base/config.h"
#include "node/registry/text.h"

#define SAME_MAX_BYTES 512

static void refuse(struct kz_violations *problems, struct kz_place place, enum kz_text_id text, const char *a,
                   const char *b)
{
    kz_problem_add(problems, place, "mapping", text, KZ_TEXT_ARGS(a, b));
}

/* ---- reading ---- */

static void check_path(const struct kz_mapping *mapping, const char *name, struct kz_place place,
                       struct kz_violations *problems)
{
    struct kz_column_path path;
    const struct kz_field *near = NULL;
    if (kz_column_parse(mapping->kind, name, &path, &near)) return;
    refuse(problems, place, near ? KZ_T_MAPPING_FIELD_NEAR : KZ_T_MAPPING_FIELD, name, near ? near->name : NULL);
}

/* {word: word}; `names`: 1 the words, -1 the keys are fields. */
static void check_words(const struct kz_mapping *mapping, const struct kz_node *map, int names,
                        struct kz_violations *problems)
{
    if (map->type != KZ_NODE_MAP) {
        refuse(problems, map->place, KZ_T_MAPPING_WORDS, map->key, NULL);
        return;
    }
    for (const struct kz_node *node = map->child; node; node = node->next) {
        if (node->type != KZ_NODE_WORD && node->type != KZ_NODE_NULL)
            refuse(problems, node->place, KZ_T_MAPPING_WORDS, node->key, NULL);
        else if (names > 0)
            check_path(mapping, node->type == KZ_NODE_WORD ? node->word : "", node->place, problems);
        else if (names < 0)
            check_path(mapping, node->key, node->key_place, problems);
    }
}

static void check_list(const struct kz_node *list, struct kz_violations *problems)
{
    bool fine = list->type == KZ_NODE_LIST;
    for (const struct kz_node *node = fine ? list->child : NULL; node; node = node->next)
        fine = fine && node->type == KZ_NODE_WORD;
    if (!fine) refuse(problems, list->place, KZ_T_MAPPING_IGNORE, list->key, NULL);
}

static void read_id(struct kz_mapping *mapping, const struct kz_node *node, struct kz_violations *problems)
{
    const struct kz_node *column = kz_node_get(node, "column"), *prefix = kz_node_get(node, "prefix"),
                         *of = kz_node_get(node, "of");
    bool fine = column && node->child_count == 1u + (prefix != NULL) + (of != NULL);
    for (const struct kz_node *part = fine ? node->child : NULL; part; part = part->next)
        fine = fine && part->type == KZ_NODE_WORD;
    mapping->id_of = fine && of ? kz_kind_by_name(of->word) : NULL;
    if (!fine || (of && !mapping->id_of)) {
        refuse(problems, node->place, KZ_T_MAPPING_ID, NULL, NULL);
        return;
    }
    mapping->id_column = column->word;
    if (prefix) mapping->id_prefix = prefix->word;
}

static void read_part(struct kz_mapping *mapping, const struct kz_node *node, struct kz_violations *problems)
{
    int64_t row;
    if (strcmp(node->key, "kind") == 0) return;
    if (strcmp(node->key, "header_row") == 0) {
        if (node->type == KZ_NODE_WORD && kz_parse_integer(node->word, &row) && row > 0)
            mapping->header_row = (size_t)row;
        else
            refuse(problems, node->place, KZ_T_MAPPING_ROW, NULL, NULL);
    } else if (strcmp(node->key, "id") == 0) {
        read_id(mapping, node, problems);
    } else if (strcmp(node->key, "columns") == 0) {
        check_words(mapping, node, 1, problems);
    } else if (strcmp(node->key, "constants") == 0) {
        check_words(mapping, node, -1, problems);
    } else if (strcmp(node->key, "values") == 0 && node->type == KZ_NODE_MAP) {
        for (const struct kz_node *column = node->child; column; column = column->next)
            check_words(mapping, column, 0, problems);
    } else if (strcmp(node->key, "skip") == 0 && node->type == KZ_NODE_MAP) {
        for (const struct kz_node *column = node->child; column; column = column->next)
            check_list(column, problems);
    } else if (strcmp(node->key, "ignore") == 0) {
        check_list(node, problems);
    } else {
        refuse(problems, node->key_place, KZ_T_MAPPING_KEY, node->key, NULL);
    }
}

bool kz_mapping_read(struct kz_mapping *mapping, const char *file, const char *bytes, size_t size_bytes,
                     struct kz_violations *problems)
{
    *mapping = (struct kz_mapping){.id_prefix = ""};
    struct kz_place start = {.file = file, .line = 1, .column = 1};
    size_t before = problems->count;
    if (!kz_tree_read(&mapping->tree, file, bytes, size_bytes, problems)) return false;
    mapping->root = mapping->tree.root_count == 1 ? mapping->tree.roots[0] : NULL;
    const struct kz_node *kind = kz_node_get(mapping->root, "kind");
    mapping->kind = kind && kind->type == KZ_NODE_WORD ? kz_kind_by_name(kind->word) : NULL;
    if (!mapping->kind) {
        refuse(problems, kind ? kind->place : start, KZ_T_MAPPING_KIND, NULL, NULL);
        return false;
    }
    for (const struct kz_node *node = mapping->root->child; node; node = node->next)
        read_part(mapping, node, problems);
    return problems->count == before;
}

void kz_mapping_fini(struct kz_mapping *mapping)
{
    kz_tree_fini(&mapping->tree);
    *mapping = (struct kz_mapping){0};
}

/* ---- asking ---- */

/* Folded, without spaces and line breaks. */
static bool make_key(const char *header, char key[SAME_MAX_BYTES])
{
    if (!kz_text_fold(header, key, SAME_MAX_BYTES)) return false;
    char *to = key;
    for (const char *from = key; *from; from++)
        if (!strchr(" \t\r\n", *from)) *to++ = *from;
    *to = '\0';
    return true;
}

bool kz_mapping_same(const char *a, const char *b)
{
    char x[SAME_MAX_BYTES], y[SAME_MAX_BYTES];
    return make_key(a, x) && make_key(b, y) && strcmp(x, y) == 0;
}

static const struct kz_node *find(const struct kz_node *map, const char *key)
{
    for (const struct kz_node *node = map ? map->child : NULL; node; node = node->next)
        if (kz_mapping_same(node->key, key)) return node;
    return NULL;
}

const char *kz_mapping_field(const struct kz_mapping *mapping, const char *header)
{
    const struct kz_node *node = find(kz_node_get(mapping->root, "columns"), header);
    return node ? node->word : NULL;
}

bool kz_mapping_ignores(const struct kz_mapping *mapping, const char *header)
{
    const struct kz_node *list = kz_node_get(mapping->root, "ignore");
    for (const struct kz_node *node = list ? list->child : NULL; node; node = node->next)
        if (kz_mapping_same(node->word, header)) return true;
    return find(kz_node_get(mapping->root, "skip"), header) != NULL; /* it has said what it is there for */
}

bool kz_mapping_skips(const struct kz_mapping *mapping, const char *header, const char *value)
{
    const struct kz_node *list = find(kz_node_get(mapping->root, "skip"), header);
    for (const struct kz_node *node = list ? list->child : NULL; node; node = node->next)
        if (kz_mapping_same(node->word, value)) return true;
    return false;
}

const char *kz_mapping_value(const struct kz_mapping *mapping, const char *header, const char *value)
{
    const struct kz_node *node = find(find(kz_node_get(mapping->root, "values"), header), value);
    if (!node) return value;
    return node->type == KZ_NODE_WORD ? node->word : "";
}

const struct kz_node *kz_mapping_constants(const struct kz_mapping *mapping)
{
    const struct kz_node *map = kz_node_get(mapping->root, "constants");
    return map ? map->child : NULL;
}
