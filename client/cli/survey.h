/* SPDX-License-Identifier: Apache-2.0 */
/* Asks every endpoint named by --node on its own what it holds, and prints the plan made of the answers. One thread. */
#ifndef KZ_CLIENT_CLI_SURVEY_H
#define KZ_CLIENT_CLI_SURVEY_H

#include "client/cli/cli.h"
#include "client/cli/survivor.h"

struct kz_survey_place {
    char endpoint[KZ_ENDPOINT_TEXT_BYTES];
    Kz__Survivor *survivor; /* owned; NULL: it did not answer */
    char problem[2][256];   /* why not, in English and Japanese */
};

struct kz_survey {
    struct kz_survey_place places[KZ_ENDPOINTS_MAX];
    size_t count;
    Kz__Survivor *survivors[KZ_ENDPOINTS_MAX]; /* of the places, each node once; borrowed from them */
    size_t survivor_count;
};

/* 0, or the exit status of a printed error (no usable certificate, no endpoint). */
int kz_survey_take(struct kz_cli *cli, struct kz_survey *survey);
void kz_survey_fini(struct kz_survey *survey);

/* The place of a survivor. */
const struct kz_survey_place *kz_survey_place_of(const struct kz_survey *survey, const Kz__Survivor *survivor);
/* Whose plan it is; NULL. */
const Kz__Survivor *kz_survey_by_digest(const struct kz_survey *survey, const char *digest);
/* One that is in touch with a majority; NULL. */
const Kz__Survivor *kz_survey_majority(const struct kz_survey *survey);

/* One request to one endpoint: as kz_cli_call. */
int kz_survey_call(struct kz_cli *cli, const char *endpoint, Kz__Request *request, Kz__Response **response);

void kz_show_survey(const struct kz_view *view, const struct kz_survey *survey, const Kz__Survivor *newest,
                    struct kz_buf *out);

#endif
