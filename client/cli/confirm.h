/* SPDX-License-Identifier: Apache-2.0 */
/* Before something dangerous: what makes it this one and no other (the cluster's name, a number of records) is typed,
 * or given with --confirm. One thread. */
#ifndef KZ_CLIENT_CLI_CONFIRM_H
#define KZ_CLIENT_CLI_CONFIRM_H

#include "client/cli/cli.h"

/* What it is about has been shown already. 0: go on; else the status of a printed error, and nothing is to be done. */
int kz_cli_confirm(struct kz_cli *cli, const char *wanted);

#endif
