/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of membership and of leadership that people ask for. Any node takes them; it asks the leader again and again
 * until what was asked for is so, and tells the client how far it has come when that takes longer than a moment. The
 * leader keeps nothing between two asks: each looks at the members as they are and does the next step. Loop thread. */
#ifndef KZ_SERVICE_CHANGE_H
#define KZ_SERVICE_CHANGE_H

#include "node/service/request.h"
#include "proto/peer.pb-c.h"

#define KZ_CHANGES_MAX 64u /* of clients of this node, at a time */

struct kz_changes;

struct kz_changes *kz_changes_new(struct kz_node *node);
void kz_changes_free(struct kz_changes *changes);

/* Takes the request (message->cluster is set). */
void kz_changes_submit(struct kz_changes *changes, struct kz_request *request);
/* Another node asks us, as the leader, for the next step. Borrowed. */
void kz_changes_forwarded_here(struct kz_changes *changes, uint64_t peer_id, const Kz__Forward *forward);
/* The leader's answer to what we forwarded. Borrowed. */
void kz_changes_answered(struct kz_changes *changes, const Kz__Forwarded *answer);
/* Looked at when this loop turn ends: the replica may be in the middle of something. */
void kz_changes_leader_changed(struct kz_changes *changes);
void kz_changes_end_turn(struct kz_changes *changes);
/* Every KZ_NODE_TICK_MS. */
void kz_changes_tick(struct kz_changes *changes);

/* One step towards `ask`, at this node as the leader; *out's texts are borrowed from the node or static. KZ_NOT_LEADER:
 * nothing was looked at. */
enum kz_code kz_changes_step(struct kz_node *node, const Kz__ClusterRequest *ask, Kz__ClusterResult *out);

#endif
