/* SPDX-License-Identifier: Apache-2.0 */
#include "client/dial.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/clock.h"
#include "client/lookup.h"
#include "client/san.h"
#include "node/base/config.h"

#define KEEPALIVE_IDLE_S 5
#define KEEPALIVE_INTERVAL_S 2
#define KEEPALIVE_COUNT 3
#define USER_TIMEOUT_MS 10000

enum state { WAITING, LOOKING_UP, CONNECTING, HANDSHAKING, READY, DEAD };

/* One address of one node, or a node whose addresses are not known yet. */
struct candidate {
    enum state state;
    size_t endpoint;
    bool has_address;
    struct kz_address address;
    struct kz_lookup *lookup;
    int fd;
    struct kz_tls *tls;
    short events;
};

struct dialer {
    struct kz_tls_identity *identity;
    const struct kz_endpoint *endpoints;
    struct kz_attempts *attempts;
    struct candidate candidates[KZ_ATTEMPTS_MAX];
    size_t count;
    int64_t next_start_ms; /* when the next waiting candidate may begin */
};

/* ---- the list of nodes ---- */

/* NAME of NAME=HOST:PORT, and the text moved past it. A name that no certificate can hold is a mistake. */
static bool take_name(const char **text, const char *end, struct kz_endpoint *out)
{
    const char *equals = memchr(*text, '=', (size_t)(end - *text));
    if (!equals) return true;
    size_t length = (size_t)(equals - *text);
    if (!kz_san_is_name(*text, length)) return false;
    memcpy(out->name, *text, length);
    *text = equals + 1;
    return true;
}

static bool parse_one(const char *text, size_t length, struct kz_endpoint *out)
{
    const char *end = text + length;
    memset(out, 0, sizeof *out);
    if (!take_name(&text, end, out) || text == end || memchr(text, '=', (size_t)(end - text))) return false;
    const char *host = text, *host_end;
    length = (size_t)(end - text);
    if (*text == '[') {
        host = text + 1;
        host_end = memchr(text, ']', length);
        if (!host_end || host_end + 1 >= end || host_end[1] != ':') return false;
        text = host_end + 2;
    } else {
        host_end = memrchr(text, ':', length);
        if (!host_end || memchr(text, ':', (size_t)(host_end - text))) return false;
        text = host_end + 1;
    }
    size_t host_length = (size_t)(host_end - host), port_length = (size_t)(end - text);
    if (host_length == 0 || host_length >= sizeof out->host || port_length == 0 || port_length >= sizeof out->port)
        return false;
    memcpy(out->host, host, host_length);
    memcpy(out->port, text, port_length);
    int64_t port;
    return kz_parse_integer(out->port, &port) && port > 0 && port < 65536 && out->port[0] != '+';
}

static enum kz_code fail_list(struct kz_failure *failure, enum kz_text_id why, const char *part, size_t length,
                              struct kz_err *err)
{
    *failure = (struct kz_failure){.what = KZ_T_NODES_WRONG, .why = why, .hint = KZ_T_NODES_ARE};
    snprintf(failure->subject, sizeof failure->subject, "%.*s", (int)(length > 80 ? 80 : length), part);
    snprintf(failure->detail, sizeof failure->detail, "%u", KZ_ENDPOINTS_MAX);
    struct kz_buf text;
    kz_buf_init(&text, 0);
    kz_text_fill(&text, why, false, KZ_TEXT_ARGS(failure->subject, failure->detail));
    enum kz_code code = kz_fail(err, KZ_USAGE, "list of nodes: %s", kz_buf_text(&text));
    kz_buf_fini(&text);
    return code;
}

enum kz_code kz_endpoints_parse(const char *text, struct kz_endpoint endpoints[KZ_ENDPOINTS_MAX], size_t *count,
                                struct kz_failure *failure, struct kz_err *err)
{
    *count = 0;
    while (*text) {
        size_t length = strcspn(text, ", ");
        if (length > 0) {
            if (*count == KZ_ENDPOINTS_MAX) return fail_list(failure, KZ_T_NODES_MANY, text, length, err);
            if (!parse_one(text, length, &endpoints[*count]))
                return fail_list(failure, KZ_T_NODE_FORM, text, length, err);
            (*count)++;
        }
        text += length + (text[length] ? 1 : 0);
    }
    return *count ? KZ_OK : fail_list(failure, KZ_T_NODES_EMPTY, "", 0, err);
}

void kz_endpoint_format(const struct kz_endpoint *endpoint, char out[KZ_ENDPOINT_TEXT_BYTES])
{
    bool bracket = strchr(endpoint->host, ':') != NULL;
    snprintf(out, KZ_ENDPOINT_TEXT_BYTES, "%s%s%s%s%s:%s", endpoint->name, endpoint->name[0] ? "=" : "",
             bracket ? "[" : "", endpoint->host, bracket ? "]" : "", endpoint->port);
}

/* ---- one candidate ---- */

static void close_candidate(struct candidate *candidate)
{
    kz_lookup_free(candidate->lookup);
    kz_tls_free(candidate->tls);
    if (candidate->fd >= 0) close(candidate->fd);
    candidate->lookup = NULL;
    candidate->tls = NULL;
    candidate->fd = -1;
}

static void record(struct dialer *dialer, const struct candidate *candidate, enum kz_layer layer,
                   enum kz_text_id reason, const char *detail)
{
    struct kz_attempts *attempts = dialer->attempts;
    if (attempts->count == KZ_ATTEMPTS_MAX) return;
    struct kz_attempt *attempt = &attempts->items[attempts->count++];
    kz_endpoint_format(&dialer->endpoints[candidate->endpoint], attempt->node);
    attempt->layer = layer;
    attempt->reason = reason;
    snprintf(attempt->detail, sizeof attempt->detail, "%s", detail);
}

static void give_up(struct dialer *dialer, struct candidate *candidate, enum kz_layer layer, enum kz_text_id reason,
                    const char *detail)
{
    record(dialer, candidate, layer, reason, detail);
    close_candidate(candidate);
    candidate->state = DEAD;
    dialer->next_start_ms = 0; /* a failure costs the next one no waiting */
}

static void give_up_errno(struct dialer *dialer, struct candidate *candidate, int number)
{
    enum kz_text_id reason = number == ECONNREFUSED                            ? KZ_T_REASON_REFUSED
                             : number == EHOSTUNREACH || number == ENETUNREACH ? KZ_T_REASON_NO_ROUTE
                             : number == ETIMEDOUT                             ? KZ_T_REASON_TIMEOUT
                             : number == ECONNRESET                            ? KZ_T_REASON_RESET
                                                                               : KZ_T_REASON_OTHER;
    give_up(dialer, candidate, KZ_LAYER_TCP, reason, reason == KZ_T_REASON_OTHER ? strerror(number) : "");
}

/* Without TCP_NODELAY each small request waits for the other side's delayed acknowledgement. */
static void set_options(int fd)
{
    static const struct {
        int level, name, value;
    } options[] = {
        {IPPROTO_TCP, TCP_NODELAY, 1},
        {SOL_SOCKET, SO_KEEPALIVE, 1},
        {IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S},
        {IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S},
        {IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_COUNT},
        {IPPROTO_TCP, TCP_USER_TIMEOUT, USER_TIMEOUT_MS},
    };
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        (void)setsockopt(fd, options[i].level, options[i].name, &options[i].value,
                         sizeof options[i].value); /* slower without, not wrong */
}

static void step_handshake(struct dialer *dialer, struct candidate *candidate)
{
    switch (kz_tls_handshake(candidate->tls)) {
    case KZ_TLS_DONE:
        candidate->state = READY;
        return;
    case KZ_TLS_WANT_READ:
        candidate->events = POLLIN;
        return;
    case KZ_TLS_WANT_WRITE:
        candidate->events = POLLOUT;
        return;
    default:
        break;
    }
    const struct kz_tls_failure *why = kz_tls_why(candidate->tls);
    record(dialer, candidate, why->layer, why->reason, why->detail);
    close_candidate(candidate);
    candidate->state = DEAD;
    dialer->next_start_ms = 0;
}

static void begin_handshake(struct dialer *dialer, struct candidate *candidate)
{
    candidate->tls = kz_tls_new(dialer->identity, candidate->fd, dialer->endpoints[candidate->endpoint].name);
    if (!candidate->tls) {
        give_up(dialer, candidate, KZ_LAYER_TLS, KZ_T_REASON_OTHER, "out of memory");
        return;
    }
    candidate->state = HANDSHAKING;
    step_handshake(dialer, candidate);
}

static void begin_connect(struct dialer *dialer, struct candidate *candidate)
{
    candidate->fd = socket(candidate->address.bytes.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    if (candidate->fd < 0) {
        give_up_errno(dialer, candidate, errno);
        return;
    }
    set_options(candidate->fd);
    const struct sockaddr *address = (const struct sockaddr *)(const void *)&candidate->address.bytes;
    if (connect(candidate->fd, address, candidate->address.size_bytes) == 0) {
        begin_handshake(dialer, candidate);
        return;
    }
    if (errno != EINPROGRESS) {
        give_up_errno(dialer, candidate, errno);
        return;
    }
    candidate->state = CONNECTING;
    candidate->events = POLLOUT;
}

static void start(struct dialer *dialer, struct candidate *candidate)
{
    dialer->next_start_ms = kz_clock_ms() + KZ_HEDGE_MS;
    const struct kz_endpoint *endpoint = &dialer->endpoints[candidate->endpoint];
    if (candidate->has_address || kz_lookup_numeric(endpoint, &candidate->address)) {
        begin_connect(dialer, candidate);
        return;
    }
    candidate->lookup = kz_lookup_start(endpoint);
    if (!candidate->lookup) {
        give_up(dialer, candidate, KZ_LAYER_DNS, KZ_T_REASON_OTHER, "no thread for the look-up");
        return;
    }
    candidate->state = LOOKING_UP;
    candidate->events = POLLIN;
}

/* A name with several addresses: the others wait right behind the first. */
static void insert_addresses(struct dialer *dialer, size_t index, const struct kz_address *addresses, size_t count)
{
    for (size_t i = 1; i < count && dialer->count < KZ_ATTEMPTS_MAX; i++) {
        size_t at = index + i;
        memmove(&dialer->candidates[at + 1], &dialer->candidates[at],
                (dialer->count - at) * sizeof dialer->candidates[0]);
        dialer->candidates[at] = (struct candidate){
            .endpoint = dialer->candidates[index].endpoint, .has_address = true, .address = addresses[i], .fd = -1};
        dialer->count++;
    }
}

static void finish_lookup(struct dialer *dialer, size_t index)
{
    struct candidate *candidate = &dialer->candidates[index];
    struct kz_address addresses[KZ_ADDRESSES_MAX];
    size_t count = 0;
    int result = kz_lookup_take(candidate->lookup, addresses, &count);
    kz_lookup_free(candidate->lookup);
    candidate->lookup = NULL;
    if (result) {
        enum kz_text_id reason = result == EAI_NONAME ? KZ_T_REASON_NAME_UNKNOWN : KZ_T_REASON_NAME_FAILED;
        give_up(dialer, candidate, KZ_LAYER_DNS, reason, reason == KZ_T_REASON_NAME_FAILED ? gai_strerror(result) : "");
        return;
    }
    candidate->address = addresses[0];
    insert_addresses(dialer, index, addresses, count);
    begin_connect(dialer, candidate);
}

static void finish_connect(struct dialer *dialer, struct candidate *candidate)
{
    int number = 0;
    socklen_t size = sizeof number;
    if (getsockopt(candidate->fd, SOL_SOCKET, SO_ERROR, &number, &size) != 0) number = errno;
    if (number)
        give_up_errno(dialer, candidate, number);
    else
        begin_handshake(dialer, candidate);
}

static void advance(struct dialer *dialer, size_t index)
{
    struct candidate *candidate = &dialer->candidates[index];
    switch (candidate->state) {
    case LOOKING_UP:
        finish_lookup(dialer, index);
        return;
    case CONNECTING:
        finish_connect(dialer, candidate);
        return;
    case HANDSHAKING:
        step_handshake(dialer, candidate);
        return;
    default:
        return;
    }
}

/* ---- the race ---- */

static bool is_active(const struct candidate *candidate)
{
    return candidate->state == LOOKING_UP || candidate->state == CONNECTING || candidate->state == HANDSHAKING;
}

static struct candidate *find_state(struct dialer *dialer, enum state state)
{
    for (size_t i = 0; i < dialer->count; i++)
        if (dialer->candidates[i].state == state) return &dialer->candidates[i];
    return NULL;
}

/* Starts every candidate that is due. False: none is waiting and none is under way. */
static bool start_due(struct dialer *dialer)
{
    struct candidate *next;
    while ((next = find_state(dialer, WAITING)) && kz_clock_ms() >= dialer->next_start_ms)
        start(dialer, next);
    if (next) return true;
    for (size_t i = 0; i < dialer->count; i++)
        if (is_active(&dialer->candidates[i]) || dialer->candidates[i].state == READY) return true;
    return false;
}

static void wait_once(struct dialer *dialer, int64_t deadline_ms)
{
    struct pollfd fds[KZ_ATTEMPTS_MAX];
    size_t index[KZ_ATTEMPTS_MAX];
    nfds_t count = 0;
    for (size_t i = 0; i < dialer->count; i++) {
        const struct candidate *candidate = &dialer->candidates[i];
        if (!is_active(candidate)) continue;
        int fd = candidate->state == LOOKING_UP ? kz_lookup_fd(candidate->lookup) : candidate->fd;
        fds[count] = (struct pollfd){.fd = fd, .events = candidate->events};
        index[count++] = i;
    }
    int64_t until = deadline_ms;
    if (find_state(dialer, WAITING) && dialer->next_start_ms < until) until = dialer->next_start_ms;
    if (poll(fds, count, kz_clock_left(until)) <= 0) return;
    /* From the back: a finished look-up inserts behind itself and would shift the indices of those after it. */
    for (nfds_t i = count; i-- > 0;)
        if (fds[i].revents) advance(dialer, index[i]);
}

static enum kz_layer layer_of(enum state state)
{
    return state == LOOKING_UP ? KZ_LAYER_DNS : state == HANDSHAKING ? KZ_LAYER_TLS : KZ_LAYER_TCP;
}

enum kz_code kz_dial(struct kz_tls_identity *identity, const struct kz_endpoint *endpoints, size_t count, size_t first,
                     int64_t deadline_ms, struct kz_dialled *out, struct kz_attempts *attempts, struct kz_err *err)
{
    struct dialer *dialer = calloc(1, sizeof *dialer);
    if (!dialer) return kz_fail(err, KZ_NO_MEMORY, "out of memory");
    *dialer = (struct dialer){.identity = identity, .endpoints = endpoints, .attempts = attempts, .count = count};
    attempts->count = 0;
    for (size_t i = 0; i < count; i++)
        dialer->candidates[i] = (struct candidate){.endpoint = (first + i) % count, .fd = -1};
    struct candidate *winner = NULL;
    while (start_due(dialer) && !(winner = find_state(dialer, READY)) && kz_clock_left(deadline_ms) > 0)
        wait_once(dialer, deadline_ms);
    if (winner) {
        *out = (struct kz_dialled){.fd = winner->fd, .tls = winner->tls, .endpoint = winner->endpoint};
        winner->fd = -1;
        winner->tls = NULL;
    }
    for (size_t i = 0; i < dialer->count; i++) {
        struct candidate *candidate = &dialer->candidates[i];
        if (is_active(candidate)) record(dialer, candidate, layer_of(candidate->state), KZ_T_REASON_TIMEOUT, "");
        close_candidate(candidate);
    }
    free(dialer);
    return winner ? KZ_OK : kz_fail(err, KZ_UNREACHABLE, "no node reachable");
}
