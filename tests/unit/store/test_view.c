/* SPDX-License-Identifier: Apache-2.0 */
/* Queries. */
#include "tests/unit/store/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"

#define SEEN_MAX 128

struct seen {
    char ids[SEEN_MAX][KZ_ID_MAX_BYTES + 1];
    uint64_t revs[SEEN_MAX];
    char before[SEEN_MAX][32], after[SEEN_MAX][32];
    int ops[SEEN_MAX];
    bool retired[SEEN_MAX];
    size_t count, stop_after;
};

static bool see_record(void *data, const Kz__Record *record)
{
    struct seen *seen = data;
    assert_true(seen->count < SEEN_MAX);
    snprintf(seen->ids[seen->count], sizeof(seen->ids[0]), "%s", record->id);
    seen->revs[seen->count] = record->rev;
    seen->retired[seen->count] = record->has_retired_at;
    return ++seen->count != seen->stop_after;
}

static bool see_change(void *data, const Kz__Change *change)
{
    struct seen *seen = data;
    size_t at = seen->count;
    assert_true(at < SEEN_MAX);
    snprintf(seen->ids[at], sizeof(seen->ids[0]), "%s", change->id);
    seen->revs[at] = change->rev;
    seen->ops[at] = (int)change->op;
    if (change->before != NULL && change->before->org != NULL)
        snprintf(seen->before[at], sizeof(seen->before[0]), "%s", change->before->org->name);
    assert_non_null(change->after);
    assert_int_equal(change->after->rev, change->rev);
    seen->retired[at] = change->after->has_retired_at;
    if (change->after->org != NULL) snprintf(seen->after[at], sizeof(seen->after[0]), "%s", change->after->org->name);
    return ++seen->count != seen->stop_after;
}

static void get_finds_live_and_retired_and_says_what_is_missing(void **state)
{
    struct fixture *f = *state;
    struct kz_view *view;
    struct kz_err err;
    Kz__Record *record;
    fixture_fill(f);
    must(kz_view_open(f->store, &view, &must_err));
    must(kz_view_get(view, KZ__KIND__ORG, "kyu", &record, &must_err));
    assert_true(record->has_retired_at);
    kz__record__free_unpacked(record, NULL);
    assert_int_equal(kz_view_get(view, KZ__KIND__SYSTEM, "kyu", &record, &err), KZ_NOT_FOUND);
    assert_non_null(strstr(err.text, "system"));
    assert_non_null(strstr(err.text, "'kyu'"));
    assert_int_equal(kz_view_get(view, KZ__KIND__ORG, "Not An Id", &record, &err), KZ_NOT_FOUND);
    assert_int_equal(kz_view_get(view, (Kz__Kind)31, "kyu", &record, &err), KZ_NOT_FOUND);
    kz_view_close(view);
}

static void list_is_in_id_order_paged_and_leaves_out_the_retired(void **state)
{
    struct fixture *f = *state;
    static const char *const ids[] = {"b", "a", "c", "a-1", "a.b", "ab"};
    for (size_t i = 0; i < 6; i++)
        fixture_put(f, make_org(ids[i], ids[i], NULL), KZ_OK);
    fixture_put(f, make_system("z", "a", NULL), KZ_OK);
    fixture_retire(f, KZ__KIND__ORG, "ab", false, KZ_OK);
    struct kz_view *view;
    struct seen seen = {0};
    must(kz_view_open(f->store, &view, &must_err));
    must(kz_view_list(view, KZ__KIND__ORG, NULL, false, see_record, &seen, &must_err));
    static const char *const live[] = {"a", "a-1", "a.b", "b", "c"};
    assert_int_equal(seen.count, 5);
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(seen.ids[i], live[i]);
    seen = (struct seen){0};
    must(kz_view_list(view, KZ__KIND__ORG, NULL, true, see_record, &seen, &must_err));
    assert_int_equal(seen.count, 6);

    struct seen paged = {.stop_after = 1};
    for (size_t i = 0; i < 6; i++) { /* page by page of one, to the same list */
        paged.count = 0;
        must(kz_view_list(view, KZ__KIND__ORG, i == 0 ? NULL : seen.ids[i - 1], true, see_record, &paged, &must_err));
        assert_int_equal(paged.count, 1);
        assert_string_equal(paged.ids[0], seen.ids[i]);
    }
    paged.count = 0;
    must(kz_view_list(view, KZ__KIND__ORG, "c", true, see_record, &paged, &must_err));
    assert_int_equal(paged.count, 0);
    must(kz_view_list(view, KZ__KIND__ORG, "zzzz", true, see_record, &paged, &must_err));
    must(kz_view_list(view, KZ__KIND__CONTACT, NULL, true, see_record, &paged, &must_err));
    assert_int_equal(paged.count, 0);
    char longer[300]; /* longer than any id */
    memset(longer, 'a', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    must(kz_view_list(view, KZ__KIND__ORG, longer, true, see_record, &paged, &must_err));
    assert_string_equal(paged.ids[0], "ab");
    kz_view_close(view);
}

static void history_is_newest_first_with_before_and_after(void **state)
{
    struct fixture *f = *state;
    struct command command;
    fixture_put(f, make_org("joho", "one", NULL), KZ_OK);
    fixture_put(f, make_org("joh", "other", NULL), KZ_OK); /* an id that begins alike */
    fixture_put(f, make_org("joho", "two", NULL), KZ_OK);
    fixture_put(f, make_org("joho1", "other", NULL), KZ_OK);
    command_init(&command, f->request++);
    command_verify(&command, KZ__KIND__ORG, "joho");
    fixture_must(f, &command, KZ_OK);
    fixture_retire(f, KZ__KIND__ORG, "joho", false, KZ_OK);
    struct kz_view *view;
    struct seen seen = {0};
    must(kz_view_open(f->store, &view, &must_err));
    must(kz_view_history(view, KZ__KIND__ORG, "joho", 0, see_change, &seen, &must_err));
    static const uint64_t revs[] = {6, 5, 3, 1};
    static const int ops[] = {KZ__MUTATION__OP__RETIRE, KZ__MUTATION__OP__VERIFY, KZ__MUTATION__OP__PUT,
                              KZ__MUTATION__OP__PUT};
    assert_int_equal(seen.count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(seen.revs[i], revs[i]);
        assert_int_equal(seen.ops[i], ops[i]);
    }
    assert_true(seen.retired[0]);
    assert_string_equal(seen.before[2], "one");
    assert_string_equal(seen.after[2], "two");
    assert_string_equal(seen.before[3], "");

    struct seen page = {.stop_after = 2};
    must(kz_view_history(view, KZ__KIND__ORG, "joho", 6, see_change, &page, &must_err));
    assert_int_equal(page.count, 2);
    assert_int_equal(page.revs[0], 5);
    assert_int_equal(page.revs[1], 3);
    page = (struct seen){0};
    must(kz_view_history(view, KZ__KIND__ORG, "joho", 1, see_change, &page, &must_err));
    assert_int_equal(page.count, 0);
    must(kz_view_history(view, KZ__KIND__ORG, "unknown", 0, see_change, &page, &must_err));
    assert_int_equal(page.count, 0);
    kz_view_close(view);
}

static void changes_come_once_each_from_any_revision(void **state)
{
    struct fixture *f = *state;
    fixture_fill(f);
    uint64_t rev = fixture_applied(f).rev;
    struct kz_view *view;
    assert_true(rev >= 7);
    must(kz_view_open(f->store, &view, &must_err));
    for (uint64_t from = 0; from <= rev + 2; from++) {
        struct seen seen = {0};
        must(kz_view_changes(view, from, see_change, &seen, &must_err));
        uint64_t first = from == 0 ? 1 : from;
        assert_int_equal(seen.count, first > rev ? 0 : rev - first + 1);
        for (size_t i = 0; i < seen.count; i++)
            assert_int_equal(seen.revs[i], first + i);
    }
    struct seen some = {.stop_after = 2};
    must(kz_view_changes(view, 3, see_change, &some, &must_err));
    assert_int_equal(some.count, 2);
    kz_view_close(view);
}

static void counters_follow_create_retire_and_revive(void **state)
{
    struct fixture *f = *state;
    uint64_t live, retired;
    static const uint64_t expected[][2] = {{1, 0}, {2, 0}, {1, 1}, {2, 0}};
    for (int step = 0; step < 4; step++) {
        struct kz_view *view;
        if (step == 0) fixture_put(f, make_org("a", "a", NULL), KZ_OK);
        if (step == 1) fixture_put(f, make_org("b", "b", NULL), KZ_OK);
        if (step == 2) fixture_retire(f, KZ__KIND__ORG, "a", false, KZ_OK);
        if (step == 3) fixture_put(f, make_org("a", "a", NULL), KZ_OK);
        must(kz_view_open(f->store, &view, &must_err));
        must(kz_view_count(view, KZ__KIND__ORG, &live, &retired, &must_err));
        assert_int_equal(live, expected[step][0]);
        assert_int_equal(retired, expected[step][1]);
        must(kz_view_count(view, KZ__KIND__SITE, &live, &retired, &must_err));
        assert_int_equal(live + retired, 0);
        kz_view_close(view);
    }
}

static Kz__Outcome *try(struct fixture *f, struct command *command)
{
    struct kz_view *view;
    Kz__Outcome *outcome = NULL;
    must(kz_view_open(f->store, &view, &must_err));
    must(kz_view_try(view, &command->message, f->time_ms, &outcome, &must_err));
    kz_view_close(view);
    return outcome;
}

static void try_answers_as_apply_would_and_writes_nothing(void **state)
{
    struct fixture *f = *state;
    struct command command;
    fixture_fill(f);
    struct kz_applied before = fixture_applied(f);
    command_init(&command, 200);
    command_put(&command, make_org("new", "new", "joho"));
    command_put(&command, make_org("koseki", "renamed", NULL));
    Kz__Outcome *outcome = try(f, &command);
    assert_int_equal(outcome->code, KZ_OK);
    assert_int_equal(outcome->rev, before.rev + 2);
    assert_int_equal(outcome->n_changed, 2);
    assert_null(command.mutations[0].record->created_by); /* what was given stays as it was */
    kz__outcome__free_unpacked(outcome, NULL);
    assert_null(fixture_get(f, KZ__KIND__ORG, "new"));
    struct kz_applied after = fixture_applied(f);
    assert_memory_equal(after.state_hash, before.state_hash, KZ_HASH_BYTES);
    fixture_must(f, &command, KZ_OK);

    command_init(&command, 201);
    command_retire(&command, KZ__KIND__ORG, "koseki", false);
    outcome = try(f, &command);
    assert_int_equal(outcome->code, KZ_REFERENCED);
    assert_int_equal(outcome->n_referrers, 2);
    kz__outcome__free_unpacked(outcome, NULL);
    command_fini(&command);
}

static void a_view_stays_as_it_was_opened(void **state)
{
    struct fixture *f = *state;
    struct kz_view *view;
    Kz__Record *record;
    struct kz_err err;
    fixture_put(f, make_org("a", "before", NULL), KZ_OK);
    must(kz_view_open(f->store, &view, &must_err));
    fixture_put(f, make_org("a", "after", NULL), KZ_OK);
    fixture_put(f, make_org("b", "b", NULL), KZ_OK);
    must(kz_view_get(view, KZ__KIND__ORG, "a", &record, &must_err));
    assert_string_equal(record->org->name, "before");
    kz__record__free_unpacked(record, NULL);
    assert_int_equal(kz_view_get(view, KZ__KIND__ORG, "b", &record, &err), KZ_NOT_FOUND);
    kz_view_close(view);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(get_finds_live_and_retired_and_says_what_is_missing),
        T(list_is_in_id_order_paged_and_leaves_out_the_retired),
        T(history_is_newest_first_with_before_and_after),
        T(changes_come_once_each_from_any_revision),
        T(counters_follow_create_retire_and_revive),
        T(try_answers_as_apply_would_and_writes_nothing),
        T(a_view_stays_as_it_was_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
