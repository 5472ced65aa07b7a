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

static void the_oldest_outcome_is_forgotten_first(void **state)
{
    struct fixture *f = *state;
    char path[128];
    fixture_close(f);
    snprintf(path, sizeof(path), "%s/data.mdb", f->directory);
    assert_int_equal(remove(path), 0);
    f->options.requests_remembered = 3;
    fixture_open(f);
    for (unsigned i = 1; i <= 5; i++) {
        char name[8];
        snprintf(name, sizeof(name), "n%u", i);
        put(f, i, "joho", name, KZ_OK);
    }
    for (unsigned i = 1; i <= 5; i++) {
        Kz__Outcome *outcome = outcome_of(f, i);
        assert_int_equal(outcome != NULL, i >= 3);
        if (outcome != NULL) kz__outcome__free_unpacked(outcome, NULL);
    }
    fixture_scrub(f);
    put(f, 1, "joho", "again", KZ_OK); /* forgotten: taken for a new one */
    assert_int_equal(fixture_applied(f).rev, 6);
    f->options.requests_remembered = 100; /* the store's own number counts, else replicas would differ */
    fixture_reopen(f);
    put(f, 7, "joho", "seven", KZ_OK);
    assert_null(outcome_of(f, 3));
    fixture_scrub(f);
}

/* 1,000 changes leave an outcome of some 80 KiB: not 10,000 of those. */
static void large_outcomes_are_bounded_by_bytes(void **state)
{
    struct fixture *f = *state;
    enum { CHANGES = 1000, COMMANDS = 460 };
    struct command command;
    command_init(&command, 0);
    command_put(&command, make_org("org-with-the-longest-name-there-can-be-so-that-outcomes-are-long", "a", NULL));
    Kz__Mutation **mutations = kz_must_alloc(CHANGES, sizeof(*mutations));
    for (size_t i = 0; i < CHANGES; i++)
        mutations[i] = &command.mutations[0]; /* the same change: the first counts, the rest are unchanged */
    command.message.mutations = mutations;
    command.message.n_mutations = CHANGES;
    const Kz__Command *pointers[] = {&command.message};
    for (unsigned i = 1; i <= COMMANDS; i++) {
        size_t size;
        command.id[0] = (uint8_t)i;
        command.id[1] = (uint8_t)(i >> 8);
        uint8_t *batch = batch_pack(f->time_ms, pointers, 1, &size);
        fixture_append(f, KZ_ENTRY_COMMAND, batch, size);
        fixture_apply(f, NULL);
        free(batch);
    }
    command.message.n_mutations = 1;
    command.message.mutations = command.pointers;
    command_fini(&command);
    free(mutations);
    assert_null(outcome_of(f, 1));
    Kz__Outcome *last = outcome_of(f, COMMANDS);
    assert_non_null(last);
    assert_int_equal(last->n_changed, CHANGES);
    kz__outcome__free_unpacked(last, NULL);
    fixture_scrub(f);
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
        T(the_oldest_outcome_is_forgotten_first),
        T(large_outcomes_are_bounded_by_bytes),
        T(a_command_without_a_proper_request_id_is_applied_and_not_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
