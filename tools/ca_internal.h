/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the authority share: ca.c (folder, create), ca_sign.c (issuers, signing, CRL), ca_leaf.c (issue,
 * renew, revoke). Not for users of tools/ca.h. One thread. */
#ifndef KZ_TOOLS_CA_INTERNAL_H
#define KZ_TOOLS_CA_INTERNAL_H

#include "node/base/buf.h"
#include "tools/ca.h"
#include "tools/ca_files.h"
#include "tools/ca_index.h"
#include "tools/ca_x509.h"

#define KZ_CA_FILE_MAX_BYTES (64u << 20)
#define KZ_CA_SUBJECT_BYTES 256
#define KZ_CA_SKEW_SECONDS 300 /* sites' clocks differ a little */
#define KZ_CA_DAY_SECONDS 86400

struct kz_ca {
    char dir[KZ_CA_PATH_BYTES];    /* paths inside are checked by kz_ca_join */
    char *cluster, *trust, *curve; /* owned; read from ca.conf */
    int lock_fd;
    struct kz_ca_rng rng;
    struct kz_ca_index index;
};

/* An issuer's key and certificate, alive during one operation. */
struct kz_ca_signer {
    mbedtls_pk_context key;
    mbedtls_x509_crt certificate;
};

int64_t kz_ca_now(void); /* seconds since the epoch */
enum kz_ca_curve kz_ca_curve_of(const struct kz_ca *ca);
enum kz_code kz_ca_write_index(struct kz_ca *ca, struct kz_err *err) KZ_MUST_CHECK;

/* init, load, fini; fini is needed after a failed load too. */
void kz_ca_signer_init(struct kz_ca_signer *signer);
void kz_ca_signer_fini(struct kz_ca_signer *signer);
enum kz_code kz_ca_signer_load(struct kz_ca *ca, enum kz_ca_issuer which, struct kz_ca_signer *signer,
                               struct kz_err *err) KZ_MUST_CHECK;

/* The issuer's subject as mbedTLS takes names, into KZ_CA_SUBJECT_BYTES. */
void kz_ca_describe_issuer(const struct kz_ca *ca, enum kz_ca_issuer which, char *out);

/* `out` is initialised and freed by the caller. */
enum kz_code kz_ca_read_certificate(const char *path, mbedtls_x509_crt *out, struct kz_err *err) KZ_MUST_CHECK;

/* A new key file of mode 0600; KZ_CONFLICT when there is one. */
enum kz_code kz_ca_write_key(mbedtls_pk_context *key, const char *path, struct kz_err *err) KZ_MUST_CHECK;

/* Gives `c` a serial and the entry's times, signs it, appends it to `pem`, writes the index line. */
enum kz_code kz_ca_sign(struct kz_ca *ca, struct kz_ca_certificate *c, struct kz_ca_entry *entry, struct kz_buf *pem,
                        struct kz_err *err) KZ_MUST_CHECK;

/* Root, nodes or users: signs the certificate for `key` and writes private/<name>.pem. */
enum kz_code kz_ca_sign_issuer(struct kz_ca *ca, enum kz_ca_issuer which, mbedtls_pk_context *key,
                               mbedtls_pk_context *root_key, int64_t not_after, struct kz_err *err) KZ_MUST_CHECK;

/* ca.pem from the newest certificates in private/. */
enum kz_code kz_ca_write_bundle(struct kz_ca *ca, struct kz_err *err) KZ_MUST_CHECK;

#endif
