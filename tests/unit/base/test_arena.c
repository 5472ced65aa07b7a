/* SPDX-License-Identifier: Apache-2.0 */
/* Memory with a limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "node/base/arena.h"

static void an_arena_gives_separate_aligned_memory(void **state)
{
    (void)state;
    struct kz_arena arena;
    kz_arena_init(&arena, 8u << 20);
    uint8_t *last = NULL;
    for (size_t size = 1; size < 3000; size += 7) {
        uint8_t *at = kz_arena_zero(&arena, size);
        assert_int_equal((uintptr_t)at % 16, 0);
        assert_int_equal(at[size - 1], 0);
        memset(at, 0xff, size);
        if (last != NULL) assert_int_equal(last[0], 0xff);
        last = at;
    }
    uint8_t *large = kz_arena_alloc(&arena, 1u << 20); /* larger than a block */
    memset(large, 1, 1u << 20);
    assert_string_equal(kz_arena_memdup(&arena, "text", 5), "text");
    assert_non_null(kz_arena_memdup(&arena, NULL, 0));
    assert_false(arena.over_limit || arena.no_memory);
    kz_arena_fini(&arena);
}

static void an_arena_never_gives_more_than_its_limit(void **state)
{
    (void)state;
    struct kz_arena arena;
    kz_arena_init(&arena, 100000);
    assert_null(kz_arena_alloc(&arena, 100001));
    assert_true(arena.over_limit);
    assert_null(kz_arena_alloc(&arena, SIZE_MAX));
    assert_null(kz_arena_alloc(&arena, SIZE_MAX - 15));
    size_t got = 0;
    for (void *memory; (memory = kz_arena_alloc(&arena, 1000)); got += 1000) {
        assert_int_equal((uintptr_t)memory % 16, 0);
        memset(memory, 1, 1000);
    }
    assert_true(got > 90000 && got <= 100000);
    assert_false(arena.no_memory);
    kz_arena_reset(&arena);
    assert_false(arena.over_limit);
    assert_non_null(kz_arena_alloc(&arena, 0));
    assert_non_null(kz_arena_alloc(&arena, 50000));
    kz_arena_fini(&arena);
}

/* Else two nodes with the same command could decide differently. */
static void what_the_limit_refuses_does_not_depend_on_what_came_before_a_reset(void **state)
{
    (void)state;
    struct kz_arena fresh, used;
    kz_arena_init(&fresh, 200000);
    kz_arena_init(&used, 200000);
    for (size_t size = 1; kz_arena_alloc(&used, size) != NULL; size += 977)
        ;
    kz_arena_reset(&used);
    for (size_t size = 1, count = 0; count < 200; count++, size = size * 7 % 9001) {
        void *a = kz_arena_alloc(&fresh, size), *b = kz_arena_alloc(&used, size);
        assert_int_equal(a == NULL, b == NULL);
        assert_int_equal(fresh.used_bytes, used.used_bytes);
    }
    assert_true(fresh.over_limit && used.over_limit);
    kz_arena_fini(&fresh);
    kz_arena_fini(&used);
}

static void a_decoder_is_refused_what_the_limit_does_not_hold(void **state)
{
    (void)state;
    struct kz_arena arena;
    kz_arena_init(&arena, 1u << 20);
    ProtobufCAllocator *allocator = &arena.allocator;
    void *half = allocator->alloc(allocator->allocator_data, 1u << 19);
    assert_non_null(half);
    assert_null(allocator->alloc(allocator->allocator_data, (1u << 19) + 1));
    allocator->free(allocator->allocator_data, half); /* gives nothing back */
    assert_int_equal(arena.used_bytes, 1u << 19);
    assert_non_null(allocator->alloc(allocator->allocator_data, 100));
    arena.limit_bytes = 2u << 20;
    assert_non_null(allocator->alloc(allocator->allocator_data, (1u << 19) + 1));
    kz_arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_arena_gives_separate_aligned_memory),
        cmocka_unit_test(an_arena_never_gives_more_than_its_limit),
        cmocka_unit_test(what_the_limit_refuses_does_not_depend_on_what_came_before_a_reset),
        cmocka_unit_test(a_decoder_is_refused_what_the_limit_does_not_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
