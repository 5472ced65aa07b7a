/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/net/raw.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "node/net/mbed.h"

#ifndef MBEDTLS_PRIVATE /* before 3.0 */
#define MBEDTLS_PRIVATE(member) member
#endif

static int send_bytes(void *data, const unsigned char *bytes, size_t size_bytes)
{
    ssize_t sent = send(*(int *)data, bytes, size_bytes, MSG_NOSIGNAL);
    return sent < 0 ? MBEDTLS_ERR_SSL_CONN_EOF : (int)sent;
}

static int receive_bytes(void *data, unsigned char *out, size_t room_bytes)
{
    ssize_t got = recv(*(int *)data, out, room_bytes, 0);
    return got <= 0 ? MBEDTLS_ERR_SSL_CONN_EOF : (int)got;
}

static struct sockaddr_in local(unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static int open_socket(struct raw *raw)
{
    struct sockaddr_in address = local(raw->port);
    if (raw->server) return accept(raw->listening, NULL, NULL);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
    close(fd);
    return -1;
}

static int load(struct raw *raw, mbedtls_x509_crt *certificate, mbedtls_pk_context *key, mbedtls_ctr_drbg_context *drbg)
{
    char path[300];
    uint8_t pem[4096] = {0};
    const char *folder = strncmp(raw->who, "node/", 5) == 0 ? "nodes" : "users";
    snprintf(path, sizeof path, "%s/%s/%s.pem", raw->issuer->dir, folder, raw->who + 5);
    int code = mbedtls_x509_crt_parse_file(certificate, path);
    if (code) return code;
    /* Only in our copy: what goes over the wire still says it, but the library does not decline to show it. */
    certificate->MBEDTLS_PRIVATE(ext_types) &= ~MBEDTLS_OID_X509_EXT_EXTENDED_KEY_USAGE;
    snprintf(path, sizeof path, "%s/%s/%s.key", raw->issuer->dir, folder, raw->who + 5);
    FILE *file = fopen(path, "r");
    if (!file) return -1;
    size_t size_bytes = fread(pem, 1, sizeof pem - 1, file);
    fclose(file);
    return kz_mbed_parse_key(key, pem, size_bytes + 1, drbg);
}

static void talk(struct raw *raw, mbedtls_ssl_context *ssl)
{
    uint8_t bytes[64];
    do {
        raw->handshake = mbedtls_ssl_handshake(ssl);
    } while (raw->handshake == MBEDTLS_ERR_SSL_WANT_READ || raw->handshake == MBEDTLS_ERR_SSL_WANT_WRITE);
    if (raw->handshake == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE) raw->alert = kz_mbed_alert(ssl);
    raw->blind = !raw->server && strcmp(mbedtls_ssl_get_version(ssl), "TLSv1.3") == 0;
    if (raw->handshake) return;
    if (raw->say) (void)mbedtls_ssl_write(ssl, (const uint8_t *)raw->say, strlen(raw->say));
    do {
        raw->read = mbedtls_ssl_read(ssl, bytes, sizeof bytes);
    } while (kz_mbed_is_ticket(raw->read));
    if (raw->read == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE) raw->alert = kz_mbed_alert(ssl);
}

static void run(uv_work_t *work)
{
    struct raw *raw = work->data;
    const char *protocols[] = {raw->alpn, NULL};
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context drbg;
    mbedtls_ssl_config conf;
    mbedtls_ssl_context ssl;
    mbedtls_x509_crt certificate;
    mbedtls_pk_context key;
    mbedtls_entropy_init(&entropy);
    mbedtls_ctr_drbg_init(&drbg);
    mbedtls_ssl_config_init(&conf);
    mbedtls_ssl_init(&ssl);
    mbedtls_x509_crt_init(&certificate);
    mbedtls_pk_init(&key);
    raw->alert = KZ_MBED_ALERT_NONE;
    int fd = open_socket(raw);
    int code = fd < 0 ? -1 : mbedtls_ctr_drbg_seed(&drbg, mbedtls_entropy_func, &entropy, NULL, 0);
    if (!code) code = kz_mbed_configure(&conf, raw->server);
    if (!code) code = raw->who ? load(raw, &certificate, &key, &drbg) : 0;
    if (!code && raw->who) code = mbedtls_ssl_conf_own_cert(&conf, &certificate, &key);
    if (!code && raw->alpn) code = mbedtls_ssl_conf_alpn_protocols(&conf, protocols);
    mbedtls_ssl_conf_authmode(&conf, raw->server ? MBEDTLS_SSL_VERIFY_OPTIONAL : MBEDTLS_SSL_VERIFY_NONE);
    mbedtls_ssl_conf_rng(&conf, mbedtls_ctr_drbg_random, &drbg);
    if (!code) code = mbedtls_ssl_setup(&ssl, &conf);
    if (!code && !raw->server) code = mbedtls_ssl_set_hostname(&ssl, NULL);
    mbedtls_ssl_set_bio(&ssl, &fd, send_bytes, receive_bytes, NULL);
    raw->handshake = code;
    if (!code) talk(raw, &ssl);
    mbedtls_ssl_free(&ssl);
    mbedtls_ssl_config_free(&conf);
    mbedtls_x509_crt_free(&certificate);
    mbedtls_pk_free(&key);
    mbedtls_ctr_drbg_free(&drbg);
    mbedtls_entropy_free(&entropy);
    if (fd >= 0) close(fd);
    if (raw->server) close(raw->listening);
}

static void after(uv_work_t *work, int status)
{
    (void)status; /* never cancelled */
    ((struct raw *)work->data)->done = true;
}

void raw_start(struct raw *raw, struct world *world)
{
    if (raw->server) {
        struct sockaddr_in address = local(0);
        socklen_t address_bytes = sizeof address;
        raw->listening = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(bind(raw->listening, (struct sockaddr *)&address, sizeof address), 0);
        assert_int_equal(listen(raw->listening, 1), 0);
        assert_int_equal(getsockname(raw->listening, (struct sockaddr *)&address, &address_bytes), 0);
        raw->port = ntohs(address.sin_port);
    } else {
        raw->port = kz_listener_port(world->listener);
    }
    raw->work.data = raw;
    assert_int_equal(uv_queue_work(&world->loop, &raw->work, run, after), 0);
}
