/* SPDX-License-Identifier: Apache-2.0 */
#include "node/registry/path.h"

#include <stdio.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/registry/reflect.h"

void kz_path_append(char *path, size_t path_bytes, const ProtobufCMessage *message, const struct kz_field *field,
                    size_t item)
{
    size_t used = strlen(path);
    const char *dot = used > 0 ? "." : "";
    int wrote = kz_reflect_repeated(kz_reflect_field(message, field))
                    ? snprintf(path + used, path_bytes - used, "%s%s[%zu]", dot, field->name, item)
                    : snprintf(path + used, path_bytes - used, "%s%s", dot, field->name);
    kz_assert(wrote > 0 && (size_t)wrote < path_bytes - used);
}

/* "system/juki" where several kinds are allowed, else a bare id of the only one. False: not a reference. */
bool kz_reference_split(const struct kz_field *field, const char *text, Kz__Kind *out_kind, const char **out_id)
{
    size_t count = 0;
    const struct kz_kind *kinds = kz_kinds(&count);
    const char *slash = strchr(text, '/');
    bool single = (field->ref_kinds & (field->ref_kinds - 1)) == 0;
    for (size_t i = 0; i < count; i++) {
        if ((field->ref_kinds & KZ_KIND_BIT(kinds[i].number)) == 0) continue;
        size_t size = strlen(kinds[i].name);
        bool named = slash != NULL && (size_t)(slash - text) == size && strncmp(text, kinds[i].name, size) == 0;
        if (!single && !named) continue;
        *out_kind = kinds[i].number;
        *out_id = single ? text : slash + 1;
        return true;
    }
    return false;
}
