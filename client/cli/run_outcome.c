/* SPDX-License-Identifier: Apache-2.0 */
/* `outcome`: what became of a write whose answer was lost. That it was applied or refused is certain from any copy that
 * remembers it; that it was not is certain only from the latest state. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/commands.h"
#include "proto/wire.h"

#define NUMBER_TEXT_BYTES 24
#define WRITE_ROLE "operator" /* what the refused write would have needed */

static bool parse_request_id(const char *text, uint8_t id[KZ_REQUEST_ID_BYTES])
{
    if (strlen(text) != 2 * KZ_REQUEST_ID_BYTES || text[strspn(text, "0123456789abcdefABCDEF")]) return false;
    for (size_t i = 0; i < KZ_REQUEST_ID_BYTES; i++) {
        char pair[] = {text[2 * i], text[2 * i + 1], '\0'};
        id[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return true;
}

static int show_refused(struct kz_cli *cli, Kz__Outcome *outcome)
{
    struct kz_error_context context = {.role = WRITE_ROLE};
    Kz__Error *error = kz_error_of_outcome(outcome, &context);
    for (int japanese = 0; japanese < 2; japanese++) {
        struct kz_buf what;
        kz_buf_init(&what, 0);
        kz_text_fill(&what, KZ_T_OUTCOME_REFUSED, japanese,
                     KZ_TEXT_ARGS(cli->rest, japanese ? error->what_ja : error->what_en));
        kz_error_set(japanese ? &error->what_ja : &error->what_en, kz_buf_text(&what));
        kz_buf_fini(&what);
    }
    return kz_cli_fail(cli, error);
}

static int show_applied(struct kz_cli *cli, const Kz__Response *response)
{
    char rev[NUMBER_TEXT_BYTES];
    snprintf(rev, sizeof rev, "%" PRIu64, response->outcome->rev);
    kz_cli_tell(cli, KZ_T_OUTCOME_APPLIED, KZ_TEXT_ARGS(cli->rest, rev));
    struct kz_buf out;
    kz_buf_init(&out, 0);
    kz_show_outcome(&cli->view, KZ__MUTATION__OP__PUT, response->outcome, response->meta, false, &out);
    int status = kz_cli_answer(cli, response->meta, &out);
    kz_buf_fini(&out);
    return status;
}

/* The copy that was asked lacks it, and may be older than it. */
static int show_not_here(struct kz_cli *cli, const Kz__Meta *meta)
{
    Kz__Error *error =
        kz_error_new(KZ_UNKNOWN_OUTCOME, meta->quorum ? KZ_T_OUTCOME_OWN_COPY : KZ_T_OUTCOME_NO_MAJORITY, KZ_T_EMPTY,
                     meta->quorum ? KZ_T_OUTCOME_ASK_LATEST : KZ_T_OUTCOME_ASK_AGAIN, KZ_TEXT_ARGS(cli->rest));
    char rev[NUMBER_TEXT_BYTES];
    snprintf(rev, sizeof rev, "%" PRIu64, meta->rev);
    for (int japanese = 0; japanese < 2; japanese++) {
        struct kz_view view = {.japanese = japanese};
        struct kz_buf why, time, contact;
        kz_buf_init(&why, 0);
        kz_buf_init(&time, 0);
        kz_buf_init(&contact, 0);
        kz_show_freshness(&view, meta, &time, &contact);
        kz_text_fill(&why, KZ_T_OUTCOME_COPY_WHY, japanese,
                     KZ_TEXT_ARGS(meta->node, kz_buf_text(&time), rev, kz_buf_text(&contact)));
        kz_error_set(japanese ? &error->why_ja : &error->why_en, kz_buf_text(&why));
        kz_buf_fini(&why);
        kz_buf_fini(&time);
        kz_buf_fini(&contact);
    }
    return kz_cli_fail(cli, error);
}

static int fail_odd(struct kz_cli *cli)
{
    return kz_cli_fail(cli,
                       kz_error_new(KZ_PROTOCOL, KZ_T_ODD_ANSWER, KZ_T_ODD_ANSWER_WHY, KZ_T_ODD_ANSWER_HINT, NULL, 0));
}

static int show_not_found(struct kz_cli *cli, const Kz__Meta *meta)
{
    if (!meta) return fail_odd(cli);
    if (meta->read != KZ__READ_MODE__LINEARIZABLE) return show_not_here(cli, meta);
    return kz_cli_fail(cli, kz_error_new(KZ_NOT_FOUND, KZ_T_OUTCOME_NOT_KNOWN, KZ_T_OUTCOME_NOT_KNOWN_WHY,
                                         KZ_T_OUTCOME_NOT_KNOWN_HINT, KZ_TEXT_ARGS(cli->rest)));
}

static int show_error(struct kz_cli *cli, Kz__Response *response)
{
    enum kz_code code = (enum kz_code)response->error->code;
    if (code == KZ_NOT_FOUND) return show_not_found(cli, response->meta);
    if (code == KZ_NO_QUORUM && response->meta) return show_not_here(cli, response->meta);
    Kz__Error *error = response->error;
    response->error = NULL;
    struct kz_error_context context = {.role = cli->command->role,
                                       .node = response->meta ? response->meta->node : NULL};
    kz_error_complete(error, &context);
    return kz_cli_fail(cli, error);
}

int kz_run_outcome(struct kz_cli *cli)
{
    uint8_t id[KZ_REQUEST_ID_BYTES];
    if (!parse_request_id(cli->rest, id))
        return kz_cli_fail(cli, kz_error_new(KZ_USAGE, KZ_T_BAD_REQUEST_ID, KZ_T_REQUEST_ID_RULE, KZ_T_USE_HELP_SECOND,
                                             KZ_TEXT_ARGS(cli->rest, cli->command->name)));
    Kz__OutcomeRequest ask = KZ__OUTCOME_REQUEST__INIT;
    ask.request_id = (ProtobufCBinaryData){.len = sizeof id, .data = id};
    Kz__Request request = KZ__REQUEST__INIT;
    request.outcome = &ask;
    Kz__Response *response = NULL;
    int status = kz_cli_connect(cli);
    if (status) return status;
    struct kz_err err = {.code = KZ_OK};
    if (kz_client_call(cli->client, &request, &response, &err)) {
        struct kz_error_context context = {.role = cli->command->role};
        return kz_cli_fail(cli, kz_error_of_call(cli->client, &err, cli->options.timeout_ms, &context));
    }
    if (response->error)
        status = show_error(cli, response);
    else if (!response->outcome)
        status = fail_odd(cli);
    else
        status = response->outcome->code ? show_refused(cli, response->outcome) : show_applied(cli, response);
    kz__response__free_unpacked(response, NULL);
    return status;
}
