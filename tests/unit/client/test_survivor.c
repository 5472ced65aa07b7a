/* SPDX-License-Identifier: Apache-2.0 */
/* Which survivor a lost majority is recovered from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/cli/survivor.h"

#define COUNT 3

struct world {
    Kz__Survivor items[COUNT];
    Kz__Survivor *list[COUNT];
};

/* All equal: epoch 1, last entry (5, 100), committed to 90; node ids 1, 2, 3. */
static void make_world(struct world *world)
{
    for (size_t i = 0; i < COUNT; i++) {
        Kz__Survivor *survivor = world->list[i] = &world->items[i];
        kz__survivor__init(survivor);
        survivor->node_id = i + 1;
        survivor->epoch = 1;
        survivor->last_term = 5;
        survivor->last_index = 100;
        survivor->commit_index = 90;
    }
}

static void expect(const struct world *world, size_t newest, enum kz_survivor_reason why)
{
    const Kz__Survivor *found = kz_survivor_newest(world->list, COUNT);
    assert_int_equal(found->node_id, newest);
    assert_int_equal(kz_survivor_why(found, world->list, COUNT), why);
}

static void of_equal_ones_the_lowest_id_is_taken(void **state)
{
    struct world world;
    (void)state;
    make_world(&world);
    expect(&world, 1, KZ_SURVIVOR_EQUAL);
    world.list[0] = &world.items[2];
    world.list[2] = &world.items[0];
    expect(&world, 1, KZ_SURVIVOR_EQUAL); /* in whatever order they answered */
}

static void a_later_last_term_beats_a_longer_log(void **state)
{
    struct world world;
    (void)state;
    make_world(&world);
    world.items[0].last_index = 5000;
    world.items[2].last_term = 6;
    expect(&world, 3, KZ_SURVIVOR_LAST_TERM);
}

static void of_one_last_term_the_longer_log_is_newer(void **state)
{
    struct world world;
    (void)state;
    make_world(&world);
    world.items[1].last_index = 101;
    world.items[2].commit_index = 100; /* knows more of less */
    expect(&world, 2, KZ_SURVIVOR_LAST_INDEX);
}

static void of_equal_logs_who_knows_more_commits_is_taken(void **state)
{
    struct world world;
    (void)state;
    make_world(&world);
    world.items[2].commit_index = 91;
    expect(&world, 3, KZ_SURVIVOR_COMMITTED);
}

static void a_later_epoch_beats_everything(void **state)
{
    struct world world;
    (void)state;
    make_world(&world);
    world.items[0].last_term = 50;
    world.items[0].last_index = 5000;
    world.items[1].epoch = 2;
    world.items[1].last_index = 3;
    expect(&world, 2, KZ_SURVIVOR_EPOCH);
}

static void a_fenced_node_is_never_newer_than_one_that_is_not(void **state)
{
    struct world world;
    Kz__Fence fence = KZ__FENCE__INIT;
    (void)state;
    make_world(&world);
    world.items[0].last_index = 5000;
    world.items[0].fence = &fence;
    expect(&world, 2, KZ_SURVIVOR_EQUAL);
}

static void one_alone_is_the_newest(void **state)
{
    struct world world;
    (void)state;
    make_world(&world);
    assert_ptr_equal(kz_survivor_newest(world.list, 1), world.list[0]);
    assert_int_equal(kz_survivor_why(world.list[0], world.list, 1), KZ_SURVIVOR_EQUAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_equal_ones_the_lowest_id_is_taken),
        cmocka_unit_test(a_later_last_term_beats_a_longer_log),
        cmocka_unit_test(of_one_last_term_the_longer_log_is_newer),
        cmocka_unit_test(of_equal_logs_who_knows_more_commits_is_taken),
        cmocka_unit_test(a_later_epoch_beats_everything),
        cmocka_unit_test(a_fenced_node_is_never_newer_than_one_that_is_not),
        cmocka_unit_test(one_alone_is_the_newest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
