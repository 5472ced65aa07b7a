/* SPDX-License-Identifier: Apache-2.0 */
/* What a change must fulfil before it is proposed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node/base/assert.h"
#include "node/registry/event.h"
#include "node/service/mutation.h"

static Kz__Record *make_call(void)
{
    Kz__Record *record = kz_record_new(KZ__KIND__CALL, "main-0001.3");
    record->call->contact = kz_must_strdup("yamada");
    record->call->has_result = 1;
    record->call->result = KZ__CALL__RESULT__ANSWERED;
    return record;
}

/* The first rule broken, "" when all is fine. */
static void expect_rule(Kz__Mutation__Op op, const char *id, Kz__Record *record, const char *rule)
{
    struct kz_violations violations = {0};
    Kz__Mutation mutation = KZ__MUTATION__INIT;
    mutation.op = op;
    mutation.kind = KZ__KIND__CALL;
    mutation.id = (char *)(uintptr_t)id; /* read only; the message has no const */
    mutation.record = record;
    kz_service_check_command(NULL, (Kz__Mutation *[]){&mutation}, 1, &violations);
    assert_string_equal(violations.count == 0 ? "" : violations.items[0]->rule, rule);
    kz_violations_fini(&violations);
}

static void a_kind_nobody_knows_is_a_violation_not_a_crash(void **state)
{
    (void)state;
    struct kz_violations violations = {0};
    Kz__Mutation mutation = KZ__MUTATION__INIT;
    mutation.op = KZ__MUTATION__OP__APPEND;
    mutation.kind = (Kz__Kind)31;
    mutation.id = (char[]){"main-0001.3"};
    kz_service_check_command(NULL, (Kz__Mutation *[]){&mutation}, 1, &violations);
    assert_int_equal(violations.count, 1);
    assert_string_equal(violations.items[0]->rule, "kind.known");
    kz_violations_fini(&violations);
}

static void an_event_is_proposed_as_append_only(void **state)
{
    (void)state;
    Kz__Record *record = make_call();
    expect_rule(KZ__MUTATION__OP__APPEND, "main-0001.3", record, "");
    expect_rule(KZ__MUTATION__OP__PUT, "main-0001.3", record, "event.append_only");
    expect_rule(KZ__MUTATION__OP__RETIRE, "main-0001.3", NULL, "event.append_only");
    expect_rule(KZ__MUTATION__OP__VERIFY, "main-0001.3", NULL, "event.append_only");
    kz__record__free_unpacked(record, NULL);
}

static void an_appended_event_is_checked_as_a_put_record_is(void **state)
{
    (void)state;
    Kz__Record *record = make_call();
    expect_rule(KZ__MUTATION__OP__APPEND, "main-0001.3", NULL, "mutation.record");
    expect_rule(KZ__MUTATION__OP__APPEND, "main-0001.4", record, "mutation.record");
    expect_rule(KZ__MUTATION__OP__APPEND, "Main 4", record, "id.format");
    record->call->has_result = 0;
    expect_rule(KZ__MUTATION__OP__APPEND, "main-0001.3", record, "required");
    kz__record__free_unpacked(record, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kind_nobody_knows_is_a_violation_not_a_crash),
        cmocka_unit_test(an_event_is_proposed_as_append_only),
        cmocka_unit_test(an_appended_event_is_checked_as_a_put_record_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
