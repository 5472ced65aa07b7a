/* SPDX-License-Identifier: Apache-2.0 */
/* `runbook`: its verbs, and the ones that move a text along its states. */
#include "client/cli/run_runbook.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"

#define WORDS_MANY 100u
#define NUMBER_TEXT_BYTES 24
#define PREFIX "runbook/"

static int submit(struct kz_cli *cli, const struct kz_runbook_words *words);
static int approve(struct kz_cli *cli, const struct kz_runbook_words *words);
static int reject(struct kz_cli *cli, const struct kz_runbook_words *words);

/* clang-format off */
static const struct kz_runbook_verb verbs[] = {
    {"submit", "submit ID... [--reason TEXT]", "operator", "", 1, WORDS_MANY,
     "a draft to whoever approves it", "作成中のものを承認者の確認に回す", submit},
    {"approve", "approve ID... [--reason TEXT]", "approver", "", 1, WORDS_MANY,
     "by another than who edited it last", "承認。最後に編集した人はできない", approve},
    {"reject", "reject ID... [--reason TEXT]", "approver", "", 1, WORDS_MANY,
     "back to its author as a draft", "作成者に差し戻す", reject},
    {"diff", "diff ID [REV [REV]]", "reader", "", 1, 3,
     "step by step: what is to be approved, or two revisions", "手順ごとの差。承認済の版と現在、または2つのリビジョン", kz_runbook_diff},
    {"import", "import FILE.md [--dry-run]", "operator", "", 1, 1,
     "from Markdown with front matter", "前書き付きの Markdown から登録", kz_runbook_import},
    {"export", "export ID [-f FILE.md]", "reader", "", 1, 1,
     "as Markdown that import takes back without loss", "Markdown で書出し。import で元どおり戻せる", kz_runbook_export},
    {"start", "start ID [--incident I] [--by WHO] [--unapproved]", "reporter", "incident by", 1, 1,
     "carry out the approved version; prints the run's id", "承認された版の実施を始める。実施の識別子を表示", kz_run_start},
    {"board", "board [--incident I]", "reader", "incident", 0, 0,
     "what is being carried out, who is on which step", "実施中の手順書と、誰がどの手順にいるか", kz_run_overview},
    {"show", "show RUN|ID", "reader", "run", 0, 1,
     "one run: each step, who, elapsed against expected, what is next", "実施の進捗: 手順ごとの状態、実施者、経過と予定、次の手順", kz_run_sheet},
    {"begin", "begin RUN|ID STEP [--by WHO] [--out-of-order]", "reporter", "by out_of_order", 2, 2,
     "say that you are on a step", "手順に取りかかったことを記録", kz_run_begin_step},
    {"tick", "tick RUN|ID STEP [--evidence TEXT] [--permission TEXT] [--by WHO] [--out-of-order]", "reporter",
     "evidence permission by out_of_order corrects", 2, 2,
     "a step is done", "手順の実施を記録", kz_run_tick_step},
    {"skip", "skip RUN|ID STEP [--evidence WHY] [--permission TEXT] [--by WHO] [--out-of-order]", "reporter",
     "evidence permission by out_of_order corrects", 2, 2,
     "a step is left out", "手順の省略を記録", kz_run_skip_step},
    {"fail", "fail RUN|ID STEP [--evidence WHAT] [--by WHO] [--out-of-order]", "reporter",
     "evidence by out_of_order corrects", 2, 2,
     "a step failed: it stays the next one", "手順の失敗を記録。次に行う手順として残る", kz_run_fail_step},
    {"note", "note RUN|ID TEXT [--step STEP] [--by WHO]", "reporter", "step by", 2, 2,
     "a note to the run or one step", "実施全体または手順への書き込み", kz_run_note},
};
/* clang-format on */
#define VERB_COUNT (sizeof verbs / sizeof verbs[0])

/* `verb` NULL: which one was meant is not known. */
static int fail_usage(struct kz_cli *cli, const struct kz_runbook_verb *verb, enum kz_text_id what, const char *word)
{
    struct kz_buf usage;
    kz_buf_init(&usage, 0);
    kz_buf_addf(&usage, "keizoku %s ", cli->command->name);
    if (verb) kz_buf_add_text(&usage, verb->usage);
    for (size_t i = 0; !verb && i < VERB_COUNT; i++)
        kz_buf_addf(&usage, "%s%s", i ? "|" : "", verbs[i].name);
    int status = kz_cli_fail(cli, kz_error_new(KZ_USAGE, what, KZ_T_USAGE_IS_SECOND, KZ_T_USE_HELP_THIRD,
                                               KZ_TEXT_ARGS(word, kz_buf_text(&usage), cli->command->name)));
    kz_buf_fini(&usage);
    return status;
}

static bool takes_field(const struct kz_runbook_verb *verb, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = verb->fields; *at; at += strcspn(at, " "), at += strspn(at, " "))
        if (strcspn(at, " ") == length && memcmp(at, name, length) == 0) return true;
    return false;
}

static int check_fields(struct kz_cli *cli, const struct kz_runbook_verb *verb)
{
    for (size_t i = 0; i < cli->options.field_count; i++) {
        if (takes_field(verb, cli->options.fields[i].name)) continue;
        struct kz_buf flag, usage;
        kz_buf_init(&flag, 0);
        kz_buf_init(&usage, 0);
        kz_event_add_flag(&flag, &(struct kz_field){.name = cli->options.fields[i].name});
        kz_buf_addf(&usage, "%s %s", cli->command->name, verb->usage);
        int status =
            kz_cli_fail(cli, kz_error_new(KZ_USAGE, KZ_T_OPTION_NOT_HERE, KZ_T_OPTION_OTHERS, KZ_T_USE_HELP_THIRD,
                                          KZ_TEXT_ARGS(kz_buf_text(&flag), kz_buf_text(&usage), cli->command->name)));
        kz_buf_fini(&flag);
        kz_buf_fini(&usage);
        return status;
    }
    return 0;
}

int kz_run_runbook(struct kz_cli *cli)
{
    const char *name = cli->words.count > 1 ? cli->words.items[1] : NULL;
    const struct kz_runbook_verb *verb = NULL;
    for (size_t i = 0; name && i < VERB_COUNT; i++)
        if (strcmp(verbs[i].name, name) == 0) verb = &verbs[i];
    if (!name) return fail_usage(cli, NULL, KZ_T_ARGUMENT_MISSING, "VERB");
    if (!verb) return fail_usage(cli, NULL, KZ_T_UNKNOWN_VERB, name);
    size_t count = cli->words.count - 2;
    if (count < verb->words_min) return fail_usage(cli, verb, KZ_T_ARGUMENT_MISSING, count == 0 ? "ID" : "STEP");
    if (count > verb->words_max)
        return fail_usage(cli, verb, KZ_T_ARGUMENT_EXTRA, cli->words.items[2 + verb->words_max]);
    int status = check_fields(cli, verb);
    if (status) return status;
    const char **items = kz_must_alloc(count + 1, sizeof *items);
    for (size_t i = 0; i < count; i++) {
        const char *word = cli->words.items[i + 2];
        items[i] = strncmp(word, PREFIX, strlen(PREFIX)) == 0 ? word + strlen(PREFIX) : word;
    }
    const struct kz_command *command = cli->command;
    struct kz_command row = *command; /* each verb needs its own role, and a refusal names it */
    row.role = verb->role;
    cli->command = &row;
    status = verb->run(cli, &(struct kz_runbook_words){.items = items, .count = count});
    cli->command = command;
    free(items);
    return status;
}

int kz_runbook_ask(struct kz_cli *cli, const char *id, uint64_t rev, Kz__Response **response)
{
    if (!kz_id_valid(id))
        return kz_cli_fail(cli, kz_error_new(KZ_USAGE, KZ_T_BAD_ID, KZ_T_ID_RULE, KZ_T_HINT_LIST_SECOND,
                                             KZ_TEXT_ARGS(*id ? id : "\"\"", "runbook")));
    cli->kind = kz_kind_by_number(KZ__KIND__RUNBOOK);
    kz_cli_set_subject(cli, id);
    Kz__GetRequest get = KZ__GET_REQUEST__INIT;
    get.kind = KZ__KIND__RUNBOOK;
    get.id = (char *)(uintptr_t)id;
    get.has_as_of_rev = rev != 0;
    get.as_of_rev = rev;
    Kz__Request request = KZ__REQUEST__INIT;
    request.get = &get;
    int status = kz_cli_call(cli, &request, response);
    if (status) return status;
    if ((*response)->n_records == 1 && (*response)->records[0]->runbook) return 0;
    kz__response__free_unpacked(*response, NULL);
    *response = NULL;
    return kz_cli_fail(cli,
                       kz_error_new(KZ_PROTOCOL, KZ_T_ODD_ANSWER, KZ_T_ODD_ANSWER_WHY, KZ_T_ODD_ANSWER_HINT, NULL, 0));
}

/* ---- from state to state ---- */

/* With the revision that was read, so that nobody's approval falls on a text that was changed meanwhile; and what the
 * approver stands for is said. */
static int prepare_move(struct kz_cli *cli, const char *id, Kz__Runbook__State to, Kz__Mutation **out)
{
    Kz__Response *response = NULL;
    int status = kz_runbook_ask(cli, id, 0, &response);
    if (status) return status;
    const Kz__Record *record = response->records[0];
    *out = kz_cli_new_mutation(KZ__MUTATION__OP__MOVE, KZ__KIND__RUNBOOK, id);
    (*out)->has_to_state = true;
    (*out)->to_state = to;
    (*out)->has_expected_rev = true;
    (*out)->expected_rev = record->rev;
    char version[NUMBER_TEXT_BYTES];
    snprintf(version, sizeof version, "%" PRId64, record->runbook->has_version ? record->runbook->version : 1);
    const char *editor = record->runbook->edited_by ? record->runbook->edited_by : record->updated_by;
    kz_cli_tell(cli, KZ_T_RUNBOOK_TEXT, KZ_TEXT_ARGS(id, version, record->runbook->title, editor));
    kz__response__free_unpacked(response, NULL);
    return 0;
}

static int move(struct kz_cli *cli, const struct kz_runbook_words *words, Kz__Runbook__State to)
{
    Kz__Mutation **mutations = kz_must_alloc(words->count, sizeof(Kz__Mutation *));
    size_t count = 0;
    int status = 0;
    for (; count < words->count && !status; count++)
        status = prepare_move(cli, words->items[count], to, &mutations[count]);
    if (status) count--;
    if (words->count > 1) kz_cli_set_subject(cli, NULL);
    Kz__Response *response = NULL;
    if (!status) status = kz_cli_write(cli, mutations, count, false, NULL, NULL, &response);
    if (response && !status) status = kz_cli_done(cli, KZ__MUTATION__OP__MOVE, response, false);
    if (response) kz__response__free_unpacked(response, NULL);
    kz_cli_free_mutations(mutations, count);
    return status;
}

static int submit(struct kz_cli *cli, const struct kz_runbook_words *words)
{
    return move(cli, words, KZ__RUNBOOK__STATE__REVIEW);
}
static int approve(struct kz_cli *cli, const struct kz_runbook_words *words)
{
    return move(cli, words, KZ__RUNBOOK__STATE__APPROVED);
}
static int reject(struct kz_cli *cli, const struct kz_runbook_words *words)
{
    return move(cli, words, KZ__RUNBOOK__STATE__DRAFT);
}

/* ---- help and completion ---- */

void kz_runbook_usage(struct kz_buf *out, const struct kz_view *view)
{
    for (size_t i = 0; i < VERB_COUNT; i++)
        kz_buf_addf(out, "\nkeizoku runbook %s\n  %s (%s)\n", verbs[i].usage,
                    view->japanese ? verbs[i].ja : verbs[i].en, verbs[i].role);
}

void kz_runbook_completion(struct kz_buf *out)
{
    kz_buf_add_text(out, " verbs=\"");
    for (size_t i = 0; i < VERB_COUNT; i++)
        kz_buf_addf(out, "%s%s", i ? " " : "", verbs[i].name);
    kz_buf_add_text(out, "\" ids=runbook;");
}
