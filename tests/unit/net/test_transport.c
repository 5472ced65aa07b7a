/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/net/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/consensus/transport.h"

#define NODES 3u

/* One node: its own net, port and transport, on the loop that all share. */
struct node {
    struct cluster *cluster;
    uint64_t id;
    char name[16], address[32];
    struct kz_tls *tls;
    struct kz_net *net;
    struct kz_listener *listener;
    struct kz_transport *transport;
    bool refuse; /* check_hello says no */
    unsigned up[NODES + 1], down[NODES + 1], hellos;
    unsigned messages[NODES + 1];
    uint64_t last_term[NODES + 1];
    uint64_t last_sequence[NODES + 1];
    size_t bytes[NODES + 1];
};

struct cluster {
    struct world world; /* only its loop and waiting are used */
    struct node nodes[NODES + 1];
};

static struct authority home;
static const char *const names[] = {"", "main", "alternate", "remote"};

static int set_up(void **state)
{
    (void)state;
    authority_make(&home, "lab");
    for (unsigned i = 1; i <= NODES; i++)
        authority_node(&home, names[i], NULL);
    authority_node(&home, "stranger", NULL);
    return 0;
}
static int tear_down(void **state)
{
    (void)state;
    authority_end(&home);
    return 0;
}

static Kz__Refusal check_hello(void *data, const Kz__Hello *hello, char *why)
{
    struct node *node = data;
    node->hellos++;
    assert_int_equal(hello->incarnation.len, KZ_TRANSPORT_INCARNATION_BYTES);
    if (!node->refuse) return KZ__REFUSAL__NOT_REFUSED;
    snprintf(why, KZ_TRANSPORT_WHY_BYTES, "incarnation of '%s' changed: it was wiped", hello->name);
    return KZ__REFUSAL__REFUSED_WIPED;
}

static void message(void *data, uint64_t peer_id, const Kz__PeerMessage *received)
{
    struct node *node = data;
    assert_true(peer_id >= 1 && peer_id <= NODES && peer_id != node->id);
    node->messages[peer_id]++;
    if (received->probe) {
        assert_true(received->probe->round == node->last_term[peer_id] + 1); /* in order, none twice */
        node->last_term[peer_id] = received->probe->round;
    }
    if (received->snapshot_chunk) {
        assert_true(received->snapshot_chunk->sequence == node->last_sequence[peer_id] + 1);
        node->last_sequence[peer_id] = received->snapshot_chunk->sequence;
        node->bytes[peer_id] += received->snapshot_chunk->data.len;
    }
}

static void peer_up(void *data, uint64_t peer_id)
{
    struct node *node = data;
    node->up[peer_id]++;
    assert_int_equal(node->up[peer_id], node->down[peer_id] + 1);
}
static void peer_down(void *data, uint64_t peer_id)
{
    struct node *node = data;
    node->down[peer_id]++;
    assert_int_equal(node->up[peer_id], node->down[peer_id]);
}

static const struct kz_transport_events transport_events = {
    .check_hello = check_hello, .message = message, .peer_up = peer_up, .peer_down = peer_down};

static void on_peer(void *data, struct kz_stream *stream, const struct kz_identity *identity)
{
    kz_transport_accept(((struct node *)data)->transport, stream, identity);
}
static void on_client(void *data, struct kz_stream *stream, const struct kz_identity *identity)
{
    (void)data;
    (void)identity;
    kz_stream_close(stream);
}
static const struct kz_listener_events listener_events = {.on_client = on_client, .on_peer = on_peer};

/* Starts node `id`; an address of an earlier life is used again. */
static void start(struct cluster *cluster, uint64_t id, const char *cluster_id, uint64_t epoch)
{
    struct node *node = &cluster->nodes[id];
    struct kz_err err = {0};
    struct kz_transport_self self = {.cluster = cluster_id, .epoch = epoch, .node_id = id};
    char who[32];
    node->cluster = cluster;
    node->id = id;
    if (!node->name[0]) snprintf(node->name, sizeof node->name, "%s", names[id]);
    snprintf(who, sizeof who, "node/%s", node->name);
    self.name = node->name;
    memset(self.incarnation, (int)id, sizeof self.incarnation);
    node->tls = authority_tls(&home, who);
    if (kz_net_open(&node->net, &cluster->world.loop, node->tls, NULL, &err) ||
        kz_listener_open(&node->listener, node->net, node->address[0] ? node->address : "127.0.0.1:0", NULL,
                         &listener_events, node, &err) ||
        kz_transport_open(&node->transport, node->net, &self, &transport_events, node, &err))
        fail_msg("%s", err.text);
    snprintf(node->address, sizeof node->address, "127.0.0.1:%u", kz_listener_port(node->listener));
}

static void set_flag(void *data) { *(bool *)data = true; }

static void stop(struct node *node)
{
    bool transport = false, listener = false;
    kz_listener_close(node->listener, set_flag, &listener);
    kz_transport_close(node->transport, set_flag, &transport);
    world_wait(&node->cluster->world, &transport);
    world_wait(&node->cluster->world, &listener);
    world_net_close(&node->cluster->world, node->net);
    kz_tls_close(node->tls);
    node->net = NULL;
}

/* Like kill -9: every connection of the node is reset, nothing is said. */
static void kill_node(struct node *node)
{
    bool transport = false, listener = false, net = false;
    kz_net_close(node->net, set_flag, &net);
    kz_transport_close(node->transport, set_flag, &transport);
    kz_listener_close(node->listener, set_flag, &listener);
    while (!transport || !listener || !net)
        uv_run(&node->cluster->world.loop, UV_RUN_ONCE);
    kz_tls_close(node->tls);
    node->net = NULL;
}

static void know(struct node *node, const struct node *peer)
{
    struct kz_err err = {0};
    if (kz_transport_set_peer(node->transport, peer->id, names[peer->id], peer->address, &err))
        fail_msg("%s", err.text);
}

static struct cluster *cluster_begin(void)
{
    struct cluster *cluster = calloc(1, sizeof *cluster);
    assert_int_equal(uv_loop_init(&cluster->world.loop), 0);
    return cluster;
}

static struct cluster *cluster_of_three(void)
{
    struct cluster *cluster = cluster_begin();
    for (uint64_t id = 1; id <= NODES; id++)
        start(cluster, id, "lab", 1);
    for (uint64_t id = 1; id <= NODES; id++)
        for (uint64_t peer = 1; peer <= NODES; peer++)
            if (peer != id) know(&cluster->nodes[id], &cluster->nodes[peer]);
    return cluster;
}

static void cluster_end(struct cluster *cluster)
{
    for (uint64_t id = 1; id <= NODES; id++)
        if (cluster->nodes[id].net) stop(&cluster->nodes[id]);
    assert_int_equal(uv_loop_close(&cluster->world.loop), 0);
    free(cluster);
}

static bool all_connected(void *data)
{
    struct cluster *cluster = data;
    for (uint64_t id = 1; id <= NODES; id++)
        for (uint64_t peer = 1; peer <= NODES; peer++)
            if (peer != id && cluster->nodes[id].net && cluster->nodes[peer].net &&
                (!kz_transport_connected(cluster->nodes[id].transport, peer) ||
                 cluster->nodes[id].up[peer] == cluster->nodes[id].down[peer]))
                return false;
    return true;
}

static enum kz_code send_probe(struct node *node, uint64_t peer, uint64_t round)
{
    Kz__Probe probe = KZ__PROBE__INIT;
    Kz__PeerMessage outgoing = KZ__PEER_MESSAGE__INIT;
    probe.term = 1;
    probe.round = round;
    outgoing.probe = &probe;
    return kz_transport_send(node->transport, peer, &outgoing);
}

static void messages_arrive_in_order_between_all(void **state)
{
    (void)state;
    struct cluster *cluster = cluster_of_three();
    assert_int_equal(send_probe(&cluster->nodes[1], 2, 1), KZ_UNREACHABLE);
    assert_int_equal(send_probe(&cluster->nodes[1], 9, 1), KZ_NOT_FOUND);
    assert_int_equal(kz_transport_heard_ms(cluster->nodes[1].transport, 2), KZ_TRANSPORT_NEVER_MS);
    assert_true(kz_transport_problem(cluster->nodes[1].transport, 2)[0]);
    world_wait_for(&cluster->world, all_connected, cluster);
    assert_string_equal(kz_transport_problem(cluster->nodes[1].transport, 2), "");
    assert_true(kz_transport_heard_ms(cluster->nodes[1].transport, 2) < WORLD_GUARD_MS);
    for (uint64_t round = 1; round <= 500; round++) {
        for (uint64_t id = 1; id <= NODES; id++)
            for (uint64_t peer = 1; peer <= NODES; peer++)
                if (peer != id) assert_int_equal(send_probe(&cluster->nodes[id], peer, round), KZ_OK);
        uv_run(&cluster->world.loop, UV_RUN_NOWAIT);
    }
    for (uint64_t id = 1; id <= NODES; id++)
        for (uint64_t peer = 1; peer <= NODES; peer++)
            while (peer != id && cluster->nodes[id].last_term[peer] < 500)
                uv_run(&cluster->world.loop, UV_RUN_ONCE);
    cluster_end(cluster);
}

static bool one_saw_two_die(void *data)
{
    struct cluster *cluster = data;
    return cluster->nodes[1].down[2] == 1 && cluster->nodes[3].down[2] == 1;
}

static void a_killed_peer_is_down_at_once_and_up_again_after_its_restart(void **state)
{
    (void)state;
    struct cluster *cluster = cluster_of_three();
    world_wait_for(&cluster->world, all_connected, cluster);
    kill_node(&cluster->nodes[2]);
    world_wait_for(&cluster->world, one_saw_two_die, cluster);
    assert_false(kz_transport_connected(cluster->nodes[1].transport, 2));
    assert_int_equal(send_probe(&cluster->nodes[1], 2, 1), KZ_UNREACHABLE);
    assert_int_equal(cluster->nodes[1].down[3], 0);
    world_turn(&cluster->world, 500); /* some failed redials */
    assert_true(kz_transport_problem(cluster->nodes[1].transport, 2)[0]);
    memset(cluster->nodes[2].up, 0, sizeof cluster->nodes[2].up);
    memset(cluster->nodes[2].down, 0, sizeof cluster->nodes[2].down);
    start(cluster, 2, "lab", 1);
    know(&cluster->nodes[2], &cluster->nodes[1]);
    know(&cluster->nodes[2], &cluster->nodes[3]);
    world_wait_for(&cluster->world, all_connected, cluster);
    assert_int_equal(cluster->nodes[1].up[2], 2);
    assert_int_equal(cluster->nodes[1].down[2], 1);
    cluster_end(cluster);
}

/* Starts 1 and 2, which know each other, but not in a way that both accept. */
static struct cluster *pair_that_disagrees(const char *cluster_id, uint64_t epoch)
{
    struct cluster *cluster = cluster_begin();
    start(cluster, 1, "lab", 1);
    start(cluster, 2, cluster_id, epoch);
    know(&cluster->nodes[1], &cluster->nodes[2]);
    know(&cluster->nodes[2], &cluster->nodes[1]);
    return cluster;
}

static bool both_know_the_problem(void *data)
{
    struct cluster *cluster = data;
    const char *one = kz_transport_problem(cluster->nodes[1].transport, 2);
    const char *two = kz_transport_problem(cluster->nodes[2].transport, 1);
    return strstr(one, "refuse") && strstr(two, "refuse");
}

static void expect_no_contact(struct cluster *cluster, const char *words)
{
    world_wait_for(&cluster->world, both_know_the_problem, cluster);
    world_turn(&cluster->world, 600); /* they go on trying */
    for (uint64_t id = 1; id <= 2; id++) {
        const char *problem = kz_transport_problem(cluster->nodes[id].transport, 3 - id);
        if (!strstr(problem, words)) fail_msg("'%s' is not in '%s'", words, problem);
        assert_int_equal(cluster->nodes[id].up[3 - id], 0);
        assert_int_equal(cluster->nodes[id].messages[3 - id], 0);
        assert_false(kz_transport_connected(cluster->nodes[id].transport, 3 - id));
    }
}

static void another_epoch_is_refused_in_both_directions(void **state)
{
    (void)state;
    struct cluster *cluster = pair_that_disagrees("lab", 2);
    expect_no_contact(cluster, "epoch");
    assert_int_equal(cluster->nodes[1].hellos + cluster->nodes[2].hellos, 0); /* not the owner's business */
    kz_transport_set_epoch(cluster->nodes[1].transport, 2);
    world_wait_for(&cluster->world, all_connected, cluster);
    cluster_end(cluster);
}

static void another_cluster_is_refused_in_both_directions(void **state)
{
    (void)state;
    struct cluster *cluster = pair_that_disagrees("lap", 1); /* certificates agree, configuration does not */
    expect_no_contact(cluster, "cluster");
    cluster_end(cluster);
}

static void a_hello_that_the_owner_refuses_is_refused_with_its_words(void **state)
{
    (void)state;
    struct cluster *cluster = pair_that_disagrees("lab", 1);
    cluster->nodes[1].refuse = true;
    expect_no_contact(cluster, "wiped");
    cluster->nodes[1].refuse = false;
    world_wait_for(&cluster->world, all_connected, cluster);
    cluster_end(cluster);
}

static bool one_is_refused(void *data)
{
    struct cluster *cluster = data;
    return strstr(kz_transport_problem(cluster->nodes[1].transport, 2), "refuses our connection") != NULL;
}

static void a_node_that_is_no_member_here_is_refused(void **state)
{
    (void)state;
    struct cluster *cluster = cluster_begin();
    start(cluster, 1, "lab", 1);
    start(cluster, 2, "lab", 1);
    know(&cluster->nodes[1], &cluster->nodes[2]); /* but not the other way round */
    world_wait_for(&cluster->world, one_is_refused, cluster);
    assert_non_null(strstr(kz_transport_problem(cluster->nodes[1].transport, 2), "not a member"));
    know(&cluster->nodes[2], &cluster->nodes[1]);
    world_wait_for(&cluster->world, all_connected, cluster);
    cluster_end(cluster);
}

static bool one_sees_the_wrong_node(void *data)
{
    struct cluster *cluster = data;
    return strstr(kz_transport_problem(cluster->nodes[1].transport, 2), "not 'alternate'") != NULL;
}

static void a_certificate_of_another_node_is_refused(void **state)
{
    (void)state;
    struct cluster *cluster = cluster_begin();
    start(cluster, 1, "lab", 1);
    snprintf(cluster->nodes[2].name, sizeof cluster->nodes[2].name, "stranger"); /* says it is node 2 */
    start(cluster, 2, "lab", 1);
    know(&cluster->nodes[1], &cluster->nodes[2]);
    know(&cluster->nodes[2], &cluster->nodes[1]);
    world_wait_for(&cluster->world, one_sees_the_wrong_node, cluster);
    world_turn(&cluster->world, 300);
    assert_int_equal(cluster->nodes[1].up[2] + cluster->nodes[2].up[1], 0);
    cluster_end(cluster);
}

static enum kz_code send_chunk(struct node *node, uint64_t peer, uint64_t sequence, bool bulk)
{
    static uint8_t bytes[KZ_CHUNK_MAX_BYTES];
    Kz__SnapshotChunk chunk = KZ__SNAPSHOT_CHUNK__INIT;
    Kz__PeerMessage outgoing = KZ__PEER_MESSAGE__INIT;
    chunk.sequence = sequence;
    chunk.has_data = true;
    chunk.data.data = bytes;
    chunk.data.len = sizeof bytes;
    outgoing.snapshot_chunk = &chunk;
    return bulk ? kz_transport_send_bulk(node->transport, peer, &outgoing)
                : kz_transport_send(node->transport, peer, &outgoing);
}

static void bulk_travels_apart_and_is_bounded(void **state)
{
    (void)state;
    struct cluster *cluster = cluster_of_three();
    struct node *one = &cluster->nodes[1], *two = &cluster->nodes[2];
    world_wait_for(&cluster->world, all_connected, cluster);
    assert_int_equal(send_chunk(one, 2, 1, true), KZ_UNREACHABLE); /* dials now */
    unsigned busy = 0;
    uint64_t sent = 0, probes = 0;
    while (sent < 100) {
        enum kz_code code = send_chunk(one, 2, sent + 1, true);
        if (code == KZ_OK)
            sent++;
        else if (code == KZ_BUSY)
            busy++;
        assert_true(kz_transport_bulk_pending_bytes(one->transport, 2) <=
                    KZ_TRANSPORT_BULK_PENDING_MAX_BYTES + KZ_PEER_FRAME_MAX_BYTES);
        if (code == KZ_OK) continue; /* fill it up */
        if (send_probe(one, 2, probes + 1) == KZ_OK) probes++;
        uv_run(&cluster->world.loop, UV_RUN_ONCE);
    }
    while (two->last_sequence[1] < 100 || two->last_term[1] < probes)
        uv_run(&cluster->world.loop, UV_RUN_ONCE);
    assert_true(busy > 0 && probes > 0);
    assert_int_equal(two->bytes[1], 100 * (size_t)KZ_CHUNK_MAX_BYTES);
    assert_int_equal(one->down[2] + two->down[1], 0);
    cluster_end(cluster);
}

static void a_peer_that_does_not_keep_up_gives_busy_not_memory(void **state)
{
    (void)state;
    struct cluster *cluster = cluster_of_three();
    struct node *one = &cluster->nodes[1];
    world_wait_for(&cluster->world, all_connected, cluster);
    enum kz_code code = KZ_OK;
    uint64_t sent = 0;
    while ((code = send_chunk(one, 2, sent + 1, false)) == KZ_OK) /* the loop does not turn */
        sent++;
    assert_int_equal(code, KZ_BUSY);
    assert_true(sent * KZ_CHUNK_MAX_BYTES <= KZ_TRANSPORT_PENDING_MAX_BYTES + KZ_PEER_FRAME_MAX_BYTES);
    while (cluster->nodes[2].last_sequence[1] < sent)
        uv_run(&cluster->world.loop, UV_RUN_ONCE);
    assert_int_equal(send_chunk(one, 2, sent + 1, false), KZ_OK);
    assert_int_equal(one->down[2], 0);
    cluster_end(cluster);
}

static void a_message_that_no_frame_holds_is_refused(void **state)
{
    (void)state;
    struct cluster *cluster = cluster_of_three();
    static uint8_t bytes[KZ_PEER_FRAME_MAX_BYTES + 1];
    Kz__SnapshotChunk chunk = KZ__SNAPSHOT_CHUNK__INIT;
    Kz__PeerMessage outgoing = KZ__PEER_MESSAGE__INIT;
    chunk.has_data = true;
    chunk.data.data = bytes;
    chunk.data.len = sizeof bytes;
    outgoing.snapshot_chunk = &chunk;
    world_wait_for(&cluster->world, all_connected, cluster);
    assert_int_equal(kz_transport_send(cluster->nodes[1].transport, 2, &outgoing), KZ_TOO_BIG);
    assert_true(kz_transport_connected(cluster->nodes[1].transport, 2));
    cluster_end(cluster);
}

static void peers_can_be_moved_and_removed(void **state)
{
    (void)state;
    struct cluster *cluster = cluster_of_three();
    struct kz_err err = {0};
    world_wait_for(&cluster->world, all_connected, cluster);
    struct node *one = &cluster->nodes[1];
    kz_transport_remove_peer(one->transport, 3);
    kz_transport_remove_peer(one->transport, 3);
    one->up[3] = 0; /* no peer_down comes for it */
    assert_int_equal(send_probe(one, 3, 1), KZ_NOT_FOUND);
    assert_int_equal(kz_transport_set_peer(one->transport, 1, "main", "127.0.0.1:1", &err), KZ_INVALID);
    assert_int_equal(kz_transport_set_peer(one->transport, 0, "x", "127.0.0.1:1", &err), KZ_INVALID);
    assert_int_equal(kz_transport_set_peer(one->transport, 4, "alternate", "127.0.0.1:1", &err), KZ_INVALID);
    assert_int_equal(kz_transport_set_peer(one->transport, 4, "Fourth", "127.0.0.1:1", &err), KZ_INVALID);
    assert_int_equal(kz_transport_set_peer(one->transport, 4, "fourth", "127.0.0.1", &err), KZ_INVALID);
    /* to the wrong place and back */
    assert_int_equal(kz_transport_set_peer(one->transport, 2, "alternate", cluster->nodes[3].address, &err), KZ_OK);
    assert_false(kz_transport_connected(one->transport, 2));
    world_wait_for(&cluster->world, one_sees_the_wrong_node, cluster);
    know(one, &cluster->nodes[2]);
    know(one, &cluster->nodes[3]);
    world_wait_for(&cluster->world, all_connected, cluster);
    for (uint64_t id = 10; id < 10 + KZ_NODES_MAX - 2; id++) {
        char name[16];
        snprintf(name, sizeof name, "node%u", (unsigned)id);
        assert_int_equal(kz_transport_set_peer(one->transport, id, name, "127.0.0.1:1", &err), KZ_OK);
    }
    assert_int_equal(kz_transport_set_peer(one->transport, 99, "last", "127.0.0.1:1", &err), KZ_TOO_BIG);
    cluster_end(cluster);
}

static void closing_while_dialling_is_clean(void **state)
{
    (void)state;
    for (unsigned turns = 0; turns < 30; turns++) {
        struct cluster *cluster = cluster_of_three();
        for (unsigned i = 0; i < turns; i++)
            uv_run(&cluster->world.loop, i % 3 ? UV_RUN_NOWAIT : UV_RUN_ONCE);
        cluster_end(cluster);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_arrive_in_order_between_all),
        cmocka_unit_test(a_killed_peer_is_down_at_once_and_up_again_after_its_restart),
        cmocka_unit_test(another_epoch_is_refused_in_both_directions),
        cmocka_unit_test(another_cluster_is_refused_in_both_directions),
        cmocka_unit_test(a_hello_that_the_owner_refuses_is_refused_with_its_words),
        cmocka_unit_test(a_node_that_is_no_member_here_is_refused),
        cmocka_unit_test(a_certificate_of_another_node_is_refused),
        cmocka_unit_test(bulk_travels_apart_and_is_bounded),
        cmocka_unit_test(a_peer_that_does_not_keep_up_gives_busy_not_memory),
        cmocka_unit_test(a_message_that_no_frame_holds_is_refused),
        cmocka_unit_test(peers_can_be_moved_and_removed),
        cmocka_unit_test(closing_while_dialling_is_clean),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
