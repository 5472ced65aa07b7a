/* SPDX-License-Identifier: Apache-2.0 */
/* keizoku-sim: many seeds, one process each so that a crash of one is only that seed's; or the mutants. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/cluster/sim.h"
#include "tests/cluster/sim_mutants.h"

#define JOBS_MAX 16u
#define SEED_SECONDS_MAX 180u /* of real time: beyond it a seed hangs */

struct child {
    pid_t pid; /* 0 = free */
    int fd;
    uint64_t seed;
};

struct totals {
    struct sim_stats stats;
    uint64_t good, bad;
    struct sim_report first; /* failure */
};

static void add_stats(struct sim_stats *to, const struct sim_stats *from)
{
#define X(name) to->name += from->name;
    SIM_STATS(X)
#undef X
}

static void run_child(const struct sim_options *options, uint64_t seed, int fd)
{
    struct sim *sim = kz_must_alloc(1, sizeof(*sim));
    struct sim_options own = *options;
    struct sim_report report = {.seed = seed};
    own.report_fd = fd;
    alarm(SEED_SECONDS_MAX);
    sim_run(sim, &own, seed);
    report.stats = sim->stats;
    free(sim);
    exit(write(fd, &report, sizeof(report)) == sizeof(report) ? 0 : 1); /* not _exit: the leak check runs at exit */
}

static bool start_child(struct child *child, const struct sim_options *options, uint64_t seed)
{
    int fds[2];
    fflush(stdout);
    fflush(stderr);
    if (pipe(fds) != 0) return false;
    child->pid = fork();
    if (child->pid < 0) {
        child->pid = 0;
        close(fds[0]);
        close(fds[1]);
        return false;
    }
    if (child->pid == 0) {
        close(fds[0]);
        if (options->quiet && !freopen("/dev/null", "w", stderr)) _exit(1);
        run_child(options, seed, fds[1]);
    }
    close(fds[1]);
    child->fd = fds[0];
    child->seed = seed;
    return true;
}

/* False: the seed failed, *out says how. */
static bool finish_child(struct child *child, int status, struct totals *totals, struct sim_report *out)
{
    struct sim_report report = {.seed = child->seed};
    bool told = read(child->fd, &report, sizeof(report)) == sizeof(report);
    close(child->fd);
    child->pid = 0;
    if (told && !report.failed && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        totals->good++;
        add_stats(&totals->stats, &report.stats);
        return true;
    }
    if (!told || !report.failed) {
        report.failed = true;
        if (WIFSIGNALED(status))
            snprintf(report.text, sizeof(report.text), "killed by signal %d (%s)", WTERMSIG(status),
                     strsignal(WTERMSIG(status)));
        else
            snprintf(report.text, sizeof(report.text), "ended without a report");
    }
    if (totals->bad++ == 0 || report.seed < totals->first.seed) totals->first = report;
    *out = report;
    return false;
}

static void clean_after(const struct sim_options *options, pid_t pid)
{
    char scratch[128];
    sim_lmdb_scratch(options, pid, scratch, sizeof(scratch));
    sim_lmdb_clean(scratch);
}

/* Seeds from .. from+count-1, `jobs` at a time; stops early after a failure when `stop`. */
static bool run_seeds(const struct sim_options *options, uint64_t from, uint64_t count, unsigned jobs, bool stop,
                      void (*failed)(const struct sim_options *options, const struct sim_report *report),
                      struct totals *totals)
{
    struct child children[JOBS_MAX] = {{0}};
    uint64_t next = from, running = 0;
    memset(totals, 0, sizeof(*totals));
    for (;;) {
        for (unsigned i = 0; i < jobs && next < from + count && !(stop && totals->bad > 0); i++) {
            if (children[i].pid != 0) continue;
            if (!start_child(&children[i], options, next++)) return false;
            running++;
        }
        if (running == 0) return true;
        int status;
        pid_t pid = wait(&status);
        for (unsigned i = 0; i < jobs && pid > 0; i++) {
            if (children[i].pid != pid) continue;
            struct sim_report report;
            running--;
            if (options->lmdb) clean_after(options, pid);
            if (!finish_child(&children[i], status, totals, &report) && failed) failed(options, &report);
        }
    }
}

static void print_failure(const struct sim_options *options, const struct sim_report *report)
{
    fprintf(stderr, "FAILED seed %llu at %.3f ms: %s\n  replay: keizoku-sim --from %llu --seeds 1 -v",
            (unsigned long long)report->seed, (double)report->at_us / 1000.0, report->text,
            (unsigned long long)report->seed);
    if (options->lmdb) fprintf(stderr, " --store lmdb");
    for (unsigned bit = 0; bit < KZ_GUARD_COUNT; bit++)
        if ((options->guards_off >> bit) & 1)
            fprintf(stderr, " --guards-off %s", kz_guard_name((enum kz_guard_bit)bit));
    for (unsigned bit = 0; bit < SIM_BAD_COUNT; bit++)
        if ((options->bad >> bit) & 1) fprintf(stderr, " --guards-off %s", sim_bad_names[bit]);
    if (options->shape) fprintf(stderr, " --shape %u", options->shape);
    fprintf(stderr, " --chaos %u\n", options->chaos_s);
}

static void print_totals(const struct totals *totals, const struct sim_options *options, uint64_t from)
{
    const struct sim_stats *s = &totals->stats;
    printf("sim: store %s, seeds %llu from %llu: %llu ok, %llu failed; virtual %.2f h, events %llu, messages %llu\n"
           "     commits %llu, acked %llu, retries %llu, reads %llu, elections %llu, crashes %llu, cuts %llu\n"
           "     snapshots %llu, installs %llu (%llu resumed after a restart), compactions %llu, truncations %llu, "
           "changes %llu, transfers %llu, "
           "applied by hint %llu\n"
           "     plans of members %llu, recoveries %llu, lost acknowledged %llu, uncertain entries %llu, surplus %llu, "
           "fenced %llu\n"
           "     events %llu, answered as provisional %llu, offers %llu\n",
           options->lmdb ? "lmdb" : "mem", (unsigned long long)(totals->good + totals->bad), (unsigned long long)from,
           (unsigned long long)totals->good, (unsigned long long)totals->bad, (double)s->virtual_us / 3.6e9,
           (unsigned long long)s->events, (unsigned long long)s->messages, (unsigned long long)s->commits,
           (unsigned long long)s->acked, (unsigned long long)s->retries, (unsigned long long)s->reads,
           (unsigned long long)s->elections, (unsigned long long)s->crashes, (unsigned long long)s->cuts,
           (unsigned long long)s->snapshots, (unsigned long long)s->installs, (unsigned long long)s->resumed,
           (unsigned long long)s->compactions, (unsigned long long)s->truncations, (unsigned long long)s->changes,
           (unsigned long long)s->transfers, (unsigned long long)s->hinted, (unsigned long long)s->plans,
           (unsigned long long)s->recoveries, (unsigned long long)s->lost, (unsigned long long)s->uncertain,
           (unsigned long long)s->surplus, (unsigned long long)s->fenced, (unsigned long long)s->notes,
           (unsigned long long)s->provisional, (unsigned long long)s->offers);
}

/* The first seed that fails with the guard off and does not with all guards on. */
static bool find_catch(const struct sim_options *options, uint64_t budget, unsigned jobs, struct totals *totals)
{
    struct sim_options whole = *options;
    uint64_t from = 1;
    whole.guards_off = 0;
    whole.bad = 0;
    for (;;) {
        struct totals control;
        if (!run_seeds(options, from, budget + 1 - from, jobs, true, NULL, totals)) return false;
        if (totals->bad == 0) return true;
        if (!run_seeds(&whole, totals->first.seed, 1, 1, true, NULL, &control)) return false;
        if (control.bad == 0) return true;
        printf("seed %llu fails with all guards on: %s\n", (unsigned long long)control.first.seed, control.first.text);
        from = totals->first.seed + 1;
        if (from > budget) {
            totals->bad = 0;
            return true;
        }
    }
}

static int run_mutants(const struct sim_options *base, unsigned jobs, double scale, const char *only)
{
    unsigned missed = 0, unreachable = 0, count = 0;
    printf("%-15s %-8s %-60s\n", "guard off", "seed", "caught by");
    for (const struct sim_mutant *mutant = sim_mutants; mutant->name; mutant++) {
        struct sim_options options = *base;
        struct totals totals;
        if (only && strcmp(only, mutant->name) != 0) continue;
        count++;
        options.quiet = true;
        options.guards_off = mutant->guards_off;
        options.bad = mutant->bad;
        options.shape = mutant->shape;
        options.chaos_s = mutant->chaos_s;
        uint64_t budget = (uint64_t)((double)mutant->budget * scale);
        if (!find_catch(&options, budget ? budget : 1, jobs, &totals)) return 2;
        if (totals.bad > 0)
            printf("%-15s %-8llu %s\n", mutant->name, (unsigned long long)totals.first.seed, totals.first.text);
        else
            printf("%-15s %-8s %s %llu seeds%s%s\n", mutant->name, "-",
                   mutant->why_not ? "cannot be caught, and was not in" : "NOT CAUGHT in", (unsigned long long)budget,
                   mutant->why_not ? ": " : "", mutant->why_not ? mutant->why_not : "");
        fflush(stdout);
        missed += totals.bad == 0 && !mutant->why_not;
        unreachable += totals.bad == 0 && mutant->why_not;
    }
    printf("mutants: %u of %u caught, %u cannot be\n", count - missed - unreachable, count, unreachable);
    return missed > 0 || count == 0;
}

/* ---- command line ---- */

static bool switch_off(struct sim_options *options, const char *name)
{
    for (unsigned bit = 0; bit < SIM_BAD_COUNT; bit++)
        if (strcmp(name, sim_bad_names[bit]) == 0) {
            options->bad |= UINT32_C(1) << bit;
            return true;
        }
    for (unsigned bit = 0; bit < KZ_GUARD_COUNT; bit++)
        if (strcmp(name, kz_guard_name((enum kz_guard_bit)bit)) == 0) {
            options->guards_off |= UINT32_C(1) << bit;
            return true;
        }
    fprintf(stderr, "keizoku-sim: no guard is called %s; there are:", name);
    for (unsigned bit = 0; bit < SIM_BAD_COUNT; bit++)
        fprintf(stderr, " %s", sim_bad_names[bit]);
    for (unsigned bit = 0; bit < KZ_GUARD_COUNT; bit++)
        fprintf(stderr, " %s", kz_guard_name((enum kz_guard_bit)bit));
    fputc('\n', stderr);
    return false;
}

static bool parse_number(const char *text, uint64_t low, uint64_t high, uint64_t *out)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 0);
    if (errno != 0 || end == text || *end != '\0' || value < low || value > high) {
        fprintf(stderr, "keizoku-sim: %s is not a number from %llu to %llu\n", text, (unsigned long long)low,
                (unsigned long long)high);
        return false;
    }
    *out = value;
    return true;
}

struct arguments {
    struct sim_options sim;
    uint64_t seeds, from, jobs;
    bool mutants;
    const char *only;
};

static int usage(void)
{
    fprintf(stderr,
            "usage: keizoku-sim [--seeds N] [--from S] [--guards-off NAME]... [--store mem|lmdb] [--directory D]\n"
            "                   [--jobs J] [--chaos SECONDS] [--shape BITS] [-v]...\n"
            "       keizoku-sim --mutants [--only NAME] [--jobs J]\n");
    return 2;
}

static bool parse_option(struct arguments *a, int option, const char *value)
{
    uint64_t number = 0;
    switch (option) {
    case 's':
        return parse_number(value, 1, 100000000, &a->seeds);
    case 'f':
        return parse_number(value, 0, UINT64_MAX / 2, &a->from);
    case 'g':
        return switch_off(&a->sim, value);
    case 'b':
        a->sim.lmdb = strcmp(value, "lmdb") == 0;
        return a->sim.lmdb || strcmp(value, "mem") == 0;
    case 'd':
        a->sim.directory = value;
        return true;
    case 'j':
        return parse_number(value, 1, JOBS_MAX, &a->jobs);
    case 'c':
        if (!parse_number(value, 1, 3600, &number)) return false;
        a->sim.chaos_s = (unsigned)number;
        return true;
    case 'h':
        if (!parse_number(value, 0, 0xffffff, &number)) return false;
        a->sim.shape = (unsigned)number;
        return true;
    case 'm':
        a->mutants = true;
        return true;
    case 'o':
        a->only = value;
        return true;
    case 'v':
        a->sim.verbose++;
        return true;
    default:
        return false;
    }
}

static bool parse(int argc, char **argv, struct arguments *a)
{
    static const struct option options[] = {
        {"seeds", required_argument, NULL, 's'},
        {"from", required_argument, NULL, 'f'},
        {"guards-off", required_argument, NULL, 'g'},
        {"store", required_argument, NULL, 'b'},
        {"directory", required_argument, NULL, 'd'},
        {"jobs", required_argument, NULL, 'j'},
        {"chaos", required_argument, NULL, 'c'},
        {"shape", required_argument, NULL, 'h'},
        {"mutants", no_argument, NULL, 'm'},
        {"only", required_argument, NULL, 'o'},
        {NULL, 0, NULL, 0},
    };
    int option;
    while ((option = getopt_long(argc, argv, "v", options, NULL)) != -1)
        if (!parse_option(a, option, optarg)) return false;
    return optind == argc;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {.seeds = 200, .from = 1, .jobs = 2};
    struct totals totals;
    arguments.sim.chaos_s = SIM_CHAOS_S;
    arguments.sim.report_fd = -1;
    if (!parse(argc, argv, &arguments)) return usage();
    if (arguments.mutants) return run_mutants(&arguments.sim, (unsigned)arguments.jobs, 1.0, arguments.only);
    if (arguments.sim.verbose) arguments.jobs = 1;
    if (!run_seeds(&arguments.sim, arguments.from, arguments.seeds, (unsigned)arguments.jobs, false, print_failure,
                   &totals))
        return 2;
    print_totals(&totals, &arguments.sim, arguments.from);
    return totals.bad > 0;
}
