/* SPDX-License-Identifier: Apache-2.0 */
/* Every sentence the client can say, in English and Japanese. {1}..{9} are filled in by kz_text_fill. Help texts stand
 * with their command or option (commands.c, options.c). Constant; any thread. */
#ifndef KZ_CLIENT_CLI_TEXT_H
#define KZ_CLIENT_CLI_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "node/base/buf.h"

/* Where a connection failed. */
#define KZ_LAYER_TABLE(X)                                                                                              \
    X(DNS, "DNS", "DNS")                                                                                               \
    X(TCP, "TCP", "TCP")                                                                                               \
    X(TLS, "TLS", "TLS")                                                                                               \
    X(CERTIFICATE, "certificate", "証明書")                                                                            \
    X(AUTHORISATION, "authorisation", "認可")                                                                          \
    X(ANSWER, "answer", "応答")

enum kz_layer {
#define X(name, en, ja) KZ_LAYER_##name,
    KZ_LAYER_TABLE(X)
#undef X
};
const char *kz_layer_text(enum kz_layer layer, bool japanese);

#include "client/cli/text_search.h"
#include "client/cli/text_table.h"
#include "client/cli/text_table_exchange.h"
#include "client/cli/text_table_runbook.h"

enum kz_text_id {
#define X(name, en, ja) KZ_T_##name,
    KZ_TEXT_TABLE(X)
    KZ_TEXT_EXCHANGE_TABLE(X)
    KZ_TEXT_RUNBOOK_TABLE(X)
    KZ_TEXT_SEARCH_TABLE(X)
#undef X
        KZ_T_COUNT
};

const char *kz_text(enum kz_text_id id, bool japanese);
/* Adds the text with {n} replaced by args[n-1]; a NULL or missing argument is "". */
void kz_text_fill(struct kz_buf *out, enum kz_text_id id, bool japanese, const char *const *args, size_t count);

/* Why a file could not be opened; what has no sentence of its own is {2}, which is then strerror(number). */
enum kz_text_id kz_text_of_errno(int number);

#define KZ_TEXT_ARGS(...)                                                                                              \
    (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)

#endif
