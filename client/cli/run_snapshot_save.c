/* SPDX-License-Identifier: Apache-2.0 */
/* `keizoku snapshot save`: a node's state into a file, old generations out of the folder, the result into a record. */
#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "client/cli/progress.h"
#include "client/cli/snapshot.h"
#include "client/clock.h"
#include "node/backup/keep.h"
#include "node/base/assert.h"
#include "node/base/config.h"

#define ATTEMPTS 3 /* a stream that breaks is begun anew, at the next node */
#define NUMBER_TEXT_BYTES 24
#define STAMP_BYTES 32
#define GIB_BYTES (1ull << 30)
#define RECORD_TRIES 3

struct save {
    struct kz_cli *cli;
    struct kz_keep keep;
    bool prunes;
    struct kz_backup_key recipients[KZ_BACKUP_RECIPIENTS_MAX];
    size_t recipient_count;
    char *path; /* owned; of the attempt */
    struct kz_backup_writer *writer;
    uint64_t rows, rows_done, bytes; /* of the stream */
    bool complete;
    struct kz_progress progress;
    enum kz_backup_fault fault; /* of the file */
    struct kz_err err;          /* of the file, or of what the node sent */
    int64_t began_ms;           /* monotonic */
};

/* ---- the stream ---- */

static enum kz_code sign(void *data, const uint8_t hash[KZ_BACKUP_HASH_BYTES], uint8_t *out, size_t room,
                         size_t *size_bytes, struct kz_err *err)
{
    const struct save *save = data;
    return kz_tls_sign(kz_client_identity(save->cli->client), hash, out, room, size_bytes, err);
}

static char *choose_path(const struct save *save, const Kz__SnapshotHead *head, int64_t now_ms)
{
    const struct kz_options *options = &save->cli->options;
    if (options->file) return kz_must_strdup(options->file);
    char stamp[STAMP_BYTES] = "";
    struct tm parts;
    time_t now_s = (time_t)(now_ms / 1000);
    struct kz_buf path;
    kz_buf_init(&path, 0);
    if (gmtime_r(&now_s, &parts)) (void)strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &parts);
    kz_buf_addf(&path, "%s/" KZ_SNAPSHOT_PREFIX "%s-%s" KZ_SNAPSHOT_SUFFIX, options->dir, head->cluster, stamp);
    char *text = kz_must_strdup(kz_buf_text(&path));
    kz_buf_fini(&path);
    return text;
}

static bool create(struct save *save, const Kz__SnapshotHead *head)
{
    struct kz_client *client = save->cli->client;
    ProtobufCBinaryData certificates[KZ_TLS_CERTIFICATES_MAX];
    if (strcmp(head->cluster, kz_client_cluster(client)) != 0 || head->format != KZ_SNAPSHOT_FORMAT ||
        head->state_hash.len != KZ_BACKUP_HASH_BYTES) {
        (void)kz_fail(&save->err, KZ_PROTOCOL, "the node's state is of cluster %.64s, format %u", head->cluster,
                      head->format);
        return false;
    }
    int64_t now_ms = kz_cli_now_ms();
    free(save->path);
    save->path = choose_path(save, head, now_ms);
    save->rows = head->rows;
    const struct kz_backup_options options = {.saved_by = kz_client_user(client),
                                              .program = KEIZOKU_VERSION,
                                              .saved_ms = now_ms,
                                              .state = head,
                                              .recipients = save->recipients,
                                              .recipient_count = save->recipient_count,
                                              .certificates = certificates,
                                              .certificate_count =
                                                  kz_tls_own_certificates(kz_client_identity(client), certificates),
                                              .sign = sign,
                                              .data = save};
    save->fault = kz_backup_create(save->path, &options, &save->writer, &save->err);
    return save->fault == KZ_BACKUP_FINE;
}

static bool on_part(void *data, const Kz__Response *response)
{
    struct save *save = data;
    const Kz__SnapshotPart *part = response->snapshot;
    if (!save->writer != (part->head != NULL) || save->complete || part->rows.len > KZ_BACKUP_CHUNK_MAX_BYTES) {
        (void)kz_fail(&save->err, KZ_PROTOCOL, "the node's parts are out of order");
        return false;
    }
    if (part->head) return create(save, part->head);
    save->rows_done = part->rows_done;
    save->bytes += part->rows.len;
    save->complete = part->has_last && part->last;
    save->fault = kz_backup_add(save->writer, part->rows.data, part->rows.len, save->complete, &save->err);
    kz_progress_tell(&save->progress, save->rows_done, save->rows, save->bytes);
    return save->fault == KZ_BACKUP_FINE;
}

static void discard(struct save *save)
{
    kz_backup_writer_free(save->writer);
    save->writer = NULL;
    save->complete = false;
    save->rows_done = save->bytes = 0;
}

/* The answer of a node that refused, or NULL. */
static enum kz_code stream(struct save *save, Kz__Response **refusal, struct kz_err *err)
{
    struct kz_client *client = save->cli->client;
    enum kz_code code = KZ_OK;
    for (unsigned attempt = 0; attempt < ATTEMPTS; attempt++) {
        if (*refusal) kz__response__free_unpacked(*refusal, NULL);
        discard(save);
        code = kz_client_snapshot(client, on_part, save, refusal, err);
        if (save->fault || code == KZ_UNREACHABLE || code == KZ_NO_MEMORY) break;
        if (!code && !*refusal) break;
        if (*refusal && !kz_code_retryable((enum kz_code)(*refusal)->error->code)) break;
    }
    if (!code && !*refusal && (!save->complete || save->rows_done != save->rows))
        code = kz_fail(err, KZ_PROTOCOL, "the node sent %" PRIu64 " of %" PRIu64 " rows", save->rows_done, save->rows);
    if (code == KZ_FAILED && save->err.code) *err = save->err, code = save->err.code;
    return code;
}

static int fail_stream(struct save *save, Kz__Response *refusal, const struct kz_err *err)
{
    struct kz_cli *cli = save->cli;
    if (save->fault)
        return kz_snapshot_fail(cli, save->fault, KZ_T_BACKUP_NOT_SAVED, save->path ? save->path : "", &save->err);
    struct kz_error_context context = {.role = "backup", .node = refusal && refusal->meta ? refusal->meta->node : NULL};
    if (refusal) {
        Kz__Error *error = refusal->error;
        refusal->error = NULL;
        kz_error_complete(error, &context);
        return kz_cli_fail(cli, error);
    }
    if (err->code == KZ_UNREACHABLE)
        return kz_cli_fail(cli, kz_error_of_call(cli->client, err, cli->options.timeout_ms, &context));
    return kz_cli_fail(cli, kz_error_new(err->code, KZ_T_BACKUP_NOT_SAVED, KZ_T_BACKUP_STREAM_BROKE, KZ_T_CALL_HINT,
                                         KZ_TEXT_ARGS("", err->text)));
}

static int fetch(struct save *save)
{
    Kz__Response *refusal = NULL;
    struct kz_err err = {.code = KZ_OK};
    int status = kz_cli_connect(save->cli);
    if (status) return status;
    kz_progress_begin(&save->progress, save->cli, KZ_T_BACKUP_SAVING);
    enum kz_code code = stream(save, &refusal, &err);
    if (!code && !refusal) save->fault = kz_backup_finish(save->writer, &save->err);
    kz_progress_end(&save->progress);
    if (code || refusal || save->fault) status = fail_stream(save, refusal, &err);
    if (refusal) kz__response__free_unpacked(refusal, NULL);
    return status;
}

/* ---- generations ---- */

static int64_t local_seconds(int64_t time_ms)
{
    struct tm parts;
    time_t time = (time_t)(time_ms / 1000);
    return localtime_r(&time, &parts) ? (int64_t)time + parts.tm_gmtoff : (int64_t)time;
}

/* Ours to remove: made by us for this cluster under a name we choose, and whole as far as its head tells. What is
 * damaged or strange is left for a person to look at, and counts as no generation. */
static bool is_generation(const struct save *save, const struct kz_snapshot_item *item)
{
    return !item->fault && strncmp(item->name, KZ_SNAPSHOT_PREFIX, strlen(KZ_SNAPSHOT_PREFIX)) == 0 &&
           strcmp(kz_backup_manifest(item->file)->state->cluster, kz_client_cluster(save->cli->client)) == 0;
}

static size_t remove_old(const struct save *save, const struct kz_snapshot_items *items, size_t *kept)
{
    size_t *places = kz_must_alloc(items->count + 1, sizeof *places), count = 0, removed = 0;
    int64_t *times = kz_must_alloc(items->count + 1, sizeof *times);
    bool *keep = kz_must_alloc(items->count + 1, sizeof *keep);
    for (size_t i = 0; i < items->count; i++) {
        if (!is_generation(save, &items->items[i])) continue;
        places[count] = i;
        times[count++] = local_seconds(kz_backup_manifest(items->items[i].file)->saved_ms);
    }
    kz_keep_choose(&save->keep, times, count, keep);
    for (size_t i = 0; i < count; i++)
        if (!keep[i] && unlink(items->items[places[i]].path) == 0) removed++;
    *kept = count - removed;
    free(places);
    free(times);
    free(keep);
    return removed;
}

static int prune(struct save *save)
{
    struct kz_snapshot_trust trust;
    struct kz_snapshot_items items;
    char kept_text[NUMBER_TEXT_BYTES], removed_text[NUMBER_TEXT_BYTES];
    int status = kz_snapshot_open_trust(save->cli, true, &trust);
    if (status) return status;
    status = kz_snapshot_read_folder(save->cli, &trust, save->cli->options.dir, &items);
    if (!status) {
        size_t kept = 0, removed = remove_old(save, &items, &kept);
        snprintf(kept_text, sizeof kept_text, "%zu", kept);
        snprintf(removed_text, sizeof removed_text, "%zu", removed);
        kz_cli_tell(save->cli, KZ_T_BACKUP_KEPT, KZ_TEXT_ARGS(kept_text, removed_text));
    }
    kz_snapshot_items_fini(&items);
    kz_snapshot_close_trust(&trust);
    return status;
}

/* ---- the result as a record ---- */

static void fill_success(struct save *save, Kz__Backup *backup)
{
    uint8_t hash[KZ_BACKUP_HASH_BYTES];
    struct kz_buf text;
    kz_buf_init(&text, 0);
    kz_backup_written_hash(save->writer, hash);
    kz_buf_add_hex(&text, hash, sizeof hash);
    const char *slash = strrchr(save->path, '/');
    backup->has_last_success = backup->has_duration = backup->has_size_gb = true;
    backup->last_success = kz_backup_written(save->writer)->saved_ms;
    backup->duration = (kz_clock_ms() - save->began_ms + 999) / 1000;
    backup->size_gb = (int64_t)((kz_backup_written(save->writer)->file_bytes + GIB_BYTES - 1) / GIB_BYTES);
    kz_error_set(&backup->last_file, slash ? slash + 1 : save->path);
    kz_error_set(&backup->last_sha256, kz_buf_text(&text));
    kz_buf_fini(&text);
}

static int put_record(struct save *save, Kz__Record *record)
{
    Kz__Response *response = NULL;
    Kz__Mutation **mutations = kz_must_alloc(1, sizeof *mutations);
    mutations[0] = kz_cli_new_mutation(KZ__MUTATION__OP__PUT, KZ__KIND__BACKUP, record->id);
    mutations[0]->record = record;
    mutations[0]->has_expected_rev = true;
    mutations[0]->expected_rev = record->rev;
    int status = kz_cli_write(save->cli, mutations, 1, false, NULL, NULL, &response);
    if (response) kz__response__free_unpacked(response, NULL);
    kz_cli_free_mutations(mutations, 1);
    return status;
}

/* On success and on failure, so that who reads it later sees that nothing came. */
static int note_result(struct save *save, bool success)
{
    Kz__GetRequest get = KZ__GET_REQUEST__INIT;
    Kz__Request request = KZ__REQUEST__INIT;
    Kz__Response *response = NULL;
    struct kz_cli *cli = save->cli;
    get.kind = KZ__KIND__BACKUP;
    get.id = cli->options.record;
    request.get = &get;
    cli->kind = kz_kind_by_number(KZ__KIND__BACKUP);
    kz_cli_set_subject(cli, cli->options.record);
    int status = kz_cli_call(cli, &request, &response);
    if (status) return status;
    if (response->n_records == 1 && response->records[0]->backup) {
        Kz__Backup *backup = response->records[0]->backup;
        backup->has_last_result = true;
        backup->last_result = success ? KZ__BACKUP__RESULT__SUCCESS : KZ__BACKUP__RESULT__FAILED;
        if (success) fill_success(save, backup);
        status = put_record(save, response->records[0]);
    } else {
        status = kz_cli_fail(
            cli, kz_error_new(KZ_PROTOCOL, KZ_T_ODD_ANSWER, KZ_T_ODD_ANSWER_WHY, KZ_T_ODD_ANSWER_HINT, NULL, 0));
    }
    kz__response__free_unpacked(response, NULL);
    return status;
}

/* ---- one run ---- */

static int tell_saved(struct save *save)
{
    struct kz_cli *cli = save->cli;
    const Kz__BackupManifest *manifest = kz_backup_written(save->writer);
    char rev[NUMBER_TEXT_BYTES], provisional[NUMBER_TEXT_BYTES];
    struct kz_buf out, size;
    int status;
    kz_buf_init(&out, 0);
    kz_buf_init(&size, 0);
    if (cli->view.output == KZ_OUTPUT_TABLE) {
        kz_buf_addf(&out, "%s\n", save->path);
    } else {
        struct kz_snapshot_trust nobody = {0};
        struct kz_snapshot_items items = {0};
        kz_snapshot_add_item(&items, &nobody, NULL, save->path);
        kz_snapshot_show(&cli->view, &items, &out);
        kz_snapshot_items_fini(&items);
    }
    status = kz_cli_print(cli, &out);
    snprintf(rev, sizeof rev, "%" PRIu64, manifest->state->rev);
    snprintf(provisional, sizeof provisional, "%u", manifest->state->provisional);
    kz_snapshot_add_size(&size, manifest->file_bytes);
    kz_cli_tell(cli, KZ_T_BACKUP_SAVED, KZ_TEXT_ARGS(rev, manifest->state->node, kz_buf_text(&size)));
    if (manifest->state->provisional > 0)
        kz_cli_tell(cli, KZ_T_BACKUP_PROVISIONAL, KZ_TEXT_ARGS(provisional, manifest->state->node));
    kz_buf_fini(&out);
    kz_buf_fini(&size);
    return status;
}

static int read_arguments(struct save *save)
{
    const struct kz_options *options = &save->cli->options;
    if (!options->file == !options->dir) return kz_snapshot_fail_missing(save->cli, "save", "-f FILE | --dir DIR");
    if (!options->recipient) return kz_snapshot_fail_missing(save->cli, "save", "--recipient");
    save->prunes = options->keep != NULL;
    if (save->prunes && (!options->dir || !kz_keep_parse(options->keep, &save->keep)))
        return kz_cli_fail(save->cli,
                           kz_error_new(KZ_USAGE, KZ_T_OPTION_VALUE_BAD, KZ_T_BACKUP_KEEP_RULE, KZ_T_USE_HELP_THIRD,
                                        KZ_TEXT_ARGS("--keep", options->keep, "snapshot")));
    save->recipient_count = KZ_BACKUP_RECIPIENTS_MAX;
    return kz_snapshot_read_recipients(save->cli, options->recipient, save->recipients, &save->recipient_count);
}

int kz_snapshot_save(struct kz_cli *cli, const char *word)
{
    (void)word; /* it takes none */
    struct save *save = kz_must_alloc(1, sizeof *save);
    save->cli = cli;
    save->began_ms = kz_clock_ms();
    int status = read_arguments(save);
    if (!status) {
        if (cli->options.dir) kz_backup_sweep(cli->options.dir);
        status = fetch(save);
        if (!status) status = tell_saved(save);
        if (!status && save->prunes) status = prune(save);
        if (cli->options.record && cli->client) {
            int noted = note_result(save, save->writer && !save->fault && save->complete && !status);
            if (!status) status = noted;
        }
    }
    kz_backup_writer_free(save->writer);
    free(save->path);
    free(save);
    return status;
}
