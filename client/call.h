/* SPDX-License-Identifier: Apache-2.0 */
/* What libkeizoku's own files share: the client's state and its connection. Not for users of the library. */
#ifndef KZ_CLIENT_CALL_H
#define KZ_CLIENT_CALL_H

#include "client/connection.h"
#include "client/keizoku.h"

struct kz_client {
    struct kz_endpoint endpoints[KZ_ENDPOINTS_MAX];
    size_t endpoint_count;
    size_t first;   /* where the next dial begins */
    size_t current; /* endpoint of `connection` */
    struct kz_tls_identity *identity;
    struct kz_connection *connection; /* NULL: none yet, or lost */
    uint32_t next_stream;
    Kz__ReadMode read;
    uint64_t epoch; /* the latest known; 0: none */
    int64_t timeout_ms;
    int hangup_fd;          /* whose reader's end ends a watch; -1: none */
    int64_t local_until_ms; /* until then `auto` does not wait for a quorum again */
    void (*trace)(void *data, const char *line);
    void *trace_data;
    struct kz_attempts attempts;
};

void kz_client_trace(const struct kz_client *client, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Connects when there is no connection. */
enum kz_code kz_client_connect(struct kz_client *client, int64_t deadline_ms, struct kz_err *err) KZ_MUST_CHECK;
/* Ends the connection; the next dial begins with the node after it. */
void kz_client_drop(struct kz_client *client);
/* The epoch goes with every request but those for a node's own copy, or about the node itself. */
void kz_client_name_epoch(const struct kz_client *client, Kz__Request *request);
/* False: the answer is of an earlier epoch and may not be used for this request. */
bool kz_client_take_epoch(struct kz_client *client, const Kz__Request *request, const Kz__Response *response);
/* Remembers why the connection broke, for the person who reads "no node reachable". */
void kz_client_note_break(struct kz_client *client, const struct kz_err *err);

#endif
