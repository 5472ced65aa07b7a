/* SPDX-License-Identifier: Apache-2.0 */
/* Runbooks that are carried out, as people and programs read them. Reads no clock. Writes to a buffer only. One thread.
 */
#ifndef KZ_CLIENT_CLI_SHOW_RUN_H
#define KZ_CLIENT_CLI_SHOW_RUN_H

#include "client/cli/show.h"
#include "node/registry/runbook_run.h"

struct kz_shown_run {
    const struct kz_run *run;
    const Kz__Record *runbook; /* at the run's revision; NULL: not known */
};

/* One run, step by step. */
void kz_show_run(const struct kz_view *view, const struct kz_shown_run *run, int64_t now_ms, const Kz__Meta *meta,
                 struct kz_buf *out);
/* One line per run. */
void kz_show_runs(const struct kz_view *view, const struct kz_shown_run *runs, size_t count, int64_t now_ms,
                  const Kz__Meta *meta, struct kz_buf *out);
/* "next: 3 ..." or that all is finished. */
void kz_show_next(const struct kz_view *view, const struct kz_run *run, struct kz_buf *out);

#endif
