/* SPDX-License-Identifier: Apache-2.0 */
/* What a command must fulfil before it is proposed: rules that need no state. Pure. */
#ifndef KZ_SERVICE_MUTATION_H
#define KZ_SERVICE_MUTATION_H

#include "node/registry/record.h"
#include "proto/wire.h"

/* `mutations` of one command and its reason (NULL is none): adds every violation found. A reason is one line of at most
 * KZ_REASON_MAX_BYTES, because it is copied into every record and history row. Safe on whatever a client or a peer
 * sent. */
void kz_service_check_command(const char *reason, Kz__Mutation *const *mutations, size_t count,
                              struct kz_violations *violations);

#endif
