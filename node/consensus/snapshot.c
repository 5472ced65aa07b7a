/* SPDX-License-Identifier: Apache-2.0 */
/* Happy path: offer -> pump sends chunk 0 (metadata), 1, 2 ... within the window -> each acknowledgement makes room ->
 * the last chunk carries the digest -> all acknowledged: stop. The receiver: chunk 0 empties the idle generation, rows
 * go there, the last one durable -> InstallSnapshot to the core -> io->install -> the core answers the leader.
 *
 * A chunk lost: the sender repeats what is unacknowledged after a while, the receiver acknowledges again what it has.
 * The receiver restarted, or busy installing, or ahead of the snapshot: it refuses, the sender stops, and the core
 * asks anew when it still sees the need. The sender gone: its transfer is replaced by the next leader's. */
#include "node/consensus/snapshot.h"

#define XXH_STATIC_LINKING_ONLY
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "node/base/assert.h"
#include "node/base/failpoint.h"
#include "node/consensus/replica_core.h"

#define REPEAT_HEARTBEATS 10u /* unacknowledged chunks are sent again after so many, twice as many each time ... */
#define REPEAT_DOUBLINGS 5u   /* ... this often: on a slow link they are only late */
#define TRANSFER_BITS 16      /* transfers in one term, in the low bits of the number */

static_assert(KZ_TERM_MAX <= UINT64_MAX >> TRANSFER_BITS, "term and counter fit a transfer number");

/* ---- sender ---- */

struct chunk {
    uint8_t *data; /* owned */
    size_t size_bytes;
    uint64_t sequence;
    uint64_t sent_ms; /* first */
    bool last;
};

struct kz_snapshot_out {
    uint64_t transfer;
    void *export; /* owned through io->export_close; NULL once all rows are read */
    struct kz_snapshot_meta meta;
    struct sha256_ctx sha256;
    uint8_t digest[SHA256_DIGEST_SIZE];
    struct chunk window[KZ_SNAPSHOT_WINDOW]; /* unacknowledged, in order */
    size_t count;
    size_t limit;         /* how many may be: grows while acknowledgements come quickly, shrinks when they do not */
    unsigned repeats;     /* since the last acknowledgement */
    uint64_t next;        /* sequence of the next chunk */
    uint64_t sent_ms;     /* the last time anything was sent */
    uint64_t progress_ms; /* the last acknowledgement of something new */
};

void kz_snapshot_offer(struct kz_replica *r, struct kz_replica_peer *peer)
{
    uint64_t now = kz_replica_now(r);
    if (peer->snapshot || now < peer->snapshot_hold_ms) /* the core asks again at every rejected heartbeat */
        return;
    struct kz_snapshot_out *out = kz_must_alloc(1, sizeof(*out));
    out->export = r->io->export_open(r->io->data, &out->meta);
    if (!out->export) {
        free(out);
        return;
    }
    out->transfer = (raft_current_term(&r->core) << TRANSFER_BITS) | (++r->transfers & ((1u << TRANSFER_BITS) - 1));
    out->progress_ms = out->sent_ms = now;
    out->limit = 1;
    sha256_init(&out->sha256);
    peer->snapshot = out;
    peer->snapshot_index = out->meta.index;
    KZ_FAILPOINT("snapshot.offer");
}

static void close_export(struct kz_replica *r, struct kz_snapshot_out *out)
{
    if (out->export) r->io->export_close(r->io->data, out->export);
    out->export = NULL;
}

void kz_snapshot_stop(struct kz_replica *r, struct kz_replica_peer *peer)
{
    struct kz_snapshot_out *out = peer->snapshot;
    if (!out) return;
    close_export(r, out);
    for (size_t i = 0; i < out->count; i++)
        free(out->window[i].data);
    free(out);
    peer->snapshot = NULL;
    peer->snapshot_hold_ms = kz_replica_now(r) + r->options.election_timeout_ms;
}

static void send_chunk(struct kz_replica *r, const struct kz_replica_peer *peer, const struct chunk *chunk)
{
    struct kz_snapshot_out *out = peer->snapshot;
    Kz__SnapshotChunk wire = KZ__SNAPSHOT_CHUNK__INIT;
    Kz__SnapshotMeta meta = KZ__SNAPSHOT_META__INIT;
    Kz__PeerMessage message = KZ__PEER_MESSAGE__INIT;
    wire.term = raft_current_term(&r->core);
    wire.transfer = out->transfer;
    wire.sequence = chunk->sequence;
    if (chunk->sequence == 0) {
        meta.index = out->meta.index;
        meta.term = out->meta.term;
        meta.chain = out->meta.chain;
        meta.configuration_index = out->meta.configuration_index;
        meta.configuration.data = out->meta.configuration;
        meta.configuration.len = out->meta.configuration_bytes;
        wire.meta = &meta;
    }
    wire.has_data = chunk->size_bytes > 0;
    wire.data.data = chunk->data;
    wire.data.len = chunk->size_bytes;
    wire.has_checksum = true;
    wire.checksum = XXH3_64bits(chunk->data, chunk->size_bytes);
    wire.has_last = wire.last = chunk->last;
    wire.has_digest = chunk->last;
    wire.digest.data = out->digest;
    wire.digest.len = sizeof(out->digest);
    message.snapshot_chunk = &wire;
    out->sent_ms = kz_replica_now(r);
    r->io->send_bulk(r->io->data, peer->id, &message);
    KZ_FAILPOINT("snapshot.sent");
}

/* Reads the next rows. The last chunk has none: that the rows have ended is known only after trying. */
static bool make_chunk(struct kz_replica *r, struct kz_snapshot_out *out)
{
    struct chunk chunk = {
        .data = kz_must_alloc(1, r->options.chunk_bytes), .sequence = out->next, .sent_ms = kz_replica_now(r)};
    if (!r->io->export_next(r->io->data, out->export, chunk.data, r->options.chunk_bytes, &chunk.size_bytes)) {
        free(chunk.data);
        return false;
    }
    sha256_update(&out->sha256, chunk.size_bytes, chunk.data);
    chunk.last = chunk.size_bytes == 0;
    if (chunk.last) {
        sha256_digest(&out->sha256, sizeof(out->digest), out->digest);
        close_export(r, out);
        KZ_FAILPOINT("snapshot.send_last");
    }
    KZ_FAILPOINT("snapshot.send");
    out->next++;
    out->window[out->count++] = chunk;
    return true;
}

static uint64_t repeat_ms(const struct kz_replica *r, const struct kz_snapshot_out *out)
{
    return (REPEAT_HEARTBEATS * (uint64_t)r->options.heartbeat_ms) << out->repeats;
}

void kz_snapshot_pump(struct kz_replica *r, struct kz_replica_peer *peer)
{
    struct kz_snapshot_out *out = peer->snapshot;
    uint64_t now = kz_replica_now(r);
    if (!out) return;
    if (now - out->progress_ms >= r->options.snapshot_timeout_ms) {
        kz_snapshot_stop(r, peer);
    } else if (out->export && out->count < out->limit) {
        if (make_chunk(r, out))
            send_chunk(r, peer, &out->window[out->count - 1]);
        else
            kz_snapshot_stop(r, peer);
    } else if (out->count > 0 && now - out->sent_ms >= repeat_ms(r, out)) {
        out->repeats += out->repeats < REPEAT_DOUBLINGS;
        for (size_t i = 0; i < out->count; i++)
            send_chunk(r, peer, &out->window[i]);
    }
}

uint64_t kz_snapshot_deadline(const struct kz_replica *r, const struct kz_replica_peer *peer)
{
    const struct kz_snapshot_out *out = peer->snapshot;
    if (!out) return 0;
    if (out->export && out->count < out->limit) return kz_replica_now(r) + 1; /* the next chunk in the next call */
    return out->sent_ms + repeat_ms(r, out);
}

static void adapt(const struct kz_replica *r, struct kz_snapshot_out *out, uint64_t took_ms)
{
    if (took_ms <= r->options.heartbeat_ms && out->limit < KZ_SNAPSHOT_WINDOW)
        out->limit++;
    else if (took_ms > 3 * (uint64_t)r->options.heartbeat_ms && out->limit > 1)
        out->limit--;
}

void kz_snapshot_acked(struct kz_replica *r, struct kz_replica_peer *peer, const Kz__SnapshotAck *ack)
{
    struct kz_snapshot_out *out = peer->snapshot;
    if (!out || out->transfer != ack->transfer || !kz_replica_is_leader(r)) return;
    if (ack->has_refused && ack->refused) {
        kz_snapshot_stop(r, peer);
        return;
    }
    while (out->count > 0 && out->window[0].sequence <= ack->sequence) {
        adapt(r, out, kz_replica_now(r) - out->window[0].sent_ms);
        free(out->window[0].data);
        memmove(out->window, out->window + 1, --out->count * sizeof(out->window[0]));
        out->progress_ms = kz_replica_now(r);
        out->repeats = 0;
        KZ_FAILPOINT("snapshot.acked");
    }
    if (out->export || out->count > 0) return;
    KZ_FAILPOINT("snapshot.end");
    kz_snapshot_stop(r, peer);
}

/* ---- receiver ---- */

static void send_ack(struct kz_replica *r, uint64_t peer, uint64_t transfer, uint64_t sequence, bool refused)
{
    Kz__SnapshotAck wire = KZ__SNAPSHOT_ACK__INIT;
    Kz__PeerMessage message = KZ__PEER_MESSAGE__INIT;
    wire.term = raft_current_term(&r->core) > 0 ? raft_current_term(&r->core) : 1;
    wire.transfer = transfer;
    wire.sequence = sequence;
    wire.has_refused = wire.refused = refused;
    message.snapshot_ack = &wire;
    r->io->send(r->io->data, peer, &message);
}

void kz_snapshot_refuse(struct kz_replica *r)
{
    struct kz_snapshot_in *in = &r->incoming;
    if (!in->active) return;
    in->active = false;
    send_ack(r, in->peer, in->transfer, 0, true);
}

static void begin(struct kz_replica *r, uint64_t from, const Kz__SnapshotChunk *chunk)
{
    struct kz_snapshot_in *in = &r->incoming;
    memset(in, 0, sizeof(*in));
    in->active = true;
    in->peer = from;
    in->transfer = chunk->transfer;
    in->meta.index = chunk->meta->index;
    in->meta.term = chunk->meta->term;
    in->meta.chain = chunk->meta->chain;
    in->meta.configuration_index = chunk->meta->configuration_index;
    in->meta.configuration_bytes = chunk->meta->configuration.len;
    memcpy(in->meta.configuration, chunk->meta->configuration.data, chunk->meta->configuration.len);
    sha256_init(&in->digest);
    r->io->import_begin(r->io->data, kz_replica_add_job(r, (struct kz_replica_job){.kind = JOB_IMPORT_BEGIN}));
}

/* The rows of the chunk that is next. False: damaged, the transfer ends. */
static bool take(struct kz_replica *r, const Kz__SnapshotChunk *chunk)
{
    struct kz_snapshot_in *in = &r->incoming;
    size_t size = chunk->has_data ? chunk->data.len : 0;
    uint8_t digest[SHA256_DIGEST_SIZE];
    if (XXH3_64bits(chunk->data.data, size) != chunk->checksum) return false;
    sha256_update(&in->digest, size, chunk->data.data);
    if (chunk->has_last && chunk->last) {
        sha256_digest(&in->digest, sizeof(digest), digest);
        if (memcmp(digest, chunk->digest.data, sizeof(digest)) != 0) return false;
        in->complete = true;
    }
    in->next++;
    if (size > 0) {
        uint64_t seq = kz_replica_add_job(
            r, (struct kz_replica_job){.kind = JOB_IMPORT, .transfer = chunk->transfer, .sequence = chunk->sequence});
        in->pending++;
        r->io->import_rows(r->io->data, seq, chunk->data.data, size);
    }
    return true;
}

static bool wants_transfer(const struct kz_replica *r, const Kz__SnapshotChunk *chunk)
{
    return chunk->term >= raft_current_term(&r->core) && chunk->meta->index > r->applied &&
           !(kz_replica_is_leader(r) && chunk->term == raft_current_term(&r->core)) &&
           !kz_guard_drop_install(r->options.guards, r->installing);
}

void kz_snapshot_chunk(struct kz_replica *r, uint64_t from, const Kz__SnapshotChunk *chunk)
{
    struct kz_snapshot_in *in = &r->incoming;
    KZ_FAILPOINT("snapshot.receive");
    bool ours = in->active && in->peer == from && in->transfer == chunk->transfer;
    if (!ours && chunk->sequence == 0 && wants_transfer(r, chunk)) {
        begin(r, from, chunk);
        ours = true;
    }
    if (!ours || chunk->term < raft_current_term(&r->core)) {
        send_ack(r, from, chunk->transfer, 0, true);
        return;
    }
    in->term = chunk->term;
    if (chunk->sequence == in->next && !take(r, chunk)) {
        kz_snapshot_refuse(r);
        return;
    }
    kz_snapshot_settle(r); /* acknowledges again what came twice, too */
}

void kz_snapshot_stored(struct kz_replica *r, uint64_t transfer, uint64_t sequence)
{
    struct kz_snapshot_in *in = &r->incoming;
    if (!in->active || in->transfer != transfer) return;
    in->pending--;
    in->stored = sequence + 1;
}

static void feed(struct kz_replica *r)
{
    struct kz_snapshot_in *in = &r->incoming;
    struct raft_message message = {.type = RAFT_INSTALL_SNAPSHOT, .server_id = in->peer, .server_address = "peer"};
    struct raft_install_snapshot *install = &message.install_snapshot;
    struct kz_replica_input input = {.answered_term = in->term};
    struct raft_event event = {.type = RAFT_RECEIVE};
    in->active = false;
    if (kz_guard_drop_install(r->options.guards, r->installing) ||
        (kz_replica_is_leader(r) && in->term == raft_current_term(&r->core)))
        return;
    install->term = in->term;
    install->last_index = in->meta.index;
    install->last_term = in->meta.term;
    install->conf_index = in->meta.configuration_index;
    kz_assert(kz_conf_decode(in->meta.configuration, in->meta.configuration_bytes, &install->conf));
    install->data = (struct raft_buffer){.base = raft_malloc(sizeof(uint64_t)), .len = sizeof(uint64_t)};
    kz_assert(install->data.base != NULL);
    event.receive.message = &message; /* the core frees configuration and data */
    kz_replica_step(r, &event, &input);
}

void kz_snapshot_settle(struct kz_replica *r)
{
    struct kz_snapshot_in *in = &r->incoming;
    if (!in->active) return;
    bool all = in->complete && in->pending == 0;
    uint64_t done = all ? in->next : in->stored;
    if (done > 0) {
        KZ_FAILPOINT("snapshot.ack");
        send_ack(r, in->peer, in->transfer, done - 1, false);
    }
    if (!all) return;
    KZ_FAILPOINT("snapshot.complete");
    feed(r);
}
