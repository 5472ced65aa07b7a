/* SPDX-License-Identifier: Apache-2.0 */
/* What the client derives from the records of plan.yaml (order, impact: of records.yaml). Adds to `out`. One thread. */
#ifndef TESTS_GOLDEN_DERIVED_H
#define TESTS_GOLDEN_DERIVED_H

#include "client/cli/show.h"
#include "tests/golden/canned.h"

void golden_write_deps(const struct canned *plan, const struct kz_view *view, struct kz_buf *out);
void golden_write_plan_order(const struct canned *plan, const struct kz_view *view, struct kz_buf *out);
void golden_write_area(const struct canned *plan, const struct kz_view *view, struct kz_buf *out);
void golden_write_duty(const struct canned *plan, const struct kz_view *view, struct kz_buf *out);
void golden_write_calltree(const struct canned *plan, const struct kz_view *view, struct kz_buf *out);
void golden_write_order(const struct canned *canned, const struct kz_view *view, struct kz_buf *out);
void golden_write_impact(const struct canned *canned, const struct kz_view *view, struct kz_buf *out);
/* Of any records. */
void golden_write_findings(const struct canned *canned, const struct kz_view *view, struct kz_buf *out);

#endif
