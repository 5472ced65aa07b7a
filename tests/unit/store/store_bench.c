/* SPDX-License-Identifier: Apache-2.0 */
/* What a commit and an applied command cost here: `store_bench DIRECTORY [NOTE_BYTES]` (empty, on the disk to be
 * measured). Prints figures; asserts nothing about them. */
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "node/base/assert.h"
#include "node/store/writer.h"
#include "tests/unit/store/fixture.h"

#define NOTE_BYTES 380 /* a command of about 512 bytes */
#define NOTE_MAX_BYTES 16000

struct bench {
    struct kz_store *store;
    struct kz_writer *writer;
    sem_t notified;
    uint64_t seq, index, durable, request;
    size_t note_bytes;
};

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Given to write calls so far; what reaches the disk depends on the file system. */
static double written_bytes(void)
{
    unsigned long long bytes = 0;
    char line[128];
    FILE *io = fopen("/proc/self/io", "r");
    while (io != NULL && fgets(line, sizeof(line), io) != NULL) {
        if (sscanf(line, "wchar: %llu", &bytes) == 1) break;
    }
    if (io != NULL) fclose(io);
    return (double)bytes;
}

static void notify(void *data) { sem_post(&((struct bench *)data)->notified); }
static void on_durable(void *data, uint64_t seq) { ((struct bench *)data)->durable = seq; }

static void wait_durable(struct bench *bench)
{
    const struct kz_writer_visitor visitor = {.data = bench, .durable = on_durable};
    while (bench->durable < bench->seq) {
        sem_wait(&bench->notified);
        kz_writer_poll(bench->writer, &visitor);
    }
}

/* A batch of `count` new or changed orgs, as bytes. */
static uint8_t *make_batch(struct bench *bench, size_t count, size_t records, size_t *size)
{
    struct command *commands = kz_must_alloc(count, sizeof(*commands));
    const Kz__Command **pointers = kz_must_alloc(count, sizeof(*pointers));
    for (size_t i = 0; i < count; i++) {
        char id[32], note[NOTE_MAX_BYTES + 1];
        uint64_t number = bench->request++;
        snprintf(id, sizeof(id), "org-%06llu", (unsigned long long)(number * 7919 % records));
        memset(note, 'a' + (int)(number % 26), bench->note_bytes);
        note[bench->note_bytes] = '\0';
        Kz__Record *record = make_org(id, "情報システム課", NULL);
        record->org->note = kz_must_strdup(note);
        command_init(&commands[i], 0);
        uint64_t mixed = number * 0x9e3779b97f4a7c15u;
        memcpy(commands[i].id, &mixed, sizeof(mixed));
        command_put(&commands[i], record);
        pointers[i] = &commands[i].message;
    }
    uint8_t *out = batch_pack(FIXTURE_START_MS, pointers, count, size);
    for (size_t i = 0; i < count; i++)
        command_fini(&commands[i]);
    free(commands);
    free(pointers);
    return out;
}

static void give_batch(struct bench *bench, size_t commands, size_t records)
{
    size_t size;
    uint8_t *batch = make_batch(bench, commands, records, &size);
    struct kz_entry entry = {1, KZ_ENTRY_COMMAND, batch, size};
    kz_writer_append(bench->writer, ++bench->seq, ++bench->index, &entry, 1);
    free(batch);
}

static void measure_small_commits(struct bench *bench)
{
    enum { ROUNDS = 2000 };
    double start = now_s();
    for (int i = 0; i < ROUNDS; i++) {
        give_batch(bench, 1, ROUNDS);
        wait_durable(bench);
    }
    double appended = now_s();
    kz_writer_apply(bench->writer, ++bench->seq, bench->index, bench->index);
    wait_durable(bench);
    double middle = now_s();
    double written = written_bytes();
    for (int i = 0; i < ROUNDS; i++) {
        give_batch(bench, 1, ROUNDS);
        kz_writer_apply(bench->writer, ++bench->seq, bench->index, bench->index);
        wait_durable(bench);
    }
    double done = now_s();
    written = (written_bytes() - written) / ROUNDS;
    printf("append of one 512 B command, durable: %.0f us\n", (appended - start) / ROUNDS * 1e6);
    printf("append and apply of one command, durable: %.0f us, %.1f KiB written\n", (done - middle) / ROUNDS * 1e6,
           written / 1024);
}

static void measure_batches(struct bench *bench, size_t commands, size_t batches, size_t records)
{
    double written = written_bytes();
    double start = now_s();
    double making = 0;
    for (size_t i = 0; i < batches; i++) {
        double before = now_s();
        give_batch(bench, commands, records);
        making += now_s() - before;
        kz_writer_apply(bench->writer, ++bench->seq, bench->index, bench->index);
        while (kz_writer_full(bench->writer))
            wait_durable(bench);
        if (i > 64 && i % 64 == 0) kz_writer_compact(bench->writer, ++bench->seq, bench->index - 64);
    }
    wait_durable(bench);
    double total = now_s() - start;
    size_t count = commands * batches;
    printf("%zu commands in batches of %zu over %zu records: %.0f/s appended and applied, durable "
           "(%.1f us each; making them took %.1f us each on another core), %.0f B written each\n",
           count, commands, records, (double)count / total, total / (double)count * 1e6, making / (double)count * 1e6,
           (written_bytes() - written) / (double)count);
}

static bool count_record(void *data, const Kz__Record *record)
{
    (void)record;
    ++*(size_t *)data;
    return true;
}

static void measure_reads(struct bench *bench)
{
    struct kz_view *view;
    size_t count = 0;
    double start = now_s();
    must(kz_view_open(bench->store, &view, &must_err));
    must(kz_view_list(view, KZ__KIND__ORG, NULL, false, count_record, &count, &must_err));
    double listed = now_s();
    must(kz_view_scrub(view, &must_err));
    kz_view_close(view);
    printf("list of %zu records: %.1f ms; scrub of everything: %.1f ms\n", count, (listed - start) * 1e3,
           (now_s() - listed) * 1e3);
    enum { ROUNDS = 20000 };
    start = now_s();
    for (int i = 0; i < ROUNDS; i++) {
        char id[32];
        Kz__Record *record;
        snprintf(id, sizeof(id), "org-%06d", i % 500);
        must(kz_view_open(bench->store, &view, &must_err));
        must(kz_view_get(view, KZ__KIND__ORG, id, &record, &must_err));
        kz__record__free_unpacked(record, NULL);
        kz_view_close(view);
    }
    printf("open a view and get one record: %.2f us\n", (now_s() - start) / ROUNDS * 1e6);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: store_bench DIRECTORY [NOTE_BYTES]\n");
        return 2;
    }
    struct bench *bench = kz_must_alloc(1, sizeof(*bench));
    const struct kz_store_options options = {
        .directory = argv[1], .map_size_bytes = 16ull << 30, .cluster_id = "bench", .node_id = 1, .create = true};
    const struct kz_writer_options writer_options = {.notify = notify, .data = bench};
    bench->note_bytes = argc > 2 ? strtoul(argv[2], NULL, 10) : NOTE_BYTES;
    if (bench->note_bytes > NOTE_MAX_BYTES) bench->note_bytes = NOTE_MAX_BYTES;
    size_t rounds = 1 + bench->note_bytes / 1000; /* larger records, fewer of them */
    sem_init(&bench->notified, 0, 0);
    must(kz_store_open(&bench->store, &options, &must_err));
    must(kz_writer_open(&bench->writer, bench->store, &writer_options, &must_err));
    measure_small_commits(bench);
    measure_batches(bench, 100, 2000 / rounds, 10000 / rounds);
    measure_batches(bench, 500, 400 / rounds, 100000 / rounds);
    kz_writer_close(bench->writer);
    bench->writer = NULL;
    measure_reads(bench);
    kz_store_close(bench->store);
    double start = now_s();
    struct kz_store_options again = options;
    again.create = false;
    must(kz_store_open(&bench->store, &again, &must_err));
    printf("reopen: %.2f ms\n", (now_s() - start) * 1e3);
    kz_store_close(bench->store);
    free(bench);
    return 0;
}
