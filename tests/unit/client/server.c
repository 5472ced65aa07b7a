/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/client/server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/oid.h>
#include <mbedtls/ssl.h>
#include <mbedtls/version.h>

#include "node/base/buf.h"
#include "proto/wire.h"

#define POLL_MS 20
#if MBEDTLS_VERSION_MAJOR >= 3
#define FIELD(member) MBEDTLS_PRIVATE(member)
#else
#define FIELD(member) member
#endif

struct server {
    int listener;
    int port;
    pthread_t thread;
    atomic_bool stop;
    char name[64];
    server_handler handler;
    void *data;
    unsigned requests;
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context random;
    mbedtls_x509_crt certificate, ca;
    mbedtls_pk_context key;
    mbedtls_ssl_config config;
};

static int send_some(void *data, const unsigned char *bytes, size_t size)
{
    ssize_t sent = send(*(int *)data, bytes, size, MSG_NOSIGNAL);
    return sent < 0 ? MBEDTLS_ERR_NET_SEND_FAILED : (int)sent;
}

/* Wakes up often enough to notice that the test is over. */
static int receive_some(void *data, unsigned char *bytes, size_t size)
{
    struct pollfd fd = {.fd = *(int *)data, .events = POLLIN};
    if (poll(&fd, 1, POLL_MS) <= 0) return MBEDTLS_ERR_SSL_WANT_READ;
    ssize_t received = recv(fd.fd, bytes, size, 0);
    return received < 0 ? MBEDTLS_ERR_NET_RECV_FAILED : (int)received;
}

static bool read_exactly(struct server *server, mbedtls_ssl_context *ssl, uint8_t *bytes, size_t size)
{
    while (size > 0) {
        int got = mbedtls_ssl_read(ssl, bytes, size);
        if (got == MBEDTLS_ERR_SSL_WANT_READ && !atomic_load(&server->stop)) continue;
        if (got <= 0) return false;
        bytes += got;
        size -= (size_t)got;
    }
    return true;
}

static bool send_response(mbedtls_ssl_context *ssl, uint32_t stream, const Kz__Response *response)
{
    size_t size = kz__response__get_packed_size(response), sent = 0;
    uint8_t *frame = malloc(KZ_FRAME_HEADER_BYTES + size);
    kz_put_u32(frame, (uint32_t)size);
    kz_put_u16(frame + 4, KZ_FRAME_RESPONSE);
    kz_put_u16(frame + 6, 0);
    kz_put_u32(frame + 8, stream);
    kz__response__pack(response, frame + KZ_FRAME_HEADER_BYTES);
    size += KZ_FRAME_HEADER_BYTES;
    while (sent < size) {
        int done = mbedtls_ssl_write(ssl, frame + sent, size - sent);
        if (done <= 0) break;
        sent += (size_t)done;
    }
    free(frame);
    return sent == size;
}

static bool serve_request(struct server *server, mbedtls_ssl_context *ssl)
{
    uint8_t header[KZ_FRAME_HEADER_BYTES];
    if (!read_exactly(server, ssl, header, sizeof header)) return false;
    uint32_t size = kz_get_u32(header);
    if (size > KZ_FRAME_MAX_BYTES) return false;
    uint8_t *payload = malloc(size + 1);
    bool more = read_exactly(server, ssl, payload, size);
    if (more && kz_get_u16(header + 4) == KZ_FRAME_REQUEST) {
        Kz__Request *request = kz__request__unpack(NULL, size, payload);
        Kz__Meta meta = KZ__META__INIT;
        meta.read = KZ__READ_MODE__LINEARIZABLE;
        meta.node = server->name;
        meta.quorum = true;
        Kz__Response response = KZ__RESPONSE__INIT;
        response.meta = &meta;
        enum server_act act = server->handler(server->data, server->requests++, request, &response);
        if (act != SERVER_CLOSE) more = send_response(ssl, kz_get_u32(header + 8), &response);
        more = more && act == SERVER_ANSWER;
        kz__request__free_unpacked(request, NULL);
    }
    free(payload);
    return more;
}

static void serve(struct server *server, int fd)
{
    mbedtls_ssl_context ssl;
    mbedtls_ssl_init(&ssl);
    int result = mbedtls_ssl_setup(&ssl, &server->config);
    mbedtls_ssl_set_bio(&ssl, &fd, send_some, receive_some, NULL);
    while (result == 0) {
        result = mbedtls_ssl_handshake(&ssl);
        if (result != MBEDTLS_ERR_SSL_WANT_READ || atomic_load(&server->stop)) break;
        result = 0;
    }
    while (result == 0 && serve_request(server, &ssl))
        ;
    mbedtls_ssl_free(&ssl);
    close(fd);
}

static void *run(void *data)
{
    struct server *server = data;
    while (!atomic_load(&server->stop)) {
        struct pollfd fd = {.fd = server->listener, .events = POLLIN};
        if (poll(&fd, 1, POLL_MS) <= 0) continue;
        int accepted = accept(server->listener, NULL, NULL);
        if (accepted >= 0) serve(server, accepted);
    }
    return NULL;
}

static void load(struct server *server, const char *folder)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s.pem", folder, server->name);
    assert_int_equal(mbedtls_x509_crt_parse_file(&server->certificate, path), 0);
    /* Who plays a node with somebody's certificate does not ask what it is for, as the library would. */
    server->certificate.FIELD(ext_types) &= ~MBEDTLS_X509_EXT_EXTENDED_KEY_USAGE;
    snprintf(path, sizeof path, "%s/%s.key", folder, server->name);
#if MBEDTLS_VERSION_MAJOR >= 3
    assert_int_equal(mbedtls_pk_parse_keyfile(&server->key, path, NULL, mbedtls_ctr_drbg_random, &server->random), 0);
#else
    assert_int_equal(mbedtls_pk_parse_keyfile(&server->key, path, NULL), 0);
#endif
    snprintf(path, sizeof path, "%s/ca.pem", folder);
    assert_int_equal(mbedtls_x509_crt_parse_file(&server->ca, path), 0);
}

struct server *server_start(const char *folder, const char *name, server_handler handler, void *data)
{
    static const char *protocols[] = {KZ_ALPN_CLIENT, NULL};
    struct server *server = calloc(1, sizeof *server);
    snprintf(server->name, sizeof server->name, "%s", name);
    server->handler = handler;
    server->data = data;
    mbedtls_entropy_init(&server->entropy);
    mbedtls_ctr_drbg_init(&server->random);
    mbedtls_x509_crt_init(&server->certificate);
    mbedtls_x509_crt_init(&server->ca);
    mbedtls_pk_init(&server->key);
    mbedtls_ssl_config_init(&server->config);
    assert_int_equal(mbedtls_ctr_drbg_seed(&server->random, mbedtls_entropy_func, &server->entropy, NULL, 0), 0);
    load(server, folder);
    assert_int_equal(mbedtls_ssl_config_defaults(&server->config, MBEDTLS_SSL_IS_SERVER, MBEDTLS_SSL_TRANSPORT_STREAM,
                                                 MBEDTLS_SSL_PRESET_DEFAULT),
                     0);
    mbedtls_ssl_conf_rng(&server->config, mbedtls_ctr_drbg_random, &server->random);
    mbedtls_ssl_conf_ca_chain(&server->config, &server->ca, NULL);
    mbedtls_ssl_conf_authmode(&server->config, MBEDTLS_SSL_VERIFY_REQUIRED);
    assert_int_equal(mbedtls_ssl_conf_own_cert(&server->config, &server->certificate, &server->key), 0);
    assert_int_equal(mbedtls_ssl_conf_alpn_protocols(&server->config, protocols), 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server->listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(server->listener, 16), 0);
    assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &size), 0);
    server->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&server->thread, NULL, run, server), 0);
    return server;
}

int server_port(const struct server *server) { return server->port; }

void server_stop(struct server *server)
{
    atomic_store(&server->stop, true);
    pthread_join(server->thread, NULL);
    close(server->listener);
    mbedtls_ssl_config_free(&server->config);
    mbedtls_pk_free(&server->key);
    mbedtls_x509_crt_free(&server->ca);
    mbedtls_x509_crt_free(&server->certificate);
    mbedtls_ctr_drbg_free(&server->random);
    mbedtls_entropy_free(&server->entropy);
    free(server);
}
