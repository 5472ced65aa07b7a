/* SPDX-License-Identifier: Apache-2.0 */
/* How long a transaction holds the store thread while a snapshot replaces a state: `install_bench DIRECTORY [RECORDS]`
 * (empty, on the disk to be measured). Prints figures; asserts nothing about them. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "node/base/assert.h"
#include "node/store/internal.h"
#include "node/store/writer.h"
#include "tests/unit/store/fixture.h"

#define RECORDS 200000u
#define PER_BATCH 500u
#define CHUNK_BYTES (1u << 20)
#define VOTE_GAP_US 5000

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct kz_store *open_at(const char *directory, const char *name)
{
    char path[256];
    struct kz_store *store;
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    const struct kz_store_options options = {
        .directory = path, .map_size_bytes = 16ull << 30, .cluster_id = "bench", .node_id = 1, .create = true};
    must(kz_store_open(&store, &options, &must_err));
    return store;
}

/* So that the next open finds nothing in memory. */
static void forget_pages(const char *directory, const char *name)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s/data.mdb", directory, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    kz_assert(fd >= 0);
    if (posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) != 0) printf("the page cache stays warm\n");
    close(fd);
}

/* Every record twice, so that the history holds `before` too; one in twenty is of a size that LMDB keeps apart. */
static void fill(struct kz_store *store, unsigned records, unsigned rounds)
{
    struct command *commands = kz_must_alloc(PER_BATCH, sizeof(*commands));
    const Kz__Command *pointers[PER_BATCH];
    uint64_t number = 0, index = 0;
    for (unsigned at = 0; at < rounds * records; at += PER_BATCH) {
        for (unsigned i = 0; i < PER_BATCH; i++, number++) {
            char id[32], note[4001];
            size_t note_bytes = number % 20 == 0 ? 4000 : 380;
            snprintf(id, sizeof(id), "org-%06llu", (unsigned long long)(number * 7919 % records));
            memset(note, 'a' + (int)(number / records), note_bytes);
            note[note_bytes] = '\0';
            Kz__Record *record = make_org(id, "情報システム課", NULL);
            record->org->note = kz_must_strdup(note);
            command_init(&commands[i], (unsigned)number);
            command_put(&commands[i], record);
            pointers[i] = &commands[i].message;
        }
        size_t size;
        uint8_t *batch = batch_pack(FIXTURE_START_MS, pointers, PER_BATCH, &size);
        struct kz_entry entry = {1, KZ_ENTRY_COMMAND, batch, size};
        struct kz_store_txn *txn;
        must(kz_store_begin(store, &txn, &must_err));
        must(kz_txn_append(txn, ++index, &entry, 1, &must_err));
        must(kz_txn_apply(txn, index, NULL, &must_err));
        must(kz_store_commit(txn, &must_err));
        free(batch);
        for (unsigned i = 0; i < PER_BATCH; i++)
            command_fini(&commands[i]);
    }
    free(commands);
}

/* ---- through the writer, with a vote every few milliseconds as raft would have it ---- */

struct bench {
    struct kz_store *store;
    struct kz_writer *writer;
    uint64_t seq, durable, failed;
    uint64_t vote_seq; /* outstanding */
    double vote_at, longest_vote_s;
};

static void notify(void *data) { (void)data; }
static void on_durable(void *data, uint64_t seq) { ((struct bench *)data)->durable = seq; }
static void on_failed(void *data, uint64_t seq, const struct kz_err *why)
{
    ((struct bench *)data)->failed = seq;
    printf("import failed: %s\n", why->text);
}

static void turn(struct bench *bench)
{
    const struct kz_writer_visitor visitor = {.data = bench, .durable = on_durable, .import_failed = on_failed};
    kz_writer_poll(bench->writer, &visitor);
    double now = now_s();
    if (bench->vote_seq != 0 && bench->durable >= bench->vote_seq) {
        if (now - bench->vote_at > bench->longest_vote_s) bench->longest_vote_s = now - bench->vote_at;
        bench->vote_seq = 0;
    }
    if (bench->vote_seq == 0 && now - bench->vote_at > VOTE_GAP_US / 1e6) {
        bench->vote_seq = ++bench->seq;
        bench->vote_at = now;
        kz_writer_put_hard(bench->writer, bench->seq, 1, 1);
    }
    usleep(200);
}

/* For that, and for the vote that waits behind it. */
static void wait_for(struct bench *bench, uint64_t seq)
{
    uint64_t vote = 0;
    while (bench->durable < seq || (vote != 0 && bench->durable < vote)) {
        turn(bench);
        if (bench->durable < seq) vote = bench->vote_seq;
    }
}

static void watch(struct bench *bench, const char *what, double start)
{
    printf("  %-46s %7.0f ms, longest vote %6.1f ms\n", what, (now_s() - start) * 1e3, bench->longest_vote_s * 1e3);
    bench->longest_vote_s = 0;
}

static void import_all(struct bench *bench, struct kz_store *source, bool install)
{
    struct kz_view *view;
    struct kz_applied applied;
    struct kz_export_cursor cursor = {0};
    uint8_t *rows = kz_must_alloc(1, CHUNK_BYTES);
    double start = now_s();
    kz_writer_import_begin(bench->writer, ++bench->seq,
                           &(struct kz_import_origin){.peer = 2, .transfer = 1, .term = 1});
    wait_for(bench, bench->seq);
    watch(bench, "import_begin", start);

    start = now_s();
    must(kz_view_open(source, &view, &must_err));
    must(kz_view_applied(view, &applied, &must_err));
    for (;;) {
        size_t size;
        must(kz_view_export(view, &cursor, rows, CHUNK_BYTES, &size, &must_err));
        if (size == 0) break;
        kz_writer_import_rows(bench->writer, ++bench->seq, rows, size, &(struct kz_import_mark){.next = bench->seq});
        wait_for(bench, bench->seq); /* one chunk at a time, as a sender that waits for acknowledgements */
    }
    kz_view_close(view);
    free(rows);
    watch(bench, "rows", start);
    if (!install) return;
    start = now_s();
    kz_writer_install(bench->writer, ++bench->seq, applied.index, applied.term);
    wait_for(bench, bench->seq);
    watch(bench, "install", start);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void measure_commits(struct bench *bench, const char *what)
{
    enum { ROUNDS = 400 };
    double took[ROUNDS], start = now_s();
    for (int i = 0; i < ROUNDS; i++) {
        double before = now_s();
        kz_writer_put_local(bench->writer, ++bench->seq, "bench", &i, sizeof(i));
        wait_for(bench, bench->seq);
        took[i] = now_s() - before;
    }
    double total = now_s() - start;
    qsort(took, ROUNDS, sizeof(took[0]), compare);
    printf("  %-46s %7.0f ms; commit p50 %.2f ms, p99 %.2f ms, longest %.1f ms\n", what, total * 1e3,
           took[ROUNDS / 2] * 1e3, took[ROUNDS - 4] * 1e3, took[ROUNDS - 1] * 1e3);
    bench->longest_vote_s = 0;
}

static bool is_swept(const struct bench *bench)
{
    bool swept = true;
    struct kz_view *view;
    must(kz_view_open(bench->store, &view, &must_err));
    struct kz_scope scope = view->scope;
    for (scope.generation = 0; scope.generation < KZ_GENERATIONS; scope.generation++) {
        uint64_t rows;
        must(kz_table_count(&scope, KZ_TABLE_AUDIT, &rows, &must_err)); /* the last one swept */
        swept = swept && (rows == 0 || scope.generation == view->scope.generation);
    }
    kz_view_close(view);
    return swept;
}

static void wait_swept(struct bench *bench)
{
    double start = now_s();
    while (!is_swept(bench))
        turn(bench);
    watch(bench, "sweeping, with votes", start);
}

static void open_writer(struct bench *bench, struct kz_store *store)
{
    const struct kz_writer_options options = {.notify = notify, .data = bench};
    bench->store = store;
    must(kz_writer_open(&bench->writer, store, &options, &must_err));
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: install_bench DIRECTORY [RECORDS]\n");
        return 2;
    }
    unsigned records = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : RECORDS;
    struct bench bench = {0};
    struct kz_store *source = open_at(argv[1], "source");
    struct kz_store *target = open_at(argv[1], "target");
    fill(source, records, 2);
    fill(target, records, 1);
    for (int cold = 0; cold < 2; cold++) {
        printf("%s:\n", cold ? "cold" : "warm");
        if (cold) {
            kz_store_close(target);
            sync();
            forget_pages(argv[1], "target");
            target = open_at(argv[1], "target");
        }
        open_writer(&bench, target);
        wait_swept(&bench);
        measure_commits(&bench, "small commits");
        import_all(&bench, source, true);
        measure_commits(&bench, "small commits after the install");
        wait_swept(&bench);
        import_all(&bench, source, false); /* broken off */
        import_all(&bench, source, true);
        measure_commits(&bench, "small commits after the install");
        kz_writer_close(bench.writer);
    }
    kz_store_close(source);
    kz_store_close(target);
    return 0;
}
