/* SPDX-License-Identifier: Apache-2.0 */
#include "node/service/write.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "node/base/assert.h"
#include "node/base/log.h"
#include "node/service/node.h"
#include "node/service/node_parts.h"

#define RESEND_MS 1000u                                      /* a forwarded write without answer is sent again */
#define LEADER_WAIT_MS 3000u                                 /* longer than an election: then there is no quorum */
#define PENDING_MAX_BYTES (4u * KZ_PROPOSAL_QUEUE_MAX_BYTES) /* commands without an outcome, own and forwarded */
#define BATCH_TIME_FIELD_BYTES 11                            /* tag and varint of Batch.time_ms at most */

/* Another node that waits for the outcome. */
struct asker {
    uint64_t peer_id;
    uint64_t ticket;
    SLIST_ENTRY(asker) link;
};

struct pending {
    uint8_t id[KZ_REQUEST_ID_BYTES];
    uint64_t ticket;  /* ours, when forwarded */
    uint8_t *command; /* owned, packed kz.Command */
    size_t command_bytes;
    uint64_t started_ms;
    uint64_t sent_ms; /* last time it left; 0 = not on its way */
    bool held;        /* from the outbox: kept until it has an outcome */
    bool ever_sent;   /* if it is given up now, its outcome is unknown */
    struct kz_request_list clients;
    SLIST_HEAD(, asker) askers;
    UT_hash_handle by_id;
    UT_hash_handle by_ticket;
};

struct kz_writes {
    struct kz_node *node;    /* borrowed */
    struct pending *ids;     /* owned, hash by request id */
    struct pending *tickets; /* the same elements, hash by ticket */
    uint64_t next_ticket;
    size_t pending_bytes;
    struct kz_buf batch;  /* packed commands waiting for the end of the loop turn */
    uint64_t proposed_ms; /* last proposal: a beacon follows when it is long ago */
    bool refused;         /* the last batch was not taken: its writes must be sent again */
};

struct kz_writes *kz_writes_new(struct kz_node *node)
{
    struct kz_writes *writes = kz_must_alloc(1, sizeof *writes);
    writes->node = node;
    kz_buf_init(&writes->batch, 0);
    return writes;
}

static void free_pending(struct kz_writes *writes, struct pending *pending)
{
    kz_assert(TAILQ_EMPTY(&pending->clients));
    HASH_DELETE(by_id, writes->ids, pending);
    HASH_DELETE(by_ticket, writes->tickets, pending);
    while (!SLIST_EMPTY(&pending->askers)) {
        struct asker *asker = SLIST_FIRST(&pending->askers);
        SLIST_REMOVE_HEAD(&pending->askers, link);
        free(asker);
    }
    writes->pending_bytes -= pending->command_bytes;
    free(pending->command);
    free(pending);
}

void kz_writes_free(struct kz_writes *writes)
{
    if (!writes) return;
    struct pending *pending, *next;
    HASH_ITER(by_id, writes->ids, pending, next) free_pending(writes, pending);
    kz_buf_fini(&writes->batch);
    free(writes);
}

static struct pending *find_pending(struct kz_writes *writes, const uint8_t *id)
{
    struct pending *pending;
    HASH_FIND(by_id, writes->ids, id, KZ_REQUEST_ID_BYTES, pending);
    return pending;
}

/* NULL: too much is pending, or out of memory. */
static struct pending *add_pending(struct kz_writes *writes, const Kz__Command *command)
{
    if (writes->pending_bytes > PENDING_MAX_BYTES) return NULL;
    struct pending *pending = calloc(1, sizeof *pending);
    if (!pending) return NULL;
    pending->command_bytes = kz__command__get_packed_size(command);
    pending->command = malloc(pending->command_bytes);
    if (!pending->command) {
        free(pending);
        return NULL;
    }
    kz__command__pack(command, pending->command);
    memcpy(pending->id, command->request_id.data, KZ_REQUEST_ID_BYTES);
    pending->ticket = ++writes->next_ticket;
    pending->started_ms = kz_node_now_ms(writes->node);
    TAILQ_INIT(&pending->clients);
    HASH_ADD(by_id, writes->ids, id, KZ_REQUEST_ID_BYTES, pending);
    HASH_ADD(by_ticket, writes->tickets, ticket, sizeof pending->ticket, pending);
    writes->pending_bytes += pending->command_bytes;
    return pending;
}

/* ---- on its way ---- */

/* A batch is a kz.Batch; its repeated field `commands` is appended piece by piece (protobuf concatenation). It holds
 * one command, or several up to KZ_BATCH_MAX_BYTES; when raft takes no more now, commands wait in the table. */
static bool add_to_batch(struct kz_writes *writes, const struct pending *pending)
{
    uint8_t head[11];
    size_t used = 0;
    head[used++] = (2 << 3) | 2; /* field 2, length-delimited */
    for (size_t rest = pending->command_bytes; rest || used == 1; rest >>= 7)
        head[used++] = (uint8_t)((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    if (writes->batch.size_bytes + used + pending->command_bytes > KZ_BATCH_MAX_BYTES) kz_writes_flush(writes);
    bool room =
        writes->batch.size_bytes == 0 || writes->batch.size_bytes + used + pending->command_bytes <= KZ_BATCH_MAX_BYTES;
    uint8_t *to = room ? kz_buf_extend(&writes->batch, used + pending->command_bytes) : NULL;
    if (!to) return false;
    memcpy(to, head, used);
    memcpy(to + used, pending->command, pending->command_bytes);
    return true;
}

static bool forward(struct kz_writes *writes, struct pending *pending)
{
    uint64_t leader = kz_node_leader(writes->node);
    if (leader == 0 || leader == writes->node->id) return false;
    Kz__Command *command = kz__command__unpack(NULL, pending->command_bytes, pending->command);
    if (!command) return false;
    Kz__Forward body = KZ__FORWARD__INIT;
    body.ticket = pending->ticket;
    body.command = command;
    Kz__PeerMessage message = KZ__PEER_MESSAGE__INIT;
    message.forward = &body;
    bool sent = kz_node_send(writes->node, leader, &message) == KZ_OK;
    kz__command__free_unpacked(command, NULL);
    return sent;
}

static void send_pending(struct kz_writes *writes, struct pending *pending)
{
    if (pending->sent_ms) return;
    bool sent = kz_node_is_leader(writes->node) ? add_to_batch(writes, pending) : forward(writes, pending);
    if (!sent) return;
    pending->sent_ms = kz_node_now_ms(writes->node);
    pending->ever_sent = true;
}

static enum kz_code propose_batch(struct kz_writes *writes)
{
    Kz__Batch batch = KZ__BATCH__INIT;
    batch.time_ms = kz_node_wall_ms(writes->node);
    uint8_t head[BATCH_TIME_FIELD_BYTES];
    size_t head_bytes = kz__batch__pack(&batch, head);
    struct kz_buf entry;
    kz_buf_init(&entry, 0);
    kz_buf_add(&entry, head, head_bytes);
    kz_buf_add(&entry, writes->batch.data, writes->batch.size_bytes);
    uint64_t index, term; /* answers come by request id: duplicates may be applied at another index */
    enum kz_code code = entry.failed
                            ? KZ_NO_MEMORY
                            : kz_replica_propose(writes->node->replica, entry.data, entry.size_bytes, &index, &term);
    kz_buf_fini(&entry);
    return code;
}

void kz_writes_beacon(struct kz_writes *writes)
{
    kz_writes_flush(writes);
    if (writes->batch.size_bytes == 0 && propose_batch(writes) == KZ_OK)
        writes->proposed_ms = kz_node_now_ms(writes->node);
}

void kz_writes_flush(struct kz_writes *writes)
{
    if (writes->batch.size_bytes == 0) return;
    enum kz_code code = propose_batch(writes);
    if (code == KZ_BUSY || code == KZ_NO_MEMORY) return; /* stays gathered; the next turn or tick tries again */
    kz_buf_clear(&writes->batch);
    writes->proposed_ms = kz_node_now_ms(writes->node);
    if (code != KZ_OK) writes->refused = true; /* not here: a caller may be walking the table */
}

void kz_writes_leader_changed(struct kz_writes *writes)
{
    kz_buf_clear(&writes->batch);
    writes->refused = false;
    struct pending *pending, *next;
    HASH_ITER(by_id, writes->ids, pending, next)
    {
        pending->sent_ms = 0;
        /* The node that asked sends it again to the new leader. */
        bool foreign = TAILQ_EMPTY(&pending->clients) && !pending->held;
        if (foreign && !kz_node_is_leader(writes->node)) free_pending(writes, pending);
    }
    HASH_ITER(by_id, writes->ids, pending, next) send_pending(writes, pending);
}

/* ---- answers ---- */

static enum kz_fault outcome_fault(const Kz__Outcome *outcome)
{
    switch ((enum kz_code)outcome->code) {
    case KZ_CONFLICT:
        return KZ_FAULT_CHANGED;
    case KZ_REFERENCED:
        return KZ_FAULT_REFERRED;
    case KZ_NOT_FOUND:
        return KZ_FAULT_NO_SUCH_RECORD;
    case KZ_UNKNOWN_OUTCOME:
        return KZ_FAULT_ASKED_LATE;
    default:
        return KZ_FAULT_NOT_VALID;
    }
}

static void answer_client(struct kz_request *request, Kz__Outcome *outcome)
{
    if (outcome->code != KZ_OK) {
        kz_request_fail(request, outcome_fault(outcome), outcome);
        return;
    }
    Kz__Response response = KZ__RESPONSE__INIT;
    response.outcome = outcome;
    kz_request_reply(request, &response);
}

static void drop_clients(struct pending *pending, Kz__Outcome *outcome, enum kz_fault fault)
{
    while (!TAILQ_EMPTY(&pending->clients)) {
        struct kz_request *request = TAILQ_FIRST(&pending->clients);
        TAILQ_REMOVE(&pending->clients, request, in_room);
        request->forget = NULL;
        if (outcome)
            answer_client(request, outcome);
        else
            kz_request_fail(request, fault, NULL);
    }
}

static void answer_asker(struct kz_writes *writes, const struct asker *asker, enum kz_code code, Kz__Outcome *outcome)
{
    Kz__Forwarded body = KZ__FORWARDED__INIT;
    body.ticket = asker->ticket;
    body.code = code;
    body.outcome = outcome;
    Kz__PeerMessage message = KZ__PEER_MESSAGE__INIT;
    message.forwarded = &body;
    /* A lost answer is not lost for good: the asker sends the write again, or applies it itself. */
    (void)kz_node_send(writes->node, asker->peer_id, &message);
}

static void finish(struct kz_writes *writes, struct pending *pending, Kz__Outcome *outcome)
{
    struct asker *asker;
    SLIST_FOREACH(asker, &pending->askers, link) answer_asker(writes, asker, KZ_OK, outcome);
    drop_clients(pending, outcome, KZ_FAULT_NOT_CONFIRMED);
    if (pending->held) kz_outbox_settled(writes->node->outbox, pending->id, outcome);
    free_pending(writes, pending);
}

void kz_writes_applied(struct kz_writes *writes, uint64_t index, const uint8_t *request_id, const uint8_t *packed,
                       size_t size_bytes)
{
    struct pending *pending = find_pending(writes, request_id);
    if (!pending) return;
    Kz__Outcome *outcome = kz__outcome__unpack(NULL, size_bytes, packed);
    kz_assert(outcome != NULL);
    outcome->has_index = true;
    outcome->index = index;
    finish(writes, pending, outcome);
    kz__outcome__free_unpacked(outcome, NULL);
}

void kz_writes_answered(struct kz_writes *writes, const Kz__Forwarded *answer)
{
    struct pending *pending;
    HASH_FIND(by_ticket, writes->tickets, &answer->ticket, sizeof answer->ticket, pending);
    if (!pending) return;
    if (answer->code == KZ_OK && answer->outcome)
        finish(writes, pending, answer->outcome);
    else
        pending->sent_ms = 0; /* the tick sends it again, to whoever leads then */
}

/* ---- from clients ---- */

static void forget_client(struct kz_request *request)
{
    struct pending *pending = request->room;
    TAILQ_REMOVE(&pending->clients, request, in_room);
    request->forget = NULL;
    /* The write itself goes on: the client may ask for its outcome by id from any node. */
}

/* What needs no state; what needs state is checked again, with it, while applying. */
static bool check_mutations(struct kz_request *request, const Kz__WriteRequest *write)
{
    struct kz_violations violations = {0};
    for (size_t i = 0; i < write->n_mutations; i++) {
        if (kz_kind_by_number(write->mutations[i]->kind)) continue;
        kz_request_fail(request, KZ_FAULT_BAD_KIND, NULL);
        return false;
    }
    kz_service_check_command(write->reason, write->mutations, write->n_mutations, &violations);
    return !kz_request_refuse(request, &violations);
}

static bool check_write(struct kz_writes *writes, struct kz_request *request, const Kz__WriteRequest *write)
{
    if (write->request_id.len != KZ_REQUEST_ID_BYTES) {
        kz_request_fail(request, KZ_FAULT_REQUEST_ID, NULL);
        return false;
    }
    if (write->n_mutations == 0 || write->n_mutations > KZ_MUTATIONS_MAX) {
        kz_request_fail(request, KZ_FAULT_NO_MUTATIONS, NULL);
        return false;
    }
    if (kz_writer_low_space(writes->node->writer) && kz_node_is_leader(writes->node)) {
        kz_request_fail(request, KZ_FAULT_LOW_SPACE, NULL);
        return false;
    }
    return check_mutations(request, write);
}

/* Trying is done on the loop: it must be short. What a rewind would do can be read off the history by whoever asks. */
static bool is_short(const struct kz_writes *writes, const Kz__Command *command)
{
    const Kz__Mutation *first = command->mutations[0];
    uint64_t rev = writes->node->applied.rev;
    for (size_t i = 0; i < command->n_mutations; i++)
        if (command->mutations[i]->has_content) return false; /* all of it would be read */
    return first->op != KZ__MUTATION__OP__REWIND || rev <= first->to_rev || rev - first->to_rev <= KZ_REWIND_TRY_MAX;
}

static void try_only(struct kz_writes *writes, struct kz_request *request, const Kz__Command *command)
{
    struct kz_err err = {0};
    struct kz_view *view;
    Kz__Outcome *outcome;
    if (!is_short(writes, command)) {
        bool rewinds = command->mutations[0]->op == KZ__MUTATION__OP__REWIND;
        kz_request_fail(request, rewinds ? KZ_FAULT_REWIND_FAR : KZ_FAULT_CONTENT_TRY, NULL);
        return;
    }
    if (kz_view_open(writes->node->store, &view, &err) != KZ_OK) {
        kz_log_error("write.try", "error=\"%s\"", err.text);
        kz_request_fail(request, KZ_FAULT_READ_FAILED, NULL);
        return;
    }
    enum kz_code code = kz_view_try(view, command, kz_node_wall_ms(writes->node), &outcome, &err);
    kz_view_close(view);
    if (code != KZ_OK) {
        kz_log_error("write.try", "error=\"%s\"", err.text);
        kz_request_fail(request, KZ_FAULT_READ_FAILED, NULL);
        return;
    }
    answer_client(request, outcome);
    kz__outcome__free_unpacked(outcome, NULL);
}

/* Our own copy's clock stands still or goes slower than the cluster's, never ahead: so a write that lay in a socket
 * while this node was stopped is not taken for a fresh one. A node that far behind sends its clients to others. */
static uint64_t asked_ms(const struct kz_writes *writes, const Kz__WriteRequest *write)
{
    uint64_t now_ms = writes->node->applied.requests_clock_ms, age_ms = write->has_age_ms ? write->age_ms : 0;
    return now_ms > age_ms ? now_ms - age_ms : 0;
}

void kz_writes_submit(struct kz_writes *writes, struct kz_request *request)
{
    Kz__WriteRequest *write = request->message->write;
    if (!check_write(writes, request, write)) return;
    Kz__Command command = KZ__COMMAND__INIT;
    command.request_id = write->request_id;
    command.actor = (char *)(uintptr_t)kz_request_actor(request); /* packed only, never written */
    command.node = writes->node->config->name;
    command.reason = write->reason;
    command.has_retires = write->has_retires;
    command.retires = write->retires;
    command.has_asked_ms = true;
    command.asked_ms = asked_ms(writes, write);
    command.n_mutations = write->n_mutations;
    command.mutations = write->mutations;
    if (write->dry_run) {
        try_only(writes, request, &command);
        return;
    }
    struct pending *pending = find_pending(writes, write->request_id.data);
    if (!pending) pending = add_pending(writes, &command);
    if (!pending) {
        kz_request_fail(request, KZ_FAULT_QUEUE_FULL, NULL);
        return;
    }
    TAILQ_INSERT_TAIL(&pending->clients, request, in_room);
    request->room = pending;
    request->forget = forget_client;
    send_pending(writes, pending);
}

bool kz_writes_hold(struct kz_writes *writes, const Kz__Command *command)
{
    struct pending *pending = find_pending(writes, command->request_id.data);
    if (!pending) pending = add_pending(writes, command);
    if (!pending) return false;
    pending->held = true;
    send_pending(writes, pending);
    return true;
}

/* ---- from other nodes ---- */

static bool forward_valid(const Kz__Forward *forward)
{
    const Kz__Command *command = forward->command;
    if (command->request_id.len != KZ_REQUEST_ID_BYTES || command->n_mutations == 0 ||
        command->n_mutations > KZ_MUTATIONS_MAX)
        return false;
    struct kz_violations violations = {0};
    kz_service_check_command(command->reason, command->mutations, command->n_mutations, &violations);
    bool valid = violations.count == 0;
    kz_violations_fini(&violations);
    return valid;
}

static bool add_asker(struct pending *pending, const struct asker *asker)
{
    struct asker *known;
    SLIST_FOREACH(known, &pending->askers, link)
    if (known->peer_id == asker->peer_id && known->ticket == asker->ticket) return true; /* sent again */
    struct asker *copy = malloc(sizeof *copy);
    if (!copy) return false;
    *copy = *asker;
    SLIST_INSERT_HEAD(&pending->askers, copy, link);
    return true;
}

void kz_writes_forwarded_here(struct kz_writes *writes, uint64_t peer_id, const Kz__Forward *message)
{
    struct asker refused = {.peer_id = peer_id, .ticket = message->ticket};
    if (!kz_node_is_leader(writes->node) || kz_writer_low_space(writes->node->writer)) {
        answer_asker(writes, &refused, KZ_NOT_LEADER, NULL);
        return;
    }
    if (!forward_valid(message)) {
        answer_asker(writes, &refused, KZ_BUSY, NULL);
        return;
    }
    struct pending *pending = find_pending(writes, message->command->request_id.data);
    if (!pending) pending = add_pending(writes, message->command);
    if (!pending || !add_asker(pending, &refused)) {
        answer_asker(writes, &refused, KZ_BUSY, NULL);
        return;
    }
    send_pending(writes, pending);
}

/* ---- time ---- */

static uint64_t earliest_deadline(const struct pending *pending)
{
    const struct kz_request *request;
    uint64_t earliest = UINT64_MAX;
    TAILQ_FOREACH(request, &pending->clients, in_room)
    if (request->deadline_ms < earliest) earliest = request->deadline_ms;
    return earliest;
}

static void tick_pending(struct kz_writes *writes, struct pending *pending, uint64_t now_ms)
{
    /* A node that has been without a leader for that long has waited before the write came. */
    bool waited = now_ms - pending->started_ms >= LEADER_WAIT_MS;
    bool no_leader = !pending->ever_sent && (waited || kz_node_without_leader_ms(writes->node) >= LEADER_WAIT_MS);
    if (no_leader || earliest_deadline(pending) <= now_ms)
        drop_clients(pending, NULL, pending->ever_sent ? KZ_FAULT_NOT_CONFIRMED : KZ_FAULT_NO_LEADER_WRITE);
    if (TAILQ_EMPTY(&pending->clients) && SLIST_EMPTY(&pending->askers) && !pending->held) {
        free_pending(writes, pending);
        return;
    }
    bool stale = pending->sent_ms && now_ms - pending->sent_ms >= RESEND_MS && !kz_node_is_leader(writes->node);
    if (stale) pending->sent_ms = 0;
    send_pending(writes, pending);
}

void kz_writes_tick(struct kz_writes *writes)
{
    uint64_t now_ms = kz_node_now_ms(writes->node);
    if (writes->refused) kz_writes_leader_changed(writes);
    struct pending *pending, *next;
    HASH_ITER(by_id, writes->ids, pending, next) tick_pending(writes, pending, now_ms);
    /* A leader without room has nobody to hand over to. */
    bool due = now_ms - writes->proposed_ms >= KZ_BEACON_INTERVAL_MS && !kz_writer_no_space(writes->node->writer);
    kz_writes_flush(writes);
    if (due && kz_node_is_leader(writes->node)) kz_writes_beacon(writes);
}
