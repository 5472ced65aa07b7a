/* SPDX-License-Identifier: Apache-2.0 */
#include "node/service/fault.h"

#include "node/base/assert.h"

static const struct kz_fault_row rows[] = {
#define X(name, code, why_en, why_ja, hint_en, hint_ja)                                                                \
    [KZ_FAULT_##name] = {KZ_##code, why_en, why_ja, hint_en, hint_ja},
    KZ_FAULT_TABLE(X)
#undef X
};

const struct kz_fault_row *kz_fault_row(enum kz_fault fault)
{
    kz_assert((size_t)fault < sizeof rows / sizeof rows[0]);
    return &rows[fault];
}
