/* SPDX-License-Identifier: Apache-2.0 */
/* Which data directory each peer was first seen with. A node whose directory was wiped comes back under its old id
 * with another incarnation; it has forgotten its votes and entries and is refused (DESIGN §4, FAULTS row 14).
 * A member's is remembered in this node's own table; that of a node that is to join counts once it is a member.
 * Loop thread. */
#ifndef KZ_SERVICE_INCARNATION_H
#define KZ_SERVICE_INCARNATION_H

#include "node/service/node.h"

struct kz_incarnations;

/* Reads what is remembered. */
enum kz_code kz_incarnations_open(struct kz_node *node, struct kz_err *err) KZ_MUST_CHECK;
void kz_incarnations_free(struct kz_incarnations *incarnations);
/* NOT_REFUSED when the hello's incarnation (of KZ_INCARNATION_BYTES) is the known one, or the first of that node. Else
 * fills `why` (KZ_TRANSPORT_WHY_BYTES). */
Kz__Refusal kz_incarnations_check(struct kz_node *node, const Kz__Hello *hello, char *why);
void kz_incarnations_members_changed(struct kz_node *node);

#endif
