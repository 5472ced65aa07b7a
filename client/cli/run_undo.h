/* SPDX-License-Identifier: Apache-2.0 */
/* Going back: one record (revert), or everything (undo, snapshot restore --as-of). One thread. */
#ifndef KZ_CLIENT_CLI_RUN_UNDO_H
#define KZ_CLIENT_CLI_RUN_UNDO_H

#include "client/cli/cli.h"

/* Everything, or the records of --kind, as it stood at `to`, a revision or a time: shows what would change, has it
 * confirmed with the cluster's name unless --dry-run, and does it in one transaction. `option` is what `to` was given
 * with. The exit status. */
int kz_run_rewind(struct kz_cli *cli, const char *option, const char *to);

#endif
