/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of one command, through the log. */
#include "tests/unit/store/fixture.h"

#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"

static void put_creates_a_record_with_its_envelope_from_the_batch(void **state)
{
    struct fixture *f = *state;
    struct command command;
    int64_t time_ms = f->time_ms;
    command_init(&command, f->request++);
    command_put(&command, make_org("joho", "情報システム課", NULL));
    Kz__Outcome *outcome = fixture_run(f, &command);
    assert_int_equal(outcome->code, KZ_OK);
    assert_int_equal(outcome->rev, 1);
    assert_int_equal(outcome->index, f->index);
    assert_int_equal(outcome->n_changed, 1);
    assert_int_equal(outcome->changed[0]->rev, 1);
    assert_string_equal(outcome->changed[0]->id, "joho");
    kz__outcome__free_unpacked(outcome, NULL);

    Kz__Record *record = fixture_get(f, KZ__KIND__ORG, "joho");
    assert_non_null(record);
    assert_int_equal(record->rev, 1);
    assert_int_equal(record->created_at, time_ms);
    assert_string_equal(record->created_by, "sato");
    assert_int_equal(record->updated_at, time_ms);
    assert_string_equal(record->reason, "定期見直し");
    assert_false(record->has_verified_at);
    assert_false(record->has_retired_at);
    assert_string_equal(record->org->name, "情報システム課");
    kz__record__free_unpacked(record, NULL);
}

static void put_ignores_envelope_fields_people_may_not_set(void **state)
{
    struct fixture *f = *state;
    Kz__Record *record = make_org("joho", "a", NULL);
    record->has_rev = 1;
    record->rev = 999;
    record->has_verified_at = 1;
    record->verified_at = 5;
    record->verified_by = kz_must_strdup("nobody");
    record->has_retired_at = 1;
    record->retired_at = 5;
    record->has_created_at = 1;
    record->created_at = 5;
    fixture_put(f, record, KZ_OK);
    record = fixture_get(f, KZ__KIND__ORG, "joho");
    assert_int_equal(record->rev, 1);
    assert_false(record->has_verified_at);
    assert_null(record->verified_by);
    assert_false(record->has_retired_at);
    assert_int_equal(record->created_at, FIXTURE_START_MS);
    kz__record__free_unpacked(record, NULL);
}

static void put_over_a_record_keeps_who_created_it_and_when(void **state)
{
    struct fixture *f = *state;
    fixture_put(f, make_org("joho", "a", NULL), KZ_OK);
    struct command command;
    command_init(&command, f->request++);
    command.message.actor = (char *)(uintptr_t) "tanaka";
    command_put(&command, make_org("joho", "b", NULL));
    fixture_must(f, &command, KZ_OK);
    Kz__Record *record = fixture_get(f, KZ__KIND__ORG, "joho");
    assert_int_equal(record->rev, 2);
    assert_string_equal(record->created_by, "sato");
    assert_int_equal(record->created_at, FIXTURE_START_MS);
    assert_string_equal(record->updated_by, "tanaka");
    assert_int_equal(record->updated_at, FIXTURE_START_MS + 1000);
    kz__record__free_unpacked(record, NULL);
}

static void apply_derives_the_priority_from_the_rto(void **state)
{
    struct fixture *f = *state;
    fixture_put(f, make_org("joho", "a", NULL), KZ_OK);
    fixture_put(f, make_system("juki", "joho", NULL), KZ_OK);
    Kz__Record *record = fixture_get(f, KZ__KIND__SYSTEM, "juki");
    assert_true(record->system->has_priority);
    assert_int_equal(record->system->priority, KZ__SYSTEM__PRIORITY__S);
    kz__record__free_unpacked(record, NULL);
}

static void apply_conflict_keeps_old_version_and_shows_it(void **state)
{
    struct fixture *f = *state;
    struct command command;
    fixture_put(f, make_org("joho", "first", NULL), KZ_OK);
    fixture_put(f, make_org("joho", "second", NULL), KZ_OK);
    command_init(&command, f->request++);
    command_put(&command, make_org("joho", "third", NULL));
    command_expect(&command, 1);
    Kz__Outcome *outcome = fixture_run(f, &command);
    assert_int_equal(outcome->code, KZ_CONFLICT);
    assert_int_equal(outcome->rev, 2);
    assert_non_null(outcome->current);
    assert_int_equal(outcome->current->rev, 2);
    assert_string_equal(outcome->current->org->name, "second");
    kz__outcome__free_unpacked(outcome, NULL);
    assert_int_equal(fixture_rev(f, KZ__KIND__ORG, "joho"), 2);
    assert_int_equal(fixture_applied(f).rev, 2);
}

static void expected_rev_zero_means_there_must_be_none(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 2; i++) {
        struct command command;
        command_init(&command, f->request++);
        command_put(&command, make_org("joho", i == 0 ? "a" : "b", NULL));
        command_expect(&command, 0);
        fixture_must(f, &command, i == 0 ? KZ_OK : KZ_CONFLICT);
    }
}

static void expected_rev_of_a_record_that_is_not_there_is_a_conflict(void **state)
{
    struct fixture *f = *state;
    struct command command;
    command_init(&command, f->request++);
    command_put(&command, make_org("joho", "a", NULL));
    command_expect(&command, 7);
    Kz__Outcome *outcome = fixture_run(f, &command);
    assert_int_equal(outcome->code, KZ_CONFLICT);
    assert_null(outcome->current);
    kz__outcome__free_unpacked(outcome, NULL);
    assert_null(fixture_get(f, KZ__KIND__ORG, "joho"));
}

static void unchanged_put_takes_no_revision(void **state)
{
    struct fixture *f = *state;
    struct command command;
    fixture_put(f, make_org("joho", "a", NULL), KZ_OK);
    command_init(&command, f->request++);
    command_put(&command, make_org("joho", "a", NULL));
    Kz__Outcome *outcome = fixture_run(f, &command);
    assert_int_equal(outcome->code, KZ_OK);
    assert_int_equal(outcome->rev, 1);
    assert_true(outcome->changed[0]->unchanged);
    assert_int_equal(outcome->changed[0]->rev, 1);
    kz__outcome__free_unpacked(outcome, NULL);
    assert_int_equal(fixture_applied(f).rev, 1);
}

static void verify_and_retire_of_missing_or_retired_records_are_not_found(void **state)
{
    struct fixture *f = *state;
    struct command command;
    fixture_retire(f, KZ__KIND__ORG, "nobody", true, KZ_NOT_FOUND);
    command_init(&command, f->request++);
    command_verify(&command, KZ__KIND__ORG, "nobody");
    fixture_must(f, &command, KZ_NOT_FOUND);
    fixture_put(f, make_org("joho", "a", NULL), KZ_OK);
    fixture_retire(f, KZ__KIND__ORG, "joho", false, KZ_OK);
    fixture_retire(f, KZ__KIND__ORG, "joho", false, KZ_NOT_FOUND);
    command_init(&command, f->request++);
    command_verify(&command, KZ__KIND__ORG, "joho");
    fixture_must(f, &command, KZ_NOT_FOUND);
}

static void verify_marks_who_and_when_without_counting_as_an_edit(void **state)
{
    struct fixture *f = *state;
    struct command command;
    fixture_put(f, make_org("joho", "a", NULL), KZ_OK);
    command_init(&command, f->request++);
    command.message.actor = (char *)(uintptr_t) "suzuki";
    command_verify(&command, KZ__KIND__ORG, "joho");
    fixture_must(f, &command, KZ_OK);
    Kz__Record *record = fixture_get(f, KZ__KIND__ORG, "joho");
    assert_int_equal(record->rev, 2);
    assert_string_equal(record->verified_by, "suzuki");
    assert_int_equal(record->verified_at, FIXTURE_START_MS + 1000);
    assert_string_equal(record->updated_by, "sato");
    assert_int_equal(record->updated_at, FIXTURE_START_MS);
    kz__record__free_unpacked(record, NULL);
    fixture_put(f, make_org("joho", "b", NULL), KZ_OK);
    record = fixture_get(f, KZ__KIND__ORG, "joho");
    assert_string_equal(record->verified_by, "suzuki"); /* an edit does not take it back */
    kz__record__free_unpacked(record, NULL);
}

static void put_revives_a_retired_record(void **state)
{
    struct fixture *f = *state;
    struct command command;
    fixture_put(f, make_org("joho", "a", NULL), KZ_OK);
    for (int i = 0; i < 3; i++) { /* any, none expected, its own revision */
        fixture_retire(f, KZ__KIND__ORG, "joho", false, KZ_OK);
        uint64_t rev = fixture_rev(f, KZ__KIND__ORG, "joho");
        command_init(&command, f->request++);
        command_put(&command, make_org("joho", "a", NULL)); /* the same contents, but not unchanged */
        if (i > 0) command_expect(&command, i == 1 ? 0 : rev);
        fixture_must(f, &command, KZ_OK);
        Kz__Record *record = fixture_get(f, KZ__KIND__ORG, "joho");
        assert_false(record->has_retired_at);
        assert_int_equal(record->rev, rev + 1);
        assert_int_equal(record->created_at, FIXTURE_START_MS);
        kz__record__free_unpacked(record, NULL);
    }
}

static void invalid_names_all_violations_of_all_mutations(void **state)
{
    struct fixture *f = *state;
    struct command command;
    command_init(&command, f->request++);
    command_put(&command, make_org("joho", "", NULL));
    command_put(&command, make_system("juki", "nobody", "nothing"));
    Kz__Outcome *outcome = fixture_run(f, &command);
    assert_int_equal(outcome->code, KZ_INVALID);
    bool org = false, owner = false, depends = false;
    for (size_t i = 0; i < outcome->n_violations; i++) {
        const char *path = outcome->violations[i]->path;
        org = org || strstr(path, "name") != NULL;
        owner = owner || strstr(path, "owner") != NULL;
        depends = depends || strstr(path, "depends_on") != NULL;
    }
    assert_true(org && owner && depends);
    kz__outcome__free_unpacked(outcome, NULL);
    assert_int_equal(fixture_applied(f).rev, 0);
    assert_null(fixture_get(f, KZ__KIND__ORG, "joho"));
}

static void one_bad_mutation_leaves_the_good_ones_undone(void **state)
{
    struct fixture *f = *state;
    struct command command;
    command_init(&command, f->request++);
    command_put(&command, make_org("joho", "good", NULL));
    command_put(&command, make_org("b", "bad", "nobody"));
    fixture_must(f, &command, KZ_INVALID);
    assert_null(fixture_get(f, KZ__KIND__ORG, "joho"));
    fixture_scrub(f);
}

static void records_that_refer_to_each_other_are_created_together(void **state)
{
    struct fixture *f = *state;
    struct command command;
    command_init(&command, f->request++);
    command_put(&command, make_system("juki", "koseki", NULL)); /* refers to what comes after it */
    command_put(&command, make_org("koseki", "a", "joho"));
    command_put(&command, make_org("joho", "b", NULL));
    fixture_must(f, &command, KZ_OK);
    assert_int_equal(fixture_rev(f, KZ__KIND__SYSTEM, "juki"), 1);
    assert_int_equal(fixture_rev(f, KZ__KIND__ORG, "joho"), 3);
    fixture_scrub(f);
}

static void a_reference_to_a_record_retired_by_the_same_command_is_refused(void **state)
{
    struct fixture *f = *state;
    struct command command;
    fixture_put(f, make_org("joho", "a", NULL), KZ_OK);
    command_init(&command, f->request++);
    command_retire(&command, KZ__KIND__ORG, "joho", false);
    command_put(&command, make_org("koseki", "b", "joho"));
    fixture_must(f, &command, KZ_INVALID);
}

static void retire_of_a_referenced_record_names_the_referrers(void **state)
{
    struct fixture *f = *state;
    struct command command;
    fixture_put(f, make_org("joho", "a", NULL), KZ_OK);
    fixture_put(f, make_org("koseki", "b", "joho"), KZ_OK);
    fixture_put(f, make_system("juki", "joho", NULL), KZ_OK);
    command_init(&command, f->request++);
    command_retire(&command, KZ__KIND__ORG, "joho", false);
    Kz__Outcome *outcome = fixture_run(f, &command);
    assert_int_equal(outcome->code, KZ_REFERENCED);
    assert_int_equal(outcome->n_referrers, 2);
    assert_string_equal(outcome->referrers[0], "org/koseki");
    assert_string_equal(outcome->referrers[1], "system/juki");
    kz__outcome__free_unpacked(outcome, NULL);
    fixture_retire(f, KZ__KIND__ORG, "joho", true, KZ_OK);
    fixture_scrub(f);
}

static void referrers_retired_or_changed_by_the_same_command_do_not_count(void **state)
{
    struct fixture *f = *state;
    struct command command;
    fixture_put(f, make_org("joho", "a", NULL), KZ_OK);
    fixture_put(f, make_org("koseki", "b", "joho"), KZ_OK);
    fixture_put(f, make_org("zeimu", "c", "joho"), KZ_OK);
    command_init(&command, f->request++);
    command_retire(&command, KZ__KIND__ORG, "joho", false);
    command_retire(&command, KZ__KIND__ORG, "koseki", false);
    command_put(&command, make_org("zeimu", "c", NULL));
    fixture_must(f, &command, KZ_OK);
    fixture_scrub(f);
}

static void references_follow_every_change(void **state)
{
    struct fixture *f = *state;
    fixture_put(f, make_org("a", "a", NULL), KZ_OK);
    fixture_put(f, make_org("b", "b", NULL), KZ_OK);
    fixture_put(f, make_org("c", "c", "a"), KZ_OK);
    fixture_put(f, make_org("c", "c", "b"), KZ_OK);
    fixture_retire(f, KZ__KIND__ORG, "a", false, KZ_OK);
    fixture_retire(f, KZ__KIND__ORG, "b", false, KZ_REFERENCED);
    fixture_retire(f, KZ__KIND__ORG, "c", false, KZ_OK);
    fixture_retire(f, KZ__KIND__ORG, "b", false, KZ_OK); /* a retired referrer does not hold it */
    fixture_put(f, make_org("c", "c", "b"), KZ_INVALID); /* and may not come back to it */
    fixture_put(f, make_org("b", "b", NULL), KZ_OK);
    fixture_put(f, make_org("c", "c", "b"), KZ_OK);
    fixture_retire(f, KZ__KIND__ORG, "b", false, KZ_REFERENCED);
    fixture_scrub(f);
}

static void a_record_changed_twice_by_one_command_has_two_revisions(void **state)
{
    struct fixture *f = *state;
    struct command command;
    command_init(&command, f->request++);
    command_put(&command, make_org("joho", "first", NULL));
    command_put(&command, make_org("joho", "second", NULL));
    command_expect(&command, 1);
    command_verify(&command, KZ__KIND__ORG, "joho");
    command_put(&command, make_org("joho", "second", NULL)); /* unchanged against the one before */
    Kz__Outcome *outcome = fixture_run(f, &command);
    assert_int_equal(outcome->code, KZ_OK);
    assert_int_equal(outcome->rev, 3);
    assert_true(outcome->changed[3]->unchanged);
    assert_int_equal(outcome->changed[3]->rev, 3);
    kz__outcome__free_unpacked(outcome, NULL);
    fixture_scrub(f);
}

static void commands_that_are_no_commands_are_refused_not_fatal(void **state)
{
    struct fixture *f = *state;
    struct command command;
    command_init(&command, f->request++); /* empty */
    fixture_must(f, &command, KZ_INVALID);

    command_init(&command, f->request++); /* a put without a record */
    command_put(&command, make_org("a", "a", NULL));
    kz__record__free_unpacked(command.mutations[0].record, NULL);
    command.mutations[0].record = NULL;
    fixture_must(f, &command, KZ_INVALID);

    command_init(&command, f->request++); /* an id that is none */
    command_put(&command, make_org("Not An Id", "a", NULL));
    fixture_must(f, &command, KZ_INVALID);

    command_init(&command, f->request++); /* another record than the mutation names */
    command_put(&command, make_org("a", "a", NULL));
    free(command.mutations[0].id);
    command.mutations[0].id = kz_must_strdup("b");
    fixture_must(f, &command, KZ_INVALID);

    command_init(&command, f->request++); /* a kind nobody knows */
    command_retire(&command, (Kz__Kind)31, "a", false);
    fixture_must(f, &command, KZ_INVALID);

    command_init(&command, f->request++); /* a record without a body */
    Kz__Record *record = make_org("a", "a", NULL);
    kz__org__free_unpacked(record->org, NULL);
    record->org = NULL;
    command_put(&command, record);
    fixture_must(f, &command, KZ_INVALID);
    assert_int_equal(fixture_applied(f).rev, 0);
}

static void an_undecodable_batch_is_skipped_alike_everywhere(void **state)
{
    struct fixture *f = *state;
    fixture_append(f, KZ_ENTRY_COMMAND, "\xff\xff\xff", 3);
    fixture_apply(f, NULL);
    struct kz_applied applied = fixture_applied(f);
    assert_int_equal(applied.index, 1);
    assert_int_equal(applied.rev, 0);
    fixture_put(f, make_org("joho", "a", NULL), KZ_OK);
}

static void data_time_never_goes_back(void **state)
{
    struct fixture *f = *state;
    size_t size;
    uint8_t *beacon = batch_pack(5000, NULL, 0, &size);
    fixture_append(f, KZ_ENTRY_COMMAND, beacon, size);
    free(beacon);
    fixture_apply(f, NULL);
    assert_int_equal(fixture_applied(f).data_time_ms, 5000);
    beacon = batch_pack(4000, NULL, 0, &size);
    fixture_append(f, KZ_ENTRY_COMMAND, beacon, size);
    free(beacon);
    fixture_apply(f, NULL);
    assert_int_equal(fixture_applied(f).data_time_ms, 5000);
    assert_int_equal(fixture_applied(f).index, 2);
}

struct seen {
    size_t outcomes, changes, configurations;
    uint64_t revs[8];
    uint64_t configuration_index;
    bool had_before;
};

static void see_outcome(void *data, uint64_t index, const Kz__Command *command, const Kz__Outcome *outcome)
{
    struct seen *seen = data;
    assert_true(index > 0);
    assert_string_equal(command->actor, "sato");
    assert_int_equal(outcome->code, KZ_OK);
    seen->outcomes++;
}

static void see_change(void *data, const Kz__Change *change)
{
    struct seen *seen = data;
    assert_true(seen->changes < 8);
    seen->revs[seen->changes++] = change->rev;
    seen->had_before = change->before != NULL;
    assert_non_null(change->after);
}

static void see_configuration(void *data, uint64_t index, const uint8_t *encoded, size_t size_bytes)
{
    struct seen *seen = data;
    seen->configurations++;
    seen->configuration_index = index;
    assert_int_equal(size_bytes, 4);
    assert_memory_equal(encoded, "conf", 4);
}

static void sink_sees_outcomes_changes_and_configurations(void **state)
{
    struct fixture *f = *state;
    struct seen seen = {0};
    const struct kz_apply_sink sink = {
        .data = &seen, .outcome = see_outcome, .change = see_change, .configuration = see_configuration};
    struct command one, two;
    size_t size;
    command_init(&one, 1);
    command_put(&one, make_org("a", "a", NULL));
    command_put(&one, make_org("b", "b", NULL));
    command_init(&two, 2);
    command_put(&two, make_org("a", "aa", NULL));
    const Kz__Command *commands[] = {&one.message, &two.message};
    uint8_t *batch = batch_pack(f->time_ms, commands, 2, &size);
    fixture_append(f, KZ_ENTRY_CHANGE, "conf", 4);
    fixture_append(f, KZ_ENTRY_COMMAND, batch, size);
    fixture_apply(f, &sink);
    free(batch);
    command_fini(&one);
    command_fini(&two);
    assert_int_equal(seen.outcomes, 2);
    assert_int_equal(seen.changes, 3);
    assert_int_equal(seen.revs[2], 3);
    assert_true(seen.had_before);
    assert_int_equal(seen.configurations, 1);
    assert_int_equal(seen.configuration_index, 1);
    struct kz_applied applied = fixture_applied(f);
    assert_int_equal(applied.configuration_index, 1);
    assert_int_equal(applied.configuration_bytes, 4);
}

static void apply_some_stops_at_its_bound_and_goes_on_where_it_stopped(void **state)
{
    struct fixture *f = *state;
    struct kz_store_txn *txn;
    struct kz_applied applied = {0};
    for (int i = 0; i < 10; i++)
        fixture_append(f, KZ_ENTRY_BARRIER, NULL, 0);
    must(kz_store_begin(f->store, &txn, &must_err));
    must(kz_txn_apply_some(txn, 10, 4, SIZE_MAX, NULL, &must_err));
    must(kz_txn_applied(txn, &applied, &must_err));
    assert_int_equal(applied.index, 4);
    must(kz_txn_apply_some(txn, 10, 100, SIZE_MAX, NULL, &must_err));
    must(kz_txn_applied(txn, &applied, &must_err));
    assert_int_equal(applied.index, 10);
    must(kz_store_commit(txn, &must_err));
    assert_int_equal(fixture_applied(f).index, 10);
}

static void an_aborted_transaction_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    struct kz_store_txn *txn;
    fixture_put(f, make_org("joho", "a", NULL), KZ_OK);
    struct kz_applied before = fixture_applied(f);
    fixture_append(f, KZ_ENTRY_BARRIER, NULL, 0);
    must(kz_store_begin(f->store, &txn, &must_err));
    must(kz_txn_apply(txn, f->index, NULL, &must_err));
    kz_store_abort(txn);
    struct kz_applied after = fixture_applied(f);
    assert_int_equal(after.index, before.index);
    assert_memory_equal(after.state_hash, before.state_hash, KZ_HASH_BYTES);
}

static void audit_heads_differ_from_entry_to_entry_and_the_last_is_the_state_s(void **state)
{
    struct fixture *f = *state;
    struct kz_view *view;
    uint8_t heads[3][KZ_HASH_BYTES];
    fixture_put(f, make_org("a", "a", NULL), KZ_OK);
    fixture_append(f, KZ_ENTRY_BARRIER, NULL, 0);
    fixture_put(f, make_org("b", "b", NULL), KZ_OK);
    must(kz_view_open(f->store, &view, &must_err));
    for (uint64_t i = 0; i < 3; i++)
        must(kz_view_audit(view, i + 1, heads[i], &must_err));
    struct kz_err err;
    assert_int_equal(kz_view_audit(view, 4, heads[0], &err), KZ_NOT_FOUND);
    kz_view_close(view);
    assert_memory_not_equal(heads[0], heads[1], KZ_HASH_BYTES);
    assert_memory_not_equal(heads[1], heads[2], KZ_HASH_BYTES);
    struct kz_applied applied = fixture_applied(f);
    assert_memory_equal(applied.audit_head, heads[2], KZ_HASH_BYTES);
}

static void audit_rows_of_idle_times_are_dropped_and_those_of_commands_kept(void **state)
{
    struct fixture *f = *state;
    struct kz_view *view;
    struct kz_store_txn *txn;
    struct kz_err err;
    uint8_t head[KZ_HASH_BYTES];
    fixture_append(f, KZ_ENTRY_BARRIER, NULL, 0);
    fixture_put(f, make_org("a", "a", NULL), KZ_OK);
    must(kz_store_begin(f->store, &txn, &must_err));
    for (unsigned i = 0; i < KZ_AUDIT_WINDOW; i++) {
        struct kz_entry entry = {1, KZ_ENTRY_BARRIER, NULL, 0};
        must(kz_txn_append(txn, ++f->index, &entry, 1, &must_err));
    }
    must(kz_txn_apply(txn, f->index, NULL, &must_err));
    must(kz_store_commit(txn, &must_err));
    must(kz_view_open(f->store, &view, &must_err));
    assert_int_equal(kz_view_audit(view, 1, head, &err), KZ_NOT_FOUND);
    must(kz_view_audit(view, 2, head, &must_err));
    must(kz_view_audit(view, 3, head, &must_err)); /* within the window */
    kz_view_close(view);
    fixture_scrub(f);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(put_creates_a_record_with_its_envelope_from_the_batch),
        T(put_ignores_envelope_fields_people_may_not_set),
        T(put_over_a_record_keeps_who_created_it_and_when),
        T(apply_derives_the_priority_from_the_rto),
        T(apply_conflict_keeps_old_version_and_shows_it),
        T(expected_rev_zero_means_there_must_be_none),
        T(expected_rev_of_a_record_that_is_not_there_is_a_conflict),
        T(unchanged_put_takes_no_revision),
        T(verify_and_retire_of_missing_or_retired_records_are_not_found),
        T(verify_marks_who_and_when_without_counting_as_an_edit),
        T(put_revives_a_retired_record),
        T(invalid_names_all_violations_of_all_mutations),
        T(one_bad_mutation_leaves_the_good_ones_undone),
        T(records_that_refer_to_each_other_are_created_together),
        T(a_reference_to_a_record_retired_by_the_same_command_is_refused),
        T(retire_of_a_referenced_record_names_the_referrers),
        T(referrers_retired_or_changed_by_the_same_command_do_not_count),
        T(references_follow_every_change),
        T(a_record_changed_twice_by_one_command_has_two_revisions),
        T(commands_that_are_no_commands_are_refused_not_fatal),
        T(an_undecodable_batch_is_skipped_alike_everywhere),
        T(data_time_never_goes_back),
        T(sink_sees_outcomes_changes_and_configurations),
        T(apply_some_stops_at_its_bound_and_goes_on_where_it_stopped),
        T(an_aborted_transaction_leaves_nothing),
        T(audit_rows_of_idle_times_are_dropped_and_those_of_commands_kept),
        T(audit_heads_differ_from_entry_to_entry_and_the_last_is_the_state_s),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
