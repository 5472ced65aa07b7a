/* SPDX-License-Identifier: Apache-2.0 */
/* `doctor`: all records of one revision are fetched from any node, a lone survivor too, and examined here. */
#include <string.h>

#include "client/cli/commands.h"
#include "client/cli/gather.h"
#include "client/cli/show_doctor.h"
#include "client/codec/describe.h"
#include "node/registry/when.h"

#define STATUS_FINDINGS 1 /* something at or above the severity asked for */
#define KINDS_MAX 64

static int read_time(struct kz_cli *cli, int64_t *now_ms)
{
    const char *at = cli->options.at;
    *now_ms = kz_cli_now_ms();
    if (!at || kz_time_parse(at, now_ms)) return 0;
    return kz_cli_fail(
        cli, kz_error_new(KZ_USAGE, KZ_T_BAD_MOMENT, KZ_T_MOMENT_WANTED, KZ_T_MOMENT_HINT, KZ_TEXT_ARGS("--at", at)));
}

static int read_kind(struct kz_cli *cli, Kz__Kind *out)
{
    const char *name = cli->options.kind;
    const struct kz_kind *kind = name ? kz_kind_by_name(name) : NULL;
    *out = kind ? kind->number : 0;
    if (!name || kind) return 0;
    struct kz_buf kinds;
    kz_buf_init(&kinds, 0);
    kz_describe_kinds(&kinds);
    Kz__Error *error = kz_error_new(KZ_USAGE, KZ_T_UNKNOWN_KIND, KZ_T_KINDS_ARE_SECOND, KZ_T_USE_SCHEMA,
                                    KZ_TEXT_ARGS(name, kz_buf_text(&kinds)));
    kz_buf_fini(&kinds);
    return kz_cli_fail(cli, error);
}

/* "joho-system" or "org/joho-system". */
static const char *without_kind(const char *owner)
{
    static const char prefix[] = "org/";
    return owner && strncmp(owner, prefix, sizeof prefix - 1) == 0 ? owner + sizeof prefix - 1 : owner;
}

/* Whatever keeps a plan, and the events that say whether a report is due. */
static size_t list_kinds(Kz__Kind kinds[KINDS_MAX])
{
    size_t count, used = 0;
    const struct kz_kind *all = kz_kinds(&count);
    for (size_t i = 0; i < count && used < KINDS_MAX; i++)
        if (!all[i].event || all[i].number == KZ__KIND__INCIDENT || all[i].number == KZ__KIND__REPORT)
            kinds[used++] = all[i].number;
    return used;
}

static int show(struct kz_cli *cli, const struct kz_findings *findings, const struct kz_finding_filter *filter,
                const Kz__Meta *meta)
{
    struct kz_buf out, summary;
    if (filter->owner && !kz_set_find(&findings->set, KZ__KIND__ORG, filter->owner))
        return kz_cli_fail(cli, kz_error_new(KZ_NOT_FOUND, KZ_T_DERIVED_UNKNOWN, KZ_T_DERIVED_UNKNOWN_WHY,
                                             KZ_T_DERIVED_UNKNOWN_HINT, KZ_TEXT_ARGS(filter->owner, "org")));
    kz_buf_init(&out, 0);
    kz_buf_init(&summary, 0);
    size_t shown = kz_show_findings(&cli->view, findings, filter, meta, &out);
    int status = kz_cli_answer(cli, meta, &out);
    kz_show_findings_summary(&cli->view, findings, filter, &summary);
    if (!cli->options.quiet) kz_cli_note(cli, kz_buf_text(&summary));
    kz_buf_fini(&out);
    kz_buf_fini(&summary);
    return status ? status : shown > 0 ? STATUS_FINDINGS : 0;
}

int kz_run_doctor(struct kz_cli *cli)
{
    int64_t now_ms;
    Kz__Kind kinds[KINDS_MAX];
    struct kz_gathered gathered;
    struct kz_finding_filter filter = {.severity = (enum kz_severity)cli->options.severity,
                                       .owner = without_kind(cli->options.owner)};
    int status = read_time(cli, &now_ms);
    if (!status) status = read_kind(cli, &filter.kind);
    if (status) return status;
    status = kz_gather_kinds(cli, kinds, list_kinds(kinds), &gathered);
    if (!status) {
        struct kz_findings findings;
        kz_doctor_examine(&findings, (const Kz__Record *const *)gathered.records, gathered.count, now_ms);
        status = show(cli, &findings, &filter, gathered.meta);
        kz_findings_fini(&findings);
    }
    kz_gathered_fini(&gathered);
    return status;
}
