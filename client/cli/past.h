/* SPDX-License-Identifier: Apache-2.0 */
/* A point of the past as people name it: a revision, or a time ("2026-01-17T05:46+09:00"). One thread. */
#ifndef KZ_CLIENT_CLI_PAST_H
#define KZ_CLIENT_CLI_PAST_H

#include "client/cli/cli.h"

struct kz_past {
    bool by_time;
    uint64_t rev;    /* unless by_time */
    int64_t time_ms; /* by_time */
};

/* `option`: "--as-of". 0, or the status of a printed error. */
int kz_past_read(struct kz_cli *cli, const char *option, const char *text, struct kz_past *out);
/* Makes it a revision: the last one at or before the time, asked of the node. */
int kz_past_resolve(struct kz_cli *cli, struct kz_past *past);

#endif
