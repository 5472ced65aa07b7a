/* SPDX-License-Identifier: Apache-2.0 */
/* What falls with a site, an area, a vendor, a system or a person, and what is left. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/registry/impact.h"
#include "tests/unit/registry/systems.h"

#define SEEDS 30
#define SYSTEMS 50

static void place(struct registry *registry, const char *id, const char *needs, const char *main, const char *alternate)
{
    Kz__Record *system = registry_system(registry, id, "3h", "", needs);
    fill(system, "placements[0].site", main);
    fill(system, "placements[0].primary", "true");
    if (alternate == NULL) return;
    fill(system, "placements[1].site", "alternate");
    fill(system, "placements[1].standby", alternate);
}

static void add_site(struct registry *registry, const char *id, const char *area, const char *keeper)
{
    Kz__Record *site = registry_add(registry, KZ__KIND__SITE, id);
    fill(site, "disaster_area", area);
    fill(site, "operator", keeper);
}

/* A small ministry: three sites, two of which fall together; a vendor that runs the third. */
static void make_ministry(struct registry *registry)
{
    add_site(registry, "main", "東京都区部", "");
    add_site(registry, "annex", "東京都区部", "");
    add_site(registry, "alternate", "東京都多摩", "cloud");
    place(registry, "platform", "", "main", "HOT");
    place(registry, "juki", "platform", "main", "WARM");
    place(registry, "old", "platform", "main", "NONE");
    place(registry, "report", "old", "annex", "COLD");
    place(registry, "far", "", "alternate", NULL);
    registry_system(registry, "saas", "1d", "", "");
    Kz__Record *saas = registry->records[registry->count - 1];
    fill(saas, "external_services[0].name", "ログ保管");
    fill(saas, "external_services[0].provider", "cloud");
    registry_add(registry, KZ__KIND__ORG, "cloud");
    fill(registry_add(registry, KZ__KIND__ORG, "cloud-west"), "parent", "cloud");
}

static void expect_level(const struct kz_impact *impact, Kz__Kind kind, const char *id, enum kz_impact_level level)
{
    enum kz_impact_level found = kz_impact_level_of(impact, kind, id);
    if (found != level) fail_msg("%s: level %d, not %d", id, (int)found, (int)level);
}

static void note_id(void *data, const Kz__Record *record)
{
    char *text = data;
    size_t used = strlen(text);
    snprintf(text + used, 256 - used, "%s ", record->id);
}

static const struct kz_impact_item *item(const struct kz_impact *impact, Kz__Kind kind, const char *id)
{
    for (size_t i = 0; i < impact->count; i++)
        if (impact->items[i].record->kind == kind && strcmp(impact->items[i].record->id, id) == 0)
            return &impact->items[i];
    fail_msg("%s is not in the list", id);
    return NULL;
}

/* G 2.4, 2.6.1(1)-3; 表2.6-2: only where hardware stands ready elsewhere does a system switch. */
static void a_system_switches_to_a_standby_elsewhere_or_is_lost_with_its_site(void **state)
{
    (void)state;
    struct registry registry = {0};
    struct kz_impact impact;
    char left[256] = "";
    make_ministry(&registry);
    registry_close(&registry);
    assert_true(kz_impact_of_record(&impact, &registry.set, &registry.graph, KZ__KIND__SITE, "main"));
    expect_level(&impact, KZ__KIND__SITE, "main", KZ_IMPACT_LOST);
    expect_level(&impact, KZ__KIND__SYSTEM, "platform", KZ_IMPACT_SWITCHES);
    expect_level(&impact, KZ__KIND__SYSTEM, "juki", KZ_IMPACT_SWITCHES);
    expect_level(&impact, KZ__KIND__SYSTEM, "old", KZ_IMPACT_LOST);
    expect_level(&impact, KZ__KIND__SYSTEM, "report", KZ_IMPACT_LOST); /* it stands elsewhere, but needs `old` */
    expect_level(&impact, KZ__KIND__SYSTEM, "far", KZ_IMPACT_NONE);
    assert_string_equal(item(&impact, KZ__KIND__SYSTEM, "report")->because->id, "old");
    assert_string_equal(item(&impact, KZ__KIND__SYSTEM, "old")->because->id, "main");
    assert_null(item(&impact, KZ__KIND__SITE, "main")->because);
    kz_impact_left(&impact, item(&impact, KZ__KIND__SYSTEM, "juki"), note_id, left);
    assert_string_equal(left, "alternate ");
    kz_impact_fini(&impact);
    assert_true(kz_impact_of_record(&impact, &registry.set, &registry.graph, KZ__KIND__SITE, "alternate"));
    expect_level(&impact, KZ__KIND__SYSTEM, "juki", KZ_IMPACT_WEAKENED);
    expect_level(&impact, KZ__KIND__SYSTEM, "far", KZ_IMPACT_LOST);
    kz_impact_fini(&impact);
    assert_false(kz_impact_of_record(&impact, &registry.set, &registry.graph, KZ__KIND__SITE, "nowhere"));
    registry_free(&registry);
}

static void sites_of_one_disaster_area_fall_together(void **state)
{
    (void)state;
    struct registry registry = {0};
    struct kz_impact impact;
    make_ministry(&registry);
    registry_close(&registry);
    assert_true(kz_impact_of_area(&impact, &registry.set, &registry.graph, "東京都区部"));
    expect_level(&impact, KZ__KIND__SITE, "annex", KZ_IMPACT_LOST);
    expect_level(&impact, KZ__KIND__SITE, "alternate", KZ_IMPACT_NONE);
    expect_level(&impact, KZ__KIND__SYSTEM, "report", KZ_IMPACT_LOST);
    kz_impact_fini(&impact);
    assert_false(kz_impact_of_area(&impact, &registry.set, &registry.graph, "岡山県"));
    registry_free(&registry);
}

static void a_vendor_takes_its_sites_services_and_people_with_it(void **state)
{
    (void)state;
    struct registry registry = {0};
    struct kz_impact impact;
    char left[256] = "";
    make_ministry(&registry);
    fill(registry_add(&registry, KZ__KIND__CONTACT, "engineer"), "org", "cloud-west");
    fill(registry_add(&registry, KZ__KIND__CONTACT, "officer"), "org", "joho");
    Kz__Record *role = registry_add(&registry, KZ__KIND__ROLE, "recovery");
    fill(role, "holder", "engineer");
    fill(role, "deputies", "officer");
    Kz__Record *alone = registry_add(&registry, KZ__KIND__ROLE, "alone");
    fill(alone, "holder", "engineer");
    registry_close(&registry);
    assert_true(kz_impact_of_record(&impact, &registry.set, &registry.graph, KZ__KIND__ORG, "cloud"));
    expect_level(&impact, KZ__KIND__SITE, "alternate", KZ_IMPACT_LOST);
    expect_level(&impact, KZ__KIND__SYSTEM, "saas", KZ_IMPACT_LOST);
    expect_level(&impact, KZ__KIND__SYSTEM, "juki", KZ_IMPACT_WEAKENED);
    expect_level(&impact, KZ__KIND__CONTACT, "engineer", KZ_IMPACT_LOST);
    expect_level(&impact, KZ__KIND__ROLE, "recovery", KZ_IMPACT_SWITCHES);
    expect_level(&impact, KZ__KIND__ROLE, "alone", KZ_IMPACT_LOST);
    kz_impact_left(&impact, item(&impact, KZ__KIND__ROLE, "recovery"), note_id, left);
    assert_string_equal(left, "officer ");
    kz_impact_fini(&impact);
    registry_free(&registry);
}

/* G 2.8.1(1)-1: 代行者を定める; a runbook needs the people of its steps. */
static void a_person_leaves_roles_to_deputies_and_runbooks_without_actors(void **state)
{
    (void)state;
    struct registry registry = {0};
    struct kz_impact impact;
    registry_add(&registry, KZ__KIND__CONTACT, "holder");
    registry_add(&registry, KZ__KIND__CONTACT, "deputy");
    Kz__Record *role = registry_add(&registry, KZ__KIND__ROLE, "lead");
    fill(role, "holder", "holder");
    fill(role, "deputies", "deputy");
    Kz__Record *single = registry_add(&registry, KZ__KIND__ROLE, "single");
    fill(single, "holder", "holder");
    fill(registry_add(&registry, KZ__KIND__RUNBOOK, "covered"), "steps[0].actor", "lead");
    Kz__Record *stuck = registry_add(&registry, KZ__KIND__RUNBOOK, "stuck");
    fill(stuck, "steps[0].actor", "lead");
    fill(stuck, "steps[1].actor", "single");
    registry_close(&registry);
    assert_true(kz_impact_of_record(&impact, &registry.set, &registry.graph, KZ__KIND__CONTACT, "holder"));
    expect_level(&impact, KZ__KIND__ROLE, "lead", KZ_IMPACT_SWITCHES);
    expect_level(&impact, KZ__KIND__ROLE, "single", KZ_IMPACT_LOST);
    expect_level(&impact, KZ__KIND__RUNBOOK, "covered", KZ_IMPACT_WEAKENED);
    expect_level(&impact, KZ__KIND__RUNBOOK, "stuck", KZ_IMPACT_LOST);
    kz_impact_fini(&impact);
    assert_true(kz_impact_of_record(&impact, &registry.set, &registry.graph, KZ__KIND__CONTACT, "deputy"));
    expect_level(&impact, KZ__KIND__ROLE, "lead", KZ_IMPACT_WEAKENED);
    expect_level(&impact, KZ__KIND__RUNBOOK, "covered", KZ_IMPACT_NONE);
    kz_impact_fini(&impact);
    registry_free(&registry);
}

/* G 2.4; N 図2: the next means is used when the first is down. */
static void a_system_takes_functions_and_means_of_calling_with_it(void **state)
{
    (void)state;
    struct registry registry = {0};
    struct kz_impact impact;
    registry_system(&registry, "mail", "3h", "", "domain");
    fill(registry_system(&registry, "domain", "2h", "", ""), "functions", "logon");
    registry_add(&registry, KZ__KIND__FUNCTION, "logon");
    fill(registry_add(&registry, KZ__KIND__FUNCTION, "renraku"), "systems", "mail");
    registry_add(&registry, KZ__KIND__FUNCTION, "madoguchi");
    Kz__Record *tree = registry_add(&registry, KZ__KIND__CALLTREE, "zencho");
    fill(tree, "means[0].systems", "mail");
    fill(tree, "means[1].name", "電話及び紙媒体");
    fill(registry_add(&registry, KZ__KIND__CALLTREE, "mail-only"), "means[0].systems", "mail");
    registry_close(&registry);
    assert_true(kz_impact_of_record(&impact, &registry.set, &registry.graph, KZ__KIND__SYSTEM, "domain"));
    expect_level(&impact, KZ__KIND__SYSTEM, "mail", KZ_IMPACT_LOST);
    expect_level(&impact, KZ__KIND__FUNCTION, "logon", KZ_IMPACT_LOST);
    expect_level(&impact, KZ__KIND__FUNCTION, "renraku", KZ_IMPACT_LOST);
    expect_level(&impact, KZ__KIND__FUNCTION, "madoguchi", KZ_IMPACT_NONE);
    expect_level(&impact, KZ__KIND__CALLTREE, "zencho", KZ_IMPACT_SWITCHES);
    expect_level(&impact, KZ__KIND__CALLTREE, "mail-only", KZ_IMPACT_LOST);
    kz_impact_fini(&impact);
    registry_free(&registry);
}

/* B Step3: a copy that is not struck by the same disaster. */
static void backups_are_lost_with_their_last_copy(void **state)
{
    (void)state;
    struct registry registry = {0};
    struct kz_impact impact;
    char left[256] = "";
    add_site(&registry, "main", "a", "");
    add_site(&registry, "remote", "b", "");
    fill(registry_add(&registry, KZ__KIND__BACKUP, "here"), "copies[0].site", "main");
    Kz__Record *both = registry_add(&registry, KZ__KIND__BACKUP, "both");
    fill(both, "copies[0].site", "main");
    fill(both, "copies[1].site", "remote");
    registry_close(&registry);
    assert_true(kz_impact_of_record(&impact, &registry.set, &registry.graph, KZ__KIND__SITE, "main"));
    expect_level(&impact, KZ__KIND__BACKUP, "here", KZ_IMPACT_LOST);
    expect_level(&impact, KZ__KIND__BACKUP, "both", KZ_IMPACT_WEAKENED);
    kz_impact_left(&impact, item(&impact, KZ__KIND__BACKUP, "both"), note_id, left);
    assert_string_equal(left, "remote ");
    kz_impact_fini(&impact);
    registry_free(&registry);
}

static void approved_runbooks_whose_scope_is_struck_are_to_be_reached_for(void **state)
{
    (void)state;
    static const char *const made[][4] = {{"switch", "SWITCHOVER", "APPROVED", "system/juki"},
                                          {"draft", "SWITCHOVER", "DRAFT", "system/juki"},
                                          {"press", "PUBLICITY", "APPROVED", "system/juki"},
                                          {"other", "RESTORE", "APPROVED", "system/far"},
                                          {"building", "ASSESSMENT", "APPROVED", "site/main"}};
    struct registry registry = {0};
    struct kz_impact impact;
    char text[256] = "";
    make_ministry(&registry);
    for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
        Kz__Record *runbook = registry_add(&registry, KZ__KIND__RUNBOOK, made[i][0]);
        fill(runbook, "phase", made[i][1]);
        fill(runbook, "state", made[i][2]);
        fill(runbook, "scope", made[i][3]);
    }
    registry_close(&registry);
    assert_true(kz_impact_of_record(&impact, &registry.set, &registry.graph, KZ__KIND__SITE, "main"));
    kz_impact_runbooks(&impact, note_id, text);
    assert_string_equal(text, "building switch ");
    kz_impact_fini(&impact);
    registry_free(&registry);
}

/* A system is lost when the lost one can be reached over what it needs: tried by every way. */
static bool needs(const struct kz_graph *graph, size_t from, size_t lost, bool *seen)
{
    if (from == lost) return true;
    seen[from] = true;
    for (size_t edge = graph->needs_at[from]; edge < graph->needs_at[from + 1]; edge++)
        if (!seen[graph->needs[edge]] && needs(graph, graph->needs[edge], lost, seen)) return true;
    return false;
}

static void losses_in_random_graphs_are_as_a_naive_search_finds_them(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct registry registry = {0};
        struct kz_impact impact;
        uint64_t random = seed;
        registry_random_systems(&registry, seed, SYSTEMS, 3, seed % 2 == 0);
        const struct kz_graph *graph = &registry.graph;
        size_t lost = registry_random(&random, SYSTEMS);
        assert_true(kz_impact_of_record(&impact, &registry.set, graph, KZ__KIND__SYSTEM, graph->systems[lost]->id));
        for (size_t i = 0; i < graph->count; i++) {
            bool seen[SYSTEMS] = {false};
            expect_level(&impact, KZ__KIND__SYSTEM, graph->systems[i]->id,
                         needs(graph, i, lost, seen) ? KZ_IMPACT_LOST : KZ_IMPACT_NONE);
        }
        kz_impact_fini(&impact);
        registry_free(&registry);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_system_switches_to_a_standby_elsewhere_or_is_lost_with_its_site),
        cmocka_unit_test(sites_of_one_disaster_area_fall_together),
        cmocka_unit_test(a_vendor_takes_its_sites_services_and_people_with_it),
        cmocka_unit_test(a_person_leaves_roles_to_deputies_and_runbooks_without_actors),
        cmocka_unit_test(a_system_takes_functions_and_means_of_calling_with_it),
        cmocka_unit_test(backups_are_lost_with_their_last_copy),
        cmocka_unit_test(approved_runbooks_whose_scope_is_struck_are_to_be_reached_for),
        cmocka_unit_test(losses_in_random_graphs_are_as_a_naive_search_finds_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
