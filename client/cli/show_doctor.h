/* SPDX-License-Identifier: Apache-2.0 */
/* Findings as people and machines read them. Adds to `out`. One thread. */
#ifndef KZ_CLIENT_CLI_SHOW_DOCTOR_H
#define KZ_CLIENT_CLI_SHOW_DOCTOR_H

#include "client/cli/show.h"
#include "node/registry/doctor.h"

/* Which findings are wanted; zeros: all. */
struct kz_finding_filter {
    enum kz_severity severity; /* this one or graver */
    Kz__Kind kind;             /* 0: any */
    const char *owner;         /* an organisation's id, those below it included; NULL: any */
};

/* How many are shown. */
size_t kz_show_findings(const struct kz_view *view, const struct kz_findings *findings,
                        const struct kz_finding_filter *filter, const Kz__Meta *meta, struct kz_buf *out);
/* One line: how many of each severity pass the filter. */
void kz_show_findings_summary(const struct kz_view *view, const struct kz_findings *findings,
                              const struct kz_finding_filter *filter, struct kz_buf *out);

#endif
