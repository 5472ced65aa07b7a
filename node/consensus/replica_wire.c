/* SPDX-License-Identifier: Apache-2.0 */
/* Debian builds libraft without its assertions: a value that breaks its contract corrupts silently. So every value
 * from the wire is checked here, before anything is changed. */
#include "node/consensus/replica_core.h"

#define INDEX_MAX KZ_TERM_MAX

static enum kz_code check_term(uint64_t term, const char *what, struct kz_err *err)
{
    if (term == 0 || term > KZ_TERM_MAX)
        return kz_fail(err, KZ_PROTOCOL, "%s of term %llu", what, (unsigned long long)term);
    return KZ_OK;
}

/* A position in a log: index 0 has term 0, others have a term, none above the message's own. */
static enum kz_code check_position(uint64_t index, uint64_t term, uint64_t message_term, const char *what,
                                   struct kz_err *err)
{
    if (index > INDEX_MAX || (index == 0) != (term == 0) || term > message_term)
        return kz_fail(err, KZ_PROTOCOL, "%s names entry %llu of term %llu", what, (unsigned long long)index,
                       (unsigned long long)term);
    return KZ_OK;
}

static enum kz_code check_entry(const Kz__Entry *entry, uint64_t index, uint64_t low, uint64_t high, struct kz_err *err)
{
    unsigned long long at = index;
    size_t size = entry->has_data ? entry->data.len : 0;
    if (entry->term < low || entry->term == 0 || entry->term > high)
        return kz_fail(err, KZ_PROTOCOL, "entry %llu of term %llu", at, (unsigned long long)entry->term);
    if (size > KZ_ENTRY_MAX_BYTES) return kz_fail(err, KZ_PROTOCOL, "entry %llu of %zu bytes", at, size);
    if (index == 1 && entry->type != KZ__ENTRY_TYPE__CHANGE)
        return kz_fail(err, KZ_PROTOCOL, "entry 1 is not a configuration");
    switch (entry->type) {
    case KZ__ENTRY_TYPE__COMMAND:
        return KZ_OK;
    case KZ__ENTRY_TYPE__BARRIER:
        return size == 0 ? KZ_OK : kz_fail(err, KZ_PROTOCOL, "barrier %llu with data", at);
    case KZ__ENTRY_TYPE__CHANGE:
        return kz_conf_check(entry->data.data, size, err);
    default: /* an unknown number from the wire */
        return kz_fail(err, KZ_PROTOCOL, "entry %llu of type %d", at, (int)entry->type);
    }
}

static enum kz_code check_append(const Kz__AppendEntries *append, struct kz_err *err)
{
    enum kz_code code = check_term(append->term, "AppendEntries", err);
    if (code == KZ_OK)
        code = check_position(append->prev_log_index, append->prev_log_term, append->term, "AppendEntries", err);
    if (code != KZ_OK) return code;
    if (append->leader_commit > INDEX_MAX || append->n_entries > KZ_APPEND_MAX_ENTRIES)
        return kz_fail(err, KZ_PROTOCOL, "AppendEntries with %zu entries and commit %llu", append->n_entries,
                       (unsigned long long)append->leader_commit);
    uint64_t low = append->prev_log_term;
    for (size_t i = 0; i < append->n_entries; i++) {
        code = check_entry(append->entries[i], append->prev_log_index + 1 + i, low, append->term, err);
        if (code != KZ_OK) return code;
        low = append->entries[i]->term;
    }
    return KZ_OK;
}

static enum kz_code check_append_result(const Kz__AppendEntriesResult *result, struct kz_err *err)
{
    if (result->rejected > INDEX_MAX || result->last_log_index > INDEX_MAX || result->features > UINT16_MAX ||
        result->capacity > UINT16_MAX)
        return kz_fail(err, KZ_PROTOCOL, "AppendEntriesResult out of range");
    return check_term(result->term, "AppendEntriesResult", err);
}

static enum kz_code check_vote(uint64_t from, const Kz__RequestVote *vote, struct kz_err *err)
{
    enum kz_code code = check_term(vote->term, "RequestVote", err);
    if (code != KZ_OK) return code;
    if (vote->candidate_id != from)
        return kz_fail(err, KZ_PROTOCOL, "RequestVote of %llu for %llu", (unsigned long long)from,
                       (unsigned long long)vote->candidate_id);
    return check_position(vote->last_log_index, vote->last_log_term, vote->term, "RequestVote", err);
}

static enum kz_code check_vote_result(const struct kz_replica *r, const Kz__RequestVoteResult *result,
                                      struct kz_err *err)
{
    if ((result->has_features && result->features > UINT16_MAX) ||
        (result->has_capacity && result->capacity > UINT16_MAX))
        return kz_fail(err, KZ_PROTOCOL, "RequestVoteResult out of range");
    /* Nobody grants a pre-vote for another term than the one we asked for. */
    if (r->started && result->pre_vote && result->vote_granted && result->term > raft_current_term(&r->core) + 1)
        return kz_fail(err, KZ_PROTOCOL, "pre-vote granted for term %llu", (unsigned long long)result->term);
    return check_term(result->term, "RequestVoteResult", err);
}

static enum kz_code check_timeout_now(const Kz__TimeoutNow *now, struct kz_err *err)
{
    enum kz_code code = check_term(now->term, "TimeoutNow", err);
    if (code != KZ_OK) return code;
    return check_position(now->last_log_index, now->last_log_term, now->term, "TimeoutNow", err);
}

static enum kz_code check_meta(const Kz__SnapshotMeta *meta, uint64_t term, struct kz_err *err)
{
    if (meta->index == 0 || meta->configuration_index == 0 || meta->configuration_index > meta->index)
        return kz_fail(err, KZ_PROTOCOL, "snapshot at entry %llu with a configuration of entry %llu",
                       (unsigned long long)meta->index, (unsigned long long)meta->configuration_index);
    enum kz_code code = check_position(meta->index, meta->term, term, "snapshot", err);
    if (code != KZ_OK) return code;
    return kz_conf_check(meta->configuration.data, meta->configuration.len, err);
}

static enum kz_code check_chunk(const Kz__SnapshotChunk *chunk, struct kz_err *err)
{
    size_t size = chunk->has_data ? chunk->data.len : 0;
    enum kz_code code = check_term(chunk->term, "snapshot", err);
    if (code != KZ_OK) return code;
    bool last = chunk->has_last && chunk->last;
    if (size > KZ_CHUNK_MAX_BYTES || !chunk->has_checksum || (chunk->meta != NULL) != (chunk->sequence == 0) ||
        last != chunk->has_digest || (last && chunk->digest.len != KZ_HASH_BYTES) || chunk->sequence > INDEX_MAX)
        return kz_fail(err, KZ_PROTOCOL, "snapshot chunk %llu of %zu bytes is malformed",
                       (unsigned long long)chunk->sequence, size);
    return chunk->meta ? check_meta(chunk->meta, chunk->term, err) : KZ_OK;
}

enum kz_code kz_wire_check(const struct kz_replica *r, uint64_t from, const Kz__PeerMessage *message,
                           struct kz_err *err)
{
    if (from == 0 || from == r->options.id)
        return kz_fail(err, KZ_PROTOCOL, "message from node %llu", (unsigned long long)from);
    if (message->append_entries) return check_append(message->append_entries, err);
    if (message->append_entries_result) return check_append_result(message->append_entries_result, err);
    if (message->request_vote) return check_vote(from, message->request_vote, err);
    if (message->request_vote_result) return check_vote_result(r, message->request_vote_result, err);
    if (message->timeout_now) return check_timeout_now(message->timeout_now, err);
    if (message->snapshot_chunk) return check_chunk(message->snapshot_chunk, err);
    if (message->snapshot_ack) return check_term(message->snapshot_ack->term, "SnapshotAck", err);
    if (message->probe) return check_term(message->probe->term, "Probe", err);
    if (message->probe_result) return check_term(message->probe_result->term, "ProbeResult", err);
    return KZ_OK;
}
