/* SPDX-License-Identifier: Apache-2.0 */
#include "node/service/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/base/log.h"
#include "node/service/members.h"
#include "node/service/node.h"
#include "node/service/node_parts.h"

#define HASHES_KEPT 1024u /* own (index, hash) pairs to compare peers with */
#define KINDS_MAX 32u
#define REACHABLE_MS 3000u

struct index_hash {
    uint64_t index;
    uint8_t hash[KZ_HASH_BYTES];
};

struct peer_view {
    uint64_t id;
    bool heard;
    uint64_t heard_ms;
    uint64_t applied_index;
    uint8_t state_hash[KZ_HASH_BYTES];
    char version[32];
    bool diverged; /* alarmed already */
};

struct kz_cluster_view {
    struct kz_node *node;                 /* borrowed */
    struct peer_view peers[KZ_NODES_MAX]; /* in the order of the members */
    size_t peer_count;
    struct index_hash hashes[HASHES_KEPT]; /* slot = count % HASHES_KEPT */
    uint64_t hash_count;
};

struct kz_cluster_view *kz_cluster_view_new(struct kz_node *node)
{
    struct kz_cluster_view *view = kz_must_alloc(1, sizeof *view);
    view->node = node;
    return view;
}

void kz_cluster_view_free(struct kz_cluster_view *view) { free(view); }

void kz_cluster_view_applied(struct kz_cluster_view *view)
{
    struct index_hash *slot = &view->hashes[view->hash_count++ % HASHES_KEPT];
    slot->index = view->node->applied.index;
    memcpy(slot->hash, view->node->applied.state_hash, KZ_HASH_BYTES);
}

static struct peer_view *find_peer(struct kz_cluster_view *view, uint64_t peer_id)
{
    for (size_t i = 0; i < view->peer_count; i++)
        if (view->peers[i].id == peer_id) return &view->peers[i];
    return NULL;
}

void kz_cluster_view_members_changed(struct kz_cluster_view *view)
{
    struct peer_view peers[KZ_NODES_MAX] = {0};
    size_t count;
    const struct kz_cluster_member *members = kz_members_list(view->node, &count);
    for (size_t i = 0; i < count; i++) {
        const struct peer_view *known = find_peer(view, members[i].id);
        if (known) peers[i] = *known;
        peers[i].id = members[i].id;
    }
    memcpy(view->peers, peers, sizeof peers);
    view->peer_count = count;
}

/* Equal index and different hash: one of the two applied something else. Which one cannot be told here. */
static void compare_hash(struct kz_cluster_view *view, struct peer_view *peer)
{
    uint64_t kept = view->hash_count < HASHES_KEPT ? view->hash_count : HASHES_KEPT;
    for (uint64_t i = 0; i < kept; i++) {
        const struct index_hash *own = &view->hashes[i];
        if (own->index != peer->applied_index) continue;
        bool differs = memcmp(own->hash, peer->state_hash, KZ_HASH_BYTES) != 0;
        if (differs && !peer->diverged)
            kz_log_error("state.diverged", "peer=%s index=%llu", kz_node_member_name(view->node, peer->id),
                         (unsigned long long)own->index);
        peer->diverged = differs;
        return;
    }
}

void kz_cluster_view_heard(struct kz_cluster_view *view, uint64_t peer_id, const Kz__Gossip *gossip)
{
    struct peer_view *peer = find_peer(view, peer_id);
    if (!peer || gossip->state_hash.len != KZ_HASH_BYTES) return;
    peer->heard = true;
    peer->heard_ms = kz_node_now_ms(view->node);
    peer->applied_index = gossip->applied_index;
    memcpy(peer->state_hash, gossip->state_hash.data, KZ_HASH_BYTES);
    snprintf(peer->version, sizeof peer->version, "%s", gossip->version ? gossip->version : "");
    compare_hash(view, peer);
}

void kz_cluster_view_gossip(struct kz_cluster_view *view)
{
    Kz__Gossip body = KZ__GOSSIP__INIT;
    body.applied_index = view->node->applied.index;
    body.state_hash = (ProtobufCBinaryData){KZ_HASH_BYTES, view->node->applied.state_hash};
    body.version = (char *)(uintptr_t)KEIZOKU_VERSION;
    Kz__PeerMessage message = KZ__PEER_MESSAGE__INIT;
    message.gossip = &body;
    for (size_t i = 0; i < view->peer_count; i++)
        if (view->peers[i].id != view->node->id) (void)kz_node_send(view->node, view->peers[i].id, &message);
    /* A gossip that is lost is followed by another a second later. */
}

/* ---- the answer ---- */

struct answer {
    Kz__Response response;
    Kz__Status status;
    Kz__Member members[KZ_NODES_MAX];
    Kz__Member *member_list[KZ_NODES_MAX];
    Kz__KindCount counts[KINDS_MAX];
    Kz__KindCount *count_list[KINDS_MAX];
};

static void fill_contact(const struct kz_node *node, const struct peer_view *peer, Kz__Member *member)
{
    uint64_t ago_ms = kz_transport_heard_ms(node->transport, peer->id);
    member->has_reachable = true;
    if (peer->id == node->id) ago_ms = 0;
    member->reachable =
        peer->id == node->id || (kz_transport_connected(node->transport, peer->id) && ago_ms < REACHABLE_MS);
    member->has_contact_ms = ago_ms != KZ_TRANSPORT_NEVER_MS;
    member->contact_ms = member->has_contact_ms ? (int64_t)ago_ms : 0;
    uint64_t heard_ms;
    member->has_match_index = kz_replica_peer_progress(node->replica, peer->id, &member->match_index, &heard_ms);
}

static void fill_state(const struct kz_node *node, struct peer_view *peer, Kz__Member *member)
{
    bool self = peer->id == node->id;
    if (!self && !peer->heard) return;
    member->has_applied_index = member->has_state_hash = member->has_state_hash_index = true;
    member->applied_index = self ? node->applied.index : peer->applied_index;
    member->state_hash_index = member->applied_index;
    member->state_hash.len = KZ_HASH_BYTES;
    member->state_hash.data = self ? (uint8_t *)(uintptr_t)node->applied.state_hash : peer->state_hash;
    member->version = self ? (char *)(uintptr_t)KEIZOKU_VERSION : peer->version;
}

static void fill_refusal(const struct kz_node *node, uint64_t id, Kz__Member *member)
{
    bool by_it = false;
    member->refusal = kz_transport_refusal(node->transport, id, &by_it);
    member->has_refusal = member->has_refused_by_it = member->refusal != KZ__REFUSAL__NOT_REFUSED;
    member->refused_by_it = by_it;
}

static void fill_members(struct kz_node *node, struct answer *answer)
{
    size_t count;
    const struct kz_cluster_member *members = kz_members_list(node, &count);
    for (size_t i = 0; i < count; i++) {
        struct peer_view *peer = &node->cluster_view->peers[i];
        Kz__Member *member = &answer->members[i];
        kz__member__init(member);
        member->node_id = members[i].id;
        member->name = (char *)(uintptr_t)members[i].name; /* packed only */
        member->address = (char *)(uintptr_t)members[i].address;
        member->has_leader = member->has_voter = member->has_observer = true;
        member->leader = kz_node_leader(node) == members[i].id;
        member->voter = members[i].voter;
        member->observer = members[i].observer;
        fill_contact(node, peer, member);
        fill_state(node, peer, member);
        fill_refusal(node, members[i].id, member);
        answer->member_list[i] = member;
    }
    answer->status.members = answer->member_list;
    answer->status.n_members = count;
}

static enum kz_code fill_counts(struct kz_node *node, struct answer *answer, struct kz_err *err)
{
    size_t count;
    const struct kz_kind *kinds = kz_kinds(&count);
    struct kz_view *view;
    kz_assert(count <= KINDS_MAX);
    enum kz_code code = kz_view_open(node->store, &view, err);
    if (code != KZ_OK) return code;
    for (size_t i = 0; i < count && code == KZ_OK; i++) {
        Kz__KindCount *row = &answer->counts[i];
        kz__kind_count__init(row);
        row->kind = kinds[i].number;
        code = kz_view_count(view, row->kind, &row->live, &row->retired, err);
        answer->count_list[i] = row;
    }
    kz_view_close(view);
    answer->status.counts = answer->count_list;
    answer->status.n_counts = count;
    return code;
}

static void fill_own(struct kz_node *node, struct answer *answer)
{
    struct kz_replica_status raft;
    struct kz_err err = {0};
    Kz__Status *status = &answer->status;
    kz_replica_get_status(node->replica, &raft);
    status->has_state_hash = status->has_audit_head = true;
    status->state_hash = (ProtobufCBinaryData){KZ_HASH_BYTES, node->applied.state_hash};
    status->has_records_hash = true;
    status->records_hash = (ProtobufCBinaryData){KZ_HASH_BYTES, node->applied.records_hash};
    status->audit_head = (ProtobufCBinaryData){KZ_HASH_BYTES, node->applied.audit_head};
    status->state = (char *)(uintptr_t)kz_raft_role_name(raft.role);
    status->has_last_index = status->has_commit_index = status->has_first_index = true;
    status->last_index = raft.last_index;
    status->commit_index = raft.commit_index;
    status->first_index = raft.first_index;
    if (kz_store_usage(node->store, &status->database_bytes, &status->free_bytes, &err) == KZ_OK)
        status->has_database_bytes = status->has_free_bytes = true;
    status->has_started_ms = true;
    status->started_ms = node->started_wall_ms;
    status->version = (char *)(uintptr_t)KEIZOKU_VERSION;
}

void kz_status_answer(struct kz_request *request)
{
    struct kz_node *node = request->node;
    struct kz_err err = {0};
    struct answer *answer = calloc(1, sizeof *answer);
    if (!answer) {
        kz_request_fail(request, KZ_FAULT_NO_MEMORY_LEFT, NULL);
        return;
    }
    kz__response__init(&answer->response);
    kz__status__init(&answer->status);
    answer->response.status = &answer->status;
    fill_members(node, answer);
    fill_own(node, answer);
    if (fill_counts(node, answer, &err) == KZ_OK) {
        kz_request_reply(request, &answer->response);
    } else {
        kz_log_error("status.read", "error=\"%s\"", err.text);
        kz_request_fail(request, KZ_FAULT_READ_FAILED, NULL);
    }
    free(answer);
}
