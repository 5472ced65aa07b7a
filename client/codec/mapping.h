/* SPDX-License-Identifier: Apache-2.0 */
/* How a table somebody else designed becomes records: which header is which field, what its words mean, what all rows
 * have in common. A YAML file:
 *
 *   kind: system
 *   header_row: 3                                  # default: the first row that is not empty
 *   id: {column: 管理番号, prefix: chosa-}          # or only column:
 *                                                  # {column: 名称, of: system}: the id of the system of that name
 *   columns: {名称: name, 設置場所: "placements[1].site"}   # several headers of one prose field: a line each
 *   values: {代替機の有無: {有: 代替機あり, 無: ""}}
 *   constants: {type: BUSINESS}                    # where no column says otherwise
 *   ignore: [受付印]
 *   skip: {バックアップ実施の有無: [無]}             # rows that are none
 *
 * One thread. */
#ifndef KZ_CLIENT_CODEC_MAPPING_H
#define KZ_CLIENT_CODEC_MAPPING_H

#include "client/codec/column.h"
#include "client/codec/tree.h"

struct kz_mapping {
    struct kz_tree tree;
    const struct kz_node *root;
    const struct kz_kind *kind;
    size_t header_row;           /* 0: the first that is not empty */
    const char *id_column;       /* NULL: the column "id" */
    const char *id_prefix;       /* "" */
    const struct kz_kind *id_of; /* the column holds names of these; NULL: ids */
};

/* False: everything that is wrong is in `problems`. To be finished in both cases. */
bool kz_mapping_read(struct kz_mapping *mapping, const char *file, const char *bytes, size_t size_bytes,
                     struct kz_violations *problems);
void kz_mapping_fini(struct kz_mapping *mapping);

/* The name the field's column has in keizoku; NULL: not mapped. */
const char *kz_mapping_field(const struct kz_mapping *mapping, const char *header);
bool kz_mapping_ignores(const struct kz_mapping *mapping, const char *header);
const char *kz_mapping_value(const struct kz_mapping *mapping, const char *header, const char *value);
/* Whether the cell says that its row is none. */
bool kz_mapping_skips(const struct kz_mapping *mapping, const char *header, const char *value);
/* The first of {field: value} nodes, or NULL. */
const struct kz_node *kz_mapping_constants(const struct kz_mapping *mapping);

/* Whether two headers are the same to a reader: widths, case, spaces and line breaks do not count. */
bool kz_mapping_same(const char *a, const char *b);

#endif
