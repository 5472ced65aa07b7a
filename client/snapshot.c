/* SPDX-License-Identifier: Apache-2.0 */
/* A node's state for a backup: one stream from one node. */
#include "client/call.h"
#include "client/clock.h"

#define DIAL_MS 5000
#define SEND_MS 5000
#define PART_MS 30000 /* a node that says nothing for this long is frozen or gone */

static enum kz_code begin(struct kz_client *client, uint32_t *stream, struct kz_err *err)
{
    Kz__SnapshotRequest snapshot = KZ__SNAPSHOT_REQUEST__INIT;
    Kz__Request request = KZ__REQUEST__INIT;
    enum kz_code code = kz_client_connect(client, kz_clock_ms() + DIAL_MS, err);
    if (code) return code;
    request.snapshot = &snapshot;
    kz_client_name_epoch(client, &request); /* a node that was left behind refuses */
    *stream = ++client->next_stream;
    return kz_connection_send(client->connection, *stream, &request, kz_clock_ms() + SEND_MS, err);
}

/* *done: nothing more comes. The response is freed unless it is a refusal, which is then in *refusal. */
static enum kz_code take(Kz__Response *response, kz_client_on_part on_part, void *data, bool *done,
                         Kz__Response **refusal, struct kz_err *err)
{
    enum kz_code code = KZ_OK;
    *done = true;
    if (response->error) {
        *refusal = response;
        return KZ_OK;
    }
    if (!response->snapshot)
        code = kz_fail(err, KZ_PROTOCOL, "an answer without a part of the state");
    else if (!on_part(data, response))
        code = kz_fail(err, KZ_FAILED, "stopped");
    *done = code || !(response->has_more && response->more);
    kz__response__free_unpacked(response, NULL);
    return code;
}

static enum kz_code follow(struct kz_client *client, kz_client_on_part on_part, void *data, Kz__Response **refusal,
                           struct kz_err *err)
{
    uint32_t stream = 0;
    bool done = false;
    enum kz_code code = begin(client, &stream, err);
    while (!code && !done) {
        uint32_t got = 0;
        Kz__Response *response = NULL;
        code = kz_connection_receive(client->connection, &got, &response, kz_clock_ms() + PART_MS, err);
        if (code) break;
        if (got == stream)
            code = take(response, on_part, data, &done, refusal, err);
        else
            kz__response__free_unpacked(response, NULL); /* a late answer to an earlier request */
    }
    return code;
}

enum kz_code kz_client_snapshot(struct kz_client *client, kz_client_on_part on_part, void *data,
                                Kz__Response **response, struct kz_err *err)
{
    *response = NULL;
    enum kz_code code = follow(client, on_part, data, response, err);
    bool try_next = *response && kz_code_retryable((enum kz_code)(*response)->error->code);
    if ((code || try_next) && client->connection) {
        if (code) kz_client_note_break(client, err);
        kz_client_drop(client);
    }
    return code;
}
