/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/ca_internal.h"

#include <stdio.h>
#include <string.h>

#define URI_BYTES 400

static enum kz_code check_addresses(const char *addresses, struct kz_err *err)
{
    if (!addresses || !*addresses)
        return kz_fail(err, KZ_USAGE, "a node needs --address: the DNS names or IP addresses it is reached at");
    if (strlen(addresses) >= KZ_CA_ADDRESSES_TEXT_BYTES) return kz_fail(err, KZ_USAGE, "too many addresses");
    char copy[KZ_CA_ADDRESSES_TEXT_BYTES];
    memcpy(copy, addresses, strlen(addresses) + 1);
    char *rest = copy;
    int count = 0;
    for (char *one; (one = strsep(&rest, ",")) != NULL;) {
        uint8_t bytes[16];
        size_t size_bytes;
        if (++count > KZ_CA_ADDRESSES_MAX)
            return kz_fail(err, KZ_USAGE, "more than %d addresses for one node", KZ_CA_ADDRESSES_MAX);
        if (!kz_ca_x509_parse_address(one, bytes, &size_bytes))
            return kz_fail(err, KZ_USAGE, "address \"%s\" is neither a DNS name nor an IP address (no port here)", one);
    }
    return KZ_OK;
}

static enum kz_code check_leaf(const struct kz_ca_leaf *leaf, struct kz_err *err)
{
    static const char *const roles[] = {"reader", "reporter", "operator", "approver", "auditor", "backup", "peer"};
    if (!leaf->name || !kz_ca_is_slug(leaf->name))
        return kz_fail(err, KZ_USAGE, "name \"%s\": use 1 to 64 of a-z 0-9 . _ - and begin with a letter or digit",
                       leaf->name ? leaf->name : "");
    if (leaf->not_before && leaf->not_after && leaf->not_after <= leaf->not_before)
        return kz_fail(err, KZ_USAGE, "the certificate would end before it begins");
    if (leaf->kind == KZ_CA_KIND_NODE) return check_addresses(leaf->addresses, err);
    for (size_t i = 0; leaf->role && i < sizeof roles / sizeof roles[0]; i++)
        if (strcmp(leaf->role, roles[i]) == 0) return KZ_OK;
    return kz_fail(err, KZ_USAGE, "role \"%s\": choose one of reader reporter operator approver auditor backup peer",
                   leaf->role ? leaf->role : "");
}

/* A name belongs to one living certificate: two keys under one name could not be told apart in the audit. */
static enum kz_code check_unused(const struct kz_ca *ca, const struct kz_ca_leaf *leaf, const char *key_path,
                                 struct kz_err *err)
{
    for (size_t i = 0; i < ca->index.count; i++) {
        const struct kz_ca_entry *e = &ca->index.entries[i];
        if (e->kind != leaf->kind || strcmp(e->name, leaf->name) != 0 || e->revoked_at) continue;
        if (e->not_after <= kz_ca_now()) continue;
        return kz_fail(
            err, KZ_CONFLICT,
            "%s/%s has a valid certificate already: `keizoku-ca renew %s/%s` keeps its key, or revoke it first",
            kz_ca_kind_name(e->kind), e->name, kz_ca_kind_name(e->kind), e->name);
    }
    if (kz_ca_exists(key_path))
        return kz_fail(err, KZ_CONFLICT, "the key %s exists already and is not overwritten: move it away first",
                       key_path);
    return KZ_OK;
}

static void default_times(const struct kz_ca *ca, enum kz_ca_issuer issuer, const struct kz_ca_leaf *leaf,
                          struct kz_ca_entry *entry)
{
    const struct kz_ca_entry *authority = NULL;
    char ref[16];
    snprintf(ref, sizeof ref, "ca/%s", kz_ca_issuer_name(issuer));
    entry->not_before = leaf->not_before ? leaf->not_before : kz_ca_now() - KZ_CA_SKEW_SECONDS;
    int64_t from = leaf->not_before ? leaf->not_before : kz_ca_now();
    entry->not_after = leaf->not_after ? leaf->not_after : from + (int64_t)KZ_CA_LEAF_DEFAULT_DAYS * KZ_CA_DAY_SECONDS;
    if (kz_ca_find(ca, ref, &authority, NULL) == KZ_OK && entry->not_after > authority->not_after)
        entry->not_after = authority->not_after;
}

/* The names in a leaf; `uri` and `subject` are filled and stay borrowed by `c`. */
static void fill_names(const struct kz_ca *ca, const struct kz_ca_entry *entry, const struct kz_ca_deviation *deviation,
                       char *uri, char *subject, struct kz_ca_certificate *c)
{
    const char *unit = entry->role;
    snprintf(uri, URI_BYTES, "spiffe://%s/cluster/%s/%s/%s", ca->trust, ca->cluster, kz_ca_kind_name(entry->kind),
             entry->name);
    c->uris[0] = uri;
    c->addresses = entry->addresses[0] ? entry->addresses : NULL;
    c->usage = entry->kind == KZ_CA_KIND_NODE ? KZ_CA_EKU_SERVER | KZ_CA_EKU_CLIENT : KZ_CA_EKU_CLIENT;
    if (deviation) {
        if (deviation->uri) c->uris[0] = *deviation->uri ? deviation->uri : NULL;
        if (deviation->second_uri) c->uris[1] = deviation->second_uri;
        if (deviation->unit) unit = deviation->unit;
        if (deviation->usage) c->usage = deviation->usage;
    }
    snprintf(subject, KZ_CA_SUBJECT_BYTES, "CN=%s,OU=%s,O=%s", entry->name, unit, ca->cluster);
    c->subject = subject;
}

/* The leaf followed by its intermediate: what a TLS server or client sends. */
static enum kz_code make_leaf(struct kz_ca *ca, struct kz_ca_entry *entry, mbedtls_pk_context *key,
                              const struct kz_ca_deviation *deviation, struct kz_buf *chain, struct kz_err *err)
{
    char uri[URI_BYTES], subject[KZ_CA_SUBJECT_BYTES], issuer_subject[KZ_CA_SUBJECT_BYTES], path[KZ_CA_PATH_BYTES];
    struct kz_ca_certificate c = {.key = key};
    struct kz_ca_signer issuer;
    kz_ca_signer_init(&issuer);
    fill_names(ca, entry, deviation, uri, subject, &c);
    kz_ca_describe_issuer(ca, entry->issuer, issuer_subject);
    c.issuer = issuer_subject;
    c.issuer_key = &issuer.key;
    enum kz_code code = kz_ca_signer_load(ca, entry->issuer, &issuer, err);
    if (!code) code = kz_ca_sign(ca, &c, entry, chain, err);
    if (!code) code = kz_ca_join(path, err, "%s/private/%s.pem", ca->dir, kz_ca_issuer_name(entry->issuer));
    if (!code) code = kz_ca_read_file(path, chain, err);
    kz_ca_signer_fini(&issuer);
    return code;
}

static enum kz_code copy_file(const char *from, const char *to, struct kz_err *err)
{
    struct kz_buf bytes;
    kz_buf_init(&bytes, KZ_CA_FILE_MAX_BYTES);
    enum kz_code code = kz_ca_read_file(from, &bytes, err);
    if (!code) code = kz_ca_write_file(to, bytes.data, bytes.size_bytes, 0644, true, err);
    kz_buf_fini(&bytes);
    return code;
}

/* What a machine needs besides its key. */
static enum kz_code hand_out(struct kz_ca *ca, const char *out_dir, const char *name, const struct kz_buf *chain,
                             struct kz_err *err)
{
    char path[KZ_CA_PATH_BYTES], to[KZ_CA_PATH_BYTES];
    enum kz_code code = kz_ca_join(path, err, "%s/%s.pem", out_dir, name);
    if (!code) code = kz_ca_write_file(path, chain->data, chain->size_bytes, 0644, true, err);
    static const char *const shared[] = {"ca.pem", "crl.pem"};
    for (int i = 0; i < 2 && !code; i++) {
        code = kz_ca_join(path, err, "%s/%s", ca->dir, shared[i]);
        if (!code) code = kz_ca_join(to, err, "%s/%s", out_dir, shared[i]);
        if (!code) code = copy_file(path, to, err);
    }
    return code;
}

static enum kz_code issue_into(struct kz_ca *ca, const struct kz_ca_leaf *leaf, struct kz_ca_entry *entry,
                               const char *key_path, struct kz_err *err)
{
    mbedtls_pk_context key;
    struct kz_buf chain;
    char path[KZ_CA_PATH_BYTES];
    mbedtls_pk_init(&key);
    kz_buf_init(&chain, KZ_CA_FILE_MAX_BYTES);
    enum kz_code code = kz_ca_x509_make_key(&ca->rng, kz_ca_curve_of(ca), &key, err);
    if (!code) code = make_leaf(ca, entry, &key, leaf->deviation, &chain, err);
    if (!code) code = kz_ca_write_key(&key, key_path, err);
    kz_ca_path(ca, entry, "pem", path, sizeof path);
    if (!code) code = kz_ca_write_file(path, chain.data, chain.size_bytes, 0644, true, err);
    if (!code && leaf->out_dir) code = hand_out(ca, leaf->out_dir, leaf->name, &chain, err);
    kz_buf_fini(&chain);
    mbedtls_pk_free(&key);
    return code;
}

enum kz_code kz_ca_issue(struct kz_ca *ca, const struct kz_ca_leaf *leaf, struct kz_err *err)
{
    char key_path[KZ_CA_PATH_BYTES];
    bool is_node = leaf->kind == KZ_CA_KIND_NODE;
    enum kz_code code = check_leaf(leaf, err);
    if (code) return code;
    struct kz_ca_entry entry = {.kind = leaf->kind, .issuer = is_node ? KZ_CA_NODES : KZ_CA_USERS};
    if (leaf->deviation && leaf->deviation->other_issuer) entry.issuer = leaf->deviation->issuer;
    snprintf(entry.name, sizeof entry.name, "%s", leaf->name);
    snprintf(entry.role, sizeof entry.role, "%s", is_node ? "node" : leaf->role);
    if (is_node) snprintf(entry.addresses, sizeof entry.addresses, "%s", leaf->addresses);
    default_times(ca, entry.issuer, leaf, &entry);
    if (leaf->out_dir) {
        code = kz_ca_make_dir(leaf->out_dir, err);
        if (!code) code = kz_ca_join(key_path, err, "%s/%s.key", leaf->out_dir, leaf->name);
    } else {
        code = kz_ca_join(key_path, err, "%s/%s/%s.key", ca->dir, is_node ? "nodes" : "users", leaf->name);
    }
    if (!code) code = check_unused(ca, leaf, key_path, err);
    return code ? code : issue_into(ca, leaf, &entry, key_path, err);
}

static enum kz_code renew_issuer(struct kz_ca *ca, const struct kz_ca_entry *old, int days, struct kz_err *err)
{
    enum kz_ca_issuer which = KZ_CA_ROOT;
    while (which < KZ_CA_USERS && strcmp(old->name, kz_ca_issuer_name(which)) != 0)
        which++;
    struct kz_ca_signer issuer, root;
    kz_ca_signer_init(&issuer);
    kz_ca_signer_init(&root);
    int64_t not_after = kz_ca_now() + (int64_t)(days ? days : KZ_CA_DEFAULT_DAYS) * KZ_CA_DAY_SECONDS;
    enum kz_code code = kz_ca_signer_load(ca, which, &issuer, err);
    if (!code) code = kz_ca_signer_load(ca, KZ_CA_ROOT, &root, err);
    if (!code) code = kz_ca_sign_issuer(ca, which, &issuer.key, &root.key, not_after, err);
    if (!code) code = kz_ca_write_bundle(ca, err);
    kz_ca_signer_fini(&root);
    kz_ca_signer_fini(&issuer);
    return code;
}

static enum kz_code renew_leaf(struct kz_ca *ca, const struct kz_ca_entry *old, int days, struct kz_err *err)
{
    char path[KZ_CA_PATH_BYTES];
    struct kz_ca_entry entry = *old;
    struct kz_ca_leaf leaf = {.not_after = days ? kz_ca_now() + (int64_t)days * KZ_CA_DAY_SECONDS : 0};
    mbedtls_x509_crt current;
    struct kz_buf chain;
    mbedtls_x509_crt_init(&current);
    kz_buf_init(&chain, KZ_CA_FILE_MAX_BYTES);
    default_times(ca, entry.issuer, &leaf, &entry);
    kz_ca_path(ca, &entry, "pem", path, sizeof path);
    enum kz_code code = kz_ca_read_certificate(path, &current, err);
    if (!code) code = make_leaf(ca, &entry, &current.pk, NULL, &chain, err);
    if (!code) code = kz_ca_write_file(path, chain.data, chain.size_bytes, 0644, true, err);
    kz_buf_fini(&chain);
    mbedtls_x509_crt_free(&current);
    return code;
}

enum kz_code kz_ca_renew(struct kz_ca *ca, const char *ref, int days, struct kz_err *err)
{
    const struct kz_ca_entry *found;
    if (days < 0 || days > KZ_CA_DAYS_MAX) return kz_fail(err, KZ_USAGE, "days: from 1 to %d", KZ_CA_DAYS_MAX);
    enum kz_code code = kz_ca_find(ca, ref, &found, err);
    if (code) return code;
    if (found->revoked_at)
        return kz_fail(err, KZ_CONFLICT, "%s is revoked and stays so: move its key away and issue a new one", ref);
    struct kz_ca_entry old = *found; /* the index grows below */
    return old.kind == KZ_CA_KIND_CA ? renew_issuer(ca, &old, days, err) : renew_leaf(ca, &old, days, err);
}

enum kz_code kz_ca_revoke(struct kz_ca *ca, const char *ref, size_t *count, struct kz_err *err)
{
    const struct kz_ca_entry *found;
    *count = 0;
    enum kz_code code = kz_ca_find(ca, ref, &found, err);
    if (code) return code;
    if (found->kind == KZ_CA_KIND_CA && strcmp(found->name, "root") == 0)
        return kz_fail(err, KZ_USAGE, "the root cannot revoke itself: make a new authority and new certificates");
    bool one = strcmp(found->serial, ref) == 0;
    for (size_t i = 0; i < ca->index.count; i++) {
        struct kz_ca_entry *e = &ca->index.entries[i];
        bool same = one ? e == found : e->kind == found->kind && strcmp(e->name, found->name) == 0;
        if (!same || e->revoked_at) continue;
        e->revoked_at = kz_ca_now();
        (*count)++;
    }
    if (*count == 0) return kz_fail(err, KZ_CONFLICT, "%s is revoked already", ref);
    code = kz_ca_write_index(ca, err);
    return code ? code : kz_ca_write_crl(ca, 0, err);
}
