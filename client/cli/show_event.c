/* SPDX-License-Identifier: Apache-2.0 */
/* The board: per incident its systems in recovery order. */
#include "client/cli/show_event.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/codec/encode.h"
#include "client/codec/width.h"
#include "node/base/assert.h"
#include "node/registry/incident.h"
#include "node/registry/when.h"

#define NUMBER_TEXT_BYTES 24
/* Of 2026-01-17T05:46:12+09:00 a board shows 01-17 05:46. */
#define DAY_AT 5
#define DAY_BYTES 5
#define HOUR_AT 11
#define HOUR_BYTES 5

struct line {
    const struct kz_incident_system *system;
    const Kz__Record *record; /* of the system; NULL: not known */
    struct kz_incident_clock clock;
};

struct board {
    const struct kz_view *view;
    const struct kz_scene *scene;
    const char *id;
    struct kz_incident incident;
    struct kz_incident_system *systems;
    struct line *lines; /* in recovery order */
    size_t count;
    size_t silent; /* systems without a report */
};

/* ---- putting together ---- */

static const Kz__Record *find_system(const struct kz_scene *scene, const char *id)
{
    for (size_t i = 0; i < scene->count; i++)
        if (scene->records[i]->kind == KZ__KIND__SYSTEM && strcmp(scene->records[i]->id, id) == 0)
            return scene->records[i];
    return NULL;
}

static int priority_of(const Kz__Record *record)
{
    if (!record || !record->system) return INT32_MAX;
    if (record->system->has_priority_override) return (int)record->system->priority_override;
    return record->system->has_priority ? (int)record->system->priority : INT32_MAX;
}

static int64_t rto_of(const Kz__Record *record)
{
    return record && record->system && record->system->has_rto ? record->system->rto : INT64_MAX;
}

static int compare_lines(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    int first = priority_of(x->record), second = priority_of(y->record);
    if (first != second) return first < second ? -1 : 1;
    int64_t rto = rto_of(x->record), other_rto = rto_of(y->record);
    if (rto != other_rto) return rto < other_rto ? -1 : 1;
    return strcmp(x->system->system, y->system->system);
}

static void board_init(struct board *board, const struct kz_events *events, const struct kz_incident *incident,
                       const char *id)
{
    board->id = id;
    board->incident = *incident;
    board->systems = kz_incident_systems(events, id, &board->count);
    board->lines = kz_must_alloc(board->count + 1, sizeof *board->lines);
    size_t known = 0, all = 0;
    for (size_t i = 0; i < board->count; i++) {
        const Kz__Record *record = find_system(board->scene, board->systems[i].system);
        int64_t rto = rto_of(record);
        bool has_rto = rto != INT64_MAX;
        board->lines[i] = (struct line){
            .system = &board->systems[i],
            .record = record,
            .clock = kz_incident_clock(&board->systems[i], has_rto, has_rto ? rto : 0, board->scene->now_ms)};
        known += record != NULL;
    }
    for (size_t i = 0; i < board->scene->count; i++)
        all += board->scene->records[i]->kind == KZ__KIND__SYSTEM;
    board->silent = all - known;
    qsort(board->lines, board->count, sizeof *board->lines, compare_lines);
}

static void board_fini(struct board *board)
{
    free(board->systems);
    free(board->lines);
}

/* ---- words ---- */

static const char *label_of(Kz__Kind kind, const char *field_name, int number, bool japanese)
{
    const struct kz_field *field = kz_field_by_name(kz_kind_by_number(kind)->fields, field_name);
    const struct kz_enum_value *value = field ? kz_enum_by_number(field->values, number) : NULL;
    return !value ? "?" : japanese ? value->label.ja : value->label.en;
}

static const char *name_of(Kz__Kind kind, const char *field_name, int number)
{
    const struct kz_field *field = kz_field_by_name(kz_kind_by_number(kind)->fields, field_name);
    const struct kz_enum_value *value = field ? kz_enum_by_number(field->values, number) : NULL;
    return value ? value->name : "?";
}

static void add_hour(struct kz_buf *out, int64_t time_ms)
{
    struct kz_buf whole;
    kz_buf_init(&whole, 0);
    kz_time_format(&whole, time_ms);
    kz_buf_addf(out, "%.*s %.*s", DAY_BYTES, kz_buf_text(&whole) + DAY_AT, HOUR_BYTES, kz_buf_text(&whole) + HOUR_AT);
    kz_buf_fini(&whole);
}

static void add_left(const struct kz_view *view, const struct line *line, struct kz_buf *out)
{
    if (!line->clock.has_left) return;
    int64_t left_s = line->clock.left_s;
    if (left_s >= 0 && !line->system->out) {
        kz_buf_add_text(out, kz_text(KZ_T_BOARD_MET, view->japanese));
        return;
    }
    struct kz_buf duration;
    kz_buf_init(&duration, 0);
    kz_show_duration(view, &duration, (left_s < 0 ? -left_s : left_s) * 1000);
    kz_text_fill(out, left_s < 0 ? KZ_T_BOARD_MISSED : KZ_T_BOARD_LEFT, view->japanese,
                 KZ_TEXT_ARGS(kz_buf_text(&duration)));
    kz_buf_fini(&duration);
}

/* ---- table ---- */

static void add_cell(struct kz_grid *grid, struct kz_buf *cell)
{
    kz_grid_add_cell(grid, kz_buf_text(cell));
    kz_buf_clear(cell);
}

static void add_line(const struct kz_view *view, const struct line *line, struct kz_grid *grid)
{
    const struct kz_incident_system *system = line->system;
    const Kz__System *body = line->record ? line->record->system : NULL;
    struct kz_buf cell;
    kz_buf_init(&cell, 0);
    int priority = priority_of(line->record);
    kz_grid_add_cell(grid, priority == INT32_MAX ? "" : name_of(KZ__KIND__SYSTEM, "priority", priority));
    kz_grid_add_cell(grid, system->system);
    kz_grid_add_cell(grid, body && body->name ? body->name : "");
    kz_grid_add_cell(grid, label_of(KZ__KIND__STATUS, "state", (int)system->state, view->japanese));
    kz_grid_add_cell(grid, kz_text(system->confirmed ? KZ_T_BOARD_CONFIRMED : KZ_T_BOARD_UNCONFIRMED, view->japanese));
    if (line->clock.has_elapsed) kz_show_duration(view, &cell, line->clock.elapsed_s * 1000);
    add_cell(grid, &cell);
    if (body && body->has_rto) kz_duration_format(&cell, body->rto, view->japanese);
    add_cell(grid, &cell);
    add_left(view, line, &cell);
    add_cell(grid, &cell);
    if (system->has_expected_at) add_hour(&cell, system->expected_at);
    add_cell(grid, &cell);
    add_hour(&cell, system->reported_at);
    add_cell(grid, &cell);
    kz_grid_add_cell(grid, system->report->noted_by ? system->report->noted_by : "");
    kz_grid_add_cell(grid, system->provisional ? kz_text(KZ_T_PROVISIONAL, view->japanese) : "");
    kz_buf_fini(&cell);
}

static void show_systems(const struct board *board, struct kz_buf *out)
{
    static const enum kz_text_id headers[] = {KZ_T_COLUMN_PRIORITY, KZ_T_COLUMN_SYSTEM,    KZ_T_COLUMN_NAME,
                                              KZ_T_COLUMN_STATE,    KZ_T_COLUMN_CONFIRMED, KZ_T_COLUMN_ELAPSED,
                                              KZ_T_COLUMN_RTO,      KZ_T_COLUMN_LEFT,      KZ_T_COLUMN_EXPECTED,
                                              KZ_T_COLUMN_REPORTED, KZ_T_COLUMN_REPORTER,  KZ_T_COLUMN_MARK};
    struct kz_grid grid = {0};
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
        kz_show_add_column(board->view, &grid, headers[i], false);
    for (size_t i = 0; i < board->count; i++)
        add_line(board->view, &board->lines[i], &grid);
    kz_show_grid(board->view, &grid, out);
}

static void show_time_line(const struct kz_view *view, enum kz_text_id text, int64_t time_ms, const char *second,
                           struct kz_buf *out)
{
    struct kz_buf time;
    kz_buf_init(&time, 0);
    add_hour(&time, time_ms);
    kz_show_line(view, out, text, KZ_TEXT_ARGS(kz_buf_text(&time), second));
    kz_buf_fini(&time);
}

static void show_head(const struct board *board, struct kz_buf *out)
{
    const struct kz_view *view = board->view;
    const struct kz_incident *incident = &board->incident;
    const char *unknown = kz_text(KZ_T_UNKNOWN, view->japanese);
    kz_show_line(
        view, out, incident->provisional ? KZ_T_BOARD_INCIDENT_PROVISIONAL : KZ_T_BOARD_INCIDENT,
        KZ_TEXT_ARGS(
            board->id, *incident->title ? incident->title : unknown,
            incident->has_type ? label_of(KZ__KIND__INCIDENT, "type", (int)incident->type, view->japanese) : unknown,
            incident->has_mode ? label_of(KZ__KIND__INCIDENT, "mode", (int)incident->mode, view->japanese) : unknown));
    struct kz_buf decided;
    kz_buf_init(&decided, 0);
    add_hour(&decided, incident->decided_at);
    kz_show_line(view, out, *incident->criterion ? KZ_T_BOARD_STATE_CRITERION : KZ_T_BOARD_STATE,
                 KZ_TEXT_ARGS(label_of(KZ__KIND__INCIDENT, "state", (int)incident->state, view->japanese),
                              kz_buf_text(&decided), incident->decided_by, incident->criterion));
    kz_buf_fini(&decided);
    if (board->scene->details && incident->has_occurred_at)
        show_time_line(view, KZ_T_BOARD_OCCURRED, incident->occurred_at, NULL, out);
    if (board->scene->details && incident->has_noticed_at)
        show_time_line(view, KZ_T_BOARD_NOTICED, incident->noticed_at, NULL, out);
}

static void show_next_hour(const struct board *board, struct kz_buf *out)
{
    if (board->incident.state == KZ__INCIDENT__STATE__CLOSED) return;
    int64_t now = board->scene->now_ms, next = kz_incident_next_report(now, kz_report_minutes, KZ_REPORT_HOURS);
    struct kz_buf left;
    kz_buf_init(&left, 0);
    kz_show_duration(board->view, &left, next - now);
    show_time_line(board->view, KZ_T_BOARD_NEXT_REPORT, next, kz_buf_text(&left), out);
    kz_buf_fini(&left);
}

static void show_one(const struct board *board, struct kz_buf *out)
{
    char silent[NUMBER_TEXT_BYTES];
    snprintf(silent, sizeof silent, "%zu", board->silent);
    show_head(board, out);
    show_next_hour(board, out);
    kz_buf_add_text(out, "\n");
    if (board->count > 0) show_systems(board, out);
    if (board->silent > 0) kz_show_line(board->view, out, KZ_T_BOARD_SILENT, KZ_TEXT_ARGS(silent));
}

/* ---- JSON ---- */

static json_t *encode_line(const struct line *line)
{
    const struct kz_incident_system *system = line->system;
    const Kz__System *body = line->record ? line->record->system : NULL;
    int priority = priority_of(line->record);
    json_t *object = json_object();
    kz_show_set(object, "system", kz_show_string(system->system));
    kz_show_set(object, "name", body && body->name ? kz_show_string(body->name) : json_null());
    kz_show_set(object, "priority",
                priority == INT32_MAX ? json_null() : kz_show_string(name_of(KZ__KIND__SYSTEM, "priority", priority)));
    kz_show_set(object, "state", kz_show_string(name_of(KZ__KIND__STATUS, "state", (int)system->state)));
    kz_show_set(object, "confirmed", json_boolean(system->confirmed));
    kz_show_set(object, "out", json_boolean(system->out));
    kz_show_set(object, "since", system->has_outage ? kz_show_time(system->since) : json_null());
    kz_show_set(object, "elapsed_s", line->clock.has_elapsed ? json_integer(line->clock.elapsed_s) : json_null());
    kz_show_set(object, "rto_s", body && body->has_rto ? json_integer(body->rto) : json_null());
    kz_show_set(object, "left_s", line->clock.has_left ? json_integer(line->clock.left_s) : json_null());
    kz_show_set(object, "missed", json_boolean(line->clock.has_left && line->clock.left_s < 0));
    kz_show_set(object, "expected_at", system->has_expected_at ? kz_show_time(system->expected_at) : json_null());
    kz_show_set(object, "report", kz_show_string(system->report->id));
    kz_show_set(object, "reported_at", kz_show_time(system->reported_at));
    kz_show_set(object, "reported_by", kz_show_string(system->report->noted_by));
    kz_show_set(object, "reports", json_integer((json_int_t)system->reports));
    kz_show_set(object, "provisional", json_boolean(system->provisional));
    return object;
}

static json_t *encode_board(const struct board *board)
{
    const struct kz_incident *incident = &board->incident;
    json_t *object = json_object(), *systems = json_array();
    kz_show_set(object, "id", kz_show_string(board->id));
    kz_show_set(object, "title", kz_show_string(incident->title));
    kz_show_set(object, "type",
                incident->has_type ? kz_show_string(name_of(KZ__KIND__INCIDENT, "type", (int)incident->type))
                                   : json_null());
    kz_show_set(object, "mode",
                incident->has_mode ? kz_show_string(name_of(KZ__KIND__INCIDENT, "mode", (int)incident->mode))
                                   : json_null());
    kz_show_set(object, "state", kz_show_string(name_of(KZ__KIND__INCIDENT, "state", (int)incident->state)));
    kz_show_set(object, "decided_at", kz_show_time(incident->decided_at));
    kz_show_set(object, "decided_by", kz_show_string(incident->decided_by));
    kz_show_set(object, "criterion", kz_show_string(incident->criterion));
    kz_show_set(object, "occurred_at", incident->has_occurred_at ? kz_show_time(incident->occurred_at) : json_null());
    kz_show_set(object, "noticed_at", incident->has_noticed_at ? kz_show_time(incident->noticed_at) : json_null());
    kz_show_set(object, "provisional", json_boolean(incident->provisional));
    kz_show_set(object, "next_report_at",
                kz_show_time(kz_incident_next_report(board->scene->now_ms, kz_report_minutes, KZ_REPORT_HOURS)));
    for (size_t i = 0; i < board->count; i++)
        kz_assert(json_array_append_new(systems, encode_line(&board->lines[i])) == 0);
    kz_show_set(object, "systems", systems);
    kz_show_set(object, "without_report", json_integer((json_int_t)board->silent));
    return object;
}

/* ---- all of them ---- */

const char **kz_open_incidents(Kz__Record *const *records, size_t count, size_t *open_count)
{
    struct kz_events events;
    kz_events_init(&events, (const Kz__Record *const *)records, count);
    const char **ids = kz_must_alloc(events.count + 1, sizeof *ids);
    *open_count = 0;
    for (size_t i = 0; i < events.count; i++) {
        const Kz__Record *first = events.items[i].first;
        struct kz_incident incident;
        if (!kz_event_opens(first) || !kz_incident_now(&events, first->id, &incident)) continue;
        if (incident.state != KZ__INCIDENT__STATE__CLOSED) ids[(*open_count)++] = first->id;
    }
    kz_events_fini(&events);
    return ids;
}

bool kz_show_board(const struct kz_view *view, const struct kz_scene *scene, struct kz_buf *out)
{
    struct kz_events events;
    kz_events_init(&events, (const Kz__Record *const *)scene->records, scene->count);
    size_t count = 1;
    const char **ids =
        scene->incident ? kz_must_alloc(1, sizeof *ids) : kz_open_incidents(scene->records, scene->count, &count);
    if (scene->incident) ids[0] = scene->incident;
    json_t *items = kz_show_is_json(view) ? json_array() : NULL;
    bool found = true;
    for (size_t i = 0; i < count; i++) {
        struct kz_incident incident;
        found = kz_incident_now(&events, ids[i], &incident);
        if (!found) break;
        struct board board = {.view = view, .scene = scene};
        board_init(&board, &events, &incident, ids[i]);
        if (i > 0 && !items) kz_buf_add_text(out, "\n");
        if (items)
            kz_assert(json_array_append_new(items, encode_board(&board)) == 0);
        else if (view->output == KZ_OUTPUT_CSV)
            show_systems(&board, out);
        else
            show_one(&board, out);
        board_fini(&board);
    }
    if (items && found)
        kz_show_items(view, scene->meta, items, out);
    else
        json_decref(items);
    if (!items && count == 0) kz_show_line(view, out, KZ_T_BOARD_NOTHING, NULL, 0);
    free(ids);
    kz_events_fini(&events);
    return found;
}
