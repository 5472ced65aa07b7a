/* SPDX-License-Identifier: Apache-2.0 */
/* What both sides changed, and tables that somebody else designed. */
#include "tests/unit/client/intake_world.h"

#include <string.h>

#include "client/codec/mapping.h"
#include "tests/unit/registry/samples.h"

/* ---- what both sides changed ---- */

#define HEADER "id,rev,name,title,channels[1].type,channels[1].value,channels[1].note\n"

static void a_column_changed_on_one_side_only_is_merged(void **state)
{
    (void)state;
    struct intake_world world = {0};
    Kz__Record *base = intake_contact(5, "山田", "係長", "090-0000-0001");
    world.base = base;
    intake_hold(&world, intake_contact(9, "山田", "課長", "090-0000-0001"));
    intake_take(&world, "contact", HEADER "yamada,5,山田 太郎,係長,MOBILE,090-0000-0002,\n");
    intake_expect_fine(&world);
    assert_int_equal(world.entries.count, 1);
    const Kz__Record *merged = world.entries.items[0].record;
    assert_string_equal(merged->contact->name, "山田 太郎");
    assert_string_equal(merged->contact->title, "課長"); /* the server's */
    assert_string_equal(merged->contact->channels[0]->value, "090-0000-0002");
    assert_int_equal(world.entries.items[0].rev, 9); /* what is compared when it is written */
    intake_forget(&world);
    kz__record__free_unpacked(base, NULL);
}

static void a_column_changed_on_both_sides_is_a_conflict_until_one_is_taken(void **state)
{
    (void)state;
    static const struct {
        enum kz_take take;
        const char *title;
    } ways[] = {{KZ_TAKE_NONE, NULL}, {KZ_TAKE_FILE, "部長"}, {KZ_TAKE_SERVER, "課長"}};
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        struct intake_world world = {.take = ways[i].take};
        Kz__Record *base = intake_contact(5, "山田", "係長", "090-0000-0001");
        world.base = base;
        intake_hold(&world, intake_contact(9, "山田", "課長", "090-0000-0001"));
        intake_take(&world, "contact", HEADER "yamada,5,山田 太郎,部長,MOBILE,090-0000-0001,\n");
        assert_int_equal(world.problems.count, 0);
        if (!ways[i].title) {
            EXPECT_FOUND(&world.conflicts, "f.csv:D2 import.conflict");
            assert_non_null(strstr(world.conflicts.items[0]->en, "部長"));
            assert_non_null(strstr(world.conflicts.items[0]->en, "課長"));
            assert_non_null(strstr(world.conflicts.items[0]->en, "係長"));
        } else {
            assert_int_equal(world.conflicts.count, 0);
            assert_string_equal(world.entries.items[0].record->contact->title, ways[i].title);
            assert_string_equal(world.entries.items[0].record->contact->name, "山田 太郎");
        }
        intake_forget(&world);
        kz__record__free_unpacked(base, NULL);
    }
}

static void the_same_change_on_both_sides_is_none(void **state)
{
    (void)state;
    struct intake_world world = {0};
    Kz__Record *base = intake_contact(5, "山田", "係長", "090-0000-0001");
    world.base = base;
    intake_hold(&world, intake_contact(9, "山田", "課長", "090-0000-0001"));
    intake_take(&world, "contact", HEADER "yamada,5,山田,課長,MOBILE,０９０－００００－０００１,\n");
    intake_expect_fine(&world);
    assert_int_equal(world.entries.count, 0);
    intake_forget(&world);
    kz__record__free_unpacked(base, NULL);
}

/* The first channel of the file is not the first of the server any more: nothing of the two may be mixed. */
static void items_that_moved_on_the_server_are_not_mixed_with_those_of_the_file(void **state)
{
    (void)state;
    static const enum kz_take ways[] = {KZ_TAKE_NONE, KZ_TAKE_FILE, KZ_TAKE_SERVER};
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        struct intake_world world = {.take = ways[i]};
        Kz__Record *base = intake_contact(5, "山田", "係長", "090-0000-0001");
        Kz__Record *now = intake_contact(9, "山田", "係長", "090-0000-0009");
        assert_null(sample_set(now, "channels[1].type", "MOBILE"));
        assert_null(sample_set(now, "channels[1].value", "090-0000-0001"));
        world.base = base;
        intake_hold(&world, now);
        intake_take(&world, "contact", HEADER "yamada,5,山田,係長,MOBILE,090-0000-0001,夜間のみ\n");
        assert_int_equal(world.problems.count, 0);
        if (ways[i] == KZ_TAKE_NONE) {
            EXPECT_FOUND(&world.conflicts, "f.csv:G2 import.conflict");
        } else if (ways[i] == KZ_TAKE_SERVER) {
            assert_int_equal(world.entries.count, 0);
        } else {
            const Kz__Contact *contact = world.entries.items[0].record->contact;
            assert_int_equal(contact->n_channels, 1);
            assert_string_equal(contact->channels[0]->value, "090-0000-0001");
            assert_string_equal(contact->channels[0]->note, "夜間のみ");
        }
        intake_forget(&world);
        kz__record__free_unpacked(base, NULL);
    }
}

static void what_the_file_has_no_column_for_stays(void **state)
{
    (void)state;
    struct intake_world world = {0};
    intake_hold(&world, intake_contact(9, "山田", "課長", "090-0000-0001"));
    intake_take(&world, "contact", "id,title\nyamada,部長\n");
    intake_expect_fine(&world);
    const Kz__Record *merged = world.entries.items[0].record;
    assert_string_equal(merged->contact->name, "山田");
    assert_string_equal(merged->contact->title, "部長");
    assert_int_equal(merged->contact->n_channels, 1);
    intake_forget_file(&world);
    intake_take(&world, "contact", "id,title,channels[1].type,channels[1].value\nyamada,,,\n");
    intake_expect_fine(&world);
    assert_null(world.entries.items[0].record->contact->title);
    assert_int_equal(world.entries.items[0].record->contact->n_channels, 0);
    intake_forget(&world);
}

static void a_wave_dash_that_cp932_turned_is_no_change(void **state)
{
    (void)state;
    struct intake_world world = {0};
    struct kz_buf bytes;
    kz_buf_init(&bytes, 0);
    intake_hold(&world, intake_contact(9, "山田", "9〜17時 − 18時", "090-0000-0001"));
    intake_export(world.records[0], true, KZ_ENCODING_CP932, &bytes);
    intake_take_bytes(&world, "contact", bytes.data, bytes.size_bytes);
    intake_expect_fine(&world);
    assert_int_equal(world.entries.count, 0);
    kz_buf_fini(&bytes);
    intake_forget(&world);
}

static void a_row_without_revision_beside_others_that_have_one_is_new(void **state)
{
    (void)state;
    struct intake_world world = {0};
    intake_hold(&world, intake_contact(9, "山田", "課長", "090-0000-0001"));
    intake_take(&world, "contact", "id,rev,name\nyamada,,別の山田\nsato,,佐藤\n");
    assert_int_equal(world.problems.count, 0);
    EXPECT_FOUND(&world.conflicts, "f.csv:C2 import.conflict");
    intake_forget_file(&world);
    intake_take(&world, "contact", "id,rev,name\nyamada,12,山田\nsato,4,佐藤\n");
    EXPECT_FOUND(&world.problems, "f.csv:B2 import.rev");       /* from somewhere else */
    EXPECT_FOUND(&world.conflicts, "f.csv:A3 import.conflict"); /* retired meanwhile */
    intake_forget(&world);
}

/* ---- other people's tables ---- */

#define MAPPING                                                                                                                        \
    "kind: system\nheader_row: 3\nid: {column: 番号, prefix: chosa-}\n"                                                              \
    "columns: {名称: name, 主管部門: owner, 設置 場所: 'placements[1].site', OS: software, アプリ: software, 代替機: " \
    "spare_equipment}\n"                                                                                                               \
    "values: {代替機: {有: 代替機あり, 無: ''}, 主管部門: {情シス: 情報システム課}}\n"                         \
    "constants: {type: BUSINESS}\nignore: [受付印]\n"

static void a_table_somebody_else_designed_is_read_through_a_mapping(void **state)
{
    (void)state;
    struct intake_world world = {0};
    struct kz_mapping mapping;
    assert_true(kz_mapping_read(&mapping, "m.yaml", MAPPING, strlen(MAPPING), &world.problems));
    world.mapping = &mapping;
    intake_hold_named(&world, "org", "joho", "情報システム課");
    intake_hold_named(&world, "site", "main", "本庁舎");
    intake_take(&world, "system",
                "情報システム調査票,,,,,,,\r\n作成日,令和7年1月17日,,,,,,\r\n"
                "番号,名称,主管部門,\"設置\n場所\",OS,アプリ,代替機,受付印\r\n"
                "1,住民基本台帳,情シス,本庁舎,Linux,住基,有,印\r\n２,戸籍,情報システム課,,,戸籍,無,\r\n");
    intake_expect_fine(&world);
    assert_int_equal(world.entries.count, 2);
    const Kz__Record *first = world.entries.items[0].record, *second = world.entries.items[1].record;
    assert_string_equal(first->id, "chosa-1");
    assert_string_equal(first->system->owner, "joho");
    assert_string_equal(first->system->placements[0]->site, "main");
    assert_string_equal(first->system->software, "OS: Linux\nアプリ: 住基");
    assert_string_equal(first->system->spare_equipment, "代替機あり");
    assert_int_equal(first->system->type, KZ__SYSTEM__TYPE__BUSINESS);
    assert_string_equal(second->id, "chosa-2");
    assert_null(second->system->spare_equipment);
    intake_forget(&world);
    kz_mapping_fini(&mapping);
}

static void a_mapping_that_is_wrong_is_refused_with_every_place(void **state)
{
    (void)state;
    static const char text[] = "kind: system\nheader_row: x\nid: 番号\ncolumns: {a: nmae}\nconstants: {typ: X}\n"
                               "ignore: x\nvalues: {a: b}\nfoo: 1\n";
    struct kz_violations problems = {0};
    struct kz_mapping mapping;
    assert_false(kz_mapping_read(&mapping, "f.csv", text, strlen(text), &problems));
    assert_int_equal(problems.count, 7);
    kz_violations_fini(&problems);
    kz_mapping_fini(&mapping);
    assert_false(kz_mapping_read(&mapping, "f.csv", "columns: {}\n", 12, &problems));
    assert_int_equal(problems.count, 1);
    kz_violations_fini(&problems);
    kz_mapping_fini(&mapping);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_column_changed_on_one_side_only_is_merged),
        cmocka_unit_test(a_column_changed_on_both_sides_is_a_conflict_until_one_is_taken),
        cmocka_unit_test(the_same_change_on_both_sides_is_none),
        cmocka_unit_test(items_that_moved_on_the_server_are_not_mixed_with_those_of_the_file),
        cmocka_unit_test(what_the_file_has_no_column_for_stays),
        cmocka_unit_test(a_wave_dash_that_cp932_turned_is_no_change),
        cmocka_unit_test(a_row_without_revision_beside_others_that_have_one_is_new),
        cmocka_unit_test(a_table_somebody_else_designed_is_read_through_a_mapping),
        cmocka_unit_test(a_mapping_that_is_wrong_is_refused_with_every_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
