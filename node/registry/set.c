/* SPDX-License-Identifier: Apache-2.0 */
#include "node/registry/set.h"

#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"

static int compare(const void *a, const void *b)
{
    const Kz__Record *x = *(const Kz__Record *const *)a, *y = *(const Kz__Record *const *)b;
    if (x->kind != y->kind) return x->kind < y->kind ? -1 : 1;
    int ids = strcmp(x->id, y->id);
    if (ids != 0) return ids;
    return x->rev == y->rev ? 0 : x->rev > y->rev ? -1 : 1;
}

static bool same(const Kz__Record *a, const Kz__Record *b) { return a->kind == b->kind && strcmp(a->id, b->id) == 0; }

void kz_set_init(struct kz_set *set, const Kz__Record *const *records, size_t count)
{
    size_t kept = 0;
    set->items = kz_must_alloc(count + 1, sizeof(set->items[0]));
    for (size_t i = 0; i < count; i++) {
        const Kz__Record *record = records[i];
        if (kz_kind_by_number(record->kind) == NULL || record->id == NULL) continue;
        if (record->has_retired_at || kz_record_body(record) == NULL) continue;
        set->items[kept++] = record;
    }
    qsort(set->items, kept, sizeof(set->items[0]), compare);
    set->count = 0;
    for (size_t i = 0; i < kept; i++)
        if (i == 0 || !same(set->items[i], set->items[set->count - 1])) set->items[set->count++] = set->items[i];
    memset(set->first, 0, sizeof(set->first));
    for (size_t i = 0; i < set->count; i++)
        set->first[set->items[i]->kind + 1]++;
    for (size_t kind = 0; kind < KZ_SET_KINDS; kind++)
        set->first[kind + 1] += set->first[kind];
}

void kz_set_fini(struct kz_set *set)
{
    free(set->items);
    memset(set, 0, sizeof(*set));
}

const Kz__Record *const *kz_set_kind(const struct kz_set *set, Kz__Kind kind, size_t *count)
{
    kz_assert((unsigned)kind < KZ_SET_KINDS);
    *count = set->first[kind + 1] - set->first[kind];
    return set->items + set->first[kind];
}

size_t kz_set_index(const struct kz_set *set, Kz__Kind kind, const char *id)
{
    size_t count = 0, low = 0;
    const Kz__Record *const *items = kz_set_kind(set, kind, &count);
    if (id == NULL) return SIZE_MAX;
    while (low < count) {
        size_t middle = low + (count - low) / 2;
        int order = strcmp(items[middle]->id, id);
        if (order == 0) return middle;
        if (order < 0)
            low = middle + 1;
        else
            count = middle;
    }
    return SIZE_MAX;
}

const Kz__Record *kz_set_find(const struct kz_set *set, Kz__Kind kind, const char *id)
{
    size_t index = kz_set_index(set, kind, id);
    return index == SIZE_MAX ? NULL : set->items[set->first[kind] + index];
}
