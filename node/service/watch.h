/* SPDX-License-Identifier: Apache-2.0 */
/* Watches: every change from a revision on, in order, none lost or doubled. A watch reads the history itself, so it
 * has no backlog in memory and can be resumed at any node from `next_rev`. Loop thread. */
#ifndef KZ_SERVICE_WATCH_H
#define KZ_SERVICE_WATCH_H

#include "node/service/request.h"

struct kz_watches;

struct kz_watches *kz_watches_new(struct kz_node *node);
void kz_watches_free(struct kz_watches *watches);
/* Takes the request; it ends when its stream is cancelled or its connection closes. */
void kz_watches_submit(struct kz_watches *watches, struct kz_request *request);
/* The revision moved, or a connection may have drained: send what is due. */
void kz_watches_pump(struct kz_watches *watches);

#endif
