/* SPDX-License-Identifier: Apache-2.0 */
/* Runbooks as Markdown: what is written reads back the same, and what people write is told off at its line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/codec/decode.h"
#include "client/codec/markdown.h"

#define RANDOM_TEXTS 3000

struct reading {
    struct kz_tree tree;
    struct kz_entries entries;
    struct kz_violations problems;
};

static void read_text(struct reading *reading, const char *text)
{
    *reading = (struct reading){.problems = {0}};
    if (kz_tree_read(&reading->tree, "手順.md", text, strlen(text), &reading->problems))
        (void)kz_decode_tree(&reading->tree, &reading->entries, &reading->problems);
}

static void drop(struct reading *reading)
{
    kz_violations_fini(&reading->problems);
    kz_entries_fini(&reading->entries);
    kz_tree_fini(&reading->tree);
}

static const Kz__Record *only(struct reading *reading)
{
    for (size_t i = 0; i < reading->problems.count; i++)
        print_message("%s %s\n", reading->problems.items[i]->path, reading->problems.items[i]->en);
    assert_int_equal(reading->problems.count, 0);
    assert_int_equal(reading->entries.count, 1);
    return reading->entries.items[0].record;
}

static void expect_round_trip(const Kz__Record *record)
{
    struct kz_buf out;
    struct reading reading;
    kz_buf_init(&out, 0);
    kz_markdown_write(&out, record);
    read_text(&reading, kz_buf_text(&out));
    if (reading.problems.count > 0 || !kz_record_same(record, only(&reading))) fail_msg("%s", kz_buf_text(&out));
    drop(&reading);
    kz_buf_fini(&out);
}

static void set(Kz__Record *record, size_t step, const char *name, const char *text)
{
    const struct kz_field *steps = kz_field_by_name(kz_kind_by_number(KZ__KIND__RUNBOOK)->fields, "steps");
    ProtobufCMessage *body = &record->runbook->base;
    while (kz_value_count(body, steps) <= step)
        assert_non_null(kz_value_add_group(body, steps));
    ProtobufCMessage *group = (ProtobufCMessage *)(uintptr_t)kz_value_group(body, steps, step);
    const struct kz_field *field = kz_field_by_name(steps->fields, name);
    if (field->type == KZ_FIELD_TEXT || field->type == KZ_FIELD_PROSE)
        assert_true(kz_value_add_text(group, field, text));
    else
        assert_null(kz_value_parse(group, field, text));
}

static Kz__Record *make_book(void)
{
    Kz__Record *record = kz_record_new(KZ__KIND__RUNBOOK, "kirikae");
    assert_non_null(record);
    Kz__Runbook *runbook = record->runbook;
    runbook->title = strdup("代替拠点への切替");
    runbook->has_phase = runbook->has_state = true;
    runbook->phase = KZ__RUNBOOK__PHASE__SWITCHOVER;
    runbook->state = KZ__RUNBOOK__STATE__DRAFT;
    runbook->trigger = strdup("---\n複数行の\n開始条件\n");
    runbook->note = strdup("# 備考");
    return record;
}

static void add_step(Kz__Record *record, const char *title, const char *body)
{
    size_t step = record->runbook->n_steps;
    set(record, step, "title", title);
    if (body != NULL) set(record, step, "body", body);
}

static void every_field_comes_back(void **state)
{
    (void)state;
    Kz__Record *record = make_book();
    add_step(record, "1. 番号で始まる表題", "一行\n");
    set(record, 0, "actor", "sekininsha");
    set(record, 0, "expected_time", "15m");
    set(record, 0, "expected_result", "\"引用\"\n2行目");
    set(record, 0, "point", "DECISION");
    set(record, 0, "evidence_first", "true");
    add_step(record, "内容なし", NULL);
    add_step(record, "## 見出し風", "- actor: 箇条書き\n");
    set(record, 2, "expected_result", "- a: b");
    record->has_confidentiality = true;
    record->confidentiality = 2;
    expect_round_trip(record);
    kz__record__free_unpacked(record, NULL);
}

static void texts_that_look_like_the_form_come_back(void **state)
{
    static const char *const texts[] = {
        "# 見出し\n\n本文",
        "## 見出し",
        "\\## 逆斜線",
        "\\\\## 二つ",
        "```\n# 注釈\n## 注釈\n```\n後",
        "```\n閉じない",
        "~~~sh\n```\n## x\n~~~~\n## y",
        "\n先頭が空行",
        "末尾\n",
        "末尾\n\n",
        "  字下げ",
        "- actor: x",
        "- [ ] 確認",
        "---\n\n---",
        "末尾の空白 ",
        "\t",
        "a\n\n\n\nb",
        "###### 六",
        "#付き",
        "   ```\n## x\n   ```",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        Kz__Record *record = make_book();
        add_step(record, "前", texts[i]);
        set(record, 0, "actor", "role");
        add_step(record, "後", texts[i]);
        expect_round_trip(record);
        kz__record__free_unpacked(record, NULL);
    }
}

/* Every text over what matters to the form, from a fixed seed. */
static void random_texts_come_back(void **state)
{
    static const char *const parts[] = {"#",   "##",         " ", "\n", "\n", "\\",  "```",
                                        "~~~", "- actor: x", "-", "a",  "\"", "1. ", "かな"};
    uint64_t seed = 0x9E3779B97F4A7C15;
    (void)state;
    for (size_t round = 0; round < RANDOM_TEXTS; round++) {
        Kz__Record *record = make_book();
        for (size_t step = 0; step < 2; step++) {
            struct kz_buf text;
            kz_buf_init(&text, 0);
            kz_buf_add_text(&text, ""); /* never NULL */
            for (size_t part = 0; part < 1 + round % 9; part++) {
                seed = seed * 6364136223846793005 + 1442695040888963407;
                kz_buf_add_text(&text, parts[(seed >> 33) % (sizeof parts / sizeof parts[0])]);
            }
            add_step(record, "表題", kz_buf_text(&text));
            kz_buf_fini(&text);
        }
        expect_round_trip(record);
        kz__record__free_unpacked(record, NULL);
    }
}

static void what_people_write_is_read(void **state)
{
    static const char text[] =
        "---\r\nid: kirikae\r\nphase: 切替\r\nstate: DRAFT\r\n---\r\n# 表題\r\n\r\n## 最初\r\n\r\n"
        "- 実施者: chief\r\n- 予定時間: 15分\r\n\r\n本文\r\n## 3. 次\r\n- point: STOP\r\n";
    struct reading reading;
    (void)state;
    read_text(&reading, text);
    const Kz__Runbook *runbook = only(&reading)->runbook;
    assert_string_equal(runbook->title, "表題");
    assert_int_equal(runbook->n_steps, 2);
    assert_string_equal(runbook->steps[0]->title, "最初");
    assert_string_equal(runbook->steps[0]->actor, "chief");
    assert_int_equal(runbook->steps[0]->expected_time, 15 * 60);
    assert_string_equal(runbook->steps[0]->body, "本文");
    assert_string_equal(runbook->steps[1]->title, "次");
    assert_int_equal(runbook->steps[1]->point, KZ__RUNBOOK__STEP__POINT__STOP);
    drop(&reading);
}

static void expect_problem(const char *text, const char *place)
{
    struct reading reading;
    read_text(&reading, text);
    bool found = false;
    for (size_t i = 0; i < reading.problems.count; i++)
        found = found || strncmp(reading.problems.items[i]->path, place, strlen(place)) == 0;
    if (!found) fail_msg("no problem at %s in: %s", place, text);
    drop(&reading);
}

#define FRONT "---\nid: x\nphase: INITIAL\nstate: DRAFT\n---\n"
static void what_is_wrong_is_told_with_its_line(void **state)
{
    (void)state;
    expect_problem("# 表題\n", "手順.md:1:");
    expect_problem("---\nid: x\n", "手順.md:1:");
    expect_problem("---\n- a\n---\n", "手順.md:1:");
    expect_problem("---\nid: x\nphase: nosuch\nstate: DRAFT\n---\n# t\n", "手順.md:3:");
    expect_problem(FRONT "# t\n\n置き場のない文\n", "手順.md:8:");
    expect_problem(FRONT "# t\n## 1. a\n- actr: chief\n", "手順.md:8:");
    expect_problem(FRONT "# t\n## 1. a\nすぐ本文\n", "手順.md:8:");
    expect_problem(FRONT "# t\n## 1. a\n- expected_time: すぐ\n", "手順.md:8:");
    expect_problem(FRONT "# t\n## 1. a\n- expected_result: \"閉じない\n", "手順.md:8:");
    expect_problem(FRONT "# t\n## 1. a\n\n本文\n# 二つ目\n", "手順.md:10:");
    expect_problem("", "手順.md:1:");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_comes_back),
        cmocka_unit_test(texts_that_look_like_the_form_come_back),
        cmocka_unit_test(random_texts_come_back),
        cmocka_unit_test(what_people_write_is_read),
        cmocka_unit_test(what_is_wrong_is_told_with_its_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
