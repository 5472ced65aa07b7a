/* SPDX-License-Identifier: Apache-2.0 */
/* mbedTLS as this folder sees it: its headers, and functions for everything that differs between 2.28 and 3.6.
 * Internal to node/net; no other file includes mbedTLS. No state, except that kz_mbed_start must have succeeded
 * once. Thread-safe as far as the library is. */
#ifndef KZ_NET_MBED_H
#define KZ_NET_MBED_H

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wundef"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/oid.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crl.h>
#include <mbedtls/x509_crt.h>
#pragma GCC diagnostic pop

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KZ_MBED_TEXT_BYTES 128

/* Values of the TLS alert protocol (RFC 8446 6) that later tables need. */
#define KZ_MBED_ALERT_NONE (-1)

/* What the library needs once per process; 0 or its error. Repeating it is legal. */
int kz_mbed_start(void);

/* A foreign code in words, without its file and line. */
const char *kz_mbed_text(int code, char out[KZ_MBED_TEXT_BYTES]);

/* Running out of memory inside the library ends the process: 2.28.3 leaves sessions half-made then
 * (CVE-2025-27810). Any other code is returned as it is. */
int kz_mbed_check_memory(int code);

int kz_mbed_parse_key(mbedtls_pk_context *key, const uint8_t *pem, size_t size_bytes, mbedtls_ctr_drbg_context *drbg);
int kz_mbed_check_pair(const mbedtls_x509_crt *certificate, const mbedtls_pk_context *key,
                       mbedtls_ctr_drbg_context *drbg);

bool kz_mbed_is_ca(const mbedtls_x509_crt *certificate);
/* True only when the extension is there and lists this use: the library's own check takes absence for consent. */
bool kz_mbed_has_usage(const mbedtls_x509_crt *certificate, bool server);

/* 0 when `crl` is signed by `issuer`, who may sign CRLs. */
int kz_mbed_verify_crl(const mbedtls_x509_crl *crl, mbedtls_x509_crt *issuer);

/* Versions, suites, curves, hashes, no tickets, no renegotiation: shared/LIBRARIES.md. 0 or the library's error. */
int kz_mbed_configure(mbedtls_ssl_config *conf, bool server);

/* The description of the fatal alert that just ended the session. */
int kz_mbed_alert(const mbedtls_ssl_context *ssl);

/* In TLS 1.3 a server looks at the client's certificate when the client has already finished, and 3.6 encrypts the
 * alert with which it refuses it under the handshake's key still: the client can only tell that its first record is
 * not readable. */
bool kz_mbed_is_late_refusal(const mbedtls_ssl_context *ssl, int code);

/* A read that returned `code` only carried a session ticket: read again. */
bool kz_mbed_is_ticket(int code);

#endif
