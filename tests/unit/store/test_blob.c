/* SPDX-License-Identifier: Apache-2.0 */
/* The contents of attachments: chunks come, a record refers to them, nobody comes for them. */
#include "tests/unit/store/fixture.h"

#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/base/assert.h"
#include "node/store/blob.h"
#include "node/store/internal.h"

#define CONTENT_CHUNKS_MAX 8
#define RANDOM_STEPS 240 /* a request id each */
#define RANDOM_FILES 6

struct content {
    uint8_t *bytes; /* owned */
    size_t size_bytes, chunks;
    uint8_t hash[KZ_HASH_BYTES];
    uint8_t list[CONTENT_CHUNKS_MAX * KZ_HASH_BYTES];
};

static void hash_bytes(const uint8_t *bytes, size_t size, uint8_t out[KZ_HASH_BYTES])
{
    struct kz_hash hash;
    kz_hash_init(&hash);
    kz_hash_add(&hash, bytes, size);
    kz_hash_done(&hash, out);
}

static size_t size_of(const struct content *content, size_t chunk)
{
    size_t from = chunk * KZ_CHUNK_MAX_BYTES;
    return content->size_bytes - from < KZ_CHUNK_MAX_BYTES ? content->size_bytes - from : KZ_CHUNK_MAX_BYTES;
}

/* Bytes that differ by `seed` from chunk 1 on: chunk 0 is common to all of a kilobyte or more. */
static struct content make_content(unsigned seed, size_t size)
{
    struct content content = {.bytes = kz_must_alloc(1, size + 1), .size_bytes = size};
    for (size_t i = 0; i < size; i++)
        content.bytes[i] = (uint8_t)(i / 7 + (i >= KZ_CHUNK_MAX_BYTES || size < KZ_CHUNK_MAX_BYTES ? seed : 0));
    hash_bytes(content.bytes, size, content.hash);
    for (size_t from = 0; from < size; from += KZ_CHUNK_MAX_BYTES) {
        assert_true(content.chunks < CONTENT_CHUNKS_MAX);
        hash_bytes(content.bytes + from, size_of(&content, content.chunks),
                   content.list + content.chunks * KZ_HASH_BYTES);
        content.chunks++;
    }
    return content;
}

static void send_chunk(struct fixture *f, const struct content *content, size_t chunk)
{
    struct command command;
    command_init(&command, f->request++);
    command_chunk(&command, "zu", content->bytes + chunk * KZ_CHUNK_MAX_BYTES, size_of(content, chunk));
    fixture_must(f, &command, KZ_OK);
}

static void send_all(struct fixture *f, const struct content *content)
{
    for (size_t i = 0; i < content->chunks; i++)
        send_chunk(f, content, i);
}

static Kz__Outcome *put_outcome(struct fixture *f, const char *id, const struct content *content, bool with_list)
{
    struct command command;
    command_init(&command, f->request++);
    command_put(&command, make_attachment(id, content->hash, content->size_bytes));
    if (with_list) command_content(&command, content->list, content->chunks * KZ_HASH_BYTES);
    return fixture_run(f, &command);
}

/* `rule` NULL: accepted. */
static void put_content(struct fixture *f, const char *id, const struct content *content, bool with_list,
                        const char *rule)
{
    Kz__Outcome *outcome = put_outcome(f, id, content, with_list);
    if (rule == NULL) {
        if (outcome->code != KZ_OK) fail_msg("refused: %s", outcome->violations[0]->en);
    } else {
        assert_int_equal(outcome->code, KZ_INVALID);
        assert_int_equal(outcome->n_violations, 1);
        assert_string_equal(outcome->violations[0]->rule, rule);
    }
    kz__outcome__free_unpacked(outcome, NULL);
}

static void expect_readable(struct fixture *f, const struct content *content)
{
    struct kz_view *view;
    uint64_t size = 0;
    must(kz_view_open(f->store, &view, &must_err));
    must(kz_view_content(view, content->hash, &size, &must_err));
    assert_int_equal(size, content->size_bytes);
    for (uint32_t i = 0; i < content->chunks; i++) {
        const uint8_t *data;
        size_t got;
        must(kz_view_chunk(view, content->hash, i, &data, &got, &must_err));
        assert_int_equal(got, size_of(content, i));
        assert_memory_equal(data, content->bytes + (size_t)i * KZ_CHUNK_MAX_BYTES, got);
    }
    kz_view_close(view);
}

static void expect_chunks(struct fixture *f, uint64_t all, uint64_t loose)
{
    struct kz_view *view;
    uint64_t got_all, got_loose;
    must(kz_view_open(f->store, &view, &must_err));
    must(kz_view_chunks(view, &got_all, &got_loose, &must_err));
    kz_view_close(view);
    assert_int_equal(got_all, all);
    assert_int_equal(got_loose, loose);
}

/* An entry without commands, `later_ms` after the last one. */
static void pass_time(struct fixture *f, int64_t later_ms)
{
    size_t size;
    f->time_ms += later_ms;
    uint8_t *beacon = batch_pack(f->time_ms, NULL, 0, &size);
    fixture_append(f, KZ_ENTRY_COMMAND, beacon, size);
    fixture_apply(f, NULL);
    free(beacon);
}

/* ---- what is stored ---- */

static void a_content_is_read_back_as_it_was_sent(void **state)
{
    struct fixture *f = *state;
    static const size_t sizes[] = {0, 1, KZ_CHUNK_MAX_BYTES, KZ_CHUNK_MAX_BYTES + 1, 3 * KZ_CHUNK_MAX_BYTES - 5};
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct content content = make_content(i + 1, sizes[i]);
        uint64_t rev = fixture_applied(f).rev;
        send_all(f, &content);
        assert_int_equal(fixture_applied(f).rev, rev); /* no record has changed yet */
        put_content(f, "zu", &content, true, NULL);
        assert_int_equal(fixture_applied(f).rev, rev + 1);
        expect_readable(f, &content);
        fixture_scrub(f);
        free(content.bytes);
    }
}

static void the_same_content_need_not_be_sent_again(void **state)
{
    struct fixture *f = *state;
    struct content content = make_content(1, 1000);
    send_all(f, &content);
    put_content(f, "zu", &content, true, NULL);
    put_content(f, "copy", &content, false, NULL);
    send_all(f, &content);
    expect_chunks(f, 1, 0);
    fixture_scrub(f);
    free(content.bytes);
}

static void an_attachment_without_its_content_is_refused(void **state)
{
    struct fixture *f = *state;
    struct content content = make_content(1, 2 * KZ_CHUNK_MAX_BYTES + 10), wrong = make_content(2, 100);
    put_content(f, "zu", &content, false, "attachment.content");
    put_content(f, "zu", &content, true, "attachment.chunks");
    send_chunk(f, &content, 0);
    send_chunk(f, &content, 2);
    put_content(f, "zu", &content, true, "attachment.chunks");
    send_chunk(f, &content, 1);
    content.hash[0] ^= 1;
    put_content(f, "zu", &content, true, "attachment.hash");
    content.hash[0] ^= 1;
    content.size_bytes++;
    put_content(f, "zu", &content, true, "attachment.hash"); /* the last chunk is not of that size */
    content.size_bytes += KZ_CHUNK_MAX_BYTES;
    put_content(f, "zu", &content, true, "attachment.size");
    content.size_bytes -= KZ_CHUNK_MAX_BYTES + 1;
    put_content(f, "zu", &content, true, NULL);
    content.size_bytes--;
    put_content(f, "other", &content, false, "attachment.size");
    assert_null(fixture_get(f, KZ__KIND__ATTACHMENT, "other"));
    fixture_scrub(f);
    free(content.bytes);
    free(wrong.bytes);
}

static void one_command_brings_one_content(void **state)
{
    struct fixture *f = *state;
    struct content a = make_content(1, 10), b = make_content(2, 20);
    struct command command;
    send_all(f, &a);
    send_all(f, &b);
    command_init(&command, f->request++);
    command_put(&command, make_attachment("a", a.hash, a.size_bytes));
    command_content(&command, a.list, KZ_HASH_BYTES);
    command_put(&command, make_attachment("b", b.hash, b.size_bytes));
    command_content(&command, b.list, KZ_HASH_BYTES);
    Kz__Outcome *outcome = fixture_run(f, &command);
    assert_int_equal(outcome->code, KZ_INVALID);
    assert_string_equal(outcome->violations[0]->rule, "attachment.one");
    kz__outcome__free_unpacked(outcome, NULL);
    expect_chunks(f, 2, 2);
    free(a.bytes);
    free(b.bytes);
}

static void a_chunk_stands_alone_is_of_an_attachment_and_has_its_size(void **state)
{
    struct fixture *f = *state;
    static uint8_t large[KZ_CHUNK_MAX_BYTES + 1];
    struct command command;
    command_init(&command, f->request++);
    command_chunk(&command, "zu", large, sizeof(large));
    fixture_must(f, &command, KZ_INVALID);
    command_init(&command, f->request++);
    command_chunk(&command, "zu", large, 0);
    fixture_must(f, &command, KZ_INVALID);
    command_init(&command, f->request++);
    command_chunk(&command, "zu", large, 1);
    command_chunk(&command, "zu", large, 2);
    fixture_must(f, &command, KZ_INVALID);
    command_init(&command, f->request++);
    command_put(&command, make_org("joho", "課", NULL));
    command_chunk(&command, "zu", large, 1);
    fixture_must(f, &command, KZ_INVALID);
    command_init(&command, f->request++);
    command_chunk(&command, "zu", large, 1);
    command.mutations[0].kind = KZ__KIND__ORG;
    fixture_must(f, &command, KZ_INVALID);
    expect_chunks(f, 0, 0);
}

/* ---- what goes and what stays ---- */

static void an_upload_that_was_broken_off_leaves_nothing_behind(void **state)
{
    struct fixture *f = *state;
    struct content kept = make_content(1, 2 * KZ_CHUNK_MAX_BYTES), broken = make_content(2, 3 * KZ_CHUNK_MAX_BYTES);
    send_all(f, &kept);
    put_content(f, "zu", &kept, true, NULL);
    send_chunk(f, &broken, 0); /* the first one is kept already */
    send_chunk(f, &broken, 1);
    expect_chunks(f, 3, 1);
    int64_t sent_ms = fixture_applied(f).data_time_ms;
    pass_time(f, sent_ms + KZ_BLOB_LOOSE_MS - 1 - f->time_ms);
    expect_chunks(f, 3, 1);
    pass_time(f, 1);
    expect_chunks(f, 2, 0);
    put_content(f, "other", &broken, true, "attachment.chunks");
    expect_readable(f, &kept);
    fixture_scrub(f);
    free(kept.bytes);
    free(broken.bytes);
}

static void a_chunk_sent_again_begins_its_time_anew(void **state)
{
    struct fixture *f = *state;
    struct content content = make_content(1, 10);
    send_all(f, &content);
    pass_time(f, KZ_BLOB_LOOSE_MS / 2);
    send_all(f, &content);
    pass_time(f, KZ_BLOB_LOOSE_MS * 3 / 4);
    expect_chunks(f, 1, 1);
    fixture_scrub(f);
    pass_time(f, KZ_BLOB_LOOSE_MS / 2);
    expect_chunks(f, 0, 0);
    fixture_scrub(f);
    free(content.bytes);
}

static void one_entry_removes_a_bounded_number(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < KZ_BLOB_COLLECT_MAX + 10; i++) {
        struct command command;
        uint8_t bytes[2] = {(uint8_t)i, 7};
        command_init(&command, 1000 + i);
        command_chunk(&command, "zu", bytes, sizeof(bytes));
        fixture_must(f, &command, KZ_OK);
    }
    pass_time(f, KZ_BLOB_LOOSE_MS);
    expect_chunks(f, 10, 10);
    pass_time(f, 1);
    expect_chunks(f, 0, 0);
    fixture_scrub(f);
}

static void too_many_loose_chunks_push_out_the_oldest(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < KZ_BLOB_LOOSE_MAX + 3; i++) {
        struct command command;
        uint8_t bytes[2] = {(uint8_t)i, (uint8_t)(i >> 8)};
        command_init(&command, 1000 + i);
        command_chunk(&command, "zu", bytes, sizeof(bytes));
        f->time_ms -= 1000; /* all within the time */
        fixture_must(f, &command, KZ_OK);
    }
    expect_chunks(f, KZ_BLOB_LOOSE_MAX, KZ_BLOB_LOOSE_MAX);
    fixture_scrub(f);
}

static void what_an_earlier_version_refers_to_stays(void **state)
{
    struct fixture *f = *state;
    struct content old = make_content(1, 1000), new = make_content(2, 2000);
    struct command command;
    send_all(f, &old);
    put_content(f, "zu", &old, true, NULL);
    uint64_t rev = fixture_rev(f, KZ__KIND__ATTACHMENT, "zu");
    send_all(f, &new);
    put_content(f, "zu", &new, true, NULL);
    fixture_retire(f, KZ__KIND__ATTACHMENT, "zu", false, KZ_OK);
    pass_time(f, 100LL * KZ_BLOB_LOOSE_MS);
    expect_readable(f, &old);
    expect_readable(f, &new);
    command_init(&command, f->request++);
    command_revert(&command, KZ__KIND__ATTACHMENT, "zu", rev);
    fixture_must(f, &command, KZ_OK);
    expect_readable(f, &old);
    fixture_scrub(f);
    free(old.bytes);
    free(new.bytes);
}

/* ---- copies, damage, older stores ---- */

static void a_snapshot_holds_the_contents_and_goes_on_collecting(void **state)
{
    struct fixture *f = *state, other;
    struct content kept = make_content(1, 2 * KZ_CHUNK_MAX_BYTES + 9), loose = make_content(2, 50);
    send_all(f, &kept);
    put_content(f, "zu", &kept, true, NULL);
    send_all(f, &loose);
    fixture_init(&other);
    fixture_copy_state(f, &other, KZ_CHUNK_MAX_BYTES);
    assert_memory_equal(fixture_applied(f).state_hash, fixture_applied(&other).state_hash, KZ_HASH_BYTES);
    expect_readable(&other, &kept);
    expect_chunks(&other, 4, 1);
    fixture_scrub(&other);
    other.time_ms = f->time_ms;
    pass_time(&other, KZ_BLOB_LOOSE_MS);
    pass_time(f, KZ_BLOB_LOOSE_MS);
    expect_chunks(&other, 3, 0);
    assert_memory_equal(fixture_applied(f).state_hash, fixture_applied(&other).state_hash, KZ_HASH_BYTES);
    fixture_fini(&other);
    free(kept.bytes);
    free(loose.bytes);
}

struct raw {
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
};

static void raw_open(struct raw *raw, const struct fixture *f, const char *table)
{
    assert_int_equal(mdb_env_create(&raw->env), 0);
    assert_int_equal(mdb_env_set_maxdbs(raw->env, KZ_GENERATIONS * (KZ_TABLE_LAST + 1)), 0);
    assert_int_equal(mdb_env_open(raw->env, f->directory, MDB_NOSYNC, 0600), 0);
    assert_int_equal(mdb_txn_begin(raw->env, NULL, 0, &raw->txn), 0);
    assert_int_equal(mdb_dbi_open(raw->txn, table, 0, &raw->dbi), 0);
}

static void raw_close(struct raw *raw)
{
    assert_int_equal(mdb_txn_commit(raw->txn), 0);
    mdb_env_close(raw->env);
}

static void flip_a_bit(struct fixture *f, const uint8_t chunk[KZ_HASH_BYTES])
{
    struct raw raw;
    MDB_val key = {KZ_HASH_BYTES, (void *)(uintptr_t)chunk}, value;
    fixture_close(f);
    raw_open(&raw, f, "chunks_a");
    assert_int_equal(mdb_get(raw.txn, raw.dbi, &key, &value), 0);
    MDB_val copy = {value.mv_size, kz_must_memdup(value.mv_data, value.mv_size)};
    ((uint8_t *)copy.mv_data)[copy.mv_size / 2] ^= 1;
    assert_int_equal(mdb_put(raw.txn, raw.dbi, &key, &copy, 0), 0);
    free(copy.mv_data);
    raw_close(&raw);
    f->options.create = false;
    fixture_open(f);
}

static void one_flipped_bit_in_a_chunk_is_never_answered_and_sending_it_again_repairs_it(void **state)
{
    struct fixture *f = *state;
    struct content content = make_content(1, 2 * KZ_CHUNK_MAX_BYTES);
    struct kz_view *view;
    struct kz_err err;
    const uint8_t *data;
    size_t size;
    bool there = true;
    send_all(f, &content);
    put_content(f, "zu", &content, true, NULL);
    flip_a_bit(f, content.list + KZ_HASH_BYTES);
    must(kz_view_open(f->store, &view, &must_err));
    must(kz_view_chunk(view, content.hash, 0, &data, &size, &must_err));
    assert_int_equal(kz_view_chunk(view, content.hash, 1, &data, &size, &err), KZ_CORRUPT);
    assert_non_null(strstr(err.text, "table chunks"));
    must(kz_view_has_chunk(view, content.list + KZ_HASH_BYTES, &there, &must_err));
    assert_false(there);
    assert_int_equal(kz_view_scrub(view, &err), KZ_CORRUPT);
    kz_view_close(view);
    send_chunk(f, &content, 1);
    expect_readable(f, &content);
    expect_chunks(f, 2, 0);
    fixture_scrub(f);
    free(content.bytes);
}

static void a_store_of_a_version_without_contents_opens(void **state)
{
    static const char *const tables[] = {"chunks", "contents", "loose", "loose_order"};
    struct fixture *f = *state;
    fixture_fill(f);
    fixture_close(f);
    for (unsigned i = 0; i < 4 * KZ_GENERATIONS; i++) {
        struct raw raw;
        char name[32];
        snprintf(name, sizeof(name), "%s_%c", tables[i % 4], (char)('a' + i / 4));
        raw_open(&raw, f, name);
        assert_int_equal(mdb_drop(raw.txn, raw.dbi, 1), 0);
        raw_close(&raw);
    }
    f->options.create = false;
    fixture_open(f);
    fixture_scrub(f);
    struct content content = make_content(1, 100);
    send_all(f, &content);
    put_content(f, "zu", &content, true, NULL);
    expect_readable(f, &content);
    fixture_reopen(f);
    expect_readable(f, &content);
    free(content.bytes);
}

/* ---- whatever comes ---- */

static void step(struct fixture *f, struct content *files, unsigned random)
{
    struct content *file = &files[random / 8 % RANDOM_FILES];
    char id[] = "file-0";
    id[5] = (char)('0' + random / 64 % 3);
    switch (random % 8) {
    case 0:
    case 1:
    case 2:
    case 3:
        send_chunk(f, file, random / 512 % file->chunks);
        break;
    case 4:
    case 5:
        kz__outcome__free_unpacked(put_outcome(f, id, file, random % 8 == 4), NULL);
        break;
    case 6:
        pass_time(f, KZ_BLOB_LOOSE_MS / 8);
        break;
    default: {
        struct command command;
        command_init(&command, f->request++);
        command_retire(&command, KZ__KIND__ATTACHMENT, id, false);
        kz__outcome__free_unpacked(fixture_run(f, &command), NULL);
    }
    }
}

static void two_stores_are_equal_whatever_comes_and_what_was_once_whole_stays_readable(void **state)
{
    struct fixture *f = *state, other;
    struct content files[RANDOM_FILES];
    unsigned random = 20261121;
    fixture_init(&other);
    for (unsigned i = 0; i < RANDOM_FILES; i++)
        files[i] = make_content(i + 1, (i % 3) * KZ_CHUNK_MAX_BYTES + 11 + i);
    for (unsigned i = 0; i < RANDOM_STEPS; i++) {
        random = random * 1103515245u + 12345u;
        if (i == RANDOM_STEPS / 2) {
            fixture_fini(&other);
            fixture_init(&other);
            fixture_copy_state(f, &other, 5000);
            other.time_ms = f->time_ms;
            other.term = f->term;
            other.request = f->request;
        }
        step(f, files, random >> 8);
        step(&other, files, random >> 8);
        assert_memory_equal(fixture_applied(f).state_hash, fixture_applied(&other).state_hash, KZ_HASH_BYTES);
        if (i % 20 == 0) fixture_scrub(f);
    }
    fixture_scrub(f);
    fixture_scrub(&other);
    size_t whole = 0;
    for (unsigned i = 0; i < RANDOM_FILES; i++) {
        struct kz_view *view;
        uint64_t size;
        struct kz_err err;
        must(kz_view_open(f->store, &view, &must_err));
        bool there = kz_view_content(view, files[i].hash, &size, &err) == KZ_OK;
        kz_view_close(view);
        if (there) expect_readable(&other, &files[i]);
        whole += there;
        free(files[i].bytes);
    }
    assert_true(whole > 0);
    fixture_fini(&other);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_content_is_read_back_as_it_was_sent),
        TEST(the_same_content_need_not_be_sent_again),
        TEST(an_attachment_without_its_content_is_refused),
        TEST(one_command_brings_one_content),
        TEST(a_chunk_stands_alone_is_of_an_attachment_and_has_its_size),
        TEST(an_upload_that_was_broken_off_leaves_nothing_behind),
        TEST(a_chunk_sent_again_begins_its_time_anew),
        TEST(one_entry_removes_a_bounded_number),
        TEST(too_many_loose_chunks_push_out_the_oldest),
        TEST(what_an_earlier_version_refers_to_stays),
        TEST(a_snapshot_holds_the_contents_and_goes_on_collecting),
        TEST(one_flipped_bit_in_a_chunk_is_never_answered_and_sending_it_again_repairs_it),
        TEST(a_store_of_a_version_without_contents_opens),
        TEST(two_stores_are_equal_whatever_comes_and_what_was_once_whole_stays_readable),
    };
#undef TEST
    return cmocka_run_group_tests_name("blob", tests, NULL, NULL);
}
