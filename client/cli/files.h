/* SPDX-License-Identifier: Apache-2.0 */
/* The files of `apply -f`: one file, standard input, or a folder's *.yaml *.yml *.json in name order. One thread. */
#ifndef KZ_CLIENT_CLI_FILES_H
#define KZ_CLIENT_CLI_FILES_H

#include "client/cli/error.h"
#include "client/codec/decode.h"

struct kz_files {
    char **names; /* owned; places point at them */
    size_t count;
    struct kz_tree tree;
    struct kz_entries entries;
};

/* NULL, or the error: unreadable, empty, or every problem of every file. To be finished in both cases. */
Kz__Error *kz_files_read(struct kz_files *files, const char *path);
/* One file's bytes, or standard input's ("-"); one more than KZ_DOCUMENT_MAX_BYTES at most. */
Kz__Error *kz_files_read_bytes(const char *path, struct kz_buf *out);
/* Into a new file that then takes the old one's place: one cut short must not look like one. What it holds may be
 * confidential, so only its owner may read it. 0, or errno. */
int kz_files_write(const char *path, const struct kz_buf *bytes);
void kz_files_fini(struct kz_files *files);

#endif
