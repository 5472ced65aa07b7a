/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/net/raw.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/wire.h"

static struct authority home;

static int set_up(void **state)
{
    (void)state;
    authority_make(&home, "lab");
    authority_node(&home, "main", NULL);
    authority_node(&home, "remote", NULL);
    authority_user(&home, "sato", "operator", NULL);
    authority_user(&home, "suzuki", "reader", NULL);
    return 0;
}
static int tear_down(void **state)
{
    (void)state;
    authority_end(&home);
    return 0;
}

/* A plain TCP connection to the world's port, not blocking. */
static int plain_connect(struct world *world)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)kz_listener_port(world->listener))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

static bool is_cut(int fd)
{
    uint8_t bytes[512];
    ssize_t got;
    while ((got = recv(fd, bytes, sizeof bytes, 0)) > 0)
        ;
    return got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

struct cut {
    int fd;
};
static bool plain_is_cut(void *data) { return is_cut(((struct cut *)data)->fd); }

static struct kz_listener_stats stats_of(struct world *world)
{
    struct kz_listener_stats stats;
    kz_listener_stats(world->listener, &stats);
    return stats;
}

static void garbage_drops_that_connection_only(void **state)
{
    (void)state;
    struct world *world = calloc(1, sizeof *world);
    struct side side;
    static uint8_t noise[49 * 4096];
    unsigned random = 5;
    world_begin(world, authority_tls(&home, "node/main"), NULL, NULL);
    struct kz_tls *tls = authority_tls(&home, "user/sato");
    struct kz_net *net = world_net(world, tls);
    world_connect(world, net, "main", KZ_ALPN_FOR_CLIENT, &side);
    world_wait(world, &side.opened);
    static const char *const texts[] = {"GET / HTTP/1.1\r\n\r\n", "SSH-2.0-x\r\n", "\x16\x03\x01\xff\xff\x01",
                                        "\x16\x03\x03\x00\x04\x01\xff\xff\xff", "\x15\x03\x03\x00\x02\x02\x28"};
    for (unsigned i = 0; i < 30; i++) {
        for (size_t j = 0; j < sizeof noise; j++)
            noise[j] = (uint8_t)rand_r(&random);
        if (i < 5) memcpy(noise, texts[i], strlen(texts[i]));
        struct cut cut = {.fd = plain_connect(world)};
        for (size_t at = 0; at < sizeof noise; at += 4096) {
            if (send(cut.fd, noise + at, 4096, MSG_NOSIGNAL) < 0) break;
            if (i & 1) uv_run(&world->loop, UV_RUN_NOWAIT);
        }
        shutdown(cut.fd, SHUT_WR);
        world_wait_for(world, plain_is_cut, &cut);
        close(cut.fd);
    }
    assert_false(side.closed);
    assert_int_equal(world->clients, 1);
    world_net_close(world, net);
    world_end(world);
    kz_tls_close(tls);
    free(world);
}

static bool no_strangers(void *data) { return stats_of(data).strangers == 0; }

static void a_slow_handshake_is_cut_by_its_deadline(void **state)
{
    (void)state;
    struct world *world = calloc(1, sizeof *world);
    struct kz_net_options options = {.handshake_timeout_ms = 150};
    world_begin(world, authority_tls(&home, "node/main"), &options, NULL);
    /* one says nothing, one says half a record, one trickles */
    int fds[3];
    for (unsigned i = 0; i < 3; i++)
        fds[i] = plain_connect(world);
    assert_int_equal(send(fds[1], "\x16\x03\x01\x01\x00\x01", 6, MSG_NOSIGNAL), 6);
    struct cut cut = {.fd = fds[2]};
    while (!plain_is_cut(&cut)) {
        (void)send(fds[2], "\x16", 1, MSG_NOSIGNAL);
        uv_run(&world->loop, UV_RUN_ONCE);
    }
    world_wait_for(world, no_strangers, world);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(is_cut(fds[i]));
        close(fds[i]);
    }
    world_end(world);
    free(world);
}

struct crowd {
    struct side *sides;
    unsigned count;
    struct world *world;
};
static bool all_open(void *data)
{
    struct crowd *crowd = data;
    for (unsigned i = 0; i < crowd->count; i++) {
        if (crowd->sides[i].closed) fail_msg("connection %u: %s", i, crowd->sides[i].end.text);
        if (!crowd->sides[i].opened) return false;
    }
    return crowd->world->clients == crowd->count;
}
static bool all_echoed(void *data)
{
    struct crowd *crowd = data;
    for (unsigned i = 0; i < crowd->count; i++)
        if (crowd->sides[i].received.size_bytes < 4) return false;
    return true;
}
static void echo(struct side *side, const uint8_t *bytes, size_t size_bytes)
{
    assert_int_equal(kz_stream_write(side->stream, bytes, size_bytes), KZ_OK);
}

static void two_hundred_connections_are_served_at_once(void **state)
{
    (void)state;
    struct world *world = calloc(1, sizeof *world);
    struct side *sides = calloc(200, sizeof *sides);
    struct kz_net_options patient = {.handshake_timeout_ms = WORLD_GUARD_MS};
    world_begin(world, authority_tls(&home, "node/main"), &patient, NULL);
    struct kz_tls *tls = authority_tls(&home, "user/sato");
    struct kz_net *net = world_net(world, tls);
    struct crowd crowd = {.sides = sides, .count = 200, .world = world};
    for (unsigned i = 0; i < crowd.count; i++) {
        world->accepted[i].on_data = echo;
        world_connect(world, net, "main", KZ_ALPN_FOR_CLIENT, &sides[i]);
    }
    world_wait_for(world, all_open, &crowd);
    assert_int_equal(stats_of(world).admins, 200);
    for (unsigned i = 0; i < crowd.count; i++)
        assert_int_equal(kz_stream_write(sides[i].stream, "ping", 4), KZ_OK);
    world_wait_for(world, all_echoed, &crowd);
    world_net_close(world, net);
    for (unsigned i = 0; i < crowd.count; i++) {
        assert_memory_equal(sides[i].received.data, "ping", 4);
        side_fini(&sides[i]);
    }
    world_end(world);
    kz_tls_close(tls);
    free(sides);
    free(world);
}

/* Opens and waits until it is either served or turned away. */
static bool is_served(struct world *world, struct kz_net *net, enum kz_alpn alpn, struct side *side)
{
    unsigned before = world->clients + world->peers;
    uint64_t over = stats_of(world).over_limit;
    world_connect(world, net, "main", alpn, side);
    while (world->clients + world->peers == before && stats_of(world).over_limit == over)
        uv_run(&world->loop, UV_RUN_ONCE);
    if (world->clients + world->peers == before) {
        world_wait(world, &side->closed);
        return false;
    }
    world_wait(world, &side->opened);
    return true;
}

static void each_class_has_its_share(void **state)
{
    (void)state;
    struct world *world = calloc(1, sizeof *world);
    struct side sides[16];
    struct kz_listener_options options = {.connections_max = 6, .peers_reserved = 2, .admins_reserved = 1};
    world_begin(world, authority_tls(&home, "node/main"), NULL, &options);
    struct kz_tls *reader = authority_tls(&home, "user/suzuki"), *operator= authority_tls(&home, "user/sato"),
                  *node = authority_tls(&home, "node/remote");
    struct kz_net *readers = world_net(world, reader), *operators = world_net(world, operator),
                  *nodes = world_net(world, node);
    for (unsigned i = 0; i < 3; i++)
        assert_true(is_served(world, readers, KZ_ALPN_FOR_CLIENT, &sides[i]));
    assert_false(is_served(world, readers, KZ_ALPN_FOR_CLIENT, &sides[3]));
    assert_int_equal(sides[3].end.layer, KZ_LAYER_NONE);
    assert_true(is_served(world, operators, KZ_ALPN_FOR_CLIENT, &sides[4]));
    assert_false(is_served(world, operators, KZ_ALPN_FOR_CLIENT, &sides[5]));
    assert_true(is_served(world, nodes, KZ_ALPN_FOR_PEER, &sides[6]));
    assert_true(is_served(world, nodes, KZ_ALPN_FOR_PEER, &sides[7]));
    assert_false(is_served(world, nodes, KZ_ALPN_FOR_PEER, &sides[8]));
    struct kz_listener_stats stats = stats_of(world);
    assert_int_equal(stats.clients, 3);
    assert_int_equal(stats.admins, 1);
    assert_int_equal(stats.peers, 2);
    assert_int_equal(stats.over_limit, 3);
    /* a place given back can be used again */
    kz_stream_close(sides[0].stream);
    world_wait(world, &sides[0].closed);
    world_wait(world, &world->accepted[0].closed);
    assert_true(is_served(world, readers, KZ_ALPN_FOR_CLIENT, &sides[9]));
    world_net_close(world, readers);
    world_net_close(world, operators);
    world_net_close(world, nodes);
    world_end(world);
    kz_tls_close(reader);
    kz_tls_close(operator);
    kz_tls_close(node);
    free(world);
}

static void a_flood_of_silent_strangers_does_not_keep_others_out(void **state)
{
    (void)state;
    struct world *world = calloc(1, sizeof *world);
    struct side side;
    int fds[40];
    struct kz_listener_options options = {.strangers_max = 8};
    world_begin(world, authority_tls(&home, "node/main"), NULL, &options);
    struct kz_tls *tls = authority_tls(&home, "user/sato");
    struct kz_net *net = world_net(world, tls);
    for (unsigned i = 0; i < 40; i++) {
        fds[i] = plain_connect(world);
        uv_run(&world->loop, UV_RUN_NOWAIT);
    }
    assert_true(stats_of(world).strangers <= 9);
    world_connect(world, net, "main", KZ_ALPN_FOR_CLIENT, &side);
    world_wait(world, &side.opened);
    world_wait(world, &world->accepted[0].opened);
    assert_true(stats_of(world).over_limit >= 31);
    for (unsigned i = 0; i < 40; i++)
        close(fds[i]);
    world_net_close(world, net);
    world_end(world);
    kz_tls_close(tls);
    free(world);
}

static void running_out_of_descriptors_is_survived(void **state)
{
    (void)state;
    struct world *world = calloc(1, sizeof *world);
    struct side side;
    struct rlimit before, tight;
    struct cut cuts[4];
    int fillers[64];
    unsigned filled = 0;
    world_begin(world, authority_tls(&home, "node/main"), NULL, NULL);
    struct kz_tls *tls = authority_tls(&home, "user/sato");
    struct kz_net *net = world_net(world, tls);
    uv_run(&world->loop, UV_RUN_NOWAIT);
    for (unsigned i = 0; i < 4; i++) /* they wait in the backlog while the last descriptors go */
        cuts[i].fd = plain_connect(world);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    tight = before;
    tight.rlim_cur = (rlim_t)cuts[3].fd + 1;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    while (filled < 64 && (fillers[filled] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
        filled++;
    assert_true(filled < 64);
    for (unsigned i = 0; i < 4; i++)
        world_wait_for(world, plain_is_cut, &cuts[i]);
    assert_int_equal(stats_of(world).accepted, 0);
    while (filled > 0)
        close(fillers[--filled]);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    world_connect(world, net, "main", KZ_ALPN_FOR_CLIENT, &side);
    world_wait(world, &side.opened);
    for (unsigned i = 0; i < 4; i++)
        close(cuts[i].fd);
    world_net_close(world, net);
    world_end(world);
    kz_tls_close(tls);
    free(world);
}

static void a_bad_or_taken_address_is_refused_by_name(void **state)
{
    (void)state;
    struct world *world = calloc(1, sizeof *world);
    struct kz_listener *second = NULL;
    struct kz_err err = {0};
    static const struct kz_listener_events events = {0};
    world_begin(world, authority_tls(&home, "node/main"), NULL, NULL);
    assert_int_equal(kz_listener_open(&second, world->net, world->address, NULL, &events, NULL, &err), KZ_IO);
    assert_non_null(strstr(err.text, world->address));
    assert_int_equal(kz_listener_open(&second, world->net, "nowhere", NULL, &events, NULL, &err), KZ_INVALID);
    assert_int_equal(kz_listener_open(&second, world->net, "192.0.2.1:0", NULL, &events, NULL, &err), KZ_IO);
    assert_null(second);
    uv_run(&world->loop, UV_RUN_NOWAIT);
    world_end(world);
    free(world);
}

static void an_owner_may_turn_a_stream_away_at_once(void **state)
{
    (void)state;
    struct world *world = calloc(1, sizeof *world);
    struct side side;
    world_begin(world, authority_tls(&home, "node/main"), NULL, NULL);
    world->refuse_all = true;
    struct kz_tls *tls = authority_tls(&home, "user/sato");
    struct kz_net *net = world_net(world, tls);
    world_connect(world, net, "main", KZ_ALPN_FOR_CLIENT, &side);
    world_wait(world, &side.closed);
    assert_int_equal(side.end.layer, KZ_LAYER_NONE);
    assert_int_equal(world->clients, 1);
    world_net_close(world, net);
    world_end(world);
    kz_tls_close(tls);
    free(world);
}

static void data_sent_right_behind_the_handshake_is_delivered(void **state)
{
    (void)state;
    struct world *world = calloc(1, sizeof *world);
    struct raw raw = {.issuer = &home, .who = "user/sato", .alpn = KZ_ALPN_CLIENT, .say = "no waiting"};
    world_begin(world, authority_tls(&home, "node/main"), NULL, NULL);
    raw_start(&raw, world);
    while (world->accepted[0].received.size_bytes < 10)
        uv_run(&world->loop, UV_RUN_ONCE);
    assert_memory_equal(world->accepted[0].received.data, "no waiting", 10);
    kz_stream_close(world->accepted[0].stream);
    world_wait(world, &raw.done);
    assert_int_equal(raw.handshake, 0);
    world_end(world);
    free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(garbage_drops_that_connection_only),
        cmocka_unit_test(a_slow_handshake_is_cut_by_its_deadline),
        cmocka_unit_test(two_hundred_connections_are_served_at_once),
        cmocka_unit_test(each_class_has_its_share),
        cmocka_unit_test(a_flood_of_silent_strangers_does_not_keep_others_out),
        cmocka_unit_test(running_out_of_descriptors_is_survived),
        cmocka_unit_test(a_bad_or_taken_address_is_refused_by_name),
        cmocka_unit_test(an_owner_may_turn_a_stream_away_at_once),
        cmocka_unit_test(data_sent_right_behind_the_handshake_is_delivered),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
