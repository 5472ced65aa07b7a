/* SPDX-License-Identifier: Apache-2.0 */
#include "client/san.h"

#include <string.h>

/* Small letters, digits and . _ - only: no NUL, no escape, no second spelling of the same name. */
static bool is_plain(unsigned char c, bool first)
{
    bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    return word || (!first && (c == '.' || c == '_' || c == '-'));
}

static bool take_word(const unsigned char **at, const unsigned char *end, char *out, size_t room)
{
    size_t length = 0;
    while (*at < end && **at != '/') {
        if (!is_plain(**at, length == 0) || length + 1 >= room) return false;
        out[length++] = (char)*(*at)++;
    }
    out[length] = '\0';
    return length > 0;
}

static bool take_literal(const unsigned char **at, const unsigned char *end, const char *literal)
{
    size_t length = strlen(literal);
    if ((size_t)(end - *at) < length || memcmp(*at, literal, length) != 0) return false;
    *at += length;
    return true;
}

static bool parse(const unsigned char *at, const unsigned char *end, struct kz_san *out)
{
    if (!take_literal(&at, end, "spiffe://") || !take_word(&at, end, out->trust, sizeof out->trust)) return false;
    if (!take_literal(&at, end, "/cluster/") || !take_word(&at, end, out->cluster, sizeof out->cluster)) return false;
    out->is_node = take_literal(&at, end, "/node/");
    if (!out->is_node && !take_literal(&at, end, "/user/")) return false;
    return take_word(&at, end, out->name, sizeof out->name) && at == end;
}

bool kz_san_parse(const unsigned char *uri, size_t size_bytes, struct kz_san *out)
{
    memset(out, 0, sizeof *out);
    if (uri && parse(uri, uri + size_bytes, out)) return true;
    memset(out, 0, sizeof *out);
    return false;
}

bool kz_san_is_name(const char *text, size_t size_bytes)
{
    const unsigned char *at = (const unsigned char *)text, *end = at + size_bytes;
    char name[KZ_NAME_MAX_BYTES + 1];
    return take_word(&at, end, name, sizeof name) && at == end;
}

bool kz_san_same_cluster(const struct kz_san *a, const struct kz_san *b)
{
    return a->cluster[0] && strcmp(a->trust, b->trust) == 0 && strcmp(a->cluster, b->cluster) == 0;
}
