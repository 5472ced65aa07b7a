/* SPDX-License-Identifier: Apache-2.0 */
/* `search`: the words go to a node, which holds the index; what it found is shown. */
#include <inttypes.h>
#include <stdio.h>

#include "client/cli/commands.h"
#include "client/cli/show_search.h"

#define NUMBER_TEXT_BYTES 24

static int fail_missing(struct kz_cli *cli)
{
    struct kz_buf usage;
    kz_buf_init(&usage, 0);
    kz_usage_line(&usage, cli->command);
    int status =
        kz_cli_fail(cli, kz_error_new(KZ_USAGE, KZ_T_ARGUMENT_MISSING, KZ_T_USAGE_IS_SECOND, KZ_T_USE_HELP_THIRD,
                                      KZ_TEXT_ARGS("TEXT", kz_buf_text(&usage), "search")));
    kz_buf_fini(&usage);
    return status;
}

static int show(struct kz_cli *cli, const Kz__Response *response)
{
    const Kz__SearchResult *result = response->search;
    char shown[NUMBER_TEXT_BYTES], found[NUMBER_TEXT_BYTES];
    struct kz_buf out;
    kz_buf_init(&out, 0);
    kz_show_search(&cli->view, result, response->meta, &out);
    int status = kz_cli_answer(cli, response->meta, &out);
    snprintf(shown, sizeof shown, "%zu", result->n_hits);
    snprintf(found, sizeof found, "%" PRIu64, result->found);
    if (result->found > result->n_hits) kz_cli_tell(cli, KZ_T_SEARCH_MORE, KZ_TEXT_ARGS(shown, found));
    if (result->found == 0) kz_cli_tell(cli, KZ_T_SEARCH_NOTHING, KZ_TEXT_ARGS(NULL));
    kz_buf_fini(&out);
    return status;
}

int kz_run_search(struct kz_cli *cli)
{
    const char *kind_name = cli->options.kind;
    const struct kz_kind *kind = kind_name ? kz_kind_by_name(kind_name) : NULL;
    if (cli->words.count < 2) return fail_missing(cli);
    if (kind_name && !kind)
        return kz_cli_fail(cli, kz_error_new(KZ_USAGE, KZ_T_UNKNOWN_KIND, KZ_T_UNDO_KIND_WHY, KZ_T_USE_SCHEMA,
                                             KZ_TEXT_ARGS(kind_name)));
    struct kz_buf text;
    kz_buf_init(&text, 0);
    for (size_t i = 1; i < cli->words.count; i++)
        kz_buf_addf(&text, "%s%s", i > 1 ? " " : "", cli->words.items[i]);
    Kz__SearchRequest ask = KZ__SEARCH_REQUEST__INIT;
    ask.text = (char *)(uintptr_t)kz_buf_text(&text); /* packed only */
    ask.has_kind = kind != NULL;
    ask.kind = kind ? kind->number : KZ__KIND__SITE;
    ask.has_retired = ask.retired = cli->options.retired;
    Kz__Request request = KZ__REQUEST__INIT;
    request.search = &ask;
    Kz__Response *response = NULL;
    int status = kz_cli_call(cli, &request, &response);
    kz_buf_fini(&text);
    if (status) return status;
    status = response->search && response->meta ? show(cli, response) : kz_cli_fail_odd(cli);
    kz__response__free_unpacked(response, NULL);
    return status;
}
