/* SPDX-License-Identifier: Apache-2.0 */
/* keizokud: order of birth and death only. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "node/base/failpoint.h"
#include "node/base/log.h"
#include "node/service/node.h"

#define FILES_WANTED 4096

static const char usage[] = "usage: keizokud --config FILE [--bootstrap | --join | --check]\n"
                            "  --config FILE  this node's configuration\n"
                            "  --bootstrap    first start of a new cluster: make the data directory\n"
                            "  --join         first start of a node that is added to a running cluster\n"
                            "  --check        read the configuration, say what is wrong with it, exit\n"
                            "  --version      print the version\n"
                            "  --failpoints   list the points at which a test build can be made to end\n";

struct arguments {
    const char *config;
    enum kz_birth birth;
    bool check;
};

static bool parse_arguments(int argc, char **argv, struct arguments *out)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"bootstrap", no_argument, NULL, 'b'},
        {"join", no_argument, NULL, 'j'},         {"check", no_argument, NULL, 'k'},
        {"version", no_argument, NULL, 'v'},      {"help", no_argument, NULL, 'h'},
        {"failpoints", no_argument, NULL, 'f'},   {NULL, 0, NULL, 0}};
    int letter;
    memset(out, 0, sizeof *out);
    while ((letter = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
        switch (letter) {
        case 'c':
            out->config = optarg;
            break;
        case 'b':
        case 'j': {
            enum kz_birth birth = letter == 'b' ? KZ_BIRTH_BOOTSTRAP : KZ_BIRTH_JOIN;
            if (out->birth && out->birth != birth) return false; /* one or the other */
            out->birth = birth;
            break;
        }
        case 'k':
            out->check = true;
            break;
        case 'v':
            printf("keizokud %s%s\n", KEIZOKU_VERSION, kz_failpoint_built() ? " (test build, with failpoints)" : "");
            exit(0);
        case 'f':
            kz_failpoint_list(stdout);
            exit(0);
        case 'h':
            fputs(usage, stdout);
            exit(0);
        default:
            return false;
        }
    }
    return out->config && optind == argc;
}

static bool parse_level(const char *text, enum kz_log_level *out)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(text, names[i]) != 0) continue;
        *out = (enum kz_log_level)i;
        return true;
    }
    return false;
}

/* Every connection there may be, and the store's files. A lower hard limit is the administrator's will. */
static void raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= FILES_WANTED) return;
    limit.rlim_cur = limit.rlim_max < FILES_WANTED ? limit.rlim_max : FILES_WANTED;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) kz_log_warn("node.file_limit", "files=%d", FILES_WANTED);
}

static int fail(const struct kz_err *err)
{
    fprintf(stderr, "keizokud: %s\n", err->text);
    return err->code == KZ_USAGE ? 2 : 1;
}

int main(int argc, char **argv)
{
    struct arguments arguments;
    struct kz_service_config config;
    struct kz_node *node;
    struct kz_err err = {0};
    enum kz_log_level level;

    if (!parse_arguments(argc, argv, &arguments)) {
        fputs(usage, stderr);
        return 2;
    }
    if (kz_failpoint_init(getenv("KEIZOKU_FAILPOINT"), &err) != KZ_OK) return fail(&err);
    if (kz_service_config_read(&config, arguments.config, &err) != KZ_OK) return fail(&err);
    if (!parse_level(config.log_level, &level)) {
        kz_fail(&err, KZ_USAGE, "%s: node.log_level = %s: give error, warn, info or debug", arguments.config,
                config.log_level);
        return fail(&err);
    }
    if (arguments.check) {
        puts("configuration is good");
        kz_service_config_fini(&config);
        return 0;
    }
    kz_log_init(level, config.name);
    signal(SIGPIPE, SIG_IGN);
    raise_file_limit();
    prctl(PR_SET_DUMPABLE, 0); /* no core dump may hold the private key */

    node = calloc(1, sizeof *node);
    if (!node) return 1;
    do {
        if (kz_node_open(node, &config, arguments.birth, &err) != KZ_OK) return fail(&err);
        arguments.birth = KZ_BIRTH_NONE;
    } while (kz_node_run(node));
    free(node);
    kz_service_config_fini(&config);
    return 0;
}
