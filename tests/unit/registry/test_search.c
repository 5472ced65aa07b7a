/* SPDX-License-Identifier: Apache-2.0 */
/* Searching: what is taken for the same, what comes first, and that the index always holds what was put last. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/registry/search_index.h"
#include "tests/unit/registry/samples.h"

#define RECORDS 3000
#define ROUNDS 12

/* ---- folding ---- */

static bool finds(const char *stored, const char *typed)
{
    struct kz_search_words words;
    struct kz_buf folded;
    kz_buf_init(&folded, 0);
    assert_true(kz_search_fold(stored, &folded));
    assert_true(kz_search_split(typed, &words));
    bool all = words.count > 0;
    for (size_t i = 0; i < words.count; i++)
        all = all && strstr(kz_buf_text(&folded), words.items[i]) != NULL;
    kz_buf_fini(&folded);
    return all;
}

static void katakana_hiragana_and_half_width_kana_are_the_same(void **state)
{
    (void)state;
    assert_true(finds("ヤマダ タロウ", "やまだ"));
    assert_true(finds("やまだ たろう", "ﾔﾏﾀﾞ"));
    assert_true(finds("ｶﾞｲﾑｼｮｳ", "ガイムショウ"));
    assert_true(finds("ガイムショウ", "がいむしょう"));
    assert_false(finds("カイム", "ガイム"));
}

static void long_vowel_marks_do_not_matter_nor_dashes_typed_for_them(void **state)
{
    (void)state;
    assert_true(finds("サーバー室", "サーバ室"));
    assert_true(finds("サーバ室", "サーバー室"));
    assert_true(finds("ユーザ認証サーバ", "ﾕｰｻﾞｰ認証"));
    assert_true(finds("センター", "セ‐ンタ−"));
    assert_true(finds("エヌ・ティ・ティ", "エヌティティ"));
}

static void case_and_width_of_latin_letters_do_not_matter(void **state)
{
    (void)state;
    assert_true(finds("ＪＵＫＩ System", "juki system"));
    assert_true(finds("Ｗｉ－Ｆｉ", "WI-FI"));
    assert_true(finds("㈱サンプル", "(株)"));
    assert_true(finds("①第一班", "1第一班"));
}

static void variants_of_names_are_found_by_the_common_character_and_the_other_way_round(void **state)
{
    (void)state;
    assert_true(finds("髙橋", "高橋"));
    assert_true(finds("山﨑", "山崎"));
    assert_true(finds("渡邉", "渡辺"));
    assert_true(finds("高橋", "髙橋"));
    assert_true(finds("葛\U000E0100城", "葛城"));
}

static void spaces_within_names_and_at_line_ends_do_not_matter(void **state)
{
    (void)state;
    assert_true(finds("山田　太郎", "山田太郎"));
    assert_true(finds("非常用電源を\n起動する", "電源を起動"));
    assert_true(finds("山田太郎", "山田　太郎"));
    assert_false(finds("main site", "mainsite"));
}

static void telephone_numbers_are_compared_by_their_digits(void **state)
{
    (void)state;
    static const char *const stored[] = {
        "03-1234-5678", "０３－１２３４－５６７８", "03 1234 5678",    "(03)1234-5678",
        "03(1234)5678", "03ー1234ー5678",           "+81-3-1234-5678", "+81 (0)3 1234 5678",
        "0312345678",   "電話 03‐1234‐5678 内線 12"};
    static const char *const typed[] = {"0312345678", "03-1234-5678", "1234-56",        "34-5678", "0312",
                                        "5678",       "(03)1234",     "０３－１２３４", "-5678",   "+81-3-1234"};
    for (size_t i = 0; i < sizeof stored / sizeof stored[0]; i++)
        for (size_t j = 0; j < sizeof typed / sizeof typed[0]; j++)
            if (!finds(stored[i], typed[j])) fail_msg("'%s' is not found by '%s'", stored[i], typed[j]);
    assert_false(finds("03-1234-5678", "5679"));
    assert_false(finds("03-1234-5678", "1235"));
}

static void nothing_to_search_for_is_no_word_and_bad_text_is_refused(void **state)
{
    (void)state;
    struct kz_search_words words;
    struct kz_buf out;
    char many[64] = "a b c d e f g h i j";
    assert_true(kz_search_split(" 　 ー ", &words));
    assert_int_equal(words.count, 0);
    assert_false(kz_search_split("\xff\xfe", &words));
    assert_false(kz_search_split(many, &words));
    char *longer = malloc(2 * KZ_SEARCH_WORD_MAX_BYTES);
    memset(longer, 'x', 2 * KZ_SEARCH_WORD_MAX_BYTES - 1);
    longer[2 * KZ_SEARCH_WORD_MAX_BYTES - 1] = '\0';
    assert_false(kz_search_split(longer, &words));
    free(longer);
    kz_buf_init(&out, 0);
    assert_false(kz_search_fold("a\xff", &out));
    assert_int_equal(out.size_bytes, 0);
    kz_buf_fini(&out);
}

/* ---- the index ---- */

static Kz__Record *make_contact(const char *id, const char *name, const char *kana, const char *phone)
{
    const struct kz_field *fields = kz_kind_by_number(KZ__KIND__CONTACT)->fields;
    const struct kz_field *channels = kz_field_by_name(fields, "channels");
    Kz__Record *record = kz_record_new(KZ__KIND__CONTACT, id);
    ProtobufCMessage *body = kz_record_body(record);
    assert_true(kz_value_add_text(body, kz_field_by_name(fields, "name"), name));
    if (kana) assert_true(kz_value_add_text(body, kz_field_by_name(fields, "kana"), kana));
    if (phone) {
        ProtobufCMessage *channel = kz_value_add_group(body, channels);
        assert_true(kz_value_add_text(channel, kz_field_by_name(channels->fields, "value"), phone));
    }
    return record;
}

static void put(struct kz_search_index *index, Kz__Record *record)
{
    assert_true(kz_search_index_put(index, record));
    kz__record__free_unpacked(record, NULL);
}

/* "id id ... /found" */
static const char *search(const struct kz_search_index *index, const char *typed, bool retired, size_t limit)
{
    static char out[4096];
    struct kz_search_words words;
    struct kz_search_hits hits;
    assert_true(kz_search_split(typed, &words));
    assert_true(kz_search_hits_init(&hits, limit));
    kz_search_index_find(index, &words, &(struct kz_search_filter){.retired = retired}, &hits);
    kz_search_hits_sort(&hits);
    size_t used = 0;
    for (size_t i = 0; i < hits.count; i++)
        used += (size_t)snprintf(out + used, sizeof out - used, "%s ", hits.items[i].id);
    snprintf(out + used, sizeof out - used, "/%llu", (unsigned long long)hits.found);
    kz_search_hits_fini(&hits);
    return out;
}

static void locate(const Kz__Record *record, const char *typed, const char *path, const char *snippet)
{
    struct kz_search_words words;
    struct kz_buf where, around;
    kz_buf_init(&where, 0);
    kz_buf_init(&around, 0);
    assert_true(kz_search_split(typed, &words));
    assert_true(kz_search_locate(record, &words, &where, &around));
    assert_string_equal(kz_buf_text(&where), path);
    assert_string_equal(kz_buf_text(&around), snippet);
    kz_buf_fini(&where);
    kz_buf_fini(&around);
}

static struct kz_search_index *make_index(void)
{
    struct kz_search_index *index = kz_search_index_new();
    assert_non_null(index);
    put(index, make_contact("other", "佐藤 花子", "サトウ ハナコ", "山田の代理"));
    put(index, make_contact("kana", "八万田", "ヤマダ", NULL));
    put(index, make_contact("within", "小山田 次郎", "オヤマダ ジロウ", "03-1111-2222"));
    put(index, make_contact("start", "山田 太郎", "ヤマダ タロウ", "03-1111-3333"));
    put(index, make_contact("whole", "山田", NULL, "03-9999-2222"));
    put(index, make_contact("山田", "鈴木", NULL, NULL)); /* no id in a registry, but a rank here */
    return index;
}

static void the_id_comes_first_then_names_then_kana_then_the_rest(void **state)
{
    (void)state;
    struct kz_search_index *index = make_index();
    assert_string_equal(search(index, "山田", false, 10), "山田 whole start within other /5");
    assert_string_equal(search(index, "やまだ", false, 10), "kana start within /3");
    assert_string_equal(search(index, "山田", false, 2), "山田 whole /5");
    assert_string_equal(search(index, "0311112222", false, 10), "within /1");
    assert_string_equal(search(index, "2222", false, 10), "whole within /2");
    assert_string_equal(search(index, "whole", false, 10), "whole /1");
    kz_search_index_free(index);
}

static void an_id_with_numbers_in_it_is_found_and_told_as_it_is(void **state)
{
    (void)state;
    static const char *const typed[] = {"r-2026-4q", "2026-4", "20264", "-", "r", "2026"};
    struct kz_search_index *index = kz_search_index_new();
    Kz__Record *record = make_contact("r-2026-4q", "x", NULL, NULL);
    assert_true(kz_search_index_put(index, record));
    for (size_t i = 0; i < sizeof typed / sizeof typed[0]; i++) {
        assert_string_equal(search(index, typed[i], false, 10), "r-2026-4q /1");
        locate(record, typed[i], "id", "r-2026-4q");
    }
    kz__record__free_unpacked(record, NULL);
    kz_search_index_free(index);
}

static void several_words_must_all_be_there_in_any_field(void **state)
{
    (void)state;
    struct kz_search_index *index = make_index();
    assert_string_equal(search(index, "山田 1111", false, 10), "start within /2");
    assert_string_equal(search(index, "1111 太郎", false, 10), "start /1");
    assert_string_equal(search(index, "山田 9999 太郎", false, 10), "/0");
    assert_string_equal(search(index, "ー", false, 10), "/0");
    kz_search_index_free(index);
}

static void a_word_is_not_found_across_two_fields(void **state)
{
    (void)state;
    struct kz_search_index *index = kz_search_index_new();
    put(index, make_contact("a", "山", "だ", "1"));
    assert_string_equal(search(index, "山だ", false, 10), "/0");
    assert_string_equal(search(index, "a山", false, 10), "/0");
    kz_search_index_free(index);
}

static void retired_records_are_found_only_when_asked_for_and_come_after_live_ones(void **state)
{
    (void)state;
    struct kz_search_index *index = make_index();
    Kz__Record *gone = make_contact("a-gone", "山田", NULL, NULL);
    gone->has_retired_at = true;
    gone->retired_at = 1;
    put(index, gone);
    assert_string_equal(search(index, "山田", false, 10), "山田 whole start within other /5");
    assert_string_equal(search(index, "山田", true, 10), "山田 whole a-gone start within other /6");
    put(index, make_contact("a-gone", "山田", NULL, NULL)); /* it is back */
    assert_string_equal(search(index, "山田", false, 10), "山田 a-gone whole start within other /6");
    kz_search_index_free(index);
}

static void a_record_that_changed_is_found_by_its_new_text_only(void **state)
{
    (void)state;
    struct kz_search_index *index = make_index();
    put(index, make_contact("start", "田中", NULL, NULL));
    assert_string_equal(search(index, "太郎", false, 10), "/0");
    assert_string_equal(search(index, "田中", false, 10), "start /1");
    kz_search_index_drop(index, KZ__KIND__CONTACT, "start");
    kz_search_index_drop(index, KZ__KIND__CONTACT, "never-there");
    assert_string_equal(search(index, "田中", false, 10), "/0");
    assert_string_equal(search(index, "山田", false, 10), "山田 whole within other /4");
    assert_int_equal(kz_search_index_size(index).records, 5);
    kz_search_index_free(index);
}

/* Against looking at every record by itself; the waste of many changes is closed up on the way. */
static void after_many_changes_every_record_is_found_by_what_it_last_said(void **state)
{
    (void)state;
    struct kz_search_index *index = kz_search_index_new();
    char id[32], name[64], note[400], typed[64], expected[128];
    memset(note, 'x', sizeof note);
    for (unsigned round = 0; round < ROUNDS; round++)
        for (unsigned i = round % 2; i < RECORDS; i += 1 + round % 3) {
            snprintf(id, sizeof id, "c%u", i);
            snprintf(name, sizeof name, "名前%u号%u回", i, round);
            snprintf(note + 100 + i % 250, sizeof note - 100 - i % 250, "備考");
            put(index, make_contact(id, name, NULL, note));
        }
    struct kz_search_index_size size = kz_search_index_size(index);
    assert_int_equal(size.records, RECORDS);
    assert_true(size.memory_bytes < 2 * size.text_bytes + (1u << 20));
    for (unsigned i = 0; i < RECORDS; i += 7) {
        unsigned hits = 0;
        for (unsigned round = 0; round < ROUNDS; round++) {
            snprintf(typed, sizeof typed, "名前%u号%u回", i, round);
            snprintf(expected, sizeof expected, "c%u /1", i);
            if (strcmp(search(index, typed, false, 10), expected) == 0) hits++;
        }
        assert_int_equal(hits, 1);
    }
    kz_search_index_free(index);
}

static void the_place_is_told_with_what_is_stored_there(void **state)
{
    (void)state;
    Kz__Record *record = make_contact("c1", "髙橋 一郎", "タカハシ", "０３－１２３４－５６７８");
    const struct kz_field *fields = kz_kind_by_number(KZ__KIND__CONTACT)->fields;
    assert_true(kz_value_add_text(kz_record_body(record), kz_field_by_name(fields, "note"),
                                  "1行目\n停電のときは、まず庁舎管理室へ行き、当直の担当者から非常用発電機室の鍵を受け"
                                  "取り、二人で点検票に沿って起動"
                                  "操作を行うこと。終わったら災害対策本部へ必ず報告する。\n3行目"));
    locate(record, "高橋", "name", "髙橋 一郎");
    locate(record, "234-56", "channels[0].value", "０３－１２３４－５６７８");
    locate(record, "高橋 たかはし", "kana", "タカハシ");
    locate(record, "c1", "id", "c1");
    locate(record, "3行目", "note", "3行目");
    locate(record, "二人で", "note",
           "…発電機室の鍵を受け取り、二人で点検票に沿って起動操作を行うこと。終わったら災害対策本部へ必ず報告する"
           "。");
    locate(record, "庁舎管理", "note",
           "停電のときは、まず庁舎管理室へ行き、当直の担当者から非常用発電機室の鍵を受け取り、二人で点検票に沿って起動"
           "操作を行うこと…");
    kz__record__free_unpacked(record, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(katakana_hiragana_and_half_width_kana_are_the_same),
        cmocka_unit_test(long_vowel_marks_do_not_matter_nor_dashes_typed_for_them),
        cmocka_unit_test(case_and_width_of_latin_letters_do_not_matter),
        cmocka_unit_test(variants_of_names_are_found_by_the_common_character_and_the_other_way_round),
        cmocka_unit_test(spaces_within_names_and_at_line_ends_do_not_matter),
        cmocka_unit_test(telephone_numbers_are_compared_by_their_digits),
        cmocka_unit_test(nothing_to_search_for_is_no_word_and_bad_text_is_refused),
        cmocka_unit_test(the_id_comes_first_then_names_then_kana_then_the_rest),
        cmocka_unit_test(an_id_with_numbers_in_it_is_found_and_told_as_it_is),
        cmocka_unit_test(several_words_must_all_be_there_in_any_field),
        cmocka_unit_test(a_word_is_not_found_across_two_fields),
        cmocka_unit_test(retired_records_are_found_only_when_asked_for_and_come_after_live_ones),
        cmocka_unit_test(a_record_that_changed_is_found_by_its_new_text_only),
        cmocka_unit_test(after_many_changes_every_record_is_found_by_what_it_last_said),
        cmocka_unit_test(the_place_is_told_with_what_is_stored_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
