/* SPDX-License-Identifier: Apache-2.0 */
/* The commands that append events and those that follow an incident: which words they take and which fields they set.
 * One thread. */
#ifndef KZ_CLIENT_CLI_RUN_EVENT_H
#define KZ_CLIENT_CLI_RUN_EVENT_H

#include "client/cli/commands.h"

/* What a board that is kept on the screen remembers. */
struct kz_live {
    bool terminal; /* the screen is cleared before each */
    char *shown;   /* owned; elsewhere only what differs from it is written */
};

/* Prints the board or the sheet of one incident (`id` NULL: all open ones), once. `live` may be NULL. */
int kz_run_scene(struct kz_cli *cli, const char *id, bool details, struct kz_live *live);

#endif
