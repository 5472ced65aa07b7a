/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of client/cli/text.h about the contents of attachments. Included by text_table.h only. */
#ifndef KZ_CLIENT_CLI_TEXT_BLOB_H
#define KZ_CLIENT_CLI_TEXT_BLOB_H

/* clang-format off */
#define KZ_TEXT_BLOB_TABLE(X) \
    X(BLOB_TOO_BIG, "{1} is larger than 32 MiB; nothing was sent", "{1} は32MiBを超えています。何も送っていません") \
    X(BLOB_TOO_BIG_WHY, "an attachment is on every site's disk for good, so that one surviving site has it", "添付は全拠点に保存され、残った1拠点でも読めるようにするため、大きさに上限があります") \
    X(BLOB_TOO_BIG_HINT, "split it or make it smaller; or keep it elsewhere and note the place in a record", "分割するか小さくしてください。または別の場所に置き、その場所を記録に書いてください") \
    X(BLOB_SENDING, "sending", "送信中") \
    X(BLOB_FETCHING, "fetching", "受信中") \
    X(BLOB_RESUME, "what was sent is kept for an hour: the same command goes on from there; after that it is removed by itself", "送信済みの部分は1時間保持されます。同じコマンドで続きから送れます。その後は自動的に消去されます") \
    X(BLOB_SENT, "{1}: {2} bytes in {3} parts, {4} of them sent now", "{1}: {2} バイト、{3} 個中 {4} 個を送信") \
    X(BLOB_UNWRITABLE, "{1} cannot be written; nothing is left behind", "{1} に書き込めません。途中のファイルは残していません") \
    X(BLOB_UNWRITABLE_HINT, "check path, permissions and free space; -f names another file, -f - writes to standard output", "パス、権限、空き容量を確認してください。-f で別のファイル、-f - で標準出力を指定できます") \
    X(BLOB_EXISTS, "it exists already", "すでに存在します") \
    X(BLOB_EXISTS_HINT, "-f {1} replaces it, -f OTHER writes elsewhere", "置き換えるなら -f {1}、別の場所なら -f で指定してください") \
    X(BLOB_DAMAGED, "the content of {1} is not what its record says; nothing was written", "{1} の内容が記録と一致しません。書き出していません") \
    X(BLOB_DAMAGED_WHY, "its SHA-256 or its size is another", "SHA-256または大きさが違います") \
    X(BLOB_DAMAGED_HINT, "ask another node: --node; if it is the same there, send the file again: keizoku blob put {1} FILE", "--node で別のノードから読んでください。同じ結果なら送り直してください: keizoku blob put {1} ファイル") \
    X(BLOB_SAVED, "{1}: {2} bytes, SHA-256 verified", "{1}: {2} バイト、SHA-256を検証済み")
/* clang-format on */

#endif
