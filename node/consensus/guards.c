/* SPDX-License-Identifier: Apache-2.0 */
#include "node/consensus/guards.h"

static const struct {
    const char *name, *rule;
} table[] = {
#define X(name, rule) {#name, rule},
    KZ_GUARD_TABLE(X)
#undef X
};

const char *kz_guard_name(enum kz_guard_bit bit) { return table[bit].name; }
const char *kz_guard_rule(enum kz_guard_bit bit) { return table[bit].rule; }

static unsigned count_voters(const struct raft_configuration *configuration)
{
    unsigned voters = 0;
    for (unsigned i = 0; i < configuration->n; i++)
        voters += configuration->servers[i].role == RAFT_VOTER;
    return voters;
}

void kz_guard_stale_reply(uint32_t guards, uint64_t answered_term, uint64_t current_term,
                          struct raft_append_entries_result *result)
{
    if (!(guards & KZ_GUARD(STALE_REPLY)) || answered_term >= current_term) return;
    result->last_log_index = 0;
    result->rejected = 0;
}

size_t kz_guard_split_change(uint32_t guards, const bool *is_change, size_t count)
{
    if (!(guards & KZ_GUARD(SPLIT_CHANGE))) return count;
    for (size_t i = 1; i < count; i++)
        if (is_change[i]) return i;
    return count;
}

bool kz_guard_settle(uint32_t guards, const struct raft *core, uint64_t index, uint64_t *settled)
{
    *settled = core->configuration_uncommitted_index;
    return (guards & KZ_GUARD(SPLIT_CHANGE)) && *settled != 0 && *settled < index;
}

void kz_guard_prevote_term(uint32_t guards, uint64_t current_term, struct raft_request_vote_result *result)
{
    if (!(guards & KZ_GUARD(PREVOTE_TERM)) || !result->pre_vote || result->vote_granted) return;
    if (result->term < current_term) result->term = current_term;
}

void kz_guard_stale_reject(uint32_t guards, const struct raft *core, uint64_t from,
                           struct raft_append_entries_result *result)
{
    raft_index match;
    if (!(guards & KZ_GUARD(STALE_REJECT)) || result->rejected == 0 || result->term != raft_current_term(core) ||
        raft_match_index(core, from, &match) != 0)
        return;
    if (result->rejected <= match) {
        result->rejected = 0;
        result->last_log_index = 0;
    } else if (result->last_log_index < match) {
        result->last_log_index = match; /* known to match: never probe below it */
    }
}

bool kz_guard_lone_term(uint32_t guards, const struct raft_configuration *configuration, uint64_t self)
{
    if (!(guards & KZ_GUARD(LONE_TERM)) || count_voters(configuration) != 1) return false;
    for (unsigned i = 0; i < configuration->n; i++)
        if (configuration->servers[i].id == self) return configuration->servers[i].role == RAFT_VOTER;
    return false;
}

bool kz_guard_lone_gate(uint32_t guards, const struct raft_configuration *configuration)
{
    return (guards & KZ_GUARD(LONE_GATE)) && count_voters(configuration) == 1;
}

bool kz_guard_self_remove(uint32_t guards, uint64_t self, uint64_t removed)
{
    return (guards & KZ_GUARD(NO_SELF_REMOVE)) && self == removed;
}

uint64_t kz_guard_timer_clamp(uint32_t guards, uint64_t at_ms, uint64_t now_ms)
{
    if ((guards & KZ_GUARD(TIMER_CLAMP)) && at_ms <= now_ms) return now_ms + 1;
    return at_ms;
}

bool kz_guard_prevote_drop(uint32_t guards, const struct raft *core)
{
    return (guards & KZ_GUARD(PREVOTE_DROP)) && core->state != RAFT_CANDIDATE;
}

uint64_t kz_guard_durable_apply(uint32_t guards, uint64_t commit, uint64_t stored, uint64_t last)
{
    uint64_t limit = (guards & KZ_GUARD(DURABLE_APPLY)) ? stored : last;
    return commit < limit ? commit : limit;
}

bool kz_guard_drop_install(uint32_t guards, bool installing) { return (guards & KZ_GUARD(DROP_INSTALL)) && installing; }

bool kz_guard_ready(uint32_t guards, uint64_t commit, uint64_t lead_start)
{
    return !(guards & KZ_GUARD(READY)) || commit >= lead_start;
}

bool kz_guard_probe(uint32_t guards, size_t answers, size_t voters)
{
    return !(guards & KZ_GUARD(PROBE)) || answers > voters / 2;
}

bool kz_guard_transfer(uint32_t guards, const struct raft *core, uint64_t target, uint64_t last_index)
{
    raft_index match;
    if (!(guards & KZ_GUARD(TRANSFER))) return true;
    return raft_match_index(core, target, &match) == 0 && match == last_index;
}

uint64_t kz_guard_fast_forward(uint32_t guards, uint64_t prev_index, uint64_t applied)
{
    if (!(guards & KZ_GUARD(FAST_FORWARD)) || prev_index >= applied) return 0;
    return applied - prev_index;
}

uint64_t kz_guard_hint(uint32_t guards, uint64_t commit, uint64_t stored, uint64_t last)
{
    if (!(guards & KZ_GUARD(HINT))) return last;
    return commit < stored ? commit : stored;
}

uint64_t kz_guard_gate(uint32_t guards, uint64_t hard_seq) { return (guards & KZ_GUARD(GATE)) ? hard_seq : 0; }

bool kz_guard_settled(uint32_t guards, const struct raft *core)
{
    if (!(guards & KZ_GUARD(SETTLED))) return true;
    for (unsigned i = 0; i < core->configuration.n; i++) {
        const struct raft_server *server = &core->configuration.servers[i];
        raft_index match;
        if (server->role != RAFT_VOTER || server->id == core->id) continue;
        if (raft_match_index(core, server->id, &match) != 0 || match < core->configuration_committed_index)
            return false;
    }
    return true;
}

bool kz_guard_settled_promotee(uint32_t guards, const struct raft *core, uint64_t promotee, uint64_t commit)
{
    raft_index match;
    if (!(guards & KZ_GUARD(SETTLED))) return true;
    return raft_match_index(core, promotee, &match) == 0 && match >= commit;
}

bool kz_guard_same_export(uint32_t guards, bool open) { return !open || (guards & KZ_GUARD(SAME_EXPORT)); }

bool kz_guard_caught_up(uint32_t guards) { return guards & KZ_GUARD(CAUGHT_UP); }

bool kz_guard_one_change(uint32_t guards, const struct raft *core, uint64_t commit, uint64_t lead_start)
{
    if (!(guards & KZ_GUARD(ONE_CHANGE))) return true;
    return core->configuration_uncommitted_index == 0 && commit >= lead_start;
}

bool kz_guard_keep_contact(uint32_t guards, uint64_t now_ms, uint64_t last_ms, uint32_t heartbeat_ms)
{
    return (guards & KZ_GUARD(KEEP_CONTACT)) && (last_ms == 0 || now_ms - last_ms >= heartbeat_ms);
}

struct raft_server *kz_guard_lone_promote(uint32_t guards, struct raft *core, uint64_t candidate)
{
    struct raft_server *own = NULL;
    bool is_voter = false;
    if (!(guards & KZ_GUARD(LONE_PROMOTE)) || count_voters(&core->configuration) != 1) return NULL;
    for (unsigned i = 0; i < core->configuration.n; i++) {
        struct raft_server *server = &core->configuration.servers[i];
        if (server->id == core->id) own = server;
        is_voter |= server->id == candidate && server->role == RAFT_VOTER;
    }
    return is_voter ? own : NULL;
}
