/* SPDX-License-Identifier: Apache-2.0 */
/* One TLS session over memory: ciphertext in, ciphertext out, and the decision who the other end is. Internal to
 * node/net; no sockets. Used by one thread at a time: a worker during the handshake, the loop afterwards. */
#ifndef KZ_NET_SESSION_H
#define KZ_NET_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/base/buf.h"
#include "node/net/stream.h"
#include "node/net/tls.h"

#define KZ_SESSION_RECORD_BYTES 16384u /* RFC 8446 5.1 */

enum kz_session_result {
    KZ_SESSION_DONE,   /* handshake complete; bytes read or written */
    KZ_SESSION_WANT,   /* more input needed */
    KZ_SESSION_BYE,    /* the peer said goodbye */
    KZ_SESSION_FAILED, /* see kz_session_failure; `output` may hold an alert to be sent */
};

struct kz_session;

/* `expected_node` NULL for the accepting side. Loop thread; holds the current generation until freed (there too).
 * NULL when out of memory. */
struct kz_session *kz_session_new(struct kz_tls *tls, bool server, enum kz_alpn alpn, const char *expected_node);
void kz_session_free(struct kz_session *session);

/* What the next call reads; borrowed until it returns. */
void kz_session_set_input(struct kz_session *session, const uint8_t *bytes, size_t size_bytes);
size_t kz_session_input_left(const struct kz_session *session);
/* Ciphertext to be sent; the caller clears it. */
struct kz_buf *kz_session_output(struct kz_session *session);

enum kz_session_result kz_session_handshake(struct kz_session *session);
/* At most one record into `out` (at least KZ_SESSION_RECORD_BYTES). */
enum kz_session_result kz_session_read(struct kz_session *session, uint8_t *out, size_t room_bytes, size_t *got_bytes);
/* Everything, as records, into the output. */
enum kz_session_result kz_session_write(struct kz_session *session, const uint8_t *bytes, size_t size_bytes);
void kz_session_goodbye(struct kz_session *session);

/* After DONE of the handshake. */
const struct kz_identity *kz_session_peer(const struct kz_session *session);
enum kz_alpn kz_session_alpn(const struct kz_session *session);
/* Has the peer's certificate been revoked since? Cheap when nothing was reloaded. */
bool kz_session_revoked(struct kz_session *session);

const struct kz_stream_end *kz_session_failure(const struct kz_session *session);

#endif
