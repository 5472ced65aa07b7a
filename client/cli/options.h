/* SPDX-License-Identifier: Apache-2.0 */
/* Options as a table: flag, environment, line of the configuration file; flag beats environment beats file. The
 * environment is read through a function so that tests can give their own. One thread. */
#ifndef KZ_CLIENT_CLI_OPTIONS_H
#define KZ_CLIENT_CLI_OPTIONS_H

#include "client/cli/error.h"
#include "client/cli/event_record.h"

enum kz_output { KZ_OUTPUT_TABLE, KZ_OUTPUT_WIDE, KZ_OUTPUT_JSON, KZ_OUTPUT_YAML, KZ_OUTPUT_CSV, KZ_OUTPUT_DOT };

/* Bits of struct kz_command.options: options that are not global. */
enum kz_option_set {
    KZ_OPTION_FILE = 1 << 0,
    KZ_OPTION_DRY_RUN = 1 << 1,
    KZ_OPTION_SPLIT = 1 << 2,
    KZ_OPTION_FORCE = 1 << 3,
    KZ_OPTION_FROM = 1 << 4,
    KZ_OPTION_RETIRED = 1 << 5,
    KZ_OPTION_FIELDS = 1 << 6, /* fields of events: no rows of the table, see event_record.h */
    KZ_OPTION_LIVE = 1 << 7,
    KZ_OPTION_AS_OF = 1 << 8,
    KZ_OPTION_TO = 1 << 9,
    KZ_OPTION_KIND = 1 << 10,
    KZ_OPTION_CONFIRM = 1 << 11,
    KZ_OPTION_MEMBER = 1 << 12,
    KZ_OPTION_RECOVER = 1 << 13,
    KZ_OPTION_MARKDOWN = 1 << 14,
    KZ_OPTION_RUNBOOK = 1 << 15,
    KZ_OPTION_CAMPAIGN = 1 << 16,
    KZ_OPTION_SNAPSHOT = 1 << 17,
    KZ_OPTION_DOCTOR = 1 << 18,
    KZ_OPTION_OWNER = 1 << 19,
    KZ_OPTION_IMPORT = 1 << 20,
    KZ_OPTION_EXPORT = 1 << 21,
    KZ_OPTION_DIR = 1 << 22,
    KZ_OPTION_MOMENT = 1 << 23,
    KZ_OPTION_AREA = 1 << 24,
    KZ_OPTION_GRAPH = 1 << 25, /* takes -o dot; no rows of the table */
    KZ_OPTION_BLOB = 1 << 26,
};

/* Texts are owned; NULL: not given. */
struct kz_options {
    char *node, *certificate, *key, *ca, *crl;
    int64_t read; /* Kz__ReadMode */
    int64_t output;
    int64_t lang; /* -1: from the locale; 0 en, 1 ja */
    int64_t ambiguous;
    int64_t max_age_ms; /* -1: none */
    int64_t timeout_ms;
    char *reason;
    bool no_input, no_headers, quiet, verbose, help;
    char *file;
    char *confirm;
    bool alone, older;
    int64_t from_rev; /* -1: none */
    bool dry_run, split, force, retired, live;
    bool markdown;
    char *mapping;
    int64_t base_rev; /* -1: none */
    int64_t take;     /* enum kz_take */
    int64_t encoding; /* enum kz_encoding */
    char *as_of, *to; /* a revision or a time */
    char *kind;
    char *due; /* verify campaign */
    char *at, *area;
    char *blob_name, *media_type;
    char *owner;       /* doctor */
    int64_t severity;  /* enum kz_severity */
    int64_t member_id; /* -1: none */
    bool observer;
    bool unapproved;
    char *dir;                                               /* snapshot save, schedule; export csv */
    char *recipient, *keep, *record, *calendar, *units;      /* snapshot save, schedule */
    char *backup_key, *data, *cluster, *node_name, *address; /* snapshot verify, restore */
    int64_t node_id;                                         /* 0: none */
    struct kz_given *fields;                                 /* in the order given; values borrowed from argv */
    size_t field_count;
    unsigned given; /* kz_option_set bits that were used */
    char *config_path;
};

enum kz_option_type { KZ_OPTION_TEXT, KZ_OPTION_FLAG, KZ_OPTION_CHOICE, KZ_OPTION_DURATION, KZ_OPTION_NUMBER };

struct kz_option {
    const char *name; /* long flag and configuration key */
    char letter;      /* short flag, 0: none */
    const char *env;  /* NULL: flag only */
    enum kz_option_type type;
    size_t offset;
    unsigned set;             /* 0: global */
    const char *value;        /* value's name in help: "HOST:PORT[,...]" */
    const char *const *words; /* CHOICE: words in number order from `first`, then NULL */
    int64_t first;            /* DURATION: the least that is allowed */
    const char *en;
    const char *ja;
};

const struct kz_option *kz_options_table(size_t *count);

typedef const char *(*kz_getenv)(void *data, const char *name);

/* What stands on the command line besides options. */
struct kz_words {
    const char **items; /* borrowed from argv; the array is owned */
    size_t count;
};

/* NULL, or the error. `options` and `words` are to be finished in both cases. As much as was read is set, so that the
 * error can be shown in the right language and form. */
Kz__Error *kz_options_read(struct kz_options *options, struct kz_words *words, int argc, char *const *argv,
                           kz_getenv get, void *data);
void kz_options_fini(struct kz_options *options, struct kz_words *words);
bool kz_options_japanese(const struct kz_options *options);

#endif
