/* SPDX-License-Identifier: Apache-2.0 */
#include "node/service/incarnation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/consensus/transport.h"
#include "node/service/replica_io.h"

struct kz_incarnations {
    struct {
        bool known;
        uint8_t bytes[KZ_INCARNATION_BYTES];
    } members[KZ_NODES_MAX]; /* in the configuration's order */
};

static void make_key(char *key, size_t size, uint64_t id)
{
    snprintf(key, size, "incarnation.%llu", (unsigned long long)id);
}

enum kz_code kz_incarnations_open(struct kz_node *node, struct kz_err *err)
{
    node->incarnations = kz_must_alloc(1, sizeof *node->incarnations);
    struct kz_view *view;
    enum kz_code code = kz_view_open(node->store, &view, err);
    if (code != KZ_OK) return code;
    for (size_t i = 0; i < node->config->member_count; i++) {
        char key[48];
        size_t size = KZ_INCARNATION_BYTES;
        make_key(key, sizeof key, (uint64_t)node->config->members[i].id);
        code = kz_view_local(view, key, node->incarnations->members[i].bytes, &size, err);
        node->incarnations->members[i].known = code == KZ_OK && size == KZ_INCARNATION_BYTES;
        if (code != KZ_OK && code != KZ_NOT_FOUND) break;
        code = KZ_OK;
    }
    kz_view_close(view);
    return code;
}

void kz_incarnations_free(struct kz_incarnations *incarnations) { free(incarnations); }

bool kz_incarnations_check(struct kz_node *node, const Kz__Hello *hello, char *why)
{
    if (hello->incarnation.len != KZ_INCARNATION_BYTES) {
        snprintf(why, KZ_TRANSPORT_WHY_BYTES, "hello without an incarnation of %d bytes", KZ_INCARNATION_BYTES);
        return false;
    }
    for (size_t i = 0; i < node->config->member_count; i++) {
        if ((uint64_t)node->config->members[i].id != hello->node_id) continue;
        uint8_t *bytes = node->incarnations->members[i].bytes;
        if (!node->incarnations->members[i].known) {
            char key[48];
            make_key(key, sizeof key, hello->node_id);
            memcpy(bytes, hello->incarnation.data, KZ_INCARNATION_BYTES);
            node->incarnations->members[i].known = true;
            (void)kz_replica_io_put_local(node, key, bytes, KZ_INCARNATION_BYTES);
            return true;
        }
        if (memcmp(bytes, hello->incarnation.data, KZ_INCARNATION_BYTES) == 0) return true;
        snprintf(why, KZ_TRANSPORT_WHY_BYTES,
                 "node %s came back with another data directory: its votes and entries are gone; it may not take part "
                 "under its old id",
                 node->config->members[i].name);
        return false;
    }
    snprintf(why, KZ_TRANSPORT_WHY_BYTES, "node id %llu is not a member", (unsigned long long)hello->node_id);
    return false;
}
