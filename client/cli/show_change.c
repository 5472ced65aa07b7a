/* SPDX-License-Identifier: Apache-2.0 */
/* Changes: history, watch, diff, and what a write did. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client/cli/show.h"
#include "client/codec/encode.h"
#include "client/codec/width.h"
#include "node/base/assert.h"
#include "node/registry/when.h"

#define NUMBER_TEXT_BYTES 24
/* Of more changed records than this a person at a terminal is shown the first few and their number. */
#define ROWS_MANY 50
#define ROWS_FEW 20

static const char *op_name(Kz__Mutation__Op op, bool japanese, bool machine)
{
    switch (op) {
    case KZ__MUTATION__OP__PUT:
        return machine ? "put" : kz_text(KZ_T_OP_PUT, japanese);
    case KZ__MUTATION__OP__RETIRE:
        return machine ? "retire" : kz_text(KZ_T_OP_RETIRE, japanese);
    case KZ__MUTATION__OP__VERIFY:
        return machine ? "verify" : kz_text(KZ_T_OP_VERIFY, japanese);
    case KZ__MUTATION__OP__APPEND:
        return machine ? "append" : kz_text(KZ_T_OP_APPEND, japanese);
    case KZ__MUTATION__OP__REVERT:
        return machine ? "revert" : kz_text(KZ_T_OP_REVERT, japanese);
    case KZ__MUTATION__OP__REWIND:
        return machine ? "undo" : kz_text(KZ_T_OP_REWIND, japanese);
    case KZ__MUTATION__OP__MOVE:
        return machine ? "move" : kz_text(KZ_T_OP_MOVE, japanese);
    default:
        return "?";
    }
}

static json_t *encode_change(const Kz__Change *change)
{
    json_t *object = json_object();
    kz_show_set(object, "rev", json_integer((json_int_t)change->rev));
    kz_show_set(object, "op", kz_show_string(op_name(change->op, false, true)));
    kz_show_set(object, "kind", kz_show_string(kz_show_kind(change->kind)));
    kz_show_set(object, "id", kz_show_string(change->id));
    kz_show_set(object, "time", kz_show_time(change->time_ms));
    kz_show_set(object, "actor", kz_show_string(change->actor));
    kz_show_set(object, "node", kz_show_string(change->node));
    kz_show_set(object, "reason", change->reason ? kz_show_string(change->reason) : json_null());
    kz_show_set(object, "before", change->before ? kz_encode_record(change->before) : json_null());
    kz_show_set(object, "after", change->after ? kz_encode_record(change->after) : json_null());
    if (change->has_index) kz_show_set(object, "index", json_integer((json_int_t)change->index));
    return object;
}

static void add_number(struct kz_grid *grid, uint64_t number)
{
    char text[NUMBER_TEXT_BYTES];
    snprintf(text, sizeof text, "%" PRIu64, number);
    kz_grid_add_cell(grid, text);
}

static void add_time(struct kz_grid *grid, int64_t time_ms)
{
    struct kz_buf text;
    kz_buf_init(&text, 0);
    kz_time_format(&text, time_ms - time_ms % 1000); /* a table needs no milliseconds */
    kz_grid_add_cell(grid, kz_buf_text(&text));
    kz_buf_fini(&text);
}

void kz_show_history(const struct kz_view *view, Kz__Change *const *changes, size_t count, const Kz__Meta *meta,
                     struct kz_buf *out)
{
    if (kz_show_is_json(view)) {
        json_t *items = json_array();
        for (size_t i = 0; i < count; i++)
            kz_assert(json_array_append_new(items, encode_change(changes[i])) == 0);
        kz_show_items(view, meta, items, out);
        return;
    }
    struct kz_grid grid = {0};
    kz_show_add_column(view, &grid, KZ_T_COLUMN_REV, true);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_TIME, false);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_OP, false);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_ACTOR, false);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_NODE, false);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_REASON, false);
    for (size_t i = 0; i < count; i++) {
        add_number(&grid, changes[i]->rev);
        add_time(&grid, changes[i]->time_ms);
        kz_grid_add_cell(&grid, op_name(changes[i]->op, view->japanese, false));
        kz_grid_add_cell(&grid, changes[i]->actor);
        kz_grid_add_cell(&grid, changes[i]->node);
        kz_grid_add_cell(&grid, changes[i]->reason ? changes[i]->reason : "");
    }
    kz_show_grid(view, &grid, out);
}

/* A stream has no end at which columns could be aligned: fixed order, two spaces between. */
void kz_show_change(const struct kz_view *view, const Kz__Change *change, struct kz_buf *out)
{
    if (kz_show_is_json(view)) {
        json_t *value = encode_change(change);
        if (view->output == KZ_OUTPUT_YAML) {
            kz_buf_add_text(out, "---\n");
            kz_yaml_write(out, value);
        } else {
            kz_json_write(out, value, true);
        }
        json_decref(value);
        return;
    }
    struct kz_buf line, time;
    kz_buf_init(&line, 0);
    kz_buf_init(&time, 0);
    kz_time_format(&time, change->time_ms - change->time_ms % 1000);
    kz_buf_addf(&line, "%" PRIu64 "  %s  %s  %s/%s  %s", change->rev, kz_buf_text(&time),
                op_name(change->op, view->japanese, false), kz_show_kind(change->kind), change->id, change->actor);
    if (change->reason && *change->reason) kz_buf_addf(&line, "  %s", change->reason);
    kz_width_add_safe(out, kz_buf_text(&line), false);
    kz_buf_add_text(out, "\n");
    kz_buf_fini(&line);
    kz_buf_fini(&time);
}

/* ---- diff ---- */

struct collector {
    const struct kz_view *view;
    struct kz_grid grid;
    json_t *items;
    size_t count;
};

static void collect(void *data, const char *path, const char *before, const char *after)
{
    struct collector *collector = data;
    collector->count++;
    if (collector->items) {
        json_t *object = json_object();
        kz_show_set(object, "path", kz_show_string(path));
        kz_show_set(object, "before", before ? kz_show_string(before) : json_null());
        kz_show_set(object, "after", after ? kz_show_string(after) : json_null());
        kz_assert(json_array_append_new(collector->items, object) == 0);
        return;
    }
    const char *none = kz_text(KZ_T_ABSENT, collector->view->japanese);
    kz_grid_add_cell(&collector->grid, path);
    kz_grid_add_cell(&collector->grid, before ? before : none);
    kz_grid_add_cell(&collector->grid, after ? after : none);
}

static void add_diff_title(const struct kz_view *view, const Kz__Record *before, const Kz__Record *after,
                           struct kz_buf *out)
{
    char from[NUMBER_TEXT_BYTES], to[NUMBER_TEXT_BYTES];
    snprintf(from, sizeof from, "%" PRIu64, before ? before->rev : 0);
    snprintf(to, sizeof to, "%" PRIu64, after ? after->rev : 0);
    const Kz__Record *any = after ? after : before;
    struct kz_buf name;
    kz_buf_init(&name, 0);
    kz_buf_addf(&name, "%s/%s", kz_show_kind(any->kind), any->id);
    kz_show_line(view, out, KZ_T_DIFF_HEADER, KZ_TEXT_ARGS(kz_buf_text(&name), from, to));
    kz_buf_fini(&name);
}

/* keizoku sets it, so it is not among the fields that are compared; yet it is what a retirement changes. */
static void collect_retirement(struct collector *collector, const Kz__Record *before, const Kz__Record *after)
{
    bool was = before && before->has_retired_at, is = after && after->has_retired_at;
    if (was == is) return;
    struct kz_buf time;
    kz_buf_init(&time, 0);
    kz_time_format(&time, was ? before->retired_at : after->retired_at);
    collect(collector, "retired_at", was ? kz_buf_text(&time) : NULL, is ? kz_buf_text(&time) : NULL);
    kz_buf_fini(&time);
}

void kz_show_diff(const struct kz_view *view, const Kz__Record *before, const Kz__Record *after, const Kz__Meta *meta,
                  struct kz_buf *out)
{
    const Kz__Record *any = after ? after : before;
    kz_assert(any);
    Kz__Record *nothing = kz_record_new(any->kind, any->id);
    kz_assert(nothing);
    struct collector collector = {.view = view, .items = kz_show_is_json(view) ? json_array() : NULL};
    kz_show_add_column(view, &collector.grid, KZ_T_COLUMN_FIELD, false);
    kz_show_add_column(view, &collector.grid, KZ_T_COLUMN_BEFORE, false);
    kz_show_add_column(view, &collector.grid, KZ_T_COLUMN_AFTER, false);
    collect_retirement(&collector, before, after);
    kz_record_diff(before ? before : nothing, after ? after : nothing, view->japanese, collect, &collector);
    kz__record__free_unpacked(nothing, NULL);
    if (collector.items) {
        kz_show_items(view, meta, collector.items, out);
        kz_grid_fini(&collector.grid);
        return;
    }
    if (view->output != KZ_OUTPUT_CSV) add_diff_title(view, before, after, out);
    if (collector.count == 0 && view->output != KZ_OUTPUT_CSV) {
        kz_show_line(view, out, KZ_T_NO_DIFFERENCE, NULL, 0);
        kz_grid_fini(&collector.grid);
        return;
    }
    kz_show_grid(view, &collector.grid, out);
}

/* ---- outcome of a write ---- */

static enum kz_text_id result_text(Kz__Mutation__Op op, const Kz__Changed *changed)
{
    if (changed->has_unchanged && changed->unchanged) return KZ_T_RESULT_UNCHANGED;
    switch (op) {
    case KZ__MUTATION__OP__RETIRE:
        return KZ_T_RESULT_RETIRED;
    case KZ__MUTATION__OP__VERIFY:
        return KZ_T_RESULT_VERIFIED;
    case KZ__MUTATION__OP__APPEND:
        return KZ_T_RESULT_APPENDED;
    default:
        return KZ_T_RESULT_CHANGED;
    }
}

static json_t *encode_changed(Kz__Mutation__Op op, const Kz__Changed *changed)
{
    json_t *object = json_object();
    kz_show_set(object, "kind", kz_show_string(kz_show_kind(changed->kind)));
    kz_show_set(object, "id", kz_show_string(changed->id));
    kz_show_set(object, "rev", json_integer((json_int_t)changed->rev));
    kz_show_set(object, "result", kz_show_string(kz_text(result_text(op, changed), false)));
    return object;
}

/* A folder applied again changes little: the rest is only counted, on stderr. */
static bool is_row(const struct kz_view *view, const Kz__Outcome *outcome, size_t index)
{
    bool unchanged = outcome->changed[index]->has_unchanged && outcome->changed[index]->unchanged;
    return !unchanged || view->output != KZ_OUTPUT_TABLE || outcome->n_changed == 1;
}

static size_t count_rows(const struct kz_view *view, const Kz__Outcome *outcome)
{
    size_t rows = 0;
    for (size_t i = 0; i < outcome->n_changed; i++)
        rows += is_row(view, outcome, i);
    return rows;
}

void kz_show_outcome(const struct kz_view *view, Kz__Mutation__Op op, const Kz__Outcome *outcome, const Kz__Meta *meta,
                     bool dry_run, struct kz_buf *out)
{
    if (kz_show_is_json(view)) {
        json_t *items = json_array();
        for (size_t i = 0; i < outcome->n_changed; i++)
            kz_assert(json_array_append_new(items, encode_changed(op, outcome->changed[i])) == 0);
        json_t *object = json_object();
        if (meta) kz_show_set(object, "meta", kz_show_meta(meta));
        kz_show_set(object, "rev", json_integer((json_int_t)outcome->rev));
        kz_show_set(object, "dry_run", json_boolean(dry_run));
        if (op == KZ__MUTATION__OP__APPEND) kz_show_set(object, "provisional", json_boolean(outcome->provisional));
        if (outcome->has_changed_count) {
            kz_show_set(object, "changed", json_integer((json_int_t)outcome->changed_count));
            kz_show_set(object, "retired", json_integer((json_int_t)outcome->retired_count));
        }
        kz_show_set(object, "items", items);
        if (view->output == KZ_OUTPUT_YAML)
            kz_yaml_write(out, object);
        else
            kz_json_write(out, object, false);
        json_decref(object);
        return;
    }
    size_t rows = count_rows(view, outcome), shown = 0;
    size_t most = view->max_columns && view->output != KZ_OUTPUT_CSV && rows > ROWS_MANY ? ROWS_FEW : rows;
    if (rows == 0 && view->output == KZ_OUTPUT_TABLE) return;
    struct kz_grid grid = {0};
    kz_show_add_column(view, &grid, KZ_T_COLUMN_KIND, false);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_ID, false);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_REV, true);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_RESULT, false);
    for (size_t i = 0; i < outcome->n_changed && shown < most; i++) {
        if (!is_row(view, outcome, i)) continue;
        kz_grid_add_cell(&grid, kz_show_kind(outcome->changed[i]->kind));
        kz_grid_add_cell(&grid, outcome->changed[i]->id);
        add_number(&grid, outcome->changed[i]->rev);
        kz_grid_add_cell(&grid, kz_text(result_text(op, outcome->changed[i]), view->japanese));
        shown++;
    }
    kz_show_grid(view, &grid, out);
    if (shown == rows) return;
    char rest[NUMBER_TEXT_BYTES];
    snprintf(rest, sizeof rest, "%zu", rows - shown);
    kz_show_line(view, out, KZ_T_MORE_ROWS, KZ_TEXT_ARGS(rest));
}
