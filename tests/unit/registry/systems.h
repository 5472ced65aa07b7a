/* SPDX-License-Identifier: Apache-2.0 */
/* Small registries made in a line, for the tests of what is derived from many records. Out of memory ends the test. */
#ifndef KZ_TESTS_REGISTRY_SYSTEMS_H
#define KZ_TESTS_REGISTRY_SYSTEMS_H

#include "node/registry/graph.h"
#include "tests/unit/registry/samples.h"

#define REGISTRY_MAX 4096

struct registry {
    Kz__Record *records[REGISTRY_MAX]; /* owned */
    size_t count;
    struct kz_set set;
    struct kz_graph graph;
};

/* An empty record of the registry, borrowed; set its fields with `fill`. */
Kz__Record *registry_add(struct registry *registry, Kz__Kind kind, const char *id);
/* A system; `rto` and `estimate` as typed, "" for none; `needs` ids separated by spaces. */
Kz__Record *registry_system(struct registry *registry, const char *id, const char *rto, const char *estimate,
                            const char *needs);
/* sample_set, and a refusal fails the test. */
void fill(Kz__Record *record, const char *path, const char *text);

/* Derives, indexes, links. Once, after all are added. */
void registry_close(struct registry *registry);
void registry_free(struct registry *registry);

/* The system's number in the graph; fails the test when there is none. */
size_t registry_index(const struct registry *registry, const char *id);

/* The next of a fixed sequence (xorshift), below `limit`. */
size_t registry_random(uint64_t *state, size_t limit);
/* `count` systems s000..., each needing up to `needs` others; only later ones when `acyclic`. */
void registry_random_systems(struct registry *registry, uint64_t seed, size_t count, size_t needs, bool acyclic);

#endif
