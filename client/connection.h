/* SPDX-License-Identifier: Apache-2.0 */
/* One connection to one node: frames out, responses in, each with a deadline. Does not retry. One thread. */
#ifndef KZ_CLIENT_CONNECTION_H
#define KZ_CLIENT_CONNECTION_H

#include "client/dial.h"
#include "proto/service.pb-c.h"
#include "proto/wire.h"

struct kz_connection;

/* Takes over `dialled`, also when it fails (NULL: out of memory). */
struct kz_connection *kz_connection_new(const struct kz_dialled *dialled);
void kz_connection_free(struct kz_connection *connection);
const char *kz_connection_node(const struct kz_connection *connection);

/* KZ_TOO_BIG when the request does not fit a frame (nothing was sent); KZ_TIMED_OUT; KZ_IO when the connection broke:
 * some of it may have arrived. */
enum kz_code kz_connection_send(struct kz_connection *connection, uint32_t stream, const Kz__Request *request,
                                int64_t deadline_ms, struct kz_err *err) KZ_MUST_CHECK;
enum kz_code kz_connection_cancel(struct kz_connection *connection, uint32_t stream, int64_t deadline_ms,
                                  struct kz_err *err) KZ_MUST_CHECK;
/* The next response of any stream. KZ_TIMED_OUT leaves the connection usable; KZ_IO, KZ_PROTOCOL do not. */
enum kz_code kz_connection_receive(struct kz_connection *connection, uint32_t *stream, Kz__Response **response,
                                   int64_t deadline_ms, struct kz_err *err) KZ_MUST_CHECK;
/* Why it broke, when TLS said so (a revoked certificate is told only after the handshake); NULL otherwise. */
const struct kz_tls_failure *kz_connection_why(const struct kz_connection *connection);

#endif
