/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/ca.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include <mbedtls/platform_util.h>

#include "node/base/buf.h"
#include "node/base/config.h"
#include "tools/ca_files.h"
#include "tools/ca_index.h"
#include "tools/ca_x509.h"

#define FILE_MAX_BYTES (64u << 20)
#define SUBJECT_BYTES 256
#define URI_BYTES 400
#define SKEW_SECONDS 300 /* sites' clocks differ a little */
#define DAY_SECONDS 86400
#define DEFAULT_TRUST "keizoku"

struct kz_ca {
    char dir[KZ_CA_PATH_BYTES];    /* paths inside are checked by kz_ca_join */
    char *cluster, *trust, *curve; /* owned; read from ca.conf */
    int lock_fd;
    struct kz_ca_rng rng;
    struct kz_ca_index index;
};

/* An issuer's key and certificate, alive during one operation. */
struct issuer {
    mbedtls_pk_context key;
    mbedtls_x509_crt certificate;
};

static int64_t now_seconds(void) { return (int64_t)time(NULL); }

static enum kz_ca_curve curve_of(const struct kz_ca *ca)
{
    return ca->curve && strcmp(ca->curve, "p384") == 0 ? KZ_CA_P384 : KZ_CA_P256;
}

/* --- the folder ---------------------------------------------------------------------------------------------- */

static enum kz_code take_lock(struct kz_ca *ca, struct kz_err *err)
{
    char path[KZ_CA_PATH_BYTES];
    enum kz_code code = kz_ca_join(path, err, "%s/lock", ca->dir);
    if (code) return code;
    ca->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (ca->lock_fd < 0) {
        if (errno == ENOENT)
            return kz_fail(err, KZ_NOT_FOUND, "no certificate authority in %s: make one with `keizoku-ca init`",
                           ca->dir);
        return kz_fail(err, errno == EACCES ? KZ_DENIED : KZ_IO, "cannot open %s: %s", path, strerror(errno));
    }
    while (flock(ca->lock_fd, LOCK_EX) != 0)
        if (errno != EINTR) return kz_fail(err, KZ_IO, "cannot lock %s: %s", path, strerror(errno));
    return KZ_OK;
}

static enum kz_code read_conf(struct kz_ca *ca, struct kz_err *err)
{
    static const struct kz_config_row rows[] = {
        {"ca", "cluster", KZ_CONFIG_TEXT, offsetof(struct kz_ca, cluster), 0, 0, NULL, "cluster id"},
        {"ca", "trust", KZ_CONFIG_TEXT, offsetof(struct kz_ca, trust), 0, 0, NULL, "SPIFFE trust domain"},
        {"ca", "curve", KZ_CONFIG_TEXT, offsetof(struct kz_ca, curve), 0, 0, "p256", "p256 or p384"},
    };
    struct kz_config_table table = {rows, sizeof rows / sizeof rows[0], ca, NULL};
    char path[KZ_CA_PATH_BYTES];
    enum kz_code code = kz_ca_join(path, err, "%s/ca.conf", ca->dir);
    if (code) return code;
    if (!kz_ca_exists(path))
        return kz_fail(err, KZ_NOT_FOUND, "no certificate authority in %s: make one with `keizoku-ca init`", ca->dir);
    return kz_config_read(path, &table, err);
}

static enum kz_code read_index(struct kz_ca *ca, struct kz_err *err)
{
    char path[KZ_CA_PATH_BYTES];
    struct kz_buf text;
    kz_buf_init(&text, FILE_MAX_BYTES);
    enum kz_code code = kz_ca_join(path, err, "%s/index", ca->dir);
    if (!code) code = kz_ca_read_file(path, &text, err);
    if (!code) code = kz_ca_index_parse(&ca->index, kz_buf_text(&text), err);
    kz_buf_fini(&text);
    return code;
}

static enum kz_code write_index(struct kz_ca *ca, struct kz_err *err)
{
    char path[KZ_CA_PATH_BYTES];
    struct kz_buf text;
    kz_buf_init(&text, FILE_MAX_BYTES);
    kz_ca_index_print(&ca->index, &text);
    enum kz_code code = text.failed ? kz_fail(err, KZ_NO_MEMORY, "write the index") : KZ_OK;
    if (!code) code = kz_ca_join(path, err, "%s/index", ca->dir);
    if (!code) code = kz_ca_write_file(path, text.data, text.size_bytes, 0600, true, err);
    kz_buf_fini(&text);
    return code;
}

static struct kz_ca *new_ca(const char *dir, struct kz_err *err)
{
    struct kz_ca *ca = calloc(1, sizeof *ca);
    if (!ca) {
        (void)kz_fail(err, KZ_NO_MEMORY, "open %s", dir);
        return NULL;
    }
    ca->lock_fd = -1;
    if (kz_ca_join(ca->dir, err, "%s", dir) || kz_ca_rng_init(&ca->rng, err)) {
        free(ca);
        return NULL;
    }
    return ca;
}

void kz_ca_close(struct kz_ca *ca)
{
    if (!ca) return;
    if (ca->lock_fd >= 0) close(ca->lock_fd);
    kz_ca_index_fini(&ca->index);
    kz_ca_rng_fini(&ca->rng);
    free(ca->cluster);
    free(ca->trust);
    free(ca->curve);
    free(ca);
}

enum kz_code kz_ca_open(const char *dir, struct kz_ca **out, struct kz_err *err)
{
    *out = NULL;
    struct kz_ca *ca = new_ca(dir, err);
    if (!ca) return err ? err->code : KZ_FAILED;
    enum kz_code code = take_lock(ca, err);
    if (!code) code = read_conf(ca, err);
    if (!code) code = read_index(ca, err);
    if (code) {
        kz_ca_close(ca);
        return code;
    }
    *out = ca;
    return KZ_OK;
}

const char *kz_ca_cluster(const struct kz_ca *ca) { return ca->cluster; }
const char *kz_ca_trust(const struct kz_ca *ca) { return ca->trust; }
size_t kz_ca_count(const struct kz_ca *ca) { return ca->index.count; }
const struct kz_ca_entry *kz_ca_at(const struct kz_ca *ca, size_t i) { return &ca->index.entries[i]; }

enum kz_code kz_ca_find(const struct kz_ca *ca, const char *ref, const struct kz_ca_entry **out, struct kz_err *err)
{
    return kz_ca_index_find(&ca->index, ref, out, err);
}

void kz_ca_path(const struct kz_ca *ca, const struct kz_ca_entry *entry, const char *suffix, char *out,
                size_t out_bytes)
{
    static const char *const folders[] = {"private", "nodes", "users"};
    snprintf(out, out_bytes, "%s/%s/%s.%s", ca->dir, folders[entry->kind], entry->name, suffix);
}

/* --- issuers ------------------------------------------------------------------------------------------------- */

static void init_issuer(struct issuer *issuer)
{
    mbedtls_pk_init(&issuer->key);
    mbedtls_x509_crt_init(&issuer->certificate);
}

static void fini_issuer(struct issuer *issuer)
{
    mbedtls_pk_free(&issuer->key);
    mbedtls_x509_crt_free(&issuer->certificate);
}

static enum kz_code read_certificate(const char *path, mbedtls_x509_crt *out, struct kz_err *err)
{
    struct kz_buf pem;
    kz_buf_init(&pem, FILE_MAX_BYTES);
    enum kz_code code = kz_ca_read_file(path, &pem, err);
    if (!code) {
        int ret = mbedtls_x509_crt_parse(out, pem.data, pem.size_bytes + 1);
        if (ret) code = kz_ca_x509_fail(err, ret, path);
    }
    kz_buf_fini(&pem);
    return code;
}

/* `issuer` was initialised and is freed by the caller also on failure. */
static enum kz_code load_issuer(struct kz_ca *ca, enum kz_ca_issuer which, struct issuer *issuer, struct kz_err *err)
{
    char path[KZ_CA_PATH_BYTES];
    struct kz_buf pem;
    kz_buf_init(&pem, FILE_MAX_BYTES);
    enum kz_code code = kz_ca_join(path, err, "%s/private/%s.key", ca->dir, kz_ca_issuer_name(which));
    if (!code) code = kz_ca_read_file(path, &pem, err);
    if (!code && kz_ca_x509_parse_key(&ca->rng, &pem, &issuer->key, err)) code = kz_wrap(err, "%s", path);
    if (pem.data) mbedtls_platform_zeroize(pem.data, pem.size_bytes);
    kz_buf_fini(&pem);
    if (!code) code = kz_ca_join(path, err, "%s/private/%s.pem", ca->dir, kz_ca_issuer_name(which));
    if (!code) code = read_certificate(path, &issuer->certificate, err);
    return code;
}

static void describe_issuer(const struct kz_ca *ca, enum kz_ca_issuer which, char *out)
{
    const char *name = kz_ca_issuer_name(which);
    snprintf(out, SUBJECT_BYTES, "CN=keizoku %s %s,OU=%s,O=%s", ca->cluster, name, name, ca->cluster);
}

/* ca.pem and private/<name>.pem follow from the newest certificates. */
static enum kz_code write_bundle(struct kz_ca *ca, struct kz_err *err)
{
    char path[KZ_CA_PATH_BYTES];
    struct kz_buf pem;
    kz_buf_init(&pem, FILE_MAX_BYTES);
    enum kz_code code = KZ_OK;
    for (int i = 0; i < KZ_CA_ISSUERS && !code; i++) {
        code = kz_ca_join(path, err, "%s/private/%s.pem", ca->dir, kz_ca_issuer_name((enum kz_ca_issuer)i));
        if (!code) code = kz_ca_read_file(path, &pem, err);
    }
    if (!code) code = kz_ca_join(path, err, "%s/ca.pem", ca->dir);
    if (!code) code = kz_ca_write_file(path, pem.data, pem.size_bytes, 0644, true, err);
    kz_buf_fini(&pem);
    return code;
}

static void print_serial(const uint8_t *serial, char *out)
{
    for (int i = 0; i < KZ_CA_SERIAL_BYTES; i++)
        snprintf(out + 2 * i, 3, "%02x", serial[i]);
}

static void parse_serial(const char *text, uint8_t *out)
{
    for (int i = 0; i < KZ_CA_SERIAL_BYTES; i++) {
        char digits[3] = {text[2 * i], text[2 * i + 1], '\0'};
        out[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
}

/* Signs `c` (whose serial is set here), writes the index line first: no certificate exists that cannot be revoked. */
static enum kz_code sign(struct kz_ca *ca, struct kz_ca_certificate *c, struct kz_ca_entry *entry, struct kz_buf *pem,
                         struct kz_err *err)
{
    enum kz_code code = kz_ca_x509_serial(&ca->rng, c->serial, err);
    if (code) return code;
    print_serial(c->serial, entry->serial);
    c->not_before = entry->not_before;
    c->not_after = entry->not_after;
    code = kz_ca_x509_certificate_pem(&ca->rng, c, pem, err);
    if (!code) code = kz_ca_index_add(&ca->index, entry, err);
    return code ? code : write_index(ca, err);
}

/* Root, nodes or users: signs the certificate for `key` and writes private/<name>.pem. */
static enum kz_code sign_issuer(struct kz_ca *ca, enum kz_ca_issuer which, mbedtls_pk_context *key,
                                mbedtls_pk_context *root_key, int64_t not_after, struct kz_err *err)
{
    char subject[SUBJECT_BYTES], root[SUBJECT_BYTES], path[KZ_CA_PATH_BYTES];
    describe_issuer(ca, which, subject);
    describe_issuer(ca, KZ_CA_ROOT, root);
    struct kz_ca_entry entry = {.issuer = KZ_CA_ROOT, .kind = KZ_CA_KIND_CA, .role = "ca"};
    snprintf(entry.name, sizeof entry.name, "%s", kz_ca_issuer_name(which));
    entry.not_before = now_seconds() - SKEW_SECONDS;
    entry.not_after = not_after;
    struct kz_ca_certificate c = {.key = key,
                                  .issuer_key = root_key,
                                  .subject = subject,
                                  .issuer = root,
                                  .authority = true,
                                  .path_length = which == KZ_CA_ROOT ? 1 : 0};
    struct kz_buf pem;
    kz_buf_init(&pem, FILE_MAX_BYTES);
    enum kz_code code = sign(ca, &c, &entry, &pem, err);
    if (!code) code = kz_ca_join(path, err, "%s/private/%s.pem", ca->dir, entry.name);
    if (!code) code = kz_ca_write_file(path, pem.data, pem.size_bytes, 0644, true, err);
    kz_buf_fini(&pem);
    return code;
}

/* --- create -------------------------------------------------------------------------------------------------- */

static enum kz_code write_key(mbedtls_pk_context *key, const char *path, struct kz_err *err)
{
    struct kz_buf pem;
    kz_buf_init(&pem, FILE_MAX_BYTES);
    enum kz_code code = kz_ca_x509_key_pem(key, &pem, err);
    if (!code) code = kz_ca_write_file(path, pem.data, pem.size_bytes, 0600, false, err);
    if (pem.data) mbedtls_platform_zeroize(pem.data, pem.size_bytes);
    kz_buf_fini(&pem);
    return code;
}

static enum kz_code make_issuers(struct kz_ca *ca, int64_t not_after, struct kz_err *err)
{
    mbedtls_pk_context keys[KZ_CA_ISSUERS];
    char path[KZ_CA_PATH_BYTES];
    enum kz_code code = KZ_OK;
    for (int i = 0; i < KZ_CA_ISSUERS; i++)
        mbedtls_pk_init(&keys[i]);
    for (int i = 0; i < KZ_CA_ISSUERS && !code; i++) {
        enum kz_ca_issuer which = (enum kz_ca_issuer)i;
        code = kz_ca_x509_make_key(&ca->rng, curve_of(ca), &keys[i], err);
        if (!code) code = kz_ca_join(path, err, "%s/private/%s.key", ca->dir, kz_ca_issuer_name(which));
        if (!code) code = write_key(&keys[i], path, err);
        if (!code) code = sign_issuer(ca, which, &keys[i], &keys[KZ_CA_ROOT], not_after, err);
    }
    for (int i = 0; i < KZ_CA_ISSUERS; i++)
        mbedtls_pk_free(&keys[i]);
    return code;
}

static enum kz_code check_options(const struct kz_ca_options *options, struct kz_err *err)
{
    if (!options->cluster || !kz_ca_is_slug(options->cluster))
        return kz_fail(err, KZ_USAGE,
                       "cluster id \"%s\": use 1 to 64 of a-z 0-9 . _ - and begin with a letter or digit",
                       options->cluster ? options->cluster : "");
    if (options->trust && !kz_ca_is_slug(options->trust))
        return kz_fail(err, KZ_USAGE, "trust domain \"%s\": use 1 to 64 of a-z 0-9 . _ -", options->trust);
    if (options->days < 0 || options->days > KZ_CA_DAYS_MAX)
        return kz_fail(err, KZ_USAGE, "days: from 1 to %d", KZ_CA_DAYS_MAX);
    return KZ_OK;
}

static enum kz_code make_folders(const char *dir, struct kz_err *err)
{
    static const char *const folders[] = {"", "/private", "/nodes", "/users"};
    char path[KZ_CA_PATH_BYTES];
    enum kz_code code = KZ_OK;
    for (size_t i = 0; i < sizeof folders / sizeof folders[0] && !code; i++) {
        code = kz_ca_join(path, err, "%s%s", dir, folders[i]);
        if (!code) code = kz_ca_make_dir(path, err);
    }
    return code;
}

/* ca.conf comes last: a folder without it is no authority. */
static enum kz_code write_conf(struct kz_ca *ca, struct kz_err *err)
{
    char path[KZ_CA_PATH_BYTES], text[512];
    int n = snprintf(text, sizeof text, "[ca]\ncluster=%s\ntrust=%s\ncurve=%s\n", ca->cluster, ca->trust, ca->curve);
    enum kz_code code = kz_ca_join(path, err, "%s/ca.conf", ca->dir);
    return code ? code : kz_ca_write_file(path, text, (size_t)n, 0600, false, err);
}

static enum kz_code fill_folder(struct kz_ca *ca, const struct kz_ca_options *options, struct kz_err *err)
{
    char path[KZ_CA_PATH_BYTES];
    enum kz_code code = kz_ca_join(path, err, "%s/ca.conf", ca->dir);
    if (!code) code = make_folders(ca->dir, err);
    if (!code) code = take_lock(ca, err);
    if (!code && kz_ca_exists(path))
        code =
            kz_fail(err, KZ_CONFLICT, "there is a certificate authority in %s already: choose another folder", ca->dir);
    ca->cluster = strdup(options->cluster);
    ca->trust = strdup(options->trust ? options->trust : DEFAULT_TRUST);
    ca->curve = strdup(options->curve == KZ_CA_P384 ? "p384" : "p256");
    if (!code && (!ca->cluster || !ca->trust || !ca->curve)) code = kz_fail(err, KZ_NO_MEMORY, "make an authority");
    int days = options->days ? options->days : KZ_CA_DEFAULT_DAYS;
    if (!code) code = make_issuers(ca, now_seconds() + (int64_t)days * DAY_SECONDS, err);
    if (!code) code = write_bundle(ca, err);
    if (!code) code = kz_ca_write_crl(ca, 0, err);
    return code ? code : write_conf(ca, err);
}

enum kz_code kz_ca_create(const char *dir, const struct kz_ca_options *options, struct kz_err *err)
{
    enum kz_code code = check_options(options, err);
    if (code) return code;
    struct kz_ca *ca = new_ca(dir, err);
    if (!ca) return err ? err->code : KZ_FAILED;
    code = fill_folder(ca, options, err);
    kz_ca_close(ca);
    return code;
}

/* --- leaves -------------------------------------------------------------------------------------------------- */

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
        if (e->not_after <= now_seconds()) continue;
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
    entry->not_before = leaf->not_before ? leaf->not_before : now_seconds() - SKEW_SECONDS;
    int64_t from = leaf->not_before ? leaf->not_before : now_seconds();
    entry->not_after = leaf->not_after ? leaf->not_after : from + (int64_t)KZ_CA_LEAF_DEFAULT_DAYS * DAY_SECONDS;
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
    snprintf(subject, SUBJECT_BYTES, "CN=%s,OU=%s,O=%s", entry->name, unit, ca->cluster);
    c->subject = subject;
}

/* The leaf followed by its intermediate: what a TLS server or client sends. */
static enum kz_code make_leaf(struct kz_ca *ca, struct kz_ca_entry *entry, mbedtls_pk_context *key,
                              const struct kz_ca_deviation *deviation, struct kz_buf *chain, struct kz_err *err)
{
    char uri[URI_BYTES], subject[SUBJECT_BYTES], issuer_subject[SUBJECT_BYTES], path[KZ_CA_PATH_BYTES];
    struct kz_ca_certificate c = {.key = key};
    struct issuer issuer;
    init_issuer(&issuer);
    fill_names(ca, entry, deviation, uri, subject, &c);
    describe_issuer(ca, entry->issuer, issuer_subject);
    c.issuer = issuer_subject;
    c.issuer_key = &issuer.key;
    enum kz_code code = load_issuer(ca, entry->issuer, &issuer, err);
    if (!code) code = sign(ca, &c, entry, chain, err);
    if (!code) code = kz_ca_join(path, err, "%s/private/%s.pem", ca->dir, kz_ca_issuer_name(entry->issuer));
    if (!code) code = kz_ca_read_file(path, chain, err);
    fini_issuer(&issuer);
    return code;
}

static enum kz_code copy_file(const char *from, const char *to, struct kz_err *err)
{
    struct kz_buf bytes;
    kz_buf_init(&bytes, FILE_MAX_BYTES);
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
    kz_buf_init(&chain, FILE_MAX_BYTES);
    enum kz_code code = kz_ca_x509_make_key(&ca->rng, curve_of(ca), &key, err);
    if (!code) code = make_leaf(ca, entry, &key, leaf->deviation, &chain, err);
    if (!code) code = write_key(&key, key_path, err);
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

/* --- renew, revoke ------------------------------------------------------------------------------------------- */

static enum kz_code renew_issuer(struct kz_ca *ca, const struct kz_ca_entry *old, int days, struct kz_err *err)
{
    enum kz_ca_issuer which = KZ_CA_ROOT;
    while (which < KZ_CA_USERS && strcmp(old->name, kz_ca_issuer_name(which)) != 0)
        which++;
    struct issuer issuer, root;
    init_issuer(&issuer);
    init_issuer(&root);
    int64_t not_after = now_seconds() + (int64_t)(days ? days : KZ_CA_DEFAULT_DAYS) * DAY_SECONDS;
    enum kz_code code = load_issuer(ca, which, &issuer, err);
    if (!code) code = load_issuer(ca, KZ_CA_ROOT, &root, err);
    if (!code) code = sign_issuer(ca, which, &issuer.key, &root.key, not_after, err);
    if (!code) code = write_bundle(ca, err);
    fini_issuer(&root);
    fini_issuer(&issuer);
    return code;
}

static enum kz_code renew_leaf(struct kz_ca *ca, const struct kz_ca_entry *old, int days, struct kz_err *err)
{
    char path[KZ_CA_PATH_BYTES];
    struct kz_ca_entry entry = *old;
    struct kz_ca_leaf leaf = {.not_after = days ? now_seconds() + (int64_t)days * DAY_SECONDS : 0};
    mbedtls_x509_crt current;
    struct kz_buf chain;
    mbedtls_x509_crt_init(&current);
    kz_buf_init(&chain, FILE_MAX_BYTES);
    default_times(ca, entry.issuer, &leaf, &entry);
    kz_ca_path(ca, &entry, "pem", path, sizeof path);
    enum kz_code code = read_certificate(path, &current, err);
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
        e->revoked_at = now_seconds();
        (*count)++;
    }
    if (*count == 0) return kz_fail(err, KZ_CONFLICT, "%s is revoked already", ref);
    code = write_index(ca, err);
    return code ? code : kz_ca_write_crl(ca, 0, err);
}

/* --- CRL ----------------------------------------------------------------------------------------------------- */

static uint64_t next_crl_number(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

static enum kz_code add_crl(struct kz_ca *ca, enum kz_ca_issuer which, int days, struct kz_buf *pem, struct kz_err *err)
{
    struct issuer issuer;
    init_issuer(&issuer);
    struct kz_ca_revocation *list = calloc(ca->index.count + 1, sizeof *list);
    size_t count = 0;
    for (size_t i = 0; list && i < ca->index.count; i++) {
        const struct kz_ca_entry *e = &ca->index.entries[i];
        if (e->issuer != which || !e->revoked_at) continue;
        parse_serial(e->serial, list[count].serial);
        list[count++].revoked_at = e->revoked_at;
    }
    enum kz_code code = list ? load_issuer(ca, which, &issuer, err) : kz_fail(err, KZ_NO_MEMORY, "make a CRL");
    if (!code) {
        struct kz_ca_crl crl = {.issuer = &issuer.certificate,
                                .issuer_key = &issuer.key,
                                .number = next_crl_number(),
                                .revocations = list,
                                .revocation_count = count};
        crl.next_update = now_seconds() + (int64_t)(days ? days : KZ_CA_CRL_DEFAULT_DAYS) * DAY_SECONDS;
        crl.this_update = now_seconds() - SKEW_SECONDS;
        if (crl.next_update <= crl.this_update) crl.this_update = crl.next_update - DAY_SECONDS;
        code = kz_ca_x509_crl_pem(&ca->rng, &crl, pem, err);
    }
    free(list);
    fini_issuer(&issuer);
    return code;
}

enum kz_code kz_ca_write_crl(struct kz_ca *ca, int days, struct kz_err *err)
{
    char path[KZ_CA_PATH_BYTES];
    struct kz_buf pem;
    kz_buf_init(&pem, FILE_MAX_BYTES);
    enum kz_code code = KZ_OK;
    for (int i = 0; i < KZ_CA_ISSUERS && !code; i++)
        code = add_crl(ca, (enum kz_ca_issuer)i, days, &pem, err);
    if (!code) code = kz_ca_join(path, err, "%s/crl.pem", ca->dir);
    if (!code) code = kz_ca_write_file(path, pem.data, pem.size_bytes, 0644, true, err);
    kz_buf_fini(&pem);
    return code;
}
