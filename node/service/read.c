/* SPDX-License-Identifier: Apache-2.0 */
#include "node/service/read.h"

#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/service/node.h"
#include "node/service/node_parts.h"
#include "node/service/query.h"

#define ROUND_RESEND_MS 500u
/* Reads and writes share the peers' ticket numbers; the top bit tells them apart. */
#define READ_TICKET_BIT (1ull << 63)

/* One ReadIndex round: those who asked before it began share its answer. */
struct kz_reads {
    struct kz_node *node;            /* borrowed */
    struct kz_request_list gathered; /* for the next round */
    struct kz_request_list asked;    /* in the round under way */
    struct kz_request_list applying; /* wait for applied >= read_index */
    bool under_way;
    uint64_t ticket; /* of the round under way */
    uint64_t begun_ms;
};

/* A round that another node waits for. */
struct foreign_round {
    struct kz_node *node; /* borrowed */
    uint64_t peer_id;
    uint64_t ticket;
};

struct own_round {
    struct kz_reads *reads; /* borrowed: the replica answers all rounds before reads are freed */
    uint64_t ticket;
};

static void begin_round(struct kz_reads *reads);

struct kz_reads *kz_reads_new(struct kz_node *node)
{
    struct kz_reads *reads = kz_must_alloc(1, sizeof *reads);
    reads->node = node;
    reads->ticket = READ_TICKET_BIT;
    TAILQ_INIT(&reads->gathered);
    TAILQ_INIT(&reads->asked);
    TAILQ_INIT(&reads->applying);
    return reads;
}

void kz_reads_free(struct kz_reads *reads) { free(reads); }

static struct kz_request_list *list_of(struct kz_reads *reads, struct kz_request *request)
{
    struct kz_request_list *const lists[] = {&reads->gathered, &reads->asked};
    for (size_t i = 0; i < 2; i++) {
        struct kz_request *each;
        TAILQ_FOREACH(each, lists[i], in_room)
        if (each == request) return lists[i];
    }
    return &reads->applying;
}

static void forget_read(struct kz_request *request)
{
    struct kz_reads *reads = request->room;
    TAILQ_REMOVE(list_of(reads, request), request, in_room);
    request->forget = NULL;
}

static void answer(struct kz_request *request, Kz__ReadMode how)
{
    request->answered = how;
    request->forget = NULL;
    if (how == KZ__READ_MODE__LOCAL && !kz_node_holds_copy(request->node))
        kz_request_fail(request, KZ_FAULT_NEVER_SYNCED, NULL); /* "no records" would be a lie */
    else
        kz_query_answer(request);
}

static void answer_from(struct kz_request_list *list, struct kz_request *request, Kz__ReadMode how)
{
    TAILQ_REMOVE(list, request, in_room);
    answer(request, how);
}

/* An `auto` read gives up waiting when its two seconds are over, or when this node has been without a leader for
 * longer than that already: those two seconds were spent before the read came. */
static bool should_fall_back(const struct kz_reads *reads, const struct kz_request *request, uint64_t now_ms)
{
    if (request->message->mode != KZ__READ_MODE__AUTO) return false;
    return now_ms >= request->fallback_ms || kz_node_without_leader_ms(reads->node) >= KZ_AUTO_READ_TIMEOUT_MS;
}

void kz_reads_submit(struct kz_reads *reads, struct kz_request *request)
{
    uint64_t now_ms = kz_node_now_ms(reads->node);
    if (request->message->mode == KZ__READ_MODE__LOCAL || should_fall_back(reads, request, now_ms)) {
        answer(request, KZ__READ_MODE__LOCAL);
        return;
    }
    request->room = reads;
    request->forget = forget_read;
    TAILQ_INSERT_TAIL(&reads->gathered, request, in_room);
    begin_round(reads);
}

/* ---- rounds ---- */

static void end_round(struct kz_reads *reads, enum kz_code code, uint64_t index)
{
    reads->under_way = false;
    if (code != KZ_OK) { /* asked again by the next tick, or when a leader appears */
        TAILQ_CONCAT(&reads->asked, &reads->gathered, in_room);
        TAILQ_CONCAT(&reads->gathered, &reads->asked, in_room);
        return;
    }
    struct kz_request *request;
    TAILQ_FOREACH(request, &reads->asked, in_room) request->read_index = index;
    TAILQ_CONCAT(&reads->applying, &reads->asked, in_room);
    kz_reads_applied(reads);
    begin_round(reads);
}

static void on_own_round(void *data, enum kz_code code, uint64_t index)
{
    struct own_round *round = data;
    if (round->reads->under_way && round->reads->ticket == round->ticket) end_round(round->reads, code, index);
    free(round);
}

static bool ask_self(struct kz_reads *reads)
{
    struct own_round *round = malloc(sizeof *round);
    if (!round) return false;
    *round = (struct own_round){reads, reads->ticket};
    if (kz_replica_read(reads->node->replica, on_own_round, round) == KZ_OK) return true;
    free(round);
    return false;
}

static bool ask_leader(struct kz_reads *reads)
{
    uint64_t leader = kz_node_leader(reads->node);
    if (leader == 0 || leader == reads->node->id) return false;
    Kz__Forward body = KZ__FORWARD__INIT;
    body.ticket = reads->ticket;
    body.has_read_index = true;
    body.read_index = true;
    Kz__PeerMessage message = KZ__PEER_MESSAGE__INIT;
    message.forward = &body;
    return kz_node_send(reads->node, leader, &message) == KZ_OK;
}

static void begin_round(struct kz_reads *reads)
{
    if (reads->under_way || TAILQ_EMPTY(&reads->gathered)) return;
    reads->ticket = READ_TICKET_BIT | (reads->ticket + 1);
    bool asked = kz_node_is_leader(reads->node) ? ask_self(reads) : ask_leader(reads);
    if (!asked) return;
    reads->under_way = true;
    reads->begun_ms = kz_node_now_ms(reads->node);
    TAILQ_CONCAT(&reads->asked, &reads->gathered, in_room);
}

bool kz_reads_answered(struct kz_reads *reads, const Kz__Forwarded *answered)
{
    if (!(answered->ticket & READ_TICKET_BIT)) return false;
    if (reads->under_way && answered->ticket == reads->ticket)
        end_round(reads, answered->has_read_index ? (enum kz_code)answered->code : KZ_NOT_LEADER, answered->read_index);
    return true;
}

void kz_reads_applied(struct kz_reads *reads)
{
    uint64_t applied = reads->node->applied.index;
    struct kz_request *request = TAILQ_FIRST(&reads->applying);
    while (request) {
        struct kz_request *next = TAILQ_NEXT(request, in_room);
        if (request->read_index <= applied) answer_from(&reads->applying, request, KZ__READ_MODE__LINEARIZABLE);
        request = next;
    }
}

void kz_reads_leader_changed(struct kz_reads *reads)
{
    if (reads->under_way) end_round(reads, KZ_NOT_LEADER, 0);
    begin_round(reads);
}

/* ---- for other nodes ---- */

static void on_foreign_round(void *data, enum kz_code code, uint64_t index)
{
    struct foreign_round *round = data;
    Kz__Forwarded body = KZ__FORWARDED__INIT;
    body.ticket = round->ticket;
    body.code = code;
    body.has_read_index = code == KZ_OK;
    body.read_index = index;
    Kz__PeerMessage message = KZ__PEER_MESSAGE__INIT;
    message.forwarded = &body;
    /* A lost answer is asked for again after ROUND_RESEND_MS. */
    (void)kz_node_send(round->node, round->peer_id, &message);
    free(round);
}

void kz_reads_forwarded_here(struct kz_reads *reads, uint64_t peer_id, const Kz__Forward *forward)
{
    struct foreign_round *round = malloc(sizeof *round);
    if (!round) return; /* asked again */
    *round = (struct foreign_round){reads->node, peer_id, forward->ticket};
    enum kz_code code = kz_replica_read(reads->node->replica, on_foreign_round, round);
    if (code != KZ_OK) on_foreign_round(round, code, 0);
}

/* ---- time ---- */

static void tick_list(struct kz_reads *reads, struct kz_request_list *list, uint64_t now_ms)
{
    struct kz_request *request = TAILQ_FIRST(list);
    while (request) {
        struct kz_request *next = TAILQ_NEXT(request, in_room);
        if (should_fall_back(reads, request, now_ms)) {
            answer_from(list, request, KZ__READ_MODE__LOCAL);
        } else if (now_ms >= request->deadline_ms) {
            TAILQ_REMOVE(list, request, in_room);
            request->forget = NULL;
            kz_request_fail(request, KZ_FAULT_NO_LEADER_READ, NULL);
        }
        request = next;
    }
}

void kz_reads_tick(struct kz_reads *reads)
{
    uint64_t now_ms = kz_node_now_ms(reads->node);
    tick_list(reads, &reads->gathered, now_ms);
    tick_list(reads, &reads->asked, now_ms);
    tick_list(reads, &reads->applying, now_ms);
    if (reads->under_way && now_ms - reads->begun_ms >= ROUND_RESEND_MS) end_round(reads, KZ_TIMED_OUT, 0);
    begin_round(reads);
}
