/* SPDX-License-Identifier: Apache-2.0 */
/* How what an old node holds stands to the present cluster, and the file it travels in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/salvage_file.h"
#include "node/base/assert.h"
#include "node/registry/record.h"

#define ITEMS_MAX 4

struct world {
    struct kz_salvage salvage;
    enum kz_salvage_verdict verdicts[ITEMS_MAX];
    size_t at[ITEMS_MAX];
};

/* NULL: no record. */
static Kz__Record *make_site(const char *name)
{
    if (!name) return NULL;
    Kz__Record *record = kz_record_new(KZ__KIND__SITE, "s");
    assert_non_null(record);
    free(record->site->name);
    record->site->name = kz_must_strdup(name);
    return record;
}

static Kz__SalvageItem *add(struct world *world, Kz__Mutation__Op op, const char *before, const char *after)
{
    Kz__SalvageItem *item = kz_must_alloc(1, sizeof *item);
    kz__salvage_item__init(item);
    item->state = KZ__SALVAGE_ITEM__STATE__APPLIED;
    item->change = kz_must_alloc(1, sizeof *item->change);
    kz__change__init(item->change);
    item->change->op = op;
    item->change->kind = KZ__KIND__SITE;
    item->change->id = kz_must_strdup("s");
    item->change->actor = kz_must_strdup("officer");
    item->change->node = kz_must_strdup("old");
    item->change->time_ms = 1000;
    item->change->before = make_site(before);
    item->change->after = make_site(after);
    world->salvage.items =
        kz_must_realloc(world->salvage.items, (world->salvage.count + 1) * sizeof *world->salvage.items);
    world->salvage.items[world->salvage.count++] = item;
    return item;
}

static void judge(struct world *world, const char *current)
{
    Kz__Record *record = make_site(current);
    size_t count = kz_salvage_group(&world->salvage, 0, world->at);
    assert_int_equal(count, world->salvage.count);
    kz_salvage_judge(&world->salvage, world->at, count, record, world->verdicts);
    if (record) kz__record__free_unpacked(record, NULL);
}

static void expect(struct world *world, const char *current, const enum kz_salvage_verdict *wanted)
{
    judge(world, current);
    for (size_t i = 0; i < world->salvage.count; i++)
        assert_int_equal(world->verdicts[i], wanted[i]);
}
#define EXPECT(world, current, ...) expect(world, current, (const enum kz_salvage_verdict[]){__VA_ARGS__})

static int setup(void **state)
{
    *state = kz_must_alloc(1, sizeof(struct world));
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    kz_salvage_fini(&world->salvage);
    free(world);
    return 0;
}

static void a_change_is_applied_to_what_it_was_made_from_and_only_once(void **state)
{
    struct world *world = *state;
    add(world, KZ__MUTATION__OP__PUT, "a", "b");
    EXPECT(world, "a", KZ_SALVAGE_APPLY);
    EXPECT(world, "b", KZ_SALVAGE_THERE);
    EXPECT(world, "other", KZ_SALVAGE_CONFLICT);
    EXPECT(world, NULL, KZ_SALVAGE_CONFLICT);
}

static void a_new_record_conflicts_with_another_of_its_name(void **state)
{
    struct world *world = *state;
    add(world, KZ__MUTATION__OP__PUT, NULL, "b");
    EXPECT(world, NULL, KZ_SALVAGE_APPLY);
    EXPECT(world, "b", KZ_SALVAGE_THERE);
    EXPECT(world, "c", KZ_SALVAGE_CONFLICT);
}

static void changes_of_one_record_follow_each_other(void **state)
{
    struct world *world = *state;
    add(world, KZ__MUTATION__OP__PUT, "a", "b");
    add(world, KZ__MUTATION__OP__PUT, "b", "c");
    add(world, KZ__MUTATION__OP__PUT, "c", "d");
    EXPECT(world, "a", KZ_SALVAGE_APPLY, KZ_SALVAGE_APPLY, KZ_SALVAGE_APPLY);
    EXPECT(world, "c", KZ_SALVAGE_THERE, KZ_SALVAGE_THERE, KZ_SALVAGE_APPLY);
    EXPECT(world, "d", KZ_SALVAGE_THERE, KZ_SALVAGE_THERE, KZ_SALVAGE_THERE);
    EXPECT(world, "x", KZ_SALVAGE_CONFLICT, KZ_SALVAGE_CONFLICT, KZ_SALVAGE_CONFLICT);
}

static void a_record_that_came_back_to_what_it_was_is_there(void **state)
{
    struct world *world = *state;
    add(world, KZ__MUTATION__OP__PUT, "a", "b");
    add(world, KZ__MUTATION__OP__PUT, "b", "a");
    EXPECT(world, "a", KZ_SALVAGE_THERE, KZ_SALVAGE_THERE);
}

static void a_change_that_was_never_applied_builds_on_the_one_before_it(void **state)
{
    struct world *world = *state;
    add(world, KZ__MUTATION__OP__PUT, "a", "b")->state = KZ__SALVAGE_ITEM__STATE__UNCERTAIN;
    /* The old node had applied neither: it tells "a" for both. */
    add(world, KZ__MUTATION__OP__PUT, "a", "c")->state = KZ__SALVAGE_ITEM__STATE__UNCERTAIN;
    EXPECT(world, "a", KZ_SALVAGE_APPLY, KZ_SALVAGE_APPLY);
    EXPECT(world, "b", KZ_SALVAGE_THERE, KZ_SALVAGE_APPLY);
}

static void a_retirement_is_there_when_the_record_is_gone(void **state)
{
    struct world *world = *state;
    add(world, KZ__MUTATION__OP__RETIRE, "a", NULL);
    EXPECT(world, "a", KZ_SALVAGE_APPLY);
    EXPECT(world, NULL, KZ_SALVAGE_THERE);
    EXPECT(world, "b", KZ_SALVAGE_CONFLICT);
}

static void a_confirmation_is_left_to_people(void **state)
{
    struct world *world = *state;
    add(world, KZ__MUTATION__OP__VERIFY, "a", "a");
    add(world, KZ__MUTATION__OP__PUT, "a", "b");
    EXPECT(world, "a", KZ_SALVAGE_BY_HAND, KZ_SALVAGE_APPLY);
    EXPECT(world, "b", KZ_SALVAGE_BY_HAND, KZ_SALVAGE_THERE);
}

/* ---- the file ---- */

static Kz__SalvageHead *make_head(void)
{
    Kz__SalvageHead *head = kz_must_alloc(1, sizeof *head);
    kz__salvage_head__init(head);
    head->cluster = kz_must_strdup("c");
    head->node = kz_must_strdup("old");
    head->epoch = 1;
    head->fenced = 2;
    return head;
}

static void make_path(char path[64])
{
    snprintf(path, 64, "/tmp/keizoku-salvage-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(unlink(path), 0);
}

static void expect_unreadable(const char *path)
{
    struct kz_salvage read;
    Kz__Error *error = kz_salvage_file_read(path, &read);
    assert_non_null(error);
    assert_int_equal(error->code, KZ_CORRUPT);
    assert_null(read.head);
    kz__error__free_unpacked(error, NULL);
}

static void flip(const char *path, long at)
{
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    int byte = fgetc(file);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    assert_int_equal(fputc(byte ^ 1, file), byte ^ 1);
    assert_int_equal(fclose(file), 0);
}

static void what_is_written_is_read_and_any_flipped_byte_is_noticed(void **state)
{
    struct world *world = *state;
    struct kz_salvage read;
    char path[64];
    make_path(path);
    world->salvage.head = make_head();
    add(world, KZ__MUTATION__OP__PUT, "a", "b");
    add(world, KZ__MUTATION__OP__PUT, "b", "c");
    assert_null(kz_salvage_file_write(path, &world->salvage));
    assert_null(kz_salvage_file_read(path, &read));
    assert_int_equal(read.count, 2);
    assert_string_equal(read.head->node, "old");
    assert_string_equal(read.items[1]->change->after->site->name, "c");
    kz_salvage_fini(&read);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long size = ftell(file);
    fclose(file);
    for (long at = 0; at < size; at++) {
        flip(path, at);
        expect_unreadable(path);
        flip(path, at);
    }
    for (long cut = size - 1; cut >= 0; cut--) {
        assert_int_equal(truncate(path, cut), 0);
        expect_unreadable(path);
    }
    assert_int_equal(unlink(path), 0);
}

static void a_salvage_is_never_written_over_another_file(void **state)
{
    struct world *world = *state;
    char path[64];
    make_path(path);
    world->salvage.head = make_head();
    assert_null(kz_salvage_file_write(path, &world->salvage));
    Kz__Error *error = kz_salvage_file_write(path, &world->salvage);
    assert_non_null(error);
    kz__error__free_unpacked(error, NULL);
    assert_int_equal(unlink(path), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_change_is_applied_to_what_it_was_made_from_and_only_once),
        T(a_new_record_conflicts_with_another_of_its_name),
        T(changes_of_one_record_follow_each_other),
        T(a_record_that_came_back_to_what_it_was_is_there),
        T(a_change_that_was_never_applied_builds_on_the_one_before_it),
        T(a_retirement_is_there_when_the_record_is_gone),
        T(a_confirmation_is_left_to_people),
        T(what_is_written_is_read_and_any_flipped_byte_is_noticed),
        T(a_salvage_is_never_written_over_another_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
