/* SPDX-License-Identifier: Apache-2.0 */
/* A node's configuration: what is read, and what is refused before a node starts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "node/service/config.h"

#define HEAD                                                                                                           \
    "[node]\nname = main\nid = 1\nlisten = 127.0.0.1:7301\ndata = data\n[cluster]\nid = lab\n"                         \
    "[tls]\ncert = a\nkey = b\nca = c\ncrl = d\n"
#define MAIN "[peer.main]\nid = 1\naddress = 127.0.0.1:7301\n"
#define REMOTE "[peer.remote]\nid = 2\naddress = 127.0.0.1:7302\n"

static char path[] = "/tmp/keizoku-config-XXXXXX";

static enum kz_code read_text(const char *text, struct kz_service_config *config, struct kz_err *err)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    return kz_service_config_read(config, path, err);
}

static void assert_refused(const char *text, const char *why)
{
    struct kz_service_config config;
    struct kz_err err = {0};
    assert_int_equal(read_text(text, &config, &err), KZ_USAGE);
    if (!strstr(err.text, why)) fail_msg("\"%s\" does not say \"%s\"", err.text, why);
    kz_service_config_fini(&config);
}

static void a_good_file_gives_members_and_defaults(void **state)
{
    struct kz_service_config config;
    struct kz_err err = {0};
    (void)state;
    assert_int_equal(read_text(HEAD MAIN REMOTE, &config, &err), KZ_OK);
    assert_string_equal(config.name, "main");
    assert_string_equal(config.data_directory, "/tmp/data"); /* relative to the file */
    assert_int_equal(config.member_count, 2);
    assert_string_equal(config.members[1].name, "remote");
    assert_int_equal(config.members[1].id, 2);
    assert_int_equal(config.election_timeout_ms, 500);
    assert_int_equal(config.map_size_bytes, INT64_C(16) << 30);
    kz_service_config_fini(&config);
}

static void a_node_that_is_no_member_is_refused(void **state)
{
    (void)state;
    assert_refused(HEAD REMOTE, "no [peer.main] section with id = 1");
    assert_refused(HEAD "[peer.main]\nid = 7\naddress = 127.0.0.1:7301\n", "no [peer.main] section with id = 1");
}

static void members_sharing_an_id_or_an_address_are_refused(void **state)
{
    (void)state;
    assert_refused(HEAD MAIN "[peer.remote]\nid = 1\naddress = 127.0.0.1:7302\n", "share an id or an address");
    assert_refused(HEAD MAIN "[peer.remote]\nid = 2\naddress = 127.0.0.1:7301\n", "share an id or an address");
}

static void an_address_without_a_port_is_refused(void **state)
{
    (void)state;
    assert_refused(HEAD MAIN "[peer.remote]\nid = 2\naddress = remote\n", "is not host:port");
    assert_refused(HEAD MAIN "[peer.remote]\nid = 2\naddress = remote:70000\n", "is not host:port");
}

static void a_heartbeat_too_slow_for_the_election_is_refused(void **state)
{
    (void)state;
    assert_refused(HEAD MAIN "[raft]\nelection_timeout = 500ms\nheartbeat = 300ms\n", "raft.heartbeat");
}

static void more_members_than_the_limit_are_refused(void **state)
{
    char text[2048];
    size_t used = (size_t)snprintf(text, sizeof text, "%s", HEAD MAIN);
    (void)state;
    for (unsigned id = 2; id <= KZ_NODES_MAX + 1; id++)
        used += (size_t)snprintf(text + used, sizeof text - used, "[peer.n%u]\nid = %u\naddress = 127.0.0.1:%u\n", id,
                                 id, 7300 + id);
    assert_refused(text, "too many");
}

static void addresses_are_split_at_the_last_colon(void **state)
{
    char host[64];
    int port;
    (void)state;
    assert_true(kz_service_split_address("[::1]:7301", host, sizeof host, &port));
    assert_string_equal(host, "::1");
    assert_int_equal(port, 7301);
    assert_true(kz_service_split_address("host.example:80", host, sizeof host, &port));
    assert_string_equal(host, "host.example");
    assert_false(kz_service_split_address("::1:80", host, sizeof host, &port));
    assert_false(kz_service_split_address(":80", host, sizeof host, &port));
    assert_false(kz_service_split_address("host:", host, sizeof host, &port));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_file_gives_members_and_defaults),
        cmocka_unit_test(a_node_that_is_no_member_is_refused),
        cmocka_unit_test(members_sharing_an_id_or_an_address_are_refused),
        cmocka_unit_test(an_address_without_a_port_is_refused),
        cmocka_unit_test(a_heartbeat_too_slow_for_the_election_is_refused),
        cmocka_unit_test(more_members_than_the_limit_are_refused),
        cmocka_unit_test(addresses_are_split_at_the_last_colon),
    };
    int file = mkstemp(path);
    if (file < 0) return 1;
    close(file);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
