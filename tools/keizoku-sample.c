/* SPDX-License-Identifier: Apache-2.0 */
/* keizoku-sample --systems N --contacts M --seed S [--today YYYY-MM-DD] [--out DIR] */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "node/base/config.h"
#include "node/registry/when.h"
#include "tools/sample.h"

#define USAGE                                                                                                          \
    "usage: keizoku-sample [--systems N] [--contacts M] [--seed S] [--today YYYY-MM-DD] [--out DIR]\n"                 \
    "  A made-up ministry as YAML, the same bytes for the same options: on standard output, or as files in DIR.\n"     \
    "  --systems   1 to 1000000 (38)     --contacts  10 to 1000000 (200)     --seed  any number (1)\n"                 \
    "  --today     the day that drills, backups and approvals lie around (2026-11-21)\n"                               \
    "  keizoku-sample --out data && for file in data/*.yaml; do keizoku apply -f \"$file\" --split; done\n"
#define PRESET_SYSTEMS 38
#define PRESET_CONTACTS 200
#define PRESET_TODAY "2026-11-21"
#define STATUS_USAGE 2
#define PATH_BYTES 4096
#define DIR_MODE 0777
#define PART_UNITS 5000u /* systems or contacts in a file: what `keizoku apply` reads at once is limited */

struct options {
    int64_t systems, contacts, seed;
    const char *today, *dir; /* dir NULL: standard output */
};

static int fail(const char *what, const char *subject, const char *why)
{
    fprintf(stderr, "keizoku-sample: %s %s: %s\n", what, subject, why);
    return 1;
}

static int fail_usage(const char *word, const char *why)
{
    fprintf(stderr, "keizoku-sample: %s %s\n%s", word, why, USAGE);
    return STATUS_USAGE;
}

static int read_number(const char *name, const char *text, int64_t least, int64_t most, int64_t *out)
{
    if (kz_parse_integer(text, out) && *out >= least && *out <= most) return 0;
    char why[128];
    snprintf(why, sizeof why, "%s: not a whole number from %" PRId64 " to %" PRId64, text, least, most);
    return fail_usage(name, why);
}

static int read_options(int argc, char **argv, struct options *options)
{
    for (int i = 1; i < argc; i += 2) {
        const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
        int status = 0;
        if (!value) return fail_usage(name, "needs a value");
        if (strcmp(name, "--systems") == 0)
            status = read_number(name, value, 1, KZ_SAMPLE_SYSTEMS_MAX, &options->systems);
        else if (strcmp(name, "--contacts") == 0)
            status = read_number(name, value, KZ_SAMPLE_CONTACTS_MIN, KZ_SAMPLE_CONTACTS_MAX, &options->contacts);
        else if (strcmp(name, "--seed") == 0)
            status = read_number(name, value, 0, INT64_MAX, &options->seed);
        else if (strcmp(name, "--today") == 0)
            options->today = value;
        else if (strcmp(name, "--out") == 0)
            options->dir = value;
        else
            return fail_usage(name, "is not an option");
        if (status) return status;
    }
    if (kz_date_valid(options->today)) return 0;
    return fail_usage(options->today, "is not a day; write YYYY-MM-DD");
}

/* A file that is there already is not written over: it may be somebody's registry. */
static int write_part(struct kz_sample *sample, const struct kz_sample_section *section, const char *path,
                      uint32_t from, uint32_t to)
{
    sample->out = path ? fopen(path, "wxe") : stdout;
    if (!sample->out)
        return fail("cannot write", path,
                    errno == EEXIST ? "it is there already; name an empty folder" : strerror(errno));
    section->write(sample, from, to);
    bool failed = fflush(sample->out) != 0 || ferror(sample->out);
    int number = errno;
    if (path && fclose(sample->out) != 0 && !failed) failed = true, number = errno;
    return failed ? fail("cannot write", path ? path : "standard output", strerror(number)) : 0;
}

static int write_section(struct kz_sample *sample, const struct kz_sample_section *section, const char *dir)
{
    char path[PATH_BYTES], part[16] = "";
    uint32_t units = section->units ? section->units(sample) : 1;
    int status = 0;
    for (uint32_t from = 0, to; from < units && !status; from = to) {
        to = units - from > PART_UNITS ? from + PART_UNITS : units;
        if (units > PART_UNITS) snprintf(part, sizeof part, "-%04u", from / PART_UNITS + 1);
        if (dir && snprintf(path, sizeof path, "%s/%s%s.yaml", dir, section->name, part) >= (int)sizeof path)
            return fail("cannot write", dir, "the path is too long");
        status = write_part(sample, section, dir ? path : NULL, from, to);
    }
    return status;
}

int main(int argc, char **argv)
{
    struct options options = {PRESET_SYSTEMS, PRESET_CONTACTS, 1, PRESET_TODAY, NULL};
    struct kz_civil day;
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
        return fputs(USAGE, stdout) < 0 || fflush(stdout) != 0;
    int status = read_options(argc, argv, &options);
    if (status) return status;
    day.year = strtol(options.today, NULL, 10);
    day.month = strtol(options.today + 5, NULL, 10);
    day.day = strtol(options.today + 8, NULL, 10);
    struct kz_sample sample = {.seed = (uint64_t)options.seed,
                               .systems = (uint32_t)options.systems,
                               .contacts = (uint32_t)options.contacts,
                               .today = kz_days_from_civil(&day)};
    kz_sample_init(&sample);
    if (options.dir && mkdir(options.dir, DIR_MODE) != 0 && errno != EEXIST)
        return fail("cannot make", options.dir, strerror(errno));
    size_t count;
    const struct kz_sample_section *sections = kz_sample_sections(&count);
    for (size_t i = 0; i < count && !status; i++)
        status = write_section(&sample, &sections[i], options.dir);
    return status;
}
