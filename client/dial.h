/* SPDX-License-Identifier: Apache-2.0 */
/* Connecting to the first of several nodes that answers. The next node is tried when the one before has not completed
 * DNS, TCP and TLS within KZ_HEDGE_MS or has failed; the first to complete wins. Keeps why each one failed.
 * Blocking, one thread; name look-ups run in threads of their own because they cannot be cut short. */
#ifndef KZ_CLIENT_DIAL_H
#define KZ_CLIENT_DIAL_H

#include "client/tls.h"
#include "proto/wire.h"

#define KZ_HEDGE_MS 250 /* with the connect that follows, a silent node costs less than 300 ms */
#define KZ_ENDPOINTS_MAX 32u
#define KZ_ADDRESSES_MAX 4u /* of one name */
#define KZ_HOST_MAX_BYTES 256u

struct kz_endpoint {
    char name[KZ_NAME_MAX_BYTES + 1]; /* the node that must answer there; "": any of the cluster */
    char host[KZ_HOST_MAX_BYTES];
    char port[6];
};

/* "host:port,name=host:port". KZ_USAGE: `failure` names the bad part. */
enum kz_code kz_endpoints_parse(const char *text, struct kz_endpoint endpoints[KZ_ENDPOINTS_MAX], size_t *count,
                                struct kz_failure *failure, struct kz_err *err) KZ_MUST_CHECK;

#define KZ_ENDPOINT_TEXT_BYTES (KZ_NAME_MAX_BYTES + 1 + KZ_HOST_MAX_BYTES + 9)
/* As it is written in a list: "host:port", "main=[::1]:7400" */
void kz_endpoint_format(const struct kz_endpoint *endpoint, char out[KZ_ENDPOINT_TEXT_BYTES]);

struct kz_attempt {
    char node[KZ_ENDPOINT_TEXT_BYTES];
    enum kz_layer layer;
    enum kz_text_id reason;
    char detail[160]; /* as in struct kz_tls_failure */
};

#define KZ_ATTEMPTS_MAX (KZ_ENDPOINTS_MAX * KZ_ADDRESSES_MAX)
struct kz_attempts {
    struct kz_attempt items[KZ_ATTEMPTS_MAX];
    size_t count;
};

struct kz_dialled {
    int fd; /* non-blocking */
    struct kz_tls *tls;
    size_t endpoint; /* which one won */
};

/* Tries `count` endpoints starting with `first`, until `deadline_ms` (monotonic). KZ_UNREACHABLE: see `attempts`. */
enum kz_code kz_dial(struct kz_tls_identity *identity, const struct kz_endpoint *endpoints, size_t count, size_t first,
                     int64_t deadline_ms, struct kz_dialled *out, struct kz_attempts *attempts,
                     struct kz_err *err) KZ_MUST_CHECK;

#endif
