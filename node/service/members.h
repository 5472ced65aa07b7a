/* SPDX-License-Identifier: Apache-2.0 */
/* Who belongs to the cluster, as the raft configuration says; the [peer.*] sections of the configuration file only
 * found a new cluster and tell a joining node whom to ask. Keeps the transport's peers equal to the members and
 * remembers who left, so that a removed node is refused. Changes no membership itself (change.h). Loop thread. */
#ifndef KZ_SERVICE_MEMBERS_H
#define KZ_SERVICE_MEMBERS_H

#include "node/service/node.h"

#define KZ_MEMBER_NAME_BYTES (KZ_NAME_MAX_BYTES + 1)
#define KZ_MEMBER_ADDRESS_BYTES 264u /* host:port of 253 + 1 + 5, brackets, NUL */

struct kz_cluster_member {
    uint64_t id;
    char name[KZ_MEMBER_NAME_BYTES];
    char address[KZ_MEMBER_ADDRESS_BYTES]; /* host:port */
    bool voter;
    bool observer; /* a standby that is not meant to be promoted */
};

/* A server's address in the raft configuration is "name@host:port", or "name@host:port;observer". Releases before
 * membership changes stored "host:port" alone: `name` is "" then. False: it is none of these. */
bool kz_member_parse(const char *server, struct kz_cluster_member *out);
/* `out` has KZ_ADDRESS_MAX_BYTES (replica.h). False: name or address cannot stand there. */
bool kz_member_format(const char *name, const char *address, bool observer, char *out);

struct kz_members;

/* Reads what is remembered; until kz_members_update finds a configuration, the members are the file's. */
enum kz_code kz_members_open(struct kz_node *node, struct kz_err *err) KZ_MUST_CHECK;
void kz_members_free(struct kz_members *members);
/* Takes over the replica's configuration if it is another one: transport and status follow. Cheap if it is not. */
void kz_members_update(struct kz_node *node);

/* Borrowed until the next update. */
const struct kz_cluster_member *kz_members_list(const struct kz_node *node, size_t *count);
const struct kz_cluster_member *kz_members_find(const struct kz_node *node, uint64_t id);
const struct kz_cluster_member *kz_members_find_name(const struct kz_node *node, const char *name);
size_t kz_members_voters(const struct kz_node *node);
/* Of a member, or of one that was; "" when unknown. */
const char *kz_members_name(const struct kz_node *node, uint64_t id);
bool kz_members_was(const struct kz_node *node, const char *name);    /* it was one, and is none now */
bool kz_members_was_removed(const struct kz_node *node, uint64_t id); /* a committed change took it out */
/* The others say that we were: nobody leads us any more, and waiting for a leader is in vain. */
bool kz_members_removed_us(const struct kz_node *node);
/* Ids only go up, so that a node that was away can tell a new member from one that was removed. */
uint64_t kz_members_least_free_id(const struct kz_node *node);
/* May a node with this hello talk to us? `why`: KZ_TRANSPORT_WHY_BYTES. */
Kz__Refusal kz_members_check(const struct kz_node *node, const Kz__Hello *hello, char *why);

#endif
