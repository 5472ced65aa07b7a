/* SPDX-License-Identifier: Apache-2.0 */
#include "client/codec/decode.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/codec/describe.h"
#include "node/base/assert.h"
#include "node/base/config.h"

#define REV_KEY "rev"
#define LABELS_KEY "labels"
#define SEGMENT_MAX_BYTES 64

static void add_problem(struct kz_violations *problems, struct kz_place place, const char *rule, enum kz_text_id text,
                        const char *a, const char *b)
{
    kz_problem_add(problems, place, rule, text, KZ_TEXT_ARGS(a, b));
}

bool kz_codec_repeated(const ProtobufCMessageDescriptor *message, const struct kz_field *field)
{
    const ProtobufCFieldDescriptor *at = protobuf_c_message_descriptor_get_field_by_name(message, field->name);
    kz_assert(at);
    return at->label == PROTOBUF_C_LABEL_REPEATED;
}

/* ---- values ---- */

static void decode_fields(ProtobufCMessage *message, const struct kz_field *fields, const struct kz_node *map,
                          struct kz_violations *problems);

static void decode_word(ProtobufCMessage *message, const struct kz_field *field, const struct kz_node *node,
                        struct kz_violations *problems)
{
    bool text = field->type == KZ_FIELD_TEXT || field->type == KZ_FIELD_PROSE || field->type == KZ_FIELD_REF;
    if (text && node->number) {
        add_problem(problems, node->place, "field.type", KZ_T_DOC_WANT_TEXT, field->name, NULL);
        return;
    }
    const struct kz_text *reason = kz_value_parse(message, field, node->word);
    if (!reason) return;
    if (field->type == KZ_FIELD_ENUM) {
        struct kz_buf names;
        kz_buf_init(&names, 0);
        kz_describe_values(&names, field);
        kz_problem_add(problems, node->place, "field.choice", KZ_T_DOC_BAD_CHOICE,
                       KZ_TEXT_ARGS(field->name, node->word, kz_buf_text(&names)));
        kz_buf_fini(&names);
        return;
    }
    struct kz_buf en, ja;
    kz_buf_init(&en, 0);
    kz_buf_init(&ja, 0);
    kz_text_fill(&en, KZ_T_DOC_BAD_VALUE, false, KZ_TEXT_ARGS(field->name, node->word, reason->en));
    kz_text_fill(&ja, KZ_T_DOC_BAD_VALUE, true, KZ_TEXT_ARGS(field->name, node->word, reason->ja));
    struct kz_text both = {.en = kz_buf_text(&en), .ja = kz_buf_text(&ja)};
    kz_problem_add_text(problems, node->place, "field.value", &both, field->source);
    kz_buf_fini(&en);
    kz_buf_fini(&ja);
}

static void decode_group(ProtobufCMessage *message, const struct kz_field *field, const struct kz_node *node,
                         struct kz_violations *problems)
{
    if (node->type != KZ_NODE_MAP) {
        struct kz_buf names;
        kz_buf_init(&names, 0);
        for (const struct kz_field *member = field->fields; member->name; member++)
            kz_buf_addf(&names, "%s%s", member == field->fields ? "" : ", ", member->name);
        add_problem(problems, node->place, "field.type", KZ_T_DOC_WANT_GROUP, field->name, kz_buf_text(&names));
        kz_buf_fini(&names);
        return;
    }
    ProtobufCMessage *group = kz_value_add_group(message, field);
    kz_assert(group); /* a command-line program: out of memory ends it */
    decode_fields(group, field->fields, node, problems);
}

static void decode_item(ProtobufCMessage *message, const struct kz_field *field, const struct kz_node *node,
                        struct kz_violations *problems)
{
    if (node->type == KZ_NODE_NULL) return;
    if (field->type == KZ_FIELD_GROUP) {
        decode_group(message, field, node, problems);
    } else if (node->type != KZ_NODE_WORD) {
        struct kz_buf type;
        kz_buf_init(&type, 0);
        kz_describe_type(&type, field, false);
        add_problem(problems, node->place, "field.type", KZ_T_DOC_WANT_SCALAR, field->name, kz_buf_text(&type));
        kz_buf_fini(&type);
    } else {
        decode_word(message, field, node, problems);
    }
}

/* A single value where a list may stand is a list of one. */
static void decode_field(ProtobufCMessage *message, const struct kz_field *field, const struct kz_node *node,
                         struct kz_violations *problems)
{
    if (!kz_codec_repeated(message->descriptor, field) || node->type != KZ_NODE_LIST) {
        decode_item(message, field, node, problems);
        return;
    }
    for (const struct kz_node *item = node->child; item; item = item->next)
        decode_item(message, field, item, problems);
}

static void report_unknown(const struct kz_field *fields, const struct kz_field *more, const struct kz_node *node,
                           struct kz_violations *problems)
{
    const struct kz_field *near = kz_field_nearest(fields, node->key);
    if (!near && more) near = kz_field_nearest(more, node->key);
    add_problem(problems, node->key_place, "field.known", near ? KZ_T_DOC_UNKNOWN_FIELD_NEAR : KZ_T_DOC_UNKNOWN_FIELD,
                node->key, near ? near->name : NULL);
}

static bool is_given(const struct kz_field *field)
{
    return (field->flags & (KZ_FIELD_SYSTEM | KZ_FIELD_DERIVED)) == 0;
}

/* By its name as it stands, without folding: names written by a program are. */
static bool is_name(const struct kz_field *fields, const char *key)
{
    for (const struct kz_field *field = fields; field && field->name; field++)
        if (strcmp(field->name, key) == 0) return true;
    return false;
}

/* "rto" and 目標復旧時間 in one mapping are the same field twice. `first`: fields that a key means before it can mean
 * one of `fields`, or NULL. */
static bool check_once(const struct kz_field *field, const struct kz_node *map, const struct kz_node *node,
                       const struct kz_field *fields, const struct kz_field *first, struct kz_violations *problems)
{
    for (const struct kz_node *other = map->child; other != node; other = other->next) {
        if (is_name(first, other->key) || kz_field_by_name(fields, other->key) != field) continue;
        add_problem(problems, node->key_place, "document.duplicate", KZ_T_DOC_DUPLICATE, field->name, NULL);
        return false;
    }
    return true;
}

static void decode_fields(ProtobufCMessage *message, const struct kz_field *fields, const struct kz_node *map,
                          struct kz_violations *problems)
{
    for (const struct kz_node *node = map->child; node; node = node->next) {
        const struct kz_field *field = kz_field_by_name(fields, node->key);
        if (!field)
            report_unknown(fields, NULL, node, problems);
        else if (is_given(field) && check_once(field, map, node, fields, NULL, problems))
            decode_field(message, field, node, problems);
    }
}

/* ---- the record ---- */

static void decode_labels(Kz__Record *record, const struct kz_field *field, const struct kz_node *node,
                          struct kz_violations *problems)
{
    if (node->type == KZ_NODE_NULL) return;
    if (node->type != KZ_NODE_MAP) {
        add_problem(problems, node->place, "field.type", KZ_T_DOC_LABELS, NULL, NULL);
        return;
    }
    const struct kz_field *key = kz_field_by_name(field->fields, "key");
    const struct kz_field *value = kz_field_by_name(field->fields, "value");
    for (const struct kz_node *item = node->child; item; item = item->next) {
        if (item->type != KZ_NODE_WORD) {
            add_problem(problems, item->place, "field.type", KZ_T_DOC_LABELS, NULL, NULL);
            continue;
        }
        ProtobufCMessage *label = kz_value_add_group(&record->base, field);
        kz_assert(label && kz_value_add_text(label, key, item->key) && kz_value_add_text(label, value, item->word));
    }
}

static void decode_rev(struct kz_entry *entry, const struct kz_node *node, struct kz_violations *problems)
{
    int64_t rev;
    if (node->type == KZ_NODE_NULL) return;
    if (node->type != KZ_NODE_WORD || !kz_parse_integer(node->word, &rev) || rev < 0) {
        add_problem(problems, node->place, "field.type", KZ_T_DOC_BAD_REV, NULL, NULL);
        return;
    }
    entry->has_rev = true;
    entry->rev = (uint64_t)rev;
}

static const struct kz_kind *decode_kind(const struct kz_node *map, struct kz_violations *problems)
{
    const struct kz_node *node = kz_node_get(map, "kind");
    struct kz_buf names;
    kz_buf_init(&names, 0);
    kz_describe_kinds(&names);
    const struct kz_kind *kind = NULL;
    if (!node || node->type != KZ_NODE_WORD) {
        add_problem(problems, node ? node->place : map->place, "record.kind", KZ_T_DOC_NO_KIND, kz_buf_text(&names),
                    NULL);
    } else if (!(kind = kz_kind_by_name(node->word))) {
        const struct kz_kind *near = kz_kind_nearest(node->word);
        add_problem(problems, node->place, "record.kind", near ? KZ_T_DOC_BAD_KIND : KZ_T_DOC_BAD_KIND_LIST, node->word,
                    near ? near->name : kz_buf_text(&names));
    }
    kz_buf_fini(&names);
    return kind;
}

static const char *decode_id(const struct kz_node *map, struct kz_violations *problems)
{
    const struct kz_node *node = kz_node_get(map, "id");
    if (!node || node->type != KZ_NODE_WORD) {
        add_problem(problems, node ? node->place : map->place, "record.id", KZ_T_DOC_NO_ID, NULL, NULL);
        return NULL;
    }
    if (!kz_id_valid(node->word)) {
        add_problem(problems, node->place, "record.id", KZ_T_DOC_BAD_ID, node->word, NULL);
        return NULL;
    }
    return node->word;
}

static void decode_record_fields(struct kz_entry *entry, const struct kz_kind *kind, struct kz_violations *problems)
{
    const struct kz_field *envelope = kz_envelope_fields();
    ProtobufCMessage *body = kz_record_make_body(entry->record);
    kz_assert(body);
    for (const struct kz_node *node = entry->node->child; node; node = node->next) {
        if (strcmp(node->key, "kind") == 0 || strcmp(node->key, "id") == 0) continue;
        if (strcmp(node->key, REV_KEY) == 0) {
            decode_rev(entry, node, problems);
            continue;
        }
        const struct kz_field *field = kz_field_by_name(kind->fields, node->key);
        bool in_body = field != NULL;
        if (!field) field = kz_field_by_name(envelope, node->key);
        if (!field)
            report_unknown(kind->fields, envelope, node, problems);
        else if (!is_given(field) || !check_once(field, entry->node, node, in_body ? kind->fields : envelope,
                                                 in_body ? NULL : kind->fields, problems))
            continue;
        else if (!in_body && strcmp(field->name, LABELS_KEY) == 0)
            decode_labels(entry->record, field, node, problems);
        else
            decode_field(in_body ? body : &entry->record->base, field, node, problems);
    }
}

/* The registry's own rules, with the place where the value stands before its path. A rule's text does not name the
 * field, and one that is missing has no place of its own. */
static void check_record(const struct kz_entry *entry, struct kz_violations *problems)
{
    struct kz_violations found = {0};
    kz_record_check(entry->record, &found);
    for (size_t i = 0; i < found.count; i++) {
        const Kz__Violation *violation = found.items[i];
        struct kz_place place = entry->node->place;
        (void)kz_entry_locate(entry, violation->path, &place);
        struct kz_text text = {.en = violation->en, .ja = violation->ja};
        struct kz_buf path;
        kz_buf_init(&path, 0);
        kz_place_format(&path, place);
        kz_buf_addf(&path, ": %s", violation->path);
        kz_violations_add(problems, kz_buf_text(&path), violation->rule, &text, violation->source);
        kz_buf_fini(&path);
    }
    kz_violations_fini(&found);
}

static void add_entry(struct kz_entries *entries, struct kz_entry entry)
{
    if ((entries->count & (entries->count - 1)) == 0) {
        size_t room = entries->count ? entries->count * 2 : 1;
        entries->items = kz_must_realloc(entries->items, room * sizeof *entries->items);
    }
    entries->items[entries->count++] = entry;
}

static void decode_record(const struct kz_node *map, struct kz_entries *entries, struct kz_violations *problems)
{
    if (map->type != KZ_NODE_MAP) {
        add_problem(problems, map->place, "record.mapping", KZ_T_DOC_NOT_RECORD, NULL, NULL);
        return;
    }
    const struct kz_kind *kind = decode_kind(map, problems);
    const char *id = decode_id(map, problems);
    if (!kind) return;
    /* Without an id the fields are still read: all that is wrong is told at once. */
    struct kz_entry entry = {.record = kz_record_new(kind->number, id ? id : "x"), .node = map};
    kz_assert(entry.record);
    size_t before = problems->count;
    decode_record_fields(&entry, kind, problems);
    if (id && problems->count == before) check_record(&entry, problems);
    add_entry(entries, entry);
}

static int compare_entries(const void *left, const void *right)
{
    const struct kz_entry *a = *(const struct kz_entry *const *)left, *b = *(const struct kz_entry *const *)right;
    int order = (int)a->record->kind - (int)b->record->kind;
    if (!order) order = strcmp(a->record->id, b->record->id);
    return order ? order : a < b ? -1 : a > b;
}

static void check_same_record(const struct kz_entries *entries, struct kz_violations *problems)
{
    const struct kz_entry **sorted = kz_must_alloc(entries->count + 1, sizeof *sorted);
    for (size_t i = 0; i < entries->count; i++)
        sorted[i] = &entries->items[i];
    qsort(sorted, entries->count, sizeof *sorted, compare_entries);
    for (size_t i = 1; i < entries->count; i++) {
        const struct kz_entry *first = sorted[i - 1], *again = sorted[i];
        if (first->record->kind != again->record->kind || strcmp(first->record->id, again->record->id) != 0) continue;
        struct kz_buf name, place;
        kz_buf_init(&name, 0);
        kz_buf_init(&place, 0);
        kz_buf_addf(&name, "%s/%s", kz_kind_by_number(again->record->kind)->name, again->record->id);
        kz_place_format(&place, first->node->place);
        add_problem(problems, again->node->place, "record.once", KZ_T_DOC_SAME_RECORD, kz_buf_text(&name),
                    kz_buf_text(&place));
        kz_buf_fini(&name);
        kz_buf_fini(&place);
    }
    free(sorted);
}

static void decode_document(const struct kz_node *root, struct kz_entries *entries, struct kz_violations *problems)
{
    if (root->type == KZ_NODE_NULL) return; /* an empty document between two "---" */
    const struct kz_node *items = kz_node_get(root, "kind") ? NULL : kz_node_get(root, "items");
    const struct kz_node *list = items && items->type == KZ_NODE_LIST ? items : root;
    if (list->type != KZ_NODE_LIST) {
        decode_record(list, entries, problems);
        return;
    }
    for (const struct kz_node *item = list->child; item; item = item->next)
        decode_record(item, entries, problems);
}

bool kz_decode_tree(const struct kz_tree *tree, struct kz_entries *entries, struct kz_violations *problems)
{
    size_t before = problems->count;
    for (size_t i = 0; i < tree->root_count; i++)
        decode_document(tree->roots[i], entries, problems);
    if (problems->count == before) check_same_record(entries, problems);
    return problems->count == before;
}

void kz_entries_fini(struct kz_entries *entries)
{
    for (size_t i = 0; i < entries->count; i++)
        kz__record__free_unpacked(entries->items[i].record, NULL);
    free(entries->items);
    *entries = (struct kz_entries){0};
}

/* ---- finding a place ---- */

static const struct kz_node *find_field(const struct kz_node *map, const struct kz_field *field,
                                        const struct kz_field *fields)
{
    for (const struct kz_node *child = map->child; child; child = child->next)
        if (kz_field_by_name(fields, child->key) == field) return child;
    return NULL;
}

/* One "name" or "name[2]" of the path; `*path` moves past it and its dot. */
static const struct kz_node *descend(const struct kz_node *node, const char **path, const struct kz_field **fields)
{
    char name[SEGMENT_MAX_BYTES];
    size_t length = strcspn(*path, ".[");
    if (length >= sizeof name || node->type != KZ_NODE_MAP) return NULL;
    memcpy(name, *path, length);
    name[length] = '\0';
    *path += length;
    const struct kz_field *field = *fields ? kz_field_by_name(*fields, name) : NULL;
    const struct kz_node *found = field ? find_field(node, field, *fields) : kz_node_get(node, name);
    *fields = field ? field->fields : NULL;
    if (**path == '[') {
        size_t index = strtoul(*path + 1, NULL, 10);
        *path += strcspn(*path, "]");
        if (**path) (*path)++;
        if (found && found->type == KZ_NODE_LIST) {
            const struct kz_node *item = found->child;
            while (item && index--)
                item = item->next;
            if (item) found = item;
        }
    }
    if (**path == '.') (*path)++;
    return found;
}

bool kz_entry_locate(const struct kz_entry *entry, const char *path, struct kz_place *place)
{
    const struct kz_kind *kind = kz_kind_by_number(entry->record->kind);
    size_t kind_length = strlen(kind->name), id_length = strlen(entry->record->id);
    if (strncmp(path, kind->name, kind_length) != 0 || path[kind_length] != '/') return false;
    path += kind_length + 1;
    if (strncmp(path, entry->record->id, id_length) != 0) return false;
    path += id_length;
    /* "system/a" must not match an entry "system/a.b", nor the other way round. */
    if (*path && *path != '.' && *path != ':') return false;
    const struct kz_node *node = entry->node;
    *place = node->place;
    if (*path != '.') return true;
    path++;
    const struct kz_field *fields = NULL;
    size_t length = strcspn(path, ".[");
    char first[SEGMENT_MAX_BYTES];
    snprintf(first, sizeof first, "%.*s", (int)(length < sizeof first ? length : 0), path);
    fields = kz_field_by_name(kind->fields, first) ? kind->fields : kz_envelope_fields();
    while (*path && (node = descend(node, &path, &fields)))
        *place = node->place;
    return true;
}
