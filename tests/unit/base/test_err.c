/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "node/base/assert.h"
#include "node/base/err.h"

static void a_text_is_wrapped_as_it_climbs(void **state)
{
    (void)state;
    struct kz_err err;
    assert_int_equal(kz_fail(&err, KZ_NO_SPACE, "map full at %d", 7), KZ_NO_SPACE);
    assert_int_equal(kz_wrap(&err, "open store"), KZ_NO_SPACE);
    assert_int_equal(kz_wrap(&err, "start %s", "main"), KZ_NO_SPACE);
    assert_string_equal(err.text, "start main: open store: map full at 7");
    assert_int_equal(err.code, KZ_NO_SPACE);
}

static void nobody_needs_to_want_the_text(void **state)
{
    (void)state;
    assert_int_equal(kz_fail(NULL, KZ_IO, "x"), KZ_IO);
    assert_int_equal(kz_wrap(NULL, "x"), KZ_FAILED);
}

/* Wherever the 512 bytes end in a text of 3-byte characters, the rest is whole characters. */
static void a_long_text_is_cut_between_characters(void **state)
{
    (void)state;
    char kanji[900 + 1];
    for (size_t i = 0; i < 900; i += 3)
        memcpy(kanji + i, "復", 3);
    kanji[900] = '\0';
    const char *leads[] = {"", "a", "ab"};
    for (size_t i = 0; i < 3; i++) {
        struct kz_err err;
        (void)kz_fail(&err, KZ_FAILED, "%s%s", leads[i], kanji);
        size_t length = strlen(err.text);
        assert_in_range(length, KZ_ERR_TEXT_BYTES - 4, KZ_ERR_TEXT_BYTES - 1);
        assert_int_equal((length - strlen(leads[i])) % 3, 0);
        (void)kz_wrap(&err, "%s", leads[i]);
        assert_memory_equal(err.text + strlen(err.text) - 3, "復", 3);
    }
}

static void every_code_has_its_row_and_numbers_never_clash(void **state)
{
    (void)state;
    static const struct {
        enum kz_code code;
        const char *name;
        bool retryable;
        int exit_status;
    } rows[] = {
#define X(name, number, retryable, exit_status, en, ja) {KZ_##name, #name, retryable, exit_status},
        KZ_ERROR_TABLE(X)
#undef X
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_string_equal(kz_code_name(rows[i].code), rows[i].name);
        assert_int_equal(kz_code_retryable(rows[i].code), rows[i].retryable);
        assert_int_equal(kz_code_exit_status(rows[i].code), rows[i].exit_status);
        assert_in_range(rows[i].exit_status, 0, 10);
        assert_true(kz_code_text(rows[i].code, false)[0] != '\0');
        assert_string_not_equal(kz_code_text(rows[i].code, false), kz_code_text(rows[i].code, true));
        for (size_t j = 0; j < i; j++)
            assert_int_not_equal(rows[i].code, rows[j].code);
    }
}

static void an_unknown_code_is_reported_as_failed(void **state)
{
    (void)state;
    assert_string_equal(kz_code_name((enum kz_code)9999), "FAILED");
    assert_int_equal(kz_code_exit_status((enum kz_code)9999), 1);
}

static void copies_that_must_succeed_are_copies(void **state)
{
    (void)state;
    char *text = kz_must_strdup("復旧");
    assert_string_equal(text, "復旧");
    free(text);
    uint8_t *zeroed = kz_must_alloc(4, 2);
    for (int i = 0; i < 8; i++)
        assert_int_equal(zeroed[i], 0);
    zeroed = kz_must_realloc(zeroed, 100);
    free(zeroed);
    free(kz_must_alloc(0, 0));
    free(kz_must_memdup(NULL, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_is_wrapped_as_it_climbs),
        cmocka_unit_test(nobody_needs_to_want_the_text),
        cmocka_unit_test(a_long_text_is_cut_between_characters),
        cmocka_unit_test(every_code_has_its_row_and_numbers_never_clash),
        cmocka_unit_test(an_unknown_code_is_reported_as_failed),
        cmocka_unit_test(copies_that_must_succeed_are_copies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
