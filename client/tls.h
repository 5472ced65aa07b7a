/* SPDX-License-Identifier: Apache-2.0 */
/* The client's only sight of mbedTLS: identity files, handshake, bytes. A server is accepted only when it was issued by
 * the intermediate for nodes (OU nodes) of our CA file, is not revoked, is meant for servers, belongs to OU node, and
 * its one URI SAN names a node of the cluster our own certificate belongs to: the wanted one, when one is named. Does
 * not open sockets. A kz_tls belongs to one thread. */
#ifndef KZ_CLIENT_TLS_H
#define KZ_CLIENT_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#include "client/failure.h"
#include "node/base/err.h"

struct kz_tls_identity;
struct kz_tls;

struct kz_tls_files {
    const char *certificate, *key, *ca;
    const char
        *crl; /* NULL: revocation is not checked. When given, every issuer in the server's chain must have one. */
};

/* KZ_TLS: `failure` says which file, and why. */
enum kz_code kz_tls_identity_open(const struct kz_tls_files *files, struct kz_tls_identity **out,
                                  struct kz_failure *failure, struct kz_err *err) KZ_MUST_CHECK;
void kz_tls_identity_free(struct kz_tls_identity *identity);
const char *kz_tls_user(const struct kz_tls_identity *identity);
const char *kz_tls_cluster(const struct kz_tls_identity *identity);
/* The public key of our CA's root, shortened and in hexadecimal: two clusters of one name differ in it. "" when the CA
 * file holds no root. */
#define KZ_TLS_ANCHOR_BYTES 17 /* with NUL */
void kz_tls_anchor(const struct kz_tls_identity *identity, char out[KZ_TLS_ANCHOR_BYTES]);

/* ---- signatures with our own key, of what is kept: tls_signature.c ---- */

#define KZ_TLS_HASH_BYTES 32u
#define KZ_TLS_CERTIFICATES_MAX 4u

/* Our certificate and its issuers as DER, borrowed from the identity. */
size_t kz_tls_own_certificates(const struct kz_tls_identity *identity,
                               ProtobufCBinaryData out[KZ_TLS_CERTIFICATES_MAX]);
enum kz_code kz_tls_sign(struct kz_tls_identity *identity, const uint8_t hash[KZ_TLS_HASH_BYTES], uint8_t *out,
                         size_t room_bytes, size_t *size_bytes, struct kz_err *err) KZ_MUST_CHECK;

/* Whom to believe when judging a signature, read once. `crl` may be NULL. */
struct kz_tls_trust;
enum kz_code kz_tls_trust_open(const char *ca, const char *crl, struct kz_tls_trust **out, struct kz_failure *failure,
                               struct kz_err *err) KZ_MUST_CHECK;
void kz_tls_trust_free(struct kz_tls_trust *trust); /* NULL is legal */

struct kz_tls_signed {
    const ProtobufCBinaryData *certificates; /* DER, the signer's first */
    size_t certificate_count;
    int64_t signed_ms; /* when it says it was signed: the certificates must have been valid then */
    const char *user, *cluster;
    const uint8_t *signature;
    size_t size_bytes;
    uint8_t hash[KZ_TLS_HASH_BYTES];
};
enum kz_tls_verdict {
    KZ_TLS_SIGNED,     /* by that user of that cluster, who has the role backup or operator */
    KZ_TLS_NOT_SIGNED, /* the signature does not fit */
    KZ_TLS_STRANGER,   /* it may fit, but the certificate will not do: *reason says why */
};
enum kz_tls_verdict kz_tls_judge(struct kz_tls_trust *trust, const struct kz_tls_signed *what, enum kz_text_id *reason);

enum kz_tls_step { KZ_TLS_DONE, KZ_TLS_WANT_READ, KZ_TLS_WANT_WRITE, KZ_TLS_CLOSED, KZ_TLS_FAILED };

/* Why a connection failed, in terms a person can act on. */
struct kz_tls_failure {
    enum kz_layer layer;
    enum kz_text_id reason;
    char detail[160]; /* a library's words, or the name of the node that was found instead; may be empty */
};

/* `fd` is non-blocking and stays the caller's; the identity must outlive the result. `node` is the name the certificate
 * must hold, "" for any. NULL: out of memory. */
struct kz_tls *kz_tls_new(struct kz_tls_identity *identity, int fd, const char *node);
void kz_tls_free(struct kz_tls *tls);
enum kz_tls_step kz_tls_handshake(struct kz_tls *tls);
/* *done: bytes moved, when the result is DONE. After WANT_WRITE repeat with the same bytes. */
enum kz_tls_step kz_tls_read(struct kz_tls *tls, void *bytes, size_t size_bytes, size_t *done);
enum kz_tls_step kz_tls_write(struct kz_tls *tls, const void *bytes, size_t size_bytes, size_t *done);
/* After CLOSED or FAILED. */
const struct kz_tls_failure *kz_tls_why(const struct kz_tls *tls);
const char *kz_tls_node(const struct kz_tls *tls); /* the node's name, after the handshake */

#endif
