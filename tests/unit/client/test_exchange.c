/* SPDX-License-Identifier: Apache-2.0 */
/* Every kind to CSV and back without loss; cells as people type them; faults by cell. */
#include "tests/unit/client/intake_world.h"

#include <string.h>

#include "client/codec/export.h"
#include "tests/unit/registry/samples.h"

#define SHEET_NAME_MAX 31 /* Excel's */
#define DAMAGED_ROUNDS 3000

/* ---- there and back ---- */

static void add_target(void *data, const char *path, Kz__Kind kind, const char *id)
{
    struct intake_world *world = data;
    (void)path;
    for (size_t i = 0; i < world->count; i++)
        if (world->records[i]->kind == kind && strcmp(world->records[i]->id, id) == 0) return;
    intake_hold(world, kz_record_new(kind, id));
}

static void go_there_and_back(const struct kz_kind *kind, bool japanese, enum kz_encoding encoding, bool is_new)
{
    struct intake_world world = {0};
    struct kz_buf bytes;
    kz_buf_init(&bytes, 0);
    Kz__Record *record = sample_full(kind->number);
    record->has_rev = !is_new;
    record->rev = is_new ? 0 : 7;
    kz_record_references(record, add_target, &world);
    intake_export(record, japanese, encoding, &bytes);
    if (!is_new) intake_hold(&world, record);
    intake_take_bytes(&world, kind->name, bytes.data, bytes.size_bytes);
    intake_expect_fine(&world);
    assert_int_equal(world.entries.count, is_new ? 1 : 0);
    if (is_new && !kz_record_same(world.entries.items[0].record, record)) fail_msg("%s lost something", kind->name);
    if (is_new) kz__record__free_unpacked(record, NULL);
    kz_buf_fini(&bytes);
    intake_forget(&world);
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

/* Every list twice as long, at every depth. */
static void double_lists(ProtobufCMessage *message, const struct kz_field *fields)
{
    for (const struct kz_field *field = fields; field->name; field++) {
        size_t count = kz_value_count(message, field);
        bool list = kz_codec_repeated(message->descriptor, field);
        for (size_t i = 0; i < count && field->type == KZ_FIELD_GROUP; i++)
            double_lists((ProtobufCMessage *)(uintptr_t)kz_value_group(message, field, i), field->fields);
        for (size_t i = 0; i < count && list; i++) {
            if (field->type != KZ_FIELD_GROUP) {
                assert_true(kz_value_add_text(message, field, kz_value_text(message, field, i)));
                continue;
            }
            const ProtobufCMessage *from = kz_value_group(message, field, i);
            ProtobufCMessage *to = kz_value_add_group(message, field);
            uint8_t bytes[4096];
            assert_true(protobuf_c_message_get_packed_size(from) <= sizeof bytes);
            size_t size_bytes = protobuf_c_message_pack(from, bytes);
            ProtobufCMessage *copy = protobuf_c_message_unpack(from->descriptor, NULL, size_bytes, bytes);
            assert_non_null(copy);
            /* The contents change places; the empty one is freed. */
            uint8_t *a = (uint8_t *)to, *b = (uint8_t *)copy;
            for (size_t at = 0; at < from->descriptor->sizeof_message; at++) {
                uint8_t byte = a[at];
                a[at] = b[at];
                b[at] = byte;
            }
            protobuf_c_message_free_unpacked(copy, NULL);
        }
    }
}

/* Rules may refuse what stands twice, so that only the records are compared. */
static void lists_of_every_kind_keep_their_items_and_order(void **state)
{
    (void)state;
    size_t count;
    const struct kz_kind *kinds = kz_kinds(&count);
    for (size_t i = 0; i < count; i++) {
        struct intake_world world = {0};
        struct kz_buf bytes;
        kz_buf_init(&bytes, 0);
        Kz__Record *record = sample_full(kinds[i].number);
        double_lists((ProtobufCMessage *)(uintptr_t)kz_record_body(record), kinds[i].fields);
        double_lists(&record->base, kz_envelope_fields());
        kz_record_references(record, add_target, &world);
        intake_export(record, true, KZ_ENCODING_UTF16, &bytes);
        intake_take_bytes(&world, kinds[i].name, bytes.data, bytes.size_bytes);
        assert_int_equal(world.entries.count, 1);
        if (!kz_record_same(world.entries.items[0].record, record)) fail_msg("%s lost something", kinds[i].name);
        kz_buf_fini(&bytes);
        kz__record__free_unpacked(record, NULL);
        intake_forget(&world);
    }
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
    struct intake_world world = {0};
    intake_hold_named(&world, "org", "joho", "情報システム課");
    intake_hold_named(&world, "org", "kita", "出張所");
    intake_hold_named(&world, "org", "minami", "出張所");
    intake_hold_named(&world, "org", "shomu", "joho2");
    intake_take(&world, "contact",
                "識別子,氏名,所属\r\n"
                "a,甲,情報システム課\r\nb,乙,ＪＯＨＯ\r\nc,丙,組織/"
                "情報ｼｽﾃﾑ課\r\nd,丁,出張所\r\ne,戊,情報しすてむ課\r\nf,己,どこにもない課\r\n");
    EXPECT_FOUND(&world.problems, "f.csv:C5 reference.live", "f.csv:C6 reference.live", "f.csv:C7 reference.live");
    assert_non_null(strstr(world.problems.items[0]->en, "kita, minami"));
    assert_int_equal(world.entries.count, 6);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(world.entries.items[i].record->contact->org, "joho");
    intake_forget(&world);
}

static void rows_may_refer_to_each_other_by_name(void **state)
{
    (void)state;
    struct intake_world world = {0};
    intake_hold_named(&world, "org", "joho", "情報システム課");
    intake_take(&world, "system",
                "id,name,owner,type,depends_on\n"
                "juki,住民基本台帳,joho,BUSINESS,統合仮想サーバ\nvm,統合仮想サーバ,joho,PLATFORM,\n");
    intake_expect_fine(&world);
    assert_string_equal(world.entries.items[0].record->system->depends_on[0], "vm");
    intake_forget(&world);
}

/* ---- faults, by cell ---- */

static void every_bad_cell_is_told_at_once_with_its_address(void **state)
{
    (void)state;
    struct intake_world world = {0};
    intake_hold_named(&world, "org", "joho", "情報システム課");
    intake_take(&world, "contact",
                "識別子,氏名,所属,連絡手段[1].手段,連絡手段[1].番号・アドレス,次回見直し,連絡手段[2].手段,連絡手段[2]."
                "番号・アドレス\r\n"
                "yamada,山田,情報システム課,MOBILE,090-0000-00O1,令和9年1月17日,,\r\n"
                "sato,佐藤,存在しない課,MOBILE,03,令和9年2月30日,,\r\n"
                ",鈴木,joho,,,,,\r\n"
                "ito,,joho,狼煙,山頂,,メール,nobody\r\n"
                "yamada,山田,joho,,,,,\r\n");
    EXPECT_FOUND(&world.problems, "f.csv:E2 channel.phone", "f.csv:C3 reference.live", "f.csv:F3 field.value",
                 "f.csv:A4 record.id", "f.csv:D5 field.choice");
    intake_forget(&world);
    world = (struct intake_world){0};
    intake_hold_named(&world, "org", "joho", "情報システム課");
    intake_take(&world, "contact", "id,name,org\nyamada,,joho\nsato,佐藤,joho\nsato,佐藤,joho\n");
    EXPECT_FOUND(&world.problems, "f.csv:B2 required");
    intake_forget(&world);
    world = (struct intake_world){0};
    intake_take(&world, "contact", "id,name\nsato,佐藤\nsato,佐藤\n");
    EXPECT_FOUND(&world.problems, "f.csv:A3 record.once");
    intake_forget(&world);
}

static void headers_are_refused_by_cell_with_what_was_meant(void **state)
{
    (void)state;
    struct intake_world world = {0};
    intake_take(&world, "contact", "id,nmae,連絡手段,氏名,name,,rev\nx,a,b,c,d,e,1\n");
    EXPECT_FOUND(&world.problems, "f.csv:B1 sheet.header", "f.csv:C1 sheet.header", "f.csv:E1 sheet.header",
                 "f.csv:F1 sheet.header");
    assert_non_null(strstr(world.problems.items[0]->en, "did you mean name"));
    assert_non_null(strstr(world.problems.items[1]->en, "channels[1].type"));
    intake_forget(&world);
    intake_take(&world, "contact", "name\nx\n");
    EXPECT_FOUND(&world.problems, "f.csv:A1 sheet.header");
    intake_forget(&world);
    intake_take(&world, "contact", "id,name\n");
    EXPECT_FOUND(&world.problems, "f.csv:A1 sheet.rows");
    intake_forget(&world);
}

static void columns_that_keizoku_sets_itself_are_left_alone(void **state)
{
    (void)state;
    struct intake_world world = {0};
    intake_hold_named(&world, "org", "joho", "情報システム課");
    intake_take(&world, "system", "更新日時,id,復旧優先度,name,owner,type,作成者\n昨日,a,Z,甲,joho,業務,誰か\n");
    intake_expect_fine(&world);
    assert_int_equal(world.entries.count, 1);
    intake_forget(&world);
}

static void an_export_names_the_cell_that_cp932_cannot_hold(void **state)
{
    (void)state;
    Kz__Record *record = intake_contact(5, "𠮷田", "9:00–17:00", "090-0000-0001");
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

/* Whatever is damaged, each record that comes out obeys the rules, or something is told. For the sanitizers, too. */
static void a_damaged_file_is_refused_or_still_a_table(void **state)
{
    (void)state;
    static const char file[] = "識別子,rev,氏名,所属,連絡手段[1].手段,連絡手段[1].番号・アドレス,次回見直し\r\n"
                               "yamada,5,山田,joho,MOBILE,090-0000-0001,令和9年1月17日\r\n"
                               "sato,,\"佐藤 花子\",情報システム課,職場電話,'+81-3-0000-0001,45674\r\n";
    uint64_t seed = UINT64_C(0x9E3779B97F4A7C15);
    size_t refused = 0, taken = 0;
    for (int round = 0; round < DAMAGED_ROUNDS; round++) {
        struct intake_world world = {0};
        char bytes[sizeof file];
        memcpy(bytes, file, sizeof file);
        for (int i = 0; i < 1 + round % 4; i++) {
            seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
            bytes[seed % (sizeof file - 1)] = (char)(seed >> 40);
        }
        intake_hold_named(&world, "org", "joho", "情報システム課");
        intake_hold(&world, intake_contact(5, "山田", "係長", "090-0000-0001"));
        intake_take_bytes(&world, "contact", bytes, sizeof file - 1 - (size_t)(round % 7));
        if (world.problems.count > 0) refused++;
        for (size_t i = 0; world.problems.count == 0 && i < world.entries.count; i++) {
            EXPECT_FINE(world.entries.items[i].record);
            taken++;
        }
        intake_forget(&world);
    }
    assert_true(refused > 0 && taken > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_comes_back_from_csv_as_it_was),
        cmocka_unit_test(lists_of_every_kind_keep_their_items_and_order),
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
        cmocka_unit_test(an_export_names_the_cell_that_cp932_cannot_hold),
        cmocka_unit_test(a_damaged_file_is_refused_or_still_a_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
