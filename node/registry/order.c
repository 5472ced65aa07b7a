/* SPDX-License-Identifier: Apache-2.0 */
#include "node/registry/order.h"

#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"

/* ---- a heap: the smallest key first, of equal keys the smallest value ---- */

struct entry {
    int64_t key;
    size_t value;
};

struct heap {
    struct entry *entries; /* owned; room for all that ever enter at once */
    size_t count;
};

static bool before(struct entry a, struct entry b) { return a.key != b.key ? a.key < b.key : a.value < b.value; }

static void push(struct heap *heap, int64_t key, size_t value)
{
    struct entry entry = {key, value};
    size_t at = heap->count++;
    while (at > 0 && before(entry, heap->entries[(at - 1) / 2])) {
        heap->entries[at] = heap->entries[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap->entries[at] = entry;
}

static struct entry pop(struct heap *heap)
{
    struct entry first = heap->entries[0], last = heap->entries[--heap->count];
    size_t at = 0;
    for (size_t child = 1; child < heap->count; child = at * 2 + 1) {
        if (child + 1 < heap->count && before(heap->entries[child + 1], heap->entries[child])) child++;
        if (!before(heap->entries[child], last)) break;
        heap->entries[at] = heap->entries[child];
        at = child;
    }
    heap->entries[at] = last;
    return first;
}

/* ---- which comes when ---- */

static bool is_wanted(const struct kz_order_options *options, size_t system)
{
    return options->wanted == NULL || options->wanted[system];
}

/* How many of the wanted each system still waits for. */
static size_t *count_needs(const struct kz_graph *graph, const struct kz_order_options *options)
{
    size_t *waits = kz_must_alloc(graph->count + 1, sizeof(waits[0]));
    for (size_t i = 0; i < graph->count; i++)
        for (size_t edge = graph->needs_at[i]; edge < graph->needs_at[i + 1]; edge++)
            if (!graph->ignored[edge] && is_wanted(options, graph->needs[edge])) waits[i]++;
    return waits;
}

static bool is_ignored(const struct kz_graph *graph, size_t user, size_t needed)
{
    size_t low = graph->needs_at[user], high = graph->needs_at[user + 1];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (graph->needs[middle] == needed) return graph->ignored[middle];
        if (graph->rank[graph->needs[middle]] < graph->rank[needed])
            low = middle + 1;
        else
            high = middle;
    }
    kz_assert(false && "users and needs agree");
}

static void sort_steps(struct kz_order *order, const struct kz_graph *graph, const struct kz_order_options *options)
{
    size_t *waits = count_needs(graph, options);
    struct heap ready = {.entries = kz_must_alloc(graph->count + 1, sizeof(ready.entries[0]))};
    for (size_t i = 0; i < graph->count; i++)
        if (waits[i] == 0 && is_wanted(options, i)) push(&ready, (int64_t)graph->rank[i], i);
    while (ready.count > 0) {
        size_t system = pop(&ready).value;
        order->steps[order->count++] = (struct kz_order_step){.system = system, .after = SIZE_MAX};
        for (size_t edge = graph->users_at[system]; edge < graph->users_at[system + 1]; edge++) {
            size_t user = graph->users[edge];
            if (is_wanted(options, user) && !is_ignored(graph, user, system) && --waits[user] == 0)
                push(&ready, (int64_t)graph->rank[user], user);
        }
    }
    free(ready.entries);
    free(waits);
}

/* ---- how long it takes ---- */

struct plan {
    const struct kz_graph *graph;
    const struct kz_order_options *options;
    struct kz_order *order;
    size_t *step_of;   /* of each system; SIZE_MAX: not yet, or not wanted */
    size_t *last_step; /* of each team */
    struct heap teams; /* free from when */
};

/* It begins when the last of what it needs runs. */
static void wait_for_needs(const struct plan *plan, struct kz_order_step *step)
{
    const struct kz_graph *graph = plan->graph;
    step->start_s = plan->options->elapsed_s;
    for (size_t edge = graph->needs_at[step->system]; edge < graph->needs_at[step->system + 1]; edge++) {
        size_t needed = plan->step_of[graph->needs[edge]];
        if (graph->ignored[edge] || needed == SIZE_MAX) continue;
        const struct kz_order_step *earlier = &plan->order->steps[needed];
        if (earlier->at_least) step->at_least = true;
        if (earlier->finish_s < step->start_s || (earlier->finish_s == step->start_s && step->after != SIZE_MAX))
            continue;
        step->start_s = earlier->finish_s;
        step->after = needed;
    }
}

static void wait_for_team(struct plan *plan, size_t index)
{
    struct kz_order_step *step = &plan->order->steps[index];
    struct entry team = pop(&plan->teams);
    size_t last = plan->last_step[team.value];
    if (last != SIZE_MAX && plan->order->steps[last].at_least) step->at_least = true;
    if (team.key > step->start_s) {
        step->start_s = team.key;
        step->after = last;
        step->for_team = true;
    }
    plan->last_step[team.value] = index;
    const Kz__System *system = plan->graph->systems[step->system]->system;
    push(&plan->teams, step->start_s + (system->has_estimated_recovery ? system->estimated_recovery : 0), team.value);
}

static void time_step(struct plan *plan, size_t index)
{
    struct kz_order_step *step = &plan->order->steps[index];
    const Kz__System *system = plan->graph->systems[step->system]->system;
    wait_for_needs(plan, step);
    if (plan->options->teams > 0) wait_for_team(plan, index);
    step->start_at_least = step->at_least;
    step->finish_s = step->start_s + (system->has_estimated_recovery ? system->estimated_recovery : 0);
    if (!system->has_estimated_recovery) step->at_least = true;
    step->misses = system->has_rto && step->finish_s > system->rto;
    step->late_s = step->misses ? step->finish_s - system->rto : 0;
    plan->step_of[step->system] = index;
}

void kz_order_init(struct kz_order *order, const struct kz_graph *graph, const struct kz_order_options *options)
{
    struct plan plan = {.graph = graph, .options = options, .order = order};
    size_t teams = options->teams < graph->count ? options->teams : graph->count; /* more would have nothing to do */
    order->count = 0;
    order->steps = kz_must_alloc(graph->count + 1, sizeof(order->steps[0]));
    sort_steps(order, graph, options);
    plan.step_of = kz_must_alloc(graph->count + 1, sizeof(plan.step_of[0]));
    plan.last_step = kz_must_alloc(teams + 1, sizeof(plan.last_step[0]));
    plan.teams.entries = kz_must_alloc(teams + 1, sizeof(plan.teams.entries[0]));
    for (size_t i = 0; i < graph->count; i++)
        plan.step_of[i] = SIZE_MAX;
    for (size_t i = 0; i < teams; i++) {
        plan.last_step[i] = SIZE_MAX;
        push(&plan.teams, options->elapsed_s, i);
    }
    for (size_t i = 0; i < order->count; i++)
        time_step(&plan, i);
    free(plan.step_of);
    free(plan.last_step);
    free(plan.teams.entries);
}

void kz_order_fini(struct kz_order *order)
{
    free(order->steps);
    order->steps = NULL;
    order->count = 0;
}

size_t *kz_order_chain(const struct kz_order *order, size_t step, size_t *count)
{
    *count = 0;
    for (size_t at = step; at != SIZE_MAX; at = order->steps[at].after)
        (*count)++;
    size_t *chain = kz_must_alloc(*count, sizeof(chain[0]));
    size_t left = *count;
    for (size_t at = step; at != SIZE_MAX; at = order->steps[at].after)
        chain[--left] = at;
    return chain;
}
