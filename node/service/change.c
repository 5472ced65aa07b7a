/* SPDX-License-Identifier: Apache-2.0 */
#include "node/service/change.h"

#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/base/log.h"
#include "node/service/members.h"
#include "node/service/node.h"
#include "node/service/node_parts.h"

#define TICKET_BIT (1ull << 62) /* apart from writes' and reads' */
#define STEP_MS 50u             /* between two steps while something is under way */
#define RESEND_MS 1000u         /* a forwarded step without answer is asked again */
#define HOLD_MS 1000u           /* longer changes are answered with how far they have come */
#define LEADER_WAIT_MS 3000u    /* longer than an election: then there is no quorum */

struct change {
    struct kz_request *request; /* its arena owns `ask` */
    const Kz__ClusterRequest *ask;
    uint64_t ticket;
    uint64_t started_ms, stepped_ms; /* 0 = no step yet */
    bool asked;                      /* the leader has not answered the last step */
    bool begun;                      /* a step changed something: "it was so before" is not true any more */
    uint64_t first_leader;
    Kz__ClusterResult__State state; /* of the last answer */
    uint64_t match_index, last_index;
    TAILQ_ENTRY(change) link;
};

struct kz_changes {
    struct kz_node *node; /* borrowed */
    TAILQ_HEAD(, change) all;
    size_t count;
    uint64_t next_ticket;
    bool leader_changed; /* in this loop turn */
};

struct kz_changes *kz_changes_new(struct kz_node *node)
{
    struct kz_changes *changes = kz_must_alloc(1, sizeof *changes);
    changes->node = node;
    TAILQ_INIT(&changes->all);
    return changes;
}

void kz_changes_free(struct kz_changes *changes)
{
    if (!changes) return;
    kz_assert(TAILQ_EMPTY(&changes->all)); /* every connection has ended */
    free(changes);
}

static void drop(struct kz_changes *changes, struct change *change)
{
    change->request->forget = NULL;
    TAILQ_REMOVE(&changes->all, change, link);
    changes->count--;
    free(change);
}

/* ---- answers to the client ---- */

static void reply(struct kz_changes *changes, struct change *change, Kz__ClusterResult *result)
{
    struct kz_request *request = change->request;
    Kz__Response response = KZ__RESPONSE__INIT;
    response.cluster = result;
    if (!result->name) result->name = change->ask->name;
    drop(changes, change);
    kz_request_reply(request, &response);
}

static void give_up(struct kz_changes *changes, struct change *change)
{
    struct kz_request *request = change->request;
    Kz__ClusterResult result = KZ__CLUSTER_RESULT__INIT;
    if (change->stepped_ms && change->state) {
        result.state = change->state;
        result.has_match_index = result.has_last_index = change->state == KZ__CLUSTER_RESULT__STATE__CATCHING_UP;
        result.match_index = change->match_index;
        result.last_index = change->last_index;
        reply(changes, change, &result);
        return;
    }
    enum kz_fault fault = change->begun ? KZ_FAULT_NOT_CONFIRMED : KZ_FAULT_NO_LEADER_CHANGE;
    drop(changes, change);
    kz_request_fail(request, fault, NULL);
}

static bool is_under_way(Kz__ClusterResult__State state)
{
    return state >= KZ__CLUSTER_RESULT__STATE__COMMITTING && state <= KZ__CLUSTER_RESULT__STATE__NO_SUCCESSOR;
}

static void take_result(struct kz_changes *changes, struct change *change, const Kz__ClusterResult *answer)
{
    change->asked = false;
    change->state = answer->state;
    change->match_index = answer->match_index;
    change->last_index = answer->last_index;
    if (is_under_way(answer->state)) {
        change->begun = change->begun || answer->state != KZ__CLUSTER_RESULT__STATE__NO_SUCCESSOR;
        return;
    }
    Kz__ClusterResult result = *answer;
    if (result.state == KZ__CLUSTER_RESULT__STATE__UNCHANGED && change->begun)
        result.state = KZ__CLUSTER_RESULT__STATE__DONE;
    reply(changes, change, &result);
}

/* ---- asking the leader ---- */

static void step(struct kz_changes *changes, struct change *change, uint64_t leader)
{
    struct kz_node *node = changes->node;
    Kz__ClusterResult result = KZ__CLUSTER_RESULT__INIT;
    change->stepped_ms = kz_node_now_ms(node);
    if (!change->first_leader) change->first_leader = leader;
    if (leader == node->id) {
        if (kz_changes_step(node, change->ask, &result) == KZ_OK) take_result(changes, change, &result);
        return;
    }
    Kz__Forward body = KZ__FORWARD__INIT;
    change->ticket = TICKET_BIT | ++changes->next_ticket;
    body.ticket = change->ticket;
    body.change = (Kz__ClusterRequest *)(uintptr_t)change->ask; /* packed only */
    Kz__PeerMessage message = KZ__PEER_MESSAGE__INIT;
    message.forward = &body;
    change->asked = kz_node_send(node, leader, &message) == KZ_OK;
}

void kz_changes_answered(struct kz_changes *changes, const Kz__Forwarded *answer)
{
    struct change *change;
    TAILQ_FOREACH(change, &changes->all, link) if (change->asked && change->ticket == answer->ticket) break;
    if (!change) return;
    if (answer->code == KZ_OK)
        take_result(changes, change, answer->change);
    else
        change->asked = false; /* it leads no more: the tick asks whoever does */
}

void kz_changes_forwarded_here(struct kz_changes *changes, uint64_t peer_id, const Kz__Forward *forward)
{
    Kz__ClusterResult result = KZ__CLUSTER_RESULT__INIT;
    Kz__Forwarded body = KZ__FORWARDED__INIT;
    result.state = KZ__CLUSTER_RESULT__STATE__REFUSED; /* not looked at with another code than OK */
    body.ticket = forward->ticket;
    body.code = kz_changes_step(changes->node, forward->change, &result);
    body.change = &result;
    Kz__PeerMessage message = KZ__PEER_MESSAGE__INIT;
    message.forwarded = &body;
    (void)kz_node_send(changes->node, peer_id, &message); /* lost: asked again */
}

/* ---- from clients ---- */

static void forget(struct kz_request *request)
{
    drop(request->node->changes, request->room);
    /* What was begun goes on; asking again tells what became of it. */
}

void kz_changes_submit(struct kz_changes *changes, struct kz_request *request)
{
    struct change *change = changes->count < KZ_CHANGES_MAX ? calloc(1, sizeof *change) : NULL;
    if (!change) {
        kz_request_fail(request, KZ_FAULT_TOO_MANY_REQUESTS, NULL);
        return;
    }
    change->request = request;
    change->ask = request->message->cluster;
    change->started_ms = kz_node_now_ms(changes->node);
    request->room = change;
    request->forget = forget;
    TAILQ_INSERT_TAIL(&changes->all, change, link);
    changes->count++;
    kz_log_info("cluster.asked", "verb=%d name=%s user=%s", (int)change->ask->verb,
                change->ask->name ? change->ask->name : "-", kz_request_actor(request));
    uint64_t leader = kz_node_leader(changes->node);
    if (leader) step(changes, change, leader);
}

/* ---- time ---- */

/* Leadership has gone to where it was wanted, or away at all when nobody was named: asking the new leader would send it
 * on. */
static bool is_transferred(const struct kz_changes *changes, const struct change *change, uint64_t leader)
{
    if (change->ask->verb != KZ__CLUSTER_REQUEST__VERB__TRANSFER || !change->begun || leader == 0) return false;
    if (leader == change->first_leader) return false;
    return !change->ask->name || strcmp(kz_members_name(changes->node, leader), change->ask->name) == 0;
}

static void tick_change(struct kz_changes *changes, struct change *change, uint64_t now_ms)
{
    uint64_t leader = kz_node_leader(changes->node);
    if (is_transferred(changes, change, leader)) {
        Kz__ClusterResult result = KZ__CLUSTER_RESULT__INIT;
        result.state = KZ__CLUSTER_RESULT__STATE__DONE;
        result.leader = (char *)(uintptr_t)kz_members_name(changes->node, leader);
        reply(changes, change, &result);
        return;
    }
    /* Who asks again must not move leadership on: a transfer is waited for. */
    bool patient = change->ask->verb == KZ__CLUSTER_REQUEST__VERB__TRANSFER;
    bool told = change->begun && !patient && now_ms - change->started_ms >= HOLD_MS;
    bool no_leader = !change->stepped_ms && now_ms - change->started_ms >= LEADER_WAIT_MS;
    if (told || no_leader || now_ms >= change->request->deadline_ms) {
        give_up(changes, change);
        return;
    }
    uint64_t wait_ms = change->asked ? RESEND_MS : STEP_MS;
    if (leader && now_ms - change->stepped_ms >= wait_ms) step(changes, change, leader);
}

void kz_changes_tick(struct kz_changes *changes)
{
    uint64_t now_ms = kz_node_now_ms(changes->node);
    struct change *change = TAILQ_FIRST(&changes->all);
    while (change) {
        struct change *next = TAILQ_NEXT(change, link);
        tick_change(changes, change, now_ms);
        change = next;
    }
}

void kz_changes_leader_changed(struct kz_changes *changes) { changes->leader_changed = true; }

void kz_changes_end_turn(struct kz_changes *changes)
{
    if (!changes->leader_changed) return;
    changes->leader_changed = false;
    kz_changes_tick(changes);
}
