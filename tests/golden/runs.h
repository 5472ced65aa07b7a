/* SPDX-License-Identifier: Apache-2.0 */
/* Runs of the canned runbook, made from a few ticks. */
#ifndef KZ_TESTS_GOLDEN_RUNS_H
#define KZ_TESTS_GOLDEN_RUNS_H

#include "client/cli/show.h"

/* The sheet of one run, or all runs one line each. */
void runs_write(const Kz__Record *runbook, const struct kz_view *view, bool overview, struct kz_buf *out);

/* What a later version of it changed: a step put in before the others, one taken away, a title and a text changed. */
void runs_write_diff(const Kz__Record *runbook, const struct kz_view *view, struct kz_buf *out);

#endif
