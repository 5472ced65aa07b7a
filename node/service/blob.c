/* SPDX-License-Identifier: Apache-2.0 */
#include "node/service/blob.h"

#include "node/service/query.h"
#include "node/store/blob.h"

static void fail(struct kz_request *request, enum kz_code code, const struct kz_err *err)
{
    if (code == KZ_NOT_FOUND)
        kz_request_fail(request, KZ_FAULT_NO_CONTENT, NULL);
    else
        kz_query_fail(request, code, err);
}

static void answer(struct kz_request *request, Kz__BlobResult *result)
{
    Kz__Response response = KZ__RESPONSE__INIT;
    response.blob = result;
    kz_request_reply(request, &response);
}

static void answer_chunk(struct kz_request *request, struct kz_view *view)
{
    const Kz__BlobRequest *asked = request->message->blob;
    Kz__BlobResult result = KZ__BLOB_RESULT__INIT;
    struct kz_err err = {0};
    const uint8_t *data = NULL;
    size_t size = 0;
    enum kz_code code = kz_view_content(view, asked->content.data, &result.size, &err);
    if (code == KZ_OK && asked->has_chunk)
        code = kz_view_chunk(view, asked->content.data, asked->chunk, &data, &size, &err);
    if (code != KZ_OK) {
        fail(request, code, &err);
        return;
    }
    result.has_size = true;
    result.has_data = asked->has_chunk;
    result.data = (ProtobufCBinaryData){size, (uint8_t *)(uintptr_t)data}; /* packed only */
    answer(request, &result);
}

static void answer_missing(struct kz_request *request, struct kz_view *view)
{
    const ProtobufCBinaryData *chunks = &request->message->blob->chunks;
    Kz__BlobResult result = KZ__BLOB_RESULT__INIT;
    uint32_t missing[KZ_BLOB_CHUNKS_MAX];
    struct kz_err err = {0};
    result.missing = missing;
    for (uint32_t at = 0; at < chunks->len / KZ_HASH_BYTES; at++) {
        bool there = false;
        enum kz_code code = kz_view_has_chunk(view, chunks->data + (size_t)at * KZ_HASH_BYTES, &there, &err);
        if (code != KZ_OK) {
            fail(request, code, &err);
            return;
        }
        if (!there) missing[result.n_missing++] = at;
    }
    answer(request, &result);
}

void kz_blob_answer(struct kz_request *request, struct kz_view *view)
{
    const Kz__BlobRequest *asked = request->message->blob;
    bool whole_hashes =
        asked->chunks.len % KZ_HASH_BYTES == 0 && asked->chunks.len <= KZ_BLOB_CHUNKS_MAX * KZ_HASH_BYTES;
    if (asked->has_content ? asked->content.len != KZ_HASH_BYTES : !whole_hashes)
        kz_request_fail(request, KZ_FAULT_BLOB_FORM, NULL);
    else if (asked->has_content)
        answer_chunk(request, view);
    else
        answer_missing(request, view);
}
