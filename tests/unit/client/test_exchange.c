/* SPDX-License-Identifier: Apache-2.0 */
/* Every kind to CSV and back without loss; cells as people type them; faults by cell; what both sides changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/codec/decode.h"
#include "client/codec/export.h"
#include "client/codec/intake.h"
#include "node/base/assert.h"
#include "tests/unit/registry/samples.h"

#define RECORDS_MAX 64
#define SHEET_NAME_MAX 31 /* Excel's */

/* ---- an import without a node ---- */

struct world {
    const Kz__Record *records[RECORDS_MAX]; /* owned */
    size_t count;
    struct kz_set set;
    const struct kz_mapping *mapping;
    enum kz_take take;
    const Kz__Record *base; /* of every row, where not NULL */
    struct kz_sheet sheet;
    struct kz_intake intake;
    struct kz_tree tree;
    struct kz_entries entries;
    struct kz_violations problems, conflicts;
};

static void hold(struct world *world, Kz__Record *record)
{
    assert_non_null(record);
    assert_true(world->count < RECORDS_MAX);
    world->records[world->count++] = record;
}

/* "org/joho 情報システム課": a record with a name. */
static Kz__Record *hold_named(struct world *world, const char *kind, const char *id, const char *name)
{
    Kz__Record *record = kz_record_new(kz_kind_by_name(kind)->number, id);
    hold(world, record);
    if (name) assert_null(sample_set(record, "name", name));
    record->has_rev = true;
    record->rev = 5;
    return record;
}

static void take_bytes(struct world *world, const char *kind, const void *bytes, size_t size_bytes)
{
    kz_set_init(&world->set, world->records, world->count);
    if (!kz_sheet_read(&world->sheet, "f.csv", bytes, size_bytes, &world->problems)) return;
    if (!kz_intake_open(&world->intake, kz_kind_by_name(kind), &world->sheet, world->mapping, &world->set,
                        &world->problems) &&
        world->intake.row_count == 0)
        return;
    for (size_t i = 0; world->base && i < world->intake.row_count; i++)
        world->intake.rows[i].base = world->base;
    kz_intake_merge(&world->intake, world->take, &world->tree, &world->problems, &world->conflicts);
    (void)kz_decode_tree(&world->tree, &world->entries, &world->problems);
}

static void take_csv(struct world *world, const char *kind, const char *text)
{
    take_bytes(world, kind, text, strlen(text));
}

/* Ready for the next file; the records stay. */
static void forget_file(struct world *world)
{
    kz_entries_fini(&world->entries);
    kz_tree_fini(&world->tree);
    kz_intake_fini(&world->intake);
    kz_sheet_fini(&world->sheet);
    kz_set_fini(&world->set);
    kz_violations_fini(&world->problems);
    kz_violations_fini(&world->conflicts);
}

static void forget(struct world *world)
{
    forget_file(world);
    for (size_t i = 0; i < world->count; i++)
        kz__record__free_unpacked((Kz__Record *)(uintptr_t)world->records[i], NULL);
    *world = (struct world){0};
}

static void expect_fine(const struct world *world)
{
    for (size_t i = 0; i < world->problems.count; i++)
        print_error("%s: %s\n", world->problems.items[i]->path, world->problems.items[i]->en);
    for (size_t i = 0; i < world->conflicts.count; i++)
        print_error("conflict %s: %s\n", world->conflicts.items[i]->path, world->conflicts.items[i]->en);
    assert_int_equal(world->problems.count, 0);
    assert_int_equal(world->conflicts.count, 0);
}

/* Exactly these, each "f.csv:B2 rule", in any order. */
static void expect_found(const struct kz_violations *found, size_t count, const char *const wanted[])
{
    for (size_t i = 0; i < found->count; i++) {
        char text[512];
        size_t length = strcspn(found->items[i]->path + strlen("f.csv:"), ":") + strlen("f.csv:");
        snprintf(text, sizeof text, "%.*s %s", (int)length, found->items[i]->path, found->items[i]->rule);
        bool known = false;
        for (size_t j = 0; j < count; j++)
            known = known || strcmp(wanted[j], text) == 0;
        if (!known) fail_msg("%s: %s", text, found->items[i]->en);
    }
    assert_int_equal(found->count, count);
}
#define EXPECT_FOUND(violations, ...)                                                                                  \
    expect_found((violations), sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *), (const char *[]){__VA_ARGS__})

/* ---- there and back ---- */

static void add_target(void *data, const char *path, Kz__Kind kind, const char *id)
{
    struct world *world = data;
    (void)path;
    for (size_t i = 0; i < world->count; i++)
        if (world->records[i]->kind == kind && strcmp(world->records[i]->id, id) == 0) return;
    hold(world, kz_record_new(kind, id));
}

static void export_record(const Kz__Record *record, bool japanese, enum kz_encoding encoding, struct kz_buf *out)
{
    struct kz_export what = {.kind = kz_kind_by_number(record->kind), .records = &record, .count = 1};
    struct kz_grid grid = {0};
    struct kz_buf text;
    kz_buf_init(&text, 0);
    kz_export_grid(&what, japanese, &grid);
    kz_grid_write_csv(&grid, true, false, &text);
    assert_true(kz_encoding_encode(encoding, kz_buf_text(&text), text.size_bytes, out));
    kz_buf_fini(&text);
    kz_grid_fini(&grid);
}

static void go_there_and_back(const struct kz_kind *kind, bool japanese, enum kz_encoding encoding, bool is_new)
{
    struct world world = {0};
    struct kz_buf bytes;
    kz_buf_init(&bytes, 0);
    Kz__Record *record = sample_full(kind->number);
    record->has_rev = !is_new;
    record->rev = is_new ? 0 : 7;
    kz_record_references(record, add_target, &world);
    export_record(record, japanese, encoding, &bytes);
    if (!is_new) hold(&world, record);
    take_bytes(&world, kind->name, bytes.data, bytes.size_bytes);
    expect_fine(&world);
    assert_int_equal(world.entries.count, is_new ? 1 : 0);
    if (is_new && !kz_record_same(world.entries.items[0].record, record)) fail_msg("%s lost something", kind->name);
    if (is_new) kz__record__free_unpacked(record, NULL);
    kz_buf_fini(&bytes);
    forget(&world);
}

static void every_kind_comes_back_from_csv_as_it_was(void **state)
{
    (void)state;
    size_t count;
    const struct kz_kind *kinds = kz_kinds(&count);
    for (size_t i = 0; i < count; i++)
        for (enum kz_encoding encoding = 0; encoding < KZ_ENCODING_COUNT; encoding++)
            for (int japanese = 0; japanese < 2; japanese++)
                for (int is_new = 0; is_new < 2; is_new++)
                    go_there_and_back(&kinds[i], japanese, encoding, is_new);
}

static void every_column_is_found_by_its_header_in_both_languages(void **state)
{
    (void)state;
    size_t count, seen = 0;
    const struct kz_kind *kinds = kz_kinds(&count);
    for (size_t i = 0; i < count; i++) {
        struct kz_column_paths paths;
        Kz__Record *record = sample_full(kinds[i].number);
        const Kz__Record *records[] = {record};
        kz_columns_collect(&paths, &kinds[i], records, 1);
        for (size_t j = 0; j < 2 * paths.count; j++) {
            struct kz_buf header;
            struct kz_column_path again;
            kz_buf_init(&header, 0);
            kz_column_header(&header, &kinds[i], &paths.items[j / 2], j % 2);
            if (!kz_column_parse(&kinds[i], kz_buf_text(&header), &again, NULL) ||
                kz_column_compare(&again, &paths.items[j / 2]) != 0)
                fail_msg("%s: %s", kinds[i].name, kz_buf_text(&header));
            /* A cell of a list is parted by lines. */
            const struct kz_field *field = kz_column_field(&again);
            assert_false(field->type == KZ_FIELD_PROSE && kz_column_is_list(&kinds[i], &again));
            kz_buf_fini(&header);
            seen++;
        }
        kz_columns_fini(&paths);
        kz__record__free_unpacked(record, NULL);
    }
    assert_true(seen > 500);
}

static void the_name_of_every_kind_fits_a_sheet(void **state)
{
    (void)state;
    size_t count;
    const struct kz_kind *kinds = kz_kinds(&count);
    for (size_t i = 0; i < count; i++) {
        const char *names[] = {kinds[i].name, kinds[i].label.ja};
        for (size_t j = 0; j < 2; j++) {
            assert_true(strlen(names[j]) <= SHEET_NAME_MAX);
            assert_null(strpbrk(names[j], "[]:*?/\\'"));
        }
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(kinds[i].label.ja, kinds[j].label.ja);
    }
}

static void a_header_in_the_middle_of_groups_is_understood(void **state)
{
    (void)state;
    const struct kz_kind *contact = kz_kind_by_name("contact"), *org = kz_kind_by_name("org");
    struct kz_column_path path, other;
    const struct kz_field *near = NULL;
    assert_true(kz_column_parse(contact, "channels[2].value", &path, NULL));
    assert_int_equal(path.depth, 2);
    assert_int_equal(path.steps[0].item, 1);
    assert_true(kz_column_parse(contact, "ＣＨＡＮＮＥＬＳ［２］．番号・アドレス", &other, NULL));
    assert_int_equal(kz_column_compare(&path, &other), 0);
    assert_true(kz_column_parse(contact, "channels.value", &other, NULL)); /* the first */
    assert_int_equal(other.steps[0].item, 0);
    assert_true(kz_column_parse(org, "契約事項.別の支援拠点[1].電話番号", &path, NULL));
    assert_int_equal(path.depth, 3);
    assert_false(kz_column_parse(contact, "channels[0].value", &path, NULL));
    assert_false(kz_column_parse(contact, "channels[x].value", &path, NULL));
    assert_false(kz_column_parse(contact, "channels[99999].value", &path, NULL));
    assert_false(kz_column_parse(contact, "name[1]", &path, NULL));
    assert_false(kz_column_parse(contact, "name.value", &path, NULL));
    assert_false(kz_column_parse(contact, "channels", &path, NULL));
    assert_false(kz_column_parse(contact, "", &path, NULL));
    assert_false(kz_column_parse(contact, "channels[1].valeu", &path, &near));
    assert_non_null(near);
    assert_string_equal(near->name, "value");
}

/* ---- cells as people type them ---- */

static void expect_cell(const char *kind, const char *header, const char *typed, const char *meant)
{
    struct kz_column_path path;
    struct kz_buf out;
    kz_buf_init(&out, 0);
    assert_true(kz_column_parse(kz_kind_by_name(kind), header, &path, NULL));
    bool fine = kz_column_normalize(&out, kz_kind_by_name(kind), &path, typed);
    if (fine != (meant != NULL)) fail_msg("%s: %s", header, typed);
    assert_string_equal(kz_buf_text(&out), meant ? meant : typed);
    kz_buf_fini(&out);
}

static void dates_are_understood_as_japan_and_excel_write_them(void **state)
{
    (void)state;
    static const char *const same[] = {"2025-01-17", "令和7年1月17日",       "R7.1.17", "r7/1/17",
                                       "2025/1/17",  "２０２５年１月１７日", " 45674 ", "４５６７４",
                                       "45674.503",  "令和７年１月１７日"};
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
        expect_cell("contact", "review_due", same[i], "2025-01-17");
    expect_cell("contact", "次回見直し", "令和元年5月1日", "2019-05-01");
    expect_cell("contact", "review_due", "平成31年4月30日", "2019-04-30");
    expect_cell("contact", "review_due", "", "");
    expect_cell("contact", "review_due", "　", "");
    expect_cell("contact", "review_due", "令和7年2月30日", NULL);
    expect_cell("contact", "review_due", "2025", NULL); /* a year is no serial */
    expect_cell("contact", "review_due", "9999", NULL);
    expect_cell("contact", "review_due", "999999", NULL); /* past 2199 */
    expect_cell("backup", "last_success", "45674.25", "2025-01-17T06:00:00+09:00");
    expect_cell("backup", "last_success", "令和7年1月17日 5時46分", "2025-01-17T05:46:00+09:00");
}

static void phones_numbers_and_durations_are_understood(void **state)
{
    (void)state;
    expect_cell("contact", "channels[1].value", "０３ー００００ー０００１", "03-0000-0001");
    expect_cell("contact", "channels[1].value", "03‐0000－0001", "03-0000-0001");
    expect_cell("contact", "channels[1].value", "03−0000-0001", "03-0000-0001");
    expect_cell("system", "users", "００１，２００", "1200");
    expect_cell("system", "users", "007", "7");
    expect_cell("system", "users", "many", NULL);
    expect_cell("system", "rto", "3時間", "3h");
    expect_cell("system", "rto", "３ｈ", "3h");
    expect_cell("system", "rto", "1日", "1d");
    expect_cell("system", "rto", "2週間", "2w");
    expect_cell("system", "rto", "3", NULL);
    expect_cell("system", "type", "業務", "BUSINESS");
    expect_cell("system", "placements[1].primary", "○", "true");
    expect_cell("system", "depends_on", "a、b\nc ,d", "a, b, c, d");
    expect_cell("contact", "qualifications", "防災士\r\n\n電気主任技術者", "防災士\n電気主任技術者");
    expect_cell("contact", "name", " 山田  太郎 ", " 山田  太郎 "); /* as typed */
    expect_cell("contact", "labels", "a=1\nb=x=y", "a=1\nb=x=y");
}

static void names_stand_for_ids_where_they_name_only_one(void **state)
{
    (void)state;
    struct world world = {0};
    hold_named(&world, "org", "joho", "情報システム課");
    hold_named(&world, "org", "kita", "出張所");
    hold_named(&world, "org", "minami", "出張所");
    hold_named(&world, "org", "shomu", "joho2");
    take_csv(&world, "contact",
             "識別子,氏名,所属\r\n"
             "a,甲,情報システム課\r\nb,乙,ＪＯＨＯ\r\nc,丙,組織/"
             "情報ｼｽﾃﾑ課\r\nd,丁,出張所\r\ne,戊,情報しすてむ課\r\nf,己,どこにもない課\r\n");
    EXPECT_FOUND(&world.problems, "f.csv:C5 reference.live", "f.csv:C6 reference.live", "f.csv:C7 reference.live");
    assert_non_null(strstr(world.problems.items[0]->en, "kita, minami"));
    assert_int_equal(world.entries.count, 6);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(world.entries.items[i].record->contact->org, "joho");
    forget(&world);
}

static void rows_may_refer_to_each_other_by_name(void **state)
{
    (void)state;
    struct world world = {0};
    hold_named(&world, "org", "joho", "情報システム課");
    take_csv(&world, "system",
             "id,name,owner,type,depends_on\n"
             "juki,住民基本台帳,joho,BUSINESS,統合仮想サーバ\nvm,統合仮想サーバ,joho,PLATFORM,\n");
    expect_fine(&world);
    assert_string_equal(world.entries.items[0].record->system->depends_on[0], "vm");
    forget(&world);
}

/* ---- faults, by cell ---- */

static void every_bad_cell_is_told_at_once_with_its_address(void **state)
{
    (void)state;
    struct world world = {0};
    hold_named(&world, "org", "joho", "情報システム課");
    take_csv(&world, "contact",
             "識別子,氏名,所属,連絡手段[1].手段,連絡手段[1].番号・アドレス,次回見直し,連絡手段[2].手段,連絡手段[2]."
             "番号・アドレス\r\n"
             "yamada,山田,情報システム課,MOBILE,090-0000-00O1,令和9年1月17日,,\r\n"
             "sato,佐藤,存在しない課,MOBILE,03,令和9年2月30日,,\r\n"
             ",鈴木,joho,,,,,\r\n"
             "ito,,joho,狼煙,山頂,,メール,nobody\r\n"
             "yamada,山田,joho,,,,,\r\n");
    EXPECT_FOUND(&world.problems, "f.csv:E2 channel.phone", "f.csv:C3 reference.live", "f.csv:F3 field.value",
                 "f.csv:A4 record.id", "f.csv:D5 field.choice");
    forget(&world);
    world = (struct world){0};
    hold_named(&world, "org", "joho", "情報システム課");
    take_csv(&world, "contact", "id,name,org\nyamada,,joho\nsato,佐藤,joho\nsato,佐藤,joho\n");
    EXPECT_FOUND(&world.problems, "f.csv:B2 required");
    forget(&world);
    world = (struct world){0};
    take_csv(&world, "contact", "id,name\nsato,佐藤\nsato,佐藤\n");
    EXPECT_FOUND(&world.problems, "f.csv:A3 record.once");
    forget(&world);
}

static void headers_are_refused_by_cell_with_what_was_meant(void **state)
{
    (void)state;
    struct world world = {0};
    take_csv(&world, "contact", "id,nmae,連絡手段,氏名,name,,rev\nx,a,b,c,d,e,1\n");
    EXPECT_FOUND(&world.problems, "f.csv:B1 sheet.header", "f.csv:C1 sheet.header", "f.csv:E1 sheet.header",
                 "f.csv:F1 sheet.header");
    assert_non_null(strstr(world.problems.items[0]->en, "did you mean name"));
    assert_non_null(strstr(world.problems.items[1]->en, "channels[1].type"));
    forget(&world);
    take_csv(&world, "contact", "name\nx\n");
    EXPECT_FOUND(&world.problems, "f.csv:A1 sheet.header");
    forget(&world);
    take_csv(&world, "contact", "id,name\n");
    EXPECT_FOUND(&world.problems, "f.csv:A1 sheet.rows");
    forget(&world);
}

static void columns_that_keizoku_sets_itself_are_left_alone(void **state)
{
    (void)state;
    struct world world = {0};
    hold_named(&world, "org", "joho", "情報システム課");
    take_csv(&world, "system", "更新日時,id,復旧優先度,name,owner,type,作成者\n昨日,a,Z,甲,joho,業務,誰か\n");
    expect_fine(&world);
    assert_int_equal(world.entries.count, 1);
    forget(&world);
}

/* ---- what both sides changed ---- */

static Kz__Record *make_contact(uint64_t rev, const char *name, const char *title, const char *phone)
{
    Kz__Record *record = kz_record_new(KZ__KIND__CONTACT, "yamada");
    assert_non_null(record);
    assert_null(sample_set(record, "name", name));
    assert_null(sample_set(record, "title", title));
    assert_null(sample_set(record, "channels[0].type", "MOBILE"));
    assert_null(sample_set(record, "channels[0].value", phone));
    record->has_rev = true;
    record->rev = rev;
    return record;
}

#define HEADER "id,rev,name,title,channels[1].type,channels[1].value,channels[1].note\n"

static void a_column_changed_on_one_side_only_is_merged(void **state)
{
    (void)state;
    struct world world = {0};
    Kz__Record *base = make_contact(5, "山田", "係長", "090-0000-0001");
    world.base = base;
    hold(&world, make_contact(9, "山田", "課長", "090-0000-0001"));
    take_csv(&world, "contact", HEADER "yamada,5,山田 太郎,係長,MOBILE,090-0000-0002,\n");
    expect_fine(&world);
    assert_int_equal(world.entries.count, 1);
    const Kz__Record *merged = world.entries.items[0].record;
    assert_string_equal(merged->contact->name, "山田 太郎");
    assert_string_equal(merged->contact->title, "課長"); /* the server's */
    assert_string_equal(merged->contact->channels[0]->value, "090-0000-0002");
    assert_int_equal(world.entries.items[0].rev, 9); /* what is compared when it is written */
    forget(&world);
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
        struct world world = {.take = ways[i].take};
        Kz__Record *base = make_contact(5, "山田", "係長", "090-0000-0001");
        world.base = base;
        hold(&world, make_contact(9, "山田", "課長", "090-0000-0001"));
        take_csv(&world, "contact", HEADER "yamada,5,山田 太郎,部長,MOBILE,090-0000-0001,\n");
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
        forget(&world);
        kz__record__free_unpacked(base, NULL);
    }
}

static void the_same_change_on_both_sides_is_none(void **state)
{
    (void)state;
    struct world world = {0};
    Kz__Record *base = make_contact(5, "山田", "係長", "090-0000-0001");
    world.base = base;
    hold(&world, make_contact(9, "山田", "課長", "090-0000-0001"));
    take_csv(&world, "contact", HEADER "yamada,5,山田,課長,MOBILE,０９０－００００－０００１,\n");
    expect_fine(&world);
    assert_int_equal(world.entries.count, 0);
    forget(&world);
    kz__record__free_unpacked(base, NULL);
}

/* The first channel of the file is not the first of the server any more: nothing of the two may be mixed. */
static void items_that_moved_on_the_server_are_not_mixed_with_those_of_the_file(void **state)
{
    (void)state;
    static const enum kz_take ways[] = {KZ_TAKE_NONE, KZ_TAKE_FILE, KZ_TAKE_SERVER};
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        struct world world = {.take = ways[i]};
        Kz__Record *base = make_contact(5, "山田", "係長", "090-0000-0001");
        Kz__Record *now = make_contact(9, "山田", "係長", "090-0000-0009");
        assert_null(sample_set(now, "channels[1].type", "MOBILE"));
        assert_null(sample_set(now, "channels[1].value", "090-0000-0001"));
        world.base = base;
        hold(&world, now);
        take_csv(&world, "contact", HEADER "yamada,5,山田,係長,MOBILE,090-0000-0001,夜間のみ\n");
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
        forget(&world);
        kz__record__free_unpacked(base, NULL);
    }
}

static void what_the_file_has_no_column_for_stays(void **state)
{
    (void)state;
    struct world world = {0};
    hold(&world, make_contact(9, "山田", "課長", "090-0000-0001"));
    take_csv(&world, "contact", "id,title\nyamada,部長\n");
    expect_fine(&world);
    const Kz__Record *merged = world.entries.items[0].record;
    assert_string_equal(merged->contact->name, "山田");
    assert_string_equal(merged->contact->title, "部長");
    assert_int_equal(merged->contact->n_channels, 1);
    forget_file(&world);
    take_csv(&world, "contact", "id,title,channels[1].type,channels[1].value\nyamada,,,\n");
    expect_fine(&world);
    assert_null(world.entries.items[0].record->contact->title);
    assert_int_equal(world.entries.items[0].record->contact->n_channels, 0);
    forget(&world);
}

static void a_wave_dash_that_cp932_turned_is_no_change(void **state)
{
    (void)state;
    struct world world = {0};
    struct kz_buf bytes;
    kz_buf_init(&bytes, 0);
    hold(&world, make_contact(9, "山田", "9〜17時 − 18時", "090-0000-0001"));
    export_record(world.records[0], true, KZ_ENCODING_CP932, &bytes);
    take_bytes(&world, "contact", bytes.data, bytes.size_bytes);
    expect_fine(&world);
    assert_int_equal(world.entries.count, 0);
    kz_buf_fini(&bytes);
    forget(&world);
}

static void a_row_without_revision_beside_others_that_have_one_is_new(void **state)
{
    (void)state;
    struct world world = {0};
    hold(&world, make_contact(9, "山田", "課長", "090-0000-0001"));
    take_csv(&world, "contact", "id,rev,name\nyamada,,別の山田\nsato,,佐藤\n");
    assert_int_equal(world.problems.count, 0);
    EXPECT_FOUND(&world.conflicts, "f.csv:C2 import.conflict");
    forget_file(&world);
    take_csv(&world, "contact", "id,rev,name\nyamada,12,山田\nsato,4,佐藤\n");
    EXPECT_FOUND(&world.problems, "f.csv:B2 import.rev");       /* from somewhere else */
    EXPECT_FOUND(&world.conflicts, "f.csv:A3 import.conflict"); /* retired meanwhile */
    forget(&world);
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
    struct world world = {0};
    struct kz_mapping mapping;
    assert_true(kz_mapping_read(&mapping, "m.yaml", MAPPING, strlen(MAPPING), &world.problems));
    world.mapping = &mapping;
    hold_named(&world, "org", "joho", "情報システム課");
    hold_named(&world, "site", "main", "本庁舎");
    take_csv(&world, "system",
             "情報システム調査票,,,,,,,\r\n作成日,令和7年1月17日,,,,,,\r\n"
             "番号,名称,主管部門,\"設置\n場所\",OS,アプリ,代替機,受付印\r\n"
             "1,住民基本台帳,情シス,本庁舎,Linux,住基,有,印\r\n２,戸籍,情報システム課,,,戸籍,無,\r\n");
    expect_fine(&world);
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
    forget(&world);
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

static void an_export_names_the_cell_that_cp932_cannot_hold(void **state)
{
    (void)state;
    Kz__Record *record = make_contact(5, "𠮷田", "9:00–17:00", "090-0000-0001");
    const Kz__Record *records[] = {record};
    struct kz_export what = {.kind = kz_kind_by_name("contact"), .records = records, .count = 1};
    struct kz_grid grid = {0};
    struct kz_violations refused = {0};
    kz_export_grid(&what, true, &grid);
    assert_true(kz_export_check(&what, &grid, "f.csv", KZ_ENCODING_UTF8, &refused));
    assert_false(kz_export_check(&what, &grid, "f.csv", KZ_ENCODING_CP932, &refused));
    EXPECT_FOUND(&refused, "f.csv:C2 export.encoding", "f.csv:F2 export.encoding");
    assert_non_null(strstr(refused.items[0]->ja, "𠮷"));
    kz_violations_fini(&refused);
    kz_grid_fini(&grid);
    kz__record__free_unpacked(record, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_comes_back_from_csv_as_it_was),
        cmocka_unit_test(every_column_is_found_by_its_header_in_both_languages),
        cmocka_unit_test(the_name_of_every_kind_fits_a_sheet),
        cmocka_unit_test(a_header_in_the_middle_of_groups_is_understood),
        cmocka_unit_test(dates_are_understood_as_japan_and_excel_write_them),
        cmocka_unit_test(phones_numbers_and_durations_are_understood),
        cmocka_unit_test(names_stand_for_ids_where_they_name_only_one),
        cmocka_unit_test(rows_may_refer_to_each_other_by_name),
        cmocka_unit_test(every_bad_cell_is_told_at_once_with_its_address),
        cmocka_unit_test(headers_are_refused_by_cell_with_what_was_meant),
        cmocka_unit_test(columns_that_keizoku_sets_itself_are_left_alone),
        cmocka_unit_test(a_column_changed_on_one_side_only_is_merged),
        cmocka_unit_test(a_column_changed_on_both_sides_is_a_conflict_until_one_is_taken),
        cmocka_unit_test(the_same_change_on_both_sides_is_none),
        cmocka_unit_test(items_that_moved_on_the_server_are_not_mixed_with_those_of_the_file),
        cmocka_unit_test(what_the_file_has_no_column_for_stays),
        cmocka_unit_test(a_wave_dash_that_cp932_turned_is_no_change),
        cmocka_unit_test(a_row_without_revision_beside_others_that_have_one_is_new),
        cmocka_unit_test(a_table_somebody_else_designed_is_read_through_a_mapping),
        cmocka_unit_test(a_mapping_that_is_wrong_is_refused_with_every_place),
        cmocka_unit_test(an_export_names_the_cell_that_cp932_cannot_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
