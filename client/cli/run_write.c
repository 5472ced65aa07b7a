/* SPDX-License-Identifier: Apache-2.0 */
/* The commands that change records: apply, verify, retire. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/commands.h"
#include "client/cli/confirm.h"
#include "client/cli/files.h"
#include "node/base/assert.h"
#include "proto/wire.h"

#define NUMBER_TEXT_BYTES 24
#define IDS_FEW 20
#define REQUEST_ROOM_BYTES (8u << 10) /* of a frame: request id, reason, framing of the mutations */

static_assert(REQUEST_ROOM_BYTES + KZ_RECORD_MAX_BYTES < KZ_FRAME_MAX_BYTES, "one record always fits");

/* ---- what was done ---- */

static void tell_summary(struct kz_cli *cli, const Kz__Outcome *outcome, bool dry_run)
{
    size_t unchanged = 0;
    for (size_t i = 0; i < outcome->n_changed; i++)
        if (outcome->changed[i]->has_unchanged && outcome->changed[i]->unchanged) unchanged++;
    char changed_text[NUMBER_TEXT_BYTES], unchanged_text[NUMBER_TEXT_BYTES], rev[NUMBER_TEXT_BYTES];
    snprintf(changed_text, sizeof changed_text, "%zu", outcome->n_changed - unchanged);
    snprintf(unchanged_text, sizeof unchanged_text, "%zu", unchanged);
    snprintf(rev, sizeof rev, "%" PRIu64, outcome->rev);
    kz_cli_tell(cli, dry_run ? KZ_T_WOULD_APPLY : KZ_T_APPLIED, KZ_TEXT_ARGS(changed_text, unchanged_text, rev));
}

static int show_done(struct kz_cli *cli, Kz__Mutation__Op op, const Kz__Response *response, bool dry_run, bool each)
{
    int status = each ? kz_cli_done(cli, op, response, dry_run) : 0;
    tell_summary(cli, response->outcome, dry_run);
    return status;
}

/* ---- apply ---- */

static Kz__Mutation **make_puts(const struct kz_entries *entries)
{
    Kz__Mutation **mutations = kz_must_alloc(entries->count, sizeof *mutations);
    for (size_t i = 0; i < entries->count; i++) {
        const struct kz_entry *entry = &entries->items[i];
        mutations[i] = kz_cli_new_mutation(KZ__MUTATION__OP__PUT, entry->record->kind, entry->record->id);
        mutations[i]->record = entry->record;
        mutations[i]->has_expected_rev = entry->has_rev;
        mutations[i]->expected_rev = entry->rev;
    }
    return mutations;
}

/* How many of the mutations fit one transaction, and their bytes. */
static size_t count_fitting(Kz__Mutation *const *mutations, size_t count, size_t *size_bytes)
{
    size_t fitting = 0, size = 0;
    while (fitting < count && fitting < KZ_MUTATIONS_MAX) {
        size_t more = kz__mutation__get_packed_size(mutations[fitting]) + 8; /* tag and length of the item */
        if (fitting > 0 && size + more > KZ_FRAME_MAX_BYTES - REQUEST_ROOM_BYTES) break;
        size += more;
        fitting++;
    }
    *size_bytes = size;
    return fitting;
}

static int fail_too_big(struct kz_cli *cli, Kz__Mutation *const *mutations, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += kz__mutation__get_packed_size(mutations[i]);
    char number[NUMBER_TEXT_BYTES], most[NUMBER_TEXT_BYTES], frame[NUMBER_TEXT_BYTES];
    bool many = count > KZ_MUTATIONS_MAX;
    snprintf(number, sizeof number, "%zu", many ? count : size);
    snprintf(most, sizeof most, "%u", KZ_MUTATIONS_MAX);
    snprintf(frame, sizeof frame, "%u", KZ_FRAME_MAX_BYTES - REQUEST_ROOM_BYTES);
    return kz_cli_fail(cli, kz_error_new(KZ_TOO_BIG, many ? KZ_T_TOO_MANY : KZ_T_FRAME_TOO_BIG, KZ_T_WHY_TOO_BIG_SECOND,
                                         KZ_T_HINT_TOO_BIG, KZ_TEXT_ARGS(number, most, frame)));
}

static size_t count_parts(Kz__Mutation *const *mutations, size_t count)
{
    size_t parts = 0, size;
    for (size_t at = 0; at < count; parts++)
        at += count_fitting(mutations + at, count - at, &size);
    return parts;
}

/* Events are appended one by one, each with its own answer: they have no place in a transaction. */
static int refuse_event(struct kz_cli *cli, const struct kz_entries *entries)
{
    for (size_t i = 0; i < entries->count; i++) {
        const Kz__Record *record = entries->items[i].record;
        if (!kz_kind_by_number(record->kind)->event) continue;
        struct kz_buf place;
        kz_buf_init(&place, 0);
        if (entries->items[i].node) kz_place_format(&place, entries->items[i].node->place);
        kz_buf_addf(&place, ": %s", kz_show_kind(record->kind));
        int status = kz_cli_fail(cli, kz_error_new(KZ_INVALID, KZ_T_APPLY_EVENT, KZ_T_APPLY_EVENT_WHY,
                                                   KZ_T_APPLY_EVENT_HINT, KZ_TEXT_ARGS(kz_buf_text(&place))));
        kz_buf_fini(&place);
        return status;
    }
    return 0;
}

/* That a file says APPROVED approves nothing; who wrote it should know whose turn it is. */
static void tell_waiting(struct kz_cli *cli, const Kz__Outcome *outcome, Kz__Mutation *const *mutations)
{
    for (size_t i = 0; i < outcome->n_changed; i++) {
        const Kz__Record *record = mutations[i]->record;
        bool unchanged = outcome->changed[i]->has_unchanged && outcome->changed[i]->unchanged;
        if (unchanged || record->kind != KZ__KIND__RUNBOOK || record->runbook->state != KZ__RUNBOOK__STATE__APPROVED)
            continue;
        kz_cli_tell(cli, KZ_T_RUNBOOK_WAITS, NULL, 0);
        return;
    }
}

static int send_parts(struct kz_cli *cli, Kz__Mutation **mutations, size_t count, const struct kz_entries *entries,
                      bool each)
{
    size_t parts = count_parts(mutations, count), done = 0;
    for (size_t at = 0; at < count; done++) {
        size_t size, part = count_fitting(mutations + at, count - at, &size);
        Kz__Response *response = NULL;
        int status = kz_cli_write(cli, mutations + at, part, cli->options.dry_run, entries, NULL, &response);
        if (!status) {
            status = show_done(cli, KZ__MUTATION__OP__PUT, response, cli->options.dry_run, each);
            if (response->outcome->n_changed == part) tell_waiting(cli, response->outcome, mutations + at);
            kz__response__free_unpacked(response, NULL);
        }
        if (status) {
            char done_text[NUMBER_TEXT_BYTES], parts_text[NUMBER_TEXT_BYTES];
            snprintf(done_text, sizeof done_text, "%zu", done);
            snprintf(parts_text, sizeof parts_text, "%zu", parts);
            if (parts > 1) kz_cli_tell(cli, KZ_T_PART_APPLIED, KZ_TEXT_ARGS(done_text, parts_text));
            return status;
        }
        at += part;
    }
    return 0;
}

int kz_write_entries(struct kz_cli *cli, const struct kz_entries *entries, bool each)
{
    Kz__Mutation **mutations = make_puts(entries);
    size_t count = entries->count;
    int status = refuse_event(cli, entries);
    if (!status) {
        bool too_big = count_parts(mutations, count) > 1 && !cli->options.split;
        status = too_big ? fail_too_big(cli, mutations, count) : send_parts(cli, mutations, count, entries, each);
    }
    kz_cli_free_mutations(mutations, count);
    return status;
}

int kz_run_apply(struct kz_cli *cli)
{
    if (!cli->options.file)
        return kz_cli_fail(cli, kz_error_new(KZ_USAGE, KZ_T_ARGUMENT_MISSING, KZ_T_USAGE_IS_SECOND, KZ_T_USE_HELP_THIRD,
                                             KZ_TEXT_ARGS("-f FILE", "keizoku apply -f FILE|DIR|-", "apply")));
    struct kz_files files;
    Kz__Error *error = kz_files_read(&files, cli->options.file);
    if (error) {
        kz_files_fini(&files);
        return kz_cli_fail(cli, error);
    }
    int status = kz_write_entries(cli, &files.entries, true);
    kz_files_fini(&files);
    return status;
}

/* ---- verify, retire ---- */

/* What many records are is shown before they go; the node wants to be told their number too. */
static int confirm_many(struct kz_cli *cli)
{
    char number[NUMBER_TEXT_BYTES], rest[NUMBER_TEXT_BYTES];
    struct kz_buf out;
    kz_buf_init(&out, 0);
    snprintf(number, sizeof number, "%zu", cli->id_count);
    kz_show_line(&cli->view, &out, KZ_T_RETIRE_MANY, KZ_TEXT_ARGS(number));
    for (size_t i = 0; i < cli->id_count && i < IDS_FEW; i++)
        kz_buf_addf(&out, "  %s/%s\n", cli->kind->name, cli->ids[i]);
    snprintf(rest, sizeof rest, "%zu", cli->id_count > IDS_FEW ? cli->id_count - IDS_FEW : 0);
    if (cli->id_count > IDS_FEW) kz_show_line(&cli->view, &out, KZ_T_MORE_ROWS, KZ_TEXT_ARGS(rest));
    kz_cli_note(cli, kz_buf_text(&out));
    kz_buf_fini(&out);
    cli->retires = (uint32_t)cli->id_count;
    return kz_cli_confirm(cli, number);
}

/* The revision just before: the command's changes are numbered without a gap. */
static void tell_undo(struct kz_cli *cli, const Kz__Outcome *outcome)
{
    char rev[NUMBER_TEXT_BYTES];
    if (outcome->n_changed == 0) return;
    snprintf(rev, sizeof rev, "%" PRIu64, outcome->changed[0]->rev - 1);
    kz_cli_tell(cli, KZ_T_RETIRE_UNDO, KZ_TEXT_ARGS(rev));
}

static int run_on_ids(struct kz_cli *cli, Kz__Mutation__Op op)
{
    size_t count = cli->id_count;
    bool many = op == KZ__MUTATION__OP__RETIRE && count > KZ_RETIRE_UNASKED_MAX && count <= KZ_MUTATIONS_MAX;
    int refused = many ? confirm_many(cli) : 0;
    if (refused) return refused;
    Kz__Mutation **mutations = kz_must_alloc(count, sizeof *mutations);
    for (size_t i = 0; i < count; i++) {
        mutations[i] = kz_cli_new_mutation(op, cli->kind->number, cli->ids[i]);
        mutations[i]->has_force = mutations[i]->force = cli->options.force;
    }
    Kz__Response *response = NULL;
    int status = count > KZ_MUTATIONS_MAX ? fail_too_big(cli, mutations, count)
                                          : kz_cli_write(cli, mutations, count, false, NULL, NULL, &response);
    if (response && !status) {
        status = show_done(cli, op, response, false, true);
        if (many) tell_undo(cli, response->outcome);
        kz__response__free_unpacked(response, NULL);
    }
    kz_cli_free_mutations(mutations, count);
    return status;
}

int kz_run_verify(struct kz_cli *cli) { return run_on_ids(cli, KZ__MUTATION__OP__VERIFY); }
int kz_run_retire(struct kz_cli *cli) { return run_on_ids(cli, KZ__MUTATION__OP__RETIRE); }
