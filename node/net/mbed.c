/* SPDX-License-Identifier: Apache-2.0 */
#include "node/net/mbed.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wundef"
#include <mbedtls/error.h>
#include <mbedtls/md.h>
#include <mbedtls/version.h>
#if MBEDTLS_VERSION_MAJOR >= 3
#include <psa/crypto.h>
#endif
#pragma GCC diagnostic pop

#include <stdio.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/base/log.h"

#if MBEDTLS_VERSION_MAJOR < 3
#define MBEDTLS_PRIVATE(member) member
#endif

#if !defined(MBEDTLS_THREADING_C)
#error "mbedTLS must be built with threads: one random generator serves the handshakes on all workers"
#endif

int kz_mbed_start(void)
{
#if MBEDTLS_VERSION_MAJOR >= 3
    return psa_crypto_init() == PSA_SUCCESS ? 0 : MBEDTLS_ERR_ERROR_GENERIC_ERROR;
#else
    return 0;
#endif
}

const char *kz_mbed_text(int code, char out[KZ_MBED_TEXT_BYTES])
{
    mbedtls_strerror(code, out, KZ_MBED_TEXT_BYTES);
    return out;
}

int kz_mbed_check_memory(int code)
{
    switch (code) {
    case MBEDTLS_ERR_SSL_ALLOC_FAILED:
    case MBEDTLS_ERR_X509_ALLOC_FAILED:
    case MBEDTLS_ERR_PK_ALLOC_FAILED:
    case MBEDTLS_ERR_ECP_ALLOC_FAILED:
    case MBEDTLS_ERR_MPI_ALLOC_FAILED:
    case MBEDTLS_ERR_MD_ALLOC_FAILED:
    case MBEDTLS_ERR_CIPHER_ALLOC_FAILED:
    case MBEDTLS_ERR_ASN1_ALLOC_FAILED:
        kz_log_error("tls.memory", "text=\"out of memory inside the TLS library\" code=%d", code);
        kz_assert_failed("memory left inside the TLS library", __FILE__, __LINE__);
    default:
        break;
    }
    return code;
}

int kz_mbed_parse_key(mbedtls_pk_context *key, const uint8_t *pem, size_t size_bytes, mbedtls_ctr_drbg_context *drbg)
{
#if MBEDTLS_VERSION_MAJOR >= 3
    return mbedtls_pk_parse_key(key, pem, size_bytes, NULL, 0, mbedtls_ctr_drbg_random, drbg);
#else
    (void)drbg; /* 2.28 parses without blinding */
    return mbedtls_pk_parse_key(key, pem, size_bytes, NULL, 0);
#endif
}

int kz_mbed_check_pair(const mbedtls_x509_crt *certificate, const mbedtls_pk_context *key,
                       mbedtls_ctr_drbg_context *drbg)
{
#if MBEDTLS_VERSION_MAJOR >= 3
    return mbedtls_pk_check_pair(&certificate->pk, key, mbedtls_ctr_drbg_random, drbg);
#else
    (void)drbg;
    return mbedtls_pk_check_pair(&certificate->pk, key);
#endif
}

bool kz_mbed_is_ca(const mbedtls_x509_crt *certificate) { return certificate->MBEDTLS_PRIVATE(ca_istrue) != 0; }

bool kz_mbed_has_usage(const mbedtls_x509_crt *certificate, bool server)
{
    static const char server_auth[] = MBEDTLS_OID_SERVER_AUTH, client_auth[] = MBEDTLS_OID_CLIENT_AUTH;
    const char *wanted = server ? server_auth : client_auth;
    size_t size = (server ? sizeof server_auth : sizeof client_auth) - 1;
    if (!(certificate->MBEDTLS_PRIVATE(ext_types) & MBEDTLS_OID_X509_EXT_EXTENDED_KEY_USAGE)) return false;
    /* Walked here because the library's check also accepts anyExtendedKeyUsage. */
    for (const mbedtls_x509_sequence *use = &certificate->ext_key_usage; use; use = use->next)
        if (use->buf.len == size && memcmp(use->buf.p, wanted, size) == 0) return true;
    return false;
}

int kz_mbed_verify_crl(const mbedtls_x509_crl *crl, mbedtls_x509_crt *issuer)
{
    int code = mbedtls_x509_crt_check_key_usage(issuer, MBEDTLS_X509_KU_CRL_SIGN);
    if (code) return code;
    const mbedtls_md_info_t *md = mbedtls_md_info_from_type(crl->MBEDTLS_PRIVATE(sig_md));
    mbedtls_md_type_t type = crl->MBEDTLS_PRIVATE(sig_md);
    if (type != MBEDTLS_MD_SHA256 && type != MBEDTLS_MD_SHA384 && type != MBEDTLS_MD_SHA512) md = NULL;
    if (!md) return MBEDTLS_ERR_X509_UNKNOWN_SIG_ALG;
    uint8_t hash[MBEDTLS_MD_MAX_SIZE];
    code = mbedtls_md(md, crl->tbs.p, crl->tbs.len, hash);
    if (code) return code;
    return mbedtls_pk_verify_ext(crl->MBEDTLS_PRIVATE(sig_pk), crl->MBEDTLS_PRIVATE(sig_opts), &issuer->pk, type, hash,
                                 mbedtls_md_get_size(md), crl->MBEDTLS_PRIVATE(sig).p, crl->MBEDTLS_PRIVATE(sig).len);
}

static const int suites[] = {
#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
    MBEDTLS_TLS1_3_AES_256_GCM_SHA384,
    MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
#endif
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    0,
};

#if MBEDTLS_VERSION_MAJOR >= 3
static const uint16_t groups[] = {MBEDTLS_SSL_IANA_TLS_GROUP_X25519, MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1,
                                  MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1, MBEDTLS_SSL_IANA_TLS_GROUP_NONE};
static const uint16_t signatures[] = {MBEDTLS_TLS1_3_SIG_ECDSA_SECP256R1_SHA256,
                                      MBEDTLS_TLS1_3_SIG_ECDSA_SECP384R1_SHA384, MBEDTLS_TLS1_3_SIG_NONE};

static int configure_version(mbedtls_ssl_config *conf, bool server)
{
    mbedtls_ssl_conf_min_tls_version(conf, MBEDTLS_SSL_VERSION_TLS1_2);
    mbedtls_ssl_conf_groups(conf, groups);
    mbedtls_ssl_conf_sig_algs(conf, signatures);
#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
    mbedtls_ssl_conf_tls13_key_exchange_modes(conf, MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL);
#if defined(MBEDTLS_SSL_SESSION_TICKETS) && defined(MBEDTLS_SSL_SRV_C)
    if (server) mbedtls_ssl_conf_new_session_tickets(conf, 0);
#endif
#endif
    (void)server; /* unused without TLS 1.3 tickets */
    return 0;
}
#else
static const mbedtls_ecp_group_id groups[] = {MBEDTLS_ECP_DP_CURVE25519, MBEDTLS_ECP_DP_SECP256R1,
                                              MBEDTLS_ECP_DP_SECP384R1, MBEDTLS_ECP_DP_NONE};
static const int signatures[] = {MBEDTLS_MD_SHA256, MBEDTLS_MD_SHA384, MBEDTLS_MD_NONE};

static int configure_version(mbedtls_ssl_config *conf, bool server)
{
    (void)server; /* 2.28 has nothing here that differs by side */
    mbedtls_ssl_conf_min_version(conf, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3); /* TLS 1.2 */
    mbedtls_ssl_conf_curves(conf, groups);
    mbedtls_ssl_conf_sig_hashes(conf, signatures);
    return 0;
}
#endif

int kz_mbed_configure(mbedtls_ssl_config *conf, bool server)
{
    int code = mbedtls_ssl_config_defaults(conf, server ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT,
                                           MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
    if (code) return code;
    mbedtls_ssl_conf_ciphersuites(conf, suites);
    mbedtls_ssl_conf_cert_profile(conf, &mbedtls_x509_crt_profile_next);
    mbedtls_ssl_conf_authmode(conf, MBEDTLS_SSL_VERIFY_REQUIRED);
#if defined(MBEDTLS_SSL_SESSION_TICKETS) && defined(MBEDTLS_SSL_CLI_C)
    if (!server) mbedtls_ssl_conf_session_tickets(conf, MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
#endif
#if defined(MBEDTLS_SSL_RENEGOTIATION)
    mbedtls_ssl_conf_renegotiation(conf, MBEDTLS_SSL_RENEGOTIATION_DISABLED);
    mbedtls_ssl_conf_legacy_renegotiation(conf, MBEDTLS_SSL_LEGACY_NO_RENEGOTIATION);
#endif
#if defined(MBEDTLS_SSL_EXTENDED_MASTER_SECRET)
    mbedtls_ssl_conf_extended_master_secret(conf, MBEDTLS_SSL_EXTENDED_MS_ENABLED);
#endif
    return configure_version(conf, server);
}

int kz_mbed_alert(const mbedtls_ssl_context *ssl)
{
    return ssl->MBEDTLS_PRIVATE(in_msg) ? ssl->MBEDTLS_PRIVATE(in_msg)[1] : KZ_MBED_ALERT_NONE;
}

bool kz_mbed_is_late_refusal(const mbedtls_ssl_context *ssl, int code)
{
#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
    return code == MBEDTLS_ERR_SSL_INVALID_MAC && mbedtls_ssl_get_version_number(ssl) == MBEDTLS_SSL_VERSION_TLS1_3;
#else
    (void)ssl;
    (void)code;
    return false;
#endif
}

bool kz_mbed_is_ticket(int code)
{
#if defined(MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET)
    return code == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET;
#else
    (void)code;
    return false;
#endif
}
