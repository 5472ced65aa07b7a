/* SPDX-License-Identifier: Apache-2.0 */
/* What keizoku-sample writes is a registry that every rule accepts, whose references lead backwards, and which the
 * recovery order finds in order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/files.h"
#include "node/registry/order.h"
#include "node/registry/targets.h"
#include "tools/sample.h"

#define TODAY 20778 /* 2026-11-21 */
#define FNV_START UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

static struct kz_sample make(uint64_t seed, uint32_t systems, uint32_t contacts)
{
    struct kz_sample sample = {.seed = seed, .systems = systems, .contacts = contacts, .today = TODAY};
    kz_sample_init(&sample);
    return sample;
}

/* `step` systems or contacts at a time; 0: all at once. */
static void write_all(struct kz_sample *sample, FILE *out, uint32_t step)
{
    size_t count;
    const struct kz_sample_section *sections = kz_sample_sections(&count);
    sample->out = out;
    for (size_t i = 0; i < count; i++) {
        uint32_t units = sections[i].units ? sections[i].units(sample) : 1;
        for (uint32_t from = 0, to; from < units; from = to) {
            to = step && units - from > step ? from + step : units;
            sections[i].write(sample, from, to);
        }
    }
}

static char *text_of(uint64_t seed, uint32_t systems, uint32_t contacts, uint32_t step)
{
    struct kz_sample sample = make(seed, systems, contacts);
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    write_all(&sample, out, step);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void the_same_seed_gives_the_same_bytes_whatever_the_pieces(void **state)
{
    (void)state;
    char *once = text_of(7, 50, 40, 0), *pieces = text_of(7, 50, 40, 7), *other = text_of(8, 50, 40, 0);
    uint64_t hash = FNV_START;
    for (const char *at = once; *at; at++)
        hash = (hash ^ (unsigned char)*at) * FNV_PRIME;
    assert_string_equal(once, pieces);
    assert_string_not_equal(once, other);
    /* Of the machine it was first made on: benchmarks on another one must be about the same records. */
    if (hash != UINT64_C(0x8cff8646a86aa4c0)) fail_msg("made 0x%016llx", (unsigned long long)hash);
    free(once);
    free(pieces);
    free(other);
}

/* ---- as the client reads it ---- */

struct made {
    struct kz_files files;
    struct kz_set set;
    struct kz_graph graph;
    const Kz__Record **records;
    size_t count;
};

static void load(struct made *made, uint64_t seed, uint32_t systems, uint32_t contacts)
{
    char path[] = "/tmp/keizoku-made-XXXXXX.yaml";
    int file = mkstemps(path, 5);
    assert_true(file >= 0);
    FILE *out = fdopen(file, "w");
    struct kz_sample sample = make(seed, systems, contacts);
    write_all(&sample, out, 0);
    assert_int_equal(fclose(out), 0);
    Kz__Error *error = kz_files_read(&made->files, path);
    unlink(path);
    if (error) {
        for (size_t i = 0; i < error->n_violations; i++)
            print_message("%s: %s\n", error->violations[i]->path, error->violations[i]->en);
        fail_msg("%u systems, %u contacts: %s", systems, contacts, error->what_en);
    }
    made->count = made->files.entries.count;
    made->records = calloc(made->count, sizeof(made->records[0]));
    assert_non_null(made->records);
    for (size_t i = 0; i < made->count; i++) {
        kz_record_derive(made->files.entries.items[i].record);
        made->records[i] = made->files.entries.items[i].record;
    }
    kz_set_init(&made->set, made->records, made->count);
    kz_graph_init(&made->graph, &made->set);
}

static void release(struct made *made)
{
    kz_graph_fini(&made->graph);
    kz_set_fini(&made->set);
    kz_files_fini(&made->files);
    free(made->records);
}

struct seen {
    const struct made *made;
    size_t *at; /* beside set.items: where it stands in the files */
    size_t now;
};

static void check_reference(void *data, const char *path, Kz__Kind kind, const char *id)
{
    const struct seen *seen = data;
    const struct kz_set *set = &seen->made->set;
    size_t index = kz_set_index(set, kind, id);
    if (index == SIZE_MAX) fail_msg("%s: there is no %d/%s", path, (int)kind, id);
    if (seen->at[set->first[kind] + index] > seen->now) fail_msg("%s: %d/%s comes later", path, (int)kind, id);
}

/* Part after part can be applied: what a record refers to is there already. */
static void check_references(const struct made *made)
{
    struct seen seen = {.made = made, .at = calloc(made->set.count, sizeof(size_t))};
    assert_non_null(seen.at);
    assert_int_equal(made->set.count, made->count); /* no id stands twice */
    for (size_t i = 0; i < made->count; i++) {
        const Kz__Record *record = made->records[i];
        seen.at[made->set.first[record->kind] + kz_set_index(&made->set, record->kind, record->id)] = i;
    }
    for (seen.now = 0; seen.now < made->count; seen.now++)
        kz_record_references(made->records[seen.now], check_reference, &seen);
    free(seen.at);
}

static void fail_platform(void *data, const Kz__Record *platform, const Kz__Record *system)
{
    (void)data;
    fail_msg("%s is not wanted before %s", platform->id, system->id);
}

/* G 2.5.2: no cycle, required RTOs kept, nobody late. */
static void check_targets(const struct made *made)
{
    struct kz_required *required = kz_targets_required(&made->set, &made->graph);
    struct kz_order order;
    assert_int_equal(made->graph.cycle_count, 0);
    kz_targets_platform(&made->graph, fail_platform, NULL);
    for (size_t i = 0; i < made->graph.count; i++)
        if (required[i].has && made->graph.systems[i]->system->rto > required[i].rto_s)
            fail_msg("%s must be there earlier for %s", made->graph.systems[i]->id, required[i].from->id);
    kz_order_init(&order, &made->graph, &(struct kz_order_options){0});
    assert_int_equal(order.count, made->graph.count);
    for (size_t i = 0; i < order.count; i++)
        if (order.steps[i].misses || order.steps[i].at_least)
            fail_msg("%s is late", made->graph.systems[order.steps[i].system]->id);
    kz_order_fini(&order);
    free(required);
}

static void every_rule_accepts_it_at_every_size(void **state)
{
    (void)state;
    static const struct {
        uint32_t systems, contacts;
    } sizes[] = {{1, 10}, {2, 10}, {3, 11}, {4, 13}, {17, 26}, {38, 200}, {300, 40}, {1000, 2500}};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct made made;
        size_t systems, contacts;
        load(&made, i, sizes[i].systems, sizes[i].contacts);
        kz_set_kind(&made.set, KZ__KIND__SYSTEM, &systems);
        kz_set_kind(&made.set, KZ__KIND__CONTACT, &contacts);
        assert_int_equal(systems, sizes[i].systems);
        assert_int_equal(contacts, sizes[i].contacts);
        check_references(&made);
        check_targets(&made);
        release(&made);
    }
}

/* G 2.5.2(2)(a): where everything comes first, nothing does. */
static void fewer_than_a_fifth_of_the_systems_are_wanted_at_once(void **state)
{
    (void)state;
    struct made made;
    size_t urgent = 0;
    load(&made, 3, 1000, 300);
    for (size_t i = 0; i < made.graph.count; i++)
        urgent += made.graph.systems[i]->system->priority == KZ__SYSTEM__PRIORITY__S;
    assert_in_range(urgent, 1, made.graph.count / 5 - 1);
    release(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_gives_the_same_bytes_whatever_the_pieces),
        cmocka_unit_test(every_rule_accepts_it_at_every_size),
        cmocka_unit_test(fewer_than_a_fifth_of_the_systems_are_wanted_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
