/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration files, mostly bad ones: each error names file, line, key, what is allowed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "node/base/config.h"

#define PEERS_MAX 2

struct peer {
    char *address;
    int64_t weight;
};

struct settings {
    char *name;
    char *data;
    int64_t port;
    int64_t timeout_ms;
    int64_t map_bytes;
    struct peer peers[PEERS_MAX];
    char peer_names[PEERS_MAX][32];
    size_t peer_count;
};

static const struct kz_config_row rows[] = {
    {"node", "name", KZ_CONFIG_TEXT, offsetof(struct settings, name), 0, 0, NULL, "the node's name"},
    {"node", "data", KZ_CONFIG_PATH, offsetof(struct settings, data), 0, 0, "data", "the data folder"},
    {"node", "port", KZ_CONFIG_INTEGER, offsetof(struct settings, port), 1, 65535, "7400", "the port"},
    {"raft", "election_timeout", KZ_CONFIG_DURATION_MS, offsetof(struct settings, timeout_ms), 100, 60000, "1s",
     "time"},
    {"store", "map_size", KZ_CONFIG_SIZE, offsetof(struct settings, map_bytes), 1 << 20, INT64_C(1) << 40, "16GiB",
     "size"},
    {"peer.", "address", KZ_CONFIG_TEXT, offsetof(struct peer, address), 0, 0, NULL, "host:port of the peer"},
    {"peer.", "weight", KZ_CONFIG_INTEGER, offsetof(struct peer, weight), 0, 10, "5", "weight"},
};

static void *add_peer(void *target, const char *prefix, const char *suffix)
{
    struct settings *settings = target;
    assert_string_equal(prefix, "peer.");
    if (settings->peer_count == PEERS_MAX) return NULL;
    snprintf(settings->peer_names[settings->peer_count], sizeof settings->peer_names[0], "%s", suffix);
    return &settings->peers[settings->peer_count++];
}

static char path[64];

static enum kz_code read_text(const char *text, struct settings *settings, struct kz_err *err)
{
    memset(settings, 0, sizeof *settings);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    const struct kz_config_table table = {rows, sizeof rows / sizeof rows[0], settings, add_peer};
    return kz_config_read(path, &table, err);
}

static void free_settings(struct settings *settings)
{
    free(settings->name);
    free(settings->data);
    for (size_t i = 0; i < settings->peer_count; i++)
        free(settings->peers[i].address);
}

/* The whole message, with PATH in place of the file. */
static void expect_error(const char *text, const char *message)
{
    struct settings settings;
    struct kz_err err;
    char expected[KZ_ERR_TEXT_BYTES + 64];
    assert_int_equal(read_text(text, &settings, &err), KZ_USAGE);
    assert_int_equal(err.code, KZ_USAGE);
    snprintf(expected, sizeof expected, "%s%s", path, message);
    assert_string_equal(err.text, expected);
    free_settings(&settings);
}

static void a_good_file_fills_every_type_and_the_defaults(void **state)
{
    (void)state;
    struct settings settings;
    struct kz_err err;
    const char *text = "; comment\n[node]\nname = 本庁舎\nport = 7500\n[raft]\nelection_timeout = 250ms\n"
                       "[peer.alternate]\naddress = 127.0.0.1:1\n[peer.remote]\naddress = 127.0.0.1:2\nweight = 10\n";
    if (read_text(text, &settings, &err) != KZ_OK) fail_msg("%s", err.text);
    assert_string_equal(settings.name, "本庁舎");
    assert_string_equal(settings.data, "/tmp/data"); /* from the file's folder */
    assert_int_equal(settings.port, 7500);
    assert_int_equal(settings.timeout_ms, 250);
    assert_true(settings.map_bytes == INT64_C(16) << 30);
    assert_int_equal(settings.peer_count, 2);
    assert_string_equal(settings.peer_names[1], "remote");
    assert_string_equal(settings.peers[0].address, "127.0.0.1:1");
    assert_int_equal(settings.peers[0].weight, 5);
    assert_int_equal(settings.peers[1].weight, 10);
    free_settings(&settings);
}

static void an_absolute_path_stays_and_a_later_line_wins(void **state)
{
    (void)state;
    struct settings settings;
    struct kz_err err;
    assert_int_equal(read_text("[node]\nname = a\ndata = /srv/x\nport = 1\nport = 2\n", &settings, &err), KZ_OK);
    assert_string_equal(settings.data, "/srv/x");
    assert_int_equal(settings.port, 2);
    free_settings(&settings);
}

static void an_unknown_key_names_its_line_and_the_nearest(void **state)
{
    (void)state;
    expect_error("[node]\nname = a\nprot = 1\n", ":3: unknown key [node] prot; did you mean [node] port");
    expect_error("[node]\nname = a\n\n[raft]\nelection_timeuot = 1s\n",
                 ":5: unknown key [raft] election_timeuot; did you mean [raft] election_timeout");
    expect_error("[nod]\nname = a\n", ":2: unknown key [nod] name; did you mean [node] name");
    expect_error("[peer.x]\nadress = a\n", ":2: unknown key [peer.x] adress; did you mean [peer.] address");
}

static void a_key_like_none_of_ours_gets_no_suggestion(void **state)
{
    (void)state;
    expect_error("[node]\nxyzzyplugh = 1\n", ":2: unknown key [node] xyzzyplugh");
    expect_error("[node]\nqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq = 1\n",
                 ":2: unknown key [node] qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq");
}

static void a_value_out_of_range_names_the_range_in_its_unit(void **state)
{
    (void)state;
    expect_error("[node]\nport = 0\n", ":2: node.port = 0 is not allowed: give 1 to 65535");
    expect_error("[node]\nport = 7400x\n", ":2: node.port = 7400x is not allowed: give 1 to 65535");
    expect_error("[node]\nport = 99999999999999999999\n",
                 ":2: node.port = 99999999999999999999 is not allowed: give 1 to 65535");
    expect_error("[raft]\nelection_timeout = 2m\n", ":2: raft.election_timeout = 2m is not allowed: give 100ms to 60s");
    expect_error("[raft]\nelection_timeout = 100\n",
                 ":2: raft.election_timeout = 100 is not allowed: give 100ms to 60s");
    expect_error("[store]\nmap_size = 1KiB\n", ":2: store.map_size = 1KiB is not allowed: give 1MiB to 1048576MiB");
}

static void a_missing_key_is_named_with_its_meaning_in_every_section(void **state)
{
    (void)state;
    expect_error("[node]\nport = 1\n", ": [node] name is missing: the node's name");
    expect_error("[node]\nname = a\n[peer.a]\naddress = x\n[peer.b]\nweight = 1\n",
                 ": [peer.b] address is missing: host:port of the peer");
}

static void too_many_sections_are_refused(void **state)
{
    (void)state;
    expect_error("[peer.a]\naddress = x\n[peer.b]\naddress = x\n[peer.c]\naddress = x\n",
                 ":6: too many [peer.*] sections");
}

static void a_line_that_is_neither_section_nor_key_is_named(void **state)
{
    (void)state;
    expect_error("[node]\nname = a\nwhat is this\n", ":3: not a [section] nor a key = value line");
    expect_error("[node\nname = a\n", ":1: a [section] ends with ]");
}

/* libinih would split such a line in two and misname what it found in the second half. */
static void a_line_that_is_too_long_is_refused_as_such(void **state)
{
    (void)state;
    char text[600] = "[node]\nname = ";
    memset(text + strlen(text), 'x', 400);
    expect_error(text, ":2: longer than 198 bytes, which is all a line may have");
}

static void only_the_first_error_is_reported(void **state)
{
    (void)state;
    expect_error("[node]\nport = 0\nbad = 1\n", ":2: node.port = 0 is not allowed: give 1 to 65535");
}

static void a_file_that_cannot_be_read_is_named_with_the_reason(void **state)
{
    (void)state;
    struct settings settings = {0};
    struct kz_err err;
    const struct kz_config_table table = {rows, sizeof rows / sizeof rows[0], &settings, add_peer};
    assert_int_equal(kz_config_read("/nonexistent/keizoku.conf", &table, &err), KZ_USAGE);
    assert_string_equal(err.text, "/nonexistent/keizoku.conf: No such file or directory");
    free_settings(&settings);
}

static void single_values_are_parsed_strictly(void **state)
{
    (void)state;
    int64_t value = 0;
    assert_true(kz_parse_duration_ms("250ms", &value) && value == 250);
    assert_true(kz_parse_duration_ms("2 h", &value) && value == 7200000);
    assert_true(kz_parse_duration_ms("1d", &value) && value == 86400000);
    assert_false(kz_parse_duration_ms("5", &value));
    assert_false(kz_parse_duration_ms("-5s", &value));
    assert_false(kz_parse_duration_ms("5 s x", &value));
    assert_false(kz_parse_duration_ms("9223372036854775807d", &value));
    assert_true(kz_parse_size_bytes("512", &value) && value == 512);
    assert_true(kz_parse_size_bytes("64KiB", &value) && value == 65536);
    assert_true(kz_parse_size_bytes("16GiB", &value) && value == INT64_C(16) << 30);
    assert_false(kz_parse_size_bytes("16GB", &value));
    assert_false(kz_parse_size_bytes("", &value));
    assert_true(kz_parse_integer("-7", &value) && value == -7);
    assert_false(kz_parse_integer("7 ", &value));
    assert_false(kz_parse_integer("", &value));
    assert_false(kz_parse_integer("99999999999999999999", &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_file_fills_every_type_and_the_defaults),
        cmocka_unit_test(an_absolute_path_stays_and_a_later_line_wins),
        cmocka_unit_test(an_unknown_key_names_its_line_and_the_nearest),
        cmocka_unit_test(a_key_like_none_of_ours_gets_no_suggestion),
        cmocka_unit_test(a_value_out_of_range_names_the_range_in_its_unit),
        cmocka_unit_test(a_missing_key_is_named_with_its_meaning_in_every_section),
        cmocka_unit_test(too_many_sections_are_refused),
        cmocka_unit_test(a_line_that_is_neither_section_nor_key_is_named),
        cmocka_unit_test(a_line_that_is_too_long_is_refused_as_such),
        cmocka_unit_test(only_the_first_error_is_reported),
        cmocka_unit_test(a_file_that_cannot_be_read_is_named_with_the_reason),
        cmocka_unit_test(single_values_are_parsed_strictly),
    };
    snprintf(path, sizeof path, "/tmp/kz-test-config-%d.conf", (int)getpid());
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
