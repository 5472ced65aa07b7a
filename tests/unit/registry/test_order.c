/* SPDX-License-Identifier: Apache-2.0 */
/* Recovery order, times, who misses the RTO and why; each test names the rule. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/registry/order.h"
#include "tests/unit/registry/systems.h"

#define MINUTE_S INT64_C(60)
#define SEEDS 40
#define SYSTEMS 60

static const struct kz_order_step *find(const struct registry *registry, const struct kz_order *order, const char *id)
{
    for (size_t i = 0; i < order->count; i++)
        if (order->steps[i].system == registry_index(registry, id)) return &order->steps[i];
    fail_msg("%s is not in the order", id);
    return NULL;
}

static void expect_order(const struct registry *registry, const struct kz_order *order, const char *expected)
{
    char text[512] = "";
    for (size_t i = 0; i < order->count; i++) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof(text) - used, "%s ", registry->graph.systems[order->steps[i].system]->id);
    }
    assert_string_equal(text, expected);
}

/* G 2.5.2(1)-1; the platform first (N 4(7)), then by priority and RTO. */
static void what_is_needed_comes_first_then_priority_then_rto(void **state)
{
    (void)state;
    struct registry registry = {0};
    struct kz_order order;
    registry_system(&registry, "kasou", "1w", "50m", ""); /* a long RTO does not make it wait */
    registry_system(&registry, "hp", "3h", "90m", "kasou");
    registry_system(&registry, "juki", "2h", "60m", "kasou");
    registry_system(&registry, "koseki", "1d", "6h", "kasou");
    registry_system(&registry, "free", "4h", "1h", "");
    registry_close(&registry);
    kz_order_init(&order, &registry.graph, &(struct kz_order_options){0});
    expect_order(&registry, &order, "free kasou juki hp koseki ");
    kz_order_fini(&order);
    registry_free(&registry);
}

/* N 4(7): 各システム主管課及び各システムベンダは…各主管システムの復旧作業を行う: each its own, once the platform runs.
 */
static void owners_recover_at_the_same_time_and_the_critical_chain_says_why_one_is_late(void **state)
{
    (void)state;
    struct registry registry = {0};
    struct kz_order order;
    registry_system(&registry, "kasou", "1h", "50m", "");
    registry_system(&registry, "domain", "2h", "60m", "kasou");
    registry_system(&registry, "mail", "3h", "100m", "kasou domain");
    registry_system(&registry, "hp", "3h", "90m", "kasou");
    registry_close(&registry);
    kz_order_init(&order, &registry.graph, &(struct kz_order_options){0});
    assert_int_equal(find(&registry, &order, "hp")->finish_s, 140 * MINUTE_S);
    assert_false(find(&registry, &order, "hp")->misses);
    const struct kz_order_step *mail = find(&registry, &order, "mail");
    assert_int_equal(mail->start_s, 110 * MINUTE_S);
    assert_int_equal(mail->finish_s, 210 * MINUTE_S);
    assert_true(mail->misses);
    assert_int_equal(mail->late_s, 30 * MINUTE_S);
    size_t count = 0;
    size_t *chain = kz_order_chain(&order, (size_t)(mail - order.steps), &count);
    assert_int_equal(count, 3);
    assert_int_equal(order.steps[chain[0]].system, registry_index(&registry, "kasou"));
    assert_int_equal(order.steps[chain[1]].system, registry_index(&registry, "domain"));
    assert_ptr_equal(&order.steps[chain[2]], mail);
    free(chain);
    kz_order_fini(&order);
    registry_free(&registry);
}

static void fewer_teams_take_one_after_the_other_in_this_order(void **state)
{
    (void)state;
    struct registry registry = {0};
    struct kz_order order;
    registry_system(&registry, "a", "1h", "60m", "");
    registry_system(&registry, "b", "2h", "30m", "");
    registry_system(&registry, "c", "3h", "45m", "");
    registry_close(&registry);
    kz_order_init(&order, &registry.graph, &(struct kz_order_options){.teams = 1});
    assert_int_equal(find(&registry, &order, "b")->finish_s, 90 * MINUTE_S);
    assert_int_equal(find(&registry, &order, "c")->finish_s, 135 * MINUTE_S);
    assert_true(find(&registry, &order, "c")->for_team);
    kz_order_fini(&order);
    kz_order_init(&order, &registry.graph, &(struct kz_order_options){.teams = 2});
    assert_int_equal(find(&registry, &order, "b")->finish_s, 30 * MINUTE_S);
    assert_int_equal(find(&registry, &order, "c")->finish_s, 75 * MINUTE_S);
    assert_int_equal(find(&registry, &order, "c")->after, 1);
    kz_order_fini(&order);
    registry_free(&registry);
}

static void time_that_has_passed_counts_and_only_what_stopped_is_recovered(void **state)
{
    (void)state;
    struct registry registry = {0};
    struct kz_order order;
    registry_system(&registry, "kasou", "1h", "50m", "");
    registry_system(&registry, "juki", "3h", "2h", "kasou");
    registry_system(&registry, "hp", "3h", "90m", "kasou");
    registry_close(&registry);
    bool wanted[3] = {false};
    wanted[registry_index(&registry, "juki")] = true;
    kz_order_init(&order, &registry.graph, &(struct kz_order_options){.elapsed_s = 90 * MINUTE_S, .wanted = wanted});
    expect_order(&registry, &order, "juki ");
    assert_int_equal(order.steps[0].start_s, 90 * MINUTE_S);
    assert_int_equal(order.steps[0].late_s, 30 * MINUTE_S);
    assert_int_equal(order.steps[0].after, SIZE_MAX);
    kz_order_fini(&order);
    registry_free(&registry);
}

static void an_estimate_that_is_not_known_makes_what_waits_at_least(void **state)
{
    (void)state;
    struct registry registry = {0};
    struct kz_order order;
    registry_system(&registry, "kyodo", "1h", "", "");
    registry_system(&registry, "on-it", "3h", "1h", "kyodo");
    registry_system(&registry, "other", "3h", "1h", "");
    registry_close(&registry);
    kz_order_init(&order, &registry.graph, &(struct kz_order_options){0});
    assert_true(find(&registry, &order, "kyodo")->at_least);
    assert_false(find(&registry, &order, "kyodo")->start_at_least);
    assert_true(find(&registry, &order, "on-it")->start_at_least);
    assert_true(find(&registry, &order, "on-it")->at_least);
    assert_false(find(&registry, &order, "other")->at_least);
    kz_order_fini(&order);
    registry_free(&registry);
}

static void systems_of_a_cycle_are_all_recovered_in_the_order_left(void **state)
{
    (void)state;
    struct registry registry = {0};
    struct kz_order order;
    registry_system(&registry, "dns", "2h", "10m", "auth");
    registry_system(&registry, "auth", "1h", "10m", "net");
    registry_system(&registry, "net", "3h", "10m", "dns");
    registry_close(&registry);
    kz_order_init(&order, &registry.graph, &(struct kz_order_options){0});
    expect_order(&registry, &order, "dns net auth ");
    assert_int_equal(order.steps[2].finish_s, 30 * MINUTE_S);
    kz_order_fini(&order);
    registry_free(&registry);
}

/* Picks again and again, from all that are left, the first rank among those whose needs are done. */
static void check_naively(const struct kz_graph *graph, const struct kz_order *order)
{
    bool done[SYSTEMS] = {false};
    int64_t finish[SYSTEMS];
    assert_int_equal(order->count, graph->count);
    for (size_t step = 0; step < graph->count; step++) {
        size_t best = SIZE_MAX;
        int64_t best_start = 0;
        for (size_t i = 0; i < graph->count; i++) {
            bool ready = !done[i];
            int64_t start = 0;
            for (size_t edge = graph->needs_at[i]; edge < graph->needs_at[i + 1]; edge++) {
                if (graph->ignored[edge]) continue;
                ready = ready && done[graph->needs[edge]];
                if (ready && finish[graph->needs[edge]] > start) start = finish[graph->needs[edge]];
            }
            if (!ready || (best != SIZE_MAX && graph->rank[i] > graph->rank[best])) continue;
            best = i;
            best_start = start;
        }
        assert_int_equal(order->steps[step].system, best);
        const Kz__System *system = graph->systems[best]->system;
        done[best] = true;
        finish[best] = best_start + (system->has_estimated_recovery ? system->estimated_recovery : 0);
        assert_int_equal(order->steps[step].start_s, best_start);
        assert_int_equal(order->steps[step].finish_s, finish[best]);
        assert_int_equal(order->steps[step].misses, system->has_rto && finish[best] > system->rto);
    }
}

/* Whatever the number of teams: never more at once than there are, never before what is needed, no team idles. */
static void check_teams(const struct kz_graph *graph, size_t teams)
{
    struct kz_order order;
    kz_order_init(&order, graph, &(struct kz_order_options){.teams = teams});
    for (size_t i = 0; i < order.count; i++) {
        size_t busy = 0;
        for (size_t j = 0; j < order.count; j++)
            busy +=
                order.steps[j].start_s <= order.steps[i].start_s && order.steps[j].finish_s > order.steps[i].start_s;
        assert_in_range(busy, 0, teams);
        if (order.steps[i].after == SIZE_MAX)
            assert_int_equal(order.steps[i].start_s, 0);
        else
            assert_int_equal(order.steps[i].start_s, order.steps[order.steps[i].after].finish_s);
    }
    kz_order_fini(&order);
}

static void orders_of_random_graphs_are_as_a_naive_reading_finds_them(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct registry registry = {0};
        struct kz_order order;
        registry_random_systems(&registry, seed, SYSTEMS, 3, seed % 2 == 0);
        kz_order_init(&order, &registry.graph, &(struct kz_order_options){0});
        check_naively(&registry.graph, &order);
        kz_order_fini(&order);
        for (size_t teams = 1; teams < 5; teams++)
            check_teams(&registry.graph, teams);
        registry_free(&registry);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_needed_comes_first_then_priority_then_rto),
        cmocka_unit_test(owners_recover_at_the_same_time_and_the_critical_chain_says_why_one_is_late),
        cmocka_unit_test(fewer_teams_take_one_after_the_other_in_this_order),
        cmocka_unit_test(time_that_has_passed_counts_and_only_what_stopped_is_recovered),
        cmocka_unit_test(an_estimate_that_is_not_known_makes_what_waits_at_least),
        cmocka_unit_test(systems_of_a_cycle_are_all_recovered_in_the_order_left),
        cmocka_unit_test(orders_of_random_graphs_are_as_a_naive_reading_finds_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
