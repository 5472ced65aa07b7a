/* SPDX-License-Identifier: Apache-2.0 */
/* The certificates and rules every TLS connection of this process uses: loaded from files, checked, and replaced
 * at run time without dropping a connection. Opens no socket. Loop thread only; TLS sessions made from it may run
 * on worker threads (node/net/session). Memory exhausted inside the TLS library ends the process
 * (CVE-2025-27810). */
#ifndef KZ_NET_TLS_H
#define KZ_NET_TLS_H

#include <stdbool.h>
#include <stdint.h>

#include "node/base/err.h"
#include "node/net/identity.h"

/* File names and texts are copied. All files are PEM. */
struct kz_tls_config {
    const char *cert_path; /* the leaf, then its intermediate */
    const char *key_path;
    const char *ca_path;  /* root and intermediates; an intermediate's subject OU is "nodes" or "users" */
    const char *crl_path; /* one CRL for every issuer in ca_path, the root included */
    const char *cluster;  /* the cluster id that our certificate and everyone else's must name */
    const char *node;     /* our node name, which the certificate must carry; NULL = do not compare */
};

struct kz_tls; /* owned by the caller of kz_tls_open; must outlive every kz_net using it */

/* Reads and checks everything: key matches certificate, chain leads to the root, intermediates not revoked, a CRL
 * per issuer with a good signature, certificate in its validity and with the right extended key usage, identity of
 * this cluster. A CRL past its next update is logged and reported by kz_tls_health, not refused: an isolated site
 * must still start. KZ_IO for unreadable files, KZ_TLS or KZ_WRONG_CLUSTER otherwise; the text names the file. */
enum kz_code kz_tls_open(struct kz_tls **out, const struct kz_tls_config *config, struct kz_err *err) KZ_MUST_CHECK;
void kz_tls_close(struct kz_tls *tls); /* NULL is legal; no kz_net may still use it */

/* Reads the same files again. On an error the old ones stay in use. Connections go on; those whose certificate is
 * now revoked are cut by the next tick of their kz_net (within a second). */
enum kz_code kz_tls_reload(struct kz_tls *tls, struct kz_err *err) KZ_MUST_CHECK;

/* Whether this process is a node or a person, from its own certificate. Borrowed until the next reload. */
const struct kz_identity *kz_tls_identity(const struct kz_tls *tls);

struct kz_tls_health {
    int64_t certificate_expires_s; /* seconds since the epoch */
    int64_t crl_expires_s;         /* the earliest next update of all CRLs */
    bool certificate_expired;
    bool crl_expired;
    uint64_t generation; /* 1 after open, one more per successful reload */
};

/* As of `now_s` (UTC seconds), for status, metrics and alarms. */
void kz_tls_health(const struct kz_tls *tls, int64_t now_s, struct kz_tls_health *out);

#endif
