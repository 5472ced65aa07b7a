/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of the event kinds, each with its citation; identity; which operations a kind takes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/registry/event.h"
#include "tests/unit/registry/samples.h"

static const Kz__Kind events[] = {KZ__KIND__INCIDENT, KZ__KIND__STATUS, KZ__KIND__ENTRY, KZ__KIND__TICK,
                                  KZ__KIND__CALL};
#define EVENT_COUNT (sizeof(events) / sizeof(events[0]))

static void set(Kz__Record *record, const char *path, const char *text)
{
    const struct kz_text *reason = sample_set(record, path, text);
    if (reason != NULL) fail_msg("%s = %s: %s", path, text, reason->en);
}

static void set_id(Kz__Record *record, const char *id)
{
    free(record->id);
    record->id = strdup(id);
}

/* As a node takes it. */
static void take(Kz__Record *record, const char *origin, uint64_t seq)
{
    char id[KZ_ID_MAX_BYTES + 1];
    assert_true(kz_event_id(origin, seq, id));
    set_id(record, id);
    free(record->origin);
    record->origin = strdup(origin);
    record->has_origin_seq = 1;
    record->origin_seq = seq;
    record->has_noted_at = 1;
    record->noted_at = INT64_C(1737061572000);
    free(record->noted_by);
    record->noted_by = strdup("yamada");
}

/* The record breaks one rule, and cites this. */
static void expect_source(const Kz__Record *record, const char *rule, const char *source)
{
    struct kz_violations violations = {0};
    kz_record_check(record, &violations);
    assert_int_equal(violations.count, 1);
    assert_string_equal(violations.items[0]->rule, rule);
    assert_string_equal(violations.items[0]->source, source);
    kz_violations_fini(&violations);
}

static void events_of_every_kind_pass_with_the_least_and_with_everything(void **state)
{
    (void)state;
    for (size_t i = 0; i < EVENT_COUNT; i++) {
        Kz__Record *least = sample_minimal(events[i]);
        Kz__Record *all = sample_full(events[i]);
        EXPECT_FINE(least);
        EXPECT_FINE(all);
        take(least, "remote-3fa2", 17);
        EXPECT_FINE(least);
        kz__record__free_unpacked(least, NULL);
        kz__record__free_unpacked(all, NULL);
    }
}

static void each_kind_says_what_it_cannot_do_without(void **state)
{
    (void)state;
    Kz__Record *incident = kz_record_new(KZ__KIND__INCIDENT, "a");
    Kz__Record *status = kz_record_new(KZ__KIND__STATUS, "a");
    Kz__Record *entry = kz_record_new(KZ__KIND__ENTRY, "a");
    Kz__Record *tick = kz_record_new(KZ__KIND__TICK, "a");
    Kz__Record *call = kz_record_new(KZ__KIND__CALL, "a");
    EXPECT_RULES(incident, "required state", "incident.opening title", "incident.opening type",
                 "incident.opening mode");
    EXPECT_RULES(status, "required system", "required state");
    EXPECT_RULES(entry, "required incident", "required type", "required text");
    EXPECT_RULES(tick, "required runbook", "required step", "required result");
    EXPECT_RULES(call, "required contact", "required result");
    kz__record__free_unpacked(incident, NULL);
    kz__record__free_unpacked(status, NULL);
    kz__record__free_unpacked(entry, NULL);
    kz__record__free_unpacked(tick, NULL);
    kz__record__free_unpacked(call, NULL);
}

static void an_incident_opens_as_alert_or_activated_g_2_8_2(void **state)
{
    (void)state;
    Kz__Record *record = sample_minimal(KZ__KIND__INCIDENT);
    set(record, "state", "警戒");
    EXPECT_FINE(record);
    set(record, "state", "発動");
    EXPECT_FINE(record);
    set(record, "state", "復旧中");
    EXPECT_RULES(record, "incident.opening_state state");
    set(record, "state", "解除");
    expect_source(record, "incident.opening_state", "G 2.8.2");
    kz__record__free_unpacked(record, NULL);
}

static void an_opening_says_what_kind_of_incident_it_is_g_2_3(void **state)
{
    (void)state;
    Kz__Record *record = sample_minimal(KZ__KIND__INCIDENT);
    set(record, "type", "");
    expect_source(record, "incident.opening", "G 2.3");
    set(record, "type", "感染症");
    set(record, "mode", "");
    expect_source(record, "incident.opening", "G 2.9.1");
    set(record, "mode", "訓練");
    set(record, "title", "");
    expect_source(record, "incident.opening", "N 3(2)");
    kz__record__free_unpacked(record, NULL);
}

static void a_transition_names_its_incident_and_a_state_and_leaves_the_rest(void **state)
{
    (void)state;
    Kz__Record *record = kz_record_new(KZ__KIND__INCIDENT, "main-1.2");
    set(record, "incident", "main-1.1");
    EXPECT_RULES(record, "required state");
    set(record, "state", "解除");
    set(record, "decided_by", "区長");
    EXPECT_FINE(record);
    set(record, "mode", "EXERCISE"); /* nothing turns into an exercise halfway */
    expect_source(record, "incident.transition", "G 2.8.2");
    set(record, "title", "別の件");
    set(record, "type", "OTHER");
    EXPECT_RULES(record, "incident.transition mode", "incident.transition title", "incident.transition type");
    kz__record__free_unpacked(record, NULL);
}

static void a_correction_of_an_incident_event_names_the_incident_too(void **state)
{
    (void)state;
    Kz__Record *record = kz_record_new(KZ__KIND__INCIDENT, "main-1.3");
    set(record, "corrects", "main-1.2");
    set(record, "state", "RECOVERING");
    EXPECT_RULES(record, "incident.correction incident");
    expect_source(record, "incident.correction", "G 2.8.2");
    set(record, "incident", "main-1.1");
    EXPECT_FINE(record);
    /* Of the opening itself: all of it again, in a state that opens. */
    set(record, "corrects", "main-1.1");
    EXPECT_RULES(record, "incident.opening title", "incident.opening type", "incident.opening mode",
                 "incident.opening_state state");
    kz__record__free_unpacked(record, NULL);
}

static void what_was_noticed_did_not_occur_later_n_3_2(void **state)
{
    (void)state;
    static const Kz__Kind kinds[] = {KZ__KIND__INCIDENT, KZ__KIND__STATUS};
    for (size_t i = 0; i < 2; i++) {
        Kz__Record *record = sample_minimal(kinds[i]);
        set(record, "occurred_at", "2026-01-17 05:46");
        EXPECT_FINE(record);
        set(record, "noticed_at", "2026-01-17 05:46");
        EXPECT_FINE(record);
        set(record, "noticed_at", "2026-01-17 05:45");
        EXPECT_RULES(record, "event.times noticed_at");
        expect_source(record, "event.times", "N 3(2)");
        set(record, "occurred_at", "");
        EXPECT_FINE(record);
        kz__record__free_unpacked(record, NULL);
    }
}

static void recovery_is_not_expected_before_the_outage_n_3_2(void **state)
{
    (void)state;
    Kz__Record *record = sample_minimal(KZ__KIND__STATUS);
    set(record, "occurred_at", "2026-01-17 05:46");
    set(record, "expected_at", "2026-01-16 18:00");
    EXPECT_RULES(record, "event.times expected_at");
    expect_source(record, "event.times", "N 3(2)");
    set(record, "expected_at", "2026-01-17 18:00");
    EXPECT_FINE(record);
    kz__record__free_unpacked(record, NULL);
}

static void a_step_is_a_step_that_a_runbook_can_have(void **state)
{
    (void)state;
    Kz__Record *record = sample_minimal(KZ__KIND__TICK);
    set(record, "step", "200");
    EXPECT_FINE(record);
    set(record, "step", "0");
    EXPECT_RULES(record, "range step");
    set(record, "step", "201");
    EXPECT_RULES(record, "range step");
    kz__record__free_unpacked(record, NULL);
}

static void corrects_names_an_event_in_form_and_never_itself(void **state)
{
    (void)state;
    for (size_t i = 0; i < EVENT_COUNT; i++) {
        Kz__Record *record = sample_minimal(events[i]);
        const struct kz_field *fields = kz_kind_by_number(events[i])->fields;
        const struct kz_field *corrects = kz_field_by_name(fields, "corrects");
        set(record, "incident", "remote-3fa2.1");
        set(record, "corrects", "remote-3fa2.16");
        if (events[i] == KZ__KIND__INCIDENT) set(record, "title", ""); /* then it is no opening's */
        EXPECT_FINE(record);
        assert_true(kz_value_add_text(kz_record_body(record), corrects, "Remote 16"));
        EXPECT_RULES(record, "reference.format corrects");
        assert_non_null(kz_value_parse(kz_record_body(record), corrects, "system/juki"));
        set(record, "corrects", "sample-1");
        EXPECT_RULES(record, "event.own corrects");
        set(record, "corrects", "");
        set(record, "incident", "sample-1");
        if (events[i] == KZ__KIND__INCIDENT) {
            set(record, "type", "");
            set(record, "mode", "");
        }
        EXPECT_RULES(record, "event.own incident");
        kz__record__free_unpacked(record, NULL);
    }
}

/* ---- identity ---- */

static void an_id_is_made_of_origin_and_number(void **state)
{
    (void)state;
    char id[KZ_ID_MAX_BYTES + 1];
    char longest[KZ_ORIGIN_MAX_BYTES + 2];
    assert_true(kz_event_id("remote-3fa2", 17, id));
    assert_string_equal(id, "remote-3fa2.17");
    assert_true(kz_id_valid(id));
    memset(longest, 'a', sizeof(longest));
    longest[KZ_ORIGIN_MAX_BYTES] = '\0';
    assert_true(kz_event_id(longest, UINT64_MAX, id));
    assert_int_equal(strlen(id), KZ_ID_MAX_BYTES);
    assert_true(kz_id_valid(id));
    longest[KZ_ORIGIN_MAX_BYTES] = 'a';
    longest[KZ_ORIGIN_MAX_BYTES + 1] = '\0';
    assert_false(kz_event_id(longest, 1, id));
    assert_false(kz_event_id("remote-3fa2", 0, id));
    assert_false(kz_event_id("Remote", 1, id));
    assert_false(kz_event_id("", 1, id));
}

static void an_id_that_does_not_match_its_origin_is_refused(void **state)
{
    (void)state;
    Kz__Record *record = sample_minimal(KZ__KIND__STATUS);
    take(record, "remote-3fa2", 17);
    set_id(record, "remote-3fa2.18");
    EXPECT_RULES(record, "event.identity id");
    set_id(record, "remote-3fa2.17");
    EXPECT_FINE(record);
    record->has_origin_seq = 0;
    EXPECT_RULES(record, "event.identity id");
    record->has_origin_seq = 1;
    free(record->origin);
    record->origin = NULL;
    EXPECT_RULES(record, "event.identity id");
    kz__record__free_unpacked(record, NULL);
}

/* They are kept as given, unlike the envelope of other kinds: nobody writes a page, or a terminal's orders, there. */
static void what_the_node_fills_in_must_be_sound(void **state)
{
    (void)state;
    uint8_t hash[KZ_EVENT_HASH_BYTES] = {1};
    Kz__Record *record = sample_minimal(KZ__KIND__ENTRY);
    take(record, "main-0001", 1);
    record->has_origin_hash = 1;
    record->origin_hash.data = hash;
    record->origin_hash.len = sizeof(hash);
    EXPECT_FINE(record);
    record->origin_hash.len = 20;
    EXPECT_RULES(record, "event.hash origin_hash");
    record->has_origin_hash = 0;
    record->origin_hash.data = NULL;
    record->origin_hash.len = 0;
    free(record->noted_by);
    record->noted_by = strdup("yamada\x1b[2J");
    record->noted_at = -1;
    record->reason = strdup("二行\nの理由");
    EXPECT_RULES(record, "text.control noted_by", "range noted_at", "text.control reason");
    kz__record__free_unpacked(record, NULL);
}

static void content_is_the_same_after_any_number_of_hands(void **state)
{
    (void)state;
    for (size_t i = 0; i < EVENT_COUNT; i++) {
        Kz__Record *event = sample_full(events[i]);
        take(event, "remote-3fa2", 17);
        Kz__Record *later = kz_record_dup(event);
        assert_true(kz_event_same(event, later));
        later->has_rev = later->has_created_at = later->has_updated_at = later->has_provisional = 1;
        later->rev = 48211;
        later->provisional = 1;
        later->created_by = strdup("someone");
        later->reason = strdup("理由");
        later->has_origin_hash = 1;
        later->origin_hash.data = calloc(1, KZ_EVENT_HASH_BYTES);
        later->origin_hash.len = KZ_EVENT_HASH_BYTES;
        assert_true(kz_event_same(event, later));
        later->noted_at++;
        assert_false(kz_event_same(event, later));
        later->noted_at--;
        later->origin_seq++;
        assert_false(kz_event_same(event, later));
        later->origin_seq--;
        sample_set(later, "corrects", "main-0001.1");
        assert_false(kz_event_same(event, later));
        kz__record__free_unpacked(event, NULL);
        kz__record__free_unpacked(later, NULL);
    }
}

static void an_event_knows_its_incident_and_what_it_corrects(void **state)
{
    (void)state;
    Kz__Record *opening = sample_minimal(KZ__KIND__INCIDENT);
    Kz__Record *status = sample_minimal(KZ__KIND__STATUS);
    Kz__Record *system = sample_minimal(KZ__KIND__SYSTEM);
    assert_true(kz_event_opens(opening));
    assert_string_equal(kz_event_incident(opening), "sample-1");
    assert_null(kz_event_corrects(opening));
    set(opening, "incident", "main-1.1");
    assert_false(kz_event_opens(opening));
    assert_string_equal(kz_event_incident(opening), "main-1.1");
    assert_null(kz_event_incident(status));
    set(status, "incident", "main-1.1");
    set(status, "corrects", "main-1.4");
    assert_string_equal(kz_event_incident(status), "main-1.1");
    assert_string_equal(kz_event_corrects(status), "main-1.4");
    assert_false(kz_event_opens(status));
    assert_null(kz_event_incident(system));
    assert_null(kz_event_corrects(system));
    kz__record__free_unpacked(opening, NULL);
    kz__record__free_unpacked(status, NULL);
    kz__record__free_unpacked(system, NULL);
}

/* The hash survives the disk; no other length does. */
static void the_hash_is_decoded_at_its_own_length_only(void **state)
{
    (void)state;
    Kz__Record *event = sample_minimal(KZ__KIND__CALL);
    take(event, "remote-3fa2", 17);
    for (size_t size = 0; size <= 64; size += 16) {
        struct kz_buf bytes;
        kz_buf_init(&bytes, 0);
        event->has_origin_hash = 1;
        event->origin_hash.data = calloc(1, size + 1);
        event->origin_hash.len = size;
        kz_record_encode(event, &bytes);
        Kz__Record *decoded = kz_record_decode(bytes.data, bytes.size_bytes);
        assert_int_equal(decoded != NULL, size == KZ_EVENT_HASH_BYTES);
        if (decoded != NULL) {
            assert_int_equal(decoded->origin_hash.len, KZ_EVENT_HASH_BYTES);
            assert_string_equal(decoded->origin, "remote-3fa2");
            assert_true(kz_event_same(decoded, event));
            kz__record__free_unpacked(decoded, NULL);
        }
        free(event->origin_hash.data);
        kz_buf_fini(&bytes);
    }
    event->has_origin_hash = 0;
    event->origin_hash.data = NULL;
    kz__record__free_unpacked(event, NULL);
}

/* ---- operations ---- */

static const char *rule_of(Kz__Kind kind, Kz__Mutation__Op op, struct kz_violations *violations)
{
    static char id[] = "remote-3fa2.17";
    Kz__Mutation mutation = KZ__MUTATION__INIT;
    mutation.kind = kind;
    mutation.op = op;
    mutation.id = id;
    kz_mutation_check_op(&mutation, violations);
    return violations->count == 0 ? "" : violations->items[0]->rule;
}

static void events_take_append_only_and_other_kinds_never(void **state)
{
    (void)state;
    size_t count = 0;
    const struct kz_kind *kinds = kz_kinds(&count);
    for (size_t i = 0; i < count; i++)
        for (int op = KZ__MUTATION__OP__PUT; op <= KZ__MUTATION__OP__APPEND; op++) {
            struct kz_violations violations = {0};
            bool append = op == KZ__MUTATION__OP__APPEND;
            const char *rule = rule_of(kinds[i].number, (Kz__Mutation__Op)op, &violations);
            assert_string_equal(rule, kinds[i].event == append ? "" : append ? "event.only" : "event.append_only");
            kz_violations_fini(&violations);
        }
}

static void the_refusal_names_the_event_and_its_citation(void **state)
{
    (void)state;
    struct kz_violations violations = {0};
    assert_string_equal(rule_of(KZ__KIND__STATUS, KZ__MUTATION__OP__RETIRE, &violations), "event.append_only");
    assert_int_equal(violations.count, 1);
    assert_string_equal(violations.items[0]->path, "status/remote-3fa2.17");
    assert_string_equal(violations.items[0]->source, "P (コ)");
    assert_non_null(strstr(violations.items[0]->en, "corrects"));
    kz_violations_fini(&violations);
    assert_string_equal(rule_of((Kz__Kind)99, KZ__MUTATION__OP__PUT, &violations), ""); /* others refuse it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_of_every_kind_pass_with_the_least_and_with_everything),
        cmocka_unit_test(each_kind_says_what_it_cannot_do_without),
        cmocka_unit_test(an_incident_opens_as_alert_or_activated_g_2_8_2),
        cmocka_unit_test(an_opening_says_what_kind_of_incident_it_is_g_2_3),
        cmocka_unit_test(a_transition_names_its_incident_and_a_state_and_leaves_the_rest),
        cmocka_unit_test(a_correction_of_an_incident_event_names_the_incident_too),
        cmocka_unit_test(what_was_noticed_did_not_occur_later_n_3_2),
        cmocka_unit_test(recovery_is_not_expected_before_the_outage_n_3_2),
        cmocka_unit_test(a_step_is_a_step_that_a_runbook_can_have),
        cmocka_unit_test(corrects_names_an_event_in_form_and_never_itself),
        cmocka_unit_test(an_id_is_made_of_origin_and_number),
        cmocka_unit_test(an_id_that_does_not_match_its_origin_is_refused),
        cmocka_unit_test(what_the_node_fills_in_must_be_sound),
        cmocka_unit_test(content_is_the_same_after_any_number_of_hands),
        cmocka_unit_test(an_event_knows_its_incident_and_what_it_corrects),
        cmocka_unit_test(the_hash_is_decoded_at_its_own_length_only),
        cmocka_unit_test(events_take_append_only_and_other_kinds_never),
        cmocka_unit_test(the_refusal_names_the_event_and_its_citation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
