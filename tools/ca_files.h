/* SPDX-License-Identifier: Apache-2.0 */
/* Whole small files: read, replace atomically and durably, create only when new. No parsing. One thread. */
#ifndef KZ_TOOLS_CA_FILES_H
#define KZ_TOOLS_CA_FILES_H

#include <stdbool.h>
#include <sys/types.h>

#include "node/base/buf.h"
#include "node/base/err.h"

#define KZ_CA_PATH_BYTES 4096

/* printf into a path of KZ_CA_PATH_BYTES; too long is KZ_USAGE. */
enum kz_code kz_ca_join(char *out, struct kz_err *err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4))) KZ_MUST_CHECK;

bool kz_ca_exists(const char *path);

/* Makes the folder (and its parents) with mode 0700 when it is not there. */
enum kz_code kz_ca_make_dir(const char *path, struct kz_err *err) KZ_MUST_CHECK;

/* Appends the file to `out` (caller's, initialised; its limit holds) and a NUL that is not counted. An empty file
 * is KZ_CORRUPT: none of ours is. */
enum kz_code kz_ca_read_file(const char *path, struct kz_buf *out, struct kz_err *err) KZ_MUST_CHECK;

/* After a crash the file holds the old bytes or the new ones. `replace` false: KZ_CONFLICT if it exists. */
enum kz_code kz_ca_write_file(const char *path, const void *bytes, size_t size_bytes, mode_t mode, bool replace,
                              struct kz_err *err) KZ_MUST_CHECK;

#endif
