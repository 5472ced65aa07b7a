/* SPDX-License-Identifier: Apache-2.0 */
/* The timeline: every event of an incident as it was noted, corrections beside what they correct. */
#include <stdlib.h>
#include <string.h>

#include "client/cli/show_event.h"
#include "client/codec/encode.h"
#include "node/base/assert.h"
#include "node/registry/incident.h"
#include "node/registry/when.h"

static int compare_events(const void *a, const void *b)
{
    const Kz__Record *x = *(Kz__Record *const *)a, *y = *(Kz__Record *const *)b;
    int64_t first = kz_event_noted_at(x), second = kz_event_noted_at(y);
    if (first != second) return first < second ? -1 : 1;
    int by_origin = strcmp(x->origin ? x->origin : "", y->origin ? y->origin : "");
    if (by_origin) return by_origin;
    if (x->origin_seq != y->origin_seq) return x->origin_seq < y->origin_seq ? -1 : 1;
    return (int)x->provisional - (int)y->provisional; /* what is confirmed counts, see choose_events */
}

/* Those of the incident, each id once. The array is the caller's. */
static Kz__Record **choose_events(const struct kz_scene *scene, size_t *count)
{
    Kz__Record **chosen = kz_must_alloc(scene->count + 1, sizeof *chosen);
    size_t found = 0, kept = 0;
    for (size_t i = 0; i < scene->count; i++) {
        const char *incident = kz_event_incident(scene->records[i]);
        if (incident && strcmp(incident, scene->incident) == 0) chosen[found++] = scene->records[i];
    }
    qsort(chosen, found, sizeof *chosen, compare_events);
    for (size_t i = 0; i < found; i++)
        if (kept == 0 || strcmp(chosen[kept - 1]->id, chosen[i]->id) != 0) chosen[kept++] = chosen[i];
    *count = kept;
    return chosen;
}

/* A value that does not speak for itself gets its label. */
static bool needs_label(const struct kz_field *field)
{
    return field->type == KZ_FIELD_TIME || field->type == KZ_FIELD_INTEGER || field->type == KZ_FIELD_BOOLEAN;
}

static void add_summary(const struct kz_view *view, const Kz__Record *event, struct kz_buf *out)
{
    const struct kz_kind *kind = kz_kind_by_number(event->kind);
    const ProtobufCMessage *body = kz_record_body(event);
    for (const struct kz_field *field = kind->fields; body && field->name; field++) {
        if (strcmp(field->name, "incident") == 0 || strcmp(field->name, "corrects") == 0) continue;
        if (strcmp(field->name, "run") == 0 || strcmp(field->name, "revision") == 0) continue; /* for programs */
        size_t count = kz_value_count(body, field);
        for (size_t i = 0; i < count; i++) {
            if (out->size_bytes > 0) kz_buf_add_text(out, " ");
            if (needs_label(field)) kz_buf_addf(out, "%s ", view->japanese ? field->label.ja : field->label.en);
            kz_value_format(out, field, body, i, view->japanese);
        }
    }
}

static void add_marks(const struct kz_view *view, const Kz__Record *event, struct kz_buf *out)
{
    if (event->provisional) kz_buf_add_text(out, kz_text(KZ_T_PROVISIONAL, view->japanese));
    const char *corrects = kz_event_corrects(event);
    if (!corrects) return;
    if (out->size_bytes > 0) kz_buf_add_text(out, " ");
    kz_text_fill(out, KZ_T_TIMELINE_CORRECTS, view->japanese, KZ_TEXT_ARGS(corrects));
}

static void add_event(const struct kz_view *view, const Kz__Record *event, struct kz_grid *grid)
{
    const struct kz_kind *kind = kz_kind_by_number(event->kind);
    int64_t noted_at = kz_event_noted_at(event);
    struct kz_buf cell;
    kz_buf_init(&cell, 0);
    kz_time_format(&cell, noted_at - noted_at % 1000);
    kz_grid_add_cell(grid, kz_buf_text(&cell));
    kz_buf_clear(&cell);
    kz_grid_add_cell(grid, view->japanese ? kind->label.ja : kind->name);
    add_summary(view, event, &cell);
    kz_grid_add_cell(grid, kz_buf_text(&cell));
    kz_buf_clear(&cell);
    kz_grid_add_cell(grid, event->noted_by ? event->noted_by : "");
    kz_grid_add_cell(grid, event->id);
    add_marks(view, event, &cell);
    kz_grid_add_cell(grid, kz_buf_text(&cell));
    kz_buf_fini(&cell);
}

bool kz_show_timeline(const struct kz_view *view, const struct kz_scene *scene, struct kz_buf *out)
{
    size_t count;
    Kz__Record **chosen = choose_events(scene, &count);
    if (count > 0 && kz_show_is_json(view)) {
        json_t *items = json_array();
        for (size_t i = 0; i < count; i++)
            kz_assert(json_array_append_new(items, kz_encode_record(chosen[i])) == 0);
        kz_show_items(view, scene->meta, items, out);
    } else if (count > 0) {
        struct kz_grid grid = {0};
        kz_show_add_column(view, &grid, KZ_T_COLUMN_NOTED, false);
        kz_show_add_column(view, &grid, KZ_T_COLUMN_KIND, false);
        kz_show_add_column(view, &grid, KZ_T_COLUMN_WHAT, false);
        kz_show_add_column(view, &grid, KZ_T_COLUMN_REPORTER, false);
        kz_show_add_column(view, &grid, KZ_T_COLUMN_ID, false);
        kz_show_add_column(view, &grid, KZ_T_COLUMN_MARK, false);
        for (size_t i = 0; i < count; i++)
            add_event(view, chosen[i], &grid);
        kz_show_grid(view, &grid, out);
    }
    free(chosen);
    return count > 0;
}
