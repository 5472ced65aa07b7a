/* SPDX-License-Identifier: Apache-2.0 */
#include "node/net/frame.h"

#include <string.h>

/* What stays allocated for a partial frame between large ones. */
#define KEEP_BYTES (64u << 10)

void kz_frame_reader_init(struct kz_frame_reader *reader, uint32_t types, uint32_t max_bytes)
{
    memset(reader, 0, sizeof *reader);
    reader->types = types;
    reader->max_bytes = max_bytes;
    kz_buf_init(&reader->partial, (size_t)KZ_FRAME_HEADER_BYTES + max_bytes);
}

void kz_frame_reader_fini(struct kz_frame_reader *reader) { kz_buf_fini(&reader->partial); }

/* Layout: proto/wire.h. */
static enum kz_code parse_header(const struct kz_frame_reader *reader, const uint8_t *header, struct kz_frame *out,
                                 struct kz_err *err)
{
    uint32_t size = kz_get_u32(header), type = kz_get_u16(header + 4), zero = kz_get_u16(header + 6);
    if (type >= 32 || !(reader->types & KZ_FRAME_TYPE_BIT(type)))
        return kz_fail(err, KZ_PROTOCOL, "frame of type %u is not expected here", type);
    if (zero != 0) return kz_fail(err, KZ_PROTOCOL, "frame with reserved bytes 0x%04x, must be 0", zero);
    if (size > reader->max_bytes)
        return kz_fail(err, KZ_PROTOCOL, "frame of %u bytes, at most %u are allowed", size, reader->max_bytes);
    out->type = (enum kz_frame_type)type;
    out->stream = kz_get_u32(header + 8);
    out->size_bytes = size;
    return KZ_OK;
}

static void clear_partial(struct kz_frame_reader *reader)
{
    kz_buf_clear(&reader->partial);
    reader->began_ms = 0;
    if (reader->partial.capacity_bytes <= KEEP_BYTES) return;
    size_t limit = reader->partial.limit_bytes;
    kz_buf_fini(&reader->partial);
    kz_buf_init(&reader->partial, limit);
}

static enum kz_code keep(struct kz_frame_reader *reader, const uint8_t *bytes, size_t size_bytes, struct kz_err *err)
{
    kz_buf_add(&reader->partial, bytes, size_bytes);
    if (!reader->partial.failed) return KZ_OK;
    reader->failed = true;
    return kz_fail(err, KZ_NO_MEMORY, "no memory for a frame");
}

/* Moves what completes the partial frame's header, then its payload, out of the input. `*whole` when it did. */
static enum kz_code fill_partial(struct kz_frame_reader *reader, const uint8_t **bytes, size_t *left,
                                 struct kz_frame *frame, bool *whole, struct kz_err *err)
{
    struct kz_buf *partial = &reader->partial;
    *whole = false;
    for (;;) {
        size_t wanted = KZ_FRAME_HEADER_BYTES;
        bool header = partial->size_bytes >= wanted;
        if (header) {
            enum kz_code code = parse_header(reader, partial->data, frame, err);
            if (code) return code;
            wanted += frame->size_bytes;
        }
        size_t missing = wanted - partial->size_bytes;
        size_t n = missing < *left ? missing : *left;
        enum kz_code code = keep(reader, *bytes, n, err);
        if (code) return code;
        *bytes += n;
        *left -= n;
        if (n < missing) return KZ_OK;
        if (!header) continue;
        frame->payload = partial->data + KZ_FRAME_HEADER_BYTES;
        *whole = true;
        return KZ_OK;
    }
}

enum kz_code kz_frame_reader_feed(struct kz_frame_reader *reader, const uint8_t *bytes, size_t size_bytes,
                                  bool (*on_frame)(void *data, const struct kz_frame *frame), void *data,
                                  struct kz_err *err)
{
    struct kz_frame frame;
    if (reader->failed) return kz_fail(err, KZ_PROTOCOL, "the connection is already broken");
    if (reader->partial.size_bytes > 0) {
        bool whole;
        enum kz_code code = fill_partial(reader, &bytes, &size_bytes, &frame, &whole, err);
        if (code) {
            reader->failed = true;
            return code;
        }
        if (!whole) return KZ_OK;
        if (!on_frame(data, &frame)) return KZ_OK;
        clear_partial(reader);
    }
    /* Whole frames are handed over where they lie. */
    while (size_bytes >= KZ_FRAME_HEADER_BYTES) {
        enum kz_code code = parse_header(reader, bytes, &frame, err);
        if (code) {
            reader->failed = true;
            return code;
        }
        if (size_bytes - KZ_FRAME_HEADER_BYTES < frame.size_bytes) break;
        frame.payload = bytes + KZ_FRAME_HEADER_BYTES;
        bytes += KZ_FRAME_HEADER_BYTES + frame.size_bytes;
        size_bytes -= KZ_FRAME_HEADER_BYTES + frame.size_bytes;
        if (!on_frame(data, &frame)) return KZ_OK;
    }
    return keep(reader, bytes, size_bytes, err);
}

bool kz_frame_reader_late(struct kz_frame_reader *reader, uint64_t now_ms)
{
    if (reader->partial.size_bytes == 0) return false;
    if (reader->began_ms == 0) {
        reader->began_ms = now_ms ? now_ms : 1;
        return false;
    }
    uint64_t age_ms = now_ms - reader->began_ms;
    if (age_ms <= KZ_FRAME_RATE_GRACE_MS) return false;
    return reader->partial.size_bytes < (age_ms - KZ_FRAME_RATE_GRACE_MS) * KZ_FRAME_RATE_MIN_BYTES_PER_S / 1000;
}

ProtobufCMessage *kz_frame_unpack(struct kz_arena *arena, const ProtobufCMessageDescriptor *descriptor,
                                  const uint8_t *payload, size_t size_bytes)
{
    arena->limit_bytes = arena->used_bytes + size_bytes * KZ_FRAME_DECODE_FACTOR + KZ_FRAME_DECODE_EXTRA_BYTES;
    return protobuf_c_message_unpack(descriptor, &arena->allocator, size_bytes, payload);
}

static void put_frame(uint8_t *out, enum kz_frame_type type, uint32_t stream, const ProtobufCMessage *message,
                      size_t size_bytes)
{
    kz_put_u32(out, (uint32_t)size_bytes);
    kz_put_u16(out + 4, (uint16_t)type);
    kz_put_u16(out + 6, 0);
    kz_put_u32(out + 8, stream);
    if (message) protobuf_c_message_pack(message, out + KZ_FRAME_HEADER_BYTES);
}

enum kz_code kz_frame_add(struct kz_buf *out, enum kz_frame_type type, uint32_t stream, const ProtobufCMessage *message,
                          uint32_t max_bytes)
{
    size_t size_bytes = message ? protobuf_c_message_get_packed_size(message) : 0;
    if (size_bytes > max_bytes) return KZ_TOO_BIG;
    uint8_t *room = kz_buf_extend(out, KZ_FRAME_HEADER_BYTES + size_bytes);
    if (!room) return KZ_NO_MEMORY;
    put_frame(room, type, stream, message, size_bytes);
    return KZ_OK;
}

enum kz_code kz_frame_write(struct kz_stream *stream, enum kz_frame_type type, uint32_t stream_id,
                            const ProtobufCMessage *message, uint32_t max_bytes)
{
    size_t size_bytes = message ? protobuf_c_message_get_packed_size(message) : 0;
    if (size_bytes > max_bytes) return KZ_TOO_BIG;
    uint8_t *room;
    enum kz_code code = kz_stream_extend(stream, KZ_FRAME_HEADER_BYTES + size_bytes, &room);
    if (code) return code;
    put_frame(room, type, stream_id, message, size_bytes);
    return KZ_OK;
}
