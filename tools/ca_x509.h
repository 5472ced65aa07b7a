/* SPDX-License-Identifier: Apache-2.0 */
/* The DER of the authority: keys, certificates and CRLs from plain values to PEM text. Knows mbedTLS (2.28 and
 * 3.x); knows no files and no policy. One thread. */
#ifndef KZ_TOOLS_CA_X509_H
#define KZ_TOOLS_CA_X509_H

#include <stdbool.h>
#include <stdint.h>

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>

#include "node/base/buf.h"
#include "node/base/err.h"
#include "tools/ca.h"

#define KZ_CA_SERIAL_BYTES 16

struct kz_ca_rng {
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context drbg;
};

enum kz_code kz_ca_rng_init(struct kz_ca_rng *rng, struct kz_err *err) KZ_MUST_CHECK;
void kz_ca_rng_fini(struct kz_ca_rng *rng);

struct kz_ca_certificate {
    mbedtls_pk_context *key;        /* the subject's public half is used; borrowed */
    mbedtls_pk_context *issuer_key; /* borrowed */
    const char *subject, *issuer;   /* "CN=…,OU=…,O=…" */
    uint8_t serial[KZ_CA_SERIAL_BYTES];
    int64_t not_before, not_after;
    bool authority;
    int path_length;
    unsigned usage;        /* KZ_CA_EKU_*; leaves only */
    const char *uris[2];   /* NULL = none */
    const char *addresses; /* comma separated DNS names and IP addresses, NULL = none */
};

struct kz_ca_revocation {
    uint8_t serial[KZ_CA_SERIAL_BYTES];
    int64_t revoked_at;
};

struct kz_ca_crl {
    const mbedtls_x509_crt *issuer; /* borrowed */
    mbedtls_pk_context *issuer_key; /* borrowed */
    int64_t this_update, next_update;
    uint64_t number; /* grows with every CRL of this issuer */
    const struct kz_ca_revocation *revocations;
    size_t revocation_count;
};

/* A random serial of 128 bits, positive and without leading zero byte (RFC 5280 4.1.2.2). */
enum kz_code kz_ca_x509_serial(struct kz_ca_rng *rng, uint8_t *out, struct kz_err *err) KZ_MUST_CHECK;

/* `key` is initialised by the caller and freed by the caller. */
enum kz_code kz_ca_x509_make_key(struct kz_ca_rng *rng, enum kz_ca_curve curve, mbedtls_pk_context *key,
                                 struct kz_err *err) KZ_MUST_CHECK;
enum kz_code kz_ca_x509_parse_key(struct kz_ca_rng *rng, const struct kz_buf *pem, mbedtls_pk_context *key,
                                  struct kz_err *err) KZ_MUST_CHECK;

/* Each appends PEM text to `pem`. */
enum kz_code kz_ca_x509_key_pem(mbedtls_pk_context *key, struct kz_buf *pem, struct kz_err *err) KZ_MUST_CHECK;
enum kz_code kz_ca_x509_certificate_pem(struct kz_ca_rng *rng, const struct kz_ca_certificate *certificate,
                                        struct kz_buf *pem, struct kz_err *err) KZ_MUST_CHECK;
enum kz_code kz_ca_x509_crl_pem(struct kz_ca_rng *rng, const struct kz_ca_crl *crl, struct kz_buf *pem,
                                struct kz_err *err) KZ_MUST_CHECK;

/* True for an IPv4 or IPv6 address (then `out` has *size_bytes = 4 or 16 bytes) or a DNS name (*size_bytes = 0). */
bool kz_ca_x509_parse_address(const char *text, uint8_t *out, size_t *size_bytes);

/* The caller's message before mbedTLS's own text. */
enum kz_code kz_ca_x509_fail(struct kz_err *err, int mbedtls_code, const char *what);

#endif
