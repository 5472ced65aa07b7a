/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about systems and what they are made of. */
#include <stdlib.h>

#include "node/base/assert.h"
#include "node/registry/doctor_rules.h"
#include "node/registry/targets.h"

/* ---- RTOs ---- */

static bool is_too_long(const Kz__System *system, const struct kz_required *required)
{
    return system->has_rto && required->has && system->rto > required->rto_s;
}

/* G 2.5.2(1)-3. */
void kz_doctor_rto(struct kz_examination *x)
{
    struct kz_required *required = kz_targets_required(x->set, &x->graph);
    for (size_t i = 0; i < x->graph.count; i++)
        if (is_too_long(x->graph.systems[i]->system, &required[i]))
            kz_find(x, x->graph.systems[i], kz_arg_duration(x->graph.systems[i]->system->rto),
                    kz_arg_duration(required[i].rto_s), kz_arg_record(required[i].from));
    free(required);
}

struct platforms {
    struct kz_examination *examination;
    const struct kz_required *required;
    const Kz__Record *last; /* pairs of one platform come together: its first names it */
};

static void visit_platform(void *data, const Kz__Record *platform, const Kz__Record *system)
{
    struct platforms *platforms = data;
    struct kz_examination *x = platforms->examination;
    if (platform == platforms->last) return;
    platforms->last = platform;
    size_t index = kz_set_index(x->set, KZ__KIND__SYSTEM, platform->id);
    if (is_too_long(platform->system, &platforms->required[index])) return; /* system.rto_too_long says more */
    kz_find(x, platform, kz_arg_duration(platform->system->rto), kz_arg_record(system),
            kz_arg_duration(system->system->rto));
}

/* G 2.5.2(1)-4. */
void kz_doctor_platform(struct kz_examination *x)
{
    struct kz_required *required = kz_targets_required(x->set, &x->graph);
    struct platforms platforms = {x, required, NULL};
    kz_targets_platform(&x->graph, visit_platform, &platforms);
    free(required);
}

static char *text_of_cycle(const struct kz_graph *graph, const struct kz_cycle *cycle)
{
    struct kz_buf text;
    kz_buf_init(&text, 0);
    for (size_t i = 0; i < cycle->count; i++)
        kz_buf_addf(&text, "%s → ", graph->systems[cycle->systems[i]]->id);
    kz_buf_add_text(&text, graph->systems[cycle->systems[0]]->id);
    char *copy = kz_must_strdup(kz_buf_text(&text));
    kz_buf_fini(&text);
    return copy;
}

/* G 2.5.2(1)-1. */
void kz_doctor_cycles(struct kz_examination *x)
{
    size_t named = x->graph.cycle_count < KZ_CYCLES_NAMED_MAX ? x->graph.cycle_count : KZ_CYCLES_NAMED_MAX;
    for (size_t i = 0; i < named; i++) {
        const struct kz_cycle *cycle = &x->graph.cycles[i];
        char *text = text_of_cycle(&x->graph, cycle);
        kz_find(x, x->graph.systems[cycle->systems[0]], kz_arg_text(text), KZ_NOTHING, KZ_NOTHING)->owned = text;
    }
}

/* ---- standby ---- */

/* Sites of one disaster area fall together; a site without one is an area of its own. */
static const char *area_of(const struct kz_set *set, const char *site)
{
    const Kz__Record *record = kz_set_find(set, KZ__KIND__SITE, site);
    if (record == NULL) return NULL;
    return kz_given(record->site->disaster_area) ? record->site->disaster_area : record->id;
}

static bool is_ready(const Kz__System__Placement *placement)
{
    if (placement->has_primary && placement->primary) return true;
    return placement->has_standby && (placement->standby == KZ__SYSTEM__PLACEMENT__STANDBY__HOT ||
                                      placement->standby == KZ__SYSTEM__PLACEMENT__STANDBY__WARM);
}

/* Production, hot or warm standby in two disaster areas: whichever is lost, the other takes over. */
static bool survives_an_area(const struct kz_set *set, const Kz__System *system)
{
    const char *first = NULL;
    for (size_t i = 0; i < system->n_placements; i++) {
        const char *area = is_ready(system->placements[i]) ? area_of(set, system->placements[i]->site) : NULL;
        if (area == NULL) continue;
        if (first != NULL && strcmp(area, first) != 0) return true;
        first = area;
    }
    return false;
}

/* G 表2.6-2: S hot, A warm, where the same disaster does not reach; 表2.6-3 for what is run as a service. */
void kz_doctor_standby(struct kz_examination *x)
{
    for (size_t i = 0; i < x->graph.count; i++) {
        const Kz__System *system = x->graph.systems[i]->system;
        bool urgent = system->has_priority &&
                      (system->priority == KZ__SYSTEM__PRIORITY__S || system->priority == KZ__SYSTEM__PRIORITY__A);
        bool runs_elsewhere = system->n_placements == 0 && system->n_external_services > 0;
        if (urgent && !runs_elsewhere && !survives_an_area(x->set, system))
            kz_find(x, x->graph.systems[i], kz_arg_text(system->priority == KZ__SYSTEM__PRIORITY__S ? "S" : "A"),
                    KZ_NOTHING, KZ_NOTHING);
    }
}

/* ---- components ---- */

struct covered {
    const struct kz_set *set;
    bool *records; /* beside set->items */
};

static void cover(void *data, const char *path, Kz__Kind kind, const char *id)
{
    const struct covered *covered = data;
    size_t index = kz_set_index(covered->set, kind, id);
    (void)path; /* a measure refers to systems and components as targets only */
    if (index != SIZE_MAX) covered->records[covered->set->first[kind] + index] = true;
}

static bool is_pending(const Kz__Measure *measure)
{
    return measure->has_state && measure->state != KZ__MEASURE__STATE__DONE &&
           measure->state != KZ__MEASURE__STATE__REJECTED;
}

/* G 2.6.2(3)-3: 中長期的にどのような対策を実施するかを現状からのギャップと合わせて管理する. */
void kz_doctor_gaps(struct kz_examination *x)
{
    size_t count = 0;
    struct covered covered = {x->set, kz_must_alloc(x->set->count + 1, sizeof(bool))};
    const Kz__Record *const *measures = kz_set_kind(x->set, KZ__KIND__MEASURE, &count);
    for (size_t i = 0; i < count; i++)
        if (is_pending(measures[i]->measure)) kz_record_references(measures[i], cover, &covered);
    const Kz__Record *const *components = kz_set_kind(x->set, KZ__KIND__COMPONENT, &count);
    for (size_t i = 0; i < count; i++) {
        const Kz__Component *component = components[i]->component;
        int64_t gap = 0;
        size_t system = kz_set_index(x->set, KZ__KIND__SYSTEM, component->system);
        bool planned = covered.records[x->set->first[KZ__KIND__COMPONENT] + i] ||
                       (system != SIZE_MAX && covered.records[x->set->first[KZ__KIND__SYSTEM] + system]);
        if (!planned && kz_component_gap(component, &gap) && gap > 0)
            kz_find(x, components[i], kz_arg_number(component->current_level), kz_arg_number(component->target_level),
                    kz_arg_text(component->system == NULL ? "" : component->system));
    }
    free(covered.records);
}

static int compare_texts(const char *a, const char *b) { return strcmp(a == NULL ? "" : a, b == NULL ? "" : b); }

static int compare_groups(const void *a, const void *b)
{
    const Kz__Record *x = *(const Kz__Record *const *)a, *y = *(const Kz__Record *const *)b;
    int systems = compare_texts(x->component->system, y->component->system);
    if (systems != 0) return systems;
    int groups = compare_texts(x->component->redundancy_group, y->component->redundancy_group);
    return groups != 0 ? groups : strcmp(x->id, y->id);
}

static bool same_group(const Kz__Record *a, const Kz__Record *b)
{
    return compare_texts(a->component->system, b->component->system) == 0 &&
           compare_texts(a->component->redundancy_group, b->component->redundancy_group) == 0;
}

/* G 2.7.1 例示 (二重化): nothing else of its redundancy group is there to take over. */
void kz_doctor_single_points(struct kz_examination *x)
{
    size_t count = 0;
    const Kz__Record *const *components = kz_set_kind(x->set, KZ__KIND__COMPONENT, &count);
    const Kz__Record **sorted = kz_must_alloc(count + 1, sizeof(sorted[0]));
    if (count > 0) memcpy(sorted, components, count * sizeof(sorted[0]));
    qsort(sorted, count, sizeof(sorted[0]), compare_groups);
    for (size_t i = 0; i < count; i++) {
        const Kz__Component *component = sorted[i]->component;
        bool accompanied =
            kz_given(component->redundancy_group) && ((i > 0 && same_group(sorted[i - 1], sorted[i])) ||
                                                      (i + 1 < count && same_group(sorted[i + 1], sorted[i])));
        if (component->has_single_point && component->single_point && !accompanied)
            kz_find(x, sorted[i], kz_arg_text(component->system == NULL ? "" : component->system), KZ_NOTHING,
                    KZ_NOTHING);
    }
    free(sorted);
}

/* ---- all systems together ---- */

/* G 2.5.2(2)(a): 復旧優先度の高い情報システムをできるだけ絞り込む. */
void kz_doctor_share_of_s(struct kz_examination *x)
{
    int64_t urgent = 0, most = kz_examination_setting(x, "system.s_share_max");
    for (size_t i = 0; i < x->graph.count; i++) {
        const Kz__System *system = x->graph.systems[i]->system;
        urgent += system->has_priority && system->priority == KZ__SYSTEM__PRIORITY__S;
    }
    if (urgent * 100 > most * (int64_t)x->graph.count)
        kz_find(x, NULL, kz_arg_number(urgent), kz_arg_number((int64_t)x->graph.count), kz_arg_number(most));
}
