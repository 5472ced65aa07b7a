/* SPDX-License-Identifier: Apache-2.0 */
/* `verify campaign`: start, list, show, close. One thread. */
#ifndef KZ_CLIENT_CLI_RUN_CAMPAIGN_H
#define KZ_CLIENT_CLI_RUN_CAMPAIGN_H

#include "client/cli/cli.h"

bool kz_campaign_verb(const char *word); /* else `verify campaign WORD` verifies a record */
const char *kz_campaign_verbs(void);     /* divided by spaces */
int kz_run_campaign(struct kz_cli *cli);

#endif
