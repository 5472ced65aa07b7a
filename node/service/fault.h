/* SPDX-License-Identifier: Apache-2.0 */
/* Why a node refuses a request: one table, code, why and what to do, in English and Japanese. What happened is
 * the text of the code itself (proto/errors.h). */
#ifndef KZ_SERVICE_FAULT_H
#define KZ_SERVICE_FAULT_H

#include "proto/errors.h"

#define KZ_FAULT_TABLE(X)                                                                                              \
    X(ROLE, DENIED, "this certificate's role may not do this", "この証明書の役割では実行できません",                   \
      "ask an officer for a certificate with the right role", "必要な役割の証明書を担当者に発行してもらってください")  \
    X(NO_OPERATION, PROTOCOL, "the request names no operation this node knows",                                        \
      "この要求の操作はこのノードでは扱えません", "use a client of this node's version or older",                      \
      "ノードと同じか古い版のクライアントを使ってください")                                                            \
    X(MALFORMED, PROTOCOL, "the request could not be decoded", "要求を解読できません",                                 \
      "use the keizoku client or libkeizoku", "keizoku クライアントを使ってください")                                  \
    X(REQUEST_ID, PROTOCOL, "a write needs a request id of 16 bytes", "書き込みには16バイトの要求IDが必要です",        \
      "use the keizoku client or libkeizoku", "keizoku クライアントを使ってください")                                  \
    X(NO_MUTATIONS, INVALID, "a write needs 1 to 1,000 changes", "変更は1件以上1,000件以下です",                       \
      "split the file into parts of at most 1,000 records", "1,000件以下に分けてください")                             \
    X(ONE_EVENT, INVALID, "events are added one at a time, apart from other changes",                                  \
      "記録の追加は1件ずつ、ほかの変更とは別に行います", "send them one by one", "1件ずつ送ってください")              \
    X(BAD_KIND, INVALID, "this kind of record is not known here", "この種類の記録は扱えません", "see: keizoku schema", \
      "keizoku schema で種類を確かめてください")                                                                       \
    X(NOT_VALID, INVALID, "fields break the rules named below", "次の項目が規則に反しています",                        \
      "correct them and send again; nothing was changed", "直してから送り直してください。何も変更していません")        \
    X(NO_SUCH_RECORD, NOT_FOUND, "there is no such record", "その記録はありません", "see: keizoku list KIND",          \
      "keizoku list 種類 で確かめてください")                                                                          \
    X(CHANGED, CONFLICT, "the stored record has another revision", "保存されている記録の版が違います",                 \
      "look at the other change, then edit again", "相手の変更を確かめてから編集し直してください")                     \
    X(REFERRED, REFERENCED, "the records named below refer to it", "次の記録がこれを参照しています",                   \
      "change them first, or retire with --force", "先にそれらを直すか --force を付けてください")                      \
    X(NO_LEADER_READ, NO_QUORUM, "no majority of nodes answers, so the latest state cannot be known",                  \
      "過半数のノードが応答しないため最新の状態を確かめられません", "read this node's copy: --read local",             \
      "このノードの保存データを読むには --read local")                                                                 \
    X(NEVER_SYNCED, NO_QUORUM, "this node holds no copy yet: it has never been in touch with a leader",                \
      "このノードは一度もリーダーと交信しておらず、保存データがありません",                                            \
      "ask another node; if this one's directory was wiped or it was refused, its log says so",                        \
      "別のノードに問い合わせてください。データが消去されたか拒否された場合はログに記録があります")                    \
    X(NO_LEADER_WRITE, NO_QUORUM, "no majority of nodes answers; nothing was written",                                 \
      "過半数のノードが応答しません。何も書き込んでいません",                                                          \
      "bring another site back and try again; reads go on (--read local)",                                             \
      "他の拠点を復旧してから再実行してください。参照は続けられます (--read local)")                                   \
    X(REMOVED, NO_QUORUM, "this node was removed from the cluster: its copy is old, and it takes nothing",             \
      "このノードはクラスターから除外されています。データは古く、書き込みも受け付けません",                            \
      "ask another node and take this one out of --node; its old copy: --read local",                                  \
      "別のノードに問い合わせ、--node からこのノードを外してください。古いデータを見るには --read local")              \
    X(NO_LEADER_CHANGE, NO_QUORUM, "no majority of nodes answers; the membership was not changed",                     \
      "過半数のノードが応答しません。構成は変更していません",                                                          \
      "bring another site back and try again; if a majority is lost for good: keizoku cluster recover",                \
      "他の拠点を復旧してから再実行してください。過半数が失われたままなら keizoku cluster recover")                    \
    X(NOT_CONFIRMED, UNKNOWN_OUTCOME, "the write was sent, its confirmation did not come in time",                     \
      "書き込みを送りましたが、確認が時間内に届きませんでした",                                                        \
      "repeat the request with the same id: it is applied at most once",                                               \
      "同じ要求IDで再送してください。二重には適用されません")                                                          \
    X(QUEUE_FULL, BUSY, "too many writes are waiting", "待っている書き込みが多すぎます", "try again in a moment",      \
      "少し待ってから再実行してください")                                                                              \
    X(TOO_MANY_REQUESTS, BUSY, "too many requests on this connection", "この接続の要求が多すぎます",                   \
      "wait for answers before asking more", "応答を待ってから送ってください")                                         \
    X(LOW_SPACE, NO_SPACE, "this site's disk is nearly full: it answers reads only",                                   \
      "この拠点のディスクの空きが少ないため参照だけに応じます", "free space at the site, or write at another node",    \
      "空きを増やすか、別のノードに書き込んでください")                                                                \
    X(LOW_SPACE_STREAM, NO_SPACE, "this site's disk is nearly full: it cannot hold its state still for a backup",      \
      "この拠点のディスクの空きが少ないためバックアップに応じられません",                                              \
      "free space at the site, or ask another node", "空きを増やすか、別のノードから取得してください")                 \
    X(TOO_MANY_SNAPSHOTS, BUSY, "two backups are being taken from this node already",                                  \
      "このノードではすでに2つのバックアップを取得中です", "wait for them, or ask another node with --node",           \
      "終わるまで待つか、--node で別のノードを指定してください")                                                       \
    X(TOO_SLOW, TIMED_OUT, "the backup was read too slowly (less than 16 KiB/s)",                                      \
      "バックアップの受信が遅すぎます (16KiB/秒未満)", "save at a place nearer to a node, or ask another node",        \
      "ノードに近い場所で取得するか、別のノードを指定してください")                                                    \
    X(SEARCH_TEXT, INVALID, "a search takes 1 to 8 words of letters or digits, at most 256 bytes each",                \
      "検索語は1～8語で、各256バイト以内の文字または数字です", "keizoku search TEXT, e.g. 山田 0312",                  \
      "keizoku search 検索語 (例 山田 0312)")                                                                          \
    X(SEARCH_BUILDING, BUSY, "this node is still reading its records to search them", "このノードは検索の準備中です",  \
      "try again in some seconds, or ask another node", "数秒後に再実行するか、別のノードに問い合わせてください")      \
    X(SEARCH_QUEUE, BUSY, "too many searches are waiting", "待っている検索が多すぎます", "try again in a moment",      \
      "少し待ってから再実行してください")                                                                              \
    X(READ_FAILED, CORRUPT, "this node could not read its stored copy", "このノードは保存データを読めませんでした",    \
      "ask another node; see this node's log", "別のノードに問い合わせ、このノードのログを確かめてください")           \
    X(NO_MEMORY_LEFT, NO_MEMORY, "this node is out of memory for this request",                                        \
      "この要求のためのメモリーが足りません", "try again, or ask another node",                                        \
      "再実行するか別のノードに問い合わせてください")                                                                  \
    X(TOO_BIG_ANSWER, TOO_BIG, "the answer does not fit a frame", "応答が大きすぎます", "ask for fewer records",       \
      "件数を減らしてください")                                                                                        \
    X(NOT_THEN, NOT_FOUND, "it did not exist then, or was retired", "その時点では存在しないか、廃止されていました",    \
      "keizoku history KIND ID shows when it came and went",                                                           \
      "keizoku history 種類 ID で登録・廃止の時期を確かめられます")                                                    \
    X(REVISION_FUTURE, NOT_FOUND, "there is no such revision yet", "そのリビジョンはまだありません",                   \
      "keizoku status shows the present one", "現在のリビジョンは keizoku status で確かめられます")                    \
    X(REVISION_BEHIND, TOO_OLD, "this node's own copy has not come to that revision or time yet",                      \
      "このノードの保存データは、そのリビジョンまたは日時にまだ達していません",                                        \
      "ask for an earlier one, or another node", "それより前を指定するか、別のノードに問い合わせてください")           \
    X(REWIND_FAR, TOO_BIG, "too many revisions lie in between to try it beforehand",                                   \
      "間のリビジョンが多すぎるため、事前の試行はできません", "keizoku undo --dry-run shows the differences",          \
      "差分は keizoku undo --dry-run で確かめられます")                                                                \
    X(FENCED_NODE, FENCED, "the cluster was recovered as a later epoch, and this node is not of it",                   \
      "クラスターは新しいエポックとして再建され、このノードは含まれていません",                                        \
      "name a node of the new cluster with --node; what only this one holds: "                                         \
      "keizoku salvage export (--read local reads it)",                                                                \
      "新しいクラスターのノードを --node で指定してください。"                                  \
      "このノードだけにある内容: keizoku salvage export (参照は --read local)")                                        \
    X(RECOVER_QUORUM, CONFLICT, "this node is in touch with a majority, or was a moment ago: nothing is lost",         \
      "このノードは過半数と交信中か、直前まで交信していました。過半数は失われていません",                              \
      "keizoku status; wait some seconds if the other nodes have just gone",                                           \
      "keizoku status で確かめてください。他のノードが止まった直後なら数秒待ってください")                             \
    X(RECOVER_PLAN, CONFLICT, "the plan is not of this node's present data",                                           \
      "この計画は、このノードの現在のデータのものではありません", "make a new one: keizoku cluster recover plan",      \
      "計画を作り直してください: keizoku cluster recover plan")                                                        \
    X(RECOVER_SECOND, FAILED, "a second person has not approved this plan yet; nothing was changed",                   \
      "もう1人の承認がまだありません。何も変更していません",                                                           \
      "another approver, with a certificate of their own: "                                                            \
      "keizoku cluster recover approve DIGEST",                                                                        \
      "別の承認者が自分の証明書で承認してください: "                                              \
      "keizoku cluster recover approve 計画番号")                                                                      \
    X(RECOVER_NAME, USAGE, "alone, the cluster's name must be typed exactly; nothing was changed",                     \
      "単独で行うにはクラスター名を正確に入力します。何も変更していません",                                            \
      "--alone --confirm NAME; keizoku status shows the name",                                                         \
      "--alone --confirm 名前 を付けてください。名前は keizoku status で分かります")                                   \
    X(RECOVER_BUSY, BUSY, "this node is recovering already", "このノードはすでに再建の途中です",                       \
      "see: keizoku cluster recover plan", "keizoku cluster recover plan で確かめてください")                          \
    X(RECOVER_NO_MEMBER, FAILED, "this node is no member of the cluster its data belongs to",                          \
      "このノードはクラスターの構成員ではありません", "choose another survivor: keizoku cluster recover plan",         \
      "別の残存ノードを選んでください: keizoku cluster recover plan")                                                  \
    X(SALVAGE_NOT_LEFT, CONFLICT, "this node is part of the present cluster: nothing of it is left behind",            \
      "このノードは現在のクラスターの一員で、取り残された内容はありません",                                            \
      "name the node that was left behind: --node HOST:PORT", "取り残されたノードを --node で指定してください")        \
    X(SALVAGE_EVENT, INVALID, "the event does not fit its identity: it was changed on the way",                        \
      "この記録は識別情報と一致しません。途中で変更されています", "use the file as keizoku salvage export wrote it",   \
      "keizoku salvage export が書いたファイルをそのまま使ってください")                                               \
    X(CONTENT_TRY, TOO_BIG, "a new content is not tried beforehand: all of it would be read",                          \
      "新しい内容の登録は、全部を読む必要があるため事前の試行はできません", "do it without --dry-run",                 \
      "--dry-run を付けずに実行してください")                                                                          \
    X(NO_CONTENT, NOT_FOUND, "this content is not stored", "この内容は保存されていません",                             \
      "keizoku blob put ID FILE sends it", "keizoku blob put ID ファイル で登録できます")                              \
    X(BLOB_FORM, PROTOCOL, "hashes of content have 32 bytes, at most 128 at once",                                     \
      "内容のハッシュは32バイトで、一度に128件までです", "use the keizoku client or libkeizoku",                       \
      "keizoku クライアントを使ってください")                                                                          \
    X(OUTCOME_GONE, NOT_FOUND, "this request id is not among the remembered ones", "この要求IDの記録はありません",     \
      "it was never applied, or is older than three minutes and the last 10,000 writes",                               \
      "適用されていないか、3分より古く、かつ直近1万件に入らない要求です")                                              \
    X(ASKED_LATE, UNKNOWN_OUTCOME, "it came too long after it was first sent; a copy may have been applied before",    \
      "最初の送信から時間がたちすぎています。先に適用された可能性があります",                                          \
      "look at the record; if the change is missing, send it anew",                                                    \
      "記録を確かめ、反映されていなければあらためて送ってください")

enum kz_fault {
#define X(name, code, why_en, why_ja, hint_en, hint_ja) KZ_FAULT_##name,
    KZ_FAULT_TABLE(X)
#undef X
};

/* One row; static memory. */
struct kz_fault_row {
    enum kz_code code;
    const char *why_en, *why_ja;
    const char *hint_en, *hint_ja;
};
const struct kz_fault_row *kz_fault_row(enum kz_fault fault);

#endif
