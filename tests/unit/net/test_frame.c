/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "node/net/frame.h"
#include "proto/peer.pb-c.h"
#include "proto/service.pb-c.h"

#define MAX_BYTES 1000u
#define TYPES (KZ_FRAME_TYPE_BIT(KZ_FRAME_REQUEST) | KZ_FRAME_TYPE_BIT(KZ_FRAME_CANCEL))

/* Every frame seen, in a form that can be compared. */
struct seen {
    unsigned count, stop_after;
    struct kz_buf text;
};

static bool on_frame(void *data, const struct kz_frame *frame)
{
    struct seen *seen = data;
    kz_buf_addf(&seen->text, "[%d %u %zu ", (int)frame->type, frame->stream, frame->size_bytes);
    kz_buf_add(&seen->text, frame->payload, frame->size_bytes);
    kz_buf_add_text(&seen->text, "]");
    return ++seen->count != seen->stop_after;
}

static void put(struct kz_buf *out, uint32_t size, uint16_t type, uint16_t zero, uint32_t stream, size_t present)
{
    uint8_t *header = kz_buf_extend(out, KZ_FRAME_HEADER_BYTES + present);
    kz_put_u32(header, size);
    kz_put_u16(header + 4, type);
    kz_put_u16(header + 6, zero);
    kz_put_u32(header + 8, stream);
    memset(header + KZ_FRAME_HEADER_BYTES, 'a' + (int)(stream % 26), present);
}

static void frames_come_out_the_same_however_the_bytes_are_cut(void **state)
{
    (void)state;
    struct kz_buf wire;
    struct seen whole = {0};
    kz_buf_init(&wire, 0);
    put(&wire, 5, KZ_FRAME_REQUEST, 0, 1, 5);
    put(&wire, 0, KZ_FRAME_CANCEL, 0, 2, 0);
    put(&wire, MAX_BYTES, KZ_FRAME_REQUEST, 0, UINT32_MAX, MAX_BYTES);
    put(&wire, 1, KZ_FRAME_REQUEST, 0, 4, 1);
    struct kz_frame_reader reader;
    kz_frame_reader_init(&reader, TYPES, MAX_BYTES);
    assert_int_equal(kz_frame_reader_feed(&reader, wire.data, wire.size_bytes, on_frame, &whole, NULL), KZ_OK);
    assert_int_equal(whole.count, 4);
    kz_frame_reader_fini(&reader);

    for (size_t cut = 1; cut < 64; cut++) {
        struct seen seen = {0};
        kz_frame_reader_init(&reader, TYPES, MAX_BYTES);
        for (size_t at = 0; at < wire.size_bytes; at += cut) {
            size_t n = wire.size_bytes - at < cut ? wire.size_bytes - at : cut;
            assert_int_equal(kz_frame_reader_feed(&reader, wire.data + at, n, on_frame, &seen, NULL), KZ_OK);
        }
        assert_int_equal(seen.count, 4);
        assert_string_equal(kz_buf_text(&seen.text), kz_buf_text(&whole.text));
        assert_int_equal(reader.partial.size_bytes, 0);
        kz_frame_reader_fini(&reader);
        kz_buf_fini(&seen.text);
    }
    kz_buf_fini(&whole.text);
    kz_buf_fini(&wire);
}

static void refuse(uint32_t size, uint16_t type, uint16_t zero)
{
    for (unsigned one_by_one = 0; one_by_one < 2; one_by_one++) {
        struct kz_buf wire;
        struct seen seen = {0};
        struct kz_err err = {0};
        struct kz_frame_reader reader;
        enum kz_code code = KZ_OK;
        kz_buf_init(&wire, 0);
        put(&wire, size, type, zero, 1, 3);
        kz_frame_reader_init(&reader, TYPES, MAX_BYTES);
        size_t step = one_by_one ? 1 : wire.size_bytes;
        for (size_t at = 0; at < wire.size_bytes && code == KZ_OK; at += step)
            code = kz_frame_reader_feed(&reader, wire.data + at, step, on_frame, &seen, &err);
        assert_int_equal(code, KZ_PROTOCOL);
        assert_true(err.text[0]);
        assert_int_equal(seen.count, 0);
        assert_true(reader.partial.capacity_bytes <= 256); /* nothing was reserved for what the header claims */
        assert_int_equal(kz_frame_reader_feed(&reader, wire.data, 1, on_frame, &seen, &err), KZ_PROTOCOL);
        kz_frame_reader_fini(&reader);
        kz_buf_fini(&wire);
    }
}

static void an_oversize_frame_is_refused_by_its_header(void **state)
{
    (void)state;
    refuse(MAX_BYTES + 1, KZ_FRAME_REQUEST, 0);
    refuse(UINT32_MAX, KZ_FRAME_REQUEST, 0);
}

static void an_unknown_or_unexpected_type_is_refused(void **state)
{
    (void)state;
    refuse(3, 0, 0);
    refuse(3, KZ_FRAME_PEER, 0);
    refuse(3, 5, 0);
    refuse(3, 32 + KZ_FRAME_REQUEST, 0);
    refuse(3, UINT16_MAX, 0);
}

static void a_reserved_field_that_is_set_is_refused(void **state)
{
    (void)state;
    refuse(3, KZ_FRAME_REQUEST, 1);
}

static void a_reader_that_is_stopped_is_not_touched_again(void **state)
{
    (void)state;
    struct kz_buf wire;
    struct seen seen = {.stop_after = 2};
    struct kz_frame_reader reader;
    kz_buf_init(&wire, 0);
    for (unsigned i = 0; i < 4; i++)
        put(&wire, 3, KZ_FRAME_REQUEST, 0, i, 3);
    kz_frame_reader_init(&reader, TYPES, MAX_BYTES);
    assert_int_equal(kz_frame_reader_feed(&reader, wire.data, wire.size_bytes, on_frame, &seen, NULL), KZ_OK);
    assert_int_equal(seen.count, 2);
    kz_frame_reader_fini(&reader);
    kz_buf_fini(&seen.text);
    kz_buf_fini(&wire);
}

static void a_frame_that_trickles_is_late_and_one_that_flows_is_not(void **state)
{
    (void)state;
    struct kz_buf wire;
    struct seen seen = {0};
    struct kz_frame_reader reader;
    uint64_t now_ms = 1000;
    kz_buf_init(&wire, 0);
    put(&wire, MAX_BYTES, KZ_FRAME_REQUEST, 0, 1, MAX_BYTES);
    kz_frame_reader_init(&reader, TYPES, MAX_BYTES);
    assert_false(kz_frame_reader_late(&reader, now_ms));
    assert_int_equal(kz_frame_reader_feed(&reader, wire.data, 100, on_frame, &seen, NULL), KZ_OK);
    assert_false(kz_frame_reader_late(&reader, now_ms));
    assert_false(kz_frame_reader_late(&reader, now_ms + KZ_FRAME_RATE_GRACE_MS));
    assert_false(kz_frame_reader_late(&reader, now_ms + KZ_FRAME_RATE_GRACE_MS + 50)); /* 51 bytes wanted, 100 here */
    assert_true(kz_frame_reader_late(&reader, now_ms + KZ_FRAME_RATE_GRACE_MS + 200));
    assert_int_equal(kz_frame_reader_feed(&reader, wire.data + 100, wire.size_bytes - 100, on_frame, &seen, NULL),
                     KZ_OK);
    assert_int_equal(seen.count, 1);
    assert_false(kz_frame_reader_late(&reader, now_ms + 100000));
    kz_frame_reader_fini(&reader);
    kz_buf_fini(&seen.text);
    kz_buf_fini(&wire);
}

static bool decode_hello(void *data, const struct kz_frame *frame)
{
    struct kz_arena arena;
    kz_arena_init(&arena, 0);
    const Kz__PeerMessage *message = (const Kz__PeerMessage *)kz_frame_unpack(&arena, &kz__peer_message__descriptor,
                                                                              frame->payload, frame->size_bytes);
    assert_non_null(message);
    assert_non_null(message->hello);
    assert_string_equal(message->hello->name, "main");
    kz_arena_fini(&arena);
    *(bool *)data = true;
    return true;
}

static void a_message_survives_encoding_and_decoding(void **state)
{
    (void)state;
    struct kz_buf wire;
    bool seen = false;
    Kz__Hello hello = KZ__HELLO__INIT;
    Kz__PeerMessage message = KZ__PEER_MESSAGE__INIT;
    hello.cluster_id = (char *)"lab";
    hello.name = (char *)"main";
    message.hello = &hello;
    kz_buf_init(&wire, 0);
    assert_int_equal(kz_frame_add(&wire, KZ_FRAME_PEER, 0, &message.base, 4), KZ_TOO_BIG);
    assert_int_equal(wire.size_bytes, 0);
    assert_int_equal(kz_frame_add(&wire, KZ_FRAME_PEER, 0, &message.base, 100), KZ_OK);
    struct kz_frame_reader reader;
    kz_frame_reader_init(&reader, KZ_FRAME_TYPE_BIT(KZ_FRAME_PEER), 100);
    assert_int_equal(kz_frame_reader_feed(&reader, wire.data, wire.size_bytes, decode_hello, &seen, NULL), KZ_OK);
    assert_true(seen);
    kz_frame_reader_fini(&reader);
    kz_buf_fini(&wire);
}

static void the_largest_honest_command_decodes(void **state)
{
    (void)state;
    static Kz__Mutation mutations[KZ_MUTATIONS_MAX];
    static Kz__Record records[KZ_MUTATIONS_MAX];
    Kz__Mutation *list[KZ_MUTATIONS_MAX];
    Kz__Request request = KZ__REQUEST__INIT;
    Kz__WriteRequest write = KZ__WRITE_REQUEST__INIT;
    Kz__Site site = KZ__SITE__INIT;
    uint8_t id[KZ_REQUEST_ID_BYTES] = {0};
    for (size_t i = 0; i < KZ_MUTATIONS_MAX; i++) {
        kz__mutation__init(&mutations[i]);
        kz__record__init(&records[i]);
        mutations[i].id = (char *)"a"; /* the smallest encoding unfolds the most */
        mutations[i].record = &records[i];
        records[i].id = (char *)"a";
        records[i].site = &site;
        list[i] = &mutations[i];
    }
    write.request_id.data = id;
    write.request_id.len = sizeof id;
    write.mutations = list;
    write.n_mutations = KZ_MUTATIONS_MAX;
    request.write = &write;
    size_t size_bytes = kz__request__get_packed_size(&request);
    uint8_t *packed = malloc(size_bytes);
    kz__request__pack(&request, packed);
    struct kz_arena arena;
    kz_arena_init(&arena, 0);
    const Kz__Request *decoded =
        (const Kz__Request *)kz_frame_unpack(&arena, &kz__request__descriptor, packed, size_bytes);
    assert_non_null(decoded);
    assert_int_equal(decoded->write->n_mutations, KZ_MUTATIONS_MAX);
    kz_arena_fini(&arena);
    free(packed);
}

static void a_message_that_unfolds_too_far_is_refused_with_bounded_memory(void **state)
{
    (void)state;
    /* Labels without text: two bytes on the wire, a struct and a pointer here. Required fields are not what stops
     * it: they are checked after the memory is taken. */
    static const uint8_t label[] = {0x7a, 0};
    struct kz_buf inner;
    kz_buf_init(&inner, 0);
    while (inner.size_bytes + sizeof label < KZ_FRAME_MAX_BYTES)
        kz_buf_add(&inner, label, sizeof label);
    struct kz_arena arena;
    kz_arena_init(&arena, 0);
    assert_null(kz_frame_unpack(&arena, &kz__record__descriptor, inner.data, inner.size_bytes));
    assert_true(arena.used_bytes <= inner.size_bytes * KZ_FRAME_DECODE_FACTOR + KZ_FRAME_DECODE_EXTRA_BYTES);
    assert_true(arena.used_bytes > inner.size_bytes); /* the limit was what stopped it */
    kz_arena_fini(&arena);
    kz_buf_fini(&inner);
}

static void bytes_that_are_no_message_are_refused(void **state)
{
    (void)state;
    uint8_t noise[512];
    struct kz_arena arena;
    kz_arena_init(&arena, 0);
    unsigned refused = 0;
    srand(7);
    for (unsigned round = 0; round < 2000; round++) {
        for (size_t i = 0; i < sizeof noise; i++)
            noise[i] = (uint8_t)rand();
        size_t size_bytes = (size_t)rand() % sizeof noise;
        if (!kz_frame_unpack(&arena, &kz__peer_message__descriptor, noise, size_bytes)) refused++;
        kz_arena_reset(&arena);
    }
    assert_true(refused > 1900);
    kz_arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_come_out_the_same_however_the_bytes_are_cut),
        cmocka_unit_test(an_oversize_frame_is_refused_by_its_header),
        cmocka_unit_test(an_unknown_or_unexpected_type_is_refused),
        cmocka_unit_test(a_reserved_field_that_is_set_is_refused),
        cmocka_unit_test(a_reader_that_is_stopped_is_not_touched_again),
        cmocka_unit_test(a_frame_that_trickles_is_late_and_one_that_flows_is_not),
        cmocka_unit_test(a_message_survives_encoding_and_decoding),
        cmocka_unit_test(the_largest_honest_command_decodes),
        cmocka_unit_test(a_message_that_unfolds_too_far_is_refused_with_bounded_memory),
        cmocka_unit_test(bytes_that_are_no_message_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
