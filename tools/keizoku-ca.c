/* SPDX-License-Identifier: Apache-2.0 */
/* The program around tools/ca.h: arguments in, messages out (English or Japanese by LANG). */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "node/backup/key.h"
#include "node/base/buf.h"
#include "node/base/config.h"
#include "tools/ca.h"
#include "tools/ca_files.h"
#include "tools/ca_index.h"
#include "tools/ca_show.h"

#define DEFAULT_DIR "ca"
#define DAY_SECONDS 86400

static bool japanese;

static const char *say(const char *en, const char *ja) __attribute__((format_arg(1), format_arg(2)));
static const char *say(const char *en, const char *ja) { return japanese ? ja : en; }

struct arguments {
    const char *dir, *cluster, *trust, *curve, *role, *address, *from, *until, *out;
    int days;
    char **words; /* after the command's name */
    int word_count;
};

struct command {
    const char *name, *usage, *en, *ja;
    int words_min, words_max;
    enum kz_code (*run)(const struct arguments *a, struct kz_err *err);
};

static enum kz_code run_init(const struct arguments *a, struct kz_err *err)
{
    struct kz_ca_options options = {.cluster = a->cluster, .trust = a->trust, .days = a->days};
    if (!a->cluster) return kz_fail(err, KZ_USAGE, "init needs --cluster ID");
    if (a->curve && strcmp(a->curve, "p384") == 0)
        options.curve = KZ_CA_P384;
    else if (a->curve && strcmp(a->curve, "p256") != 0)
        return kz_fail(err, KZ_USAGE, "curve \"%s\": choose p256 or p384", a->curve);
    enum kz_code code = kz_ca_create(a->dir, &options, err);
    if (code) return code;
    printf(say("made a certificate authority for cluster %s in %s\n", "クラスター %s の認証局を %s に作りました\n"),
           a->cluster, a->dir);
    printf(say("keep %s/private offline; hand out ca.pem and crl.pem\n",
               "%s/private はオフラインで保管し、ca.pem と crl.pem を配ってください\n"),
           a->dir);
    return KZ_OK;
}

static enum kz_code parse_when(const char *option, const char *text, int64_t *out, struct kz_err *err)
{
    if (!text || kz_ca_parse_time(text, out)) return KZ_OK;
    return kz_fail(err, KZ_USAGE, "%s \"%s\": write 2026-04-01 or 2026-04-01T09:00:00Z", option, text);
}

static enum kz_code fill_leaf(const struct arguments *a, struct kz_ca_leaf *leaf, struct kz_err *err)
{
    leaf->name = a->words[1];
    leaf->role = a->role;
    leaf->addresses = a->address;
    leaf->out_dir = a->out;
    if (strcmp(a->words[0], "node") == 0)
        leaf->kind = KZ_CA_KIND_NODE;
    else if (strcmp(a->words[0], "user") == 0)
        leaf->kind = KZ_CA_KIND_USER;
    else
        return kz_fail(err, KZ_USAGE, "issue what? write `issue node NAME` or `issue user NAME`");
    if (leaf->kind == KZ_CA_KIND_NODE && a->role) return kz_fail(err, KZ_USAGE, "a node has no --role");
    if (leaf->kind == KZ_CA_KIND_USER && a->address) return kz_fail(err, KZ_USAGE, "a user has no --address");
    if (a->days && a->until) return kz_fail(err, KZ_USAGE, "give --days or --until, not both");
    enum kz_code code = parse_when("--from", a->from, &leaf->not_before, err);
    if (!code) code = parse_when("--until", a->until, &leaf->not_after, err);
    int64_t from = leaf->not_before ? leaf->not_before : (int64_t)time(NULL);
    if (a->days) leaf->not_after = from + (int64_t)a->days * DAY_SECONDS;
    return code;
}

static enum kz_code run_issue(const struct arguments *a, struct kz_err *err)
{
    struct kz_ca_leaf leaf = {0};
    struct kz_ca *ca;
    enum kz_code code = fill_leaf(a, &leaf, err);
    if (!code) code = kz_ca_open(a->dir, &ca, err);
    if (code) return code;
    code = kz_ca_issue(ca, &leaf, err);
    if (!code && a->out) {
        printf(say("issued %s/%s.pem and .key, with ca.pem and crl.pem\n",
                   "%s/%s.pem と .key を発行しました（ca.pem、crl.pem も置きました）\n"),
               a->out, leaf.name);
    } else if (!code) {
        printf(say("issued %s/%s/%s.pem and .key\n", "%s/%s/%s.pem と .key を発行しました\n"), a->dir,
               leaf.kind == KZ_CA_KIND_NODE ? "nodes" : "users", leaf.name);
    }
    kz_ca_close(ca);
    return code;
}

static enum kz_code run_renew(const struct arguments *a, struct kz_err *err)
{
    struct kz_ca *ca;
    const struct kz_ca_entry *entry;
    char path[KZ_CA_PATH_BYTES], until[KZ_CA_TIME_BYTES];
    enum kz_code code = kz_ca_open(a->dir, &ca, err);
    if (code) return code;
    code = kz_ca_renew(ca, a->words[0], a->days, err);
    if (!code) code = kz_ca_find(ca, a->words[0], &entry, err);
    if (!code) {
        entry = kz_ca_at(ca, kz_ca_count(ca) - 1); /* a serial as reference names the old one */
        kz_ca_path(ca, entry, "pem", path, sizeof path);
        kz_ca_format_time(entry->not_after, until);
        printf(say("renewed %s, same key, valid until %s\n", "%s を同じ鍵で更新しました（有効期限 %s）\n"), path,
               until);
    }
    kz_ca_close(ca);
    return code;
}

static enum kz_code run_revoke(const struct arguments *a, struct kz_err *err)
{
    struct kz_ca *ca;
    size_t count = 0;
    enum kz_code code = kz_ca_open(a->dir, &ca, err);
    if (code) return code;
    code = kz_ca_revoke(ca, a->words[0], &count, err);
    if (!code)
        printf(say("revoked %zu certificate(s) of %s; hand out %s/crl.pem to every node and client\n",
                   "証明書 %zu 枚を失効しました（%s）。%s/crl.pem を全ノードとクライアントに配ってください\n"),
               count, a->words[0], a->dir);
    kz_ca_close(ca);
    return code;
}

static enum kz_code run_crl(const struct arguments *a, struct kz_err *err)
{
    struct kz_ca *ca;
    enum kz_code code = kz_ca_open(a->dir, &ca, err);
    if (code) return code;
    code = kz_ca_write_crl(ca, a->days, err);
    if (!code)
        printf(say("wrote %s/crl.pem, valid %d days\n", "%s/crl.pem を書きました（有効期間 %d 日）\n"), a->dir,
               a->days ? a->days : KZ_CA_CRL_DEFAULT_DAYS);
    kz_ca_close(ca);
    return code;
}

static enum kz_code show_authority(const struct arguments *a, struct kz_buf *out, struct kz_err *err)
{
    struct kz_ca *ca;
    const struct kz_ca_entry *entry;
    char path[KZ_CA_PATH_BYTES];
    enum kz_code code = kz_ca_open(a->dir, &ca, err);
    if (code) return code;
    if (a->word_count == 0) {
        kz_ca_show_index(ca, out);
    } else {
        code = kz_ca_find(ca, a->words[0], &entry, err);
        if (!code) {
            kz_ca_show_entry(ca, entry, out);
            kz_ca_path(ca, entry, "pem", path, sizeof path);
            code = kz_ca_show_file(path, out, err);
        }
    }
    kz_ca_close(ca);
    return code;
}

static enum kz_code run_show(const struct arguments *a, struct kz_err *err)
{
    struct kz_buf out;
    kz_buf_init(&out, 0);
    bool is_file = a->word_count == 1 && access(a->words[0], F_OK) == 0;
    enum kz_code code = is_file ? kz_ca_show_file(a->words[0], &out, err) : show_authority(a, &out, err);
    if (!code) fputs(kz_buf_text(&out), stdout);
    kz_buf_fini(&out);
    return code;
}

/* The public half says what it is, because it travels; the private one what to do with it. */
static enum kz_code write_backup_key(const char *dir, const char *name, const struct kz_backup_key *key,
                                     bool private_half, struct kz_err *err)
{
    char path[KZ_CA_PATH_BYTES];
    struct kz_buf text;
    kz_buf_init(&text, 0);
    kz_buf_addf(&text, "# keizoku: %s\n",
                private_half ? "opens backups; keep it offline, in two places, apart from the backups"
                             : "encrypts backups; give it to whoever saves them");
    kz_backup_key_write(key, private_half, &text);
    enum kz_code code = kz_ca_join(path, err, "%s/%s", dir, name);
    if (!code)
        code = kz_ca_write_file(path, kz_buf_text(&text), text.size_bytes, private_half ? 0600 : 0644, false, err);
    if (text.data) explicit_bzero(text.data, text.size_bytes);
    kz_buf_fini(&text);
    return code;
}

static enum kz_code run_backup_key(const struct arguments *a, struct kz_err *err)
{
    struct kz_backup_key key;
    char name[KZ_BACKUP_FINGERPRINT_BYTES];
    if (!a->out) return kz_fail(err, KZ_USAGE, "backup-key needs --out DIR");
    enum kz_code code = kz_ca_make_dir(a->out, err);
    if (!code) code = kz_backup_key_make(&key, err);
    if (code) return code;
    code = write_backup_key(a->out, "backup.key", &key, true, err);
    if (!code) code = write_backup_key(a->out, "backup.pub", &key, false, err);
    kz_backup_key_fingerprint(key.public_key, name);
    kz_backup_key_wipe(&key);
    if (code) return code;
    printf(say("made the backup key %s: %s/backup.key and backup.pub\n",
               "バックアップの鍵 %s を作りました: %s/backup.key と backup.pub\n"),
           name, a->out);
    printf(
        say("without backup.key no backup can be read: keep it offline, in two places; whoever saves needs backup.pub "
            "alone\n",
            "backup.key がないとバックアップを読めません。2か所にオフラインで保管し、取得する人には backup.pub "
            "だけを渡してください\n"));
    return KZ_OK;
}

static const struct command commands[] = {
    {"init", "init --cluster ID [--trust DOMAIN] [--curve p256|p384] [--days N]",
     "make root, node and user authorities", "認証局（ルート、ノード用、利用者用）を作る", 0, 0, run_init},
    {"issue", "issue node NAME --address HOST[,HOST...] | issue user NAME --role ROLE",
     "make a key and a certificate [--days N | --from TIME --until TIME] [--out DIR]",
     "鍵と証明書を発行する [--days N | --from 日時 --until 日時] [--out フォルダー]", 2, 2, run_issue},
    {"renew", "renew NAME [--days N]", "new certificate for the same key", "同じ鍵で証明書を更新する", 1, 1, run_renew},
    {"revoke", "revoke SERIAL|NAME", "revoke and write crl.pem", "失効させ crl.pem を書く", 1, 1, run_revoke},
    {"crl", "crl [--days N]", "write crl.pem anew", "crl.pem を書き直す", 0, 0, run_crl},
    {"backup-key", "backup-key --out DIR", "make the key pair that backups are encrypted to",
     "バックアップを暗号化する鍵の組を作る", 0, 0, run_backup_key},
    {"show", "show [FILE|NAME]", "list certificates, or show one", "証明書の一覧または詳細を表示する", 0, 1, run_show},
};

static void print_usage(FILE *out)
{
    fprintf(out, say("usage: keizoku-ca [--dir D] COMMAND …   (D: $KEIZOKU_CA_DIR or ./ca)\n\n",
                     "使い方: keizoku-ca [--dir D] コマンド …   (D: $KEIZOKU_CA_DIR または ./ca)\n\n"));
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        fprintf(out, "  %s\n      %s\n", commands[i].usage, say(commands[i].en, commands[i].ja));
    fprintf(
        out,
        say("\nROLE is reader, reporter, operator, approver, auditor, backup or peer. NAME is a name, or node/NAME,\n"
            "user/NAME, ca/root, ca/nodes, ca/users.\n",
            "\nROLE は reader, reporter, operator, approver, auditor, backup, peer のいずれか。\n"
            "NAME は名前、または node/NAME, user/NAME, ca/root, ca/nodes, ca/users。\n"));
}

static bool wants_japanese(void)
{
    static const char *const variables[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        const char *value = getenv(variables[i]);
        if (value && *value) return strncmp(value, "ja", 2) == 0;
    }
    return false;
}

enum option_id {
    OPT_CLUSTER = 256,
    OPT_TRUST,
    OPT_DIR,
    OPT_CURVE,
    OPT_DAYS,
    OPT_ADDRESS,
    OPT_ROLE,
    OPT_FROM,
    OPT_UNTIL,
    OPT_OUT
};

static const struct option options[] = {
    {"cluster", required_argument, NULL, OPT_CLUSTER},
    {"trust", required_argument, NULL, OPT_TRUST},
    {"dir", required_argument, NULL, OPT_DIR},
    {"curve", required_argument, NULL, OPT_CURVE},
    {"days", required_argument, NULL, OPT_DAYS},
    {"address", required_argument, NULL, OPT_ADDRESS},
    {"role", required_argument, NULL, OPT_ROLE},
    {"from", required_argument, NULL, OPT_FROM},
    {"until", required_argument, NULL, OPT_UNTIL},
    {"out", required_argument, NULL, OPT_OUT},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

static enum kz_code parse_days(const char *text, int *out, struct kz_err *err)
{
    int64_t days;
    if (!kz_parse_integer(text, &days) || days < 1 || days > KZ_CA_DAYS_MAX)
        return kz_fail(err, KZ_USAGE, "--days \"%s\": a whole number from 1 to %d", text, KZ_CA_DAYS_MAX);
    *out = (int)days;
    return KZ_OK;
}

static const char **target_of(struct arguments *a, int id)
{
    switch (id) {
    case OPT_CLUSTER:
        return &a->cluster;
    case OPT_TRUST:
        return &a->trust;
    case OPT_DIR:
        return &a->dir;
    case OPT_CURVE:
        return &a->curve;
    case OPT_ADDRESS:
        return &a->address;
    case OPT_ROLE:
        return &a->role;
    case OPT_FROM:
        return &a->from;
    case OPT_UNTIL:
        return &a->until;
    case OPT_OUT:
        return &a->out;
    default:
        return NULL;
    }
}

static enum kz_code parse_arguments(int argc, char **argv, struct arguments *a, struct kz_err *err)
{
    int id;
    while ((id = getopt_long(argc, argv, "hV", options, NULL)) != -1) {
        const char **target = target_of(a, id);
        enum kz_code code = KZ_OK;
        if (target)
            *target = optarg;
        else if (id == OPT_DAYS)
            code = parse_days(optarg, &a->days, err);
        else if (id == 'h') {
            print_usage(stdout);
            exit(0);
        } else if (id == 'V') {
            puts("keizoku-ca " KEIZOKU_VERSION);
            exit(0);
        } else
            code = kz_fail(err, KZ_USAGE, "unknown option or missing value; `keizoku-ca --help` lists them");
        if (code) return code;
    }
    a->words = argv + optind;
    a->word_count = argc - optind;
    return KZ_OK;
}

static enum kz_code dispatch(struct arguments *a, struct kz_err *err)
{
    if (a->word_count == 0) return kz_fail(err, KZ_USAGE, "no command; `keizoku-ca --help` lists them");
    const char *name = *a->words++;
    a->word_count--;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        const struct command *c = &commands[i];
        if (strcmp(c->name, name) != 0) continue;
        if (a->word_count < c->words_min || a->word_count > c->words_max)
            return kz_fail(err, KZ_USAGE, "keizoku-ca %s", c->usage);
        return c->run(a, err);
    }
    return kz_fail(err, KZ_USAGE, "unknown command \"%s\"; `keizoku-ca --help` lists them", name);
}

int main(int argc, char **argv)
{
    struct kz_err err = {0};
    struct arguments a = {.dir = getenv("KEIZOKU_CA_DIR")};
    japanese = wants_japanese();
    if (!a.dir || !*a.dir) a.dir = DEFAULT_DIR;
    enum kz_code code = parse_arguments(argc, argv, &a, &err);
    if (!code) code = dispatch(&a, &err);
    if (!code && fflush(stdout) != 0) code = kz_fail(&err, KZ_IO, "cannot write to standard output");
    if (!code) return 0;
    fprintf(stderr, "keizoku-ca: %s: %s\n", kz_code_text(code, japanese), err.text);
    return kz_code_exit_status(code);
}
