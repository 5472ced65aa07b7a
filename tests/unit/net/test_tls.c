/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/net/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static struct authority home;
static char scratch[160]; /* a file of this test */

static int set_up(void **state)
{
    (void)state;
    authority_make(&home, "lab");
    authority_node(&home, "main", NULL);
    authority_node(&home, "remote", NULL);
    authority_user(&home, "sato", "operator", NULL);
    snprintf(scratch, sizeof scratch, "%s/scratch.pem", home.dir);
    return 0;
}
static int tear_down(void **state)
{
    (void)state;
    authority_end(&home);
    return 0;
}

struct paths {
    char cert[256], key[256], ca[256], crl[256];
    struct kz_tls_config config;
};

static void fill_paths(struct paths *paths, const char *who)
{
    const char *folder = strncmp(who, "node/", 5) == 0 ? "nodes" : "users";
    snprintf(paths->cert, sizeof paths->cert, "%s/%s/%s.pem", home.dir, folder, who + 5);
    snprintf(paths->key, sizeof paths->key, "%s/%s/%s.key", home.dir, folder, who + 5);
    snprintf(paths->ca, sizeof paths->ca, "%s/ca.pem", home.dir);
    snprintf(paths->crl, sizeof paths->crl, "%s/crl.pem", home.dir);
    paths->config = (struct kz_tls_config){.cert_path = paths->cert,
                                           .key_path = paths->key,
                                           .ca_path = paths->ca,
                                           .crl_path = paths->crl,
                                           .cluster = "lab",
                                           .node = "main"};
}

static void expect_refusal(const struct kz_tls_config *config, enum kz_code code, const char *words)
{
    struct kz_tls *tls = NULL;
    struct kz_err err = {0};
    assert_int_equal(kz_tls_open(&tls, config, &err), code);
    assert_null(tls);
    if (!strstr(err.text, words)) fail_msg("'%s' is not in '%s'", words, err.text);
}

static size_t read_all(const char *path, char *out, size_t room)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t size = fread(out, 1, room - 1, file);
    fclose(file);
    out[size] = '\0';
    return size;
}

static void write_scratch(const char *text)
{
    FILE *file = fopen(scratch, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

/* `path` without its `n`th PEM block. */
static void copy_without(const char *path, unsigned n)
{
    static char text[65536], out[65536];
    read_all(path, text, sizeof text);
    out[0] = '\0';
    char *block = text;
    for (unsigned i = 0; (block = strstr(block, "-----BEGIN")); i++) {
        char *end = strstr(block, "-----END");
        end = strchr(end, '\n') + 1;
        if (i != n) strncat(out, block, (size_t)(end - block));
        block = end;
    }
    write_scratch(out);
}

static void good_files_give_the_identity(void **state)
{
    (void)state;
    struct paths paths;
    struct kz_tls *tls;
    struct kz_err err = {0};
    struct kz_tls_health health;
    int64_t now_s = (int64_t)time(NULL);
    fill_paths(&paths, "node/main");
    if (kz_tls_open(&tls, &paths.config, &err)) fail_msg("%s", err.text);
    assert_int_equal(kz_tls_identity(tls)->kind, KZ_IDENTITY_NODE);
    assert_string_equal(kz_tls_identity(tls)->name, "main");
    assert_string_equal(kz_tls_identity(tls)->cluster, "lab");
    kz_tls_health(tls, now_s, &health);
    assert_false(health.certificate_expired || health.crl_expired);
    assert_int_equal(health.generation, 1);
    assert_true(health.certificate_expires_s > now_s && health.crl_expires_s > now_s);
    kz_tls_health(tls, health.crl_expires_s + 1, &health);
    assert_true(health.crl_expired);
    kz_tls_health(tls, health.certificate_expires_s + 1, &health);
    assert_true(health.certificate_expired);
    kz_tls_close(tls);
}

static void every_missing_file_is_named(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct paths paths;
        fill_paths(&paths, "node/main");
        const char **fields[] = {&paths.config.cert_path, &paths.config.key_path, &paths.config.ca_path,
                                 &paths.config.crl_path};
        *fields[i] = "/nonexistent/file.pem";
        expect_refusal(&paths.config, KZ_IO, "/nonexistent/file.pem");
        *fields[i] = home.dir; /* a folder */
        expect_refusal(&paths.config, KZ_IO, home.dir);
        write_scratch("not a PEM file\n");
        *fields[i] = scratch;
        expect_refusal(&paths.config, KZ_TLS, scratch);
        write_scratch("");
        expect_refusal(&paths.config, KZ_TLS, scratch);
    }
}

static void a_key_of_another_certificate_is_refused(void **state)
{
    (void)state;
    struct paths paths, other;
    fill_paths(&paths, "node/main");
    fill_paths(&other, "node/remote");
    paths.config.key_path = other.key;
    expect_refusal(&paths.config, KZ_TLS, "is not the key of");
}

static void a_certificate_of_another_node_or_cluster_is_refused(void **state)
{
    (void)state;
    struct paths paths;
    fill_paths(&paths, "node/remote");
    expect_refusal(&paths.config, KZ_TLS, "of node 'remote', not of node 'main'");
    fill_paths(&paths, "user/sato");
    expect_refusal(&paths.config, KZ_TLS, "of user 'sato', not of node 'main'");
    fill_paths(&paths, "node/main");
    paths.config.cluster = "prod";
    expect_refusal(&paths.config, KZ_WRONG_CLUSTER, "'prod'");
}

static void a_certificate_not_for_serving_is_refused(void **state)
{
    (void)state;
    struct paths paths;
    struct kz_ca_deviation client = {.usage = KZ_CA_EKU_CLIENT};
    authority_node(&home, "clientonly", &client);
    fill_paths(&paths, "node/clientonly");
    paths.config.node = "clientonly";
    expect_refusal(&paths.config, KZ_TLS, "lacks server authentication");
}

static void a_crl_missing_for_any_issuer_is_refused(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct paths paths;
        fill_paths(&paths, "node/main");
        copy_without(paths.crl, i);
        paths.config.crl_path = scratch;
        expect_refusal(&paths.config, KZ_TLS, "no CRL of");
    }
}

static void an_intermediate_missing_from_the_ca_file_is_refused(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct paths paths;
        fill_paths(&paths, "node/main");
        copy_without(paths.ca, i);
        paths.config.ca_path = scratch;
        expect_refusal(&paths.config, KZ_TLS, scratch);
    }
}

static void a_leaf_in_the_ca_file_is_refused(void **state)
{
    (void)state;
    static char text[65536];
    struct paths paths;
    fill_paths(&paths, "node/main");
    size_t size = read_all(paths.ca, text, sizeof text);
    read_all(paths.cert, text + size, sizeof text - size);
    write_scratch(text);
    paths.config.ca_path = scratch;
    expect_refusal(&paths.config, KZ_TLS, "not an authority's");
}

static void a_forged_crl_is_refused(void **state)
{
    (void)state;
    struct authority stranger;
    struct paths paths;
    char crl[256];
    authority_make(&stranger, "lab"); /* issuers of the same names, other keys */
    snprintf(crl, sizeof crl, "%s/crl.pem", stranger.dir);
    fill_paths(&paths, "node/main");
    paths.config.crl_path = crl;
    expect_refusal(&paths.config, KZ_TLS, "bad signature");
    authority_end(&stranger);
}

static void an_authority_that_did_not_issue_us_is_refused(void **state)
{
    (void)state;
    struct authority stranger;
    struct paths paths;
    char ca[256], crl[256];
    authority_make(&stranger, "lab");
    snprintf(ca, sizeof ca, "%s/ca.pem", stranger.dir);
    snprintf(crl, sizeof crl, "%s/crl.pem", stranger.dir);
    fill_paths(&paths, "node/main");
    paths.config.ca_path = ca;
    paths.config.crl_path = crl;
    expect_refusal(&paths.config, KZ_TLS, "not issued by");
    authority_end(&stranger);
}

static void an_expired_crl_alarms_and_locks_nobody_out(void **state)
{
    (void)state;
    struct kz_err err = {0};
    struct kz_tls_health health;
    struct world *world = calloc(1, sizeof *world);
    struct side side;
    size_t count;
    authority_user(&home, "banned", "reader", NULL);
    if (kz_ca_revoke(home.ca, "user/banned", &count, &err)) fail_msg("%s", err.text);
    if (kz_ca_write_crl(home.ca, -1, &err)) fail_msg("%s", err.text);
    world_begin(world, authority_tls(&home, "node/main"), NULL, NULL);
    kz_tls_health(world->server_tls, (int64_t)time(NULL), &health);
    assert_true(health.crl_expired);
    struct kz_tls *good = authority_tls(&home, "user/sato"), *banned = authority_tls(&home, "user/banned");
    struct kz_net *good_net = world_net(world, good), *banned_net = world_net(world, banned);
    world_connect(world, good_net, "main", KZ_ALPN_FOR_CLIENT, &side);
    world_wait(world, &side.opened);
    kz_stream_close(side.stream);
    world_wait(world, &side.closed);
    /* ... while what it says still holds */
    world_connect(world, banned_net, "main", KZ_ALPN_FOR_CLIENT, &side);
    world_wait(world, &side.closed);
    assert_int_equal(side.end.layer, KZ_LAYER_CERT);
    assert_int_equal(world->clients, 1);
    world_net_close(world, good_net);
    world_net_close(world, banned_net);
    world_end(world);
    kz_tls_close(good);
    kz_tls_close(banned);
    free(world);
    if (kz_ca_write_crl(home.ca, 0, &err)) fail_msg("%s", err.text);
}

static void reload_keeps_connections_and_takes_the_new_files(void **state)
{
    (void)state;
    struct kz_err err = {0};
    struct kz_tls_health before, after;
    struct world *world = calloc(1, sizeof *world);
    struct side first, second;
    world_begin(world, authority_tls(&home, "node/main"), NULL, NULL);
    struct kz_tls *tls = authority_tls(&home, "user/sato");
    struct kz_net *net = world_net(world, tls);
    world_connect(world, net, "main", KZ_ALPN_FOR_CLIENT, &first);
    world_wait(world, &first.opened);
    kz_tls_health(world->server_tls, 0, &before);
    if (kz_ca_renew(home.ca, "node/main", 400, &err)) fail_msg("%s", err.text);
    if (kz_tls_reload(world->server_tls, &err)) fail_msg("%s", err.text);
    kz_tls_health(world->server_tls, 0, &after);
    assert_int_equal(after.generation, before.generation + 1);
    assert_true(after.certificate_expires_s != before.certificate_expires_s);

    world_connect(world, net, "main", KZ_ALPN_FOR_CLIENT, &second);
    world_wait(world, &second.opened);
    world_turn(world, 2 * KZ_NET_TICK_MS);
    assert_int_equal(kz_stream_write(first.stream, "still here", 10), KZ_OK);
    while (world->accepted[0].received.size_bytes < 10)
        uv_run(&world->loop, UV_RUN_ONCE);
    assert_false(first.closed || second.closed);

    /* files that do not load change nothing */
    char crl[256], aside[256];
    snprintf(crl, sizeof crl, "%s/crl.pem", home.dir);
    snprintf(aside, sizeof aside, "%s/aside.pem", home.dir);
    assert_int_equal(rename(crl, aside), 0);
    assert_int_equal(kz_tls_reload(world->server_tls, &err), KZ_IO);
    assert_int_equal(rename(aside, crl), 0);
    kz_tls_health(world->server_tls, 0, &before);
    assert_int_equal(before.generation, after.generation);
    assert_string_equal(kz_tls_identity(world->server_tls)->name, "main");
    world_net_close(world, net);
    world_end(world);
    kz_tls_close(tls);
    free(world);
}

static void a_live_connection_is_cut_when_its_certificate_is_revoked(void **state)
{
    (void)state;
    struct kz_err err = {0};
    struct world *world = calloc(1, sizeof *world);
    struct side doomed, other;
    size_t count;
    authority_user(&home, "leaver", "operator", NULL);
    world_begin(world, authority_tls(&home, "node/main"), NULL, NULL);
    struct kz_tls *leaver = authority_tls(&home, "user/leaver"), *tls = authority_tls(&home, "user/sato");
    struct kz_net *leaver_net = world_net(world, leaver), *net = world_net(world, tls);
    world_connect(world, leaver_net, "main", KZ_ALPN_FOR_CLIENT, &doomed);
    world_wait(world, &doomed.opened);
    world_wait(world, &world->accepted[0].opened);
    world_connect(world, net, "main", KZ_ALPN_FOR_CLIENT, &other);
    world_wait(world, &other.opened);
    world_wait(world, &world->accepted[1].opened);
    if (kz_ca_revoke(home.ca, "user/leaver", &count, &err)) fail_msg("%s", err.text);
    if (kz_tls_reload(world->server_tls, &err)) fail_msg("%s", err.text);
    world_wait(world, &world->accepted[0].closed);
    assert_int_equal(world->accepted[0].end.layer, KZ_LAYER_CERT);
    world_wait(world, &doomed.closed);
    world_turn(world, 2 * KZ_NET_TICK_MS);
    assert_false(other.closed || world->accepted[1].closed);
    world_net_close(world, leaver_net);
    world_net_close(world, net);
    world_end(world);
    kz_tls_close(leaver);
    kz_tls_close(tls);
    free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_files_give_the_identity),
        cmocka_unit_test(every_missing_file_is_named),
        cmocka_unit_test(a_key_of_another_certificate_is_refused),
        cmocka_unit_test(a_certificate_of_another_node_or_cluster_is_refused),
        cmocka_unit_test(a_certificate_not_for_serving_is_refused),
        cmocka_unit_test(a_crl_missing_for_any_issuer_is_refused),
        cmocka_unit_test(an_intermediate_missing_from_the_ca_file_is_refused),
        cmocka_unit_test(a_leaf_in_the_ca_file_is_refused),
        cmocka_unit_test(a_forged_crl_is_refused),
        cmocka_unit_test(an_authority_that_did_not_issue_us_is_refused),
        cmocka_unit_test(an_expired_crl_alarms_and_locks_nobody_out),
        cmocka_unit_test(reload_keeps_connections_and_takes_the_new_files),
        cmocka_unit_test(a_live_connection_is_cut_when_its_certificate_is_revoked),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
