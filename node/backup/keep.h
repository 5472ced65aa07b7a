/* SPDX-License-Identifier: Apache-2.0 */
/* Which generations of backups stay: the last N, or the last of each of the last days, weeks and months that have one.
 * Pure; any thread. */
#ifndef KZ_BACKUP_KEEP_H
#define KZ_BACKUP_KEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KZ_KEEP_MAX 10000u

struct kz_keep {
    unsigned last, days, weeks, months; /* at least one above zero */
};

/* "7", "7d,4w,12m", "3,7d". False: not of that form. */
bool kz_keep_parse(const char *text, struct kz_keep *out);

/* `local_s`: when each was made, seconds since 1970 of the local calendar, newest first. Sets keep[i]; the newest
 * always stays. Weeks begin on Monday. */
void kz_keep_choose(const struct kz_keep *rule, const int64_t *local_s, size_t count, bool *keep);

#endif
