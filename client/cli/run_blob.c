/* SPDX-License-Identifier: Apache-2.0 */
/* `blob put`: a file as the content of an attachment, in chunks, then the record that refers to it. `blob get`: the
 * content back, verified before a byte of it is written. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nettle/sha2.h>

#include "client/cli/commands.h"
#include "client/cli/past.h"
#include "client/cli/progress.h"
#include "node/base/assert.h"
#include "node/base/buf.h"
#include "proto/wire.h"

#define NUMBER_TEXT_BYTES 24
#define PATH_BYTES 4096
#define HASH_BYTES SHA256_DIGEST_SIZE
#define HASH_HEX_BYTES (2 * HASH_BYTES + 1)
#define READ_BYTES (64u << 10)
#define ROUNDS_MAX 3 /* parts that went while others were sent are sent again */
#define STANDARD "-"

static void hash_bytes(const void *bytes, size_t size_bytes, uint8_t out[HASH_BYTES])
{
    struct sha256_ctx hash;
    sha256_init(&hash);
    if (size_bytes > 0) sha256_update(&hash, size_bytes, bytes);
    sha256_digest(&hash, HASH_BYTES, out);
}

static int fail_odd(struct kz_cli *cli)
{
    return kz_cli_fail(cli,
                       kz_error_new(KZ_PROTOCOL, KZ_T_ODD_ANSWER, KZ_T_ODD_ANSWER_WHY, KZ_T_ODD_ANSWER_HINT, NULL, 0));
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* ---- put: the file ---- */

struct upload {
    struct kz_cli *cli;
    const char *id, *path; /* borrowed */
    struct kz_buf bytes;   /* the whole file */
    uint8_t hash[HASH_BYTES];
    uint8_t list[KZ_BLOB_CHUNKS_MAX * HASH_BYTES];
    size_t chunks;
    Kz__Response *found; /* owner of `record` when there was one */
    Kz__Record *record;
    size_t sent; /* chunks */
    struct kz_progress progress;
};

static int fail_unreadable(struct kz_cli *cli, const char *path, int number)
{
    return kz_cli_fail(cli,
                       kz_error_new(number == ENOENT ? KZ_USAGE : KZ_IO, KZ_T_FILE_UNREADABLE, kz_text_of_errno(number),
                                    KZ_T_FILE_HINT, KZ_TEXT_ARGS(path, strerror(number))));
}

/* At most one byte more than may be: enough to know. */
static int read_file(struct upload *upload)
{
    bool standard = strcmp(upload->path, STANDARD) == 0;
    FILE *file = standard ? stdin : fopen(upload->path, "re");
    size_t got = 1;
    int number = 0;
    if (!file) return fail_unreadable(upload->cli, upload->path, errno);
    while (upload->bytes.size_bytes <= KZ_BLOB_MAX_BYTES && got > 0) {
        uint8_t *to = kz_buf_extend(&upload->bytes, READ_BYTES);
        kz_assert(to != NULL);
        errno = 0;
        got = fread(to, 1, READ_BYTES, file);
        upload->bytes.size_bytes -= READ_BYTES - got;
    }
    if (ferror(file)) number = errno ? errno : EIO;
    if (!standard) fclose(file);
    if (number) return fail_unreadable(upload->cli, upload->path, number);
    if (upload->bytes.size_bytes <= KZ_BLOB_MAX_BYTES) return 0;
    return kz_cli_fail(upload->cli, kz_error_new(KZ_TOO_BIG, KZ_T_BLOB_TOO_BIG, KZ_T_BLOB_TOO_BIG_WHY,
                                                 KZ_T_BLOB_TOO_BIG_HINT, KZ_TEXT_ARGS(upload->path)));
}

static size_t chunk_bytes(const struct upload *upload, size_t chunk)
{
    size_t rest = upload->bytes.size_bytes - chunk * KZ_CHUNK_MAX_BYTES;
    return rest < KZ_CHUNK_MAX_BYTES ? rest : KZ_CHUNK_MAX_BYTES;
}

static void hash_file(struct upload *upload)
{
    hash_bytes(upload->bytes.data, upload->bytes.size_bytes, upload->hash);
    for (size_t from = 0; from < upload->bytes.size_bytes; from += KZ_CHUNK_MAX_BYTES, upload->chunks++)
        hash_bytes(upload->bytes.data + from, chunk_bytes(upload, upload->chunks),
                   upload->list + upload->chunks * HASH_BYTES);
}

/* ---- put: the record ---- */

/* NULL record: there is none. */
static int find_record(struct upload *upload)
{
    struct kz_cli *cli = upload->cli;
    Kz__GetRequest get = KZ__GET_REQUEST__INIT;
    Kz__Request request = KZ__REQUEST__INIT;
    struct kz_err err = {.code = KZ_OK};
    struct kz_error_context context = {.subject = cli->subject, .role = cli->command->role};
    get.kind = KZ__KIND__ATTACHMENT;
    get.id = (char *)(uintptr_t)upload->id; /* packed only */
    request.get = &get;
    int status = kz_cli_connect(cli);
    if (status) return status;
    if (kz_client_call(cli->client, &request, &upload->found, &err) != KZ_OK)
        return kz_cli_fail(cli, kz_error_of_call(cli->client, &err, cli->options.timeout_ms, &context));
    if (upload->found->error && upload->found->error->code != KZ_NOT_FOUND) {
        Kz__Error *error = upload->found->error;
        upload->found->error = NULL;
        kz_error_complete(error, &context);
        return kz_cli_fail(cli, error);
    }
    if (upload->found->n_records == 1 && upload->found->records[0]->attachment)
        upload->record = upload->found->records[0];
    return 0;
}

static const char *guess_media_type(const char *name)
{
    static const struct {
        const char *end, *type;
    } types[] = {{".pdf", "application/pdf"},
                 {".png", "image/png"},
                 {".jpg", "image/jpeg"},
                 {".jpeg", "image/jpeg"},
                 {".svg", "image/svg+xml"},
                 {".txt", "text/plain"},
                 {".md", "text/markdown"},
                 {".csv", "text/csv"},
                 {".html", "text/html"},
                 {".json", "application/json"},
                 {".zip", "application/zip"},
                 {".docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
                 {".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
                 {".pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"}};
    const char *end = strrchr(name, '.');
    for (size_t i = 0; end && i < sizeof types / sizeof types[0]; i++)
        if (strcasecmp(types[i].end, end) == 0) return types[i].type;
    return "application/octet-stream";
}

/* What a person gives, then what stands already, then what the file tells. */
static void fill_record(struct upload *upload, bool is_new)
{
    const struct kz_options *options = &upload->cli->options;
    Kz__Attachment *attachment = upload->record->attachment;
    char hex[HASH_HEX_BYTES];
    kz_hex_write(upload->hash, HASH_BYTES, hex);
    if (options->blob_name || is_new)
        kz_error_set(&attachment->name, options->blob_name ? options->blob_name : last_part(upload->path));
    if (options->media_type || is_new)
        kz_error_set(&attachment->media_type,
                     options->media_type ? options->media_type : guess_media_type(attachment->name));
    kz_error_set(&attachment->sha256, hex);
    attachment->has_size = true;
    attachment->size = (int64_t)upload->bytes.size_bytes;
}

static int put_record(struct upload *upload, uint64_t expected_rev, Kz__Response **response)
{
    Kz__Mutation **mutations = kz_must_alloc(1, sizeof *mutations);
    mutations[0] = kz_cli_new_mutation(KZ__MUTATION__OP__PUT, KZ__KIND__ATTACHMENT, upload->id);
    mutations[0]->record = upload->record;
    mutations[0]->has_content = true;
    mutations[0]->content = (ProtobufCBinaryData){upload->chunks * HASH_BYTES, upload->list};
    mutations[0]->has_expected_rev = true;
    mutations[0]->expected_rev = expected_rev;
    int status = kz_cli_write(upload->cli, mutations, 1, false, NULL, NULL, response);
    kz_cli_free_mutations(mutations, 1);
    return status;
}

/* ---- put: the chunks ---- */

static int send_chunk(struct upload *upload, size_t chunk)
{
    Kz__Response *response = NULL;
    Kz__Mutation **mutations = kz_must_alloc(1, sizeof *mutations);
    mutations[0] = kz_cli_new_mutation(KZ__MUTATION__OP__CHUNK, KZ__KIND__ATTACHMENT, upload->id);
    mutations[0]->has_chunk = true;
    mutations[0]->chunk =
        (ProtobufCBinaryData){chunk_bytes(upload, chunk), upload->bytes.data + chunk * KZ_CHUNK_MAX_BYTES};
    int status = kz_cli_write(upload->cli, mutations, 1, false, NULL, NULL, &response);
    if (response) kz__response__free_unpacked(response, NULL);
    kz_cli_free_mutations(mutations, 1);
    return status;
}

/* Which parts are not there yet: after a broken upload, only the rest. */
static int ask_missing(struct upload *upload, Kz__Response **response)
{
    Kz__BlobRequest blob = KZ__BLOB_REQUEST__INIT;
    Kz__Request request = KZ__REQUEST__INIT;
    blob.has_chunks = true;
    blob.chunks = (ProtobufCBinaryData){upload->chunks * HASH_BYTES, upload->list};
    request.blob = &blob;
    int status = kz_cli_call(upload->cli, &request, response);
    if (status) return status;
    bool sound = (*response)->blob != NULL;
    for (size_t i = 0; sound && i < (*response)->blob->n_missing; i++)
        sound = (*response)->blob->missing[i] < upload->chunks;
    if (sound) return 0;
    kz__response__free_unpacked(*response, NULL);
    *response = NULL;
    return fail_odd(upload->cli);
}

/* One at a time, so that other people's writes go in between. */
static int send_missing(struct upload *upload, size_t *missing)
{
    Kz__Response *response = NULL;
    int status = ask_missing(upload, &response);
    if (status) return status;
    const Kz__BlobResult *blob = response->blob;
    *missing = blob->n_missing;
    for (size_t i = 0; !status && i < blob->n_missing; i++) {
        status = send_chunk(upload, blob->missing[i]);
        if (!status) upload->sent++;
        kz_progress_tell(&upload->progress, upload->chunks - blob->n_missing + i + 1, upload->chunks,
                         upload->sent * KZ_CHUNK_MAX_BYTES);
    }
    kz__response__free_unpacked(response, NULL);
    return status;
}

static int send_all(struct upload *upload)
{
    int status = 0;
    size_t missing = 1;
    kz_progress_begin(&upload->progress, upload->cli, KZ_T_BLOB_SENDING);
    for (unsigned round = 0; !status && missing > 0 && round < ROUNDS_MAX; round++)
        status = send_missing(upload, &missing);
    kz_progress_end(&upload->progress);
    if (status && upload->sent > 0) kz_cli_tell(upload->cli, KZ_T_BLOB_RESUME, NULL, 0);
    return status;
}

static void tell_sent(const struct upload *upload)
{
    char size[NUMBER_TEXT_BYTES], chunks[NUMBER_TEXT_BYTES], sent[NUMBER_TEXT_BYTES];
    snprintf(size, sizeof size, "%zu", upload->bytes.size_bytes);
    snprintf(chunks, sizeof chunks, "%zu", upload->chunks);
    snprintf(sent, sizeof sent, "%zu", upload->sent);
    kz_cli_tell(upload->cli, KZ_T_BLOB_SENT, KZ_TEXT_ARGS(upload->cli->subject, size, chunks, sent));
}

static int run_put(struct kz_cli *cli, const char *id, const char *path)
{
    struct upload *upload = kz_must_alloc(1, sizeof *upload);
    Kz__Response *response = NULL;
    upload->cli = cli;
    upload->id = id;
    upload->path = path;
    kz_buf_init(&upload->bytes, 0);
    int status = read_file(upload);
    if (!status) status = find_record(upload);
    if (!status) {
        bool is_new = upload->record == NULL;
        uint64_t expected = is_new ? 0 : upload->record->rev;
        if (is_new) upload->record = kz_record_new(KZ__KIND__ATTACHMENT, id);
        hash_file(upload);
        fill_record(upload, is_new);
        status = send_all(upload);
        if (!status) status = put_record(upload, expected, &response);
        if (is_new) kz__record__free_unpacked(upload->record, NULL);
    }
    if (!status) {
        status = kz_cli_done(cli, KZ__MUTATION__OP__PUT, response, false);
        tell_sent(upload);
    }
    if (response) kz__response__free_unpacked(response, NULL);
    if (upload->found) kz__response__free_unpacked(upload->found, NULL);
    kz_buf_fini(&upload->bytes);
    free(upload);
    return status;
}

/* ---- get ---- */

static int fail_unwritable(struct kz_cli *cli, const char *path, int number)
{
    return kz_cli_fail(cli, kz_error_new(KZ_IO, KZ_T_BLOB_UNWRITABLE, kz_text_of_errno(number),
                                         KZ_T_BLOB_UNWRITABLE_HINT, KZ_TEXT_ARGS(path, strerror(number))));
}

/* Before anything is fetched. A name that was not given must not replace a file. */
static int check_target(struct kz_cli *cli, const char *path)
{
    char folder[PATH_BYTES];
    struct stat info;
    size_t length = (size_t)(last_part(path) - path);
    if (strlen(path) + NUMBER_TEXT_BYTES >= sizeof folder) return fail_unwritable(cli, path, ENAMETOOLONG);
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) return fail_unwritable(cli, path, EISDIR);
    if (!cli->options.file && access(path, F_OK) == 0)
        return kz_cli_fail(cli, kz_error_new(KZ_USAGE, KZ_T_BLOB_UNWRITABLE, KZ_T_BLOB_EXISTS, KZ_T_BLOB_EXISTS_HINT,
                                             KZ_TEXT_ARGS(path)));
    snprintf(folder, sizeof folder, "%.*s", length ? (int)length : 1, length ? path : ".");
    return access(folder, W_OK | X_OK) == 0 ? 0 : fail_unwritable(cli, path, errno);
}

static bool write_all(int fd, const struct kz_buf *bytes)
{
    for (size_t at = 0; at < bytes->size_bytes;) {
        ssize_t done = write(fd, bytes->data + at, bytes->size_bytes - at);
        if (done < 0 && errno != EINTR) return false;
        if (done > 0) at += (size_t)done;
    }
    return fsync(fd) == 0;
}

/* Whole under its name or not at all. A signal waits for the moment that this takes, so that no part stays. */
static int write_file(struct kz_cli *cli, const char *path, const struct kz_buf *bytes)
{
    char part[PATH_BYTES + NUMBER_TEXT_BYTES];
    sigset_t all, before;
    int number = 0;
    snprintf(part, sizeof part, "%s.%ld", path, (long)getpid());
    sigfillset(&all);
    (void)sigprocmask(SIG_BLOCK, &all, &before); /* cannot fail with these arguments */
    int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (fd < 0) {
        number = errno;
    } else {
        if (!write_all(fd, bytes)) number = errno;
        if (close(fd) != 0 && !number) number = errno;
        if (!number && rename(part, path) != 0) number = errno;
        if (number) (void)unlink(part);
    }
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    return number ? fail_unwritable(cli, path, number) : 0;
}

static int fetch_chunk(struct kz_cli *cli, const uint8_t hash[HASH_BYTES], uint32_t chunk, struct kz_buf *out)
{
    Kz__BlobRequest blob = KZ__BLOB_REQUEST__INIT;
    Kz__Request request = KZ__REQUEST__INIT;
    Kz__Response *response = NULL;
    blob.has_content = true;
    blob.content = (ProtobufCBinaryData){HASH_BYTES, (uint8_t *)(uintptr_t)hash}; /* packed only */
    blob.has_chunk = true;
    blob.chunk = chunk;
    request.blob = &blob;
    int status = kz_cli_call(cli, &request, &response);
    if (status) return status;
    if (!response->blob || response->blob->data.len > KZ_CHUNK_MAX_BYTES)
        status = fail_odd(cli);
    else
        kz_buf_add(out, response->blob->data.data, response->blob->data.len);
    kz__response__free_unpacked(response, NULL);
    kz_assert(!out->failed);
    return status;
}

/* All of it, and what it must be. */
static int fetch_content(struct kz_cli *cli, const Kz__Attachment *attachment, struct kz_buf *out)
{
    uint8_t wanted[HASH_BYTES], hash[HASH_BYTES];
    char hex[HASH_HEX_BYTES];
    struct kz_progress progress;
    int status = 0;
    uint64_t size = attachment->size > 0 ? (uint64_t)attachment->size : 0;
    uint64_t chunks = (size + KZ_CHUNK_MAX_BYTES - 1) / KZ_CHUNK_MAX_BYTES;
    if (!attachment->sha256 || !kz_hex_read(attachment->sha256, wanted, HASH_BYTES) || size > KZ_BLOB_MAX_BYTES)
        return fail_odd(cli);
    kz_progress_begin(&progress, cli, KZ_T_BLOB_FETCHING);
    for (uint32_t chunk = 0; !status && chunk < chunks; chunk++) {
        status = fetch_chunk(cli, wanted, chunk, out);
        kz_progress_tell(&progress, chunk + 1, chunks, out->size_bytes);
    }
    kz_progress_end(&progress);
    if (status) return status;
    hash_bytes(out->data, out->size_bytes, hash);
    kz_hex_write(hash, HASH_BYTES, hex);
    if (out->size_bytes == size && memcmp(hash, wanted, HASH_BYTES) == 0) return 0;
    return kz_cli_fail(cli, kz_error_new(KZ_CORRUPT, KZ_T_BLOB_DAMAGED, KZ_T_BLOB_DAMAGED_WHY, KZ_T_BLOB_DAMAGED_HINT,
                                         KZ_TEXT_ARGS(cli->ids[0], hex)));
}

static int get_record(struct kz_cli *cli, const char *id, Kz__Response **response)
{
    Kz__GetRequest get = KZ__GET_REQUEST__INIT;
    Kz__Request request = KZ__REQUEST__INIT;
    struct kz_past past = {.by_time = false};
    int status = cli->options.as_of ? kz_past_read(cli, "--as-of", cli->options.as_of, &past) : 0;
    if (status) return status;
    get.kind = KZ__KIND__ATTACHMENT;
    get.id = (char *)(uintptr_t)id; /* packed only */
    get.has_as_of_rev = cli->options.as_of && !past.by_time;
    get.as_of_rev = past.rev;
    get.has_as_of_ms = past.by_time;
    get.as_of_ms = past.time_ms;
    request.get = &get;
    status = kz_cli_call(cli, &request, response);
    if (status) return status;
    bool sound = (*response)->n_records == 1 && (*response)->records[0]->attachment &&
                 (!cli->options.as_of || ((*response)->meta && (*response)->meta->has_as_of_rev));
    return sound ? 0 : fail_odd(cli);
}

/* The freshness is that of the record: a content never changes. */
static int deliver(struct kz_cli *cli, const Kz__Meta *meta, const char *path, struct kz_buf *bytes)
{
    struct kz_buf nothing;
    char size[NUMBER_TEXT_BYTES];
    if (strcmp(path, STANDARD) == 0) return kz_cli_answer(cli, meta, bytes);
    kz_buf_init(&nothing, 0);
    int status = kz_cli_answer(cli, meta, &nothing);
    kz_buf_fini(&nothing);
    if (!status) status = write_file(cli, path, bytes);
    snprintf(size, sizeof size, "%zu", bytes->size_bytes);
    if (!status) kz_cli_tell(cli, KZ_T_BLOB_SAVED, KZ_TEXT_ARGS(path, size));
    return status;
}

static int run_get(struct kz_cli *cli, const char *id, const char *word)
{
    Kz__Response *response = NULL;
    struct kz_buf bytes;
    (void)word; /* it takes none */
    kz_buf_init(&bytes, 0);
    int status = get_record(cli, id, &response);
    if (!status) {
        const Kz__Attachment *attachment = response->records[0]->attachment;
        const char *path = cli->options.file ? cli->options.file : last_part(attachment->name);
        if (strcmp(path, STANDARD) != 0) status = check_target(cli, path);
        if (!status) status = fetch_content(cli, attachment, &bytes);
        if (!status) status = deliver(cli, response->meta, path, &bytes);
    }
    if (response) kz__response__free_unpacked(response, NULL);
    kz_buf_fini(&bytes);
    return status;
}

/* ---- verbs ---- */

struct verb {
    const char *name, *usage;
    const char *word; /* that it takes after the id; NULL: none */
    unsigned options;
    int (*run)(struct kz_cli *cli, const char *id, const char *word);
};

static const struct verb verbs[] = {
    {"put", "put ID FILE|- [--name NAME] [--media-type TYPE]", "FILE", KZ_OPTION_BLOB, run_put},
    {"get", "get ID [-f FILE|-] [--as-of REV|TIME]", NULL, KZ_OPTION_FILE | KZ_OPTION_AS_OF, run_get},
};
#define VERB_COUNT (sizeof verbs / sizeof verbs[0])

static int fail_usage(struct kz_cli *cli, const struct verb *verb, enum kz_text_id what, const char *word)
{
    struct kz_buf usage;
    kz_buf_init(&usage, 0);
    kz_buf_addf(&usage, "keizoku blob %s", verb ? verb->usage : cli->command->usage);
    int status = kz_cli_fail(cli, kz_error_new(KZ_USAGE, what, KZ_T_USAGE_IS_SECOND, KZ_T_USE_HELP_THIRD,
                                               KZ_TEXT_ARGS(word, kz_buf_text(&usage), cli->command->name)));
    kz_buf_fini(&usage);
    return status;
}

static const char *strip_kind(const char *id)
{
    static const char prefix[] = "attachment/";
    return strncmp(id, prefix, sizeof prefix - 1) == 0 ? id + sizeof prefix - 1 : id;
}

int kz_run_blob(struct kz_cli *cli)
{
    const struct kz_words *words = &cli->words;
    const struct verb *verb = NULL;
    if (words->count < 2) return fail_usage(cli, NULL, KZ_T_ARGUMENT_MISSING, "VERB");
    for (size_t i = 0; i < VERB_COUNT; i++)
        if (strcmp(verbs[i].name, words->items[1]) == 0) verb = &verbs[i];
    if (!verb) return fail_usage(cli, NULL, KZ_T_UNKNOWN_VERB, words->items[1]);
    size_t wanted = verb->word ? 4 : 3;
    if (words->count < 3) return fail_usage(cli, verb, KZ_T_ARGUMENT_MISSING, "ID");
    if (words->count < wanted) return fail_usage(cli, verb, KZ_T_ARGUMENT_MISSING, verb->word);
    if (words->count > wanted) return fail_usage(cli, verb, KZ_T_ARGUMENT_EXTRA, words->items[wanted]);
    if (cli->options.given & ~verb->options)
        return fail_usage(cli, verb, KZ_T_ARGUMENT_EXTRA,
                          verb->run == run_put ? (cli->options.file ? "-f" : "--as-of")
                                               : (cli->options.blob_name ? "--name" : "--media-type"));
    const char *id = strip_kind(words->items[2]);
    if (!kz_id_valid(id))
        return kz_cli_fail(cli, kz_error_new(KZ_USAGE, KZ_T_BAD_ID, KZ_T_ID_RULE, KZ_T_HINT_LIST_SECOND,
                                             KZ_TEXT_ARGS(*id ? id : "\"\"", "attachment")));
    cli->kind = kz_kind_by_number(KZ__KIND__ATTACHMENT);
    cli->ids = kz_must_realloc(cli->ids, sizeof *cli->ids);
    cli->ids[0] = id;
    cli->id_count = 1;
    kz_cli_set_subject(cli, id);
    return verb->run(cli, id, verb->word ? words->items[3] : NULL);
}
