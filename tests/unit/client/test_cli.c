/* SPDX-License-Identifier: Apache-2.0 */
/* Whole runs of the command line against nodes of cardboard: exit status, standard output, standard error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/cli/commands.h"
#include "node/base/assert.h"
#include "tests/unit/client/server.h"
#include "tests/unit/client/shell.h"
#include "tools/ca.h"

#define REQUEST "000102030405060708090a0b0c0d0e0f"

/* ---- nodes of cardboard ---- */

/* What the next answers are; also what of it they point at. */
struct play {
    bool local, no_quorum;
    uint32_t code; /* of an error; 0: none */
    size_t changed;
    const char *violated; /* path of the one violation */
    Kz__Record *current;  /* of a conflict */
    Kz__Record *record;   /* the answer to get */
    unsigned asked;
    uint64_t before_rev;
    Kz__Error error;
    Kz__Violation violation, *violations[1];
    Kz__Outcome outcome;
    Kz__Changed rows[100], *row_list[100];
    char ids[100][24];
    Kz__Status status;
};

static char *constant(const char *text) { return (char *)(uintptr_t)text; }

static void fill_error(struct play *play, Kz__Response *response)
{
    kz__error__init(&play->error);
    play->error.code = play->code;
    play->error.current = play->current;
    if (play->violated) {
        kz__violation__init(&play->violation);
        play->violation.path = constant(play->violated);
        play->violation.rule = constant("rev.current");
        play->violation.en = constant("the stored record has revision 9, expected was 4 (0 = none)");
        play->violation.ja = constant("保存されている版は 9、指定された版は 4 です(0 は記録なし)");
        play->violations[0] = &play->violation;
        play->error.n_violations = 1;
        play->error.violations = play->violations;
    }
    response->error = &play->error;
}

static void fill_outcome(struct play *play, Kz__Response *response)
{
    kz__outcome__init(&play->outcome);
    play->outcome.code = KZ_OK;
    play->outcome.has_rev = true;
    play->outcome.rev = 12;
    for (size_t i = 0; i < play->changed; i++) {
        kz__changed__init(&play->rows[i]);
        snprintf(play->ids[i], sizeof play->ids[i], "s%zu", i);
        play->rows[i].kind = KZ__KIND__SITE;
        play->rows[i].id = play->ids[i];
        play->rows[i].rev = i + 1;
        play->row_list[i] = &play->rows[i];
    }
    play->outcome.n_changed = play->changed;
    play->outcome.changed = play->row_list;
    response->outcome = &play->outcome;
}

static enum server_act follow(void *data, unsigned n, const Kz__Request *request, Kz__Response *response)
{
    (void)n;
    struct play *play = data;
    play->asked++;
    if (play->local || request->status || request->mode == KZ__READ_MODE__LOCAL)
        response->meta->read = KZ__READ_MODE__LOCAL;
    response->meta->quorum = !play->no_quorum;
    response->meta->rev = 11;
    if (request->status) {
        kz__status__init(&play->status);
        response->status = &play->status;
    } else if (play->code) {
        fill_error(play, response);
    } else if (request->get && play->record) {
        response->n_records = 1;
        response->records = &play->record;
    } else if (request->history) {
        play->before_rev = request->history->before_rev;
    } else {
        fill_outcome(play, response);
    }
    return SERVER_ANSWER;
}

static struct server *start(struct play *play, const char *prefix, char nodes[128])
{
    struct server *server = server_start(shell_node_folder, "main", follow, play);
    size_t used = strlen(nodes);
    snprintf(nodes + used, 128 - used, "%s127.0.0.1:%d", prefix, server_port(server));
    return server;
}

/* ---- what became of a write ---- */

static void that_a_write_was_not_applied_is_said_only_from_the_latest_state(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        bool local, no_quorum;
        uint32_t code;
        int status;
        const char *said, *hint;
    } cases[] = {
        {"outcome " REQUEST, false, false, KZ_NOT_FOUND, 3, "has not been applied", "look at the record"},
        {"outcome " REQUEST, true, true, KZ_NOT_FOUND, 10, "cannot be known here: no majority",
         "ask again when a majority answers (keizoku status): keizoku outcome " REQUEST},
        {"outcome " REQUEST " --read linearizable", true, true, KZ_NO_QUORUM, 10, "cannot be known here: no majority",
         "ask again"},
        {"outcome " REQUEST " --read local", true, false, KZ_NOT_FOUND, 10, "cannot be known from a node's own copy",
         "keizoku outcome " REQUEST " --read linearizable"},
        {"outcome " REQUEST " --lang ja", true, true, KZ_NOT_FOUND, 10, "ここでは分かりません(過半数なし)", "再度確認"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct play play = {.local = cases[i].local, .no_quorum = cases[i].no_quorum, .code = cases[i].code};
        char nodes[128] = "";
        struct server *server = start(&play, "", nodes);
        shell_reset_settings(nodes);
        struct run run;
        shell_run(&run, cases[i].line);
        server_stop(server);
        assert_int_equal(run.status, cases[i].status);
        assert_holds(run.err, cases[i].said);
        assert_holds(run.err, cases[i].hint);
        if (cases[i].status == 10) {
            assert_lacks(run.err, "has not been applied");
            assert_holds(run.err, "main"); /* whose copy, and how old */
            assert_holds(run.err, "rev 11");
        }
    }
}

static void another_nodes_not_found_counts_when_it_has_the_majority(void **state)
{
    (void)state;
    struct play alone = {.local = true, .no_quorum = true, .code = KZ_NOT_FOUND}, well = {.code = KZ_NOT_FOUND};
    char nodes[128] = "";
    struct server *one = start(&alone, "", nodes), *two = start(&well, ",", nodes);
    shell_reset_settings(nodes);
    struct run run;
    shell_run(&run, "outcome " REQUEST);
    server_stop(one);
    server_stop(two);
    assert_int_equal(run.status, 3);
    assert_int_equal(well.asked, 1);
}

static void that_a_write_was_applied_is_certain_from_any_copy(void **state)
{
    (void)state;
    struct play play = {.local = true, .no_quorum = true, .changed = 1};
    char nodes[128] = "";
    struct server *server = start(&play, "", nodes);
    shell_reset_settings(nodes);
    struct run run;
    shell_run(&run, "outcome " REQUEST);
    server_stop(server);
    assert_int_equal(run.status, 0);
    assert_holds(run.err, "was applied (rev 12)");
}

/* ---- the banner ---- */

static void a_banner_stands_over_status_only_without_a_majority(void **state)
{
    (void)state;
    for (int no_quorum = 0; no_quorum < 2; no_quorum++) {
        struct play play = {.no_quorum = no_quorum, .code = KZ_DENIED};
        char nodes[128] = "";
        struct server *server = start(&play, "", nodes);
        shell_reset_settings(nodes);
        struct run run;
        shell_run(&run, "status");
        assert_int_equal(run.status, 0);
        if (no_quorum)
            assert_holds(run.err, "[warning] no quorum");
        else
            assert_string_equal(run.err, "");
        /* A watch asks for the status to see who is there; what it tells is not about that answer. */
        shell_run(&run, "watch");
        server_stop(server);
        assert_int_equal(run.status, 5);
        assert_lacks(run.err, "[warning]");
    }
}

/* ---- what a write says ---- */

static char records_path[96];

static void write_records(size_t count, const char *rev)
{
    snprintf(records_path, sizeof records_path, "%s/records.yaml", shell_root);
    FILE *file = fopen(records_path, "w");
    assert_non_null(file);
    for (size_t i = 0; i < count; i++)
        fprintf(file, "---\nkind: site\nid: s%zu\nname: s%zu\nrole: MAIN\n%s", i, i, rev);
    assert_int_equal(fclose(file), 0);
}

static void run_apply(struct run *run, struct play *play, const char *options)
{
    char nodes[128] = "", line[256];
    struct server *server = start(play, "", nodes);
    shell_reset_settings(nodes);
    snprintf(line, sizeof line, "apply -f %s %s", records_path, options);
    shell_run(run, line);
    server_stop(server);
}

static void a_quiet_write_prints_nothing_but_what_was_asked_for(void **state)
{
    (void)state;
    struct run run;
    struct play play = {.changed = 60};
    write_records(60, "");
    run_apply(&run, &play, "-q");
    assert_int_equal(run.status, 0);
    assert_string_equal(run.out, "");
    assert_string_equal(run.err, "");
    run_apply(&run, &play, "-q -o csv --no-headers");
    assert_holds(run.out, "site,s59,60,changed");
    assert_string_equal(run.err, "");
    run_apply(&run, &play, "");
    assert_holds(run.out, "s59"); /* a pipe gets all */
    assert_holds(run.err, "60 changed");
}

static void the_record_that_stopped_many_is_named(void **state)
{
    (void)state;
    static const char *const forms[] = {"", "-o json", "--lang ja"};
    struct run run;
    write_records(3, "rev: 4\n");
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct play play = {.code = KZ_CONFLICT, .violated = "site/s1"};
        run_apply(&run, &play, forms[i]);
        assert_int_equal(run.status, 4);
        assert_holds(run.err, "site/s1: ");
        assert_holds(run.err, "records.yaml:8:1: site/s1"); /* and where it stands */
        assert_holds(run.err, i == 2 ? play.violation.ja : play.violation.en);
    }
    char nodes[128] = "";
    struct play play = {.code = KZ_NOT_FOUND, .violated = "site/s2"};
    struct server *server = start(&play, "", nodes);
    shell_reset_settings(nodes);
    shell_run(&run, "verify site s0 s1 s2");
    server_stop(server);
    assert_int_equal(run.status, 3);
    assert_holds(run.err, "site/s2: not found");
    assert_lacks(run.err, "s0");
}

static void a_conflict_without_a_difference_says_so(void **state)
{
    (void)state;
    struct run run;
    write_records(1, "rev: 4\n");
    Kz__Record *current = kz_record_new(KZ__KIND__SITE, "s0");
    Kz__Site *site = (Kz__Site *)(void *)kz_record_make_body(current);
    site->name = kz_must_strdup("s0");
    site->has_role = true;
    site->role = KZ__SITE__TYPE__MAIN;
    current->has_rev = true;
    current->rev = 9;
    current->has_updated_at = true;
    current->updated_by = kz_must_strdup("midorikawa");
    struct play play = {.code = KZ_CONFLICT, .violated = "site/s0", .current = current};
    run_apply(&run, &play, "");
    assert_int_equal(run.status, 4);
    assert_holds(run.err, "site/s0: someone changed it first");
    assert_holds(run.err, "expected was 4");
    assert_holds(run.err, "it is at rev 9 now, changed by midorikawa");
    assert_holds(run.err, "nothing: only the revision is another");
    current->has_verified_at = true;
    current->verified_at = current->updated_at + 1000;
    current->verified_by = kz_must_strdup("hoshino");
    run_apply(&run, &play, "");
    kz__record__free_unpacked(current, NULL);
    assert_holds(run.err, "it is at rev 9 now, verified by hoshino");
}

/* ---- revocation ---- */

static void a_crl_beside_the_ca_file_is_used_unasked(void **state)
{
    (void)state;
    char folder[64], crl[96], nodes[128];
    struct kz_err err;
    size_t count;
    shell_issue((struct kz_ca_leaf){.kind = KZ_CA_KIND_NODE, .name = "gone", .addresses = "127.0.0.1"}, folder);
    assert_int_equal(kz_ca_revoke(shell_authority, "node/gone", &count, &err), KZ_OK);
    char command[256];
    snprintf(command, sizeof command, "cp %s/ca/crl.pem %s/crl.pem", shell_root, shell_user_folder);
    assert_int_equal(system(command), 0);
    struct play play = {.local = false};
    struct server *server = server_start(folder, "gone", follow, &play);
    snprintf(nodes, sizeof nodes, "127.0.0.1:%d", server_port(server));
    shell_reset_settings(nodes);
    struct run run;
    shell_run(&run, "status");
    assert_int_equal(run.status, 6);
    assert_holds(run.err, "is revoked");
    assert_int_equal(play.asked, 0);
    shell_add_setting("KEIZOKU_CRL", ""); /* none wanted */
    shell_run(&run, "status");
    assert_int_equal(run.status, 0);
    snprintf(crl, sizeof crl, "%s/no-such.pem", shell_root);
    shell_reset_settings(nodes);
    shell_add_setting("KEIZOKU_CRL", crl);
    shell_run(&run, "status");
    assert_int_equal(run.status, 6);
    assert_holds(run.err, "no-such.pem");
    server_stop(server);
}

/* ---- every way to be wrong ---- */

/* What, why and what to do, each in the language asked for. Words of the command line may stand in both. */
static void assert_three_lines(const char *line, const char *text, bool japanese)
{
    static const char starts[2][3][16] = {{"keizoku: ", "\n  why: ", "\n  do:  "},
                                          {"keizoku: ", "\n  理由: ", "\n  対処: "}};
    for (int i = 0; i < 3; i++) {
        const char *at = strstr(text, starts[japanese][i]);
        assert_holds(text, starts[japanese][i]);
        at += strlen(starts[japanese][i]);
        size_t length = strcspn(at, "\n"), foreign = 0;
        for (size_t j = 0; j < length; j++)
            foreign += (unsigned char)at[j] >= 0x80;
        if (length < 4) fail_msg("%s: empty line in:\n%s", line, text);
        /* What to do may be just a command. */
        if (i < 2 && (foreign > 0) != japanese) fail_msg("%s: wrong language in:\n%s", line, text);
    }
}

static void write_text(const char *name, const char *text)
{
    char path[96];
    snprintf(path, sizeof path, "%s/%s", shell_root, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static const struct {
    int status;
    const char *line; /* '@' stands for the folder */
    const char *part; /* of the English text */
} mistakes[] = {
    {2, "bogus", "the commands are: status, list"},
    {2, "statsu", "did you mean status?"},
    {2, "function", "keizoku list function"},
    {2, "system", "keizoku system order"},
    {2, "site impact", "SITE is missing"},
    {2, "system who", "keizoku system deps SYSTEM"},
    {2, "site impact main --area x", "one of the two"},
    {2, "system deps juki -o dot extra", "too many"},
    {2, "system impact juki -o dot", "it draws dependencies"},
    {2, "list system -o dot", "it draws dependencies"},
    {2, "role who --at noon", "2026-01-17T05:46"},
    {2, "role who --area x", "does not use it"},
    {2, "contact impact x --at 2026-01-17T05:46", "does not use it"},
    {2, "contact call x --as-of 3", "does not use it"},
    {2, "contact tree --result answered", "does not use it"},
    {2, "contact call x --at 2026-01-17T05:46", "does not use it"},
    {2, "help bogus", "the commands are"},
    {2, "help a b", "usage"},
    {2, "list", "keizoku schema"},
    {2, "list bogus", "kinds: site"},
    {2, "list systm", "did you mean system?"},
    {2, "list system extra", "usage: keizoku list KIND"},
    {2, "list system/x", "keizoku get system/x"},
    {2, "get", "KIND is missing"},
    {2, "get system", "keizoku list system"},
    {2, "get system JUKI", "an id is"},
    {2, "get system/", "an id is"},
    {2, "apply", "-f FILE is missing"},
    {2, "apply x.yaml", "keizoku apply -f x.yaml"},
    {2, "apply -f", "-f needs a value"},
    {2, "apply -f @/nosuch.yaml", "no such file"},
    {2, "apply -f @/folder", "no *.yaml"},
    {9, "apply -f @/broken.yaml", "1 to correct"},
    {2, "apply -f @/empty.yaml", "no record in"},
    {2, "edit", "usage"},
    {2, "edit site main --no-input", "waits for a person"},
    {2, "history", "usage"},
    {2, "diff system x y", "not a revision"},
    {2, "diff site main 1 2 3", "too many"},
    {2, "verify", "usage"},
    {2, "retire site", "keizoku list site"},
    {2, "watch bogus", "kinds"},
    {2, "watch site --from x", "0, 1, 2"},
    {2, "watch --from", "needs a value"},
    {2, "schema bogus", "kinds"},
    {2, "outcome", "REQUEST-ID is missing"},
    {2, "outcome xyz", "32 hexadecimal digits"},
    {2, "completion", "usage"},
    {2, "completion fish", "bash and zsh"},
    {2, "version x", "too many"},
    {2, "status --bogus", "unknown option --bogus"},
    {2, "status -x", "keizoku help"},
    {2, "status --read", "auto|linearizable|local"},
    {2, "status --read fast", "auto|linearizable|local"},
    {2, "status --timeout 5", "with a unit: 250ms"},
    {2, "status --timeout 0s", "above zero"},
    {2, "status --max-age x", "number with a unit"},
    {2, "status -o xml", "table|wide|json|yaml|csv"},
    {2, "status --ambiguous-width 3", "1|2"},
    {2, "status --force", "does not use it"},
    {2, "status --quiet=1", "on or off"},
    {2, "status --node foo", "foo is not [NAME=]HOST:PORT"},
    {2, "status --node Main=h:1", "Main=h:1 is not"},
    {2, "status --node ,", "names no node"},
    {2, "status --node=", "no node is named"},
    {2, "status --cert=", "no certificate is named"},
    {2, "status --key=", "no key is named"},
    {2, "status --ca=", "no CA file is named"},
    {6, "status --cert @/nosuch", "no such file"},
    {6, "status --cert @", "it is a folder"},
    {6, "status --ca /dev/zero", "not a plain file"},
    {6, "status --cert @/empty.yaml", "PEM"},
    {6, "status --cert @/main/main.pem --key @/main/main.key", "not a person's"},
    {6, "status --key @/nosuch", "check --key"},
    {6, "status --key @/main/main.key", "does not belong to the certificate"},
    {6, "status --ca @/nosuch", "check --ca"},
    {6, "status --ca @/officer/officer.pem", "OU nodes"},
    {6, "status --crl @/nosuch", "check --crl"},
    {6, "status --crl @/officer/ca.pem", "PEM"},
    {6, "status --node 127.0.0.1:1", "connection refused"},
};

static void every_mistake_has_what_why_and_what_to_do_in_both_languages(void **state)
{
    (void)state;
    char line[512], folder[96];
    snprintf(folder, sizeof folder, "mkdir -p %s/folder", shell_root);
    assert_int_equal(system(folder), 0);
    write_text("broken.yaml", "kind: [\n");
    write_text("empty.yaml", "");
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++)
        for (int japanese = 0; japanese < 2; japanese++) {
            struct kz_buf words;
            kz_buf_init(&words, 0);
            for (const char *at = mistakes[i].line; *at; at++)
                kz_buf_addf(&words, *at == '@' ? "%s" : "%.1s", *at == '@' ? shell_root : at);
            snprintf(line, sizeof line, "%s", kz_buf_text(&words));
            kz_buf_fini(&words);
            shell_reset_settings("127.0.0.1:1");
            shell_add_setting("KEIZOKU_LANG", japanese ? "ja" : "en");
            struct run run;
            shell_run(&run, line);
            if (run.status != mistakes[i].status) fail_msg("%s: exit %d\n%s", line, run.status, run.err);
            assert_string_equal(run.out, "");
            assert_three_lines(line, run.err, japanese);
            if (!japanese) assert_holds(run.err, mistakes[i].part);
        }
}

static void a_failed_editor_is_told_with_its_status(void **state)
{
    (void)state;
    Kz__Record *record = kz_record_new(KZ__KIND__SITE, "main");
    record->has_rev = true;
    record->rev = 3;
    struct play play = {.record = record};
    char nodes[128] = "";
    struct server *server = start(&play, "", nodes);
    shell_reset_settings(nodes);
    shell_add_setting("EDITOR", "false");
    shell_add_setting("TMPDIR", shell_root);
    struct run run;
    shell_run(&run, "edit site main");
    server_stop(server);
    kz__record__free_unpacked(record, NULL);
    assert_int_equal(run.status, 1);
    assert_holds(run.err, "the editor false failed");
    assert_holds(run.err, "it ended with status 1");
}

static void revision_0_is_before_every_record(void **state)
{
    (void)state;
    struct play play = {.local = false}; /* it knows of no change at all below revision 1 */
    char nodes[128] = "";
    struct server *server = start(&play, "", nodes);
    shell_reset_settings(nodes);
    struct run run;
    shell_run(&run, "diff site main 3 0");
    server_stop(server);
    assert_int_equal(run.status, 3);
    assert_int_equal(play.before_rev, 1);
    assert_holds(run.err, "no change at or before rev 0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(that_a_write_was_not_applied_is_said_only_from_the_latest_state),
        cmocka_unit_test(another_nodes_not_found_counts_when_it_has_the_majority),
        cmocka_unit_test(that_a_write_was_applied_is_certain_from_any_copy),
        cmocka_unit_test(a_banner_stands_over_status_only_without_a_majority),
        cmocka_unit_test(a_quiet_write_prints_nothing_but_what_was_asked_for),
        cmocka_unit_test(the_record_that_stopped_many_is_named),
        cmocka_unit_test(a_conflict_without_a_difference_says_so),
        cmocka_unit_test(every_mistake_has_what_why_and_what_to_do_in_both_languages),
        cmocka_unit_test(a_failed_editor_is_told_with_its_status),
        cmocka_unit_test(revision_0_is_before_every_record),
        cmocka_unit_test(a_crl_beside_the_ca_file_is_used_unasked),
    };
    return cmocka_run_group_tests(tests, shell_set_up, shell_tear_down);
}
