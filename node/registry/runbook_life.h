/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a runbook's text: DRAFT, REVIEW, APPROVED, RETIRED (G 2.9.1, 2.9.2). Who wrote and who approved is known
 * from certificates: apply puts the user's name into the record, so that every node decides the same.
 *
 * Writing a runbook (PUT) never approves it. What is written as APPROVED waits in REVIEW for an approver; another text
 * under an approval is a new DRAFT with the next version, and `approved_rev` goes on naming the revision whose text is
 * carried out meanwhile. Only a MOVE, which carries no text, approves.
 *
 * Pure: any thread. Texts are borrowed as given and must live as long as the record. */
#ifndef KZ_REGISTRY_RUNBOOK_LIFE_H
#define KZ_REGISTRY_RUNBOOK_LIFE_H

#include "node/registry/record.h"

/* Sets state, version, day of approval and the system's own fields of `record`, which `actor` writes over `before`
 * (NULL: there is none, or it is retired). Other kinds are left alone. */
void kz_runbook_settle(const Kz__Record *before, Kz__Record *record, const char *actor);

/* `record` is a copy of what is stored, its body a copy too: sets the state, and what belongs to it. `today`:
 * YYYY-MM-DD. Whether the step is allowed says kz_record_check_change. */
void kz_runbook_move(Kz__Record *record, Kz__Runbook__State to, const char *actor, const char *today);

/* The revision whose text is carried out: the approved one, also while a new draft is being written. 0: none is. */
uint64_t kz_runbook_approved_rev(const Kz__Record *record);

#endif
