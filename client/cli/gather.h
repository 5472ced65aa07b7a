/* SPDX-License-Identifier: Apache-2.0 */
/* All records of some kinds, put together from as many pages as it takes, all of ONE revision: that of the first page,
 * or the one that --as-of names. Prints what went wrong. One thread. */
#ifndef KZ_CLIENT_CLI_GATHER_H
#define KZ_CLIENT_CLI_GATHER_H

#include "client/cli/cli.h"

struct kz_gathered {
    Kz__Response **pages;
    size_t page_count;
    Kz__Record **records; /* borrowed from the pages */
    size_t count;
    const Kz__Meta *meta; /* of the least fresh page; borrowed */
};

/* 0, or the exit status. To be finished in both cases. With --read auto, a node that had to fall back on its own copy
 * once is not asked for the latest again: each attempt costs seconds. Events are of the present unless --as-of was
 * given: those that a node holds provisionally belong to no revision yet. */
int kz_gather_kinds(struct kz_cli *cli, const Kz__Kind *kinds, size_t count, struct kz_gathered *out);
void kz_gathered_fini(struct kz_gathered *gathered);

#endif
