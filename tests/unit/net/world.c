/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/net/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <ftw.h>

void authority_make(struct authority *authority, const char *cluster)
{
    memset(authority, 0, sizeof *authority);
    snprintf(authority->dir, sizeof authority->dir, "/tmp/kz-net-XXXXXX");
    assert_non_null(mkdtemp(authority->dir));
    strcat(authority->dir, "/ca");
    snprintf(authority->cluster, sizeof authority->cluster, "%s", cluster);
    struct kz_err err = {0};
    struct kz_ca_options options = {.cluster = cluster};
    if (kz_ca_create(authority->dir, &options, &err) || kz_ca_open(authority->dir, &authority->ca, &err))
        fail_msg("%s", err.text);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status;
    (void)kind;
    (void)where;
    return remove(path);
}

void authority_end(struct authority *authority)
{
    kz_ca_close(authority->ca);
    *strrchr(authority->dir, '/') = '\0';
    assert_int_equal(nftw(authority->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static void issue(struct authority *authority, const struct kz_ca_leaf *leaf)
{
    struct kz_err err = {0};
    if (kz_ca_issue(authority->ca, leaf, &err)) fail_msg("%s", err.text);
}

void authority_node(struct authority *authority, const char *name, const struct kz_ca_deviation *deviation)
{
    struct kz_ca_leaf leaf = {.kind = KZ_CA_KIND_NODE, .name = name, .addresses = "127.0.0.1", .deviation = deviation};
    issue(authority, &leaf);
}

void authority_user(struct authority *authority, const char *name, const char *role,
                    const struct kz_ca_deviation *deviation)
{
    struct kz_ca_leaf leaf = {.kind = KZ_CA_KIND_USER, .name = name, .role = role, .deviation = deviation};
    issue(authority, &leaf);
}

enum kz_code authority_try_tls(struct authority *authority, const char *who, struct kz_tls **out, struct kz_err *err)
{
    char cert[256], key[256], ca[256], crl[256];
    const char *folder = strncmp(who, "node/", 5) == 0 ? "nodes" : "users";
    snprintf(cert, sizeof cert, "%s/%s/%s.pem", authority->dir, folder, who + 5);
    snprintf(key, sizeof key, "%s/%s/%s.key", authority->dir, folder, who + 5);
    snprintf(ca, sizeof ca, "%s/ca.pem", authority->dir);
    snprintf(crl, sizeof crl, "%s/crl.pem", authority->dir);
    struct kz_tls_config config = {
        .cert_path = cert, .key_path = key, .ca_path = ca, .crl_path = crl, .cluster = authority->cluster};
    return kz_tls_open(out, &config, err);
}

struct kz_tls *authority_tls(struct authority *authority, const char *who)
{
    struct kz_err err = {0};
    struct kz_tls *tls = NULL;
    if (authority_try_tls(authority, who, &tls, &err)) fail_msg("%s", err.text);
    return tls;
}

static void on_open(void *data, struct kz_stream *stream, const struct kz_identity *peer)
{
    struct side *side = data;
    assert_ptr_equal(side->stream, stream);
    assert_false(side->opened || side->closed);
    side->opened = true;
    side->peer = *peer;
}

static void on_data(void *data, struct kz_stream *stream, const uint8_t *bytes, size_t size_bytes)
{
    struct side *side = data;
    assert_ptr_equal(side->stream, stream);
    assert_true(side->opened && !side->closed && size_bytes > 0);
    if (side->on_data)
        side->on_data(side, bytes, size_bytes);
    else
        kz_buf_add(&side->received, bytes, size_bytes);
}

static void on_drain(void *data, struct kz_stream *stream)
{
    struct side *side = data;
    assert_ptr_equal(side->stream, stream);
    side->drained++;
}

static void on_close(void *data, struct kz_stream *stream, const struct kz_stream_end *end)
{
    struct side *side = data;
    assert_ptr_equal(side->stream, stream);
    assert_false(side->closed);
    side->closed = true;
    side->end = *end;
    side->stream = NULL;
}

const struct kz_stream_events side_events = {
    .on_open = on_open, .on_data = on_data, .on_drain = on_drain, .on_close = on_close};

static void take(struct world *world, struct kz_stream *stream, const struct kz_identity *identity)
{
    unsigned index = world->clients + world->peers - 1;
    if (world->refuse_all) {
        kz_stream_close(stream);
        return;
    }
    assert_true(index < WORLD_SIDES_MAX);
    struct side *side = &world->accepted[index];
    side->stream = stream;
    side->opened = true;
    side->peer = *identity;
    kz_stream_set_events(stream, &side_events, side);
}

static void on_client(void *data, struct kz_stream *stream, const struct kz_identity *user)
{
    struct world *world = data;
    assert_int_equal(user->kind, KZ_IDENTITY_USER);
    world->clients++;
    take(world, stream, user);
}

static void on_peer(void *data, struct kz_stream *stream, const struct kz_identity *node)
{
    struct world *world = data;
    assert_int_equal(node->kind, KZ_IDENTITY_NODE);
    world->peers++;
    take(world, stream, node);
}

static const struct kz_listener_events listener_events = {.on_client = on_client, .on_peer = on_peer};

void world_begin(struct world *world, struct kz_tls *server_tls, const struct kz_net_options *net_options,
                 const struct kz_listener_options *listener_options)
{
    struct kz_err err = {0};
    memset(world, 0, sizeof *world);
    assert_int_equal(uv_loop_init(&world->loop), 0);
    world->server_tls = server_tls;
    if (kz_net_open(&world->net, &world->loop, server_tls, net_options, &err) ||
        kz_listener_open(&world->listener, world->net, "127.0.0.1:0", listener_options, &listener_events, world, &err))
        fail_msg("%s", err.text);
    snprintf(world->address, sizeof world->address, "127.0.0.1:%u", kz_listener_port(world->listener));
}

static void set_flag(void *data) { *(bool *)data = true; }

void world_end(struct world *world)
{
    bool closed = false;
    kz_listener_close(world->listener, set_flag, &closed);
    world_wait(world, &closed);
    world_net_close(world, world->net);
    assert_int_equal(uv_loop_close(&world->loop), 0);
    kz_tls_close(world->server_tls);
    for (unsigned i = 0; i < WORLD_SIDES_MAX; i++)
        side_fini(&world->accepted[i]);
}

struct kz_net *world_net(struct world *world, struct kz_tls *tls)
{
    struct kz_err err = {0};
    struct kz_net *net;
    struct kz_net_options patient = {.handshake_timeout_ms = WORLD_GUARD_MS};
    if (kz_net_open(&net, &world->loop, tls, &patient, &err)) fail_msg("%s", err.text);
    return net;
}

void world_net_close(struct world *world, struct kz_net *net)
{
    bool closed = false;
    kz_net_close(net, set_flag, &closed);
    world_wait(world, &closed);
}

void world_connect(struct world *world, struct kz_net *net, const char *expected, enum kz_alpn alpn, struct side *side)
{
    struct kz_err err = {0};
    memset(side, 0, sizeof *side);
    if (kz_stream_connect(&side->stream, net, world->address, expected, alpn, &side_events, side, &err))
        fail_msg("%s", err.text);
}

static void on_guard(uv_timer_t *timer) { *(bool *)timer->data = true; }
static void on_guard_closed(uv_handle_t *handle) { *(bool *)handle->data = true; }

void world_wait_for(struct world *world, bool (*done)(void *data), void *data)
{
    bool late = false, gone = false;
    uv_timer_t guard;
    assert_int_equal(uv_timer_init(&world->loop, &guard), 0);
    guard.data = &late;
    assert_int_equal(uv_timer_start(&guard, on_guard, WORLD_GUARD_MS, 0), 0);
    while (!done(data) && !late)
        uv_run(&world->loop, UV_RUN_ONCE);
    guard.data = &gone;
    uv_close((uv_handle_t *)&guard, on_guard_closed);
    while (!gone)
        uv_run(&world->loop, UV_RUN_NOWAIT);
    if (late) fail_msg("nothing came of it within %u ms", WORLD_GUARD_MS);
}

static bool is_set(void *data) { return *(const bool *)data; }
void world_wait(struct world *world, const bool *flag) { world_wait_for(world, is_set, (void *)flag); }

void world_turn(struct world *world, unsigned ms)
{
    bool over = false, gone = false;
    uv_timer_t timer;
    assert_int_equal(uv_timer_init(&world->loop, &timer), 0);
    timer.data = &over;
    assert_int_equal(uv_timer_start(&timer, on_guard, ms, 0), 0);
    while (!over)
        uv_run(&world->loop, UV_RUN_ONCE);
    timer.data = &gone;
    uv_close((uv_handle_t *)&timer, on_guard_closed);
    while (!gone)
        uv_run(&world->loop, UV_RUN_NOWAIT);
}

void side_fini(struct side *side) { kz_buf_fini(&side->received); }
