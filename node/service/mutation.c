/* SPDX-License-Identifier: Apache-2.0 */
#include "node/service/mutation.h"

#include <stdio.h>
#include <string.h>

#include "node/registry/text.h"

static void check_put(const Kz__Mutation *mutation, const char *path, struct kz_violations *violations)
{
    static const struct kz_text missing = {"a change without its record", "変更に記録の内容がありません"};
    static const struct kz_text other = {"the record is not the one the change names",
                                         "変更の対象と記録の種類・IDが違います"};
    if (!mutation->record)
        kz_violations_add(violations, path, "mutation.record", &missing, NULL);
    else if (mutation->record->kind != mutation->kind || strcmp(mutation->record->id, mutation->id) != 0)
        kz_violations_add(violations, path, "mutation.record", &other, NULL);
    else
        kz_record_check(mutation->record, violations);
}

static void check_mutation(const Kz__Mutation *mutation, struct kz_violations *violations)
{
    static const struct kz_text bad_id = {"an id is 1 to 64 of a-z 0-9 . _ - and starts with a letter or digit",
                                          "IDは英小文字・数字・. _ - の1〜64文字で、先頭は英小文字か数字です"};
    static const struct kz_text unknown = {"this kind of record is not known here", "この種類の記録は扱えません"};
    const struct kz_kind *kind = kz_kind_by_number(mutation->kind);
    char path[KZ_KEY_MAX_BYTES + 32];
    kz_mutation_check_op(mutation, violations);
    snprintf(path, sizeof path, "%s/%s", kind ? kind->name : "?", mutation->id);
    if (!kind)
        kz_violations_add(violations, path, "kind.known", &unknown, NULL);
    else if (!kz_id_valid(mutation->id))
        kz_violations_add(violations, path, "id.format", &bad_id, NULL);
    else if (mutation->op == KZ__MUTATION__OP__PUT || mutation->op == KZ__MUTATION__OP__APPEND)
        check_put(mutation, path, violations);
}

static void check_reason(const char *reason, struct kz_violations *violations)
{
    static const struct kz_text too_long = {"a reason is at most 512 bytes: shorten it", "理由は512バイトまでです"};
    static const struct kz_text not_text = {"a reason is one line of UTF-8 text without control characters",
                                            "理由は制御文字を含まないUTF-8の1行です"};
    if (!reason) return;
    if (strlen(reason) > KZ_REASON_MAX_BYTES)
        kz_violations_add(violations, "reason", "text.length", &too_long, NULL);
    else if (kz_text_fault(reason, false) != KZ_TEXT_FINE)
        kz_violations_add(violations, "reason", "text.form", &not_text, NULL);
}

void kz_service_check_command(const char *reason, Kz__Mutation *const *mutations, size_t count,
                              struct kz_violations *violations)
{
    check_reason(reason, violations);
    for (size_t i = 0; i < count; i++)
        check_mutation(mutations[i], violations);
}
