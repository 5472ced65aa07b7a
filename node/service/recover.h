/* SPDX-License-Identifier: Apache-2.0 */
/* Losing the majority for good (DESIGN §7): a survivor reports what it holds, takes two people's approval, puts its
 * data aside and becomes a cluster of one under the next epoch. Who is newest among survivors is for the client to
 * compare (client/cli/survivor.h); what is decided here is what this node alone can know. Loop thread, but
 * kz_recover_perform: no node runs. */
#ifndef KZ_SERVICE_RECOVER_H
#define KZ_SERVICE_RECOVER_H

#include "node/consensus/replica.h"
#include "node/service/node.h"
#include "node/service/request.h"

#define KZ_RECOVER_TAIL_MAX 200u          /* uncertain commands told */
#define KZ_RECOVER_TAIL_MUTATIONS_MAX 20u /* of each */
#define KZ_RECOVER_DIGEST_BYTES 17u       /* 16 hexadecimal digits */
#define KZ_RECOVER_APPROVERS_MAX 2u
#define KZ_RECOVER_APPROVAL_MS (24 * 3600 * INT64_C(1000)) /* an approval counts so long */
#define KZ_RECOVER_QUIET_TIMEOUTS 5u /* election timeouts without a leader before the majority may be called lost */

/* What is to be done once the node has stopped. */
struct kz_recover_order {
    bool given;
    bool older; /* a newer survivor was known and passed over */
    char digest[KZ_RECOVER_DIGEST_BYTES];
    char archive[64];                   /* its name below the data directory's archive/ */
    char address[KZ_ADDRESS_MAX_BYTES]; /* of this node in the configuration */
    char approvers[KZ_RECOVER_APPROVERS_MAX][KZ_NAME_MAX_BYTES + 1];
    size_t approver_count;
    int64_t time_ms;
};

struct kz_recover;

struct kz_recover *kz_recover_new(struct kz_node *node);
void kz_recover_free(struct kz_recover *recover);
void kz_recover_submit(struct kz_recover *recover, struct kz_request *request);
/* Own notes up to the writer's `seq` are durable. */
void kz_recover_durable(struct kz_recover *recover, uint64_t seq);
/* An archive is being written on a worker: the node may not close yet. */
bool kz_recover_working(const struct kz_recover *recover);
/* When the new epoch has a leader, its first entry says how it began. Every second. */
void kz_recover_tick(struct kz_recover *recover);
const struct kz_recover_order *kz_recover_order(const struct kz_recover *recover);

/* The node has stopped: does what was ordered, if the data still is what was approved. On an error the store is as it
 * was. */
enum kz_code kz_recover_perform(const struct kz_service_config *config, const struct kz_recover_order *order,
                                struct kz_err *err) KZ_MUST_CHECK;

#define KZ_RECOVER_TRACE_KEY "recover.trace" /* own table: the epoch whose beginning is not told to the cluster yet */

/* ---- what a survivor says (recover_report.c) ---- */

/* Everything that can be read from a view. The caller's: kz__survivor__free_unpacked. */
enum kz_code kz_recover_report(const struct kz_service_config *config, struct kz_view *view, bool with_tail,
                               Kz__Survivor **out, struct kz_err *err) KZ_MUST_CHECK;
/* 16 hexadecimal digits over what recovery would keep: the same as long as the log and the epoch are. */
void kz_recover_digest(const Kz__Survivor *survivor, char out[KZ_RECOVER_DIGEST_BYTES]);

#endif
