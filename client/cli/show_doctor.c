/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/show_doctor.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client/cli/show_derived.h"
#include "node/base/assert.h"

#define NUMBER_TEXT_BYTES 24
#define SEVERITIES (KZ_SEVERITY_ERROR + 1)

static const char *in_view(const struct kz_view *view, const struct kz_text *text)
{
    return view->japanese ? text->ja : text->en;
}

static bool is_wanted(const struct kz_findings *findings, const struct kz_finding_filter *filter,
                      const struct kz_finding *finding)
{
    if (finding->rule->severity < filter->severity) return false;
    if (filter->kind && finding->kind != filter->kind) return false;
    if (!filter->owner) return true;
    return finding->record && kz_record_owned_by(&findings->set, finding->record, filter->owner);
}

static void count_wanted(const struct kz_findings *findings, const struct kz_finding_filter *filter,
                         size_t counts[SEVERITIES])
{
    memset(counts, 0, SEVERITIES * sizeof counts[0]);
    for (size_t i = 0; i < findings->count; i++)
        if (is_wanted(findings, filter, &findings->items[i])) counts[findings->items[i].rule->severity]++;
}

static const char *owner_of(const struct kz_findings *findings, const struct kz_finding *finding)
{
    const char *owner = finding->record ? kz_record_owner(&findings->set, finding->record) : NULL;
    return owner ? owner : "";
}

/* ---- forms ---- */

static json_t *encode(const struct kz_view *view, const struct kz_findings *findings, const struct kz_finding *finding)
{
    json_t *object = json_object();
    struct kz_buf problem;
    kz_buf_init(&problem, 0);
    kz_finding_problem(&problem, finding, view->japanese);
    kz_show_set(object, "severity", kz_show_string(kz_severity_label(finding->rule->severity)->en));
    kz_show_set(object, "rule", kz_show_string(finding->rule->name));
    kz_show_set(object, "kind", kz_show_string(kz_show_kind(finding->kind)));
    kz_show_set(object, "id", finding->record ? kz_show_string(finding->record->id) : json_null());
    kz_show_set(object, "name", finding->record ? kz_show_string(kz_show_title(finding->record)) : json_null());
    kz_show_set(object, "owner",
                *owner_of(findings, finding) ? kz_show_string(owner_of(findings, finding)) : json_null());
    kz_show_set(object, "source", kz_show_string(finding->rule->source));
    kz_show_set(object, "problem", kz_show_string(kz_buf_text(&problem)));
    kz_show_set(object, "advice", kz_show_string(in_view(view, &finding->rule->advice)));
    kz_buf_fini(&problem);
    return object;
}

static void add_row(const struct kz_view *view, const struct kz_findings *findings, const struct kz_finding *finding,
                    struct kz_grid *grid)
{
    struct kz_buf problem;
    kz_buf_init(&problem, 0);
    kz_finding_problem(&problem, finding, view->japanese);
    kz_grid_add_cell(grid, in_view(view, kz_severity_label(finding->rule->severity)));
    kz_grid_add_cell(grid, finding->rule->name);
    kz_grid_add_cell(grid, kz_show_kind(finding->kind));
    kz_grid_add_cell(grid, finding->record ? finding->record->id : "");
    kz_grid_add_cell(grid, finding->record ? kz_show_title(finding->record) : "");
    kz_grid_add_cell(grid, owner_of(findings, finding));
    kz_grid_add_cell(grid, kz_buf_text(&problem));
    kz_grid_add_cell(grid, in_view(view, &finding->rule->advice));
    kz_grid_add_cell(grid, finding->rule->source);
    kz_buf_fini(&problem);
}

static void add_paragraph(const struct kz_view *view, const struct kz_finding *finding, struct kz_buf *out)
{
    struct kz_buf text;
    kz_buf_init(&text, 0);
    kz_buf_addf(&text, "%s/%s", kz_show_kind(finding->kind), finding->record ? finding->record->id : "");
    if (finding->record)
        kz_show_line(view, out, KZ_T_DOCTOR_RECORD, KZ_TEXT_ARGS(kz_buf_text(&text), kz_show_title(finding->record)));
    else
        kz_show_line(view, out, KZ_T_DOCTOR_KIND,
                     KZ_TEXT_ARGS(in_view(view, &kz_kind_by_number(finding->kind)->label)));
    kz_buf_clear(&text);
    kz_finding_problem(&text, finding, view->japanese);
    kz_show_line(view, out, KZ_T_DOCTOR_PROBLEM,
                 KZ_TEXT_ARGS(kz_buf_text(&text), finding->rule->source, finding->rule->name));
    kz_show_line(view, out, KZ_T_DOCTOR_ADVICE, KZ_TEXT_ARGS(in_view(view, &finding->rule->advice)));
    kz_buf_fini(&text);
}

static void add_heading(const struct kz_view *view, enum kz_severity severity, size_t count, struct kz_buf *out)
{
    char number[NUMBER_TEXT_BYTES];
    snprintf(number, sizeof number, "%zu", count);
    if (out->size_bytes > 0) kz_buf_add_text(out, "\n");
    kz_show_line(view, out, KZ_T_DOCTOR_GROUP, KZ_TEXT_ARGS(in_view(view, kz_severity_label(severity)), number));
}

/* Findings come gravest first: a heading where the severity changes. */
static void show_paragraphs(const struct kz_view *view, const struct kz_findings *findings,
                            const struct kz_finding_filter *filter, const size_t counts[SEVERITIES], struct kz_buf *out)
{
    const struct kz_doctor_rule *last = NULL;
    for (size_t i = 0; i < findings->count; i++) {
        const struct kz_finding *finding = &findings->items[i];
        if (!is_wanted(findings, filter, finding)) continue;
        enum kz_severity severity = finding->rule->severity;
        if (view->headers && (!last || last->severity != severity)) add_heading(view, severity, counts[severity], out);
        add_paragraph(view, finding, out);
        last = finding->rule;
    }
}

size_t kz_show_findings(const struct kz_view *view, const struct kz_findings *findings,
                        const struct kz_finding_filter *filter, const Kz__Meta *meta, struct kz_buf *out)
{
    static const enum kz_text_id columns[] = {KZ_T_COLUMN_SEVERITY, KZ_T_COLUMN_FINDING, KZ_T_COLUMN_KIND,
                                              KZ_T_COLUMN_ID,       KZ_T_COLUMN_NAME,    KZ_T_COLUMN_OWNER,
                                              KZ_T_COLUMN_PROBLEM,  KZ_T_COLUMN_ADVICE,  KZ_T_COLUMN_SOURCE};
    size_t counts[SEVERITIES], shown = 0;
    count_wanted(findings, filter, counts);
    for (size_t i = 0; i < SEVERITIES; i++)
        shown += counts[i];
    if (view->output == KZ_OUTPUT_TABLE) {
        show_paragraphs(view, findings, filter, counts, out);
        return shown;
    }
    json_t *items = kz_show_is_json(view) ? json_array() : NULL;
    struct kz_grid grid = {0};
    for (size_t i = 0; !items && i < sizeof columns / sizeof columns[0]; i++)
        kz_show_add_column(view, &grid, columns[i], false);
    for (size_t i = 0; i < findings->count; i++) {
        const struct kz_finding *finding = &findings->items[i];
        if (!is_wanted(findings, filter, finding)) continue;
        if (items)
            kz_assert(json_array_append_new(items, encode(view, findings, finding)) == 0);
        else
            add_row(view, findings, finding, &grid);
    }
    if (items)
        kz_show_items(view, meta, items, out);
    else
        kz_show_grid(view, &grid, out);
    return shown;
}

void kz_show_findings_summary(const struct kz_view *view, const struct kz_findings *findings,
                              const struct kz_finding_filter *filter, struct kz_buf *out)
{
    size_t counts[SEVERITIES];
    char texts[SEVERITIES + 1][NUMBER_TEXT_BYTES];
    count_wanted(findings, filter, counts);
    for (size_t i = 0; i < SEVERITIES; i++)
        snprintf(texts[i], sizeof texts[i], "%zu", counts[i]);
    snprintf(texts[SEVERITIES], sizeof texts[0], "%zu", findings->set.count);
    kz_show_line(
        view, out, KZ_T_DOCTOR_SUMMARY,
        KZ_TEXT_ARGS(texts[KZ_SEVERITY_ERROR], texts[KZ_SEVERITY_WARNING], texts[KZ_SEVERITY_INFO], texts[SEVERITIES]));
}
