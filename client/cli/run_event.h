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

/* Appends the event: its id on stdout, what is still uncertain about it on stderr. */
int kz_event_send(struct kz_cli *cli, Kz__Record *record);
/* The only open incident, so that at three in the morning nobody has to look up its id. *incident is the caller's; NULL
 * when none is open. Several: that is refused. */
int kz_event_find_incident(struct kz_cli *cli, char **incident);
/* Takes the problems. */
int kz_event_fail_fields(struct kz_cli *cli, struct kz_violations *problems);

#endif
