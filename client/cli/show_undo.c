/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/show_undo.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client/codec/encode.h"
#include "client/codec/width.h"
#include "node/base/assert.h"

#define NUMBER_TEXT_BYTES 24
#define ITEMS_FEW 5  /* of each kind */
#define FIELDS_FEW 4 /* of each record */

enum action { BRING_BACK, CHANGE_BACK, RETIRE, ACTIONS };

static bool is_live(const Kz__Record *record) { return record && !record->has_retired_at; }

static enum action action_of(const struct kz_undo_item *item)
{
    if (!is_live(item->then)) return RETIRE;
    return is_live(item->now) ? CHANGE_BACK : BRING_BACK;
}

static const char *action_name(enum action action) /* for programs */
{
    static const char *const names[ACTIONS] = {"bring_back", "change_back", "retire"};
    return names[action];
}

struct counts {
    size_t of[ACTIONS];
};

/* Of the items from `first` on that are of its kind; the number of them. */
static size_t count_kind(const struct kz_undo_review *review, size_t first, struct counts *counts)
{
    size_t at = first;
    *counts = (struct counts){{0}};
    for (; at < review->count && review->items[at].now->kind == review->items[first].now->kind; at++)
        counts->of[action_of(&review->items[at])]++;
    return at - first;
}

size_t kz_undo_retires(const struct kz_undo_review *review)
{
    size_t count = 0;
    for (size_t i = 0; i < review->count; i++)
        count += action_of(&review->items[i]) == RETIRE;
    return count;
}

/* ---- for programs ---- */

static void add_difference(void *data, const char *path, const char *before, const char *after)
{
    json_t *object = json_object();
    kz_show_set(object, "path", kz_show_string(path));
    kz_show_set(object, "before", before ? kz_show_string(before) : json_null());
    kz_show_set(object, "after", after ? kz_show_string(after) : json_null());
    kz_assert(json_array_append_new(data, object) == 0);
}

static json_t *encode_item(const struct kz_view *view, const struct kz_undo_item *item)
{
    json_t *object = json_object(), *differences = json_array();
    enum action action = action_of(item);
    kz_show_set(object, "kind", kz_show_string(kz_show_kind(item->now->kind)));
    kz_show_set(object, "id", kz_show_string(item->now->id));
    kz_show_set(object, "rev", json_integer((json_int_t)item->now->rev));
    kz_show_set(object, "action", kz_show_string(action_name(action)));
    if (action == CHANGE_BACK) kz_record_diff(item->now, item->then, view->japanese, add_difference, differences);
    kz_show_set(object, "differences", differences);
    return object;
}

static void write_json(const struct kz_view *view, const struct kz_undo_review *review, struct kz_buf *out)
{
    json_t *object = json_object(), *kinds = json_array(), *items = json_array();
    for (size_t first = 0, size; first < review->count; first += size) {
        struct counts counts;
        size = count_kind(review, first, &counts);
        json_t *row = json_object();
        kz_show_set(row, "kind", kz_show_string(kz_show_kind(review->items[first].now->kind)));
        for (enum action action = 0; action < ACTIONS; action++)
            kz_show_set(row, action_name(action), json_integer((json_int_t)counts.of[action]));
        kz_assert(json_array_append_new(kinds, row) == 0);
    }
    for (size_t i = 0; i < review->count; i++)
        kz_assert(json_array_append_new(items, encode_item(view, &review->items[i])) == 0);
    if (review->meta) kz_show_set(object, "meta", kz_show_meta(review->meta));
    kz_show_set(object, "to_rev", json_integer((json_int_t)review->to_rev));
    kz_show_set(object, "rev", json_integer((json_int_t)review->rev));
    kz_show_set(object, "kinds", kinds);
    kz_show_set(object, "items", items);
    if (view->output == KZ_OUTPUT_YAML)
        kz_yaml_write(out, object);
    else
        kz_json_write(out, object, false);
    json_decref(object);
}

/* ---- for people ---- */

static void add_number(struct kz_grid *grid, size_t number)
{
    char text[NUMBER_TEXT_BYTES];
    snprintf(text, sizeof text, "%zu", number);
    kz_grid_add_cell(grid, text);
}

static void write_counts(const struct kz_view *view, const struct kz_undo_review *review, struct kz_buf *out)
{
    struct kz_grid grid = {0};
    kz_show_add_column(view, &grid, KZ_T_COLUMN_KIND, false);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_BROUGHT_BACK, true);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_CHANGED_BACK, true);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_RETIRED, true);
    for (size_t first = 0, size; first < review->count; first += size) {
        struct counts counts;
        size = count_kind(review, first, &counts);
        kz_grid_add_cell(&grid, kz_show_kind(review->items[first].now->kind));
        for (enum action action = 0; action < ACTIONS; action++)
            add_number(&grid, counts.of[action]);
    }
    kz_show_grid(view, &grid, out);
}

struct fields {
    const struct kz_view *view;
    struct kz_buf *out;
    size_t count;
};

static void add_field(void *data, const char *path, const char *before, const char *after)
{
    struct fields *fields = data;
    const char *none = kz_text(KZ_T_ABSENT, fields->view->japanese);
    if (fields->count++ >= FIELDS_FEW) return;
    struct kz_buf line;
    kz_buf_init(&line, 0);
    kz_buf_addf(&line, "    %s: %s -> %s", path, before ? before : none, after ? after : none);
    kz_width_add_safe(fields->out, kz_buf_text(&line), false);
    kz_buf_add_text(fields->out, "\n");
    kz_buf_fini(&line);
}

static void add_more(const struct kz_view *view, struct kz_buf *out, const char *indent, size_t count)
{
    char number[NUMBER_TEXT_BYTES];
    snprintf(number, sizeof number, "%zu", count);
    kz_buf_add_text(out, indent);
    kz_show_line(view, out, KZ_T_MORE_ROWS, KZ_TEXT_ARGS(number));
}

static void write_item(const struct kz_view *view, const struct kz_undo_item *item, struct kz_buf *out)
{
    static const enum kz_text_id texts[ACTIONS] = {KZ_T_UNDO_BRING_BACK, KZ_T_UNDO_CHANGE_BACK, KZ_T_UNDO_RETIRE};
    enum action action = action_of(item);
    struct kz_buf name;
    kz_buf_init(&name, 0);
    kz_buf_addf(&name, "%s/%s", kz_show_kind(item->now->kind), item->now->id);
    kz_buf_add_text(out, "  ");
    kz_show_line(view, out, texts[action], KZ_TEXT_ARGS(kz_buf_text(&name)));
    kz_buf_fini(&name);
    if (action != CHANGE_BACK) return;
    struct fields fields = {.view = view, .out = out};
    kz_record_diff(item->now, item->then, view->japanese, add_field, &fields);
    if (fields.count > FIELDS_FEW) add_more(view, out, "    ", fields.count - FIELDS_FEW);
}

static void write_csv(const struct kz_view *view, const struct kz_undo_review *review, struct kz_buf *out)
{
    struct kz_grid grid = {0};
    kz_show_add_column(view, &grid, KZ_T_COLUMN_KIND, false);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_ID, false);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_REV, true);
    kz_show_add_column(view, &grid, KZ_T_COLUMN_RESULT, false);
    for (size_t i = 0; i < review->count; i++) {
        kz_grid_add_cell(&grid, kz_show_kind(review->items[i].now->kind));
        kz_grid_add_cell(&grid, review->items[i].now->id);
        add_number(&grid, (size_t)review->items[i].now->rev);
        kz_grid_add_cell(&grid, action_name(action_of(&review->items[i])));
    }
    kz_show_grid(view, &grid, out);
}

void kz_show_undo(const struct kz_view *view, const struct kz_undo_review *review, struct kz_buf *out)
{
    char from[NUMBER_TEXT_BYTES], to[NUMBER_TEXT_BYTES];
    if (kz_show_is_json(view)) {
        write_json(view, review, out);
        return;
    }
    if (view->output == KZ_OUTPUT_CSV) {
        write_csv(view, review, out);
        return;
    }
    snprintf(from, sizeof from, "%" PRIu64, review->rev);
    snprintf(to, sizeof to, "%" PRIu64, review->to_rev);
    if (review->count == 0) {
        kz_show_line(view, out, KZ_T_UNDO_NOTHING, KZ_TEXT_ARGS(to));
        return;
    }
    kz_show_line(view, out, KZ_T_UNDO_HEADER,
                 KZ_TEXT_ARGS(from, to, review->meta && review->meta->cluster ? review->meta->cluster : "?"));
    write_counts(view, review, out);
    for (size_t first = 0, size; first < review->count; first += size) {
        struct counts counts;
        size = count_kind(review, first, &counts);
        for (size_t i = 0; i < size && i < ITEMS_FEW; i++)
            write_item(view, &review->items[first + i], out);
        if (size > ITEMS_FEW) add_more(view, out, "  ", size - ITEMS_FEW);
    }
}

void kz_show_undone(const struct kz_view *view, const Kz__Outcome *outcome, uint64_t to_rev, const Kz__Meta *meta,
                    struct kz_buf *out)
{
    char changed[NUMBER_TEXT_BYTES], retired[NUMBER_TEXT_BYTES], to[NUMBER_TEXT_BYTES], rev[NUMBER_TEXT_BYTES];
    if (kz_show_is_json(view) || view->output == KZ_OUTPUT_CSV) {
        kz_show_outcome(view, KZ__MUTATION__OP__REWIND, outcome, meta, false, out);
        return;
    }
    snprintf(changed, sizeof changed, "%" PRIu64, outcome->changed_count - outcome->retired_count);
    snprintf(retired, sizeof retired, "%" PRIu64, outcome->retired_count);
    snprintf(to, sizeof to, "%" PRIu64, to_rev);
    snprintf(rev, sizeof rev, "%" PRIu64, outcome->rev);
    kz_show_line(view, out, KZ_T_UNDONE, KZ_TEXT_ARGS(changed, retired, to, rev));
}
