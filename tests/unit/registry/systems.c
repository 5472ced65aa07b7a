/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/registry/systems.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Kz__Record *registry_add(struct registry *registry, Kz__Kind kind, const char *id)
{
    assert_true(registry->count < REGISTRY_MAX);
    Kz__Record *record = kz_record_new(kind, id);
    assert_non_null(record);
    registry->records[registry->count++] = record;
    return record;
}

void fill(Kz__Record *record, const char *path, const char *text)
{
    const struct kz_text *reason = sample_set(record, path, text);
    if (reason != NULL) fail_msg("%s = %s: %s", path, text, reason->en);
}

Kz__Record *registry_system(struct registry *registry, const char *id, const char *rto, const char *estimate,
                            const char *needs)
{
    char copy[512], *rest = NULL;
    Kz__Record *record = registry_add(registry, KZ__KIND__SYSTEM, id);
    fill(record, "rto", rto);
    fill(record, "estimated_recovery", estimate);
    snprintf(copy, sizeof(copy), "%s", needs);
    for (char *need = strtok_r(copy, " ", &rest); need != NULL; need = strtok_r(NULL, " ", &rest))
        fill(record, "depends_on", need);
    return record;
}

void registry_close(struct registry *registry)
{
    for (size_t i = 0; i < registry->count; i++)
        kz_record_derive(registry->records[i]);
    kz_set_init(&registry->set, (const Kz__Record *const *)registry->records, registry->count);
    kz_graph_init(&registry->graph, &registry->set);
}

void registry_free(struct registry *registry)
{
    kz_graph_fini(&registry->graph);
    kz_set_fini(&registry->set);
    for (size_t i = 0; i < registry->count; i++)
        kz__record__free_unpacked(registry->records[i], NULL);
    memset(registry, 0, sizeof(*registry));
}

size_t registry_index(const struct registry *registry, const char *id)
{
    size_t index = kz_set_index(&registry->set, KZ__KIND__SYSTEM, id);
    if (index == SIZE_MAX) fail_msg("no system %s", id);
    return index;
}

size_t registry_random(uint64_t *state, size_t limit)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (size_t)(*state % limit);
}

void registry_random_systems(struct registry *registry, uint64_t seed, size_t count, size_t needs, bool acyclic)
{
    static const char *const rtos[] = {"", "1h", "2h", "3h", "1d", "2d", "1w", "30d"};
    static const char *const times[] = {"", "0m", "30m", "1h", "5h", "1d"};
    uint64_t state = seed * 2 + 1;
    for (size_t i = 0; i < count; i++) {
        char id[32], list[512] = "";
        size_t used = 0;
        snprintf(id, sizeof(id), "s%03zu", i);
        for (size_t j = registry_random(&state, needs + 1); j > 0; j--) {
            if (acyclic && i + 1 == count) break;
            size_t to = acyclic ? i + 1 + registry_random(&state, count - i - 1) : registry_random(&state, count);
            used += (size_t)snprintf(list + used, sizeof(list) - used, "s%03zu ", to);
        }
        registry_system(registry, id, rtos[registry_random(&state, 8)], times[registry_random(&state, 6)], list);
    }
    registry_close(registry);
}
