/* SPDX-License-Identifier: Apache-2.0 */
/* libkeizoku against nodes of cardboard: who is believed, and who is asked next. */
#include "tests/unit/client/world.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const enum server_act answers[] = {SERVER_ANSWER};
static const uint32_t fine[] = {0};

/* A socket that accepts and says nothing: a site whose machine hangs. */
static int open_silent(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(fd, 16), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

/* ---- who answers ---- */

static void a_silent_site_does_not_keep_the_next_one_from_answering(void **state)
{
    (void)state;
    struct script script = {.acts = answers, .codes = fine, .count = 1};
    struct server *server = server_start(world_node_folder, "main", follow_script, &script);
    int silent_port, silent = open_silent(&silent_port);
    char nodes[128];
    snprintf(nodes, sizeof nodes, "127.0.0.1:%d,127.0.0.1:%d", silent_port, server_port(server));
    struct kz_client *client =
        world_open_client(nodes, world_user_folder, world_user_folder, KZ__READ_MODE__LOCAL, LONG_MS);
    assert_string_equal(kz_client_user(client), "officer");
    assert_string_equal(kz_client_cluster(client), "lab");
    Kz__Response *response = NULL;
    struct kz_err err;
    assert_int_equal(ask_status(client, &response, &err), KZ_OK);
    assert_string_equal(response->meta->node, "main");
    kz__response__free_unpacked(response, NULL);
    size_t count;
    const struct kz_attempt *attempts = kz_client_attempts(client, &count);
    assert_int_equal(count, 1);
    assert_int_equal(attempts[0].layer, KZ_LAYER_TLS);
    assert_int_equal(attempts[0].reason, KZ_T_REASON_TIMEOUT);
    kz_client_free(client);
    close(silent);
    server_stop(server);
}

static void when_nobody_answers_each_node_and_layer_is_named(void **state)
{
    (void)state;
    int port, closed = open_silent(&port);
    close(closed);
    char nodes[128];
    snprintf(nodes, sizeof nodes, "127.0.0.1:%d,no-such-host.invalid:7400", port);
    struct kz_client *client =
        world_open_client(nodes, world_user_folder, world_user_folder, KZ__READ_MODE__AUTO, LONG_MS);
    Kz__Response *response = NULL;
    struct kz_err err;
    assert_int_equal(ask_status(client, &response, &err), KZ_UNREACHABLE);
    size_t count, tcp = 0, dns = 0;
    const struct kz_attempt *attempts = kz_client_attempts(client, &count);
    assert_int_equal(count, 2);
    for (size_t i = 0; i < count; i++) {
        if (attempts[i].layer == KZ_LAYER_TCP && attempts[i].reason == KZ_T_REASON_REFUSED) tcp++;
        if (attempts[i].layer == KZ_LAYER_DNS && strncmp(attempts[i].node, "no-such-host", 12) == 0) dns++;
    }
    assert_int_equal(tcp, 1);
    assert_int_equal(dns, 1);
    kz_client_free(client);
}

/* ---- who is believed ---- */

static void expect_refusal(const char *folder, const char *name, const char *ca, enum kz_text_id reason)
{
    struct script script = {.acts = answers, .codes = fine, .count = 1};
    struct server *server = server_start(folder, name, follow_script, &script);
    char nodes[64];
    snprintf(nodes, sizeof nodes, "127.0.0.1:%d", server_port(server));
    struct kz_client *client = world_open_client(nodes, world_user_folder, ca, KZ__READ_MODE__LOCAL, LONG_MS);
    Kz__Response *response = NULL;
    struct kz_err err;
    assert_int_equal(ask_status(client, &response, &err), KZ_UNREACHABLE);
    size_t count;
    const struct kz_attempt *attempts = kz_client_attempts(client, &count);
    assert_int_equal(count, 1);
    if (attempts[0].layer != KZ_LAYER_CERTIFICATE || attempts[0].reason != reason)
        fail_msg("%s: %s %s %s", name, kz_layer_text(attempts[0].layer, false), kz_text(attempts[0].reason, false),
                 attempts[0].detail);
    assert_int_equal(script.got, 0); /* not a byte of ours was said to it */
    kz_client_free(client);
    server_stop(server);
}

static void only_a_live_node_of_our_cluster_is_believed(void **state)
{
    (void)state;
    int64_t now = (int64_t)time(NULL);
    char folder[128];
    const struct kz_ca_deviation no_uri = {.uri = ""}, two = {.second_uri = "spiffe://keizoku/cluster/lab/node/x"},
                                 other = {.uri = "spiffe://keizoku/cluster/other/node/b"},
                                 person = {.uri = "spiffe://keizoku/cluster/lab/user/b"}, unit = {.unit = "operator"},
                                 client_only = {.usage = KZ_CA_EKU_CLIENT}, no_usage = {.usage = KZ_CA_EKU_ABSENT},
                                 by_users = {.issuer = KZ_CA_USERS, .other_issuer = true},
                                 by_root = {.issuer = KZ_CA_ROOT, .other_issuer = true};
    const struct {
        const char *name;
        const struct kz_ca_deviation *deviation;
        int64_t from, until;
        enum kz_text_id reason;
    } cases[] = {
        {"no-uri", &no_uri, 0, 0, KZ_T_REASON_CERT_NAME},
        {"two-uris", &two, 0, 0, KZ_T_REASON_CERT_NAME},
        {"other-cluster", &other, 0, 0, KZ_T_REASON_CERT_CLUSTER},
        {"person", &person, 0, 0, KZ_T_REASON_CERT_NAME},
        {"wrong-unit", &unit, 0, 0, KZ_T_REASON_CERT_ROLE},
        {"client-usage", &client_only, 0, 0, KZ_T_REASON_CERT_USAGE},
        {"no-usage", &no_usage, 0, 0, KZ_T_REASON_CERT_USAGE},
        {"by-users", &by_users, 0, 0, KZ_T_REASON_CERT_ISSUER},
        {"by-root", &by_root, 0, 0, KZ_T_REASON_CERT_ISSUER},
        {"expired", NULL, now - 7200, now - 3600, KZ_T_REASON_CERT_EXPIRED},
        {"future", NULL, now + 3600, now + 7200, KZ_T_REASON_CERT_FUTURE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct kz_ca_leaf leaf = {.kind = KZ_CA_KIND_NODE,
                                  .name = cases[i].name,
                                  .addresses = "127.0.0.1",
                                  .deviation = cases[i].deviation,
                                  .not_before = cases[i].from,
                                  .not_after = cases[i].until};
        world_issue(world.ours, cases[i].name, leaf, folder);
        expect_refusal(folder, cases[i].name, world_user_folder, cases[i].reason);
    }
}

static void a_revoked_node_and_a_strangers_node_are_refused(void **state)
{
    (void)state;
    char folder[128];
    struct kz_err err;
    size_t count;
    world_issue(world.ours, "gone",
                (struct kz_ca_leaf){.kind = KZ_CA_KIND_NODE, .name = "gone", .addresses = "127.0.0.1"}, folder);
    assert_int_equal(kz_ca_revoke(world.ours, "node/gone", &count, &err), KZ_OK);
    assert_int_equal(count, 1);
    expect_refusal(folder, "gone", world_user_folder, KZ_T_REASON_CERT_REVOKED);

    world_issue(world.theirs, "stranger",
                (struct kz_ca_leaf){.kind = KZ_CA_KIND_NODE, .name = "stranger", .addresses = "127.0.0.1"}, folder);
    char ca[512];
    snprintf(ca, sizeof ca, "cp %s/ca.pem %s/ca.pem", world_user_folder,
             folder); /* it lets us in; we must not believe it */
    assert_int_equal(system(ca), 0);
    expect_refusal(folder, "stranger", world_user_folder, KZ_T_REASON_CERT_UNTRUSTED);
}

/* The user's files with another CA file. */
static void make_ca_file(const char *name, const char *parts, char folder[128])
{
    world_make_folder(name, folder);
    char command[1024];
    snprintf(command, sizeof command, "cd %s && cp user/officer.* %s && cat %s >%s/ca.pem", world.root, folder, parts,
             folder);
    assert_int_equal(system(command), 0);
}

static void the_issuer_of_nodes_must_stand_in_our_ca_file(void **state)
{
    (void)state;
    char folder[128], path[3][192];
    make_ca_file("other-issuer", "ours/private/root.pem theirs/private/nodes.pem", folder);
    expect_refusal(world_node_folder, "main", folder, KZ_T_REASON_CERT_ISSUER);

    make_ca_file("root-only", "ours/private/root.pem", folder);
    static const char *const names[] = {"officer.pem", "officer.key", "ca.pem"};
    for (size_t i = 0; i < 3; i++)
        snprintf(path[i], sizeof path[i], "%s/%s", folder, names[i]);
    struct kz_client_options options = {.nodes = "h:1", .certificate = path[0], .key = path[1], .ca = path[2]};
    struct kz_client *client = NULL;
    struct kz_err err;
    assert_int_equal(kz_client_open(&options, &client, &err), KZ_TLS);
    assert_non_null(strstr(err.text, "OU nodes"));
}

static void a_named_node_is_believed_only_under_that_name(void **state)
{
    (void)state;
    struct script script = {.acts = answers, .codes = fine, .count = 1};
    struct server *server = server_start(world_node_folder, "main", follow_script, &script);
    char nodes[128];
    Kz__Response *response = NULL;
    struct kz_err err;
    snprintf(nodes, sizeof nodes, "remote=127.0.0.1:%d", server_port(server));
    struct kz_client *client =
        world_open_client(nodes, world_user_folder, world_user_folder, KZ__READ_MODE__LOCAL, LONG_MS);
    assert_int_equal(ask_status(client, &response, &err), KZ_UNREACHABLE);
    size_t count;
    const struct kz_attempt *attempts = kz_client_attempts(client, &count);
    assert_int_equal(count, 1);
    assert_string_equal(attempts[0].node, nodes);
    assert_int_equal(attempts[0].layer, KZ_LAYER_CERTIFICATE);
    assert_int_equal(attempts[0].reason, KZ_T_REASON_CERT_OTHER_NODE);
    assert_string_equal(attempts[0].detail, "main");
    assert_int_equal(script.got, 0);
    kz_client_free(client);

    snprintf(nodes, sizeof nodes, "remote=127.0.0.1:%d,main=127.0.0.1:%d", server_port(server), server_port(server));
    client = world_open_client(nodes, world_user_folder, world_user_folder, KZ__READ_MODE__LOCAL, LONG_MS);
    assert_int_equal(ask_status(client, &response, &err), KZ_OK);
    kz__response__free_unpacked(response, NULL);
    kz_client_free(client);
    server_stop(server);
}

static void a_crl_that_lacks_the_nodes_issuer_is_not_enough(void **state)
{
    (void)state;
    struct kz_client *client = NULL;
    struct script script = {.acts = answers, .codes = fine, .count = 1};
    struct server *server = server_start(world_node_folder, "main", follow_script, &script);
    char nodes[64], certificate[192], key[192], ca[192], crl[192];
    snprintf(nodes, sizeof nodes, "127.0.0.1:%d", server_port(server));
    snprintf(certificate, sizeof certificate, "%s/officer.pem", world_user_folder);
    snprintf(key, sizeof key, "%s/officer.key", world_user_folder);
    snprintf(ca, sizeof ca, "%s/ca.pem", world_user_folder);
    snprintf(crl, sizeof crl, "%s/theirs/crl.pem", world.root);
    struct kz_client_options options = {.nodes = nodes, .certificate = certificate, .key = key, .ca = ca, .crl = crl};
    options.read = KZ__READ_MODE__LOCAL;
    struct kz_err err;
    assert_int_equal(kz_client_open(&options, &client, &err), KZ_OK);
    Kz__Response *response = NULL;
    assert_int_equal(ask_status(client, &response, &err), KZ_UNREACHABLE);
    size_t count;
    assert_int_equal(kz_client_attempts(client, &count)[0].reason, KZ_T_REASON_CERT_NO_CRL);
    kz_client_free(client);
    server_stop(server);
}

static void an_expired_crl_does_not_lock_an_isolated_site_out(void **state)
{
    (void)state;
    struct kz_err err;
    assert_int_equal(kz_ca_write_crl(world.ours, -1, &err), KZ_OK);
    struct script script = {.acts = answers, .codes = fine, .count = 1};
    struct server *server = server_start(world_node_folder, "main", follow_script, &script);
    char nodes[64];
    snprintf(nodes, sizeof nodes, "127.0.0.1:%d", server_port(server));
    struct kz_client *client =
        world_open_client(nodes, world_user_folder, world_user_folder, KZ__READ_MODE__LOCAL, LONG_MS);
    Kz__Response *response = NULL;
    assert_int_equal(ask_status(client, &response, &err), KZ_OK);
    kz__response__free_unpacked(response, NULL);
    kz_client_free(client);
    server_stop(server);
    assert_int_equal(kz_ca_write_crl(world.ours, 0, &err), KZ_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_silent_site_does_not_keep_the_next_one_from_answering),
        cmocka_unit_test(when_nobody_answers_each_node_and_layer_is_named),
        cmocka_unit_test(only_a_live_node_of_our_cluster_is_believed),
        cmocka_unit_test(a_revoked_node_and_a_strangers_node_are_refused),
        cmocka_unit_test(the_issuer_of_nodes_must_stand_in_our_ca_file),
        cmocka_unit_test(a_named_node_is_believed_only_under_that_name),
        cmocka_unit_test(a_crl_that_lacks_the_nodes_issuer_is_not_enough),
        cmocka_unit_test(an_expired_crl_does_not_lock_an_isolated_site_out),
    };
    return cmocka_run_group_tests(tests, world_set_up, world_tear_down);
}
