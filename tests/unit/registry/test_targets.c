/* SPDX-License-Identifier: Apache-2.0 */
/* Required RTO, the platform rule, levels and gaps; each test names the rule. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/registry/targets.h"
#include "tests/unit/registry/systems.h"

#define HOUR_S INT64_C(3600)
#define SEEDS 30
#define SYSTEMS 50

static void add_function(struct registry *registry, const char *id, const char *rto, const char *system)
{
    Kz__Record *function = registry_add(registry, KZ__KIND__FUNCTION, id);
    fill(function, "rto", rto);
    if (system[0] != '\0') fill(function, "systems", system);
}

/* G 2.5.2(1)-3: 各業務の RTO を一覧にし、RTO が最も短い業務に合わせて情報システムの RTO を設定する. */
static void the_function_with_the_shortest_rto_decides_g_2_5_2_1_3(void **state)
{
    (void)state;
    struct registry registry = {0};
    Kz__Record *juki = registry_system(&registry, "juki", "1d", "", "");
    fill(juki, "functions", "anpi"); /* linked from either side */
    add_function(&registry, "ido", "1d", "juki");
    add_function(&registry, "anpi", "3h", "");
    add_function(&registry, "zeimu", "1w", "juki");
    registry_close(&registry);
    struct kz_required *required = kz_targets_required(&registry.set, &registry.graph);
    assert_true(required[0].has);
    assert_int_equal(required[0].rto_s, 3 * HOUR_S);
    assert_string_equal(required[0].from->id, "anpi");
    assert_null(required[0].through);
    free(required);
    registry_free(&registry);
}

static void what_a_system_needs_is_required_as_early_and_says_through_whom(void **state)
{
    (void)state;
    struct registry registry = {0};
    registry_system(&registry, "net", "", "", "");
    registry_system(&registry, "auth", "1w", "", "net");
    registry_system(&registry, "mail", "1d", "", "auth");
    registry_system(&registry, "alone", "1h", "", "");
    add_function(&registry, "renraku", "3h", "mail");
    registry_close(&registry);
    struct kz_required *required = kz_targets_required(&registry.set, &registry.graph);
    const struct kz_required *net = &required[registry_index(&registry, "net")];
    assert_int_equal(net->rto_s, 3 * HOUR_S);
    assert_string_equal(net->from->id, "renraku");
    assert_string_equal(net->through->id, "auth");
    assert_false(required[registry_index(&registry, "alone")].has);
    free(required);
    registry_free(&registry);
}

static void a_dependant_without_functions_demands_its_own_rto(void **state)
{
    (void)state;
    struct registry registry = {0};
    registry_system(&registry, "platform", "1d", "", "");
    registry_system(&registry, "service", "2h", "", "platform");
    registry_close(&registry);
    struct kz_required *required = kz_targets_required(&registry.set, &registry.graph);
    const struct kz_required *platform = &required[registry_index(&registry, "platform")];
    assert_int_equal(platform->rto_s, 2 * HOUR_S);
    assert_string_equal(platform->from->id, "service");
    assert_null(platform->through);
    free(required);
    registry_free(&registry);
}

/* Relaxes until nothing changes, as the rule reads. */
static void check_naively(const struct registry *registry)
{
    const struct kz_graph *graph = &registry->graph;
    int64_t direct[SYSTEMS], naive[SYSTEMS];
    struct kz_required *required = kz_targets_required(&registry->set, graph);
    for (size_t i = 0; i < graph->count; i++) {
        direct[i] = INT64_MAX;
        size_t count = 0;
        const Kz__Record *const *functions = kz_set_kind(&registry->set, KZ__KIND__FUNCTION, &count);
        for (size_t j = 0; j < count; j++)
            if (strcmp(functions[j]->function->systems[0], graph->systems[i]->id) == 0 &&
                functions[j]->function->rto < direct[i])
                direct[i] = functions[j]->function->rto;
        naive[i] = direct[i];
    }
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t user = 0; user < graph->count; user++) {
            const Kz__System *system = graph->systems[user]->system;
            int64_t demand = system->has_rto && system->rto < naive[user] ? system->rto : naive[user];
            for (size_t edge = graph->needs_at[user]; edge < graph->needs_at[user + 1]; edge++) {
                if (demand >= naive[graph->needs[edge]]) continue;
                naive[graph->needs[edge]] = demand;
                changed = true;
            }
        }
    }
    for (size_t i = 0; i < graph->count; i++) {
        assert_int_equal(required[i].has, naive[i] != INT64_MAX);
        if (required[i].has) assert_int_equal(required[i].rto_s, naive[i]);
    }
    free(required);
}

static void required_rtos_of_random_graphs_are_as_a_naive_reading_finds_them(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct registry registry = {0};
        uint64_t random = seed;
        static const char *const rtos[] = {"30m", "3h", "1d", "1w"};
        char id[8] = "f0", system[32];
        for (size_t i = 0; i < 10; i++) {
            id[1] = (char)('0' + i);
            snprintf(system, sizeof(system), "s%03zu", registry_random(&random, SYSTEMS));
            add_function(&registry, id, rtos[registry_random(&random, 4)], system);
        }
        registry_random_systems(&registry, seed, SYSTEMS, 3, seed % 2 == 0);
        check_naively(&registry);
        registry_free(&registry);
    }
}

struct pairs {
    size_t count;
    char text[256];
};

static void note_pair(void *data, const Kz__Record *platform, const Kz__Record *system)
{
    struct pairs *pairs = data;
    size_t used = strlen(pairs->text);
    pairs->count++;
    snprintf(pairs->text + used, sizeof(pairs->text) - used, "%s<%s ", platform->id, system->id);
}

/* 基盤系システムの RTO は、原則として非常時優先業務を支える情報システムの RTO より短時間に設定する. */
static void a_platform_is_shorter_than_every_system_on_it_g_2_5_2_1_4(void **state)
{
    (void)state;
    struct registry registry = {0};
    struct pairs pairs = {0};
    fill(registry_system(&registry, "kasou", "2h", "", ""), "type", "PLATFORM");
    registry_system(&registry, "hp", "1h", "", "kasou");
    registry_system(&registry, "juki", "2h", "", "kasou"); /* as long is not shorter */
    registry_system(&registry, "koseki", "1d", "", "kasou");
    registry_system(&registry, "unset", "", "", "kasou");
    fill(registry_system(&registry, "business", "1w", "", ""), "type", "BUSINESS");
    registry_system(&registry, "on-business", "1h", "", "business");
    registry_close(&registry);
    kz_targets_platform(&registry.graph, note_pair, &pairs);
    assert_string_equal(pairs.text, "kasou<hp kasou<juki ");
    registry_free(&registry);
}

static void add_component(struct registry *registry, const char *id, const char *target, const char *current)
{
    Kz__Record *component = registry_add(registry, KZ__KIND__COMPONENT, id);
    fill(component, "system", "juki");
    fill(component, "target_level", target);
    fill(component, "current_level", current);
}

/* 最も対策レベルが低い設備機器のレベルを、当該情報システムの現状対策レベルとみなす. */
static void the_lowest_component_is_the_level_of_the_system_g_2_7_1_1_1(void **state)
{
    (void)state;
    struct registry registry = {0};
    int64_t gap = -1;
    registry_system(&registry, "juki", "3h", "", "");
    registry_system(&registry, "none", "3h", "", "");
    add_component(&registry, "c-ap", "4", "3");
    add_component(&registry, "b-db", "4", "2");
    add_component(&registry, "a-net", "3", "4");
    add_component(&registry, "d-staff", "3", "");
    registry_close(&registry);
    struct kz_level *levels = kz_targets_levels(&registry.set, &registry.graph);
    const struct kz_level *juki = &levels[registry_index(&registry, "juki")];
    assert_int_equal(juki->current, 2);
    assert_string_equal(juki->lowest->id, "b-db");
    assert_int_equal(juki->target, 4);
    assert_int_equal(juki->gap, 2);
    assert_int_equal(juki->components, 4);
    assert_int_equal(juki->unknown, 1);
    assert_false(levels[registry_index(&registry, "none")].has_current);
    free(levels);
    assert_true(kz_component_gap(kz_set_find(&registry.set, KZ__KIND__COMPONENT, "c-ap")->component, &gap));
    assert_int_equal(gap, 1); /* G 2.6.2(3)-3 */
    assert_true(kz_component_gap(kz_set_find(&registry.set, KZ__KIND__COMPONENT, "a-net")->component, &gap));
    assert_int_equal(gap, 0);
    assert_false(kz_component_gap(kz_set_find(&registry.set, KZ__KIND__COMPONENT, "d-staff")->component, &gap));
    registry_free(&registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_function_with_the_shortest_rto_decides_g_2_5_2_1_3),
        cmocka_unit_test(what_a_system_needs_is_required_as_early_and_says_through_whom),
        cmocka_unit_test(a_dependant_without_functions_demands_its_own_rto),
        cmocka_unit_test(required_rtos_of_random_graphs_are_as_a_naive_reading_finds_them),
        cmocka_unit_test(a_platform_is_shorter_than_every_system_on_it_g_2_5_2_1_4),
        cmocka_unit_test(the_lowest_component_is_the_level_of_the_system_g_2_7_1_1_1),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
