/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node/base/buf.h"

static void appended_pieces_stand_in_order(void **state)
{
    (void)state;
    struct kz_buf buf;
    kz_buf_init(&buf, 0);
    assert_string_equal(kz_buf_text(&buf), "");
    kz_buf_add(&buf, "abc", 2);
    kz_buf_add_text(&buf, "-復旧-");
    kz_buf_addf(&buf, "%d/%s", 42, "x");
    kz_buf_add(&buf, NULL, 0);
    assert_string_equal(kz_buf_text(&buf), "ab-復旧-42/x");
    assert_int_equal(buf.size_bytes, strlen("ab-復旧-42/x"));
    assert_false(buf.failed);
    kz_buf_fini(&buf);
    assert_null(buf.data);
}

static void it_grows_past_any_first_guess(void **state)
{
    (void)state;
    struct kz_buf buf;
    kz_buf_init(&buf, 0);
    for (int i = 0; i < 10000; i++)
        kz_buf_addf(&buf, "%04d", i);
    assert_int_equal(buf.size_bytes, 40000);
    assert_memory_equal(buf.data + 4 * 9999, "9999", 4);
    kz_buf_fini(&buf);
}

/* Exactly the limit fits, by every way of adding; the terminator of text is not content. */
static void the_limit_is_on_content_and_one_more_byte_fails(void **state)
{
    (void)state;
    struct kz_buf buf;
    kz_buf_init(&buf, 4);
    kz_buf_addf(&buf, "%s", "abcd");
    assert_false(buf.failed);
    assert_string_equal(kz_buf_text(&buf), "abcd");
    kz_buf_add(&buf, "e", 1);
    assert_true(buf.failed);
    kz_buf_clear(&buf);
    kz_buf_addf(&buf, "%s", "abcde");
    assert_true(buf.failed);
    kz_buf_clear(&buf);
    assert_non_null(kz_buf_extend(&buf, 4));
    assert_null(kz_buf_extend(&buf, 1));
    kz_buf_fini(&buf);
}

static void a_failure_sticks_until_cleared(void **state)
{
    (void)state;
    struct kz_buf buf;
    kz_buf_init(&buf, 2);
    kz_buf_add_text(&buf, "abc");
    kz_buf_add_text(&buf, "a"); /* would fit, but the contents are incomplete already */
    assert_true(buf.failed);
    assert_string_equal(kz_buf_text(&buf), "");
    assert_null(kz_buf_extend(&buf, 1));
    kz_buf_clear(&buf);
    kz_buf_add_text(&buf, "a");
    assert_string_equal(kz_buf_text(&buf), "a");
    kz_buf_fini(&buf);
}

static void a_size_that_overflows_fails(void **state)
{
    (void)state;
    struct kz_buf buf;
    kz_buf_init(&buf, 0);
    kz_buf_add_text(&buf, "abc");
    assert_null(kz_buf_extend(&buf, SIZE_MAX));
    assert_true(buf.failed);
    kz_buf_fini(&buf);
}

static void consuming_drops_from_the_front(void **state)
{
    (void)state;
    struct kz_buf buf;
    kz_buf_init(&buf, 0);
    kz_buf_add_text(&buf, "header|body");
    kz_buf_consume(&buf, 7);
    assert_string_equal(kz_buf_text(&buf), "body");
    kz_buf_consume(&buf, 100);
    assert_int_equal(buf.size_bytes, 0);
    kz_buf_fini(&buf);
}

static void integers_are_big_endian(void **state)
{
    (void)state;
    uint8_t bytes[8];
    kz_put_u16(bytes, 0x0102);
    assert_memory_equal(bytes, ((uint8_t[]){1, 2}), 2);
    kz_put_u32(bytes, 0x01020304);
    assert_memory_equal(bytes, ((uint8_t[]){1, 2, 3, 4}), 4);
    kz_put_u64(bytes, UINT64_C(0xfedcba9876543210));
    assert_memory_equal(bytes, ((uint8_t[]){0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10}), 8);
    assert_true(kz_get_u64(bytes) == UINT64_C(0xfedcba9876543210));
    assert_int_equal(kz_get_u32(bytes), 0xfedcba98);
    assert_int_equal(kz_get_u16(bytes), 0xfedc);
}

static void hexadecimal_digits_come_back_as_the_same_bytes(void **state)
{
    const uint8_t bytes[] = {0x00, 0x0f, 0xa5, 0xff};
    char text[2 * sizeof bytes + 1];
    uint8_t back[sizeof bytes];
    struct kz_buf buf;
    (void)state;
    kz_hex_write(bytes, sizeof bytes, text);
    assert_string_equal(text, "000fa5ff");
    assert_true(kz_hex_read(text, back, sizeof back));
    assert_memory_equal(back, bytes, sizeof bytes);
    kz_buf_init(&buf, 0);
    kz_buf_add_hex(&buf, bytes, sizeof bytes);
    assert_string_equal(kz_buf_text(&buf), text);
    kz_buf_fini(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hexadecimal_digits_come_back_as_the_same_bytes),
        cmocka_unit_test(appended_pieces_stand_in_order),
        cmocka_unit_test(it_grows_past_any_first_guess),
        cmocka_unit_test(the_limit_is_on_content_and_one_more_byte_fails),
        cmocka_unit_test(a_failure_sticks_until_cleared),
        cmocka_unit_test(a_size_that_overflows_fails),
        cmocka_unit_test(consuming_drops_from_the_front),
        cmocka_unit_test(integers_are_big_endian),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
