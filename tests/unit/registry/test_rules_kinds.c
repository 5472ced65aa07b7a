/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of single kinds; each test names the place the rule comes from. */
#include <stdlib.h>
#include <string.h>

#include "node/registry/schema_tables.h"
#include "tests/unit/registry/samples.h"

static void set(Kz__Record *record, const char *path, const char *text)
{
    const struct kz_text *reason = sample_set(record, path, text);
    if (reason != NULL) fail_msg("%s = %s: %s", path, text, reason->en);
}

static void an_org_is_not_its_own_parent(void **state)
{
    (void)state;
    Kz__Record *record = sample_minimal(KZ__KIND__ORG);
    set(record, "parent", "sample-1");
    EXPECT_RULES(record, "org.own_parent parent");
    kz__record__free_unpacked(record, NULL);
}

static void an_official_code_has_the_right_check_digit(void **state)
{
    (void)state;
    Kz__Record *record = sample_minimal(KZ__KIND__ORG);
    set(record, "code", "131148");
    EXPECT_FINE(record);
    set(record, "code", "7000012050002");
    EXPECT_FINE(record);
    set(record, "code", "131149");
    EXPECT_RULES(record, "code.check_digit code");
    set(record, "code", "13114");
    EXPECT_RULES(record, "code.check_digit code");
    kz__record__free_unpacked(record, NULL);
}

static void only_vendors_have_the_contract_items_of_b_table_30(void **state)
{
    (void)state;
    Kz__Record *record = sample_full(KZ__KIND__ORG);
    EXPECT_FINE(record);
    set(record, "type", "DIVISION");
    EXPECT_RULES(record, "contract.vendor_only contract");
    set(record, "type", "VENDOR");
    set(record, "contract.offices[0].phone", "代表へ");
    EXPECT_RULES(record, "channel.phone contract.offices[0].phone");
    kz__record__free_unpacked(record, NULL);
}

static void channel_values_look_like_their_type_n_9_1_u(void **state)
{
    (void)state;
    const char *phones[] = {"OFFICE_PHONE", "MOBILE", "SATELLITE", "FAX", "OTHER_OFFICE_PHONE"};
    const char *free_text[] = {"CHAT", "RADIO"};
    Kz__Record *record = sample_minimal(KZ__KIND__CONTACT);
    set(record, "channels[0].value", "someone@example.jp");
    for (size_t i = 0; i < sizeof(phones) / sizeof(phones[0]); i++) {
        set(record, "channels[0].type", phones[i]);
        EXPECT_RULES(record, "channel.phone channels[0].value");
    }
    for (size_t i = 0; i < sizeof(free_text) / sizeof(free_text[0]); i++) {
        set(record, "channels[0].type", free_text[i]);
        EXPECT_FINE(record);
    }
    set(record, "channels[0].type", "MAIL");
    EXPECT_FINE(record);
    set(record, "channels[0].value", "03-0000-0001");
    EXPECT_RULES(record, "channel.mail channels[0].value");
    set(record, "channels[0].type", "MOBILE");
    EXPECT_FINE(record);
    kz__record__free_unpacked(record, NULL);
}

static void the_same_channel_stands_once(void **state)
{
    (void)state;
    Kz__Record *record = sample_full(KZ__KIND__CONTACT);
    set(record, "channels[1].type", "MAIL");
    set(record, "channels[1].value", "someone@example.jp");
    EXPECT_FINE(record); /* other hours */
    set(record, "channels[1].hours", "BUSINESS");
    EXPECT_RULES(record, "list.duplicate channels[1].value");
    kz__record__free_unpacked(record, NULL);
}

static void a_role_outside_table_2_8_1_needs_a_name(void **state)
{
    (void)state;
    Kz__Record *record = sample_minimal(KZ__KIND__ROLE);
    EXPECT_FINE(record);
    set(record, "type", "独自の役割");
    EXPECT_RULES(record, "role.own_needs_name name");
    set(record, "name", "記録係");
    EXPECT_FINE(record);
    kz__record__free_unpacked(record, NULL);
}

static void the_holder_is_not_the_deputy_g_2_8_1_1_1(void **state)
{
    (void)state;
    Kz__Record *record = sample_minimal(KZ__KIND__ROLE);
    set(record, "holder", "yamada");
    set(record, "deputies", "suzuki");
    set(record, "deputies", "yamada");
    EXPECT_RULES(record, "role.deputy_is_holder deputies[1]");
    kz__record__free_unpacked(record, NULL);
}

static void impacts_grow_with_time_b_table_32(void **state)
{
    (void)state;
    Kz__Record *record = sample_minimal(KZ__KIND__FUNCTION);
    set(record, "impacts[0].after", "3h");
    set(record, "impacts[0].level", "II");
    set(record, "impacts[1].after", "1日");
    set(record, "impacts[1].level", "甚大");
    EXPECT_FINE(record);
    set(record, "impacts[2].after", "1日");
    set(record, "impacts[2].level", "I");
    EXPECT_RULES(record, "impact.order impacts[2]", "impact.falls impacts[2]");
    kz__record__free_unpacked(record, NULL);
}

static void critical_periods_are_days_of_the_year(void **state)
{
    (void)state;
    Kz__Record *record = sample_full(KZ__KIND__FUNCTION);
    set(record, "critical_periods[0].from", "2-30");
    set(record, "critical_periods[0].until", "12/31");
    EXPECT_RULES(record, "period.month_day critical_periods[0].from", "period.month_day critical_periods[0].until");
    set(record, "critical_periods[0].from", "１２-２８");
    set(record, "critical_periods[0].until", "01-04"); /* across the new year */
    EXPECT_FINE(record);
    kz__record__free_unpacked(record, NULL);
}

static void an_override_of_the_priority_needs_a_written_basis_g_2_5_2_3(void **state)
{
    (void)state;
    Kz__Record *record = sample_minimal(KZ__KIND__SYSTEM);
    set(record, "priority_override", "S");
    EXPECT_RULES(record, "priority.override_needs_basis priority_override_basis");
    set(record, "priority_override_basis", "災害対策本部の決定 (2026-01-17)");
    EXPECT_FINE(record);
    set(record, "priority_override", "");
    EXPECT_RULES(record, "priority.basis_without_override priority_override_basis");
    kz__record__free_unpacked(record, NULL);
}

static void a_system_does_not_depend_on_itself_g_2_5_2_1_1(void **state)
{
    (void)state;
    Kz__Record *record = sample_minimal(KZ__KIND__SYSTEM);
    set(record, "depends_on", "other");
    set(record, "depends_on", "sample-1");
    EXPECT_RULES(record, "system.depends_on_itself depends_on[1]");
    kz__record__free_unpacked(record, NULL);
}

static void a_system_has_one_placement_per_site_g_table_2_6_2(void **state)
{
    (void)state;
    Kz__Record *record = sample_minimal(KZ__KIND__SYSTEM);
    set(record, "placements[0].site", "main");
    set(record, "placements[1].site", "remote");
    set(record, "placements[2].site", "main");
    EXPECT_RULES(record, "placement.site_twice placements[2].site");
    kz__record__free_unpacked(record, NULL);
}

static void approval_of_a_runbook_takes_an_author_a_day_and_steps_g_2_9_1(void **state)
{
    (void)state;
    Kz__Record *record = sample_minimal(KZ__KIND__RUNBOOK);
    set(record, "state", "APPROVED");
    EXPECT_RULES(record, "runbook.approval author", "runbook.approval approved_on", "runbook.approval steps");
    set(record, "author", "yamada");
    set(record, "approver", "yamada");
    set(record, "approved_on", "令和7年1月17日");
    set(record, "steps[0].title", "状況を確認する");
    EXPECT_RULES(record, "runbook.author_is_approver approver");
    set(record, "approver", "suzuki");
    EXPECT_FINE(record);
    kz__record__free_unpacked(record, NULL);
}

static void a_draft_has_no_day_of_approval_and_a_review_has_an_author(void **state)
{
    (void)state;
    Kz__Record *record = sample_minimal(KZ__KIND__RUNBOOK);
    set(record, "approved_on", "2026-01-17");
    EXPECT_RULES(record, "runbook.not_approved approved_on");
    set(record, "state", "REVIEW");
    EXPECT_RULES(record, "runbook.not_approved approved_on", "runbook.review_needs_author author");
    kz__record__free_unpacked(record, NULL);
}

static void an_attachment_hash_is_64_hexadecimal_digits(void **state)
{
    (void)state;
    Kz__Record *record = sample_full(KZ__KIND__RUNBOOK);
    set(record, "attachments[0].sha256", "1234");
    EXPECT_RULES(record, "attachment.sha256 attachments[0].sha256");
    kz__record__free_unpacked(record, NULL);
}

/* A rule that a document asks for says which. */
static void rules_from_documents_carry_their_citation(void **state)
{
    (void)state;
    struct kz_violations violations = {0};
    Kz__Record *record = sample_minimal(KZ__KIND__SYSTEM);
    set(record, "priority_override", "S");
    kz_record_check(record, &violations);
    assert_string_equal(violations.items[0]->source, "G 2.5.2(3)");
    assert_string_equal(violations.items[0]->path, "system/sample-1.priority_override_basis");
    kz_violations_fini(&violations);
    kz__record__free_unpacked(record, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_org_is_not_its_own_parent),
        cmocka_unit_test(an_official_code_has_the_right_check_digit),
        cmocka_unit_test(only_vendors_have_the_contract_items_of_b_table_30),
        cmocka_unit_test(channel_values_look_like_their_type_n_9_1_u),
        cmocka_unit_test(the_same_channel_stands_once),
        cmocka_unit_test(a_role_outside_table_2_8_1_needs_a_name),
        cmocka_unit_test(the_holder_is_not_the_deputy_g_2_8_1_1_1),
        cmocka_unit_test(impacts_grow_with_time_b_table_32),
        cmocka_unit_test(critical_periods_are_days_of_the_year),
        cmocka_unit_test(an_override_of_the_priority_needs_a_written_basis_g_2_5_2_3),
        cmocka_unit_test(a_system_does_not_depend_on_itself_g_2_5_2_1_1),
        cmocka_unit_test(a_system_has_one_placement_per_site_g_table_2_6_2),
        cmocka_unit_test(approval_of_a_runbook_takes_an_author_a_day_and_steps_g_2_9_1),
        cmocka_unit_test(a_draft_has_no_day_of_approval_and_a_review_has_an_author),
        cmocka_unit_test(an_attachment_hash_is_64_hexadecimal_digits),
        cmocka_unit_test(rules_from_documents_carry_their_citation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
