/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/base/assert.h"
#include "node/store/hash.h"

#define MAP_BYTES (256u << 20)

/* ---- the store ---- */

void fixture_open(struct fixture *f) { must(kz_store_open(&f->store, &f->options, &must_err)); }

void fixture_close(struct fixture *f)
{
    kz_store_close(f->store);
    f->store = NULL;
}

void fixture_reopen(struct fixture *f)
{
    fixture_close(f);
    f->options.create = false;
    fixture_open(f);
}

const char *fixture_open_fails(struct fixture *f, enum kz_code code)
{
    static struct kz_err err;
    err = (struct kz_err){KZ_OK, ""};
    struct kz_store *store = NULL;
    enum kz_code got = kz_store_open(&store, &f->options, &err);
    if (got != code) fail_msg("open gave %s (%s), not %s", kz_code_name(got), err.text, kz_code_name(code));
    assert_null(store);
    return err.text;
}

void fixture_init(struct fixture *f)
{
    *f = (struct fixture){.term = 1, .time_ms = FIXTURE_START_MS, .request = 1};
    snprintf(f->directory, sizeof(f->directory), "/tmp/kz-store-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    f->options = (struct kz_store_options){.directory = f->directory,
                                           .map_size_bytes = MAP_BYTES,
                                           .cluster_id = "test",
                                           .node_id = 1,
                                           .create = true,
                                           .no_sync = true};
    fixture_open(f);
}

void fixture_fini(struct fixture *f)
{
    static const char *const names[] = {"data.mdb", "lock.mdb", "keizoku.lock"};
    char path[128];
    kz_store_close(f->store);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", f->directory, names[i]);
        (void)unlink(path); /* a test may have removed it */
    }
    (void)rmdir(f->directory);
}

int fixture_setup(void **state)
{
    struct fixture *f = kz_must_alloc(1, sizeof(*f));
    fixture_init(f);
    *state = f;
    return 0;
}

int fixture_teardown(void **state)
{
    fixture_fini(*state);
    free(*state);
    return 0;
}

/* ---- commands ---- */

void command_init(struct command *command, unsigned request)
{
    memset(command, 0, sizeof(*command));
    kz__command__init(&command->message);
    memset(command->id, 0xa5, sizeof(command->id));
    command->id[0] = (uint8_t)request;
    command->id[1] = (uint8_t)(request >> 8);
    command->id[2] = (uint8_t)(request >> 16);
    command->message.request_id = (ProtobufCBinaryData){sizeof(command->id), command->id};
    command->message.actor = (char *)(uintptr_t) "sato";
    command->message.node = (char *)(uintptr_t) "main";
    command->message.reason = (char *)(uintptr_t) "定期見直し";
    command->message.mutations = command->pointers;
}

static Kz__Mutation *add_mutation(struct command *command, Kz__Mutation__Op op, Kz__Kind kind, const char *id)
{
    size_t at = command->message.n_mutations;
    assert_true(at < FIXTURE_MUTATIONS_MAX);
    Kz__Mutation *mutation = &command->mutations[at];
    kz__mutation__init(mutation);
    mutation->op = op;
    mutation->kind = kind;
    mutation->id = kz_must_strdup(id);
    command->pointers[at] = mutation;
    command->message.n_mutations++;
    return mutation;
}

void command_fini(struct command *command)
{
    for (size_t i = 0; i < command->message.n_mutations; i++) {
        free(command->mutations[i].id);
        if (command->mutations[i].record != NULL) kz__record__free_unpacked(command->mutations[i].record, NULL);
    }
    command->message.n_mutations = 0;
}

void command_put(struct command *command, Kz__Record *record)
{
    add_mutation(command, KZ__MUTATION__OP__PUT, record->kind, record->id)->record = record;
}

void command_retire(struct command *command, Kz__Kind kind, const char *id, bool force)
{
    Kz__Mutation *mutation = add_mutation(command, KZ__MUTATION__OP__RETIRE, kind, id);
    mutation->has_force = force;
    mutation->force = force;
}

void command_verify(struct command *command, Kz__Kind kind, const char *id)
{
    (void)add_mutation(command, KZ__MUTATION__OP__VERIFY, kind, id);
}

void command_revert(struct command *command, Kz__Kind kind, const char *id, uint64_t to_rev)
{
    Kz__Mutation *mutation = add_mutation(command, KZ__MUTATION__OP__REVERT, kind, id);
    mutation->has_to_rev = 1;
    mutation->to_rev = to_rev;
}

void command_rewind(struct command *command, Kz__Kind kind, uint64_t to_rev, uint64_t reviewed_rev)
{
    Kz__Mutation *mutation = add_mutation(command, KZ__MUTATION__OP__REWIND, kind, KZ_REWIND_ID);
    mutation->has_to_rev = 1;
    mutation->to_rev = to_rev;
    command_expect(command, reviewed_rev);
}

void command_move(struct command *command, const char *id, Kz__Runbook__State to)
{
    Kz__Mutation *mutation = add_mutation(command, KZ__MUTATION__OP__MOVE, KZ__KIND__RUNBOOK, id);
    mutation->has_to_state = true;
    mutation->to_state = to;
}

void command_chunk(struct command *command, const char *id, const uint8_t *bytes, size_t size_bytes)
{
    Kz__Mutation *mutation = add_mutation(command, KZ__MUTATION__OP__CHUNK, KZ__KIND__ATTACHMENT, id);
    mutation->has_chunk = 1;
    mutation->chunk = (ProtobufCBinaryData){size_bytes, (uint8_t *)(uintptr_t)bytes};
}

void command_content(struct command *command, const uint8_t *list, size_t size_bytes)
{
    Kz__Mutation *mutation = &command->mutations[command->message.n_mutations - 1];
    mutation->has_content = 1;
    mutation->content = (ProtobufCBinaryData){size_bytes, (uint8_t *)(uintptr_t)list};
}

void command_expect(struct command *command, uint64_t rev)
{
    Kz__Mutation *mutation = &command->mutations[command->message.n_mutations - 1];
    mutation->has_expected_rev = 1;
    mutation->expected_rev = rev;
}

Kz__Record *make_org(const char *id, const char *name, const char *parent)
{
    Kz__Record *record = kz_record_new(KZ__KIND__ORG, id);
    record->org->name = kz_must_strdup(name);
    record->org->has_type = 1;
    record->org->type = KZ__ORG__TYPE__DIVISION;
    if (parent != NULL) record->org->parent = kz_must_strdup(parent);
    return record;
}

Kz__Record *make_attachment(const char *id, const uint8_t hash[KZ_HASH_BYTES], size_t size_bytes)
{
    Kz__Record *record = kz_record_new(KZ__KIND__ATTACHMENT, id);
    Kz__Attachment *attachment = record->attachment;
    attachment->name = kz_must_strdup("構成図.pdf");
    attachment->media_type = kz_must_strdup("application/pdf");
    attachment->sha256 = kz_must_alloc(1, 2 * KZ_HASH_BYTES + 1);
    for (size_t i = 0; i < KZ_HASH_BYTES; i++)
        snprintf(attachment->sha256 + 2 * i, 3, "%02x", hash[i]);
    attachment->has_size = 1;
    attachment->size = (int64_t)size_bytes;
    return record;
}

Kz__Record *make_system(const char *id, const char *owner, const char *depends_on)
{
    Kz__Record *record = kz_record_new(KZ__KIND__SYSTEM, id);
    Kz__System *system = record->system;
    system->name = kz_must_strdup(id);
    system->owner = kz_must_strdup(owner);
    system->has_type = 1;
    system->type = KZ__SYSTEM__TYPE__BUSINESS;
    system->has_rto = 1;
    system->rto = 3 * 3600;
    if (depends_on != NULL) {
        system->depends_on = kz_must_alloc(1, sizeof(*system->depends_on));
        system->depends_on[0] = kz_must_strdup(depends_on);
        system->n_depends_on = 1;
    }
    return record;
}

/* ---- entries ---- */

uint8_t *batch_pack(int64_t time_ms, const Kz__Command *const *commands, size_t count, size_t *size_bytes)
{
    Kz__Batch batch = KZ__BATCH__INIT;
    batch.time_ms = time_ms;
    batch.n_commands = count;
    batch.commands = (Kz__Command **)(uintptr_t)commands;
    uint8_t *out = kz_must_alloc(1, kz__batch__get_packed_size(&batch) + 1);
    *size_bytes = kz__batch__pack(&batch, out);
    return out;
}

void fixture_append(struct fixture *f, enum kz_entry_type type, const void *data, size_t size_bytes)
{
    struct kz_entry entry = {f->term, type, data, size_bytes};
    struct kz_store_txn *txn;
    must(kz_store_begin(f->store, &txn, &must_err));
    must(kz_txn_append(txn, ++f->index, &entry, 1, &must_err));
    must(kz_store_commit(txn, &must_err));
}

void fixture_apply(struct fixture *f, const struct kz_apply_sink *sink)
{
    struct kz_store_txn *txn;
    must(kz_store_begin(f->store, &txn, &must_err));
    must(kz_txn_apply(txn, f->index, sink, &must_err));
    must(kz_store_commit(txn, &must_err));
}

struct taken {
    uint64_t index;
    Kz__Outcome *outcome;
};

static void take_packed(void *data, uint64_t index, const uint8_t *request_id, const uint8_t *packed, size_t size_bytes)
{
    struct taken *taken = data;
    (void)request_id;
    assert_null(taken->outcome);
    taken->outcome = kz__outcome__unpack(NULL, size_bytes, packed);
    taken->index = index;
}

Kz__Outcome *fixture_run(struct fixture *f, struct command *command)
{
    size_t size;
    const Kz__Command *messages[] = {&command->message};
    uint8_t *data = batch_pack(f->time_ms, messages, 1, &size);
    struct taken taken = {0, NULL};
    const struct kz_apply_sink sink = {.data = &taken, .packed = take_packed};
    fixture_append(f, KZ_ENTRY_COMMAND, data, size);
    fixture_apply(f, &sink);
    free(data);
    command_fini(command);
    assert_non_null(taken.outcome);
    assert_int_equal(taken.index, f->index);
    f->time_ms += 1000;
    return taken.outcome;
}

void fixture_must(struct fixture *f, struct command *command, enum kz_code code)
{
    Kz__Outcome *outcome = fixture_run(f, command);
    if (outcome->code != (uint32_t)code)
        fail_msg("outcome %s, not %s%s%s%s", kz_code_name((enum kz_code)outcome->code), kz_code_name(code),
                 outcome->n_violations > 0 ? outcome->violations[0]->path : "", outcome->n_violations > 0 ? ": " : "",
                 outcome->n_violations > 0 ? outcome->violations[0]->en : "");
    kz__outcome__free_unpacked(outcome, NULL);
}

void fixture_put(struct fixture *f, Kz__Record *record, enum kz_code code)
{
    struct command command;
    command_init(&command, f->request++);
    command_put(&command, record);
    fixture_must(f, &command, code);
}

void fixture_retire(struct fixture *f, Kz__Kind kind, const char *id, bool force, enum kz_code code)
{
    struct command command;
    command_init(&command, f->request++);
    command_retire(&command, kind, id, force);
    fixture_must(f, &command, code);
}

/* ---- looking ---- */

struct kz_applied fixture_applied(struct fixture *f)
{
    struct kz_view *view;
    struct kz_applied out = {0};
    must(kz_view_open(f->store, &view, &must_err));
    must(kz_view_applied(view, &out, &must_err));
    kz_view_close(view);
    return out;
}

struct kz_hard_state fixture_hard(struct fixture *f)
{
    struct kz_view *view;
    struct kz_hard_state out;
    must(kz_view_open(f->store, &view, &must_err));
    must(kz_view_hard(view, &out, &must_err));
    kz_view_close(view);
    return out;
}

Kz__Record *fixture_get(struct fixture *f, Kz__Kind kind, const char *id)
{
    struct kz_view *view;
    struct kz_err err = {KZ_OK, ""};
    Kz__Record *record = NULL;
    must(kz_view_open(f->store, &view, &must_err));
    enum kz_code code = kz_view_get(view, kind, id, &record, &err);
    if (code != KZ_OK && code != KZ_NOT_FOUND) fail_msg("get: %s", err.text);
    kz_view_close(view);
    return record;
}

uint64_t fixture_rev(struct fixture *f, Kz__Kind kind, const char *id)
{
    Kz__Record *record = fixture_get(f, kind, id);
    assert_non_null(record);
    uint64_t rev = record->rev;
    kz__record__free_unpacked(record, NULL);
    return rev;
}

void fixture_scrub(struct fixture *f)
{
    struct kz_view *view;
    must(kz_view_open(f->store, &view, &must_err));
    must(kz_view_scrub(view, &must_err));
    kz_view_close(view);
}

void fixture_fill(struct fixture *f)
{
    struct command command;
    fixture_append(f, KZ_ENTRY_BARRIER, NULL, 0);
    fixture_append(f, KZ_ENTRY_CHANGE, "configuration", 13);
    fixture_put(f, make_org("joho", "情報システム課", NULL), KZ_OK);
    fixture_put(f, make_org("koseki", "戸籍住民課", "joho"), KZ_OK);
    fixture_put(f, make_system("juki", "koseki", NULL), KZ_OK);
    fixture_put(f, make_system("zeimu", "koseki", "juki"), KZ_OK);
    fixture_put(f, make_org("kyu", "旧課", NULL), KZ_OK);
    fixture_retire(f, KZ__KIND__ORG, "kyu", false, KZ_OK);
    fixture_put(f, make_system("dangling", "nobody", NULL), KZ_INVALID);
    command_init(&command, f->request++);
    command_verify(&command, KZ__KIND__SYSTEM, "juki");
    fixture_must(f, &command, KZ_OK);

    struct kz_store_txn *txn;
    must(kz_store_begin(f->store, &txn, &must_err));
    must(kz_txn_put_hard(txn, f->term, 2, &must_err));
    must(kz_txn_put_local(txn, "cursor", "abc", 3, &must_err));
    must(kz_store_commit(txn, &must_err));
}

static void hash_text(const char *text, uint8_t out[KZ_HASH_BYTES])
{
    struct kz_hash hash;
    kz_hash_init(&hash);
    kz_hash_add(&hash, text, strlen(text));
    kz_hash_done(&hash, out);
}

void fixture_fill_blobs(struct fixture *f)
{
    static const char *const texts[] = {"kept one", "kept two", "loose one", "loose two"};
    for (size_t i = 0; i < 4; i++) {
        struct command command;
        uint8_t hash[KZ_HASH_BYTES];
        char id[] = "file-0";
        id[5] = (char)('0' + i);
        hash_text(texts[i], hash);
        command_init(&command, f->request++);
        command_chunk(&command, id, (const uint8_t *)texts[i], strlen(texts[i]));
        fixture_must(f, &command, KZ_OK);
        if (i >= 2) continue;
        command_init(&command, f->request++);
        command_put(&command, make_attachment(id, hash, strlen(texts[i])));
        command_content(&command, hash, sizeof(hash)); /* one chunk: the same hash */
        fixture_must(f, &command, KZ_OK);
    }
}

void fixture_copy_state(struct fixture *from, struct fixture *to, size_t room)
{
    struct kz_applied applied = fixture_applied(from);
    struct kz_view *view;
    struct kz_store_txn *txn;
    struct kz_export_cursor cursor = {0};
    uint8_t *rows = kz_must_alloc(1, room);
    size_t size;
    must(kz_view_open(from->store, &view, &must_err));
    must(kz_store_begin(to->store, &txn, &must_err));
    must(kz_txn_import_begin(txn, NULL, &must_err));
    must(kz_store_commit(txn, &must_err));
    for (;;) {
        must(kz_view_export(view, &cursor, rows, room, &size, &must_err));
        if (size == 0) break;
        must(kz_store_begin(to->store, &txn, &must_err));
        must(kz_txn_import_rows(txn, rows, size, NULL, &must_err));
        must(kz_store_commit(txn, &must_err));
    }
    must(kz_store_begin(to->store, &txn, &must_err));
    must(kz_txn_install(txn, applied.index, applied.term, &must_err));
    must(kz_store_commit(txn, &must_err));
    kz_view_close(view);
    free(rows);
    to->index = applied.index;
    to->term = applied.term;
}
