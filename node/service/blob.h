/* SPDX-License-Identifier: Apache-2.0 */
/* Answers a BlobRequest from this node's copy: a chunk of an attachment's content, or which chunks are missing here.
 * How fresh the copy must be was decided before (read.h). Loop thread. */
#ifndef KZ_SERVICE_BLOB_H
#define KZ_SERVICE_BLOB_H

#include "node/service/request.h"
#include "node/store/store.h"

/* message->blob is set; the request ends here. `view` is borrowed for the call. */
void kz_blob_answer(struct kz_request *request, struct kz_view *view);

#endif
