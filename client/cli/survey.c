/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/survey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/commands.h"
#include "node/base/assert.h"

#define ASK_MS 4000 /* of one node: a site that is gone must not hold the others up for long */

/* ---- one endpoint at a time ---- */

/* Puts another list of nodes in the place of --node; returns the one that was there. */
static char *name_nodes(struct kz_cli *cli, char *nodes)
{
    char *before = cli->options.node;
    cli->options.node = nodes;
    kz_cli_disconnect(cli);
    return before;
}

int kz_survey_call(struct kz_cli *cli, const char *endpoint, Kz__Request *request, Kz__Response **response)
{
    char *one = kz_must_strdup(endpoint), *all = name_nodes(cli, one);
    int status = kz_cli_call(cli, request, response);
    (void)name_nodes(cli, all);
    free(one);
    return status;
}

static void note_problem(struct kz_survey_place *place, const Kz__Error *error)
{
    const char *texts[2][2] = {{error->what_en, error->why_en}, {error->what_ja, error->why_ja}};
    for (size_t ja = 0; ja < 2; ja++) {
        const char *why = texts[ja][1] && texts[ja][1][0] ? texts[ja][1] : texts[ja][0];
        snprintf(place->problem[ja], sizeof place->problem[ja], "%.200s", why ? why : "");
    }
}

static void ask_place(struct kz_cli *cli, struct kz_survey_place *place)
{
    Kz__RecoverRequest ask = KZ__RECOVER_REQUEST__INIT;
    Kz__Request request = KZ__REQUEST__INIT;
    Kz__Response *response = NULL;
    struct kz_err err = {.code = KZ_OK};
    struct kz_error_context context = {.role = cli->command->role};
    ask.step = KZ__RECOVER_REQUEST__STEP__PLAN;
    request.recover = &ask;
    if (kz_client_call(cli->client, &request, &response, &err) != KZ_OK) {
        Kz__Error *error = kz_error_of_call(cli->client, &err, cli->options.timeout_ms, &context);
        note_problem(place, error);
        kz__error__free_unpacked(error, NULL);
        return;
    }
    if (response->error) {
        kz_error_complete(response->error, &context);
        note_problem(place, response->error);
    } else if (response->recover && response->recover->survivor) {
        place->survivor = response->recover->survivor;
        response->recover->survivor = NULL;
    } else {
        for (size_t ja = 0; ja < 2; ja++)
            snprintf(place->problem[ja], sizeof place->problem[ja], "%s", kz_text(KZ_T_ODD_ANSWER, ja));
    }
    kz__response__free_unpacked(response, NULL);
}

static int take_place(struct kz_cli *cli, const char *endpoint, struct kz_survey *survey)
{
    if (survey->count == KZ_ENDPOINTS_MAX) return 0; /* the client refuses longer lists anyway */
    struct kz_survey_place *place = &survey->places[survey->count++];
    snprintf(place->endpoint, sizeof place->endpoint, "%s", endpoint);
    char *one = kz_must_strdup(endpoint), *all = name_nodes(cli, one);
    int64_t timeout_ms = cli->options.timeout_ms;
    if (timeout_ms > ASK_MS) cli->options.timeout_ms = ASK_MS;
    int status = kz_cli_connect(cli);
    if (!status) ask_place(cli, place);
    cli->options.timeout_ms = timeout_ms;
    (void)name_nodes(cli, all);
    free(one);
    return status;
}

static bool is_known(const struct kz_survey *survey, const Kz__Survivor *survivor)
{
    for (size_t i = 0; i < survey->survivor_count; i++)
        if (survey->survivors[i]->node_id == survivor->node_id &&
            strcmp(survey->survivors[i]->digest, survivor->digest) == 0)
            return true;
    return false;
}

int kz_survey_take(struct kz_cli *cli, struct kz_survey *survey)
{
    memset(survey, 0, sizeof *survey);
    int status = kz_cli_connect(cli); /* certificate and list are checked as a whole, with their own errors */
    if (status) return status;
    char *list = kz_must_strdup(cli->options.node), *rest = list, *endpoint;
    while (!status && (endpoint = strsep(&rest, ",")) != NULL) {
        endpoint += strspn(endpoint, " ");
        if (*endpoint) status = take_place(cli, endpoint, survey);
    }
    free(list);
    for (size_t i = 0; i < survey->count; i++) {
        Kz__Survivor *survivor = survey->places[i].survivor;
        if (survivor && !is_known(survey, survivor)) survey->survivors[survey->survivor_count++] = survivor;
    }
    return status;
}

void kz_survey_fini(struct kz_survey *survey)
{
    for (size_t i = 0; i < survey->count; i++)
        if (survey->places[i].survivor) kz__survivor__free_unpacked(survey->places[i].survivor, NULL);
    memset(survey, 0, sizeof *survey);
}

const struct kz_survey_place *kz_survey_place_of(const struct kz_survey *survey, const Kz__Survivor *survivor)
{
    for (size_t i = 0; i < survey->count; i++)
        if (survey->places[i].survivor == survivor) return &survey->places[i];
    return NULL;
}

const Kz__Survivor *kz_survey_by_digest(const struct kz_survey *survey, const char *digest)
{
    for (size_t i = 0; i < survey->survivor_count; i++)
        if (strcmp(survey->survivors[i]->digest, digest) == 0) return survey->survivors[i];
    return NULL;
}

const Kz__Survivor *kz_survey_majority(const struct kz_survey *survey)
{
    for (size_t i = 0; i < survey->survivor_count; i++)
        if (survey->survivors[i]->quorum) return survey->survivors[i];
    return NULL;
}
