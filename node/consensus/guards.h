/* SPDX-License-Identifier: Apache-2.0 */
/* The rules our driver keeps because libraft 0.22.1's core is not safe or live under every schedule by itself
 * (LIBRARIES, "Guards"; D numbers are its list of defects). Each is one function that does nothing when its bit is
 * off; the simulator switches single bits off and must then find a violation. Internal to consensus and its tests. */
#ifndef KZ_CONSENSUS_GUARDS_H
#define KZ_CONSENSUS_GUARDS_H

#include <raft.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* name, what the driver does (switched off: it does not) */
#define KZ_GUARD_TABLE(X)                                                                                              \
    X(STALE_REPLY, "an answer to a message of an older term names no log index")                                       \
    X(SPLIT_CHANGE, "a membership change is the first entry of what the core is given, the one before it settled")     \
    X(PREVOTE_TERM, "a refused pre-vote answers with our own higher term")                                             \
    X(STALE_REJECT, "a rejection at or below the known match is neutralised")                                          \
    X(LONE_TERM, "a sole voter makes term + 1 durable before it starts")                                               \
    X(NO_SELF_REMOVE, "a leader never removes or demotes itself")                                                      \
    X(TIMER_CLAMP, "a timer is never armed less than one tick away")                                                   \
    X(PREVOTE_DROP, "vote results are dropped unless we are a candidate")                                              \
    X(DURABLE_APPLY, "only what is committed and durable here is applied")                                             \
    X(DROP_INSTALL, "no snapshot is given to the core while one is being installed")                                   \
    X(READY, "no linearizable read before an entry of the leader's term is committed")                                 \
    X(LONE_GATE, "a sole voter sends no entry that is not durable yet")                                                \
    X(TRANSFER, "leadership goes only to a voter that holds the whole log")                                            \
    X(FAST_FORWARD, "entries at or below the applied index are cut from what the core is given")                       \
    X(HINT, "the commit hint never exceeds what is committed and durable")                                             \
    X(GATE, "messages wait until term and vote are durable")                                                           \
    X(SETTLED, "a membership change waits until every voter holds the one before")                                     \
    X(LONE_PROMOTE, "a stand-by votes for the only voter it knows")                                                    \
    X(KEEP_CONTACT, "a follower that is being sent a snapshot gets heartbeats")                                        \
    X(DURABLE_ACK, "entries are acknowledged and counted only when durable here")                                      \
    X(PROBE, "a read index is given out only after a majority answered a later probe")                                 \
    X(ONE_CHANGE, "a membership change waits until the one before it is committed")                                    \
    X(CAUGHT_UP, "a stand-by is promoted only when it holds what is committed")                                        \
    X(SAME_EXPORT, "rows of one snapshot are never gone on with by those of another")

enum kz_guard_bit {
#define X(name, rule) KZ_GUARD_BIT_##name,
    KZ_GUARD_TABLE(X)
#undef X
        KZ_GUARD_COUNT
};
#define KZ_GUARD(name) (UINT32_C(1) << KZ_GUARD_BIT_##name)

const char *kz_guard_name(enum kz_guard_bit bit);
const char *kz_guard_rule(enum kz_guard_bit bit);

/* D1: the core leaves last_log_index of its answer to an old message uninitialised and stamps it with the current
 * term: a leader re-elected meanwhile counts garbage as an acknowledgement. `answered_term`: of that message. */
void kz_guard_stale_reply(uint32_t guards, uint64_t answered_term, uint64_t current_term,
                          struct raft_append_entries_result *result);

/* D4: configuration_uncommitted_index names the first entry of a message, whichever entry the change is. Returns how
 * many of `count` entries (types in `is_change`) may be given to the core at once. */
size_t kz_guard_split_change(uint32_t guards, const bool *is_change, size_t count);
/* The rest of it: a leader appends a change only when the one before is committed, so when a second arrives on a
 * matching log the first is: true = tell the core that *settled is, before giving it entry `index`. */
bool kz_guard_settle(uint32_t guards, const struct raft *core, uint64_t index, uint64_t *settled);

/* D6: a refused pre-vote echoes the candidate's term, so a candidate behind us never learns ours, and two of three
 * live nodes may refuse each other for ever. */
void kz_guard_prevote_term(uint32_t guards, uint64_t current_term, struct raft_request_vote_result *result);

/* D7: a late rejection sets next <= match and starves that follower. */
void kz_guard_stale_reject(uint32_t guards, const struct raft *core, uint64_t from,
                           struct raft_append_entries_result *result);

/* D3: a sole voter elects itself at start without raising the term: after a crash that lost its tail it would write
 * other entries at the same (index, term). */
bool kz_guard_lone_term(uint32_t guards, const struct raft_configuration *configuration, uint64_t self);
/* The same for entries another node got from it before the crash. */
bool kz_guard_lone_gate(uint32_t guards, const struct raft_configuration *configuration);

/* D3 again: who remains as the only voter elects himself in the term the leaving leader still reigns in. */
bool kz_guard_self_remove(uint32_t guards, uint64_t self, uint64_t removed); /* true = refuse */

/* The core's timeout may lie in the past for ever (D11): a busy loop. */
uint64_t kz_guard_timer_clamp(uint32_t guards, uint64_t at_ms, uint64_t now_ms);

/* D12: outside the candidate state the core reads the wrong member of a union. True = drop. */
bool kz_guard_prevote_drop(uint32_t guards, const struct raft *core);

/* An entry applied but not durable could be gone after a crash while its effect is not. */
uint64_t kz_guard_durable_apply(uint32_t guards, uint64_t commit, uint64_t stored, uint64_t last);

/* The core has one install at a time; it leaks a second one. True = drop. */
bool kz_guard_drop_install(uint32_t guards, bool installing);

/* Raft 8: until a leader committed an entry of its term it does not know what is committed. */
bool kz_guard_ready(uint32_t guards, uint64_t commit, uint64_t lead_start);
/* Raft 8: a deposed leader does not know that it is. `answers` of `voters` confirmed, ourselves included. */
bool kz_guard_probe(uint32_t guards, size_t answers, size_t voters);

/* The target elects itself at once; with an incomplete log it loses and nobody leads. */
bool kz_guard_transfer(uint32_t guards, const struct raft *core, uint64_t target, uint64_t last_index);

/* D2: an AppendEntries anchored below a compacted log makes the core append old entries anew and read past its
 * array. Everything applied is committed, hence identical: returns how many entries to skip, 0 = as it is. */
uint64_t kz_guard_fast_forward(uint32_t guards, uint64_t prev_index, uint64_t applied);

/* Every opening of the state is another snapshot, though index and rows may look alike: a transfer is gone on with only
 * under its own number, and its digest is over all of its rows. True = drop what came and begin anew. */
bool kz_guard_same_export(uint32_t guards, bool open);

/* A node restarted without quorum applies up to the hint. */
uint64_t kz_guard_hint(uint32_t guards, uint64_t commit, uint64_t stored, uint64_t last);

/* Raft figure 3.1: a vote not durable when it leaves may be given twice. Returns the seq a message waits for. */
uint64_t kz_guard_gate(uint32_t guards, uint64_t hard_seq);

/* D8: a server that has not received its own promotion denies votes. False = wait. */
bool kz_guard_settled(uint32_t guards, const struct raft *core);
bool kz_guard_settled_promotee(uint32_t guards, const struct raft *core, uint64_t promotee, uint64_t commit);
/* A voter that holds less than what is committed counts for a majority it cannot be part of yet: writes wait for it.
 * True = catch up first. */
bool kz_guard_caught_up(uint32_t guards);
/* Majorities of configurations two changes apart need not overlap (Raft 4.1); and before an entry of its own term is
 * committed a leader does not know which change is the last (raft-dev, "bug in single-server membership changes"). */
bool kz_guard_one_change(uint32_t guards, const struct raft *core, uint64_t commit, uint64_t lead_start);

/* Instead of heartbeats the core sends InstallSnapshot, again and again, to who needs one, and counts on its answer for
 * the contact with a majority. Ours is one long transfer: a leader that needs this follower for its majority would step
 * down in the middle of it. True = send a heartbeat now: not at every rejection, which would be as fast as the link. */
bool kz_guard_keep_contact(uint32_t guards, uint64_t now_ms, uint64_t last_ms, uint32_t heartbeat_ms);

/* D8 once more, where SETTLED cannot help: a sole voter that promoted its first stand-by and crashed before sending
 * the change needs the vote of one who does not know that he has it. A vote is counted only by a candidate whose
 * configuration names the voter, so casting it is safe. Returns our entry, to be treated as a voter's for this one
 * message; NULL = nothing special. */
struct raft_server *kz_guard_lone_promote(uint32_t guards, struct raft *core, uint64_t candidate);

#endif
