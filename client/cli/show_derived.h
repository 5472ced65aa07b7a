/* SPDX-License-Identifier: Apache-2.0 */
/* What is derived from many records, as people and machines read it: the recovery order, and what falls with what.
 * Adds to `out`. One thread. */
#ifndef KZ_CLIENT_CLI_SHOW_DERIVED_H
#define KZ_CLIENT_CLI_SHOW_DERIVED_H

#include "client/cli/show.h"
#include "node/registry/impact.h"
#include "node/registry/order.h"

void kz_show_order(const struct kz_view *view, const struct kz_graph *graph, const struct kz_order *order,
                   const Kz__Meta *meta, struct kz_buf *out);
/* Lines beside the order: who misses the RTO and on what it waits; dependencies that were ignored. */
void kz_show_order_notes(const struct kz_view *view, const struct kz_graph *graph, const struct kz_order *order,
                         struct kz_buf *out);
void kz_show_impact(const struct kz_view *view, const struct kz_impact *impact, const Kz__Meta *meta,
                    struct kz_buf *out);

#endif
