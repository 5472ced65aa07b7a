/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/golden/derived.h"

#include "client/cli/show_derived.h"
#include "client/cli/show_doctor.h"

static void make_set(const struct canned *canned, struct kz_set *set, struct kz_graph *graph)
{
    kz_set_init(set, (const Kz__Record *const *)canned->records, canned->count);
    kz_graph_init(graph, set);
}

void golden_write_order(const struct canned *canned, const struct kz_view *view, struct kz_buf *out)
{
    struct kz_set set;
    struct kz_graph graph;
    struct kz_order order;
    Kz__Meta meta = canned_meta(true);
    make_set(canned, &set, &graph);
    kz_order_init(&order, &graph, &(struct kz_order_options){.elapsed_s = 6 * 3600});
    kz_show_order(view, &graph, &order, &meta, out);
    if (view->output == KZ_OUTPUT_TABLE) kz_show_order_notes(view, &graph, &order, out);
    kz_order_fini(&order);
    kz_graph_fini(&graph);
    kz_set_fini(&set);
}

void golden_write_impact(const struct canned *canned, const struct kz_view *view, struct kz_buf *out)
{
    struct kz_set set;
    struct kz_graph graph;
    struct kz_impact impact;
    Kz__Meta meta = canned_meta(true);
    make_set(canned, &set, &graph);
    if (kz_impact_of_record(&impact, &set, &graph, KZ__KIND__SYSTEM, "juki")) {
        kz_show_impact(view, &impact, &meta, out);
        kz_impact_fini(&impact);
    }
    kz_graph_fini(&graph);
    kz_set_fini(&set);
}

void golden_write_deps(const struct canned *plan, const struct kz_view *view, struct kz_buf *out)
{
    struct kz_set set;
    struct kz_graph graph;
    Kz__Meta meta = canned_meta(true);
    kz_set_init(&set, (const Kz__Record *const *)plan->records, plan->count);
    kz_graph_init(&graph, &set);
    kz_show_deps(view, &set, &graph, kz_set_index(&set, KZ__KIND__SYSTEM, "kiban"), &meta, out);
    kz_graph_fini(&graph);
    kz_set_fini(&set);
}

void golden_write_plan_order(const struct canned *plan, const struct kz_view *view, struct kz_buf *out)
{
    struct kz_set set;
    struct kz_graph graph;
    struct kz_order order;
    Kz__Meta meta = canned_meta(true);
    kz_set_init(&set, (const Kz__Record *const *)plan->records, plan->count);
    kz_graph_init(&graph, &set);
    kz_order_init(&order, &graph, &(struct kz_order_options){.elapsed_s = 0});
    kz_show_order(view, &graph, &order, &meta, out);
    kz_order_fini(&order);
    kz_graph_fini(&graph);
    kz_set_fini(&set);
}

void golden_write_area(const struct canned *plan, const struct kz_view *view, struct kz_buf *out)
{
    struct kz_set set;
    struct kz_graph graph;
    struct kz_impact impact;
    Kz__Meta meta = canned_meta(true);
    kz_set_init(&set, (const Kz__Record *const *)plan->records, plan->count);
    kz_graph_init(&graph, &set);
    if (kz_impact_of_area(&impact, &set, &graph, "東京湾北部")) {
        kz_show_impact(view, &impact, &meta, out);
        kz_impact_fini(&impact);
    }
    kz_graph_fini(&graph);
    kz_set_fini(&set);
}

/* All roles, and one of them in full, on a Saturday morning. */
void golden_write_duty(const struct canned *plan, const struct kz_view *view, struct kz_buf *out)
{
    struct kz_set set;
    struct kz_calendar calendar;
    Kz__Meta meta = canned_meta(true);
    kz_set_init(&set, (const Kz__Record *const *)plan->records, plan->count);
    kz_calendar_init(&calendar, &set);
    struct kz_moment moment = kz_calendar_moment(&calendar, CANNED_NOW_MS);
    const Kz__Record *role = kz_set_find(&set, KZ__KIND__ROLE, "fukkyu");
    kz_show_duty(view, &set, &moment, NULL, &meta, out);
    if (view->output == KZ_OUTPUT_TABLE) {
        kz_show_duty_notes(view, &set, &moment, CANNED_NOW_MS, NULL, out);
        kz_show_duty(view, &set, &moment, role, &meta, out);
        kz_show_duty_notes(view, &set, &moment, CANNED_NOW_MS, role, out);
    }
    kz_set_fini(&set);
}

void golden_write_calltree(const struct canned *plan, const struct kz_view *view, struct kz_buf *out)
{
    struct kz_set set;
    struct kz_calendar calendar;
    Kz__Meta meta = canned_meta(true);
    kz_set_init(&set, (const Kz__Record *const *)plan->records, plan->count);
    kz_calendar_init(&calendar, &set);
    struct kz_moment moment = kz_calendar_moment(&calendar, CANNED_NOW_MS);
    kz_show_calltree(view, &set, &moment, NULL, &meta, out);
    if (view->output == KZ_OUTPUT_TABLE) kz_show_calltree_notes(view, &set, NULL, out);
    kz_set_fini(&set);
}

/* ---- doctor ---- */

#define DOCTOR_MS INT64_C(1795165200000) /* 2026-11-20T18:00+09:00 */

void golden_write_findings(const struct canned *canned, const struct kz_view *view, struct kz_buf *out)
{
    struct kz_findings findings;
    Kz__Meta meta = canned_meta(true);
    const struct kz_finding_filter errors = {.severity = KZ_SEVERITY_ERROR}, all = {.severity = KZ_SEVERITY_INFO};
    kz_doctor_examine(&findings, (const Kz__Record *const *)canned->records, canned->count, DOCTOR_MS);
    kz_show_findings(view, &findings, &all, &meta, out);
    if (view->output == KZ_OUTPUT_TABLE) kz_show_findings_summary(view, &findings, &errors, out);
    kz_findings_fini(&findings);
}
