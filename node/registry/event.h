/* SPDX-License-Identifier: Apache-2.0 */
/* What makes an event the event it is: its id, and the content that is hashed and compared. Who numbers events, keeps
 * them and hands them on is the node's business, not this file's.
 * What the caller sees to: `noted_at` of one origin never goes back (max of the clock and the last one), so that the
 * order by noted_at is also each origin's own order.
 * Pure: no I/O, clock, random, locale; any thread. */
#ifndef KZ_REGISTRY_EVENT_H
#define KZ_REGISTRY_EVENT_H

#include "node/registry/record.h"

#define KZ_EVENT_HASH_BYTES 32 /* SHA-256 */
#define KZ_ORIGIN_MAX_BYTES 43
#define KZ_SEQ_DIGITS_MAX 20 /* of a uint64 */

static_assert(KZ_ORIGIN_MAX_BYTES + 1 + KZ_SEQ_DIGITS_MAX == KZ_ID_MAX_BYTES, "an event's id is an id");

/* False also for a kind that does not exist. */
bool kz_kind_is_event(Kz__Kind kind);

/* "<origin>.<seq>", e.g. "remote-3fa2.17". False: the origin is no id of at most KZ_ORIGIN_MAX_BYTES, or seq is 0. */
bool kz_event_id(const char *origin, uint64_t seq, char out[KZ_ID_MAX_BYTES + 1]);

/* The bytes of which origin_hash is the SHA-256: canonical encoding of kind, id, what people set, the body, origin,
 * origin_seq, noted_at and noted_by. Not: rev, created, updated, reason, verified, retired, provisional, origin_hash.
 * The same at the node that took the event and after any number of hands. Adds to `out`. */
void kz_event_content(const Kz__Record *event, struct kz_buf *out);
/* The same event, seen twice: equal content. Out of memory ends the process (apply asks this). */
bool kz_event_same(const Kz__Record *a, const Kz__Record *b);

/* Id of the incident an event belongs to (borrowed): what its body names, or itself when it opens one. NULL: none, or
 * not an event. */
const char *kz_event_incident(const Kz__Record *event);
/* An incident event that opens one, not a transition and not a correction. */
bool kz_event_opens(const Kz__Record *event);
/* The event that this one corrects (borrowed); NULL. */
const char *kz_event_corrects(const Kz__Record *event);

#endif
