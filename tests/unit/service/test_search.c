/* SPDX-License-Identifier: Apache-2.0 */
/* The search index is always level with the store, whatever the store went through. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/service/search_copy.h"
#include "tests/unit/store/fixture.h"

static const atomic_bool go_on = false, stop = true;

static enum kz_code follow(struct fixture *f, struct kz_search_copy *copy, const atomic_bool *stopped)
{
    struct kz_err err = {0};
    struct kz_view *view;
    must(kz_view_open(f->store, &view, &must_err));
    enum kz_code code = kz_search_copy_follow(copy, view, stopped, &err);
    kz_view_close(view);
    return code;
}

/* "kind/id field[ retired][ provisional];..." after following. */
static const char *search_besides(struct fixture *f, struct kz_search_copy *copy, const char *typed,
                                  Kz__Record **provisional, size_t count)
{
    static char out[4096];
    struct kz_search_question question = {
        .filter.retired = true, .limit = 20, .provisional = provisional, .provisional_count = count};
    struct kz_view *view;
    Kz__SearchResult *result = NULL;
    size_t used = 0;
    assert_true(kz_search_split(typed, &question.words));
    must(kz_view_open(f->store, &view, &must_err));
    must(kz_search_copy_follow(copy, view, &go_on, &must_err));
    must(kz_search_copy_ask(copy, view, &question, &result, &must_err));
    kz_view_close(view);
    out[0] = '\0';
    for (size_t i = 0; i < result->n_hits; i++) {
        const Kz__SearchHit *hit = result->hits[i];
        used += (size_t)snprintf(out + used, sizeof out - used, "%s/%s %s%s%s;", kz_kind_by_number(hit->kind)->name,
                                 hit->id, hit->field, hit->retired ? " retired" : "",
                                 hit->provisional ? " provisional" : "");
    }
    assert_int_equal(result->found, result->n_hits);
    kz__search_result__free_unpacked(result, NULL);
    assert_int_equal(kz_search_copy_state(copy).rev, fixture_applied(f).rev);
    return out;
}

static const char *search(struct fixture *f, struct kz_search_copy *copy, const char *typed)
{
    return search_besides(f, copy, typed, NULL, 0);
}

/* As an index says that knows nothing of what was before. */
static void expect_as_built_anew(struct fixture *f, struct kz_search_copy *copy)
{
    static const char *const words[] = {"o", "課", "旧", "juki", "戸籍", "民", "1"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        struct kz_search_copy *anew = kz_search_copy_new();
        char *wanted = strdup(search(f, anew, words[i]));
        assert_string_equal(search(f, copy, words[i]), wanted);
        free(wanted);
        kz_search_copy_free(anew);
    }
}

static void what_is_put_changed_retired_and_rewound_is_followed_without_building_again(void **state)
{
    struct fixture *f = *state;
    struct command command;
    struct kz_search_copy *copy = kz_search_copy_new();
    fixture_fill(f);
    assert_string_equal(search(f, copy, "戸籍"), "org/koseki name;");
    uint64_t rev = fixture_applied(f).rev;

    fixture_put(f, make_org("koseki", "市民課", "joho"), KZ_OK);
    assert_string_equal(search(f, copy, "戸籍"), "");
    assert_string_equal(search(f, copy, "市民課"), "org/koseki name;");
    fixture_put(f, make_org("bosai", "防災課", NULL), KZ_OK);
    fixture_retire(f, KZ__KIND__ORG, "bosai", false, KZ_OK);
    assert_string_equal(search(f, copy, "防災"), "org/bosai name retired;");
    expect_as_built_anew(f, copy);

    command_init(&command, f->request++);
    command_rewind(&command, KZ__KIND__ORG, rev, fixture_applied(f).rev);
    fixture_must(f, &command, KZ_OK);
    assert_string_equal(search(f, copy, "戸籍"), "org/koseki name;");
    assert_string_equal(search(f, copy, "市民課"), "");
    expect_as_built_anew(f, copy);
    assert_int_equal(kz_search_copy_state(copy).builds, 1);
    assert_true(kz_search_copy_state(copy).changes >= 4);
    kz_search_copy_free(copy);
}

static void a_snapshot_of_the_same_history_is_followed_from_where_the_index_stood(void **state)
{
    struct fixture *from = *state, to;
    struct kz_search_copy *copy = kz_search_copy_new();
    fixture_init(&to);
    fixture_fill(from);
    fixture_copy_state(from, &to, 4096);
    search(&to, copy, "戸籍");
    for (unsigned i = 0; i < 3; i++) { /* as often as there are generations */
        char id[16], name[32];
        snprintf(id, sizeof id, "new-%u", i);
        snprintf(name, sizeof name, "新課%u", i);
        fixture_put(from, make_org(id, name, NULL), KZ_OK);
        fixture_copy_state(from, &to, 4096);
        snprintf(name, sizeof name, "しん課%u", i);
        assert_string_equal(search(&to, copy, name), "");
        snprintf(name, sizeof name, "新課%u", i);
        snprintf(id, sizeof id, "org/new-%u name;", i);
        assert_string_equal(search(&to, copy, name), id);
    }
    expect_as_built_anew(&to, copy);
    assert_int_equal(kz_search_copy_state(copy).builds, 1);
    assert_int_equal(kz_search_copy_state(copy).changes, 3);
    kz_search_copy_free(copy);
    fixture_fini(&to);
}

static void a_snapshot_of_another_history_replaces_everything_even_at_the_same_revision(void **state)
{
    struct fixture *from = *state, to;
    struct kz_search_copy *copy = kz_search_copy_new();
    fixture_init(&to);
    fixture_put(&to, make_org("a", "古い名前", NULL), KZ_OK);
    fixture_put(&to, make_org("only-here", "消える課", NULL), KZ_OK);
    assert_string_equal(search(&to, copy, "消える"), "org/only-here name;");
    fixture_put(from, make_org("a", "別の名前", NULL), KZ_OK);
    fixture_put(from, make_org("b", "残る課", NULL), KZ_OK);
    assert_int_equal(fixture_applied(from).rev, fixture_applied(&to).rev);
    assert_int_equal(fixture_applied(from).index, fixture_applied(&to).index);
    fixture_copy_state(from, &to, 4096);
    assert_string_equal(search(&to, copy, "消える"), "");
    assert_string_equal(search(&to, copy, "残る"), "org/b name;");
    assert_string_equal(search(&to, copy, "名前"), "org/a name;");
    assert_int_equal(kz_search_copy_state(copy).builds, 2);
    kz_search_copy_free(copy);
    fixture_fini(&to);
}

static void one_that_was_stopped_holds_nothing_and_begins_anew(void **state)
{
    struct fixture *f = *state;
    struct kz_search_copy *copy = kz_search_copy_new();
    fixture_fill(f);
    assert_int_equal(follow(f, copy, &stop), KZ_TIMED_OUT);
    assert_false(kz_search_copy_state(copy).complete);
    assert_string_equal(search(f, copy, "戸籍"), "org/koseki name;");
    fixture_put(f, make_org("koseki", "市民課", "joho"), KZ_OK);
    assert_int_equal(follow(f, copy, &stop), KZ_TIMED_OUT);
    assert_false(kz_search_copy_state(copy).complete);
    assert_string_equal(search(f, copy, "市民課"), "org/koseki name;");
    kz_search_copy_free(copy);
}

static void a_store_that_is_reopened_is_searched_as_before(void **state)
{
    struct fixture *f = *state;
    struct kz_search_copy *copy = kz_search_copy_new();
    assert_string_equal(search(f, copy, "戸籍"), "");
    fixture_fill(f);
    fixture_reopen(f);
    assert_string_equal(search(f, copy, "戸籍"), "org/koseki name;");
    expect_as_built_anew(f, copy);
    kz_search_copy_free(copy);
}

static void an_event_that_is_not_confirmed_yet_is_found_and_marked(void **state)
{
    struct fixture *f = *state;
    struct kz_search_copy *copy = kz_search_copy_new();
    const struct kz_field *fields = kz_kind_by_number(KZ__KIND__ENTRY)->fields;
    Kz__Record *event = kz_record_new(KZ__KIND__ENTRY, "main.1");
    assert_true(kz_value_add_text(kz_record_body(event), kz_field_by_name(fields, "text"), "戸籍課に連絡した"));
    fixture_fill(f);
    assert_string_equal(search_besides(f, copy, "戸籍", &event, 1), "org/koseki name;entry/main.1 text provisional;");
    assert_string_equal(search(f, copy, "戸籍"), "org/koseki name;");
    kz__record__free_unpacked(event, NULL);
    kz_search_copy_free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_put_changed_retired_and_rewound_is_followed_without_building_again,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_snapshot_of_the_same_history_is_followed_from_where_the_index_stood,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_snapshot_of_another_history_replaces_everything_even_at_the_same_revision,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(one_that_was_stopped_holds_nothing_and_begins_anew, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(a_store_that_is_reopened_is_searched_as_before, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(an_event_that_is_not_confirmed_yet_is_found_and_marked, fixture_setup,
                                        fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
