/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/commands.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/run_campaign.h"
#include "client/codec/describe.h"
#include "node/base/assert.h"
#include "node/base/config.h"
#include "node/registry/text.h"

#define NEAR_MAX 3
#define READER "reader"
#define REPORTER "reporter"
#define OPERATOR "operator"
#define APPROVER "approver"
#define BACKUP "backup"

/* clang-format off */
static const struct kz_command table[] = {
    {"status", "", "", 0, READER, kz_run_status,
     "which nodes are alive, leader, quorum, how current, what needs attention", "稼働ノード、リーダー、過半数、データの新しさ、要対応事項"},
    {"list", "K", "KIND", KZ_OPTION_RETIRED | KZ_OPTION_AS_OF, READER, kz_run_list,
     "all records of a kind", "種別の一覧"},
    {"get", "KI+", "KIND ID...", KZ_OPTION_AS_OF, READER, kz_run_get,
     "one record; -o yaml can be applied again", "1件の表示。-o yaml は apply で戻せる"},
    {"search", "*", "TEXT...", KZ_OPTION_KIND | KZ_OPTION_RETIRED, READER, kz_run_search,
     "all records with these words: kanji, kana, ASCII, a part of a telephone number", "全種別の検索: 漢字、かな、英数字、電話番号の一部"},
    {"apply", "", "-f FILE|DIR|-", KZ_OPTION_FILE | KZ_OPTION_DRY_RUN | KZ_OPTION_SPLIT, OPERATOR, kz_run_apply,
     "create and change records from YAML or JSON, all or nothing", "YAML・JSONから登録・変更(全件成功か全件取消し)"},
    {"edit", "KI", "KIND ID", 0, OPERATOR, kz_run_edit,
     "change one record in $EDITOR; sent only when it changed", "$EDITOR で1件を変更。変更があれば送信"},
    {"history", "KI", "KIND ID", 0, READER, kz_run_history,
     "every change: when, who, why", "変更履歴(日時、変更者、理由)"},
    {"diff", "KIrr", "KIND ID [REV [REV]]", 0, READER, kz_run_diff,
     "what the last change did, or the difference between two revisions", "最後の変更内容、または2つのリビジョンの差"},
    {"revert", "KI", "KIND ID --to REV", KZ_OPTION_TO | KZ_OPTION_DRY_RUN | KZ_OPTION_FORCE, OPERATOR, kz_run_revert,
     "one record back to how it stood at an earlier revision", "1件を以前のリビジョンの内容に戻す"},
    {"undo", "", "--to REV", KZ_OPTION_TO | KZ_OPTION_KIND | KZ_OPTION_DRY_RUN | KZ_OPTION_CONFIRM, OPERATOR, kz_run_undo,
     "everything back to how it stood at an earlier revision, in one transaction", "全件を以前のリビジョンの状態に1回で戻す(一括削除の取消し)"},
    {"verify", "KI+", "KIND ID...", 0, OPERATOR, kz_run_verify,
     "note that a person confirmed it is still true", "内容が今も正しいと確認したことを記録"},
    {"verify campaign", "*", "VERB [ID]", KZ_OPTION_KIND | KZ_OPTION_CAMPAIGN | KZ_OPTION_OWNER, OPERATOR, kz_run_campaign,
     "start --kind KIND --due DATE, list, show, close: owners confirm all records of a kind by a day", "一斉確認: start --kind 種別 --due 期限 開始、list 一覧、show 組織ごとの残り、close 終了"},
    {"retire", "KI+", "KIND ID...", KZ_OPTION_FORCE | KZ_OPTION_CONFIRM, OPERATOR, kz_run_retire,
     "take it out of the lists; its history stays", "一覧から外す(履歴は残る)"},
    {"watch", "ki", "[KIND[/ID]]", KZ_OPTION_FROM, READER, kz_run_watch,
     "one line per change as it happens; goes on when a node fails", "変更を1行ずつ表示。ノードが落ちても続く"},
    {"board", "b", "[INCIDENT]", KZ_OPTION_LIVE, READER, kz_run_board,
     "open incidents: systems in recovery order, time left, last report", "発生中の危機的事象: システムの状態、残り時間、最終報告"},
    {"report-status", "*", "SYSTEM STATE", KZ_OPTION_FIELDS, REPORTER, kz_run_report_status,
     "how a system is; needs no quorum", "情報システムの状況報告。過半数がなくても記録できる"},
    {"status-report", "*", "SYSTEM STATE", KZ_OPTION_FIELDS, REPORTER, kz_run_report_status,
     "the same as report-status", "report-status と同じ"},
    {"incident", "*", "VERB [ID]", KZ_OPTION_FIELDS, REPORTER, kz_run_incident,
     "open, activate, recovering, close, show, timeline", "open 開始、activate 発動、recovering 復旧中、close 解除、show・timeline 表示"},
    {"entry", "*", "add TEXT", KZ_OPTION_FIELDS | KZ_OPTION_MOMENT, REPORTER, kz_run_entry,
     "a line in an incident's log", "経過記録への追加"},
    {"contact", "*", "VERB [ID]", KZ_OPTION_FIELDS | KZ_OPTION_AS_OF | KZ_OPTION_MOMENT, REPORTER, kz_run_contact,
     "call CONTACT: what came of it; tree [CALLTREE]: who calls whom, and how at this hour; impact CONTACT: without that person", "call 連絡の結果の記録、tree 連絡網と今の連絡手段、impact その人がいないときの影響"},
    {"runbook", "*", "VERB [ID|RUN]", KZ_OPTION_FIELDS | KZ_OPTION_RUNBOOK | KZ_OPTION_FILE | KZ_OPTION_DRY_RUN, REPORTER, kz_run_runbook,
     "submit, approve, reject, diff, import, export; start, board, show, begin, tick, skip, fail, note", "submit 確認に回す、approve 承認、reject 差戻し、diff 差、import・export 入出力、start 実施開始、board・show 進捗、begin・tick・skip・fail・note 手順の記録"},
    {"tick", "*", "RUNBOOK STEP RESULT", KZ_OPTION_FIELDS, REPORTER, kz_run_tick,
     "a step of a runbook: done, skipped or failed", "手順書の手順の結果: done 実施、skipped 省略、failed 失敗"},
    {"cluster", "*", "VERB [NAME]", KZ_OPTION_MEMBER | KZ_OPTION_RECOVER | KZ_OPTION_CONFIRM, OPERATOR, kz_run_cluster,
     "members, add NAME HOST:PORT, promote, demote, remove NAME, transfer [NAME]; recover, when a majority is lost for good", "構成ノード: members 一覧、add 追加、promote 投票権付与、demote 投票権停止、remove 除外、transfer リーダー移譲、recover 過半数喪失時の再建"},
    {"snapshot", "*", "VERB [FILE|DIR]", KZ_OPTION_FILE | KZ_OPTION_SNAPSHOT | KZ_OPTION_DIR | KZ_OPTION_AS_OF | KZ_OPTION_DRY_RUN | KZ_OPTION_CONFIRM, BACKUP, kz_run_snapshot,
     "encrypted, signed backups: save, verify, list, restore, schedule", "暗号化・署名つきバックアップ: save 取得、verify 検証、list 一覧、restore 復元、schedule 定期取得"},
    {"system", "*", "VERB [SYSTEM]", KZ_OPTION_AS_OF | KZ_OPTION_GRAPH, READER, kz_run_derived,
     "order: recovery order, times, who misses the RTO; impact SYSTEM: what falls with it; deps SYSTEM: what it needs, what needs it", "order 復旧の順序と時間、RTO超過。impact 停止の影響。deps 依存先と依存元"},
    {"site", "*", "impact SITE | impact --area AREA", KZ_OPTION_AS_OF | KZ_OPTION_AREA, READER, kz_run_derived,
     "what falls with a site or a disaster area, what is left, which runbooks to use", "拠点・被災範囲の喪失の影響、残る代替、使用する手順書"},
    {"org", "*", "impact ORG", KZ_OPTION_AS_OF, READER, kz_run_derived,
     "what falls with a vendor or another organisation", "委託先などの組織の喪失の影響"},
    {"role", "*", "who [ROLE]", KZ_OPTION_AS_OF | KZ_OPTION_MOMENT, READER, kz_run_derived,
     "whom to call now: holder, deputies, the channel that is answered at this hour", "今連絡する相手: 担当者、代行者、この時間帯の連絡手段"},
    {"blob", "*", "VERB ID [FILE]", KZ_OPTION_FILE | KZ_OPTION_BLOB | KZ_OPTION_AS_OF, OPERATOR, kz_run_blob,
     "put ID FILE, get ID [-f FILE]: the content of an attachment, up to 32 MiB, verified", "put ID FILE 登録、get ID [-f FILE] 取出し: 添付の内容(32MiBまで、ハッシュを検証)"},
    {"doctor", "", "", KZ_OPTION_DOCTOR | KZ_OPTION_OWNER | KZ_OPTION_KIND | KZ_OPTION_MOMENT | KZ_OPTION_AS_OF, READER, kz_run_doctor,
     "what the plan lacks, and what to do; exit code 1 when there is something", "計画の不備と対処。あれば終了コード1"},
    {"schema", "k", "[KIND]", KZ_OPTION_MARKDOWN, NULL, kz_run_schema,
     "fields, types, labels, rules, sources", "項目、型、名称、制約、根拠"},
    {"outcome", "X", "REQUEST-ID", 0, OPERATOR, kz_run_outcome,
     "what became of a write whose answer was lost", "応答を受け取れなかった書き込みの結果"},
    {"salvage", "*", "VERB FILE", KZ_OPTION_FILE | KZ_OPTION_DRY_RUN, OPERATOR, kz_run_salvage,
     "export -f, show, apply: what only a node that was left behind holds", "export -f 書出し、show 表示、apply 適用: 取り残されたノードだけにある内容"},
    {"import", "*", "csv FILE --kind KIND", KZ_OPTION_IMPORT | KZ_OPTION_KIND | KZ_OPTION_DRY_RUN | KZ_OPTION_SPLIT, OPERATOR, kz_run_import,
     "a table from Excel, merged with what changed here since its export", "Excelの表の取込み。書き出した後の変更と突き合わせる"},
    {"export", "*", "csv|xlsx|json|yaml", KZ_OPTION_EXPORT | KZ_OPTION_DIR | KZ_OPTION_KIND | KZ_OPTION_FILE | KZ_OPTION_AS_OF, READER, kz_run_export,
     "all records of some kinds (--kind system,contact) for Excel or a program; import and apply read them", "種別ごとの全件の書出し(--kind system,contact)。import・apply で戻せる"},
    {"completion", "S", "bash|zsh", 0, NULL, kz_run_completion,
     "completion for your shell: eval \"$(keizoku completion bash)\"", "シェルの補完: eval \"$(keizoku completion bash)\""},
    {"version", "", "", 0, NULL, kz_run_version,
     "version of this program", "このプログラムの版"},
    {"help", "c", "[COMMAND]", 0, NULL, kz_run_help,
     "this text, or one command in full", "この説明、またはコマンドの説明"},
};
/* clang-format on */
#define TABLE_COUNT (sizeof table / sizeof table[0])

const struct kz_command *kz_commands(size_t *count)
{
    *count = TABLE_COUNT;
    return table;
}

const struct kz_command *kz_command_find(const char *name)
{
    for (size_t i = 0; i < TABLE_COUNT; i++)
        if (strcmp(table[i].name, name) == 0) return &table[i];
    return NULL;
}

const struct kz_command *kz_command_of(const struct kz_words *words)
{
    bool two = words->count > 1 && strcmp(words->items[0], "verify") == 0 && strcmp(words->items[1], "campaign") == 0;
    bool record = two && words->count > 2 && !kz_campaign_verb(words->items[2]); /* a campaign is a record, too */
    return kz_command_find(two && !record ? "verify campaign" : words->items[0]);
}

Kz__Error *kz_command_unknown(const char *name)
{
    size_t best = strlen(name) < NEAR_MAX ? strlen(name) : NEAR_MAX;
    const char *near = NULL;
    struct kz_buf names;
    kz_buf_init(&names, 0);
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        kz_buf_addf(&names, "%s%s", i ? ", " : "", table[i].name);
        size_t distance = kz_text_distance(name, table[i].name);
        if (distance < best) best = distance, near = table[i].name;
    }
    Kz__Error *error = kz_error_new(KZ_USAGE, KZ_T_UNKNOWN_COMMAND, KZ_T_COMMANDS_ARE_THIRD,
                                    near ? KZ_T_DID_YOU_MEAN_SECOND : KZ_T_USE_HELP_ALL,
                                    KZ_TEXT_ARGS(name, near, kz_buf_text(&names)));
    kz_buf_fini(&names);
    return error;
}

/* ---- arguments ---- */

struct parser {
    struct kz_cli *cli;
    size_t next;        /* word after the command */
    const char *joined; /* the ID of a KIND/ID not yet used */
};

static const char *word_name(char letter)
{
    switch (letter) {
    case 'K':
        return "KIND";
    case 'I':
        return "ID";
    case 'R':
        return "REV";
    case 'X':
        return "REQUEST-ID";
    case 'S':
        return "bash|zsh";
    default:
        return "COMMAND";
    }
}

/* {1} the word, {2} the usage, {3} the command, {4} the kind when it is known */
static Kz__Error *fail_words(const struct kz_cli *cli, enum kz_text_id what, enum kz_text_id hint, const char *word)
{
    struct kz_buf usage;
    kz_buf_init(&usage, 0);
    kz_usage_line(&usage, cli->command);
    Kz__Error *error =
        kz_error_new(KZ_USAGE, what, KZ_T_USAGE_IS_SECOND, hint,
                     KZ_TEXT_ARGS(word, kz_buf_text(&usage), cli->command->name, cli->kind ? cli->kind->name : NULL));
    kz_buf_fini(&usage);
    return error;
}

static Kz__Error *fail_missing(const struct kz_cli *cli, char letter)
{
    enum kz_text_id hint = letter == 'K' ? KZ_T_NAME_KIND : letter == 'I' ? KZ_T_NAME_ID : KZ_T_USE_HELP_THIRD;
    return fail_words(cli, KZ_T_ARGUMENT_MISSING, hint, word_name(letter));
}

/* `joined`: it is the ID of KIND/ID. */
static Kz__Error *fail_extra(const struct kz_cli *cli, const char *word, bool joined)
{
    enum kz_text_id hint = joined                              ? KZ_T_USE_GET
                           : cli->command->run == kz_run_apply ? KZ_T_USE_FILE
                                                               : KZ_T_USE_HELP_THIRD;
    return fail_words(cli, KZ_T_ARGUMENT_EXTRA, hint, word);
}

static const char *take_word(struct parser *parser)
{
    const struct kz_words *words = &parser->cli->words;
    return parser->next < words->count ? words->items[parser->next++] : NULL;
}

static Kz__Error *take_kind(struct parser *parser, const char *word)
{
    const char *slash = strchr(word, '/');
    char *name = kz_must_strdup(word);
    if (slash) {
        name[slash - word] = '\0';
        parser->joined = slash + 1;
    }
    parser->cli->kind = kz_kind_by_name(name);
    Kz__Error *error = NULL;
    if (!parser->cli->kind) {
        const struct kz_kind *near = kz_kind_nearest(name);
        struct kz_buf kinds;
        kz_buf_init(&kinds, 0);
        kz_describe_kinds(&kinds);
        error = kz_error_new(KZ_USAGE, KZ_T_UNKNOWN_KIND, KZ_T_KINDS_ARE_SECOND,
                             near ? KZ_T_DID_YOU_MEAN_THIRD : KZ_T_USE_SCHEMA,
                             KZ_TEXT_ARGS(name, kz_buf_text(&kinds), near ? near->name : NULL));
        kz_buf_fini(&kinds);
    }
    free(name);
    return error;
}

/* Further ids may be written KIND/ID too, with the same kind. */
static Kz__Error *take_id(struct parser *parser, const char *word)
{
    struct kz_cli *cli = parser->cli;
    const char *slash = strchr(word, '/');
    if (slash && strncmp(word, cli->kind->name, (size_t)(slash - word)) == 0 &&
        strlen(cli->kind->name) == (size_t)(slash - word))
        word = slash + 1;
    if (!kz_id_valid(word))
        return kz_error_new(KZ_USAGE, KZ_T_BAD_ID, KZ_T_ID_RULE, KZ_T_HINT_LIST_SECOND,
                            KZ_TEXT_ARGS(*word ? word : "\"\"", cli->kind->name));
    cli->ids = kz_must_realloc(cli->ids, (cli->id_count + 1) * sizeof *cli->ids);
    cli->ids[cli->id_count++] = word;
    kz_cli_set_subject(cli, cli->id_count == 1 ? word : NULL); /* of several, the answer names the one it means */
    return NULL;
}

static Kz__Error *take_rev(struct parser *parser, const char *word)
{
    int64_t rev;
    if (!kz_parse_integer(word, &rev) || rev < 0)
        return kz_error_new(KZ_USAGE, KZ_T_BAD_NUMBER, KZ_T_NUMBER_WANTED, KZ_T_HINT_HISTORY_SECOND,
                            KZ_TEXT_ARGS(word, parser->cli->subject));
    parser->cli->revs[parser->cli->rev_count++] = (uint64_t)rev;
    return NULL;
}

static Kz__Error *take(struct parser *parser, char letter, bool optional)
{
    const char *word = NULL;
    if (letter == 'I' && parser->joined) {
        word = parser->joined;
        parser->joined = NULL;
    } else {
        word = take_word(parser);
    }
    if (!word) return optional ? NULL : fail_missing(parser->cli, letter);
    switch (letter) {
    case 'K':
        return take_kind(parser, word);
    case 'I':
        return take_id(parser, word);
    case 'R':
        return take_rev(parser, word);
    default:
        parser->cli->rest = word;
        return NULL;
    }
}

Kz__Error *kz_command_parse(struct kz_cli *cli)
{
    struct parser parser = {.cli = cli, .next = 1};
    char letter = '\0';
    for (const char *at = cli->command->words; *at; at++) {
        if (*at == '*') return NULL; /* the handler reads them */
        if (*at == '+') {
            while (parser.next < cli->words.count) {
                Kz__Error *error = take(&parser, letter, true);
                if (error) return error;
            }
            break;
        }
        letter = (char)toupper((unsigned char)*at);
        Kz__Error *error = take(&parser, letter, islower((unsigned char)*at));
        if (error) return error;
    }
    if (parser.joined) return fail_extra(cli, parser.joined, true);
    const char *extra = take_word(&parser);
    if (extra) return fail_extra(cli, extra, false);
    if (cli->kind && !cli->subject) kz_cli_set_subject(cli, NULL);
    return NULL;
}
