/* SPDX-License-Identifier: Apache-2.0 */
/* The driver's memory of its log against a plain model. */
#include "node/store/chain.h"
#include "tests/unit/consensus/fixture.h"

#define MODEL_MAX 600u

struct model {
    struct kz_replica_log log;
    uint64_t term[MODEL_MAX], chain[MODEL_MAX], total[MODEL_MAX];
    uint64_t base, last;
    uint32_t random;
};

static uint32_t next(struct model *m)
{
    m->random = m->random * 1664525u + 1013904223u;
    return m->random >> 8;
}

static int setup(void **state)
{
    struct model *m = test_calloc(1, sizeof(*m));
    m->random = 5;
    kz_replica_log_reset(&m->log, 0, 0, KZ_CHAIN_START);
    *state = m;
    return 0;
}

static int teardown(void **state)
{
    struct model *m = *state;
    kz_replica_log_fini(&m->log);
    test_free(m);
    return 0;
}

static void add(struct model *m, uint64_t term)
{
    uint8_t data[64];
    struct kz_entry entry = {term, KZ_ENTRY_COMMAND, data, next(m) % sizeof(data)};
    memset(data, (int)term, sizeof(data));
    kz_replica_log_append(&m->log, &entry);
    uint64_t index = ++m->last;
    m->term[index] = term;
    m->chain[index] = kz_chain_next(m->chain[index - 1], term, KZ_ENTRY_COMMAND, data, entry.size_bytes);
    m->total[index] = m->total[index - 1] + entry.size_bytes;
}

static void check(struct model *m)
{
    assert_int_equal(m->log.last, m->last);
    for (uint64_t i = 1; i <= m->last; i++) {
        uint64_t chain = 0;
        assert_int_equal(kz_replica_log_term(&m->log, i), i < m->base ? 0 : m->term[i]);
        if (kz_replica_log_chain(&m->log, i, &chain)) assert_int_equal(chain, m->chain[i]);
        if (kz_replica_log_get(&m->log, i)) /* below the ring totals are known to a mark only: compare differences */
            assert_int_equal(kz_replica_log_total(&m->log, m->last) - kz_replica_log_total(&m->log, i),
                             m->total[m->last] - m->total[i]);
    }
    assert_int_equal(kz_replica_log_term(&m->log, m->last + 1), 0);
}

static void random_work_agrees_with_a_model(void **state)
{
    struct model *m = *state;
    uint64_t term = 1;
    for (unsigned step = 0; step < 400; step++) {
        term += next(m) % 8 == 0;
        for (unsigned i = next(m) % 4; i > 0 && m->last + 1 < MODEL_MAX; i--)
            add(m, term);
        uint64_t cut = m->last - next(m) % 6;
        if (next(m) % 5 == 0 && cut > m->base && cut <= m->last) {
            kz_replica_log_truncate(&m->log, cut, m->chain[cut - 1]);
            m->last = cut - 1;
            term++;
        }
        if (next(m) % 7 == 0) kz_replica_log_evict(&m->log, 100 + next(m) % 300, m->last - next(m) % 3);
        uint64_t drop = m->base + next(m) % 20;
        if (next(m) % 9 == 0 && drop > m->base && drop + 30 < m->last) {
            kz_replica_log_drop_prefix(&m->log, drop, m->chain[drop]);
            m->base = drop;
        }
        check(m);
    }
    assert_true(m->last > 200 && m->base > 50);
}

static void eviction_keeps_what_is_not_durable(void **state)
{
    struct model *m = *state;
    for (unsigned i = 0; i < 20; i++)
        add(m, 1);
    kz_replica_log_evict(&m->log, 0, 12);
    assert_null(kz_replica_log_get(&m->log, 12));
    assert_non_null(kz_replica_log_get(&m->log, 13));
}

static void tail_of_bounds_the_bytes_that_are_kept(void **state)
{
    struct model *m = *state;
    for (unsigned i = 0; i < 500; i++)
        add(m, 1);
    uint64_t tail = kz_replica_log_tail_of(&m->log, 500, 1000);
    assert_true(m->total[500] - m->total[tail] <= 1000);
    assert_true(tail + KZ_LOG_MARK_EVERY >= 500 || m->total[500] - m->total[tail - KZ_LOG_MARK_EVERY] > 1000);
}

static void changes_are_cut_and_forgotten(void **state)
{
    struct model *m = *state;
    uint8_t data[] = "configuration";
    struct kz_entry entry = {1, KZ_ENTRY_CHANGE, data, sizeof(data)};
    kz_replica_log_append(&m->log, &entry);
    kz_replica_log_append(&m->log, &entry);
    kz_replica_log_append(&m->log, &entry);
    assert_non_null(kz_replica_log_find_change(&m->log, 3));
    uint64_t chain = 0;
    assert_true(kz_replica_log_chain(&m->log, 2, &chain));
    kz_replica_log_truncate(&m->log, 3, chain);
    assert_null(kz_replica_log_find_change(&m->log, 3));
    kz_replica_log_forget_changes(&m->log, 1);
    assert_null(kz_replica_log_find_change(&m->log, 1));
    assert_memory_equal(kz_replica_log_find_change(&m->log, 2)->data, data, sizeof(data));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(random_work_agrees_with_a_model, setup, teardown),
        cmocka_unit_test_setup_teardown(eviction_keeps_what_is_not_durable, setup, teardown),
        cmocka_unit_test_setup_teardown(tail_of_bounds_the_bytes_that_are_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(changes_are_cut_and_forgotten, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
