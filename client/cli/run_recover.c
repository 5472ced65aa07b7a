/* SPDX-License-Identifier: Apache-2.0 */
/* `cluster recover`: plan, approve, apply (DESIGN section 7). */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/commands.h"
#include "client/cli/survey.h"
#include "node/base/assert.h"

#define NUMBER_TEXT_BYTES 24
#define POLL_MS 200
#define FINISH_MS (10 * 60 * 1000) /* a large archive on a slow disk */
#define VERB_AT 2                  /* keizoku cluster recover VERB DIGEST */

static const char *word(const struct kz_cli *cli, size_t at)
{
    return at < cli->words.count ? cli->words.items[at] : NULL;
}

static int fail_usage(struct kz_cli *cli, enum kz_text_id what, const char *text)
{
    return kz_cli_fail(
        cli, kz_error_new(KZ_USAGE, what, KZ_T_USAGE_IS_SECOND, KZ_T_USE_HELP_THIRD,
                          KZ_TEXT_ARGS(text, "keizoku cluster recover plan|approve DIGEST|apply DIGEST", "cluster")));
}

static int fail_majority(struct kz_cli *cli, const Kz__Survivor *survivor)
{
    return kz_cli_fail(cli, kz_error_new(KZ_CONFLICT, KZ_T_RECOVER_MAJORITY, KZ_T_RECOVER_MAJORITY_WHY,
                                         KZ_T_RECOVER_MAJORITY_HINT, KZ_TEXT_ARGS(survivor->name)));
}

static int fail_nobody(struct kz_cli *cli, const struct kz_survey *survey)
{
    Kz__Error *error = kz_error_new(KZ_UNREACHABLE, KZ_T_UNREACHABLE, KZ_T_EMPTY, KZ_T_UNREACHABLE_HINT, NULL, 0);
    for (int ja = 0; ja < 2; ja++) {
        struct kz_buf why;
        kz_buf_init(&why, 0);
        for (size_t i = 0; i < survey->count; i++)
            kz_buf_addf(&why, "%s%s", i ? "; " : "", survey->places[i].problem[ja]);
        kz_error_set(ja ? &error->why_ja : &error->why_en, kz_buf_text(&why));
        kz_buf_fini(&why);
    }
    return kz_cli_fail(cli, error);
}

/* Takes a survey with at least one survivor in it; else the error is printed. */
static int take_survey(struct kz_cli *cli, struct kz_survey *survey)
{
    int status = kz_survey_take(cli, survey);
    if (status) return status;
    return survey->survivor_count ? 0 : fail_nobody(cli, survey);
}

/* ---- plan ---- */

static int run_plan(struct kz_cli *cli)
{
    struct kz_survey *survey = kz_must_alloc(1, sizeof *survey);
    int status = take_survey(cli, survey);
    if (!status) {
        const Kz__Survivor *newest = kz_survivor_newest(survey->survivors, survey->survivor_count);
        const Kz__Survivor *majority = kz_survey_majority(survey);
        struct kz_buf out;
        kz_buf_init(&out, 0);
        kz_show_survey(&cli->view, survey, newest, &out);
        status = kz_cli_print(cli, &out);
        kz_buf_fini(&out);
        if (!status && majority) status = fail_majority(cli, majority);
    }
    kz_survey_fini(survey);
    free(survey);
    return status;
}

/* ---- approve, apply ---- */

static int ask(struct kz_cli *cli, const char *endpoint, Kz__RecoverRequest *ask_for, Kz__Response **response)
{
    Kz__Request request = KZ__REQUEST__INIT;
    request.recover = ask_for;
    return kz_survey_call(cli, endpoint, &request, response);
}

static int run_approve(struct kz_cli *cli, const struct kz_survey *survey, const Kz__Survivor *chosen)
{
    const char *endpoint = kz_survey_place_of(survey, chosen)->endpoint;
    Kz__RecoverRequest request = KZ__RECOVER_REQUEST__INIT;
    Kz__Response *response = NULL;
    request.step = KZ__RECOVER_REQUEST__STEP__APPROVE;
    request.digest = chosen->digest;
    int status = ask(cli, endpoint, &request, &response);
    if (status) return status;
    kz__response__free_unpacked(response, NULL);
    kz_cli_tell(cli, KZ_T_RECOVER_APPROVAL_KEPT, KZ_TEXT_ARGS(chosen->digest, chosen->name));
    kz_cli_tell(cli, KZ_T_RECOVER_NEXT_APPLY, KZ_TEXT_ARGS(chosen->digest, endpoint));
    return 0;
}

static int fail_older(struct kz_cli *cli, const Kz__Survivor *chosen, const Kz__Survivor *newest)
{
    char lost[NUMBER_TEXT_BYTES];
    enum kz_survivor_reason reason;
    (void)kz_survivor_compare(newest, chosen, &reason);
    uint64_t more = newest->last_index > chosen->last_index ? newest->last_index - chosen->last_index : 0;
    snprintf(lost, sizeof lost, "%" PRIu64, more);
    return kz_cli_fail(cli,
                       kz_error_new(KZ_CONFLICT, KZ_T_RECOVER_OLDER, KZ_T_RECOVER_OLDER_WHY, KZ_T_RECOVER_OLDER_HINT,
                                    KZ_TEXT_ARGS(chosen->name, newest->name, lost, newest->digest)));
}

/* The archive could not be written, or the data was not what had been approved. */
static int fail_undone(struct kz_cli *cli, const Kz__Survivor *survivor)
{
    enum kz_code code = survivor->has_failed ? (enum kz_code)survivor->failed : KZ_FAILED;
    return kz_cli_fail(cli, kz_error_new(code, KZ_T_RECOVER_UNDONE, KZ_T_SECOND, KZ_T_RECOVER_UNDONE_HINT,
                                         KZ_TEXT_ARGS(survivor->name, survivor->failed_text)));
}

static int tell_done(struct kz_cli *cli, const Kz__Survivor *now)
{
    char epoch[NUMBER_TEXT_BYTES];
    const char *archive = now->recovered && now->recovered->archive ? now->recovered->archive : "?";
    snprintf(epoch, sizeof epoch, "%" PRIu64, now->epoch);
    kz_cli_tell(cli, KZ_T_RECOVER_DONE, KZ_TEXT_ARGS(now->cluster, epoch, now->name, archive));
    kz_cli_tell(cli, KZ_T_RECOVER_THEN_ADD, NULL, 0);
    kz_cli_tell(cli, KZ_T_RECOVER_THEN_SALVAGE, NULL, 0);
    return 0;
}

static bool is_of_plan(const Kz__Survivor *survivor, const char *digest)
{
    return survivor->recovered && strcmp(survivor->recovered->plan, digest) == 0;
}

/* The node stops and starts again in between: that it does not answer for a while is expected. -1: not yet. */
static int look_whether_done(struct kz_cli *cli, const char *endpoint, const char *digest)
{
    struct kz_survey *survey = kz_must_alloc(1, sizeof *survey);
    char *all = cli->options.node, *one = kz_must_strdup(endpoint);
    cli->options.node = one;
    int status = kz_survey_take(cli, survey);
    cli->options.node = all;
    if (!status) status = -1;
    const Kz__Survivor *now = survey->survivor_count ? survey->survivors[0] : NULL;
    if (now && is_of_plan(now, digest) && now->leader_known)
        status = tell_done(cli, now);
    else if (now && !now->working && (now->has_failed || !is_of_plan(now, digest)))
        status = fail_undone(cli, now);
    kz_survey_fini(survey);
    free(survey);
    free(one);
    return status;
}

static int await_epoch(struct kz_cli *cli, const char *endpoint, const char *digest)
{
    int64_t until_ms = kz_cli_now_ms() + FINISH_MS;
    int status = -1;
    while (status < 0 && kz_cli_now_ms() < until_ms) {
        (void)poll(NULL, 0, POLL_MS);
        status = look_whether_done(cli, endpoint, digest);
    }
    if (status >= 0) return status;
    return kz_cli_fail(cli, kz_error_new(KZ_TIMED_OUT, KZ_T_RECOVER_SLOW, KZ_T_RECOVER_SLOW_WHY, KZ_T_RECOVER_SLOW_HINT,
                                         KZ_TEXT_ARGS(digest, endpoint)));
}

static int run_apply(struct kz_cli *cli, const struct kz_survey *survey, const Kz__Survivor *chosen)
{
    const Kz__Survivor *newest = kz_survivor_newest(survey->survivors, survey->survivor_count);
    enum kz_survivor_reason reason;
    bool older = kz_survivor_compare(newest, chosen, &reason) > 0;
    if (older && !cli->options.older) return fail_older(cli, chosen, newest);
    const char *endpoint = kz_survey_place_of(survey, chosen)->endpoint;
    Kz__RecoverRequest request = KZ__RECOVER_REQUEST__INIT;
    Kz__Response *response = NULL;
    request.step = KZ__RECOVER_REQUEST__STEP__APPLY;
    request.digest = chosen->digest;
    request.has_alone = request.alone = cli->options.alone;
    request.cluster = cli->options.confirm;
    request.has_older = request.older = older;
    int status = ask(cli, endpoint, &request, &response);
    if (status) return status;
    const char *archive = response->recover && response->recover->archive ? response->recover->archive : "?";
    kz_cli_tell(cli, KZ_T_RECOVER_ARCHIVING, KZ_TEXT_ARGS(chosen->name, archive));
    kz__response__free_unpacked(response, NULL);
    return await_epoch(cli, endpoint, chosen->digest);
}

/* A plan that was carried out before is not an error: the one who repeats the command wants it to be so. */
static int fail_no_plan(struct kz_cli *cli, const struct kz_survey *survey, const char *digest, bool applies)
{
    for (size_t i = 0; i < survey->survivor_count && applies; i++)
        if (is_of_plan(survey->survivors[i], digest)) return tell_done(cli, survey->survivors[i]);
    return kz_cli_fail(cli, kz_error_new(KZ_CONFLICT, KZ_T_RECOVER_NO_PLAN, KZ_T_RECOVER_NO_PLAN_WHY,
                                         KZ_T_RECOVER_NO_PLAN_HINT, KZ_TEXT_ARGS(digest)));
}

static int decide(struct kz_cli *cli, bool applies, const char *digest)
{
    struct kz_survey *survey = kz_must_alloc(1, sizeof *survey);
    int status = take_survey(cli, survey);
    if (!status) {
        const Kz__Survivor *chosen = kz_survey_by_digest(survey, digest);
        const Kz__Survivor *majority = kz_survey_majority(survey);
        if (!chosen)
            status = fail_no_plan(cli, survey, digest, applies);
        else if (majority && majority->epoch >= chosen->epoch)
            status = fail_majority(cli, majority);
        else
            status = applies ? run_apply(cli, survey, chosen) : run_approve(cli, survey, chosen);
    }
    kz_survey_fini(survey);
    free(survey);
    return status;
}

int kz_run_recover(struct kz_cli *cli)
{
    const char *verb = word(cli, VERB_AT), *digest = word(cli, VERB_AT + 1);
    if (!verb) return fail_usage(cli, KZ_T_ARGUMENT_MISSING, "plan|approve|apply");
    bool plan = strcmp(verb, "plan") == 0, applies = strcmp(verb, "apply") == 0;
    if (!plan && !applies && strcmp(verb, "approve") != 0) return fail_usage(cli, KZ_T_UNKNOWN_VERB, verb);
    const char *extra = word(cli, plan ? VERB_AT + 1 : VERB_AT + 2);
    if (extra) return fail_usage(cli, KZ_T_ARGUMENT_EXTRA, extra);
    if (plan) return run_plan(cli);
    return digest ? decide(cli, applies, digest) : fail_usage(cli, KZ_T_ARGUMENT_MISSING, "DIGEST");
}
