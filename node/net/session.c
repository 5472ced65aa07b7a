/* SPDX-License-Identifier: Apache-2.0 */
#include "node/net/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/net/tls_context.h"
#include "proto/wire.h"

struct kz_session {
    struct kz_tls *tls;                   /* borrowed; loop thread only */
    struct kz_tls_generation *generation; /* a reference */
    const char *cluster;                  /* borrowed from tls, never changes */
    bool server;
    char expected_node[KZ_IDENTITY_TEXT_BYTES]; /* "" on the accepting side */
    mbedtls_ssl_context ssl;
    const uint8_t *input;
    size_t input_bytes;
    struct kz_buf output;

    enum kz_tls_unit unit; /* of the peer's issuer */
    struct kz_identity peer;
    bool peer_checked;
    uint8_t serial[KZ_TLS_SERIAL_MAX_BYTES];
    size_t serial_bytes;
    uint64_t checked_generation;
    bool record_read; /* the peer has said something since the handshake */
    struct kz_stream_end failure;
};

static int receive(void *data, unsigned char *out, size_t room_bytes)
{
    struct kz_session *session = data;
    if (session->input_bytes == 0) return MBEDTLS_ERR_SSL_WANT_READ;
    size_t n = room_bytes < session->input_bytes ? room_bytes : session->input_bytes;
    memcpy(out, session->input, n);
    session->input += n;
    session->input_bytes -= n;
    return (int)n;
}

static int send_out(void *data, const unsigned char *bytes, size_t size_bytes)
{
    struct kz_session *session = data;
    kz_buf_add(&session->output, bytes, size_bytes);
    if (session->output.failed) (void)kz_mbed_check_memory(MBEDTLS_ERR_SSL_ALLOC_FAILED);
    return (int)size_bytes;
}

/* The first refusal stands. */
static void refuse(struct kz_session *session, enum kz_code code, const char *text)
{
    if (session->failure.code) return;
    session->failure.layer = KZ_LAYER_CERT;
    session->failure.code = code;
    snprintf(session->failure.text, sizeof session->failure.text, "%.255s", text);
}

/* A person may not come in as a node, nor a node as a person, whatever the name in the certificate says: the
 * intermediate that issued it decides what it can be. */
static bool check_role_of_issuer(struct kz_session *session, const struct kz_identity *peer)
{
    bool node = peer->kind == KZ_IDENTITY_NODE;
    if (session->unit != (node ? KZ_TLS_UNIT_NODES : KZ_TLS_UNIT_USERS)) {
        refuse(session, KZ_TLS,
               node ? "a node's certificate must be issued by the intermediate for nodes"
                    : "a user's certificate must be issued by the intermediate for users");
        return false;
    }
    bool peer_alpn = kz_session_alpn(session) == KZ_ALPN_FOR_PEER;
    if (session->server && node != peer_alpn) {
        refuse(session, KZ_TLS,
               node ? "a node's certificate cannot be used as a client"
                    : "a user's certificate cannot be used between nodes");
        return false;
    }
    if (!session->server && !node) {
        refuse(session, KZ_TLS, "the other end shows a user's certificate, not a node's");
        return false;
    }
    return true;
}

static bool check_leaf(struct kz_session *session, const mbedtls_x509_crt *leaf)
{
    struct kz_err err = {0};
    struct kz_identity peer;
    enum kz_code code = kz_tls_read_identity(leaf, session->cluster, &peer, &err);
    if (code) {
        refuse(session, code, err.text);
        return false;
    }
    if (!check_role_of_issuer(session, &peer)) return false;
    char text[sizeof session->failure.text];
    /* RFC 5280 4.2.1.12; mbedTLS takes a certificate without the extension for good for everything. */
    if (!kz_mbed_has_usage(leaf, !session->server)) {
        snprintf(text, sizeof text, "the certificate of '%s' is not for %s authentication (extended key usage)",
                 peer.name, session->server ? "client" : "server");
        refuse(session, KZ_TLS, text);
        return false;
    }
    if (!session->server && strcmp(peer.name, session->expected_node) != 0) {
        snprintf(text, sizeof text, "the other end is node '%s', not '%s'", peer.name, session->expected_node);
        refuse(session, KZ_TLS, text);
        return false;
    }
    if (leaf->serial.len > sizeof session->serial) {
        refuse(session, KZ_TLS, "the certificate's serial number is too long");
        return false;
    }
    memcpy(session->serial, leaf->serial.p, leaf->serial.len);
    session->serial_bytes = leaf->serial.len;
    session->peer = peer;
    session->peer_checked = true;
    return true;
}

/* mbedTLS calls this for every certificate of the chain it built, from the trust anchor down to the leaf. */
static int check_peer(void *data, mbedtls_x509_crt *certificate, int depth, uint32_t *flags)
{
    struct kz_session *session = data;
    if (*flags) {
        char why[128], text[sizeof session->failure.text];
        kz_tls_describe_flags(*flags, why, sizeof why);
        snprintf(text, sizeof text, "the certificate %s is not accepted: %s",
                 depth == 0 ? "of the other end" : "of its issuer", why);
        refuse(session, KZ_TLS, text);
        return 0;
    }
    if (depth > 1) {
        /* Our intermediates are the anchors: anything between them and a leaf was made by a stolen leaf-issuing key
         * to change its own unit. */
        refuse(session, KZ_TLS, "its certificate was issued by an authority below our intermediates");
        *flags |= MBEDTLS_X509_BADCERT_OTHER;
        return 0;
    }
    if (depth == 1) session->unit = kz_tls_unit(certificate);
    if (depth != 0 || session->failure.code) return 0; /* refused above: its flags stand */
    /* Which flag decides the alert, and so what the other end can tell its user. */
    if (kz_tls_generation_revoked(session->generation, certificate)) {
        refuse(session, KZ_TLS, "the certificate of the other end has been revoked");
        *flags |= MBEDTLS_X509_BADCERT_REVOKED;
    } else if (!check_leaf(session, certificate)) {
        *flags |= MBEDTLS_X509_BADCERT_OTHER;
    }
    return 0;
}

struct kz_session *kz_session_new(struct kz_tls *tls, bool server, enum kz_alpn alpn, const char *expected_node)
{
    kz_assert(server || expected_node);
    struct kz_session *session = calloc(1, sizeof *session);
    if (!session) return NULL;
    session->tls = tls;
    session->generation = kz_tls_generation_take(tls);
    session->checked_generation = session->generation->number;
    session->cluster = kz_tls_cluster(tls);
    session->server = server;
    if (!server) snprintf(session->expected_node, sizeof session->expected_node, "%s", expected_node);
    kz_buf_init(&session->output, 0);
    mbedtls_ssl_init(&session->ssl);
    const mbedtls_ssl_config *conf = server                     ? &session->generation->server
                                     : alpn == KZ_ALPN_FOR_PEER ? &session->generation->peer
                                                                : &session->generation->client;
    int code = kz_mbed_check_memory(mbedtls_ssl_setup(&session->ssl, conf));
    kz_assert(code == 0);
    if (!server) {
        /* No host name: identity is the URI, compared in check_leaf. Said out loud because later 2.28 and 3.6
         * refuse a handshake for which nothing was said. */
        code = kz_mbed_check_memory(mbedtls_ssl_set_hostname(&session->ssl, NULL));
        kz_assert(code == 0);
    }
    mbedtls_ssl_set_verify(&session->ssl, check_peer, session);
    mbedtls_ssl_set_bio(&session->ssl, session, send_out, receive, NULL);
    return session;
}

void kz_session_free(struct kz_session *session)
{
    if (!session) return;
    mbedtls_ssl_free(&session->ssl);
    kz_buf_fini(&session->output);
    kz_tls_generation_release(session->generation);
    free(session);
}

void kz_session_set_input(struct kz_session *session, const uint8_t *bytes, size_t size_bytes)
{
    session->input = bytes;
    session->input_bytes = size_bytes;
}
size_t kz_session_input_left(const struct kz_session *session) { return session->input_bytes; }
struct kz_buf *kz_session_output(struct kz_session *session) { return &session->output; }

static const char *describe_alert(int alert, bool *about_certificate)
{
    static const struct {
        int alert;
        bool about_certificate;
        const char *text;
    } rows[] = {
        /* RFC 8446 6.2 */
        {40, false, "no TLS parameters in common"},
        {42, true, "it was not accepted"},
        {43, true, "it is of an unsupported kind"},
        {44, true, "it has been revoked"},
        {45, true, "it has expired"},
        {46, true, "it was not accepted"},
        {48, true, "it was not issued by an authority known there"},
        {49, true, "its name, role, cluster or use is not allowed there"},
        {70, false, "no TLS version in common"},
        {116, true, "it was not shown"},
        {120, false, "no protocol in common: is that a keizoku node?"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].alert != alert) continue;
        *about_certificate = rows[i].about_certificate;
        return rows[i].text;
    }
    *about_certificate = false;
    return NULL;
}

static enum kz_session_result fail(struct kz_session *session, int code)
{
    if (session->failure.code) return KZ_SESSION_FAILED;
    struct kz_stream_end *end = &session->failure;
    char text[KZ_MBED_TEXT_BYTES];
    end->layer = KZ_LAYER_TLS;
    end->code = KZ_TLS;
    if (code == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE) {
        bool about_certificate;
        int alert = kz_mbed_alert(&session->ssl);
        const char *why = describe_alert(alert, &about_certificate);
        if (about_certificate) end->layer = KZ_LAYER_CERT;
        if (why)
            snprintf(end->text, sizeof end->text, "the other end refused %s: %s",
                     about_certificate ? "our certificate" : "the connection", why);
        else
            snprintf(end->text, sizeof end->text, "the other end refused the connection (TLS alert %d)", alert);
    } else if (code == MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE) {
        end->layer = KZ_LAYER_CERT;
        snprintf(end->text, sizeof end->text, "the other end shows no certificate");
    } else if (!session->server && session->peer_checked && !session->record_read &&
               kz_mbed_is_late_refusal(&session->ssl, code)) {
        end->layer = KZ_LAYER_CERT;
        snprintf(end->text, sizeof end->text,
                 "the other end gave the connection up right after the handshake: it seems to refuse our certificate, "
                 "its log says why");
    } else {
        snprintf(end->text, sizeof end->text, "%s", kz_mbed_text(code, text));
    }
    return KZ_SESSION_FAILED;
}

enum kz_session_result kz_session_handshake(struct kz_session *session)
{
    int code = kz_mbed_check_memory(mbedtls_ssl_handshake(&session->ssl));
    if (code == MBEDTLS_ERR_SSL_WANT_READ || code == MBEDTLS_ERR_SSL_WANT_WRITE) return KZ_SESSION_WANT;
    if (code) return fail(session, code);
    if (kz_session_alpn(session) == KZ_ALPN_NONE_AGREED) {
        refuse(session, KZ_TLS, "the other end does not offer a keizoku protocol (ALPN)");
        session->failure.layer = KZ_LAYER_TLS;
        return KZ_SESSION_FAILED;
    }
    /* Nothing above may let a peer through that check_leaf has not seen and accepted. */
    kz_assert(session->peer_checked && mbedtls_ssl_get_verify_result(&session->ssl) == 0);
    return KZ_SESSION_DONE;
}

enum kz_session_result kz_session_read(struct kz_session *session, uint8_t *out, size_t room_bytes, size_t *got_bytes)
{
    *got_bytes = 0;
    int code;
    do {
        code = kz_mbed_check_memory(mbedtls_ssl_read(&session->ssl, out, room_bytes));
    } while (kz_mbed_is_ticket(code));
    if (code > 0) {
        session->record_read = true;
        *got_bytes = (size_t)code;
        return KZ_SESSION_DONE;
    }
    if (code == MBEDTLS_ERR_SSL_WANT_READ || code == MBEDTLS_ERR_SSL_WANT_WRITE) return KZ_SESSION_WANT;
    if (code == 0 || code == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) return KZ_SESSION_BYE;
    return fail(session, code);
}

enum kz_session_result kz_session_write(struct kz_session *session, const uint8_t *bytes, size_t size_bytes)
{
    while (size_bytes > 0) {
        int code = kz_mbed_check_memory(mbedtls_ssl_write(&session->ssl, bytes, size_bytes));
        if (code <= 0) return fail(session, code);
        bytes += code;
        size_bytes -= (size_t)code;
    }
    return KZ_SESSION_DONE;
}

void kz_session_goodbye(struct kz_session *session)
{
    (void)mbedtls_ssl_close_notify(&session->ssl); /* best effort: the connection ends either way */
}

const struct kz_identity *kz_session_peer(const struct kz_session *session) { return &session->peer; }

enum kz_alpn kz_session_alpn(const struct kz_session *session)
{
    const char *protocol = mbedtls_ssl_get_alpn_protocol(&session->ssl);
    if (!protocol) return KZ_ALPN_NONE_AGREED;
    if (strcmp(protocol, KZ_ALPN_CLIENT) == 0) return KZ_ALPN_FOR_CLIENT;
    if (strcmp(protocol, KZ_ALPN_PEER) == 0) return KZ_ALPN_FOR_PEER;
    return KZ_ALPN_NONE_AGREED;
}

bool kz_session_revoked(struct kz_session *session)
{
    uint64_t current = kz_tls_generation_number(session->tls);
    if (session->checked_generation == current) return false;
    session->checked_generation = current;
    return kz_tls_is_revoked(session->tls, session->unit, session->serial, session->serial_bytes);
}

const struct kz_stream_end *kz_session_failure(const struct kz_session *session) { return &session->failure; }
