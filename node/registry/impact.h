/* SPDX-License-Identifier: Apache-2.0 */
/* What falls when a site, a disaster area, a vendor, a system or a person is lost, and what is left
 * (G 2.4, 2.6.1(1)-3).
 *
 * How losses spread:
 *   area    every site in it (places that share it fall together)
 *   org     the sites it operates, its people and those of organisations below it; systems that run only as its
 *           external service; systems that it maintains are weakened
 *   site    systems whose production is there: they switch where they have a hot, warm or cold standby or production
 *           elsewhere, else they are lost; a standby there weakens. Backups with no copy elsewhere. People who were to
 *           muster there are weakened
 *   system  systems that need it, functions that use it, call trees whose first means need it
 *   person  roles: a deputy takes over, or nobody is left; runbooks whose steps those roles carry out
 * A dependency on something that switches is interrupted until it has: it switches too.
 *
 * Pure; any thread. Borrows from set and graph. O(n log n). Out of memory ends the process. */
#ifndef KZ_REGISTRY_IMPACT_H
#define KZ_REGISTRY_IMPACT_H

#include "node/registry/graph.h"

enum kz_impact_level {
    KZ_IMPACT_NONE,
    KZ_IMPACT_WEAKENED, /* goes on, with less behind it: a standby, a copy, a deputy, its vendor is gone */
    KZ_IMPACT_SWITCHES, /* stops until what is left takes over */
    KZ_IMPACT_LOST,     /* nothing is left */
};

struct kz_impact_item {
    const Kz__Record *record;
    enum kz_impact_level level;
    const Kz__Record *because; /* what it falls with, directly; NULL: it is itself what was lost */
};

struct kz_impact {
    const struct kz_set *set;     /* borrowed */
    const struct kz_graph *graph; /* borrowed */
    struct kz_impact_item *all;   /* owned; beside set->items, `record` NULL where there is no impact */
    struct kz_impact_item *items; /* owned; by kind, gravest first, systems then by rank, others by id */
    size_t count;
};

/* `kind` SITE, ORG, SYSTEM, CONTACT: the record `id` is lost. False, nothing to free: no such record, or a kind that
 * cannot be lost. */
bool kz_impact_of_record(struct kz_impact *impact, const struct kz_set *set, const struct kz_graph *graph,
                         Kz__Kind kind, const char *id);
/* Every site whose disaster_area is `area`. False: there is none. */
bool kz_impact_of_area(struct kz_impact *impact, const struct kz_set *set, const struct kz_graph *graph,
                       const char *area);
void kz_impact_fini(struct kz_impact *impact);

/* How `record` of the set fares. */
enum kz_impact_level kz_impact_level_of(const struct kz_impact *impact, Kz__Kind kind, const char *id);

/* What an item falls back on: sites of a system or backup, people of a role in the order of calling. For a function
 * see its fallback_* texts. */
typedef void (*kz_left_visitor)(void *data, const Kz__Record *left);
void kz_impact_left(const struct kz_impact *impact, const struct kz_impact_item *item, kz_left_visitor visit,
                    void *data);

/* Approved runbooks to reach for: of assessment, switchover, recovery or restore, whose scope names a site, system or
 * function that is lost or switches, and whose roles are not lost. By id. */
void kz_impact_runbooks(const struct kz_impact *impact, kz_left_visitor visit, void *data);

#endif
