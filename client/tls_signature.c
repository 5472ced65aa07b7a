/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures of files with a person's certificate, judged years later perhaps: what counts is that the certificate was
 * valid when it was signed, and that it is not revoked now. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <mbedtls/error.h>

#include "client/tls_internal.h"

#define OU_ISSUER_OF_USERS "users"

size_t kz_tls_own_certificates(const struct kz_tls_identity *identity, ProtobufCBinaryData out[KZ_TLS_CERTIFICATES_MAX])
{
    size_t count = 0;
    for (const mbedtls_x509_crt *at = &identity->certificate; at && at->raw.p && count < KZ_TLS_CERTIFICATES_MAX;
         at = at->next)
        out[count++] = (ProtobufCBinaryData){at->raw.len, at->raw.p};
    return count;
}

enum kz_code kz_tls_sign(struct kz_tls_identity *identity, const uint8_t hash[KZ_TLS_HASH_BYTES], uint8_t *out,
                         size_t room_bytes, size_t *size_bytes, struct kz_err *err)
{
    unsigned char signature[MBEDTLS_PK_SIGNATURE_MAX_SIZE];
#if MBEDTLS_VERSION_MAJOR >= 3
    int result = mbedtls_pk_sign(&identity->key, MBEDTLS_MD_SHA256, hash, KZ_TLS_HASH_BYTES, signature,
                                 sizeof signature, size_bytes, mbedtls_ctr_drbg_random, &identity->random);
#else
    int result = mbedtls_pk_sign(&identity->key, MBEDTLS_MD_SHA256, hash, KZ_TLS_HASH_BYTES, signature, size_bytes,
                                 mbedtls_ctr_drbg_random, &identity->random);
#endif
    if (result) return kz_fail(err, KZ_TLS, "signing failed (-0x%04x)", (unsigned)-result);
    if (*size_bytes > room_bytes) return kz_fail(err, KZ_TLS, "the signature has %zu bytes", *size_bytes);
    memcpy(out, signature, *size_bytes);
    return KZ_OK;
}

/* ---- judging ---- */

struct kz_tls_trust {
    mbedtls_x509_crt ca;
    mbedtls_x509_crl crl;
    bool has_crl;
};

enum kz_code kz_tls_trust_open(const char *ca, const char *crl, struct kz_tls_trust **out, struct kz_failure *failure,
                               struct kz_err *err)
{
    struct kz_tls_trust *trust = calloc(1, sizeof *trust);
    if (!trust) return kz_fail(err, KZ_NO_MEMORY, "out of memory");
    mbedtls_x509_crt_init(&trust->ca);
    mbedtls_x509_crl_init(&trust->crl);
    enum kz_code code = kz_tls_load_trust(ca, crl, &trust->ca, &trust->crl, failure, err);
    if (code) {
        kz_tls_trust_free(trust);
        return code;
    }
    trust->has_crl = crl != NULL;
    *out = trust;
    return KZ_OK;
}

void kz_tls_trust_free(struct kz_tls_trust *trust)
{
    if (!trust) return;
    mbedtls_x509_crl_free(&trust->crl);
    mbedtls_x509_crt_free(&trust->ca);
    free(trust);
}

struct judging {
    struct tm signed_at;
    bool outside;      /* of some certificate's validity */
    bool users_issuer; /* the leaf's issuer issues for people */
    bool too_long;     /* a chain that needs the root above our intermediates */
};

static int compare_times(const mbedtls_x509_time *a, const struct tm *b)
{
    const int left[] = {a->year, a->mon, a->day, a->hour, a->min, a->sec};
    const int right[] = {b->tm_year + 1900, b->tm_mon + 1, b->tm_mday, b->tm_hour, b->tm_min, b->tm_sec};
    for (size_t i = 0; i < sizeof left / sizeof left[0]; i++)
        if (left[i] != right[i]) return left[i] < right[i] ? -1 : 1;
    return 0;
}

/* The library compares with the clock of today; a backup is read when its signer's certificate may have run out. */
static int look(void *data, mbedtls_x509_crt *certificate, int depth, uint32_t *flags)
{
    struct judging *judging = data;
    *flags &= ~(uint32_t)(MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE | MBEDTLS_X509_BADCRL_EXPIRED |
                          MBEDTLS_X509_BADCRL_FUTURE);
    if (compare_times(&certificate->valid_from, &judging->signed_at) > 0 ||
        compare_times(&certificate->valid_to, &judging->signed_at) < 0)
        judging->outside = true;
    if (depth == 1) judging->users_issuer = kz_tls_has_unit(certificate, OU_ISSUER_OF_USERS);
    if (depth > 1) judging->too_long = true;
    return 0;
}

static bool parse_chain(const struct kz_tls_signed *what, mbedtls_x509_crt *out)
{
    for (size_t i = 0; i < what->certificate_count; i++)
        if (mbedtls_x509_crt_parse_der(out, what->certificates[i].data, what->certificates[i].len) != 0) return false;
    return what->certificate_count > 0;
}

static enum kz_text_id check_chain(struct kz_tls_trust *trust, mbedtls_x509_crt *chain, int64_t signed_ms)
{
    struct judging judging = {.outside = false};
    time_t signed_s = (time_t)(signed_ms / 1000);
    uint32_t flags = 0;
    if (!gmtime_r(&signed_s, &judging.signed_at)) return KZ_T_SIGNER_TIME;
    int result = mbedtls_x509_crt_verify_with_profile(chain, &trust->ca, trust->has_crl ? &trust->crl : NULL,
                                                      &mbedtls_x509_crt_profile_next, NULL, &flags, look, &judging);
    if (flags & MBEDTLS_X509_BADCERT_REVOKED) return KZ_T_SIGNER_REVOKED;
    if (result || judging.too_long) return KZ_T_SIGNER_UNTRUSTED;
    if (!judging.users_issuer) return KZ_T_SIGNER_NOT_A_USER;
    return judging.outside ? KZ_T_SIGNER_TIME : KZ_T_EMPTY;
}

static enum kz_text_id check_user(const mbedtls_x509_crt *leaf, const struct kz_tls_signed *what)
{
    struct kz_san name;
    if (!kz_tls_read_name(leaf, &name) || name.is_node) return KZ_T_SIGNER_NOT_A_USER;
    if (strcmp(name.cluster, what->cluster) != 0) return KZ_T_SIGNER_CLUSTER;
    if (strcmp(name.name, what->user) != 0) return KZ_T_SIGNER_OTHER_USER;
    bool may = kz_tls_has_unit(leaf, "backup") || kz_tls_has_unit(leaf, "operator");
    return may ? KZ_T_EMPTY : KZ_T_SIGNER_ROLE;
}

/* The signature before the chain: of bytes that were changed nothing else is worth saying. */
enum kz_tls_verdict kz_tls_judge(struct kz_tls_trust *trust, const struct kz_tls_signed *what, enum kz_text_id *reason)
{
    mbedtls_x509_crt chain;
    enum kz_tls_verdict verdict = KZ_TLS_NOT_SIGNED;
    mbedtls_x509_crt_init(&chain);
    *reason = KZ_T_EMPTY;
    if (parse_chain(what, &chain) && mbedtls_pk_verify(&chain.pk, MBEDTLS_MD_SHA256, what->hash, KZ_TLS_HASH_BYTES,
                                                       what->signature, what->size_bytes) == 0) {
        *reason = check_chain(trust, &chain, what->signed_ms);
        if (*reason == KZ_T_EMPTY) *reason = check_user(&chain, what);
        verdict = *reason == KZ_T_EMPTY ? KZ_TLS_SIGNED : KZ_TLS_STRANGER;
    }
    mbedtls_x509_crt_free(&chain);
    return verdict;
}
