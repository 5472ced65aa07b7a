/* SPDX-License-Identifier: Apache-2.0 */
/* A runbook as a Markdown file: front matter in YAML, the title as "# ", a step as "## ", its fields as "- name: value"
 * in the lines below it, then an empty line and its text.
 *
 *     ---
 *     id: daitai-kirikae
 *     phase: SWITCHOVER
 *     state: DRAFT
 *     ---
 *
 *     # 代替拠点への切替
 *
 *     ## 1. 切替を決める
 *     - actor: sekininsha
 *     - expected_time: 15m
 *     - point: DECISION
 *
 *     1時間以内の復旧が見込めないときは…
 *
 * What is written reads back the same, whatever the texts hold: a line of a text that looks like one of these headings
 * outside a code fence gets a backslash, a text that cannot stand as it is becomes a field in quotes ("- body: "..."").
 * One empty line at the end of a text belongs to the form. One thread. */
#ifndef KZ_CLIENT_CODEC_MARKDOWN_H
#define KZ_CLIENT_CODEC_MARKDOWN_H

#include "client/codec/tree.h"
#include "node/registry/record.h"

/* Adds one document to the tree, shaped as the YAML of a runbook would be. False: see `problems`. */
bool kz_tree_read_markdown(struct kz_tree *tree, const char *file, const char *bytes, size_t size_bytes,
                           struct kz_violations *problems);

/* What a person may set of a runbook, with its revision. */
void kz_markdown_write(struct kz_buf *out, const Kz__Record *runbook);

#endif
