/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a runbook through the log: who wrote and who approved is taken from the command's actor. */
#include "tests/unit/store/fixture.h"

#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"

static Kz__Record *make_runbook(const char *title, Kz__Runbook__State to)
{
    Kz__Record *record = kz_record_new(KZ__KIND__RUNBOOK, "kirikae");
    kz_assert(record != NULL);
    Kz__Runbook *runbook = record->runbook;
    runbook->title = kz_must_strdup(title);
    runbook->has_phase = true;
    runbook->phase = KZ__RUNBOOK__PHASE__SWITCHOVER;
    runbook->has_state = true;
    runbook->state = to;
    runbook->author = kz_must_strdup("yamada");
    if (to == KZ__RUNBOOK__STATE__APPROVED) runbook->approved_on = kz_must_strdup("2020-01-01");
    runbook->steps = kz_must_alloc(1, sizeof *runbook->steps);
    runbook->steps[0] = kz_must_alloc(1, sizeof **runbook->steps);
    kz__runbook__step__init(runbook->steps[0]);
    runbook->steps[0]->title = kz_must_strdup("止める");
    runbook->n_steps = 1;
    return record;
}

static void begin(struct fixture *f, struct command *command, const char *actor)
{
    command_init(command, f->request++);
    command->message.actor = (char *)(uintptr_t)actor;
}

static void put(struct fixture *f, const char *actor, const char *title, Kz__Runbook__State to, enum kz_code code)
{
    struct command command;
    begin(f, &command, actor);
    command_put(&command, make_runbook(title, to));
    fixture_must(f, &command, code);
}

static void move(struct fixture *f, const char *actor, Kz__Runbook__State to, enum kz_code code)
{
    struct command command;
    begin(f, &command, actor);
    command_move(&command, "kirikae", to);
    fixture_must(f, &command, code);
}

static void add_author(struct fixture *f)
{
    Kz__Record *contact = kz_record_new(KZ__KIND__CONTACT, "yamada");
    kz_assert(contact != NULL);
    contact->contact->name = kz_must_strdup("山田");
    fixture_put(f, contact, KZ_OK);
}

static void expect(struct fixture *f, Kz__Runbook__State state, int64_t version, const char *editor,
                   uint64_t approved_rev)
{
    Kz__Record *record = fixture_get(f, KZ__KIND__RUNBOOK, "kirikae");
    assert_int_equal(record->runbook->state, state);
    assert_int_equal(record->runbook->version, version);
    assert_string_equal(record->runbook->edited_by, editor);
    assert_int_equal(record->runbook->has_approved_rev ? record->runbook->approved_rev : 0, approved_rev);
    kz__record__free_unpacked(record, NULL);
}

static void who_wrote_a_runbook_last_cannot_approve_it(void **state)
{
    struct fixture *f = *state;
    add_author(f);
    put(f, "sato", "切替", KZ__RUNBOOK__STATE__REVIEW, KZ_OK);
    move(f, "sato", KZ__RUNBOOK__STATE__APPROVED, KZ_INVALID);
    put(f, "buchou", "切替 改", KZ__RUNBOOK__STATE__REVIEW, KZ_OK); /* now it is the other one's text */
    move(f, "buchou", KZ__RUNBOOK__STATE__APPROVED, KZ_INVALID);
    expect(f, KZ__RUNBOOK__STATE__REVIEW, 1, "buchou", 0);
    move(f, "sato", KZ__RUNBOOK__STATE__APPROVED, KZ_OK);
    uint64_t rev = fixture_rev(f, KZ__KIND__RUNBOOK, "kirikae");
    expect(f, KZ__RUNBOOK__STATE__APPROVED, 1, "buchou", rev);
    Kz__Record *record = fixture_get(f, KZ__KIND__RUNBOOK, "kirikae");
    assert_string_equal(record->runbook->approved_by, "sato");
    assert_string_equal(record->runbook->approved_on, "2025-01-17"); /* the leader's day, in Japan */
    kz__record__free_unpacked(record, NULL);
    fixture_scrub(f);
}

static void no_write_approves(void **state)
{
    struct fixture *f = *state;
    add_author(f);
    put(f, "sato", "切替", KZ__RUNBOOK__STATE__APPROVED, KZ_OK);
    expect(f, KZ__RUNBOOK__STATE__REVIEW, 1, "sato", 0);
    put(f, "tanaka", "切替", KZ__RUNBOOK__STATE__APPROVED, KZ_OK); /* the same again: nothing changes */
    expect(f, KZ__RUNBOOK__STATE__REVIEW, 1, "sato", 0);
    assert_int_equal(fixture_rev(f, KZ__KIND__RUNBOOK, "kirikae"), 2);
}

static void the_approved_text_stays_reachable_while_a_draft_is_written(void **state)
{
    struct fixture *f = *state;
    add_author(f);
    put(f, "sato", "切替", KZ__RUNBOOK__STATE__REVIEW, KZ_OK);
    move(f, "buchou", KZ__RUNBOOK__STATE__APPROVED, KZ_OK);
    uint64_t rev = fixture_rev(f, KZ__KIND__RUNBOOK, "kirikae");
    put(f, "sato", "切替 改", KZ__RUNBOOK__STATE__APPROVED, KZ_OK);
    expect(f, KZ__RUNBOOK__STATE__DRAFT, 2, "sato", rev);
    move(f, "buchou", KZ__RUNBOOK__STATE__APPROVED, KZ_INVALID); /* not in review */
    move(f, "sato", KZ__RUNBOOK__STATE__REVIEW, KZ_OK);
    move(f, "buchou", KZ__RUNBOOK__STATE__DRAFT, KZ_OK); /* rejected */
    move(f, "sato", KZ__RUNBOOK__STATE__REVIEW, KZ_OK);
    move(f, "buchou", KZ__RUNBOOK__STATE__APPROVED, KZ_OK);
    expect(f, KZ__RUNBOOK__STATE__APPROVED, 2, "sato", fixture_rev(f, KZ__KIND__RUNBOOK, "kirikae"));

    struct kz_view *view;
    Kz__Record *then;
    must(kz_view_open(f->store, &view, &must_err));
    must(kz_view_get_as_of(view, KZ__KIND__RUNBOOK, "kirikae", rev, &then, &must_err));
    assert_string_equal(then->runbook->title, "切替");
    kz__record__free_unpacked(then, NULL);
    kz_view_close(view);
}

static void only_a_live_runbook_moves_and_a_move_expects_its_revision(void **state)
{
    struct fixture *f = *state;
    struct command command;
    add_author(f);
    move(f, "sato", KZ__RUNBOOK__STATE__REVIEW, KZ_NOT_FOUND);
    put(f, "sato", "切替", KZ__RUNBOOK__STATE__DRAFT, KZ_OK);
    begin(f, &command, "sato");
    command_move(&command, "kirikae", KZ__RUNBOOK__STATE__REVIEW);
    command_expect(&command, 1);
    fixture_must(f, &command, KZ_CONFLICT);
    begin(f, &command, "sato");
    command_move(&command, "kirikae", KZ__RUNBOOK__STATE__REVIEW);
    command.mutations[0].kind = KZ__KIND__CONTACT;
    fixture_must(f, &command, KZ_INVALID);
    move(f, "sato", (Kz__Runbook__State)9, KZ_INVALID);
    fixture_retire(f, KZ__KIND__RUNBOOK, "kirikae", false, KZ_OK);
    move(f, "sato", KZ__RUNBOOK__STATE__REVIEW, KZ_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_wrote_a_runbook_last_cannot_approve_it, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(no_write_approves, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(the_approved_text_stays_reachable_while_a_draft_is_written, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(only_a_live_runbook_moves_and_a_move_expects_its_revision, fixture_setup,
                                        fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
