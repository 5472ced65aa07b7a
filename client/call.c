/* SPDX-License-Identifier: Apache-2.0 */
/* One call: attempts over several nodes with one request id, until an answer stands or the time is up. */
#include "client/call.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/clock.h"
#include "node/base/assert.h"

/* A node that says nothing for this long is left for the next one. Above KZ_AUTO_READ_TIMEOUT_MS, after which a node
 * answers a read by itself, and above a fail-over, during which it may hold a write. */
#define ATTEMPT_MS 4000
#define ANSWER_SLACK_MS 300 /* the node is told to answer this much earlier than we stop listening */
#define DIAL_MS 5000
#define BACKOFF_FIRST_MS 50
#define BACKOFF_MAX_MS 800
#define READ_ROUNDS 2  /* how often each node is asked before a read gives up */
#define FRESHER_MS 400 /* to ask the other nodes when one without a quorum answered */
#define LOCAL_MS 10000 /* then `auto` takes local answers at once for this long */

static_assert(KZ_ENDPOINTS_MAX <= 64, "a bit per endpoint");
static_assert(KZ_AUTO_READ_TIMEOUT_MS + FRESHER_MS < KZ_AUTO_FALLBACK_MS, "and somebody fresher is asked in time");
static_assert(ATTEMPT_MS > KZ_AUTO_READ_TIMEOUT_MS + 2 * ANSWER_SLACK_MS, "a node can fall back to its own copy");

struct call {
    struct kz_client *client;
    Kz__Request *request;
    bool writes;
    bool maybe_applied; /* it may have reached a node's log */
    int64_t started_ms;
    int64_t deadline_ms;
    int64_t backoff_ms;
    size_t tries;
    size_t refused_tries; /* broken by a refusal of our certificate */
    uint64_t refusers;    /* endpoints (bits) that answered and have no quorum or no room */
    Kz__Response *last;   /* the latest answer that asked us to try elsewhere */
};

static void pause_ms(int64_t ms) { (void)poll(NULL, 0, (int)ms); /* shorter by a signal: harmless */ }

static void back_off(struct call *call)
{
    int64_t left = kz_clock_left(call->deadline_ms);
    pause_ms(call->backoff_ms < left ? call->backoff_ms : left);
    call->backoff_ms = call->backoff_ms * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : call->backoff_ms * 2;
}

/* ---- one exchange over the current connection ---- */

static bool move_items(void ***to, size_t *to_count, void **from, size_t *from_count)
{
    if (*from_count == 0) return true;
    void **grown = realloc(*to, (*to_count + *from_count) * sizeof *grown);
    if (!grown) return false;
    memcpy(grown + *to_count, from, *from_count * sizeof *grown);
    *to = grown;
    *to_count += *from_count;
    *from_count = 0;
    return true;
}

/* `part` is emptied into `whole` and freed. */
static bool merge(Kz__Response *whole, Kz__Response *part)
{
    bool done = move_items((void ***)(void *)&whole->records, &whole->n_records, (void **)(void *)part->records,
                           &part->n_records) &&
                move_items((void ***)(void *)&whole->changes, &whole->n_changes, (void **)(void *)part->changes,
                           &part->n_changes);
#define TAKE(field)                                                                                                    \
    if (part->field) {                                                                                                 \
        __typeof__(whole->field) old_##field = whole->field;                                                           \
        whole->field = part->field;                                                                                    \
        part->field = old_##field;                                                                                     \
    }
    TAKE(error)
    TAKE(meta)
    TAKE(outcome)
    TAKE(status)
#undef TAKE
    if (part->next && part->next[0]) {
        char *old = whole->next;
        whole->next = part->next;
        part->next = old;
    }
    if (part->has_next_rev) whole->has_next_rev = true, whole->next_rev = part->next_rev;
    kz__response__free_unpacked(part, NULL);
    return done;
}

static enum kz_code receive_all(struct kz_connection *connection, uint32_t stream, int64_t deadline_ms,
                                Kz__Response **out, struct kz_err *err)
{
    Kz__Response *whole = NULL;
    for (;;) {
        uint32_t got_stream = 0;
        Kz__Response *part = NULL;
        enum kz_code code = kz_connection_receive(connection, &got_stream, &part, deadline_ms, err);
        if (code) {
            if (whole) kz__response__free_unpacked(whole, NULL);
            return code;
        }
        if (got_stream != stream) { /* late answer to a cancelled stream */
            kz__response__free_unpacked(part, NULL);
            continue;
        }
        bool more = part->has_more && part->more;
        if (!whole) {
            whole = part;
        } else if (!merge(whole, part)) {
            kz__response__free_unpacked(whole, NULL);
            return kz_fail(err, KZ_NO_MEMORY, "out of memory");
        }
        if (!more) {
            *out = whole;
            return KZ_OK;
        }
    }
}

static enum kz_code exchange(struct kz_client *client, struct kz_connection *connection, Kz__Request *request,
                             int64_t deadline_ms, Kz__Response **response, struct kz_err *err)
{
    uint32_t stream = ++client->next_stream;
    int left = kz_clock_left(deadline_ms);
    request->has_timeout_ms = true;
    request->timeout_ms = (uint32_t)(left > 2 * ANSWER_SLACK_MS ? left - ANSWER_SLACK_MS : left / 2 + 1);
    enum kz_code code = kz_connection_send(connection, stream, request, deadline_ms, err);
    if (code) return code;
    return receive_all(connection, stream, deadline_ms, response, err);
}

/* ---- deciding what an answer means ---- */

static enum kz_code code_of(const Kz__Response *response)
{
    if (response->error) return (enum kz_code)response->error->code;
    return KZ_OK;
}

/* The same request may succeed elsewhere or a moment later. */
static bool asks_to_retry(const struct call *call, enum kz_code code)
{
    size_t nodes = call->client->endpoint_count;
    switch (code) {
    case KZ_UNKNOWN_OUTCOME:
    case KZ_TIMED_OUT:
        return call->writes || call->tries < READ_ROUNDS * nodes;
    case KZ_BUSY:
    case KZ_NOT_LEADER:
    case KZ_NO_MEMORY:
        return true;
    /* Another node may well have a quorum, or room: ask each once. */
    case KZ_NO_QUORUM:
    case KZ_NO_SPACE:
    case KZ_CORRUPT:
    case KZ_FENCED:
        return call->tries < nodes;
    default:
        return false;
    }
}

/* What broke, else what the last node said. */
static const char *why_unknown(const struct call *call, const struct kz_err *err)
{
    const Kz__Error *said = call->last ? call->last->error : NULL;
    if (err->text[0]) return err->text;
    return said && said->why_en && said->why_en[0] ? said->why_en : "no answer";
}

static enum kz_code give_up(struct call *call, Kz__Response **response, struct kz_err *err)
{
    if (call->writes && call->maybe_applied) {
        char text[KZ_ERR_TEXT_BYTES];
        snprintf(text, sizeof text, "%s", why_unknown(call, err));
        return kz_fail(err, KZ_UNKNOWN_OUTCOME, "%s", text);
    }
    if (call->last) {
        *response = call->last;
        call->last = NULL;
        return KZ_OK;
    }
    return err->code ? err->code : kz_fail(err, KZ_TIMED_OUT, "no answer in time");
}

/* The node itself is the reason: asking it again is no use. */
static bool is_node_bound(enum kz_code code)
{
    return code == KZ_NO_QUORUM || code == KZ_NO_SPACE || code == KZ_CORRUPT || code == KZ_FENCED;
}

/* True: `*response` is the answer. False: try again. */
static bool judge(struct call *call, Kz__Response *answer, Kz__Response **response)
{
    enum kz_code code = code_of(answer);
    if (!asks_to_retry(call, code) || kz_clock_left(call->deadline_ms) == 0) {
        /* "No quorum" after an attempt whose fate is open says nothing about that attempt. */
        if (call->maybe_applied && code && kz_code_retryable(code)) {
            kz__response__free_unpacked(answer, NULL);
            return false;
        }
        *response = answer;
        return true;
    }
    kz_client_trace(call->client, "node %s: %s", answer->meta ? answer->meta->node : "?", kz_code_text(code, false));
    if (code == KZ_UNKNOWN_OUTCOME || code == KZ_TIMED_OUT) call->maybe_applied = call->writes;
    if (is_node_bound(code)) call->refusers |= UINT64_C(1) << call->client->current;
    if (call->last) kz__response__free_unpacked(call->last, NULL);
    call->last = answer;
    return false;
}

/* It answered as if nothing had happened, and we know better. */
static void refuse_old(struct call *call, Kz__Response *answer, struct kz_err *err)
{
    (void)kz_fail(err, KZ_FENCED, "node %s is of epoch %llu, the cluster of %llu", answer->meta->node,
                  (unsigned long long)answer->meta->epoch, (unsigned long long)call->client->epoch);
    kz_client_trace(call->client, "%s", err->text);
    call->refusers |= UINT64_C(1) << call->client->current;
    kz_client_name_epoch(call->client, call->request); /* the next one refuses by itself */
    kz__response__free_unpacked(answer, NULL);
}

static bool out_of_tries(const struct call *call)
{
    if (call->maybe_applied) return false; /* only time ends the search for the truth */
    size_t nodes = call->client->endpoint_count;
    return call->refused_tries >= nodes || (!call->last && call->tries >= READ_ROUNDS * nodes);
}

/* A deadline of more than 49 days would overflow it. */
static uint32_t age_of(const struct call *call, int64_t now_ms)
{
    int64_t age_ms = now_ms - call->started_ms;
    return age_ms < UINT32_MAX ? (uint32_t)age_ms : UINT32_MAX;
}

/* One attempt. True: finished, with *code. */
static bool attempt(struct call *call, Kz__Response **response, enum kz_code *code, struct kz_err *err)
{
    struct kz_client *client = call->client;
    int64_t now = kz_clock_ms();
    int64_t dial_by = now + DIAL_MS < call->deadline_ms ? now + DIAL_MS : call->deadline_ms;
    *code = kz_client_connect(client, dial_by, err);
    if (*code) {
        if (*code == KZ_UNREACHABLE && call->maybe_applied) return false;
        *code = give_up(call, response, err);
        return true;
    }
    bool asked_before = call->refusers & (UINT64_C(1) << client->current);
    if (asked_before && call->last && !call->maybe_applied) { /* all others are out of reach */
        *code = give_up(call, response, err);
        return true;
    }
    now = kz_clock_ms();
    int64_t answer_by = now + ATTEMPT_MS < call->deadline_ms ? now + ATTEMPT_MS : call->deadline_ms;
    Kz__Response *answer = NULL;
    call->tries++;
    if (call->writes) {
        call->request->write->has_age_ms = call->tries > 1;
        call->request->write->age_ms = age_of(call, now);
    }
    *code = exchange(client, client->connection, call->request, answer_by, &answer, err);
    if (*code == KZ_OK && !kz_client_take_epoch(client, call->request, answer)) {
        refuse_old(call, answer, err);
        kz_client_drop(client);
        return false;
    }
    if (*code == KZ_OK) {
        if (judge(call, answer, response)) return true;
        kz_client_drop(client);
        return false;
    }
    if (*code == KZ_TOO_BIG || *code == KZ_NO_MEMORY) return true;
    call->maybe_applied = call->writes;
    const struct kz_tls_failure *why = kz_connection_why(client->connection);
    if (why && why->layer == KZ_LAYER_AUTHORISATION) {
        call->refused_tries++;
        call->maybe_applied = false; /* a node that refuses us took nothing from us */
    }
    kz_client_note_break(client, err);
    kz_client_drop(client);
    return false;
}

/* ---- a fresher answer than a lone node's ---- */

static bool is_local_without_quorum(const Kz__Response *response)
{
    return response->meta && response->meta->read == KZ__READ_MODE__LOCAL && !response->meta->quorum;
}

/* "There is none" is an answer as good as any, when it comes from the latest state. */
static bool is_latest(const Kz__Response *response)
{
    if (response->error && response->error->code != KZ_NOT_FOUND) return false;
    return response->meta && response->meta->read == KZ__READ_MODE__LINEARIZABLE;
}

/* The node that answered has no quorum; another one may. Its answer, or NULL, costs at most FRESHER_MS. */
static Kz__Response *ask_others(struct kz_client *client, Kz__Request *request)
{
    struct kz_endpoint others[KZ_ENDPOINTS_MAX];
    size_t original[KZ_ENDPOINTS_MAX], count = 0;
    for (size_t i = 1; i < client->endpoint_count; i++) {
        original[count] = (client->current + i) % client->endpoint_count;
        others[count] = client->endpoints[original[count]];
        count++;
    }
    struct kz_attempts *attempts = calloc(1, sizeof *attempts);
    if (!attempts || count == 0) {
        free(attempts);
        return NULL;
    }
    int64_t deadline_ms = kz_clock_ms() + FRESHER_MS;
    struct kz_dialled dialled;
    Kz__Response *response = NULL;
    enum kz_code code = kz_dial(client->identity, others, count, 0, deadline_ms, &dialled, attempts, NULL);
    free(attempts);
    if (code) return NULL;
    struct kz_connection *connection = kz_connection_new(&dialled);
    if (!connection) return NULL;
    request->mode = KZ__READ_MODE__LINEARIZABLE;
    code = exchange(client, connection, request, deadline_ms, &response, NULL);
    if (code || !kz_client_take_epoch(client, request, response) || !is_latest(response)) {
        if (!code) kz__response__free_unpacked(response, NULL);
        kz_connection_free(connection);
        return NULL;
    }
    kz_connection_free(client->connection);
    client->connection = connection;
    client->current = client->first = original[dialled.endpoint];
    return response;
}

static void prefer_fresher(struct kz_client *client, Kz__Request *request, Kz__Response **response)
{
    if (!is_local_without_quorum(*response)) return;
    Kz__Response *fresher = ask_others(client, request);
    if (!fresher) {
        client->local_until_ms = kz_clock_ms() + LOCAL_MS;
        return;
    }
    kz__response__free_unpacked(*response, NULL);
    *response = fresher;
}

/* ---- the call ---- */

static enum kz_code run(struct call *call, Kz__Response **response, struct kz_err *err)
{
    enum kz_code code = KZ_OK;
    while (kz_clock_left(call->deadline_ms) > 0) {
        if (attempt(call, response, &code, err)) return code;
        if (out_of_tries(call)) break;
        back_off(call);
    }
    if (!call->last && !call->maybe_applied && call->client->attempts.count > 0 && out_of_tries(call))
        (void)kz_fail(err, KZ_UNREACHABLE, "no node answered");
    return give_up(call, response, err);
}

static enum kz_code ensure_id(Kz__WriteRequest *write, uint8_t id[KZ_REQUEST_ID_BYTES], struct kz_err *err)
{
    if (!write || write->request_id.len) return KZ_OK;
    enum kz_code code = kz_client_new_request_id(id, err);
    write->request_id = (ProtobufCBinaryData){.len = KZ_REQUEST_ID_BYTES, .data = id};
    return code;
}

enum kz_code kz_client_call(struct kz_client *client, Kz__Request *request, Kz__Response **response, struct kz_err *err)
{
    struct kz_err local = {.code = KZ_OK};
    if (!err) err = &local;
    *err = (struct kz_err){.code = KZ_OK};
    *response = NULL;
    uint8_t id[KZ_REQUEST_ID_BYTES];
    enum kz_code code = ensure_id(request->write, id, err);
    if (code) return code;
    bool asks_auto = !request->write && client->read == KZ__READ_MODE__AUTO;
    request->has_mode = !request->write;
    request->mode = asks_auto && kz_clock_ms() < client->local_until_ms ? KZ__READ_MODE__LOCAL : client->read;
    kz_client_name_epoch(client, request);
    struct call call = {
        .client = client,
        .request = request,
        .writes = request->write && !(request->write->has_dry_run && request->write->dry_run),
        .started_ms = kz_clock_ms(),
        .deadline_ms = kz_clock_ms() + client->timeout_ms,
        .backoff_ms = BACKOFF_FIRST_MS,
    };
    code = run(&call, response, err);
    if (call.last) kz__response__free_unpacked(call.last, NULL);
    if (!code && asks_auto && request->mode == KZ__READ_MODE__AUTO && !request->status)
        prefer_fresher(client, request, response);
    if (request->write && request->write->request_id.data == id) request->write->request_id = (ProtobufCBinaryData){0};
    return code;
}
