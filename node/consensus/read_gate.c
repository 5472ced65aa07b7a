/* SPDX-License-Identifier: Apache-2.0 */
#include "node/consensus/read_gate.h"

#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/consensus/replica_core.h"

void kz_gate_fini(struct kz_read_gate *gate)
{
    free(gate->reads);
    memset(gate, 0, sizeof(*gate));
}

enum kz_code kz_gate_add(struct kz_read_gate *gate, kz_read_callback callback, void *data)
{
    if (gate->count == KZ_READS_MAX) return KZ_BUSY;
    if (gate->count == gate->room) {
        gate->room = gate->room ? gate->room * 2 : 64;
        gate->reads = kz_must_realloc(gate->reads, gate->room * sizeof(*gate->reads));
    }
    gate->reads[gate->count++] = (struct kz_read){.callback = callback, .data = data};
    return KZ_OK;
}

void kz_gate_reset(struct kz_read_gate *gate)
{
    gate->round = gate->confirmed = 0;
    gate->sent_ms = 0;
    gate->lost_count = gate->count; /* all that wait now; later ones belong to the new term */
}

static void ask(struct kz_replica *r)
{
    const struct raft_configuration *configuration = &r->core.configuration;
    uint64_t term = raft_current_term(&r->core);
    for (unsigned i = 0; i < configuration->n; i++) {
        const struct raft_server *server = &configuration->servers[i];
        const struct kz_replica_peer *peer = kz_replica_peer(r, server->id);
        if (server->role != RAFT_VOTER || server->id == r->options.id || !peer || peer->ack_round >= r->gate.round)
            continue;
        kz_replica_send_probe(r, OUT_PROBE, server->id, term, r->gate.round);
    }
    r->gate.sent_ms = kz_replica_now(r);
}

/* The highest round that a majority of the voters, ourselves included, has answered. */
static void confirm(struct kz_replica *r)
{
    const struct raft_configuration *configuration = &r->core.configuration;
    for (uint64_t round = r->gate.round; round > r->gate.confirmed; round--) {
        size_t answers = 0;
        for (unsigned i = 0; i < configuration->n; i++) {
            const struct raft_server *server = &configuration->servers[i];
            const struct kz_replica_peer *peer = kz_replica_find_peer(r, server->id);
            if (server->role == RAFT_VOTER)
                answers += server->id == r->options.id || (peer && peer->ack_round >= round);
        }
        if (kz_guard_probe(r->options.guards, answers, kz_replica_voters(r))) {
            r->gate.confirmed = round;
            return;
        }
    }
}

static void begin_round(struct kz_replica *r)
{
    struct kz_read_gate *gate = &r->gate;
    gate->round++;
    for (size_t i = gate->lost_count; i < gate->count; i++)
        if (gate->reads[i].round == 0) {
            gate->reads[i].round = gate->round;
            gate->reads[i].index = r->commit;
        }
    ask(r);
    confirm(r); /* a sole voter has its majority at once */
}

/* Reads are kept in order of arrival, so the last one tells whether any waits for a round. */
static bool somebody_waits(const struct kz_read_gate *gate)
{
    return gate->count > gate->lost_count && gate->reads[gate->count - 1].round == 0;
}

void kz_gate_pump(struct kz_replica *r)
{
    struct kz_read_gate *gate = &r->gate;
    if (!kz_replica_is_leader(r) || !kz_replica_is_ready(r)) return;
    /* A few rounds may be under way: a read does not wait for the answers to another one's. */
    if (somebody_waits(gate) && gate->round - gate->confirmed < KZ_ROUNDS_AHEAD)
        begin_round(r);
    else if (gate->round > gate->confirmed && kz_replica_now(r) >= gate->sent_ms + r->options.heartbeat_ms)
        ask(r);
}

uint64_t kz_gate_deadline(const struct kz_replica *r)
{
    return r->gate.round > r->gate.confirmed ? r->gate.sent_ms + r->options.heartbeat_ms : 0;
}

void kz_gate_answered(struct kz_replica *r, struct kz_replica_peer *peer, uint64_t round)
{
    if (round <= peer->ack_round || round > r->gate.round) return;
    peer->ack_round = round;
    confirm(r);
}

bool kz_gate_tell(struct kz_replica *r)
{
    struct kz_read_gate *gate = &r->gate;
    size_t through = gate->lost_count;
    while (through < gate->count && gate->reads[through].round > 0 && gate->reads[through].round <= gate->confirmed)
        through++;
    if (through == 0) return false;
    /* Off the list first: a callback may add the next read. */
    size_t lost = gate->lost_count;
    struct kz_read *told = kz_must_memdup(gate->reads, through * sizeof(*told));
    gate->count -= through;
    gate->lost_count = 0;
    memmove(gate->reads, gate->reads + through, gate->count * sizeof(*gate->reads));
    for (size_t i = 0; i < through; i++)
        told[i].callback(told[i].data, i < lost ? KZ_NOT_LEADER : KZ_OK, i < lost ? 0 : told[i].index);
    free(told);
    return true;
}
