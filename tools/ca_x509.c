/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/ca_x509.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <mbedtls/base64.h>
#include <mbedtls/ecp.h>
#include <mbedtls/error.h>
#include <mbedtls/oid.h>
#include <mbedtls/pem.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/sha1.h>
#include <mbedtls/version.h>

#include "tools/ca_der.h"

#define PEM_MAX_BYTES 8192
#define SAN_MAX_BYTES 4096
#define CRL_FIXED_BYTES 2048
#define CRL_ENTRY_BYTES 48 /* two tags, a 17-byte serial, a 15-byte time, lengths */
#define SIGNATURE_MAX_BYTES 512
#define SHA_MAX_BYTES 64
#define DNS_MAX_BYTES 253
#define SEQUENCE (MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE)
#define CONTEXT(n) (MBEDTLS_ASN1_CONTEXT_SPECIFIC | (n))
#define SAN_DNS CONTEXT(2)
#define SAN_URI CONTEXT(6)
#define SAN_IP CONTEXT(7)

enum kz_code kz_ca_x509_fail(struct kz_err *err, int mbedtls_code, const char *what)
{
    char text[160];
    mbedtls_strerror(mbedtls_code, text, sizeof text);
    return kz_fail(err, KZ_FAILED, "%s: %s", what, text);
}

enum kz_code kz_ca_rng_init(struct kz_ca_rng *rng, struct kz_err *err)
{
    mbedtls_entropy_init(&rng->entropy);
    mbedtls_ctr_drbg_init(&rng->drbg);
    int ret = mbedtls_ctr_drbg_seed(&rng->drbg, mbedtls_entropy_func, &rng->entropy, NULL, 0);
    if (ret == 0) return KZ_OK;
    kz_ca_rng_fini(rng);
    return kz_ca_x509_fail(err, ret, "seed the random generator");
}

void kz_ca_rng_fini(struct kz_ca_rng *rng)
{
    mbedtls_ctr_drbg_free(&rng->drbg);
    mbedtls_entropy_free(&rng->entropy);
}

enum kz_code kz_ca_x509_serial(struct kz_ca_rng *rng, uint8_t *out, struct kz_err *err)
{
    int ret = mbedtls_ctr_drbg_random(&rng->drbg, out, KZ_CA_SERIAL_BYTES);
    if (ret) return kz_ca_x509_fail(err, ret, "make a serial number");
    out[0] = (uint8_t)((out[0] & 0x7f) | 0x40);
    return KZ_OK;
}

/* --- keys ---------------------------------------------------------------------------------------------------- */

enum kz_code kz_ca_x509_make_key(struct kz_ca_rng *rng, enum kz_ca_curve curve, mbedtls_pk_context *key,
                                 struct kz_err *err)
{
    mbedtls_ecp_group_id group = curve == KZ_CA_P384 ? MBEDTLS_ECP_DP_SECP384R1 : MBEDTLS_ECP_DP_SECP256R1;
    int ret = mbedtls_pk_setup(key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));
    if (ret == 0) ret = mbedtls_ecp_gen_key(group, mbedtls_pk_ec(*key), mbedtls_ctr_drbg_random, &rng->drbg);
    return ret ? kz_ca_x509_fail(err, ret, "make a key") : KZ_OK;
}

enum kz_code kz_ca_x509_parse_key(struct kz_ca_rng *rng, const struct kz_buf *pem, mbedtls_pk_context *key,
                                  struct kz_err *err)
{
    size_t with_nul_bytes = pem->size_bytes + 1;
#if MBEDTLS_VERSION_MAJOR >= 3
    int ret = mbedtls_pk_parse_key(key, pem->data, with_nul_bytes, NULL, 0, mbedtls_ctr_drbg_random, &rng->drbg);
#else
    (void)rng; /* needed from 3.0 on, for blinding */
    int ret = mbedtls_pk_parse_key(key, pem->data, with_nul_bytes, NULL, 0);
#endif
    if (ret) return kz_ca_x509_fail(err, ret, "not a private key in PEM");
    if (!mbedtls_pk_can_do(key, MBEDTLS_PK_ECDSA)) return kz_fail(err, KZ_USAGE, "not an ECDSA key");
    return KZ_OK;
}

enum kz_code kz_ca_x509_key_pem(mbedtls_pk_context *key, struct kz_buf *pem, struct kz_err *err)
{
    unsigned char text[PEM_MAX_BYTES];
    int ret = mbedtls_pk_write_key_pem(key, text, sizeof text);
    if (ret == 0) kz_buf_add_text(pem, (const char *)text);
    mbedtls_platform_zeroize(text, sizeof text);
    if (ret) return kz_ca_x509_fail(err, ret, "write a key");
    return pem->failed ? kz_fail(err, KZ_NO_MEMORY, "write a key") : KZ_OK;
}

static mbedtls_md_type_t digest_for(const mbedtls_pk_context *issuer_key)
{
    return mbedtls_pk_get_bitlen(issuer_key) > 256 ? MBEDTLS_MD_SHA384 : MBEDTLS_MD_SHA256;
}

/* --- subject alternative names ------------------------------------------------------------------------------- */

static bool is_dns_name(const char *text)
{
    size_t size_bytes = strlen(text);
    if (size_bytes == 0 || size_bytes > DNS_MAX_BYTES) return false;
    if (strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") != size_bytes) return false;
    if (text[0] == '.' || text[0] == '-' || text[size_bytes - 1] == '-' || strstr(text, "..")) return false;
    return strspn(text, "0123456789.") != size_bytes; /* digits and dots only: a mistyped IP address */
}

bool kz_ca_x509_parse_address(const char *text, uint8_t *out, size_t *size_bytes)
{
    *size_bytes = 0;
    if (inet_pton(AF_INET, text, out) == 1) {
        *size_bytes = 4;
        return true;
    }
    if (inet_pton(AF_INET6, text, out) == 1) {
        *size_bytes = 16;
        return true;
    }
    return is_dns_name(text);
}

static enum kz_code write_addresses(struct kz_der *der, const char *addresses, struct kz_err *err)
{
    char copy[KZ_CA_ADDRESSES_TEXT_BYTES];
    if (strlen(addresses) >= sizeof copy) return kz_fail(err, KZ_USAGE, "too many addresses");
    memcpy(copy, addresses, strlen(addresses) + 1);
    char *rest = copy;
    for (char *one; (one = strsep(&rest, ",")) != NULL;) {
        uint8_t bytes[16];
        size_t size_bytes;
        if (!kz_ca_x509_parse_address(one, bytes, &size_bytes))
            return kz_fail(err, KZ_USAGE, "\"%s\" is neither a DNS name nor an IP address", one);
        if (size_bytes) {
            kz_der_value(der, SAN_IP, bytes, size_bytes);
        } else {
            kz_der_value(der, SAN_DNS, one, strlen(one));
        }
    }
    return KZ_OK;
}

/* GeneralNames (RFC 5280 4.2.1.6); written last to first, so the URI stands in front. */
static enum kz_code add_names(mbedtls_x509write_cert *out, const struct kz_ca_certificate *c, struct kz_err *err)
{
    if (!c->uris[0] && !c->uris[1] && !c->addresses) return KZ_OK;
    struct kz_der der;
    kz_der_init(&der, SAN_MAX_BYTES);
    enum kz_code code = c->addresses ? write_addresses(&der, c->addresses, err) : KZ_OK;
    for (int i = 1; i >= 0; i--)
        if (c->uris[i]) kz_der_value(&der, SAN_URI, c->uris[i], strlen(c->uris[i]));
    kz_der_wrap(&der, SEQUENCE, 0);
    if (!code && der.failed) code = kz_fail(err, KZ_TOO_BIG, "too many names for one certificate");
    if (!code) {
        int ret = mbedtls_x509write_crt_set_extension(out, MBEDTLS_OID_SUBJECT_ALT_NAME,
                                                      MBEDTLS_OID_SIZE(MBEDTLS_OID_SUBJECT_ALT_NAME), 0, der.at,
                                                      kz_der_size_bytes(&der));
        if (ret) code = kz_ca_x509_fail(err, ret, "write the names");
    }
    kz_der_fini(&der);
    return code;
}

static int add_extended_usage(mbedtls_x509write_cert *out, unsigned usage)
{
    struct kz_der der;
    kz_der_init(&der, 64);
    if (usage & KZ_CA_EKU_CLIENT) kz_der_oid(&der, MBEDTLS_OID_CLIENT_AUTH, MBEDTLS_OID_SIZE(MBEDTLS_OID_CLIENT_AUTH));
    if (usage & KZ_CA_EKU_SERVER) kz_der_oid(&der, MBEDTLS_OID_SERVER_AUTH, MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH));
    kz_der_wrap(&der, SEQUENCE, 0);
    int ret = MBEDTLS_ERR_X509_ALLOC_FAILED;
    if (!der.failed)
        ret = mbedtls_x509write_crt_set_extension(out, MBEDTLS_OID_EXTENDED_KEY_USAGE,
                                                  MBEDTLS_OID_SIZE(MBEDTLS_OID_EXTENDED_KEY_USAGE), 1, der.at,
                                                  kz_der_size_bytes(&der));
    kz_der_fini(&der);
    return ret;
}

/* --- certificates -------------------------------------------------------------------------------------------- */

static int set_serial(mbedtls_x509write_cert *out, const struct kz_ca_certificate *c)
{
#if MBEDTLS_VERSION_NUMBER >= 0x03040000
    uint8_t copy[KZ_CA_SERIAL_BYTES];
    memcpy(copy, c->serial, sizeof copy);
    return mbedtls_x509write_crt_set_serial_raw(out, copy, sizeof copy);
#else
    mbedtls_mpi serial;
    mbedtls_mpi_init(&serial);
    int ret = mbedtls_mpi_read_binary(&serial, c->serial, sizeof c->serial);
    if (ret == 0) ret = mbedtls_x509write_crt_set_serial(out, &serial);
    mbedtls_mpi_free(&serial);
    return ret;
#endif
}

static int set_validity(mbedtls_x509write_cert *out, const struct kz_ca_certificate *c)
{
    char from[20], to[20];
    struct tm tm;
    time_t not_before = (time_t)c->not_before, not_after = (time_t)c->not_after;
    if (!gmtime_r(&not_before, &tm) || strftime(from, sizeof from, "%Y%m%d%H%M%S", &tm) != 14 ||
        !gmtime_r(&not_after, &tm) || strftime(to, sizeof to, "%Y%m%d%H%M%S", &tm) != 14)
        return MBEDTLS_ERR_X509_INVALID_DATE;
    return mbedtls_x509write_crt_set_validity(out, from, to);
}

static int set_extensions(mbedtls_x509write_cert *out, const struct kz_ca_certificate *c)
{
    unsigned char usage = c->authority ? (unsigned char)(MBEDTLS_X509_KU_KEY_CERT_SIGN | MBEDTLS_X509_KU_CRL_SIGN)
                                       : (unsigned char)MBEDTLS_X509_KU_DIGITAL_SIGNATURE;
    int ret = mbedtls_x509write_crt_set_basic_constraints(out, c->authority, c->authority ? c->path_length : -1);
    if (ret == 0) ret = mbedtls_x509write_crt_set_key_usage(out, usage);
    if (ret == 0) ret = mbedtls_x509write_crt_set_subject_key_identifier(out);
    if (ret == 0) ret = mbedtls_x509write_crt_set_authority_key_identifier(out);
    if (ret == 0 && !c->authority && !(c->usage & KZ_CA_EKU_ABSENT)) ret = add_extended_usage(out, c->usage);
    return ret;
}

enum kz_code kz_ca_x509_certificate_pem(struct kz_ca_rng *rng, const struct kz_ca_certificate *c, struct kz_buf *pem,
                                        struct kz_err *err)
{
    mbedtls_x509write_cert out;
    mbedtls_x509write_crt_init(&out);
    mbedtls_x509write_crt_set_version(&out, MBEDTLS_X509_CRT_VERSION_3);
    mbedtls_x509write_crt_set_md_alg(&out, digest_for(c->issuer_key));
    mbedtls_x509write_crt_set_subject_key(&out, c->key);
    mbedtls_x509write_crt_set_issuer_key(&out, c->issuer_key);
    int ret = mbedtls_x509write_crt_set_subject_name(&out, c->subject);
    if (ret == 0) ret = mbedtls_x509write_crt_set_issuer_name(&out, c->issuer);
    if (ret == 0) ret = set_serial(&out, c);
    if (ret == 0) ret = set_validity(&out, c);
    if (ret == 0) ret = set_extensions(&out, c);
    enum kz_code code = ret ? kz_ca_x509_fail(err, ret, "make a certificate") : add_names(&out, c, err);
    if (!code) {
        unsigned char text[PEM_MAX_BYTES];
        ret = mbedtls_x509write_crt_pem(&out, text, sizeof text, mbedtls_ctr_drbg_random, &rng->drbg);
        if (ret)
            code = kz_ca_x509_fail(err, ret, "sign a certificate");
        else
            kz_buf_add_text(pem, (const char *)text);
    }
    mbedtls_x509write_crt_free(&out);
    if (!code && pem->failed) code = kz_fail(err, KZ_NO_MEMORY, "make a certificate");
    return code;
}

/* --- CRL: mbedTLS has no writer (RFC 5280 5.1) ----------------------------------------------------------------
 *
 *   CertificateList  SEQUENCE
 *   +- tbsCertList   SEQUENCE: version 1, algorithm, issuer, thisUpdate, nextUpdate,
 *   |                SEQUENCE OF SEQUENCE {serial, revocationDate}  (absent when empty),
 *   |                [0] SEQUENCE {authorityKeyIdentifier, cRLNumber}
 *   +- algorithm     SEQUENCE {ecdsa-with-SHA256 or -SHA384}        (no parameters: RFC 5758 3.2)
 *   +- signature     BIT STRING
 */

static void write_algorithm(struct kz_der *der, mbedtls_md_type_t digest)
{
    size_t before = kz_der_size_bytes(der);
    if (digest == MBEDTLS_MD_SHA384)
        kz_der_oid(der, MBEDTLS_OID_ECDSA_SHA384, MBEDTLS_OID_SIZE(MBEDTLS_OID_ECDSA_SHA384));
    else
        kz_der_oid(der, MBEDTLS_OID_ECDSA_SHA256, MBEDTLS_OID_SIZE(MBEDTLS_OID_ECDSA_SHA256));
    kz_der_wrap(der, SEQUENCE, before);
}

/* SEQUENCE {oid, OCTET STRING {what was written since size_before}} */
static void wrap_extension(struct kz_der *der, const char *oid, size_t oid_bytes, size_t size_before)
{
    kz_der_wrap(der, MBEDTLS_ASN1_OCTET_STRING, size_before);
    kz_der_oid(der, oid, oid_bytes);
    kz_der_wrap(der, SEQUENCE, size_before);
}

/* SHA-1 of the key bits, as mbedTLS puts into the certificates it writes (RFC 5280 4.2.1.2 method 1). */
static int hash_key(mbedtls_pk_context *key, unsigned char *out)
{
    unsigned char bytes[256];
    unsigned char *at = bytes + sizeof bytes;
    int size_bytes = mbedtls_pk_write_pubkey(&at, bytes, key);
    if (size_bytes < 0) return size_bytes;
#if MBEDTLS_VERSION_MAJOR >= 3
    return mbedtls_sha1(at, (size_t)size_bytes, out);
#else
    return mbedtls_sha1_ret(at, (size_t)size_bytes, out);
#endif
}

static int write_crl_extensions(struct kz_der *der, const struct kz_ca_crl *crl)
{
    uint8_t number[8];
    unsigned char key_id[20];
    int ret = hash_key(crl->issuer_key, key_id);
    if (ret) return ret;
    size_t all = kz_der_size_bytes(der);
    kz_put_u64(number, crl->number);
    kz_der_unsigned(der, number, sizeof number);
    wrap_extension(der, MBEDTLS_OID_CRL_NUMBER, MBEDTLS_OID_SIZE(MBEDTLS_OID_CRL_NUMBER), all);
    size_t before = kz_der_size_bytes(der);
    kz_der_value(der, CONTEXT(0), key_id, sizeof key_id);
    kz_der_wrap(der, SEQUENCE, before);
    wrap_extension(der, MBEDTLS_OID_AUTHORITY_KEY_IDENTIFIER, MBEDTLS_OID_SIZE(MBEDTLS_OID_AUTHORITY_KEY_IDENTIFIER),
                   before);
    kz_der_wrap(der, SEQUENCE, all);
    kz_der_wrap(der, MBEDTLS_ASN1_CONSTRUCTED | CONTEXT(0), all);
    return 0;
}

static void write_revocations(struct kz_der *der, const struct kz_ca_crl *crl)
{
    size_t all = kz_der_size_bytes(der);
    for (size_t i = crl->revocation_count; i-- > 0;) {
        size_t before = kz_der_size_bytes(der);
        kz_der_time(der, crl->revocations[i].revoked_at);
        kz_der_unsigned(der, crl->revocations[i].serial, KZ_CA_SERIAL_BYTES);
        kz_der_wrap(der, SEQUENCE, before);
    }
    if (crl->revocation_count) kz_der_wrap(der, SEQUENCE, all);
}

static int write_tbs(struct kz_der *der, const struct kz_ca_crl *crl, mbedtls_md_type_t digest)
{
    static const uint8_t version_2 = 1;
    int ret = write_crl_extensions(der, crl);
    if (ret) return ret;
    write_revocations(der, crl);
    kz_der_time(der, crl->next_update);
    kz_der_time(der, crl->this_update);
    kz_der_raw(der, crl->issuer->subject_raw.p, crl->issuer->subject_raw.len);
    write_algorithm(der, digest);
    kz_der_unsigned(der, &version_2, 1);
    kz_der_wrap(der, SEQUENCE, 0);
    return 0;
}

static int sign_tbs(struct kz_ca_rng *rng, const struct kz_ca_crl *crl, const struct kz_der *tbs,
                    unsigned char *signature, size_t *signature_bytes)
{
    mbedtls_md_type_t digest = digest_for(crl->issuer_key);
    const mbedtls_md_info_t *info = mbedtls_md_info_from_type(digest);
    unsigned char hash[SHA_MAX_BYTES];
    int ret = mbedtls_md(info, tbs->at, kz_der_size_bytes(tbs), hash);
    if (ret) return ret;
#if MBEDTLS_VERSION_MAJOR >= 3
    return mbedtls_pk_sign(crl->issuer_key, digest, hash, mbedtls_md_get_size(info), signature, SIGNATURE_MAX_BYTES,
                           signature_bytes, mbedtls_ctr_drbg_random, &rng->drbg);
#else
    return mbedtls_pk_sign(crl->issuer_key, digest, hash, mbedtls_md_get_size(info), signature, signature_bytes,
                           mbedtls_ctr_drbg_random, &rng->drbg);
#endif
}

/* The size mbedTLS asks for is an upper bound, the one it reports afterwards counts the NUL. */
static enum kz_code add_pem(const struct kz_der *der, struct kz_buf *pem, struct kz_err *err)
{
    size_t room_bytes = 0, written_bytes = 0;
    static const char head[] = "-----BEGIN X509 CRL-----\n", tail[] = "-----END X509 CRL-----\n";
    int ret = mbedtls_pem_write_buffer(head, tail, der->at, kz_der_size_bytes(der), NULL, 0, &room_bytes);
    if (ret != MBEDTLS_ERR_BASE64_BUFFER_TOO_SMALL) return kz_ca_x509_fail(err, ret, "write a CRL");
    uint8_t *room = kz_buf_extend(pem, room_bytes);
    if (!room) return kz_fail(err, KZ_NO_MEMORY, "write a CRL");
    ret = mbedtls_pem_write_buffer(head, tail, der->at, kz_der_size_bytes(der), room, room_bytes, &written_bytes);
    if (ret) return kz_ca_x509_fail(err, ret, "write a CRL");
    pem->size_bytes -= room_bytes - (written_bytes - 1);
    return KZ_OK;
}

enum kz_code kz_ca_x509_crl_pem(struct kz_ca_rng *rng, const struct kz_ca_crl *crl, struct kz_buf *pem,
                                struct kz_err *err)
{
    mbedtls_md_type_t digest = digest_for(crl->issuer_key);
    unsigned char signature[SIGNATURE_MAX_BYTES];
    size_t signature_bytes = 0;
    struct kz_der tbs, whole;
    size_t room_bytes = CRL_FIXED_BYTES + crl->revocation_count * CRL_ENTRY_BYTES;
    kz_der_init(&tbs, room_bytes);
    kz_der_init(&whole, room_bytes + SIGNATURE_MAX_BYTES);
    enum kz_code code = KZ_OK;
    int ret = write_tbs(&tbs, crl, digest);
    if (ret == 0 && !tbs.failed) ret = sign_tbs(rng, crl, &tbs, signature, &signature_bytes);
    if (ret) code = kz_ca_x509_fail(err, ret, "sign a CRL");
    static const uint8_t unused_bits = 0;
    kz_der_raw(&whole, signature, signature_bytes);
    kz_der_raw(&whole, &unused_bits, 1);
    kz_der_wrap(&whole, MBEDTLS_ASN1_BIT_STRING, 0);
    write_algorithm(&whole, digest);
    if (!tbs.failed) kz_der_raw(&whole, tbs.at, kz_der_size_bytes(&tbs));
    kz_der_wrap(&whole, SEQUENCE, 0);
    if (!code && (tbs.failed || whole.failed)) code = kz_fail(err, KZ_NO_MEMORY, "make a CRL");
    if (!code) code = add_pem(&whole, pem, err);
    kz_der_fini(&whole);
    kz_der_fini(&tbs);
    return code;
}
