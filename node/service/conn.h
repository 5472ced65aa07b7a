/* SPDX-License-Identifier: Apache-2.0 */
/* One client connection: frames in, requests out to dispatch, responses back. Many requests may be under way on it;
 * each is paired by its stream number. Loop thread. */
#ifndef KZ_SERVICE_CONN_H
#define KZ_SERVICE_CONN_H

#include <stddef.h>
#include <sys/queue.h>

#include "node/net/stream.h"

struct kz_conn;
struct kz_node;

#define KZ_CONN_REQUESTS_MAX 4096u

/* Takes the stream (inside the listener's on_client) and lives until it closes. */
void kz_conn_accept(struct kz_node *node, struct kz_stream *stream, const struct kz_identity *user);
/* Asks every connection to close; `kz_conn_count` reaches 0 some loop turns later. */
void kz_conn_close_all(struct kz_node *node);
size_t kz_conn_count(const struct kz_node *node);
/* Ends idle and crawling connections. Every KZ_NODE_TICK_MS. */
void kz_conn_tick(struct kz_node *node);

const struct kz_identity *kz_conn_identity(const struct kz_conn *conn); /* borrowed */

#endif
