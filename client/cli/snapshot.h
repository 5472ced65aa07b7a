/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs of `keizoku snapshot` share: keys, whom to believe, refusals in both languages, the list. One thread.
 */
#ifndef KZ_CLIENT_CLI_SNAPSHOT_H
#define KZ_CLIENT_CLI_SNAPSHOT_H

#include "client/cli/commands.h"
#include "client/tls.h"
#include "node/backup/backup.h"

#define KZ_SNAPSHOT_SUFFIX ".kzb"
#define KZ_SNAPSHOT_PREFIX "keizoku-"

/* ---- the verbs: exit status; everything printed. `file` is their word, where they take one ---- */

int kz_snapshot_save(struct kz_cli *cli, const char *file);
int kz_snapshot_verify(struct kz_cli *cli, const char *file);
int kz_snapshot_list(struct kz_cli *cli, const char *folder);
int kz_snapshot_restore(struct kz_cli *cli, const char *file);
int kz_snapshot_schedule(struct kz_cli *cli, const char *word);

/* ---- errors ---- */

/* An option that the verb cannot do without. */
int kz_snapshot_fail_missing(struct kz_cli *cli, const char *verb, const char *option);
/* `what` is filled with the subject. */
int kz_snapshot_fail(struct kz_cli *cli, enum kz_backup_fault fault, enum kz_text_id what, const char *subject,
                     const struct kz_err *err);
enum kz_text_id kz_snapshot_why(enum kz_backup_fault fault);

/* ---- keys ---- */

/* `paths` is a comma-separated list of files; 0, or the status of a printed error. *count in: room. */
int kz_snapshot_read_recipients(struct kz_cli *cli, const char *paths, struct kz_backup_key *out, size_t *count);
int kz_snapshot_read_key(struct kz_cli *cli, const char *path, struct kz_backup_key *out);

/* ---- whom to believe ---- */

struct kz_snapshot_trust {
    struct kz_tls_trust *tls; /* NULL: signatures are not judged */
    enum kz_text_id reason;   /* of the last KZ_BACKUP_SIGNER */
};
/* From --ca and --crl. `required` false: none when there is no --ca. */
int kz_snapshot_open_trust(struct kz_cli *cli, bool required, struct kz_snapshot_trust *out);
void kz_snapshot_close_trust(struct kz_snapshot_trust *trust);
enum kz_backup_fault kz_snapshot_judge(void *trust, const Kz__BackupManifest *manifest,
                                       const uint8_t hash[KZ_BACKUP_HASH_BYTES], const uint8_t *signature,
                                       size_t size_bytes, struct kz_err *err);

/* ---- a folder of backups ---- */

struct kz_snapshot_item {
    char *path, *name;            /* owned */
    struct kz_backup_file *file;  /* owned; NULL: it could not even be opened */
    enum kz_backup_fault fault;   /* of the head */
    enum kz_text_id signer_fault; /* with KZ_BACKUP_SIGNER */
    bool judged;
    bool verified, opened; /* by verify: all bytes; restored and compared */
};
struct kz_snapshot_items {
    struct kz_snapshot_item *items; /* owned, newest first, the unreadable at the end */
    size_t count;
};
void kz_snapshot_add_item(struct kz_snapshot_items *items, struct kz_snapshot_trust *trust, const char *folder,
                          const char *name);
int kz_snapshot_read_folder(struct kz_cli *cli, struct kz_snapshot_trust *trust, const char *folder,
                            struct kz_snapshot_items *out);
void kz_snapshot_items_fini(struct kz_snapshot_items *items);

/* As a table, or for programs with everything the manifest says. */
void kz_snapshot_show(const struct kz_view *view, const struct kz_snapshot_items *items, struct kz_buf *out);
void kz_snapshot_add_size(struct kz_buf *out, uint64_t size_bytes); /* "12.3 MiB" */

#endif
