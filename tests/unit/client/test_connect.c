/* SPDX-License-Identifier: Apache-2.0 */
/* libkeizoku against nodes of cardboard: who is believed, who is asked next, and that a write keeps its id. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/keizoku.h"
#include "proto/wire.h"
#include "tests/unit/client/server.h"
#include "tools/ca.h"

#define LONG_MS 30000 /* never reached unless something is broken */

/* Two authorities of two clusters, and a folder per certificate. */
struct world {
    char root[64];
    struct kz_ca *ours, *theirs;
};
static struct world world;

static void make_folder(const char *name, char out[128])
{
    snprintf(out, 128, "%s/%s", world.root, name);
    char command[192];
    snprintf(command, sizeof command, "mkdir -p %s", out);
    assert_int_equal(system(command), 0);
}

static struct kz_ca *make_authority(const char *name, const char *cluster)
{
    char folder[128];
    snprintf(folder, sizeof folder, "%s/%s", world.root, name);
    struct kz_err err;
    struct kz_ca *ca = NULL;
    struct kz_ca_options options = {.cluster = cluster};
    if (kz_ca_create(folder, &options, &err) || kz_ca_open(folder, &ca, &err)) fail_msg("%s", err.text);
    return ca;
}

static void issue(struct kz_ca *ca, const char *folder_name, struct kz_ca_leaf leaf, char folder[128])
{
    make_folder(folder_name, folder);
    struct kz_err err;
    leaf.out_dir = folder;
    if (kz_ca_issue(ca, &leaf, &err)) fail_msg("%s", err.text);
}

static char node_folder[128], user_folder[128];

static int set_up(void **state)
{
    (void)state;
    snprintf(world.root, sizeof world.root, "/tmp/keizoku-test-XXXXXX");
    assert_non_null(mkdtemp(world.root));
    world.ours = make_authority("ours", "lab");
    world.theirs = make_authority("theirs", "other");
    issue(world.ours, "node", (struct kz_ca_leaf){.kind = KZ_CA_KIND_NODE, .name = "main", .addresses = "127.0.0.1"},
          node_folder);
    issue(world.ours, "user", (struct kz_ca_leaf){.kind = KZ_CA_KIND_USER, .name = "officer", .role = "operator"},
          user_folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    kz_ca_close(world.ours);
    kz_ca_close(world.theirs);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", world.root);
    return system(command);
}

static struct kz_client *open_client(const char *nodes, const char *folder, const char *ca, Kz__ReadMode read,
                                     int64_t timeout_ms)
{
    char certificate[192], key[192], trusted[192], crl[192];
    snprintf(certificate, sizeof certificate, "%s/officer.pem", folder);
    snprintf(key, sizeof key, "%s/officer.key", folder);
    snprintf(trusted, sizeof trusted, "%s/ca.pem", ca);
    snprintf(crl, sizeof crl, "%s/ours/crl.pem", world.root);
    struct kz_client_options options = {.nodes = nodes,
                                        .certificate = certificate,
                                        .key = key,
                                        .ca = trusted,
                                        .crl = strcmp(folder, ca) == 0 ? crl : NULL,
                                        .read = read,
                                        .timeout_ms = timeout_ms};
    struct kz_client *client = NULL;
    struct kz_err err;
    if (kz_client_open(&options, &client, &err)) fail_msg("%s", err.text);
    return client;
}

/* ---- scripted nodes ---- */

struct script {
    const enum server_act *acts; /* of the n-th request; the last one repeats */
    const uint32_t *codes;       /* error codes; 0: fine */
    unsigned count;
    unsigned got;
    uint8_t ids[16][KZ_REQUEST_ID_BYTES];
    Kz__Error error;
    Kz__Outcome outcome;
};

static enum server_act follow_script(void *data, unsigned n, const Kz__Request *request, Kz__Response *response)
{
    struct script *script = data;
    unsigned at = n < script->count ? n : script->count - 1;
    if (request->write && n < 16) memcpy(script->ids[n], request->write->request_id.data, KZ_REQUEST_ID_BYTES);
    script->got = n + 1;
    if (script->codes[at]) {
        kz__error__init(&script->error);
        script->error.code = script->codes[at];
        response->error = &script->error;
    } else if (request->write) {
        kz__outcome__init(&script->outcome);
        script->outcome.code = KZ_OK;
        response->outcome = &script->outcome;
    }
    return script->acts[at];
}

static enum kz_code ask_status(struct kz_client *client, Kz__Response **response, struct kz_err *err)
{
    Kz__StatusRequest status = KZ__STATUS_REQUEST__INIT;
    Kz__Request request = KZ__REQUEST__INIT;
    request.status = &status;
    return kz_client_call(client, &request, response, err);
}

static enum kz_code ask_write(struct kz_client *client, Kz__Response **response, struct kz_err *err)
{
    Kz__Mutation verify = KZ__MUTATION__INIT, *list[] = {&verify};
    char id[] = "juki";
    verify.op = KZ__MUTATION__OP__VERIFY;
    verify.kind = KZ__KIND__SYSTEM;
    verify.id = id;
    Kz__WriteRequest write = KZ__WRITE_REQUEST__INIT;
    write.n_mutations = 1;
    write.mutations = list;
    Kz__Request request = KZ__REQUEST__INIT;
    request.write = &write;
    return kz_client_call(client, &request, response, err);
}

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
    struct server *server = server_start(node_folder, "main", follow_script, &script);
    int silent_port, silent = open_silent(&silent_port);
    char nodes[128];
    snprintf(nodes, sizeof nodes, "127.0.0.1:%d,127.0.0.1:%d", silent_port, server_port(server));
    struct kz_client *client = open_client(nodes, user_folder, user_folder, KZ__READ_MODE__LOCAL, LONG_MS);
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
    struct kz_client *client = open_client(nodes, user_folder, user_folder, KZ__READ_MODE__AUTO, LONG_MS);
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
    struct kz_client *client = open_client(nodes, user_folder, ca, KZ__READ_MODE__LOCAL, LONG_MS);
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
        issue(world.ours, cases[i].name, leaf, folder);
        expect_refusal(folder, cases[i].name, user_folder, cases[i].reason);
    }
}

static void a_revoked_node_and_a_strangers_node_are_refused(void **state)
{
    (void)state;
    char folder[128];
    struct kz_err err;
    size_t count;
    issue(world.ours, "gone", (struct kz_ca_leaf){.kind = KZ_CA_KIND_NODE, .name = "gone", .addresses = "127.0.0.1"},
          folder);
    assert_int_equal(kz_ca_revoke(world.ours, "node/gone", &count, &err), KZ_OK);
    assert_int_equal(count, 1);
    expect_refusal(folder, "gone", user_folder, KZ_T_REASON_CERT_REVOKED);

    issue(world.theirs, "stranger",
          (struct kz_ca_leaf){.kind = KZ_CA_KIND_NODE, .name = "stranger", .addresses = "127.0.0.1"}, folder);
    char ca[512];
    snprintf(ca, sizeof ca, "cp %s/ca.pem %s/ca.pem", user_folder, folder); /* it lets us in; we must not believe it */
    assert_int_equal(system(ca), 0);
    expect_refusal(folder, "stranger", user_folder, KZ_T_REASON_CERT_UNTRUSTED);
}

/* The user's files with another CA file. */
static void make_ca_file(const char *name, const char *parts, char folder[128])
{
    make_folder(name, folder);
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
    expect_refusal(node_folder, "main", folder, KZ_T_REASON_CERT_ISSUER);

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
    struct server *server = server_start(node_folder, "main", follow_script, &script);
    char nodes[128];
    Kz__Response *response = NULL;
    struct kz_err err;
    snprintf(nodes, sizeof nodes, "remote=127.0.0.1:%d", server_port(server));
    struct kz_client *client = open_client(nodes, user_folder, user_folder, KZ__READ_MODE__LOCAL, LONG_MS);
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
    client = open_client(nodes, user_folder, user_folder, KZ__READ_MODE__LOCAL, LONG_MS);
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
    struct server *server = server_start(node_folder, "main", follow_script, &script);
    char nodes[64], certificate[192], key[192], ca[192], crl[192];
    snprintf(nodes, sizeof nodes, "127.0.0.1:%d", server_port(server));
    snprintf(certificate, sizeof certificate, "%s/officer.pem", user_folder);
    snprintf(key, sizeof key, "%s/officer.key", user_folder);
    snprintf(ca, sizeof ca, "%s/ca.pem", user_folder);
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
    struct server *server = server_start(node_folder, "main", follow_script, &script);
    char nodes[64];
    snprintf(nodes, sizeof nodes, "127.0.0.1:%d", server_port(server));
    struct kz_client *client = open_client(nodes, user_folder, user_folder, KZ__READ_MODE__LOCAL, LONG_MS);
    Kz__Response *response = NULL;
    assert_int_equal(ask_status(client, &response, &err), KZ_OK);
    kz__response__free_unpacked(response, NULL);
    kz_client_free(client);
    server_stop(server);
    assert_int_equal(kz_ca_write_crl(world.ours, 0, &err), KZ_OK);
}

/* ---- retries ---- */

static void a_write_whose_answer_was_lost_is_asked_again_with_the_same_id(void **state)
{
    (void)state;
    const enum server_act first_acts[] = {SERVER_CLOSE};
    struct script first = {.acts = first_acts, .codes = fine, .count = 1};
    struct script second = {.acts = answers, .codes = fine, .count = 1};
    struct server *one = server_start(node_folder, "main", follow_script, &first);
    struct server *two = server_start(node_folder, "main", follow_script, &second);
    char nodes[128];
    snprintf(nodes, sizeof nodes, "127.0.0.1:%d,127.0.0.1:%d", server_port(one), server_port(two));
    struct kz_client *client = open_client(nodes, user_folder, user_folder, KZ__READ_MODE__AUTO, LONG_MS);
    Kz__Response *response = NULL;
    struct kz_err err;
    assert_int_equal(ask_write(client, &response, &err), KZ_OK);
    assert_non_null(response->outcome);
    kz__response__free_unpacked(response, NULL);
    kz_client_free(client);
    server_stop(one);
    server_stop(two);
    static const uint8_t zero[KZ_REQUEST_ID_BYTES];
    assert_int_equal(first.got, 1);
    assert_int_equal(second.got, 1);
    assert_memory_equal(first.ids[0], second.ids[0], KZ_REQUEST_ID_BYTES);
    assert_memory_not_equal(first.ids[0], zero, KZ_REQUEST_ID_BYTES);
}

static void no_quorum_after_a_lost_answer_leaves_the_outcome_unknown(void **state)
{
    (void)state;
    const enum server_act acts[] = {SERVER_CLOSE, SERVER_ANSWER};
    const uint32_t codes[] = {0, KZ_NO_QUORUM};
    struct script script = {.acts = acts, .codes = codes, .count = 2};
    struct server *server = server_start(node_folder, "main", follow_script, &script);
    char nodes[64];
    snprintf(nodes, sizeof nodes, "127.0.0.1:%d", server_port(server));
    struct kz_client *client = open_client(nodes, user_folder, user_folder, KZ__READ_MODE__AUTO, 700);
    Kz__Response *response = NULL;
    struct kz_err err;
    assert_int_equal(ask_write(client, &response, &err), KZ_UNKNOWN_OUTCOME);
    assert_null(response);
    kz_client_free(client);
    server_stop(server);
    assert_true(script.got >= 2);
    assert_memory_equal(script.ids[0], script.ids[1], KZ_REQUEST_ID_BYTES);
}

static void no_quorum_at_one_node_is_asked_at_the_next(void **state)
{
    (void)state;
    const uint32_t isolated_codes[] = {KZ_NO_QUORUM};
    struct script isolated = {.acts = answers, .codes = isolated_codes, .count = 1};
    struct script healthy = {.acts = answers, .codes = fine, .count = 1};
    struct server *one = server_start(node_folder, "main", follow_script, &isolated);
    struct server *two = server_start(node_folder, "main", follow_script, &healthy);
    char nodes[128];
    snprintf(nodes, sizeof nodes, "127.0.0.1:%d,127.0.0.1:%d", server_port(one), server_port(two));
    struct kz_client *client = open_client(nodes, user_folder, user_folder, KZ__READ_MODE__AUTO, LONG_MS);
    Kz__Response *response = NULL;
    struct kz_err err;
    assert_int_equal(ask_write(client, &response, &err), KZ_OK);
    assert_null(response->error);
    kz__response__free_unpacked(response, NULL);
    kz_client_free(client);
    server_stop(one);
    server_stop(two);
    assert_int_equal(isolated.got, 1);
}

static void a_refusal_that_will_not_change_is_not_asked_again(void **state)
{
    (void)state;
    const uint32_t codes[] = {KZ_INVALID};
    struct script script = {.acts = answers, .codes = codes, .count = 1};
    struct server *server = server_start(node_folder, "main", follow_script, &script);
    char nodes[64];
    snprintf(nodes, sizeof nodes, "127.0.0.1:%d", server_port(server));
    struct kz_client *client = open_client(nodes, user_folder, user_folder, KZ__READ_MODE__AUTO, LONG_MS);
    Kz__Response *response = NULL;
    struct kz_err err;
    assert_int_equal(ask_write(client, &response, &err), KZ_OK);
    assert_int_equal(response->error->code, KZ_INVALID);
    kz__response__free_unpacked(response, NULL);
    kz_client_free(client);
    server_stop(server);
    assert_int_equal(script.got, 1);
}

/* ---- a fresher answer ---- */

static enum server_act answer_alone(void *data, unsigned n, const Kz__Request *request, Kz__Response *response)
{
    (void)n;
    (void)request;
    *(unsigned *)data += 1;
    response->meta->read = KZ__READ_MODE__LOCAL;
    response->meta->quorum = false;
    response->meta->rev = 1;
    return SERVER_ANSWER;
}

static enum server_act answer_with_quorum(void *data, unsigned n, const Kz__Request *request, Kz__Response *response)
{
    (void)n;
    /* The one that is asked second must not fall back to its own copy too. */
    if (request->mode == KZ__READ_MODE__LINEARIZABLE) *(unsigned *)data += 1;
    response->meta->rev = 2;
    return SERVER_ANSWER;
}

static uint64_t read_rev(struct kz_client *client)
{
    Kz__GetRequest get = KZ__GET_REQUEST__INIT;
    char id[] = "juki";
    get.kind = KZ__KIND__SYSTEM;
    get.id = id;
    Kz__Request request = KZ__REQUEST__INIT;
    request.get = &get;
    Kz__Response *response = NULL;
    struct kz_err err;
    assert_int_equal(kz_client_call(client, &request, &response, &err), KZ_OK);
    uint64_t rev = response->meta->rev;
    kz__response__free_unpacked(response, NULL);
    return rev;
}

static void auto_prefers_a_node_with_a_quorum_over_the_lone_one_that_answered(void **state)
{
    (void)state;
    unsigned alone = 0, linearizable = 0;
    struct server *one = server_start(node_folder, "main", answer_alone, &alone);
    struct server *two = server_start(node_folder, "main", answer_with_quorum, &linearizable);
    char nodes[128];
    snprintf(nodes, sizeof nodes, "127.0.0.1:%d,127.0.0.1:%d", server_port(one), server_port(two));
    struct kz_client *client = open_client(nodes, user_folder, user_folder, KZ__READ_MODE__AUTO, LONG_MS);
    assert_int_equal(read_rev(client), 2);
    assert_int_equal(linearizable, 1);
    assert_int_equal(read_rev(client), 2); /* and stays with it */
    assert_int_equal(alone, 1);
    kz_client_free(client);
    client = open_client(nodes, user_folder, user_folder, KZ__READ_MODE__LOCAL, LONG_MS);
    assert_int_equal(read_rev(client), 1); /* asked for a node's own copy: no one else is asked */
    kz_client_free(client);
    server_stop(one);
    server_stop(two);
}

/* ---- watch ---- */

/* Holds revisions 5..9. Answers two changes from where it is asked, then breaks; begins one too early on purpose. */
struct feed {
    Kz__Change changes[3];
    Kz__Change *list[3];
    uint64_t asked[16];
    unsigned count;
};

static enum server_act feed_changes(void *data, unsigned n, const Kz__Request *request, Kz__Response *response)
{
    struct feed *feed = data;
    static char id[] = "juki", word[] = "x";
    if (!request->watch || n >= 16) return SERVER_CLOSE;
    uint64_t from = request->watch->has_from_rev ? request->watch->from_rev : 5;
    feed->asked[feed->count++] = from;
    uint64_t first = from > 5 ? from - 1 : from;
    for (size_t i = 0; i < 3 && first + i <= 9; i++) {
        kz__change__init(&feed->changes[i]);
        feed->changes[i].rev = first + i;
        feed->changes[i].op = KZ__MUTATION__OP__PUT;
        feed->changes[i].kind = KZ__KIND__SYSTEM;
        feed->changes[i].id = id;
        feed->changes[i].actor = feed->changes[i].node = word;
        feed->list[i] = &feed->changes[i];
        response->n_changes = i + 1;
    }
    response->changes = feed->list;
    response->has_more = response->more = true;
    response->has_next_rev = true;
    response->next_rev = first + response->n_changes;
    return SERVER_ANSWER_AND_CLOSE;
}

struct seen {
    uint64_t revs[16];
    unsigned count;
};

static bool note_changes(void *data, const Kz__Response *response)
{
    struct seen *seen = data;
    for (size_t i = 0; i < response->n_changes && seen->count < 16; i++)
        seen->revs[seen->count++] = response->changes[i]->rev;
    return seen->count < 5;
}

static void a_watch_goes_on_after_breaks_with_no_change_lost_or_doubled(void **state)
{
    (void)state;
    struct feed feed = {.count = 0};
    struct server *server = server_start(node_folder, "main", feed_changes, &feed);
    char nodes[64];
    snprintf(nodes, sizeof nodes, "127.0.0.1:%d", server_port(server));
    struct kz_client *client = open_client(nodes, user_folder, user_folder, KZ__READ_MODE__AUTO, LONG_MS);
    Kz__WatchRequest watch = KZ__WATCH_REQUEST__INIT;
    struct seen seen = {.count = 0};
    Kz__Response *refusal = NULL;
    struct kz_err err;
    assert_int_equal(kz_client_watch(client, &watch, LONG_MS, note_changes, &seen, &refusal, &err), KZ_OK);
    assert_null(refusal);
    kz_client_free(client);
    server_stop(server);
    assert_int_equal(seen.count, 5);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(seen.revs[i], 5 + i);
    assert_true(feed.count >= 2); /* it did break in between */
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
        cmocka_unit_test(a_write_whose_answer_was_lost_is_asked_again_with_the_same_id),
        cmocka_unit_test(no_quorum_after_a_lost_answer_leaves_the_outcome_unknown),
        cmocka_unit_test(no_quorum_at_one_node_is_asked_at_the_next),
        cmocka_unit_test(a_refusal_that_will_not_change_is_not_asked_again),
        cmocka_unit_test(auto_prefers_a_node_with_a_quorum_over_the_lone_one_that_answered),
        cmocka_unit_test(a_watch_goes_on_after_breaks_with_no_change_lost_or_doubled),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
