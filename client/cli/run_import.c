/* SPDX-License-Identifier: Apache-2.0 */
/* `import`: a table that was edited elsewhere becomes changes of records, all of them or none. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/commands.h"
#include "client/cli/files.h"
#include "client/cli/gather.h"
#include "client/cli/show_import.h"
#include "client/codec/intake.h"
#include "node/base/assert.h"

#define NUMBER_TEXT_BYTES 24
#define WORKBOOK_MAGIC "PK\x03\x04" /* of a zip, which an .xlsx is */
#define USAGE "keizoku import csv FILE --kind KIND"

struct import {
    struct kz_cli *cli;
    const char *file;
    const struct kz_kind *kind;
    struct kz_buf bytes, mapping_bytes;
    struct kz_sheet sheet;
    struct kz_mapping mapping;
    struct kz_gathered gathered, past;
    struct kz_set set, past_set;
    struct kz_intake intake;
    Kz__Response **bases; /* of rows written from an older revision */
    size_t base_count;
    struct kz_tree tree;
    struct kz_entries entries;
    struct kz_violations problems, conflicts;
};

static int fail_problems(struct import *import, const char *what)
{
    kz_problems_sort_cells(&import->problems);
    return kz_cli_fail(import->cli, kz_error_of_problems(&import->problems, what));
}

/* ---- what is asked for ---- */

static int fail_usage(struct kz_cli *cli, enum kz_text_id what, const char *word)
{
    return kz_cli_fail(cli, kz_error_new(KZ_USAGE, what, KZ_T_USAGE_IS_SECOND, KZ_T_USE_HELP_THIRD,
                                         KZ_TEXT_ARGS(word, USAGE, "import")));
}

static int fail_workbook(struct kz_cli *cli, enum kz_code code, const char *what)
{
    return kz_cli_fail(
        cli, kz_error_new(code, KZ_T_IMPORT_FORM, KZ_T_IMPORT_FORM_WHY, KZ_T_IMPORT_FORM_HINT, KZ_TEXT_ARGS(what)));
}

static int read_words(struct import *import)
{
    const struct kz_words *words = &import->cli->words;
    if (words->count < 2) return fail_usage(import->cli, KZ_T_ARGUMENT_MISSING, "csv");
    if (strcmp(words->items[1], "xlsx") == 0) return fail_workbook(import->cli, KZ_USAGE, words->items[1]);
    if (strcmp(words->items[1], "csv") != 0) return fail_usage(import->cli, KZ_T_ARGUMENT_EXTRA, words->items[1]);
    if (words->count < 3) return fail_usage(import->cli, KZ_T_ARGUMENT_MISSING, "FILE");
    if (words->count > 3) return fail_usage(import->cli, KZ_T_ARGUMENT_EXTRA, words->items[3]);
    import->file = words->items[2];
    return 0;
}

static int read_mapping(struct import *import)
{
    const char *path = import->cli->options.mapping;
    if (!path) return 0;
    Kz__Error *error = kz_files_read_bytes(path, &import->mapping_bytes);
    if (error) return kz_cli_fail(import->cli, error);
    if (!kz_mapping_read(&import->mapping, path, kz_buf_text(&import->mapping_bytes), import->mapping_bytes.size_bytes,
                         &import->problems))
        return fail_problems(import, path);
    import->kind = import->mapping.kind;
    return 0;
}

static int find_kind(struct import *import)
{
    struct kz_cli *cli = import->cli;
    const char *name = cli->options.kind;
    if (!name && !import->kind) return fail_usage(cli, KZ_T_ARGUMENT_MISSING, "--kind KIND");
    const struct kz_kind *kind = name ? kz_kind_by_name(name) : import->kind;
    if (!kind)
        return kz_cli_fail(
            cli, kz_error_new(KZ_USAGE, KZ_T_UNKNOWN_KIND, KZ_T_UNDO_KIND_WHY, KZ_T_USE_SCHEMA, KZ_TEXT_ARGS(name)));
    if (import->kind && import->kind != kind)
        return kz_cli_fail(cli,
                           kz_error_new(KZ_USAGE, KZ_T_MAPPING_OTHER_KIND, KZ_T_USAGE_IS_SECOND, KZ_T_USE_HELP_THIRD,
                                        KZ_TEXT_ARGS(cli->options.mapping, import->kind->name, kind->name)));
    if (kind->event)
        return kz_cli_fail(cli, kz_error_new(KZ_INVALID, KZ_T_APPLY_EVENT, KZ_T_APPLY_EVENT_WHY, KZ_T_APPLY_EVENT_HINT,
                                             KZ_TEXT_ARGS(import->file)));
    import->kind = kind;
    return 0;
}

static int read_sheet(struct import *import)
{
    Kz__Error *error = kz_files_read_bytes(import->file, &import->bytes);
    if (error) return kz_cli_fail(import->cli, error);
    const char *shown = strcmp(import->file, "-") == 0 ? "<stdin>" : import->file;
    if (import->bytes.size_bytes >= strlen(WORKBOOK_MAGIC) &&
        memcmp(import->bytes.data, WORKBOOK_MAGIC, strlen(WORKBOOK_MAGIC)) == 0)
        return fail_workbook(import->cli, KZ_INVALID, shown);
    if (!kz_sheet_read(&import->sheet, shown, kz_buf_text(&import->bytes), import->bytes.size_bytes, &import->problems))
        return fail_problems(import, shown);
    return 0;
}

/* ---- what is there ---- */

static void make_set(struct kz_set *set, const struct kz_gathered *gathered)
{
    const Kz__Record **records = kz_must_alloc(gathered->count + 1, sizeof *records);
    for (size_t i = 0; i < gathered->count; i++)
        records[i] = gathered->records[i];
    kz_set_init(set, records, gathered->count);
    free(records);
}

static int read_present(struct import *import)
{
    size_t count, wanted = 0;
    const struct kz_kind *kinds = kz_kinds(&count);
    unsigned bits = kz_intake_kinds(import->kind);
    if (import->mapping.id_of) bits |= KZ_KIND_BIT(import->mapping.id_of->number);
    Kz__Kind *asked = kz_must_alloc(count, sizeof *asked);
    for (size_t i = 0; i < count; i++)
        if (bits & KZ_KIND_BIT(kinds[i].number)) asked[wanted++] = kinds[i].number;
    int status = kz_gather_kinds(import->cli, asked, wanted, &import->gathered);
    free(asked);
    if (!status) make_set(&import->set, &import->gathered);
    return status;
}

/* --base-rev: what rows without a revision of their own were written from. */
static int read_past(struct import *import)
{
    struct kz_cli *cli = import->cli;
    if (cli->options.base_rev < 0) return 0;
    char rev[NUMBER_TEXT_BYTES];
    snprintf(rev, sizeof rev, "%" PRId64, cli->options.base_rev);
    kz_error_set(&cli->options.as_of, rev); /* what gathering goes by; import has no --as-of of its own */
    int status = kz_gather_kinds(cli, &import->kind->number, 1, &import->past);
    free(cli->options.as_of);
    cli->options.as_of = NULL;
    if (status) return status;
    make_set(&import->past_set, &import->past);
    for (size_t i = 0; i < import->intake.row_count; i++) {
        struct kz_intake_row *row = &import->intake.rows[i];
        if (!row->has_rev) row->base = kz_set_find(&import->past_set, import->kind->number, row->id);
    }
    return 0;
}

/* NULL in *base: the record was not there then. */
static int ask_base(struct import *import, const struct kz_intake_row *row, const Kz__Record **base)
{
    struct kz_cli *cli = import->cli;
    Kz__GetRequest get = KZ__GET_REQUEST__INIT;
    get.kind = import->kind->number;
    get.id = (char *)(uintptr_t)row->id;
    get.has_as_of_rev = true;
    get.as_of_rev = row->rev;
    Kz__Request request = KZ__REQUEST__INIT;
    request.get = &get;
    Kz__Response *response = NULL;
    struct kz_err err = {.code = KZ_OK};
    *base = NULL;
    int connected = kz_cli_connect(cli);
    if (connected) return connected;
    if (kz_client_call(cli->client, &request, &response, &err) == KZ_OK && response->error &&
        response->error->code == KZ_NOT_FOUND) {
        kz__response__free_unpacked(response, NULL);
        return 0;
    }
    if (response) kz__response__free_unpacked(response, NULL);
    int status = kz_cli_call(cli, &request, &response); /* tells what is wrong, if it still is */
    if (status) return status;
    import->bases = kz_must_realloc(import->bases, (import->base_count + 1) * sizeof(Kz__Response *));
    import->bases[import->base_count++] = response;
    if (response->n_records == 1) *base = response->records[0];
    return 0;
}

static int read_bases(struct import *import)
{
    for (size_t i = 0; i < import->intake.row_count; i++) {
        struct kz_intake_row *row = &import->intake.rows[i];
        if (!row->has_rev || !row->current || row->rev >= row->current->rev) continue;
        int status = ask_base(import, row, &row->base);
        if (status) return status;
        if (row->base) continue;
        char rev[NUMBER_TEXT_BYTES];
        snprintf(rev, sizeof rev, "%" PRIu64, row->rev);
        kz_problem_add(&import->problems, kz_intake_place(&import->intake, row, import->intake.rev_column),
                       "import.rev", KZ_T_IMPORT_REV_UNKNOWN, KZ_TEXT_ARGS(rev));
    }
    return 0;
}

/* ---- what is to be done ---- */

static int fail_conflicts(struct import *import)
{
    char number[NUMBER_TEXT_BYTES];
    kz_problems_sort_cells(&import->conflicts);
    snprintf(number, sizeof number, "%zu", import->conflicts.count);
    Kz__Error *error = kz_error_new(KZ_CONFLICT, KZ_T_IMPORT_CONFLICTS, KZ_T_IMPORT_CONFLICTS_WHY,
                                    KZ_T_IMPORT_CONFLICTS_HINT, KZ_TEXT_ARGS(import->sheet.file, number));
    error->violations = import->conflicts.items;
    error->n_violations = import->conflicts.count;
    import->conflicts = (struct kz_violations){0};
    return kz_cli_fail(import->cli, error);
}

static int merge(struct import *import)
{
    struct kz_cli *cli = import->cli;
    enum kz_take take = (enum kz_take)cli->options.take;
    kz_intake_merge(&import->intake, take, &import->tree, &import->problems, &import->conflicts);
    (void)kz_decode_tree(&import->tree, &import->entries, &import->problems);
    if (import->problems.count > 0) return fail_problems(import, import->sheet.file);
    return import->conflicts.count > 0 ? fail_conflicts(import) : 0;
}

static int write_changes(struct import *import)
{
    struct kz_cli *cli = import->cli;
    size_t rows = import->intake.row_count, writes = import->entries.count;
    char rows_text[NUMBER_TEXT_BYTES], writes_text[NUMBER_TEXT_BYTES], rest_text[NUMBER_TEXT_BYTES];
    snprintf(rows_text, sizeof rows_text, "%zu", rows);
    snprintf(writes_text, sizeof writes_text, "%zu", writes);
    snprintf(rest_text, sizeof rest_text, "%zu", rows - writes);
    if (writes == 0) {
        kz_cli_tell(cli, KZ_T_IMPORT_NOTHING, KZ_TEXT_ARGS(rows_text));
        return 0;
    }
    kz_cli_tell(cli, KZ_T_IMPORT_ROWS,
                KZ_TEXT_ARGS(rows_text, kz_encoding_name(import->sheet.encoding), writes_text, rest_text));
    if (!cli->options.dry_run) return kz_write_entries(cli, &import->entries, true);
    struct kz_buf out;
    kz_buf_init(&out, 0);
    kz_show_import(&cli->view, &import->entries, &import->set, &out);
    int status = kz_cli_print(cli, &out);
    kz_buf_fini(&out);
    return status ? status : kz_write_entries(cli, &import->entries, false);
}

static int run(struct import *import)
{
    int status = read_words(import);
    if (!status) status = read_mapping(import);
    if (!status) status = find_kind(import);
    if (!status) status = read_sheet(import);
    if (!status) status = read_present(import);
    if (status) return status;
    const struct kz_mapping *mapping = import->mapping.root ? &import->mapping : NULL;
    bool readable =
        kz_intake_open(&import->intake, import->kind, &import->sheet, mapping, &import->set, &import->problems);
    /* Cells are looked at even where an id is wrong; without a header nothing is. */
    if (!readable && import->intake.row_count == 0) return fail_problems(import, import->sheet.file);
    status = read_past(import);
    if (!status) status = read_bases(import);
    if (!status) status = merge(import);
    return status ? status : write_changes(import);
}

int kz_run_import(struct kz_cli *cli)
{
    struct import import = {.cli = cli};
    kz_buf_init(&import.bytes, 0);
    kz_buf_init(&import.mapping_bytes, 0);
    int status = run(&import);
    kz_violations_fini(&import.problems);
    kz_violations_fini(&import.conflicts);
    kz_entries_fini(&import.entries);
    kz_tree_fini(&import.tree);
    kz_intake_fini(&import.intake);
    for (size_t i = 0; i < import.base_count; i++)
        kz__response__free_unpacked(import.bases[i], NULL);
    free(import.bases);
    kz_set_fini(&import.set);
    kz_set_fini(&import.past_set);
    kz_gathered_fini(&import.gathered);
    kz_gathered_fini(&import.past);
    kz_sheet_fini(&import.sheet);
    kz_mapping_fini(&import.mapping);
    kz_buf_fini(&import.bytes);
    kz_buf_fini(&import.mapping_bytes);
    return status;
}
