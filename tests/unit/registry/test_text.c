/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "node/registry/codes.h"
#include "node/registry/text.h"
#include "tests/unit/registry/samples.h"

static void expect_fold(const char *text, const char *folded)
{
    char out[KZ_FOLD_MAX_BYTES];
    assert_true(kz_text_fold(text, out, sizeof(out)));
    assert_string_equal(out, folded);
}

static void folding_ignores_width_case_and_the_kind_of_dash(void **state)
{
    (void)state;
    expect_fold("RTO", "rto");
    expect_fold("ＲＴＯ　１２３", "rto 123");
    expect_fold("ｼｽﾃﾑ", "システム");
    expect_fold("03－0000−0001", "03-0000-0001");
    expect_fold("03ー0000ー0001", "03-0000-0001");
    expect_fold("サーバー", "サーバー"); /* the long vowel mark stays one in a word */
    expect_fold("㈱", "(株)");
    expect_fold("", "");
}

static void variants_of_a_kanji_stay_different(void **state)
{
    (void)state;
    assert_false(kz_text_same_folded("崎", "﨑"));
    assert_true(kz_text_same_folded("ｶﾞ", "ガ"));
}

static void folding_refuses_broken_utf8_and_what_does_not_fit(void **state)
{
    (void)state;
    char small[4];
    char out[KZ_FOLD_MAX_BYTES];
    char big[KZ_FOLD_MAX_BYTES * 2];
    assert_false(kz_text_fold("\xe3\x81", out, sizeof(out)));
    assert_false(kz_text_fold("abcd", small, sizeof(small)));
    assert_true(kz_text_fold("abc", small, sizeof(small)));
    assert_false(kz_text_fold("あい", small, sizeof(small)));
    memset(big, 'x', sizeof(big) - 1);
    memcpy(big, "あ", 3);
    big[sizeof(big) - 1] = '\0';
    assert_false(kz_text_fold(big, out, sizeof(out)));
    /* One character of 3 bytes that NFKC turns into 18. */
    assert_true(kz_text_fold("ﷺ", out, sizeof(out)));
    memset(big, 0, sizeof(big));
    for (int i = 0; i < 300; i++)
        memcpy(big + strlen(big), "ﷺ", 3);
    assert_false(kz_text_fold(big, out, sizeof(out)));
}

static void narrowing_keeps_the_case(void **state)
{
    (void)state;
    char out[64];
    assert_true(kz_text_narrow("Ｔａｒｏ＠Example.JP", out, sizeof(out)));
    assert_string_equal(out, "Taro@Example.JP");
}

static void distance_counts_single_edits_and_swaps(void **state)
{
    (void)state;
    assert_int_equal(kz_text_distance("owner", "owner"), 0);
    assert_int_equal(kz_text_distance("OWNER", "owner"), 0);
    assert_int_equal(kz_text_distance("owenr", "owner"), 1);
    assert_int_equal(kz_text_distance("ower", "owner"), 1);
    assert_int_equal(kz_text_distance("", "abc"), 3);
    assert_int_equal(kz_text_distance("構成要紊", "構成要素"), 1);
    assert_int_equal(kz_text_distance("\xff", "abc"), SIZE_MAX);
}

static void control_characters_and_broken_utf8_are_told_apart(void **state)
{
    (void)state;
    assert_int_equal(kz_text_fault("山田　太郎 😀", false), KZ_TEXT_FINE);
    assert_int_equal(kz_text_fault("a\nb", false), KZ_TEXT_CONTROL);
    assert_int_equal(kz_text_fault("a\nb\tc", true), KZ_TEXT_FINE);
    assert_int_equal(kz_text_fault("a\rb", true), KZ_TEXT_CONTROL);
    assert_int_equal(kz_text_fault("a\x1b[31m", true), KZ_TEXT_CONTROL);
    assert_int_equal(kz_text_fault("a\x7f", true), KZ_TEXT_CONTROL);
    assert_int_equal(kz_text_fault("\xc2\x85", true), KZ_TEXT_CONTROL); /* U+0085 next line */
    assert_int_equal(kz_text_fault("\xe2\x80\xae"
                                   "gpj.exe",
                                   true),
                     KZ_TEXT_CONTROL);                                            /* U+202E right-to-left override */
    assert_int_equal(kz_text_fault("\xef\xbb\xbfname", false), KZ_TEXT_CONTROL);  /* byte order mark */
    assert_int_equal(kz_text_fault("\xc0\xaf", true), KZ_TEXT_NOT_UTF8);          /* overlong */
    assert_int_equal(kz_text_fault("\xed\xa0\x80", true), KZ_TEXT_NOT_UTF8);      /* surrogate */
    assert_int_equal(kz_text_fault("\xf4\x90\x80\x80", true), KZ_TEXT_NOT_UTF8);  /* past U+10FFFF */
    assert_int_equal(kz_text_fault("a\x93\xfa\x96\x7b", true), KZ_TEXT_NOT_UTF8); /* 日本 in CP932 */
    assert_int_equal(kz_text_fault("a\x01\xff", true), KZ_TEXT_NOT_UTF8);         /* the worse of two */
}

static void ids_are_slugs_of_at_most_64(void **state)
{
    (void)state;
    char id[KZ_ID_MAX_BYTES + 1];
    char longest[KZ_ID_MAX_BYTES + 2];
    memset(longest, 'a', sizeof(longest) - 1);
    longest[KZ_ID_MAX_BYTES] = '\0';
    assert_true(kz_id_valid("juki-1.main_a"));
    assert_true(kz_id_valid("0"));
    assert_true(kz_id_valid(longest));
    longest[KZ_ID_MAX_BYTES] = 'a';
    longest[KZ_ID_MAX_BYTES + 1] = '\0';
    assert_false(kz_id_valid(longest));
    assert_false(kz_id_valid(""));
    assert_false(kz_id_valid("-a"));
    assert_false(kz_id_valid(".."));
    assert_false(kz_id_valid("a/b"));
    assert_false(kz_id_valid("Juki"));
    assert_false(kz_id_valid("住基"));
    assert_true(kz_id_fold("ＪＵＫＩ－１", id));
    assert_string_equal(id, "juki-1");
    assert_false(kz_id_fold("住基", id));
    assert_false(kz_id_fold("a b", id));
    assert_false(kz_id_fold("", id));
}

/* 法人番号の指定等に関する省令 第2条; published numbers: 国税庁, デジタル庁, 東京都. */
static void corporate_numbers_carry_their_check_digit(void **state)
{
    (void)state;
    assert_true(kz_code_is_corporate("7000012050002"));
    assert_true(kz_code_is_corporate("8000012010038"));
    assert_true(kz_code_is_corporate("8000020130001"));
    assert_false(kz_code_is_corporate("7000012050003"));
    assert_false(kz_code_is_corporate("6000012050002"));
    assert_false(kz_code_is_corporate("700001205000"));
    assert_false(kz_code_is_corporate("70000120500022"));
    assert_false(kz_code_is_corporate("700001205000a"));
    assert_false(kz_code_is_corporate(""));
}

static void every_single_wrong_digit_of_a_local_government_code_is_caught(void **state)
{
    (void)state;
    const char *known[] = {"131148", "130001", "011002", "271004"}; /* 中野区, 東京都, 札幌市, 大阪市 */
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        assert_true(kz_code_is_local_government(known[i]));
        for (int at = 0; at < 6; at++) {
            char wrong[8];
            snprintf(wrong, sizeof(wrong), "%s", known[i]);
            wrong[at] = (char)('0' + (wrong[at] - '0' + 1) % 10);
            assert_false(kz_code_is_local_government(wrong));
        }
    }
    assert_false(kz_code_is_local_government("13114"));
    assert_false(kz_code_is_local_government("1311488"));
}

static void phone_numbers_have_digits_hyphens_and_maybe_an_extension(void **state)
{
    (void)state;
    const char *good[] = {"03-0000-0001", "0300000001",          "+81-3-0000-0001",     "(03) 0000-0001",
                          "119",          "03-0000-0001 内線12", "03-0000-0001 ext 12", "03-0000-0001x12",
                          "内線 1234",    "+8816-0000-0000"};
    const char *bad[] = {"",
                         "12",
                         "03-0000-000a",
                         "tel 03",
                         "03-0000-0001 内線",
                         "+",
                         "03--",
                         "1234567890123456",
                         "(03 0000",
                         "03) 0000 0000",
                         "０３",
                         "03-0000-0001 12 x",
                         "03-0000-0001/0002"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        if (!kz_code_is_phone(good[i])) fail_msg("refused %s", good[i]);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (kz_code_is_phone(bad[i])) fail_msg("took %s", bad[i]);
}

static void mail_addresses_have_one_at_and_a_domain(void **state)
{
    (void)state;
    const char *good[] = {"a@example.jp", "taro.yamada+bcp@mail.city.example.lg.jp", "x_y@a-b.example"};
    const char *bad[] = {"",        "a",        "@example.jp", "a@",        "a@example", "a b@example.jp",
                         "a@@b.jp", "a@b..jp",  "a@-b.jp",     "a@b-.jp",   "a@b.jp.",   ".a@b.jp",
                         "a.@b.jp", "a@b.jp\n", "山田@b.jp",   "a@日本.jp", "a@b_c.jp",  "a,b@c.jp"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        if (!kz_code_is_mail(good[i])) fail_msg("refused %s", good[i]);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (kz_code_is_mail(bad[i])) fail_msg("took %s", bad[i]);
}

static void month_days_are_days_of_some_year(void **state)
{
    (void)state;
    assert_true(kz_code_is_month_day("02-29"));
    assert_true(kz_code_is_month_day("12-31"));
    assert_false(kz_code_is_month_day("02-30"));
    assert_false(kz_code_is_month_day("13-01"));
    assert_false(kz_code_is_month_day("00-01"));
    assert_false(kz_code_is_month_day("1-1"));
    assert_false(kz_code_is_month_day("01/01"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folding_ignores_width_case_and_the_kind_of_dash),
        cmocka_unit_test(variants_of_a_kanji_stay_different),
        cmocka_unit_test(folding_refuses_broken_utf8_and_what_does_not_fit),
        cmocka_unit_test(narrowing_keeps_the_case),
        cmocka_unit_test(distance_counts_single_edits_and_swaps),
        cmocka_unit_test(control_characters_and_broken_utf8_are_told_apart),
        cmocka_unit_test(ids_are_slugs_of_at_most_64),
        cmocka_unit_test(corporate_numbers_carry_their_check_digit),
        cmocka_unit_test(every_single_wrong_digit_of_a_local_government_code_is_caught),
        cmocka_unit_test(phone_numbers_have_digits_hyphens_and_maybe_an_extension),
        cmocka_unit_test(mail_addresses_have_one_at_and_a_domain),
        cmocka_unit_test(month_days_are_days_of_some_year),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
