/* SPDX-License-Identifier: Apache-2.0 */
/* Files with something wrong: what is said, and where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/codec/decode.h"
#include "node/base/assert.h"

struct reading {
    struct kz_tree tree;
    struct kz_entries entries;
    struct kz_violations problems;
};

static void read_text(struct reading *reading, const char *file, const char *text)
{
    *reading = (struct reading){0};
    if (kz_tree_read(&reading->tree, file, text, strlen(text), &reading->problems))
        (void)kz_decode_tree(&reading->tree, &reading->entries, &reading->problems);
}

static void release(struct reading *reading)
{
    kz_entries_fini(&reading->entries);
    kz_tree_fini(&reading->tree);
    kz_violations_fini(&reading->problems);
}

static void assert_problem(const struct reading *reading, const char *path, const char *rule, const char *part)
{
    for (size_t i = 0; i < reading->problems.count; i++) {
        const Kz__Violation *problem = reading->problems.items[i];
        if (strcmp(problem->path, path) == 0 && strcmp(problem->rule, rule) == 0 && strstr(problem->en, part)) return;
    }
    for (size_t i = 0; i < reading->problems.count; i++)
        print_message("  %s %s: %s\n", reading->problems.items[i]->path, reading->problems.items[i]->rule,
                      reading->problems.items[i]->en);
    fail_msg("no %s %s \"%s\" among %zu problems", path, rule, part, reading->problems.count);
}

#define HEAD "kind: system\nid: juki\nname: 住基\nowner: juminka\ntype: BUSINESS\n"

static void each_mistake_is_named_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *file, *text, *path, *rule, *part;
    } cases[] = {
        {"a.yaml", HEAD "rto: soon\n", "a.yaml:6:6", "field.value", "soon"},
        {"a.yaml", HEAD "rt0: 3h\n", "a.yaml:6:1", "field.known", "did you mean rto?"},
        {"a.yaml", HEAD "zzzzzzzzzz: 3h\n", "a.yaml:6:1", "field.known", "unknown field zzzzzzzzzz"},
        {"a.yaml", HEAD "rto: [3h]\nrto: 4h\n", "a.yaml:7:1", "document.duplicate", "rto"},
        {"a.yaml", HEAD "rto: 3h\n目標復旧時間: 4h\n", "a.yaml:7:1", "document.duplicate", "rto"},
        {"a.yaml", HEAD "rto: {a: b}\n", "a.yaml:6:6", "field.type", "one value"},
        {"a.yaml", HEAD "placements: [main]\n", "a.yaml:6:14", "field.type", "site"},
        {"a.yaml", HEAD "placements:\n- site: main\n  standby: LUKEWARM\n", "a.yaml:8:12", "field.choice", "HOT"},
        {"a.yaml", HEAD "rev: x\n", "a.yaml:6:6", "field.type", "whole number"},
        {"a.yaml", HEAD "rev: -1\n", "a.yaml:6:6", "field.type", "whole number"},
        {"a.yaml", HEAD "labels: [a]\n", "a.yaml:6:9", "field.type", "labels"},
        {"a.yaml", "kind: systm\nid: a\n", "a.yaml:1:7", "record.kind", "did you mean system?"},
        {"a.yaml", "id: a\n", "a.yaml:1:1", "record.kind", "kind is missing"},
        {"a.yaml", "kind: site\n", "a.yaml:1:1", "record.id", "id is missing"},
        {"a.yaml", "kind: site\nid: 本庁\n", "a.yaml:2:5", "record.id", "is not an id"},
        {"a.yaml", "- 1\n", "a.yaml:1:3", "record.mapping", "mapping"},
        {"a.yaml", "kind: site\n  id: a\n", "a.yaml:2:5", "document.syntax", "YAML"},
        {"a.yaml", "kind: site\nid: \"a\nname: x\n", "a.yaml:2:5", "document.syntax", "end of stream"},
        {"a.yaml", "kind: &a site\nid: *a\n", "a.yaml:1:7", "document.alias", "anchors"},
        {"a.yaml", "kind: !x site\n", "a.yaml:1:7", "document.tag", "!x"},
        {"a.yaml", "? [a]\n: b\n", "a.yaml:1:3", "document.key", "key"},
        {"a.yaml", "kind: site\nid: a\n名\x93: x\n", "a.yaml:3:2", "document.utf8", "0x93"},
        {"a.json", "{\"kind\": \"site\",\n \"id\": \"a\",}", "a.json:2:12", "document.syntax", "JSON"},
        {"a.json", "{\"kind\": \"site\", \"kind\": \"org\"}", "a.json:1:23", "document.syntax", "duplicate"},
        {"a.json", "{\"kind\":\"site\",\"id\":\"a\",\n  \"name\": 5}", "a.json:2:11", "field.type", "quotes"},
        {"a.json", "{\"kind\":\"site\",\"id\":\"a\",\n \"note\":\"\\u3042\\\"\",  \"naem\": \"x\"}", "a.json:2:22",
         "field.known", "did you mean name?"},
        {"a.json", "[{\"kind\":\"site\",\"id\":\"a\",\"lines\":[{},\n{\"carier\":\"x\"}]}]", "a.json:2:2",
         "field.known", "did you mean carrier?"},
        {"a.json", "[\"a\\u0000\"]", "a.json:1:10", "document.syntax", "JSON"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct reading reading;
        read_text(&reading, cases[i].file, cases[i].text);
        if (strcmp(cases[i].rule, "document.syntax") == 0 && strcmp(cases[i].part, "duplicate") == 0) {
            assert_problem(&reading, reading.problems.items[0]->path, "document.duplicate", "duplicate");
        } else {
            assert_problem(&reading, cases[i].path, cases[i].rule, cases[i].part);
        }
        release(&reading);
    }
}

static void all_mistakes_of_all_records_are_told_at_once(void **state)
{
    (void)state;
    struct reading reading;
    read_text(&reading, "a.yaml",
              "kind: system\nid: a\nrto: soon\nrlo: many\nnmae: x\n---\nkind: site\nid: B\nrole: MIAN\n---\n"
              "kind: role\nid: c\nheadcount: few\n");
    assert_problem(&reading, "a.yaml:3:6", "field.value", "soon");
    assert_problem(&reading, "a.yaml:4:6", "field.value", "many");
    assert_problem(&reading, "a.yaml:5:1", "field.known", "name");
    assert_problem(&reading, "a.yaml:8:5", "record.id", "B");
    assert_problem(&reading, "a.yaml:9:7", "field.choice", "MAIN");
    assert_problem(&reading, "a.yaml:13:12", "field.value", "few");
    release(&reading);
}

static void rules_of_the_registry_are_told_with_their_line(void **state)
{
    (void)state;
    struct reading reading;
    read_text(&reading, "a.yaml", HEAD "rlo: 101\nplacements:\n- site: main\n- level: 9\n");
    bool rlo = false, level = false, site = false;
    for (size_t i = 0; i < reading.problems.count; i++) {
        const char *path = reading.problems.items[i]->path;
        rlo = rlo || strcmp(path, "a.yaml:6:6: system/juki.rlo") == 0;
        level = level || strcmp(path, "a.yaml:9:10: system/juki.placements[1].level") == 0;
        /* absent: the item it is missing from */
        site = site || strcmp(path, "a.yaml:9:3: system/juki.placements[1].site") == 0;
    }
    assert_true(rlo);
    assert_true(level);
    assert_true(site);
    release(&reading);
}

static void one_record_twice_in_a_transaction_is_refused(void **state)
{
    (void)state;
    struct reading reading;
    read_text(&reading, "a.yaml", HEAD "---\n" HEAD);
    assert_problem(&reading, "a.yaml:7:1", "record.once", "a.yaml:1:1");
    release(&reading);
}

static void a_deep_document_is_refused_without_descending(void **state)
{
    (void)state;
    char deep[4096];
    memset(deep, '[', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    struct reading reading;
    read_text(&reading, "a.yaml", deep);
    assert_problem(&reading, "a.yaml:1:33", "document.depth", "32");
    release(&reading);
}

static void a_list_an_items_object_and_many_documents_are_all_read(void **state)
{
    (void)state;
    static const char *const texts[][2] = {
        {"-", "{\"meta\":{},\"items\":[{\"kind\":\"site\",\"id\":\"a\",\"name\":\"x\",\"role\":\"MAIN\"},"
              "{\"kind\":\"site\",\"id\":\"b\",\"name\":\"y\",\"role\":\"OTHER\"}]}"},
        {"-", "- {kind: site, id: a, name: x, role: MAIN}\n- {kind: site, id: b, name: y, role: OTHER}\n"},
        {"x.yml", "\xEF\xBB\xBFkind: 拠点\nid: a\n名称: x\nrole: 本庁舎\n---\n---\nkind: sites\nid: b\nname: y\nrole: "
                  "other\n"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct reading reading;
        read_text(&reading, texts[i][0], texts[i][1]);
        if (reading.problems.count) fail_msg("%s: %s", reading.problems.items[0]->path, reading.problems.items[0]->en);
        assert_int_equal(reading.entries.count, 2);
        assert_string_equal(reading.entries.items[1].record->id, "b");
        release(&reading);
    }
}

static void absent_and_zero_revisions_are_told_apart(void **state)
{
    (void)state;
    struct reading reading;
    read_text(&reading, "a.yaml",
              "{kind: site, id: a, name: x, role: MAIN}\n---\n{kind: site, id: b, name: x, role: MAIN, rev: 0}\n");
    assert_int_equal(reading.problems.count, 0);
    assert_false(reading.entries.items[0].has_rev);
    assert_true(reading.entries.items[1].has_rev);
    assert_int_equal(reading.entries.items[1].rev, 0);
    release(&reading);
}

static void a_path_is_found_only_in_its_own_record(void **state)
{
    (void)state;
    struct reading reading;
    read_text(&reading, "a.yaml",
              "kind: site\nid: a\nname: x\nrole: MAIN\nhazards:\n- type: FLOOD\n- {note: n, type: FIRE}\n");
    assert_int_equal(reading.entries.count, 1);
    const struct kz_entry *entry = &reading.entries.items[0];
    struct kz_place place;
    assert_true(kz_entry_locate(entry, "site/a.hazards[1].note", &place));
    assert_int_equal(place.line, 7);
    assert_int_equal(place.column, 10);
    assert_true(kz_entry_locate(entry, "site/a", &place));
    assert_int_equal(place.line, 1);
    assert_false(kz_entry_locate(entry, "site/ab.name", &place));
    assert_false(kz_entry_locate(entry, "org/a.name", &place));
    release(&reading);
}

/* Seeded, so that a failure repeats. The sanitizers say what went wrong. */
static void damaged_files_end_in_problems_and_never_in_a_crash(void **state)
{
    (void)state;
    static const char *const seeds[] = {
        HEAD "rto: 3h\nplacements:\n- {site: main, level: 4}\nlabels: {a: 'b', c: \"d\\n\"}\nsummary: |\n  x\n  y\n",
        "{\"kind\":\"site\",\"id\":\"a\",\"lines\":[{\"note\":\"\\u3042 \\\" x\"},{}],\"labels\":{\"k\":\"v\"}}",
    };
    uint32_t random = 2463534242u;
    for (int round = 0; round < 20000; round++) {
        char text[512];
        snprintf(text, sizeof text, "%s", seeds[round % 2]);
        size_t length = strlen(text);
        for (int change = 0; change < 1 + round % 4; change++) {
            random ^= random << 13;
            random ^= random >> 17;
            random ^= random << 5;
            static const char spice[] = "{}[]:,-\"'\n &*!|>#%@\\\x93\xE3\x01"
                                        "a0";
            text[random % length] = spice[(random >> 16) % (sizeof spice - 1)];
        }
        struct reading reading;
        read_text(&reading, round % 2 ? "a.json" : "a.yaml", text);
        for (size_t i = 0; i < reading.problems.count; i++) {
            assert_true(reading.problems.items[i]->en[0] && reading.problems.items[i]->ja[0]);
            assert_int_equal(strncmp(reading.problems.items[i]->path, "a.", 2), 0);
        }
        release(&reading);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mistake_is_named_with_its_place),
        cmocka_unit_test(all_mistakes_of_all_records_are_told_at_once),
        cmocka_unit_test(rules_of_the_registry_are_told_with_their_line),
        cmocka_unit_test(one_record_twice_in_a_transaction_is_refused),
        cmocka_unit_test(a_deep_document_is_refused_without_descending),
        cmocka_unit_test(a_list_an_items_object_and_many_documents_are_all_read),
        cmocka_unit_test(absent_and_zero_revisions_are_told_apart),
        cmocka_unit_test(a_path_is_found_only_in_its_own_record),
        cmocka_unit_test(damaged_files_end_in_problems_and_never_in_a_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
