/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/options.h"

#include "client/codec/merge.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/base/config.h"
#include "node/registry/text.h"

#define CONFIG_LINE_BYTES 4096
#define NAME_BYTES 64
#define NEAR_MAX 3

static const char *const read_words[] = {"auto", "linearizable", "local", NULL};
static const char *const output_words[] = {"table", "wide", "json", "yaml", "csv", "dot", NULL};
static const char *const lang_words[] = {"en", "ja", NULL};
static const char *const severity_words[] = {"info", "warning", "error", NULL};
static const char *const width_words[] = {"1", "2", NULL};

static const char *const take_words[] = {"file", "server", NULL};
static const char *const encoding_words[] = {"utf8-bom", "utf8", "cp932", "utf16", NULL};

#define AT(member) offsetof(struct kz_options, member)

/* clang-format off */
static const struct kz_option table[] = {
    {"node", 0, "KEIZOKU_NODE", KZ_OPTION_TEXT, AT(node), 0, "[NAME=]HOST:PORT[,...]", NULL, 0,
     "nodes to ask, tried in this order; with NAME only that node is believed", "接続先ノード(この順に試す)。名前を付けるとそのノードだけを信用する"},
    {"cert", 0, "KEIZOKU_CERT", KZ_OPTION_TEXT, AT(certificate), 0, "FILE", NULL, 0,
     "our certificate (PEM)", "自分の証明書(PEM)"},
    {"key", 0, "KEIZOKU_KEY", KZ_OPTION_TEXT, AT(key), 0, "FILE", NULL, 0,
     "its key (PEM)", "その秘密鍵(PEM)"},
    {"ca", 0, "KEIZOKU_CA", KZ_OPTION_TEXT, AT(ca), 0, "FILE", NULL, 0,
     "CA certificates (PEM)", "CA証明書(PEM)"},
    {"crl", 0, "KEIZOKU_CRL", KZ_OPTION_TEXT, AT(crl), 0, "FILE", NULL, 0,
     "revocation lists (PEM); default: crl.pem beside the CA file; '' for none", "失効リスト(PEM)。既定はCA証明書と同じフォルダーのcrl.pem、'' なら使わない"},
    {"read", 0, "KEIZOKU_READ", KZ_OPTION_CHOICE, AT(read), 0, "auto|linearizable|local", read_words, KZ__READ_MODE__AUTO,
     "how fresh an answer must be (auto: the latest, or after 2 s the node's own copy)", "読み方(auto: 最新、2秒で得られなければノードの保存データ)"},
    {"max-age", 0, "KEIZOKU_MAX_AGE", KZ_OPTION_DURATION, AT(max_age_ms), 0, "10m", NULL, 0,
     "older data is shown, and the exit code is 7", "これより古いデータなら表示したうえで終了コード7"},
    {"timeout", 0, "KEIZOKU_TIMEOUT", KZ_OPTION_DURATION, AT(timeout_ms), 0, "10s", NULL, 1,
     "for one request, all retries included", "1要求の制限時間(再試行を含む)"},
    {"output", 'o', "KEIZOKU_OUTPUT", KZ_OPTION_CHOICE, AT(output), 0, "table|wide|json|yaml|csv|dot", output_words, KZ_OUTPUT_TABLE,
     "form of the output (dot: the graph of system deps and order)", "出力形式(dot: system deps・order の図)"},
    {"lang", 0, "KEIZOKU_LANG", KZ_OPTION_CHOICE, AT(lang), 0, "en|ja", lang_words, 0,
     "language (default: LC_ALL, LC_MESSAGES, LANG)", "言語(既定: LC_ALL、LC_MESSAGES、LANG)"},
    {"ambiguous-width", 0, "KEIZOKU_AMBIGUOUS_WIDTH", KZ_OPTION_CHOICE, AT(ambiguous), 0, "1|2", width_words, 1,
     "width of characters such as ① on this terminal", "①などの文字の端末での幅"},
    {"reason", 0, "KEIZOKU_REASON", KZ_OPTION_TEXT, AT(reason), 0, "TEXT", NULL, 0,
     "why, kept in the history of what is changed", "変更理由(履歴に残る)"},
    {"no-input", 0, "KEIZOKU_NO_INPUT", KZ_OPTION_FLAG, AT(no_input), 0, NULL, NULL, 0,
     "never ask, never open an editor", "質問もエディターも出さない"},
    {"no-headers", 0, "KEIZOKU_NO_HEADERS", KZ_OPTION_FLAG, AT(no_headers), 0, NULL, NULL, 0,
     "tables and CSV without the first line", "表とCSVの見出しを出さない"},
    {"quiet", 'q', "KEIZOKU_QUIET", KZ_OPTION_FLAG, AT(quiet), 0, NULL, NULL, 0,
     "say nothing of what went well; data asked for, warnings and errors remain", "成功時の表や要約を出さない(求めたデータ、警告、誤りは出す)"},
    {"verbose", 'v', "KEIZOKU_VERBOSE", KZ_OPTION_FLAG, AT(verbose), 0, NULL, NULL, 0,
     "tell each connection and retry on stderr", "接続と再試行の経過を表示する"},
    {"help", 'h', NULL, KZ_OPTION_FLAG, AT(help), 0, NULL, NULL, 0,
     "this text", "この説明"},
    {"file", 'f', NULL, KZ_OPTION_TEXT, AT(file), KZ_OPTION_FILE, "FILE|DIR|-", NULL, 0,
     "apply: YAML or JSON; a directory: every *.yaml *.yml *.json in it, by name; snapshot save: the file to make", "apply: YAMLまたはJSON。フォルダーなら中の *.yaml *.yml *.json を名前順に。snapshot save: 作るファイル"},
    {"dry-run", 0, NULL, KZ_OPTION_FLAG, AT(dry_run), KZ_OPTION_DRY_RUN, NULL, NULL, 0,
     "check everything, change nothing", "検査だけ行い変更しない"},
    {"split", 0, NULL, KZ_OPTION_FLAG, AT(split), KZ_OPTION_SPLIT, NULL, NULL, 0,
     "several transactions when one would be too big", "1回に収まらなければ分けて送る"},
    {"force", 0, NULL, KZ_OPTION_FLAG, AT(force), KZ_OPTION_FORCE, NULL, NULL, 0,
     "although other records refer to it", "参照されていても廃止する"},
    {"from", 0, NULL, KZ_OPTION_NUMBER, AT(from_rev), KZ_OPTION_FROM, "REV", NULL, 0,
     "from this revision on (default: only what comes now)", "このリビジョンから(既定: 今から)"},
    {"retired", 0, NULL, KZ_OPTION_FLAG, AT(retired), KZ_OPTION_RETIRED, NULL, NULL, 0,
     "retired records too", "廃止した記録も含める"},
    {"as-of", 0, NULL, KZ_OPTION_TEXT, AT(as_of), KZ_OPTION_AS_OF, "REV|TIME", NULL, 0,
     "as it stood just after this revision, or at this time", "このリビジョンの直後、またはこの日時の状態"},
    {"to", 0, NULL, KZ_OPTION_TEXT, AT(to), KZ_OPTION_TO, "REV|TIME", NULL, 0,
     "back to how it stood just after this revision, or at this time", "このリビジョンの直後、またはこの日時の状態に戻す"},
    {"kind", 0, NULL, KZ_OPTION_TEXT, AT(kind), KZ_OPTION_KIND, "KIND", NULL, 0,
     "only records of this kind", "この種別の記録だけ"},
    {"due", 0, NULL, KZ_OPTION_TEXT, AT(due), KZ_OPTION_CAMPAIGN, "DATE", NULL, 0,
     "start: until when", "start: 確認の期限"},
    {"severity", 0, NULL, KZ_OPTION_CHOICE, AT(severity), KZ_OPTION_DOCTOR, "info|warning|error", severity_words, 0,
     "only findings this grave or graver (default: info)", "この重さ以上だけ(既定: info)"},
    {"owner", 0, NULL, KZ_OPTION_TEXT, AT(owner), KZ_OPTION_OWNER, "ORG", NULL, 0,
     "only what this organisation and those below it answer for", "この組織とその下の組織の分だけ"},
    {"confirm", 0, NULL, KZ_OPTION_TEXT, AT(confirm), KZ_OPTION_CONFIRM, "NAME|NUMBER", NULL, 0,
     "what would be asked for: the cluster's name, or how many records go", "確認の入力の代わり: クラスター名、または廃止する件数"},
    {"dir", 0, NULL, KZ_OPTION_TEXT, AT(dir), KZ_OPTION_DIR, "DIR", NULL, 0,
     "a folder for the files, which name themselves (save, schedule: backups; export csv: one per kind)", "ファイルを置くフォルダー。ファイル名は自動(save、schedule: バックアップ、export csv: 種別ごと)"},
    {"recipient", 0, NULL, KZ_OPTION_TEXT, AT(recipient), KZ_OPTION_SNAPSHOT, "FILE[,...]", NULL, 0,
     "save, schedule: public keys that it is encrypted to (keizoku-ca backup-key)", "save、schedule: 暗号化に使う公開鍵(keizoku-ca backup-key)"},
    {"keep", 0, NULL, KZ_OPTION_TEXT, AT(keep), KZ_OPTION_SNAPSHOT, "N|7d,4w,12m", NULL, 0,
     "save, schedule: generations that stay in the folder", "save、schedule: フォルダーに残す世代"},
    {"record", 0, NULL, KZ_OPTION_TEXT, AT(record), KZ_OPTION_SNAPSHOT, "ID", NULL, 0,
     "save, schedule: the backup record that the result goes to", "save、schedule: 結果を書き込むバックアップの記録"},
    {"calendar", 0, NULL, KZ_OPTION_TEXT, AT(calendar), KZ_OPTION_SNAPSHOT, "WHEN", NULL, 0,
     "schedule: when, as systemd.time says it (default: every day at 2)", "schedule: 実行時期(systemd.time の書き方。既定: 毎日2時)"},
    {"units", 0, NULL, KZ_OPTION_TEXT, AT(units), KZ_OPTION_SNAPSHOT, "DIR", NULL, 0,
     "schedule: write service and timer there instead of showing them", "schedule: 表示せずにこのフォルダーへ書き出す"},
    {"backup-key", 0, NULL, KZ_OPTION_TEXT, AT(backup_key), KZ_OPTION_SNAPSHOT, "FILE", NULL, 0,
     "verify, restore: the private key, kept offline otherwise", "verify、restore: 普段はオフラインで保管する秘密鍵"},
    {"data", 0, NULL, KZ_OPTION_TEXT, AT(data), KZ_OPTION_SNAPSHOT, "DIR", NULL, 0,
     "restore: the new node's data directory, empty", "restore: 新しいノードの空のデータフォルダー"},
    {"cluster", 0, NULL, KZ_OPTION_TEXT, AT(cluster), KZ_OPTION_SNAPSHOT, "ID", NULL, 0,
     "restore: id of the new cluster, another than the old one", "restore: 新しいクラスターのID(元とは別のもの)"},
    {"node-name", 0, NULL, KZ_OPTION_TEXT, AT(node_name), KZ_OPTION_SNAPSHOT, "NAME", NULL, 0,
     "restore: the new node's name", "restore: 新しいノードの名前"},
    {"node-id", 0, NULL, KZ_OPTION_NUMBER, AT(node_id), KZ_OPTION_SNAPSHOT, "N", NULL, 0,
     "restore: its number, 1 or more", "restore: その番号(1以上)"},
    {"address", 0, NULL, KZ_OPTION_TEXT, AT(address), KZ_OPTION_SNAPSHOT, "HOST:PORT", NULL, 0,
     "restore: where other nodes will reach it", "restore: 他のノードからの接続先"},
    {"name", 0, NULL, KZ_OPTION_TEXT, AT(blob_name), KZ_OPTION_BLOB, "NAME", NULL, 0,
     "put: the file's name for readers; without it, that of FILE", "put: 読む人に見せるファイル名。省略時は FILE の名前"},
    {"media-type", 0, NULL, KZ_OPTION_TEXT, AT(media_type), KZ_OPTION_BLOB, "TYPE", NULL, 0,
     "put: e.g. application/pdf; without it, by the name", "put: application/pdf など。省略時は名前から決める"},
    {"watch", 0, NULL, KZ_OPTION_FLAG, AT(live), KZ_OPTION_LIVE, NULL, NULL, 0,
     "keep it on the screen, renewed every 2 s; Ctrl-C ends it", "2秒ごとに更新して表示し続ける。終了は Ctrl-C"},
    {"alone", 0, NULL, KZ_OPTION_FLAG, AT(alone), KZ_OPTION_RECOVER, NULL, NULL, 0,
     "without a second approver; --confirm must name the cluster", "2人目の承認なしで行う。--confirm にクラスター名が必要"},
    {"older", 0, NULL, KZ_OPTION_FLAG, AT(older), KZ_OPTION_RECOVER, NULL, NULL, 0,
     "although a newer survivor is known: what it holds more is given up", "より新しい残存ノードがあっても行う(その差分は引き継がれない)"},
    {"at", 0, NULL, KZ_OPTION_TEXT, AT(at), KZ_OPTION_MOMENT, "TIME", NULL, 0,
     "at this time instead of now", "今ではなくこの日時"},
    {"area", 0, NULL, KZ_OPTION_TEXT, AT(area), KZ_OPTION_AREA, "AREA", NULL, 0,
     "all sites of this disaster area", "この被災範囲の全拠点"},
    {"markdown", 0, NULL, KZ_OPTION_FLAG, AT(markdown), KZ_OPTION_MARKDOWN, NULL, NULL, 0,
     "all kinds as one Markdown page in both languages", "全種別を日英併記のMarkdown 1ページで出力"},
    {"id", 0, NULL, KZ_OPTION_NUMBER, AT(member_id), KZ_OPTION_MEMBER, "N", NULL, 0,
     "add: the new node's number, above all that were ever used", "add: 新しいノードの番号(過去に使ったどの番号よりも大きい数)"},
    {"unapproved", 0, NULL, KZ_OPTION_FLAG, AT(unapproved), KZ_OPTION_RUNBOOK, NULL, NULL, 0,
     "start: although no version of it is approved", "start: 承認された版がなくても開始する"},
    {"observer", 0, NULL, KZ_OPTION_FLAG, AT(observer), KZ_OPTION_MEMBER, NULL, NULL, 0,
     "add: it answers reads and never gets a vote", "add: 参照専用とし、投票権を与えない"},
    {"mapping", 0, NULL, KZ_OPTION_TEXT, AT(mapping), KZ_OPTION_IMPORT, "FILE", NULL, 0,
     "import: a YAML file that says which header is which field", "import: どの見出しがどの項目かを書いたYAML"},
    {"base-rev", 0, NULL, KZ_OPTION_NUMBER, AT(base_rev), KZ_OPTION_IMPORT, "REV", NULL, 0,
     "import: the revision a file without revision column was written from", "import: 版の列がないファイルの元になったリビジョン"},
    {"take", 0, NULL, KZ_OPTION_CHOICE, AT(take), KZ_OPTION_IMPORT, "file|server", take_words, KZ_TAKE_FILE,
     "import: whose value counts where both sides changed a cell", "import: 両方で変更されたセルはどちらを採るか"},
    {"encoding", 0, NULL, KZ_OPTION_CHOICE, AT(encoding), KZ_OPTION_EXPORT, "utf8-bom|utf8|cp932|utf16", encoding_words, KZ_ENCODING_UTF8_BOM,
     "export csv: how characters are written (default: utf8-bom)", "export csv: 文字コード(既定: utf8-bom)"},
};
/* clang-format on */
#define TABLE_COUNT (sizeof table / sizeof table[0])

const struct kz_option *kz_options_table(size_t *count)
{
    *count = TABLE_COUNT;
    return table;
}

static const struct kz_option *find_option(const char *name, size_t length)
{
    for (size_t i = 0; i < TABLE_COUNT; i++)
        if (strlen(table[i].name) == length && memcmp(table[i].name, name, length) == 0) return &table[i];
    return NULL;
}

static const struct kz_option *find_letter(char letter)
{
    for (size_t i = 0; i < TABLE_COUNT; i++)
        if (table[i].letter && table[i].letter == letter) return &table[i];
    return NULL;
}

static const char *find_near(const char *name, bool global_only)
{
    size_t best = strlen(name) < NEAR_MAX ? strlen(name) : NEAR_MAX; /* -x is near to nothing */
    const char *near = NULL;
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        if (global_only && table[i].set) continue;
        size_t distance = kz_text_distance(name, table[i].name);
        if (distance < best) best = distance, near = table[i].name;
    }
    return near;
}

/* ---- one value ---- */

static bool set_choice(const struct kz_option *option, int64_t *slot, const char *value)
{
    for (int64_t i = 0; option->words[i]; i++)
        if (strcmp(option->words[i], value) == 0) {
            *slot = option->first + i;
            return true;
        }
    return false;
}

static bool set_flag(bool *slot, const char *value)
{
    bool yes = strcmp(value, "1") == 0 || strcmp(value, "true") == 0 || strcmp(value, "yes") == 0;
    bool no = !*value || strcmp(value, "0") == 0 || strcmp(value, "false") == 0 || strcmp(value, "no") == 0;
    if (!yes && !no) return false;
    *slot = yes;
    return true;
}

static bool set_value(struct kz_options *options, const struct kz_option *option, const char *value)
{
    void *at = (char *)options + option->offset;
    options->given |= option->set;
    switch (option->type) {
    case KZ_OPTION_TEXT:
        kz_error_set(at, value);
        return true;
    case KZ_OPTION_FLAG:
        return set_flag(at, value);
    case KZ_OPTION_CHOICE:
        return set_choice(option, at, value);
    case KZ_OPTION_DURATION: {
        int64_t ms;
        if (!kz_parse_duration_ms(value, &ms) || ms < option->first) return false;
        memcpy(at, &ms, sizeof ms);
        return true;
    }
    case KZ_OPTION_NUMBER: {
        int64_t number;
        if (!kz_parse_integer(value, &number) || number < 0) return false;
        memcpy(at, &number, sizeof number);
        return true;
    }
    }
    return false;
}

/* `where` is "--read", "KEIZOKU_READ" or "config:3: read". */
static Kz__Error *fail_value(const struct kz_option *option, const char *where, const char *value)
{
    const char *wants = option->type == KZ_OPTION_FLAG     ? "true|false"
                        : option->type == KZ_OPTION_NUMBER ? "0, 1, 2, ..."
                                                           : option->value;
    enum kz_text_id why = option->type != KZ_OPTION_DURATION ? KZ_T_OPTION_WANTS_THIRD
                          : option->first                    ? KZ_T_DURATION_WANTED
                                                             : KZ_T_AGE_WANTED;
    return kz_error_new(KZ_USAGE, KZ_T_OPTION_VALUE_BAD, why, KZ_T_USE_HELP_ALL, KZ_TEXT_ARGS(where, value, wants));
}

/* ---- configuration file ---- */

static char *trim(char *text)
{
    text += strspn(text, " \t");
    size_t length = strlen(text);
    while (length > 0 && strchr(" \t\r\n", text[length - 1]))
        text[--length] = '\0';
    return text;
}

static Kz__Error *read_line(struct kz_options *options, const char *path, int number, char *line)
{
    char *text = trim(line), where[CONFIG_LINE_BYTES];
    if (!*text || *text == '#' || *text == ';') return NULL;
    snprintf(where, sizeof where, "%.2000s:%d", path, number);
    char *equals = strchr(text, '=');
    if (!equals || equals == text)
        return kz_error_new(KZ_USAGE, KZ_T_CONFIG_SYNTAX, KZ_T_CONFIG_FORM, KZ_T_CONFIG_FIX, KZ_TEXT_ARGS(where));
    *equals = '\0';
    const char *key = trim(text), *value = trim(equals + 1);
    const struct kz_option *option = find_option(key, strlen(key));
    if (!option || !option->env) {
        const char *near = find_near(key, true);
        return kz_error_new(KZ_USAGE, KZ_T_CONFIG_KEY, KZ_T_NO_SUCH_KEY, near ? KZ_T_CONFIG_NEAR : KZ_T_CONFIG_FIX,
                            KZ_TEXT_ARGS(where, key, near));
    }
    if (set_value(options, option, value)) return NULL;
    char full[CONFIG_LINE_BYTES + NAME_BYTES];
    snprintf(full, sizeof full, "%s: %s =", where, key);
    return fail_value(option, full, value);
}

/* The rest is read all the same: a language or output form further on decides how the error is shown. */
static void keep_first(Kz__Error **first, Kz__Error *error)
{
    if (!*first)
        *first = error;
    else if (error)
        kz__error__free_unpacked(error, NULL);
}

static Kz__Error *read_config(struct kz_options *options, bool required)
{
    FILE *file = fopen(options->config_path, "re");
    if (!file) {
        if (!required && (errno == ENOENT || errno == ENOTDIR)) return NULL;
        int number = errno;
        return kz_error_new(KZ_USAGE, KZ_T_CONFIG_UNREADABLE, kz_text_of_errno(number), KZ_T_FILE_HINT,
                            KZ_TEXT_ARGS(options->config_path, strerror(number)));
    }
    char line[CONFIG_LINE_BYTES];
    Kz__Error *first = NULL;
    for (int number = 1; fgets(line, sizeof line, file); number++)
        keep_first(&first, read_line(options, options->config_path, number, line));
    fclose(file);
    return first;
}

static char *find_config(kz_getenv get, void *data, bool *required)
{
    const char *path = get(data, "KEIZOKU_CONFIG"), *base = get(data, "XDG_CONFIG_HOME"), *home = get(data, "HOME");
    *required = path && *path;
    if (*required) return kz_must_strdup(path);
    struct kz_buf out;
    kz_buf_init(&out, 0);
    if (base && *base)
        kz_buf_addf(&out, "%s/keizoku/config", base);
    else
        kz_buf_addf(&out, "%s/.config/keizoku/config", home ? home : "");
    char *text = kz_must_strdup(kz_buf_text(&out));
    kz_buf_fini(&out);
    return text;
}

/* ---- environment ---- */

static void read_locale(struct kz_options *options, kz_getenv get, void *data)
{
    static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = get(data, names[i]);
        if (!value || !*value) continue;
        options->lang = strncmp(value, "ja", 2) == 0;
        return;
    }
    options->lang = 0;
}

static Kz__Error *read_environment(struct kz_options *options, kz_getenv get, void *data)
{
    Kz__Error *first = NULL;
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        const char *value = table[i].env ? get(data, table[i].env) : NULL;
        if (!value || (!*value && table[i].type != KZ_OPTION_TEXT)) continue;
        if (!set_value(options, &table[i], value)) keep_first(&first, fail_value(&table[i], table[i].env, value));
    }
    return first;
}

/* ---- command line ---- */

static Kz__Error *fail_unknown(const char *argument)
{
    char name[NAME_BYTES], near_flag[NAME_BYTES + 2];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(argument, "="), argument);
    const char *near = find_near(name + strspn(name, "-"), false);
    snprintf(near_flag, sizeof near_flag, "--%s", near ? near : "");
    return kz_error_new(KZ_USAGE, KZ_T_UNKNOWN_OPTION, KZ_T_NO_SUCH_OPTION,
                        near ? KZ_T_DID_YOU_MEAN_SECOND : KZ_T_USE_HELP_ALL, KZ_TEXT_ARGS(name, near_flag));
}

/* Whether argv[*i] is a field of an event; then *error says what is wrong with it, or NULL. */
static bool read_field(struct kz_options *options, int argc, char *const *argv, int *i, Kz__Error **error)
{
    const char *name = argv[*i] + 2;
    size_t length = strcspn(name, "=");
    struct kz_given given;
    if (!kz_event_flag(name, length, &given)) return false;
    char shown[NAME_BYTES];
    snprintf(shown, sizeof shown, "--%.*s", (int)length, name);
    *error = NULL;
    if (given.value && name[length])
        *error =
            kz_error_new(KZ_USAGE, KZ_T_OPTION_NO_VALUE, KZ_T_OPTION_IS_FLAG, KZ_T_USE_HELP_ALL, KZ_TEXT_ARGS(shown));
    else if (!given.value && !name[length] && *i + 1 >= argc)
        *error = kz_error_new(KZ_USAGE, KZ_T_OPTION_VALUE_MISSING, KZ_T_OPTION_WANTS_SECOND, KZ_T_USE_HELP_ALL,
                              KZ_TEXT_ARGS(shown, "VALUE"));
    if (*error) return true;
    if (!given.value) given.value = name[length] ? name + length + 1 : argv[++*i];
    options->fields = kz_must_realloc(options->fields, (options->field_count + 1) * sizeof *options->fields);
    options->fields[options->field_count++] = given;
    options->given |= KZ_OPTION_FIELDS;
    return true;
}

/* Handles argv[*i], which begins with '-'; moves *i past a value it took. */
static Kz__Error *read_flag(struct kz_options *options, int argc, char *const *argv, int *i)
{
    const char *argument = argv[*i], *value = NULL;
    const struct kz_option *option;
    if (argument[1] == '-') {
        size_t length = strcspn(argument + 2, "=");
        option = find_option(argument + 2, length);
        if (argument[2 + length] == '=') value = argument + 2 + length + 1;
    } else {
        option = find_letter(argument[1]);
        if (argument[2]) value = argument + 2;
    }
    Kz__Error *error;
    if (!option && argument[1] == '-' && read_field(options, argc, argv, i, &error)) return error;
    if (!option) return fail_unknown(argument);
    char shown[NAME_BYTES];
    if (argument[1] == '-')
        snprintf(shown, sizeof shown, "--%s", option->name);
    else
        snprintf(shown, sizeof shown, "-%c", option->letter);
    if (option->type == KZ_OPTION_FLAG) {
        if (value)
            return kz_error_new(KZ_USAGE, KZ_T_OPTION_NO_VALUE, KZ_T_OPTION_IS_FLAG, KZ_T_USE_HELP_ALL,
                                KZ_TEXT_ARGS(shown));
        (void)set_value(options, option, "1"); /* "1" is always allowed */
        return NULL;
    }
    if (!value) {
        if (*i + 1 >= argc)
            return kz_error_new(KZ_USAGE, KZ_T_OPTION_VALUE_MISSING, KZ_T_OPTION_WANTS_SECOND, KZ_T_USE_HELP_ALL,
                                KZ_TEXT_ARGS(shown, option->value));
        value = argv[++*i];
    }
    return set_value(options, option, value) ? NULL : fail_value(option, shown, value);
}

static Kz__Error *read_arguments(struct kz_options *options, struct kz_words *words, int argc, char *const *argv)
{
    Kz__Error *first = NULL;
    bool only_words = false;
    for (int i = 1; i < argc; i++) {
        const char *argument = argv[i];
        if (!only_words && strcmp(argument, "--") == 0) {
            only_words = true;
        } else if (only_words || argument[0] != '-' || !argument[1]) {
            words->items[words->count++] = argument;
        } else {
            keep_first(&first, read_flag(options, argc, argv, &i));
        }
    }
    return first;
}

Kz__Error *kz_options_read(struct kz_options *options, struct kz_words *words, int argc, char *const *argv,
                           kz_getenv get, void *data)
{
    *options = (struct kz_options){.read = KZ__READ_MODE__AUTO,
                                   .lang = -1,
                                   .ambiguous = 1,
                                   .max_age_ms = -1,
                                   .timeout_ms = KZ_CLIENT_TIMEOUT_MS,
                                   .from_rev = -1,
                                   .member_id = -1,
                                   .base_rev = -1};
    words->items = kz_must_alloc((size_t)argc + 1, sizeof *words->items);
    words->count = 0;
    bool required;
    options->config_path = find_config(get, data, &required);
    Kz__Error *errors[3] = {read_config(options, required)};
    errors[1] = read_environment(options, get, data);
    errors[2] = read_arguments(options, words, argc, argv);
    if (options->lang < 0) read_locale(options, get, data);
    Kz__Error *first = NULL;
    for (size_t i = 3; i-- > 0;) {
        if (!errors[i]) continue;
        if (first) kz__error__free_unpacked(first, NULL);
        first = errors[i];
    }
    /* Help must not fail for a broken configuration file. */
    if (first && options->help && !errors[2]) {
        kz__error__free_unpacked(first, NULL);
        first = NULL;
    }
    return first;
}

void kz_options_fini(struct kz_options *options, struct kz_words *words)
{
    for (size_t i = 0; i < TABLE_COUNT; i++)
        if (table[i].type == KZ_OPTION_TEXT) free(*(char **)(void *)((char *)options + table[i].offset));
    free(options->config_path);
    free(options->fields);
    free(words->items);
}

bool kz_options_japanese(const struct kz_options *options) { return options->lang == 1; }
