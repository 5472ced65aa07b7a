/* SPDX-License-Identifier: Apache-2.0 */
/* Sentences of search and of verification campaigns; see text_table.h. */
#ifndef KZ_CLIENT_CLI_TEXT_SEARCH_H
#define KZ_CLIENT_CLI_TEXT_SEARCH_H

/* clang-format off */
#define KZ_TEXT_SEARCH_TABLE(X) \
    X(COLUMN_SNIPPET, "FOUND", "該当箇所") \
    X(SEARCH_RETIRED, "retired", "廃止") \
    X(SEARCH_NOTHING, "nothing found; fewer words or a part of one find more, --retired looks at retired records too", "見つかりませんでした。語を減らすか一部だけにすると広がります。廃止した記録は --retired で探せます") \
    X(SEARCH_MORE, "{1} of {2} shown, the best first; another word or --kind narrows it", "{2}件のうち上位{1}件です。語を足すか --kind で絞り込めます") \
    X(COLUMN_STARTED, "STARTED", "開始日") \
    X(COLUMN_DUE, "DUE", "期限") \
    X(COLUMN_CLOSED, "CLOSED", "終了日") \
    X(COLUMN_DONE, "CONFIRMED", "確認済") \
    X(COLUMN_VERIFIED, "LAST CONFIRMED", "前回の確認") \
    X(CAMPAIGN_OWNER, "OWNER", "確認する組織") \
    X(CAMPAIGN_NO_OWNER, "(no owner)", "(所属なし)") \
    X(CAMPAIGN_NEVER, "never", "未確認") \
    X(CAMPAIGN_LINE, "{1}: {2}; confirmed since {3}: {5} of {6}, due {4}", "{1}: {2} 開始 {3}、期限 {4}、確認済 {5}/{6}件") \
    X(CAMPAIGN_CLOSED, "closed on {1}", "{1} に終了しました") \
    X(CAMPAIGN_TITLE, "confirmation of {1} records by {2}", "{1}の一斉確認 ({2} まで)") \
    X(CAMPAIGN_STARTED, "what is to be confirmed: keizoku verify campaign show {1}; each is confirmed by keizoku verify KIND ID", "確認する記録: keizoku verify campaign show {1}。確認したら keizoku verify 種別 ID") \
    X(CAMPAIGN_HINT, "keizoku verify campaign list shows them; keizoku verify campaign --help", "一覧は keizoku verify campaign list、使い方は keizoku verify campaign --help") \
    X(CAMPAIGN_UNKNOWN, "there is no campaign {1}", "一斉確認 {1} はありません") \
    X(CAMPAIGN_UNKNOWN_WHY, "no campaign with this id is in use", "この ID の一斉確認は登録されていないか、廃止されています") \
    X(CAMPAIGN_EVENT, "{1}: events are never confirmed", "{1}: 出来事の記録は確認の対象になりません") \
    X(CAMPAIGN_DATE, "{1} is no date", "{1} は日付ではありません") \
    X(CAMPAIGN_DATE_WHY, "--due takes a day of the calendar", "--due には実在する日付を指定します") \
    X(CAMPAIGN_DATE_HINT, "e.g. 2026-12-11 or 令和8年12月11日", "例 2026-12-11、令和8年12月11日")

#endif
