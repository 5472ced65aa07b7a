/* SPDX-License-Identifier: Apache-2.0 */
/* libkeizoku: ask a cluster, with fail-over and retry. Several nodes may be named; the first that completes a TLS
 * handshake answers, a silent one costs KZ_HEDGE_MS. A write keeps its request id through every retry, so it is never
 * applied twice. Does not know the command line, files of records or output formats.
 * One client belongs to one thread; different clients may live in different threads. */
#ifndef KZ_CLIENT_KEIZOKU_H
#define KZ_CLIENT_KEIZOKU_H

#include "client/dial.h"
#include "client/failure.h"
#include "node/base/err.h"
#include "proto/service.pb-c.h"

struct kz_client;

/* Texts are copied. `crl` may be NULL. */
struct kz_client_options {
    const char *nodes; /* "host:port,host:port", "[::1]:7400"; "main=host:port" believes no other node there */
    const char *certificate;
    const char *key;
    const char *ca;
    const char *crl;
    Kz__ReadMode read;
    int64_t timeout_ms;                          /* for one call, all retries included; <= 0: KZ_CLIENT_TIMEOUT_MS */
    void (*trace)(void *data, const char *line); /* NULL: silent */
    void *trace_data;
    struct kz_failure *failure; /* filled when opening fails, for people of both languages; NULL: only `err` is */
};

#define KZ_CLIENT_TIMEOUT_MS 10000

/* Reads certificate, key and CA; connects to nothing yet. KZ_USAGE: bad node list; KZ_TLS: an unusable file. */
enum kz_code kz_client_open(const struct kz_client_options *options, struct kz_client **out,
                            struct kz_err *err) KZ_MUST_CHECK;
void kz_client_free(struct kz_client *client);

/* One request, one answer (frames of a stream are merged). The request's mode and timeout are set here; a write or
 * outcome without a request id gets one. KZ_OK means that a node answered: its answer may hold an `error` or an
 * `outcome` other than OK. Otherwise: UNREACHABLE (see kz_client_attempts), UNKNOWN_OUTCOME (a write may or may not
 * have been applied), TIMED_OUT, PROTOCOL, NO_MEMORY.
 * `*response` is the caller's: kz__response__free_unpacked(r, NULL). */
enum kz_code kz_client_call(struct kz_client *client, Kz__Request *request, Kz__Response **response,
                            struct kz_err *err) KZ_MUST_CHECK;

/* Called for each answer that holds changes, in revision order, none twice, none left out unless `resync` is set.
 * Returns false to end the watch. */
typedef bool (*kz_client_on_change)(void *data, const Kz__Response *response);

/* A watch ends as if `on_change` had returned false, soon after nobody reads `fd` (a pipe or socket) any more, so that
 * it does not outlive its reader until the next change. */
void kz_client_end_with(struct kz_client *client, int fd);

/* Runs until `on_change` returns false (KZ_OK), a node refuses the request (its error in *response), or no node was
 * reachable for `patience_ms` at a stretch (UNREACHABLE); < 0: for ever. Resumes on another node after a break. */
enum kz_code kz_client_watch(struct kz_client *client, const Kz__WatchRequest *watch, int64_t patience_ms,
                             kz_client_on_change on_change, void *data, Kz__Response **response,
                             struct kz_err *err) KZ_MUST_CHECK;

/* One node's state in parts (kz.SnapshotPart), the first with a head, the last marked. False ends it: KZ_FAILED. */
typedef bool (*kz_client_on_part)(void *data, const Kz__Response *response);

/* KZ_OK: all parts came, or a node refused (its error in *response). A stream is not resumed, because it is one moment
 * of one node: after KZ_IO or KZ_TIMED_OUT begin anew, which asks the next node. UNREACHABLE, PROTOCOL, NO_MEMORY. */
enum kz_code kz_client_snapshot(struct kz_client *client, kz_client_on_part on_part, void *data,
                                Kz__Response **response, struct kz_err *err) KZ_MUST_CHECK;
struct kz_tls_identity *kz_client_identity(struct kz_client *client); /* borrowed */

/* 16 bytes from the kernel. */
enum kz_code kz_client_new_request_id(uint8_t id[16], struct kz_err *err) KZ_MUST_CHECK;

/* Why each node could not be reached, in the order tried; borrowed until the next call. */
const struct kz_attempt *kz_client_attempts(const struct kz_client *client, size_t *count);
/* From our own certificate; borrowed. */
const char *kz_client_user(const struct kz_client *client);
const char *kz_client_cluster(const struct kz_client *client);
/* Tells apart clusters of one name, by their CA (kz_tls_anchor). */
void kz_client_anchor(const struct kz_client *client, char out[KZ_TLS_ANCHOR_BYTES]);
/* The latest epoch heard of, or given. A node of an earlier one is asked nothing but its own copy (read LOCAL): it was
 * left behind when the cluster was recovered, and what it says is not the registry any more. */
uint64_t kz_client_epoch(const struct kz_client *client);
void kz_client_know_epoch(struct kz_client *client,
                          uint64_t epoch); /* from an earlier run; an earlier one changes nothing */

#endif
