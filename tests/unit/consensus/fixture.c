/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/consensus/fixture.h"

#include <stdio.h>

#include "node/base/assert.h"
#include "node/store/chain.h"

#define START_MS 1000u

static uint64_t now_ms(void *data) { return ((struct fixture *)data)->now_ms; }

static void put_hard(void *data, uint64_t seq, uint64_t term, uint64_t voted_for)
{
    struct fixture *f = data;
    f->seq = seq;
    kz_buf_addf(&f->story, "store term %llu vote %llu\n", (unsigned long long)term, (unsigned long long)voted_for);
}

static void append(void *data, uint64_t seq, uint64_t index, const struct kz_entry *entries, size_t count)
{
    struct fixture *f = data;
    f->seq = seq;
    kz_buf_addf(&f->story, "store entries %llu..%llu\n", (unsigned long long)index,
                (unsigned long long)(index + count - 1));
    for (size_t i = 0; i < count; i++) {
        assert_true(index + i < FIXTURE_LOG_MAX);
        free((void *)(uintptr_t)f->log[index + i].entry.data);
        f->log[index + i].entry = entries[i];
        f->log[index + i].entry.data =
            entries[i].size_bytes ? kz_must_memdup(entries[i].data, entries[i].size_bytes) : NULL;
        f->log[index + i].chain = kz_chain_next(f->log[index + i - 1].chain, entries[i].term, (int)entries[i].type,
                                                entries[i].data, entries[i].size_bytes);
    }
}

static void apply(void *data, uint64_t seq, uint64_t upto, uint64_t commit_hint)
{
    struct fixture *f = data;
    f->seq = seq;
    kz_buf_addf(&f->story, "apply to %llu hint %llu\n", (unsigned long long)upto, (unsigned long long)commit_hint);
}

static void compact(void *data, uint64_t seq, uint64_t upto)
{
    struct fixture *f = data;
    f->seq = seq;
    kz_buf_addf(&f->story, "compact to %llu\n", (unsigned long long)upto);
}

static void import_begin(void *data, uint64_t seq, const struct kz_import_origin *origin)
{
    struct fixture *f = data;
    f->seq = seq;
    f->origin = *origin;
    f->mark = (struct kz_import_mark){.next = 0};
    f->import_open = true;
    kz_buf_clear(&f->imported);
    kz_buf_add_text(&f->story, "import begins\n");
}

static void import_rows(void *data, uint64_t seq, const uint8_t *rows, size_t size_bytes,
                        const struct kz_import_mark *mark)
{
    struct fixture *f = data;
    f->mark = *mark;
    f->seq = f->import_seq = seq;
    kz_buf_add(&f->imported, rows, size_bytes);
    kz_buf_addf(&f->story, "import %zu bytes\n", size_bytes);
}

static void import_drop(void *data, uint64_t seq)
{
    struct fixture *f = data;
    f->seq = seq;
    f->import_open = false;
    kz_buf_add_text(&f->story, "import is dropped\n");
}

static void install(void *data, uint64_t seq, const struct kz_snapshot_meta *meta)
{
    struct fixture *f = data;
    f->seq = seq;
    f->installed = *meta;
    f->import_open = false;
    kz_buf_addf(&f->story, "install %llu\n", (unsigned long long)meta->index);
}

static bool read_entry(void *data, uint64_t index, struct kz_entry *entry, uint64_t *chain)
{
    struct fixture *f = data;
    if (index >= FIXTURE_LOG_MAX || f->log[index].entry.term == 0) return false;
    *entry = f->log[index].entry;
    *chain = f->log[index].chain;
    return true;
}

static void *export_open(void *data, struct kz_snapshot_meta *meta)
{
    struct fixture *f = data;
    const struct kz_replica *r = f->replica;
    assert_false(f->export_open);
    f->export_open = true;
    f->exported = 0;
    *meta = (struct kz_snapshot_meta){.index = r->applied,
                                      .term = r->applied_term,
                                      .chain = f->log[r->applied].chain,
                                      .configuration_index = r->conf_index,
                                      .configuration_bytes = r->conf_bytes};
    memcpy(meta->configuration, r->conf, r->conf_bytes);
    kz_buf_add_text(&f->story, "export opens\n");
    return f;
}

static bool export_next(void *data, void *export, uint8_t *out, size_t room, size_t *size_bytes)
{
    struct fixture *f = data;
    size_t left = f->rows.size_bytes - f->exported;
    (void)export;
    *size_bytes = left < room ? left : room;
    if (*size_bytes > 0) memcpy(out, f->rows.data + f->exported, *size_bytes);
    f->exported += *size_bytes;
    return true;
}

static void export_close(void *data, void *export)
{
    struct fixture *f = data;
    (void)export;
    assert_true(f->export_open);
    f->export_open = false;
}

static void tell_message(struct fixture *f, uint64_t to, const Kz__PeerMessage *m)
{
    unsigned long long peer = to;
    kz_buf_addf(&f->story, "send %llu ", peer);
    if (m->append_entries)
        kz_buf_addf(&f->story, "AppendEntries term %llu after %llu^%llu count %zu commit %llu",
                    (unsigned long long)m->append_entries->term, (unsigned long long)m->append_entries->prev_log_index,
                    (unsigned long long)m->append_entries->prev_log_term, m->append_entries->n_entries,
                    (unsigned long long)m->append_entries->leader_commit);
    if (m->append_entries_result)
        kz_buf_addf(&f->story, "AppendEntriesResult term %llu rejected %llu last %llu",
                    (unsigned long long)m->append_entries_result->term,
                    (unsigned long long)m->append_entries_result->rejected,
                    (unsigned long long)m->append_entries_result->last_log_index);
    if (m->request_vote)
        kz_buf_addf(&f->story, "RequestVote%s term %llu last %llu^%llu", m->request_vote->pre_vote ? " pre" : "",
                    (unsigned long long)m->request_vote->term, (unsigned long long)m->request_vote->last_log_index,
                    (unsigned long long)m->request_vote->last_log_term);
    if (m->request_vote_result)
        kz_buf_addf(&f->story, "vote%s %s term %llu", m->request_vote_result->pre_vote ? " pre" : "",
                    m->request_vote_result->vote_granted ? "granted" : "refused",
                    (unsigned long long)m->request_vote_result->term);
    if (m->timeout_now) kz_buf_addf(&f->story, "TimeoutNow term %llu", (unsigned long long)m->timeout_now->term);
    if (m->probe) kz_buf_addf(&f->story, "Probe round %llu", (unsigned long long)m->probe->round);
    if (m->probe_result) kz_buf_addf(&f->story, "ProbeResult round %llu", (unsigned long long)m->probe_result->round);
    if (m->snapshot_chunk)
        kz_buf_addf(&f->story, "chunk %llu%s", (unsigned long long)m->snapshot_chunk->sequence,
                    m->snapshot_chunk->last ? " last" : "");
    if (m->snapshot_ack)
        kz_buf_addf(&f->story, "ack %llu%s", (unsigned long long)m->snapshot_ack->sequence,
                    m->snapshot_ack->refused ? " refused" : "");
    kz_buf_add_text(&f->story, "\n");
}

static void send_message(void *data, uint64_t peer, const Kz__PeerMessage *message)
{
    struct fixture *f = data;
    size_t size = kz__peer_message__get_packed_size(message);
    uint8_t *bytes = kz_must_alloc(1, size + 1);
    assert_true(f->sent_count < FIXTURE_MESSAGES_MAX);
    kz__peer_message__pack(message, bytes);
    f->sent[f->sent_count].to = peer;
    f->sent[f->sent_count++].message = kz__peer_message__unpack(NULL, size, bytes);
    free(bytes);
    tell_message(f, peer, message);
}

static bool send_bulk(void *data, uint64_t peer, const Kz__PeerMessage *message)
{
    if (((struct fixture *)data)->unreachable) return false;
    send_message(data, peer, message);
    return true;
}

static void set_timer(void *data, uint64_t at_ms)
{
    struct fixture *f = data;
    assert_true(at_ms > f->now_ms);
    f->timer_ms = at_ms;
}

static void role_changed(void *data, enum kz_raft_role role, uint64_t term, uint64_t leader_id)
{
    struct fixture *f = data;
    kz_buf_addf(&f->story, "role %s term %llu leader %llu\n", kz_raft_role_name(role), (unsigned long long)term,
                (unsigned long long)leader_id);
}

static void applied(void *data, uint64_t index)
{
    struct fixture *f = data;
    kz_buf_addf(&f->story, "applied %llu\n", (unsigned long long)index);
}

static void fatal(void *data, const char *text)
{
    struct fixture *f = data;
    f->dead = true;
    snprintf(f->why, sizeof(f->why), "%s", text);
    kz_buf_add_text(&f->story, "fatal\n");
}

static void add_entry(struct fixture *f, uint64_t term, enum kz_entry_type type, const void *data, size_t size_bytes)
{
    uint64_t index = ++f->hard.last_index;
    assert_true(index < FIXTURE_LOG_MAX);
    f->log[index].entry = (struct kz_entry){term, type, kz_must_memdup(data, size_bytes), size_bytes};
    f->log[index].chain = kz_chain_next(f->log[index - 1].chain, term, (int)type, data, size_bytes);
}

void fixture_init(struct fixture *f, uint64_t id, unsigned voters)
{
    struct kz_member members[KZ_NODES_MAX] = {{0}};
    struct kz_buf entry;
    struct kz_err err;
    memset(f, 0, sizeof(*f));
    kz_buf_init(&f->story, 0);
    kz_buf_init(&f->rows, 0);
    kz_buf_init(&f->imported, 0);
    kz_buf_init(&entry, 0);
    kz_replica_options_default(&f->options);
    f->options.id = id;
    f->options.address = "self:1";
    f->options.seed = 7;
    f->now_ms = START_MS;
    f->hard = (struct kz_hard_state){.term = 1, .first_index = 1};
    for (unsigned i = 0; i < voters; i++) {
        members[i].id = i + 1;
        snprintf(members[i].address, sizeof(members[i].address), "node%u:1", i + 1);
    }
    assert_int_equal(kz_replica_bootstrap_entry(members, voters, &entry, &err), KZ_OK);
    add_entry(f, 1, KZ_ENTRY_CHANGE, entry.data, entry.size_bytes);
    kz_buf_fini(&entry);
    f->io = (struct kz_replica_io){f,          now_ms,       put_hard,     append,       apply,
                                   compact,    import_begin, import_rows,  import_drop,  install,
                                   read_entry, export_open,  export_next,  export_close, send_message,
                                   send_bulk,  set_timer,    role_changed, applied,      fatal};
}

void fixture_log(struct fixture *f, uint64_t term, const char *data)
{
    add_entry(f, term, KZ_ENTRY_COMMAND, data, strlen(data));
    if (f->hard.term < term) f->hard.term = term;
}

void fixture_start(struct fixture *f)
{
    struct kz_err err;
    f->replica = kz_replica_new(&f->options, &f->io);
    assert_int_equal(kz_replica_start(f->replica, &f->hard, &f->applied, &err), KZ_OK);
}

void fixture_forget(struct fixture *f)
{
    kz_buf_clear(&f->story);
    for (size_t i = 0; i < f->sent_count; i++)
        kz__peer_message__free_unpacked(f->sent[i].message, NULL);
    f->sent_count = 0;
}

void fixture_fini(struct fixture *f)
{
    kz_replica_free(f->replica);
    assert_false(f->export_open);
    fixture_forget(f);
    for (size_t i = 0; i < FIXTURE_LOG_MAX; i++)
        free((void *)(uintptr_t)f->log[i].entry.data);
    kz_buf_fini(&f->story);
    kz_buf_fini(&f->rows);
    kz_buf_fini(&f->imported);
}

void fixture_expect(struct fixture *f, const char *story)
{
    assert_string_equal(kz_buf_text(&f->story), story);
    fixture_forget(f);
}

void fixture_store(struct fixture *f)
{
    while (f->replica->seq_durable < f->seq) /* what follows may ask for more */
        kz_replica_stored(f->replica, f->seq);
}

void fixture_wait(struct fixture *f, uint64_t ms) { f->now_ms += ms; }

void fixture_timeout(struct fixture *f)
{
    f->now_ms = f->timer_ms;
    kz_replica_tick(f->replica);
}

enum kz_code fixture_receive(struct fixture *f, uint64_t from, const Kz__PeerMessage *message, struct kz_err *err)
{
    return kz_replica_receive(f->replica, from, message, err);
}

static void receive(struct fixture *f, uint64_t from, const Kz__PeerMessage *message)
{
    struct kz_err err;
    assert_int_equal(fixture_receive(f, from, message, &err), KZ_OK);
}

void fixture_vote_result(struct fixture *f, uint64_t from, uint64_t term, bool granted, bool pre_vote)
{
    Kz__RequestVoteResult result = KZ__REQUEST_VOTE_RESULT__INIT;
    Kz__PeerMessage message = KZ__PEER_MESSAGE__INIT;
    result.term = term;
    result.vote_granted = granted;
    result.pre_vote = pre_vote;
    message.request_vote_result = &result;
    receive(f, from, &message);
}

void fixture_append_result(struct fixture *f, uint64_t from, uint64_t term, uint64_t last)
{
    Kz__AppendEntriesResult result = KZ__APPEND_ENTRIES_RESULT__INIT;
    Kz__PeerMessage message = KZ__PEER_MESSAGE__INIT;
    result.term = term;
    result.last_log_index = last;
    message.append_entries_result = &result;
    receive(f, from, &message);
}

void fixture_append(struct fixture *f, uint64_t from, uint64_t term, uint64_t prev, uint64_t prev_term, unsigned count,
                    uint64_t commit)
{
    Kz__AppendEntries wire = KZ__APPEND_ENTRIES__INIT;
    Kz__PeerMessage message = KZ__PEER_MESSAGE__INIT;
    Kz__Entry entries[16], *list[16];
    uint8_t data = 'x';
    assert_true(count <= 16);
    for (unsigned i = 0; i < count; i++) {
        kz__entry__init(&entries[i]);
        entries[i].term = term;
        entries[i].type = KZ__ENTRY_TYPE__COMMAND;
        entries[i].has_data = true;
        entries[i].data = (ProtobufCBinaryData){1, &data};
        list[i] = &entries[i];
    }
    wire.term = term;
    wire.prev_log_index = prev;
    wire.prev_log_term = prev_term;
    wire.leader_commit = commit;
    wire.n_entries = count;
    wire.entries = list;
    message.append_entries = &wire;
    receive(f, from, &message);
}

void fixture_lead(struct fixture *f, uint64_t voter)
{
    uint64_t term = raft_current_term(&f->replica->core);
    while (raft_state(&f->replica->core) != RAFT_CANDIDATE)
        fixture_timeout(f);
    fixture_vote_result(f, voter, term + 1, true, true);
    fixture_store(f);
    fixture_vote_result(f, voter, term + 1, true, false);
    fixture_store(f);
    fixture_append_result(f, voter, term + 1, f->replica->log.last);
    fixture_store(f);
    fixture_forget(f);
}

const Kz__PeerMessage *fixture_last(struct fixture *f, size_t field_offset)
{
    for (size_t i = f->sent_count; i-- > 0;) {
        const void *field;
        memcpy(&field, (const uint8_t *)f->sent[i].message + field_offset, sizeof(field));
        if (field) return f->sent[i].message;
    }
    fail_msg("no such message was sent");
    return NULL;
}
