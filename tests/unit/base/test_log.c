/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "node/base/log.h"

#define OUTPUT_BYTES 8192

/* What was written to stderr between the two. */
static int saved, pipe_ends[2];

static void capture(void)
{
    saved = dup(STDERR_FILENO);
    assert_int_equal(pipe(pipe_ends), 0);
    assert_int_equal(dup2(pipe_ends[1], STDERR_FILENO), STDERR_FILENO);
    close(pipe_ends[1]);
}

static void captured(char out[OUTPUT_BYTES])
{
    assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
    close(saved);
    size_t used = 0;
    ssize_t got = 0;
    while ((got = read(pipe_ends[0], out + used, OUTPUT_BYTES - 1 - used)) > 0)
        used += (size_t)got;
    out[used] = '\0';
    close(pipe_ends[0]);
}

static size_t count_lines(const char *text)
{
    size_t lines = 0;
    for (; *text; text++)
        lines += *text == '\n' ? 1 : 0;
    return lines;
}

static void a_line_says_when_how_bad_which_node_and_what(void **state)
{
    (void)state;
    char out[OUTPUT_BYTES];
    kz_log_init(KZ_LOG_INFO, "main");
    capture();
    kz_log_info("raft.elected", "term=%d", 7);
    captured(out);
    /* 2026-01-17T05:46:12.345Z level=info node=main raft.elected term=7 */
    assert_int_equal(out[10], 'T');
    assert_int_equal(out[19], '.');
    assert_int_equal(out[23], 'Z');
    assert_string_equal(out + 24, " level=info node=main raft.elected term=7\n");
}

static void less_urgent_lines_than_the_level_are_not_written(void **state)
{
    (void)state;
    char out[OUTPUT_BYTES];
    kz_log_init(KZ_LOG_WARN, "main");
    capture();
    kz_log_debug("a.debug", "x=%d", 1);
    kz_log_info("a.info", "x=%d", 1);
    kz_log_warn("a.warn", "x=%d", 1);
    kz_log_error("a.error", "x=%d", 1);
    captured(out);
    assert_int_equal(count_lines(out), 2);
    assert_non_null(strstr(out, "level=warn node=main a.warn x=1\n"));
    assert_non_null(strstr(out, "level=error node=main a.error x=1\n"));
}

static void a_value_cannot_write_a_line_of_its_own(void **state)
{
    (void)state;
    char out[OUTPUT_BYTES];
    kz_log_init(KZ_LOG_INFO, "main");
    capture();
    kz_log_info("peer.refused", "name=%s", "x\n2026-01-17T05:46:12.345Z level=error forged\x1b[31m");
    captured(out);
    assert_int_equal(count_lines(out), 1);
    assert_null(strchr(out, '\x1b'));
}

static void a_long_line_is_cut_between_characters_and_still_ends(void **state)
{
    (void)state;
    char out[OUTPUT_BYTES];
    char kanji[3000 + 1];
    for (size_t i = 0; i < 3000; i += 3)
        memcpy(kanji + i, "復", 3);
    kanji[3000] = '\0';
    kz_log_init(KZ_LOG_INFO, "main");
    const char *leads[] = {"", "a", "ab"};
    for (size_t i = 0; i < 3; i++) {
        capture();
        kz_log_info("a.long", "text=%s%s", leads[i], kanji);
        captured(out);
        size_t size = strlen(out);
        assert_in_range(size, 1000, 1024);
        assert_int_equal(out[size - 1], '\n');
        assert_memory_equal(out + size - 4, "復", 3);
        assert_int_equal(count_lines(out), 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_says_when_how_bad_which_node_and_what),
        cmocka_unit_test(less_urgent_lines_than_the_level_are_not_written),
        cmocka_unit_test(a_value_cannot_write_a_line_of_its_own),
        cmocka_unit_test(a_long_line_is_cut_between_characters_and_still_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
