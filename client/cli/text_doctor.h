/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of client/cli/text.h about doctor; what the findings say stands in node/registry/doctor_table.c. Included by
 * text_table.h only. */
#ifndef KZ_CLIENT_CLI_TEXT_DOCTOR_H
#define KZ_CLIENT_CLI_TEXT_DOCTOR_H

/* clang-format off */
#define KZ_TEXT_DOCTOR_TABLE(X) \
    X(DOCTOR_GROUP, "{1}: {2}", "{1} {2}件") \
    X(DOCTOR_RECORD, "  {1}  {2}", "  {1}  {2}") \
    X(DOCTOR_KIND, "  all {1} together", "  {1}の全体") \
    X(DOCTOR_PROBLEM, "    {1} [{2}] {3}", "    {1} [{2}] {3}") \
    X(DOCTOR_ADVICE, "    do: {1}", "    対処: {1}") \
    X(DOCTOR_SUMMARY, "{1} errors, {2} warnings, {3} remarks in {4} records", "エラー {1}件、警告 {2}件、参考 {3}件 (記録 {4}件を点検)") \
    X(COLUMN_SEVERITY, "SEVERITY", "重さ") \
    X(COLUMN_FINDING, "RULE", "規則") \
    X(COLUMN_OWNER, "OWNER", "主管") \
    X(COLUMN_PROBLEM, "PROBLEM", "問題") \
    X(COLUMN_ADVICE, "WHAT TO DO", "対処")
/* clang-format on */

#endif
