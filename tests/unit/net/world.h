/* SPDX-License-Identifier: Apache-2.0 */
/* What the network tests share: an authority with real certificates in a temporary folder, and one loop with a
 * server and clients on it. Everything fails the running test when it does not work. One thread. */
#ifndef KZ_TESTS_NET_WORLD_H
#define KZ_TESTS_NET_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <uv.h>

#include "node/base/buf.h"
#include "node/net/listener.h"
#include "node/net/stream.h"
#include "node/net/tls.h"
#include "tools/ca.h"

#define WORLD_GUARD_MS 60000u /* a hang becomes a failure; nothing is measured with it */

struct authority {
    char dir[128];
    char cluster[32];
    struct kz_ca *ca;
};

void authority_make(struct authority *authority, const char *cluster);
void authority_end(struct authority *authority); /* removes the folder */
void authority_node(struct authority *authority, const char *name, const struct kz_ca_deviation *deviation);
void authority_user(struct authority *authority, const char *name, const char *role,
                    const struct kz_ca_deviation *deviation);
/* "node/NAME" or "user/NAME" with this authority's CA and CRL files. */
enum kz_code authority_try_tls(struct authority *authority, const char *who, struct kz_tls **out, struct kz_err *err);
struct kz_tls *authority_tls(struct authority *authority, const char *who);

/* One side of a stream and what it saw. */
struct side {
    struct kz_stream *stream; /* NULL after close */
    bool opened, closed;
    unsigned drained;
    struct kz_identity peer;
    struct kz_stream_end end;
    struct kz_buf received;
    void (*on_data)(struct side *side, const uint8_t *bytes, size_t size_bytes); /* instead of keeping it */
    void *data;
};
extern const struct kz_stream_events side_events;

#define WORLD_SIDES_MAX 512

struct world {
    uv_loop_t loop;
    struct kz_tls *server_tls; /* owned */
    struct kz_net *net;        /* the server's */
    struct kz_listener *listener;
    struct side accepted[WORLD_SIDES_MAX];
    unsigned clients, peers; /* handed over so far, in accepted[0..] */
    bool refuse_all;         /* close instead of taking over */
    char address[32];
};

void world_begin(struct world *world, struct kz_tls *server_tls, const struct kz_net_options *net_options,
                 const struct kz_listener_options *listener_options);
void world_end(struct world *world);
/* One more on the loop, for clients that are patient: a busy machine is not what is tested. */
struct kz_net *world_net(struct world *world, struct kz_tls *tls);
void world_net_close(struct world *world, struct kz_net *net);
void world_connect(struct world *world, struct kz_net *net, const char *expected, enum kz_alpn alpn, struct side *side);
/* Turns the loop until `*flag`, or fails the test. */
void world_wait(struct world *world, const bool *flag);
void world_wait_for(struct world *world, bool (*done)(void *data), void *data);
void world_turn(struct world *world, unsigned ms); /* for that long */
void side_fini(struct side *side);

#endif
