/* SPDX-License-Identifier: Apache-2.0 */
/* Streams of this node's state for backups: one view each, a few parts in a turn, paced by what the connection has not
 * sent yet. A reader slower than KZ_SNAPSHOT_RATE_MIN_BYTES_PER_S loses its stream, because a view keeps every page
 * that it sees from being used again; so does everybody while space is low. Loop thread. */
#ifndef KZ_SERVICE_SNAPSHOT_H
#define KZ_SERVICE_SNAPSHOT_H

#include <stddef.h>

#include "node/service/request.h"

#define KZ_SNAPSHOT_STREAMS_MAX 2u
#define KZ_SNAPSHOT_RATE_MIN_BYTES_PER_S (16u << 10)
#define KZ_SNAPSHOT_RATE_GRACE_MS 30000u

struct kz_snapshots;

struct kz_snapshots *kz_snapshots_new(struct kz_node *node);
void kz_snapshots_free(struct kz_snapshots *snapshots);

void kz_snapshots_submit(struct kz_snapshots *snapshots, struct kz_request *request);
void kz_snapshots_pump(struct kz_snapshots *snapshots);   /* whenever bytes have left, and every tick */
void kz_snapshots_second(struct kz_snapshots *snapshots); /* ends the slow, or all when space is low */

#endif
