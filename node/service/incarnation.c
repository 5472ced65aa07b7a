/* SPDX-License-Identifier: Apache-2.0 */
#include "node/service/incarnation.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/consensus/transport.h"
#include "node/service/members.h"
#include "node/service/replica_io.h"

#define PREFIX "incarnation."
#define KNOWN_MAX (4u * KZ_NODES_MAX) /* members, and guests that may become some */

struct known {
    uint64_t id; /* 0 = free place */
    bool stored; /* a member's: it counts from now on */
    uint8_t bytes[KZ_INCARNATION_BYTES];
};

struct kz_incarnations {
    struct known known[KNOWN_MAX];
};

static void make_key(char *key, size_t size, uint64_t id) { snprintf(key, size, PREFIX "%" PRIu64, id); }

static struct known *find_known(struct kz_incarnations *incarnations, uint64_t id)
{
    for (size_t i = 0; i < KNOWN_MAX; i++)
        if (incarnations->known[i].id == id) return &incarnations->known[i];
    return NULL;
}

/* Guests make room; there are never as many members as places. */
static struct known *add_known(struct kz_incarnations *incarnations, uint64_t id)
{
    struct known *known = find_known(incarnations, 0);
    for (size_t i = 0; i < KNOWN_MAX && !known; i++)
        if (!incarnations->known[i].stored) known = &incarnations->known[i];
    kz_assert(known != NULL);
    *known = (struct known){.id = id};
    return known;
}

static bool read_known(void *data, const char *key, const uint8_t *value, size_t size_bytes)
{
    uint64_t id = strtoull(key + strlen(PREFIX), NULL, 10);
    if (size_bytes != KZ_INCARNATION_BYTES || id == 0) return true;
    if (!find_known(data, 0)) return false; /* rows are dropped with their members: there are no more */
    struct known *known = add_known(data, id);
    memcpy(known->bytes, value, KZ_INCARNATION_BYTES);
    known->stored = true;
    return true;
}

enum kz_code kz_incarnations_open(struct kz_node *node, struct kz_err *err)
{
    node->incarnations = kz_must_alloc(1, sizeof *node->incarnations);
    struct kz_view *view;
    enum kz_code code = kz_view_open(node->store, &view, err);
    if (code != KZ_OK) return code;
    code = kz_view_local_each(view, PREFIX, read_known, node->incarnations, err);
    kz_view_close(view);
    return code;
}

void kz_incarnations_free(struct kz_incarnations *incarnations) { free(incarnations); }

static void store(struct kz_node *node, struct known *known)
{
    char key[48];
    make_key(key, sizeof key, known->id);
    known->stored = true;
    (void)kz_replica_io_put_local(node, key, known->bytes, KZ_INCARNATION_BYTES);
}

static void forget(struct kz_node *node, struct known *known)
{
    char key[48];
    make_key(key, sizeof key, known->id);
    *known = (struct known){0};
    (void)kz_replica_io_put_local(node, key, "", 0);
}

void kz_incarnations_members_changed(struct kz_node *node)
{
    for (size_t i = 0; i < KNOWN_MAX; i++) {
        struct known *known = &node->incarnations->known[i];
        if (known->id == 0) continue;
        bool member = kz_members_find(node, known->id) != NULL;
        if (member && !known->stored) store(node, known);
        /* Of one that was removed for good: its id is refused from now on, whatever directory it comes with. */
        if (!member && known->stored && kz_members_was_removed(node, known->id)) forget(node, known);
    }
}

Kz__Refusal kz_incarnations_check(struct kz_node *node, const Kz__Hello *hello, char *why)
{
    struct known *known = find_known(node->incarnations, hello->node_id);
    if (!known) known = add_known(node->incarnations, hello->node_id);
    if (!known->stored) {
        memcpy(known->bytes, hello->incarnation.data, KZ_INCARNATION_BYTES);
        if (kz_members_find(node, hello->node_id)) store(node, known);
        return KZ__REFUSAL__NOT_REFUSED;
    }
    if (memcmp(known->bytes, hello->incarnation.data, KZ_INCARNATION_BYTES) == 0) return KZ__REFUSAL__NOT_REFUSED;
    snprintf(why, KZ_TRANSPORT_WHY_BYTES,
             "node %s came back with another data directory: its votes and entries are gone; it may not take part "
             "under its old id",
             kz_members_name(node, hello->node_id));
    return KZ__REFUSAL__REFUSED_WIPED;
}
