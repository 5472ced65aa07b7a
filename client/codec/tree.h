/* SPDX-License-Identifier: Apache-2.0 */
/* What a YAML or JSON file says, with the place of every value: mappings, lists, words. Knows nothing of records.
 * A tree owns all its memory. One thread. */
#ifndef KZ_CLIENT_CODEC_TREE_H
#define KZ_CLIENT_CODEC_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "client/codec/problem.h"

#define KZ_DOCUMENT_MAX_BYTES (32u << 20)
#define KZ_DOCUMENT_MAX_VALUES 1000000u
#define KZ_DOCUMENT_MAX_DEPTH 32u
#define KZ_DOCUMENT_MAX_KEYS 2000u /* of one YAML mapping: looking for a duplicate is linear */

enum kz_node_type { KZ_NODE_NULL, KZ_NODE_WORD, KZ_NODE_MAP, KZ_NODE_LIST };

struct kz_node {
    enum kz_node_type type;
    bool number;      /* JSON only: a number or boolean, not a text */
    const char *word; /* WORD: the text, valid UTF-8 */
    const char *key;  /* in a mapping: this value's key */
    struct kz_place place;
    struct kz_place key_place;
    struct kz_node *child; /* MAP, LIST: the first; in the file's order */
    struct kz_node *last;
    size_t child_count;
    struct kz_node *next;
};

struct kz_tree {
    struct kz_node **roots; /* one per YAML document, one for JSON */
    size_t root_count;
    size_t value_count;
    struct kz_tree_block *blocks;
};

/* Adds the file's documents. False: something was wrong, and all of it is in `problems`. `file` is borrowed for the
 * life of the tree. */
bool kz_tree_read_yaml(struct kz_tree *tree, const char *file, const char *bytes, size_t size_bytes,
                       struct kz_violations *problems);
bool kz_tree_read_json(struct kz_tree *tree, const char *file, const char *bytes, size_t size_bytes,
                       struct kz_violations *problems);
/* By the name's ending (.md: a runbook, markdown.h); a nameless input is JSON when it begins with { or [. Checks size
 * and UTF-8 first. */
bool kz_tree_read(struct kz_tree *tree, const char *file, const char *bytes, size_t size_bytes,
                  struct kz_violations *problems);
void kz_tree_fini(struct kz_tree *tree);

const struct kz_node *kz_node_get(const struct kz_node *map, const char *key); /* NULL: absent, or no mapping */

/* For the readers. */
void *kz_tree_alloc(struct kz_tree *tree, size_t size_bytes);
char *kz_tree_text(struct kz_tree *tree, const char *bytes, size_t size_bytes);
/* NULL (and a problem): too many values. */
struct kz_node *kz_tree_new_node(struct kz_tree *tree, enum kz_node_type type, struct kz_place place,
                                 struct kz_violations *problems);
void kz_tree_add_root(struct kz_tree *tree, struct kz_node *root);
void kz_node_add(struct kz_node *parent, struct kz_node *child);

#endif
