/* SPDX-License-Identifier: Apache-2.0 */
/* What the outcome of a refused command tells: paths, violations, referrers. */
#include "node/store/stage.h"

#include <stdio.h>
#include <string.h>

#define REFERRERS_NAMED_MAX KZ_PAGE_MAX /* so that an outcome fits a frame */

const char *kz_stage_path(struct kz_stage *stage, Kz__Kind number, const char *id, const char *field)
{
    const struct kz_kind *kind = kz_kind_by_number(number);
    size_t room = KZ_NAME_MAX_BYTES + KZ_ID_MAX_BYTES + strlen(field) + 8;
    char *path = kz_stage_claim(stage, kz_arena_alloc(&stage->scratch->arena, room));
    if (path == NULL) return NULL;
    snprintf(path, room, "%.*s/%.*s%s%s", (int)KZ_NAME_MAX_BYTES, kind != NULL ? kind->name : "?", (int)KZ_ID_MAX_BYTES,
             id, field[0] == '\0' ? "" : ".", field);
    return path;
}

void kz_stage_violate(struct kz_stage *stage, const Kz__Mutation *mutation, const char *field, const char *rule,
                      const char *en, const char *ja)
{
    struct kz_text text = {en, ja};
    const char *path = kz_stage_path(stage, mutation->kind, mutation->id, field);
    if (path != NULL) kz_violations_add(&stage->violations, path, rule, &text, NULL);
}

void kz_stage_name_referrer(struct kz_stage *stage, const struct kz_key *referrer)
{
    const struct kz_kind *kind = kz_kind_by_number((Kz__Kind)referrer->bytes[0]);
    size_t room = KZ_NAME_MAX_BYTES + KZ_ID_MAX_BYTES + 2;
    char *name = kz_stage_claim(stage, kz_arena_alloc(&stage->scratch->arena, room));
    if (stage->outcome.referrers == NULL)
        stage->outcome.referrers = kz_stage_claim(
            stage, kz_arena_alloc(&stage->scratch->arena, REFERRERS_NAMED_MAX * sizeof(*stage->outcome.referrers)));
    if (name == NULL || stage->outcome.referrers == NULL) return;
    snprintf(name, room, "%s/%.*s", kind != NULL ? kind->name : "?", (int)(referrer->size_bytes - 1),
             (const char *)referrer->bytes + 1);
    if (stage->outcome.n_referrers < REFERRERS_NAMED_MAX) stage->outcome.referrers[stage->outcome.n_referrers++] = name;
}
