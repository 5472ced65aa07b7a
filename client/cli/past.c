/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/past.h"

#include "node/base/config.h"
#include "node/registry/when.h"

int kz_past_read(struct kz_cli *cli, const char *option, const char *text, struct kz_past *out)
{
    int64_t number;
    *out = (struct kz_past){.by_time = false};
    if (kz_parse_integer(text, &number) && number >= 0) {
        out->rev = (uint64_t)number;
        return 0;
    }
    out->by_time = true;
    if (kz_time_parse(text, &out->time_ms)) return 0;
    return kz_cli_fail(
        cli, kz_error_new(KZ_USAGE, KZ_T_BAD_PAST, KZ_T_PAST_WANTED, KZ_T_PAST_HINT, KZ_TEXT_ARGS(option, text)));
}

/* A list says in its meta which revision the time meant; of which kind does not matter. */
int kz_past_resolve(struct kz_cli *cli, struct kz_past *past)
{
    if (!past->by_time) return 0;
    Kz__ListRequest list = KZ__LIST_REQUEST__INIT;
    list.kind = KZ__KIND__SITE;
    list.has_limit = true;
    list.limit = 1;
    list.has_as_of_ms = true;
    list.as_of_ms = past->time_ms;
    Kz__Request request = KZ__REQUEST__INIT;
    request.list = &list;
    Kz__Response *response = NULL;
    int status = kz_cli_call(cli, &request, &response);
    if (status) return status;
    if (response->meta && response->meta->has_as_of_rev) {
        past->by_time = false;
        past->rev = response->meta->as_of_rev;
    } else { /* a node that does not know this question answers with the present */
        status = kz_cli_fail_odd(cli);
    }
    kz__response__free_unpacked(response, NULL);
    return status;
}
