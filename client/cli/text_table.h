/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of client/cli/text.h: name, English, Japanese. Included by text.h only. */
#ifndef KZ_CLIENT_CLI_TEXT_TABLE_H
#define KZ_CLIENT_CLI_TEXT_TABLE_H

#include "client/cli/text_backup.h"
#include "client/cli/text_derived.h"
#include "client/cli/text_blob.h"
#include "client/cli/text_doctor.h"

/* clang-format off */
#define KZ_TEXT_TABLE(X) \
    X(EMPTY, "", "") \
    /* why a node could not be reached */ \
    X(REASON_OTHER, "failed", "失敗しました") \
    X(REASON_NAME_UNKNOWN, "no such host name", "ホスト名が見つかりません") \
    X(REASON_NAME_FAILED, "the name could not be looked up", "名前を解決できません") \
    X(REASON_REFUSED, "connection refused (is keizokud running there?)", "接続を拒否されました(keizokudは動いていますか)") \
    X(REASON_NO_ROUTE, "no route to the host", "経路がありません") \
    X(REASON_TIMEOUT, "no answer in time", "時間内に応答がありません") \
    X(REASON_RESET, "the connection was reset", "接続が切断されました") \
    X(REASON_CLOSED, "the node closed the connection", "ノードが接続を閉じました") \
    X(REASON_ALPN, "the port does not speak keizoku/1", "このポートはkeizoku/1に対応していません") \
    X(REASON_PROTOCOL, "no common TLS version or cipher suite", "共通のTLS版・暗号方式がありません") \
    X(REASON_CERT_EXPIRED, "the node's certificate has expired", "ノード証明書の有効期限が切れています") \
    X(REASON_CERT_FUTURE, "the node's certificate is not yet valid (check the clock)", "ノード証明書がまだ有効ではありません(時計を確認)") \
    X(REASON_CERT_REVOKED, "the node's certificate is revoked", "ノード証明書は失効しています") \
    X(REASON_CERT_UNTRUSTED, "the node's certificate is not signed by our CA", "ノード証明書が当方のCAで署名されていません") \
    X(REASON_CERT_NO_CRL, "the CRL file holds no list of the certificate's issuer", "CRLファイルに発行者の失効リストがありません") \
    X(REASON_CERT_NAME, "the certificate does not name a node", "証明書にノードの名前がありません") \
    X(REASON_CERT_CLUSTER, "the certificate belongs to another cluster", "証明書は別のクラスターのものです") \
    X(REASON_CERT_ROLE, "the certificate is not a node's (OU node)", "ノード用の証明書ではありません(OU node)") \
    X(REASON_CERT_ISSUER, "the certificate was not issued by the intermediate for nodes", "ノード用の中間CAが発行した証明書ではありません") \
    X(REASON_CERT_OTHER_NODE, "another node answers there", "別のノードが応答しています") \
    X(REASON_CERT_USAGE, "the certificate is not meant for servers", "サーバー用の証明書ではありません") \
    X(REASON_CERT_WEAK, "the certificate uses a key or hash that is too weak", "証明書の鍵またはハッシュが弱すぎます") \
    X(REASON_OURS_REVOKED, "our certificate is revoked", "こちらの証明書は失効しています") \
    X(REASON_OURS_EXPIRED, "our certificate has expired", "こちらの証明書は有効期限切れです") \
    X(REASON_OURS_FUTURE, "our certificate is not yet valid (check the clock)", "こちらの証明書はまだ有効ではありません(時計を確認)") \
    X(REASON_OURS_UNKNOWN_CA, "the node does not know our certificate's issuer", "こちらの証明書の発行者をノードが知りません") \
    X(REASON_OURS_REFUSED, "the node refused our certificate", "こちらの証明書をノードが拒否しました") \
    /* the three lines of an error */ \
    X(ERROR_LINE, "keizoku: {1}", "keizoku: {1}") \
    X(WHY_LINE, "  why: {1}", "  理由: {1}") \
    X(HINT_LINE, "  do:  {1}", "  対処: {1}") \
    X(USE_HELP_ALL, "keizoku help", "keizoku help") \
    /* usage */ \
    X(UNKNOWN_COMMAND, "unknown command {1}", "{1} というコマンドはありません") \
    X(KIND_NOT_COMMAND, "{1} is a kind of record: the verb comes first", "{1} は記録の種別です。先に動詞を書きます") \
    X(OPTION_IS_FLAG, "it is on or off", "指定するかしないかだけです") \
    X(CONFIG_FORM, "each line is key = value, or a comment after #", "各行は「キー = 値」か # で始まる注釈です") \
    X(OPTION_OTHERS, "that command does not use it", "そのコマンドでは使いません") \
    X(UNKNOWN_OPTION, "unknown option {1}", "{1} というオプションはありません") \
    X(SECOND, "{2}", "{2}") \
    X(DID_YOU_MEAN_SECOND, "did you mean {2}? keizoku help shows all", "{2} の間違いではありませんか。一覧: keizoku help") \
    X(OPTION_WANTS_SECOND, "it takes {2}", "指定できる値: {2}") \
    X(COMMANDS_ARE_THIRD, "the commands are: {3}", "コマンド: {3}") \
    X(NO_SUCH_OPTION, "no command has it", "どのコマンドにもありません") \
    X(NO_SUCH_KEY, "the keys are the names of the global options", "キーは共通オプションの名前です") \
    X(OPTION_VALUE_MISSING, "{1} needs a value", "{1} に値がありません") \
    X(OPTION_VALUE_BAD, "{1} {2}: not allowed", "{1} {2} は指定できません") \
    X(OPTION_NO_VALUE, "{1} takes no value", "{1} に値は指定できません") \
    X(OPTION_WANTS_THIRD, "it takes {3}", "指定できる値: {3}") \
    X(DURATION_WANTED, "it takes a number above zero with a unit: 250ms, 5s, 10m, 1h, 1d", "0より大きい数と単位で指定します: 250ms、5s、10m、1h、1d") \
    X(AGE_WANTED, "it takes a number with a unit: 250ms, 5s, 10m, 1h, 1d", "数と単位で指定します: 250ms、5s、10m、1h、1d") \
    X(OPTION_NOT_HERE, "{1} does not apply to {2}", "{1} は {2} では使えません") \
    X(ARGUMENT_MISSING, "{1} is missing", "{1} を指定してください") \
    X(ARGUMENT_EXTRA, "{1}: one argument too many", "{1} は余分な引数です") \
    X(USAGE_IS_SECOND, "usage: {2}", "使い方: {2}") \
    X(USE_HELP_SECOND, "keizoku help {2}", "keizoku help {2}") \
    X(USE_HELP_THIRD, "keizoku help {3}", "keizoku help {3}") \
    X(NAME_KIND, "name a kind of record (keizoku schema lists them); keizoku help {3}", "記録の種別を指定してください(一覧: keizoku schema)。keizoku help {3}") \
    X(NAME_ID, "name a record (keizoku list {4} shows the ids); keizoku help {3}", "記録の id を指定してください(一覧: keizoku list {4})。keizoku help {3}") \
    X(USE_FILE, "keizoku apply -f {1}", "keizoku apply -f {1}") \
    X(USE_GET, "for one record: keizoku get {4}/{1}", "1件の表示: keizoku get {4}/{1}") \
    X(KINDS_ARE_SECOND, "kinds: {2}", "種別: {2}") \
    X(DID_YOU_MEAN_THIRD, "did you mean {3}?", "{3} の間違いではありませんか") \
    X(USE_SCHEMA, "keizoku schema tells what each is for", "各種別の説明: keizoku schema") \
    X(HINT_LIST_SECOND, "keizoku list {2}", "keizoku list {2}") \
    X(HINT_HISTORY_SECOND, "keizoku history {2}", "keizoku history {2}") \
    X(UNKNOWN_KIND, "{1}: there is no such kind", "{1} という種別はありません") \
    X(BAD_ID, "{1} is not an id", "{1} は id ではありません") \
    X(ID_RULE, "an id is 1 to 64 of a-z 0-9 . _ - and starts with a letter or digit", "id は a-z 0-9 . _ - を1〜64字、先頭は英数字です") \
    X(NUMBER_WANTED, "a whole number, e.g. 42", "整数(例 42)") \
    X(BAD_NUMBER, "{1} is not a revision", "{1} はリビジョンではありません") \
    X(BAD_REQUEST_ID, "{1} is not a request id", "{1} は要求IDではありません") \
    X(REQUEST_ID_RULE, "a request id is 32 hexadecimal digits, as an unknown outcome shows it", "要求IDは16進32桁です(結果不明のときに表示されます)") \
    X(BAD_SHELL, "no completion for {1}", "{1} の補完はありません") \
    X(SHELLS_ARE, "bash and zsh are known", "bash と zsh に対応しています") \
    /* configuration file */ \
    X(CONFIG_SYNTAX, "{1}: this is not \"key = value\"", "{1}: 「キー = 値」の形ではありません") \
    X(CONFIG_KEY, "{1}: unknown key {2}", "{1}: {2} というキーはありません") \
    X(CONFIG_UNREADABLE, "{1} cannot be read", "{1} を読めません") \
    X(CONFIG_NEAR, "did you mean {3}?", "{3} の間違いではありませんか") \
    X(CONFIG_FIX, "correct that line", "その行を直してください") \
    /* connecting */ \
    X(NO_NODE_GIVEN, "no node is named", "接続先のノードが指定されていません") \
    X(NO_NODE_GIVEN_WHY, "the address of at least one node is needed to connect", "接続には1つ以上のノードのアドレスが必要です") \
    X(NO_CERT_GIVEN, "no certificate is named", "証明書が指定されていません") \
    X(NO_KEY_GIVEN, "no key is named", "秘密鍵が指定されていません") \
    X(NO_CA_GIVEN, "no CA file is named", "CA証明書が指定されていません") \
    X(NO_CERT_GIVEN_WHY, "nodes answer only those who show a certificate and hold its key", "ノードは証明書とその秘密鍵を持つ人にだけ応答します") \
    X(NO_CA_GIVEN_WHY, "without it no node can be told from a stranger", "これがないとノードが本物か確かめられません") \
    X(GIVE_OPTION, "give --{1}, or {2} in the environment, or a line in {3}", "--{1}、環境変数 {2}、または {3} で指定してください") \
    X(NODES_WRONG, "the list of nodes is wrong", "ノードの一覧に誤りがあります") \
    X(NODES_ARE, "--node [NAME=]HOST:PORT[,...], e.g. --node main=10.0.1.1:7400,10.0.2.1:7400", "--node [名前=]ホスト:ポート[,...](例 --node main=10.0.1.1:7400,10.0.2.1:7400)") \
    X(NODE_FORM, "{1} is not [NAME=]HOST:PORT", "{1} は [名前=]ホスト:ポート の形ではありません") \
    X(NODES_EMPTY, "it names no node", "ノードが1つもありません") \
    X(NODES_MANY, "it names more than {2} nodes", "ノードが {2} 個を超えています") \
    X(CERT_UNUSABLE, "the certificate {1} cannot be used", "証明書 {1} を使えません") \
    X(KEY_UNUSABLE, "the key {1} cannot be used", "秘密鍵 {1} を使えません") \
    X(CA_UNUSABLE, "the CA file {1} cannot be used", "CA証明書 {1} を使えません") \
    X(CRL_UNUSABLE, "the revocation list {1} cannot be used", "失効リスト {1} を使えません") \
    X(NOT_A_PLAIN_FILE, "it is not a plain file of at most {2}", "{2} 以下の通常のファイルではありません") \
    X(NOT_PEM, "it holds nothing of the kind in PEM form ({2})", "その内容のPEMファイルではありません({2})") \
    X(KEY_OF_OTHER, "it does not belong to the certificate {2}", "証明書 {2} の秘密鍵ではありません") \
    X(NOT_A_USER, "it is not a person's: it has no URI name spiffe://.../user/NAME", "利用者の証明書ではありません(URI名 spiffe://.../user/名前 がありません)") \
    X(CA_LACKS_NODES, "it holds no intermediate with OU nodes: it is not the whole ca.pem", "OUがnodesの中間CAがありません(ca.pemの全体ではありません)") \
    X(CERT_FIX, "check --cert; a new one: keizoku-ca issue user NAME --role ROLE --out FOLDER", "--cert を確認してください。発行: keizoku-ca issue user 名前 --role 役割 --out フォルダー") \
    X(KEY_FIX, "check --key: it is the .key that was issued with the certificate", "--key を確認してください。証明書と一緒に発行された .key です") \
    X(CA_FIX, "check --ca: it is the ca.pem that came with the certificate", "--ca を確認してください。証明書と一緒に渡された ca.pem です") \
    X(CRL_FIX, "check --crl: it is the crl.pem that came with the certificate, or a newer one", "--crl を確認してください。証明書と一緒に渡された crl.pem かその新しい版です") \
    X(CLIENT_FAILED, "the client cannot start", "クライアントを開始できません") \
    X(NO_SUCH_FILE, "there is no such file or folder", "そのファイルやフォルダーはありません") \
    X(NO_PERMISSION, "the permissions do not allow it", "権限がありません") \
    X(IS_A_FOLDER, "it is a folder", "フォルダーです") \
    X(UNREACHABLE, "no node reachable", "どのノードにも接続できません") \
    X(ATTEMPT, "{1}: {2}: {3}{4}", "{1}: {2}: {3}{4}") \
    X(UNREACHABLE_HINT, "any surviving node answers: name it with --node HOST:PORT", "生きているノードがあれば --node HOST:PORT で指定してください") \
    X(AUTH_HINT, "ask for a new certificate: keizoku-ca issue", "証明書を発行し直してください: keizoku-ca issue") \
    X(OUTCOME_UNKNOWN, "outcome unknown of request {1}", "要求 {1} の結果が確認できません") \
    X(OUTCOME_UNKNOWN_WHY, "the connection was lost before an answer came, and no node knew more: {2}", "応答の前に接続が失われ、どのノードからも結果を得られませんでした: {2}") \
    X(OUTCOME_UNKNOWN_HINT, "keizoku outcome {1}", "keizoku outcome {1}") \
    X(TIMED_OUT, "no answer within {1}", "{1} 以内に応答がありません") \
    X(TIMED_OUT_HINT, "try again, with a longer --timeout, or --read local", "--timeout を延ばすか --read local で再実行してください") \
    X(CALL_FAILED, "{1}", "{1}") \
    X(CALL_HINT, "try another node with --node; -v shows each step", "--node で別のノードを試してください。-v で経過を表示します") \
    X(STDOUT_FAILED, "the output could not be written", "出力を書き込めません") \
    X(STDOUT_HINT, "check the disk or the program that reads it", "ディスクの空きと出力先を確認してください") \
    X(ODD_ANSWER, "the node's answer lacks what was asked for", "ノードの応答に必要な内容がありません") \
    X(ODD_ANSWER_WHY, "client and node may be of different versions", "クライアントとノードの版が違う可能性があります") \
    X(ODD_ANSWER_HINT, "keizoku version; keizoku status -o wide", "keizoku version; keizoku status -o wide") \
    /* default second and third line when a node gave none */ \
    X(WHY_NOT_FOUND, "there is no such record, or it never existed here", "その記録は登録されていません") \
    X(HINT_NOT_FOUND, "keizoku list {1}", "keizoku list {1}") \
    X(WHY_CONFLICT, "it is at rev {1} now, changed by {2} at {3}", "現在は rev {1} です({2} が {3} に変更)") \
    X(WHY_CONFLICT_VERIFIED, "it is at rev {1} now, verified by {2} at {3}", "現在は rev {1} です({2} が {3} に確認)") \
    X(WHY_CONFLICT_EXISTS, "the revision you named is not the current one", "指定した rev は最新ではありません") \
    X(HINT_CONFLICT, "look at it (keizoku get {1}), then try again with its rev", "keizoku get {1} で確認し、その rev でやり直してください") \
    X(WHY_REFERENCED, "referred to by {1}", "参照元: {1}") \
    X(HINT_REFERENCED, "change those first, or retire --force", "先に参照元を直すか、retire --force を使ってください") \
    X(WHY_DENIED, "it needs the role {1}, and your certificate has another", "{1} の役割が必要ですが、証明書の役割が違います") \
    X(HINT_DENIED, "ask someone with the operator role", "operator の役割を持つ人に依頼してください") \
    X(WHY_NO_QUORUM, "fewer than half of the nodes can be reached from {1}", "{1} から過半数のノードに届きません") \
    X(NO_QUORUM_READ, "no quorum: the latest state cannot be known", "過半数がないため最新の内容を確認できません") \
    X(HINT_NO_QUORUM, "nothing was written; reading still works; keizoku status shows which nodes are missing", "何も書き込まれていません。参照はできます。keizoku status で停止ノードを確認してください") \
    X(WHY_TOO_BIG, "one transaction holds at most {1} records and {2} bytes", "1回に {1} 件、{2} バイトまでです") \
    X(WHY_TOO_BIG_SECOND, "one transaction holds at most {2} records and {3} bytes", "1回に {2} 件、{3} バイトまでです") \
    X(HINT_APPLY_SECOND, "keizoku apply -f {2} sends it as it is", "このまま送るには keizoku apply -f {2}") \
    X(HINT_TOO_BIG, "--split sends several transactions", "--split で分割して送れます") \
    X(WHY_INVALID, "{1} to correct", "{1} 件の誤りがあります") \
    X(HINT_INVALID, "correct them and apply again; nothing was changed (keizoku schema shows the rules)", "直してから再実行してください。何も変更されていません(規則は keizoku schema)") \
    X(WHY_BUSY, "the node is at one of its limits", "ノードが上限に達しています") \
    X(HINT_BUSY, "try again in a moment", "少し待って再実行してください") \
    X(WHY_OTHER, "the node gave no further reason", "詳しい理由は返されませんでした") \
    X(HINT_OTHER, "keizoku status; the node's log has more", "keizoku status と、ノードのログを確認してください") \
    X(WHAT_RECORD, "{1}: {2}", "{1}: {2}") \
    X(CONFLICT_CHANGED, "  what changed meanwhile:", "  その間の変更:") \
    X(CONFLICT_THEIRS, "  stored now -> yours:", "  現在の内容 → こちらの内容:") \
    X(CONFLICT_NOTHING, "    nothing: only the revision is another", "    なし(rev だけが違います)") \
    X(DID_YOU_MEAN_ID, "did you mean {1}? keizoku list {2}", "{1} の間違いではありませんか。一覧: keizoku list {2}") \
    /* freshness */ \
    X(BANNER_NO_QUORUM, "[warning] no quorum: stored data of node={1}", "[警告] 過半数なし。node={1} の保存データです") \
    X(BANNER_FENCED, "[warning] node={1} was left behind: the cluster went on as epoch {2} without it; this is its old data", "[警告] node={1} は取り残されています。クラスターはエポック {2} として再建されました。これは古いデータです") \
    X(BANNER_REMOVED, "[warning] node={1} was removed from the cluster: this is its old data; ask another node", "[警告] node={1} はクラスターから除外されています。これは古いデータです。別のノードに問い合わせてください") \
    X(BANNER_LOCAL, "[warning] not confirmed as the latest: stored data of node={1}", "[警告] 最新かどうか確認できません。node={1} の保存データです") \
    X(BANNER_AGES, "          last leader contact {1} / data time {2} / rev {3}", "       最終リーダ交信 {1} / データ時点 {2} / rev {3}") \
    X(BANNER_PROVISIONAL, " / {1} unconfirmed", " / 未確定の記録 {1}件") \
    X(AGO, "{1} ago", "{1}前") \
    X(NEVER, "never", "なし") \
    X(UNKNOWN, "unknown", "不明") \
    X(DATA_TOO_OLD, "data older than --max-age {1}", "データが --max-age {1} より古いです") \
    X(DATA_AGE, "the copy of node {3} is complete to {2}", "ノード {3} のデータ時点は {2} です") \
    X(DATA_AGE_HINT, "the data above is the best this node has; try another with --node", "上の表示はこのノードの最新です。--node で別のノードも試せます") \
    X(DAYS_HOURS, "{1}d{2}h", "{1}日{2}時間") \
    X(HOURS_MINUTES, "{1}h{2}m", "{1}時間{2}分") \
    X(MINUTES, "{1}m", "{1}分") \
    X(SECONDS, "{1}s", "{1}秒") \
    /* apply, edit, retire, verify */ \
    X(FILE_UNREADABLE, "{1} cannot be read", "{1} を読めません") \
    X(FILE_HINT, "check the path and its permissions", "パスと権限を確認してください") \
    X(DIR_HINT, "name a folder or file that holds records", "記録のあるフォルダーかファイルを指定してください") \
    X(DIR_EMPTY, "no *.yaml, *.yml or *.json in {1}", "{1} に *.yaml *.yml *.json がありません") \
    X(FILES_EMPTY, "no record in {1}", "{1} に記録がありません") \
    X(FILES_EMPTY_WHY, "there is nothing to apply", "適用するものがありません") \
    X(FILES_EMPTY_HINT, "keizoku get KIND/ID -o yaml shows how a record is written", "記録の書き方は keizoku get KIND/ID -o yaml で見られます") \
    X(DOCUMENT_WRONG, "{1} cannot be applied", "{1} を適用できません") \
    X(TOO_MANY, "{1} records are too many for one transaction", "{1} 件は1回に送れる数を超えています") \
    X(FRAME_TOO_BIG, "the transaction is too big ({1} bytes)", "1回に送る量を超えています({1} バイト)") \
    X(APPLIED, "{1} changed, {2} unchanged (rev {3})", "変更 {1} 件、変更なし {2} 件(rev {3})") \
    X(WOULD_APPLY, "dry run: {1} would change, {2} unchanged; nothing was written", "試行: 変更 {1} 件、変更なし {2} 件。書き込みはしていません") \
    X(PART_APPLIED, "{1} of {2} transactions were applied before this", "この前に {2} 回中 {1} 回が適用済みです") \
    X(MORE_ROWS, "… and {1} more", "…ほか {1} 件") \
    X(RESULT_CHANGED, "changed", "変更") \
    X(RESULT_UNCHANGED, "unchanged", "変更なし") \
    X(RESULT_VERIFIED, "verified", "確認済み") \
    X(RESULT_RETIRED, "retired", "廃止") \
    X(RESULT_APPENDED, "appended", "追加") \
    X(EDIT_HEADER, "# {1} at rev {2}. Save and leave to send; unchanged sends nothing.", "# {1} rev {2}。保存して終了すると送信します。変更がなければ送りません。") \
    X(EDIT_UNCHANGED, "nothing changed, nothing sent", "変更がないため送信していません") \
    X(EDIT_NO_INPUT, "edit and --no-input do not go together", "edit と --no-input は同時に使えません") \
    X(EDIT_NO_INPUT_WHY, "edit opens an editor and waits for a person", "edit はエディターを開いて人の入力を待ちます") \
    X(EDIT_NO_INPUT_HINT, "keizoku get {1} -o yaml > FILE; keizoku apply -f FILE", "keizoku get {1} -o yaml > FILE; keizoku apply -f FILE") \
    X(EDITOR_FAILED, "the editor {1} failed", "エディター {1} が失敗しました") \
    X(EDITOR_FAILED_WHY, "it ended with status {2}", "終了コード {2} で終わりました") \
    X(EDITOR_FAILED_HINT, "set EDITOR; nothing was sent", "EDITOR を設定してください。送信していません") \
    X(EDIT_KEPT, "your text is kept in {1}; send it with keizoku apply -f {1}", "編集内容は {1} に残しました。keizoku apply -f {1} で送れます") \
    X(EDIT_OTHER_RECORD, "the text no longer holds exactly {1}", "{1} だけの内容ではなくなっています") \
    X(EDIT_OTHER_WHY, "edit changes one record, and kind and id cannot change", "edit は1件だけを変更します。種別と id は変えられません") \
    X(NO_TEMPORARY, "no temporary file can be made in {1}", "{1} に一時ファイルを作れません") \
    X(NO_TEMPORARY_HINT, "set TMPDIR to a folder you can write to", "TMPDIR に書き込めるフォルダーを指定してください") \
    /* diff, history, outcome, watch */ \
    X(NO_HISTORY, "{1} has no change at or before rev {2}", "{1} には rev {2} 以前の変更がありません") \
    X(NO_HISTORY_WHY, "it did not exist yet, or its history begins later", "まだ存在していないか、履歴がそれより後に始まっています") \
    X(NO_HISTORY_HINT, "keizoku history {1}", "keizoku history {1}") \
    X(NO_DIFFERENCE, "no difference", "違いはありません") \
    X(DIFF_HEADER, "{1}: rev {2} -> rev {3}", "{1}: rev {2} → rev {3}") \
    X(ABSENT, "(none)", "(なし)") \
    X(OUTCOME_APPLIED, "request {1} was applied (rev {2})", "要求 {1} は適用されています(rev {2})") \
    X(OUTCOME_REFUSED, "request {1} was refused: {2}", "要求 {1} は拒否されました: {2}") \
    X(OUTCOME_NOT_KNOWN, "request {1} has not been applied", "要求 {1} は適用されていません") \
    X(OUTCOME_NOT_KNOWN_WHY, "no node remembers it: it never arrived, or it is older than three minutes and the last 10,000 requests", "ノードに記録がありません。届いていないか、3分より古く、かつ直近1万件に入らない要求です") \
    X(OUTCOME_NOT_KNOWN_HINT, "look at the record, and send the change again if it is not there", "記録を確認し、反映されていなければ送り直してください") \
    X(OUTCOME_NO_MAJORITY, "the outcome of request {1} cannot be known here: no majority", "要求 {1} の結果はここでは分かりません(過半数なし)") \
    X(OUTCOME_OWN_COPY, "the outcome of request {1} cannot be known from a node's own copy", "要求 {1} の結果はノードの保存データだけでは分かりません") \
    X(OUTCOME_COPY_WHY, "node {1} does not remember it, but its copy may lack what came after {2} (rev {3}, last leader contact {4})", "ノード {1} に記録はありませんが、保存データに {2} より後の内容がない可能性があります(rev {3}、最終リーダ交信 {4})") \
    X(OUTCOME_ASK_AGAIN, "ask again when a majority answers (keizoku status): keizoku outcome {1}", "過半数が復旧してから再度確認してください(状況は keizoku status): keizoku outcome {1}") \
    X(OUTCOME_ASK_LATEST, "ask for the latest state: keizoku outcome {1} --read linearizable", "最新の内容で確認してください: keizoku outcome {1} --read linearizable") \
    X(WATCH_RESYNC, "[warning] changes up to rev {1} were too many to keep up with: read the list again", "[警告] rev {1} までの変更に追いつけませんでした。一覧を読み直してください") \
    X(OP_PUT, "put", "変更") \
    X(OP_RETIRE, "retire", "廃止") \
    X(OP_VERIFY, "verify", "確認") \
    X(OP_APPEND, "append", "追加") \
    X(OP_REVERT, "revert", "差戻し") \
    X(OP_REWIND, "undo", "一括差戻し") \
    X(OP_MOVE, "changed state", "状態変更") \
    /* the past: --as-of, revert, undo */ \
    X(BANNER_PAST, "[past] as it stood just after rev {1} ({2}), not as it is now", "[過去] rev {1} の直後({2})の状態です。現在の内容ではありません") \
    X(BANNER_PAST_NOTHING, "[past] as it stood before the first revision: nothing was there", "[過去] 最初のリビジョンより前の状態です。記録はありません") \
    X(BAD_PAST, "{1} {2}: neither a revision nor a time", "{1} {2} はリビジョンでも日時でもありません") \
    X(PAST_WANTED, "a revision is a whole number, a time is written 2026-01-17T05:46+09:00", "リビジョンは整数、日時は 2026-01-17T05:46+09:00 の形です") \
    X(PAST_HINT, "keizoku history KIND ID shows revisions and times", "リビジョンと日時は keizoku history 種別 ID で見られます") \
    X(REV_FUTURE, "there is no revision {1} yet", "リビジョン {1} はまだありません") \
    X(REV_FUTURE_WHY, "the present one is {2}", "現在のリビジョンは {2} です") \
    X(REV_FUTURE_HINT, "keizoku history KIND ID shows revisions and times", "リビジョンと日時は keizoku history 種別 ID で見られます") \
    X(WOULD_REVERT, "dry run: it could be done; nothing was written", "試行: 戻せます。書き込みはしていません") \
    X(REVERT_GONE, "{1} is retired, and was not there then either: nothing to do", "{1} は廃止済みで、その時点にもありません。何もしていません") \
    X(UNDO_HEADER, "cluster {3}: from rev {1} back to rev {2}", "クラスター {3}: rev {1} から rev {2} の状態に戻します") \
    X(UNDO_NOTHING, "nothing has changed since rev {1}", "rev {1} から変わっている記録はありません") \
    X(UNDO_BRING_BACK, "{1}: brought back", "{1}: 復活") \
    X(UNDO_CHANGE_BACK, "{1}: changed back", "{1}: 内容を戻す") \
    X(UNDO_RETIRE, "{1}: retired, it was not there then", "{1}: 廃止(その時点にはない)") \
    X(UNDO_WOULD, "dry run: it could be done; nothing was written", "試行: 戻せます。書き込みはしていません") \
    X(UNDO_NOT_TRIED, "dry run: nothing was written; with so many revisions the node checks references only when it is done", "試行: 書き込みはしていません。リビジョンが多いため、参照の検査は実行時に行います") \
    X(UNDONE, "back to rev {3}: {1} put back, {2} retired (rev {4})", "rev {3} の状態に戻しました: 差戻し {1} 件、廃止 {2} 件(rev {4})") \
    X(UNDO_AGAIN, "to take this back: keizoku undo --to {1}", "これを取り消すには: keizoku undo --to {1}") \
    X(UNDO_EVENT, "{1} is a kind of event, which is never undone", "{1} は出来事の記録なので戻せません") \
    X(UNDO_EVENT_WHY, "events are only added; what went wrong is put right by another event", "出来事は追加だけができ、訂正は別の記録で行います") \
    X(UNDO_KIND_WHY, "--kind takes one kind", "--kind には種別を1つ指定します") \
    X(CONFIRM_MISSING, "this must be confirmed with {1}", "実行には確認の入力 {1} が必要です") \
    X(CONFIRM_MISSING_WHY, "there is nobody to ask here; nothing was done", "入力できる端末がありません。何もしていません") \
    X(CONFIRM_OTHER, "{2} is not {1}", "{2} は {1} と一致しません") \
    X(CONFIRM_OTHER_WHY, "it was not confirmed; nothing was done", "確認できなかったため、何もしていません") \
    X(CONFIRM_HINT, "look at what would happen, then type it or give --confirm {1}", "内容を確かめてから入力するか、--confirm {1} を付けてください") \
    X(CONFIRM_PROMPT, "type {1} to go on: ", "続けるには {1} と入力してください: ") \
    X(RETIRE_MANY, "{1} records would be retired:", "次の {1} 件を廃止します:") \
    X(RETIRE_UNDO, "to bring them back later: keizoku undo --to {1}", "後で戻すには: keizoku undo --to {1}") \
    X(COLUMN_BROUGHT_BACK, "BROUGHT BACK", "復活") \
    X(COLUMN_CHANGED_BACK, "CHANGED BACK", "内容を戻す") \
    X(COLUMN_RETIRED, "RETIRED", "廃止") \
    /* column headers */ \
    X(COLUMN_KIND, "KIND", "種別") \
    X(COLUMN_ID, "ID", "ID") \
    X(COLUMN_REV, "REV", "REV") \
    X(COLUMN_RESULT, "RESULT", "結果") \
    X(COLUMN_TIME, "TIME", "日時") \
    X(COLUMN_ACTOR, "WHO", "変更者") \
    X(COLUMN_OP, "OP", "操作") \
    X(COLUMN_NODE, "NODE", "ノード") \
    X(COLUMN_REASON, "REASON", "理由") \
    X(COLUMN_FIELD, "FIELD", "項目") \
    X(COLUMN_BEFORE, "BEFORE", "変更前") \
    X(COLUMN_AFTER, "AFTER", "変更後") \
    X(COLUMN_TYPE, "TYPE", "型") \
    X(COLUMN_LABEL, "LABEL", "名称") \
    X(COLUMN_RULE, "RULE", "制約") \
    X(COLUMN_SOURCE, "SOURCE", "根拠") \
    X(COLUMN_HELP, "MEANING", "説明") \
    X(COLUMN_KEY, "KEY", "識別子") \
    X(COLUMN_DEFAULT, "DEFAULT", "既定値") \
    X(COLUMN_ADDRESS, "ADDRESS", "アドレス") \
    X(COLUMN_STATE, "STATE", "状態") \
    X(COLUMN_CONTACT, "LAST HEARD", "最終交信") \
    X(COLUMN_APPLIED, "APPLIED", "適用済") \
    X(COLUMN_HASH, "HASH", "ハッシュ") \
    X(COLUMN_RECORDS_HASH, "RECORDS HASH", "記録ハッシュ") \
    X(COLUMN_VERSION, "VERSION", "版") \
    /* status */ \
    X(STATUS_CLUSTER, "cluster", "クラスター") \
    X(STATUS_QUORUM, "quorum", "過半数") \
    X(STATUS_QUORUM_YES, "yes ({1} of {2} voters alive)", "あり(投票ノード {2} 台中 {1} 台稼働)") \
    X(STATUS_QUORUM_NO, "NO ({1} of {2} voters alive): reading works, writing does not", "なし(投票ノード {2} 台中 {1} 台稼働): 参照のみ可能、書き込み不可") \
    X(STATUS_LEADER, "leader", "リーダー") \
    X(STATUS_NO_LEADER, "none", "なし") \
    X(STATUS_TERM, "{1} (term {2})", "{1}(任期 {2})") \
    X(STATUS_FRESH, "data", "データ") \
    X(STATUS_FRESH_NOW, "current (rev {1}, data time {2})", "最新(rev {1}、データ時点 {2})") \
    X(STATUS_FRESH_OLD, "as of {2} (rev {1}), last leader contact {3}", "{2} 時点(rev {1})、最終リーダ交信 {3}") \
    X(STATUS_HASH, "state hash", "状態ハッシュ") \
    X(STATUS_RECORDS_HASH, "records hash", "記録ハッシュ") \
    X(STATUS_ANSWERED, "answered by", "応答ノード") \
    X(STATUS_DIVERGED, "[alarm] nodes {1} hold different data at the same index {2}", "[警報] 同じ索引 {2} でノード {1} のデータが食い違っています") \
    X(STATUS_MEMBER_LEADER, "leader", "リーダー") \
    X(STATUS_MEMBER_ALIVE, "alive", "稼働") \
    X(STATUS_MEMBER_DEAD, "NO ANSWER", "応答なし") \
    X(STATUS_MEMBER_SELF, "answering", "応答中") \
    X(STATUS_RECORDS, "records", "記録") \
    X(STATUS_COUNT, "{1} {2}", "{1} {2}") \
    X(STATUS_COUNT_RETIRED, "{1} {2} (+{3} retired)", "{1} {2}(廃止 {3})") \
    X(STATUS_ATTENTION, "attention", "要対応") \
    X(STATUS_START_NODE, "node {1} does not answer: check its site, then start keizokud there", "ノード {1} が応答しません。拠点を確認し keizokud を起動してください") \
    X(STATUS_NOTHING, "nothing", "なし") \
    /* recovery */ \
    X(COLUMN_EPOCH, "EPOCH", "エポック") \
    X(COLUMN_LAST_TERM, "LAST TERM", "最終任期") \
    X(COLUMN_LAST_INDEX, "LAST INDEX", "最終索引") \
    X(COLUMN_COMMITTED, "COMMITTED", "確定済") \
    X(COLUMN_LEADER_HEARD, "LEADER HEARD", "リーダー交信") \
    X(COLUMN_INDEX, "INDEX", "索引") \
    X(RECOVER_MARK_NEWEST, "newest", "最新") \
    X(RECOVER_MARK_MAJORITY, "HAS A MAJORITY", "過半数あり") \
    X(RECOVER_MARK_FENCED, "FENCED", "隔離済") \
    X(RECOVER_SILENT, "no answer: {2}", "応答なし: {2}") \
    X(RECOVER_NEWEST, "newest: {1} ({2})", "最新: {1}({2})") \
    X(RECOVER_WHY_ONLY, "the only one that answered: start and name every node that may have survived", "応答したのはこのノードだけです。残っている可能性のあるノードをすべて起動し --node で指定してください") \
    X(RECOVER_WHY_EPOCH, "its epoch is the latest", "エポックが最も新しいため") \
    X(RECOVER_WHY_TERM, "its last entry is of the latest term", "最後の記録の任期が最も新しいため") \
    X(RECOVER_WHY_INDEX, "of the same last term, its log is the longest", "最後の記録の任期が同じで、記録が最も長いため") \
    X(RECOVER_WHY_COMMITTED, "equal logs, and it knows of the most that was committed", "記録は同じで、確定を知る範囲が最も広いため") \
    X(RECOVER_WHY_EQUAL, "all hold the same; the lowest node id was taken", "どれも同じ内容です。番号の最も小さいノードを選びました") \
    X(RECOVER_TAIL, "uncertain: {2} commands above index {3} of {1}. They may or may not have been acknowledged; recovery keeps them:", "不確定: {1} の索引 {3} より後の {2} 件。受付済みと回答したかどうか分かりません。再建ではすべて残します:") \
    X(RECOVER_NO_TAIL, "uncertain: nothing; all that {1} holds up to index {3} is known to be committed", "不確定: なし。{1} の保存データは索引 {3} まですべて確定済みです") \
    X(RECOVER_PLAN, "plan {1}: the cluster goes on from {2} alone, as epoch {3}", "計画 {1}: クラスターを {2} だけから、エポック {3} として再建します") \
    X(RECOVER_APPROVED, "  approved by {1}", "  承認済み: {1}") \
    X(RECOVER_NEXT_APPROVE, "  one approver:  keizoku cluster recover approve {1} --node {2}", "  承認者1: keizoku cluster recover approve {1} --node {2}") \
    X(RECOVER_NEXT_APPLY, "  another one:   keizoku cluster recover apply {1} --node {2}", "  承認者2: keizoku cluster recover apply {1} --node {2}") \
    X(RECOVER_NEXT_ALONE, "  or alone:      keizoku cluster recover apply {1} --node {2} --alone --confirm {3}", "  単独なら: keizoku cluster recover apply {1} --node {2} --alone --confirm {3}") \
    X(RECOVER_MAJORITY, "no recovery: the majority is not lost", "再建できません。過半数は失われていません") \
    X(RECOVER_MAJORITY_WHY, "node {1} is in touch with a majority, or was some seconds ago", "ノード {1} は過半数と交信中か、数秒前まで交信していました") \
    X(RECOVER_MAJORITY_HINT, "keizoku status; if the other nodes have just gone, wait some seconds and ask again", "keizoku status で確かめてください。他のノードが止まった直後なら数秒待って再実行してください") \
    X(RECOVER_OLDER, "{1} is not the newest survivor", "{1} は最新の残存ノードではありません") \
    X(RECOVER_OLDER_WHY, "{2} holds {3} more entries or later ones: choosing {1} gives them up (they stay in {2}'s directory)", "{2} には {3} 件多いか、より新しい記録があります。{1} を選ぶとそれらは引き継がれません({2} のフォルダーには残ります)") \
    X(RECOVER_OLDER_HINT, "keizoku cluster recover apply {4}, or --older if it must be this one", "keizoku cluster recover apply {4} を使うか、どうしてもこのノードなら --older を付けてください") \
    X(RECOVER_NO_PLAN, "no survivor that answers holds plan {1}", "応答した残存ノードに計画 {1} のものはありません") \
    X(RECOVER_NO_PLAN_WHY, "the number is another, the node was not named with --node, or its data has changed since", "番号の誤り、--node の指定漏れ、またはその後のデータの変化が考えられます") \
    X(RECOVER_NO_PLAN_HINT, "keizoku cluster recover plan", "keizoku cluster recover plan") \
    X(RECOVER_APPROVAL_KEPT, "approval of plan {1} is stored at {2}, for 24 hours; next, with another person's certificate:", "計画 {1} の承認を {2} に保存しました(24時間有効)。次は別の人の証明書で:") \
    X(RECOVER_ARCHIVING, "{1} puts its data aside (archive/{2} in its data directory), then begins the new epoch", "{1} がデータを保全し(データフォルダーの archive/{2})、新しいエポックを始めます") \
    X(RECOVER_DONE, "cluster {1} goes on as epoch {2} from node {3}, and takes writes; what was before is in archive/{4}", "クラスター {1} はノード {3} からエポック {2} として再建され、書き込みできます。以前のデータは archive/{4} にあります") \
    X(RECOVER_THEN_ADD, "  next: start new nodes empty (keizokud --join), then keizoku cluster add and promote them", "  次: 新しいノードを空で起動し(keizokud --join)、keizoku cluster add と promote で加えてください") \
    X(RECOVER_THEN_SALVAGE, "  an old node that comes back is refused; what only it holds: keizoku salvage export --node HOST:PORT -f FILE", "  戻ってきた旧ノードは拒否されます。そこだけにある内容: keizoku salvage export --node HOST:PORT -f FILE") \
    X(RECOVER_UNDONE, "{1} did not recover; nothing was changed", "{1} は再建していません。何も変更していません") \
    X(RECOVER_UNDONE_HINT, "put that right, then apply again; the node's log has more", "原因を取り除いてから apply を再実行してください。詳しくはノードのログにあります") \
    X(RECOVER_SLOW, "plan {1} is not finished yet", "計画 {1} はまだ終わっていません") \
    X(RECOVER_SLOW_WHY, "the node is still at work, or does not answer", "ノードが作業中か、応答していません") \
    X(RECOVER_SLOW_HINT, "keizoku cluster recover apply {1} --node {2} asks again and changes nothing that is done", "keizoku cluster recover apply {1} --node {2} で再確認できます。済んだことは繰り返しません") \
    X(STATUS_MEMBER_REFUSED, "REFUSED", "拒否") \
    X(STATUS_STANDBY, "{1}, standby (no vote)", "{1}・予備(投票権なし)") \
    X(STATUS_OBSERVER, "{1}, observer (no vote)", "{1}・参照専用(投票権なし)") \
    X(STATUS_REFUSES, "node {1} refuses node {2}: {3}", "ノード {1} がノード {2} を拒否しています: {3}") \
    X(REFUSED_OTHER, "see both nodes' logs", "両ノードのログを確認してください") \
    X(REFUSED_CLUSTER, "it belongs to another cluster; see both nodes' configuration", "別のクラスターのノードです。両ノードの設定を確認してください") \
    X(REFUSED_EPOCH, "one of them is of the time before the cluster was recovered (keizoku cluster recover); see both logs", "一方がクラスター復旧前の世代です(keizoku cluster recover)。両ノードのログを確認してください") \
    X(REFUSED_IDENTITY, "name, id and certificate do not belong together; see both logs and configurations", "名前、番号、証明書が一致しません。両ノードの設定とログを確認してください") \
    X(REFUSED_WIPED, "it came back with another data directory and may not vote under its old id; remove it (keizoku cluster remove), then add it with a new id", "データフォルダーが別のものになったため、元の番号では投票できません。除外(keizoku cluster remove)してから新しい番号で追加してください") \
    X(REFUSED_REMOVED, "it was removed from the cluster; stop keizokud there, or give it an empty data directory and a new id and add it again (keizoku cluster add)", "クラスターから除外されています。keizokud を停止するか、空のデータフォルダーと新しい番号で追加し直してください(keizoku cluster add)") \
    X(REFUSED_CERTIFICATE, "a certificate is not accepted; see both logs", "証明書を確認できません。両ノードのログを確認してください") \
    /* cluster */ \
    X(MEMBER_VOTER, "voter", "投票") \
    X(MEMBER_STANDBY, "standby", "予備") \
    X(MEMBER_OBSERVER, "observer", "参照専用") \
    X(COLUMN_MEMBER_ID, "ID", "番号") \
    X(COLUMN_MEMBER_ROLE, "ROLE", "種類") \
    X(COLUMN_MATCH, "MATCH", "保存済") \
    X(COLUMN_LAG, "LAG", "遅れ") \
    X(CLUSTER_ADDED, "node {1} is a member: a standby without a vote; keizoku cluster promote {1} gives it one", "ノード {1} を追加しました。投票権のない予備です。投票権を与えるには: keizoku cluster promote {1}") \
    X(CLUSTER_ADDED_OBSERVER, "node {1} is a member: an observer that answers reads and never votes", "ノード {1} を参照専用として追加しました。投票はしません") \
    X(CLUSTER_PROMOTED, "node {1} votes now", "ノード {1} に投票権を与えました") \
    X(CLUSTER_DEMOTED, "node {1} has no vote any more; it is a standby", "ノード {1} の投票権をなくしました。予備になりました") \
    X(CLUSTER_REMOVED, "node {1} was removed from the cluster; keizokud can be stopped there", "ノード {1} をクラスターから除外しました。そこの keizokud は停止できます") \
    X(CLUSTER_TRANSFERRED, "node {1} leads now", "ノード {1} がリーダーになりました") \
    X(CLUSTER_WAS_MEMBER, "nothing to do: node {1} is such a member already", "ノード {1} はすでに追加されています。変更はありません") \
    X(CLUSTER_WAS_VOTER, "nothing to do: node {1} votes already", "ノード {1} にはすでに投票権があります。変更はありません") \
    X(CLUSTER_WAS_STANDBY, "nothing to do: node {1} has no vote", "ノード {1} には投票権がありません。変更はありません") \
    X(CLUSTER_WAS_REMOVED, "nothing to do: node {1} is no member any more", "ノード {1} はすでに除外されています。変更はありません") \
    X(CLUSTER_WAS_LEADER, "nothing to do: node {1} leads already", "ノード {1} はすでにリーダーです。変更はありません") \
    X(CLUSTER_COMMITTING, "waiting until a majority has stored the change", "変更が過半数のノードに保存されるのを待っています") \
    X(CLUSTER_CATCHING_UP, "node {1} is catching up: it holds {2} of {3} entries", "ノード {1} が追い付くのを待っています: {3} 件中 {2} 件") \
    X(CLUSTER_NOT_HEARD, "node {1} has not answered the leader yet", "ノード {1} からリーダーへの応答がまだありません") \
    X(CLUSTER_SETTLING, "waiting until every voter has stored the change before this one", "前の変更がすべての投票ノードに保存されるのを待っています") \
    X(CLUSTER_TRANSFERRING, "leadership is on its way to another node", "リーダーを移しています") \
    X(CLUSTER_NOT_DONE, "node {1}: not done in time", "ノード {1}: 時間内に終わりませんでした") \
    X(CLUSTER_NOT_DONE_HINT, "look at keizoku cluster members, then ask again: it goes on from where it is (--timeout sets the longest wait without progress)", "keizoku cluster members で確認し、もう一度実行してください。続きから進みます(--timeout は進展を待つ最長時間)") \
    X(CLUSTER_REFUSED, "node {1}: the membership was not changed", "ノード {1}: 構成は変更していません") \
    X(CLUSTER_NO_SUCH, "no member has that name", "その名前のノードは構成にありません") \
    X(CLUSTER_NO_SUCH_HINT, "keizoku cluster members shows the names", "名前は keizoku cluster members で確認できます") \
    X(CLUSTER_ID_TAKEN, "its id is that of member {2}", "その番号はノード {2} が使っています") \
    X(CLUSTER_ID_USED, "ids only go up, so that a removed node is never mistaken for a new one; {3} is the first that is free", "除外したノードと取り違えないよう番号は増える一方です。使える最小の番号は {3} です") \
    X(CLUSTER_ID_HINT, "give the new node that id in its configuration, and --id here", "新しいノードの設定と --id に同じ番号を指定してください") \
    X(CLUSTER_NAME_TAKEN, "a member has that name, with another id, address or role", "同じ名前で番号、アドレス、種類の違うノードがあります") \
    X(CLUSTER_ADDRESS_TAKEN, "its address is that of member {2}", "そのアドレスはノード {2} が使っています") \
    X(CLUSTER_LOOK_HINT, "keizoku cluster members shows who they are; remove the old one first if it is to be replaced", "keizoku cluster members で確認してください。置き換える場合は先に古いノードを除外します") \
    X(CLUSTER_BAD_NAME, "a node's name is 1 to 64 of a-z 0-9 . _ -, as in its certificate", "ノード名は a-z 0-9 . _ - を1〜64字、証明書と同じものです") \
    X(CLUSTER_BAD_ADDRESS, "an address is host:port, as the other nodes reach it", "アドレスは他のノードから届く host:port です") \
    X(CLUSTER_BAD_ID, "an id is a whole number from 1, the same as in the node's configuration", "番号は1以上の整数で、ノードの設定と同じものです") \
    X(CLUSTER_USAGE_HINT, "keizoku cluster add NAME HOST:PORT --id N [--observer]", "keizoku cluster add 名前 HOST:PORT --id 番号 [--observer]") \
    X(CLUSTER_FULL, "a cluster has at most {3} members", "構成できるノードは最大 {3} 台です") \
    X(CLUSTER_FULL_HINT, "remove one that is no longer needed", "不要なノードを除外してください") \
    X(CLUSTER_LAST_VOTER, "it is the last voter: without it nobody could decide anything, not even who comes next", "最後の投票ノードです。これがなければ何も決定できなくなります") \
    X(CLUSTER_LAST_VOTER_HINT, "give another node a vote first: keizoku cluster promote NAME", "先に別のノードに投票権を与えてください: keizoku cluster promote 名前") \
    X(CLUSTER_NO_MAJORITY_LEFT, "too few of the other voters answer: without it no write would be possible any more", "応答している他の投票ノードが足りません。これを外すと書き込みができなくなります") \
    X(CLUSTER_NO_MAJORITY_HINT, "bring the silent nodes back, or remove those first (keizoku cluster members)", "応答のないノードを復旧するか、先にそちらを除外してください(keizoku cluster members)") \
    X(CLUSTER_IS_OBSERVER, "it was added as an observer: to read, never to vote", "参照専用として追加されたノードで、投票はしません") \
    X(CLUSTER_IS_OBSERVER_HINT, "remove it and add it again without --observer, with a new id and an empty data directory", "除外してから、新しい番号と空のデータフォルダーで --observer なしで追加し直してください") \
    X(CLUSTER_WILL_REMOVE, "node {1} will be removed from cluster {2}; it cannot come back under its id", "ノード {1} をクラスター {2} から除外します。同じ番号では戻せません") \
    X(CLUSTER_NOT_A_VOTER, "only a voter can lead", "リーダーになれるのは投票ノードだけです") \
    X(CLUSTER_CORE_REFUSED, "the leader's log says why", "理由はリーダーのログにあります") \
    /* salvage */ \
    X(SALVAGE_UNWRITABLE, "{1} cannot be written", "{1} に書き込めません") \
    X(SALVAGE_EXISTS, "there is a file of that name already", "同じ名前のファイルがすでにあります") \
    X(SALVAGE_EXISTS_HINT, "choose another name; a salvage is never overwritten", "別の名前を指定してください。上書きはしません") \
    X(SALVAGE_DAMAGED, "it is not a whole salvage file: its bytes do not fit its checksum", "退避ファイルとして完全ではありません(内容がチェックサムと一致しません)") \
    X(SALVAGE_DAMAGED_HINT, "export it again, or copy it again from where it was made", "もう一度 export するか、作成した場所からコピーし直してください") \
    X(SALVAGE_EXPORTED, "{1} of what only {2} holds written to {3}; the node keeps it too", "{2} だけにある {1} 件を {3} に書き出しました。ノードにも残っています") \
    X(SALVAGE_INEXACT, "  where the old and the new cluster part is not known exactly: some of it may be there already", "  分岐点が正確に分からないため、すでに反映済みのものも含まれることがあります") \
    X(SALVAGE_NEXT, "  next: keizoku salvage show {1}, then apply {1} (--node: the new cluster)", "  次: 新しいクラスターに対して keizoku salvage show {1}、その後 apply {1}") \
    X(SALVAGE_HEAD, "node {1} of epoch {2}, left behind by epoch {3}; shared up to index {4}; exported {5}", "ノード {1}(エポック {2})、エポック {3} に取り残されたもの。索引 {4} まで共通、書出し {5}") \
    X(SALVAGE_ITEM, "[{1}] {2} {3} ({4}) {5} {6} {7}", "[{1}] {2} {3} ({4}) {5} {6} {7}") \
    X(SALVAGE_NOW, "  meanwhile in the present cluster:", "  現在のクラスターでのその後の変更:") \
    X(SALVAGE_THERE, "there already", "反映済み") \
    X(SALVAGE_APPLY, "apply", "適用") \
    X(SALVAGE_CONFLICT, "CONFLICT", "競合") \
    X(SALVAGE_BY_HAND, "by hand", "要手作業") \
    X(SALVAGE_STATE_APPLIED, "was applied there", "旧クラスターで適用済み") \
    X(SALVAGE_STATE_UNCERTAIN, "uncertain", "不確定") \
    X(SALVAGE_COUNTS, "{1} to apply, {2} there already, {3} in conflict, {4} by hand; nothing was written", "適用対象 {1} 件、反映済み {2} 件、競合 {3} 件、要手作業 {4} 件。書き込みはしていません") \
    X(SALVAGE_APPLIED, "{1} applied, {2} there already, {3} in conflict (left as they are), {4} by hand", "適用 {1} 件、反映済み {2} 件、競合 {3} 件(変更していません)、要手作業 {4} 件") \
    /* schema */ \
    X(TYPE_TEXT, "text", "文字列") \
    X(TYPE_PROSE, "Markdown", "Markdown") \
    X(TYPE_INTEGER, "number", "整数") \
    X(TYPE_BOOLEAN, "true/false", "真偽") \
    X(TYPE_DURATION, "duration", "期間") \
    X(TYPE_TIME, "time", "日時") \
    X(TYPE_DATE, "date", "日付") \
    X(TYPE_ENUM, "choice", "選択") \
    X(TYPE_REF, "reference", "参照") \
    X(TYPE_GROUP, "group", "組") \
    X(RULE_REQUIRED, "required", "必須") \
    X(RULE_REPEATED, "list", "複数可") \
    X(RULE_DERIVED, "derived", "自動") \
    X(RULE_SYSTEM, "set by keizoku", "自動") \
    X(RULE_RANGE, "{1} to {2}", "{1}〜{2}") \
    X(RULE_BYTES, "at most {1} bytes", "{1} バイトまで") \
    /* reading files */ \
    X(DOC_SYNTAX, "not valid {1}: {2}", "{1} として読めません: {2}") \
    X(DOC_UTF8, "byte 0x{1} is not UTF-8 (save the file as UTF-8)", "バイト 0x{1} は UTF-8 ではありません(UTF-8 で保存してください)") \
    X(DOC_TOO_BIG, "the file is larger than {1} bytes", "ファイルが {1} バイトを超えています") \
    X(DOC_TOO_DEEP, "nested deeper than {1} levels", "入れ子が {1} 段を超えています") \
    X(DOC_TOO_MANY, "more than {1} values in one file", "1ファイルの値が {1} 個を超えています") \
    X(DOC_ALIAS, "anchors and aliases (& *) are not supported: write the value out", "アンカーと別名(& *)は使えません。値を直接書いてください") \
    X(DOC_TAG, "the tag {1} is not supported", "タグ {1} は使えません") \
    X(DOC_DUPLICATE, "{1} stands here twice", "{1} が2回あります") \
    X(DOC_KEY_NOT_TEXT, "a key must be a word", "キーは文字列でなければなりません") \
    X(DOC_NOT_RECORD, "a record is a mapping with kind, id and fields", "記録は kind、id、各項目の組(マッピング)です") \
    X(DOC_NO_KIND, "kind is missing (one of {1})", "kind がありません({1} のいずれか)") \
    /* events, board, timeline */ \
    X(PROVISIONAL, "provisional", "未確定") \
    X(PROVISIONAL_LINE, "provisional: {1}: stored at {2}, no quorum has confirmed it yet; it is handed on by itself", "未確定: {1} は {2} に保存しました。過半数の確認はまだです。回復後に自動で確定します") \
    X(PROVISIONAL_FOLLOW, "  do:  keizoku get {1}/{2}", "  対処: 確定したかどうか: keizoku get {1}/{2}") \
    X(EVENT_WRONG, "{1}: nothing was recorded", "{1}: 記録していません") \
    X(EVENT_WRONG_WHY, "fields break the rules named above", "上の項目が規則に合いません") \
    X(EVENT_WRONG_HINT, "correct them and send again; keizoku help {1} shows what each takes", "直してもう一度送ってください。指定できる値: keizoku help {1}") \
    X(UNKNOWN_VERB, "{1}: there is no such subcommand", "{1} という操作はありません") \
    X(INCIDENTS_OPEN, "several incidents are open: {1}", "発生中の危機的事象が複数あります: {1}") \
    X(INCIDENTS_OPEN_WHY, "an event belongs to one of them, and cannot be moved to another later", "記録はどれか1つに属し、後から移せません") \
    X(INCIDENTS_OPEN_HINT, "name it with --incident ID", "--incident ID で指定してください") \
    X(NO_INCIDENT, "{1}: there is no such incident", "{1} という危機的事象はありません") \
    X(NO_INCIDENT_WHY, "an incident is known by the id of the event that opened it", "危機的事象は開始の記録の識別子で示します") \
    X(NO_INCIDENT_HINT, "keizoku board shows the open ones, keizoku list incident all", "発生中のもの: keizoku board、すべて: keizoku list incident") \
    X(APPLY_EVENT, "{1} is an event, and apply does not take events", "{1} は出来事の記録なので apply では扱えません") \
    X(APPLY_EVENT_WHY, "apply changes records all or nothing; events are appended one by one and never change", "apply は記録の変更を全件まとめて行います。出来事は1件ずつ追加し、変更しません") \
    X(APPLY_EVENT_HINT, "keizoku incident, report-status, entry add, contact call, tick; nothing was sent", "keizoku incident、report-status、entry add、contact call、tick を使ってください。送信していません") \
    X(BOARD_INCIDENT, "{1}  {2}  ({3}, {4})", "{1}  {2}  ({3}、{4})") \
    X(BOARD_INCIDENT_PROVISIONAL, "{1}  {2}  ({3}, {4})  provisional", "{1}  {2}  ({3}、{4})  未確定") \
    X(BOARD_STATE, "{1} since {2}, decided by {3}", "{1} {2} から(決定: {3})") \
    X(BOARD_STATE_CRITERION, "{1} since {2}, decided by {3}: {4}", "{1} {2} から(決定: {3}、基準: {4})") \
    X(BOARD_OCCURRED, "occurred {1}", "発生 {1}") \
    X(BOARD_NOTICED, "noticed {1}", "覚知 {1}") \
    X(BOARD_NEXT_REPORT, "next fixed report {1}, in {2}", "次の定時報告 {1}(あと{2})") \
    X(BOARD_SILENT, "systems without a report: {1}", "報告のない情報システム: {1}") \
    X(BOARD_NOTHING, "no incident is open", "発生中の危機的事象はありません") \
    X(BOARD_MET, "met", "達成") \
    X(BOARD_LEFT, "{1} left", "残り{1}") \
    X(BOARD_MISSED, "MISSED by {1}", "超過 {1}") \
    X(BOARD_CONFIRMED, "confirmed", "確認済") \
    X(BOARD_UNCONFIRMED, "unconfirmed", "未確認") \
    X(TIMELINE_CORRECTS, "corrects {1}", "{1} の訂正") \
    X(COLUMN_PRIORITY, "PRIORITY", "優先度") \
    X(COLUMN_SYSTEM, "SYSTEM", "情報システム") \
    X(COLUMN_NAME, "NAME", "名称") \
    X(COLUMN_CONFIRMED, "CONFIRMED", "確認状況") \
    X(COLUMN_ELAPSED, "ELAPSED", "経過") \
    X(COLUMN_RTO, "RTO", "RTO") \
    X(COLUMN_LEFT, "AGAINST RTO", "RTOまで") \
    X(COLUMN_EXPECTED, "EXPECTED", "復旧見込") \
    X(COLUMN_REPORTED, "LAST REPORT", "最終報告") \
    X(COLUMN_REPORTER, "BY", "報告者") \
    X(COLUMN_NOTED, "NOTED", "記録日時") \
    X(COLUMN_WHAT, "WHAT", "内容") \
    X(COLUMN_MARK, "MARK", "備考") \
    KZ_TEXT_DERIVED_TABLE(X) \
    X(DOC_BAD_KIND, "unknown kind {1}; did you mean {2}?", "{1} という種別はありません。{2} の間違いではありませんか") \
    X(DOC_BAD_KIND_LIST, "unknown kind {1} (one of {2})", "{1} という種別はありません({2} のいずれか)") \
    X(DOC_NO_ID, "id is missing", "id がありません") \
    X(DOC_BAD_ID, "{1} is not an id: 1 to 64 of a-z 0-9 . _ -, first a letter or digit", "{1} は id ではありません。a-z 0-9 . _ - を1〜64字、先頭は英数字です") \
    X(DOC_UNKNOWN_FIELD, "unknown field {1}", "{1} という項目はありません") \
    X(DOC_UNKNOWN_FIELD_NEAR, "unknown field {1}; did you mean {2}?", "{1} という項目はありません。{2} の間違いではありませんか") \
    X(DOC_WANT_SCALAR, "{1} takes one value ({2}), not a list or mapping", "{1} は1つの値({2})です。並びや組は書けません") \
    X(DOC_WANT_GROUP, "{1} is a mapping with the fields {2}", "{1} は {2} を持つ組(マッピング)です") \
    X(DOC_WANT_TEXT, "{1} takes text: write it in quotes", "{1} は文字列です。引用符で囲んでください") \
    X(DOC_BAD_VALUE, "{1}: {2}: {3}", "{1}: {2}: {3}") \
    X(DOC_BAD_CHOICE, "{1}: {2} is not one of {3}", "{1}: {2} は選べません({3} のいずれか)") \
    X(DOC_BAD_REV, "rev is a whole number (0: must not exist yet)", "rev は整数です(0 は「まだ存在しないこと」)") \
    X(DOC_LABELS, "labels is a mapping of words to words", "labels は名前と値の組です") \
    X(DOC_SAME_RECORD, "{1} stands twice in this transaction; first at {2}", "{1} が同じ適用の中に2回あります(最初は {2})") \
    KZ_TEXT_BACKUP_TABLE(X) \
    KZ_TEXT_BLOB_TABLE(X) \
    KZ_TEXT_DOCTOR_TABLE(X) \
    X(COLUMN_DATA_TIME, "DATA TIME", "データ時点") \
    X(COLUMN_FILE, "FILE", "ファイル") \
    X(COLUMN_SAVED, "SAVED", "取得日時") \
    X(COLUMN_RECORDS, "RECORDS", "記録") \
    X(COLUMN_SIZE, "SIZE", "サイズ") \
    X(COLUMN_SAVED_BY, "BY", "取得者") \
    X(COLUMN_CHECKED, "CHECKED", "検査") \
    /* help */ \
    X(HELP_USAGE, "usage", "使い方") \
    X(HELP_TAGLINE, "keizoku: the registry that a lone survivor still serves", "keizoku: 最後の1拠点からでも読める業務継続台帳") \
    X(HELP_COMMANDS, "commands", "コマンド") \
    X(HELP_OPTIONS, "options", "オプション") \
    X(HELP_GLOBAL, "global options (flag beats environment beats {1})", "共通オプション(フラグ > 環境変数 > {1})") \
    X(HELP_ROLE, "role needed", "必要な役割") \
    X(HELP_KINDS, "kinds", "種別") \
    X(HELP_EXITS, "exit codes", "終了コード") \
    X(HELP_EXIT_LIST, "0 ok  1 failed  2 usage  3 not found  4 conflict  5 denied  6 no node reachable  7 older than --max-age  8 no quorum  9 validation  10 outcome unknown", "0 正常  1 失敗  2 使い方  3 なし  4 競合  5 拒否  6 接続不可  7 --max-age 超過  8 過半数なし  9 入力誤り  10 結果不明") \
    X(HELP_MORE, "keizoku help COMMAND tells more about one command", "keizoku help コマンド で詳しい説明を表示します")
/* clang-format on */

#endif
