/* SPDX-License-Identifier: Apache-2.0 */
/* The error table: one row per code, never reused, shared by node, client and tools.
 * Columns: name, number on the wire, retryable (the same request may succeed elsewhere or later),
 * the client's exit status (0..10), text in English, text in Japanese. */
#ifndef KZ_PROTO_ERRORS_H
#define KZ_PROTO_ERRORS_H

#define KZ_ERROR_TABLE(X)                                                                                              \
    X(OK, 0, false, 0, "ok", "正常")                                                                                   \
    X(FAILED, 1, false, 1, "failed", "失敗しました")                                                                   \
    X(USAGE, 2, false, 2, "wrong usage", "使い方が違います")                                                           \
    X(NOT_FOUND, 3, false, 3, "not found", "見つかりません")                                                           \
    X(CONFLICT, 4, false, 4, "someone changed it first", "先に変更されています")                                       \
    X(REFERENCED, 5, false, 4, "other records refer to it", "他の記録から参照されています")                            \
    X(DENIED, 6, false, 5, "not allowed", "権限がありません")                                                          \
    X(UNREACHABLE, 7, true, 6, "no node reachable", "どのノードにも接続できません")                                    \
    X(TOO_OLD, 8, false, 7, "data older than asked", "データが指定より古いです")                                       \
    X(NO_QUORUM, 9, true, 8, "no quorum for this write", "過半数がないため書き込めません")                             \
    X(INVALID, 10, false, 9, "validation failed", "入力に誤りがあります")                                              \
    X(UNKNOWN_OUTCOME, 11, true, 10, "outcome unknown", "結果が確認できません")                                        \
    X(TOO_BIG, 12, false, 9, "too big", "大きすぎます")                                                                \
    X(BUSY, 13, true, 1, "busy, try again", "混み合っています")                                                        \
    X(PROTOCOL, 14, false, 1, "protocol error", "通信規約の誤り")                                                      \
    X(CORRUPT, 15, false, 1, "stored data is damaged", "保存データが壊れています")                                     \
    X(NO_MEMORY, 16, true, 1, "out of memory", "メモリー不足")                                                         \
    X(IO, 17, false, 1, "input/output error", "入出力エラー")                                                          \
    X(NO_SPACE, 18, true, 1, "disk is full", "ディスクの空きがありません")                                             \
    X(NOT_LEADER, 19, true, 1, "not the leader", "リーダーではありません")                                             \
    X(TLS, 20, false, 6, "TLS failed", "TLS接続に失敗しました")                                                        \
    X(WRONG_CLUSTER, 21, false, 6, "another cluster", "別のクラスターです")                                            \
    X(TIMED_OUT, 22, true, 1, "timed out", "時間切れです")                                                             \
    X(COMPACTED, 23, false, 1, "no longer kept", "保存期間を過ぎています")                                             \
    X(FENCED, 30, true, 8, "the cluster went on without this node", "クラスターはこのノードを除いて再建されています")

enum kz_code {
#define X(name, number, retryable, exit_status, en, ja) KZ_##name = number,
    KZ_ERROR_TABLE(X)
#undef X
};

#endif
