/* SPDX-License-Identifier: Apache-2.0 */
/* `cluster`: who belongs to it, and changing that while it runs. A change that takes time is asked for again until it
 * is done, with a line whenever it has moved on; --timeout is the longest wait without such a move. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/commands.h"
#include "client/cli/confirm.h"
#include "client/clock.h"

#define NUMBER_TEXT_BYTES 24
#define VERB(name) KZ__CLUSTER_REQUEST__VERB__##name
#define STATE(name) KZ__CLUSTER_RESULT__STATE__##name

struct verb {
    const char *name;
    const char *usage;
    size_t words_min, words_max; /* after the verb */
    Kz__ClusterRequest__Verb verb;
    enum kz_text_id done, unchanged;
    int (*run)(struct kz_cli *cli, const struct verb *verb); /* NULL: it changes the membership */
};

static int run_members(struct kz_cli *cli, const struct verb *verb);
static int run_recover(struct kz_cli *cli, const struct verb *verb);

static const struct verb verbs[] = {
    {"members", "members", 0, 0, 0, KZ_T_EMPTY, KZ_T_EMPTY, run_members},
    {"add", "add NAME HOST:PORT --id N [--observer]", 2, 2, VERB(ADD), KZ_T_CLUSTER_ADDED, KZ_T_CLUSTER_WAS_MEMBER,
     NULL},
    {"promote", "promote NAME", 1, 1, VERB(PROMOTE), KZ_T_CLUSTER_PROMOTED, KZ_T_CLUSTER_WAS_VOTER, NULL},
    {"demote", "demote NAME", 1, 1, VERB(DEMOTE), KZ_T_CLUSTER_DEMOTED, KZ_T_CLUSTER_WAS_STANDBY, NULL},
    {"remove", "remove NAME [--confirm CLUSTER]", 1, 1, VERB(REMOVE), KZ_T_CLUSTER_REMOVED, KZ_T_CLUSTER_WAS_REMOVED,
     NULL},
    {"transfer", "transfer [NAME]", 0, 1, VERB(TRANSFER), KZ_T_CLUSTER_TRANSFERRED, KZ_T_CLUSTER_WAS_LEADER, NULL},
    {"recover", "recover plan|approve|apply [PLAN]", 0, SIZE_MAX, 0, KZ_T_EMPTY, KZ_T_EMPTY, run_recover},
};
#define VERB_COUNT (sizeof verbs / sizeof verbs[0])

static const char *word(const struct kz_cli *cli, size_t place)
{
    return place + 2 < cli->words.count ? cli->words.items[place + 2] : NULL;
}

/* `verb` NULL: which one was meant is not known. */
static int fail_usage(struct kz_cli *cli, const struct verb *verb, enum kz_text_id what, const char *about)
{
    struct kz_buf usage;
    kz_buf_init(&usage, 0);
    kz_buf_addf(&usage, "keizoku %s ", cli->command->name);
    if (verb) kz_buf_add_text(&usage, verb->usage);
    for (size_t i = 0; !verb && i < VERB_COUNT; i++)
        kz_buf_addf(&usage, "%s%s", i ? "|" : "", verbs[i].name);
    int status = kz_cli_fail(cli, kz_error_new(KZ_USAGE, what, KZ_T_USAGE_IS_SECOND, KZ_T_USE_HELP_THIRD,
                                               KZ_TEXT_ARGS(about, kz_buf_text(&usage), cli->command->name)));
    kz_buf_fini(&usage);
    return status;
}

/* ---- members ---- */

static int fail_odd(struct kz_cli *cli)
{
    return kz_cli_fail(cli,
                       kz_error_new(KZ_PROTOCOL, KZ_T_ODD_ANSWER, KZ_T_ODD_ANSWER_WHY, KZ_T_ODD_ANSWER_HINT, NULL, 0));
}

static int run_members(struct kz_cli *cli, const struct verb *verb)
{
    Kz__StatusRequest ask = KZ__STATUS_REQUEST__INIT;
    Kz__Request request = KZ__REQUEST__INIT;
    Kz__Response *response = NULL;
    (void)verb; /* it has no choices */
    request.status = &ask;
    int status = kz_cli_call(cli, &request, &response);
    if (status) return status;
    struct kz_buf out;
    kz_buf_init(&out, 0);
    if (response->status && response->meta) {
        kz_show_members(&cli->view, response, &out);
        status = kz_cli_print(cli, &out);
    } else {
        status = fail_odd(cli);
    }
    kz_buf_fini(&out);
    kz__response__free_unpacked(response, NULL);
    return status;
}

static int run_recover(struct kz_cli *cli, const struct verb *verb)
{
    (void)verb; /* it reads the words after it by itself */
    return kz_run_recover(cli);
}

/* ---- refusals ---- */

static const struct {
    enum kz_code code;
    enum kz_text_id why, hint;
} refusals[] = {
    [STATE(NO_SUCH_MEMBER)] = {KZ_NOT_FOUND, KZ_T_CLUSTER_NO_SUCH, KZ_T_CLUSTER_NO_SUCH_HINT},
    [STATE(ID_TAKEN)] = {KZ_CONFLICT, KZ_T_CLUSTER_ID_TAKEN, KZ_T_CLUSTER_LOOK_HINT},
    [STATE(ID_USED)] = {KZ_CONFLICT, KZ_T_CLUSTER_ID_USED, KZ_T_CLUSTER_ID_HINT},
    [STATE(NAME_TAKEN)] = {KZ_CONFLICT, KZ_T_CLUSTER_NAME_TAKEN, KZ_T_CLUSTER_LOOK_HINT},
    [STATE(ADDRESS_TAKEN)] = {KZ_CONFLICT, KZ_T_CLUSTER_ADDRESS_TAKEN, KZ_T_CLUSTER_LOOK_HINT},
    [STATE(BAD_NAME)] = {KZ_USAGE, KZ_T_CLUSTER_BAD_NAME, KZ_T_CLUSTER_USAGE_HINT},
    [STATE(BAD_ADDRESS)] = {KZ_USAGE, KZ_T_CLUSTER_BAD_ADDRESS, KZ_T_CLUSTER_USAGE_HINT},
    [STATE(BAD_ID)] = {KZ_USAGE, KZ_T_CLUSTER_BAD_ID, KZ_T_CLUSTER_USAGE_HINT},
    [STATE(FULL)] = {KZ_INVALID, KZ_T_CLUSTER_FULL, KZ_T_CLUSTER_FULL_HINT},
    [STATE(LAST_VOTER)] = {KZ_INVALID, KZ_T_CLUSTER_LAST_VOTER, KZ_T_CLUSTER_LAST_VOTER_HINT},
    [STATE(IS_OBSERVER)] = {KZ_INVALID, KZ_T_CLUSTER_IS_OBSERVER, KZ_T_CLUSTER_IS_OBSERVER_HINT},
    [STATE(NOT_A_VOTER)] = {KZ_INVALID, KZ_T_CLUSTER_NOT_A_VOTER, KZ_T_CLUSTER_LAST_VOTER_HINT},
    [STATE(REFUSED)] = {KZ_FAILED, KZ_T_CLUSTER_CORE_REFUSED, KZ_T_CLUSTER_NO_SUCH_HINT},
    [STATE(NO_MAJORITY_LEFT)] = {KZ_INVALID, KZ_T_CLUSTER_NO_MAJORITY_LEFT, KZ_T_CLUSTER_NO_MAJORITY_HINT},
};

static const char *name_of(const Kz__ClusterRequest *ask, const Kz__ClusterResult *result)
{
    const char *name = result->leader ? result->leader : result->name ? result->name : ask->name;
    return name ? name : "?";
}

static int fail_refused(struct kz_cli *cli, const Kz__ClusterRequest *ask, const Kz__ClusterResult *result)
{
    size_t state = (size_t)result->state;
    if (state >= sizeof refusals / sizeof refusals[0] || refusals[state].code == KZ_OK) state = STATE(REFUSED);
    char number[NUMBER_TEXT_BYTES];
    snprintf(number, sizeof number, "%" PRIu64, result->number);
    const char *other = result->other ? result->other : "?";
    return kz_cli_fail(cli, kz_error_new(refusals[state].code, KZ_T_CLUSTER_REFUSED, refusals[state].why,
                                         refusals[state].hint, KZ_TEXT_ARGS(name_of(ask, result), other, number)));
}

/* ---- progress ---- */

struct progress {
    Kz__ClusterResult__State state;
    uint64_t match_index;
    bool matched;
    int64_t moved_ms; /* when it last was something new */
    bool told;
};

static enum kz_text_id progress_text(const struct progress *progress)
{
    switch (progress->state) {
    case STATE(CATCHING_UP):
        return progress->matched && progress->match_index > 0 ? KZ_T_CLUSTER_CATCHING_UP : KZ_T_CLUSTER_NOT_HEARD;
    case STATE(SETTLING):
        return KZ_T_CLUSTER_SETTLING;
    case STATE(TRANSFERRING):
    case STATE(NO_SUCCESSOR):
        return KZ_T_CLUSTER_TRANSFERRING;
    default:
        return KZ_T_CLUSTER_COMMITTING;
    }
}

struct progress_args {
    char match[NUMBER_TEXT_BYTES], last[NUMBER_TEXT_BYTES];
};

static void format_progress(const Kz__ClusterResult *result, struct progress_args *out)
{
    snprintf(out->match, sizeof out->match, "%" PRIu64, result->match_index);
    snprintf(out->last, sizeof out->last, "%" PRIu64, result->last_index);
}

/* 0: ask again. */
static int note_progress(struct kz_cli *cli, struct progress *progress, const Kz__ClusterRequest *ask,
                         const Kz__ClusterResult *result)
{
    struct progress_args args;
    int64_t now_ms = kz_clock_ms();
    bool moved = !progress->told || progress->state != result->state || progress->match_index < result->match_index;
    progress->state = result->state;
    progress->match_index = result->match_index;
    progress->matched = result->has_match_index;
    format_progress(result, &args);
    const char *name = name_of(ask, result);
    if (moved) {
        progress->told = true;
        progress->moved_ms = now_ms;
        kz_cli_tell(cli, progress_text(progress), KZ_TEXT_ARGS(name, args.match, args.last));
    }
    if (now_ms - progress->moved_ms < cli->options.timeout_ms) return 0;
    return kz_cli_fail(cli, kz_error_new(KZ_TIMED_OUT, KZ_T_CLUSTER_NOT_DONE, progress_text(progress),
                                         KZ_T_CLUSTER_NOT_DONE_HINT, KZ_TEXT_ARGS(name, args.match, args.last)));
}

/* ---- changes ---- */

static int show_done(struct kz_cli *cli, const struct verb *verb, const Kz__ClusterRequest *ask,
                     const Kz__Response *response)
{
    const Kz__ClusterResult *result = response->cluster;
    bool changed = result->state == STATE(DONE);
    enum kz_text_id text = !changed                                                       ? verb->unchanged
                           : ask->verb == VERB(ADD) && ask->has_observer && ask->observer ? KZ_T_CLUSTER_ADDED_OBSERVER
                                                                                          : verb->done;
    if (!kz_show_is_json(&cli->view)) {
        kz_cli_tell(cli, text, KZ_TEXT_ARGS(name_of(ask, result)));
        return 0;
    }
    json_t *items = json_array(), *item = json_object();
    kz_show_set(item, "verb", json_string(verb->name));
    kz_show_set(item, "name", kz_show_string(name_of(ask, result)));
    kz_show_set(item, "changed", json_boolean(changed));
    (void)json_array_append_new(items, item);
    struct kz_buf out;
    kz_buf_init(&out, 0);
    kz_show_items(&cli->view, response->meta, items, &out);
    int status = kz_cli_print(cli, &out);
    kz_buf_fini(&out);
    return status;
}

/* -1: ask again. */
static int take_answer(struct kz_cli *cli, const struct verb *verb, const Kz__ClusterRequest *ask,
                       const Kz__Response *response, struct progress *progress)
{
    const Kz__ClusterResult *result = response->cluster;
    if (!result || !response->meta) return fail_odd(cli);
    if (result->state == STATE(DONE) || result->state == STATE(UNCHANGED)) return show_done(cli, verb, ask, response);
    if (result->state > STATE(NO_SUCCESSOR)) return fail_refused(cli, ask, result);
    int status = note_progress(cli, progress, ask, result);
    return status ? status : -1;
}

/* Once a step was taken, its repetition meets it: then nothing to do means done. */
static void tell_done_apart(const struct progress *progress, Kz__Response *response)
{
    if (progress->told && response->cluster && response->cluster->state == STATE(UNCHANGED))
        response->cluster->state = STATE(DONE);
}

static int change(struct kz_cli *cli, const struct verb *verb, Kz__ClusterRequest *ask)
{
    struct progress progress = {.moved_ms = kz_clock_ms()};
    int status;
    do {
        Kz__Request request = KZ__REQUEST__INIT;
        Kz__Response *response = NULL;
        request.cluster = ask;
        status = kz_cli_call(cli, &request, &response);
        if (status) return status;
        tell_done_apart(&progress, response);
        status = take_answer(cli, verb, ask, response, &progress);
        kz__response__free_unpacked(response, NULL);
    } while (status < 0);
    return status;
}

/* ---- what cannot be undone ---- */

static int confirm(struct kz_cli *cli, const char *name)
{
    int status = kz_cli_connect(cli);
    if (status) return status;
    const char *cluster = kz_client_cluster(cli->client);
    kz_cli_tell(cli, KZ_T_CLUSTER_WILL_REMOVE, KZ_TEXT_ARGS(name, cluster));
    return kz_cli_confirm(cli, cluster);
}

/* ---- the command ---- */

static int run_change(struct kz_cli *cli, const struct verb *verb)
{
    Kz__ClusterRequest ask = KZ__CLUSTER_REQUEST__INIT;
    ask.verb = verb->verb;
    ask.name = (char *)(uintptr_t)word(cli, 0); /* packed only */
    ask.address = (char *)(uintptr_t)word(cli, 1);
    if (verb->verb == VERB(ADD)) {
        if (cli->options.member_id < 0) return fail_usage(cli, verb, KZ_T_ARGUMENT_MISSING, "--id");
        ask.has_node_id = ask.has_observer = true;
        ask.node_id = (uint64_t)cli->options.member_id;
        ask.observer = cli->options.observer;
    }
    if (verb->verb == VERB(REMOVE)) {
        int status = confirm(cli, ask.name);
        if (status) return status;
    }
    return change(cli, verb, &ask);
}

int kz_run_cluster(struct kz_cli *cli)
{
    const char *name = cli->words.count > 1 ? cli->words.items[1] : NULL;
    const struct verb *verb = NULL;
    for (size_t i = 0; name && i < VERB_COUNT; i++)
        if (strcmp(verbs[i].name, name) == 0) verb = &verbs[i];
    if (!verb) return fail_usage(cli, NULL, name ? KZ_T_UNKNOWN_VERB : KZ_T_ARGUMENT_MISSING, name ? name : "VERB");
    size_t given = cli->words.count - 2;
    if (given < verb->words_min) return fail_usage(cli, verb, KZ_T_ARGUMENT_MISSING, given == 0 ? "NAME" : "HOST:PORT");
    if (given > verb->words_max)
        return fail_usage(cli, verb, KZ_T_ARGUMENT_EXTRA, cli->words.items[2 + verb->words_max]);
    return verb->run ? verb->run(cli, verb) : run_change(cli, verb);
}
