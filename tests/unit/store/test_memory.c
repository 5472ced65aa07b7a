/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that runs out: a dry run fails alone, whichever allocation it is; a command past its limit is refused, the
 * same on every node. Allocations of our own code go through the functions here (the linker's --wrap). */
#include "tests/unit/store/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/store/internal.h"

/* ---- allocations that fail ---- */

static unsigned long countdown; /* the one that fails; 0 = none */

static bool fails(void) { return countdown > 0 && --countdown == 0; }

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size) { return fails() ? NULL : __real_malloc(size); }
void *__wrap_calloc(size_t count, size_t size) { return fails() ? NULL : __real_calloc(count, size); }
void *__wrap_realloc(void *memory, size_t size) { return fails() ? NULL : __real_realloc(memory, size); }

/* ---- commands ---- */

/* Large enough that it needs several blocks of memory. */
static void make_accepted(struct command *command)
{
    command_init(command, 200);
    for (int i = 0; i < 30; i++) {
        char id[16];
        snprintf(id, sizeof(id), "new-%d", i);
        Kz__Record *record = make_org(id, id, "joho");
        record->org->note = kz_must_alloc(1, 8001);
        memset(record->org->note, 'a', 8000);
        command_put(command, record);
    }
    command_verify(command, KZ__KIND__SYSTEM, "juki");
    command_retire(command, KZ__KIND__SYSTEM, "zeimu", false);
}

static void make_referenced(struct command *command)
{
    command_init(command, 201);
    command_retire(command, KZ__KIND__ORG, "koseki", false);
}

typedef void (*make)(struct command *command);

/* Fails the first allocation, the second, and so on, until the body succeeds. */
static void sweep(struct fixture *f, make make_command, enum kz_code outcome_code)
{
    struct command command;
    unsigned long at = 1;
    make_command(&command);
    for (enum kz_code code = KZ_NO_MEMORY; code != KZ_OK; at++) {
        struct kz_view *view;
        struct kz_err err = {KZ_OK, ""};
        Kz__Outcome *outcome = NULL;
        must(kz_view_open(f->store, &view, &must_err));
        countdown = at;
        code = kz_view_try(view, &command.message, f->time_ms, &outcome, &err);
        bool reached = countdown == 0;
        countdown = 0;
        kz_view_close(view);
        if (code == KZ_OK) {
            assert_false(reached);
            assert_int_equal(outcome->code, outcome_code);
            kz__outcome__free_unpacked(outcome, NULL);
        } else {
            assert_int_equal(code, KZ_NO_MEMORY);
            assert_true(reached && strlen(err.text) > 0);
        }
    }
    assert_true(at > 4); /* there were some to fail */
    command_fini(&command);
}

static void a_dry_run_without_memory_fails_alone(void **state)
{
    struct fixture *f = *state;
    fixture_fill(f);
    struct kz_applied before = fixture_applied(f);
    sweep(f, make_accepted, KZ_OK);
    sweep(f, make_referenced, KZ_REFERENCED);
    struct kz_applied after = fixture_applied(f);
    assert_memory_equal(after.state_hash, before.state_hash, KZ_HASH_BYTES);
}

static void reading_the_past_without_memory_fails_alone(void **state)
{
    struct fixture *f = *state;
    fixture_fill(f);
    struct kz_view *view;
    Kz__Record *record;
    enum kz_code code = KZ_NO_MEMORY;
    unsigned long at = 1;
    for (; code != KZ_OK; at++) {
        struct kz_err err = {KZ_OK, ""};
        must(kz_view_open(f->store, &view, &must_err));
        countdown = at;
        code = kz_view_get_as_of(view, KZ__KIND__ORG, "kyu", 5, &record, &err);
        countdown = 0;
        if (code != KZ_OK) assert_int_equal(code, KZ_NO_MEMORY);
        kz_view_close(view);
    }
    assert_true(at > 2);
    assert_string_equal(record->id, "kyu");
    kz__record__free_unpacked(record, NULL);
}

/* ---- the limit ---- */

static uint32_t try_within(struct fixture *f, const struct command *command, size_t limit_bytes)
{
    struct kz_view *view;
    Kz__Outcome *outcome;
    must(kz_view_open(f->store, &view, &must_err));
    view->scratch.arena.limit_bytes = limit_bytes;
    must(kz_view_try(view, &command->message, f->time_ms, &outcome, &must_err));
    uint32_t code = outcome->code;
    if (code != KZ_OK) assert_int_equal(outcome->n_changed, 0);
    if (code == KZ_TOO_BIG) assert_string_equal(outcome->violations[outcome->n_violations - 1]->rule, "command.memory");
    kz__outcome__free_unpacked(outcome, NULL);
    kz_view_close(view);
    return code;
}

static void a_command_past_its_memory_is_refused_whatever_it_lacked(void **state)
{
    struct fixture *f = *state;
    static const make makes[] = {make_accepted, make_referenced};
    static const uint32_t codes[] = {KZ_OK, KZ_REFERENCED};
    fixture_fill(f);
    for (int i = 0; i < 2; i++) {
        struct command command;
        size_t limit = 0;
        makes[i](&command);
        while (try_within(f, &command, limit) == KZ_TOO_BIG)
            limit += 48;
        assert_true(limit > 1000);
        assert_int_equal(try_within(f, &command, limit), codes[i]);
        assert_int_equal(try_within(f, &command, SIZE_MAX), codes[i]);
        command_fini(&command);
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(a_dry_run_without_memory_fails_alone),
        T(reading_the_past_without_memory_fails_alone),
        T(a_command_past_its_memory_is_refused_whatever_it_lacked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
