/* SPDX-License-Identifier: Apache-2.0 */
/* A bar on stderr for what takes over a second, on a terminal only and not with --quiet. One thread. */
#ifndef KZ_CLIENT_CLI_PROGRESS_H
#define KZ_CLIENT_CLI_PROGRESS_H

#include "client/cli/cli.h"

struct kz_progress {
    struct kz_cli *cli; /* borrowed */
    enum kz_text_id what;
    int64_t began_ms, told_ms; /* monotonic */
    bool wanted, shown;
};

void kz_progress_begin(struct kz_progress *progress, struct kz_cli *cli, enum kz_text_id what);
/* `bytes` for people; done of total for the bar. */
void kz_progress_tell(struct kz_progress *progress, uint64_t done, uint64_t total, uint64_t bytes);
void kz_progress_end(struct kz_progress *progress); /* takes the bar away */

#endif
