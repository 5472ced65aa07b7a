/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/show_steps.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"

#define NUMBER_TEXT_BYTES 24
#define STEP_PREFIX "steps[0]."

/* Steps by their place from 0; -1: there is none on that side. */
struct pair {
    int before, after;
};

struct pairing {
    const Kz__Runbook *before, *after;
    struct pair *pairs; /* in the order of `after`, removed ones where they stood */
    size_t count;
};

struct writer {
    const struct kz_view *view;
    struct kz_grid grid;
    json_t *items; /* NULL: a grid */
    struct pair pair;
    const char *title;
    enum kz_text_id change;
    const char *name;
    size_t count;
};

/* ---- which step is which ---- */

static bool same_title(const struct pairing *pairing, size_t before, size_t after)
{
    const char *a = pairing->before->steps[before]->title, *b = pairing->after->steps[after]->title;
    return a && b && strcmp(a, b) == 0;
}

/* Length of the longest common subsequence of titles from (i, j) on, row by row of n + 1. */
static unsigned *measure(const struct pairing *pairing, size_t m, size_t n)
{
    unsigned *length = kz_must_alloc((m + 1) * (n + 1), sizeof *length);
    for (size_t i = m; i-- > 0;)
        for (size_t j = n; j-- > 0;) {
            unsigned down = length[(i + 1) * (n + 1) + j], right = length[i * (n + 1) + j + 1];
            bool same = same_title(pairing, i, j);
            length[i * (n + 1) + j] = same ? length[(i + 1) * (n + 1) + j + 1] + 1 : down > right ? down : right;
        }
    return length;
}

/* Steps between two that are the same: as many as both sides have are each other's, the rest came or went. */
static void pair_gap(struct pairing *pairing, const size_t from[2], const size_t until[2])
{
    size_t i = from[0], j = from[1];
    for (; i < until[0] && j < until[1]; i++, j++)
        pairing->pairs[pairing->count++] = (struct pair){(int)i, (int)j};
    for (; i < until[0]; i++)
        pairing->pairs[pairing->count++] = (struct pair){(int)i, -1};
    for (; j < until[1]; j++)
        pairing->pairs[pairing->count++] = (struct pair){-1, (int)j};
}

/* Only a gap that has the same number of steps on both sides holds changed titles; else they came and went. */
static void end_gap(struct pairing *pairing, const size_t from[2], const size_t until[2])
{
    if (until[0] - from[0] == until[1] - from[1]) {
        pair_gap(pairing, from, until);
        return;
    }
    pair_gap(pairing, from, (const size_t[2]){until[0], from[1]});
    pair_gap(pairing, (const size_t[2]){until[0], from[1]}, until);
}

static void pairing_init(struct pairing *pairing, const Kz__Runbook *before, const Kz__Runbook *after)
{
    size_t m = before->n_steps, n = after->n_steps;
    *pairing =
        (struct pairing){.before = before, .after = after, .pairs = kz_must_alloc(m + n + 1, sizeof(struct pair))};
    unsigned *length = measure(pairing, m, n);
    size_t at[2] = {0, 0}, from[2] = {0, 0};
    while (at[0] < m && at[1] < n) {
        if (same_title(pairing, at[0], at[1])) {
            end_gap(pairing, from, at);
            pairing->pairs[pairing->count++] = (struct pair){(int)at[0], (int)at[1]};
            from[0] = ++at[0];
            from[1] = ++at[1];
        } else if (length[(at[0] + 1) * (n + 1) + at[1]] >= length[at[0] * (n + 1) + at[1] + 1]) {
            at[0]++;
        } else {
            at[1]++;
        }
    }
    end_gap(pairing, from, (const size_t[2]){m, n});
    free(length);
}

/* ---- rows ---- */

static void add_number(struct kz_grid *grid, int place)
{
    char text[NUMBER_TEXT_BYTES] = "";
    if (place >= 0) snprintf(text, sizeof text, "%d", place + 1);
    kz_grid_add_cell(grid, text);
}

static void add_row(struct writer *writer, const char *field, const char *before, const char *after)
{
    writer->count++;
    if (!writer->items) {
        const char *none = kz_text(KZ_T_ABSENT, writer->view->japanese);
        kz_grid_add_cell(&writer->grid, kz_text(writer->change, writer->view->japanese));
        add_number(&writer->grid, writer->pair.before);
        add_number(&writer->grid, writer->pair.after);
        kz_grid_add_cell(&writer->grid, writer->title);
        kz_grid_add_cell(&writer->grid, field ? field : "");
        kz_grid_add_cell(&writer->grid, before ? before : field ? none : "");
        kz_grid_add_cell(&writer->grid, after ? after : field ? none : "");
        return;
    }
    json_t *object = json_object();
    kz_show_set(object, "change", kz_show_string(writer->name));
    kz_show_set(object, "before_step", writer->pair.before < 0 ? json_null() : json_integer(writer->pair.before + 1));
    kz_show_set(object, "after_step", writer->pair.after < 0 ? json_null() : json_integer(writer->pair.after + 1));
    kz_show_set(object, "title", kz_show_string(writer->title));
    kz_show_set(object, "field", field ? kz_show_string(field) : json_null());
    kz_show_set(object, "before", before ? kz_show_string(before) : json_null());
    kz_show_set(object, "after", after ? kz_show_string(after) : json_null());
    kz_assert(json_array_append_new(writer->items, object) == 0);
}

static void add_difference(void *data, const char *path, const char *before, const char *after)
{
    bool of_step = strncmp(path, STEP_PREFIX, strlen(STEP_PREFIX)) == 0;
    add_row(data, of_step ? path + strlen(STEP_PREFIX) : path, before, after);
}

/* The record with the one step at `place`, or none: shares everything, compared only. */
static void cut_out(const Kz__Record *record, int place, bool rest, Kz__Record *out, Kz__Runbook *body)
{
    Kz__Runbook whole = *record->runbook;
    kz__runbook__init(body);
    if (rest) *body = whole;
    body->steps = place >= 0 ? whole.steps + place : NULL;
    body->n_steps = place >= 0 ? 1 : 0;
    kz__record__init(out);
    if (rest) *out = *record;
    out->kind = record->kind;
    out->id = record->id;
    out->runbook = body;
}

static void compare(struct writer *writer, const Kz__Record *before, const Kz__Record *after, bool rest)
{
    Kz__Record a, b;
    Kz__Runbook body_a, body_b;
    cut_out(before, writer->pair.before, rest, &a, &body_a);
    cut_out(after, writer->pair.after, rest, &b, &body_b);
    kz_record_diff(&a, &b, writer->view->japanese, add_difference, writer);
}

static void write_pair(struct writer *writer, const Kz__Record *before, const Kz__Record *after, struct pair pair)
{
    const Kz__Runbook *of = pair.after >= 0 ? after->runbook : before->runbook;
    writer->pair = pair;
    writer->title = of->steps[pair.after >= 0 ? pair.after : pair.before]->title;
    if (!writer->title) writer->title = "";
    if (pair.before >= 0 && pair.after >= 0) {
        writer->change = KZ_T_STEP_CHANGED;
        writer->name = "changed";
        compare(writer, before, after, false);
        return;
    }
    writer->change = pair.before < 0 ? KZ_T_STEP_ADDED : KZ_T_STEP_REMOVED;
    writer->name = pair.before < 0 ? "added" : "removed";
    add_row(writer, NULL, NULL, NULL);
}

static void add_head(const struct kz_view *view, const Kz__Record *before, const Kz__Record *after, struct kz_buf *out)
{
    char from[NUMBER_TEXT_BYTES], to[NUMBER_TEXT_BYTES];
    snprintf(from, sizeof from, "%" PRIu64, before->rev);
    snprintf(to, sizeof to, "%" PRIu64, after->rev);
    struct kz_buf name;
    kz_buf_init(&name, 0);
    kz_buf_addf(&name, "runbook/%s", after->id);
    kz_show_line(view, out, KZ_T_DIFF_HEADER, KZ_TEXT_ARGS(kz_buf_text(&name), from, to));
    kz_buf_fini(&name);
}

static void add_columns(const struct kz_view *view, struct kz_grid *grid)
{
    kz_show_add_column(view, grid, KZ_T_COLUMN_CHANGE, false);
    kz_show_add_column(view, grid, KZ_T_COLUMN_STEP_BEFORE, true);
    kz_show_add_column(view, grid, KZ_T_COLUMN_STEP_AFTER, true);
    kz_show_add_column(view, grid, KZ_T_COLUMN_STEP_TITLE, false);
    kz_show_add_column(view, grid, KZ_T_COLUMN_FIELD, false);
    kz_show_add_column(view, grid, KZ_T_COLUMN_BEFORE, false);
    kz_show_add_column(view, grid, KZ_T_COLUMN_AFTER, false);
}

void kz_show_steps_diff(const struct kz_view *view, const Kz__Record *before, const Kz__Record *after,
                        const Kz__Meta *meta, struct kz_buf *out)
{
    Kz__Record *nothing = kz_record_new(after->kind, after->id);
    kz_assert(nothing);
    if (!before) before = nothing;
    struct writer writer = {.view = view, .items = kz_show_is_json(view) ? json_array() : NULL};
    struct pairing pairing;
    bool table = !writer.items && view->output != KZ_OUTPUT_CSV;
    add_columns(view, &writer.grid);
    if (table) add_head(view, before, after, out);
    writer.pair = (struct pair){-1, -1};
    writer.title = "";
    writer.change = KZ_T_STEP_CHANGED;
    writer.name = "changed";
    compare(&writer, before, after, true);
    pairing_init(&pairing, before->runbook, after->runbook);
    for (size_t i = 0; i < pairing.count; i++)
        write_pair(&writer, before, after, pairing.pairs[i]);
    free(pairing.pairs);
    if (writer.items) {
        kz_show_items(view, meta, writer.items, out);
        kz_grid_fini(&writer.grid);
    } else if (table && writer.count == 0) {
        kz_show_line(view, out, KZ_T_NO_DIFFERENCE, NULL, 0);
        kz_grid_fini(&writer.grid);
    } else {
        kz_show_grid(view, &writer.grid, out);
    }
    kz__record__free_unpacked(nothing, NULL);
}
