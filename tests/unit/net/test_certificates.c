/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/net/raw.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/wire.h"

static struct authority home;

static int set_up(void **state)
{
    (void)state;
    authority_make(&home, "lab");
    authority_node(&home, "main", NULL);
    authority_node(&home, "remote", NULL);
    authority_user(&home, "sato", "operator", NULL);
    return 0;
}
static int tear_down(void **state)
{
    (void)state;
    authority_end(&home);
    return 0;
}

/* Connects `who` of `authority` to the node main of home. */
static void try_connect(struct authority *authority, const char *who, enum kz_alpn alpn, const char *expected,
                        struct side *side, struct side *accepted)
{
    struct world *world = calloc(1, sizeof *world);
    struct kz_tls *tls = authority_tls(authority, who);
    world_begin(world, authority_tls(&home, "node/main"), NULL, NULL);
    struct kz_net *net = world_net(world, tls);
    world_connect(world, net, expected, alpn, side);
    assert_false(side->opened || side->closed);
    while (!side->closed && !(side->opened && world->accepted[0].opened))
        uv_run(&world->loop, UV_RUN_ONCE);
    if (!side->closed) kz_stream_close(side->stream);
    world_wait(world, &side->closed);
    *accepted = world->accepted[0];
    world_net_close(world, net);
    world_end(world);
    kz_tls_close(tls);
    free(world);
}

static void a_user_connects_as_a_client(void **state)
{
    (void)state;
    struct side side, accepted;
    try_connect(&home, "user/sato", KZ_ALPN_FOR_CLIENT, "main", &side, &accepted);
    assert_true(side.opened);
    assert_int_equal(side.end.layer, KZ_LAYER_NONE);
    assert_string_equal(side.peer.name, "main");
    assert_int_equal(side.peer.role, KZ_ROLE_NODE);
    assert_string_equal(accepted.peer.name, "sato");
    assert_string_equal(accepted.peer.cluster, "lab");
    assert_int_equal(accepted.peer.role, KZ_ROLE_OPERATOR);
}

static void a_node_connects_as_a_peer(void **state)
{
    (void)state;
    struct side side, accepted;
    try_connect(&home, "node/remote", KZ_ALPN_FOR_PEER, "main", &side, &accepted);
    assert_true(side.opened);
    assert_int_equal(accepted.peer.kind, KZ_IDENTITY_NODE);
    assert_string_equal(accepted.peer.name, "remote");
}

/* ---- certificates that must be refused ---- */

static void refused_by_server(struct authority *issuer, const char *who, const char *alpn, int alert)
{
    struct world *world = calloc(1, sizeof *world);
    struct kz_net_stats stats;
    struct raw raw = {.issuer = issuer, .who = who, .alpn = alpn};
    world_begin(world, authority_tls(&home, "node/main"), NULL, NULL);
    raw_start(&raw, world);
    world_wait(world, &raw.done);
    kz_net_stats(world->net, &stats);
    assert_int_equal(world->clients + world->peers, 0);
    assert_int_equal(stats.handshakes_done, 0);
    assert_int_equal(stats.handshakes_failed, 1);
    if (alert && !raw.blind) assert_int_equal(raw.alert, alert);
    assert_true(raw.handshake != 0 || raw.read <= 0);
    world_end(world);
    free(world);
}

#define ALERT_REVOKED 44
#define ALERT_EXPIRED 45
#define ALERT_UNKNOWN_CA 48
#define ALERT_ACCESS_DENIED 49
#define ALERT_NO_PROTOCOL 120

static void a_client_without_a_certificate_is_refused(void **state)
{
    (void)state;
    refused_by_server(NULL, NULL, KZ_ALPN_CLIENT, 0);
}

static void a_client_that_offers_no_keizoku_protocol_is_refused(void **state)
{
    (void)state;
    refused_by_server(&home, "user/sato", NULL, 0);
    refused_by_server(&home, "user/sato", "h2", ALERT_NO_PROTOCOL);
}

static void a_node_certificate_is_refused_as_a_client(void **state)
{
    (void)state;
    refused_by_server(&home, "node/remote", KZ_ALPN_CLIENT, ALERT_ACCESS_DENIED);
}

static void a_user_certificate_is_refused_between_nodes(void **state)
{
    (void)state;
    refused_by_server(&home, "user/sato", KZ_ALPN_PEER, ALERT_ACCESS_DENIED);
}

static void a_user_of_the_node_intermediate_is_refused(void **state)
{
    (void)state;
    struct kz_ca_deviation by_nodes = {.issuer = KZ_CA_NODES, .other_issuer = true};
    authority_user(&home, "forged1", "approver", &by_nodes);
    refused_by_server(&home, "user/forged1", KZ_ALPN_CLIENT, ALERT_ACCESS_DENIED);
}

static void a_node_of_the_user_intermediate_is_refused(void **state)
{
    (void)state;
    struct kz_ca_deviation by_users = {.issuer = KZ_CA_USERS, .other_issuer = true};
    authority_node(&home, "forged2", &by_users);
    refused_by_server(&home, "node/forged2", KZ_ALPN_PEER, ALERT_ACCESS_DENIED);
}

static void a_leaf_of_the_root_is_refused(void **state)
{
    (void)state;
    struct kz_ca_deviation by_root = {.issuer = KZ_CA_ROOT, .other_issuer = true};
    authority_node(&home, "forged3", &by_root);
    authority_user(&home, "forged3", "operator", &by_root);
    refused_by_server(&home, "node/forged3", KZ_ALPN_PEER, ALERT_UNKNOWN_CA);
    refused_by_server(&home, "user/forged3", KZ_ALPN_CLIENT, ALERT_UNKNOWN_CA);
}

static void a_certificate_for_another_cluster_is_refused(void **state)
{
    (void)state;
    struct kz_ca_deviation elsewhere = {.uri = "spiffe://keizoku/cluster/elsewhere/user/other"};
    authority_user(&home, "other", "operator", &elsewhere);
    refused_by_server(&home, "user/other", KZ_ALPN_CLIENT, ALERT_ACCESS_DENIED);
}

static void a_certificate_without_a_name_or_with_two_is_refused(void **state)
{
    (void)state;
    struct kz_ca_deviation none = {.uri = ""};
    struct kz_ca_deviation two = {.second_uri = "spiffe://keizoku/cluster/lab/user/boss"};
    authority_user(&home, "nameless", "operator", &none);
    authority_user(&home, "twofaced", "operator", &two);
    refused_by_server(&home, "user/nameless", KZ_ALPN_CLIENT, ALERT_ACCESS_DENIED);
    refused_by_server(&home, "user/twofaced", KZ_ALPN_CLIENT, ALERT_ACCESS_DENIED);
}

static void a_certificate_for_the_wrong_use_is_refused(void **state)
{
    (void)state;
    struct kz_ca_deviation serving = {.usage = KZ_CA_EKU_SERVER};
    authority_user(&home, "serving", "operator", &serving);
    refused_by_server(&home, "user/serving", KZ_ALPN_CLIENT, 0);
}

static void a_role_that_claims_to_be_a_node_is_refused(void **state)
{
    (void)state;
    struct kz_ca_deviation node = {.unit = "node"}, reader = {.unit = "reader"};
    authority_user(&home, "climber", "reader", &node);
    authority_node(&home, "fallen", &reader);
    refused_by_server(&home, "user/climber", KZ_ALPN_CLIENT, ALERT_ACCESS_DENIED);
    refused_by_server(&home, "node/fallen", KZ_ALPN_PEER, ALERT_ACCESS_DENIED);
}

static void an_unknown_role_comes_in_with_no_rights(void **state)
{
    (void)state;
    struct kz_ca_deviation unknown = {.unit = "superuser"};
    struct side side, accepted;
    authority_user(&home, "vague", "reader", &unknown);
    try_connect(&home, "user/vague", KZ_ALPN_FOR_CLIENT, "main", &side, &accepted);
    assert_true(accepted.opened);
    assert_int_equal(accepted.peer.role, KZ_ROLE_NONE);
}

static void an_expired_certificate_is_refused(void **state)
{
    (void)state;
    struct kz_ca_leaf leaf = {.kind = KZ_CA_KIND_USER, .name = "late", .role = "reader"};
    leaf.not_before = 1000000000;
    leaf.not_after = 1100000000;
    struct kz_err err = {0};
    if (kz_ca_issue(home.ca, &leaf, &err)) fail_msg("%s", err.text);
    refused_by_server(&home, "user/late", KZ_ALPN_CLIENT, ALERT_EXPIRED);
}

static void a_certificate_of_another_authority_is_refused(void **state)
{
    (void)state;
    struct authority stranger;
    authority_make(&stranger, "lab"); /* the same names throughout */
    authority_node(&stranger, "main", NULL);
    authority_user(&stranger, "sato", "operator", NULL);
    refused_by_server(&stranger, "user/sato", KZ_ALPN_CLIENT, 0);
    refused_by_server(&stranger, "node/main", KZ_ALPN_PEER, 0);

    struct side side, accepted;
    try_connect(&stranger, "user/sato", KZ_ALPN_FOR_CLIENT, "main", &side, &accepted);
    assert_false(side.opened);
    assert_int_equal(side.end.layer, KZ_LAYER_CERT);
    assert_int_equal(side.end.code, KZ_TLS);
    assert_true(side.end.text[0]);
    authority_end(&stranger);
}

static void a_revoked_certificate_is_refused(void **state)
{
    (void)state;
    struct kz_err err = {0};
    size_t count;
    authority_user(&home, "gone", "reader", NULL);
    if (kz_ca_revoke(home.ca, "user/gone", &count, &err)) fail_msg("%s", err.text);
    refused_by_server(&home, "user/gone", KZ_ALPN_CLIENT, ALERT_REVOKED);
}

/* ---- servers that must be refused ---- */

static void refused_by_client(const char *who, struct kz_stream_end *end)
{
    struct world *world = calloc(1, sizeof *world);
    struct kz_err err = {0};
    struct raw raw = {.server = true, .issuer = &home, .who = who, .alpn = KZ_ALPN_CLIENT};
    struct side side = {0};
    char address[32];
    world_begin(world, authority_tls(&home, "node/main"), NULL, NULL);
    struct kz_tls *tls = authority_tls(&home, "user/sato");
    struct kz_net *net = world_net(world, tls);
    raw_start(&raw, world);
    snprintf(address, sizeof address, "127.0.0.1:%u", raw.port);
    assert_int_equal(
        kz_stream_connect(&side.stream, net, address, "remote", KZ_ALPN_FOR_CLIENT, &side_events, &side, &err), KZ_OK);
    world_wait(world, &side.closed);
    world_wait(world, &raw.done);
    assert_false(side.opened);
    *end = side.end;
    world_net_close(world, net);
    world_end(world);
    kz_tls_close(tls);
    free(world);
}

static void a_server_with_a_users_certificate_is_refused(void **state)
{
    (void)state;
    struct kz_stream_end end;
    struct kz_ca_deviation serving = {.usage = KZ_CA_EKU_SERVER | KZ_CA_EKU_CLIENT};
    authority_user(&home, "remote", "operator", &serving); /* a person who has the node's name */
    refused_by_client("user/remote", &end);
    assert_int_equal(end.layer, KZ_LAYER_CERT);
    assert_non_null(strstr(end.text, "user's certificate"));
}

static void a_server_with_a_certificate_for_clients_only_is_refused(void **state)
{
    (void)state;
    struct kz_stream_end end;
    struct kz_ca_deviation asking = {.usage = KZ_CA_EKU_CLIENT};
    authority_node(&home, "asking", &asking);
    refused_by_client("node/asking", &end);
    assert_int_equal(end.layer, KZ_LAYER_CERT);
}

static void a_server_of_another_name_is_refused_with_both_names(void **state)
{
    (void)state;
    struct side side, accepted;
    try_connect(&home, "user/sato", KZ_ALPN_FOR_CLIENT, "remote", &side, &accepted);
    assert_false(side.opened);
    assert_int_equal(side.end.layer, KZ_LAYER_CERT);
    assert_non_null(strstr(side.end.text, "'main'"));
    assert_non_null(strstr(side.end.text, "'remote'"));
}

static void an_expired_server_certificate_is_refused_and_said_so(void **state)
{
    (void)state;
    struct kz_stream_end end;
    struct kz_ca_leaf leaf = {.kind = KZ_CA_KIND_NODE, .name = "old", .addresses = "127.0.0.1"};
    leaf.not_before = 1000000000;
    leaf.not_after = 1100000000;
    struct kz_err err = {0};
    if (kz_ca_issue(home.ca, &leaf, &err)) fail_msg("%s", err.text);
    refused_by_client("node/old", &end);
    assert_int_equal(end.layer, KZ_LAYER_CERT);
    assert_non_null(strstr(end.text, "expired"));
}

static void the_refused_client_learns_why(void **state)
{
    (void)state;
    struct side side, accepted;
    struct kz_err err = {0};
    size_t count;
    authority_user(&home, "gone2", "reader", NULL);
    if (kz_ca_revoke(home.ca, "user/gone2", &count, &err)) fail_msg("%s", err.text);
    try_connect(&home, "user/gone2", KZ_ALPN_FOR_CLIENT, "main", &side, &accepted);
    assert_false(accepted.opened);
    assert_int_equal(side.end.layer, KZ_LAYER_CERT);
    /* TLS 1.2 says it, TLS 1.3 refers to the log */
    assert_true(strstr(side.end.text, "revoked") || strstr(side.end.text, "its log says why"));
}

/* ---- no server at all ---- */

static void nobody_listening_is_a_tcp_failure(void **state)
{
    (void)state;
    struct world *world = calloc(1, sizeof *world);
    struct kz_err err = {0};
    struct side side = {0};
    world_begin(world, authority_tls(&home, "node/main"), NULL, NULL);
    struct kz_tls *tls = authority_tls(&home, "user/sato");
    struct kz_net *net = world_net(world, tls);
    assert_int_equal(
        kz_stream_connect(&side.stream, net, "127.0.0.1:1", "main", KZ_ALPN_FOR_CLIENT, &side_events, &side, &err),
        KZ_OK);
    assert_false(side.closed); /* not before connect returned */
    world_wait(world, &side.closed);
    assert_int_equal(side.end.layer, KZ_LAYER_TCP);
    assert_int_equal(side.end.code, KZ_UNREACHABLE);
    memset(&side, 0, sizeof side);
    assert_int_equal(kz_stream_connect(&side.stream, net, "no-such-host.invalid:7000", "main", KZ_ALPN_FOR_CLIENT,
                                       &side_events, &side, &err),
                     KZ_OK);
    world_wait(world, &side.closed);
    assert_int_equal(side.end.layer, KZ_LAYER_TCP);
    static const char *const bad[] = {"", "host", "host:", ":7000", "host:70000", "host:7x", "::1:7000", "[::1]7000"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(
            kz_stream_connect(&side.stream, net, bad[i], "main", KZ_ALPN_FOR_CLIENT, &side_events, &side, &err),
            KZ_INVALID);
    world_net_close(world, net);
    world_end(world);
    kz_tls_close(tls);
    free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_user_connects_as_a_client),
        cmocka_unit_test(a_node_connects_as_a_peer),
        cmocka_unit_test(a_client_without_a_certificate_is_refused),
        cmocka_unit_test(a_client_that_offers_no_keizoku_protocol_is_refused),
        cmocka_unit_test(a_node_certificate_is_refused_as_a_client),
        cmocka_unit_test(a_user_certificate_is_refused_between_nodes),
        cmocka_unit_test(a_user_of_the_node_intermediate_is_refused),
        cmocka_unit_test(a_node_of_the_user_intermediate_is_refused),
        cmocka_unit_test(a_leaf_of_the_root_is_refused),
        cmocka_unit_test(a_certificate_for_another_cluster_is_refused),
        cmocka_unit_test(a_certificate_without_a_name_or_with_two_is_refused),
        cmocka_unit_test(a_certificate_for_the_wrong_use_is_refused),
        cmocka_unit_test(a_role_that_claims_to_be_a_node_is_refused),
        cmocka_unit_test(an_unknown_role_comes_in_with_no_rights),
        cmocka_unit_test(an_expired_certificate_is_refused),
        cmocka_unit_test(a_certificate_of_another_authority_is_refused),
        cmocka_unit_test(a_revoked_certificate_is_refused),
        cmocka_unit_test(a_server_with_a_users_certificate_is_refused),
        cmocka_unit_test(a_server_with_a_certificate_for_clients_only_is_refused),
        cmocka_unit_test(a_server_of_another_name_is_refused_with_both_names),
        cmocka_unit_test(an_expired_server_certificate_is_refused_and_said_so),
        cmocka_unit_test(the_refused_client_learns_why),
        cmocka_unit_test(nobody_listening_is_a_tcp_failure),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
