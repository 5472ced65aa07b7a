/* SPDX-License-Identifier: Apache-2.0 */
#include "node/registry/impact.h"

#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"

#define PARENTS_MAX 64 /* organisations above one another; a longer chain is a circle */

/* ---- marks ---- */

static struct kz_impact_item *item_of(const struct kz_impact *impact, Kz__Kind kind, const char *id)
{
    size_t index = kz_set_index(impact->set, kind, id);
    return index == SIZE_MAX ? NULL : &impact->all[impact->set->first[kind] + index];
}

static bool is_lost(const struct kz_impact *impact, Kz__Kind kind, const char *id)
{
    const struct kz_impact_item *item = item_of(impact, kind, id);
    return item != NULL && item->level == KZ_IMPACT_LOST;
}

/* The gravest stands; of equals the first. */
static bool mark(struct kz_impact *impact, Kz__Kind kind, size_t index, enum kz_impact_level level,
                 const Kz__Record *because)
{
    size_t at = impact->set->first[kind] + index;
    struct kz_impact_item *item = &impact->all[at];
    if (level <= item->level) return false;
    *item = (struct kz_impact_item){impact->set->items[at], level, because};
    return true;
}

/* ---- organisations, sites, people ---- */

static const Kz__Record *lost_org_above(const struct kz_impact *impact, const char *id)
{
    for (int depth = 0; depth < PARENTS_MAX; depth++) {
        const Kz__Record *org = kz_set_find(impact->set, KZ__KIND__ORG, id);
        if (org == NULL) return NULL;
        if (is_lost(impact, KZ__KIND__ORG, id)) return org;
        id = org->org->parent;
    }
    return NULL;
}

static void spread_to_sites(struct kz_impact *impact)
{
    size_t count = 0;
    const Kz__Record *const *sites = kz_set_kind(impact->set, KZ__KIND__SITE, &count);
    for (size_t i = 0; i < count; i++) {
        const Kz__Record *keeper = lost_org_above(impact, sites[i]->site->operator_);
        if (keeper != NULL) mark(impact, KZ__KIND__SITE, i, KZ_IMPACT_LOST, keeper);
    }
}

static void spread_to_people(struct kz_impact *impact)
{
    size_t count = 0;
    const Kz__Record *const *contacts = kz_set_kind(impact->set, KZ__KIND__CONTACT, &count);
    for (size_t i = 0; i < count; i++) {
        const Kz__Contact *contact = contacts[i]->contact;
        const Kz__Record *org = lost_org_above(impact, contact->org);
        if (org != NULL) mark(impact, KZ__KIND__CONTACT, i, KZ_IMPACT_LOST, org);
        if (is_lost(impact, KZ__KIND__SITE, contact->muster_site))
            mark(impact, KZ__KIND__CONTACT, i, KZ_IMPACT_WEAKENED,
                 kz_set_find(impact->set, KZ__KIND__SITE, contact->muster_site));
    }
}

static void spread_to_organisations(struct kz_impact *impact)
{
    size_t count = 0;
    const Kz__Record *const *orgs = kz_set_kind(impact->set, KZ__KIND__ORG, &count);
    for (size_t i = 0; i < count; i++) {
        const Kz__Record *above = lost_org_above(impact, orgs[i]->org->parent);
        if (above != NULL) mark(impact, KZ__KIND__ORG, i, KZ_IMPACT_LOST, above);
    }
}

/* ---- systems ---- */

static bool can_take_over(const Kz__System__Placement *placement)
{
    return (placement->has_primary && placement->primary) ||
           (placement->has_standby && placement->standby != KZ__SYSTEM__PLACEMENT__STANDBY__NONE);
}

/* What a system loses with the sites it stands at. */
static void place_system(struct kz_impact *impact, size_t index, const Kz__System *system)
{
    const Kz__Record *production = NULL, *spare = NULL;
    bool left = false, names_production = false;
    for (size_t i = 0; i < system->n_placements; i++)
        names_production = names_production || (system->placements[i]->has_primary && system->placements[i]->primary);
    for (size_t i = 0; i < system->n_placements; i++) {
        const Kz__System__Placement *placement = system->placements[i];
        bool primary = !names_production || (placement->has_primary && placement->primary);
        if (!is_lost(impact, KZ__KIND__SITE, placement->site)) {
            left = left || can_take_over(placement);
            continue;
        }
        const Kz__Record *site = kz_set_find(impact->set, KZ__KIND__SITE, placement->site);
        if (primary && production == NULL) production = site;
        if (!primary && spare == NULL) spare = site;
    }
    if (production != NULL)
        mark(impact, KZ__KIND__SYSTEM, index, left ? KZ_IMPACT_SWITCHES : KZ_IMPACT_LOST, production);
    else if (spare != NULL)
        mark(impact, KZ__KIND__SYSTEM, index, KZ_IMPACT_WEAKENED, spare);
}

static void supply_system(struct kz_impact *impact, size_t index, const Kz__System *system)
{
    for (size_t i = 0; i < system->n_external_services; i++) {
        const Kz__Record *provider = lost_org_above(impact, system->external_services[i]->provider);
        if (provider != NULL)
            mark(impact, KZ__KIND__SYSTEM, index, system->n_placements == 0 ? KZ_IMPACT_LOST : KZ_IMPACT_WEAKENED,
                 provider);
    }
    for (size_t i = 0; i < system->n_vendors; i++) {
        const Kz__Record *vendor = lost_org_above(impact, system->vendors[i]);
        if (vendor != NULL) mark(impact, KZ__KIND__SYSTEM, index, KZ_IMPACT_WEAKENED, vendor);
    }
}

/* Whatever needs a system of this level is of this level too. */
static void spread_along_needs(struct kz_impact *impact, enum kz_impact_level level)
{
    const struct kz_graph *graph = impact->graph;
    const struct kz_impact_item *systems = impact->all + impact->set->first[KZ__KIND__SYSTEM];
    size_t *queue = kz_must_alloc(graph->count + 1, sizeof(queue[0]));
    size_t head = 0, tail = 0;
    for (size_t rank = 0; rank < graph->count; rank++)
        if (systems[graph->by_rank[rank]].level == level) queue[tail++] = graph->by_rank[rank];
    while (head < tail) {
        size_t at = queue[head++];
        for (size_t edge = graph->users_at[at]; edge < graph->users_at[at + 1]; edge++)
            if (mark(impact, KZ__KIND__SYSTEM, graph->users[edge], level, graph->systems[at]))
                queue[tail++] = graph->users[edge];
    }
    free(queue);
}

static void spread_to_systems(struct kz_impact *impact)
{
    for (size_t i = 0; i < impact->graph->count; i++) {
        place_system(impact, i, impact->graph->systems[i]->system);
        supply_system(impact, i, impact->graph->systems[i]->system);
    }
    spread_along_needs(impact, KZ_IMPACT_LOST);
    spread_along_needs(impact, KZ_IMPACT_SWITCHES);
}

/* ---- what stands on systems, sites and people ---- */

static void spread_to_functions(struct kz_impact *impact)
{
    size_t count = 0;
    const Kz__Record *const *functions = kz_set_kind(impact->set, KZ__KIND__FUNCTION, &count);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < functions[i]->function->n_systems; j++) {
            const struct kz_impact_item *system = item_of(impact, KZ__KIND__SYSTEM, functions[i]->function->systems[j]);
            if (system != NULL) mark(impact, KZ__KIND__FUNCTION, i, system->level, system->record);
        }
    }
    for (size_t i = 0; i < impact->graph->count; i++) {
        const Kz__Record *system = impact->graph->systems[i];
        const struct kz_impact_item *item = item_of(impact, KZ__KIND__SYSTEM, system->id);
        for (size_t j = 0; j < system->system->n_functions; j++) {
            size_t function = kz_set_index(impact->set, KZ__KIND__FUNCTION, system->system->functions[j]);
            if (function != SIZE_MAX) mark(impact, KZ__KIND__FUNCTION, function, item->level, system);
        }
    }
}

static void spread_to_backups(struct kz_impact *impact)
{
    size_t count = 0;
    const Kz__Record *const *backups = kz_set_kind(impact->set, KZ__KIND__BACKUP, &count);
    for (size_t i = 0; i < count; i++) {
        const Kz__Backup *backup = backups[i]->backup;
        const Kz__Record *site = NULL;
        size_t lost = 0;
        for (size_t j = 0; j < backup->n_copies; j++) {
            if (!is_lost(impact, KZ__KIND__SITE, backup->copies[j]->site)) continue;
            if (lost++ == 0) site = kz_set_find(impact->set, KZ__KIND__SITE, backup->copies[j]->site);
        }
        if (lost > 0)
            mark(impact, KZ__KIND__BACKUP, i, lost == backup->n_copies ? KZ_IMPACT_LOST : KZ_IMPACT_WEAKENED, site);
    }
}

static void spread_to_roles(struct kz_impact *impact)
{
    size_t count = 0;
    const Kz__Record *const *roles = kz_set_kind(impact->set, KZ__KIND__ROLE, &count);
    for (size_t i = 0; i < count; i++) {
        const Kz__Role *role = roles[i]->role;
        const Kz__Record *gone = NULL;
        bool holder_gone = is_lost(impact, KZ__KIND__CONTACT, role->holder);
        bool left = !holder_gone && kz_set_find(impact->set, KZ__KIND__CONTACT, role->holder) != NULL;
        if (holder_gone) gone = kz_set_find(impact->set, KZ__KIND__CONTACT, role->holder);
        for (size_t j = 0; j < role->n_deputies; j++) {
            const Kz__Record *deputy = kz_set_find(impact->set, KZ__KIND__CONTACT, role->deputies[j]);
            bool deputy_gone = is_lost(impact, KZ__KIND__CONTACT, role->deputies[j]);
            left = left || (deputy != NULL && !deputy_gone);
            if (deputy_gone && gone == NULL) gone = deputy;
        }
        if (gone != NULL)
            mark(impact, KZ__KIND__ROLE, i,
                 !left         ? KZ_IMPACT_LOST
                 : holder_gone ? KZ_IMPACT_SWITCHES
                               : KZ_IMPACT_WEAKENED,
                 gone);
    }
}

static void spread_to_runbooks(struct kz_impact *impact)
{
    size_t count = 0;
    const Kz__Record *const *runbooks = kz_set_kind(impact->set, KZ__KIND__RUNBOOK, &count);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < runbooks[i]->runbook->n_steps; j++) {
            const struct kz_impact_item *role = item_of(impact, KZ__KIND__ROLE, runbooks[i]->runbook->steps[j]->actor);
            if (role == NULL || role->level < KZ_IMPACT_SWITCHES) continue;
            mark(impact, KZ__KIND__RUNBOOK, i, role->level == KZ_IMPACT_LOST ? KZ_IMPACT_LOST : KZ_IMPACT_WEAKENED,
                 role->record);
        }
    }
}

/* The system that keeps the means from being used; NULL: it can be used. */
static const Kz__Record *broken_by(const struct kz_impact *impact, const Kz__Calltree__Means *means)
{
    for (size_t i = 0; i < means->n_systems; i++) {
        const struct kz_impact_item *system = item_of(impact, KZ__KIND__SYSTEM, means->systems[i]);
        if (system != NULL && system->level >= KZ_IMPACT_SWITCHES) return system->record;
    }
    return NULL;
}

static void spread_to_calltrees(struct kz_impact *impact)
{
    size_t count = 0;
    const Kz__Record *const *trees = kz_set_kind(impact->set, KZ__KIND__CALLTREE, &count);
    for (size_t i = 0; i < count; i++) {
        const Kz__Calltree *tree = trees[i]->calltree;
        const Kz__Record *first = tree->n_means == 0 ? NULL : broken_by(impact, tree->means[0]);
        size_t broken = 0;
        for (size_t j = 0; j < tree->n_means; j++)
            broken += broken_by(impact, tree->means[j]) != NULL;
        if (first != NULL)
            mark(impact, KZ__KIND__CALLTREE, i, broken == tree->n_means ? KZ_IMPACT_LOST : KZ_IMPACT_SWITCHES, first);
    }
}

/* ---- the whole ---- */

struct sorted {
    struct kz_impact_item item;
    size_t rank;
};

static int compare(const void *a, const void *b)
{
    const struct sorted *x = a, *y = b;
    if (x->item.record->kind != y->item.record->kind) return x->item.record->kind < y->item.record->kind ? -1 : 1;
    if (x->item.level != y->item.level) return x->item.level > y->item.level ? -1 : 1;
    return x->rank == y->rank ? 0 : x->rank < y->rank ? -1 : 1;
}

static void list_items(struct kz_impact *impact)
{
    const struct kz_set *set = impact->set;
    struct sorted *sorted = kz_must_alloc(set->count + 1, sizeof(sorted[0]));
    impact->items = kz_must_alloc(set->count + 1, sizeof(impact->items[0]));
    for (size_t i = 0; i < set->count; i++) {
        if (impact->all[i].level == KZ_IMPACT_NONE) continue;
        bool is_system = set->items[i]->kind == KZ__KIND__SYSTEM;
        size_t rank = is_system ? impact->graph->rank[i - set->first[KZ__KIND__SYSTEM]] : i;
        sorted[impact->count++] = (struct sorted){impact->all[i], rank};
    }
    qsort(sorted, impact->count, sizeof(sorted[0]), compare);
    for (size_t i = 0; i < impact->count; i++)
        impact->items[i] = sorted[i].item;
    free(sorted);
}

static void begin(struct kz_impact *impact, const struct kz_set *set, const struct kz_graph *graph)
{
    *impact = (struct kz_impact){.set = set, .graph = graph};
    impact->all = kz_must_alloc(set->count + 1, sizeof(impact->all[0]));
}

static void spread(struct kz_impact *impact)
{
    spread_to_organisations(impact);
    spread_to_sites(impact);
    spread_to_people(impact);
    spread_to_systems(impact);
    spread_to_functions(impact);
    spread_to_backups(impact);
    spread_to_roles(impact);
    spread_to_runbooks(impact);
    spread_to_calltrees(impact);
    list_items(impact);
}

bool kz_impact_of_record(struct kz_impact *impact, const struct kz_set *set, const struct kz_graph *graph,
                         Kz__Kind kind, const char *id)
{
    size_t index = kz_set_index(set, kind, id);
    bool can_be_lost =
        kind == KZ__KIND__SITE || kind == KZ__KIND__ORG || kind == KZ__KIND__SYSTEM || kind == KZ__KIND__CONTACT;
    if (index == SIZE_MAX || !can_be_lost) return false;
    begin(impact, set, graph);
    mark(impact, kind, index, KZ_IMPACT_LOST, NULL);
    spread(impact);
    return true;
}

bool kz_impact_of_area(struct kz_impact *impact, const struct kz_set *set, const struct kz_graph *graph,
                       const char *area)
{
    size_t count = 0, lost = 0;
    const Kz__Record *const *sites = kz_set_kind(set, KZ__KIND__SITE, &count);
    begin(impact, set, graph);
    for (size_t i = 0; i < count; i++)
        if (sites[i]->site->disaster_area != NULL && strcmp(sites[i]->site->disaster_area, area) == 0)
            lost += mark(impact, KZ__KIND__SITE, i, KZ_IMPACT_LOST, NULL);
    if (lost == 0) {
        kz_impact_fini(impact);
        return false;
    }
    spread(impact);
    return true;
}

void kz_impact_fini(struct kz_impact *impact)
{
    free(impact->all);
    free(impact->items);
    memset(impact, 0, sizeof(*impact));
}

enum kz_impact_level kz_impact_level_of(const struct kz_impact *impact, Kz__Kind kind, const char *id)
{
    const struct kz_impact_item *item = item_of(impact, kind, id);
    return item == NULL ? KZ_IMPACT_NONE : item->level;
}

/* ---- what is left ---- */

static void visit_left(const struct kz_impact *impact, Kz__Kind kind, const char *id, kz_left_visitor visit, void *data)
{
    const Kz__Record *record = kz_set_find(impact->set, kind, id);
    if (record != NULL && !is_lost(impact, kind, id)) visit(data, record);
}

void kz_impact_left(const struct kz_impact *impact, const struct kz_impact_item *item, kz_left_visitor visit,
                    void *data)
{
    const Kz__Record *record = item->record;
    if (record->kind == KZ__KIND__SYSTEM)
        for (size_t i = 0; i < record->system->n_placements; i++)
            if (can_take_over(record->system->placements[i]))
                visit_left(impact, KZ__KIND__SITE, record->system->placements[i]->site, visit, data);
    if (record->kind == KZ__KIND__BACKUP)
        for (size_t i = 0; i < record->backup->n_copies; i++)
            visit_left(impact, KZ__KIND__SITE, record->backup->copies[i]->site, visit, data);
    if (record->kind != KZ__KIND__ROLE) return;
    visit_left(impact, KZ__KIND__CONTACT, record->role->holder, visit, data);
    for (size_t i = 0; i < record->role->n_deputies; i++)
        visit_left(impact, KZ__KIND__CONTACT, record->role->deputies[i], visit, data);
}

static bool is_for_recovery(const Kz__Runbook *runbook)
{
    bool approved =
        runbook->has_state && (runbook->state == KZ__RUNBOOK__STATE__APPROVED ||
                               (runbook->has_approved_rev && runbook->state != KZ__RUNBOOK__STATE__RETIRED));
    if (!approved || !runbook->has_phase) return false;
    return runbook->phase == KZ__RUNBOOK__PHASE__ASSESSMENT || runbook->phase == KZ__RUNBOOK__PHASE__SWITCHOVER ||
           runbook->phase == KZ__RUNBOOK__PHASE__RECOVERY || runbook->phase == KZ__RUNBOOK__PHASE__RESTORE;
}

struct scope_search {
    const struct kz_impact *impact;
    bool found;
};

static void look_at_reference(void *data, const char *path, Kz__Kind kind, const char *id)
{
    struct scope_search *search = data;
    bool in_scope = kind == KZ__KIND__SITE || kind == KZ__KIND__SYSTEM || kind == KZ__KIND__FUNCTION;
    (void)path; /* only the scope of a runbook names these kinds */
    if (in_scope && kz_impact_level_of(search->impact, kind, id) >= KZ_IMPACT_SWITCHES) search->found = true;
}

void kz_impact_runbooks(const struct kz_impact *impact, kz_left_visitor visit, void *data)
{
    size_t count = 0;
    const Kz__Record *const *runbooks = kz_set_kind(impact->set, KZ__KIND__RUNBOOK, &count);
    for (size_t i = 0; i < count; i++) {
        struct scope_search search = {.impact = impact};
        if (!is_for_recovery(runbooks[i]->runbook) || is_lost(impact, KZ__KIND__RUNBOOK, runbooks[i]->id)) continue;
        kz_record_references(runbooks[i], look_at_reference, &search);
        if (search.found) visit(data, runbooks[i]);
    }
}
