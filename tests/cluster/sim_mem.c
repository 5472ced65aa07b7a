/* SPDX-License-Identifier: Apache-2.0 */
/* A store in memory: the log, and as state the set of writes that took effect, with a hash over their order. */
#include <stdlib.h>
#include <string.h>

#include "node/base/buf.h"
#include "node/store/chain.h"
#include "tests/cluster/sim.h"

struct mem_entry {
    uint64_t term, chain;
    enum kz_entry_type type;
    uint8_t *data; /* owned */
    size_t size_bytes;
};

struct mem_store {
    struct sim_node *node;
    struct kz_hard_state hard;
    struct mem_entry *entries; /* owned: first_index .. last_index */
    size_t room;
    uint64_t applied, applied_term, conf_index;
    uint8_t conf[KZ_CONFIGURATION_MAX_BYTES];
    size_t conf_bytes;
    uint64_t hash;
    struct kz_buf done;   /* one bit per write */
    struct kz_buf import; /* the idle generation */
    bool import_open;
    struct kz_import_origin origin;
    struct kz_import_mark mark;
    struct mem_local *locals; /* owned, by key */
};

struct mem_local {
    struct mem_local *next;
    char key[KZ_KEY_MAX_BYTES];
    size_t size_bytes;
    uint8_t value[];
};

struct mem_export {
    struct kz_buf rows;
    size_t offset;
};

static struct mem_entry *entry_at(const struct mem_store *store, uint64_t index)
{
    return &store->entries[index - store->hard.first_index];
}

static size_t entry_count(const struct mem_store *store)
{
    return (size_t)(store->hard.last_index + 1 - store->hard.first_index);
}

static uint64_t chain_at(const struct mem_store *store, uint64_t index)
{
    return index + 1 == store->hard.first_index ? store->hard.base_chain : entry_at(store, index)->chain;
}

static void append_entry(struct mem_store *store, const struct kz_entry *entry)
{
    uint64_t before = chain_at(store, store->hard.last_index);
    if (entry_count(store) == store->room) {
        store->room = store->room ? store->room * 2 : 64;
        store->entries = kz_must_realloc(store->entries, store->room * sizeof(*store->entries));
    }
    uint64_t index = ++store->hard.last_index;
    *entry_at(store, index) = (struct mem_entry){
        .term = entry->term,
        .type = entry->type,
        .chain = kz_chain_next(before, entry->term, (int)entry->type, entry->data, entry->size_bytes),
        .data = entry->size_bytes ? kz_must_memdup(entry->data, entry->size_bytes) : NULL,
        .size_bytes = entry->size_bytes};
}

static void *make(struct sim_node *node, const uint8_t *first_entry, size_t size_bytes)
{
    struct mem_store *store = kz_must_alloc(1, sizeof(*store));
    store->node = node;
    store->hard.first_index = 1;
    store->hard.epoch = 1;
    store->hard.base_chain = KZ_CHAIN_START;
    kz_buf_init(&store->done, 0);
    kz_buf_init(&store->import, 0);
    if (first_entry) {
        store->hard.term = 1;
        append_entry(store, &(struct kz_entry){1, KZ_ENTRY_CHANGE, first_entry, size_bytes});
    }
    return store;
}

static void clear_log(struct mem_store *store, uint64_t base_index, uint64_t base_term, uint64_t base_chain)
{
    for (size_t i = 0; i < entry_count(store); i++)
        free(store->entries[i].data);
    store->hard.first_index = base_index + 1;
    store->hard.last_index = base_index;
    store->hard.base_term = base_term;
    store->hard.base_chain = base_chain;
}

static void put_local(struct mem_store *store, const struct sim_job *job)
{
    struct mem_local **place = &store->locals;
    while (*place && strcmp((*place)->key, job->key) < 0)
        place = &(*place)->next;
    struct mem_local *old = *place;
    if (old && strcmp(old->key, job->key) == 0) {
        *place = old->next;
        free(old);
    }
    if (job->size_bytes == 0) return;
    struct mem_local *local = kz_must_alloc(1, sizeof(*local) + job->size_bytes);
    local->next = *place;
    local->size_bytes = job->size_bytes;
    memcpy(local->key, job->key, sizeof(local->key));
    memcpy(local->value, job->bytes, job->size_bytes);
    *place = local;
}

static void local_each(void *data, const char *prefix, kz_local_visitor visit, void *visitor)
{
    const struct mem_store *store = data;
    for (const struct mem_local *local = store->locals; local; local = local->next)
        if (strncmp(local->key, prefix, strlen(prefix)) == 0 &&
            !visit(visitor, local->key, local->value, local->size_bytes))
            return;
}

static void put_epoch(void *data, uint64_t epoch) { ((struct mem_store *)data)->hard.epoch = epoch; }

/* As node/store/recover.c: a change after the last entry, everything before it committed, no vote. */
static void recover(void *data, uint64_t epoch, const struct kz_buf *configuration, uint64_t term)
{
    struct mem_store *store = data;
    kz_assert(term > store->hard.term && store->hard.last_index > 0);
    store->hard.commit_hint = store->hard.last_index;
    append_entry(store, &(struct kz_entry){term, KZ_ENTRY_CHANGE, configuration->data, configuration->size_bytes});
    store->hard.term = term;
    store->hard.voted_for = 0;
    store->hard.epoch = epoch;
}

static Kz__RecoverPoint *point(void *data)
{
    (void)data;
    return NULL;
}

static uint64_t common(void *data, const Kz__RecoverPoint *begun, bool *exact)
{
    (void)data;
    (void)begun;
    (void)exact;
    return 0;
}

static void destroy(void *data)
{
    struct mem_store *store = data;
    while (store->locals) {
        struct mem_local *local = store->locals;
        store->locals = local->next;
        free(local);
    }
    clear_log(store, 0, 0, 0);
    free(store->entries);
    kz_buf_fini(&store->done);
    kz_buf_fini(&store->import);
    free(store);
}

static void begin(void *data) { (void)data; }

static void append(struct mem_store *store, const struct sim_job *job)
{
    struct sim *sim = store->node->sim;
    if (job->a <= store->applied || job->a > store->hard.last_index + 1)
        sim_fail(sim, "node %llu appends at %llu: log to %llu, applied %llu", (unsigned long long)store->node->id,
                 (unsigned long long)job->a, (unsigned long long)store->hard.last_index,
                 (unsigned long long)store->applied);
    if (job->a <= store->hard.last_index) sim->stats.truncations++;
    while (store->hard.last_index >= job->a)
        free(entry_at(store, store->hard.last_index--)->data);
    for (size_t i = 0; i < job->count; i++)
        append_entry(store, &job->entries[i]);
}

static bool is_done(const struct mem_store *store, uint64_t write)
{
    return write / 8 < store->done.size_bytes && (store->done.data[write / 8] >> (write % 8)) & 1;
}

static void do_write(struct mem_store *store, uint64_t write, uint64_t index)
{
    struct sim *sim = store->node->sim;
    sim_notes_done(store->node, write);
    if (is_done(store, write) && !(sim->options.bad & SIM_BAD(DEDUPE))) return;
    sim_check_effect(store->node, write, index);
    while (store->done.size_bytes <= write / 8)
        *kz_buf_extend(&store->done, 1) = 0;
    store->done.data[write / 8] |= (uint8_t)(1u << (write % 8));
    store->hash = sim_mix(store->hash, write, 1);
}

static void apply(struct mem_store *store, uint64_t upto)
{
    struct sim_node *node = store->node;
    while (store->applied < upto) {
        uint64_t index = store->applied + 1;
        if (index > store->hard.last_index)
            sim_fail(node->sim, "node %llu applies %llu, which its log does not hold", (unsigned long long)node->id,
                     (unsigned long long)index);
        const struct mem_entry *entry = entry_at(store, index);
        if (entry->type == KZ_ENTRY_COMMAND) do_write(store, kz_get_u64(entry->data), index);
        if (entry->type == KZ_ENTRY_CHANGE) {
            store->conf_index = index;
            store->conf_bytes = entry->size_bytes;
            memcpy(store->conf, entry->data, entry->size_bytes);
        }
        store->applied = index;
        store->applied_term = entry->term;
        sim_check_applied(node, index, entry->term, entry->chain);
        sim_check_state(node, index, store->hash);
    }
}

static void compact(struct mem_store *store, uint64_t upto)
{
    kz_assert(upto >= store->hard.first_index && upto <= store->applied);
    size_t drop = (size_t)(upto + 1 - store->hard.first_index), keep = entry_count(store) - drop;
    store->hard.base_term = entry_at(store, upto)->term;
    store->hard.base_chain = entry_at(store, upto)->chain;
    for (size_t i = 0; i < drop; i++)
        free(store->entries[i].data);
    memmove(store->entries, store->entries + drop, keep * sizeof(*store->entries));
    store->hard.first_index = upto + 1;
    store->node->sim->stats.compactions++;
}

/* rows: hash, then the bits */
static void install(struct mem_store *store, const struct kz_snapshot_meta *meta)
{
    struct sim *sim = store->node->sim;
    kz_assert(store->import.size_bytes >= sizeof(uint64_t));
    if (meta->index <= store->applied)
        sim_fail(sim, "node %llu installs %llu over %llu", (unsigned long long)store->node->id,
                 (unsigned long long)meta->index, (unsigned long long)store->applied);
    store->hash = kz_get_u64(store->import.data);
    kz_buf_clear(&store->done);
    kz_buf_add(&store->done, store->import.data + 8, store->import.size_bytes - 8);
    kz_buf_clear(&store->import);
    store->import_open = false;
    clear_log(store, meta->index, meta->term, meta->chain);
    store->applied = meta->index;
    store->applied_term = meta->term;
    store->conf_index = meta->configuration_index;
    store->conf_bytes = meta->configuration_bytes;
    memcpy(store->conf, meta->configuration, meta->configuration_bytes);
    sim->stats.installs++;
    sim_check_applied(store->node, meta->index, meta->term, meta->chain);
    sim_check_state(store->node, meta->index, store->hash);
}

static void run(void *data, const struct sim_job *job)
{
    struct mem_store *store = data;
    switch (job->kind) {
    case SIM_HARD:
        store->hard.term = job->a;
        store->hard.voted_for = job->b;
        break;
    case SIM_APPEND:
        append(store, job);
        break;
    case SIM_APPLY:
        apply(store, job->a);
        if (job->b > store->hard.commit_hint) store->hard.commit_hint = job->b;
        break;
    case SIM_COMPACT:
        compact(store, job->a);
        break;
    case SIM_IMPORT_BEGIN:
        kz_buf_clear(&store->import);
        store->import_open = true;
        store->origin = *job->origin;
        store->mark = (struct kz_import_mark){.next = 0};
        break;
    case SIM_IMPORT_ROWS:
        kz_assert(store->import_open);
        kz_buf_add(&store->import, job->bytes, job->size_bytes);
        store->mark = job->mark;
        break;
    case SIM_IMPORT_DROP:
        store->import_open = false;
        kz_buf_clear(&store->import);
        break;
    case SIM_INSTALL:
        install(store, job->meta);
        break;
    case SIM_LOCAL:
        put_local(store, job);
        break;
    }
}

static void commit(void *data) { (void)data; }

static bool import(void *data, struct kz_import_origin *origin, struct kz_import_mark *mark)
{
    const struct mem_store *store = data;
    if (!store->import_open) return false;
    *origin = store->origin;
    *mark = store->mark;
    return true;
}

static void load(void *data, struct kz_hard_state *hard, struct kz_applied *applied)
{
    const struct mem_store *store = data;
    *hard = store->hard;
    memset(applied, 0, sizeof(*applied));
    applied->index = store->applied;
    applied->term = store->applied_term;
    applied->configuration_index = store->conf_index;
    applied->configuration_bytes = store->conf_bytes;
    memcpy(applied->configuration, store->conf, store->conf_bytes);
}

static bool read_entry(void *data, uint64_t index, struct kz_entry *entry, uint64_t *chain)
{
    const struct mem_store *store = data;
    if (index < store->hard.first_index || index > store->hard.last_index) return false;
    const struct mem_entry *found = entry_at(store, index);
    *entry = (struct kz_entry){found->term, found->type, found->data, found->size_bytes};
    *chain = found->chain;
    return true;
}

static void *export_open(void *data, struct kz_snapshot_meta *meta)
{
    const struct mem_store *store = data;
    uint8_t hash[8];
    if (store->applied == 0) return NULL;
    struct mem_export *export = kz_must_alloc(1, sizeof(*export));
    kz_buf_init(&export->rows, 0);
    kz_put_u64(hash, store->hash);
    kz_buf_add(&export->rows, hash, sizeof(hash));
    kz_buf_add(&export->rows, store->done.data, store->done.size_bytes);
    meta->index = store->applied;
    meta->term = store->applied_term;
    meta->chain = chain_at(store, store->applied);
    meta->configuration_index = store->conf_index;
    meta->configuration_bytes = store->conf_bytes;
    memcpy(meta->configuration, store->conf, store->conf_bytes);
    store->node->sim->stats.snapshots++;
    return export;
}

static bool export_next(void *data, void *handle, uint8_t *out, size_t room, size_t *size_bytes)
{
    struct mem_export *export = handle;
    (void)data;
    size_t left = export->rows.size_bytes - export->offset;
    *size_bytes = left < room ? left : room;
    memcpy(out, export->rows.data + export->offset, *size_bytes);
    export->offset += *size_bytes;
    return true;
}

static void export_close(void *data, void *handle)
{
    struct mem_export *export = handle;
    (void)data;
    kz_buf_fini(&export->rows);
    free(export);
}

static uint64_t applied(void *data) { return ((const struct mem_store *)data)->applied; }

static size_t encode(struct sim *sim, uint64_t write, uint8_t *out, size_t room)
{
    size_t size = sizeof(uint64_t) + sim_below(sim, sim->profile.value_bytes + 1);
    kz_assert(size <= room);
    memset(out, 0x5a, size);
    kz_put_u64(out, write);
    return size;
}

static size_t encode_note(struct sim *sim, uint64_t write, const uint8_t *command, size_t size_bytes, uint8_t *out,
                          size_t room)
{
    (void)command; /* the number stands for it, as for any write */
    (void)size_bytes;
    return encode(sim, write, out, room);
}

static bool holds(void *data, uint64_t write) { return is_done(data, write); }

const struct sim_backend sim_mem_backend = {
    .make = make,
    .destroy = destroy,
    .begin = begin,
    .run = run,
    .commit = commit,
    .load = load,
    .import = import,
    .read_entry = read_entry,
    .export_open = export_open,
    .export_next = export_next,
    .export_close = export_close,
    .applied = applied,
    .encode = encode,
    .encode_note = encode_note,
    .holds = holds,
    .local_each = local_each,
    .put_epoch = put_epoch,
    .point = point,
    .common = common,
    .recover = recover,
};
