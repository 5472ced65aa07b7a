/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes from disk and network: stable, limited, never trusted. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/registry/samples.h"

static void encode(const Kz__Record *record, struct kz_buf *out)
{
    kz_buf_init(out, 0);
    kz_record_encode(record, out);
    assert_false(out->failed);
}

static void encoding_a_decoded_record_gives_the_same_bytes(void **state)
{
    (void)state;
    size_t count = 0;
    const struct kz_kind *kinds = kz_kinds(&count);
    for (size_t i = 0; i < count * 2; i++) {
        Kz__Record *record = i < count ? sample_full(kinds[i].number) : sample_minimal(kinds[i - count].number);
        struct kz_buf first, second;
        encode(record, &first);
        Kz__Record *decoded = kz_record_decode(first.data, first.size_bytes);
        assert_non_null(decoded);
        assert_true(kz_record_same(record, decoded));
        encode(decoded, &second);
        assert_int_equal(first.size_bytes, second.size_bytes);
        assert_memory_equal(first.data, second.data, first.size_bytes);
        kz_buf_fini(&first);
        kz_buf_fini(&second);
        kz__record__free_unpacked(decoded, NULL);
        kz__record__free_unpacked(record, NULL);
    }
}

/* A field of a later version: number 900, length-delimited, at the end of the record and inside its body. */
static void what_this_version_does_not_know_is_dropped(void **state)
{
    (void)state;
    static const uint8_t unknown[] = {0xa2, 0x38, 3, 'n', 'e', 'w'};
    Kz__Record *record = sample_minimal(KZ__KIND__SITE);
    struct kz_buf plain, body, more, again;
    encode(record, &plain);
    kz_buf_init(&body, 0);
    kz_buf_init(&more, 0);
    size_t body_size = protobuf_c_message_get_packed_size(kz_record_body(record));
    protobuf_c_message_pack(kz_record_body(record), kz_buf_extend(&body, body_size));
    kz_buf_add(&body, unknown, sizeof(unknown));
    /* kind, id, then field 30 (site) written by hand with the longer body */
    const uint8_t head[] = {0x08, KZ__KIND__SITE,          0x12, 8, 's', 'a', 'm', 'p', 'l', 'e', '-', '1', 0xf2,
                            0x01, (uint8_t)body.size_bytes};
    kz_buf_add(&more, head, sizeof(head));
    kz_buf_add(&more, body.data, body.size_bytes);
    kz_buf_add(&more, unknown, sizeof(unknown));
    Kz__Record *decoded = kz_record_decode(more.data, more.size_bytes);
    assert_non_null(decoded);
    encode(decoded, &again);
    assert_int_equal(again.size_bytes, plain.size_bytes);
    assert_memory_equal(again.data, plain.data, plain.size_bytes);
    /* The library keeps unknown fields; encoding must drop them by itself too. */
    Kz__Record *raw = kz__record__unpack(NULL, more.size_bytes, more.data);
    kz_buf_clear(&again);
    kz_record_encode(raw, &again);
    assert_int_equal(again.size_bytes, plain.size_bytes);
    kz__record__free_unpacked(raw, NULL);
    kz__record__free_unpacked(decoded, NULL);
    kz__record__free_unpacked(record, NULL);
    kz_buf_fini(&plain);
    kz_buf_fini(&body);
    kz_buf_fini(&more);
    kz_buf_fini(&again);
}

static void expect_refused(const uint8_t *bytes, size_t size)
{
    Kz__Record *record = kz_record_decode(bytes, size);
    if (record != NULL) fail_msg("took %zu odd bytes", size);
}
#define EXPECT_REFUSED(...) expect_refused((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void odd_bytes_are_refused(void **state)
{
    (void)state;
    Kz__Record *fine = kz_record_decode((const uint8_t[]){0x08, 1, 0x12, 1, 'a'}, 5);
    assert_non_null(fine); /* the smallest that decodes: kind and id */
    kz__record__free_unpacked(fine, NULL);
    expect_refused((const uint8_t *)"", 0);
    EXPECT_REFUSED(0x08, 1);                             /* no id */
    EXPECT_REFUSED(0x12, 1, 'a');                        /* no kind */
    EXPECT_REFUSED(0x08, 99, 0x12, 1, 'a');              /* a kind of a later version */
    EXPECT_REFUSED(0x08, 0, 0x12, 1, 'a');               /* no kind has number 0 */
    EXPECT_REFUSED(0x08, 1, 0x12, 2, 'a');               /* cut off */
    EXPECT_REFUSED(0x08, 1, 0x12, 3, 'a', 0, 'b');       /* NUL inside a text */
    EXPECT_REFUSED(0x08, 1, 0x12, 2, 0xc0, 0xaf);        /* not UTF-8 */
    EXPECT_REFUSED(0x08, 1, 0x12, 1, 'a', 0x12, 1, 'b'); /* the id twice */
    EXPECT_REFUSED(0x08, 1, 0x10, 1);                    /* the id as a number */
    EXPECT_REFUSED(0x08, 1, 0x12, 1, 'a', 0x0b, 0x0c);   /* the groups of old */
    EXPECT_REFUSED(0x08, 1, 0x12, 1, 'a', 0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01);
    EXPECT_REFUSED(0x08, 1, 0x12, 1, 'a', 0xf2, 0x01, 2, 0x10, 99);                  /* site with role 99 */
    EXPECT_REFUSED(0x08, 1, 0x12, 1, 'a', 0xf2, 0x01, 0xff, 0xff, 0xff, 0xff, 0x0f); /* site of 4 GiB */
}

/* 130,000 empty groups in 260 KB would ask for some 10 MiB. */
static void lists_beyond_reason_are_refused_before_memory_is_taken(void **state)
{
    (void)state;
    const size_t body_size = 2 * 1001;
    struct kz_buf bytes;
    kz_buf_init(&bytes, 0);
    const uint8_t head[] = {
        0x08, KZ__KIND__SITE, 0x12, 1, 'a', 0xf2, 0x01, (uint8_t)(body_size & 0x7f) | 0x80, (uint8_t)(body_size >> 7)};
    kz_buf_add(&bytes, head, sizeof(head));
    for (size_t i = 0; i < 1001; i++)
        kz_buf_add(&bytes, (const uint8_t[]){0x2a, 0}, 2); /* hazards */
    expect_refused(bytes.data, bytes.size_bytes);
    kz_buf_fini(&bytes);
    uint8_t *big = calloc(1, KZ_RECORD_MAX_BYTES + 1);
    expect_refused(big, KZ_RECORD_MAX_BYTES + 1);
    free(big);
}

/* A small generator of its own, so that a failure replays. */
static uint32_t next(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

static void try_bytes(const uint8_t *bytes, size_t size, size_t *taken)
{
    struct kz_violations violations = {0};
    struct kz_buf first, second;
    Kz__Record *record = kz_record_decode(bytes, size);
    if (record == NULL) return;
    (*taken)++;
    kz_record_derive(record);
    kz_record_check(record, &violations); /* whatever decodes can be checked */
    kz_violations_fini(&violations);
    encode(record, &first);
    Kz__Record *again = kz_record_decode(first.data, first.size_bytes);
    assert_non_null(again);
    encode(again, &second);
    assert_int_equal(first.size_bytes, second.size_bytes);
    assert_memory_equal(first.data, second.data, first.size_bytes);
    kz_buf_fini(&first);
    kz_buf_fini(&second);
    kz__record__free_unpacked(again, NULL);
    kz__record__free_unpacked(record, NULL);
}

static void mutated_and_random_bytes_decode_to_something_sound_or_not_at_all(void **state)
{
    (void)state;
    size_t count = 0, taken = 0, tried = 0;
    const struct kz_kind *kinds = kz_kinds(&count);
    uint32_t seed = 20260117;
    for (size_t i = 0; i < count; i++) {
        Kz__Record *record = sample_full(kinds[i].number);
        struct kz_buf bytes;
        encode(record, &bytes);
        uint8_t *mutated = malloc(bytes.size_bytes);
        for (size_t round = 0; round < 2000; round++, tried++) {
            memcpy(mutated, bytes.data, bytes.size_bytes);
            size_t size = round % 3 == 0 ? next(&seed) % (bytes.size_bytes + 1) : bytes.size_bytes;
            for (uint32_t n = 1 + next(&seed) % 4; n > 0 && size > 0; n--)
                mutated[next(&seed) % size] = (uint8_t)next(&seed);
            try_bytes(mutated, size, &taken);
        }
        free(mutated);
        kz_buf_fini(&bytes);
        kz__record__free_unpacked(record, NULL);
    }
    for (size_t round = 0; round < 5000; round++, tried++) {
        uint8_t random[64];
        for (size_t i = 0; i < sizeof(random); i++)
            random[i] = (uint8_t)next(&seed);
        try_bytes(random, next(&seed) % sizeof(random), &taken);
    }
    /* Both outcomes must occur, or the mutations prove nothing. */
    assert_in_range(taken, 100, tried - 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encoding_a_decoded_record_gives_the_same_bytes),
        cmocka_unit_test(what_this_version_does_not_know_is_dropped),
        cmocka_unit_test(odd_bytes_are_refused),
        cmocka_unit_test(lists_beyond_reason_are_refused_before_memory_is_taken),
        cmocka_unit_test(mutated_and_random_bytes_decode_to_something_sound_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
