/* SPDX-License-Identifier: Apache-2.0 */
/* A TLS end that checks nothing and shows whatever certificate it is given: what the code under test must refuse.
 * Runs its blocking calls on libuv's pool, so that the loop of the world can turn meanwhile. */
#ifndef KZ_TESTS_NET_RAW_H
#define KZ_TESTS_NET_RAW_H

#include <stdbool.h>

#include "tests/unit/net/world.h"

struct raw {
    /* set by the test */
    bool server;              /* listens on `port`, which raw_start fills in; else connects to it */
    struct authority *issuer; /* whose certificate, */
    const char *who;          /* "node/x", "user/x"; NULL = show none */
    const char *alpn;         /* NULL = offer none */
    const char *say;          /* sent after the handshake; may be NULL */
    unsigned port;
    /* filled in */
    bool done;
    int handshake; /* 0, or the library's error */
    int read;      /* of the read after it: bytes, or the error */
    int alert;     /* that ended it, or -1 */
    bool blind;    /* TLS 1.3, where 3.6's alert about our certificate cannot be read (node/net/mbed.h) */
    int listening;
    uv_work_t work;
};

void raw_start(struct raw *raw, struct world *world);

#endif
