/* SPDX-License-Identifier: Apache-2.0 */
/* The name in a certificate: spiffe://<trust>/cluster/<cluster>/node/<name> or .../user/<name>. Pure; any thread. */
#ifndef KZ_CLIENT_SAN_H
#define KZ_CLIENT_SAN_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/wire.h"

#define KZ_TRUST_MAX_BYTES 255u

struct kz_san {
    char trust[KZ_TRUST_MAX_BYTES + 1];
    char cluster[KZ_NAME_MAX_BYTES + 1];
    char name[KZ_NAME_MAX_BYTES + 1];
    bool is_node;
};

/* Bytes as they stand in the certificate. False (and `out` emptied) on anything but exactly such a name. */
bool kz_san_parse(const unsigned char *uri, size_t size_bytes, struct kz_san *out);
/* What may stand as a node's, user's or cluster's name there. */
bool kz_san_is_name(const char *text, size_t size_bytes);
bool kz_san_same_cluster(const struct kz_san *a, const struct kz_san *b);

#endif
