/* SPDX-License-Identifier: Apache-2.0 */
/* One name look-up in a thread of its own: getaddrinfo can block for many seconds when a name server is gone. The
 * caller may abandon it at any time. */
#ifndef KZ_CLIENT_LOOKUP_H
#define KZ_CLIENT_LOOKUP_H

#include <netdb.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "client/dial.h"

struct kz_address {
    struct sockaddr_storage bytes;
    socklen_t size_bytes;
};

struct kz_lookup;

/* True when the host is an address already: no thread, no name server. */
bool kz_lookup_numeric(const struct kz_endpoint *endpoint, struct kz_address *out);

struct kz_lookup *kz_lookup_start(const struct kz_endpoint *endpoint); /* NULL: no memory, thread or descriptor */
int kz_lookup_fd(const struct kz_lookup *lookup);                      /* readable when the result is there */
/* After the descriptor became readable. 0, or getaddrinfo's error. */
int kz_lookup_take(const struct kz_lookup *lookup, struct kz_address out[KZ_ADDRESSES_MAX], size_t *count);
void kz_lookup_free(struct kz_lookup *lookup);

#endif
