/* SPDX-License-Identifier: Apache-2.0 */
#include "client/codec/markdown.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#include "node/base/assert.h"

#define BLOCK_BYTES (64u << 10)
#define NUMBER_TEXT_BYTES 24

struct kz_tree_block {
    struct kz_tree_block *next;
    size_t used_bytes;
    size_t size_bytes;
    _Alignas(max_align_t) char bytes[];
};

void *kz_tree_alloc(struct kz_tree *tree, size_t size_bytes)
{
    size_t need = (size_bytes + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    struct kz_tree_block *block = tree->blocks;
    if (!block || block->size_bytes - block->used_bytes < need) {
        size_t size = need > BLOCK_BYTES ? need : BLOCK_BYTES;
        block = kz_must_alloc(1, sizeof *block + size);
        block->size_bytes = size;
        block->next = tree->blocks;
        tree->blocks = block;
    }
    void *memory = block->bytes + block->used_bytes;
    block->used_bytes += need;
    return memory;
}

char *kz_tree_text(struct kz_tree *tree, const char *bytes, size_t size_bytes)
{
    char *copy = kz_tree_alloc(tree, size_bytes + 1);
    memcpy(copy, bytes, size_bytes);
    copy[size_bytes] = '\0';
    return copy;
}

struct kz_node *kz_tree_new_node(struct kz_tree *tree, enum kz_node_type type, struct kz_place place,
                                 struct kz_violations *problems)
{
    if (tree->value_count++ >= KZ_DOCUMENT_MAX_VALUES) {
        char limit[NUMBER_TEXT_BYTES];
        snprintf(limit, sizeof limit, "%u", KZ_DOCUMENT_MAX_VALUES);
        kz_problem_add(problems, place, "document.values", KZ_T_DOC_TOO_MANY, KZ_TEXT_ARGS(limit));
        return NULL;
    }
    struct kz_node *node = kz_tree_alloc(tree, sizeof *node);
    node->type = type;
    node->place = place;
    return node;
}

void kz_tree_add_root(struct kz_tree *tree, struct kz_node *root)
{
    tree->roots = kz_must_realloc(tree->roots, (tree->root_count + 1) * sizeof(struct kz_node *));
    tree->roots[tree->root_count++] = root;
}

void kz_node_add(struct kz_node *parent, struct kz_node *child)
{
    if (parent->last)
        parent->last->next = child;
    else
        parent->child = child;
    parent->last = child;
    parent->child_count++;
}

void kz_tree_fini(struct kz_tree *tree)
{
    while (tree->blocks) {
        struct kz_tree_block *next = tree->blocks->next;
        free(tree->blocks);
        tree->blocks = next;
    }
    free(tree->roots);
    *tree = (struct kz_tree){0};
}

const struct kz_node *kz_node_get(const struct kz_node *map, const char *key)
{
    if (!map || map->type != KZ_NODE_MAP) return NULL;
    for (const struct kz_node *child = map->child; child; child = child->next)
        if (strcmp(child->key, key) == 0) return child;
    return NULL;
}

/* The first bad byte of each line is reported: a Shift_JIS file would otherwise give thousands. */
static bool check_utf8(const char *file, const char *bytes, size_t size_bytes, struct kz_violations *problems)
{
    struct kz_place place = {.file = file, .line = 1, .column = 1};
    bool fine = true, reported = false;
    for (size_t at = 0; at < size_bytes;) {
        utf8proc_int32_t point;
        utf8proc_ssize_t length =
            utf8proc_iterate((const utf8proc_uint8_t *)bytes + at, (utf8proc_ssize_t)(size_bytes - at), &point);
        if (length <= 0 && !reported) {
            char hex[3];
            snprintf(hex, sizeof hex, "%02X", (unsigned)(unsigned char)bytes[at]);
            kz_problem_add(problems, place, "document.utf8", KZ_T_DOC_UTF8, KZ_TEXT_ARGS(hex));
            fine = false;
            reported = true;
        }
        at += length > 0 ? (size_t)length : 1;
        place.column++;
        if (length == 1 && point == '\n') place.line++, place.column = 1, reported = false;
    }
    return fine;
}

static bool ends_with(const char *text, const char *end)
{
    size_t a = strlen(text), b = strlen(end);
    return a >= b && strcmp(text + a - b, end) == 0;
}

static bool is_json(const char *file, const char *bytes, size_t size_bytes)
{
    if (ends_with(file, ".json")) return true;
    if (ends_with(file, ".yaml") || ends_with(file, ".yml")) return false;
    for (size_t i = 0; i < size_bytes; i++)
        if (!strchr(" \t\r\n", bytes[i])) return bytes[i] == '{' || bytes[i] == '[';
    return false;
}

bool kz_tree_read(struct kz_tree *tree, const char *file, const char *bytes, size_t size_bytes,
                  struct kz_violations *problems)
{
    struct kz_place start = {.file = file, .line = 1, .column = 1};
    if (size_bytes > KZ_DOCUMENT_MAX_BYTES) {
        char limit[NUMBER_TEXT_BYTES];
        snprintf(limit, sizeof limit, "%u", KZ_DOCUMENT_MAX_BYTES);
        kz_problem_add(problems, start, "document.size", KZ_T_DOC_TOO_BIG, KZ_TEXT_ARGS(limit));
        return false;
    }
    if (size_bytes >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0) bytes += 3, size_bytes -= 3; /* Excel's, Notepad's */
    if (!check_utf8(file, bytes, size_bytes, problems)) return false;
    if (ends_with(file, ".md")) return kz_tree_read_markdown(tree, file, bytes, size_bytes, problems);
    if (is_json(file, bytes, size_bytes)) return kz_tree_read_json(tree, file, bytes, size_bytes, problems);
    return kz_tree_read_yaml(tree, file, bytes, size_bytes, problems);
}
