/* SPDX-License-Identifier: Apache-2.0 */
/* Flag beats environment beats file; what is wrong is named; commands and ids; node lists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/cli/commands.h"
#include "client/san.h"

/* An environment of pairs, ended by NULL. */
static const char *get_pair(void *data, const char *name)
{
    const char *const *pairs = data;
    for (size_t i = 0; pairs[i]; i += 2)
        if (strcmp(pairs[i], name) == 0) return pairs[i + 1];
    return NULL;
}

struct run {
    struct kz_options options;
    struct kz_words words;
    Kz__Error *error;
};

static void read_options(struct run *run, const char *const *environment, int argc, const char *const *argv)
{
    run->error = kz_options_read(&run->options, &run->words, argc, (char *const *)(uintptr_t)argv, get_pair,
                                 (void *)(uintptr_t)environment);
}
#define READ(run, environment, ...)                                                                                    \
    read_options(run, environment, (int)(sizeof((const char *[]){"keizoku", __VA_ARGS__}) / sizeof(char *)),           \
                 (const char *[]){"keizoku", __VA_ARGS__})

static void release(struct run *run)
{
    if (run->error) kz__error__free_unpacked(run->error, NULL);
    kz_options_fini(&run->options, &run->words);
}

static char config_path[] = "/tmp/keizoku-test-config-XXXXXX";

static void write_config(const char *text)
{
    FILE *file = fopen(config_path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void a_flag_beats_the_environment_and_that_beats_the_file(void **state)
{
    (void)state;
    write_config("# 設定\nnode = file:1\ntimeout = 3s\noutput=csv\nlang = ja\n\n");
    const char *const environment[] = {
        "KEIZOKU_CONFIG", config_path, "KEIZOKU_NODE", "env:1", "KEIZOKU_TIMEOUT", "4s", NULL};
    struct run run;
    READ(&run, environment, "list", "--node", "flag:1", "system");
    assert_null(run.error);
    assert_string_equal(run.options.node, "flag:1");
    assert_int_equal(run.options.timeout_ms, 4000);
    assert_int_equal(run.options.output, KZ_OUTPUT_CSV);
    assert_true(kz_options_japanese(&run.options));
    assert_int_equal(run.words.count, 2);
    assert_string_equal(run.words.items[1], "system");
    release(&run);
}

static void options_may_stand_anywhere_and_be_joined_to_their_value(void **state)
{
    (void)state;
    const char *const environment[] = {"HOME", "/nonexistent", NULL};
    struct run run;
    READ(&run, environment, "-ojson", "get", "--read=local", "system/juki", "-q", "--max-age", "10m", "--", "-x");
    assert_null(run.error);
    assert_int_equal(run.options.output, KZ_OUTPUT_JSON);
    assert_int_equal(run.options.read, KZ__READ_MODE__LOCAL);
    assert_int_equal(run.options.max_age_ms, 600000);
    assert_true(run.options.quiet);
    assert_int_equal(run.words.count, 3);
    assert_string_equal(run.words.items[2], "-x");
    release(&run);
}

static void the_locale_decides_only_when_nothing_else_does(void **state)
{
    (void)state;
    const char *const japanese[] = {"HOME", "/nonexistent", "LC_ALL", "", "LANG", "ja_JP.UTF-8", NULL};
    const char *const all[] = {"HOME", "/nonexistent", "LC_ALL", "C", "LANG", "ja_JP.UTF-8", NULL};
    const char *const asked[] = {"HOME", "/nonexistent", "LANG", "ja_JP.UTF-8", "KEIZOKU_LANG", "en", NULL};
    struct run run;
    READ(&run, japanese, "status");
    assert_true(kz_options_japanese(&run.options));
    release(&run);
    READ(&run, all, "status");
    assert_false(kz_options_japanese(&run.options));
    release(&run);
    READ(&run, asked, "status");
    assert_false(kz_options_japanese(&run.options));
    release(&run);
}

static void assert_error(const struct run *run, const char *what, const char *why)
{
    assert_non_null(run->error);
    assert_int_equal(run->error->code, KZ_USAGE);
    if (!strstr(run->error->what_en, what)) fail_msg("\"%s\" lacks \"%s\"", run->error->what_en, what);
    if (!strstr(run->error->why_en, why)) fail_msg("\"%s\" lacks \"%s\"", run->error->why_en, why);
    assert_non_null(run->error->what_ja);
    assert_non_null(run->error->hint_ja);
}

static void mistakes_on_the_command_line_are_named(void **state)
{
    (void)state;
    const char *const environment[] = {"HOME", "/nonexistent", NULL};
    struct run run;
    READ(&run, environment, "list", "--nod", "x:1");
    assert_error(&run, "--nod", "");
    assert_non_null(strstr(run.error->hint_en, "--node"));
    release(&run);
    READ(&run, environment, "list", "-x");
    assert_error(&run, "-x", "");
    assert_null(strstr(run.error->hint_en, "did you mean")); /* one letter is near to nothing */
    release(&run);
    READ(&run, environment, "list", "--timeout", "0s");
    assert_error(&run, "--timeout 0s", "above zero");
    release(&run);
    READ(&run, environment, "list", "--max-age", "0s");
    assert_null(run.error);
    release(&run);
    READ(&run, environment, "list", "-o");
    assert_error(&run, "-o needs", "json");
    release(&run);
    READ(&run, environment, "list", "--read", "fast");
    assert_error(&run, "--read fast", "linearizable");
    release(&run);
    READ(&run, environment, "list", "--timeout");
    assert_error(&run, "--timeout", "10s");
    release(&run);
    READ(&run, environment, "list", "--quiet=yes");
    assert_error(&run, "--quiet", "on or off");
    release(&run);
    READ(&run, environment, "list", "--bad", "-o", "json");
    assert_error(&run, "--bad", "");
    assert_int_equal(run.options.output, KZ_OUTPUT_JSON); /* the error itself must be shown as JSON */
    release(&run);
}

static void mistakes_in_file_and_environment_name_their_place(void **state)
{
    (void)state;
    const char *const environment[] = {"KEIZOKU_CONFIG", config_path, NULL};
    struct run run;
    char place[64];
    write_config("node = a:1\n\nread = fast\n");
    READ(&run, environment, "list");
    snprintf(place, sizeof place, "%s:3", config_path);
    assert_error(&run, place, "auto|linearizable|local");
    release(&run);
    write_config("nodes = a:1\n");
    READ(&run, environment, "list");
    snprintf(place, sizeof place, "%s:1: unknown key nodes", config_path);
    assert_error(&run, place, "");
    assert_non_null(strstr(run.error->hint_en, "node"));
    release(&run);
    write_config("node\n");
    READ(&run, environment, "list");
    assert_error(&run, ":1", "key = value");
    release(&run);
    const char *const bad[] = {"HOME", "/nonexistent", "KEIZOKU_AMBIGUOUS_WIDTH", "3", NULL};
    READ(&run, bad, "list");
    assert_error(&run, "KEIZOKU_AMBIGUOUS_WIDTH", "1|2");
    release(&run);
    const char *const mixed[] = {"HOME", "/nonexistent", "KEIZOKU_READ", "fast", "KEIZOKU_LANG", "ja", NULL};
    READ(&run, mixed, "list");
    assert_error(&run, "KEIZOKU_READ", "linearizable");
    assert_true(kz_options_japanese(&run.options)); /* the mistake is told in the language asked for */
    release(&run);
    const char *const missing[] = {"KEIZOKU_CONFIG", "/nonexistent/config", NULL};
    READ(&run, missing, "list");
    assert_error(&run, "/nonexistent/config", "no such file");
    release(&run);
}

/* ---- arguments ---- */

static Kz__Error *parse(struct kz_cli *cli, size_t count, const char **words)
{
    *cli = (struct kz_cli){.words = {.items = words, .count = count}, .command = kz_command_find(words[0])};
    assert_non_null(cli->command);
    return kz_command_parse(cli);
}
#define PARSE(cli, ...)                                                                                                \
    parse(cli, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *), (const char *[]){__VA_ARGS__})

static void release_cli(struct kz_cli *cli, Kz__Error *error)
{
    if (error) kz__error__free_unpacked(error, NULL);
    free(cli->ids);
    free(cli->subject);
}

static void kind_and_id_may_be_one_word_or_two(void **state)
{
    (void)state;
    struct kz_cli cli;
    assert_null(PARSE(&cli, "get", "system/juki"));
    assert_string_equal(cli.kind->name, "system");
    assert_string_equal(cli.ids[0], "juki");
    assert_string_equal(cli.subject, "system/juki");
    release_cli(&cli, NULL);
    assert_null(PARSE(&cli, "verify", "情報システム", "juki", "system/koara", "zumen"));
    assert_int_equal(cli.id_count, 3);
    assert_string_equal(cli.ids[1], "koara");
    release_cli(&cli, NULL);
    assert_null(PARSE(&cli, "diff", "systems/juki", "3", "12"));
    assert_int_equal(cli.rev_count, 2);
    assert_int_equal(cli.revs[1], 12);
    release_cli(&cli, NULL);
    assert_null(PARSE(&cli, "watch"));
    assert_null(cli.kind);
    release_cli(&cli, NULL);
}

static void wrong_arguments_are_refused_with_the_usage(void **state)
{
    (void)state;
    struct kz_cli cli;
    static const struct {
        const char *words[4];
        size_t count;
        const char *what, *hint;
    } cases[] = {
        {{"get", "systm", "juki"}, 3, "systm", "system"},
        {{"get", "system"}, 2, "ID is missing", "help get"},
        {{"list"}, 1, "KIND is missing", "help list"},
        {{"get", "system", "住基"}, 3, "not an id", "list system"},
        {{"get", "system/"}, 2, "not an id", "list"},
        {{"list", "system", "x"}, 3, "x", "help list"},
        {{"apply", "x.yaml"}, 2, "x.yaml", "apply -f x.yaml"},
        {{"list", "system/x"}, 2, "x", "get system/x"},
        {{"diff", "system/x", "y"}, 3, "not a revision", "history"},
        {{"status", "now"}, 2, "now", "help status"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *words[4];
        memcpy(words, cases[i].words, sizeof words);
        Kz__Error *error = parse(&cli, cases[i].count, words);
        assert_non_null(error);
        if (!strstr(error->what_en, cases[i].what) || !strstr(error->hint_en, cases[i].hint))
            fail_msg("%s / %s", error->what_en, error->hint_en);
        release_cli(&cli, error);
    }
}

static void every_command_has_help_in_both_languages(void **state)
{
    (void)state;
    size_t count;
    const struct kz_command *commands = kz_commands(&count);
    assert_true(count >= 15);
    for (size_t i = 0; i < count; i++) {
        assert_true(commands[i].en[0] && commands[i].ja[0] && commands[i].run);
        assert_ptr_equal(kz_command_find(commands[i].name), &commands[i]);
    }
}

static void every_text_has_the_same_places_in_both_languages(void **state)
{
    (void)state;
    for (int id = 0; id < KZ_T_COUNT; id++)
        for (char digit = '1'; digit <= '9'; digit++) {
            char place[] = {'{', digit, '}', '\0'};
            const char *en = kz_text((enum kz_text_id)id, false), *ja = kz_text((enum kz_text_id)id, true);
            if (!strstr(en, place) != !strstr(ja, place)) fail_msg("\"%s\" and \"%s\" differ in %s", en, ja, place);
        }
}

/* ---- node lists, names in certificates ---- */

static void a_node_list_is_read_or_its_bad_part_named(void **state)
{
    (void)state;
    struct kz_endpoint endpoints[KZ_ENDPOINTS_MAX];
    size_t count;
    struct kz_err err;
    struct kz_failure failure;
    assert_int_equal(kz_endpoints_parse("main.example:7400, [::1]:7401,10.0.0.1:7402,site-2=[::1]:7403,m=h:1",
                                        endpoints, &count, &failure, &err),
                     KZ_OK);
    assert_int_equal(count, 5);
    assert_string_equal(endpoints[0].name, "");
    assert_string_equal(endpoints[1].host, "::1");
    assert_string_equal(endpoints[2].port, "7402");
    char text[KZ_ENDPOINT_TEXT_BYTES];
    kz_endpoint_format(&endpoints[1], text);
    assert_string_equal(text, "[::1]:7401");
    assert_string_equal(endpoints[3].name, "site-2");
    assert_string_equal(endpoints[4].host, "h");
    kz_endpoint_format(&endpoints[3], text);
    assert_string_equal(text, "site-2=[::1]:7403");
    static const char *const bad[] = {
        "",          ",",        "main", "main:", ":7400",    "main:0",  "main:65536", "main:x",  "::1:7400", "[::1]",
        "[::1]7400", "main:+80", "=h:1", "a=",    "Main=h:1", "a b=h:1", "a/b=h:1",    "a=b=h:1", "本庁=h:1", "a=:1"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(kz_endpoints_parse(bad[i], endpoints, &count, &failure, &err), KZ_USAGE);
    assert_int_equal(kz_endpoints_parse("a:1,b", endpoints, &count, &failure, &err), KZ_USAGE);
    assert_string_equal(failure.subject, "b");
    assert_string_equal(err.text, "list of nodes: b is not [NAME=]HOST:PORT");
}

static void a_certificate_name_is_exact_or_nobody(void **state)
{
    (void)state;
    struct kz_san name;
    const char *good = "spiffe://keizoku/cluster/lab/node/main";
    assert_true(kz_san_parse((const unsigned char *)good, strlen(good), &name));
    assert_true(name.is_node);
    assert_string_equal(name.cluster, "lab");
    assert_false(kz_san_parse((const unsigned char *)"spiffe://k/cluster/lab/node/a\0b", 31, &name));
    static const char *const bad[] = {"spiffe://k/cluster/lab/node/",    "spiffe://k/cluster/lab/node/a/",
                                      "spiffe://k/cluster/lab/other/a",  "spiffe://k/cluster//node/a",
                                      "https://k/cluster/lab/node/a",    "spiffe://k/cluster/lab/node/A",
                                      "spiffe://k/cluster/lab/node/a b", ""};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(kz_san_parse((const unsigned char *)bad[i], strlen(bad[i]), &name));
        assert_false(kz_san_same_cluster(&name, &name)); /* nobody is in no cluster */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flag_beats_the_environment_and_that_beats_the_file),
        cmocka_unit_test(options_may_stand_anywhere_and_be_joined_to_their_value),
        cmocka_unit_test(the_locale_decides_only_when_nothing_else_does),
        cmocka_unit_test(mistakes_on_the_command_line_are_named),
        cmocka_unit_test(mistakes_in_file_and_environment_name_their_place),
        cmocka_unit_test(kind_and_id_may_be_one_word_or_two),
        cmocka_unit_test(wrong_arguments_are_refused_with_the_usage),
        cmocka_unit_test(every_command_has_help_in_both_languages),
        cmocka_unit_test(every_text_has_the_same_places_in_both_languages),
        cmocka_unit_test(a_node_list_is_read_or_its_bad_part_named),
        cmocka_unit_test(a_certificate_name_is_exact_or_nobody),
    };
    int fd = mkstemp(config_path);
    if (fd < 0) return 1;
    close(fd);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)unlink(config_path);
    return failed;
}
