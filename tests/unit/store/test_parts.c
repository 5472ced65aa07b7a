/* SPDX-License-Identifier: Apache-2.0 */
/* The small parts: seals and hashes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "node/base/buf.h"
#include "node/store/hash.h"
#include "node/store/sealed.h"

static void a_seal_covers_table_key_and_every_bit_of_the_value(void **state)
{
    (void)state;
    uint8_t value[20 + KZ_SEAL_BYTES] = "twenty bytes of text";
    size_t size;
    kz_seal(5, "key", 3, value, 20);
    assert_true(kz_seal_check(5, "key", 3, value, sizeof(value), &size));
    assert_int_equal(size, 20);
    assert_false(kz_seal_check(6, "key", 3, value, sizeof(value), &size));
    assert_false(kz_seal_check(5, "kez", 3, value, sizeof(value), &size));
    assert_false(kz_seal_check(5, "ke", 2, value, sizeof(value), &size));
    assert_false(kz_seal_check(5, "key", 3, value, sizeof(value) - 1, &size));
    assert_false(kz_seal_check(5, "key", 3, value, KZ_SEAL_BYTES - 1, &size));
    for (size_t bit = 0; bit < 8 * sizeof(value); bit++) {
        value[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(kz_seal_check(5, "key", 3, value, sizeof(value), &size));
        value[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    kz_seal(5, "key", 3, value, 0); /* an empty value has a seal too */
    assert_true(kz_seal_check(5, "key", 3, value, KZ_SEAL_BYTES, &size));
    assert_int_equal(size, 0);
}

static void a_seal_s_bytes_are_fixed_for_ever(void **state)
{
    (void)state;
    uint8_t value[3 + KZ_SEAL_BYTES] = "abc";
    kz_seal(5, "key", 3, value, 3);
    assert_true(kz_get_u64(value + 3) == 0xc499dbb9df01f393); /* on every disk: a change here is a change of format */
}

static void sha_256_is_sha_256(void **state)
{
    (void)state;
    static const uint8_t expected[] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40,
                                       0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17,
                                       0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
    struct kz_hash hash;
    uint8_t out[KZ_HASH_BYTES];
    kz_hash_init(&hash); /* FIPS 180-4, "abc" */
    kz_hash_add(&hash, "a", 1);
    kz_hash_add(&hash, NULL, 0);
    kz_hash_add(&hash, "bc", 2);
    kz_hash_done(&hash, out);
    assert_memory_equal(out, expected, KZ_HASH_BYTES);
}

static void a_sum_does_not_depend_on_order_and_gives_back_what_is_taken_away(void **state)
{
    (void)state;
    struct kz_hash_sum a = {{0}}, b = {{0}}, zero = {{0}};
    for (unsigned i = 0; i < 200; i++) {
        char id[16], other[16];
        snprintf(id, sizeof(id), "r%u", i);
        snprintf(other, sizeof(other), "r%u", 199 - i);
        kz_hash_sum_add(&a, 1, id, id, strlen(id));
        kz_hash_sum_add(&b, 1, other, other, strlen(other));
    }
    assert_memory_equal(&a, &b, sizeof(a));
    kz_hash_sum_subtract(&a, 1, "r7", "r7", 2);
    assert_memory_not_equal(&a, &b, sizeof(a));
    kz_hash_sum_add(&a, 1, "r7", "r7", 2);
    assert_memory_equal(&a, &b, sizeof(a));
    for (unsigned i = 0; i < 200; i++) {
        char id[16];
        snprintf(id, sizeof(id), "r%u", i);
        kz_hash_sum_subtract(&a, 1, id, id, strlen(id));
    }
    assert_memory_equal(&a, &zero, sizeof(a));
    kz_hash_sum_subtract(&a, 1, "x", "x", 1); /* below zero and back */
    kz_hash_sum_add(&a, 1, "x", "x", 1);
    assert_memory_equal(&a, &zero, sizeof(a));
}

static void a_sum_tells_kind_id_and_contents_apart(void **state)
{
    (void)state;
    struct kz_hash_sum sums[4] = {{{0}}};
    kz_hash_sum_add(&sums[0], 1, "ab", "c", 1);
    kz_hash_sum_add(&sums[1], 2, "ab", "c", 1);
    kz_hash_sum_add(&sums[2], 1, "a", "bc", 2);
    kz_hash_sum_add(&sums[3], 1, "ab", "d", 1);
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < i; j++)
            assert_memory_not_equal(&sums[i], &sums[j], sizeof(sums[0]));
}

static void the_state_hash_covers_sum_revision_and_audit_head(void **state)
{
    (void)state;
    struct kz_hash_sum sum = {{0}}, other = {{1}};
    uint8_t head[KZ_HASH_BYTES] = {0}, head2[KZ_HASH_BYTES] = {1};
    uint8_t out[4][KZ_HASH_BYTES];
    kz_hash_state(&sum, 1, head, out[0]);
    kz_hash_state(&other, 1, head, out[1]);
    kz_hash_state(&sum, 2, head, out[2]);
    kz_hash_state(&sum, 1, head2, out[3]);
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < i; j++)
            assert_memory_not_equal(out[i], out[j], KZ_HASH_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seal_covers_table_key_and_every_bit_of_the_value),
        cmocka_unit_test(a_seal_s_bytes_are_fixed_for_ever),
        cmocka_unit_test(sha_256_is_sha_256),
        cmocka_unit_test(a_sum_does_not_depend_on_order_and_gives_back_what_is_taken_away),
        cmocka_unit_test(a_sum_tells_kind_id_and_contents_apart),
        cmocka_unit_test(the_state_hash_covers_sum_revision_and_audit_head),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
