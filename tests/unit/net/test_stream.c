/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/net/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct authority home;

static int set_up(void **state)
{
    (void)state;
    authority_make(&home, "lab");
    authority_node(&home, "main", NULL);
    authority_user(&home, "sato", "operator", NULL);
    return 0;
}
static int tear_down(void **state)
{
    (void)state;
    authority_end(&home);
    return 0;
}

/* One client and one accepted stream, both open. */
struct pair {
    struct world world;
    struct kz_tls *tls;
    struct kz_net *net;
    struct side side;
    struct side *accepted;
};

static struct pair *pair_open(const struct kz_net_options *options)
{
    struct pair *pair = calloc(1, sizeof *pair);
    world_begin(&pair->world, authority_tls(&home, "node/main"), options, NULL);
    pair->tls = authority_tls(&home, "user/sato");
    pair->net = world_net(&pair->world, pair->tls);
    pair->accepted = &pair->world.accepted[0];
    world_connect(&pair->world, pair->net, "main", KZ_ALPN_FOR_CLIENT, &pair->side);
    world_wait(&pair->world, &pair->side.opened);
    world_wait(&pair->world, &pair->accepted->opened);
    return pair;
}

static void pair_close(struct pair *pair)
{
    world_net_close(&pair->world, pair->net);
    world_end(&pair->world);
    kz_tls_close(pair->tls);
    side_fini(&pair->side);
    free(pair);
}

/* A stream of bytes that both ends can compute. */
struct pattern {
    uint32_t sent_state, seen_state;
    size_t sent, seen, total;
    bool all_seen;
};

static uint8_t next_byte(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (uint8_t)(*state >> 24);
}

static void check_pattern(struct side *side, const uint8_t *bytes, size_t size_bytes)
{
    struct pattern *pattern = side->data;
    for (size_t i = 0; i < size_bytes; i++)
        if (bytes[i] != next_byte(&pattern->seen_state)) fail_msg("byte %zu differs", pattern->seen + i);
    pattern->seen += size_bytes;
    assert_true(pattern->seen <= pattern->sent);
    pattern->all_seen = pattern->seen == pattern->total;
}

static void send_some(struct kz_stream *stream, struct pattern *pattern, unsigned *random)
{
    static uint8_t piece[100000];
    size_t size = (size_t)rand_r(random) % ((rand_r(random) & 3) ? 2000 : sizeof piece) + 1;
    if (size > pattern->total - pattern->sent) size = pattern->total - pattern->sent;
    if (size == 0 || kz_stream_pending_bytes(stream) > 2000000) return;
    for (size_t i = 0; i < size; i++)
        piece[i] = next_byte(&pattern->sent_state);
    pattern->sent += size; /* before: the other end is on the same loop */
    assert_int_equal(kz_stream_write(stream, piece, size), KZ_OK);
}

static void big_transfers_both_ways_arrive_whole_and_in_order(void **state)
{
    (void)state;
    struct pair *pair = pair_open(NULL);
    struct pattern up = {.sent_state = 1, .seen_state = 1, .total = 20000000};
    struct pattern down = {.sent_state = 2, .seen_state = 2, .total = 20000000};
    unsigned random = 42;
    pair->side.on_data = pair->accepted->on_data = check_pattern;
    pair->side.data = &down;
    pair->accepted->data = &up;
    while (!up.all_seen || !down.all_seen) {
        send_some(pair->side.stream, &up, &random);
        send_some(pair->accepted->stream, &down, &random);
        uv_run(&pair->world.loop, UV_RUN_NOWAIT);
    }
    assert_int_equal(kz_stream_pending_bytes(pair->side.stream), 0);
    assert_true(pair->side.drained > 0);
    pair_close(pair);
}

static void many_small_writes_of_one_turn_leave_together(void **state)
{
    (void)state;
    struct pair *pair = pair_open(NULL);
    struct kz_net_stats before, after;
    kz_net_stats(pair->net, &before);
    for (unsigned i = 0; i < 1000; i++)
        assert_int_equal(kz_stream_write(pair->side.stream, "0123456789", 10), KZ_OK);
    assert_int_equal(kz_stream_pending_bytes(pair->side.stream), 10000);
    assert_int_equal(pair->side.drained, 0);
    while (pair->accepted->received.size_bytes < 10000)
        uv_run(&pair->world.loop, UV_RUN_ONCE);
    kz_net_stats(pair->net, &after);
    assert_true(after.bytes_out - before.bytes_out < 10100); /* one record's overhead, not a thousand's */
    assert_int_equal(pair->side.drained, 1);
    pair_close(pair);
}

static void closing_sends_what_was_written_first(void **state)
{
    (void)state;
    struct pair *pair = pair_open(NULL);
    struct pattern up = {.sent_state = 3, .seen_state = 3, .total = 3000000};
    static uint8_t bytes[3000000];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = next_byte(&up.sent_state);
    up.sent = sizeof bytes;
    pair->accepted->on_data = check_pattern;
    pair->accepted->data = &up;
    assert_int_equal(kz_stream_write(pair->side.stream, bytes, sizeof bytes), KZ_OK);
    kz_stream_close(pair->side.stream);
    assert_false(pair->side.closed);
    assert_int_equal(kz_stream_write(pair->side.stream, "x", 1), KZ_UNREACHABLE);
    kz_stream_close(pair->side.stream); /* again is nothing */
    world_wait(&pair->world, &pair->side.closed);
    world_wait(&pair->world, &pair->accepted->closed);
    assert_true(up.all_seen);
    assert_int_equal(pair->side.end.layer, KZ_LAYER_NONE);
    assert_int_equal(pair->accepted->end.layer, KZ_LAYER_NONE);
    pair_close(pair);
}

static void aborting_in_the_middle_of_a_write_ends_both_sides(void **state)
{
    (void)state;
    struct pair *pair = pair_open(NULL);
    static uint8_t bytes[8000000];
    assert_int_equal(kz_stream_write(pair->side.stream, bytes, sizeof bytes), KZ_OK);
    while (pair->accepted->received.size_bytes == 0)
        uv_run(&pair->world.loop, UV_RUN_ONCE);
    kz_stream_abort(pair->side.stream, KZ_LAYER_TCP, KZ_BUSY, "because");
    assert_false(pair->side.closed);
    world_wait(&pair->world, &pair->side.closed);
    world_wait(&pair->world, &pair->accepted->closed);
    assert_string_equal(pair->side.end.text, "because");
    assert_int_equal(pair->side.end.code, KZ_BUSY);
    assert_int_equal(pair->accepted->end.layer, KZ_LAYER_TCP);
    pair_close(pair);
}

static void close_in_on_data(struct side *side, const uint8_t *bytes, size_t size_bytes)
{
    (void)bytes;
    kz_buf_add(&side->received, bytes, size_bytes);
    kz_stream_close(side->stream);
}

static void nothing_arrives_after_closing_in_a_callback(void **state)
{
    (void)state;
    struct pair *pair = pair_open(NULL);
    static uint8_t bytes[500000];
    pair->accepted->on_data = close_in_on_data;
    assert_int_equal(kz_stream_write(pair->side.stream, bytes, sizeof bytes), KZ_OK);
    world_wait(&pair->world, &pair->accepted->closed);
    world_wait(&pair->world, &pair->side.closed);
    assert_true(pair->accepted->received.size_bytes <= 16384); /* one record, one callback */
    assert_int_equal(pair->side.end.layer, KZ_LAYER_NONE);
    pair_close(pair);
}

static void pause_holds_data_back_and_resume_brings_all_of_it(void **state)
{
    (void)state;
    struct pair *pair = pair_open(NULL);
    static uint8_t bytes[400000];
    kz_stream_pause(pair->accepted->stream);
    assert_int_equal(kz_stream_write(pair->side.stream, bytes, sizeof bytes), KZ_OK);
    world_turn(&pair->world, 50);
    assert_int_equal(pair->accepted->received.size_bytes, 0);
    kz_stream_resume(pair->accepted->stream);
    assert_int_equal(pair->accepted->received.size_bytes, 0); /* not from inside resume */
    while (pair->accepted->received.size_bytes < sizeof bytes)
        uv_run(&pair->world.loop, UV_RUN_ONCE);
    assert_int_equal(pair->accepted->received.size_bytes, sizeof bytes);
    pair_close(pair);
}

static void pause_after_each(struct side *side, const uint8_t *bytes, size_t size_bytes)
{
    kz_buf_add(&side->received, bytes, size_bytes);
    kz_stream_pause(side->stream);
    *(bool *)side->data = true;
}

static void pausing_inside_a_callback_loses_nothing(void **state)
{
    (void)state;
    struct pair *pair = pair_open(NULL);
    static uint8_t bytes[300000];
    uint32_t pattern = 9;
    bool paused = false;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = next_byte(&pattern);
    pair->accepted->on_data = pause_after_each;
    pair->accepted->data = &paused;
    assert_int_equal(kz_stream_write(pair->side.stream, bytes, sizeof bytes), KZ_OK);
    while (pair->accepted->received.size_bytes < sizeof bytes) {
        world_wait(&pair->world, &paused);
        paused = false;
        kz_stream_resume(pair->accepted->stream);
    }
    assert_memory_equal(pair->accepted->received.data, bytes, sizeof bytes);
    pair_close(pair);
}

static void a_peer_that_does_not_drain_is_dropped_at_the_limit(void **state)
{
    (void)state;
    struct pair *pair = pair_open(NULL);
    static uint8_t bytes[100000];
    enum kz_code code = KZ_OK;
    kz_stream_set_write_limit(pair->accepted->stream, 1000000);
    kz_stream_pause(pair->side.stream);
    while (code == KZ_OK) {
        assert_true(kz_stream_pending_bytes(pair->accepted->stream) <= 1100000);
        code = kz_stream_write(pair->accepted->stream, bytes, sizeof bytes);
        uv_run(&pair->world.loop, UV_RUN_NOWAIT);
    }
    assert_int_equal(code, KZ_BUSY);
    world_wait(&pair->world, &pair->accepted->closed);
    assert_int_equal(pair->accepted->end.layer, KZ_LAYER_TCP);
    assert_int_equal(pair->accepted->end.code, KZ_BUSY);
    pair_close(pair);
}

static void a_peer_that_takes_nothing_for_too_long_is_dropped(void **state)
{
    (void)state;
    struct kz_net_options options = {.stall_timeout_ms = 200};
    struct pair *pair = pair_open(&options);
    static uint8_t bytes[30000000];
    kz_stream_pause(pair->side.stream);
    assert_int_equal(kz_stream_write(pair->accepted->stream, bytes, sizeof bytes), KZ_OK);
    world_wait(&pair->world, &pair->accepted->closed);
    assert_int_equal(pair->accepted->end.code, KZ_TIMED_OUT);
    pair_close(pair);
}

static void the_net_closes_with_streams_in_every_state(void **state)
{
    (void)state;
    for (unsigned turns = 0; turns < 40; turns++) {
        struct pair *pair = calloc(1, sizeof *pair);
        struct side sides[4];
        world_begin(&pair->world, authority_tls(&home, "node/main"), NULL, NULL);
        pair->tls = authority_tls(&home, "user/sato");
        pair->net = world_net(&pair->world, pair->tls);
        for (unsigned i = 0; i < 4; i++)
            world_connect(&pair->world, pair->net, "main", KZ_ALPN_FOR_CLIENT, &sides[i]);
        for (unsigned i = 0; i < turns; i++)
            uv_run(&pair->world.loop, UV_RUN_NOWAIT);
        if (turns >= 20) uv_run(&pair->world.loop, UV_RUN_ONCE);
        pair_close(pair); /* also closes server-side handshakes under way */
        for (unsigned i = 0; i < 4; i++)
            assert_true(sides[i].closed);
    }
}

static void a_write_after_the_other_end_is_gone_ends_the_stream_once(void **state)
{
    (void)state;
    struct pair *pair = pair_open(NULL);
    kz_stream_abort(pair->accepted->stream, KZ_LAYER_NONE, KZ_OK, "");
    while (!pair->side.closed) {
        (void)kz_stream_write(pair->side.stream, "hello", 5);
        uv_run(&pair->world.loop, UV_RUN_ONCE);
    }
    assert_int_equal(pair->side.end.layer, KZ_LAYER_TCP);
    assert_int_equal(pair->side.end.code, KZ_UNREACHABLE);
    pair_close(pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(big_transfers_both_ways_arrive_whole_and_in_order),
        cmocka_unit_test(many_small_writes_of_one_turn_leave_together),
        cmocka_unit_test(closing_sends_what_was_written_first),
        cmocka_unit_test(aborting_in_the_middle_of_a_write_ends_both_sides),
        cmocka_unit_test(nothing_arrives_after_closing_in_a_callback),
        cmocka_unit_test(pause_holds_data_back_and_resume_brings_all_of_it),
        cmocka_unit_test(pausing_inside_a_callback_loses_nothing),
        cmocka_unit_test(a_peer_that_does_not_drain_is_dropped_at_the_limit),
        cmocka_unit_test(a_peer_that_takes_nothing_for_too_long_is_dropped),
        cmocka_unit_test(the_net_closes_with_streams_in_every_state),
        cmocka_unit_test(a_write_after_the_other_end_is_gone_ends_the_stream_once),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
