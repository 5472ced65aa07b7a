/* SPDX-License-Identifier: Apache-2.0 */
/* What a node that was left behind holds beyond what it shares with the cluster that went on: pages of it for `keizoku
 * salvage export`, and events that come back from such a file. Decides nothing about what fits the present cluster: the
 * client shows that (client/cli/salvage.h) and proposes. Loop thread. */
#ifndef KZ_SERVICE_SALVAGE_H
#define KZ_SERVICE_SALVAGE_H

#include "node/service/node.h"
#include "node/service/request.h"

struct kz_salvage;

struct kz_salvage *kz_salvage_new(struct kz_node *node);
void kz_salvage_free(struct kz_salvage *salvage);
void kz_salvage_submit(struct kz_salvage *salvage, struct kz_request *request);
/* Own notes up to the writer's `seq` are durable. */
void kz_salvage_durable(struct kz_salvage *salvage, uint64_t seq);

#endif
