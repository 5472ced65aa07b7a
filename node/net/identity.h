/* SPDX-License-Identifier: Apache-2.0 */
/* Who the other end of a connection is, as its certificate says: one URI SAN
 * `spiffe://<trust>/cluster/<id>/node/<name>` or `/user/<name>`, and a role from the subject's OU. Decides nothing
 * about what a role may do (node/service) and sees no certificate itself (node/net/session). Pure functions. */
#ifndef KZ_NET_IDENTITY_H
#define KZ_NET_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>

#include "node/base/err.h"
#include "proto/wire.h"

enum kz_identity_kind { KZ_IDENTITY_NODE = 1, KZ_IDENTITY_USER = 2 };

/* KZ_ROLE_NONE is what an absent, unknown or doubled OU gives; it may do nothing. */
#define KZ_ROLE_TABLE(X)                                                                                               \
    X(NONE, "none")                                                                                                    \
    X(READER, "reader")                                                                                                \
    X(REPORTER, "reporter")                                                                                            \
    X(OPERATOR, "operator")                                                                                            \
    X(APPROVER, "approver")                                                                                            \
    X(AUDITOR, "auditor")                                                                                              \
    X(BACKUP, "backup")                                                                                                \
    X(PEER, "peer") /* another ministry's cluster */                                                                   \
    X(NODE, "node") /* a node of this cluster */

enum kz_role {
#define X(name, text) KZ_ROLE_##name,
    KZ_ROLE_TABLE(X)
#undef X
};

#define KZ_IDENTITY_TEXT_BYTES (KZ_NAME_MAX_BYTES + 1)

struct kz_identity {
    enum kz_identity_kind kind;
    enum kz_role role; /* KZ_ROLE_NODE exactly when kind is KZ_IDENTITY_NODE */
    char trust[KZ_IDENTITY_TEXT_BYTES];
    char cluster[KZ_IDENTITY_TEXT_BYTES];
    char name[KZ_IDENTITY_TEXT_BYTES];
};

/* `uri` need not be NUL-terminated. Every part is 1..64 of [a-z0-9._-], starting with a letter or digit. Leaves
 * role at KZ_ROLE_NONE. Error KZ_TLS with the reason (SPIFFE ID specification 2.1-2.3). */
enum kz_code kz_identity_parse(const char *uri, size_t size_bytes, struct kz_identity *out,
                               struct kz_err *err) KZ_MUST_CHECK;

/* KZ_ROLE_NONE for anything that is not exactly a role's text. */
enum kz_role kz_role_parse(const char *text, size_t size_bytes);
const char *kz_role_text(enum kz_role role); /* "operator"; "none" for an unknown value */
/* Could `text` be a part of such a URI: the name of a node, user or cluster? */
bool kz_identity_is_name(const char *text);

#endif
