/* SPDX-License-Identifier: Apache-2.0 */
/* The first thing a new epoch says: that it is one, who decided it and from what, as an entry in the log of the
 * incident that is going on (or of one opened for it), so that the timeline and the history of every member show it.
 * Loop thread.
 */
#ifndef KZ_SERVICE_RECOVER_TRACE_H
#define KZ_SERVICE_RECOVER_TRACE_H

#include "node/service/node.h"

/* Does nothing unless this node has begun an epoch that it has not told of, and leads it. */
void kz_recover_trace(struct kz_node *node);

#endif
