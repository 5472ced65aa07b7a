/* SPDX-License-Identifier: Apache-2.0 */
#include "node/backup/key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t id[KZ_BACKUP_ID_BYTES] = "0123456789abcde";

static void a_key_read_from_its_text_is_the_same_key(void **state)
{
    struct kz_backup_key key, again;
    struct kz_err err = {0};
    struct kz_buf text;
    (void)state;
    kz_buf_init(&text, 0);
    assert_int_equal(kz_backup_key_make(&key, &err), KZ_OK);
    kz_buf_add_text(&text, "# a comment\n");
    kz_backup_key_write(&key, true, &text);
    assert_int_equal(kz_backup_key_read(kz_buf_text(&text), &again, &err), KZ_OK);
    assert_memory_equal(&key, &again, sizeof key);
    kz_buf_clear(&text);
    kz_backup_key_write(&key, false, &text);
    assert_int_equal(kz_backup_key_read(kz_buf_text(&text), &again, &err), KZ_OK);
    assert_false(again.is_private);
    assert_memory_equal(key.public_key, again.public_key, KZ_BACKUP_KEY_BYTES);
    kz_buf_fini(&text);
}

static void a_key_with_one_changed_letter_is_refused(void **state)
{
    struct kz_backup_key key, again;
    struct kz_err err = {0};
    struct kz_buf text;
    (void)state;
    kz_buf_init(&text, 0);
    assert_int_equal(kz_backup_key_make(&key, &err), KZ_OK);
    kz_backup_key_write(&key, false, &text);
    char *letters = (char *)(uintptr_t)kz_buf_text(&text);
    for (size_t i = 0; letters[i] != '\n'; i++) {
        char was = letters[i];
        letters[i] = was == '0' ? '1' : '0';
        assert_int_not_equal(kz_backup_key_read(letters, &again, &err), KZ_OK);
        letters[i] = was;
    }
    assert_int_equal(kz_backup_key_read("-----BEGIN PRIVATE KEY-----", &again, &err), KZ_USAGE);
    assert_int_equal(kz_backup_key_read("", &again, &err), KZ_USAGE);
    kz_buf_fini(&text);
}

static void a_data_key_comes_out_of_its_own_wrapping_only(void **state)
{
    struct kz_backup_key key, other;
    struct kz_backup_wrapped wrapped;
    struct kz_err err = {0};
    uint8_t data_key[KZ_BACKUP_KEY_BYTES], out[KZ_BACKUP_KEY_BYTES], other_id[KZ_BACKUP_ID_BYTES] = {1};
    (void)state;
    assert_int_equal(kz_backup_key_make(&key, &err), KZ_OK);
    assert_int_equal(kz_backup_key_make(&other, &err), KZ_OK);
    assert_int_equal(kz_backup_random(data_key, sizeof data_key, &err), KZ_OK);
    assert_int_equal(kz_backup_wrap(id, key.public_key, data_key, &wrapped, &err), KZ_OK);
    assert_true(kz_backup_unwrap(id, &key, &wrapped, out));
    assert_memory_equal(data_key, out, sizeof out);
    assert_false(kz_backup_unwrap(id, &other, &wrapped, out));
    assert_false(kz_backup_unwrap(other_id, &key, &wrapped, out));
    wrapped.ephemeral[3] ^= 1;
    assert_false(kz_backup_unwrap(id, &key, &wrapped, out));
}

static void a_public_key_of_small_order_is_refused(void **state)
{
    static const uint8_t zero[KZ_BACKUP_KEY_BYTES], one[KZ_BACKUP_KEY_BYTES] = {1};
    struct kz_backup_wrapped wrapped;
    struct kz_err err = {0};
    (void)state;
    assert_int_equal(kz_backup_wrap(id, zero, one, &wrapped, &err), KZ_USAGE);
    assert_int_equal(kz_backup_wrap(id, one, one, &wrapped, &err), KZ_USAGE);
}

static void a_chunk_is_bound_to_its_place_and_to_being_the_last(void **state)
{
    static const uint8_t data_key[KZ_BACKUP_KEY_BYTES] = {7};
    uint8_t sealed[5 + KZ_BACKUP_TAG_BYTES], out[5];
    struct kz_backup_cipher *cipher = kz_backup_cipher_new(id, data_key);
    (void)state;
    kz_backup_encrypt(cipher, 4, false, (const uint8_t *)"hello", 5, sealed);
    assert_true(kz_backup_decrypt(cipher, 4, false, sealed, sizeof sealed, out));
    assert_memory_equal(out, "hello", 5);
    assert_false(kz_backup_decrypt(cipher, 5, false, sealed, sizeof sealed, out));
    assert_false(kz_backup_decrypt(cipher, 4, true, sealed, sizeof sealed, out));
    sealed[0] ^= 1;
    assert_false(kz_backup_decrypt(cipher, 4, false, sealed, sizeof sealed, out));
    kz_backup_cipher_free(cipher);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_read_from_its_text_is_the_same_key),
        cmocka_unit_test(a_key_with_one_changed_letter_is_refused),
        cmocka_unit_test(a_data_key_comes_out_of_its_own_wrapping_only),
        cmocka_unit_test(a_public_key_of_small_order_is_refused),
        cmocka_unit_test(a_chunk_is_bound_to_its_place_and_to_being_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
