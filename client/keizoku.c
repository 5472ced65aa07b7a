/* SPDX-License-Identifier: Apache-2.0 */
#include "client/keizoku.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "client/call.h"
#include "client/clock.h"

#define TRACE_LINE_BYTES 512

enum kz_code kz_client_new_request_id(uint8_t id[KZ_REQUEST_ID_BYTES], struct kz_err *err)
{
    size_t have = 0;
    while (have < KZ_REQUEST_ID_BYTES) {
        ssize_t got = getrandom(id + have, KZ_REQUEST_ID_BYTES - have, 0);
        if (got < 0 && errno != EINTR) return kz_fail(err, KZ_IO, "getrandom: %s", strerror(errno));
        if (got > 0) have += (size_t)got;
    }
    return KZ_OK;
}

enum kz_code kz_client_open(const struct kz_client_options *options, struct kz_client **out, struct kz_err *err)
{
    struct kz_client *client = calloc(1, sizeof *client);
    if (!client) return kz_fail(err, KZ_NO_MEMORY, "out of memory");
    client->read = options->read;
    client->timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : KZ_CLIENT_TIMEOUT_MS;
    client->hangup_fd = -1;
    client->trace = options->trace;
    client->trace_data = options->trace_data;
    struct kz_failure unread, *failure = options->failure ? options->failure : &unread;
    enum kz_code code = kz_endpoints_parse(options->nodes, client->endpoints, &client->endpoint_count, failure, err);
    const struct kz_tls_files files = {options->certificate, options->key, options->ca, options->crl};
    if (!code) code = kz_tls_identity_open(&files, &client->identity, failure, err);
    if (code) {
        kz_client_free(client);
        return code;
    }
    *out = client;
    return KZ_OK;
}

void kz_client_free(struct kz_client *client)
{
    if (!client) return;
    kz_connection_free(client->connection);
    kz_tls_identity_free(client->identity);
    free(client);
}

const struct kz_attempt *kz_client_attempts(const struct kz_client *client, size_t *count)
{
    *count = client->attempts.count;
    return client->attempts.items;
}

struct kz_tls_identity *kz_client_identity(struct kz_client *client) { return client->identity; }
const char *kz_client_user(const struct kz_client *client) { return kz_tls_user(client->identity); }
const char *kz_client_cluster(const struct kz_client *client) { return kz_tls_cluster(client->identity); }
void kz_client_anchor(const struct kz_client *client, char out[KZ_TLS_ANCHOR_BYTES])
{
    kz_tls_anchor(client->identity, out);
}

uint64_t kz_client_epoch(const struct kz_client *client) { return client->epoch; }
void kz_client_know_epoch(struct kz_client *client, uint64_t epoch)
{
    if (epoch > client->epoch) client->epoch = epoch;
}

void kz_client_trace(const struct kz_client *client, const char *fmt, ...)
{
    if (!client->trace) return;
    char line[TRACE_LINE_BYTES];
    va_list args;
    va_start(args, fmt);
    vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    client->trace(client->trace_data, line);
}

static bool wants_own_copy(const struct kz_client *client, const Kz__Request *request)
{
    if (request->status || request->recover || request->salvage) return true;
    return client->read == KZ__READ_MODE__LOCAL && !request->write;
}

void kz_client_name_epoch(const struct kz_client *client, Kz__Request *request)
{
    request->has_epoch = client->epoch != 0 && !wants_own_copy(client, request);
    request->epoch = client->epoch;
}

bool kz_client_take_epoch(struct kz_client *client, const Kz__Request *request, const Kz__Response *response)
{
    if (!response->meta || !response->meta->has_epoch) return true;
    uint64_t epoch = response->meta->epoch;
    if (response->meta->has_fenced && response->meta->fenced > epoch) epoch = response->meta->fenced;
    if (epoch > client->epoch) client->epoch = epoch;
    return response->error || response->meta->epoch == client->epoch || wants_own_copy(client, request);
}

void kz_client_drop(struct kz_client *client)
{
    kz_connection_free(client->connection);
    client->connection = NULL;
    client->first = (client->current + 1) % client->endpoint_count;
}

enum kz_code kz_client_connect(struct kz_client *client, int64_t deadline_ms, struct kz_err *err)
{
    if (client->connection) return KZ_OK;
    struct kz_dialled dialled;
    enum kz_code code = kz_dial(client->identity, client->endpoints, client->endpoint_count, client->first, deadline_ms,
                                &dialled, &client->attempts, err);
    for (size_t i = 0; i < client->attempts.count; i++) {
        const struct kz_attempt *attempt = &client->attempts.items[i];
        kz_client_trace(client, "%s: %s: %s%s%s", attempt->node, kz_layer_text(attempt->layer, false),
                        kz_text(attempt->reason, false), attempt->detail[0] ? ": " : "", attempt->detail);
    }
    if (code) return code;
    client->connection = kz_connection_new(&dialled);
    if (!client->connection) return kz_fail(err, KZ_NO_MEMORY, "out of memory");
    client->current = dialled.endpoint;
    client->first = dialled.endpoint;
    kz_client_trace(client, "connected to node %s (%s:%s)", kz_connection_node(client->connection),
                    client->endpoints[client->current].host, client->endpoints[client->current].port);
    return KZ_OK;
}

void kz_client_note_break(struct kz_client *client, const struct kz_err *err)
{
    const struct kz_tls_failure *why = kz_connection_why(client->connection);
    kz_client_trace(client, "%s", err->text);
    struct kz_attempts *attempts = &client->attempts;
    if (attempts->count == KZ_ATTEMPTS_MAX) attempts->count = 0;
    struct kz_attempt *attempt = &attempts->items[attempts->count++];
    kz_endpoint_format(&client->endpoints[client->current], attempt->node);
    attempt->layer = why && why->layer == KZ_LAYER_AUTHORISATION ? KZ_LAYER_AUTHORISATION : KZ_LAYER_ANSWER;
    attempt->reason = why ? why->reason : err->code == KZ_TIMED_OUT ? KZ_T_REASON_TIMEOUT : KZ_T_REASON_OTHER;
    const char *detail = why ? why->detail : attempt->reason == KZ_T_REASON_OTHER ? err->text : "";
    snprintf(attempt->detail, sizeof attempt->detail, "%.150s", detail);
}

void kz_client_end_with(struct kz_client *client, int fd) { client->hangup_fd = fd; }
