/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of client/cli/text.h that are about runbooks: name, English, Japanese. Included by text.h only. */
#ifndef KZ_CLIENT_CLI_TEXT_TABLE_RUNBOOK_H
#define KZ_CLIENT_CLI_TEXT_TABLE_RUNBOOK_H

/* clang-format off */
#define KZ_TEXT_RUNBOOK_TABLE(X) \
    X(RUNBOOK_WAITS, "runbooks written as APPROVED are not approved by that: an approver does it with keizoku runbook approve ID (keizoku list runbook shows the states)", "承認済と書かれた手順書も、登録だけでは承認されません。承認者が keizoku runbook approve ID で承認します(状態は keizoku list runbook)") \
    X(MARKDOWN_FRONT, "a runbook begins with front matter: a line ---, then id, phase and so on in YAML, then a line ---", "手順書の先頭には前書きが必要です。--- の行、YAML の id・phase など、--- の行の順に書きます") \
    X(MARKDOWN_FIELD, "below a step's heading stand its fields, one \"- name: value\" per line, then an empty line, then its text", "手順の見出しの下には「- 項目: 値」を1行ずつ書き、空行の後に内容を書きます") \
    X(MARKDOWN_QUOTES, "a value that begins with a quote is one text in quotes, as in JSON", "引用符で始まる値は、JSON のように引用符で閉じた1つの文字列です") \
    X(MARKDOWN_TITLE, "the title stands once, before the first step; in a text write \\# for a line that begins with #", "表題は最初の手順の前に1つだけです。内容の行頭の # は \\# と書きます") \
    X(MARKDOWN_OUTSIDE, "text before the first step has no place: a step begins with \"## \"; a trigger or note stands in the front matter", "最初の手順より前の文は保存できません。手順は「## 」で始めます。開始条件や備考は前書きに書きます") \
    X(RUNBOOK_NOT_MARKDOWN, "{1} is no .md file", "{1} は .md ファイルではありません") \
    X(RUNBOOK_NOT_MARKDOWN_WHY, "runbook import reads Markdown with front matter", "runbook import は前書き付きの Markdown を読みます") \
    X(RUNBOOK_NOT_MARKDOWN_HINT, "other forms: keizoku apply -f {1}", "他の形式は keizoku apply -f {1}") \
    X(STEP_ADDED, "added", "追加") \
    X(STEP_REMOVED, "removed", "削除") \
    X(STEP_CHANGED, "changed", "変更") \
    X(COLUMN_CHANGE, "CHANGE", "変更") \
    X(COLUMN_STEP_BEFORE, "OLD STEP", "旧番号") \
    X(COLUMN_STEP_AFTER, "STEP", "番号") \
    X(RUNBOOK_EXPORTED, "{1} written to {2}", "{1} を {2} に書き出しました") \
    X(RUNBOOK_UNAPPROVED, "{1}: no version of it is approved", "{1}: 承認された版がありません") \
    X(RUNBOOK_UNAPPROVED_WHY, "what is carried out in an emergency has been checked by a second person beforehand", "非常時に実施する手順は、事前に別の人の確認を受けたものです") \
    X(RUNBOOK_UNAPPROVED_HINT, "keizoku runbook approve {1}; or start it as it is with --unapproved", "keizoku runbook approve {1}。このまま始めるなら --unapproved") \
    X(RUN_UNKNOWN, "{1}: no such run", "{1} という実施はありません") \
    X(RUN_UNKNOWN_WHY, "a run is known by the id that keizoku runbook start printed, or by its runbook's id", "実施は keizoku runbook start が表示した識別子、または手順書の id で示します") \
    X(RUN_UNKNOWN_HINT, "keizoku runbook board shows the runs; keizoku runbook start {1} begins one", "実施中のもの: keizoku runbook board、開始: keizoku runbook start {1}") \
    X(RUN_SEVERAL, "{1} is carried out more than once: {2}", "{1} の実施が複数あります: {2}") \
    X(RUN_SEVERAL_WHY, "a tick in the wrong run cannot be taken back", "誤った実施への記録は取り消せません") \
    X(RUN_SEVERAL_HINT, "name the run instead of the runbook", "手順書ではなく実施の識別子を指定してください") \
    X(RUN_ORDER, "step {1} is not next: step {2} ({3}) is open", "手順 {1} は次の手順ではありません。手順 {2}({3})が終わっていません") \
    X(RUN_ORDER_WHY, "steps are carried out in their order", "手順は順に実施します") \
    X(RUN_ORDER_HINT, "tick or skip step {2} first, or add --out-of-order", "先に手順 {2} を実施・省略するか、--out-of-order を付けてください") \
    X(RUN_BAD_STEP, "{1} is no step: {2} has {3}", "{1} という手順はありません。{2} の手順は {3} 個です") \
    X(RUN_STEPS_WANTED, "steps are counted from 1", "手順は1から数えます") \
    X(RUN_STEPS_HINT, "keizoku runbook show {2}", "keizoku runbook show {2}") \
    X(RUN_ALREADY, "note: step {1} stood as {2} already, by {3}", "注意: 手順 {1} はすでに「{2}」です({3})") \
    X(RUN_STARTED, "{1} version {2} (revision {3}) is being carried out", "{1} 第{2}版(rev {3})の実施を始めました") \
    X(RUN_NEXT, "next: {1} {2}{3}", "次の手順: {1} {2}{3}") \
    X(RUN_NEXT_ROLE, " ({1})", "({1})") \
    X(RUN_FINISHED, "all steps are done or skipped", "すべての手順が終わりました") \
    X(RUN_HEAD, "{1}  {2}  ({3} version {4}, rev {5})", "{1}  {2}  ({3} 第{4}版、rev {5})") \
    X(RUN_HEAD_INCIDENT, "incident {1}", "危機的事象 {1}") \
    X(RUN_BEGUN_BY, "begun {1} by {2}; {3} of {4} steps done, {5} skipped, {6} failed", "開始 {1}({2})。{4} 手順のうち実施 {3}、省略 {5}、失敗 {6}") \
    X(RUN_TIMES, "elapsed {1}, expected in all {2}", "経過 {1}、予定は合計 {2}") \
    X(RUN_NOTHING, "nothing is being carried out", "実施中の手順書はありません") \
    X(RUN_MARK_EVIDENCE, "evidence first", "証拠保全") \
    X(RUN_MARK_LATE, "LATE", "遅れ") \
    X(RUN_MARK_ORDER, "out of order", "順序外") \
    X(RUN_MARK_NOTES, "notes {1}", "書き込み {1}") \
    X(RUN_STATE_WAITING, "-", "-") \
    X(RUN_STATE_NEXT, "next", "次") \
    X(RUN_STATE_BEGUN, "begun", "実施中") \
    X(RUN_STATE_DONE, "done", "実施") \
    X(RUN_STATE_SKIPPED, "skipped", "省略") \
    X(RUN_STATE_FAILED, "FAILED", "失敗") \
    X(COLUMN_STEP, "STEP", "番号") \
    X(COLUMN_STEP_TITLE, "WHAT", "手順") \
    X(COLUMN_STEP_ROLE, "ROLE", "役割") \
    X(COLUMN_DOER, "WHO", "実施者") \
    X(COLUMN_PLANNED, "EXPECTED", "予定") \
    X(COLUMN_RUN, "RUN", "実施") \
    X(COLUMN_RUNBOOK, "RUNBOOK", "手順書") \
    X(COLUMN_PROGRESS, "STEPS", "進捗") \
    X(RUNBOOK_TEXT, "{1} version {2}: {3} (last edited by {4})", "{1} 第{2}版: {3}(最終編集者 {4})")
/* clang-format on */

#endif
