/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of proto/wire.h out of and into a byte stream. Limits are checked before anything is allocated. Knows
 * nothing of what the payloads mean. One thread per reader. */
#ifndef KZ_NET_FRAME_H
#define KZ_NET_FRAME_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/base/arena.h"
#include "node/base/buf.h"
#include "node/base/err.h"
#include "node/net/stream.h"
#include "proto/wire.h"

struct kz_frame {
    enum kz_frame_type type;
    uint32_t stream;
    const uint8_t *payload; /* borrowed for the call */
    size_t size_bytes;
};

#define KZ_FRAME_TYPE_BIT(type) (1u << (type))

/* A frame that fills slower than this is a slow-loris. */
#define KZ_FRAME_RATE_MIN_BYTES_PER_S 1024u
#define KZ_FRAME_RATE_GRACE_MS 5000u

/* What a decoded message may take: a factor for many small strings and labels, and room for the structs of a full
 * command of KZ_MUTATIONS_MAX nearly empty records. */
#define KZ_FRAME_DECODE_FACTOR 16u
#define KZ_FRAME_DECODE_EXTRA_BYTES (2u << 20)

struct kz_frame_reader {
    uint32_t types;        /* KZ_FRAME_TYPE_BIT of what may arrive */
    uint32_t max_bytes;    /* of a payload */
    struct kz_buf partial; /* a frame of which not all is here, header included */
    uint64_t began_ms;     /* kz_frame_reader_late: when the partial frame was first seen */
    bool failed;
};

void kz_frame_reader_init(struct kz_frame_reader *reader, uint32_t types, uint32_t max_bytes);
void kz_frame_reader_fini(struct kz_frame_reader *reader);

/* Calls `on_frame` for each complete frame. When that returns false the rest of the bytes is dropped and the reader
 * is not touched again (it may have been freed): KZ_OK. KZ_PROTOCOL for an unknown type, a set reserved field or an
 * oversize frame: the connection cannot go on, every further call fails. */
enum kz_code kz_frame_reader_feed(struct kz_frame_reader *reader, const uint8_t *bytes, size_t size_bytes,
                                  bool (*on_frame)(void *data, const struct kz_frame *frame), void *data,
                                  struct kz_err *err) KZ_MUST_CHECK;

/* True when a frame has been arriving for longer than the grace and slower than the minimum rate. Call it from a
 * timer with a monotonic time. */
bool kz_frame_reader_late(struct kz_frame_reader *reader, uint64_t now_ms);

/* Decode a payload with bounded memory from `arena`, which sets its limit from the payload's size. The message lives
 * until the arena is reset; do not free it. NULL for anything malformed or too big when unfolded. */
ProtobufCMessage *kz_frame_unpack(struct kz_arena *arena, const ProtobufCMessageDescriptor *descriptor,
                                  const uint8_t *payload, size_t size_bytes);

/* Header and message at the end of `out` (sticky error there). `message` NULL = empty payload. KZ_TOO_BIG past
 * `max_bytes`, nothing written; KZ_NO_MEMORY. */
enum kz_code kz_frame_add(struct kz_buf *out, enum kz_frame_type type, uint32_t stream, const ProtobufCMessage *message,
                          uint32_t max_bytes) KZ_MUST_CHECK;

/* The same straight into a stream's queue: one copy less. Also KZ_BUSY and KZ_UNREACHABLE as kz_stream_write, which
 * need no handling because on_close tells. */
enum kz_code kz_frame_write(struct kz_stream *stream, enum kz_frame_type type, uint32_t stream_id,
                            const ProtobufCMessage *message, uint32_t max_bytes);

#endif
