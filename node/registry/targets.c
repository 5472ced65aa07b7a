/* SPDX-License-Identifier: Apache-2.0 */
#include "node/registry/targets.h"

#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"

/* ---- required RTO ---- */

/* True when `a` demands more than `b`: sooner, or as soon and named first. */
static bool demands_more(const struct kz_required *a, const struct kz_required *b)
{
    if (!a->has || !b->has) return a->has;
    if (a->rto_s != b->rto_s) return a->rto_s < b->rto_s;
    if (a->from->kind != b->from->kind)
        return a->from->kind < b->from->kind; /* functions are numbered before systems */
    return strcmp(a->from->id, b->from->id) < 0;
}

static void take_function(struct kz_required *direct, const Kz__Record *function)
{
    struct kz_required demand = {.has = true, .rto_s = function->function->rto, .from = function};
    if (demands_more(&demand, direct)) *direct = demand;
}

static struct kz_required *demands_of_functions(const struct kz_set *set, const struct kz_graph *graph)
{
    struct kz_required *direct = kz_must_alloc(graph->count + 1, sizeof(direct[0]));
    size_t count = 0;
    const Kz__Record *const *functions = kz_set_kind(set, KZ__KIND__FUNCTION, &count);
    for (size_t i = 0; i < count; i++) {
        if (!functions[i]->function->has_rto) continue;
        for (size_t j = 0; j < functions[i]->function->n_systems; j++) {
            size_t system = kz_set_index(set, KZ__KIND__SYSTEM, functions[i]->function->systems[j]);
            if (system != SIZE_MAX) take_function(&direct[system], functions[i]);
        }
    }
    for (size_t i = 0; i < graph->count; i++) {
        const Kz__System *system = graph->systems[i]->system;
        for (size_t j = 0; j < system->n_functions; j++) {
            const Kz__Record *function = kz_set_find(set, KZ__KIND__FUNCTION, system->functions[j]);
            if (function != NULL && function->function->has_rto) take_function(&direct[i], function);
        }
    }
    return direct;
}

static int compare_demand(const void *a, const void *b)
{
    const struct kz_required *x = *(struct kz_required *const *)a, *y = *(struct kz_required *const *)b;
    if (demands_more(x, y)) return -1;
    return demands_more(y, x) ? 1 : x < y ? -1 : x > y;
}

/* What each system hands down to what it needs: the shortest of its own RTO, its functions', and what is handed down
 * to it. Demands are spread shortest first, so a system's first is its last: each system is passed once. */
static struct kz_required *hand_down(const struct kz_graph *graph, const struct kz_required *direct)
{
    struct kz_required *own = kz_must_alloc(graph->count + 1, sizeof(own[0]));
    struct kz_required *down = kz_must_alloc(graph->count + 1, sizeof(down[0]));
    struct kz_required **order = kz_must_alloc(graph->count + 1, sizeof(order[0]));
    size_t *queue = kz_must_alloc(graph->count + 1, sizeof(queue[0]));
    for (size_t i = 0; i < graph->count; i++) {
        const Kz__System *system = graph->systems[i]->system;
        struct kz_required demand = {.has = system->has_rto, .rto_s = system->rto, .from = graph->systems[i]};
        own[i] = demands_more(&demand, &direct[i]) ? demand : direct[i];
        order[i] = &own[i];
    }
    qsort(order, graph->count, sizeof(order[0]), compare_demand);
    for (size_t i = 0; i < graph->count && order[i]->has; i++) {
        size_t head = 0, tail = 0;
        size_t from = (size_t)(order[i] - own);
        if (!down[from].has) queue[tail++] = from;
        down[from] = down[from].has ? down[from] : *order[i];
        while (head < tail) {
            size_t at = queue[head++];
            for (size_t edge = graph->needs_at[at]; edge < graph->needs_at[at + 1]; edge++) {
                size_t needed = graph->needs[edge];
                if (down[needed].has) continue;
                down[needed] = *order[i];
                queue[tail++] = needed;
            }
        }
    }
    free(own);
    free(order);
    free(queue);
    return down;
}

struct kz_required *kz_targets_required(const struct kz_set *set, const struct kz_graph *graph)
{
    struct kz_required *required = demands_of_functions(set, graph);
    struct kz_required *down = hand_down(graph, required);
    for (size_t i = 0; i < graph->count; i++) {
        for (size_t edge = graph->users_at[i]; edge < graph->users_at[i + 1]; edge++) {
            struct kz_required demand = down[graph->users[edge]];
            if (!demands_more(&demand, &required[i])) continue;
            demand.through = graph->systems[graph->users[edge]];
            if (demand.through == demand.from) demand.through = NULL;
            required[i] = demand;
        }
    }
    free(down);
    return required;
}

void kz_targets_platform(const struct kz_graph *graph, kz_platform_visitor visit, void *data)
{
    for (size_t rank = 0; rank < graph->count; rank++) {
        size_t at = graph->by_rank[rank];
        const Kz__System *platform = graph->systems[at]->system;
        if (!platform->has_type || platform->type != KZ__SYSTEM__TYPE__PLATFORM || !platform->has_rto) continue;
        for (size_t edge = graph->users_at[at]; edge < graph->users_at[at + 1]; edge++) {
            const Kz__Record *user = graph->systems[graph->users[edge]];
            if (user->system->has_rto && user->system->rto <= platform->rto) visit(data, graph->systems[at], user);
        }
    }
}

/* ---- levels ---- */

bool kz_component_gap(const Kz__Component *component, int64_t *gap)
{
    if (!component->has_target_level || !component->has_current_level) return false;
    *gap = component->target_level > component->current_level ? component->target_level - component->current_level : 0;
    return true;
}

struct kz_level *kz_targets_levels(const struct kz_set *set, const struct kz_graph *graph)
{
    struct kz_level *levels = kz_must_alloc(graph->count + 1, sizeof(levels[0]));
    size_t count = 0;
    const Kz__Record *const *components = kz_set_kind(set, KZ__KIND__COMPONENT, &count);
    for (size_t i = 0; i < count; i++) {
        const Kz__Component *component = components[i]->component;
        size_t system = kz_set_index(set, KZ__KIND__SYSTEM, component->system);
        if (system == SIZE_MAX) continue;
        struct kz_level *level = &levels[system];
        level->components++;
        if (!component->has_current_level) level->unknown++;
        if (component->has_current_level && (!level->has_current || component->current_level < level->current)) {
            level->has_current = true;
            level->current = component->current_level;
            level->lowest = components[i];
        }
        if (component->has_target_level && (!level->has_target || component->target_level > level->target)) {
            level->has_target = true;
            level->target = component->target_level;
        }
    }
    for (size_t i = 0; i < graph->count; i++)
        if (levels[i].has_current && levels[i].has_target && levels[i].target > levels[i].current)
            levels[i].gap = levels[i].target - levels[i].current;
    return levels;
}
