/* SPDX-License-Identifier: Apache-2.0 */
/* Width on a terminal, tables, CSV. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "client/codec/grid.h"
#include "client/codec/width.h"

static void kanji_count_two_half_width_kana_one_and_marks_none(void **state)
{
    (void)state;
    assert_int_equal(kz_width("abc", 1), 3);
    assert_int_equal(kz_width("住基", 1), 4);
    assert_int_equal(kz_width("ｶﾞｷﾞ", 1), 4);
    assert_int_equal(kz_width("か\xE3\x82\x99", 1), 2); /* か + combining voiced mark */
    assert_int_equal(kz_width("e\xCC\x81", 1), 1);
    assert_int_equal(kz_width("、。「」", 1), 8);
    assert_int_equal(kz_width("ＡＢ", 1), 4);
    assert_int_equal(kz_width("", 1), 0);
}

static void ambiguous_characters_are_as_wide_as_the_terminal_has_them(void **state)
{
    (void)state;
    assert_int_equal(kz_width("①○α※…", 1), 5);
    assert_int_equal(kz_width("①○α※…", 2), 10);
    assert_int_equal(kz_width("住ｶabc", 2), 6);
}

static void a_cut_never_exceeds_its_columns_nor_splits_a_character(void **state)
{
    (void)state;
    for (int ambiguous = 1; ambiguous <= 2; ambiguous++)
        for (size_t columns = 0; columns <= 20; columns++) {
            struct kz_buf out;
            kz_buf_init(&out, 0);
            size_t used = kz_width_add_cut(&out, "住民a情報ｶﾞシステム", columns, ambiguous);
            assert_int_equal(used, kz_width(kz_buf_text(&out), ambiguous));
            assert_true(used <= columns);
            if (columns < 19) assert_string_not_equal(kz_buf_text(&out), "住民a情報ｶﾞシステム");
            kz_buf_fini(&out);
        }
}

static void text_cannot_move_the_readers_cursor(void **state)
{
    (void)state;
    struct kz_buf out;
    kz_buf_init(&out, 0);
    kz_width_add_safe(&out,
                      "a\033[2Jb\r\n\tc\xE2\x80\xAE"
                      "d\x7F\xC2\x9B",
                      false);
    assert_string_equal(kz_buf_text(&out), "a\xEF\xBF\xBD[2Jb\xEF\xBF\xBD  c\xEF\xBF\xBD"
                                           "d\xEF\xBF\xBD\xEF\xBF\xBD");
    kz_buf_fini(&out);
}

static void add_rows(struct kz_grid *grid)
{
    kz_grid_add_column(grid, "ID", false);
    kz_grid_add_column(grid, "名称", false);
    kz_grid_add_column(grid, "人数", true);
    static const char *const cells[] = {"juki", "住民記録", "650", "k", "ｶﾅ", "7", "x", "か\xE3\x82\x99", ""};
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++)
        kz_grid_add_cell(grid, cells[i]);
}

static void columns_line_up_by_width_and_lines_have_no_trailing_spaces(void **state)
{
    (void)state;
    struct kz_grid grid = {0};
    add_rows(&grid);
    struct kz_buf out;
    kz_buf_init(&out, 0);
    kz_grid_write_table(&grid, &(struct kz_grid_style){.headers = true, .ambiguous = 1}, &out);
    assert_string_equal(kz_buf_text(&out), "ID    名称      人数\n"
                                           "juki  住民記録   650\n"
                                           "k     ｶﾅ           7\n"
                                           "x     か\xE3\x82\x99\n");
    kz_buf_fini(&out);
    kz_grid_fini(&grid);
}

static void a_table_fits_the_terminal_and_is_whole_elsewhere(void **state)
{
    (void)state;
    struct kz_grid grid = {0};
    kz_grid_add_column(&grid, "ID", false);
    kz_grid_add_column(&grid, "NAME", false);
    kz_grid_add_cell(&grid, "juki");
    kz_grid_add_cell(&grid, "住民情報システム住民情報システム");
    struct kz_buf out;
    kz_buf_init(&out, 0);
    kz_grid_write_table(&grid, &(struct kz_grid_style){.ambiguous = 1, .max_columns = 20}, &out);
    assert_string_equal(kz_buf_text(&out), "juki  住民情報シス…\n");
    kz_buf_clear(&out);
    kz_grid_write_table(&grid, &(struct kz_grid_style){.ambiguous = 1, .max_columns = 0}, &out);
    assert_string_equal(kz_buf_text(&out), "juki  住民情報システム住民情報システム\n");
    kz_buf_clear(&out);
    kz_grid_write_table(&grid, &(struct kz_grid_style){.ambiguous = 1, .max_columns = 1}, &out);
    assert_true(out.size_bytes > 0); /* narrower than anything can be: still no endless shrinking */
    kz_buf_fini(&out);
    kz_grid_fini(&grid);
}

static void csv_cells_cannot_become_formulas(void **state)
{
    (void)state;
    static const struct {
        const char *text, *cell;
    } cases[] = {
        {"=1+1", "\"'=1+1\""}, {"+81 3", "\"'+81 3\""}, {"-x", "\"'-x\""},  {"@x", "\"'@x\""},
        {"＝1", "\"'＝1\""},   {"\tx", "\"'\tx\""},     {"a,b", "\"a,b\""}, {"a\"b", "\"a\"\"b\""},
        {"a\nb", "\"a\nb\""},  {"0120", "0120"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct kz_grid grid = {0};
        kz_grid_add_column(&grid, "名", false);
        kz_grid_add_column(&grid, "n", true);
        kz_grid_add_cell(&grid, cases[i].text);
        kz_grid_add_cell(&grid, "-5");
        struct kz_buf out;
        kz_buf_init(&out, 0);
        kz_grid_write_csv(&grid, true, true, &out);
        char wanted[128];
        snprintf(wanted, sizeof wanted, "\xEF\xBB\xBF名,n\r\n%s,-5\r\n", cases[i].cell);
        assert_string_equal(kz_buf_text(&out), wanted);
        kz_buf_fini(&out);
        kz_grid_fini(&grid);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kanji_count_two_half_width_kana_one_and_marks_none),
        cmocka_unit_test(ambiguous_characters_are_as_wide_as_the_terminal_has_them),
        cmocka_unit_test(a_cut_never_exceeds_its_columns_nor_splits_a_character),
        cmocka_unit_test(text_cannot_move_the_readers_cursor),
        cmocka_unit_test(columns_line_up_by_width_and_lines_have_no_trailing_spaces),
        cmocka_unit_test(a_table_fits_the_terminal_and_is_whole_elsewhere),
        cmocka_unit_test(csv_cells_cannot_become_formulas),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
