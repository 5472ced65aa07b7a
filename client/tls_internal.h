/* SPDX-License-Identifier: Apache-2.0 */
/* What the two files that see mbedTLS share: tls.c (connections) and tls_signature.c. For nobody else. */
#ifndef KZ_CLIENT_TLS_INTERNAL_H
#define KZ_CLIENT_TLS_INTERNAL_H

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/md.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crl.h>
#include <mbedtls/x509_crt.h>

#include "client/san.h"
#include "client/tls.h"

struct kz_tls_identity {
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context random;
    mbedtls_x509_crt certificate;
    mbedtls_x509_crt ca;
    mbedtls_x509_crl crl;
    bool has_crl;
    mbedtls_pk_context key;
    mbedtls_ssl_config config;
    struct kz_san own;
};

/* `failure` says which file, and why. `crl` may be NULL. */
enum kz_code kz_tls_load_trust(const char *ca, const char *crl, mbedtls_x509_crt *out, mbedtls_x509_crl *out_crl,
                               struct kz_failure *failure, struct kz_err *err) KZ_MUST_CHECK;
/* Exactly one URI among the alternative names, ASCII without NUL: anything else names nobody. */
bool kz_tls_read_name(const mbedtls_x509_crt *certificate, struct kz_san *name);
/* The subject has one OU, and it is this. */
bool kz_tls_has_unit(const mbedtls_x509_crt *certificate, const char *unit);

#endif
