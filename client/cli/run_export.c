/* SPDX-License-Identifier: Apache-2.0 */
/* `export`: all records of some kinds, in forms that import and apply read back. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/cli/commands.h"
#include "client/cli/files.h"
#include "client/cli/gather.h"
#include "client/codec/encode.h"
#include "client/codec/export.h"
#include "node/base/assert.h"

#define NUMBER_TEXT_BYTES 24
#define KIND_NAME_BYTES 64
#define USAGE "keizoku export csv|xlsx|json|yaml [--kind KIND,...] [-f FILE|--dir FOLDER]"
#define FRESH_SUFFIX ".part"

enum form { FORM_CSV, FORM_XLSX, FORM_JSON, FORM_YAML, FORMS };
static const char *const form_words[FORMS] = {"csv", "xlsx", "json", "yaml"};

struct export
{
    struct kz_cli *cli;
    enum form form;
    Kz__Kind *kinds; /* owned */
    size_t kind_count;
    struct kz_gathered gathered;
    struct kz_export *parts; /* one per kind */
    const Kz__Record **records;
};

/* ---- what is asked for ---- */

static int read_form(struct export *export)
{
    struct kz_cli *cli = export->cli;
    const char *word = cli->words.count > 1 ? cli->words.items[1] : "csv|xlsx|json|yaml";
    if (cli->words.count != 2)
        return kz_cli_fail(
            cli, kz_error_new(KZ_USAGE, cli->words.count < 2 ? KZ_T_ARGUMENT_MISSING : KZ_T_ARGUMENT_EXTRA,
                              KZ_T_USAGE_IS_SECOND, KZ_T_USE_HELP_THIRD,
                              KZ_TEXT_ARGS(cli->words.count < 2 ? word : cli->words.items[2], USAGE, "export")));
    for (export->form = 0; export->form < FORMS; export->form++)
        if (strcmp(word, form_words[export->form]) == 0) return 0;
    return kz_cli_fail(cli, kz_error_new(KZ_USAGE, KZ_T_EXPORT_FORM, KZ_T_EXPORT_FORMS, KZ_T_USE_HELP_THIRD,
                                         KZ_TEXT_ARGS(word, USAGE, "export")));
}

static bool has_kind(const struct export *export, Kz__Kind kind)
{
    for (size_t i = 0; i < export->kind_count; i++)
        if (export->kinds[i] == kind) return true;
    return false;
}

/* --kind site,org; without it every kind that can be written again. */
static int read_kinds(struct export *export)
{
    size_t count;
    const struct kz_kind *all = kz_kinds(&count);
    const char *names = export->cli->options.kind;
    export->kinds = kz_must_alloc(count, sizeof *export->kinds);
    for (size_t i = 0; !names && i < count; i++)
        if (!all[i].event) export->kinds[export->kind_count++] = all[i].number;
    while (names) {
        char name[KIND_NAME_BYTES];
        size_t length = strcspn(names, ",");
        snprintf(name, sizeof name, "%.*s", (int)(length < sizeof name ? length : sizeof name - 1), names);
        names = names[length] ? names + length + 1 : NULL;
        const struct kz_kind *kind = kz_kind_by_name(name);
        if (!kind)
            return kz_cli_fail(export->cli, kz_error_new(KZ_USAGE, KZ_T_UNKNOWN_KIND, KZ_T_UNDO_KIND_WHY,
                                                         KZ_T_USE_SCHEMA, KZ_TEXT_ARGS(name)));
        if (!has_kind(export, kind->number)) export->kinds[export->kind_count++] = kind->number;
    }
    return 0;
}

static int fail_usage(struct export *export, enum kz_text_id what, enum kz_text_id hint, const char *argument)
{
    return kz_cli_fail(
        export->cli, kz_error_new(KZ_USAGE, what, KZ_T_USAGE_IS_SECOND, hint, KZ_TEXT_ARGS(argument, USAGE, "export")));
}

static int check_target(struct export *export)
{
    const struct kz_options *options = &export->cli->options;
    char number[NUMBER_TEXT_BYTES];
    snprintf(number, sizeof number, "%zu", export->kind_count);
    if (options->dir && (options->file || export->form != FORM_CSV))
        return fail_usage(export, KZ_T_EXPORT_DIR_OR_FILE, KZ_T_USE_HELP_THIRD, NULL);
    if (options->encoding != KZ_ENCODING_UTF8_BOM && export->form != FORM_CSV)
        return fail_usage(export, KZ_T_EXPORT_ENCODING_HERE, KZ_T_USE_HELP_THIRD, NULL);
    if (export->form == FORM_CSV && !options->dir && export->kind_count != 1)
        return fail_usage(export, KZ_T_EXPORT_ONE_CSV, KZ_T_EXPORT_ONE_CSV_HINT, number);
    if (export->form == FORM_XLSX && (!options->file || strcmp(options->file, "-") == 0))
        return fail_usage(export, KZ_T_EXPORT_NEEDS_FILE, KZ_T_USE_HELP_THIRD, NULL);
    return 0;
}

/* Records of one kind stand together, as they were gathered. */
static void part(struct export *export)
{
    size_t at = 0;
    export->parts = kz_must_alloc(export->kind_count + 1, sizeof *export->parts);
    export->records = kz_must_alloc(export->gathered.count + 1, sizeof *export->records);
    for (size_t i = 0; i < export->kind_count; i++) {
        struct kz_export *one = &export->parts[i];
        *one = (struct kz_export){.kind = kz_kind_by_number(export->kinds[i]), .records = export->records + at};
        for (size_t j = 0; j < export->gathered.count; j++) {
            if (export->gathered.records[j]->kind != export->kinds[i]) continue;
            export->records[at++] = export->gathered.records[j];
            one->count++;
        }
    }
}

/* ---- files ---- */

static int fail_unwritable(struct export *export, const char *path, int number)
{
    return kz_cli_fail(export->cli, kz_error_new(KZ_IO, KZ_T_EXPORT_UNWRITABLE, kz_text_of_errno(number),
                                                 KZ_T_FILE_HINT, KZ_TEXT_ARGS(path, strerror(number))));
}

static void tell_done(struct export *export, const char *path, size_t count)
{
    char number[NUMBER_TEXT_BYTES];
    snprintf(number, sizeof number, "%zu", count);
    kz_cli_tell(export->cli, KZ_T_EXPORT_DONE, KZ_TEXT_ARGS(path, number));
}

/* ---- the forms ---- */

static int fail_refused(struct export *export, struct kz_violations *refused)
{
    char number[NUMBER_TEXT_BYTES];
    snprintf(number, sizeof number, "%zu", refused->count);
    const char *name = kz_encoding_name((enum kz_encoding) export->cli->options.encoding);
    Kz__Error *error = kz_error_new(KZ_INVALID, KZ_T_CALL_FAILED, KZ_T_EXPORT_REFUSED_WHY, KZ_T_EXPORT_REFUSED_HINT,
                                    KZ_TEXT_ARGS(number, "cp932", name));
    kz_error_set(&error->what_en, kz_code_text(KZ_INVALID, false));
    kz_error_set(&error->what_ja, kz_code_text(KZ_INVALID, true));
    error->violations = refused->items;
    error->n_violations = refused->count;
    *refused = (struct kz_violations){0};
    return kz_cli_fail(export->cli, error);
}

/* `path` NULL: into `out` only. */
static int make_csv(struct export *export, const struct kz_export *one, const char *path, struct kz_buf *out)
{
    enum kz_encoding encoding = (enum kz_encoding) export->cli->options.encoding;
    struct kz_grid grid = {0};
    struct kz_violations refused = {0};
    struct kz_buf text;
    int status = 0;
    kz_buf_init(&text, 0);
    kz_export_grid(one, export->cli->view.japanese, &grid);
    if (kz_export_check(one, &grid, path ? path : "<stdout>", encoding, &refused)) {
        kz_grid_write_csv(&grid, export->cli->view.headers, false, &text);
        if (!kz_encoding_encode(encoding, kz_buf_text(&text), text.size_bytes, out))
            status = kz_cli_fail(export->cli, kz_error_new(KZ_FAILED, KZ_T_SHEET_NO_CONVERTER, KZ_T_EMPTY, KZ_T_EMPTY,
                                                           KZ_TEXT_ARGS(kz_encoding_name(encoding))));
    } else {
        status = fail_refused(export, &refused);
    }
    kz_violations_fini(&refused);
    kz_buf_fini(&text);
    kz_grid_fini(&grid);
    return status;
}

static int write_folder(struct export *export)
{
    const char *folder = export->cli->options.dir;
    if (mkdir(folder, 0700) != 0 && errno != EEXIST) return fail_unwritable(export, folder, errno);
    for (size_t i = 0; i < export->kind_count; i++) {
        struct kz_buf path, bytes;
        kz_buf_init(&path, 0);
        kz_buf_init(&bytes, 0);
        kz_buf_addf(&path, "%s/%s.csv", folder, export->parts[i].kind->name);
        int status = make_csv(export, &export->parts[i], kz_buf_text(&path), &bytes);
        int number = status ? 0 : kz_files_write(kz_buf_text(&path), &bytes);
        if (number) status = fail_unwritable(export, kz_buf_text(&path), number);
        if (!status) tell_done(export, kz_buf_text(&path), export->parts[i].count);
        kz_buf_fini(&path);
        kz_buf_fini(&bytes);
        if (status) return status;
    }
    return 0;
}

static int write_xlsx(struct export *export)
{
    const char *path = export->cli->options.file;
    for (size_t i = 0; i < export->kind_count; i++) {
        struct kz_grid grid = {0};
        char columns[NUMBER_TEXT_BYTES], characters[NUMBER_TEXT_BYTES];
        kz_export_grid(&export->parts[i], export->cli->view.japanese, &grid);
        bool fits = kz_xlsx_fits(&grid);
        snprintf(columns, sizeof columns, "%zu", grid.column_count);
        snprintf(characters, sizeof characters, "%u", KZ_XLSX_MAX_CHARACTERS);
        kz_grid_fini(&grid);
        if (!fits)
            return kz_cli_fail(export->cli,
                               kz_error_new(KZ_TOO_BIG, KZ_T_EXPORT_TOO_WIDE, KZ_T_EMPTY, KZ_T_EXPORT_TOO_WIDE_HINT,
                                            KZ_TEXT_ARGS(export->parts[i].kind->name, columns, characters)));
    }
    struct kz_buf fresh;
    kz_buf_init(&fresh, 0);
    kz_buf_addf(&fresh, "%s" FRESH_SUFFIX, path);
    mode_t before = umask(0077);
    const char *reason =
        kz_xlsx_write(kz_buf_text(&fresh), export->parts, export->kind_count, export->cli->view.japanese);
    (void)umask(before);
    int status = 0;
    if (reason)
        status = kz_cli_fail(export->cli, kz_error_new(KZ_IO, KZ_T_EXPORT_UNWRITABLE, KZ_T_SECOND, KZ_T_FILE_HINT,
                                                       KZ_TEXT_ARGS(path, reason)));
    else if (rename(kz_buf_text(&fresh), path) != 0)
        status = fail_unwritable(export, path, errno);
    if (status) (void)unlink(kz_buf_text(&fresh));
    kz_buf_fini(&fresh);
    if (!status) tell_done(export, path, export->gathered.count);
    return status;
}

static void make_document(struct export *export, struct kz_buf *out)
{
    json_t *items = json_array();
    struct kz_view view = export->cli->view;
    view.output = export->form == FORM_JSON ? KZ_OUTPUT_JSON : KZ_OUTPUT_YAML;
    for (size_t i = 0; i < export->gathered.count; i++)
        kz_assert(json_array_append_new(items, kz_encode_record(export->gathered.records[i])) == 0);
    kz_show_items(&view, export->gathered.meta, items, out);
}

static int make_and_write(struct export *export, struct kz_buf *out)
{
    const char *path = export->cli->options.file;
    if (export->cli->options.dir) return write_folder(export);
    if (export->form == FORM_XLSX) return write_xlsx(export);
    bool to_stdout = !path || strcmp(path, "-") == 0;
    if (export->form == FORM_CSV) {
        int status = make_csv(export, &export->parts[0], to_stdout ? NULL : path, out);
        if (status) return status;
    } else {
        make_document(export, out);
    }
    if (to_stdout) return 0;
    int number = kz_files_write(path, out);
    kz_buf_clear(out);
    if (number) return fail_unwritable(export, path, number);
    tell_done(export, path, export->gathered.count);
    return 0;
}

int kz_run_export(struct kz_cli *cli)
{
    struct export export = {.cli = cli};
    struct kz_buf out;
    kz_buf_init(&out, 0);
    int status = read_form(&export);
    if (!status) status = read_kinds(&export);
    if (!status) status = check_target(&export);
    if (!status) status = kz_gather_kinds(cli, export.kinds, export.kind_count, &export.gathered);
    if (!status) {
        part(&export);
        status = make_and_write(&export, &out);
        if (!status) status = kz_cli_answer(cli, export.gathered.meta, &out);
    }
    kz_buf_fini(&out);
    kz_gathered_fini(&export.gathered);
    free(export.kinds);
    free(export.parts);
    free(export.records);
    return status;
}
