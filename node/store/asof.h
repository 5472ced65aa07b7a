/* SPDX-License-Identifier: Apache-2.0 */
/* Private to node/store: the state as it was, for those who hold no view (apply). */
#ifndef KZ_STORE_ASOF_H
#define KZ_STORE_ASOF_H

#include "node/store/internal.h"

/* The record's last change up to `rev`, which has an `after`; in the arena. KZ_NOT_FOUND without text: it did not exist
 * yet. `kind` and `id` are valid. */
enum kz_code kz_asof_change(const struct kz_scope *scope, struct kz_arena *arena, Kz__Kind kind, const char *id,
                            uint64_t rev, Kz__Change **out, struct kz_err *err) KZ_MUST_CHECK;

#endif
