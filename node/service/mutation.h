/* SPDX-License-Identifier: Apache-2.0 */
/* What a mutation must fulfil before it is proposed: rules that need no state. Pure. */
#ifndef KZ_SERVICE_MUTATION_H
#define KZ_SERVICE_MUTATION_H

#include "node/registry/record.h"
#include "proto/wire.h"

/* `mutation->kind` is known to exist. Adds every violation found. */
void kz_service_check_mutation(const Kz__Mutation *mutation, struct kz_violations *violations);

#endif
