/* SPDX-License-Identifier: Apache-2.0 */
/* The latest epoch of each cluster this person's client has heard of, kept in ~/.local/state/keizoku/epoch/, so that a
 * node that was left behind is not taken for the cluster, also days later. Never an error: without it a node's own
 * word counts. One thread. */
#ifndef KZ_CLIENT_CLI_EPOCH_H
#define KZ_CLIENT_CLI_EPOCH_H

#include "client/cli/options.h"
#include "client/keizoku.h"

uint64_t kz_epoch_read(kz_getenv get, void *data, const struct kz_client *client); /* 0: none known */
/* The client's. Written beside its place and moved there; a later one that is there already stays. */
void kz_epoch_keep(kz_getenv get, void *data, const struct kz_client *client);

#endif
