/* SPDX-License-Identifier: Apache-2.0 */
/* Events from the command line: flags and words become fields through the schema, and what is wrong is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/cli/options.h"

static bool parse_flag(const char *flag, struct kz_given *given) { return kz_event_flag(flag, strlen(flag), given); }

static void a_flag_is_the_field_of_that_name(void **state)
{
    (void)state;
    struct kz_given given;
    assert_true(parse_flag("occurred-at", &given));
    assert_string_equal(given.name, "occurred_at");
    assert_null(given.value);
    assert_true(parse_flag("rlo", &given));
    assert_string_equal(given.name, "rlo_now");
    assert_true(parse_flag("unconfirmed", &given));
    assert_string_equal(given.name, "confirmed");
    assert_string_equal(given.value, "UNCONFIRMED");
    assert_false(parse_flag("rto", &given));
    assert_false(parse_flag("", &given));
    assert_false(parse_flag("a-name-that-no-field-of-any-event-kind-could-have", &given));
}

static Kz__Record *make(Kz__Kind kind, const struct kz_given *given, size_t count, struct kz_violations *problems)
{
    *problems = (struct kz_violations){0};
    return kz_event_record(kz_kind_by_number(kind), given, count, problems);
}
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void a_report_is_read_as_people_type_it(void **state)
{
    (void)state;
    static const struct kz_given given[] = {{"system", "ＪＵＫＩ"},       {"state", "停止"},
                                            {"confirmed", "UNCONFIRMED"}, {"rlo_now", "５０"},
                                            {"source", "目視"},           {"occurred_at", "令和8年1月17日 5時46分"},
                                            {"audience", "住民課"},       {"audience", "広報"}};
    struct kz_violations problems;
    Kz__Record *record = make(KZ__KIND__STATUS, given, COUNT(given), &problems);
    assert_int_equal(problems.count, 0);
    assert_string_equal(record->id, KZ_EVENT_NEW_ID);
    assert_string_equal(record->status->system, "juki");
    assert_int_equal(record->status->state, KZ__STATUS_REPORT__STATE__STOPPED);
    assert_int_equal(record->status->confirmed, KZ__STATUS_REPORT__CONFIRMATION__UNCONFIRMED);
    assert_int_equal(record->status->rlo_now, 50);
    assert_int_equal(record->status->source, KZ__STATUS_REPORT__SOURCE__SIGHT);
    assert_true(record->status->occurred_at == INT64_C(1768596360000));
    assert_int_equal(record->status->n_audience, 2);
    kz__record__free_unpacked(record, NULL);
}

static void every_bad_value_is_told_with_its_choices(void **state)
{
    (void)state;
    static const struct kz_given given[] = {{"system", "juki"}, {"state", "STOPED"}, {"occurred_at", "yesterday"}};
    struct kz_violations problems;
    Kz__Record *record = make(KZ__KIND__STATUS, given, COUNT(given), &problems);
    assert_int_equal(problems.count, 2);
    assert_string_equal(problems.items[0]->path, "status/new.state");
    assert_string_equal(problems.items[0]->rule, "field.choice");
    assert_non_null(strstr(problems.items[0]->en, "DEGRADED"));
    assert_non_null(strstr(problems.items[0]->ja, "STOPED"));
    assert_string_equal(problems.items[1]->path, "status/new.occurred_at");
    kz_violations_fini(&problems);
    kz__record__free_unpacked(record, NULL);
}

static void what_an_opening_lacks_is_told_before_it_is_sent(void **state)
{
    (void)state;
    static const struct kz_given given[] = {{"state", "ALERT"}, {"type", "大規模災害"}};
    struct kz_violations problems;
    Kz__Record *record = make(KZ__KIND__INCIDENT, given, COUNT(given), &problems);
    assert_int_equal(problems.count, 2);
    assert_string_equal(problems.items[0]->rule, "incident.opening");
    kz_violations_fini(&problems);
    kz__record__free_unpacked(record, NULL);
}

/* ---- the command line ---- */

static const char *get_nothing(void *data, const char *name)
{
    (void)data;
    (void)name;
    return NULL;
}

struct run {
    struct kz_options options;
    struct kz_words words;
    Kz__Error *error;
};

static void read_options(struct run *run, int argc, const char *const *argv)
{
    run->error = kz_options_read(&run->options, &run->words, argc, (char *const *)(uintptr_t)argv, get_nothing, NULL);
}
#define READ(run, ...)                                                                                                 \
    read_options(run, (int)COUNT(((const char *[]){"keizoku", __VA_ARGS__})), (const char *[]){"keizoku", __VA_ARGS__})

static void release(struct run *run)
{
    if (run->error) kz__error__free_unpacked(run->error, NULL);
    kz_options_fini(&run->options, &run->words);
}

static void fields_are_kept_in_the_order_given(void **state)
{
    (void)state;
    struct run run;
    READ(&run, "report-status", "--situation=停電", "juki", "--no-muster", "--occurred-at", "-1", "STOPPED");
    assert_null(run.error);
    assert_int_equal(run.words.count, 3);
    assert_string_equal(run.words.items[2], "STOPPED");
    assert_int_equal(run.options.field_count, 3);
    assert_string_equal(run.options.fields[0].value, "停電");
    assert_string_equal(run.options.fields[1].name, "muster");
    assert_string_equal(run.options.fields[1].value, "false");
    assert_string_equal(run.options.fields[2].value, "-1");
    assert_true(run.options.given & KZ_OPTION_FIELDS);
    release(&run);
}

static void a_flag_without_its_value_or_with_one_too_many_is_refused(void **state)
{
    (void)state;
    struct run run;
    READ(&run, "report-status", "juki", "STOPPED", "--cause");
    assert_non_null(run.error);
    assert_non_null(strstr(run.error->what_en, "--cause needs a value"));
    release(&run);
    READ(&run, "report-status", "juki", "STOPPED", "--confirmed=yes");
    assert_non_null(run.error);
    assert_non_null(strstr(run.error->what_en, "--confirmed takes no value"));
    release(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flag_is_the_field_of_that_name),
        cmocka_unit_test(a_report_is_read_as_people_type_it),
        cmocka_unit_test(every_bad_value_is_told_with_its_choices),
        cmocka_unit_test(what_an_opening_lacks_is_told_before_it_is_sent),
        cmocka_unit_test(fields_are_kept_in_the_order_given),
        cmocka_unit_test(a_flag_without_its_value_or_with_one_too_many_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
