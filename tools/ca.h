/* SPDX-License-Identifier: Apache-2.0 */
/* A certificate authority in a folder: root, one intermediate for nodes and one for people, leaves, revocation.
 * What the program keizoku-ca does, as a library, so that unit tests can make real certificates in milliseconds.
 * It does not connect anywhere, and keeps no leaf key that it did not make. Not thread-safe; several processes
 * may work on one folder (it is locked while open).
 *
 *   <dir>/ca.conf             cluster, trust domain, curve
 *   <dir>/index               one line per certificate ever made
 *   <dir>/ca.pem              root, nodes and users intermediates: what everyone trusts
 *   <dir>/crl.pem             one CRL per issuer, root included
 *   <dir>/private/<ca>.{pem,key}      root, nodes, users
 *   <dir>/nodes/<name>.{pem,key}      leaf followed by its intermediate; the key has mode 0600
 *   <dir>/users/<name>.{pem,key}
 */
#ifndef KZ_TOOLS_CA_H
#define KZ_TOOLS_CA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/base/err.h"

#define KZ_CA_DEFAULT_DAYS 3650
#define KZ_CA_LEAF_DEFAULT_DAYS 730
#define KZ_CA_CRL_DEFAULT_DAYS 30
#define KZ_CA_DAYS_MAX 36500
#define KZ_CA_ADDRESSES_MAX 16
#define KZ_CA_NAME_BYTES 65        /* a slug of KZ_NAME_MAX_BYTES and NUL */
#define KZ_CA_SERIAL_TEXT_BYTES 33 /* 128 bits in hex and NUL */
#define KZ_CA_ADDRESSES_TEXT_BYTES 1024

enum kz_ca_curve { KZ_CA_P256, KZ_CA_P384 };
enum kz_ca_issuer { KZ_CA_ROOT, KZ_CA_NODES, KZ_CA_USERS, KZ_CA_ISSUERS };
enum kz_ca_kind { KZ_CA_KIND_CA, KZ_CA_KIND_NODE, KZ_CA_KIND_USER };
#define KZ_CA_EKU_SERVER 1u
#define KZ_CA_EKU_CLIENT 2u
#define KZ_CA_EKU_ABSENT 4u /* no such extension */

struct kz_ca_options {
    const char *cluster; /* slug */
    const char *trust;   /* SPIFFE trust domain; NULL = "keizoku" */
    enum kz_ca_curve curve;
    int days; /* life of root and intermediates; 0 = default */
};

/* Certificates that a correct authority never makes, for the tests of those who must refuse them. The program
 * leaves this NULL. */
struct kz_ca_deviation {
    const char *uri;          /* instead of the spiffe:// name; "" = no URI */
    const char *second_uri;   /* a second URI SAN */
    const char *unit;         /* OU of the subject */
    enum kz_ca_issuer issuer; /* used only when `other_issuer` */
    bool other_issuer;
    unsigned usage; /* KZ_CA_EKU_*; 0 = the right one */
};

/* What to issue. All text is borrowed for the call. */
struct kz_ca_leaf {
    enum kz_ca_kind kind;  /* NODE or USER */
    const char *name;      /* slug */
    const char *role;      /* users: reader reporter operator approver auditor backup peer */
    const char *addresses; /* nodes: DNS names and IP addresses, comma separated; NULL for users */
    int64_t not_before;    /* seconds since the epoch; 0 = five minutes ago */
    int64_t not_after;     /* 0 = default; never past the issuer's end unless out of the past */
    const char *out_dir;   /* put <name>.pem, <name>.key, ca.pem and crl.pem there; NULL = inside the authority */
    const struct kz_ca_deviation *deviation;
};

/* One line of the index. */
struct kz_ca_entry {
    char serial[KZ_CA_SERIAL_TEXT_BYTES];
    enum kz_ca_issuer issuer;
    enum kz_ca_kind kind;
    char name[KZ_CA_NAME_BYTES];
    char role[16]; /* "node", "ca" or the user's role */
    char addresses[KZ_CA_ADDRESSES_TEXT_BYTES];
    int64_t not_before, not_after; /* seconds since the epoch */
    int64_t revoked_at;            /* 0 = not revoked */
};

struct kz_ca; /* owned by the caller between open and close */

/* Makes the folder (it must not hold an authority yet), keys, ca.pem and crl.pem. KZ_CONFLICT if there is one. */
enum kz_code kz_ca_create(const char *dir, const struct kz_ca_options *options, struct kz_err *err) KZ_MUST_CHECK;

/* Opens and locks; waits for another process that has it open. */
enum kz_code kz_ca_open(const char *dir, struct kz_ca **out, struct kz_err *err) KZ_MUST_CHECK;
void kz_ca_close(struct kz_ca *ca); /* NULL is legal */

const char *kz_ca_cluster(const struct kz_ca *ca); /* borrowed until close */
const char *kz_ca_trust(const struct kz_ca *ca);

/* Makes a key and a certificate. Never overwrites a key: KZ_CONFLICT. */
enum kz_code kz_ca_issue(struct kz_ca *ca, const struct kz_ca_leaf *leaf, struct kz_err *err) KZ_MUST_CHECK;

/* A new certificate for the same key and names. `ref` as in kz_ca_find. days 0 = default. */
enum kz_code kz_ca_renew(struct kz_ca *ca, const char *ref, int days, struct kz_err *err) KZ_MUST_CHECK;

/* Marks every live certificate of `ref` (or the one with that serial) revoked and writes crl.pem anew. */
enum kz_code kz_ca_revoke(struct kz_ca *ca, const char *ref, size_t *count, struct kz_err *err) KZ_MUST_CHECK;

/* Writes crl.pem anew. days 0 = default; negative = a CRL that is already out of date (for tests). */
enum kz_code kz_ca_write_crl(struct kz_ca *ca, int days, struct kz_err *err) KZ_MUST_CHECK;

/* `ref` is a serial in hex, NAME, node/NAME, user/NAME or ca/root|nodes|users. The newest entry, borrowed until
 * the next change; a NAME that is both a node and a user is KZ_USAGE, nothing found KZ_NOT_FOUND. */
enum kz_code kz_ca_find(const struct kz_ca *ca, const char *ref, const struct kz_ca_entry **out,
                        struct kz_err *err) KZ_MUST_CHECK;
size_t kz_ca_count(const struct kz_ca *ca);
const struct kz_ca_entry *kz_ca_at(const struct kz_ca *ca, size_t i); /* in order of issue */

/* Where a certificate of the authority is kept; `suffix` "pem" or "key". */
void kz_ca_path(const struct kz_ca *ca, const struct kz_ca_entry *entry, const char *suffix, char *out,
                size_t out_bytes);

#endif
