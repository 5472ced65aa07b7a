/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/show_derived.h"
#include "client/codec/width.h"
#include "node/base/assert.h"
#include "node/registry/targets.h"
#include "node/registry/when.h"

#define INDENT "  "

/* ---- the tree ---- */

struct row {
    size_t system, parent; /* SIZE_MAX: none */
    size_t depth;
    bool up;      /* it needs the parent; else the parent needs it */
    bool shown;   /* its own are listed further up */
    bool ignored; /* this dependency closes a cycle */
};

struct rows {
    struct row *items; /* owned */
    size_t count;
};

static bool is_ignored(const struct kz_graph *graph, size_t user, size_t needed)
{
    for (size_t edge = graph->needs_at[user]; edge < graph->needs_at[user + 1]; edge++)
        if (graph->needs[edge] == needed) return graph->ignored[edge];
    return false;
}

/* Depth first; a system is gone on from once, so that there are no more rows than dependencies. */
static void walk(const struct kz_graph *graph, size_t from, bool up, struct rows *rows)
{
    const size_t *at = up ? graph->users_at : graph->needs_at, *to = up ? graph->users : graph->needs;
    bool *seen = kz_must_alloc(graph->count + 1, sizeof(seen[0]));
    struct row *stack = kz_must_alloc(at[graph->count] + 1, sizeof(stack[0]));
    size_t depth = 0;
    stack[depth++] = (struct row){.system = from, .parent = SIZE_MAX, .up = up};
    while (depth > 0) {
        struct row row = stack[--depth];
        row.shown = seen[row.system] || row.ignored;
        if (row.parent != SIZE_MAX) rows->items[rows->count++] = row;
        if (row.shown) continue;
        seen[row.system] = true;
        for (size_t edge = at[row.system + 1]; edge-- > at[row.system];) {
            size_t user = up ? to[edge] : row.system, needed = up ? row.system : to[edge];
            stack[depth++] =
                (struct row){to[edge], row.system, row.depth + 1, up, false, is_ignored(graph, user, needed)};
        }
    }
    free(stack);
    free(seen);
}

static void list_rows(const struct kz_graph *graph, size_t system, struct rows *rows)
{
    size_t edges = graph->needs_at[graph->count] + graph->users_at[graph->count];
    rows->items = kz_must_alloc(edges + 1, sizeof(rows->items[0]));
    rows->count = 0;
    rows->items[rows->count++] = (struct row){.system = system, .parent = SIZE_MAX};
    walk(graph, system, false, rows);
    walk(graph, system, true, rows);
}

static json_t *encode_row(const struct kz_graph *graph, const struct row *row, const struct kz_required *required)
{
    const Kz__Record *record = graph->systems[row->system];
    json_t *object = json_object();
    kz_show_set(object, "direction", kz_show_string(row->depth == 0 ? "ITSELF" : row->up ? "NEEDED_BY" : "NEEDS"));
    kz_show_set(object, "depth", json_integer((json_int_t)row->depth));
    kz_show_set(object, "system", kz_show_string(record->id));
    kz_show_set(object, "name", kz_show_string(kz_show_title(record)));
    if (row->parent != SIZE_MAX) kz_show_set(object, "of", kz_show_string(graph->systems[row->parent]->id));
    if (record->system->has_priority) kz_show_set(object, "priority", kz_show_string(kz_show_priority(record->system)));
    if (record->system->has_rto) kz_show_set(object, "rto_s", json_integer(record->system->rto));
    if (required->has) {
        json_t *from = json_object();
        kz_show_set(object, "required_rto_s", json_integer(required->rto_s));
        kz_show_set(from, "kind", kz_show_string(kz_show_kind(required->from->kind)));
        kz_show_set(from, "id", kz_show_string(required->from->id));
        kz_show_set(object, "required_by", from);
    }
    kz_show_set(object, "shown_above", json_boolean(row->shown && !row->ignored));
    kz_show_set(object, "closes_cycle", json_boolean(row->ignored));
    return object;
}

static void add_row(const struct kz_view *view, const struct kz_graph *graph, const struct row *row,
                    const struct kz_required *required, struct kz_grid *grid)
{
    const Kz__Record *record = graph->systems[row->system];
    enum kz_text_id direction = row->depth == 0 ? KZ_T_DEPS_ITSELF : row->up ? KZ_T_DEPS_USERS : KZ_T_DEPS_NEEDS;
    enum kz_text_id note = row->ignored ? KZ_T_DEPS_CYCLE : row->shown ? KZ_T_DEPS_SHOWN : KZ_T_EMPTY;
    struct kz_buf cell;
    kz_buf_init(&cell, 0);
    kz_grid_add_cell(grid, kz_text(direction, view->japanese));
    if (view->output == KZ_OUTPUT_CSV) {
        kz_buf_addf(&cell, "%zu", row->depth);
        kz_show_add_cell(grid, &cell);
    }
    for (size_t i = 1; i < row->depth && view->output != KZ_OUTPUT_CSV; i++)
        kz_buf_add_text(&cell, INDENT);
    kz_buf_add_text(&cell, record->id);
    kz_show_add_cell(grid, &cell);
    kz_grid_add_cell(grid, kz_show_title(record));
    kz_grid_add_cell(grid, kz_show_priority(record->system));
    if (record->system->has_rto) kz_duration_format(&cell, record->system->rto, view->japanese);
    kz_show_add_cell(grid, &cell);
    if (required->has) kz_duration_format(&cell, required->rto_s, view->japanese);
    kz_show_add_cell(grid, &cell);
    if (required->has) kz_buf_addf(&cell, "%s/%s", kz_show_kind(required->from->kind), required->from->id);
    kz_show_add_cell(grid, &cell);
    kz_grid_add_cell(grid, kz_text(note, view->japanese));
    kz_buf_fini(&cell);
}

static void write_rows(const struct kz_view *view, const struct kz_graph *graph, const struct rows *rows,
                       const struct kz_required *required, struct kz_buf *out)
{
    struct kz_grid grid = {0};
    kz_show_add_column(view, &grid, KZ_T_COLUMN_DIRECTION, false);
    if (view->output == KZ_OUTPUT_CSV) kz_show_add_column(view, &grid, KZ_T_COLUMN_NUMBER, true);
    static const enum kz_text_id columns[] = {KZ_T_COLUMN_SYSTEM,      KZ_T_COLUMN_NAME,     KZ_T_COLUMN_PRIORITY,
                                              KZ_T_COLUMN_RTO,         KZ_T_COLUMN_REQUIRED, KZ_T_COLUMN_REQUIRED_BY,
                                              KZ_T_COLUMN_DERIVED_NOTE};
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        kz_show_add_column(view, &grid, columns[i], false);
    for (size_t i = 0; i < rows->count; i++)
        add_row(view, graph, &rows->items[i], &required[rows->items[i].system], &grid);
    kz_show_grid(view, &grid, out);
}

void kz_show_deps(const struct kz_view *view, const struct kz_set *set, const struct kz_graph *graph, size_t system,
                  const Kz__Meta *meta, struct kz_buf *out)
{
    struct rows rows;
    list_rows(graph, system, &rows);
    if (view->output == KZ_OUTPUT_DOT) {
        bool *wanted = kz_must_alloc(graph->count + 1, sizeof(wanted[0]));
        for (size_t i = 0; i < rows.count; i++)
            wanted[rows.items[i].system] = true;
        kz_show_dot(view, graph, wanted, NULL, out);
        free(wanted);
        free(rows.items);
        return;
    }
    struct kz_required *required = kz_targets_required(set, graph);
    if (kz_show_is_json(view)) {
        json_t *items = json_array();
        for (size_t i = 0; i < rows.count; i++)
            kz_assert(
                json_array_append_new(items, encode_row(graph, &rows.items[i], &required[rows.items[i].system])) == 0);
        kz_show_items(view, meta, items, out);
    } else {
        write_rows(view, graph, &rows, required, out);
    }
    free(required);
    free(rows.items);
}

/* ---- Graphviz ---- */

/* What stands between quotes. */
static void add_quoted(struct kz_buf *out, const char *text)
{
    struct kz_buf safe;
    kz_buf_init(&safe, 0);
    kz_width_add_safe(&safe, text, false);
    for (const char *at = kz_buf_text(&safe); *at; at++)
        kz_buf_addf(out, *at == '"' || *at == '\\' ? "\\%c" : "%c", *at);
    kz_buf_fini(&safe);
}

static void add_node(const struct kz_view *view, const struct kz_graph *graph, size_t system,
                     const struct kz_order_step *step, size_t number, struct kz_buf *out)
{
    const Kz__Record *record = graph->systems[system];
    struct kz_buf time;
    kz_buf_init(&time, 0);
    kz_buf_addf(out, "  \"%s\" [label=\"", record->id);
    if (step) kz_buf_addf(out, "%zu. ", number);
    kz_buf_addf(out, "%s\\n", record->id);
    add_quoted(out, kz_show_title(record));
    if (record->system->has_priority || record->system->has_rto) {
        kz_buf_addf(out, "\\n%s", kz_show_priority(record->system));
        if (record->system->has_rto) kz_buf_addf(out, "%sRTO ", record->system->has_priority ? " " : "");
        if (record->system->has_rto) kz_duration_format(out, record->system->rto, view->japanese);
    }
    if (step) {
        kz_show_duration(view, &time, step->finish_s * 1000);
        kz_buf_addf(out, "\\n%s ", kz_text(KZ_T_COLUMN_RUNS, view->japanese));
        if (step->at_least)
            kz_text_fill(out, KZ_T_ORDER_AT_LEAST, view->japanese, KZ_TEXT_ARGS(kz_buf_text(&time)));
        else
            kz_buf_add_text(out, kz_buf_text(&time));
    }
    if (step && step->misses) {
        kz_buf_clear(&time);
        kz_show_duration(view, &time, step->late_s * 1000);
        kz_buf_addf(out, "\\n%s %s", kz_text(KZ_T_COLUMN_LATE, view->japanese), kz_buf_text(&time));
    }
    kz_buf_addf(out, "\"%s];\n", step && step->misses ? ", penwidth=3" : "");
    kz_buf_fini(&time);
}

void kz_show_dot(const struct kz_view *view, const struct kz_graph *graph, const bool *wanted,
                 const struct kz_order *order, struct kz_buf *out)
{
    kz_buf_add_text(out, "digraph keizoku {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n");
    for (size_t i = 0; order && i < order->count; i++)
        add_node(view, graph, order->steps[i].system, &order->steps[i], i + 1, out);
    for (size_t i = 0; !order && i < graph->count; i++)
        if (!wanted || wanted[i]) add_node(view, graph, i, NULL, 0, out);
    for (size_t i = 0; i < graph->count; i++)
        for (size_t edge = graph->needs_at[i]; edge < graph->needs_at[i + 1]; edge++) {
            if (wanted && !(wanted[i] && wanted[graph->needs[edge]])) continue;
            kz_buf_addf(out, "  \"%s\" -> \"%s\"", graph->systems[i]->id, graph->systems[graph->needs[edge]]->id);
            if (graph->ignored[edge])
                kz_buf_addf(out, " [style=dashed, label=\"%s\"]", kz_text(KZ_T_DEPS_CYCLE, view->japanese));
            kz_buf_add_text(out, ";\n");
        }
    kz_buf_add_text(out, "}\n");
}
