/* SPDX-License-Identifier: Apache-2.0 */
/* Points at which a test ends the process: in a child, so that it is really killed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "node/base/failpoint.h"

#define LIVED 77

/* How a child ends that passes `name` so often. */
static int end_of(const char *setting, const char *name, int passages)
{
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct kz_err err = {KZ_OK, ""};
        if (kz_failpoint_init(setting, &err) != KZ_OK) _exit(1);
        for (int i = 0; i < passages; i++)
            kz_failpoint_pass(name);
        _exit(LIVED);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void refused(const char *setting, const char *because)
{
    struct kz_err err = {KZ_OK, ""};
    assert_int_equal(kz_failpoint_init(setting, &err), KZ_USAGE);
    assert_non_null(strstr(err.text, because));
}

static void nothing_set_is_always_legal(void **state)
{
    (void)state;
    struct kz_err err = {KZ_OK, ""};
    assert_int_equal(kz_failpoint_init(NULL, &err), KZ_OK);
    assert_int_equal(kz_failpoint_init("", &err), KZ_OK);
    assert_int_equal(WEXITSTATUS(end_of("", "apply.after_commit", 3)), LIVED);
}

static void the_process_is_killed_at_the_passage_that_was_named(void **state)
{
    (void)state;
    if (!kz_failpoint_built()) skip();
    assert_int_equal(WEXITSTATUS(end_of("append.before_commit:3", "append.before_commit", 2)), LIVED);
    int status = end_of("append.before_commit:3", "append.before_commit", 3);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_int_equal(WEXITSTATUS(end_of("append.before_commit:3", "append.after_commit", 9)), LIVED);
}

static void several_points_may_be_set_and_the_first_passage_is_meant_without_a_number(void **state)
{
    (void)state;
    if (!kz_failpoint_built()) skip();
    int status = end_of("append.before_commit:3,snapshot.send", "snapshot.send", 1);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void a_name_that_does_not_exist_is_refused(void **state)
{
    (void)state;
    if (!kz_failpoint_built()) skip();
    refused("append.befor_commit:1", "append.befor_commit");
    refused("snapshot.send:1,snapshot", "\"snapshot\"");
    refused(",", "there is no point \"\"");
}

static void a_passage_that_is_no_number_is_refused(void **state)
{
    (void)state;
    if (!kz_failpoint_built()) skip();
    static const char *const bad[] = {"snapshot.send:",   "snapshot.send:0",           "snapshot.send:-1",
                                      "snapshot.send:2x", "snapshot.send:99999999999", "snapshot.send:1:2"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        refused(bad[i], "give the passage as a number");
}

static void a_name_in_the_code_that_the_table_lacks_ends_the_process(void **state)
{
    (void)state;
    if (!kz_failpoint_built()) skip();
    int status = end_of("", "no.such_point", 1);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void a_build_without_points_refuses_the_variable_and_lists_none(void **state)
{
    (void)state;
    char *listed = NULL;
    size_t size_bytes = 0;
    FILE *out = open_memstream(&listed, &size_bytes);
    assert_non_null(out);
    kz_failpoint_list(out);
    assert_int_equal(fclose(out), 0);
    if (kz_failpoint_built()) {
        assert_non_null(strstr(listed, "snapshot.install.after_commit\n"));
    } else {
        assert_int_equal(size_bytes, 0);
        refused("snapshot.send:1", "built without failpoints");
    }
    free(listed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_set_is_always_legal),
        cmocka_unit_test(the_process_is_killed_at_the_passage_that_was_named),
        cmocka_unit_test(several_points_may_be_set_and_the_first_passage_is_meant_without_a_number),
        cmocka_unit_test(a_name_that_does_not_exist_is_refused),
        cmocka_unit_test(a_passage_that_is_no_number_is_refused),
        cmocka_unit_test(a_name_in_the_code_that_the_table_lacks_ends_the_process),
        cmocka_unit_test(a_build_without_points_refuses_the_variable_and_lists_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
