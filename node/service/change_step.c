/* SPDX-License-Identifier: Apache-2.0 */
/* What the leader does about a change that was asked for: looks at the members as they are, and takes the next step or
 * says what stands in the way. */
#include <string.h>

#include "node/base/log.h"
#include "node/net/identity.h"
#include "node/service/change.h"
#include "node/service/members.h"
#include "node/service/node.h"
#include "node/service/node_parts.h"

#define STATE(name) KZ__CLUSTER_RESULT__STATE__##name
#define VERB(name) KZ__CLUSTER_REQUEST__VERB__##name
#define HEARD_MS 2000u /* a voter heard within this counts as being there */

static char *text(const char *constant) { return (char *)(uintptr_t)constant; } /* packed only */

static bool is_committed(const struct kz_node *node)
{
    bool committed;
    (void)kz_replica_configuration(node->replica, &committed); /* which one is the members room's business */
    return committed;
}

/* What was asked for is so; by an earlier step, or by somebody else before. */
static void say_so(const struct kz_node *node, Kz__ClusterResult *out)
{
    out->state = is_committed(node) ? STATE(UNCHANGED) : STATE(COMMITTING);
}

static void refuse(Kz__ClusterResult *out, Kz__ClusterResult__State state, const char *other)
{
    out->state = state;
    out->other = text(other);
}

static void propose(struct kz_node *node, enum kz_change change, uint64_t id, const char *server,
                    Kz__ClusterResult *out)
{
    struct kz_err err = {0};
    enum kz_code code = kz_replica_propose_change(node->replica, change, id, server, &err);
    if (code == KZ_OK) {
        out->state = STATE(COMMITTING);
    } else if (code == KZ_BUSY || code == KZ_NOT_LEADER) {
        uint64_t heard_ms;
        bool catching_up = change == KZ_CHANGE_PROMOTE && is_committed(node);
        out->state = !is_committed(node) ? STATE(COMMITTING) : catching_up ? STATE(CATCHING_UP) : STATE(SETTLING);
        out->has_last_index = out->has_match_index =
            catching_up && kz_replica_peer_progress(node->replica, id, &out->match_index, &heard_ms);
        struct kz_replica_status status;
        kz_replica_get_status(node->replica, &status);
        out->last_index = status.last_index;
        /* The core notices that a node has caught up only when it answers a new entry: on a quiet cluster, make one. */
        if (out->has_match_index && out->match_index == status.last_index) kz_writes_beacon(node->writes);
    } else {
        kz_log_warn("cluster.refused", "id=%llu error=\"%s\"", (unsigned long long)id, err.text);
        out->state = STATE(REFUSED);
    }
}

/* ---- add ---- */

static bool check_new(const Kz__ClusterRequest *ask, Kz__ClusterResult *out)
{
    char host[KZ_MEMBER_ADDRESS_BYTES], server[KZ_ADDRESS_MAX_BYTES];
    int port = 0;
    if (!kz_identity_is_name(ask->name))
        refuse(out, STATE(BAD_NAME), NULL);
    else if (!ask->has_node_id || ask->node_id == 0 || ask->node_id > INT32_MAX)
        refuse(out, STATE(BAD_ID), NULL);
    else if (!ask->address || !kz_service_split_address(ask->address, host, sizeof host, &port) || port == 0 ||
             !kz_member_format(ask->name, ask->address, false, server))
        refuse(out, STATE(BAD_ADDRESS), NULL);
    else
        return true;
    return false;
}

/* True: nobody stands in the way. */
static bool check_free(const struct kz_node *node, const Kz__ClusterRequest *ask, Kz__ClusterResult *out)
{
    size_t count;
    const struct kz_cluster_member *members = kz_members_list(node, &count);
    for (size_t i = 0; i < count; i++) {
        const struct kz_cluster_member *member = &members[i];
        bool id = member->id == ask->node_id, name = strcmp(member->name, ask->name) == 0;
        bool address = strcmp(member->address, ask->address) == 0;
        if (id && name && address && member->observer == (ask->has_observer && ask->observer)) {
            say_so(node, out);
            return false;
        }
        if (!id && !name && !address) continue;
        refuse(out, name ? STATE(NAME_TAKEN) : id ? STATE(ID_TAKEN) : STATE(ADDRESS_TAKEN), member->name);
        return false;
    }
    out->has_number = true;
    out->number = count >= KZ_NODES_MAX ? KZ_NODES_MAX : kz_members_least_free_id(node);
    if (count >= KZ_NODES_MAX)
        refuse(out, STATE(FULL), NULL);
    else if (ask->node_id < kz_members_least_free_id(node))
        refuse(out, STATE(ID_USED), NULL);
    else
        return true;
    return false;
}

static void add(struct kz_node *node, const Kz__ClusterRequest *ask, Kz__ClusterResult *out)
{
    char server[KZ_ADDRESS_MAX_BYTES];
    if (!check_new(ask, out) || !check_free(node, ask, out)) return;
    if (kz_member_format(ask->name, ask->address, ask->has_observer && ask->observer, server))
        propose(node, KZ_CHANGE_ADD, ask->node_id, server, out);
    else
        refuse(out, STATE(BAD_ADDRESS), NULL);
}

/* ---- transfer ---- */

static void transfer(struct kz_node *node, uint64_t target, Kz__ClusterResult *out)
{
    struct kz_err err = {0};
    enum kz_code code = kz_replica_transfer(node->replica, target, &err);
    out->state = code == KZ_OK || code == KZ_BUSY || code == KZ_NOT_LEADER ? STATE(TRANSFERRING) : STATE(REFUSED);
    if (code != KZ_OK) kz_log_info("cluster.transfer", "why=\"%s\"", err.text); /* asked for again */
}

static void transfer_to(struct kz_node *node, const struct kz_cluster_member *member, Kz__ClusterResult *out)
{
    if (kz_members_voters(node) == 1 && (!member || member->id != node->id))
        refuse(out, member ? STATE(NOT_A_VOTER) : STATE(LAST_VOTER), member ? NULL : node->config->name);
    else if (member && member->id == node->id)
        out->state = STATE(UNCHANGED);
    else if (member && !member->voter)
        refuse(out, STATE(NOT_A_VOTER), NULL);
    else
        transfer(node, member ? member->id : 0, out);
}

/* ---- the votes ---- */

static bool is_there(const struct kz_node *node, uint64_t id)
{
    return id == node->id ||
           (kz_transport_connected(node->transport, id) && kz_transport_heard_ms(node->transport, id) < HEARD_MS);
}

/* Taking a vote from one that lives, while others do not, would leave a cluster that can decide nothing, not even to
 * undo it. */
static bool would_decide_without(const struct kz_node *node, uint64_t id)
{
    size_t count, voters = 0, there = 0;
    const struct kz_cluster_member *members = kz_members_list(node, &count);
    for (size_t i = 0; i < count; i++) {
        if (!members[i].voter || members[i].id == id) continue;
        voters++;
        there += is_there(node, members[i].id);
    }
    return there > voters / 2;
}

static void take_vote(struct kz_node *node, const struct kz_cluster_member *member, enum kz_change change,
                      Kz__ClusterResult *out)
{
    if (member->voter && kz_members_voters(node) == 1)
        refuse(out, STATE(LAST_VOTER), NULL);
    else if (member->voter && !would_decide_without(node, member->id))
        refuse(out, STATE(NO_MAJORITY_LEFT), NULL);
    else if (member->voter && member->id == node->id)
        transfer(node, 0, out); /* a leader never removes itself; its successor does */
    else
        propose(node, change, member->id, NULL, out);
}

static void change_member(struct kz_node *node, const Kz__ClusterRequest *ask, const struct kz_cluster_member *member,
                          Kz__ClusterResult *out)
{
    switch (ask->verb) {
    case VERB(PROMOTE):
        if (member->voter)
            say_so(node, out);
        else if (member->observer)
            refuse(out, STATE(IS_OBSERVER), NULL);
        else
            propose(node, KZ_CHANGE_PROMOTE, member->id, NULL, out);
        return;
    case VERB(DEMOTE):
        if (!member->voter)
            say_so(node, out);
        else
            take_vote(node, member, KZ_CHANGE_DEMOTE, out);
        return;
    case VERB(REMOVE):
        take_vote(node, member, KZ_CHANGE_REMOVE, out);
        return;
    default:
        refuse(out, STATE(REFUSED), NULL);
    }
}

enum kz_code kz_changes_step(struct kz_node *node, const Kz__ClusterRequest *ask, Kz__ClusterResult *out)
{
    if (!kz_node_is_leader(node)) return KZ_NOT_LEADER;
    kz_members_update(node); /* an earlier step of this very loop turn counts */
    const struct kz_cluster_member *member = ask->name ? kz_members_find_name(node, ask->name) : NULL;
    if (!ask->name && ask->verb != VERB(TRANSFER))
        refuse(out, STATE(BAD_NAME), NULL);
    else if (ask->verb == VERB(ADD))
        add(node, ask, out);
    else if (ask->name && !member && ask->verb == VERB(REMOVE) && kz_members_was(node, ask->name))
        out->state = STATE(UNCHANGED);
    else if (ask->name && !member && ask->verb == VERB(REMOVE) && !is_committed(node))
        out->state = STATE(COMMITTING);
    else if (ask->name && !member)
        refuse(out, STATE(NO_SUCH_MEMBER), NULL);
    else if (ask->verb == VERB(TRANSFER))
        transfer_to(node, member, out);
    else
        change_member(node, ask, member, out);
    if (!out->name) out->name = member ? text(member->name) : ask->name;
    return KZ_OK;
}
