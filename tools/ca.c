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

#include "node/base/config.h"
#include "tools/ca_internal.h"

#define DEFAULT_TRUST "keizoku"

int64_t kz_ca_now(void) { return (int64_t)time(NULL); }

enum kz_ca_curve kz_ca_curve_of(const struct kz_ca *ca)
{
    return ca->curve && strcmp(ca->curve, "p384") == 0 ? KZ_CA_P384 : KZ_CA_P256;
}

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
    kz_buf_init(&text, KZ_CA_FILE_MAX_BYTES);
    enum kz_code code = kz_ca_join(path, err, "%s/index", ca->dir);
    if (!code) code = kz_ca_read_file(path, &text, err);
    if (!code) code = kz_ca_index_parse(&ca->index, kz_buf_text(&text), err);
    kz_buf_fini(&text);
    return code;
}

enum kz_code kz_ca_write_index(struct kz_ca *ca, struct kz_err *err)
{
    char path[KZ_CA_PATH_BYTES];
    struct kz_buf text;
    kz_buf_init(&text, KZ_CA_FILE_MAX_BYTES);
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

static enum kz_code make_issuers(struct kz_ca *ca, int64_t not_after, struct kz_err *err)
{
    mbedtls_pk_context keys[KZ_CA_ISSUERS];
    char path[KZ_CA_PATH_BYTES];
    enum kz_code code = KZ_OK;
    for (int i = 0; i < KZ_CA_ISSUERS; i++)
        mbedtls_pk_init(&keys[i]);
    for (int i = 0; i < KZ_CA_ISSUERS && !code; i++) {
        enum kz_ca_issuer which = (enum kz_ca_issuer)i;
        code = kz_ca_x509_make_key(&ca->rng, kz_ca_curve_of(ca), &keys[i], err);
        if (!code) code = kz_ca_join(path, err, "%s/private/%s.key", ca->dir, kz_ca_issuer_name(which));
        if (!code) code = kz_ca_write_key(&keys[i], path, err);
        if (!code) code = kz_ca_sign_issuer(ca, which, &keys[i], &keys[KZ_CA_ROOT], not_after, err);
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
    if (!code) code = make_issuers(ca, kz_ca_now() + (int64_t)days * KZ_CA_DAY_SECONDS, err);
    if (!code) code = kz_ca_write_bundle(ca, err);
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
