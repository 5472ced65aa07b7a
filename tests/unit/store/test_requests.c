/* SPDX-License-Identifier: Apache-2.0 */
/* Exactly once: remembered outcomes. */
#include "tests/unit/store/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"

static Kz__Outcome *outcome_of(struct fixture *f, unsigned request)
{
    struct kz_view *view;
    struct kz_err err;
    struct command command;
    Kz__Outcome *outcome = NULL;
    command_init(&command, request);
    must(kz_view_open(f->store, &view, &must_err));
    enum kz_code code = kz_view_outcome(view, command.id, &outcome, &err);
    assert_true(code == KZ_OK || code == KZ_NOT_FOUND);
    kz_view_close(view);
    return outcome;
}

static void put(struct fixture *f, unsigned request, const char *id, const char *name, enum kz_code code)
{
    struct command command;
    command_init(&command, request);
    command_put(&command, make_org(id, name, NULL));
    fixture_must(f, &command, code);
}

static void a_retry_gets_the_first_outcome_and_changes_nothing(void **state)
{
    struct fixture *f = *state;
    struct command command;
    put(f, 1, "joho", "a", KZ_OK);
    put(f, 2, "joho", "b", KZ_OK);
    command_init(&command, 1);
    command_put(&command, make_org("joho", "a", NULL));
    Kz__Outcome *outcome = fixture_run(f, &command);
    assert_int_equal(outcome->code, KZ_OK);
    assert_int_equal(outcome->rev, 1);
    assert_int_equal(outcome->index, 1); /* where it was applied first */
    assert_int_equal(outcome->changed[0]->rev, 1);
    kz__outcome__free_unpacked(outcome, NULL);
    assert_int_equal(fixture_applied(f).rev, 2);
    Kz__Record *record = fixture_get(f, KZ__KIND__ORG, "joho");
    assert_string_equal(record->org->name, "b");
    kz__record__free_unpacked(record, NULL);
}

static void a_request_twice_in_one_batch_is_applied_once(void **state)
{
    struct fixture *f = *state;
    struct command commands[2];
    size_t size;
    for (int i = 0; i < 2; i++) {
        command_init(&commands[i], 9);
        command_put(&commands[i], make_org("joho", i == 0 ? "a" : "b", NULL));
    }
    const Kz__Command *pointers[] = {&commands[0].message, &commands[1].message};
    uint8_t *batch = batch_pack(f->time_ms, pointers, 2, &size);
    fixture_append(f, KZ_ENTRY_COMMAND, batch, size);
    fixture_apply(f, NULL);
    free(batch);
    command_fini(&commands[0]);
    command_fini(&commands[1]);
    assert_int_equal(fixture_applied(f).rev, 1);
}

static void a_refusal_is_remembered_too(void **state)
{
    struct fixture *f = *state;
    struct command command;
    put(f, 1, "joho", "a", KZ_OK);
    command_init(&command, 2);
    command_put(&command, make_org("joho", "b", NULL));
    command_expect(&command, 99);
    fixture_must(f, &command, KZ_CONFLICT);
    command_init(&command, 2); /* the same request, now without what made it fail */
    command_put(&command, make_org("joho", "b", NULL));
    Kz__Outcome *outcome = fixture_run(f, &command);
    assert_int_equal(outcome->code, KZ_CONFLICT);
    assert_null(outcome->current); /* kept small */
    kz__outcome__free_unpacked(outcome, NULL);
    assert_int_equal(fixture_applied(f).rev, 1);
}

static void long_lists_of_a_refusal_are_remembered_in_part(void **state)
{
    struct fixture *f = *state;
    struct command command;
    command_init(&command, 1);
    for (int i = 0; i < 50; i++) {
        char id[16];
        snprintf(id, sizeof(id), "org-%d", i);
        command_put(&command, make_org(id, "", NULL));
    }
    Kz__Outcome *outcome = fixture_run(f, &command);
    assert_int_equal(outcome->code, KZ_INVALID);
    assert_true(outcome->n_violations >= 50);
    kz__outcome__free_unpacked(outcome, NULL);
    outcome = outcome_of(f, 1);
    assert_non_null(outcome);
    assert_int_equal(outcome->code, KZ_INVALID);
    assert_int_equal(outcome->n_violations, 20);
    kz__outcome__free_unpacked(outcome, NULL);
}

/* The limits are given when a store is made. */
static void make_anew(struct fixture *f, uint32_t kept, uint32_t window_ms, uint64_t max_bytes)
{
    char path[128];
    fixture_close(f);
    snprintf(path, sizeof(path), "%s/data.mdb", f->directory);
    assert_int_equal(remove(path), 0);
    f->options.requests_remembered = kept;
    f->options.requests_window_ms = window_ms;
    f->options.requests_max_bytes = max_bytes;
    fixture_open(f);
}

static bool is_remembered(struct fixture *f, unsigned request)
{
    Kz__Outcome *outcome = outcome_of(f, request);
    bool known = outcome != NULL;
    if (known) kz__outcome__free_unpacked(outcome, NULL);
    return known;
}

static unsigned count_remembered(struct fixture *f, unsigned last)
{
    unsigned count = 0;
    for (unsigned i = 1; i <= last; i++)
        count += is_remembered(f, i);
    return count;
}

static void put_numbered(struct fixture *f, unsigned request)
{
    char name[16];
    snprintf(name, sizeof(name), "n%u", request);
    put(f, request, "joho", name, KZ_OK);
}

/* The fixture's commands are a second apart. */
static void outcomes_within_the_window_are_remembered_whatever_their_number(void **state)
{
    struct fixture *f = *state;
    make_anew(f, 3, 10000, 0);
    for (unsigned i = 1; i <= 11; i++)
        put_numbered(f, i);
    assert_int_equal(count_remembered(f, 11), 11); /* the first is ten seconds old */
    put_numbered(f, 12);
    assert_false(is_remembered(f, 1));
    assert_true(is_remembered(f, 2));
    fixture_scrub(f);
    put(f, 1, "joho", "again", KZ_OK); /* forgotten: taken for a new one */
    assert_int_equal(fixture_applied(f).rev, 13);
    f->options.requests_window_ms = 100000; /* the store's own limits count, else replicas would differ */
    fixture_reopen(f);
    put_numbered(f, 14);
    assert_false(is_remembered(f, 3));
    fixture_scrub(f);
}

static void the_last_ones_are_remembered_whatever_their_age(void **state)
{
    struct fixture *f = *state;
    make_anew(f, 3, 500, 0);
    for (unsigned i = 1; i <= 5; i++) {
        put_numbered(f, i);
        f->time_ms += 60000;
    }
    for (unsigned i = 1; i <= 5; i++)
        assert_int_equal(is_remembered(f, i), i >= 3);
    fixture_scrub(f);
}

/* A leader whose clock is a day ahead, or a cluster that stood still for a day: clients are still asking. */
static void a_leap_of_data_time_makes_nothing_look_old(void **state)
{
    struct fixture *f = *state;
    make_anew(f, 1, 60000, 0);
    put_numbered(f, 1);
    uint64_t before = fixture_applied(f).requests_clock_ms;
    f->time_ms += 86400000;
    put_numbered(f, 2);
    assert_int_equal(fixture_applied(f).requests_clock_ms - before, KZ_REQUESTS_STEP_MAX_MS);
    assert_true(is_remembered(f, 1));
    f->time_ms -= 86400000; /* the next leader's clock is right: data time and this one stand still */
    put_numbered(f, 3);
    assert_int_equal(fixture_applied(f).requests_clock_ms - before, KZ_REQUESTS_STEP_MAX_MS);
    assert_true(is_remembered(f, 1));
}

static void many_that_fall_out_at_once_are_forgotten_a_few_at_a_time(void **state)
{
    struct fixture *f = *state;
    enum { MANY = 100 };
    make_anew(f, 1, 15000, 0);
    for (unsigned i = 1; i <= MANY; i++) {
        put_numbered(f, i);
        f->time_ms -= 1000; /* all at one time */
    }
    assert_int_equal(count_remembered(f, MANY), MANY);
    f->time_ms += 16000;
    unsigned left = MANY, request = MANY;
    while (left > 0) {
        put_numbered(f, ++request);
        unsigned now = count_remembered(f, MANY);
        assert_true(now < left && left - now <= 8); /* fewer each time, and no burst */
        left = now;
        f->time_ms -= 1000;
    }
    fixture_scrub(f);
}

static void run_large(struct fixture *f, unsigned request, size_t changes)
{
    struct command command;
    command_init(&command, request);
    command_put(&command, make_org("org-with-the-longest-name-there-can-be-so-that-outcomes-are-long", "a", NULL));
    Kz__Mutation **mutations = kz_must_alloc(changes, sizeof(*mutations));
    for (size_t i = 0; i < changes; i++)
        mutations[i] = &command.mutations[0]; /* the same change: the first counts, the rest are unchanged */
    command.message.mutations = mutations;
    command.message.n_mutations = changes;
    const Kz__Command *pointers[] = {&command.message};
    size_t size;
    uint8_t *batch = batch_pack(f->time_ms, pointers, 1, &size);
    fixture_append(f, KZ_ENTRY_COMMAND, batch, size);
    fixture_apply(f, NULL);
    free(batch);
    command.message.n_mutations = 1;
    command.message.mutations = command.pointers;
    command_fini(&command);
    free(mutations);
}

/* 1,000 changes leave an outcome of some 80 KiB. Small ones before it make way for as many bytes as it brings. */
static void outcomes_are_bounded_by_bytes(void **state)
{
    struct fixture *f = *state;
    enum { SMALL = 2000, LARGE = 20, CHANGES = 1000, ROOM = 1 << 20 };
    make_anew(f, 10000, 0, ROOM);
    for (unsigned i = 1; i <= SMALL; i++)
        put_numbered(f, i);
    assert_true(is_remembered(f, 1));
    for (unsigned i = 1; i <= LARGE; i++)
        run_large(f, SMALL + i, CHANGES);
    assert_int_equal(count_remembered(f, SMALL), 0);
    unsigned large = count_remembered(f, SMALL + LARGE);
    assert_true(large >= 8 && large <= ROOM / (CHANGES * 70)); /* as many as fit, no fewer */
    Kz__Outcome *last = outcome_of(f, SMALL + LARGE);
    assert_non_null(last);
    assert_int_equal(last->n_changed, CHANGES);
    kz__outcome__free_unpacked(last, NULL);
    fixture_scrub(f);
}

/* What KZ_REQUESTS_MAX_BYTES is computed with. */
static void an_outcome_of_one_change_is_as_small_as_was_reckoned(void **state)
{
    struct fixture *f = *state;
    Kz__Outcome *outcome;
    put(f, 1, "org-with-the-longest-name-there-can-be-so-that-outcomes-are-long", "a", KZ_OK);
    outcome = outcome_of(f, 1);
    assert_non_null(outcome);
    assert_int_equal(strlen(outcome->changed[0]->id), KZ_ID_MAX_BYTES);
    outcome->rev = outcome->index = outcome->changed[0]->rev = UINT32_MAX; /* after years */
    assert_true(kz__outcome__get_packed_size(outcome) <= KZ_OUTCOME_OF_ONE_MAX_BYTES);
    kz__outcome__free_unpacked(outcome, NULL);
}

static void ask(struct fixture *f, unsigned request, uint64_t asked_ms, const char *name, enum kz_code code)
{
    struct command command;
    command_init(&command, request);
    command_put(&command, make_org("joho", name, NULL));
    command.message.has_asked_ms = true;
    command.message.asked_ms = asked_ms;
    fixture_must(f, &command, code);
}

static void pass(struct fixture *f, unsigned request, uint64_t time_ms)
{
    for (uint64_t done = 0; done < time_ms; done += 10000) {
        f->time_ms += 9000; /* and one by the fixture */
        put(f, request++, "other", "x", KZ_OK);
    }
}

static void a_copy_that_comes_after_its_outcome_was_forgotten_is_refused(void **state)
{
    struct fixture *f = *state;
    make_anew(f, 1, 0, 0);
    uint64_t asked_ms = fixture_applied(f).requests_clock_ms;
    ask(f, 1, asked_ms, "a", KZ_OK);
    pass(f, 100, KZ_REQUEST_AGE_MAX_MS);
    ask(f, 1, asked_ms, "a", KZ_OK); /* still remembered: the first outcome */
    pass(f, 200, KZ_REQUESTS_WINDOW_MS);
    assert_false(is_remembered(f, 1));
    uint64_t rev = fixture_applied(f).rev;
    ask(f, 1, asked_ms, "a", KZ_UNKNOWN_OUTCOME);
    assert_int_equal(fixture_applied(f).rev, rev);
    assert_false(is_remembered(f, 1)); /* the refusal is no outcome of it */
    fixture_scrub(f);
}

static void a_write_is_in_time_up_to_the_limit_and_refused_beyond_it(void **state)
{
    struct fixture *f = *state;
    pass(f, 100, KZ_REQUEST_AGE_MAX_MS + 20000);
    f->time_ms -= 1000; /* so that the clock stands still */
    uint64_t now_ms = fixture_applied(f).requests_clock_ms;
    assert_true(now_ms > KZ_REQUEST_AGE_MAX_MS + 1);
    ask(f, 1, now_ms - KZ_REQUEST_AGE_MAX_MS - 1, "a", KZ_UNKNOWN_OUTCOME);
    f->time_ms -= 1000;
    ask(f, 1, now_ms - KZ_REQUEST_AGE_MAX_MS, "a", KZ_OK); /* the same request, by a shorter way */
    f->time_ms -= 1000;
    ask(f, 2, now_ms + 1, "b", KZ_OK);
    assert_int_equal(fixture_applied(f).requests_clock_ms, now_ms);
}

static void a_command_without_a_proper_request_id_is_applied_and_not_remembered(void **state)
{
    struct fixture *f = *state;
    struct command command;
    size_t size;
    command_init(&command, 1);
    command.message.request_id.len = 5;
    command_put(&command, make_org("joho", "a", NULL));
    const Kz__Command *pointers[] = {&command.message};
    uint8_t *batch = batch_pack(f->time_ms, pointers, 1, &size);
    fixture_append(f, KZ_ENTRY_COMMAND, batch, size);
    fixture_apply(f, NULL);
    free(batch);
    command_fini(&command);
    assert_int_equal(fixture_applied(f).rev, 1);
    fixture_scrub(f);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(a_retry_gets_the_first_outcome_and_changes_nothing),
        T(a_request_twice_in_one_batch_is_applied_once),
        T(a_refusal_is_remembered_too),
        T(long_lists_of_a_refusal_are_remembered_in_part),
        T(outcomes_within_the_window_are_remembered_whatever_their_number),
        T(the_last_ones_are_remembered_whatever_their_age),
        T(a_leap_of_data_time_makes_nothing_look_old),
        T(many_that_fall_out_at_once_are_forgotten_a_few_at_a_time),
        T(outcomes_are_bounded_by_bytes),
        T(an_outcome_of_one_change_is_as_small_as_was_reckoned),
        T(a_copy_that_comes_after_its_outcome_was_forgotten_is_refused),
        T(a_write_is_in_time_up_to_the_limit_and_refused_beyond_it),
        T(a_command_without_a_proper_request_id_is_applied_and_not_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
