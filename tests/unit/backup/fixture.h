/* SPDX-License-Identifier: Apache-2.0 */
/* A filled store, an authority with people, an offline key, and backups made of them as the client makes them. One
 * world for all tests of a program. Everything here fails the test by itself when it does not succeed. One thread. */
#ifndef KZ_TEST_BACKUP_FIXTURE_H
#define KZ_TEST_BACKUP_FIXTURE_H

#include "client/tls.h"
#include "node/backup/restore.h"
#include "tests/unit/store/fixture.h"
#include "tools/ca.h"

struct backup_world {
    char root[64];
    int64_t now_ms; /* when the world was made: certificates are valid from a few minutes before */
    struct fixture store;
    struct kz_ca *ours, *theirs;
    struct kz_tls_trust *trust;
    struct kz_backup_key key, other_key;
    enum kz_text_id reason; /* of the last judgement */
    /* What was judged good: judging is slow, and the same bytes get the same verdict. */
    uint8_t good_hash[KZ_BACKUP_HASH_BYTES], good_signature[KZ_BACKUP_SIGNATURE_ROOM_BYTES];
    size_t good_bytes;
};
extern struct backup_world world;

int world_set_up(void **state); /* cmocka's group set-up and tear-down */
int world_tear_down(void **state);
void world_path(const char *name, char out[128]);

/* The person's identity; kz_tls_identity_free. Issues the certificate the first time. `ca` NULL: ours. */
struct kz_tls_identity *world_identity(struct kz_ca *ca, const char *user, const char *role, int64_t not_before,
                                       int64_t not_after);
void world_trust(bool with_crl); /* reads our authority's files anew */

struct recipe {
    struct kz_tls_identity *signer; /* NULL: "keeper", role backup */
    const char *saved_by;           /* NULL: the signer */
    const char *cluster;            /* NULL: ours */
    int64_t saved_ms;               /* 0: now */
    const uint8_t *state_hash;      /* NULL: the store's */
    size_t room;                    /* of a chunk; 0: the most */
    bool both_keys;
};
void world_save(const char *path, const struct recipe *recipe);

enum kz_backup_fault world_judge(void *data, const Kz__BackupManifest *manifest,
                                 const uint8_t hash[KZ_BACKUP_HASH_BYTES], const uint8_t *signature, size_t size_bytes,
                                 struct kz_err *err);
/* Opens, checks head and content: the first fault. `out` (may be NULL) is open afterwards when there was none. */
enum kz_backup_fault world_check(const char *path, struct kz_backup_file **out);

#endif
