/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of client/cli/text.h about what is derived: order, impact, dependencies, whom to call. Included by
 * text_table.h only. */
#ifndef KZ_CLIENT_CLI_TEXT_DERIVED_H
#define KZ_CLIENT_CLI_TEXT_DERIVED_H

/* clang-format off */
#define KZ_TEXT_DERIVED_TABLE(X) \
    X(COLUMN_NUMBER, "NO", "順") \
    X(COLUMN_BEGINS, "BEGINS", "着手") \
    X(COLUMN_RUNS, "RUNS AGAIN", "復旧") \
    X(COLUMN_LATE, "LATE BY", "RTO超過") \
    X(COLUMN_WAITS, "WAITS FOR", "待つ相手") \
    X(COLUMN_IMPACT, "IMPACT", "影響") \
    X(COLUMN_BECAUSE, "BECAUSE OF", "原因") \
    X(COLUMN_REMAINS, "WHAT IS LEFT", "残る代替") \
    X(IMPACT_LOST, "lost", "喪失") \
    X(IMPACT_SWITCHES, "switches over", "切替が必要") \
    X(IMPACT_WEAKENED, "weakened", "低下") \
    X(ORDER_AT_LEAST, "at least {1}", "{1}以上") \
    X(ORDER_MISSES, "{1} misses its RTO by {2}: {3}", "{1} はRTOに{2}間に合いません: {3}") \
    X(ORDER_CYCLE, "cycle: {1}; that {2} needs {3} is ignored here", "循環: {1}。ここでは {2} が {3} に依存することを無視しています") \
    X(IMPACT_USE, "use this", "使用する手順書") \
    X(DERIVED_UNKNOWN, "there is no {2} {1}", "{2} {1} はありません") \
    X(DERIVED_UNKNOWN_WHY, "it was never there, or it is retired", "登録されていないか、廃止されています") \
    X(DERIVED_UNKNOWN_THEN_WHY, "it was not there at that time, or it was retired", "その時点では登録されていないか、廃止されています") \
    X(DERIVED_UNKNOWN_HINT, "keizoku list {2}", "keizoku list {2}") \
    X(DERIVED_UNKNOWN_NEAR, "did you mean {3}? keizoku list {2}", "{3} の間違いではありませんか。一覧: keizoku list {2}") \
    X(AREA_UNKNOWN, "no site is in the disaster area {1}", "被災範囲 {1} の拠点はありません") \
    X(AREA_UNKNOWN_WHY, "the areas are: {2}", "登録されている被災範囲: {2}") \
    X(AREA_UNKNOWN_NONE, "no site names its disaster area", "被災範囲が登録された拠点がありません") \
    X(AREA_UNKNOWN_HINT, "keizoku list site -o wide", "keizoku list site -o wide") \
    X(AREA_UNKNOWN_NEAR, "did you mean {3}?", "{3} の間違いではありませんか") \
    X(AREA_OR_SITE, "name a site or --area, one of the two", "拠点か --area のどちらか一方を指定します") \
    X(DOT_NOT_HERE, "-o dot does not apply to {1}", "-o dot は {1} では使えません") \
    X(DOT_IS_FOR, "it draws dependencies: keizoku system deps ID, keizoku system order", "依存関係の図です: keizoku system deps ID、keizoku system order") \
    X(DOT_HINT, "-o table|wide|json|yaml|csv", "-o table|wide|json|yaml|csv") \
    X(BAD_MOMENT, "{1} {2} is not a time", "{1} {2} は日時ではありません") \
    X(MOMENT_WANTED, "a date and a time, e.g. 2026-01-17T05:46 (Japan's time unless an offset is given)", "日付と時刻(例 2026-01-17T05:46。時差の指定がなければ日本時間)") \
    X(MOMENT_HINT, "{1} 2026-01-17T05:46", "{1} 2026-01-17T05:46") \
    X(COLUMN_DIRECTION, "DIRECTION", "向き") \
    X(COLUMN_REQUIRED, "REQUIRED RTO", "必要なRTO") \
    X(COLUMN_REQUIRED_BY, "BECAUSE OF", "根拠") \
    X(COLUMN_DERIVED_NOTE, "NOTE", "備考") \
    X(DEPS_ITSELF, "-", "-") \
    X(DEPS_NEEDS, "needs", "依存先") \
    X(DEPS_USERS, "needed by", "依存元") \
    X(DEPS_SHOWN, "see above", "前掲") \
    X(DEPS_CYCLE, "closes a cycle", "循環") \
    X(COLUMN_ROLE, "ROLE", "役割") \
    X(COLUMN_WHOM, "CONTACT", "連絡先") \
    X(COLUMN_PERSON, "PERSON", "氏名") \
    X(COLUMN_AS, "AS", "立場") \
    X(COLUMN_MEANS, "BY", "手段") \
    X(COLUMN_VALUE, "NUMBER", "番号・宛先") \
    X(COLUMN_CALLS, "CALLS", "連絡経路") \
    X(COLUMN_WITHIN, "WITHIN", "期限") \
    X(COLUMN_ELSE, "IF NO ANSWER", "つながらないとき") \
    X(COLUMN_FOR, "TOLD OF", "報告事項") \
    X(DUTY_HOLDER, "holder", "担当者") \
    X(DUTY_DEPUTY, "deputy", "代行者") \
    X(DUTY_VACANT, "nobody", "不在") \
    X(DUTY_NO_CHANNEL, "no channel at this hour", "この時間帯の連絡手段なし") \
    X(DUTY_AT, "at {1}: {2}", "{1} 時点: {2}") \
    X(DUTY_BUSINESS, "business hours", "業務時間内") \
    X(DUTY_NIGHT, "working day, night", "平日・夜間") \
    X(DUTY_HOLIDAY, "holiday", "休日") \
    X(DUTY_HOLIDAY_NIGHT, "holiday, night", "休日・夜間") \
    X(DUTY_HOLIDAY_NAME, "public holiday: {1}", "祝日: {1}") \
    X(COLUMN_CALLER, "CALLER", "連絡元") \
    X(DUTY_UNREACHED, "{1}: nobody can be reached at this hour", "{1}: この時間帯に連絡できる人がいません") \
    X(TREE_MEANS, "{1}: means in this order: {2}", "{1}: 連絡手段の優先順: {2}") \
    X(TREE_MEANS_NEED, "{1} (needs {2})", "{1}({2} が必要)") \
    X(TREE_HOURS, "{1}: reports at {2}", "{1}: 定時連絡 {2}")
/* clang-format on */

#endif
