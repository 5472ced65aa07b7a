/* SPDX-License-Identifier: Apache-2.0 */
/* What a mutation must fulfil before it is proposed: rules that need no state. Pure. */
#ifndef KZ_SERVICE_MUTATION_H
#define KZ_SERVICE_MUTATION_H

#include "node/registry/record.h"
#include "proto/wire.h"

/* A reason is one line of at most KZ_REASON_MAX_BYTES: it is copied into every record and history row. NULL is none. */
void kz_service_check_reason(const char *reason, struct kz_violations *violations);

/* `mutation->kind` is known to exist. Adds every violation found. */
void kz_service_check_mutation(const Kz__Mutation *mutation, struct kz_violations *violations);

#endif
