/* SPDX-License-Identifier: Apache-2.0 */
/* The network: real encoded messages, delayed, lost, doubled, reordered, cut one way or both. */
#include <stdlib.h>
#include <string.h>

#include "tests/cluster/sim.h"

#define RECONNECT_US (100 * US_PER_MS)

struct sim_packet {
    uint64_t from, to;
    uint64_t epoch;  /* of the sender, as it said when it connected */
    uint64_t number; /* of the connection; 0: the message asks for no order */
    size_t size_bytes;
    uint8_t bytes[];
};

void sim_net_free(struct sim_packet *packet) { free(packet); }

/* When a packet that leaves now arrives: propagation, then its turn on the link. */
static uint64_t arrival(struct sim *sim, const struct sim_packet *packet, bool bulk)
{
    const struct sim_profile *profile = &sim->profile;
    bool fifo = profile->fifo || packet->number > 0;
    uint64_t delay = sim_between(sim, profile->delay_min_us, profile->delay_max_us);
    uint64_t *free_at = &sim->link_free_us[packet->from][packet->to][bulk];
    uint64_t *last = &sim->link_last_us[packet->from][packet->to][bulk];
    uint64_t sent = sim->now_us;
    if (profile->bytes_per_ms > 0) {
        sent = (*free_at > sent ? *free_at : sent) + packet->size_bytes * US_PER_MS / profile->bytes_per_ms;
        *free_at = sent;
    }
    uint64_t at = sent + delay;
    if (sim->chaos && !fifo && sim_chance(sim, 0.01)) at += sim_below(sim, 3 * US_PER_S);
    if (fifo && at <= *last) at = *last + 1;
    if (fifo) *last = at;
    return at;
}

/* Raft's messages need no order, and the network gives them none. The others rely on TCP's: what was sent on one
 * connection arrives in order, and after something is lost nothing more of it arrives. */
static bool is_ordered(const Kz__PeerMessage *message)
{
    return message->event_offer || message->forward || message->forwarded;
}

static void break_connection(struct sim *sim, uint64_t from, uint64_t to)
{
    sim->link_number[from][to]++;
    sim->link_made_us[from][to] = sim->now_us + RECONNECT_US;
}

void sim_net_break(struct sim *sim, uint64_t id)
{
    for (uint64_t other = 1; other <= SIM_NODES; other++) {
        break_connection(sim, id, other);
        break_connection(sim, other, id);
    }
}

void sim_net_send(struct sim_node *from, uint64_t to, const Kz__PeerMessage *message, bool bulk)
{
    struct sim *sim = from->sim;
    sim->stats.messages++;
    if (to == 0 || to > SIM_NODES || to == from->id)
        sim_fail(sim, "node %llu sends to node %llu", (unsigned long long)from->id, (unsigned long long)to);
    if ((sim->chaos && sim_chance(sim, sim->profile.loss)) || sim->cut[from->id][to]) {
        break_connection(sim, from->id, to);
        return;
    }
    if (is_ordered(message) && sim->now_us < sim->link_made_us[from->id][to]) return;
    size_t size = kz__peer_message__get_packed_size(message);
    if (size > KZ_PEER_FRAME_MAX_BYTES) sim_fail(sim, "a message of %zu bytes exceeds the frame", size);
    struct sim_packet *packet = kz_must_alloc(1, sizeof(*packet) + size);
    packet->from = from->id;
    packet->to = to;
    packet->epoch = from->epoch;
    packet->number = is_ordered(message) ? sim->link_number[from->id][to] + 1 : 0;
    packet->size_bytes = size;
    kz__peer_message__pack(message, packet->bytes);
    uint64_t at = arrival(sim, packet, bulk);
    if (packet->number == 0 && sim->chaos && sim_chance(sim, sim->profile.duplicate))
        sim_post(sim, at + sim_below(sim, US_PER_S / 2),
                 (struct sim_event){
                     .kind = SIM_PACKET, .node = to, .packet = kz_must_memdup(packet, sizeof(*packet) + size)});
    sim_post(sim, at, (struct sim_event){.kind = SIM_PACKET, .node = to, .packet = packet});
}

static void print_message(struct sim *sim, const struct sim_packet *packet, const Kz__PeerMessage *m)
{
    unsigned long long from = packet->from, to = packet->to;
    if (m->append_entries)
        sim_story(sim, "n%llu <- n%llu AppendEntries term %llu after %llu^%llu: %zu, commit %llu", to, from,
                  (unsigned long long)m->append_entries->term, (unsigned long long)m->append_entries->prev_log_index,
                  (unsigned long long)m->append_entries->prev_log_term, m->append_entries->n_entries,
                  (unsigned long long)m->append_entries->leader_commit);
    else if (m->append_entries_result)
        sim_story(sim, "n%llu <- n%llu AppendEntriesResult term %llu rejected %llu last %llu", to, from,
                  (unsigned long long)m->append_entries_result->term,
                  (unsigned long long)m->append_entries_result->rejected,
                  (unsigned long long)m->append_entries_result->last_log_index);
    else if (m->request_vote)
        sim_story(sim, "n%llu <- n%llu RequestVote%s term %llu last %llu^%llu", to, from,
                  m->request_vote->pre_vote ? " (pre)" : "", (unsigned long long)m->request_vote->term,
                  (unsigned long long)m->request_vote->last_log_index,
                  (unsigned long long)m->request_vote->last_log_term);
    else if (m->request_vote_result)
        sim_story(sim, "n%llu <- n%llu vote%s %s term %llu", to, from, m->request_vote_result->pre_vote ? " (pre)" : "",
                  m->request_vote_result->vote_granted ? "granted" : "refused",
                  (unsigned long long)m->request_vote_result->term);
    else if (m->snapshot_chunk)
        sim_story(sim, "n%llu <- n%llu snapshot chunk %llu", to, from, (unsigned long long)m->snapshot_chunk->sequence);
    else if (m->snapshot_ack)
        sim_story(sim, "n%llu <- n%llu snapshot ack %llu%s", to, from, (unsigned long long)m->snapshot_ack->sequence,
                  m->snapshot_ack->refused ? " refused" : "");
    else if (m->timeout_now)
        sim_story(sim, "n%llu <- n%llu TimeoutNow term %llu", to, from, (unsigned long long)m->timeout_now->term);
}

/* Nodes of different epochs refuse each other (transport.c, accept_hello). */
static bool is_fenced(const struct sim_node *node, const struct sim_packet *packet)
{
    uint32_t bad = node->sim->options.bad;
    if (packet->epoch == node->epoch) return false;
    return !(bad & (packet->epoch < node->epoch ? SIM_BAD(FENCE_OLD) : SIM_BAD(FENCE_NEW)));
}

static bool arrives(struct sim *sim, const struct sim_packet *packet)
{
    struct sim_node *node = &sim->nodes[packet->to];
    if (!node->exists || !node->up || sim->cut[packet->from][packet->to]) {
        break_connection(sim, packet->from, packet->to);
        return false;
    }
    if (packet->number > 0 && packet->number != sim->link_number[packet->from][packet->to] + 1) return false;
    bool fenced = is_fenced(node, packet);
    sim->stats.fenced += fenced;
    return !fenced;
}

/* Mutant: an acknowledgement of one who is no member any more is taken for a voter's. */
static uint64_t sender_of(const struct sim_node *node, const struct sim_packet *packet, const Kz__PeerMessage *message)
{
    const struct raft_configuration *configuration = &node->replica->core.configuration;
    uint64_t other = packet->from;
    if (!(node->sim->options.bad & SIM_BAD(REMOVED_COUNTS)) || !message->append_entries_result) return packet->from;
    for (unsigned i = 0; i < configuration->n; i++) {
        if (configuration->servers[i].id == packet->from) return packet->from;
        if (configuration->servers[i].role == RAFT_VOTER && configuration->servers[i].id != node->id)
            other = configuration->servers[i].id;
    }
    return other;
}

void sim_net_deliver(struct sim *sim, const struct sim_packet *packet)
{
    struct sim_node *node = &sim->nodes[packet->to];
    struct kz_err err;
    if (!arrives(sim, packet)) return;
    Kz__PeerMessage *message = kz__peer_message__unpack(NULL, packet->size_bytes, packet->bytes);
    kz_assert(message != NULL);
    if (sim->options.verbose > 1) print_message(sim, packet, message);
    enum kz_code code = KZ_OK;
    if (!sim_notes_hear(node, packet->from, message))
        code = kz_replica_receive(node->replica, sender_of(node, packet, message), message, &err);
    kz__peer_message__free_unpacked(message, NULL);
    if (code != KZ_OK)
        sim_fail(sim, "node %llu refuses a message of node %llu: %s", (unsigned long long)node->id,
                 (unsigned long long)packet->from, err.text);
    sim_node_after_input(node);
}

void sim_net_heal(struct sim *sim) { memset(sim->cut, 0, sizeof(sim->cut)); }

static void cut_halves(struct sim *sim, uint64_t sides, uint64_t bridge)
{
    for (uint64_t i = 1; i <= SIM_NODES; i++)
        for (uint64_t k = 1; k <= SIM_NODES; k++)
            if (i != bridge && k != bridge && ((sides >> i) & 1) != ((sides >> k) & 1)) sim->cut[i][k] = true;
}

/* One node loses what it sends, what it hears, or both; often the leader. */
static void cut_one(struct sim *sim)
{
    const struct sim_node *leader = sim_leader(sim);
    uint64_t victim = sim_pick_node(sim)->id, direction = sim_below(sim, 3);
    if (leader && sim_chance(sim, 0.6)) victim = leader->id;
    for (uint64_t k = 1; k <= SIM_NODES; k++) {
        sim->cut[victim][k] |= direction != 1;
        sim->cut[k][victim] |= direction != 0;
    }
}

void sim_net_cut(struct sim *sim)
{
    static const char *const names[] = {"halves", "one node", "random links", "bridge"};
    uint64_t mode = sim_below(sim, 4);
    sim_net_heal(sim);
    sim->stats.cuts++;
    if (mode == 0) cut_halves(sim, sim_random(sim), 0);
    if (mode == 1) cut_one(sim);
    if (mode == 3) cut_halves(sim, sim_random(sim), sim_pick_node(sim)->id);
    for (uint64_t i = 1; mode == 2 && i <= SIM_NODES; i++)
        for (uint64_t k = 1; k <= SIM_NODES; k++)
            sim->cut[i][k] = sim_chance(sim, 0.3);
    sim_story(sim, "cut: %s", names[mode]);
}
