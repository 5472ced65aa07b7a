/* SPDX-License-Identifier: Apache-2.0 */
/* Sentences of search and of verification campaigns; see text_table.h. */
#ifndef KZ_CLIENT_CLI_TEXT_SEARCH_H
#define KZ_CLIENT_CLI_TEXT_SEARCH_H

/* clang-format off */
#define KZ_TEXT_SEARCH_TABLE(X) \
    X(COLUMN_SNIPPET, "FOUND", "該当箇所") \
    X(SEARCH_RETIRED, "retired", "廃止") \
    X(SEARCH_NOTHING, "nothing found; fewer words or a part of one find more, --retired looks at retired records too", "見つかりませんでした。語を減らすか一部だけにすると広がります。廃止した記録は --retired で探せます") \
    X(SEARCH_MORE, "{1} of {2} shown, the best first; another word or --kind narrows it", "{2}件のうち上位{1}件です。語を足すか --kind で絞り込めます")

#endif
