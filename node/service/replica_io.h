/* SPDX-License-Identifier: Apache-2.0 */
/* Binds the replica's io to the store thread, the transport and the loop's timer. No logic of its own. Loop thread. */
#ifndef KZ_SERVICE_REPLICA_IO_H
#define KZ_SERVICE_REPLICA_IO_H

#include "node/service/node.h"

/* Makes node->replica_io and node->replica from the configuration. The store and the writer are open. */
void kz_replica_io_open(struct kz_node *node);
/* Stops the timer and frees the replica; run the loop once more afterwards, then kz_replica_io_free. */
void kz_replica_io_close(struct kz_node *node);
void kz_replica_io_free(struct kz_node *node);

/* This node's own durable note, in order with the replica's work. Returns the number that kz_outbox_durable is told
 * when it, and everything before it, is durable. */
uint64_t kz_replica_io_put_local(struct kz_node *node, const char *key, const void *value, size_t size_bytes);
/* This node's store becomes one of `epoch`, likewise in order. */
void kz_replica_io_put_epoch(struct kz_node *node, uint64_t epoch);
/* The store thread's completions. */
void kz_replica_io_poll(struct kz_node *node);
/* Ends the log view of this loop turn. */
void kz_replica_io_end_turn(struct kz_node *node);

#endif
