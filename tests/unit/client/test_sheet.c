/* SPDX-License-Identifier: Apache-2.0 */
/* Files as Excel writes them: encodings, quotes, addresses of cells, cells that look like formulas. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/codec/grid.h"
#include "client/codec/sheet.h"

struct read {
    struct kz_sheet sheet;
    struct kz_violations problems;
    bool fine;
};

static void read_bytes(struct read *read, const void *bytes, size_t size_bytes)
{
    *read = (struct read){0};
    read->fine = kz_sheet_read(&read->sheet, "a.csv", bytes, size_bytes, &read->problems);
}
#define READ(read, literal) read_bytes((read), (literal), sizeof(literal) - 1)

static void forget(struct read *read)
{
    kz_sheet_fini(&read->sheet);
    kz_violations_fini(&read->problems);
}

static const char *cell(const struct read *read, size_t row, size_t column)
{
    assert_true(row < read->sheet.row_count);
    assert_true(column < read->sheet.rows[row].count);
    return read->sheet.rows[row].cells[column];
}

static void expect_problem(const struct read *read, const char *path, const char *rule)
{
    assert_false(read->fine);
    assert_int_equal(read->problems.count, 1);
    assert_string_equal(read->problems.items[0]->path, path);
    assert_string_equal(read->problems.items[0]->rule, rule);
}

static void every_encoding_of_excel_is_recognised(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size_bytes;
        enum kz_encoding encoding;
    } files[] = {
        {"\xEF\xBB\xBFid\r\n\xE8\xAA\xB2\r\n", 12, KZ_ENCODING_UTF8_BOM},
        {"id\r\n\xE8\xAA\xB2\r\n", 9, KZ_ENCODING_UTF8},
        {"id\r\n\x89\xDB\r\n", 8, KZ_ENCODING_CP932},
        {"\xFF\xFEi\0d\0\r\0\n\0\xB2\x8A\r\0\n\0", 16, KZ_ENCODING_UTF16},
        {"\xFE\xFF\0i\0d\0\r\0\n\x8A\xB2\0\r\0\n", 16, KZ_ENCODING_UTF16_BE},
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct read read;
        read_bytes(&read, files[i].bytes, files[i].size_bytes);
        assert_true(read.fine);
        assert_int_equal(read.sheet.encoding, files[i].encoding);
        assert_string_equal(cell(&read, 0, 0), "id");
        assert_string_equal(cell(&read, 1, 0), "\u8AB2"); /* 課 */
        forget(&read);
    }
}

static void characters_that_only_windows_knows_come_through_cp932(void **state)
{
    (void)state;
    struct read read;
    READ(&read, "id,name\r\n\x87\x40,\x81\x60\xFA\xB1\xED\x95\r\n"); /* ①, ～﨑, NEC's code of 﨑 */
    assert_true(read.fine);
    assert_int_equal(read.sheet.encoding, KZ_ENCODING_CP932);
    assert_string_equal(cell(&read, 1, 0), "①");
    assert_string_equal(cell(&read, 1, 1), "\uFF5E\uFA11\uFA11");
    forget(&read);
}

static void one_broken_byte_does_not_make_a_utf8_file_cp932(void **state)
{
    (void)state;
    struct read read;
    READ(&read, "id,name\n1,住民課\n2,戸籍\xE3住民課\n");
    assert_int_equal(read.sheet.encoding, KZ_ENCODING_UTF8);
    assert_string_equal(cell(&read, 1, 1), "住民課");
    expect_problem(&read, "a.csv:B3", "document.encoding");
    forget(&read);
}

static void a_byte_that_is_no_character_is_told_by_its_cell(void **state)
{
    (void)state;
    struct read read;
    READ(&read, "\x8E\xAF,\x96\xBC\r\n1,\x89\xDB\r\n2,\x89\xDB\xFF\r\n");
    expect_problem(&read, "a.csv:B3", "document.encoding");
    forget(&read);
    READ(&read, "\xFF\xFEi\0d\0\n\0\x00\xD8x\0\n\0"); /* half a surrogate */
    expect_problem(&read, "a.csv:A2", "document.encoding");
    forget(&read);
    READ(&read, "id\nx\0y\n");
    expect_problem(&read, "a.csv:A2", "document.encoding");
    forget(&read);
}

static void rows_are_counted_as_the_spreadsheet_counts_them(void **state)
{
    (void)state;
    struct read read;
    READ(&read, "id,note\r\n\r\na,\"1\r\n2\"\r\n,\r\n\r\nb,x\r\nc,y");
    assert_true(read.fine);
    assert_int_equal(read.sheet.row_count, 4);
    assert_int_equal(read.sheet.rows[1].number, 3);
    assert_string_equal(cell(&read, 1, 1), "1\r\n2");
    assert_int_equal(read.sheet.rows[2].number, 6);
    assert_int_equal(read.sheet.rows[3].number, 7);
    assert_string_equal(cell(&read, 3, 1), "y");
    forget(&read);
    READ(&read, "id\n\n\na\n"); /* LF alone */
    assert_int_equal(read.sheet.rows[1].number, 4);
    forget(&read);
    READ(&read, "id\r\ra\r"); /* CR alone */
    assert_int_equal(read.sheet.rows[1].number, 3);
    forget(&read);
}

static void columns_have_the_letters_of_the_spreadsheet(void **state)
{
    (void)state;
    static const struct {
        size_t column;
        const char *letters;
    } known[] = {{0, "A"}, {25, "Z"}, {26, "AA"}, {51, "AZ"}, {52, "BA"}, {701, "ZZ"}, {702, "AAA"}, {16383, "XFD"}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        struct kz_buf out;
        kz_buf_init(&out, 0);
        kz_sheet_add_letters(&out, known[i].column);
        assert_string_equal(kz_buf_text(&out), known[i].letters);
        kz_buf_fini(&out);
    }
}

static void tabs_part_columns_where_excel_wrote_unicode_text(void **state)
{
    (void)state;
    struct read read;
    READ(&read, "\xFF\xFEi\0d\0\t\0n\0\n\0a\0,\0b\0\t\0x\0\n\0");
    assert_true(read.fine);
    assert_string_equal(cell(&read, 1, 0), "a,b");
    assert_string_equal(cell(&read, 1, 1), "x");
    forget(&read);
}

static void spaces_and_quotes_of_a_cell_are_kept(void **state)
{
    (void)state;
    struct read read;
    READ(&read, "id,note\n a ,\"  \"\"q\"\" \"\n");
    assert_true(read.fine);
    assert_string_equal(cell(&read, 1, 0), " a ");
    assert_string_equal(cell(&read, 1, 1), "  \"q\" ");
    forget(&read);
}

static void quotes_that_are_not_closed_are_refused_with_their_place(void **state)
{
    (void)state;
    struct read read;
    READ(&read, "id,note\na,\"x\nb,y\n");
    expect_problem(&read, "a.csv:B2", "document.csv");
    forget(&read);
    READ(&read, "id,note\na,x\"y\n");
    expect_problem(&read, "a.csv:B2", "document.csv");
    forget(&read);
}

static void a_file_that_is_too_big_is_refused(void **state)
{
    (void)state;
    struct read read = {.fine = true};
    /* Only the size is looked at. */
    read.fine = kz_sheet_read(&read.sheet, "a.csv", "id\n", 3, &read.problems);
    assert_true(read.fine);
    forget(&read);
    size_t size_bytes = (size_t)KZ_SHEET_MAX_COLUMNS + 3;
    char *wide = malloc(size_bytes);
    assert_non_null(wide);
    memset(wide, ',', size_bytes);
    wide[0] = 'a';
    read_bytes(&read, wide, size_bytes);
    expect_problem(&read, "a.csv:A1", "document.size");
    forget(&read);
    free(wide);
}

/* Whatever the text, it comes back; and what stands in the file is no formula. */
static void what_looks_like_a_formula_is_neutral_and_comes_back(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "=1+1", "+81-3-0000-0001", "-", "@x", "＝1", "'=1", "''@", "'x", "x'", "\tx", "'", "", "普通", "=\"a\",b\n"};
    struct kz_grid grid = {0};
    struct kz_buf out;
    kz_buf_init(&out, 0);
    kz_grid_add_column(&grid, "id", false);
    kz_grid_add_column(&grid, "note", false);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        kz_grid_add_cell(&grid, "a");
        kz_grid_add_cell(&grid, texts[i]);
    }
    kz_grid_write_csv(&grid, true, false, &out);
    assert_null(strstr(kz_buf_text(&out), ",="));
    assert_null(strstr(kz_buf_text(&out), ",\"="));
    assert_null(strstr(kz_buf_text(&out), ",+"));
    struct read read;
    read_bytes(&read, out.data, out.size_bytes);
    assert_true(read.fine);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_string_equal(cell(&read, i + 1, 1), texts[i]);
    forget(&read);
    kz_grid_fini(&grid);
    kz_buf_fini(&out);
}

static void cp932_refuses_what_it_cannot_hold_and_names_it(void **state)
{
    (void)state;
    static const struct {
        const char *text, *refused;
    } texts[] = {
        {"①﨑髙 ～ 〜 ― — − － ∥ ‖ ¢ £ ¬ 'ｱ' \\ ~", ""},
        {"土\U00020BB7野", "\U00020BB7"},
        {"𠮷", "\U00020BB7"},
        {"9:00–17:00", "–"},
        {"¥100", "¥"},
        {"a‾b", "‾"},
        {"ゔ", "ゔ"},
        {"か\u3099", "\u3099"},
        {"é", "é"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char refused[KZ_CHARACTER_BYTES];
        assert_int_equal(kz_encoding_holds(KZ_ENCODING_CP932, texts[i].text, refused), !*texts[i].refused);
        assert_string_equal(refused, texts[i].refused);
        assert_true(kz_encoding_holds(KZ_ENCODING_UTF8, texts[i].text, refused));
    }
}

static void what_is_written_is_read_again_in_every_encoding(void **state)
{
    (void)state;
    static const char text[] = "id,名称\r\na,①～﨑\r\n";
    for (enum kz_encoding encoding = 0; encoding < KZ_ENCODING_COUNT; encoding++) {
        struct kz_buf out;
        kz_buf_init(&out, 0);
        assert_true(kz_encoding_encode(encoding, text, sizeof text - 1, &out));
        struct read read;
        read_bytes(&read, out.data, out.size_bytes);
        assert_true(read.fine);
        assert_int_equal(read.sheet.encoding, encoding);
        assert_string_equal(cell(&read, 1, 1), "①～﨑");
        forget(&read);
        kz_buf_fini(&out);
    }
}

static void a_wave_dash_is_written_to_cp932_as_its_twin(void **state)
{
    (void)state;
    struct kz_buf out, folded;
    kz_buf_init(&out, 0);
    kz_buf_init(&folded, 0);
    assert_true(kz_encoding_encode(KZ_ENCODING_CP932, "〜", 3, &out));
    assert_int_equal(out.size_bytes, 2);
    assert_memory_equal(out.data, "\x81\x60", 2);
    kz_encoding_fold(KZ_ENCODING_CP932, "9〜17−x", &folded);
    assert_string_equal(kz_buf_text(&folded), "9\uFF5E17\uFF0Dx");
    kz_buf_clear(&folded);
    kz_encoding_fold(KZ_ENCODING_UTF8, "9〜17", &folded);
    assert_string_equal(kz_buf_text(&folded), "9〜17");
    kz_buf_fini(&out);
    kz_buf_fini(&folded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_encoding_of_excel_is_recognised),
        cmocka_unit_test(characters_that_only_windows_knows_come_through_cp932),
        cmocka_unit_test(one_broken_byte_does_not_make_a_utf8_file_cp932),
        cmocka_unit_test(a_byte_that_is_no_character_is_told_by_its_cell),
        cmocka_unit_test(rows_are_counted_as_the_spreadsheet_counts_them),
        cmocka_unit_test(columns_have_the_letters_of_the_spreadsheet),
        cmocka_unit_test(tabs_part_columns_where_excel_wrote_unicode_text),
        cmocka_unit_test(spaces_and_quotes_of_a_cell_are_kept),
        cmocka_unit_test(quotes_that_are_not_closed_are_refused_with_their_place),
        cmocka_unit_test(a_file_that_is_too_big_is_refused),
        cmocka_unit_test(what_looks_like_a_formula_is_neutral_and_comes_back),
        cmocka_unit_test(cp932_refuses_what_it_cannot_hold_and_names_it),
        cmocka_unit_test(what_is_written_is_read_again_in_every_encoding),
        cmocka_unit_test(a_wave_dash_is_written_to_cp932_as_its_twin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
