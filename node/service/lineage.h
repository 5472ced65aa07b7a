/* SPDX-License-Identifier: Apache-2.0 */
/* How this cluster's epochs began, and whether it went on without this node (DESIGN §7). The points travel in every
 * Hello, so that a node that was left behind can tell what it shares with those that went on. Does not decide who may
 * recover (recover.h). Loop thread, except the functions on views and messages, which are any thread's. */
#ifndef KZ_SERVICE_LINEAGE_H
#define KZ_SERVICE_LINEAGE_H

#include "node/service/node.h"

#define KZ_LINEAGE_POINTS_MAX 8u     /* kept and told, the latest */
#define KZ_LINEAGE_SAMPLES_NEAR 256u /* every index so far below a point is sampled, ... */
#define KZ_LINEAGE_SAMPLES_MAX 300u  /* ... and further down every second, fourth, eighth one of what is left */

struct kz_lineage;

/* Reads what is kept; sets node->epoch's fence when there is one. */
enum kz_code kz_lineage_open(struct kz_node *node, struct kz_err *err) KZ_MUST_CHECK;
void kz_lineage_free(struct kz_lineage *lineage);

/* Points that go into a Hello; borrowed until the next loop turn. */
void kz_lineage_fill_hello(const struct kz_lineage *lineage, Kz__Hello *hello);
/* A Hello of a node of this cluster. One of a later epoch fences this node, unless it is empty; one of the same epoch
 * may tell points. */
void kz_lineage_heard(struct kz_node *node, const Kz__Hello *hello);

/* Every second: a node that holds nothing yet takes over the epoch of the cluster it joins. */
void kz_lineage_tick(struct kz_node *node);

/* 0: the cluster has not gone on without this node, as far as it knows. */
uint64_t kz_lineage_fenced(const struct kz_lineage *lineage);
const Kz__Fence *kz_lineage_fence(const struct kz_lineage *lineage); /* NULL likewise; borrowed */
const Kz__RecoverPoint *kz_lineage_point(const struct kz_lineage *lineage, uint64_t epoch); /* NULL; borrowed */

/* ---- pure ---- */

/* The point at which `view`'s log would begin a new epoch. The caller's: kz__recover_point__free_unpacked. Texts that
 * are required are empty. */
enum kz_code kz_lineage_make_point(struct kz_view *view, Kz__RecoverPoint **out, struct kz_err *err) KZ_MUST_CHECK;

/* The last index that a log of the epoch before certainly shares with the lineage that went on from `point` (NULL: not
 * known). Everything both know to be committed is shared; above that the chain tells, where `view` still has it.
 * *exact: what comes after it certainly is not shared. */
enum kz_code kz_lineage_common(struct kz_view *view, const Kz__RecoverPoint *point, uint64_t *common, bool *exact,
                               struct kz_err *err) KZ_MUST_CHECK;

/* The key of a point in the node's own table. */
#define KZ_LINEAGE_KEY_BYTES 48
void kz_lineage_key(char key[KZ_LINEAGE_KEY_BYTES], uint64_t epoch);

#endif
