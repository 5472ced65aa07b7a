/* SPDX-License-Identifier: Apache-2.0 */
/* Which survivor of a lost majority holds most: raft's own order, an epoch later than another's first. Pure; any
 * thread.
 */
#ifndef KZ_CLIENT_CLI_SURVIVOR_H
#define KZ_CLIENT_CLI_SURVIVOR_H

#include "proto/recover.pb-c.h"

/* What the first difference was, in the order in which it counts. */
enum kz_survivor_reason {
    KZ_SURVIVOR_EPOCH,
    KZ_SURVIVOR_LAST_TERM,
    KZ_SURVIVOR_LAST_INDEX,
    KZ_SURVIVOR_COMMITTED,
    KZ_SURVIVOR_EQUAL,
};

/* > 0: `a` holds more. A higher term of the last entry beats a longer log (Raft 5.4.1): the longer one's extra entries
 * are of a leader that was replaced. */
int kz_survivor_compare(const Kz__Survivor *a, const Kz__Survivor *b, enum kz_survivor_reason *reason);

/* The newest of `count`, which is not 0; of equal ones the one with the lowest node id. Fenced ones come after all
 * others. */
const Kz__Survivor *kz_survivor_newest(Kz__Survivor *const *survivors, size_t count);

/* Why it is the newest: the weakest of the differences to the others; EQUAL when there is no other. */
enum kz_survivor_reason kz_survivor_why(const Kz__Survivor *newest, Kz__Survivor *const *survivors, size_t count);

#endif
