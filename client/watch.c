/* SPDX-License-Identifier: Apache-2.0 */
/* A watch that outlives its node: after a break it goes on elsewhere from the first revision not yet handed over. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "client/call.h"
#include "client/clock.h"

/* A silent connection may be an idle watch or a frozen node: a status request tells which. */
#define PING_AFTER_MS 5000
#define PONG_WITHIN_MS 5000
#define DIAL_MS 5000
#define RETRY_MS 250
#define SEND_MS 5000
#define READER_LOOK_MS 250

struct watcher {
    struct kz_client *client;
    Kz__WatchRequest watch;
    kz_client_on_change on_change;
    void *data;
    int64_t heard_ms; /* when a node last answered anything */
    uint32_t stream;
    bool stop;
};

static void remove_change(Kz__Response *response, size_t index)
{
    kz__change__free_unpacked(response->changes[index], NULL);
    memmove(&response->changes[index], &response->changes[index + 1],
            (response->n_changes - index - 1) * sizeof response->changes[0]);
    response->n_changes--;
}

/* What was handed over before a break may come again from a node that starts a little earlier. */
static void drop_seen(const struct watcher *watcher, Kz__Response *response)
{
    for (size_t i = response->n_changes; watcher->watch.has_from_rev && i-- > 0;)
        if (response->changes[i]->rev < watcher->watch.from_rev) remove_change(response, i);
}

static void advance(struct watcher *watcher, const Kz__Response *response)
{
    uint64_t next = watcher->watch.has_from_rev ? watcher->watch.from_rev : 0;
    bool known = watcher->watch.has_from_rev;
    for (size_t i = 0; i < response->n_changes; i++)
        if (response->changes[i]->rev + 1 > next) next = response->changes[i]->rev + 1, known = true;
    if (response->has_next_rev && response->next_rev > next) next = response->next_rev;
    watcher->watch.has_from_rev = known || response->has_next_rev;
    watcher->watch.from_rev = next;
}

static void take_changes(struct watcher *watcher, Kz__Response *response)
{
    drop_seen(watcher, response);
    bool resync = response->has_resync && response->resync;
    if ((response->n_changes > 0 || resync) && !watcher->on_change(watcher->data, response)) watcher->stop = true;
    advance(watcher, response);
}

static enum kz_code begin(struct watcher *watcher, struct kz_err *err)
{
    struct kz_client *client = watcher->client;
    enum kz_code code = kz_client_connect(client, kz_clock_ms() + DIAL_MS, err);
    if (code) return code;
    Kz__Request request = KZ__REQUEST__INIT;
    request.watch = &watcher->watch;
    request.has_mode = true;
    request.mode = client->read;
    kz_client_name_epoch(client, &request);
    watcher->stream = ++client->next_stream;
    return kz_connection_send(client->connection, watcher->stream, &request, kz_clock_ms() + SEND_MS, err);
}

static enum kz_code ping(struct watcher *watcher, struct kz_err *err)
{
    Kz__StatusRequest status = KZ__STATUS_REQUEST__INIT;
    Kz__Request request = KZ__REQUEST__INIT;
    request.status = &status;
    request.has_mode = true;
    request.mode = KZ__READ_MODE__LOCAL;
    struct kz_client *client = watcher->client;
    return kz_connection_send(client->connection, ++client->next_stream, &request, kz_clock_ms() + SEND_MS, err);
}

static bool is_reader_gone(int fd)
{
    struct pollfd reader = {.fd = fd};
    return fd >= 0 && poll(&reader, 1, 0) == 1 && (reader.revents & (POLLERR | POLLHUP)) != 0;
}

/* TIMED_OUT also when nobody reads what is told: then the watch is to stop. */
static enum kz_code wait_response(struct watcher *watcher, uint32_t *stream, Kz__Response **response, int64_t wait_ms,
                                  struct kz_err *err)
{
    struct kz_client *client = watcher->client;
    int64_t until_ms = kz_clock_ms() + wait_ms;
    for (;;) {
        int64_t step_ms = kz_clock_ms() + READER_LOOK_MS;
        if (step_ms > until_ms || client->hangup_fd < 0) step_ms = until_ms;
        enum kz_code code = kz_connection_receive(client->connection, stream, response, step_ms, err);
        watcher->stop = watcher->stop || is_reader_gone(client->hangup_fd);
        if (code != KZ_TIMED_OUT || watcher->stop || kz_clock_ms() >= until_ms) return code;
    }
}

static enum kz_code receive(struct watcher *watcher, uint32_t *stream, Kz__Response **response, struct kz_err *err)
{
    enum kz_code code = wait_response(watcher, stream, response, PING_AFTER_MS, err);
    if (code != KZ_TIMED_OUT || watcher->stop) return code;
    code = ping(watcher, err);
    if (code) return code;
    return wait_response(watcher, stream, response, PONG_WITHIN_MS, err);
}

static bool is_final(enum kz_code code) { return code && !kz_code_retryable(code) && code != KZ_IO; }

/* Follows one connection until it breaks (an error code), the caller stops or a node refuses (both KZ_OK). */
static enum kz_code follow(struct watcher *watcher, Kz__Response **refusal, struct kz_err *err)
{
    enum kz_code code = begin(watcher, err);
    while (!code && !watcher->stop) {
        uint32_t stream = 0;
        Kz__Response *response = NULL;
        code = receive(watcher, &stream, &response, err);
        if (code == KZ_TIMED_OUT && watcher->stop) return KZ_OK;
        if (code) break;
        watcher->heard_ms = kz_clock_ms();
        if (stream == watcher->stream && response->error) {
            enum kz_code refused = (enum kz_code)response->error->code;
            if (is_final(refused)) {
                *refusal = response;
                return KZ_OK;
            }
            code = kz_fail(err, KZ_IO, "%s", kz_code_text(refused, false));
        } else if (stream == watcher->stream) {
            take_changes(watcher, response);
            if (!(response->has_more && response->more) && !watcher->stop)
                code = kz_fail(err, KZ_IO, "the node ended the watch");
        }
        kz__response__free_unpacked(response, NULL);
    }
    return code;
}

enum kz_code kz_client_watch(struct kz_client *client, const Kz__WatchRequest *watch, int64_t patience_ms,
                             kz_client_on_change on_change, void *data, Kz__Response **response, struct kz_err *err)
{
    struct kz_err local;
    if (!err) err = &local;
    *response = NULL;
    struct watcher watcher = {
        .client = client, .watch = *watch, .on_change = on_change, .data = data, .heard_ms = kz_clock_ms()};
    for (;;) {
        enum kz_code code = follow(&watcher, response, err);
        if (!code) {
            struct kz_err ignored; /* the stream ends with the connection anyway */
            if (!*response)
                (void)!kz_connection_cancel(client->connection, watcher.stream, kz_clock_ms() + 100, &ignored);
            return KZ_OK;
        }
        if (client->connection) {
            kz_client_note_break(client, err);
            kz_client_drop(client);
        }
        if (code == KZ_NO_MEMORY) return code;
        if (patience_ms >= 0 && kz_clock_ms() - watcher.heard_ms > patience_ms)
            return kz_fail(err, KZ_UNREACHABLE, "no node reachable");
        if (is_reader_gone(client->hangup_fd)) return KZ_OK;
        (void)poll(NULL, 0, RETRY_MS);
    }
}
