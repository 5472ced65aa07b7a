/* SPDX-License-Identifier: Apache-2.0 */
/* Answers as people and machines read them: table, wide, JSON, YAML, CSV. Fed with plain messages, so that a test
 * needs no node. Writes to a buffer only. One thread. */
#ifndef KZ_CLIENT_CLI_SHOW_H
#define KZ_CLIENT_CLI_SHOW_H

#include <jansson.h>

#include "client/cli/options.h"
#include "client/codec/grid.h"

struct kz_view {
    enum kz_output output;
    bool japanese;
    int ambiguous;
    bool headers;
    bool colour;        /* of stderr */
    size_t max_columns; /* of the terminal; 0: not a terminal, nothing is cut */
};

/* ---- answers (stdout) ---- */

void kz_show_records(const struct kz_view *view, Kz__Kind kind, Kz__Record *const *records, size_t count,
                     const Kz__Meta *meta, struct kz_buf *out);
/* `get`: a two-column sheet as table; otherwise as kz_show_records. */
void kz_show_record(const struct kz_view *view, const Kz__Record *record, const Kz__Meta *meta, struct kz_buf *out);
void kz_show_history(const struct kz_view *view, Kz__Change *const *changes, size_t count, const Kz__Meta *meta,
                     struct kz_buf *out);
/* One line of `watch`. */
void kz_show_change(const struct kz_view *view, const Kz__Change *change, struct kz_buf *out);
void kz_show_diff(const struct kz_view *view, const Kz__Record *before, const Kz__Record *after, const Kz__Meta *meta,
                  struct kz_buf *out);
/* The list of members alone, with what each holds. */
void kz_show_members(const struct kz_view *view, const Kz__Response *response, struct kz_buf *out);
void kz_show_status(const struct kz_view *view, const Kz__Response *response, struct kz_buf *out);
/* What a write did to each record. */
void kz_show_outcome(const struct kz_view *view, Kz__Mutation__Op op, const Kz__Outcome *outcome, const Kz__Meta *meta,
                     bool dry_run, struct kz_buf *out);
/* NULL: all kinds. */
void kz_show_schema(const struct kz_view *view, const struct kz_kind *kind, struct kz_buf *out);
/* All kinds, both languages, one Markdown page. */
void kz_show_reference(struct kz_buf *out);

/* ---- beside the answer (stderr) ---- */

/* `mine` may be NULL; with a conflict its difference to the current record is shown. `base`: what it was made from. */
void kz_show_error(const struct kz_view *view, const Kz__Error *error, const Kz__Record *base, const Kz__Record *mine,
                   struct kz_buf *out);
/* "time the copy is complete to" and "last leader contact", or "unknown" and "never". */
void kz_show_freshness(const struct kz_view *view, const Kz__Meta *meta, struct kz_buf *time, struct kz_buf *contact);
/* Nothing when the answer is fresh and of the present. */
void kz_show_banner(const struct kz_view *view, const Kz__Meta *meta, bool asked_auto, struct kz_buf *out);

/* ---- shared by the writers ---- */

json_t *kz_show_meta(const Kz__Meta *meta);
/* {"meta": ..., "items": ...} in the view's form (JSON, YAML). Takes `items`. */
void kz_show_items(const struct kz_view *view, const Kz__Meta *meta, json_t *items, struct kz_buf *out);
void kz_show_grid(const struct kz_view *view, struct kz_grid *grid, struct kz_buf *out); /* table or CSV; ends it */
void kz_show_add_column(const struct kz_view *view, struct kz_grid *grid, enum kz_text_id header, bool right);
json_t *kz_show_member_json(const Kz__Member *member, const Kz__Meta *meta);
enum kz_text_id kz_show_member_state(const Kz__Member *member, const Kz__Meta *meta); /* one word */
void kz_show_member_contact(const struct kz_view *view, const Kz__Member *member, const Kz__Meta *meta,
                            struct kz_buf *out);
json_t *kz_show_string(const char *text); /* never NULL; "" for NULL or broken UTF-8 */
json_t *kz_show_hex(ProtobufCBinaryData bytes);
json_t *kz_show_time(int64_t time_ms);
void kz_show_set(json_t *object, const char *key, json_t *value); /* takes value */
const char *kz_show_kind(Kz__Kind kind);
void kz_show_line(const struct kz_view *view, struct kz_buf *out, enum kz_text_id text, const char *const *args,
                  size_t count); /* filled, made safe, with a newline */
void kz_show_short_hash(struct kz_buf *out, bool present, ProtobufCBinaryData hash); /* enough to compare by eye */
void kz_show_ago(const struct kz_view *view, struct kz_buf *out, int64_t age_ms);
void kz_show_duration(const struct kz_view *view, struct kz_buf *out, int64_t age_ms);
static inline bool kz_show_is_json(const struct kz_view *view)
{
    return view->output == KZ_OUTPUT_JSON || view->output == KZ_OUTPUT_YAML;
}

#endif
