/* SPDX-License-Identifier: Apache-2.0 */
/* The receiver. Happy path: chunk 0 empties the idle generation, rows go there, each chunk acknowledged once durable;
 * the last one here and everything durable -> InstallSnapshot to the core -> io->install -> durable: acknowledged.
 *
 * A chunk that came twice, or comes too early because others were lost: what is durable is acknowledged again. A
 * restart: `incoming` is what the store holds of an open import (kz_replica_resume_import), and the next chunk of that
 * transfer finds it. A new leader: the old transfer is dropped, his begins with chunk 0. */
#define XXH_STATIC_LINKING_ONLY
#include <string.h>
#include <xxhash.h>

#include "node/base/assert.h"
#include "node/base/failpoint.h"
#include "node/consensus/replica_core.h"

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

/* The rows that came are waste from now on. */
static void drop_rows(struct kz_replica *r)
{
    r->incoming.active = false;
    r->io->import_drop(r->io->data, kz_replica_add_job(r, (struct kz_replica_job){.kind = JOB_IMPORT_DROP}));
}

void kz_snapshot_refuse(struct kz_replica *r)
{
    struct kz_snapshot_in *in = &r->incoming;
    if (!in->active) return;
    drop_rows(r);
    send_ack(r, in->origin.peer, in->origin.transfer, 0, true);
}

void kz_snapshot_review(struct kz_replica *r)
{
    const struct kz_snapshot_in *in = &r->incoming;
    if (!in->active || in->fed) return;
    if (raft_current_term(&r->core) > in->origin.term || r->applied >= in->origin.meta.index) drop_rows(r);
}

void kz_replica_resume_import(struct kz_replica *r, const struct kz_import_origin *origin,
                              const struct kz_import_mark *mark)
{
    struct kz_snapshot_in *in = &r->incoming;
    kz_assert(!r->started && !in->active);
    in->active = true;
    in->origin = *origin;
    in->next = in->stored = mark->next;
    memcpy(in->digest, mark->digest, sizeof(in->digest));
}

static void begin(struct kz_replica *r, uint64_t from, const Kz__SnapshotChunk *chunk)
{
    struct kz_snapshot_in *in = &r->incoming;
    struct kz_snapshot_meta *meta = &in->origin.meta;
    bool anew = kz_guard_same_export(r->options.guards, in->active);
    if (anew) memset(in, 0, sizeof(*in));
    in->active = true;
    in->origin.peer = from;
    in->origin.transfer = chunk->transfer;
    in->origin.term = chunk->term;
    meta->index = chunk->meta->index;
    meta->term = chunk->meta->term;
    meta->chain = chunk->meta->chain;
    meta->configuration_index = chunk->meta->configuration_index;
    meta->configuration_bytes = chunk->meta->configuration.len;
    memcpy(meta->configuration, chunk->meta->configuration.data, chunk->meta->configuration.len);
    if (!anew) return;
    uint64_t seq = kz_replica_add_job(r, (struct kz_replica_job){.kind = JOB_IMPORT_BEGIN});
    r->io->import_begin(r->io->data, seq, &in->origin);
}

/* The rows of the chunk that is next. False: damaged, the transfer ends. */
static bool take(struct kz_replica *r, const Kz__SnapshotChunk *chunk)
{
    struct kz_snapshot_in *in = &r->incoming;
    size_t size = chunk->has_data ? chunk->data.len : 0;
    if (XXH3_64bits(chunk->data.data, size) != chunk->checksum) return false;
    kz_snapshot_digest(in->digest, chunk->data.data, size);
    if (chunk->has_last && chunk->last) {
        bool whole = memcmp(in->digest, chunk->digest.data, sizeof(in->digest)) == 0;
        if (!whole && kz_guard_same_export(r->options.guards, true)) return false;
        in->complete = true;
    }
    in->next++;
    if (size > 0) {
        struct kz_import_mark mark = {.next = in->next};
        memcpy(mark.digest, in->digest, sizeof(mark.digest));
        uint64_t seq = kz_replica_add_job(
            r, (struct kz_replica_job){.kind = JOB_IMPORT, .transfer = chunk->transfer, .sequence = chunk->sequence});
        in->pending++;
        r->io->import_rows(r->io->data, seq, chunk->data.data, size, &mark);
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
    bool ours = in->active && in->origin.peer == from && in->origin.transfer == chunk->transfer &&
                in->origin.term == chunk->term;
    if (!ours && chunk->sequence == 0 && wants_transfer(r, chunk)) {
        begin(r, from, chunk);
        ours = true;
    }
    if (!ours || chunk->term < raft_current_term(&r->core)) {
        send_ack(r, from, chunk->transfer, 0, true);
        return;
    }
    if (chunk->sequence == in->next && !in->complete && !take(r, chunk)) {
        kz_snapshot_refuse(r);
        return;
    }
    kz_snapshot_settle(r); /* acknowledges again what came twice, too */
}

void kz_snapshot_stored(struct kz_replica *r, uint64_t transfer, uint64_t sequence)
{
    struct kz_snapshot_in *in = &r->incoming;
    if (!in->active || in->origin.transfer != transfer || in->pending == 0) return;
    in->pending--;
    in->stored = sequence + 1;
}

static void feed(struct kz_replica *r)
{
    struct kz_snapshot_in *in = &r->incoming;
    const struct kz_snapshot_meta *meta = &in->origin.meta;
    struct raft_message message = {.type = RAFT_INSTALL_SNAPSHOT, .server_id = in->origin.peer};
    struct raft_install_snapshot *install = &message.install_snapshot;
    struct kz_replica_input input = {.answered_term = in->origin.term};
    struct raft_event event = {.type = RAFT_RECEIVE};
    message.server_address = "peer";
    if (kz_guard_drop_install(r->options.guards, r->installing) ||
        (kz_replica_is_leader(r) && in->origin.term == raft_current_term(&r->core)))
        return;
    install->term = in->origin.term;
    install->last_index = meta->index;
    install->last_term = meta->term;
    install->conf_index = meta->configuration_index;
    kz_assert(kz_conf_decode(meta->configuration, meta->configuration_bytes, &install->conf));
    install->data = (struct raft_buffer){.base = raft_malloc(sizeof(uint64_t)), .len = sizeof(uint64_t)};
    kz_assert(install->data.base != NULL);
    event.receive.message = &message; /* the core frees configuration and data */
    in->fed = true;
    kz_replica_step(r, &event, &input);
}

/* The last chunk is acknowledged when it is installed: until then the sender would have to send it again. */
void kz_snapshot_settle(struct kz_replica *r)
{
    struct kz_snapshot_in *in = &r->incoming;
    if (!in->active || in->fed) return;
    if (in->stored > 0) {
        KZ_FAILPOINT("snapshot.ack");
        send_ack(r, in->origin.peer, in->origin.transfer, in->stored - 1, false);
    }
    if (!in->complete || in->pending > 0) return;
    KZ_FAILPOINT("snapshot.complete");
    feed(r);
    if (!r->dead && !r->installing) kz_snapshot_refuse(r); /* the core has no use for it */
}

void kz_snapshot_installed(struct kz_replica *r)
{
    struct kz_snapshot_in *in = &r->incoming;
    if (!in->active || !in->fed) return;
    in->active = false;
    send_ack(r, in->origin.peer, in->origin.transfer, in->next - 1, false);
}
