/* SPDX-License-Identifier: Apache-2.0 */
/* What one reading of the certificate files gave, shared by the sessions made while it was current. Internal to
 * node/net. References are counted on the loop thread; workers only read. */
#ifndef KZ_NET_TLS_CONTEXT_H
#define KZ_NET_TLS_CONTEXT_H

#include "node/net/mbed.h"
#include "node/net/stream.h"
#include "node/net/tls.h"

#define KZ_TLS_FILE_MAX_BYTES (8u << 20) /* a CRL of 100,000 certificates fits */
#define KZ_TLS_SERIAL_MAX_BYTES 32u      /* RFC 5280 4.1.2.2 allows 20 */

/* Which intermediate issued a certificate, from the subject OU of the intermediate. */
enum kz_tls_unit { KZ_TLS_UNIT_OTHER, KZ_TLS_UNIT_NODES, KZ_TLS_UNIT_USERS };

struct kz_tls_generation {
    unsigned references;
    uint64_t number;
    mbedtls_x509_crt own; /* leaf, then what else the file holds */
    mbedtls_pk_context key;
    mbedtls_x509_crt roots;
    mbedtls_x509_crt issuers; /* intermediates: the only trust anchors of a handshake, so that nothing signed by
                                 the root directly is taken for a node or a person */
    mbedtls_x509_crl crls;    /* signatures checked when loaded */
    mbedtls_ssl_config server, client, peer; /* by side and, for clients, by ALPN */
    struct kz_identity identity;
    int64_t certificate_expires_s, crl_expires_s;
};

/* The current one, one reference more. */
struct kz_tls_generation *kz_tls_generation_take(struct kz_tls *tls);
void kz_tls_generation_release(struct kz_tls_generation *generation);
uint64_t kz_tls_generation_number(const struct kz_tls *tls);

/* Is the certificate on a CRL of its issuer, as of the current generation? Revocation is looked up here and not by
 * mbedTLS, which would verify the CRL's signature in every handshake, accept a missing CRL and refuse everyone
 * when one is merely out of date. */
bool kz_tls_is_revoked(const struct kz_tls *tls, enum kz_tls_unit unit, const uint8_t *serial, size_t size_bytes);
bool kz_tls_generation_revoked(const struct kz_tls_generation *generation, const mbedtls_x509_crt *certificate);

enum kz_tls_unit kz_tls_unit(const mbedtls_x509_crt *intermediate);

/* Identity and role of a leaf; unit, usage and validity are not looked at. `cluster` must be the certificate's. */
enum kz_code kz_tls_read_identity(const mbedtls_x509_crt *leaf, const char *cluster, struct kz_identity *out,
                                  struct kz_err *err) KZ_MUST_CHECK;
/* "expired", "not issued by ...": the flags of a verification in words. */
void kz_tls_describe_flags(uint32_t flags, char *out, size_t out_bytes);

const char *kz_tls_cluster(const struct kz_tls *tls);

#endif
