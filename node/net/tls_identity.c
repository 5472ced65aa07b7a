/* SPDX-License-Identifier: Apache-2.0 */
/* Reading names, units and flags out of parsed certificates. */
#include <stdio.h>
#include <string.h>

#include "node/net/tls_context.h"

#define URI_TAG 0x86 /* GeneralName [6], RFC 5280 4.2.1.6 */

/* The one OU of a name; false for none or several. */
static bool find_unit(const mbedtls_x509_name *name, const char **text, size_t *size_bytes)
{
    static const char unit_oid[] = MBEDTLS_OID_AT_ORG_UNIT;
    unsigned found = 0;
    for (; name; name = name->next) {
        if (name->oid.len != sizeof unit_oid - 1 || memcmp(name->oid.p, unit_oid, sizeof unit_oid - 1) != 0) continue;
        *text = (const char *)name->val.p;
        *size_bytes = name->val.len;
        found++;
    }
    return found == 1;
}

enum kz_tls_unit kz_tls_unit(const mbedtls_x509_crt *intermediate)
{
    const char *text = NULL;
    size_t size_bytes = 0;
    if (!find_unit(&intermediate->subject, &text, &size_bytes)) return KZ_TLS_UNIT_OTHER;
    if (size_bytes == 5 && memcmp(text, "nodes", 5) == 0) return KZ_TLS_UNIT_NODES;
    if (size_bytes == 5 && memcmp(text, "users", 5) == 0) return KZ_TLS_UNIT_USERS;
    return KZ_TLS_UNIT_OTHER;
}

enum kz_code kz_tls_read_identity(const mbedtls_x509_crt *leaf, const char *cluster, struct kz_identity *out,
                                  struct kz_err *err)
{
    const mbedtls_x509_buf *uri = NULL;
    for (const mbedtls_x509_sequence *name = &leaf->subject_alt_names; name; name = name->next) {
        if (name->buf.tag != URI_TAG) continue;
        if (uri) return kz_fail(err, KZ_TLS, "the certificate has more than one URI name");
        uri = &name->buf;
    }
    if (!uri) return kz_fail(err, KZ_TLS, "the certificate has no URI name (spiffe://...)");
    enum kz_code code = kz_identity_parse((const char *)uri->p, uri->len, out, err);
    if (code) return code;
    if (strcmp(out->cluster, cluster) != 0)
        return kz_fail(err, KZ_WRONG_CLUSTER, "the certificate is for cluster '%s', this is cluster '%s'", out->cluster,
                       cluster);

    const char *text = NULL;
    size_t size_bytes = 0;
    if (find_unit(&leaf->subject, &text, &size_bytes)) out->role = kz_role_parse(text, size_bytes);
    if (out->kind == KZ_IDENTITY_NODE && out->role != KZ_ROLE_NODE)
        return kz_fail(err, KZ_TLS, "the certificate of node '%s' does not have the role 'node' (OU)", out->name);
    if (out->kind == KZ_IDENTITY_USER && out->role == KZ_ROLE_NODE)
        return kz_fail(err, KZ_TLS, "the certificate of user '%s' claims the role 'node' (OU)", out->name);
    return KZ_OK;
}

void kz_tls_describe_flags(uint32_t flags, char *out, size_t out_bytes)
{
    static const struct {
        uint32_t flag;
        const char *text;
    } rows[] = {
        {MBEDTLS_X509_BADCERT_EXPIRED, "it has expired"},
        {MBEDTLS_X509_BADCERT_FUTURE, "it is not valid yet"},
        {MBEDTLS_X509_BADCERT_NOT_TRUSTED, "it was not issued by an intermediate of our CA file"},
        {MBEDTLS_X509_BADCERT_REVOKED, "it has been revoked"},
        {MBEDTLS_X509_BADCERT_BAD_KEY, "its key is of a kind we do not accept"},
        {MBEDTLS_X509_BADCERT_BAD_MD, "its signature uses a hash we do not accept"},
        {MBEDTLS_X509_BADCERT_BAD_PK, "its signature is of a kind we do not accept"},
        {MBEDTLS_X509_BADCERT_KEY_USAGE, "its key usage does not allow this"},
        {MBEDTLS_X509_BADCERT_EXT_KEY_USAGE, "its extended key usage does not allow this"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!(flags & rows[i].flag)) continue;
        snprintf(out, out_bytes, "%s", rows[i].text);
        return;
    }
    snprintf(out, out_bytes, "verification failed (flags 0x%x)", (unsigned)flags);
}
