/* SPDX-License-Identifier: Apache-2.0 */
/* Going back in time: REVERT of one record, REWIND of all, and the guard against mass deletion. */
#include "tests/unit/store/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IDS 12u
#define COMMANDS 60u

static uint64_t rev_now(struct fixture *f) { return fixture_applied(f).rev; }

static void revert(struct fixture *f, Kz__Kind kind, const char *id, uint64_t to_rev, enum kz_code code)
{
    struct command command;
    command_init(&command, f->request++);
    command_revert(&command, kind, id, to_rev);
    fixture_must(f, &command, code);
}

static void expect_org(struct fixture *f, const char *id, const char *name)
{
    Kz__Record *record = fixture_get(f, KZ__KIND__ORG, id);
    assert_non_null(record);
    assert_int_equal(record->has_retired_at, name == NULL);
    if (name != NULL) assert_string_equal(record->org->name, name);
    kz__record__free_unpacked(record, NULL);
}

/* The first violation's rule. */
static void expect_rule(struct fixture *f, struct command *command, enum kz_code code, const char *rule)
{
    uint64_t rev = rev_now(f);
    Kz__Outcome *outcome = fixture_run(f, command);
    assert_int_equal(outcome->code, code);
    assert_true(outcome->n_violations > 0);
    assert_string_equal(outcome->violations[0]->rule, rule);
    assert_int_equal(outcome->n_changed, 0);
    assert_int_equal(outcome->rev, rev);
    kz__outcome__free_unpacked(outcome, NULL);
    assert_int_equal(rev_now(f), rev);
}

/* ---- one record ---- */

static void revert_puts_back_what_people_set_and_the_verification_of_it(void **state)
{
    struct fixture *f = *state;
    struct command command;
    Kz__Record *first = make_org("joho", "old", NULL);
    kz_value_add_text(&first->base, kz_field_by_name(kz_envelope_fields(), "review_due"), "2026-04-01");
    fixture_put(f, first, KZ_OK);
    command_init(&command, f->request++);
    command_verify(&command, KZ__KIND__ORG, "joho");
    fixture_must(f, &command, KZ_OK);
    int64_t verified_at = f->time_ms - 1000;
    fixture_put(f, make_org("joho", "new", NULL), KZ_OK);
    command_init(&command, f->request++);
    command_verify(&command, KZ__KIND__ORG, "joho");
    fixture_must(f, &command, KZ_OK);

    revert(f, KZ__KIND__ORG, "joho", 2, KZ_OK);
    Kz__Record *record = fixture_get(f, KZ__KIND__ORG, "joho");
    assert_string_equal(record->org->name, "old");
    assert_string_equal(record->review_due, "2026-04-01");
    assert_int_equal(record->rev, 5);
    assert_int_equal(record->created_at, FIXTURE_START_MS);
    assert_int_equal(record->updated_at, f->time_ms - 1000);
    assert_int_equal(record->verified_at, verified_at);
    kz__record__free_unpacked(record, NULL);
    fixture_scrub(f);
}

static void revert_to_what_it_is_changes_nothing(void **state)
{
    struct fixture *f = *state;
    struct command command;
    fixture_put(f, make_org("joho", "a", NULL), KZ_OK);
    fixture_put(f, make_org("joho", "b", NULL), KZ_OK);
    fixture_put(f, make_org("joho", "a", NULL), KZ_OK);
    command_init(&command, f->request++);
    command_revert(&command, KZ__KIND__ORG, "joho", 1);
    Kz__Outcome *outcome = fixture_run(f, &command);
    assert_int_equal(outcome->code, KZ_OK);
    assert_true(outcome->changed[0]->unchanged);
    assert_int_equal(outcome->rev, 3);
    kz__outcome__free_unpacked(outcome, NULL);
}

static void revert_brings_a_retired_record_back_and_retires_one_that_was_not_there(void **state)
{
    struct fixture *f = *state;
    fixture_put(f, make_org("joho", "a", NULL), KZ_OK);
    fixture_retire(f, KZ__KIND__ORG, "joho", false, KZ_OK);
    fixture_put(f, make_org("soumu", "s", NULL), KZ_OK);
    revert(f, KZ__KIND__ORG, "joho", 1, KZ_OK);
    expect_org(f, "joho", "a");
    revert(f, KZ__KIND__ORG, "soumu", 2, KZ_OK); /* it came with revision 3 */
    expect_org(f, "soumu", NULL);
    revert(f, KZ__KIND__ORG, "joho", 2, KZ_OK); /* it was retired then */
    expect_org(f, "joho", NULL);
    uint64_t rev = rev_now(f);
    revert(f, KZ__KIND__ORG, "joho", 2, KZ_OK); /* and is now */
    assert_int_equal(rev_now(f), rev);
    fixture_scrub(f);
}

static void revert_is_refused_where_a_put_or_retire_would_be(void **state)
{
    struct fixture *f = *state;
    struct command command;
    fixture_put(f, make_org("joho", "a", NULL), KZ_OK);       /* 1 */
    fixture_put(f, make_system("juki", "joho", NULL), KZ_OK); /* 2 */
    fixture_put(f, make_org("soumu", "s", NULL), KZ_OK);      /* 3 */
    fixture_put(f, make_system("juki", "soumu", NULL), KZ_OK);
    fixture_retire(f, KZ__KIND__ORG, "joho", false, KZ_OK);
    command_init(&command, f->request++);
    command_revert(&command, KZ__KIND__SYSTEM, "juki", 2);
    expect_rule(f, &command, KZ_INVALID, "reference.live");
    revert(f, KZ__KIND__ORG, "soumu", 2, KZ_REFERENCED);
    revert(f, KZ__KIND__ORG, "nobody", 2, KZ_NOT_FOUND);
    command_init(&command, f->request++);
    command_revert(&command, KZ__KIND__ORG, "soumu", 99);
    expect_rule(f, &command, KZ_INVALID, "revision.future");
    command_init(&command, f->request++);
    command_revert(&command, KZ__KIND__ORG, "soumu", 3);
    command.mutations[0].has_to_rev = 0;
    expect_rule(f, &command, KZ_INVALID, "undo.revision");
    command_init(&command, f->request++);
    command_revert(&command, KZ__KIND__ENTRY, "main.1", 3);
    expect_rule(f, &command, KZ_INVALID, "event.append_only");
    /* Both together are consistent again. */
    command_init(&command, f->request++);
    command_revert(&command, KZ__KIND__SYSTEM, "juki", 2);
    command_revert(&command, KZ__KIND__ORG, "joho", 2);
    command_revert(&command, KZ__KIND__ORG, "soumu", 2);
    fixture_must(f, &command, KZ_OK);
    expect_org(f, "soumu", NULL);
    fixture_scrub(f);
}

static void revert_compares_before_it_sets(void **state)
{
    struct fixture *f = *state;
    struct command command;
    fixture_put(f, make_org("joho", "a", NULL), KZ_OK);
    fixture_put(f, make_org("joho", "b", NULL), KZ_OK);
    command_init(&command, f->request++);
    command_revert(&command, KZ__KIND__ORG, "joho", 1);
    command_expect(&command, 1);
    fixture_must(f, &command, KZ_CONFLICT);
    expect_org(f, "joho", "b");
    command_init(&command, f->request++);
    command_revert(&command, KZ__KIND__ORG, "joho", 1);
    command_expect(&command, 2);
    fixture_must(f, &command, KZ_OK);
    expect_org(f, "joho", "a");
}

/* ---- everything ---- */

static void retire_orgs(struct fixture *f, unsigned count)
{
    struct command command;
    char id[16];
    for (unsigned from = 0; from < count; from += 40) {
        command_init(&command, f->request++);
        for (unsigned i = from; i < count && i < from + 40; i++) {
            snprintf(id, sizeof(id), "o%03u", i);
            command_retire(&command, KZ__KIND__ORG, id, true);
        }
        fixture_must(f, &command, KZ_OK);
    }
}

static void put_orgs(struct fixture *f, unsigned count)
{
    struct command command;
    char id[16];
    for (unsigned from = 0; from < count; from += 40) {
        command_init(&command, f->request++);
        for (unsigned i = from; i < count && i < from + 40; i++) {
            snprintf(id, sizeof(id), "o%03u", i);
            command_put(&command, make_org(id, id, NULL));
        }
        fixture_must(f, &command, KZ_OK);
    }
}

static void rewind_undoes_a_mass_deletion_with_one_command(void **state)
{
    struct fixture *f = *state;
    struct command command;
    put_orgs(f, 300);
    fixture_put(f, make_system("juki", "o007", NULL), KZ_OK);
    uint64_t before = rev_now(f);
    retire_orgs(f, 300);
    fixture_put(f, make_org("o010", "put again by somebody", NULL), KZ_OK);
    fixture_put(f, make_org("stray", "was not there", NULL), KZ_OK);
    uint64_t after = rev_now(f);

    command_init(&command, f->request++);
    command_rewind(&command, KZ__KIND__ORG, before, after);
    Kz__Outcome *outcome = fixture_run(f, &command);
    assert_int_equal(outcome->code, KZ_OK);
    assert_int_equal(outcome->changed_count, 301);
    assert_int_equal(outcome->retired_count, 1);
    assert_int_equal(outcome->n_changed, 100);
    assert_int_equal(outcome->changed[0]->rev, after + 1);
    assert_int_equal(outcome->rev, after + 301);
    kz__outcome__free_unpacked(outcome, NULL);
    assert_int_equal(rev_now(f), after + 301);
    expect_org(f, "o000", "o000");
    expect_org(f, "o010", "o010");
    expect_org(f, "o299", "o299");
    expect_org(f, "stray", NULL);
    assert_int_equal(fixture_rev(f, KZ__KIND__SYSTEM, "juki"), 301);
    fixture_scrub(f);

    command_init(&command, f->request++); /* there is nothing left to do */
    command_rewind(&command, KZ__KIND__ORG, before, rev_now(f));
    outcome = fixture_run(f, &command);
    assert_int_equal(outcome->code, KZ_OK);
    assert_int_equal(outcome->changed_count, 0);
    kz__outcome__free_unpacked(outcome, NULL);

    command_init(&command, f->request++); /* an undo is undone like anything else */
    command_rewind(&command, KZ__KIND__ORG, after, rev_now(f));
    command_rewind(&command, KZ__KIND__SYSTEM, after, rev_now(f)); /* juki names what is not there again */
    command.message.has_retires = 1;
    command.message.retires = 299;
    fixture_must(f, &command, KZ_OK);
    expect_org(f, "o000", NULL);
    expect_org(f, "o010", "put again by somebody");
    expect_org(f, "stray", "was not there");
    fixture_scrub(f);
}

static void rewind_overwrites_nothing_that_was_not_reviewed(void **state)
{
    struct fixture *f = *state;
    struct command command;
    put_orgs(f, 3);
    retire_orgs(f, 2);
    uint64_t reviewed = rev_now(f);
    fixture_put(f, make_org("o002", "changed meanwhile", NULL), KZ_OK);
    command_init(&command, f->request++);
    command_rewind(&command, KZ__KIND__ORG, 3, reviewed);
    expect_rule(f, &command, KZ_CONFLICT, "rev.current");
    expect_org(f, "o002", "changed meanwhile");
    expect_org(f, "o000", NULL);
    reviewed = rev_now(f);
    fixture_put(f, make_system("juki", "o002", NULL), KZ_OK); /* a kind that is not asked for may go on */
    command_init(&command, f->request++);
    command_rewind(&command, KZ__KIND__ORG, 3, reviewed);
    fixture_must(f, &command, KZ_OK);
    expect_org(f, "o002", "o002");
}

static void rewind_of_some_kinds_heeds_the_others(void **state)
{
    struct fixture *f = *state;
    struct command command;
    fixture_put(f, make_org("old", "a", NULL), KZ_OK);       /* 1 */
    fixture_put(f, make_system("juki", "old", NULL), KZ_OK); /* 2 */
    fixture_put(f, make_org("new", "b", NULL), KZ_OK);       /* 3 */
    fixture_put(f, make_system("juki", "new", NULL), KZ_OK); /* 4 */
    fixture_retire(f, KZ__KIND__ORG, "old", false, KZ_OK);   /* 5 */
    command_init(&command, f->request++);
    command_rewind(&command, KZ__KIND__ORG, 2, 5); /* would retire "new", which juki names */
    Kz__Outcome *outcome = fixture_run(f, &command);
    assert_int_equal(outcome->code, KZ_REFERENCED);
    assert_int_equal(outcome->n_referrers, 1);
    assert_string_equal(outcome->referrers[0], "system/juki");
    assert_int_equal(outcome->n_changed, 0);
    kz__outcome__free_unpacked(outcome, NULL);
    command_init(&command, f->request++);
    command_rewind(&command, KZ__KIND__SYSTEM, 2, 5); /* would name "old", which is retired */
    expect_rule(f, &command, KZ_INVALID, "reference.live");
    command_init(&command, f->request++);
    command_rewind(&command, KZ__KIND__SYSTEM, 2, 5);
    command_rewind(&command, KZ__KIND__ORG, 2, 5);
    fixture_must(f, &command, KZ_OK);
    expect_org(f, "old", "a");
    expect_org(f, "new", NULL);
    fixture_scrub(f);
}

static void rewind_that_makes_no_sense_is_refused(void **state)
{
    struct fixture *f = *state;
    struct command command;
    put_orgs(f, 2);
    command_init(&command, f->request++);
    command_rewind(&command, KZ__KIND__ORG, 3, 3);
    expect_rule(f, &command, KZ_INVALID, "revision.future");
    command_init(&command, f->request++);
    command_rewind(&command, KZ__KIND__ORG, 2, 1);
    expect_rule(f, &command, KZ_INVALID, "revision.future");
    command_init(&command, f->request++);
    command_rewind(&command, KZ__KIND__ORG, 1, 2);
    command_rewind(&command, KZ__KIND__ORG, 1, 2);
    expect_rule(f, &command, KZ_INVALID, "rewind.alone");
    command_init(&command, f->request++);
    command_rewind(&command, KZ__KIND__ORG, 1, 2);
    command_put(&command, make_org("c", "c", NULL));
    expect_rule(f, &command, KZ_INVALID, "rewind.alone");
    command_init(&command, f->request++);
    command_put(&command, make_org("c", "c", NULL));
    command_rewind(&command, KZ__KIND__ORG, 1, 2);
    expect_rule(f, &command, KZ_INVALID, "op.known");
    command_init(&command, f->request++);
    command_rewind(&command, KZ__KIND__ENTRY, 1, 2);
    expect_rule(f, &command, KZ_INVALID, "event.append_only");
    command_init(&command, f->request++);
    command_rewind(&command, KZ__KIND__ORG, 1, 2);
    command.mutations[0].has_expected_rev = 0;
    expect_rule(f, &command, KZ_INVALID, "rewind.reviewed");
}

static void many_are_retired_only_by_their_number(void **state)
{
    struct fixture *f = *state;
    struct command command;
    char id[16];
    put_orgs(f, KZ_RETIRE_UNASKED_MAX + 1);
    for (unsigned asked = 0; asked < 3; asked++) {
        command_init(&command, f->request++);
        for (unsigned i = 0; i <= KZ_RETIRE_UNASKED_MAX; i++) {
            snprintf(id, sizeof(id), "o%03u", i);
            command_retire(&command, KZ__KIND__ORG, id, true);
        }
        command.message.has_retires = asked > 0;
        command.message.retires = asked == 2 ? KZ_RETIRE_UNASKED_MAX + 1 : KZ_RETIRE_UNASKED_MAX;
        if (asked < 2)
            expect_rule(f, &command, KZ_INVALID, "retire.many");
        else
            fixture_must(f, &command, KZ_OK);
    }
    expect_org(f, "o050", NULL);
    /* What a rewind retires counts alike. */
    put_orgs(f, KZ_RETIRE_UNASKED_MAX + 1);
    uint64_t retired_rev = 2 * (KZ_RETIRE_UNASKED_MAX + 1);
    command_init(&command, f->request++);
    command_rewind(&command, KZ__KIND__ORG, retired_rev, rev_now(f));
    expect_rule(f, &command, KZ_INVALID, "retire.many");
}

/* ---- at random: content as it was, and the same on every copy ---- */

static uint64_t random_state;

static unsigned dice(unsigned sides)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(random_state >> 33) % sides;
}

static void add_random(struct command *command, uint64_t rev)
{
    char id[16], other[16], name[16];
    snprintf(id, sizeof(id), "r%u", dice(IDS));
    snprintf(other, sizeof(other), "r%u", dice(IDS));
    snprintf(name, sizeof(name), "n%u", dice(5));
    Kz__Kind kind = dice(3) == 0 ? KZ__KIND__SYSTEM : KZ__KIND__ORG;
    unsigned what = dice(8);
    if (what < 2)
        command_retire(command, kind, id, dice(2) == 0);
    else if (what == 2)
        command_verify(command, kind, id);
    else if (what == 3)
        command_revert(command, kind, id, dice((unsigned)rev + 2));
    else
        command_put(command, kind == KZ__KIND__ORG ? make_org(id, name, NULL) : make_system(id, other, NULL));
}

static void both_run(struct fixture *stores[2], const Kz__Command *message, Kz__Outcome **outcome)
{
    size_t size;
    for (unsigned s = 0; s < 2; s++) {
        uint8_t *batch = batch_pack(stores[s]->time_ms, &message, 1, &size);
        fixture_append(stores[s], KZ_ENTRY_COMMAND, batch, size);
        fixture_apply(stores[s], NULL);
        free(batch);
        stores[s]->time_ms += 1000;
    }
    struct kz_view *view;
    must(kz_view_open(stores[0]->store, &view, &must_err));
    must(kz_view_outcome(view, message->request_id.data, outcome, &must_err));
    kz_view_close(view);
    struct kz_applied a = fixture_applied(stores[0]), b = fixture_applied(stores[1]);
    assert_memory_equal(a.state_hash, b.state_hash, KZ_HASH_BYTES);
}

struct contents {
    Kz__Record *records[2 * IDS];
    size_t count;
};

static bool keep(void *data, const Kz__Record *record)
{
    struct contents *contents = data;
    assert_true(contents->count < 2 * IDS);
    contents->records[contents->count++] = kz_record_dup(record);
    return true;
}

static void read_contents(struct fixture *f, uint64_t rev, struct contents *out)
{
    struct kz_view *view;
    out->count = 0;
    must(kz_view_open(f->store, &view, &must_err));
    for (int kind = 0; kind < 2; kind++) {
        struct kz_as_of as_of = {.rev = rev, .rows_max = SIZE_MAX};
        must(kz_view_list_as_of(view, kind ? KZ__KIND__SYSTEM : KZ__KIND__ORG, &as_of, NULL, false, keep, out,
                                &must_err));
    }
    kz_view_close(view);
}

static void expect_same_contents(struct contents *a, struct contents *b)
{
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        assert_string_equal(a->records[i]->id, b->records[i]->id);
        assert_true(kz_record_same(a->records[i], b->records[i]));
        assert_int_equal(a->records[i]->has_verified_at, b->records[i]->has_verified_at);
        assert_int_equal(a->records[i]->verified_at, b->records[i]->verified_at);
        kz__record__free_unpacked(a->records[i], NULL);
        kz__record__free_unpacked(b->records[i], NULL);
    }
}

static void rewind_to_any_revision_gives_its_contents_on_every_copy(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 12; seed++) {
        struct fixture first, second;
        struct fixture *stores[2] = {&first, &second};
        random_state = seed;
        fixture_init(&first);
        fixture_init(&second);
        for (unsigned i = 0; i < COMMANDS; i++) {
            struct command command;
            struct contents wanted, got;
            Kz__Outcome *outcome;
            uint64_t rev = rev_now(&first), to_rev = dice((unsigned)rev + 1);
            bool rewind = dice(5) == 0;
            command_init(&command, i + 1);
            if (rewind) {
                command_rewind(&command, KZ__KIND__ORG, to_rev, rev);
                command_rewind(&command, KZ__KIND__SYSTEM, to_rev, rev);
                read_contents(&first, to_rev, &wanted);
            }
            for (unsigned m = 0; !rewind && m <= dice(4); m++)
                add_random(&command, rev);
            both_run(stores, &command.message, &outcome);
            if (rewind) {
                assert_int_equal(outcome->code, KZ_OK);
                read_contents(&first, rev_now(&first), &got);
                expect_same_contents(&wanted, &got);
            }
            kz__outcome__free_unpacked(outcome, NULL);
            command_fini(&command);
        }
        fixture_scrub(&first);
        fixture_fini(&first);
        fixture_fini(&second);
    }
}

/* ---- a dry run ---- */

static void trying_a_rewind_says_what_it_would_do_and_does_nothing(void **state)
{
    struct fixture *f = *state;
    struct command command;
    struct kz_view *view;
    Kz__Outcome *outcome;
    put_orgs(f, 5);
    retire_orgs(f, 5);
    command_init(&command, f->request++);
    command_rewind(&command, KZ__KIND__ORG, 5, 10);
    must(kz_view_open(f->store, &view, &must_err));
    must(kz_view_try(view, &command.message, f->time_ms, &outcome, &must_err));
    kz_view_close(view);
    assert_int_equal(outcome->code, KZ_OK);
    assert_int_equal(outcome->changed_count, 5);
    kz__outcome__free_unpacked(outcome, NULL);
    command_fini(&command);
    assert_int_equal(rev_now(f), 10);
    expect_org(f, "o000", NULL);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(revert_puts_back_what_people_set_and_the_verification_of_it),
        T(revert_to_what_it_is_changes_nothing),
        T(revert_brings_a_retired_record_back_and_retires_one_that_was_not_there),
        T(revert_is_refused_where_a_put_or_retire_would_be),
        T(revert_compares_before_it_sets),
        T(rewind_undoes_a_mass_deletion_with_one_command),
        T(rewind_overwrites_nothing_that_was_not_reviewed),
        T(rewind_of_some_kinds_heeds_the_others),
        T(rewind_that_makes_no_sense_is_refused),
        T(many_are_retired_only_by_their_number),
        cmocka_unit_test(rewind_to_any_revision_gives_its_contents_on_every_copy),
        T(trying_a_rewind_says_what_it_would_do_and_does_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
