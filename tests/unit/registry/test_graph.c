/* SPDX-License-Identifier: Apache-2.0 */
/* Records found by kind and id; dependencies both ways; cycles named and broken the same way each time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/registry/systems.h"

#define SEEDS 40
#define SYSTEMS 60

static void a_set_finds_by_kind_and_id_and_leaves_out_what_is_retired(void **state)
{
    (void)state;
    struct registry registry = {0};
    registry_system(&registry, "b", "1h", "", "");
    registry_system(&registry, "a", "1h", "", "");
    registry_system(&registry, "gone", "1h", "", "")->has_retired_at = 1;
    registry_add(&registry, KZ__KIND__SITE, "a");
    Kz__Record *newer = registry_system(&registry, "b", "2h", "", "");
    newer->has_rev = 1;
    newer->rev = 7;
    registry_close(&registry);
    size_t count = 0;
    const Kz__Record *const *systems = kz_set_kind(&registry.set, KZ__KIND__SYSTEM, &count);
    assert_int_equal(count, 2);
    assert_string_equal(systems[0]->id, "a");
    assert_ptr_equal(systems[1], newer);
    assert_int_equal(kz_set_find(&registry.set, KZ__KIND__SITE, "a")->kind, KZ__KIND__SITE);
    assert_null(kz_set_find(&registry.set, KZ__KIND__SYSTEM, "gone"));
    assert_null(kz_set_find(&registry.set, KZ__KIND__ORG, "a"));
    assert_null(kz_set_find(&registry.set, KZ__KIND__SYSTEM, NULL));
    kz_set_kind(&registry.set, KZ__KIND__BULLETIN, &count);
    assert_int_equal(count, 0);
    registry_free(&registry);
}

static void rank_is_by_priority_then_rto_then_id_and_an_override_counts(void **state)
{
    (void)state;
    static const char *const expected[] = {"override", "s-1h", "a-2h", "b-2h", "day", "none"};
    struct registry registry = {0};
    registry_system(&registry, "none", "", "", "");
    registry_system(&registry, "b-2h", "2h", "", "");
    registry_system(&registry, "a-2h", "2h", "", "");
    registry_system(&registry, "day", "1d", "", "");
    registry_system(&registry, "s-1h", "1h", "", "");
    Kz__Record *override = registry_system(&registry, "override", "30m", "", "");
    fill(override, "priority_override", "S");
    registry_close(&registry);
    for (size_t i = 0; i < 6; i++)
        assert_string_equal(registry.graph.systems[registry.graph.by_rank[i]]->id, expected[i]);
    registry_free(&registry);
}

static void needs_and_users_agree_and_stand_once(void **state)
{
    (void)state;
    struct registry registry = {0};
    registry_system(&registry, "a", "1h", "", "c b c unknown");
    registry_system(&registry, "b", "1h", "", "c");
    registry_system(&registry, "c", "1h", "", "");
    registry_close(&registry);
    const struct kz_graph *graph = &registry.graph;
    size_t a = registry_index(&registry, "a"), c = registry_index(&registry, "c");
    assert_int_equal(graph->needs_at[a + 1] - graph->needs_at[a], 2);
    assert_int_equal(graph->needs[graph->needs_at[a]], registry_index(&registry, "b"));
    assert_int_equal(graph->users_at[c + 1] - graph->users_at[c], 2);
    assert_int_equal(graph->cycle_count, 0);
    registry_free(&registry);
}

static void a_cycle_is_named_from_its_first_rank_and_its_last_dependency_ignored(void **state)
{
    (void)state;
    struct registry registry = {0};
    registry_system(&registry, "dns", "2h", "", "auth");
    registry_system(&registry, "auth", "1h", "", "net");
    registry_system(&registry, "net", "3h", "", "dns");
    registry_system(&registry, "mail", "1d", "", "dns");
    registry_close(&registry);
    const struct kz_graph *graph = &registry.graph;
    assert_int_equal(graph->cycle_count, 1);
    assert_int_equal(graph->cycles[0].count, 3);
    assert_string_equal(graph->systems[graph->cycles[0].systems[0]]->id, "auth");
    assert_string_equal(graph->systems[graph->cycles[0].systems[1]]->id, "net");
    assert_string_equal(graph->systems[graph->cycles[0].systems[2]]->id, "dns");
    assert_true(graph->ignored[graph->needs_at[registry_index(&registry, "dns")]]);
    assert_false(graph->ignored[graph->needs_at[registry_index(&registry, "auth")]]);
    assert_false(graph->ignored[graph->needs_at[registry_index(&registry, "mail")]]);
    registry_free(&registry);
}

/* By trying every way: does `from` reach `to` over dependencies? `all`: over ignored ones too. */
static bool reaches(const struct kz_graph *graph, size_t from, size_t to, bool all, bool *seen)
{
    if (from == to) return true;
    seen[from] = true;
    for (size_t edge = graph->needs_at[from]; edge < graph->needs_at[from + 1]; edge++) {
        size_t next = graph->needs[edge];
        if ((all || !graph->ignored[edge]) && (next == to || !seen[next]) && reaches(graph, next, to, all, seen))
            return true;
    }
    return false;
}

static void check_cycles(const struct kz_graph *graph)
{
    bool seen[SYSTEMS];
    size_t ignored = 0;
    for (size_t from = 0; from < graph->count; from++) {
        for (size_t edge = graph->needs_at[from]; edge < graph->needs_at[from + 1]; edge++) {
            memset(seen, 0, sizeof(seen));
            bool round = reaches(graph, graph->needs[edge], from, false, seen);
            ignored += graph->ignored[edge];
            /* Without what is ignored no cycle is left; what is ignored would close one. */
            assert_int_equal(round, graph->ignored[edge]);
        }
    }
    assert_int_equal(ignored, graph->cycle_count);
}

static void cycles_of_random_graphs_are_broken_and_none_without_need(void **state)
{
    (void)state;
    size_t with_cycles = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct registry registry = {0};
        registry_random_systems(&registry, seed, SYSTEMS, 3, seed % 4 == 0);
        check_cycles(&registry.graph);
        if (seed % 4 == 0) assert_int_equal(registry.graph.cycle_count, 0);
        with_cycles += registry.graph.cycle_count > 0;
        registry_free(&registry);
    }
    assert_in_range(with_cycles, SEEDS / 2, SEEDS);
}

static void the_order_records_come_in_changes_nothing(void **state)
{
    (void)state;
    struct registry registry = {0};
    registry_random_systems(&registry, 11, SYSTEMS, 3, false);
    struct kz_set set;
    struct kz_graph graph;
    const Kz__Record *reversed[SYSTEMS];
    for (size_t i = 0; i < SYSTEMS; i++)
        reversed[i] = registry.records[SYSTEMS - 1 - i];
    kz_set_init(&set, reversed, SYSTEMS);
    kz_graph_init(&graph, &set);
    assert_int_equal(graph.cycle_count, registry.graph.cycle_count);
    assert_memory_equal(graph.by_rank, registry.graph.by_rank, SYSTEMS * sizeof(size_t));
    assert_memory_equal(graph.ignored, registry.graph.ignored, graph.needs_at[SYSTEMS]);
    kz_graph_fini(&graph);
    kz_set_fini(&set);
    registry_free(&registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_set_finds_by_kind_and_id_and_leaves_out_what_is_retired),
        cmocka_unit_test(rank_is_by_priority_then_rto_then_id_and_an_override_counts),
        cmocka_unit_test(needs_and_users_agree_and_stand_once),
        cmocka_unit_test(a_cycle_is_named_from_its_first_rank_and_its_last_dependency_ignored),
        cmocka_unit_test(cycles_of_random_graphs_are_broken_and_none_without_need),
        cmocka_unit_test(the_order_records_come_in_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
