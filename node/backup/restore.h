/* SPDX-License-Identifier: Apache-2.0 */
/* A checked and unlocked backup into a data directory: a new cluster of one voter, or a scratch copy to prove that it
 * can be. Uses the real store: rows are checked as they are imported, the whole is scrubbed and compared with the
 * manifest before there is anything that a node would start on. One thread. */
#ifndef KZ_BACKUP_RESTORE_H
#define KZ_BACKUP_RESTORE_H

#include "node/backup/backup.h"

struct kz_restore_options {
    const char *directory;  /* made when missing; must hold nothing, or only what a killed restore left */
    const char *cluster_id; /* of the new cluster */
    uint64_t node_id;
    const char *address; /* of its one voter, as it stands in the raft configuration */
};

/* After kz_backup_check_content and kz_backup_unlock. Everything is made in `directory`/restoring; the last step moves
 * the finished data file out of it in one rename. Killed before that, no node starts there, and the next restore
 * begins anew. */
enum kz_backup_fault kz_restore(struct kz_backup_file *file, const struct kz_restore_options *options,
                                const struct kz_backup_progress *progress, struct kz_err *err) KZ_MUST_CHECK;

/* The same into an empty `folder` that the caller throws away, without a new cluster. */
enum kz_backup_fault kz_restore_scratch(struct kz_backup_file *file, const char *folder,
                                        const struct kz_backup_progress *progress, struct kz_err *err) KZ_MUST_CHECK;

#endif
