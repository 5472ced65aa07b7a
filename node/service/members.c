/* SPDX-License-Identifier: Apache-2.0 */
#include "node/service/members.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/base/log.h"
#include "node/net/identity.h"
#include "node/service/incarnation.h"
#include "node/service/node_parts.h"
#include "node/service/replica_io.h"

#define SEEN_MAX 64u          /* past members whose names are kept; older ones are known by their ids being low */
#define SEEN_PREFIX "member." /* local table: "member.4" -> name */
#define OBSERVER_MARK ";observer"
#define HOST_BYTES "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:%" /* names, IPv4, IPv6 */

static_assert(KZ_MEMBER_NAME_BYTES + KZ_MEMBER_ADDRESS_BYTES + sizeof OBSERVER_MARK <= KZ_ADDRESS_MAX_BYTES,
              "every member fits a configuration");

struct seen {
    uint64_t id;
    char name[KZ_MEMBER_NAME_BYTES];
};

struct kz_members {
    struct kz_cluster_member list[KZ_NODES_MAX];
    size_t count;
    uint64_t configuration; /* log index of `list`; 0 = it is the file's */
    bool committed;
    struct seen seen[SEEN_MAX]; /* members of committed configurations, then and now */
    size_t seen_count;
    uint64_t highest_id; /* of all that were seen */
};

/* ---- text of a configuration ---- */

bool kz_member_parse(const char *server, struct kz_cluster_member *out)
{
    const char *at = strchr(server, '@');
    const char *address = at ? at + 1 : server;
    const char *mark = at ? strchr(address, ';') : NULL;
    size_t name_bytes = at ? (size_t)(at - server) : 0;
    size_t address_bytes = mark ? (size_t)(mark - address) : strlen(address);
    if (name_bytes >= sizeof out->name || address_bytes >= sizeof out->address) return false;
    if (mark && strcmp(mark, OBSERVER_MARK) != 0) return false;
    memcpy(out->name, server, name_bytes);
    out->name[name_bytes] = '\0';
    memcpy(out->address, address, address_bytes);
    out->address[address_bytes] = '\0';
    out->observer = mark != NULL;
    char host[KZ_MEMBER_ADDRESS_BYTES];
    int port;
    if (at && !kz_identity_is_name(out->name)) return false;
    if (!kz_service_split_address(out->address, host, sizeof host, &port)) return false;
    return host[strspn(host, HOST_BYTES)] == '\0';
}

bool kz_member_format(const char *name, const char *address, bool observer, char *out)
{
    struct kz_cluster_member parsed;
    int length = snprintf(out, KZ_ADDRESS_MAX_BYTES, "%s@%s%s", name, address, observer ? OBSERVER_MARK : "");
    if (length < 0 || (size_t)length >= KZ_ADDRESS_MAX_BYTES || !kz_member_parse(out, &parsed)) return false;
    /* What is read back must be what was meant: the marks must not stand in name or address. */
    return strcmp(parsed.name, name) == 0 && strcmp(parsed.address, address) == 0 && parsed.observer == observer;
}

/* ---- who was ever one ---- */

static const struct seen *find_seen(const struct kz_members *members, uint64_t id)
{
    for (size_t i = 0; i < members->seen_count; i++)
        if (members->seen[i].id == id) return &members->seen[i];
    return NULL;
}

static void add_seen(struct kz_members *members, uint64_t id, const char *name)
{
    if (id > members->highest_id) members->highest_id = id;
    size_t place = members->seen_count < SEEN_MAX ? members->seen_count++ : 0;
    for (size_t i = 1; place == 0 && members->seen_count == SEEN_MAX && i < SEEN_MAX; i++)
        if (members->seen[i].id < members->seen[place].id) place = i;
    members->seen[place].id = id;
    snprintf(members->seen[place].name, sizeof members->seen[place].name, "%s", name);
}

static bool read_seen(void *data, const char *key, const uint8_t *value, size_t size_bytes)
{
    char name[KZ_MEMBER_NAME_BYTES];
    uint64_t id = strtoull(key + strlen(SEEN_PREFIX), NULL, 10);
    size_t length = size_bytes < sizeof name ? size_bytes : sizeof name - 1;
    memcpy(name, value, length);
    name[length] = '\0';
    add_seen(data, id, name);
    return true;
}

static void note_seen(struct kz_node *node)
{
    struct kz_members *members = node->members;
    for (size_t i = 0; i < members->count; i++) {
        const struct kz_cluster_member *member = &members->list[i];
        if (find_seen(members, member->id)) continue;
        char key[48];
        snprintf(key, sizeof key, SEEN_PREFIX "%" PRIu64, member->id);
        add_seen(members, member->id, member->name);
        (void)kz_replica_io_put_local(node, key, member->name, strlen(member->name));
    }
}

/* ---- the list ---- */

static const struct kz_config_member *find_config(const struct kz_node *node, uint64_t id)
{
    for (size_t i = 0; i < node->config->member_count; i++)
        if ((uint64_t)node->config->members[i].id == id) return &node->config->members[i];
    return NULL;
}

static void take_file(struct kz_node *node)
{
    struct kz_members *members = node->members;
    members->count = node->config->member_count;
    for (size_t i = 0; i < members->count; i++) {
        const struct kz_config_member *config = &node->config->members[i];
        struct kz_cluster_member *member = &members->list[i];
        *member = (struct kz_cluster_member){.id = (uint64_t)config->id};
        snprintf(member->name, sizeof member->name, "%s", config->name);
        snprintf(member->address, sizeof member->address, "%s", config->address);
    }
}

static struct kz_cluster_member read_member(const struct kz_node *node, const struct kz_member *server)
{
    struct kz_cluster_member member = {.id = server->id};
    if (!kz_member_parse(server->address, &member))
        kz_log_error("members.address", "id=%" PRIu64 " text=\"%s\"", server->id, server->address);
    member.id = server->id;
    member.voter = server->voter;
    if (member.name[0]) return member;
    const struct kz_config_member *config = find_config(node, server->id); /* stored by an older release */
    if (config)
        snprintf(member.name, sizeof member.name, "%s", config->name);
    else
        snprintf(member.name, sizeof member.name, "node-%" PRIu64, server->id);
    return member;
}

static void tell_difference(const struct kz_node *node)
{
    const struct kz_members *members = node->members;
    for (size_t i = 0; i < members->count; i++) {
        const struct kz_cluster_member *member = &members->list[i];
        const struct kz_config_member *config = find_config(node, member->id);
        if (config && strcmp(config->name, member->name) == 0 && strcmp(config->address, member->address) == 0)
            continue;
        kz_log_info("members.file_differs", "name=%s id=%" PRIu64 " address=%s text=\"the cluster's own list counts\"",
                    member->name, member->id, member->address);
    }
}

/* Before a change is committed both the old and the new members are peers. */
static void drop_departed(struct kz_node *node, const struct kz_cluster_member *before, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (kz_members_find(node, before[i].id) || before[i].id == node->id) continue;
        kz_transport_remove_peer(node->transport, before[i].id);
    }
    for (size_t i = 0; i < node->members->seen_count; i++) {
        uint64_t id = node->members->seen[i].id;
        if (!kz_members_find(node, id) && id != node->id) kz_transport_remove_peer(node->transport, id);
    }
}

static void connect_members(struct kz_node *node)
{
    struct kz_err err = {0};
    for (size_t i = 0; i < node->members->count; i++) {
        const struct kz_cluster_member *member = &node->members->list[i];
        if (member->id == node->id) continue;
        if (kz_transport_set_peer(node->transport, member->id, member->name, member->address, &err) != KZ_OK)
            kz_log_error("members.peer", "name=%s error=\"%s\"", member->name, err.text);
    }
}

static void log_list(const struct kz_node *node)
{
    const struct kz_members *members = node->members;
    for (size_t i = 0; i < members->count; i++)
        kz_log_info("members.one",
                    "index=%" PRIu64 " committed=%d name=%s id=%" PRIu64 " address=%s voter=%d observer=%d",
                    members->configuration, members->committed, members->list[i].name, members->list[i].id,
                    members->list[i].address, members->list[i].voter, members->list[i].observer);
}

void kz_members_update(struct kz_node *node)
{
    struct kz_members *members = node->members;
    bool committed;
    uint64_t index = kz_replica_configuration(node->replica, &committed);
    if (index == 0 || (index == members->configuration && committed == members->committed)) return;
    struct kz_cluster_member before[KZ_NODES_MAX];
    struct kz_member servers[KZ_NODES_MAX];
    size_t before_count = members->count;
    bool first = members->configuration == 0;
    memcpy(before, members->list, sizeof before);
    size_t count = kz_replica_members(node->replica, servers, KZ_NODES_MAX);
    kz_assert(count <= KZ_NODES_MAX);
    members->count = count;
    members->configuration = index;
    members->committed = committed;
    for (size_t i = 0; i < count; i++)
        members->list[i] = read_member(node, &servers[i]);
    if (committed) note_seen(node);
    if (committed || first) drop_departed(node, before, before_count);
    connect_members(node);
    kz_incarnations_members_changed(node);
    kz_cluster_view_members_changed(node->cluster_view);
    log_list(node);
    if (first) tell_difference(node);
}

/* ---- birth and death ---- */

enum kz_code kz_members_open(struct kz_node *node, struct kz_err *err)
{
    node->members = kz_must_alloc(1, sizeof *node->members);
    take_file(node);
    struct kz_view *view;
    enum kz_code code = kz_view_open(node->store, &view, err);
    if (code != KZ_OK) return code;
    code = kz_view_local_each(view, SEEN_PREFIX, read_seen, node->members, err);
    kz_view_close(view);
    return code;
}

void kz_members_free(struct kz_members *members) { free(members); }

/* ---- questions ---- */

const struct kz_cluster_member *kz_members_list(const struct kz_node *node, size_t *count)
{
    *count = node->members->count;
    return node->members->list;
}

const struct kz_cluster_member *kz_members_find(const struct kz_node *node, uint64_t id)
{
    for (size_t i = 0; i < node->members->count; i++)
        if (node->members->list[i].id == id) return &node->members->list[i];
    return NULL;
}

const struct kz_cluster_member *kz_members_find_name(const struct kz_node *node, const char *name)
{
    for (size_t i = 0; i < node->members->count; i++)
        if (strcmp(node->members->list[i].name, name) == 0) return &node->members->list[i];
    return NULL;
}

size_t kz_members_voters(const struct kz_node *node)
{
    size_t voters = 0;
    for (size_t i = 0; i < node->members->count; i++)
        voters += node->members->list[i].voter;
    return voters;
}

const char *kz_members_name(const struct kz_node *node, uint64_t id)
{
    const struct kz_cluster_member *member = kz_members_find(node, id);
    const struct seen *seen = find_seen(node->members, id);
    return member ? member->name : seen ? seen->name : "";
}

bool kz_members_was(const struct kz_node *node, const char *name)
{
    for (size_t i = 0; i < node->members->seen_count; i++)
        if (strcmp(node->members->seen[i].name, name) == 0) return !kz_members_find_name(node, name);
    return false;
}

uint64_t kz_members_least_free_id(const struct kz_node *node) { return node->members->highest_id + 1; }

bool kz_members_was_removed(const struct kz_node *node, uint64_t id)
{
    const struct kz_members *members = node->members;
    return members->configuration != 0 && members->committed && id <= members->highest_id && !kz_members_find(node, id);
}

bool kz_members_removed_us(const struct kz_node *node)
{
    if (kz_node_leader(node) != 0) return false;
    for (size_t i = 0; i < node->members->count; i++) {
        bool by_it = false;
        Kz__Refusal refusal = kz_transport_refusal(node->transport, node->members->list[i].id, &by_it);
        if (refusal == KZ__REFUSAL__REFUSED_REMOVED && by_it) return true;
    }
    return false;
}

Kz__Refusal kz_members_check(const struct kz_node *node, const Kz__Hello *hello, char *why)
{
    if (!kz_members_was_removed(node, hello->node_id)) return KZ__REFUSAL__NOT_REFUSED;
    snprintf(why, KZ_TRANSPORT_WHY_BYTES,
             "node id %" PRIu64 " ('%.40s') was removed from the cluster: to join again it needs an empty data "
             "directory, an id of %" PRIu64 " or more, and cluster add",
             hello->node_id, hello->name, kz_members_least_free_id(node));
    return KZ__REFUSAL__REFUSED_REMOVED;
}
