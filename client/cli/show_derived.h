/* SPDX-License-Identifier: Apache-2.0 */
/* What is derived from many records, as people and machines read it: the recovery order, what falls with what, what
 * needs what, whom to call. Adds to `out`. One thread. */
#ifndef KZ_CLIENT_CLI_SHOW_DERIVED_H
#define KZ_CLIENT_CLI_SHOW_DERIVED_H

#include "client/cli/show.h"
#include "node/registry/duty.h"
#include "node/registry/impact.h"
#include "node/registry/order.h"

/* Name or title; borrowed, "" when it has none. */
const char *kz_show_title(const Kz__Record *record);

void kz_show_order(const struct kz_view *view, const struct kz_graph *graph, const struct kz_order *order,
                   const Kz__Meta *meta, struct kz_buf *out);
/* Lines beside the order: who misses the RTO and on what it waits; dependencies that were ignored. */
void kz_show_order_notes(const struct kz_view *view, const struct kz_graph *graph, const struct kz_order *order,
                         struct kz_buf *out);
/* What falls, and after it the runbooks to use. */
void kz_show_impact(const struct kz_view *view, const struct kz_impact *impact, const Kz__Meta *meta,
                    struct kz_buf *out);

/* What `system` (of the graph) needs and what needs it, directly and further on, each system once in each direction. */
void kz_show_deps(const struct kz_view *view, const struct kz_set *set, const struct kz_graph *graph, size_t system,
                  const Kz__Meta *meta, struct kz_buf *out);
/* The graph in the language of Graphviz: an arrow points at what is needed, a dashed one is ignored because it closes a
 * cycle. `wanted` (beside graph->systems) and `order` may be NULL. */
void kz_show_dot(const struct kz_view *view, const struct kz_graph *graph, const bool *wanted,
                 const struct kz_order *order, struct kz_buf *out);

/* Whom to call for a role: everybody in the order of calling. `role` NULL: for each role the first who can be called.
 */
void kz_show_duty(const struct kz_view *view, const struct kz_set *set, const struct kz_moment *moment,
                  const Kz__Record *role, const Kz__Meta *meta, struct kz_buf *out);
/* Who calls whom, and by which channel at this hour. `tree` NULL: all call trees. */
void kz_show_calltree(const struct kz_view *view, const struct kz_set *set, const struct kz_moment *moment,
                      const Kz__Record *tree, const Kz__Meta *meta, struct kz_buf *out);
/* Lines beside both: which hour it is about, and roles that nobody can be reached for; means and report hours. */
void kz_show_duty_notes(const struct kz_view *view, const struct kz_set *set, const struct kz_moment *moment,
                        int64_t now_ms, const Kz__Record *role, struct kz_buf *out);
void kz_show_calltree_notes(const struct kz_view *view, const struct kz_set *set, const Kz__Record *tree,
                            struct kz_buf *out);

/* ---- shared by these writers ---- */

void kz_show_add_cell(struct kz_grid *grid, struct kz_buf *cell); /* empties the cell */
const char *kz_show_priority(const Kz__System *system);           /* "" when there is none */
const char *kz_show_title(const Kz__Record *record);              /* its name or title */

#endif
