/* SPDX-License-Identifier: Apache-2.0 */
#include "node/net/identity.h"

#include <stdbool.h>
#include <string.h>

static bool is_name_byte(char c, bool first)
{
    bool alphanumeric = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    return alphanumeric || (!first && (c == '.' || c == '-' || c == '_'));
}

bool kz_identity_is_name(const char *text)
{
    size_t length = strlen(text);
    if (length == 0 || length >= KZ_IDENTITY_TEXT_BYTES) return false;
    for (size_t i = 0; i < length; i++)
        if (!is_name_byte(text[i], i == 0)) return false;
    return true;
}

/* Cuts the part up to the next '/' (or the end) off `text` and copies it to `out` of KZ_IDENTITY_TEXT_BYTES. */
static bool take_part(const char **text, size_t *size_bytes, char *out)
{
    size_t length = 0;
    while (length < *size_bytes && (*text)[length] != '/')
        length++;
    if (length == 0 || length >= KZ_IDENTITY_TEXT_BYTES) return false;
    for (size_t i = 0; i < length; i++)
        if (!is_name_byte((*text)[i], i == 0)) return false;
    memcpy(out, *text, length);
    out[length] = '\0';
    *text += length;
    *size_bytes -= length;
    return true;
}

static bool take_text(const char **text, size_t *size_bytes, const char *wanted)
{
    size_t length = strlen(wanted);
    if (*size_bytes < length || memcmp(*text, wanted, length) != 0) return false;
    *text += length;
    *size_bytes -= length;
    return true;
}

enum kz_code kz_identity_parse(const char *uri, size_t size_bytes, struct kz_identity *out, struct kz_err *err)
{
    const char *text = uri;
    size_t left = size_bytes;
    memset(out, 0, sizeof *out);
    bool good = take_text(&text, &left, "spiffe://") && take_part(&text, &left, out->trust) &&
                take_text(&text, &left, "/cluster/") && take_part(&text, &left, out->cluster);
    if (good && take_text(&text, &left, "/node/"))
        out->kind = KZ_IDENTITY_NODE;
    else if (good && take_text(&text, &left, "/user/"))
        out->kind = KZ_IDENTITY_USER;
    else
        good = false;
    if (good && take_part(&text, &left, out->name) && left == 0) return KZ_OK;
    memset(out, 0, sizeof *out);
    /* The text itself is not repeated: it is the other end's choice and may hold anything. */
    return kz_fail(err, KZ_TLS,
                   "the certificate's URI is not spiffe://TRUST/cluster/ID/node/NAME or .../user/NAME in lower-case "
                   "letters, digits, '.', '-' and '_', each part at most %u bytes",
                   KZ_NAME_MAX_BYTES);
}

static const char *const role_texts[] = {
#define X(name, text) [KZ_ROLE_##name] = text,
    KZ_ROLE_TABLE(X)
#undef X
};
#define ROLE_COUNT (sizeof role_texts / sizeof role_texts[0])

enum kz_role kz_role_parse(const char *text, size_t size_bytes)
{
    for (size_t i = KZ_ROLE_NONE + 1; i < ROLE_COUNT; i++)
        if (strlen(role_texts[i]) == size_bytes && memcmp(role_texts[i], text, size_bytes) == 0) return (enum kz_role)i;
    return KZ_ROLE_NONE;
}

const char *kz_role_text(enum kz_role role)
{
    return (size_t)role < ROLE_COUNT ? role_texts[role] : role_texts[KZ_ROLE_NONE];
}
