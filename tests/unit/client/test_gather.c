/* SPDX-License-Identifier: Apache-2.0 */
/* Records of many pages are of one revision, though the registry changes and nodes differ while they are asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "node/base/assert.h"
#include "tests/unit/client/server.h"
#include "tests/unit/client/shell.h"

#define REV_BEGUN 40u   /* when the first page is asked for; one more with each request */
#define REV_BEHIND 30u  /* of a copy that others have left behind */
#define PAGES_OF_SITE 2 /* so that a kind is gone on with, too */

/* A registry without records that changes with every request. */
struct play {
    unsigned asked, present; /* requests; those of them for no revision in particular */
    uint64_t wanted_rev;     /* of the last that was for one */
    unsigned other_revs;     /* requests for another revision than the one before */
    unsigned fall_behind_at; /* this request and all later ones meet a copy at REV_BEHIND; 0: none */
    bool never_reached;      /* whatever revision is asked for, the copy is not so far */
    bool local, ignores_past;
    Kz__Error error;
};

static void fail_behind(struct play *play, Kz__Response *response)
{
    kz__error__init(&play->error);
    play->error.code = KZ_TOO_OLD;
    response->error = &play->error;
}

static enum server_act follow(void *data, unsigned n, const Kz__Request *request, Kz__Response *response)
{
    (void)n;
    struct play *play = data;
    const Kz__ListRequest *list = request->list;
    uint64_t rev = REV_BEGUN + play->asked++;
    kz_assert(list);
    if (play->fall_behind_at && play->asked >= play->fall_behind_at) rev = REV_BEHIND;
    if (play->local || request->mode == KZ__READ_MODE__LOCAL || rev == REV_BEHIND)
        response->meta->read = KZ__READ_MODE__LOCAL;
    response->meta->rev = rev;
    if (!list->has_as_of_rev && !list->has_as_of_ms) {
        play->present++;
    } else if (list->has_as_of_rev && (play->never_reached || list->as_of_rev > rev)) {
        fail_behind(play, response);
        return SERVER_ANSWER;
    } else if (!play->ignores_past) {
        uint64_t then = list->has_as_of_rev ? list->as_of_rev : 17;
        play->other_revs += play->wanted_rev && play->wanted_rev != then;
        play->wanted_rev = then;
        response->meta->has_as_of_rev = true;
        response->meta->as_of_rev = then;
    }
    if (list->kind == KZ__KIND__SITE && !list->after) response->next = (char *)(uintptr_t) "m";
    return SERVER_ANSWER;
}

static void play_order(struct play *play, struct run *run, const char *line)
{
    char nodes[32];
    struct server *server = server_start(shell_node_folder, "main", follow, play);
    snprintf(nodes, sizeof nodes, "127.0.0.1:%d", server_port(server));
    shell_reset_settings(nodes);
    shell_run(run, line);
    server_stop(server);
}

static void every_page_is_of_the_revision_of_the_first(void **state)
{
    (void)state;
    struct play play = {0};
    struct run run;
    play_order(&play, &run, "system order -o json");
    assert_int_equal(run.status, 0);
    assert_true(play.asked > PAGES_OF_SITE);
    assert_int_equal(play.present, 1);
    assert_int_equal(play.other_revs, 0);
    assert_int_equal(play.wanted_rev, REV_BEGUN);
    assert_holds(run.out, "\"rev\": 40");
    assert_lacks(run.out, "as_of_rev"); /* nobody asked for the past */
    assert_string_equal(run.err, "");
}

static void a_copy_that_is_behind_makes_it_begin_anew_there(void **state)
{
    (void)state;
    struct play play = {.fall_behind_at = 3};
    struct run run;
    play_order(&play, &run, "system order -o json");
    assert_int_equal(run.status, 0);
    assert_int_equal(play.present, 2);
    assert_int_equal(play.wanted_rev, REV_BEHIND);
    assert_holds(run.out, "\"rev\": 30");
    assert_holds(run.out, "\"read\": \"local\"");
}

static void copies_that_never_agree_are_an_error_after_a_few_tries(void **state)
{
    (void)state;
    struct play play = {.never_reached = true, .local = true};
    struct run run;
    play_order(&play, &run, "system order --read local");
    assert_int_equal(run.status, 7);
    assert_string_equal(run.out, "");
    assert_int_equal(play.present, 3);
}

static void a_time_of_the_past_is_one_revision_for_all_pages(void **state)
{
    (void)state;
    struct play play = {0};
    struct run run;
    play_order(&play, &run, "system order --as-of 2026-01-17T05:46+09:00 -o json");
    assert_int_equal(run.status, 0);
    assert_int_equal(play.present, 0);
    assert_int_equal(play.other_revs, 0);
    assert_int_equal(play.wanted_rev, 17);
    assert_holds(run.out, "\"as_of_rev\": 17");
}

static void a_node_that_answers_with_the_present_instead_is_not_believed(void **state)
{
    (void)state;
    struct play play = {.ignores_past = true};
    struct run run;
    play_order(&play, &run, "system order --as-of 12");
    assert_int_not_equal(run.status, 0);
    assert_string_equal(run.out, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_page_is_of_the_revision_of_the_first),
        cmocka_unit_test(a_copy_that_is_behind_makes_it_begin_anew_there),
        cmocka_unit_test(copies_that_never_agree_are_an_error_after_a_few_tries),
        cmocka_unit_test(a_time_of_the_past_is_one_revision_for_all_pages),
        cmocka_unit_test(a_node_that_answers_with_the_present_instead_is_not_believed),
    };
    return cmocka_run_group_tests(tests, shell_set_up, shell_tear_down);
}
