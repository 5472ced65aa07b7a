/* SPDX-License-Identifier: Apache-2.0 */
/* What one command may weigh: refused with a reason, never fatal. */
#include "tests/unit/store/fixture.h"

#include <stdio.h>
#include <string.h>

#include "node/base/assert.h"

static void a_record_too_large_is_a_violation(void **state)
{
    struct fixture *f = *state;
    Kz__Record *record = make_org("joho", "a", NULL);
    size_t size = KZ_RECORD_MAX_BYTES + 1;
    record->org->note = kz_must_alloc(1, size + 1);
    memset(record->org->note, 'x', size);
    fixture_put(f, record, KZ_INVALID);
}

#define LARGE_STEPS 15
#define LARGE_STEP_BYTES 16000
static Kz__Record *make_large_runbook(const char *id)
{
    Kz__Record *record = kz_record_new(KZ__KIND__RUNBOOK, id);
    Kz__Runbook *runbook = record->runbook;
    runbook->title = kz_must_strdup("a");
    runbook->has_phase = runbook->has_state = 1;
    runbook->phase = KZ__RUNBOOK__PHASE__RECOVERY;
    runbook->state = KZ__RUNBOOK__STATE__DRAFT;
    runbook->n_steps = LARGE_STEPS;
    runbook->steps = kz_must_alloc(LARGE_STEPS, sizeof(*runbook->steps));
    for (size_t i = 0; i < LARGE_STEPS; i++) {
        runbook->steps[i] = kz_must_alloc(1, sizeof(*runbook->steps[i]));
        kz__runbook__step__init(runbook->steps[i]);
        runbook->steps[i]->title = kz_must_strdup("a");
        runbook->steps[i]->body = kz_must_alloc(1, LARGE_STEP_BYTES + 1);
        memset(runbook->steps[i]->body, 'x', LARGE_STEP_BYTES);
    }
    return record;
}

/* A command of a few bytes may touch large records: it is refused, and the store goes on. */
static void a_command_that_touches_too_much_is_refused_not_fatal(void **state)
{
    struct fixture *f = *state;
    struct command command;
    const unsigned count = KZ_COMMAND_TOUCHED_MAX_BYTES / (LARGE_STEPS * LARGE_STEP_BYTES) + 1;
    char id[16];
    assert_true(count < FIXTURE_MUTATIONS_MAX);
    for (unsigned i = 0; i < count; i++) {
        snprintf(id, sizeof(id), "r%u", i);
        fixture_put(f, make_large_runbook(id), KZ_OK);
    }
    uint64_t rev = fixture_applied(f).rev;
    command_init(&command, f->request++);
    for (unsigned i = 0; i < count; i++) {
        snprintf(id, sizeof(id), "r%u", i);
        command_verify(&command, KZ__KIND__RUNBOOK, id);
    }
    fixture_must(f, &command, KZ_INVALID);
    assert_int_equal(fixture_applied(f).rev, rev);
    command_init(&command, f->request++);
    for (unsigned i = 1; i < count; i++) {
        snprintf(id, sizeof(id), "r%u", i);
        command_verify(&command, KZ__KIND__RUNBOOK, id);
    }
    fixture_must(f, &command, KZ_OK);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(a_record_too_large_is_a_violation),
        T(a_command_that_touches_too_much_is_refused_not_fatal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
