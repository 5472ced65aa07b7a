/* SPDX-License-Identifier: Apache-2.0 */
#include "node/net/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "node/base/assert.h"
#include "node/base/buf.h"
#include "node/base/log.h"
#include "node/net/tls_context.h"
#include "proto/wire.h"

struct kz_tls {
    char *cert_path, *key_path, *ca_path, *crl_path, *cluster, *node; /* owned; node may be NULL */
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context drbg;
    struct kz_tls_generation *current;
};

/* mbedTLS keeps the pointer. */
static const char *server_protocols[] = {KZ_ALPN_CLIENT, KZ_ALPN_PEER, NULL};
static const char *client_protocols[] = {KZ_ALPN_CLIENT, NULL};
static const char *peer_protocols[] = {KZ_ALPN_PEER, NULL};

static int64_t to_seconds(const mbedtls_x509_time *time)
{
    struct tm parts = {.tm_year = time->year - 1900,
                       .tm_mon = time->mon - 1,
                       .tm_mday = time->day,
                       .tm_hour = time->hour,
                       .tm_min = time->min,
                       .tm_sec = time->sec};
    return (int64_t)timegm(&parts);
}

static enum kz_code fail_mbed(struct kz_err *err, const char *path, int code)
{
    char text[KZ_MBED_TEXT_BYTES];
    if (code > 0) return kz_fail(err, KZ_TLS, "%s: %d of its certificates cannot be read", path, code);
    return kz_fail(err, KZ_TLS, "%s: %s", path, kz_mbed_text(code, text));
}

/* The whole file, followed by the NUL that mbedTLS's PEM parsers want (and count). */
static enum kz_code read_file(const char *path, struct kz_buf *out, struct kz_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return kz_fail(err, KZ_IO, "%s: cannot be opened: %s", path, strerror(errno));
    ssize_t got;
    uint8_t chunk[4096];
    while ((got = read(fd, chunk, sizeof chunk)) > 0)
        kz_buf_add(out, chunk, (size_t)got);
    int problem = got < 0 ? errno : 0;
    close(fd);
    if (problem) return kz_fail(err, KZ_IO, "%s: cannot be read: %s", path, strerror(problem));
    kz_buf_add(out, "", 1);
    if (out->failed) return kz_fail(err, KZ_TOO_BIG, "%s: is larger than %u bytes", path, KZ_TLS_FILE_MAX_BYTES);
    return KZ_OK;
}

static struct kz_tls_generation *new_generation(void)
{
    struct kz_tls_generation *generation = calloc(1, sizeof *generation);
    if (!generation) return NULL;
    generation->references = 1;
    mbedtls_x509_crt_init(&generation->own);
    mbedtls_pk_init(&generation->key);
    mbedtls_x509_crt_init(&generation->roots);
    mbedtls_x509_crt_init(&generation->issuers);
    mbedtls_x509_crl_init(&generation->crls);
    mbedtls_ssl_config_init(&generation->server);
    mbedtls_ssl_config_init(&generation->client);
    mbedtls_ssl_config_init(&generation->peer);
    return generation;
}

void kz_tls_generation_release(struct kz_tls_generation *generation)
{
    if (!generation) return;
    kz_assert(generation->references > 0);
    if (--generation->references > 0) return;
    mbedtls_ssl_config_free(&generation->server);
    mbedtls_ssl_config_free(&generation->client);
    mbedtls_ssl_config_free(&generation->peer);
    mbedtls_x509_crt_free(&generation->own);
    mbedtls_pk_free(&generation->key);
    mbedtls_x509_crt_free(&generation->roots);
    mbedtls_x509_crt_free(&generation->issuers);
    mbedtls_x509_crl_free(&generation->crls);
    free(generation);
}

struct kz_tls_generation *kz_tls_generation_take(struct kz_tls *tls)
{
    tls->current->references++;
    return tls->current;
}

uint64_t kz_tls_generation_number(const struct kz_tls *tls) { return tls->current->number; }
const char *kz_tls_cluster(const struct kz_tls *tls) { return tls->cluster; }

static bool same_name(const mbedtls_x509_buf *a, const mbedtls_x509_buf *b)
{
    return a->len == b->len && memcmp(a->p, b->p, a->len) == 0;
}

static bool is_listed(const struct kz_tls_generation *generation, const mbedtls_x509_buf *issuer, const uint8_t *serial,
                      size_t size_bytes)
{
    for (const mbedtls_x509_crl *crl = &generation->crls; crl; crl = crl->next) {
        if (!same_name(&crl->issuer_raw, issuer)) continue;
        for (const mbedtls_x509_crl_entry *entry = &crl->entry; entry && entry->raw.len; entry = entry->next)
            if (entry->serial.len == size_bytes && memcmp(entry->serial.p, serial, size_bytes) == 0) return true;
    }
    return false;
}

bool kz_tls_generation_revoked(const struct kz_tls_generation *generation, const mbedtls_x509_crt *certificate)
{
    return is_listed(generation, &certificate->issuer_raw, certificate->serial.p, certificate->serial.len);
}

bool kz_tls_is_revoked(const struct kz_tls *tls, enum kz_tls_unit unit, const uint8_t *serial, size_t size_bytes)
{
    for (const mbedtls_x509_crt *issuer = &tls->current->issuers; issuer; issuer = issuer->next)
        if (kz_tls_unit(issuer) == unit && is_listed(tls->current, &issuer->subject_raw, serial, size_bytes))
            return true;
    return false;
}

static enum kz_code load_own(struct kz_tls *tls, struct kz_tls_generation *generation, struct kz_err *err)
{
    struct kz_buf pem;
    kz_buf_init(&pem, KZ_TLS_FILE_MAX_BYTES);
    enum kz_code code = read_file(tls->cert_path, &pem, err);
    if (code) goto done;
    int failed = mbedtls_x509_crt_parse(&generation->own, pem.data, pem.size_bytes);
    if (failed) {
        code = fail_mbed(err, tls->cert_path, failed);
        goto done;
    }

    kz_buf_clear(&pem);
    code = read_file(tls->key_path, &pem, err);
    if (code) goto done;
    struct stat status;
    if (stat(tls->key_path, &status) == 0 && (status.st_mode & (S_IRWXG | S_IRWXO)))
        kz_log_warn("tls.key_mode", "path=%s mode=%03o text=\"others can read the key: chmod 600\"", tls->key_path,
                    (unsigned)(status.st_mode & 0777));
    failed = kz_mbed_parse_key(&generation->key, pem.data, pem.size_bytes, &tls->drbg);
    explicit_bzero(pem.data, pem.size_bytes);
    if (failed) {
        code = fail_mbed(err, tls->key_path, failed);
        goto done;
    }
    if (kz_mbed_check_pair(&generation->own, &generation->key, &tls->drbg) != 0)
        code = kz_fail(err, KZ_TLS, "%s: is not the key of the certificate %s", tls->key_path, tls->cert_path);
done:
    kz_buf_fini(&pem);
    return code;
}

static enum kz_code check_intermediates(struct kz_tls *tls, struct kz_tls_generation *generation, struct kz_err *err)
{
    bool nodes = false, users = false;
    for (mbedtls_x509_crt *issuer = &generation->issuers; issuer && issuer->raw.p; issuer = issuer->next) {
        enum kz_tls_unit unit = kz_tls_unit(issuer);
        if (unit == KZ_TLS_UNIT_OTHER)
            return kz_fail(err, KZ_TLS, "%s: an intermediate's OU is neither 'nodes' nor 'users'", tls->ca_path);
        nodes = nodes || unit == KZ_TLS_UNIT_NODES;
        users = users || unit == KZ_TLS_UNIT_USERS;
        mbedtls_x509_crt *next = issuer->next;
        uint32_t flags = 0;
        issuer->next = NULL; /* the library would take the other intermediates for this one's chain */
        int failed = mbedtls_x509_crt_verify_with_profile(issuer, &generation->roots, NULL,
                                                          &mbedtls_x509_crt_profile_next, NULL, &flags, NULL, NULL);
        issuer->next = next;
        char text[128];
        kz_tls_describe_flags(flags, text, sizeof text);
        flags &= (uint32_t) ~(MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE); /* handshakes check them */
        if (failed && flags)
            return kz_fail(err, KZ_TLS, "%s: the intermediate '%s' is not accepted: %s", tls->ca_path,
                           unit == KZ_TLS_UNIT_NODES ? "nodes" : "users", text);
    }
    if (!nodes || !users)
        return kz_fail(err, KZ_TLS, "%s: holds no intermediate with OU '%s'", tls->ca_path, nodes ? "users" : "nodes");
    return KZ_OK;
}

static enum kz_code load_authorities(struct kz_tls *tls, struct kz_tls_generation *generation, struct kz_err *err)
{
    struct kz_buf pem;
    mbedtls_x509_crt all;
    mbedtls_x509_crt_init(&all);
    kz_buf_init(&pem, KZ_TLS_FILE_MAX_BYTES);
    enum kz_code code = read_file(tls->ca_path, &pem, err);
    if (code) goto done;
    int failed = mbedtls_x509_crt_parse(&all, pem.data, pem.size_bytes);
    for (const mbedtls_x509_crt *one = &all; !failed && one; one = one->next) {
        if (!kz_mbed_is_ca(one)) {
            code = kz_fail(err, KZ_TLS, "%s: holds a certificate that is not an authority's", tls->ca_path);
            goto done;
        }
        bool root = same_name(&one->issuer_raw, &one->subject_raw);
        failed = mbedtls_x509_crt_parse_der(root ? &generation->roots : &generation->issuers, one->raw.p, one->raw.len);
    }
    if (failed) {
        code = fail_mbed(err, tls->ca_path, failed);
        goto done;
    }
    code = check_intermediates(tls, generation, err);
done:
    mbedtls_x509_crt_free(&all);
    kz_buf_fini(&pem);
    return code;
}

/* At least one good CRL of this authority, and none with a bad signature. */
static enum kz_code check_crls_of(struct kz_tls *tls, struct kz_tls_generation *generation, mbedtls_x509_crt *issuer,
                                  struct kz_err *err)
{
    char name[256];
    if (mbedtls_x509_dn_gets(name, sizeof name, &issuer->subject) < 0) snprintf(name, sizeof name, "?");
    unsigned found = 0;
    for (const mbedtls_x509_crl *crl = &generation->crls; crl && crl->raw.p; crl = crl->next) {
        if (!same_name(&crl->issuer_raw, &issuer->subject_raw)) continue;
        if (kz_mbed_verify_crl(crl, issuer) != 0)
            return kz_fail(err, KZ_TLS, "%s: the CRL of '%s' has a bad signature", tls->crl_path, name);
        /* A CRL without nextUpdate is parsed as year 0: never out of date. */
        int64_t next = crl->next_update.year ? to_seconds(&crl->next_update) : INT64_MAX;
        if (next < generation->crl_expires_s) generation->crl_expires_s = next;
        found++;
    }
    if (!found)
        return kz_fail(err, KZ_TLS,
                       "%s: no CRL of '%s': revoked certificates would be accepted; make one with "
                       "keizoku-ca crl",
                       tls->crl_path, name);
    return KZ_OK;
}

static enum kz_code load_crls(struct kz_tls *tls, struct kz_tls_generation *generation, struct kz_err *err)
{
    struct kz_buf pem;
    kz_buf_init(&pem, KZ_TLS_FILE_MAX_BYTES);
    enum kz_code code = read_file(tls->crl_path, &pem, err);
    int failed = code ? 0 : mbedtls_x509_crl_parse(&generation->crls, pem.data, pem.size_bytes);
    kz_buf_fini(&pem);
    if (code) return code;
    if (failed) return fail_mbed(err, tls->crl_path, failed);

    generation->crl_expires_s = INT64_MAX;
    for (mbedtls_x509_crt *root = &generation->roots; root && root->raw.p; root = root->next)
        if ((code = check_crls_of(tls, generation, root, err)) != KZ_OK) return code;
    for (mbedtls_x509_crt *issuer = &generation->issuers; issuer && issuer->raw.p; issuer = issuer->next) {
        if ((code = check_crls_of(tls, generation, issuer, err)) != KZ_OK) return code;
        if (kz_tls_generation_revoked(generation, issuer))
            return kz_fail(err, KZ_TLS, "%s: an intermediate of %s has been revoked", tls->crl_path, tls->ca_path);
    }
    return KZ_OK;
}

/* What others will check when we connect; found here, the message names our file. A certificate that has run out
 * or was revoked only alarms: the process starts, and a reload brings the new one. */
static enum kz_code check_own(struct kz_tls *tls, struct kz_tls_generation *generation, struct kz_err *err)
{
    mbedtls_x509_crt *leaf = &generation->own;
    enum kz_code code = kz_tls_read_identity(leaf, tls->cluster, &generation->identity, err);
    if (code) {
        (void)kz_wrap(err, "%s", tls->cert_path);
        return code;
    }
    const struct kz_identity *identity = &generation->identity;
    bool node = identity->kind == KZ_IDENTITY_NODE;
    if (tls->node && (!node || strcmp(tls->node, identity->name) != 0))
        return kz_fail(err, KZ_TLS, "%s: is the certificate of %s '%s', not of node '%s'", tls->cert_path,
                       node ? "node" : "user", identity->name, tls->node);
    if (!kz_mbed_has_usage(leaf, false) || (node && !kz_mbed_has_usage(leaf, true)))
        return kz_fail(err, KZ_TLS, "%s: its extended key usage lacks %s authentication", tls->cert_path,
                       kz_mbed_has_usage(leaf, false) ? "server" : "client");

    uint32_t flags = 0;
    int failed = mbedtls_x509_crt_verify_with_profile(leaf, &generation->issuers, NULL, &mbedtls_x509_crt_profile_next,
                                                      NULL, &flags, NULL, NULL);
    uint32_t late = flags & (MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE);
    char text[128];
    kz_tls_describe_flags(flags & ~late ? flags & ~late : flags, text, sizeof text);
    if (failed && (flags & ~late)) return kz_fail(err, KZ_TLS, "%s: %s", tls->cert_path, text);
    if (late) kz_log_error("tls.certificate", "path=%s text=\"%s\"", tls->cert_path, text);
    if (kz_tls_generation_revoked(generation, leaf))
        kz_log_error("tls.certificate", "path=%s text=\"it has been revoked: others will refuse it\"", tls->cert_path);
    generation->certificate_expires_s = to_seconds(&leaf->valid_to);
    return KZ_OK;
}

static int configure(struct kz_tls *tls, struct kz_tls_generation *generation)
{
    struct {
        mbedtls_ssl_config *conf;
        bool server;
        const char **protocols;
    } rows[] = {{&generation->server, true, server_protocols},
                {&generation->client, false, client_protocols},
                {&generation->peer, false, peer_protocols}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int failed = kz_mbed_configure(rows[i].conf, rows[i].server);
        if (!failed) failed = mbedtls_ssl_conf_alpn_protocols(rows[i].conf, rows[i].protocols);
        if (!failed) failed = mbedtls_ssl_conf_own_cert(rows[i].conf, &generation->own, &generation->key);
        if (failed) return failed;
        mbedtls_ssl_conf_ca_chain(rows[i].conf, &generation->issuers, NULL);
        mbedtls_ssl_conf_rng(rows[i].conf, mbedtls_ctr_drbg_random, &tls->drbg);
    }
    return 0;
}

static enum kz_code load(struct kz_tls *tls, struct kz_tls_generation **out, struct kz_err *err)
{
    struct kz_tls_generation *generation = new_generation();
    if (!generation) return kz_fail(err, KZ_NO_MEMORY, "no memory for certificates");
    enum kz_code code = load_own(tls, generation, err);
    if (!code) code = load_authorities(tls, generation, err);
    if (!code) code = load_crls(tls, generation, err);
    if (!code) code = check_own(tls, generation, err);
    if (!code) {
        int failed = configure(tls, generation);
        if (failed) code = fail_mbed(err, "TLS configuration", failed);
    }
    if (code) {
        kz_tls_generation_release(generation);
        return code;
    }
    if (generation->crl_expires_s < (int64_t)time(NULL))
        kz_log_error("tls.crl_expired",
                     "path=%s text=\"its next update is past; certificates are still checked "
                     "against it; bring a new one\"",
                     tls->crl_path);
    *out = generation;
    return KZ_OK;
}

enum kz_code kz_tls_open(struct kz_tls **out, const struct kz_tls_config *config, struct kz_err *err)
{
    if (kz_mbed_start() != 0) return kz_fail(err, KZ_TLS, "the TLS library does not start");
    struct kz_tls *tls = kz_must_alloc(1, sizeof *tls);
    tls->cert_path = kz_must_strdup(config->cert_path);
    tls->key_path = kz_must_strdup(config->key_path);
    tls->ca_path = kz_must_strdup(config->ca_path);
    tls->crl_path = kz_must_strdup(config->crl_path);
    tls->cluster = kz_must_strdup(config->cluster);
    if (config->node) tls->node = kz_must_strdup(config->node);
    mbedtls_entropy_init(&tls->entropy);
    mbedtls_ctr_drbg_init(&tls->drbg);
    enum kz_code code = KZ_OK;
    int failed = mbedtls_ctr_drbg_seed(&tls->drbg, mbedtls_entropy_func, &tls->entropy, (const uint8_t *)"keizoku", 7);
    if (failed) code = fail_mbed(err, "random generator", failed);
    if (!code) code = load(tls, &tls->current, err);
    if (code) {
        kz_tls_close(tls);
        return code;
    }
    tls->current->number = 1;
    *out = tls;
    return KZ_OK;
}

void kz_tls_close(struct kz_tls *tls)
{
    if (!tls) return;
    kz_assert(!tls->current || tls->current->references == 1);
    kz_tls_generation_release(tls->current);
    mbedtls_ctr_drbg_free(&tls->drbg);
    mbedtls_entropy_free(&tls->entropy);
    free(tls->cert_path);
    free(tls->key_path);
    free(tls->ca_path);
    free(tls->crl_path);
    free(tls->cluster);
    free(tls->node);
    free(tls);
}

enum kz_code kz_tls_reload(struct kz_tls *tls, struct kz_err *err)
{
    struct kz_tls_generation *fresh = NULL;
    enum kz_code code = load(tls, &fresh, err);
    if (code) return code;
    fresh->number = tls->current->number + 1;
    kz_tls_generation_release(tls->current);
    tls->current = fresh;
    return KZ_OK;
}

const struct kz_identity *kz_tls_identity(const struct kz_tls *tls) { return &tls->current->identity; }

void kz_tls_health(const struct kz_tls *tls, int64_t now_s, struct kz_tls_health *out)
{
    out->certificate_expires_s = tls->current->certificate_expires_s;
    out->crl_expires_s = tls->current->crl_expires_s;
    out->certificate_expired = now_s > out->certificate_expires_s;
    out->crl_expired = now_s > out->crl_expires_s;
    out->generation = tls->current->number;
}
