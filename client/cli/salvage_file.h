/* SPDX-License-Identifier: Apache-2.0 */
/* A salvage on disk. Written beside its place and moved there whole, never over another file; every byte is covered by
 * a hash. One thread.
 *
 *   0          8
 *   +----------+--------+----------------------+-----+----------+---------+
 *   | KZSALV01 | u32 n  | n bytes: SalvageHead | ... | u32 0    | SHA-256 |   integers big-endian
 *   +----------+--------+----------------------+-----+----------+---------+
 *                then the same for each SalvageItem    of all bytes before it */
#ifndef KZ_CLIENT_CLI_SALVAGE_FILE_H
#define KZ_CLIENT_CLI_SALVAGE_FILE_H

#include "client/cli/error.h"
#include "client/cli/salvage.h"

/* NULL, or the error, which is the caller's. */
Kz__Error *kz_salvage_file_write(const char *path, const struct kz_salvage *salvage);
Kz__Error *kz_salvage_file_read(const char *path, struct kz_salvage *salvage);

#endif
