/* SPDX-License-Identifier: Apache-2.0 */
#include "client/tls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/oid.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crl.h>
#include <mbedtls/x509_crt.h>
#if MBEDTLS_VERSION_MAJOR >= 3
#include <psa/crypto.h>
#define FIELD(member) MBEDTLS_PRIVATE(member)
#else
#define FIELD(member) member
#endif

#include "client/tls_internal.h"
#include "node/base/buf.h"
#include "proto/wire.h"

#define OU_NODE "node"
#define OU_ISSUER_OF_NODES "nodes"
#define SAN_URI_TAG 0x86
#define FILE_MAX_BYTES (16 << 20) /* a revocation list may be long */
#define FILE_MAX_TEXT "16 MiB"

struct kz_tls {
    struct kz_tls_identity *identity;
    mbedtls_ssl_context ssl;
    int fd;
    bool established;
    struct kz_san node;
    char wanted[KZ_NAME_MAX_BYTES + 1]; /* "": any node of the cluster */
    bool nodes_issuer;                  /* the leaf's issuer issues nodes */
    bool stranger;                      /* the chain does not end in our CA */
    enum kz_text_id refused;            /* why the certificate was not accepted; 0: it was */
    struct kz_tls_failure failure;
};

static const int suites[] = {
#if MBEDTLS_VERSION_MAJOR >= 3
    MBEDTLS_TLS1_3_AES_256_GCM_SHA384,
    MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
#endif
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    0,
};

static const char *protocols[] = {KZ_ALPN_CLIENT, NULL};

/* ---- what a certificate says ---- */

bool kz_tls_read_name(const mbedtls_x509_crt *certificate, struct kz_san *name)
{
    const mbedtls_x509_buf *uri = NULL;
    for (const mbedtls_x509_sequence *item = &certificate->subject_alt_names; item; item = item->next) {
        if (item->buf.tag != SAN_URI_TAG) continue;
        if (uri) return false;
        uri = &item->buf;
    }
    return uri && kz_san_parse(uri->p, uri->len, name);
}

bool kz_tls_has_unit(const mbedtls_x509_crt *certificate, const char *unit)
{
    size_t length = strlen(unit), units = 0;
    bool found = false;
    for (const mbedtls_x509_name *part = &certificate->subject; part; part = part->next) {
        if (!part->oid.p || MBEDTLS_OID_CMP(MBEDTLS_OID_AT_ORG_UNIT, &part->oid) != 0) continue;
        units++;
        found = found || (part->val.len == length && memcmp(part->val.p, unit, length) == 0);
    }
    return found && units == 1;
}

/* mbedtls_x509_crt_verify does not look at the extended key usage, and an absent one would pass its helper. */
static bool is_for_servers(const mbedtls_x509_crt *certificate)
{
    for (const mbedtls_x509_sequence *usage = &certificate->ext_key_usage; usage; usage = usage->next)
        if (usage->buf.p && MBEDTLS_OID_CMP(MBEDTLS_OID_SERVER_AUTH, &usage->buf) == 0) return true;
    return false;
}

static bool has_revocation_list(const struct kz_tls_identity *identity, const mbedtls_x509_crt *certificate)
{
    if (!identity->has_crl) return true;
    for (const mbedtls_x509_crl *crl = &identity->crl; crl; crl = crl->next)
        if (crl->issuer_raw.len == certificate->issuer_raw.len && crl->issuer_raw.p &&
            memcmp(crl->issuer_raw.p, certificate->issuer_raw.p, crl->issuer_raw.len) == 0)
            return true;
    return false;
}

static enum kz_text_id check_node(struct kz_tls *tls, const mbedtls_x509_crt *certificate)
{
    if (!kz_tls_read_name(certificate, &tls->node) || !tls->node.is_node) return KZ_T_REASON_CERT_NAME;
    if (!kz_san_same_cluster(&tls->node, &tls->identity->own)) return KZ_T_REASON_CERT_CLUSTER;
    /* The intermediate decides what a certificate can be: who may issue for people must not be able to make a node. */
    if (!tls->nodes_issuer) return KZ_T_REASON_CERT_ISSUER;
    if (!kz_tls_has_unit(certificate, OU_NODE)) return KZ_T_REASON_CERT_ROLE;
    if (!is_for_servers(certificate)) return KZ_T_REASON_CERT_USAGE;
    if (tls->wanted[0] && strcmp(tls->wanted, tls->node.name) != 0) return KZ_T_REASON_CERT_OTHER_NODE;
    return KZ_T_EMPTY;
}

static bool is_root(const mbedtls_x509_crt *certificate)
{
    return certificate->raw.p && certificate->subject_raw.len == certificate->issuer_raw.len &&
           memcmp(certificate->subject_raw.p, certificate->issuer_raw.p, certificate->issuer_raw.len) == 0;
}

/* An expired CRL would make the library refuse every certificate, and an isolated site could not be read. */
static int verify(void *data, mbedtls_x509_crt *certificate, int depth, uint32_t *flags)
{
    struct kz_tls *tls = data;
    *flags &= ~(uint32_t)(MBEDTLS_X509_BADCRL_EXPIRED | MBEDTLS_X509_BADCRL_FUTURE);
    enum kz_text_id refused = KZ_T_EMPTY;
    /* Called from the top of the chain down. Of an issuer we do not know no list can be expected: "not signed by our
     * CA" is the better answer. */
    if (*flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED) tls->stranger = true;
    if (!tls->stranger && !is_root(certificate) && !has_revocation_list(tls->identity, certificate))
        refused = KZ_T_REASON_CERT_NO_CRL;
    /* Our intermediates end the chain. One that needs the root above it is not in our CA file, whatever its OU says. */
    if (!tls->stranger && refused == KZ_T_EMPTY && depth > 1) refused = KZ_T_REASON_CERT_ISSUER;
    if (depth == 1) tls->nodes_issuer = kz_tls_has_unit(certificate, OU_ISSUER_OF_NODES);
    if (depth == 0 && *flags == 0 && !tls->stranger && refused == KZ_T_EMPTY) refused = check_node(tls, certificate);
    if (refused == KZ_T_EMPTY) return 0;
    if (tls->refused == KZ_T_EMPTY) tls->refused = refused;
    *flags |= MBEDTLS_X509_BADCERT_OTHER;
    return 0;
}

/* ---- our own files ---- */

/* What is said about each kind of file. */
struct file_texts {
    enum kz_text_id what, hint;
    const char *name; /* for the library's own text */
};
static const struct file_texts certificate_texts = {KZ_T_CERT_UNUSABLE, KZ_T_CERT_FIX, "certificate"},
                               key_texts = {KZ_T_KEY_UNUSABLE, KZ_T_KEY_FIX, "key"},
                               ca_texts = {KZ_T_CA_UNUSABLE, KZ_T_CA_FIX, "CA"},
                               crl_texts = {KZ_T_CRL_UNUSABLE, KZ_T_CRL_FIX, "CRL"};

struct loading {
    struct kz_failure *failure;
    struct kz_err *err;
};

static enum kz_code fail_file(const struct loading *loading, const struct file_texts *texts, const char *path,
                              enum kz_text_id why, const char *detail)
{
    struct kz_failure *failure = loading->failure;
    *failure = (struct kz_failure){.what = texts->what, .why = why, .hint = texts->hint};
    snprintf(failure->subject, sizeof failure->subject, "%s", path);
    snprintf(failure->detail, sizeof failure->detail, "%s", detail);
    return kz_fail(loading->err, KZ_TLS, "%s %s: %s", texts->name, path, *detail ? detail : kz_text(why, false));
}

/* The library asks for as much memory as seeking to the end tells, which for a folder is all there is. */
static enum kz_code check_file(const struct loading *loading, const struct file_texts *texts, const char *path)
{
    struct stat info;
    FILE *file = stat(path, &info) == 0 ? fopen(path, "r") : NULL;
    if (!file) return fail_file(loading, texts, path, kz_text_of_errno(errno), strerror(errno));
    fclose(file);
    if (S_ISDIR(info.st_mode)) return fail_file(loading, texts, path, KZ_T_IS_A_FOLDER, "");
    if (!S_ISREG(info.st_mode) || info.st_size > FILE_MAX_BYTES)
        return fail_file(loading, texts, path, KZ_T_NOT_A_PLAIN_FILE, FILE_MAX_TEXT);
    return KZ_OK;
}

static enum kz_code fail_parse(const struct loading *loading, const struct file_texts *texts, const char *path,
                               int result)
{
    char text[128];
    mbedtls_strerror(result, text, sizeof text);
    return fail_file(loading, texts, path, KZ_T_NOT_PEM, text);
}

static int parse_key(struct kz_tls_identity *identity, const char *path)
{
#if MBEDTLS_VERSION_MAJOR >= 3
    return mbedtls_pk_parse_keyfile(&identity->key, path, NULL, mbedtls_ctr_drbg_random, &identity->random);
#else
    return mbedtls_pk_parse_keyfile(&identity->key, path, NULL);
#endif
}

static int check_pair(struct kz_tls_identity *identity)
{
#if MBEDTLS_VERSION_MAJOR >= 3
    return mbedtls_pk_check_pair(&identity->certificate.pk, &identity->key, mbedtls_ctr_drbg_random, &identity->random);
#else
    return mbedtls_pk_check_pair(&identity->certificate.pk, &identity->key);
#endif
}

static bool holds_issuer_of_nodes(const mbedtls_x509_crt *ca)
{
    for (; ca && ca->raw.p; ca = ca->next)
        if (kz_tls_has_unit(ca, OU_ISSUER_OF_NODES)) return true;
    return false;
}

enum kz_code kz_tls_load_trust(const char *ca, const char *crl, mbedtls_x509_crt *out, mbedtls_x509_crl *out_crl,
                               struct kz_failure *failure, struct kz_err *err)
{
    const struct loading loading = {failure, err};
    enum kz_code code = check_file(&loading, &ca_texts, ca);
    if (!code && crl) code = check_file(&loading, &crl_texts, crl);
    if (code) return code;
#if MBEDTLS_VERSION_MAJOR >= 3
    if (psa_crypto_init() != PSA_SUCCESS) return kz_fail(err, KZ_TLS, "the TLS library could not be started");
#endif
    int result = mbedtls_x509_crt_parse_file(out, ca);
    if (result) return fail_parse(&loading, &ca_texts, ca, result);
    if (crl && (result = mbedtls_x509_crl_parse_file(out_crl, crl)))
        return fail_parse(&loading, &crl_texts, crl, result);
    return KZ_OK;
}

static enum kz_code load_files(struct kz_tls_identity *identity, const struct kz_tls_files *files,
                               const struct loading *loading)
{
    enum kz_code code = check_file(loading, &certificate_texts, files->certificate);
    if (!code) code = check_file(loading, &key_texts, files->key);
    if (!code)
        code = kz_tls_load_trust(files->ca, files->crl, &identity->ca, &identity->crl, loading->failure, loading->err);
    if (code) return code;
    int result = mbedtls_x509_crt_parse_file(&identity->certificate, files->certificate);
    if (result) return fail_parse(loading, &certificate_texts, files->certificate, result);
    if ((result = parse_key(identity, files->key))) return fail_parse(loading, &key_texts, files->key, result);
    identity->has_crl = files->crl != NULL;
    if (!kz_tls_read_name(&identity->certificate, &identity->own) || identity->own.is_node)
        return fail_file(loading, &certificate_texts, files->certificate, KZ_T_NOT_A_USER, "");
    if (check_pair(identity)) return fail_file(loading, &key_texts, files->key, KZ_T_KEY_OF_OTHER, files->certificate);
    if (!holds_issuer_of_nodes(&identity->ca)) return fail_file(loading, &ca_texts, files->ca, KZ_T_CA_LACKS_NODES, "");
    return KZ_OK;
}

static void set_policy(mbedtls_ssl_config *config)
{
#if MBEDTLS_VERSION_MAJOR >= 3
    static const uint16_t groups[] = {MBEDTLS_SSL_IANA_TLS_GROUP_X25519, MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1,
                                      MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1, 0};
    static const uint16_t signatures[] = {MBEDTLS_TLS1_3_SIG_ECDSA_SECP384R1_SHA384,
                                          MBEDTLS_TLS1_3_SIG_ECDSA_SECP256R1_SHA256, MBEDTLS_TLS1_3_SIG_NONE};
    mbedtls_ssl_conf_groups(config, groups);
    mbedtls_ssl_conf_sig_algs(config, signatures);
    mbedtls_ssl_conf_min_tls_version(config, MBEDTLS_SSL_VERSION_TLS1_2);
#else
    static const mbedtls_ecp_group_id curves[] = {MBEDTLS_ECP_DP_CURVE25519, MBEDTLS_ECP_DP_SECP256R1,
                                                  MBEDTLS_ECP_DP_SECP384R1, MBEDTLS_ECP_DP_NONE};
    static const int hashes[] = {MBEDTLS_MD_SHA384, MBEDTLS_MD_SHA256, MBEDTLS_MD_NONE};
    mbedtls_ssl_conf_curves(config, curves);
    mbedtls_ssl_conf_sig_hashes(config, hashes);
    mbedtls_ssl_conf_min_version(config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
#endif
    mbedtls_ssl_conf_authmode(config, MBEDTLS_SSL_VERIFY_REQUIRED);
    mbedtls_ssl_conf_ciphersuites(config, suites);
    mbedtls_ssl_conf_cert_profile(config, &mbedtls_x509_crt_profile_next);
#ifdef MBEDTLS_SSL_SESSION_TICKETS
    mbedtls_ssl_conf_session_tickets(config, MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
#endif
#ifdef MBEDTLS_SSL_RENEGOTIATION
    mbedtls_ssl_conf_renegotiation(config, MBEDTLS_SSL_RENEGOTIATION_DISABLED);
#endif
#ifdef MBEDTLS_SSL_EXTENDED_MASTER_SECRET
    mbedtls_ssl_conf_extended_master_secret(config, MBEDTLS_SSL_EXTENDED_MS_ENABLED);
#endif
}

static enum kz_code set_up(struct kz_tls_identity *identity, struct kz_err *err)
{
    mbedtls_ssl_config *config = &identity->config;
    int result = mbedtls_ssl_config_defaults(config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                             MBEDTLS_SSL_PRESET_DEFAULT);
    if (result) return kz_fail(err, KZ_NO_MEMORY, "TLS set-up failed (-0x%04x)", (unsigned)-result);
    set_policy(config);
    mbedtls_ssl_conf_rng(config, mbedtls_ctr_drbg_random, &identity->random);
    mbedtls_ssl_conf_ca_chain(config, &identity->ca, identity->has_crl ? &identity->crl : NULL);
    if (mbedtls_ssl_conf_own_cert(config, &identity->certificate, &identity->key) ||
        mbedtls_ssl_conf_alpn_protocols(config, protocols))
        return kz_fail(err, KZ_NO_MEMORY, "TLS set-up ran out of memory");
    return KZ_OK;
}

enum kz_code kz_tls_identity_open(const struct kz_tls_files *files, struct kz_tls_identity **out,
                                  struct kz_failure *failure, struct kz_err *err)
{
    struct kz_tls_identity *identity = calloc(1, sizeof *identity);
    if (!identity) return kz_fail(err, KZ_NO_MEMORY, "out of memory");
    mbedtls_entropy_init(&identity->entropy);
    mbedtls_ctr_drbg_init(&identity->random);
    mbedtls_x509_crt_init(&identity->certificate);
    mbedtls_x509_crt_init(&identity->ca);
    mbedtls_x509_crl_init(&identity->crl);
    mbedtls_pk_init(&identity->key);
    mbedtls_ssl_config_init(&identity->config);
    enum kz_code code = KZ_OK;
#if MBEDTLS_VERSION_MAJOR >= 3
    if (psa_crypto_init() != PSA_SUCCESS) code = kz_fail(err, KZ_TLS, "the TLS library could not be started");
#endif
    if (!code && mbedtls_ctr_drbg_seed(&identity->random, mbedtls_entropy_func, &identity->entropy, NULL, 0))
        code = kz_fail(err, KZ_TLS, "no randomness from the system");
    if (!code) code = load_files(identity, files, &(struct loading){failure, err});
    if (!code) code = set_up(identity, err);
    if (code) {
        kz_tls_identity_free(identity);
        return code;
    }
    *out = identity;
    return KZ_OK;
}

void kz_tls_identity_free(struct kz_tls_identity *identity)
{
    if (!identity) return;
    mbedtls_ssl_config_free(&identity->config);
    mbedtls_pk_free(&identity->key);
    mbedtls_x509_crl_free(&identity->crl);
    mbedtls_x509_crt_free(&identity->ca);
    mbedtls_x509_crt_free(&identity->certificate);
    mbedtls_ctr_drbg_free(&identity->random);
    mbedtls_entropy_free(&identity->entropy);
    free(identity);
}

const char *kz_tls_user(const struct kz_tls_identity *identity) { return identity->own.name; }
const char *kz_tls_cluster(const struct kz_tls_identity *identity) { return identity->own.cluster; }

void kz_tls_anchor(const struct kz_tls_identity *identity, char out[KZ_TLS_ANCHOR_BYTES])
{
    unsigned char hash[MBEDTLS_MD_MAX_SIZE];
    const mbedtls_x509_crt *root = &identity->ca;
    while (root && !is_root(root))
        root = root->next;
    out[0] = '\0';
    if (!root || mbedtls_md(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), root->pk_raw.p, root->pk_raw.len, hash))
        return;
    kz_hex_write(hash, (KZ_TLS_ANCHOR_BYTES - 1) / 2, out);
}

/* ---- one connection ---- */

static int send_bytes(void *data, const unsigned char *bytes, size_t size)
{
    const struct kz_tls *tls = data;
    ssize_t sent = send(tls->fd, bytes, size, MSG_NOSIGNAL);
    if (sent >= 0) return (int)sent;
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return MBEDTLS_ERR_SSL_WANT_WRITE;
    return errno == EPIPE || errno == ECONNRESET ? MBEDTLS_ERR_NET_CONN_RESET : MBEDTLS_ERR_NET_SEND_FAILED;
}

static int receive_bytes(void *data, unsigned char *bytes, size_t size)
{
    const struct kz_tls *tls = data;
    ssize_t received = recv(tls->fd, bytes, size, 0);
    if (received >= 0) return (int)received;
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return MBEDTLS_ERR_SSL_WANT_READ;
    return errno == ECONNRESET ? MBEDTLS_ERR_NET_CONN_RESET : MBEDTLS_ERR_NET_RECV_FAILED;
}

struct kz_tls *kz_tls_new(struct kz_tls_identity *identity, int fd, const char *node)
{
    struct kz_tls *tls = calloc(1, sizeof *tls);
    if (!tls) return NULL;
    tls->identity = identity;
    snprintf(tls->wanted, sizeof tls->wanted, "%s", node);
    tls->fd = fd;
    mbedtls_ssl_init(&tls->ssl);
    /* The host name is deliberately not compared: the pinned name is the URI, checked in verify(). Newer libraries
     * refuse to go on unless this is said. */
    if (mbedtls_ssl_setup(&tls->ssl, &identity->config) || mbedtls_ssl_set_hostname(&tls->ssl, NULL)) {
        kz_tls_free(tls);
        return NULL;
    }
    mbedtls_ssl_set_verify(&tls->ssl, verify, tls);
    mbedtls_ssl_set_bio(&tls->ssl, tls, send_bytes, receive_bytes, NULL);
    return tls;
}

void kz_tls_free(struct kz_tls *tls)
{
    if (!tls) return;
    if (tls->established) (void)mbedtls_ssl_close_notify(&tls->ssl); /* a courtesy: the socket closes anyway */
    mbedtls_ssl_free(&tls->ssl);
    free(tls);
}

static enum kz_text_id explain_flags(uint32_t flags)
{
    if (flags & MBEDTLS_X509_BADCERT_REVOKED) return KZ_T_REASON_CERT_REVOKED;
    if (flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED) return KZ_T_REASON_CERT_UNTRUSTED;
    if (flags & MBEDTLS_X509_BADCERT_EXPIRED) return KZ_T_REASON_CERT_EXPIRED;
    if (flags & MBEDTLS_X509_BADCERT_FUTURE) return KZ_T_REASON_CERT_FUTURE;
    if (flags & (MBEDTLS_X509_BADCERT_BAD_MD | MBEDTLS_X509_BADCERT_BAD_PK | MBEDTLS_X509_BADCERT_BAD_KEY))
        return KZ_T_REASON_CERT_WEAK;
    if (flags & (MBEDTLS_X509_BADCERT_EXT_KEY_USAGE | MBEDTLS_X509_BADCERT_KEY_USAGE)) return KZ_T_REASON_CERT_USAGE;
    return KZ_T_REASON_CERT_UNTRUSTED;
}

static enum kz_text_id explain_alert(unsigned char alert)
{
    switch (alert) {
    case MBEDTLS_SSL_ALERT_MSG_CERT_REVOKED:
        return KZ_T_REASON_OURS_REVOKED;
    case MBEDTLS_SSL_ALERT_MSG_CERT_EXPIRED:
        return KZ_T_REASON_OURS_EXPIRED;
    case MBEDTLS_SSL_ALERT_MSG_UNKNOWN_CA:
        return KZ_T_REASON_OURS_UNKNOWN_CA;
    case MBEDTLS_SSL_ALERT_MSG_BAD_CERT:
    case MBEDTLS_SSL_ALERT_MSG_NO_CERT:
    case MBEDTLS_SSL_ALERT_MSG_UNSUPPORTED_CERT:
    case MBEDTLS_SSL_ALERT_MSG_CERT_UNKNOWN:
    case MBEDTLS_SSL_ALERT_MSG_ACCESS_DENIED:
        return KZ_T_REASON_OURS_REFUSED;
    case MBEDTLS_SSL_ALERT_MSG_NO_APPLICATION_PROTOCOL:
        return KZ_T_REASON_ALPN;
    case MBEDTLS_SSL_ALERT_MSG_PROTOCOL_VERSION:
    case MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE:
        return KZ_T_REASON_PROTOCOL;
    default:
        return KZ_T_REASON_OTHER;
    }
}

static enum kz_tls_step fail_step(struct kz_tls *tls, enum kz_layer layer, enum kz_text_id reason, int result)
{
    tls->failure.layer = layer;
    tls->failure.reason = reason;
    tls->failure.detail[0] = '\0';
    if (reason == KZ_T_REASON_OTHER) mbedtls_strerror(result, tls->failure.detail, sizeof tls->failure.detail);
    if (reason == KZ_T_REASON_CERT_OTHER_NODE)
        snprintf(tls->failure.detail, sizeof tls->failure.detail, "%s", tls->node.name);
    return reason == KZ_T_REASON_CLOSED ? KZ_TLS_CLOSED : KZ_TLS_FAILED;
}

static enum kz_tls_step explain(struct kz_tls *tls, int result)
{
    switch (result) {
    case MBEDTLS_ERR_SSL_WANT_READ:
        return KZ_TLS_WANT_READ;
    case MBEDTLS_ERR_SSL_WANT_WRITE:
        return KZ_TLS_WANT_WRITE;
    case 0:
    case MBEDTLS_ERR_SSL_CONN_EOF:
    case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
        return fail_step(tls, KZ_LAYER_TLS, KZ_T_REASON_CLOSED, result);
    case MBEDTLS_ERR_NET_CONN_RESET:
        return fail_step(tls, KZ_LAYER_TLS, KZ_T_REASON_RESET, result);
    default:
        break;
    }
    /* Ours before theirs: after our refusal the library reports whatever came first on the wire. */
    if (tls->refused != KZ_T_EMPTY) return fail_step(tls, KZ_LAYER_CERTIFICATE, tls->refused, result);
    if (result == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED)
        return fail_step(tls, KZ_LAYER_CERTIFICATE, explain_flags(mbedtls_ssl_get_verify_result(&tls->ssl)), result);
    if (result == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE && tls->ssl.FIELD(in_msg)) {
        enum kz_text_id reason = explain_alert(tls->ssl.FIELD(in_msg)[1]);
        bool ours = reason >= KZ_T_REASON_OURS_REVOKED && reason <= KZ_T_REASON_OURS_REFUSED;
        /* TLS has no alert for it. */
        if (reason == KZ_T_REASON_OURS_REFUSED && mbedtls_x509_time_is_future(&tls->identity->certificate.valid_from))
            reason = KZ_T_REASON_OURS_FUTURE;
        return fail_step(tls, ours ? KZ_LAYER_AUTHORISATION : KZ_LAYER_TLS, reason, result);
    }
    return fail_step(tls, KZ_LAYER_TLS, KZ_T_REASON_OTHER, result);
}

enum kz_tls_step kz_tls_handshake(struct kz_tls *tls)
{
    int result = mbedtls_ssl_handshake(&tls->ssl);
    if (result) return explain(tls, result);
    const char *protocol = mbedtls_ssl_get_alpn_protocol(&tls->ssl);
    if (!protocol || strcmp(protocol, KZ_ALPN_CLIENT) != 0) return fail_step(tls, KZ_LAYER_TLS, KZ_T_REASON_ALPN, 0);
    /* The verify callback must have run: nothing is trusted by default. */
    if (mbedtls_ssl_get_verify_result(&tls->ssl) != 0 || !tls->node.is_node)
        return fail_step(tls, KZ_LAYER_CERTIFICATE, KZ_T_REASON_CERT_UNTRUSTED, 0);
    tls->established = true;
    return KZ_TLS_DONE;
}

enum kz_tls_step kz_tls_read(struct kz_tls *tls, void *bytes, size_t size_bytes, size_t *done)
{
    int result = mbedtls_ssl_read(&tls->ssl, bytes, size_bytes);
#ifdef MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET
    if (result == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET) return KZ_TLS_WANT_READ;
#endif
    if (result <= 0) return explain(tls, result);
    *done = (size_t)result;
    return KZ_TLS_DONE;
}

enum kz_tls_step kz_tls_write(struct kz_tls *tls, const void *bytes, size_t size_bytes, size_t *done)
{
    int result = mbedtls_ssl_write(&tls->ssl, bytes, size_bytes);
    if (result < 0) return explain(tls, result);
    *done = (size_t)result;
    return KZ_TLS_DONE;
}

const struct kz_tls_failure *kz_tls_why(const struct kz_tls *tls) { return &tls->failure; }
const char *kz_tls_node(const struct kz_tls *tls) { return tls->node.name; }
