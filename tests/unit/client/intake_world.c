/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/client/intake_world.h"

#include <stdio.h>
#include <string.h>

#include "client/codec/export.h"
#include "tests/unit/registry/samples.h"

void intake_hold(struct intake_world *world, Kz__Record *record)
{
    assert_non_null(record);
    assert_true(world->count < INTAKE_RECORDS_MAX);
    world->records[world->count++] = record;
}

Kz__Record *intake_hold_named(struct intake_world *world, const char *kind, const char *id, const char *name)
{
    Kz__Record *record = kz_record_new(kz_kind_by_name(kind)->number, id);
    intake_hold(world, record);
    if (name) assert_null(sample_set(record, "name", name));
    record->has_rev = true;
    record->rev = 5;
    return record;
}

void intake_take_bytes(struct intake_world *world, const char *kind, const void *bytes, size_t size_bytes)
{
    kz_set_init(&world->set, world->records, world->count);
    if (!kz_sheet_read(&world->sheet, "f.csv", bytes, size_bytes, &world->problems)) return;
    if (!kz_intake_open(&world->intake, kz_kind_by_name(kind), &world->sheet, world->mapping, &world->set,
                        &world->problems) &&
        world->intake.row_count == 0)
        return;
    for (size_t i = 0; world->base && i < world->intake.row_count; i++)
        world->intake.rows[i].base = world->base;
    kz_intake_merge(&world->intake, world->take, &world->tree, &world->problems, &world->conflicts);
    (void)kz_decode_tree(&world->tree, &world->entries, &world->problems);
}

void intake_take(struct intake_world *world, const char *kind, const char *text)
{
    intake_take_bytes(world, kind, text, strlen(text));
}

void intake_forget_file(struct intake_world *world)
{
    kz_entries_fini(&world->entries);
    kz_tree_fini(&world->tree);
    kz_intake_fini(&world->intake);
    kz_sheet_fini(&world->sheet);
    kz_set_fini(&world->set);
    kz_violations_fini(&world->problems);
    kz_violations_fini(&world->conflicts);
}

void intake_forget(struct intake_world *world)
{
    intake_forget_file(world);
    for (size_t i = 0; i < world->count; i++)
        kz__record__free_unpacked((Kz__Record *)(uintptr_t)world->records[i], NULL);
    *world = (struct intake_world){0};
}

void intake_expect_fine(const struct intake_world *world)
{
    for (size_t i = 0; i < world->problems.count; i++)
        print_error("%s: %s\n", world->problems.items[i]->path, world->problems.items[i]->en);
    for (size_t i = 0; i < world->conflicts.count; i++)
        print_error("conflict %s: %s\n", world->conflicts.items[i]->path, world->conflicts.items[i]->en);
    assert_int_equal(world->problems.count, 0);
    assert_int_equal(world->conflicts.count, 0);
}

void intake_expect_found(const struct kz_violations *found, size_t count, const char *const wanted[])
{
    for (size_t i = 0; i < found->count; i++) {
        char text[512];
        size_t length = strcspn(found->items[i]->path + strlen("f.csv:"), ":") + strlen("f.csv:");
        snprintf(text, sizeof text, "%.*s %s", (int)length, found->items[i]->path, found->items[i]->rule);
        bool known = false;
        for (size_t j = 0; j < count; j++)
            known = known || strcmp(wanted[j], text) == 0;
        if (!known) fail_msg("%s: %s", text, found->items[i]->en);
    }
    assert_int_equal(found->count, count);
}
void intake_export(const Kz__Record *record, bool japanese, enum kz_encoding encoding, struct kz_buf *out)
{
    struct kz_export what = {.kind = kz_kind_by_number(record->kind), .records = &record, .count = 1};
    struct kz_grid grid = {0};
    struct kz_buf text;
    kz_buf_init(&text, 0);
    kz_export_grid(&what, japanese, &grid);
    kz_grid_write_csv(&grid, true, false, &text);
    assert_true(kz_encoding_encode(encoding, kz_buf_text(&text), text.size_bytes, out));
    kz_buf_fini(&text);
    kz_grid_fini(&grid);
}

Kz__Record *intake_contact(uint64_t rev, const char *name, const char *title, const char *phone)
{
    Kz__Record *record = kz_record_new(KZ__KIND__CONTACT, "yamada");
    assert_non_null(record);
    assert_null(sample_set(record, "name", name));
    assert_null(sample_set(record, "title", title));
    assert_null(sample_set(record, "channels[0].type", "MOBILE"));
    assert_null(sample_set(record, "channels[0].value", phone));
    record->has_rev = true;
    record->rev = rev;
    return record;
}
