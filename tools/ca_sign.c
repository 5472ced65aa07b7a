/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/ca_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <mbedtls/platform_util.h>

void kz_ca_signer_init(struct kz_ca_signer *issuer)
{
    mbedtls_pk_init(&issuer->key);
    mbedtls_x509_crt_init(&issuer->certificate);
}

void kz_ca_signer_fini(struct kz_ca_signer *issuer)
{
    mbedtls_pk_free(&issuer->key);
    mbedtls_x509_crt_free(&issuer->certificate);
}

enum kz_code kz_ca_read_certificate(const char *path, mbedtls_x509_crt *out, struct kz_err *err)
{
    struct kz_buf pem;
    kz_buf_init(&pem, KZ_CA_FILE_MAX_BYTES);
    enum kz_code code = kz_ca_read_file(path, &pem, err);
    if (!code) {
        int ret = mbedtls_x509_crt_parse(out, pem.data, pem.size_bytes + 1);
        if (ret) code = kz_ca_x509_fail(err, ret, path);
    }
    kz_buf_fini(&pem);
    return code;
}

/* `issuer` was initialised and is freed by the caller also on failure. */
enum kz_code kz_ca_signer_load(struct kz_ca *ca, enum kz_ca_issuer which, struct kz_ca_signer *issuer,
                               struct kz_err *err)
{
    char path[KZ_CA_PATH_BYTES];
    struct kz_buf pem;
    kz_buf_init(&pem, KZ_CA_FILE_MAX_BYTES);
    enum kz_code code = kz_ca_join(path, err, "%s/private/%s.key", ca->dir, kz_ca_issuer_name(which));
    if (!code) code = kz_ca_read_file(path, &pem, err);
    if (!code && kz_ca_x509_parse_key(&ca->rng, &pem, &issuer->key, err)) code = kz_wrap(err, "%s", path);
    if (pem.data) mbedtls_platform_zeroize(pem.data, pem.size_bytes);
    kz_buf_fini(&pem);
    if (!code) code = kz_ca_join(path, err, "%s/private/%s.pem", ca->dir, kz_ca_issuer_name(which));
    if (!code) code = kz_ca_read_certificate(path, &issuer->certificate, err);
    return code;
}

void kz_ca_describe_issuer(const struct kz_ca *ca, enum kz_ca_issuer which, char *out)
{
    const char *name = kz_ca_issuer_name(which);
    snprintf(out, KZ_CA_SUBJECT_BYTES, "CN=keizoku %s %s,OU=%s,O=%s", ca->cluster, name, name, ca->cluster);
}

/* ca.pem and private/<name>.pem follow from the newest certificates. */
enum kz_code kz_ca_write_bundle(struct kz_ca *ca, struct kz_err *err)
{
    char path[KZ_CA_PATH_BYTES];
    struct kz_buf pem;
    kz_buf_init(&pem, KZ_CA_FILE_MAX_BYTES);
    enum kz_code code = KZ_OK;
    for (int i = 0; i < KZ_CA_ISSUERS && !code; i++) {
        code = kz_ca_join(path, err, "%s/private/%s.pem", ca->dir, kz_ca_issuer_name((enum kz_ca_issuer)i));
        if (!code) code = kz_ca_read_file(path, &pem, err);
    }
    if (!code) code = kz_ca_join(path, err, "%s/ca.pem", ca->dir);
    if (!code) code = kz_ca_write_file(path, pem.data, pem.size_bytes, 0644, true, err);
    kz_buf_fini(&pem);
    return code;
}

static void print_serial(const uint8_t *serial, char *out)
{
    for (int i = 0; i < KZ_CA_SERIAL_BYTES; i++)
        snprintf(out + 2 * i, 3, "%02x", serial[i]);
}

/* Signs `c` (whose serial is set here), writes the index line first: no certificate exists that cannot be revoked. */
enum kz_code kz_ca_sign(struct kz_ca *ca, struct kz_ca_certificate *c, struct kz_ca_entry *entry, struct kz_buf *pem,
                        struct kz_err *err)
{
    enum kz_code code = kz_ca_x509_serial(&ca->rng, c->serial, err);
    if (code) return code;
    print_serial(c->serial, entry->serial);
    c->not_before = entry->not_before;
    c->not_after = entry->not_after;
    code = kz_ca_x509_certificate_pem(&ca->rng, c, pem, err);
    if (!code) code = kz_ca_index_add(&ca->index, entry, err);
    return code ? code : kz_ca_write_index(ca, err);
}

/* Root, nodes or users: signs the certificate for `key` and writes private/<name>.pem. */
enum kz_code kz_ca_sign_issuer(struct kz_ca *ca, enum kz_ca_issuer which, mbedtls_pk_context *key,
                               mbedtls_pk_context *root_key, int64_t not_after, struct kz_err *err)
{
    char subject[KZ_CA_SUBJECT_BYTES], root[KZ_CA_SUBJECT_BYTES], path[KZ_CA_PATH_BYTES];
    kz_ca_describe_issuer(ca, which, subject);
    kz_ca_describe_issuer(ca, KZ_CA_ROOT, root);
    struct kz_ca_entry entry = {.issuer = KZ_CA_ROOT, .kind = KZ_CA_KIND_CA, .role = "ca"};
    snprintf(entry.name, sizeof entry.name, "%s", kz_ca_issuer_name(which));
    entry.not_before = kz_ca_now() - KZ_CA_SKEW_SECONDS;
    entry.not_after = not_after;
    struct kz_ca_certificate c = {.key = key,
                                  .issuer_key = root_key,
                                  .subject = subject,
                                  .issuer = root,
                                  .authority = true,
                                  .path_length = which == KZ_CA_ROOT ? 1 : 0};
    struct kz_buf pem;
    kz_buf_init(&pem, KZ_CA_FILE_MAX_BYTES);
    enum kz_code code = kz_ca_sign(ca, &c, &entry, &pem, err);
    if (!code) code = kz_ca_join(path, err, "%s/private/%s.pem", ca->dir, entry.name);
    if (!code) code = kz_ca_write_file(path, pem.data, pem.size_bytes, 0644, true, err);
    kz_buf_fini(&pem);
    return code;
}

enum kz_code kz_ca_write_key(mbedtls_pk_context *key, const char *path, struct kz_err *err)
{
    struct kz_buf pem;
    kz_buf_init(&pem, KZ_CA_FILE_MAX_BYTES);
    enum kz_code code = kz_ca_x509_key_pem(key, &pem, err);
    if (!code) code = kz_ca_write_file(path, pem.data, pem.size_bytes, 0600, false, err);
    if (pem.data) mbedtls_platform_zeroize(pem.data, pem.size_bytes);
    kz_buf_fini(&pem);
    return code;
}

static void parse_serial(const char *text, uint8_t *out)
{
    for (int i = 0; i < KZ_CA_SERIAL_BYTES; i++) {
        char digits[3] = {text[2 * i], text[2 * i + 1], '\0'};
        out[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
}

static uint64_t next_crl_number(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

static enum kz_code add_crl(struct kz_ca *ca, enum kz_ca_issuer which, int days, struct kz_buf *pem, struct kz_err *err)
{
    struct kz_ca_signer issuer;
    kz_ca_signer_init(&issuer);
    struct kz_ca_revocation *list = calloc(ca->index.count + 1, sizeof *list);
    size_t count = 0;
    for (size_t i = 0; list && i < ca->index.count; i++) {
        const struct kz_ca_entry *e = &ca->index.entries[i];
        if (e->issuer != which || !e->revoked_at) continue;
        parse_serial(e->serial, list[count].serial);
        list[count++].revoked_at = e->revoked_at;
    }
    enum kz_code code = list ? kz_ca_signer_load(ca, which, &issuer, err) : kz_fail(err, KZ_NO_MEMORY, "make a CRL");
    if (!code) {
        struct kz_ca_crl crl = {.issuer = &issuer.certificate,
                                .issuer_key = &issuer.key,
                                .number = next_crl_number(),
                                .revocations = list,
                                .revocation_count = count};
        crl.next_update = kz_ca_now() + (int64_t)(days ? days : KZ_CA_CRL_DEFAULT_DAYS) * KZ_CA_DAY_SECONDS;
        crl.this_update = kz_ca_now() - KZ_CA_SKEW_SECONDS;
        if (crl.next_update <= crl.this_update) crl.this_update = crl.next_update - KZ_CA_DAY_SECONDS;
        code = kz_ca_x509_crl_pem(&ca->rng, &crl, pem, err);
    }
    free(list);
    kz_ca_signer_fini(&issuer);
    return code;
}

enum kz_code kz_ca_write_crl(struct kz_ca *ca, int days, struct kz_err *err)
{
    char path[KZ_CA_PATH_BYTES];
    struct kz_buf pem;
    kz_buf_init(&pem, KZ_CA_FILE_MAX_BYTES);
    enum kz_code code = KZ_OK;
    for (int i = 0; i < KZ_CA_ISSUERS && !code; i++)
        code = add_crl(ca, (enum kz_ca_issuer)i, days, &pem, err);
    if (!code) code = kz_ca_join(path, err, "%s/crl.pem", ca->dir);
    if (!code) code = kz_ca_write_file(path, pem.data, pem.size_bytes, 0644, true, err);
    kz_buf_fini(&pem);
    return code;
}
