/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/show_derived.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "node/base/assert.h"
#include "node/registry/when.h"

#define NUMBER_TEXT_BYTES 24
#define SECOND_MS 1000

void kz_show_add_cell(struct kz_grid *grid, struct kz_buf *cell)
{
    kz_grid_add_cell(grid, kz_buf_text(cell));
    kz_buf_clear(cell);
}

const char *kz_show_priority(const Kz__System *system)
{
    const struct kz_field *field = kz_field_by_name(kz_kind_by_number(KZ__KIND__SYSTEM)->fields, "priority");
    const struct kz_enum_value *value =
        system->has_priority ? kz_enum_by_number(field->values, (int)system->priority) : NULL;
    return value ? value->name : "";
}

const char *kz_show_title(const Kz__Record *record)
{
    const struct kz_field *fields = kz_kind_by_number(record->kind)->fields;
    const struct kz_field *field = kz_field_by_name(fields, "name");
    if (!field) field = kz_field_by_name(fields, "title");
    const ProtobufCMessage *body = kz_record_body(record);
    return field && kz_value_count(body, field) > 0 ? kz_value_text(body, field, 0) : "";
}

/* ---- order ---- */

/* "togo-kasou-server → juki": on what a step waits, in the order of recovery; the step itself at the end. */
static void add_chain(struct kz_buf *out, const struct kz_graph *graph, const struct kz_order *order, size_t step)
{
    size_t count;
    size_t *chain = kz_order_chain(order, step, &count);
    for (size_t i = 0; i < count; i++)
        kz_buf_addf(out, "%s%s", i ? " → " : "", graph->systems[order->steps[chain[i]].system]->id);
    free(chain);
}

static void add_time(const struct kz_view *view, struct kz_buf *cell, int64_t time_s, bool at_least)
{
    struct kz_buf duration;
    kz_buf_init(&duration, 0);
    kz_show_duration(view, &duration, time_s * SECOND_MS);
    if (at_least)
        kz_text_fill(cell, KZ_T_ORDER_AT_LEAST, view->japanese, KZ_TEXT_ARGS(kz_buf_text(&duration)));
    else
        kz_buf_add_text(cell, kz_buf_text(&duration));
    kz_buf_fini(&duration);
}

static json_t *encode_step(const struct kz_graph *graph, const struct kz_order *order, size_t index)
{
    const struct kz_order_step *step = &order->steps[index];
    const Kz__Record *record = graph->systems[step->system];
    json_t *object = json_object(), *chain = json_array();
    kz_show_set(object, "system", kz_show_string(record->id));
    kz_show_set(object, "name", kz_show_string(kz_show_title(record)));
    if (record->system->has_priority) kz_show_set(object, "priority", kz_show_string(kz_show_priority(record->system)));
    if (record->system->has_rto) kz_show_set(object, "rto_s", json_integer(record->system->rto));
    kz_show_set(object, "begins_s", json_integer(step->start_s));
    kz_show_set(object, "runs_s", json_integer(step->finish_s));
    kz_show_set(object, "begins_at_least", json_boolean(step->start_at_least));
    kz_show_set(object, "at_least", json_boolean(step->at_least));
    kz_show_set(object, "misses_rto", json_boolean(step->misses));
    kz_show_set(object, "late_s", json_integer(step->late_s));
    kz_show_set(object, "waits_for_team", json_boolean(step->for_team));
    size_t count;
    size_t *steps = kz_order_chain(order, index, &count);
    for (size_t i = 0; i < count; i++)
        kz_assert(json_array_append_new(chain, kz_show_string(graph->systems[order->steps[steps[i]].system]->id)) == 0);
    free(steps);
    kz_show_set(object, "chain", chain);
    return object;
}

static void add_step(const struct kz_view *view, const struct kz_graph *graph, const struct kz_order *order,
                     size_t index, struct kz_grid *grid)
{
    const struct kz_order_step *step = &order->steps[index];
    const Kz__Record *record = graph->systems[step->system];
    char number[NUMBER_TEXT_BYTES];
    struct kz_buf cell;
    kz_buf_init(&cell, 0);
    snprintf(number, sizeof number, "%zu", index + 1);
    kz_grid_add_cell(grid, number);
    kz_grid_add_cell(grid, kz_show_priority(record->system));
    kz_grid_add_cell(grid, record->id);
    kz_grid_add_cell(grid, kz_show_title(record));
    if (record->system->has_rto) kz_duration_format(&cell, record->system->rto, view->japanese);
    kz_show_add_cell(grid, &cell);
    add_time(view, &cell, step->start_s, step->start_at_least);
    kz_show_add_cell(grid, &cell);
    add_time(view, &cell, step->finish_s, step->at_least);
    kz_show_add_cell(grid, &cell);
    if (step->misses) kz_show_duration(view, &cell, step->late_s * SECOND_MS);
    kz_show_add_cell(grid, &cell);
    kz_grid_add_cell(grid, step->after == SIZE_MAX ? "" : graph->systems[order->steps[step->after].system]->id);
    kz_buf_fini(&cell);
}

void kz_show_order(const struct kz_view *view, const struct kz_graph *graph, const struct kz_order *order,
                   const Kz__Meta *meta, struct kz_buf *out)
{
    if (view->output == KZ_OUTPUT_DOT) {
        kz_show_dot(view, graph, NULL, order, out);
        return;
    }
    if (view->output == KZ_OUTPUT_JSON || view->output == KZ_OUTPUT_YAML) {
        json_t *items = json_array();
        for (size_t i = 0; i < order->count; i++)
            kz_assert(json_array_append_new(items, encode_step(graph, order, i)) == 0);
        kz_show_items(view, meta, items, out);
        return;
    }
    static const enum kz_text_id columns[] = {KZ_T_COLUMN_NUMBER, KZ_T_COLUMN_PRIORITY, KZ_T_COLUMN_SYSTEM,
                                              KZ_T_COLUMN_NAME,   KZ_T_COLUMN_RTO,      KZ_T_COLUMN_BEGINS,
                                              KZ_T_COLUMN_RUNS,   KZ_T_COLUMN_LATE,     KZ_T_COLUMN_WAITS};
    struct kz_grid grid = {0};
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        kz_show_add_column(view, &grid, columns[i], i == 0);
    for (size_t i = 0; i < order->count; i++)
        add_step(view, graph, order, i, &grid);
    kz_show_grid(view, &grid, out);
}

void kz_show_order_notes(const struct kz_view *view, const struct kz_graph *graph, const struct kz_order *order,
                         struct kz_buf *out)
{
    struct kz_buf text, late;
    kz_buf_init(&text, 0);
    kz_buf_init(&late, 0);
    for (size_t i = 0; i < order->count; i++) {
        if (!order->steps[i].misses) continue;
        kz_buf_clear(&text);
        kz_buf_clear(&late);
        add_chain(&text, graph, order, i);
        kz_show_duration(view, &late, order->steps[i].late_s * SECOND_MS);
        kz_show_line(view, out, KZ_T_ORDER_MISSES,
                     KZ_TEXT_ARGS(graph->systems[order->steps[i].system]->id, kz_buf_text(&late), kz_buf_text(&text)));
    }
    for (size_t i = 0; i < graph->cycle_count && i < KZ_CYCLES_NAMED_MAX; i++) {
        const struct kz_cycle *cycle = &graph->cycles[i];
        kz_buf_clear(&text);
        for (size_t j = 0; j <= cycle->count; j++)
            kz_buf_addf(&text, "%s%s", j ? " → " : "", graph->systems[cycle->systems[j % cycle->count]]->id);
        kz_show_line(view, out, KZ_T_ORDER_CYCLE,
                     KZ_TEXT_ARGS(kz_buf_text(&text), graph->systems[cycle->systems[cycle->count - 1]]->id,
                                  graph->systems[cycle->systems[0]]->id));
    }
    kz_buf_fini(&text);
    kz_buf_fini(&late);
}

/* ---- impact ---- */

static const char *level_name(enum kz_impact_level level)
{
    return level == KZ_IMPACT_LOST ? "LOST" : level == KZ_IMPACT_SWITCHES ? "SWITCHES" : "WEAKENED";
}

static enum kz_text_id level_text(enum kz_impact_level level)
{
    return level == KZ_IMPACT_LOST       ? KZ_T_IMPACT_LOST
           : level == KZ_IMPACT_SWITCHES ? KZ_T_IMPACT_SWITCHES
                                         : KZ_T_IMPACT_WEAKENED;
}

static void add_left(void *data, const Kz__Record *left)
{
    struct kz_buf *text = data;
    kz_buf_addf(text, "%s%s", text->size_bytes > 0 ? ", " : "", left->id);
}

static void encode_left(void *data, const Kz__Record *left)
{
    kz_assert(json_array_append_new(data, kz_show_string(left->id)) == 0);
}

static json_t *encode_impact(const struct kz_impact *impact, const struct kz_impact_item *item)
{
    json_t *object = json_object(), *left = json_array();
    kz_show_set(object, "kind", kz_show_string(kz_show_kind(item->record->kind)));
    kz_show_set(object, "id", kz_show_string(item->record->id));
    kz_show_set(object, "name", kz_show_string(kz_show_title(item->record)));
    kz_show_set(object, "impact", kz_show_string(level_name(item->level)));
    if (item->because) {
        json_t *because = json_object();
        kz_show_set(because, "kind", kz_show_string(kz_show_kind(item->because->kind)));
        kz_show_set(because, "id", kz_show_string(item->because->id));
        kz_show_set(object, "because", because);
    }
    kz_impact_left(impact, item, encode_left, left);
    kz_show_set(object, "left", left);
    return object;
}

static void encode_runbook(void *data, const Kz__Record *runbook)
{
    json_t *object = json_object();
    kz_show_set(object, "kind", kz_show_string(kz_show_kind(runbook->kind)));
    kz_show_set(object, "id", kz_show_string(runbook->id));
    kz_show_set(object, "name", kz_show_string(kz_show_title(runbook)));
    kz_show_set(object, "impact", kz_show_string("USE"));
    kz_assert(json_array_append_new(data, object) == 0);
}

struct runbook_rows {
    const struct kz_view *view;
    struct kz_grid *grid;
};

static void add_runbook(void *data, const Kz__Record *runbook)
{
    const struct runbook_rows *rows = data;
    kz_grid_add_cell(rows->grid, kz_show_kind(runbook->kind));
    kz_grid_add_cell(rows->grid, runbook->id);
    kz_grid_add_cell(rows->grid, kz_show_title(runbook));
    kz_grid_add_cell(rows->grid, kz_text(KZ_T_IMPACT_USE, rows->view->japanese));
    kz_grid_add_cell(rows->grid, "");
    kz_grid_add_cell(rows->grid, "");
}

void kz_show_impact(const struct kz_view *view, const struct kz_impact *impact, const Kz__Meta *meta,
                    struct kz_buf *out)
{
    if (view->output == KZ_OUTPUT_JSON || view->output == KZ_OUTPUT_YAML) {
        json_t *items = json_array();
        for (size_t i = 0; i < impact->count; i++)
            kz_assert(json_array_append_new(items, encode_impact(impact, &impact->items[i])) == 0);
        kz_impact_runbooks(impact, encode_runbook, items);
        kz_show_items(view, meta, items, out);
        return;
    }
    static const enum kz_text_id columns[] = {KZ_T_COLUMN_KIND,   KZ_T_COLUMN_ID,      KZ_T_COLUMN_NAME,
                                              KZ_T_COLUMN_IMPACT, KZ_T_COLUMN_BECAUSE, KZ_T_COLUMN_REMAINS};
    struct kz_grid grid = {0};
    struct kz_buf left;
    kz_buf_init(&left, 0);
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        kz_show_add_column(view, &grid, columns[i], false);
    for (size_t i = 0; i < impact->count; i++) {
        const struct kz_impact_item *item = &impact->items[i];
        kz_grid_add_cell(&grid, kz_show_kind(item->record->kind));
        kz_grid_add_cell(&grid, item->record->id);
        kz_grid_add_cell(&grid, kz_show_title(item->record));
        kz_grid_add_cell(&grid, kz_text(level_text(item->level), view->japanese));
        kz_grid_add_cell(&grid, item->because ? item->because->id : "");
        kz_impact_left(impact, item, add_left, &left);
        kz_show_add_cell(&grid, &left);
    }
    kz_impact_runbooks(impact, add_runbook, &(struct runbook_rows){view, &grid});
    kz_show_grid(view, &grid, out);
    kz_buf_fini(&left);
}
