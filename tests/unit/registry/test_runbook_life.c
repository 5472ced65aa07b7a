/* SPDX-License-Identifier: Apache-2.0 */
/* The states of a runbook, who may approve, and which text is carried out (G 2.9.1, 2.9.2). */
#include "tests/unit/registry/samples.h"

#include <stdlib.h>
#include <string.h>

#include "node/registry/runbook_life.h"

static Kz__Record *make(const char *state, const char *body, int64_t version)
{
    Kz__Record *record = sample_minimal(KZ__KIND__RUNBOOK);
    assert_null(sample_set(record, "state", state));
    assert_null(sample_set(record, "author", "yamada"));
    assert_null(sample_set(record, "steps[0].title", "確認する"));
    assert_null(sample_set(record, "steps[0].body", body));
    if (strcmp(state, "APPROVED") == 0) assert_null(sample_set(record, "approved_on", "2026-04-01"));
    record->runbook->has_version = true;
    record->runbook->version = version;
    return record;
}

/* As if stored: what the system wrote is the record's own. */
static void store(Kz__Record *record, const char *editor, const char *approver, int64_t approved_rev, uint64_t rev)
{
    record->has_rev = true;
    record->rev = rev;
    record->runbook->edited_by = strdup(editor);
    record->runbook->approved_by = approver ? strdup(approver) : NULL;
    record->runbook->has_approved_rev = approved_rev != 0;
    record->runbook->approved_rev = approved_rev;
}

/* kz_runbook_settle borrows: nothing of it is this record's to free. */
static void drop_settled(Kz__Record *record)
{
    record->runbook->edited_by = record->runbook->approved_by = NULL;
    kz__record__free_unpacked(record, NULL);
}

static void expect_settled(const Kz__Record *record, Kz__Runbook__State state, int64_t version, const char *editor,
                           int64_t approved_rev)
{
    assert_int_equal(record->runbook->state, state);
    assert_int_equal(record->runbook->version, version);
    assert_string_equal(record->runbook->edited_by, editor);
    assert_int_equal(record->runbook->has_approved_rev ? record->runbook->approved_rev : 0, approved_rev);
}

static void free_day(Kz__Record *record, char *day)
{
    if (record->runbook->approved_on != day) free(day); /* taken away by the settling, not freed */
}

static void what_is_written_as_approved_waits_for_an_approver(void **state)
{
    (void)state;
    Kz__Record *record = make("APPROVED", "旧", 3);
    char *day = record->runbook->approved_on;
    record->runbook->approved_by = (char *)(uintptr_t) "somebody";
    record->runbook->has_approved_rev = true;
    record->runbook->approved_rev = 99; /* a client's claim counts for nothing */
    kz_runbook_settle(NULL, record, "sato");
    expect_settled(record, KZ__RUNBOOK__STATE__REVIEW, 3, "sato", 0);
    assert_null(record->runbook->approved_by);
    assert_null(record->runbook->approved_on);
    free_day(record, day);
    drop_settled(record);

    Kz__Record *stored = make("REVIEW", "旧", 1);
    store(stored, "sato", NULL, 0, 5);
    record = make("APPROVED", "旧", 1);
    day = record->runbook->approved_on;
    kz_runbook_settle(stored, record, "tanaka");
    expect_settled(record, KZ__RUNBOOK__STATE__REVIEW, 1, "sato", 0); /* the same text: still sato's */
    assert_true(kz_record_same(stored, record));                      /* so that a file can be applied again */
    free_day(record, day);
    drop_settled(record);
    kz__record__free_unpacked(stored, NULL);
}

static void another_text_under_an_approval_is_a_new_draft(void **state)
{
    (void)state;
    Kz__Record *stored = make("APPROVED", "旧", 3);
    store(stored, "sato", "buchou", 7, 7);
    Kz__Record *record = make("APPROVED", "新", 3);
    char *day = record->runbook->approved_on;
    kz_runbook_settle(stored, record, "tanaka");
    expect_settled(record, KZ__RUNBOOK__STATE__DRAFT, 4, "tanaka", 7);
    assert_null(record->runbook->approved_on);
    assert_string_equal(record->runbook->approved_by, "buchou");
    record->has_rev = true;
    record->rev = 9;
    assert_int_equal(kz_runbook_approved_rev(record), 7); /* what is carried out meanwhile */
    record->runbook->state = KZ__RUNBOOK__STATE__RETIRED;
    assert_int_equal(kz_runbook_approved_rev(record), 0);
    free_day(record, day);
    drop_settled(record);
    kz__record__free_unpacked(stored, NULL);
}

static void the_same_text_keeps_its_approval(void **state)
{
    (void)state;
    Kz__Record *stored = make("APPROVED", "旧", 3);
    store(stored, "sato", "buchou", 7, 7);
    Kz__Record *record = make("APPROVED", "旧", 1); /* an older file */
    char *day = record->runbook->approved_on;
    kz_runbook_settle(stored, record, "tanaka");
    expect_settled(record, KZ__RUNBOOK__STATE__APPROVED, 3, "sato", 7);
    assert_true(kz_record_same(stored, record));
    assert_ptr_equal(record->runbook->approved_on, stored->runbook->approved_on);
    record->runbook->approved_on = NULL;
    free(day);
    drop_settled(record);
    kz__record__free_unpacked(stored, NULL);
}

/* ---- from state to state ---- */

static size_t count_changes(const Kz__Record *before, const Kz__Record *after, const char *rule)
{
    struct kz_violations violations = {0};
    kz_record_check_change(before, after, &violations);
    size_t count = violations.count;
    for (size_t i = 0; i < count; i++)
        assert_string_equal(violations.items[i]->rule, rule);
    kz_violations_fini(&violations);
    return count;
}

static void a_runbook_moves_only_along_its_states(void **state)
{
    (void)state;
    /* Rows from, columns to: DRAFT, REVIEW, APPROVED, RETIRED. */
    const char *allowed[4] = {"yy-y", "yyyy", "y-yy", "y--y"};
    Kz__Record *before = make("REVIEW", "旧", 1), *after = make("REVIEW", "旧", 1);
    store(before, "sato", NULL, 0, 5);
    store(after, "sato", "buchou", 6, 6);
    for (int from = 0; from < 4; from++) {
        for (int to = 0; to < 4; to++) {
            before->runbook->state = (Kz__Runbook__State)(from + 1);
            after->runbook->state = (Kz__Runbook__State)(to + 1);
            assert_int_equal(count_changes(before, after, "runbook.transition"), allowed[from][to] == 'y' ? 0 : 1);
        }
    }
    kz__record__free_unpacked(before, NULL);
    kz__record__free_unpacked(after, NULL);
}

static void who_wrote_it_last_does_not_approve_it_g_2_9_1(void **state)
{
    (void)state;
    Kz__Record *before = make("REVIEW", "旧", 1), *after = make("APPROVED", "旧", 1);
    store(before, "sato", NULL, 0, 5);
    store(after, "sato", "sato", 6, 6);
    assert_int_equal(count_changes(before, after, "runbook.author_approves"), 1);
    free(after->runbook->approved_by);
    after->runbook->approved_by = NULL;
    assert_int_equal(count_changes(before, after, "runbook.approval_by_approver"), 1);
    after->runbook->approved_by = strdup("buchou");
    assert_int_equal(count_changes(before, after, ""), 0);
    kz__record__free_unpacked(before, NULL);
    kz__record__free_unpacked(after, NULL);
}

static void approved_text_does_not_change_under_its_approval(void **state)
{
    (void)state;
    Kz__Record *before = sample_full(KZ__KIND__RUNBOOK);
    Kz__Record *after = sample_full(KZ__KIND__RUNBOOK);
    assert_int_equal(count_changes(before, after, ""), 0);
    after->confidentiality = 1; /* the envelope may change */
    assert_int_equal(count_changes(before, after, ""), 0);
    assert_null(sample_set(after, "steps[0].body", "別の手順"));
    assert_int_equal(count_changes(before, after, "runbook.approved_is_frozen"), 1);
    assert_null(sample_set(after, "state", "DRAFT"));
    assert_int_equal(count_changes(before, after, ""), 0);
    kz__record__free_unpacked(before, NULL);
    kz__record__free_unpacked(after, NULL);
    before = sample_minimal(KZ__KIND__SITE);
    after = sample_full(KZ__KIND__SITE);
    assert_int_equal(count_changes(before, after, ""), 0);
    kz__record__free_unpacked(before, NULL);
    kz__record__free_unpacked(after, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_as_approved_waits_for_an_approver),
        cmocka_unit_test(another_text_under_an_approval_is_a_new_draft),
        cmocka_unit_test(the_same_text_keeps_its_approval),
        cmocka_unit_test(a_runbook_moves_only_along_its_states),
        cmocka_unit_test(who_wrote_it_last_does_not_approve_it_g_2_9_1),
        cmocka_unit_test(approved_text_does_not_change_under_its_approval),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
