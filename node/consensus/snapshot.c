/* SPDX-License-Identifier: Apache-2.0 */
/* The sender. Happy path: offer -> pump sends chunk 0 (metadata), 1, 2 ... within the window -> each acknowledgement
 * makes room -> the last chunk carries the digest -> that is acknowledged once installed: stop.
 *
 * A chunk lost: what is unacknowledged is sent again after a while, at once when the connection broke; the receiver
 * acknowledges again what it has, also after its restart. The receiver knows nothing of the transfer, or is busy
 * installing, or ahead of the snapshot: it refuses, the sender stops, and the core asks anew when it still sees the
 * need. No leader any more, low on space, or the log no longer begins where the snapshot ends: stop. */
#include "node/consensus/snapshot.h"

#define XXH_STATIC_LINKING_ONLY
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "node/base/assert.h"
#include "node/base/failpoint.h"
#include "node/consensus/replica_core.h"

#define REPEAT_HEARTBEATS 10u /* unacknowledged chunks are sent again after so many, twice as many each time ... */
#define REPEAT_DOUBLINGS 5u   /* ... this often: on a slow link they are only late */
#define RETRY_MS 5u           /* the transport did not take it: there is no connection, or it is not drained */
#define CHUNK_MIN_BYTES KZ_EXPORT_ROOM_MIN_BYTES
#define BURST_PER_S 20u /* the rate counts over a 20th of a second */
#define ALLOWANCE_MAX_MS (60u * 60 * 1000)
#define TRANSFER_BITS 16 /* transfers in one term, in the low bits of the number */

static_assert(KZ_TERM_MAX <= UINT64_MAX >> TRANSFER_BITS, "term and counter fit a transfer number");
static_assert(SHA256_DIGEST_SIZE == KZ_HASH_BYTES, "one hash");

struct chunk {
    uint8_t *data; /* owned */
    size_t size_bytes;
    uint64_t sequence;
    uint64_t sent_ms; /* first; 0 = not yet */
    bool last;
};

struct kz_snapshot_out {
    uint64_t transfer;
    void *export; /* owned through io->export_close; NULL once all rows are read */
    struct kz_snapshot_meta meta;
    uint8_t digest[KZ_HASH_BYTES];           /* of the chunks made */
    struct chunk window[KZ_SNAPSHOT_WINDOW]; /* unacknowledged, in order */
    size_t count;
    size_t sent;          /* of those, from the first on, are on their way */
    uint64_t bytes;       /* of the window */
    uint64_t limit_bytes; /* what that may be: grows while acknowledgements come quickly, shrinks when they do not */
    uint64_t base_ms;     /* the quickest acknowledgement: the way there and back, and the receiver's disk */
    uint64_t calm_from;   /* acknowledgements below this sequence tell of a time before the limit shrank */
    bool shrunk;          /* once: then it grows slowly */
    unsigned repeats;     /* since the last acknowledgement */
    uint64_t next;        /* sequence of the next chunk */
    uint64_t sent_ms;     /* the last time anything was sent */
    uint64_t retry_ms;    /* the transport is asked again then; 0 = at once */
    uint64_t progress_ms; /* the last acknowledgement of something new */
};

void kz_snapshot_digest(uint8_t digest[KZ_HASH_BYTES], const uint8_t *data, size_t size_bytes)
{
    struct sha256_ctx context;
    sha256_init(&context);
    sha256_update(&context, KZ_HASH_BYTES, digest);
    if (size_bytes > 0) sha256_update(&context, size_bytes, data);
    sha256_digest(&context, KZ_HASH_BYTES, digest);
}

static uint64_t min_chunk(const struct kz_replica *r)
{
    return r->options.chunk_bytes < CHUNK_MIN_BYTES ? r->options.chunk_bytes : CHUNK_MIN_BYTES;
}

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
    out->limit_bytes = min_chunk(r);
    out->base_ms = UINT64_MAX;
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

void kz_snapshot_peer_lost(struct kz_replica_peer *peer)
{
    if (!peer->snapshot) return;
    peer->snapshot->sent = 0;
    peer->snapshot->repeats = 0;
}

/* ---- the rate: bytes that may go now, for all transfers of this node together ---- */

static void fill_allowance(struct kz_replica *r)
{
    uint64_t now = kz_replica_now(r), rate = r->options.snapshot_rate;
    int64_t burst = (int64_t)(rate / BURST_PER_S + 1);
    uint64_t passed_ms = now - r->allowance_ms;
    uint64_t gained = passed_ms > ALLOWANCE_MAX_MS ? (uint64_t)burst : rate * passed_ms / 1000;
    if (gained == 0) return; /* so that no fraction is lost */
    r->allowance_ms = now;
    r->allowance += (int64_t)gained;
    if (r->allowance > burst) r->allowance = burst;
}

/* 0 = something may go now. */
static uint64_t wait_for_allowance(const struct kz_replica *r)
{
    if (r->options.snapshot_rate == 0 || r->allowance > 0) return 0;
    return (uint64_t)-r->allowance * 1000 / r->options.snapshot_rate + 1;
}

/* ---- chunks ---- */

static bool send_chunk(struct kz_replica *r, const struct kz_replica_peer *peer, const struct chunk *chunk)
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
    return r->io->send_bulk(r->io->data, peer->id, &message);
}

/* The first chunk of the window that is not on its way. */
static void send_next(struct kz_replica *r, const struct kz_replica_peer *peer)
{
    struct kz_snapshot_out *out = peer->snapshot;
    struct chunk *chunk = &out->window[out->sent];
    uint64_t now = kz_replica_now(r);
    if (now < out->retry_ms || wait_for_allowance(r) > 0) return;
    if (chunk->last) KZ_FAILPOINT("snapshot.send_last");
    KZ_FAILPOINT("snapshot.send");
    if (!send_chunk(r, peer, chunk)) {
        out->retry_ms = now + RETRY_MS;
        return;
    }
    KZ_FAILPOINT("snapshot.sent");
    if (chunk->sent_ms == 0) chunk->sent_ms = now;
    r->allowance -= (int64_t)chunk->size_bytes;
    out->sent++;
    out->sent_ms = now;
    out->retry_ms = 0;
}

/* Reads the next rows. The last chunk has none: that the rows have ended is known only after trying. */
static bool make_chunk(struct kz_replica *r, struct kz_snapshot_out *out)
{
    uint64_t room = out->limit_bytes / 2; /* small on a slow link: what is urgent waits behind a whole chunk */
    if (room < min_chunk(r)) room = min_chunk(r);
    if (room > r->options.chunk_bytes) room = r->options.chunk_bytes;
    struct chunk chunk = {.data = kz_must_alloc(1, (size_t)room), .sequence = out->next};
    if (!r->io->export_next(r->io->data, out->export, chunk.data, (size_t)room, &chunk.size_bytes)) {
        free(chunk.data);
        return false;
    }
    kz_snapshot_digest(out->digest, chunk.data, chunk.size_bytes);
    chunk.last = chunk.size_bytes == 0;
    if (chunk.last) close_export(r, out);
    out->next++;
    out->window[out->count++] = chunk;
    out->bytes += chunk.size_bytes;
    return true;
}

static uint64_t repeat_ms(const struct kz_replica *r, const struct kz_snapshot_out *out)
{
    return (REPEAT_HEARTBEATS * (uint64_t)r->options.heartbeat_ms) << out->repeats;
}

/* Nobody waits for it any more, or it could not be gone on from. */
static bool is_useless(const struct kz_replica *r, const struct kz_replica_peer *peer)
{
    const struct kz_snapshot_out *out = peer->snapshot;
    raft_index match;
    return kz_replica_now(r) - out->progress_ms >= r->options.snapshot_keep_ms || out->meta.index < r->log.base_index ||
           raft_match_index((struct raft *)&r->core, peer->id, &match) != 0;
}

static bool wants_chunk(const struct kz_snapshot_out *out)
{
    return out->sent == out->count && out->export && out->count < KZ_SNAPSHOT_WINDOW &&
           (out->count == 0 || out->bytes < out->limit_bytes);
}

void kz_snapshot_pump(struct kz_replica *r, struct kz_replica_peer *peer)
{
    struct kz_snapshot_out *out = peer->snapshot;
    if (!out) return;
    fill_allowance(r);
    if (out->count == 0) out->progress_ms = kz_replica_now(r); /* nothing to wait for: the rate holds us back */
    if (is_useless(r, peer)) {
        kz_snapshot_stop(r, peer);
        return;
    }
    if (wants_chunk(out) && wait_for_allowance(r) == 0 && !make_chunk(r, out)) {
        kz_snapshot_stop(r, peer);
        return;
    }
    if (out->sent == out->count && out->count > 0 && kz_replica_now(r) - out->sent_ms >= repeat_ms(r, out)) {
        out->repeats += out->repeats < REPEAT_DOUBLINGS;
        out->sent = 0;
    }
    if (out->sent < out->count) send_next(r, peer);
}

uint64_t kz_snapshot_deadline(const struct kz_replica *r, const struct kz_replica_peer *peer)
{
    const struct kz_snapshot_out *out = peer->snapshot;
    if (!out) return 0;
    if (out->sent == out->count && !wants_chunk(out)) return out->sent_ms + repeat_ms(r, out);
    uint64_t at = kz_replica_now(r) + 1 + wait_for_allowance(r); /* the next chunk in the next call */
    return at > out->retry_ms ? at : out->retry_ms;
}

/* On one link with heartbeats every byte under way may be one that they wait behind. So what is under way is kept to
 * what the link carries in about a heartbeat beyond the quickest answer seen, as LEDBAT (RFC 6817) does. */
static void adapt(const struct kz_replica *r, struct kz_snapshot_out *out, const struct chunk *chunk)
{
    uint64_t took_ms = kz_replica_now(r) - chunk->sent_ms, heartbeat = r->options.heartbeat_ms;
    uint64_t most = (uint64_t)KZ_SNAPSHOT_WINDOW * r->options.chunk_bytes;
    if (took_ms < out->base_ms) out->base_ms = took_ms;
    uint64_t waited_ms = took_ms - out->base_ms;
    if (waited_ms <= heartbeat / 2) {
        out->limit_bytes += out->shrunk ? chunk->size_bytes * chunk->size_bytes / out->limit_bytes : chunk->size_bytes;
        if (out->limit_bytes > most) out->limit_bytes = most;
    } else if (waited_ms > heartbeat && chunk->sequence >= out->calm_from) {
        out->limit_bytes /= 2;
        if (out->limit_bytes < min_chunk(r)) out->limit_bytes = min_chunk(r);
        out->calm_from = out->next;
        out->shrunk = true;
    }
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
        if (out->window[0].sent_ms != 0) adapt(r, out, &out->window[0]);
        out->bytes -= out->window[0].size_bytes;
        free(out->window[0].data);
        memmove(out->window, out->window + 1, --out->count * sizeof(out->window[0]));
        out->sent -= out->sent > 0;
        out->progress_ms = kz_replica_now(r);
        out->repeats = 0;
        KZ_FAILPOINT("snapshot.acked");
    }
    if (out->export || out->count > 0) return;
    KZ_FAILPOINT("snapshot.end");
    kz_snapshot_stop(r, peer);
}
