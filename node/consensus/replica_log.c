/* SPDX-License-Identifier: Apache-2.0 */
#include "node/consensus/replica_log.h"

#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/store/chain.h"

#define FIRST_ROOM 64u

/* Makes room for one more element; `room` doubles. */
static void *grow(void *array, size_t count, size_t *room, size_t size)
{
    if (count < *room) return array;
    *room = *room ? *room * 2 : FIRST_ROOM;
    return kz_must_realloc(array, *room * size);
}

/* Drops the first `drop` elements; returns how many remain. */
static size_t drop_front(void *array, size_t count, size_t drop, size_t size)
{
    if (drop > 0) memmove(array, (uint8_t *)array + drop * size, (count - drop) * size);
    return count - drop;
}

static struct kz_replica_log_slot *slot_at(const struct kz_replica_log *log, uint64_t index)
{
    return &log->slots[index & (log->slot_room - 1)];
}

static uint64_t ring_count(const struct kz_replica_log *log) { return log->last + 1 - log->ring_first; }

static void grow_ring(struct kz_replica_log *log)
{
    if (ring_count(log) < log->slot_room) return;
    struct kz_replica_log old = *log;
    log->slot_room = old.slot_room ? old.slot_room * 2 : FIRST_ROOM;
    log->slots = kz_must_alloc(log->slot_room, sizeof(*log->slots));
    for (uint64_t i = old.ring_first; i <= old.last; i++)
        *slot_at(log, i) = *slot_at(&old, i);
    free(old.slots);
}

static void free_slot(struct kz_replica_log *log, uint64_t index)
{
    struct kz_replica_log_slot *slot = slot_at(log, index);
    log->ring_bytes -= slot->size_bytes;
    free(slot->data);
    slot->data = NULL;
}

static void note_change(struct kz_replica_log *log, uint64_t index, const struct kz_entry *entry)
{
    if (entry->type != KZ_ENTRY_CHANGE) return;
    log->changes = grow(log->changes, log->change_count, &log->change_room, sizeof(*log->changes));
    log->changes[log->change_count++] = (struct kz_replica_log_change){
        .index = index, .data = kz_must_memdup(entry->data, entry->size_bytes), .size_bytes = entry->size_bytes};
}

static void note_term(struct kz_replica_log *log, uint64_t index, uint64_t term)
{
    if (log->run_count > 0 && log->runs[log->run_count - 1].term == term) return;
    log->runs = grow(log->runs, log->run_count, &log->run_room, sizeof(*log->runs));
    log->runs[log->run_count++] = (struct kz_replica_log_run){index, term};
}

static void note_mark(struct kz_replica_log *log, uint64_t index, uint64_t total)
{
    if (index % KZ_LOG_MARK_EVERY != 0) return;
    log->marks = grow(log->marks, log->mark_count, &log->mark_room, sizeof(*log->marks));
    log->marks[log->mark_count++] = (struct kz_replica_log_mark){index, total};
}

static void clear(struct kz_replica_log *log)
{
    for (uint64_t i = log->ring_first; log->slots && i <= log->last; i++)
        free_slot(log, i);
    for (size_t i = 0; i < log->change_count; i++)
        free(log->changes[i].data);
    log->run_count = log->mark_count = log->change_count = 0;
}

void kz_replica_log_reset(struct kz_replica_log *log, uint64_t base_index, uint64_t base_term, uint64_t base_chain)
{
    clear(log);
    log->base_index = log->last = base_index;
    log->base_term = base_term;
    log->base_chain = log->ring_base_chain = base_chain;
    log->ring_first = base_index + 1;
    log->ring_base_total = log->base_total = 0;
}

void kz_replica_log_fini(struct kz_replica_log *log)
{
    clear(log);
    free(log->runs);
    free(log->slots);
    free(log->marks);
    free(log->changes);
    memset(log, 0, sizeof(*log));
}

void kz_replica_log_load(struct kz_replica_log *log, const struct kz_entry *entry, uint64_t chain)
{
    kz_assert(ring_count(log) == 0);
    uint64_t index = ++log->last;
    log->ring_first = index + 1;
    log->ring_base_chain = chain;
    log->ring_base_total += entry->size_bytes;
    note_term(log, index, entry->term);
    note_change(log, index, entry);
    note_mark(log, index, log->ring_base_total);
}

void kz_replica_log_append(struct kz_replica_log *log, const struct kz_entry *entry)
{
    grow_ring(log);
    uint64_t before = log->ring_base_chain, total = log->ring_base_total;
    if (ring_count(log) > 0) {
        before = slot_at(log, log->last)->chain;
        total = slot_at(log, log->last)->total;
    }
    uint64_t index = ++log->last;
    *slot_at(log, index) = (struct kz_replica_log_slot){
        .term = entry->term,
        .chain = kz_chain_next(before, entry->term, (int)entry->type, entry->data, entry->size_bytes),
        .total = total + entry->size_bytes,
        .data = entry->size_bytes ? kz_must_memdup(entry->data, entry->size_bytes) : NULL,
        .size_bytes = (uint32_t)entry->size_bytes,
        .type = (uint8_t)entry->type};
    log->ring_bytes += entry->size_bytes;
    note_term(log, index, entry->term);
    note_change(log, index, entry);
    note_mark(log, index, total + entry->size_bytes);
}

void kz_replica_log_truncate(struct kz_replica_log *log, uint64_t index, uint64_t chain_before)
{
    kz_assert(index > log->base_index && index <= log->last);
    uint64_t total = kz_replica_log_total(log, index - 1);
    while (log->last >= index && log->last >= log->ring_first)
        free_slot(log, log->last--);
    if (index < log->ring_first) {
        log->ring_first = index;
        log->ring_base_chain = chain_before;
        log->ring_base_total = total;
    }
    log->last = index - 1;
    while (log->run_count > 0 && log->runs[log->run_count - 1].first >= index)
        log->run_count--;
    while (log->mark_count > 0 && log->marks[log->mark_count - 1].index >= index)
        log->mark_count--;
    while (log->change_count > 0 && log->changes[log->change_count - 1].index >= index)
        free(log->changes[--log->change_count].data);
}

void kz_replica_log_drop_prefix(struct kz_replica_log *log, uint64_t index, uint64_t chain)
{
    kz_assert(index > log->base_index && index <= log->last);
    log->base_term = kz_replica_log_term(log, index);
    log->base_total = kz_replica_log_total(log, index);
    kz_replica_log_evict(log, 0, index);
    if (log->ring_first == index + 1) log->ring_base_chain = chain;
    log->base_index = index;
    log->base_chain = chain;

    size_t drop = 0;
    while (drop + 1 < log->run_count && log->runs[drop + 1].first <= index + 1)
        drop++;
    log->run_count = drop_front(log->runs, log->run_count, drop, sizeof(*log->runs));
    drop = 0;
    while (drop < log->mark_count && log->marks[drop].index < index)
        drop++;
    log->mark_count = drop_front(log->marks, log->mark_count, drop, sizeof(*log->marks));
}

void kz_replica_log_evict(struct kz_replica_log *log, uint64_t limit_bytes, uint64_t durable)
{
    while (log->ring_first <= log->last && log->ring_first <= durable &&
           (log->ring_bytes > limit_bytes || limit_bytes == 0)) {
        const struct kz_replica_log_slot *slot = slot_at(log, log->ring_first);
        log->ring_base_chain = slot->chain;
        log->ring_base_total = slot->total;
        free_slot(log, log->ring_first++);
    }
}

uint64_t kz_replica_log_term(const struct kz_replica_log *log, uint64_t index)
{
    if (index == log->base_index) return log->base_term;
    if (index < log->base_index || index > log->last) return 0;
    size_t low = 0, high = log->run_count; /* the last run that begins at or before index */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (log->runs[middle].first <= index)
            low = middle;
        else
            high = middle;
    }
    return log->runs[low].term;
}

const struct kz_replica_log_slot *kz_replica_log_get(const struct kz_replica_log *log, uint64_t index)
{
    if (index < log->ring_first || index > log->last) return NULL;
    return slot_at(log, index);
}

bool kz_replica_log_chain(const struct kz_replica_log *log, uint64_t index, uint64_t *chain)
{
    if (index == log->base_index)
        *chain = log->base_chain;
    else if (index + 1 == log->ring_first)
        *chain = log->ring_base_chain;
    else if (kz_replica_log_get(log, index))
        *chain = slot_at(log, index)->chain;
    else
        return false;
    return true;
}

uint64_t kz_replica_log_total(const struct kz_replica_log *log, uint64_t index)
{
    const struct kz_replica_log_slot *slot = kz_replica_log_get(log, index);
    if (slot) return slot->total;
    if (index + 1 == log->ring_first) return log->ring_base_total;
    size_t low = 0, high = log->mark_count; /* the first mark beyond index */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (log->marks[middle].index <= index)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 ? log->marks[low - 1].total : 0;
}

uint64_t kz_replica_log_tail_of(const struct kz_replica_log *log, uint64_t upto, uint64_t bytes)
{
    uint64_t total = kz_replica_log_total(log, upto);
    size_t low = 0, high = log->mark_count; /* the first mark that leaves at most `bytes` above it */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (log->marks[middle].total + bytes < total)
            low = middle + 1;
        else
            high = middle;
    }
    return low < log->mark_count && log->marks[low].index < upto ? log->marks[low].index : upto;
}

const struct kz_replica_log_change *kz_replica_log_find_change(const struct kz_replica_log *log, uint64_t index)
{
    for (size_t i = 0; i < log->change_count; i++)
        if (log->changes[i].index == index) return &log->changes[i];
    return NULL;
}

void kz_replica_log_forget_changes(struct kz_replica_log *log, uint64_t index)
{
    size_t drop = 0;
    while (drop < log->change_count && log->changes[drop].index <= index)
        free(log->changes[drop++].data);
    log->change_count = drop_front(log->changes, log->change_count, drop, sizeof(*log->changes));
}
