/* SPDX-License-Identifier: Apache-2.0 */
#include "node/registry/graph.h"

#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"

/* ---- rank ---- */

static int priority_of(const Kz__System *system)
{
    return system->has_priority ? (int)system->priority : (int)KZ__SYSTEM__PRIORITY__E + 1;
}

static int compare_wish(const void *a, const void *b)
{
    const Kz__Record *x = **(const Kz__Record *const *const *)a, *y = **(const Kz__Record *const *const *)b;
    int by_priority = priority_of(x->system) - priority_of(y->system);
    if (by_priority != 0) return by_priority;
    int64_t x_rto = x->system->has_rto ? x->system->rto : INT64_MAX;
    int64_t y_rto = y->system->has_rto ? y->system->rto : INT64_MAX;
    if (x_rto != y_rto) return x_rto < y_rto ? -1 : 1;
    return strcmp(x->id, y->id);
}

static void rank_systems(struct kz_graph *graph)
{
    const Kz__Record *const **order = kz_must_alloc(graph->count + 1, sizeof(order[0]));
    for (size_t i = 0; i < graph->count; i++)
        order[i] = &graph->systems[i];
    qsort(order, graph->count, sizeof(order[0]), compare_wish);
    for (size_t rank = 0; rank < graph->count; rank++) {
        graph->by_rank[rank] = (size_t)(order[rank] - graph->systems);
        graph->rank[graph->by_rank[rank]] = rank;
    }
    free(order);
}

/* ---- edges ---- */

struct edge {
    size_t from, to, to_rank;
};

static int compare_edge(const void *a, const void *b)
{
    const struct edge *x = a, *y = b;
    if (x->from != y->from) return x->from < y->from ? -1 : 1;
    return x->to_rank == y->to_rank ? 0 : x->to_rank < y->to_rank ? -1 : 1;
}

/* `edges` by `from`, then rank, into the two arrays. Gives how many are left when each stands once. */
static size_t fill(struct edge *edges, size_t count, size_t systems, size_t *at, size_t *targets)
{
    size_t kept = 0, system = 0;
    qsort(edges, count, sizeof(edges[0]), compare_edge);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && compare_edge(&edges[i], &edges[i - 1]) == 0) continue;
        while (system <= edges[i].from)
            at[system++] = kept;
        targets[kept++] = edges[i].to;
    }
    while (system <= systems)
        at[system++] = kept;
    return kept;
}

static void connect_systems(struct kz_graph *graph, const struct kz_set *set)
{
    size_t count = 0, most = 0;
    for (size_t i = 0; i < graph->count; i++)
        most += graph->systems[i]->system->n_depends_on;
    struct edge *edges = kz_must_alloc(most + 1, sizeof(edges[0]));
    graph->needs = kz_must_alloc(most + 1, sizeof(graph->needs[0]));
    graph->users = kz_must_alloc(most + 1, sizeof(graph->users[0]));
    graph->ignored = kz_must_alloc(most + 1, sizeof(graph->ignored[0]));
    for (size_t i = 0; i < graph->count; i++) {
        const Kz__System *system = graph->systems[i]->system;
        for (size_t j = 0; j < system->n_depends_on; j++) {
            size_t to = kz_set_index(set, KZ__KIND__SYSTEM, system->depends_on[j]);
            if (to != SIZE_MAX && to != i) edges[count++] = (struct edge){i, to, graph->rank[to]};
        }
    }
    count = fill(edges, count, graph->count, graph->needs_at, graph->needs);
    for (size_t i = 0, from = 0; i < count; i++) {
        while (graph->needs_at[from + 1] <= i)
            from++;
        edges[i] = (struct edge){graph->needs[i], from, graph->rank[from]};
    }
    fill(edges, count, graph->count, graph->users_at, graph->users);
    free(edges);
}

/* ---- cycles ---- */

enum visit { NEW, OPEN, DONE };

struct walk {
    struct kz_graph *graph;
    enum visit *state;
    size_t *path; /* the systems being looked at, each needs the next */
    size_t *next; /* of each system: the place in `needs` to go on at */
    size_t depth;
};

/* The system at the end of the path needs `to`, which is on the path. */
static void close_cycle(struct walk *walk, size_t edge, size_t to)
{
    struct kz_graph *graph = walk->graph;
    graph->ignored[edge] = true;
    if (graph->cycle_count++ >= KZ_CYCLES_NAMED_MAX) return;
    size_t begin = walk->depth;
    while (walk->path[begin - 1] != to)
        begin--;
    struct kz_cycle *cycle = &graph->cycles[graph->cycle_count - 1];
    cycle->count = walk->depth - (begin - 1);
    cycle->systems = kz_must_alloc(cycle->count, sizeof(cycle->systems[0]));
    memcpy(cycle->systems, walk->path + begin - 1, cycle->count * sizeof(cycle->systems[0]));
}

/* One step of the walk: on to what is needed next, or back. */
static void step(struct walk *walk)
{
    struct kz_graph *graph = walk->graph;
    size_t at = walk->path[walk->depth - 1];
    if (walk->next[at] == graph->needs_at[at + 1]) {
        walk->state[at] = DONE;
        walk->depth--;
        return;
    }
    size_t edge = walk->next[at]++;
    size_t to = graph->needs[edge];
    if (walk->state[to] == OPEN) close_cycle(walk, edge, to);
    if (walk->state[to] != NEW) return;
    walk->state[to] = OPEN;
    walk->path[walk->depth++] = to;
}

static void break_cycles(struct kz_graph *graph)
{
    struct walk walk = {.graph = graph};
    walk.state = kz_must_alloc(graph->count + 1, sizeof(walk.state[0]));
    walk.path = kz_must_alloc(graph->count + 1, sizeof(walk.path[0]));
    walk.next = kz_must_alloc(graph->count + 1, sizeof(walk.next[0]));
    memcpy(walk.next, graph->needs_at, graph->count * sizeof(walk.next[0]));
    graph->cycles = kz_must_alloc(KZ_CYCLES_NAMED_MAX, sizeof(graph->cycles[0]));
    for (size_t rank = 0; rank < graph->count; rank++) {
        size_t system = graph->by_rank[rank];
        if (walk.state[system] != NEW) continue;
        walk.state[system] = OPEN;
        walk.path[walk.depth++] = system;
        while (walk.depth > 0)
            step(&walk);
    }
    free(walk.state);
    free(walk.path);
    free(walk.next);
}

void kz_graph_init(struct kz_graph *graph, const struct kz_set *set)
{
    memset(graph, 0, sizeof(*graph));
    graph->systems = kz_set_kind(set, KZ__KIND__SYSTEM, &graph->count);
    graph->rank = kz_must_alloc(graph->count + 1, sizeof(graph->rank[0]));
    graph->by_rank = kz_must_alloc(graph->count + 1, sizeof(graph->by_rank[0]));
    graph->needs_at = kz_must_alloc(graph->count + 1, sizeof(graph->needs_at[0]));
    graph->users_at = kz_must_alloc(graph->count + 1, sizeof(graph->users_at[0]));
    rank_systems(graph);
    connect_systems(graph, set);
    break_cycles(graph);
}

void kz_graph_fini(struct kz_graph *graph)
{
    size_t named = graph->cycle_count < KZ_CYCLES_NAMED_MAX ? graph->cycle_count : KZ_CYCLES_NAMED_MAX;
    for (size_t i = 0; i < named; i++)
        free(graph->cycles[i].systems);
    free(graph->cycles);
    free(graph->rank);
    free(graph->by_rank);
    free(graph->needs_at);
    free(graph->needs);
    free(graph->users_at);
    free(graph->users);
    free(graph->ignored);
    memset(graph, 0, sizeof(*graph));
}
