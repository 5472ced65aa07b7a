/* SPDX-License-Identifier: Apache-2.0 */
/* Events as they are typed: --occurred-at sets the field occurred_at of whatever kind the command appends. Which fields
 * there are, their values and rules stand in the schema; only the few short forms stand here. Asks no node. Pure; any
 * thread. */
#ifndef KZ_CLIENT_CLI_EVENT_RECORD_H
#define KZ_CLIENT_CLI_EVENT_RECORD_H

#include "client/cli/text.h"
#include "node/registry/record.h"

#define KZ_GIVEN_NAME_BYTES 32
#define KZ_EVENT_NEW_ID "new" /* the node that takes the event gives it its id */

/* One field of an event, as it was typed. */
struct kz_given {
    char name[KZ_GIVEN_NAME_BYTES]; /* "occurred_at" */
    const char *value;              /* borrowed; NULL: the next word is the value */
};

/* `flag` without its dashes. False: no field of any event kind is called that. `value` is set for the flags that take
 * none: --confirmed, --muster. */
bool kz_event_flag(const char *flag, size_t length, struct kz_given *out);
/* "--occurred-at" */
void kz_event_add_flag(struct kz_buf *out, const struct kz_field *field);
/* "--confirmed, --unconfirmed": how a field with short forms is given; "" when its own name is the flag. */
const char *kz_event_short_forms(const struct kz_field *field);

/* The record to append, with everything that is wrong in `problems`. A name that is no field of the kind is skipped:
 * who reads the command line refuses it. kz__record__free_unpacked(r, NULL). */
Kz__Record *kz_event_record(const struct kz_kind *kind, const struct kz_given *given, size_t count,
                            struct kz_violations *problems);

#endif
