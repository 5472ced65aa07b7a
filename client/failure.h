/* SPDX-License-Identifier: Apache-2.0 */
/* Why a client could not be opened, in sentences that exist in both languages (text_table.h) and what fills them. Plain
 * data. */
#ifndef KZ_CLIENT_FAILURE_H
#define KZ_CLIENT_FAILURE_H

#include "client/cli/text.h"

#define KZ_FAILURE_SUBJECT_BYTES 512
#define KZ_FAILURE_DETAIL_BYTES 512

struct kz_failure {
    enum kz_text_id what, why, hint;        /* filled with {1} subject, {2} detail */
    char subject[KZ_FAILURE_SUBJECT_BYTES]; /* the file, or the part of a list */
    char detail[KZ_FAILURE_DETAIL_BYTES];
};

#endif
