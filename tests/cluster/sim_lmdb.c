/* SPDX-License-Identifier: Apache-2.0 */
/* The real store: LMDB environments (not synced: a crash here is of virtual time), the real apply on real commands. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/base/buf.h"
#include "node/registry/record.h"
#include "node/service/lineage.h"
#include "tests/cluster/sim.h"

#define MAP_BYTES (1u << 30)            /* an export that stands still keeps old pages from being used again */
#define SITES 40u                       /* records written to */
#define START_MS INT64_C(1767225600000) /* 2026-01-01 */
#define REQUESTS 10000000u              /* all of them: that is how the checks know what took effect */
#define PATH_BYTES 256
#define SCRATCH_DIRECTORY "/dev/shm" /* memory */

struct lmdb_store {
    struct sim_node *node;
    struct kz_store *store;   /* owned */
    struct kz_store_txn *txn; /* owned, between begin and commit */
    struct kz_view *view;     /* owned: of the last read_entry */
    char directory[PATH_BYTES];
};

struct lmdb_export {
    struct kz_view *view; /* owned */
    struct kz_export_cursor cursor;
};

static void must(struct sim_node *node, enum kz_code code, const struct kz_err *err, const char *what)
{
    if (code != KZ_OK)
        sim_fail(node->sim, "node %llu: store %s: %s %s", (unsigned long long)node->id, what, kz_code_name(code),
                 err->text);
}

static void drop_view(struct lmdb_store *store)
{
    kz_view_close(store->view);
    store->view = NULL;
}

static void open_store(struct lmdb_store *store, bool create)
{
    struct kz_err err = {0};
    struct kz_store_options options = {.directory = store->directory,
                                       .map_size_bytes = MAP_BYTES,
                                       .cluster_id = "sim",
                                       .node_id = store->node->id,
                                       .create = create,
                                       .no_sync = true,
                                       .requests_remembered = REQUESTS};
    must(store->node, kz_store_open(&store->store, &options, &err), &err, "open");
}

static void begin(void *data)
{
    struct lmdb_store *store = data;
    struct kz_err err = {0};
    drop_view(store);
    must(store->node, kz_store_begin(store->store, &store->txn, &err), &err, "begin");
}

static void *make(struct sim_node *node, const uint8_t *first_entry, size_t size_bytes)
{
    struct lmdb_store *store = kz_must_alloc(1, sizeof(*store));
    struct kz_err err = {0};
    store->node = node;
    snprintf(store->directory, sizeof(store->directory), "%s/n%llu", node->sim->scratch, (unsigned long long)node->id);
    open_store(store, true);
    if (first_entry) {
        struct kz_entry entry = {1, KZ_ENTRY_CHANGE, first_entry, size_bytes};
        begin(store);
        must(node, kz_txn_put_hard(store->txn, 1, 0, &err), &err, "put_hard");
        must(node, kz_txn_append(store->txn, 1, &entry, 1, &err), &err, "append");
        must(node, kz_store_commit(store->txn, &err), &err, "commit");
        store->txn = NULL;
    }
    return store;
}

static void remove_files(const char *directory)
{
    static const char *const names[] = {"data.mdb", "lock.mdb", "keizoku.lock"};
    char path[PATH_BYTES + 16];
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
        (void)unlink(path); /* sim_run notices what remains when it removes the folder above */
    }
    (void)rmdir(directory);
}

void sim_lmdb_scratch(const struct sim_options *options, pid_t pid, char *out, size_t room)
{
    snprintf(out, room, "%s/keizoku-sim-%d", options->directory ? options->directory : SCRATCH_DIRECTORY, (int)pid);
}

void sim_lmdb_clean(const char *scratch)
{
    char path[PATH_BYTES];
    for (unsigned id = 1; id <= SIM_NODES; id++) {
        snprintf(path, sizeof(path), "%s/n%u", scratch, id);
        remove_files(path);
    }
    (void)rmdir(scratch); /* gone already when the seed went well */
}

static void destroy(void *data)
{
    struct lmdb_store *store = data;
    drop_view(store);
    kz_store_close(store->store);
    remove_files(store->directory);
    free(store);
}

static void note_outcome(void *data, uint64_t index, const Kz__Command *command, const Kz__Outcome *outcome)
{
    struct lmdb_store *store = data;
    struct sim *sim = store->node->sim;
    if (outcome->code != KZ_OK)
        sim_fail(sim, "node %llu refuses the command at %llu: %s", (unsigned long long)store->node->id,
                 (unsigned long long)index, kz_code_name((enum kz_code)outcome->code));
    uint64_t write = command->mutations[0]->op == KZ__MUTATION__OP__APPEND
                         ? sim_notes_number(command->mutations[0]->record)
                         : kz_get_u64(command->request_id.data);
    sim_notes_done(store->node, write);
    sim_check_effect(store->node, write, outcome->has_index ? outcome->index : index);
}

static enum kz_code run_job(struct lmdb_store *store, const struct sim_job *job, struct kz_err *err)
{
    const struct kz_apply_sink sink = {.data = store, .outcome = note_outcome};
    enum kz_code code;
    switch (job->kind) {
    case SIM_HARD:
        return kz_txn_put_hard(store->txn, job->a, job->b, err);
    case SIM_APPEND:
        return kz_txn_append(store->txn, job->a, job->entries, job->count, err);
    case SIM_APPLY:
        code = kz_txn_apply(store->txn, job->a, &sink, err);
        return code == KZ_OK ? kz_txn_put_commit_hint(store->txn, job->b, err) : code;
    case SIM_COMPACT:
        store->node->sim->stats.compactions++;
        return kz_txn_compact(store->txn, job->a, err);
    case SIM_IMPORT_BEGIN:
        return kz_txn_import_begin(store->txn, job->origin, err);
    case SIM_IMPORT_ROWS:
        return kz_txn_import_rows(store->txn, job->bytes, job->size_bytes, &job->mark, err);
    case SIM_IMPORT_DROP:
        return kz_txn_import_drop(store->txn, err);
    case SIM_INSTALL:
        store->node->sim->stats.installs++;
        return kz_txn_install(store->txn, job->meta->index, job->meta->term, err);
    case SIM_LOCAL:
        return kz_txn_put_local(store->txn, job->key, job->bytes, job->size_bytes, err);
    }
    return KZ_FAILED;
}

static void run(void *data, const struct sim_job *job)
{
    static const char *const names[] = {"put_hard",    "append",      "apply",   "compact",  "import_begin",
                                        "import_rows", "import_drop", "install", "put_local"};
    struct lmdb_store *store = data;
    struct kz_err err = {0};
    must(store->node, run_job(store, job, &err), &err, names[job->kind]);
}

static void check_state(struct lmdb_store *store)
{
    struct kz_applied applied;
    struct kz_view *view;
    struct kz_err err = {0};
    uint64_t chain;
    must(store->node, kz_view_open(store->store, &view, &err), &err, "view");
    must(store->node, kz_view_applied(view, &applied, &err), &err, "applied");
    if (applied.index > 0) {
        must(store->node, kz_view_chain(view, applied.index, &chain, &err), &err, "chain");
        sim_check_applied(store->node, applied.index, applied.term, chain);
        sim_check_state(store->node, applied.index,
                        sim_mix(kz_get_u64(applied.state_hash), kz_get_u64(applied.audit_head), applied.rev));
    }
    kz_view_close(view);
}

static void commit(void *data)
{
    struct lmdb_store *store = data;
    struct kz_err err = {0};
    must(store->node, kz_store_commit(store->txn, &err), &err, "commit");
    store->txn = NULL;
    check_state(store);
}

/* A start: the environment is opened anew, with all its checks. */
static void load(void *data, struct kz_hard_state *hard, struct kz_applied *applied)
{
    struct lmdb_store *store = data;
    struct kz_view *view;
    struct kz_err err = {0};
    drop_view(store);
    kz_store_close(store->store);
    open_store(store, false);
    must(store->node, kz_view_open(store->store, &view, &err), &err, "view");
    must(store->node, kz_view_hard(view, hard, &err), &err, "hard state");
    must(store->node, kz_view_applied(view, applied, &err), &err, "applied");
    kz_view_close(view);
}

static bool import(void *data, struct kz_import_origin *origin, struct kz_import_mark *mark)
{
    struct lmdb_store *store = data;
    struct kz_view *view;
    struct kz_err err = {0};
    must(store->node, kz_view_open(store->store, &view, &err), &err, "view");
    enum kz_code code = kz_view_import(view, origin, mark, &err);
    kz_view_close(view);
    if (code != KZ_NOT_FOUND) must(store->node, code, &err, "import");
    return code == KZ_OK;
}

static bool read_entry(void *data, uint64_t index, struct kz_entry *entry, uint64_t *chain)
{
    struct lmdb_store *store = data;
    struct kz_err err = {0};
    if (!store->view) must(store->node, kz_view_open(store->store, &store->view, &err), &err, "view");
    return kz_view_entry(store->view, index, entry, &err) == KZ_OK &&
           kz_view_chain(store->view, index, chain, &err) == KZ_OK;
}

static void *export_open(void *data, struct kz_snapshot_meta *meta)
{
    struct lmdb_store *store = data;
    struct lmdb_export *export = kz_must_alloc(1, sizeof(*export));
    struct kz_applied applied;
    struct kz_err err = {0};
    must(store->node, kz_view_open(store->store, &export->view, &err), &err, "view");
    must(store->node, kz_view_applied(export->view, &applied, &err), &err, "applied");
    if (applied.index == 0) {
        kz_view_close(export->view);
        free(export);
        return NULL;
    }
    meta->index = applied.index;
    meta->term = applied.term;
    meta->configuration_index = applied.configuration_index;
    meta->configuration_bytes = applied.configuration_bytes;
    memcpy(meta->configuration, applied.configuration, applied.configuration_bytes);
    must(store->node, kz_view_chain(export->view, applied.index, &meta->chain, &err), &err, "chain");
    store->node->sim->stats.snapshots++;
    return export;
}

static bool export_next(void *data, void *handle, uint8_t *out, size_t room, size_t *size_bytes)
{
    struct lmdb_store *store = data;
    struct lmdb_export *export = handle;
    struct kz_err err = {0};
    must(store->node, kz_view_export(export->view, &export->cursor, out, room, size_bytes, &err), &err, "export");
    return true;
}

static void export_close(void *data, void *handle)
{
    struct lmdb_export *export = handle;
    (void)data;
    kz_view_close(export->view);
    free(export);
}

static uint64_t applied_index(void *data)
{
    struct lmdb_store *store = data;
    struct kz_applied applied;
    struct kz_view *view;
    struct kz_err err = {0};
    must(store->node, kz_view_open(store->store, &view, &err), &err, "view");
    must(store->node, kz_view_applied(view, &applied, &err), &err, "applied");
    kz_view_close(view);
    return applied.index;
}

static void make_request_id(struct sim *sim, uint64_t write, uint8_t id[KZ_REQUEST_ID_BYTES])
{
    kz_put_u64(id, write);
    kz_put_u64(id + sizeof(uint64_t), sim->options.bad & SIM_BAD(DEDUPE) ? sim_random(sim) : 0);
}

static size_t encode(struct sim *sim, uint64_t write, uint8_t *out, size_t room)
{
    uint8_t request_id[KZ_REQUEST_ID_BYTES];
    char id[32], name[32], actor[] = "sim", node[] = "sim";
    Kz__Mutation mutation = KZ__MUTATION__INIT, *mutations = &mutation;
    Kz__Command command = KZ__COMMAND__INIT, *commands = &command;
    Kz__Batch batch = KZ__BATCH__INIT;
    make_request_id(sim, write, request_id);
    snprintf(id, sizeof(id), "site-%llu", (unsigned long long)(write % SITES));
    snprintf(name, sizeof(name), "拠点 %llu", (unsigned long long)write);
    Kz__Record *record = kz_record_new(KZ__KIND__SITE, id);
    record->site->name = kz_must_strdup(name);
    record->site->has_role = true;
    record->site->role = KZ__SITE__TYPE__OTHER;
    mutation.op = KZ__MUTATION__OP__PUT;
    mutation.kind = KZ__KIND__SITE;
    mutation.id = id;
    mutation.record = record;
    command.request_id = (ProtobufCBinaryData){sizeof(request_id), request_id};
    command.actor = actor;
    command.node = node;
    command.n_mutations = 1;
    command.mutations = &mutations;
    batch.time_ms = START_MS + (int64_t)(sim->now_us / US_PER_MS);
    batch.n_commands = 1;
    batch.commands = &commands;
    kz_assert(kz__batch__get_packed_size(&batch) <= room);
    size_t size = kz__batch__pack(&batch, out);
    kz__record__free_unpacked(record, NULL);
    return size;
}

static size_t encode_note(struct sim *sim, uint64_t write, const uint8_t *packed, size_t size_bytes, uint8_t *out,
                          size_t room)
{
    Kz__Command *command = kz__command__unpack(NULL, size_bytes, packed);
    Kz__Batch batch = KZ__BATCH__INIT;
    (void)write;
    kz_assert(command != NULL);
    batch.time_ms = START_MS + (int64_t)(sim->now_us / US_PER_MS);
    batch.n_commands = 1;
    batch.commands = &command;
    kz_assert(kz__batch__get_packed_size(&batch) <= room);
    size_t size = kz__batch__pack(&batch, out);
    kz__command__free_unpacked(command, NULL);
    return size;
}

static bool has_outcome(struct sim *sim, struct kz_view *view, uint64_t write)
{
    uint8_t request_id[KZ_REQUEST_ID_BYTES];
    Kz__Outcome *outcome = NULL;
    struct kz_err err = {0};
    make_request_id(sim, write, request_id);
    bool found = kz_view_outcome(view, request_id, &outcome, &err) == KZ_OK;
    if (outcome) kz__outcome__free_unpacked(outcome, NULL);
    return found;
}

static bool has_event(struct kz_view *view, const struct sim_note *note)
{
    Kz__Record *record = NULL;
    struct kz_err err = {0};
    bool found = kz_view_get(view, KZ__KIND__ENTRY, note->id, &record, &err) == KZ_OK;
    bool same = found && sim_notes_number(record) == note->write && !record->provisional;
    if (record) kz__record__free_unpacked(record, NULL);
    return same;
}

static bool holds(void *data, uint64_t write)
{
    struct lmdb_store *store = data;
    struct sim *sim = store->node->sim;
    const struct sim_note *note = sim_note_of(sim, write);
    struct kz_view *view;
    struct kz_err err = {0};
    must(store->node, kz_view_open(store->store, &view, &err), &err, "view");
    bool found = note ? has_event(view, note) : has_outcome(sim, view, write);
    kz_view_close(view);
    return found;
}

static void local_each(void *data, const char *prefix, kz_local_visitor visit, void *visitor)
{
    struct lmdb_store *store = data;
    struct kz_view *view;
    struct kz_err err = {0};
    must(store->node, kz_view_open(store->store, &view, &err), &err, "view");
    must(store->node, kz_view_local_each(view, prefix, visit, visitor, &err), &err, "local_each");
    kz_view_close(view);
}

static void put_epoch(void *data, uint64_t epoch)
{
    struct lmdb_store *store = data;
    struct kz_err err = {0};
    begin(store);
    must(store->node, kz_txn_put_epoch(store->txn, epoch, &err), &err, "put_epoch");
    must(store->node, kz_store_commit(store->txn, &err), &err, "commit");
    store->txn = NULL;
}

static Kz__RecoverPoint *point(void *data)
{
    struct lmdb_store *store = data;
    struct kz_view *view;
    struct kz_err err = {0};
    Kz__RecoverPoint *made = NULL;
    must(store->node, kz_view_open(store->store, &view, &err), &err, "view");
    must(store->node, kz_lineage_make_point(view, &made, &err), &err, "point");
    kz_view_close(view);
    return made;
}

static uint64_t common(void *data, const Kz__RecoverPoint *begun, bool *exact)
{
    struct lmdb_store *store = data;
    struct kz_view *view;
    struct kz_err err = {0};
    uint64_t shared = 0;
    must(store->node, kz_view_open(store->store, &view, &err), &err, "view");
    must(store->node, kz_lineage_common(view, begun, &shared, exact, &err), &err, "common");
    kz_view_close(view);
    return shared;
}

static void recover(void *data, uint64_t epoch, const struct kz_buf *configuration, uint64_t term)
{
    struct lmdb_store *store = data;
    struct kz_err err = {0};
    begin(store);
    must(store->node, kz_txn_recover(store->txn, epoch, configuration->data, configuration->size_bytes, term, &err),
         &err, "recover");
    must(store->node, kz_store_commit(store->txn, &err), &err, "commit");
    store->txn = NULL;
}

const struct sim_backend sim_lmdb_backend = {
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
    .applied = applied_index,
    .encode = encode,
    .encode_note = encode_note,
    .holds = holds,
    .local_each = local_each,
    .put_epoch = put_epoch,
    .point = point,
    .common = common,
    .recover = recover,
};
