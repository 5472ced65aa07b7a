/* SPDX-License-Identifier: Apache-2.0 */
/* What this node knows of the cluster: members as they gossip, and its own figures. Also where two nodes with
 * different state at the same index are noticed. Loop thread. */
#ifndef KZ_SERVICE_STATUS_H
#define KZ_SERVICE_STATUS_H

#include "node/service/request.h"
#include "proto/peer.pb-c.h"

struct kz_cluster_view;

struct kz_cluster_view *kz_cluster_view_new(struct kz_node *node);
void kz_cluster_view_free(struct kz_cluster_view *view);

/* This node's applied state moved. */
void kz_cluster_view_applied(struct kz_cluster_view *view);
/* A peer told about itself. Logs an alarm when its state differs from ours at an index both had. */
void kz_cluster_view_heard(struct kz_cluster_view *view, uint64_t peer_id, const Kz__Gossip *gossip);
void kz_cluster_view_members_changed(struct kz_cluster_view *view);
/* Tell the peers about us. Every second. */
void kz_cluster_view_gossip(struct kz_cluster_view *view);

/* Answers a status request; the request ends. */
void kz_status_answer(struct kz_request *request);

#endif
