/* SPDX-License-Identifier: Apache-2.0 */
/* Binds the outbox to this node: its clocks, notes, writes, links and clients. No logic of its own. Loop thread. */
#ifndef KZ_SERVICE_OUTBOX_IO_H
#define KZ_SERVICE_OUTBOX_IO_H

#include "node/service/node.h"
#include "node/service/request.h"

/* Makes node->outbox and reads what was kept. */
enum kz_code kz_outbox_io_open(struct kz_node *node, const struct kz_hard_state *hard,
                               struct kz_err *err) KZ_MUST_CHECK;

/* Takes a write request of one APPEND. It is answered when the cluster has applied the event, or as provisional when
 * no leader takes it in time: durable here in either case. */
void kz_outbox_io_submit(struct kz_node *node, struct kz_request *request);

/* An event of this node itself, stored as if `actor` had reported it; `record` is borrowed. False: it breaks a rule. */
bool kz_outbox_io_record(struct kz_node *node, const char *actor, const char *reason, Kz__Record *record);

#endif
