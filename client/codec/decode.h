/* SPDX-License-Identifier: Apache-2.0 */
/* Records from a tree, through the schema. Every problem of every record is found and told with its place. One
 * thread. */
#ifndef KZ_CLIENT_CODEC_DECODE_H
#define KZ_CLIENT_CODEC_DECODE_H

#include "client/codec/tree.h"
#include "node/registry/record.h"

/* One record of a file, and what its author said about the revision. */
struct kz_entry {
    Kz__Record *record; /* owned */
    bool has_rev;
    uint64_t rev;
    const struct kz_node *node; /* borrowed from the tree */
};

struct kz_entries {
    struct kz_entry *items;
    size_t count;
};

/* Adds the tree's records: a document is a record, a list of records, or {items: [records]}. What needs no other
 * record is checked too. False: see `problems`. */
bool kz_decode_tree(const struct kz_tree *tree, struct kz_entries *entries, struct kz_violations *problems);
void kz_entries_fini(struct kz_entries *entries);

/* Where `path` ("system/juki.placements[1].site", as violations name it) stands in the entry's file; the nearest
 * enclosing place when the value itself is absent. False: the path is not of this entry. */
bool kz_entry_locate(const struct kz_entry *entry, const char *path, struct kz_place *place);

/* True when the field takes many values. */
bool kz_codec_repeated(const ProtobufCMessageDescriptor *message, const struct kz_field *field);

#endif
