/* SPDX-License-Identifier: Apache-2.0 */
/* Events through the log: added once, never changed, never lost. */
#include "tests/unit/store/fixture.h"

#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/registry/event.h"

#define NOTED_MS (FIXTURE_START_MS - 3600000) /* an hour before it reaches the log */

/* A status report as the node `origin` took it, on a system that nobody registered. */
static Kz__Record *make_report(const char *origin, uint64_t seq, const char *situation)
{
    char id[KZ_ID_MAX_BYTES + 1];
    assert_true(kz_event_id(origin, seq, id));
    Kz__Record *record = kz_record_new(KZ__KIND__STATUS, id);
    record->origin = kz_must_strdup(origin);
    record->has_origin_seq = record->has_noted_at = record->has_origin_hash = 1;
    record->origin_seq = seq;
    record->noted_at = NOTED_MS;
    record->noted_by = kz_must_strdup("yamada");
    record->origin_hash.len = KZ_EVENT_HASH_BYTES;
    record->origin_hash.data = kz_must_alloc(1, KZ_EVENT_HASH_BYTES);
    memset(record->origin_hash.data, (int)seq, KZ_EVENT_HASH_BYTES);
    record->status->system = kz_must_strdup("juki");
    record->status->incident = kz_must_strdup("desk-0001.1");
    record->status->has_state = 1;
    record->status->state = KZ__STATUS_REPORT__STATE__STOPPED;
    record->status->situation = kz_must_strdup(situation);
    return record;
}

static void command_append(struct command *command, Kz__Record *record)
{
    command_put(command, record);
    command->mutations[command->message.n_mutations - 1].op = KZ__MUTATION__OP__APPEND;
}

static Kz__Outcome *run_append(struct fixture *f, Kz__Record *record)
{
    struct command command;
    command_init(&command, f->request++);
    command_append(&command, record);
    return fixture_run(f, &command);
}

static void must_append(struct fixture *f, Kz__Record *record, enum kz_code code)
{
    Kz__Outcome *outcome = run_append(f, record);
    if (outcome->code != (uint32_t)code && outcome->n_violations > 0)
        print_message("%s: %s\n", outcome->violations[0]->path, outcome->violations[0]->en);
    assert_int_equal(outcome->code, code);
    kz__outcome__free_unpacked(outcome, NULL);
}

static void append_keeps_where_the_event_came_from_and_what_it_names_need_not_exist(void **state)
{
    struct fixture *f = *state;
    int64_t time_ms = f->time_ms;
    Kz__Record *given = make_report("remote-3fa2", 17, "停止を確認");
    given->has_provisional = given->provisional = 1;
    given->has_rev = given->has_verified_at = given->has_retired_at = given->has_updated_at = 1;
    given->rev = 999;
    given->verified_at = given->retired_at = given->updated_at = 5;
    given->verified_by = kz_must_strdup("nobody");
    given->updated_by = kz_must_strdup("nobody");
    must_append(f, given, KZ_OK);

    Kz__Record *record = fixture_get(f, KZ__KIND__STATUS, "remote-3fa2.17");
    assert_non_null(record);
    assert_string_equal(record->origin, "remote-3fa2");
    assert_int_equal(record->origin_seq, 17);
    assert_int_equal(record->origin_hash.len, KZ_EVENT_HASH_BYTES);
    assert_int_equal(record->origin_hash.data[31], 17);
    assert_int_equal(record->noted_at, NOTED_MS);
    assert_string_equal(record->noted_by, "yamada");
    assert_int_equal(record->rev, 1);
    assert_int_equal(record->created_at, time_ms);
    assert_string_equal(record->created_by, "sato");
    assert_string_equal(record->reason, "定期見直し"); /* the command's, when the event brings none */
    assert_false(record->has_provisional || record->has_verified_at || record->has_retired_at);
    assert_false(record->has_updated_at);
    assert_null(record->verified_by);
    assert_null(record->updated_by);
    kz__record__free_unpacked(record, NULL);
    fixture_scrub(f);
}

static void the_reason_of_the_event_goes_before_that_of_the_command(void **state)
{
    struct fixture *f = *state;
    Kz__Record *given = make_report("remote-3fa2", 1, "a");
    given->reason = kz_must_strdup("当直の報告");
    must_append(f, given, KZ_OK);
    Kz__Record *record = fixture_get(f, KZ__KIND__STATUS, "remote-3fa2.1");
    assert_string_equal(record->reason, "当直の報告");
    kz__record__free_unpacked(record, NULL);
}

/* By gossip, by the node itself when a quorum is back, by a client that asks again: it is one event. */
static void the_same_event_again_is_unchanged_whoever_brings_it(void **state)
{
    struct fixture *f = *state;
    must_append(f, make_report("remote-3fa2", 17, "停止を確認"), KZ_OK);
    Kz__Record *again = make_report("remote-3fa2", 17, "停止を確認");
    again->reason = kz_must_strdup("別の経路");
    again->has_provisional = again->provisional = 1;
    Kz__Outcome *outcome = run_append(f, again);
    assert_int_equal(outcome->code, KZ_OK);
    assert_int_equal(outcome->rev, 1);
    assert_true(outcome->changed[0]->unchanged);
    assert_int_equal(outcome->changed[0]->rev, 1);
    kz__outcome__free_unpacked(outcome, NULL);
    Kz__Record *record = fixture_get(f, KZ__KIND__STATUS, "remote-3fa2.17");
    assert_string_equal(record->reason, "定期見直し");
    kz__record__free_unpacked(record, NULL);
    fixture_scrub(f);
}

/* An answer that was lost: compare-and-set "must not exist" does not turn the retry into a conflict. */
static void append_has_no_compare_and_set(void **state)
{
    struct fixture *f = *state;
    struct command command;
    must_append(f, make_report("remote-3fa2", 17, "a"), KZ_OK);
    command_init(&command, f->request++);
    command_append(&command, make_report("remote-3fa2", 17, "a"));
    command_expect(&command, 0);
    fixture_must(f, &command, KZ_OK);
}

static void another_event_under_the_same_id_is_a_conflict_and_shows_the_first(void **state)
{
    struct fixture *f = *state;
    must_append(f, make_report("remote-3fa2", 17, "停止を確認"), KZ_OK);
    Kz__Outcome *outcome = run_append(f, make_report("remote-3fa2", 17, "縮退"));
    assert_int_equal(outcome->code, KZ_CONFLICT);
    assert_string_equal(outcome->current->status->situation, "停止を確認");
    assert_int_equal(outcome->n_violations, 1);
    assert_string_equal(outcome->violations[0]->rule, "event.conflict");
    kz__outcome__free_unpacked(outcome, NULL);
    Kz__Record *record = fixture_get(f, KZ__KIND__STATUS, "remote-3fa2.17");
    assert_string_equal(record->status->situation, "停止を確認");
    kz__record__free_unpacked(record, NULL);
    fixture_scrub(f);
}

static void one_event_twice_in_one_command_is_one_event(void **state)
{
    struct fixture *f = *state;
    struct command command;
    command_init(&command, f->request++);
    command_append(&command, make_report("remote-3fa2", 17, "a"));
    command_append(&command, make_report("remote-3fa2", 18, "b"));
    command_append(&command, make_report("remote-3fa2", 17, "a"));
    Kz__Outcome *outcome = fixture_run(f, &command);
    assert_int_equal(outcome->code, KZ_OK);
    assert_int_equal(outcome->rev, 2);
    assert_false(outcome->changed[1]->unchanged);
    assert_true(outcome->changed[2]->unchanged);
    assert_int_equal(outcome->changed[2]->rev, 1);
    kz__outcome__free_unpacked(outcome, NULL);
    fixture_scrub(f);
}

static void an_event_is_never_put_retired_or_verified(void **state)
{
    struct fixture *f = *state;
    struct command command;
    must_append(f, make_report("remote-3fa2", 17, "a"), KZ_OK);
    fixture_put(f, make_report("remote-3fa2", 17, "b"), KZ_INVALID);
    fixture_put(f, make_report("remote-3fa2", 18, "b"), KZ_INVALID); /* nor first put */
    fixture_retire(f, KZ__KIND__STATUS, "remote-3fa2.17", true, KZ_INVALID);
    command_init(&command, f->request++);
    command_verify(&command, KZ__KIND__STATUS, "remote-3fa2.17");
    Kz__Outcome *outcome = fixture_run(f, &command);
    assert_int_equal(outcome->code, KZ_INVALID);
    assert_string_equal(outcome->violations[0]->rule, "event.append_only");
    kz__outcome__free_unpacked(outcome, NULL);
    assert_int_equal(fixture_rev(f, KZ__KIND__STATUS, "remote-3fa2.17"), 1);
    assert_null(fixture_get(f, KZ__KIND__STATUS, "remote-3fa2.18"));
    fixture_scrub(f);
}

static void other_kinds_are_never_appended(void **state)
{
    struct fixture *f = *state;
    Kz__Outcome *outcome = run_append(f, make_org("joho", "a", NULL));
    assert_int_equal(outcome->code, KZ_INVALID);
    assert_string_equal(outcome->violations[0]->rule, "event.only");
    kz__outcome__free_unpacked(outcome, NULL);
    assert_null(fixture_get(f, KZ__KIND__ORG, "joho"));
}

static void an_event_that_breaks_a_rule_is_refused_whole(void **state)
{
    struct fixture *f = *state;
    Kz__Record *report = make_report("remote-3fa2", 17, "a");
    report->status->has_state = 0;
    must_append(f, report, KZ_INVALID);
    report = make_report("remote-3fa2", 17, "a");
    report->origin_seq = 18;
    must_append(f, report, KZ_INVALID);
    struct command command;
    command_init(&command, f->request++);
    command_append(&command, make_report("remote-3fa2", 17, "a"));
    command.mutations[0].record->kind = KZ__KIND__ENTRY; /* the change says status */
    fixture_must(f, &command, KZ_INVALID);
    assert_null(fixture_get(f, KZ__KIND__STATUS, "remote-3fa2.17"));
    fixture_scrub(f);
}

static void an_event_does_not_keep_what_it_names_from_retirement(void **state)
{
    struct fixture *f = *state;
    fixture_put(f, make_org("joho", "a", NULL), KZ_OK);
    fixture_put(f, make_system("juki", "joho", NULL), KZ_OK);
    must_append(f, make_report("remote-3fa2", 17, "a"), KZ_OK);
    fixture_retire(f, KZ__KIND__ORG, "joho", false, KZ_REFERENCED); /* the system still holds its owner */
    fixture_retire(f, KZ__KIND__SYSTEM, "juki", false, KZ_OK);
    must_append(f, make_report("remote-3fa2", 18, "b"), KZ_OK); /* and a retired one takes reports */
    fixture_scrub(f);
}

static void put_drops_what_only_events_have(void **state)
{
    struct fixture *f = *state;
    Kz__Record *org = make_org("joho", "a", NULL);
    org->origin = kz_must_strdup("remote-3fa2");
    org->noted_by = kz_must_strdup("nobody");
    org->has_origin_seq = org->has_noted_at = org->has_provisional = org->has_origin_hash = 1;
    org->origin_seq = 17;
    org->provisional = 1;
    org->origin_hash.len = 4;
    org->origin_hash.data = kz_must_alloc(1, 4);
    fixture_put(f, org, KZ_OK);
    Kz__Record *record = fixture_get(f, KZ__KIND__ORG, "joho");
    assert_null(record->origin);
    assert_null(record->noted_by);
    assert_false(record->has_origin_seq || record->has_noted_at || record->has_provisional || record->has_origin_hash);
    kz__record__free_unpacked(record, NULL);
}

/* Both halves of a partition wrote, and handed their events over in different orders. */
static void events_are_all_there_and_equal_whatever_the_order(void **state)
{
    struct fixture *f = *state;
    struct fixture other;
    fixture_init(&other);
    for (uint64_t i = 1; i <= 10; i++)
        must_append(f, make_report("main-0001", i, "a"), KZ_OK);
    for (uint64_t i = 1; i <= 10; i++)
        must_append(f, make_report("remote-3fa2", i, "b"), KZ_OK);
    for (uint64_t i = 10; i >= 1; i--) {
        must_append(&other, make_report("remote-3fa2", i, "b"), KZ_OK);
        must_append(&other, make_report("main-0001", i, "a"), KZ_OK);
        must_append(&other, make_report("remote-3fa2", i, "b"), KZ_OK);
    }
    for (uint64_t i = 1; i <= 10; i++)
        for (int half = 0; half < 2; half++) {
            char id[KZ_ID_MAX_BYTES + 1];
            assert_true(kz_event_id(half == 0 ? "main-0001" : "remote-3fa2", i, id));
            Kz__Record *here = fixture_get(f, KZ__KIND__STATUS, id);
            Kz__Record *there = fixture_get(&other, KZ__KIND__STATUS, id);
            assert_non_null(here);
            assert_non_null(there);
            assert_true(kz_event_same(here, there));
            kz__record__free_unpacked(here, NULL);
            kz__record__free_unpacked(there, NULL);
        }
    assert_int_equal(fixture_applied(f).rev, 20);
    assert_int_equal(fixture_applied(&other).rev, 20);
    fixture_scrub(f);
    fixture_scrub(&other);
    fixture_fini(&other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(append_keeps_where_the_event_came_from_and_what_it_names_need_not_exist),
        TEST(the_reason_of_the_event_goes_before_that_of_the_command),
        TEST(the_same_event_again_is_unchanged_whoever_brings_it),
        TEST(append_has_no_compare_and_set),
        TEST(another_event_under_the_same_id_is_a_conflict_and_shows_the_first),
        TEST(one_event_twice_in_one_command_is_one_event),
        TEST(an_event_is_never_put_retired_or_verified),
        TEST(other_kinds_are_never_appended),
        TEST(an_event_that_breaks_a_rule_is_refused_whole),
        TEST(an_event_does_not_keep_what_it_names_from_retirement),
        TEST(put_drops_what_only_events_have),
        TEST(events_are_all_there_and_equal_whatever_the_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
