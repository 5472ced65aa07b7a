/* SPDX-License-Identifier: Apache-2.0 */
/* `keizoku snapshot`: its verbs, and what they share. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/run_undo.h"
#include "client/cli/snapshot.h"
#include "node/base/assert.h"
#include "node/base/failpoint.h"

struct verb {
    const char *name, *usage;
    const char *word; /* the one argument it takes; NULL: none */
    int (*run)(struct kz_cli *cli, const char *word);
};

static const struct verb verbs[] = {
    {"save", "save -f FILE|--dir DIR --recipient PUB", NULL, kz_snapshot_save},
    {"verify", "verify FILE [--backup-key KEY]", "FILE", kz_snapshot_verify},
    {"list", "list DIR", "DIR", kz_snapshot_list},
    {"restore",
     "restore FILE --backup-key KEY --data DIR --cluster ID --node-name NAME --node-id N --address HOST:PORT", "FILE",
     kz_snapshot_restore},
    {"schedule", "schedule --dir DIR --recipient PUB --keep 7d,4w,12m", NULL, kz_snapshot_schedule},
};
#define VERB_COUNT (sizeof verbs / sizeof verbs[0])

static int fail_usage(struct kz_cli *cli, const struct verb *verb, enum kz_text_id what, const char *word)
{
    struct kz_buf usage;
    kz_buf_init(&usage, 0);
    kz_buf_addf(&usage, "keizoku %s %s", cli->command->name, verb ? verb->usage : cli->command->usage);
    int status = kz_cli_fail(cli, kz_error_new(KZ_USAGE, what, KZ_T_USAGE_IS_SECOND, KZ_T_USE_HELP_THIRD,
                                               KZ_TEXT_ARGS(word, kz_buf_text(&usage), cli->command->name)));
    kz_buf_fini(&usage);
    return status;
}

int kz_run_snapshot(struct kz_cli *cli)
{
    const struct kz_words *words = &cli->words;
    const struct verb *verb = NULL;
    struct kz_err err = {.code = KZ_OK};
    if (words->count < 2) return fail_usage(cli, NULL, KZ_T_ARGUMENT_MISSING, "VERB");
    for (size_t i = 0; i < VERB_COUNT; i++)
        if (strcmp(verbs[i].name, words->items[1]) == 0) verb = &verbs[i];
    if (!verb) return fail_usage(cli, NULL, KZ_T_UNKNOWN_VERB, words->items[1]);
    /* Back to a revision on the running cluster: from its own history, no file needed. */
    if (cli->options.as_of && verb->run == kz_snapshot_restore && words->count == 2)
        return kz_run_rewind(cli, "--as-of", cli->options.as_of);
    if (cli->options.as_of || (verb->run != kz_snapshot_restore && cli->options.given & KZ_OPTION_DRY_RUN))
        return fail_usage(cli, verb, KZ_T_ARGUMENT_EXTRA, cli->options.as_of ? "--as-of" : "--dry-run");
    size_t wanted = verb->word ? 3 : 2;
    if (words->count < wanted) return fail_usage(cli, verb, KZ_T_ARGUMENT_MISSING, verb->word);
    if (words->count > wanted) return fail_usage(cli, verb, KZ_T_ARGUMENT_EXTRA, words->items[wanted]);
    if (kz_failpoint_init(cli->get(cli->get_data, "KEIZOKU_FAILPOINT"), &err))
        return kz_cli_fail(cli, kz_error_new(KZ_USAGE, KZ_T_CALL_FAILED, KZ_T_WHY_OTHER, KZ_T_USE_HELP_SECOND,
                                             KZ_TEXT_ARGS(err.text, cli->command->name)));
    return verb->run(cli, verb->word ? words->items[2] : NULL);
}

/* ---- errors ---- */

int kz_snapshot_fail_missing(struct kz_cli *cli, const char *verb, const char *option)
{
    for (size_t i = 0; i < VERB_COUNT; i++)
        if (strcmp(verbs[i].name, verb) == 0) return fail_usage(cli, &verbs[i], KZ_T_ARGUMENT_MISSING, option);
    kz_assert(false);
    return 1;
}

static const struct {
    enum kz_text_id why, hint;
} fault_texts[] = {{KZ_T_EMPTY, KZ_T_EMPTY},
#define X(name, code) {KZ_T_BACKUP_##name, KZ_T_BACKUP_##name##_DO},
                   KZ_BACKUP_FAULT_TABLE(X)
#undef X
};

enum kz_text_id kz_snapshot_why(enum kz_backup_fault fault) { return fault_texts[fault].why; }

int kz_snapshot_fail(struct kz_cli *cli, enum kz_backup_fault fault, enum kz_text_id what, const char *subject,
                     const struct kz_err *err)
{
    enum kz_code code = kz_backup_fault_code(fault);
    if (err->code == KZ_NO_SPACE || err->code == KZ_WRONG_CLUSTER || err->code == KZ_BUSY) code = err->code;
    return kz_cli_fail(cli, kz_error_new(code, what, fault_texts[fault].why, fault_texts[fault].hint,
                                         KZ_TEXT_ARGS(subject, err->text)));
}

/* ---- keys ---- */

static int read_key_file(struct kz_cli *cli, const char *path, bool private_half, struct kz_backup_key *out)
{
    char text[KZ_BACKUP_KEY_TEXT_MAX_BYTES + 1];
    FILE *file = fopen(path, "re");
    size_t size = file ? fread(text, 1, sizeof text - 1, file) : 0;
    int number = !file ? errno : ferror(file) ? EIO : 0;
    if (file) fclose(file);
    if (number)
        return kz_cli_fail(cli, kz_error_new(KZ_USAGE, KZ_T_FILE_UNREADABLE, kz_text_of_errno(number), KZ_T_FILE_HINT,
                                             KZ_TEXT_ARGS(path, strerror(number))));
    struct kz_err err = {.code = KZ_OK};
    text[size] = '\0';
    enum kz_code code = kz_backup_key_read(text, out, &err);
    explicit_bzero(text, sizeof text);
    enum kz_text_id why = code == KZ_CORRUPT                 ? KZ_T_BACKUP_KEY_DAMAGED
                          : code != KZ_OK                    ? KZ_T_BACKUP_KEY_OTHER
                          : private_half && !out->is_private ? KZ_T_BACKUP_KEY_PUBLIC
                          : !private_half && out->is_private ? KZ_T_BACKUP_KEY_PRIVATE
                                                             : KZ_T_EMPTY;
    if (why == KZ_T_EMPTY) return 0;
    kz_backup_key_wipe(out);
    return kz_cli_fail(cli, kz_error_new(KZ_USAGE, KZ_T_BACKUP_KEY_UNUSABLE, why,
                                         private_half ? KZ_T_BACKUP_KEY_FIX : KZ_T_BACKUP_RECIPIENT_FIX,
                                         KZ_TEXT_ARGS(path)));
}

int kz_snapshot_read_key(struct kz_cli *cli, const char *path, struct kz_backup_key *out)
{
    return read_key_file(cli, path, true, out);
}

int kz_snapshot_read_recipients(struct kz_cli *cli, const char *paths, struct kz_backup_key *out, size_t *count)
{
    size_t room = *count;
    char *copy = kz_must_strdup(paths), *rest = copy;
    int status = 0;
    *count = 0;
    for (char *path; !status && (path = strsep(&rest, ",")) != NULL;) {
        if (*count == room)
            status = kz_cli_fail(cli, kz_error_new(KZ_USAGE, KZ_T_BACKUP_KEY_UNUSABLE, KZ_T_BACKUP_KEYS_MANY,
                                                   KZ_T_BACKUP_RECIPIENT_FIX, KZ_TEXT_ARGS(path)));
        else
            status = read_key_file(cli, path, false, &out[(*count)++]);
    }
    free(copy);
    return status;
}

/* ---- whom to believe ---- */

int kz_snapshot_open_trust(struct kz_cli *cli, bool required, struct kz_snapshot_trust *out)
{
    *out = (struct kz_snapshot_trust){0};
    const struct kz_options *options = &cli->options;
    if (!options->ca || !*options->ca) {
        if (!required) return 0;
        return kz_cli_fail(cli, kz_error_new(KZ_USAGE, KZ_T_NO_CA_GIVEN, KZ_T_BACKUP_NO_CA_WHY, KZ_T_GIVE_OPTION,
                                             KZ_TEXT_ARGS("ca", "KEIZOKU_CA", options->config_path)));
    }
    struct kz_failure failure = {.what = KZ_T_EMPTY};
    struct kz_err err = {.code = KZ_OK};
    struct kz_buf crl;
    kz_buf_init(&crl, 0);
    enum kz_code code = kz_tls_trust_open(options->ca, kz_cli_choose_crl(options, &crl), &out->tls, &failure, &err);
    kz_buf_fini(&crl);
    if (!code) return 0;
    if (failure.what == KZ_T_EMPTY)
        return kz_cli_fail(
            cli, kz_error_new(code, KZ_T_CLIENT_FAILED, KZ_T_CALL_FAILED, KZ_T_HINT_BUSY, KZ_TEXT_ARGS(err.text)));
    return kz_cli_fail(cli, kz_error_new(code, failure.what, failure.why, failure.hint,
                                         KZ_TEXT_ARGS(failure.subject, failure.detail)));
}

void kz_snapshot_close_trust(struct kz_snapshot_trust *trust) { kz_tls_trust_free(trust->tls); }

enum kz_backup_fault kz_snapshot_judge(void *data, const Kz__BackupManifest *manifest,
                                       const uint8_t hash[KZ_BACKUP_HASH_BYTES], const uint8_t *signature,
                                       size_t size_bytes, struct kz_err *err)
{
    struct kz_snapshot_trust *trust = data;
    struct kz_tls_signed what = {.certificates = manifest->certificates,
                                 .certificate_count = manifest->n_certificates,
                                 .signed_ms = manifest->saved_ms,
                                 .user = manifest->saved_by,
                                 .cluster = manifest->state->cluster,
                                 .signature = signature,
                                 .size_bytes = size_bytes};
    memcpy(what.hash, hash, sizeof what.hash);
    trust->reason = KZ_T_EMPTY;
    if (!trust->tls) return KZ_BACKUP_FINE; /* the caller says that it was not judged */
    switch (kz_tls_judge(trust->tls, &what, &trust->reason)) {
    case KZ_TLS_SIGNED:
        return KZ_BACKUP_FINE;
    case KZ_TLS_STRANGER:
        (void)kz_fail(err, KZ_DENIED, "%s: %s", manifest->saved_by, kz_text(trust->reason, false));
        return KZ_BACKUP_SIGNER;
    default:
        (void)kz_fail(err, KZ_CORRUPT, "the signature does not fit");
        return KZ_BACKUP_SIGNATURE;
    }
}
