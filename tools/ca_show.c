/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/ca_show.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <mbedtls/oid.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crl.h>
#include <mbedtls/x509_crt.h>

#include "tools/ca_files.h"
#include "tools/ca_index.h"
#include "tools/ca_x509.h"

#define SHOW_FILE_MAX_BYTES (16u << 20)
#define SAN_TAG_DNS (MBEDTLS_ASN1_CONTEXT_SPECIFIC | 2)
#define SAN_TAG_URI (MBEDTLS_ASN1_CONTEXT_SPECIFIC | 6)
#define SAN_TAG_IP (MBEDTLS_ASN1_CONTEXT_SPECIFIC | 7)

static void add_time(struct kz_buf *out, const char *label, const mbedtls_x509_time *t)
{
    kz_buf_addf(out, "%s%04d-%02d-%02dT%02d:%02d:%02dZ\n", label, t->year, t->mon, t->day, t->hour, t->min, t->sec);
}

static void add_name(struct kz_buf *out, const char *label, const mbedtls_x509_name *name)
{
    char text[512];
    int n = mbedtls_x509_dn_gets(text, sizeof text, name);
    kz_buf_addf(out, "%s%s\n", label, n < 0 ? "?" : text);
}

/* A certificate from elsewhere may hold control characters here: they must not reach a terminal. */
static void add_printable(struct kz_buf *out, const mbedtls_x509_buf *text)
{
    for (size_t i = 0; i < text->len; i++) {
        unsigned char c = text->p[i];
        if (c >= 0x20 && c < 0x7f)
            kz_buf_add(out, &c, 1);
        else
            kz_buf_addf(out, "\\x%02x", c);
    }
}

static void add_alternative_names(struct kz_buf *out, const mbedtls_x509_crt *crt)
{
    for (const mbedtls_x509_sequence *s = &crt->subject_alt_names; s && s->buf.p; s = s->next) {
        char text[INET6_ADDRSTRLEN];
        if (s->buf.tag == SAN_TAG_URI) {
            kz_buf_add_text(out, "  uri      ");
            add_printable(out, &s->buf);
        } else if (s->buf.tag == SAN_TAG_DNS) {
            kz_buf_add_text(out, "  dns      ");
            add_printable(out, &s->buf);
        } else if (s->buf.tag == SAN_TAG_IP && (s->buf.len == 4 || s->buf.len == 16)) {
            const char *ip = inet_ntop(s->buf.len == 4 ? AF_INET : AF_INET6, s->buf.p, text, sizeof text);
            kz_buf_addf(out, "  ip       %s", ip ? ip : "?");
        } else {
            kz_buf_addf(out, "  name     of another type (tag 0x%02x)", (unsigned)s->buf.tag);
        }
        kz_buf_add_text(out, "\n");
    }
}

static bool allows(const mbedtls_x509_crt *crt, const char *oid, size_t oid_bytes)
{
    return mbedtls_x509_crt_check_extended_key_usage(crt, oid, oid_bytes) == 0;
}

/* The public field in 2.28; 3.x offers a function instead. */
static bool is_authority(const mbedtls_x509_crt *crt)
{
    return mbedtls_x509_crt_check_key_usage(crt, MBEDTLS_X509_KU_KEY_CERT_SIGN) == 0;
}

static void add_certificate(struct kz_buf *out, const mbedtls_x509_crt *crt)
{
    add_name(out, "certificate ", &crt->subject);
    add_name(out, "  issuer   ", &crt->issuer);
    kz_buf_add_text(out, "  serial   ");
    kz_buf_add_hex(out, crt->serial.p, crt->serial.len);
    kz_buf_add_text(out, "\n");
    add_time(out, "  from     ", &crt->valid_from);
    add_time(out, "  until    ", &crt->valid_to);
    kz_buf_addf(out, "  key      %s %zu bit\n", mbedtls_pk_get_name(&crt->pk), mbedtls_pk_get_bitlen(&crt->pk));
    add_alternative_names(out, crt);
    bool server = allows(crt, MBEDTLS_OID_SERVER_AUTH, MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH));
    bool client = allows(crt, MBEDTLS_OID_CLIENT_AUTH, MBEDTLS_OID_SIZE(MBEDTLS_OID_CLIENT_AUTH));
    kz_buf_addf(out, "  use      %s\n",
                is_authority(crt)  ? "authority"
                : server && client ? "server client"
                : client           ? "client"
                : server           ? "server"
                                   : "none");
}

static void add_crl(struct kz_buf *out, const mbedtls_x509_crl *crl)
{
    add_name(out, "crl      ", &crl->issuer);
    add_time(out, "  from     ", &crl->this_update);
    add_time(out, "  until    ", &crl->next_update);
    size_t count = 0;
    for (const mbedtls_x509_crl_entry *e = &crl->entry; e && e->raw.len; e = e->next) {
        kz_buf_add_text(out, "  revoked  ");
        kz_buf_add_hex(out, e->serial.p, e->serial.len);
        add_time(out, " ", &e->revocation_date);
        count++;
    }
    if (count == 0) kz_buf_add_text(out, "  revoked  none\n");
}

static bool add_crls(struct kz_buf *out, const struct kz_buf *pem)
{
    mbedtls_x509_crl crls;
    mbedtls_x509_crl_init(&crls);
    bool ok = mbedtls_x509_crl_parse(&crls, pem->data, pem->size_bytes + 1) == 0;
    for (const mbedtls_x509_crl *one = &crls; ok && one; one = one->next)
        add_crl(out, one);
    mbedtls_x509_crl_free(&crls);
    return ok;
}

enum kz_code kz_ca_show_file(const char *path, struct kz_buf *out, struct kz_err *err)
{
    struct kz_buf pem;
    mbedtls_x509_crt crts;
    kz_buf_init(&pem, SHOW_FILE_MAX_BYTES);
    mbedtls_x509_crt_init(&crts);
    enum kz_code code = kz_ca_read_file(path, &pem, err);
    if (!code && !add_crls(out, &pem)) {
        int ret = mbedtls_x509_crt_parse(&crts, pem.data, pem.size_bytes + 1);
        if (ret < 0) code = kz_ca_x509_fail(err, ret, path);
        if (ret > 0) code = kz_fail(err, KZ_INVALID, "%s: %d of its certificates cannot be read", path, ret);
        for (const mbedtls_x509_crt *one = &crts; !code && one; one = one->next)
            add_certificate(out, one);
    }
    mbedtls_x509_crt_free(&crts);
    kz_buf_fini(&pem);
    return code;
}

static const char *state_of(const struct kz_ca_entry *e)
{
    int64_t now = (int64_t)time(NULL);
    if (e->revoked_at) return "revoked";
    if (e->not_after <= now) return "expired";
    return e->not_before > now ? "not-yet" : "valid";
}

static void add_row(struct kz_buf *out, const struct kz_ca_entry *e)
{
    char until[KZ_CA_TIME_BYTES], name[KZ_CA_NAME_BYTES + 8];
    kz_ca_format_time(e->not_after, until);
    snprintf(name, sizeof name, "%s/%s", kz_ca_kind_name(e->kind), e->name);
    kz_buf_addf(out, "%-24s %-9s %-8s %-21s %s\n", name, e->role, state_of(e), until, e->serial);
}

void kz_ca_show_index(const struct kz_ca *ca, struct kz_buf *out)
{
    kz_buf_addf(out, "%-24s %-9s %-8s %-21s %s\n", "NAME", "ROLE", "STATE", "UNTIL", "SERIAL");
    for (size_t i = 0; i < kz_ca_count(ca); i++)
        add_row(out, kz_ca_at(ca, i));
}

void kz_ca_show_entry(const struct kz_ca *ca, const struct kz_ca_entry *entry, struct kz_buf *out)
{
    for (size_t i = 0; i < kz_ca_count(ca); i++) {
        const struct kz_ca_entry *e = kz_ca_at(ca, i);
        if (e->kind == entry->kind && strcmp(e->name, entry->name) == 0) add_row(out, e);
    }
}
