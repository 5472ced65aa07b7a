/* SPDX-License-Identifier: Apache-2.0 */
#include "client/cli/text.h"

#include <errno.h>
#include <string.h>

#include "node/base/assert.h"

struct row {
    const char *en;
    const char *ja;
};

static const struct row rows[] = {
#define X(name, en, ja) [KZ_T_##name] = {en, ja},
    KZ_TEXT_TABLE(X)
    KZ_TEXT_EXCHANGE_TABLE(X)
    KZ_TEXT_RUNBOOK_TABLE(X)
    KZ_TEXT_SEARCH_TABLE(X)
#undef X
};

static const struct row layers[] = {
#define X(name, en, ja) [KZ_LAYER_##name] = {en, ja},
    KZ_LAYER_TABLE(X)
#undef X
};

const char *kz_layer_text(enum kz_layer layer, bool japanese)
{
    kz_assert((size_t)layer < sizeof layers / sizeof layers[0]);
    return japanese ? layers[layer].ja : layers[layer].en;
}

const char *kz_text(enum kz_text_id id, bool japanese)
{
    kz_assert((size_t)id < KZ_T_COUNT);
    return japanese ? rows[id].ja : rows[id].en;
}

enum kz_text_id kz_text_of_errno(int number)
{
    switch (number) {
    case ENOENT:
    case ENOTDIR:
        return KZ_T_NO_SUCH_FILE;
    case EACCES:
    case EPERM:
        return KZ_T_NO_PERMISSION;
    case EISDIR:
        return KZ_T_IS_A_FOLDER;
    default:
        return KZ_T_SECOND;
    }
}

void kz_text_fill(struct kz_buf *out, enum kz_text_id id, bool japanese, const char *const *args, size_t count)
{
    const char *pattern = kz_text(id, japanese);
    while (*pattern) {
        const char *brace = strchr(pattern, '{');
        if (!brace) {
            kz_buf_add_text(out, pattern);
            return;
        }
        kz_buf_add(out, pattern, (size_t)(brace - pattern));
        bool placeholder = brace[1] >= '1' && brace[1] <= '9' && brace[2] == '}';
        if (!placeholder) {
            kz_buf_add(out, brace, 1);
            pattern = brace + 1;
            continue;
        }
        size_t index = (size_t)(brace[1] - '1');
        if (index < count && args[index]) kz_buf_add_text(out, args[index]);
        pattern = brace + 3;
    }
}
