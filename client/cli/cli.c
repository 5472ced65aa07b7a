/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/cli.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "client/cli/commands.h"
#include "client/cli/epoch.h"
#include "client/codec/decode.h"
#include "client/codec/width.h"
#include "node/base/assert.h"
#include "node/base/config.h"
#include "node/registry/text.h"
#include "node/registry/when.h"
#include "proto/wire.h"

#define CRL_NAME "crl.pem"
#define NEAR_ID_MAX 3
#define NEAR_PAGE KZ_PAGE_MAX
#define REQUEST_HEX_BYTES (2 * KZ_REQUEST_ID_BYTES + 1)

/* ---- output ---- */

static int write_all(int fd, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t written = write(fd, text, length);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return errno ? errno : EIO;
        text += written;
        length -= (size_t)written;
    }
    return 0;
}

void kz_cli_note(struct kz_cli *cli, const char *text)
{
    (void)cli;
    (void)write_all(STDERR_FILENO, text, strlen(text)); /* nowhere left to complain */
}

void kz_cli_tell(struct kz_cli *cli, enum kz_text_id text, const char *const *args, size_t count)
{
    if (cli->options.quiet) return;
    struct kz_buf line;
    kz_buf_init(&line, 0);
    kz_show_line(&cli->view, &line, text, args, count);
    kz_cli_note(cli, kz_buf_text(&line));
    kz_buf_fini(&line);
}

int kz_cli_print(struct kz_cli *cli, struct kz_buf *text)
{
    int number = write_all(STDOUT_FILENO, kz_buf_text(text), text->size_bytes);
    if (!number) return 0;
    return kz_cli_fail(cli, kz_error_new(KZ_IO, KZ_T_STDOUT_FAILED, KZ_T_CALL_FAILED, KZ_T_STDOUT_HINT,
                                         KZ_TEXT_ARGS(strerror(number))));
}

int kz_cli_fail_conflict(struct kz_cli *cli, Kz__Error *error, const Kz__Record *base, const Kz__Record *mine)
{
    /* What keizoku derives is not a difference between two people's intentions. */
    Kz__Record *derived = mine ? kz_record_dup(mine) : NULL;
    if (derived) kz_record_derive(derived);
    struct kz_buf out;
    kz_buf_init(&out, 0);
    kz_show_error(&cli->view, error, base, derived, &out);
    if (derived) kz__record__free_unpacked(derived, NULL);
    kz_cli_note(cli, kz_buf_text(&out));
    kz_buf_fini(&out);
    int status = kz_code_exit_status((enum kz_code)error->code);
    kz__error__free_unpacked(error, NULL);
    return status ? status : 1;
}

int kz_cli_fail(struct kz_cli *cli, Kz__Error *error) { return kz_cli_fail_conflict(cli, error, NULL, NULL); }

int kz_cli_fail_odd(struct kz_cli *cli)
{
    return kz_cli_fail(cli,
                       kz_error_new(KZ_PROTOCOL, KZ_T_ODD_ANSWER, KZ_T_ODD_ANSWER_WHY, KZ_T_ODD_ANSWER_HINT, NULL, 0));
}

void kz_cli_set_subject(struct kz_cli *cli, const char *id)
{
    struct kz_buf text;
    kz_buf_init(&text, 0);
    kz_buf_addf(&text, "%s%s%s", cli->kind->name, id ? "/" : "", id ? id : "");
    kz_error_set(&cli->subject, kz_buf_text(&text));
    kz_buf_fini(&text);
}

/* ---- connecting ---- */

static void trace(void *data, const char *line)
{
    struct kz_buf out;
    kz_buf_init(&out, 0);
    kz_buf_add_text(&out, "keizoku: ");
    kz_width_add_safe(&out, line, false);
    kz_buf_add_text(&out, "\n");
    kz_cli_note(data, kz_buf_text(&out));
    kz_buf_fini(&out);
}

static Kz__Error *check_given(const struct kz_cli *cli)
{
    const struct kz_options *options = &cli->options;
    const struct {
        const char *value, *name, *env;
        enum kz_text_id what, why;
    } needed[] = {
        {options->node, "node", "KEIZOKU_NODE", KZ_T_NO_NODE_GIVEN, KZ_T_NO_NODE_GIVEN_WHY},
        {options->certificate, "cert", "KEIZOKU_CERT", KZ_T_NO_CERT_GIVEN, KZ_T_NO_CERT_GIVEN_WHY},
        {options->key, "key", "KEIZOKU_KEY", KZ_T_NO_KEY_GIVEN, KZ_T_NO_CERT_GIVEN_WHY},
        {options->ca, "ca", "KEIZOKU_CA", KZ_T_NO_CA_GIVEN, KZ_T_NO_CA_GIVEN_WHY},
    };
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
        if (!needed[i].value || !*needed[i].value)
            return kz_error_new(KZ_USAGE, needed[i].what, needed[i].why, KZ_T_GIVE_OPTION,
                                KZ_TEXT_ARGS(needed[i].name, needed[i].env, options->config_path));
    return NULL;
}

/* keizoku-ca puts the lists beside the CA: who forgets to name them should notice a revoked node all the same. An empty
 * --crl says that none is wanted. */
const char *kz_cli_choose_crl(const struct kz_options *options, struct kz_buf *room)
{
    if (options->crl) return *options->crl ? options->crl : NULL;
    const char *slash = strrchr(options->ca, '/');
    kz_buf_addf(room, "%.*s" CRL_NAME, slash ? (int)(slash + 1 - options->ca) : 0, options->ca);
    return access(kz_buf_text(room), F_OK) == 0 ? kz_buf_text(room) : NULL;
}

int kz_cli_connect(struct kz_cli *cli)
{
    if (cli->client) return 0;
    Kz__Error *error = check_given(cli);
    if (error) return kz_cli_fail(cli, error);
    const struct kz_options *from = &cli->options;
    struct kz_failure failure = {.what = KZ_T_EMPTY};
    struct kz_buf crl;
    kz_buf_init(&crl, 0);
    struct kz_client_options options = {.nodes = from->node,
                                        .certificate = from->certificate,
                                        .key = from->key,
                                        .ca = from->ca,
                                        .crl = kz_cli_choose_crl(from, &crl),
                                        .read = (Kz__ReadMode)from->read,
                                        .timeout_ms = from->timeout_ms,
                                        .trace = from->verbose ? trace : NULL,
                                        .trace_data = cli,
                                        .failure = &failure};
    struct kz_err err = {.code = KZ_OK};
    enum kz_code code = kz_client_open(&options, &cli->client, &err);
    if (!code) kz_client_know_epoch(cli->client, kz_epoch_read(cli->get, cli->get_data, cli->client));
    kz_buf_fini(&crl);
    if (!code) return 0;
    if (failure.what == KZ_T_EMPTY)
        error = kz_error_new(code, KZ_T_CLIENT_FAILED, KZ_T_CALL_FAILED, KZ_T_HINT_BUSY, KZ_TEXT_ARGS(err.text));
    else
        error =
            kz_error_new(code, failure.what, failure.why, failure.hint, KZ_TEXT_ARGS(failure.subject, failure.detail));
    return kz_cli_fail(cli, error);
}

void kz_cli_disconnect(struct kz_cli *cli)
{
    if (!cli->client) return;
    kz_epoch_keep(cli->get, cli->get_data, cli->client);
    kz_client_free(cli->client);
    cli->client = NULL;
}

/* ---- asking ---- */

static void format_request_id(ProtobufCBinaryData id, char out[REQUEST_HEX_BYTES])
{
    kz_hex_write(id.data, id.len < KZ_REQUEST_ID_BYTES ? id.len : KZ_REQUEST_ID_BYTES, out);
}

/* The id nearest to the one that was not found; a courtesy, so any failure is silent. The caller's. */
static char *find_near_id(struct kz_cli *cli, const char *id)
{
    Kz__ListRequest list = KZ__LIST_REQUEST__INIT;
    list.kind = cli->kind->number;
    list.has_limit = true;
    list.limit = NEAR_PAGE;
    Kz__Request request = KZ__REQUEST__INIT;
    request.list = &list;
    Kz__Response *response = NULL;
    struct kz_err ignored;
    if (kz_client_call(cli->client, &request, &response, &ignored) != KZ_OK) return NULL;
    size_t best = NEAR_ID_MAX;
    char *near = NULL;
    for (size_t i = 0; i < response->n_records; i++) {
        size_t distance = kz_text_distance(id, response->records[i]->id);
        if (distance >= best) continue;
        best = distance;
        kz_error_set(&near, response->records[i]->id);
    }
    kz__response__free_unpacked(response, NULL);
    return near;
}

static void note_freshness(struct kz_cli *cli, const Kz__Meta *meta)
{
    if (!meta) return;
    struct kz_buf banner;
    kz_buf_init(&banner, 0);
    /* status speaks of the node itself: its own copy is what was asked for. */
    bool asked_auto = cli->options.read == KZ__READ_MODE__AUTO && cli->command->run != kz_run_status;
    Kz__Meta known = *meta; /* shares all pointers */
    if (cli->client && meta->has_epoch && meta->epoch < kz_client_epoch(cli->client)) {
        known.quorum = false; /* it may have one, but not the cluster's */
        known.has_fenced = true;
        known.fenced = kz_client_epoch(cli->client);
    }
    kz_show_banner(&cli->view, &known, asked_auto, &banner);
    kz_cli_note(cli, kz_buf_text(&banner));
    kz_buf_fini(&banner);
}

static struct kz_error_context context_of(const struct kz_cli *cli, const Kz__Meta *meta, const char *request)
{
    return (struct kz_error_context){
        .subject = cli->subject, .request = request, .role = cli->command->role, .node = meta ? meta->node : NULL};
}

/* Takes the error out of the answer and completes it. */
static Kz__Error *take_error(struct kz_cli *cli, Kz__Response *response, const char *request_hex)
{
    Kz__Error *error = response->error;
    response->error = NULL;
    struct kz_error_context context = context_of(cli, response->meta, request_hex);
    char *near = NULL;
    if (error->code == KZ_NOT_FOUND) note_freshness(cli, response->meta); /* in an old copy it may only be missing */
    if (error->code == KZ_NOT_FOUND && cli->kind && cli->id_count == 1 && !cli->options.as_of)
        near = find_near_id(cli, cli->ids[0]);
    context.near_id = near;
    kz_error_complete(error, &context);
    free(near);
    return error;
}

/* NULL: *response is the caller's and holds neither an error nor an outcome that is one. */
static Kz__Error *ask(struct kz_cli *cli, Kz__Request *request, Kz__Response **response)
{
    char hex[REQUEST_HEX_BYTES] = "";
    if (request->write) format_request_id(request->write->request_id, hex);
    struct kz_err err = {.code = KZ_OK};
    struct kz_error_context context = context_of(cli, NULL, hex);
    if (kz_client_call(cli->client, request, response, &err))
        return kz_error_of_call(cli->client, &err, cli->options.timeout_ms, &context);
    context.node = (*response)->meta ? (*response)->meta->node : NULL;
    Kz__Error *error = NULL;
    if ((*response)->error)
        error = take_error(cli, *response, hex);
    else if (request->write && !(*response)->outcome)
        error = kz_error_new(KZ_PROTOCOL, KZ_T_ODD_ANSWER, KZ_T_ODD_ANSWER_WHY, KZ_T_ODD_ANSWER_HINT, NULL, 0);
    else if (request->write && (*response)->outcome->code != KZ_OK)
        error = kz_error_of_outcome((*response)->outcome, &context);
    if (error) {
        kz__response__free_unpacked(*response, NULL);
        *response = NULL;
    }
    return error;
}

int kz_cli_ask(struct kz_cli *cli, Kz__Request *request, Kz__Response **response, Kz__Error **error)
{
    *error = NULL;
    int status = kz_cli_connect(cli);
    if (!status) *error = ask(cli, request, response);
    return status;
}

int kz_cli_call(struct kz_cli *cli, Kz__Request *request, Kz__Response **response)
{
    Kz__Error *error = NULL;
    int status = kz_cli_ask(cli, request, response, &error);
    return error ? kz_cli_fail(cli, error) : status;
}

/* ---- writing ---- */

Kz__Mutation *kz_cli_new_mutation(Kz__Mutation__Op op, Kz__Kind kind, const char *id)
{
    Kz__Mutation *mutation = kz_must_alloc(1, sizeof *mutation);
    kz__mutation__init(mutation);
    mutation->op = op;
    mutation->kind = kind;
    mutation->id = kz_must_strdup(id);
    return mutation;
}

void kz_cli_free_mutations(Kz__Mutation **mutations, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(mutations[i]->id);
        free(mutations[i]);
    }
    free(mutations);
}

/* A node names "system/juki.rto"; the author of a file wants the line too. */
static void add_places(Kz__Error *error, const struct kz_entries *entries)
{
    for (size_t i = 0; i < error->n_violations; i++) {
        Kz__Violation *violation = error->violations[i];
        for (size_t j = 0; j < entries->count; j++) {
            struct kz_place place;
            if (!kz_entry_locate(&entries->items[j], violation->path, &place)) continue;
            struct kz_buf path;
            kz_buf_init(&path, 0);
            kz_place_format(&path, place);
            kz_buf_addf(&path, ": %s", violation->path);
            kz_error_set(&violation->path, kz_buf_text(&path));
            kz_buf_fini(&path);
            break;
        }
    }
}

static const Kz__Record *find_mine(Kz__Mutation *const *mutations, size_t count, const Kz__Record *current)
{
    for (size_t i = 0; current && i < count; i++)
        if (mutations[i]->kind == current->kind && strcmp(mutations[i]->id, current->id) == 0)
            return mutations[i]->record;
    return NULL;
}

int kz_cli_write(struct kz_cli *cli, Kz__Mutation **mutations, size_t count, bool dry_run,
                 const struct kz_entries *entries, const Kz__Record *base, Kz__Response **response)
{
    uint8_t id[KZ_REQUEST_ID_BYTES];
    struct kz_err err = {.code = KZ_OK};
    if (kz_client_new_request_id(id, &err))
        return kz_cli_fail(
            cli, kz_error_new(err.code, KZ_T_CALL_FAILED, KZ_T_WHY_OTHER, KZ_T_HINT_BUSY, KZ_TEXT_ARGS(err.text)));
    Kz__WriteRequest write = KZ__WRITE_REQUEST__INIT;
    write.request_id = (ProtobufCBinaryData){.len = sizeof id, .data = id};
    write.reason = cli->options.reason;
    write.mutations = mutations;
    write.n_mutations = count;
    write.has_dry_run = write.dry_run = dry_run;
    write.has_retires = cli->retires > 0;
    write.retires = cli->retires;
    Kz__Request request = KZ__REQUEST__INIT;
    request.write = &write;
    int status = kz_cli_connect(cli);
    if (status) return status;
    Kz__Error *error = ask(cli, &request, response);
    if (!error) return 0;
    if (entries) add_places(error, entries);
    return kz_cli_fail_conflict(cli, error, base, find_mine(mutations, count, error->current));
}

int kz_cli_done(struct kz_cli *cli, Kz__Mutation__Op op, const Kz__Response *response, bool dry_run)
{
    bool for_people = cli->view.output == KZ_OUTPUT_TABLE || cli->view.output == KZ_OUTPUT_WIDE;
    if (cli->options.quiet && for_people) return 0;
    struct kz_buf out;
    kz_buf_init(&out, 0);
    kz_show_outcome(&cli->view, op, response->outcome, response->meta, dry_run, &out);
    int status = kz_cli_print(cli, &out);
    kz_buf_fini(&out);
    return status;
}

/* ---- freshness ---- */

int64_t kz_cli_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool is_too_old(const struct kz_cli *cli, const Kz__Meta *meta)
{
    if (cli->options.max_age_ms < 0 || !meta || meta->read == KZ__READ_MODE__LINEARIZABLE) return false;
    if (!meta->has_data_time_ms) return true;
    return kz_cli_now_ms() - meta->data_time_ms > cli->options.max_age_ms;
}

static int fail_too_old(struct kz_cli *cli, const Kz__Meta *meta)
{
    struct kz_buf limit, time;
    kz_buf_init(&limit, 0);
    kz_buf_init(&time, 0);
    if (cli->options.max_age_ms < 1000)
        kz_buf_addf(&limit, "%" PRId64 "ms", cli->options.max_age_ms);
    else
        kz_show_duration(&cli->view, &limit, cli->options.max_age_ms);
    if (meta->has_data_time_ms)
        kz_time_format(&time, meta->data_time_ms);
    else
        kz_buf_add_text(&time, kz_text(KZ_T_UNKNOWN, cli->view.japanese));
    Kz__Error *error = kz_error_new(KZ_TOO_OLD, KZ_T_DATA_TOO_OLD, KZ_T_DATA_AGE, KZ_T_DATA_AGE_HINT,
                                    KZ_TEXT_ARGS(kz_buf_text(&limit), kz_buf_text(&time), meta->node));
    kz_buf_fini(&limit);
    kz_buf_fini(&time);
    return kz_cli_fail(cli, error);
}

int kz_cli_answer(struct kz_cli *cli, const Kz__Meta *meta, struct kz_buf *out)
{
    note_freshness(cli, meta);
    int status = kz_cli_print(cli, out);
    if (status) return status;
    return is_too_old(cli, meta) ? fail_too_old(cli, meta) : 0;
}

/* ---- one run ---- */

static void set_view(struct kz_cli *cli)
{
    const char *no_color = cli->get(cli->get_data, "NO_COLOR"), *term = cli->get(cli->get_data, "TERM");
    struct winsize size = {0};
    cli->view = (struct kz_view){
        .output = (enum kz_output)cli->options.output,
        .japanese = kz_options_japanese(&cli->options),
        .ambiguous = (int)cli->options.ambiguous,
        .headers = !cli->options.no_headers,
        .colour = isatty(STDERR_FILENO) && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0,
    };
    if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) cli->view.max_columns = size.ws_col;
}

static Kz__Error *find_command(struct kz_cli *cli)
{
    if (cli->words.count == 0 || cli->options.help) {
        const struct kz_command *asked = cli->words.count > 0 ? kz_command_of(&cli->words) : NULL;
        if (cli->words.count > 0) cli->rest = asked ? asked->name : cli->words.items[0];
        cli->command = kz_command_find("help");
        return NULL;
    }
    const char *name = cli->words.items[0];
    cli->command = kz_command_of(&cli->words);
    if (cli->command) return kz_command_parse(cli);
    const struct kz_kind *kind = kz_kind_by_name(name);
    if (kind)
        return kz_error_new(KZ_USAGE, KZ_T_UNKNOWN_COMMAND, KZ_T_KIND_NOT_COMMAND, KZ_T_HINT_LIST_SECOND,
                            KZ_TEXT_ARGS(name, kind->name));
    return kz_command_unknown(name);
}

static Kz__Error *check_options(const struct kz_cli *cli)
{
    if (cli->options.help) return NULL; /* `keizoku apply -f x --help` asks about apply */
    if (cli->view.output == KZ_OUTPUT_DOT && !(cli->command->options & KZ_OPTION_GRAPH))
        return kz_error_new(KZ_USAGE, KZ_T_DOT_NOT_HERE, KZ_T_DOT_IS_FOR, KZ_T_DOT_HINT,
                            KZ_TEXT_ARGS(cli->command->name));
    unsigned wrong = cli->options.given & ~cli->command->options;
    if (wrong & KZ_OPTION_FIELDS) {
        struct kz_buf flag;
        kz_buf_init(&flag, 0);
        kz_event_add_flag(&flag, &(struct kz_field){.name = cli->options.fields[0].name});
        Kz__Error *error = kz_error_new(KZ_USAGE, KZ_T_OPTION_NOT_HERE, KZ_T_OPTION_OTHERS, KZ_T_USE_HELP_SECOND,
                                        KZ_TEXT_ARGS(kz_buf_text(&flag), cli->command->name));
        kz_buf_fini(&flag);
        return error;
    }
    size_t count;
    const struct kz_option *options = kz_options_table(&count);
    for (size_t i = 0; i < count; i++) {
        if (!(options[i].set & wrong)) continue;
        char flag[64];
        snprintf(flag, sizeof flag, "--%s", options[i].name);
        return kz_error_new(KZ_USAGE, KZ_T_OPTION_NOT_HERE, KZ_T_OPTION_OTHERS, KZ_T_USE_HELP_SECOND,
                            KZ_TEXT_ARGS(flag, cli->command->name));
    }
    return NULL;
}

int kz_cli_main(int argc, char *const *argv, kz_getenv get, void *data)
{
    struct kz_cli cli = {.get = get, .get_data = data};
    Kz__Error *error = kz_options_read(&cli.options, &cli.words, argc, argv, get, data);
    set_view(&cli);
    if (!error) error = find_command(&cli);
    if (!error) error = check_options(&cli);
    int status = error ? kz_cli_fail(&cli, error) : cli.command->run(&cli);
    kz_cli_disconnect(&cli);
    free(cli.ids);
    free(cli.subject);
    kz_options_fini(&cli.options, &cli.words);
    return status;
}
