/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of the kinds that keep a plan alive (backups and what is drilled, reviewed, handed out): how fields of one
 * record bear on each other. */
#include "node/registry/check.h"

#include <stdio.h>

#include "node/registry/codes.h"

#define WHERE_BYTES 64

/* ---- backup ---- */

static bool same_copy(const Kz__Backup__Copy *a, const Kz__Backup__Copy *b)
{
    bool same_place = same_text(a->place, b->place) || (!has_text(a->place) && !has_text(b->place));
    return same_text(a->site, b->site) && same_place && a->has_media && b->has_media && a->media == b->media;
}

static void check_copies(struct kz_check *check, const Kz__Backup *backup)
{
    char where[WHERE_BYTES];
    for (size_t i = 1; i < backup->n_copies; i++) {
        for (size_t j = 0; j < i; j++) {
            if (!same_copy(backup->copies[i], backup->copies[j])) continue;
            snprintf(where, sizeof(where), "copies[%zu]", i);
            kz_check_add(check, where, "list.duplicate", "B Step3",
                         "the same place and media stand twice; say which shelf or room, or remove one",
                         "同じ保管場所と媒体が2つあります。保管場所を区別するか、一方を削除してください");
            break;
        }
    }
}

static void check_backup(struct kz_check *check, const Kz__Record *record)
{
    const Kz__Backup *backup = record->backup;
    if (has_text(backup->start) && !kz_code_is_hour_minute(backup->start))
        kz_check_add(check, "start", "time.hour_minute", "B Step 2 表", "not a time of day; write HH:MM, e.g. 01:30",
                     "時刻ではありません。01:30 のように書いてください");
    if (has_text(backup->last_sha256) && !kz_code_is_sha256(backup->last_sha256))
        kz_check_add(check, "last_sha256", "attachment.sha256", NULL, "not a SHA-256; write its 64 hexadecimal digits",
                     "SHA-256ではありません。16進64桁で書いてください");
    if (backup->has_last_result && backup->last_result == KZ__BACKUP__RESULT__SUCCESS && !backup->has_last_success)
        kz_check_add(check, "last_success", "backup.success_when", "G 2.7.1",
                     "the last run succeeded, so say when; or set another result",
                     "直近の結果が成功なら、その日時が必要です。日時を書くか、結果を直してください");
    if (has_text(backup->last_sha256) && !has_text(backup->last_file))
        kz_check_add(check, "last_file", "backup.hash_of_what", NULL,
                     "a hash without its file; name the file or medium, or remove the hash",
                     "ハッシュ値の対象がありません。ファイル名か媒体番号を書くか、ハッシュ値を削除してください");
    check_copies(check, backup);
}

void kz_check_upkeep(struct kz_check *check, const Kz__Record *record)
{
    if (record->kind == KZ__KIND__BACKUP) check_backup(check, record);
}
