/* SPDX-License-Identifier: Apache-2.0 */
/* Membership and the transfer of leadership. A new configuration is always the current one, in the same order, with
 * one server changed: the core rebuilds its table of followers only when their number changes (D5). */
#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/consensus/replica_core.h"

static const struct raft_server *find_server(const struct kz_replica *r, uint64_t id)
{
    for (unsigned i = 0; i < r->core.configuration.n; i++)
        if (r->core.configuration.servers[i].id == id) return &r->core.configuration.servers[i];
    return NULL;
}

static enum kz_code check_request(const struct kz_replica *r, enum kz_change change, uint64_t id, const char *address,
                                  struct kz_err *err)
{
    const struct raft_server *server = find_server(r, id);
    unsigned long long node = id;
    if (change == KZ_CHANGE_ADD) {
        if (server) return kz_fail(err, KZ_INVALID, "node %llu is a member already", node);
        if (r->core.configuration.n >= KZ_NODES_MAX)
            return kz_fail(err, KZ_INVALID, "a cluster has at most %u members", KZ_NODES_MAX);
        if (id == 0 || !address || address[0] == '\0' || strlen(address) >= KZ_ADDRESS_MAX_BYTES)
            return kz_fail(err, KZ_INVALID, "node %llu needs an address under %u bytes", node, KZ_ADDRESS_MAX_BYTES);
        return KZ_OK;
    }
    if (!server) return kz_fail(err, KZ_INVALID, "node %llu is not a member", node);
    bool voter = server->role == RAFT_VOTER;
    if (change == KZ_CHANGE_PROMOTE)
        return voter ? kz_fail(err, KZ_INVALID, "node %llu is a voter already", node) : KZ_OK;
    if (change == KZ_CHANGE_DEMOTE && !voter) return kz_fail(err, KZ_INVALID, "node %llu is no voter", node);
    if (voter && kz_replica_voters(r) == 1) return kz_fail(err, KZ_INVALID, "node %llu is the last voter", node);
    if (kz_guard_self_remove(r->options.guards, r->options.id, id))
        return kz_fail(err, KZ_INVALID, "the leader does not remove or demote itself: transfer leadership first");
    return KZ_OK;
}

/* One change at a time, and none before the one before it has settled. */
static enum kz_code check_calm(const struct kz_replica *r, struct kz_err *err)
{
    if (!kz_replica_is_leader(r) || raft_transferee(&r->core) != 0 || r->transfer_target != 0)
        return kz_fail(err, KZ_NOT_LEADER, "not the leader");
    if (!kz_guard_one_change(r->options.guards, &r->core, r->commit, r->lead_start))
        return kz_fail(err, KZ_BUSY, "an earlier change is not committed yet");
    if (!kz_guard_settled(r->options.guards, &r->core))
        return kz_fail(err, KZ_BUSY, "not every voter holds the earlier change yet");
    return KZ_OK;
}

static enum kz_code catch_up(struct kz_replica *r, uint64_t id, struct kz_err *err)
{
    int status = RAFT_CATCH_UP_NONE;
    if (raft_catch_up(&r->core, id, &status) == 0 && status == RAFT_CATCH_UP_FINISHED &&
        r->core.leader_state.promotee_id == 0 && kz_guard_settled_promotee(r->options.guards, &r->core, id, r->commit))
        return KZ_OK;
    if (status != RAFT_CATCH_UP_RUNNING && r->core.leader_state.promotee_id == 0) {
        struct raft_event event = {.type = RAFT_CATCH_UP};
        event.catch_up.server_id = id;
        kz_replica_step(r, &event, NULL);
    }
    return kz_fail(err, KZ_BUSY, "node %llu is catching up", (unsigned long long)id);
}

static bool add_server(struct raft_configuration *out, const struct raft_server *server, int role)
{
    return raft_configuration_add(out, server->id, server->address, role) == 0;
}

static enum kz_code derive(const struct kz_replica *r, enum kz_change change, uint64_t id, const char *address,
                           struct raft_configuration *out, struct kz_err *err)
{
    const struct raft_configuration *current = &r->core.configuration;
    bool fine = true;
    raft_configuration_init(out);
    for (unsigned i = 0; i < current->n && fine; i++) {
        const struct raft_server *server = &current->servers[i];
        if (server->id != id)
            fine = add_server(out, server, server->role);
        else if (change == KZ_CHANGE_PROMOTE)
            fine = add_server(out, server, RAFT_VOTER);
        else if (change == KZ_CHANGE_DEMOTE)
            fine = add_server(out, server, RAFT_STANDBY);
    }
    if (fine && change == KZ_CHANGE_ADD) fine = raft_configuration_add(out, id, address, RAFT_STANDBY) == 0;
    return fine ? KZ_OK : kz_fail(err, KZ_INVALID, "another member has this address");
}

/* D10: a change is submitted alone. */
static enum kz_code submit_change(struct kz_replica *r, const struct raft_configuration *configuration,
                                  struct kz_err *err)
{
    struct raft_buffer buffer;
    kz_assert(raft_configuration_encode(configuration, &buffer) == 0);
    struct kz_entry entry = {.term = raft_current_term(&r->core),
                             .type = KZ_ENTRY_CHANGE,
                             .data = kz_must_memdup(buffer.base, buffer.len),
                             .size_bytes = buffer.len};
    struct raft_entry named = {.term = entry.term, .type = RAFT_CHANGE, .buf = buffer, .batch = buffer.base};
    struct raft_event event = {.type = RAFT_SUBMIT};
    struct kz_replica_input input = {.entries = &entry, .first_index = r->log.last + 1, .count = 1};
    uint64_t last = r->log.last;
    event.submit.entries = &named;
    event.submit.n = 1;
    enum kz_code code = KZ_OK;
    if (!kz_replica_step(r, &event, &input) && r->log.last == last) {
        raft_free(buffer.base);
        code = kz_fail(err, KZ_BUSY, "the core takes no change now");
    }
    free((void *)entry.data);
    return code;
}

enum kz_code kz_replica_propose_change(struct kz_replica *r, enum kz_change change, uint64_t id, const char *address,
                                       struct kz_err *err)
{
    struct raft_configuration configuration;
    if (!kz_replica_enter(r)) return kz_fail(err, KZ_NOT_LEADER, "not started");
    enum kz_code code = check_calm(r, err);
    if (code == KZ_OK) code = check_request(r, change, id, address, err);
    if (code == KZ_OK && change == KZ_CHANGE_PROMOTE && kz_guard_caught_up(r->options.guards))
        code = catch_up(r, id, err);
    if (code == KZ_OK && r->core.leader_state.promotee_id != 0)
        code = kz_fail(err, KZ_BUSY, "another node is catching up");
    if (code == KZ_OK) {
        code = derive(r, change, id, address, &configuration, err);
        if (code == KZ_OK) code = submit_change(r, &configuration, err);
        raft_configuration_close(&configuration);
    }
    kz_replica_leave(r);
    return code;
}

/* The voter that holds most of the log; 0 = none was heard. */
static uint64_t choose_target(const struct kz_replica *r)
{
    uint64_t best = 0, best_match = 0;
    for (unsigned i = 0; i < r->core.configuration.n; i++) {
        const struct raft_server *server = &r->core.configuration.servers[i];
        raft_index match;
        if (server->role != RAFT_VOTER || server->id == r->options.id ||
            raft_match_index(&r->core, server->id, &match) != 0 || match <= best_match)
            continue;
        best = server->id;
        best_match = match;
    }
    return best;
}

static enum kz_code begin_transfer(struct kz_replica *r, uint64_t target, struct kz_err *err)
{
    if (!kz_replica_is_leader(r)) return kz_fail(err, KZ_NOT_LEADER, "not the leader");
    if (r->transfer_target != 0 || raft_transferee(&r->core) != 0)
        return kz_fail(err, KZ_BUSY, "a transfer is under way");
    if (target == 0 && (target = choose_target(r)) == 0) return kz_fail(err, KZ_BUSY, "no other voter was heard yet");
    const struct raft_server *server = find_server(r, target);
    if (!server || server->role != RAFT_VOTER || target == r->options.id)
        return kz_fail(err, KZ_INVALID, "node %llu is not another voter", (unsigned long long)target);
    r->transfer_target = target;
    r->transfer_until_ms = kz_replica_now(r) + r->options.election_timeout_ms;
    return KZ_OK;
}

/* While the target catches up nothing new is taken in, so that it can; after an election timeout it is given up. */
void kz_replica_pump_transfer(struct kz_replica *r)
{
    uint64_t target = r->transfer_target;
    const struct raft_server *server = target != 0 ? find_server(r, target) : NULL;
    if (target == 0) return;
    if (!kz_replica_is_leader(r) || !server || server->role != RAFT_VOTER ||
        kz_replica_now(r) >= r->transfer_until_ms) {
        r->transfer_target = 0;
        return;
    }
    if (r->proposal_count > 0 || !kz_guard_transfer(r->options.guards, &r->core, target, r->log.last)) return;
    struct raft_event event = {.type = RAFT_TRANSFER};
    event.transfer.server_id = target;
    r->transfer_target = 0;
    kz_replica_step(r, &event, NULL); /* a refusal changes nothing: leadership stays */
}

enum kz_code kz_replica_transfer(struct kz_replica *r, uint64_t target, struct kz_err *err)
{
    if (!kz_replica_enter(r)) return kz_fail(err, KZ_NOT_LEADER, "not started");
    enum kz_code code = begin_transfer(r, target, err);
    kz_replica_leave(r);
    return code;
}
